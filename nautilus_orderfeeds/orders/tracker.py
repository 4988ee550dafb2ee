"""All orders of one account, found by any of their ids; updates go in, events come out.

The tracker is as pure as the reducer: time comes in as arguments, the journal is the caller's. Two things are
its own business:

- **Identity.** An update names its order by an echoed key (`refs`), the venue's id, or our client id.
- **Unbound updates.** While an order is in flight whose venue id is not known, an update that names no known order
  may be about it. It is kept, and replayed when the id is bound or nothing is in flight any more.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.reducer import reduce_unusual, settle
from nautilus_orderfeeds.orders.requests import NewOrder, OrderRef
from nautilus_orderfeeds.orders.state import OrderState, Placement, evolve
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source
from nautilus_orderfeeds.orders.usual import next_usual
from nautilus_orderfeeds.orders.words import CLOSED_STATUSES, OrderStatus, OrderType, TimeInForce

#: Updates kept for orders not yet bound; beyond this the oldest is released as an external order's.
_MAX_UNBOUND: Final = 1_000

#: `OrderTracker.arrival_ns` of a venue that does not say: longer than any request or clock takes.
_ARRIVAL_NS: Final = 300_000_000_000

# Bound once, for the path of every frame.
_ACCEPTED: Final = ev.OrderAccepted
_ALL_FILLED: Final = OrderStatus.FILLED


@dataclass(slots=True, kw_only=True, eq=False)
class TrackedOrder:
    """One order and everything needed to talk about it.

    Parameters
    ----------
    terms : NewOrder
        As submitted (of an external order: as the venue told it).
    state : OrderState
        Reducer state.
    rules : Rules
        Of its instrument.
    refs : tuple[str, ...]
        Keys the venue echoes.
    external : bool
        Not entered through this client.
    in_flight : bool
        Sent, and neither accepted, refused nor ended as far as we know.
    created_ns, ts_accepted : int
        UNIX ns.
    unsettled_since_ns : int
        UNIX ns since the venue claims more than could be told; 0 if it does not.
    awaits_answer : bool
        Its submit is not answered yet, or was refused: where other accounts' orders are told of too, another one may
        have the same client order id, and only the answer says which is ours.
    is_open : bool
        Not told to be closed, or the venue claims more than could be told.
    native : Any
        What the binding keeps with the order (the framework's side of it); None if nothing yet.
    """

    terms: NewOrder
    state: OrderState
    rules: Rules
    refs: tuple[str, ...] = ()
    external: bool = False
    in_flight: bool = False
    created_ns: int = 0
    ts_accepted: int = 0
    unsettled_since_ns: int = 0
    awaits_answer: bool = False
    is_open: bool = False
    native: Any = None

    @property
    def client_order_id(self) -> str:
        """The framework's id."""
        return self.state.client_order_id

    @property
    def ref(self) -> OrderRef:
        """Everything that names the order at the venue now."""
        return OrderRef(
            client_order_id=self.state.client_order_id,
            symbol=self.state.symbol,
            venue_order_id=self.state.venue_order_id if self.state.is_named else None,
            refs=self.refs,
            side=self.state.side,
            terms=self.terms,
            created_ns=self.created_ns,
        )


class OrderTracker:
    """All orders of one account."""

    def __init__(self) -> None:
        self._orders: dict[str, TrackedOrder] = {}
        self._by_ref: dict[str, TrackedOrder] = {}
        #: The orders the venue has named, by its id (never None): where `find` looks first.
        self.by_venue_id: dict[str | None, TrackedOrder] = {}
        #: Updates kept until it is known whose they are.
        self.unbound: deque[OrderUpdate] = deque(maxlen=_MAX_UNBOUND)
        self._open: dict[str, TrackedOrder] = {}
        #: Updates about other accounts' orders come too (`Capabilities.foreign_updates`), where another order may have
        #: the same client order id: an echoed key then counts only as long as the venue's id is not known, and no
        #: answer that tells it is awaited.
        self.foreign_updates = False
        #: An order that the venue took up longer before or after one of ours was sent is not that order, ns.
        self.arrival_ns = _ARRIVAL_NS
        #: Whether the venue's clock is near ours as far as is known: else its times say nothing about ours.
        self.clock_is_shared = True

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[TrackedOrder]:
        return iter(self._orders.values())

    def get(self, client_order_id: str | None, venue_order_id: str | None = None) -> TrackedOrder | None:
        """Return the order of either id, or None."""
        tracked = self._orders.get(client_order_id) if client_order_id is not None else None
        if tracked is None and venue_order_id is not None:
            tracked = self.by_venue_id.get(venue_order_id)
        return tracked

    def find(self, update: OrderUpdate) -> TrackedOrder | None:
        """Return the order an update is about, or None."""
        if update.venue_order_id is not None:
            tracked = self.by_venue_id.get(update.venue_order_id)
            if tracked is not None:
                return tracked
        for ref in update.refs:
            tracked = self._by_ref.get(ref)
            if tracked is not None and not (self.foreign_updates and _is_other(tracked, update)):
                return tracked
        tracked = self._orders.get(update.client_order_id) if update.client_order_id is not None else None
        return None if tracked is not None and self.foreign_updates and _is_other(tracked, update) else tracked

    def open_orders(self) -> list[TrackedOrder]:
        """Return the orders that are not told to be closed, or of which the venue claims more than was told."""
        return list(self._open.values())

    def unsettled(self) -> list[TrackedOrder]:
        """Return the orders of which the venue claims more than was told."""
        return [tracked for tracked in self._open.values() if tracked.unsettled_since_ns]

    @property
    def any_unidentified(self) -> bool:
        """Whether an order is in flight that the venue has not named yet."""
        return any(tracked.in_flight and not tracked.state.is_named for tracked in self._open.values())

    def may_be_unidentified(self, update: OrderUpdate) -> bool:
        """Whether an update of an unknown order may be about one in flight that the venue has not named yet.

        One that cannot be does not wait: an order that was never received would hide everybody else's for ever.
        """
        return any(
            tracked.in_flight and not tracked.state.is_named and self._may_be(tracked, update)
            for tracked in self._open.values()
        )

    def compare_clocks(self, update: OrderUpdate, now_ns: int) -> bool:
        """Note it if a message of just now claims to be of another time; return whether that is news.

        A venue whose clock is far from ours (or that makes its times up) would have the news of an order of ours taken
        for an older order of somebody else's, and its fills counted twice.
        """
        if not self.clock_is_shared or update.source is not Source.STREAM or not update.ts_event:
            return False
        self.clock_is_shared = abs(now_ns - update.ts_event) <= _ARRIVAL_NS
        return not self.clock_is_shared

    # -- commands --------------------------------------------------------------------------------------------------

    def add(self, terms: NewOrder, rules: Rules, refs: tuple[str, ...], created_ns: int) -> TrackedOrder:
        """Take up an own order, before it is sent."""
        state = OrderState(
            client_order_id=terms.client_order_id,
            symbol=terms.symbol,
            side=terms.side,
            type=terms.type,
            quantity=terms.quantity,
            price=terms.price,
            trigger_price=terms.trigger_price,
            quote_quantity=terms.quote_quantity,
        )
        tracked = TrackedOrder(terms=terms, state=state, rules=rules, refs=refs, created_ns=created_ns)
        self._index(tracked)
        return tracked

    def restore(
        self,
        terms: NewOrder,
        rules: Rules,
        refs: tuple[str, ...],
        created_ns: int,
        events: Iterable[ev.OrderEvent],
        *,
        external: bool,
        venue_order_id: str | None,
    ) -> TrackedOrder:
        """Take up an order of an earlier run by folding its events again."""
        tracked = self.add(terms, rules, refs, created_ns)
        tracked.external = external
        if venue_order_id is not None:
            tracked.state.venue_order_id = venue_order_id
        for event in events:
            self._fold(tracked, event)
        state = tracked.state
        is_released = state.placement is Placement.RELEASED and not state.is_closed
        tracked.in_flight = is_released or state.status is OrderStatus.SUBMITTED
        self._index(tracked)
        return tracked

    def command(self, tracked: TrackedOrder, event: ev.OrderEvent) -> None:
        """Fold an event that a command caused here (submitted, denied, pending ...)."""
        if isinstance(event, ev.OrderSubmitted | ev.OrderReleased):
            tracked.in_flight = True
        elif isinstance(event, ev.OrderAccepted):
            tracked.in_flight = False
        self._fold(tracked, event)
        self._index(tracked)

    def bind(self, tracked: TrackedOrder, venue_order_id: str) -> None:
        """Note the venue's id of an order (from a command's answer)."""
        if tracked.state.venue_order_id is None:
            tracked.state.venue_order_id = venue_order_id
        self.by_venue_id[venue_order_id] = tracked

    # -- updates ---------------------------------------------------------------------------------------------------

    def apply(self, update: OrderUpdate, now_ns: int) -> tuple[TrackedOrder | None, list[ev.OrderEvent]]:
        """Take one update in.

        Returns
        -------
        (TrackedOrder or None, list[OrderEvent])
            None: the order is not known. The caller adopts it (`adopt`) or, where it may be one in flight, the update
            has been kept (`keep_unbound`).
        """
        tracked = self.find(update)
        if tracked is None:
            return None, []
        return tracked, self.take(tracked, update, now_ns)

    def take(self, tracked: TrackedOrder, update: OrderUpdate, now_ns: int) -> list[ev.OrderEvent]:
        """Take in one update about `tracked` (as `find` says) and return the events."""
        told = self.take_usual(tracked, update)
        return [told] if told is not None else self.take_unusual(tracked, update, now_ns)

    def take_usual(self, tracked: TrackedOrder, update: OrderUpdate) -> ev.OrderAccepted | ev.OrderFilled | None:
        """Take in an update about `tracked` if it is one of the two usual (see `usual.next_usual`).

        Returns
        -------
        OrderAccepted, OrderFilled or None
            What to tell: then nothing is left to be explained, and the order is closed only if it is all filled. None:
            nothing has changed, the update is one for `take_unusual`.
        """
        if not tracked.is_open:
            return None
        state = tracked.state
        told = next_usual(state, update)
        if told is None:
            return None
        # The order is live under its own id, or filled, and all is told: what `_after` would ask is known.
        tracked.in_flight = False
        tracked.unsettled_since_ns = 0
        if not tracked.ts_accepted:
            tracked.ts_accepted = update.ts_accepted or state.ts_last
        if type(told) is _ACCEPTED:
            self.by_venue_id[told.venue_order_id] = tracked
        elif state.status is _ALL_FILLED:
            tracked.is_open = False
            self._open.pop(state.client_order_id, None)
        return told

    def take_unusual(self, tracked: TrackedOrder, update: OrderUpdate, now_ns: int) -> list[ev.OrderEvent]:
        """Do what `take` does, of any update."""
        state = tracked.state
        had_id = state.venue_order_id
        events = reduce_unusual(state, update, tracked.rules)
        self._after(tracked, events, now_ns, update.ts_accepted)
        venue_order_id = state.venue_order_id
        if venue_order_id is not had_id and venue_order_id is not None:
            self.by_venue_id[venue_order_id] = tracked
        return events

    def settle(self, tracked: TrackedOrder, now_ns: int) -> list[ev.OrderEvent]:
        """Infer what trades have not explained by now, and tell the end if that completes it."""
        events = settle(tracked.state, tracked.rules, now_ns)
        self._after(tracked, events, now_ns, 0)
        return events

    def keep_unbound(self, update: OrderUpdate) -> OrderUpdate | None:
        """Keep an update of an unknown order while an order is in flight; return one pushed out, if any."""
        pushed = self.unbound[0] if len(self.unbound) == _MAX_UNBOUND else None
        self.unbound.append(update)
        return pushed

    def release_unbound(self) -> list[OrderUpdate]:
        """Return the kept updates that can be attributed now: to a bound order, or to nobody in flight."""
        if not self.unbound:
            return []
        released: list[OrderUpdate] = []
        kept: list[OrderUpdate] = []
        for update in self.unbound:
            waits = self.find(update) is None and self.may_be_unidentified(update)
            (kept if waits else released).append(update)
        self.unbound.clear()
        self.unbound.extend(kept)
        return released

    def adopt(self, update: OrderUpdate, rules: Rules, client_order_id: str, now_ns: int) -> TrackedOrder | None:
        """Take up an order entered elsewhere; None if the update does not tell enough of it."""
        if update.venue_order_id is None or update.symbol is None or update.side is None or update.quantity is None:
            return None
        terms = NewOrder(
            client_order_id=client_order_id,
            symbol=update.symbol,
            side=update.side,
            type=update.type or (OrderType.MARKET if update.price is None else OrderType.LIMIT),
            time_in_force=update.time_in_force or TimeInForce.GTC,
            quantity=update.quantity,
            price=update.price,
            trigger_price=update.trigger_price,
            trigger_type=update.trigger_type,
            expire_time_ns=update.expire_time_ns,
            post_only=update.post_only,
            reduce_only=update.reduce_only,
        )
        tracked = self.add(terms, rules, update.refs, now_ns)
        tracked.external = True
        tracked.state.venue_order_id = update.venue_order_id
        self._fold(tracked, ev.OrderSubmitted(ts_event=update.ts_accepted))
        self._index(tracked)
        return tracked

    def forget(self, tracked: TrackedOrder) -> None:
        """Drop a closed order from memory (the journal keeps it)."""
        self._orders.pop(tracked.client_order_id, None)
        self._open.pop(tracked.client_order_id, None)
        tracked.is_open = False
        for ref in tracked.refs:
            self._by_ref.pop(ref, None)
        if tracked.state.venue_order_id is not None:
            self.by_venue_id.pop(tracked.state.venue_order_id, None)

    def _may_be(self, tracked: TrackedOrder, update: OrderUpdate) -> bool:
        """Whether `update`, which names no known order, may be about `tracked`, which has no name yet."""
        if update.symbol not in (None, tracked.state.symbol) or update.side not in (None, tracked.state.side):
            return False
        if not update.ts_accepted or not tracked.created_ns or tracked.state.placement is Placement.RELEASED:
            return True  # one that was held here first was sent at some other time
        if not self.clock_is_shared:
            return True
        return abs(update.ts_accepted - tracked.created_ns) <= self.arrival_ns

    # -- bookkeeping -----------------------------------------------------------------------------------------------

    def _after(self, tracked: TrackedOrder, events: list[ev.OrderEvent], now_ns: int, ts_accepted: int) -> None:
        state = tracked.state
        if events:
            if tracked.in_flight and ((state.accepted and state.is_named) or state.is_closed):
                tracked.in_flight = False
            if not tracked.ts_accepted and state.accepted:
                tracked.ts_accepted = ts_accepted or state.ts_last
        if not state.is_unsettled:
            tracked.unsettled_since_ns = 0
        elif not tracked.unsettled_since_ns:
            tracked.unsettled_since_ns = now_ns
        is_open = state.status not in CLOSED_STATUSES or tracked.unsettled_since_ns > 0
        if is_open is not tracked.is_open:
            tracked.is_open = is_open
            if is_open:
                self._open[state.client_order_id] = tracked
            else:
                self._open.pop(state.client_order_id, None)

    def _fold(self, tracked: TrackedOrder, event: ev.OrderEvent) -> None:
        evolve(tracked.state, event)
        if isinstance(event, ev.OrderAccepted) and not tracked.ts_accepted:
            tracked.ts_accepted = event.ts_event
        elif isinstance(event, ev.OrderReleased):
            tracked.refs = event.refs

    def _index(self, tracked: TrackedOrder) -> None:
        state = tracked.state
        self._orders[state.client_order_id] = tracked
        for ref in tracked.refs:
            self._by_ref[ref] = tracked
        if state.venue_order_id is not None:
            self.by_venue_id[state.venue_order_id] = tracked
        self._after(tracked, [], 0, 0)


def _is_other(tracked: TrackedOrder, update: OrderUpdate) -> bool:
    """Whether `update`, which names `tracked` by a key of ours, is or may be about another account's order."""
    if update.venue_order_id is not None and tracked.state.is_named:
        return update.venue_order_id != tracked.state.venue_order_id
    if tracked.awaits_answer and update.source is not Source.ANSWER:
        return True
    return update.symbol not in (None, tracked.state.symbol) or update.side not in (None, tracked.state.side)
