"""A raw sFOX client for tests of the twin: it shares no line with the adapter."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp

from nautilus_orderfeeds.sim import Simulation, simulate

OPEN_ORDERS = "private.user.open-orders"
TRADES = "private.user.trades"
BALANCES = "private.user.balances"
USERS = "private.enterprise.users"


def decode(text: str | bytes) -> Any:
    """JSON whose fractions are decimals; integers stay integers."""
    return json.loads(text, parse_float=Decimal)


class RawStream:
    """One WebSocket as the documentation describes it; `log` keeps every message that was received."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.log: list[dict[str, Any]] = []

    async def send(self, message: Any) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        message = decode(await self.socket.receive_str(timeout=3))
        self.log.append(message)
        return message

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = await self.receive()
            if wanted(message):
                return message

    async def data(self, recipient: str) -> Any:
        """The payload of the feed's next message."""
        return (await self.until(lambda m: m.get("recipient") == recipient))["payload"]

    async def quiet(self, secs: float = 0.1) -> bool:
        """Whether nothing comes for a while."""
        try:
            message = await self.socket.receive(timeout=secs)
        except TimeoutError:
            return True
        self.log.append({"unexpected": message.data})
        return False

    async def auth(self, key: object, **more: Any) -> dict[str, Any]:
        await self.send({"type": "authenticate", "apiKey": key, **more})
        return await self.receive()

    async def subscribe(self, *feeds: str) -> dict[str, Any]:
        await self.send({"type": "subscribe", "feeds": list(feeds)})
        return await self.receive()

    async def statuses(self, *wanted: str) -> list[tuple[str, Any]]:
        """(status, filled) of own orders, message by message, until one has the last of the wanted statuses."""
        seen: list[tuple[str, Any]] = []
        while not seen or seen[-1][0] != wanted[-1]:
            (order,) = await self.data(OPEN_ORDERS)
            seen.append((order["status"], order["filled"]))
        assert [status for status, _ in seen] == list(wanted)
        return seen

    async def story(self, until: str, recipients: tuple[str, ...] = (OPEN_ORDERS, TRADES)) -> list[str]:
        """What orders and trades messages say, in sequence, until one says `until`."""
        words: list[str] = []
        while until not in words:
            message = await self.until(lambda m: m.get("recipient") in recipients)
            words += [
                f"{row['status']} {row['filled']}" if "status" in row else f"trade {row['quantity']}"
                for row in message["payload"]
            ]
        return words


class RawSfox:
    """REST calls by hand."""

    def __init__(self, sim: Simulation, session: aiohttp.ClientSession) -> None:
        self.sim = sim
        self.twin: Any = sim.twin
        self.session = session
        self.key = str(self.twin.own_keys[0])
        self.made = 0

    def bearer(self, key: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {key or self.key}"}

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        more.setdefault("headers", self.bearer())
        async with self.session.request(method, self.sim.base_url_http + path, json=body, **more) as response:
            text = await response.read()
            return response.status, decode(text) if text else None

    async def get(self, path: str) -> Any:
        status, body = await self.call("GET", path)
        assert status == 200, body
        return body

    def body(self, **fields: Any) -> dict[str, Any]:
        """A limit order's body; `fields` override, `None` leaves one out."""
        self.made += 1
        body = {
            "currency_pair": "btcusd",
            "algorithm_id": 201,
            "quantity": "0.5",
            "price": "43000",
            "client_order_id": f"me-{self.made}",
            **fields,
        }
        return {name: value for name, value in body.items() if value is not None}

    async def order(self, side: str = "buy", *, key: str | None = None, **fields: Any) -> dict[str, Any]:
        """Place an order that must be taken."""
        path = f"/v1/orders/{side}"
        status, answer = await self.call("POST", path, self.body(**fields), headers=self.bearer(key))
        assert status == 201, answer
        return answer

    async def market(self, side: str, **fields: Any) -> dict[str, Any]:
        """Place a market order."""
        return await self.order(side, **{"algorithm_id": 100, "price": None, "quantity": None, **fields})

    async def refused(self, side: str = "buy", **fields: Any) -> tuple[int, str]:
        """Place an order that must be refused: HTTP status and text."""
        status, answer = await self.call("POST", f"/v1/orders/{side}", self.body(**fields))
        assert status != 201, answer
        return status, answer["error"]

    async def cancel(self, order: dict[str, Any]) -> tuple[int, Any]:
        return await self.call("DELETE", f"/v1/orders/{order['id']}")

    async def connect(self, **more: Any) -> RawStream:
        return RawStream(await self.session.ws_connect(self.sim.base_url_ws, **more))

    async def stream(self, *feeds: str, key: str | None = None, **auth: Any) -> RawStream:
        """A connection that is logged in and subscribed; an initial list of orders is read already."""
        stream = await self.connect()
        assert (await stream.auth(key or self.key, **auth))["type"] == "success"
        feeds = feeds or (OPEN_ORDERS, TRADES)
        assert (await stream.subscribe(*feeds))["type"] == "success"
        if OPEN_ORDERS in feeds:
            assert await stream.data(OPEN_ORDERS) == []
        return stream


@asynccontextmanager
async def sfox(**options: Any) -> AsyncIterator[RawSfox]:
    """A simulated sFOX whose market stands still, and a raw client of it."""
    options.setdefault("seed", 7)
    options.setdefault("market_flow", False)
    async with (
        simulate("sfox", **options) as sim,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
    ):
        yield RawSfox(sim, session)
        sim.ledger.check()
