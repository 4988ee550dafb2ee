"""Creates that were not answered, in a running node: what settles them, and what stays open and is said so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import AccountId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.sim import Fault, Side, simulate
from nautilus_orderfeeds.venues.roxom import RoxomLiveExecClientFactory
from tests.support.nodes import Run, node_config, running_node

pytestmark = [pytest.mark.node, pytest.mark.timeout(60)]

GOLD = "GOLD-BTC"
IID = InstrumentId.from_str(f"{GOLD}.ROXOM")
TICK = Decimal("0.000001")
QTY = Decimal("0.05")
CREATE = "POST /v1/orders"


class Desk:
    """A strategy in a node at a simulated venue whose market stands still."""

    def __init__(self, sim: Any, run: Run, strategy: Strategy) -> None:
        self.sim, self.run, self.strategy = sim, run, strategy
        self.bid, self.ask = sim.market.best(GOLD)

    def buy(self, ticks: int = -20) -> Any:
        """Submit a buy so many ticks from the best bid."""
        instrument = self.run.cache.instrument(IID)
        price = instrument.make_price(self.bid + ticks * TICK)
        order = self.strategy.order_factory.limit(IID, OrderSide.BUY, instrument.make_qty(QTY), price)
        self.strategy.submit_order(order)
        return order

    async def cut_off(self, fault: Fault, ticks: int = -20) -> Any:
        """Submit a buy whose create suffers `fault`."""
        before = len(self.creates)
        self.sim.faults.once(fault, where=CREATE)
        order = self.buy(ticks)
        await self.run.until(lambda: len(self.creates) > before, "the create")
        await asyncio.sleep(0.05)
        return order

    @property
    def creates(self) -> list[Any]:
        return [call for call in self.sim.requests if call.path == "/v1/orders" and call.method == "POST"]

    def differences(self) -> list[Any]:
        found = compare(self.sim, self.run.cache, "ROXOM", AccountId("ROXOM-001"), unresolved_ok=True)
        return found.differences

    async def agree(self) -> None:
        await self.run.until(lambda: not self.differences(), lambda: f"agreement, not {self.differences()}", 15.0)


@asynccontextmanager
async def desk_at(sim: Any, **options: Any) -> AsyncIterator[Desk]:
    """Open one at a simulated venue."""
    strategy = Strategy(StrategyConfig())
    fields = {"requests_per_sec": 500, "audit_interval_secs": 0.5, "request_timeout_secs": 1.0, **options}
    async with running_node(
        node_config({"ROXOM": sim.exec_config(**fields)}, inflight_check_interval_ms=0),
        exec_factories={"ROXOM": RoxomLiveExecClientFactory},
        strategies=(strategy,),
    ) as run:
        yield Desk(sim, run, strategy)


@asynccontextmanager
async def desk(**options: Any) -> AsyncIterator[Desk]:
    """Open one at a simulated venue of its own."""
    async with simulate("roxom", seed=5, market_flow=False) as sim, desk_at(sim, **options) as at:
        yield at


async def test_orders_alike_that_were_all_cut_off_are_all_found() -> None:
    """Within the default window of 25 s there is no telling by the time alone; their number settles it."""
    async with desk() as at:
        orders = [await at.cut_off(Fault.LOST_ANSWER) for _ in range(3)]
        await at.run.until(lambda: all(order.status == OrderStatus.ACCEPTED for order in orders), "all to be found")
        told = [order.venue_order_id.value for order in orders]
        assert told == [order.venue_order_id for order in at.sim.ledger.orders()]
        at.strategy.cancel_order(orders[1])
        await at.run.until(lambda: orders[1].is_closed, "the cancel")
        at.sim.market.trade(GOLD, at.bid - 20 * TICK, 2 * QTY)
        await at.run.until(lambda: orders[0].is_closed and orders[2].is_closed, "the fills")
        await at.agree()


async def test_of_orders_alike_one_that_was_never_received_stays_in_flight() -> None:
    async with desk() as at:
        lost = await at.cut_off(Fault.ERROR_BEFORE_EFFECT)
        await asyncio.sleep(0.2)
        cut_off = await at.cut_off(Fault.LOST_ANSWER)
        await at.run.until(lambda: cut_off.status == OrderStatus.ACCEPTED, "the one that was received")
        at.sim.market.trade(GOLD, at.bid - 20 * TICK, QTY)
        await at.run.until(lambda: cut_off.status == OrderStatus.FILLED, "its fill")
        assert lost.status == OrderStatus.SUBMITTED
        await at.agree()


async def test_an_order_alike_of_somebody_else_leaves_it_open_and_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """Which of the two is whose nobody can know: nothing is told of either, and nothing is made up."""

    def errors() -> list[str]:
        return [record.getMessage() for record in caplog.records if "may be another's" in record.getMessage()]

    async with desk() as at:
        at.sim.faults.arm(Fault.DROP, where="order*")
        at.sim.faults.once(Fault.LOST_ANSWER, where=CREATE)
        order = at.buy()
        await at.run.until(lambda: len(at.creates) == 1, "the create")
        at.sim.place_external(GOLD, side=Side.BUY, size=QTY, price=at.bid - 20 * TICK)
        await at.run.until(errors, "the error")
        await asyncio.sleep(1.2)
        assert order.status == OrderStatus.SUBMITTED
        assert len(errors()) == 1
        assert order.client_order_id.value in errors()[0]
        assert all(known.venue_order_id in errors()[0] for known in at.sim.ledger.orders())


async def test_an_order_that_was_never_received_does_not_hide_what_others_do() -> None:
    async with desk() as at:
        order = await at.cut_off(Fault.ERROR_BEFORE_EFFECT)
        at.sim.place_external(GOLD, side=Side.SELL, size=QTY, price=at.ask + 20 * TICK)
        at.sim.place_external("OIL-BTC", side=Side.BUY, size=QTY, price=at.sim.market.best("OIL-BTC")[0] - 20 * TICK)
        await at.run.until(lambda: len(at.run.cache.orders_open(venue=IID.venue)) == 2, "the external orders")
        assert order.status == OrderStatus.SUBMITTED


async def test_after_a_time_of_ones_own_choice_it_counts_as_never_received() -> None:
    async with desk(absent_after_secs=1.0) as at:
        order = await at.cut_off(Fault.ERROR_BEFORE_EFFECT)
        await at.run.until(lambda: order.status == OrderStatus.REJECTED, "the rejection", 15.0)
        assert at.sim.ledger.orders() == []


async def test_after_a_restart_an_order_alike_of_the_run_before_is_not_taken_for_it(tmp_path: Path) -> None:
    """The first was answered and has filled before the restart, so nobody asks for it any more; the second was cut."""
    journal = str(tmp_path / "journal.sqlite")
    async with simulate("roxom", seed=5, market_flow=False) as sim:
        async with desk_at(sim, journal=journal) as at:
            first = at.buy(ticks=0)
            await at.run.until(lambda: first.status == OrderStatus.ACCEPTED, "the first")
            sim.market.trade(GOLD, at.bid, QTY)
            await at.run.until(lambda: first.status == OrderStatus.FILLED, "its fill")
            sim.faults.arm(Fault.ERROR_BEFORE_EFFECT, where="GET /v1/orders*")  # or it would be found at once
            sim.faults.arm(Fault.DROP, where="order*")
            second = await at.cut_off(Fault.LOST_ANSWER, ticks=0)
            assert second.status == OrderStatus.SUBMITTED
        sim.faults.calm()
        sim.market.trade(GOLD, at.bid, QTY)
        async with desk_at(sim, journal=journal) as at:
            await at.run.until(
                lambda: at.run.cache.order(second.client_order_id).status == OrderStatus.FILLED, "the second's fill"
            )
            orders = [at.run.cache.order(one.client_order_id) for one in (first, second)]
            told = [order.venue_order_id.value for order in orders]
            assert told == [order.venue_order_id for order in sim.ledger.orders()]
            await at.agree()
