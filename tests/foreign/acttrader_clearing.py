"""A second clearing service of somebody else's making: both dialects, OCO pairs, and everything late or in odd form.

Written from the venue's page alone. Orders rest until the test fills them, market orders fill at once.
"""

import asyncio
import itertools
import json
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import WSMsgType, web

LIVE = ("NEW", "PARTIAL_FILL")


@dataclass
class Habits:
    """What the page leaves open."""

    dialect: str = "draft"
    ack_secs: float = 0.0  # executions come at once, acknowledgements of new orders so much later
    status_secs: float = 0.0  # orderstatus is answered so much later
    shuffles: bool = False  # the order of keys is anybody's
    text: bool = False  # numbers are texts
    extra: bool = False  # keys the page does not know
    copies: int = 1
    fills: str = "page"  # of executions: page | all | last | none
    same_ids: bool = False  # both orders of a pair show the first one's client order id
    sibling: tuple = ("CANCELED", None)  # status and reason of the order that its pair ended
    times: str = "now"  # transactTime: now | of the order's birth in answers | backwards
    foreign: bool = False  # executions of somebody else's orders come in between
    cuts: set = field(default_factory=set)  # events that have their effect and end the connection, once each


class ClearingHouse:
    """All orders of all logins; every socket is told everything."""

    def __init__(self, habits):
        self.habits = habits
        self.orders = {}
        self.sockets = set()
        self.asked = []
        self._ids = itertools.count(1000001)
        self._steps = itertools.count()
        self._random = random.Random(4)
        self._tasks = set()

    # -- what the market does ------------------------------------------------------------------------------------------

    async def fill(self, order, qty, px=None):
        """`qty` of an order trades."""
        order["fills"].append((px or order["price"] or 1.2, qty))
        done = sum(q for _, q in order["fills"])
        order["status"] = "FILLED" if done == order["origQty"] else "PARTIAL_FILL"
        await self.tell(order)
        sibling = self.orders.get(order["sibling"])
        if sibling is not None and sibling["status"] in LIVE:
            await self.end(sibling, *self.habits.sibling)

    async def end(self, order, status="CANCELED", reason=None):
        """An order ends unfilled."""
        order["status"], order["reason"] = status, reason
        await self.tell(order)

    def of(self, client_order_id):
        return next(o for o in self.orders.values() if o["own"] == client_order_id)

    # -- what is said --------------------------------------------------------------------------------------------------

    def shown(self, order, kind):
        final, habits = self.habits.dialect == "final", self.habits
        told = {"symbol": order["symbol"], "type": order["type"], "orderId": order["orderId"],
                "clientOrderId": order["clientOrderId"], "origQty": order["origQty"],
                "executedQty": sum(q for _, q in order["fills"]), "status": order["status"],
                "timeInForce": order["timeInForce"], "side": order["side"]}  # fmt: skip
        if order["price"] is not None or not final:
            told["price"] = order["price"] or 0.0
        if final and kind == "row" and order["stopPrice"] is not None:
            told["stopPrice"] = order["stopPrice"]
        if kind != "row" or not final:
            now = self._time(order, kind)
            told["transactTime"] = now.isoformat()[:23] + "Z" if final else int(now.timestamp() * 1000)
        if order["reason"] and kind == "execution":
            told["reason"] = order["reason"]
        fills = [{"price": px, "qty": qty} for px, qty in order["fills"]]
        match kind, habits.fills:
            case ("status", _) | ("execution", "all"):
                told["fills"] = fills
            case ("execution", "page") if final and fills:
                told["fills"] = fills
            case ("execution", "last"):
                told["fills"] = fills[-1:] if order["status"] in (*LIVE, "FILLED") else []
        if habits.text:
            told |= {key: str(told[key]) for key in ("price", "origQty", "executedQty") if key in told}
        if habits.extra:
            told |= {"brokerId": 7, "tags": ["a"], "average": None}
        if habits.shuffles:
            keys = list(told)
            self._random.shuffle(keys)
            told = {key: told[key] for key in keys}
        return told

    def _time(self, order, kind):
        match self.habits.times:
            case "birth" if kind != "execution":
                return order["born"]
            case "backwards":
                return datetime.now(UTC) - timedelta(seconds=next(self._steps))
            case _:
                return datetime.now(UTC)

    async def say(self, text):
        for ws in list(self.sockets):
            await ws.send_str(text)

    async def tell(self, order):
        text = json.dumps({"event": "execution", "payload": self.shown(order, "execution")})
        for _ in range(self.habits.copies):
            await self.say(text)
            if self.habits.foreign:
                somebody = {"orderId": 5, "symbol": "EURUSD", "type": "LIMIT", "clientOrderId": "fremd \u00fc",
                            "side": "BUY", "origQty": 10000, "executedQty": 10000, "status": "FILLED"}  # fmt: skip
                await self.say(json.dumps({"payload": somebody, "event": "execution"}))

    # -- what is asked -------------------------------------------------------------------------------------------------

    async def socket(self, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.sockets.add(ws)
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    await self.handle(ws, json.loads(message.data))
        finally:
            self.sockets.discard(ws)
        return ws

    async def drop_all(self):
        for ws in list(self.sockets):
            await ws.close()

    def later(self, secs, awaitable):
        async def run():
            await asyncio.sleep(secs)
            await awaitable

        task = asyncio.ensure_future(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def handle(self, ws, asked):
        event, number, payload = asked["event"], asked["requestId"], asked.get("payload") or {}
        self.asked.append(event)
        final = self.habits.dialect == "final"

        async def answer(what=None, secs=0.0, name=event):
            if event in self.habits.cuts:
                self.habits.cuts.discard(event)
                await ws.close()
                return
            message = {"requestId": number, "event": name} if what is None else {
                "payload": what, "requestId": number, "event": name}  # fmt: skip
            if event == "orders" and not final:
                del message["requestId"]
            if secs:
                self.later(secs, self._late(ws, message))
            else:
                await ws.send_json(message)

        async def refuse(text):
            await answer({"error": text, "code": 17}, name="error")

        match event:
            case "newordersingle":
                order = self._make(payload, payload)
                row = self._acknowledged(order)
                await self.tell(order)
                if order["type"] == "MARKET":
                    await self.fill(order, order["origQty"], 1.2)
                await answer(row, self.habits.ack_secs)
            case "neworderoco":
                legs = [self._make(payload, leg) for leg in payload["orders"]]
                first, second = legs
                first["sibling"], second["sibling"] = second["orderId"], first["orderId"]
                if self.habits.same_ids:
                    second["clientOrderId"] = first["clientOrderId"]
                rows = [self._acknowledged(leg) | {"clientOrderId": leg["clientOrderId"], "type": leg["type"]}
                        for leg in legs]  # fmt: skip
                for leg in legs:
                    await self.tell(leg)
                await answer(rows, self.habits.ack_secs)
            case "orders":
                listed = [o for o in self.orders.values() if o["type"] != "MARKET" and (final or o["status"] in LIVE)]
                await answer([self.shown(o, "row") for o in listed])
            case _:
                order = self._named(payload)
                await self._about(order, event, payload, answer, refuse, final=final)

    async def _about(self, order, event, payload, answer, refuse, *, final):
        closed = order is None or order["status"] not in LIVE
        match event:
            case "orderstatus" if order is None:
                await refuse("ORDER_NOT_EXISTS" if final else "no such order")
            case "orderstatus":
                await answer(self.shown(order, "status"), self.habits.status_secs)
            case "modifyordersingle" | "ordercancel" if closed:
                await refuse("ORDER_ALREADY_CLOSED" if final else "too late")
            case "modifyordersingle":
                changed = {key: payload[key] for key in ("price", "stopPrice") if key in payload}
                order |= changed
                order["origQty"] = payload.get("quantity", order["origQty"])
                echo = {"orderId": order["orderId"], "quantity": order["origQty"], **changed}
                await answer(echo if final else None)
                await self.tell(order)
            case "ordercancel":
                gone = {"orderId": order["orderId"], "status": "CANCELED", "reason": "USER"}
                order["status"] = "CANCELED"
                await answer(gone if final else None)
                if not final:
                    await self.tell(order)

    @staticmethod
    async def _late(ws, message):
        if not ws.closed:
            await ws.send_json(message)

    def _make(self, shared, own):
        order = {"orderId": next(self._ids), "clientOrderId": own["clientOrderId"], "own": own["clientOrderId"],
                 "symbol": shared["symbol"], "side": shared["side"], "type": own["type"], "price": own.get("price"),
                 "stopPrice": own.get("stopPrice"), "origQty": shared["quantity"], "status": "NEW", "reason": None,
                 "timeInForce": shared["timeInForce"], "login": shared["login"], "fills": [],
                 "sibling": None, "born": datetime.now(UTC)}  # fmt: skip
        self.orders[order["orderId"]] = order
        return order

    def _acknowledged(self, order):
        row = {"status": "NEW", "orderId": order["orderId"]}
        if self.habits.dialect == "final":
            row |= {"clientOrderId": order["clientOrderId"], "type": order["type"], "login": order["login"]}
        return row

    def _named(self, payload):
        if "orderId" in payload:
            return self.orders.get(payload["orderId"])
        wanted = payload.get("clientOrderId")
        return next((o for o in self.orders.values() if o["clientOrderId"] == wanted), None)


@asynccontextmanager
async def clearing(house):
    """Serve; yields the address."""
    app = web.Application()
    app.router.add_get("/{path:.*}", house.socket)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/clearing"
    finally:
        await house.drop_all()
        await runner.cleanup()
