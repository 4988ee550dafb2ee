"""What is known of one order: what was told to the strategy, and what the venue last said.

Two halves. The *told* half changes only by `evolve`, one event at a time, so folding the journal's events
restores it after a restart. The *known* half (what the venue claims, not yet told) is learnt anew from the
next snapshot, so it needs no journal; but what was told was known, so `evolve` restores that much of it too:
otherwise old news after a restart would pass for new.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, unique
from typing import Any, Final

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.coverage import Coverage
from nautilus_orderfeeds.orders.decimals import EXACT, ZERO, exact_sum
from nautilus_orderfeeds.orders.known import End, Known
from nautilus_orderfeeds.orders.told_money import ToldMoney
from nautilus_orderfeeds.orders.transitions import PENDING_STATUSES, TRANSITIONS, Trigger, after
from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import CLOSED_STATUSES, OrderSide, OrderStatus, OrderType

#: Sums of events are exact whatever the caller's context.
_fma = EXACT.fma


class IllegalTransition(Exception):
    """Our own error: an event was about to be emitted that the framework would refuse."""


@unique
class Placement(Enum):
    """Where an order is."""

    VENUE = "VENUE"  # or not sent yet: the usual case
    HELD = "HELD"  # here, under an id of ours; the venue does not know it
    RELEASED = "RELEASED"  # written to the venue, which has not named it yet


@dataclass(slots=True, kw_only=True)
class OrderState:
    """One order.

    Parameters
    ----------
    client_order_id, symbol : str
        Identity.
    side, type : OrderSide, OrderType
        Terms that never change.
    quantity : Decimal
        Order total, base units (quote units while `quote_quantity`).
    price, trigger_price : Decimal, optional
        Present terms.
    quote_quantity : bool
        Not yet restated in base units.
    status, before_request : OrderStatus
        As the framework has it.
    venue_order_id : str, optional
        The venue's present id; of an order not at the venue yet, ours.
    placement : Placement
        Where the order is.
    accepted, triggered : bool
        Whether the order was ever told to be live, and to be triggered.
    amending : bool
        The strategy asked for a change, and neither the change nor a refusal has been told.
    filled_qty : Decimal
        Sum over the fills told.
    money : ToldMoney
        What they cost (`notional`, `fees`).
    trades : dict[str, Decimal]
        Trade ids that need no further attention, with the quantity each stands for.
    coverage : Coverage
        Which stretches of the cumulative quantity are told, and which of them only by inference.
    held : list[OrderFilled]
        Fills of an order in quote units, held back until it ends and can be restated in base units.
    orphaned_qty, orphaned_notional, orphaned_fees : Decimal
        Filled at the venue, but impossible to tell the framework's order.
    cancel_rejects : set[str]
        Keys of the refused cancels already told.
    anomalies : set[str]
        Anomalies already told.
    known : Known
        The venue's claims.
    is_calm : bool
        Known to be calm (`usual.is_calm`), so that it need not be asked for every fill. Whatever may end that takes
        it back: an event (`try_evolve`) and any statement but a usual one (`reduce_unusual`, `settle`).
    """

    client_order_id: str
    symbol: str
    side: OrderSide
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    quote_quantity: bool = False
    status: OrderStatus = OrderStatus.INITIALIZED
    before_request: OrderStatus = OrderStatus.INITIALIZED
    venue_order_id: str | None = None
    placement: Placement = Placement.VENUE
    accepted: bool = False
    triggered: bool = False
    amending: bool = False
    filled_qty: Decimal = ZERO
    money: ToldMoney = field(default_factory=ToldMoney)
    trades: dict[str, Decimal] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    held: list[ev.OrderFilled] = field(default_factory=list)
    orphaned_qty: Decimal = ZERO
    orphaned_notional: Decimal = ZERO
    orphaned_fees: Decimal = ZERO
    cancel_rejects: set[str] = field(default_factory=set)
    anomalies: set[str] = field(default_factory=set)
    known: Known = field(default_factory=Known)
    ts_last: int = 0
    is_calm: bool = field(default=False, repr=False, compare=False)

    @property
    def leaves_qty(self) -> Decimal:
        """Base units still open; zero once closed."""
        return ZERO if self.is_closed else self.quantity - self.filled_qty

    @property
    def notional(self) -> Decimal:
        """Notional of the fills told, quote units."""
        return self.money.notional

    @property
    def fees(self) -> Decimal:
        """Commission of the fills told."""
        return self.money.fees

    @property
    def avg_px(self) -> Decimal | None:
        """Average price of the fills told, quote per base unit."""
        return self.notional / self.filled_qty if self.filled_qty else None

    @property
    def counted_qty(self) -> Decimal:
        """Base units told or held back."""
        return sum((fill.last_qty for fill in self.held), self.filled_qty) if self.held else self.filled_qty

    @property
    def counted_fees(self) -> Decimal:
        """Commission of the fills told or held back."""
        return sum((fill.commission for fill in self.held), self.fees) if self.held else self.fees

    @property
    def counted_notional(self) -> Decimal:
        """Notional of the fills told or held back, quote units."""
        return sum((fill.last_qty * fill.last_px for fill in self.held), self.notional) if self.held else self.notional

    @property
    def is_named(self) -> bool:
        """Whether the venue's own id is known."""
        return self.venue_order_id is not None and self.placement is Placement.VENUE

    @property
    def is_closed(self) -> bool:
        """Whether the framework considers the order ended."""
        return self.status in CLOSED_STATUSES

    @property
    def unexplained_qty(self) -> Decimal:
        """Filled quantity the venue claims and no trade told of it yet explains, base units."""
        missing = self.known.filled_qty - self.filled_qty
        if missing:  # what is held back or orphaned is part of what the venue claims
            missing -= self.counted_qty - self.filled_qty + self.orphaned_qty
        return missing

    @property
    def is_unsettled(self) -> bool:
        """Whether the venue has said more than could be told: a gap in the fills, or an end waiting for it."""
        known = self.known
        if known.undecided or (known.end is not None and self.status not in CLOSED_STATUSES):
            return True
        return known.filled_qty > self.filled_qty and self.unexplained_qty > ZERO


# Bound once: Python looks an enum's member up anew at every use.
_FILL: Final = Trigger.FILL
_PARTIAL_FILL: Final = Trigger.PARTIAL_FILL

#: What an event does to the status; other events are bookkeeping. A fill is one of two, so it is not here.
_TRIGGERS: Final[dict[type[ev.OrderEvent], Trigger]] = {
    ev.OrderDenied: Trigger.DENY,
    ev.OrderSubmitted: Trigger.SUBMIT,
    ev.OrderAccepted: Trigger.ACCEPT,
    ev.OrderRejected: Trigger.REJECT,
    ev.OrderTriggered: Trigger.TRIGGER,
    ev.OrderPendingUpdate: Trigger.PEND_UPDATE,
    ev.OrderPendingCancel: Trigger.PEND_CANCEL,
    ev.OrderUpdated: Trigger.UPDATE,
    ev.OrderModifyRejected: Trigger.REFUSE_UPDATE,
    ev.OrderCancelRejected: Trigger.REFUSE_CANCEL,
    ev.OrderCanceled: Trigger.CANCEL,
    ev.OrderExpired: Trigger.EXPIRE,
}


def trigger_of(event: ev.OrderEvent, quantity: Decimal) -> Trigger | None:
    """Return what `event` does to the status of an order of `quantity`; None for bookkeeping that leaves it alone."""
    if type(event) is ev.OrderFilled:
        return _FILL if event.cum_qty >= quantity else _PARTIAL_FILL
    return _TRIGGERS.get(type(event))


def may_follow(state: OrderState, event: ev.OrderEvent) -> bool:
    """Return whether the framework would accept `event` now."""
    trigger = trigger_of(event, state.quantity)
    return trigger is None or after(state.status, state.before_request, trigger) is not None


def evolve(state: OrderState, event: ev.OrderEvent) -> None:
    """Fold one event into `state`.

    Raises
    ------
    IllegalTransition
        If the framework's state machine would refuse the event: a bug of this package.
    """
    if not try_evolve(state, event):
        raise IllegalTransition(
            f"order {state.client_order_id}: {type(event).__name__} may not follow {state.status.name}",
        )


def try_evolve(state: OrderState, event: ev.OrderEvent) -> bool:
    """Fold one event into `state` if the framework would accept it; return whether it would."""
    state.is_calm = False
    kind = type(event)
    trigger = trigger_of(event, state.quantity) if kind is ev.OrderFilled else _TRIGGERS.get(kind)
    if trigger is not None:
        before = state.status
        status = TRANSITIONS[before].get(trigger) or after(before, state.before_request, trigger)
        if status is None:
            return False
        if before not in PENDING_STATUSES:
            state.before_request = before
        state.status = status
    if event.ts_event > state.ts_last:
        state.ts_last = event.ts_event
    fold = _FOLDS.get(kind)
    if fold is not None:
        fold(state, event)
    return True


def fold_next(state: OrderState, event: ev.OrderFilled, status: OrderStatus) -> None:
    """Fold a fill that begins where the told ones end, as `try_evolve` does.

    Parameters
    ----------
    state : OrderState
        The order, all of whose fills have their place and leave no gap; changed in place.
    event : OrderFilled
        Under the order's own venue order id, and with its place (`ends_at`).
    status : OrderStatus
        Where it leads by the table of transitions.
    """
    before = state.status
    if before not in PENDING_STATUSES:
        state.before_request = before
    state.status = status
    if event.ts_event > state.ts_last:
        state.ts_last = event.ts_event
    state.accepted = True
    cum_qty, qty, known = event.cum_qty, event.last_qty, state.known
    state.filled_qty = state.coverage.prefix = cum_qty
    state.money.unsummed.append((qty, event.last_px, event.commission))
    state.trades[event.trade_id] = qty
    proved = exact_sum(cum_qty, state.orphaned_qty) if state.orphaned_qty else cum_qty
    if proved > known.filled_qty:
        known.witness(proved)


def _fold_filled(state: OrderState, event: ev.OrderFilled) -> None:
    state.venue_order_id = event.venue_order_id
    state.accepted = True
    state.filled_qty = event.cum_qty
    state.money.unsummed.append((event.last_qty, event.last_px, event.commission))
    _account_for(state, event)


def _fold_orphaned(state: OrderState, event: ev.FillOrphaned) -> None:
    state.orphaned_qty = exact_sum(state.orphaned_qty, event.last_qty)
    state.orphaned_notional = _fma(event.last_qty, event.last_px, state.orphaned_notional)
    state.orphaned_fees = exact_sum(state.orphaned_fees, event.commission)
    _account_for(state, event)


def _account_for(state: OrderState, fill: ev.OrderFilled | ev.FillOrphaned) -> None:
    """Note which trade `fill` is and which part of the cumulative quantity it stands for."""
    state.trades[fill.trade_id] = fill.last_qty
    state.coverage.count(fill)
    proved, orphaned = state.filled_qty, state.orphaned_qty
    if orphaned:
        proved = exact_sum(proved, orphaned)
    if proved > state.known.filled_qty:
        state.known.witness(proved)


def _fold_absorbed(state: OrderState, event: ev.FillAbsorbed) -> None:
    state.trades[event.trade_id] = event.qty
    state.coverage.explain(event)


def _fold_accepted(state: OrderState, event: ev.OrderAccepted) -> None:
    state.venue_order_id = event.venue_order_id
    state.accepted = True
    if event.waiting:
        state.known.waiting = True
    if event.held:
        state.placement = Placement.HELD


def _fold_released(state: OrderState, _event: ev.OrderReleased) -> None:
    state.placement = Placement.RELEASED


_ENDS: Final[dict[type[ev.OrderEvent], VenueStatus]] = {
    ev.OrderCanceled: VenueStatus.CANCELED,
    ev.OrderExpired: VenueStatus.EXPIRED,
    ev.OrderRejected: VenueStatus.REJECTED,
}


def _fold_end(state: OrderState, event: ev.OrderCanceled | ev.OrderExpired | ev.OrderRejected) -> None:
    if state.known.end is None:
        state.known.end = End(status=_ENDS[type(event)], reason=event.reason, ts_event=event.ts_event)


def _fold_updated(state: OrderState, event: ev.OrderUpdated) -> None:
    state.venue_order_id = event.venue_order_id
    state.quantity = event.quantity
    state.quote_quantity = state.quote_quantity and not event.restated
    state.amending = False
    if event.replaced:
        state.placement = Placement.VENUE
    if event.price is not None:
        state.price = event.price
    if event.trigger_price is not None:
        state.trigger_price = event.trigger_price
    if event.as_of is not None:
        known = state.known
        known.stated_qty, known.version, known.ts_event = event.as_of


def _fold_triggered(state: OrderState, _event: ev.OrderTriggered) -> None:
    state.triggered = True


def _fold_pending_update(state: OrderState, _event: ev.OrderPendingUpdate) -> None:
    state.amending = True


def _fold_modify_rejected(state: OrderState, _event: ev.OrderModifyRejected) -> None:
    state.amending = False


def _fold_cancel_rejected(state: OrderState, event: ev.OrderCancelRejected) -> None:
    state.cancel_rejects.add(event.key)


def _fold_anomaly(state: OrderState, event: ev.OrderAnomaly) -> None:
    state.anomalies.add(event.what)


#: What an event changes besides the status; the others change nothing else.
_FOLDS: Final[dict[type[ev.OrderEvent], Callable[[OrderState, Any], None]]] = {
    ev.OrderFilled: _fold_filled,
    ev.FillOrphaned: _fold_orphaned,
    ev.FillAbsorbed: _fold_absorbed,
    ev.OrderAccepted: _fold_accepted,
    ev.OrderReleased: _fold_released,
    ev.OrderUpdated: _fold_updated,
    ev.OrderTriggered: _fold_triggered,
    ev.OrderPendingUpdate: _fold_pending_update,
    ev.OrderModifyRejected: _fold_modify_rejected,
    ev.OrderCancelRejected: _fold_cancel_rejected,
    ev.OrderCanceled: _fold_end,
    ev.OrderExpired: _fold_end,
    ev.OrderRejected: _fold_end,
    ev.OrderAnomaly: _fold_anomaly,
}
