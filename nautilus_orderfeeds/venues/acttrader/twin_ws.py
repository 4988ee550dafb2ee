"""The WebSocket of the simulated ActTrader's clearing service: who may come in, requests, answers (3, 5)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from itertools import count

from aiohttp import web

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.faults import Fault, FaultInjector
from nautilus_orderfeeds.venues.acttrader.twin_exchange import Answer, Exchange
from nautilus_orderfeeds.venues.acttrader.twin_feed import READY, ExecutionFeed, login_key
from nautilus_orderfeeds.venues.acttrader.twin_fields import Refused, decode
from nautilus_orderfeeds.venues.acttrader.twin_options import ActTraderTwinOptions, AnswerTime
from nautilus_orderfeeds.venues.acttrader.twin_request import read_request
from nautilus_orderfeeds.venues.acttrader.twin_wire import Wire

HEARTBEAT = "heartbeat"
_ARRIVAL = "arrival"


def arrival(connection: Connection) -> int:
    """Which one a connection to the order stream is, counted from 1; 0 for another stream's."""
    number = connection.info.get(_ARRIVAL, 0)
    assert isinstance(number, int)
    return number


def unauthorized(request: web.Request, headers: Mapping[str, str], token: str) -> web.StreamResponse | None:
    """Status 401 with the body `null` (9, B) if a header or the token is missing or wrong."""
    wanted = [(request.headers.get(name, ""), value) for name, value in headers.items()]
    if token:
        wanted.append((request.query.get("token", ""), token))
    # Headers may hold bytes that are no text: those come as surrogates.
    if all(hmac.compare_digest(given.encode(errors="replace"), value.encode()) for given, value in wanted):
        return None
    return web.json_response(None, status=401)


class OrderStream:
    """
    The endpoint that takes orders.

    Faults know a request as `"<event>/request"` (DROP: it never arrives; RESET: the connection is cut before
    it has an effect), its answer as `"<event>"` and `"<event>/answer"` (RESET: cut after the effect), and the
    moment after the answer as `"<event>/answered"` (RESET); an error as `"error"` and `"error/<event>"`.
    """

    def __init__(
        self,
        exchange: Exchange,
        feed: ExecutionFeed,
        wire: Wire,
        faults: FaultInjector,
        options: ActTraderTwinOptions,
    ) -> None:
        self._exchange = exchange
        self._feed = feed
        self._wire = wire
        self._faults = faults
        self._options = options
        self._arrivals = count(1)

    async def admit(self, request: web.Request) -> web.StreamResponse | None:
        """Refuse whoever lacks the headers or the token that the options ask for."""
        return unauthorized(request, self._options.auth_headers, self._options.token)

    async def opened(self, connection: Connection) -> None:
        """Executions are pushed without asking (3), once the connection may be trusted."""
        connection.info[_ARRIVAL] = next(self._arrivals)
        if not self._options.auth_message:
            connection.subscriptions.add(READY)

    async def closed(self, connection: Connection) -> None:
        """Nothing is kept of a connection; its orders live on."""

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
        if self._faults.strike(Fault.DROP, *names) is not None:
            return
        if self._faults.strike(Fault.RESET, *names) is not None:
            connection.abort()
            return
        self._process(connection, body, event, request_id)

    def _authenticate(self, connection: Connection, message: str | bytes) -> None:
        text = message.decode(errors="replace") if isinstance(message, bytes) else message
        if not _is_same(text, self._options.auth_message):
            connection.send_json(self._wire.error("", None, Refused("not authenticated")), "error", "error/")
            connection.close()
            return
        connection.subscriptions.add(READY)
        if self._options.auth_answer:
            connection.send(self._options.auth_answer, "control/auth")

    def _process(self, connection: Connection, body: dict[str, object], event: str, request_id: str | None) -> None:
        answer: Answer | None = None
        with self._feed.gathered() as views:
            try:
                answer = self._exchange.handle(read_request(body, self._options))
            except Refused as refused:
                error = self._wire.error(event, request_id, refused)
                connection.send_json(error, "error", f"error/{event}")
        if answer is not None and answer.login:
            connection.subscriptions.add(login_key(answer.login))
        if answer is not None and answer.when is AnswerTime.BEFORE_EXECUTION:
            self._answer(connection, answer, event, request_id)
        for view in views:
            self._feed.tell(view)
        if answer is not None and answer.when is AnswerTime.AFTER_EXECUTION:
            self._answer(connection, answer, event, request_id)

    def _answer(self, connection: Connection, answer: Answer, event: str, request_id: str | None) -> None:
        message: dict[str, object] = {"event": event}
        if answer.has_request_id:
            message["requestId"] = request_id
        if answer.payload is not None:
            message["payload"] = answer.payload
        connection.send_json(message, event, f"{event}/answer", "answer")
        if self._faults.strike(Fault.RESET, f"{event}/answered", "answered") is not None:
            connection.reset()


def _is_same(text: str, wanted: str) -> bool:
    """Whether two messages are the same: as JSON documents if they are some, else as texts."""
    try:
        return bool(json.loads(text) == json.loads(wanted))
    except ValueError:
        return hmac.compare_digest(text.encode(), wanted.encode())
