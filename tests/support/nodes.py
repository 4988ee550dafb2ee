"""A real `TradingNode` against a simulated venue, for tests: start, drive, look, stop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from nautilus_trader.config import (
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.events import AccountState, OrderEvent, PositionEvent
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.test_kit.strategies.tester_exec import ExecTester, ExecTesterConfig

from tests.support.framework_log import FrameworkLog

READY_SECS = 20.0


class Run:
    """A running node and everything that was published on it."""

    def __init__(self, node: TradingNode) -> None:
        self.node = node
        self.log = FrameworkLog()
        self.task: asyncio.Task[None] | None = None
        self.events: list[OrderEvent | PositionEvent] = []
        self.account_states: list[AccountState] = []
        for topic in ("events.order.*", "events.position.*"):
            node.kernel.msgbus.subscribe(topic, self.events.append)
        node.kernel.msgbus.subscribe("events.account.*", self.account_states.append)

    @property
    def cache(self) -> Any:
        return self.node.cache

    def exec_client(self, name: str) -> Any:
        return self.node.kernel.exec_engine._clients[ClientId(name)]

    def data_client(self, name: str) -> Any:
        return self.node.kernel.data_engine._clients[ClientId(name)]

    def order_events(self, client_order_id: Any = None) -> list[OrderEvent]:
        """The order events, of one order if its id is given."""
        return [e for e in self.events if isinstance(e, OrderEvent) and client_order_id in (None, e.client_order_id)]

    def names(self, client_order_id: Any = None) -> list[str]:
        """Names of the order events, of one order if its id is given."""
        return [type(e).__name__ for e in self.order_events(client_order_id)]

    async def until(
        self, condition: Callable[[], Any], what: str | Callable[[], str], secs: float = READY_SECS
    ) -> None:
        """Wait until `condition` holds; fail saying what did not come, and what did."""
        try:
            async with asyncio.timeout(secs):
                while not condition():
                    await asyncio.sleep(0.005)
        except TimeoutError:
            seen = ", ".join(self.names()[-30:])
            wanted = what if isinstance(what, str) else what()
            raise AssertionError(
                f"waited {secs} s for: {wanted}\norder events so far: {seen}\nframework log:\n{self.log.tail()}"
            ) from None


def node_config(
    exec_clients: dict[str, Any],
    data_clients: dict[str, Any] | None = None,
    *,
    trader_id: str = "TESTER-001",
    log_level: str = "ERROR",
    cache: Any = None,
    timeout_connection: float = 20.0,
    **exec_engine: Any,
) -> TradingNodeConfig:
    """Configuration as the guide recommends, with short timeouts."""
    engine = {
        "reconciliation_startup_delay_secs": 0.01,
        "graceful_shutdown_on_exception": True,
    } | exec_engine
    return TradingNodeConfig(
        trader_id=trader_id,
        cache=cache,
        logging=LoggingConfig(log_level=log_level, use_pyo3=False),
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        risk_engine=LiveRiskEngineConfig(bypass=True, graceful_shutdown_on_exception=True),
        exec_engine=LiveExecEngineConfig(**engine),
        exec_clients=exec_clients,
        data_clients=data_clients or {},
        timeout_connection=timeout_connection,
        timeout_reconciliation=10.0,
        timeout_portfolio=10.0,
        timeout_disconnection=3.0,
        timeout_post_stop=0.2,
    )


@asynccontextmanager
async def running_node(
    config: TradingNodeConfig,
    *,
    exec_factories: dict[str, Any] | None = None,
    data_factories: dict[str, Any] | None = None,
    strategies: tuple[Any, ...] = (),
    actors: tuple[Any, ...] = (),
    prepare: Callable[[TradingNode], None] | None = None,
    wait_for_strategies: bool = True,
) -> AsyncIterator[Run]:
    """Run a node until the block ends."""
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    for strategy in strategies:
        node.trader.add_strategy(strategy)
    for actor in actors:
        node.trader.add_actor(actor)
    for name, factory in (exec_factories or {}).items():
        node.add_exec_client_factory(name, factory)
    for name, factory in (data_factories or {}).items():
        node.add_data_client_factory(name, factory)
    node.build()
    run = Run(node)
    if prepare is not None:
        prepare(node)
    task = run.task = asyncio.create_task(node.run_async())
    try:
        if wait_for_strategies:
            await run.until(
                lambda: task.done() or all(part.is_running for part in (*strategies, *actors)), "strategies to run"
            )
            assert not task.done(), f"the node ended before the strategies ran: {task}\n{run.log.tail()}"
        yield run
    finally:
        await node.stop_async()
        await asyncio.wait({task}, timeout=15)


class RecordingExecTester(ExecTester):
    """The framework's own ExecTester; it also keeps the market data it was given."""

    def __init__(self, config: ExecTesterConfig) -> None:
        super().__init__(config)
        self.data: list[Any] = []

    def on_quote_tick(self, quote: QuoteTick) -> None:
        self.data.append(quote)
        super().on_quote_tick(quote)

    def on_trade_tick(self, trade: TradeTick) -> None:
        self.data.append(trade)
        super().on_trade_tick(trade)

    def on_order_book(self, book: OrderBook) -> None:
        self.data.append(book)
        super().on_order_book(book)


def exec_tester(instrument_id: InstrumentId, qty: str, **options: Any) -> RecordingExecTester:
    """The framework's own ExecTester, driven by `maintain_orders` unless quotes are asked for."""
    defaults: dict[str, Any] = {
        "subscribe_quotes": False,
        "subscribe_trades": False,
        "tob_offset_ticks": 50,
        "log_data": False,
    }
    config = ExecTesterConfig(instrument_id=instrument_id, order_qty=Decimal(qty), **(defaults | options))
    return RecordingExecTester(config)
