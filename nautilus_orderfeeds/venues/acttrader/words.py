"""The words of ActTrader's wire, and which of ours they are (protocol, sections 4 and 11).

Side, type and the rest of an order object are free text to the decoder: a server may speak any state between the two
documented dialects, and a word nobody knows must not hide the quantities beside it.
"""

from enum import Enum, unique
from typing import Final, assert_never

from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce

VENUE: Final = "ACTTRADER"


@unique
class Dialect(Enum):
    """Which state of the venue's page requests are written in; answers are read in either."""

    DRAFT = "draft"
    FINAL = "final"


@unique
class Event(Enum):
    """`event` of an envelope. Only the direction tells a request from its answer."""

    NEW_ORDER = "newordersingle"
    MODIFY = "modifyordersingle"
    NEW_OCO = "neworderoco"
    ORDERS = "orders"
    ORDER_STATUS = "orderstatus"
    CANCEL = "ordercancel"
    EXECUTION = "execution"
    ERROR = "error"


@unique
class WireSide(Enum):
    """Side of an order."""

    BUY = "BUY"
    SELL = "SELL"


@unique
class WireType(Enum):
    """Type of an order."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"


@unique
class WireForce(Enum):
    """`timeInForce`. AON is all-or-none; TPI ("take profit immediately") is never sent."""

    GTC = "GTC"
    GTT = "GTT"
    AON = "AON"
    FOK = "FOK"
    IOC = "IOC"
    TPI = "TPI"


#: The two error texts that are documented (final dialect).
ORDER_NOT_EXISTS: Final = "ORDER_NOT_EXISTS"
ORDER_ALREADY_CLOSED: Final = "ORDER_ALREADY_CLOSED"

_LIFETIME_EXPIRED: Final = "LIFETIME_EXPIRED"
_OCO_CONDITION: Final = "OCO_CONDITION"

_SIDES: Final = {WireSide.BUY: OrderSide.BUY, WireSide.SELL: OrderSide.SELL}
_TYPES: Final = {
    WireType.MARKET: OrderType.MARKET,
    WireType.LIMIT: OrderType.LIMIT,
    WireType.STOP: OrderType.STOP_MARKET,
    WireType.STOP_LIMIT: OrderType.STOP_LIMIT,
}
_OUR_SIDES: Final = {word.value: ours for word, ours in _SIDES.items()}
_OUR_TYPES: Final = {word.value: ours for word, ours in _TYPES.items()}
_WIRE_SIDES: Final = {ours: word for word, ours in _SIDES.items()}
_WIRE_TYPES: Final = {ours: word for word, ours in _TYPES.items()}

#: Types that have a limit price, and types that have a stop price; any other price beside them is none of theirs.
PRICED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
STOPPED: Final = frozenset({OrderType.STOP_MARKET, OrderType.STOP_LIMIT})


def side_of(text: str) -> OrderSide | None:
    """Return our side, None for a word that is not known."""
    return _OUR_SIDES.get(text)


def type_of(text: str) -> OrderType | None:
    """Return our type, None for a word that is not known."""
    return _OUR_TYPES.get(text)


def wire_side(side: OrderSide) -> WireSide:
    """Return the wire's side."""
    return _WIRE_SIDES[side]


def wire_type(type_: OrderType) -> WireType | None:
    """Return the wire's type, None if it has none."""
    return _WIRE_TYPES.get(type_)


def time_in_force_of(text: str, *, expires: bool) -> TimeInForce | None:
    """Return our time in force; of AON only the expiry says how long it rests (protocol, 11.5)."""
    try:
        word = WireForce(text)
    except ValueError:
        return None
    match word:
        case WireForce.GTT:
            return TimeInForce.GTD
        case WireForce.GTC | WireForce.AON | WireForce.TPI:
            return TimeInForce.GTD if expires else TimeInForce.GTC
        case WireForce.FOK:
            return TimeInForce.FOK
        case WireForce.IOC:
            return TimeInForce.IOC
        case _ as never:
            assert_never(never)


def reason_of(text: str) -> str:
    """Return a reason in the form of the documented ones: the samples write them freely (``lifetime expired``)."""
    return "_".join(text.upper().split())


def status_of(text: str, reason: str) -> VenueStatus | None:
    """Say what `status` means, with `reason` as `reason_of` gives it (protocol, 11.2); None for an unknown word.

    The same end is written CANCELED or REJECTED, depending on the revision: then the reason says what it was.
    """
    match "_".join(text.upper().split()):
        case "NEW" | "PARTIAL_FILL" | "PARTIALLY_FILLED":
            return VenueStatus.WORKING
        case "FILLED":
            return VenueStatus.FILLED
        case "EXPIRED":
            return VenueStatus.EXPIRED
        case "CANCELED" | "CANCELLED":
            return VenueStatus.EXPIRED if reason == _LIFETIME_EXPIRED else VenueStatus.CANCELED
        case "REJECTED":
            if reason == _LIFETIME_EXPIRED:
                return VenueStatus.EXPIRED
            return VenueStatus.CANCELED if reason == _OCO_CONDITION else VenueStatus.REJECTED
        case _:
            return None
