"""A raw Outpoll client for tests of the twin: it shares no line with the adapter or with the twin."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from nautilus_orderfeeds.sim import Simulation, simulate

QUOTE = "078dcd98-928d-479f-8110-ff6d27e44de2"
EVENT = "54ccea1a-16fd-469c-8018-84b375243e8a"
_SAMPLES = Path(__file__).parents[1] / "venues" / "outpoll" / "samples"
OUTCOME = "b21f6fd8-b9d1-4b9f-bb79-ef141e3dcb76"


def sign(secret: str, message: str) -> str:
    padded = secret + "=" * (-len(secret) % 4)
    digest = hmac.new(base64.urlsafe_b64decode(padded), message.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def sample(name: str) -> Any:
    """A printed message, e.g. `"seed/ws-server-ping.json"`."""
    return json.loads((_SAMPLES / name).read_text())


def shape(value: Any) -> Any:
    """What a document is made of: its keys, whatever the values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else type(value)


def loads(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


class RawStream:
    """One WebSocket as the documentation describes it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, raw: RawOutpoll) -> None:
        self.socket = socket
        self._raw = raw

    async def send(self, message: Any) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def text(self) -> str:
        return await self.socket.receive_str(timeout=3)

    async def receive(self) -> dict[str, Any]:
        return loads(await self.text())

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = await self.receive()
            if wanted(message):
                return message

    async def is_silent(self, secs: float = 0.08) -> bool:
        try:
            await self.socket.receive(timeout=secs)
        except TimeoutError:
            return True
        return False

    async def is_closed(self) -> bool:
        message = await self.socket.receive(timeout=3)
        return message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)

    def auth(self, path: str, **changed: str) -> dict[str, Any]:
        stamp = str(int(time.time()))
        data = {"apiKey": self._raw.key, "signature": sign(self._raw.secret, f"{stamp}GET{path}"), "timestamp": stamp}
        return {"t": "AUTH", "d": {**data, **changed}}

    async def update(self) -> tuple[str, str]:
        """Order id and status of the next ORDER_UPDATE."""
        data = (await self.until(lambda message: message.get("t") == "ORDER_UPDATE"))["d"]
        return data["i"], data["s"]

    async def updates(self, count: int) -> list[str]:
        """The statuses of the next ORDER_UPDATEs."""
        return [(await self.update())[1] for _ in range(count)]


class RawOutpoll:
    """REST calls by hand."""

    def __init__(self, sim: Simulation, session: aiohttp.ClientSession, account: int = 0) -> None:
        self.sim = sim
        self.twin: Any = sim.twin
        self.session = session
        self.use(self.twin.credentials(account))
        self.user: str = self.twin.users[account]

    def use(self, credentials: dict[str, Any]) -> None:
        self.key: str = credentials["api_key"]
        self.secret: str = credentials["api_secret"]

    def headers(self, method: str, path: str, body: str = "", *, stamp: str | None = None) -> dict[str, str]:
        stamp = str(int(time.time())) if stamp is None else stamp
        return {
            "OUTPOLL-API-KEY": self.key,
            "OUTPOLL-API-SIGNATURE": sign(self.secret, stamp + method + path + body),
            "OUTPOLL-API-TIMESTAMP": stamp,
            "Content-Type": "application/json",
        }

    async def call(
        self, method: str, target: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and body; `body` is sent as it is (text) or as compact JSON."""
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        if headers is None:
            headers = self.headers(method, target.split("?")[0], text)
        url = self.sim.base_url_http + target
        async with self.session.request(method, url, data=text.encode() or None, headers=headers) as response:
            raw = await response.read()
            is_json = response.content_type == "application/json" and raw
            return response.status, loads(raw) if is_json else raw.decode()

    async def get(self, target: str) -> Any:
        status, body = await self.call("GET", target)
        assert status == 200, body
        return body

    def limit_body(self, asset: Any, side: str, price: str, size: str) -> str:
        """Written by hand, so that a number is exactly what it is."""
        return f'{{{self._ids(asset)},"s":"{side}","p":{price},"q":{size}}}'

    def market_body(self, asset: Any, side: str, key: str, number: str) -> str:
        return f'{{{self._ids(asset)},"s":"{side}","{key}":{number}}}'

    def _ids(self, asset: Any) -> str:
        outcome = asset.outcome
        return f'"e":"{outcome.event.event_id}","o":"{outcome.outcome_id}","ba":"{asset.asset_id}","qa":"{QUOTE}"'

    async def limit(self, asset: Any, side: str, price: str, size: str) -> str:
        """Place a limit order that must be taken; its id."""
        status, answer = await self.call("POST", "/orders/limit", self.limit_body(asset, side, price, size))
        assert status in (200, 202), answer
        return answer["i"]

    async def buy(self, asset: Any, amount: str) -> str:
        """Spend USDC; the order's id."""
        status, answer = await self.call("POST", "/orders/market", self.market_body(asset, "BUY", "am", amount))
        assert status in (200, 202), answer
        return answer["i"]

    async def sell(self, asset: Any, size: str) -> str:
        """Sell shares at the market; the order's id."""
        status, answer = await self.call("POST", "/orders/market", self.market_body(asset, "SELL", "q", size))
        assert status in (200, 202), answer
        return answer["i"]

    async def cancel(self, order_id: str) -> int:
        return (await self.call("DELETE", f"/orders/limit/{order_id}"))[0]

    async def active(self) -> list[dict[str, Any]]:
        return (await self.get("/api/history/deals/active-orders"))["i"]

    async def history(self) -> dict[str, dict[str, Any]]:
        rows = (await self.get("/api/history/orders?size=100"))["i"]
        return {row["i"]: row for row in rows}

    async def stream(self, path: str) -> RawStream:
        return RawStream(await self.session.ws_connect(self.sim.base_url_ws + path), self)

    async def orders(self) -> RawStream:
        stream = await self.stream("/order/ws")
        await stream.send(stream.auth("/order/ws"))
        assert await stream.receive() == {"t": "success", "d": "authorized", "r": None}
        return stream

    async def balances(self) -> tuple[RawStream, dict[str, tuple[Decimal, Decimal]]]:
        """The stream, and total and free by asset from its snapshot."""
        stream = await self.stream("/balance/ws")
        await stream.send(stream.auth("/balance/ws"))
        reply = await stream.receive()
        assert reply["t"] == "success"
        return stream, {row["i"]: (Decimal(row["b"]), Decimal(row["f"])) for row in reply["d"]["l"]}


async def eventually(check: Callable[[], Awaitable[bool]], secs: float = 3.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(secs):
        while not await check():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def outpoll(*, book: bool = True, **options: Any) -> AsyncIterator[RawOutpoll]:
    """A simulated Outpoll whose market stands still (or is empty), and a raw client of it."""
    options.setdefault("seed", 7)
    options.setdefault("market_flow", False)
    async with (
        simulate("outpoll", initial_book=book, **options) as sim,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
    ):
        yield RawOutpoll(sim, session)
        sim.ledger.check()
