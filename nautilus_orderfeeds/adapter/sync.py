"""Reading the account's truth back from the venue and taking it in."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from nautilus_orderfeeds.adapter.intake import Intake
from nautilus_orderfeeds.feed.errors import FeedError, TransientFeedError
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.requests import OrderRef
from nautilus_orderfeeds.orders.state import Placement
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate, Position
from nautilus_orderfeeds.venues.base import LooksUp, Truth, Venue

_MARK: Final = "synced_ns"
#: Trades are read again from this long before the last complete reading: venues' clocks and pages overlap.
_OVERLAP_NS: Final = 120_000_000_000
#: First reading without a journal: this much history is asked for.
_FIRST_LOOKBACK_NS: Final = 86_400_000_000_000


_Reading = Callable[[Sequence[OrderRef], int], Awaitable[Truth]]


class Synchronizer:
    """Reads orders, trades, balances and positions back and feeds them to the intake.

    Parameters
    ----------
    venue : Venue
        Where to read.
    intake : Intake
        Where updates go.
    clock, log : Any
        The framework's.
    timeout_secs : float
        Limit of one whole reading.
    on_account : Callable[[AccountUpdate], None]
        Takes balances.
    """

    def __init__(
        self,
        *,
        venue: Venue,
        intake: Intake,
        clock: Any,
        log: Any,
        timeout_secs: float,
        on_account: Callable[[AccountUpdate], None],
    ) -> None:
        self._venue = venue
        self._intake = intake
        self._clock = clock
        self._log = log
        self._timeout_secs = timeout_secs
        self._on_account = on_account
        self._lock = asyncio.Lock()
        #: Called with orders that are to be read again soon (`Truth.unsure`).
        self.on_unsure: Callable[[TrackedOrder], None] | None = None
        self._unsure: set[str] = set()
        #: Net positions at the last complete reading that told them; None if the venue tells none.
        self.positions: dict[str, Position] | None = None
        #: Whether the latest complete reading told them: others, of a lagging read side, must not be compared.
        self.positions_told = False

    async def full(self) -> None:
        """Read everything: open and ended orders, trades since the watermark, balances, positions.

        Raises
        ------
        FeedError
            If any part of it could not be read.
        """
        began_ns = self._clock.timestamp_ns()
        last_ns = self._intake.journal.mark(_MARK)
        since_ns = max(last_ns - _OVERLAP_NS, 0) if last_ns else began_ns - _FIRST_LOOKBACK_NS
        open_orders = self._intake.tracker.open_orders()
        truth = await self._read(self._venue.resync, open_orders, since_ns)
        # At startup the history is read for the reports. Later it tells of orders that came and went unseen.
        ended = await self._ended(since_ns) if self._intake.introducing else []
        self._take(truth, open_orders)
        self.positions_told = truth.positions is not None
        if self._take_ended(ended):
            self._intake.journal.set_mark(_MARK, began_ns)

    async def _ended(self, since_ns: int) -> list[OrderUpdate]:
        try:
            async with asyncio.timeout(self._timeout_secs):
                return await self._venue.history(since_ns)
        except TimeoutError:
            name = self._venue.capabilities.venue
            raise TransientFeedError(f"{name}: reading the history took over {self._timeout_secs:g} s") from None

    def _take_ended(self, ended: Sequence[OrderUpdate]) -> bool:
        """Take in orders that have ended; return whether that could be done with all of them.

        While an own order is in flight that the venue has not named yet, one that nobody knows may be that order: it
        is left to the next reading.
        """
        all_taken = True
        for update in ended:
            tracker = self._intake.tracker
            if tracker.find(update) is None and tracker.may_be_unidentified(update):
                all_taken = False
            else:
                self._intake.update(update)
        return all_taken

    async def some(self, orders: Sequence[TrackedOrder]) -> None:
        """Read the truth about some orders (and whatever the venue tells with it).

        Raises
        ------
        FeedError
            If it could not be read.
        """
        created = min((o.created_ns for o in orders), default=self._clock.timestamp_ns())
        read = self._venue.look_up if isinstance(self._venue, LooksUp) else self._venue.resync
        self._take(await self._read(read, orders, max(created - _OVERLAP_NS, 0)), orders)

    async def _read(self, read: _Reading, orders: Sequence[TrackedOrder], since_ns: int) -> Truth:
        async with self._lock:
            # As they are known by now, not before the reading that was waited for. Of what is held here the venue knows
            # nothing.
            refs = [tracked.ref for tracked in orders if tracked.state.placement is not Placement.HELD]
            try:
                async with asyncio.timeout(self._timeout_secs):
                    return await read(refs, since_ns)
            except TimeoutError:
                name = self._venue.capabilities.venue
                raise TransientFeedError(f"{name}: reading the account took over {self._timeout_secs:g} s") from None

    def is_unsure(self, tracked: TrackedOrder) -> bool:
        """Whether the latest reading of an order need not show yet what was heard of it."""
        return tracked.client_order_id in self._unsure

    def _take(self, truth: Truth, asked: Iterable[TrackedOrder]) -> None:
        asked = list(asked)
        unsure = {ref.client_order_id for ref in truth.unsure}
        self._unsure -= {tracked.client_order_id for tracked in asked}
        self._unsure |= unsure
        for update in truth.updates:
            self._intake.update(update)
        absent = {ref.client_order_id for ref in truth.absent}
        for tracked in asked:
            is_there = tracked.state.accepted and tracked.state.is_named
            if tracked.client_order_id in absent and tracked.in_flight and not is_there:
                now = self._clock.timestamp_ns()
                tracked.in_flight = False
                reason = "never reached the venue, and by its rules can no longer"
                self._intake.tell(tracked, ev.OrderRejected(reason=reason, ts_event=now))
        self._intake.release_unbound()
        if self.on_unsure is not None:
            for tracked in asked:
                if tracked.client_order_id in unsure:
                    self.on_unsure(tracked)
        if truth.account is not None:
            self._on_account(truth.account)
        if truth.positions is not None:
            self.positions = {position.symbol: position for position in truth.positions}


async def quietly(synchronizer: Synchronizer, orders: Sequence[TrackedOrder], log: Any) -> bool:
    """Read the truth about `orders`; return whether that succeeded. Failures are logged, not raised."""
    try:
        await synchronizer.some(orders)
    except FeedError as e:
        log.warning(f"Could not read {len(orders)} order(s) back: {e}")
        return False
    return True
