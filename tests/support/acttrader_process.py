"""A trading process to be killed: `python -m tests.support.acttrader_process CONFIG.json`.

Runs a node that submits a bracket and an OCO pair, and prints a line at every order event, so that the test knows when
to kill it. Nothing here ends by itself.
"""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from nautilus_trader.config import StrategyConfig

from nautilus_orderfeeds.venues.acttrader import ActTraderExecClientConfig, ActTraderLiveExecClientFactory
from tests.support.acttrader_client import Bracket, Desk, Trading, pair
from tests.support.nodes import node_config, running_node


class LoudDesk(Desk):
    """Tells every order event on the standard output."""

    def on_order_event(self, event: Any) -> None:
        print(type(event).__name__, event.client_order_id, flush=True)


async def run(path: str) -> None:
    settings = msgspec.json.decode(Path(path).read_bytes())
    best = (Decimal(settings["bid"]), Decimal(settings["ask"]))
    config = ActTraderExecClientConfig.parse(msgspec.json.encode(settings["config"]))
    desk = LoudDesk(StrategyConfig(strategy_id="DESK", order_id_tag="001"))
    node = node_config({"ACTTRADER": config}, inflight_check_interval_ms=0)
    factories = {"ACTTRADER": ActTraderLiveExecClientFactory}
    async with running_node(node, exec_factories=factories, strategies=(desk,)) as started:
        sim = SimpleNamespace(market=SimpleNamespace(best=lambda symbol: best))
        t = Trading(sim, started, desk, {})
        desk.submit_order_list(Bracket(t).list)
        desk.submit_order_list(pair(t))
        print("RUNNING", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
