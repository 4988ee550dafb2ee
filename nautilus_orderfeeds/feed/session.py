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
from nautilus_orderfeeds.feed.health import FeedState, HealthMonitor
from nautilus_orderfeeds.feed.link import Link, Verdict
from nautilus_orderfeeds.feed.resync import Resync
from nautilus_orderfeeds.feed.sequence import SequenceGuard
from nautilus_orderfeeds.feed.session_base import SessionBase
from nautilus_orderfeeds.feed.stream import Frame, FrameSink, Stream
from nautilus_orderfeeds.feed.tasks import race
from nautilus_orderfeeds.feed.verdict import classify, is_foreseen, where

_log = logging.getLogger(__name__)


class FeedSession(SessionBase):
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
        clock = clock or LiveClock()
        monitor = monitor or HealthMonitor(stream.name, clock)
        super().__init__(
            name=stream.name,
            clock=clock,
            monitor=monitor,
            delivery=Delivery(stream.name, on_frame, monitor),
            resync=Resync(
                resync, clock=clock, monitor=monitor, timeout_secs=resync_timeout_secs, buffer=buffer_during_resync
            ),
            on_fatal=on_fatal,
            start_timeout_secs=start_timeout_secs,
        )
        self._stream = stream
        self._backoff = backoff or Backoff(random=random)
        self._sink = sink
        self._stale_after_secs = stale_after_secs
        self._probe_timeout_secs = probe_timeout_secs
        self._handshake_timeout_secs = handshake_timeout_secs
        self._dial_options: dict[str, Any] = {
            "ssl": ssl,
            "proxy": proxy,
            "open_timeout": connect_timeout_secs,
            "close_timeout": close_timeout_secs,
            "max_size": max_frame_bytes,
            # One liveness check only, and it is ours: it counts frames as signs of life.
            "ping_interval": None,
        }
        self._link: Link | None = None
        self._pause_secs = 0.0

    def begin(self) -> None:
        """Run the session, without waiting for it to be live; raises `RuntimeError` if it is running already."""
        self._pause_secs = 0.0
        super().begin()

    async def send(self, frame: Frame) -> None:
        """Send one text frame, as soon as the subscription is confirmed (also while resyncing).

        Raises
        ------
        SendError
            If the stream is not connected: nothing was sent.
        OutcomeUnknown
            If the connection broke while sending.
        """
        self._subscribed_link()
        due = await self._stream.outgoing(frame)
        if due is not None:
            # After waiting it may be another connection; the stream knows which one it was asked for.
            await self._subscribed_link().transmit(due)

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

    # The supervised task: everything below runs in it or in its children.

    async def _run(self) -> None:
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
        guard = SequenceGuard(self._clock, self._stream.sequence_grace_secs)
        link = Link(
            name=self._stream.name,
            ws=ws,
            gate=FrameGate(self._delivery),
            clock=self._clock,
            classify=self._classify,
            on_heard=self._monitor.frame_received,
            sink=self._sink,
            recordable=self._stream.recordable,
            inspect=lambda frame: self._inspect(link, guard, frame),
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
                self._fail_on_gap(guard),
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
                self._stream.ended()

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

    def _inspect(self, link: Link, guard: SequenceGuard, frame: bytes) -> bytes:
        """Note the number of an incoming frame and answer it; return it without secrets."""
        try:
            number = self._stream.sequence(frame)
            answer = self._stream.answer(frame)
        except Exception:
            number = answer = None  # unreadable: counted where it is decoded
        if answer is not None:
            link.post(answer)
        if number is not None:
            guard.note(number)
        return self._stream.clean(frame)

    async def _fail_on_gap(self, guard: SequenceGuard) -> None:
        reason = await guard.until_gap()
        self._monitor.gap()
        raise TransientFeedError(f"a frame was missed: {reason}")

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
