"""Fills that no trade tells of, made from the growth of the venue's cumulative numbers (laws 2, 3, 7, 8).

The price of an inferred fill is what makes the order's notional agree with the venue's average again. It is
computed against what was really told so far, so a rounding error is corrected by the next fill and never accumulates.
"""

from collections.abc import Callable
from decimal import Decimal, localcontext

from msgspec import Struct

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import EXACT, ZERO, quantize
from nautilus_orderfeeds.orders.state import OrderState
from nautilus_orderfeeds.orders.words import LiquiditySide


class Rules(Struct, frozen=True, kw_only=True):
    """What the reducer must know of an instrument and its venue.

    Parameters
    ----------
    inferred_trade_id : Callable[[str, Decimal], str]
        (venue order id, cumulative quantity after the fill) -> trade id, at most 36 ASCII characters, the same
        for the same input for ever, and equal to no id of a real trade.
    price_precision : int
        Decimal places of a price of this instrument.
    maker_fee, taker_fee : Decimal, optional
        Fraction of notional; None if not known. Used only where the venue tells no commission.
    infer_at_once : bool
        The venue tells cumulative quantity only: no trades will come, so there is nothing to wait for.
    commission_places : int
        Decimal places of an estimated commission.
    """

    inferred_trade_id: Callable[[str, Decimal], str]
    price_precision: int
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    infer_at_once: bool = False
    commission_places: int = 8


def estimated_commission(rules: Rules, notional: Decimal, liquidity: LiquiditySide) -> Decimal:
    """Return the instrument's own rate on `notional` (quote units), or zero if no rate is known.

    Unknown is not zero: whoever uses this marks the fill as estimated (law 8).
    """
    rate = rules.maker_fee if liquidity is LiquiditySide.MAKER else rules.taker_fee
    return ZERO if rate is None else quantize(notional * rate, rules.commission_places)


def inferred_px(state: OrderState, rules: Rules, qty: Decimal) -> Decimal | None:
    """Return the price that brings the notional told into agreement with the venue's, or None if none is known.

    Where the venue gives the price of the latest fill and it agrees with the average, that price is exact and taken.
    """
    known = state.known
    with localcontext(EXACT):
        if known.notional is None:
            px = known.last_px or state.price
            return None if px is None else quantize(px, rules.price_precision)
        exact = (known.notional - state.counted_notional) / qty
        if known.last_px is not None:
            # Both averages are rounded to their last place: that much the difference may be off.
            slack = Decimal(1).scaleb(-known.avg_places) * known.filled_qty / qty
            if abs(exact - known.last_px) <= slack:
                return known.last_px
        px = quantize(exact, rules.price_precision)
        if px > 0 or known.notional <= 0:
            return px
        return quantize(known.notional / known.filled_qty, rules.price_precision)


def inferred_fill(
    state: OrderState,
    rules: Rules,
    qty: Decimal,
    liquidity: LiquiditySide,
    ts_event: int,
) -> ev.OrderFilled | None:
    """Make the fill that explains `qty` base units of the venue's cumulative quantity.

    Returns
    -------
    OrderFilled or None
        None if no price is known at all: better no fill yet than one at an invented price.
    """
    px = inferred_px(state, rules, qty)
    venue_order_id = state.venue_order_id
    if px is None or venue_order_id is None:
        return None
    cum_qty = state.counted_qty + qty
    known = state.known
    if known.fees is not None and cum_qty == known.filled_qty:
        commission, estimated = known.fees - state.counted_fees, False
    else:
        commission, estimated = estimated_commission(rules, qty * px, liquidity), True
    return ev.OrderFilled(
        ts_event=ts_event,
        trade_id=rules.inferred_trade_id(venue_order_id, cum_qty),
        venue_order_id=venue_order_id,
        last_qty=qty,
        last_px=px,
        commission=commission,
        commission_currency=known.fees_currency,
        liquidity_side=liquidity,
        cum_qty=cum_qty,
        inferred=True,
        fee_estimated=estimated,
        gaps=state.coverage.gaps(known.filled_qty, qty),
    )
