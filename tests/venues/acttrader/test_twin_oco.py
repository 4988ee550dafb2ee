"""OCO pairs at the simulated ActTrader (protocol 5.3, 7)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import EndReason, OrderState, Side
from nautilus_orderfeeds.venues.acttrader.twin_options import EndStatus, OcoIds
from tests.support.acttrader_raw import RawSocket, acttrader

TAKE_PROFIT = {"type": "LIMIT", "price": Decimal("1.17000"), "clientOrderId": "tp"}
STOP_LOSS = {"type": "STOP", "stopPrice": Decimal("1.15000"), "clientOrderId": "sl"}
STOP_LIMIT = {"type": "STOP_LIMIT", "price": Decimal("1.14900"), "stopPrice": Decimal("1.15000"), "clientOrderId": "sl"}


async def place(socket: RawSocket, *legs: dict[str, Any], side: str = "SELL", **more: Any) -> list[Any]:
    """Place a pair and read the two NEW executions."""
    rows: list[Any] = await socket.call("neworderoco", socket.oco(side, 10000, *legs, **more))
    assert [(await socket.execution())["status"] for _ in range(2)] == ["NEW", "NEW"]
    return rows


@pytest.mark.parametrize("ids", list(OcoIds))
@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_the_answer_has_a_row_a_leg_and_the_ids_of_the_switch(dialect: str, ids: OcoIds) -> None:
    async with acttrader(dialect, oco_ids=ids) as raw:
        socket = await raw.connect()
        rows = await socket.call("neworderoco", socket.oco("SELL", 10000, TAKE_PROFIT, STOP_LIMIT))
        first = rows[0]["orderId"]
        same = ids is not OcoIds.OWN
        login = {} if dialect == "draft" else {"login": socket.login}
        assert rows == [
            {"orderId": first, "clientOrderId": "tp", "status": "NEW", "type": "LIMIT", **login},
            {"orderId": first + 1, "clientOrderId": "tp" if same else "sl", "status": "NEW", "type": "STOP_LIMIT"}
            | login,
        ]
        told = [(await socket.execution())["clientOrderId"] for _ in range(2)]
        listed = [row["clientOrderId"] for row in await socket.call("orders")]
        assert told == listed == (["tp", "tp"] if ids is OcoIds.SAME_EVERYWHERE else ["tp", "sl"])


async def test_each_dialect_shows_the_ids_of_its_page() -> None:
    for dialect, expected in (("draft", ["tp", "tp"]), ("final", ["tp", "sl"])):
        async with acttrader(dialect) as raw:
            socket = await raw.connect()
            assert [row["clientOrderId"] for row in await place(socket, TAKE_PROFIT, STOP_LOSS)] == expected


@pytest.mark.parametrize("status", list(EndStatus))
@pytest.mark.parametrize("dialect", ["draft", "final"])
@pytest.mark.parametrize(("mid", "filled", "ended"), [("1.18", "tp", "sl"), ("1.14", "sl", "tp")])
async def test_one_leg_ends_the_other(dialect: str, status: EndStatus, mid: str, filled: str, ended: str) -> None:
    async with acttrader(dialect, oco_status=status) as raw:
        socket = await raw.connect()
        await place(socket, TAKE_PROFIT, STOP_LOSS)
        raw.sim.market.set_mid("EURUSD", mid)
        told = [await socket.execution() for _ in range(2)]
        assert [(e["clientOrderId"], e["status"]) for e in told] == [(filled, "FILLED"), (ended, status.value)]
        assert told[1].get("reason") == (None if dialect == "draft" else "OCO_CONDITION")
        assert raw.sim.ledger.order(ended).end_reason is EndReason.LINKED_ORDER
        assert raw.sim.ledger.position("EURUSD").net == -10000
        assert await socket.nothing()


async def test_a_leg_that_fills_at_once_ends_the_other_before_it_rests() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        at_once = {**TAKE_PROFIT, "price": Decimal("1.16")}
        rows = await socket.call("neworderoco", socket.oco("SELL", 10000, at_once, STOP_LOSS))
        assert [row["status"] for row in rows] == ["NEW", "NEW"]
        told = [await socket.execution() for _ in range(2)]
        assert [e["status"] for e in told] == ["FILLED", "REJECTED"]
        raw.sim.market.set_mid("EURUSD", "1.10")
        assert await socket.nothing()
        assert raw.sim.ledger.position("EURUSD").net == -10000


async def test_never_both_legs_even_when_one_step_could_fill_both() -> None:
    async with acttrader("final", initial_book=False) as raw:
        socket = await raw.connect()
        high = {"type": "LIMIT", "price": Decimal("1.17"), "clientOrderId": "high"}
        low = {"type": "LIMIT", "price": Decimal("1.16"), "clientOrderId": "low"}
        await place(socket, high, low)
        raw.sim.place_external("EURUSD", side=Side.BUY, size="50000", price="1.18", login=raw.twin.foreign_login)
        assert sorted(order.state.name for order in raw.sim.ledger.orders()) == ["CANCELED", "FILLED"]
        assert raw.sim.ledger.position("EURUSD").net == -10000


@pytest.mark.parametrize(
    ("rule", "first", "rest"), [("FIRST_FILL", "CANCELED", "CANCELED"), ("WHOLE_FILL", "WORKING", "CANCELED")]
)
async def test_a_partial_fill_decides_or_not(rule: str, first: str, rest: str) -> None:
    async with acttrader("final", oco_rule=rule, all_or_none=False) as raw:
        socket = await raw.connect()
        await place(socket, TAKE_PROFIT, {**TAKE_PROFIT, "price": Decimal("1.18"), "clientOrderId": "other"})
        raw.trade("1.17", "4000", Side.BUY)
        assert raw.sim.ledger.order("tp").state is OrderState.WORKING
        assert raw.sim.ledger.order("other").state.name == first
        raw.trade("1.17", "6000", Side.BUY)
        assert raw.sim.ledger.order("tp").state is OrderState.FILLED
        assert raw.sim.ledger.order("other").state.name == rest


@pytest.mark.parametrize(("rule", "state"), [("TRIGGER", "CANCELED"), ("FIRST_FILL", "WORKING")])
async def test_a_reached_stop_decides_or_not(rule: str, state: str) -> None:
    async with acttrader("final", oco_rule=rule) as raw:
        socket = await raw.connect()
        await place(socket, TAKE_PROFIT, {**STOP_LIMIT, "price": Decimal("1.16")})
        raw.sim.market.set_mid("EURUSD", "1.14")  # the stop is reached, its limit is not
        assert raw.sim.ledger.order("tp").state.name == state
        assert raw.sim.ledger.order("sl").state is OrderState.WORKING


async def test_canceling_one_leg_leaves_the_other() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        rows = await place(socket, TAKE_PROFIT, STOP_LOSS)
        await socket.call("ordercancel", {"orderId": rows[0]["orderId"]})
        assert (await socket.execution())["reason"] == "USER"
        assert await socket.nothing()
        raw.sim.market.set_mid("EURUSD", "1.14")
        assert (await socket.execution())["status"] == "FILLED"


async def test_both_legs_share_their_lifetime() -> None:
    async with acttrader("draft") as raw:
        socket = await raw.connect()
        await place(socket, TAKE_PROFIT, STOP_LOSS, lifeTime="2099-01-01T00:00:00.000Z")
        raw.sim.clock.advance(100 * 365 * 86_400)
        assert [(await socket.execution())["status"] for _ in range(2)] == ["CANCELED", "CANCELED"]
        assert {order.state for order in raw.sim.ledger.orders()} == {OrderState.EXPIRED}
