"""Taking the venue's snapshot while live frames are kept, on request and never twice at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, TransientFeedError
from nautilus_orderfeeds.feed.gate import FrameGate
from nautilus_orderfeeds.feed.health import FeedState, HealthMonitor
from nautilus_orderfeeds.feed.tasks import Waiters
from nautilus_orderfeeds.feed.verdict import describe

_log = logging.getLogger(__name__)


class Gated(Protocol):
    """A connection whose frames can be kept back while a snapshot is taken."""

    name: str
    """Name in logs."""
    gate: FrameGate
    """Where its frames go."""
    error: FatalFeedError | TransientFeedError | None
    """Why it ended; None while it is up."""


class Resync:
    """The snapshots of one session.

    Parameters
    ----------
    hook : Callable[[], Awaitable[None]], optional
        Takes and applies the snapshot; None if the stream needs none.
    clock : Clock
        Source of time.
    monitor : HealthMonitor
        Told when a snapshot is being taken.
    timeout_secs : float
        How long one may take (frames pile up meanwhile).
    buffer : bool
        Whether frames are kept meanwhile.
    """

    def __init__(
        self,
        hook: Callable[[], Awaitable[None]] | None,
        *,
        clock: Clock,
        monitor: HealthMonitor,
        timeout_secs: float,
        buffer: bool,
    ) -> None:
        self._hook = hook
        self._clock = clock
        self._monitor = monitor
        self._timeout_secs = timeout_secs
        self._buffer = buffer
        self._wanted = asyncio.Event()
        self._reason = ""
        self._waiters = Waiters()

    def request(self, reason: str) -> None:
        """Ask for a snapshot that begins after this call; requests are merged."""
        self._reason = reason
        self._wanted.set()

    async def wait_for_next(self, reason: str) -> None:
        """Ask for a snapshot and return when one that began after this call is applied."""
        self.request(reason)
        await self._waiters.wait()

    def give_up(self, error: FeedError) -> None:
        """Tell all who wait that the session ended."""
        self._waiters.fail(error)

    async def run(self, link: Gated, on_live: Callable[[], None]) -> None:
        """Take a first snapshot and then one for each request, for ever.

        Parameters
        ----------
        link : Gated
            The connection, with its handshake done.
        on_live : Callable[[], None]
            Called after each snapshot once the kept frames are delivered and no newer request is waiting.

        Raises
        ------
        FatalFeedError or TransientFeedError
            If a snapshot could not be taken. Who waits for one goes on waiting, for the next connection's.
        """
        while True:
            self._wanted.clear()
            waiters = self._waiters.take()
            try:
                await self._take(link)
            except BaseException:
                self._waiters.give_back(waiters)
                raise
            link.gate.open()
            waiters.release()
            if link.error is None and not self._wanted.is_set():
                on_live()
            await self._wanted.wait()

    async def _take(self, link: Gated) -> None:
        if self._hook is None:
            return
        if self._buffer:
            link.gate.close()
        else:
            link.gate.open()
        self._monitor.enter(FeedState.RESYNCING, self._reason)
        self._reason = ""
        try:
            async with self._clock.timeout(self._timeout_secs):
                await self._hook()
        except (FatalFeedError, TransientFeedError):
            raise
        except FeedError as exc:  # an answer that was not understood: the message says all there is to know
            raise TransientFeedError(f"snapshot not taken: {exc}") from exc
        except TimeoutError:
            raise TransientFeedError(f"snapshot not taken within {self._timeout_secs:g} s") from None
        except Exception as exc:
            _log.exception("%s: taking the snapshot failed", link.name)
            raise TransientFeedError(f"taking the snapshot failed: {describe(exc)}") from exc
