"""An event loop whose time jumps over waiting: for code that uses the loop's own timers.

With sockets only if both ends are in this process, and with a `patience_secs` that lets what was written arrive.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from functools import partial
from typing import Any


class _JumpingSelector(selectors.SelectSelector):
    now = 0.0

    def __init__(self, patience_secs: float) -> None:
        super().__init__()
        self._patience_secs = patience_secs

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0 if timeout == 0 else self._patience_secs)
        # Each turn takes a little time, as in life: code that waits for "a rounding error more" would spin else.
        self.now += 1e-9
        if not ready and timeout is not None and timeout > 0:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs timers at once, in order, on a clock of its own."""

    def __init__(self, patience_secs: float = 0.0) -> None:
        self._jumping = _JumpingSelector(patience_secs)
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


def run_virtually(main: Coroutine[Any, Any, Any], *, patience_secs: float = 0.0) -> Any:
    """Run `main` on a fresh virtual loop; before each jump of its time real sockets are watched for `patience_secs`."""
    with asyncio.Runner(loop_factory=partial(VirtualLoop, patience_secs)) as runner:
        return runner.run(main)
