"""One stream's conversation, as a venue describes it to the session.

A venue subclasses `Stream` and says only what its protocol says: where to connect, how to authenticate and
subscribe, what its ping looks like. Connecting, waiting, buffering and reconnecting are the session's.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError
from nautilus_orderfeeds.feed.verdict import classify

Frame = bytes | str
"""A frame to send. Both kinds go out as WebSocket text; bytes must be UTF-8."""


class Direction(Enum):
    """Which way a frame went; a NOTE of a recording went nowhere (see `notes`)."""

    IN = "in"
    OUT = "out"
    NOTE = "note"


class FrameSink(Protocol):
    """Something that is shown every frame, such as a recorder."""

    def record(self, direction: Direction, stream: str, frame: bytes) -> None:
        """Take note of one frame of the stream named `stream`."""
        ...


class Handshake(Protocol):
    """The connection as a venue's handshake sees it."""

    async def send(self, frame: Frame) -> None:
        """Send one text frame.

        Raises
        ------
        TransientFeedError or FatalFeedError
            If the connection is gone; which of them, the stream's `classify` says.
        """
        ...

    async def expect(
        self, predicate: Callable[[bytes], bool], timeout_secs: float = 10.0, *, keep: bool = False
    ) -> bytes:
        """Wait for the first frame for which `predicate` is true.

        All other frames are kept in arrival order and delivered later, so none is lost. Frames that came before
        this call and were not taken by another `expect` are looked at first.

        Parameters
        ----------
        predicate : Callable[[bytes], bool]
            Looks at one raw frame. It may raise a `FeedError` (credentials refused), which takes the frame and
            ends the handshake; any other exception counts as "not this one".
        timeout_secs : float, default 10.0
            How long to wait.
        keep : bool, default False
            Deliver the matching frame to `on_frame` too, for venues whose confirmation is itself data (a
            snapshot). No later `expect` is shown it.

        Returns
        -------
        bytes
            The frame.

        Raises
        ------
        HandshakeTimeout
            If none came in time.
        TransientFeedError or FatalFeedError
            If the connection was closed meanwhile, or what `predicate` raised.
        """
        ...


class Stream(Protocol):
    """What a venue tells about one of its streams. Subclass it to get the defaults."""

    name: str
    """Name in logs, health and recordings, e.g. `BSX orders`."""

    keepalive_secs: float | None = None
    """Interval of `probe` frames the venue asks for whatever else arrives; None: a probe only after silence."""

    shared_as: str | None = None
    """Streams of equal `shared_as` share one connection in a process (see `hub`); None: each has its own. It may be
    logged, so of a key it holds a digest only."""

    claims: str | None = None
    """Of a shared connection: the route whose frames are this one's own (see `routes`)."""

    sequence_grace_secs: float = 1.0
    """How long a skipped `sequence` number may still come before the frame counts as lost."""

    async def admit(self) -> None:
        """Return when a connection may be opened: for venues that limit connections or what a handshake sends."""
        return

    async def outgoing(self, frame: Frame) -> Frame | None:
        """Return what to send for `frame`, once it may go out; not asked for frames of the handshake.

        For venues that limit requests. What waits may be merged: one frame then says it all, and None is returned for
        those that have become needless. What is returned goes out at once, on the connection there is then.
        """
        return frame

    def clean(self, frame: bytes) -> bytes:
        """Return an incoming frame without what must be stored and shown nowhere, such as somebody's token."""
        return frame

    def sequence(self, frame: bytes) -> int | None:
        """Return the number of an incoming frame, by which a missing one is noticed; None if it has none.

        Numbers rise by one for each frame of a connection, those of the handshake included.
        """
        return None

    def answer(self, frame: bytes) -> Frame | None:
        """Return what to send at once for an incoming frame (a venue's ping); None: nothing."""
        return None

    def routes(self, frame: bytes) -> Sequence[tuple[str | None, bytes]]:
        """Return whose frame it is on a shared connection, cheaply, as (route, frame); None: nobody's in particular.

        Mostly one. A frame that tells of several accounts is taken apart into one for each.
        """
        return [(None, frame)]

    def url(self) -> str:
        """Where to connect; asked anew for each connection, because tokens may be part of it."""
        ...

    def headers(self) -> dict[str, str]:
        """Headers of the upgrade request; asked anew for each connection, because they may be signed."""
        return {}

    async def handshake(self, conn: Handshake) -> None:
        """Authenticate and subscribe; return when the venue has confirmed the subscription.

        Raises
        ------
        FatalFeedError
            If the venue refuses the credentials or the subscription for good.
        TransientFeedError
            If another attempt may succeed.
        """
        ...

    def ended(self) -> None:
        """Take note that a connection has ended and all its frames are delivered.

        For venues with requests on the stream: no answer to any of them will come. On a shared connection only the
        first stream is told. Must not raise.
        """
        return

    def probe(self) -> Frame | None:
        """Return the application's ping frame, to which any frame is an answer; None: use WebSocket pings."""
        return None

    def classify(self, exc: Exception) -> FatalFeedError | TransientFeedError:
        """Say what a failure means: try again or not, and when. See `verdict.classify` for the default."""
        return classify(exc)

    def recordable(self, frame: bytes) -> bool:
        """Whether an outgoing frame is free of secrets and may be written to a recording."""
        return False
