"""A node that trades at the simulated venue in both dialects, whatever of the undocumented the server does."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.events import OrderFilled, OrderUpdated

from nautilus_orderfeeds.sim import Side
from nautilus_orderfeeds.sim.faults import Fault
from tests.support.acttrader_client import Trading, node_at, trading

pytestmark = pytest.mark.node
D = Decimal
BUY, SELL = OrderSide.BUY, OrderSide.SELL
both = pytest.mark.parametrize("dialect", ["draft", "final"])


def fills(t: Trading, order: Any) -> list[OrderFilled]:
    return [event for event in t.run.order_events(order.client_order_id) if isinstance(event, OrderFilled)]


async def resting(t: Trading, *, quantity: int = 10000, **terms: Any) -> Any:
    order = t.limit(BUY, t.bid - D("0.001"), quantity, **terms)
    t.submit(order)
    await t.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be accepted")
    return order


def trade(t: Trading, order: Any, size: int) -> None:
    side = Side.SELL if order.side == BUY else Side.BUY
    t.sim.market.trade("EURUSD", order.price.as_decimal(), D(size), side)


# -- fills ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "options"),
    [
        ("draft", {}),
        ("draft", {"partial_status": "NEW", "no_limit_price": "last_fill"}),
        ("draft", {"execution_copies": 3, "transact_time": "iso"}),
        ("final", {}),
        ("final", {"execution_fills": "incremental", "execution_copies": 2}),
        ("final", {"execution_fills": "none", "partial_status": "PARTIALLY_FILLED"}),
        ("final", {"execution_steps": "each", "transact_time": "int_ms"}),
        ("final", {"new_execution": False, "new_answer": "after"}),
    ],
    ids=str,
)
async def test_every_fill_once_with_its_own_price(dialect: str, options: dict[str, Any]):
    async with trading(dialect, all_or_none=False, **options) as t:
        order = await resting(t)
        for size in (2000, 3000):
            trade(t, order, size)
            await t.until(lambda: not t.differences(), "the fill to be told")
        market = t.market(BUY, 5000)
        t.submit(market)
        trade(t, order, 5000)
        await t.until(lambda: order.is_closed and market.is_closed, "all to be filled")
        assert [(f.trade_id.value, f.last_qty.as_decimal()) for f in fills(t, order)] == [
            (f"{order.venue_order_id}-2000", 2000),
            (f"{order.venue_order_id}-5000", 3000),
            (f"{order.venue_order_id}-10000", 5000),
        ]
        assert not any((f.info or {}).get("inferred") for f in (*fills(t, order), *fills(t, market)))
        assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Filled", "Filled", "Filled"]
        assert t.differences() == []
        assert t.run.log.entries("ERROR") == []


@both
async def test_a_sweep_has_the_prices_of_its_levels(dialect: str):
    async with trading(dialect, all_or_none=False) as t:
        levels = t.sim.market.book("EURUSD")[1][:3]
        order = t.market(BUY, int(levels[0][1] + levels[1][1] + 1000))
        t.submit(order)
        await t.until(lambda: order.status == OrderStatus.FILLED, "the sweep to be told")
        told = [(f.last_px.as_decimal(), f.last_qty.as_decimal()) for f in fills(t, order)]
        assert told == [levels[0], levels[1], (levels[2][0], D(1000))]


async def test_no_fills_anywhere_is_estimated_at_the_limit_price():
    async with trading("draft", status_fills=False) as t:
        order = await resting(t)
        trade(t, order, 10000)
        await t.until(lambda: order.is_closed, "the fill to be inferred")
        (fill,) = fills(t, order)
        assert fill.last_px == order.price
        assert fill.info["inferred"] is True
        assert fill.trade_id.value == f"{order.venue_order_id}-10000"


async def test_no_price_at_all_waits_and_says_so_until_a_quote_is_known():
    async with trading("draft", status_fills=False) as t:
        order = t.market(BUY, 5000)
        t.submit(order)
        await t.until(lambda: any("no price is known" in e for e in t.run.log.entries("ERROR")), "the error")
        assert order.status == OrderStatus.ACCEPTED
        t.run.cache.add_quote_tick(_quote(t))
        await t.until(lambda: order.status == OrderStatus.FILLED, "the estimate by the quote")
        (fill,) = fills(t, order)
        assert fill.last_px.as_decimal() == D("1.20010")
        assert fill.info["inferred"] is True


def _quote(t: Trading) -> Any:
    from nautilus_trader.model.data import QuoteTick

    size = t.qty(1)
    return QuoteTick(t.instrument.id, t.px(D("1.20000")), t.px(D("1.20010")), size, size, 0, 0)


async def test_fills_are_not_estimated_while_the_venue_cannot_be_asked():
    """The connection ends right after an execution without fills: the real ones come with the next connection."""
    async with trading("draft") as t:
        order = await resting(t)
        t.sim.faults.arm(Fault.DROP, where="WS orderstatus")
        trade(t, order, 10000)
        await t.until(lambda: t.client._tracker.get(order.client_order_id.value).unsettled_since_ns, "the execution")
        t.sim.pause()
        await asyncio.sleep(0.8)  # longer than `settle_secs`
        assert order.filled_qty == 0
        t.sim.faults.calm()
        await t.sim.resume()
        await t.until(lambda: order.status == OrderStatus.FILLED, "the fills")
        assert not any((f.info or {}).get("inferred") for f in fills(t, order))


# -- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "options", "end"),
    [
        ("final", {}, OrderStatus.EXPIRED),
        ("final", {"expiry_status": "REJECTED"}, OrderStatus.EXPIRED),
        ("final", {"expiry_reason": "LIFETIME_EXPIRED"}, OrderStatus.EXPIRED),
        # The draft has no reasons: an end without one is a cancel (protocol 11.2).
        ("draft", {}, OrderStatus.CANCELED),
    ],
    ids=str,
)
async def test_expiry(dialect: str, options: dict[str, Any], end: OrderStatus):
    async with trading(dialect, **options) as t:
        expires = t.desk.clock.utc_now() + pd.Timedelta(minutes=1)
        order = await resting(t, time_in_force=TimeInForce.GTD, expire_time=expires)
        t.sim.clock.advance(61)
        await t.until(lambda: order.is_closed, "the expiry")
        assert order.status == end


@pytest.mark.parametrize("status", ["CANCELED", "REJECTED"])
async def test_unfilled_ioc_is_canceled_or_rejected(status: str):
    async with trading("final", unfilled_status=status) as t:
        order = t.limit(BUY, t.bid, time_in_force=TimeInForce.IOC)
        t.submit(order)
        await t.until(lambda: order.is_closed, "the end")
        assert order.status == (OrderStatus.CANCELED if status == "CANCELED" else OrderStatus.REJECTED)
        assert order.filled_qty == 0


@pytest.mark.parametrize("how", ["error", "answer", "execution", "new_then_execution"])
@both
async def test_every_way_of_refusing(dialect: str, how: str):
    # An execution alone proves nothing while an answer may come: it could be about another login's order.
    async with trading(dialect, refusal=how, config={"request_timeout_secs": 0.5}) as t:
        t.sim.twin.reject_next_order("no money")
        order = t.limit(BUY, t.bid)
        t.submit(order)
        await t.until(lambda: order.is_closed, "the refusal")
        assert order.status == OrderStatus.REJECTED
        assert t.names(order)[-1] == "Rejected"
        assert t.names(order).count("Rejected") == 1
        assert t.sent("newordersingle") == 1


@pytest.mark.parametrize("answer", ["before", "after", "never"])
@pytest.mark.parametrize("pushed", [True, False])
@both
async def test_modify_and_cancel_however_they_are_told(dialect: str, answer: str, pushed: bool):
    options = {"modify_answer": answer, "cancel_answer": answer, "modify_execution": pushed, "cancel_execution": pushed}
    async with trading(dialect, config={"request_timeout_secs": 0.5}, **options) as t:
        order = await resting(t)
        price = t.px(order.price.as_decimal() - D("0.0005"))
        t.desk.modify_order(order, price=price)
        await t.until(lambda: order.price == price and order.status == OrderStatus.ACCEPTED, "the change")
        t.desk.cancel_order(order)
        await t.until(lambda: order.status == OrderStatus.CANCELED, "the cancel")
        assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Updated", "Canceled"]
        assert t.sent("modifyordersingle") == 1
        assert t.differences() == []


@both
async def test_stop_price_is_changed(dialect: str):
    async with trading(dialect) as t:
        order = t.stop(SELL, t.bid - D("0.01"))
        t.submit(order)
        await t.until(lambda: order.status == OrderStatus.ACCEPTED, "the stop")
        trigger = t.px(t.bid - D("0.02"))
        t.desk.modify_order(order, trigger_price=trigger)
        await t.until(lambda: order.trigger_price == trigger, "the new stop price")
        assert t.sim.ledger.order(order.venue_order_id.value).trigger.price == trigger.as_decimal()
        (updated,) = [e for e in t.run.order_events(order.client_order_id) if isinstance(e, OrderUpdated)]
        assert updated.trigger_price == trigger


async def test_quantity_of_a_partly_filled_order_is_refused_here():
    async with trading("draft") as t:
        order = await resting(t)
        trade(t, order, 4000)
        await t.until(lambda: order.status == OrderStatus.PARTIALLY_FILLED, "a part")
        t.desk.modify_order(order, quantity=t.qty(20000))
        await t.until(lambda: "ModifyRejected" in t.names(order), "the refusal")
        assert t.sent("modifyordersingle") == 0
        assert order.quantity == t.qty(10000)


@both
async def test_cancel_that_comes_too_late(dialect: str):
    """The order has filled, and nobody was told: no rejection but the fill."""
    async with trading(dialect) as t:
        order = await resting(t)
        t.sim.faults.arm(Fault.DROP, where="execution*")
        trade(t, order, 10000)
        t.desk.cancel_order(order)
        await t.until(lambda: order.is_closed, "the fill")
        assert order.status == OrderStatus.FILLED
        assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Filled"]


@both
async def test_a_fill_nobody_told_of_before_the_cancel_is_found(dialect: str):
    """The answer to a cancel does not say what was filled; the execution that does was lost."""
    async with trading(dialect, all_or_none=False) as t:
        order = await resting(t)
        t.sim.faults.arm(Fault.DROP, where="execution*")
        trade(t, order, 4000)
        t.desk.cancel_order(order)
        await t.until(lambda: order.filled_qty == t.qty(4000) and order.status == OrderStatus.CANCELED, "both")
        assert t.differences() == []


# -- who hears what ---------------------------------------------------------------------------------------------------


@both
async def test_foreign_orders_are_counted_and_ignored(dialect: str):
    async with trading(dialect, accounts=2) as t:
        order = await resting(t)
        t.sim.twin.push_foreign_execution()
        # Even one that has our own order's client order id.
        foreign = t.sim.place_external(
            "EURUSD",
            side=Side.BUY,
            size="1000",
            price=t.bid - D("0.002"),
            client_order_id=order.client_order_id.value,
            login=t.sim.twin.foreign_login,
        )
        t.sim.cancel_external(foreign)
        await t.until(lambda: t.client._intake.foreign_updates >= 3, "foreign executions")
        await t.client._synchronizer.full()
        assert t.run.cache.orders() == [order]
        assert order.status == OrderStatus.ACCEPTED
        assert order.price.as_decimal() == t.bid - D("0.001")
        assert t.run.cache.positions() == []
        assert t.run.log.entries("ERROR") == []


def foreign_execution(order: Any, **changes: Any) -> str:
    """What the server tells of another login's order that shows the client order id and the terms of ours."""
    payload = {
        "symbol": "EURUSD",
        "type": "LIMIT",
        "side": "BUY",
        "orderId": 77,
        "clientOrderId": order.client_order_id.value,
        "price": float(order.price),
        "origQty": 10000,
        "executedQty": 0,
        "status": "NEW",
    }
    return json.dumps({"event": "execution", "payload": payload | changes})


@both
async def test_another_logins_order_of_the_same_client_order_id_is_not_ours(dialect: str):
    """Two nodes with the same ids make the same client order ids: only the answer says which order is whose."""
    async with trading(dialect, new_delay_secs=0.4) as t:
        order = t.limit(BUY, t.bid - D("0.001"))
        t.submit(order)
        await t.until(lambda: order.status == OrderStatus.SUBMITTED, "the order to be on its way")
        await asyncio.sleep(0.05)
        t.sim.twin.push_text(foreign_execution(order))
        filled = {"executedQty": 10000, "status": "FILLED", "fills": [{"price": 1.1, "qty": 10000}]}
        t.sim.twin.push_text(foreign_execution(order, **filled))
        await t.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be accepted")
        (mine,) = t.sim.ledger.orders()
        assert order.venue_order_id.value == mine.venue_order_id
        await t.until(lambda: t.client._intake.foreign_updates == 2, "the foreign executions")
        assert t.names(order) == ["Initialized", "Submitted", "Accepted"]
        trade(t, order, 10000)
        await t.until(lambda: order.status == OrderStatus.FILLED, "its own fill")
        assert t.differences() == []


@both
async def test_executions_before_an_answer_that_never_comes_count_in_the_end(dialect: str):
    """Without an answer the client order id is all there is: it counts once no answer is to be expected any more."""
    async with trading(dialect, config={"request_timeout_secs": 0.5}, new_answer="never") as t:
        order = t.limit(BUY, t.bid - D("0.001"))
        t.submit(order)
        await t.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be accepted")
        trade(t, order, 10000)
        await t.until(lambda: order.status == OrderStatus.FILLED, "the fill")
        assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert t.differences() == []


async def test_one_socket_each_for_two_logins():
    async with trading("final", accounts=2) as t:
        second = t.sim.twin.credentials(1)["login"]
        first_order = await resting(t)
        async with node_at(t.sim, login=second) as other:
            other_order = await resting(other)
            for trader, mine in ((t, first_order), (other, other_order)):
                account = t.sim.ledger.main_account if trader is t else str(second)
                assert [o.venue_order_id for o in t.sim.ledger.orders(account=account)] == [mine.venue_order_id.value]
                assert trader.run.cache.orders() == [mine]


@both
async def test_faulty_frames_are_counted_and_the_feed_goes_on(dialect: str):
    async with trading(dialect) as t:
        order = await resting(t)
        twin = t.sim.twin
        twin.push_unknown_event()
        twin.push_with_comment(order.venue_order_id.value)
        twin.push_heartbeat()
        await t.until(lambda: t.client.malformed_frames == 2, "two faulty frames")
        trade(t, order, 10000)
        await t.until(lambda: order.status == OrderStatus.FILLED, "life to go on")
        assert t.client.malformed_frames == 2


# -- answers lost -----------------------------------------------------------------------------------------------------


@both
async def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again(dialect: str):
    async with trading(dialect) as t:
        t.sim.faults.arm(Fault.DROP, where="execution*")
        t.sim.faults.once(Fault.LOST_ANSWER, where="WS newordersingle")
        order = t.limit(BUY, t.bid - D("0.001"))
        t.submit(order)
        await t.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be found")
        assert t.sent("newordersingle") == 1
        assert len(t.sim.ledger.orders()) == 1


async def test_final_order_that_never_arrived_is_rejected_after_its_time():
    async with trading("final", config={"request_timeout_secs": 0.5}) as t:
        t.sim.faults.once(Fault.DROP, where="WS newordersingle")
        order = t.limit(BUY, t.bid)
        t.submit(order)
        await t.until(lambda: order.is_closed, "its end")
        assert order.status == OrderStatus.REJECTED
        assert "never reached" in t.run.order_events(order.client_order_id)[-1].reason
        assert t.sim.ledger.orders() == []


async def test_draft_market_order_without_an_answer_stays_in_flight_loudly():
    async with trading("draft", config={"request_timeout_secs": 0.5}) as t:
        t.sim.faults.arm(Fault.DROP, where="execution*")
        t.sim.faults.once(Fault.LOST_ANSWER, where="WS newordersingle")
        order = t.market(BUY, 5000)
        t.submit(order)
        await t.until(lambda: any("is unknown" in entry for entry in t.run.log.entries("WARN")), "a warning")
        await asyncio.sleep(1.5)
        assert order.status == OrderStatus.SUBMITTED
        assert t.sent("newordersingle") == 1
        assert len(t.sim.ledger.orders()) == 1
        # Whatever tells of it later still finds it.
        t.sim.faults.calm()
        late = {
            "orderId": int(t.sim.ledger.orders()[0].venue_order_id),
            "clientOrderId": order.client_order_id.value,
            "type": "MARKET",
            "origQty": 5000,
            "executedQty": 5000,
            "status": "FILLED",
        }
        t.sim.twin.push_text(json.dumps({"event": "execution", "payload": late}))
        await t.until(lambda: order.status == OrderStatus.FILLED, "the late execution")
        assert t.differences() == []
