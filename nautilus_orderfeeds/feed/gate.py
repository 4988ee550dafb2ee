"""Where a frame goes: to a step of the handshake, to the kept ones, or straight on. No I/O here.

Theory of operation. While the gate is closed (handshake, resync) frames are kept in arrival order; opening it
delivers them in that order before any later frame. Every frame is either taken by exactly one expectation or
delivered exactly once, and delivered frames keep their arrival order.
"""

import logging
from collections import deque
from collections.abc import Callable

from nautilus_orderfeeds.feed.errors import FeedError

_log = logging.getLogger(__name__)


class Expectation:
    """One wait for a frame.

    Parameters
    ----------
    predicate : Callable[[bytes], bool]
        Which frame.
    settle : Callable[[bytes or FeedError], None]
        Told once: the frame, or why there will be none.
    keep : bool
        Deliver the matching frame too.
    """

    __slots__ = ("keep", "predicate", "settle")

    def __init__(
        self, predicate: Callable[[bytes], bool], settle: Callable[[bytes | FeedError], None], keep: bool
    ) -> None:
        self.predicate = predicate
        self.settle = settle
        self.keep = keep


class FrameGate:
    """Keeps, hands out and delivers the frames of one connection; starts closed.

    Parameters
    ----------
    deliver : Callable[[bytes], None]
        Takes each frame when its time has come. Must not raise.
    """

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        self._deliver = deliver
        # Each with whether an expectation has already been shown it: none is shown to two.
        self._kept: deque[tuple[bytes, bool]] = deque()
        self._expectations: list[Expectation] = []
        self._open = False
        self._failure: FeedError | None = None

    @property
    def is_open(self) -> bool:
        """Whether frames are delivered as they come."""
        return self._open

    @property
    def kept(self) -> int:
        """Frames that wait for the gate to open."""
        return len(self._kept)

    def receive(self, frame: bytes) -> None:
        """Take the next frame from the connection."""
        shown = False
        for expectation in self._expectations:
            verdict = _look(expectation, frame)
            if verdict is False:
                continue
            self._expectations.remove(expectation)
            expectation.settle(frame if verdict is True else verdict)
            shown = verdict is True and expectation.keep
            if not shown:
                return
            break
        if self._open:
            self._deliver(frame)
        else:
            self._kept.append((frame, shown))

    def expect(self, expectation: Expectation) -> None:
        """Start a wait; it may be settled at once by a kept frame or an earlier `fail`."""
        for index, (frame, shown) in enumerate(self._kept):
            verdict = False if shown else _look(expectation, frame)
            if verdict is False:
                continue
            if verdict is True and expectation.keep:
                self._kept[index] = (frame, True)
            else:
                del self._kept[index]
            expectation.settle(frame if verdict is True else verdict)
            return
        if self._failure is not None:
            expectation.settle(self._failure)
            return
        self._expectations.append(expectation)

    def withdraw(self, expectation: Expectation) -> None:
        """End a wait that nobody waits for any more."""
        if expectation in self._expectations:
            self._expectations.remove(expectation)

    def fail(self, failure: FeedError) -> None:
        """Tell every wait, now and later, that no more frames will come."""
        self._failure = failure
        waiting, self._expectations = self._expectations, []
        for expectation in waiting:
            expectation.settle(failure)

    def open(self) -> None:
        """Deliver what was kept, in order, then let frames through as they come."""
        while self._kept:
            frame, _ = self._kept.popleft()
            self._deliver(frame)
        self._open = True

    def close(self) -> None:
        """Keep frames from now on."""
        self._open = False


def _look(expectation: Expectation, frame: bytes) -> bool | FeedError:
    try:
        return bool(expectation.predicate(frame))
    except FeedError as exc:
        return exc
    except Exception:
        # The frame stays in the flow and is counted as malformed where it is decoded.
        _log.debug("a handshake predicate failed on a frame; taken as no match", exc_info=True)
        return False
