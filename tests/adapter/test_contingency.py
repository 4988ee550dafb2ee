"""Brackets that the client keeps itself: children held here, sent when the entry has filled, kept through a restart."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import ContingencyType as NtContingencyType
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.events import OrderDenied, OrderUpdated
from nautilus_trader.model.identifiers import ClientOrderId, OrderListId
from nautilus_trader.model.orders import LimitOrder, OrderList

from nautilus_orderfeeds.adapter.contingency import children_of, held_id, is_held
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import ContingencyType
from nautilus_orderfeeds.orders.words import OrderSide as Side_
from nautilus_orderfeeds.orders.words import OrderType as Type_
from nautilus_orderfeeds.orders.words import TimeInForce as Force_
from nautilus_orderfeeds.sim import Side
from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.sim.model import OrderState
from nautilus_orderfeeds.venues.acttrader import venue as venue_module
from nautilus_orderfeeds.venues.capabilities import Evidence, Feature, no
from tests.support.acttrader_client import IID, Bracket, Trading, trading

D = Decimal
node = pytest.mark.node
both = pytest.mark.parametrize("dialect", ["draft", "final"])

# -- what a bracket is ------------------------------------------------------------------------------------------------


def terms(client_order_id: str, **changes: Any) -> NewOrder:
    made: dict[str, Any] = {
        "symbol": "EURUSD",
        "side": Side_.SELL,
        "type": Type_.LIMIT,
        "time_in_force": Force_.GTC,
        "quantity": D(10),
        "parent_order_id": "E",
        "contingency_type": ContingencyType.OUO,
    }
    return NewOrder(client_order_id=client_order_id, **{**made, **changes})


ENTRY = terms("E", side=Side_.BUY, parent_order_id=None, contingency_type=ContingencyType.OTO)


def test_brackets_are_told_from_other_lists():
    assert [c.client_order_id for c in children_of([ENTRY, terms("A"), terms("B")])] == ["A", "B"]
    assert [c.client_order_id for c in children_of([ENTRY, terms("A")])] == ["A"]
    assert children_of([ENTRY]) == []
    assert children_of([ENTRY, terms("A"), terms("B"), terms("C")]) == []
    for change in (
        {"side": Side_.BUY},
        {"symbol": "GBPUSD"},
        {"parent_order_id": "X"},
        {"parent_order_id": None},
        {"quantity": D(11)},
    ):
        assert children_of([ENTRY, terms("A"), terms("B", **change)]) == []
    assert children_of([structs.replace(ENTRY, contingency_type=ContingencyType.OCO), terms("A")]) == []


def test_held_ids():
    assert is_held(held_id("O-1"))
    assert not is_held("1000001")
    assert not is_held(None)


# -- a life -----------------------------------------------------------------------------------------------------------


@node
@both
async def test_children_wait_here_and_go_out_as_a_pair_when_the_entry_has_filled(dialect: str):
    async with trading(dialect) as t:
        bracket = Bracket(t)
        await bracket.submit()
        assert [is_held(o.venue_order_id.value) for o in bracket.children] == [True, True]
        assert len(t.sim.ledger.orders()) == 1
        bracket.fill()
        await bracket.released()
        assert t.sent("neworderoco") == 1
        for order, sim_order in zip(bracket.children, bracket.at_venue(), strict=True):
            assert sim_order.quantity == order.quantity.as_decimal() == 10000
            assert sim_order.is_open
            assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Updated"]
            (updated,) = [e for e in t.run.order_events(order.client_order_id) if isinstance(e, OrderUpdated)]
            assert updated.venue_order_id == order.venue_order_id
        t.sim.market.trade("EURUSD", bracket.profit.price.as_decimal(), D(10000), Side.BUY)
        await t.until(lambda: all(o.is_closed for o in bracket.children), "the end of both")
        assert (bracket.profit.status, bracket.stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        assert t.run.cache.positions_open() == []
        assert t.differences() == []
        assert t.run.log.entries("ERROR") == []


@node
async def test_children_are_sized_to_what_filled_when_the_entry_ends():
    async with trading("draft") as t:
        bracket = Bracket(t)
        await bracket.submit()
        bracket.fill(4000)
        await t.until(lambda: bracket.entry.status == OrderStatus.PARTIALLY_FILLED, "a part of the entry")
        await asyncio.sleep(0.3)
        assert t.sent("neworderoco") == 0
        assert any("still open" in entry for entry in t.run.log.entries("WARN"))
        t.desk.cancel_order(bracket.entry)
        await bracket.released()
        assert [o.quantity for o in bracket.at_venue()] == [4000, 4000]
        assert [o.quantity for o in bracket.children] == [t.qty(4000)] * 2
        assert t.differences() == []


@node
@both
async def test_a_cancel_that_does_not_tell_what_was_filled_is_not_taken_for_nothing(dialect: str):
    """The final dialect's answer to a cancel says CANCELED and no quantity; the fill before it is told later."""
    async with trading(dialect, all_or_none=False) as t:
        bracket = Bracket(t)
        await bracket.submit()
        t.sim.faults.arm(Fault.DROP, where="execution*")
        bracket.fill(4000)
        t.desk.cancel_order(bracket.entry)
        await bracket.released()
        assert [o.quantity for o in bracket.at_venue()] == [4000, 4000]
        assert (bracket.entry.status, bracket.entry.filled_qty) == (OrderStatus.CANCELED, t.qty(4000))
        assert t.run.log.entries("ERROR") == []


@node
@both
async def test_children_end_with_an_entry_that_fills_nothing(dialect: str):
    async with trading(dialect) as t:
        bracket = Bracket(t)
        await bracket.submit()
        t.desk.cancel_order(bracket.entry)
        await t.until(lambda: all(o.is_closed for o in bracket.list.orders), "the end of all")
        assert {o.status for o in bracket.list.orders} == {OrderStatus.CANCELED}
        assert len(t.sim.ledger.orders()) == 1


@node
async def test_children_end_with_an_entry_that_is_refused():
    async with trading("final") as t:
        t.sim.twin.reject_next_order("no money")
        bracket = Bracket(t)
        t.desk.submit_order_list(bracket.list)
        await t.until(lambda: all(o.is_closed for o in bracket.list.orders), "the end of all")
        assert bracket.entry.status == OrderStatus.REJECTED
        assert {o.status for o in bracket.children} == {OrderStatus.CANCELED}
        assert t.sim.ledger.orders(is_open=True) == []


@node
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tp_post_only": True}, "post-only"),
        ({"sl_time_in_force": TimeInForce.DAY}, "time in force DAY"),
        ({"tp_time_in_force": TimeInForce.IOC}, "IOC"),
        ({"entry_post_only": True}, "post-only"),
    ],
    ids=str,
)
async def test_what_could_not_be_sent_later_is_denied_now(change: dict[str, Any], words: str):
    async with trading("final") as t:
        bracket = Bracket(t, **change)
        t.desk.submit_order_list(bracket.list)
        await t.until(lambda: all(o.is_closed for o in bracket.list.orders), "the denial")
        for order in bracket.list.orders:
            (denied,) = [e for e in t.run.order_events(order.client_order_id) if isinstance(e, OrderDenied)]
            assert words in denied.reason
        assert t.sim.ledger.orders() == []


@node
@both
async def test_the_venue_is_not_asked_for_what_is_held_here(dialect: str):
    async with trading(dialect) as t:
        bracket = Bracket(t)
        await bracket.submit()
        asked = t.sent("orderstatus")
        await t.client._synchronizer.full()
        await t.client._synchronizer.some(t.client._tracker.open_orders())
        # The entry only, and that only where the list was not asked for.
        assert t.sent("orderstatus") == asked + 1
        assert t.run.log.entries("ERROR") == []


# -- commands about a child that is held ------------------------------------------------------------------------------


@node
async def test_a_held_child_is_changed_here():
    async with trading("final") as t:
        bracket = Bracket(t)
        await bracket.submit()
        price = t.px(bracket.profit.price.as_decimal() + D("0.0005"))
        t.desk.modify_order(bracket.profit, price=price)
        await t.until(lambda: bracket.profit.price == price, "the change")
        # More than the entry; another quantity than its sibling, which could not go out as a pair.
        for n, quantity in enumerate((20000, 5000), start=1):
            t.desk.modify_order(bracket.stop, quantity=t.qty(quantity))
            await t.until(lambda n=n: t.names(bracket.stop).count("ModifyRejected") == n, "the refusal")
        assert t.sent("modifyordersingle") == 0
        bracket.fill()
        await bracket.released()
        assert bracket.at_venue()[1].price == price.as_decimal()
        assert t.differences() == []


@node
async def test_a_held_child_is_canceled_here_and_the_other_goes_out_alone():
    async with trading("final") as t:
        bracket = Bracket(t)
        await bracket.submit()
        t.desk.cancel_order(bracket.profit)
        await t.until(lambda: bracket.profit.status == OrderStatus.CANCELED, "the cancel")
        assert t.sent("ordercancel") == 0
        bracket.fill()
        await t.until(lambda: not is_held(bracket.stop.venue_order_id.value), "the stop to go out")
        assert t.sent("neworderoco") == 0
        assert t.sim.ledger.order(bracket.stop.venue_order_id.value).state is OrderState.WAITING
        assert t.differences() == []


@node
async def test_cancel_all_ends_entry_and_children():
    async with trading("final") as t:
        bracket = Bracket(t)
        await bracket.submit()
        t.desk.cancel_all_orders(IID)
        await t.until(lambda: all(o.is_closed for o in bracket.list.orders), "the end of all")
        assert {o.status for o in bracket.list.orders} == {OrderStatus.CANCELED}
        assert t.sim.ledger.orders(is_open=True) == []


def expiring(t: Trading, expires_ns: int) -> list[Any]:
    """An entry and one child that expires (the framework's bracket factory gives children no expiry)."""
    ids = [ClientOrderId("O-E"), ClientOrderId("O-C")]
    common: dict[str, Any] = {
        "trader_id": t.desk.trader_id,
        "strategy_id": t.desk.id,
        "instrument_id": IID,
        "quantity": t.qty(10000),
        "ts_init": t.desk.clock.timestamp_ns(),
        "order_list_id": OrderListId("OL-E"),
    }
    entry = LimitOrder(
        **common,
        client_order_id=ids[0],
        order_side=OrderSide.BUY,
        price=t.px(t.bid - D("0.001")),
        init_id=UUID4(),
        contingency_type=NtContingencyType.OTO,
        linked_order_ids=[ids[1]],
    )
    child = LimitOrder(
        **common,
        client_order_id=ids[1],
        order_side=OrderSide.SELL,
        price=t.px(t.ask + D("0.001")),
        time_in_force=TimeInForce.GTD,
        expire_time_ns=expires_ns,
        init_id=UUID4(),
        parent_order_id=ids[0],
    )
    return [entry, child]


@node
async def test_a_held_child_expires_here():
    async with trading("final") as t:
        entry, child = expiring(t, t.desk.clock.timestamp_ns() + 1_200_000_000)
        t.desk.submit_order_list(OrderList(OrderListId("OL-E"), [entry, child]))
        await t.until(lambda: entry.status == child.status == OrderStatus.ACCEPTED, "both accepted")
        await t.until(lambda: child.status == OrderStatus.EXPIRED, "the child to expire")
        assert entry.status == OrderStatus.ACCEPTED
        t.sim.market.trade("EURUSD", entry.price.as_decimal(), D(10000), Side.SELL)
        await t.until(lambda: entry.status == OrderStatus.FILLED, "the entry to fill")
        await asyncio.sleep(0.3)
        assert len(t.sim.ledger.orders()) == 1


# -- things go wrong --------------------------------------------------------------------------------------------------


@node
async def test_children_refused_by_the_venue_are_rejected_loudly():
    async with trading("final") as t:
        bracket = Bracket(t)
        await bracket.submit()
        t.sim.twin.reject_next_order("no money")
        bracket.fill()
        await t.until(lambda: all(o.is_closed for o in bracket.children), "the refusal")
        for order in bracket.children:
            assert order.status == OrderStatus.REJECTED
            assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Rejected"]
        assert sum("unprotected" in entry for entry in t.run.log.entries("ERROR")) == 2
        assert t.sent("neworderoco") == 1


@node
@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_children_whose_answer_is_lost_are_found_and_not_sent_again(dialect: str):
    async with trading(dialect) as t:
        bracket = Bracket(t)
        await bracket.submit()
        t.sim.faults.arm(Fault.DROP, where="execution/NEW")
        t.sim.faults.once(Fault.LOST_ANSWER, where="WS neworderoco")
        bracket.fill()
        await bracket.released()
        assert len(t.sim.ledger.orders()) == 3
        assert t.sim.ledger.order(bracket.profit.venue_order_id.value).price == bracket.profit.price.as_decimal()
        for order in bracket.children:
            assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Updated"]
        t.desk.cancel_all_orders(IID)
        await t.until(lambda: all(o.is_closed for o in bracket.children), "both to be canceled")


@node
async def test_children_that_never_arrived_are_rejected_after_their_time():
    async with trading("final", config={"request_timeout_secs": 0.5}) as t:
        bracket = Bracket(t)
        await bracket.submit()
        t.sim.faults.once(Fault.DROP, where="WS neworderoco")
        bracket.fill()
        await t.until(lambda: all(o.is_closed for o in bracket.children), "their end")
        assert {o.status for o in bracket.children} == {OrderStatus.REJECTED}
        assert len(t.sim.ledger.orders()) == 1
        assert sum("unprotected" in entry for entry in t.run.log.entries("ERROR")) == 2


@node
@both
async def test_a_connection_cut_in_place_of_the_childrens_answer(dialect: str):
    async with trading(dialect) as t:
        bracket = Bracket(t)
        await bracket.submit()
        t.sim.faults.arm(Fault.DROP, where="execution/NEW")
        t.sim.faults.once(Fault.RESET, where="WS neworderoco")
        bracket.fill()
        await bracket.released()
        assert t.client._sessions[0].health.connects == 2
        assert t.sent("neworderoco") == 1
        t.sim.market.trade("EURUSD", bracket.profit.price.as_decimal(), D(10000), Side.BUY)
        await t.until(lambda: all(o.is_closed for o in bracket.children), "the end of both")
        assert (bracket.profit.status, bracket.stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        assert t.differences() == []


@node
async def test_children_wait_for_a_connection():
    async with trading("final") as t:
        bracket = Bracket(t)
        await bracket.submit()
        t.sim.pause()
        await t.until(lambda: t.client._sessions[0].state.name != "LIVE", "the connection to end")
        bracket.fill()
        await t.sim.resume()
        await bracket.released()
        assert t.sent("neworderoco") == 1
        assert t.differences() == []


@node
async def test_a_fill_after_the_children_were_sized_is_told():
    async with trading("draft") as t:
        bracket = Bracket(t)
        await bracket.submit()
        bracket.fill(4000)
        await t.until(lambda: bracket.entry.status == OrderStatus.PARTIALLY_FILLED, "a part of the entry")
        t.desk.cancel_order(bracket.entry)
        await bracket.released()
        voi = bracket.entry.venue_order_id.value
        late = (
            f'{{"event":"execution","payload":{{"orderId":{voi},"type":"LIMIT","status":"CANCELED","origQty":10000,'
            '"executedQty":6000,"fills":[{"price":1.162,"qty":2000}]}}'
        )
        t.sim.twin.push_text(late)
        await t.until(lambda: any("not protected" in entry for entry in t.run.log.entries("ERROR")), "the alarm")
        assert bracket.entry.filled_qty == t.qty(6000)


# -- a venue that knows no pairs --------------------------------------------------------------------------------------


@node
async def test_without_pairs_the_children_go_out_alone_and_one_fill_cancels_the_other(monkeypatch: pytest.MonkeyPatch):
    def without_pairs(*args: Any, **kwargs: Any) -> Any:
        found = venue_module_capabilities(*args, **kwargs)
        return structs.replace(found, features={**found.features, Feature.OCO: no(Evidence.INFERRED)})

    venue_module_capabilities = venue_module.capabilities_of
    monkeypatch.setattr(venue_module, "capabilities_of", without_pairs)
    async with trading("final") as t:
        bracket = Bracket(t)
        await bracket.submit()
        bracket.fill()
        await bracket.released()
        assert t.sent("neworderoco") == 0
        assert t.sent("newordersingle") == 3
        t.sim.market.trade("EURUSD", bracket.profit.price.as_decimal(), D(10000), Side.BUY)
        await t.until(lambda: all(o.is_closed for o in bracket.children), "the end of both")
        assert (bracket.profit.status, bracket.stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        assert t.sent("ordercancel") == 1
