"""Orders in quote units: restated in base units when they end, then filled."""

from decimal import Decimal

import pytest

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.words import OrderStatus, OrderType
from tests.support.one_order import OneOrder, V, bare, said, trade

D = Decimal


def _order() -> OneOrder:
    return OneOrder(OrderType.MARKET, quantity="1000", price=None, quote_quantity=True)


def test_fills_are_held_until_the_end_and_told_after_the_restatement() -> None:
    order = _order()
    assert order.hear(said(), bare(trade("t1", "3", "99")), bare(trade("t2", "2", "100"))) == ["accepted"]
    assert order.hear(said(V.FILLED, filled_qty="5", avg_px="99.4")) == [
        "updated 5 @ -",
        "filled 3 @ 99",
        "filled 2 @ 100",
    ]
    assert order.state.status is OrderStatus.FILLED
    assert not order.native.order.is_quote_quantity
    assert order.native.order.avg_px == pytest.approx(99.4)
    assert order.hear(said(V.FILLED, filled_qty="5"), said(V.FILLED), said(V.FILLED, quantity="1000")) == []
    assert order.settle() == []


def test_the_end_waits_for_the_trades() -> None:
    order = _order()
    assert order.hear(said(V.FILLED, filled_qty="5", avg_px="99.4")) == ["accepted"]
    assert order.hear(bare(trade("t1", "3", "99"))) == []
    assert order.settle() == ["updated 5 @ -", "filled 3 @ 99", "inferred 2 @ 100"]


def test_a_cancel_with_fills_ends_as_filled_and_one_without_as_canceled() -> None:
    order = _order()
    order.hear(bare(trade("t1", "3")))
    assert order.hear(said(V.CANCELED, filled_qty="3")) == ["updated 3 @ -", "filled 3 @ 100"]
    order = _order()
    assert order.hear(said(V.CANCELED, filled_qty="0")) == ["accepted", "canceled"]


@pytest.mark.parametrize("end", [V.FILLED, V.CANCELED, V.EXPIRED])
def test_an_end_that_does_not_say_how_much_waits_for_all_trades(end: V) -> None:
    """A restatement cannot be taken back: the first of two trades must not pass for the whole."""
    order = _order()
    order.hear(said(), said(end))
    assert order.hear(bare(trade("t1", "3"))) == []
    assert order.hear(bare(trade("t2", "2"))) == []
    assert order.settle() == ["updated 5 @ -", "filled 3 @ 100", "filled 2 @ 100"]


def test_trades_beyond_the_venues_total_wait_too() -> None:
    order = _order()
    order.hear(said(), bare(trade("t1", "3")), bare(trade("t2", "2")))
    assert order.hear(said(V.CANCELED, filled_qty="3")) == []
    assert order.hear(said(V.CANCELED, filled_qty="5")) == ["updated 5 @ -", "filled 3 @ 100", "filled 2 @ 100"]


def test_filled_without_any_amount_is_an_anomaly_and_no_end() -> None:
    order = _order()
    order.hear(said())
    assert order.hear(said(V.FILLED)) == []
    assert order.settle() == ["anomaly"]
    assert order.settle() == []
    assert order.state.status is OrderStatus.ACCEPTED
    assert order.hear(bare(trade("t1", "3"))) == []
    assert order.settle() == ["updated 3 @ -", "filled 3 @ 100"]


def test_trades_that_explain_a_held_inference_are_not_counted_again() -> None:
    order = _order()
    order.hear(said(filled_qty="5", avg_px="100"))
    assert order.settle() == []
    assert order.hear(bare(trade("t1", "2"))) == []  # may be news as well
    assert order.settle() == ["absorbed 2"]
    assert order.hear(said(V.FILLED, filled_qty="5", avg_px="100")) == ["updated 5 @ -", "inferred 5 @ 100"]
    assert order.state.coverage.credit == 3
    order.restart()
    assert order.state.coverage.credit == 3
    assert order.hear(bare(trade("t2", "3"))) == ["absorbed 3"]
    assert order.hear(bare(trade("t3", "1"))) == ["orphaned 1 @ 100"]


def test_held_fills_survive_a_restart_by_being_told_again() -> None:
    order = _order()
    order.hear(said(), bare(trade("t1", "3", "99")))
    order.restart()
    assert order.state.held == []
    assert order.hear(said(V.FILLED, filled_qty="5", avg_px="99.4")) == []
    assert order.hear(bare(trade("t1", "3", "99")), bare(trade("t2", "2", "100"))) == [
        "updated 5 @ -",
        "filled 3 @ 99",
        "filled 2 @ 100",
    ]


def test_a_late_trade_after_the_restatement_is_an_orphan() -> None:
    order = _order()
    order.hear(bare(trade("t1", "3")), said(V.FILLED, filled_qty="3"))
    assert order.hear(bare(trade("t2", "1"))) == ["orphaned 1 @ 100"]
    assert order.state.orphaned_qty == 1


def test_the_terms_of_the_statement_are_in_another_unit() -> None:
    order = _order()
    assert order.hear(said(quantity="1000"), said(quantity="5", price="100", ts_event=2)) == ["accepted"]
    assert order.state.quantity == 1000
    assert not order.events(ev.OrderUpdated)
