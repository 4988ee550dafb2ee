"""Quantity and price of an order: older statements never overwrite newer ones (law 6)."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from nautilus_orderfeeds.orders.words import OrderStatus, OrderType
from tests.support.one_order import OneOrder, V, bare, said, trade

D = Decimal


@pytest.mark.parametrize("arrival", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize(
    "ages",
    [
        [{"ts_event": 1}, {"ts_event": 2}, {"ts_event": 3}],
        [{"version": 1}, {"version": 2}, {"version": 3}],
        [{"version": 1, "ts_event": 9}, {"version": 2, "ts_event": 8}, {"version": 3, "ts_event": 7}],
        [{"filled_qty": "1", "ts_event": 9}, {"filled_qty": "2", "version": 1}, {"filled_qty": "3"}],
    ],
    ids=["time", "version", "version-before-time", "quantity-before-all"],
)
def test_the_newest_terms_stand_in_any_order(ages: list[dict[str, Any]], arrival: tuple[int, ...]) -> None:
    order = OneOrder()
    statements = [said(quantity=str(11 + i), price=str(101 + i), **age) for i, age in enumerate(ages)]
    for i in arrival:
        order.hear(statements[i], statements[i])
    assert (order.state.quantity, order.state.price) == (13, 103)
    assert order.native.quantity == 13


def test_no_version_is_not_version_zero() -> None:
    order = OneOrder()
    order.hear(said(version=7, price="101", ts_event=1))
    assert order.hear(said(price="102", ts_event=2)) == ["updated 10 @ 102"]  # another channel, without versions


def test_equal_times_are_no_duplicates() -> None:
    order = OneOrder()
    assert order.hear(said(V.PENDING, ts_event=5), said(ts_event=5), said(price="101", ts_event=5)) == [
        "accepted",
        "updated 10 @ 101",
    ]


def test_a_trade_ahead_of_the_orders_feed_does_not_make_statements_stale() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="0", ts_event=1), bare(trade("t1", "5", ts=9), ts=9))
    assert order.hear(said(price="101", filled_qty="3", ts_event=2)) == ["updated 10 @ 101"]


def test_terms_come_before_the_fills_they_make_room_for() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="0"))
    assert order.hear(said(quantity="15", filled_qty="12", fills=(trade("t1", "12", ends_at="12"),))) == [
        "updated 15 @ 100",
        "filled 12 @ 100",
    ]


def test_a_quantity_that_leaves_nothing_is_told_by_the_end() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", fills=(trade("t1", "5"),)))
    assert order.hear(said(quantity="5", filled_qty="5", ts_event=2)) == []
    assert order.hear(said(V.FILLED, quantity="5", filled_qty="5", ts_event=2)) == ["canceled"]


def test_a_price_is_no_term_of_a_market_order() -> None:
    order = OneOrder(OrderType.MARKET, price=None)
    assert order.hear(said(price="105")) == ["accepted"]
    assert order.state.price is None


def test_missing_terms_are_unchanged_terms() -> None:
    order = OneOrder()
    order.hear(said(quantity="12", price="101"))
    assert order.hear(said(filled_qty="0"), said(V.PENDING_CANCEL)) == []
    assert (order.state.quantity, order.state.price) == (12, 101)


def test_the_terms_of_a_canceled_order_still_make_room_for_late_fills() -> None:
    order = OneOrder()
    assert order.hear(said(V.CANCELED, filled_qty="0")) == ["accepted", "canceled"]
    assert order.hear(said(V.CANCELED, quantity="15", price="99", filled_qty="12", fills=(trade("t1", "12"),))) == [
        "updated 15 @ 99",
        "filled 12 @ 100",
        "canceled",
    ]


def test_nobody_asks_the_other_terms_of_an_order_that_is_over() -> None:
    order = OneOrder()
    order.hear(said(V.CANCELED, filled_qty="0"))
    assert order.hear(said(V.CANCELED, quantity="8", price="99", filled_qty="0")) == []
    assert order.hear(said(V.CANCELED, price="98", filled_qty="3", fills=(trade("t1", "3"),))) == [
        "filled 3 @ 100",
        "canceled",
    ]


def test_a_change_seen_first_in_the_cancel() -> None:
    order = OneOrder()
    assert order.hear(said(V.CANCELED, quantity="12", filled_qty="0", ts_event=4)) == [
        "accepted",
        "updated 12 @ 100",
        "canceled",
    ]
    assert order.hear(said(V.CANCELED, quantity="12", filled_qty="10", ts_event=5, fills=(trade("t1", "10"),))) == [
        "filled 10 @ 100",
        "canceled",
    ]
    assert order.state.status is OrderStatus.CANCELED
    assert order.state.leaves_qty == 0
