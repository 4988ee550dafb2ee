"""What goes over BSX's private stream and REST interface, one struct a message (protocol, sections 3 to 7).

Every decoder is lenient where the venue is known to vary: integers as text or numbers, absent optional
fields, `null` for an empty list, further keys. Decimals come straight from the wire's text.
"""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from nautilus_orderfeeds.orders.decimals import check_sane
from nautilus_orderfeeds.venues.bsx.words import (
    VENUE,
    FrameType,
    SelfTradePrevention,
    WireOrderType,
    WireSide,
    WireStatus,
    WireStopPrice,
    WireStopType,
    WireTimeInForce,
)
from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS as DECODE_ERRORS
from nautilus_orderfeeds.venues.decoding import check_id as check_id
from nautilus_orderfeeds.venues.decoding import decode as _decode

#: UNIX ns; the wire's ``"0"`` means "not set".
Nanos = Annotated[int, Meta(ge=0, le=2**63 - 1)]

#: Refuses what no venue means.
check_numbers: Final = check_sane


class OwnTrade(Struct, kw_only=True, gc=False):
    """One own trade (protocol, 7), its fields in the order of the venue's own messages.

    `order_id` and `product_id` are in no published shape; kept if they come.
    """

    id: str = ""
    price: Decimal
    size: Decimal
    liquidity_indicator: str = ""
    time: Nanos = 0
    trading_fee: Decimal | None = None
    sequencer_fee: Decimal | None = None
    order_id: str = ""
    product_id: str = ""


class Order(Struct, kw_only=True, gc=False):
    """One order as the venue tells it, the same over REST and WebSocket (protocol, 6). Unused keys are left out.

    The fields stand in the order of the venue's own messages: there the decoder looks for the next key first.
    """

    avg_price: Decimal | None = None
    cancel_reason: str | None = None
    cancel_reject_reason: str | None = None
    cancel_requested: bool = False
    cancel_requested_at: Nanos = 0
    client_order_id: str | None = None
    created_at_ts: Nanos = 0
    expired_at: Nanos = 0
    filled_fees: Decimal | None = None
    filled_size: Decimal | None = None
    id: str
    is_liquidation: bool = False
    last_trades: list[OwnTrade] | None = None
    nonce: Nanos = 0
    order_stop_type: WireStopType = WireStopType.STOP_NONE
    post_only: bool = False
    price: Decimal | None = None
    product_id: str
    reduce_only: bool = False
    reject_reason: str | None = None
    side: WireSide
    size: Decimal
    status: WireStatus
    stop_price: Decimal | None = None
    stop_price_option: WireStopPrice = WireStopPrice.NONE
    time_in_force: WireTimeInForce = WireTimeInForce.UNKNOWN
    type: WireOrderType = WireOrderType.LIMIT
    updated_at: Nanos = 0


class OrdersFrame(Struct, gc=False):
    """A frame of the `orders` channel (protocol, 5.3)."""

    channel: Literal["orders"]
    type: FrameType
    data: list[Order] | UnsetType | None = UNSET
    timestamp: Nanos = 0
    message: str = ""
    code: int = 0


class RawOrdersFrame(Struct):
    """The same, with each order left undecoded: one unreadable order must not hide the others."""

    channel: Literal["orders"]
    type: FrameType
    data: list[Raw] = field(default_factory=list)
    timestamp: Any = None

    @property
    def time_ns(self) -> int:
        """UNIX ns of the frame; 0 if nothing readable is told: a time must not hide what happened at it."""
        told = str(self.timestamp)
        return int(told) if told.isascii() and told.isdigit() and len(told) <= 19 else 0


class Control(Struct):
    """Any frame's envelope (protocol, 5.1): enough for the frames without data."""

    type: FrameType
    channel: str = ""
    product: str = ""
    message: str = ""
    code: int = 0


class OrderKey(Struct):
    """What may still be read of an order that cannot be read as a whole."""

    id: str


class CreateOrder(Struct, omit_defaults=True, kw_only=True):
    """Body of ``POST /orders`` (protocol, 4.3); `signature` is added when it is sent."""

    side: WireSide
    type: WireOrderType
    time_in_force: WireTimeInForce
    product_index: int
    price: str
    size: str
    nonce: str
    client_order_id: str
    # No defaults: the venue's own default of a flag that is left out is not documented.
    post_only: bool
    reduce_only: bool
    stp: SelfTradePrevention
    expired_at: str
    signature: str = ""


class BatchCreate(Struct):
    """One new order in ``POST /orders/batch`` (protocol, 4.5)."""

    create_order_request: CreateOrder
    op_type: str = "CREATE"


class Batch(Struct):
    """Body of ``POST /orders/batch``."""

    data: list[BatchCreate]


class CancelMany(Struct, omit_defaults=True):
    """Body of ``DELETE /orders``; a list without entries is left out, never sent empty."""

    order_ids: list[str] = field(default_factory=list)
    nonces: list[int] = field(default_factory=list)


class CancelRequested(Struct):
    """Answer to a cancel (protocol, 4.4); the key of the venue's id varies."""

    order_id: str | None = ""
    id: str | None = ""
    nonce: Nanos = 0
    client_order_id: str | None = None

    @property
    def venue_order_id(self) -> str:
        """The venue's id, by whichever key it came."""
        return self.order_id or self.id or ""


class CancelManyAnswer(Struct):
    """Answer to ``DELETE /orders``."""

    cancel_requested_orders: list[CancelRequested] | None = None


class BatchItem(Struct):
    """One item of the answer to ``POST /orders/batch``; success is told by the response alone (protocol, 11 row 6)."""

    code: int | None = None
    message: str = ""
    create_order_response: Order | None = None


class RawBatchAnswer(Struct):
    """Answer to ``POST /orders/batch``, its items in the order of the request."""

    data: list[Raw]


class ErrorBody(Struct):
    """Body of an answer that is no success (protocol, 4.11); `code` is a gRPC number."""

    message: str = ""
    code: int | None = None


class ApiKey(Struct):
    """One API key of the account (protocol, 3.2). The secret in the answer is not read."""

    api_key: str
    sender: str = ""
    signer: str = ""
    expired_at: Nanos = 0


class ApiKeys(Struct):
    """Answer to ``GET /users/api-key``."""

    api_keys: list[ApiKey] | None = None


class TradeHistory(Struct):
    """Answer to ``GET /trade-history`` (protocol, 4.8)."""

    trades: list[OwnTrade] | None = None
    page: int = 0
    total: int = 0


class Summary(Struct):
    """Balances and margin of the account, USDC (protocol, 4.9)."""

    total_account_value: Decimal | None = None
    usdc_balance: Decimal | None = None
    unsettled_usdc: Decimal | None = None
    free_collateral: Decimal | None = None
    total_initial_margin: Decimal | None = None
    total_maintenance_margin: Decimal | None = None


class PortfolioPosition(Struct):
    """One net position; `net_size` is long if positive."""

    net_size: Decimal | None = None
    product_id: str = ""
    product_index: int = 0
    avg_entry_price: Decimal | None = None


class Portfolio(Struct):
    """Answer to ``GET /portfolio/detail``."""

    summary: Summary | None = None
    account: str | None = ""
    positions: list[PortfolioPosition] | None = None


class FundingItem(Struct):
    """One past funding rate (protocol, 4.10)."""

    time: Nanos
    rate: Decimal


class FundingHistory(Struct):
    """Answer to ``GET /products/{product_id}/funding-rate``."""

    items: list[FundingItem] | None = None


def decode[T](decoder: msgspec.json.Decoder[T], raw: bytes, expected: str) -> T:
    """Decode one message.

    Raises
    ------
    FrameError
        Saying what was received and what was expected.
    """
    return _decode(VENUE, decoder, raw, expected)


def decoder[T](type_: type[T]) -> "msgspec.json.Decoder[T]":
    """Make a lenient decoder (integers may come as text)."""
    return msgspec.json.Decoder(type_, strict=False)


ORDERS_FRAME: Final = decoder(OrdersFrame)
RAW_ORDERS_FRAME: Final = decoder(RawOrdersFrame)
CONTROL: Final = decoder(Control)
ORDER: Final = decoder(Order)
#: A bare array; a gateway may write an empty one as null.
ORDERS: Final[msgspec.json.Decoder[list[Order] | None]] = msgspec.json.Decoder(list[Order] | None, strict=False)
ORDER_KEY: Final = decoder(OrderKey)
CANCEL_REQUESTED: Final = decoder(CancelRequested)
CANCEL_MANY_ANSWER: Final = decoder(CancelManyAnswer)
BATCH_ITEM: Final = decoder(BatchItem)
RAW_BATCH_ANSWER: Final = decoder(RawBatchAnswer)
ERROR_BODY: Final = decoder(ErrorBody)
API_KEYS: Final = decoder(ApiKeys)
TRADE_HISTORY: Final = decoder(TradeHistory)
PORTFOLIO: Final = decoder(Portfolio)
FUNDING_HISTORY: Final = decoder(FundingHistory)

_encoder = msgspec.json.Encoder()


def encode(message: Any) -> bytes:
    """Encode a request body or an outgoing frame."""
    return _encoder.encode(message)
