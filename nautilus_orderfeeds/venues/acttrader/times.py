"""Times as ActTrader writes them (protocol, section 3): integers of milliseconds, or ISO 8601 in UTC."""

import math
from typing import Final

from nautilus_orderfeeds.venues.times import iso_ms as iso_ms
from nautilus_orderfeeds.venues.times import parse_iso

_NS_PER_MS: Final = 1_000_000
_MAX_NS: Final = 2**63 - 1


def parse_time(told: float | str | None) -> int:
    """Return UNIX ns; 0 if nothing readable is told: a time must not hide what happened at it.

    Examples
    --------
    >>> parse_time("2023-04-28T13:09:05.311877774Z"), parse_time(1507725176595), parse_time("soon")
    (1682687345311877774, 1507725176595000000, 0)
    >>> parse_time(1507725176595.0)
    1507725176595000000
    """
    if told is None or isinstance(told, str):
        return parse_iso(told)
    if isinstance(told, float):
        told = int(told) if math.isfinite(told) else 0
    time_ns = told * _NS_PER_MS
    return time_ns if 0 < time_ns <= _MAX_NS else 0
