"""
The market of a simulated venue: one matcher a product, and everybody who listens.

Each command runs at once and hands its `Batch` of events to every listener before it returns, so whoever
placed an order sees the result in the ledger right away. The background flow (`flow`) trades through the
same commands as everybody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeGuard

from nautilus_orderfeeds.sim.book import accepts
from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.flow import TAKER, Flow, FlowSettings
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.matching import FeeRule, Matcher
from nautilus_orderfeeds.sim.model import (
    Batch,
    EndReason,
    FundingChanged,
    MarkChanged,
    MarketEvent,
    OrderEnded,
    OrderEvent,
    OrderState,
    Product,
    Side,
    SimOrder,
)

Listener = Callable[[Batch], None]
Levels = list[tuple[Decimal, Decimal]]


class Market:
    """
    All products of a venue.

    Parameters
    ----------
    products : Iterable[Product]
    ledger : Ledger
    clock : SimClock
    fees : FeeRule
    seed : int
        Seeds the background flow.
    flow : FlowSettings, optional
        How the background trades.
    """

    def __init__(
        self,
        products: Iterable[Product],
        ledger: Ledger,
        clock: SimClock,
        fees: FeeRule,
        seed: int,
        flow: FlowSettings | None = None,
    ) -> None:
        self.products = {product.symbol: product for product in products}
        self.ledger = ledger
        self.clock = clock
        self.listeners: list[Listener] = []
        self.index_prices: dict[str, Decimal] = {}
        self.funding_rates: dict[str, Decimal] = {symbol: Decimal(0) for symbol in self.products}
        # Not the seed alone: trade ids of an earlier run may still stand in a client's journal.
        self._trade_ids = f"{seed}|{clock.now_ns()}"
        self._matches = 0
        self._deals = 0
        self._matchers = {
            symbol: Matcher(product, ledger, fees, self._next_trade_id) for symbol, product in self.products.items()
        }
        self.flow = Flow(self, seed, flow or FlowSettings())

    # -- orders ---------------------------------------------------------------------------------------------

    def submit(self, order: SimOrder, *, now_ns: int | None = None) -> Batch:
        """Bring an order in; `now_ns` lets a venue give the match the very time it stamped the order with."""
        now_ns = self.clock.now_ns() if now_ns is None else now_ns
        order.created_ns = order.created_ns or now_ns
        self.ledger.add_order(order)
        return self._tell(now_ns, self._matcher(order.product).submit(order, now_ns))

    def refuse(self, order: SimOrder, reason: EndReason, detail: str = "") -> Batch:
        """End an order that never reaches the book: the venue took it in and then said no."""
        now_ns = self.clock.now_ns()
        order.created_ns = order.created_ns or now_ns
        order.state, order.end_reason, order.end_detail = reason.state, reason, detail
        order.updated_ns = now_ns
        self.ledger.add_order(order)
        return self._tell(now_ns, [OrderEnded(order)])

    def cancel(self, order: SimOrder, reason: EndReason = EndReason.USER, detail: str = "") -> Batch:
        """End a live order; one that has ended is left as it is and the batch is empty."""
        now_ns = self.clock.now_ns()
        return self._tell(now_ns, self._matcher(order.product).cancel(order, reason, now_ns, detail))

    def amend(
        self,
        order: SimOrder,
        *,
        price: Decimal | None = None,
        quantity: Decimal | None = None,
        trigger: Decimal | None = None,
        expire_ns: int | None = None,
    ) -> Batch:
        """Change a live order (`Matcher.amend`)."""
        now_ns = self.clock.now_ns()
        matcher = self._matcher(order.product)
        events = matcher.amend(order, now_ns, price=price, quantity=quantity, trigger=trigger, expire_ns=expire_ns)
        return self._tell(now_ns, events)

    def deal(self, order: SimOrder, price: Decimal, size: Decimal) -> Batch:
        """
        Fill `size` of this very order at `price` with the background, past all others.

        A negotiated deal, or a fill that a test scripts. A resting order is the maker of the trade; a new one
        is its taker and ends with it.

        Raises
        ------
        ValueError
            If the order has ended, waits for its trigger, is one by amount, has not that much left, or does
            not accept the price.
        """
        if order.state not in (OrderState.PENDING, OrderState.WORKING) or order.quote_amount is not None:
            raise ValueError(f"order {order.venue_order_id} ({order.state.value}) cannot be dealt with")
        if not 0 < size <= order.leaves or not accepts(order.side, order.price, price):
            raise ValueError(f"order {order.venue_order_id} cannot trade {size} at {price}")
        now_ns = self.clock.now_ns()
        order.created_ns = order.created_ns or now_ns
        self.ledger.add_order(order)
        self._deals += 1
        counter = SimOrder(
            venue_order_id=f"deal-{self._deals}",
            account=TAKER,
            product=order.product,
            side=order.side.opposite,
            quantity=size,
            price=price,
            created_ns=now_ns,
        )
        is_new = order.state is OrderState.PENDING
        maker, taker = (counter, order) if is_new else (order, counter)
        return self._tell(now_ns, self._matcher(order.product).deal(maker, taker, price, size, now_ns))

    def expire_due(self) -> None:
        """End every order whose time is over."""
        now_ns = self.clock.now_ns()
        for matcher in self._matchers.values():
            self._tell(now_ns, matcher.expire(now_ns))

    def fillable(self, order: SimOrder) -> Decimal:
        """How much of an order that was not submitted yet would fill at once (`Matcher.fillable`)."""
        return self._matcher(order.product).fillable(order)

    # -- prices ---------------------------------------------------------------------------------------------

    def set_mark(self, product: str, mark: Decimal | str, index: Decimal | str | None = None) -> None:
        """Move the mark price (and the index price, by default to the same value)."""
        now_ns = self.clock.now_ns()
        mark = Decimal(mark)
        index = mark if index is None else Decimal(index)
        self.index_prices[product] = index
        events = self._matcher(product).set_mark(mark, now_ns)
        self._tell(now_ns, [MarkChanged(product, mark, index), *events])

    def set_funding(self, product: str, rate: Decimal | str) -> None:
        """Publish a new estimated funding rate, a fraction per interval."""
        rate = self.funding_rates[self.product(product).symbol] = Decimal(rate)
        self._tell(self.clock.now_ns(), [FundingChanged(product, rate)])

    def product(self, symbol: str) -> Product:
        """The product of this name. Raises `ValueError` if there is none."""
        try:
            return self.products[symbol]
        except KeyError:
            raise ValueError(f"no product {symbol!r}; there are {sorted(self.products)}") from None

    def mark(self, product: str) -> Decimal:
        """The mark price; before the first one, where the product's market started."""
        mark = self._matcher(product).mark_price
        return self.products[product].mid if mark is None else mark

    def last(self, product: str) -> Decimal | None:
        """The price of the last match, or `None` before the first."""
        return self._matcher(product).last_price

    def book(self, product: str) -> tuple[Levels, Levels]:
        """Bids and asks as (price, total size), best first."""
        book = self._matcher(product).book
        return book.bids.levels(), book.asks.levels()

    def best(self, product: str) -> tuple[Decimal | None, Decimal | None]:
        """Best bid and best ask; `None` for an empty side."""
        book = self._matcher(product).book
        return book.bids.best_price(), book.asks.best_price()

    def queue(self, product: str, side: Side) -> list[SimOrder]:
        """The resting orders of one side in the sequence in which takers meet them."""
        return list(self._matcher(product).book.side(side))

    # -- the rest of the world ------------------------------------------------------------------------------

    def step(self) -> None:
        """Let the background flow act once on every product."""
        self.flow.step()

    def set_mid(self, product: str, price: Decimal | str) -> None:
        """Move the background's quotes to a new middle price; orders in the way are traded with."""
        self.flow.set_mid(product, Decimal(price))

    def trade(self, product: str, price: Decimal | str, size: Decimal | str, aggressor: Side = Side.SELL) -> None:
        """Make the background trade `size` at `price`, meeting resting orders first by their priority."""
        self.flow.trade(product, Decimal(price), Decimal(size), aggressor)

    # -- inside ---------------------------------------------------------------------------------------------

    def _matcher(self, product: str) -> Matcher:
        return self._matchers[self.product(product).symbol]

    def _next_trade_id(self) -> str:
        self._matches += 1
        return hashlib.sha256(f"{self._trade_ids}|{self._matches}".encode()).hexdigest()

    def _is_of_user(self, event: MarketEvent) -> TypeGuard[OrderEvent]:
        return isinstance(event, OrderEvent) and not self.ledger.accounts[event.order.account].is_background

    def _tell(self, now_ns: int, events: Iterable[MarketEvent]) -> Batch:
        events = tuple(events)
        batch = Batch(now_ns, events, tuple(event for event in events if self._is_of_user(event)))
        if events:
            for listener in list(self.listeners):
                listener(batch)
        return batch
