"""The order endpoints of the simulated BSX (protocol 4.3-4.8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.model import SimOrder
from nautilus_orderfeeds.sim.outbox import StreamOrder
from nautilus_orderfeeds.sim.server import Answer, BadBody, Call, SimServer
from nautilus_orderfeeds.venues.bsx.twin_accounts import ApiKey, BsxAccount, Keyring, Refused
from nautilus_orderfeeds.venues.bsx.twin_exchange import BsxExchange
from nautilus_orderfeeds.venues.bsx.twin_feed import OrdersFeed
from nautilus_orderfeeds.venues.bsx.twin_options import AnswerState, BsxTwinOptions
from nautilus_orderfeeds.venues.bsx.twin_request import read_integers, read_order, read_texts
from nautilus_orderfeeds.venues.bsx.twin_wire import INDEX_OF, OrderView, Wire

_HISTORY_PARAMETERS = (
    *("product_id", "start_time", "end_time", "limit", "statuses", "client_order_ids"),
    *("sorted_by", "sorting"),
)

PrivateHandler = Callable[[Call, BsxAccount, ApiKey], Answer]


def authenticated(keyring: Keyring, handler: PrivateHandler) -> Callable[[Call], Awaitable[Answer]]:
    """A route that checks the key first and turns refusals into error bodies."""

    async def serve(call: Call) -> Answer:
        try:
            key = keyring.authenticate(call.headers)
            return handler(call, keyring.accounts[key.owner], key)
        except Refused as refused:
            return refused.answer()
        except BadBody:
            return Refused("the body is not JSON").answer()

    return serve


class OrderRoutes:
    """Adds the order endpoints to a server."""

    def __init__(
        self,
        server: SimServer,
        keyring: Keyring,
        exchange: BsxExchange,
        feed: OrdersFeed,
        ledger: Ledger,
        wire: Wire,
        options: BsxTwinOptions,
    ) -> None:
        self._exchange = exchange
        self._feed = feed
        self._ledger = ledger
        self._wire = wire
        self._options = options
        self._faults: FaultInjector = server.faults
        for method, path, handler in (
            ("POST", "/orders", self._create),
            ("POST", "/orders/batch", self._batch),
            ("DELETE", "/order", self._cancel_one),
            ("DELETE", "/orders", self._cancel_many),
            ("DELETE", "/orders/all", self._cancel_all),
            ("GET", "/orders", self._open_orders),
            ("GET", "/order-history", self._order_history),
            ("GET", "/trade-history", self._trade_history),
        ):
            server.route(method, path, authenticated(keyring, handler))

    # -- order entry ----------------------------------------------------------------------------------------

    def _create(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        return self._effect(account, self._options.create_stream, lambda: self._create_one(account, key, call.json()))

    def _create_one(self, account: BsxAccount, key: ApiKey, body: object) -> dict[str, object]:
        order, taken_in = self._exchange.create(account, key.signer, read_order(body))
        is_final = self._options.create_answer is AnswerState.FINAL
        return self._wire.order(self._feed.latest(order) if is_final else taken_in)

    def _cancel_one(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        _only(call.query, ("order_id", "nonce"))
        order_id, nonce = call.one("order_id"), call.one("nonce")
        return self._effect(account, self._options.cancel_stream, lambda: self._cancel_key(account, order_id, nonce))

    def _cancel_key(self, account: BsxAccount, order_id: Any, nonce: Any) -> dict[str, object]:
        # Zero is protobuf's "not set": one client sends nonce=0 beside an order id.
        keys = [str(key) for key in (order_id, nonce) if key not in (None, "", "0", 0)]
        if len(keys) != 1:
            raise Refused("exactly one of order_id and nonce is required")
        order = self._exchange.find_open(account.address, keys[0])
        self._exchange.request_cancel(order)
        return self._canceled(order, "order_id")

    def _cancel_many(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        body = call.json()
        if not isinstance(body, dict):
            raise Refused("the body must be an object")
        _only(body, ("order_ids", "nonces", "product_ids"))
        return self._effect(account, self._options.cancel_stream, lambda: self._cancel_list(account, body))

    def _cancel_list(self, account: BsxAccount, body: dict[str, Any]) -> dict[str, object]:
        keys = read_texts(body.get("order_ids"), "order_ids")
        keys += [str(nonce) for nonce in read_integers(body.get("nonces"), "nonces")]
        wanted_coids = {k.lower() for k in read_texts(body.get("client_order_ids"), "client_order_ids")}
        products = read_texts(body.get("product_ids"), "product_ids")
        if not keys and not products and not wanted_coids:
            raise Refused("nothing to cancel: order_ids, nonces and product_ids are empty")
        chosen: dict[str, SimOrder] = {}
        for order in self._ledger.orders(account=account.address, is_open=True):
            names = (order.venue_order_id, str(order.info["nonce"]))
            by_key = any(name in keys for name in names)
            if by_key or order.product in products or order.client_order_id.lower() in wanted_coids:
                chosen[order.venue_order_id] = order
        return self._cancel_orders(list(chosen.values()))

    def _cancel_all(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        _only(call.query, ("product_id",))
        product = call.one("product_id")
        return self._effect(account, self._options.cancel_stream, lambda: self._cancel_product(account, product))

    def _cancel_product(self, account: BsxAccount, product: str | None) -> dict[str, object]:
        _known_product(product)
        orders = self._ledger.orders(account=account.address, product=product or None, is_open=True)
        return self._cancel_orders(orders)

    def _cancel_orders(self, orders: list[SimOrder]) -> dict[str, object]:
        for order in orders:
            if order.is_open:
                self._exchange.request_cancel(order)
        id_key = self._options.canceled_id_key
        return {"cancel_requested_orders": [self._canceled(order, id_key) for order in orders]}

    def _canceled(self, order: SimOrder, id_key: str) -> dict[str, object]:
        return {
            id_key: order.venue_order_id,
            "nonce": self._wire.time(int(str(order.info["nonce"]))),
            "client_order_id": order.client_order_id,
        }

    # -- batch ----------------------------------------------------------------------------------------------

    def _batch(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        body = call.json()
        if not isinstance(body, dict) or not isinstance(body.get("data"), list) or not body["data"]:
            raise Refused('a batch is {"data": [operation, ...]}')

        def run() -> dict[str, object]:
            return {"data": [self._batch_item(account, key, item) for item in body["data"]]}

        return self._effect(account, self._options.create_stream, run)

    def _batch_item(self, account: BsxAccount, key: ApiKey, item: Any) -> dict[str, object]:
        """One operation; a refusal concerns its own item only."""
        try:
            if not isinstance(item, dict):
                raise Refused("an operation must be an object")
            response_key, response = self._batch_operation(account, key, item)
        except Refused as refused:
            return {"code": refused.code, "message": refused.message}
        return {"code": self._options.batch_success_code, "message": "", response_key: response}

    def _batch_operation(self, account: BsxAccount, key: ApiKey, item: dict[str, Any]) -> tuple[str, dict[str, object]]:
        match item.get("op_type"):
            case "CREATE":
                body = item.get("create_order_request")
                return "create_order_response", self._create_one(account, key, body)
            case "CANCEL":
                body = _object(item, "cancel_request")
                _only(body, ("order_id", "nonce", "client_order_id"))
                if body.get("client_order_id"):
                    order = self._exchange.find_open_client_order(account.address, str(body["client_order_id"]))
                    self._exchange.request_cancel(order)
                    return "cancel_response", self._canceled(order, "order_id")
                response = self._cancel_key(account, body.get("order_id"), body.get("nonce"))
                return "cancel_response", response
            case "CANCEL_BULK":
                body = _object(item, "cancel_orders_request")
                _only(body, ("order_ids", "nonces", "client_order_ids"))
                return "cancel_orders_response", self._cancel_list(account, body)
            case "CANCEL_ALL":
                body = _object(item, "cancel_all_orders_request")
                _only(body, ("product_id",))
                response = self._cancel_product(account, body.get("product_id"))
                return "cancel_orders_response", response
            case other:
                raise Refused(f"invalid op_type: {other!r}")

    # -- queries --------------------------------------------------------------------------------------------

    def _open_orders(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        _only(call.query, ("product_id",))
        product = call.one("product_id")
        _known_product(product)
        hidden = {"DONE"}
        if not self._options.open_orders_include_pending:
            hidden.add("PENDING")
        if not self._options.open_orders_include_stops:
            hidden.add("STOP_ACCEPTED")
        views = self._shown(account, "GET /orders")
        shown = [v for v in views if v.status not in hidden and product in (None, "", v.order.product)]
        return Answer(200, [self._wire.order(view, in_snapshot=True) for view in shown])

    def _order_history(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        _only(call.query, _HISTORY_PARAMETERS)
        product = call.one("product_id")
        _known_product(product)
        statuses = call.query.get("statuses", [])
        client_ids = {text.lower() for text in call.query.get("client_order_ids", [])}
        by_update = call.one("sorted_by") == "UPDATED_AT"
        start, end = _number(call, "start_time", 0), _number(call, "end_time", 2**63)

        def time_of(view: OrderView) -> int:
            return view.updated_ns if by_update else view.order.created_ns

        views = [
            view
            for view in self._shown(account, "GET /order-history")
            if product in (None, "", view.order.product)
            and (not statuses or view.status in statuses)
            and (not client_ids or view.order.client_order_id.lower() in client_ids)
            and start <= time_of(view) <= end
        ]
        views.sort(key=time_of, reverse=call.one("sorting") != "ASC")
        limit = min(_number(call, "limit", 100), self._options.max_limit)
        return Answer(200, [self._wire.order(view, in_snapshot=True) for view in views[:limit]])

    def _trade_history(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        _only(call.query, ("product_id", "start_time", "end_time", "limit", "page"))
        product = call.one("product_id")
        _known_product(product)
        start, end = _number(call, "start_time", 0), _number(call, "end_time", 2**63)
        fills = self._ledger.fills(account=account.address, product=product or None)
        fills = fills[: max(0, len(fills) - self._faults.lag("GET /trade-history"))]
        fills = [fill for fill in reversed(fills) if start <= fill.time_ns <= end]
        limit = min(_number(call, "limit", 100), self._options.max_limit)
        page = _number(call, "page", 1)
        shown = fills[(page - 1) * limit : page * limit]
        body = {
            "product_id": product or "",
            "wallet_address": account.address,
            "trades": [self._wire.trade(fill) for fill in shown],
            "page": page,
            "total": len(fills),
        }
        return Answer(200, body)

    # -- inside ---------------------------------------------------------------------------------------------

    def _effect(self, account: BsxAccount, stream: StreamOrder, work: Callable[[], dict[str, object]]) -> Answer:
        """Do something that the stream tells of, in the order that the options ask for."""
        return self._feed.outbox.answered({account.address: stream}, lambda: Answer(200, work()))

    def _shown(self, account: BsxAccount, route: str) -> list[OrderView]:
        return self._feed.shown(account.address, self._faults.lag(route))


def _only(given: Any, known: tuple[str, ...]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Refused(f"unknown parameter {unknown[0]!r}")


def _object(item: dict[str, Any], name: str) -> dict[str, Any]:
    body = item.get(name)
    if not isinstance(body, dict):
        raise Refused(f"{name} is required")
    return body


def _known_product(product: object) -> None:
    if product not in (None, "") and (not isinstance(product, str) or product not in INDEX_OF):
        raise Refused(f"unknown product_id {product!r}")


def _number(call: Call, name: str, default: int) -> int:
    text = call.one(name)
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit():
        raise Refused(f"invalid {name}: {text!r}")
    return int(text) or default  # zero is protobuf's "not set"
