"""One order's life in numbers: where it stands, how it ended, and how long each step took.

An `OrderLifecycle` is fed with the events of `events.py`, each with the time it was recorded (UNIX ns of the client's
own clock, so that every duration is a difference of one clock). It is the same whether the events come from the
journal or live. All orders of an account or a node are kept in a `LifecycleTracker` (`lifecycle_tracker.py`).

The vocabulary is that of the order manager on Roxom's page (section "JavaScript Order Manager": active and completed
orders, notifications of rejected and completed ones), for every venue: its `partiallyfilledcancelled` is an `Ending`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import unique
from typing import Any, Final

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import EXACT, ZERO, exact_sum
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.state import trigger_of
from nautilus_orderfeeds.orders.transitions import PENDING_STATUSES, after
from nautilus_orderfeeds.orders.words import CLOSED_STATUSES, OrderSide, OrderStatus, OrderType, TimeInForce, Word

_S = OrderStatus
_HUNDRED: Final = Decimal(100)


@unique
class Phase(Word):
    """Where an order stands, as far as is known."""

    PENDING = "PENDING"
    """Not sent yet."""
    IN_FLIGHT = "IN_FLIGHT"
    """Sent, and the venue has not said what became of it: it may be live, refused or lost. The outcome is unknown."""
    ACTIVE = "ACTIVE"
    """Known to be live: at the venue, or held here until its turn comes."""
    COMPLETED = "COMPLETED"
    """Over; `OrderLifecycle.ending` says how."""


@unique
class Ending(Word):
    """How an order ended."""

    FILLED = "FILLED"
    CANCELED = "CANCELED"
    PARTIALLY_FILLED_CANCELED = "PARTIALLY_FILLED_CANCELED"
    """Canceled after a part was filled."""
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    DENIED = "DENIED"
    """Not sent: the venue cannot do it."""


#: Endings that are nobody's wish: the order never worked, or was thrown out.
REFUSALS: Final = frozenset({Ending.REJECTED, Ending.DENIED})


@unique
class Move(Word):
    """What changed in an order's life: every event is at least one. The first four are made at most once each."""

    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    """First proof that it lives: an accept, or a fill."""
    TRIGGERED = "TRIGGERED"
    FIRST_FILL = "FIRST_FILL"
    FILL = "FILL"
    """A further fill."""
    COMPLETED = "COMPLETED"
    """It is over, and was taken by the venue before: filled, canceled or expired."""
    REJECTED = "REJECTED"
    """It is over: refused by the venue, or denied here."""
    REOPENED = "REOPENED"
    """A late fill came after its cancel; the end will be told again."""
    CHANGED = "CHANGED"
    """Something else was told of it: a request, its refusal, new terms."""


#: When an order was submitted, accepted, triggered, first filled and completed, UNIX ns, 0 for not; fills and events so
#: far. The difference of two such is a move.
_Marks = tuple[int, int, int, int, int, int, int]
_NOTHING: Final[_Marks] = (0, 0, 0, 0, 0, 0, 0)
_FIRSTS: Final = (Move.SUBMITTED, Move.ACCEPTED, Move.TRIGGERED, Move.FIRST_FILL)


@dataclass(slots=True, kw_only=True)
class OrderLifecycle:
    """One order's life in numbers. All times are UNIX ns of the client's clock, 0 for what has not happened.

    Parameters
    ----------
    client_order_id, symbol, venue, strategy_id : str
        Identity; `venue` is the framework's (``"BSX"``).
    venue_order_id : str, optional
        The venue's (last) id.
    side, type, time_in_force : OrderSide, OrderType, TimeInForce
        Terms that never change.
    quantity, price : Decimal, Decimal or None
        Present terms: order total in base units, quote per base.
    external : bool
        Not entered through this client.
    status, before_request : OrderStatus
        As the framework has it; the last one that was not pending.
    filled_qty, notional, orphaned_qty : Decimal
        Base units, quote units, and base units filled that the framework's order could not take.
    fills, inferred_fills, events : int
        Fills told, those of them made from the venue's totals, and all events noted (which is how new this is).
    refused_events : int
        Events the transition table has no place for: they changed nothing.
    created_ns, submitted_ns, accepted_ns, triggered_ns, first_fill_ns, last_fill_ns, completed_ns, last_ns : int
        When it was first recorded, sent, first proved to live, triggered, filled for the first and the last time, over,
        and when anything was last told of it.
    cancel_requested_ns : int
        When the cancel was asked for that is not answered yet; 0 if there is none.
    cancel_latency_ns : int, optional
        From asking to the cancel, of the cancel that ended it; None if it did not end so.
    released : bool
        It was held here and is now being sent; the venue has not named it yet.
    reason : str
        Of the last refusal or end, as the venue put it.
    """

    client_order_id: str
    symbol: str
    side: OrderSide
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    created_ns: int
    price: Decimal | None = None
    venue: str = ""
    strategy_id: str = ""
    external: bool = False
    venue_order_id: str | None = None
    status: OrderStatus = _S.INITIALIZED
    before_request: OrderStatus = _S.INITIALIZED
    filled_qty: Decimal = ZERO
    notional: Decimal = ZERO
    orphaned_qty: Decimal = ZERO
    fills: int = 0
    inferred_fills: int = 0
    events: int = 0
    refused_events: int = 0
    submitted_ns: int = 0
    accepted_ns: int = 0
    triggered_ns: int = 0
    first_fill_ns: int = 0
    last_fill_ns: int = 0
    completed_ns: int = 0
    last_ns: int = 0
    cancel_requested_ns: int = 0
    cancel_latency_ns: int | None = None
    released: bool = False
    reason: str = ""

    @classmethod
    def of(
        cls,
        terms: NewOrder,
        created_ns: int,
        *,
        venue: str = "",
        external: bool = False,
        venue_order_id: str | None = None,
    ) -> "OrderLifecycle":
        """Return the life of an order of which nothing has been told yet."""
        return cls(
            client_order_id=terms.client_order_id,
            symbol=terms.symbol,
            side=terms.side,
            type=terms.type,
            time_in_force=terms.time_in_force,
            quantity=terms.quantity,
            price=terms.price,
            created_ns=created_ns,
            last_ns=created_ns,
            venue=venue,
            strategy_id=terms.strategy_id,
            external=external,
            venue_order_id=venue_order_id,
        )

    # -- where it stands -------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """Where it stands. A request in flight (a cancel, a change) leaves a live order ACTIVE."""
        if self.status in CLOSED_STATUSES:
            return Phase.COMPLETED
        if self.status is _S.INITIALIZED:
            return Phase.PENDING
        return Phase.IN_FLIGHT if self.released or not self.accepted_ns else Phase.ACTIVE

    @property
    def is_completed(self) -> bool:
        """Whether it is over, however it ended."""
        return self.status in CLOSED_STATUSES

    @property
    def ending(self) -> Ending | None:
        """How it ended; None while it has not."""
        match self.status:
            case _S.FILLED:
                return Ending.FILLED
            case _S.CANCELED:
                return Ending.PARTIALLY_FILLED_CANCELED if self.filled_qty else Ending.CANCELED
            case _S.EXPIRED:
                return Ending.EXPIRED
            case _S.REJECTED:
                return Ending.REJECTED
            case _S.DENIED:
                return Ending.DENIED
            case _:
                return None

    @property
    def leaves_qty(self) -> Decimal:
        """Base units still open; zero once it is over."""
        return ZERO if self.is_completed else EXACT.subtract(self.quantity, self.filled_qty)

    @property
    def fill_ratio(self) -> Decimal:
        """Filled part of the quantity, 0 to 1 (60 significant digits)."""
        return EXACT.divide(self.filled_qty, self.quantity) if self.quantity else ZERO

    @property
    def fill_percent(self) -> Decimal:
        """Filled part of the quantity, 0 to 100 (60 significant digits)."""
        return EXACT.divide(EXACT.multiply(self.filled_qty, _HUNDRED), self.quantity) if self.quantity else ZERO

    @property
    def avg_px(self) -> Decimal | None:
        """Average price of the fills told, quote per base unit; None before the first."""
        return EXACT.divide(self.notional, self.filled_qty) if self.filled_qty else None

    # -- how long it took ------------------------------------------------------------------------------------------

    @property
    def time_to_accept_ns(self) -> int | None:
        """From submitting to the first proof that it lives, ns; None if that did not come."""
        return self._since_submitted(self.accepted_ns)

    @property
    def time_to_first_fill_ns(self) -> int | None:
        """From submitting to the first fill told, ns; None if there is none."""
        return self._since_submitted(self.first_fill_ns)

    @property
    def duration_ns(self) -> int | None:
        """From the first record to the end, ns; None while it is not over."""
        return self.completed_ns - self.created_ns if self.completed_ns else None

    def age_ns(self, now_ns: int) -> int:
        """Return how long it has lived by now, ns; its duration once it is over."""
        return (self.completed_ns or now_ns) - self.created_ns

    def _since_submitted(self, moment_ns: int) -> int | None:
        return moment_ns - (self.submitted_ns or self.created_ns) if moment_ns else None

    # -- moving on -------------------------------------------------------------------------------------------------

    def note(self, event: ev.OrderEvent, recorded_ns: int) -> tuple[Move, ...]:
        """Take in one event.

        Parameters
        ----------
        event : OrderEvent
            What was told.
        recorded_ns : int
            When, UNIX ns of the client's clock.

        Returns
        -------
        tuple[Move, ...]
            What changed in the order's life; at least one.
        """
        before = self._marks()
        self.events += 1
        self.last_ns = recorded_ns
        trigger = trigger_of(event, self.quantity)
        if trigger is not None:
            status = after(self.status, self.before_request, trigger)
            if status is None:  # the engine had guessed an end, say; the orphaned fills tell of it
                self.refused_events += 1
                return (Move.CHANGED,)
            if self.status not in PENDING_STATUSES:
                self.before_request = self.status
            self.status = status
        fold = _FOLDS.get(type(event))
        if fold is not None:
            fold(self, event, recorded_ns)
        if self.status not in CLOSED_STATUSES:
            self.completed_ns = 0
        elif not self.completed_ns:
            self.completed_ns = recorded_ns
        return self._moves_from(before)

    def moves_since(self, earlier: "OrderLifecycle | None") -> tuple[Move, ...]:
        """Return what changed since an earlier state of the same order; None: since nothing was known of it."""
        return self._moves_from(_NOTHING if earlier is None else earlier._marks())

    def _marks(self) -> _Marks:
        return (
            self.submitted_ns,
            self.accepted_ns,
            self.triggered_ns,
            self.first_fill_ns,
            self.completed_ns,
            self.fills,
            self.events,
        )

    def _moves_from(self, before: _Marks) -> tuple[Move, ...]:
        now = self._marks()
        if now == before:
            return ()
        moves = [move for move, was, is_ in zip(_FIRSTS, before, now, strict=False) if is_ and not was]
        *_, was_over, fills_before, _ = before
        if 0 < fills_before < self.fills:
            moves.append(Move.FILL)
        if was_over and not self.completed_ns:
            moves.append(Move.REOPENED)
        elif was_over != self.completed_ns:
            moves.append(Move.REJECTED if self.ending in REFUSALS else Move.COMPLETED)
        return tuple(moves) or (Move.CHANGED,)


def _submitted(life: OrderLifecycle, _event: ev.OrderSubmitted, now_ns: int) -> None:
    life.submitted_ns = life.submitted_ns or now_ns


def _accepted(life: OrderLifecycle, event: ev.OrderAccepted, now_ns: int) -> None:
    if life.accepted_ns:
        life.cancel_requested_ns = 0  # told again, it is the refusal of a cancel
    life.accepted_ns = life.accepted_ns or now_ns
    life.venue_order_id = event.venue_order_id


def _released(life: OrderLifecycle, _event: ev.OrderReleased, _now_ns: int) -> None:
    life.released = True


def _triggered(life: OrderLifecycle, _event: ev.OrderTriggered, now_ns: int) -> None:
    life.triggered_ns = life.triggered_ns or now_ns


def _updated(life: OrderLifecycle, event: ev.OrderUpdated, _now_ns: int) -> None:
    life.quantity = event.quantity
    life.price = life.price if event.price is None else event.price
    life.venue_order_id = event.venue_order_id
    life.released = life.released and not event.replaced


def _filled(life: OrderLifecycle, event: ev.OrderFilled, now_ns: int) -> None:
    life.fills += 1
    life.inferred_fills += event.inferred
    life.filled_qty = event.cum_qty
    life.notional = EXACT.fma(event.last_qty, event.last_px, life.notional)
    life.venue_order_id = event.venue_order_id
    life.accepted_ns = life.accepted_ns or now_ns
    life.first_fill_ns = life.first_fill_ns or now_ns
    life.last_fill_ns = now_ns
    life.released = False
    life.cancel_latency_ns = None  # if it was canceled before, that was not its end
    if life.status is _S.FILLED:
        life.cancel_requested_ns = 0
        life.reason = ""


def _cancel_requested(life: OrderLifecycle, _event: ev.OrderPendingCancel, now_ns: int) -> None:
    life.cancel_requested_ns = life.cancel_requested_ns or now_ns


def _cancel_refused(life: OrderLifecycle, event: ev.OrderCancelRejected, _now_ns: int) -> None:
    life.cancel_requested_ns = 0
    life.reason = event.reason


def _update_refused(life: OrderLifecycle, event: ev.OrderModifyRejected, _now_ns: int) -> None:
    life.reason = event.reason


def _canceled(life: OrderLifecycle, event: ev.OrderCanceled, now_ns: int) -> None:
    if life.cancel_requested_ns:
        life.cancel_latency_ns = now_ns - life.cancel_requested_ns
    _ended(life, event, now_ns)


def _ended(life: OrderLifecycle, event: Any, _now_ns: int) -> None:
    life.cancel_requested_ns = 0
    life.released = False
    life.reason = event.reason


def _orphaned(life: OrderLifecycle, event: ev.FillOrphaned, _now_ns: int) -> None:
    life.orphaned_qty = exact_sum(life.orphaned_qty, event.last_qty)


#: What an event changes besides the status; the others change nothing that is counted here.
_FOLDS: Final[dict[type[ev.OrderEvent], Callable[[OrderLifecycle, Any, int], None]]] = {
    ev.OrderSubmitted: _submitted,
    ev.OrderAccepted: _accepted,
    ev.OrderReleased: _released,
    ev.OrderTriggered: _triggered,
    ev.OrderUpdated: _updated,
    ev.OrderFilled: _filled,
    ev.OrderPendingCancel: _cancel_requested,
    ev.OrderCancelRejected: _cancel_refused,
    ev.OrderModifyRejected: _update_refused,
    ev.OrderCanceled: _canceled,
    ev.OrderExpired: _ended,
    ev.OrderRejected: _ended,
    ev.OrderDenied: _ended,
    ev.FillOrphaned: _orphaned,
}
