"""One queue for the commands of one session: they go out in the order given.

The framework starts a task per command, with no order between them. Here each command is queued the moment it is
given and started when the one before it is done, or has had `pace_secs` to get its bytes out and only its answer is
missing: a venue that answers slowly must not hold back a cancel.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Command = Callable[[], Awaitable[None]]


class CommandQueue:
    """Runs commands in order.

    Parameters
    ----------
    log : Any
        The framework's logger.
    pace_secs : float
        How long the next command waits for the answer of the one before.
    """

    def __init__(self, log: Any, pace_secs: float = 0.25) -> None:
        self._log = log
        self._pace_secs = pace_secs
        self._queue: asyncio.Queue[tuple[str, Command]] = asyncio.Queue()
        self._runner: asyncio.Task[None] | None = None
        self._unanswered: set[asyncio.Task[None]] = set()
        self._stopping = False

    def put(self, name: str, command: Command) -> None:
        """Queue one command."""
        if self._stopping:
            self._log.error(f"{name}: the client is disconnected, nothing was sent")
            return
        self._queue.put_nowait((name, command))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.get_running_loop().create_task(self._run(), name="order commands")

    async def _run(self) -> None:
        while not self._queue.empty():
            name, command = self._queue.get_nowait()
            task = asyncio.create_task(self._guarded(name, command), name=name)
            self._unanswered.add(task)
            task.add_done_callback(self._unanswered.discard)
            await asyncio.wait({task}, timeout=self._pace_secs)

    async def _guarded(self, name: str, command: Command) -> None:
        try:
            await command()
        except Exception as e:
            # An exception here is our bug; the order stays as it is and is resolved by query.
            self._log.exception(f"{name} failed", e)

    async def drain(self, timeout_secs: float) -> None:
        """Wait for everything queued and unanswered, at most `timeout_secs`; then refuse new commands."""
        self._stopping = True
        waiting = {task for task in (self._runner, *self._unanswered) if task is not None and not task.done()}
        if waiting:
            await asyncio.wait(waiting, timeout=timeout_secs)
        for task in (self._runner, *list(self._unanswered)):
            if task is not None and not task.done():
                task.cancel()
        await asyncio.gather(*(t for t in waiting if not t.done()), return_exceptions=True)

    def reopen(self) -> None:
        """Take commands again (after a reconnect of the client)."""
        self._stopping = False
