"""Running things side by side without leaving anything behind."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from nautilus_orderfeeds.feed.errors import FatalFeedError


async def race(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all until the first one ends, end the others, and raise what went wrong.

    Unlike `asyncio.TaskGroup` this ends when one returns, never wraps exceptions in a group, and never lets an
    error of a child hide the caller's own cancellation (which would keep a stopped session running).

    Parameters
    ----------
    *coroutines : Coroutine
        What to run; when this returns or raises, none of them is running.

    Raises
    ------
    Exception
        What the coroutines raised: a `FatalFeedError` if there is one, else the first in argument order.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    errors = [error for task in tasks if not task.cancelled() and (error := task.exception()) is not None]
    for error in errors:
        if isinstance(error, FatalFeedError):
            raise error
    if errors:
        raise errors[0]


class Waiters:
    """Callers that wait for the same thing to happen."""

    def __init__(self) -> None:
        self._futures: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        """Return at the next `release`, or raise what `fail` is given."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        try:
            await future
        finally:
            if future in self._futures:
                self._futures.remove(future)

    def release(self) -> None:
        """Let all go on that wait now."""
        futures, self._futures = self._futures, []
        for future in futures:
            if not future.done():
                future.set_result(None)

    def fail(self, error: Exception) -> None:
        """Raise `error` in all that wait now."""
        futures, self._futures = self._futures, []
        for future in futures:
            if not future.done():
                future.set_exception(error)

    def take(self) -> "Waiters":
        """Return those that wait now, leaving none here."""
        taken = Waiters()
        taken._futures, self._futures = self._futures, []
        return taken

    def give_back(self, taken: "Waiters") -> None:
        """Have those that were taken wait here again, before any who came since."""
        self._futures = taken._futures + self._futures
