"""One order's life in numbers: where it stands, how it ended, and how long each step took.

An `OrderLifecycle` is fed with the events of `events.py`, each with the time it was recorded (UNIX ns of the client's
own clock, so that every duration is a difference of one clock). It is the same whether the events come from the
journal or live. All orders of an account or a node are kept in a `LifecycleTracker` (`lifecycle_tracker.py`).

The vocabulary is that of the order manager on Roxom's page (section "JavaScript Order Manager": active and completed
orders, notifications of rejected and completed ones), for every venue: its `partiallyfilledcancelled` is an `Ending`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import unique
from typing import Final, NamedTuple

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
    """What changed in an order's life; each order makes each of the first four at most once."""

    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    """First proof that it lives: an accept, or a fill."""
    TRIGGERED = "TRIGGERED"
    FIRST_FILL = "FIRST_FILL"
    COMPLETED = "COMPLETED"
    """It is over, and was taken by the venue before: filled, canceled or expired."""
    REJECTED = "REJECTED"
    """It is over: refused by the venue, or denied here."""
    REOPENED = "REOPENED"
    """A late fill came after its cancel; the end will be told again."""


class _Marks(NamedTuple):
    """What has been reached: the difference of two is a move."""

    submitted: bool
    accepted: bool
    triggered: bool
    filled: bool
    completed_ns: int


_NOTHING: Final = _Marks(False, False, False, False, 0)


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
            What changed in the order's life; empty for most events.
        """
        before = self._marks()
        self.events += 1
        self.last_ns = recorded_ns
        trigger = trigger_of(event, self.quantity)
        if trigger is not None:
            status = after(self.status, self.before_request, trigger)
            if status is None:  # the engine had guessed an end, say; the orphaned fills tell of it
                self.refused_events += 1
                return ()
            if self.status not in PENDING_STATUSES:
                self.before_request = self.status
            self.status = status
        self._fold(event, recorded_ns)
        if self.status not in CLOSED_STATUSES:
            self.completed_ns = 0
        elif not self.completed_ns:
            self.completed_ns = recorded_ns
        return self._moves_from(before)

    def _fold(self, event: ev.OrderEvent, now_ns: int) -> None:
        match event:
            case ev.OrderSubmitted():
                self.submitted_ns = self.submitted_ns or now_ns
            case ev.OrderFilled():
                self._filled(event, now_ns)
            case ev.OrderAccepted():
                if self.accepted_ns:
                    self.cancel_requested_ns = 0  # told again, it is the refusal of a cancel
                self.accepted_ns = self.accepted_ns or now_ns
                self.venue_order_id = event.venue_order_id
            case ev.OrderReleased():
                self.released = True
            case ev.OrderTriggered():
                self.triggered_ns = self.triggered_ns or now_ns
            case ev.OrderUpdated():
                self.quantity = event.quantity
                self.price = self.price if event.price is None else event.price
                self.venue_order_id = event.venue_order_id
                self.released = self.released and not event.replaced
            case ev.OrderPendingCancel():
                self.cancel_requested_ns = self.cancel_requested_ns or now_ns
            case ev.OrderCancelRejected():
                self.cancel_requested_ns = 0
                self.reason = event.reason
            case ev.OrderCanceled():
                if self.cancel_requested_ns:
                    self.cancel_latency_ns = now_ns - self.cancel_requested_ns
                self._ended(event.reason)
            case ev.OrderExpired() | ev.OrderRejected() | ev.OrderDenied():
                self._ended(event.reason)
            case ev.OrderModifyRejected():
                self.reason = event.reason
            case ev.FillOrphaned():
                self.orphaned_qty = exact_sum(self.orphaned_qty, event.last_qty)
            case _:  # the others say nothing that is counted here
                pass

    def _filled(self, event: ev.OrderFilled, now_ns: int) -> None:
        self.fills += 1
        self.inferred_fills += event.inferred
        self.filled_qty = event.cum_qty
        self.notional = EXACT.fma(event.last_qty, event.last_px, self.notional)
        self.venue_order_id = event.venue_order_id
        self.accepted_ns = self.accepted_ns or now_ns
        self.first_fill_ns = self.first_fill_ns or now_ns
        self.last_fill_ns = now_ns
        self.released = False
        self.cancel_latency_ns = None  # if it was canceled before, that was not its end
        if self.status is _S.FILLED:
            self._ended("")

    def _ended(self, reason: str) -> None:
        self.cancel_requested_ns = 0
        self.released = False
        self.reason = reason

    def moves_since(self, earlier: "OrderLifecycle | None") -> tuple[Move, ...]:
        """Return what changed since an earlier state of the same order; None: since nothing was known of it."""
        return self._moves_from(_NOTHING if earlier is None else earlier._marks())

    def _marks(self) -> _Marks:
        return _Marks(
            self.submitted_ns > 0,
            self.accepted_ns > 0,
            self.triggered_ns > 0,
            self.first_fill_ns > 0,
            self.completed_ns,
        )

    def _moves_from(self, before: _Marks) -> tuple[Move, ...]:
        now = self._marks()
        if now == before:
            return ()
        moves: list[Move] = []
        if now.submitted and not before.submitted:
            moves.append(Move.SUBMITTED)
        if now.accepted and not before.accepted:
            moves.append(Move.ACCEPTED)
        if now.triggered and not before.triggered:
            moves.append(Move.TRIGGERED)
        if now.filled and not before.filled:
            moves.append(Move.FIRST_FILL)
        if before.completed_ns and not now.completed_ns:
            moves.append(Move.REOPENED)
        elif now.completed_ns != before.completed_ns:
            moves.append(Move.REJECTED if self.ending in REFUSALS else Move.COMPLETED)
        return tuple(moves)
