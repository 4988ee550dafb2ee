"""The venue's documented messages (protocol, 5 and 6). Numbers are decimals, taken from the wire's own text."""

from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from nautilus_orderfeeds.orders.decimals import check_sane, plain
from nautilus_orderfeeds.venues.decoding import decode as _decode
from nautilus_orderfeeds.venues.outpoll.words import VENUE


class Taken(Struct):
    """Answer to placing: the order's id (protocol, 5.2)."""

    i: str = ""


class ActiveOrder(Struct):
    """Row of the active orders (protocol, 5.6): it lacks asset, time, and what was filled."""

    id: str
    status: str
    side: str
    price: Decimal | None = None
    quantity: Decimal | None = None


class HistoryOrder(Struct):
    """Row of the order history (protocol, 5.7)."""

    i: str
    a: str = ""
    e: str = ""
    o: str = ""
    oq: Decimal | None = None
    si: str = ""
    t: str | None = None
    p: Decimal | None = None
    m: Decimal | None = None
    st: str = ""
    q: Decimal | None = None


class OpenPosition(Struct):
    """Row of the open positions (protocol, 5.10)."""

    ai: str
    ei: str = ""
    eoi: str = ""
    et: str | None = None
    on: str | None = None
    tn: str | None = None
    ip: bool | None = None
    tsc: Decimal | None = None
    asc: Decimal | None = None
    sp: Decimal | None = None
    od: str | None = None


class Page[T](Struct):
    """A page of a private list: `i` items, `p` page, `s` size, `tp` total pages (protocol, 2)."""

    i: list[T]
    p: int | None = None
    s: int | None = None
    tp: int | None = None


class BalanceRow(Struct):
    """Row of the balance snapshot: `i` asset, `b` balance, `f` free (protocol, 6.3)."""

    i: str
    b: Decimal
    f: Decimal


class BalanceList(Struct):
    """Data of the Balance Updates AUTH reply."""

    l: list[BalanceRow]  # noqa: E741


class BalanceDelta(Struct):
    """A balance change, without envelope: new absolute values (protocol, 6.3)."""

    a: str
    b: Decimal
    f: Decimal
    u: str = ""


class OrderHint(Struct):
    """Data of an ORDER_UPDATE (protocol, 6.1)."""

    i: str
    s: str
    u: str = ""


class TpslData(Struct):
    """Data of a TPSL_UPDATE (protocol, 6.1): one of the two prices may be missing."""

    i: str
    a: str
    s: str
    u: str = ""
    q: Decimal | None = None
    tpp: Decimal | None = None
    slp: Decimal | None = None


class PriceRow(Struct):
    """Row of PRICES_DATA (protocol, 6.4): `o` outcome, `c` chance, `b` best bid, `a` best ask."""

    o: str
    c: Decimal | None = None
    b: Decimal | None = None
    a: Decimal | None = None


class Envelope(Struct):
    """What most frames are: `t` type, `d` data, `r` error text; `e` event on public streams."""

    t: str | None = None
    d: Raw = Raw(b"null")
    r: str | None = None
    e: str | None = None


TAKEN: Final = msgspec.json.Decoder(Taken)
ACTIVE_ORDER: Final = msgspec.json.Decoder(ActiveOrder)
HISTORY_PAGE: Final = msgspec.json.Decoder(Page[HistoryOrder])
POSITIONS_PAGE: Final = msgspec.json.Decoder(Page[OpenPosition])
RAW_PAGE: Final = msgspec.json.Decoder(Page[Raw])
ENVELOPE: Final = msgspec.json.Decoder(Envelope)
BALANCES: Final = msgspec.json.Decoder(BalanceList)
BALANCE_DELTA: Final = msgspec.json.Decoder(BalanceDelta)
ORDER_HINT: Final = msgspec.json.Decoder(OrderHint)
TPSL: Final = msgspec.json.Decoder(TpslData)
PRICES: Final = msgspec.json.Decoder(list[PriceRow])

_encode: Final = msgspec.json.Encoder().encode


def decode[T](decoder: "msgspec.json.Decoder[T]", raw: bytes, expected: str) -> T:
    """Decode one message; raises `FrameError`."""
    return _decode(VENUE, decoder, raw, expected)


def number(value: Decimal) -> Raw:
    """Return a number as short decimal text (trap 11): never with an exponent or a float's tail."""
    return Raw(plain(value).encode())


def encode(message: dict[str, Any]) -> bytes:
    """Return compact JSON: the bytes that are signed and sent."""
    return _encode(message)


def check_numbers(*values: Decimal | None) -> None:
    """Refuse numbers no venue means; raises `ValueError`."""
    check_sane(*values)
