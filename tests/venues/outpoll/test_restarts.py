"""Restarts with orders in flight: found again by their terms, and never taken for an earlier order that was alike."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.cli import cli
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from nautilus_orderfeeds.orders.limbo import Limbo, limbo_of
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.faults import Fault
from tests.support.nodes import Run
from tests.support.outpoll_client import ASSET, FAST, TRADES, Trader, books_agree, node_at, trading


async def one_of_each_fate(sim: Any, run: Run, trader: Trader, fault: Fault) -> tuple[Any, Any]:
    """An order that was filled, and one alike whose answer is lost; return both."""
    bid, _ = sim.market.best(ASSET)
    filled = trader.limit(OrderSide.BUY, 7, bid - Decimal("0.04"))
    await run.until(lambda: filled.status == OrderStatus.ACCEPTED, "the first order")
    sim.market.trade(ASSET, filled.price.as_decimal(), Decimal(7))
    await run.until(lambda: filled.is_closed, "its fill")
    armed = sim.faults.once(fault, where="POST*")
    lost = trader.limit(OrderSide.BUY, 7, bid - Decimal("0.04"))
    await run.until(lambda: armed.struck, "the second order to be sent")
    return filled, lost


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_an_order_that_never_arrived_is_not_taken_for_an_earlier_one_that_was_alike(tmp_path: Path) -> None:
    config = {**FAST, "trades_fields": TRADES, "journal": str(tmp_path / "journal.db")}
    async with simulate("outpoll", seed=5, market_flow=False, amount_decimals=8) as sim:
        first = Trader()
        async with node_at(sim, first, **config) as run:
            filled, lost = await one_of_each_fate(sim, run, first, Fault.ERROR_BEFORE_EFFECT)
        async with node_at(sim, Trader(), **config) as again:
            await asyncio.sleep(3.0)  # long enough for readings to settle twice
            order = again.cache.order(lost.client_order_id)
            assert (order.status, order.venue_order_id) == (OrderStatus.SUBMITTED, None)
            assert again.cache.order(filled.client_order_id).status == OrderStatus.FILLED
            assert [position.quantity for position in again.cache.positions_open()] == [7]
            assert [request.method for request in sim.requests].count("POST") == 2


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_an_order_that_did_arrive_is_found_beside_an_earlier_one_that_was_alike(tmp_path: Path) -> None:
    config = {**FAST, "trades_fields": TRADES, "journal": str(tmp_path / "journal.db")}
    async with simulate("outpoll", seed=5, market_flow=False, amount_decimals=8) as sim:
        first = Trader()
        async with node_at(sim, first, **config) as run:
            _, lost = await one_of_each_fate(sim, run, first, Fault.ERROR_AFTER_EFFECT)
        async with node_at(sim, Trader(), **config) as again:
            order = again.cache.order(lost.client_order_id)
            await again.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be found")
            assert order.venue_order_id.value == sim.ledger.orders()[-1].venue_order_id
            await books_agree(sim, again)


def shown(journal: Path, order: Any) -> str:
    told = CliRunner().invoke(cli, ["timeline", str(journal), order.client_order_id.value])
    assert told.exit_code == 0, told.output
    return told.output


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_limbo_is_shown_as_what_it_is(tmp_path: Path) -> None:
    """`orderfeeds timeline`, while the node runs: not answered, then taken and FAILED heard, then the cancel's end."""
    journal = tmp_path / "journal.db"
    config = {**FAST, "accept_secs": 30.0, "trades_fields": TRADES, "journal": str(journal)}
    options = {"history_delay_secs": 1.0, "place_update": "never"}
    async with trading(options, **config) as (sim, run, trader):
        bid, _ = sim.market.best(ASSET)
        sim.faults.once(Fault.ERROR_BEFORE_EFFECT, where="POST*")
        lost = trader.limit(OrderSide.BUY, 3, bid - Decimal("0.06"))
        await run.until(lambda: any("is unknown" in entry for entry in run.log.entries("WARN")), "the lost answer")
        taken = trader.limit(OrderSide.BUY, 7, bid - Decimal("0.04"))
        await run.until(lambda: sim.ledger.orders(is_open=True), "the order at the venue")
        (at_venue,) = sim.ledger.orders(is_open=True)
        sim.twin.push_order_update(at_venue.venue_order_id, "FAILED")  # alone, it neither rejects nor ends anything
        client = run.exec_client("OUTPOLL")
        await run.until(lambda: client._tracker.get(None, at_venue.venue_order_id), "the answer")
        client._intake.journal.flush()
        assert taken.status == OrderStatus.SUBMITTED
        assert "SUBMITTED (outcome unknown): sent, no answer" in shown(journal, lost)
        assert "SUBMITTED (outcome unknown): taken, not seen yet" in shown(journal, taken)

        await run.until(lambda: taken.status == OrderStatus.ACCEPTED, "the order to be seen live")
        trader.cancel_order(taken)
        await run.until(lambda: not sim.ledger.orders(is_open=True), "the cancel at the venue")
        client._intake.journal.flush()
        assert "PENDING_CANCEL (outcome unknown): cancel asked for, end not seen yet" in shown(journal, taken)
        await run.until(lambda: taken.is_closed, "the cancel")
        client._intake.journal.flush()
        with JournalReader(journal) as reader:
            states = {order.client_order_id: order for order in reader.orders()}
        ended = states[taken.client_order_id.value]
        assert limbo_of(ended.state.status, is_named=True) is None
        open_one = states[lost.client_order_id.value]
        assert limbo_of(open_one.state.status, is_named=open_one.venue_order_id is not None) is Limbo.NO_ANSWER
