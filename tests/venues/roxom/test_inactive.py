"""The ambiguous status in a running node: no end, unless the account's open orders say so (protocol, 5.3 and 9)."""

import asyncio
from decimal import Decimal

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.roxom import RoxomLiveExecClientFactory
from tests.support.nodes import node_config, running_node

GOLD = "GOLD-BTC"
IID = InstrumentId.from_str(f"{GOLD}.ROXOM")


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_inactive_is_no_end_but_its_absence_is() -> None:
    async with simulate("roxom", seed=5, market_flow=False) as sim:
        strategy = Strategy(StrategyConfig())
        config = sim.exec_config(requests_per_sec=500, audit_interval_secs=0.0)
        async with running_node(
            node_config({"ROXOM": config}, inflight_check_interval_ms=0),
            exec_factories={"ROXOM": RoxomLiveExecClientFactory},
            strategies=(strategy,),
        ) as run:
            instrument = run.cache.instrument(IID)
            bid, _ = sim.market.best(GOLD)
            price = bid - Decimal("0.00002")
            orders = [
                strategy.order_factory.limit(
                    IID, OrderSide.BUY, instrument.make_qty(Decimal("0.05")), instrument.make_price(price)
                )
                for _ in range(3)
            ]
            for order in orders:
                strategy.submit_order(order)
            await run.until(lambda: all(order.status == OrderStatus.ACCEPTED for order in orders), "orders to rest")
            back, trades, ends = orders
            for order in orders:
                sim.twin.make_inactive(order.venue_order_id.value, is_over=order is ends)
            await run.until(lambda: ends.status == OrderStatus.CANCELED, "the end of the one that is over")
            await asyncio.sleep(0.3)
            assert back.status == trades.status == OrderStatus.ACCEPTED
            sim.twin.make_active(back.venue_order_id.value)
            sim.market.trade(GOLD, price, Decimal("0.05") * 2)
            await run.until(lambda: trades.status == OrderStatus.FILLED, "a fill of the one that trades")
            await run.until(lambda: back.status == OrderStatus.FILLED, "a fill of the one that came back")
            assert run.names(ends.client_order_id)[-1] == "OrderCanceled"
            for order in (back, trades):
                assert "OrderCanceled" not in run.names(order.client_order_id)
