"""One recorded market, played to a strategy twice: in a `BacktestEngine`, and live against a simulated venue.

A market is a list of steps, in ticks from where the venue's product starts, so one list serves every venue. Each step
is played alike on both sides: first the venue's book moves and orders that were in the way fill, then the strategy
hears of the new best prices, then everything that follows runs its course. Live, the quote is held back until the fills
before it have been told, and the next step waits until framework and venue agree. So no result depends on time.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, AggressorSide
from nautilus_trader.model.events import OrderEvent
from nautilus_trader.model.identifiers import ClientId

from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.sim import Side, Simulation, simulate
from nautilus_orderfeeds.sim.flow import MAKER, TAKER
from nautilus_orderfeeds.sim.model import Product, SimOrder, TimeInForce
from tests.support.backtests import Backtest
from tests.support.nodes import Run, node_config, running_node
from tests.support.profiles import VenueProfile

#: More than any strategy of a test takes, in multiples of its unit.
DEEP = 1000
#: How far the second level of the book is from the best one, ticks.
_BEHIND = 3


@dataclass(frozen=True)
class Move:
    """The best prices become these, ticks from the start.

    `prints`: and somebody trades between them. `thin`: only one unit is there at the best prices, the rest of the book
    is three ticks behind.
    """

    bid: int
    ask: int
    prints: bool = False
    thin: bool = False


@dataclass(frozen=True)
class Hit:
    """Somebody sells (buys) `parts` units at a price, ticks from the start, to (from) orders resting there."""

    price: int
    parts: int
    aggressor: Side = Side.SELL


Step = Move | Hit


def moves(*bids: int, spread: int = 2) -> list[Step]:
    """Return moves of a market with an even spread, ticks."""
    return [Move(bid, bid + spread) for bid in bids]


@dataclass
class Played:
    """What came of it.

    Attributes
    ----------
    events : list of (role, OrderEvent)
        Every order event, with the tag of its order.
    cache : Cache
        The framework's, at the end.
    foreign_tops : list[str]
        Live only: quotes whose best price was not the market's but the strategy's own.
    """

    events: list[tuple[str, OrderEvent]]
    cache: Any
    foreign_tops: list[str] = field(default_factory=list)
    instrument: Any = None
    balances: tuple[str, ...] = ()
    errors: list[str] = field(default_factory=list)


def role_of(cache: Any, event: OrderEvent) -> str:
    """What an order is for: its tag."""
    order = cache.order(event.client_order_id)
    tags = order.tags if order is not None else None
    return tags[0] if tags else ""


# -- live ------------------------------------------------------------------------------------------------------------


class Gate:
    """Holds back what the data client says until the test lets the last quote through."""

    def __init__(self, client: Any) -> None:
        self._pass_on = client._handle_data
        self.held: QuoteTick | None = None
        client._handle_data = self._take

    def _take(self, data: Any) -> None:
        if isinstance(data, QuoteTick):
            self.held = data
        else:
            self._pass_on(data)

    def release(self) -> None:
        """Let the last quote through."""
        quote, self.held = self.held, None
        self._pass_on(quote)


class Stage:
    """A node with strategies at a simulated venue whose market the test moves."""

    def __init__(self, profile: VenueProfile, sim: Simulation, run: Run, gate: Gate, unit: Decimal) -> None:
        self.profile = profile
        self.sim = sim
        self.run = run
        self.gate = gate
        self.unit = unit
        self.product: Product = sim.market.product(profile.product)
        self.foreign_tops: list[str] = []
        self._quotes: list[SimOrder] = []
        self._posted = 0
        self._last: Move | None = None
        sim.market.flow.pull(profile.product)

    def price(self, ticks: int) -> Decimal:
        return self.product.mid + ticks * self.product.tick

    async def play(self, step: Step) -> None:
        """Play a step and all that follows from it."""
        match step:
            case Move():
                self.post(step)
                await self.settled()
                await self.quoted(step)
                self._last = step
            case Hit():
                # The market's own quotes are no obstacle between the hit and the orders it is for.
                self._pull()
                self._submit(TAKER, step.aggressor, step.parts * self.unit, step.price, TimeInForce.IOC)
                if self._last is not None:
                    self.post(self._last)
        await self.settled()

    async def settled(self) -> None:
        """Wait until no request is open and framework and venue agree, and it stays so."""
        calm = 0
        told = ""

        def agreed() -> bool:
            nonlocal calm, told
            orders = self.run.cache.orders()
            waiting = [o.client_order_id.value for o in orders if o.is_inflight or o.is_active_local]
            found = compare(
                self.sim, self.run.cache, self.profile.venue, self.profile.account_id, balances=False
            ).differences
            told = f"waiting: {waiting}, different: {[(row.what, row.venue, row.framework) for row in found]}"
            calm = 0 if waiting or found else calm + 1
            return calm > 3

        await self.run.until(agreed, lambda: f"framework and venue to agree; {told}", 15.0)

    def post(self, move: Move) -> None:
        """Let the market stand at these prices; nobody is told but by the venue itself."""
        market, symbol = self.sim.market, self.profile.product
        self._pull()
        for side, ticks in ((Side.BUY, move.bid), (Side.SELL, move.ask)):
            best = 1 if move.thin else DEEP
            self._quotes.append(self._submit(MAKER, side, self.unit * best, ticks, TimeInForce.GTC))
            behind = ticks - _BEHIND * side.sign
            self._quotes.append(self._submit(MAKER, side, self.unit * DEEP, behind, TimeInForce.GTC))
        market.set_mark(symbol, self._middle(move))
        if move.prints:
            market.trade(symbol, self._middle(move), self.product.min_size, Side.BUY)

    def _pull(self) -> None:
        for quote in self._quotes:
            self.sim.market.cancel(quote)
        self._quotes.clear()

    def _submit(self, account: str, side: Side, size: Decimal, ticks: int, force: TimeInForce) -> SimOrder:
        self._posted += 1
        order = SimOrder(
            f"recorded-{self._posted}",
            account,
            self.profile.product,
            side,
            size,
            self.price(ticks),
            time_in_force=force,
        )
        self.sim.market.submit(order)
        return order

    def _middle(self, move: Move) -> Decimal:
        return (self.price(move.bid) + self.price(move.ask)) / 2

    async def quoted(self, move: Move) -> None:
        """Wait until the data client has the venue's best prices, and let the strategy have them."""
        best = self.sim.market.best(self.profile.product)

        def arrived() -> bool:
            held = self.gate.held
            return held is not None and (held.bid_price.as_decimal(), held.ask_price.as_decimal()) == best

        await self.run.until(arrived, lambda: f"the quote {best}, but there is {self.gate.held}", 15.0)
        if best != (self.price(move.bid), self.price(move.ask)):
            self.foreign_tops.append(f"{move}: {best}")
        self.gate.release()


@asynccontextmanager
async def live_stage(
    profile: VenueProfile, *strategies: Any, sim_options: dict[str, Any] | None = None
) -> AsyncIterator[Stage]:
    """Run strategies live at a simulated venue with a market of their own."""
    options = {**profile.sim_options, **(sim_options or {})}
    async with simulate(profile.name, seed=7, market_flow=False, **options) as sim:
        config = node_config(
            {profile.venue: sim.exec_config(**profile.exec_options)},
            {profile.venue: sim.data_config(**profile.data_options)},
        )
        gates: list[Gate] = []
        async with running_node(
            config,
            exec_factories={profile.venue: profile.exec_factory},
            data_factories={profile.venue: profile.data_factory},
            strategies=strategies,
            prepare=lambda node: gates.append(Gate(node.kernel.data_engine._clients[ClientId(profile.venue)])),
        ) as run:
            yield Stage(profile, sim, run, gates[0], Decimal(profile.qty) / profile.parts)


async def play_live(
    profile: VenueProfile, steps: Sequence[Step], *strategies: Any, sim_options: dict[str, Any] | None = None
) -> Played:
    """Play a market to strategies live, then stop them in their sequence."""
    async with live_stage(profile, *strategies, sim_options=sim_options) as stage:
        account = stage.run.cache.account(profile.account_id)
        balances = tuple(str(money) for money in account.balances_total().values())
        for step in steps:
            await stage.play(step)
        for strategy in strategies:
            strategy.stop()
            await asyncio.sleep(0)
        await stage.settled()
        cache = stage.run.cache
        return Played(
            [(role_of(cache, event), event) for event in stage.run.order_events()],
            cache,
            stage.foreign_tops,
            cache.instrument(profile.instrument_id),
            balances,
            stage.run.log.entries("ERROR"),
        )


# -- backtest --------------------------------------------------------------------------------------------------------


def play_backtest(
    profile: VenueProfile, live: Played, steps: Sequence[Step], *strategies: Any, product: Product, **venue: Any
) -> Played:
    """Play the same market in a `BacktestEngine` with the same instrument, balances and kind of account."""
    unit = Decimal(profile.qty) / profile.parts
    run = Backtest(
        live.instrument,
        *strategies,
        balances=live.balances,
        account_type=AccountType[profile.door.DOOR.account_type.name],
        **venue,
    )

    def price(ticks: int) -> Decimal:
        return product.mid + ticks * product.tick

    for step in steps:
        match step:
            case Move():
                run.quote(price(step.bid), price(step.ask), unit * (1 if step.thin else DEEP))
            case Hit():
                aggressor = AggressorSide.SELLER if step.aggressor is Side.SELL else AggressorSide.BUYER
                run.trade(price(step.price), step.parts * unit, aggressor)
    run.stop()
    return Played([(role_of(run.cache, event), event) for event in run.events], run.cache)
