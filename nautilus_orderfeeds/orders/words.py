"""The words of an order, in the framework's own spelling.

Members are named exactly as in ``nautilus_trader.model.enums``, so a binding maps them by name and a reader
who knows the framework knows them already. This room imports no framework.
"""

from enum import Enum, unique


class Word(Enum):
    """Base of the closed lists of words that stand in the path of every frame.

    Each member exists once, so its identity is hash enough: hashing its name, as enums do, costs more than the
    look-up it is for.
    """

    __hash__ = object.__hash__


@unique
class OrderSide(Word):
    """Side of an order."""

    BUY = "BUY"
    SELL = "SELL"


@unique
class OrderType(Word):
    """Type of an order."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_MARKET = "STOP_MARKET"
    STOP_LIMIT = "STOP_LIMIT"
    MARKET_TO_LIMIT = "MARKET_TO_LIMIT"
    MARKET_IF_TOUCHED = "MARKET_IF_TOUCHED"
    LIMIT_IF_TOUCHED = "LIMIT_IF_TOUCHED"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"
    TRAILING_STOP_LIMIT = "TRAILING_STOP_LIMIT"


#: Types with a limit price that first wait for a trigger: only these know a TRIGGERED state.
TRIGGERED_LIMIT_TYPES = frozenset(
    {OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.TRAILING_STOP_LIMIT},
)


@unique
class TimeInForce(Word):
    """How long an order stays in force."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"
    DAY = "DAY"
    AT_THE_OPEN = "AT_THE_OPEN"
    AT_THE_CLOSE = "AT_THE_CLOSE"


@unique
class LiquiditySide(Word):
    """Liquidity side of a fill."""

    NO_LIQUIDITY_SIDE = "NO_LIQUIDITY_SIDE"
    MAKER = "MAKER"
    TAKER = "TAKER"


@unique
class TriggerType(Word):
    """Price that triggers a conditional order."""

    NO_TRIGGER = "NO_TRIGGER"
    DEFAULT = "DEFAULT"
    LAST_PRICE = "LAST_PRICE"
    MARK_PRICE = "MARK_PRICE"
    INDEX_PRICE = "INDEX_PRICE"
    BID_ASK = "BID_ASK"
    DOUBLE_LAST = "DOUBLE_LAST"
    DOUBLE_BID_ASK = "DOUBLE_BID_ASK"
    LAST_OR_BID_ASK = "LAST_OR_BID_ASK"
    MID_POINT = "MID_POINT"


@unique
class ContingencyType(Word):
    """How the orders of a list depend on each other."""

    NO_CONTINGENCY = "NO_CONTINGENCY"
    OCO = "OCO"
    OTO = "OTO"
    OUO = "OUO"


@unique
class OrderStatus(Word):
    """Status of an order, as the framework's state machine knows it."""

    INITIALIZED = "INITIALIZED"
    DENIED = "DENIED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    TRIGGERED = "TRIGGERED"
    PENDING_UPDATE = "PENDING_UPDATE"
    PENDING_CANCEL = "PENDING_CANCEL"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"


#: Nothing more is expected of these. A fill may still follow CANCELED, and only CANCELED.
CLOSED_STATUSES = frozenset(
    {
        OrderStatus.DENIED,
        OrderStatus.REJECTED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.FILLED,
    },
)
