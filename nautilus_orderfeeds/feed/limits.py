"""Staying below a venue's rate limits, cancels first.

aiolimiter's leaky bucket gives the slots; the lanes here decide who gets the next one, so that a cancel never
stands behind a queue of new orders. Clients of one account in one process share their limiter.
"""

import asyncio
import hashlib
import heapq
import itertools
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Protocol
from weakref import WeakKeyDictionary

from aiolimiter import AsyncLimiter
from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock, LiveClock

EVERY_ROUTE = "*"
"""Name of the limit that all routes share."""


class Priority(IntEnum):
    """Who goes first when requests must wait; the lower number."""

    CANCEL = 0
    NORMAL = 1
    READ = 2


class Limiter(Protocol):
    """What a REST client asks before each request and tells of a refusal."""

    async def acquire(self, route: str = "", priority: Priority = Priority.NORMAL) -> None:
        """Return when a request on `route` may go out."""
        ...

    def pause(self, route: str, secs: float | None = None) -> None:
        """Take note that the venue refused a request on `route` (HTTP 429) and wants `secs` seconds of rest."""
        ...


class Rate(Struct, frozen=True):
    """At most `count` requests in any window of `period_secs`.

    Parameters
    ----------
    count : int
        Requests a window.
    period_secs : float
        Length of the window.
    burst : int, default 0
        Requests that may go out at once after a pause, 1 to `count`; 0 means half of `count`. The rest of the
        window's allowance is spread out, or a burst and its refill could both fall into one window.
    pause_secs : float, default 10.0
        How long the route rests after HTTP 429 without `Retry-After`.
    """

    count: int
    period_secs: float
    burst: int = 0
    pause_secs: float = 10.0

    def __post_init__(self) -> None:
        if self.count < 1 or self.period_secs <= 0 or not 0 <= self.burst <= self.count or self.pause_secs < 0:
            raise ValueError(f"expected count >= 1, period_secs > 0, 0 <= burst <= count; received {self}")

    def bucket(self) -> AsyncLimiter:
        """Make the leaky bucket that keeps this rate.

        A bucket of size B that leaks r a second admits the n-th request no earlier than (n - B) / r seconds
        after the first. For the (count + 1)-th to fall out of the window, r = (count + 1 - B) / period.
        """
        size = self.burst or max(1, self.count // 2)
        leak_per_sec = (self.count + 1 - size) / self.period_secs
        return AsyncLimiter(size, size / leak_per_sec)


class RateLimiter:
    """Limits of one account at one host.

    Parameters
    ----------
    rates : Mapping[str, Rate or Sequence[Rate]]
        Per route; `"*"` holds for all routes together. A route without a rate is only bound by `"*"`.
    clock : Clock, optional
        Source of time for pauses (the buckets use the event loop's).
    """

    def __init__(self, rates: Mapping[str, Rate | Sequence[Rate]], *, clock: Clock | None = None) -> None:
        self._clock = clock or LiveClock()
        self._lanes: dict[str, _Lane] = {}
        for route, given in rates.items():
            self._lanes[route] = _Lane([given] if isinstance(given, Rate) else list(given), self._clock)
        self._lanes.setdefault(EVERY_ROUTE, _Lane([], self._clock))

    async def acquire(self, route: str = "", priority: Priority = Priority.NORMAL) -> None:
        """Return when a request on `route` may go out."""
        lane = self._lanes.get(route)
        if lane is not None and route != EVERY_ROUTE:
            await lane.acquire(priority)
        await self._lanes[EVERY_ROUTE].acquire(priority)

    def pause(self, route: str, secs: float | None = None) -> None:
        """Let nothing out on `route` for `secs` seconds (`"*"`: on all routes); None takes the rate's own."""
        lane = self._lanes.get(route)
        if lane is None:
            lane = self._lanes[route] = _Lane([], self._clock)
        lane.pause(secs)


class _Waiter:
    __slots__ = ("granted", "woken")

    def __init__(self) -> None:
        self.granted = False
        self.woken = asyncio.Event()


class _Lane:
    """One queue of waiters. The first of them drives: it waits for slots and grants each to whoever is most
    urgent at that moment, itself or another, until it is granted one; then the next one drives.
    """

    def __init__(self, rates: list[Rate], clock: Clock) -> None:
        self._buckets = [rate.bucket() for rate in rates]
        self._pause_secs = max((rate.pause_secs for rate in rates), default=10.0)
        self._clock = clock
        self._paused_until = clock.monotonic()
        self._queue: list[tuple[int, int, _Waiter]] = []
        self._serial = itertools.count()
        self._driver: _Waiter | None = None

    def pause(self, secs: float | None) -> None:
        until = self._clock.monotonic() + (self._pause_secs if secs is None else secs)
        self._paused_until = max(self._paused_until, until)

    async def acquire(self, priority: Priority) -> None:
        waiter = _Waiter()
        entry = (int(priority), next(self._serial), waiter)
        heapq.heappush(self._queue, entry)
        if self._driver is None:
            self._driver = waiter
        try:
            while not waiter.granted:
                if self._driver is waiter:
                    await self._slot()
                    chosen = heapq.heappop(self._queue)[2]
                    chosen.granted = True
                    chosen.woken.set()
                else:
                    await waiter.woken.wait()
                    waiter.woken.clear()
        finally:
            if not waiter.granted:
                self._queue.remove(entry)
                heapq.heapify(self._queue)
            if self._driver is waiter:
                self._driver = self._queue[0][2] if self._queue else None
                if self._driver is not None:
                    self._driver.woken.set()

    async def _slot(self) -> None:
        await self._rest()
        for bucket in self._buckets:
            await bucket.acquire()
        # A 429 may have come while the buckets let us wait.
        await self._rest()

    async def _rest(self) -> None:
        while (secs := self._paused_until - self._clock.monotonic()) > 0:
            await self._clock.sleep(secs)


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], RateLimiter]] = WeakKeyDictionary()


def shared_limiter(
    host: str, account_key: str, rates: Mapping[str, Rate | Sequence[Rate]], *, clock: Clock | None = None
) -> RateLimiter:
    """Return the limiter that all clients of this account at this host share in the running event loop.

    Parameters
    ----------
    host : str
        Host and port.
    account_key : str
        What the venue counts by (an API key, or empty for limits per address). Only its digest is kept.
    rates : Mapping[str, Rate or Sequence[Rate]]
        Limits, taken from the first caller.
    clock : Clock, optional
        Source of time, taken from the first caller.
    """
    limiters = _shared.setdefault(asyncio.get_running_loop(), {})
    key = (host, hashlib.sha256(account_key.encode()).hexdigest())
    if key not in limiters:
        limiters[key] = RateLimiter(rates, clock=clock)
    return limiters[key]
