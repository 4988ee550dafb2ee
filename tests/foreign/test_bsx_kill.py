"""SIGKILL of a process that trades at a foreign BSX; fills and ends while it is down; its books and ours agree."""

import asyncio
import contextlib
import os
import signal
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from nautilus_trader.model.enums import OrderStatus

from nautilus_orderfeeds.venues.bsx import BSX, BsxLiveExecClientFactory
from tests.foreign.bsx_desk import BTC, config
from tests.foreign.bsx_server import Ways, foreign_bsx
from tests.support.nodes import node_config, running_node
from tests.support.trader_process import Resting, RestingConfig

PRICES = ("50000", "49900", "49800", "49700")


class Trader:
    """The process to be killed, with every line it printed."""

    def __init__(self, process):
        self.process = process
        self.lines = []

    async def until(self, wanted, count):
        async with asyncio.timeout(60):
            while sum(line.startswith(wanted) for line in self.lines) < count:
                line = await self.process.stdout.readline()
                assert line, f"the trader ended early: {self.lines[-20:]}"
                self.lines.append(line.decode().strip())

    async def kill(self):
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@contextlib.asynccontextmanager
async def trader(server, folder, journal):
    settings = {
        "venue": "bsx",
        "name": BSX,
        "prefix": "Bsx",
        "instrument_id": str(BTC),
        "prices": PRICES,
        "quantity": "0.01",
        "config": msgspec.json.decode(config(server, journal=journal).json()),
    }
    path = folder / "trader.json"
    path.write_bytes(msgspec.json.encode(settings))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.trader_process", str(path)),
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


@pytest.mark.node
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "ways",
    [{}, {"trades": "absent"}, {"trades": "late"}, {"zero_times": True, "shuffled": True}, {"numbers": True}],
    ids=["as documented", "no trades", "late trades", "no times", "numbers"],
)
async def test_killed_in_the_middle(ways, tmp_path):
    journal = str(tmp_path / "journal.sqlite")
    async with foreign_bsx(Ways(books=True, **ways)) as server:
        async with trader(server, tmp_path, journal) as process:
            await process.until("OrderAccepted", 4)
            partly, filled, ended, resting = server.orders.values()
            await server.fill(partly, "0.002", "49999")
            await process.until("OrderFilled", 1)
            # In the very moment of the kill something is under way.
            await server.fill(filled, "0.003", "49888")
            await process.kill()
        await server.fill_many(partly, ("0.001", "49998"), ("0.002", "49997"))
        await server.fill(filled, "0.007", "49890")
        await server.fill(ended, "0.004")
        await server.end(ended, "admin")
        strategy = Resting(RestingConfig(strategy_id="RESTING", order_id_tag="001", instrument_id=BTC))
        node = node_config({BSX: config(server, journal=journal)}, inflight_check_interval_ms=0)
        async with running_node(node, exec_factories={BSX: BsxLiveExecClientFactory}, strategies=(strategy,)) as run:
            by_id = {order.venue_order_id.value: order for order in run.cache.orders()}
            assert len(by_id) == len(server.orders) == len(server.asked) == 4
            assert {order.strategy_id.value for order in by_id.values()} == {"RESTING-001"}
            found = [by_id[row["id"]] for row in (partly, filled, ended, resting)]
            await server.fill(partly, "0.005", "49996")
            wanted = (OrderStatus.FILLED, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.ACCEPTED)
            await run.until(
                lambda: tuple(order.status for order in found) == wanted,
                lambda: str([order.status_string() for order in found]),
            )
            await asyncio.sleep(0.4)  # what comes late must be swallowed
            for order, row in zip(found, (partly, filled, ended, resting), strict=True):
                filled_qty = Decimal(row["filled_size"])
                assert order.filled_qty.as_decimal() == filled_qty
                paid = sum((money.as_decimal() for money in order.commissions()), Decimal(0))
                assert abs(paid - Decimal(row["filled_fees"])) < Decimal("0.0001")
                if filled_qty:  # an inferred fill has the instrument's precision
                    assert abs(Decimal(str(order.avg_px)) - Decimal(row["avg_price"])) <= Decimal("0.5")
            assert sum(p.signed_decimal_qty() for p in run.cache.positions_open()) == server.net()
            assert strategy.found_open
