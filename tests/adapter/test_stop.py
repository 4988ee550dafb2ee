"""Stopping while something is under way: it ends with the client, and nothing is asked of a venue that is closed."""

import asyncio

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.venues.bsx import BsxLiveExecClientFactory
from tests.support.nodes import node_config, running_node


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_reading_under_way_ends_with_the_client() -> None:
    async with simulate("bsx", seed=1, market_flow=False) as sim:
        node = node_config({"BSX": sim.exec_config(audit_interval_secs=0.0)})
        factories = {"BSX": BsxLiveExecClientFactory}
        async with running_node(node, exec_factories=factories, strategies=(Strategy(StrategyConfig()),)) as run:
            client = run.exec_client("BSX")
            sim.faults.arm(Fault.SLOW_ANSWER, where="GET*", secs=3.0)
            client._sync_soon("of this test")
            reading = client._sync_task
            await asyncio.sleep(0.1)
            await asyncio.sleep(0.1)
            assert not reading.done()
        assert reading.cancelled()
        told = [entry for level in ("WARN", "ERROR") for entry in run.log.entries(level) if "ExecClient-BSX" in entry]
        assert told == ["TRADER-000.ExecClient-BSX: Task 'read back' was cancelled"]
