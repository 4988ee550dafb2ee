"""SIGKILL with a bracket whose entry is partly filled and a live OCO pair: the next run goes on where that one was."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nautilus_trader.model.enums import ContingencyType, OrderStatus
from nautilus_trader.model.enums import OrderType as NtType

from nautilus_orderfeeds.adapter.contingency import is_held
from nautilus_orderfeeds.sim import Side, simulate
from tests.support.acttrader_client import Trading, node_at

pytestmark = [pytest.mark.node, pytest.mark.timeout(120)]
D = Decimal
both = pytest.mark.parametrize("dialect", ["draft", "final"])
OPTIONS = {"aon_for_gtc": True, "requests_per_sec": 500, "settle_secs": 0.3}


@asynccontextmanager
async def process(sim: Any, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    bid, ask = sim.market.best("EURUSD")
    config = sim.exec_config(**OPTIONS, journal=str(folder / "journal.sqlite"))
    settings = {"bid": str(bid), "ask": str(ask), "config": msgspec.json.decode(config.json())}
    path = folder / "process.json"
    path.write_bytes(msgspec.json.encode(settings))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.acttrader_process",
        str(path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def heard(child: asyncio.subprocess.Process, event: str, count: int) -> None:
    assert child.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(60):
        while sum(line.startswith(event) for line in lines) < count:
            line = await child.stdout.readline()
            assert line, f"the process ended early: {lines}"
            lines.append(line.decode())


async def killed(sim: Any, folder: Path) -> None:
    """Run the process until all five orders are accepted and 4000 of the entry have filled, and kill it."""
    async with process(sim, folder) as child:
        await heard(child, "OrderAccepted", 5)
        entry = next(o for o in sim.ledger.orders() if o.side is Side.BUY)
        sim.market.trade("EURUSD", entry.price, D(4000), Side.SELL)
        await heard(child, "OrderFilled", 1)
        child.send_signal(signal.SIGKILL)
        await child.wait()


def found(t: Trading) -> tuple[Any, list[Any], list[Any]]:
    """The bracket's entry, its children, and the pair, each as (limit, stop)."""
    orders = sorted(t.run.cache.orders(), key=lambda o: o.order_type != NtType.LIMIT)
    (entry,) = (o for o in orders if o.contingency_type == ContingencyType.OTO)
    children = [o for o in orders if o.parent_order_id == entry.client_order_id]
    pair = [o for o in orders if o.contingency_type == ContingencyType.OCO and o.parent_order_id is None]
    assert len(orders) == 5
    return entry, children, pair


@both
async def test_brackets_and_pairs_live_on(dialect: str, tmp_path: Path) -> None:
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect, all_or_none=False) as sim:
        await killed(sim, tmp_path)
        async with node_at(sim, **journal) as t:
            entry, children, (profit, stop) = found(t)
            assert {o.strategy_id for o in t.run.cache.orders()} == {t.desk.id}
            assert entry.filled_qty == t.qty(4000)
            assert [o.status for o in (*children, profit, stop)] == [OrderStatus.ACCEPTED] * 4
            assert [is_held(o.venue_order_id.value) for o in children] == [True, True]
            sim.market.trade("EURUSD", entry.price.as_decimal(), D(6000), Side.SELL)
            await t.until(lambda: not any(is_held(o.venue_order_id.value) for o in children), "them to go out")
            assert entry.status == OrderStatus.FILLED
            # Both take profits rest at one price; the pair's was there first.
            sim.market.trade("EURUSD", profit.price.as_decimal(), D(10000), Side.BUY)
            await t.until(lambda: profit.is_closed and stop.is_closed, "the ends of the pair")
            assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
            for child in children:
                t.desk.cancel_order(child)
            await t.until(lambda: all(o.status == OrderStatus.CANCELED for o in children), "the cancels")
            assert t.sent("neworderoco") == 2
            assert t.differences() == []


@both
async def test_everything_happens_while_nobody_runs(dialect: str, tmp_path: Path) -> None:
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect, all_or_none=False) as sim:
        await killed(sim, tmp_path)
        entry_there = next(o for o in sim.ledger.orders() if o.side is Side.BUY)
        sim.market.trade("EURUSD", entry_there.price, D(2000), Side.SELL)
        sim.cancel_external(entry_there)
        resting = next(o for o in sim.ledger.orders() if o.side is Side.SELL and o.price is not None)
        sim.market.trade("EURUSD", resting.price, D(10000), Side.BUY)
        async with node_at(sim, **journal) as t:
            entry, children, (profit, stop) = found(t)
            await t.until(lambda: not any(is_held(o.venue_order_id.value) for o in children), "them to go out")
            assert (entry.status, entry.filled_qty) == (OrderStatus.CANCELED, t.qty(6000))
            assert [sim.ledger.order(o.venue_order_id.value).quantity for o in children] == [6000, 6000]
            await t.until(lambda: profit.is_closed and stop.is_closed, "the ends of the pair")
            assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
            assert t.sent("neworderoco") == 2
            assert t.differences() == []
        async with node_at(sim, **journal) as t:  # once more: nothing is sent or told twice
            assert t.sent("neworderoco") == 2
            entry, children, (profit, stop) = found(t)
            assert [o.status for o in children] == [OrderStatus.ACCEPTED] * 2
            assert (profit.filled_qty, entry.filled_qty) == (t.qty(10000), t.qty(6000))
            assert t.differences() == []
