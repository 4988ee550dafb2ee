"""
The server half of every simulated venue: REST and WebSocket on one loopback port, served by aiohttp.

A twin adds routes and WebSocket endpoints in its own words; this room adds what all venues share: faults
around every call and frame, a record of the calls, cutting connections, and being down for a while.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec
from aiohttp import WSMsgType, web

from nautilus_orderfeeds.sim.connection import Connection, cut, encode_json
from nautilus_orderfeeds.sim.faults import Fault, FaultInjector

_log = logging.getLogger(__name__)

_MAX_REQUESTS = 200_000


class BadBody(ValueError):
    """A request body that is no JSON document."""


class Request(NamedTuple):
    """A call that was made: `path` without the query; `status` 0 if it never got an answer."""

    method: str
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class Call:
    """
    One REST call as a twin sees it.

    `target` is path and query exactly as sent (for venues that sign it), `query` the decoded parameters with
    repeated keys kept, `params` the route's placeholders.
    """

    method: str
    path: str
    target: str
    query: Mapping[str, list[str]]
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """The body as JSON; an empty one is an empty object. Raises `BadBody`."""
        if not self.body:
            return {}
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as exc:
            raise BadBody(str(exc)) from None

    def one(self, key: str) -> str | None:
        """The first value of a query parameter, or `None`."""
        values = self.query.get(key)
        return values[0] if values else None


@dataclass(slots=True)
class Answer:
    """
    What a REST call gets back.

    Parameters
    ----------
    status : int
    body : object
        Encoded as JSON (decimals as numbers); `bytes` go out as they are.
    headers : dict[str, str]
    after : Callable[[], None], optional
        Called exactly once: when the answer is written, or before, if the answer is late or never comes.
    """

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    after: Callable[[], None] | None = None

    def encoded(self) -> bytes:
        """The bytes of the body."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else encode_json(self.body)

    def release(self) -> None:
        """Call `after` if it was not called yet."""
        after, self.after = self.after, None
        if after is not None:
            after()

    async def late(self, secs: float) -> Answer:
        """The same answer after a while; `after` is called too if nobody waits for it any more."""
        try:
            await asyncio.sleep(secs)
        except BaseException:
            self.release()
            raise
        return self


Handler = Callable[[Call], Awaitable[Answer]]


class WsEndpoint(Protocol):
    """What a twin does with one WebSocket path; one that derives from this writes only what it does differently."""

    async def admit(self, request: web.Request) -> web.StreamResponse | None:
        """Refuse the upgrade by giving an answer; `None` lets it through, and by default everybody comes in."""
        return None

    async def opened(self, connection: Connection) -> None:
        """A connection is up; by default nothing is said."""
        return  # a body: without one a protocol's method is taken for abstract

    @abstractmethod
    async def received(self, connection: Connection, message: str | bytes) -> None:
        """A text (or binary) message came in."""

    async def closed(self, connection: Connection) -> None:
        """The connection is gone; by default nothing is kept of it, and its orders live on."""
        return


def _plain_error(status: int, message: str) -> Answer:
    return Answer(status, {"error": message})


class SimServer:
    """
    REST and WebSocket on one loopback port.

    Parameters
    ----------
    faults : FaultInjector
    host : str
    port : int
        0 takes a free one.

    Attributes
    ----------
    requests : list[Request]
        Every REST call so far (of many, the latest); no headers, queries or bodies, so no secrets.
    connections : list[Connection]
        Every WebSocket connection that is up, in the sequence in which they came: what is sent to several meets
        faults in the same sequence in every run.
    failures : list[BaseException]
        Bugs of the simulation that a handler ran into; a simulation raises them at its end.
    error_answer : Callable[[int, str], Answer]
        A venue's error body; a twin sets it.
    farewell : str, optional
        What is sent before an orderly close; a twin sets it.
    """

    def __init__(self, faults: FaultInjector, host: str = "127.0.0.1", port: int = 0) -> None:
        self.faults = faults
        self.host = host
        self.port = port
        self.requests: list[Request] = []
        self.failures: list[BaseException] = []
        self.error_answer: Callable[[int, str], Answer] = _plain_error
        self.farewell: str | None = None
        self.connections: list[Connection] = []
        self._app = web.Application(middlewares=[self._outermost], client_max_size=16 * 1024 * 1024)
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        faults.on_calm(self._calmed)

    # -- building -------------------------------------------------------------------------------------------

    def route(self, method: str, path: str, handler: Handler) -> None:
        """Serve `method path` (aiohttp placeholders) by `handler`; faults know it by that very text."""
        name = f"{method} {path}"

        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, name, handler)

        self._app.router.add_route(method, path, serve)

    def websocket(self, path: str, endpoint: WsEndpoint, *, idle_secs: Callable[[], float] | None = None) -> None:
        """Serve a stream at `path`; a client silent for `idle_secs` (asked for each time) is closed."""

        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve_ws(request, endpoint, idle_secs)

        self._app.router.add_get(path, serve)

    # -- running --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen; afterwards `port` is the real one."""
        self._runner = web.AppRunner(self._app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.resume()

    async def stop(self) -> None:
        """Cut every connection and stop listening for good."""
        self.pause()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def pause(self) -> None:
        """Be down: refuse new connections and cut the ones there are. The venue's books live on."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.disconnect_all(abort=True)
        if self._runner is not None and self._runner.server is not None:
            for protocol in self._runner.server.connections:
                cut(protocol.transport)

    async def resume(self) -> None:
        """Be up (again), on the same port."""
        if self._runner is None or self._runner.server is None:
            raise RuntimeError("the server was not started")
        if self._listener is None:
            loop = asyncio.get_running_loop()
            self._listener = await loop.create_server(self._runner.server, self.host, self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    def disconnect_all(self, *, abort: bool = True) -> None:
        """End every WebSocket connection: reset it, or say farewell and close it in order."""
        for connection in list(self.connections):
            if abort:
                connection.abort()
            else:
                connection.close(self.farewell)

    def freeze_all(self) -> None:
        """Leave every WebSocket connection half open: nothing is sent, read or ponged any more."""
        for connection in self.connections:
            connection.is_half_open = True

    # -- REST -----------------------------------------------------------------------------------------------

    def _note(self, request: Request) -> None:
        if len(self.requests) >= _MAX_REQUESTS:  # a venue that runs for days must not grow for ever
            del self.requests[: _MAX_REQUESTS // 2]
        self.requests.append(request)

    @web.middleware
    async def _outermost(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Give unknown paths the venue's own error body, and keep what must not happen for the test to see."""
        try:
            return await handler(request)
        except web.HTTPException as exc:
            self._note(Request(request.method, request.path, exc.status))
            return _response(self.error_answer(exc.status, exc.reason))
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception as exc:
            _log.exception("the simulated venue failed at %s %s", request.method, request.path)
            self.failures.append(exc)
            return _response(self.error_answer(500, "internal error of the simulation"))

    async def _serve(self, request: web.Request, name: str, handler: Handler) -> web.StreamResponse:
        call = Call(
            method=request.method,
            path=request.path,
            target=request.raw_path,
            query={key: request.query.getall(key) for key in request.query},
            params=dict(request.match_info),
            headers=request.headers,
            body=await request.read(),
        )
        strike = self.faults.strike
        if (limited := strike(Fault.RATE_LIMIT, name)) is not None:
            answer = self.error_answer(429, "too many requests")
            if "retry_after" in limited.settings:
                answer.headers["Retry-After"] = f"{limited.settings['retry_after']:g}"
            return await self._write(request, answer)
        if (error := strike(Fault.ERROR_BEFORE_EFFECT, name)) is not None:
            status = int(error.setting("status", 500))
            return await self._write(request, self.error_answer(status, "internal error"))

        answer = await handler(call)

        if (error := strike(Fault.ERROR_AFTER_EFFECT, name)) is not None:
            answer.release()
            answer = self.error_answer(int(error.setting("status", 500)), "internal error")
        if (slow := strike(Fault.SLOW_ANSWER, name)) is not None:
            answer.release()
            await asyncio.sleep(slow.setting("secs", 1.0))
        if strike(Fault.LOST_ANSWER, name) is not None:
            answer.release()
            return self._cut_off(request, web.Response())
        if (reset := strike(Fault.RESET, name)) is not None:
            answer.release()
            body = answer.encoded()
            length = int(reset.setting("at", len(body) // 2))
            return await self._cut_in_the_middle(request, answer.status, body, length)
        if strike(Fault.GARBAGE, name) is not None:
            answer.release()
            answer = Answer(answer.status, b"<html>oops")
        return await self._write(request, answer)

    async def _write(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        response = _response(answer)
        try:
            await response.prepare(request)
            await response.write_eof()
        finally:
            # Recorded with the status even when the client has gone: the venue did answer.
            self._note(Request(request.method, request.path, answer.status))
            answer.release()
        return response

    def _cut_off(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        self._note(Request(request.method, request.path, 0))
        cut(request.transport)
        return response  # it cannot be written any more, which aiohttp takes for a client that went away

    async def _cut_in_the_middle(
        self, request: web.Request, status: int, body: bytes, length: int
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Length": str(len(body) + 1)})
        await response.prepare(request)
        await response.write(body[:length])
        return self._cut_off(request, response)

    # -- WebSocket ------------------------------------------------------------------------------------------

    async def _serve_ws(
        self, request: web.Request, endpoint: WsEndpoint, idle_secs: Callable[[], float] | None
    ) -> web.StreamResponse:
        refusal = await endpoint.admit(request)
        if refusal is not None:
            self._note(Request(request.method, request.path, refusal.status))
            return refusal
        # Pings and closes are answered here and not by aiohttp: a half-open connection answers neither.
        socket = web.WebSocketResponse(autoping=False, autoclose=False, timeout=0.5)
        await socket.prepare(request)
        connection = Connection(socket, request, self.faults)
        self.connections.append(connection)
        try:
            await endpoint.opened(connection)
            await self._read(connection, endpoint, idle_secs)
        except ConnectionError:
            pass  # the peer, or a fault, cut the connection: that is the end of it
        finally:
            self.connections.remove(connection)
            await connection.finish()
            await endpoint.closed(connection)
        return socket

    async def _read(self, connection: Connection, endpoint: WsEndpoint, idle_secs: Callable[[], float] | None) -> None:
        while True:
            try:
                message = await connection.receive(idle_secs() if idle_secs is not None else None)
            except TimeoutError:
                connection.close(None)
                return
            match message.type:
                case WSMsgType.TEXT | WSMsgType.BINARY:
                    await endpoint.received(connection, message.data)
                case WSMsgType.PING:
                    await connection.pong(message.data)
                case WSMsgType.PONG:
                    pass
                case WSMsgType.CLOSE:
                    connection.close(None)
                    return
                case _:
                    return

    def _calmed(self) -> None:
        for connection in list(self.connections):
            connection.calmed()


def _response(answer: Answer) -> web.Response:
    content_type = None if "Content-Type" in answer.headers else "application/json"
    return web.Response(status=answer.status, body=answer.encoded(), headers=answer.headers, content_type=content_type)
