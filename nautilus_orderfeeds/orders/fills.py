"""Telling each trade once, less what was told of it already (laws 2, 3, 5).

A trade may come before or after the statement that counts it, before or after an inferred fill stood in for it,
and before or after the change of terms that made room for it. What it means is decided so:

- Where it has a place on the cumulative quantity, whatever part of that place is told already is not told again.
- Where it has none, and inferred fills have not all been explained (`Coverage.credit`), only amounts decide: what the
  venue's total leaves room for is new, what it leaves no room for was counted. So the sum is never too high. If that
  cannot be said yet, the trade is *undecided* until the next statement, or until waiting ends (`settle`).
- One that would close an order whose terms are just being changed waits in the same way: an order closed too early
  refuses all later fills.
"""

from decimal import Decimal
from typing import Final

from msgspec import structs

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.coverage import Stretch, length
from nautilus_orderfeeds.orders.decimals import ZERO, exact_sum, quantize
from nautilus_orderfeeds.orders.inference import Rules, estimated_commission, px_from_notional
from nautilus_orderfeeds.orders.state import OrderState, evolve, fold_next, try_evolve
from nautilus_orderfeeds.orders.transitions import TRANSITIONS, Trigger
from nautilus_orderfeeds.orders.updates import Fill
from nautilus_orderfeeds.orders.words import OrderStatus

Events = list[ev.OrderEvent]

# Bound once: Python looks an enum's member up anew at every use.
_FILL: Final = Trigger.FILL
_PARTIAL_FILL: Final = Trigger.PARTIAL_FILL


def emit(state: OrderState, out: Events, event: ev.OrderEvent) -> None:
    """Fold `event` into `state` and add it to what is told; raises `IllegalTransition` if it may not follow."""
    if not try_evolve(state, event):
        evolve(state, event)  # says what is wrong
    out.append(event)


def tell_next(state: OrderState, out: Events, fill: Fill, ts_event: int) -> bool:
    """Tell a trade that simply comes next, as nearly every trade does; return whether it was one.

    `tell_trades` would tell the same (a test compares them), after many questions which such a trade does not raise.

    Parameters
    ----------
    state : OrderState
        The order, without undecided trades; changed in place.
    out : list[OrderEvent]
        Where to add the event.
    fill : Fill
        The trade.
    ts_event : int
        UNIX ns where the trade has no time.
    """
    cum_qty, commission, qty = fill.ends_at, fill.commission, fill.last_qty
    coverage, told_qty, venue_order_id = state.coverage, state.filled_qty, state.venue_order_id
    if (
        cum_qty is None
        or commission is None
        or venue_order_id is None
        or state.quote_quantity
        or coverage.islands
        or not coverage.placed
        or coverage.prefix != told_qty
        or (exact_sum(told_qty, qty) if told_qty else qty) != cum_qty
        or fill.trade_id in state.trades
    ):
        return False
    if cum_qty < state.quantity:
        trigger = _PARTIAL_FILL
    elif cum_qty == state.quantity and not state.amending:
        trigger = _FILL
    else:
        return False
    status = TRANSITIONS[state.status].get(trigger)
    if status is None:
        return False
    event = ev.OrderFilled(
        ts_event=fill.ts_event or ts_event,
        trade_id=fill.trade_id,
        venue_order_id=venue_order_id,
        last_qty=qty,
        last_px=fill.last_px,
        commission=commission,
        commission_currency=fill.commission_currency or state.known.fees_currency,
        liquidity_side=fill.liquidity_side,
        cum_qty=cum_qty,
        venue_trade_id=fill.venue_trade_id,
        ends_at=cum_qty,
    )
    fold_next(state, event, status)
    out.append(event)
    return True


def tell_trades(
    state: OrderState,
    out: Events,
    fills: tuple[Fill, ...],
    rules: Rules,
    ts_event: int,
    *,
    at_last: bool = False,
) -> None:
    """Tell `fills` and the undecided trades, as far as can be said now.

    Parameters
    ----------
    state : OrderState
        The order; changed in place.
    out : list[OrderEvent]
        Where to add the events.
    fills : tuple[Fill, ...]
        Trades just told by the venue.
    rules : Rules
        Of the order.
    ts_event : int
        UNIX ns where a trade has no time.
    at_last : bool
        Decide now whatever can be decided: waiting is over.
    """
    known = state.known
    while True:
        if known.undecided:
            fills = (*known.undecided.values(), *fills)
            known.undecided = {}
        decided = False
        for fill in fills:
            if fill.trade_id in state.trades:
                continue
            if _tell_trade(state, out, fill, rules, fill.ts_event or ts_event, wait=not at_last):
                decided = True
            elif fill.trade_id not in known.undecided:
                known.undecided[fill.trade_id] = structs.replace(fill, ts_event=fill.ts_event or ts_event)
        if not (decided and known.undecided):
            return
        fills = ()  # one decided trade may decide another


def _tell_trade(state: OrderState, out: Events, fill: Fill, rules: Rules, ts_event: int, *, wait: bool) -> bool:
    """Tell what is new of `fill`; return whether that could be decided."""
    if state.venue_order_id is None:
        return False
    coverage = state.coverage
    qty, ends_at = fill.last_qty, fill.ends_at
    stretch: Stretch | None = None
    gaps: tuple[Stretch, ...] = ()
    new_qty: Decimal | None
    if ends_at is not None and coverage.placed and ends_at >= qty:
        begins_at = ends_at - qty
        if begins_at >= coverage.prefix and not coverage.islands:
            new_qty = qty  # the usual case: what comes next
        else:
            stretch = (begins_at, ends_at)
            gaps = coverage.untold(stretch)
            new_qty = length(gaps)
    else:
        ends_at = None
        # A filled order has no room for anything new, so there is nothing to wait for.
        new_qty = _new_by_amount(state, qty, ts_event, wait=wait and state.status is not OrderStatus.FILLED)
    if new_qty is None:
        return False
    if new_qty and wait and state.filled_qty + new_qty >= state.quantity and _may_close_too_early(state, new_qty):
        return False
    if new_qty < qty:
        absorbed = ev.FillAbsorbed(
            trade_id=fill.trade_id,
            qty=qty - new_qty,
            last_px=fill.last_px,
            commission=None if fill.commission is None else fill.commission * (qty - new_qty) / qty,
            stretch=stretch,
            ts_event=ts_event,
        )
        emit(state, out, absorbed)
        ends_at = None
    else:
        gaps = ()
    if new_qty:
        tell_fill(state, out, _book(state, rules, fill, new_qty, ts_event, ends_at, gaps))
    return True


def _new_by_amount(state: OrderState, qty: Decimal, ts_event: int, *, wait: bool) -> Decimal | None:
    """Return how much of a trade without a place no inferred fill has counted; None if that cannot be said yet."""
    coverage = state.coverage
    credit = coverage.credit
    if credit <= 0:
        return qty
    rest = qty - min(qty, credit)
    room = state.unexplained_qty
    times_known = ts_event > 0 and coverage.inferred_ts > 0
    # It happened before, or is as large as what was inferred: then it is most likely what was inferred.
    is_old = ts_event <= coverage.inferred_ts if times_known else qty == credit
    if is_old and room >= rest:
        return rest
    if not is_old and room >= qty:
        return qty
    return None if wait else rest


def _may_close_too_early(state: OrderState, qty: Decimal) -> bool:
    """Whether `qty` more would close the order though its terms may have changed before, for all we know."""
    known = state.known
    if state.quote_quantity or state.is_closed or known.end is not None:
        return False
    filled_qty = state.filled_qty + qty
    if filled_qty < state.quantity or (filled_qty == state.quantity and not state.amending):
        return False
    return known.terms_as_of < filled_qty


def _book(
    state: OrderState,
    rules: Rules,
    fill: Fill,
    qty: Decimal,
    ts_event: int,
    ends_at: Decimal | None,
    gaps: tuple[Stretch, ...],
) -> ev.OrderFilled:
    known = state.known
    estimated = False
    if fill.commission is not None:
        # A part that had been inferred had its commission then; the rest of the trade carries the rest of it.
        commission = fill.commission if qty == fill.last_qty else fill.commission * qty / fill.last_qty
    elif known.fees is not None and qty == state.unexplained_qty:
        commission = known.fees - state.counted_fees - state.orphaned_fees
    else:
        commission, estimated = estimated_commission(rules, qty * fill.last_px, fill.liquidity_side), True
    told = ev.OrderFilled(
        ts_event=ts_event,
        trade_id=fill.trade_id,
        venue_order_id=state.venue_order_id or "",
        last_qty=qty,
        last_px=fill.last_px,
        commission=commission,
        commission_currency=fill.commission_currency or known.fees_currency,
        liquidity_side=fill.liquidity_side,
        cum_qty=state.counted_qty + qty,
        fee_estimated=estimated,
        venue_trade_id=fill.venue_trade_id,
        ends_at=ends_at,
        gaps=gaps,
    )
    if state.coverage.ever_inferred and ends_at is None and not gaps:
        return _corrected(state, rules, told)
    return told


def _corrected(state: OrderState, rules: Rules, told: ev.OrderFilled) -> ev.OrderFilled:
    """Make up for money told wrongly, where only amounts could be compared: a trade may have been taken for another.

    Once trades have explained all that was inferred, they tell what it should have been told with. Before that, the
    venue's totals do, if this fill completes them.
    """
    coverage, known, qty = state.coverage, state.known, told.last_qty
    px, commission = told.last_px, told.commission
    if coverage.credit == 0:
        # Half a tick on every unit is the rounding of inferred prices, not an error.
        rounding = state.counted_qty.scaleb(-rules.price_precision) / 2
        if known.tells_money and abs(coverage.credit_notional) > rounding:
            px = quantize(px - coverage.credit_notional / qty, rules.price_precision)
        commission -= coverage.credit_fees
    elif qty == state.unexplained_qty:
        px = px_from_notional(state, rules, qty, px) or px
        if known.fees is not None:
            commission = known.fees - state.counted_fees - state.orphaned_fees
    if px == told.last_px and commission == told.commission:
        return told
    if px <= 0:
        px = told.last_px
    return structs.replace(
        told, last_px=px, commission=commission, venue_px=told.last_px, venue_commission=told.commission
    )


def tell_fill(state: OrderState, out: Events, fill: ev.OrderFilled) -> None:
    """Tell `fill`, or as much of it as the framework's order can take; the rest is orphaned, never lost.

    The fill of an order in quote units is held back until `restate`.
    """
    if state.quote_quantity:
        _hold(state, fill)
        return
    if fill.cum_qty <= state.quantity and try_evolve(state, fill):
        out.append(fill)
        return
    excess = fill.cum_qty - state.quantity
    why = "the order has ended for good" if excess <= 0 else f"the order's quantity is {state.quantity}"
    if 0 < excess < fill.last_qty:
        part = structs.replace(_share(fill, fill.last_qty - excess), cum_qty=state.quantity)
        if try_evolve(state, part):
            out.append(part)
            fill = _share(fill, excess)
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
        inferred=fill.inferred,
        ends_at=fill.ends_at,
        gaps=fill.gaps,
        venue_px=fill.venue_px,
        venue_commission=fill.venue_commission,
    )
    emit(state, out, orphan)


def _share(fill: ev.OrderFilled, qty: Decimal) -> ev.OrderFilled:
    """Return `qty` base units of `fill`, with that share of its commission and without its place."""
    venue_commission = fill.venue_commission
    return structs.replace(
        fill,
        last_qty=qty,
        commission=fill.commission * qty / fill.last_qty,
        venue_commission=None if venue_commission is None else venue_commission * qty / fill.last_qty,
        ends_at=None,
        gaps=(),
    )


def _hold(state: OrderState, fill: ev.OrderFilled) -> None:
    """Hold `fill` back until the order can be restated in base units (it is told then, so it is not journaled now)."""
    fill = structs.replace(fill, ends_at=None, gaps=())
    state.held.append(fill)
    state.trades[fill.trade_id] = fill.last_qty
    state.coverage.count(fill)
    state.known.witness(state.counted_qty + state.orphaned_qty)


def restate(state: OrderState, out: Events, ts_event: int) -> None:
    """Restate an order in quote units to the base units it filled, then tell the fills held back till then."""
    held, state.held = state.held, []
    for fill in held:  # telling them counts them again; what trades have explained meanwhile stays explained
        state.coverage.count_back(fill)
    restated = ev.OrderUpdated(
        venue_order_id=state.venue_order_id or "",
        quantity=sum((fill.last_qty for fill in held), ZERO),
        price=state.price,
        trigger_price=state.trigger_price,
        restated=True,
        ts_event=ts_event,
    )
    if not state.is_closed or state.status is OrderStatus.CANCELED:
        emit(state, out, restated)
    else:  # nothing can be told any more: every fill becomes an orphan
        state.quote_quantity = False
    for fill in held:
        tell_fill(state, out, structs.replace(fill, cum_qty=state.filled_qty + fill.last_qty))
