"""One acceptance case on stage: a simulated venue, a node that trades there, and the questions every case asks."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, PositionSide, TimeInForce
from nautilus_trader.model.events import OrderDenied, OrderEvent, OrderFilled, OrderModifyRejected
from nautilus_trader.model.identifiers import ClientId
from nautilus_trader.model.objects import Price

from nautilus_orderfeeds.cli.compare import Row, compare
from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.sim import simulate
from tests.support.cases import register
from tests.support.nodes import Run, exec_tester, node_config, running_node
from tests.support.profiles import PROFILES, How, Refusal, VenueProfile
from tests.support.tap import Tap, endow_after_startup

#: What no case may leave in the log, whatever the level.
_FORBIDDEN = re.compile(r"InvalidStateTrigger|Traceback|Invalid state trigger")
OPEN = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


class Scene:
    """A running case.

    Attributes
    ----------
    profile : VenueProfile
    sim : Simulation
    run : Run
    tester, others : ExecTester, list[ExecTester]
        The strategy that trades, and further ones beside it.
    tap : Tap
    expected_errors : list[str]
        Regular expressions of ERROR entries that belong to the case; any other one fails it.
    """

    def __init__(self, profile: VenueProfile, sim: Any, run: Run, testers: list[Any], tap: Tap) -> None:
        self.profile = profile
        self.sim = sim
        self.run = run
        self.tester, *self.others = testers
        self.tap = tap
        self.expected_errors: list[str] = []
        #: Client order ids whose fate may stay open to the end.
        self.unresolved: set[Any] = set()
        #: By how much the average price of fills that had to be inferred may differ from the venue's.
        self.price_tolerance = Decimal(0)
        #: The engine may refuse an event: it had made one up before, and the truth came later (X20 only).
        self.refused_by_engine = False
        self.is_over = False

    # -- the market --------------------------------------------------------------------------------------------------

    @property
    def instrument(self) -> Any:
        return self.run.cache.instrument(self.profile.instrument_id)

    @property
    def tick(self) -> Decimal:
        return self.instrument.price_increment.as_decimal()

    def best(self) -> tuple[Decimal, Decimal]:
        """Best bid and ask of the simulated book."""
        bid, ask = self.sim.market.best(self.profile.product)
        assert bid is not None
        assert ask is not None
        return bid, ask

    def px(self, value: Decimal) -> Price:
        return self.instrument.make_price(value)

    def quote(self, ticks: int = 0) -> None:
        """Let the tester see the simulated market, moved by `ticks`, and keep its orders accordingly."""
        bid, ask = self.best()
        self.tester.maintain_orders(self.px(bid + ticks * self.tick), self.px(ask + ticks * self.tick))

    def quote_across(self) -> None:
        """Let the tester see a market so far away that its limit prices cross the simulated one."""
        bid, ask = self.best()
        away = self.tick * (self.tester.config.tob_offset_ticks + 3)
        self.tester.maintain_orders(self.px(ask + away), self.px(bid - away))

    def fill(self, order: Any, qty: Decimal | str) -> None:
        """Let the background trade `qty` with a resting order of ours, at its price."""
        side = type(self.sim_order(order).side)
        aggressor = side.SELL if order.side == OrderSide.BUY else side.BUY
        self.sim.market.trade(self.profile.product, order.price.as_decimal(), Decimal(qty), aggressor)

    # -- orders ------------------------------------------------------------------------------------------------------

    @property
    def cache(self) -> Any:
        return self.run.cache

    @property
    def client(self) -> Any:
        return self.run.exec_client(self.profile.venue)

    def orders(self) -> list[Any]:
        """The tester's orders, oldest first."""
        mine = self.cache.orders(strategy_id=self.tester.id)
        return sorted(mine, key=lambda order: (order.ts_init, order.client_order_id.value))

    def order(self) -> Any:
        """The tester's only order."""
        (order,) = self.orders()
        return order

    def sim_order(self, order: Any) -> Any:
        """The same order in the venue's ledger."""
        return self.sim.ledger.order(order.venue_order_id.value)

    def limit(self, side: OrderSide = OrderSide.BUY, *, ticks: int = 50, qty: str | None = None, **terms: Any) -> Any:
        """Make a limit order `ticks` away from the best price of its own side (negative: across the market)."""
        price = self.away(side, ticks)
        return self.tester.order_factory.limit(
            self.profile.instrument_id, side, self.instrument.make_qty(qty or self.profile.qty), self.px(price), **terms
        )

    def away(self, side: OrderSide, ticks: int) -> Decimal:
        """Return the price `ticks` away from the best one of `side`, within what the venue takes (`nearer_ticks`)."""
        bid, ask = self.best()
        if ticks > 0:
            ticks = max(ticks - self.profile.nearer_ticks, 1)
        price = bid - ticks * self.tick if side == OrderSide.BUY else ask + ticks * self.tick
        if self.profile.prices is None:
            return price
        lowest, highest = self.profile.prices
        return min(max(price, lowest), highest)

    async def stock_up(self) -> list[Any]:
        """Buy what is to be sold later, where nobody can sell short; return the order, if there is one."""
        if self.profile.endow is None:
            return []
        order = self.limit(ticks=-20, qty=str(10 * Decimal(self.profile.qty)))
        self.submit(order)
        await self.closed(order)
        return [order]

    def market(self, side: OrderSide = OrderSide.BUY, qty: str | None = None, **terms: Any) -> Any:
        """Make a market order; where buys are by amount, one that buys about `qty`."""
        size = Decimal(qty or self.profile.qty)
        if self.profile.amount and side == OrderSide.BUY:
            size, terms = round(size * self.best()[1], 2), {"quote_quantity": True, **terms}
        return self.tester.order_factory.market(
            self.profile.instrument_id, side, self.instrument.make_qty(size), **terms
        )

    def submit(self, *orders: Any, **options: Any) -> None:
        for order in orders:
            self.tester.submit_order(order, **options)

    async def accepted(self, *orders: Any) -> None:
        await self.until(lambda: all(order.status in OPEN for order in orders), "orders to be accepted")

    async def until(self, condition: Callable[[], Any], what: str | Callable[[], str], secs: float = 15.0) -> None:
        await self.run.until(condition, what, secs)

    async def closed(self, *orders: Any) -> None:
        await self.until(
            lambda: all(order.is_closed for order in orders),
            lambda: f"orders to be closed, but they are {[order.status_string() for order in orders]}",
        )

    async def settled(self) -> None:
        """Wait until the venue's answer to every order of the tester is known."""
        await self.until(
            lambda: self.orders() and not any(self._waits(order) for order in self.orders()), "orders to be answered"
        )

    @staticmethod
    def _waits(order: Any) -> bool:
        return bool(order.is_inflight or order.is_active_local)

    def names(self, order: Any) -> list[str]:
        """Names of an order's events, without the requests the framework itself puts on it."""
        return [name for name in self.run.names(order.client_order_id) if "Pending" not in name]

    def fills(self, order: Any) -> list[OrderFilled]:
        return [e for e in self.run.order_events(order.client_order_id) if isinstance(e, OrderFilled)]

    def only(self, kind: type[OrderEvent], order: Any) -> Any:
        """The only event of a kind that an order got."""
        (event,) = [e for e in self.run.order_events(order.client_order_id) if isinstance(e, kind)]
        return event

    @property
    def session(self) -> Any:
        """The private feed."""
        return self.client._sessions[0]

    @property
    def is_live(self) -> bool:
        return self.session.state is FeedState.LIVE

    async def live(self) -> None:
        await self.until(lambda: self.is_live, "the private feed to be live")

    def sent(self, *calls: tuple[str, str] | None) -> int:
        """How often REST calls of the venue were made that fit these (a `*` in a path stands for anything)."""
        patterns = [" ".join(call) for call in calls if call is not None]
        made = [f"{request.method} {request.path}" for request in self.sim.requests]
        return sum(any(fnmatchcase(call, pattern) for pattern in patterns) for call in made)

    def position(self) -> Any:
        """The only open position."""
        (position,) = self.cache.positions_open(instrument_id=self.profile.instrument_id)
        return position

    # -- what every case must leave behind ---------------------------------------------------------------------------

    def differences(self, *, balances: bool = True) -> list[Row]:
        """In what the framework's cache and the venue's ledger differ."""
        names = (self.profile.venue, self.profile.account_id)
        found = compare(self.sim, self.cache, *names, price_tolerance=self.price_tolerance).differences
        unresolved = [coid.value for coid in self.unresolved]
        return [
            row
            for row in found
            if (balances or not row.what.startswith("balance")) and not any(coid in row.what for coid in unresolved)
        ]

    async def agree(self, *, balances: bool = True, secs: float = 15.0) -> None:
        """Wait until framework and venue agree and no request is open."""

        def agreed() -> bool:
            waiting = [o for o in self.cache.orders() if self._waits(o) and o.client_order_id not in self.unresolved]
            return not waiting and not self.differences(balances=balances)

        def told() -> str:
            rows = [f"{r.what}: venue {r.venue}, framework {r.framework}" for r in self.differences(balances=balances)]
            waiting = [f"{o.client_order_id} {o.status_string()}" for o in self.cache.orders() if self._waits(o)]
            return f"framework and venue to agree; they differ in {rows}, waiting: {waiting}"

        await self.until(agreed, told, secs)

    async def end(self, *, agree: bool = True) -> None:
        """Stop the tester (which cancels and closes, if configured so) and ask what every case asks."""
        if self.is_over:
            return
        self.is_over = True
        for tester in (self.tester, *self.others):
            if tester.is_running:
                tester.stop()
        if agree:
            await self.agree(balances=not self.cache.positions_open())
        self.check_quantities()
        self.check_log()

    def check_quantities(self) -> None:
        """No quantity lost or counted twice: fills are unique and sum to what the order says; nothing after an end."""
        for order in self.cache.orders():
            fills = [e for e in order.events if isinstance(e, OrderFilled)]
            ids = [fill.trade_id for fill in fills]
            assert len(set(ids)) == len(ids), f"one trade told twice of {order.client_order_id}: {ids}"
            assert sum(fill.last_qty.as_decimal() for fill in fills) == order.filled_qty.as_decimal()
            published = [e.id for e in self.run.order_events(order.client_order_id)]
            assert len(set(published)) == len(published)

    def check_log(self) -> None:
        """No error but those the case expects, and nothing that is never right."""
        for entry in self.run.log.entries("ERROR"):
            assert any(re.search(pattern, entry) for pattern in self.expected_errors), f"unexpected error: {entry}"
        found = _FORBIDDEN.search(self.run.log.text())
        assert found is None or self.refused_by_engine, f"{found} in the log:\n{self.run.log.tail()}"

    # -- what the venue cannot do ------------------------------------------------------------------------------------

    async def check_refused(self, refusal: Refusal) -> None:
        """The user is told that it cannot be done, and why; nothing is sent."""
        match refusal.how:
            case How.DENIED:
                await self._check_denied(refusal.reason, refusal.after)
            case How.MODIFY_REJECTED:
                await self._check_modify_rejected(refusal.reason)
            case How.LOGGED:
                raise AssertionError("an order is denied or rejected, not only logged")

    async def _check_denied(self, reason: str, after: int) -> None:
        await self.settled()
        denied = self.orders()[after:]
        assert denied
        for order in denied:
            assert order.status == OrderStatus.DENIED, order
            assert self.names(order) == ["OrderInitialized", "OrderDenied"]
            assert reason in self.only(OrderDenied, order).reason
        assert self.sent(*self.profile.order_entry) == after
        assert len(self.sim.ledger.orders()) == after

    async def _check_modify_rejected(self, reason: str) -> None:
        order = self.order()
        before = self.sent(*self.profile.order_entry)
        await self.until(lambda: "OrderModifyRejected" in self.names(order), "OrderModifyRejected")
        assert reason in self.only(OrderModifyRejected, order).reason
        assert order.status in OPEN
        assert "OrderUpdated" not in self.names(order)
        if order.has_price:
            assert order.price.as_decimal() == self.sim_order(order).price
        assert self.sent(*self.profile.order_entry) == before
        await self.agree(balances=False)


@asynccontextmanager
async def open_scene(
    profile: VenueProfile,
    *,
    sim_options: Mapping[str, Any] | None = None,
    exec_options: Mapping[str, Any] | None = None,
    engine_options: Mapping[str, Any] | None = None,
    sim: Any = None,
    with_data: bool = False,
    cache: Any = None,
    others: int = 0,
    sells: bool = False,
    **tester_options: Any,
) -> AsyncIterator[Scene]:
    """Simulate the venue (unless a running simulation is given), run a node with a tester, and end it properly.

    With `sells` the account gets what it is to sell, where nobody can sell short (`VenueProfile.endow`).
    """
    if sim is None:
        async with simulate(
            profile.name, seed=7, market_flow=False, **{**profile.sim_options, **(sim_options or {})}
        ) as own:
            async with open_scene(
                profile,
                exec_options=exec_options,
                engine_options=engine_options,
                sim=own,
                with_data=with_data,
                cache=cache,
                others=others,
                sells=sells,
                **tester_options,
            ) as scene:
                yield scene
        return
    config = node_config(
        {profile.venue: sim.exec_config(**{**profile.exec_options, **(exec_options or {})})},
        {profile.venue: sim.data_config(**profile.data_options)} if with_data else None,
        cache=cache,
        **(engine_options or {}),
    )
    testers = [
        exec_tester(
            profile.instrument_id,
            profile.qty,
            **{
                "order_id_tag": f"{n:03}",
                "reduce_only_on_stop": profile.reduces_only,
                "tob_offset_ticks": profile.tob_offset_ticks,
                **tester_options,
            },
        )
        for n in range(1 + others)
    ]
    taps: list[Tap] = []

    def prepare(node: Any) -> None:
        client = node.kernel.exec_engine._clients[ClientId(profile.venue)]
        taps.append(Tap(client, profile.tells_orders))
        if sells and profile.endow is not None:
            endow_after_startup(client, sim, profile.endow)

    async with running_node(
        config,
        exec_factories={profile.venue: profile.exec_factory},
        data_factories={profile.venue: profile.data_factory} if with_data else None,
        strategies=tuple(testers),
        prepare=prepare,
    ) as run:
        scene = Scene(profile, sim, run, testers, taps[0])
        yield scene
        await scene.end()


Drive = Callable[[Scene], AsyncGenerator[None]]


def execution_case(
    case_id: str,
    *,
    sim: Callable[[VenueProfile], Mapping[str, Any]] = lambda _: {},
    config: Mapping[str, Any] | None = None,
    engine: Mapping[str, Any] | None = None,
    only: Callable[[VenueProfile], bool] = lambda _: True,
    with_data: bool = False,
    sells: bool = False,
    **tester_options: Any,
) -> Callable[[Drive], Any]:
    """Make a test of an acceptance case, once for every venue to which it applies.

    The decorated function asks for something, yields, and then checks the pass criterion. For a venue that refuses
    the case it is left at the yield, and what is checked is the refusal.

    Parameters
    ----------
    case_id : str
        ``"TC-E10"``.
    sim : Callable[[VenueProfile], Mapping]
        Further options of the simulation.
    config, engine : Mapping, optional
        Further fields of the client's config; of the engine's.
    only : Callable[[VenueProfile], bool]
        Which venues have the means that this one of the case's tests is about.
    with_data : bool
        Whether the node has a data client too.
    sells : bool
        Whether the case sells what it has not bought: see `open_scene`.
    **tester_options
        Fields of `ExecTesterConfig`; a callable is called with the profile.
    """

    def decorate(drive: Drive) -> Any:
        register(case_id, drive.__name__)
        profiles = [profile for profile in PROFILES if case_id not in profile.not_applicable and only(profile)]

        async def test(profile: VenueProfile) -> None:
            options = {key: value(profile) if callable(value) else value for key, value in tester_options.items()}
            async with open_scene(
                profile,
                sim_options=sim(profile),
                exec_options=config,
                engine_options=engine,
                with_data=with_data,
                sells=sells,
                **options,
            ) as scene:
                steps = drive(scene)
                await anext(steps)
                refusal = profile.refused.get(case_id)
                if refusal is not None:
                    await scene.check_refused(refusal)
                    await steps.aclose()
                    return
                async for _ in steps:
                    raise AssertionError("a case yields once: between the asking and the checking")

        test.__name__ = test.__qualname__ = drive.__name__
        test.__doc__ = drive.__doc__
        test.__module__ = drive.__module__
        return pytest.mark.node(pytest.mark.parametrize("profile", profiles, ids=str)(test)) if profiles else None

    return decorate


def venue_case(case_id: str) -> Callable[[Any], Any]:
    """Make a test of a case that sets its own scenes; the decorated function takes the profile (and fixtures)."""

    def decorate(test: Any) -> Any:
        register(case_id, test.__name__)
        profiles = [p for p in PROFILES if case_id not in p.not_applicable and case_id not in p.refused]
        return pytest.mark.node(pytest.mark.parametrize("profile", profiles, ids=str)(test)) if profiles else None

    return decorate


__all__ = [
    "OPEN",
    "OrderSide",
    "PositionSide",
    "Scene",
    "Tap",
    "TimeInForce",
    "execution_case",
    "open_scene",
    "venue_case",
]
