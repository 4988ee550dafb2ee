"""The fault RESET at a certain byte: of a frame, and of an answer."""

from __future__ import annotations

import asyncio
import base64
import os

import pytest

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.faults import Fault, FaultInjector
from nautilus_orderfeeds.sim.server import Answer, Call, SimServer

TEXT = "x" * 200  # long enough for the second form of a frame's length
FRAME = b"\x81\x7e\x00\xc8" + TEXT.encode()


class Endpoint:
    """Says one thing to whoever comes."""

    async def admit(self, request: object) -> None:
        return None

    async def opened(self, connection: Connection) -> None:
        connection.send(TEXT, "said")

    async def received(self, connection: Connection, message: str | bytes) -> None:
        pass

    async def closed(self, connection: Connection) -> None:
        pass


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything that still comes before the connection is reset."""
    data = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(1000), 3):
            data += chunk
    except ConnectionResetError:
        return data
    raise AssertionError("the connection was not reset")


async def ask(server: SimServer, path: str, *headers: str) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    await reader.readuntil(b"\r\n\r\n")
    reader._writer = writer  # type: ignore[attr-defined]  # kept open as long as the reader is
    return reader


@pytest.mark.parametrize("at", [0, 1, 3, 4, 100, len(FRAME) - 1, len(FRAME), 10_000])
async def test_a_frame_is_cut(at: int) -> None:
    faults = FaultInjector(1)
    server = SimServer(faults)
    server.websocket("/ws", Endpoint())  # type: ignore[arg-type]
    await server.start()
    try:
        faults.once(Fault.RESET, where="said", at=at)
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
        reader = await ask(server, "/ws", *upgrade, f"Sec-WebSocket-Key: {key}")
        assert await rest(reader) == FRAME[: min(at, len(FRAME) - 1)]
    finally:
        await server.stop()


@pytest.mark.parametrize(("settings", "length"), [({}, 5), ({"at": 0}, 0), ({"at": 9}, 9), ({"at": 99}, 10)])
async def test_an_answer_is_cut(settings: dict[str, float], length: int) -> None:
    faults = FaultInjector(1)
    server = SimServer(faults)

    async def answer(call: Call) -> Answer:
        return Answer(200, b"0123456789")

    server.route("GET", "/", answer)
    await server.start()
    try:
        faults.once(Fault.RESET, where="GET /", **settings)
        assert await rest(await ask(server, "/")) == b"0123456789"[:length]
    finally:
        await server.stop()
