"""How orders end, and what the venue may leave unsaid."""

import pytest

from nautilus_orderfeeds.orders.words import OrderStatus, OrderType
from tests.support.one_order import AT_ONCE, OneOrder, V, bare, said, trade


def test_filled_without_a_quantity_means_all_of_it() -> None:
    order = OneOrder()
    order.hear(bare(trade("t1", "4")))
    assert order.hear(said(V.FILLED, avg_px="100")) == []
    assert order.hear(bare(trade("t2", "6"))) == ["filled 6 @ 100"]
    order = OneOrder(rules=AT_ONCE)
    assert order.hear(said(V.FILLED, quantity="8", price="100", avg_px="99")) == [
        "accepted",
        "updated 8 @ 100",
        "inferred 8 @ 99",
    ]
    assert order.state.status is OrderStatus.FILLED


def test_filled_at_less_than_the_quantity_is_a_cancel() -> None:
    order = OneOrder(rules=AT_ONCE)
    assert order.hear(said(V.FILLED, filled_qty="4", avg_px="100")) == ["accepted", "inferred 4 @ 100", "canceled"]


def test_filled_then_done_fills_once() -> None:
    order = OneOrder()
    done = said(V.FILLED, filled_qty="10", avg_px="100", fees="1")
    order.hear(bare(trade("t1", "10", fee="1")))
    assert order.hear(done, done) == []
    assert order.settle() == []


def test_a_full_fill_outranks_a_cancel() -> None:
    order = OneOrder()
    order.hear(said(V.CANCELED, filled_qty="4", avg_px="100"))
    assert order.hear(said(V.FILLED, filled_qty="10", avg_px="100")) == []
    assert order.settle() == ["inferred 10 @ 100"]
    assert order.state.status is OrderStatus.FILLED


def test_canceled_then_partial_fills_then_canceled_again() -> None:
    order = OneOrder()
    assert order.hear(said(V.CANCELED, filled_qty="0", ts_event=1)) == ["accepted", "canceled"]
    for number in range(1, 4):
        told = order.hear(
            said(V.CANCELED, filled_qty=str(number), fills=(trade(f"t{number}", "1", ends_at=str(number)),))
        )
        assert told == ["filled 1 @ 100", "canceled"]
        assert order.state.status is OrderStatus.CANCELED
        assert not order.native.order.is_open


@pytest.mark.parametrize("rejects_live", [True, False])
def test_a_rejection_of_a_live_order(rejects_live: bool) -> None:
    order = OneOrder()
    order.hear(said())
    expected = "rejected" if rejects_live else "canceled"
    assert order.hear(said(V.REJECTED, rejects_live=rejects_live, reason="admin")) == [expected]
    order = OneOrder()
    order.hear(said(filled_qty="1", fills=(trade("t1", "1"),)))
    assert order.hear(said(V.REJECTED, rejects_live=rejects_live)) == ["canceled"]


def test_a_rejection_that_tells_of_fills_is_a_cancel_after_them() -> None:
    order = OneOrder(rules=AT_ONCE)
    assert order.hear(said(V.REJECTED, filled_qty="3", avg_px="100")) == ["accepted", "inferred 3 @ 100", "canceled"]


def test_a_post_only_rejection_says_so() -> None:
    order = OneOrder()
    order.hear(said(V.REJECTED, due_post_only=True, reason="post only"))
    assert (order.journal[-1].due_post_only, order.journal[-1].reason) == (True, "post only")  # type: ignore[attr-defined]


def test_an_expiry_needs_an_accept_first() -> None:
    order = OneOrder()
    assert order.hear(said(V.EXPIRED, filled_qty="0")) == ["accepted", "expired"]
    order = OneOrder()
    assert order.hear(said(V.EXPIRED, filled_qty="0", venue_order_id=None)) == ["canceled"]


def test_an_expiry_that_does_not_say_what_was_filled_waits_for_trades() -> None:
    """EXPIRED takes no fill any more, so it must not be told before the fills."""
    order = OneOrder()
    order.hear(said())
    assert order.hear(said(V.EXPIRED)) == []
    assert order.hear(bare(trade("t1", "3"))) == ["filled 3 @ 100"]
    assert order.settle() == ["expired"]
    order = OneOrder()
    order.hear(said(), said(V.EXPIRED))
    assert order.hear(said(V.EXPIRED, filled_qty="0")) == ["expired"]


def test_an_end_waits_for_the_trades_that_explain_its_quantity() -> None:
    order = OneOrder()
    assert order.hear(said(V.CANCELED, filled_qty="5", avg_px="100")) == ["accepted"]
    assert order.state.is_unsettled
    assert order.hear(bare(trade("t1", "2"))) == ["filled 2 @ 100"]
    assert order.hear(bare(trade("t2", "3"))) == ["filled 3 @ 100", "canceled"]
    assert not order.state.is_unsettled


@pytest.mark.parametrize("first", [V.WAITING, V.WORKING], ids=lambda v: v.name)
def test_a_trigger_is_told_once_whichever_was_heard_of_first(first: V) -> None:
    second = V.WORKING if first is V.WAITING else V.WAITING
    order = OneOrder(OrderType.STOP_LIMIT)
    assert order.hear(said(first), said(second), said(first), said(second)) == ["accepted", "triggered"]
    assert order.state.status is OrderStatus.TRIGGERED


def test_only_triggered_limit_types_are_triggered() -> None:
    order = OneOrder(OrderType.LIMIT)
    assert order.hear(said(V.WAITING), said()) == ["accepted"]


def test_pending_is_no_event() -> None:
    assert OneOrder().hear(said(V.PENDING), said(V.PENDING)) == []
