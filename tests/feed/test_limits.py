"""Rate limits, on a loop whose time is virtual."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.limits import EVERY_ROUTE, Priority, Rate, RateLimiter, shared_limiter
from tests.support.virtual_loop import LoopClock, run_virtually


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 12),
    period_secs=st.sampled_from([0.5, 1.0, 10.0, 60.0]),
    burst_share=st.floats(0, 1),
    arrivals=st.lists(st.floats(0, 2), min_size=1, max_size=40),
)
def test_never_more_than_count_in_any_window(count: int, period_secs: float, burst_share: float, arrivals: list[float]):
    """Also for the worst arrival pattern: a burst after rest, then as fast as allowed."""

    async def run() -> list[float]:
        rate = Rate(count, period_secs, burst=max(1, round(count * burst_share)))
        limiter = RateLimiter({"r": rate}, clock=LoopClock())
        loop = asyncio.get_running_loop()
        times: list[float] = []

        async def one(delay: float) -> None:
            await asyncio.sleep(delay * period_secs)
            await limiter.acquire("r")
            times.append(loop.time())

        await asyncio.gather(*(one(delay) for delay in arrivals))
        return times

    times = run_virtually(run())
    assert len(times) == len(arrivals)
    for earlier, later in zip(times, times[count:], strict=False):
        assert later - earlier >= period_secs * (1 - 1e-9)


def test_rate_is_used_up():
    """The limiter is no stricter than it must be: N + 1 - burst a period in the long run."""

    async def run() -> float:
        limiter = RateLimiter({"r": Rate(10, 10.0, burst=1)}, clock=LoopClock())
        for _ in range(101):
            await limiter.acquire("r")
        return asyncio.get_running_loop().time()

    assert run_virtually(run()) == pytest.approx(100.0)


@settings(max_examples=40, deadline=None)
@given(kinds=st.lists(st.sampled_from(list(Priority)), min_size=2, max_size=25), shared=st.booleans())
def test_waiting_cancels_go_before_waiting_orders_before_reads(kinds: list[Priority], shared: bool):
    """Also when cancels and orders have routes of their own and only the common limit binds."""

    async def run() -> list[tuple[Priority, int]]:
        rate = Rate(1, 1.0)
        limiter = RateLimiter({EVERY_ROUTE: rate} if shared else {"r": rate}, clock=LoopClock())
        served: list[tuple[Priority, int]] = []

        async def one(priority: Priority, number: int) -> None:
            await limiter.acquire(priority.name if shared else "r", priority)
            served.append((priority, number))

        await limiter.acquire("r")
        await asyncio.gather(*(one(priority, number) for number, priority in enumerate(kinds)))
        return served

    served = run_virtually(run())
    assert served == sorted((priority, number) for number, priority in enumerate(kinds))


@settings(max_examples=40, deadline=None)
@given(given_up=st.lists(st.tuples(st.floats(0, 6), st.sampled_from(list(Priority)), st.booleans()), max_size=20))
def test_waiters_that_give_up_hold_up_nobody(given_up: list[tuple[float, Priority, bool]]):
    async def run() -> int:
        limiter = RateLimiter({"r": Rate(1, 1.0)}, clock=LoopClock())
        served = 0

        async def one(patience: float, priority: Priority, gives_up: bool) -> None:
            nonlocal served
            with suppress(TimeoutError):
                async with asyncio.timeout(patience if gives_up else None):
                    await limiter.acquire("r", priority)
                served += not gives_up

        async with asyncio.timeout(1000):
            await asyncio.gather(*(one(*each) for each in given_up))
            await limiter.acquire("r")
        return served

    assert run_virtually(run()) == sum(not gives_up for _, _, gives_up in given_up)


def test_pause_holds_back_one_route_or_all():
    async def run() -> dict[str, float]:
        loop = asyncio.get_running_loop()
        limiter = RateLimiter({"create": Rate(100, 1.0, pause_secs=10.0), "cancel": Rate(100, 1.0)}, clock=LoopClock())
        times: dict[str, float] = {}
        limiter.pause("create")
        limiter.pause("unheard of", 3.0)
        for route in ("cancel", "unheard of", "create"):
            await limiter.acquire(route)
            times[route] = loop.time()
        limiter.pause(EVERY_ROUTE, 60.0)
        limiter.pause(EVERY_ROUTE, 1.0)
        await limiter.acquire("cancel")
        times["all"] = loop.time() - times["create"]
        return times

    assert run_virtually(run()) == pytest.approx({"cancel": 0, "unheard of": 3, "create": 10, "all": 60}, abs=1e-6)


def test_pause_that_comes_while_waiting_is_obeyed():
    async def run() -> float:
        limiter = RateLimiter({"r": Rate(1, 5.0)}, clock=LoopClock())
        await limiter.acquire("r")
        waiting = asyncio.ensure_future(limiter.acquire("r"))
        await asyncio.sleep(1)
        limiter.pause("r", 30.0)
        await waiting
        return asyncio.get_running_loop().time()

    assert run_virtually(run()) == pytest.approx(31.0)


def test_unlimited_route_does_not_wait():
    async def run() -> float:
        limiter = RateLimiter({}, clock=LoopClock())
        for _ in range(1000):
            await limiter.acquire("anything")
        return asyncio.get_running_loop().time()

    assert run_virtually(run()) == pytest.approx(0.0, abs=1e-3)


async def test_clients_of_one_account_share_their_limiter():
    rates = {"r": Rate(1, 1.0)}
    ours = shared_limiter("api.host:443", "opensesame", rates)
    assert shared_limiter("api.host:443", "opensesame", {}) is ours
    assert shared_limiter("api.host:443", "other", rates) is not ours
    assert shared_limiter("api.other:443", "opensesame", rates) is not ours


def test_loops_do_not_share():
    async def get() -> RateLimiter:
        return shared_limiter("host", "key", {})

    assert run_virtually(get()) is not run_virtually(get())


@pytest.mark.parametrize("bad", [(0, 1.0, 0), (1, 0.0, 0), (1, 1.0, 2), (1, 1.0, -1)])
def test_rate_is_checked(bad: tuple[int, float, int]):
    with pytest.raises(ValueError, match="expected count >= 1"):
        Rate(*bad)
