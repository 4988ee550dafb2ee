"""The rest of the world in the demonstration: a market that moves a little, takers, and an outage.

It plays at the venues only, through the simulations' own controls, and learns what there is from their ledgers.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.cli.demo_board import Board
from nautilus_orderfeeds.cli.demo_strategy import DemoStrategy, Scene
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.sim.model import Product, Side, SimOrder
from nautilus_orderfeeds.sim.simulation import Simulation

_STEP_SECS: Final = 0.25
_LOOK_SECS: Final = 0.02
#: How long the venues are gone.
_OUTAGE_SECS: Final = 2.0
_TETHER_TICKS: Final = 30
_PASSIVE_TICKS: Final = 120


class Stage(Struct, frozen=True):
    """One venue of the demonstration: its simulation, the product traded there, and who trades it."""

    name: str
    sim: Simulation
    product: Product
    strategy: DemoStrategy


def tether_ticks(product: Product) -> int:
    """Return how far the market may wander from where it began, ticks."""
    return max(1, min(_TETHER_TICKS, _share(product, Decimal("0.02"))))


def passive_ticks(product: Product) -> int:
    """Return how far from the best price an order is out of reach of the wandering market, ticks."""
    return max(3, min(_PASSIVE_TICKS, _share(product, Decimal("0.15"))))


def _share(product: Product, share: Decimal) -> int:
    return int((product.mid * share / product.tick).to_integral_value(ROUND_FLOOR))


class Director:
    """Plays the world.

    Parameters
    ----------
    stages : Sequence[Stage]
        The venues.
    board : Board
        Where it says what it does.
    """

    def __init__(self, stages: Sequence[Stage], board: Board) -> None:
        self._stages = stages
        self._board = board

    @contextlib.asynccontextmanager
    async def market(self) -> AsyncIterator[None]:
        """Let every market move while the block runs, but never so far that it meets the orders at rest."""
        task = asyncio.create_task(self._wander(), name="demo market")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def play(self) -> None:
        """Fill the resting orders in parts, then cause the outage; returns when the venues are back."""
        await asyncio.gather(*(self._fill_in_parts(stage) for stage in self._stages))
        await self._outage()

    async def _wander(self) -> None:
        while True:
            await asyncio.sleep(_STEP_SECS)
            for stage in self._stages:
                market, product = stage.sim.market, stage.product
                market.step()
                away = market.flow.mid(product.symbol) - product.mid
                if abs(away) > tether_ticks(product) * product.tick:
                    market.set_mid(product.symbol, product.mid)

    async def _until(self, stage: Stage, scene: Scene, ready: Callable[[], bool]) -> bool:
        """Wait for a scene and what belongs to it; False if the strategy went past it."""
        order = list(Scene)
        while stage.strategy.scene is not scene or not ready():
            if order.index(stage.strategy.scene) > order.index(scene):
                return False
            await asyncio.sleep(_LOOK_SECS)
        return True

    def _resting(self, stage: Stage) -> list[SimOrder]:
        return stage.sim.ledger.orders(product=stage.product.symbol, is_open=True)

    async def _fill_in_parts(self, stage: Stage) -> None:
        if not await self._until(stage, Scene.PARTIAL, lambda: bool(self._resting(stage))):
            return
        (order,) = self._resting(stage)[:1]
        # An all-or-none order takes nothing less than all.
        parts = [order.quantity] if order.all_or_none else [order.quantity / 4, order.quantity / 2]
        for part in parts:
            await asyncio.sleep(_STEP_SECS)
            self._hit(stage, order, part)

    def _hit(self, stage: Stage, order: SimOrder, size: Decimal, note: str = "") -> None:
        """Let somebody trade `size` at the price of a resting order."""
        assert order.price is not None
        stage.sim.market.trade(stage.product.symbol, order.price, size, order.side.opposite)
        what = f"somebody trades {plain(size)} at {plain(order.price)}{note}"
        self._board.say(stage.name, what, "blue")

    async def _outage(self) -> None:
        ready = [await self._until(stage, Scene.OUTAGE, lambda: True) for stage in self._stages]
        stages = [stage for stage, is_ready in zip(self._stages, ready, strict=True) if is_ready]
        if not stages:
            return
        for stage in stages:
            self._board.say(stage.name, "the venue resets every connection and is gone", "bold red")
            stage.sim.disconnect_all(abort=True)
            stage.sim.pause()
        await asyncio.sleep(_OUTAGE_SECS / 2)
        for stage in stages:
            self._trade_unheard(stage)
        await asyncio.sleep(_OUTAGE_SECS / 2)
        for stage in stages:
            await stage.sim.resume()
            self._board.say(stage.name, "the venue is back", "bold green")

    def _trade_unheard(self, stage: Stage) -> None:
        """Fill the bid in two parts and a third of the offer, while nobody can be told."""
        note = ", and nobody can be told"
        for order in self._resting(stage):
            third = order.quantity / 3
            if order.all_or_none:
                parts = [order.quantity]
            elif order.side is Side.BUY:
                parts = [third, order.quantity - third]
            else:
                parts = [third]
            for part in parts:
                self._hit(stage, order, part, note)
