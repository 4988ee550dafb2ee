"""The `Retry-After` header (RFC 9110, section 10.2.3)."""

from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_SECS = 3600.0
"""Longest wait that is believed: a feed must not sleep for a week because a header says so."""


def parse_retry_after(value: str | None, now_ns: int) -> float | None:
    """Return the seconds to wait, or None if the header is missing or unreadable.

    Parameters
    ----------
    value : str, optional
        The header: seconds (venues also send fractions) or an HTTP date.
    now_ns : int
        Current time, UNIX ns, to which a date is compared.

    Returns
    -------
    float or None
        Between 0 and `MAX_RETRY_AFTER_SECS`.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        secs = float(text)
    except ValueError:
        try:
            secs = parsedate_to_datetime(text).timestamp() - now_ns / 1e9
        except (ValueError, TypeError, OverflowError):
            return None
    if secs != secs:  # NaN
        return None
    return min(max(secs, 0.0), MAX_RETRY_AFTER_SECS)
