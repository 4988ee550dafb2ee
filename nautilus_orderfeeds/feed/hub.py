"""One connection for several clients: a venue whose feed tells of many accounts at once.

A stream that names a connection (`Stream.shared_as`) is served by the process's one `FeedHub` of that name. Each
client has a `HubSession` there, which it uses like any other session::

    FeedSession (one, without a snapshot of its own)
        |  routes(frame)
        +--> HubSession A: keeps A's frames while A's snapshot is taken, then delivers them; A's health
        +--> HubSession B: ...

So a snapshot that fails or takes long holds up nobody else, and after a reconnect each client takes its own. A frame
whose route nobody claims goes to exactly one session, the longest there: its venue decides what it is. Sessions may
come and go; the last one closes the connection.
"""

import asyncio
import logging
import random as random_module
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Self
from weakref import WeakKeyDictionary

from nautilus_orderfeeds.feed.backoff import Backoff
from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.delivery import Delivery
from nautilus_orderfeeds.feed.errors import FatalFeedError, SendError, TransientFeedError
from nautilus_orderfeeds.feed.gate import FrameGate
from nautilus_orderfeeds.feed.health import FeedState, Health, HealthMonitor
from nautilus_orderfeeds.feed.link import Verdict
from nautilus_orderfeeds.feed.resync import Resync
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.feed.session_base import SessionBase
from nautilus_orderfeeds.feed.stream import Direction, Frame, FrameSink, Stream
from nautilus_orderfeeds.feed.tasks import race

_log = logging.getLogger(__name__)


def open_session(
    stream: Stream,
    on_frame: Callable[[bytes], None],
    resync: Callable[[], Awaitable[None]] | None = None,
    **options: Any,
) -> SessionBase:
    """Make the session of `stream`: with a connection of its own, or on the shared one the stream names.

    Parameters
    ----------
    stream : Stream
        The venue's side of the conversation.
    on_frame, resync, **options
        As of `FeedSession`.
    """
    if stream.shared_as is None:
        return FeedSession(stream, on_frame, resync, **options)
    return HubSession(stream, on_frame, resync, **options)


class FeedHub:
    """One shared connection and its sessions.

    Parameters
    ----------
    stream : Stream
        Of the session that came first; for the connection all are alike.
    clock : Clock
        Source of time.
    **options
        Further arguments of `FeedSession`.
    """

    def __init__(self, stream: Stream, clock: Clock, **options: Any) -> None:
        self._stream = stream
        self._sessions: list[HubSession] = []
        self._by_route: dict[str, HubSession] = {}
        monitor = HealthMonitor(stream.name, clock, self._on_health)
        self._health = monitor.health
        self._feed = FeedSession(
            stream, self._on_frame, clock=clock, monitor=monitor, on_fatal=self._on_fatal, **options
        )

    @classmethod
    def of(cls, stream: Stream, clock: Clock, **options: Any) -> Self:
        """Return the running event loop's hub for `stream`, a new one if there is none."""
        hubs: dict[str, Any] = _hubs.setdefault(asyncio.get_running_loop(), {})
        name = _name_of(stream)
        if name not in hubs:
            hubs[name] = cls(stream, clock, **options)
        hub: Self = hubs[name]
        return hub

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    def join(self, session: "HubSession", claims: str | None) -> None:
        """Take up a session; the first one opens the connection.

        Raises
        ------
        FatalFeedError
            If another session has claimed the same route: each would get half of the truth.
        """
        if claims is not None and claims in self._by_route:
            raise FatalFeedError(
                f"{self._stream.name}: another client of this process has {claims!r} already; configure one client each"
            )
        self._sessions.append(session)
        if claims is not None:
            self._by_route[claims] = session
        if len(self._sessions) == 1:
            self._feed.begin()
        elif self._feed.state is FeedState.LIVE:
            session.connected()

    async def leave(self, session: "HubSession") -> None:
        """Give up a session; the last one closes the connection."""
        if session not in self._sessions:
            return
        self._sessions.remove(session)
        self._by_route = {route: other for route, other in self._by_route.items() if other is not session}
        if not self._sessions:
            self._retire()
            await self._feed.stop()

    async def send(self, frame: Frame) -> None:
        """Send one text frame; raises as `FeedSession.send`."""
        await self._feed.send(frame)

    def send_soon(self, frame: Frame) -> None:
        """Queue one text frame; raises as `FeedSession.send_soon`."""
        self._feed.send_soon(frame)

    def reconnect(self, reason: str) -> None:
        """Have the connection opened anew, for all."""
        self._feed.reconnect(reason)

    def fail(self, error: TransientFeedError) -> None:
        """End the connection because of what the venue says, for all."""
        self._feed.fail(error)

    def _on_frame(self, frame: bytes) -> None:
        try:
            parts = self._stream.routes(frame)
        except Exception:
            parts = [(None, frame)]  # unreadable: counted where it is decoded
        for route, part in parts:
            session = self._by_route.get(route) if route is not None else None
            if session is None and self._sessions:
                session = self._sessions[0]
            if session is not None:
                session.receive(part)

    def _on_health(self, health: Health) -> None:
        before, self._health = self._health, health
        for session in list(self._sessions):
            session.note_counters(health.connects - before.connects, health.gaps - before.gaps)
        if (health.state, health.detail) == (before.state, before.detail):
            return
        for session in list(self._sessions):
            match health.state:
                case FeedState.LIVE:
                    session.connected()
                case FeedState.CONNECTING | FeedState.STALE | FeedState.DOWN:
                    session.disconnected(health.state, health.detail)
                case FeedState.RESYNCING:
                    pass

    def _on_fatal(self, error: FatalFeedError) -> None:
        self._retire()
        for session in list(self._sessions):
            session.fail(error)

    def _retire(self) -> None:
        """Let the next session that wants this connection open a new one."""
        hubs = _hubs.get(asyncio.get_running_loop(), {})
        if hubs.get(_name_of(self._stream)) is self:
            del hubs[_name_of(self._stream)]


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, FeedHub]] = WeakKeyDictionary()


def _name_of(stream: Stream) -> str:
    return stream.shared_as or ""


class _Turn:
    """One time of being connected, as `Resync` sees it."""

    def __init__(self, name: str, gate: FrameGate) -> None:
        self.name = name
        self.gate = gate
        self.error: Verdict | None = None
        self._ended = asyncio.Event()

    def end(self, error: Verdict) -> None:
        if self.error is None:
            self.error = error
            self._ended.set()

    async def until_ended(self) -> None:
        await self._ended.wait()
        assert self.error is not None
        raise self.error


class HubSession(SessionBase):
    """One client's part of a shared connection; parameters as of `FeedSession`.

    Notes
    -----
    The options of the connection itself (`connection`: silence, probes, timeouts, TLS) are those of the session that
    opened it.
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
        on_fatal: Callable[[FatalFeedError], None] | None = None,
        sink: FrameSink | None = None,
        resync_timeout_secs: float = 60.0,
        start_timeout_secs: float = 60.0,
        buffer_during_resync: bool = True,
        **connection: Any,
    ) -> None:
        clock = clock or LiveClock()
        monitor = monitor or HealthMonitor(stream.name, clock)
        delivery = Delivery(stream.name, on_frame, monitor)
        super().__init__(
            name=stream.name,
            clock=clock,
            monitor=monitor,
            delivery=delivery,
            resync=Resync(
                resync, clock=clock, monitor=monitor, timeout_secs=resync_timeout_secs, buffer=buffer_during_resync
            ),
            on_fatal=on_fatal,
            start_timeout_secs=start_timeout_secs,
        )
        self._stream = stream
        self._sink = sink
        self._connection = {**connection, "random": random}
        #: Delays between snapshots that fail; those between connections are the connection's.
        self._backoff = Backoff(random=random)
        self._gate = FrameGate(delivery)
        self._hub: FeedHub | None = None
        self._up = asyncio.Event()
        self._turn: _Turn | None = None

    async def send(self, frame: Frame) -> None:
        """Send one text frame over the shared connection; raises as `FeedSession.send`."""
        await self._joined().send(frame)

    def send_soon(self, frame: Frame) -> None:
        """Queue one text frame for the shared connection; raises as `FeedSession.send_soon`."""
        self._joined().send_soon(frame)

    def reconnect(self, reason: str) -> None:
        """Have the shared connection opened anew; counted as a gap."""
        if self._hub is not None:
            self._hub.reconnect(reason)

    def fail(self, error: Verdict) -> None:
        """End the shared connection, or by a `FatalFeedError` only this session."""
        if isinstance(error, TransientFeedError):
            if self._hub is not None:
                self._hub.fail(error)
            return
        self._condemned = error
        self._up.set()
        if self._turn is not None:
            self._turn.end(error)

    # Called by the hub, all of it synchronous: no frame may slip through in between.

    def receive(self, frame: bytes) -> None:
        """Take the next frame that is this session's."""
        self._monitor.frame_received()
        if self._sink is not None:
            try:
                self._sink.record(Direction.IN, self._name, frame)
            except Exception:
                _log.exception("%s: recording failed; the feed goes on without it", self._name)
                self._sink = None
        self._gate.receive(frame)

    def note_counters(self, connects: int, gaps: int) -> None:
        """Take over what the connection has counted since."""
        for _ in range(connects):
            self._monitor.connected()
        for _ in range(gaps):
            self._monitor.gap()

    def connected(self) -> None:
        """The connection is subscribed: the snapshot may be taken."""
        self._up.set()

    def disconnected(self, state: FeedState, detail: str) -> None:
        """The connection is not there (any more); what arrived is true all the same."""
        self._up.clear()
        self._last_cause = detail or self._last_cause
        if self._turn is not None:
            self._turn.end(TransientFeedError(detail or state.value))
        if self._live_since is not None:
            self._backoff.lived(self._clock.monotonic() - self._live_since)
            self._live_since = None
        self._gate.open()
        self._gate.close()
        self._monitor.enter(state, detail)

    # The supervised task.

    async def _run(self) -> None:
        self._gate.close()
        self._up.clear()
        self._monitor.enter(FeedState.CONNECTING)
        hub = FeedHub.of(self._stream, self._clock, **self._connection)
        hub.join(self, self._stream.claims)
        self._hub = hub
        try:
            while True:
                await self._up.wait()
                if self._condemned is not None:
                    raise self._condemned
                with suppress(TransientFeedError):
                    await self._attend()
        finally:
            self._hub = None
            self._gate.open()
            await hub.leave(self)

    async def _attend(self) -> None:
        """Take snapshots for as long as the connection lasts; after one that failed, wait and return."""
        turn = self._turn = _Turn(self._name, self._gate)
        try:
            await race(turn.until_ended(), self._resync.run(turn, self._go_live))
        except TransientFeedError as exc:
            if turn.error is None:
                await race(turn.until_ended(), self._rest(exc))
        finally:
            self._turn = None

    async def _rest(self, cause: TransientFeedError) -> None:
        """Only the snapshot failed: wait before the next, and keep no frames meanwhile. They are true all the same."""
        self._last_cause = str(cause)
        self._gate.open()
        delay_secs = self._backoff.next_delay_secs(cause.retry_after_secs)
        self._monitor.enter(FeedState.RESYNCING, self._last_cause)
        _log.warning("%s: %s; next attempt in %.2f s", self._name, cause, delay_secs)
        await self._clock.sleep(delay_secs)

    def _halt(self, error: TransientFeedError) -> None:
        """Leave the shared connection to the others."""

    def _joined(self) -> FeedHub:
        if self._hub is None or self._monitor.state is FeedState.STALE:
            raise SendError(f"{self._name}: not connected (state {self.state.value}); nothing was sent")
        return self._hub
