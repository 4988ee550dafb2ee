"""What is denied before anything is sent, and what the request of the rest looks like (protocol, 4.1 and 10)."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.orders.requests import Amend, Denied, Refused
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType, TimeInForce, TriggerType
from nautilus_orderfeeds.venues.roxom.identity import Terms
from nautilus_orderfeeds.venues.roxom.products import known_instruments
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.venue import RoxomVenue
from nautilus_orderfeeds.venues.secrets import Secret
from tests.support.roxom_client import new_order, ref

NOW = 1_752_621_480_000_000_000
PX = Decimal("0.048582")
SECRET = "do-not-show"


def venue(**changed: Any) -> RoxomVenue:
    made = RoxomVenue(RoxomSettings(api_key="key", api_secret=Secret(SECRET), **changed), clock=ManualClock(NOW))
    made.use_instruments(known_instruments())
    return made


def request(one: RoxomVenue | None = None, **changed: Any) -> Any:
    return json.loads(msgspec.json.encode((one or venue()).prepare(new_order(**changed)).wire))


BASE = {"symbol": "GOLD-BTC", "instType": "perpetual", "side": "buy", "qty": "1.00", "unit": "btc"}
LIMIT = {**BASE, "orderType": "limit", "px": "0.04858200"}
STOP = {"type": OrderType.STOP_MARKET, "price": None, "trigger_price": PX}
STOP_LIMIT = {"type": OrderType.STOP_LIMIT, "trigger_price": PX}
MARKET = {"type": OrderType.MARKET, "price": None}
EXPIRY = NOW + 1_500_999_999

SENT = {
    "limit": ({}, {**LIMIT, "timeInForce": "gtc"}),
    "sell": ({"side": OrderSide.SELL}, {**LIMIT, "side": "sell", "timeInForce": "gtc"}),
    "limit ioc": ({"time_in_force": TimeInForce.IOC}, {**LIMIT, "timeInForce": "ioc"}),
    "limit gtd": (
        {"time_in_force": TimeInForce.GTD, "expire_time_ns": EXPIRY},
        {**LIMIT, "timeInForce": "gtd", "cancelAt": 1_752_621_481_500},
    ),
    "post-only": ({"post_only": True}, {**LIMIT, "timeInForce": "gtc", "postOnly": True}),
    "market": (MARKET, {**BASE, "orderType": "market"}),
    "market ioc": ({**MARKET, "time_in_force": TimeInForce.IOC}, {**BASE, "orderType": "market"}),
    "stop": (STOP, {**BASE, "orderType": "stop", "triggerPx": "0.04858200", "timeInForce": "gtc"}),
    "stop gtd": (
        {**STOP, "time_in_force": TimeInForce.GTD, "expire_time_ns": EXPIRY},
        {
            **BASE,
            "orderType": "stop",
            "triggerPx": "0.04858200",
            "timeInForce": "gtd",
            "cancelAt": 1_752_621_481_500,
        },
    ),
    "stop limit": (
        {**STOP_LIMIT, "trigger_type": TriggerType.MARK_PRICE},
        {**LIMIT, "orderType": "stoplimit", "triggerPx": "0.04858200", "timeInForce": "gtc"},
    ),
    "stop limit ioc": (
        {**STOP_LIMIT, "time_in_force": TimeInForce.IOC},
        {**LIMIT, "orderType": "stoplimit", "triggerPx": "0.04858200", "timeInForce": "ioc"},
    ),
}


@pytest.mark.parametrize(("changed", "wire"), SENT.values(), ids=SENT)
def test_the_request(changed, wire):
    assert request(**changed) == wire


def test_no_null_and_no_false_is_sent_and_no_key_of_ours():
    """An undocumented or empty field could break the check of the signature."""
    sent = request(params={})
    assert None not in sent.values()
    assert False not in sent.values()
    assert "clientOrderId" not in sent


def test_the_client_order_id_is_sent_if_asked_for():
    one = venue(send_client_order_id=True)
    assert request(one)["clientOrderId"] == "O-1"
    assert "cid:O-1" in one.prepare(new_order()).refs


def test_the_key_of_an_order_is_its_terms_and_the_time():
    (key,) = venue().prepare(new_order(strategy_id="S-1")).refs
    assert Terms.read(key) == msgspec.structs.replace(Terms.of(new_order(), NOW), strategy_id="")


def test_what_is_journaled_holds_no_secret():
    assert SECRET not in msgspec.json.encode(venue().prepare(new_order())).decode()


DENIED = {
    "unknown symbol": ({"symbol": "DOGE-BTC"}, "no active instrument"),
    "market if touched": ({"type": OrderType.MARKET_IF_TOUCHED}, "MARKET_IF_TOUCHED"),
    "limit if touched": ({"type": OrderType.LIMIT_IF_TOUCHED}, "LIMIT_IF_TOUCHED"),
    "market to limit": ({"type": OrderType.MARKET_TO_LIMIT}, "MARKET_TO_LIMIT"),
    "trailing stop": ({"type": OrderType.TRAILING_STOP_MARKET}, "TRAILING_STOP_MARKET"),
    "trailing stop limit": ({"type": OrderType.TRAILING_STOP_LIMIT}, "TRAILING_STOP_LIMIT"),
    "fok": ({"time_in_force": TimeInForce.FOK}, "time in force FOK on LIMIT"),
    "day": ({"time_in_force": TimeInForce.DAY}, "time in force DAY"),
    "open": ({"time_in_force": TimeInForce.AT_THE_OPEN}, "AT_THE_OPEN"),
    "close": ({"time_in_force": TimeInForce.AT_THE_CLOSE}, "AT_THE_CLOSE"),
    "stop ioc": ({**STOP, "time_in_force": TimeInForce.IOC}, "time in force IOC on STOP_MARKET"),
    "gtd without time": ({"time_in_force": TimeInForce.GTD}, "expire_time"),
    "gtd in the past": ({"time_in_force": TimeInForce.GTD, "expire_time_ns": NOW - 1}, "past"),
    "gtd within this millisecond": ({"time_in_force": TimeInForce.GTD, "expire_time_ns": NOW + 1}, "millisecond"),
    "trigger type": ({**STOP_LIMIT, "trigger_type": TriggerType.LAST_PRICE}, "trigger type LAST_PRICE"),
    "reduce-only": ({"reduce_only": True}, "reduce-only"),
    "quote quantity": ({"quote_quantity": True}, "quote quantity"),
    "iceberg": ({"display_qty": Decimal("0.01")}, "display quantity"),
    "oco": ({"contingency_type": ContingencyType.OCO}, "OCO"),
    "bracket": ({"contingency_type": ContingencyType.OTO}, "OTO"),
    "post-only ioc": ({"post_only": True, "time_in_force": TimeInForce.IOC}, "post-only"),
    "post-only market": ({"post_only": True, **MARKET}, "post-only"),
    "post-only stop": ({"post_only": True, **STOP}, "post-only"),
    "post-only stop limit": ({"post_only": True, **STOP_LIMIT}, "post-only"),
    "limit without a price": ({"price": None}, "positive price"),
    "free": ({"price": Decimal(0)}, "positive price"),
    "stop without a trigger": ({**STOP, "trigger_price": None}, "positive trigger price"),
    "negative trigger": ({**STOP, "trigger_price": -PX}, "positive trigger price"),
    "off the tick": ({"price": Decimal("0.0485825")}, "off the tick"),
    "trigger off the tick": ({**STOP, "trigger_price": Decimal("0.0485825")}, "trigger_price .* off the tick"),
    "off the lot": ({"quantity": Decimal("1.005")}, "off the lot"),
    "nothing": ({"quantity": Decimal(0)}, "not positive"),
    "unknown param": ({"params": {"stp": "CANCEL_MAKER"}}, "unknown param 'stp' for ROXOM"),
    "an id that is no ASCII": ({"client_order_id": "O-é"}, "printable ASCII"),
}


@pytest.mark.parametrize(("changed", "reason"), DENIED.values(), ids=DENIED)
def test_denied(changed, reason):
    with pytest.raises(Denied, match=reason):
        venue().prepare(new_order(**changed))


async def test_before_open_nothing_is_sent():
    one = venue()
    prepared = one.prepare(new_order())
    outcomes = [
        await one.submit(prepared),
        *await one.submit_list([prepared]),
        await one.cancel(ref()),
        *await one.cancel_many([ref()]),
        await one.amend(Amend(ref=ref(), price=PX)),
    ]
    assert all(isinstance(outcome, Refused) and updates == [] for outcome, updates in outcomes)


def test_rules_take_the_settings_before_the_instruments_own_fees():
    (spec,) = known_instruments()
    rules = venue().rules(spec)
    assert (rules.price_precision, rules.taker_fee, rules.infer_at_once) == (8, Decimal("0.00096"), True)
    assert venue(taker_fee=Decimal("0.0005")).rules(spec).taker_fee == Decimal("0.0005")
