"""The framework's execution cases TC-E74 to TC-E77: a request fails and nobody says what became of it.

No rejection may be made of that: the order stays in flight until the stream or a query resolves it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.events import OrderRejected

from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.sim.model import OrderState
from tests.support.profiles import Call
from tests.support.scene import OPEN, Scene, execution_case
from tests.support.venue_profile import SLOW_SECS

N = {"enable_limit_buys": False, "enable_limit_sells": False}
#: Shorter than the slowest answer, so that it is a timeout; long enough to connect on a busy machine.
TIMEOUT_SECS = 0.75 * SLOW_SECS
CONFIG = {"request_timeout_secs": TIMEOUT_SECS}
#: Faults that end the connection which the request was sent over.
_CUTTING = (Fault.LOST_ANSWER, Fault.RESET)
#: Longer than the adapter's first readings of the truth.
A_WHILE_SECS = 1.3


async def strike(scene: Scene, call: Call, faults: tuple[tuple[Fault, dict[str, Any]], ...], ask: Callable[[], Any]):
    """Let every fault strike one request each; return what `ask` made for it."""
    asked = []
    for fault, settings in faults:
        armed = scene.sim.faults.once(fault, where=" ".join(call), **settings)
        connects = scene.session.health.connects
        asked.append(ask())
        await scene.until(lambda armed=armed: armed.struck == 1, f"{fault} to strike {call}")
        if fault in _CUTTING and not scene.profile.has_rest:  # the next one needs a stream to be sent over
            await scene.until(lambda old=connects: scene.session.health.connects > old, "a new connection")
            await scene.live()
    return asked


def silence(scene: Scene) -> Any:
    """Let no frame about orders through, so that only a query can tell."""
    return scene.sim.faults.arm(Fault.DROP, where=scene.profile.order_frames)


def never_rejected(scene: Scene, orders: list[Any]) -> bool:
    names = {name for order in orders for name in scene.names(order)}
    return names.isdisjoint({"OrderRejected", "OrderCancelRejected", "OrderModifyRejected", "OrderDenied"})


def new_order(scene: Scene) -> Any:
    order = scene.limit(ticks=50 + len(scene.orders()))
    scene.submit(order)
    return order


@execution_case("TC-E74", **N, config=CONFIG)
async def test_e74_submit_taken(scene: Scene):
    """Taken by the venue: accepted once, as soon as the stream (or, if it is silent, a query) tells."""
    told = await strike(scene, scene.profile.submit, scene.profile.after_effect, lambda: new_order(scene))
    yield
    await scene.accepted(*told)
    silent = silence(scene)
    queried = await strike(scene, scene.profile.submit, scene.profile.after_effect, lambda: new_order(scene))
    await scene.accepted(*queried)
    scene.sim.faults.disarm(silent)
    assert never_rejected(scene, told + queried)
    for order in told + queried:
        assert scene.names(order) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]
    assert len(scene.sim.ledger.orders()) == 2 * len(scene.profile.after_effect)  # none was sent twice


@execution_case("TC-E74", **N, config=CONFIG, cancel_orders_on_stop=False, only=lambda p: not p.proves_absence)
async def test_e74_submit_not_taken(scene: Scene):
    """Not taken by the venue, which does not say so: stays in flight, is asked for and not sent again."""
    orders = await strike(scene, scene.profile.submit, scene.profile.without_effect, lambda: new_order(scene))
    yield
    queries = (scene.profile.open_orders, scene.profile.one_order)
    asked = scene.sent(*queries)
    await asyncio.sleep(A_WHILE_SECS)
    assert scene.sent(*queries) > asked
    assert scene.sent(scene.profile.submit) == len(orders)
    for order in orders:
        assert order.status == OrderStatus.SUBMITTED
        assert scene.names(order) == ["OrderInitialized", "OrderSubmitted"]
    unknown = [entry for entry in scene.run.log.entries("WARN") if "unknown" in entry]
    assert len(unknown) == len(orders)  # each flagged
    scene.unresolved = {order.client_order_id for order in orders}


@execution_case("TC-E74", **N, config=CONFIG, only=lambda profile: profile.proves_absence)
async def test_e74_submit_proved_not_taken(scene: Scene):
    """Not taken by the venue, which says so when it is asked: rejected then for that reason, and not sent again."""
    orders = await strike(scene, scene.profile.submit, scene.profile.without_effect, lambda: new_order(scene))
    yield
    assert never_rejected(scene, orders)
    await scene.closed(*orders)
    for order in orders:
        assert order.status == OrderStatus.REJECTED
        assert "never reached the venue" in scene.only(OrderRejected, order).reason
    assert scene.sim.ledger.orders() == []


@execution_case("TC-E74", **N, config=CONFIG, cancel_orders_on_stop=False, only=lambda profile: profile.says_to_wait)
async def test_e74_submit_never_sent(scene: Scene):
    """Not ambiguous: it waited behind the rate limit until its time was over, so nothing can ever come of it."""
    scene.sim.faults.once(Fault.RATE_LIMIT, where=" ".join(scene.profile.submit), retry_after=2 * TIMEOUT_SECS)
    first = new_order(scene)
    await scene.until(lambda: scene.sent(scene.profile.submit) == 1, "the first order to be sent")
    waiting = [new_order(scene) for _ in range(2)]
    yield
    await scene.closed(*waiting)
    for order in waiting:
        assert order.status == OrderStatus.REJECTED
        assert "not sent" in scene.only(OrderRejected, order).reason
    await asyncio.sleep(A_WHILE_SECS)
    assert scene.sent(scene.profile.submit) == 1
    assert scene.sim.ledger.orders() == []
    assert first.status == (OrderStatus.REJECTED if scene.profile.refuses_by_429 else OrderStatus.SUBMITTED)
    scene.unresolved = {first.client_order_id}


@execution_case("TC-E75", **N, config=CONFIG)
async def test_e75_cancel_taken(scene: Scene):
    """Taken by the venue: canceled once, as soon as the stream (or, if it is silent, a query) tells."""
    orders = [new_order(scene) for _ in range(2 * len(scene.profile.after_effect))]
    await scene.accepted(*orders)
    left = iter(orders)
    await strike(scene, scene.profile.cancel, scene.profile.after_effect, lambda: scene.tester.cancel_order(next(left)))
    yield
    await scene.closed(*orders[: len(scene.profile.after_effect)])
    silent = silence(scene)
    await strike(scene, scene.profile.cancel, scene.profile.after_effect, lambda: scene.tester.cancel_order(next(left)))
    await scene.closed(*orders)
    scene.sim.faults.disarm(silent)
    assert never_rejected(scene, orders)
    for order in orders:
        assert order.status == OrderStatus.CANCELED
        assert scene.names(order).count("OrderCanceled") == 1


@execution_case("TC-E75", **N, config=CONFIG)
async def test_e75_cancel_not_taken(scene: Scene):
    """Not taken by the venue, which does not say so: no rejection; a cancel may be repeated, and the order ends."""
    orders = [new_order(scene) for _ in scene.profile.without_effect]
    await scene.accepted(*orders)
    left = iter(orders)
    faults = scene.profile.without_effect
    await strike(scene, scene.profile.cancel, faults, lambda: scene.tester.cancel_order(next(left)))
    yield
    assert all(order.status == OrderStatus.PENDING_CANCEL for order in orders[-1:])
    await scene.closed(*orders)
    assert never_rejected(scene, orders)
    assert all(order.status == OrderStatus.CANCELED for order in orders)
    assert all(scene.sim_order(order).state is OrderState.CANCELED for order in orders)


@execution_case("TC-E76", **N, config=CONFIG)
async def test_e76_modify(scene: Scene):
    """A change whose fate is open: no rejection; the stream or a query tells whether it was made."""
    order = new_order(scene)
    await scene.accepted(order)
    faults = scene.profile.after_effect
    prices = [scene.px(order.price.as_decimal() + n * scene.tick) for n in range(1, len(faults) + 1)]
    yield
    for (fault, settings), price in zip(faults, prices, strict=True):
        await strike(
            scene,
            scene.profile.modify,
            ((fault, settings),),
            lambda price=price: scene.tester.modify_order(order, price=price),
        )
        await scene.until(lambda price=price: order.price == price and order.status in OPEN, "the change to show")
    assert never_rejected(scene, [order])


def new_list(scene: Scene) -> list[Any]:
    orders = [scene.limit(ticks=50 + len(scene.orders()) + n) for n in range(2)]
    scene.tester.submit_order_list(scene.tester.order_factory.create_list(orders))
    return orders


@execution_case("TC-E77", **N, config=CONFIG, only=lambda profile: profile.submit_many)
async def test_e77_batch_submit_taken(scene: Scene):
    told = await strike(scene, scene.profile.submit_many, scene.profile.after_effect, lambda: new_list(scene))
    yield
    orders = [order for pair in told for order in pair]
    await scene.accepted(*orders)
    assert never_rejected(scene, orders)
    for order in orders:
        assert scene.names(order) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]
    assert len(scene.sim.ledger.orders()) == len(orders)


@execution_case("TC-E77", **N, config=CONFIG, cancel_orders_on_stop=False, only=lambda profile: profile.submit_many)
async def test_e77_batch_submit_not_taken(scene: Scene):
    told = await strike(scene, scene.profile.submit_many, scene.profile.without_effect, lambda: new_list(scene))
    yield
    orders = [order for pair in told for order in pair]
    await asyncio.sleep(A_WHILE_SECS)
    assert scene.sim.ledger.orders() == []
    for order in orders:
        assert order.status == OrderStatus.SUBMITTED
        assert scene.names(order) == ["OrderInitialized", "OrderSubmitted"]
    scene.unresolved = {order.client_order_id for order in orders}


@execution_case("TC-E77", **N, config=CONFIG)
async def test_e77_batch_cancel(scene: Scene):
    faults = scene.profile.after_effect + scene.profile.without_effect
    orders = [new_order(scene) for _ in range(2 * len(faults))]
    await scene.accepted(*orders)
    pairs = iter([orders[n : n + 2] for n in range(0, len(orders), 2)])
    await strike(scene, scene.profile.cancel_many, faults, lambda: scene.tester.cancel_orders(next(pairs)))
    yield
    await scene.closed(*orders)
    assert never_rejected(scene, orders)
    for order in orders:
        assert order.status == OrderStatus.CANCELED
        assert scene.names(order).count("OrderCanceled") == 1
