"""What goes over ActTrader's WebSocket, one struct a message (protocol, sections 3, 5 and 6).

Requests are written in one dialect exactly. Everything received is read as the union of all documented states: all
keys optional but the few without which a message says nothing, further keys ignored, of a doubled key the last one.
"""

from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.venues.acttrader.words import Event, WireForce, WireSide, WireType
from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS as DECODE_ERRORS

Number = Raw
"""A JSON number in the making: msgspec would write `Decimal("1E+4")` as it is, which not every server reads."""


Time = int | float | str
"""Milliseconds, or ISO text; a fraction is no time of the protocol, but no reason to lose an order either."""


def number(value: Decimal) -> Number:
    """Return the digits of `value`, without an exponent."""
    return Raw(plain(value).encode())


# -- requests ----------------------------------------------------------------------------------------------------------


class NewSingle(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Payload of `newordersingle` (protocol, 5.1). `time_in_force_date` is the draft's, `till_time` the final's."""

    symbol: str
    side: WireSide
    type: WireType
    price: Number | None = None
    stop_price: Number | None = None
    quantity: Number
    client_order_id: str
    time_in_force: WireForce
    time_in_force_date: str | None = None
    till_time: str | None = None
    login: str | int
    note: str | None = None


class OcoLeg(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One of the two orders of a `neworderoco`."""

    type: WireType
    price: Number | None = None
    stop_price: Number | None = None
    client_order_id: str
    note: str | None = None


class NewOco(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Payload of `neworderoco` (protocol, 5.3). `life_time` is the draft's, `till_time` the final's."""

    login: str | int
    life_time: str | None = None
    till_time: str | None = None
    symbol: str
    side: WireSide
    time_in_force: WireForce
    quantity: Number
    orders: list[OcoLeg]


class Modify(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Payload of `modifyordersingle` (protocol, 5.2): what is left out stays as it is."""

    order_id: int | str | None = None
    client_order_id: str | None = None
    price: Number | None = None
    stop_price: Number | None = None
    quantity: Number | None = None


class Named(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Payload of `orderstatus` and `ordercancel` (protocol, 5.5 and 5.6): one of the two names."""

    order_id: int | str | None = None
    client_order_id: str | None = None


class Since(Struct, rename="camel"):
    """Payload of the final dialect's `orders` (protocol, 5.4)."""

    from_time: str


class _Request(Struct, rename="camel", omit_defaults=True):
    event: Event
    request_id: str
    payload: Any = None


_encoder = msgspec.json.Encoder()


def encode(event: Event, request_id: str, payload: Struct | None = None) -> bytes:
    """Encode a request."""
    return _encoder.encode(_Request(event, request_id, payload))


def wire_id(venue_order_id: str) -> int | str:
    """Return an order id as the wire has it: an integer, if it is one."""
    return int(venue_order_id) if venue_order_id.isascii() and venue_order_id.isdecimal() else venue_order_id


# -- what the venue says -----------------------------------------------------------------------------------------------


class Envelope(Struct, rename="camel"):
    """Any frame of the venue (protocol, 3)."""

    event: str
    request_id: str | int | None = None
    payload: Raw | UnsetType = UNSET

    @property
    def body(self) -> bytes | None:
        """The payload, None if there is none (or a null)."""
        if self.payload is UNSET:
            return None
        raw = bytes(self.payload)
        return None if raw == b"null" else raw


class WireFill(Struct):
    """One entry of `fills`: nothing else is told of a trade in any revision."""

    price: Decimal
    qty: Decimal


class OrderObject(Struct, rename="camel", kw_only=True):
    """An order as the venue tells it (protocol, 6). `cummulativeQuoteQty` and `login` are left out: nothing needs them.

    `price` is the order's limit price, never the average or last price of its fills.
    """

    symbol: str = ""
    type: str = ""
    order_id: int | str
    client_order_id: str | None = None
    transact_time: Time | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    orig_qty: Decimal | None = None
    executed_qty: Decimal | None = None
    status: str = ""
    reason: str | None = None
    time_in_force: str | None = None
    time_in_force_date: Time | None = None
    life_time: Time | None = None
    till_time: Time | None = None
    side: str = ""
    fills: list[WireFill] | None = None


class Answer(Struct, rename="camel", kw_only=True):
    """Payload of the answer to a command (protocol, 5.1, 5.2, 5.3, 5.6); the draft's has hardly any of it."""

    order_id: int | str | None = None
    client_order_id: str | None = None
    status: str = ""
    reason: str | None = None
    type: str = ""
    price: Decimal | None = None
    stop_price: Decimal | None = None
    quantity: Decimal | None = None


class ErrorPayload(Struct):
    """Payload of `error` (protocol, 5.8). `code` is not read: it comes and goes with the revisions."""

    error: str | None = None
    event: str | None = None


class OrderKey(Struct, rename="camel"):
    """What may still be read of an order that cannot be read as a whole."""

    order_id: int | str


class Tick(Struct):
    """One price of the companion stream (protocol, 9); `m` is the symbol."""

    m: str
    bid: Decimal
    ask: Decimal
    time: str = ""


class TickFrame(Struct):
    """A frame of the companion stream, in either of its shapes."""

    event: str = ""
    m: str = ""
    payload: list[Raw] = field(default_factory=list)
    d: list[Raw] = field(default_factory=list)


ENVELOPE: Final = msgspec.json.Decoder(Envelope)
ORDER: Final = msgspec.json.Decoder(OrderObject)
ROWS: Final = msgspec.json.Decoder(list[Raw])
ANSWER: Final = msgspec.json.Decoder(Answer)
ANSWERS: Final = msgspec.json.Decoder(list[Answer])
ERROR: Final = msgspec.json.Decoder(ErrorPayload)
ORDER_KEY: Final = msgspec.json.Decoder(OrderKey)
TICK: Final = msgspec.json.Decoder(Tick)
TICK_FRAME: Final = msgspec.json.Decoder(TickFrame)
