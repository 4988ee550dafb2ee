"""What a public stream says of a market, in words every venue codec can produce.

Prices are quote per base unit, sizes base units, timestamps UNIX ns (0 if the venue does not say).
"""

from decimal import Decimal
from enum import Enum, unique

from msgspec import Struct

from nautilus_orderfeeds.orders.words import OrderSide


@unique
class Channel(Enum):
    """Kinds of market data, one for each of the framework's subscriptions that a venue may serve."""

    QUOTES = "QUOTES"
    TRADES = "TRADES"
    BOOK = "BOOK"
    MARK_PRICES = "MARK_PRICES"
    INDEX_PRICES = "INDEX_PRICES"
    FUNDING_RATES = "FUNDING_RATES"
    BARS = "BARS"
    INSTRUMENT_STATUS = "INSTRUMENT_STATUS"


class Quote(Struct, frozen=True, kw_only=True):
    """Best bid and ask. A venue without sizes gives None."""

    symbol: str
    bid: Decimal
    ask: Decimal
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    ts_event: int = 0


class Trade(Struct, frozen=True, kw_only=True):
    """One public trade; `aggressor_side` is the taker's, None if not said."""

    symbol: str
    price: Decimal
    size: Decimal
    trade_id: str
    aggressor_side: OrderSide | None = None
    ts_event: int = 0


class Book(Struct, frozen=True, kw_only=True):
    """Levels of a book: all of them if `is_snapshot`, else changes to absolute sizes (size 0 removes a level).

    Parameters
    ----------
    bids, asks : tuple of (price, size)
        Best first; each price once.
    sequence : int
        Venue's own number, 0 if it has none.
    """

    symbol: str
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    is_snapshot: bool
    sequence: int = 0
    ts_event: int = 0


class MarkPrice(Struct, frozen=True, kw_only=True):
    """Mark price."""

    symbol: str
    price: Decimal
    ts_event: int = 0


class IndexPrice(Struct, frozen=True, kw_only=True):
    """Index price."""

    symbol: str
    price: Decimal
    ts_event: int = 0


class FundingRate(Struct, frozen=True, kw_only=True):
    """Funding rate as a fraction per interval; positive means longs pay."""

    symbol: str
    rate: Decimal
    next_funding_ns: int = 0
    interval_mins: int | None = None
    ts_event: int = 0


class Candle(Struct, frozen=True, kw_only=True):
    """Open, high, low and close of a period.

    Parameters
    ----------
    period : str
        The framework's bar specification (``"1-DAY-LAST"``).
    volume : Decimal
        Base units.
    is_final : bool
        The period is over; otherwise it is what is known of it so far.
    ts_event : int
        End of the period, UNIX ns.
    """

    symbol: str
    period: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    is_final: bool
    ts_event: int = 0


MarketMessage = Quote | Trade | Book | MarkPrice | IndexPrice | FundingRate | Candle
