"""What comes over BSX's public channels, one struct a channel (protocol, 5.2)."""

from decimal import Decimal
from typing import Final

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.venues.bsx.wire import Nanos
from nautilus_orderfeeds.venues.bsx.words import FrameType

Levels = list[tuple[Decimal, Decimal]]


class BookData(Struct):
    """Levels as (price, absolute size)."""

    bids: Levels | None
    asks: Levels | None
    timestamp: Nanos = 0
    gsn: int = 0


class BookFrame(Struct, tag_field="channel", tag="book"):
    """Frame of the channel `book`."""

    type: FrameType
    product: str = ""
    data: BookData | None = None
    timestamp: Nanos = 0
    message: str = ""


class Level(Struct):
    """Best price of one side; both zero if the side is empty."""

    price: Decimal
    size: Decimal


class TickerData(Struct):
    """Best bid and ask."""

    bid: Level
    ask: Level
    timestamp: Nanos = 0
    gsn: int = 0


class TickerFrame(Struct, tag_field="channel", tag="ticker"):
    """Frame of the channel `ticker`."""

    type: FrameType
    product: str = ""
    data: TickerData | None = None
    timestamp: Nanos = 0
    message: str = ""


class PublicTrade(Struct):
    """One public trade; `maker_side` is in lower case."""

    price: Decimal
    size: Decimal
    maker_side: str
    id: str
    time: Nanos = 0


class TradesFrame(Struct, tag_field="channel", tag="trades"):
    """Frame of the channel `trades`; live ones lack the outer timestamp."""

    type: FrameType
    product: str = ""
    data: PublicTrade | None = None
    timestamp: Nanos = 0
    message: str = ""


class OracleData(Struct):
    """Mark and index price of an asset."""

    mark_price: Decimal
    index_price: Decimal
    asset: str = ""
    timestamp: Nanos = 0


class OracleFrame(Struct, tag_field="channel", tag="oracle"):
    """Frame of the channel `oracle`; in updates `product` is the asset."""

    type: FrameType
    product: str = ""
    data: OracleData | None = None
    timestamp: Nanos = 0
    message: str = ""


class FundingData(Struct):
    """Estimated funding rate."""

    funding_rate: Decimal


class FundingFrame(Struct, tag_field="channel", tag="funding_rate"):
    """Frame of the channel `funding_rate`."""

    type: FrameType
    product: str = ""
    data: FundingData | None = None
    timestamp: Nanos = 0
    message: str = ""


MarketFrame = BookFrame | TickerFrame | TradesFrame | OracleFrame | FundingFrame

MARKET_FRAME: Final[msgspec.json.Decoder[MarketFrame]] = msgspec.json.Decoder(MarketFrame, strict=False)
