"""The WebSocket of the simulated sFOX: control, numbers and shapes (protocol 3, 8.1-8.5)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import Fault, Side
from nautilus_orderfeeds.venues.sfox.twin_words import (
    AckShape,
    ActionCase,
    BalancesShown,
    ErrorShape,
    FeedShape,
    InitialList,
    PayloadShape,
    Spelling,
)
from tests.support.sfox_raw import BALANCES, OPEN_ORDERS, TRADES, RawStream, sfox

# -- control ------------------------------------------------------------------------------------------------


async def test_the_documented_acknowledgements() -> None:
    async with sfox() as raw:
        stream = await raw.connect()
        ack = await stream.auth(raw.key)
        assert ack == {
            "type": "success",
            "sequence": 1,
            "timestamp": ack["timestamp"],
            "payload": {"action": "authenticate"},
            "action": "authenticate",
        }
        assert len(str(ack["timestamp"])) == 19
        ack = await stream.subscribe("ticker.sfox.btcusd")
        assert (ack["sequence"], ack["action"]) == (2, "subscribe")
        assert ack["payload"] == {"action": "subscribe", "feeds": ["ticker.sfox.btcusd"]}
        ack = await stream.subscribe(TRADES)
        assert set(ack["payload"]["feeds"]) == {"ticker.sfox.btcusd", TRADES}  # all of them
        await stream.send({"type": "unsubscribe", "feeds": ["ticker.sfox.btcusd"]})
        ack = await stream.receive()
        assert (ack["sequence"], ack["payload"]) == (4, {"action": "unsubscribe", "feeds": [TRADES]})


async def test_acknowledgements_of_2018_have_no_payload() -> None:
    async with sfox(ack_shape=AckShape.BARE) as raw:
        stream = await raw.connect()
        for ack in (await stream.auth(raw.key), await stream.subscribe(TRADES)):
            assert set(ack) == {"type", "sequence", "timestamp"}


@pytest.mark.parametrize("shape", ErrorShape)
async def test_a_wrong_key_is_an_error_and_nothing_more(shape: ErrorShape) -> None:
    async with sfox(error_shape=shape) as raw:
        stream = await raw.connect()
        for key, more in (("nobody", {}), (None, {}), (raw.key, {"enterprise": True}), (raw.key, {"enterprise": 1})):
            answer = await stream.auth(key, **more)
            match shape:
                case ErrorShape.TYPE:
                    assert (answer["type"], answer["payload"]) == ("error", {"action": "authenticate"})
                case ErrorShape.ERROR_KEY:
                    assert answer["error"]
                    assert "type" not in answer
        assert raw.key not in json.dumps(stream.log[-1])
        await stream.subscribe(OPEN_ORDERS)
        assert "error" in json.dumps(stream.log[-1])
        assert (await stream.auth(raw.key))["type"] == "success"
        assert [message["sequence"] for message in stream.log] == [1, 2, 3, 4, 5, 6]


async def test_subscribing_needs_authentication_and_known_feeds() -> None:
    async with sfox() as raw:
        stream = await raw.connect()
        assert (await stream.subscribe("ticker.sfox.btcusd"))["type"] == "error"
        raw.twin.options.market_data_needs_auth = False
        assert (await stream.subscribe("ticker.sfox.btcusd"))["type"] == "success"
        assert (await stream.subscribe(BALANCES))["type"] == "error"
        await stream.auth(raw.key)
        for feeds in (["nothing"], ["ticker.sfox.nousd"], ["private.enterprise.users.trades"], []):
            assert (await stream.subscribe(*feeds))["type"] == "error"
        for text in ("{", "[]", '{"type":"subscribe"}', '{"type":"what"}'):
            await stream.send(text)
            assert (await stream.receive())["type"] == "error"
        raw.sim.market.trade("btcusd", "43230", "0.1")
        assert await stream.quiet()


async def test_the_example_of_the_page_subscribes_without_waiting() -> None:
    async with sfox() as raw:
        stream = await raw.connect()
        await stream.send({"type": "authenticate", "apiKey": raw.key})
        await stream.send({"type": "subscribe", "feeds": [OPEN_ORDERS]})
        assert [(await stream.receive())["type"] for _ in range(2)] == ["success", "success"]
        assert await stream.data(OPEN_ORDERS) == []


# -- numbers ------------------------------------------------------------------------------------------------


async def _numbers(stream: RawStream, count: int) -> list[int]:
    return [(await stream.receive())["sequence"] for _ in range(count)]


async def test_each_connection_counts_for_itself_and_can_skip_and_swap() -> None:
    async with sfox() as raw:
        account = raw.twin.account()
        first, second = await raw.stream(), await raw.stream(TRADES)
        order = account.place("btcusd", Side.BUY, "1", "43000")
        assert await _numbers(first, 1) == [4]  # two acknowledgements and the initial list came before
        account.fill(order, "0.1")
        assert await _numbers(first, 2) == [5, 6]
        assert await _numbers(second, 1) == [3]
        raw.twin.skip_sequence(2)
        account.fill(order, "0.1")
        assert await _numbers(first, 2) == [9, 10]
        assert await _numbers(second, 1) == [6]
        raw.twin.swap_sequence()
        account.fill(order, "0.1")
        assert await _numbers(first, 2) == [12, 11]
        account.fill(order, "0.1")
        assert await _numbers(first, 2) == [13, 14]
        assert await _numbers(second, 2) == [8, 7]
        again = await raw.connect()
        assert (await again.auth(raw.key))["sequence"] == 1


async def test_lost_frames_leave_a_gap_and_reordered_ones_a_swap() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        raw.sim.faults.once(Fault.DROP, where="orders/update")
        await raw.order(quantity="0.1")
        await raw.order(quantity="0.1")
        assert await _numbers(stream, 1) == [5]
        raw.sim.faults.once(Fault.REORDER, where="orders/update")
        await raw.order(quantity="0.1")
        await raw.order(quantity="0.1")
        assert await _numbers(stream, 2) == [7, 6]
        raw.sim.faults.once(Fault.DOUBLE, where=OPEN_ORDERS)
        await raw.order(quantity="0.1")
        assert await _numbers(stream, 2) == [8, 8]


# -- initial lists ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", InitialList)
@pytest.mark.parametrize("is_open", [True, False])
async def test_what_follows_a_subscription(wanted: InitialList, is_open: bool) -> None:
    async with sfox(initial_orders=wanted, initial_trades=wanted, initial_balances=wanted) as raw:
        if is_open:
            order = raw.twin.account().place("btcusd", Side.BUY, "1", "43000")
            raw.twin.account().fill(order, "0.25")
        stream = await raw.connect()
        await stream.auth(raw.key)
        await stream.subscribe(OPEN_ORDERS, TRADES, BALANCES)
        if wanted is InitialList.ALWAYS or (wanted is InitialList.IF_ANY and is_open):
            orders = await stream.data(OPEN_ORDERS)
            assert [row["filled"] for row in orders] == (["0.25"] if is_open else [])
            assert len(await stream.data(TRADES)) == len(orders)
        if wanted is not InitialList.NEVER:
            assert len(await stream.data(BALANCES)) == 4
        assert await stream.quiet()


async def test_ended_orders_are_not_in_the_initial_list_and_it_may_be_stale() -> None:
    async with sfox(cancel_delay_secs=0.0) as raw:
        order = await raw.order()
        await raw.cancel(order)
        await raw.stream()
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="orders/initial", lag=2)
        stream = await raw.connect()
        await stream.auth(raw.key)
        await stream.subscribe(OPEN_ORDERS)
        assert [row["status"] for row in await stream.data(OPEN_ORDERS)] == ["Started"]


# -- shapes -------------------------------------------------------------------------------------------------

_ORDER = {
    *("id", "client_order_id", "date_added", "status", "filled", "filled_amount", "vwap", "price", "quantity"),
    *("pair", "action", "type", "algorithm_id", "fees"),
}


async def test_an_order_on_the_feed_is_a_subset_of_strings() -> None:
    async with sfox() as raw:
        stream = await raw.stream()
        await raw.order(client_order_id="x", price="37227.82", quantity="0.05")
        (row,) = await stream.data(OPEN_ORDERS)
        assert set(row) == _ORDER
        assert (row["price"], row["quantity"], row["filled"], row["vwap"]) == ("37227.82", "0.05", "0", "0")
        assert isinstance(row["id"], int)
        assert isinstance(row["algorithm_id"], int)
        raw.twin.options.feed_shape = FeedShape.TABLE
        raw.twin.options.feed_without = ("pair", "price")
        await raw.order()
        (row,) = await stream.data(OPEN_ORDERS)
        assert _ORDER - {"pair", "price"} < set(row)
        assert {"net_proceeds", "dateupdated", "time_in_force"} < set(row)
        assert not {"status_code", "user_tx_id", "pair", "price"} & set(row)
        raw.twin.options.feed_shape = FeedShape.REST
        await raw.order()
        assert "status_code" in (await stream.data(OPEN_ORDERS))[0]


async def test_decimals_may_be_numbers_or_padded() -> None:
    async with sfox(feed_numbers=True) as raw:
        stream = await raw.stream()
        order = raw.twin.account().place("btcusd", Side.BUY, "1", "43000")
        assert (await stream.data(OPEN_ORDERS))[0]["price"] == 43_000
        raw.twin.account().fill(order, "0.01")
        assert (await stream.data(TRADES))[0]["quantity"] == Decimal("0.01")
        raw.twin.options.feed_numbers, raw.twin.options.padded_decimals = False, True
        raw.twin.account().fill(order, "0.01")
        assert (await stream.data(TRADES))[0]["quantity"] == "0.01000000"


@pytest.mark.parametrize(("spelling", "words"), [(Spelling.SENTENCE, "Cancel pending"), (Spelling.LOWER, "canceled")])
async def test_status_and_side_vary_in_spelling(spelling: Spelling, words: str) -> None:
    async with sfox(spelling=spelling, action_case=ActionCase.UPPER) as raw:
        stream = await raw.stream()
        order = raw.twin.account().place("btcusd", Side.SELL, "1", "44000")
        raw.twin.account().cancel(order)
        seen = [(await stream.data(OPEN_ORDERS))[0] for _ in range(3)]
        assert words in [row["status"] for row in seen]
        assert {row["action"] for row in seen} == {"SELL"}
        assert (await raw.get(f"/v1/orders/{order.venue_order_id}"))["status"] == seen[-1]["status"]


@pytest.mark.parametrize("shape", PayloadShape)
async def test_the_payload_is_an_array_an_object_or_a_text(shape: PayloadShape) -> None:
    async with sfox(payload_shape=shape) as raw:
        stream = await raw.stream(TRADES)
        order = raw.twin.account().place("btcusd", Side.BUY, "1", "43000")
        raw.twin.account().fill(order, "0.01")
        payload: Any = await stream.data(TRADES)
        match shape:
            case PayloadShape.ARRAY:
                (row,) = payload
            case PayloadShape.OBJECT:
                row = payload
            case PayloadShape.TEXT:
                assert isinstance(payload, str)
                (row,) = json.loads(payload)
        assert row["quantity"] == "0.01"


async def test_a_fill_on_the_feed_has_the_fields_of_the_sample() -> None:
    async with sfox() as raw:
        stream = await raw.stream()
        order = await raw.order("sell", price="43000", quantity="0.01")
        (row,) = await stream.data(TRADES)
        assert set(row) == {
            *("trade_id", "order_id", "date_updated", "action", "currency_pair", "quantity", "amount", "price"),
            *("fees", "net_amount"),
        }
        assert (row["order_id"], row["action"], row["currency_pair"]) == (order["id"], "Sell", "btcusd")
        assert Decimal(row["net_amount"]) == Decimal(row["amount"]) - Decimal(row["fees"])


# -- balances -----------------------------------------------------------------------------------------------


async def test_balances_follow_orders_and_may_list_only_what_changed() -> None:
    async with sfox() as raw:
        stream = await raw.stream(BALANCES)
        await raw.order(price="40000", quantity="1")
        rows = {row["currency"]: row for row in await stream.data(BALANCES)}
        assert set(rows) == {"usd", "btc", "eth", "usdc"}
        assert (rows["usd"]["balance"], rows["usd"]["available"], rows["usd"]["held"]) == ("100000", "60000", "40000")
        raw.twin.options.balances_shown = BalancesShown.CHANGED
        await raw.order("sell", price="44000", quantity="1")
        assert [row["currency"] for row in await stream.data(BALANCES)] == ["btc"]
        raw.twin.account().deposit("eth", "3")
        assert await stream.data(BALANCES) == [
            {
                "currency": "eth",
                "balance": "3",
                "available": "3",
                "held": "0",
                "borrow_wallet": "0",
                "collateral_wallet": "0",
                "lending_wallet": "0",
                "trading_wallet": "3",
            }
        ]
        raw.twin.send_web3_balance()
        assert (await stream.data(BALANCES))["type"] == "web3"


async def test_the_credit_feed_tells_once_that_there_is_none() -> None:
    async with sfox() as raw:
        stream = await raw.connect()
        await stream.auth(raw.key)
        await stream.subscribe("private.user.post-trade-settlement")
        assert (await stream.data("private.user.post-trade-settlement"))["enabled"] is False
        await raw.order("sell", price="43000", quantity="0.01")
        assert await stream.quiet()
