"""Order objects into updates, and updates into events: each fill once, however it is told."""

from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.reducer import reduce, settle
from nautilus_orderfeeds.orders.requests import Amend, OrderRef
from nautilus_orderfeeds.orders.state import OrderState
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderStatus, OrderType, TimeInForce
from nautilus_orderfeeds.venues.acttrader import wire
from nautilus_orderfeeds.venues.acttrader.codec import OrderCodec, Reading, trade_id
from nautilus_orderfeeds.venues.acttrader.times import iso_ms, parse_time
from nautilus_orderfeeds.venues.acttrader.words import reason_of, status_of, time_in_force_of

D = Decimal
RULES = Rules(inferred_trade_id=trade_id, price_precision=5)


def codec() -> OrderCodec:
    return OrderCodec(ManualClock())


def read(reader: OrderCodec, source: Source = Source.STREAM, **fields: Any) -> Reading:
    """Read an order object of 10000 at 1.5, live and untouched but for `fields`."""
    order: dict[str, Any] = {
        "symbol": "EURUSD",
        "type": "LIMIT",
        "side": "BUY",
        "orderId": 7,
        "clientOrderId": "O-1",
        "price": 1.5,
        "origQty": 10000,
        "executedQty": 0,
        "status": "NEW",
        "timeInForce": "AON",
    }
    order.update(fields)
    order = {key: value for key, value in order.items() if value is not None}
    return reader.read(wire.ORDER.decode(wire.msgspec.json.encode(order)), source)


def state(**terms: Any) -> OrderState:
    made = {
        "client_order_id": "O-1",
        "symbol": "EURUSD",
        "side": OrderSide.BUY,
        "type": OrderType.LIMIT,
        "quantity": D(10000),
        "price": D("1.5"),
        "status": OrderStatus.SUBMITTED,
    }
    return OrderState(**{**made, **terms})


def tell(order: OrderState, *updates: OrderUpdate) -> list[ev.OrderEvent]:
    return [event for update in updates for event in reduce(order, update, RULES)]


def fills_of(events: list[ev.OrderEvent]) -> list[tuple[str, Decimal, Decimal]]:
    return [(e.trade_id, e.last_qty, e.last_px) for e in events if isinstance(e, ev.OrderFilled)]


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason", "meaning"),
    [
        ("NEW", "", VenueStatus.WORKING),
        ("PARTIAL_FILL", "", VenueStatus.WORKING),
        ("PARTIALLY_FILLED", "", VenueStatus.WORKING),
        ("FILLED", "", VenueStatus.FILLED),
        ("CANCELED", "", VenueStatus.CANCELED),
        ("CANCELLED", "USER", VenueStatus.CANCELED),
        ("CANCELED", "OCO_CONDITION", VenueStatus.CANCELED),
        ("REJECTED", "oco condition", VenueStatus.CANCELED),
        ("CANCELED", "lifetime expired", VenueStatus.EXPIRED),
        ("REJECTED", "LIFETIME_EXPIRED", VenueStatus.EXPIRED),
        ("EXPIRED", "", VenueStatus.EXPIRED),
        ("REJECTED", "no money", VenueStatus.REJECTED),
        ("SUSPENDED", "", None),
    ],
)
def test_status(status: str, reason: str, meaning: VenueStatus | None):
    assert status_of(status, reason_of(reason)) is meaning


def test_time_in_force_of_reports():
    assert time_in_force_of("AON", expires=False) is TimeInForce.GTC
    assert time_in_force_of("AON", expires=True) is TimeInForce.GTD
    assert time_in_force_of("GTT", expires=True) is TimeInForce.GTD
    assert time_in_force_of("GTC", expires=False) is TimeInForce.GTC
    assert time_in_force_of("TPI", expires=False) is TimeInForce.GTC
    assert time_in_force_of("IOC", expires=False) is TimeInForce.IOC
    assert time_in_force_of("FOK", expires=False) is TimeInForce.FOK
    assert time_in_force_of("DAY", expires=False) is None


@given(st.integers(10**18, 4 * 10**18))
def test_times_are_written_to_the_millisecond_and_never_later(time_ns: int):
    assert parse_time(iso_ms(time_ns)) == time_ns - time_ns % 1_000_000


@given(st.one_of(st.text(max_size=40), st.integers(), st.none()))
def test_no_time_is_a_fault(told: str | int | None):
    assert 0 <= parse_time(told) < 2**63


# -- terms ------------------------------------------------------------------------------------------------------------


def test_a_price_is_the_limit_price_and_of_no_other_type():
    reader = codec()
    assert read(reader).update.price == D("1.5")
    for type_ in ("MARKET", "STOP"):
        assert read(reader, type=type_, price=1.12312).update.price is None
    assert read(reader, type="LIMIT", price=0.0).update.price is None


def test_numbers_are_exact():
    raw = b'{"orderId":9007199254740993,"origQty":0.1,"executedQty":12345678901234567890.123456789,"status":"NEW"}'
    update = codec().read(wire.ORDER.decode(raw), Source.QUERY).update
    assert update.venue_order_id == "9007199254740993"
    assert update.quantity == D("0.1")
    assert update.filled_qty == D("12345678901234567890.123456789")


@pytest.mark.parametrize(
    "fields",
    [
        {"executedQty": -1},
        {"origQty": -1},
        {"orderId": ""},
        {"orderId": "\u0663"},
        {"symbol": "EUR\x00"},
        {"executedQty": 10000, "fills": [{"price": 0, "qty": 10000}]},
        {"executedQty": 10000, "fills": [{"price": 1, "qty": -10000}]},
    ],
)
def test_nonsense_is_refused(fields: dict[str, Any]):
    with pytest.raises(ValueError, match=r"\S"):
        read(codec(), **fields)


def test_absurd_numbers_are_refused():
    with pytest.raises(ValueError, match="range"):
        codec().read(wire.ORDER.decode(b'{"orderId":1,"origQty":1e400}'), Source.QUERY)


def test_foreign_client_order_id_that_is_none_hides_nothing():
    update = read(codec(), clientOrderId="Bestellung \u00fc").update
    assert update.venue_order_id == "7"
    assert update.refs == ()


def test_the_draft_shows_no_stop_price_so_the_accepted_change_is_remembered():
    reader = codec()
    assert read(reader, type="STOP", price=None).update.trigger_price is None
    reader.remember("7").trigger_price = D("1.4")
    assert read(reader, type="STOP", price=None).update.trigger_price == D("1.4")
    assert read(reader, type="STOP", stopPrice=1.3, price=None).update.trigger_price == D("1.3")


# -- what can be believed ---------------------------------------------------------------------------------------------


def test_full_quantity_on_a_live_order_is_a_placeholder_unless_its_fills_prove_it():
    for status in ("NEW", "CANCELED", "PARTIAL_FILL"):
        reading = read(codec(), status=status, executedQty=10000)
        assert reading.update.filled_qty is None
        assert reading.needs_status
        assert reading.update.status is not VenueStatus.FILLED
        proved = read(codec(), status=status, executedQty=10000, fills=[{"price": 1.5, "qty": 10000}])
        assert proved.update.status is VenueStatus.FILLED
        assert proved.update.filled_qty == 10000
        assert not proved.needs_status


def test_rows_of_a_list_make_no_fills():
    reading = read(
        codec(), Source.SNAPSHOT, status="PARTIAL_FILL", executedQty=4000, fills=[{"price": 1.5, "qty": 4000}]
    )
    assert reading.update.filled_qty is None
    assert reading.update.fills == ()
    assert reading.needs_status
    assert not reading.untouched
    assert read(codec(), Source.SNAPSHOT).untouched


def test_execution_without_fills_asks_once():
    reader = codec()
    assert read(reader, executedQty=4000).needs_status
    assert not read(reader, Source.QUERY, executedQty=4000, fills=[{"price": 1.5, "qty": 4000}]).needs_status
    assert not read(reader, executedQty=4000).needs_status
    assert read(reader, executedQty=6000).needs_status


def test_incremental_list_with_a_gap_asks():
    reader = codec()
    assert not read(reader, executedQty=4000, fills=[{"price": 1.5, "qty": 4000}]).needs_status
    assert read(reader, executedQty=9000, fills=[{"price": 1.5, "qty": 2000}]).needs_status


def test_list_that_exceeds_the_filled_quantity_prices_it():
    order = state()
    update = read(codec(), executedQty=4000, fills=[{"price": 1.5, "qty": 4000}, {"price": 1.3, "qty": 4000}]).update
    assert update.fills == ()
    assert update.avg_px == D("1.4")
    assert fills_of(tell(order, update)) == []
    assert fills_of(settle(order, RULES)) == [("7-4000", 4000, D("1.4"))]


def test_oco_sibling_without_a_reason_is_canceled():
    reader = codec()
    reader.remember("7").is_leg = True
    assert read(reader, status="REJECTED").update.status is VenueStatus.CANCELED
    assert read(reader, status="REJECTED", reason="no money").update.status is VenueStatus.REJECTED
    assert read(codec(), status="REJECTED").update.status is VenueStatus.REJECTED


# -- trade ids --------------------------------------------------------------------------------------------------------


def test_trade_ids():
    assert trade_id("1000001", D("5000.00")) == "1000001-5000"
    assert trade_id("1000001", D("1E+4")) == "1000001-10000"
    assert trade_id("1", D("0.10")) == "1-0.1"
    long = trade_id("9" * 30, D("1234567.5"))
    assert len(long) == 32
    assert long == trade_id("9" * 30, D("1234567.50"))
    assert long != trade_id("9" * 30, D("1234567.6"))


# -- the same events from every way of telling ------------------------------------------------------------------------

trades = st.lists(st.tuples(st.integers(1, 9), st.integers(1000, 2000)), min_size=1, max_size=5)


def told(parts: list[tuple[int, int]], at: int, how: str) -> dict[str, Any]:
    """What an `execution` after `at` of the trades says."""
    executed = sum(qty for qty, _ in parts[:at])
    total = sum(qty for qty, _ in parts)
    first = 0 if how == "whole" else at - 1
    fills = [{"price": px / 1000, "qty": qty} for qty, px in parts[first:at]] if how != "none" else None
    status = "FILLED" if executed == total else "PARTIAL_FILL"
    return {"origQty": total, "executedQty": executed, "fills": fills, "status": status}


@given(trades, st.data())
def test_whole_and_partial_lists_tell_the_same_fills_once(parts: list[tuple[int, int]], data: st.DataObject):
    """Each message in any of its forms, repeated and late as it may be; a lost one is made up by `orderstatus`."""
    reader, order = codec(), state(quantity=D(sum(qty for qty, _ in parts)))
    events: list[ev.OrderEvent] = []
    numbers = data.draw(st.lists(st.integers(1, len(parts)), max_size=8))
    for at in [*numbers, len(parts)]:
        how = data.draw(st.sampled_from(["whole", "part", "none"]))
        reading = read(reader, **told(parts, at, how))
        events += tell(order, reading.update)
        if reading.needs_status:
            events += tell(order, read(reader, Source.QUERY, **told(parts, at, "whole")).update)
    assert order.status is OrderStatus.FILLED
    ends = list(accumulate(qty for qty, _ in parts))
    assert sorted(fills_of(events), key=lambda fill: int(fill[0].split("-")[1])) == [
        (f"7-{end}", D(qty), D(px) / 1000) for end, (qty, px) in zip(ends, parts, strict=True)
    ]
    assert not any(isinstance(event, ev.OrderFilled) and event.inferred for event in events)


def test_older_transaction_time_changes_no_terms():
    reader, order = codec(), state()
    new = read(reader, price=1.4, transactTime=2_000).update
    old = read(reader, price=1.5, transactTime=1_000).update
    assert [type(e).__name__ for e in tell(order, new, old)] == ["OrderAccepted", "OrderUpdated"]
    assert order.price == D("1.4")


def test_what_shows_a_change_that_was_taken_is_not_old_whatever_its_time():
    """Which moment `transactTime` means is not documented, and clocks are set back."""
    reader, order = codec(), state()
    tell(order, read(reader, transactTime=2_000).update)
    reader.note_change("7", Amend(ref=OrderRef(client_order_id="O-1", symbol="EURUSD"), price=D("1.4")))
    stale = read(reader, transactTime=1_000).update
    changed = read(reader, price=1.4, transactTime=1_000).update
    assert [type(e).__name__ for e in tell(order, stale, changed)] == ["OrderUpdated"]
    assert order.price == D("1.4")


def test_rows_without_a_time_are_ordered_by_arrival():
    """A row that arrived before a change was answered, and is taken in after it, does not undo the change."""
    reader, order = codec(), state()
    row = read(reader, Source.SNAPSHOT).update
    changed = read(reader, price=1.4).update
    tell(order, changed, row)
    assert order.price == D("1.4")


def test_versions_rise_across_restarts():
    before = read(OrderCodec(ManualClock(start_ns=10**18))).update.version
    after = read(OrderCodec(ManualClock(start_ns=10**18 + 1))).update.version
    assert after > before


def test_however_many_other_orders_are_told_of_ours_stay_known():
    """One socket serves many logins: what must not be done to a partly filled order of ours is not forgotten."""
    reader = codec()
    reader.remember("7")
    read(reader, executedQty=4000, status="PARTIAL_FILL", fills=[{"price": 1.5, "qty": 4000}])
    for number in range(20_100):
        read(reader, orderId=1_000_000 + number)
    seen = reader.seen("7")
    assert seen is not None
    assert (seen.executed, seen.type) == (4000, OrderType.LIMIT)
    assert len(reader._others) == 20_000
