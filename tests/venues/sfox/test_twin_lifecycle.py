"""The life of orders on the feeds of the simulated sFOX, and the freedom of its channels (protocol 6, 12.5)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import EndReason, Fault, OrderState, Side
from nautilus_orderfeeds.sim.model import TimeInForce
from nautilus_orderfeeds.sim.outbox import StreamOrder
from nautilus_orderfeeds.venues.sfox.twin_words import (
    CreateAnswer,
    FillsShown,
    FokFailure,
    Settlement,
    TradesOrder,
)
from tests.support.sfox_raw import BALANCES, OPEN_ORDERS, TRADES, RawSfox, RawStream, sfox


def _rest(raw: RawSfox, size: str = "1", side: Side = Side.BUY) -> Any:
    """A resting order from the web app."""
    return raw.twin.account().place("btcusd", side, size, "43000" if side is Side.BUY else "44000")


# -- statuses -----------------------------------------------------------------------------------------------


async def test_partial_fills_stay_started_then_filled_then_done_with_the_same_numbers() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        order = _rest(raw)
        for size in ("0.2", "0.3", "0.5"):
            raw.twin.account().fill(order, size)
        assert await stream.statuses("Started", "Started", "Started", "Filled", "Done") == [
            *(("Started", "0"), ("Started", "0.2"), ("Started", "0.5"), ("Filled", "1"), ("Done", "1")),
        ]
        filled, done = (message["payload"][0] for message in stream.log[-2:])
        assert {**filled, "status": "Done"} == done
        assert (done["filled_amount"], done["vwap"], done["fees"]) == ("43000", "43000", "9.03")


@pytest.mark.parametrize(
    ("settlement", "last"), [(Settlement.DONE_AT_ONCE, "Done"), (Settlement.FILLED_ONLY, "Filled")]
)
async def test_settlement_may_be_at_once_or_never_shown(settlement: Settlement, last: str) -> None:
    async with sfox(settlement=settlement, settle_secs=0.01) as raw:
        stream = await raw.stream(OPEN_ORDERS)
        raw.twin.account().fill(_rest(raw))
        await stream.statuses("Started", last)
        assert await stream.quiet()


async def test_a_cancel_is_pending_may_fill_and_then_is_canceled() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        order = _rest(raw)
        await raw.call("DELETE", f"/v1/orders/{order.venue_order_id}")
        raw.twin.account().fill(order, "0.4")
        seen = await stream.statuses("Started", "Cancel Pending", "Cancel Pending", "Canceled")
        assert [filled for _, filled in seen] == ["0", "0", "0.4", "0.4"]
        assert (order.end_reason, order.filled) == (EndReason.USER, Decimal("0.4"))


async def test_an_order_may_fill_whole_while_its_cancel_is_pending() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        order = _rest(raw)
        raw.twin.cancel_external(order)
        raw.twin.account().fill(order)
        await stream.statuses("Started", "Cancel Pending", "Filled", "Done")
        assert order.state is OrderState.FILLED
        assert await raw.cancel({"id": order.venue_order_id}) == (200, {"status": "order already finished"})


async def test_cancels_that_trade_by_themselves_or_show_no_pending() -> None:
    async with sfox(fill_while_canceling="0.25", cancel_pending_update=False) as raw:
        stream = await raw.stream(OPEN_ORDERS)
        order = _rest(raw)
        raw.twin.account().cancel(order)
        assert (await stream.statuses("Started", "Cancel Pending", "Canceled"))[1] == ("Cancel Pending", "0.25")
        assert order.filled == Decimal("0.25")
        raw.twin.options.fill_while_canceling = Decimal(1)
        raw.twin.options.cancel_delay_secs = 0.0
        assert await raw.cancel(await raw.order()) == (200, {"status": "order already finished"})
        raw.twin.options.fill_while_canceling = Decimal(0)
        assert await raw.cancel(await raw.order()) == (200, {"status": "canceled"})


async def test_a_gtd_order_ends_canceled_when_its_time_is_over() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        expires = raw.sim.clock.now_ns() // 1_000_000 + 60_000
        answer = await raw.order(time_in_force="GTD", expires=expires)
        assert (answer["time_in_force"], answer["expires"][-5:]) == ("GTD", ".000Z")
        raw.sim.clock.advance(60)
        await stream.statuses("Started", "Canceled")
        assert raw.sim.ledger.order(str(answer["id"])).state is OrderState.EXPIRED


async def test_ioc_and_fok_leave_their_traces_on_the_feed() -> None:
    async with sfox(fok_failure=FokFailure.CANCELED) as raw:
        stream = await raw.stream(OPEN_ORDERS)
        bid, size = raw.sim.market.book("btcusd")[0][0]
        await raw.order("sell", time_in_force="IOC", price=str(bid), quantity="5")
        assert (await stream.statuses("Started", "Started", "Canceled"))[-1][1] == f"{size.normalize():f}"
        await raw.order("sell", time_in_force="FOK", price="43229.99", quantity="9")
        assert await stream.statuses("Started", "Canceled") == [("Started", "0"), ("Canceled", "0")]


async def test_an_unknown_status_touches_nothing_else() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        order = _rest(raw)
        raw.twin.show_status(order, "Settling")
        await stream.statuses("Started", "Settling")
        assert (await raw.get(f"/v1/orders/{order.venue_order_id}"))["status"] == "Settling"
        assert order.state is OrderState.WORKING
        raw.twin.account().fill(order, "0.1")
        await stream.statuses("Started")


async def test_filled_may_mean_partly_filled() -> None:
    async with sfox(partial_is_filled=True, algorithm_options=["x"]) as raw:
        stream = await raw.stream(OPEN_ORDERS)
        order = _rest(raw)
        raw.twin.account().fill(order, "0.4")
        raw.twin.account().fill(order, "0.6")
        seen = await stream.statuses("Started", "Filled", "Filled", "Done")
        assert [filled for _, filled in seen] == ["0", "0.4", "1", "1"]
        raw.twin.account().fill(_rest(raw), "0.4")
        (row,) = await raw.get("/v1/orders")
        assert (row["status"], row["status_code"], row["algorithm_options"]) == ("Filled", 210, ["x"])


async def test_the_venue_may_end_an_order_without_a_cancel() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        order = _rest(raw)
        raw.sim.cancel_external(order, reason=EndReason.ADMIN)
        await stream.statuses("Started", "Canceled")


async def test_an_amendment_is_told() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        order = await raw.order(quantity="0.1")
        await raw.call("PATCH", f"/v1/orders/{order['id']}", {"price": "43100.5", "quantity": "0.2"})
        await stream.data(OPEN_ORDERS)
        (row,) = await stream.data(OPEN_ORDERS)
        assert (row["id"], row["status"], row["price"], row["quantity"]) == (order["id"], "Started", "43100.5", "0.2")


async def test_orders_from_elsewhere_come_on_the_feed_with_an_empty_client_id() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        placed = raw.sim.place_external("btcusd", side=Side.SELL, size="0.1", price="45000")
        (row,) = await stream.data(OPEN_ORDERS)
        assert (row["client_order_id"], row["id"]) == ("", int(placed.venue_order_id))
        raw.sim.cancel_external(placed)
        await stream.statuses("Cancel Pending", "Canceled")
        end_ns = raw.sim.clock.now_ns() + 3600 * 10**9
        gtd = raw.sim.place_external(
            *("ethusd",),
            side=Side.BUY,
            size="1",
            price="2000",
            time_in_force=TimeInForce.GTD,
            expire_ns=end_ns,
        )
        assert gtd.is_open


# -- which channel speaks first -----------------------------------------------------------------------------


async def _answer_or_frame(raw: RawSfox, stream: RawStream, recipient: str, answer: StreamOrder) -> None:
    """Whether a frame of the feed is there when the create is answered."""
    heard = asyncio.create_task(stream.data(recipient))
    await raw.order("sell", price="43000", quantity="0.01")
    match answer:
        case StreamOrder.BEFORE_ANSWER:
            assert heard.done()
        case StreamOrder.AFTER_ANSWER:
            await asyncio.wait_for(heard, 3)
        case StreamOrder.WITHOUT:
            await asyncio.wait([heard], timeout=0.1)
            assert not heard.done()
    heard.cancel()


@pytest.mark.parametrize("when", StreamOrder)
async def test_the_feed_may_speak_before_the_answer_after_it_or_never(when: StreamOrder) -> None:
    async with sfox(create_stream=when, settlement=Settlement.DONE_AT_ONCE) as raw:
        await _answer_or_frame(raw, await raw.stream(OPEN_ORDERS), OPEN_ORDERS, when)


@pytest.mark.parametrize("when", StreamOrder)
async def test_a_fill_may_come_before_the_answer_after_it_or_never(when: StreamOrder) -> None:
    async with sfox(create_trades=when, create_stream=StreamOrder.AFTER_ANSWER) as raw:
        await _answer_or_frame(raw, await raw.stream(TRADES), TRADES, when)
        assert len((await raw.get("/v1/account/trades"))["data"]) == 1


async def test_a_slow_answer_does_not_hold_the_feed_back() -> None:
    async with sfox() as raw:
        stream = await raw.stream(OPEN_ORDERS)
        raw.sim.faults.once(Fault.SLOW_ANSWER, where="POST /v1/orders/{side}", secs=0.3)
        create = asyncio.create_task(raw.order())
        await stream.statuses("Started")
        assert not create.done()
        await create


@pytest.mark.parametrize(
    ("order", "story"),
    [
        (
            TradesOrder.AFTER_ORDERS,
            ["Started 0", "Started 0.4", "trade 0.4", "Filled 1", "trade 0.6", "Done 1"],
        ),
        (
            TradesOrder.BEFORE_ORDERS,
            ["Started 0", "trade 0.4", "Started 0.4", "trade 0.6", "Filled 1", "Done 1"],
        ),
    ],
)
async def test_fills_come_before_or_after_the_orders_that_show_them(order: TradesOrder, story: list[str]) -> None:
    async with sfox(trades_order=order) as raw:
        stream = await raw.stream()
        resting = _rest(raw)
        raw.twin.account().fill(resting, "0.4")
        raw.twin.account().fill(resting, "0.6")
        assert await stream.story("Done 1") == story


async def test_the_end_may_come_long_before_its_fill() -> None:
    async with sfox(trades_delay_secs=0.15, settle_secs=0.02, rest_trades_delay_secs=0.15) as raw:
        stream = await raw.stream()
        raw.twin.account().fill(_rest(raw))
        assert (await raw.get("/v1/account/trades"))["data"] == []
        assert await stream.story("trade 1") == ["Started 0", "Filled 1", "Done 1", "trade 1"]
        assert len((await raw.get("/v1/account/trades"))["data"]) == 1


async def test_fills_after_canceled_are_late_on_every_channel_and_true_in_the_ledger() -> None:
    async with sfox(late_fills=True, late_fill_secs=0.1) as raw:
        stream = await raw.stream()
        order = _rest(raw)
        raw.twin.account().fill(order, "0.1")
        raw.twin.account().cancel(order)
        raw.twin.account().fill(order, "0.2")
        raw.twin.account().fill(order, "0.3")
        assert order.filled == Decimal("0.6")
        assert await stream.story("Canceled 0.1") == [
            *("Started 0", "Started 0.1", "trade 0.1", "Cancel Pending 0.1", "Canceled 0.1"),
        ]
        assert (await raw.get(f"/v1/orders/{order.venue_order_id}"))["filled"] == Decimal("0.1")
        assert len((await raw.get("/v1/account/trades"))["data"]) == 1
        assert await stream.story("trade 0.3") == ["Canceled 0.3", "trade 0.2", "Canceled 0.6", "trade 0.3"]
        final = await raw.get(f"/v1/orders/{order.venue_order_id}")
        assert (final["status"], final["filled"]) == ("Canceled", order.filled)
        assert final["filled_amount"] == order.notional
        assert final["fees"] == order.fees


async def test_late_fills_are_told_at_once_when_the_order_fills_after_all() -> None:
    async with sfox(late_fills=True) as raw:
        stream = await raw.stream()
        order = _rest(raw)
        raw.twin.account().cancel(order)
        raw.twin.account().fill(order, "0.2")
        raw.twin.account().fill(order, "0.8")
        assert await stream.story("Done 1") == [
            *("Started 0", "Cancel Pending 0", "Cancel Pending 0.2", "trade 0.2", "Filled 1", "trade 0.8", "Done 1"),
        ]


async def test_both_sides_of_a_trade_with_oneself_are_told() -> None:
    async with sfox(settlement=Settlement.DONE_AT_ONCE) as raw:
        raw.sim.market.flow.pull("btcusd")
        stream = await raw.stream()
        _rest(raw)
        raw.twin.account().place("btcusd", Side.SELL, "1", "43000")
        words = [await stream.receive() for _ in range(6)]
        rows = [row for message in words for row in message["payload"]]
        assert [row["status"] for row in rows if "status" in row] == ["Started", "Started", "Done", "Done"]
        trades = [row for row in rows if "trade_id" in row]
        assert len({row["trade_id"] for row in trades}) == 1
        assert len({row["order_id"] for row in trades}) == 2
        raw.twin.options.trade_id_shared = False
        _rest(raw)
        raw.twin.account().place("btcusd", Side.SELL, "1", "43000")
        words = [await stream.receive() for _ in range(6)]
        assert len({row["trade_id"] for message in words for row in message["payload"] if "trade_id" in row}) == 2


async def test_several_fills_of_one_step_one_by_one_or_together() -> None:
    async with sfox(create_answer=CreateAnswer.CURRENT) as raw:
        stream = await raw.stream()
        levels = raw.sim.market.book("btcusd")[0][:2]
        size = levels[0][1] + levels[1][1]
        await raw.order("sell", price="43000", quantity=str(size))
        whole = f"{size.normalize():f}"
        one_by_one = await stream.story(f"Done {whole}")
        assert len(one_by_one) == 6  # two fills, each with its view; the first and the last view
        raw.twin.options.fills_shown = FillsShown.TOGETHER
        await raw.order("sell", price="43000", quantity="4")
        together = await stream.until(lambda m: m["recipient"] == TRADES)
        assert len(together["payload"]) > 1
        assert sum(Decimal(row["quantity"]) for row in together["payload"]) == 4


# -- too much, too little -----------------------------------------------------------------------------------


async def test_duplicates_and_old_news_on_the_feed() -> None:
    async with sfox(duplicate_orders=True, duplicate_trades=True, stale_orders=True) as raw:
        stream = await raw.stream()
        raw.twin.account().fill(_rest(raw), "0.4")
        assert [await _words(stream) for _ in range(7)] == [
            *("Started 0", "Started 0", "Started 0.4", "Started 0.4", "Started 0", "trade 0.4", "trade 0.4"),
        ]
        numbers = [message["sequence"] for message in stream.log]
        assert numbers == list(range(1, len(numbers) + 1))  # each is a message of its own
        assert len((await raw.get("/v1/account/trades"))["data"]) == 1


async def _words(stream: RawStream) -> str:
    (row,) = (await stream.receive())["payload"]
    return f"{row['status']} {row['filled']}" if "status" in row else f"trade {row['quantity']}"


async def test_scripts_repeat_what_was_said() -> None:
    async with sfox() as raw:
        stream = await raw.stream()
        order = _rest(raw)
        raw.twin.account().fill(order, "0.4")
        raw.twin.resend_order(order)
        raw.twin.resend_trades(order)
        assert [await _words(stream) for _ in range(5)] == [
            *("Started 0", "Started 0.4", "trade 0.4", "Started 0.4", "trade 0.4"),
        ]
        assert stream.log[-1]["payload"] == stream.log[-3]["payload"]


async def test_fills_may_be_missing_from_the_feed_but_rest_has_them() -> None:
    async with sfox() as raw:
        stream = await raw.stream(TRADES)
        order = _rest(raw)
        raw.twin.miss_trades(2)
        for _ in range(3):
            raw.twin.account().fill(order, "0.1")
        assert len(await stream.data(TRADES)) == 1
        assert stream.log[-1]["sequence"] == 3  # no gap: the venue never sent them
        raw.twin.options.trades_on_feed = False
        raw.twin.account().fill(order, "0.1")
        assert await stream.quiet()
        assert len((await raw.get("/v1/account/trades"))["data"]) == 4


async def test_an_order_may_wait_before_it_meets_the_market_and_be_canceled_meanwhile() -> None:
    async with sfox(match_delay_secs=0.1, cancel_delay_secs=0.0) as raw:
        stream = await raw.stream(OPEN_ORDERS)
        order = await raw.order("sell", price="43000", quantity="0.1")
        assert raw.sim.ledger.order(str(order["id"])).state is OrderState.PENDING
        assert await raw.cancel(order) == (200, {"status": "cancel pending"})
        assert (await stream.statuses("Started", "Cancel Pending", "Canceled"))[-1][1] == "0"


async def test_balances_come_with_what_changed_them() -> None:
    async with sfox() as raw:
        stream = await raw.stream(BALANCES)
        order = _rest(raw)
        raw.twin.account().fill(order, "0.5")
        await stream.data(BALANCES)
        rows = {row["currency"]: row for row in await stream.data(BALANCES)}
        ledger = raw.sim.ledger
        assert Decimal(rows["usd"]["balance"]) == ledger.balance("usd")
        assert Decimal(rows["usd"]["available"]) == ledger.balance("usd") - ledger.locked("usd")
        assert Decimal(rows["btc"]["balance"]) == Decimal("10.5")
