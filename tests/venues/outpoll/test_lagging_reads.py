"""The stream only hints and the read side lags: no wrong event ever, and in the end both sides agree."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.sim.faults import Fault
from tests.support.nodes import Run
from tests.support.outpoll_client import ASSET, FAST, TRADES, Trader, books_agree, trading


async def live_a_little(sim: Any, run: Run, trader: Trader, secs: float) -> None:
    """Rest and cancel, cross, spend, sell, fill in part and cancel; each has exactly the events it should have."""
    bid, ask = sim.market.best(ASSET)
    resting = trader.limit(OrderSide.BUY, 20, bid - Decimal("0.05"))
    await run.until(lambda: resting.status == OrderStatus.ACCEPTED, "the resting order", secs)
    trader.cancel_order(resting)
    await run.until(lambda: resting.is_closed, "the cancel", secs)

    crossing = trader.limit(OrderSide.BUY, 100, ask + Decimal("0.02"))
    await run.until(lambda: crossing.is_closed, "the crossing order", secs)
    spending = trader.market(OrderSide.BUY, 20)
    await run.until(lambda: spending.is_closed, "the market buy", secs)
    selling = trader.market(OrderSide.SELL, 30)
    await run.until(lambda: selling.is_closed, "the market sell", secs)

    bid, ask = sim.market.best(ASSET)
    partly = trader.limit(OrderSide.BUY, 50, bid + Decimal("0.01"))
    await run.until(lambda: partly.status == OrderStatus.ACCEPTED, "the last order", secs)
    sim.market.trade(ASSET, bid + Decimal("0.01"), Decimal(10))
    await run.until(lambda: partly.filled_qty == 10, "its part fill", secs)
    trader.cancel_order(partly)
    await run.until(lambda: partly.is_closed, "its cancel", secs)

    assert run.names(resting.client_order_id)[-1] == "OrderCanceled"
    assert set(run.names(resting.client_order_id)[1:]) == {
        "OrderSubmitted", "OrderAccepted", "OrderPendingCancel", "OrderCanceled"
    }  # fmt: skip
    assert [order.status for order in (crossing, spending, selling)] == [OrderStatus.FILLED] * 3
    assert run.names(spending.client_order_id).count("OrderUpdated") == 1
    assert run.names(partly.client_order_id)[-1] == "OrderCanceled"
    assert "OrderRejected" not in run.names()
    assert "OrderCancelRejected" not in run.names()
    await books_agree(sim, run)


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(90)
@pytest.mark.parametrize("lag_secs", [0.0, 1.0])
async def test_fills_derived_from_balances_behind_a_lagging_read_side(lag_secs: float) -> None:
    async with trading({"history_delay_secs": lag_secs}, **FAST) as (sim, run, trader):
        await live_a_little(sim, run, trader, 20)


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_five_seconds_behind_with_the_default_settings() -> None:
    async with trading({"history_delay_secs": 5.0}) as (sim, run, trader):
        bid, ask = sim.market.best(ASSET)
        resting = trader.limit(OrderSide.BUY, 20, bid - Decimal("0.05"))
        crossing = trader.limit(OrderSide.BUY, 40, ask)
        await run.until(lambda: crossing.is_closed, "the fill", 40)
        assert resting.status == OrderStatus.ACCEPTED
        trader.cancel_order(resting)
        await run.until(lambda: resting.is_closed, "the cancel", 40)

        assert crossing.status == OrderStatus.FILLED
        assert resting.status == OrderStatus.CANCELED
        assert not {"OrderRejected", "OrderCancelRejected"} & set(run.names())
        await books_agree(sim, run)


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_an_order_whose_answer_is_lost_is_bound_by_its_terms_and_never_sent_again() -> None:
    async with trading({}, **FAST, trades_fields=TRADES) as (sim, run, trader):
        bid, _ = sim.market.best(ASSET)
        sim.faults.once(Fault.ERROR_AFTER_EFFECT, where="POST*")
        order = trader.limit(OrderSide.BUY, 7, bid - Decimal("0.04"))
        await run.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be found")

        (at_venue,) = sim.ledger.orders()
        assert order.venue_order_id.value == at_venue.venue_order_id
        assert len([r for r in sim.requests if r.method == "POST"]) == 1


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_two_identical_orders_one_answer_lost_are_never_mixed_up() -> None:
    async with trading({}, **FAST, trades_fields=TRADES) as (sim, run, trader):
        bid, _ = sim.market.best(ASSET)
        sim.faults.once(Fault.ERROR_AFTER_EFFECT, where="POST*")
        first = trader.limit(OrderSide.BUY, 7, bid - Decimal("0.04"))
        second = trader.limit(OrderSide.BUY, 7, bid - Decimal("0.04"))
        await run.until(lambda: first.is_open and second.is_open, "both orders to be found")

        placed = [order.venue_order_id for order in sim.ledger.orders()]
        assert [first.venue_order_id.value, second.venue_order_id.value] == placed


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_two_identical_orders_both_answers_lost_stay_in_flight() -> None:
    async with trading({}, **FAST, trades_fields=TRADES) as (sim, run, trader):
        bid, _ = sim.market.best(ASSET)
        sim.faults.arm(Fault.ERROR_AFTER_EFFECT, where="POST*", times=2)
        orders = [trader.limit(OrderSide.BUY, 7, bid - Decimal("0.04")) for _ in range(2)]
        await run.until(lambda: len(sim.ledger.orders()) == 2, "both orders at the venue")
        await asyncio.sleep(3)  # long enough for readings to settle twice

        assert [order.status for order in orders] == [OrderStatus.SUBMITTED] * 2
        assert [order.venue_order_id for order in orders] == [None, None]
