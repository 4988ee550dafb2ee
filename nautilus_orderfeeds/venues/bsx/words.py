"""The words of BSX's wire, and which of ours they are (protocol, section 6)."""

from enum import unique
from typing import Final, Self, assert_never

from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce, TriggerType, Word

VENUE: Final = "BSX"

#: Everything is quoted, settled and charged in it (protocol, 2 and 11 row 12).
SETTLEMENT: Final = "USDC"


class _Tolerant(Word):
    """Words whose list may grow without harm: an unknown one becomes UNKNOWN, and the order is still followed."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls["UNKNOWN"]


@unique
class WireSide(Word):
    """Side of an order."""

    BUY = "BUY"
    SELL = "SELL"


@unique
class WireStatus(Word):
    """Status of an order; the list is complete, so anything else is a fault."""

    PENDING = "PENDING"
    OPEN = "OPEN"
    DONE = "DONE"
    STOP_ACCEPTED = "STOP_ACCEPTED"


@unique
class WireOrderType(_Tolerant):
    """Type of an order."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    STOP = "STOP"
    UNKNOWN = ""


@unique
class WireStopType(_Tolerant):
    """Kind of a stop order."""

    STOP_NONE = "STOP_NONE"
    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    UNKNOWN = ""


@unique
class WireStopPrice(_Tolerant):
    """Price that triggers a stop order."""

    NONE = "NONE"
    MARK_PRICE = "MARK_PRICE"
    LAST_TRADED_PRICE = "LAST_TRADED_PRICE"
    UNKNOWN = ""


@unique
class WireTimeInForce(_Tolerant):
    """How long an order stays in force."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTT = "GTT"
    UNKNOWN = ""


@unique
class SelfTradePrevention(Word):
    """Which of two own orders that would trade with each other is cancelled."""

    CANCEL_TAKER = "CANCEL_TAKER"
    CANCEL_MAKER = "CANCEL_MAKER"


@unique
class FrameType(Word):
    """What a WebSocket frame is (protocol, 5.1)."""

    MESSAGE = "message"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    SNAPSHOT = "snapshot"
    UPDATE = "update"
    ERROR = "error"
    AUTHENTICATED = "authenticated"
    PONG = "pong"


@unique
class WireChannel(Word):
    """Channels of the WebSocket."""

    AUTH = "auth"
    ORDERS = "orders"
    BOOK = "book"
    TICKER = "ticker"
    TRADES = "trades"
    ORACLE = "oracle"
    FUNDING_RATE = "funding_rate"


def side_of(side: WireSide) -> OrderSide:
    """Return the framework's word for `side`."""
    match side:
        case WireSide.BUY:
            return OrderSide.BUY
        case WireSide.SELL:
            return OrderSide.SELL
        case _ as never:
            assert_never(never)


def wire_side(side: OrderSide) -> WireSide:
    """Return the wire's word for `side`."""
    match side:
        case OrderSide.BUY:
            return WireSide.BUY
        case OrderSide.SELL:
            return WireSide.SELL
        case _ as never:
            assert_never(never)


def type_of(type_: WireOrderType, stop: WireStopType) -> OrderType | None:
    """Return the framework's order type; None for one that it has no word for.

    A triggered stop keeps its `order_stop_type`, so that decides first: the type of an order never changes.
    """
    match stop:
        case WireStopType.STOP_LOSS:
            return OrderType.STOP_LIMIT
        case WireStopType.TAKE_PROFIT:
            return OrderType.LIMIT_IF_TOUCHED
        case WireStopType.STOP_NONE | WireStopType.UNKNOWN:
            pass
        case _ as never:
            assert_never(never)
    match type_:
        case WireOrderType.LIMIT:
            return OrderType.LIMIT
        case WireOrderType.MARKET:
            return OrderType.MARKET
        case WireOrderType.STOP:
            return OrderType.STOP_LIMIT
        case WireOrderType.UNKNOWN:
            return None
        case _ as never_type:
            assert_never(never_type)


def trigger_of(option: WireStopPrice) -> TriggerType:
    """Return what triggers a stop order: the last trade unless said otherwise (protocol, 8 and 12.2)."""
    match option:
        case WireStopPrice.MARK_PRICE:
            return TriggerType.MARK_PRICE
        case WireStopPrice.NONE | WireStopPrice.LAST_TRADED_PRICE | WireStopPrice.UNKNOWN:
            return TriggerType.LAST_PRICE
        case _ as never:
            assert_never(never)


def time_in_force_of(word: WireTimeInForce) -> TimeInForce | None:
    """Return the framework's time in force; None for one that it has no word for."""
    match word:
        case WireTimeInForce.GTC:
            return TimeInForce.GTC
        case WireTimeInForce.IOC:
            return TimeInForce.IOC
        case WireTimeInForce.FOK:
            return TimeInForce.FOK
        case WireTimeInForce.GTT:
            return TimeInForce.GTD
        case WireTimeInForce.UNKNOWN:
            return None
        case _ as never:
            assert_never(never)


def wire_time_in_force(type_: OrderType, force: TimeInForce) -> WireTimeInForce | None:
    """Return the wire's time in force for an order of `type_`, or None if the venue has none.

    Whether a market order may be GTC is not known; it never rests, so it goes out as IOC (protocol, 11 row 17).
    """
    match force:
        case TimeInForce.GTC:
            return WireTimeInForce.IOC if type_ is OrderType.MARKET else WireTimeInForce.GTC
        case TimeInForce.IOC:
            return WireTimeInForce.IOC
        case TimeInForce.FOK:
            return WireTimeInForce.FOK
        case TimeInForce.GTD:
            return WireTimeInForce.GTT
        case TimeInForce.DAY | TimeInForce.AT_THE_OPEN | TimeInForce.AT_THE_CLOSE:
            return None
        case _ as never:
            assert_never(never)


def wire_type(type_: OrderType) -> WireOrderType | None:
    """Return the wire's type, or None where the venue's request fields are unknown (protocol, 11 row 2)."""
    match type_:
        case OrderType.LIMIT:
            return WireOrderType.LIMIT
        case OrderType.MARKET:
            return WireOrderType.MARKET
        case (
            OrderType.STOP_MARKET
            | OrderType.STOP_LIMIT
            | OrderType.MARKET_TO_LIMIT
            | OrderType.MARKET_IF_TOUCHED
            | OrderType.LIMIT_IF_TOUCHED
            | OrderType.TRAILING_STOP_MARKET
            | OrderType.TRAILING_STOP_LIMIT
        ):
            return None
        case _ as never:
            assert_never(never)


def wire_channel(channel: Channel) -> WireChannel | None:
    """Return the public channel that carries `channel`, or None if the venue has none."""
    match channel:
        case Channel.QUOTES:
            return WireChannel.TICKER
        case Channel.TRADES:
            return WireChannel.TRADES
        case Channel.BOOK:
            return WireChannel.BOOK
        case Channel.MARK_PRICES | Channel.INDEX_PRICES:
            return WireChannel.ORACLE
        case Channel.FUNDING_RATES:
            return WireChannel.FUNDING_RATE
        case Channel.BARS | Channel.INSTRUMENT_STATUS:
            return None
        case _ as never:
            assert_never(never)
