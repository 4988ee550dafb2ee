"""What is known of one order: what was told to the strategy, and what the venue last said.

Two halves. The *told* half changes only by `evolve`, one event at a time, so folding the journal's events
restores it after a restart. The *known* half (what the venue claims, not yet told) is learnt anew from the
next snapshot, so it needs no journal.
"""

from decimal import Decimal

from msgspec import Struct, field

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.coverage import Coverage
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.transitions import PENDING_STATUSES, Trigger, after
from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import CLOSED_STATUSES, OrderSide, OrderStatus, OrderType


class IllegalTransition(Exception):
    """Our own error: an event was about to be emitted that the framework would refuse."""


class End(Struct, frozen=True):
    """How the venue says the order ended."""

    status: VenueStatus
    reason: str = ""
    due_post_only: bool = False
    rejects_live: bool = False
    ts_event: int = 0


class Known(Struct):
    """What the venue claims (highest knowledge wins). Quantities in base units, notional and fees in quote."""

    filled_qty: Decimal = ZERO
    #: Notional and fees over exactly `filled_qty`; None if the venue does not say.
    notional: Decimal | None = None
    avg_places: int = 0
    last_px: Decimal | None = None
    fees: Decimal | None = None
    fees_currency: str | None = None
    end: End | None = None
    waiting: bool = False
    version: int = 0
    ts_event: int = 0


class OrderState(Struct, kw_only=True):
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
        The venue's present id.
    accepted : bool
        Whether the order was ever told to be live.
    filled_qty, notional, fees : Decimal
        Sums over the fills told.
    trades : dict[str, Decimal]
        Trade ids that need no further attention, with the quantity each stands for.
    coverage : Coverage
        Which stretches of the cumulative quantity are told, and which of them only by inference.
    held : list[OrderFilled]
        Fills of an order in quote units, held back until it ends and can be restated in base units.
    orphaned_qty : Decimal
        Filled at the venue, but impossible to tell the framework's order.
    cancel_rejects : set[str]
        Keys of the refused cancels already told.
    known : Known
        The venue's claims.
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
    accepted: bool = False
    filled_qty: Decimal = ZERO
    notional: Decimal = ZERO
    fees: Decimal = ZERO
    trades: dict[str, Decimal] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    held: list[ev.OrderFilled] = field(default_factory=list)
    orphaned_qty: Decimal = ZERO
    cancel_rejects: set[str] = field(default_factory=set)
    known: Known = field(default_factory=Known)
    ts_last: int = 0

    @property
    def leaves_qty(self) -> Decimal:
        """Base units still open; zero once closed."""
        return ZERO if self.is_closed else self.quantity - self.filled_qty

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
        return sum((fill.commission for fill in self.held), self.fees)

    @property
    def counted_notional(self) -> Decimal:
        """Notional of the fills told or held back, quote units."""
        return sum((fill.last_qty * fill.last_px for fill in self.held), self.notional)

    @property
    def is_closed(self) -> bool:
        """Whether the framework considers the order ended."""
        return self.status in CLOSED_STATUSES

    @property
    def unexplained_qty(self) -> Decimal:
        """Filled quantity the venue claims and no trade told of it yet explains, base units."""
        gap = self.known.filled_qty - self.counted_qty - self.orphaned_qty
        return gap if gap > 0 else ZERO

    @property
    def is_unsettled(self) -> bool:
        """Whether the venue has said more than could be told: a gap in the fills, or an end waiting for it."""
        return self.unexplained_qty > 0 or (self.known.end is not None and not self.is_closed)


def _trigger_of(state: OrderState, event: ev.OrderEvent) -> Trigger | None:
    """Return what `event` does to the status; None for bookkeeping that leaves it alone."""
    match event:
        case ev.OrderFilled():
            return Trigger.FILL if event.cum_qty >= state.quantity else Trigger.PARTIAL_FILL
        case ev.OrderAccepted():
            return Trigger.ACCEPT
        case ev.OrderCanceled():
            return Trigger.CANCEL
        case ev.OrderSubmitted():
            return Trigger.SUBMIT
        case ev.OrderPendingCancel():
            return Trigger.PEND_CANCEL
        case ev.OrderPendingUpdate():
            return Trigger.PEND_UPDATE
        case ev.OrderUpdated():
            return Trigger.UPDATE
        case ev.OrderRejected():
            return Trigger.REJECT
        case ev.OrderExpired():
            return Trigger.EXPIRE
        case ev.OrderTriggered():
            return Trigger.TRIGGER
        case ev.OrderCancelRejected():
            return Trigger.REFUSE_CANCEL
        case ev.OrderModifyRejected():
            return Trigger.REFUSE_UPDATE
        case ev.OrderDenied():
            return Trigger.DENY
        case _:
            return None


def may_follow(state: OrderState, event: ev.OrderEvent) -> bool:
    """Return whether the framework would accept `event` now."""
    trigger = _trigger_of(state, event)
    return trigger is None or after(state.status, state.before_request, trigger) is not None


def evolve(state: OrderState, event: ev.OrderEvent) -> None:
    """Fold one event into `state`.

    Raises
    ------
    IllegalTransition
        If the framework's state machine would refuse the event: a bug of this package.
    """
    trigger = _trigger_of(state, event)
    if trigger is not None:
        before = state.status
        status = after(before, state.before_request, trigger)
        if status is None:
            raise IllegalTransition(
                f"order {state.client_order_id}: {type(event).__name__} may not follow {before.name}",
            )
        if before not in PENDING_STATUSES:
            state.before_request = before
        state.status = status
    if event.ts_event > state.ts_last:
        state.ts_last = event.ts_event
    match event:
        case ev.OrderFilled():
            state.venue_order_id = event.venue_order_id
            state.accepted = True
            state.filled_qty = event.cum_qty
            state.notional += event.last_qty * event.last_px
            state.fees += event.commission
            state.trades[event.trade_id] = event.last_qty
            if event.inferred:
                state.coverage.infer(event.last_qty, event.gaps)
            else:
                state.coverage.add(event.last_qty, event.ends_at)
        case ev.OrderAccepted():
            state.venue_order_id = event.venue_order_id
            state.accepted = True
        case ev.OrderUpdated():
            state.venue_order_id = event.venue_order_id
            state.quantity = event.quantity
            state.quote_quantity = state.quote_quantity and not event.restated
            if event.price is not None:
                state.price = event.price
            if event.trigger_price is not None:
                state.trigger_price = event.trigger_price
        case ev.FillAbsorbed():
            state.trades[event.trade_id] = event.qty
            state.coverage.explain(event.qty, event.stretch)
        case ev.FillOrphaned():
            state.trades[event.trade_id] = event.last_qty
            state.orphaned_qty += event.last_qty
        case _:
            return


def hold(state: OrderState, fill: ev.OrderFilled) -> None:
    """Hold `fill` back until the order can be restated in base units (it is told then, so it is not journaled now)."""
    state.held.append(fill)
    state.trades[fill.trade_id] = fill.last_qty
    if fill.inferred:
        state.coverage.infer(fill.last_qty, fill.gaps)
    else:
        state.coverage.add(fill.last_qty, fill.ends_at)
    known = state.known
    if state.counted_qty > known.filled_qty:
        known.filled_qty, known.notional, known.fees = state.counted_qty, None, None
