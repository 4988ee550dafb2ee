"""What the notebooks share: simulated venues, one trading node in the notebook's own event loop, and pictures.

A notebook's kernel runs an event loop already, so `await` works at top level, and the node must be built on that loop
and never block it: `run_async` as a task, `stop_async` at the end, and no `dispose` (it would stop the kernel's loop).
"""

import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any, Final

import plotly.graph_objects as go
import plotly.io
from nautilus_trader.config import (
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.instruments import BinaryOption, Instrument
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.cli.demo_director import passive_ticks
from nautilus_orderfeeds.sim import Simulation, simulate
from nautilus_orderfeeds.venues import registry
from nautilus_orderfeeds.venues.registry import VenueEntry

#: Makes a client as fast as the simulated venue allows, where its config has the field: the venues' own limits and lags
#: are not the subject here.
_SPEED: Final = {
    "requests_per_sec": 200,
    "settle_secs": 0.3,
    "read_settle_secs": 0.3,
    "read_gap_secs": 0.05,
    "accept_secs": 0.5,
    "limit_time_scale": 0.01,
}
#: Where a market buy says what to spend, not what to get.
_BUYS_BY_AMOUNT: Final = frozenset({"OUTPOLL", "SFOX"})

# Only the builder stores pictures (it needs a browser to draw them); elsewhere the interactive plot is enough.
plotly.io.renderers.default = "plotly_mimetype+png" if os.environ.get("ORDERFEEDS_PICTURES") else "plotly_mimetype"


def show(figure: go.Figure) -> None:
    """Show a figure: interactive, and as a picture where the notebook is read without running it."""
    figure.show()


class Session:
    """Simulated venues, and a node with clients of all of them and one strategy to trade with.

    Use `await Session.start("bsx", ...)`, and `await session.stop()` at the end.
    """

    def __init__(self, entries: Sequence[VenueEntry], sims: dict[str, Simulation], folder: Path, **fields: Any) -> None:
        self.entries = {entry.client_name: entry for entry in entries}
        self.sims = sims
        self.folder = folder
        self.strategy = Strategy()
        self._stack = AsyncExitStack()
        exec_clients, data_clients = {}, {}
        for name, entry in self.entries.items():
            given = {"journal": str(self.journal(name)), **_SPEED, **fields}
            exec_clients[name] = sims[name].exec_config(**_taken(entry.exec_config, given))
            # Both clients share a venue's request limit, so both must be fast.
            data_clients[name] = sims[name].data_config(**_taken(entry.data_config, _SPEED))
        config = TradingNodeConfig(
            trader_id="NOTEBOOK-001",
            logging=LoggingConfig(log_level="OFF"),
            data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
            risk_engine=LiveRiskEngineConfig(bypass=True, graceful_shutdown_on_exception=True),
            exec_engine=LiveExecEngineConfig(
                reconciliation_startup_delay_secs=0.1, graceful_shutdown_on_exception=True
            ),
            exec_clients=exec_clients,
            data_clients=data_clients,
            timeout_disconnection=3.0,
            timeout_post_stop=0.2,
        )
        self.node = TradingNode(config=config, loop=asyncio.get_running_loop())
        self.node.trader.add_strategy(self.strategy)
        for name, entry in self.entries.items():
            self.node.add_exec_client_factory(name, entry.exec_factory)
            self.node.add_data_client_factory(name, entry.data_factory)
        self.node.build()

    @classmethod
    async def start(cls, *venues: str, seed: int = 7, **fields: Any) -> "Session":
        """Start the simulated venues and the node; return when the strategy runs.

        Parameters
        ----------
        *venues : str
            Names as in `orderfeeds venues`; all by default.
        seed : int
            Of the simulated markets.
        **fields
            Further fields of the execution clients' configs.
        """
        entries = [registry.load(name) for name in venues or registry.names()]
        stack = AsyncExitStack()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderfeeds-")))
        sims = {
            entry.client_name: await stack.enter_async_context(simulate(entry.name, seed=seed, market_flow=False))
            for entry in entries
        }
        session = cls(entries, sims, folder, **fields)
        session._stack = stack
        task = asyncio.create_task(session.node.run_async())
        stack.push_async_callback(session._stop_node, task)
        await until(lambda: session.strategy.is_running, "the node to run", 30.0)
        return session

    async def _stop_node(self, task: "asyncio.Task[None]") -> None:
        await self.node.stop_async()
        await asyncio.wait({task}, timeout=10)

    async def stop(self) -> None:
        """Stop the node and the venues, and delete the journals."""
        await self._stack.aclose()

    def journal(self, venue: str) -> Path:
        """The journal of a venue's client."""
        return self.folder / f"{venue}.sqlite"

    @property
    def journals(self) -> list[Path]:
        """All journals."""
        return [self.journal(name) for name in self.entries]

    # -- orders ----------------------------------------------------------------------------------------------------

    def instrument(self, venue: str) -> Instrument:
        """The first instrument of a venue."""
        product = next(iter(self.sims[venue].market.products))
        found = self.node.cache.instruments(venue=self.entries[venue].door.venue)
        return next(each for each in found if each.raw_symbol.value == product)

    def best(self, venue: str) -> tuple[Decimal, Decimal]:
        """Best bid and ask of that instrument."""
        sim = self.sims[venue]
        bid, ask = sim.market.best(next(iter(sim.market.products)))
        assert bid is not None
        assert ask is not None
        return bid, ask

    def quantity(self, venue: str, units: int = 4) -> Decimal:
        """A quantity that can be filled in so many parts, base units."""
        instrument = self.instrument(venue)
        step = instrument.size_increment.as_decimal()
        least = max(step, instrument.min_quantity.as_decimal() if instrument.min_quantity is not None else step)
        if isinstance(instrument, BinaryOption):
            least = max(least, Decimal(5))  # shares are cheap
        if instrument.min_notional is not None:
            least = max(least, 2 * instrument.min_notional.as_decimal() / self.best(venue)[0])
        return units * (least / step).to_integral_value(ROUND_CEILING) * step

    def limit(self, venue: str, side: OrderSide = OrderSide.BUY, *, crossing: bool = False, units: int = 4) -> Order:
        """Submit a limit order: out of the market's reach, or across it."""
        instrument, (bid, ask) = self.instrument(venue), self.best(venue)
        product = next(iter(self.sims[venue].market.products.values()))
        away = passive_ticks(product) * product.tick
        is_buy = side == OrderSide.BUY
        begin = ask if is_buy is crossing else bid
        price = begin + (away if is_buy is crossing else -away)
        order = self.strategy.order_factory.limit(
            instrument.id,
            side,
            instrument.make_qty(self.quantity(venue, units)),
            instrument.make_price(price),
        )
        self.strategy.submit_order(order)
        return order

    def market(self, venue: str, side: OrderSide, *, units: int = 4) -> Order:
        """Submit a market order; where a market buy is by what it spends, one that buys about as much."""
        instrument = self.instrument(venue)
        quantity, terms = self.quantity(venue, units), {}
        if venue in _BUYS_BY_AMOUNT and side == OrderSide.BUY:
            quantity, terms = round(quantity * self.best(venue)[1], 2), {"quote_quantity": True}
        order = self.strategy.order_factory.market(instrument.id, side, instrument.make_qty(quantity), **terms)
        self.strategy.submit_order(order)
        return order

    def hit(self, venue: str, order: Order, share: Decimal) -> None:
        """Let somebody trade a share of a resting order at its price."""
        sim = self.sims[venue]
        resting = sim.ledger.order(order.venue_order_id.value)
        sim.market.trade(resting.product, resting.price, resting.quantity * share, resting.side.opposite)

    async def accepted(self, *orders: Order) -> None:
        """Wait until every order is live, or over."""
        await until(lambda: all(order.is_open or order.is_closed for order in orders), "orders to be live")

    async def closed(self, *orders: Order) -> None:
        """Wait until every order is over."""
        await until(lambda: all(order.is_closed for order in orders), "orders to be over")


def _taken(kind: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return those fields that a config class has."""
    return {name: value for name, value in fields.items() if name in kind.__struct_fields__}


async def until(condition: Callable[[], Any], what: str, secs: float = 20.0) -> None:
    """Wait until something holds; raise `TimeoutError` naming it if it does not come."""
    try:
        async with asyncio.timeout(secs):
            while not condition():  # noqa: ASYNC110 (any condition, not one that tells of itself)
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise TimeoutError(f"waited {secs:g} s for {what}") from None
