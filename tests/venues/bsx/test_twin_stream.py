"""The WebSocket of the simulated BSX, over real sockets (protocol 3.3, 5)."""

from __future__ import annotations

import time
from decimal import Decimal

import aiohttp
import pytest

from nautilus_orderfeeds.sim import Fault, Side
from nautilus_orderfeeds.venues.bsx.twin_options import ClockErrorShape
from tests.support.bsx_raw import bsx

UNSUPPORTED = "given channel/product is unsupported"


# -- control ------------------------------------------------------------------------------------------------


async def test_ping_pong_and_what_is_no_message() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.send({"op": "ping"})
        assert await stream.receive() == {"type": "pong"}
        for message in ("{", "[]", {"op": "dance"}, {}):
            await stream.send(message)
            assert (await stream.receive())["type"] == "error"
        await stream.send({"op": "ping"})
        assert await stream.receive() == {"type": "pong"}


async def test_auth_and_a_silent_second_one() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.auth()
        await stream.send(stream.auth_message())
        assert await stream.nothing()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"key": "secret-key-here"}, "api key not found"),
        ({"signature": "easy-signature"}, "invalid signature"),
        ({"timestamp": "now"}, "invalid timestamp"),
    ],
)
async def test_wrong_auth(changed: dict[str, str], message: str) -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.send(stream.auth_message(**changed))
        assert await stream.receive() == {"channel": "auth", "type": "error", "message": message, "code": 400}
        await stream.auth()  # and the connection is still good


async def test_a_clock_that_is_off_has_two_error_shapes() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        off = time.time_ns() - 100 * 10**9
        await stream.send(stream.auth_message(timestamp=off))
        error = await stream.receive()
        assert (error["channel"], error["code"]) == ("auth", 400)
        assert error["message"].startswith("timestamp should be closed to current timestamp (100.")
        raw.sim.twin.options.clock_error = ClockErrorShape.WITHOUT_CHANNEL
        await stream.send(stream.auth_message(timestamp=off))
        assert await stream.receive() == {
            "type": "error",
            "message": "timestamp should be close to current timestamp",
            "code": 400,
        }
        raw.sim.twin.options.clock_error = ClockErrorShape.WITH_CHANNEL
        raw.sim.faults.arm(Fault.CLOCK_SKEW, secs=100)
        await stream.send(stream.auth_message())
        assert (await stream.receive())["type"] == "error"
        raw.sim.faults.calm()
        await stream.auth()


async def test_an_expired_key_is_not_found() -> None:
    async with bsx() as raw:
        raw.sim.twin.expire_keys()
        stream = await raw.stream()
        await stream.send(stream.auth_message())
        assert (await stream.receive())["message"] == "api key not found"


async def test_errors_of_subscriptions_name_no_product() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.sub("orders")
        assert await stream.receive() == {
            "channel": "orders",
            "type": "error",
            "message": "not authenticated",
            "code": 401,
        }
        for channel, product in (("book", "XRP-PERP"), ("funding_rates", "BTC-PERP"), ("book", None), ("book", [])):
            await stream.send({"op": "sub", "channel": channel, "product": product})
            error = {"channel": channel, "type": "error", "message": UNSUPPORTED, "code": 400}
            assert await stream.receive() == error


async def test_bye_before_an_orderly_close_and_none_before_a_reset() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        raw.sim.disconnect_all(abort=False)
        assert await stream.receive() == {"type": "message", "message": "bye - service is shutting down"}
        assert (await stream.socket.receive(timeout=2)).type is aiohttp.WSMsgType.CLOSE
        stream = await raw.stream()
        raw.sim.disconnect_all()
        assert (await stream.socket.receive(timeout=2)).type in (
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.ERROR,
        )


async def test_an_idle_client_is_closed() -> None:
    async with bsx(idle_secs=0.1) as raw:
        stream = await raw.stream()
        assert (await stream.socket.receive(timeout=2)).type is aiohttp.WSMsgType.CLOSE


# -- orders -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ack", [True, False])
async def test_the_snapshot_with_and_without_an_ack(ack: bool) -> None:
    async with bsx(orders_ack=ack, zero_updated_at=True) as raw:
        await raw.order("SELL", "70000", "0.014")
        raw.sim.market.trade("BTC-PERP", "70000", "0.011", Side.BUY)
        await raw.order("BUY", "3000", "0.23", index=2)
        done = await raw.order("BUY", "65000", "0.1")
        stream = await raw.stream()
        await stream.auth()
        await stream.sub("orders")
        if ack:
            assert await stream.receive() == {"channel": "orders", "type": "subscribed"}
        snapshot = await stream.receive()
        assert (snapshot["channel"], snapshot["type"]) == ("orders", "snapshot")
        assert [(o["product_id"], o["status"], o["filled_size"]) for o in snapshot["data"]] == [
            ("BTC-PERP", "OPEN", "0.011"),
            ("ETH-PERP", "OPEN", "0"),
        ]
        assert {order["updated_at"] for order in snapshot["data"]} == {"0"}
        assert all(order["last_trades"] == [] for order in snapshot["data"])
        assert done["id"] not in [order["id"] for order in snapshot["data"]]


async def test_orders_reach_every_subscribed_connection_of_their_account_only() -> None:
    async with bsx(accounts=2) as raw:
        one, two, stranger, silent = [await raw.stream() for _ in range(4)]
        await one.orders()
        await two.orders()
        stranger._credentials = raw.sim.twin.credentials(1)  # type: ignore[call-arg]
        await stranger.orders()
        await silent.auth()
        await raw.order("BUY", "64000", "0.1")
        assert await one.statuses(2) == await two.statuses(2) == ["PENDING", "OPEN"]
        assert await stranger.nothing()
        assert await silent.nothing()
        await one.send({"op": "unsub", "channel": "orders"})
        assert await one.receive() == {"type": "unsubscribed", "channel": "orders"}
        await raw.order("BUY", "64000", "0.1")
        assert await two.statuses(2) == ["PENDING", "OPEN"]
        assert await one.nothing()


async def test_what_happened_while_away_is_in_the_next_snapshot() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        filled = await raw.order("BUY", "64000", "0.1")
        kept = await raw.order("BUY", "63000", "0.1")
        raw.sim.pause()
        raw.sim.market.trade("BTC-PERP", "64000", "0.1")
        raw.sim.market.trade("BTC-PERP", "63000", "0.02")
        await raw.sim.resume()
        snapshot = await (await raw.stream()).orders()
        assert [(o["id"], o["filled_size"]) for o in snapshot] == [(kept["id"], "0.02")]
        [done] = await raw.get("/order-history?statuses=DONE")
        assert (done["id"], done["filled_size"]) == (filled["id"], "0.1")


async def test_a_stale_snapshot_shows_the_past() -> None:
    async with bsx() as raw:
        await raw.order("BUY", "64000", "0.1")
        raw.sim.market.trade("BTC-PERP", "64000", "0.1")
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="orders/snapshot", lag=1)
        snapshot = await (await raw.stream()).orders()
        assert [(o["status"], o["filled_size"]) for o in snapshot] == [("OPEN", "0")]
        assert await (await raw.stream()).orders() == []


async def test_lost_doubled_and_swapped_updates_leave_the_ledger_alone() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("BUY", "64000", "0.5")
        await stream.statuses(2)
        faults = raw.sim.faults
        for fault in (Fault.DROP, Fault.DOUBLE, Fault.REORDER):
            faults.once(fault, where="orders/update")
        for _ in range(4):  # lost; doubled; swapped with the next one
            raw.sim.market.trade("BTC-PERP", "64000", "0.1")
        sizes = [(await stream.update())[0]["filled_size"] for _ in range(4)]
        assert sorted(sizes) == ["0.2", "0.2", "0.3", "0.4"] or sorted(sizes) == ["0.2", "0.3", "0.3", "0.4"]
        assert raw.sim.ledger.orders()[0].filled == Decimal("0.4")
        assert {i.fault for i in faults.log} == {Fault.DROP, Fault.DOUBLE, Fault.REORDER}


async def test_faults_can_name_a_status_or_fills() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        raw.sim.faults.once(Fault.DROP, where="orders/update/OPEN")
        raw.sim.faults.once(Fault.DROP, where="orders/update/fill")
        await raw.order("BUY", "64000", "0.5")
        raw.sim.market.trade("BTC-PERP", "64000", "0.1")
        raw.sim.market.trade("BTC-PERP", "64000", "0.4")
        updates = [(await stream.update())[0] for _ in range(2)]
        assert [(o["status"], o["filled_size"]) for o in updates] == [("PENDING", "0"), ("DONE", "0.5")]


async def test_frozen_connections_are_silent_and_end_when_all_is_calm() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        raw.sim.freeze_all()
        await raw.order("BUY", "64000", "0.5")
        await stream.send({"op": "ping"})
        with pytest.raises(TimeoutError):
            await stream.socket.receive(timeout=0.1)
        raw.sim.faults.calm()
        assert (await stream.socket.receive(timeout=2)).type in (
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.ERROR,
        )


# -- public -------------------------------------------------------------------------------------------------


async def test_the_book_snapshot_then_absolute_changes_with_a_rising_gsn() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.sub("book", "BTC-PERP")
        assert await stream.receive() == {"channel": "book", "product": "BTC-PERP", "type": "subscribed"}
        snapshot = await stream.receive()
        data = snapshot["data"]
        assert set(data) == {"bids", "asks", "timestamp", "gsn"}
        assert snapshot["timestamp"] == data["timestamp"]
        book = {side: {Decimal(p): Decimal(s) for p, s in data[side]} for side in ("bids", "asks")}
        prices = [Decimal(price) for price, _ in data["bids"]]
        assert prices == sorted(prices, reverse=True)
        gsns = [data["gsn"]]
        order = await raw.order("BUY", "64649.8", "0.1")
        for expected in ("0.1", "0.06", "0"):
            update = (await stream.receive())["data"]
            assert update["bids"][0] == ["64649.8", expected]
            gsns.append(update["gsn"])
            for side in ("bids", "asks"):
                for price, size in update[side]:
                    book[side][Decimal(price)] = Decimal(size)
            if expected == "0.1":
                raw.sim.market.trade("BTC-PERP", "64649.8", "0.04")
            else:
                await raw.call("DELETE", f"/order?order_id={order['id']}")
        assert gsns == sorted(set(gsns))
        assert gsns[-1] - gsns[0] > len(gsns) - 1  # with holes
        live = {side: {p: s for p, s in levels.items() if s} for side, levels in book.items()}
        bids, asks = raw.sim.market.book("BTC-PERP")
        assert live == {"bids": dict(bids), "asks": dict(asks)}


async def test_the_book_is_sent_again_and_again() -> None:
    async with bsx(book_snapshot_secs=0.05) as raw:
        stream = await raw.stream()
        await stream.sub("book", "ETH-PERP")
        kinds = [(await stream.receive())["type"] for _ in range(4)]
        assert kinds == ["subscribed", "snapshot", "snapshot", "snapshot"]


async def test_the_ticker_and_an_empty_side() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.sub("ticker", "BTC-PERP")
        _, snapshot = await stream.receive(), await stream.receive()
        data = snapshot["data"]
        assert (data["bid"]["price"], data["ask"]["price"]) == ("64649.5", "64650.5")
        assert isinstance(data["timestamp"], int)
        assert isinstance(data["gsn"], int)
        assert snapshot["timestamp"] == str(data["timestamp"])
        raw.sim.market.flow.pull("BTC-PERP")
        update = await stream.receive()
        assert update["type"] == "update"
        assert update["data"]["bid"] == update["data"]["ask"] == {"price": "0", "size": "0"}


async def test_a_public_trade_has_no_outer_time_and_the_makers_side() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.sub("trades", "BTC-PERP")
        assert (await stream.receive())["type"] == "subscribed"
        answer = await raw.order("BUY", "65000", "0.1")
        trade = await stream.receive()
        assert set(trade) == {"channel", "product", "type", "data"}
        [fill] = raw.sim.ledger.fills(answer["id"])
        assert trade["data"] == {
            "price": "64650.5",
            "size": "0.1",
            "maker_side": "sell",
            "id": f"0x{fill.trade_id}",
            "liquidation": False,
            "time": str(fill.time_ns),
        }


async def test_oracle_updates_are_named_by_the_asset() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.sub("oracle", "BTC-PERP")
        _, snapshot = await stream.receive(), await stream.receive()
        raw.sim.market.set_mark("BTC-PERP", "64678.262359500002", "64688.829657499995")
        update = await stream.receive()
        assert (snapshot["product"], update["product"]) == ("BTC-PERP", "BTC")
        assert (snapshot["type"], update["type"]) == ("snapshot", "update")
        data = update["data"]
        assert (data["asset"], data["mark_price"]) == ("BTC", "64678.262359500002")
        assert data["index_price"] == "64688.829657499995"
        assert update["timestamp"] == str(data["timestamp"])


async def test_the_funding_rate_comes_at_its_interval() -> None:
    async with bsx(funding_interval_secs=0.05) as raw:
        raw.sim.market.set_funding("BTC-PERP", "-0.000061")
        stream = await raw.stream()
        await stream.sub("funding_rate", "BTC-PERP")
        messages = [await stream.receive() for _ in range(3)]
        assert [m["type"] for m in messages] == ["subscribed", "snapshot", "update"]
        assert messages[2]["data"] == {"funding_rate": "-0.000061"}


async def test_unsubscribed_channels_are_silent() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.sub("book", "BTC-PERP")
        await stream.until(lambda m: m["type"] == "snapshot")
        await stream.send({"op": "unsub", "channel": "book", "product": "BTC-PERP"})
        assert await stream.receive() == {"type": "unsubscribed", "channel": "book", "product": "BTC-PERP"}
        raw.sim.market.step()
        assert await stream.nothing()


async def test_the_background_market_moves_by_itself() -> None:
    async with bsx(market_flow=True, tick_secs=0.02) as raw:
        stream = await raw.stream()
        await stream.sub("trades", "BTC-PERP")
        await stream.sub("ticker", "BTC-PERP")
        await stream.until(lambda m: m.get("channel") == "trades" and m["type"] == "update")
        await stream.until(lambda m: m.get("channel") == "ticker" and m["type"] == "update")
        raw.sim.stop_flow()
