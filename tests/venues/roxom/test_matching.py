"""Whose order is it: creates that were not answered, and keys that survive a restart."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.roxom.identity import Terms, terms_of
from nautilus_orderfeeds.venues.roxom.matching import Matches, Window, match
from tests.support.roxom_client import CREATED_NS, ORDER_ID, new_order, ref, rest_order, terms

WINDOW = Window(before_secs=5.0, after_secs=20.0)
OTHER_ID = "01981061-787d-7fd0-b707-18fa252f0d0c"


def matched(wanted: list[Terms], orders: list[Any], *, underway: list[Terms] | None = None, named: Any = ()) -> Matches:
    return match(wanted, underway or [], orders, lambda order_id: order_id in named, WINDOW)


def found(wanted: list[Terms], orders: list[Any], **more: Any) -> list[Any]:
    return [(terms.client_order_id, order.id) for terms, order in matched(wanted, orders, **more).found]


def made(ms: int) -> Any:
    """An order like that of `terms`, created so many milliseconds after the first."""
    return rest_order(id=made_id(ms), createdAt=CREATED_NS // 10**6 + ms)


def made_id(ms: int) -> str:
    return f"01981061-{0x787C + ms:04x}-7fd0-b707-18fa252f0d0b"


def sent(number: int, ms: int, **changed: Any) -> Terms:
    """Like `terms`, sent so many milliseconds after the first order was created."""
    return terms(client_order_id=f"O-{number}", made_ns=CREATED_NS + ms * 10**6, **changed)


def test_exactly_one_match_is_taken():
    assert found([terms()], [rest_order(), rest_order(id=OTHER_ID, qty="2.00")]) == [("O-1", ORDER_ID)]


def test_more_orders_than_were_sent_are_in_doubt():
    matches = matched([terms()], [rest_order(), rest_order(id=OTHER_ID)])
    assert matches.found == matches.unseen == []
    assert matches.doubtful == [(terms(), [ORDER_ID, OTHER_ID])]


def test_one_that_is_known_to_be_anothers_does_not_count():
    assert found([terms()], [rest_order(), rest_order(id=OTHER_ID)], named={OTHER_ID}) == [("O-1", ORDER_ID)]


def test_orders_alike_are_taken_in_the_order_they_were_sent():
    orders = [made(205), made(1), made(101)]
    wanted = [sent(2, 100), sent(3, 200), sent(1, 0)]
    assert found(wanted, orders) == [("O-1", made_id(1)), ("O-2", made_id(101)), ("O-3", made_id(205))]


def test_of_orders_alike_one_that_was_not_received_is_left_by_the_time():
    matches = matched([sent(1, 0), sent(2, 100), sent(3, 200)], [made(103), made(202)])
    assert [terms.client_order_id for terms, _ in matches.found] == ["O-2", "O-3"]
    assert [terms.client_order_id for terms in matches.unseen] == ["O-1"]
    assert matches.doubtful == []


def test_one_order_is_not_given_to_two():
    assert len(found([sent(1, 0), sent(2, 0)], [rest_order()])) == 1


def test_of_orders_alike_of_two_strategies_one_that_was_not_received_leaves_both_in_doubt():
    wanted = [sent(1, 0, strategy_id="A"), sent(2, 100, strategy_id="B")]
    assert found(wanted, [made(1)]) == []
    assert found(wanted, [made(1), made(101)]) == [("O-1", made_id(1)), ("O-2", made_id(101))]


def test_orders_alike_outside_of_each_others_time_are_told_apart():
    late = sent(2, 30_000, strategy_id="B")
    assert found([sent(1, 0, strategy_id="A"), late], [made(30_001)]) == [("O-2", made_id(30_001))]


HALF = {"qty": "0.50", "amountFilled": "0.50"}


@pytest.mark.parametrize(
    ("told", "whose"),
    [
        ({**HALF, "status": "filled", "size": None}, ["O-1"]),
        ({**HALF, "status": "filled", "size": "0.00"}, ["O-1"]),
        ({**HALF, "status": "cancelled", "size": "0.00"}, ["O-1"]),
        ({**HALF, "qty": "1.00", "status": "partiallyfilled", "size": "0.50"}, ["O-2"]),
        ({**HALF, "status": "partiallyfilled", "size": "0.50"}, []),  # the rest of O-2, or O-1 and nothing left?
        ({**HALF, "status": "partiallyfilled", "size": None}, []),
    ],
    ids=str,
)
def test_the_total_is_taken_where_it_cannot_be_the_rest(told, whose):
    wanted = [terms(quantity=Decimal("0.50")), terms(client_order_id="O-2", quantity=Decimal("1.00"))]
    matches = matched(wanted, [rest_order(**told)])
    assert [one.client_order_id for one, _ in matches.found] == whose
    assert [one.client_order_id for one, _ in matches.doubtful] == ([] if whose else ["O-1", "O-2"])


def test_orders_that_are_not_alike_are_told_apart_where_only_one_way_is_left():
    rest = rest_order(qty="0.50", amountFilled="0.50", status="partiallyfilled", size="0.50")
    whole = rest_order(id=OTHER_ID, qty="0.50")
    wanted = [terms(quantity=Decimal("0.50")), terms(client_order_id="O-2", quantity=Decimal("1.00"))]
    assert found(wanted, [rest, whole]) == []  # O-1 may be either
    assert found([wanted[1]], [rest, whole]) == [("O-2", ORDER_ID)]


def test_one_that_waited_for_the_stream_was_sent_when_it_was_recorded():
    made_ns = CREATED_NS - 60 * 10**9
    assert found([terms(made_ns=made_ns)], [rest_order()]) == []
    assert found([terms(made_ns=made_ns, recorded_ns=CREATED_NS - 10**6)], [rest_order()]) == [("O-1", ORDER_ID)]


def test_one_order_may_be_of_a_create_that_is_under_way():
    matches = matched([terms()], [rest_order()], underway=[terms(client_order_id="O-2")])
    assert matches.found == matches.unseen == matches.doubtful == []


def test_no_order_is_given_away_twice_and_none_that_is_not_needed():
    """Whatever was sent and received: all that was received is found, in the order of time."""
    rng = Random(11)
    for _ in range(300):
        times = sorted(rng.sample(range(0, 10_000, 10), rng.randint(1, 7)))
        received = sorted(rng.sample(times, rng.randint(0, len(times))))
        wanted = [sent(n, ms) for n, ms in enumerate(times)]
        pairs = found(rng.sample(wanted, len(wanted)), [made(ms + 1) for ms in rng.sample(received, len(received))])
        assert pairs == [(f"O-{times.index(ms)}", made_id(ms + 1)) for ms in received]


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
        {"cancelAt": CREATED_NS // 10**6 + 60_000},
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
        {"qty": "0.60", "amountFilled": "0.40", "status": "partiallyfilled", "size": "0.60"},
        {"status": "filled", "amountFilled": "1.00"},
    ],
    ids=str,
)
def test_the_spellings_and_units_do_not_matter(changed):
    assert found([terms()], [rest_order(**changed)]) == [("O-1", ORDER_ID)]


def test_unseen_ones_are_named():
    assert matched([terms()], []).unseen == [terms()]


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


def test_a_reference_tells_when_it_was_recorded_and_whose_it_is():
    told = terms_of(ref(created_ns=7, terms=new_order(strategy_id="S-1")))
    assert (told.sent_ns, told.strategy_id) == (7, "S-1")
    assert told.key == terms().key
    assert terms_of(ref(created_ns=0)).sent_ns == terms().made_ns
