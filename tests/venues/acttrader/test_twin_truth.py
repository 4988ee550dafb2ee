"""Whatever is asked and however it is told, the wire never contradicts the ledger (protocol 6, 7)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.sim import Side
from tests.support.acttrader_raw import RawActTrader, RawSocket, acttrader

TICK = Decimal("0.00001")
ENDS = ("FILLED", "CANCELED", "REJECTED")

prices = st.integers(-60, 60).map(lambda ticks: Decimal("1.16300") + ticks * TICK)
sizes = st.integers(1, 40).map(lambda thousands: thousands * 1000)
sides = st.sampled_from(("BUY", "SELL"))
commands = st.lists(
    st.one_of(
        st.tuples(
            st.just("new"), st.sampled_from(("MARKET", "LIMIT", "STOP", "STOP_LIMIT")), sides, sizes, prices, prices
        ),
        st.tuples(st.just("oco"), sides, sizes, prices, prices),
        st.tuples(st.just("modify"), st.integers(0, 9), sizes),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("mid"), prices),
        st.tuples(st.just("trade"), prices, sizes, st.sampled_from(Side)),
    ),
    min_size=3,
    max_size=20,
)
switches = st.fixed_dictionaries(
    {
        "dialect": st.sampled_from(("draft", "final")),
        "all_or_none": st.booleans(),
        "execution_steps": st.sampled_from(("together", "each")),
        "execution_fills": st.sampled_from(("cumulative", "incremental")),
        "execution_copies": st.integers(1, 2),
        "new_answer": st.sampled_from(("before", "after", "never")),
        "cancel_execution": st.booleans(),
        "oco_rule": st.sampled_from(("FIRST_FILL", "WHOLE_FILL", "TRIGGER")),
        "stop_source": st.sampled_from(("MARK", "LAST")),
    }
)


async def act(raw: RawActTrader, socket: RawSocket, command: tuple[Any, ...]) -> None:
    orders = raw.sim.ledger.orders()
    match command:
        case ("new", kind, side, size, price, stop):
            has_price, has_stop = kind in ("LIMIT", "STOP_LIMIT"), kind in ("STOP", "STOP_LIMIT")
            order = socket.order(kind, side, size, price if has_price else None, stop if has_stop else None)
            await socket.ask("newordersingle", order)
        case ("oco", side, size, price, stop):
            legs = {"type": "LIMIT", "price": price}, {"type": "STOP", "stopPrice": stop}
            await socket.ask("neworderoco", socket.oco(side, size, *legs))
        case ("modify", number, size) if number < len(orders):
            await socket.ask("modifyordersingle", {"orderId": int(orders[number].venue_order_id), "quantity": size})
        case ("cancel", number) if number < len(orders):
            await socket.ask("ordercancel", {"orderId": int(orders[number].venue_order_id)})
        case ("mid", price):
            raw.sim.market.set_mid("EURUSD", price)
        case ("trade", price, size, side):
            raw.trade(price, str(size), side)


async def read_all(socket: RawSocket) -> list[Any]:
    """Everything that came up to now."""
    last = await socket.ask("nonsense")
    messages = []
    while (message := await socket.receive()).get("requestId") != last:
        messages.append(message)
    return messages


def check_executions(told: list[Any], incremental: bool, copies: int) -> None:
    """One order's executions: each as often as it should be, quantities grow, fills explain them, one end."""
    assert all(told[n : n + copies] == [told[n]] * copies for n in range(0, len(told), copies))
    told = told[::copies]
    filled = Decimal(0)
    for number, row in enumerate(told):
        listed = sum((Decimal(fill["qty"]) for fill in row.get("fills", [])), Decimal(0))
        assert row["executedQty"] >= filled
        assert listed == (row["executedQty"] - filled if incremental else row["executedQty"])
        filled = Decimal(row["executedQty"])
        assert (row["status"] in ENDS) <= (number == len(told) - 1)
        assert (row["status"] == "FILLED") == (row["executedQty"] == row["origQty"])
        assert (row["status"] == "PARTIAL_FILL") <= (0 < row["executedQty"] < row["origQty"])


async def play(options: dict[str, Any], flow: list[tuple[Any, ...]]) -> None:
    async with acttrader(**options) as raw:
        socket = await raw.connect()
        executions: dict[int, list[Any]] = defaultdict(list)
        for command in flow:
            await act(raw, socket, command)
            for message in await read_all(socket):
                if message["event"] == "execution":
                    executions[message["payload"]["orderId"]].append(message["payload"])
        for order in raw.sim.ledger.orders():
            order_id = int(order.venue_order_id)
            told = executions.pop(order_id, [])
            check_executions(told, options["execution_fills"] == "incremental", options["execution_copies"])
            status = await socket.call("orderstatus", {"orderId": order_id})
            fills = [(fill.price, fill.size) for fill in raw.sim.ledger.fills(order)]
            assert [(fill["price"], fill["qty"]) for fill in status["fills"]] == fills
            assert (status["executedQty"], status["origQty"]) == (order.filled, order.quantity)
            assert (status["status"] in ENDS) == (not order.is_open)
            is_silent = not options["cancel_execution"] and order.end_reason.name == "USER"
            if told and not is_silent:
                assert {k: told[-1][k] for k in ("status", "executedQty")} == {
                    k: status[k] for k in ("status", "executedQty")
                }
        assert not executions  # nothing was told of orders that do not exist
        listed = {row["orderId"] for row in await socket.call("orders")}
        assert listed == {
            int(order.venue_order_id)
            for order in raw.sim.ledger.orders(is_open=True)
            if order.info["type"].name != "MARKET"  # type: ignore[attr-defined]
        }


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(switches, commands)
def test_the_wire_agrees_with_the_ledger(options: dict[str, Any], flow: list[tuple[Any, ...]]) -> None:
    asyncio.run(play(options, flow))
