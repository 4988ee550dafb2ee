"""SIGKILL with open orders, fills while the process is down, restart with the same journal: every fill exactly once."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import AccountId, InstrumentId, StrategyId

from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.sim import simulate
from tests.support.nodes import Run, node_config, running_node
from tests.support.restarts import ALL, Restart
from tests.support.trader_process import Resting, RestingConfig

OWNER = StrategyId("RESTING-001")


class Trader:
    """The process to be killed, with everything it printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, wanted: str, count: int) -> None:
        """Read its output until a line beginning with `wanted` came `count` times."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while sum(line.startswith(wanted) for line in self.lines) < count:
                line = await self.process.stdout.readline()
                assert line, f"the trader ended early: {self.lines[-20:]}"
                self.lines.append(line.decode().strip())

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@contextlib.asynccontextmanager
async def trader(sim: Any, case: Restart, folder: Path, prices: list[str]) -> AsyncIterator[Trader]:
    settings = {
        "venue": case.venue,
        "name": case.name,
        "prefix": case.prefix,
        "instrument_id": f"{case.symbol}.{case.name}",
        "prices": prices,
        "quantity": case.quantity,
        "config": msgspec.json.decode(exec_config(sim, case, folder).json()),
    }
    path = folder / "trader.json"
    path.write_bytes(msgspec.json.encode(settings))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.trader_process",
        str(path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        yield Trader(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def exec_config(sim: Any, case: Restart, folder: Path) -> Any:
    return sim.exec_config(
        journal=str(folder / "journal.sqlite"), settle_secs=0.2, audit_interval_secs=1.0, **case.exec_options
    )


@contextlib.asynccontextmanager
async def restarted(sim: Any, case: Restart, folder: Path) -> AsyncIterator[tuple[Run, Resting]]:
    strategy = Resting(
        RestingConfig(
            strategy_id="RESTING", order_id_tag="001", instrument_id=InstrumentId.from_str(f"{case.symbol}.{case.name}")
        )
    )
    config = node_config({case.name: exec_config(sim, case, folder)}, inflight_check_interval_ms=0)
    async with running_node(config, exec_factories={case.name: case.exec_factory}, strategies=(strategy,)) as run:
        yield run, strategy


async def books_agree(sim: Any, run: Run, case: Restart) -> None:
    """Wait until cache and ledger agree (balances are read after fills), with all the fills there were."""

    def comparison() -> Any:
        account = AccountId(f"{case.name}-001")
        return compare(sim, run.cache, case.name, account, price_tolerance=case.price_tolerance, balances=case.balances)

    await run.until(lambda: not comparison().differences, "cache and ledger to agree")
    assert comparison().fills >= 4


@pytest.mark.node
@pytest.mark.timeout(120)
@pytest.mark.parametrize("venue", sorted(ALL))
async def test_every_fill_once_and_orders_still_owned(venue: str, tmp_path: Path) -> None:
    case = ALL[venue]
    async with simulate(case.venue, seed=3, market_flow=False, **case.sim_options) as sim:
        symbol, lot = case.sim_symbol, Decimal(case.quantity)
        bid, _ = sim.market.best(symbol)
        tick = Decimal(case.tick)
        prices = [bid, bid - 20 * tick, bid - 40 * tick]
        async with trader(sim, case, tmp_path, [str(p) for p in prices]) as process:
            await process.until("OrderAccepted", 3)
            sim.market.trade(symbol, prices[0], lot * 2 / 5)
            await process.until("OrderFilled", 1)
            await process.kill()

        # While it is down: the rest of the first order fills, the second one partly, the third is cancelled.
        sim.market.trade(symbol, prices[0], lot * 3 / 5)
        sim.market.trade(symbol, prices[1], lot / 5)
        sim.market.trade(symbol, prices[1], lot / 5)
        third = next(o for o in sim.ledger.orders() if o.price == prices[2])
        sim.cancel_external(third)

        for attempt in range(2):  # and once more: a second restart must change nothing
            async with restarted(sim, case, tmp_path) as (run, strategy):
                await books_agree(sim, run, case)
                orders = {o.price.as_decimal(): o for o in run.cache.orders()}
                assert orders[prices[0]].status == OrderStatus.FILLED
                assert orders[prices[1]].status == OrderStatus.PARTIALLY_FILLED
                assert orders[prices[2]].status == OrderStatus.CANCELED
                assert {o.strategy_id for o in run.cache.orders()} == {OWNER}, f"attempt {attempt}"
                assert {p.strategy_id for p in run.cache.positions_open()} == {OWNER}
                assert [o.client_order_id for o in strategy.found_open] == [orders[prices[1]].client_order_id]

        # Life goes on: the restored order still fills, once, and can be cancelled by its owner.
        async with restarted(sim, case, tmp_path) as (run, strategy):
            open_order = strategy.found_open[0]
            sim.market.trade(symbol, prices[1], lot / 5)
            await run.until(lambda: open_order.filled_qty.as_decimal() == lot * 3 / 5, "the fill after the restart")
            strategy.cancel_order(open_order)
            await run.until(lambda: open_order.status == OrderStatus.CANCELED, "the cancel after the restart")
            await books_agree(sim, run, case)
