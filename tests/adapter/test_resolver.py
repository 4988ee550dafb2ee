"""Hints are followed by a reading whatever is known, and nothing is inferred while the venue cannot be read."""

import asyncio
import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from nautilus_orderfeeds.adapter.resolver import Resolver
from nautilus_orderfeeds.feed.errors import TransientFeedError
from nautilus_orderfeeds.orders.words import OrderStatus
from nautilus_orderfeeds.venues.acttrader.capabilities import CAPABILITIES


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def timestamp(self) -> float:
        return self.now

    def timestamp_ns(self) -> int:
        return int(self.now * 1_000_000_000)


class Venue:
    """The synchronizer: answers or fails, and says how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.fails = False
        self.meanwhile: Any = None

    def is_unsure(self, tracked: Any) -> bool:
        return False

    async def some(self, orders: Sequence[Any]) -> None:
        self.asked.append([order.client_order_id for order in orders])
        await asyncio.sleep(0)
        if self.meanwhile is not None:
            self.meanwhile()
        if self.fails:
            raise TransientFeedError("down")


def order(name: str, *, closed: bool = False, unsettled_ns: int = 0) -> Any:
    state = SimpleNamespace(
        status=OrderStatus.CANCELED if closed else OrderStatus.ACCEPTED,
        is_closed=closed,
        accepted=True,
        known=SimpleNamespace(end=None, canceling=False),
    )
    return SimpleNamespace(client_order_id=name, state=state, in_flight=False, unsettled_since_ns=unsettled_ns)


def resolver(*unsettled: Any) -> tuple[Resolver, Clock, Venue, list[str]]:
    clock, venue, settled = Clock(), Venue(), []
    intake = SimpleNamespace(
        tracker=SimpleNamespace(unsettled=lambda: [o for o in unsettled if o.unsettled_since_ns]),
        settle=lambda one: settled.append(one.client_order_id),
    )
    made = Resolver(
        synchronizer=venue,
        intake=intake,
        capabilities=CAPABILITIES,
        settle_secs=1.0,
        clock=clock,
        log=SimpleNamespace(debug=lambda _: None, warning=lambda _: None),
        rng=random.Random(1),
    )
    return made, clock, venue, settled


async def test_a_hint_about_an_order_that_seems_settled_is_read_once():
    for one in (order("live"), order("closed", closed=True)):
        made, clock, venue, _ = resolver()
        made.watch(one, "a fill without trades", delay_secs=0.0, hint=True)
        await made.tick()
        assert venue.asked == [[one.client_order_id]]
        clock.now += 60
        await made.tick()
        assert len(venue.asked) == 1
        assert len(made) == 0


async def test_without_a_hint_nothing_is_asked_about_a_live_order():
    made, _, venue, _ = resolver()
    made.watch(order("live"), "", delay_secs=0.0)
    await made.tick()
    assert venue.asked == []


async def test_a_hint_is_followed_until_a_reading_succeeds():
    made, clock, venue, _ = resolver()
    venue.fails = True
    made.watch(order("live"), "", delay_secs=0.0, hint=True)
    for _ in range(5):
        await made.tick()
        clock.now += 30
    assert len(venue.asked) == 5
    venue.fails = False
    await made.tick()
    assert len(made) == 0


async def test_a_failed_reading_is_not_repeated_at_every_tick():
    made, clock, venue, _ = resolver()
    venue.fails = True
    made.watch(order("live"), "", delay_secs=0.0, hint=True)
    for _ in range(4):
        await made.tick()
        clock.now += 0.01
    assert len(venue.asked) == 1


async def test_what_is_heard_during_a_reading_is_read_again_at_once():
    made, _, venue, _ = resolver()
    one = order("live")
    made.watch(one, "", delay_secs=0.0, hint=True)
    venue.meanwhile = lambda: made.watch(one, "another", delay_secs=0.0, hint=True) if len(venue.asked) == 1 else None
    await made.tick()
    await made.tick()
    assert len(venue.asked) == 2
    assert len(made) == 0


async def test_nothing_is_inferred_before_the_trades_could_be_asked_for():
    one = order("open", unsettled_ns=1)
    made, clock, venue, settled = resolver(one)
    venue.fails = True
    for _ in range(3):
        await made.tick()
        clock.now += 1
    assert len(venue.asked) == 3
    assert settled == []
    venue.fails = False
    await made.tick()
    assert settled == ["open"]
    clock.now += 1
    await made.tick()
    assert len(venue.asked) == 4  # asked once is enough
