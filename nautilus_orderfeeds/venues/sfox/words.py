"""The words of sFOX's wire, and which of ours they are (protocol, sections 4, 6, 7.2 and 8)."""

from enum import Enum, IntEnum, unique
from typing import Final, assert_never

from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce

VENUE: Final = "SFOX"


@unique
class WireStatus(Enum):
    """Status of an order; the spelling varies, so it is compared by letters only (protocol, 6)."""

    STARTED = "started"
    CANCEL_PENDING = "cancelpending"
    CANCELED = "canceled"
    FILLED = "filled"
    DONE = "done"
    # Of no page of the venue, but read by published clients.
    REJECTED = "rejected"
    EXPIRED = "expired"
    COMPLETE = "complete"

    @classmethod
    def of(cls, text: str) -> "WireStatus | None":
        """Return the status that `text` spells, None for one that no page knows."""
        letters = "".join(filter(str.isalpha, text)).casefold()
        return _STATUSES.get("canceled" if letters == "cancelled" else letters)


_STATUSES: Final = {status.value: status for status in WireStatus}

#: `status_code` of each, for rows without a readable `status`.
STATUS_CODES: Final = {
    100: WireStatus.STARTED,
    90: WireStatus.CANCEL_PENDING,
    10: WireStatus.CANCELED,
    210: WireStatus.FILLED,
    300: WireStatus.DONE,
}


def venue_status(status: WireStatus) -> VenueStatus:
    """Return what `status` means (protocol, 12.2); whether a cancel is an expiry, only the order's terms tell."""
    match status:
        case WireStatus.STARTED:
            return VenueStatus.WORKING
        case WireStatus.CANCEL_PENDING:
            return VenueStatus.PENDING_CANCEL
        case WireStatus.CANCELED:
            return VenueStatus.CANCELED
        case WireStatus.FILLED | WireStatus.DONE | WireStatus.COMPLETE:
            return VenueStatus.FILLED
        case WireStatus.REJECTED:
            return VenueStatus.REJECTED
        case WireStatus.EXPIRED:
            return VenueStatus.EXPIRED
        case _ as never:
            assert_never(never)


@unique
class Algorithm(IntEnum):
    """How sFOX works an order (protocol, 7.2)."""

    MARKET = 100
    INSTANT = 150
    SIMPLE = 160
    SMART = 200
    LIMIT = 201
    GORILLA = 301
    TORTOISE = 302
    HARE = 303
    STOP = 304
    POLAR_BEAR = 305
    SNIPER = 306
    TWAP = 307
    TRAILING_STOP = 308
    IOC = 309


#: What may work a LIMIT order: they take a limit price, and nothing that is not known must be sent with them.
LIMIT_ALGORITHMS: Final = (
    Algorithm.SMART,
    Algorithm.LIMIT,
    Algorithm.GORILLA,
    Algorithm.TORTOISE,
    Algorithm.HARE,
    Algorithm.POLAR_BEAR,
    Algorithm.SNIPER,
    Algorithm.TWAP,
)

#: Which algorithms take a time in force; GTC and GTD go with all of them (protocol, 7.1).
ALGORITHMS_OF_FORCE: Final = {
    TimeInForce.IOC: (Algorithm.SMART, Algorithm.LIMIT),
    TimeInForce.FOK: (Algorithm.MARKET, Algorithm.LIMIT),
}

_MARKET_LIKE: Final = frozenset({Algorithm.MARKET, Algorithm.INSTANT, Algorithm.STOP, Algorithm.TRAILING_STOP})


@unique
class RoutingType(Enum):
    """Which price the router compares."""

    NET_PRICE = "NetPrice"
    SMART = "Smart"


@unique
class RoutingOption(Enum):
    """Special order routing."""

    BEST_PRICE = "BestPrice"
    FAST = "Fast"
    WEIGHTED_EXCHANGE = "WeightedExchange"


@unique
class Feed(Enum):
    """What a private feed tells; its full name depends on whose it is (protocol, 8)."""

    ORDERS = "open-orders"
    TRADES = "trades"
    BALANCES = "balances"

    def own(self) -> str:
        """Return its name for the account of the key."""
        return f"private.user.{self.value}"

    def of_end_users(self) -> str:
        """Return its name for all end users of an enterprise key."""
        return f"private.enterprise.users.{self.value}"


#: Tells of end users who come to be; its messages hold their tokens, which are taken out (protocol, 8.5).
ONBOARDING: Final = "private.enterprise.users"

FEEDS: Final = {feed.own(): feed for feed in Feed} | {feed.of_end_users(): feed for feed in Feed}


def side_of(action: str) -> OrderSide | None:
    """Return our word for `Buy` or `Sell` in any case; None for anything else."""
    match action.casefold():
        case "buy":
            return OrderSide.BUY
        case "sell":
            return OrderSide.SELL
        case _:
            return None


def wire_side(side: OrderSide) -> str:
    """Return the wire's word for `side`, as the create path wants it."""
    match side:
        case OrderSide.BUY:
            return "buy"
        case OrderSide.SELL:
            return "sell"
        case _ as never:
            assert_never(never)


def type_of(algorithm_id: int | None, *, has_price: bool) -> OrderType | None:
    """Return the framework's type for an order entered elsewhere; None if nothing says it.

    A stop ends as a market order at its trigger, whose field no page names, so it can be shown as nothing else.
    """
    if algorithm_id in _MARKET_LIKE:
        return OrderType.MARKET
    return OrderType.LIMIT if has_price else None


def wire_time_in_force(force: TimeInForce) -> str | None:
    """Return the wire's word, None where the venue has none (protocol, 7.1)."""
    match force:
        case TimeInForce.GTC | TimeInForce.IOC | TimeInForce.FOK | TimeInForce.GTD:
            return str(force.value)
        case TimeInForce.DAY | TimeInForce.AT_THE_OPEN | TimeInForce.AT_THE_CLOSE:
            return None
        case _ as never:
            assert_never(never)


def time_in_force_of(word: str | None) -> TimeInForce | None:
    """Return our word; None for one that the framework has none for."""
    match (word or "").upper():
        case "GTC":
            return TimeInForce.GTC
        case "IOC":
            return TimeInForce.IOC
        case "FOK":
            return TimeInForce.FOK
        case "GTD":
            return TimeInForce.GTD
        case _:
            return None
