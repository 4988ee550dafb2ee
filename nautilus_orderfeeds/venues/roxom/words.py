"""The words of Roxom's wire, and which of ours they are (protocol, sections 3 and 5.3)."""

from enum import unique
from typing import Final

from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce, Word

VENUE: Final = "ROXOM"

#: Everything is priced, margined, charged and settled in it (protocol, title).
SETTLEMENT: Final = "BTC"

#: The unit this client always asks for; the venue's defaults differ from call to call (protocol, 3).
UNIT: Final = "btc"

#: The other unit: a hundred-millionth.
SATS: Final = "sats"
SATS_PLACES: Final = 8

#: Type of all instruments this client trades.
INST_TYPE: Final = "perpetual"


@unique
class WireSide(Word):
    """Side of an order."""

    BUY = "buy"
    SELL = "sell"


@unique
class WireStatus(Word):
    """The ten statuses of an order; the list is complete, so anything else is a fault."""

    PENDING_SUBMIT = "pendingsubmit"
    WAITING_TRIGGER = "waitingtrigger"
    SUBMITTED = "submitted"
    PARTIALLY_FILLED = "partiallyfilled"
    PENDING_CANCEL = "pendingcancel"
    FILLED = "filled"
    PARTIALLY_FILLED_CANCELLED = "partiallyfilledcancelled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    INACTIVE = "inactive"


#: Statuses after which nothing is expected. INACTIVE is ambiguous and not among them.
FINAL_STATUSES: Final = frozenset(
    {WireStatus.FILLED, WireStatus.PARTIALLY_FILLED_CANCELLED, WireStatus.CANCELLED, WireStatus.REJECTED}
)


@unique
class WireOrderType(Word):
    """Type of an order."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stoplimit"


@unique
class WireTimeInForce(Word):
    """How long an order stays in force."""

    GTC = "gtc"
    IOC = "ioc"
    GTD = "gtd"


@unique
class WireChannel(Word):
    """Channels of the WebSocket; the first four are the account's and have no symbol."""

    ORDERS = "orders"
    BALANCE = "balance"
    POSITIONS = "positions"
    ACCOUNT = "account"
    LEVEL1 = "level1"
    TRADE = "trade"
    DEPTH = "depth"
    TICKER = "ticker"


SIDES: Final = {WireSide.BUY: OrderSide.BUY, WireSide.SELL: OrderSide.SELL}
TYPES: Final = {
    WireOrderType.MARKET: OrderType.MARKET,
    WireOrderType.LIMIT: OrderType.LIMIT,
    WireOrderType.STOP: OrderType.STOP_MARKET,
    WireOrderType.STOP_LIMIT: OrderType.STOP_LIMIT,
}
TIMES_IN_FORCE: Final = {
    WireTimeInForce.GTC: TimeInForce.GTC,
    WireTimeInForce.IOC: TimeInForce.IOC,
    WireTimeInForce.GTD: TimeInForce.GTD,
}
WIRE_SIDES: Final = {ours: wire for wire, ours in SIDES.items()}
WIRE_TYPES: Final = {ours: wire for wire, ours in TYPES.items()}
WIRE_TIMES_IN_FORCE: Final = {ours: wire for wire, ours in TIMES_IN_FORCE.items()}
