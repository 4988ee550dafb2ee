"""Handing frames to their consumer, whose failures must not stop the feed."""

import logging
from collections import deque
from collections.abc import Callable

from nautilus_orderfeeds.feed.errors import excerpt
from nautilus_orderfeeds.feed.health import HealthMonitor

_log = logging.getLogger(__name__)

MALFORMED_KEPT = 32
"""Frames that could not be handled are kept for inspection, this many of them."""


class Delivery:
    """Calls `on_frame` for each frame; counts, logs and keeps those it fails on.

    Parameters
    ----------
    stream : str
        The stream's name.
    on_frame : Callable[[bytes], None]
        The consumer.
    monitor : HealthMonitor
        Counts malformed frames.
    """

    def __init__(self, stream: str, on_frame: Callable[[bytes], None], monitor: HealthMonitor) -> None:
        self._stream = stream
        self._on_frame = on_frame
        self._monitor = monitor
        self.malformed: deque[str] = deque(maxlen=MALFORMED_KEPT)
        """Beginnings of the last frames that could not be handled."""

    def __call__(self, frame: bytes) -> None:
        """Deliver one frame; never raises."""
        try:
            self._on_frame(frame)
        except Exception:
            shown = excerpt(frame)
            self.malformed.append(shown)
            _log.exception("%s: a frame could not be handled; the feed goes on: %s", self._stream, shown)
            self._monitor.malformed()
