#!/usr/bin/env python3
"""A market maker in the framework's sandbox: BSX's own prices, orders matched on this machine.

    python examples/sandbox/bsx_sandbox.py                 # prices of the live venue; no account is needed
    python examples/sandbox/bsx_sandbox.py --simulate 10   # prices of a simulated venue, for 10 s

No order leaves the machine. What differs from trading at the venue is in docs/parity.md.
"""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.adapters.sandbox.factory import SandboxLiveExecClientFactory
from nautilus_trader.config import LiveExecEngineConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId

sys.path.insert(0, str(Path(__file__).parents[2]))  # the samples are not installed with the package

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.bsx import BSX, BsxDataClientConfig, BsxLiveDataClientFactory
from strategies.market_maker import MarketMaker, MarketMakerConfig

INSTRUMENT_ID = InstrumentId.from_str("BTC-PERP.BSX")


# *** THIS IS A TEST STRATEGY WITH NO ALPHA ADVANTAGE WHATSOEVER. ***
# *** IT IS NOT INTENDED TO BE USED TO TRADE LIVE WITH REAL MONEY. ***


def make_node(data_config: Any, loop: asyncio.AbstractEventLoop | None = None) -> TradingNode:
    """Return a node with the venue's data client, the sandbox and the strategy, ready to run."""
    config = TradingNodeConfig(
        trader_id="TESTER-001",
        logging=LoggingConfig(log_level="INFO"),
        exec_engine=LiveExecEngineConfig(reconciliation=False),  # the sandbox begins with nothing
        data_clients={BSX: data_config},
        exec_clients={BSX: SandboxExecutionClientConfig(venue=BSX, starting_balances=["100000 USDC"])},
        timeout_post_stop=0.5,
    )
    node = TradingNode(config=config, loop=loop)
    node.trader.add_strategy(
        MarketMaker(
            MarketMakerConfig(
                instrument_id=INSTRUMENT_ID,
                order_qty=Decimal("0.01"),
                half_spread_ticks=20,
                max_position=Decimal("0.05"),
                post_only=True,
                reduce_only=True,
            )
        )
    )
    node.add_data_client_factory(BSX, BsxLiveDataClientFactory)
    node.add_exec_client_factory(BSX, SandboxLiveExecClientFactory)
    node.build()
    return node


async def run_simulated(secs: float) -> None:
    """Run for a while on the prices of a simulated venue, and say what came of it."""
    async with simulate("bsx", seed=7) as venue:
        node = make_node(venue.data_config(), asyncio.get_running_loop())
        running = asyncio.create_task(node.run_async())
        while not (node.trader.is_running or running.done()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await asyncio.sleep(secs)
        await node.stop_async()
        await running
        orders = node.cache.orders()
        print(f"{len(orders)} orders in the sandbox, {len(venue.ledger.orders())} at the venue")  # noqa: T201


if __name__ == "__main__":
    if "--simulate" in sys.argv:
        asyncio.run(run_simulated(float(sys.argv[-1]) if sys.argv[-1] != "--simulate" else 10.0))
    else:
        node = make_node(BsxDataClientConfig())
        try:
            node.run()
        finally:
            node.dispose()
