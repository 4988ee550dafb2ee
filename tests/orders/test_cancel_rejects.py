"""Refused cancels: told once, and always in a way that the framework can apply."""

import pytest

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.reducer import refuse_cancel
from nautilus_orderfeeds.orders.words import OrderStatus, OrderType
from tests.support.one_order import OneOrder, V, said, short, trade


def _refused(key: str = "k1", **fields: object):  # type: ignore[no-untyped-def]
    return said(cancel_reject_reason="too late", cancel_reject_key=key, **fields)


def _by_command(order: OneOrder) -> list[str]:
    events: list[ev.OrderEvent] = []
    refuse_cancel(order.state, events, "nothing was sent", 5)
    return [short(event) for event in order.note(events)]


def test_a_refusal_leads_back_to_where_the_order_was() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="4", fills=(trade("t1", "4"),)))
    order.fold(ev.OrderPendingCancel())
    assert order.hear(_refused(filled_qty="4")) == ["cancelrejected"]
    assert order.state.status is OrderStatus.PARTIALLY_FILLED


def test_before_the_accept_the_order_is_accepted_first() -> None:
    order = OneOrder()
    order.fold(ev.OrderPendingCancel())
    assert order.hear(_refused()) == ["accepted", "cancelrejected"]
    order = OneOrder()
    order.fold(ev.OrderPendingCancel())
    order.state.venue_order_id = "V1"
    assert _by_command(order) == ["accepted", "cancelrejected"]


def test_without_a_venue_order_id_nothing_can_be_told() -> None:
    order = OneOrder()
    order.fold(ev.OrderPendingCancel())
    assert _by_command(order) == []
    assert order.hear(said()) == ["accepted"]


def test_from_a_triggered_order_the_only_way_out_of_pending_cancel_is_an_accept() -> None:
    order = OneOrder(OrderType.STOP_LIMIT)
    order.hear(said(V.WAITING), said())
    assert order.state.status is OrderStatus.TRIGGERED
    order.fold(ev.OrderPendingCancel())
    assert order.hear(_refused()) == ["accepted", "cancelrejected"]
    assert order.state.status is OrderStatus.ACCEPTED
    assert order.hear(said(V.WAITING), said()) == []  # it was triggered once


def test_a_refusal_is_told_once_also_across_a_restart() -> None:
    order = OneOrder()
    order.hear(said())
    order.fold(ev.OrderPendingCancel())
    assert order.hear(_refused(), _refused()) == ["cancelrejected"]
    order.restart()
    order.fold(ev.OrderPendingCancel())
    assert order.hear(_refused()) == []
    assert order.hear(_refused("k2")) == ["cancelrejected"]


def test_refusals_without_a_key_are_told_apart_by_the_request() -> None:
    order = OneOrder()
    order.hear(said())
    for _ in range(2):
        order.fold(ev.OrderPendingCancel())
        assert order.hear(_refused("")) == ["cancelrejected"]
        assert order.hear(_refused("")) == []


@pytest.mark.parametrize("end", [V.CANCELED, V.EXPIRED, V.FILLED])
def test_no_refusal_of_an_order_that_is_over(end: V) -> None:
    order = OneOrder()
    order.hear(said(end, filled_qty="10" if end is V.FILLED else "0", avg_px="100"))
    assert "cancelrejected" not in order.hear(_refused())
    order.settle()
    assert "cancelrejected" not in order.hear(_refused())


def test_a_partial_fill_of_an_order_being_canceled() -> None:
    order = OneOrder()
    order.hear(said())
    order.fold(ev.OrderPendingCancel())
    assert order.hear(said(V.PENDING_CANCEL, filled_qty="4", fills=(trade("t1", "4"),))) == ["filled 4 @ 100"]
    assert order.state.status is OrderStatus.PARTIALLY_FILLED  # the framework forgets the request
    assert order.hear(said(V.CANCELED, filled_qty="4")) == ["canceled"]
