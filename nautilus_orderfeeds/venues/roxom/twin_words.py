"""The words of Roxom's wire (protocol 3, 4.1, 5.3), as the simulated venue uses them."""

from __future__ import annotations

from enum import Enum, unique

from nautilus_orderfeeds.sim.model import EndReason, OrderKind, OrderState, Side, SimOrder, TimeInForce


@unique
class Status(Enum):
    """The ten statuses of an order (5.3)."""

    PENDINGSUBMIT = "pendingsubmit"
    WAITINGTRIGGER = "waitingtrigger"
    SUBMITTED = "submitted"
    PARTIALLYFILLED = "partiallyfilled"
    PENDINGCANCEL = "pendingcancel"
    FILLED = "filled"
    PARTIALLYFILLEDCANCELLED = "partiallyfilledcancelled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    INACTIVE = "inactive"


@unique
class OrderType(Enum):
    """`orderType` of a request and an event, `type` of a REST order."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOPLIMIT = "stoplimit"

    @property
    def has_price(self) -> bool:
        """Whether `px` is required."""
        return self in (OrderType.LIMIT, OrderType.STOPLIMIT)

    @property
    def has_trigger(self) -> bool:
        """Whether `triggerPx` is required."""
        return self in (OrderType.STOP, OrderType.STOPLIMIT)

    @property
    def kind(self) -> OrderKind:
        """How the order takes its price once it is active."""
        return OrderKind.LIMIT if self.has_price else OrderKind.MARKET


@unique
class Channel(Enum):
    """The account channels (5.1)."""

    ORDERS = "orders"
    BALANCE = "balance"
    POSITIONS = "positions"
    ACCOUNT = "account"


@unique
class MarketChannel(Enum):
    """The market data channels (5.5)."""

    LEVEL1 = "level1"
    TRADE = "trade"
    DEPTH = "depth"
    TICKER = "ticker"


SIDES = {"buy": Side.BUY, "sell": Side.SELL}
TIMES_IN_FORCE = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "gtd": TimeInForce.GTD}
INST_TYPE = "perpetual"

# Keys of an order's `info`: a client's order (or one from elsewhere) has them, the background's has none.
TYPE = "type"
POSITION_IDS = "position_ids"
INACTIVE = "inactive"


def order_type(order: SimOrder) -> OrderType:
    """The type by which the order was placed."""
    kind = order.info[TYPE]
    assert isinstance(kind, OrderType)
    return kind


def side_word(side: Side) -> str:
    """`buy` or `sell`."""
    return side.value.lower()


def time_in_force_word(order: SimOrder) -> str:
    """A market order behaves, and is shown, as `ioc` (6; list sample of G1)."""
    return "ioc" if order.kind is OrderKind.MARKET else order.time_in_force.value.lower()


def reason_text(order: SimOrder) -> str | None:
    """Why an order was rejected or cancelled: the values are nowhere documented."""
    if order.end_detail:
        return order.end_detail
    match order.end_reason:
        case EndReason.NONE | EndReason.FILLED:
            return None
        case EndReason.USER:
            return "user cancelled"
        case EndReason.IOC:
            return "immediate or cancel"
        case EndReason.NO_LIQUIDITY:
            return "market order price limit reached"
        case EndReason.EXPIRED:
            return "order expired"
        case EndReason.POST_ONLY:
            return "post only order would take liquidity"
        case EndReason.SELF_TRADE:
            return "self trade prevention"
        case EndReason.MARGIN:
            return "Insufficient balance"
        case EndReason.LIQUIDATION:
            return "liquidation"
        case _:
            return "cancelled by the system"


def status_now(order: SimOrder, partial_cancel: Status) -> Status:
    """What an order's status is now; `partial_cancel` if it ended with only a part filled."""
    if order.info.get(INACTIVE):
        return Status.INACTIVE
    if order.is_open and order.cancel_requested_ns:
        return Status.PENDINGCANCEL
    match order.state:
        case OrderState.PENDING:
            return Status.PENDINGSUBMIT
        case OrderState.WAITING:
            return Status.WAITINGTRIGGER
        case OrderState.WORKING:
            return Status.PARTIALLYFILLED if order.filled else Status.SUBMITTED
        case OrderState.FILLED:
            return Status.FILLED
        case OrderState.CANCELED | OrderState.EXPIRED:
            return partial_cancel if order.filled else Status.CANCELLED
        case OrderState.REJECTED:
            return Status.REJECTED
