"""What goes over Roxom's WebSocket and REST interface, one struct a message (protocol, sections 4 and 5).

Both spellings of the documentation's generations are accepted (`type` and `orderType`, `qty` and `quantity`,
`px` and `price`); further keys are ignored. Decimals come straight from the wire's text.
"""

from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct, field

from nautilus_orderfeeds.orders.decimals import check_sane
from nautilus_orderfeeds.venues.roxom.words import WireOrderType, WireSide, WireStatus, WireTimeInForce

check_numbers: Final = check_sane

#: A time in whatever unit its field is documented in.
Instant = Annotated[int, Meta(ge=0, le=2**63 - 1)]

Level = tuple[Decimal, Decimal]


class Control(Struct, kw_only=True):
    """Answer to a subscription, or an error (5.1)."""

    event: str
    code: str | int = ""
    msg: str | None = None
    arg: Any = None

    @property
    def channel(self) -> str:
        """The channel it is about; empty if it does not say."""
        channel = self.arg.get("channel") if isinstance(self.arg, dict) else None
        return channel if isinstance(channel, str) else ""

    @property
    def symbol(self) -> str:
        """The symbol it is about, in either spelling; empty if it does not say."""
        if not isinstance(self.arg, dict):
            return ""
        symbol = self.arg.get("instId") or self.arg.get("symbol")
        return symbol if isinstance(symbol, str) else ""


class Envelope(Struct, kw_only=True):
    """By which of its keys a frame is told apart: `event`, else `topic`, else `type` (5.2)."""

    event: str | None = None
    topic: str | None = None
    type: str | None = None
    created_time: Instant = field(default=0, name="createdTime")
    data: Raw = Raw(b"null")


class OrderEvent(Struct, kw_only=True, rename="camel"):
    """An order event (5.3): eight fields on the venue page, ten more in the later text."""

    order_id: str
    account_id: str = ""
    symbol: str
    status: WireStatus
    remaining_qty: Decimal | None = None
    executed_qty: Decimal
    avg_px: Decimal | None = None
    fill_px: Decimal | None = None
    filled_fees: Decimal | None = None
    side: WireSide | None = None
    order_type: WireOrderType | None = None
    order_size: Decimal | None = None
    limit_price: Decimal | None = None
    client_order_id: str | None = None
    reason: str | None = None
    timestamp: Instant = 0


class OrderFrame(Struct, kw_only=True, tag_field="type", tag="order"):
    """The usual frame of the private stream."""

    data: OrderEvent


class Order(Struct, kw_only=True, rename="camel"):
    """One order over REST (4.4, 4.5), in all spellings."""

    id: str
    symbol: str
    side: WireSide
    status: str
    type: WireOrderType | None = None
    order_type: WireOrderType | None = None
    time_in_force: WireTimeInForce | None = None
    qty: Decimal | None = None
    quantity: Decimal | None = None
    px: Decimal | None = None
    price: Decimal | None = None
    trigger_px: Decimal | None = None
    size: Decimal | None = None
    amount_filled: Decimal | None = None
    unit: str = ""
    created_at: Instant | None = None
    cancel_at: Instant | None = None
    triggered_at: Instant | None = None
    is_triggered: bool | None = None
    client_order_id: str | None = None

    @property
    def told_type(self) -> WireOrderType | None:
        """Its type, in either spelling."""
        return self.type or self.order_type

    @property
    def told_qty(self) -> Decimal | None:
        """Its quantity, in either spelling."""
        return self.qty if self.qty is not None else self.quantity

    @property
    def told_px(self) -> Decimal | None:
        """Its limit price, in either spelling and in the reply's unit."""
        return self.px if self.px is not None else self.price


class LogRow(Struct, kw_only=True, rename="camel"):
    """One row of the transaction log (4.6)."""

    transaction_type: str
    symbol: str = ""
    amount: Decimal | None = None
    fill_price: Decimal | None = None
    price: Decimal | None = None
    fee: Decimal | None = None
    order_id: str | None = None
    trade_id: str | None = None
    tx_id: str | None = None
    is_taker: bool | None = None
    position_before: Decimal | None = None
    position_after: Decimal | None = None
    balance_before: Decimal | None = None
    balance_after: Decimal | None = None
    time: Instant | None = None
    created_at: Instant | None = None


class _Created(Struct, rename="camel"):
    order_id: str


class _Canceled(Struct):
    success: bool = True


class _One(Struct):
    order: Raw


class _Many(Struct):
    orders: list[Raw]


class _Log(Struct):
    logs: list[Raw]
    cursor: str | None = None


class Reply[T](Struct):
    """A success: `data`, and an `error` that says nothing (4.10)."""

    data: T
    error: Any = None


class AnyReply(Struct):
    """Any reply, to judge by its keys whether it is an error."""

    data: Raw | None = None
    error: Any = None
    code: str | int | None = None
    message: str | None = None
    details: Any = None


ENVELOPE: Final = msgspec.json.Decoder(Envelope)
CONTROL: Final = msgspec.json.Decoder(Control)
ORDER_FRAME: Final = msgspec.json.Decoder(OrderFrame)
ORDER_EVENT: Final = msgspec.json.Decoder(OrderEvent)
ANY_REPLY: Final = msgspec.json.Decoder(AnyReply)
CREATED: Final = msgspec.json.Decoder(Reply[_Created])
CANCELED: Final = msgspec.json.Decoder(Reply[_Canceled])
ONE_ORDER: Final = msgspec.json.Decoder(Reply[_One])
MANY_ORDERS: Final = msgspec.json.Decoder(Reply[_Many])
ORDER: Final = msgspec.json.Decoder(Order)
LOG: Final = msgspec.json.Decoder(Reply[_Log])
LOG_ROW: Final = msgspec.json.Decoder(LogRow)
