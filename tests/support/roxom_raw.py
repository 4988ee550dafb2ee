"""A raw Roxom client for tests of the twin: it shares no line with the adapter."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import aiohttp
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from nautilus_orderfeeds.sim import Simulation, simulate

GOLD = "GOLD-BTC"


@cache
def _key(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def rsa_signature(pem: str, payload: str) -> str:
    """base64 of the PKCS#1 v1.5 signature over SHA-256."""
    return base64.b64encode(_key(pem).sign(payload.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def hmac_signature(secret: str, timestamp: str) -> str:
    """base64 of the HMAC of the timestamp."""
    return base64.b64encode(hmac.new(secret.encode(), timestamp.encode(), hashlib.sha256).digest()).decode()


def parameters(body: dict[str, Any]) -> str:
    """The body part of a payload: pairs sorted by key, numbers and booleans as JSON writes them."""
    words = {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items() if v is not None}
    return "&".join(f"{key}={words[key]}" for key in sorted(words))


class RawStream:
    """One WebSocket as the documentation describes it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, message: Any) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        return json.loads(await self.socket.receive_str(timeout=3))

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = await self.receive()
            if wanted(message):
                return message

    async def op(self, op: str, *args: dict[str, str]) -> None:
        await self.send({"op": op, "args": list(args)})

    async def subscribe(self, channel: str, symbol: str | None = None) -> dict[str, Any]:
        """Subscribe; the acknowledgement (or the error)."""
        await self.op("subscribe", {"channel": channel, **({"symbol": symbol} if symbol else {})})
        return await self.until(lambda message: "event" in message)

    async def event(self, kind: str = "order") -> Any:
        """The data of the next event of this type."""
        return (await self.until(lambda message: message.get("type") == kind))["data"]

    async def statuses(self, count: int) -> list[str]:
        """The statuses of the next order events."""
        return [(await self.event())["status"] for _ in range(count)]

    async def topic(self, topic: str) -> dict[str, Any]:
        """The next message of a market data topic."""
        return await self.until(lambda message: message.get("topic") == topic)

    async def nothing(self, secs: float = 0.1) -> bool:
        """Whether nothing but what was asked for comes for a while."""
        await self.op("unsubscribe", {"channel": "account"})
        if (await self.receive()).get("event") != "unsubscribe":
            return False
        try:
            await self.socket.receive(timeout=secs)
        except TimeoutError:
            return True
        return False


class RawRoxom:
    """REST calls by hand."""

    def __init__(self, sim: Simulation, session: aiohttp.ClientSession, account: int = 0) -> None:
        self.sim = sim
        self.session = session
        self.credentials: dict[str, Any] = sim.twin.credentials(account)  # type: ignore[call-arg]
        self.prefix = "/v1"

    @property
    def twin(self) -> Any:
        return self.sim.twin

    def signed(self, payload: str) -> dict[str, str]:
        """The headers of a call (or an upgrade) with this payload."""
        headers = {"X-API-Key": self.credentials["api_key"]}
        if "private_key" in self.credentials:
            headers["X-API-Signature"] = rsa_signature(self.credentials["private_key"], payload)
        return headers

    async def raw(self, method: str, target: str, headers: dict[str, str], data: bytes | None = None) -> Any:
        """One call exactly as given: status and body (text if it is no JSON)."""
        url = self.sim.base_url_http + target
        async with self.session.request(method, url, headers=headers, data=data) as response:
            text = await response.text()
            try:
                return response.status, json.loads(text)
            except ValueError:
                return response.status, text

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """A signed call; `path` without prefix, with its query."""
        target = self.prefix + path
        payload = f"{method}:{target}" + (f":{parameters(body)}" if body else "")
        headers = {**self.signed(payload), "Content-Type": "application/json"}
        return await self.raw(method, target, headers, json.dumps(body).encode() if body is not None else None)

    async def get(self, path: str) -> Any:
        """The data of a call that must succeed."""
        status, body = await self.call("GET", path)
        assert status == 200, body
        return body["data"]

    def body(self, side: str, qty: str, px: str | None = None, **more: Any) -> dict[str, Any]:
        """A create request: a limit order with a price, otherwise a market order."""
        body = {
            "symbol": GOLD,
            "instType": "perpetual",
            "orderType": "market" if px is None else "limit",
            "side": side,
            "qty": qty,
            "unit": "btc",
            **({} if px is None else {"px": px}),
            **more,
        }
        return {key: value for key, value in body.items() if value is not None}

    async def order(self, side: str, qty: str, px: str | None = None, **more: Any) -> str:
        """Place an order that must be taken; its id."""
        status, answer = await self.call("POST", "/orders", self.body(side, qty, px, **more))
        assert status == 200, answer
        return answer["data"]["orderId"]

    async def refused(self, side: str, qty: str, px: str | None = None, **more: Any) -> tuple[int, str]:
        """Place an order that must be refused: status, and everything said in one text."""
        status, answer = await self.call("POST", "/orders", self.body(side, qty, px, **more))
        assert status != 200, answer
        return status, json.dumps(answer)

    async def cancel(self, order_id: str) -> tuple[int, Any]:
        return await self.call("POST", f"/orders/{order_id}/cancel")

    async def one(self, order_id: str, unit: str = "btc") -> dict[str, Any]:
        return (await self.get(f"/orders/{order_id}?unit={unit}"))["order"]

    def upgrade_headers(self, **changed: str) -> dict[str, str]:
        """What the handshake carries in the twin's mode."""
        if "private_key" in self.credentials:
            return {**self.signed("GET:/ws"), **changed}
        stamp = str(time.time_ns() // 1_000_000)
        signature = hmac_signature(self.credentials["api_secret"], stamp)
        headers = {"X-API-KEY": self.credentials["api_key"], "X-API-TIMESTAMP": stamp, "X-API-SIGN": signature}
        return {**headers, **changed}

    async def stream(self, headers: dict[str, str] | None = None) -> RawStream:
        headers = self.upgrade_headers() if headers is None else headers
        return RawStream(await self.session.ws_connect(self.sim.base_url_ws, headers=headers))


@asynccontextmanager
async def roxom(**options: Any) -> AsyncIterator[RawRoxom]:
    """A simulated Roxom whose market stands still, and a raw client of it."""
    options.setdefault("seed", 7)
    options.setdefault("market_flow", False)
    async with (
        simulate("roxom", **options) as sim,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
    ):
        yield RawRoxom(sim, session)
        sim.ledger.check()
