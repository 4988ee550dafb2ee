"""A whole sFOX client without the framework: venue, session, tracker, as the generic client joins them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.feed.clock import LiveClock
from nautilus_orderfeeds.feed.hub import open_session
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.requests import Accepted, Amend, Outcome, Refused
from nautilus_orderfeeds.orders.state import OrderState
from nautilus_orderfeeds.orders.tracker import OrderTracker, TrackedOrder
from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.sim import Simulation, simulate
from nautilus_orderfeeds.venues.base import Truth
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.sfox.settings import Limits, SfoxSettings
from nautilus_orderfeeds.venues.sfox.venue import SfoxVenue
from tests.support.feed_server import quick_backoff, until
from tests.support.sfox_client import new_order

#: As in the simulations of these tests.
SCALE = 0.01


def settings_of(sim: Simulation, number: int = 0, **changed: Any) -> SfoxSettings:
    """Settings of one of the simulation's accounts (in enterprise mode: end users)."""
    given: dict[str, Any] = dict(sim.twin.credentials(number))  # type: ignore[attr-defined]
    return SfoxSettings(
        **{
            "base_url_http": sim.base_url_http,
            "base_url_ws": sim.base_url_ws,
            "api_key": Secret(given["api_key"]),
            "enterprise": given.get("enterprise", False),
            "user_id": given.get("user_id", ""),
            "limits": Limits(time_scale=SCALE),
            "timeout_secs": 2.0,
            "sequence_grace_secs": 0.2,
            **changed,
        }
    )


class SfoxAccount:
    """One account: what it sent, and what it was told of each order."""

    def __init__(self, sim: Simulation, number: int = 0, *, symbol: str = "BTCUSD", **changed: Any) -> None:
        self.sim = sim
        self.symbol = symbol
        self.venue = SfoxVenue(settings_of(sim, number, **changed))
        self.tracker = OrderTracker()
        self.events: dict[str, list[ev.OrderEvent]] = {}
        self.others: list[Any] = []
        self.foreign: list[OrderUpdate] = []
        self.frames = 0
        self.clock = LiveClock()
        self.session = open_session(
            self.venue.streams()[0], self._frame, self.resync, clock=self.clock, backoff=quick_backoff()
        )

    @property
    def product(self) -> str:
        """The simulation's name of the instrument."""
        return self.symbol.lower()

    async def open(self) -> None:
        await self.venue.open()
        self.venue.use_instruments(await self.venue.instruments())
        await self.session.start()

    async def close(self) -> None:
        await self.session.stop()
        await self.venue.close()

    # -- in --------------------------------------------------------------------------------------------------------

    def _frame(self, raw: bytes) -> None:
        self.frames += 1
        for message in self.venue.decode(raw):
            if isinstance(message, OrderUpdate):
                self.apply(message)
            else:
                self.others.append(message)

    async def resync(self) -> None:
        self.take(await self.venue.resync([one.ref for one in self.tracker.open_orders()], 0))

    async def look_up(self) -> Truth:
        """Read the orders that are not settled."""
        truth = await self.venue.look_up([one.ref for one in self.tracker.unsettled()], 0)
        self.take(truth)
        return truth

    async def look_up_open(self) -> None:
        """Read all open orders one by one, as the generic client does with those it waits for."""
        self.take(await self.venue.look_up([one.ref for one in self.tracker.open_orders()], 0))

    def take(self, truth: Truth) -> None:
        for update in truth.updates:
            self.apply(update)
        self._release()

    def apply(self, update: OrderUpdate) -> None:
        tracked = self.tracker.find(update)
        if tracked is None:
            if self.tracker.any_unidentified:
                self.tracker.keep_unbound(update)
            else:
                self.foreign.append(update)
            return
        had_id = tracked.state.venue_order_id
        _, events = self.tracker.apply(update, self.clock.time_ns())
        self.events[tracked.client_order_id] += events
        if tracked.state.venue_order_id != had_id:
            self._release()

    def _release(self) -> None:
        for update in self.tracker.release_unbound():
            self.apply(update)

    # -- out -------------------------------------------------------------------------------------------------------

    async def send(self, name: str = "O-1", **changed: Any) -> Outcome:
        """Send an order and take in what the answer tells."""
        prepared = self.venue.prepare(new_order(name, symbol=self.symbol, **changed))
        rules = self.venue.rules(self.venue._specs[self.symbol])
        tracked = self.tracker.add(prepared.order, rules, prepared.refs, self.clock.time_ns())
        self.events[name] = []
        self.tracker.command(tracked, ev.OrderSubmitted())
        outcome, updates = await self.venue.submit(prepared)
        if isinstance(outcome, Accepted) and outcome.venue_order_id is not None:
            self.tracker.bind(tracked, outcome.venue_order_id)
        elif isinstance(outcome, Refused):
            self.tracker.command(tracked, ev.OrderRejected(reason=outcome.reason))
            tracked.in_flight = False
        for update in updates:
            self.apply(update)
        self._release()
        return outcome

    async def cancel(self, *names: str) -> list[Outcome]:
        """Ask for cancels, of one or of several at once."""
        refs = [self.tracked(name).ref for name in names]
        answers = [await self.venue.cancel(refs[0])] if len(refs) == 1 else await self.venue.cancel_many(refs)
        return [outcome for outcome, _ in answers]

    async def amend(self, name: str = "O-1", **changed: Any) -> Outcome:
        outcome, _ = await self.venue.amend(Amend(ref=self.tracked(name).ref, **changed))
        return outcome

    # -- looking ---------------------------------------------------------------------------------------------------

    def tracked(self, name: str = "O-1") -> TrackedOrder:
        found = self.tracker.get(name)
        assert found is not None
        return found

    def state(self, name: str = "O-1") -> OrderState:
        return self.tracked(name).state

    def names(self, name: str = "O-1") -> list[str]:
        """Names of the events of an order."""
        return [type(event).__name__ for event in self.events[name]]

    def fills(self, name: str = "O-1") -> list[ev.OrderFilled]:
        return [event for event in self.events[name] if isinstance(event, ev.OrderFilled)]

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(condition, 5.0)

    async def until_names(self, *names: str, order: str = "O-1") -> None:
        """Wait until exactly these events were told of an order."""
        try:
            await self.until(lambda: self.names(order) == list(names))
        except TimeoutError:
            raise AssertionError(f"told {self.names(order)}, expected {list(names)}") from None

    async def settle(self) -> None:
        """Let everything arrive, read what is missing, and infer what trades never told."""
        await asyncio.sleep(0.1)
        if self.tracker.unsettled():
            await self.look_up()
        for tracked in self.tracker.unsettled():
            self.events[tracked.client_order_id] += self.tracker.settle(tracked, self.clock.time_ns())

    def check(self, names: Iterable[str] | None = None) -> None:
        """Compare orders with the simulated venue's own books: quantity, notional and fees to the last digit."""
        for name in names if names is not None else list(self.events):
            state = self.state(name)
            if state.venue_order_id is None:
                continue
            truth = self.sim.ledger.order(state.venue_order_id)
            fees = sum((fill.fee for fill in self.sim.ledger.fills(truth)), Decimal(0))
            assert state.filled_qty == truth.filled, name
            assert abs(state.notional - truth.notional) <= Decimal("1E-8") * truth.filled, name
            assert abs(state.fees - fees) <= Decimal("1E-8"), name
            assert state.is_closed is not truth.state.is_open, name
            ids = [fill.trade_id for fill in self.fills(name)]
            assert len(ids) == len(set(ids)), name

    def best(self) -> tuple[Decimal, Decimal]:
        bid, ask = self.sim.market.best(self.product)
        assert bid is not None
        assert ask is not None
        return bid, ask

    def hit(self, qty: str, name: str = "O-1") -> None:
        """Let the market trade with the order that rests."""
        state = self.state(name)
        assert state.price is not None
        truth = self.sim.ledger.order(state.venue_order_id or "")
        self.sim.market.trade(self.product, state.price, Decimal(qty), truth.side.opposite)


@asynccontextmanager
async def account(**options: Any) -> AsyncIterator[SfoxAccount]:
    """A live client of a simulated sFOX whose market stands still and whose time limits are scaled."""
    settings = options.pop("settings", {})
    options = {"seed": 7, "market_flow": False, "limit_time_scale": SCALE, **options}
    async with simulate("sfox", **options) as sim:
        client = SfoxAccount(sim, **settings)
        try:
            await client.open()
            yield client
        finally:
            await client.close()
        sim.ledger.check()
