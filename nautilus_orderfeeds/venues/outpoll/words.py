"""The venue's words, and what they mean here (protocol, 7 and 12)."""

from collections.abc import Mapping
from typing import Final

from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide

VENUE: Final = "OUTPOLL"

#: What everything is quoted and settled in (protocol, 2).
QUOTE: Final = "USDC"

SUCCESS: Final = "SUCCESS"
FAILED: Final = "FAILED"
"""`s` of an ORDER_UPDATE (protocol, 6.1): not what happened, only that something did."""

#: Only ACTIVE and FILLED are documented; the others are the preset guesses of protocol 12.
STATUSES: Final[dict[str, VenueStatus]] = {
    "ACTIVE": VenueStatus.WORKING,
    "PARTIALLY_FILLED": VenueStatus.WORKING,
    "FILLED": VenueStatus.FILLED,
    "CANCELED": VenueStatus.CANCELED,
    "CANCELLED": VenueStatus.CANCELED,
    "REJECTED": VenueStatus.REJECTED,
    "FAILED": VenueStatus.REJECTED,
    "EXPIRED": VenueStatus.EXPIRED,
}


def status_map(extra: Mapping[str, str] | None) -> dict[str, VenueStatus]:
    """Return the meaning of each status word, by the word in upper case.

    Parameters
    ----------
    extra : Mapping[str, str], optional
        The venue's word -> name of a `VenueStatus`; replaces or adds to the presets.

    Raises
    ------
    ValueError
        If a meaning is no `VenueStatus`.
    """
    found = dict(STATUSES)
    for word, meaning in (extra or {}).items():
        try:
            found[word.upper()] = VenueStatus[meaning.upper()]
        except KeyError:
            known = ", ".join(status.name for status in VenueStatus)
            raise ValueError(f"status {word!r} cannot mean {meaning!r}: expected one of {known}") from None
    return found


def side_of(word: str) -> OrderSide | None:
    """Return the side; None if it is none: of an order entered elsewhere nothing can be told then."""
    try:
        return OrderSide[word.upper()]
    except KeyError:
        return None
