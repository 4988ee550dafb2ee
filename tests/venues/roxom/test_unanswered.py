"""Creates that were not answered, against the simulated venue over real sockets: nothing of such an order is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.orders.requests import Accepted, OrderRef, Unknown
from nautilus_orderfeeds.orders.updates import OrderUpdate, VenueStatus
from nautilus_orderfeeds.sim import Fault, Side, simulate
from nautilus_orderfeeds.venues.base import Prepared
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
