"""The engine's own periodic checks, far more often than anybody would run them, against a feed that lags behind REST.

A report that runs ahead of the fills told makes the engine invent the difference, and the real fill then counts twice
(the common criterion of all X cases): so every answer must fit what has been told.
"""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.sim.faults import Fault
from tests.support.profiles import PROFILES, VenueProfile
from tests.support.scene import Scene, open_scene

pytestmark = [pytest.mark.node, pytest.mark.parametrize("profile", PROFILES, ids=str)]

N = {"enable_limit_buys": False, "enable_limit_sells": False}
INFLIGHT = {"inflight_check_interval_ms": 50, "inflight_check_threshold_ms": 100, "inflight_check_retries": 50}
OPEN_ONLY = {"open_check_interval_secs": 0.05, "open_check_threshold_ms": 20, "open_check_open_only": True}
ALL_ORDERS = {**OPEN_ONLY, "open_check_open_only": False}
POSITIONS = {"position_check_interval_secs": 0.1, "position_check_threshold_ms": 500, "position_check_retries": 3}


async def trade_for_a_while(scene: Scene) -> list[Any]:
    """Orders that rest, fill in parts, are canceled in between, and cross the market."""
    orders: list[Any] = await scene.stock_up()
    for n in range(8):
        side = OrderSide.BUY if n % 2 else OrderSide.SELL
        resting, across = scene.limit(side, ticks=50), scene.limit(side, ticks=-20)
        scene.submit(resting, across)
        orders += [resting, across]
        await scene.accepted(resting)
        scene.fill(resting, Decimal(scene.profile.qty) / scene.profile.parts)
        await asyncio.sleep(0.12)
        if n % 4 < 2:
            scene.tester.cancel_order(resting)
        else:
            scene.fill(resting, Decimal(scene.profile.qty) * (scene.profile.parts - 1) / scene.profile.parts)
        await asyncio.sleep(0.05)
    await scene.closed(*orders)
    return orders


def check(scene: Scene, orders: list[Any]) -> None:
    """Everything the framework has is what the venue told: no order, fill or position of the engine's making."""
    known = scene.cache.orders()
    assert sorted(order.client_order_id.value for order in known) == sorted(
        order.client_order_id.value for order in orders
    )
    for order in orders:
        assert order.status in (OrderStatus.FILLED, OrderStatus.CANCELED)
        theirs = {fill.trade_id for fill in scene.sim.ledger.fills(order.venue_order_id.value)}
        told = scene.fills(order)
        assert not any(fill.reconciliation for fill in told)
        if not any(fill.info.get("inferred") for fill in told):
            assert len(told) == len(theirs)


@pytest.mark.parametrize(
    "engine",
    [{**INFLIGHT, **OPEN_ONLY}, {**INFLIGHT, **ALL_ORDERS}, {**INFLIGHT, **POSITIONS}],
    ids=["open-orders", "all-orders", "positions"],
)
@pytest.mark.parametrize("lag", [0.0, 0.15], ids=["prompt", "lagging"])
async def test_checks_find_nothing_to_mend(profile: VenueProfile, engine: dict[str, Any], lag: float):
    config = {"audit_interval_secs": 0.1}
    async with open_scene(profile, engine_options=engine, exec_options=config, **N) as scene:
        if lag:
            scene.sim.faults.arm(Fault.DELAY, where=f"{profile.order_frames}*", secs=lag, probability=0.5)
        orders = await trade_for_a_while(scene)
        await scene.agree(balances=False)
        check(scene, orders)
