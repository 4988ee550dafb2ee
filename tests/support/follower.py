"""Follows one life through the reducer and cries out at the first broken law."""

from collections.abc import Iterable
from decimal import Decimal

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.reducer import reduce, settle
from nautilus_orderfeeds.orders.state import OrderState, evolve, may_follow
from nautilus_orderfeeds.orders.updates import OrderUpdate, VenueStatus
from nautilus_orderfeeds.orders.words import OrderStatus
from tests.support.framework_order import FrameworkOrder
from tests.support.histories import RULES, Life, Mark, Step, Style, final

_S, _V = OrderStatus, VenueStatus
#: When settling happens, UNIX ns: after everything else.
_LATE = 2_000_000_000_000_000_000
_MONEY = ev.OrderFilled | ev.FillOrphaned | ev.OrderAnomaly
_PENDING = {_S.PENDING_CANCEL, _S.PENDING_UPDATE}


class BrokenLaw(AssertionError):
    """A law of the reducer does not hold."""


class Follower:
    """One order as a client sees it: state, journal, and (unless `judge` is False) the framework's own order.

    With `truthful` False nothing is expected of the venue, only of the reducer.
    """

    def __init__(self, life: Life, *, judge: bool = True, truthful: bool = True) -> None:
        self.life = life
        self.truthful = truthful
        self.rules = RULES[life.style]
        self.judge = (
            FrameworkOrder(life.type, life.side, life.quantity, life.price, quote_quantity=life.quote_quantity)
            if judge
            else None
        )
        self.journal: list[ev.OrderEvent] = []
        self.settled_midway = False
        self.told_trades: set[str] = set()
        self.orphans: set[str] = set()
        self.anomalies: list[str] = []
        self.state = self._blank()
        self.command(ev.OrderSubmitted(ts_event=1))

    def _blank(self) -> OrderState:
        life = self.life
        return OrderState(
            client_order_id=life.client_order_id,
            symbol="BTCUSD",
            side=life.side,
            type=life.type,
            quantity=life.quantity,
            price=life.price,
            quote_quantity=life.quote_quantity,
        )

    # -- moving on ---------------------------------------------------------------------------------------------------

    def command(self, event: ev.OrderEvent) -> bool:
        """Fold what a command caused here, if the framework allows it now."""
        if not may_follow(self.state, event) or self.state.is_closed:
            return False
        evolve(self.state, event)
        self._note(event)
        return True

    def follow(self, steps: Iterable[Step]) -> "Follower":
        """Take the steps, then settle until nothing more is told."""
        for step in steps:
            self.step(step)
        self.finish()
        return self

    def step(self, step: Step) -> list[ev.OrderEvent]:
        """Take one step and check what must hold after every one."""
        match step:
            case OrderUpdate():
                events = self._check(reduce(self.state, step, self.rules))
                again = reduce(self.state, step, self.rules)
                if self.truthful and again:
                    raise BrokenLaw(f"law 4: repeating {step} told {again}")
                if any(isinstance(event, _MONEY) for event in self._check(again)):
                    raise BrokenLaw(f"law 3: repeating {step} told {again}")
                return events
            case Mark.SETTLE:
                self.settled_midway = True
                return self._check(settle(self.state, self.rules, _LATE))
            case Mark.RESTART:
                self.restart()
            case Mark.PEND_CANCEL:
                self.command(ev.OrderPendingCancel(ts_event=1))
            case Mark.PEND_UPDATE:
                self.command(ev.OrderPendingUpdate(ts_event=1))
        return []

    def restart(self) -> None:
        """Forget everything but the journal."""
        state = self._blank()
        for event in self.journal:
            evolve(state, event)
        self.state = state

    def finish(self) -> None:
        """Settle; a second time nothing may be told."""
        self._check(settle(self.state, self.rules, _LATE))
        again = settle(self.state, self.rules, _LATE)
        if again:
            raise BrokenLaw(f"law 3: settling twice told {again}")

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def fills(self) -> list[ev.OrderFilled]:
        """Fills told, in order."""
        return [event for event in self.journal if isinstance(event, ev.OrderFilled)]

    @property
    def orphaned(self) -> list[ev.FillOrphaned]:
        """Fills that could not be told."""
        return [event for event in self.journal if isinstance(event, ev.FillOrphaned)]

    def _check(self, events: list[ev.OrderEvent]) -> list[ev.OrderEvent]:
        for event in events:
            self._note(event)
        state, truth = self.state, self.life.last.filled
        if self.truthful and state.filled_qty + state.orphaned_qty > truth:
            raise BrokenLaw(f"law 3: told {state.filled_qty} + orphaned {state.orphaned_qty} of only {truth}")
        return events

    def _note(self, event: ev.OrderEvent) -> None:
        self.journal.append(event)
        if isinstance(event, ev.OrderFilled):
            if event.trade_id in self.told_trades:
                raise BrokenLaw(f"law 3: trade {event.trade_id} told twice")
            self.told_trades.add(event.trade_id)
            if event.last_qty <= 0 or event.last_px <= 0:
                raise BrokenLaw(f"law 2: {event.last_qty} at {event.last_px}")
            if event.cum_qty > self.state.quantity and not self.state.quote_quantity:
                raise BrokenLaw(f"law 1: {event.cum_qty} filled of {self.state.quantity}")
            if not event.trade_id.isascii() or not 0 < len(event.trade_id) <= 36:
                raise BrokenLaw(f"law 7: trade id {event.trade_id!r}")
        elif isinstance(event, ev.FillOrphaned):
            if event.trade_id in self.orphans:
                raise BrokenLaw(f"law 3: orphan {event.trade_id} told twice")
            self.orphans.add(event.trade_id)
        elif isinstance(event, ev.OrderAnomaly):
            if event.what in self.anomalies:
                raise BrokenLaw(f"anomaly repeated: {event.what}")
            self.anomalies.append(event.what)
        if self.judge is not None:
            try:
                self.judge.apply(event)
            except Exception as e:
                raise BrokenLaw(f"law 5: the framework refuses {event}: {e!r}") from e


# -- what must hold in the end -----------------------------------------------------------------------------------------


def check_end(follower: Follower) -> None:
    """Check everything that must hold once the final statement was delivered and settled."""
    life, state = follower.life, follower.state
    truth = life.last
    told = sum((fill.last_qty for fill in follower.fills), ZERO)
    lost = sum((orphan.last_qty for orphan in follower.orphaned), ZERO)
    if told != state.filled_qty or lost != state.orphaned_qty:
        raise BrokenLaw(f"law 1: state says {state.filled_qty} + {state.orphaned_qty}, told {told} + {lost}")
    held = state.counted_qty - state.filled_qty
    if told + lost + held != truth.filled:
        raise BrokenLaw(f"law 2: told {told} + orphaned {lost} + held {held}, but {truth.filled} was filled")
    if lost and not may_orphan(follower):
        raise BrokenLaw(f"law 5: {lost} orphaned without need")
    if follower.anomalies:
        raise BrokenLaw(f"anomaly in a true life: {follower.anomalies}")
    if not lost and state.status not in expected_statuses(follower):
        raise BrokenLaw(f"law 4: ended {state.status}, expected {expected_statuses(follower)}")
    if not state.is_closed and not state.quote_quantity and state.accepted:
        if state.quantity != truth.quantity or (life.price is not None and state.price != truth.price):
            raise BrokenLaw(f"law 6: terms {state.quantity} @ {state.price}, not {truth.quantity} @ {truth.price}")
        if state.leaves_qty != truth.quantity - truth.filled:
            raise BrokenLaw(f"law 1: leaves {state.leaves_qty}")
    if not held:
        _check_money(follower)
    _check_judge(follower)


def check_nothing_new(follower: Follower, updates: Iterable[OrderUpdate]) -> None:
    """Check that a restart and old news tell nothing, once everything was told."""
    if follower.state.held or follower.state.is_unsettled:
        return
    before = (follower.state.status, follower.state.filled_qty, follower.state.quantity, follower.state.price)
    follower.restart()
    if follower.life.amends > 1:
        updates = [final(follower.life), *updates]  # terms that went back and forth are told apart by a resync only
    for update in updates:
        events = reduce(follower.state, update, follower.rules)
        # What was held back or undecided is not journaled, so a trade may turn up again that was counted meanwhile.
        # That a waiting order works now is told when both have been seen, which may have been in different runs.
        if not all(isinstance(event, ev.FillAbsorbed | ev.OrderTriggered) for event in events):
            raise BrokenLaw(f"law 3: after a restart {update} told {events}")
    events = settle(follower.state, follower.rules, _LATE)
    if not all(isinstance(event, ev.FillAbsorbed) for event in events):
        raise BrokenLaw(f"law 3: after a restart and old news, settling told {events}")
    if follower.state.status is _S.TRIGGERED:
        return
    after = (follower.state.status, follower.state.filled_qty, follower.state.quantity, follower.state.price)
    if before != after:
        raise BrokenLaw(f"law 4: a restart makes {after} of {before}")


def may_orphan(follower: Follower) -> bool:
    """Whether this life, told in this way, leaves fills that the framework's order cannot take."""
    life = follower.life
    if life.fills_after_final_end or (life.quote_quantity and life.fills_after_end):
        return True
    return may_close_early(follower) or (follower.settled_midway and life.quote_quantity)


def may_close_early(follower: Follower) -> bool:
    """Whether a fill may fill the order by terms that had changed: settled too early, or nobody knew of a request."""
    life = follower.life
    return life.grows and (follower.settled_midway or life.amends > 1)


def expected_statuses(follower: Follower) -> set[OrderStatus]:
    """Return the statuses in which the framework's order may end."""
    life, state = follower.life, follower.state
    truth = life.last
    if life.quote_quantity and truth.filled and truth.status in (_V.FILLED, _V.CANCELED, _V.EXPIRED):
        return {_S.FILLED}
    early = {_S.FILLED} if may_close_early(follower) else set()
    match truth.status:
        case _V.FILLED:
            return {_S.FILLED, _S.CANCELED} if life.shrinks else {_S.FILLED}
        case _V.CANCELED:
            return {_S.CANCELED} | early
        case _V.EXPIRED:
            return {_S.EXPIRED, _S.FILLED} if life.fills_after_final_end else {_S.EXPIRED} | early
        case _V.REJECTED if life.never_live or life.rejects_live:
            return {_S.REJECTED}
        case _V.REJECTED:
            return {_S.REJECTED, _S.CANCELED}
        case _V.PENDING:
            return {_S.SUBMITTED} | _PENDING
        case _ if state.filled_qty:
            return {_S.PARTIALLY_FILLED} | _PENDING | early
        case _:
            return {_S.ACCEPTED, _S.TRIGGERED} | _PENDING


def money_is_told(life: Life) -> bool:
    """Whether the venue says enough for the notional to be known whatever is lost."""
    return life.style in (Style.BSX, Style.SFOX, Style.ROXOM)


def _check_money(follower: Follower) -> None:
    life, truth = follower.life, follower.life.last
    fills, orphans = follower.fills, follower.orphaned
    inferred = sum((fill.last_qty for fill in fills if fill.inferred), ZERO)
    exact = not inferred and not any(isinstance(e, ev.FillAbsorbed) for e in follower.journal)
    notional = sum((x.last_qty * x.last_px for x in (*fills, *orphans)), ZERO)
    off = abs(notional - truth.notional)
    if exact and not orphans and off:
        raise BrokenLaw(f"law 2: notional {notional}, not {truth.notional}, though every fill is a true trade")
    if money_is_told(life):
        # The venue's rounding of the average, and half a tick on what was inferred last.
        slack = truth.filled * Decimal(1).scaleb(-min(life.rounded_to, 6)) + truth.filled * Decimal("0.005")
        if off > slack:
            raise BrokenLaw(f"law 2: notional {notional}, not {truth.notional}: off by {off}, allowed {slack}")
        if life.tells_fees:
            fees = sum((x.commission for x in (*fills, *orphans)), ZERO)
            if abs(fees - truth.fees) > Decimal("1e-15"):
                raise BrokenLaw(f"law 8: commission {fees}, not {truth.fees}")


def _check_judge(follower: Follower) -> None:
    judge, state = follower.judge, follower.state
    if judge is None:
        return
    if judge.status is not state.status:
        raise BrokenLaw(f"law 5: the framework has {judge.status}, we have {state.status}")
    if judge.filled_qty != state.filled_qty or judge.quantity != state.quantity:
        raise BrokenLaw(f"law 5: {judge.filled_qty} of {judge.quantity}, not {state.filled_qty} of {state.quantity}")
    if judge.leaves_qty != judge.quantity - judge.filled_qty:
        raise BrokenLaw(f"law 1: the framework leaves {judge.leaves_qty}")
    if state.avg_px is not None and abs(Decimal(judge.order.avg_px) - state.avg_px) > Decimal("1e-6"):
        raise BrokenLaw(f"law 2: the framework's average is {judge.order.avg_px}, ours {state.avg_px}")
