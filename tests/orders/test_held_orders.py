"""Orders that are held here before they go to the venue: placement, names, and what a restart makes of them."""

from decimal import Decimal

import pytest

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.state import Placement
from nautilus_orderfeeds.orders.tracker import OrderTracker, TrackedOrder
from nautilus_orderfeeds.orders.updates import Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderStatus, OrderType, TimeInForce

D = Decimal
RULES = Rules(inferred_trade_id=lambda order_id, qty: f"{order_id}-{qty}", price_precision=2)
TERMS = NewOrder(
    client_order_id="O-1",
    symbol="EURUSD",
    side=OrderSide.SELL,
    type=OrderType.LIMIT,
    time_in_force=TimeInForce.GTC,
    quantity=D(10),
    price=D(2),
)
HELD = [ev.OrderSubmitted(), ev.OrderAccepted(venue_order_id="HELD-O-1", held=True)]
SENT = [*HELD, ev.OrderReleased(refs=("cid:O-1",))]


def tracked(*events: ev.OrderEvent) -> tuple[OrderTracker, TrackedOrder]:
    tracker = OrderTracker()
    one = tracker.add(TERMS, RULES, (), 1)
    for event in events:
        tracker.command(one, event)
    return tracker, one


def test_a_held_order_is_live_but_unknown_to_the_venue():
    tracker, one = tracked(*HELD)
    assert one.state.status is OrderStatus.ACCEPTED
    assert one.state.placement is Placement.HELD
    assert not one.in_flight
    assert not tracker.any_unidentified
    assert one.ref.venue_order_id is None
    assert tracker.open_orders() == [one]


def test_a_released_order_is_in_flight_until_the_venue_names_it():
    tracker, one = tracked(*SENT)
    assert one.in_flight
    assert tracker.any_unidentified
    assert one.ref.venue_order_id is None
    assert one.refs == one.ref.refs == ("cid:O-1",)
    update = OrderUpdate(source=Source.STREAM, venue_order_id="77", refs=("cid:O-1",), status=VenueStatus.WORKING)
    found, events = tracker.apply(update, 5)
    assert found is one
    assert events == [
        ev.OrderUpdated(venue_order_id="77", quantity=D(10), price=D(2), replaced=True),
    ]
    assert one.state.placement is Placement.VENUE
    assert one.ref.venue_order_id == "77"
    assert not one.in_flight
    assert tracker.get(None, "77") is one
    assert tracker.apply(update, 6) == (one, [])


def test_a_fill_that_names_it_is_told_under_the_venues_id():
    tracker, _ = tracked(*SENT)
    fill = Fill(trade_id="t", last_qty=D(10), last_px=D(2), ends_at=D(10))
    update = OrderUpdate(
        source=Source.STREAM,
        venue_order_id="77",
        refs=("cid:O-1",),
        status=VenueStatus.FILLED,
        filled_qty=D(10),
        quantity=D(10),
        fills=(fill,),
    )
    _, events = tracker.apply(update, 5)
    assert [type(event).__name__ for event in events] == ["OrderUpdated", "OrderFilled"]
    assert events[1].venue_order_id == "77"


def test_a_late_name_of_an_order_that_was_given_up_tells_nothing():
    tracker, one = tracked(*SENT, ev.OrderRejected(reason="absent"))
    update = OrderUpdate(source=Source.STREAM, venue_order_id="77", refs=("cid:O-1",), status=VenueStatus.WORKING)
    _, events = tracker.apply(update, 5)
    assert events == []
    assert one.ref.venue_order_id == "77"


@pytest.mark.parametrize(
    ("events", "placement", "in_flight", "venue_order_id"),
    [
        (HELD, Placement.HELD, False, "HELD-O-1"),
        (SENT, Placement.RELEASED, True, "HELD-O-1"),
        (
            [*SENT, ev.OrderUpdated(venue_order_id="77", quantity=D(10), replaced=True)],
            Placement.VENUE,
            False,
            "77",
        ),
        ([*SENT, ev.OrderRejected(reason="no")], Placement.RELEASED, False, "HELD-O-1"),
    ],
)
def test_a_restart_restores_it(events: list[ev.OrderEvent], placement: Placement, in_flight: bool, venue_order_id: str):
    tracker = OrderTracker()
    one = tracker.restore(TERMS, RULES, (), 1, events, external=False, venue_order_id=None)
    assert one.state.placement is placement
    assert one.in_flight is in_flight
    assert one.state.venue_order_id == venue_order_id
    if placement is not Placement.HELD:
        assert tracker.find(OrderUpdate(source=Source.QUERY, refs=("cid:O-1",))) is one


# -- updates of other accounts ----------------------------------------------------------------------------------------


def update(venue_order_id: str | None, **fields: object) -> OrderUpdate:
    return OrderUpdate(source=Source.STREAM, venue_order_id=venue_order_id, refs=("cid:O-1",), **fields)  # type: ignore[arg-type]


def test_where_other_accounts_are_told_of_a_key_counts_only_until_the_id_is_known():
    tracker = OrderTracker()
    one = tracker.add(TERMS, RULES, ("cid:O-1",), 1)
    assert tracker.find(update("88")) is one  # usual venues: a key is unique
    tracker.foreign_updates = True
    assert tracker.find(update("77")) is one
    assert tracker.find(update("77", symbol="GBPUSD")) is None
    assert tracker.find(update("77", side=OrderSide.BUY)) is None
    tracker.bind(one, "77")
    assert tracker.find(update("77")) is one
    assert tracker.find(update(None)) is one
    assert tracker.find(update("88")) is None
    by_id = OrderUpdate(source=Source.STREAM, venue_order_id="88", client_order_id="O-1")
    assert tracker.find(by_id) is None


def test_where_other_accounts_are_told_of_a_key_does_not_count_before_the_answer():
    tracker = OrderTracker()
    one = tracker.add(TERMS, RULES, ("cid:O-1",), 1)
    one.awaits_answer = True
    assert tracker.find(update("88")) is one  # usual venues: a key is unique
    tracker.foreign_updates = True
    assert tracker.find(update("77")) is None
    answer = OrderUpdate(source=Source.ANSWER, venue_order_id="78", refs=("cid:O-1",), client_order_id="O-1")
    assert tracker.find(answer) is one
    one.awaits_answer = False  # none came: the key is all there is
    assert tracker.find(update("77")) is one
