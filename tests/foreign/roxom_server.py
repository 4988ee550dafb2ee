"""A Roxom of somebody else's making: written from the venue's pages alone, and varied in all that they leave open."""

import asyncio
import itertools
import json
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from aiohttp import WSMsgType, web

OPTIONAL = {"/accounts/balance", "/accounts/transaction-log", "/positions", "/market/instruments"}


@dataclass
class Ways:
    """What the pages leave open; each has the commonest way as its default."""

    prefix: str = "/v1"
    missing: set = field(default_factory=set)
    missing_status: int = 404
    acks: bool = True
    subscribers_only: bool = True
    long_events: bool = False
    numbers: bool = False
    upper: bool = False
    nulls: bool = False
    extra: bool = False
    times: str = "ns"  # ns | same | none
    tells_new: bool = True
    ws_first: bool = False
    merged: str = "partiallyfilledcancelled"
    old_names: bool = False
    status: int = 200
    refusal: tuple = (400, "application/json", '{"error":{"code":400,"message":"Insufficient balance"}}')
    repeats: int = 1


class ForeignRoxom:
    """One account; limit orders rest until the test says otherwise, market orders fill at once."""

    def __init__(self, ways):
        self.ways = ways
        self.orders = {}
        self.log = []
        self.sockets = set()
        self.calls = []
        self._times = itertools.count(1_752_621_480_060_801_000, 1_000_000_000)

    def new(self, **terms):
        order = {"id": str(uuid.uuid4()), "symbol": "GOLD-BTC", "side": "buy", "type": "limit", "qty": "1.00",
                 "px": "0.04858200", "amountFilled": "0", "status": "submitted", "timeInForce": "gtc", "cost": "0",
                 "createdAt": next(self._times) // 1_000_000} | terms  # fmt: skip
        self.orders[order["id"]] = order
        return order

    def event(self, order):
        ways = self.ways
        filled = Decimal(order["amountFilled"])
        told = {"orderId": order["id"], "accountId": "f2268d92-b3d8-48b1-8541-90dc250cd7e9", "symbol": order["symbol"],
                "status": order["status"], "remainingQty": str(Decimal(order["qty"]) - filled),
                "executedQty": f"{filled:.2f}",
                "avgPx": f"{Decimal(order['cost']) / filled:.8f}" if filled else "0.00000000"}  # fmt: skip
        if ways.times != "none":
            told["timestamp"] = next(self._times) if ways.times == "ns" else 1752621480060801000
        if ways.long_events:
            told |= {"side": order["side"], "orderType": order["type"], "orderSize": order["qty"], "reason": "",
                     "limitPrice": order["px"],
                     "filledFees": f"{Decimal(order['cost']) * Decimal('0.001'):.12f}"}  # fmt: skip
        if ways.numbers:
            told |= {key: float(told[key]) for key in ("remainingQty", "executedQty", "avgPx")}
        if ways.upper:
            told["status"] = told["status"].upper()
        if ways.nulls:
            told |= {"reason": None, "clientOrderId": None, "fillPx": None, "filledFees": None}
        if ways.extra:
            told |= {"meta": {"a": [1]}, "seq": 5}
        return told

    def row(self, order):
        told = {key: value for key, value in order.items() if key != "cost"} | {"unit": "btc", "instType": "perpetual"}
        if self.ways.old_names:
            told |= {"orderType": told.pop("type"), "quantity": told.pop("qty"), "price": told.pop("px")}
        return told

    async def tell(self, order):
        for _ in range(self.ways.repeats):
            for ws in list(self.sockets):
                await ws.send_json({"type": "order", "data": self.event(order)})

    async def fill(self, order, qty, px=None):
        qty, px = Decimal(qty), Decimal(px or order["px"])
        filled = Decimal(order["amountFilled"]) + qty
        order.update(amountFilled=f"{filled:.2f}", cost=f"{Decimal(order['cost']) + qty * px}",
                     status="filled" if filled == Decimal(order["qty"]) else "partiallyfilled")  # fmt: skip
        self.log.append({"txId": str(uuid.uuid4()), "time": next(self._times) // 1_000_000, "orderId": order["id"],
                         "transactionType": "orderFill", "symbol": order["symbol"], "side": order["side"],
                         "amount": f"{qty}", "fillPrice": f"{px}", "price": f"{px}", "fee": f"{qty * px / 1000:.12f}",
                         "tradeId": str(uuid.uuid4()), "isTaker": False})  # fmt: skip
        await self.tell(order)

    async def socket(self, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if not self.ways.subscribers_only:
            self.sockets.add(ws)
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
            for arg in json.loads(message.data)["args"]:
                if self.ways.acks:
                    await ws.send_json({"event": "subscribe", "code": "0", "arg": arg})
                if arg["channel"] == "orders":
                    self.sockets.add(ws)
        self.sockets.discard(ws)
        return ws

    async def drop_all(self):
        for ws in list(self.sockets):
            await ws.close()

    async def handle(self, request):
        self.calls.append((request.method, request.path))
        ways, path, method = self.ways, request.path, request.method
        nothing = web.Response(status=ways.missing_status, text="nothing here")
        if not path.startswith(ways.prefix + "/"):
            return nothing
        path = path.removeprefix(ways.prefix)
        if path in ways.missing:
            return nothing
        match method, path.strip("/").split("/"):
            case "GET", ["accounts", "balance"]:
                data = {"balances": [{"asset": "BTC", "assetClass": "crypto", "available": "5", "current": "5",
                                      "lockedInOrders": "0"}], "lastUpdated": 0}  # fmt: skip
            case "GET", ["accounts", "transaction-log"]:
                data = {"logs": self.log, "cursor": None}
            case "GET", ["positions"]:
                data = {"positions": []}
            case "GET", ["orders"]:
                closed = request.query.get("includeClosed") == "true"
                live = ("submitted", "partiallyfilled")
                data = {"orders": [self.row(o) for o in self.orders.values() if closed or o["status"] in live]}
            case "GET", ["orders", order_id] if order_id in self.orders:
                data = {"order": self.row(self.orders[order_id])}
            case "POST", ["orders"]:
                return await self._create(await request.json())
            case "POST", ["orders", order_id, "cancel"] if order_id in self.orders:
                self._soon(self._cancel(self.orders[order_id]))
                data = {"success": True}
            case _:
                return nothing
        return web.json_response({"data": data, "error": False}, status=ways.status)

    async def _create(self, body):
        ways = self.ways
        if Decimal(body["qty"]) > 100:
            status, kind, text = ways.refusal
            return web.Response(status=status, content_type=kind, text=text)
        order = self.new(symbol=body["symbol"], side=body["side"], type=body["orderType"], qty=body["qty"],
                         px=body.get("px", "0"), timeInForce=body.get("timeInForce", "gtc"))  # fmt: skip
        if ways.ws_first:
            await self._go(order)
            await asyncio.sleep(0.05)
        else:
            self._soon(self._go(order))
        return web.json_response({"data": {"orderId": order["id"]}, "error": False}, status=ways.status)

    async def _go(self, order):
        if self.ways.tells_new:
            await self.tell(order)
        if order["type"] == "market":
            await self.fill(order, order["qty"], "0.04860000")

    async def _cancel(self, order):
        order["status"] = self.ways.merged if Decimal(order["amountFilled"]) else "cancelled"
        await self.tell(order)

    @staticmethod
    def _soon(coroutine):
        asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(coroutine))


@asynccontextmanager
async def foreign_roxom(ways=None, server=None):
    """Serve; yields the server, with `base_url_http` and `base_url_ws`. `server` is one that comes back."""
    server = server or ForeignRoxom(ways or Ways())
    app = web.Application()
    app.router.add_get("/ws", server.socket)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.base_url_http, server.base_url_ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws"
    try:
        yield server
    finally:
        await server.drop_all()
        await runner.cleanup()
