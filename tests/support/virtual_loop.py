"""An event loop whose time jumps over waiting: for code that uses the loop's own timers (no sockets)."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _JumpingSelector(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        # Each turn takes a little time, as in life: code that waits for "a rounding error more" would spin else.
        self.now += 1e-9
        if not ready and timeout is not None and timeout > 0:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs timers at once, in order, on a clock of its own."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class LoopClock:
    """A `Clock` that shows the running loop's time."""

    def time_ns(self) -> int:
        return round(self.monotonic() * 1e9)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, secs: float) -> None:
        await asyncio.sleep(secs)

    def timeout(self, secs: float | None) -> asyncio.Timeout:
        return asyncio.timeout(secs)


def run_virtually(main: Coroutine[Any, Any, Any]) -> Any:
    """Run `main` on a fresh virtual loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
