"""What comes over sFOX's market feeds and its REST book (protocol, 7.6 and 8.6)."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.venues.sfox import wire


class Level(Struct, array_like=True):
    """One row of a book: a price of one venue."""

    price: Decimal
    size: Decimal
    venue: str = ""


class BookPayload(Struct, kw_only=True):
    """A whole book; rows of one price may be several, in any order. `market_making` repeats a part of it."""

    bids: list[Level] | None = None
    asks: list[Level] | None = None
    lastpublished: int | None = None
    lastupdated: int | None = None


class TradePayload(Struct, kw_only=True):
    """A trade of any of the venues; `side` is the taker's, `id` is unique at its exchange."""

    id: str
    price: Decimal
    quantity: Decimal
    exchange: str = ""
    side: str = ""
    timestamp: str = ""
    # Without it the quantity is an integer of unknown unit (the shape of 2019).
    is_decimal: bool | None = None


class TickerPayload(Struct, kw_only=True):
    """The day so far, since 00:00 GMT; no bid or ask."""

    open: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    volume: Decimal


BOOK: Final = wire.decoder(BookPayload)
TRADE: Final = wire.decoder(TradePayload)
TICKER: Final = wire.decoder(TickerPayload)
