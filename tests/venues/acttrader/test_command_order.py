"""Commands of one session go out in the order in which they were given, whatever the answers take."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from tests.support.acttrader_client import IID, Trading, live_pair, pair, trading

pytestmark = pytest.mark.node
D = Decimal
both = pytest.mark.parametrize("dialect", ["draft", "final"])


REQUESTS = {
    "submit_order": "newordersingle",
    "submit_order_list": "neworderoco",
    "modify_order": "modifyordersingle",
    "cancel_order": "ordercancel",
}


def listened(t: Trading) -> list[str]:
    """The requests that the client is given commands for, from now on (the framework lets cancels overtake)."""
    given: list[str] = []
    queue = t.client._queue

    def noted(name: str, run: Any) -> None:
        given.append(REQUESTS[name])
        queue(name, run)

    t.client._queue = noted
    return given


@pytest.mark.parametrize("late", [0.0, 0.1])
@both
async def test_submits_changes_and_cancels_in_one_breath(dialect: str, late: float):
    async with trading(dialect, config={"requests_per_sec": 40}, new_delay_secs=late) as t:
        asked, given = len(t.sim.requests), listened(t)
        orders = [t.limit(OrderSide.BUY, t.bid - D("0.001") - n * D("0.0001")) for n in range(4)]
        t.submit(*orders)
        exits = pair(t)
        t.desk.submit_order_list(exits)
        last = t.limit(OrderSide.BUY, t.bid - D("0.005"))
        t.submit(last)
        await t.until(lambda: last.status == OrderStatus.ACCEPTED, "the last order to be accepted")
        price = t.px(t.bid - D("0.004"))
        t.desk.modify_order(orders[0], price=price)
        t.desk.cancel_order(orders[1])
        t.desk.modify_order(orders[2], price=price)
        t.desk.cancel_order(orders[3])
        t.desk.cancel_order(last)
        await t.until(lambda: all(o.is_closed for o in (orders[1], orders[3], last)), "the cancels")
        await t.until(lambda: orders[0].price == orders[2].price == price, "both changes")
        assert [r.path for r in t.sim.requests[asked:] if r.path in REQUESTS.values()] == given
        assert len(given) == 11
        placed = [o.client_order_id for o in t.sim.ledger.orders()]
        assert placed == [o.client_order_id.value for o in (*orders, *exits.orders, last)]
        assert t.differences() == []


@both
async def test_cancel_all_asks_once_for_each_order(dialect: str):
    async with trading(dialect) as t:
        orders = [t.limit(OrderSide.BUY, t.bid - D("0.001")) for _ in range(3)]
        t.submit(*orders)
        legs = await live_pair(t)
        await t.until(lambda: all(o.status == OrderStatus.ACCEPTED for o in orders), "them to be accepted")
        t.desk.cancel_all_orders(IID)
        await t.until(lambda: all(o.status == OrderStatus.CANCELED for o in (*orders, *legs)), "the cancels")
        assert t.sent("ordercancel") == 5
        assert t.differences() == []
