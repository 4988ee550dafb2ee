"""Our own cases X10 and X13: what the venue changes by itself, an order's terms or the numbers of its frames."""

import asyncio
from decimal import Decimal

from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderUpdated

from nautilus_orderfeeds.sim import simulate
from tests.support.profiles import VenueProfile
from tests.support.scene import Scene, execution_case, open_scene, venue_case

N = {"enable_limit_buys": False, "enable_limit_sells": False}
SETTLE_SECS = 0.5


# -- X10: terms changed by somebody else ------------------------------------------------------------------------------


@execution_case("X10", **N)
async def test_x10_price_changed_elsewhere(scene: Scene):
    """Each change is told once, with the venue's price; the order stays open and can end in any way after it."""
    orders = [scene.limit(), scene.limit(OrderSide.SELL, ticks=60)]
    scene.submit(*orders)
    await scene.accepted(*orders)
    yield
    for order, ticks in zip(orders, (7, -7), strict=True):
        wanted = order.price.as_decimal() + ticks * scene.tick
        await scene.profile.amend_elsewhere(scene.sim, order.venue_order_id.value, wanted)
        await scene.until(lambda order=order, wanted=wanted: order.price.as_decimal() == wanted, "the venue's price")
        (updated,) = (e for e in scene.run.order_events(order.client_order_id) if isinstance(e, OrderUpdated))
        assert updated.price.as_decimal() == wanted
        assert updated.quantity == order.quantity
        assert order.status == OrderStatus.ACCEPTED
    await asyncio.sleep(SETTLE_SECS)
    filled, canceled = orders
    scene.fill(filled, scene.profile.qty)
    scene.tester.cancel_order(canceled)
    await scene.closed(*orders)
    assert scene.names(filled)[2:] == ["OrderAccepted", "OrderUpdated", "OrderFilled"]
    assert scene.names(canceled)[2:] == ["OrderAccepted", "OrderUpdated", "OrderCanceled"]


@execution_case("X10", **N)
async def test_x10_change_during_an_outage(scene: Scene):
    """Told when the connection is back, before the fill that happened at the new price."""
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    yield
    wanted = order.price.as_decimal() + 7 * scene.tick
    connects = scene.session.health.connects
    scene.tap.hold()
    await scene.profile.amend_elsewhere(scene.sim, order.venue_order_id.value, wanted)
    scene.sim.market.trade(
        scene.profile.product,
        wanted,
        Decimal(scene.profile.qty) / scene.profile.parts,
        scene.sim_order(order).side.opposite,
    )
    scene.sim.disconnect_all()
    scene.tap.release(lambda _: [])  # lost with the connection
    await scene.until(lambda: scene.session.health.connects > connects, "a new connection")
    await scene.until(lambda: order.status == OrderStatus.PARTIALLY_FILLED, "the fill")
    assert scene.names(order)[2:] == ["OrderAccepted", "OrderUpdated", "OrderFilled"]
    assert order.price.as_decimal() == wanted
    (fill,) = scene.fills(order)
    assert fill.last_px.as_decimal() == wanted


# -- X13: frames are numbered anew ------------------------------------------------------------------------------------


@execution_case("X13", **N)
async def test_x13_new_numbers_on_a_new_connection(scene: Scene):
    """The numbers start again with each connection: no gap is seen in that, and nothing is told twice."""
    orders = []
    yield
    for n in range(3):
        order = scene.limit(ticks=50 - n)
        scene.submit(order)
        await scene.accepted(order)
        scene.fill(order, Decimal(scene.profile.qty) / scene.profile.parts)
        await scene.until(lambda order=order: order.status == OrderStatus.PARTIALLY_FILLED, "a fill")
        orders.append(order)
        connects = scene.session.health.connects
        scene.sim.disconnect_all()
        await scene.until(lambda connects=connects: scene.session.health.connects == connects + 1, "a new connection")
        await scene.live()
        await asyncio.sleep(SETTLE_SECS)
        assert scene.session.health.connects == connects + 1  # a gap would have made another one
    for order in orders:
        assert scene.names(order)[2:] == ["OrderAccepted", "OrderFilled"]
    assert len({fill.trade_id for order in orders for fill in scene.fills(order)}) == len(orders)


@venue_case("X13")
async def test_x13_new_numbers_for_a_new_node(profile: VenueProfile):
    """A second node begins where the venue's numbers do, whatever the first one had seen."""
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        keep = {"cancel_orders_on_stop": False, "close_positions_on_stop": False}
        async with open_scene(profile, sim=sim, **N, **keep) as first:
            left = first.limit()
            first.submit(left)
            await first.accepted(left)
        async with open_scene(profile, sim=sim, **N, **keep, external_order_claims=[profile.instrument_id]) as second:
            await second.live()
            claimed = second.cache.order(second.cache.client_order_id(left.venue_order_id))
            second.fill(claimed, profile.qty)
            await second.closed(claimed)
            await asyncio.sleep(SETTLE_SECS)
            assert second.session.health.connects == 1
            assert second.names(claimed).count("OrderFilled") == 1
            assert claimed.status == OrderStatus.FILLED
