"""The order endpoints of the simulated sFOX (protocol 7.1, 7.3-7.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.model import OrderState, SimOrder
from nautilus_orderfeeds.sim.outbox import StreamOrder
from nautilus_orderfeeds.sim.server import Answer, Call
from nautilus_orderfeeds.venues.sfox.twin_accounts import Funds, Key, Refused
from nautilus_orderfeeds.venues.sfox.twin_exchange import SfoxExchange
from nautilus_orderfeeds.venues.sfox.twin_gate import Access, Gate
from nautilus_orderfeeds.venues.sfox.twin_limits import Limit
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_outbox import AccountOutbox
from nautilus_orderfeeds.venues.sfox.twin_request import read_amend, read_body, read_order, read_side
from nautilus_orderfeeds.venues.sfox.twin_views import OrderView, Records
from nautilus_orderfeeds.venues.sfox.twin_wire import Wire
from nautilus_orderfeeds.venues.sfox.twin_words import (
    AmendAnswer,
    CancelAnswer,
    Channel,
    CreateAnswer,
    FilledListed,
    Spelling,
    Status,
)

_PAGE = 50
_LIST_PARAMETERS = frozenset(("limit", "before", "after", "action", "currency_pair", "algorithm_id", "status"))
_NOT_CANCELABLE = "the order ids provided were invalid or the orders were already done/canceled"


class OrderRoutes:
    """Adds the order endpoints to a server."""

    def __init__(
        self,
        gate: Gate,
        exchange: SfoxExchange,
        records: Records,
        outbox: AccountOutbox,
        funds: Funds,
        wire: Wire,
        faults: FaultInjector,
        options: SfoxTwinOptions,
    ) -> None:
        self._exchange = exchange
        self._records = records
        self._outbox = outbox
        self._funds = funds
        self._wire = wire
        self._faults = faults
        self._options = options
        trade = Access.TRADE
        gate.private("POST", "/v1/orders/{side}", self._create, access=trade, limit=Limit.CREATE)
        gate.private("PATCH", "/v1/orders/{order_id}", self._amend, access=trade)
        gate.private("DELETE", "/v1/orders/open", self._cancel_all, access=trade)
        gate.private("DELETE", "/v1/orders/{order_id}", self._cancel_one, access=trade)
        gate.private("DELETE", "/v1/orders", self._cancel_many, access=trade)
        gate.private("GET", "/v1/orders", self._open_orders, limit=Limit.OPEN_ORDERS)
        gate.private("GET", "/v1/orders/done", self._done_orders, limit=Limit.DONE_ORDERS)
        gate.private("GET", "/v1/orders/{order_id}", self._order)

    # -- order entry ----------------------------------------------------------------------------------------

    async def _create(self, call: Call, key: Key) -> Answer:
        side = read_side(call.params["side"])
        request = read_order(side, read_body(call, takes_form=True), self._options.max_client_id)

        def work() -> Answer:
            order, taken_in = self._exchange.create(key.account, request)
            is_started = self._options.create_answer is CreateAnswer.STARTED
            return Answer(201, self._wire.rest_order(taken_in if is_started else self._view(order)))

        return await self._effect(key.account, self._options.create_stream, self._options.create_trades, work)

    async def _amend(self, call: Call, key: Key) -> Answer:
        changes = read_amend(read_body(call, takes_form=False))
        order = self._find(key.account, call.params["order_id"], by_client_id=False)
        if order is None:
            raise Refused("internal error", status=400)

        def work() -> Answer:
            self._exchange.amend(order, changes)
            match self._options.amend_answer:
                case AmendAnswer.ORDER:
                    return Answer(200, self._wire.rest_order(self._view(order)))
                case AmendAnswer.EMPTY:
                    return Answer(200)

        return await self._effect(key.account, self._options.amend_stream, self._options.amend_stream, work)

    async def _cancel_one(self, call: Call, key: Key) -> Answer:
        by_client_id = self._options.cancel_by_client_id
        order = self._find(key.account, call.params["order_id"], by_client_id=by_client_id)
        if order is None:
            raise Refused("internal error", status=400)
        if not order.is_open:
            return self._finished()

        def work() -> Answer:
            self._exchange.request_cancel(order)
            if order.state is OrderState.FILLED:
                return self._finished()
            word = self._cancel_word(order)
            match self._options.cancel_answer:
                case CancelAnswer.STATUS:
                    return Answer(200, {"status": word.lower()})
                case CancelAnswer.WITH_ID:
                    return Answer(200, {"id": int(order.venue_order_id), "status": word})
                case CancelAnswer.EMPTY:
                    return Answer(200)

        return await self._effect(key.account, self._options.cancel_stream, self._options.cancel_stream, work)

    def _finished(self) -> Answer:
        return Answer(self._options.finished_cancel_status, {"status": "order already finished"})

    async def _cancel_many(self, call: Call, key: Key) -> Answer:
        texts = [text for value in call.query.get("ids", []) for text in value.split(",")]
        orders = {
            order.venue_order_id: order
            for text in texts
            if (order := self._find(key.account, text.strip(), by_client_id=False)) is not None and order.is_open
        }
        if not orders:
            raise Refused(_NOT_CANCELABLE, status=400)
        return await self._cancel_all_of(key, orders.values())

    async def _cancel_all(self, call: Call, key: Key) -> Answer:
        return await self._cancel_all_of(key, self._funds.open_orders(key.account))

    async def _cancel_all_of(self, key: Key, orders: Iterable[SimOrder]) -> Answer:
        def work() -> Answer:
            rows: list[dict[str, object]] = []
            for order in orders:
                self._exchange.request_cancel(order)
                if order.state is OrderState.FILLED:
                    continue
                rows.append({"id": int(order.venue_order_id), "status": self._cancel_word(order)})
            return Answer(200, {"orders": rows})

        return await self._effect(key.account, self._options.cancel_stream, self._options.cancel_stream, work)

    def _cancel_word(self, order: SimOrder) -> str:
        """How cancel answers spell the status: a capital letter at most at the beginning (7.3)."""
        status = Status.CANCEL_PENDING if order.is_open else Status.CANCELED
        return Spelling.SENTENCE.write(status.text)

    # -- queries --------------------------------------------------------------------------------------------

    async def _order(self, call: Call, key: Key) -> Answer:
        order = self._find(key.account, call.params["order_id"], by_client_id=True)
        for view in self._shown(key.account, "GET /v1/orders/{order_id}") if order is not None else ():
            if view.order is order:
                return Answer(200, self._wire.rest_order(view))
        raise Refused("order not found", status=self._options.unknown_order_status)

    async def _open_orders(self, call: Call, key: Key) -> Answer:
        views = self._shown(key.account, "GET /v1/orders")
        also_filled = self._options.filled_listed is FilledListed.OPEN
        listed = [v for v in views if v.status.is_open or (also_filled and v.status is Status.FILLED)]
        return self._page(call, listed)

    async def _done_orders(self, call: Call, key: Key) -> Answer:
        wanted = {Status.DONE}
        if self._options.filled_listed is FilledListed.DONE:
            wanted.add(Status.FILLED)
        if self._options.done_includes_canceled:
            wanted.add(Status.CANCELED)
        views = self._shown(key.account, "GET /v1/orders/done")
        return self._page(call, [view for view in views if view.status in wanted])

    def _page(self, call: Call, views: list[OrderView]) -> Answer:
        """Newest first; `before` pages to older orders, `after` to newer ones."""
        unknown = sorted(set(call.query) - _LIST_PARAMETERS)
        if unknown:
            raise Refused(f"unknown parameter: {unknown[0]}", status=400)
        before, after = _number(call, "before"), _number(call, "after")
        if before is not None and after is not None:
            raise Refused("before and after are mutually excusive parameters", status=400)  # the venue's spelling
        limit = min(_number(call, "limit") or _PAGE, _PAGE)
        views = sorted((view for view in views if self._matches(call, view)), key=_id)
        if after is not None:
            views = [view for view in views if _id(view) > after][:limit]
        else:
            views = [view for view in views if before is None or _id(view) < before][-limit:]
        return Answer(200, [self._wire.rest_order(view, is_listed=True) for view in reversed(views)])

    def _matches(self, call: Call, view: OrderView) -> bool:
        order = view.order
        action, pair = call.one("action"), call.one("currency_pair")
        algorithm_id, status = call.one("algorithm_id"), call.one("status")
        return (
            (action is None or action.lower() == order.side.value.lower())
            and (pair is None or pair == order.product)
            and (algorithm_id is None or algorithm_id == str(order.info["algorithm_id"]))
            and (status is None or status == (view.text or self._options.spelling.write(view.status.text)))
        )

    # -- inside ---------------------------------------------------------------------------------------------

    def _find(self, account: str, text: str, *, by_client_id: bool) -> SimOrder | None:
        order = self._exchange.find(account, text)
        is_own_id = order is not None and order.venue_order_id == text
        return order if is_own_id or by_client_id else None

    def _view(self, order: SimOrder) -> OrderView:
        return self._records.latest(order.account, order.venue_order_id)

    def _shown(self, account: str, route: str) -> list[OrderView]:
        return self._records.shown(account, self._faults.lag(route))

    async def _effect(
        self, account: str, orders: StreamOrder, trades: StreamOrder, work: Callable[[], Answer]
    ) -> Answer:
        """Do something that the feeds tell of, in the order that the options ask for."""
        when = {Channel.ORDERS: orders, Channel.BALANCES: orders, Channel.TRADES: trades}
        answer = self._outbox.answered({(account, channel): order for channel, order in when.items()}, work)
        if StreamOrder.BEFORE_ANSWER in when.values():
            await answer.late(self._options.answer_lag_secs)
        return answer


def _id(view: OrderView) -> int:
    return int(view.order.venue_order_id)


def _number(call: Call, name: str) -> int | None:
    text = call.one(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise Refused(f"{name} must be a number", status=400)
    return int(text)
