"""What is denied before anything is sent, and what the request of the rest looks like."""

import json
from decimal import Decimal

import msgspec
import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.orders.requests import Amend, Denied, Refused
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.settings import Secret
from nautilus_orderfeeds.venues.bsx.venue import BsxVenue
from tests.support.bsx_client import API_SECRET, SIGNER_KEY, new_order, ref, settings, spec

NOW = 1_719_319_688_000_000_000


def venue(specs=(), **changed):
    made = BsxVenue(settings(**changed), clock=ManualClock(NOW))
    made.use_instruments(specs or [spec()])
    return made


def request(**changed):
    return json.loads(wire.encode(venue().prepare(new_order(**changed)).wire))


def test_a_limit_order():
    prepared = venue().prepare(new_order())
    sent = json.loads(wire.encode(prepared.wire))
    cid = sent.pop("client_order_id")
    assert sent == {
        "side": "BUY",
        "type": "LIMIT",
        "time_in_force": "GTC",
        "product_index": 1,
        "price": "55000",
        "size": "0.018",
        "nonce": str(NOW),
        "post_only": False,
        "reduce_only": False,
        "stp": "CANCEL_TAKER",
        "expired_at": "0",
    }
    assert prepared.refs == (f"cid:{cid}", f"nonce:{NOW}")
    assert len(cid) == 32


def test_each_order_has_its_own_names():
    one = venue()
    first, second = one.prepare(new_order()), one.prepare(new_order())
    assert set(first.refs).isdisjoint(second.refs)
    assert one.nonce_high_water == NOW + 1


def test_what_is_journaled_holds_no_secret():
    prepared = msgspec.json.encode(venue().prepare(new_order())).decode()
    assert SIGNER_KEY.removeprefix("0x") not in prepared
    assert API_SECRET not in prepared
    assert "signature" not in prepared


def test_good_till_date():
    expiry = NOW + 10**9
    sent = request(time_in_force=TimeInForce.GTD, expire_time_ns=expiry)
    assert (sent["time_in_force"], sent["expired_at"]) == ("GTT", str(expiry))


@pytest.mark.parametrize(
    ("side", "force", "price", "word"),
    [
        (OrderSide.BUY, TimeInForce.GTC, "65299.6", "IOC"),
        (OrderSide.SELL, TimeInForce.IOC, "64006.4", "IOC"),
        (OrderSide.BUY, TimeInForce.FOK, "65299.6", "FOK"),
    ],
)
def test_a_market_order_goes_with_a_worst_price(side, force, price, word):
    sent = request(type=OrderType.MARKET, side=side, price=None, time_in_force=force, reference_price=Decimal(64653))
    assert (sent["type"], sent["price"], sent["time_in_force"]) == ("MARKET", price, word)


def test_instructions_and_params():
    sent = request(post_only=True, reduce_only=True, params={"stp": "CANCEL_MAKER"})
    assert (sent["post_only"], sent["reduce_only"], sent["stp"]) == (True, True, "CANCEL_MAKER")


MARKET = {"type": OrderType.MARKET, "price": None}

DENIED = {
    "unknown symbol": ({"symbol": "DOGE-PERP"}, "no active product"),
    "stop market": ({"type": OrderType.STOP_MARKET, "trigger_price": Decimal(1)}, "STOP_MARKET"),
    "stop limit": ({"type": OrderType.STOP_LIMIT, "trigger_price": Decimal(1)}, "STOP_LIMIT"),
    "market if touched": ({"type": OrderType.MARKET_IF_TOUCHED}, "MARKET_IF_TOUCHED"),
    "limit if touched": ({"type": OrderType.LIMIT_IF_TOUCHED}, "LIMIT_IF_TOUCHED"),
    "market to limit": ({"type": OrderType.MARKET_TO_LIMIT}, "MARKET_TO_LIMIT"),
    "trailing": ({"type": OrderType.TRAILING_STOP_MARKET}, "TRAILING_STOP_MARKET"),
    "day": ({"time_in_force": TimeInForce.DAY}, "DAY"),
    "open": ({"time_in_force": TimeInForce.AT_THE_OPEN}, "AT_THE_OPEN"),
    "close": ({"time_in_force": TimeInForce.AT_THE_CLOSE}, "AT_THE_CLOSE"),
    "gtd without time": ({"time_in_force": TimeInForce.GTD}, "expire_time"),
    "gtd in the past": ({"time_in_force": TimeInForce.GTD, "expire_time_ns": NOW - 1}, "past"),
    "quote quantity": ({"quote_quantity": True}, "quote quantity"),
    "iceberg": ({"display_qty": Decimal("0.001")}, "display quantity"),
    "oco": ({"contingency_type": ContingencyType.OCO}, "OCO"),
    "bracket": ({"contingency_type": ContingencyType.OTO}, "OTO"),
    "post-only ioc": ({"post_only": True, "time_in_force": TimeInForce.IOC}, "post-only"),
    "post-only market": ({"post_only": True, "reference_price": Decimal(1), **MARKET}, "post-only"),
    "market without a price": (MARKET, "worst price"),
    "market gtd": (
        {"time_in_force": TimeInForce.GTD, "expire_time_ns": NOW + 1, "reference_price": Decimal(1), **MARKET},
        "GTD on MARKET",
    ),
    "limit without a price": ({"price": None}, "positive price"),
    "free": ({"price": Decimal(0)}, "positive price"),
    "off the tick": ({"price": Decimal("55000.05")}, "tick"),
    "off the lot": ({"quantity": Decimal("0.0185")}, "lot"),
    "too small": ({"quantity": Decimal("0.001")}, "minimum"),
    "unknown param": ({"params": {"algorithm_id": 7}}, "unknown param"),
    "unknown stp": ({"params": {"stp": "CANCEL_BOTH"}}, "stp"),
    "too much to sign": ({"quantity": Decimal(10) ** 21}, "cannot be signed"),
}


@pytest.mark.parametrize(("changed", "reason"), DENIED.values(), ids=DENIED)
def test_denied(changed, reason):
    one = venue()
    with pytest.raises(Denied, match=reason):
        one.prepare(new_order(**changed))
    assert one.nonce_high_water == 0  # nothing was named


def test_a_post_only_market():
    one = venue([spec(post_only=True)])
    with pytest.raises(Denied, match="post-only orders only"):
        one.prepare(new_order())
    assert one.prepare(new_order(post_only=True)).wire.post_only


def test_no_signer_key():
    with pytest.raises(Denied, match="BSX_SIGNER_KEY"):
        venue(signer_key=Secret("")).prepare(new_order())


def test_an_instrument_without_its_index():
    without = msgspec.structs.replace(spec(), info={})
    with pytest.raises(Denied, match="product_index"):
        venue([without]).prepare(new_order())


async def test_before_open_nothing_is_sent():
    one = venue()
    prepared = one.prepare(new_order())
    outcomes = [
        await one.submit(prepared),
        *await one.submit_list([prepared]),
        await one.cancel(ref(nonce=1)),
        *await one.cancel_many([ref(nonce=1)]),
        await one.amend(Amend(ref=ref(nonce=1), price=Decimal(1))),
    ]
    assert all(isinstance(outcome, Refused) and updates == [] for outcome, updates in outcomes)


def test_rules_take_the_instrument_s_own_numbers():
    rules = venue().rules(spec())
    assert (rules.price_precision, rules.maker_fee, rules.infer_at_once) == (1, None, False)
    finer = msgspec.structs.replace(spec(), price_precision=3, maker_fee=Decimal("-0.00005"))
    assert (venue().rules(finer).price_precision, venue().rules(finer).maker_fee) == (3, Decimal("-0.00005"))
