"""Requests and effects that take their time at the simulated ActTrader, and faults of requests (5.2, 7, 10)."""

from __future__ import annotations

import asyncio

import pytest

from nautilus_orderfeeds.sim import EndReason, Fault, OrderState, Side
from tests.support.acttrader_raw import acttrader

DIALECTS = ["draft", "final"]
SECS = 0.05


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_order_may_wait_for_its_answer(dialect: str) -> None:
    async with acttrader(dialect, new_delay_secs=SECS) as raw:
        socket = await raw.connect()
        await socket.ask("newordersingle", socket.order("LIMIT", "BUY", 10000, 1))
        assert await socket.nothing()
        assert raw.sim.ledger.orders() == []
        assert (await socket.receive())["event"] == "newordersingle"
        assert (await socket.execution())["status"] == "NEW"


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_answered_order_may_wait_for_the_market(dialect: str) -> None:
    async with acttrader(dialect, match_delay_secs=SECS) as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, 2)
        assert (await socket.call("orderstatus", {"orderId": order_id}))["status"] == "NEW"
        assert [row["orderId"] for row in await socket.call("orders")] == [order_id]
        assert raw.sim.ledger.orders()[0].state is OrderState.PENDING
        assert (await socket.execution())["status"] == "FILLED"


async def test_an_order_may_be_canceled_or_modified_on_its_way_to_the_market() -> None:
    async with acttrader("final", match_delay_secs=SECS) as raw:
        socket = await raw.connect()
        gone = await socket.place("LIMIT", "BUY", 10000, 2)
        kept = await socket.place("LIMIT", "BUY", 10000, 2)
        await socket.call("ordercancel", {"orderId": gone})
        assert ((e := await socket.execution())["orderId"], e["status"]) == (gone, "CANCELED")
        await socket.call("modifyordersingle", {"orderId": kept, "quantity": 20000})
        assert ((e := await socket.execution())["orderId"], e["origQty"]) == (kept, 20000)
        assert ((e := await socket.execution())["orderId"], e["status"]) == (kept, "FILLED")
        assert raw.sim.ledger.position("EURUSD").net == 20000


async def test_never_both_legs_of_a_pair_that_comes_late() -> None:
    async with acttrader("final", match_delay_secs=SECS) as raw:
        socket = await raw.connect()
        legs = {"type": "LIMIT", "price": 1}, {"type": "STOP", "stopPrice": 2}
        await socket.call("neworderoco", socket.oco("SELL", 10000, *legs))
        assert [(await socket.execution())["status"] for _ in range(2)] == ["FILLED", "REJECTED"]
        assert raw.sim.ledger.position("EURUSD").net == -10000


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_order_may_trade_before_its_cancel_is_looked_at(dialect: str) -> None:
    async with acttrader(dialect, cancel_delay_secs=SECS) as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, "1.16")
        await socket.execution()
        await socket.ask("ordercancel", {"orderId": order_id})
        assert await socket.nothing()
        raw.trade("1.16", "10000", Side.SELL)
        assert (await socket.execution())["status"] == "FILLED"
        assert (await socket.receive())["event"] == "error"


async def test_a_bare_answer_promises_nothing() -> None:
    async with acttrader("draft", bare_effect_delay_secs=SECS) as raw:
        socket = await raw.connect()
        for event, change in (("ordercancel", {}), ("modifyordersingle", {"quantity": 20000})):
            order_id = await socket.place("LIMIT", "BUY", 10000, "1.16")
            await socket.execution()
            assert await socket.call(event, {"orderId": order_id, **change}) is None
            raw.trade("1.16", "10000", Side.SELL)
            assert (await socket.execution())["status"] == "FILLED"
            await asyncio.sleep(2 * SECS)
            assert await socket.nothing()
        order_id = await socket.place("LIMIT", "BUY", 10000, "1.16")
        await socket.execution()
        await socket.call("ordercancel", {"orderId": order_id})
        raw.trade("1.16", "4000", Side.SELL)
        told = [await socket.execution() for _ in range(2)]
        assert [(e["status"], e["executedQty"]) for e in told] == [("PARTIAL_FILL", 4000), ("CANCELED", 4000)]


async def test_a_modify_may_wait_too() -> None:
    async with acttrader("final", modify_delay_secs=SECS) as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, 1)
        await socket.execution()
        await socket.ask("modifyordersingle", {"orderId": order_id, "quantity": 20000})
        assert await socket.nothing()
        assert (await socket.receive())["payload"]["quantity"] == 20000


# -- faults of requests ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["WS newordersingle", "newordersingle/request"])
async def test_faults_of_a_request(where: str) -> None:
    async with acttrader("final") as raw:
        socket, other = await raw.connect(), await raw.connect()
        order = socket.order("MARKET", "BUY", 10000)

        raw.sim.faults.once(Fault.DROP, where=where)
        await socket.ask("newordersingle", order)
        assert await socket.nothing()

        raw.sim.faults.once(Fault.ERROR_BEFORE_EFFECT, where=where)
        assert (await socket.refused("newordersingle", order))["error"] == "internal error"
        assert raw.sim.ledger.orders() == []

        raw.sim.faults.once(Fault.SLOW_ANSWER, where=where, secs=SECS)
        await socket.ask("newordersingle", order)
        assert (await socket.execution())["status"] == "FILLED"
        assert await socket.nothing()
        assert (await socket.receive())["event"] == "newordersingle"

        raw.sim.faults.once(Fault.LOST_ANSWER, where=where)
        await socket.ask("newordersingle", order)
        assert await socket.is_over()
        assert [(await other.execution())["status"] for _ in range(2)] == ["FILLED", "FILLED"]
        assert raw.sim.ledger.position("EURUSD").net == 20000
        calls = [status for method, path, status in raw.sim.requests if (method, path) == ("WS", "newordersingle")]
        assert calls == [0, 400, 200, 0]


async def test_a_reset_in_place_of_the_answer_comes_after_the_effect() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        raw.sim.faults.once(Fault.RESET, where="WS ordercancel")
        order_id = await socket.place("LIMIT", "BUY", 10000, 1, clientOrderId="o")
        await socket.execution()
        await socket.ask("ordercancel", {"orderId": order_id})
        assert await socket.is_over()
        assert raw.sim.ledger.order("o").end_reason is EndReason.USER


# -- margin ----------------------------------------------------------------------------------------------------


async def test_an_order_beyond_the_margin_is_refused_and_a_closing_one_never() -> None:
    async with acttrader("final", balance=1000, leverage=20) as raw:
        socket = await raw.connect()
        error = await socket.refused("newordersingle", socket.order("MARKET", "BUY", 18000))
        assert error["error"] == "insufficient margin"
        await socket.place("MARKET", "BUY", 17000)
        await socket.execution()
        await socket.refused("newordersingle", socket.order("MARKET", "BUY", "0.01", symbol="BTCUSD"))
        raw.sim.market.set_mid("EURUSD", "1.11")
        await socket.refused("newordersingle", socket.order("MARKET", "BUY", 1000))
        await socket.place("MARKET", "SELL", 17000)
        assert (await socket.execution())["status"] == "FILLED"
