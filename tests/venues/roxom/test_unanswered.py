"""Creates that were not answered, against the simulated venue over real sockets: nothing of such an order is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.orders.requests import Accepted, OrderRef, Refused, Unknown
from nautilus_orderfeeds.orders.updates import OrderUpdate, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.sim import Fault, Side, simulate
from nautilus_orderfeeds.venues.base import Prepared, Told
from nautilus_orderfeeds.venues.roxom import DOOR
from nautilus_orderfeeds.venues.roxom.venue import RoxomVenue
from tests.support.roxom_client import event, new_order

GOLD = "GOLD-BTC"
TICK = Decimal("0.000001")
QTY = Decimal("0.05")
CREATE = "POST /v1/orders"


@asynccontextmanager
async def venue(**sim_options: Any) -> AsyncIterator[tuple[Any, RoxomVenue]]:
    """A simulated venue and the client's side of it, without a node."""
    async with simulate("roxom", seed=3, market_flow=False, **sim_options) as sim:
        client = DOOR.make_venue(sim.exec_config(requests_per_sec=500, request_timeout_secs=1.0))
        assert isinstance(client, RoxomVenue)
        await client.open()
        try:
            client.use_instruments(await client.instruments())
            yield sim, client
        finally:
            await client.close()


def prepared(client: RoxomVenue, sim: Any, client_order_id: str = "O-1", *, ticks: int = 0, **changed: Any) -> Prepared:
    """A buy of `QTY` at so many ticks from the best ask."""
    _, ask = sim.market.best(GOLD)
    fields = {"client_order_id": client_order_id, "quantity": QTY, "price": ask + ticks * TICK, **changed}
    return client.prepare(new_order(**fields))


def ref_of(one: Prepared, venue_order_id: str | None = None) -> OrderRef:
    order = one.order
    return OrderRef(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        venue_order_id=venue_order_id,
        refs=one.refs,
        side=order.side,
        terms=order,
    )


async def cut_off(sim: Any, client: RoxomVenue, one: Prepared) -> None:
    sim.faults.once(Fault.LOST_ANSWER, where=CREATE)
    outcome, _ = await client.submit(one)
    assert isinstance(outcome, Unknown)


def update_of(updates: list[OrderUpdate], one: Prepared) -> OrderUpdate:
    (update,) = [told for told in updates if set(told.refs) & set(one.refs)]
    return update


async def test_its_fills_are_told_although_the_history_showed_it_before() -> None:
    """Nobody could say whose it was when the history was read, so that reading was not taken in."""
    async with venue() as (sim, client):
        one = prepared(client, sim)
        await cut_off(sim, client, one)
        await client.history(0)
        update = update_of((await client.look_up([ref_of(one)], 0)).updates, one)
        assert update.status is VenueStatus.FILLED
        assert [fill.last_qty for fill in update.fills] == [QTY]
        assert update.filled_notional == sim.ledger.orders()[-1].notional
        assert update.fees == sim.ledger.orders()[-1].fees


async def test_its_fills_are_told_although_the_stream_told_of_them_before() -> None:
    async with venue() as (sim, client):
        one = prepared(client, sim)
        await cut_off(sim, client, one)
        order = sim.ledger.orders()[-1]
        money = {"avgPx": f"{order.price:.8f}", "fillPx": f"{order.price:.8f}", "filledFees": "0.00000700"}
        client.decode(event("filled", "0.05", "0.00", orderId=order.venue_order_id, side="buy", **money))
        update = update_of((await client.look_up([ref_of(one)], 0)).updates, one)
        assert [fill.last_qty for fill in update.fills] == [QTY]


async def test_two_alike_are_both_found_in_the_order_they_were_sent() -> None:
    async with venue() as (sim, client):
        both = [prepared(client, sim, name, ticks=-50) for name in ("O-1", "O-2")]
        for one in both:
            await cut_off(sim, client, one)
        updates = (await client.look_up([ref_of(one) for one in reversed(both)], 0)).updates
        first, second = sim.ledger.orders()
        assert update_of(updates, both[0]).venue_order_id == first.venue_order_id
        assert update_of(updates, both[1]).venue_order_id == second.venue_order_id


async def test_of_two_alike_the_one_that_was_not_received_stays_unseen() -> None:
    async with venue() as (sim, client):
        both = [prepared(client, sim, "O-1", ticks=-50)]
        sim.faults.once(Fault.ERROR_BEFORE_EFFECT, where=CREATE)
        assert isinstance((await client.submit(both[0]))[0], Unknown)
        await asyncio.sleep(0.05)
        both.append(prepared(client, sim, "O-2", ticks=-50))
        await cut_off(sim, client, both[1])
        truth = await client.look_up([ref_of(one) for one in both], 0)
        assert update_of(truth.updates, both[1]).venue_order_id == sim.ledger.orders()[-1].venue_order_id
        assert not [told for told in truth.updates if set(told.refs) & set(both[0].refs)]
        assert truth.absent == []


async def test_one_that_is_still_under_way_is_not_taken_for_another() -> None:
    async with venue() as (sim, client):
        lost, slow = (prepared(client, sim, name, ticks=-50) for name in ("O-1", "O-2"))
        sim.faults.once(Fault.ERROR_BEFORE_EFFECT, where=CREATE)
        await client.submit(lost)
        sim.faults.once(Fault.SLOW_ANSWER, where=CREATE, secs=0.4)
        sending = asyncio.create_task(client.submit(slow))
        while not sim.ledger.orders():
            await asyncio.sleep(0.005)
        assert not [told for told in (await client.look_up([ref_of(lost)], 0)).updates if told.refs]
        outcome, _ = await sending
        assert isinstance(outcome, Accepted)
        truth = await client.look_up([ref_of(lost), ref_of(slow, outcome.venue_order_id)], 0)
        assert update_of(truth.updates, slow).venue_order_id == outcome.venue_order_id
        assert not [told for told in truth.updates if set(told.refs) & set(lost.refs)]


async def test_an_order_of_an_earlier_run_is_not_taken_for_one_that_was_cut_off() -> None:
    """It ended before the restart, so nobody asks for it; but it is known, and alike."""
    async with venue() as (sim, client):
        earlier = sim.place_external(GOLD, side=Side.BUY, size=QTY, price=sim.market.best(GOLD)[0] - 50 * TICK)
        one = prepared(client, sim, ticks=0, price=earlier.price)
        await cut_off(sim, client, one)
        doubtful = await client.look_up([ref_of(one)], 0)
        assert not [told for told in doubtful.updates if told.refs]
        client.use_orders({earlier.venue_order_id: Told(Decimal(0), is_closed=True)}.get)
        update = update_of((await client.look_up([ref_of(one)], 0)).updates, one)
        assert update.venue_order_id == sim.ledger.orders()[-1].venue_order_id != earlier.venue_order_id


async def test_an_order_that_came_and_went_with_one_event_of_the_venue_page_is_told_by_the_history() -> None:
    """Those events have no side, so nothing can be told by them alone."""
    async with venue(event_form="g1") as (sim, client):
        order = sim.place_external(GOLD, side=Side.SELL, size=QTY, price=sim.market.best(GOLD)[0])
        raw = event("filled", "0.05", "0.00", orderId=order.venue_order_id, avgPx=f"{order.price:.8f}")
        messages = client.decode(raw)
        assert [type(message).__name__ for message in messages] == ["OrderUpdate", "Readback", "AccountChanged"]
        (told,) = await client.history(0)
        assert told.side is OrderSide.SELL
        assert [fill.last_qty for fill in told.fills] == [QTY]


async def test_what_the_history_told_of_a_stranger_is_told_again_until_the_reading_counts() -> None:
    """While an order is in flight, an unknown one is left to the next reading, whose beginning is told then."""
    async with venue() as (sim, client):
        order = sim.place_external(GOLD, side=Side.SELL, size=QTY, price=sim.market.best(GOLD)[0])
        for _ in range(2):
            (told,) = await client.history(0)
            assert told.venue_order_id == order.venue_order_id
            assert told.fills
        assert await client.history(order.created_ns + 1_000_000) == []


async def test_a_question_from_before_the_answer_does_not_give_its_order_a_second_name() -> None:
    """Readings wait for each other: meanwhile the create of one that is asked for may have been answered."""
    async with venue() as (sim, client):
        both = [prepared(client, sim, name, ticks=-50) for name in ("O-1", "O-2")]
        await cut_off(sim, client, both[0])
        asked = [ref_of(one) for one in both]
        outcome, _ = await client.submit(both[1])
        assert isinstance(outcome, Accepted)
        updates = (await client.look_up(asked, 0)).updates
        first, second = sim.ledger.orders()
        assert second.venue_order_id == outcome.venue_order_id
        assert update_of(updates, both[0]).venue_order_id == first.venue_order_id
        assert update_of(updates, both[1]).venue_order_id == second.venue_order_id


async def test_one_that_is_not_asked_for_is_thought_of_all_the_same() -> None:
    """Else the order of one that was cut off would go to one that was never received."""
    async with venue() as (sim, client):
        sim.faults.once(Fault.ERROR_BEFORE_EFFECT, where=CREATE)
        lost = prepared(client, sim, "O-1", ticks=-50, strategy_id="A")
        await client.submit(lost)
        await asyncio.sleep(0.05)
        one = prepared(client, sim, "O-2", ticks=-50, strategy_id="B")
        await cut_off(sim, client, one)
        doubtful = await client.look_up([ref_of(lost)], 0)
        assert not [told for told in doubtful.updates if told.refs]
        assert not [told for told in (await client.look_up([ref_of(one)], 0)).updates if told.refs]


async def test_those_that_are_not_asked_for_are_found_with_the_others() -> None:
    async with venue() as (sim, client):
        both = [prepared(client, sim, name, ticks=-50) for name in ("O-1", "O-2")]
        for one in both:
            await cut_off(sim, client, one)
        updates = (await client.look_up([ref_of(both[1])], 0)).updates
        assert [update_of(updates, one).venue_order_id for one in both] == [
            order.venue_order_id for order in sim.ledger.orders()
        ]


async def test_a_question_from_before_a_refusal_does_not_bring_it_back() -> None:
    async with venue() as (sim, client):
        refused = prepared(client, sim, "O-1", ticks=-50, strategy_id="A")
        one = prepared(client, sim, "O-2", ticks=-50, strategy_id="B")
        asked = [ref_of(refused)]
        sim.twin.refuse_next_order("Insufficient balance")
        assert isinstance((await client.submit(refused))[0], Refused)
        assert not [told for told in (await client.look_up(asked, 0)).updates if told.refs]
        await cut_off(sim, client, one)
        updates = (await client.look_up([*asked, ref_of(one)], 0)).updates
        assert update_of(updates, one).venue_order_id == sim.ledger.orders()[-1].venue_order_id
        assert not [told for told in updates if set(told.refs) & set(refused.refs)]
