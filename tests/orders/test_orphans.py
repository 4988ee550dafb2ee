"""Fills that the framework's order cannot take: told as orphans, once, and never lost."""

from decimal import Decimal

import pytest

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.words import OrderStatus
from tests.support.one_order import AT_ONCE, OneOrder, V, bare, said, trade

D = Decimal


def _expired(filled: str = "2") -> OneOrder:
    order = OneOrder()
    order.hear(said(filled_qty=filled, fills=(trade("t1", filled),)), said(V.EXPIRED, filled_qty=filled))
    assert order.state.status is OrderStatus.EXPIRED
    return order


def test_a_trade_after_expiry_is_an_orphan_once() -> None:
    order = _expired()
    late = bare(trade("t2", "3", "101", fee="0.3"))
    assert order.hear(late) == ["orphaned 3 @ 101"]
    assert order.hear(late, said(V.EXPIRED, filled_qty="5", avg_px="100.6"), late) == []
    assert order.settle() == []
    order.restart()
    assert order.hear(late, said(V.EXPIRED, filled_qty="5", avg_px="100.6")) == []
    assert order.settle() == []
    assert (order.state.orphaned_qty, order.state.orphaned_notional, order.state.orphaned_fees) == (3, 303, D("0.3"))


def test_an_inferred_orphan_is_not_counted_again_when_its_trade_turns_up() -> None:
    order = _expired()
    assert order.hear(said(V.EXPIRED, filled_qty="5", avg_px="100.6")) == []
    assert order.settle() == ["orphaned 3 @ 101"]
    assert order.hear(bare(trade("t2", "1", "101")), bare(trade("t3", "2", "101"))) == []  # may be news as well
    assert order.settle() == ["absorbed 1", "absorbed 2"]
    assert order.state.orphaned_qty == 3


def test_each_inferred_orphan_has_its_own_name() -> None:
    order = _expired()
    for filled in ("4", "6", "9"):
        order.hear(said(V.EXPIRED, filled_qty=filled, avg_px="100"))
        order.settle()
    names = [orphan.trade_id for orphan in order.events(ev.FillOrphaned)]
    assert names == ["V1|cum|4", "V1|cum|6", "V1|cum|9"]
    assert order.state.orphaned_qty == 7


def test_an_orphan_is_no_part_of_the_price_of_the_next_fill() -> None:
    order = OneOrder(quantity="5")
    order.hear(said(filled_qty="7", quantity="5", fills=(trade("t1", "7", "100"),)))
    order.hear(said(V.FILLED, filled_qty="9", quantity="5", filled_notional="906"))
    assert order.settle() == ["orphaned 2 @ 103"]


@pytest.mark.parametrize("at_once", [True, False])
def test_an_overfill_fills_the_order_and_orphans_the_rest(at_once: bool) -> None:
    order = OneOrder(rules=AT_ONCE) if at_once else OneOrder()
    fills = () if at_once else (trade("t1", "12", "101", fee="1.2"),)
    told = order.hear(said(V.FILLED, quantity="10", filled_qty="12", avg_px="101", fees="1.2", fills=fills))
    assert told == ["accepted", f"{'inferred' if at_once else 'filled'} 10 @ 101", "orphaned 2 @ 101"]
    assert order.state.status is OrderStatus.FILLED
    assert order.native.order.overfill_qty == 0
    assert (order.fills[0].commission, order.state.orphaned_fees) == (1, D("0.2"))
    assert order.hear(said(V.FILLED, quantity="10", filled_qty="12", avg_px="101", fees="1.2", fills=fills)) == []
    assert order.settle() == []


def test_the_trades_of_an_inferred_overfill_are_not_counted_again() -> None:
    order = OneOrder(rules=AT_ONCE)
    order.hear(said(V.FILLED, quantity="10", filled_qty="12", avg_px="101"))
    assert order.hear(bare(trade("t1", "7")), bare(trade("t2", "5"))) == ["absorbed 7", "absorbed 5"]


def test_a_trade_on_a_rejected_order_is_an_orphan() -> None:
    order = OneOrder()
    assert order.hear(said(V.REJECTED, reason="no")) == ["rejected"]
    assert order.hear(bare(trade("t1", "1"))) == ["orphaned 1 @ 100"]
    assert order.hear(bare(trade("t1", "1")), said(V.REJECTED)) == []


def test_a_denied_order_that_the_venue_knows_is_an_anomaly_once() -> None:
    order = OneOrder(submitted=False)
    order.fold(ev.OrderDenied(reason="cannot"))
    assert order.hear(said(), said(filled_qty="3"), bare(trade("t1", "3"))) == ["anomaly"]
    order.restart()
    assert order.hear(said()) == []


def test_a_trade_beyond_the_quantity_waits_for_the_change_of_terms_that_made_room_for_it() -> None:
    order = OneOrder()
    order.hear(said(quantity="10", filled_qty="0", ts_event=1))
    assert order.hear(bare(trade("t1", "12", "101"))) == []
    assert order.hear(said(quantity="15", price="100", filled_qty="12", ts_event=2)) == [
        "updated 15 @ 100",
        "filled 12 @ 101",
    ]
    assert order.state.status is OrderStatus.PARTIALLY_FILLED
    assert not order.events(ev.FillOrphaned)


def test_a_trade_that_would_fill_an_order_being_changed_waits_for_the_outcome() -> None:
    """Else the order closes at its old quantity, and the framework refuses every later fill."""
    order = OneOrder()
    order.hear(said(quantity="10", filled_qty="4", fills=(trade("t1", "4"),), ts_event=1))
    order.fold(ev.OrderPendingUpdate())
    assert order.hear(bare(trade("t2", "1"))) == ["filled 1 @ 100"]  # takes it out of PENDING_UPDATE
    assert order.hear(bare(trade("t3", "5"))) == []
    assert order.hear(said(quantity="15", filled_qty="10", ts_event=2)) == ["updated 15 @ 100", "filled 5 @ 100"]
    assert order.hear(bare(trade("t4", "5"))) == ["filled 5 @ 100"]
    assert order.state.status is OrderStatus.FILLED


@pytest.mark.parametrize("how", ["refused", "stated", "settled", "ended"])
def test_such_a_trade_does_not_wait_for_ever(how: str) -> None:
    order = OneOrder()
    order.hear(said(quantity="10", filled_qty="4", fills=(trade("t1", "4"),)))
    order.fold(ev.OrderPendingUpdate())
    assert order.hear(bare(trade("t3", "6"))) == []
    if how == "refused":
        order.fold(ev.OrderModifyRejected(reason="too late"))
        told = order.hear(said(filled_qty="4"))
    elif how == "stated":
        told = order.hear(said(quantity="10", filled_qty="10"))
    elif how == "settled":
        told = order.settle()
    else:
        told = order.hear(said(V.FILLED, filled_qty="10"))
    assert told == ["filled 6 @ 100"]
    assert order.state.status is OrderStatus.FILLED
