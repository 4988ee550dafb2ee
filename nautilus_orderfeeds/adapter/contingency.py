"""Brackets at venues that know none: the children are kept here until the entry has filled.

A bracket is one order list: an entry (OTO), and one or two children of the other side that exist only once it has
filled (the take profit and the stop loss, OCO or OUO among themselves). The keeper

- accepts the children here, under an id of ours, before the entry is sent;
- when the entry has *ended* with fills, sends the children, sized to what filled: as one OCO pair where the venue has
  such pairs, else one by one, and then cancels the other as soon as one fills;
- when the entry has ended without a fill, cancels them;
- cancels and changes a child that is still here, if the strategy wants it, without asking anybody.

All of it is in the journal, so a restart goes on where the run before it ended: `OrderAccepted` (held), `OrderReleased`
before the sending, `OrderUpdated` with the venue's id. A child whose sending was interrupted is looked for like any
other order in flight, and never sent again.

An entry that is partly filled and still open has no children at the venue yet: their quantity could not be raised
later without risk. It is said in the log.
"""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import structs

from nautilus_orderfeeds.adapter.intake import Intake
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import ZERO, plain
from nautilus_orderfeeds.orders.requests import Amend, Denied, NewOrder
from nautilus_orderfeeds.orders.state import Placement
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.words import ContingencyType
from nautilus_orderfeeds.venues.base import Prepared, Venue
from nautilus_orderfeeds.venues.capabilities import Feature

_RETRY_SECS: Final = 1.0
#: An end that was told without its filled quantity is given so long to be explained before the entry is taken at it.
_EXPLAIN_SECS: Final = 10.0
_HELD_ID: Final = "HELD-"


def held_id(client_order_id: str) -> str:
    """Return the id under which an order is accepted that the venue does not know yet."""
    return _HELD_ID + client_order_id


def is_held(venue_order_id: str | None) -> bool:
    """Return whether a venue order id is one of ours (`held_id`)."""
    return venue_order_id is not None and venue_order_id.startswith(_HELD_ID)


def children_of(orders: Sequence[NewOrder]) -> list[NewOrder]:
    """Return the children if `orders` are a bracket with its entry first; empty if they are anything else."""
    entry, *children = orders
    if not 1 <= len(children) <= 2 or entry.contingency_type is not ContingencyType.OTO:
        return []
    for child in children:
        same = (child.parent_order_id, child.symbol) == (entry.client_order_id, entry.symbol)
        if not same or child.side is entry.side or child.quantity > entry.quantity:
            return []
    return children


class BracketKeeper:
    """Keeps the children of brackets.

    Parameters
    ----------
    venue : Venue
        Where they will go.
    intake : Intake
        Where what happens to them goes.
    gate : Callable[[], Awaitable[None]]
        Returns when orders can be sent; raises FeedError if that does not come.
    queue : Callable[[str, Callable[[], Awaitable[None]]], None]
        Runs something in turn with the strategies' commands.
    clock, log : Any
        The framework's.
    """

    def __init__(
        self,
        *,
        venue: Venue,
        intake: Intake,
        gate: Callable[[], Awaitable[None]],
        queue: Callable[[str, Callable[[], Awaitable[None]]], None],
        clock: Any,
        log: Any,
    ) -> None:
        self._venue = venue
        self._intake = intake
        self._gate = gate
        self._queue = queue
        self._clock = clock
        self._log = log
        self._keeps = venue.capabilities.keeps_brackets
        self._pairs = venue.capabilities.supports(Feature.OCO)
        self._reduces = venue.capabilities.supports(Feature.REDUCE_ONLY)
        # Entry -> children held for it; entry -> quantity its children were sent for.
        self._held: dict[str, list[TrackedOrder]] = {}
        self._sized: dict[str, Decimal] = {}
        self._releasing: set[str] = set()
        self._warned: set[str] = set()
        # Entry -> when it ended without its filled quantity being told, UNIX secs.
        self._unexplained: dict[str, float] = {}
        self._next_try_secs = 0.0
        #: Sends recorded orders and takes the outcomes; set by the command desk.
        self.send: Callable[[Sequence[TrackedOrder], Sequence[Prepared]], Awaitable[None]] | None = None
        #: Cancels orders at the venue; set by the command desk.
        self.cancel_at_venue: Callable[[Sequence[TrackedOrder]], Awaitable[None]] | None = None
        if self._keeps:
            intake.on_told = self._told

    # -- commands --------------------------------------------------------------------------------------------------

    def prepare(self, orders: Sequence[NewOrder]) -> list[Prepared]:
        """Check the orders of one submission and prepare those that go out now; the others have no keys yet.

        Raises
        ------
        Denied
            With the reason; then none is sent.
        """
        children = children_of(orders) if self._keeps and len(orders) > 1 else []
        if not children:
            prepared = [self._venue.prepare(order) for order in orders]
            self._venue.check_list(orders)
            return prepared
        alone = {"contingency_type": ContingencyType.NO_CONTINGENCY, "linked_order_ids": ()}
        entry = self._venue.prepare(structs.replace(orders[0], **alone))
        self._prepare_children(children, [child.quantity for child in children])
        return [structs.replace(entry, order=orders[0]), *(Prepared(order=child, refs=()) for child in children)]

    def hold(self, orders: Sequence[TrackedOrder]) -> list[TrackedOrder]:
        """Accept here what is kept of `orders` (recorded and told to be submitted); return what goes out now."""
        now: list[TrackedOrder] = []
        terms = [tracked.terms for tracked in orders]
        children = children_of(terms) if self._keeps and len(terms) > 1 else []
        for tracked in orders:
            if tracked.terms not in children:
                now.append(tracked)
                continue
            self._held.setdefault(terms[0].client_order_id, []).append(tracked)
            accepted = ev.OrderAccepted(
                venue_order_id=held_id(tracked.client_order_id), held=True, ts_event=self._clock.timestamp_ns()
            )
            self._intake.tell(tracked, accepted)
        return now

    def cancel(self, tracked: TrackedOrder, reason: str = "") -> bool:
        """Cancel an order that is held here; return whether it was."""
        if tracked.state.placement is not Placement.HELD or tracked.state.is_closed:
            return False
        self._intake.tell(tracked, ev.OrderCanceled(reason=reason, ts_event=self._clock.timestamp_ns()))
        self._drop(tracked)
        return True

    def modify(self, tracked: TrackedOrder, amend: Amend) -> bool:
        """Change an order that is held here; return whether it was.

        Raises
        ------
        Denied
            If the venue would not take the changed order.
        """
        state = tracked.state
        if state.placement is not Placement.HELD or state.is_closed:
            return False
        if amend.params:
            raise Denied(f"unknown param {next(iter(amend.params))!r} for an order that is held here (known: none)")
        quantity = state.quantity if amend.quantity is None else amend.quantity
        price = state.price if amend.price is None else amend.price
        trigger_price = state.trigger_price if amend.trigger_price is None else amend.trigger_price
        parent = self._intake.tracker.get(tracked.terms.parent_order_id)
        if parent is not None and quantity > parent.state.quantity:
            raise Denied(f"a child of {plain(quantity)} is more than its entry's {plain(parent.state.quantity)}")
        changed = structs.replace(tracked.terms, quantity=quantity, price=price, trigger_price=trigger_price)
        held = self._held.get(tracked.terms.parent_order_id or "", ())
        group = [changed, *(_as_it_is(other) for other in held if other is not tracked)]
        self._prepare_children(group, [child.quantity for child in group])
        updated = ev.OrderUpdated(
            venue_order_id=state.venue_order_id or "",
            quantity=quantity,
            price=price,
            trigger_price=trigger_price,
            ts_event=self._clock.timestamp_ns(),
        )
        self._intake.tell(tracked, updated)
        return True

    # -- what happens ----------------------------------------------------------------------------------------------

    def restore(self) -> list[TrackedOrder]:
        """Take up the children of an earlier run; return those whose sending was interrupted."""
        interrupted: list[TrackedOrder] = []
        for tracked in self._intake.tracker.open_orders():
            parent_order_id = tracked.terms.parent_order_id
            if parent_order_id is None or tracked.state.is_closed:
                continue
            if tracked.state.placement is Placement.HELD:
                self._held.setdefault(parent_order_id, []).append(tracked)
                continue
            if tracked.state.placement is Placement.RELEASED:
                interrupted.append(tracked)
            parent = self._intake.tracker.get(parent_order_id)
            if parent is not None:  # what it fills from now on comes after the sizing
                self._sized[parent_order_id] = parent.state.filled_qty
        return interrupted

    def tick(self) -> None:
        """Look after every bracket; called by the client's timer."""
        now = self._clock.timestamp()
        if not self._held or (now < self._next_try_secs and not self._unexplained):
            return
        self._next_try_secs = now + _RETRY_SECS
        for parent_order_id in list(self._held):
            self._expire(parent_order_id)
            parent = self._intake.tracker.get(parent_order_id)
            if parent is not None:
                self._review(parent)

    def _told(self, tracked: TrackedOrder, events: Sequence[ev.OrderEvent]) -> None:
        is_child = tracked.terms.parent_order_id is not None
        if is_child:
            self._warn_of_refusals(tracked, events)
        if tracked.client_order_id in self._held:
            self._review(tracked)
        elif tracked.client_order_id in self._sized:
            self._check_size(tracked)
        elif is_child and not self._pairs and any(isinstance(event, ev.OrderFilled) for event in events):
            self._cancel_siblings(tracked)

    def _review(self, parent: TrackedOrder) -> None:
        """Do what the entry's state asks for, once."""
        state = parent.state
        if not self._intake.introducing:
            return  # the framework is still reconciling
        parent_order_id = parent.client_order_id
        if not state.is_closed or state.is_unsettled:
            if state.filled_qty > 0 and parent_order_id not in self._warned:
                self._warned.add(parent_order_id)
                self._log.warning(
                    f"Entry {parent_order_id!r} has filled {plain(state.filled_qty)} and is still open: its children "
                    "are sent when it has ended"
                )
            return
        if not self._is_explained(parent):
            return
        if state.filled_qty > 0:
            if parent_order_id not in self._releasing:
                self._releasing.add(parent_order_id)
                self._queue("release_bracket", lambda: self._release(parent))
            return
        self._sized[parent_order_id] = ZERO
        for child in self._held.pop(parent_order_id, []):
            self.cancel(child, f"its entry {parent_order_id} ended without a fill")

    def _is_explained(self, parent: TrackedOrder) -> bool:
        """Return whether the venue has said how much an entry had filled when it ended; the answer to a cancel may not.

        Taken at its word, such an end would drop or undersize the children of what is told a moment later.
        """
        end, parent_order_id = parent.state.known.end, parent.client_order_id
        if end is None or end.complete or parent.state.filled_qty >= parent.state.quantity:
            self._unexplained.pop(parent_order_id, None)
            return True
        now = self._clock.timestamp()
        if now - self._unexplained.setdefault(parent_order_id, now) < _EXPLAIN_SECS:
            return False
        self._unexplained.pop(parent_order_id)
        return True

    def _check_size(self, parent: TrackedOrder) -> None:
        filled_qty = parent.state.filled_qty
        if filled_qty > self._sized[parent.client_order_id]:
            self._log.error(
                f"Entry {parent.client_order_id!r} filled {plain(filled_qty)}, after its children were sized to "
                f"{plain(self._sized[parent.client_order_id])}: the difference is not protected"
            )
            self._sized[parent.client_order_id] = filled_qty

    async def _release(self, parent: TrackedOrder) -> None:
        """Send the children of an entry that has ended."""
        parent_order_id = parent.client_order_id
        try:
            await self._gate()
            if self._intake.journal.failure is not None:
                raise FeedError(self._intake.journal.failure)
        except FeedError as e:
            self._releasing.discard(parent_order_id)  # the next tick tries again
            self._log.error(f"Children of {parent_order_id!r} are not sent yet, its position is not protected: {e}")
            return
        children = [child for child in self._held.pop(parent_order_id, []) if not child.state.is_closed]
        self._releasing.discard(parent_order_id)
        filled_qty = parent.state.filled_qty
        self._sized[parent_order_id] = filled_qty
        if not children:
            return
        try:
            quantities = [min(child.state.quantity, filled_qty) for child in children]
            prepared = self._prepare_children([_as_it_is(child) for child in children], quantities)
        except Denied as e:
            self._reject(children, e.reason)
            return
        for child, ready in zip(children, prepared, strict=True):
            self._set_quantity(child, ready.order.quantity)
            self._intake.tell(child, ev.OrderReleased(refs=ready.refs, ts_event=self._clock.timestamp_ns()))
        self._intake.journal.flush()
        if self._intake.journal.failure is not None:
            self._reject(children, f"nothing was sent: {self._intake.journal.failure}")
            return
        assert self.send is not None
        await self.send(children, prepared)

    def _reject(self, children: Sequence[TrackedOrder], reason: str) -> None:
        for child in children:
            child.in_flight = False
            self._intake.tell(child, ev.OrderRejected(reason=reason, ts_event=self._clock.timestamp_ns()))

    def _warn_of_refusals(self, child: TrackedOrder, events: Sequence[ev.OrderEvent]) -> None:
        """Say what the end of a child means, whenever and from whom it comes: an answer, a query, a later run."""
        for event in events:
            if isinstance(event, ev.OrderRejected):
                self._log.error(
                    f"Child {child.client_order_id!r} of {child.terms.parent_order_id!r} was not taken "
                    f"({event.reason}): the position may be unprotected"
                )

    def _set_quantity(self, child: TrackedOrder, quantity: Decimal) -> None:
        state = child.state
        if quantity != state.quantity:
            updated = ev.OrderUpdated(
                venue_order_id=state.venue_order_id or "",
                quantity=quantity,
                price=state.price,
                trigger_price=state.trigger_price,
                ts_event=self._clock.timestamp_ns(),
            )
            self._intake.tell(child, updated)

    def _prepare_children(self, children: Sequence[NewOrder], quantities: Sequence[Decimal]) -> list[Prepared]:
        sized = [structs.replace(child, quantity=qty) for child, qty in zip(children, quantities, strict=True)]
        forms = [self._form(child, next((c for c in sized if c is not child), None)) for child in sized]
        prepared = [self._venue.prepare(form) for form in forms]
        self._venue.check_list(forms)
        return prepared

    def _form(self, child: NewOrder, sibling: NewOrder | None) -> NewOrder:
        """Return the order that stands for `child` at the venue.

        Sized to what the entry filled, on the other side, it can only reduce: where the venue knows no reduce-only
        orders the instruction is left out.
        """
        is_pair = sibling is not None and self._pairs
        return structs.replace(
            child,
            contingency_type=ContingencyType.OCO if is_pair else ContingencyType.NO_CONTINGENCY,
            linked_order_ids=(sibling.client_order_id,) if is_pair and sibling is not None else (),
            parent_order_id=None,
            reduce_only=child.reduce_only and self._reduces,
        )

    def _expire(self, parent_order_id: str) -> None:
        now_ns = self._clock.timestamp_ns()
        for child in list(self._held.get(parent_order_id, ())):
            if 0 < child.terms.expire_time_ns <= now_ns and not child.state.is_closed:
                self._intake.tell(child, ev.OrderExpired(reason="expired before its entry filled", ts_event=now_ns))
                self._drop(child)

    def _drop(self, child: TrackedOrder) -> None:
        """Forget a child that is held no more; an entry without children is kept no more."""
        parent_order_id = child.terms.parent_order_id or ""
        left = [other for other in self._held.get(parent_order_id, ()) if other is not child]
        if left:
            self._held[parent_order_id] = left
        else:
            self._held.pop(parent_order_id, None)

    def _cancel_siblings(self, tracked: TrackedOrder) -> None:
        """Cancel what a filled child excludes, at a venue that does not do so itself."""
        found = [self._intake.tracker.get(other) for other in tracked.terms.linked_order_ids]
        live = [
            other
            for other in found
            if other is not None
            and other.terms.parent_order_id == tracked.terms.parent_order_id
            and not other.state.is_closed
        ]
        cancel = self.cancel_at_venue
        if live and cancel is not None:
            self._queue("cancel_sibling", lambda: cancel(live))


def _as_it_is(child: TrackedOrder) -> NewOrder:
    """Return the terms of a child as the strategy may have changed them."""
    state = child.state
    return structs.replace(child.terms, quantity=state.quantity, price=state.price, trigger_price=state.trigger_price)
