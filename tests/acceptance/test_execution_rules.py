"""The framework's execution cases, groups 7 and 8: order flags and refusals (TC-E60 to TC-E73, TC-E78)."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType, TrailingOffsetType
from nautilus_trader.model.events import OrderDenied, OrderRejected

from nautilus_orderfeeds.sim.model import OrderState
from tests.support.scene import Scene, execution_case

N = {"enable_limit_buys": False, "enable_limit_sells": False}
BUYS = {"enable_limit_sells": False}


# -- group 7: flags ---------------------------------------------------------------------------------------------------


@execution_case("TC-E60", **BUYS, use_post_only=True)
async def test_e60_post_only(scene: Scene):
    scene.quote()
    yield
    order = scene.order()
    await scene.accepted(order)
    assert order.is_post_only
    assert scene.sim_order(order).post_only
    assert scene.sim_order(order).state is OrderState.WORKING
    assert scene.sim.ledger.fills() == []


@execution_case(
    "TC-E61",
    **N,
    open_position_on_start_qty=lambda profile: Decimal(profile.amount or profile.qty),
    use_quote_quantity=lambda profile: bool(profile.amount),
    reduce_only_on_stop=True,
)
async def test_e61_reduce_only_close(scene: Scene):
    await scene.until(lambda: scene.cache.positions_open(), "the position to open")
    scene.tester.stop()
    yield
    await scene.until(lambda: not scene.cache.positions_open(), "the position to close")
    closing = scene.orders()[1]
    assert closing.is_reduce_only
    assert scene.sim_order(closing).reduce_only
    assert closing.status == OrderStatus.FILLED
    assert scene.sim.ledger.position(scene.profile.product).net == 0


@execution_case("TC-E62", **BUYS, order_display_qty=lambda profile: Decimal(profile.qty) / profile.parts)
async def test_e62_display_quantity(scene: Scene):
    scene.quote()
    yield
    order = scene.order()
    await scene.accepted(order)
    shown = Decimal(scene.profile.qty) / scene.profile.parts
    assert order.display_qty.as_decimal() == shown
    bids, _ = scene.sim.market.book(scene.profile.product)
    assert dict(bids)[order.price.as_decimal()] == shown


@execution_case("TC-E63", **BUYS, order_params=lambda profile: dict(profile.params))
async def test_e63_custom_params(scene: Scene):
    scene.quote()
    yield
    order = scene.order()
    await scene.accepted(order)
    assert scene.profile.params_arrived(scene.sim_order(order))
    # What is not known must not be ignored: the user would believe that it is in effect.
    other = scene.limit()
    scene.submit(other, params={**scene.profile.params, "no_such_param": 1})
    await scene.closed(other)
    assert other.status == OrderStatus.DENIED
    assert "no_such_param" in scene.only(OrderDenied, other).reason
    assert len(scene.sim.ledger.orders()) == 1


# -- group 8: refusals ------------------------------------------------------------------------------------------------


@execution_case("TC-E70", **BUYS, test_reject_post_only=True)
async def test_e70_post_only_rejection(scene: Scene):
    scene.quote()
    yield
    order = scene.order()
    await scene.closed(order)
    assert order.status == OrderStatus.REJECTED
    rejected = scene.only(OrderRejected, order)
    assert rejected.due_post_only
    assert "post" in rejected.reason.lower()
    assert scene.sim.ledger.fills() == []


@execution_case(
    "TC-E71",
    **N,
    open_position_on_start_qty=lambda profile: Decimal(profile.qty),
    test_reject_reduce_only=True,
)
async def test_e71_reduce_only_rejection(scene: Scene):
    yield
    order = scene.order()
    await scene.closed(order)
    assert order.status == OrderStatus.REJECTED
    rejected = scene.only(OrderRejected, order)
    assert "reduce only" in rejected.reason.lower().replace("-", " ").replace("_", " ")
    assert not rejected.due_post_only
    assert scene.sim.ledger.fills() == []


def order_of_type(scene: Scene, kind: OrderType) -> Any:
    """Make an order of a type the venue has not; each on sane terms, so that nothing else is wrong with it."""
    factory = scene.tester.order_factory
    bid, ask = scene.best()
    above, further = scene.px(ask + 50 * scene.tick), scene.px(ask + 60 * scene.tick)
    common: dict[str, Any] = {
        "instrument_id": scene.profile.instrument_id,
        "order_side": OrderSide.BUY,
        "quantity": scene.instrument.make_qty(scene.profile.qty),
    }
    trailing = {"trailing_offset": 10 * scene.tick, "trailing_offset_type": TrailingOffsetType.PRICE}
    match kind:
        case OrderType.STOP_MARKET:
            return factory.stop_market(**common, trigger_price=above)
        case OrderType.STOP_LIMIT:
            return factory.stop_limit(**common, trigger_price=above, price=further)
        case OrderType.MARKET_IF_TOUCHED:
            return factory.market_if_touched(**common, trigger_price=scene.px(bid - 50 * scene.tick))
        case OrderType.LIMIT_IF_TOUCHED:
            below = scene.px(bid - 50 * scene.tick)
            return factory.limit_if_touched(**common, trigger_price=below, price=below)
        case OrderType.TRAILING_STOP_MARKET:
            return factory.trailing_stop_market(**common, trigger_price=above, **trailing)
        case OrderType.TRAILING_STOP_LIMIT:
            return factory.trailing_stop_limit(
                **common, trigger_price=above, price=further, limit_offset=10 * scene.tick, **trailing
            )
        case OrderType.MARKET_TO_LIMIT:
            return factory.market_to_limit(**common)
        case OrderType.MARKET:
            return factory.market(**common)
        case _:
            raise AssertionError(f"no terms for {kind}")


async def check_denied(scene: Scene, order: Any, *words: str) -> None:
    await scene.closed(order)
    assert order.status == OrderStatus.DENIED
    assert scene.names(order) == ["OrderInitialized", "OrderDenied"]
    reason = scene.only(OrderDenied, order).reason
    for word in words:
        assert word in reason
    assert scene.sent(*scene.profile.order_entry) == 0
    assert scene.sim.ledger.orders() == []


@execution_case("TC-E72", **N)
async def test_e72_unsupported_order_type(scene: Scene):
    orders = [order_of_type(scene, kind) for kind in scene.profile.unsupported_types]
    scene.submit(*orders)
    yield
    assert orders
    for order, kind in zip(orders, scene.profile.unsupported_types, strict=True):
        await check_denied(scene, order, kind.name)


@execution_case("TC-E73", **N)
async def test_e73_unsupported_time_in_force(scene: Scene):
    orders = [
        scene.market(time_in_force=force) if kind == OrderType.MARKET else scene.limit(time_in_force=force)
        for kind, force in scene.profile.unsupported_forces
    ]
    scene.submit(*orders)
    yield
    assert orders
    for order, (_, force) in zip(orders, scene.profile.unsupported_forces, strict=True):
        assert order.time_in_force == force
        await check_denied(scene, order, "time in force")


async def submit_list(scene: Scene, *orders: Any) -> None:
    """Submit plain orders as one list, so that the venue gets one request for all of them."""
    scene.tester.submit_order_list(scene.tester.order_factory.create_list(list(orders)))


@execution_case("TC-E78", **N, sim=lambda profile: profile.cannot_cover)
async def test_e78_one_order_of_a_batch_refused(scene: Scene):
    """The explicit refusal of one order rejects that order and no other one."""
    first, bad, last = scene.limit(), scene.limit(ticks=60, qty=scene.profile.beyond_margin), scene.limit(ticks=70)
    await submit_list(scene, first, bad, last)
    yield
    await scene.settled()
    if scene.profile.submit_many is not None:
        assert scene.sent(scene.profile.submit_many) == 1
    else:
        assert scene.sent(scene.profile.submit) == 3
    assert bad.status == OrderStatus.REJECTED
    assert scene.profile.margin_words in scene.only(OrderRejected, bad).reason
    assert "OrderAccepted" not in scene.names(bad)
    assert first.status == last.status == OrderStatus.ACCEPTED
    assert len(scene.sim.ledger.orders(is_open=True)) == 2


@execution_case("TC-E78", **N, sim=lambda profile: profile.cannot_cover)
async def test_e78_cancel_of_one_order_of_a_batch_refused(scene: Scene):
    """One order of a cancel batch has just filled: it ends filled, the others canceled, and no reject is invented."""
    orders = [scene.limit(ticks=50 + 10 * n) for n in range(3)]
    scene.submit(*orders)
    await scene.accepted(*orders)
    scene.tap.hold()  # the strategy does not know of the fill yet
    scene.fill(orders[0], scene.profile.qty)
    scene.tester.cancel_orders(orders)
    yield
    sent = (scene.profile.cancel_many, 1) if scene.profile.cancel_many is not None else (scene.profile.cancel, 3)
    await scene.until(lambda: scene.sent(sent[0]) == sent[1], "the batch to be sent")
    scene.tap.release()
    await scene.closed(*orders)
    assert [order.status for order in orders] == [OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.CANCELED]
    assert all("OrderCancelRejected" not in scene.names(order) for order in orders)
