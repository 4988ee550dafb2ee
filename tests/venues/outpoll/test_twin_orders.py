"""Order entry at the simulated Outpoll: placing, matching, cancelling (protocol 5.2-5.4, 13.7 points 2 and 5)."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import Fault, OrderState, Side
from nautilus_orderfeeds.venues.outpoll.twin_products import NO, QUOTE, YES
from tests.support.outpoll_raw import RawOutpoll, eventually, outpoll

LIMIT = "/orders/limit"
MARKET = "/orders/market"


async def refused(raw: RawOutpoll, path: str, body: Any, **how: Any) -> int:
    status, _ = await raw.call("POST", path, body, **how)
    assert raw.sim.ledger.orders() == []
    return status


async def test_a_limit_order_rests_and_trades() -> None:
    async with outpoll(book=False, balance=100) as raw:
        order_id = await raw.limit(YES, "BUY", "0.42", "100")
        order = raw.sim.ledger.order(order_id)
        assert (order.state, order.price, order.quantity) == (OrderState.WORKING, Decimal("0.42"), 100)
        assert await raw.active() == [
            {"id": order_id, "status": "ACTIVE", "side": "BUY", "price": Decimal("0.42"), "quantity": 100}
        ]
        raw.sim.market.trade(YES.asset_id, "0.42", "30")
        assert (await raw.active())[0]["id"] == order_id
        raw.sim.market.trade(YES.asset_id, "0.42", "70")
        assert await raw.active() == []
        assert (await raw.history())[order_id]["st"] == "FILLED"
        assert raw.sim.ledger.balance(QUOTE) == 58
        assert raw.sim.ledger.balance(YES.asset_id) == 100


@pytest.mark.parametrize("status", [200, 202])
async def test_placing_is_answered_with_the_id(status: int) -> None:
    async with outpoll(place_status=status) as raw:
        given, body = await raw.call("POST", LIMIT, raw.limit_body(YES, "BUY", "0.40", "5"))
        assert given == status
        assert body == {"i": raw.sim.ledger.orders()[0].venue_order_id}


async def test_the_answer_may_be_late_and_the_effect_is_not() -> None:
    async with outpoll(answer_delay_secs=0.3) as raw:
        task = asyncio.create_task(raw.limit(YES, "BUY", "0.40", "5"))

        async def is_taken() -> bool:
            return len(raw.sim.ledger.orders(is_open=True)) == 1

        await eventually(is_taken)
        assert not task.done()
        assert await task == raw.sim.ledger.orders()[0].venue_order_id


async def test_processing_may_be_late() -> None:
    async with outpoll(process_delay_secs=0.1, place_status=202) as raw:
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        order = raw.sim.ledger.order(order_id)
        assert order.state is OrderState.PENDING
        assert await raw.active() == []

        async def is_listed() -> bool:
            return [row["id"] for row in await raw.active()] == [order_id]

        await eventually(is_listed)


async def test_a_market_buy_spends_usdc_in_fractions_of_shares() -> None:
    async with outpoll(book=False, balance=1000) as raw:
        raw.sim.market.flow.set_mid(YES.asset_id, Decimal("0.55"))
        best = raw.sim.market.best(YES.asset_id)[1]
        order = raw.sim.ledger.order(await raw.buy(YES, "1"))
        assert best is not None
        assert order.filled == (Decimal(1) / best).quantize(Decimal("0.000001"), "ROUND_DOWN")
        assert order.state is OrderState.FILLED
        assert 0 <= 1 - order.notional < Decimal("0.000001")
        row = (await raw.history())[order.venue_order_id]
        assert (row["t"], row["oq"], row["q"]) == ("MARKET", order.filled, order.filled)


async def test_a_market_buy_of_whole_shares_only() -> None:
    async with outpoll(lot=1) as raw:
        order = raw.sim.ledger.order(await raw.buy(YES, "10"))
        assert order.filled == order.filled.to_integral_value() > 0
        assert order.notional <= 10


async def test_market_orders_take_what_there_is() -> None:
    async with outpoll(book=False, shares=100) as raw:
        bid = raw.twin.place_external(YES.asset_id, side=Side.BUY, size=10, price="0.5")
        raw.twin.fill(bid, 4)
        sold = raw.sim.ledger.order(await raw.sell(YES, "20"))
        assert (sold.filled, sold.canceled, sold.state) == (6, 14, OrderState.CANCELED)
        raw.twin.place_external(NO.asset_id, side=Side.SELL, size=10, price="0.5")
        bought = raw.sim.ledger.order(await raw.buy(NO, "100"))
        assert (bought.filled, bought.notional) == (10, 5)
        assert (await raw.history())[bought.venue_order_id]["st"] == "CANCELED"
        raw.twin.options.partial_market_status = type(raw.twin.options.partial_market_status).FILLED
        again = await raw.sell(YES, "1")
        assert (await raw.history())[again]["st"] == "REJECTED"


async def test_a_slippage_cap() -> None:
    async with outpoll(max_slippage="0.02") as raw:
        best = raw.sim.market.best(YES.asset_id)[1]
        order = raw.sim.ledger.order(await raw.buy(YES, "1000"))
        fills = raw.sim.ledger.fills(order)
        assert best is not None
        assert {fill.price for fill in fills} <= {best, best + Decimal("0.01")}
        assert order.notional < 1000


@pytest.mark.parametrize(
    ("side", "price", "size"),
    [
        ("BUY", "0", "1"),
        ("BUY", "0.005", "1"),
        ("BUY", "1.00", "1"),
        ("BUY", "0.425", "1"),
        ("BUY", "4.2E-1", "1"),
        ("BUY", '"0.42"', "1"),
        ("BUY", "0.42000000000000004", "1"),
        ("BUY", "NaN", "1"),
        ("BUY", "0.42", "0"),
        ("BUY", "0.42", "-1"),
        ("BUY", "0.42", "0.0000001"),
        ("BUY", "0.42", "true"),
        ("BUY", "0.42", "9" * 40),
        ("buy", "0.42", "1"),
        ("SELL", "0.42", "1"),  # nothing to sell
        ("BUY", "0.42", "1000000"),  # not the money
    ],
)
async def test_what_a_limit_order_may_not_be(side: str, price: str, size: str) -> None:
    async with outpoll() as raw:
        assert await refused(raw, LIMIT, raw.limit_body(YES, side, price, size)) == 400


async def test_quantities_off_the_lot_may_be_cut() -> None:
    async with outpoll(lot=1) as raw:
        body = raw.limit_body(YES, "BUY", "0.42", "1.5")
        assert await refused(raw, LIMIT, body) == 400
        raw.twin.options.cuts_to_lot = True
        assert await refused(raw, LIMIT, body.replace("1.5", "0.5")) == 400
        assert (await raw.call("POST", LIMIT, body))[0] == 200
        assert raw.sim.ledger.orders()[0].quantity == 1
        assert (await raw.active())[0]["quantity"] == 1


async def test_minimums() -> None:
    async with outpoll(min_quantity=5, min_amount=2) as raw:
        assert await refused(raw, LIMIT, raw.limit_body(YES, "BUY", "0.42", "4")) == 400
        assert await refused(raw, MARKET, raw.market_body(YES, "BUY", "am", "1.9")) == 400
        await raw.limit(YES, "BUY", "0.42", "5")
        await raw.buy(YES, "2")


async def test_what_a_body_may_not_be() -> None:
    async with outpoll() as raw:
        good = raw.limit_body(YES, "BUY", "0.42", "1")
        for bad in (
            "",
            "[]",
            "{",
            "[" * 100_000,
            good.replace('"qa"', '"x"'),
            good.replace(',"s"', ',"tif":"GTC","s"'),
            good.replace(YES.asset_id, "nothing"),
            good.replace(YES.outcome.outcome_id, "97b06d16-aeff-4dd4-b08b-1ba30a2b8895"),
            good.replace("078dcd98", "178dcd98"),
        ):
            assert await refused(raw, LIMIT, bad) == 400, bad
        headers = raw.headers("POST", LIMIT, good)
        assert await refused(raw, LIMIT, good, headers={**headers, "Content-Type": "text/plain"}) == 400


async def test_a_market_buy_has_am_and_a_market_sell_q() -> None:
    async with outpoll() as raw:
        for side, key in (("BUY", "q"), ("SELL", "am"), ("BUY", "p")):
            assert await refused(raw, MARKET, raw.market_body(YES, side, key, "5")) == 400
        both = raw.market_body(YES, "BUY", "am", "5").replace('"am"', '"q":5,"am"')
        assert await refused(raw, MARKET, both) == 400


async def test_funds_are_locked_by_open_orders() -> None:
    async with outpoll(book=False, balance=10, shares=10) as raw:
        await raw.limit(YES, "BUY", "0.50", "15")
        assert (await raw.call("POST", LIMIT, raw.limit_body(YES, "BUY", "0.50", "6")))[0] == 400
        second = await raw.limit(YES, "BUY", "0.50", "5")
        assert await raw.cancel(second) == 200
        await raw.limit(NO, "SELL", "0.90", "7")
        assert (await raw.call("POST", LIMIT, raw.limit_body(NO, "SELL", "0.90", "4")))[0] == 400
        assert (await raw.call("POST", MARKET, raw.market_body(NO, "SELL", "q", "4")))[0] == 400


async def test_a_fee_by_choice() -> None:
    async with outpoll(fee_rate="0.001", balance=100) as raw:
        order = raw.sim.ledger.order(await raw.buy(YES, "50"))
        assert order.fees == order.notional * Decimal("0.001")
        assert raw.sim.ledger.balance(QUOTE) == 100 - order.notional - order.fees


# -- cancelling ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204])
async def test_a_cancel(status: int) -> None:
    async with outpoll(cancel_status=status) as raw:
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        assert await raw.cancel(order_id) == status
        assert raw.sim.ledger.order(order_id).state is OrderState.CANCELED
        assert await raw.active() == []
        assert await raw.cancel(order_id) == 404
        assert await raw.cancel("nothing") == 404


@pytest.mark.parametrize("status", [200, 204, 404])
async def test_cancels_of_closed_orders(status: int) -> None:
    async with outpoll(closed_cancel_status=status) as raw:
        order_id = await raw.buy(YES, "5")
        assert await raw.cancel(order_id) == status
        assert raw.sim.ledger.order(order_id).state is OrderState.FILLED


async def test_a_fill_races_the_cancel() -> None:
    async with outpoll() as raw:
        first, second = [await raw.limit(YES, "BUY", "0.40", "5") for _ in range(2)]
        raw.twin.race_next_cancel()
        assert await raw.cancel(first) == 200
        assert raw.sim.ledger.order(first).state is OrderState.FILLED
        raw.twin.race_next_cancel("2")
        assert await raw.cancel(second) == 200
        order = raw.sim.ledger.order(second)
        assert (order.state, order.filled, order.canceled) == (OrderState.CANCELED, 2, 3)


async def test_a_slow_cancel_leaves_time_to_trade() -> None:
    async with outpoll(cancel_delay_secs=0.1) as raw:
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        assert await raw.cancel(order_id) == 200
        order = raw.sim.ledger.order(order_id)
        raw.twin.fill(order, "3")

        async def is_canceled() -> bool:
            return order.state is OrderState.CANCELED

        await eventually(is_canceled)
        assert order.filled == 3


async def test_an_order_can_be_canceled_before_it_is_processed() -> None:
    async with outpoll(process_delay_secs=0.1) as raw:
        order_id = await raw.limit(YES, "BUY", "0.60", "5")
        assert await raw.cancel(order_id) == 200
        order = raw.sim.ledger.order(order_id)

        async def is_over() -> bool:
            return not order.is_open

        await eventually(is_over)
        assert (order.state, order.filled) == (OrderState.CANCELED, 0)


async def test_cancels_refused_and_failed() -> None:
    async with outpoll() as raw:
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        raw.twin.refuse_next_cancel(status=400)
        assert await raw.cancel(order_id) == 400
        stream = await raw.orders()
        raw.twin.fail_next_cancel()
        assert await raw.cancel(order_id) == 200
        assert await stream.update() == (order_id, "FAILED")
        assert [row["id"] for row in await raw.active()] == [order_id]


async def test_orders_refused_and_failed() -> None:
    async with outpoll() as raw:
        raw.twin.refuse_next_order("Market is paused", 404)
        assert await refused(raw, LIMIT, raw.limit_body(YES, "BUY", "0.40", "5")) == 404
        stream = await raw.orders()
        raw.twin.fail_next_order()
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        assert await stream.update() == (order_id, "FAILED")
        assert (await raw.history())[order_id]["st"] == "REJECTED"
        raw.twin.options.history_lists_rejected = False
        assert await raw.history() == {}


async def test_orders_without_funds_may_fail_later() -> None:
    async with outpoll(refusal="update", place_status=202) as raw:
        stream = await raw.orders()
        order_id = await raw.limit(YES, "SELL", "0.60", "5")
        assert await stream.update() == (order_id, "FAILED")
        assert raw.sim.ledger.order(order_id).state is OrderState.REJECTED


# -- the end of an event, orders from elsewhere, faults -----------------------------------------------------


async def test_orders_vanish_at_resolution_and_winners_are_paid() -> None:
    async with outpoll(book=False, balance=100, shares=10) as raw:
        stream = await raw.orders()
        bid = await raw.limit(YES, "BUY", "0.50", "10")
        ask = await raw.limit(NO, "SELL", "0.60", "4")
        other = raw.twin.place_external("c7d15a90-0b4e-4a6f-a1de-35b8f9027c03", side=Side.BUY, size=1, price="0.1")
        assert await stream.updates(3) == ["SUCCESS"] * 3
        raw.twin.resolve(YES.outcome.outcome_id, yes_wins=True)
        assert [row["id"] for row in await raw.active()] == [other.venue_order_id]
        assert not {bid, ask} & set(await raw.history())
        assert raw.sim.ledger.balance(QUOTE) == 110
        assert raw.sim.ledger.balance(YES.asset_id) == raw.sim.ledger.balance(NO.asset_id) == 0
        assert await stream.is_silent()
        assert (await raw.call("POST", LIMIT, raw.limit_body(YES, "BUY", "0.50", "1")))[0] == 400
        raw.twin.options.history_lists_resolved = True
        assert {row["st"] for row in (await raw.history()).values()} == {"RESOLVED"}


async def test_a_position_is_flat_after_resolution() -> None:
    async with outpoll(balance=100) as raw:
        order = raw.sim.ledger.order(await raw.buy(NO, "10"))
        raw.twin.resolve(NO.outcome.outcome_id, yes_wins=False)
        assert raw.sim.ledger.position(NO.asset_id).net == 0
        assert raw.sim.ledger.balance(QUOTE) == 100 - order.notional + order.filled


async def test_orders_from_elsewhere() -> None:
    async with outpoll() as raw:
        stream = await raw.orders()
        order = raw.sim.place_external(YES.asset_id, side=Side.BUY, size="5", price="0.40")
        assert await stream.update() == (order.venue_order_id, "SUCCESS")
        bought = raw.sim.place_external(YES.asset_id, side=Side.BUY, amount="5")
        assert bought.state is OrderState.FILLED
        raw.sim.cancel_external(order)
        assert order.state is OrderState.CANCELED


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.ERROR_AFTER_EFFECT, 500),
        (Fault.ERROR_BEFORE_EFFECT, 500),
        (Fault.RATE_LIMIT, 429),
        (Fault.LOST_ANSWER, None),
        (Fault.RESET, None),
    ],
)
async def test_calls_that_go_wrong(fault: Fault, status: int | None) -> None:
    async with outpoll() as raw:
        raw.sim.faults.once(fault, where="POST /orders/limit")
        body = raw.limit_body(YES, "BUY", "0.40", "5")
        if status is None:
            with pytest.raises(Exception, match=r"(?i)disconnected|reset|payload"):
                await raw.call("POST", LIMIT, body)
        else:
            assert (await raw.call("POST", LIMIT, body))[0] == status
        has_effect = fault not in (Fault.ERROR_BEFORE_EFFECT, Fault.RATE_LIMIT)
        assert len(raw.sim.ledger.orders()) == has_effect
        assert len(await raw.active()) == has_effect


async def test_rate_limits_with_and_without_retry_after() -> None:
    async with outpoll() as raw:
        path = "/api/history/orders"
        for settings, wanted in (({"retry_after": 3}, "3"), ({}, None)):
            raw.sim.faults.once(Fault.RATE_LIMIT, where=f"GET {path}", **settings)
            async with raw.session.get(raw.sim.base_url_http + path, headers=raw.headers("GET", path)) as response:
                assert response.status == 429
                assert response.headers.get("Retry-After") == wanted


async def test_a_skewed_clock_refuses_everybody() -> None:
    async with outpoll() as raw:
        armed = raw.sim.faults.arm(Fault.CLOCK_SKEW, secs=60)
        assert await refused(raw, LIMIT, raw.limit_body(YES, "BUY", "0.40", "5")) == 401
        stamp = str(int(time.time()) + 60)
        body = raw.limit_body(YES, "BUY", "0.40", "5")
        headers = raw.headers("POST", LIMIT, body, stamp=stamp)
        assert (await raw.call("POST", LIMIT, body, headers=headers))[0] == 200
        raw.sim.faults.disarm(armed)
        assert len(await raw.active()) == 1
