"""A stream is told of the end of each connection, after its frames: no answer to a request will come any more."""

from websockets.asyncio.server import ServerConnection

from tests.support.feed_server import EchoStream, FeedServer, Setup, feed_server, greet, greet_and_hold, hold, until


class Told(EchoStream):
    """Remembers how many frames had been delivered at the end of each connection."""

    def __init__(self, server: FeedServer) -> None:
        super().__init__(server)
        self.setup: Setup | None = None
        self.ends: list[int] = []

    def ended(self) -> None:
        assert self.setup is not None
        self.ends.append(len(self.setup.frames))


async def test_told_once_for_each_connection_after_its_frames():
    async def two_frames(ws: ServerConnection, number: int) -> None:
        await greet(ws, after=["in the handshake"])
        await ws.send("live")
        if number == 3:
            await hold(ws)

    async with feed_server(two_frames) as server:
        stream = Told(server)
        setup = stream.setup = Setup(server, stream=stream)
        await setup.session.start()
        await until(lambda: len(setup.frames) == 6)
        assert stream.ends == [2, 4]
        await setup.session.stop()
        assert stream.ends == [2, 4, 6]


async def test_told_when_the_snapshot_waits_for_an_answer():
    """What waits inside the snapshot of a dead connection must not wait for its own time limit."""

    async def snapshot() -> None:
        await setup.session.send("question")
        await until(lambda: False, 60)

    async def drop(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        assert await ws.recv() == "question"
        if number > 1:
            await hold(ws)

    async with feed_server(drop) as server:
        stream = Told(server)
        setup = stream.setup = Setup(server, snapshot, stream=stream)
        setup.session.begin()
        await until(lambda: server.connections == 2)
        assert stream.ends == [0]
        await setup.session.stop()


async def test_told_of_a_stop():
    async with feed_server(greet_and_hold) as server:
        stream = Told(server)
        setup = stream.setup = Setup(server, stream=stream)
        await setup.session.start()
        await setup.session.stop()
        assert len(stream.ends) == 1
