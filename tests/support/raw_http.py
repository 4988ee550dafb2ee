"""An HTTP server that shows the bytes it received and answers, or fails, exactly as scripted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum


class Fault(Enum):
    """What the server does instead of answering."""

    HANG = "read the request, never answer"
    CLOSE = "read the request, close the connection"
    RESET = "read the request, reset the connection"
    CUT = "send half of the answer, close the connection"


def answer(status: int, body: bytes = b"{}", **headers: str) -> bytes:
    """One whole HTTP answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class RawRequest:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RawServer:
    """Answers in order; the last answer repeats."""

    answers: list[bytes | Fault]
    url: str = ""
    requests: list[RawRequest] = field(default_factory=list)
    connections: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        try:
            while await self._serve_one(reader, writer):
                continue
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("Content-Length", "0")))
        self.requests.append(RawRequest(method, target, headers, body))
        what = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        match what:
            case Fault.HANG:
                await reader.read()
                return False
            case Fault.CLOSE:
                return False
            case Fault.RESET:
                writer.transport.abort()
                return False
            case Fault.CUT:
                writer.write(answer(200, b"x" * 100)[:-50])
                await writer.drain()
                return False
            case bytes():
                writer.write(what)
                await writer.drain()
                return True


@asynccontextmanager
async def raw_server(*answers: bytes | Fault) -> AsyncIterator[RawServer]:
    """Serve on a free loopback port."""
    script = RawServer(list(answers))
    server = await asyncio.start_server(script.handle, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield script
    finally:
        for writer in script.writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()
