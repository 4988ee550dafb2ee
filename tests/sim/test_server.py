"""The shared server over real sockets: routes, frames, every fault, and being down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from nautilus_orderfeeds.sim.connection import Connection, decode_json
from nautilus_orderfeeds.sim.faults import Fault, FaultInjector
from nautilus_orderfeeds.sim.server import Answer, BadBody, Call, SimServer, WsEndpoint


class Venue:
    """A venue that counts: `POST /count` has an effect, the stream says what it is told to say."""

    def __init__(self) -> None:
        self.faults = FaultInjector(1)
        self.server = SimServer(self.faults)
        self.count = 0
        self.released: list[int] = []
        self.connections: list[Connection] = []
        self.received_messages: list[str | bytes] = []
        self.gone = asyncio.Event()
        self.counted = asyncio.Event()
        self.refuse_upgrade = False
        self.idle_secs = 60.0
        self.server.farewell = "bye"
        self.server.route("POST", "/count/{step}", self._count)
        self.server.route("GET", "/broken", self._broken)
        self.server.websocket("/ws", self, idle_secs=lambda: self.idle_secs)
        self.session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def _count(self, call: Call) -> Answer:
        try:
            call.json()
        except BadBody:
            return Answer(400, {"error": "bad body"})
        self.count += int(call.params["step"])
        return Answer(200, {"count": self.count}, after=self._release)

    def _release(self) -> None:
        self.released.append(self.count)
        self.counted.set()

    async def _broken(self, call: Call) -> Answer:
        raise ZeroDivisionError("a bug of the twin")

    async def admit(self, request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=401) if self.refuse_upgrade else None

    async def opened(self, connection: Connection) -> None:
        self.connections.append(connection)
        connection.send("hello", "control/greeting")

    async def received(self, connection: Connection, message: str | bytes) -> None:
        self.received_messages.append(message)
        connection.send(f"echo {message!r}", "echo")

    async def closed(self, connection: Connection) -> None:
        self.gone.set()

    async def post(self, step: int = 1, **more: object) -> aiohttp.ClientResponse:
        return await self.session.post(f"{self.url}/count/{step}", **more)  # type: ignore[arg-type]

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        socket = await self.session.ws_connect(f"{self.url}/ws", autoping=False)
        assert await socket.receive_str(timeout=2) == "hello"
        return socket


@asynccontextmanager
async def running() -> AsyncIterator[Venue]:
    venue = Venue()
    await venue.server.start()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        venue.session = session
        yield venue
    await venue.server.stop()


async def texts(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[str]:
    return [await socket.receive_str(timeout=2) for _ in range(count)]


# -- REST ---------------------------------------------------------------------------------------------------


async def test_a_route_gets_the_call_and_is_recorded_without_its_query() -> None:
    async with running() as venue:
        response = await venue.post(3, params={"token": "secret"})
        assert (response.status, await response.json()) == (200, {"count": 3})
        assert (await venue.session.get(f"{venue.url}/nowhere")).status == 404
        assert [tuple(r) for r in venue.server.requests] == [("POST", "/count/3", 200), ("GET", "/nowhere", 404)]


async def test_a_bad_body_is_the_twins_to_answer() -> None:
    async with running() as venue:
        assert (await venue.post(data=b"{")).status == 400


async def test_a_bug_of_the_twin_is_kept_for_the_test_to_see() -> None:
    async with running() as venue:
        assert (await venue.session.get(f"{venue.url}/broken")).status == 500
        assert [type(error) for error in venue.server.failures] == [ZeroDivisionError]


@pytest.mark.parametrize(
    ("fault", "settings", "status", "effect"),
    [
        (Fault.RATE_LIMIT, {}, 429, 0),
        (Fault.ERROR_BEFORE_EFFECT, {"status": 503}, 503, 0),
        (Fault.ERROR_AFTER_EFFECT, {}, 500, 1),
    ],
)
async def test_errors_with_and_without_effect(
    fault: Fault, settings: dict[str, float], status: int, effect: int
) -> None:
    async with running() as venue:
        venue.faults.once(fault, where="POST /count/{step}", **settings)
        response = await venue.post()
        assert response.status == status
        assert "Retry-After" not in response.headers
        assert venue.count == effect
        assert len(venue.released) == effect
        assert (await venue.post()).status == 200


async def test_a_rate_limit_can_say_when_to_come_back() -> None:
    async with running() as venue:
        venue.faults.once(Fault.RATE_LIMIT, retry_after=2)
        assert (await venue.post()).headers["Retry-After"] == "2"


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.RESET])
async def test_a_lost_answer_has_had_its_effect(fault: Fault) -> None:
    async with running() as venue:
        venue.faults.once(fault, where="POST *")
        with pytest.raises(aiohttp.ClientError):
            await (await venue.post()).read()
        assert venue.count == 1
        assert venue.released == [1]
        assert venue.server.requests[-1].status == 0
        assert venue.server.failures == []


async def test_a_slow_answer_has_its_effect_before_it_comes() -> None:
    async with running() as venue:
        venue.faults.once(Fault.SLOW_ANSWER, secs=0.3)
        call = asyncio.create_task(venue.post())
        await asyncio.wait_for(venue.counted.wait(), 2)
        assert venue.released == [1]
        assert not call.done()
        assert (await call).status == 200


async def test_a_garbled_answer_has_had_its_effect() -> None:
    async with running() as venue:
        venue.faults.once(Fault.GARBAGE, where="POST *")
        response = await venue.post()
        with pytest.raises(ValueError, match="Expecting value"):
            await response.json(content_type=None)
        assert venue.count == 1


# -- WebSocket ----------------------------------------------------------------------------------------------


async def test_frames_come_in_order_and_messages_reach_the_twin() -> None:
    async with running() as venue:
        socket = await venue.connect()
        for number in range(20):
            venue.connections[0].send(str(number), "data")
        assert await texts(socket, 20) == [str(number) for number in range(20)]
        await socket.send_str("a")
        await socket.send_bytes(b"b")
        assert await texts(socket, 2) == ["echo 'a'", "echo b'b'"]


@pytest.mark.parametrize(
    ("fault", "settings", "expected"),
    [
        (Fault.DROP, {}, ["1", "3", "4"]),
        (Fault.DOUBLE, {}, ["1", "2", "2", "3", "4"]),
        (Fault.REORDER, {}, ["1", "3", "2", "4"]),
        (Fault.REORDER, {"depth": 2}, ["1", "3", "4", "2"]),
        (Fault.DELAY, {"secs": 0.05}, ["1", "2", "3", "4"]),
        (Fault.GARBAGE, {}, ["1", "2", '{"channel":', "3", "4"]),
    ],
)
async def test_frame_faults(fault: Fault, settings: dict[str, float], expected: list[str]) -> None:
    async with running() as venue:
        socket = await venue.connect()
        venue.faults.once(fault, where="data/2", **settings)
        for number in range(1, 5):
            venue.connections[0].send(str(number), "data", f"data/{number}")
        assert await texts(socket, len(expected)) == expected
        assert [injection.fault for injection in venue.faults.log] == [fault]


async def test_a_frame_held_back_comes_even_if_nothing_follows_it() -> None:
    async with running() as venue:
        socket = await venue.connect()
        venue.faults.once(Fault.REORDER, hold_secs=0.05)
        venue.connections[0].send("last", "data")
        assert await texts(socket, 1) == ["last"]
        venue.faults.once(Fault.REORDER, hold_secs=60)
        venue.connections[0].send("held", "data")
        venue.faults.calm()
        assert await texts(socket, 1) == ["held"]


async def test_a_reset_cuts_without_a_close_handshake() -> None:
    async with running() as venue:
        socket = await venue.connect()
        venue.faults.once(Fault.RESET, where="data")
        venue.connections[0].send("1", "data")
        message = await socket.receive(timeout=2)
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert socket.close_code in (None, 1006)
        await asyncio.wait_for(venue.gone.wait(), 2)


async def test_half_open_neither_sends_nor_reads_nor_pongs_until_calmed() -> None:
    async with running() as venue:
        socket = await venue.connect()
        await socket.ping(b"x")
        assert (await socket.receive(timeout=2)).type is aiohttp.WSMsgType.PONG
        venue.faults.once(Fault.HALF_OPEN, where="data")
        venue.connections[0].send("1", "data")
        await socket.ping(b"y")
        await socket.send_str("hello?")
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.2)
        assert venue.received_messages == []
        assert not socket.closed
        venue.faults.calm()
        assert (await socket.receive(timeout=2)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_a_client_that_closes_is_answered_but_not_when_half_open() -> None:
    async with running() as venue:
        socket = await venue.connect()
        assert await socket.close()
        assert socket.close_code == 1001
        await asyncio.wait_for(venue.gone.wait(), 2)
        socket = await venue.session.ws_connect(f"{venue.url}/ws", timeout=aiohttp.ClientWSTimeout(ws_close=0.2))
        venue.server.freeze_all()
        await socket.close()
        assert socket.close_code == 1006


async def test_disconnect_all_in_order_says_farewell() -> None:
    async with running() as venue:
        socket = await venue.connect()
        venue.connections[0].send("1", "data")
        venue.server.disconnect_all(abort=False)
        assert await texts(socket, 2) == ["1", "bye"]
        message = await socket.receive(timeout=2)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        await asyncio.wait_for(venue.gone.wait(), 2)
        assert venue.server.connections == []


async def test_a_silent_client_is_closed() -> None:
    async with running() as venue:
        venue.idle_secs = 0.1
        socket = await venue.connect()
        assert (await socket.receive(timeout=2)).type is aiohttp.WSMsgType.CLOSE


async def test_an_upgrade_can_be_refused() -> None:
    async with running() as venue:
        venue.refuse_upgrade = True
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await venue.connect()
        assert venue.server.requests == [("GET", "/ws", 401)]


async def test_down_means_cut_and_refused_and_up_again_on_the_same_port() -> None:
    async with running() as venue:
        port = venue.server.port
        socket = await venue.connect()
        assert (await venue.post()).status == 200
        venue.server.pause()
        assert (await socket.receive(timeout=2)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        with pytest.raises(aiohttp.ClientConnectionError):
            await venue.post()
        await venue.server.resume()
        assert venue.server.port == port
        assert await (await venue.post()).json() == {"count": 2}
        await venue.connect()


async def test_connections_stand_in_the_sequence_in_which_they_came() -> None:
    async with running() as venue:
        sockets = [await venue.connect() for _ in range(12)]
        assert venue.server.connections == venue.connections
        await sockets[3].close()
        async with asyncio.timeout(2):
            await venue.gone.wait()
        left = [connection for number, connection in enumerate(venue.connections) if number != 3]
        assert venue.server.connections == left


async def test_an_endpoint_writes_only_what_it_does_differently() -> None:
    class Echo(WsEndpoint):
        async def received(self, connection: Connection, message: str | bytes) -> None:
            connection.send_json(decode_json(message))

    async with running() as venue:
        server = SimServer(FaultInjector(1))
        server.websocket("/ws", Echo())
        await server.start()
        socket = await venue.session.ws_connect(f"http://127.0.0.1:{server.port}/ws")
        for text, back in (('{"a":[1]}', '{"a":[1]}'), ("{", "null")):
            await socket.send_str(text)
            assert await socket.receive_str(timeout=2) == back
        await socket.close()
        await server.stop()


@pytest.mark.parametrize("is_waited_for", [True, False])
async def test_a_late_answer_is_released_also_if_nobody_waits_for_it(is_waited_for: bool) -> None:
    released: list[int] = []
    answer = Answer(200, after=lambda: released.append(1))
    late = asyncio.ensure_future(answer.late(0.01))
    await asyncio.sleep(0)
    if is_waited_for:
        assert await late is answer
        assert released == []
        answer.release()
    else:
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
    assert released == [1]
