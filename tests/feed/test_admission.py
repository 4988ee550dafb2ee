"""A stream may make connections and frames wait, merge frames, and withdraw them."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection

from nautilus_orderfeeds.feed.errors import FatalFeedError, SendError, TransientFeedError
from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.feed.stream import Frame
from tests.support.feed_server import EchoStream, FeedServer, Setup, feed_server, greet, greet_and_hold, until


class LimitedStream(EchoStream):
    """Opens and sends only what the test lets through."""

    def __init__(self, server: FeedServer) -> None:
        super().__init__(server)
        self.open = asyncio.Event()
        self.errors: list[Exception] = []
        self.waiting: list[Frame] = []
        self.let_through = asyncio.Event()

    async def admit(self) -> None:
        if self.errors:
            raise self.errors.pop()
        await self.open.wait()

    async def outgoing(self, frame: Frame) -> Frame | None:
        self.waiting.append(frame)
        await self.let_through.wait()
        merged, self.waiting = b"+".join(map(bytes, self.waiting)), []  # type: ignore[arg-type]
        return merged or None


async def test_no_connection_is_opened_before_it_is_admitted():
    async with feed_server(greet_and_hold) as server:
        stream = LimitedStream(server)
        setup = Setup(server, stream=stream)
        starting = asyncio.ensure_future(setup.session.start())
        await asyncio.sleep(0.05)
        assert server.connections == 0
        assert setup.session.state is FeedState.CONNECTING
        stream.open.set()
        await starting
        assert server.connections == 1
        await setup.session.stop()


async def test_a_session_that_waits_for_admission_can_be_stopped():
    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, stream=LimitedStream(server))
        starting = asyncio.ensure_future(setup.session.start())
        await asyncio.sleep(0.02)
        await setup.session.stop()
        with pytest.raises(TransientFeedError, match="stopped"):
            await starting


async def test_a_refused_admission_is_judged_like_any_failure():
    async with feed_server(greet_and_hold) as server:
        stream = LimitedStream(server)
        stream.open.set()
        stream.errors = [TransientFeedError("not now")]
        setup = Setup(server, stream=stream)
        await setup.session.start()
        assert any(change.detail == "not now" for change in setup.changes)
        await setup.session.stop()
        stream.errors = [FatalFeedError("never")]
        with pytest.raises(FatalFeedError, match="never"):
            await setup.session.start()


async def test_frames_that_wait_may_go_out_as_one():
    heard: list[str | bytes] = []

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        async for frame in ws:
            heard.append(frame)  # noqa: PERF401 - seen as they come

    async with feed_server(script) as server:
        stream = LimitedStream(server)
        stream.open.set()
        setup = Setup(server, stream=stream)
        await setup.session.start()
        sending = [asyncio.ensure_future(setup.session.send(frame)) for frame in (b"a", b"b", b"c")]
        await asyncio.sleep(0.02)
        assert heard == []
        stream.let_through.set()
        await asyncio.gather(*sending)
        await until(lambda: heard == ["a+b+c"])
        await setup.session.stop()


async def test_what_waited_goes_out_on_the_connection_there_is_then():
    heard: list[tuple[int, str | bytes]] = []

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        async for frame in ws:
            heard.append((number, frame))  # noqa: PERF401 - seen as they come

    async with feed_server(script) as server:
        stream = LimitedStream(server)
        stream.open.set()
        setup = Setup(server, stream=stream)
        await setup.session.start()
        sending = asyncio.ensure_future(setup.session.send(b"late"))
        await asyncio.sleep(0.02)
        setup.session.reconnect("test")
        await until(lambda: server.connections == 2 and setup.session.state is FeedState.LIVE)
        stream.let_through.set()
        await sending
        await until(lambda: heard == [(2, "late")])
        lost = asyncio.ensure_future(setup.session.send(b"lost"))
        stream.let_through.clear()
        await asyncio.sleep(0)
        await setup.session.stop()
        stream.let_through.set()
        with pytest.raises(SendError):
            await lost
