"""Margin of the simulated BSX: what positions and orders bind, and what is free (protocol 4.9)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import ZERO, OrderState, SimOrder
from nautilus_orderfeeds.venues.bsx.twin_accounts import BsxAccount
from nautilus_orderfeeds.venues.bsx.twin_options import BsxTwinOptions

MAINTENANCE_SHARE = Decimal("0.6")
"""Maintenance margin as a share of the initial margin."""


@dataclass(frozen=True, slots=True)
class Funds:
    """An account's money, USD: cash, unrealised profit, and what positions and orders bind."""

    cash: Decimal
    unrealized: Decimal
    position_margin: Decimal
    order_margin: Decimal

    @property
    def equity(self) -> Decimal:
        """Cash and unrealised profit."""
        return self.cash + self.unrealized

    @property
    def initial_margin(self) -> Decimal:
        """Everything that is bound."""
        return self.position_margin + self.order_margin

    @property
    def free(self) -> Decimal:
        """What new orders may bind."""
        return self.equity - self.initial_margin


class Margin:
    """Computes margins from the market's mark prices and each account's leverage."""

    def __init__(self, market: Market, accounts: dict[str, BsxAccount], options: BsxTwinOptions) -> None:
        self._market = market
        self._accounts = accounts
        self._options = options

    def leverage(self, account: str, product: str) -> int:
        """The account's leverage in a product."""
        return self._accounts[account].leverages.get(product, self._options.leverage)

    def ratio(self, account: str, product: str) -> Decimal:
        """Initial margin per notional."""
        return Decimal(1) / self.leverage(account, product)

    def of_order(self, order: SimOrder) -> Decimal:
        """What an order binds now: its unfilled part at its own price; nothing if it can only reduce."""
        if order.reduce_only or not order.is_open or order.account not in self._accounts:
            return ZERO
        price = order.price if order.price is not None else self._market.mark(order.product)
        return order.leaves * price * self.ratio(order.account, order.product)

    def funds(self, account: str) -> Funds:
        """The account's money now."""
        ledger = self._market.ledger
        unrealized = position_margin = ZERO
        for product in self._market.products:
            position = ledger.position(product, account)
            if position.net:
                mark = self._market.mark(product)
                unrealized += position.unrealized(mark)
                position_margin += abs(position.net) * mark * self.ratio(account, product)
        orders = (o for o in ledger.orders(account=account, is_open=True) if o.state is OrderState.WORKING)
        return Funds(
            cash=ledger.balance("USDC", account),
            unrealized=unrealized,
            position_margin=position_margin,
            order_margin=sum((self.of_order(order) for order in orders), ZERO),
        )

    def covers(self, order: SimOrder) -> bool:
        """Whether the account can afford a new order; the part that closes a position needs nothing."""
        if order.reduce_only:
            return True
        net = self._market.ledger.net_size(order.account, order.product)
        closing = abs(net) if net and (net > 0) != (order.side.sign > 0) else ZERO
        opening = max(order.quantity - closing, ZERO)
        price = order.price if order.price is not None else self._market.mark(order.product)
        needed = opening * price * (self.ratio(order.account, order.product) + self._options.taker_fee_rate)
        return needed <= self.funds(order.account).free or opening == 0
