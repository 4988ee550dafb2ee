"""What can be ordered, how it is written on the wire, and what is denied before anything is sent."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from nautilus_orderfeeds.orders.requests import Denied, NewOrder
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.prepare import create_request
from nautilus_orderfeeds.venues.sfox.settings import RoutingType
from nautilus_orderfeeds.venues.sfox.venue import SfoxVenue
from tests.support.sfox_client import market_order, new_order, settings, specs

NOW = 1_700_000_000_000_000_000
SPECS = specs()


def request(order: NewOrder, **changed: Any) -> tuple[str, dict[str, Any]]:
    """Side and body of the request for an order."""
    made = create_request(order, SPECS[order.symbol], settings(**changed), NOW)
    return made.side, msgspec.json.decode(wire.encode(made.order))


def denial(order: NewOrder, **changed: Any) -> str:
    with pytest.raises(Denied) as denied:
        request(order, **changed)
    return denied.value.reason


def test_a_limit_order():
    assert request(new_order()) == (
        "buy",
        {
            "currency_pair": "btcusd",
            "algorithm_id": 201,
            "client_order_id": "O-20240625-001-001-1",
            "price": "37227.82",
            "quantity": "0.05",
            "time_in_force": "GTC",
            "routing_type": "NetPrice",
        },
    )


def test_a_sell_with_time_in_force_and_routing():
    order = new_order(
        side=OrderSide.SELL,
        time_in_force=TimeInForce.IOC,
        params={"algorithm_id": 200, "routing_type": "Smart", "routing_option": "WeightedExchange"},
    )
    side, body = request(order)
    assert side == "sell"
    assert (body["algorithm_id"], body["time_in_force"]) == (200, "IOC")
    assert (body["routing_type"], body["routing_option"]) == ("Smart", "WeightedExchange")


@pytest.mark.parametrize(("routing", "sent"), [(RoutingType.SMART, "Smart"), (None, None)])
def test_the_default_routing_is_a_setting(routing: RoutingType | None, sent: str | None):
    assert request(new_order(), routing_type=routing)[1].get("routing_type") == sent


def test_gtd_to_the_millisecond():
    order = new_order(time_in_force=TimeInForce.GTD, expire_time_ns=NOW + 1_999_999)
    body = request(order)[1]
    assert (body["time_in_force"], body["expires"]) == ("GTD", 1_700_000_000_001)
    assert "past" in denial(new_order(time_in_force=TimeInForce.GTD, expire_time_ns=NOW))
    assert "expire_time" in denial(new_order(time_in_force=TimeInForce.GTD))


def test_a_market_buy_spends_an_amount():
    side, body = request(market_order(params={"max_slippage": 5}))
    assert side == "buy"
    assert body == {
        "currency_pair": "btcusd",
        "algorithm_id": 100,
        "client_order_id": "O-20240625-001-001-1",
        "amount": "500",
        "max_slippage": 5.0,
        "routing_type": "NetPrice",
    }


def test_a_market_sell_has_a_quantity():
    order = market_order(side=OrderSide.SELL, quote_quantity=False, quantity=Decimal("0.1"))
    side, body = request(order)
    assert (side, body["quantity"]) == ("sell", "0.1")
    assert "amount" not in body
    fok = market_order(
        side=OrderSide.SELL, quote_quantity=False, quantity=Decimal("0.1"), time_in_force=TimeInForce.FOK
    )
    assert request(fok)[1]["time_in_force"] == "FOK"


@pytest.mark.parametrize("algorithm", [200, 201, 301, 302, 303, 305, 306])
def test_limit_algorithms(algorithm: int):
    body = request(new_order(params={"algorithm_id": algorithm}))[1]
    assert body["algorithm_id"] == algorithm
    assert body["routing_type"] == ("Smart" if algorithm in (301, 302, 303) else "NetPrice")


def test_twap():
    params = {"algorithm_id": 307, "total_time": 3600, "interval": 900, "continuous": True, "post_only": True}
    body = request(new_order(params=params))[1]
    assert {key: body[key] for key in params} == params
    least = request(new_order(params={"algorithm_id": 307, "total_time": 900}))[1]
    assert "interval" not in least
    assert "needs the param 'total_time'" in denial(new_order(params={"algorithm_id": 307}))
    for params in ({"total_time": 899}, {"total_time": 900, "interval": 901}, {"total_time": 900, "interval": 0}):
        assert "at least 900 s" in denial(new_order(params={"algorithm_id": 307, **params}))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"params": {"total_time": 900}}, "TWAP"),
        ({"params": {"post_only": True}}, "TWAP"),
        ({"params": {"max_slippage": 5}}, "MARKET orders only"),
        ({"params": {"algorithm_id": 304}}, "must be one of 200, 201"),
        ({"params": {"algorithm_id": "201"}}, "must be int"),
        ({"params": {"algorithm_id": 303, "routing_type": "NetPrice"}}, "Smart only"),
        ({"params": {"routing_type": "netprice"}}, "NetPrice, Smart"),
        ({"params": {"destination": "ox"}}, "unknown param 'destination'"),
        ({"params": {"stop_amount": 1}}, "unknown param 'stop_amount'"),
        ({"quote_quantity": True}, "market buys only"),
        ({"post_only": True}, "of TWAP only"),
        ({"reduce_only": True}, "reduce-only"),
        ({"display_qty": Decimal("0.01")}, "display quantity"),
        ({"time_in_force": TimeInForce.DAY}, "time in force DAY"),
        ({"time_in_force": TimeInForce.AT_THE_OPEN}, "time in force AT_THE_OPEN"),
        ({"time_in_force": TimeInForce.IOC, "params": {"algorithm_id": 303}}, "IOC with the algorithms 200, 201 only"),
        ({"time_in_force": TimeInForce.FOK, "params": {"algorithm_id": 200}}, "FOK with the algorithms 100, 201 only"),
        ({"price": None}, "positive price"),
        ({"price": Decimal("37227.825")}, "off the tick of 0.01"),
        ({"quantity": Decimal("0.000000001")}, "off the lot of 0.00000001"),
        ({"quantity": Decimal("0.0001")}, "below the minimum of 5 USD"),
        ({"contingency_type": ContingencyType.OCO}, "OCO"),
        ({"contingency_type": ContingencyType.OTO}, "OTO"),
        ({"client_order_id": "O" * 37}, "at most 36"),
        ({"client_order_id": "O 1"}, "at most 36"),
        ({"type": OrderType.STOP_MARKET, "trigger_price": Decimal(1)}, "not published"),
        ({"type": OrderType.STOP_LIMIT, "trigger_price": Decimal(1)}, "STOP_LIMIT"),
        ({"type": OrderType.TRAILING_STOP_MARKET}, "not published"),
        ({"type": OrderType.MARKET_TO_LIMIT}, "MARKET_TO_LIMIT"),
    ],
)
def test_limit_orders_that_are_denied(changed: dict[str, Any], reason: str):
    assert reason in denial(new_order(**changed))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"quote_quantity": False, "quantity": Decimal(1)}, "quote_quantity=True"),
        ({"side": OrderSide.SELL}, "no quote quantity"),
        ({"quantity": Decimal("4.99")}, "below the minimum of 5 USD"),
        ({"quantity": Decimal("500.000000001")}, "more than 8 decimals"),
        ({"quantity": Decimal(0)}, "not positive"),
        ({"time_in_force": TimeInForce.IOC}, "time in force IOC on MARKET"),
        ({"time_in_force": TimeInForce.GTD, "expire_time_ns": NOW * 2}, "time in force GTD on MARKET"),
        ({"params": {"algorithm_id": 201}}, "LIMIT orders only"),
        ({"params": {"total_time": 900}}, "LIMIT orders only"),
        ({"params": {"max_slippage": -1}}, "basis points"),
        ({"params": {"max_slippage": float("nan")}}, "basis points"),
        ({"params": {"max_slippage": True}}, "must be Real, was bool"),
    ],
)
def test_market_orders_that_are_denied(changed: dict[str, Any], reason: str):
    assert reason in denial(market_order(**changed))


def test_decimals_and_minimum_depend_on_the_quote_currency():
    order = new_order(symbol="ETHBTC", price=Decimal("0.05123456"), quantity=Decimal("0.001"))
    assert request(order)[1]["price"] == "0.05123456"
    assert "below the minimum of 0.001" in denial(msgspec.structs.replace(order, quantity=Decimal("0.0009")))
    fine = specs(fiat_price_places=5)
    made = create_request(new_order(price=Decimal("37227.82555")), fine["BTCUSD"], settings(), NOW)
    assert made.order.price == "37227.82555"


def test_numbers_are_written_plainly():
    body = request(new_order(price=Decimal("1E+5"), quantity=Decimal("1E-3")))[1]
    assert (body["price"], body["quantity"]) == ("100000", "0.001")


def test_the_venue_names_an_order_and_remembers_its_terms():
    venue = SfoxVenue(settings())
    with pytest.raises(Denied, match="no pair of SFOX"):
        venue.prepare(new_order())
    venue.use_instruments(list(SPECS.values()))
    prepared = venue.prepare(new_order())
    assert prepared.refs == ("cid:O-20240625-001-001-1",)
    assert msgspec.json.decode(msgspec.json.encode(prepared.wire))["side"] == "buy"
    assert "test-key" not in repr(prepared)
