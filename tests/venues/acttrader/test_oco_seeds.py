"""Pairs, brackets and changes among plain orders while the faults of a seed strike: the books agree in the end."""

import asyncio
import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import ContingencyType, OrderSide
from nautilus_trader.model.identifiers import ClientOrderId, OrderListId
from nautilus_trader.model.orders import LimitOrder, OrderList, StopMarketOrder

from nautilus_orderfeeds.adapter.contingency import is_held
from nautilus_orderfeeds.orders.state import Placement
from nautilus_orderfeeds.sim import simulate
from tests.support.chaos import ChaosStrategy, ChaosStrategyConfig, arm, converge
from tests.support.chaos_venues import ACTTRADER_DRAFT, ACTTRADER_FINAL
from tests.support.nodes import node_config, running_node

SEEDS = 4
VENUES = {
    "draft": replace(ACTTRADER_DRAFT, amends=True, kinds=("limit", "crossing")),
    "final": replace(ACTTRADER_FINAL, amends=True, kinds=("limit", "crossing")),
}


class ListStrategy(ChaosStrategy):
    """Every third time a pair or a bracket around the market."""

    def __init__(self, config: ChaosStrategyConfig, rng: random.Random) -> None:
        super().__init__(config, rng)
        self.lists = 0

    def act(self, bid: Decimal, ask: Decimal) -> None:
        chance = self._rng.random()
        if chance > 0.35:
            super().act(bid, ask)
            return
        self.lists += 1
        instrument = self.cache.instrument(self.config.instrument_id)
        tick = instrument.price_increment.as_decimal()
        near = tick * self._rng.randint(1, 6)
        pair = [
            self._exit_limit("A", OrderSide.SELL, ask + near, ContingencyType.OCO, linked="B"),
            self._exit_stop("B", OrderSide.SELL, bid - near, ContingencyType.OCO, linked="A"),
        ]
        if chance > 0.15:
            orders = pair
        else:
            entry = self._exit_limit("E", OrderSide.BUY, self._rng.choice([bid, ask]), ContingencyType.OTO)
            orders = [
                entry,
                self._exit_limit("A", OrderSide.SELL, ask + near, ContingencyType.OUO, linked="B", parent="E"),
                self._exit_stop("B", OrderSide.SELL, bid - near, ContingencyType.OUO, linked="A", parent="E"),
            ]
        self.submit_order_list(OrderList(OrderListId(f"OL-{self.lists}"), orders))

    def _leg_terms(
        self, name: str, side: OrderSide, contingency: ContingencyType, linked: str, parent: str
    ) -> dict[str, Any]:
        instrument = self.cache.instrument(self.config.instrument_id)
        named = {key: ClientOrderId(f"L{self.lists}-{key}") for key in "ABE"}
        return {
            "trader_id": self.trader_id,
            "strategy_id": self.id,
            "instrument_id": self.config.instrument_id,
            "client_order_id": named[name],
            "order_side": side,
            "quantity": instrument.make_qty(Decimal(self.config.quantity)),
            "init_id": UUID4(),
            "ts_init": self.clock.timestamp_ns(),
            "contingency_type": contingency,
            "order_list_id": OrderListId(f"OL-{self.lists}"),
            "linked_order_ids": [named[linked]] if linked else [named["A"], named["B"]],
            "parent_order_id": named[parent] if parent else None,
        }

    def _exit_limit(
        self,
        name: str,
        side: OrderSide,
        price: Decimal,
        contingency: ContingencyType,
        *,
        linked: str = "",
        parent: str = "",
    ) -> Any:
        instrument = self.cache.instrument(self.config.instrument_id)
        return LimitOrder(
            **self._leg_terms(name, side, contingency, linked, parent), price=instrument.make_price(price)
        )

    def _exit_stop(
        self,
        name: str,
        side: OrderSide,
        trigger: Decimal,
        contingency: ContingencyType,
        *,
        linked: str = "",
        parent: str = "",
    ) -> Any:
        instrument = self.cache.instrument(self.config.instrument_id)
        terms = self._leg_terms(name, side, contingency, linked, parent)
        return StopMarketOrder(**terms, trigger_price=instrument.make_price(trigger), trigger_type=1)


@pytest.mark.node
@pytest.mark.timeout(90)
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("dialect", list(VENUES))
async def test_cache_equals_ledger_after_faults(dialect: str, seed: int) -> None:
    chaos = VENUES[dialect]
    rng = random.Random(f"acttrader|lists|{dialect}|{seed}")
    options = {**chaos.sim_options, "oco_status": rng.choice(["REJECTED", "CANCELED"])}
    async with simulate("acttrader", seed=seed, tick_secs=0.05, **options) as sim:
        config = sim.exec_config(
            settle_secs=0.3,
            audit_interval_secs=0.5,
            stale_after_secs=0.8,
            request_timeout_secs=2.0,
            **{**chaos.exec_options, "aon_for_gtc": True},
        )
        settings = ChaosStrategyConfig(
            instrument_id=chaos.instrument_id, quantity=chaos.quantity, kinds=chaos.kinds, amends=True
        )
        strategy = ListStrategy(settings, rng)
        node = node_config({chaos.name: config}, inflight_check_interval_ms=0)
        async with running_node(node, exec_factories={chaos.name: chaos.exec_factory}, strategies=(strategy,)) as run:
            armed = arm(sim, chaos, rng)
            lists = rng.choice(["neworderoco", "modifyordersingle"])
            sim.faults.arm(chaos.rest[0], where=f"WS {lists}", probability=0.2)
            for _ in range(30):
                bid, ask = sim.market.best(chaos.symbol)
                if bid is not None and ask is not None:
                    strategy.act(bid, ask)
                await asyncio.sleep(0.1 * rng.random())
            strategy.cancel_all_orders(chaos.instrument_id)
            await asyncio.sleep(0.1)
            sim.faults.calm()
            sim.stop_flow()
            comparison = await converge(sim, run, chaos, lost=True)
            assert strategy.lists > 3
            assert comparison.orders > 0
            assert not comparison.differences, f"faults {armed} and {lists}: {comparison.differences}"

            def kept_too_long() -> list[Any]:
                held = [o for o in run.cache.orders_open() if is_held(o.venue_order_id.value) and not was_sent(o)]
                return [o for o in held if not run.cache.order(o.parent_order_id).is_open]

            def was_sent(order: Any) -> bool:
                """Whether it has gone out. In the draft, one that never arrived stays in flight, as its page says."""
                tracked = run.exec_client(chaos.name)._tracker.get(order.client_order_id.value)
                return tracked.state.placement is not Placement.HELD

            await run.until(lambda: not kept_too_long(), lambda: f"children to go out or end: {kept_too_long()}")
