"""The life of single orders at the simulated ActTrader, over real sockets (protocol 5.1, 5.2, 5.6, 5.7, 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import EndReason, FlowSettings, OrderState, Side
from nautilus_orderfeeds.venues.acttrader.twin_options import (
    EndStatus,
    ExecutionSteps,
    FillsShown,
    ModifyQuantity,
    NoLimitPrice,
    PartialStatus,
    TimeForm,
)
from tests.support.acttrader_raw import acttrader

DIALECTS = ["draft", "final"]


def in_secs(secs: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=secs)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_resting_order_is_acknowledged_then_told_and_filled_at_its_price(dialect: str) -> None:
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        answer = await socket.call(
            "newordersingle", socket.order("LIMIT", "BUY", 10000, "1.15999", clientOrderId="my first order")
        )
        order_id = answer["orderId"]
        details = {"clientOrderId": "my first order", "type": "LIMIT", "login": socket.login}
        assert answer == {"orderId": order_id, "status": "NEW", **({} if dialect == "draft" else details)}
        new = await socket.execution()
        assert (new["orderId"], new["clientOrderId"], new["status"]) == (order_id, "my first order", "NEW")
        assert (new["price"], new["origQty"], new["executedQty"]) == (Decimal("1.15999"), 10000, 0)
        assert "fills" not in new
        raw.trade("1.15999", "10000", Side.SELL)
        filled = await socket.execution()
        assert (filled["status"], filled["executedQty"]) == ("FILLED", 10000)
        assert filled.get("fills") == (None if dialect == "draft" else [{"price": Decimal("1.15999"), "qty": 10000}])
        assert raw.sim.ledger.order("my first order").state is OrderState.FILLED
        assert raw.sim.ledger.position("EURUSD").net == 10000
        assert await socket.nothing()


async def test_order_ids_are_one_long_sequence_over_logins_and_sockets() -> None:
    async with acttrader("final", accounts=2) as raw:
        one, two = await raw.connect(), await raw.connect()
        two.login = raw.twin.credentials(1)["login"]
        ids = []
        for socket in (one, two, one):
            ids.append(await socket.place("LIMIT", "BUY", 10000, 1))
            await one.execution()
            assert (await two.receive())["event"] == "execution"
        assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
        assert [len(raw.sim.ledger.orders(account=str(s.login))) for s in (one, two)] == [2, 1]


async def test_numbers_keep_every_digit_in_both_directions() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        payload = socket.order("LIMIT", "BUY", "0.1234", "64999.99", symbol="BTCUSD", clientOrderId="exact")
        await socket.call("newordersingle", payload)
        execution = await socket.execution()
        assert (str(execution["price"]), str(execution["origQty"])) == ("64999.99", "0.1234")
        order = raw.sim.ledger.order("exact")
        assert (order.price, order.quantity) == (Decimal("64999.99"), Decimal("0.1234"))


async def test_a_market_order_shows_two_fills_and_no_price_in_the_final_dialect() -> None:
    async with acttrader("final", initial_book=False, accounts=2) as raw:
        socket = await raw.connect()
        for price in ("1.2345", "1.2344"):
            raw.sim.place_external("EURUSD", side=Side.BUY, size="5000", price=price, login=raw.twin.logins[1])
            await socket.execution()
        await socket.place("MARKET", "SELL", 10000, clientOrderId="my order")
        mine, *foreign = [await socket.execution() for _ in range(3)]
        assert [order["clientOrderId"] for order in foreign] == ["", ""]
        assert "price" not in mine
        assert mine["fills"] == [{"price": Decimal("1.2345"), "qty": 5000}, {"price": Decimal("1.2344"), "qty": 5000}]
        assert (mine["status"], mine["executedQty"]) == ("FILLED", 10000)


@pytest.mark.parametrize(
    ("shown", "price"),
    [(NoLimitPrice.ZERO, 0), (NoLimitPrice.LAST_FILL, Decimal("1.16305")), (NoLimitPrice.ABSENT, None)],
)
async def test_the_drafts_market_order_shows_what_the_switch_says(shown: NoLimitPrice, price: Any) -> None:
    async with acttrader("draft", no_limit_price=shown) as raw:
        socket = await raw.connect()
        await socket.place("MARKET", "BUY", 10000)
        assert (await socket.execution()).get("price") == price


# -- stop orders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("side", "stop", "away", "there"), [("BUY", "1.17", "1.169", "1.171"), ("SELL", "1.15", "1.151", "1.149")]
)
async def test_a_stop_order_fires_at_its_price_and_not_before(
    dialect: str, side: str, stop: str, away: str, there: str
) -> None:
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        order_id = await socket.place("STOP", side, 10000, stop=stop)
        assert (await socket.execution())["status"] == "NEW"
        raw.sim.market.set_mid("EURUSD", away)
        assert await socket.nothing()
        raw.sim.market.set_mid("EURUSD", there)
        filled = await socket.execution()
        assert (filled["orderId"], filled["type"], filled["status"]) == (order_id, "STOP", "FILLED")


async def test_a_stop_limit_order_rests_at_its_limit_after_its_stop() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        order_id = await socket.place("STOP_LIMIT", "BUY", 10000, "1.16900", "1.17000")
        assert (await socket.execution())["price"] == Decimal("1.169")
        raw.sim.market.set_mid("EURUSD", "1.18")
        assert await socket.nothing()  # the wire has no triggered state
        raw.sim.market.set_mid("EURUSD", "1.169")
        assert await socket.nothing()  # the best offer is above the limit
        raw.sim.market.set_mid("EURUSD", "1.168")
        assert ((filled := await socket.execution())["status"], filled["orderId"]) == ("FILLED", order_id)


async def test_stops_can_watch_the_last_trade_instead() -> None:
    async with acttrader("final", stop_source="LAST") as raw:
        socket = await raw.connect()
        await socket.place("STOP", "BUY", 10000, stop="1.17")
        await socket.execution()
        raw.sim.market.set_mid("EURUSD", "1.18")
        assert await socket.nothing()
        raw.trade("1.18", "1000", Side.BUY)
        assert (await socket.execution())["status"] == "FILLED"


# -- time in force ---------------------------------------------------------------------------------------------


async def test_aon_rests_until_it_can_be_filled_as_a_whole() -> None:
    async with acttrader("final", initial_book=False) as raw:
        socket = await raw.connect()
        await socket.place("LIMIT", "BUY", 10000, "1.16", clientOrderId="whole")
        await socket.execution()
        raw.sim.place_external("EURUSD", side=Side.SELL, size="9999", price="1.16", login=raw.twin.foreign_login)
        assert (await socket.execution())["executedQty"] == 0
        assert raw.sim.ledger.order("whole").filled == 0
        raw.sim.place_external("EURUSD", side=Side.SELL, size="1000", price="1.16", login=raw.twin.foreign_login)
        mine = [e for e in [await socket.execution() for _ in range(3)] if e["clientOrderId"] == "whole"]
        assert [(e["status"], [f["qty"] for f in e["fills"]]) for e in mine] == [("FILLED", [9999, 1])]


async def test_an_aon_market_order_that_cannot_be_whole_ends_at_once() -> None:
    for status in EndStatus:
        async with acttrader("final", initial_book=False, unfilled_status=status) as raw:
            socket = await raw.connect()
            raw.sim.place_external("EURUSD", side=Side.SELL, size="9999", price="1.16", login=raw.twin.foreign_login)
            await socket.execution()
            await socket.place("MARKET", "BUY", 10000)
            ended = await socket.execution()
            assert (ended["status"], ended["executedQty"]) == (status.value, 0)
            assert "reason" not in ended


async def test_ioc_takes_what_is_there_and_is_canceled_after_a_partial_fill() -> None:
    async with acttrader("final", initial_book=False, execution_steps=ExecutionSteps.EACH) as raw:
        socket = await raw.connect()
        raw.sim.place_external("EURUSD", side=Side.SELL, size="4000", price="1.16", login=raw.twin.foreign_login)
        await socket.execution()
        await socket.place("LIMIT", "BUY", 10000, "1.16", timeInForce="IOC", clientOrderId="ioc")
        seen = [e for e in [await socket.execution() for _ in range(4)] if e["clientOrderId"] == "ioc"]
        assert [(e["status"], e["executedQty"]) for e in seen] == [
            ("NEW", 0),
            ("PARTIAL_FILL", 4000),
            ("CANCELED", 4000),
        ]
        assert raw.sim.ledger.order("ioc").end_reason is EndReason.IOC


@pytest.mark.parametrize("status", list(EndStatus))
async def test_fok_fills_whole_or_not_at_all(status: EndStatus) -> None:
    async with acttrader("final", initial_book=False, unfilled_status=status) as raw:
        socket = await raw.connect()
        raw.sim.place_external("EURUSD", side=Side.SELL, size="4000", price="1.16", login=raw.twin.foreign_login)
        await socket.execution()
        await socket.place("LIMIT", "BUY", 10000, "1.16", timeInForce="FOK")
        assert ((ended := await socket.execution())["status"], ended["executedQty"]) == (status.value, 0)
        await socket.place("LIMIT", "BUY", 4000, "1.16", timeInForce="FOK", clientOrderId="fok")
        both = [await socket.execution() for _ in range(2)]
        assert {e["status"] for e in both} == {"FILLED"}


async def test_without_all_or_none_an_order_fills_in_parts_then_whole() -> None:
    for dialect, options in (("draft", {}), ("final", {"all_or_none": False})):
        for word in PartialStatus:
            async with acttrader(dialect, partial_status=word, **options) as raw:
                socket = await raw.connect()
                await socket.place("LIMIT", "BUY", 10000, "1.16")
                await socket.execution()
                raw.trade("1.16", "4000", Side.SELL)
                raw.trade("1.16", "6000", Side.SELL)
                seen = [await socket.execution() for _ in range(2)]
                assert [(e["status"], e["executedQty"]) for e in seen] == [(word.value, 4000), ("FILLED", 10000)]


async def test_a_partly_filled_order_can_be_canceled() -> None:
    async with acttrader("draft") as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, "1.16")
        await socket.execution()
        raw.trade("1.16", "4000", Side.SELL)
        assert (await socket.execution())["status"] == "PARTIAL_FILL"
        assert await socket.call("ordercancel", {"orderId": order_id}) is None
        ended = await socket.execution()
        assert (ended["status"], ended["executedQty"]) == ("CANCELED", 4000)
        assert "reason" not in ended


@pytest.mark.parametrize("status", list(EndStatus))
@pytest.mark.parametrize("reason", ["lifetime expired", "LIFETIME_EXPIRED"])
async def test_an_order_expires_with_each_documented_spelling(status: EndStatus, reason: str) -> None:
    async with acttrader("final", expiry_status=status, expiry_reason=reason) as raw:
        socket = await raw.connect()
        till = in_secs(60)
        await socket.place("LIMIT", "BUY", 10000, 1, tillTime=till, clientOrderId="short")
        assert (await socket.execution())["tillTime"] == till
        raw.sim.clock.advance(61)
        ended = await socket.execution()
        assert (ended["status"], ended["reason"], ended["executedQty"]) == (status.value, reason, 0)
        assert raw.sim.ledger.order("short").state is OrderState.EXPIRED


async def test_the_draft_expires_without_a_reason() -> None:
    async with acttrader("draft", expiry_status="REJECTED") as raw:
        socket = await raw.connect()
        await socket.place("LIMIT", "BUY", 10000, 1, timeInForce="GTT", timeInForceDate=in_secs(60))
        new = await socket.execution()
        assert (new["timeInForce"], "tillTime" in new) == ("GTT", False)
        raw.sim.clock.advance(61)
        ended = await socket.execution()
        assert (ended["status"], "reason" in ended) == ("REJECTED", False)


async def test_tpi_is_refused_by_default_and_a_plain_limit_order_by_choice() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        tpi = socket.order("LIMIT", "BUY", 10000, 1, timeInForce="TPI")
        assert "TPI" in (await socket.refused("newordersingle", tpi))["error"]
        raw.twin.options.accept_tpi = True
        assert (await socket.call("newordersingle", tpi))["status"] == "NEW"
        assert (await socket.execution())["timeInForce"] == "TPI"
        await socket.refused("newordersingle", socket.order("MARKET", "BUY", 10000, timeInForce="TPI"))


# -- what executions list --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fills", "expected"),
    [
        (FillsShown.CUMULATIVE, [[4000], [4000, 1000], [4000, 1000, 5000]]),
        (FillsShown.INCREMENTAL, [[4000], [1000], [5000]]),
        (FillsShown.NONE, [None, None, None]),
    ],
)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_fills_are_cumulative_incremental_or_absent(
    dialect: str, fills: FillsShown, expected: list[list[int] | None]
) -> None:
    async with acttrader(dialect, execution_fills=fills, all_or_none=False) as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, "1.16")
        await socket.execution()
        for size in ("4000", "1000", "5000"):
            raw.trade("1.16", size, Side.SELL)
        seen = [await socket.execution() for _ in range(3)]
        assert [e["executedQty"] for e in seen] == [4000, 5000, 10000]
        assert [[f["qty"] for f in e["fills"]] if "fills" in e else None for e in seen] == expected
        status = await socket.call("orderstatus", {"orderId": order_id})
        assert [f["qty"] for f in status["fills"]] == [4000, 1000, 5000]


async def test_each_fill_of_a_step_can_be_told_by_itself() -> None:
    flow = FlowSettings(level_lots=(4, 4))
    for fills, expected in ((FillsShown.CUMULATIVE, [1, 2, 3]), (FillsShown.INCREMENTAL, [1, 1, 1])):
        async with acttrader("final", execution_steps="each", execution_fills=fills, flow=flow) as raw:
            socket = await raw.connect()
            await socket.place("MARKET", "BUY", 10000)
            seen = [await socket.execution() for _ in range(4)]
            assert [(e["status"], e["executedQty"]) for e in seen] == [
                ("NEW", 0),
                ("PARTIAL_FILL", 4000),
                ("PARTIAL_FILL", 8000),
                ("FILLED", 10000),
            ]
            assert [len(e["fills"]) for e in seen[1:]] == expected
            assert await socket.nothing()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("form", list(TimeForm))
async def test_times_are_numbers_or_iso_texts(dialect: str, form: TimeForm) -> None:
    async with acttrader(dialect, transact_time=form) as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, 1)
        execution = await socket.execution()
        status = await socket.call("orderstatus", {"orderId": order_id})
        updated_ms = raw.sim.ledger.orders()[0].updated_ns // 1_000_000
        for time in (execution["transactTime"], status["transactTime"]):
            if form is TimeForm.ISO:
                assert len(time) == 24
                assert time.endswith("Z")
                assert round(datetime.fromisoformat(time).timestamp() * 1000) == updated_ms
            else:
                assert time == updated_ms


# -- modify and cancel -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_modify_is_in_place_and_told_by_an_execution(dialect: str) -> None:
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, "1.15", clientOrderId="m")
        await socket.execution()
        answer = await socket.call(
            "modifyordersingle", {"orderId": order_id, "price": Decimal("1.151"), "quantity": 20000}
        )
        echo = {"orderId": order_id, "clientOrderId": "m", "price": Decimal("1.151"), "quantity": 20000}
        assert answer == (None if dialect == "draft" else echo)
        told = await socket.execution()
        assert (told["orderId"], told["status"]) == (order_id, "NEW")
        assert (told["price"], told["origQty"]) == (Decimal("1.151"), 20000)
        order = raw.sim.ledger.order("m")
        assert (order.price, order.quantity) == (Decimal("1.151"), 20000)


async def test_answers_and_executions_of_modify_and_cancel_follow_the_switches() -> None:
    for dialect in DIALECTS:
        for payload in (False, True):
            for execution in (False, True):
                options = {"modify_payload": payload, "cancel_payload": payload}
                options |= {"modify_execution": execution, "cancel_execution": execution}
                async with acttrader(dialect, modify_echo_all=False, **options) as raw:
                    socket = await raw.connect()
                    order_id = await socket.place("STOP_LIMIT", "BUY", 10000, "1.2", "1.19", clientOrderId="x")
                    await socket.execution()
                    stop = {"orderId": order_id, "stopPrice": Decimal("1.195")}
                    answer = await socket.call("modifyordersingle", stop)
                    assert answer == ({**stop, "clientOrderId": "x"} if payload else None)
                    if execution:
                        assert (await socket.execution())["status"] == "NEW"
                    answer = await socket.call("ordercancel", {"orderId": order_id})
                    ended = {"orderId": order_id, "clientOrderId": "x", "status": "CANCELED", "reason": "USER"}
                    assert answer == (ended if payload else None)
                    if execution:
                        told = await socket.execution()
                        reason = None if dialect == "draft" else "USER"
                        assert (told["status"], told.get("reason")) == ("CANCELED", reason)
                    assert await socket.nothing()
                    assert raw.sim.ledger.order("x").state is OrderState.CANCELED


async def test_a_silent_modify_that_fills_is_told_all_the_same() -> None:
    async with acttrader("final", modify_execution=False) as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, 1)
        await socket.execution()
        await socket.call("modifyordersingle", {"orderId": order_id, "price": 2})
        assert (await socket.execution())["status"] == "FILLED"


async def test_a_lifetime_can_be_set_changed_and_cleared() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, 1)
        assert "tillTime" not in await socket.execution()
        for till in (in_secs(60), in_secs(120)):
            answer = await socket.call("modifyordersingle", {"orderId": order_id, "tillTime": till})
            assert answer["tillTime"] == till
            assert (await socket.execution())["tillTime"] == till
        answer = await socket.call("modifyordersingle", {"orderId": order_id, "tillTime": ""})
        assert "tillTime" not in answer
        assert "tillTime" not in await socket.execution()
        raw.sim.clock.advance(121)
        assert await socket.nothing()
        till = in_secs(200)
        await socket.call("modifyordersingle", {"orderId": order_id, "tillTime": till})
        await socket.execution()
        raw.sim.clock.advance(100)
        assert (await socket.execution())["reason"] == "lifetime expired"


async def test_an_order_can_be_named_and_renamed_in_the_final_dialect() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, 1, clientOrderId="old name")
        await socket.execution()
        answer = await socket.call("modifyordersingle", {"clientOrderId": "old name", "clientOrderIdValue": "new"})
        assert (answer["orderId"], answer["clientOrderId"]) == (order_id, "new")
        assert (await socket.execution())["clientOrderId"] == "new"
        gone = await socket.refused("ordercancel", {"clientOrderId": "old name"})
        assert gone == {"event": "ordercancel", "error": "ORDER_NOT_EXISTS"}
        assert (await socket.call("orderstatus", {"clientOrderId": "new"}))["orderId"] == order_id
        assert (await socket.call("ordercancel", {"orderId": order_id, "clientOrderId": "new"}))["status"] == "CANCELED"


@pytest.mark.parametrize(("meaning", "total"), [(ModifyQuantity.TOTAL, 20000), (ModifyQuantity.REMAINDER, 24000)])
async def test_a_new_quantity_is_the_total_or_the_remainder(meaning: ModifyQuantity, total: int) -> None:
    async with acttrader("draft", modify_quantity=meaning) as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, "1.16")
        await socket.execution()
        raw.trade("1.16", "4000", Side.SELL)
        await socket.execution()
        await socket.call("modifyordersingle", {"orderId": order_id, "quantity": 20000})
        assert ((told := await socket.execution())["origQty"], told["status"]) == (total, "PARTIAL_FILL")


async def test_closed_and_unknown_orders_are_told_apart() -> None:
    for dialect in DIALECTS:
        async with acttrader(dialect) as raw:
            socket = await raw.connect()
            order_id = await socket.place("MARKET", "BUY", 10000)
            await socket.execution()
            for event, more in (("ordercancel", {}), ("modifyordersingle", {"price": 1})):
                closed = await socket.refused(event, {"orderId": order_id, **more})
                unknown = await socket.refused(event, {"orderId": order_id + 1, **more})
                if dialect == "final":
                    assert closed == {"event": event, "error": "ORDER_ALREADY_CLOSED"}
                    assert unknown == {"event": event, "error": "ORDER_NOT_EXISTS"}
                else:
                    assert {type(closed["code"]), set(closed) == {"code", "error"}} == {int, True}
                    assert closed != unknown
