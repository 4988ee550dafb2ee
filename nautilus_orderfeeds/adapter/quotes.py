"""What the framework's cache knows of prices."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import PriceType

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.orders.words import OrderSide


def best_opposite(cache: Any, instrument_id: Any, side: OrderSide) -> Decimal | None:
    """Return the best price an order of `side` could fill at (quote per base), None if no quote is cached.

    Parameters
    ----------
    cache : nautilus_trader.cache.Cache
        The framework's cache.
    instrument_id : InstrumentId
        Instrument.
    side : OrderSide
        Of the order.
    """
    quote = cache.quote_tick(instrument_id)
    buy = side is OrderSide.BUY
    if quote is not None:
        best = quote.ask_price if buy else quote.bid_price
    else:
        best = cache.price(instrument_id, PriceType.ASK if buy else PriceType.BID)
    return convert.decimal_of(best)
