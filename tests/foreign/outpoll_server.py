"""An Outpoll of somebody else's making: written from the venue's pages alone, and varied in all that they leave open.

The page on the order stream says what an ORDER_UPDATE is and that AUTH comes first; the rest is as little as a client
needs to trade: placing, deleting, the list of active orders and the order history.
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from aiohttp import WSMsgType, web

KEY = "op_k_abc123"
SECRET = "dGVzdF9zZWNyZXRfMTIzNDU2Nzg"  # as in the venue's worked example: not padded
EVENT, OUTCOME = "54ccea1a-16fd-469c-8018-84b375243e8a", "b21f6fd8-b9d1-4b9f-bb79-ef141e3dcb76"
SHARES, USDC = "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "078dcd98-928d-479f-8110-ff6d27e44de2"
BALANCES, POSITIONS = "/balance/ws", "/api/history/deals/open-positions"


@dataclass
class Ways:
    """What the pages leave open; each has the likeliest way as its default."""

    missing: set = field(default_factory=set)
    missing_status: int = 404
    status: int = 200
    update: str = "after"  # before | after | instead | never
    repeats: int = 1
    ids: str = "uuid"  # uuid | words
    loud: bool = False  # AUTH reply and types in upper case, its data an object
    pings: bool = False
    noise: bool = False
    counters: bool = True
    extra: bool = False
    bare: bool = False  # no field that is not needed
    lower: bool = False  # words in lower case
    deleted: int = 200
    padded: bool = False
    lag: float = 0.0
    refusal: tuple = (400, "application/json", '{"message":"Insufficient balance"}')


def decoded(secret):
    return base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))


class ForeignOutpoll:
    """One account; limit orders rest until the test says otherwise, market orders fill at once at 0.50."""

    def __init__(self, ways):
        self.ways = ways
        self.secret = SECRET + ("=" * (-len(SECRET) % 4) if ways.padded else "")
        self.orders = {}
        self.held = {USDC: Decimal(1000), SHARES: Decimal(0)}
        self.shown = [(0.0, [])]
        self.sockets = {"/order/ws": set(), BALANCES: set()}
        self.calls = []
        self._numbers = itertools.count(1)

    # -- what is shown -----------------------------------------------------------------------------------------------

    def note(self):
        """Keep a picture of all orders, which the lists show only after the lag."""
        self.shown.append((time.monotonic(), [dict(order) for order in self.orders.values()]))

    def seen(self):
        return [orders for at, orders in self.shown if at <= time.monotonic() - self.ways.lag][-1]

    def active_row(self, order):
        row = {"id": order["id"], "status": self.word("ACTIVE"), "side": self.word(order["side"]),
               "price": order["price"], "quantity": order["quantity"]}  # fmt: skip
        return row | ({"createdAt": "2026-01-01T00:00:00Z", "event": {"id": EVENT}} if self.ways.extra else {})

    def history_row(self, order):
        row = {"i": order["id"], "a": SHARES, "si": self.word(order["side"]), "oq": order["quantity"],
               "q": order["filled"], "p": order["price"], "st": self.word(order["status"])}  # fmt: skip
        if not self.ways.bare:
            row |= {"u": "user-1", "e": EVENT, "o": OUTCOME, "t": order["type"], "m": order["ms"], "ex": None}
        return row | ({"fee": 0, "tags": ["x"]} if self.ways.extra else {})

    def word(self, word):
        return word.lower() if self.ways.lower else word

    def page(self, rows, request):
        number, size = int(request.query.get("page", 0)), int(request.query.get("size", 100))
        page = {"i": rows[number * size : (number + 1) * size]}
        if self.ways.counters:
            page |= {"p": number, "s": size, "tp": max(-(-len(rows) // size), 1)}
        return web.Response(text=dumps(page), content_type="application/json")

    # -- what happens ------------------------------------------------------------------------------------------------

    async def fill(self, order, quantity, price=None):
        quantity, price = Decimal(quantity), Decimal(price or order["price"])
        order["filled"] += quantity
        sign = 1 if order["side"] == "BUY" else -1
        self.held[SHARES] += sign * quantity
        self.held[USDC] -= sign * quantity * price
        if order["filled"] == order["quantity"]:
            order["status"] = "FILLED"
        self.note()
        for asset in (SHARES, USDC):
            await self.send(BALANCES, {"u": "user-1", "a": asset, "b": self.held[asset], "f": self.held[asset]})
        await self.tell(order)

    async def tell(self, order, status="SUCCESS"):
        kind = "ORDER_UPDATE"
        for _ in range(self.ways.repeats):
            await self.send("/order/ws", {"t": kind, "d": {"i": order["id"], "u": "user-1", "s": status}})

    async def send(self, path, frame):
        for ws in list(self.sockets[path]):
            if self.ways.noise:
                await ws.send_str('{"t":"MAINTENANCE","d":{"in":5},"r":null}')
            if self.ways.pings:
                await ws.send_str('{"t":"PING","d":null,"r":null}')
            await ws.send_str(dumps(frame))

    # -- serving -----------------------------------------------------------------------------------------------------

    def signed(self, key, signature, timestamp, method, path, body=""):
        message = f"{timestamp}{method}{path}{body}".encode()
        digest = hmac.new(decoded(self.secret), message, hashlib.sha256).digest()
        good = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return key == KEY and signature == good and abs(time.time() - int(timestamp)) <= 30

    async def socket(self, request):
        if request.path in self.ways.missing:
            return web.Response(status=self.ways.missing_status, text="nothing here")
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
            auth = json.loads(message.data)
            told = auth["d"]
            if not self.signed(told["apiKey"], told["signature"], told["timestamp"], "GET", request.path):
                await ws.send_json({"t": "error", "d": {"error": "Invalid or missing credentials"}})
                break
            if self.ways.pings:
                await ws.send_json({"t": "PING", "d": None, "r": None})
            if request.path == BALANCES:
                listed = [{"i": asset, "b": held, "f": held} for asset, held in self.held.items()]
                data = {"l": listed}
            else:
                data = {"message": "AUTH successful"} if self.ways.loud else "authorized"
            await ws.send_str(dumps({"t": "SUCCESS" if self.ways.loud else "success", "d": data, "r": None}))
            self.sockets[request.path].add(ws)
        self.sockets[request.path].discard(ws)
        return ws

    async def handle(self, request):
        path, method, body = request.path, request.method, await request.text()
        self.calls.append((method, path))
        told = [request.headers.get(f"OUTPOLL-API-{name}", "") for name in ("KEY", "SIGNATURE", "TIMESTAMP")]
        if not told[2].isdigit() or not self.signed(*told, method, path, body):
            return web.Response(status=401)
        if path in self.ways.missing:
            return web.Response(status=self.ways.missing_status, text="nothing here")
        match method, path.strip("/").split("/"):
            case "GET", ["api", "history", "deals", "active-orders"]:
                live = [order for order in self.seen() if order["status"] == "ACTIVE"]
                return self.page([self.active_row(order) for order in live], request)
            case "GET", ["api", "history", "orders"]:
                over = [order for order in self.seen() if order["status"] != "ACTIVE"]
                return self.page([self.history_row(order) for order in reversed(over)], request)
            case "GET", ["api", "history", "deals", "open-positions"]:
                held = self.held[SHARES]
                row = {"ai": SHARES, "ei": EVENT, "eoi": OUTCOME, "tsc": held, "asc": held, "sp": Decimal("0.5")}
                return self.page([row] if held else [], request)
            case "POST", ["orders", ("limit" | "market") as kind]:
                return await self._place(kind, json.loads(body, parse_float=Decimal, parse_int=Decimal))
            case "DELETE", ["orders", "limit", order_id] if order_id in self.orders:
                self._soon(self._cancel(self.orders[order_id]))
                return web.Response(status=self.ways.deleted)
        return web.Response(status=404, text="nothing here")

    async def _place(self, kind, body):
        ways = self.ways
        assert (body["e"], body["o"], body["ba"], body["qa"]) == (EVENT, OUTCOME, SHARES, USDC)
        if body.get("q", 0) > 1000:
            status, content_type, text = ways.refusal
            return web.Response(status=status, content_type=content_type, text=text)
        number = next(self._numbers)
        order = {"id": str(uuid.uuid4()) if ways.ids == "uuid" else f"ord_{number:08x}", "side": body["s"],
                 "type": kind.upper(), "price": body.get("p", Decimal("0.5")), "filled": Decimal(0),
                 "quantity": body["q"] if "q" in body else body["am"] / Decimal("0.5"),
                 "status": "ACTIVE", "ms": int(time.time() * 1000)}  # fmt: skip
        self.orders[order["id"]] = order
        if ways.update == "before":
            await self._go(order)
            await asyncio.sleep(0.05)
        else:
            self._soon(self._go(order))
        answer = {} if ways.update == "instead" else {"i": order["id"]}
        return web.json_response(answer | ({"status": "accepted"} if ways.extra else {}), status=ways.status)

    async def _go(self, order):
        self.note()
        if order["type"] == "MARKET":
            await self.fill(order, order["quantity"])
        elif self.ways.update != "never":
            await self.tell(order)

    async def _cancel(self, order):
        if order["status"] == "ACTIVE":
            order["status"] = "CANCELED"
            self.note()
            await self.tell(order)

    @staticmethod
    def _soon(coroutine):
        asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(coroutine))


def dumps(value):
    """Write JSON with decimals as plain numbers."""
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            return "{" + ",".join(f"{json.dumps(key)}:{dumps(held)}" for key, held in value.items()) + "}"
        case list():
            return "[" + ",".join(dumps(held) for held in value) + "]"
        case _:
            return json.dumps(value)


@asynccontextmanager
async def foreign_outpoll(ways=None):
    """Serve; yields the server, with `base_url_http` and `base_url_ws`."""
    server = ForeignOutpoll(ways or Ways())
    app = web.Application()
    for path in server.sockets:
        app.router.add_get(path, server.socket)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.base_url_http, server.base_url_ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    try:
        yield server
    finally:
        for ws in [ws for sockets in server.sockets.values() for ws in sockets]:
            await ws.close()
        await runner.cleanup()
