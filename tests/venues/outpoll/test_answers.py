"""What each answer of the venue is taken for: a refusal, nothing certain, or only that the request was taken."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.sim.model import EndReason
from tests.support.outpoll_client import FAST, TRADES, books_agree, trading

CONFIG: dict[str, Any] = {**FAST, "trades_fields": TRADES}


def sent(sim: Any, method: str) -> int:
    return sum(request.method == method for request in sim.requests)


@pytest.mark.node
@pytest.mark.timeout(60)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refused_order_is_rejected_with_status_and_text(status: int) -> None:
    async with trading({}, **CONFIG) as (sim, run, trader):
        sim.twin.refuse_next_order("No such market", status)
        order = trader.limit(OrderSide.BUY, 10, "0.30")
        await run.until(lambda: order.is_closed, "the rejection")
        assert order.status == OrderStatus.REJECTED
        assert f"HTTP {status}" in order.last_event.reason
        assert "No such market" in order.last_event.reason
        later = trader.limit(OrderSide.BUY, 10, "0.31")
        wanted = OrderStatus.DENIED if status == 403 else OrderStatus.ACCEPTED
        await run.until(lambda: later.status == wanted, "the next order")
        if status == 403:  # final for the key (protocol, 4.5): nothing more is sent
            assert "blocked the API key" in later.last_event.reason
            assert sent(sim, "POST") == 1


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_too_many_requests_refuse_an_order_and_delay_a_cancel() -> None:
    async with trading({}, **CONFIG) as (sim, run, trader):
        order = trader.limit(OrderSide.BUY, 10, "0.30")
        await run.until(lambda: order.status == OrderStatus.ACCEPTED, "the order")
        sim.faults.once(Fault.RATE_LIMIT, where="POST*", retry_after=0.2)
        refused = trader.limit(OrderSide.BUY, 10, "0.31")
        await run.until(lambda: refused.is_closed, "the rejection")
        assert "HTTP 429" in refused.last_event.reason

        sim.faults.once(Fault.RATE_LIMIT, where="DELETE*", retry_after=0.2)
        trader.cancel_order(order)
        await run.until(lambda: order.is_closed, "the cancel, sent again")
        assert order.status == OrderStatus.CANCELED
        assert "OrderCancelRejected" not in run.names(order.client_order_id)
        assert sent(sim, "DELETE") == 2
        assert sent(sim, "POST") == 2


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_refused_cancel_of_a_live_order_is_rejected_with_the_reason() -> None:
    async with trading({}, **CONFIG) as (sim, run, trader):
        order = trader.limit(OrderSide.BUY, 10, "0.30")
        await run.until(lambda: order.status == OrderStatus.ACCEPTED, "the order")
        sim.twin.refuse_next_cancel("Not now", 400)
        trader.cancel_order(order)
        await run.until(lambda: "OrderCancelRejected" in run.names(order.client_order_id), "the refusal")
        assert "Not now" in order.last_event.reason
        assert order.status == OrderStatus.ACCEPTED


@pytest.mark.node
@pytest.mark.timeout(60)
@pytest.mark.parametrize("status", [200, 204, 404])
async def test_the_cancel_of_a_filled_order_tells_the_fill_whatever_its_answer(status: int) -> None:
    options = {"closed_cancel_status": status, "history_delay_secs": 0.5, "update_copies": 0}
    async with trading(options, **CONFIG) as (sim, run, trader):
        order = trader.limit(OrderSide.BUY, 10, "0.30")
        await run.until(lambda: order.status == OrderStatus.ACCEPTED, "the order")
        sim.twin.fill(sim.ledger.order(order.venue_order_id.value), 10)
        trader.cancel_order(order)
        await run.until(lambda: order.is_closed, "the end")
        assert order.status == OrderStatus.FILLED
        assert not {"OrderCanceled", "OrderCancelRejected"} & set(run.names(order.client_order_id))
        await books_agree(sim, run)


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_fill_that_races_the_cancel_is_told_before_it() -> None:
    async with trading({"history_delay_secs": 0.5}, **CONFIG) as (sim, run, trader):
        order = trader.limit(OrderSide.BUY, 10, "0.30")
        await run.until(lambda: order.status == OrderStatus.ACCEPTED, "the order")
        sim.twin.race_next_cancel(4)
        trader.cancel_order(order)
        await run.until(lambda: order.is_closed, "the cancel")
        assert run.names(order.client_order_id)[-2:] == ["OrderFilled", "OrderCanceled"]
        assert order.filled_qty == 4
        await books_agree(sim, run)


@pytest.mark.node
@pytest.mark.timeout(60)
@pytest.mark.parametrize("absent_after_secs", [None, 3.0])
async def test_an_order_that_was_taken_and_is_in_no_list_ever(absent_after_secs: float | None) -> None:
    """Ended without a word before any reading saw it: open and flagged, unless the config says for how long."""
    config = {**CONFIG, "absent_after_secs": absent_after_secs}
    async with trading({"history_delay_secs": 0.3}, **config) as (sim, run, trader):
        order = trader.limit(OrderSide.BUY, 10, "0.30")
        await run.until(lambda: sim.ledger.orders(is_open=True), "the order at the venue")
        sim.twin.cancel_external(sim.ledger.orders()[0], reason=EndReason.ADMIN)
        if absent_after_secs is None:
            await asyncio.sleep(4.0)
            assert order.status == OrderStatus.ACCEPTED
            return
        await run.until(lambda: order.is_closed, "the order to be given up")
        assert order.status == OrderStatus.CANCELED
        await books_agree(sim, run)


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_an_event_that_is_resolved_takes_the_orders_after_their_fills() -> None:
    async with trading({}, **CONFIG, audit_interval_secs=0.5) as (sim, run, trader):
        order = trader.limit(OrderSide.BUY, 10, "0.30")
        await run.until(lambda: order.status == OrderStatus.ACCEPTED, "the order")
        sim.twin.fill(sim.ledger.order(order.venue_order_id.value), 4)
        await run.until(lambda: order.filled_qty == 4, "a part fill")
        outcome = run.cache.instrument(order.instrument_id).info["outcome_id"]
        sim.twin.resolve(outcome, yes_wins=True)
        await run.until(lambda: order.is_closed, "the end")
        assert order.status == OrderStatus.CANCELED
        assert order.filled_qty.as_decimal() == Decimal(4)
