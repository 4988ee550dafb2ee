"""A BSX of somebody else's making: written from the venue's pages alone, and varied in all that they leave open."""

import asyncio
import itertools
import json
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from aiohttp import WSMsgType, web

API_KEY = "1fda404d8f84ce7de5611a7f0d310325"
SIGNER_KEY = "0x" + "11" * 32
WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
DOMAIN = {
    "name": "Foreign", "version": "1", "chain_id": "1337", "verifying_contract": "0x" + "00" * 19 + "aa",
}  # fmt: skip
PRODUCT = {
    "index": 1, "product_id": "BTC-PERP", "base_asset_symbol": "BTC", "quote_asset_symbol": "USDC",
    "base_increment": "0.001", "quote_increment": "1", "min_order_size": "0.001", "mark_price": "50000",
    "perpetual_product_config": {},
}  # fmt: skip
OPTIONAL = {"/users/api-key", "/order-history", "/trade-history", "/portfolio/detail"}


@dataclass
class Ways:
    """What the pages leave open; each has the commonest way as its default."""

    missing: set = field(default_factory=set)
    missing_status: int = 404
    missing_body: str = '{"code":5,"message":"not found"}'
    empty: set = field(default_factory=set)
    greets: bool = True
    answers_login: bool = True
    acks: bool = False
    snapshots: bool = True
    trades: str = "told"  # told | absent | empty | null | odd | all so far | the first | late
    numbers: bool = False
    lower: bool = False
    nulls: bool = False
    zero_times: bool = False
    extra: bool = False
    sparse: bool = False
    echoes: bool = True
    create: str = "full"  # full | pending | id | order_id | filled
    status: int = 200
    ws_first: bool = False
    streams: bool = True
    repeats: int = 1
    refusal: tuple = (400, "application/json", '{"code":3,"message":"insufficient margin"}')
    cancel_answer: str = "keys"  # keys | empty | order | success
    closes: bool = False
    slow_secs: float = 0.0
    ws_path: str = "/ws"
    pongs: bool = True
    goes: bool = True
    shuffled: bool = False
    snapshot_of: tuple = ("OPEN", "STOP_ACCEPTED")
    fees_told: str = "both"  # both | order | trade
    books: bool = False
    domain: dict = field(default_factory=lambda: {"main": DOMAIN})
    products: dict = field(default_factory=lambda: {"products": [PRODUCT]})
    portfolio: dict = field(
        default_factory=lambda: {
            "account": WALLET,
            "summary": {"total_account_value": "100000", "free_collateral": "100000"},
        }
    )


class ForeignBsx:
    """One account; orders rest until the test says otherwise, market orders fill at once."""

    def __init__(self, ways):
        self.ways = ways
        self.orders = {}
        self.trades = {}
        self.sockets = set()
        self.calls = []
        self.asked = []
        #: Rows of somebody else's dialect, told among the others.
        self.odd = []
        #: What something in between answers to everything: (status, content type, body, headers).
        self.gateway = None
        #: Methods of which the next answers break off in the middle.
        self.cuts = []
        self._told_late = {}
        self._traded = {}
        self._times = itertools.count(1_719_319_405_611_080_236, 1_000_000)
        self._ids = itertools.count(1)

    # -- what happens --

    def _now(self):
        return 0 if self.ways.zero_times else next(self._times)

    def new(self, **terms):
        now = self._now()
        n = next(self._ids)
        order = {
            "id": f"a01292c9-00f1-4c18-9d47-{n:012d}", "client_order_id": "",
            "nonce": str(1_719_319_405_354_011_720 + n),
            "product_id": "BTC-PERP", "sender": WALLET, "side": "BUY", "type": "LIMIT", "status": "PENDING",
            "price": "50000", "size": "0.01", "filled_size": "0", "avg_price": "0", "filled_fees": "0",
            "time_in_force": "GTC", "post_only": False, "reduce_only": False, "stp": "CANCEL_TAKER",
            "stop_price": "0", "order_stop_type": "STOP_NONE", "cancel_reason": "", "reject_reason": "",
            "cancel_reject_reason": "", "cancel_requested": False, "cancel_requested_at": "0", "initial_margin": "1",
            "is_liquidation": False, "created_at_ts": str(now), "updated_at": str(now),
        } | terms  # fmt: skip
        self.orders[order["id"]] = order
        return order

    async def open(self, order):
        order["status"] = "OPEN"
        await self.tell(order)

    async def fill(self, order, size, px=None, *, silent=False):
        trade = self._trade(order, size, px)
        if not silent:
            await self.tell(order, [trade])

    async def fill_many(self, order, *parts):
        """Fill in one event: one update for several trades."""
        await self.tell(order, [self._trade(order, size, px) for size, px in parts])

    def _trade(self, order, size, px=None):
        size, px = Decimal(size), Decimal(px or order["price"])
        filled, avg = Decimal(order["filled_size"]), Decimal(order["avg_price"])
        order["avg_price"] = f"{(avg * filled + px * size) / (filled + size):f}"
        order["filled_size"] = str(filled + size)
        fee = (px * size * Decimal("0.0003")).normalize()
        order["filled_fees"] = f"{Decimal(order['filled_fees']) + fee:f}"
        if Decimal(order["filled_size"]) == Decimal(order["size"]):
            order["status"] = "DONE"
        trade = {"id": f"t{len(self.trades) + 1}", "price": str(px), "size": str(size), "trading_fee": f"{fee:f}",
                 "liquidity_indicator": "MAKER", "time": str(self._now()), "sequencer_fee": "0"}  # fmt: skip
        self.trades[trade["id"]] = trade
        self._traded.setdefault(order["id"], []).append(trade)
        return trade

    def net(self):
        """Return the account's position by these books."""
        signs = {"BUY": 1, "SELL": -1}
        return sum((signs[o["side"]] * Decimal(o["filled_size"]) for o in self.orders.values()), Decimal(0))

    async def end(self, order, reason):
        order.update(status="DONE", cancel_reason=reason)
        await self.tell(order)

    # -- how it is told --

    def shown(self, order, trades=()):
        ways = self.ways
        told = dict(order)
        if int(told["updated_at"]) and trades:
            told["updated_at"] = str(self._now())
        match ways.trades:
            case "told":
                told["last_trades"] = list(trades)
            case "empty":
                told["last_trades"] = []
            case "null":
                told["last_trades"] = None
            case "all so far":
                told["last_trades"] = list(self._traded.get(order["id"], ()))
            case "the first":
                told["last_trades"] = list(trades)[:1]
            case "late" if trades:
                told["last_trades"] = self._told_late.pop(order["id"], [])
                self._told_late[order["id"]] = list(trades)
            case "odd":
                told["last_trades"] = [{"trade_id": t["id"], "px": t["price"], "qty": t["size"]} for t in trades]
        match ways.fees_told:
            case "order":
                told["last_trades"] = [
                    {k: v for k, v in t.items() if k not in ("trading_fee", "sequencer_fee")}
                    for t in told.get("last_trades") or ()
                ]
            case "trade":
                del told["filled_fees"]
        if not ways.echoes:
            told["client_order_id"], told["nonce"] = "", "0"
        if ways.sparse:
            keep = {"id", "status", "product_id", "side", "size", "price", "filled_size", "avg_price", "nonce",
                    "last_trades", "cancel_reason", "reject_reason"}  # fmt: skip
            told = {k: v for k, v in told.items() if k in keep}
        if ways.lower:
            told |= {k: told[k].lower() for k in ("side", "type", "status", "time_in_force") if k in told}
        if ways.nulls:
            told = {k: None if v in ("", "0", "STOP_NONE", False) else v for k, v in told.items()}
        if ways.numbers:
            told = {k: _number(k, v) for k, v in told.items()}
        if ways.extra:
            told |= {"source": "api", "meta": {"a": [1, None]}, "gsn": 12}
        if ways.shuffled:
            told = dict(random.Random(len(self.trades)).sample(list(told.items()), len(told)))
        return told

    def listed(self, *statuses):
        return [self.shown(o) for o in self.orders.values() if o["status"] in statuses] + self.odd

    async def tell(self, order, trades=()):
        if not self.ways.streams:
            return
        frame = {"channel": "orders", "type": "update", "data": [self.shown(order, trades), *self.odd]}
        if not self.ways.sparse:
            frame["timestamp"] = str(self._now())
        for _ in range(self.ways.repeats):
            await self.say(frame)

    async def say(self, frame):
        for ws in list(self.sockets):
            await ws.send_json(frame)

    async def tell_snapshot(self, *statuses):
        await self.say(self._snapshot(*(statuses or self.ways.snapshot_of)))

    def _snapshot(self, *statuses):
        return {"channel": "orders", "type": "snapshot", "data": self.listed(*statuses), "timestamp": str(self._now())}

    async def drop_all(self):
        for ws in list(self.sockets):
            await ws.close()

    # -- the wire --

    async def socket(self, request):
        ways = self.ways
        if self.gateway is not None:
            return self._between()
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if ways.greets:
            await ws.send_json({"type": "message", "connection_id": "8fdad76b"})
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
            asked = json.loads(message.data)
            match asked.get("op"), asked.get("channel"):
                case "auth", _:
                    if ways.answers_login:
                        await ws.send_json({"channel": "auth", "type": "authenticated"})
                case "sub", "orders":
                    if ways.acks:
                        await ws.send_json({"channel": "orders", "type": "subscribed"})
                    if ways.snapshots:
                        await ws.send_json(self._snapshot(*ways.snapshot_of))
                    self.sockets.add(ws)
                case "ping", _:
                    if ways.pongs:
                        await ws.send_json({"type": "pong"})
                case _, channel:
                    await ws.send_json({"channel": channel, "type": "error", "code": 400,
                                        "message": "given channel/product is unsupported"})  # fmt: skip
        self.sockets.discard(ws)
        return ws

    async def handle(self, request):
        self.calls.append((request.method, request.path))
        if self.ways.slow_secs:
            await asyncio.sleep(self.ways.slow_secs)
        if self.gateway is not None:
            return self._between()
        response = await self._answer(request)
        if request.method in self.cuts:
            self.cuts.remove(request.method)
            response.headers["Content-Length"] = str(len(response.body) + 20)
            cut = web.StreamResponse(status=response.status, headers=response.headers)
            await cut.prepare(request)
            await cut.write(response.body[: len(response.body) // 2])
            request.transport.close()
            return cut
        if self.ways.closes:
            response.force_close()
        return response

    def _between(self):
        status, kind, body, *headers = self.gateway
        return web.Response(status=status, content_type=kind, text=body, headers=dict(headers))

    async def _answer(self, request):
        ways, path = self.ways, request.path
        if path in ways.missing or f"{request.method} {path}" in ways.missing:
            return web.Response(status=ways.missing_status, text=ways.missing_body)
        if path in ways.empty:
            return web.json_response([] if path == "/order-history" else {})
        match request.method, path:
            case "GET", "/products":
                return web.json_response(ways.products)
            case "GET", "/chain/configs":
                return web.json_response(ways.domain)
            case "GET", "/users/api-key":
                return web.json_response({"api_keys": [{"api_key": API_KEY, "sender": WALLET, "expired_at": "0"}]})
            case "GET", "/orders":
                return web.json_response(self.listed("OPEN", "STOP_ACCEPTED"))
            case "GET", "/order-history":
                wanted = request.query.getall("client_order_ids", [])
                past = [o for o in self.orders.values() if not wanted or o["client_order_id"] in wanted]
                return web.json_response([self.shown(o) for o in reversed(past)] + self.odd)
            case "GET", "/trade-history":
                return web.json_response({"trades": list(self.trades.values()), "page": 1, "total": len(self.trades)})
            case "GET", "/portfolio/detail":
                return web.json_response(ways.portfolio | self._books() if ways.books else ways.portfolio)
            case "POST", "/orders":
                return await self._create(await request.json())
            case "DELETE", "/order":
                key = {"order_id": "id"}.get(next(iter(request.query)), next(iter(request.query)))
                return await self._cancel(key, next(iter(request.query.values())))
            case "DELETE", "/orders":
                body = await request.json()
                for order_id in body.get("order_ids", []):
                    await self._cancel("id", order_id)
                return web.json_response({"cancel_requested_orders": [{"id": i} for i in body.get("order_ids", [])]})
        return web.Response(status=404, text="404: Not Found")

    def _books(self):
        net = self.net()
        position = {"product_index": 1, "product_id": "BTC-PERP", "net_size": str(net), "avg_entry_price": "50000"}
        return {"positions": [position] if net else []}

    async def _create(self, body):
        ways = self.ways
        self.asked.append(body)
        if Decimal(body["size"]) > 5:
            status, kind, text = ways.refusal
            return web.Response(status=status, content_type=kind, text=text)
        assert body["signature"].startswith("0x")
        keys = (
            "side",
            "type",
            "price",
            "size",
            "time_in_force",
            "nonce",
            "client_order_id",
            "post_only",
            "reduce_only",
        )
        order = self.new(**{k: body[k] for k in keys if k in body})
        if not ways.goes:
            pass
        elif ways.ws_first:
            await self._go(order)
            await asyncio.sleep(0.05)
        else:
            asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(self._go(order)))
        match ways.create:
            case "full" | "pending":
                return web.json_response(self.shown(order), status=ways.status)
            case "filled":
                order["status"] = "OPEN"
                return web.json_response(self.shown(order), status=ways.status)
            case key:
                return web.json_response({key: order["id"]}, status=ways.status)

    async def _go(self, order):
        if order["type"] == "MARKET":
            await self.fill(order, order["size"], PRODUCT["mark_price"])
        else:
            await self.open(order)

    async def _cancel(self, key, value):
        order = next((o for o in self.orders.values() if o[key] == value), None)
        if order is None or order["status"] == "DONE":
            return web.json_response({"code": 5, "message": "order not found"}, status=404)
        asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(self.end(order, "user")))
        match self.ways.cancel_answer:
            case "keys":
                return web.json_response({"order_id": order["id"], "nonce": order["nonce"], "client_order_id": ""})
            case "order":
                return web.json_response(self.shown(order | {"cancel_requested": True}))
            case "success":
                return web.json_response({"success": True, "code": None, "order_id": None})
        return web.Response()


def _number(key, value):
    if not isinstance(value, str) or key in ("id", "client_order_id"):
        return value
    try:
        return int(value) if value.isdigit() else float(value)
    except ValueError:
        return value


@asynccontextmanager
async def foreign_bsx(ways=None, server=None):
    """Serve; yields the server, with `base_url_http` and `base_url_ws`. `server` is one that comes back."""
    server = server or ForeignBsx(ways or Ways())
    app = web.Application()
    app.router.add_get(server.ways.ws_path, server.socket)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.base_url_http = f"http://127.0.0.1:{port}"
    server.base_url_ws = f"ws://127.0.0.1:{port}{server.ways.ws_path if server.ways.ws_path != '/' else ''}"
    try:
        yield server
    finally:
        await server.drop_all()
        await runner.cleanup()
