#!/usr/bin/env python3
"""The framework's own DataTester at ROXOM: logs everything the venue publishes about an instrument.

python examples/live/roxom/roxom_data_tester.py                 # live, on public data
python examples/live/roxom/roxom_data_tester.py --simulate 10   # at a simulated venue, for 10 s
"""

import asyncio
import sys
from typing import Any

from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.test_kit.strategies.tester_data import DataTester, DataTesterConfig

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.roxom import (
    ROXOM,
    RoxomDataClientConfig,
    RoxomLiveDataClientFactory,
)

INSTRUMENT_ID = InstrumentId.from_str("GOLD-BTC.ROXOM")

# *** THIS IS A TEST STRATEGY WITH NO ALPHA ADVANTAGE WHATSOEVER. ***
# *** IT IS NOT INTENDED TO BE USED TO TRADE LIVE WITH REAL MONEY. ***


def make_node(data_config: Any, loop: asyncio.AbstractEventLoop | None = None) -> TradingNode:
    """Return a node with a data client of the venue and the tester, ready to run."""
    config = TradingNodeConfig(
        trader_id="TESTER-001",
        logging=LoggingConfig(log_level="INFO"),
        data_clients={ROXOM: data_config},
        timeout_post_stop=0.5,
    )
    node = TradingNode(config=config, loop=loop)
    node.trader.add_actor(
        DataTester(
            DataTesterConfig(
                instrument_ids=[INSTRUMENT_ID],
                subscribe_quotes=True,
                subscribe_trades=True,
                subscribe_book_deltas=True,
                subscribe_mark_prices=True,
                subscribe_index_prices=True,
                subscribe_funding_rates=True,
            )
        )
    )
    node.add_data_client_factory(ROXOM, RoxomLiveDataClientFactory)
    node.build()
    return node


async def run_simulated(secs: float) -> None:
    """Run for a while against a simulated venue, and say what came of it."""
    async with simulate("roxom", seed=7) as venue:
        node = make_node(venue.data_config(), asyncio.get_running_loop())
        running = asyncio.create_task(node.run_async())
        while not (node.trader.is_running or running.done()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await asyncio.sleep(secs)
        await node.stop_async()
        await running
        print(f"last quote: {node.cache.quote_tick(INSTRUMENT_ID)}")  # noqa: T201


if __name__ == "__main__":
    if "--simulate" in sys.argv:
        asyncio.run(run_simulated(float(sys.argv[-1]) if sys.argv[-1] != "--simulate" else 10.0))
    else:
        node = make_node(RoxomDataClientConfig())
        try:
            node.run()
        finally:
            node.dispose()
