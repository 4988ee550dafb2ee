"""Updates of unknown orders while an order is in flight that the venue has not named: kept only if they may be its."""

from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.tracker import OrderTracker, TrackedOrder
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce

SENT_NS = 1_700_000_000_000_000_000
MINUTE_NS = 60_000_000_000
RULES = Rules(inferred_trade_id=lambda order_id, cum_qty: f"{order_id}-{cum_qty}", price_precision=2)


def in_flight(tracker: OrderTracker) -> TrackedOrder:
    terms = NewOrder(
        client_order_id="O-1",
        symbol="BTCUSD",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=Decimal(1),
        price=Decimal(100),
    )
    tracked = tracker.add(terms, RULES, ("key",), SENT_NS)
    tracker.command(tracked, ev.OrderSubmitted(ts_event=SENT_NS))
    return tracked


def unknown(**changed: Any) -> OrderUpdate:
    fields: dict[str, Any] = {
        "source": Source.STREAM,
        "venue_order_id": "V-9",
        "status": VenueStatus.WORKING,
        "symbol": "BTCUSD",
        "side": OrderSide.BUY,
        "quantity": Decimal(1),
        "ts_accepted": SENT_NS + 1,
        **changed,
    }
    return OrderUpdate(**fields)


def test_a_clock_that_is_not_ours_says_nothing_about_ours() -> None:
    """A venue that makes its times up would have our own order's news told as somebody else's, and counted twice."""
    tracker = OrderTracker()
    in_flight(tracker)
    stranger = unknown(ts_accepted=MINUTE_NS, ts_event=MINUTE_NS)
    assert not tracker.may_be_unidentified(stranger)
    near = unknown(ts_event=SENT_NS + MINUTE_NS)
    assert not tracker.compare_clocks(near, SENT_NS)
    assert not tracker.compare_clocks(unknown(ts_event=0), SENT_NS)
    assert not tracker.compare_clocks(unknown(source=Source.SNAPSHOT, ts_event=MINUTE_NS), SENT_NS)
    assert not tracker.may_be_unidentified(stranger)
    assert tracker.compare_clocks(stranger, SENT_NS), "the news of just now"
    assert tracker.may_be_unidentified(stranger)
    assert not tracker.compare_clocks(stranger, SENT_NS), "told once"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"side": None},
        {"symbol": None},
        {"ts_accepted": 0},
        {"ts_accepted": SENT_NS - 4 * MINUTE_NS},
        {"ts_accepted": SENT_NS + 4 * MINUTE_NS},
    ],
    ids=str,
)
def test_one_that_may_be_of_the_order_in_flight_waits(told: dict[str, Any]) -> None:
    tracker = OrderTracker()
    in_flight(tracker)
    assert tracker.may_be_unidentified(unknown(**told))
    tracker.keep_unbound(unknown(**told))
    assert tracker.release_unbound() == []


@pytest.mark.parametrize(
    "told",
    [
        {"side": OrderSide.SELL},
        {"symbol": "ETHUSD"},
        {"ts_accepted": SENT_NS - 6 * MINUTE_NS},
        {"ts_accepted": SENT_NS + 6 * MINUTE_NS},
    ],
    ids=str,
)
def test_one_that_cannot_be_does_not(told: dict[str, Any]) -> None:
    """An order that was never received must not hide everybody else's for ever."""
    tracker = OrderTracker()
    in_flight(tracker)
    assert not tracker.may_be_unidentified(unknown(**told))
    tracker.keep_unbound(unknown(**told))
    assert tracker.release_unbound() == [unknown(**told)]


def test_one_that_was_kept_before_it_was_sent_has_no_time_of_sending() -> None:
    tracker = OrderTracker()
    tracked = in_flight(tracker)
    tracker.command(tracked, ev.OrderAccepted(venue_order_id="HELD-O-1", held=True, ts_event=SENT_NS))
    tracker.command(tracked, ev.OrderReleased(refs=("key2",), ts_event=SENT_NS + 60 * MINUTE_NS))
    assert tracker.may_be_unidentified(unknown(ts_accepted=SENT_NS + 61 * MINUTE_NS))


def test_nothing_waits_if_nothing_is_in_flight() -> None:
    assert not OrderTracker().may_be_unidentified(unknown())
