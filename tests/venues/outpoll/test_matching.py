"""Orders whose answer was lost: bound by a unique match of their terms, or not at all."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.outpoll.matching import match, may_be_ours
from nautilus_orderfeeds.venues.outpoll.memory import Calm, Intent
from tests.support.outpoll_rows import NOW, NOW_NS, OTHER, active, market, new_order, reading, row

SETTLE_SECS, GAP_SECS = 3.0, 1.0


def intent(client_order_id: str = "O-1", *, sent_ns: int = NOW_NS, **known: Any) -> Intent:
    terms = known.pop("terms", None) or new_order(client_order_id)
    return Intent(terms=terms, sent_ns=sent_ns, calm=Calm(NOW), **known)


def matched(intents: list[Intent], *orders: Any, named: Any = (), seen_ns: dict[str, int] | None = None) -> list[Any]:
    """Read three times: too early, then twice when it counts; return what was bound, by which reading at last."""
    found: list[Any] = []
    for at in (NOW + 1, NOW + SETTLE_SECS + 1, NOW + SETTLE_SECS + 1 + GAP_SECS):
        assert found == [], "nothing is bound before two settled readings agree"
        told = match(intents, reading(*orders, at=at), named, seen_ns or {}, SETTLE_SECS, GAP_SECS)
        found = [(each.terms.client_order_id, order_id) for each, order_id in told]
    return found


@pytest.mark.parametrize("order", [active(), row(), row(st="CANCELED", q=None), row(t=None, m=None)])
def test_the_only_order_with_its_terms_is_bound(order: Any) -> None:
    assert matched([intent()], order) == [("O-1", "v-1")]


@pytest.mark.parametrize(
    "order",
    [
        active(side="SELL"),
        active(price=new_order().quantity),
        active(quantity=new_order().price),
        active(asset_id=OTHER),
        row(a=OTHER),
        row(si="SELL"),
        row(t="MARKET"),
        row(p=new_order().quantity),
        row(oq=new_order().price),
        row(m=(NOW_NS - 31 * 10**9) // 10**6),
    ],
)
def test_an_order_with_other_terms_or_an_older_one_is_not(order: Any) -> None:
    assert matched([intent()], order) == []


def test_one_that_is_known_does_not_count() -> None:
    assert matched([intent()], active("v-1"), row("v-2"), named={"v-1"}) == [("O-1", "v-2")]


def test_one_that_was_seen_before_it_was_sent_does_not_count() -> None:
    assert matched([intent()], active("v-1"), active("v-2"), seen_ns={"v-1": NOW_NS - 1}) == [("O-1", "v-2")]


def test_two_at_the_venue_are_in_doubt(caplog: pytest.LogCaptureFixture) -> None:
    assert matched([intent()], active("v-1"), active("v-2")) == []
    assert "which is which cannot be told" in caplog.text
    assert "v-1, v-2" in caplog.text


@pytest.mark.parametrize("at_venue", [1, 2])
def test_two_in_flight_that_are_alike_are_never_mixed_up(at_venue: int, caplog: pytest.LogCaptureFixture) -> None:
    orders = [active(f"v-{n}") for n in range(at_venue)]
    assert matched([intent("O-1"), intent("O-2")], *orders) == []
    assert "2 order(s) in flight with the terms of" in caplog.text


def test_one_whose_answer_may_still_come_keeps_its_twin_in_doubt_and_is_not_bound_itself() -> None:
    assert matched([intent("O-1"), intent("O-2", under_way=True)], active()) == []
    assert matched([intent("O-1", under_way=True)], active()) == []


def test_a_change_between_readings_starts_all_over() -> None:
    one, late = intent(), NOW + SETTLE_SECS + 1
    assert match([one], reading(active(), at=late), (), {}, SETTLE_SECS, GAP_SECS) == []
    assert match([one], reading(at=late + 1), (), {}, SETTLE_SECS, GAP_SECS) == []
    assert match([one], reading(active(), at=late + 2), (), {}, SETTLE_SECS, GAP_SECS) == []
    late += 2 + SETTLE_SECS
    assert match([one], reading(active(), at=late), (), {}, SETTLE_SECS, GAP_SECS) == []
    assert len(match([one], reading(active(), at=late + 1), (), {}, SETTLE_SECS, GAP_SECS)) == 1


@pytest.mark.parametrize("told", [{"oq": 10, "p": 0}, {"oq": 20, "p": "0.5"}, {"oq": "22.22", "p": "0.45"}])
def test_a_market_buy_is_found_by_its_amount_or_by_the_shares_that_cost_it(told: dict[str, Any]) -> None:
    found = row(t="MARKET", **{name: Decimal(value) for name, value in told.items()})
    assert matched([intent(terms=market())], found) == [("O-1", "v-1")]


def test_a_market_sell_is_found_by_its_shares() -> None:
    terms = market(side=OrderSide.SELL)
    assert matched([intent(terms=terms)], row(t="MARKET", si="SELL")) == [("O-1", "v-1")]
    assert matched([intent(terms=terms)], row(t="MARKET", si="BUY")) == []


def test_what_may_be_ours_is_not_called_an_external_order() -> None:
    waiting = [intent()]
    assert may_be_ours(waiting, reading(active()), "v-1")
    assert may_be_ours(waiting, reading(row()), "v-1")
    assert not may_be_ours(waiting, reading(row(si="SELL")), "v-1")
    assert not may_be_ours([], reading(row()), "v-1")


@given(
    intents=st.lists(st.sampled_from(["0.40", "0.41", "0.42"]), max_size=6),
    orders=st.lists(st.sampled_from(["0.40", "0.41", "0.42", "0.43"]), max_size=6),
)
def test_no_order_is_ever_bound_twice_and_none_in_doubt(intents: list[str], orders: list[str]) -> None:
    sent = [intent(f"O-{n}", terms=new_order(f"O-{n}", price=Decimal(price))) for n, price in enumerate(intents)]
    at_venue = [active(f"v-{n}", price=Decimal(price)) for n, price in enumerate(orders)]
    bound = matched(sent, *at_venue)
    assert len({order_id for _, order_id in bound}) == len(bound)
    for client_order_id, order_id in bound:
        price = intents[int(client_order_id[2:])]
        assert intents.count(price) == orders.count(price) == 1
        assert orders[int(order_id[2:])] == price
    assert len(bound) == sum(intents.count(price) == orders.count(price) == 1 for price in set(intents))
