"""Units of Roxom's numbers: bitcoin against satoshi, and the four units of its times (protocol, 3)."""

from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.venues.roxom.words import SATS, SATS_PLACES

_MAX_NS: Final = 2**63 - 1

#: A price this many times the one it should be near is told in satoshi (the exact ratio is 1e8).
_LEAST_RATIO: Final = Decimal(10) ** 6
_LARGEST_RATIO: Final = Decimal(10) ** 10


def instant_ns(told: int | None) -> int:
    """Return a time of a REST reply as UNIX ns; 0 if none is told.

    The documents contradict each other (ms in one sample, ns in another of the same field), so its size decides.

    Examples
    --------
    >>> instant_ns(1685432112000), instant_ns(1640995200000000000), instant_ns(None)
    (1685432112000000000, 1640995200000000000, 0)
    """
    if told is None or told <= 0:
        return 0
    if told >= 10**17:
        time_ns = told
    elif told >= 10**14:
        time_ns = told * 1_000
    elif told >= 10**11:
        time_ns = told * 1_000_000
    else:
        time_ns = told * 1_000_000_000
    return time_ns if time_ns <= _MAX_NS else 0


def from_sats(told: Decimal) -> Decimal:
    """Return satoshi as bitcoin, exactly."""
    return told.scaleb(-SATS_PLACES)


def in_btc(told: Decimal | None, unit: str) -> Decimal | None:
    """Return an amount or price in bitcoin, whatever `unit` a reply names (nothing named: what was asked for)."""
    if told is None or unit.lower() != SATS:
        return told
    return from_sats(told)


def looks_like_sats(told: Decimal | None, reference: Decimal | None) -> bool:
    """Return whether a price must be in satoshi, judged by a price in bitcoin that it should be near."""
    if not told or not reference:
        return False
    return _LEAST_RATIO <= told / reference <= _LARGEST_RATIO
