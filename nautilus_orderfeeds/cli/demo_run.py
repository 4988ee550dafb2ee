"""One run of the demonstration: simulated venues, one node with clients of each, the story, the books compared."""

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from nautilus_trader.common.component import sync_logger_to_disk
from nautilus_trader.config import (
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import AccountId, ClientId, InstrumentId, Symbol
from nautilus_trader.model.identifiers import Venue as NtVenue
from rich.console import Console

from nautilus_orderfeeds.adapter.instruments import load_file, to_spec
from nautilus_orderfeeds.cli.compare import Comparison, compare
from nautilus_orderfeeds.cli.console import EXIT_BAD, EXIT_OK, CliError, logging_to
from nautilus_orderfeeds.cli.demo_board import Board
from nautilus_orderfeeds.cli.demo_director import Director, Stage, passive_ticks
from nautilus_orderfeeds.cli.demo_strategy import DemoStrategy, DemoStrategyConfig, Scene
from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.orders.journal_reader import JournalFrame, JournalOrder, JournalReader
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce
from nautilus_orderfeeds.sim.model import Product
from nautilus_orderfeeds.sim.simulation import Simulation, simulate
from nautilus_orderfeeds.venues.capabilities import Capabilities, Feature
from nautilus_orderfeeds.venues.registry import VenueEntry

_READY_SECS: Final = 30.0
_STORY_SECS: Final = 50.0
_AGREE_SECS: Final = 8.0
_LOOK_SECS: Final = 0.1
#: Both sides must agree this many looks in a row: a late event could still undo it.
_AGREE_LOOKS: Final = 5

#: Config fields that make a client fast enough for an audience; each venue's config takes those it has.
_SPEED: Final = {"requests_per_sec": 200}


class DemoResult(Struct, frozen=True):
    """How it went.

    Parameters
    ----------
    comparisons : list[Comparison]
        The books of each venue.
    problems : list[str]
        What did not come as it should have.
    lives : list of (order, frames)
        Of each venue the order that was filled during the outage, as its journal has it.
    """

    comparisons: list[Comparison]
    problems: list[str]
    lives: list[tuple[JournalOrder, list[JournalFrame]]]


def exit_code(comparisons: Sequence[Comparison], problems: Sequence[str]) -> int:
    """Return 0 only if something was compared at every venue, all of it agrees, and the story went as told."""
    agree = all(found.rows and not found.differences for found in comparisons)
    return EXIT_OK if comparisons and agree and not problems else EXIT_BAD


async def run(entries: Sequence[VenueEntry], seed: int, console: Console, folder: Path) -> DemoResult:
    """Run the demonstration; journals and the log go into `folder`.

    Raises
    ------
    CliError
        If the node did not start.
    asyncio.CancelledError
        If it was interrupted; everything is closed by then.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(logging_to(logging.FileHandler(folder / "orderfeeds.log", delay=True)))
        sims = [
            await stack.enter_async_context(simulate(entry.name, seed=seed, market_flow=False)) for entry in entries
        ]
        node = TradingNode(config=_node_config(entries, sims, folder), loop=asyncio.get_running_loop())
        stages = [await _stage(entry, sim) for entry, sim in zip(entries, sims, strict=True)]
        for stage in stages:
            node.trader.add_strategy(stage.strategy)
        for entry in entries:
            node.add_exec_client_factory(entry.client_name, entry.exec_factory)
            node.add_data_client_factory(entry.client_name, entry.data_factory)
        node.build()
        board = Board(console, node.cache)
        board.attach(node.kernel.msgbus)
        running = asyncio.create_task(node.run_async(), name="demo node")
        stack.push_async_callback(_stop, node, running)
        for sim in sims:
            # An interrupted outage ends first: a node cannot cancel its orders at a venue that is gone.
            stack.push_async_callback(sim.resume)
        _heed_signals(asyncio.current_task())
        async with board.showing():
            return await _play(stages, node, running, board, folder)


def _node_config(entries: Sequence[VenueEntry], sims: Sequence[Simulation], folder: Path) -> TradingNodeConfig:
    exec_clients = {}
    for entry, sim in zip(entries, sims, strict=True):
        speed = {name: value for name, value in _SPEED.items() if name in entry.exec_config.__struct_fields__}
        journal = str(folder / f"{entry.client_name}.sqlite")
        exec_clients[entry.client_name] = sim.exec_config(journal=journal, **speed)
    return TradingNodeConfig(
        trader_id="DEMO-001",
        # Nothing on stdout: that is the picture's. Errors go to stderr all the same.
        logging=LoggingConfig(
            log_level="OFF",
            log_level_file="INFO",
            log_directory=str(folder),
            log_file_name="node",
            log_colors=False,
        ),
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        risk_engine=LiveRiskEngineConfig(graceful_shutdown_on_exception=True),
        exec_engine=LiveExecEngineConfig(reconciliation_startup_delay_secs=0.1, graceful_shutdown_on_exception=True),
        exec_clients=exec_clients,
        data_clients={e.client_name: s.data_config() for e, s in zip(entries, sims, strict=True)},
        timeout_connection=_READY_SECS,
        timeout_reconciliation=10.0,
        timeout_portfolio=10.0,
        timeout_disconnection=3.0,
        timeout_post_stop=0.3,
    )


async def _stage(entry: VenueEntry, sim: Simulation) -> Stage:
    product = next(iter(sim.market.products.values()))
    symbol = await _symbol(entry, sim, product)
    can = entry.capabilities
    config = DemoStrategyConfig(
        strategy_id="Demo",
        order_id_tag=entry.client_name,
        instrument_id=InstrumentId(Symbol(symbol), NtVenue(entry.client_name)),
        client_id=ClientId(entry.client_name),
        passive_ticks=passive_ticks(product),
        reference_price=product.mid,
        least_qty=product.min_size,
        quotes=_has_quotes(can),
        market_orders=_has(can, OrderType.MARKET),
        ioc=_has(can, OrderType.LIMIT, TimeInForce.IOC),
        post_only=can.supports(Feature.POST_ONLY),
        modify=can.supports(Feature.MODIFY),
    )
    return Stage(entry.client_name, sim, product, DemoStrategy(config))


async def _symbol(entry: VenueEntry, sim: Simulation, product: Product) -> str:
    """Return the framework's symbol of a product: the listing knows it, or the file of a venue that has none."""
    config = sim.data_config()
    market = entry.door.make_market(config)
    try:
        await market.open()
        specs = await market.instruments()
    finally:
        await market.close()
    if config.instruments:
        specs = [*specs, *(to_spec(instrument) for instrument in load_file(config.instruments))]
    return next((spec.symbol for spec in specs if spec.raw_symbol == product.symbol), product.symbol.upper())


def _has_quotes(can: Capabilities) -> bool:
    support = can.data.get(Channel.QUOTES)
    return support is not None and support.supported


def _has(can: Capabilities, kind: OrderType, force: TimeInForce | None = None) -> bool:
    support = can.order_types.get(kind) if force is None else can.time_in_force.get(kind, {}).get(force)
    return support is not None and support.supported


async def _play(
    stages: Sequence[Stage], node: TradingNode, running: "asyncio.Task[None]", board: Board, folder: Path
) -> DemoResult:
    board.say("node", f"starts with clients of {', '.join(stage.name for stage in stages)}")
    await _ready(stages, running, folder)
    board.say("node", "runs")
    director = Director(stages, board)
    async with director.market():
        told = asyncio.create_task(_tell_scenes(stages, board), name="demo scenes")
        world = asyncio.create_task(director.play(), name="demo world")
        try:
            await asyncio.wait({told}, timeout=_STORY_SECS)
        finally:
            for task in (told, world):
                task.cancel()
            outcomes = await asyncio.gather(told, world, return_exceptions=True)
    problems = [f"{stage.name}: {problem}" for stage in stages for problem in stage.strategy.problems]
    problems += [f"{s.name}: the story is not over" for s in stages if s.strategy.scene is not Scene.DONE]
    problems += [f"{type(e).__name__}: {e}" for e in outcomes if isinstance(e, Exception)]
    board.say("books", "waiting for quiet, then every number is compared")
    comparisons = await settled(stages, node.cache)
    return DemoResult(comparisons, problems, _lives(stages, folder))


async def _ready(stages: Sequence[Stage], running: "asyncio.Task[None]", folder: Path) -> None:
    try:
        async with asyncio.timeout(_READY_SECS):
            while not all(stage.strategy.is_running for stage in stages):
                if running.done():
                    break
                await asyncio.sleep(_LOOK_SECS)
            else:
                return
    except TimeoutError:
        pass
    raise CliError(f"the node did not start within {_READY_SECS:g} s; its log says why: {folder / 'node.log'}")


async def _tell_scenes(stages: Sequence[Stage], board: Board) -> None:
    """Tell every change of scene; return when all stories are over."""
    last: dict[str, Scene] = {}
    while any(stage.strategy.scene is not Scene.DONE for stage in stages):
        for stage in stages:
            scene = stage.strategy.scene
            if last.get(stage.name) is not scene:
                last[stage.name] = scene
                board.say(stage.name, f"strategy {scene.value}", "bold")
        await asyncio.sleep(_LOOK_SECS / 2)


async def settled(stages: Sequence[Stage], cache: Any) -> list[Comparison]:
    """Compare until both sides agree and stay so, or time is up; return the last comparison."""
    agreed = 0
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _AGREE_SECS
    while True:
        found = [compare(s.sim, cache, s.name, AccountId(f"{s.name}-001")) for s in stages]
        agreed = agreed + 1 if exit_code(found, []) == EXIT_OK else 0
        if agreed >= _AGREE_LOOKS or loop.time() >= deadline:
            return found
        await asyncio.sleep(_LOOK_SECS)


def _lives(stages: Sequence[Stage], folder: Path) -> list[tuple[JournalOrder, list[JournalFrame]]]:
    """Read the outage orders back from the journals, which the node is still writing."""
    lives = []
    for stage in stages:
        order = stage.strategy.outage_order
        if order is None:
            continue
        with JournalReader(folder / f"{stage.name}.sqlite") as reader:
            found = reader.order(order.client_order_id.value)
            if found is not None:
                lives.append((found, reader.frames(found)))
    return lives


async def _stop(node: TradingNode, running: "asyncio.Task[None]") -> None:
    await node.stop_async()
    await asyncio.wait({running}, timeout=10)
    sync_logger_to_disk()


def _heed_signals(task: "asyncio.Task[Any] | None") -> None:
    """Let Ctrl-C end the run in order: the node has put its own handlers in the place of Python's."""
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
