"""Order entry of the simulated sFOX: from a request to an order in the market, and back out (protocol 6, 7.1-7.4)."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import (
    ZERO,
    Batch,
    EndReason,
    OrderKind,
    OrderState,
    Side,
    SimOrder,
    TimeInForce,
    TradePrinted,
    Trigger,
)
from nautilus_orderfeeds.venues.sfox.twin_accounts import Funds, Refused
from nautilus_orderfeeds.venues.sfox.twin_feed import PrivateFeeds
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_products import FIAT, Algorithm, price_decimals
from nautilus_orderfeeds.venues.sfox.twin_request import OrderRequest
from nautilus_orderfeeds.venues.sfox.twin_rfq import Quotes
from nautilus_orderfeeds.venues.sfox.twin_views import OrderView, first_number
from nautilus_orderfeeds.venues.sfox.twin_words import ExcessDecimals, FokFailure

_PLACES = Decimal("0.00000001")
_BPS = Decimal(10_000)
_MS = 1_000_000
_HOUR_NS = 3_600 * 1_000_000_000


class SfoxExchange:
    """
    Everything between a well-formed request and the market.

    Parameters
    ----------
    clock : SimClock
    market : Market
    feeds : PrivateFeeds
    funds : Funds
    quotes : Quotes
    options : SfoxTwinOptions
    later : Later
    """

    def __init__(
        self,
        clock: SimClock,
        market: Market,
        feeds: PrivateFeeds,
        funds: Funds,
        quotes: Quotes,
        options: SfoxTwinOptions,
        later: Later,
    ) -> None:
        self._clock = clock
        self._market = market
        self._feeds = feeds
        self._funds = funds
        self._quotes = quotes
        self._options = options
        self._later = later
        self._next_order_id = first_number(clock)
        self._client_ids: dict[tuple[str, str], int] = {}
        self._refusals: list[Refused] = []
        self._trailing: list[SimOrder] = []
        market.listeners.append(self._on_batch)

    def refuse_next_order(self, text: str, status: int = 422) -> None:
        """Let the next create be refused with this text."""
        self._refusals.append(Refused(text, status=status))

    # -- creating -------------------------------------------------------------------------------------------

    def find(self, account: str, key: str) -> SimOrder | None:
        """The order of an account with this id or client order id (the latest one that used it)."""
        return self._market.ledger.find_order(key, account)

    def create(self, account: str, request: OrderRequest) -> tuple[SimOrder, OrderView]:
        """
        Take an order in.

        Returns
        -------
        tuple[SimOrder, OrderView]
            The order, and how it looked when it was taken in.

        Raises
        ------
        Refused
            422 (or as the options say) for a client order id of the last 24 hours, a size below the minimum,
            too many decimals, not enough funds, a FOK order that cannot be filled, or an unknown quote.
        """
        if self._refusals:
            raise self._refusals.pop(0)
        self._check_client_id(account, request.client_order_id)
        if request.quote_id:
            return self._execute_quote(account, request)
        order = self._order(account, request)
        self._check_minimum(order, request)
        self._check_funds(order, self._cost(order, order.price, order.quantity, request.amount))
        if order.expire_ns is not None and order.expire_ns <= self._clock.now_ns():
            raise Refused("invalid expires: not in the future")
        if order.time_in_force is TimeInForce.FOK and self._options.fok_failure is FokFailure.REFUSED:
            whole = order.quote_amount if order.quote_amount is not None else order.quantity
            if self._market.fillable(order) < whole:
                raise Refused("order could not be filled")
        return order, self.take_in(order)

    def take_in(self, order: SimOrder) -> OrderView:
        """Let an order begin its life: `Started`, then it meets the market at once or a little later."""
        self._begin(order)
        taken_in = self._feeds.view(order)
        product = self._market.products[order.product]
        self._feeds.tell_order(taken_in)
        self._feeds.tell_balances(order.account, [product.base if order.side is Side.SELL else product.quote])
        self._later.once(self._options.match_delay_secs, lambda: self._process(order))
        return taken_in

    def _begin(self, order: SimOrder) -> None:
        order.created_ns = order.updated_ns = self._clock.now_ns()
        self._market.ledger.add_order(order)
        self._funds.watch(order)
        if order.client_order_id:
            self._client_ids[(order.account, order.client_order_id)] = order.created_ns

    def _process(self, order: SimOrder) -> None:
        if order.cancel_requested_ns:
            self._market.refuse(order, EndReason.USER)
            return
        self._market.submit(order)
        if order.info["algorithm_id"] == Algorithm.TRAILING_STOP.number and order.is_open:
            self._trailing.append(order)

    def _execute_quote(self, account: str, request: OrderRequest) -> tuple[SimOrder, OrderView]:
        """An RFQ execution is settled by the time it is answered (6)."""
        quote = self._quotes.take(account, request)
        order = self.new_order(
            account, request, quantity=quote.quantity, price=quote.price, algorithm=Algorithm.INSTANT
        )
        order.info.update(quote_id=quote.quote_id, routing_type="None", time_in_force="FOK", settled=True)
        self._check_funds(order, quote.quantity if order.side is Side.SELL else quote.quantity * quote.price)
        self._quotes.spend(quote)
        self._begin(order)
        self._market.deal(order, quote.price, quote.quantity)
        return order, self._feeds.view(order)

    def _order(self, account: str, request: OrderRequest) -> SimOrder:
        product, algorithm = request.product, request.algorithm
        decimals = price_decimals(product, self._options.fiat_price_decimals, self._options.crypto_price_decimals)
        price = self._fitting("price", request.price, decimals)
        quantity, amount = self._fitting("quantity", request.quantity, 8), self._fitting("amount", request.amount, 8)
        if algorithm.is_by_market and request.side is Side.BUY:
            quantity = None  # ignored: such a buy spends `amount` (7.1)
        order = self.new_order(account, request, quantity=quantity or ZERO, price=price, algorithm=algorithm)
        if amount is not None:
            rate = self.rate(request.routing_type)
            order.quote_amount = (amount / (1 + rate)).quantize(_PLACES, rounding=ROUND_DOWN)
            ask = self._reference(order)
            order.info.update(amount=amount, net_amount=order.quote_amount, estimate=order.quote_amount / ask)
        if algorithm.is_by_market:
            order.kind = OrderKind.MARKET
            order.info["market"] = True
            order.price = self._worst_price(order, request.max_slippage)
        if algorithm is Algorithm.STOP and price is not None:
            order.trigger = Trigger(price, rises=order.side is Side.BUY)
        elif algorithm is Algorithm.TRAILING_STOP:
            order.info.update(stop_amount=request.stop_amount, stop_percent=request.stop_percent)
            order.trigger = Trigger(self._trail(order), rises=order.side is Side.BUY)
        if algorithm is Algorithm.IOC:
            order.time_in_force = TimeInForce.IOC
        return order

    def new_order(
        self, account: str, request: OrderRequest, *, quantity: Decimal, price: Decimal | None, algorithm: Algorithm
    ) -> SimOrder:
        """An order with the next id that is not known to anybody yet."""
        self._next_order_id += 1
        return SimOrder(
            venue_order_id=str(self._next_order_id),
            account=account,
            product=request.product.symbol,
            side=request.side,
            quantity=quantity,
            price=price,
            time_in_force=request.time_in_force,
            client_order_id=request.client_order_id,
            expire_ns=request.expires_ms * _MS if request.expires_ms is not None else None,
            post_only=algorithm.is_maker,
            info={
                "algorithm_id": algorithm.number,
                "routing_type": request.routing_type,
                "routing_option": request.routing_option,
                "time_in_force": request.time_in_force.value,
                "destination": request.destination,
            },
        )

    # -- checks ---------------------------------------------------------------------------------------------

    def rate(self, routing_type: object) -> Decimal:
        """The taker's fee rate of a routing type (7.6)."""
        return self._options.smart_rate if routing_type == "Smart" else self._options.net_price_rate

    def _fitting(self, name: str, number: Decimal | None, decimals: int) -> Decimal | None:
        if number is None:
            return None
        step = Decimal(1).scaleb(-decimals)
        if number % step == 0:
            return number
        match self._options.excess_decimals:
            case ExcessDecimals.REFUSE:
                raise Refused(f"invalid {name}: {number} has more than {decimals} decimals")
            case ExcessDecimals.ROUND:
                return number.quantize(step, rounding=ROUND_HALF_UP)
            case ExcessDecimals.ACCEPT:
                return number

    def _check_client_id(self, account: str, client_order_id: str) -> None:
        used_ns = self._client_ids.get((account, client_order_id))
        if used_ns is not None and self._clock.now_ns() - used_ns < self._options.client_id_hours * _HOUR_NS:
            raise Refused("client_order_id already used", status=self._options.duplicate_client_id_status)

    def _check_minimum(self, order: SimOrder, request: OrderRequest) -> None:
        product = self._market.products[order.product]
        price = request.price if request.price is not None else self._reference(order)
        quantity = order.quote_amount / price if order.quote_amount is not None else order.quantity
        if product.quote not in FIAT:
            if quantity < self._options.min_quantity:
                raise Refused(f"quantity is below the minimum of {self._options.min_quantity}")
        elif (request.amount if request.amount is not None else quantity * price) < self._options.min_amount:
            raise Refused(f"amount is below the minimum of {self._options.min_amount}")

    def _cost(self, order: SimOrder, price: Decimal | None, quantity: Decimal, amount: Decimal | None) -> Decimal:
        """What an order may still cost with these terms: base units of a sell, quote units with fees of a buy."""
        if order.side is Side.SELL:
            return quantity - order.filled
        if amount is not None:
            return amount
        assert price is not None
        return (quantity - order.filled) * price * (1 + self.rate(order.info["routing_type"]))

    def _check_funds(self, order: SimOrder, cost: Decimal) -> None:
        product = self._market.products[order.product]
        currency = product.base if order.side is Side.SELL else product.quote
        if self._options.check_funds and cost > self._funds.spendable(order.account, currency, without=order):
            raise Refused("insufficient funds")

    def _reference(self, order: SimOrder) -> Decimal:
        """The price an order would meet now: the best one it may take, or the middle of an empty market."""
        bid, ask = self._market.best(order.product)
        best = ask if order.side is Side.BUY else bid
        return best if best is not None else self._market.mark(order.product)

    def _worst_price(self, order: SimOrder, slippage_bps: Decimal | None) -> Decimal | None:
        if slippage_bps is None or order.info["algorithm_id"] != Algorithm.MARKET.number:
            return None
        return self._reference(order) * (1 + order.side.sign * slippage_bps / _BPS)

    # -- canceling and amending -----------------------------------------------------------------------------

    def request_cancel(self, order: SimOrder) -> None:
        """Ask for the end of an open order; once more is no error."""
        if order.cancel_requested_ns or not order.is_open:
            return
        order.cancel_requested_ns = order.updated_ns = self._clock.now_ns()
        view = self._feeds.view(order)
        if self._options.cancel_pending_update:
            self._feeds.tell_order(view)
        self._later.once(self._options.cancel_delay_secs, lambda: self._cancel(order))

    def _cancel(self, order: SimOrder) -> None:
        if order.state is OrderState.PENDING or not order.is_open:
            return  # a pending one ends when it is processed
        size = (order.leaves * self._options.fill_while_canceling).quantize(_PLACES, rounding=ROUND_DOWN)
        if size > 0 and order.price is not None and order.trigger is None:
            self._market.deal(order, order.price, size)
        self._market.cancel(order, EndReason.USER)

    def amend(self, order: SimOrder, changes: dict[str, Decimal]) -> None:
        """
        Change an open order one way only.

        Raises
        ------
        Refused
            422 for a change in the wrong direction or one that the algorithm does not know, 400 if it ended.
        """
        if not order.is_open or order.cancel_requested_ns:
            raise Refused("order already finished", status=400)
        algorithm_id = order.info["algorithm_id"]
        stops = (Algorithm.STOP.number, Algorithm.TRAILING_STOP.number)
        decimals = price_decimals(
            self._market.products[order.product],
            self._options.fiat_price_decimals,
            self._options.crypto_price_decimals,
        )
        price, quantity = self._fitting("price", changes.get("price"), decimals), None
        if price is not None:
            self._check_price_change(order, price)
        if "quantity" in changes:
            quantity = self._fitting("quantity", changes["quantity"], 8)
            if order.quote_amount is not None or quantity is None or quantity < order.quantity:
                raise Refused("quantity may only be increased")
        if "amount" in changes and (algorithm_id not in stops or order.quote_amount is None):
            raise Refused("amount cannot be amended")
        for name in ("stop_amount", "stop_percent"):
            if name in changes and order.info.get(name) is None:
                raise Refused(f"{name} cannot be amended")
        amount = changes.get("amount")
        if amount is not None and amount < Decimal(str(order.info["amount"])):
            raise Refused("amount may only be increased")
        cost = self._cost(
            order,
            order.price if price is None or order.trigger is not None else price,
            order.quantity if quantity is None else quantity,
            amount if amount is not None else _amount(order),
        )
        self._check_funds(order, cost)
        self._apply(order, price, quantity, changes)

    def _check_price_change(self, order: SimOrder, price: Decimal) -> None:
        if order.info["algorithm_id"] == Algorithm.TRAILING_STOP.number:
            raise Refused("price cannot be amended")
        now = order.trigger.price if order.trigger is not None else order.price
        if now is None or (price - now) * order.side.sign < 0:
            raise Refused(f"price may only be {'increased' if order.side is Side.BUY else 'decreased'}")

    def _apply(
        self, order: SimOrder, price: Decimal | None, quantity: Decimal | None, changes: dict[str, Decimal]
    ) -> None:
        if "amount" in changes:
            order.quote_amount = (changes["amount"] / (1 + self.rate(order.info["routing_type"]))).quantize(
                _PLACES, rounding=ROUND_DOWN
            )
            order.info.update(amount=changes["amount"], net_amount=order.quote_amount)
        for name in ("stop_amount", "stop_percent"):
            if name in changes:
                order.info[name] = changes[name]
        trigger = price if order.trigger is not None else None
        if "stop_amount" in changes or "stop_percent" in changes:
            trigger = self._trail(order)
        self._market.amend(order, price=price if order.trigger is None else None, quantity=quantity, trigger=trigger)

    # -- stops that follow the market -----------------------------------------------------------------------

    def _trail(self, order: SimOrder) -> Decimal:
        """Where a trailing stop stands for the market's last price (7.1)."""
        last = self._market.last(order.product)
        reference = last if last is not None else self._market.mark(order.product)
        percent, amount = order.info.get("stop_percent"), order.info.get("stop_amount")
        away = Decimal(str(amount)) if amount is not None else reference * Decimal(str(percent))
        return (reference + order.side.sign * away).quantize(_PLACES)

    def _on_batch(self, batch: Batch) -> None:
        self._feeds.on_batch(batch)
        if not self._trailing:
            return
        moved = {event.product for event in batch.events if isinstance(event, TradePrinted)}
        self._trailing = [order for order in self._trailing if order.state is OrderState.WAITING]
        for order in self._trailing:
            if order.product in moved and order.trigger is not None:
                trigger = self._trail(order)
                if (order.trigger.price - trigger) * order.side.sign > 0:  # it only ever comes nearer
                    order.info["trailing"] = True
                    self._market.amend(order, trigger=trigger)


def _amount(order: SimOrder) -> Decimal | None:
    amount = order.info.get("amount")
    return Decimal(str(amount)) if amount is not None else None
