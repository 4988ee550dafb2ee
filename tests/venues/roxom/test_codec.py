"""What each status, field and contradiction of the documents becomes."""

from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.base import Readback
from nautilus_orderfeeds.venues.roxom.codec import OrderCodec, created_ns, inferred_trade_id
from nautilus_orderfeeds.venues.roxom.fills import LogFill
from nautilus_orderfeeds.venues.roxom.units import instant_ns
from tests.support.roxom_client import CREATED_NS, EVENT_NS, ORDER_ID, codec, decoder, event, rest_order, terms

V = VenueStatus


def own(**changed: Any) -> OrderCodec:
    """A codec that knows the order of the tests as ours."""
    orders = codec()
    orders.memories.bind(ORDER_ID, terms(**changed))
    return orders


def hear(orders: OrderCodec, raw: bytes) -> OrderUpdate:
    (update,) = [message for message in decoder(orders).decode(raw) if isinstance(message, OrderUpdate)]
    return update


@pytest.mark.parametrize(
    ("word", "executed", "status"),
    [
        ("pendingsubmit", "0.00", V.PENDING),
        ("waitingtrigger", "0.00", V.WAITING),
        ("submitted", "0.00", V.WORKING),
        ("partiallyfilled", "0.40", V.WORKING),
        ("pendingcancel", "0.40", V.PENDING_CANCEL),
        ("filled", "1.00", V.FILLED),
        ("partiallyfilledcancelled", "0.40", V.CANCELED),
        ("cancelled", "0.00", V.CANCELED),
        ("cancelled", "0.40", V.CANCELED),
        ("rejected", "0.00", V.REJECTED),
        ("inactive", "0.00", None),
    ],
)
def test_the_ten_statuses(word, executed, status):
    update = hear(own(), event(word, executed, "0.60", avgPx="0.04858200"))
    assert (update.status, str(update.filled_qty)) == (status, executed)
    assert (update.side, update.type, update.quantity) == (OrderSide.BUY, OrderType.LIMIT, Decimal("1.00"))


def test_an_unknown_status_is_a_fault():
    with pytest.raises(FrameError):
        decoder().decode(event("resting"))


def test_inactive_has_the_order_read_back():
    messages = decoder(own()).decode(event("inactive"))
    assert Readback(ORDER_ID, "inactive may be an end or none") in messages


@pytest.mark.parametrize(
    ("listed", "type_", "status"),
    [(True, "limit", V.WORKING), (True, "stop", V.WAITING), (False, "limit", V.CANCELED)],
)
def test_inactive_over_rest_is_an_end_only_off_the_list_of_open_orders(listed, type_, status):
    order = rest_order("inactive", type=type_)
    (update,) = codec().order(order, Source.QUERY, [], is_listed_open=listed)
    assert update.status is status


@pytest.mark.parametrize(
    ("secs", "timestamp", "asked", "status"),
    [
        (0, EVENT_NS, False, V.CANCELED),
        (61, EVENT_NS, False, V.EXPIRED),
        (0, CREATED_NS + 61 * 10**9, False, V.EXPIRED),  # our clock is behind
        (61, EVENT_NS, True, V.CANCELED),
    ],
)
def test_good_till_date(secs, timestamp, asked, status):
    clock = ManualClock(CREATED_NS + secs * 10**9)
    orders = codec(clock)
    orders.memories.bind(ORDER_ID, terms(time_in_force=TimeInForce.GTD, expire_time_ns=CREATED_NS + 60 * 10**9))
    if asked:
        hear(orders, event("pendingcancel"))
    assert hear(orders, event("cancelled", timestamp=timestamp)).status is status


@pytest.mark.parametrize(
    ("reason", "executed", "expected"),
    [
        ("Post-only order would take", "0.00", (V.REJECTED, True)),
        ("POST_ONLY", "0.00", (V.REJECTED, True)),
        ("Post-only order would take", "0.40", (V.CANCELED, False)),
        ("self-trade prevention", "0.00", (V.CANCELED, False)),
        (None, "0.00", (V.CANCELED, False)),
    ],
)
def test_a_post_only_refusal_needs_the_reason_to_say_so(reason, executed, expected):
    update = hear(own(post_only=True), event("cancelled", executed, reason=reason, avgPx="0.04"))
    assert (update.status, update.due_post_only) == expected


@pytest.mark.parametrize(
    ("changed", "side"),
    [
        ({"type": OrderType.MARKET, "price": None}, LiquiditySide.TAKER),
        ({"time_in_force": TimeInForce.IOC}, LiquiditySide.TAKER),
        ({"type": OrderType.STOP_MARKET, "price": None, "trigger_price": Decimal("0.05")}, LiquiditySide.TAKER),
        ({"post_only": True}, LiquiditySide.MAKER),
        ({}, LiquiditySide.NO_LIQUIDITY_SIDE),
    ],
)
def test_liquidity_side_as_far_as_the_terms_say(changed, side):
    update = hear(own(**changed), event("partiallyfilled", "0.40", "0.60", avgPx="0.04858200"))
    assert update.liquidity_side is side


def test_time_is_taken_where_it_grows():
    """The documented sample's is the time of creation, though the event is a cancel."""
    orders = own()
    assert hear(orders, event("submitted")).ts_event == EVENT_NS
    assert hear(orders, event("partiallyfilled", "0.10", "0.90")).ts_event == 0
    assert hear(orders, event("partiallyfilled", "0.20", "0.80", timestamp=EVENT_NS + 1)).ts_event == EVENT_NS + 1


def test_satoshi_are_noticed_by_a_price_that_is_known():
    update = hear(
        own(),
        event(
            "partiallyfilled", "0.50", "0.50", avgPx="4858000", fillPx="4857900", limitPrice="4858200", filledFees="485"
        ),
    )
    assert (update.avg_px, update.last_px, update.price, update.fees) == (
        Decimal("0.04858"),
        Decimal("0.048579"),
        Decimal("0.048582"),
        Decimal("0.00000485"),
    )


def test_cumulative_fees_that_fall_are_read_fill_by_fill():
    orders = own()
    told = [("0.40", "0.00004"), ("0.60", "0.00002"), ("0.60", "0.00002"), ("1.00", "0.00004")]
    fees = [
        hear(orders, event("partiallyfilled", executed, "0.00", filledFees=fee, avgPx="0.04")).fees
        for executed, fee in told
    ]
    assert fees == [Decimal("0.00004"), Decimal("0.00006"), Decimal("0.00006"), Decimal("0.00010")]


def test_fees_of_older_news_are_not_told():
    orders = own()
    hear(orders, event("partiallyfilled", "0.60", "0.40", filledFees="0.00006", avgPx="0.04"))
    assert hear(orders, event("partiallyfilled", "0.40", "0.60", filledFees="0.00004", avgPx="0.04")).fees is None


def test_the_total_never_changes():
    """A cancel does not zero `remainingQty`; if it did, the order's quantity would still be what was asked for."""
    orders = own()
    assert hear(orders, event("cancelled", "0.40", "0.00", avgPx="0.04")).quantity == Decimal("1.00")
    theirs = codec()
    assert hear(theirs, event("partiallyfilled", "0.40", "0.60", avgPx="0.04")).quantity == Decimal("1.00")
    assert hear(theirs, event("cancelled", "0.40", "0.00", avgPx="0.04")).quantity == Decimal("1.00")


@pytest.mark.parametrize(
    "changed",
    [
        {"executedQty": "-0.1"},
        {"executedQty": "NaN"},
        {"executedQty": "1e400"},
        {"remainingQty": "-1"},
        {"avgPx": "-0.04"},
        {"orderId": ""},
        {"orderId": " "},
        {"orderId": "x" * 65},
        {"orderId": "ordré"},
        {"symbol": "\u6ce8"},
        {"timestamp": -1},
        {"timestamp": 2**63},
    ],
    ids=str,
)
def test_what_no_venue_means_is_refused(changed):
    with pytest.raises(FrameError):
        decoder().decode(event(**changed))


def test_an_event_without_a_side_has_the_order_read_back_once():
    orders = codec()
    creating = [True]
    frames = decoder(orders)
    frames._is_creating = lambda: bool(creating[0])
    assert not any(isinstance(message, Readback) for message in frames.decode(event()))  # it may be ours
    creating[0] = False
    told = [message for _ in range(3) for message in frames.decode(event()) if isinstance(message, Readback)]
    assert [readback.venue_order_id for readback in told] == [ORDER_ID]


def test_no_reading_back_of_an_order_that_turned_out_to_be_ours():
    orders = codec()
    frames = decoder(orders, creating=True)
    frames.decode(event())
    orders.memories.bind(ORDER_ID, terms())
    frames._is_creating = lambda: False
    assert not any(isinstance(message, Readback) for message in frames.decode(event("filled", "1.00", "0.00")))


def fill(qty: str, px: str, trade: str, time_ns: int = 0, fee: str = "0.00001") -> LogFill:
    return LogFill(
        order_id=ORDER_ID,
        symbol="GOLD-BTC",
        trade_id=trade,
        qty=Decimal(qty),
        px=Decimal(px),
        fee=Decimal(fee),
        is_taker=False,
        time_ns=time_ns,
    )


def test_fills_of_the_log_are_named_like_those_of_events():
    fills = [fill("0.40", "0.04", "a"), fill("0.20", "0.05", "b")]
    order = rest_order("partiallyfilled", "0.60")
    (update,) = codec().order(order, Source.QUERY, fills, is_listed_open=True)
    assert [told.trade_id for told in update.fills] == [
        inferred_trade_id(ORDER_ID, Decimal("0.40")),
        inferred_trade_id(ORDER_ID, Decimal("0.6")),
    ]
    assert [told.ends_at for told in update.fills] == [Decimal("0.40"), Decimal("0.60")]
    assert (update.filled_notional, update.fees) == (Decimal("0.0260"), Decimal("0.00002"))


def test_a_log_that_lags_tells_no_money_for_the_whole():
    order = rest_order("partiallyfilled", "0.60")
    (update,) = codec().order(order, Source.QUERY, [fill("0.40", "0.04", "a")], is_listed_open=True)
    assert (update.filled_qty, update.filled_notional, update.fees) == (Decimal("0.60"), None, None)
    assert len(update.fills) == 1


def test_a_stop_limit_that_was_triggered_unseen():
    order = rest_order(type="stoplimit", triggerPx="0.05", triggeredAt=1752621480061)
    waited, working = codec().order(order, Source.QUERY, [], is_listed_open=True)
    assert (waited.status, working.status) == (V.WAITING, V.WORKING)
    assert (working.type, working.trigger_price) == (OrderType.STOP_LIMIT, Decimal("0.05"))


def test_an_unknown_status_over_rest_still_counts_fills():
    order = rest_order("resting", "0.40")
    (update,) = codec().order(order, Source.QUERY, [fill("0.40", "0.04", "a")], is_listed_open=True)
    assert (update.status, update.filled_qty) == (None, Decimal("0.40"))


def test_times_by_their_size():
    assert [instant_ns(told) for told in (1752621480, 1752621480060, 1752621480060801, EVENT_NS, 0, None)] == [
        1752621480 * 10**9,
        CREATED_NS,
        1752621480060801 * 1000,
        EVENT_NS,
        0,
        0,
    ]
    assert created_ns("f2268d92-b3d8-48b1-8541-90dc250cd7e9") == 0  # a UUIDv4 tells no time
