"""Time as this room sees it: injected, so that tests of timeouts take no time.

`LiveClock` is the machine's. `ManualClock` stands still until a test moves it, and is shipped so that users can
test their own streams. `ServerClock` (in `server_clock`) estimates a venue's clock from ours.
"""

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class Clock(Protocol):
    """Source of time for everything that waits."""

    def time_ns(self) -> int:
        """Wall clock, UNIX ns."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back; only differences mean anything."""
        ...

    async def sleep(self, secs: float) -> None:
        """Return after `secs` seconds."""
        ...

    def timeout(self, secs: float | None) -> AbstractAsyncContextManager[object]:
        """Cancel the body after `secs` seconds and raise `TimeoutError`; None means never."""
        ...


class LiveClock:
    """The machine's clock and the running event loop's timers."""

    def time_ns(self) -> int:
        """Wall clock, UNIX ns."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds of the machine's monotonic clock."""
        return time.monotonic()

    async def sleep(self, secs: float) -> None:
        """Return after `secs` seconds."""
        await asyncio.sleep(secs)

    def timeout(self, secs: float | None) -> AbstractAsyncContextManager[object]:
        """Cancel the body after `secs` seconds and raise `TimeoutError`; None means never."""
        return asyncio.timeout(secs)


class ManualClock:
    """A clock that stands still until it is told to move; for tests.

    Parameters
    ----------
    start_ns : int
        First value of the wall clock, UNIX ns.
    autojump_secs : float, optional
        Real seconds without a timer being set or fired after which the clock jumps to its next timer by itself,
        as in trio. None: only `advance` and `jump` move it. The jump waits for real time because an event loop cannot
        see that a socket's answer is still on its way.

    Examples
    --------
    >>> import asyncio
    >>> async def main():
    ...     clock = ManualClock()
    ...     nap = asyncio.ensure_future(clock.sleep(3600))
    ...     await clock.advance(3600)
    ...     return nap.done()
    >>> asyncio.run(main())
    True
    """

    def __init__(self, start_ns: int = 1_700_000_000_000_000_000, *, autojump_secs: float | None = None) -> None:
        self._start_ns = start_ns
        self._elapsed_ns = 0
        self._autojump_secs = autojump_secs
        self._autojump: asyncio.TimerHandle | None = None
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0

    def time_ns(self) -> int:
        """Wall clock, UNIX ns."""
        return self._start_ns + self._elapsed_ns

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._elapsed_ns / 1e9

    @property
    def timers(self) -> int:
        """Timers that are waiting to fire."""
        return len(self._timers)

    async def sleep(self, secs: float) -> None:
        """Return once the clock was moved by `secs` seconds."""
        if secs <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self._call_in(secs, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            self._forget(timer)

    @asynccontextmanager
    async def timeout(self, secs: float | None) -> AsyncIterator[object]:
        """Cancel the body once the clock was moved by `secs` seconds and raise `TimeoutError`."""
        async with asyncio.timeout(None) as scope:
            if secs is None:
                yield scope
                return
            loop = asyncio.get_running_loop()
            timer = self._call_in(secs, lambda: scope.reschedule(loop.time()))
            try:
                yield scope
            finally:
                self._forget(timer)

    async def advance(self, secs: float) -> None:
        """Move the clock, firing every timer on the way in order, and let what it woke run.

        Parameters
        ----------
        secs : float
            How far, at least 0.
        """
        target_ns = self._elapsed_ns + round(secs * 1e9)
        await self._settle()
        while self._timers and self._timers[0][0] <= target_ns:
            self._fire_next()
            await self._settle()
        self._elapsed_ns = max(self._elapsed_ns, target_ns)

    async def jump(self) -> None:
        """Move the clock to its next timer, fire only that one, and let what it woke run."""
        await self._settle()
        if self._timers:
            self._fire_next()
            await self._settle()

    def _fire_next(self) -> None:
        when_ns, _, fire = heapq.heappop(self._timers)
        self._elapsed_ns = max(self._elapsed_ns, when_ns)
        fire()

    async def _settle(self) -> None:
        # Enough turns of the loop for a chain of woken tasks to set its next timers.
        for _ in range(20):
            await asyncio.sleep(0)

    def _call_in(self, secs: float, fire: Callable[[], None]) -> tuple[int, int, Callable[[], None]]:
        self._serial += 1
        timer = (self._elapsed_ns + round(secs * 1e9), self._serial, fire)
        heapq.heappush(self._timers, timer)
        self._arm_autojump()
        return timer

    def _forget(self, timer: tuple[int, int, Callable[[], None]]) -> None:
        if timer in self._timers:
            self._timers.remove(timer)
            heapq.heapify(self._timers)
        self._arm_autojump()

    def _arm_autojump(self) -> None:
        if self._autojump is not None:
            self._autojump.cancel()
            self._autojump = None
        if self._autojump_secs is not None and self._timers:
            self._autojump = asyncio.get_running_loop().call_later(self._autojump_secs, self._jump)

    def _jump(self) -> None:
        self._autojump = None
        if self._timers:
            self._fire_next()
        self._arm_autojump()
