"""What a restart knows: what was told, and that it was known then."""

import dataclasses
from decimal import Decimal

import msgspec

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.state import OrderState
from nautilus_orderfeeds.orders.words import OrderStatus, OrderType
from tests.support.one_order import OneOrder, V, bare, said, trade

D = Decimal


def test_old_news_after_a_restart_tells_nothing() -> None:
    first = said(quantity="10", price="100", filled_qty="2", ts_event=1, fills=(trade("t1", "2", ends_at="2"),))
    amended = said(quantity="12", price="101", filled_qty="2", ts_event=2)
    filled = said(quantity="12", price="101", filled_qty="5", ts_event=3, fills=(trade("t2", "3", ends_at="5"),))
    order = OneOrder()
    assert order.hear(first, amended, filled) == ["accepted", "filled 2 @ 100", "updated 12 @ 101", "filled 3 @ 100"]
    order.restart()
    for old in (first, amended, filled, first):
        assert order.hear(old) == []
    assert order.settle() == []
    assert not order.state.is_unsettled


def test_older_terms_do_not_return_by_version_either() -> None:
    order = OneOrder()
    order.hear(said(price="100", version=1), said(price="101", version=2), said(price="102", version=3))
    order.restart()
    assert order.hear(said(price="101", version=2), said(price="102", version=3)) == []
    assert order.hear(said(price="103", version=4)) == ["updated 10 @ 103"]


def test_a_late_fill_after_a_restart_is_followed_by_the_cancel_again() -> None:
    order = OneOrder()
    order.hear(said(V.CANCELED, filled_qty="0", reason="user"))
    order.restart()
    assert order.hear(bare(trade("t1", "3"))) == ["filled 3 @ 100", "canceled"]
    assert order.events(ev.OrderCanceled)[-1].reason == "user"


def test_an_order_that_waited_for_its_trigger_is_triggered_after_a_restart() -> None:
    order = OneOrder(OrderType.STOP_LIMIT)
    order.hear(said(V.WAITING))
    order.restart()
    assert order.hear(said()) == ["triggered"]
    order.restart()
    assert order.hear(said(V.WAITING), said()) == []


def test_an_inferred_fill_is_explained_after_a_restart() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100"))
    order.settle()
    order.restart()
    assert order.hear(bare(trade("t1", "2", ends_at="2")), bare(trade("t2", "3", ends_at="5"))) == [
        "absorbed 2",
        "absorbed 3",
    ]


def test_an_order_sent_but_not_recorded_as_sent() -> None:
    """The process died between sending and writing it down: the venue's word proves that it was sent."""
    order = OneOrder(submitted=False)
    assert order.hear(said(filled_qty="4", avg_px="100")) == ["submitted", "accepted"]
    order = OneOrder(submitted=False)
    assert order.hear(said(V.REJECTED)) == ["submitted", "rejected"]


def test_the_told_half_is_the_same_live_and_folded() -> None:
    order = OneOrder(OrderType.STOP_LIMIT)
    order.hear(said(V.WAITING), said(filled_qty="5", avg_px="101", fees="1"))
    order.settle()
    order.hear(bare(trade("t1", "2", "102", fee="0.1")), bare(trade("t2", "9", "103", fee="0.2")))
    order.settle()
    order.hear(said(V.EXPIRED, filled_qty="11"))
    order.hear(bare(trade("t3", "1")))
    live = order.state
    order.restart()
    names = {field.name for field in dataclasses.fields(OrderState)} - {"known"}
    assert {name: getattr(order.state, name) for name in names} == {name: getattr(live, name) for name in names}
    assert order.state.status is OrderStatus.FILLED or order.state.orphaned_qty >= 0


def test_events_survive_the_journal() -> None:
    order = OneOrder()
    order.hear(said(V.WORKING, quantity="12", price="101", filled_qty="5", avg_px="100.5", fees="0.1", version=3))
    order.settle()
    order.hear(
        bare(trade("t1", "9", "102", ends_at="9", fee="0.9")), said(cancel_reject_reason="no", cancel_reject_key="k")
    )
    order.hear(said(V.EXPIRED, filled_qty="9"), bare(trade("t2", "1", "99")))
    decoder = msgspec.json.Decoder(ev.AnyOrderEvent)
    assert [decoder.decode(msgspec.json.encode(event)) for event in order.journal] == order.journal
    assert {type(event) for event in order.journal} >= {
        ev.OrderFilled,
        ev.FillAbsorbed,
        ev.FillOrphaned,
        ev.OrderUpdated,
    }
