"""The two usual statements of a venue, taken in at one go: the order is live, and it has traded once more.

Nearly every statement is one of them, and most of what `reducer.reduce` asks does not arise there. Each function asks
first whether all of that is so, and changes nothing if it is not; if it is, it tells and remembers exactly what
`reduce` would (a test compares the two over random lives). `reduce` is where the laws are explained.
"""

from typing import Final

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import exact_sum
from nautilus_orderfeeds.orders.known import End
from nautilus_orderfeeds.orders.state import OrderState, Placement
from nautilus_orderfeeds.orders.updates import OrderUpdate, VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderStatus

# Bound once: Python looks an enum's member up anew at every use.
_WORKING: Final = VenueStatus.WORKING
_FILLED: Final = VenueStatus.FILLED
_SUBMITTED: Final = OrderStatus.SUBMITTED
_ACCEPTED: Final = OrderStatus.ACCEPTED
_PARTIALLY_FILLED: Final = OrderStatus.PARTIALLY_FILLED
_ALL_FILLED: Final = OrderStatus.FILLED
_AT_VENUE: Final = Placement.VENUE
_UNKNOWN_SIDE: Final = LiquiditySide.NO_LIQUIDITY_SIDE


def is_calm(state: OrderState) -> bool:
    """Return whether `state` is that of a live order whose fills all have their place, one after the other.

    And no end, no trigger and no undecided trade is known of it. A usual fill leaves it so; so this is asked once, and
    then remembered (`OrderState.is_calm`).
    """
    known, coverage = state.known, state.coverage
    return (
        state.accepted
        and state.placement is _AT_VENUE
        and not state.quote_quantity
        and not state.orphaned_qty
        and known.end is None
        and not known.waiting
        and not known.undecided
        and not coverage.islands
        and coverage.placed
        and coverage.prefix == state.filled_qty
    )


def next_usual(state: OrderState, update: OrderUpdate) -> ev.OrderAccepted | ev.OrderFilled | None:
    """Take in `update` if it is one of the two. Then nothing is left to be explained: what the venue says is told.

    The second of the two: a live order, all of whose fills are told, has traded once more, and is as before otherwise.

    Parameters
    ----------
    state : OrderState
        The order; changed in place, but not if None is returned.
    update : OrderUpdate
        Any statement.

    Returns
    -------
    OrderAccepted, OrderFilled or None
        What to tell, folded already; None: it is not that simple.
    """
    fills = update.fills
    if len(fills) != 1:
        return None if fills else _next_accept(state, update)
    fill = fills[0]
    known, told_qty, quantity = state.known, state.filled_qty, state.quantity
    status, cum_qty, qty, commission = update.status, update.filled_qty, fill.last_qty, fill.commission
    venue_order_id = state.venue_order_id
    if (
        cum_qty is None
        or commission is None
        or venue_order_id is None
        or venue_order_id != update.venue_order_id
        or not (state.is_calm or is_calm(state))
        or update.version
        or update.cancel_reject_reason
        or update.filled_notional
        or update.last_px
        or (fill.ends_at is not cum_qty and fill.ends_at != cum_qty)
        or (exact_sum(told_qty, qty) if told_qty else qty) != cum_qty
        or cum_qty <= known.filled_qty
        or (known.stated_qty is not known.filled_qty and cum_qty <= known.stated_qty)
        or update.quantity != quantity
        or update.price != state.price
        or update.trigger_price != state.trigger_price
        or fill.trade_id in state.trades
    ):
        return None
    before = state.status
    if before is not _ACCEPTED and before is not _PARTIALLY_FILLED:
        return None
    is_total = cum_qty is update.quantity  # which is `quantity`; a decoder may make equal numbers one
    if not is_total and cum_qty < quantity:
        if status is not _WORKING:
            return None
        state.status = _PARTIALLY_FILLED
    elif (is_total or cum_qty == quantity) and not state.amending and (status is _FILLED or status is _WORKING):
        state.status = _ALL_FILLED
    else:
        return None
    # What the statement teaches (`learning.learn`) ...
    ts_event, avg_px, liquidity_side = update.ts_event, update.avg_px, update.liquidity_side
    known.filled_qty = known.stated_qty = known.terms_as_of = cum_qty
    known.filled_notional = known.last_px = known.avg_px = None
    if avg_px:
        known.avg_px, known.tells_money = avg_px, True
    known.fees = update.fees
    if update.fees_currency is not None:
        known.fees_currency = update.fees_currency
    if liquidity_side is not _UNKNOWN_SIDE:
        known.liquidity_side = liquidity_side
    state.is_calm = status is _WORKING
    if status is _WORKING:
        known.working = True
    else:
        known.end = End(_FILLED, update.reason, update.due_post_only, update.rejects_live, ts_event)
    known.canceling = False
    if ts_event:
        known.ts_event = ts_event
    # ... and what the trade does (`state.fold_next`).
    last_px, trade_id, traded_at = fill.last_px, fill.trade_id, fill.ts_event or ts_event
    state.before_request = before
    if traded_at > state.ts_last:
        state.ts_last = traded_at
    state.filled_qty = state.coverage.prefix = cum_qty
    state.money.unsummed.append((qty, last_px, commission))
    state.trades[trade_id] = qty
    return ev.OrderFilled(
        ts_event=traded_at,
        trade_id=trade_id,
        venue_order_id=venue_order_id,
        last_qty=qty,
        last_px=last_px,
        commission=commission,
        commission_currency=fill.commission_currency or known.fees_currency,
        liquidity_side=fill.liquidity_side,
        cum_qty=cum_qty,
        venue_trade_id=fill.venue_trade_id,
        ends_at=cum_qty,
    )


def _next_accept(state: OrderState, update: OrderUpdate) -> ev.OrderAccepted | None:
    """Take in the first news of a sent order: it is live, by the terms it was sent with, and nothing has filled.

    Parameters
    ----------
    state : OrderState
        The order; changed in place, but not if None is returned.
    update : OrderUpdate
        A statement without trades.

    Returns
    -------
    OrderAccepted or None
        What to tell, folded already; None: it is not that simple.
    """
    known = state.known
    venue_order_id, filled, ts_event = update.venue_order_id, update.filled_qty, update.ts_event
    if (
        update.status is not _WORKING
        or state.status is not _SUBMITTED
        or venue_order_id is None
        or state.venue_order_id is not None
        or state.accepted
        or filled is None
        or filled
        or known.filled_qty
        or known.stated_qty
        or known.ts_event > ts_event
        or known.end is not None
        or known.waiting
        or known.undecided
        or update.version
        or update.cancel_reject_reason
        or update.avg_px
        or update.filled_notional
        or update.last_px
        or update.quantity != state.quantity
        or update.price != state.price
        or update.trigger_price != state.trigger_price
    ):
        return None
    state.venue_order_id, state.placement = venue_order_id, _AT_VENUE
    if update.fees is not None:
        known.fees = update.fees
    if update.fees_currency is not None:
        known.fees_currency = update.fees_currency
    if update.liquidity_side is not _UNKNOWN_SIDE:
        known.liquidity_side = update.liquidity_side
    known.working = True
    known.canceling = False
    known.ts_event = ts_event
    known.terms_as_of = filled
    event = ev.OrderAccepted(venue_order_id=venue_order_id, ts_event=update.ts_accepted or ts_event)
    state.before_request, state.status, state.accepted = _SUBMITTED, _ACCEPTED, True
    if event.ts_event > state.ts_last:
        state.ts_last = event.ts_event
    return event
