"""The framework's execution cases, group 9: what a node does at its start and at its stop (TC-E80 to TC-E87)."""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType, PositionSide
from nautilus_trader.model.events import OrderFilled, OrderSubmitted

from nautilus_orderfeeds.sim import simulate
from tests.support.profiles import VenueProfile
from tests.support.scene import Scene, execution_case, open_scene, venue_case

N = {"enable_limit_buys": False, "enable_limit_sells": False}
#: A strategy that leaves everything as it is when it stops.
LEAVE = {"cancel_orders_on_stop": False, "close_positions_on_stop": False}


@execution_case("TC-E80", open_position_on_start_qty=lambda profile: Decimal(profile.qty))
async def test_e80_open_position_on_start(scene: Scene):
    """With a data client the first quote maintains orders by itself; here the drive comes after the fill."""
    await scene.until(lambda: scene.cache.positions_open(), "the position to open")
    scene.quote()
    yield
    market, *limits = scene.orders()
    await scene.accepted(*limits)
    assert market.order_type == OrderType.MARKET
    assert market.status == OrderStatus.FILLED
    assert {order.side for order in limits} == {OrderSide.BUY, OrderSide.SELL}
    filled = next(e for e in scene.run.events if isinstance(e, OrderFilled))
    for order in limits:
        assert scene.only(OrderSubmitted, order).ts_init > filled.ts_init


@execution_case("TC-E81", sells=True)
async def test_e81_cancel_orders_on_stop(scene: Scene):
    """All of the strategy's orders are canceled; another strategy's are not (X17 looks closer)."""
    scene.quote()
    extra = scene.limit(ticks=80)
    scene.submit(extra)
    await scene.accepted(*scene.orders())
    scene.tester.stop()
    yield
    assert len(scene.orders()) == 3
    await scene.closed(*scene.orders())
    assert all(order.status == OrderStatus.CANCELED for order in scene.orders())
    assert scene.sim.ledger.orders(is_open=True) == []


@execution_case("TC-E82", **N, open_position_on_start_qty=lambda profile: -Decimal(profile.qty))
async def test_e82_close_positions_on_stop(scene: Scene):
    await scene.until(lambda: scene.cache.positions_open(), "the position to open")
    scene.tester.stop()
    yield
    await scene.until(lambda: not scene.cache.positions_open(), "the position to close")
    assert scene.sim.ledger.position(scene.profile.product).net == 0
    assert [order.side for order in scene.orders()] == [OrderSide.SELL, OrderSide.BUY]


@execution_case(
    "TC-E83",
    **N,
    with_data=True,
    subscribe_quotes=True,
    subscribe_trades=lambda profile: "trades" in profile.market_data,
    subscribe_book=lambda profile: "book" in profile.market_data,
    book_interval_ms=20,
)
async def test_e83_unsubscribe_on_stop(scene: Scene):
    market = scene.sim.market
    for _ in range(4):
        market.step()
        bid, _ask = scene.best()
        market.trade(scene.profile.product, bid, scene.profile.qty)
        await asyncio.sleep(0.05)
    names = {"quotes": "QuoteTick", "trades": "TradeTick", "book": "OrderBook"}
    kinds = {names[kind] for kind in scene.profile.market_data}
    await scene.until(lambda: {type(data).__name__ for data in scene.tester.data} == kinds, f"data of {kinds}")

    def public() -> list[Any]:
        return [connection for connection in scene.sim.server.connections if scene.profile.is_public(connection)]

    assert public()
    assert all(connection.subscriptions for connection in public())
    yield
    scene.tester.stop()
    await scene.until(lambda: not any(connection.subscriptions for connection in public()), "all to be unsubscribed")
    await asyncio.sleep(0.05)
    seen = len(scene.tester.data)
    for _ in range(4):
        market.step()
        market.trade(scene.profile.product, scene.best()[0], scene.profile.qty)
        await asyncio.sleep(0.05)
    assert len(scene.tester.data) == seen
    client = scene.run.data_client(scene.profile.venue)
    await scene.run.node.stop_async()
    assert not client.is_connected
    assert scene.run.log.entries("ERROR") == []


# -- reconciliation: a second node finds what the first one left -------------------------------------------------------


@asynccontextmanager
async def after_restart(profile: VenueProfile, leave: Any, *, claims: bool):
    """Run a node that does `leave`, then another one that knows nothing of it; give its scene and the orders left."""
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with open_scene(profile, sim=sim, **N, **LEAVE) as first:
            await leave(first)
            left = first.orders()
        options = {"external_order_claims": [profile.instrument_id]} if claims else {}
        async with open_scene(profile, sim=sim, **N, **LEAVE, **options) as second:
            yield second, left


def owner(scene: Scene, *, claims: bool) -> str:
    return scene.tester.id.value if claims else "EXTERNAL"


both = pytest.mark.parametrize("claims", [False, True], ids=["external", "claimed"])


@both
@venue_case("TC-E84")
async def test_e84_reconcile_open_orders(profile: VenueProfile, claims: bool):
    async def leave(scene: Scene) -> None:
        other = OrderSide.SELL if profile.endow is None else OrderSide.BUY  # where nobody can sell short
        orders = [scene.limit(OrderSide.BUY), scene.limit(other, ticks=70)]
        scene.submit(*orders)
        await scene.accepted(*orders)

    async with after_restart(profile, leave, claims=claims) as (scene, left):
        assert len(scene.cache.orders_open()) == len(left) == 2
        for old in left:
            order = scene.cache.order(scene.cache.client_order_id(old.venue_order_id))
            assert order.status == OrderStatus.ACCEPTED
            assert order.venue_order_id == old.venue_order_id
            assert (order.price, order.quantity, order.side) == (old.price, old.quantity, old.side)
            assert (order.order_type, order.time_in_force) == (old.order_type, old.time_in_force)
            assert order.strategy_id.value == owner(scene, claims=claims)
            assert order.filled_qty == 0


@both
@venue_case("TC-E85")
async def test_e85_reconcile_filled_orders(profile: VenueProfile, claims: bool):
    async def leave(scene: Scene) -> None:
        bought = scene.market()
        scene.submit(bought)
        await scene.closed(bought)
        sold = scene.market(OrderSide.SELL, str(bought.filled_qty))
        scene.submit(sold)
        await scene.closed(sold)

    async with after_restart(profile, leave, claims=claims) as (scene, left):
        assert len(left) == 2
        for old in left:
            order = scene.cache.order(scene.cache.client_order_id(old.venue_order_id))
            sim_order = scene.sim_order(order)
            assert order.status == OrderStatus.FILLED
            assert order.side == old.side
            assert order.filled_qty.as_decimal() == sim_order.filled
            assert Decimal(str(order.avg_px)) == sim_order.notional / sim_order.filled
            (paid,) = order.commissions()
            assert paid.as_decimal() == round(sim_order.fees + sim_order.extra_fees, paid.currency.precision)
            assert order.strategy_id.value == owner(scene, claims=claims)
        assert scene.cache.positions_open() == []


async def check_position(profile: VenueProfile, side: OrderSide, *, claims: bool) -> None:
    async def leave(scene: Scene) -> None:
        order = scene.market(side)
        scene.submit(order)
        await scene.closed(order)

    async with after_restart(profile, leave, claims=claims) as (scene, _):
        held = scene.sim.ledger.position(profile.product)
        position = scene.position()
        assert position.instrument_id == profile.instrument_id
        assert position.side == (PositionSide.LONG if side == OrderSide.BUY else PositionSide.SHORT)
        assert position.signed_decimal_qty() == held.net
        assert Decimal(str(position.avg_px_open)) == held.average_price
        assert position.strategy_id.value == owner(scene, claims=claims)


@both
@venue_case("TC-E86")
async def test_e86_reconcile_long_position(profile: VenueProfile, claims: bool):
    await check_position(profile, OrderSide.BUY, claims=claims)


@both
@venue_case("TC-E87")
async def test_e87_reconcile_short_position(profile: VenueProfile, claims: bool):
    await check_position(profile, OrderSide.SELL, claims=claims)
