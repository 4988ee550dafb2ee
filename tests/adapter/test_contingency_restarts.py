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
