"""A raw BSX client for tests of the twin: it shares no line with the adapter."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
from eth_account import Account
from eth_account.messages import encode_typed_data

from nautilus_orderfeeds.sim import Simulation, simulate

ORDER_TYPE = {
    "Order": [
        {"name": "sender", "type": "address"},
        {"name": "size", "type": "uint128"},
        {"name": "price", "type": "uint128"},
        {"name": "nonce", "type": "uint64"},
        {"name": "productIndex", "type": "uint8"},
        {"name": "orderSide", "type": "uint8"},
    ]
}


def sign(domain: dict[str, str], types: dict[str, Any], message: dict[str, Any], key: str) -> str:
    """The 0x signature of typed data, by eth_account."""
    data = {
        "name": domain["name"],
        "version": domain["version"],
        "chainId": int(domain["chain_id"]),
        "verifyingContract": domain["verifying_contract"],
    }
    signed = Account.sign_message(encode_typed_data(data, types, message), key)
    return "0x" + signed.signature.hex().removeprefix("0x")


class RawStream:
    """One WebSocket as the documentation describes it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, credentials: dict[str, Any]) -> None:
        self.socket = socket
        self._credentials = credentials

    async def send(self, message: Any) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        return json.loads(await self.socket.receive_str(timeout=3))

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = await self.receive()
            if wanted(message):
                return message

    async def nothing(self, secs: float = 0.1) -> bool:
        """Whether nothing comes for a while (a ping and its pong come back first)."""
        await self.send({"op": "ping"})
        if (await self.receive())["type"] != "pong":
            return False
        try:
            await self.socket.receive(timeout=secs)
        except TimeoutError:
            return True
        return False

    def auth_message(self, *, timestamp: int | None = None, **changed: str) -> dict[str, Any]:
        stamp = str(time.time_ns() if timestamp is None else timestamp)
        key, secret = self._credentials["api_key"], self._credentials["api_secret"]
        mac = hmac.new(secret.encode(), f"{key},{stamp}".encode(), hashlib.sha256).hexdigest()
        return {"op": "auth", "data": {"key": key, "timestamp": stamp, "signature": mac, **changed}}

    async def auth(self) -> None:
        await self.send(self.auth_message())
        assert await self.receive() == {"channel": "auth", "type": "authenticated"}

    async def sub(self, channel: str, product: str | None = None) -> None:
        await self.send({"op": "sub", "channel": channel, **({"product": product} if product else {})})

    async def orders(self) -> list[dict[str, Any]]:
        """Authenticate and subscribe to `orders`; the snapshot's orders."""
        await self.auth()
        await self.sub("orders")
        return (await self.until(lambda message: message["type"] == "snapshot"))["data"]

    async def update(self) -> list[dict[str, Any]]:
        """The orders of the next `orders` update."""
        message = await self.until(lambda m: m.get("channel") == "orders" and m["type"] == "update")
        return message["data"]

    async def statuses(self, count: int) -> list[str]:
        """The status of the first order of each of the next updates."""
        return [(await self.update())[0]["status"] for _ in range(count)]


class RawBsx:
    """REST calls by hand."""

    def __init__(self, sim: Simulation, session: aiohttp.ClientSession, account: int = 0) -> None:
        self.sim = sim
        self.session = session
        self.credentials: dict[str, Any] = sim.twin.credentials(account)  # type: ignore[call-arg]
        self.headers = {"bsx-key": self.credentials["api_key"], "bsx-secret": self.credentials["api_secret"]}
        self.domain: dict[str, str] = {}

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        more.setdefault("headers", self.headers)
        async with self.session.request(method, self.sim.base_url_http + path, json=body, **more) as response:
            return response.status, json.loads(await response.read())

    async def get(self, path: str) -> Any:
        status, body = await self.call("GET", path)
        assert status == 200, body
        return body

    async def load(self) -> None:
        configs = await self.get("/chain/configs")
        self.domain = configs.get("main", configs)

    def body(
        self,
        side: str,
        price: str,
        size: str,
        *,
        index: int = 1,
        nonce: int | None = None,
        signed: dict[str, Any] | None = None,
        sent: dict[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """A signed order body; `signed` overrides what is signed, `sent` and `more` what is sent."""
        nonce = time.time_ns() if nonce is None else nonce
        message = {
            "sender": self.credentials["wallet_address"],
            "size": int(Decimal(size) * 10**18),
            "price": int(Decimal(price) * 10**18),
            "nonce": nonce,
            "productIndex": index,
            "orderSide": 0 if side == "BUY" else 1,
            **(signed or {}),
        }
        return {
            "side": side,
            "type": "LIMIT",
            "time_in_force": "GTC",
            "product_index": index,
            "price": price,
            "size": size,
            "nonce": str(nonce),
            "signature": sign(self.domain, ORDER_TYPE, message, self.credentials["signer_key"]),
            **more,
            **(sent or {}),
        }

    async def order(self, side: str, price: str, size: str, **more: Any) -> dict[str, Any]:
        """Place an order that must be taken."""
        status, answer = await self.call("POST", "/orders", self.body(side, price, size, **more))
        assert status == 200, answer
        return answer

    async def refused(self, side: str, price: str, size: str, **more: Any) -> tuple[int, int, str]:
        """Place an order that must be refused: HTTP status, code, message."""
        status, answer = await self.call("POST", "/orders", self.body(side, price, size, **more))
        assert status != 200, answer
        return status, answer["code"], answer["message"]

    async def stream(self) -> RawStream:
        socket = await self.session.ws_connect(self.sim.base_url_ws)
        stream = RawStream(socket, self.credentials)
        greeting = await stream.receive()
        assert greeting["type"] == "message"
        assert len(greeting["connection_id"]) == 36
        return stream


@asynccontextmanager
async def bsx(**options: Any) -> AsyncIterator[RawBsx]:
    """A simulated BSX whose market stands still, and a raw client of it."""
    options.setdefault("seed", 7)
    options.setdefault("market_flow", False)
    async with (
        simulate("bsx", **options) as sim,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
    ):
        raw = RawBsx(sim, session)
        await raw.load()
        yield raw
        sim.ledger.check()
