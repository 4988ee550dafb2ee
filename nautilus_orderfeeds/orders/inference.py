"""Fills that no trade tells of, made from the growth of the venue's cumulative numbers (laws 2, 3, 7, 8).

The price of an inferred fill is what makes the order's notional agree with the venue's average again. It is
computed against what was really told so far, so a rounding error is corrected by the next fill and never accumulates.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import ZERO, quantize
from nautilus_orderfeeds.orders.known import Known
from nautilus_orderfeeds.orders.state import OrderState
from nautilus_orderfeeds.orders.words import LiquiditySide


class Rules(Struct, frozen=True, kw_only=True):
    """What the reducer must know of an instrument and its venue.

    Parameters
    ----------
    inferred_trade_id : Callable[[str, Decimal], str]
        (venue order id, cumulative quantity at the end of what the fill stands for) -> trade id, at most 36 ASCII
        characters, the same for the same input for ever. It may name real trades in the same way (by the cumulative
        quantity after them) and then must be the same function; otherwise it must equal no id of a real trade.
    price_precision : int
        Decimal places of a price of this instrument.
    maker_fee, taker_fee : Decimal, optional
        Fraction of notional; None if not known. Used only where the venue tells no commission.
    infer_at_once : bool
        The venue tells cumulative quantity and average price only: no trades will come, so there is nothing to wait
        for. What it tells without a price (in a list of orders) waits all the same: the price can be asked for.
    commission_places : int
        Decimal places of an estimated commission.
    quote_as_last_resort : bool
        A fill of which the venue tells no price at all, though it was asked, may be priced by the last known quote.
    """

    inferred_trade_id: Callable[[str, Decimal], str]
    price_precision: int
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    infer_at_once: bool = False
    commission_places: int = 8
    quote_as_last_resort: bool = False


def estimated_commission(rules: Rules, notional: Decimal, liquidity: LiquiditySide) -> Decimal:
    """Return the instrument's own rate on `notional` (quote units), or zero if no rate is known.

    Unknown is not zero: whoever uses this marks the fill as estimated (law 8).
    """
    rate = rules.maker_fee if liquidity is LiquiditySide.MAKER else rules.taker_fee
    return ZERO if rate is None else quantize(notional * rate, rules.commission_places)


def px_from_notional(state: OrderState, rules: Rules, qty: Decimal, told_px: Decimal | None) -> Decimal | None:
    """Return the price of `qty` base units that brings the notional told into agreement with the venue's.

    Parameters
    ----------
    state : OrderState
        The order; `qty` is all that is missing of the venue's cumulative quantity.
    rules : Rules
        Of the order's instrument.
    qty : Decimal
        Base units.
    told_px : Decimal, optional
        What the venue itself says of the price. If it agrees with the average, it is exact and is taken as it is.

    Returns
    -------
    Decimal or None
        Positive. None if the venue tells no notional, or one that makes no sense with what was told.
    """
    known = state.known
    notional = known.notional
    if notional is None:
        return None
    exact = (notional - state.counted_notional - state.orphaned_notional) / qty
    if told_px is not None and told_px > 0 and abs(exact - told_px) * qty <= _slack(known, rules):
        return told_px
    for px in (exact, notional / known.filled_qty):
        rounded = quantize(px, rules.price_precision)
        if rounded > 0:
            return rounded
    return None


def _slack(known: Known, rules: Rules) -> Decimal:
    """Return by how much the venue's notional may be off, quote units.

    A number is rounded to its last place, but not coarser than a price: zeros at its end may have been cut off.
    """
    told, units = known.filled_notional, Decimal(1)
    if told is None:
        told, units = known.avg_px, known.filled_qty
    exponent = 0 if told is None else told.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    return units.scaleb(-max(places, rules.price_precision))


def inferred_px(state: OrderState, rules: Rules, qty: Decimal) -> Decimal | None:
    """Return the price of an inferred fill of `qty` base units (all that is missing), or None if none is known.

    In this order: from the venue's notional or average, the venue's price of the latest fill, the order's own price.
    """
    px = px_from_notional(state, rules, qty, state.known.last_px)
    if px is None:
        px = next((told for told in (state.known.last_px, state.price) if told is not None and told > 0), None)
    return px


def inferred_fill(
    state: OrderState,
    rules: Rules,
    qty: Decimal,
    liquidity: LiquiditySide,
    ts_event: int,
) -> ev.OrderFilled | None:
    """Make the fill that explains `qty` base units, all that is missing of the venue's cumulative quantity.

    Returns
    -------
    OrderFilled or None
        None if no price is known at all: better no fill yet than one at an invented price.
    """
    px = inferred_px(state, rules, qty)
    venue_order_id = state.venue_order_id
    if px is None or venue_order_id is None:
        return None
    known = state.known
    if known.fees is not None:
        commission, estimated = known.fees - state.counted_fees - state.orphaned_fees, False
    else:
        commission, estimated = estimated_commission(rules, qty * px, liquidity), True
    gaps = state.coverage.gaps(known.filled_qty, qty)
    return ev.OrderFilled(
        ts_event=ts_event,
        trade_id=_inferred_trade_id(state, rules, venue_order_id, gaps[-1][1] if gaps else known.filled_qty, qty),
        venue_order_id=venue_order_id,
        last_qty=qty,
        last_px=px,
        commission=commission,
        commission_currency=known.fees_currency,
        liquidity_side=liquidity,
        cum_qty=state.counted_qty + qty,
        inferred=True,
        fee_estimated=estimated,
        gaps=gaps,
    )


def _inferred_trade_id(state: OrderState, rules: Rules, venue_order_id: str, ends_at: Decimal, qty: Decimal) -> str:
    """Name it by where it ends. Where trades are named in the same way, that name is free unless places were lost."""
    name = rules.inferred_trade_id(venue_order_id, ends_at)
    for _ in range(len(state.trades)):
        if name not in state.trades:
            break
        ends_at -= qty
        name = rules.inferred_trade_id(venue_order_id, ends_at)
    return name
