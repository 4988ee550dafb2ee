"""What is sent for an order, in both dialects, and what is denied before anything is sent."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from nautilus_orderfeeds.orders.requests import Amend, Denied, OrderRef
from nautilus_orderfeeds.orders.updates import Source
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType, TimeInForce, TriggerType
from nautilus_orderfeeds.venues.acttrader import wire
from nautilus_orderfeeds.venues.acttrader.words import Event
from tests.support.acttrader_client import exact, line, new_order

D = Decimal
FAR_NS = 4_000_000_000_000_000_000
TIF = TimeInForce
OPT_IN: dict[str, Any] = {"params": {"aon": True}}
GTD: dict[str, Any] = {"time_in_force": TIF.GTD, "expire_time_ns": FAR_NS}


def sent(dialect: str, config: dict[str, Any] | None = None, **terms: Any) -> dict[str, Any]:
    """The payload of a single order."""
    prepared = line(dialect, **(config or {})).venue.prepare(new_order(**terms))
    found: dict[str, Any] = exact(wire.encode(Event.NEW_ORDER, "1", prepared.wire))["payload"]
    return found


def denied(dialect: str, config: dict[str, Any] | None = None, **terms: Any) -> str:
    """Why an order (as a list of its own) is denied."""
    venue = line(dialect, **(config or {})).venue
    with pytest.raises(Denied) as refusal:
        venue.check_list([venue.prepare(new_order(**terms)).order])
    return refusal.value.reason


# -- types and times in force -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["draft", "final"])
@pytest.mark.parametrize(
    ("type_", "word", "keys"),
    [
        (OrderType.MARKET, "MARKET", set()),
        (OrderType.LIMIT, "LIMIT", {"price"}),
        (OrderType.STOP_MARKET, "STOP", {"stopPrice"}),
        (OrderType.STOP_LIMIT, "STOP_LIMIT", {"price", "stopPrice"}),
    ],
)
def test_types_and_their_prices(dialect: str, type_: OrderType, word: str, keys: set[str]):
    payload = sent(dialect, type=type_, **OPT_IN)
    assert payload["type"] == word
    assert {"price", "stopPrice"} & set(payload) == keys
    assert payload["login"] == ("user-login" if dialect == "draft" else 123456)
    assert payload["quantity"] == 10000


@pytest.mark.parametrize(
    ("dialect", "terms", "force", "expiry"),
    [
        ("draft", {}, "GTC", None),
        ("draft", GTD, "GTT", "timeInForceDate"),
        ("draft", {"type": OrderType.MARKET}, "GTC", None),
        ("draft", OPT_IN, "AON", None),
        ("final", OPT_IN, "AON", None),
        ("final", {"params": {"time_in_force": "AON"}}, "AON", None),
        ("final", {**GTD, **OPT_IN}, "AON", "tillTime"),
        ("final", {"type": OrderType.MARKET}, "AON", None),
        ("final", {"type": OrderType.MARKET, "time_in_force": TIF.IOC}, "IOC", None),
        ("final", {"type": OrderType.MARKET, "time_in_force": TIF.FOK}, "FOK", None),
        ("final", {"time_in_force": TIF.IOC}, "IOC", None),
        ("final", {"time_in_force": TIF.FOK}, "FOK", None),
    ],
)
def test_time_in_force(dialect: str, terms: dict[str, Any], force: str, expiry: str | None):
    payload = sent(dialect, **terms)
    assert payload["timeInForce"] == force
    assert {"timeInForceDate", "tillTime", "lifeTime"} & set(payload) == ({expiry} if expiry else set())
    if expiry:
        assert payload[expiry] == "2096-10-02T07:06:40.000Z"


@pytest.mark.parametrize("terms", [{}, GTD, {"type": OrderType.STOP_MARKET}])
def test_all_or_none_is_opt_in(terms: dict[str, Any]):
    assert "aon_for_gtc" in denied("final", **terms)
    assert sent("final", {"aon_for_gtc": True}, **terms)["timeInForce"] == "AON"
    # Asked for in general, forbidden for this order.
    assert "aon_for_gtc" in denied("final", {"aon_for_gtc": True}, **{**terms, "params": {"aon": False}})


def test_gtc_in_the_draft_is_a_setting():
    assert "draft_gtc" in denied("draft", {"draft_gtc": False})
    assert sent("draft", {"draft_gtc": False}, **GTD)["timeInForce"] == "GTT"


@pytest.mark.parametrize(
    ("dialect", "terms", "words"),
    [
        ("draft", {"time_in_force": TIF.IOC}, "time in force IOC"),
        ("draft", {"time_in_force": TIF.FOK}, "time in force FOK"),
        ("draft", {"type": OrderType.MARKET, "time_in_force": TIF.IOC}, "time in force IOC"),
        ("draft", {**GTD, **OPT_IN}, "excludes all-or-none"),
        ("final", {"time_in_force": TIF.IOC, **OPT_IN}, "excludes IOC"),
        ("both", {"time_in_force": TIF.DAY}, "time in force DAY"),
        ("both", {"time_in_force": TIF.AT_THE_OPEN}, "time in force AT_THE_OPEN"),
        ("both", {"time_in_force": TIF.AT_THE_CLOSE}, "time in force AT_THE_CLOSE"),
        ("both", {"type": OrderType.TRAILING_STOP_MARKET}, "order type TRAILING_STOP_MARKET"),
        ("both", {"type": OrderType.TRAILING_STOP_LIMIT}, "order type TRAILING_STOP_LIMIT"),
        ("both", {"type": OrderType.MARKET_IF_TOUCHED}, "order type MARKET_IF_TOUCHED"),
        ("both", {"type": OrderType.LIMIT_IF_TOUCHED}, "order type LIMIT_IF_TOUCHED"),
        ("both", {"type": OrderType.MARKET_TO_LIMIT}, "order type MARKET_TO_LIMIT"),
        ("both", {"post_only": True}, "post-only"),
        ("both", {"reduce_only": True}, "reduce-only"),
        ("both", {"quote_quantity": True}, "quote quantity"),
        ("both", {"display_qty": D(1000)}, "display quantity"),
        ("both", {"type": OrderType.STOP_MARKET, "trigger_type": TriggerType.MARK_PRICE}, "trigger type MARK_PRICE"),
        ("both", {"time_in_force": TIF.GTD}, "expire_time"),
        ("both", {"time_in_force": TIF.GTD, "expire_time_ns": 1}, "in the past"),
        ("both", {"symbol": "XAUUSD"}, "instruments"),
        ("both", {"price": D("1.23455")}, "off the tick"),
        ("both", {"price": D(0)}, "positive price"),
        ("both", {"type": OrderType.STOP_MARKET, "trigger_price": D(-1)}, "positive trigger_price"),
        ("both", {"quantity": D(1500)}, "off the lot"),
        ("both", {"quantity": D(0)}, "not positive"),
        ("both", {"params": {"colour": "red"}}, "unknown param 'colour'"),
        ("both", {"params": {"aon": "yes"}}, "must be bool"),
        ("both", {"params": {"time_in_force": "TPI"}}, "must be one of AON"),
        ("draft", {"params": {"note": "tp"}}, "no param 'note'"),
        ("both", {"client_order_id": "O\u00fc"}, "printable ASCII"),
        ("both", {"client_order_id": "O\n1"}, "printable ASCII"),
        ("both", {"contingency_type": ContingencyType.OTO}, "OCO pairs"),
        ("both", {"contingency_type": ContingencyType.OUO}, "OCO pairs"),
        ("both", {"contingency_type": ContingencyType.OCO, **OPT_IN}, "exactly two orders"),
    ],
)
def test_what_the_wire_cannot_say_is_denied(dialect: str, terms: dict[str, Any], words: str):
    for each in ("draft", "final") if dialect == "both" else (dialect,):
        assert words in denied(each, {"aon_for_gtc": "params" not in terms}, **terms)


def test_client_order_id_goes_out_as_it_is():
    assert sent("draft", client_order_id="my first order")["clientOrderId"] == "my first order"


def test_note_goes_out_when_asked_for():
    assert sent("final", params={"aon": True, "note": "sl"})["note"] == "sl"
    assert "note" not in sent("final", **OPT_IN)


# -- numbers ----------------------------------------------------------------------------------------------------------


@given(st.decimals(min_value=D("1E-12"), max_value=D("1E15"), allow_nan=False, allow_infinity=False))
def test_numbers_are_plain_json_numbers(value: Decimal):
    text = bytes(wire.number(value)).decode()
    assert "e" not in text.lower()
    assert D(text) == value
    assert exact(f"[{text}]")[0] == value


def test_a_round_quantity_has_no_exponent():
    payload = line("draft").venue.prepare(new_order(quantity=D("1E+4"))).wire
    assert b'"quantity":10000,' in wire.encode(Event.NEW_ORDER, "1", payload)


# -- OCO --------------------------------------------------------------------------------------------------------------


def legs(**second: Any) -> list[Any]:
    common: dict[str, Any] = {"contingency_type": ContingencyType.OCO, **OPT_IN}
    first = new_order("O-1", linked_order_ids=("O-2",), **common)
    terms = {"type": OrderType.STOP_MARKET, "linked_order_ids": ("O-1",), **common, **second}
    return [first, new_order("O-2", **terms)]


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_oco_pair(dialect: str):
    talk = line(dialect)
    orders = legs()
    prepared = [talk.venue.prepare(order) for order in orders]
    talk.venue.check_list(orders)
    task = asyncio.ensure_future(talk.venue.submit_list(prepared))
    request = await talk.asked()
    assert request["event"] == "neworderoco"
    assert request["payload"] == {
        "login": "user-login" if dialect == "draft" else 123456,
        "symbol": "EURUSD",
        "side": "BUY",
        "timeInForce": "AON",
        "quantity": 10000,
        "orders": [
            {"type": "LIMIT", "price": D("1.2345"), "clientOrderId": "O-1"},
            {"type": "STOP", "stopPrice": D("1.2345"), "clientOrderId": "O-2"},
        ],
    }
    assert prepared[0].refs == ("leg:O-1|LIMIT|1.2345", "leg:O-2|LIMIT|1.2345")
    assert prepared[1].refs == ("leg:O-2|STOP", "leg:O-1|STOP")
    task.cancel()


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"side": OrderSide.SELL}, "share one side"),
        ({"quantity": D(20000)}, "share one quantity"),
        ({"symbol": "BTCUSDT"}, "share one instrument"),
        ({**GTD}, "share one time in force"),
        ({"linked_order_ids": ("O-3",)}, "linked to each other"),
        ({"linked_order_ids": ()}, "linked to each other"),
        ({"contingency_type": ContingencyType.OUO}, "OCO pairs"),
        ({"contingency_type": ContingencyType.NO_CONTINGENCY}, "OCO pairs"),
        ({"type": OrderType.LIMIT, "price": D("1.2345")}, "told apart"),
    ],
)
def test_oco_pairs_that_cannot_be_said(second: dict[str, Any], words: str):
    venue = line("final").venue
    orders = legs(**second)
    with pytest.raises(Denied, match=words):
        venue.check_list(
            [venue.prepare(order).order if order.contingency_type.name == "OCO" else order for order in orders]
        )


def test_oco_with_another_expiry_is_denied():
    venue = line("final").venue
    first, second = legs(**GTD)
    first = structs.replace(first, time_in_force=TIF.GTD, expire_time_ns=FAR_NS + 10**9)
    with pytest.raises(Denied, match="share one expire_time"):
        venue.check_list([first, second])


def test_oco_needs_the_opt_in_in_both_dialects():
    for dialect in ("draft", "final"):
        order = legs()[0]
        with pytest.raises(Denied, match="aon_for_gtc"):
            line(dialect).venue.prepare(structs.replace(order, params={}))
        line(dialect, aon_for_gtc=True).venue.prepare(structs.replace(order, params={}))


def test_oco_legs_rest_and_are_no_market_orders():
    with pytest.raises(Denied, match="cannot be IOC"):
        line("final").venue.prepare(legs(time_in_force=TIF.IOC, params={})[1])
    with pytest.raises(Denied, match="MARKET order makes no sense"):
        line("final").venue.prepare(legs(type=OrderType.MARKET)[1])


def test_three_orders_are_no_pair():
    venue = line("final").venue
    with pytest.raises(Denied, match="exactly two"):
        venue.check_list([*legs(), legs()[0]])


async def test_a_plain_list_goes_out_one_by_one_in_its_order():
    talk = line("draft")
    prepared = [talk.venue.prepare(new_order(f"O-{n}")) for n in range(4)]
    talk.venue.check_list([one.order for one in prepared])
    task = asyncio.ensure_future(talk.venue.submit_list(prepared))
    await talk.asked(4)
    assert [request["payload"]["clientOrderId"] for request in talk.sent] == ["O-0", "O-1", "O-2", "O-3"]
    for number in range(4):
        talk.answer({"orderId": number + 1, "status": "NEW"}, number=number)
    assert [outcome.venue_order_id for outcome, _ in await task] == ["1", "2", "3", "4"]


# -- modify and cancel ------------------------------------------------------------------------------------------------


def amend(venue_order_id: str | None = "1", **changes: Any) -> Amend:
    return Amend(ref=OrderRef(client_order_id="O-1", symbol="EURUSD", venue_order_id=venue_order_id), **changes)


async def test_only_what_changes_is_sent():
    talk = line("final")
    task = asyncio.ensure_future(talk.venue.amend(amend(price=D("1.3"))))
    assert (await talk.asked())["payload"] == {"orderId": 1, "price": D("1.3")}
    task.cancel()


async def test_the_final_dialect_names_an_order_by_its_client_id_until_it_has_another():
    talk = line("final")
    ref = OrderRef(client_order_id="O-1", symbol="EURUSD")
    tasks = [
        asyncio.ensure_future(talk.venue.cancel(ref)),
        asyncio.ensure_future(talk.venue.amend(amend(None, price=D(1)))),
    ]
    await talk.asked(2)
    assert talk.sent[0]["payload"] == {"clientOrderId": "O-1"}
    assert talk.sent[1]["payload"] == {"clientOrderId": "O-1", "price": 1}
    for task in tasks:
        task.cancel()


async def test_the_draft_has_no_other_name():
    talk = line("draft")
    outcome, _ = await talk.venue.cancel(OrderRef(client_order_id="O-1", symbol="EURUSD"))
    assert "not sent" in outcome.reason
    with pytest.raises(Denied, match="not known yet"):
        await talk.venue.amend(amend(None, price=D(1)))
    assert talk.sent == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "changes nothing"),
        ({"price": D("1.23455")}, "off the tick"),
        ({"price": D(0)}, "not positive"),
        ({"quantity": D(1500)}, "off the lot"),
        ({"trigger_price": D("1.3")}, "no trigger price"),
        ({"price": D(1), "params": {"note": "tp"}}, "unknown param"),
    ],
)
async def test_changes_that_cannot_be_said(changes: dict[str, Any], words: str):
    talk = line("final")
    talk.venue._codec.remember("1").type = OrderType.LIMIT
    with pytest.raises(Denied, match=words):
        await talk.venue.amend(amend(**changes))
    assert talk.sent == []


async def test_market_orders_and_prices_of_stops_cannot_be_changed():
    talk = line("final")
    talk.venue._codec.remember("1").type = OrderType.MARKET
    with pytest.raises(Denied, match="MARKET"):
        await talk.venue.amend(amend(price=D(1)))
    talk.venue._codec.remember("1").type = OrderType.STOP_MARKET
    with pytest.raises(Denied, match="no price"):
        await talk.venue.amend(amend(price=D(1)))


async def test_the_quantity_of_a_partly_filled_order_is_not_changed():
    talk = line("final")
    raw = b'{"orderId":1,"type":"LIMIT","status":"PARTIAL_FILL","origQty":10000,"executedQty":4000}'
    talk.venue._codec.read(wire.ORDER.decode(raw), Source.STREAM)
    with pytest.raises(Denied, match="partly filled"):
        await talk.venue.amend(amend(quantity=D(20000)))
    task = asyncio.ensure_future(talk.venue.amend(amend(price=D("1.3"))))
    await talk.asked()
    task.cancel()


async def test_a_bare_answer_to_a_modification_promises_nothing_but_is_followed_up():
    talk = line("draft")
    task = asyncio.ensure_future(talk.venue.amend(amend(trigger_price=D("1.3"))))
    await talk.asked()
    (readback,) = talk.answer()
    assert readback.venue_order_id == "1"
    await task
    raw = b'{"orderId":1,"type":"STOP","status":"NEW","origQty":10000,"executedQty":0}'
    update = talk.venue._codec.read(wire.ORDER.decode(raw), Source.STREAM).update
    assert update.trigger_price == D("1.3")
