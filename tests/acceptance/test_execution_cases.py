"""The framework's execution cases, groups 1 to 3: market, limit and conditional orders (TC-E01 to TC-E27).

Each case asks for something, yields, and checks its pass criterion; see `tests.support.scene.execution_case`.
"""

from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType, PositionSide, TimeInForce

from nautilus_orderfeeds.sim.model import OrderState
from tests.support.scene import OPEN, Scene, execution_case

N = {"enable_limit_buys": False, "enable_limit_sells": False}
BUYS = {"enable_limit_sells": False}
SELLS = {"enable_limit_buys": False}


def long(profile: Any) -> Decimal:
    return Decimal(profile.qty)


def long_by_amount(profile: Any) -> Decimal:
    return Decimal(profile.amount or profile.qty)


def short(profile: Any) -> Decimal:
    return -Decimal(profile.qty)


# -- group 1: market orders -------------------------------------------------------------------------------------------


async def check_market_fill(scene: Scene, side: OrderSide, time_in_force: TimeInForce = TimeInForce.GTC) -> None:
    """Filled whole within the market range, position opened, account state updated."""
    order = scene.order()
    await scene.closed(order)
    assert order.status == OrderStatus.FILLED
    assert order.side == side
    assert order.order_type == OrderType.MARKET
    assert order.time_in_force == time_in_force
    assert order.filled_qty.as_decimal() == Decimal(scene.profile.qty)
    names = scene.names(order)
    assert names[:3] == ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]
    assert set(names[3:]) == {"OrderFilled"}
    sold = [price for price, _ in scene.sim.market.book(scene.profile.product)[0 if side == OrderSide.SELL else 1]]
    for fill in scene.fills(order):
        assert min(sold) <= fill.last_px.as_decimal() <= max(sold)
    position = scene.position()
    assert position.side == (PositionSide.LONG if side == OrderSide.BUY else PositionSide.SHORT)
    assert position.quantity == order.quantity
    last_fill = scene.fills(order)[-1]
    await scene.until(
        lambda: scene.run.account_states and scene.run.account_states[-1].ts_init > last_fill.ts_init,
        "an account state after the fill",
    )
    await scene.agree(balances=False)


@execution_case("TC-E01", **N, open_position_on_start_qty=long)
async def test_e01_market_buy(scene: Scene):
    yield
    await check_market_fill(scene, OrderSide.BUY)


@execution_case("TC-E02", **N, sells=True, open_position_on_start_qty=short)
async def test_e02_market_sell(scene: Scene):
    yield
    await check_market_fill(scene, OrderSide.SELL)


@execution_case("TC-E03", **N, open_position_on_start_qty=long, open_position_time_in_force=TimeInForce.IOC)
async def test_e03_market_ioc(scene: Scene):
    yield
    await check_market_fill(scene, OrderSide.BUY, TimeInForce.IOC)
    if scene.profile.sends_market_force:
        assert scene.sim_order(scene.order()).time_in_force.value == "IOC"


@execution_case("TC-E04", **N, open_position_on_start_qty=long, open_position_time_in_force=TimeInForce.FOK)
async def test_e04_market_fok(scene: Scene):
    yield
    await check_market_fill(scene, OrderSide.BUY, TimeInForce.FOK)
    assert scene.sim_order(scene.order()).time_in_force.value == "FOK"


@execution_case("TC-E05", **N, open_position_on_start_qty=long_by_amount, use_quote_quantity=True)
async def test_e05_market_quote_quantity(scene: Scene):
    yield
    order = scene.order()
    await scene.closed(order)
    assert order.init_event.quote_quantity
    (sim_order,) = scene.sim.ledger.orders()
    # A venue may keep its fee out of the amount.
    assert Decimal("0.99") * long_by_amount(scene.profile) < sim_order.quote_amount <= long_by_amount(scene.profile)
    assert order.filled_qty.as_decimal() == sim_order.filled
    assert scene.position().quantity.as_decimal() == sim_order.filled


@execution_case(
    "TC-E06", **N, open_position_on_start_qty=long_by_amount, use_quote_quantity=lambda profile: bool(profile.amount)
)
async def test_e06_close_on_stop(scene: Scene):
    yield
    await scene.until(lambda: scene.cache.positions_open(), "the position to open")
    await scene.end()
    opening, closing = scene.orders()
    assert closing.order_type == OrderType.MARKET
    assert closing.side == OrderSide.SELL
    assert closing.status == opening.status == OrderStatus.FILLED
    assert scene.cache.positions_open() == []
    assert scene.cache.orders_open() == []
    assert scene.sim.ledger.position(scene.profile.product).net == 0


# -- group 2: limit orders --------------------------------------------------------------------------------------------


async def check_open(scene: Scene, order: Any, time_in_force: TimeInForce = TimeInForce.GTC) -> None:
    """Open at the venue on the very terms that were asked for."""
    await scene.accepted(order)
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]
    bid, ask = scene.best()
    offset = scene.tester.config.tob_offset_ticks * scene.tick
    price = bid - offset if order.side == OrderSide.BUY else ask + offset
    sim_order = scene.sim_order(order)
    assert sim_order.state is OrderState.WORKING
    assert (sim_order.side.value, sim_order.price) == (order.side.name, price)
    assert order.price.as_decimal() == price
    assert sim_order.quantity == order.quantity.as_decimal() == Decimal(scene.profile.qty)
    assert order.time_in_force == time_in_force
    if time_in_force != TimeInForce.GTD or sim_order.expire_ns is None:  # at some venues an expiry is beside it
        assert sim_order.time_in_force.value == time_in_force.name
    assert sim_order.filled == 0


@execution_case("TC-E10", **BUYS)
async def test_e10_limit_buy(scene: Scene):
    scene.quote()
    yield
    assert scene.order().side == OrderSide.BUY
    await check_open(scene, scene.order())


@execution_case("TC-E11", **SELLS, sells=True)
async def test_e11_limit_sell(scene: Scene):
    scene.quote()
    yield
    assert scene.order().side == OrderSide.SELL
    await check_open(scene, scene.order())


@execution_case("TC-E12", sells=True)
async def test_e12_limit_pair(scene: Scene):
    scene.quote()
    yield
    buy, sell = scene.tester.buy_order, scene.tester.sell_order
    await check_open(scene, buy)
    await check_open(scene, sell)
    bid, ask = scene.best()
    assert buy.price.as_decimal() < bid < ask < sell.price.as_decimal()


async def check_filled_at_once(scene: Scene, time_in_force: TimeInForce) -> None:
    order = scene.order()
    await scene.closed(order)
    assert order.status == OrderStatus.FILLED
    assert order.time_in_force == time_in_force
    assert scene.sim_order(order).time_in_force.value == time_in_force.name
    assert scene.position().side == PositionSide.LONG
    assert scene.position().quantity == order.quantity


async def check_canceled_at_once(scene: Scene, time_in_force: TimeInForce) -> None:
    order = scene.order()
    await scene.closed(order)
    assert order.status == OrderStatus.CANCELED
    assert order.filled_qty == 0
    assert scene.names(order)[-1] == "OrderCanceled"
    assert "OrderFilled" not in scene.names(order)
    sim_order = scene.sim.ledger.orders()[0]
    assert sim_order.state is OrderState.CANCELED
    assert sim_order.time_in_force.value == time_in_force.name
    assert scene.cache.positions() == []


@execution_case("TC-E13", **BUYS, limit_time_in_force=TimeInForce.IOC)
async def test_e13_ioc_aggressive(scene: Scene):
    scene.quote_across()
    yield
    await check_filled_at_once(scene, TimeInForce.IOC)


@execution_case("TC-E14", **BUYS, limit_time_in_force=TimeInForce.IOC)
async def test_e14_ioc_passive(scene: Scene):
    scene.quote()
    yield
    await check_canceled_at_once(scene, TimeInForce.IOC)


@execution_case("TC-E15", **BUYS, limit_time_in_force=TimeInForce.FOK)
async def test_e15_fok_fill(scene: Scene):
    scene.quote_across()
    yield
    await check_filled_at_once(scene, TimeInForce.FOK)
    assert len(scene.fills(scene.order())) == 1


@execution_case("TC-E16", **BUYS, limit_time_in_force=TimeInForce.FOK)
async def test_e16_fok_no_fill(scene: Scene):
    scene.quote()
    yield
    await check_canceled_at_once(scene, TimeInForce.FOK)


GTD = {**BUYS, "limit_time_in_force": TimeInForce.GTD, "order_expire_time_delta_mins": 1}


@execution_case("TC-E17", **GTD)
async def test_e17_gtd_accepted(scene: Scene):
    scene.quote()
    yield
    order = scene.order()
    await check_open(scene, order, TimeInForce.GTD)
    assert 0 <= order.expire_time_ns - scene.sim_order(order).expire_ns < scene.profile.expiry_unit_ns
    ahead_secs = (order.expire_time_ns - order.ts_init) / 1e9
    assert 59 < ahead_secs < 61


@execution_case("TC-E18", **GTD)
async def test_e18_gtd_expiry(scene: Scene):
    scene.quote()
    yield
    order = scene.order()
    await scene.accepted(order)
    scene.sim.clock.advance(61)
    await scene.closed(order)
    assert order.status == OrderStatus.EXPIRED
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderExpired"]


@execution_case("TC-E19", **BUYS, limit_time_in_force=TimeInForce.DAY)
async def test_e19_day(scene: Scene):
    scene.quote()
    yield
    await check_open(scene, scene.order(), TimeInForce.DAY)
    sim_order = scene.sim_order(scene.order())
    assert sim_order.expire_ns is not None
    scene.sim.clock.advance(86_401)
    await scene.closed(scene.order())
    assert scene.order().status == OrderStatus.EXPIRED


# -- group 3: stop and conditional orders -----------------------------------------------------------------------------


def conditional(case_id: str, side: OrderSide, kind: OrderType) -> Any:
    """Make the test of one conditional order: accepted with its trigger (and limit) price, and not triggered."""
    buys = side == OrderSide.BUY
    is_limit = kind in (OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED)
    touches = kind in (OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED)

    async def drive(scene: Scene):
        scene.quote()
        yield
        order = scene.order()
        assert (order.side, order.order_type) == (side, kind)
        await scene.until(lambda: order.status in OPEN, "the order to be accepted")
        bid, ask = scene.best()
        offset = scene.tester.config.stop_offset_ticks * scene.tick
        trigger = ask + offset if buys != touches else bid - offset
        assert order.trigger_price.as_decimal() == trigger
        sim_order = scene.sim_order(order)
        assert sim_order.state is OrderState.WAITING
        assert sim_order.trigger.price == trigger
        assert sim_order.trigger.rises == (buys != touches)
        if is_limit:
            ahead = 10 * scene.tick * (1 if buys != touches else -1)
            assert order.price.as_decimal() == sim_order.price == trigger + ahead

    drive.__name__ = f"test_{case_id[3:].lower()}_{kind.name.lower()}_{side.name.lower()}"
    drive.__module__ = __name__
    options = {"enable_stop_buys": buys, "enable_stop_sells": not buys, "stop_order_type": kind}
    if is_limit:
        options["stop_limit_offset_ticks"] = 10
    return execution_case(case_id, **N, **options)(drive)


test_e20_stop_market_buy = conditional("TC-E20", OrderSide.BUY, OrderType.STOP_MARKET)
test_e21_stop_market_sell = conditional("TC-E21", OrderSide.SELL, OrderType.STOP_MARKET)
test_e22_stop_limit_buy = conditional("TC-E22", OrderSide.BUY, OrderType.STOP_LIMIT)
test_e23_stop_limit_sell = conditional("TC-E23", OrderSide.SELL, OrderType.STOP_LIMIT)
test_e24_market_if_touched_buy = conditional("TC-E24", OrderSide.BUY, OrderType.MARKET_IF_TOUCHED)
test_e25_market_if_touched_sell = conditional("TC-E25", OrderSide.SELL, OrderType.MARKET_IF_TOUCHED)
test_e26_limit_if_touched_buy = conditional("TC-E26", OrderSide.BUY, OrderType.LIMIT_IF_TOUCHED)
test_e27_limit_if_touched_sell = conditional("TC-E27", OrderSide.SELL, OrderType.LIMIT_IF_TOUCHED)
