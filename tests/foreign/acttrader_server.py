"""An ActTrader clearing service of somebody else's making: the draft page's messages, varied in what it leaves open."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web


@dataclass
class Ways:
    """What the page leaves open; each has the commonest way as its default."""

    unknown: set = field(default_factory=set)  # events that are answered with an error
    silent: set = field(default_factory=set)  # events that are not answered at all
    list_names_request: bool = False
    echoes: bool = True
    fills: bool = True
    text_ids: bool = False
    text_numbers: bool = False
    lower: bool = False
    nulls: bool = False
    extra: bool = False
    answer_first: bool = True
    tells_new: bool = True
    repeats: int = 1
    times: str = "ms"  # ms | iso | none | zero
    error_code: object = 1001
    beats: bool = False
    statuses: str = "ANSWER"  # which status an acknowledgement tells


class ForeignActTrader:
    """One login; limit orders rest until the test says otherwise, market orders fill at once."""

    def __init__(self, ways):
        self.ways = ways
        self.orders = {}
        self.sockets = set()
        self.asked = []
        self._ids = itertools.count(12321320)

    def shown(self, order, *, fills=False):
        ways = self.ways
        told = {key: order[key] for key in ("symbol", "type", "orderId", "clientOrderId", "price", "origQty",
                                            "executedQty", "status", "timeInForce", "side")}  # fmt: skip
        match ways.times:
            case "ms":
                told["transactTime"] = 1507725176595 + len(order["fills"])
            case "iso":
                told["transactTime"] = "2022-03-19T07:22:00.000Z"
            case "zero":
                told["transactTime"] = 0
        if fills and ways.fills:
            told["fills"] = [{"price": px, "qty": qty} for px, qty in order["fills"]]
        if not ways.echoes:
            del told["clientOrderId"]
        if ways.text_ids:
            told["orderId"] = str(told["orderId"])
        if ways.text_numbers:
            told |= {key: str(told[key]) for key in ("price", "origQty", "executedQty")}
        if ways.lower:
            told |= {key: told[key].lower() for key in ("status", "side", "type", "timeInForce")}
        if ways.nulls:
            told |= {"stopPrice": None, "cummulativeQuoteQty": None, "fills": told.get("fills"), "transactTime": None}
        if ways.extra:
            told |= {"account": {"a": [1]}, "commission": "0.1", "seq": 4}
        return told

    async def send(self, message):
        for ws in list(self.sockets):
            await ws.send_json(message)

    async def tell(self, order):
        for _ in range(self.ways.repeats):
            await self.send({"event": "execution", "payload": self.shown(order)})

    def new(self, **terms):
        order = {"symbol": "EURUSD", "type": "LIMIT", "orderId": next(self._ids), "clientOrderId": "", "price": 1.1,
                 "origQty": 10000, "executedQty": 0, "status": "NEW", "timeInForce": "GTC", "side": "BUY",
                 "fills": []} | terms  # fmt: skip
        self.orders[order["orderId"]] = order
        return order

    async def fill(self, order, qty, px=None):
        order["fills"].append((px or order["price"], qty))
        order["executedQty"] += qty
        order["price"] = sum(p * q for p, q in order["fills"]) / order["executedQty"]
        order["status"] = "FILLED" if order["executedQty"] == order["origQty"] else "PARTIALLY_FILLED"
        await self.tell(order)

    async def drop_all(self):
        for ws in list(self.sockets):
            await ws.close()

    async def socket(self, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.sockets.add(ws)
        if self.ways.beats:
            await ws.send_str("heartbeat")
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                await self._handle(ws, json.loads(message.data))
        self.sockets.discard(ws)
        return ws

    async def _handle(self, ws, asked):
        event, request_id, payload = asked["event"], asked.get("requestId"), asked.get("payload") or {}
        self.asked.append(event)

        async def error(text):
            await ws.send_json({"event": "error", "requestId": request_id,
                                "payload": {"code": self.ways.error_code, "error": text}})  # fmt: skip

        if event in self.ways.silent:
            return
        if event in self.ways.unknown:
            await error(f"unknown event {event}")
            return
        answer = {"event": event, "requestId": request_id}
        order = self.orders.get(int(payload.get("orderId") or 0))
        match event:
            case "newordersingle" if payload["quantity"] > 1_000_000:
                await error("not enough margin")
            case "newordersingle":
                order = self.new(
                    symbol=payload["symbol"], type=payload["type"], side=payload["side"],
                    price=payload.get("price", 1.2),
                    origQty=payload["quantity"], clientOrderId=payload.get("clientOrderId", ""),
                    timeInForce=payload.get("timeInForce", "GTC"),
                )  # fmt: skip
                shown = str(order["orderId"]) if self.ways.text_ids else order["orderId"]
                answer["payload"] = {"orderId": shown, "status": "NEW"}
                if self.ways.answer_first:
                    await ws.send_json(answer)
                if self.ways.tells_new:
                    await self.tell(order)
                if order["type"] == "MARKET":
                    await self.fill(order, order["origQty"], 1.2)
                if not self.ways.answer_first:
                    await ws.send_json(answer)
            case "orders":
                if not self.ways.list_names_request:
                    del answer["requestId"]
                live = [o for o in self.orders.values() if o["status"] in ("NEW", "PARTIALLY_FILLED")]
                await ws.send_json(answer | {"payload": [self.shown(o) for o in live]})
            case "orderstatus" if order is None:
                await error("order not exists")
            case "orderstatus":
                await ws.send_json(answer | {"payload": self.shown(order, fills=True)})
            case "ordercancel" if order is None or order["status"] in ("FILLED", "CANCELED"):
                await error("order already closed")
            case "ordercancel":
                await ws.send_json(answer)
                await asyncio.sleep(0.01)
                order["status"] = "CANCELED"
                await self.tell(order)
            case _:
                await error("unknown event")


@asynccontextmanager
async def foreign_acttrader(ways=None, server=None):
    """Serve; yields the server, with `base_url_ws`. `server` is one that comes back."""
    server = server or ForeignActTrader(ways or Ways())
    app = web.Application()
    app.router.add_get("/{path:.*}", server.socket)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.base_url_ws = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await server.drop_all()
        await runner.cleanup()
