"""OCO pairs at the simulated venue: each leg tracked, the sibling's end reported, whatever ids the answers show."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderDenied

from nautilus_orderfeeds.sim import Side
from nautilus_orderfeeds.sim.faults import Fault
from tests.support.acttrader_client import live_pair, pair, trading

pytestmark = pytest.mark.node
D = Decimal
both = pytest.mark.parametrize("dialect", ["draft", "final"])


@pytest.mark.parametrize("sibling", ["REJECTED", "CANCELED"])
@pytest.mark.parametrize("ids", ["own", "same_in_answer", "same_everywhere"])
@pytest.mark.parametrize("answer", ["before", "after"])
@both
async def test_one_leg_fills_and_the_other_ends(dialect: str, ids: str, sibling: str, answer: str):
    async with trading(dialect, oco_ids=ids, oco_status=sibling, new_answer=answer) as t:
        profit, stop = await live_pair(t)
        assert t.sent("neworderoco") == 1
        assert t.sim.ledger.order(profit.venue_order_id.value).price == profit.price.as_decimal()
        assert t.sim.ledger.order(stop.venue_order_id.value).trigger is not None
        t.sim.market.trade("EURUSD", profit.price.as_decimal(), D(10000), Side.BUY)
        await t.until(lambda: profit.is_closed and stop.is_closed, "the end of both")
        assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        assert t.names(profit) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert t.names(stop) == ["Initialized", "Submitted", "Accepted", "Canceled"]
        assert t.differences() == []


@both
async def test_the_siblings_end_is_found_when_nobody_tells_of_it(dialect: str):
    async with trading(dialect, config={"audit_interval_secs": 0.5}) as t:
        profit, stop = await live_pair(t)
        t.sim.faults.arm(Fault.DROP, where="execution*")
        t.sim.market.trade("EURUSD", profit.price.as_decimal(), D(10000), Side.BUY)
        await t.until(lambda: profit.is_closed and stop.is_closed, "the end of both")
        assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)


@pytest.mark.parametrize("ids", ["own", "same_in_answer", "same_everywhere"])
@both
async def test_a_pair_whose_answer_was_lost_is_found_leg_by_leg(dialect: str, ids: str):
    async with trading(dialect, oco_ids=ids) as t:
        t.sim.faults.arm(Fault.DROP, where="execution*")
        t.sim.faults.once(Fault.LOST_ANSWER, where="WS neworderoco")
        profit, stop = await live_pair(t)
        assert t.sim.ledger.order(profit.venue_order_id.value).price == profit.price.as_decimal()
        assert t.sim.ledger.order(stop.venue_order_id.value).trigger is not None
        assert len(t.sim.ledger.orders()) == 2
        t.sim.faults.calm()
        t.desk.cancel_order(profit)
        t.desk.cancel_order(stop)
        await t.until(lambda: profit.is_closed and stop.is_closed, "the end of both")


@both
async def test_a_refused_pair_rejects_both_legs(dialect: str):
    async with trading(dialect) as t:
        t.sim.twin.reject_next_order("no money")
        orders = pair(t)
        t.desk.submit_order_list(orders)
        await t.until(lambda: all(o.is_closed for o in orders.orders), "the refusal")
        for order in orders.orders:
            assert order.status == OrderStatus.REJECTED
            assert "no money" in t.run.order_events(order.client_order_id)[-1].reason


@both
async def test_legs_are_changed_and_canceled_on_their_own(dialect: str):
    async with trading(dialect) as t:
        profit, _ = await live_pair(t)
        price = t.px(profit.price.as_decimal() + D("0.0005"))
        t.desk.modify_order(profit, price=price)
        await t.until(lambda: profit.price == price, "the change")
        t.desk.cancel_order(profit)
        await t.until(lambda: profit.status == OrderStatus.CANCELED, "the cancel")
        assert t.differences() == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"order_side": OrderSide.BUY}, "share one side"),
        ({"quantity": 20000}, "share one quantity"),
    ],
)
async def test_what_is_no_pair_is_denied_with_the_reason(change: dict[str, Any], words: str):
    async with trading("final") as t:
        if "quantity" in change:
            change = {"quantity": t.qty(change["quantity"])}
        orders = pair(t, **change)
        t.desk.submit_order_list(orders)
        await t.until(lambda: all(o.is_closed for o in orders.orders), "the denial")
        for order in orders.orders:
            (denied,) = [e for e in t.run.order_events(order.client_order_id) if isinstance(e, OrderDenied)]
            assert words in denied.reason
        assert t.sim.ledger.orders() == []


async def test_without_the_opt_in_a_pair_is_denied_and_params_may_ask_for_it():
    async with trading("draft", config={"aon_for_gtc": False}) as t:
        orders = pair(t)
        t.desk.submit_order_list(orders)
        await t.until(lambda: all(o.is_closed for o in orders.orders), "the denial")
        assert "aon_for_gtc" in t.run.order_events(orders.orders[0].client_order_id)[-1].reason
        asked = pair(t, 2)
        t.desk.submit_order_list(asked, params={"aon": True})
        await t.until(lambda: all(o.status == OrderStatus.ACCEPTED for o in asked.orders), "both to be accepted")
