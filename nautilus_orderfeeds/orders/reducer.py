"""From what a venue says it knows to what happened: the one function at the heart of the package.

    OrderUpdate (cumulative, may be late, doubled, reordered, lost)  ->  reduce  ->  events (each once, in legal order)

Pure: no clock, no socket, no framework. `reduce` learns from one update and returns the events that may now be
told; `settle` is called when waiting for trades has lasted long enough, and infers what is still unexplained.

The laws (each is a property test)
----------------------------------
1. Cumulative filled quantity never falls; filled + leaves + canceled = original.
2. The fills told sum to the highest filled quantity seen; their notional agrees with the venue's average.
3. A venue trade yields one fill, whoever told of it; an inferred fill the trade later explains is not counted twice.
4. Any order and any repetition of the same updates leads to the same final order.
5. No event that the framework's state machine would refuse. Fills after a cancel still count.
6. Equal timestamps are not duplicates; older knowledge never overwrites newer (quantity, then version, then time).
7. Trade ids are pure functions of venue data.
8. Commission is the venue's where it gives one; otherwise estimated, and marked so.
"""

from decimal import getcontext, setcontext
from typing import Final

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import EXACT
from nautilus_orderfeeds.orders.fills import Events, emit, restate, tell_fill, tell_next, tell_trades
from nautilus_orderfeeds.orders.inference import Rules, inferred_fill
from nautilus_orderfeeds.orders.known import End, Known
from nautilus_orderfeeds.orders.learning import learn
from nautilus_orderfeeds.orders.state import OrderState, Placement, may_follow
from nautilus_orderfeeds.orders.transitions import PENDING_STATUSES
from nautilus_orderfeeds.orders.updates import LIVE_STATUSES, Fill, OrderUpdate, VenueStatus
from nautilus_orderfeeds.orders.usual import next_usual
from nautilus_orderfeeds.orders.words import CLOSED_STATUSES, TRIGGERED_LIMIT_TYPES, LiquiditySide, OrderStatus

__all__ = ["reduce", "reduce_unusual", "refuse_cancel", "settle"]


# Bound once: Python looks an enum's member up anew at every use.
_WAITING: Final = VenueStatus.WAITING
_SUBMITTED: Final = OrderStatus.SUBMITTED


def reduce(state: OrderState, update: OrderUpdate, rules: Rules) -> Events:
    """Learn from `update` and return the events that follow, already folded into `state`.

    Parameters
    ----------
    state : OrderState
        The order; changed in place.
    update : OrderUpdate
        What the venue says.
    rules : Rules
        Of the order's instrument and venue.

    Returns
    -------
    list[OrderEvent]
        In the order to be told: accepted, cancel refused, updated, triggered, fills, end.
    """
    told = next_usual(state, update)
    return reduce_unusual(state, update, rules) if told is None else [told]


def reduce_unusual(state: OrderState, update: OrderUpdate, rules: Rules) -> Events:
    """Do what `reduce` does, of any update: asking all there is to ask."""
    state.is_calm = False
    out: Events = []
    if state.status in _NEVER_SENT and not _was_sent(state, out, update):
        return out
    venue_order_id = update.venue_order_id
    if venue_order_id is not None and venue_order_id != state.venue_order_id:
        if state.venue_order_id is None:
            state.venue_order_id, state.placement = venue_order_id, Placement.VENUE
        elif not state.is_named or update.renamed:
            _rename(state, out, update)
    terms_are_new = learn(state, update)
    known = state.known
    if not state.accepted and (update.status in LIVE_STATUSES or _was_live(state, update)):
        waiting = update.status is _WAITING
        _accept(state, out, update.ts_accepted or update.ts_event, waiting=waiting)
    if update.cancel_reject_reason:
        _tell_refused_cancel(state, out, update)
    if terms_are_new and not (
        update.quantity == state.quantity
        and update.price == state.price
        and update.trigger_price == state.trigger_price
    ):
        _tell_terms(state, out, update)
    if known.waiting and known.working and not state.triggered:
        _tell_trigger(state, out, update)
    fills = update.fills
    if fills and len(fills) == 1 and not known.undecided and tell_next(state, out, fills[0], update.ts_event):
        fills = ()
    # The usual case ends here: everything is told, and the order has not ended otherwise than by its fills.
    if (
        fills
        or known.undecided
        or known.filled_qty != state.filled_qty
        or (known.end is not None and state.status not in CLOSED_STATUSES)
    ):
        _explain(state, out, fills, update, rules)
    return out


def _explain(state: OrderState, out: Events, fills: tuple[Fill, ...], update: OrderUpdate, rules: Rules) -> None:
    """Tell `fills`, and what else has to be told of what is known by now."""
    context = getcontext()
    setcontext(EXACT)  # no sum may be rounded, whatever the caller's context
    try:
        if fills or state.known.undecided:
            tell_trades(state, out, fills, rules, update.ts_event)
        _conclude(state, out, rules, update.liquidity_side, update.ts_event, waited=False)
    finally:
        setcontext(context)


def settle(state: OrderState, rules: Rules, ts_event: int = 0) -> Events:
    """Stop waiting for trades: infer the unexplained quantity, then tell the end if there is one.

    Parameters
    ----------
    state : OrderState
        The order; changed in place.
    rules : Rules
        Of the order's instrument and venue.
    ts_event : int
        UNIX ns to put on the events where the venue's own time is not known.

    Returns
    -------
    list[OrderEvent]
        An `OrderAnomaly` (once) instead of a fill if no price is known for it: then the order stays unsettled.
    """
    state.is_calm = False
    context = getcontext()
    setcontext(EXACT)
    try:
        out: Events = []
        known = state.known
        _conclude(state, out, rules, known.liquidity_side, known.ts_event or ts_event, waited=True)
        return out
    finally:
        setcontext(context)


_NEVER_SENT: Final = frozenset({OrderStatus.INITIALIZED, OrderStatus.DENIED})


def _was_sent(state: OrderState, out: Events, update: OrderUpdate) -> bool:
    """Tell that an order was sent after all: the process died before that could be recorded. False: it was denied."""
    if state.status is OrderStatus.DENIED:
        _complain(state, out, f"venue knows order {state.client_order_id}, which was denied and never sent", update)
        return False
    emit(state, out, ev.OrderSubmitted(ts_event=update.ts_accepted or update.ts_event))
    return True


def _rename(state: OrderState, out: Events, update: OrderUpdate) -> None:
    """Take over the venue's new id of an order (it was held here, or replaced there): the framework is told of it."""
    assert update.venue_order_id is not None
    if state.is_closed:
        state.venue_order_id, state.placement = update.venue_order_id, Placement.VENUE
        return
    named = ev.OrderUpdated(
        venue_order_id=update.venue_order_id,
        quantity=state.quantity,
        price=state.price,
        trigger_price=state.trigger_price,
        replaced=True,
        ts_event=update.ts_event,
    )
    emit(state, out, named)


def _complain(state: OrderState, out: Events, what: str, update: OrderUpdate | None = None) -> None:
    if what not in state.anomalies:
        emit(state, out, ev.OrderAnomaly(what=what, ts_event=0 if update is None else update.ts_event))


def _was_live(state: OrderState, update: OrderUpdate) -> bool:
    """Whether `update` proves that an order which it does not call live was live: a fill, an expiry or a cancel do so.

    A cancel alone could be told without, but then the framework would not know the order by its venue id.
    """
    status, known = update.status, state.known
    if status is VenueStatus.CANCELED or status is VenueStatus.EXPIRED:
        return True
    return bool(update.fills or known.undecided or known.filled_qty > 0)


def _accept(state: OrderState, out: Events, ts_event: int, *, waiting: bool = False) -> None:
    """Tell that the order is live, where that is possible and changes something."""
    if state.venue_order_id is None:
        return
    if state.status is _SUBMITTED or state.status in PENDING_STATUSES:
        emit(
            state,
            out,
            ev.OrderAccepted(venue_order_id=state.venue_order_id, ts_event=ts_event, waiting=waiting),
        )


def _tell_terms(state: OrderState, out: Events, update: OrderUpdate) -> None:
    """Tell changed terms, before the fills: a fill to the old total would close the order too early."""
    venue_order_id = state.venue_order_id
    if venue_order_id is None or state.quote_quantity or not (state.accepted or state.status is OrderStatus.CANCELED):
        return
    quantity = state.quantity if update.quantity is None else update.quantity
    # A price on an order that has none (a market order's worst price) is not a term of it.
    price = state.price if update.price is None or state.price is None else update.price
    trigger_price = (
        state.trigger_price if update.trigger_price is None or state.trigger_price is None else update.trigger_price
    )
    if quantity == state.quantity and price == state.price and trigger_price == state.trigger_price:
        return
    known = state.known
    if quantity <= state.filled_qty:  # nothing would be left: the end is told by the status
        return
    is_closed, end = state.is_closed, known.end
    if is_closed and state.status is not OrderStatus.CANCELED:
        return
    if is_closed or end is not None:
        # Of an order that is over only a quantity matters that makes room for late fills, or that they complete.
        completes = quantity < state.quantity and end is not None and end.status is VenueStatus.FILLED
        if quantity <= state.quantity and not completes:
            return
    emit(
        state,
        out,
        ev.OrderUpdated(
            venue_order_id=venue_order_id,
            quantity=quantity,
            price=price,
            trigger_price=trigger_price,
            as_of=(known.stated_qty, known.version, known.ts_event),
            ts_event=update.ts_event,
        ),
    )


def _tell_trigger(state: OrderState, out: Events, update: OrderUpdate) -> None:
    """Tell that an order which waited works now, whichever of the two was heard of first."""
    triggered = ev.OrderTriggered(ts_event=update.ts_event)
    if state.type in TRIGGERED_LIMIT_TYPES and may_follow(state, triggered):
        emit(state, out, triggered)


def _tell_refused_cancel(state: OrderState, out: Events, update: OrderUpdate) -> None:
    if state.is_closed or state.known.end is not None:
        return
    key = update.cancel_reject_key
    # A refusal without a key can be known for new only by the request that waits for one.
    if key in state.cancel_rejects and (key or state.status is not OrderStatus.PENDING_CANCEL):
        return
    refuse_cancel(state, out, update.cancel_reject_reason, update.ts_event, key)


def refuse_cancel(state: OrderState, out: Events, reason: str, ts_event: int, key: str = "") -> None:
    """Tell a refused cancel.

    From PENDING_CANCEL the framework knows a way back to ACCEPTED and PARTIALLY_FILLED only. An order that was not
    told to be live, or was triggered, is accepted (again) first.
    """
    event = ev.OrderCancelRejected(reason=reason, ts_event=ts_event, key=key)
    if not may_follow(state, event):
        _accept(state, out, ts_event)
    if may_follow(state, event):
        emit(state, out, event)


def _conclude(
    state: OrderState,
    out: Events,
    rules: Rules,
    liquidity: LiquiditySide,
    ts_event: int,
    *,
    waited: bool,
) -> None:
    """Close the gap in the fills if it is time to, then tell the end if nothing is missing any more."""
    known = state.known
    if known.undecided and (waited or (rules.infer_at_once and state.unexplained_qty > 0)):
        tell_trades(state, out, (), rules, ts_event, at_last=True)
    gap = state.unexplained_qty
    if gap > 0 and (waited or (rules.infer_at_once and _tells_price(known))):
        fill = inferred_fill(state, rules, gap, liquidity, ts_event)
        if fill is not None:
            if not state.accepted:
                _accept(state, out, ts_event)
            tell_fill(state, out, fill)
            gap = state.unexplained_qty
        else:
            missing = "price" if state.venue_order_id is not None else "venue order id"
            _complain(state, out, f"order {state.client_order_id} was filled, but no {missing} is known for it")
    end = known.end
    if end is None or gap > 0 or known.undecided:
        return
    if not waited and not _is_whole(state, end):
        return
    if state.held:
        if not state.accepted:
            _accept(state, out, end.ts_event or ts_event)
        restate(state, out, end.ts_event or ts_event)
    if not state.is_closed:
        _tell_end(state, out, end)


def _tells_price(known: Known) -> bool:
    """Whether the venue has told at what price it filled: without that, trades or a query may still tell."""
    return known.notional is not None or known.last_px is not None


def _is_whole(state: OrderState, end: End) -> bool:
    """Whether an end that cannot be taken back may be told at once: the venue has told how much was filled by then."""
    if state.quote_quantity:
        return end.complete and state.known.stated_qty == state.counted_qty
    return end.complete or end.status is not VenueStatus.EXPIRED


def _tell_end(state: OrderState, out: Events, end: End) -> None:
    ts_event = end.ts_event
    canceled = ev.OrderCanceled(reason=end.reason, ts_event=ts_event)
    match end.status:
        case VenueStatus.EXPIRED:
            if not state.accepted:
                _accept(state, out, ts_event)
            expired = ev.OrderExpired(reason=end.reason, ts_event=ts_event)
            emit(state, out, expired if may_follow(state, expired) else canceled)
        case VenueStatus.REJECTED if state.filled_qty == 0 and (end.rejects_live or not state.accepted):
            emit(
                state,
                out,
                ev.OrderRejected(reason=end.reason, due_post_only=end.due_post_only, ts_event=ts_event),
            )
        case VenueStatus.FILLED if state.filled_qty == 0:
            _complain(state, out, f"venue reports order {state.client_order_id} filled, but not how much of it")
        case VenueStatus.FILLED:
            # Not closed by its fills, so the venue calls it done at less than the quantity.
            done = f"venue reports the order done at {state.filled_qty} of {state.quantity}"
            emit(state, out, ev.OrderCanceled(reason=end.reason or done, ts_event=ts_event))
        case _:
            emit(state, out, canceled)
