"""Linked orders (one ends the others) and changing the end of an order's life."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import (
    EndReason,
    Fee,
    Linked,
    LinkRule,
    OrderKind,
    OrderState,
    Product,
    Side,
    SimOrder,
    TimeInForce,
    Trigger,
)

D = Decimal
X = Product("X", "X", "USD", D("1"), D("1"), D("1"), D("100"))


class Bench:
    """A market without a background."""

    def __init__(self) -> None:
        self.now = 1_000
        self.ledger = Ledger([X])
        self.market = Market([X], self.ledger, SimClock(lambda: self.now), lambda *_: Fee(), 0)
        for account in "ab":
            self.ledger.add_account(account)
        self._orders = 0

    def order(self, account: str, side: Side, size: int, price: int | None, **more: object) -> SimOrder:
        self._orders += 1
        kind = OrderKind.MARKET if price is None else OrderKind.LIMIT
        limit = None if price is None else D(price)
        return SimOrder(f"o{self._orders}", account, "X", side, D(size), limit, kind, **more)  # type: ignore[arg-type]

    def place(self, *order: object, **more: object) -> SimOrder:
        placed = self.order(*order, **more)  # type: ignore[arg-type]
        self.market.submit(placed)
        self.ledger.check()
        return placed

    def pair(self, rule: LinkRule, *orders: SimOrder) -> tuple[SimOrder, ...]:
        linked = Linked(rule, list(orders))
        for order in orders:
            order.linked = linked
        for order in orders:
            self.market.submit(order)
        self.ledger.check()
        return orders


@pytest.mark.parametrize("rule", list(LinkRule))
def test_the_first_whole_fill_ends_the_other(rule: LinkRule) -> None:
    bench = Bench()
    one, two = bench.pair(rule, bench.order("a", Side.SELL, 5, 101), bench.order("a", Side.SELL, 5, 102))
    bench.place("b", Side.BUY, 10, 102)
    assert (one.state, two.state, two.end_reason) == (OrderState.FILLED, OrderState.CANCELED, EndReason.LINKED_ORDER)
    assert bench.ledger.net_size("a", "X") == -5


def test_a_partial_fill_ends_the_other_by_the_one_rule_and_not_by_the_other() -> None:
    for rule, is_open in ((LinkRule.FIRST_FILL, False), (LinkRule.TRIGGER, False), (LinkRule.WHOLE_FILL, True)):
        bench = Bench()
        one, two = bench.pair(rule, bench.order("a", Side.SELL, 5, 101), bench.order("a", Side.SELL, 5, 102))
        bench.place("b", Side.BUY, 2, 101)
        assert (one.is_open, two.is_open) == (True, is_open)


def test_a_trigger_ends_the_other_only_by_its_rule() -> None:
    for rule, is_open in ((LinkRule.FIRST_FILL, True), (LinkRule.TRIGGER, False)):
        bench = Bench()
        stop = bench.order("a", Side.SELL, 5, 95, trigger=Trigger(D(90), rises=False))
        limit, stop = bench.pair(rule, bench.order("a", Side.SELL, 5, 110), stop)
        bench.place("b", Side.BUY, 1, 90)
        bench.place("b", Side.SELL, 1, 90)  # the last price is the trigger now
        assert (stop.triggered, stop.is_open, limit.is_open) == (True, True, is_open)


def test_one_that_comes_after_the_decision_ends_at_once() -> None:
    bench = Bench()
    bench.place("b", Side.BUY, 5, 100)
    one, two = bench.pair(LinkRule.FIRST_FILL, bench.order("a", Side.SELL, 5, 100), bench.order("a", Side.SELL, 5, 100))
    assert (one.state, two.end_reason) == (OrderState.FILLED, EndReason.LINKED_ORDER)
    assert bench.ledger.net_size("a", "X") == -5


def test_linked_makers_count_once_for_an_order_that_must_be_whole() -> None:
    bench = Bench()
    bench.pair(LinkRule.FIRST_FILL, bench.order("a", Side.SELL, 5, 101), bench.order("a", Side.SELL, 5, 102))
    order = bench.place("b", Side.BUY, 8, 102, time_in_force=TimeInForce.FOK)
    assert (order.filled, order.end_reason) == (0, EndReason.FOK)
    assert bench.place("b", Side.BUY, 5, 102, time_in_force=TimeInForce.FOK).state is OrderState.FILLED


legs = st.tuples(st.integers(95, 105), st.booleans(), st.booleans())


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(LinkRule),
    legs,
    legs,
    st.lists(st.tuples(st.booleans(), st.integers(1, 9), st.integers(94, 106)), max_size=12),
)
def test_never_more_than_one_of_a_group_fills(
    rule: LinkRule, one: tuple[int, bool, bool], two: tuple[int, bool, bool], flow: list[tuple[bool, int, int]]
) -> None:
    bench = Bench()
    made = [
        bench.order(
            "a",
            Side.SELL,
            5,
            price,
            all_or_none=whole,
            trigger=Trigger(D(price + 1), rises=False) if stop else None,
        )
        for price, whole, stop in (one, two)
    ]
    bench.pair(rule, *made)
    for is_buy, size, price in flow:
        bench.place("b", Side.BUY if is_buy else Side.SELL, size, price)
    whole = [order for order in made if order.state is OrderState.FILLED]
    assert len(whole) <= 1
    if rule is not LinkRule.WHOLE_FILL:
        assert sum(order.filled > 0 for order in made) <= 1
    if whole:
        assert not any(order.is_open for order in made)


def test_the_end_of_a_life_can_be_given_moved_and_taken_away() -> None:
    bench = Bench()
    order = bench.place("a", Side.BUY, 5, 90)
    bench.market.amend(order, expire_ns=2_000)
    bench.market.amend(order, expire_ns=3_000)
    bench.now = 2_500
    bench.market.expire_due()
    assert order.is_open
    bench.market.amend(order, expire_ns=0)
    bench.now = 3_500
    bench.market.expire_due()
    assert (order.is_open, order.expire_ns) == (True, None)
    bench.market.amend(order, expire_ns=4_000)
    bench.now = 4_000
    bench.market.expire_due()
    assert order.state is OrderState.EXPIRED
