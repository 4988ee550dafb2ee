"""Prices and fees of fills that no trade tells of."""

import dataclasses
import decimal
from decimal import Decimal
from random import Random

import pytest

from nautilus_orderfeeds.orders.known import Known
from nautilus_orderfeeds.orders.reducer import reduce
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderType
from tests.support.one_order import AT_ONCE, RULES, OneOrder, V, said

D = Decimal


def test_price_from_the_average() -> None:
    order = OneOrder(rules=AT_ONCE)
    assert order.hear(said(filled_qty="4", avg_px="100")) == ["accepted", "inferred 4 @ 100"]
    assert order.hear(said(filled_qty="10", avg_px="100.6")) == ["inferred 6 @ 101"]
    assert order.native.order.avg_px == pytest.approx(100.6)


def test_the_notional_is_better_than_the_average() -> None:
    order = OneOrder(rules=AT_ONCE)
    order.hear(said(filled_qty="3", avg_px="100.33", filled_notional="301"))
    assert order.fills[0].last_px == D("100.33")
    assert order.hear(said(filled_qty="4", avg_px="100.5", filled_notional="402")) == ["inferred 1 @ 101.01"]


def test_the_venues_last_price_is_exact_where_it_agrees_with_the_average() -> None:
    order = OneOrder(rules=AT_ONCE, quantity="1000")
    order.hear(said(filled_qty="900", avg_px="100.003", last_px="100.003"))
    # The difference of rounded averages gives 101.9: within their rounding of what the venue says.
    order.hear(said(filled_qty="901", avg_px="100.005", last_px="101.5"))
    assert [fill.last_px for fill in order.fills] == [D("100.003"), D("101.5")]


def test_the_last_price_of_an_earlier_fill_is_not_that_of_the_next() -> None:
    order = OneOrder(rules=AT_ONCE)
    assert order.hear(said(filled_qty="4", last_px="99"), said(filled_qty="6")) == ["accepted", "inferred 4 @ 99"]
    # What it was is asked for first: the order's own price is the last resort.
    assert order.settle() == ["inferred 2 @ 100"]


def test_the_venues_money_is_over_exactly_the_quantity_known() -> None:
    known = Known()
    known.filled_qty, known.avg_px, known.fees = D(4), D(100), D(1)
    known.witness(D(3))
    assert (known.notional, known.fees) == (400, 1)
    known.witness(D(5))
    assert (known.filled_qty, known.notional, known.fees) == (5, None, None)


def test_a_last_price_that_is_only_one_of_several_is_not_taken() -> None:
    order = OneOrder(rules=AT_ONCE)
    order.hear(said(filled_qty="10", avg_px="101", last_px="102"))
    assert order.fills[0].last_px == 101


def test_an_average_with_its_zeros_cut_off_is_not_taken_for_a_rough_one() -> None:
    order = OneOrder(rules=AT_ONCE)
    order.hear(said(filled_qty="10", avg_px="101", last_px="101.5"))
    assert order.fills[0].last_px == 101


@pytest.mark.parametrize(
    ("fields", "px"),
    [({}, "100"), ({"avg_px": "0"}, "100"), ({"filled_notional": "0"}, "100"), ({"last_px": "99.5"}, "99.5")],
    ids=["nothing", "zero-average", "zero-notional", "last-price"],
)
def test_without_an_average(fields: dict[str, str], px: str) -> None:
    order = OneOrder()
    order.hear(said(V.FILLED, filled_qty="10", **fields))
    assert order.settle() == [f"inferred 10 @ {px}"]


def test_a_price_that_would_not_be_positive_falls_back_to_the_average() -> None:
    order = OneOrder(rules=AT_ONCE)
    order.hear(said(filled_qty="9", avg_px="100"))
    assert order.hear(said(filled_qty="10", avg_px="80")) == ["inferred 1 @ 80"]


def test_a_price_below_half_a_tick_falls_back_to_the_orders_own() -> None:
    order = OneOrder(rules=AT_ONCE, price="0.01")
    assert order.hear(said(filled_qty="10", avg_px="0.001")) == ["accepted", "inferred 10 @ 0.01"]


def test_no_price_at_all_is_an_anomaly_told_once_and_no_fill() -> None:
    order = OneOrder(OrderType.MARKET, price=None, rules=AT_ONCE)
    assert order.hear(said(filled_qty="4")) == ["accepted"]
    assert order.settle() == ["anomaly"]
    assert order.hear(said(filled_qty="4"), said(filled_qty="5"), said(V.FILLED, filled_qty="10")) == []
    assert order.settle() == []
    order.restart()
    assert order.hear(said(V.FILLED, filled_qty="10")) == []
    assert order.state.is_unsettled
    assert order.hear(said(V.FILLED, filled_qty="10", avg_px="99")) == ["inferred 10 @ 99"]


@pytest.mark.parametrize("places", [2, 3, 5])
def test_a_thousand_partial_fills_told_by_rounded_averages_do_not_drift(places: int) -> None:
    rng = Random(places)
    order = OneOrder(quantity="100000", rules=AT_ONCE)
    filled, notional = D(0), D(0)
    ulp, tick = D(1).scaleb(-places), D("0.01")
    for _ in range(1_000):
        qty, px = D(rng.randint(1, 50)), D(rng.randint(9_000, 11_000)).scaleb(-2)
        filled += qty
        notional += qty * px
        order.hear(said(filled_qty=str(filled), avg_px=str(round(notional / filled, places))))
        told = order.state.notional
        # Half a place of the average on everything, half a tick on this fill: whatever came before is made up for.
        assert abs(told - notional) <= filled * ulp / 2 + qty * tick / 2
    assert len(order.fills) == 1_000
    assert order.native.filled_qty == filled
    assert order.native.order.avg_px == pytest.approx(float(notional / filled), abs=float(ulp + tick))


def test_cumulative_fees_are_told_as_differences_also_when_they_are_rebates() -> None:
    order = OneOrder(rules=AT_ONCE)
    order.hear(said(filled_qty="4", avg_px="100", fees="0.4"))
    order.hear(said(filled_qty="6", avg_px="100", fees="0.3"))
    order.hear(said(V.FILLED, filled_qty="10", avg_px="100", fees="-0.1"))
    assert [fill.commission for fill in order.fills] == [D("0.4"), D("-0.1"), D("-0.4")]
    assert not any(fill.fee_estimated for fill in order.fills)
    assert order.native.commission == D("-0.1")


def test_unknown_fees_are_estimated_by_the_rate_of_the_side_and_marked() -> None:
    for side, commission in (
        (LiquiditySide.MAKER, "-0.2"),
        (LiquiditySide.TAKER, "1"),
        (LiquiditySide.NO_LIQUIDITY_SIDE, "1"),
    ):
        order = OneOrder()
        order.hear(said(filled_qty="10", avg_px="100", liquidity_side=side))
        order.settle()
        assert (order.fills[0].commission, order.fills[0].fee_estimated) == (D(commission), True)
        assert order.fills[0].liquidity_side is side


def test_an_estimate_is_made_good_when_the_venue_tells_its_fees() -> None:
    order = OneOrder(rules=AT_ONCE)
    order.hear(said(filled_qty="5", avg_px="100"))
    order.hear(said(V.FILLED, filled_qty="10", avg_px="100", fees="0.7"))
    assert [fill.commission for fill in order.fills] == [D("0.5"), D("0.2")]


def test_sums_are_exact_whatever_the_callers_context() -> None:
    total = D("1234567890123.123456789012345678")  # 31 digits, with prices 35
    order = OneOrder(rules=AT_ONCE)
    state = dataclasses.replace(order.state, quantity=total)
    with decimal.localcontext(prec=3):
        reduce(state, said(filled_qty="1234567890123", avg_px="100.01"), AT_ONCE)
        reduce(state, said(V.FILLED, filled_qty=str(total), avg_px="100.01"), AT_ONCE)
        assert decimal.getcontext().prec == 3
    assert state.is_closed
    with decimal.localcontext(prec=60):
        assert state.notional == total * D("100.01")


def test_the_name_of_an_inferred_fill_says_where_it_ends() -> None:
    order = OneOrder(rules=AT_ONCE)
    order.hear(said(filled_qty="4", avg_px="100"), said(filled_qty="4.50", avg_px="100"))
    assert [fill.trade_id for fill in order.fills] == ["V1|cum|4", "V1|cum|4.5"]
    assert RULES.inferred_trade_id("V1", D("4.500")) == "V1|cum|4.5"
