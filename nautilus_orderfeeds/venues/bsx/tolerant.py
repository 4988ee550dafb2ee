"""The second look at an order that does not fit the documented shape (protocol, 6).

Installations differ in what they leave out, set to null, or write in lower case. None of that may hide an order:
what cannot be read is left out, and the cumulative numbers tell of the rest. Only what the order cannot be followed
without (id, product, side, size, status) must be there.
"""

from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.words import VENUE

_UPPER_CASE: Final = ("side", "status", "type", "time_in_force", "order_stop_type", "stop_price_option", "product_id")
#: Keys whose empty text means something.
_TEXTS: Final = frozenset({"client_order_id", "cancel_reason", "reject_reason", "cancel_reject_reason"})
_LISTS: Final = ("orders", "data", "items", "result")

#: Decimals come from the text, also where they are written as numbers.
_object: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_array: Final[msgspec.json.Decoder[list[Raw] | None]] = msgspec.json.Decoder(list[Raw] | None)
_envelope: Final = msgspec.json.Decoder(dict[str, Raw])


def decode_order(raw: bytes) -> wire.Order:
    """Read one order.

    Raises
    ------
    msgspec.MsgspecError or UnicodeDecodeError
        If it cannot be read at all (`wire.DECODE_ERRORS`).
    """
    try:
        return wire.ORDER.decode(raw)
    except wire.DECODE_ERRORS:
        return msgspec.convert(_mended(_object.decode(raw)), wire.Order, strict=False)


def decode_orders(body: bytes) -> list[wire.Order]:
    """Read the answer to a query of orders (protocol, 4.7): a bare array; null is an empty one.

    Raises
    ------
    FrameError
        If it is no list of orders, or one of them cannot be read: a part of the truth is none.
    """
    try:
        return wire.ORDERS.decode(body) or []
    except wire.DECODE_ERRORS as exc:
        expected = f"a list of orders (protocol 4.7; {exc})"
    try:
        return [decode_order(bytes(row)) for row in _rows(body, expected)]
    except wire.DECODE_ERRORS as exc:
        raise FrameError(VENUE, body, f"a list of orders (protocol 4.7; {exc})") from None


def _rows(body: bytes, expected: str) -> list[Raw]:
    """Return what is in the array, also if it is wrapped."""
    if body.lstrip().startswith(b"{"):
        held = wire.decode(_envelope, body, expected)
        body = next((bytes(held[key]) for key in _LISTS if key in held), body)
    return wire.decode(_array, body, expected) or []


def _mended(told: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in told.items() if value is not None and (value != "" or key in _TEXTS)}
    if "id" not in kept and "order_id" in kept:
        kept["id"] = kept["order_id"]
    for key in _UPPER_CASE:
        if isinstance(kept.get(key), str):
            kept[key] = kept[key].upper()
    if "last_trades" in kept:
        kept["last_trades"] = _trades(kept["last_trades"])
    return kept


def _trades(told: Any) -> list[wire.OwnTrade] | None:
    """Read the trades if all of them can be read; otherwise the growth of `filled_size` tells of them."""
    if not isinstance(told, list):
        return None
    try:
        rows = [{key: value for key, value in row.items() if value not in (None, "")} for row in told]
        return [msgspec.convert(row, wire.OwnTrade, strict=False) for row in rows]
    except (msgspec.MsgspecError, AttributeError):
        return None
