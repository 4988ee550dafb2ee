"""The second look at an order that does not fit the documented shape (protocol, 6).

Installations differ in what they leave out, set to null, or write in lower case. None of that may hide an order:
what cannot be read is left out, and the cumulative numbers tell of the rest. Only what the order cannot be followed
without (id, product, side, size, status) must be there.
"""

import logging
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.words import VENUE

_log = logging.getLogger(__name__)

#: Times are left out where they are none: the frame's own is taken then.
_TIMES: Final = ("created_at_ts", "updated_at", "cancel_requested_at", "expired_at")
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


class OrderList(Struct, frozen=True):
    """What could be read of a list of orders.

    Parameters
    ----------
    orders : list[Order]
        The readable ones.
    lost : int
        How many could not be read: what is not among `orders` may be one of them.
    """

    orders: list[wire.Order]
    lost: int = 0

    def __len__(self) -> int:
        return len(self.orders) + self.lost


def decode_orders(body: bytes) -> OrderList:
    """Read the answer to a query of orders (protocol, 4.7): a bare array; null is an empty one.

    An order that cannot be read is logged, counted and left out: it must not hide the others.

    Raises
    ------
    FrameError
        If it is no list of orders.
    """
    try:
        orders = wire.ORDERS.decode(body) or []
        for order in orders:
            _check(order)
        return OrderList(orders)
    except (*wire.DECODE_ERRORS, ValueError) as exc:
        expected = f"a list of orders (protocol 4.7; {exc})"
    found: list[wire.Order] = []
    faults: list[FrameError] = []
    rows = _rows(body, expected)
    for row in rows:
        try:
            found.append(_check(decode_order(bytes(row))))
        except (*wire.DECODE_ERRORS, ValueError) as exc:
            faults.append(FrameError(VENUE, bytes(row), f"an order (protocol 6; {exc})"))
    if faults and not found and not any(map(_has_id, rows)):
        raise faults[0]  # no list of orders at all
    for fault in faults:
        _log.error("%s", fault)
    return OrderList(found, len(faults))


def _check(order: wire.Order) -> wire.Order:
    """Return an order whose numbers are such; raises `ValueError`."""
    wire.check_numbers(order.size, order.filled_size, order.price, order.avg_price, order.filled_fees)
    return order


def _has_id(row: Raw) -> bool:
    try:
        return bool(wire.ORDER_KEY.decode(bytes(row)).id)
    except wire.DECODE_ERRORS:
        return False


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
    for key in _TIMES:
        if key in kept and not _is_time(kept[key]):
            del kept[key]
    for key in _UPPER_CASE:
        if isinstance(kept.get(key), str):
            kept[key] = kept[key].upper()
    if "last_trades" in kept:
        kept["last_trades"] = _trades(kept["last_trades"])
    return kept


def _is_time(told: Any) -> bool:
    """Whether it is a time in ns that fits; only ever asked of what did not fit as a whole."""
    text = str(told)
    return not isinstance(told, bool) and text.isascii() and text.isdigit() and len(text) <= 19


def _trades(told: Any) -> list[wire.OwnTrade] | None:
    """Read the trades if all of them can be read; otherwise the growth of `filled_size` tells of them."""
    if not isinstance(told, list):
        return None
    try:
        rows = [{key: value for key, value in row.items() if value not in (None, "")} for row in told]
        return [msgspec.convert(row, wire.OwnTrade, strict=False) for row in rows]
    except (msgspec.MsgspecError, AttributeError):
        return None
