"""The life of an order at the simulated Roxom, over real sockets (protocol 4.1-4.3, 5.3, 6)."""

from __future__ import annotations

import time
import uuid
from decimal import Decimal

import pytest

from nautilus_orderfeeds.sim import EndReason, OrderState, Side
from nautilus_orderfeeds.venues.roxom.twin_options import FillsShown, Refusal
from tests.support.roxom_raw import GOLD, RawRoxom, RawStream, roxom

D = Decimal
G1_FIELDS = {"orderId", "accountId", "symbol", "status", "remainingQty", "executedQty", "avgPx", "timestamp"}
G2_FIELDS = G1_FIELDS | {
    *("fillPx", "filledFees", "side", "orderType", "orderSize", "limitPrice"),
    *("clientOrderId", "entryPositionId", "exitPositionId", "reason"),
}
BUY_LOW, SELL_HIGH = "0.048000", "0.049000"


async def two_fills(raw: RawRoxom, stream: RawStream) -> str:
    """A resting sell that has traded 0.4 of 1.00."""
    order_id = await raw.order("sell", "1.00", SELL_HIGH)
    assert await stream.statuses(2) == ["pendingsubmit", "submitted"]
    raw.sim.market.trade(GOLD, SELL_HIGH, "0.4", Side.BUY)
    return order_id


async def test_a_resting_order_is_pending_then_submitted_and_has_a_time_sorted_id() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        before = time.time_ns() // 1_000_000
        order_id = await raw.order("buy", "1.00", BUY_LOW)
        first, second = await stream.event(), await stream.event()
        assert set(first) == set(second) == G2_FIELDS
        assert (first["status"], second["status"]) == ("pendingsubmit", "submitted")
        parsed = uuid.UUID(order_id)
        assert parsed.version == 7
        assert parsed.variant == uuid.RFC_4122
        assert before <= parsed.int >> 80 <= time.time_ns() // 1_000_000
        assert {k: v for k, v in second.items() if k not in ("timestamp", "status")} == {
            "orderId": order_id,
            "accountId": raw.twin.accounts[0].account_id,
            "symbol": GOLD,
            "remainingQty": "1.00",
            "executedQty": "0.00",
            "avgPx": "0.00000000",
            "fillPx": "0.00000000",
            "filledFees": "0.00000000",
            "side": "buy",
            "orderType": "limit",
            "orderSize": "1.00",
            "limitPrice": "0.04800000",
            "clientOrderId": None,
            "entryPositionId": None,
            "exitPositionId": None,
            "reason": None,
        }
        assert len(str(second["timestamp"])) == 19
        assert raw.sim.ledger.order(order_id).state is OrderState.WORKING


@pytest.mark.parametrize(("form", "fields"), [("g1", G1_FIELDS), ("g2", G2_FIELDS)])
async def test_a_cancel_has_the_fields_of_its_generation_and_keeps_the_remaining_quantity(
    form: str, fields: set
) -> None:
    async with roxom(event_form=form) as raw:
        stream = await raw.stream()
        order_id = await raw.order("buy", "1.00", BUY_LOW)
        assert await raw.cancel(order_id) == (200, {"data": {"success": True}})
        assert await stream.statuses(2) == ["pendingsubmit", "submitted"]
        event = await stream.event()
        assert set(event) == fields
        assert (event["status"], event["remainingQty"], event["executedQty"]) == ("cancelled", "1.00", "0.00")


async def test_partial_fills_are_cumulative_and_the_last_one_says_filled() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        order_id = await two_fills(raw, stream)
        part = await stream.event()
        assert (part["status"], part["executedQty"], part["remainingQty"]) == ("partiallyfilled", "0.40", "0.60")
        assert (part["avgPx"], part["fillPx"]) == ("0.04900000", "0.04900000")
        assert part["filledFees"] == f"{raw.sim.ledger.order(order_id).fees:.8f}" == "0.00000392"
        raw.sim.market.trade(GOLD, SELL_HIGH, "3", Side.BUY)
        done = await stream.event()
        assert (done["status"], done["executedQty"], done["remainingQty"]) == ("filled", "1.00", "0.00")
        assert done["filledFees"] == "0.00000980"
        assert done["entryPositionId"] == part["entryPositionId"] is not None
        assert raw.sim.ledger.position(GOLD).net == -1


async def test_fees_per_fill_instead_of_all_together() -> None:
    async with roxom(fees_shown="per_fill") as raw:
        stream = await raw.stream()
        await two_fills(raw, stream)
        raw.sim.market.trade(GOLD, SELL_HIGH, "3", Side.BUY)
        assert [(await stream.event())["filledFees"] for _ in range(2)] == ["0.00000392", "0.00000588"]


@pytest.mark.parametrize("merged", [False, True])
async def test_a_taker_of_several_levels_is_told_fill_by_fill_or_at_once(merged: bool) -> None:
    async with roxom(fills_shown="merged" if merged else "one_by_one") as raw:
        stream = await raw.stream()
        order_id = await raw.order("buy", "8.00")
        order = raw.sim.ledger.order(order_id)
        fills = raw.sim.ledger.fills(order)
        assert len(fills) > 1
        events = [await stream.event() for _ in range(2 if merged else 2 + len(fills))]
        assert events[0]["status"] == "pendingsubmit"
        last = events[-1]
        assert (last["status"], last["executedQty"]) == ("filled", "8.00")
        assert last["limitPrice"] is None
        assert last["avgPx"] == f"{order.notional / order.filled:.8f}"
        assert last["fillPx"] == f"{fills[-1].price:.8f}"
        assert last["filledFees"] == f"{order.fees:.8f}"
        if not merged:
            assert [e["executedQty"] for e in events[2:]] == [f"{f.filled_after:.2f}" for f in fills]
            assert {e["status"] for e in events[2:-1]} == {"partiallyfilled"}


@pytest.mark.parametrize("word", ["partiallyfilledcancelled", "cancelled"])
async def test_a_cancel_after_a_partial_fill_has_either_word(word: str) -> None:
    async with roxom(partial_cancel=word) as raw:
        stream = await raw.stream()
        order_id = await two_fills(raw, stream)
        await raw.cancel(order_id)
        assert await stream.statuses(1) == ["partiallyfilled"]
        end = await stream.event()
        assert (end["status"], end["executedQty"], end["remainingQty"]) == (word, "0.40", "0.60")
        assert end["reason"] == "user cancelled"
        assert (await raw.one(order_id))["status"] == word


async def test_an_immediate_or_cancel_may_hide_its_fill_in_its_end() -> None:
    async with roxom(fills_shown=FillsShown.MERGED, pending_update=False) as raw:
        stream = await raw.stream()
        [(best, size), *_] = raw.sim.market.book(GOLD)[1]
        qty = f"{size + 1:.2f}"
        await raw.order("buy", qty, f"{best}", timeInForce="ioc")
        event = await stream.event()
        assert (event["status"], event["executedQty"]) == ("partiallyfilledcancelled", f"{size:.2f}")


async def test_a_market_order_stops_two_percent_from_the_best_price() -> None:
    async with roxom(accounts=2, max_market_notional=100, max_limit_notional=100, balance=1000) as raw:
        stream = await raw.stream()
        best = raw.sim.market.best(GOLD)[1]
        assert best is not None
        near, far = ((best * factor).quantize(D("0.000001")) for factor in (D("1.0195"), D("1.0205")))
        for price in (near, far):
            raw.twin.place_external(GOLD, side=Side.SELL, size="100", price=price, account=1)
        order_id = await raw.order("buy", "500.00")
        order = raw.sim.ledger.order(order_id)
        assert 100 < order.filled < 200
        assert raw.sim.ledger.fills(order)[-1].price == near
        end = await stream.until(lambda m: m.get("type") == "order" and m["data"]["status"].endswith("cancelled"))
        assert end["data"]["status"] == "partiallyfilledcancelled"
        assert end["data"]["executedQty"] == f"{order.filled:.2f}"
        assert raw.sim.market.best(GOLD)[1] == far


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"postOnly": True}, "post only order would take liquidity"),
        ({"postOnly": True, "orderType": "market", "px": None}, "post only order would take liquidity"),
    ],
)
async def test_post_only_is_cancelled_instead_of_taking(more: dict, reason: str) -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        order_id = await raw.order("buy", "1.00", **{"px": "0.05", **more, "orderType": more.get("orderType", "limit")})
        assert await stream.statuses(1) == ["pendingsubmit"]
        end = await stream.event()
        assert (end["status"], end["executedQty"], end["reason"]) == ("cancelled", "0.00", reason)
        assert raw.sim.ledger.fills(order_id) == []


async def test_good_till_date_is_cancelled_at_its_time() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        cancel_at = time.time_ns() // 1_000_000 + 60_000
        order_id = await raw.order("buy", "1.00", BUY_LOW, timeInForce="gtd", cancelAt=cancel_at)
        assert await stream.statuses(2) == ["pendingsubmit", "submitted"]
        assert (await raw.one(order_id))["cancelAt"] == cancel_at
        raw.sim.clock.advance(61)
        assert await stream.statuses(1) == ["cancelled"]
        assert raw.sim.ledger.order(order_id).state is OrderState.EXPIRED


async def test_stops_wait_for_the_mark_price() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        stop = await raw.order("sell", "1.00", orderType="stop", triggerPx="0.047")
        limit = await raw.order("buy", "1.00", "0.0500", orderType="stoplimit", triggerPx="0.0495")
        assert await stream.statuses(4) == ["pendingsubmit", "waitingtrigger"] * 2
        raw.sim.market.trade(GOLD, "0.047", "0.5", Side.SELL)  # the last price fires nothing
        assert raw.sim.ledger.order(stop).state is OrderState.WAITING
        raw.sim.market.set_mark(GOLD, "0.0470")
        fired = await stream.event()
        assert (fired["orderId"], fired["status"], fired["orderType"]) == (stop, "submitted", "stop")
        assert (await stream.event())["orderId"] == stop
        row = await raw.one(stop)
        assert row["triggeredAt"] > 10**12
        assert row["triggerPx"] == "0.04700000"
        raw.sim.market.set_mark(GOLD, "0.0496")
        done = await stream.until(lambda m: m.get("type") == "order" and m["data"]["orderId"] == limit)
        assert done["data"]["status"] == "submitted"
        assert raw.sim.ledger.order(limit).state is OrderState.FILLED


async def test_a_triggered_stop_has_the_slippage_cap_of_its_moment() -> None:
    async with roxom() as raw:
        order_id = await raw.order("buy", "1.00", orderType="stop", triggerPx="0.0500")
        raw.sim.market.set_mid(GOLD, "0.0600")  # the mark jumps twenty percent past the trigger
        order = raw.sim.ledger.order(order_id)
        assert order.state is OrderState.FILLED
        assert order.notional / order.filled > D("0.0595")


async def test_self_trade_prevention_cancels_the_resting_order() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        resting = await raw.order("sell", "1.00", "0.048586")
        assert await stream.statuses(2) == ["pendingsubmit", "submitted"]
        taking = await raw.order("buy", "0.50", "0.0490")
        end = await stream.until(lambda m: m.get("type") == "order" and m["data"]["orderId"] == resting)
        assert (end["data"]["status"], end["data"]["reason"]) == ("cancelled", "self trade prevention")
        assert raw.sim.ledger.order(resting).filled == 0
        assert raw.sim.ledger.order(taking).state is OrderState.FILLED


async def test_a_delayed_cancel_may_come_too_late() -> None:
    async with roxom(cancel_delay_secs=0.2) as raw:
        stream = await raw.stream()
        first, second = [await raw.order("sell", "1.00", SELL_HIGH) for _ in range(2)]
        assert await stream.statuses(4) == ["pendingsubmit", "submitted"] * 2
        for order_id in (first, second):
            assert (await raw.cancel(order_id))[0] == 200
            assert (await raw.one(order_id))["status"] == "pendingcancel"
        assert await stream.statuses(2) == ["pendingcancel"] * 2
        raw.sim.market.trade(GOLD, SELL_HIGH, "1.25", Side.BUY)
        assert await stream.statuses(2) == ["filled", "partiallyfilled"]
        end = await stream.event()
        assert (end["orderId"], end["status"], end["executedQty"]) == (second, "partiallyfilledcancelled", "0.25")
        assert raw.sim.ledger.order(first).state is OrderState.FILLED
        status, body = await raw.cancel(first)
        assert (status, body["error"]["message"]) == (400, "Order is already closed")


async def test_cancel_all_ends_the_orders_of_every_symbol() -> None:
    async with roxom() as raw:
        ids = [
            await raw.order("buy", "1.00", BUY_LOW),
            await raw.order("buy", "1.00", "0.0060", symbol="OIL-BTC"),
            await raw.order("sell", "1.00", orderType="stop", triggerPx="0.047"),
        ]
        await raw.order("buy", "0.10")
        status, body = await raw.call("POST", "/orders/cancel-all")
        assert (status, body) == (200, {"data": {"cancelledOrderIds": ids}, "error": False})
        assert {raw.sim.ledger.order(key).end_reason for key in ids} == {EndReason.USER}
        assert raw.sim.ledger.position(GOLD).net == D("0.10")


async def test_an_order_can_be_rejected_after_its_reply() -> None:
    async with roxom(match_delay_secs=0.1) as raw:
        stream = await raw.stream()
        raw.twin.reject_next_order("risk check failed")
        order_id = await raw.order("buy", "1.00", BUY_LOW)
        assert (await raw.one(order_id))["status"] == "pendingsubmit"
        assert await stream.statuses(1) == ["pendingsubmit"]
        event = await stream.event()
        assert (event["status"], event["reason"]) == ("rejected", "risk check failed")
        assert raw.sim.ledger.order(order_id).state is OrderState.REJECTED


async def test_margin_and_rules_refuse_by_answer_or_by_stream() -> None:
    async with roxom(balance="0.001") as raw:
        status, text = await raw.refused("buy", "1.00", BUY_LOW)
        assert status == 400
        assert "Insufficient balance" in text
        assert raw.sim.ledger.orders() == []
        raw.twin.options.refusal = raw.twin.options.margin_refusal = Refusal.BY_STREAM
        stream = await raw.stream()
        await raw.order("buy", "1.00", BUY_LOW)
        await raw.order("buy", "1.00", "0.09")
        assert [(await stream.event())["reason"] for _ in range(4)][1::2] == [
            "Insufficient balance",
            "Price outside allowed range",
        ]


async def test_a_pending_order_can_be_cancelled_before_it_is_processed() -> None:
    async with roxom(match_delay_secs=0.2) as raw:
        stream = await raw.stream()
        order_id = await raw.order("buy", "1.00", BUY_LOW)
        await raw.cancel(order_id)
        assert await stream.statuses(3) == ["pendingsubmit", "pendingcancel", "cancelled"]
        assert raw.sim.ledger.order(order_id).end_reason is EndReason.USER


async def test_inactive_is_shown_for_a_while_or_for_ever() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        first, second = [await raw.order("sell", "1.00", SELL_HIGH) for _ in range(2)]
        assert await stream.statuses(4) == ["pendingsubmit", "submitted"] * 2
        raw.twin.make_inactive(first)
        raw.twin.make_inactive(second, is_over=True)
        assert await stream.statuses(2) == ["inactive", "inactive"]
        listed = (await raw.get("/orders?instType=perpetual"))["orders"]
        assert [(row["id"], row["status"]) for row in listed] == [(first, "inactive")]
        raw.twin.make_active(first)
        assert await stream.statuses(1) == ["submitted"]
        raw.twin.make_inactive(first)
        raw.sim.market.trade(GOLD, SELL_HIGH, "0.5", Side.BUY)
        assert await stream.statuses(2) == ["inactive", "partiallyfilled"]
        assert raw.sim.ledger.order(second).state is OrderState.CANCELED
        assert (await raw.one(second))["status"] == "inactive"


async def test_lost_and_refused_cancels_leave_the_order_alone() -> None:
    async with roxom() as raw:
        order_id = await raw.order("buy", "1.00", BUY_LOW)
        raw.twin.lose_next_cancel()
        assert (await raw.cancel(order_id))[0] == 200
        raw.twin.refuse_next_cancel("try again later")
        assert (await raw.cancel(order_id))[0] == 400
        assert (await raw.one(order_id))["status"] == "submitted"
        assert (await raw.cancel(str(uuid.uuid4())))[0] == 404
        assert (await raw.cancel(order_id))[0] == 200
        assert (await raw.one(order_id))["status"] == "cancelled"


async def test_external_orders_and_liquidation_come_with_unknown_ids() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        order = raw.sim.place_external(GOLD, side=Side.BUY, size="1.00")
        assert (await stream.event())["orderId"] == order.venue_order_id
        resting = raw.sim.place_external(GOLD, side=Side.BUY, size="1.00", price=BUY_LOW)
        liquidation = raw.twin.liquidate(GOLD)
        assert liquidation is not None
        assert raw.sim.ledger.position(GOLD).net == 0
        assert resting.end_reason is EndReason.LIQUIDATION
        event = await stream.until(
            lambda m: m.get("type") == "order" and m["data"]["orderId"] == liquidation.venue_order_id
        )
        assert event["data"]["side"] == "sell"
        assert raw.twin.liquidate(GOLD) is None


async def test_a_take_profit_from_the_web_app_waits_for_the_other_side() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        order = raw.sim.place_external(GOLD, side=Side.SELL, size="1.00", trigger_price="0.0490", take_profit=True)
        assert await stream.statuses(2) == ["pendingsubmit", "waitingtrigger"]
        raw.sim.market.set_mark(GOLD, "0.0480")
        assert order.state is OrderState.WAITING
        raw.sim.market.set_mark(GOLD, "0.0491")
        assert order.state is OrderState.FILLED
        assert await stream.statuses(1) == ["submitted"]


async def test_a_second_fill_of_a_triggered_stop_limit_is_cumulative() -> None:
    async with roxom() as raw:
        stream = await raw.stream()
        order_id = await raw.order("sell", "1.00", "0.0490", orderType="stoplimit", triggerPx="0.0480")
        raw.sim.market.set_mark(GOLD, "0.0480")
        assert await stream.statuses(3) == ["pendingsubmit", "waitingtrigger", "submitted"]
        for size, executed in (("0.30", "0.30"), ("0.70", "1.00")):
            raw.sim.market.trade(GOLD, "0.0490", size, Side.BUY)
            assert (await stream.event())["executedQty"] == executed
        assert (await raw.one(order_id))["status"] == "filled"


async def test_over_its_position_cap_an_account_may_only_reduce() -> None:
    async with roxom(max_position="0.04") as raw:
        await raw.order("buy", "1.00", "0.0490")
        assert "Position limit exceeded" in (await raw.refused("buy", "0.10", "0.0480"))[1]
        await raw.order("sell", "0.50", "0.0480")
        assert raw.sim.ledger.position(GOLD).net == D("0.5")


async def test_a_taker_need_not_be_announced_as_submitted() -> None:
    async with roxom(submitted_update=False, pending_update=False) as raw:
        stream = await raw.stream()
        await raw.order("buy", "0.10")
        await raw.order("buy", "1.00", "0.0480")
        assert await stream.statuses(2) == ["filled", "submitted"]
