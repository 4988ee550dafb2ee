"""Orders entered elsewhere under the same login: seen where the server tells of no other login (`sole_login`)."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.sim import Side, simulate
from tests.support.acttrader_client import Trading, node_at

pytestmark = pytest.mark.node
D = Decimal
both = pytest.mark.parametrize("dialect", ["draft", "final"])


def elsewhere(t: Trading, size: str = "10000") -> Any:
    return t.sim.place_external("EURUSD", side=Side.BUY, size=size, price=t.bid - D("0.001"), client_order_id="app-1")


@both
async def test_they_are_taken_up_with_their_fills(dialect: str):
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect, all_or_none=False) as sim:
        async with node_at(sim, sole_login=True) as t:
            theirs = elsewhere(t)
            await t.until(lambda: len(t.run.cache.orders_open()) == 1, "the order to be taken up")
            (order,) = t.run.cache.orders()
            assert order.strategy_id.value == "EXTERNAL"
            assert (order.venue_order_id.value, order.status) == (theirs.venue_order_id, OrderStatus.ACCEPTED)
            for part in (4000, 6000):
                sim.market.trade("EURUSD", order.price.as_decimal(), D(part), Side.SELL)
            await t.until(lambda: order.status == OrderStatus.FILLED, "its fills")
            assert t.differences() == []
            assert t.client._intake.foreign_updates == 0


@both
async def test_they_are_none_of_ours_without_that(dialect: str):
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect) as sim:
        async with node_at(sim) as t:
            theirs = elsewhere(t)
            sim.market.trade("EURUSD", theirs.price, D(10000), Side.SELL)
            await t.until(lambda: t.client._intake.foreign_updates >= 2, "them to be counted")
            assert t.run.cache.orders() == []
            assert t.run.cache.positions() == []


async def test_a_node_without_a_journal_finds_what_is_listed_of_the_final_dialect():
    """Conditional orders, live and ended, with their fills and the position that follows from them."""
    async with simulate("acttrader", seed=7, market_flow=False, dialect="final", all_or_none=False) as sim:
        async with node_at(sim, sole_login=True) as t:
            orders = [t.limit(OrderSide.BUY, t.bid - D(away)) for away in ("0.001", "0.002", "0.003")]
            t.submit(*orders)
            await t.until(lambda: all(o.status == OrderStatus.ACCEPTED for o in orders), "them to be accepted")
        sim.market.trade("EURUSD", orders[0].price.as_decimal(), D(10000), Side.SELL)
        sim.market.trade("EURUSD", orders[1].price.as_decimal(), D(4000), Side.SELL)
        async with node_at(sim, sole_login=True) as t:
            found = [t.run.cache.order(t.run.cache.client_order_id(o.venue_order_id)) for o in orders]
            assert [o.status for o in found] == [
                OrderStatus.FILLED,
                OrderStatus.PARTIALLY_FILLED,
                OrderStatus.ACCEPTED,
            ]
            assert [o.filled_qty for o in found] == [t.qty(10000), t.qty(4000), t.qty(0)]
            assert sum(p.signed_decimal_qty() for p in t.run.cache.positions_open()) == 14000
            sim.market.trade("EURUSD", orders[1].price.as_decimal(), D(6000), Side.SELL)
            await t.until(lambda: found[1].status == OrderStatus.FILLED, "the rest")
            assert t.differences() == []
