"""A private feed kept alive and complete.

The life of a session::

    DOWN -> CONNECTING -> RESYNCING -> LIVE
               ^                        | connection lost, gap, failed resync
               +--- backoff <-----------+ or silence (STALE)
    any state -> DOWN: stopped, or a fatal error

Each connection takes the same path: connect, handshake, keep live frames while the snapshot is taken, deliver
the kept frames in order, go live. So nothing that happened while away is lost, and no frame that arrived is
ever dropped: what was kept when a connection ends is delivered before the next one is opened.
"""

import asyncio
import logging
import random as random_module
import ssl as ssl_module
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Literal, cast

from websockets.asyncio.client import ClientConnection

from nautilus_orderfeeds.feed.backoff import Backoff
from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.delivery import Delivery
from nautilus_orderfeeds.feed.dialer import Dialer
from nautilus_orderfeeds.feed.errors import (
    FatalFeedError,
    FeedError,
    HandshakeTimeout,
    OutcomeUnknown,
    SendError,
    TransientFeedError,
)
from nautilus_orderfeeds.feed.gate import FrameGate
from nautilus_orderfeeds.feed.health import FeedState, Health, HealthMonitor
from nautilus_orderfeeds.feed.link import Link, Verdict
from nautilus_orderfeeds.feed.resync import Resync
from nautilus_orderfeeds.feed.stream import Frame, FrameSink, Stream
from nautilus_orderfeeds.feed.tasks import Waiters, race
from nautilus_orderfeeds.feed.verdict import classify, describe, is_foreseen, where

_log = logging.getLogger(__name__)


class FeedSession:
    """Runs one stream (design, "Feed session").

    Parameters
    ----------
    stream : Stream
        The venue's side of the conversation.
    on_frame : Callable[[bytes], None]
        Takes each frame once, in arrival order. What it raises is counted and logged and stops nothing.
    resync : Callable[[], Awaitable[None]], optional
        Takes the venue's snapshot over REST and applies it. Any exception means another attempt after a new
        connection; it is cancelled when the connection ends.
    clock : Clock, optional
        Source of time; the machine's by default.
    random : random.Random, optional
        Source of jitter for the default `backoff`.
    monitor : HealthMonitor, optional
        Told of every change of state.
    backoff : Backoff, optional
        Delays between attempts.
    on_fatal : Callable[[FatalFeedError], None], optional
        Called when a session that was live ends for good.
    sink : FrameSink, optional
        Recorder of the frames.
    stale_after_secs : float, default 30.0
        Silence before the connection is probed.
    probe_timeout_secs : float, default 10.0
        How long a probe may stay unanswered.
    connect_timeout_secs, handshake_timeout_secs, resync_timeout_secs : float
        Limits of the steps of the path to LIVE.
    start_timeout_secs : float, default 60.0
        How long `start` waits for the first LIVE.
    close_timeout_secs : float, default 2.0
        How long a closing handshake may take; a dead peer never answers it.
    max_frame_bytes : int, default 16 MiB
        Longest frame; a longer one ends the connection.
    buffer_during_resync : bool, default True
        Keep frames while `resync` runs. False delivers them at once, for venues whose snapshot itself is asked
        for over the stream.
    ssl : ssl.SSLContext, optional
        For `wss://`; None means the system's certificate authorities.
    proxy : str or True or None, default True
        HTTP or SOCKS proxy; True takes it from the environment.
    """

    def __init__(
        self,
        stream: Stream,
        on_frame: Callable[[bytes], None],
        resync: Callable[[], Awaitable[None]] | None = None,
        *,
        clock: Clock | None = None,
        random: random_module.Random | None = None,
        monitor: HealthMonitor | None = None,
        backoff: Backoff | None = None,
        on_fatal: Callable[[FatalFeedError], None] | None = None,
        sink: FrameSink | None = None,
        stale_after_secs: float = 30.0,
        probe_timeout_secs: float = 10.0,
        connect_timeout_secs: float = 10.0,
        handshake_timeout_secs: float = 30.0,
        resync_timeout_secs: float = 60.0,
        start_timeout_secs: float = 60.0,
        close_timeout_secs: float = 2.0,
        max_frame_bytes: int = 16 * 2**20,
        buffer_during_resync: bool = True,
        ssl: ssl_module.SSLContext | None = None,
        proxy: str | Literal[True] | None = True,
    ) -> None:
        self._stream = stream
        self._clock = clock or LiveClock()
        self._monitor = monitor or HealthMonitor(stream.name, self._clock)
        self._delivery = Delivery(stream.name, on_frame, self._monitor)
        self._backoff = backoff or Backoff(random=random)
        self._on_fatal = on_fatal
        self._sink = sink
        self._stale_after_secs = stale_after_secs
        self._probe_timeout_secs = probe_timeout_secs
        self._handshake_timeout_secs = handshake_timeout_secs
        self._start_timeout_secs = start_timeout_secs
        self._resync = Resync(
            resync,
            clock=self._clock,
            monitor=self._monitor,
            timeout_secs=resync_timeout_secs,
            buffer=buffer_during_resync,
        )
        self._dial_options: dict[str, Any] = {
            "ssl": ssl,
            "proxy": proxy,
            "open_timeout": connect_timeout_secs,
            "close_timeout": close_timeout_secs,
            "max_size": max_frame_bytes,
            # One liveness check only, and it is ours: it counts frames as signs of life.
            "ping_interval": None,
        }
        self._task: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._live_since: float | None = None
        self._pause_secs = 0.0
        self._last_cause = "no attempt was made"
        self._fatal: FatalFeedError | None = None
        self._condemned: FatalFeedError | None = None
        self._starting = False
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
        if self._task is not None and not self._task.done():
            raise RuntimeError(f"{self._stream.name}: the session is already running; stop it first")
        self._fatal = self._condemned = None
        self._pause_secs = 0.0
        self._last_cause = "no attempt was made"
        self._starting = True
        self._task = asyncio.create_task(self._keep_connected(), name=f"feed {self._stream.name}")
        self._task.add_done_callback(self._on_task_done)
        try:
            await self.wait_live(self._start_timeout_secs)
        except BaseException:
            await self.stop()
            raise
        finally:
            self._starting = False

    async def stop(self) -> None:
        """End the session; returns when nothing of it runs any more. May be called at any time, repeatedly."""
        task = self._task
        if task is not None and not task.done():
            # Told now: closing the connection may take seconds.
            self.fail(TransientFeedError("stopped"))
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
                f"{self._stream.name}: not live within {timeout_secs:g} s; last cause: {self._last_cause}"
            ) from None

    async def send(self, frame: Frame) -> None:
        """Send one text frame, as soon as the subscription is confirmed (also while resyncing).

        Raises
        ------
        SendError
            If the stream is not connected: nothing was sent.
        OutcomeUnknown
            If the connection broke while sending.
        """
        await self._subscribed_link().transmit(frame)

    def send_soon(self, frame: Frame) -> None:
        """Queue one text frame without waiting (an answer to a venue's ping); never for order commands.

        Raises
        ------
        SendError
            If the stream is not connected. A queued frame is dropped with its connection.
        """
        self._subscribed_link().post(frame)

    def reconnect(self, reason: str) -> None:
        """Close the connection and take the whole path again (a sequence gap or the like); counted as a gap."""
        self._monitor.gap()
        self.fail(TransientFeedError(f"reconnect asked for: {reason}"))

    def fail(self, error: Verdict) -> None:
        """End the connection because of what the venue says; a `FatalFeedError` ends the session.

        A `TransientFeedError` means nothing while there is no connection; a `FatalFeedError` (a key that REST
        reports as blocked) prevents the next attempt.
        """
        if self._link is not None:
            self._link.end(error)
        elif isinstance(error, FatalFeedError):
            self._condemned = error

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

    # The supervised task: everything below runs in it or in its children.

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        # A callback of the task, because a task that is cancelled before its first step runs no code of its own.
        error = None if task.cancelled() else task.exception()
        if error is None or isinstance(error, FatalFeedError):
            self._finish(error)
            return
        _log.error("%s: the session failed inside; it is down", self._stream.name, exc_info=error)
        self._finish(FatalFeedError(f"{self._stream.name}: internal error ({describe(error)}); see the log"))

    async def _keep_connected(self) -> None:
        dialer = Dialer(
            self._stream,
            before_attempt=self._before_attempt,
            on_failure=self._on_failed_attempt,
            **self._dial_options,
        )
        # Closed explicitly: a generator left to the garbage collector would close its connection some day.
        async with aclosing(cast("AsyncGenerator[ClientConnection]", aiter(dialer))) as connections:
            async for ws in connections:
                self._monitor.connected()
                try:
                    await self._serve(ws)
                except Exception as exc:
                    if not isinstance(exc, FeedError):
                        _log.exception("%s: the venue's side of the session failed", self._stream.name)
                    verdict = self._classify(exc)
                    if isinstance(verdict, FatalFeedError):
                        # Told now: closing the connection may take seconds.
                        self._monitor.enter(FeedState.DOWN, str(verdict))
                        raise verdict from exc.__cause__
                    self._lost(verdict)

    async def _before_attempt(self) -> None:
        if self._pause_secs:
            await self._clock.sleep(self._pause_secs)
        else:
            self._monitor.enter(FeedState.CONNECTING)
        if self._condemned is not None:
            raise self._condemned

    def _on_failed_attempt(self, exc: Exception) -> Exception | None:
        if not is_foreseen(exc):
            _log.error("%s: connecting failed: %s", self._stream.name, where(exc))
        verdict = self._classify(exc)
        if isinstance(verdict, FatalFeedError):
            return verdict
        self._lost(verdict)
        return None

    def _lost(self, error: TransientFeedError) -> None:
        self._last_cause = str(error)
        self._pause_secs = self._backoff.next_delay_secs(error.retry_after_secs)
        self._monitor.enter(FeedState.CONNECTING, self._last_cause)
        _log.warning("%s: %s; next attempt in %.2f s", self._stream.name, error, self._pause_secs)

    async def _serve(self, ws: ClientConnection) -> None:
        link = Link(
            name=self._stream.name,
            ws=ws,
            gate=FrameGate(self._delivery),
            clock=self._clock,
            classify=self._classify,
            on_heard=self._monitor.frame_received,
            sink=self._sink,
            recordable=self._stream.recordable,
        )
        self._link = link
        pump = asyncio.create_task(link.pump(), name=f"feed {self._stream.name} pump")
        try:
            # The handshake is not raced against the connection's end: when a venue refuses and closes in one
            # breath, the refusal (fatal) must win over the close (transient).
            await self._shake_hands(link)
            if link.error is not None:
                raise link.error
            link.subscribed = True
            await race(
                link.until_ended(),
                self._resync.run(link, self._go_live),
                self._watch(link),
                self._keep_alive(link),
                link.empty_outbox(),
            )
            raise link.error or TransientFeedError("a part of the session ended without a reason")
        finally:
            self._link = None
            if self._live_since is not None:
                self._backoff.lived(self._clock.monotonic() - self._live_since)
                self._live_since = None
            pump.cancel()
            try:
                await asyncio.wait({pump})
            finally:
                # What arrived is true, whatever became of the connection.
                link.gate.open()

    async def _shake_hands(self, link: Link) -> None:
        try:
            async with self._clock.timeout(self._handshake_timeout_secs):
                await self._stream.handshake(link)
        except (FatalFeedError, TransientFeedError):
            raise
        except TimeoutError:
            secs = self._handshake_timeout_secs
            raise HandshakeTimeout(f"handshake not done within {secs:g} s") from None
        except Exception as exc:
            if not is_foreseen(exc):
                _log.error("%s: the handshake failed: %s", self._stream.name, where(exc))
            raise self._classify(exc) from exc

    def _go_live(self) -> None:
        if self._live_since is None:
            self._live_since = self._clock.monotonic()
        self._monitor.enter(FeedState.LIVE)
        self._live_waiters.release()

    async def _watch(self, link: Link) -> None:
        while True:
            quiet_secs = self._clock.monotonic() - link.last_heard
            if quiet_secs < self._stale_after_secs:
                await self._clock.sleep(self._stale_after_secs - quiet_secs)
            elif not await link.answers(self._stream.probe(), self._probe_timeout_secs):
                secs = self._clock.monotonic() - link.last_heard
                silence = f"silent for {secs:.1f} s and a probe was not answered"
                # Ended first, so that nothing is sent into the dead connection and it cannot be called live.
                link.end(TransientFeedError(silence))
                self._monitor.enter(FeedState.STALE, silence)
                return

    async def _keep_alive(self, link: Link) -> None:
        """Send what the venue wants to hear now and then; without such a wish, do nothing until the connection ends."""
        interval_secs, frame = self._stream.keepalive_secs, self._stream.probe()
        if interval_secs is None or frame is None:
            await link.until_ended()
            return
        try:
            while True:
                await self._clock.sleep(interval_secs)
                await link.transmit(frame)
        except (SendError, OutcomeUnknown):
            await link.until_ended()

    def _classify(self, exc: Exception) -> Verdict:
        try:
            return self._stream.classify(exc)
        except Exception:
            _log.exception("%s: classify failed; taking the default verdict", self._stream.name)
            return classify(exc)

    def _subscribed_link(self) -> Link:
        link = self._link
        if link is None or not link.subscribed or self._monitor.state is FeedState.STALE:
            raise SendError(f"{self._stream.name}: not connected (state {self.state.value}); nothing was sent")
        return link

    def _check_running(self) -> None:
        if self._fatal is not None:
            raise self._fatal
        if self._task is None or self._task.done():
            raise TransientFeedError(f"{self._stream.name}: the session is not running; start it first")

    def _finish(self, fatal: FatalFeedError | None) -> None:
        self._fatal = fatal
        self._monitor.enter(FeedState.DOWN, str(fatal) if fatal is not None else "stopped")
        error = fatal or TransientFeedError(f"{self._stream.name}: the session was stopped")
        self._resync.give_up(error)
        self._live_waiters.fail(error)
        if fatal is None:
            return
        _log.error("%s: down for good: %s", self._stream.name, fatal)
        if self._on_fatal is not None and not self._starting:
            try:
                self._on_fatal(fatal)
            except Exception:
                _log.exception("%s: on_fatal failed", self._stream.name)
