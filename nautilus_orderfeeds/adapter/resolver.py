"""Finds out what became of orders whose fate is open: asks the venue, with growing patience, until it is known."""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from msgspec import Struct

from nautilus_orderfeeds.adapter.intake import Intake
from nautilus_orderfeeds.adapter.sync import Synchronizer, quietly
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.reducer import refuse_cancel
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.words import OrderStatus
from nautilus_orderfeeds.venues.capabilities import Capabilities, Feature

_FIRST_DELAY_SECS: Final = 0.5
_MAX_DELAY_SECS: Final = 10.0
#: A request the venue took is given this long to show its effect on the stream before the venue is asked.
_EFFECT_SECS: Final = 2.0
#: Unreadable frames cause a reading of the whole account at most this often.
_READ_ALL_SECS: Final = 2.0
#: An order whose reading may lag behind what was heard of it is read again after this time.
_UNSURE_SECS: Final = 1.0
#: Complete readings that show an order live and unchanged before a request counts as having had no effect.
_READINGS: Final = 3


def has_ended(tracked: TrackedOrder) -> bool:
    """Return whether the venue has said that the order ended: told already, or waiting for the trades before it."""
    return tracked.state.is_closed or tracked.state.known.end is not None


class Watch(Struct):
    """One order being watched."""

    tracked: TrackedOrder
    due_secs: float
    delay_secs: float
    resend_cancel: int = 0
    cancel_refused: str = ""
    readings: int = 0
    #: How many times something was heard of the order that only a reading can explain; 0: none since the last one.
    hints: int = 0


class Resolver:
    """Watches orders until their fate is known.

    Parameters
    ----------
    synchronizer : Synchronizer
        Reads the truth.
    intake : Intake
        Takes it in.
    capabilities : Capabilities
        Whether trades can be asked for.
    settle_secs : float
        How long cumulative numbers wait for their trades.
    clock, log : Any
        The framework's.
    rng : random.Random
        Jitter.
    """

    def __init__(
        self,
        *,
        synchronizer: Synchronizer,
        intake: Intake,
        capabilities: Capabilities,
        settle_secs: float,
        clock: Any,
        log: Any,
        rng: random.Random,
    ) -> None:
        self._synchronizer = synchronizer
        self._intake = intake
        self._asks_for_trades = capabilities.supports(Feature.QUERY_FILLS)
        self._settle_secs = settle_secs
        self._clock = clock
        self._log = log
        self._rng = rng
        synchronizer.on_unsure = lambda tracked: self.watch(tracked, "reading may lag", delay_secs=_UNSURE_SECS)
        self._watches: dict[str, Watch] = {}
        self._asked_for_trades: set[str] = set()
        self._next_trades_secs = 0.0
        self._read_all = False
        self._next_read_all_secs = 0.0
        #: Sends a cancel again (cancels are idempotent); set by the client.
        self.resend: Callable[[Sequence[TrackedOrder]], Awaitable[None]] | None = None

    def __len__(self) -> int:
        return len(self._watches)

    def watch(
        self,
        tracked: TrackedOrder,
        reason: str,
        *,
        resend_cancel: int = 0,
        cancel_refused: str = "",
        delay_secs: float = _FIRST_DELAY_SECS,
        hint: bool = False,
    ) -> None:
        """Find out what became of `tracked`; after a `hint` it is read whatever seems to be known of it."""
        now = self._clock.timestamp()
        known = self._watches.get(tracked.client_order_id)
        if known is not None:
            known.resend_cancel = max(known.resend_cancel, resend_cancel)
            known.cancel_refused = known.cancel_refused or cancel_refused
            known.due_secs = min(known.due_secs, now + delay_secs)
            known.hints += hint
            return
        self._log.debug(f"Watching {tracked.client_order_id!r}: {reason}")
        self._watches[tracked.client_order_id] = Watch(
            tracked=tracked,
            due_secs=now + delay_secs,
            delay_secs=delay_secs,
            resend_cancel=resend_cancel,
            cancel_refused=cancel_refused,
            hints=int(hint),
        )

    def expect_sight(self, tracked: TrackedOrder) -> None:
        """The venue took an order: look for it if the stream does not show it by itself."""
        self.watch(tracked, "order taken, not seen yet", delay_secs=_EFFECT_SECS)

    def expect_end(self, tracked: TrackedOrder) -> None:
        """The venue took a cancel: look for the end if it does not come by itself."""
        self.watch(tracked, "cancel taken", resend_cancel=1, delay_secs=_EFFECT_SECS)

    def expect_change(self, tracked: TrackedOrder) -> None:
        """The venue took a change: look for it if it does not come by itself."""
        self.watch(tracked, "change taken", delay_secs=_EFFECT_SECS)

    def read_all_soon(self) -> None:
        """Read the whole account with the next tick, at most once in `_READ_ALL_SECS`: something was not understood."""
        self._read_all = True

    def expect_readback(self, tracked: TrackedOrder) -> None:
        """The venue took the order and tells no more by itself (`Capabilities.reads_back`): read it back soon."""
        self.watch(tracked, "taken, read back", delay_secs=_FIRST_DELAY_SECS, hint=True)

    def is_unsure(self, tracked: TrackedOrder) -> bool:
        """Whether the latest reading of an order need not show yet what was heard of it."""
        return self._synchronizer.is_unsure(tracked)

    async def ask(self, tracked: TrackedOrder) -> bool:
        """Read the truth about one order now; return whether that succeeded."""
        return await quietly(self._synchronizer, [tracked], self._log)

    async def tick(self) -> None:
        """Do what is due: settle, ask, send cancels again. Called by the client's timer."""
        await self._settle_due()
        now = self._clock.timestamp()
        if self._read_all and now >= self._next_read_all_secs:
            self._read_all, self._next_read_all_secs = False, now + _READ_ALL_SECS
            try:
                await self._synchronizer.full()
            except FeedError as e:
                self._read_all = True
                self._log.warning(f"Reading the account after an unreadable frame failed, trying again: {e}")
        for client_order_id, watch in list(self._watches.items()):
            if self._is_resolved(watch):
                del self._watches[client_order_id]
        due = [watch for watch in self._watches.values() if watch.due_secs <= now]
        if not due:
            return
        hints = [watch.hints for watch in due]
        read = await quietly(self._synchronizer, [watch.tracked for watch in due], self._log)
        again: list[TrackedOrder] = []
        for watch, heard in zip(due, hints, strict=True):
            watch.delay_secs = min(max(watch.delay_secs * 2, _FIRST_DELAY_SECS), _MAX_DELAY_SECS)
            if watch.hints != heard:
                continue  # something new was heard meanwhile: to be read at once
            watch.due_secs = self._clock.timestamp() + watch.delay_secs * self._rng.uniform(0.5, 1.0)
            if read:
                watch.hints = 0
                if self._synchronizer.is_unsure(watch.tracked):
                    watch.due_secs = min(watch.due_secs, self._clock.timestamp() + _UNSURE_SECS)
                    continue
            if self._is_resolved(watch):
                self._watches.pop(watch.tracked.client_order_id, None)
            elif read:
                watch.readings += 1
                self._still_open(watch, again)
        if again and self.resend is not None:
            await self.resend(again)

    def _is_resolved(self, watch: Watch) -> bool:
        if watch.hints or self._synchronizer.is_unsure(watch.tracked):
            return False
        if has_ended(watch.tracked):
            return True
        if watch.tracked.in_flight:
            return False
        state = watch.tracked.state
        if state.status in (OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_UPDATE):
            return False
        return state.accepted and not (watch.resend_cancel or watch.cancel_refused)

    def _still_open(self, watch: Watch, again: list[TrackedOrder]) -> None:
        """The venue has shown the order live, or not at all."""
        tracked = watch.tracked
        state = tracked.state
        if not state.accepted or tracked.in_flight:
            return  # not seen yet: only the venue's own rules make that final (`Truth.absent`)
        now = self._clock.timestamp_ns()
        if state.status is OrderStatus.PENDING_UPDATE:
            if watch.readings >= _READINGS:
                reason = "the venue took the change but does not show it"
                self._intake.tell(tracked, ev.OrderModifyRejected(reason=reason, ts_event=now))
            return
        if state.known.canceling:
            return  # it may take long (the order may still fill meanwhile): neither refused nor to be asked for again
        if watch.cancel_refused or not watch.resend_cancel:
            if watch.cancel_refused or watch.readings >= _READINGS:
                events: list[ev.OrderEvent] = []
                reason = watch.cancel_refused or "the venue shows the order live after the cancel"
                refuse_cancel(state, events, reason, now)
                self._intake.told(tracked, events)
                self._watches.pop(tracked.client_order_id, None)
            return
        watch.resend_cancel -= 1
        watch.readings = 0
        again.append(tracked)

    async def _settle_due(self) -> None:
        now_ns = self._clock.timestamp_ns()
        limit_ns = int(self._settle_secs * 1_000_000_000)
        due = [t for t in self._intake.tracker.unsettled() if now_ns - t.unsettled_since_ns >= limit_ns]
        if not due:
            self._asked_for_trades.clear()
            return
        unread = await self._ask_for_trades(due) if self._asks_for_trades else set()
        for tracked in due:
            if tracked.unsettled_since_ns and tracked.client_order_id not in unread:
                self._intake.settle(tracked)

    async def _ask_for_trades(self, due: Sequence[TrackedOrder]) -> set[str]:
        """Ask once for the trades of each order; return the orders of which nothing could be read.

        Of those nothing is inferred: the trades can still be read when the venue can be reached again.
        """
        fresh = {t.client_order_id: t for t in due if t.client_order_id not in self._asked_for_trades}
        now = self._clock.timestamp()
        if not fresh or now < self._next_trades_secs:
            return set(fresh)
        if await quietly(self._synchronizer, list(fresh.values()), self._log):
            self._asked_for_trades.update(fresh)
            return set()
        self._next_trades_secs = now + _FIRST_DELAY_SECS
        return set(fresh)
