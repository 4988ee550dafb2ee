"""The margin check of the simulated ActTrader: the protocol says nothing of it, a broker has one all the same."""

from __future__ import annotations

from decimal import Decimal

from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.venues.acttrader.twin_options import ActTraderTwinOptions
from nautilus_orderfeeds.venues.acttrader.twin_products import CURRENCY
from nautilus_orderfeeds.venues.acttrader.twin_request import NewOrder


class Margin:
    """
    Whether an account may take on more.

    What counts are net positions at the mark price, with the new order as if it were filled; other open
    orders do not count. An order that makes its position smaller is always covered.
    """

    def __init__(self, market: Market, options: ActTraderTwinOptions) -> None:
        self._market = market
        self._options = options

    def covers(self, order: NewOrder) -> bool:
        """Whether the equity of the order's login pays for the margin after it."""
        before = self._market.ledger.net_size(order.login, order.symbol)
        after = before + order.side.sign * order.quantity
        if abs(after) <= abs(before):
            return True
        exposure = sum((abs(net) * self._market.mark(symbol) for symbol, net in self._nets(order, after)), Decimal(0))
        return exposure <= self._equity(order.login) * self._options.leverage

    def _nets(self, order: NewOrder, after: Decimal) -> list[tuple[str, Decimal]]:
        ledger = self._market.ledger
        return [
            (symbol, after if symbol == order.symbol else ledger.net_size(order.login, symbol))
            for symbol in self._market.products
        ]

    def _equity(self, login: str) -> Decimal:
        ledger = self._market.ledger
        open_profit = (ledger.position(s, login).unrealized(self._market.mark(s)) for s in self._market.products)
        return ledger.balance(CURRENCY, login) + sum(open_profit, Decimal(0))
