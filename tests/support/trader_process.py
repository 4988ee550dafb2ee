"""A trading process to be killed: `python -m tests.support.trader_process CONFIG.json`.

Runs a node with one strategy that rests three buy orders; prints a line at every order event, so that the test knows
when to kill it. Nothing here ends by itself.
"""

import asyncio
import importlib
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from tests.support.nodes import node_config, running_node


class RestingConfig(StrategyConfig, frozen=True):
    """Prices and size of the orders to rest; none: only watch."""

    instrument_id: InstrumentId
    prices: tuple[str, ...] = ()
    quantity: str = "0.05"


class Resting(Strategy):
    """Rests its orders at start and remembers what it found there."""

    def __init__(self, config: RestingConfig) -> None:
        super().__init__(config)
        self.found_open: list[Any] = []

    def on_start(self) -> None:
        self.found_open = self.cache.orders_open(strategy_id=self.id)
        instrument = self.cache.instrument(self.config.instrument_id)
        for price in self.config.prices:
            size = instrument.make_qty(Decimal(self.config.quantity))
            order = self.order_factory.limit(
                self.config.instrument_id, OrderSide.BUY, size, instrument.make_price(Decimal(price))
            )
            self.submit_order(order)

    def on_order_event(self, event: Any) -> None:
        print(type(event).__name__, event.client_order_id, flush=True)


async def run(path: str) -> None:
    settings = msgspec.json.decode(Path(path).read_bytes())
    door = importlib.import_module(f"nautilus_orderfeeds.venues.{settings['venue']}")
    name, prefix = settings["name"], settings["prefix"]
    config = getattr(door, f"{prefix}ExecClientConfig").parse(msgspec.json.encode(settings["config"]))
    strategy = Resting(
        RestingConfig(
            strategy_id="RESTING",
            order_id_tag="001",
            instrument_id=InstrumentId.from_str(settings["instrument_id"]),
            prices=tuple(settings["prices"]),
            quantity=settings["quantity"],
        )
    )
    factory = getattr(door, f"{prefix}LiveExecClientFactory")
    node = node_config({name: config}, inflight_check_interval_ms=0)
    async with running_node(node, exec_factories={name: factory}, strategies=(strategy,)):
        print("RUNNING", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
