"""What is denied before anything is sent, with the reason, and the very bytes of what is sent."""

from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.orders.requests import Denied
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.venue import OutpollVenue
from tests.support.outpoll_rows import ASSET, OTHER, USDC, market, new_order, spec


def venue(*specs: Any, **settings: Any) -> OutpollVenue:
    made = OutpollVenue(OutpollSettings(**settings))
    made.use_instruments(specs or [spec()])
    return made


HEAD = f'{{"e":"event-1","o":"outcome-1","ba":"{ASSET}","qa":"{USDC}","s":'


@pytest.mark.parametrize(
    ("order", "path", "body"),
    [
        (new_order(), "/orders/limit", HEAD + '"BUY","p":0.4,"q":10}'),
        (
            new_order(side=OrderSide.SELL, quantity=Decimal("0.000001"), price=Decimal("0.99")),
            "/orders/limit",
            HEAD + '"SELL","p":0.99,"q":0.000001}',
        ),
        (market(quantity="50"), "/orders/market", HEAD + '"BUY","am":50}'),
        (market(side=OrderSide.SELL, quantity="12.5"), "/orders/market", HEAD + '"SELL","q":12.5}'),
    ],
)
def test_the_bytes_that_are_signed_and_sent(order: Any, path: str, body: str) -> None:
    assert venue().prepare(order).wire == [path, body]


DENIED = {
    "FOK": (new_order(time_in_force=TimeInForce.FOK), "time in force FOK"),
    "IOC": (new_order(time_in_force=TimeInForce.IOC), "time in force IOC"),
    "DAY": (new_order(time_in_force=TimeInForce.DAY), "time in force DAY"),
    "GTD": (new_order(time_in_force=TimeInForce.GTD, expire_time_ns=1), "time in force GTD"),
    "market FOK": (
        new_order(type=OrderType.MARKET, side=OrderSide.SELL, price=None, time_in_force=TimeInForce.FOK),
        "time in force FOK",
    ),
    "stop": (
        new_order(type=OrderType.STOP_MARKET, price=None, trigger_price=Decimal("0.2"), side=OrderSide.SELL),
        "tpsl=True",
    ),
    "stop limit": (new_order(type=OrderType.STOP_LIMIT, trigger_price=Decimal("0.2")), "STOP_LIMIT"),
    "post-only": (new_order(post_only=True), "post-only"),
    "reduce-only": (new_order(reduce_only=True), "reduce-only"),
    "iceberg": (new_order(display_qty=Decimal(1)), "display quantity"),
    "a param": (new_order(params={"note": "x"}), "unknown param"),
    "a market buy in shares": (
        new_order(type=OrderType.MARKET, price=None, time_in_force=TimeInForce.IOC),
        "quote_quantity=True",
    ),
    "a market sell by amount": (
        new_order(
            type=OrderType.MARKET,
            side=OrderSide.SELL,
            price=None,
            time_in_force=TimeInForce.IOC,
            quote_quantity=True,
        ),
        "quote quantity on MARKET SELL",
    ),
    "a limit by amount": (new_order(quote_quantity=True), "quote quantity on LIMIT BUY"),
    "too dear": (new_order(price=Decimal("1.00")), "outside 0.01 to 0.99"),
    "too cheap": (new_order(price=Decimal("0")), "0"),
    "off the tick": (new_order(price=Decimal("0.425")), "0.425"),
    "nothing": (new_order(quantity=Decimal(0)), "quantity"),
    "less than nothing": (new_order(quantity=Decimal(-1)), "quantity"),
    "finer than the lot": (new_order(quantity=Decimal("0.0000001")), "0.0000001"),
    "an unknown instrument": (new_order(symbol="who?"), "no loaded instrument"),
}


@pytest.mark.parametrize(("order", "reason"), DENIED.values(), ids=DENIED)
def test_denied_with_the_reason(order: Any, reason: str) -> None:
    with pytest.raises(Denied, match=reason):
        venue().prepare(order)


@pytest.mark.parametrize("key", ["event_id", "outcome_id", "quote_asset_id"])
def test_an_instrument_that_the_venue_would_not_know_is_denied(key: str) -> None:
    with pytest.raises(Denied, match=key):
        venue(spec(**{key: ""})).prepare(new_order())


def test_the_quote_asset_is_taken_from_the_other_instruments_if_there_is_one_only() -> None:
    one = venue(spec(ASSET, quote_asset_id=""), spec(OTHER))
    assert f'"qa":"{USDC}"' in one.prepare(new_order()).wire[1]

    two = venue(spec(ASSET, quote_asset_id=""), spec(OTHER), spec("asset-3", quote_asset_id="usdt-1"))
    with pytest.raises(Denied, match="quote_asset_id"):
        two.prepare(new_order())


# -- pairs -------------------------------------------------------------------------------------------------------------


def leg(client_order_id: str, **terms: Any) -> Any:
    common = {"side": OrderSide.SELL, "contingency_type": ContingencyType.OCO, "order_list_id": "OL-1"}
    return new_order(client_order_id, **(common | terms))


def take(**terms: Any) -> Any:
    return leg("O-TP", **({"price": Decimal("0.80")} | terms))


def stop(**terms: Any) -> Any:
    stopping = {"type": OrderType.STOP_MARKET, "price": None, "trigger_price": Decimal("0.20")}
    return leg("O-SL", **(stopping | terms))


def test_a_pair_of_closing_sells_is_taken_with_tpsl() -> None:
    protecting = venue(tpsl=True)
    for order in (take(), stop()):
        protecting.prepare(order)
    protecting.check_list([take(), stop()])
    protecting.check_list([stop(), take()])


@pytest.mark.parametrize(
    ("orders", "reason"),
    [
        ([take(), take()], "OCO pair of one LIMIT SELL"),
        ([take()], "OCO pair"),
        ([take(), stop(), stop()], "OCO pair"),
        ([take(side=OrderSide.BUY), stop()], "SELL"),
        ([take(contingency_type=ContingencyType.OTO), stop()], "OCO pair"),
        ([take(), stop(quantity=Decimal(9))], "same quantity"),
        ([take(), stop(symbol=OTHER)], "one instrument"),
        ([take(price=Decimal("0.20")), stop()], "above the stop-loss"),
        ([take(), stop(trigger_price=Decimal("0.85"))], "above the stop-loss"),
    ],
)
def test_any_other_contingent_list_is_denied(orders: list[Any], reason: str) -> None:
    with pytest.raises(Denied, match=reason):
        venue(tpsl=True).check_list(orders)


@pytest.mark.parametrize("order", [take(), stop()], ids=["take-profit", "stop-loss"])
def test_by_default_both_legs_are_denied_with_what_switches_them_on(order: Any) -> None:
    with pytest.raises(Denied, match="tpsl=True"):
        venue().prepare(order)


def test_a_stop_without_its_take_profit_is_denied_with_tpsl_too() -> None:
    alone = stop(contingency_type=ContingencyType.NO_CONTINGENCY)
    with pytest.raises(Denied, match="together with a take-profit"):
        venue(tpsl=True).prepare(alone)


def test_lists_of_independent_orders_are_no_matter() -> None:
    venue().check_list([new_order("O-1"), new_order("O-2")])
