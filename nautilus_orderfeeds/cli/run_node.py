"""What `orderfeeds run` runs: a node made from a checked configuration, until its time is over or somebody ends it."""

import asyncio
import contextlib
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from enum import Enum, unique
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, structs
from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.adapters.sandbox.factory import SandboxLiveExecClientFactory
from nautilus_trader.config import (
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderFilled

from nautilus_orderfeeds.cli.run_config import RunConfig, VenueSection
from nautilus_orderfeeds.sim.simulation import Simulation, simulate

_LOOK_SECS: Final = 0.05
_STOP_SECS: Final = 20.0
#: What a simulated account that reports no currency of its own begins with, where the file names nothing.
_SANDBOX_BALANCES: Final = ["1000000 USD", "1000000 USDC", "1000 BTC"]


@unique
class Mode(Enum):
    """Where orders and prices come from; the value is what people read."""

    LIVE = "live"
    SANDBOX = "sandbox on live prices"
    SIMULATE = "simulated venue"
    SANDBOX_SIMULATED = "sandbox on simulated prices"

    @property
    def is_simulated(self) -> bool:
        """Whether venues are simulated in this process."""
        return self in (Mode.SIMULATE, Mode.SANDBOX_SIMULATED)

    @property
    def is_sandbox(self) -> bool:
        """Whether orders stay in the framework's sandbox."""
        return self in (Mode.SANDBOX, Mode.SANDBOX_SIMULATED)


class StrategyResult(Struct, frozen=True):
    """One strategy at the end: its id, its state before it was stopped, and why it halted (empty: it did not)."""

    strategy_id: str
    state: str
    halted: str


class RunResult(Struct, frozen=True):
    """How it went.

    Parameters
    ----------
    mode : str
    venues : list[str]
    secs : float
        How long the strategies ran.
    strategies : list[StrategyResult]
    orders : dict[str, int]
        How many there are by status.
    fills : int
    positions : list[str]
        What is still open.
    open_orders : list[str]
        Client order ids.
    problems : list[str]
        What is not well; empty if all is.
    interrupted : bool
        Whether it was ended before its time.
    """

    mode: str
    venues: list[str]
    secs: float
    strategies: list[StrategyResult]
    orders: dict[str, int]
    fills: int
    positions: list[str]
    open_orders: list[str]
    problems: list[str]
    interrupted: bool


async def run(
    config: RunConfig,
    mode: Mode,
    secs: float | None,
    *,
    quiet: bool,
    tell: Callable[[str], None],
    keep: Path | None = None,
) -> RunResult:
    """Run a configuration.

    Parameters
    ----------
    config : RunConfig
    mode : Mode
    secs : float, optional
        How long strategies run; None: until SIGINT or SIGTERM.
    quiet : bool
        Whether stdout is somebody else's: the framework's log then goes to its file only.
    tell : Callable[[str], None]
        Takes progress in words.
    keep : Path, optional
        Folder for the journals of simulated venues; None: they leave none.
    """
    over = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        sims: dict[str, Simulation] = {}
        if mode.is_simulated:
            for venue in config.venues:
                sim = simulate(venue.entry.name, seed=config.simulate.seed)
                sims[venue.entry.name] = await stack.enter_async_context(sim)
        node = make_node(config, mode, sims, quiet=quiet, keep=keep)
        strategies = [section.strategy(section.config) for section in config.strategies]
        for strategy in strategies:
            node.trader.add_strategy(strategy)
        node.build()
        async with _running(node) as running:
            # After the node's own handlers, which would end it without a result.
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, over.set)
            tell(f"{mode.value}: connecting to {', '.join(venue.entry.client_name for venue in config.venues)}")
            problems = await _start(node, running, over, config.settings.timeout_connection_secs)
            began = time.monotonic()
            if not problems and not over.is_set():
                tell("strategies run; Ctrl-C ends them" if secs is None else f"strategies run for {secs:g} s")
                await _until_over(over, running, secs)
                if running.done():
                    problems.append("the node ended by itself: see its log")
            elapsed = time.monotonic() - began
            found = [StrategyResult(s.id.value, s.state.name, str(getattr(s, "halted", ""))) for s in strategies]
        return _result(node, config, mode, elapsed, found, problems, interrupted=over.is_set())


def journal_path(folder: Path, venue: VenueSection) -> Path:
    """Return where the journal of a simulated venue is kept."""
    return folder / f"{venue.entry.client_name}.sqlite"


def make_node(
    config: RunConfig, mode: Mode, sims: dict[str, Simulation], *, quiet: bool, keep: Path | None = None
) -> TradingNode:
    """Return the node without its strategies; `sims` are the running simulations by venue (empty if not simulated)."""
    settings = config.settings
    node = TradingNode(
        config=TradingNodeConfig(
            trader_id=config.trader_id,
            logging=LoggingConfig(
                log_level="OFF" if quiet else settings.log_level,
                log_level_file=settings.log_level_file if settings.log_directory else None,
                log_directory=settings.log_directory,
            ),
            data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
            risk_engine=LiveRiskEngineConfig(graceful_shutdown_on_exception=True),
            exec_engine=LiveExecEngineConfig(
                # The adapter asks the venue about unanswered orders: the engine need not guess.
                inflight_check_interval_ms=0,
                reconciliation=not mode.is_sandbox,
                graceful_shutdown_on_exception=True,
            ),
            data_clients={v.entry.client_name: data_config(v, sims.get(v.entry.name)) for v in config.venues},
            exec_clients={
                v.entry.client_name: sandbox_config(config, v)
                if mode.is_sandbox
                else exec_config(v, sims.get(v.entry.name), keep)
                for v in config.venues
            },
            timeout_connection=settings.timeout_connection_secs,
            timeout_post_stop=settings.timeout_post_stop_secs,
            timeout_disconnection=5.0,
        ),
        loop=asyncio.get_running_loop(),
    )
    for venue in config.venues:
        name = venue.entry.client_name
        node.add_data_client_factory(name, venue.entry.data_factory)
        node.add_exec_client_factory(
            name, SandboxLiveExecClientFactory if mode.is_sandbox else venue.entry.exec_factory
        )
    return node


def exec_config(venue: VenueSection, sim: Simulation | None, keep: Path | None = None) -> Any:
    """Return an execution client's config: as the file has it, or for a simulation (whose journal is in `keep`)."""
    if sim is None:
        return venue.entry.exec_config(**venue.exec_fields)
    own = {} if keep is None else {"journal": str(journal_path(keep, venue))}
    return _for(sim.exec_config(**own), venue.exec_fields)


def data_config(venue: VenueSection, sim: Simulation | None) -> Any:
    """Return a data client's config: as the file has it, or for a simulation."""
    if sim is None:
        return venue.entry.data_config(**venue.data_fields)
    return _for(sim.data_config(), venue.data_fields)


def _for(base: Any, fields: dict[str, Any]) -> Any:
    """Return a simulation's config with those fields of the file that do not say where the venue is and who trades.

    What the simulation itself sets (addresses, credentials, instruments, an account without a journal) is its own.
    """
    plain = {known.name: known.default for known in structs.fields(type(base))}
    kept = {
        name: value
        for name, value in fields.items()
        if name != "environment" and getattr(base, name) == plain[name] and name not in getattr(base, "SECRETS", ())
    }
    return structs.replace(base, **kept)


def sandbox_config(config: RunConfig, venue: VenueSection) -> SandboxExecutionClientConfig:
    """Return the sandbox's config for a venue, of the kind of account the venue has."""
    balances = config.sandbox.starting_balances.get(venue.entry.name, _SANDBOX_BALANCES)
    account = venue.entry.door.account_type.name
    return SandboxExecutionClientConfig(
        venue=venue.entry.client_name, starting_balances=balances, account_type=account, oms_type="NETTING"
    )


@contextlib.asynccontextmanager
async def _running(node: TradingNode) -> AsyncIterator["asyncio.Task[None]"]:
    running = asyncio.create_task(node.run_async(), name="node")
    try:
        yield running
    finally:
        await node.stop_async()
        await asyncio.wait({running}, timeout=_STOP_SECS)


async def _start(
    node: TradingNode, running: "asyncio.Task[None]", over: asyncio.Event, timeout_secs: float
) -> list[str]:
    """Wait until the strategies run; return why they do not."""
    deadline = time.monotonic() + timeout_secs + _STOP_SECS
    while not node.trader.is_running:
        if over.is_set():
            return []
        if running.done() or time.monotonic() > deadline:
            raised = running.exception() if running.done() and not running.cancelled() else None
            cause = (
                "a client could not connect or reconcile" if raised is None else f"{type(raised).__name__}: {raised}"
            )
            return [f"the strategies did not start ({cause}); see the log"]
        await asyncio.sleep(_LOOK_SECS)
    return []


async def _until_over(over: asyncio.Event, running: "asyncio.Task[None]", secs: float | None) -> None:
    waiting = asyncio.create_task(over.wait())
    await asyncio.wait({waiting, running}, timeout=secs, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def _result(
    node: TradingNode,
    config: RunConfig,
    mode: Mode,
    secs: float,
    strategies: Sequence[StrategyResult],
    problems: list[str],
    *,
    interrupted: bool,
) -> RunResult:
    cache = node.cache
    orders = cache.orders()
    open_orders = [order.client_order_id.value for order in orders if not order.is_closed]
    problems = list(problems)
    if not problems:
        for found in strategies:
            if found.halted:
                problems.append(f"{found.strategy_id} halted: {found.halted}")
            elif found.state != "RUNNING":
                problems.append(f"{found.strategy_id} was {found.state}, not RUNNING")
    unanswered = [order.client_order_id.value for order in orders if order.is_inflight]
    if unanswered:
        problems.append(f"not known to be over when the node stopped: {', '.join(unanswered)}; see `orderfeeds check`")
    return RunResult(
        mode=mode.value,
        venues=[venue.entry.name for venue in config.venues],
        secs=round(secs, 3),
        strategies=list(strategies),
        orders=dict(sorted(Counter(order.status_string() for order in orders).items())),
        fills=sum(isinstance(event, OrderFilled) for order in orders for event in order.events),
        positions=[f"{p.signed_decimal_qty()} {p.instrument_id} ({p.strategy_id})" for p in cache.positions_open()],
        open_orders=open_orders,
        problems=problems,
        interrupted=interrupted,
    )
