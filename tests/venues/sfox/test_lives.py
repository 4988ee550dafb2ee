"""The life of every order type and time in force over real sockets in a node, however its trades are told.

Each time quantity, average price and fees of every order are the ledger's, for an own key and for an end user.
"""

import asyncio
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.sfox import SfoxLiveExecClientFactory
from nautilus_orderfeeds.venues.sfox.words import LIMIT_ALGORITHMS, Algorithm
from tests.support.nodes import node_config, running_node
from tests.support.sfox_desk import EXEC, SCALED, Desk, agree, assert_told_as_it_is

TOLD: dict[str, dict[str, Any]] = {
    "as documented": {},
    "trades before the answer": {"create_stream": "before", "create_trades": "before", "answer_lag_secs": 0.1},
    "trades after Done": {"trades_delay_secs": 0.2, "settlement": "done_at_once"},
    "never trades": {"trades_on_feed": False, "rest_trades_delay_secs": 60.0},
    "a refused FOK is a cancel": {"fok_failure": "canceled", "cancel_stream": "before"},
}
ROOM = {"balances": {"usd": Decimal(10_000_000), "btc": Decimal(100)}}


def life(run: Any, order: Any) -> list[str]:
    """Names of an order's events after it was submitted, requests left out and fills counted once."""
    names = [name.removeprefix("Order") for name in run.names(order.client_order_id)]
    told: list[str] = []
    for name in names[2:]:
        if "Pending" not in name and told[-1:] != [name]:
            told.append(name)
    return told


@pytest.mark.node
@pytest.mark.parametrize("enterprise", [False, True], ids=["own", "end user"])
@pytest.mark.parametrize("told", TOLD)
async def test_every_type_and_time_in_force(told: str, enterprise: bool):
    options = {**ROOM, **TOLD[told], "enterprise": enterprise}
    async with simulate("sfox", seed=3, market_flow=False, **SCALED, **options) as sim:
        desk = Desk()
        config = node_config({"SFOX": sim.exec_config(**EXEC)}, inflight_check_interval_ms=0)
        async with running_node(config, exec_factories={"SFOX": SfoxLiveExecClientFactory}, strategies=(desk,)) as run:
            bid = sim.market.best("btcusd")[0] - Decimal("0.37")  # where nobody else stands
            asks = sim.market.book("btcusd")[1]
            more = str(asks[0][1] + asks[1][1] + 1)
            orders = {
                "GTC": desk.limit(OrderSide.BUY, "0.05", bid - 2),
                "GTC cancelled": desk.limit(OrderSide.BUY, "0.05", bid - 3),
            }
            await run.until(lambda: all(order.is_open for order in orders.values()), "the resting orders")
            desk.modify_order(orders["GTC"], quantity=desk.cache.instrument(orders["GTC"].instrument_id).make_qty(0.06))
            await run.until(lambda: orders["GTC"].quantity.as_decimal() == Decimal("0.06"), "the change")
            for price, part in ((bid - 2, "0.02"), (bid - 2, "0.04"), (bid - 3, "0.02")):
                sim.market.trade("btcusd", price, Decimal(part))
            desk.cancel_order(orders["GTC cancelled"])
            await run.until(lambda: orders["GTC cancelled"].is_closed, "the cancel")
            soon = pd.Timestamp.now(tz="UTC").ceil("ms") + pd.Timedelta(seconds=2)
            gtd = desk.limit(OrderSide.BUY, "0.05", bid - 4, time_in_force=TimeInForce.GTD, expire_time=soon)
            orders["GTD"] = gtd
            await run.until(lambda: gtd.is_open, "the order with an end")
            for part in ("0.01", "0.007"):
                sim.market.trade("btcusd", bid - 4, Decimal(part))
            orders |= {
                "IOC": desk.limit(OrderSide.BUY, more, asks[1][0], time_in_force=TimeInForce.IOC),
                "IOC unfilled": desk.limit(OrderSide.BUY, "0.01", bid - 9, time_in_force=TimeInForce.IOC),
                "FOK": desk.limit(OrderSide.SELL, "0.02", bid - 1, time_in_force=TimeInForce.FOK),
                "FOK unfilled": desk.limit(OrderSide.BUY, "0.02", bid - 9, time_in_force=TimeInForce.FOK),
                "market buy": desk.market(OrderSide.BUY, "1234.56"),
                "market sell": desk.market(OrderSide.SELL, "0.03"),
                "market sell FOK": desk.market(OrderSide.SELL, "0.02", time_in_force=TimeInForce.FOK),
            }
            await run.until(
                lambda: all(order.is_closed for order in orders.values()),
                lambda: f"all to end: { {name: order.status_string() for name, order in orders.items()} }",
            )
            await agree(sim, run)
            await asyncio.sleep(0.4)  # whatever still comes changes nothing
            await agree(sim, run)
            refused = ["Accepted", "Canceled"] if told == "a refused FOK is a cancel" else ["Rejected"]
            assert {name: life(run, order) for name, order in orders.items()} == {
                "GTC": ["Accepted", "Updated", "Filled"],
                "GTC cancelled": ["Accepted", "Filled", "Canceled"],
                "GTD": ["Accepted", "Filled", "Expired"],
                "IOC": ["Accepted", "Filled", "Canceled"],
                "IOC unfilled": ["Accepted", "Canceled"],
                "FOK": ["Accepted", "Filled"],
                "FOK unfilled": refused,
                "market buy": ["Accepted", "Updated", "Filled"],
                "market sell": ["Accepted", "Filled"],
                "market sell FOK": ["Accepted", "Filled"],
            }
            for order in orders.values():
                if order.status != OrderStatus.REJECTED:
                    assert_told_as_it_is(sim, order)
            assert orders["GTD"].filled_qty.as_decimal() == Decimal("0.017")
            assert run.log.entries("ERROR") == []


@pytest.mark.node
async def test_every_algorithm_of_a_limit_order_and_its_routing():
    async with simulate("sfox", seed=3, market_flow=False, **SCALED, **ROOM) as sim:
        desk = Desk()
        config = node_config({"SFOX": sim.exec_config(**EXEC)}, inflight_check_interval_ms=0)
        async with running_node(config, exec_factories={"SFOX": SfoxLiveExecClientFactory}, strategies=(desk,)) as run:
            bid = sim.market.best("btcusd")[0] - Decimal("0.37")
            orders = {}
            for number, algorithm in enumerate(LIMIT_ALGORITHMS):
                params: dict[str, Any] = {"algorithm_id": int(algorithm), "routing_type": "Smart"}
                if algorithm is Algorithm.TWAP:
                    params |= {"total_time": 1800, "interval": 900, "continuous": True, "post_only": True}
                else:
                    params["routing_option"] = "BestPrice"
                orders[algorithm] = desk.limit(OrderSide.BUY, "0.02", bid - 2 - number, params=params)
            denied = desk.limit(OrderSide.BUY, "0.02", bid - 2, params={"algorithm_id": 304})
            await run.until(lambda: all(order.is_open for order in orders.values()), "the orders to rest")
            for algorithm, order in orders.items():
                info = sim.ledger.order(order.venue_order_id.value).info
                assert (info["algorithm_id"], info["routing_type"]) == (int(algorithm), "Smart")
            for number in range(len(orders)):
                sim.market.trade("btcusd", bid - 2 - number, Decimal("0.02"))
            await run.until(lambda: all(order.is_closed for order in orders.values()), "the fills")
            assert {order.status for order in orders.values()} == {OrderStatus.FILLED}
            await agree(sim, run)
            assert denied.status == OrderStatus.DENIED
