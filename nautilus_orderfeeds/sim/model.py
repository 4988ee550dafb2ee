"""
What a simulated venue trades in: products, orders, fills and the events of one matching step.

Every simulated venue speaks its own words on the wire; these are the words its market and its ledger
share underneath. Quantities are in base units and prices in quote per base unit unless a field says
otherwise; all of them are `Decimal` and never pass through a float. Times are integer unix nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

ZERO = Decimal(0)


class Side(Enum):
    """Which way an order goes."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        """The side an order of this side trades against."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """`1` for a buy and `-1` for a sell: multiply a size by it to get the change of a position."""
        return 1 if self is Side.BUY else -1


class OrderKind(Enum):
    """How an order takes its price once it is active (a trigger is a separate thing: `Trigger`)."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"


class TimeInForce(Enum):
    """How long an order may live."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"


class SelfTrade(Enum):
    """What happens when an order would trade with another one of its own account."""

    ALLOW = "ALLOW"
    CANCEL_TAKER = "CANCEL_TAKER"
    CANCEL_MAKER = "CANCEL_MAKER"


class OrderState(Enum):
    """The state of an order as the venue itself knows it, whatever its wire words are."""

    PENDING = "PENDING"
    WAITING = "WAITING"
    WORKING = "WORKING"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def is_open(self) -> bool:
        """Whether an order in this state may still change."""
        return self in (OrderState.PENDING, OrderState.WAITING, OrderState.WORKING)


class EndReason(Enum):
    """Why an order ended; `EndReason.FILLED` only when nothing was left of it."""

    NONE = "NONE"
    FILLED = "FILLED"
    USER = "USER"
    ADMIN = "ADMIN"
    IOC = "IOC"
    FOK = "FOK"
    EXPIRED = "EXPIRED"
    POST_ONLY = "POST_ONLY"
    SELF_TRADE = "SELF_TRADE"
    NO_LIQUIDITY = "NO_LIQUIDITY"
    REDUCE_ONLY = "REDUCE_ONLY"
    MARGIN = "MARGIN"
    LIQUIDATION = "LIQUIDATION"
    LINKED_ORDER = "LINKED_ORDER"
    POSITION_CLOSED = "POSITION_CLOSED"
    REFUSED = "REFUSED"

    @property
    def state(self) -> OrderState:
        """The terminal state that this reason leads to."""
        match self:
            case EndReason.FILLED:
                return OrderState.FILLED
            case EndReason.EXPIRED:
                return OrderState.EXPIRED
            case EndReason.REFUSED:
                return OrderState.REJECTED
            case _:
                return OrderState.CANCELED


class Liquidity(Enum):
    """Whether a fill rested on the book or took from it."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class TriggerSource(Enum):
    """Which price a trigger watches."""

    LAST = "LAST"
    MARK = "MARK"


class LinkRule(Enum):
    """What decides linked orders: the first fill of one of them, its whole fill, or already its trigger."""

    FIRST_FILL = "FIRST_FILL"
    WHOLE_FILL = "WHOLE_FILL"
    TRIGGER = "TRIGGER"


class ProductKind(Enum):
    """How a trade settles: a position against one currency, or base against quote."""

    PERPETUAL = "PERPETUAL"
    SPOT = "SPOT"


@dataclass(frozen=True, slots=True)
class Product:
    """
    Something that can be traded.

    Parameters
    ----------
    symbol : str
        The venue's own name.
    base, quote : str
        The currencies; fees and (for a perpetual) profit and loss are in `quote`.
    tick : Decimal
        Price step, quote per base unit.
    lot : Decimal
        Size step, base units.
    min_size : Decimal
        Smallest size of an order, base units.
    mid : Decimal
        Where the seeded market starts.
    kind : ProductKind
    max_price : Decimal, optional
        Highest price there can be; the background quotes below it.
    """

    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_size: Decimal
    mid: Decimal
    kind: ProductKind = ProductKind.PERPETUAL
    max_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A price that wakes an order: `rises` fires at or above `price`, otherwise at or below it."""

    price: Decimal
    rises: bool
    source: TriggerSource = TriggerSource.LAST

    def fires(self, reference: Decimal | None) -> bool:
        """Whether `reference` has reached the price; nothing known never fires."""
        if reference is None:
            return False
        return reference >= self.price if self.rises else reference <= self.price


@dataclass(slots=True, eq=False)
class SimOrder:
    """
    One order with everything the venue knows of it; changed in place by the market only.

    `quantity` is the original size in base units. An order by quote amount (`quote_amount`, quote units to
    spend) has no size of its own: its `quantity` follows what was filled. For a market order `price` is the
    worst price it accepts, or `None` for any; with `max_slippage` (a fraction) that price is found when the
    order becomes active, so far from the best price it meets. `linked` are the orders that end once this one is
    decided.
    `info` keeps a venue's own fields (a nonce, a login, ...).
    """

    venue_order_id: str
    account: str
    product: str
    side: Side
    quantity: Decimal
    price: Decimal | None = None
    kind: OrderKind = OrderKind.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTC
    client_order_id: str = ""
    expire_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    all_or_none: bool = False
    self_trade: SelfTrade = SelfTrade.ALLOW
    quote_amount: Decimal | None = None
    max_slippage: Decimal | None = None
    trigger: Trigger | None = None
    is_liquidation: bool = False
    linked: Linked | None = None
    info: dict[str, object] = field(default_factory=dict)

    state: OrderState = OrderState.PENDING
    filled: Decimal = ZERO
    notional: Decimal = ZERO
    fees: Decimal = ZERO
    extra_fees: Decimal = ZERO
    triggered: bool = False
    end_reason: EndReason = EndReason.NONE
    end_detail: str = ""
    created_ns: int = 0
    updated_ns: int = 0
    cancel_requested_ns: int = 0

    @property
    def leaves(self) -> Decimal:
        """What may still be filled, base units; nothing once the order has ended."""
        return self.quantity - self.filled if self.state.is_open else ZERO

    @property
    def canceled(self) -> Decimal:
        """What will never be filled, base units; nothing while the order is open."""
        return ZERO if self.state.is_open else self.quantity - self.filled

    @property
    def is_open(self) -> bool:
        """Whether the order may still change."""
        return self.state.is_open


@dataclass(slots=True, eq=False)
class Linked:
    """Orders of one product, account and side of which the first one that is decided ends the others."""

    rule: LinkRule = LinkRule.FIRST_FILL
    orders: list[SimOrder] = field(default_factory=list)

    def is_decided(self) -> bool:
        """Whether one of them was the first already."""
        return any(self.decides(order) for order in self.orders)

    def decides(self, order: SimOrder) -> bool:
        """Whether what happened to `order` ends the others."""
        match self.rule:
            case LinkRule.FIRST_FILL:
                return order.filled > 0
            case LinkRule.WHOLE_FILL:
                return order.state is OrderState.FILLED
            case LinkRule.TRIGGER:
                return order.filled > 0 or order.triggered


@dataclass(frozen=True, slots=True)
class Fee:
    """The cost of one fill in quote currency; negative is a rebate. `extra` is charged beside the trading fee."""

    trading: Decimal = ZERO
    extra: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Fill:
    """
    One side of one match.

    The four `..._after` fields are the order's cumulative numbers once this fill was counted (base, quote,
    quote, quote), so that an account of the order's life can be given fill by fill.
    """

    trade_id: str
    account: str
    venue_order_id: str
    client_order_id: str
    product: str
    side: Side
    price: Decimal
    size: Decimal
    trading_fee: Decimal
    extra_fee: Decimal
    liquidity: Liquidity
    time_ns: int
    filled_after: Decimal
    notional_after: Decimal
    fees_after: Decimal
    extra_fees_after: Decimal

    @property
    def fee(self) -> Decimal:
        """What the fill cost in all, quote currency; negative is a rebate."""
        return self.trading_fee + self.extra_fee


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """The order passed every check and is on the book, waits for its trigger, or is about to match."""

    order: SimOrder


@dataclass(frozen=True, slots=True)
class OrderTriggered:
    """A waiting order's trigger price was reached."""

    order: SimOrder


@dataclass(frozen=True, slots=True)
class OrderAmended:
    """Price, size or trigger of a live order were changed."""

    order: SimOrder


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """A part of the order (or all of it) traded."""

    order: SimOrder
    fill: Fill


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """The order is over: filled, canceled, expired or rejected; the order says which and why."""

    order: SimOrder


@dataclass(frozen=True, slots=True)
class TradePrinted:
    """A match as the public sees it."""

    product: str
    trade_id: str
    price: Decimal
    size: Decimal
    maker_side: Side
    is_liquidation: bool
    time_ns: int


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """A price level of the public book has a new absolute size, base units; zero means gone."""

    product: str
    side: Side
    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True)
class MarkChanged:
    """Mark and index price moved."""

    product: str
    mark: Decimal
    index: Decimal


@dataclass(frozen=True, slots=True)
class FundingChanged:
    """The estimated funding rate (a fraction per interval) has a new value."""

    product: str
    rate: Decimal


OrderEvent = OrderAccepted | OrderTriggered | OrderAmended | OrderFilled | OrderEnded
PublicEvent = TradePrinted | LevelChanged | MarkChanged | FundingChanged
MarketEvent = OrderEvent | PublicEvent


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Everything one step of the market caused, in order, with the time of the step.

    `user_events` are those of `events` that tell of an order of a user, not of the background.
    """

    time_ns: int
    events: tuple[MarketEvent, ...]
    user_events: tuple[OrderEvent, ...]
