"""Things that a simulated venue does a little later, or again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Later:
    """
    Runs functions after a delay or at an interval, and never loses an error.

    Parameters
    ----------
    failures : list[BaseException]
        Where errors go (`SimServer.failures`): the simulation raises them at its end.
    """

    def __init__(self, failures: list[BaseException]) -> None:
        self._failures = failures
        self._tasks: set[asyncio.Task[None]] = set()

    def once(self, secs: float, what: Callable[[], None]) -> None:
        """Call `what` in `secs`; without a delay at once, before returning."""
        if secs <= 0:
            what()
            return

        async def wait() -> None:
            await asyncio.sleep(secs)
            what()

        self._start(wait())

    def every(self, secs: Callable[[], float], what: Callable[[], None]) -> None:
        """Call `what` again and again; the interval is asked for each time."""

        async def repeat() -> None:
            while True:
                await asyncio.sleep(secs())
                what()

        self._start(repeat())

    def stop(self) -> None:
        """Forget everything that was to be done."""
        for task in list(self._tasks):
            task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(error)
