"""An order that the venue replaces by another one (a stop-loss that fires) goes on under the new id, told once."""

from decimal import Decimal

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.reducer import reduce
from nautilus_orderfeeds.orders.state import OrderState, evolve
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType

RULES = Rules(inferred_trade_id=lambda order_id, cum: f"{order_id}|{cum}", price_precision=9, infer_at_once=True)


def stop() -> OrderState:
    state = OrderState(
        client_order_id="O-1",
        symbol="X",
        side=OrderSide.SELL,
        type=OrderType.STOP_MARKET,
        quantity=Decimal(10),
        trigger_price=Decimal("0.20"),
    )
    for event in (ev.OrderSubmitted(), ev.OrderAccepted(venue_order_id="t-1:SL")):
        evolve(state, event)
    return state


def fired(**more: object) -> OrderUpdate:
    return OrderUpdate(
        source=Source.QUERY,
        client_order_id="O-1",
        venue_order_id="v-9",
        status=VenueStatus.FILLED,
        filled_qty=Decimal(10),
        last_px=Decimal("0.19"),
        **more,
    )


def test_the_new_id_is_told_before_the_fill_and_only_once() -> None:
    state = stop()
    update = fired(renamed=True)
    told = reduce(state, update, RULES)

    assert [type(event).__name__ for event in told] == ["OrderUpdated", "OrderFilled"]
    assert (told[0].venue_order_id, told[0].replaced) == ("v-9", True)
    assert told[1].venue_order_id == state.venue_order_id == "v-9"
    assert reduce(state, update, RULES) == []


def test_without_that_word_an_order_keeps_its_id() -> None:
    state = stop()
    told = reduce(state, fired(), RULES)
    assert [type(event).__name__ for event in told] == ["OrderFilled"]
    assert state.venue_order_id == "t-1:SL"
