"""Rate limits: per route and address, shared by the clients of a process, with the waits after a refusal."""

import asyncio

import pytest

from nautilus_orderfeeds.feed.clock import LiveClock, ManualClock
from nautilus_orderfeeds.feed.errors import TransientFeedError
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.sfox.limits import BALANCES, CREATE, DONE_ORDERS, OPEN_ORDERS, RestLimits
from nautilus_orderfeeds.venues.sfox.settings import Limits
from tests.support.raw_http import answer, raw_server
from tests.support.sfox_client import api, settings

#: Ten seconds become a tenth of one.
SCALED = Limits(rest_requests=10_000, time_scale=0.01)
SLOWER = Limits(rest_requests=10_000, time_scale=0.1)


async def most_in_a_window(limits: list[RestLimits], route: str, window_secs: float, run_secs: float) -> int:
    """How many requests get out in any window while everybody asks without end."""
    times: list[float] = []
    loop = asyncio.get_running_loop()

    async def ask(limit: RestLimits) -> None:
        while True:
            await limit.acquire(route)
            times.append(loop.time())

    asking = [asyncio.ensure_future(ask(limit)) for limit in limits for _ in range(3)]
    await asyncio.sleep(run_secs)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return max(sum(start <= at < start + window_secs for at in times) for start in times)


@pytest.mark.parametrize(
    ("route", "count", "limits"),
    [(CREATE, 60, SLOWER), (OPEN_ORDERS, 10, SCALED), (DONE_ORDERS, 5, SCALED), (BALANCES, 5, SCALED)],
)
async def test_a_route_stays_within_its_limit(route: str, count: int, limits: Limits):
    one, window_secs = settings(limits=limits), 0.1
    clients = [RestLimits(one, LiveClock()), RestLimits(one, LiveClock())]
    most = await most_in_a_window(clients, route, window_secs, 5 * window_secs)
    assert count // 2 < most <= count


async def test_the_limit_of_the_address_is_that_of_all_accounts_together():
    accounts = [
        settings(api_key=Secret(f"key {n}"), limits=Limits(rest_requests=20, time_scale=0.01)) for n in range(4)
    ]
    clients = [RestLimits(account, LiveClock()) for account in accounts]
    assert 10 < await most_in_a_window(clients, "", 0.1, 0.5) <= 20


async def test_each_account_has_its_own_routes():
    accounts = [settings(enterprise=True, user_id=f"u{n}", limits=SCALED) for n in range(4)]
    clients = [RestLimits(account, LiveClock()) for account in accounts]
    assert await most_in_a_window(clients, BALANCES, 0.1, 0.3) > 5


async def waits(limit: RestLimits, clock: ManualClock, route: str, priority: Priority = Priority.NORMAL) -> float:
    """Seconds of the clock until a request on `route` may go out."""
    asking = asyncio.ensure_future(limit.acquire(route, priority))
    secs = 0.0
    while not asking.done():
        await clock.advance(1.0)
        secs += 1.0
    return secs


async def test_the_waits_after_a_refusal():
    clock = ManualClock()
    limit = RestLimits(settings(limits=Limits()), clock)
    limit.pause(OPEN_ORDERS)
    assert await waits(limit, clock, CREATE) <= 1.0
    assert 9.0 <= await waits(limit, clock, OPEN_ORDERS) <= 11.0
    # Refused right after its rest: it is the address's limit.
    limit.pause(OPEN_ORDERS)
    assert 59.0 <= await waits(limit, clock, CREATE) <= 61.0


async def test_a_refusal_on_a_route_without_limit_is_the_addresss_and_all_accounts_rest():
    clock = ManualClock()
    first = RestLimits(settings(api_key=Secret("a"), limits=Limits()), clock)
    second = RestLimits(settings(api_key=Secret("b"), limits=Limits()), clock)
    first.pause("")
    assert 59.0 <= await waits(second, clock, "", Priority.CANCEL) <= 61.0


async def test_the_venue_may_say_how_long():
    clock = ManualClock()
    limit = RestLimits(settings(limits=Limits()), clock)
    limit.pause(CREATE, 3.0)
    assert 2.0 <= await waits(limit, clock, CREATE) <= 4.0


async def test_a_refused_read_rests_and_is_repeated():
    async with raw_server(answer(429, b'{"error":"too many requests"}'), answer(200, b"[]")) as server:
        async with api(server.url, limits=SCALED) as client:
            began = asyncio.get_running_loop().time()
            assert await client.read("/v1/orders", bytes, route=OPEN_ORDERS) == b"[]"
            assert asyncio.get_running_loop().time() - began >= 0.09
    assert len(server.requests) == 2


async def test_a_request_that_would_have_to_wait_too_long_is_not_sent():
    async with raw_server(answer(429)) as server, api(server.url, timeout_secs=0.1, limits=Limits()) as client:
        with pytest.raises(TransientFeedError, match="still waiting to be sent"):
            await client.read("/v1/orders", bytes, route=OPEN_ORDERS)
    assert len(server.requests) == 1


@pytest.mark.parametrize("wrong", [{"rest_requests": 0}, {"ws_requests_per_min": 3}, {"time_scale": 0.0}])
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match="expected rest_requests"):
        Limits(**wrong)  # type: ignore[arg-type]
