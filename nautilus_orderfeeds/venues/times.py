"""Times as text, exactly: ISO 8601 in UTC, with up to nine decimals of a second."""

import re
from datetime import UTC, datetime
from typing import Final

_NS_PER_SEC: Final = 1_000_000_000
_MAX_NS: Final = 2**63 - 1

_ISO: Final = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?(?:Z|\+00:?00)?", re.ASCII)


def parse_iso(told: str | None) -> int:
    """Return UNIX ns; 0 if nothing readable is told: a time must not hide what happened at it.

    Examples
    --------
    >>> parse_iso("2023-04-28T13:09:05.311877774Z"), parse_iso("2024-02-22T19:28:06.000Z"), parse_iso("soon")
    (1682687345311877774, 1708630086000000000, 0)
    """
    found = _ISO.fullmatch(told.strip()) if told else None
    if found is None:
        return 0
    try:
        secs = int(datetime.fromisoformat(f"{found[1]}+00:00").timestamp())
    except ValueError:
        return 0
    time_ns = secs * _NS_PER_SEC + int((found[2] or "0").ljust(9, "0"))
    return time_ns if 0 < time_ns <= _MAX_NS else 0


def iso_ms(time_ns: int) -> str:
    """Return UNIX ns as ``2022-04-23T18:25:43.511Z``; what is finer than a millisecond is cut off."""
    secs, rest = divmod(time_ns, _NS_PER_SEC)
    return f"{datetime.fromtimestamp(secs, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"
