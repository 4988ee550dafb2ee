"""The stream of the simulated Roxom: who gets what and when (protocol 5)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import websockets

from nautilus_orderfeeds.sim import Fault, OrderState, Side
from nautilus_orderfeeds.sim.connection import Connection
from tests.support.roxom_raw import GOLD, RawStream, roxom

D = Decimal
POSITION_FIELDS = {
    *("id", "symbol", "accountId", "side", "entryAmount", "exitAmount", "size", "tradeMode", "openDate", "closeDate"),
    *("avgEntry", "avgExit", "entryFees", "exitFees", "positionBalance", "initialMargin", "maintenanceMargin"),
    *("liquidationPrice", "leverage", "unrealizedPnl", "realizedPnl", "markPrice", "status", "updatedAt", "createdAt"),
}


async def test_every_socket_of_the_account_gets_every_event_or_only_subscribers() -> None:
    async with roxom(pending_update=False) as raw:
        first, second = await raw.stream(), await raw.stream()
        await raw.order("buy", "1.00", "0.0480")
        assert await first.event() == await second.event()
        raw.twin.options.delivery = type(raw.twin.options.delivery).SUBSCRIBED
        assert (await second.subscribe("orders"))["arg"] == {"channel": "orders"}
        order_id = await raw.order("buy", "1.00", "0.0480")
        assert (await second.event())["orderId"] == order_id
        assert await first.nothing()


@pytest.mark.parametrize("when", ["before", "after", "without"])
async def test_events_come_before_or_after_the_reply_or_never(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with roxom(create_stream=when, cancel_stream=when) as raw:
        stream = await raw.stream()
        answers_before: list[int] = []
        send = Connection.send

        def noted(connection: Connection, text: str, *names: str) -> None:
            answers_before.append(len(raw.sim.requests))  # those that were written already
            send(connection, text, *names)

        monkeypatch.setattr(Connection, "send", noted)
        order_id = await raw.order("buy", "1.00", "0.0480")
        await raw.cancel(order_id)
        if when == "without":
            assert answers_before == []
            assert await stream.nothing()
        else:
            assert await stream.statuses(3) == ["pendingsubmit", "submitted", "cancelled"]
            assert answers_before == ([0, 0, 1] if when == "before" else [1, 1, 2])
        assert (await raw.one(order_id))["status"] == "cancelled"


async def test_the_reply_can_be_read_long_before_the_order_is_processed() -> None:
    async with roxom(match_delay_secs=0.2) as raw:
        stream = await raw.stream()
        await raw.order("buy", "1.00", "0.0480")
        assert await stream.statuses(1) == ["pendingsubmit"]
        assert [order.state for order in raw.sim.ledger.orders()] == [OrderState.PENDING]
        assert await stream.statuses(1) == ["submitted"]


async def test_dropped_events_can_be_read_over_rest() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        order_id = await raw.order("sell", "1.00", "0.0490")
        assert await stream.statuses(2) == ["pendingsubmit", "submitted"]
        raw.sim.faults.arm(Fault.DROP, where="orders/update/fill")
        raw.sim.market.trade(GOLD, "0.0490", "0.5", Side.BUY)
        raw.sim.faults.calm()
        await raw.cancel(order_id)
        end = await stream.event()
        assert (end["status"], end["executedQty"]) == ("partiallyfilledcancelled", "0.50")
        assert (await raw.one(order_id))["amountFilled"] == "0.50"
        [row] = (await raw.get("/accounts/transaction-log?unit=btc"))["logs"][:1]
        assert (row["orderId"], row["amount"], row["isTaker"]) == (order_id, "0.50", False)


async def test_doubled_events_are_the_same_text() -> None:
    async with roxom(pending_update=False) as raw:
        stream = await raw.stream()
        raw.sim.faults.once(Fault.DOUBLE, where="orders/update/submitted")
        await raw.order("buy", "1.00", "0.0480")
        assert await stream.socket.receive_str() == await stream.socket.receive_str()


async def test_a_fill_is_followed_by_balance_position_and_account() -> None:
    async with roxom(account_events=True, fills_shown="merged") as raw:
        stream = await raw.stream()
        await raw.order("buy", "0.50", "0.0490")
        [fill] = raw.sim.ledger.fills()
        balance = await stream.event("balance")
        assert balance.pop("timestamp") == fill.time_ns
        assert balance == {
            "accountId": raw.twin.accounts[0].account_id,
            "balanceBefore": "10.00000000",
            "balanceAfter": f"{raw.sim.ledger.balance('BTC'):.8f}",
            "amount": f"{-fill.fee:.8f}",
            "unit": "btc",
            "updateType": "ordersettle",
        }
        [position] = await stream.event("position")
        assert set(position) == POSITION_FIELDS
        assert (position["side"], position["size"], position["symbol"]) == ("long", "0.50", GOLD)
        assert len(str(position["openDate"])) == 13
        assert len(str(position["updatedAt"])) == 19
        assert (await stream.event("account"))["accountId"] == raw.twin.accounts[0].account_id
        raw.twin.deposit("1")
        assert (await stream.event("balance"))["updateType"] == "transfer"


async def test_positions_are_closed_and_flipped_with_ids_of_their_own() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        await raw.order("buy", "0.50", "0.0490")
        opened = (await stream.until(lambda m: m.get("type") == "order" and m["data"]["status"] == "filled"))["data"]
        assert opened["exitPositionId"] is None
        await raw.order("sell", "0.80", "0.0480")
        flipped = (await stream.until(lambda m: m.get("type") == "order" and m["data"]["status"] == "filled"))["data"]
        assert flipped["exitPositionId"] == opened["entryPositionId"]
        assert flipped["entryPositionId"] not in (None, opened["entryPositionId"])
        [position] = await stream.event("position")
        assert (position["id"], position["side"], position["size"]) == (flipped["entryPositionId"], "short", "0.30")


@pytest.mark.parametrize(("unit", "average"), [("btc", "0.04900000"), ("sats", "4900000")])
async def test_prices_of_events_are_in_either_unit(unit: str, average: str) -> None:
    async with roxom(event_unit=unit, null_before_fill=True, reasons=False) as raw:
        stream = await raw.stream()
        order_id = await raw.order("sell", "1.00", "0.0490")
        fresh = await stream.event()
        assert (fresh["fillPx"], fresh["filledFees"], fresh["limitPrice"]) == (None, None, average)
        raw.sim.market.trade(GOLD, "0.0490", "0.5", Side.BUY)
        await raw.cancel(order_id)
        end = await stream.until(lambda m: m.get("type") == "order" and m["data"]["status"].endswith("cancelled"))
        assert (end["data"]["avgPx"], end["data"]["fillPx"], end["data"]["reason"]) == (average, average, None)


async def test_the_time_of_an_event_may_be_that_of_the_creation() -> None:
    async with roxom(event_time="created") as raw:
        stream = await raw.stream()
        order_id = await raw.order("buy", "1.00", "0.0480")
        await raw.cancel(order_id)
        times = {(await stream.event())["timestamp"] for _ in range(3)}
        assert times == {raw.sim.ledger.order(order_id).created_ns}


async def test_subscriptions_are_acknowledged_limited_and_lost_with_the_connection() -> None:
    async with roxom(max_subscriptions=2) as raw:
        stream = await raw.stream()
        ack = await stream.subscribe("level1", GOLD)
        assert len(ack.pop("connId")) == 36
        assert ack == {"event": "subscribe", "arg": {"channel": "level1", "instId": GOLD}, "code": "0", "msg": ""}
        assert (await stream.subscribe("orders"))["code"] == "0"
        assert (await stream.subscribe("balance"))["code"] == "60016"
        await stream.op("unsubscribe", {"channel": "level1", "symbol": GOLD})
        assert (await stream.until(lambda m: "event" in m))["event"] == "unsubscribe"
        raw.sim.disconnect_all(abort=False)
        async for message in stream.socket:
            assert message.type is aiohttp.WSMsgType.TEXT
        again = await raw.stream()
        raw.sim.market.step()
        assert await again.nothing()


@pytest.mark.parametrize(
    ("shape", "keys"), [("bare", {"event", "arg"}), ("full", {"event", "arg", "code", "msg", "connId"})]
)
async def test_acknowledgements_have_two_shapes(shape: str, keys: set[str]) -> None:
    async with roxom(ack=shape) as raw:
        assert set(await (await raw.stream()).subscribe("orders")) == keys


async def test_there_may_be_no_acknowledgement_at_all() -> None:
    async with roxom(ack="none") as raw:
        stream = await raw.stream()
        await stream.op("subscribe", {"channel": "orders"}, {"channel": "level1", "symbol": GOLD})
        assert (await stream.receive())["topic"] == f"level1.{GOLD}"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"op": "subscribe", "args": [{"channel": "candles", "symbol": GOLD}]}, "60014"),
        ({"op": "subscribe", "args": [{"channel": "depth", "symbol": "SILVER-BTC"}]}, "60015"),
        ({"op": "subscribe", "args": [{"channel": "depth"}]}, "60015"),
        ({"op": "subscribe", "args": ["orders"]}, "60014"),
        ("{", "60017"),
        ("[]", "60017"),
        ({"op": "login"}, "60017"),
        (b"{}", "60018"),
    ],
)
async def test_bad_messages_have_the_documented_codes(message: Any, code: str) -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        await (stream.socket.send_bytes(message) if isinstance(message, bytes) else stream.send(message))
        error = await stream.receive()
        assert (error["event"], error["code"]) == ("error", code)
        assert set(error) == {"event", "code", "msg", "connId"}
        raw.twin.fail_next_subscribe()
        assert (await stream.subscribe("orders"))["code"] == "60019"
        assert (await stream.subscribe("orders"))["code"] == "0"


async def test_level1_and_ticker_begin_with_what_there_is() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        await stream.subscribe("level1", GOLD)
        bids, asks = raw.sim.market.book(GOLD)
        first = await stream.topic(f"level1.{GOLD}")
        assert [D(x) for x in first["data"]["bid"]] == list(bids[0])
        assert [D(x) for x in first["data"]["ask"]] == list(asks[0])
        assert len(str(first["createdTime"])) == 19
        await stream.subscribe("ticker", GOLD)
        ticker = (await stream.topic(f"ticker.{GOLD}"))["data"]
        assert (ticker["lastPrice"], ticker["markPrice"], ticker["unit"]) == (None, "0.04858200", "btc")
        raw.sim.market.set_mid(GOLD, "0.0490")
        moved = await stream.topic(f"level1.{GOLD}")
        assert D(moved["data"]["bid"][0]) == raw.sim.market.best(GOLD)[0]


@pytest.mark.parametrize(("empty", "shown"), [("empty_list", []), ("null", None), ("zeros", ["0.00000000", "0.00"])])
async def test_an_empty_side_is_shown_in_one_of_three_ways(empty: str, shown: object) -> None:
    async with roxom(empty_side=empty, initial_book=False) as raw:
        stream = await raw.stream()
        await stream.subscribe("level1", GOLD)
        data = (await stream.topic(f"level1.{GOLD}"))["data"]
        assert data["bid"] == data["ask"] == shown


async def test_a_trade_is_the_sum_of_one_takers_matches() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        await stream.subscribe("trade", GOLD)
        order_id = await raw.order("buy", "8.00")
        fills = raw.sim.ledger.fills(order_id)
        data = (await stream.topic(f"trade.{GOLD}"))["data"]
        assert (data["takerSide"], data["volume"]) == ("buy", "8.00")
        assert (D(data["minPx"]), D(data["maxPx"])) == (fills[0].price, fills[-1].price)
        order = raw.sim.ledger.order(order_id)
        assert data["vwap"] == f"{order.notional / order.filled:.8f}"


async def rebuilt(stream: RawStream, snapshot: dict[str, Any], wanted: object, *, signed: bool) -> dict[str, Any]:
    """Apply deltas to a depth snapshot until it is the wanted book."""
    book = {side: {D(p): D(q) for p, q in snapshot["data"][side]} for side in ("bid", "ask")}
    while book != wanted:
        delta = await stream.topic(f"depth.{GOLD}")
        assert delta["type"] == "delta"
        for side in ("bid", "ask"):
            for price, quantity in ((D(p), D(q)) for p, q in delta["data"][side]):
                left = book[side].get(price, D(0)) + quantity if signed else quantity
                if left > 0:
                    book[side][price] = left
                else:
                    del book[side][price]
    return book


@pytest.mark.parametrize("signed", [True, False])
async def test_depth_adds_up_also_for_who_comes_in_between(signed: bool) -> None:
    async with roxom(depth_delta="signed" if signed else "absolute") as raw:
        first, second = await raw.stream(), await raw.stream()
        await first.subscribe("depth", GOLD)
        snapshot = await first.topic(f"depth.{GOLD}")
        raw.sim.market.step()
        await second.subscribe("depth", GOLD)
        later = await second.topic(f"depth.{GOLD}")
        for _ in range(20):
            raw.sim.market.step()
            await asyncio.sleep(0.005)
        bids, asks = raw.sim.market.book(GOLD)
        wanted = {"bid": dict(bids), "ask": dict(asks)}
        assert await rebuilt(first, snapshot, wanted, signed=signed) == wanted
        assert await rebuilt(second, later, wanted, signed=signed) == wanted


async def test_a_delta_may_name_another_symbol_than_its_topic() -> None:
    async with roxom(wrong_delta_symbol=True) as raw:
        stream = await raw.stream()
        await stream.subscribe("depth", GOLD)
        assert (await stream.topic(f"depth.{GOLD}"))["data"]["symbol"] == GOLD
        raw.sim.market.step()
        delta = await stream.topic(f"depth.{GOLD}")
        assert delta["type"] == "delta"
        assert delta["data"]["symbol"] != GOLD


async def test_pings_may_stay_unanswered() -> None:
    async with roxom() as raw:
        headers = raw.upgrade_headers()
        async with websockets.connect(raw.sim.base_url_ws, additional_headers=headers, ping_interval=None) as socket:
            await asyncio.wait_for(await socket.ping(), 3)
            raw.twin.stop_pongs()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(await socket.ping(), 0.15)
            async with websockets.connect(raw.sim.base_url_ws, additional_headers=headers) as another:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(await another.ping(), 0.15)


async def test_a_silent_client_may_be_closed() -> None:
    async with roxom(idle_secs=0.2) as raw:
        stream = await raw.stream()
        assert (await stream.socket.receive(timeout=3)).type is aiohttp.WSMsgType.CLOSE
