"""The WebSocket of the simulated ActTrader's clearing service: who may come in, requests, answers (3, 5)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from aiohttp import web

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.server import Request, WsEndpoint
from nautilus_orderfeeds.sim.venue import SimParts
from nautilus_orderfeeds.venues.acttrader.twin_exchange import Answer, Exchange
from nautilus_orderfeeds.venues.acttrader.twin_feed import READY, ExecutionFeed, login_key
from nautilus_orderfeeds.venues.acttrader.twin_fields import ErrorName, Refused, decode
from nautilus_orderfeeds.venues.acttrader.twin_options import ActTraderTwinOptions, AnswerTime
from nautilus_orderfeeds.venues.acttrader.twin_request import read_request
from nautilus_orderfeeds.venues.acttrader.twin_wire import Wire

HEARTBEAT = "heartbeat"


def unauthorized(request: web.Request, headers: Mapping[str, str], token: str) -> web.StreamResponse | None:
    """Status 401 with the body `null` (9, B) if a header or the token is missing or wrong."""
    wanted = [(request.headers.get(name, ""), value) for name, value in headers.items()]
    if token:
        wanted.append((request.query.get("token", ""), token))
    # Headers may hold bytes that are no text: those come as surrogates.
    if all(hmac.compare_digest(given.encode(errors="replace"), value.encode()) for given, value in wanted):
        return None
    return web.json_response(None, status=401)


class OrderStream(WsEndpoint):
    """
    The endpoint that takes orders.

    Every request is recorded in `SimServer.requests` with the method `WS` and its event as the path; status
    200 is an answer, 400 an `error`, 0 neither.

    Faults know a request as `"WS <event>"`, `"<event>/request"` and `"request"`: DROP (it never arrives), RESET
    (by the latter two: the connection is cut before it has an effect), ERROR_BEFORE_EFFECT (an `error` of no
    known name), LOST_ANSWER (effect, then the connection is cut with nothing told to it), SLOW_ANSWER (effect and
    executions, the answer `secs` later). They know its answer as `"<event>"`, `"<event>/answer"`, `"answer"` and
    `"WS <event>"` (RESET: cut after the effect), the moment after the answer as `"<event>/answered"` and
    `"answered"` (RESET), and an error as `"error"` and `"error/<event>"`.
    """

    def __init__(
        self,
        exchange: Exchange,
        feed: ExecutionFeed,
        wire: Wire,
        parts: SimParts,
        options: ActTraderTwinOptions,
        later: Later,
    ) -> None:
        self._exchange = exchange
        self._feed = feed
        self._wire = wire
        self._faults = parts.faults
        self._requests = parts.server.requests
        self._options = options
        self._later = later

    async def admit(self, request: web.Request) -> web.StreamResponse | None:
        """Refuse whoever lacks the headers or the token that the options ask for."""
        return unauthorized(request, self._options.auth_headers, self._options.token)

    async def opened(self, connection: Connection) -> None:
        """Executions are pushed without asking (3), once the connection may be trusted."""
        if not self._options.auth_message:
            self._let_in(connection)

    async def received(self, connection: Connection, message: str | bytes) -> None:
        """Handle one client message."""
        if message == HEARTBEAT:
            return
        if READY not in connection.subscriptions:
            self._authenticate(connection, message)
            return
        try:
            body = decode(message)
        except Refused as refused:
            connection.send_json(self._wire.error("", None, refused), "error", "error/")
            return
        event = body["event"] if isinstance(body.get("event"), str) else ""
        request_id = body["requestId"] if isinstance(body.get("requestId"), str) else None
        names = (f"{event}/request", "request")
        if self._faults.strike(Fault.DROP, *names, f"WS {event}") is not None:
            self._record(event, 0)
        elif self._faults.strike(Fault.RESET, *names) is not None:
            self._record(event, 0)
            connection.abort()
        else:
            self._later.once(self._delay_secs(event), lambda: self._process(connection, body, event, request_id))

    def _delay_secs(self, event: str) -> float:
        match event:
            case "newordersingle" | "neworderoco":
                return self._options.new_delay_secs
            case "modifyordersingle":
                return self._options.modify_delay_secs
            case "ordercancel":
                return self._options.cancel_delay_secs
            case _:
                return 0.0

    def _record(self, event: str, status: int) -> None:
        self._requests.append(Request("WS", event, status))

    def _authenticate(self, connection: Connection, message: str | bytes) -> None:
        text = message.decode(errors="replace") if isinstance(message, bytes) else message
        if not _is_same(text, self._options.auth_message):
            connection.send_json(self._wire.error("", None, Refused("not authenticated")), "error", "error/")
            connection.close()
            return
        self._let_in(connection)
        if self._options.auth_answer:
            connection.send(self._options.auth_answer, "control/auth")

    def _let_in(self, connection: Connection) -> None:
        connection.account = self._exchange.main_login
        connection.subscriptions.add(READY)

    def _process(self, connection: Connection, body: dict[str, object], event: str, request_id: str | None) -> None:
        names = (f"WS {event}", f"{event}/request", "request")
        with self._feed.gathered() as views:
            try:
                if self._faults.strike(Fault.ERROR_BEFORE_EFFECT, *names) is not None:
                    raise Refused("internal error", ErrorName.INTERNAL)
                answer = self._exchange.handle(read_request(body, self._options))
            except Refused as refused:
                status = 400
                connection.send_json(self._wire.error(event, request_id, refused), "error", f"error/{event}")
                answer = Answer(when=AnswerTime.NEVER)
            else:
                status = 0 if answer.when is AnswerTime.NEVER else 200
        if answer.login:
            connection.subscriptions.add(login_key(answer.login))
        if self._faults.strike(Fault.LOST_ANSWER, *names) is not None:
            status = 0
            connection.abort()
        self._record(event, status)
        slow = self._faults.strike(Fault.SLOW_ANSWER, *names)

        def reply() -> None:
            self._answer(connection, answer, event, request_id)

        if answer.when is AnswerTime.BEFORE_EXECUTION and slow is None:
            reply()
        for view in views:
            self._feed.tell(view)
        if slow is not None and answer.when is not AnswerTime.NEVER:
            self._later.once(slow.setting("secs", 1.0), reply)
        elif answer.when is AnswerTime.AFTER_EXECUTION:
            reply()

    def _answer(self, connection: Connection, answer: Answer, event: str, request_id: str | None) -> None:
        message: dict[str, object] = {"event": event}
        if answer.has_request_id:
            message["requestId"] = request_id
        if answer.payload is not None:
            message["payload"] = answer.payload
        connection.send_json(message, event, f"{event}/answer", "answer", f"WS {event}")
        if self._faults.strike(Fault.RESET, f"{event}/answered", "answered") is not None:
            connection.reset()


def _is_same(text: str, wanted: str) -> bool:
    """Whether two messages are the same: as JSON documents if they are some, else as texts."""
    try:
        return bool(json.loads(text) == json.loads(wanted))
    except ValueError:
        return hmac.compare_digest(text.encode(), wanted.encode())
