"""What can go wrong with a private feed or a venue's REST interface.

The tree::

    FeedError
    +-- FatalFeedError          wrong credentials, unsupported venue: trying again cannot help
    +-- TransientFeedError      connection lost, venue busy: try again (not before `retry_after_secs`)
    |   +-- HandshakeTimeout    the venue did not answer a step of the handshake in time
|   +-- NotServed           this installation of the venue does not have the call
    +-- FrameError              a frame that cannot be understood; counted and logged, never stops the feed
    +-- NotSent                 a command provably never left this machine: nothing happened at the venue
    |   +-- SendError           the WebSocket was not connected
    +-- OutcomeUnknown          bytes may have left and no answer came: ask the venue, never send again blindly

`NotSent` and `OutcomeUnknown` are what an order command needs to tell apart, over REST and over the socket
alike. No message of these exceptions holds a credential, a header or a whole URL.
"""

EXCERPT_LIMIT = 300
"""Characters of a received frame that an error message shows."""


def excerpt(received: bytes | str, limit: int = EXCERPT_LIMIT) -> str:
    """Return the beginning of `received` as printable text of at most `limit` characters.

    Bytes that are no UTF-8 and control characters are escaped, so the result is safe in a log line.
    """
    # A character takes at most four bytes: decoding more of a 10 MB frame would be wasted.
    head = received[: limit * 4]
    text = head.decode("utf-8", "backslashreplace") if isinstance(head, bytes) else head
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:limit])
    whole = len(received) == len(head) and len(printable) <= limit and len(text) <= limit
    return printable if whole else printable[: limit - 3] + "..."


class FeedError(Exception):
    """Base of everything this room raises on purpose."""


class FatalFeedError(FeedError):
    """Trying again cannot help: credentials refused, venue or option unsupported, URL invalid."""


class TransientFeedError(FeedError):
    """The connection or the venue failed for now; the session tries again.

    Parameters
    ----------
    message : str
        What happened, what was expected, what to do.
    retry_after_secs : float, optional
        Earliest time of the next attempt as the venue wishes it, seconds from now.
    """

    def __init__(self, message: str, *, retry_after_secs: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_secs = retry_after_secs


class HandshakeTimeout(TransientFeedError):
    """The venue did not answer a step of the handshake in time."""


class NotServed(TransientFeedError):
    """The installation does not have this call (HTTP 404, 405 or 501): what it would tell stays unknown."""


class FrameError(FeedError):
    """A frame that does not say what the venue's protocol promises.

    Parameters
    ----------
    venue : str
        Whose frame it is.
    received : bytes or str
        The frame; only its first 300 characters are kept.
    expected : str
        What the protocol promises at this place.
    """

    def __init__(self, venue: str, received: bytes | str, expected: str) -> None:
        self.venue = venue
        self.received = excerpt(received)
        self.expected = expected
        super().__init__(f"{venue}: received {self.received!r}, expected {expected}; frame skipped")


class NotSent(FeedError):
    """The request provably never left this machine; nothing happened at the venue."""


class SendError(NotSent):
    """A frame could not be sent because the stream is not connected."""


class OutcomeUnknown(FeedError):
    """Bytes may have left and no readable answer came: the venue may or may not have acted."""
