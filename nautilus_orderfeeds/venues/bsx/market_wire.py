"""What comes over BSX's public channels, one struct a channel (protocol, 5.2)."""

from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.venues.bsx.wire import DECODE_ERRORS, Nanos
from nautilus_orderfeeds.venues.bsx.words import FrameType

Levels = list[tuple[Decimal, Decimal]]


class BookData(Struct):
    """Levels as (price, absolute size); a side without levels may be left out."""

    bids: Levels | None = None
    asks: Levels | None = None
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
    """Best price of one side; both zero, or left out, if the side is empty."""

    price: Decimal = ZERO
    size: Decimal = ZERO


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

#: Decimals come from the text, also where they are written as numbers.
_object: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def decode_frames(raw: bytes) -> list[MarketFrame]:
    """Read a frame of a public channel; a second time, more loosely, if it does not fit.

    Then keys that are null or empty text are absent, and several trades in one frame are one frame each: a change of
    the book that is not read leaves a wrong price in it for up to a minute.

    Raises
    ------
    msgspec.MsgspecError or UnicodeDecodeError
        If it cannot be read at all: why it did not fit the first time.
    """
    try:
        return [MARKET_FRAME.decode(raw)]
    except DECODE_ERRORS as exc:
        fault = exc
    try:
        told = _filled_in(_object.decode(raw))
        data = told.get("data")
        rows = data if told.get("channel") == "trades" and isinstance(data, list) else [data]
        return [_converted(told, row) for row in rows]
    except (*DECODE_ERRORS, RecursionError):
        raise fault from None


def _converted(told: dict[str, Any], data: Any) -> MarketFrame:
    if isinstance(data, dict) and isinstance(data.get("id"), int):
        data = data | {"id": str(data["id"])}
    frame: MarketFrame = msgspec.convert(told | {"data": data}, MarketFrame, strict=False)
    return frame


def _filled_in(told: Any) -> Any:
    """Return what is told without the keys that tell nothing."""
    if isinstance(told, dict):
        return {key: _filled_in(value) for key, value in told.items() if value is not None and value != ""}
    return [_filled_in(row) for row in told] if isinstance(told, list) else told
