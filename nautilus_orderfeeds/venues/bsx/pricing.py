"""The worst acceptable price of a market order, which BSX wants signed (protocol, 4.3 and 12.2)."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from nautilus_orderfeeds.orders.decimals import EXACT
from nautilus_orderfeeds.orders.words import OrderSide


def worst_price(reference: Decimal, side: OrderSide, slippage: Decimal, tick: Decimal) -> Decimal:
    """Return how far a market order may go.

    Parameters
    ----------
    reference : Decimal
        Best opposite price, quote per base; positive.
    side : OrderSide
        Of the order.
    slippage : Decimal
        Fraction of `reference` (0.01 is one per cent), below one.
    tick : Decimal
        Price increment.

    Returns
    -------
    Decimal
        On the tick, rounded away from `reference`, at least one tick.
    """
    with localcontext(EXACT):
        match side:
            case OrderSide.BUY:
                ticks = (reference * (1 + slippage) / tick).to_integral_value(ROUND_CEILING)
            case OrderSide.SELL:
                ticks = (reference * (1 - slippage) / tick).to_integral_value(ROUND_FLOOR)
        return max(ticks, Decimal(1)) * tick
