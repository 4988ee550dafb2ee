"""A whole BSX client without the framework: venue, session and reducer, as the generic client joins them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.reducer import reduce, settle
from nautilus_orderfeeds.orders.requests import OrderRef, Outcome
from nautilus_orderfeeds.orders.state import OrderState, evolve
from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.sim import Simulation, simulate
from nautilus_orderfeeds.venues.base import Prepared, Truth
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings, Secret
from nautilus_orderfeeds.venues.bsx.venue import BsxVenue
from tests.support.bsx_client import new_order
from tests.support.feed_server import quick_backoff, until


class ShiftedClock(LiveClock):
    """The machine's clock, set forward."""

    ahead_ns = 0

    def time_ns(self) -> int:
        return super().time_ns() + self.ahead_ns


class BsxAccount:
    """One account: what it sent, and what it was told of each order."""

    def __init__(self, sim: Simulation, clock: Clock | None = None) -> None:
        self.sim = sim
        self.settings = settings_of(sim)
        self.clock = clock or LiveClock()
        self.venue = BsxVenue(self.settings, clock=self.clock)
        self.orders: dict[str, OrderState] = {}
        self.events: dict[str, list[ev.OrderEvent]] = {}
        self.others: list[Any] = []
        self.foreign: dict[str | None, OrderUpdate] = {}
        self._by_ref: dict[str, OrderState] = {}
        self.refs: dict[str, OrderRef] = {}
        self.truths: list[Truth] = []
        self.session = FeedSession(
            self.venue.streams()[0], self._frame, self.resync, clock=self.clock, backoff=quick_backoff()
        )

    def _frame(self, raw: bytes) -> None:
        for message in self.venue.decode(raw):
            if isinstance(message, OrderUpdate):
                self.apply(message)
            else:
                self.others.append(message)

    async def resync(self) -> None:
        refs = [self.refs[name] for name, state in self.orders.items() if not state.is_closed]
        truth = await self.venue.resync(refs, 0)
        self.truths.append(truth)
        for update in truth.updates:
            self.apply(update)

    def apply(self, update: OrderUpdate) -> None:
        state = self._by_ref.get(update.venue_order_id or "")
        for key in update.refs:
            state = state or self._by_ref.get(key)
        if state is None:
            self.foreign[update.venue_order_id] = update
            return
        self._by_ref[update.venue_order_id or ""] = state
        events = reduce(state, update, self.venue.rules(self.spec))
        self.events[state.client_order_id] += events

    @property
    def spec(self) -> Any:
        return next(iter(self.venue._specs.values()))

    async def open(self) -> None:
        await self.venue.open()
        self.venue.use_instruments(await self.venue.instruments())
        await self.session.start()

    async def close(self) -> None:
        await self.session.stop()
        await self.venue.close()

    def prepare(self, name: str = "O-1", **changed: Any) -> Prepared:
        """Take up an order."""
        order = new_order(name, **changed)
        prepared = self.venue.prepare(order)
        state = OrderState(
            client_order_id=name,
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            quantity=order.quantity,
            price=order.price,
        )
        evolve(state, ev.OrderSubmitted())
        self.orders[name], self.events[name] = state, []
        self.refs[name] = OrderRef(client_order_id=name, symbol=order.symbol, refs=prepared.refs, side=order.side)
        for key in prepared.refs:
            self._by_ref[key] = state
        return prepared

    async def send(self, name: str = "O-1", **changed: Any) -> Outcome:
        """Send an order and take in what the answer tells."""
        outcome, updates = await self.venue.submit(self.prepare(name, **changed))
        for update in updates:
            self.apply(update)
        return outcome

    def ref(self, name: str = "O-1") -> OrderRef:
        """Everything that names the order."""
        known = self.refs[name]
        return OrderRef(
            client_order_id=name,
            symbol=known.symbol,
            venue_order_id=self.orders[name].venue_order_id,
            refs=known.refs,
        )

    def names(self, name: str = "O-1") -> list[str]:
        """Names of the events of an order."""
        return [type(event).__name__ for event in self.events[name]]

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(condition, 5.0)

    async def until_names(self, *names: str, order: str = "O-1") -> None:
        """Wait until exactly these events were told of an order."""
        try:
            await self.until(lambda: self.names(order) == list(names))
        except TimeoutError:
            raise AssertionError(f"told {self.names(order)}, expected {list(names)}") from None

    async def quiesce(self) -> None:
        """Let everything that is on its way arrive, take the truth, and infer what trades never told."""
        await asyncio.sleep(0.1)
        await self.session.resync_now("test")
        for name, state in self.orders.items():
            if state.is_unsettled:
                self.events[name] += settle(state, self.venue.rules(self.spec))

    def check(self) -> None:
        """Compare every order with the simulated venue's own books."""
        for name, state in self.orders.items():
            if state.venue_order_id is None:
                continue
            truth = self.sim.ledger.order(state.venue_order_id)
            assert state.filled_qty == truth.filled, name
            assert abs(state.notional - truth.notional) <= Decimal("0.1") * truth.filled, name
            assert state.is_closed is not truth.state.is_open, name
            assert len({e.trade_id for e in self.events[name] if isinstance(e, ev.OrderFilled)}) == sum(
                isinstance(e, ev.OrderFilled) for e in self.events[name]
            )


def settings_of(sim: Simulation) -> BsxSettings:
    """Settings of the simulation's main account."""
    given: dict[str, Any] = sim.credentials()  # type: ignore[assignment]
    return BsxSettings(
        base_url_http=sim.base_url_http,
        base_url_ws=sim.base_url_ws,
        api_key=given["api_key"],
        api_secret=Secret(given["api_secret"]),
        signer_key=Secret(given["signer_key"]),
        wallet_address=given["wallet_address"],
        requests_per_sec=100_000,
        timeout_secs=2.0,
    )


@asynccontextmanager
async def account(clock: Clock | None = None, **options: Any) -> AsyncIterator[BsxAccount]:
    """A live client of a simulated BSX whose market stands still."""
    options.setdefault("seed", 7)
    options.setdefault("market_flow", False)
    async with simulate("bsx", **options) as sim:
        client = BsxAccount(sim, clock)
        try:
            await client.open()
            yield client
        finally:
            await client.close()
        sim.ledger.check()
