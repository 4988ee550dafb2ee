"""One WebSocket connection of a simulated venue, with the faults its frames suffer."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from aiohttp import WSCloseCode, WSMessage, web

from nautilus_orderfeeds.sim.faults import Fault, FaultInjector

_CLOSE_SECS = 1.0
_HALF_OPEN_SECS = 0.25
_encoder = msgspec.json.Encoder(decimal_format="number")


def encode_json(value: object) -> bytes:
    """JSON bytes; a `Decimal` becomes a number (write it as a string where the venue sends strings)."""
    return _encoder.encode(value)


def decode_json(message: str | bytes) -> object:
    """The JSON document that a client sent; `None` if it is none."""
    try:
        return msgspec.json.decode(message)
    except msgspec.DecodeError:
        return None


def cut(transport: asyncio.BaseTransport | None) -> None:
    """Reset a connection: no close handshake, nothing flushed, the peer reads ECONNRESET."""
    # Not an isinstance check: other event loops' transports do not derive from asyncio's.
    if transport is None or not hasattr(transport, "abort"):
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _beginning(text: str, length: int) -> bytes:
    """The first bytes of a server's text frame (RFC 6455, 5.2), never all of them."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        header = struct.pack("!BB", 0x81, size)
    elif size < 1 << 16:
        header = struct.pack("!BBH", 0x81, 126, size)
    else:
        header = struct.pack("!BBQ", 0x81, 127, size)
    frame = header + payload
    return frame[: min(length, len(frame) - 1)]


@dataclass(slots=True)
class _Close:
    """Queued behind the last frame: say farewell, then close."""

    farewell: str | None


@dataclass(slots=True)
class _Frame:
    text: str
    delay_secs: float = 0.0


@dataclass(slots=True)
class _Reset:
    """Queued behind the last frame: cut the connection, perhaps after the first bytes of one more frame."""

    beginning: bytes = b""


@dataclass(slots=True, eq=False)
class _Held:
    """A frame that waits for `depth` later ones to overtake it."""

    text: str
    depth: int
    timer: asyncio.TimerHandle = field(repr=False)


class Connection:
    """
    One client on one stream.

    Frames leave in the order of `send`, except where a fault says otherwise. Faults are decided in `send`,
    not when the frame is written, so their sequence depends on nothing but the sequence of frames.

    Attributes
    ----------
    id : str
    account : str, optional
        Who is logged in; a twin sets it.
    subscriptions : set[tuple[str, ...]]
        What the client asked for, in a form of the twin's choice.
    info : dict[str, object]
        Whatever else a twin wants to remember of the connection.
    answers_pings : bool
        Whether protocol pings are answered; a twin may clear it.
    path, query, headers
        How the connection was asked for.
    """

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, faults: FaultInjector) -> None:
        self.id = str(uuid.uuid4())
        self.account: str | None = None
        self.subscriptions: set[tuple[str, ...]] = set()
        self.info: dict[str, object] = {}
        self.path = request.path
        self.query: Mapping[str, str] = request.query
        self.headers: Mapping[str, str] = request.headers
        self.is_half_open = False
        self.answers_pings = True
        self._socket = socket
        self._request = request
        self._faults = faults
        self._queue: asyncio.Queue[_Frame | _Close | _Reset] = asyncio.Queue()
        self._held: list[_Held] = []
        self._is_closing = False
        self._ended = asyncio.Event()
        self._writer = asyncio.create_task(self._write(), name=f"sim-connection-{self.id}")

    # -- for twins ------------------------------------------------------------------------------------------

    def send(self, text: str, *names: str) -> None:
        """Send a text frame; `names` are those by which faults know it, the plainest first."""
        if self.is_half_open or self._ended.is_set():
            return
        names = names or ("control",)
        strike = self._faults.strike
        if strike(Fault.HALF_OPEN, *names) is not None:
            self.is_half_open = True
            return
        if (reset := strike(Fault.RESET, *names)) is not None:
            self._queue.put_nowait(_Reset(_beginning(text, int(reset.setting("at", 0)))))
            return
        if strike(Fault.DROP, *names) is None:
            if (reorder := strike(Fault.REORDER, *names)) is not None:
                self._hold(text, int(reorder.setting("depth", 1)), reorder.setting("hold_secs", 0.25))
                return
            delay = strike(Fault.DELAY, *names)
            self._queue.put_nowait(_Frame(text, delay.setting("secs", 0.2) if delay is not None else 0.0))
            if strike(Fault.DOUBLE, *names) is not None:
                self._queue.put_nowait(_Frame(text))
            if strike(Fault.GARBAGE, *names) is not None:
                self._queue.put_nowait(_Frame('{"channel":'))
        self._overtaken()

    def send_json(self, value: object, *names: str) -> None:
        """Send a JSON document (`encode_json`)."""
        self.send(encode_json(value).decode(), *names)

    def close(self, farewell: str | None = None) -> None:
        """Close in order, after what was sent before and an optional last frame."""
        self._is_closing = True
        self._queue.put_nowait(_Close(farewell))

    def reset(self) -> None:
        """Reset the connection right after what was sent before."""
        self._queue.put_nowait(_Reset())

    def abort(self) -> None:
        """Reset the connection at once."""
        self._ended.set()
        cut(self._request.transport)

    # -- for the server -------------------------------------------------------------------------------------

    async def receive(self, timeout_secs: float | None) -> WSMessage:
        """The next message; never one once the connection is half open. Raises `TimeoutError`."""
        try:
            return await self._socket.receive(timeout_secs)
        finally:
            if self.is_half_open:
                await self._sleep_half_open()

    async def pong(self, data: bytes) -> None:
        """Answer a protocol ping."""
        if self.answers_pings and not self.is_half_open:
            await self._socket.pong(data)

    def calmed(self) -> None:
        """All faults are over: let held frames go, and end the connection if it was half open."""
        for held in list(self._held):
            self._let_go(held)
        if self.is_half_open:
            self.abort()

    async def finish(self) -> None:
        """The connection is over: let an orderly close complete, then stop writing."""
        if self._is_closing and not self._ended.is_set():
            await asyncio.wait([self._writer], timeout=_CLOSE_SECS)
        self._ended.set()
        for held in self._held:
            held.timer.cancel()
        self._held.clear()
        self._writer.cancel()

    # -- inside ---------------------------------------------------------------------------------------------

    def _hold(self, text: str, depth: int, hold_secs: float) -> None:
        loop = asyncio.get_running_loop()
        held: _Held
        timer = loop.call_later(hold_secs, lambda: self._let_go(held))
        held = _Held(text, depth, timer)
        self._held.append(held)

    def _overtaken(self) -> None:
        for held in list(self._held):
            held.depth -= 1
            if held.depth <= 0:
                self._let_go(held)

    def _let_go(self, held: _Held) -> None:
        if held in self._held:
            self._held.remove(held)
            held.timer.cancel()
            self._queue.put_nowait(_Frame(held.text))

    async def _sleep_half_open(self) -> None:
        """Read nothing until the connection is ended here or there, then raise `ConnectionResetError`."""
        while not self._ended.is_set() and self._request.transport is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _HALF_OPEN_SECS)
        raise ConnectionResetError("half-open connection ended")

    def _write_raw(self, data: bytes) -> None:
        transport = self._request.transport
        if data and transport is not None and not self.is_half_open:
            transport.write(data)

    async def _write(self) -> None:
        while True:
            item = await self._queue.get()
            try:
                match item:
                    case _Frame(text, delay_secs):
                        if delay_secs:
                            await asyncio.sleep(delay_secs)
                        if self.is_half_open:
                            continue
                        await self._socket.send_str(text)
                    case _Close(farewell):
                        if self.is_half_open:
                            continue
                        if farewell is not None:
                            await self._socket.send_str(farewell)
                        await self._socket.close(code=WSCloseCode.GOING_AWAY)
                        return
                    case _Reset(beginning):
                        self._write_raw(beginning)
                        self.abort()
            except ConnectionError:
                return  # the peer is gone; the reading side ends the connection
