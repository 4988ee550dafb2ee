"""The resting orders of one product, in price-time priority."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal

from nautilus_orderfeeds.sim.model import ZERO, Side, SimOrder


class BookSide:
    """
    One side of a book: price levels best first, and within a level the oldest order first.

    A level is a dict by venue order id: it keeps arrival order and gives an order up in constant time.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        self._levels: dict[Decimal, dict[str, SimOrder]] = {}
        self._keys: list[Decimal] = []  # sorted; a bid is kept under its negated price, so best is always first

    def _key(self, price: Decimal) -> Decimal:
        return -price if self.side is Side.BUY else price

    def add(self, order: SimOrder) -> None:
        """Put `order` at the end of its price level."""
        assert order.price is not None
        level = self._levels.get(order.price)
        if level is None:
            level = self._levels[order.price] = {}
            insort(self._keys, self._key(order.price))
        level[order.venue_order_id] = order

    def remove(self, order: SimOrder) -> bool:
        """Take `order` off the book; `False` if it was not there."""
        assert order.price is not None
        level = self._levels.get(order.price)
        if level is None or level.pop(order.venue_order_id, None) is None:
            return False
        if not level:
            del self._levels[order.price]
            del self._keys[bisect_left(self._keys, self._key(order.price))]
        return True

    def best(self) -> SimOrder | None:
        """The order that the next taker meets first."""
        if not self._keys:
            return None
        return next(iter(self._levels[self._price(self._keys[0])].values()))

    def best_price(self) -> Decimal | None:
        """The best price, or `None` for an empty side."""
        return self._price(self._keys[0]) if self._keys else None

    def _price(self, key: Decimal) -> Decimal:
        return -key if self.side is Side.BUY else key

    def size_at(self, price: Decimal) -> Decimal:
        """The total size resting at `price`, base units; zero for no such level."""
        return sum((order.leaves for order in self._levels.get(price, {}).values()), ZERO)

    def levels(self) -> list[tuple[Decimal, Decimal]]:
        """Every level as (price, total size), best first."""
        prices = (self._price(key) for key in self._keys)
        return [(price, self.size_at(price)) for price in prices]

    def __iter__(self) -> Iterator[SimOrder]:
        """Orders in the sequence in which takers would meet them."""
        for key in list(self._keys):
            yield from list(self._levels.get(self._price(key), {}).values())

    def __contains__(self, order: SimOrder) -> bool:
        return order.price is not None and order.venue_order_id in self._levels.get(order.price, {})


class OrderBook:
    """Both sides of one product."""

    def __init__(self) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)

    def side(self, side: Side) -> BookSide:
        """The side on which an order of `side` rests."""
        return self.bids if side is Side.BUY else self.asks

    def crosses(self, side: Side, price: Decimal | None) -> bool:
        """Whether an order of `side` at `price` (`None` = any price) would trade at once."""
        best = self.side(side.opposite).best_price()
        return best is not None and accepts(side, price, best)


def accepts(side: Side, limit: Decimal | None, price: Decimal) -> bool:
    """Whether an order of `side` with the given limit (`None` = any price) may trade at `price`."""
    if limit is None:
        return True
    return price <= limit if side is Side.BUY else price >= limit
