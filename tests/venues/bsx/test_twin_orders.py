"""The life of an order at the simulated BSX, over real sockets (protocol 4.3, 5.3, 6, 8)."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from nautilus_orderfeeds.sim import EndReason, OrderState, Side
from nautilus_orderfeeds.sim.outbox import StreamOrder
from nautilus_orderfeeds.venues.bsx.twin_options import (
    AnswerState,
    LiquidityWords,
    MarginRefusal,
    TradesShown,
)
from tests.support.bsx_raw import bsx

NOW_FIELDS = {"created_at_ts", "updated_at", "nonce", "cancel_requested_at", "expired_at"}
SEED_FIELDS = {
    *("avg_price", "cancel_reason", "cancel_reject_reason", "cancel_requested", "cancel_requested_at"),
    *("client_order_id", "created_at_ts", "filled_fees", "filled_size", "id", "initial_margin"),
    *("is_liquidation", "last_trades", "nonce", "order_stop_type", "post_only", "price", "product_id"),
    *("reduce_only", "reject_reason", "sender", "side", "size", "status", "stop_price", "stp"),
    *("time_in_force", "type", "updated_at"),
}


async def test_a_resting_order_is_pending_then_open_at_the_same_time() -> None:
    async with bsx(optional_fields=False) as raw:
        stream = await raw.stream()
        assert await stream.orders() == []
        answer = await raw.order("BUY", "55000", "0.018", client_order_id="a1b2")
        pending = await stream.receive()
        opened = await stream.receive()
        assert answer == pending["data"][0]
        assert set(answer) == SEED_FIELDS
        assert answer["status"] == "PENDING"
        assert opened["data"][0] == {**answer, "status": "OPEN"}
        assert answer["updated_at"] == answer["created_at_ts"] == pending["timestamp"] == opened["timestamp"]
        assert {k: answer[k] for k in ("price", "size", "side", "type", "time_in_force", "stp")} == {
            "price": "55000",
            "size": "0.018",
            "side": "BUY",
            "type": "LIMIT",
            "time_in_force": "GTC",
            "stp": "CANCEL_TAKER",
        }
        assert answer["sender"] == raw.credentials["wallet_address"].lower()
        assert raw.sim.ledger.order("a1b2") is raw.sim.ledger.order(answer["nonce"])


async def test_partial_fills_stay_open_with_the_trades_of_the_event_and_a_rebate() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("SELL", "70000", "0.014")
        assert await stream.statuses(2) == ["PENDING", "OPEN"]
        raw.sim.market.trade("BTC-PERP", "70000", "0.011", Side.BUY)
        [order] = await stream.update()
        assert (order["status"], order["filled_size"], order["avg_price"]) == ("OPEN", "0.011", "70000")
        assert order["filled_fees"] == "-0.0385"  # as on the venue page: half a basis point back
        [trade] = order["last_trades"]
        assert (trade["size"], trade["price"], trade["trading_fee"]) == ("0.011", "70000", "-0.0385")
        assert trade["liquidity_indicator"] == "MAKER"
        assert len(trade["id"]) == 66
        raw.sim.market.trade("BTC-PERP", "70000", "5", Side.BUY)
        [order] = await stream.update()
        assert (order["status"], order["filled_size"], order["cancel_reason"]) == ("DONE", "0.014", "")
        assert [t["size"] for t in order["last_trades"]] == ["0.003"]


async def test_a_taker_is_pending_then_done_with_all_its_trades() -> None:
    async with bsx(sequencer_fee=Decimal("0.5")) as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("BUY", "65000", "1.2", type="MARKET", time_in_force="IOC")
        [pending] = await stream.update()
        [done] = await stream.update()
        assert (pending["status"], done["status"]) == ("PENDING", "DONE")
        trades = done["last_trades"]
        assert len(trades) > 1
        assert sum(Decimal(t["size"]) for t in trades) == Decimal("1.2") == Decimal(done["filled_size"])
        assert [t["sequencer_fee"] for t in trades] == ["0.5"] + ["0"] * (len(trades) - 1)
        fees = sum(Decimal(t["trading_fee"]) + Decimal(t["sequencer_fee"]) for t in trades)
        assert Decimal(done["filled_fees"]) == fees
        notional = sum(Decimal(t["size"]) * Decimal(t["price"]) for t in trades)
        assert abs(Decimal(done["avg_price"]) - notional / Decimal("1.2")) < Decimal("1e-12")


async def test_fills_one_by_one_grow_the_cumulative_numbers() -> None:
    async with bsx(trades_shown=TradesShown.ONE_BY_ONE) as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("BUY", "64651.5", "10")
        [pending] = await stream.update()
        seen, filled = [], Decimal(0)
        while filled < raw.sim.ledger.order(pending["id"]).filled:
            [order] = await stream.update()
            [trade] = order["last_trades"]
            filled += Decimal(trade["size"])
            assert Decimal(order["filled_size"]) == filled
            seen.append(order["status"])
        assert len(seen) == 2
        assert set(seen) == {"OPEN"}
        assert await stream.nothing()


@pytest.mark.parametrize(
    ("more", "price", "reason"),
    [
        ({"time_in_force": "IOC"}, "64000", "time in force IOC"),
        ({"time_in_force": "FOK"}, "64000", "time in force FOK"),
        ({"post_only": True}, "65000", "post only"),
        ({"type": "MARKET"}, "64000", "insufficient liquidity"),
        ({"reduce_only": True}, "64000", "reduce only: pos size 0, order side BUY"),
    ],
)
async def test_what_cannot_stay_is_done_with_the_documented_reason(
    more: dict[str, object], price: str, reason: str
) -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("BUY", price, "0.1", **more)
        assert await stream.statuses(1) == ["PENDING"]
        [order] = await stream.update()
        assert (order["status"], order["cancel_reason"], order["filled_size"]) == ("DONE", reason, "0")
        assert order["reject_reason"] == ""


async def test_gtt_expires() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        expiry = time.time_ns() + 3_600_000_000_000
        await raw.order("BUY", "60000", "0.1", time_in_force="GTT", expired_at=str(expiry))
        [_], [opened] = await stream.update(), await stream.update()
        assert (opened["status"], opened["expired_at"]) == ("OPEN", str(expiry))
        raw.sim.clock.advance(3_601)
        [order] = await stream.update()
        assert (order["status"], order["cancel_reason"]) == ("DONE", "time in force GTT")
        assert int(order["updated_at"]) > expiry


async def test_self_trades_end_the_one_the_request_names() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        raw.sim.market.flow.pull("BTC-PERP")
        resting = await raw.order("SELL", "64700", "0.1")
        await raw.order("BUY", "64700", "0.1", stp="CANCEL_TAKER")
        await stream.statuses(3)
        [taker] = await stream.update()
        assert (taker["status"], taker["cancel_reason"]) == ("DONE", "stp")
        await raw.order("BUY", "64700", "0.2", stp="CANCEL_MAKER")
        await stream.statuses(1)
        both = {order["id"]: order for order in await stream.update()}  # several orders in one update
        assert len(both) == 2
        assert (both[resting["id"]]["status"], both[resting["id"]]["cancel_reason"]) == ("DONE", "stp")


async def test_reduce_only_orders_go_with_their_position() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("BUY", "65000", "0.3")
        await raw.order("SELL", "66000", "0.2", reduce_only=True)
        await stream.statuses(4)
        await raw.order("SELL", "64000", "0.2", time_in_force="IOC")
        await stream.statuses(1)
        ended = [order for order in await stream.update() if order["reduce_only"]]
        assert [(o["status"], o["cancel_reason"]) for o in ended] == [
            ("DONE", "reduce only: pos size 0.1, order size 0.2, order side SELL")
        ]


async def test_too_little_margin_by_stream_or_by_answer() -> None:
    async with bsx(balance=1000) as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("BUY", "64000", "1")
        await stream.statuses(1)
        [order] = await stream.update()
        assert (order["status"], order["cancel_reason"]) == ("DONE", "insufficient margin")
        raw.sim.twin.options.margin_refusal = MarginRefusal.BY_ANSWER
        assert await raw.refused("BUY", "64000", "1") == (400, 3, "insufficient margin")
        await raw.order("BUY", "64000", "0.3")
        assert (await raw.refused("BUY", "64000", "0.3"))[2] == "insufficient margin"


async def test_a_refused_order_and_a_refused_cancel_by_script() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        raw.sim.twin.reject_next_order("risk check failed")
        await raw.order("BUY", "64000", "0.1")
        await stream.statuses(1)
        [order] = await stream.update()
        assert (order["status"], order["reject_reason"]) == ("DONE", "risk check failed")
        answer = await raw.order("BUY", "64000", "0.1")
        await stream.statuses(2)
        raw.sim.twin.reject_next_cancel("engine busy")
        await raw.call("DELETE", f"/order?order_id={answer['id']}")
        [requested], [rejected] = await stream.update(), await stream.update()
        assert (requested["cancel_requested"], requested["cancel_reject_reason"]) == (True, "")
        assert (rejected["status"], rejected["cancel_reject_reason"]) == ("OPEN", "engine busy")
        assert raw.sim.ledger.order(answer["id"]).is_open


async def test_stop_orders_of_the_web_app() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("BUY", "65000", "0.2")
        await stream.statuses(2)
        stop = raw.sim.place_external(
            "BTC-PERP", side=Side.SELL, size="0.2", price="63700", stop_price="64000", reduce_only=True
        )
        assert await stream.statuses(2) == ["PENDING", "STOP_ACCEPTED"]
        shown = await (await raw.stream()).orders()
        assert [(o["type"], o["status"], o["order_stop_type"], o["updated_at"]) for o in shown] == [
            ("STOP", "STOP_ACCEPTED", "STOP_LOSS", "0")
        ]
        assert (shown[0]["stop_price"], shown[0]["initial_margin"]) == ("64000", "0")
        raw.sim.market.trade("BTC-PERP", "64000", "0.001", Side.BUY)
        [triggered] = await stream.update()
        assert (triggered["status"], triggered["id"]) == ("PENDING", stop.venue_order_id)
        assert await stream.statuses(2) == ["OPEN", "DONE"]
        assert stop.state is OrderState.FILLED


async def test_tpsl_orders_need_a_position_and_end_with_it() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        stop = {"side": Side.SELL, "size": "0.2", "price": "63700", "stop_price": "64000"}
        raw.sim.place_external("BTC-PERP", **stop)
        [_], [order] = await stream.update(), await stream.update()
        assert order["cancel_reason"] == ("tpsl order cannot be larger than position: pos size 0, order size 0.2")
        await raw.order("BUY", "65000", "0.2")
        raw.sim.place_external("BTC-PERP", **stop)
        await stream.statuses(4)
        await raw.order("SELL", "64000", "0.2", time_in_force="IOC")
        assert await stream.statuses(2) == ["PENDING", "DONE"]
        [order] = await stream.update()
        assert order["cancel_reason"] == "TPSL order canceled due to position closed"
        kept = raw.sim.place_external("SOL-PERP", **{**stop, "price": "99", "stop_price": "100"}, without_position=True)
        assert kept.state is OrderState.WAITING


async def test_liquidation_ends_orders_and_closes_the_position() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        public = await raw.stream()
        await public.sub("trades", "BTC-PERP")
        await raw.order("BUY", "65000", "0.2")
        await raw.order("BUY", "60000", "0.1")
        await stream.statuses(4)
        forced = raw.sim.twin.liquidate("BTC-PERP")
        assert forced is not None
        [ended] = await stream.update()
        assert (ended["status"], ended["cancel_reason"]) == ("DONE", "liquidation")
        await stream.statuses(1)
        [order] = await stream.update()
        assert (order["is_liquidation"], order["status"], order["filled_size"]) == (True, "DONE", "0.2")
        assert raw.sim.ledger.position("BTC-PERP").net == 0
        flags = [(await public.until(lambda m: m["type"] == "update"))["data"]["liquidation"] for _ in range(2)]
        assert flags == [False, True]


async def test_admin_cancels_and_cancels_in_the_web_app() -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        first = await raw.order("BUY", "60000", "0.1")
        second = await raw.order("BUY", "60000", "0.1")
        await stream.statuses(4)
        raw.sim.cancel_external(first["id"], reason=EndReason.ADMIN)
        raw.sim.cancel_external(second["nonce"])
        updates = [(await stream.update())[0] for _ in range(3)]
        assert [(o["status"], o["cancel_reason"]) for o in updates] == [
            ("DONE", "admin"),
            ("OPEN", ""),
            ("DONE", "user"),
        ]


# -- switches -----------------------------------------------------------------------------------------------


async def test_stream_before_answer_and_final_answer() -> None:
    async with bsx(create_stream=StreamOrder.BEFORE_ANSWER, create_answer=AnswerState.FINAL) as raw:
        stream = await raw.stream()
        await stream.orders()
        answer = await raw.order("BUY", "65000", "0.1")
        assert answer["status"] == "DONE"
        assert sum(Decimal(t["size"]) for t in answer["last_trades"]) == Decimal("0.1")
        assert await stream.statuses(2) == ["PENDING", "DONE"]


async def test_without_any_update_and_later_ones_all_the_same() -> None:
    async with bsx(create_stream=StreamOrder.WITHOUT, cancel_stream=StreamOrder.WITHOUT) as raw:
        stream = await raw.stream()
        await stream.orders()
        answer = await raw.order("BUY", "64000", "0.1")
        assert await stream.nothing()
        raw.sim.market.trade("BTC-PERP", "64000", "0.04")
        [order] = await stream.update()
        assert (order["status"], order["filled_size"]) == ("OPEN", "0.04")
        await raw.call("DELETE", f"/order?nonce={answer['nonce']}")
        assert await stream.nothing()
        [order] = await raw.get("/order-history")
        assert (order["status"], order["cancel_reason"]) == ("DONE", "user")


async def test_shapes_of_the_unknown() -> None:
    async with bsx(
        optional_fields=True,
        empty_last_trades=False,
        numeric_times=True,
        pending_update=False,
        liquidity_words=LiquidityWords.LETTERS,
        trade_id_shared=False,
    ) as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("BUY", "64000", "0.1")
        [order] = await stream.update()
        assert order["status"] == "OPEN"
        assert set(order) == (SEED_FIELDS - {"last_trades"}) | {
            *("stop_price_option", "expired_at", "maker_fee_rate", "taker_fee_rate", "liquidation_fee_rate")
        }
        assert all(isinstance(order[name], int) for name in NOW_FIELDS)
        raw.sim.market.trade("BTC-PERP", "64000", "0.04")
        [order] = await stream.update()
        [trade] = order["last_trades"]
        assert trade["liquidity_indicator"] == "M"
        [public_id] = [fill.trade_id for fill in raw.sim.ledger.fills()]
        assert trade["id"] != f"0x{public_id}"
        raw.sim.twin.options.trades_shown = TradesShown.NEVER
        raw.sim.market.trade("BTC-PERP", "64000", "0.04")
        [order] = await stream.update()
        assert order["filled_size"] == "0.08"
        assert "last_trades" not in order


async def test_a_matching_delay_leaves_time_to_cancel_a_pending_order() -> None:
    async with bsx(match_delay_secs=0.1) as raw:
        stream = await raw.stream()
        await stream.orders()
        await raw.order("BUY", "64000", "0.1")
        opened = [(await stream.update())[0] for _ in range(2)]
        assert [o["status"] for o in opened] == ["PENDING", "OPEN"]
        assert opened[0]["updated_at"] == opened[1]["updated_at"]
        answer = await raw.order("BUY", "65000", "0.1")
        await raw.call("DELETE", f"/order?order_id={answer['id']}")
        updates = [(await stream.update())[0] for _ in range(3)]
        assert [(o["status"], o["cancel_requested"]) for o in updates] == [
            ("PENDING", False),
            ("PENDING", True),
            ("DONE", True),
        ]
        assert updates[2]["cancel_reason"] == "user"


async def test_a_fill_can_overtake_a_cancel() -> None:
    async with bsx(cancel_delay_secs=0.15) as raw:
        stream = await raw.stream()
        await stream.orders()
        answer = await raw.order("BUY", "64000", "0.1")
        await stream.statuses(2)
        status, body = await raw.call("DELETE", f"/order?order_id={answer['id']}")
        assert (status, body) == (
            200,
            {"order_id": answer["id"], "nonce": answer["nonce"], "client_order_id": ""},
        )
        raw.sim.market.trade("BTC-PERP", "64000", "0.1")
        updates = [(await stream.update())[0] for _ in range(3)]
        assert [(o["status"], o["cancel_reason"]) for o in updates] == [("OPEN", ""), ("DONE", ""), ("DONE", "")]
        assert updates[2]["cancel_reject_reason"] == "order is done"
        assert updates[2]["last_trades"] == []
