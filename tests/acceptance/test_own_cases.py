"""Our own cases X01 to X05: what the private stream tells, in every order, number and moment it may come."""

import asyncio
from decimal import Decimal
from itertools import permutations
from typing import Any

from nautilus_trader.model.enums import OrderSide, OrderStatus, PositionSide, TimeInForce

from nautilus_orderfeeds.sim.faults import Fault
from tests.support.scene import Scene, execution_case

N = {"enable_limit_buys": False, "enable_limit_sells": False}
SETTLE_SECS = 0.3


def part(scene: Scene) -> Decimal:
    """One of the equal fills that an order of the profile's quantity can be cut into."""
    return Decimal(scene.profile.qty) / scene.profile.parts


# -- X01: accept and fill in one frame --------------------------------------------------------------------------------


@execution_case("X01", **N, sim=lambda profile: profile.without_pending)
async def test_x01_accept_and_whole_fill_in_one_frame(scene: Scene):
    order = scene.limit(ticks=-20)  # across the market
    before = len(scene.tap.seen)
    scene.submit(order)
    yield
    await scene.closed(order)
    assert len(scene.tap.seen) == before + 1
    assert order.status == OrderStatus.FILLED
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderFilled"]
    assert scene.position().quantity == order.quantity
    assert scene.position().side == PositionSide.LONG


@execution_case("X01", **N, sim=lambda profile: profile.without_pending)
async def test_x01_accept_and_partial_fill_in_one_frame(scene: Scene):
    _, ask = scene.best()
    on_top = scene.sim.market.book(scene.profile.product)[1][0][1]
    order = scene.tester.order_factory.limit(
        scene.profile.instrument_id,
        OrderSide.BUY,
        scene.instrument.make_qty(on_top + Decimal(scene.profile.qty)),
        scene.px(ask),
    )
    before = len(scene.tap.seen)
    scene.submit(order)
    yield
    await scene.until(lambda: order.status == OrderStatus.PARTIALLY_FILLED, "a partial fill")
    assert len(scene.tap.seen) == before + 1
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderFilled"]
    assert order.filled_qty.as_decimal() == on_top
    assert scene.position().quantity == order.filled_qty


# -- X02: fill before accept ------------------------------------------------------------------------------------------


async def backwards(scene: Scene, fills: int) -> Any:
    """Let the frames of an order arrive last to first: its fills before anything that says it is live."""
    order = scene.limit()
    scene.tap.hold()
    scene.submit(order)
    await scene.until(lambda: scene.sim.ledger.orders(is_open=True), "the order to reach the venue")
    (sim_order,) = scene.sim.ledger.orders()
    for _ in range(fills):
        aggressor = sim_order.side.opposite
        scene.sim.market.trade(scene.profile.product, order.price.as_decimal(), part(scene), aggressor)
    await scene.until(lambda: len(scene.tap.held) >= fills + 1, "the frames")
    assert order.status == (OrderStatus.ACCEPTED if scene.profile.answer_accepts else OrderStatus.SUBMITTED)
    scene.tap.release(lambda held: held[::-1])
    return order


@execution_case("X02", **N)
async def test_x02_partial_fill_before_accept(scene: Scene):
    order = await backwards(scene, 1)
    yield
    await scene.until(lambda: order.status == OrderStatus.PARTIALLY_FILLED, "the fill")
    await asyncio.sleep(SETTLE_SECS + 0.2)  # nothing is inferred on top
    names = scene.names(order)
    assert "OrderAccepted" not in names[names.index("OrderFilled") :]
    assert names.count("OrderFilled") == 1
    assert order.filled_qty.as_decimal() == part(scene)


@execution_case("X02", **N)
async def test_x02_whole_fill_before_accept(scene: Scene):
    order = await backwards(scene, scene.profile.parts)
    yield
    await scene.closed(order)
    names = scene.names(order)
    assert order.status == OrderStatus.FILLED
    assert "OrderAccepted" not in names[names.index("OrderFilled") :]
    assert order.filled_qty == order.quantity


@execution_case("X02", **N, sim=lambda profile: profile.stream_first)
async def test_x02_fill_before_the_answer(scene: Scene):
    """The stream tells of a whole life before the submit is answered."""
    orders = [scene.limit(ticks=-20), scene.limit(time_in_force=TimeInForce.IOC), scene.limit()]
    scene.submit(*orders)
    yield
    await scene.settled()
    denied = "TC-E14" in scene.profile.refused
    at_once = OrderStatus.DENIED if denied else OrderStatus.CANCELED
    assert [order.status for order in orders] == [OrderStatus.FILLED, at_once, OrderStatus.ACCEPTED]
    for order in orders:
        assert scene.names(order).count("OrderAccepted") == (0 if order.status == OrderStatus.DENIED else 1)


# -- X03: fills after a cancel ----------------------------------------------------------------------------------------


async def cancel_under_way(scene: Scene, order: Any) -> None:
    """Ask for a cancel, and return when the venue has it and has not acted on it yet."""
    scene.tester.cancel_order(order)
    if scene.profile.has_rest:
        await scene.until(lambda: scene.sent(scene.profile.cancel), "the cancel to be sent")
    else:
        await asyncio.sleep(0.1)  # a command over the stream is counted only once it is answered


@execution_case("X03", **N, sim=lambda profile: profile.slow_cancel(0.3))
async def test_x03_partial_fill_after_the_request(scene: Scene):
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    await cancel_under_way(scene, order)
    yield
    scene.fill(order, part(scene))
    await scene.closed(order)
    assert order.status == OrderStatus.CANCELED
    assert order.filled_qty.as_decimal() == part(scene)
    assert scene.names(order)[2:] == ["OrderAccepted", "OrderFilled", "OrderCanceled"]


@execution_case("X03", **N, sim=lambda profile: profile.slow_cancel(0.3))
async def test_x03_whole_fill_after_the_request(scene: Scene):
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    await cancel_under_way(scene, order)
    yield
    scene.fill(order, scene.profile.qty)
    await scene.closed(order)
    assert order.status == OrderStatus.FILLED
    await asyncio.sleep(0.4)  # the venue's refusal of the cancel comes after the fill
    assert "OrderCancelRejected" not in scene.names(order)
    assert scene.names(order)[-1] == "OrderFilled"


@execution_case("X03", **N)
async def test_x03_fill_after_the_cancel_ack(scene: Scene):
    """The end arrives first and says how much was filled; the frame with the trades comes later."""
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    scene.tap.hold()
    scene.fill(order, part(scene))
    scene.tester.cancel_order(order)
    await scene.until(lambda: not scene.sim.ledger.orders(is_open=True), "the cancel")
    await scene.until(lambda: scene.tap.held and scene.profile.tells_end(scene.tap.held[-1]), "the frame of the end")
    yield
    scene.tap.release(lambda held: held[::-1])
    await scene.closed(order)
    assert order.status == OrderStatus.CANCELED
    assert order.filled_qty.as_decimal() == part(scene)
    assert scene.names(order).count("OrderFilled") == 1
    assert scene.names(order)[-1] == "OrderCanceled"


@execution_case("X03", **N, only=lambda profile: profile.frames_tell)
async def test_x03_fill_after_an_unfilled_cancel(scene: Scene):
    """The end was told with nothing filled, and then a trade turns up: counted, and canceled again after it."""
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    scene.tap.hold()
    scene.fill(order, part(scene))
    await scene.until(lambda: scene.tap.held, "the frame of the fill")
    scene.tester.cancel_order(order)
    await scene.until(lambda: scene.profile.tells_end(scene.tap.held[-1]), "the frame of the end")
    *fill, end = scene.tap.held
    yield
    scene.tap.release(lambda _: [scene.profile.unfilled_frame(end)])
    await scene.closed(order)
    assert order.filled_qty == 0
    scene.tap.deliver(*fill, end)
    await scene.until(lambda: order.filled_qty.as_decimal() == part(scene), "the late fill")
    await scene.closed(order)
    assert scene.names(order)[2:] == ["OrderAccepted", "OrderCanceled", "OrderFilled", "OrderCanceled"]
    assert order.status == OrderStatus.CANCELED


# -- X04: everything twice --------------------------------------------------------------------------------------------


async def whole_life(scene: Scene) -> list[Any]:
    """Orders that end in every way, so that every kind of message is sent."""
    filled, canceled, cut = (scene.limit(ticks=50 + n) for n in range(3))
    left = scene.limit(OrderSide.SELL)
    rejected = scene.limit(ticks=-20, post_only=True)
    at_once = scene.limit(ticks=60, time_in_force=TimeInForce.IOC)
    scene.submit(filled, canceled, cut, left, rejected, at_once)
    await scene.settled()
    scene.fill(left, part(scene))
    scene.fill(filled, part(scene))
    scene.fill(filled, Decimal(scene.profile.qty) - part(scene))
    scene.tester.cancel_order(canceled)
    await scene.closed(filled, canceled)
    scene.fill(cut, part(scene))
    scene.tester.cancel_order(cut)
    await scene.closed(filled, canceled, cut, rejected, at_once)
    ends = [order.status for order in (filled, canceled, cut, rejected, at_once)]
    refused = "DENIED" if "TC-E60" in scene.profile.refused else "REJECTED"
    missed = "DENIED" if "TC-E14" in scene.profile.refused else "CANCELED"
    assert [end.name for end in ends] == ["FILLED", "CANCELED", "CANCELED", refused, missed]
    await scene.until(lambda: left.status == OrderStatus.PARTIALLY_FILLED, "a partial fill")
    return [filled, canceled, cut, left, rejected, at_once]


def told(scene: Scene) -> list[str]:
    return [repr(event.id) for event in scene.run.events]


@execution_case("X04", **N, sells=True)
async def test_x04_every_frame_sent_twice(scene: Scene):
    """Over the wire, one right after the other."""
    doubled = scene.sim.faults.arm(Fault.DOUBLE, where="*")
    yield
    orders = await whole_life(scene)
    assert doubled.struck >= len(orders)
    for order in orders:
        names = scene.names(order)
        assert names.count("OrderAccepted") <= 1
        trades = scene.sim.ledger.fills(order.venue_order_id.value) if order.venue_order_id else []
        assert names.count("OrderFilled") == len(trades)
        assert sum(names.count(f"Order{end}") for end in ("Canceled", "Rejected", "Expired")) <= 1
    await scene.agree(balances=False)


@execution_case("X04", **N, sells=True)
async def test_x04_every_frame_again_later(scene: Scene):
    """All of them again when everything is over, forwards, backwards, and by a new connection with its snapshot."""
    await whole_life(scene)
    await scene.agree(balances=False)
    await asyncio.sleep(SETTLE_SECS + 0.2)
    before, frames = told(scene), list(scene.tap.seen)
    states = [(order.status, order.filled_qty, order.avg_px, order.price) for order in scene.orders()]
    assert frames
    yield
    scene.tap.deliver(*frames)
    scene.tap.deliver(*reversed(frames))
    connects = scene.session.health.connects
    scene.sim.disconnect_all()
    await scene.until(lambda: scene.session.health.connects > connects, "a new connection")
    await scene.live()
    await asyncio.sleep(SETTLE_SECS + 0.2)
    assert told(scene) == before
    assert [(order.status, order.filled_qty, order.avg_px, order.price) for order in scene.orders()] == states


# -- X05: fills out of order ------------------------------------------------------------------------------------------


async def take_three_levels(scene: Scene, side: OrderSide) -> Any:
    """A limit order across three levels of the book, its frames (accept and one a fill) held back."""
    product = scene.profile.product
    scene.sim.market.set_mid(product, scene.sim.market.products[product].mid)
    levels = scene.sim.market.book(product)[1 if side == OrderSide.BUY else 0][:3]
    qty = levels[0][1] + levels[1][1] + Decimal(scene.profile.qty)
    order = scene.tester.order_factory.limit(
        scene.profile.instrument_id, side, scene.instrument.make_qty(qty), scene.px(levels[2][0])
    )
    scene.tap.hold()
    scene.submit(order)
    await scene.until(lambda: scene.sim.ledger.orders() and not scene.sim.ledger.orders(is_open=True), "the fills")
    await scene.until(lambda: scene.tap.held and scene.profile.tells_end(scene.tap.held[-1]), "the frames")
    return order


def check_sweep(scene: Scene, order: Any, tolerance: Decimal = Decimal(0)) -> None:
    sim_order = scene.sim_order(order)
    assert order.status == OrderStatus.FILLED
    assert order.filled_qty.as_decimal() == sim_order.filled
    notional = sum(f.last_qty.as_decimal() * f.last_px.as_decimal() for f in scene.fills(order))
    assert abs(notional - sim_order.notional) <= tolerance * sim_order.filled


@execution_case("X05", **N, sells=True, sim=lambda profile: profile.fill_by_fill)
async def test_x05_every_order_of_arrival(scene: Scene):
    """Three fills at three prices and the frame before them: all their permutations, and the same end for each."""
    yield
    scene.price_tolerance = tolerance = Decimal(0) if scene.profile.tells_trades else scene.tick
    side = OrderSide.BUY
    first = await take_three_levels(scene, side)
    count = len(scene.tap.held)
    assert count >= 4
    scene.tap.release()
    await scene.closed(first)
    check_sweep(scene, first)
    *head, a, b, c, d = range(count)  # the first of five only says that the order is pending
    for places in permutations((a, b, c, d)):
        side = OrderSide.SELL if side == OrderSide.BUY else OrderSide.BUY
        order = await take_three_levels(scene, side)
        assert len(scene.tap.held) == count
        scene.tap.release(lambda held, places=places: [held[n] for n in (*head, *places)])
        await scene.closed(order)
        check_sweep(scene, order, tolerance)
        assert len(scene.fills(order)) == 3 or not scene.profile.tells_trades
    await scene.agree(balances=False)


@execution_case("X05", **N, sim=lambda profile: profile.fill_by_fill)
async def test_x05_the_end_long_before_the_fills(scene: Scene):
    """The end arrives, waiting for the trades ends too, and only then do they come: nothing is counted twice.

    What was inferred has one price for fills at several, rounded to the tick: that is all by which it may differ.
    """
    yield
    scene.price_tolerance = scene.tick / 2
    order = await take_three_levels(scene, OrderSide.BUY)
    held = list(scene.tap.held)
    scene.tap.release(lambda frames: frames[-1:])
    await scene.closed(order)
    check_sweep(scene, order, scene.price_tolerance)
    fills = len(scene.fills(order))
    for raw in held:
        scene.tap.deliver(raw)
        await asyncio.sleep(0.02)
    assert len(scene.fills(order)) == fills
    check_sweep(scene, order, scene.price_tolerance)
    assert scene.position().quantity == order.quantity
