"""A blotter that follows a venue's private streams, in terms of the `Venue` protocol: nothing here knows a venue.

It only reads: no order is sent, changed or cancelled, and no node is needed.
"""

import asyncio
from collections import deque
from contextlib import ExitStack
from typing import Any, Final

from nautilus_orderfeeds.cli.console import CliError, Notes, logging_to
from nautilus_orderfeeds.cli.watch_model import SHOWN, Blotter, FeedLine, FillLine, ordered
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError
from nautilus_orderfeeds.feed.health import FeedState, Health, HealthMonitor
from nautilus_orderfeeds.feed.hub import open_session
from nautilus_orderfeeds.feed.session_base import SessionBase
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle
from nautilus_orderfeeds.orders.lifecycle_tracker import LifecycleTracker
from nautilus_orderfeeds.orders.tracker import OrderTracker, TrackedOrder
from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.venues.base import Gap, KnowsOrders, Readback, Told, Venue, VenueMessage
from nautilus_orderfeeds.venues.registry import VenueEntry

_LOOKBACK_NS: Final = 86_400_000_000_000
#: A hint of the stream is followed by a reading so much later, so that a burst of them makes one.
_READ_SECS: Final = 0.3
#: Trades that do not come by then are inferred from the venue's totals.
_SETTLE_NS: Final = 5_000_000_000
#: How often everything is read again; and where the stream only hints, so that what it leaves out is seen.
_AUDIT_NS: Final = 60_000_000_000
_AUDIT_HINTED_NS: Final = 10_000_000_000
_OPEN_SECS: Final = 30.0
_NOTES_KEPT: Final = 5


class VenueSource:
    """Follows one account at one venue.

    Parameters
    ----------
    entry : VenueEntry
        The venue.
    config : Any
        Its exec config: addresses and credentials.
    """

    def __init__(self, entry: VenueEntry, config: Any) -> None:
        self._entry = entry
        self._config = config
        self._clock = entry.door.clock
        self._tracker = OrderTracker()
        self._lives = LifecycleTracker(max_completed=SHOWN)
        self._fills: deque[FillLine] = deque(maxlen=SHOWN)
        self._rules: dict[str, Rules] = {}
        self._notes = Notes()
        self._told: deque[str] = deque(maxlen=_NOTES_KEPT)
        self._changed = True
        self._read_ns = 0
        self._sessions: list[SessionBase] = []
        self._reading: asyncio.Task[None] | None = None
        self._stack = ExitStack()
        self._venue: Venue

    @property
    def blotter(self) -> Blotter:
        """The present picture."""
        return Blotter(
            title=f"{self._entry.client_name} {getattr(self._config, 'environment', 'live')}",
            account=f"{self._entry.client_name}-{self._config.account}",
            orders=ordered(list(self._lives)),
            fills=sorted(self._fills, key=lambda fill: fill.recorded_ns, reverse=True),
            feeds=[_feed_line(session.health) for session in self._sessions],
            notes=list(self._told),
        )

    def poll(self) -> bool:
        """Do what is due by the clock; return whether anything has changed since the last look."""
        now_ns = self._clock.time_ns()
        for tracked in self._tracker.unsettled():
            if now_ns - tracked.unsettled_since_ns >= _SETTLE_NS:
                self._note(tracked, self._tracker.settle(tracked, now_ns), now_ns)
        hinted = self._venue.capabilities.reads_back
        if self._read_ns and now_ns - self._read_ns >= (_AUDIT_HINTED_NS if hinted else _AUDIT_NS):
            self._read_soon()
        for note in self._notes.take():
            self._tell(note)
        changed, self._changed = self._changed, False
        return changed

    # -- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Log in and begin to follow; raises `CliError` if the venue refuses or cannot be reached."""
        self._stack.enter_context(logging_to(self._notes))
        try:
            self._venue = self._entry.door.make_venue(self._config)
            marks: dict[str, int] = {}
            # What a node's journal keeps for good matters only for orders, and none are sent.
            self._venue.use_marks(lambda key: marks.get(key, 0), marks.__setitem__)
            if isinstance(self._venue, KnowsOrders):
                self._venue.use_orders(self._how_far_told)
            async with asyncio.timeout(_OPEN_SECS):
                await self._venue.open()
                await self._take_instruments()
            self._begin()
        except (FeedError, ValueError) as e:
            await self.stop()
            advice = f"`orderfeeds check {self._entry.name}` looks closer"
            raise CliError(f"cannot watch {self._entry.client_name}: {e}; {advice}") from None
        except TimeoutError:
            await self.stop()
            raise CliError(f"cannot watch {self._entry.client_name}: no answer within {_OPEN_SECS:g} s") from None
        except BaseException:
            await self.stop()
            raise

    async def _take_instruments(self) -> None:
        from nautilus_orderfeeds.adapter.instruments import load_file, to_spec

        path = self._config.instruments
        listed = await self._venue.instruments()
        from_file = [to_spec(instrument) for instrument in load_file(path)] if path else []
        specs = [*listed, *from_file]
        self._venue.use_instruments(specs)
        self._rules = {spec.symbol: self._venue.rules(spec) for spec in specs}

    def _begin(self) -> None:
        asks = self._venue.capabilities.snapshot_over_stream
        for n, stream in enumerate(self._venue.streams()):
            session = open_session(
                stream,
                self._on_frame,
                self._resync,
                clock=self._clock,
                monitor=HealthMonitor(stream.name, self._clock, self._on_health),
                on_fatal=self._on_fatal,
                stale_after_secs=self._config.stale_after_secs,
                buffer_during_resync=not asks,
            )
            self._sessions.append(session)
            if n == 0:
                self._venue.attach(session.send)
            session.begin()

    async def settled(self, timeout_secs: float) -> bool:
        """Wait until every stream is live for the first time, its snapshot taken; return whether that came."""
        try:
            async with asyncio.timeout(timeout_secs):
                for session in self._sessions:
                    await session.wait_live(timeout_secs)
        except (FeedError, TimeoutError) as e:
            self._tell(str(e) or f"not live within {timeout_secs:g} s")
            return False
        return True

    async def stop(self) -> None:
        """Release everything; idempotent."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        sessions, self._sessions = self._sessions, []
        for session in sessions:
            await session.stop()
        if hasattr(self, "_venue"):
            await self._venue.close()
        self._stack.close()

    # -- what the venue says ---------------------------------------------------------------------------------------

    def _on_frame(self, raw: bytes) -> None:
        for message in self._venue.decode(raw):
            self._handle(message)

    def _handle(self, message: VenueMessage) -> None:
        match message:
            case OrderUpdate():
                self._take(message)
            case Readback():
                self._read_soon()
            case Gap():
                self._sessions[0].reconnect(message.reason)
            case _:  # balances, positions and the venue's own words are not shown
                pass

    async def _resync(self) -> None:
        self._read_ns = self._clock.time_ns()
        since_ns = self._clock.time_ns() - _LOOKBACK_NS
        truth = await self._venue.resync([tracked.ref for tracked in self._tracker.open_orders()], since_ns)
        for update in [*truth.updates, *await self._venue.history(since_ns)]:
            self._take(update)

    def _read_soon(self) -> None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_back(), name="watch read back")

    async def _read_back(self) -> None:
        await asyncio.sleep(_READ_SECS)
        if any(session.state is not FeedState.LIVE for session in self._sessions):
            return  # what comes next reads everything
        try:
            await self._resync()
        except FeedError as e:
            self._tell(f"could not read the account back: {e}")

    def _take(self, update: OrderUpdate) -> None:
        now_ns = self._clock.time_ns()
        tracked = self._tracker.find(update) or self._adopt(update, now_ns)
        if tracked is not None:
            self._note(tracked, self._tracker.take(tracked, update, now_ns), now_ns)

    def _how_far_told(self, venue_order_id: str) -> Told | None:
        tracked = self._tracker.get(None, venue_order_id)
        return None if tracked is None else Told(tracked.state.filled_qty, tracked.state.is_closed)

    def _adopt(self, update: OrderUpdate, now_ns: int) -> TrackedOrder | None:
        """Take up an order; here all are others', so the venue's id is the only one that is certain."""
        if update.venue_order_id is None or update.symbol is None:
            return None
        rules = self._rules.get(update.symbol)
        if rules is None:
            self._tell(f"an order of {update.symbol}, which is no loaded instrument, is not shown (--instruments)")
            return None
        tracked = self._tracker.adopt(update, rules, update.venue_order_id, now_ns)
        if tracked is not None:
            begun_ns = update.ts_accepted or now_ns
            life = OrderLifecycle.of(
                tracked.terms,
                begun_ns,
                venue=self._entry.client_name,
                external=True,
                venue_order_id=update.venue_order_id,
            )
            self._lives.feed(self._lives.begin(life), ev.OrderSubmitted(ts_event=begun_ns), begun_ns)
        return tracked

    def _note(self, tracked: TrackedOrder, events: list[ev.OrderEvent], now_ns: int) -> None:
        life = self._lives.get(tracked.client_order_id, self._entry.client_name)
        if life is None or not events:
            return
        self._changed = True
        for event in events:
            self._lives.feed(life, event, now_ns)
            if isinstance(event, ev.OrderFilled):
                self._fills.append(FillLine.of(life, event, event.ts_event or now_ns))

    def _on_health(self, _: Health) -> None:
        self._changed = True

    def _on_fatal(self, error: FatalFeedError) -> None:
        self._tell(f"the feed is down for good: {error}")

    def _tell(self, note: str) -> None:
        if note not in self._told:
            self._told.append(note)
            self._changed = True


def _feed_line(health: Health) -> FeedLine:
    return FeedLine(
        name=health.stream,
        state=health.state.value,
        last_frame_ns=health.last_frame_ns,
        connects=health.connects,
        gaps=health.gaps,
        malformed_frames=health.malformed_frames,
        detail=health.detail,
    )
