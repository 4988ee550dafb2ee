"""OCO pairs when something breaks in the middle: each leg is found again and the sibling's end told, once."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from nautilus_trader.model.enums import OrderStatus, TimeInForce

from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.sim.faults import Fault
from tests.support.acttrader_client import Trading, live_pair, node_at, pair, trading

pytestmark = pytest.mark.node
D = Decimal
both = pytest.mark.parametrize("dialect", ["draft", "final"])

FILLED = ["Initialized", "Submitted", "Accepted", "Filled"]
CANCELED = ["Initialized", "Submitted", "Accepted", "Canceled"]


def take_profit(t: Trading, profit: Any, size: int = 10000) -> None:
    t.sim.market.trade("EURUSD", profit.price.as_decimal(), D(size), Side.BUY)


async def ended(t: Trading, profit: Any, stop: Any) -> None:
    """Wait for the ends that a reached take profit means."""
    await t.until(lambda: profit.is_closed and stop.is_closed, "the end of both")
    assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
    assert t.names(profit) == FILLED
    assert t.names(stop) == CANCELED
    assert t.sent("neworderoco") == 1
    assert t.differences() == []


# -- the connection ends ----------------------------------------------------------------------------------------------


@both
async def test_cut_off_in_place_of_the_answer(dialect: str):
    """The venue has the pair and its answer is lost with the connection: both legs are found on the next one."""
    async with trading(dialect) as t:
        t.sim.faults.arm(Fault.DROP, where="execution*")
        t.sim.faults.once(Fault.RESET, where="WS neworderoco")
        profit, stop = await live_pair(t)
        t.sim.faults.calm()
        assert t.client._sessions[0].health.connects == 2
        assert t.sim.ledger.order(profit.venue_order_id.value).price == profit.price.as_decimal()
        take_profit(t, profit)
        await ended(t, profit, stop)


@pytest.mark.parametrize("sibling", ["REJECTED", "CANCELED"])
@both
async def test_cut_off_between_the_fill_and_the_siblings_end(dialect: str, sibling: str):
    async with trading(dialect, oco_status=sibling) as t:
        profit, stop = await live_pair(t)
        t.sim.faults.once(Fault.RESET, where=f"execution/{sibling}")
        take_profit(t, profit)
        await ended(t, profit, stop)
        assert t.client._sessions[0].health.connects == 2


@both
async def test_both_end_while_nobody_is_connected(dialect: str):
    async with trading(dialect) as t:
        profit, stop = await live_pair(t)
        t.sim.pause()
        take_profit(t, profit)
        await t.sim.resume()
        await ended(t, profit, stop)


async def test_both_end_before_their_ids_are_known():
    """Cut off in place of the answer, and everything is over when the connection is back."""
    async with trading("final", oco_ids="own") as t:
        t.sim.faults.arm(Fault.DROP, where="execution*")
        t.sim.faults.once(Fault.RESET, where="WS neworderoco")
        orders = pair(t)
        profit, stop = orders.orders
        t.desk.submit_order_list(orders)
        await t.until(lambda: len(t.sim.ledger.orders()) == 2, "the pair at the venue")
        t.sim.pause()
        take_profit(t, profit)
        await t.sim.resume()
        await ended(t, profit, stop)


async def test_a_pair_that_never_arrived_is_rejected_after_its_time_in_the_final_dialect():
    async with trading("final", config={"request_timeout_secs": 0.5}) as t:
        t.sim.faults.once(Fault.DROP, where="WS neworderoco")
        orders = pair(t)
        t.desk.submit_order_list(orders)
        await t.until(lambda: all(o.is_closed for o in orders.orders), "the end of both")
        for order in orders.orders:
            assert t.names(order) == ["Initialized", "Submitted", "Rejected"]
            assert "never reached" in t.run.order_events(order.client_order_id)[-1].reason
        assert t.sim.ledger.orders() == []


async def test_a_pair_that_never_arrived_stays_in_flight_in_the_draft():
    """Nothing there proves that it did not arrive: it is not rejected, and above all not sent again."""
    async with trading("draft", config={"request_timeout_secs": 0.5}) as t:
        t.sim.faults.once(Fault.DROP, where="WS neworderoco")
        orders = pair(t)
        t.desk.submit_order_list(orders)
        await t.until(lambda: all(o.status == OrderStatus.SUBMITTED for o in orders.orders), "the sending")
        asked = t.sent("orders")
        await t.until(lambda: t.sent("orders") >= asked + 2, "it to be looked for")
        assert [o.status for o in orders.orders] == [OrderStatus.SUBMITTED] * 2
        assert t.sent("neworderoco") == 1


# -- a leg of which the client has no acknowledgement -----------------------------------------------------------------


@both
async def test_sibling_of_a_pair_whose_answer_was_lost_is_canceled_and_not_rejected(dialect: str):
    """The draft ends it as REJECTED without a reason: that is no refusal, it is the other leg that traded."""
    async with trading(dialect) as t:
        t.sim.faults.arm(Fault.DROP, where="execution*")
        t.sim.faults.once(Fault.LOST_ANSWER, where="WS neworderoco")
        profit, stop = await live_pair(t)
        t.sim.faults.calm()
        take_profit(t, profit)
        await ended(t, profit, stop)


@pytest.mark.parametrize("sibling", ["REJECTED", "CANCELED"])
@pytest.mark.parametrize("down", [False, True], ids=["after the restart", "while down"])
@both
async def test_a_pair_of_an_earlier_run_ends_as_a_pair(dialect: str, down: bool, sibling: str, tmp_path: Path):
    journal = {"journal": str(tmp_path / "journal.sqlite")}
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect, oco_status=sibling) as sim:
        async with node_at(sim, **journal) as t:
            left = await live_pair(t)
            price = left[0].price.as_decimal()
        if down:
            sim.market.trade("EURUSD", price, D(10000), Side.BUY)
        async with node_at(sim, **journal) as t:
            profit, stop = (t.run.cache.order(o.client_order_id) for o in left)
            assert all(o.strategy_id == t.desk.id for o in (profit, stop))
            if not down:
                assert [o.status for o in (profit, stop)] == [OrderStatus.ACCEPTED] * 2
                take_profit(t, profit)
            await t.until(lambda: profit.is_closed and stop.is_closed, "the end of both")
            assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
            assert t.sent("neworderoco") == 1
            assert t.differences() == []
        async with node_at(sim, **journal) as t:  # once more: nothing is told twice
            profit, stop = (t.run.cache.order(o.client_order_id) for o in left)
            assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
            assert profit.filled_qty == profit.quantity
            assert t.differences() == []


# -- what decides a pair ----------------------------------------------------------------------------------------------


@both
async def test_a_partial_fill_that_ends_the_sibling(dialect: str):
    async with trading(dialect, all_or_none=False, oco_rule="FIRST_FILL") as t:
        profit, stop = await live_pair(t)
        take_profit(t, profit, 4000)
        await t.until(lambda: stop.is_closed and profit.filled_qty == t.qty(4000), "the sibling's end")
        assert (profit.status, stop.status) == (OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCELED)
        take_profit(t, profit, 6000)
        await t.until(lambda: profit.is_closed, "the rest")
        assert t.names(profit) == [*FILLED, "Filled"]
        assert t.differences() == []


@both
async def test_a_partial_fill_that_does_not_end_the_sibling(dialect: str):
    """Whether it does is not documented: the client never ends the sibling by itself."""
    async with trading(dialect, all_or_none=False, oco_rule="WHOLE_FILL") as t:
        profit, stop = await live_pair(t)
        take_profit(t, profit, 4000)
        await t.until(lambda: profit.filled_qty == t.qty(4000), "a part")
        await asyncio.sleep(0.3)
        assert stop.status == OrderStatus.ACCEPTED
        assert t.sent("ordercancel") == 0
        take_profit(t, profit, 6000)
        await t.until(lambda: profit.is_closed and stop.is_closed, "the end of both")
        assert t.names(stop) == CANCELED
        assert t.differences() == []


@both
async def test_the_stop_is_reached(dialect: str):
    async with trading(dialect) as t:
        profit, stop = await live_pair(t)
        t.sim.market.set_mid("EURUSD", stop.trigger_price.as_decimal() - D("0.001"))
        await t.until(lambda: profit.is_closed and stop.is_closed, "the end of both")
        assert (profit.status, stop.status) == (OrderStatus.CANCELED, OrderStatus.FILLED)
        assert t.names(stop)[:3] == FILLED[:3]
        assert t.differences() == []


@pytest.mark.parametrize(("dialect", "end"), [("draft", OrderStatus.CANCELED), ("final", OrderStatus.EXPIRED)])
async def test_a_pair_expires_as_a_whole(dialect: str, end: OrderStatus):
    async with trading(dialect) as t:
        expires = t.desk.clock.utc_now() + pd.Timedelta(minutes=1)
        orders = pair(t, gtd_ns=expires.value)
        t.desk.submit_order_list(orders)
        await t.until(lambda: all(o.status == OrderStatus.ACCEPTED for o in orders.orders), "both to be accepted")
        assert {o.time_in_force for o in orders.orders} == {TimeInForce.GTD}
        t.sim.clock.advance(61)
        await t.until(lambda: all(o.is_closed for o in orders.orders), "the expiry")
        assert [o.status for o in orders.orders] == [end] * 2
        assert [o.filled_qty.as_decimal() for o in orders.orders] == [0, 0]


@pytest.mark.parametrize(
    ("dialect", "how"),
    [
        ("draft", "error"),
        ("draft", "answer"),
        ("draft", "execution"),
        ("final", "error"),
        ("final", "answer"),
        ("final", "execution"),
        ("final", "new_then_execution"),
    ],
)
async def test_every_way_of_refusing_a_pair(dialect: str, how: str):
    async with trading(dialect, refusal=how, config={"request_timeout_secs": 0.5}) as t:
        t.sim.twin.reject_next_order("no money")
        orders = pair(t)
        t.desk.submit_order_list(orders)
        await t.until(lambda: all(o.is_closed for o in orders.orders), "the refusal")
        for order in orders.orders:
            assert order.status == OrderStatus.REJECTED
            assert t.names(order)[-1] == "Rejected"
            assert t.names(order).count("Rejected") == 1
        assert t.sent("neworderoco") == 1
        assert t.sim.ledger.orders(is_open=True) == []
