"""The framework's execution cases, groups 4 to 6: modify, cancel, brackets (TC-E30 to TC-E53)."""

from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import CancelOrder, ModifyOrder
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType, TriggerType
from nautilus_trader.model.events import OrderCancelRejected, OrderModifyRejected, OrderUpdated

from nautilus_orderfeeds.adapter.contingency import is_held
from nautilus_orderfeeds.sim.model import OrderState
from nautilus_orderfeeds.venues.capabilities import Feature
from tests.support.scene import OPEN, Scene, execution_case

N = {"enable_limit_buys": False, "enable_limit_sells": False}
BUYS = {"enable_limit_sells": False}
SELLS = {"enable_limit_buys": False}
STOPS = {**N, "enable_stop_buys": True, "stop_order_type": OrderType.STOP_MARKET}
#: How far the tester's second view of the market is from the first, ticks.
MOVE = 20


# -- group 4: modification --------------------------------------------------------------------------------------------


async def move(scene: Scene, ticks: int) -> None:
    """Two views of the market, the second one `ticks` further."""
    scene.quote()
    await scene.settled()
    scene.quote(ticks)


async def check_modified(scene: Scene, order: Any, price: Any) -> None:
    await scene.until(lambda: "OrderUpdated" in scene.names(order), "OrderUpdated")
    assert scene.only(OrderUpdated, order).price == price
    assert order.price == price
    assert order.status in OPEN  # left PENDING_UPDATE
    assert scene.sim_order(order).price == price.as_decimal()
    assert scene.sim_order(order).state is OrderState.WORKING


@execution_case("TC-E30", **BUYS, modify_orders_to_maintain_tob_offset=True)
async def test_e30_modify_buy(scene: Scene):
    await move(scene, MOVE)
    yield
    await check_modified(scene, scene.order(), scene.px(scene.best()[0] - (50 - MOVE) * scene.tick))


@execution_case("TC-E31", **SELLS, sells=True, modify_orders_to_maintain_tob_offset=True)
async def test_e31_modify_sell(scene: Scene):
    await move(scene, -MOVE)
    yield
    await check_modified(scene, scene.order(), scene.px(scene.best()[1] + (50 - MOVE) * scene.tick))


async def check_replaced(scene: Scene, field: str, by_ticks: int) -> None:
    """First order canceled, new one accepted at the new price."""
    first, second = scene.orders()
    await scene.closed(first)
    await scene.until(lambda: second.status in OPEN, "the new order to be accepted")
    assert first.status == OrderStatus.CANCELED
    assert first.filled_qty == 0
    assert scene.sim_order(first).state is OrderState.CANCELED
    assert getattr(second, field).as_decimal() == getattr(first, field).as_decimal() + by_ticks * scene.tick
    assert first.venue_order_id != second.venue_order_id
    assert scene.sim_order(second).is_open
    assert scene.cache.orders_open() == [second]


@execution_case("TC-E32", **BUYS, cancel_replace_orders_to_maintain_tob_offset=True)
async def test_e32_cancel_replace_buy(scene: Scene):
    await move(scene, MOVE)
    yield
    await check_replaced(scene, "price", MOVE)


@execution_case("TC-E33", **SELLS, sells=True, cancel_replace_orders_to_maintain_tob_offset=True)
async def test_e33_cancel_replace_sell(scene: Scene):
    await move(scene, -MOVE)
    yield
    await check_replaced(scene, "price", -MOVE)


@execution_case("TC-E34", **STOPS, modify_stop_orders_to_maintain_offset=True)
async def test_e34_modify_stop(scene: Scene):
    await move(scene, MOVE)
    yield
    order = scene.order()
    await scene.until(lambda: "OrderUpdated" in scene.names(order), "OrderUpdated")
    wanted = scene.px(scene.best()[1] + (scene.tester.config.stop_offset_ticks + MOVE) * scene.tick)
    assert scene.only(OrderUpdated, order).trigger_price == order.trigger_price == wanted
    assert order.status in OPEN
    assert scene.sim_order(order).trigger.price == wanted.as_decimal()


@execution_case("TC-E35", **STOPS, cancel_replace_stop_orders_to_maintain_offset=True)
async def test_e35_cancel_replace_stop(scene: Scene):
    await move(scene, MOVE)
    yield
    await check_replaced(scene, "trigger_price", MOVE)


@execution_case("TC-E36", **BUYS)
async def test_e36_modify_rejected(scene: Scene):
    """At a venue that cannot modify: a live order. At one that can: an order that is closed."""
    scene.quote()
    order = scene.order()
    await scene.accepted(order)
    can_modify = scene.client._venue.capabilities.supports(Feature.MODIFY)
    if can_modify:
        scene.tester.cancel_order(order)
        await scene.closed(order)
    price, status, names = order.price, order.status, scene.names(order)
    before = scene.sent(*scene.profile.order_entry)
    scene.run.node.kernel.exec_engine.execute(
        ModifyOrder(
            trader_id=scene.tester.trader_id,
            strategy_id=scene.tester.id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            quantity=None,
            price=scene.px(price.as_decimal() + scene.tick),
            trigger_price=None,
            command_id=UUID4(),
            ts_init=0,
        )
    )
    yield
    await scene.until(lambda: "OrderModifyRejected" in scene.names(order), "OrderModifyRejected")
    assert scene.only(OrderModifyRejected, order).reason
    assert scene.names(order) == [*names, "OrderModifyRejected"]
    assert (order.price, order.status) == (price, status)
    assert scene.sim_order(order).price == price.as_decimal()
    assert scene.sent(*scene.profile.order_entry) == before


# -- group 5: cancellation --------------------------------------------------------------------------------------------


@execution_case("TC-E40", **BUYS)
async def test_e40_cancel_one(scene: Scene):
    scene.quote()
    order = scene.order()
    await scene.accepted(order)
    scene.tester.cancel_order(order)
    yield
    await scene.closed(order)
    assert order.status == OrderStatus.CANCELED
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderCanceled"]
    assert scene.cache.orders_open() == []
    assert scene.sim.ledger.orders(is_open=True) == []


async def check_all_canceled(scene: Scene, orders: list[Any]) -> None:
    await scene.closed(*orders)
    assert len(orders) >= 2
    for order in orders:
        assert order.status == OrderStatus.CANCELED
        assert scene.names(order)[-1] == "OrderCanceled"
        assert scene.names(order).count("OrderCanceled") == 1
    assert scene.cache.orders_open() == []
    assert scene.sim.ledger.orders(is_open=True) == []


async def two_open_orders(scene: Scene) -> list[Any]:
    scene.quote()
    await scene.accepted(scene.tester.buy_order, scene.tester.sell_order)
    return scene.orders()


@execution_case("TC-E41", sells=True)
async def test_e41_cancel_all_on_stop(scene: Scene):
    orders = await two_open_orders(scene)
    scene.tester.stop()
    yield
    await check_all_canceled(scene, orders)


@execution_case("TC-E42", sells=True, use_individual_cancels_on_stop=True)
async def test_e42_individual_cancels_on_stop(scene: Scene):
    orders = await two_open_orders(scene)
    scene.tester.stop()
    yield
    await check_all_canceled(scene, orders)
    assert scene.sent(scene.profile.cancel) == len(orders)
    if scene.profile.cancel_many is not None:
        assert scene.sent(scene.profile.cancel_many) == 0


@execution_case("TC-E43", sells=True, use_batch_cancel_on_stop=True)
async def test_e43_batch_cancel_on_stop(scene: Scene):
    orders = await two_open_orders(scene)
    scene.tester.stop()
    yield
    await check_all_canceled(scene, orders)
    if scene.profile.cancel_many is not None:
        assert scene.sent(scene.profile.cancel_many) == 1
        assert scene.sent(scene.profile.cancel) == 0
    else:  # one request for each, and for no other order
        assert scene.sent(scene.profile.cancel) == len(orders)


@execution_case("TC-E44", **BUYS)
async def test_e44_cancel_a_canceled_order(scene: Scene):
    """The strategy's own call sends nothing for a closed order, so the command goes to the engine directly."""
    scene.quote()
    order = scene.order()
    await scene.accepted(order)
    scene.tester.cancel_order(order)
    await scene.closed(order)
    names = scene.names(order)
    scene.run.node.kernel.exec_engine.execute(
        CancelOrder(
            trader_id=scene.tester.trader_id,
            strategy_id=scene.tester.id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            command_id=UUID4(),
            ts_init=0,
        )
    )
    yield
    await scene.until(lambda: "OrderCancelRejected" in scene.names(order), "OrderCancelRejected")
    assert "CANCELED" in scene.only(OrderCancelRejected, order).reason
    assert scene.names(order) == [*names, "OrderCancelRejected"]
    assert order.status == OrderStatus.CANCELED


# -- group 6: brackets ------------------------------------------------------------------------------------------------


def bracket(case_id: str, side: OrderSide, *, post_only: bool = False, fill: bool = False) -> Any:
    """Make the test of one bracket: entry, take-profit and stop-loss accepted (and, after a fill, both exits live)."""
    buys = side == OrderSide.BUY

    async def drive(scene: Scene):
        scene.quote()
        yield
        entry = scene.tester.buy_order if buys else scene.tester.sell_order
        await scene.accepted(entry)
        legs = [order for order in scene.orders() if order is not entry]
        stop = next(order for order in legs if order.order_type != OrderType.LIMIT)
        profit = next(order for order in legs if order.order_type == OrderType.LIMIT)
        bid, ask = scene.best()
        sign = 1 if buys else -1
        assert (entry.price < bid) if buys else (entry.price > ask)
        assert sign * (profit.price - entry.price) > 0
        assert sign * (entry.price - stop.trigger_price) > 0
        assert {order.side for order in legs} == {OrderSide.SELL if buys else OrderSide.BUY}
        assert (entry.is_post_only, profit.is_post_only, stop.is_post_only) == (post_only, post_only, False)
        if fill:
            scene.fill(entry, entry.quantity.as_decimal())
            await scene.closed(entry)
            assert entry.status == OrderStatus.FILLED
        await scene.accepted(stop, profit)
        if fill:
            # Where the client keeps the exits itself, they were accepted before they went out.
            exits = (stop, profit)
            await scene.until(lambda: not any(is_held(o.venue_order_id.value) for o in exits), "them to go out")
            assert scene.sim_order(stop).is_open
            assert scene.sim_order(profit).is_open

    drive.__name__ = f"test_{case_id[3:].lower()}_bracket_{side.name.lower()}"
    drive.__module__ = __name__
    return execution_case(
        case_id,
        **(BUYS if buys else SELLS),
        enable_brackets=True,
        use_post_only=post_only,
        stop_trigger_type=TriggerType.DEFAULT,
    )(drive)


test_e50_bracket_buy = bracket("TC-E50", OrderSide.BUY)
test_e51_bracket_sell = bracket("TC-E51", OrderSide.SELL)
test_e52_entry_fill_activates = bracket("TC-E52", OrderSide.BUY, fill=True)
test_e53_bracket_post_only = bracket("TC-E53", OrderSide.BUY, post_only=True)
