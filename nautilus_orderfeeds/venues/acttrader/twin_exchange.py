"""Order entry of the simulated ActTrader: from a request to the market and back to its answer (5.1-5.6, 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import (
    EndReason,
    Linked,
    OrderKind,
    Product,
    Side,
    SimOrder,
    TimeInForce,
    Trigger,
)
from nautilus_orderfeeds.venues.acttrader.twin_feed import SILENT_END, ExecutionFeed
from nautilus_orderfeeds.venues.acttrader.twin_fields import ErrorName, Refused
from nautilus_orderfeeds.venues.acttrader.twin_margin import Margin
from nautilus_orderfeeds.venues.acttrader.twin_options import (
    ActTraderTwinOptions,
    AnswerTime,
    ModifyQuantity,
    Refusal,
)
from nautilus_orderfeeds.venues.acttrader.twin_request import (
    Cancel,
    Lifetime,
    ListOrders,
    Modify,
    NewOco,
    NewOrder,
    OrderKey,
    OrderType,
    Request,
    Status,
)
from nautilus_orderfeeds.venues.acttrader.twin_wire import OrderView, Shape, Wire, type_of

_US = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """
    The answer to a request.

    `payload` is `None` for a bare one; `login` is whose order it was about, if about one.
    """

    payload: object = None
    when: AnswerTime = AnswerTime.BEFORE_EXECUTION
    has_request_id: bool = True
    login: str = ""


class Exchange:
    """
    Everything between a well-formed request and the market.

    Parameters
    ----------
    clock : SimClock
    market : Market
    feed : ExecutionFeed
    wire : Wire
    faults : FaultInjector
    options : ActTraderTwinOptions
    logins : Sequence[str]
        Who may trade.
    later : Later
    """

    def __init__(
        self,
        clock: SimClock,
        market: Market,
        feed: ExecutionFeed,
        wire: Wire,
        faults: FaultInjector,
        options: ActTraderTwinOptions,
        logins: Sequence[str],
        later: Later,
    ) -> None:
        self._clock = clock
        self._market = market
        self._feed = feed
        self._wire = wire
        self._faults = faults
        self._options = options
        self._logins = logins
        self._later = later
        self._margin = Margin(market, options)
        self._orders: dict[int, SimOrder] = {}
        self._by_client_order_id: dict[str, SimOrder] = {}
        # From the clock: the ids of an earlier run may still stand in a client's journal.
        self._order_ids = count(clock.now_ns() // _US)
        self._rejects: list[str] = []
        market.listeners.append(feed.on_batch)

    @property
    def main_login(self) -> str:
        """The first login."""
        return self._logins[0]

    def reject_next_order(self, reason: str) -> None:
        """Let the next `newordersingle` or `neworderoco` be refused, in the way of the option `refusal`."""
        self._rejects.append(reason)

    def handle(self, request: Request) -> Answer:
        """
        Do what is asked.

        Raises
        ------
        Refused
            For an `error` answer.
        """
        match request:
            case NewOrder():
                return self._new(request)
            case NewOco():
                return self._new_oco(request)
            case Modify():
                return self._modify(request)
            case Cancel():
                return self._cancel(request)
            case Status():
                return self._status(request)
            case ListOrders():
                return self._list(request)

    # -- new orders -----------------------------------------------------------------------------------------

    def _new(self, request: NewOrder) -> Answer:
        refused_by = self._check([request])
        order = self.make(request)
        return self._take_in(
            [order], refused_by, self._wire.accepted(order, "NEW"), self._wire.accepted(order, "REJECTED")
        )

    def _new_oco(self, request: NewOco) -> Answer:
        refused_by = self._check(request.legs)
        legs = [self.make(leg) for leg in request.legs]
        linked = Linked(self._options.oco_rule, legs)
        for leg in legs:
            leg.linked = linked
        new, rejected = (self._wire.oco_accepted(legs, status) for status in ("NEW", "REJECTED"))
        return self._take_in(legs, refused_by, new, rejected)

    def _take_in(self, orders: list[SimOrder], refused_by: str, new: object, rejected: object) -> Answer:
        """Let orders begin their life, or end it at once in the way that the options say."""
        login = orders[0].account
        if not refused_by:
            for order in orders:
                self._enter(order)
            return Answer(new, self._options.new_answer, login=login)
        refusal = self._options.refusal
        for order in orders:
            if refusal is Refusal.ANSWER:
                order.info[SILENT_END] = True
            self._market.refuse(order, EndReason.REFUSED, refused_by)
        match refusal:
            case Refusal.ANSWER:
                return Answer(rejected, login=login)
            case Refusal.NEW_THEN_EXECUTION:
                return Answer(new, login=login)
            case _:
                return Answer(None, AnswerTime.NEVER, login=login)

    def _enter(self, order: SimOrder) -> None:
        """Bring an order to the market, at once or a little later."""
        if self._options.match_delay_secs:
            order.created_ns = order.updated_ns = self._clock.now_ns()
            self._market.ledger.add_order(order)
            self._feed.taken_in(order)

        def submit() -> None:
            if order.is_open:  # it may have been canceled on its way
                self._market.submit(order)

        self._later.once(self._options.match_delay_secs, submit)

    def make(self, request: NewOrder, *, all_or_none: bool = True) -> SimOrder:
        """An order with the next id of the one sequence, not submitted yet; `all_or_none` only matters for AON."""
        order_id = next(self._order_ids)
        trigger = None
        if request.stop_price is not None:
            trigger = Trigger(request.stop_price, rises=request.side is Side.BUY, source=self._options.stop_source)
        order = SimOrder(
            venue_order_id=str(order_id),
            account=request.login,
            product=request.symbol,
            side=request.side,
            quantity=request.quantity,
            price=request.price,
            kind=OrderKind.LIMIT if request.type.has_price else OrderKind.MARKET,
            time_in_force=_TIMES_IN_FORCE[request.lifetime],
            client_order_id=request.client_order_id,
            expire_ns=request.till_ns or None,
            all_or_none=request.lifetime is Lifetime.AON and self._options.all_or_none and all_or_none,
            trigger=trigger,
            info={"type": request.type, "lifetime": request.lifetime},
        )
        self._orders[order_id] = order
        if order.client_order_id:
            self._by_client_order_id[order.client_order_id] = order
        return order

    # -- checks ---------------------------------------------------------------------------------------------

    def _check(self, orders: Sequence[NewOrder]) -> str:
        """
        Why orders are refused by something else than an `error`; empty if they are not.

        Raises
        ------
        Refused
            For those that are refused by an `error`.
        """
        first = orders[0]
        if first.symbol not in self._market.products:
            raise Refused(f"unknown symbol {first.symbol}", ErrorName.NOT_ALLOWED)
        if first.login not in self._logins:
            raise Refused(f"unknown login {first.login}", ErrorName.NOT_ALLOWED)
        problem = self._rejects.pop(0) if self._rejects else ""
        problem = problem or next(filter(None, map(self._problem, orders)), "")
        if problem and self._options.refusal is Refusal.ERROR:
            raise Refused(problem, ErrorName.NOT_ALLOWED)
        return problem

    def _problem(self, request: NewOrder) -> str:
        product = self._market.products[request.symbol]
        if request.till_ns and request.till_ns <= self._clock.now_ns():
            return "lifetime is over"
        if self._options.refuse_reused_client_order_ids and request.client_order_id in self._by_client_order_id:
            return f"clientOrderId {request.client_order_id} was used before"
        problem = _size_problem(product, request.quantity) or _price_problem(product, request.price, request.stop_price)
        return problem or ("" if self._margin.covers(request) else "insufficient margin")

    # -- live orders ----------------------------------------------------------------------------------------

    def _modify(self, request: Modify) -> Answer:
        order = self._find_open(request.key)
        kind, product = type_of(order), self._market.products[order.product]
        price = self._usable(request.price, "price", kind, kind.has_price)
        stop_price = self._usable(request.stop_price, "stopPrice", kind, kind.has_stop)
        quantity = request.quantity
        if quantity is not None:
            if self._options.modify_quantity is ModifyQuantity.REMAINDER:
                quantity += order.filled
            problem = _size_problem(product, quantity)
            if problem or quantity <= order.filled:
                raise Refused(problem or f"quantity {quantity} is not above the executed", ErrorName.NOT_ALLOWED)
        if problem := _price_problem(product, price, stop_price):
            raise Refused(problem, ErrorName.NOT_ALLOWED)
        if request.till_ns and request.till_ns <= self._clock.now_ns():
            raise Refused("lifetime is over", ErrorName.NOT_ALLOWED)

        def amend() -> None:
            if not order.is_open or (quantity is not None and quantity <= order.filled):
                return  # too late: it traded or ended meanwhile
            if request.new_client_order_id:
                self._rename(order, request.new_client_order_id)
            self._market.amend(order, price=price, quantity=quantity, trigger=stop_price, expire_ns=request.till_ns)

        self._later.once(0.0 if self._options.modify_payload else self._options.bare_effect_delay_secs, amend)
        payload = self._wire.modified(order, request.asked) if self._options.modify_payload else None
        return Answer(payload, self._options.modify_answer, login=order.account)

    def _rename(self, order: SimOrder, client_order_id: str) -> None:
        if self._by_client_order_id.get(order.client_order_id) is order:
            del self._by_client_order_id[order.client_order_id]
        order.client_order_id = client_order_id
        self._by_client_order_id[client_order_id] = order
        self._market.ledger.add_alias(order, client_order_id)

    def _usable(self, value: Decimal | None, name: str, kind: OrderType, wanted: bool) -> Decimal | None:
        if wanted or value is None:
            return value
        if self._options.strict_prices:
            raise Refused(f"{name} is not supported for {kind.value}")
        return None

    def _cancel(self, request: Cancel) -> Answer:
        order = self._find_open(request.key)

        def cancel() -> None:
            if order.is_open and not self._options.cancel_execution:
                order.info[SILENT_END] = True
            self._market.cancel(order)

        self._later.once(0.0 if self._options.cancel_payload else self._options.bare_effect_delay_secs, cancel)
        payload = self._wire.canceled(order) if self._options.cancel_payload else None
        return Answer(payload, self._options.cancel_answer, login=order.account)

    def _find(self, key: OrderKey) -> SimOrder:
        """The order of this orderId, or the latest one of this clientOrderId. Raises `Refused`."""
        by_id, by_client_order_id = self._orders, self._by_client_order_id
        order = by_id.get(key.order_id) if key.order_id else by_client_order_id.get(key.client_order_id)
        if order is None:
            raise Refused("order does not exist", ErrorName.ORDER_NOT_EXISTS)
        if key.client_order_id and order.client_order_id != key.client_order_id:
            raise Refused(f"orderId {key.order_id} and clientOrderId {key.client_order_id} are not one order")
        return order

    def _find_open(self, key: OrderKey) -> SimOrder:
        order = self._find(key)
        if not order.is_open:
            raise Refused("order is closed", ErrorName.ORDER_ALREADY_CLOSED)
        return order

    # -- questions ------------------------------------------------------------------------------------------

    def _status(self, request: Status) -> Answer:
        order = self._find(request.key)
        view: OrderView | None = self._feed.view(order)
        if lag := self._faults.lag("orderstatus"):
            view = next((v for v in self._feed.shown(lag) if v.order is order), None)
        if view is None:
            raise Refused("order does not exist", ErrorName.ORDER_NOT_EXISTS)
        return Answer(self._wire.order(view, Shape.STATUS), login=order.account)

    def _list(self, request: ListOrders) -> Answer:
        views = self._feed.shown(self._faults.lag("orders"))
        rows = [self._wire.order(view, Shape.ROW) for view in views if self._is_listed(view, request.from_ns)]
        return Answer(rows, has_request_id=bool(self._options.orders_request_id))

    def _is_listed(self, view: OrderView, from_ns: int | None) -> bool:
        """Pending conditional orders, and filled and canceled ones since a time (5.4)."""
        if type_of(view.order) is OrderType.MARKET and not self._options.orders_include_market:
            return False
        if view.state.is_open:
            return True
        if self._options.is_draft:
            return self._options.orders_include_ended
        is_named = self._wire.status(view) in ("FILLED", "CANCELED")
        return is_named and from_ns is not None and view.updated_ns >= from_ns


_TIMES_IN_FORCE = {
    Lifetime.GTC: TimeInForce.GTC,
    Lifetime.GTT: TimeInForce.GTD,
    Lifetime.AON: TimeInForce.GTC,
    Lifetime.FOK: TimeInForce.FOK,
    Lifetime.IOC: TimeInForce.IOC,
    Lifetime.TPI: TimeInForce.GTC,
}


def _size_problem(product: Product, quantity: Decimal) -> str:
    if quantity < product.min_size or quantity % product.lot:
        return f"quantity {quantity} is not at least {product.min_size} in steps of {product.lot}"
    return ""


def _price_problem(product: Product, *prices: Decimal | None) -> str:
    for price in prices:
        if price is not None and price % product.tick:
            return f"price {price} is not a multiple of {product.tick}"
    return ""
