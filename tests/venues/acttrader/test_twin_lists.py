"""`orders` and `orderstatus` at the simulated ActTrader (protocol 5.4, 5.5, 6, 8.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import Fault, Side
from nautilus_orderfeeds.venues.acttrader.twin_fields import format_time
from tests.support.acttrader_raw import RawActTrader, RawSocket, acttrader

PAST = "2000-01-01T00:00:00.000Z"


async def ask(socket: RawSocket, payload: Any = None) -> Any:
    """The whole answer to `orders`."""
    await socket.ask("orders", payload)
    return await socket.receive()


async def fill_a_book(raw: RawActTrader, socket: RawSocket) -> dict[str, int]:
    """Orders of every kind: resting, stops, filled, canceled, market; clientOrderId -> orderId."""
    ids = {}
    for name, kind, price, stop in (
        ("limit", "LIMIT", "1.15", None),
        ("stop", "STOP", None, "1.2"),
        ("stop limit", "STOP_LIMIT", "1.21", "1.2"),
        ("filled", "LIMIT", "1.17", None),
        ("canceled", "LIMIT", "1.14", None),
        ("market", "MARKET", None, None),
    ):
        ids[name] = await socket.place(kind, "BUY", 10000, price, stop, clientOrderId=name)
        await socket.execution()
    await socket.call("ordercancel", {"orderId": ids["canceled"]})
    await socket.execution()
    return ids


def names(answer: Any) -> list[str]:
    return [row["clientOrderId"] for row in answer["payload"]]


async def test_the_draft_lists_pending_conditional_orders_without_a_request_id() -> None:
    async with acttrader("draft") as raw:
        socket = await raw.connect()
        await fill_a_book(raw, socket)
        answer = await ask(socket)
        assert set(answer) == {"event", "payload"}
        assert names(answer) == ["limit", "stop", "stop limit"]
        for row in answer["payload"]:
            assert row["__doubled__"] == ["type"]
            assert isinstance(row["transactTime"], int)
            assert not {"fills", "stopPrice", "tillTime", "reason"} & set(row)
        assert [row["price"] for row in answer["payload"]] == [Decimal("1.15"), 0, Decimal("1.21")]


async def test_the_final_dialect_lists_ended_ones_from_a_time_on() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        await fill_a_book(raw, socket)
        answer = await ask(socket, {"fromTime": PAST})
        assert answer["requestId"]
        assert names(answer) == ["limit", "stop", "stop limit", "filled", "canceled"]
        rows = {row["clientOrderId"]: row for row in answer["payload"]}
        assert [rows[name]["status"] for name in ("limit", "filled", "canceled")] == ["NEW", "FILLED", "CANCELED"]
        assert not any({"transactTime", "fills", "reason", "__doubled__"} & set(row) for row in answer["payload"])
        assert (rows["stop"]["stopPrice"], "price" in rows["stop"]) == (Decimal("1.2"), False)
        assert (rows["stop limit"]["stopPrice"], rows["stop limit"]["price"]) == (Decimal("1.2"), Decimal("1.21"))
        assert "stopPrice" not in rows["limit"]
        ended_ns = raw.sim.ledger.order("canceled").updated_ns
        later = format_time(ended_ns + 1_000_000)
        assert names(await ask(socket, {"fromTime": later})) == ["limit", "stop", "stop limit"]
        assert names(await ask(socket)) == names(await ask(socket, {})) == ["limit", "stop", "stop limit"]


async def test_the_final_list_leaves_out_what_ended_as_rejected() -> None:
    async with acttrader("final", expiry_status="REJECTED") as raw:
        socket = await raw.connect()
        await socket.place("LIMIT", "BUY", 10000, 1, tillTime="2099-01-01T00:00:00.000Z")
        await socket.execution()
        raw.sim.clock.advance(100 * 365 * 86_400)
        assert (await socket.execution())["status"] == "REJECTED"
        assert names(await ask(socket, {"fromTime": PAST})) == []


async def test_the_request_id_of_the_list_is_a_switch() -> None:
    for dialect in ("draft", "final"):
        async with acttrader(dialect, orders_request_id=dialect == "draft") as raw:
            answer = await ask(await raw.connect())
            assert ("requestId" in answer) == (dialect == "draft")


async def test_rows_may_look_filled_although_they_are_not() -> None:
    async with acttrader("final", orders_new_look_filled=True, orders_canceled_look_filled=True) as raw:
        socket = await raw.connect()
        ids = await fill_a_book(raw, socket)
        answer = await ask(socket, {"fromTime": PAST})
        assert {(row["status"], row["executedQty"]) for row in answer["payload"]} == {
            ("NEW", 10000),
            ("FILLED", 10000),
            ("CANCELED", 10000),
        }
        status = await socket.call("orderstatus", {"orderId": ids["limit"]})
        assert (status["executedQty"], status["fills"]) == (0, [])
        assert raw.sim.ledger.order("limit").filled == 0


async def test_a_partly_filled_row_never_looks_filled() -> None:
    async with acttrader("draft", orders_new_look_filled=True) as raw:
        socket = await raw.connect()
        await socket.place("LIMIT", "BUY", 10000, "1.16")
        await socket.execution()
        raw.trade("1.16", "4000", Side.SELL)
        await socket.execution()
        [row] = (await ask(socket))["payload"]
        assert (row["status"], row["executedQty"]) == ("PARTIAL_FILL", 4000)
        assert row["cummulativeQuoteQty"] == 4000 * Decimal("1.16")
        raw.twin.options.cummulative_quote_qty = False
        assert "cummulativeQuoteQty" not in (await ask(socket))["payload"][0]


async def test_the_draft_can_list_what_its_sample_shows() -> None:
    async with acttrader("draft", orders_include_ended=True, orders_include_market=True) as raw:
        socket = await raw.connect()
        await fill_a_book(raw, socket)
        rows = (await ask(socket))["payload"]
        assert [row["clientOrderId"] for row in rows][3:] == ["filled", "canceled", "market"]
        assert (rows[-1]["type"], rows[-1]["status"], rows[-1]["price"]) == ("MARKET", "FILLED", 0)


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_the_status_of_an_order_has_its_fills_and_times(dialect: str) -> None:
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        ids = await fill_a_book(raw, socket)
        filled = await socket.call("orderstatus", {"orderId": ids["filled"]})
        fill = raw.sim.ledger.fills("filled")[0]
        assert (filled["status"], filled["fills"]) == ("FILLED", [{"price": fill.price, "qty": 10000}])
        canceled = await socket.call("orderstatus", {"orderId": ids["canceled"]})
        assert (canceled["status"], canceled["executedQty"], "reason" in canceled) == ("CANCELED", 0, False)
        market = await socket.call("orderstatus", {"orderId": ids["market"]})
        assert (market["type"], "price" in market) == ("MARKET", dialect == "draft")
        unknown = await socket.refused("orderstatus", {"orderId": 5})
        assert unknown["error"] == ("order does not exist" if dialect == "draft" else "ORDER_NOT_EXISTS")
        raw.twin.options.status_fills = False
        assert "fills" not in await socket.call("orderstatus", {"orderId": ids["filled"]})


async def test_an_order_never_received_is_told_by_its_client_order_id() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        raw.sim.faults.once(Fault.DROP, where="newordersingle/request")
        await socket.ask("newordersingle", socket.order("LIMIT", "BUY", 10000, 1, clientOrderId="lost"))
        unknown = await socket.refused("orderstatus", {"clientOrderId": "lost"})
        assert unknown == {"event": "orderstatus", "error": "ORDER_NOT_EXISTS"}
        assert raw.sim.ledger.orders() == []


async def test_a_stale_list_and_a_stale_status_show_the_past() -> None:
    async with acttrader("draft") as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, "1.16")
        await socket.execution()
        raw.trade("1.16", "10000", Side.SELL)
        await socket.execution()
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="orders", lag=1)
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="orderstatus", lag=1)
        assert [row["status"] for row in (await ask(socket))["payload"]] == ["NEW"]
        assert (await socket.call("orderstatus", {"orderId": order_id}))["status"] == "NEW"
        assert (await ask(socket))["payload"] == []
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="orderstatus", lag=5)
        await socket.refused("orderstatus", {"orderId": order_id})
        assert (await socket.call("orderstatus", {"orderId": order_id}))["status"] == "FILLED"
