"""Margin of the simulated Roxom: what positions and orders bind, and what is available (protocol 4.7, 6)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import ZERO, SimOrder
from nautilus_orderfeeds.venues.roxom.twin_options import RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_products import BTC

_MAINTENANCE_SHARE = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Funds:
    """An account's money, BTC: everything, and what positions and orders bind of it."""

    current: Decimal
    in_positions: Decimal
    in_orders: Decimal

    @property
    def available(self) -> Decimal:
        """What new orders may bind."""
        return max(self.current - self.in_positions - self.in_orders, ZERO)


class Margin:
    """
    Computes isolated margins: a position binds its cost over the leverage, an order its notional over it.

    Attributes
    ----------
    leverages : dict[tuple[str, str], Decimal]
        By account and product, where an account has set its own.
    """

    def __init__(self, market: Market, options: RoxomTwinOptions) -> None:
        self.leverages: dict[tuple[str, str], Decimal] = {}
        self._market = market
        self._options = options

    def leverage(self, account: str, product: str) -> Decimal:
        """The account's leverage in a product."""
        return self.leverages.get((account, product), self._options.leverage)

    def of_position(self, account: str, product: str) -> Decimal:
        """What an open position binds."""
        return abs(self._market.ledger.position(product, account).cost) / self.leverage(account, product)

    def maintenance(self, account: str, product: str) -> Decimal:
        """What must be left of it."""
        return self.of_position(account, product) * _MAINTENANCE_SHARE

    def liquidation_price(self, account: str, product: str) -> Decimal:
        """Where a position has lost all of its margin but the maintenance."""
        position = self._market.ledger.position(product, account)
        room = (1 - _MAINTENANCE_SHARE) / self.leverage(account, product)
        return position.average_price * (1 - room if position.net > 0 else 1 + room)

    def funds(self, account: str) -> Funds:
        """The account's money now."""
        orders = self._market.ledger.orders(account=account, is_open=True)
        return Funds(
            current=self._market.ledger.balance(BTC, account),
            in_positions=sum((self.of_position(account, product) for product in self._market.products), ZERO),
            in_orders=sum(self._bound(account, orders).values(), ZERO),
        )

    def needed(self, order: SimOrder) -> Decimal:
        """What a new order would bind besides; the part that closes a position needs nothing."""
        others = [
            other
            for other in self._market.ledger.orders(account=order.account, product=order.product, is_open=True)
            if other is not order
        ]
        bound = self._bound(order.account, [*others, order])
        own = bound[order.venue_order_id]
        return own * (1 + self._options.taker_fee_rate * self.leverage(order.account, order.product))

    def _bound(self, account: str, orders: list[SimOrder]) -> dict[str, Decimal]:
        """Margin by venue order id; older orders are the first that count as closing the position."""
        rooms: dict[str, Decimal] = {}
        bound: dict[str, Decimal] = {}
        for order in orders:
            net = self._market.ledger.net_size(account, order.product)
            room = rooms.setdefault(order.product, abs(net))
            opening = order.quantity - order.filled
            if net * order.side.sign < 0:
                closing = min(room, opening)
                rooms[order.product] = room - closing
                opening -= closing
            bound[order.venue_order_id] = opening * self._price(order) / self.leverage(account, order.product)
        return bound

    def _price(self, order: SimOrder) -> Decimal:
        if order.price is not None:
            return order.price
        return order.trigger.price if order.trigger is not None else self._market.mark(order.product)
