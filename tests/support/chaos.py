"""Seeded chaos: a strategy that trades at random while the venue's faults strike, then the books are compared."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.identifiers import AccountId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.cli.compare import Comparison, compare
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.faults import Fault
from tests.support.nodes import Run, node_config, running_node

CONVERGE_SECS = 25.0


@dataclass(frozen=True)
class Chaos:
    """What is needed to let chaos loose on one venue."""

    venue: str
    name: str
    symbol: str
    quantity: str
    exec_factory: Any
    #: Frames and REST calls the faults may hit.
    frames: str
    rest: tuple[Fault, ...]
    #: Allowed difference per unit of an order's notional where fills had to be inferred (quote units).
    price_tolerance: Decimal
    sim_options: dict[str, Any] = field(default_factory=dict)
    exec_options: dict[str, Any] = field(default_factory=dict)
    #: Kinds of orders the venue takes: each makes (order factory, instrument, side, price) -> order.
    kinds: tuple[str, ...] = ("limit", "post_only", "ioc", "fok", "market")
    #: The calls that create and cancel orders, as the faults know them.
    creates: str = "POST*"
    cancels: str = "DELETE*"
    #: An order whose creation was cut off may stay in flight for good: the venue cannot be asked for it.
    may_stay_open: bool = False
    #: Whether the venue tells balances (else the framework calculates them from the fills, as it heard of them).
    balances: bool = True
    #: What the simulation calls the instrument, if not `symbol`.
    product: str = ""
    #: No order is sent while one with the very same terms has not been answered: where an order without an answer is
    #: bound by a unique match of its terms, two such ones rightly stay in flight.
    distinct: bool = False
    #: Orders are also changed: a buy's price up, a sell's down, the quantity up (some venues allow only that).
    amends: bool = False

    @property
    def instrument_id(self) -> InstrumentId:
        return InstrumentId.from_str(f"{self.symbol}.{self.name}")


class ChaosStrategyConfig(StrategyConfig, frozen=True):
    """Which instrument, how much, which kinds of orders."""

    instrument_id: InstrumentId
    quantity: str
    kinds: tuple[str, ...]
    amends: bool = False
    distinct: bool = False


class ChaosStrategy(Strategy):
    """Places, cancels and modifies at random when told to act; decides nothing by itself."""

    def __init__(self, config: ChaosStrategyConfig, rng: random.Random) -> None:
        super().__init__(config)
        self._rng = rng

    def act(self, bid: Decimal, ask: Decimal) -> None:
        """Do one random thing around the venue's present best prices."""
        rng, instrument = self._rng, self.cache.instrument(self.config.instrument_id)
        mine = [o for o in self.cache.orders_open(strategy_id=self.id) if not o.is_pending_cancel]
        chance = rng.random()
        if mine and chance < 0.25:
            self.cancel_order(rng.choice(mine))
            return
        if chance < 0.30:
            self.cancel_all_orders(self.config.instrument_id)
            return
        if mine and self.config.amends and chance < 0.40:
            self._amend(rng.choice(mine), instrument)
            return
        side = rng.choice([OrderSide.BUY, OrderSide.SELL])
        size = instrument.make_qty(Decimal(self.config.quantity) * rng.randint(1, 6))
        tick = instrument.price_increment.as_decimal()
        kind = rng.choice(self.config.kinds)
        passive, crossing = (bid, ask) if side == OrderSide.BUY else (ask, bid)
        away = tick * rng.randint(0, 4) * (-1 if side == OrderSide.BUY else 1)
        factory, iid = self.order_factory, self.config.instrument_id
        match kind:
            case "market":
                order = factory.market(iid, side, size, time_in_force=TimeInForce.IOC)
            case "market_gtc":
                order = factory.market(iid, side, size)
            case "market_by_amount":  # of quote currency, which only a buy can spend
                amount = instrument.make_qty(round(size.as_decimal() * ask, 2))
                buys = side == OrderSide.BUY
                order = factory.market(iid, side, amount if buys else size, quote_quantity=buys)
            case "crossing":
                order = factory.limit(iid, side, size, instrument.make_price(crossing))
            case "ioc":
                order = factory.limit(iid, side, size, instrument.make_price(crossing), TimeInForce.IOC)
            case "fok":
                order = factory.limit(iid, side, size, instrument.make_price(crossing), TimeInForce.FOK)
            case "post_only":
                price = instrument.make_price(rng.choice([passive + away, crossing]))
                order = factory.limit(iid, side, size, price, post_only=True)
            case _:
                order = factory.limit(iid, side, size, instrument.make_price(passive + away))
        if not (self.config.distinct and self._is_like_one_in_flight(order)):
            self.submit_order(order)

    def _is_like_one_in_flight(self, order: Any) -> bool:
        def terms(each: Any) -> tuple[Any, ...]:
            price = each.price if each.has_price else None
            return each.order_type, each.side, each.init_event.quantity, price

        waiting = self.cache.orders(strategy_id=self.id)
        return any(o.venue_order_id is None and not o.is_closed and terms(o) == terms(order) for o in waiting)

    def _amend(self, order: Any, instrument: Any) -> None:
        if not order.has_price or order.is_pending_update:
            return
        step = instrument.price_increment.as_decimal() * self._rng.randint(1, 3)
        price = order.price.as_decimal() + (step if order.side == OrderSide.BUY else -step)
        self.modify_order(order, instrument.make_qty(order.quantity.as_decimal() * 2), instrument.make_price(price))


def _settings(fault: Fault) -> dict[str, float]:
    """A 429 says when to come back: without that, the route rests for longer than the chaos lasts."""
    return {"retry_after": 0.2} if fault is Fault.RATE_LIMIT else {}


def arm(sim: Any, chaos: Chaos, rng: random.Random) -> list[str]:
    """Arm two to four kinds of faults; return their names for the failure message."""
    menu: list[tuple[Fault, Callable[[], None]]] = [
        (Fault.DROP, lambda: sim.faults.arm(Fault.DROP, where=chaos.frames, probability=0.15)),
        (Fault.DOUBLE, lambda: sim.faults.arm(Fault.DOUBLE, where=chaos.frames, probability=0.3)),
        (Fault.REORDER, lambda: sim.faults.arm(Fault.REORDER, where=chaos.frames, probability=0.3, depth=2)),
        (Fault.DELAY, lambda: sim.faults.arm(Fault.DELAY, where=chaos.frames, probability=0.2, secs=0.1)),
        (Fault.GARBAGE, lambda: sim.faults.arm(Fault.GARBAGE, where=chaos.frames, probability=0.1)),
        (Fault.RESET, lambda: sim.faults.arm(Fault.RESET, where=chaos.frames, probability=0.05)),
        (Fault.HALF_OPEN, lambda: sim.faults.arm(Fault.HALF_OPEN, where=chaos.frames, probability=0.03, times=1)),
        (Fault.STALE_SNAPSHOT, lambda: sim.faults.arm(Fault.STALE_SNAPSHOT, probability=0.5, times=4, lag=3)),
    ]
    menu += [
        (fault, lambda f=fault: sim.faults.arm(f, where=chaos.creates, probability=0.15, **_settings(f)))
        for fault in chaos.rest
    ]
    menu += [
        (fault, lambda f=fault: sim.faults.arm(f, where=chaos.cancels, probability=0.2)) for fault in chaos.rest[:2]
    ]
    chosen = rng.sample(menu, rng.randint(2, 4))
    for _, do in chosen:
        do()
    return [fault.name for fault, _ in chosen]


async def run_seed(
    chaos: Chaos, seed: int, *, acts: int = 25, pause_secs: float = 0.05
) -> tuple[Comparison, list[str]]:
    """Trade for a while under faults, calm down, and compare; return the comparison and the faults armed."""
    rng = random.Random(f"{chaos.venue}|chaos|{seed}")
    async with simulate(chaos.venue, seed=seed, tick_secs=0.05, **chaos.sim_options) as sim:
        config = sim.exec_config(
            settle_secs=0.3,
            audit_interval_secs=0.5,
            stale_after_secs=0.8,
            account_poll_secs=0.5,
            request_timeout_secs=2.0,
            **chaos.exec_options,
        )
        strategy = ChaosStrategy(
            ChaosStrategyConfig(
                instrument_id=chaos.instrument_id,
                quantity=chaos.quantity,
                kinds=chaos.kinds,
                amends=chaos.amends,
                distinct=chaos.distinct,
            ),
            rng,
        )
        node = node_config({chaos.name: config}, inflight_check_interval_ms=0)
        async with running_node(node, exec_factories={chaos.name: chaos.exec_factory}, strategies=(strategy,)) as run:
            armed = arm(sim, chaos, rng)
            symbol = chaos.product or chaos.symbol
            for n in range(acts * 4):
                if n >= acts and sim.ledger.orders():
                    break  # chaos may hold up every order for a while: then it goes on until one has come through
                bid, ask = sim.market.best(symbol)
                if bid is not None and ask is not None:
                    strategy.act(bid, ask)
                await asyncio.sleep(pause_secs * rng.random() * 2)
            strategy.cancel_all_orders(chaos.instrument_id)
            await asyncio.sleep(0.1)
            sim.faults.calm()
            sim.stop_flow()
            lost = chaos.may_stay_open or "ERROR_BEFORE_EFFECT" in armed or "RATE_LIMIT" in armed
            return await converge(sim, run, chaos, lost=lost), armed


async def converge(sim: Any, run: Run, chaos: Chaos, *, lost: bool) -> Comparison:
    """Compare again and again until both sides agree and stay so, or time is up; return the last comparison."""
    account = AccountId(f"{chaos.name}-001")
    agreed = 0
    deadline = asyncio.get_running_loop().time() + CONVERGE_SECS
    while True:
        comparison = compare(
            sim,
            run.cache,
            chaos.name,
            account,
            price_tolerance=chaos.price_tolerance,
            unresolved_ok=lost,
            balances=chaos.balances,
        )
        agreed = 0 if comparison.differences else agreed + 1
        if agreed >= 2 or asyncio.get_running_loop().time() > deadline:
            return comparison
        await asyncio.sleep(0.3)
