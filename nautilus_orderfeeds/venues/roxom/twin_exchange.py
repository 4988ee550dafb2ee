"""Order entry of the simulated Roxom: from a request to an order in the market, and back out (protocol 4.1-4.3, 6)."""

from __future__ import annotations

from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ids import Uuids
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import (
    EndReason,
    OrderState,
    SelfTrade,
    Side,
    SimOrder,
    Trigger,
    TriggerSource,
)
from nautilus_orderfeeds.venues.roxom.twin_errors import Refused
from nautilus_orderfeeds.venues.roxom.twin_feed import AccountFeed
from nautilus_orderfeeds.venues.roxom.twin_margin import Margin
from nautilus_orderfeeds.venues.roxom.twin_options import PendingCancel, Refusal, RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_request import OrderRequest, invalid
from nautilus_orderfeeds.venues.roxom.twin_words import INACTIVE, TYPE


class Exchange:
    """
    Everything between a REST call and the market.

    Parameters
    ----------
    seed : int
        Makes order ids.
    clock : SimClock
    market : Market
    feed : AccountFeed
    margin : Margin
    options : RoxomTwinOptions
    later : Later
    """

    def __init__(
        self,
        seed: int,
        clock: SimClock,
        market: Market,
        feed: AccountFeed,
        margin: Margin,
        options: RoxomTwinOptions,
        later: Later,
    ) -> None:
        self._clock = clock
        self._market = market
        self._feed = feed
        self._margin = margin
        self._options = options
        self._ids = Uuids(seed, clock, "roxom-ids")
        self._later = later
        self._refuse_orders: list[str] = []
        self._reject_orders: list[str] = []
        self._refuse_cancels: list[str] = []
        self._lost_cancels = 0

    # -- scripts --------------------------------------------------------------------------------------------

    def refuse_next_order(self, message: str) -> None:
        """Answer the next create with 400 and this message."""
        self._refuse_orders.append(message)

    def reject_next_order(self, reason: str) -> None:
        """Accept the next create and end its order as `rejected`."""
        self._reject_orders.append(reason)

    def refuse_next_cancel(self, message: str) -> None:
        """Answer the next cancel with 400 and this message; the order stays."""
        self._refuse_cancels.append(message)

    def lose_next_cancel(self) -> None:
        """Accept the next cancel and never carry it out."""
        self._lost_cancels += 1

    # -- creating -------------------------------------------------------------------------------------------

    def create(self, account: str, request: OrderRequest) -> SimOrder:
        """
        Take a client's order in.

        Raises
        ------
        Refused
            400 for what the product, the market or the account does not allow.
        """
        if self._refuse_orders:
            raise Refused(self._refuse_orders.pop(0))
        order = self.make(account, request)
        self._check_shape(order, request)
        problem = self._rule_problem(order)
        if problem is not None and self._options.refusal is Refusal.BY_ANSWER:
            raise problem
        lack = None if problem is not None else self._lack_of_balance(order)
        if lack is not None and self._options.margin_refusal is Refusal.BY_ANSWER:
            raise lack
        self.take_in(order, problem or lack)
        return order

    def make(self, account: str, request: OrderRequest, *, take_profit: bool = False) -> SimOrder:
        """The order of a request, not yet taken in; `take_profit` turns the direction of its trigger round."""
        trigger = None
        if request.trigger_price is not None:
            # A buy stop fires when the mark rises to it, a sell stop when the mark falls to it.
            rises = (request.side is Side.BUY) != take_profit
            trigger = Trigger(request.trigger_price, rises=rises, source=TriggerSource.MARK)
        now_ns = self._clock.now_ns()
        return SimOrder(
            venue_order_id=self._ids.version7(now_ns),
            account=account,
            product=request.product.symbol,
            side=request.side,
            quantity=request.quantity,
            price=request.price,
            kind=request.type.kind,
            time_in_force=request.time_in_force,
            client_order_id=request.client_order_id,
            expire_ns=request.cancel_at_ns,
            post_only=request.post_only,
            self_trade=SelfTrade.CANCEL_MAKER,
            max_slippage=None if request.type.has_price else self._options.market_slippage,
            trigger=trigger,
            info={TYPE: request.type},
            created_ns=now_ns,
            updated_ns=now_ns,
        )

    def take_in(self, order: SimOrder, refusal: Refused | None = None) -> None:
        """Let an order begin its life: `pendingsubmit`, then processed at once or a little later."""
        self._market.ledger.add_order(order)
        self._feed.take_in(order)
        self._later.once(self._options.match_delay_secs, lambda: self._process(order, refusal))

    def _process(self, order: SimOrder, refusal: Refused | None) -> None:
        if not order.is_open:
            return  # ended from elsewhere meanwhile
        if self._reject_orders:
            self._market.refuse(order, EndReason.REFUSED, self._reject_orders.pop(0))
        elif refusal is not None:
            self._market.refuse(order, EndReason.REFUSED, refusal.message)
        elif order.cancel_requested_ns:
            self._market.refuse(order, EndReason.USER)
        else:
            at_once = self._options.match_delay_secs == 0
            self._market.submit(order, now_ns=order.created_ns if at_once else None)

    # -- checks ---------------------------------------------------------------------------------------------

    def _check_shape(self, order: SimOrder, request: OrderRequest) -> None:
        product = request.product
        for name, price in (("px", request.price), ("triggerPx", request.trigger_price)):
            if price is not None and price % product.tick:
                raise invalid(f"{name} {price} is not a multiple of the tick size {product.tick}")
        if order.quantity % product.lot:
            raise invalid(f"qty {order.quantity} is not a multiple of the step size {product.lot}")
        if not product.min_size <= order.quantity <= self._options.max_quantity:
            raise invalid(f"qty {order.quantity} is not within {product.min_size} and {self._options.max_quantity}")
        if order.expire_ns is not None and order.expire_ns <= self._clock.now_ns():
            raise invalid("cancelAt is not in the future")

    def _rule_problem(self, order: SimOrder) -> Refused | None:
        """What the market's rules say against an order (4.1, 6)."""
        options, product = self._options, order.product
        if product in options.inactive_products:
            return Refused("Market not available", f"Trading is currently halted for {product}")
        mark = self._market.mark(product)
        if order.price is not None and (problem := self._price_problem(order, order.price, mark)) is not None:
            return problem
        price = order.price if order.price is not None else mark
        notional = order.quantity * price
        cap = options.max_limit_notional if order.price is not None else options.max_market_notional
        if not options.min_notional <= notional <= cap:
            return Refused(
                "Order value outside allowed range", f"Value must be between {options.min_notional} and {cap}"
            )
        net = self._market.ledger.net_size(order.account, product)
        if net * order.side.sign >= 0 and abs(net) * mark >= options.max_position:
            return Refused("Position limit exceeded", "The account may only reduce its position")
        return None

    def _price_problem(self, order: SimOrder, price: Decimal, mark: Decimal) -> Refused | None:
        options = self._options
        low, high = mark * (1 - options.mark_band), mark * (1 + options.mark_band)
        # A stop limit order meets the book of a later time: only the mark bounds it now.
        if order.trigger is None:
            bid, ask = self._market.best(order.product)
            if order.side is Side.BUY and ask is not None:
                high = min(high, ask * (1 + options.limit_band))
            if order.side is Side.SELL and bid is not None:
                low = max(low, bid * (1 - options.limit_band))
        if low <= price <= high:
            return None
        return Refused("Price outside allowed range", f"Price must be between {low:.8f} and {high:.8f}")

    def _lack_of_balance(self, order: SimOrder) -> Refused | None:
        needed, available = self._margin.needed(order), self._margin.funds(order.account).available
        if needed <= available or needed == 0:
            return None
        return Refused("Insufficient balance", f"Available balance: {available:f} BTC, required: {needed:f} BTC")

    # -- canceling ------------------------------------------------------------------------------------------

    def cancel(self, account: str, order_id: str) -> None:
        """
        Ask for the end of an order of a client's; the answer does not tell whether it is done (4.2).

        Raises
        ------
        Refused
            404 for an unknown order, 400 (by default) for one that is over.
        """
        order = self._market.ledger.find_order(order_id, account)
        if order is None or order.venue_order_id != order_id:
            raise Refused("Order not found", f"Order '{order_id}' does not exist", status=404)
        if self._refuse_cancels:
            raise Refused(self._refuse_cancels.pop(0))
        if not order.is_open:
            raise Refused("Order is already closed", f"Order '{order_id}'", status=self._options.closed_cancel_status)
        self.request_cancel(order)

    def cancel_all(self, account: str) -> list[str]:
        """Ask for the end of every open order of the account; their ids."""
        ids: list[str] = []
        for order in self._market.ledger.orders(account=account, is_open=True):
            if order.is_open:
                ids.append(order.venue_order_id)
                self.request_cancel(order)
        return ids

    def request_cancel(self, order: SimOrder) -> None:
        """Note the request; it is done at once or a little later, unless the order trades before."""
        if self._lost_cancels:
            self._lost_cancels -= 1
            return
        order.cancel_requested_ns = order.updated_ns = self._clock.now_ns()
        delay_secs = self._options.cancel_delay_secs
        match self._options.pending_cancel:
            case PendingCancel.WHEN_DELAYED:
                is_told = delay_secs > 0 or order.state is OrderState.PENDING
            case PendingCancel.ALWAYS:
                is_told = True
            case PendingCancel.NEVER:
                is_told = False
        self._feed.announce(order, is_told=is_told)
        self._later.once(delay_secs, lambda: self._cancel(order))

    def _cancel(self, order: SimOrder) -> None:
        if order.state is not OrderState.PENDING:  # a pending one ends when it is processed
            self._market.cancel(order, EndReason.USER)

    # -- inactive -------------------------------------------------------------------------------------------

    def make_inactive(self, order: SimOrder, *, is_over: bool) -> None:
        """
        Show an order as `inactive`.

        Parameters
        ----------
        order : SimOrder
        is_over : bool
            Whether it has ended (and stays `inactive` for ever). Otherwise only its status says so: it is
            still in the book, a fill or `make_active` shows it as it is again.
        """
        order.info[INACTIVE] = True
        if is_over:
            self._market.cancel(order, EndReason.ADMIN, "account restricted")
        else:
            self._feed.announce(order)

    def make_active(self, order: SimOrder) -> None:
        """Show an `inactive` order as it is."""
        order.info.pop(INACTIVE, None)
        self._feed.announce(order)
