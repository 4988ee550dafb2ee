"""An sFOX of somebody else's making: written from the venue's pages alone, and varied in all that they leave open."""

import asyncio
import itertools
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from aiohttp import WSMsgType, web

OPTIONAL = {"/v1/currency", "/v1/account/fee-rates", "/v1/orders/done", "/v1/account/trades", "/v1/user/balance"}
LIVE = ("Started", "Cancel Pending")
NUMBERS = ("quantity", "price", "filled", "vwap", "filled_amount", "fees", "amount")
MARK = Decimal(50000)


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
    sequence: str = "all"  # all | data | none | same | all of the venue's
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
    cancels: str = "soon"  # soon | never: whether a cancel that was taken is carried out
    refusal: tuple = (422, "application/json", '{"error":"not enough funds"}')
    repeats: int = 1
    closes: bool = False
    ends_told: bool = True  # whether the feed of open orders tells of an order that is open no more
    amend: str = "order"  # order | empty | status | feed: what is answered; `feed`: 204, and the feed alone tells
    fok: str = "refused"  # refused | Canceled | Rejected
    amount: str = "estimate"  # estimate | zero | none: the quantity told of an order by amount
    tells_amount: bool = False  # whether the feed has `amount` and `expires`, which its sample lacks
    lag_secs: float = 0.0  # until a market order trades


class ForeignSfox:
    """Accounts of end users, or one of its own; limit orders rest until the test says otherwise."""

    def __init__(self, ways):
        self.ways = ways
        self.orders = {}
        self.trades = []
        self.sockets = {}
        self.calls = []
        self.asked = []
        self.tokens = {}
        self.lose_answers = 0
        self.numbered = 0
        self._ids = itertools.count(7001)
        self._trade_ids = itertools.count(9000)

    @staticmethod
    def date(ms=None):
        at = datetime.fromtimestamp(time.time() if ms is None else ms / 1000, UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def new(self, **terms):
        order = {
            "id": next(self._ids), "client_order_id": "", "action": "Buy", "algorithm_id": 201, "type": "Limit",
            "pair": "btcusd", "quantity": "0.01", "price": "50000", "filled": "0", "vwap": "0", "filled_amount": "0",
            "fees": "0", "status": "Started", "date_added": self.date(), "dateupdated": self.date(), "amount": "0",
            "expires": None, "time_in_force": "GTC", "net_proceeds": "0", "user": "test3",
        } | terms  # fmt: skip
        self.orders[order["id"]] = order
        return order

    def shown(self, order, *, rest=False):
        ways = self.ways
        told = {key: value for key, value in order.items() if key != "user"}
        if order["algorithm_id"] == 100 and Decimal(order["amount"]) > 0 and order["status"] in LIVE:
            match ways.amount:
                case "zero":
                    told["quantity"] = "0"
                case "none":
                    told["quantity"] = None
        if not rest and not ways.tells_amount:
            del told["amount"], told["expires"]
        if ways.sparse:
            keep = ("id", "client_order_id", "action", "pair", "quantity", "price", "filled", "vwap", "fees", "status")
            told = {key: told[key] for key in keep}
        if ways.lower:
            told |= {"status": told["status"].lower(), "action": told["action"].lower()}
        if rest or not ways.text:
            told |= {key: float(told[key]) for key in NUMBERS if told.get(key) is not None}
        if ways.nulls:
            told |= dict.fromkeys(("amount", "expires", "routing_type", "algorithm_options", "dateupdated"))
        return told

    async def send(self, feed, rows, user="test3"):
        ways = self.ways
        name = f"private.enterprise.users.{feed}" if ways.enterprise else f"private.user.{feed}"
        payload = {"user_id": user, "updates": rows} if ways.enterprise else rows
        for ws, feeds in list(self.sockets.items()):
            if name not in feeds:
                continue
            frame = {"recipient": name, "timestamp": time.time_ns(),
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
            case "all of the venue's":
                self.numbered += 7
                frame["sequence"] = self.numbered

    async def tell(self, order):
        order["dateupdated"] = self.date()
        if self.ways.streams and (self.ways.ends_told or order["status"] in LIVE):
            for _ in range(self.ways.repeats):
                await self.send("open-orders", [self.shown(order)], order["user"])

    async def fill(self, order, qty, px=None):
        qty, px = Decimal(qty), Decimal(px or order["price"])
        fee = px * qty * Decimal("0.001")
        filled, amount = Decimal(order["filled"]) + qty, Decimal(order["filled_amount"]) + px * qty
        full = filled == Decimal(order["quantity"])
        order.update(
            filled=f"{filled:f}", filled_amount=f"{amount:f}", vwap=f"{amount / filled:f}",
            fees=f"{Decimal(order['fees']) + fee:f}",
        )  # fmt: skip
        if full:
            order["status"] = "Done" if self.ways.done_at_once else "Filled"
        trade = {"trade_id": next(self._trade_ids), "order_id": order["id"], "action": order["action"],
                 "date_updated": self.date(), "currency_pair": "btcusd", "quantity": f"{qty:f}",
                 "amount": f"{px * qty:f}", "price": f"{px:f}", "fees": f"{fee:f}", "net_amount": "1"}  # fmt: skip
        self.trades.insert(0, (order["user"], trade))
        await self.tell(order)
        if self.ways.trades_feed and self.ways.streams:
            await self.send("trades", [trade], order["user"])
        if full and not self.ways.done_at_once:
            await asyncio.sleep(0.02)
            order["status"] = "Done"
            await self.tell(order)

    async def end(self, order, status="Canceled"):
        order["status"] = status
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
            ack = {"type": "error" if unknown else "success", "timestamp": time.time_ns(), "action": action}
            if ways.ack_payload:
                ack["payload"] = {"action": action} | ({"feeds": feeds} if feeds else {})
            self._number(ws, ack, ack=True)
            await ws.send_json(ack)
            if action == "subscribe" and not unknown:
                self.sockets[ws] = set(feeds)
                for user in sorted({order["user"] for order in self.orders.values()} or {"test3"}):
                    live = [self.shown(o) for o in self._of(user) if o["status"] in LIVE]
                    if ways.initial == "empty" or (ways.initial == "list" and live):
                        await self.send("open-orders", live, user)
        self.sockets.pop(ws, None)
        return ws

    def _of(self, user):
        return [order for order in self.orders.values() if order["user"] == user]

    async def drop_all(self):
        for ws in list(self.sockets):
            await ws.close()

    async def handle(self, request):
        self.calls.append((request.method, request.path))
        response = await self._answer(request)
        if request.method == "POST" and request.path.startswith("/v1/orders/") and self.lose_answers:
            self.lose_answers -= 1
            request.transport.abort()
        if self.ways.closes:
            response.force_close()
        return response

    def _user(self, request):
        """Whose account the token stands for; None if it is no (longer a) token."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.tokens.get(token) if self.ways.enterprise and self.ways.tokens else "test3"

    async def _answer(self, request):
        ways, path, method = self.ways, request.path, request.method
        nothing = web.Response(status=ways.missing_status, text=ways.missing_body)
        if path in ways.missing:
            return nothing
        parts = path.strip("/").split("/")
        match method, parts[1:]:
            case "POST", ["enterprise", "user-tokens", user_id] if ways.tokens:
                token = f"tok-{user_id}-{len(self.tokens)}"
                self.tokens[token] = user_id
                expires = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
                told = {"token": token, "partner_user_id": user_id, "expires": expires}
                return web.json_response({"data": told}, status=201)
            case "GET", ["markets", "currency-pairs"]:
                return web.json_response(
                    {"btcusd": {"symbol": "btcusd", "formatted_symbol": "BTC/USD", "base": "btc", "quote": "usd"}}
                )
            case "GET", ["currency"]:
                return web.json_response([{"symbol": "usd", "is_fiat": 1}, {"symbol": "btc", "is_fiat": 0}])
            case "GET", ["account", "fee-rates"]:
                return web.json_response({"makerRate": 0.001, "nprRate": 0.002})
        user = self._user(request)
        if user is None:
            return web.json_response({"error": "invalid token. check authorization header."}, status=401)
        match method, parts[1:]:
            case "GET", ["user", "balance"]:
                return web.json_response([{"currency": "usd", "balance": 100000, "available": 100000, "held": 0},
                                          {"currency": "btc", "balance": 5, "available": 5}])  # fmt: skip
            case "GET", ["account", "trades"]:
                return web.json_response({"data": [trade for owner, trade in self.trades if owner == user]})
            case "GET", ["orders"]:
                return self._rows([o for o in self._of(user) if o["status"] in LIVE])
            case "GET", ["orders", "done"]:
                return self._rows([o for o in self._of(user) if o["status"] not in LIVE])
            case "GET", ["orders", name] if ways.looks_up:
                found = [o for o in self._of(user) if name in (str(o["id"]), o["client_order_id"])]
                if found:
                    return web.json_response(self.shown(found[0], rest=True))
                return web.json_response({"error": "order not found"}, status=404)
            case "POST", ["orders", side]:
                return await self._create(user, side, await request.json())
            case "PATCH", ["orders", order_id]:
                return await self._amend(self.orders[int(order_id)], await request.json())
            case "DELETE", ["orders"]:
                ids = [int(i) for i in request.query["ids"].split(",")]
                for order_id in ids:
                    self._cancel_soon(self.orders[order_id])
                return web.json_response({"orders": [{"id": i, "status": "Cancel pending"} for i in ids]})
            case "DELETE", ["orders", order_id]:
                order = self.orders.get(int(order_id))
                if order is None:
                    return web.json_response({"error": "internal error"}, status=400)
                if order["status"] not in LIVE:
                    return web.json_response({"status": "order already finished"})
                self._cancel_soon(order)
                return web.json_response({"status": ways.cancel}) if ways.cancel else web.Response()
        return nothing

    def _rows(self, orders):
        return web.json_response([self.shown(order, rest=True) for order in orders])

    def _later(self, secs, job):
        asyncio.get_running_loop().call_later(secs, lambda: asyncio.ensure_future(job()))

    def _cancel_soon(self, order):
        async def cancel():
            if order["status"] in LIVE:
                await self.end(order)

        if self.ways.cancels == "soon":
            self._later(0.02, cancel)

    async def _amend(self, order, changes):
        ways = self.ways
        up = 1 if order["action"] == "Buy" else -1
        wrong = any(
            (Decimal(str(value)) - Decimal(order[name])) * (1 if name == "quantity" else up) < 0
            for name, value in changes.items()
        )
        if wrong or order["status"] not in LIVE:
            return web.json_response({"error": "invalid change"}, status=422)
        order.update({name: str(value) for name, value in changes.items()})
        self._later(0.02, lambda: self.tell(order))
        match ways.amend:
            case "order":
                return web.json_response(self.shown(order, rest=True))
            case "status":
                return web.json_response({"status": "success"})
            case "empty":
                return web.Response()
            case _:
                return web.Response(status=204)

    async def _create(self, user, side, body):
        ways = self.ways
        self.asked.append(body)
        if Decimal(body.get("quantity", "0")) > 5:
            status, kind, text = ways.refusal
            return web.Response(status=status, content_type=kind, text=text)
        force, is_market = body.get("time_in_force", "GTC"), body["algorithm_id"] == 100
        takes = is_market or Decimal(body["price"]) >= MARK
        if force == "FOK" and not takes and ways.fok == "refused":
            return web.json_response({"error": "the order cannot be filled"}, status=422)
        quantity = body.get("quantity") or f"{Decimal(body['amount']) / MARK:f}"
        order = self.new(
            action=side.capitalize(), pair=body["currency_pair"], price=None if is_market else body["price"],
            quantity=quantity, amount=body.get("amount", "0"), client_order_id=body["client_order_id"],
            algorithm_id=body["algorithm_id"], type="Market" if is_market else "Limit", time_in_force=force,
            expires=self.date(body["expires"]) if "expires" in body else None, user=user,
        )  # fmt: skip
        if force == "FOK" and not takes:
            order["status"] = ways.fok

        async def go():
            await self.tell(order)
            if is_market or (force in ("IOC", "FOK") and takes):
                await asyncio.sleep(ways.lag_secs)
                part = Decimal(quantity) / 2 if force == "IOC" else Decimal(quantity)
                await self.fill(order, part, MARK)
            if force == "IOC":
                await self.end(order)
            if force == "GTD":
                self._later(body["expires"] / 1000 - time.time(), expire)

        async def expire():
            if order["status"] in LIVE:
                await self.end(order)

        answer = self.shown(order, rest=True) if ways.create == "full" else {"id": order["id"]}
        if ways.ws_first:
            await go()
            await asyncio.sleep(0.05)
        else:
            self._later(0.02, go)
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
