"""The simulated venue's clock: wall time, moved by tests and by the clock fault."""

from __future__ import annotations

import time
from collections.abc import Callable


class SimClock:
    """
    Unix nanoseconds as the venue sees them.

    Parameters
    ----------
    source : Callable[[], int], optional
        The real time, ns.
    skew : Callable[[], int], optional
        What a fault adds to it, ns.
    """

    def __init__(self, source: Callable[[], int] = time.time_ns, skew: Callable[[], int] = lambda: 0) -> None:
        self._source = source
        self._skew = skew
        self._offset_ns = 0

    def now_ns(self) -> int:
        """The venue's time, ns."""
        return self._source() + self._offset_ns + self._skew()

    def advance(self, secs: float) -> None:
        """Move the venue's time forward for good, so that something expires without waiting for it."""
        self._offset_ns += round(secs * 1_000_000_000)
