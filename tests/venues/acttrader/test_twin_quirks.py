"""When and how often the simulated ActTrader speaks, faults of its frames, frames nobody expects (11.6.5, 11.6.7)."""

from __future__ import annotations

from typing import Any

import pytest

from nautilus_orderfeeds.sim import Fault, OrderState, Side
from nautilus_orderfeeds.venues.acttrader.twin_options import AnswerTime
from tests.support.acttrader_raw import HEARTBEAT, RawSocket, acttrader

DIALECTS = ["draft", "final"]


async def events(socket: RawSocket, count: int) -> list[str]:
    return [(await socket.receive())["event"] for _ in range(count)]


@pytest.mark.parametrize("when", list(AnswerTime))
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_executions_come_before_after_or_instead_of_answers(dialect: str, when: AnswerTime) -> None:
    async with acttrader(dialect, new_answer=when, modify_answer=when, cancel_answer=when) as raw:
        socket = await raw.connect()
        await socket.ask("newordersingle", socket.order("LIMIT", "BUY", 10000, 1, clientOrderId="o"))
        await socket.ask("newordersingle", socket.order("MARKET", "BUY", 10000))
        order_id = 0
        for event, payload in (
            ("newordersingle", None),
            ("newordersingle", None),
            ("modifyordersingle", {"quantity": 20000}),
            ("ordercancel", {}),
        ):
            if payload is not None:
                order_id = int(raw.sim.ledger.order("o").venue_order_id)
                await socket.ask(event, {"orderId": order_id, **payload})
            match when:
                case AnswerTime.BEFORE_EXECUTION:
                    assert await events(socket, 2) == [event, "execution"]
                case AnswerTime.AFTER_EXECUTION:
                    assert await events(socket, 2) == ["execution", event]
                case AnswerTime.NEVER:
                    assert await events(socket, 1) == ["execution"]
        assert await socket.nothing()


async def test_errors_are_always_answered() -> None:
    async with acttrader("final", new_answer="never", cancel_answer="never") as raw:
        socket = await raw.connect()
        await socket.refused("newordersingle", socket.order("LIMIT", "BUY", 1, 1))
        await socket.refused("ordercancel", {"orderId": 1})


async def test_acceptance_need_not_be_told_by_an_execution() -> None:
    async with acttrader("final", new_execution=False) as raw:
        socket = await raw.connect()
        await socket.place("LIMIT", "BUY", 10000, "1.16")
        assert await socket.nothing()
        raw.trade("1.16", "10000", Side.SELL)
        assert (await socket.execution())["status"] == "FILLED"


@pytest.mark.parametrize("fills", ["cumulative", "incremental"])
async def test_repeated_executions_are_the_same_and_count_once(fills: str) -> None:
    async with acttrader("final", execution_copies=3, execution_fills=fills, all_or_none=False) as raw:
        socket = await raw.connect()
        await socket.place("LIMIT", "BUY", 10000, "1.16")
        raw.trade("1.16", "4000", Side.SELL)
        raw.trade("1.16", "6000", Side.SELL)
        told = [await socket.text() for _ in range(9)]
        assert [told.count(text) for text in told] == [3] * 9
        assert raw.sim.ledger.position("EURUSD").net == 10000


# -- faults ----------------------------------------------------------------------------------------------------


async def test_faults_find_executions_by_status_and_by_fill() -> None:
    async with acttrader("final", all_or_none=False) as raw:
        socket = await raw.connect()
        raw.sim.faults.once(Fault.DROP, where="execution/NEW")
        raw.sim.faults.once(Fault.DROP, where="execution/fill")
        raw.sim.faults.once(Fault.DOUBLE, where="execution/FILLED")
        order_id = await socket.place("LIMIT", "BUY", 10000, "1.16")
        raw.trade("1.16", "4000", Side.SELL)
        raw.trade("1.16", "6000", Side.SELL)
        assert [(await socket.execution())["executedQty"] for _ in range(2)] == [10000, 10000]
        assert await socket.nothing()
        status = await socket.call("orderstatus", {"orderId": order_id})
        assert [fill["qty"] for fill in status["fills"]] == [4000, 6000]


async def test_an_incremental_fill_that_was_lost_is_not_told_again() -> None:
    async with acttrader("final", all_or_none=False, execution_fills="incremental") as raw:
        socket = await raw.connect()
        await socket.place("LIMIT", "BUY", 10000, "1.16")
        await socket.execution()
        raw.sim.faults.once(Fault.DROP, where="execution/PARTIAL_FILL")
        raw.trade("1.16", "4000", Side.SELL)
        raw.trade("1.16", "6000", Side.SELL)
        filled = await socket.execution()
        assert (filled["executedQty"], [fill["qty"] for fill in filled["fills"]]) == (10000, [6000])


async def test_an_answer_overtaken_by_its_execution() -> None:
    async with acttrader("draft") as raw:
        socket = await raw.connect()
        raw.sim.faults.once(Fault.REORDER, where="newordersingle", depth=1)
        await socket.ask("newordersingle", socket.order("LIMIT", "BUY", 10000, 1))
        assert await events(socket, 2) == ["execution", "newordersingle"]


DROPS = [
    ("newordersingle/request", [], False),
    ("newordersingle/answer", [], True),
    ("newordersingle/answered", ["newordersingle"], True),
    ("execution", ["newordersingle"], True),
]


@pytest.mark.parametrize(("where", "told", "has_effect"), DROPS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_drops_before_between_and_after_and_nothing_is_replayed(
    dialect: str, where: str, told: list[str], has_effect: bool
) -> None:
    async with acttrader(dialect) as raw:
        socket, other = await raw.connect(), await raw.connect()
        raw.sim.faults.once(Fault.RESET, where=where)
        await socket.ask("newordersingle", socket.order("MARKET", "BUY", 10000, clientOrderId="o"))
        assert await events(socket, len(told)) == told
        assert await socket.is_over()
        assert [order.state for order in raw.sim.ledger.orders()] == ([OrderState.FILLED] if has_effect else [])
        if has_effect:
            assert (await other.execution())["status"] == "FILLED"
        again = await raw.connect()
        assert await again.nothing()
        assert await again.call("orders") == []  # MARKET orders are outside its scope


async def test_the_venue_may_be_down_for_a_while_and_its_orders_live_on() -> None:
    async with acttrader("draft") as raw:
        socket = await raw.connect()
        await socket.place("LIMIT", "BUY", 10000, "1.16", clientOrderId="o")
        await socket.execution()
        raw.sim.pause()
        assert await socket.is_over()
        raw.trade("1.16", "10000", Side.SELL)
        await raw.sim.resume()
        again = await raw.connect()
        assert await again.nothing()
        order_id = int(raw.sim.ledger.order("o").venue_order_id)
        assert (await again.call("orderstatus", {"orderId": order_id}))["status"] == "FILLED"


# -- frames nobody expects -------------------------------------------------------------------------------------


async def test_a_foreign_logins_execution_reaches_everyone_and_looks_like_any_other() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        order = raw.twin.push_foreign_execution(client_order_id="mine?")
        told = await socket.execution()
        assert (told["orderId"], told["clientOrderId"]) == (int(order.venue_order_id), "mine?")
        assert "login" not in told
        assert raw.sim.ledger.orders() == []
        assert raw.sim.ledger.position("EURUSD").net == 0


async def test_pushes_can_be_limited_to_the_logins_that_a_connection_used() -> None:
    async with acttrader("final", push_scope="own_logins", accounts=2) as raw:
        one, two, quiet = await raw.connect(), await raw.connect(), await raw.connect()
        two.login = raw.twin.credentials(1)["login"]
        mine = await one.place("LIMIT", "BUY", 10000, "1.16")
        assert (await one.execution())["orderId"] == mine
        theirs = await two.place("MARKET", "BUY", 10000)
        assert (await two.execution())["orderId"] == theirs
        raw.twin.push_foreign_execution()
        for socket in (one, two, quiet):
            assert await socket.nothing()
        assert (await quiet.call("orderstatus", {"orderId": mine}))["status"] == "NEW"
        raw.trade("1.16", "10000", Side.SELL)
        for socket in (one, quiet):
            assert (await socket.execution())["orderId"] == mine
        assert await two.nothing()


async def test_unknown_events_comments_and_heartbeats_are_pushed() -> None:
    async with acttrader("draft") as raw:
        socket = await raw.connect()
        await socket.place("LIMIT", "BUY", 10000, 1, clientOrderId="o")
        execution = await socket.text()
        raw.twin.push_unknown_event()
        assert (await socket.receive())["event"] not in ("execution", "error")
        raw.twin.push_with_comment("o")
        commented = await socket.text()
        assert "//" in commented
        assert "".join(line.split("//")[0].strip() for line in commented.splitlines()) == execution
        raw.twin.push_heartbeat()
        assert await socket.text() == HEARTBEAT
        await socket.send_text(HEARTBEAT)
        assert await socket.nothing()


async def test_heartbeats_by_the_clock_only_when_asked_for() -> None:
    async with acttrader("draft", heartbeat_secs=0.02) as raw:
        socket = await raw.connect()
        assert [await socket.text() for _ in range(2)] == [HEARTBEAT, HEARTBEAT]


async def test_orders_from_elsewhere_are_told_like_all_others() -> None:
    for dialect, lifetime in (("draft", "GTC"), ("final", "AON")):
        async with acttrader(dialect) as raw:
            socket = await raw.connect()
            order = raw.sim.place_external("EURUSD", side=Side.SELL, size="5000", price="1.17", stop_price="1.15")
            told: Any = await socket.execution()
            assert (told["orderId"], told["type"], told["timeInForce"]) == (
                int(order.venue_order_id),
                "STOP_LIMIT",
                lifetime,
            )
            raw.sim.cancel_external(order)
            assert (await socket.execution())["status"] == "CANCELED"
            at_market = raw.sim.place_external("BTCUSD", side=Side.BUY, size="0.5")
            assert (await socket.execution())["status"] == "FILLED"
            assert raw.sim.ledger.position("BTCUSD").net == at_market.filled
