"""The limits of section 9 of the simulated sFOX, and what breaking one costs."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from enum import Enum

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions

_NS = 1_000_000_000


class Limit(Enum):
    """A documented limit: its name, requests, window and wait in secs (equal values would be one member)."""

    IP = ("ip", 250, 10, 60)
    CREATE = ("create", 60, 1, 10)
    OPEN_ORDERS = ("open orders", 10, 10, 10)
    DONE_ORDERS = ("done orders", 5, 10, 10)
    BALANCES = ("balances", 5, 10, 10)
    TRANSACTIONS = ("transactions", 1, 10, 10)
    POSITIONS = ("positions", 10, 10, 10)
    QUOTES = ("quotes", 10, 1, 10)
    WEBSOCKET = ("websocket", 40, 60, 120)

    def __init__(self, text: str, count: int, window_secs: int, wait_secs: int) -> None:
        self.text = text
        self.count = count
        self.window_secs = window_secs
        self.wait_secs = wait_secs


MAX_CONNECTIONS = 10


@dataclass(slots=True)
class _Bucket:
    times: deque[int] = field(default_factory=deque)
    blocked_until_ns: int = 0


class Limits:
    """
    Counts requests in sliding windows, by the sim's clock.

    Parameters
    ----------
    clock : SimClock
    options : SfoxTwinOptions
        `limit_time_scale` stretches every window and wait.
    """

    def __init__(self, clock: SimClock, options: SfoxTwinOptions) -> None:
        self._clock = clock
        self._options = options
        self._buckets: dict[tuple[Limit, str], _Bucket] = defaultdict(_Bucket)

    def wait_secs(self, limit: Limit, who: str) -> float:
        """Count a request of `who`; for how long it is to wait if it came too early, else 0."""
        scale = self._options.limit_time_scale
        now_ns = self._clock.now_ns()
        bucket = self._buckets[(limit, who)]
        if now_ns < bucket.blocked_until_ns:
            return (bucket.blocked_until_ns - now_ns) / _NS
        while bucket.times and bucket.times[0] <= now_ns - limit.window_secs * scale * _NS:
            bucket.times.popleft()
        if len(bucket.times) < limit.count:
            bucket.times.append(now_ns)
            return 0.0
        bucket.times.clear()
        bucket.blocked_until_ns = now_ns + round(limit.wait_secs * scale * _NS)
        return limit.wait_secs * scale

    def is_blocked(self, limit: Limit, who: str) -> bool:
        """Whether `who` still has to wait; nothing is counted."""
        bucket = self._buckets.get((limit, who))
        return bucket is not None and self._clock.now_ns() < bucket.blocked_until_ns
