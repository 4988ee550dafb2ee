"""From orders on the wire to what they mean: DONE, part-filled OPEN, equal timestamps, trades, refused cancels."""

import hashlib
import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.reducer import reduce, settle
from nautilus_orderfeeds.orders.state import OrderState, evolve
from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide, OrderStatus, OrderType, TimeInForce, TriggerType
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec, inferred_trade_id, trade_id
from tests.support.bsx_client import CREATED, trade, update

RULES = Rules(inferred_trade_id=inferred_trade_id, price_precision=1)
ORDER_ID = "a01292c9-00f1-4c18-9d47-ec18df88d0ae"


def state(**changed):
    order = OrderState(
        client_order_id="O-1",
        symbol="BTC-PERP",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        quantity=Decimal("0.018"),
        price=Decimal(55000),
    )
    evolve(order, ev.OrderSubmitted())
    for name, value in changed.items():
        setattr(order, name, value)
    return order


def names(events):
    return [type(event).__name__ for event in events]


# -- DONE means four things ------------------------------------------------------------------------------------------

DONE = [
    # what the order says, status, reason
    ({"filled_size": "0.018", "avg_price": "55000"}, VenueStatus.FILLED, ""),
    ({"filled_size": "0.018", "avg_price": "55000", "cancel_reason": "user"}, VenueStatus.FILLED, ""),
    ({"reject_reason": "bad", "filled_size": "0.018"}, VenueStatus.REJECTED, "bad"),
    ({"reject_reason": "bad"}, VenueStatus.REJECTED, "bad"),
    ({"cancel_reason": "time in force GTT"}, VenueStatus.EXPIRED, "time in force GTT"),
    ({"cancel_reason": "time in force GTT", "filled_size": "0.01"}, VenueStatus.EXPIRED, "time in force GTT"),
    ({"cancel_reason": "time in force IOC"}, VenueStatus.CANCELED, "time in force IOC"),
    ({"cancel_reason": "time in force IOC", "filled_size": "0.01"}, VenueStatus.CANCELED, "time in force IOC"),
    ({"cancel_reason": "time in force FOK"}, VenueStatus.CANCELED, "time in force FOK"),
    ({"cancel_reason": "user"}, VenueStatus.CANCELED, "user"),
    ({"cancel_reason": "stp"}, VenueStatus.CANCELED, "stp"),
    ({"cancel_reason": "admin"}, VenueStatus.CANCELED, "admin"),
    ({"cancel_reason": "liquidation"}, VenueStatus.CANCELED, "liquidation"),
    ({"cancel_reason": "insufficient liquidity"}, VenueStatus.CANCELED, "insufficient liquidity"),
    ({"cancel_reason": "something new"}, VenueStatus.CANCELED, "something new"),
    ({}, VenueStatus.CANCELED, ""),
    ({"cancel_reason": "post only"}, VenueStatus.REJECTED, "post only"),
    ({"cancel_reason": "post only", "filled_size": "0.01"}, VenueStatus.CANCELED, "post only"),
    ({"cancel_reason": "insufficient margin"}, VenueStatus.REJECTED, "insufficient margin"),
    ({"cancel_reason": "insufficient funds"}, VenueStatus.REJECTED, "insufficient funds"),
    (
        {"cancel_reason": "reduce only: pos size 0, order side BUY"},
        VenueStatus.REJECTED,
        "reduce only: pos size 0, order side BUY",
    ),
    (
        {"cancel_reason": "tpsl order cannot be larger than position: pos size 1, order size 2"},
        VenueStatus.REJECTED,
        "tpsl order cannot be larger than position: pos size 1, order size 2",
    ),
    (
        {"cancel_reason": "TPSL order canceled due to position closed"},
        VenueStatus.CANCELED,
        "TPSL order canceled due to position closed",
    ),
]


@pytest.mark.parametrize(("said", "status", "reason"), DONE)
def test_done_is_told_apart(said, status, reason):
    told = update(status="DONE", **said)
    assert (told.status, told.reason) == (status, reason)
    assert told.due_post_only is (status is VenueStatus.REJECTED and reason == "post only")


@pytest.mark.parametrize("reason", ["post only", "insufficient margin", "reduce only: pos size 1, order side BUY"])
def test_a_refusal_ends_a_live_order_by_a_cancel(reason):
    order = state()
    assert names(reduce(order, update(status="DONE", cancel_reason=reason), RULES)) == ["OrderRejected"]
    live = state()
    reduce(live, update(status="OPEN"), RULES)
    assert names(reduce(live, update(status="DONE", cancel_reason=reason), RULES)) == ["OrderCanceled"]


def test_post_only_refusal_is_marked():
    (rejected,) = reduce(state(), update(status="DONE", cancel_reason="post only", post_only=True), RULES)
    assert rejected.due_post_only


def test_expired_before_it_was_seen_live_is_accepted_first():
    events = reduce(state(), update(status="DONE", cancel_reason="time in force GTT"), RULES)
    assert names(events) == ["OrderAccepted", "OrderExpired"]


# -- part-filled, equal and missing times ----------------------------------------------------------------------------


def test_pending_and_open_of_one_time_are_both_heard():
    order = state()
    assert names(reduce(order, update(status="PENDING"), RULES)) == []
    assert order.status is OrderStatus.SUBMITTED
    assert names(reduce(order, update(status="OPEN"), RULES)) == ["OrderAccepted"]


def test_two_fills_of_one_time_are_both_told():
    order = state()
    first = update(filled_size="0.005", avg_price="55000", last_trades=[trade("0.005", id="a")])
    second = update(filled_size="0.008", avg_price="55000", last_trades=[trade("0.003", id="b")])
    assert first.ts_event == second.ts_event
    assert names(reduce(order, first, RULES)) == ["OrderAccepted", "OrderFilled"]
    assert names(reduce(order, second, RULES)) == ["OrderFilled"]
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert order.filled_qty == Decimal("0.008")


@pytest.mark.parametrize("status", ["OPEN", "DONE"])
def test_any_order_of_the_same_updates_ends_the_same(status):
    def updates():
        return [
            update(status="PENDING"),
            update(status="OPEN"),
            update(status="OPEN", filled_size="0.005", avg_price="55000", last_trades=[trade("0.005", id="a")]),
            update(
                status=status,
                cancel_reason="user" if status == "DONE" else "",
                filled_size="0.008",
                avg_price="55000",
                last_trades=[trade("0.003", id="b")],
            ),
        ]

    ends = set()
    for permuted in itertools.permutations(updates()):
        order = state()
        for told in (*permuted, *permuted):
            reduce(order, told, RULES)
        ends.add((order.status, order.filled_qty, order.fees, order.notional))
    assert len(ends) == 1


def test_time_of_an_update_falls_back():
    assert update(updated_at="5").ts_event == 5
    assert update(updated_at="0").ts_event == 1719319688307036700
    assert update(updated_at="0").ts_accepted == CREATED


def test_growth_without_trades_is_left_to_the_reducer():
    order = state()
    told = update(filled_size="0.01", avg_price="55000.1", filled_fees="0.165")
    assert told.fills == ()
    assert names(reduce(order, told, RULES)) == ["OrderAccepted"]
    (filled,) = settle(order, RULES)
    assert (filled.last_qty, filled.last_px, filled.commission) == (
        Decimal("0.01"),
        Decimal("55000.1"),
        Decimal("0.165"),
    )
    assert filled.inferred
    # The real trade, late, is swallowed.
    late = update(filled_size="0.01", avg_price="55000.1", last_trades=[trade("0.01", price="55000.1")])
    assert names(reduce(order, late, RULES)) == ["FillAbsorbed"]


# -- trades ----------------------------------------------------------------------------------------------------------


def test_trade_ids_are_the_documented_hash():
    venue_id = "0x" + "ab" * 32
    (fill,) = update(filled_size="0.011", last_trades=[trade("0.011", id=venue_id)]).fills
    assert fill.trade_id == hashlib.sha256(f"{ORDER_ID}|{venue_id}".encode()).hexdigest()[:32]
    assert fill.venue_trade_id == venue_id
    assert inferred_trade_id(ORDER_ID, Decimal("0.0110")) == trade_id(ORDER_ID, "cum|0.011")


@given(
    st.tuples(st.uuids(), st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)),
    st.tuples(st.uuids(), st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)),
)
def test_trade_ids_fit_and_differ(one, other):
    first, second = (trade_id(str(order_id), venue_id) for order_id, venue_id in (one, other))
    assert len(first) <= 36
    assert first.isascii()
    assert (first == second) is (one == other)


def test_fees_add_up_and_a_rebate_stays_negative():
    paid, rebate, unknown = update(
        filled_size="0.018",
        last_trades=[
            trade("0.006", id="a", trading_fee="0.3", sequencer_fee="1"),
            trade("0.006", id="b", trading_fee="-0.03", sequencer_fee="0"),
            trade("0.006", id="c", trading_fee=None, sequencer_fee="1"),
        ],
    ).fills
    assert (paid.commission, rebate.commission) == (Decimal("1.3"), Decimal("-0.03"))
    assert paid.commission_currency == "USDC"
    assert unknown.commission is None


@given(
    st.lists(st.integers(min_value=1, max_value=10**6), min_size=1, max_size=8),
    st.integers(min_value=0, max_value=10**6),
)
def test_trades_end_at_the_filled_size(sizes, before):
    """The trades of one update are the latest: the last of them brings the order to where it is."""
    filled = Decimal(before + sum(sizes)).scaleb(-3)
    trades = [trade(str(Decimal(size).scaleb(-3)), id=f"t{n}") for n, size in enumerate(sizes)]
    fills = update(size="100000", filled_size=str(filled), last_trades=trades).fills
    assert fills[-1].ends_at == filled
    assert fills[0].ends_at - fills[0].last_qty == Decimal(before).scaleb(-3)
    assert all(b.ends_at - b.last_qty == a.ends_at for a, b in itertools.pairwise(fills))


def test_trades_that_exceed_the_filled_size_have_no_place():
    fills = update(filled_size="0.001", last_trades=[trade("0.002", id="a"), trade("0.003", id="b")]).fills
    assert [fill.ends_at for fill in fills] == [None, None]


def test_a_trade_without_an_id_is_left_to_the_growth():
    told = update(filled_size="0.005", last_trades=[trade("0.002", id=""), trade("0.003", id="b")])
    assert [(fill.venue_trade_id, fill.ends_at) for fill in told.fills] == [("b", Decimal("0.005"))]


@pytest.mark.parametrize(
    ("said", "side"),
    [
        ({"liquidity_indicator": "MAKER"}, LiquiditySide.MAKER),
        ({"liquidity_indicator": "m"}, LiquiditySide.MAKER),
        ({"liquidity_indicator": "Taker"}, LiquiditySide.TAKER),
        ({"liquidity_indicator": "?"}, LiquiditySide.NO_LIQUIDITY_SIDE),
        ({"liquidity_indicator": ""}, LiquiditySide.NO_LIQUIDITY_SIDE),
    ],
)
def test_liquidity_by_the_first_letter(said, side):
    (fill,) = update(filled_size="0.005", last_trades=[trade("0.005", **said)]).fills
    assert fill.liquidity_side is side


@pytest.mark.parametrize(
    ("said", "side"),
    [
        ({"post_only": True}, LiquiditySide.MAKER),
        ({"time_in_force": "IOC"}, LiquiditySide.TAKER),
        ({"time_in_force": "FOK"}, LiquiditySide.TAKER),
        ({"type": "MARKET"}, LiquiditySide.TAKER),
        ({}, LiquiditySide.NO_LIQUIDITY_SIDE),
    ],
)
def test_liquidity_by_the_order_where_the_trade_does_not_say(said, side):
    told = update(filled_size="0.005", last_trades=[trade("0.005", liquidity_indicator="")], **said)
    assert told.fills[0].liquidity_side is side
    assert told.liquidity_side is side


def test_liquidity_of_an_order_seen_resting():
    codec = OrderCodec()
    unsaid = [trade("0.005", liquidity_indicator="")]
    first = update(codec, filled_size="0.005", last_trades=unsaid)
    second = update(codec, status="DONE", filled_size="0.018", last_trades=unsaid)
    assert first.fills[0].liquidity_side is LiquiditySide.NO_LIQUIDITY_SIDE
    assert second.fills[0].liquidity_side is LiquiditySide.MAKER
    said = [trade("0.005", liquidity_indicator="TAKER")]
    assert update(codec, filled_size="0.018", last_trades=said).fills[0].liquidity_side is LiquiditySide.TAKER


# -- terms -----------------------------------------------------------------------------------------------------------


def test_market_order_shows_no_price():
    told = update(type="MARKET", price="56000", time_in_force="IOC")
    assert (told.type, told.price, told.time_in_force) == (OrderType.MARKET, None, TimeInForce.IOC)


@pytest.mark.parametrize(
    ("stop_type", "option", "type_", "trigger"),
    [
        ("STOP_LOSS", "MARK_PRICE", OrderType.STOP_LIMIT, TriggerType.MARK_PRICE),
        ("STOP_LOSS", "LAST_TRADED_PRICE", OrderType.STOP_LIMIT, TriggerType.LAST_PRICE),
        ("TAKE_PROFIT", "NONE", OrderType.LIMIT_IF_TOUCHED, TriggerType.LAST_PRICE),
        ("SOMETHING", "SOMETHING", OrderType.STOP_LIMIT, TriggerType.LAST_PRICE),
    ],
)
def test_stop_orders_entered_elsewhere(stop_type, option, type_, trigger):
    told = update(
        type="STOP", order_stop_type=stop_type, stop_price="54000", stop_price_option=option, status="STOP_ACCEPTED"
    )
    assert (told.status, told.type, told.trigger_type) == (VenueStatus.WAITING, type_, trigger)
    assert told.trigger_price == Decimal(54000)


def test_a_stop_that_fires_is_triggered():
    order = state(type=OrderType.STOP_LIMIT, trigger_price=Decimal(54000))
    stop = {"type": "STOP", "order_stop_type": "STOP_LOSS", "stop_price": "54000"}
    assert names(reduce(order, update(status="STOP_ACCEPTED", **stop), RULES)) == ["OrderAccepted"]
    assert names(reduce(order, update(status="PENDING", **stop), RULES)) == []
    assert names(reduce(order, update(status="OPEN", **stop), RULES)) == ["OrderTriggered"]


def test_good_till_time():
    told = update(time_in_force="GTT", expired_at="1719319999000000000")
    assert (told.time_in_force, told.expire_time_ns) == (TimeInForce.GTD, 1719319999000000000)


def test_words_that_may_grow_do_not_hide_the_order():
    told = update(type="ICEBERG", time_in_force="GTX", stp="CANCEL_BOTH")
    assert (told.type, told.time_in_force, told.status) == (None, None, VenueStatus.WORKING)


def test_numbers_left_out_are_not_zero():
    told = update(filled_size=None, avg_price=None, filled_fees=None)
    assert (told.filled_qty, told.avg_px, told.fees) == (None, None, None)


# -- cancels ---------------------------------------------------------------------------------------------------------


def test_cancel_asked_for_and_refused():
    asked = {"cancel_requested": True, "cancel_requested_at": "1719319690000000000"}
    assert update(**asked).status is VenueStatus.PENDING_CANCEL
    refused = update(**asked, cancel_reject_reason="too late")
    assert (refused.status, refused.cancel_reject_reason) == (VenueStatus.WORKING, "too late")
    order = state()
    reduce(order, update(), RULES)
    evolve(order, ev.OrderPendingCancel())
    assert names(reduce(order, refused, RULES)) == ["OrderCancelRejected"]
    assert names(reduce(order, refused, RULES)) == []
    evolve(order, ev.OrderPendingCancel())
    assert names(reduce(order, refused, RULES)) == []  # still the first request's
    again = update(cancel_requested=True, cancel_requested_at="1719319700000000000", cancel_reject_reason="too late")
    assert names(reduce(order, again, RULES)) == ["OrderCancelRejected"]


def test_a_done_order_refuses_no_cancel():
    told = update(status="DONE", filled_size="0.018", cancel_reject_reason="order is done")
    assert (told.cancel_reject_reason, told.cancel_reject_key) == ("", "")


# -- identity --------------------------------------------------------------------------------------------------------


def test_keys_of_an_order():
    told = update(client_order_id="522005F7BFDB48C98B931A40296CDF96", nonce="17")
    assert told.refs == ("cid:522005f7bfdb48c98b931a40296cdf96", "nonce:17")
    assert update(client_order_id="", nonce=0).refs == ()
    assert update(client_order_id=None, nonce="17").refs == ("nonce:17",)


@pytest.mark.parametrize("changed", [{}, {"nonce": "17"}, {"client_order_id": ""}, {"client_order_id": "f" * 32}])
def test_a_resting_order_is_named_by_what_its_latest_update_says(changed):
    codec = OrderCodec()
    update(codec, status="OPEN")
    again, alone = update(codec, status="OPEN", **changed), update(status="OPEN", **changed)
    assert (again.refs, again.client_order_id) == (alone.refs, alone.client_order_id)


def test_an_id_that_is_none_is_refused_of_a_resting_order_too():
    codec = OrderCodec()
    update(codec, status="OPEN")
    with pytest.raises(ValueError, match="client_order_id"):
        update(codec, status="OPEN", client_order_id="no\x07id")


def test_a_trade_larger_than_what_is_filled_has_no_place():
    (fill,) = update(status="OPEN", filled_size="0.01", last_trades=[trade(size="0.011")]).fills
    assert fill.ends_at is None
    (fill,) = update(status="OPEN", filled_size="0.011", last_trades=[trade(size="0.011")]).fills
    assert fill.ends_at == Decimal("0.011")
