"""The WebSocket of the simulated Roxom: upgrade, subscriptions, errors (protocol 5.1)."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.server import WsEndpoint
from nautilus_orderfeeds.venues.roxom.twin_errors import Errors
from nautilus_orderfeeds.venues.roxom.twin_keys import AuthRefused, Keyring
from nautilus_orderfeeds.venues.roxom.twin_market_data import MarketData
from nautilus_orderfeeds.venues.roxom.twin_options import AckShape, RoxomTwinOptions, WsAuthFailure
from nautilus_orderfeeds.venues.roxom.twin_products import SYMBOLS
from nautilus_orderfeeds.venues.roxom.twin_words import Channel, MarketChannel

_ACCOUNT_CHANNELS = {channel.value for channel in Channel}
_MARKET_CHANNELS = {channel.value: channel for channel in MarketChannel}


class RoxomStream(WsEndpoint):
    """
    The endpoint behind `/ws`.

    Parameters
    ----------
    keyring : Keyring
    errors : Errors
    data : MarketData
    options : RoxomTwinOptions
    """

    def __init__(self, keyring: Keyring, errors: Errors, data: MarketData, options: RoxomTwinOptions) -> None:
        self._keyring = keyring
        self._errors = errors
        self._data = data
        self._options = options
        self._fail_subscribes: list[str] = []

    def fail_next_subscribe(self, code: str) -> None:
        """Answer the next subscription with this error instead of carrying it out."""
        self._fail_subscribes.append(code)

    async def admit(self, request: web.Request) -> web.StreamResponse | None:
        """Check the upgrade's headers; refuse it with 401, or leave the refusal to `opened`."""
        if self._options.ws_auth_failure is WsAuthFailure.ERROR_MESSAGE:
            return None
        try:
            self._keyring.check_upgrade(request.headers)
        except AuthRefused as refused:
            answer = self._errors.answer(refused)
            return web.Response(status=answer.status, body=answer.encoded(), content_type="application/json")
        return None

    async def opened(self, connection: Connection) -> None:
        """Log the connection in by the headers of its upgrade; there is no greeting and no auth message."""
        connection.answers_pings = self._options.answers_pings
        try:
            account = self._keyring.check_upgrade(connection.headers)
        except AuthRefused as refused:
            _error(connection, refused.ws_code, refused.ws_message)
            if self._options.close_after_auth_error:
                connection.close()
            return
        connection.account = None if account is None else account.account_id

    async def received(self, connection: Connection, message: str | bytes) -> None:
        """Dispatch one client message."""
        if isinstance(message, bytes):
            _error(connection, "60018", "Binary messages are not supported")
            return
        try:
            body: Any = json.loads(message)
        except ValueError:
            _error(connection, "60017", "Malformed JSON")
            return
        op = body.get("op") if isinstance(body, dict) else None
        args = body.get("args") if isinstance(body, dict) else None
        if op not in ("subscribe", "unsubscribe") or not isinstance(args, list):
            _error(connection, "60017", "Malformed request: expected op subscribe or unsubscribe with args")
            return
        for arg in args:
            self._one(connection, op, arg if isinstance(arg, dict) else {})

    # -- subscriptions --------------------------------------------------------------------------------------

    def _one(self, connection: Connection, op: str, arg: dict[str, Any]) -> None:
        channel, symbol = arg.get("channel"), arg.get("symbol")
        problem = self._problem(connection, op, channel, symbol)
        if problem is not None:
            _error(connection, *problem)
            return
        is_market = channel in _MARKET_CHANNELS
        key = (str(channel), str(symbol)) if is_market else (str(channel),)
        if op == "unsubscribe":
            connection.subscriptions.discard(key)
            self._acknowledge(connection, op, key)
            return
        if is_market:
            self._data.publish(str(symbol))  # before it is subscribed: its snapshot comes first
        connection.subscriptions.add(key)
        self._acknowledge(connection, op, key)
        if is_market:
            self._data.greet(connection, _MARKET_CHANNELS[str(channel)], str(symbol))

    def _problem(self, connection: Connection, op: str, channel: object, symbol: object) -> tuple[str, str] | None:
        """Why a subscription fails: code and text."""
        if op == "subscribe" and self._fail_subscribes:
            return self._fail_subscribes.pop(0), "Internal error"
        if channel in _ACCOUNT_CHANNELS:
            if connection.account is None:
                return "600010", "Authentication failed"
        elif channel not in _MARKET_CHANNELS:
            return "60014", f"Invalid channel: {channel}"
        elif symbol not in SYMBOLS:
            return "60015", f"Invalid symbol: {symbol}"
        if op == "subscribe" and len(connection.subscriptions) >= self._options.max_subscriptions:
            return "60016", "Subscription limit exceeded"
        return None

    def _acknowledge(self, connection: Connection, op: str, key: tuple[str, ...]) -> None:
        arg = {"channel": key[0], "instId": key[1]} if len(key) > 1 else {"channel": key[0]}
        ack: dict[str, object] = {"event": op, "arg": arg}
        match self._options.ack:
            case AckShape.FULL:
                ack |= {"code": "0", "msg": "", "connId": connection.id}
            case AckShape.BARE:
                pass
            case AckShape.NONE:
                return
        connection.send_json(ack, f"control/{op}", f"{key[0]}/{op}")


def _error(connection: Connection, code: str, text: str) -> None:
    message = {"event": "error", "code": code, "msg": text, "connId": connection.id}
    connection.send_json(message, "control/error", f"control/error/{code}")
