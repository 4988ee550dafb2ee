"""Order entry of the simulated Outpoll: from a request to an order in the market, and out (protocol 5.2-5.4, 9)."""

from __future__ import annotations

from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ids import Uuids
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import (
    ZERO,
    EndReason,
    OrderKind,
    OrderState,
    Side,
    SimOrder,
    TimeInForce,
)
from nautilus_orderfeeds.venues.outpoll.twin_keys import Refused
from nautilus_orderfeeds.venues.outpoll.twin_notices import Notices
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, QUOTE, Asset, EventOutcome, assets_of
from nautilus_orderfeeds.venues.outpoll.twin_request import LimitRequest, MarketRequest
from nautilus_orderfeeds.venues.outpoll.twin_wallet import Wallet
from nautilus_orderfeeds.venues.outpoll.twin_words import Refusal

_NO_FUNDS = "Insufficient balance"


class Exchange:
    """
    Everything between a request and the market.

    Parameters
    ----------
    seed : int
        Makes order ids.
    clock : SimClock
    market : Market
    wallet : Wallet
    notices : Notices
    options : OutpollTwinOptions
    later : Later
    """

    def __init__(
        self,
        seed: int,
        clock: SimClock,
        market: Market,
        wallet: Wallet,
        notices: Notices,
        options: OutpollTwinOptions,
        later: Later,
    ) -> None:
        self._clock = clock
        self._market = market
        self._ledger = market.ledger
        self._wallet = wallet
        self._notices = notices
        self._options = options
        self._later = later
        self._ids = Uuids(seed, clock, "outpoll-ids")
        self._resolved: set[str] = set()
        self._refusals: list[Refused] = []
        self._failures: list[str] = []
        self._cancel_refusals: list[Refused] = []
        self._cancel_failures = 0
        self._races: list[Decimal | None] = []

    # -- scripts --------------------------------------------------------------------------------------------

    def refuse_next_order(self, refused: Refused) -> None:
        """Let the next placing be refused by its answer."""
        self._refusals.append(refused)

    def fail_next_order(self, reason: str) -> None:
        """Let the next order that is taken be refused afterwards: FAILED."""
        self._failures.append(reason)

    def refuse_next_cancel(self, refused: Refused) -> None:
        """Let the next cancel be refused by its answer; the order stays."""
        self._cancel_refusals.append(refused)

    def fail_next_cancel(self) -> None:
        """Let the next cancel be answered by 2xx and then not be done: FAILED, and the order stays."""
        self._cancel_failures += 1

    def race_next_cancel(self, size: Decimal | None) -> None:
        """Let the next cancel find that the order has just traded `size` shares more (`None`: all)."""
        self._races.append(size)

    # -- placing --------------------------------------------------------------------------------------------

    def place(self, owner: str, request: LimitRequest | MarketRequest) -> SimOrder:
        """
        Take an order in.

        Raises
        ------
        Refused
            By a script, for an outcome that is resolved, below a minimum, or (an option) without funds.
        """
        if self._refusals:
            raise self._refusals.pop(0)
        if self.is_resolved(request.asset.outcome):
            raise Refused(400, "Market is closed")
        self._check_minimum(request)
        order = self._order(owner, request)
        problem = "" if self._is_covered(order) else _NO_FUNDS
        if problem and self._options.refusal is Refusal.BY_ANSWER:
            raise Refused(400, problem)
        self.take_in(order, problem)
        return order

    def take_in(self, order: SimOrder, problem: str = "") -> None:
        """Let an order begin its life: processed at once or a little later; with a `problem` it fails there."""
        order.created_ns = order.updated_ns = self._clock.now_ns()
        if not problem:  # what is not covered must not lock anything; it is known once it has failed
            self._ledger.add_order(order)
        self._later.once(self._options.process_delay_secs, lambda: self._process(order, problem))
        self._wallet.publish(order.account)

    def market_sell(self, owner: str, asset: Asset, quantity: Decimal) -> SimOrder:
        """A market order that nobody sent (TP/SL); it is not submitted yet."""
        return self._order(owner, MarketRequest(asset, Side.SELL, quantity=quantity))

    def new_id(self) -> str:
        """An id of an order or a TP/SL."""
        return self._ids.version4()

    def _order(self, owner: str, request: LimitRequest | MarketRequest) -> SimOrder:
        order = SimOrder(
            venue_order_id=self.new_id(),
            account=owner,
            product=request.asset.asset_id,
            side=request.side,
            quantity=request.quantity or ZERO,
            self_trade=self._options.self_trade,
        )
        match request:
            case LimitRequest():
                order.price = request.price
            case MarketRequest():
                order.kind = OrderKind.MARKET
                order.time_in_force = TimeInForce.IOC
                order.quote_amount = request.amount
                order.max_slippage = self._options.max_slippage
        return order

    def _check_minimum(self, request: LimitRequest | MarketRequest) -> None:
        options = self._options
        if request.quantity is not None and request.quantity < options.min_quantity:
            raise Refused(400, f"q is below the minimum {options.min_quantity}")
        if isinstance(request, MarketRequest) and request.amount is not None and request.amount < options.min_amount:
            raise Refused(400, f"am is below the minimum {options.min_amount}")

    def _is_covered(self, order: SimOrder) -> bool:
        """Nobody sells what it does not have, or buys without the money and the fee."""
        if order.side is Side.SELL:
            return order.quantity <= self._wallet.free(order.account, order.product)
        cost = order.quote_amount if order.quote_amount is not None else order.quantity * (order.price or ZERO)
        return cost * (1 + self._options.fee_rate) <= self._wallet.free(order.account, QUOTE)

    def _process(self, order: SimOrder, problem: str) -> None:
        if not order.is_open:  # a script ended it meanwhile
            return
        if problem or self._failures:
            self._market.refuse(order, EndReason.REFUSED, problem or self._failures.pop(0))
        elif order.cancel_requested_ns:
            self._market.refuse(order, EndReason.USER)
        elif self.is_resolved(ASSETS[order.product].outcome):
            self._market.refuse(order, EndReason.REFUSED, "Market is closed")
        else:
            at_once = self._options.process_delay_secs == 0
            self._market.submit(order, now_ns=order.created_ns if at_once else None)

    # -- canceling ------------------------------------------------------------------------------------------

    def cancel(self, owner: str, order_id: str) -> int:
        """
        Ask for the end of an order.

        Returns
        -------
        int
            The status of the answer: also 2xx if the order is closed, where the options say so (5.4).

        Raises
        ------
        Refused
            By a script; 404 for an unknown order, and by default for a closed one.
        """
        if self._cancel_refusals:
            raise self._cancel_refusals.pop(0)
        order = self._ledger.find_order(order_id, owner)
        if order is None:
            raise Refused(404, "Order not found")
        if order.is_open:
            self.request_cancel(order)
            return self._options.cancel_status
        if self._options.closed_cancel_status >= 400:
            raise Refused(self._options.closed_cancel_status, "Order not found")
        self._notices.cancel_failed(order)
        return self._options.closed_cancel_status

    def request_cancel(self, order: SimOrder) -> None:
        """Cancel an open order, at once or a little later."""
        order.cancel_requested_ns = self._clock.now_ns()
        self._later.once(self._options.cancel_delay_secs, lambda: self._cancel(order))

    def _cancel(self, order: SimOrder) -> None:
        if self._cancel_failures:
            self._cancel_failures -= 1
            order.cancel_requested_ns = 0
            self._notices.cancel_failed(order)
            return
        if self._races and order.state is OrderState.WORKING:
            size = self._races.pop(0)
            assert order.price is not None
            self._market.deal(order, order.price, order.leaves if size is None else min(size, order.leaves))
        if not order.is_open:
            self._notices.cancel_failed(order)
        elif order.state is not OrderState.PENDING:  # a pending one ends when it is processed
            self._market.cancel(order, EndReason.USER)

    # -- the end of an event --------------------------------------------------------------------------------

    def is_resolved(self, outcome: EventOutcome) -> bool:
        """Whether an outcome is decided: nothing of it trades any more."""
        return outcome.outcome_id in self._resolved

    def resolve(self, outcome: EventOutcome, *, yes_wins: bool) -> None:
        """Decide an outcome: its orders vanish, and every winning share is paid one USDC (2 [?])."""
        self._resolved.add(outcome.outcome_id)
        for asset in assets_of(outcome):
            self._market.flow.pull(asset.asset_id)
            for account in list(self._ledger.accounts.values()):
                if account.is_background:
                    continue
                for order in self._ledger.orders(account=account.name, product=asset.asset_id, is_open=True):
                    if order.state is not OrderState.PENDING:  # a pending one fails when it is processed
                        self._market.cancel(order, EndReason.ADMIN)
            self._ledger.settle(asset.asset_id, Decimal(asset.is_primary is yes_wins))
        for account in self._ledger.accounts.values():
            if not account.is_background:
                self._wallet.publish(account.name)
