"""A small venue over real sockets for the tests of the feed room."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from ssl import SSLContext
from typing import Any

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from nautilus_orderfeeds.feed.backoff import Backoff
from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.feed.health import FeedState, Health, HealthMonitor
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.feed.stream import Frame, Handshake, Stream

Script = Callable[[ServerConnection, int], Awaitable[None]]
"""What the server does with its n-th connection (from 1); the connection closes when it returns."""


class FeedServer:
    """Counts connections and runs a script on each."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.connections = 0
        self.requests: list[Request] = []
        self.received: list[str | bytes] = []
        self.refusals: list[tuple[int, dict[str, str], bytes]] = []
        self.handlers: set[asyncio.Task[Any]] = set()
        self.url = ""

    async def handle(self, ws: ServerConnection) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.handlers.add(task)
        try:
            with suppress(ConnectionClosed):
                await self.script(ws, self.connections)
        except asyncio.CancelledError:
            ws.transport.abort()
        finally:
            self.handlers.discard(task)

    def process_request(self, ws: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if not self.refusals:
            return None
        status, headers, body = self.refusals.pop(0)
        response = ws.respond(HTTPStatus(status), body.decode())
        response.headers.update(headers)
        return response


@asynccontextmanager
async def feed_server(script: Script, *, ssl: SSLContext | None = None) -> AsyncIterator[FeedServer]:
    """Serve on a free loopback port; nothing is left running afterwards."""
    server = FeedServer(script)
    async with serve(
        server.handle,
        "127.0.0.1",
        0,
        process_request=server.process_request,
        ssl=ssl,
        max_size=None,
        ping_interval=None,
        close_timeout=0.2,
    ) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        server.url = f"{'wss' if ssl else 'ws'}://127.0.0.1:{port}/feed"
        try:
            yield server
        finally:
            for task in list(server.handlers):
                task.cancel()


class EchoStream(Stream):
    """Login, one subscription, numbered frames: the smallest private stream."""

    def __init__(self, server: FeedServer, *, handshake_steps: bool = True, ping: Frame | None = None) -> None:
        self.name = "TEST orders"
        self._server = server
        self._handshake_steps = handshake_steps
        self._ping = ping
        self.urls_asked = 0

    def url(self) -> str:
        self.urls_asked += 1
        return f"{self._server.url}?token=sesame{self.urls_asked}"

    def headers(self) -> dict[str, str]:
        return {"X-Api-Key": f"opensesame{self.urls_asked}"}

    async def handshake(self, conn: Handshake) -> None:
        if self._handshake_steps:
            await conn.send(b"login")
            await conn.expect(lambda frame: frame == b"welcome", 5.0)
            await conn.send("subscribe")
            await conn.expect(lambda frame: frame == b"subscribed", 5.0)

    def probe(self) -> Frame | None:
        return self._ping


async def greet(ws: ServerConnection, *, before: Iterable[str] = (), after: Iterable[str] = ()) -> None:
    """Do the server's side of `EchoStream`'s handshake, with data frames in between."""
    assert await ws.recv() == "login"
    for frame in before:
        await ws.send(frame)
    await ws.send("welcome")
    assert await ws.recv() == "subscribe"
    for frame in after:
        await ws.send(frame)
    await ws.send("subscribed")


async def hold(ws: ServerConnection) -> None:
    """Keep the connection open, reading, until the client closes it."""
    async for _ in ws:
        continue


def go_silent(ws: ServerConnection) -> None:
    """Become a half-open peer: the socket stays, nothing is read or answered any more."""
    ws.transport.pause_reading()


async def greet_and_hold(ws: ServerConnection, number: int) -> None:
    await greet(ws)
    await ws.send(f"hello {number}")
    await hold(ws)


def quick_backoff(**changes: Any) -> Backoff:
    """Delays of a few milliseconds."""
    return Backoff(random=random.Random(1), **{"initial_secs": 0.01, "cap_secs": 0.02, **changes})


class Setup:
    """A session with everything it told."""

    def __init__(
        self,
        server: FeedServer,
        resync: Callable[[], Awaitable[Any]] | None = None,
        *,
        stream: Stream | None = None,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        self.frames: list[bytes] = []
        self.changes: list[Health] = []
        self.fatal: list[FatalFeedError] = []
        self.stream = stream or EchoStream(server)
        options.setdefault("backoff", quick_backoff())
        options.setdefault("close_timeout_secs", 0.3)
        self.session = FeedSession(
            self.stream,
            self.on_frame,
            resync,
            clock=clock,
            monitor=HealthMonitor("TEST orders", clock or LiveClock(), self.changes.append),
            on_fatal=self.fatal.append,
            **{"proxy": None, **options},
        )

    def on_frame(self, frame: bytes) -> None:
        self.frames.append(frame)

    @property
    def states(self) -> list[FeedState]:
        states: list[FeedState] = []
        for change in self.changes:
            if not states or states[-1] is not change.state:
                states.append(change.state)
        return states


async def until(condition: Callable[[], bool], timeout_secs: float = 10.0) -> None:
    """Wait for something that sockets will bring about."""
    async with asyncio.timeout(timeout_secs):
        while not condition():
            await asyncio.sleep(0.002)


def leaked_tasks() -> set["asyncio.Task[object]"]:
    """Tasks that still run besides the caller's."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()}
