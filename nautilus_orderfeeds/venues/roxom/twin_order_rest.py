"""The order endpoints of the simulated Roxom (protocol 4.1-4.5)."""

from __future__ import annotations

from collections.abc import Callable

from nautilus_orderfeeds.sim.outbox import StreamOrder
from nautilus_orderfeeds.sim.server import Answer, Call
from nautilus_orderfeeds.venues.roxom.twin_errors import Refused
from nautilus_orderfeeds.venues.roxom.twin_exchange import Exchange
from nautilus_orderfeeds.venues.roxom.twin_feed import AccountFeed
from nautilus_orderfeeds.venues.roxom.twin_gate import Gate
from nautilus_orderfeeds.venues.roxom.twin_keys import RoxomAccount, read_object
from nautilus_orderfeeds.venues.roxom.twin_options import RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_outbox import AccountOutbox
from nautilus_orderfeeds.venues.roxom.twin_products import Unit
from nautilus_orderfeeds.venues.roxom.twin_request import (
    check_inst_type,
    check_query,
    invalid,
    query_flag,
    read_order,
    read_symbol,
    read_unit,
)
from nautilus_orderfeeds.venues.roxom.twin_wire import OrderView, Wire
from nautilus_orderfeeds.venues.roxom.twin_words import Status

_ORDERS = "/orders"
_ORDER = "/orders/{orderId}"


class OrderRoutes:
    """Adds the order endpoints to a server."""

    def __init__(
        self,
        gate: Gate,
        exchange: Exchange,
        feed: AccountFeed,
        outbox: AccountOutbox,
        wire: Wire,
        options: RoxomTwinOptions,
    ) -> None:
        self._gate = gate
        self._exchange = exchange
        self._feed = feed
        self._outbox = outbox
        self._wire = wire
        self._options = options
        gate.private("POST", _ORDERS, self._create)
        gate.private("POST", "/orders/cancel-all", self._cancel_all)
        gate.private("POST", "/orders/{orderId}/cancel", self._cancel)
        gate.private("GET", _ORDERS, self._list)
        gate.private("GET", _ORDER, self._one)

    # -- order entry ----------------------------------------------------------------------------------------

    def _create(self, call: Call, account: RoxomAccount) -> Answer:
        check_query(call, ())
        request = read_order(read_object(call.body), self._options)

        def work() -> object:
            order = self._exchange.create(account.account_id, request)
            return self._wire.success({"orderId": order.venue_order_id})

        return self._effect(account, self._options.create_stream, work)

    def _cancel(self, call: Call, account: RoxomAccount) -> Answer:
        _no_body(call)

        def work() -> object:
            self._exchange.cancel(account.account_id, call.params["orderId"])
            return self._wire.success({"success": True}, has_flag=False)

        return self._effect(account, self._options.cancel_stream, work)

    def _cancel_all(self, call: Call, account: RoxomAccount) -> Answer:
        _no_body(call)

        def work() -> object:
            return self._wire.success({"cancelledOrderIds": self._exchange.cancel_all(account.account_id)})

        return self._effect(account, self._options.cancel_stream, work)

    def _effect(self, account: RoxomAccount, stream: StreamOrder, work: Callable[[], object]) -> Answer:
        """Do something that the stream tells of, in the order that the options ask for."""
        return self._outbox.answered({account.account_id: stream}, lambda: Answer(200, work()))

    # -- queries --------------------------------------------------------------------------------------------

    def _one(self, call: Call, account: RoxomAccount) -> Answer:
        check_query(call, ("unit",))
        unit = read_unit(call.one("unit"), Unit.SATS, self._options)
        order_id = call.params["orderId"]
        for view in self._feed.shown(account.account_id, self._gate.lag(call, _ORDER)):
            if view.order.venue_order_id == order_id:
                row = self._wire.rest_order(view, unit, in_list=False)
                return Answer(200, self._wire.success({"order": row}, has_flag=False))
        raise Refused("Order not found", f"Order '{order_id}' does not exist", status=404)

    def _list(self, call: Call, account: RoxomAccount) -> Answer:
        check_query(call, ("instType", "symbol", "includeClosed", "unit"))
        check_inst_type(call.one("instType"))
        unit = read_unit(call.one("unit"), Unit.BTC, self._options)
        symbol = call.one("symbol")
        product = None if symbol is None else read_symbol(symbol).symbol
        with_closed = query_flag(call, "includeClosed")
        views = self._feed.shown(account.account_id, self._gate.lag(call, _ORDERS))
        views = [view for view in views if product in (None, view.order.product) and self._is_listed(view)]
        closed = [view for view in views if not view.is_open]
        kept = {view.order.venue_order_id for view in closed[max(0, len(closed) - self._options.closed_kept) :]}
        rows = [
            self._wire.rest_order(view, unit, in_list=True)
            for view in views
            if view.is_open or (with_closed and view.order.venue_order_id in kept)
        ]
        return Answer(200, self._wire.success({"orders": rows}))

    def _is_listed(self, view: OrderView) -> bool:
        match view.status:
            case Status.PENDINGSUBMIT:
                return not self._options.list_hides_pending
            case Status.WAITINGTRIGGER:
                return not self._options.list_hides_waiting
            case _:
                return True


def _no_body(call: Call) -> None:
    """Cancels have neither body nor parameters (4.2, 4.3); an empty object passes for none."""
    check_query(call, ())
    if read_object(call.body):
        raise invalid("a cancel has no body")
