"""An sFOX of somebody else's making: written from the venue's pages alone, and varied in all that they leave open."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from aiohttp import WSMsgType, web

OPTIONAL = {"/v1/currency", "/v1/account/fee-rates", "/v1/orders/done", "/v1/account/trades", "/v1/user/balance"}


@dataclass
class Ways:
    """What the pages leave open; each has the commonest way as its default."""

    missing: set = field(default_factory=set)
    missing_status: int = 404
    missing_body: str = "404: Not Found"
    looks_up: bool = True
    enterprise: bool = False
    tokens: bool = True
    ack_payload: bool = True
    sequence: str = "all"  # all | data | none | same
    only_orders_feed: bool = False
    trades_feed: bool = True
    initial: str = "list"  # list | empty | none
    text: bool = True
    lower: bool = False
    sparse: bool = False
    nulls: bool = False
    payload_text: bool = False
    create: str = "full"  # full | id
    status: int = 201
    ws_first: bool = False
    streams: bool = True
    done_at_once: bool = False
    cancel: str = "canceled"
    refusal: tuple = (422, "application/json", '{"error":"not enough funds"}')
    repeats: int = 1
    closes: bool = False


class ForeignSfox:
    """One account; limit orders rest until the test says otherwise."""

    def __init__(self, ways):
        self.ways = ways
        self.orders = {}
        self.trades = []
        self.sockets = {}
        self.calls = []
        self._ids = itertools.count(7001)
        self._numbers = itertools.count(3)

    def new(self, **terms):
        order = {
            "id": next(self._ids), "client_order_id": "", "action": "Buy", "algorithm_id": 201, "type": "Limit",
            "pair": "btcusd", "quantity": "0.01", "price": "50000", "filled": "0", "vwap": "0", "filled_amount": "0",
            "fees": "0", "status": "Started", "date_added": "2024-02-22T19:28:06.000Z",
            "dateupdated": "2024-02-22T19:28:06.000Z", "time_in_force": "GTC", "net_proceeds": "0",
        } | terms  # fmt: skip
        self.orders[order["id"]] = order
        return order

    def shown(self, order, *, rest=False):
        ways = self.ways
        told = dict(order)
        if ways.sparse:
            keep = ("id", "client_order_id", "action", "pair", "quantity", "price", "filled", "vwap", "fees", "status")
            told = {key: told[key] for key in keep}
        if ways.lower:
            told |= {"status": told["status"].lower(), "action": told["action"].lower()}
        if rest or not ways.text:
            numbers = ("quantity", "price", "filled", "vwap", "filled_amount", "fees")
            told |= {key: float(told[key]) for key in numbers if key in told and told[key] is not None}
        if ways.nulls:
            told |= dict.fromkeys(("amount", "expires", "routing_type", "algorithm_options", "dateupdated"))
        return told

    async def send(self, feed, rows):
        ways = self.ways
        name = f"private.enterprise.users.{feed}" if ways.enterprise else f"private.user.{feed}"
        payload = {"user_id": "test3", "updates": rows} if ways.enterprise else rows
        for ws, feeds in list(self.sockets.items()):
            if name not in feeds:
                continue
            frame = {"recipient": name, "timestamp": 1708630086000000000,
                     "payload": json.dumps(payload) if ways.payload_text else payload}  # fmt: skip
            self._number(ws, frame)
            await ws.send_json(frame)

    def _number(self, ws, frame, ack=False):
        match self.ways.sequence:
            case "all":
                ws.sequence = getattr(ws, "sequence", 0) + 1
                frame["sequence"] = ws.sequence
            case "data" if not ack:
                ws.sequence = getattr(ws, "sequence", 0) + 1
                frame["sequence"] = ws.sequence
            case "same":
                frame["sequence"] = 3

    async def tell(self, order):
        if self.ways.streams:
            for _ in range(self.ways.repeats):
                await self.send("open-orders", [self.shown(order)])

    async def fill(self, order, qty, px=None):
        qty, px = Decimal(qty), Decimal(px or order["price"])
        fee = px * qty * Decimal("0.001")
        filled, amount = Decimal(order["filled"]) + qty, Decimal(order["filled_amount"]) + px * qty
        full = filled == Decimal(order["quantity"])
        order.update(
            filled=f"{filled:f}", filled_amount=f"{amount:f}", vwap=f"{amount / filled:f}",
            fees=f"{Decimal(order['fees']) + fee:f}",
            status=("Done" if self.ways.done_at_once else "Filled") if full else "Started",
        )  # fmt: skip
        trade = {"trade_id": 9000 + len(self.trades), "order_id": order["id"], "action": order["action"],
                 "date_updated": "2024-02-22T19:28:07.000Z", "currency_pair": "btcusd", "quantity": f"{qty:f}",
                 "amount": f"{px * qty:f}", "price": f"{px:f}", "fees": f"{fee:f}", "net_amount": "1"}  # fmt: skip
        self.trades.insert(0, trade)
        await self.tell(order)
        if self.ways.trades_feed and self.ways.streams:
            await self.send("trades", [trade])
        if full and not self.ways.done_at_once:
            await asyncio.sleep(0.02)
            order["status"] = "Done"
            await self.tell(order)

    async def socket(self, request):
        ways = self.ways
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
            asked = json.loads(message.data)
            action = asked["type"]
            feeds = asked.get("feeds", [])
            unknown = [feed for feed in feeds if ways.only_orders_feed and not feed.endswith("open-orders")]
            ack = {"type": "error" if unknown else "success", "timestamp": 1708630086000000000, "action": action}
            if ways.ack_payload:
                ack["payload"] = {"action": action} | ({"feeds": feeds} if feeds else {})
            self._number(ws, ack, ack=True)
            await ws.send_json(ack)
            if action == "subscribe" and not unknown:
                self.sockets[ws] = set(feeds)
                live = [self.shown(o) for o in self.orders.values() if o["status"] == "Started"]
                if ways.initial == "empty" or (ways.initial == "list" and live):
                    await self.send("open-orders", live)
        self.sockets.pop(ws, None)
        return ws

    async def drop_all(self):
        for ws in list(self.sockets):
            await ws.close()

    async def handle(self, request):
        self.calls.append((request.method, request.path))
        response = await self._answer(request)
        if self.ways.closes:
            response.force_close()
        return response

    async def _answer(self, request):
        ways, path, method = self.ways, request.path, request.method
        nothing = web.Response(status=ways.missing_status, text=ways.missing_body)
        if path in ways.missing:
            return nothing
        parts = path.strip("/").split("/")
        match method, parts[1:]:
            case "POST", ["enterprise", "user-tokens", user_id] if ways.tokens:
                return web.json_response(
                    {"data": {"token": "tok", "partner_user_id": user_id, "expires": "2099-01-01T00:00:00Z"}},
                    status=201,
                )
            case "GET", ["markets", "currency-pairs"]:
                return web.json_response(
                    {"btcusd": {"symbol": "btcusd", "formatted_symbol": "BTC/USD", "base": "btc", "quote": "usd"}}
                )
            case "GET", ["currency"]:
                return web.json_response([{"symbol": "usd", "is_fiat": 1}, {"symbol": "btc", "is_fiat": 0}])
            case "GET", ["account", "fee-rates"]:
                return web.json_response({"makerRate": 0.001, "nprRate": 0.002})
            case "GET", ["user", "balance"]:
                return web.json_response([{"currency": "usd", "balance": 100000, "available": 100000, "held": 0},
                                          {"currency": "btc", "balance": 5, "available": 5}])  # fmt: skip
            case "GET", ["account", "trades"]:
                return web.json_response({"data": self.trades})
            case "GET", ["orders"]:
                live = [o for o in self.orders.values() if o["status"] == "Started"]
                return web.json_response([self.shown(o, rest=True) for o in live])
            case "GET", ["orders", "done"]:
                past = [o for o in self.orders.values() if o["status"] != "Started"]
                return web.json_response([self.shown(o, rest=True) for o in past])
            case "GET", ["orders", name] if ways.looks_up:
                found = [o for o in self.orders.values() if name in (str(o["id"]), o["client_order_id"])]
                if found:
                    return web.json_response(self.shown(found[0], rest=True))
                return web.json_response({"error": "order not found"}, status=404)
            case "POST", ["orders", side]:
                return await self._create(side, await request.json())
            case "DELETE", ["orders"]:
                ids = [int(i) for i in request.query["ids"].split(",")]
                for order_id in ids:
                    self._cancel_soon(self.orders[order_id])
                return web.json_response({"orders": [{"id": i, "status": "Cancel pending"} for i in ids]})
            case "DELETE", ["orders", order_id]:
                order = self.orders.get(int(order_id))
                if order is None:
                    return web.json_response({"error": "internal error"}, status=400)
                if order["status"] not in ("Started",):
                    return web.json_response({"status": "order already finished"})
                self._cancel_soon(order)
                return web.json_response({"status": ways.cancel}) if ways.cancel else web.Response()
        return nothing

    def _cancel_soon(self, order):
        async def cancel():
            order["status"] = "Canceled"
            await self.tell(order)

        asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(cancel()))

    async def _create(self, side, body):
        ways = self.ways
        if Decimal(body.get("quantity", "0")) > 5:
            status, kind, text = ways.refusal
            return web.Response(status=status, content_type=kind, text=text)
        order = self.new(action=side.capitalize(), pair=body["currency_pair"], price=str(body.get("price") or 50000),
                         quantity=str(body.get("quantity") or Decimal(body.get("amount", 0)) / 50000),
                         client_order_id=body["client_order_id"], algorithm_id=body["algorithm_id"],
                         type="Market" if body["algorithm_id"] == 100 else "Limit")  # fmt: skip

        async def go():
            await self.tell(order)
            if body["algorithm_id"] == 100:
                await self.fill(order, order["quantity"], "50000")

        answer = self.shown(order, rest=True) if ways.create == "full" else {"id": order["id"]}
        if ways.ws_first:
            await go()
            await asyncio.sleep(0.05)
        else:
            asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(go()))
        return web.json_response(answer, status=ways.status)


@asynccontextmanager
async def foreign_sfox(ways=None, server=None):
    """Serve; yields the server, with `base_url_http` and `base_url_ws`. `server` is one that comes back."""
    server = server or ForeignSfox(ways or Ways())
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
