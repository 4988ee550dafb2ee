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

from decimal import Decimal

from msgspec import structs

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.coverage import Stretch, overlap
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.inference import Rules, estimated_commission, inferred_fill
from nautilus_orderfeeds.orders.state import End, OrderState, evolve, hold, may_follow
from nautilus_orderfeeds.orders.updates import END_STATUSES, LIVE_STATUSES, Fill, OrderUpdate, VenueStatus
from nautilus_orderfeeds.orders.words import TRIGGERED_LIMIT_TYPES, LiquiditySide, OrderStatus

Events = list[ev.OrderEvent]

#: Statuses a first sight of the live order turns into ACCEPTED.
_BEFORE_ACCEPTED = frozenset({OrderStatus.SUBMITTED, OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL})


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
        In the order to be told: accepted, updated, triggered, fills, end.
    """
    out: Events = []
    if state.status is OrderStatus.DENIED:
        return [ev.OrderAnomaly(what=f"venue knows order {state.client_order_id}, which was denied and never sent")]
    if state.venue_order_id is None and update.venue_order_id is not None:
        state.venue_order_id = update.venue_order_id
    fresh = _learn(state, update)
    status = update.status

    if not state.accepted and (
        status in LIVE_STATUSES or update.fills or state.known.filled_qty > 0 or status is VenueStatus.EXPIRED
    ):
        _accept(state, out, update.ts_accepted or update.ts_event)
    if fresh and status is not None:
        _terms(state, out, update)
        _trigger(state, out, update)
    for fill in update.fills:
        _fill(state, out, fill, update, rules)
    if update.cancel_reject_reason:
        _refuse_cancel(state, out, update)
    _conclude(state, out, rules, update.liquidity_side, update.ts_event, infer=rules.infer_at_once)
    return out


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
        An `OrderAnomaly` instead of a fill if no price is known for it: then the order stays unsettled.
    """
    out: Events = []
    _conclude(state, out, rules, LiquiditySide.NO_LIQUIDITY_SIDE, state.known.ts_event or ts_event, infer=True)
    return out


def _emit(state: OrderState, out: Events, event: ev.OrderEvent) -> None:
    evolve(state, event)
    out.append(event)


def _learn(state: OrderState, update: OrderUpdate) -> bool:
    """Take over what is newer; return whether the update's terms are at least as new as any seen (law 6)."""
    known = state.known
    filled = update.filled_qty
    if filled is None and update.status is VenueStatus.FILLED and not state.quote_quantity:
        filled = update.quantity or state.quantity
    fresh = True
    if filled is not None:
        if filled > known.filled_qty:
            known.filled_qty = filled
            _learn_notional(state, update, filled)
            known.fees = update.fees
            known.fees_currency = update.fees_currency or known.fees_currency
        elif filled < known.filled_qty:
            fresh = False
        else:
            if known.notional is None:
                _learn_notional(state, update, filled)
            if update.fees is not None:
                known.fees = update.fees
    if fresh:
        older = update.version < known.version or (
            update.version == known.version and 0 < update.ts_event < known.ts_event
        )
        fresh = not older
    if fresh:
        known.version = max(known.version, update.version)
        known.ts_event = max(known.ts_event, update.ts_event)
    if update.status in END_STATUSES and _outranks(update.status, known.end):
        known.end = End(
            status=update.status,
            reason=update.reason,
            due_post_only=update.due_post_only,
            rejects_live=update.rejects_live,
            ts_event=update.ts_event,
        )
    return fresh


def _learn_notional(state: OrderState, update: OrderUpdate, filled: Decimal) -> None:
    known = state.known
    known.last_px = update.last_px
    if update.filled_notional is not None:
        known.notional, known.avg_places = update.filled_notional, 18
    elif update.avg_px is not None and (update.avg_px or not filled):
        exponent = update.avg_px.as_tuple().exponent
        known.notional = update.avg_px * filled
        known.avg_places = max(-exponent, 0) if isinstance(exponent, int) else 0
    else:
        known.notional = None


def _outranks(status: VenueStatus, end: End | None) -> bool:
    """A full fill outranks any other end (the venue counts it); otherwise the first end told stands."""
    return end is None or (status is VenueStatus.FILLED and end.status is not VenueStatus.FILLED)


def _accept(state: OrderState, out: Events, ts_event: int) -> None:
    if state.status in _BEFORE_ACCEPTED and state.venue_order_id is not None:
        _emit(state, out, ev.OrderAccepted(venue_order_id=state.venue_order_id, ts_event=ts_event))


def _terms(state: OrderState, out: Events, update: OrderUpdate) -> None:
    """Tell changed terms, before the fills: a fill to the old total would close the order too early."""
    if not state.accepted or state.is_closed or state.quote_quantity:
        return
    quantity = state.quantity if update.quantity is None else update.quantity
    # A price on an order that has none (a market order's worst price) is not a term of it.
    price = state.price if update.price is None or state.price is None else update.price
    trigger = (
        state.trigger_price if update.trigger_price is None or state.trigger_price is None else update.trigger_price
    )
    if quantity == state.quantity and price == state.price and trigger == state.trigger_price:
        return
    if quantity <= state.filled_qty:  # nothing would be left: the end is told by the status
        return
    _emit(
        state,
        out,
        ev.OrderUpdated(
            venue_order_id=state.venue_order_id or "",
            quantity=quantity,
            price=price,
            trigger_price=trigger,
            ts_event=update.ts_event,
        ),
    )


def _trigger(state: OrderState, out: Events, update: OrderUpdate) -> None:
    known = state.known
    if update.status is VenueStatus.WAITING:
        known.waiting = True
    elif update.status is VenueStatus.WORKING and known.waiting:
        known.waiting = False
        event = ev.OrderTriggered(ts_event=update.ts_event)
        if state.type in TRIGGERED_LIMIT_TYPES and may_follow(state, event):
            _emit(state, out, event)


def _fill(state: OrderState, out: Events, fill: Fill, update: OrderUpdate, rules: Rules) -> None:
    """Tell one trade, less what an inferred fill has told of it already (law 3)."""
    if fill.trade_id in state.trades:
        return
    new_qty = fill.last_qty
    if state.coverage.credit > 0:
        explained, stretch = _explained(state, fill)
        if explained > 0:
            new_qty -= explained
            absorbed = ev.FillAbsorbed(
                trade_id=fill.trade_id,
                qty=explained,
                stretch=stretch,
                ts_event=fill.ts_event or update.ts_event,
            )
            _emit(state, out, absorbed)
    if new_qty > 0:
        _book(state, out, fill, new_qty, update, rules)


def _explained(state: OrderState, fill: Fill) -> tuple[Decimal, Stretch | None]:
    """Return how much of `fill` an inferred fill has counted already, and where."""
    coverage = state.coverage
    if coverage.placed and fill.ends_at is not None:
        stretch = (fill.ends_at - fill.last_qty, fill.ends_at)
        return overlap(stretch, coverage.inferred), stretch
    # Without places only amounts can be compared: a trade for which the venue's total leaves no room is an old one.
    room = state.known.filled_qty - state.counted_qty
    if room >= fill.last_qty and fill.last_qty != coverage.credit:
        return ZERO, None
    return min(fill.last_qty, coverage.credit), None


def _book(
    state: OrderState,
    out: Events,
    fill: Fill,
    qty: Decimal,
    update: OrderUpdate,
    rules: Rules,
) -> None:
    ts_event = fill.ts_event or update.ts_event
    cum_qty = state.counted_qty + qty
    known = state.known
    notional = qty * fill.last_px
    if fill.commission is not None:
        # A part that had been inferred had its commission then; the rest of the trade carries the rest of it.
        commission = fill.commission if qty == fill.last_qty else fill.commission * qty / fill.last_qty
        estimated = False
    elif known.fees is not None and cum_qty == known.filled_qty:
        commission, estimated = known.fees - state.counted_fees, False
    else:
        commission, estimated = estimated_commission(rules, notional, fill.liquidity_side), True
    told = ev.OrderFilled(
        ts_event=ts_event,
        trade_id=fill.trade_id,
        venue_order_id=state.venue_order_id or update.venue_order_id or "",
        last_qty=qty,
        last_px=fill.last_px,
        commission=commission,
        commission_currency=fill.commission_currency or known.fees_currency,
        liquidity_side=fill.liquidity_side,
        cum_qty=cum_qty,
        fee_estimated=estimated,
        venue_trade_id=fill.venue_trade_id,
        ends_at=fill.ends_at if qty == fill.last_qty else None,
    )
    if state.quote_quantity:
        hold(state, told)
    else:
        _tell_fill(state, out, told)


def _tell_fill(state: OrderState, out: Events, fill: ev.OrderFilled) -> None:
    """Tell `fill`, or as much of it as the framework's order can take; the rest is orphaned, never lost."""
    excess = fill.cum_qty - state.quantity
    why = "the order has ended for good" if excess <= 0 else f"the order's quantity is {state.quantity}"
    if 0 < excess < fill.last_qty:
        fits = fill.last_qty - excess
        share = fill.commission * fits / fill.last_qty
        part = structs.replace(fill, last_qty=fits, cum_qty=state.quantity, commission=share, ends_at=None, gaps=())
        if may_follow(state, part):
            _emit(state, out, part)
            fill = structs.replace(fill, last_qty=excess, commission=fill.commission - share)
    elif excess <= 0 and may_follow(state, fill) and fill.venue_order_id:
        known = state.known
        if fill.cum_qty > known.filled_qty:  # a trade is as good a witness as the venue's total
            known.filled_qty, known.notional, known.fees = fill.cum_qty, None, None
        _emit(state, out, fill)
        return
    orphan = ev.FillOrphaned(
        ts_event=fill.ts_event,
        trade_id=fill.trade_id,
        venue_order_id=fill.venue_order_id,
        last_qty=fill.last_qty,
        last_px=fill.last_px,
        commission=fill.commission,
        commission_currency=fill.commission_currency,
        liquidity_side=fill.liquidity_side,
        venue_trade_id=fill.venue_trade_id,
        reason=why,
    )
    _emit(state, out, orphan)


def _refuse_cancel(state: OrderState, out: Events, update: OrderUpdate) -> None:
    if update.cancel_reject_key in state.cancel_rejects or state.is_closed or state.known.end is not None:
        return
    state.cancel_rejects.add(update.cancel_reject_key)
    refuse_cancel(state, out, update.cancel_reject_reason, update.ts_event)


def refuse_cancel(state: OrderState, out: Events, reason: str, ts_event: int) -> None:
    """Tell a refused cancel; an order that was never told to be live is accepted first, as the framework demands."""
    event = ev.OrderCancelRejected(reason=reason, ts_event=ts_event)
    if not may_follow(state, event):
        _accept(state, out, ts_event)
    if may_follow(state, event):
        _emit(state, out, event)


def _conclude(
    state: OrderState,
    out: Events,
    rules: Rules,
    liquidity: LiquiditySide,
    ts_event: int,
    *,
    infer: bool,
) -> None:
    """Close the gap in the fills if it is time to, then tell the end if nothing is missing any more."""
    gap = state.unexplained_qty
    if gap > 0 and infer:
        fill = inferred_fill(state, rules, gap, liquidity, ts_event)
        if fill is None:
            what = f"{gap} filled by order {state.client_order_id}, but no price is known for it"
            out.append(ev.OrderAnomaly(what=what, ts_event=ts_event))
        elif state.quote_quantity:
            hold(state, fill)
        else:
            _accept(state, out, ts_event)
            _tell_fill(state, out, fill)
    end = state.known.end
    if end is None or state.unexplained_qty > 0:
        return
    if state.held:
        _restate(state, out, end.ts_event or ts_event)
    if not state.is_closed:
        _end(state, out, end)


def _restate(state: OrderState, out: Events, ts_event: int) -> None:
    """Restate an order in quote units to the base units it filled, then tell the fills held back till then."""
    held, state.held = state.held, []
    _accept(state, out, ts_event)
    total = sum((fill.last_qty for fill in held), ZERO)
    updated = ev.OrderUpdated(
        venue_order_id=state.venue_order_id or "",
        quantity=total,
        price=state.price,
        trigger_price=state.trigger_price,
        restated=True,
        ts_event=ts_event,
    )
    _emit(state, out, updated)
    for fill in held:
        _tell_fill(state, out, structs.replace(fill, cum_qty=state.filled_qty + fill.last_qty))


def _end(state: OrderState, out: Events, end: End) -> None:
    ts_event = end.ts_event
    canceled = ev.OrderCanceled(reason=end.reason, ts_event=ts_event)
    match end.status:
        case VenueStatus.EXPIRED:
            _accept(state, out, ts_event)
            expired = ev.OrderExpired(reason=end.reason, ts_event=ts_event)
            _emit(state, out, expired if may_follow(state, expired) else canceled)
        case VenueStatus.REJECTED if state.filled_qty == 0 and (end.rejects_live or not state.accepted):
            rejected = ev.OrderRejected(reason=end.reason, due_post_only=end.due_post_only, ts_event=ts_event)
            _emit(state, out, rejected)
        case VenueStatus.FILLED:
            # Not closed by its fills, so the venue calls it done at less than the quantity.
            done = f"venue reports the order done at {state.filled_qty} of {state.quantity}"
            _emit(state, out, ev.OrderCanceled(reason=end.reason or done, ts_event=ts_event))
        case _:
            _emit(state, out, canceled)
