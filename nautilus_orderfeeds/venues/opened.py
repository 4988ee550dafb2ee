"""The parts of a venue that only its `open` makes."""

from nautilus_orderfeeds.feed.errors import FatalFeedError


def opened[T](part: T | None, venue: str) -> T:
    """Return `part` of `venue` if it has been made.

    Raises
    ------
    FatalFeedError
        If the venue is not open.
    """
    if part is None:
        raise FatalFeedError(f"{venue}: the venue is not open; call open() first")
    return part
