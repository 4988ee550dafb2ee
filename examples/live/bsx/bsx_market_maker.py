#!/usr/bin/env python3
"""A market maker at BSX (perpetual futures): how the samples in `strategies/` are wired.

    python examples/live/bsx/bsx_market_maker.py                 # live
    python examples/live/bsx/bsx_market_maker.py --simulate 10   # at a simulated venue, for 10 s

Live it trades with real money and needs an account: BSX_API_KEY, BSX_API_SECRET and BSX_SIGNER_KEY in the environment.
"""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.config import LiveExecEngineConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId

sys.path.insert(0, str(Path(__file__).parents[3]))  # the samples are not installed with the package

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.bsx import (
    BSX,
    BsxDataClientConfig,
    BsxExecClientConfig,
    BsxLiveDataClientFactory,
    BsxLiveExecClientFactory,
)
from strategies.market_maker import MarketMaker, MarketMakerConfig

INSTRUMENT_ID = InstrumentId.from_str("BTC-PERP.BSX")

# *** THIS IS A TEST STRATEGY WITH NO ALPHA ADVANTAGE WHATSOEVER. ***
# *** IT IS NOT INTENDED TO BE USED TO TRADE LIVE WITH REAL MONEY. ***


def make_node(data_config: Any, exec_config: Any, loop: asyncio.AbstractEventLoop | None = None) -> TradingNode:
    """Return a node with clients of the venue and the strategy, ready to run."""
    config = TradingNodeConfig(
        trader_id="TESTER-001",
        logging=LoggingConfig(log_level="INFO"),
        # The adapter asks the venue about unanswered orders: the engine need not guess after half a minute.
        exec_engine=LiveExecEngineConfig(inflight_check_interval_ms=0, graceful_shutdown_on_exception=True),
        data_clients={BSX: data_config},
        exec_clients={BSX: exec_config},
        timeout_post_stop=2.0,
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
                # Quotes are taken off the market while a feed is not live.
                health_type="nautilus_orderfeeds.adapter.custom_data:FeedHealth",
            )
        )
    )
    node.add_data_client_factory(BSX, BsxLiveDataClientFactory)
    node.add_exec_client_factory(BSX, BsxLiveExecClientFactory)
    node.build()
    return node


async def run_simulated(secs: float) -> None:
    """Run for a while against a simulated venue, and say what came of it."""
    async with simulate("bsx", seed=7) as venue:
        node = make_node(venue.data_config(), venue.exec_config(), asyncio.get_running_loop())
        running = asyncio.create_task(node.run_async())
        while not (node.trader.is_running or running.done()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await asyncio.sleep(secs)
        await node.stop_async()
        await running
        print(f"{len(venue.ledger.orders())} orders and {len(venue.ledger.fills())} fills at the simulated venue")  # noqa: T201


if __name__ == "__main__":
    if "--simulate" in sys.argv:
        asyncio.run(run_simulated(float(sys.argv[-1]) if sys.argv[-1] != "--simulate" else 10.0))
    else:
        node = make_node(BsxDataClientConfig(), BsxExecClientConfig())
        try:
            node.run()
        finally:
            node.dispose()
