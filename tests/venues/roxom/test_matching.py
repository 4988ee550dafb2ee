"""Whose order is it: creates that were not answered, and keys that survive a restart."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.roxom.identity import Terms
from nautilus_orderfeeds.venues.roxom.matching import Window, match
from tests.support.roxom_client import CREATED_NS, ORDER_ID, rest_order, terms

WINDOW = Window(before_secs=5.0, after_secs=20.0)
OTHER_ID = "01981061-787d-7fd0-b707-18fa252f0d0c"


def found(wanted: list[Terms], orders: list[Any], *, others: list[Terms] | None = None, named: Any = ()) -> list[Any]:
    matches = match(wanted, others or [], orders, named, WINDOW)
    return [(terms.client_order_id, order.id) for terms, order in matches.found]


def test_exactly_one_match_is_taken():
    assert found([terms()], [rest_order(), rest_order(id=OTHER_ID, qty="2.00")]) == [("O-1", ORDER_ID)]


def test_several_matches_are_none():
    assert found([terms()], [rest_order(), rest_order(id=OTHER_ID)]) == []


def test_one_that_is_known_to_be_anothers_does_not_count():
    assert found([terms()], [rest_order(), rest_order(id=OTHER_ID)], named={OTHER_ID}) == [("O-1", ORDER_ID)]


def test_one_order_is_not_given_to_two():
    assert found([terms(), terms(client_order_id="O-2")], [rest_order()]) == []


def test_one_order_may_be_of_a_create_that_is_under_way():
    assert found([terms()], [rest_order()], others=[terms(client_order_id="O-2")]) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"symbol": "OIL-BTC"},
        {"side": "sell"},
        {"type": "stoplimit"},
        {"timeInForce": "ioc"},
        {"qty": "1.01"},
        {"px": "0.04858100"},
        {"createdAt": CREATED_NS // 10**6 - 6_000},
        {"createdAt": CREATED_NS // 10**6 + 21_000},
    ],
    ids=str,
)
def test_everything_must_fit(changed):
    assert found([terms()], [rest_order(**changed)]) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"px": "4858200", "unit": "sats"},
        {"createdAt": CREATED_NS},
        {"createdAt": None},  # the id tells it
        {"qty": None, "quantity": "1.0", "px": None, "price": "0.048582", "type": None, "orderType": "limit"},
        {"qty": "0.60", "amountFilled": "0.40", "status": "partiallyfilled"},
        {"status": "filled", "amountFilled": "1.00"},
    ],
    ids=str,
)
def test_the_spellings_and_units_do_not_matter(changed):
    assert found([terms()], [rest_order(**changed)]) == [("O-1", ORDER_ID)]


def test_unseen_ones_are_named():
    assert match([terms()], [], [], (), WINDOW).unseen == [terms()]


@given(
    client_order_id=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    quantity=st.decimals(min_value="0.01", max_value="100000", places=2),
    price=st.none() | st.decimals(min_value="0.000001", max_value="1", places=6),
    side=st.sampled_from(OrderSide),
    type_=st.sampled_from(OrderType),
    force=st.sampled_from(TimeInForce),
    post_only=st.booleans(),
)
def test_the_key_tells_the_terms_again(client_order_id, quantity, price, side, type_, force, post_only):
    told = terms(
        client_order_id=client_order_id,
        quantity=quantity,
        price=price,
        side=side,
        type=type_,
        time_in_force=force,
        post_only=post_only,
        trigger_price=Decimal("0.05"),
    )
    assert Terms.read(told.key) == told


@pytest.mark.parametrize("key", ["", "cid:O-1", "terms:", "terms:1|2", terms().key.replace("BUY", "UP")])
def test_other_keys_are_none(key):
    assert Terms.read(key) is None
