"""A raw ActTrader client for tests of the twin: it shares no line with the adapter."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp

from nautilus_orderfeeds.sim import Simulation, simulate

HEARTBEAT = "heartbeat"


def dump(value: Any) -> str:
    """JSON text with decimals as numbers."""
    text = json.dumps(value, default=lambda number: f"<<{number:f}>>")
    return re.sub(r'"<<(.*?)>>"', r"\1", text)


def load(text: str) -> Any:
    """JSON with exact numbers; doubled keys as (key, value) pairs under `__pairs__`."""

    def make(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            found["__doubled__"] = sorted(k for k in found if sum(1 for key, _ in pairs if key == k) > 1)
        return found

    return json.loads(text, parse_float=Decimal, object_pairs_hook=make)


class RawSocket:
    """One WebSocket as the documentation describes it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, sim: Simulation) -> None:
        self.socket = socket
        self.sim = sim
        self.login: Any = sim.credentials()["login"]
        self._requests = 0

    async def send_text(self, text: str) -> None:
        await self.socket.send_str(text)

    async def text(self, secs: float = 3) -> str:
        return await self.socket.receive_str(timeout=secs)

    async def receive(self, secs: float = 3) -> Any:
        return load(await self.text(secs))

    async def is_over(self) -> bool:
        """Whether the connection ended (and brought nothing before that)."""
        message = await self.socket.receive(timeout=3)
        return message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR)

    async def ask(self, event: str, payload: Any = None) -> str:
        """Send a request; its requestId."""
        self._requests += 1
        request_id = f"r{self._requests}"
        message = {"event": event, "requestId": request_id}
        if payload is not None:
            message["payload"] = payload
        await self.send_text(dump(message))
        return request_id

    async def call(self, event: str, payload: Any = None) -> Any:
        """Send a request; the next message, which must be its answer."""
        request_id = await self.ask(event, payload)
        answer = await self.receive()
        assert answer["event"] == event, answer
        if event != "orders" or "requestId" in answer:
            assert answer["requestId"] == request_id
        return answer.get("payload")

    async def refused(self, event: str, payload: Any = None) -> Any:
        """Send a request that must fail; the payload of its `error`."""
        request_id = await self.ask(event, payload)
        answer = await self.receive()
        assert (answer["event"], answer["requestId"]) == ("error", request_id), answer
        return answer["payload"]

    async def execution(self) -> Any:
        """The next message, which must be an `execution`."""
        message = await self.receive()
        assert message["event"] == "execution", message
        assert set(message) == {"event", "payload"}
        return message["payload"]

    async def nothing(self) -> bool:
        """Whether nothing comes before the answer to a question asked now."""
        request_id = await self.ask("nonsense")
        answer = await self.receive()
        return answer["event"] == "error" and answer.get("requestId") == request_id

    def order(self, kind: str, side: str, quantity: Any, price: Any = None, stop: Any = None, **more: Any) -> Any:
        """The payload of a new order in the dialect's plainest words."""
        is_draft = self.sim.twin.options.is_draft  # type: ignore[attr-defined]
        payload: dict[str, Any] = {
            "symbol": "EURUSD",
            "side": side,
            "type": kind,
            "quantity": Decimal(str(quantity)),
            "timeInForce": "GTC" if is_draft else "AON",
            "login": self.login,
        }
        if price is not None:
            payload["price"] = Decimal(str(price))
        if stop is not None:
            payload["stopPrice"] = Decimal(str(stop))
        return {**payload, **more}

    async def place(self, kind: str, side: str, quantity: Any, price: Any = None, stop: Any = None, **more: Any) -> int:
        """Place an order that must be taken; its orderId. Its executions are still to be read."""
        answer = await self.call("newordersingle", self.order(kind, side, quantity, price, stop, **more))
        assert answer["status"] == "NEW"
        return int(answer["orderId"])

    async def place_quietly(self, *order: Any, **more: Any) -> int:
        """Place an order whatever else comes meanwhile; executions up to its own are read."""
        request_id = await self.ask("newordersingle", self.order(*order, **more))
        order_id = 0
        while True:
            message = await self.receive()
            if message.get("requestId") == request_id:
                order_id = message["payload"]["orderId"]
            elif order_id and message["payload"]["orderId"] == order_id:
                return order_id

    def oco(self, side: str, quantity: Any, *legs: dict[str, Any], **more: Any) -> Any:
        """The payload of an OCO pair."""
        return {
            "login": self.login,
            "symbol": "EURUSD",
            "side": side,
            "timeInForce": "AON",
            "quantity": quantity,
            "orders": list(legs),
            **more,
        }


class RawActTrader:
    """A simulated ActTrader and connections to it."""

    def __init__(self, sim: Simulation, session: aiohttp.ClientSession) -> None:
        self.sim = sim
        self.session = session
        self.twin: Any = sim.twin

    async def connect(self, url: str | None = None, **more: Any) -> RawSocket:
        return RawSocket(await self.session.ws_connect(url or self.sim.base_url_ws, **more), self.sim)

    def trade(self, price: str, size: str, aggressor: Any, product: str = "EURUSD") -> None:
        self.sim.market.trade(product, price, size, aggressor)


@asynccontextmanager
async def acttrader(dialect: str, **options: Any) -> AsyncIterator[RawActTrader]:
    """A simulated ActTrader whose market stands still."""
    options.setdefault("seed", 7)
    options.setdefault("market_flow", False)
    async with (
        simulate("acttrader", dialect=dialect, **options) as sim,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
    ):
        yield RawActTrader(sim, session)
        sim.ledger.check()
