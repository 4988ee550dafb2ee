"""Positions are read behind a lag, and all the time: no alarm without a cause, and one where there is a cause."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.model import Side
from tests.support.outpoll_client import ASSET, TRADES, Trader, books_agree, node_at, trading

LAG = {"history_delay_secs": 1.0, "positions_extra_secs": 0.8, "orders_extra_secs": 0.3}
OFTEN = {"audit_interval_secs": 0.1, "requests_per_sec": 500, "read_settle_secs": 2.0, "read_gap_secs": 0.3}
both_ways = pytest.mark.parametrize("fields", [TRADES, None], ids=["trades", "derived"])


def alarms(run: Any) -> list[str]:
    return [entry for entry in run.log.entries("ERROR") if "Venue position" in entry]


@both_ways
@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_no_alarm_while_the_read_side_lags(fields: Any) -> None:
    async with trading(LAG, trades_fields=fields, **OFTEN) as (sim, run, trader):
        for n in range(3):
            buy = trader.market(OrderSide.BUY, 10 + n)
            await run.until(lambda buy=buy: buy.is_closed, "the buy")
            sell = trader.limit(OrderSide.SELL, 5 + n, sim.market.best(ASSET)[0])
            await run.until(lambda sell=sell: sell.is_closed, "the sell")
        await books_agree(sim, run)
        await asyncio.sleep(4.0)  # many readings, with everything settled
        assert alarms(run) == []
        assert run.exec_client("OUTPOLL")._synchronizer.positions_told, "positions must be compared in the end"


@both_ways
@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_shares_that_no_order_explains_are_told_of(fields: Any) -> None:
    async with trading(LAG, trades_fields=fields, **OFTEN) as (sim, run, trader):
        buy = trader.limit(OrderSide.BUY, 10, sim.market.best(ASSET)[1])
        await run.until(lambda: buy.is_closed, "the buy")
        sim.ledger.deposit(sim.ledger.main_account, ASSET, Decimal(-4))
        sim.twin._wallet.publish(sim.ledger.main_account)
        sim.twin.place_external(ASSET, side=Side.BUY, size=1, price="0.01")  # they are noted when something happens
        await run.until(lambda: alarms(run), "the alarm")
        assert "is 6, but the framework holds 10" in alarms(run)[0]
        await asyncio.sleep(1.0)
        assert len(alarms(run)) == 1


@both_ways
@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_a_restart_within_the_lag_keeps_the_position(fields: Any, tmp_path: Path) -> None:
    """The first positions read are those before the last fill: taken at their word, they would take it back."""
    config = {
        "trades_fields": fields,
        "journal": str(tmp_path / "journal.db"),
        "requests_per_sec": 500,
        "read_settle_secs": 3.0,
        "read_gap_secs": 0.3,
    }
    options = {"positions_extra_secs": 2.5}
    async with simulate("outpoll", seed=5, market_flow=False, amount_decimals=8, **options) as sim:
        first = Trader()
        async with node_at(sim, first, **config) as run:
            old = first.limit(OrderSide.BUY, 10, sim.market.best(ASSET)[1])
            await run.until(lambda: old.is_closed, "the first buy")
            await asyncio.sleep(2.6)
            new = first.limit(OrderSide.BUY, 7, sim.market.best(ASSET)[1] + Decimal("0.02"))
            await run.until(lambda: new.is_closed, "the second buy")
        async with node_at(sim, Trader(), **config) as again:
            (position,) = again.cache.positions_open()
            assert position.signed_decimal_qty() == 17
            assert len(again.cache.orders()) == 2
            assert all(order.status == OrderStatus.FILLED for order in again.cache.orders())
            await books_agree(sim, again)
