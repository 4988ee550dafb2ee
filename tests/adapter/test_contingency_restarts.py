"""Brackets that the client keeps itself, through a restart: nothing is forgotten, and nothing is sent twice."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderStatus

from nautilus_orderfeeds.adapter.contingency import is_held
from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.sim.faults import Fault
from tests.support.acttrader_client import Bracket, Trading, node_at

D = Decimal
node = pytest.mark.node
both = pytest.mark.parametrize("dialect", ["draft", "final"])


async def stopped_with(sim: Any, journal: dict[str, Any], *, lose_the_answer: bool = False) -> Bracket:
    """Run a node until its bracket rests (or until the children were sent and their answer lost), and stop it."""
    async with node_at(sim, **journal) as t:
        bracket = Bracket(t)
        await bracket.submit()
        if lose_the_answer:
            sim.faults.arm(Fault.DROP, where="execution/NEW")
            sim.faults.arm(Fault.DROP, where="WS order*")
            sim.faults.once(Fault.LOST_ANSWER, where="WS neworderoco")
            bracket.fill()
            await t.until(lambda: t.sent("neworderoco") == 1, "the children to be sent")
            sim.pause()
        return bracket


def again(t: Trading, old: Any) -> Any:
    return t.run.cache.order(old.client_order_id)


@node
@both
async def test_a_restart_keeps_the_children(dialect: str, tmp_path: Path):
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect) as sim:
        left = await stopped_with(sim, journal)
        async with node_at(sim, **journal) as t:
            children = [again(t, o) for o in left.children]
            assert [o.status for o in children] == [OrderStatus.ACCEPTED] * 2
            assert [is_held(o.venue_order_id.value) for o in children] == [True, True]
            assert all(o.strategy_id == t.desk.id for o in children)
            sim.market.trade("EURUSD", left.entry.price.as_decimal(), D(10000), Side.SELL)
            await t.until(lambda: not any(is_held(o.venue_order_id.value) for o in children), "them to go out")
            assert t.sent("neworderoco") == 1
            assert t.differences() == []


@node
@both
async def test_an_entry_that_fills_while_nobody_runs_sends_the_children_at_the_next_start(dialect: str, tmp_path: Path):
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect) as sim:
        left = await stopped_with(sim, journal)
        sim.market.trade("EURUSD", left.entry.price.as_decimal(), D(10000), Side.SELL)
        async with node_at(sim, **journal) as t:
            children = [again(t, o) for o in left.children]
            await t.until(lambda: not any(is_held(o.venue_order_id.value) for o in children), "them to go out")
            assert again(t, left.entry).status == OrderStatus.FILLED
            assert t.sent("neworderoco") == 1
            assert t.differences() == []
        async with node_at(sim, **journal) as t:  # once more: nothing is sent twice
            await asyncio.sleep(0.5)
            assert t.sent("neworderoco") == 1
            assert [again(t, o).status for o in left.children] == [OrderStatus.ACCEPTED] * 2
            assert t.differences() == []


@node
@both
async def test_an_interrupted_sending_is_looked_for_and_not_repeated(dialect: str, tmp_path: Path):
    journal = {"journal": str(tmp_path / "journal.sqlite"), "request_timeout_secs": 0.5}
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect) as sim:
        left = await stopped_with(sim, journal, lose_the_answer=True)
        sim.faults.calm()
        await sim.resume()
        async with node_at(sim, **journal) as t:
            children = [again(t, o) for o in left.children]
            await t.until(lambda: not any(is_held(o.venue_order_id.value) for o in children), "them to be found")
            assert t.sent("neworderoco") == 1
            assert len(sim.ledger.orders()) == 3
            assert t.differences() == []


@node
async def test_an_entry_canceled_while_nobody_runs_ends_the_children(tmp_path: Path):
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect="final") as sim:
        left = await stopped_with(sim, journal)
        sim.cancel_external(sim.ledger.orders()[0])
        async with node_at(sim, **journal) as t:
            children = [again(t, o) for o in left.children]
            await t.until(lambda: all(o.status == OrderStatus.CANCELED for o in children), "their end")
            assert t.sent("neworderoco") == 0


@node
@both
async def test_a_partly_filled_entry_is_taken_up_and_its_children_sized_when_it_ends(dialect: str, tmp_path: Path):
    """A part before the restart, a part while nobody runs, a part after it; then the rest is canceled."""
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect, all_or_none=False) as sim:
        async with node_at(sim, **journal) as t:
            left = Bracket(t)
            await left.submit()
            left.fill(2000)
            await t.until(lambda: left.entry.filled_qty == t.qty(2000), "a part")
        price = left.entry.price.as_decimal()
        sim.market.trade("EURUSD", price, D(1000), Side.SELL)
        async with node_at(sim, **journal) as t:
            entry, *children = [again(t, o) for o in left.list.orders]
            await t.until(lambda: entry.filled_qty == t.qty(3000), "the part that was missed")
            assert [is_held(o.venue_order_id.value) for o in children] == [True, True]
            sim.market.trade("EURUSD", price, D(4000), Side.SELL)
            await t.until(lambda: entry.filled_qty == t.qty(7000), "a part after the restart")
            assert t.sent("neworderoco") == 0
            t.desk.cancel_order(entry)
            await t.until(lambda: not any(is_held(o.venue_order_id.value) for o in children), "them to go out")
            assert [sim.ledger.order(o.venue_order_id.value).quantity for o in children] == [7000, 7000]
            assert [o.quantity for o in children] == [t.qty(7000)] * 2
            assert t.differences() == []


@node
@both
async def test_an_entry_that_ends_partly_filled_while_nobody_runs(dialect: str, tmp_path: Path):
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect, all_or_none=False) as sim:
        left = await stopped_with(sim, journal)
        sim.market.trade("EURUSD", left.entry.price.as_decimal(), D(4000), Side.SELL)
        sim.cancel_external(sim.ledger.orders()[0])
        async with node_at(sim, **journal) as t:
            children = [again(t, o) for o in left.children]
            await t.until(lambda: not any(is_held(o.venue_order_id.value) for o in children), "them to go out")
            assert again(t, left.entry).status == OrderStatus.CANCELED
            assert [sim.ledger.order(o.venue_order_id.value).quantity for o in children] == [4000, 4000]
            assert t.sent("neworderoco") == 1
            assert t.differences() == []


@node
@pytest.mark.parametrize("down", [False, True], ids=["after the restart", "while down"])
@both
async def test_released_children_of_an_earlier_run_end_as_a_pair(dialect: str, down: bool, tmp_path: Path):
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect) as sim:
        async with node_at(sim, **journal) as t:
            left = Bracket(t)
            await left.submit()
            left.fill()
            await left.released()
            price = left.profit.price.as_decimal()
        if down:
            sim.market.trade("EURUSD", price, D(10000), Side.BUY)
        async with node_at(sim, **journal) as t:
            stop, profit = (again(t, o) for o in left.children)
            if not down:
                assert [o.status for o in (stop, profit)] == [OrderStatus.ACCEPTED] * 2
                sim.market.trade("EURUSD", price, D(10000), Side.BUY)
            await t.until(lambda: stop.is_closed and profit.is_closed, "the end of both")
            assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
            assert t.sent("neworderoco") == 1
            assert t.run.cache.positions_open() == []
            assert t.differences() == []


@node
async def test_children_whose_sending_was_interrupted_before_it_began_are_rejected_loudly(tmp_path: Path):
    """Nothing reached the venue: it says so in the final dialect, and whoever relies on the exits must know."""
    journal = {"journal": str(tmp_path / "journal.sqlite"), "request_timeout_secs": 0.5}
    async with simulate("acttrader", seed=7, market_flow=False, dialect="final") as sim:
        async with node_at(sim, **journal) as t:
            left = Bracket(t)
            await left.submit()
            sim.faults.arm(Fault.DROP, where="WS order*")
            sim.faults.once(Fault.DROP, where="WS neworderoco")
            left.fill()
            await t.until(lambda: t.sent("neworderoco") == 1, "the children to be sent")
            sim.pause()
        sim.faults.calm()
        await sim.resume()
        async with node_at(sim, **journal) as t:
            children = [again(t, o) for o in left.children]
            await t.until(lambda: all(o.is_closed for o in children), "their end")
            assert [o.status for o in children] == [OrderStatus.REJECTED] * 2
            assert sum("unprotected" in entry for entry in t.run.log.entries("ERROR")) == 2
            assert t.sent("neworderoco") == 1
            assert len(sim.ledger.orders()) == 1


@node
async def test_a_fill_after_the_sizing_is_told_by_a_later_run_too(tmp_path: Path):
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect="final", all_or_none=False) as sim:
        async with node_at(sim, **journal) as t:
            left = Bracket(t)
            await left.submit()
            left.fill(4000)
            await t.until(lambda: left.entry.filled_qty == t.qty(4000), "a part of the entry")
            t.desk.cancel_order(left.entry)
            await left.released()
        async with node_at(sim, **journal) as t:
            late = (
                f'{{"event":"execution","payload":{{"orderId":{left.entry.venue_order_id},"type":"LIMIT",'
                '"status":"CANCELED","origQty":10000,"executedQty":6000,"fills":[{"price":1.162,"qty":2000}]}}'
            )
            sim.twin.push_text(late)
            await t.until(lambda: any("not protected" in entry for entry in t.run.log.entries("ERROR")), "the alarm")
            assert again(t, left.entry).filled_qty == t.qty(6000)
