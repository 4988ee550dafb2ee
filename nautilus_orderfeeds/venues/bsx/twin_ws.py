"""The WebSocket of the simulated BSX: greeting, authentication, subscriptions (protocol 3.3, 5.1)."""

from __future__ import annotations

import hmac
import re
from typing import Any

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.connection import Connection, decode_json
from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.server import WsEndpoint
from nautilus_orderfeeds.venues.bsx.twin_accounts import Keyring, stream_signature
from nautilus_orderfeeds.venues.bsx.twin_feed import ORDERS, OrdersFeed
from nautilus_orderfeeds.venues.bsx.twin_options import BsxTwinOptions, ClockErrorShape
from nautilus_orderfeeds.venues.bsx.twin_public import CHANNELS, PublicFeed
from nautilus_orderfeeds.venues.bsx.twin_wire import INDEX_OF

FAREWELL = '{"type":"message","message":"bye - service is shutting down"}'
_NS = 1_000_000_000
_NANOSECONDS = re.compile(r"[0-9]{1,20}")


class BsxStream(WsEndpoint):
    """The endpoint behind `/ws`."""

    def __init__(
        self,
        keyring: Keyring,
        clock: SimClock,
        orders: OrdersFeed,
        public: PublicFeed,
        faults: FaultInjector,
        options: BsxTwinOptions,
    ) -> None:
        self._keyring = keyring
        self._clock = clock
        self._orders = orders
        self._public = public
        self._faults = faults
        self._options = options

    async def opened(self, connection: Connection) -> None:
        """Greet."""
        connection.send_json({"type": "message", "connection_id": connection.id}, "control/greeting")

    async def received(self, connection: Connection, message: str | bytes) -> None:
        """Dispatch one client message."""
        body = decode_json(message)
        if not isinstance(body, dict):
            connection.send_json({"type": "error", "message": "invalid message", "code": 400}, "control/error")
            return
        match body.get("op"):
            case "ping":
                connection.send_json({"type": "pong"}, "control/pong")
            case "auth":
                self._authenticate(connection, body.get("data"))
            case "sub":
                self._subscribe(connection, body)
            case "unsub":
                self._unsubscribe(connection, body)
            case _:
                _error(connection, None, "invalid op", 400)

    # -- authentication -------------------------------------------------------------------------------------

    def _authenticate(self, connection: Connection, data: Any) -> None:
        if connection.account is not None:
            return  # documented: a second auth is not answered at all
        data = data if isinstance(data, dict) else {}
        key = self._keyring.stream_key(str(data.get("key")))
        timestamp = data.get("timestamp")
        if key is None:
            _error(connection, "auth", "api key not found", 400)
            return
        if not isinstance(timestamp, str) or not _NANOSECONDS.fullmatch(timestamp):
            _error(connection, "auth", "invalid timestamp", 400)
            return
        off_secs = abs(self._clock.now_ns() - int(timestamp)) / _NS
        if off_secs > self._options.clock_tolerance_secs:
            self._clock_error(connection, off_secs)
            return
        expected = stream_signature(key, timestamp)
        if not hmac.compare_digest(expected.encode(), str(data.get("signature")).encode()):
            _error(connection, "auth", "invalid signature", 400)
            return
        connection.account = key.owner
        connection.send_json({"channel": "auth", "type": "authenticated"}, "control/auth")

    def _clock_error(self, connection: Connection, off_secs: float) -> None:
        match self._options.clock_error:
            case ClockErrorShape.WITH_CHANNEL:
                text = f"timestamp should be closed to current timestamp ({off_secs:f}s)"
                _error(connection, "auth", text, 400)
            case ClockErrorShape.WITHOUT_CHANNEL:
                _error(connection, None, "timestamp should be close to current timestamp", 400)

    # -- subscriptions --------------------------------------------------------------------------------------

    def _subscribe(self, connection: Connection, body: dict[str, Any]) -> None:
        channel: Any = body.get("channel")
        product: Any = body.get("product")
        if channel == "orders":
            self._subscribe_orders(connection)
        elif _is_public(channel, product):
            connection.subscriptions.add((channel, product))
            ack = {"channel": channel, "product": product, "type": "subscribed"}
            connection.send_json(ack, "control/subscribed", f"{channel}/subscribed")
            snapshot = self._public.snapshot(channel, product)
            if snapshot is not None:
                connection.send_json(snapshot, channel, f"{channel}/snapshot", f"{channel}/snapshot/{product}")
        else:
            _error(connection, channel, "given channel/product is unsupported", 400)

    def _subscribe_orders(self, connection: Connection) -> None:
        if connection.account is None:
            _error(connection, "orders", "not authenticated", 401)
            return
        connection.subscriptions.add(ORDERS)
        if self._options.orders_ack:
            ack = {"channel": "orders", "type": "subscribed"}
            connection.send_json(ack, "control/subscribed", "orders/subscribed")
        views = self._orders.shown(connection.account, self._faults.lag("orders", "orders/snapshot"))
        snapshot = self._orders.snapshot(views, self._clock.now_ns())
        connection.send_json(snapshot, "orders", "orders/snapshot")

    def _unsubscribe(self, connection: Connection, body: dict[str, Any]) -> None:
        channel: Any = body.get("channel")
        product: Any = body.get("product")
        if channel == "orders":
            connection.subscriptions.discard(ORDERS)
            ack = {"type": "unsubscribed", "channel": "orders"}
            connection.send_json(ack, "control/unsubscribed", "orders/unsubscribed")
        elif _is_public(channel, product):
            connection.subscriptions.discard((channel, product))
            ack = {"type": "unsubscribed", "channel": channel, "product": product}
            connection.send_json(ack, "control/unsubscribed", f"{channel}/unsubscribed")
        else:
            _error(connection, channel, "given channel/product is unsupported", 400)


def _is_public(channel: Any, product: Any) -> bool:
    return channel in CHANNELS and isinstance(product, str) and product in INDEX_OF


def _error(connection: Connection, channel: object, text: str, code: int) -> None:
    """An error message: it never names a product, and not always a channel."""
    message: dict[str, object] = {"type": "error", "message": text, "code": code}
    if channel is not None:
        message = {"channel": channel, **message}
    connection.send_json(message, "control/error")
