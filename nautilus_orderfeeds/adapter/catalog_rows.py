"""Market data with one precision for all rows of a file, as the catalog of the framework needs them.

A Parquet file of the framework has one price and one size precision, and all files of a type and instrument must have
the same: digits beyond the first object's are cut off when they are read back, and files that differ cannot be read at
all (1.231). Venues do tell finer prices than the instrument's (mark prices), so all numbers of a type and instrument
are written with as many decimal places as the finest of them. Their values do not change, with one exception that is
the framework's own: it writes mark prices by way of a float, so of these 15 significant digits are certain.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
from nautilus_trader.model.data import Bar, MarkPriceUpdate, OrderBookDelta, QuoteTick, TradeTick

_encode = msgspec.json.Encoder(enc_hook=str).encode

#: type -> the keys of its dict form that are prices, and those that are sizes.
_FIELDS: Final[dict[type[Any], tuple[tuple[str, ...], tuple[str, ...]]]] = {
    QuoteTick: (("bid_price", "ask_price"), ("bid_size", "ask_size")),
    TradeTick: (("price",), ("size",)),
    OrderBookDelta: (("price",), ("size",)),
    MarkPriceUpdate: (("value",), ()),
    Bar: (("open", "high", "low", "close"), ("volume",)),
}


class Places(NamedTuple):
    """Decimal places of prices and of sizes."""

    price: int = 0
    size: int = 0

    def at_least(self, other: "Places") -> "Places":
        """Return the greater of each."""
        return Places(max(self.price, other.price), max(self.size, other.size))


def has_places(kind: type[Any]) -> bool:
    """Whether the objects of a type are numbers of one precision a file."""
    return kind in _FIELDS


def places_of(kind: type[Any], plain: dict[str, Any]) -> Places:
    """Return the decimal places of an object in dict form."""
    numbers, (prices, sizes) = _numbers(plain), _FIELDS[kind]
    return Places(
        max(_places(numbers[key]) for key in prices), max((_places(numbers[key]) for key in sizes), default=0)
    )


def pad(kind: type[Any], plain: dict[str, Any], places: Places) -> None:
    """Write the numbers of an object in dict form with (at least) so many decimal places."""
    numbers, fields = _numbers(plain), _FIELDS[kind]
    for keys, wanted in zip(fields, places, strict=True):
        for key in keys:
            text = numbers[key]
            missing = wanted - _places(text)
            if missing > 0:
                numbers[key] = f"{text}{'' if '.' in text else '.'}{'0' * missing}"


def identity(kind: type[Any], plain: dict[str, Any]) -> bytes:
    """Return text by which an object in dict form is the same as one read back from the catalog."""
    if kind is MarkPriceUpdate:
        # What is read back is not exactly what was written, and one frame tells one price of an instrument.
        plain = {**plain, "value": ""}
    return _encode(plain)


def _numbers(plain: dict[str, Any]) -> dict[str, Any]:
    """Return where the numbers stand: those of a delta in its order."""
    held: dict[str, Any] = plain.get("order", plain)
    return held


def _places(text: str) -> int:
    return len(text.partition(".")[2])


def places_in(metadata: dict[bytes, bytes]) -> Iterator[int]:
    """Yield price and size precision of a Parquet file's metadata."""
    for key in (b"price_precision", b"size_precision"):
        yield int(metadata.get(key, b"0"))
