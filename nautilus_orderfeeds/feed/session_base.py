"""What a session is to those who use it, whether its connection is its own or shared."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.delivery import Delivery
from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError
from nautilus_orderfeeds.feed.health import FeedState, Health, HealthMonitor
from nautilus_orderfeeds.feed.link import Verdict
from nautilus_orderfeeds.feed.resync import Resync
from nautilus_orderfeeds.feed.stream import Frame
from nautilus_orderfeeds.feed.tasks import Waiters
from nautilus_orderfeeds.feed.verdict import describe

_log = logging.getLogger(__name__)


class SessionBase(ABC):
    """Life and snapshots of a session; how it comes by its frames is its subclass's.

    Parameters
    ----------
    name : str
        The stream's name.
    clock : Clock
        Source of time.
    monitor : HealthMonitor
        Told of every change of state.
    delivery : Delivery
        Takes the frames.
    resync : Resync
        Takes the snapshots.
    on_fatal : Callable[[FatalFeedError], None], optional
        Called when a session that was live ends for good.
    start_timeout_secs : float
        How long `start` waits for the first LIVE.
    """

    def __init__(
        self,
        *,
        name: str,
        clock: Clock,
        monitor: HealthMonitor,
        delivery: Delivery,
        resync: Resync,
        on_fatal: Callable[[FatalFeedError], None] | None,
        start_timeout_secs: float,
    ) -> None:
        self._name = name
        self._clock = clock
        self._monitor = monitor
        self._delivery = delivery
        self._resync = resync
        self._on_fatal = on_fatal
        self._start_timeout_secs = start_timeout_secs
        self._task: asyncio.Task[None] | None = None
        self._last_cause = "no attempt was made"
        self._fatal: FatalFeedError | None = None
        self._condemned: FatalFeedError | None = None
        self._starting = False
        self._live_since: float | None = None
        self._live_waiters = Waiters()

    @property
    def state(self) -> FeedState:
        """Where the session stands."""
        return self._monitor.state

    @property
    def health(self) -> Health:
        """State, counters and the last frame's time."""
        return self._monitor.health

    @property
    def malformed(self) -> list[str]:
        """Beginnings of the last frames that `on_frame` failed on, at most 32 of them."""
        return list(self._delivery.malformed)

    def count_malformed(self) -> None:
        """Count a frame that its consumer has dealt with and could not read, so that the health tells of it."""
        self._monitor.malformed()

    async def start(self) -> None:
        """Run the session and return when it is live for the first time.

        Raises
        ------
        FatalFeedError
            If the venue refuses for good.
        TransientFeedError
            If it was not live within `start_timeout_secs`; names the last cause.
        RuntimeError
            If it is running already.

        Whatever is raised, nothing is left running.
        """
        self.begin()
        self._starting = True
        try:
            await self.wait_live(self._start_timeout_secs)
        except BaseException:
            await self.stop()
            raise
        finally:
            self._starting = False

    def begin(self) -> None:
        """Run the session, without waiting for it to be live; raises `RuntimeError` if it is running already."""
        if self._task is not None and not self._task.done():
            raise RuntimeError(f"{self._name}: the session is already running; stop it first")
        self._fatal = self._condemned = None
        self._last_cause = "no attempt was made"
        self._task = asyncio.create_task(self._run(), name=f"feed {self._name}")
        self._task.add_done_callback(self._on_task_done)

    async def stop(self) -> None:
        """End the session; returns when nothing of it runs any more. May be called at any time, repeatedly."""
        task = self._task
        if task is not None and not task.done():
            # Told now: closing the connection may take seconds.
            self._halt(TransientFeedError("stopped"))
            self._monitor.enter(FeedState.DOWN, "stopped")
            task.cancel()
            await asyncio.wait({task})

    async def wait_live(self, timeout_secs: float) -> None:
        """Return when the session is live.

        Raises
        ------
        FatalFeedError
            If it ended for good.
        TransientFeedError
            If it was not live in time, or is not running.
        """
        if self._monitor.state is FeedState.LIVE:
            return
        self._check_running()
        try:
            async with self._clock.timeout(timeout_secs):
                await self._live_waiters.wait()
        except TimeoutError:
            raise TransientFeedError(
                f"{self._name}: not live within {timeout_secs:g} s; last cause: {self._last_cause}"
            ) from None

    def request_resync(self, reason: str) -> None:
        """Have the snapshot taken again on this connection, soon; requests are merged."""
        self._resync.request(reason)

    async def resync_now(self, reason: str) -> None:
        """Take the snapshot again and return when one that began after this call is applied.

        Never two at once: during a run, callers share the next one. A lost connection delays it to the next.
        Not to be called from the snapshot itself, which would wait for its own end.

        Raises
        ------
        FatalFeedError or TransientFeedError
            If the session ends before, or is not running.
        """
        self._check_running()
        await self._resync.wait_for_next(reason)

    @abstractmethod
    async def send(self, frame: Frame) -> None:
        """Send one text frame, as soon as the subscription is confirmed (also while resyncing).

        Raises
        ------
        SendError
            If the stream is not connected: nothing was sent.
        OutcomeUnknown
            If the connection broke while sending.
        """

    @abstractmethod
    def send_soon(self, frame: Frame) -> None:
        """Queue one text frame without waiting (an answer to a venue's ping); never for order commands.

        Raises
        ------
        SendError
            If the stream is not connected. A queued frame is dropped with its connection.
        """

    @abstractmethod
    def reconnect(self, reason: str) -> None:
        """Close the connection and take the whole path again (a sequence gap or the like); counted as a gap."""

    @abstractmethod
    def fail(self, error: Verdict) -> None:
        """End the connection because of what the venue says; a `FatalFeedError` ends the session.

        A `TransientFeedError` means nothing while there is no connection; a `FatalFeedError` (a key that REST
        reports as blocked) prevents the next attempt.
        """

    @abstractmethod
    async def _run(self) -> None:
        """Keep the session going until it is cancelled; raises `FatalFeedError` if it must end."""

    def _halt(self, error: TransientFeedError) -> None:
        """Take leave of the connection, because the session is being stopped."""
        self.fail(error)

    def _go_live(self) -> None:
        if self._live_since is None:
            self._live_since = self._clock.monotonic()
        self._monitor.enter(FeedState.LIVE)
        self._live_waiters.release()

    def _check_running(self) -> None:
        if self._fatal is not None:
            raise self._fatal
        if self._task is None or self._task.done():
            raise TransientFeedError(f"{self._name}: the session is not running; start it first")

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        # A callback of the task, because a task that is cancelled before its first step runs no code of its own.
        error = None if task.cancelled() else task.exception()
        if error is None or isinstance(error, FatalFeedError):
            self._finish(error)
            return
        _log.error("%s: the session failed inside; it is down", self._name, exc_info=error)
        self._finish(FatalFeedError(f"{self._name}: internal error ({describe(error)}); see the log"))

    def _finish(self, fatal: FatalFeedError | None) -> None:
        self._fatal = fatal
        self._monitor.enter(FeedState.DOWN, str(fatal) if fatal is not None else "stopped")
        error = fatal or TransientFeedError(f"{self._name}: the session was stopped")
        self._resync.give_up(error)
        self._live_waiters.fail(error)
        if fatal is None:
            return
        _log.error("%s: down for good: %s", self._name, fatal)
        if self._on_fatal is not None and not self._starting:
            try:
                self._on_fatal(fatal)
            except Exception:
                _log.exception("%s: on_fatal failed", self._name)
