"""
The private streams of the simulated Outpoll: Order Updates, Order Feed, Balance Updates (protocol 4.4, 6.1-6.3).

Faults know frames as `orders`, `orders/update`, `orders/update/SUCCESS`, `orders/tpsl`, `order-feed`, `balances`,
`balances/snapshot`, `balances/update`, `control/auth`, `control/ping` and `control/error`.
"""

from __future__ import annotations

import contextlib
from typing import Any

from aiohttp import web

from nautilus_orderfeeds.sim.connection import Connection, decode_json
from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.server import WsEndpoint
from nautilus_orderfeeds.venues.outpoll.twin_heartbeat import Heartbeat
from nautilus_orderfeeds.venues.outpoll.twin_keys import ApiKey, Keyring, Refused
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_wallet import Wallet
from nautilus_orderfeeds.venues.outpoll.twin_words import AuthFailure, AuthReply, Service

_BAD_AUTH = "Invalid or missing credentials"
_UNKNOWN = "Unknown message type"
KEY = "key"
"""Under which a connection remembers the API key it came with."""


class PrivateStream(WsEndpoint):
    """
    The endpoint of one private stream.

    Parameters
    ----------
    service : Service
    keyring : Keyring
    wallet : Wallet
    heartbeat : Heartbeat
    faults : FaultInjector
    options : OutpollTwinOptions
    """

    def __init__(
        self,
        service: Service,
        keyring: Keyring,
        wallet: Wallet,
        heartbeat: Heartbeat,
        faults: FaultInjector,
        options: OutpollTwinOptions,
    ) -> None:
        self._service = service
        self._keyring = keyring
        self._wallet = wallet
        self._heartbeat = heartbeat
        self._faults = faults
        self._options = options

    async def admit(self, request: web.Request) -> web.StreamResponse | None:
        """Everybody may connect; Order Feed only where the options have it."""
        if self._service is Service.FEED and not self._options.order_feed:
            return web.Response(status=404)
        return None

    async def opened(self, connection: Connection) -> None:
        """Nothing is said before AUTH."""
        connection.answers_pings = self._options.answer_pings

    async def received(self, connection: Connection, message: str | bytes) -> None:
        """AUTH, PONG, and nothing else (6.1)."""
        body = decode_json(message)
        kind, data = (body.get("t"), body.get("d")) if isinstance(body, dict) else (None, None)
        if kind == "AUTH":
            self._authenticate(connection, data)
        elif connection.account is None:
            self._fail(connection)
        elif kind == "PONG" and self._heartbeat.ponged(connection):
            pass
        else:
            error(connection, _UNKNOWN)

    # -- authentication -------------------------------------------------------------------------------------

    def _authenticate(self, connection: Connection, data: Any) -> None:
        key = self._key(data)
        if key is None:
            self._fail(connection)
            return
        connection.account = key.owner
        connection.info[KEY] = key.key
        if self._options.auth_reply is AuthReply.SILENT:
            return
        reply, names = self._reply(key.owner)
        if self._options.auth_reply is AuthReply.OTHER_CASE:
            reply = {**reply, "t": str(reply["t"]).swapcase()}
        connection.send_json(reply, *names)

    def _reply(self, owner: str) -> tuple[dict[str, object], list[str]]:
        """The three services answer in three ways (4.4)."""
        match self._service:
            case Service.ORDERS:
                return {"t": "success", "d": "authorized", "r": None}, ["control/auth"]
            case Service.FEED:
                return {"t": "SUCCESS", "d": {"message": "AUTH successful"}, "r": None}, ["control/auth"]
            case Service.BALANCES:
                lag = self._faults.lag("balances", "balances/snapshot")
                return self._wallet.snapshot(owner, lag), ["balances", "balances/snapshot", "control/auth"]

    def _key(self, data: Any) -> ApiKey | None:
        """The key of an AUTH: all three fields are texts; the signature is over the path on the service's own host."""
        if not isinstance(data, dict):
            return None
        key, signature, timestamp = data.get("apiKey"), data.get("signature"), data.get("timestamp")
        if not (isinstance(key, str) and isinstance(signature, str) and isinstance(timestamp, str)):
            return None
        with contextlib.suppress(Refused):
            return self._keyring.authenticate(
                key=key,
                signature=signature,
                timestamp=timestamp,
                method="GET",
                path=self._service.signed_path,
                body=b"",
                window_secs=self._options.window_secs,
            )
        return None

    def _fail(self, connection: Connection) -> None:
        match self._options.auth_failure:
            case AuthFailure.ERROR:
                error(connection, _BAD_AUTH)
            case AuthFailure.ERROR_AND_CLOSE:
                error(connection, _BAD_AUTH)
                connection.close()
            case AuthFailure.CLOSE:
                connection.close()
            case AuthFailure.SILENT:
                pass


def error(connection: Connection, text: str) -> None:
    """An error as Order Updates has it: without `r` (4.4)."""
    connection.send_json({"t": "error", "d": {"error": text}}, "control/error")
