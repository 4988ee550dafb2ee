"""The account and enterprise endpoints of the simulated sFOX (protocol 3, 7.5, 7.6)."""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.model import Side
from nautilus_orderfeeds.sim.server import Answer, Call
from nautilus_orderfeeds.venues.sfox.twin_accounts import Key, Keyring, Refused
from nautilus_orderfeeds.venues.sfox.twin_gate import Access, Gate
from nautilus_orderfeeds.venues.sfox.twin_limits import Limit
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_products import ALGORITHMS, PRODUCTS
from nautilus_orderfeeds.venues.sfox.twin_request import read_body
from nautilus_orderfeeds.venues.sfox.twin_rfq import Quotes
from nautilus_orderfeeds.venues.sfox.twin_views import Records
from nautilus_orderfeeds.venues.sfox.twin_wire import Wire, iso, plain
from nautilus_orderfeeds.venues.sfox.twin_words import CursorDirection

_PAGE = 100
_DAY_MS = 86_400_000
_MS = 1_000_000
_TRANSACTION_PARAMETERS = frozenset(("from", "to", "limit", "after", "offset", "types", "pending"))

Row = dict[str, object]


class AccountRoutes:
    """Adds balances, fills, the ledger, quotes and user tokens to a server."""

    def __init__(
        self,
        gate: Gate,
        keyring: Keyring,
        records: Records,
        quotes: Quotes,
        wire: Wire,
        clock: SimClock,
        faults: FaultInjector,
        options: SfoxTwinOptions,
    ) -> None:
        self._keyring = keyring
        self._records = records
        self._quotes = quotes
        self._wire = wire
        self._clock = clock
        self._faults = faults
        self._options = options
        gate.private("GET", "/v1/user/balance", self._balance, limit=Limit.BALANCES)
        gate.private("GET", "/v1/account/fee-rates", self._fee_rates)
        gate.private("GET", "/v1/account/trades", self._trades)
        gate.private("GET", "/v1/account/transactions", self._transactions, limit=Limit.TRANSACTIONS)
        gate.private("POST", "/v1/quote", self._quote, limit=Limit.QUOTES)
        gate.private("GET", "/v1/post-trade-settlement", self._settlement)
        gate.private("GET", "/v1/post-trade-settlement/positions", self._settlement, limit=Limit.POSITIONS)
        gate.private("GET", "/v1/post-trade-settlement/interest", self._settlement)
        gate.private("GET", "/v1/post-trade-settlement/interest/history", self._settlement)
        gate.private("GET", "/v1/post-trade-settlement/risk-modes", self._settlement)
        enterprise = Access.ENTERPRISE
        gate.private("POST", "/v1/enterprise/user-tokens/{user_id}", self._user_token, access=enterprise)
        gate.private("POST", "/v1/enterprise/user-tokens", self._user_tokens, access=enterprise)

    # -- account --------------------------------------------------------------------------------------------

    async def _balance(self, call: Call, key: Key) -> Answer:
        return Answer(200, self._wire.rest_balances(key.account))

    async def _fee_rates(self, call: Call, key: Key) -> Answer:
        body = {
            "volume": self._options.volume,
            "makerRate": self._options.maker_rate,
            "nprRate": self._options.net_price_rate,
            "nprOffRate": self._options.smart_rate,
        }
        return Answer(200, body)

    async def _trades(self, call: Call, key: Key) -> Answer:
        """Newest first; `last_seen_id` continues from a row's cursor, in the direction that the options say."""
        unknown = sorted(set(call.query) - {"page_size", "last_seen_id"})
        if unknown:
            raise Refused(f"unknown parameter: {unknown[0]}", status=400)
        size = min(_number(call, "page_size", _PAGE), _PAGE)
        trades = self._records.trades(key.account, self._faults.lag("GET /v1/account/trades"))
        if (text := call.one("last_seen_id")) is not None:
            cursor, overlap = _cursor(text), self._options.rest_trades_overlap
            match self._options.cursor_direction:
                case CursorDirection.OLDER:
                    end = sum(trade.cursor < cursor for trade in trades) + overlap
                    trades = trades[:end]
                case CursorDirection.NEWER:
                    start = sum(trade.cursor <= cursor for trade in trades) - overlap
                    trades = trades[max(0, start) :][:size]
        return Answer(200, {"data": [self._wire.rest_trade(trade) for trade in reversed(trades[-size:])]})

    async def _transactions(self, call: Call, key: Key) -> Answer:
        unknown = sorted(set(call.query) - _TRANSACTION_PARAMETERS)
        if unknown:
            raise Refused(f"unknown parameter: {unknown[0]}", status=400)
        now_ms = self._clock.now_ns() // _MS
        start, end = _number(call, "from", now_ms - _DAY_MS), _number(call, "to", now_ms)
        after, offset = _number(call, "after", 0), _number(call, "offset", 0)
        limit = min(_number(call, "limit", 250), 1000)
        types = {word for word in (call.one("types") or "").lower().split(",") if word}
        rows = [
            row
            for row in reversed(self._ledger_rows(key.account))
            if start <= int(str(row["timestamp"])) <= end
            and int(str(row["id"])) > after
            and (not types or str(row["action"]).lower() in types)
        ]
        return Answer(200, rows[offset : offset + limit])

    def _ledger_rows(self, account: str) -> list[Row]:
        """Every change of a balance, oldest first: deposits, then both sides of each fill."""
        rows: list[Row] = []
        balances: dict[str, Decimal] = {}

        def add(currency: str, amount: Decimal, ns: int, **more: object) -> None:
            balances[currency] = balances.get(currency, Decimal(0)) + amount
            row: Row = {
                "id": len(rows) + 1,
                "order_id": "",
                "client_order_id": "",
                "day": iso(ns, whole_secs=True),
                "action": "Deposit",
                "currency": currency,
                "memo": "",
                "amount": _decimal(amount),
                "net_proceeds": _decimal(amount),
                "price": 1,
                "fees": 0,
                "status": "done",
                "hold_expires": "",
                "tx_hash": "",
                "algo_name": "",
                "algo_id": "",
                "account_balance": _decimal(balances[currency]),
                "timestamp": ns // _MS,
                **more,
            }
            rows.append(row)

        owner = self._keyring.owners[account]
        for currency, amount, ns in owner.deposits:
            add(currency, amount, ns)
        for trade in self._records.trades(account):
            fill = trade.fill
            product, sign = PRODUCTS[fill.product], fill.side.sign
            order = self._records.latest(account, fill.venue_order_id).order
            algorithm = ALGORITHMS[int(str(order.info["algorithm_id"]))]
            shared: Row = {
                "order_id": fill.venue_order_id,
                "client_order_id": fill.client_order_id,
                "action": self._wire.action(fill.side),
                "algo_name": algorithm.text,
                "algo_id": str(algorithm.number),
                "price": _decimal(fill.price),
            }
            add(product.base, sign * fill.size, fill.time_ns, **shared)
            cash = -sign * fill.size * fill.price - fill.fee
            add(product.quote, cash, fill.time_ns, **shared, fees=_decimal(fill.fee))
        return rows

    async def _settlement(self, call: Call, key: Key) -> Answer:
        raise Refused("post trade settlement disabled", status=403)

    async def _quote(self, call: Call, key: Key) -> Answer:
        return Answer(200, self._quotes.make(key.account, read_body(call, takes_form=True)))

    # -- enterprise -----------------------------------------------------------------------------------------

    async def _user_token(self, call: Call, key: Key) -> Answer:
        unit = "milliseconds" if self._options.token_millis else "seconds"
        return Answer(201, {"data": self._new_token(call.params["user_id"], unit)})

    async def _user_tokens(self, call: Call, key: Key) -> Answer:
        user_ids = read_body(call, takes_form=False).get("data")
        if not isinstance(user_ids, list) or not user_ids or not all(isinstance(u, str) for u in user_ids):
            raise Refused("data must be a list of user ids")
        return Answer(201, {"data": [self._new_token(user_id, "seconds") for user_id in user_ids]})

    def _new_token(self, user_id: str, unit: str) -> Row:
        token = self._keyring.new_token(user_id)
        assert token.expires_ns is not None
        return {"token": token.token, "partner_user_id": user_id, "expires": iso(token.expires_ns, unit)}


class OfferRoutes:
    """Adds the order estimate, which needs no account."""

    def __init__(self, gate: Gate, quotes: Quotes) -> None:
        self._quotes = quotes
        gate.public("GET", "/v1/offer/{side}", self._offer)

    def _offer(self, call: Call) -> Answer:
        side = {"buy": Side.BUY, "sell": Side.SELL}.get(call.params["side"])
        if side is None:
            raise Refused(f"no such side: {call.params['side']}", status=404)
        names = ("pair", "quantity", "maxspend", "routing_type")
        return Answer(200, self._quotes.estimate(side, {name: call.one(name) for name in names}))


def _number(call: Call, name: str, default: int) -> int:
    text = call.one(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise Refused(f"{name} must be a number", status=400)
    return int(text)


def _cursor(text: str) -> int:
    try:
        return int(base64.b64decode(text, validate=True).decode())
    except (binascii.Error, ValueError):
        raise Refused("invalid last_seen_id", status=400) from None


def _decimal(number: Decimal) -> Decimal:
    return Decimal(plain(number))
