"""Every order type with every time in force the venue takes, in a running node: filled, cancelled, expired."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.enums import TimeInForce as NtTimeInForce
from nautilus_trader.model.identifiers import AccountId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.roxom import RoxomLiveExecClientFactory
from nautilus_orderfeeds.venues.roxom.capabilities import CAPABILITIES
from tests.support.nodes import Run, node_config, running_node

pytestmark = [pytest.mark.node, pytest.mark.timeout(60)]

GOLD = "GOLD-BTC"
IID = InstrumentId.from_str(f"{GOLD}.ROXOM")
TICK = Decimal("0.000001")
QTY = Decimal("0.06")

PAIRS = [
    (type_, force)
    for type_, forces in CAPABILITIES.time_in_force.items()
    for force, support in forces.items()
    if support.supported
]
LIMITS = [(OrderType.LIMIT, force) for force in (TimeInForce.GTC, TimeInForce.GTD)]
STOPS = (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
RESTING = [
    pair for pair in PAIRS if pair[0] in STOPS or (pair[0] is OrderType.LIMIT and pair[1] is not TimeInForce.IOC)
]
EXPIRING = [pair for pair in PAIRS if pair[1] is TimeInForce.GTD]
IMMEDIATE = [pair for pair in PAIRS if pair[1] is TimeInForce.IOC and pair[0] is not OrderType.MARKET]
BEGIN = ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]


def name_of(pair: tuple[OrderType, TimeInForce]) -> str:
    return f"{pair[0].name}-{pair[1].name}"


class Desk:
    """A strategy in a node at a simulated venue whose market stands still."""

    def __init__(self, sim: Any, run: Run, strategy: Strategy) -> None:
        self.sim, self.run, self.strategy = sim, run, strategy
        self.bid, self.ask = sim.market.best(GOLD)
        self.instrument = run.cache.instrument(IID)

    def buy(self, pair: tuple[OrderType, TimeInForce], *, ticks: int = 0, trigger: int = 20, secs: float = 600) -> Any:
        """Submit a buy: its price so many ticks from the best ask, its trigger price so many above it."""
        type_, force = pair
        make, qty = self.strategy.order_factory, self.instrument.make_qty(QTY)
        price = self.instrument.make_price(self.ask + ticks * TICK)
        trigger_price = self.instrument.make_price(self.ask + trigger * TICK)
        more: dict[str, Any] = {"time_in_force": NtTimeInForce[force.name]}
        if force is TimeInForce.GTD:
            more["expire_time"] = self.strategy.clock.utc_now() + timedelta(seconds=secs)
        match type_:
            case OrderType.MARKET:
                order = make.market(IID, OrderSide.BUY, qty, **more)
            case OrderType.LIMIT:
                order = make.limit(IID, OrderSide.BUY, qty, price, **more)
            case OrderType.STOP_MARKET:
                order = make.stop_market(IID, OrderSide.BUY, qty, trigger_price, **more)
            case OrderType.STOP_LIMIT:
                order = make.stop_limit(IID, OrderSide.BUY, qty, price, trigger_price, **more)
            case _:
                raise AssertionError(f"no test of {type_}")
        self.strategy.submit_order(order)
        return order

    async def becomes(self, order: Any, status: OrderStatus) -> None:
        await self.run.until(lambda: order.status == status, lambda: f"{status.name}, not {order.status_string()}")

    def trigger(self) -> None:
        """Move the mark price over the triggers."""
        self.sim.market.set_mid(GOLD, self.sim.market.products[GOLD].mid + 40 * TICK)

    def names(self, order: Any) -> list[str]:
        return self.run.names(order.client_order_id)

    async def agree(self) -> None:
        def differences() -> list[Any]:
            tolerance = Decimal("0.00000001")
            return compare(
                self.sim, self.run.cache, "ROXOM", AccountId("ROXOM-001"), price_tolerance=tolerance
            ).differences

        await self.run.until(lambda: not differences(), lambda: f"agreement, not {differences()}", 10.0)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with simulate("roxom", seed=5, market_flow=False) as sim:
        strategy = Strategy(StrategyConfig())
        async with running_node(
            node_config({"ROXOM": sim.exec_config(requests_per_sec=500)}, inflight_check_interval_ms=0),
            exec_factories={"ROXOM": RoxomLiveExecClientFactory},
            strategies=(strategy,),
        ) as run:
            yield Desk(sim, run, strategy)


@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
async def test_it_fills(desk: Desk, pair: tuple[OrderType, TimeInForce]) -> None:
    order = desk.buy(pair, ticks=90 if pair[0] is OrderType.STOP_LIMIT else 0)
    if pair[0] in STOPS:
        await desk.becomes(order, OrderStatus.ACCEPTED)
        desk.trigger()
    await desk.becomes(order, OrderStatus.FILLED)
    middle = ["OrderTriggered"] if pair[0] is OrderType.STOP_LIMIT else []
    names = desk.names(order)
    assert names[: 3 + len(middle)] == BEGIN + middle
    assert set(names[3 + len(middle) :]) == {"OrderFilled"}
    await desk.agree()


@pytest.mark.parametrize("pair", RESTING, ids=name_of)
async def test_it_is_cancelled(desk: Desk, pair: tuple[OrderType, TimeInForce]) -> None:
    order = desk.buy(pair, ticks=-50)
    await desk.becomes(order, OrderStatus.ACCEPTED)
    desk.strategy.cancel_order(order)
    await desk.becomes(order, OrderStatus.CANCELED)
    assert desk.names(order) == [*BEGIN, "OrderPendingCancel", "OrderCanceled"]
    await desk.agree()


@pytest.mark.parametrize("pair", LIMITS, ids=name_of)
async def test_it_is_cancelled_after_a_part_of_it_filled(desk: Desk, pair: tuple[OrderType, TimeInForce]) -> None:
    order = desk.buy(pair, ticks=-50)
    await desk.becomes(order, OrderStatus.ACCEPTED)
    desk.sim.market.trade(GOLD, desk.ask - 50 * TICK, QTY / 3)
    await desk.becomes(order, OrderStatus.PARTIALLY_FILLED)
    desk.strategy.cancel_order(order)
    await desk.becomes(order, OrderStatus.CANCELED)
    assert desk.names(order) == [*BEGIN, "OrderFilled", "OrderPendingCancel", "OrderCanceled"]
    assert order.filled_qty.as_decimal() == QTY / 3
    await desk.agree()


@pytest.mark.parametrize("pair", EXPIRING, ids=name_of)
async def test_it_expires(desk: Desk, pair: tuple[OrderType, TimeInForce]) -> None:
    order = desk.buy(pair, ticks=-50, secs=0.8)
    await desk.becomes(order, OrderStatus.EXPIRED)
    assert desk.names(order) == [*BEGIN, "OrderExpired"]
    await desk.agree()


@pytest.mark.parametrize("pair", IMMEDIATE, ids=name_of)
async def test_what_cannot_trade_at_once_is_cancelled(desk: Desk, pair: tuple[OrderType, TimeInForce]) -> None:
    order = desk.buy(pair, ticks=-50, trigger=20)
    if pair[0] in STOPS:
        await desk.becomes(order, OrderStatus.ACCEPTED)
        desk.trigger()
    await desk.becomes(order, OrderStatus.CANCELED)
    assert "OrderFilled" not in desk.names(order)
    await desk.agree()
