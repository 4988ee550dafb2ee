"""
Everybody else in the market: a maker quoting around a seeded random walk, and random takers.

The flow has no clock of its own. `step` lets it act once; a simulation calls it on a timer, a scripted test
calls it (or `trade`, `set_mid`) by hand. Its two accounts are background accounts of the ledger.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from nautilus_orderfeeds.sim.book import accepts
from nautilus_orderfeeds.sim.model import (
    EndReason,
    OrderKind,
    Product,
    SelfTrade,
    Side,
    SimOrder,
    TimeInForce,
)

if TYPE_CHECKING:
    from nautilus_orderfeeds.sim.market import Market

MAKER = "background-maker"
TAKER = "background-taker"
_NOISE = 10**11


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """
    How the background trades.

    Parameters
    ----------
    levels : int
        Price levels the maker quotes on each side.
    half_spread_ticks : int
        Distance of the best quote from the middle, ticks.
    step_ticks : int
        Distance between quoted levels, ticks.
    level_lots : tuple[int, int]
        Smallest and largest size of one level, in multiples of the product's minimum size.
    walk_ticks : int
        The middle moves by at most this many ticks a step.
    taker_probability : float
        Chance a step that somebody takes from the book.
    taker_lots : tuple[int, int]
        Smallest and largest size of such a taker, in multiples of the minimum size.
    """

    levels: int = 12
    half_spread_ticks: int = 5
    step_ticks: int = 10
    level_lots: tuple[int, int] = (500, 3000)
    walk_ticks: int = 6
    taker_probability: float = 0.5
    taker_lots: tuple[int, int] = (1, 300)


class Flow:
    """The background of one market; see the module text."""

    def __init__(self, market: Market, seed: int, settings: FlowSettings) -> None:
        self.settings = settings
        self._market = market
        self._random = random.Random(f"{seed}|flow")
        self._mids = {symbol: product.mid for symbol, product in market.products.items()}
        self._quotes: dict[str, list[SimOrder]] = {symbol: [] for symbol in market.products}
        self._orders = 0
        for account in (MAKER, TAKER):
            market.ledger.add_account(account, is_background=True)

    def open(self) -> None:
        """Quote every product for the first time and give it a mark price."""
        for product in self._market.products.values():
            self.set_mid(product.symbol, product.mid)

    def step(self) -> None:
        """Move every middle a little, quote anew, and perhaps take something."""
        for product in self._market.products.values():
            walk = self._random.randint(-self.settings.walk_ticks, self.settings.walk_ticks)
            mid = self._mids[product.symbol] + walk * product.tick
            self._requote(product, mid)
            # Oracle prices are not on the tick: consumers must not assume so.
            noise = product.tick * self._random.randint(1, _NOISE) / _NOISE
            self._market.set_mark(product.symbol, self._mids[product.symbol] + noise, self._mids[product.symbol])
            if self._random.random() < self.settings.taker_probability:
                side = self._random.choice((Side.BUY, Side.SELL))
                size = product.min_size * self._random.randint(*self.settings.taker_lots)
                self._send(product, TAKER, side, size, None, TimeInForce.IOC)

    def mid(self, product: str) -> Decimal:
        """The middle the maker quotes around."""
        return self._mids[product]

    def set_mid(self, product: str, price: Decimal) -> None:
        """Pull the maker's quotes and place them around `price` (on the tick, within the product's bounds)."""
        self._requote(self._market.product(product), price)
        self._market.set_mark(product, self._mids[product])

    def _requote(self, spec: Product, price: Decimal) -> None:
        product = spec.symbol
        reach = self.settings.half_spread_ticks + self.settings.step_ticks * self.settings.levels
        price = max(_down(price, spec.tick), spec.tick * (reach + 1))
        if spec.max_price is not None:
            price = min(price, spec.max_price - spec.tick * reach)
        self._mids[product] = price
        self.pull(product)
        for level in range(self.settings.levels):
            away = spec.tick * (self.settings.half_spread_ticks + level * self.settings.step_ticks)
            for side in (Side.BUY, Side.SELL):
                size = spec.min_size * self._random.randint(*self.settings.level_lots)
                quote = self._send(spec, MAKER, side, size, price - side.sign * away, TimeInForce.GTC)
                if quote.is_open:
                    self._quotes[product].append(quote)

    def pull(self, product: str) -> None:
        """Take all of the maker's quotes off the book, so that only other orders are left."""
        quotes, self._quotes[product] = self._quotes[product], []
        for quote in quotes:
            self._market.cancel(quote, EndReason.USER)

    def trade(self, product: str, price: Decimal, size: Decimal, aggressor: Side) -> None:
        """
        Trade `size` (base units) at `price`: resting orders that accept it first, the maker for the rest.

        The maker's own quotes never stand between the trade and the orders that a test placed: those in
        the way step aside and come back right after it.
        """
        spec = self._market.product(product)
        aside = self._step_aside(product, price)
        first = self._send(spec, TAKER, aggressor, size, price, TimeInForce.IOC)
        rest = first.quantity - first.filled
        if rest > 0:
            # Posting the rest gives resting all-or-none orders their chance before the maker takes it.
            posted = self._send(spec, TAKER, aggressor, rest, price, TimeInForce.GTC)
            rest = posted.leaves
            self._market.cancel(posted)
        if rest > 0:
            # The maker posts and the aggressor takes: the public is told who was which.
            counter = self._send(spec, MAKER, aggressor.opposite, rest, price, TimeInForce.GTC)
            if counter.is_open:
                self._send(spec, TAKER, aggressor, counter.leaves, price, TimeInForce.IOC)
                self._market.cancel(counter)
        for quote in aside:
            again = self._send(spec, MAKER, quote.side, quote.canceled, quote.price, TimeInForce.GTC)
            if again.is_open:
                self._quotes[product].append(again)

    def _step_aside(self, product: str, price: Decimal) -> list[SimOrder]:
        """Take those of the maker's quotes off the book that a trade at `price` would meet first."""
        aside = [
            quote
            for quote in self._quotes[product]
            if quote.is_open and quote.price is not None and accepts(quote.side, quote.price, price)
        ]
        for quote in aside:
            self._quotes[product].remove(quote)
            self._market.cancel(quote)
        return aside

    def _send(
        self,
        product: Product,
        account: str,
        side: Side,
        size: Decimal,
        price: Decimal | None,
        time_in_force: TimeInForce,
    ) -> SimOrder:
        self._orders += 1
        order = SimOrder(
            venue_order_id=f"{account}-{self._orders}",
            account=account,
            product=product.symbol,
            side=side,
            quantity=size,
            price=price,
            kind=OrderKind.MARKET if price is None else OrderKind.LIMIT,
            time_in_force=time_in_force,
            self_trade=SelfTrade.CANCEL_MAKER,
        )
        self._market.submit(order)
        return order


def _down(price: Decimal, tick: Decimal) -> Decimal:
    return (price / tick).to_integral_value(rounding=ROUND_FLOOR) * tick
