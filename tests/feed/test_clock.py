"""Injected time, and the estimate of a venue's."""

import asyncio
import random
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from nautilus_orderfeeds.feed.clock import Clock, LiveClock, ManualClock
from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.feed.server_clock import ServerClock

SEC = 1_000_000_000


@example(naps=[1000000.0, 999999.9999999999], steps=[1000000.0])
@given(naps=st.lists(st.floats(0.001, 1e6), max_size=12), steps=st.lists(st.floats(0, 1e6), max_size=6))
def test_manual_clock_wakes_sleepers_in_order_and_never_early(naps: list[float], steps: list[float]):
    async def run() -> None:
        clock = ManualClock()
        woken: list[tuple[float, float]] = []

        async def nap(secs: float) -> None:
            await clock.sleep(secs)
            woken.append((secs, clock.monotonic()))

        tasks = [asyncio.ensure_future(nap(secs)) for secs in naps]
        await clock.advance(0)
        for step in steps:
            await clock.advance(step)
        due_ns = [round(secs * 1e9) for secs, _ in woken]  # naps that end in the same ns end in the order they began
        assert due_ns == sorted(due_ns)
        assert all(now == pytest.approx(secs, abs=1e-8) for secs, now in woken)
        due = clock.monotonic()
        assert len(woken) == sum(round(secs * 1e9) <= round(due * 1e9) for secs in naps)
        assert clock.timers == len(naps) - len(woken)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert clock.timers == 0

    asyncio.run(run())


async def test_manual_timeout():
    clock = ManualClock()

    async def limited(secs: float | None) -> str:
        async with clock.timeout(secs):
            await clock.sleep(10)
        return "done"

    short, exact_long, unlimited = (asyncio.ensure_future(limited(secs)) for secs in (5, 11, None))
    await clock.advance(4.9)
    assert not short.done()
    await clock.advance(0.2)
    with pytest.raises(TimeoutError):
        await short
    await clock.advance(10)
    assert (await exact_long, await unlimited) == ("done", "done")
    assert clock.timers == 0


async def test_jump_fires_one_timer():
    clock = ManualClock(start_ns=7)
    naps = [asyncio.ensure_future(clock.sleep(secs)) for secs in (3, 8)]
    await clock.jump()
    assert ([nap.done() for nap in naps], clock.monotonic(), clock.time_ns()) == ([True, False], 3.0, 3 * SEC + 7)
    await clock.jump()
    await clock.jump()
    assert (naps[1].done(), clock.monotonic()) == (True, 8.0)


async def test_autojump_needs_nobody():
    clock = ManualClock(autojump_secs=0.001)
    await clock.sleep(3600)
    with pytest.raises(TimeoutError):
        async with clock.timeout(60):
            await clock.sleep(61)
    assert clock.monotonic() == pytest.approx(3660)
    await clock.sleep(0)


async def test_live_clock_goes_on():
    clock: Clock = LiveClock()
    wall, mono = clock.time_ns(), clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - mono >= 0.009
    assert clock.time_ns() > wall
    with pytest.raises(TimeoutError):
        async with clock.timeout(0.01):
            await clock.sleep(10)


@given(
    offset_ns=st.integers(-(10**13), 10**13),
    delays=st.lists(st.tuples(st.integers(0, 2 * SEC), st.integers(0, 2 * SEC)), min_size=1, max_size=30),
    resolution_ns=st.sampled_from([1, 1_000, 1_000_000, SEC]),
    gap_ns=st.integers(0, 100 * SEC),
)
def test_offset_is_within_its_uncertainty(
    offset_ns: int, delays: list[tuple[int, int]], resolution_ns: int, gap_ns: int
):
    """Whatever the network does, and however coarse the venue's stamps are."""
    clock = ServerClock(ManualClock())
    now = 1_700_000_000 * SEC + 123
    for there, back in delays:
        stamp = (now + there + offset_ns) // resolution_ns * resolution_ns
        clock.observe(stamp, sent_ns=now, received_ns=now + there + back, resolution_ns=resolution_ns)
        now += gap_ns + there + back
        uncertainty = clock.uncertainty_ns
        assert uncertainty is not None
        assert abs(clock.offset_ns - offset_ns) <= uncertainty
    assert clock.samples == min(len(delays), 9)


def test_single_bad_answers_do_not_matter():
    clock = ServerClock(ManualClock(), samples=9)
    rng = random.Random(5)
    for n in range(9):
        wrong = 10**15 if n in (1, 4, 7) else 0
        sent = n * SEC
        clock.observe(
            sent + 5 * SEC + 10_000_000 + wrong, sent_ns=sent, received_ns=sent + rng.randint(1, 2) * 10_000_000
        )
    assert abs(clock.offset_ns - 5 * SEC) < SEC


def test_nothing_observed_means_our_own_time():
    ours = ManualClock()
    clock = ServerClock(ours)
    assert (clock.offset_ns, clock.uncertainty_ns, clock.time_ns()) == (0, None, ours.time_ns())
    clock.observe(ours.time_ns() + SEC, sent_ns=ours.time_ns(), received_ns=ours.time_ns())
    assert clock.time_ns() == ours.time_ns() + clock.offset_ns
    assert abs(clock.offset_ns - SEC) <= 1


def answer_with(date: str | None, sent_ns: int, received_ns: int) -> Response:
    headers = CIMultiDictProxy(CIMultiDict({"date": date} if date is not None else {}))
    return Response(200, headers, b"", sent_ns=sent_ns, received_ns=received_ns)


@given(true_ns=st.integers(10**18, 2 * 10**18), offset_secs=st.integers(-1000, 1000), trip_ns=st.integers(0, SEC))
def test_date_header(true_ns: int, offset_secs: int, trip_ns: int):
    clock = ServerClock(ManualClock())
    server = datetime.fromtimestamp(true_ns // SEC + offset_secs, UTC)
    assert clock.observe_date(answer_with(format_datetime(server, usegmt=True), true_ns, true_ns + trip_ns))
    uncertainty = clock.uncertainty_ns
    assert uncertainty is not None
    assert abs(clock.offset_ns - offset_secs * SEC) <= uncertainty <= (SEC + trip_ns) // 2 + 2


@pytest.mark.parametrize("date", [None, "", "yesterday", "Tue, 99 Foo 2024 00:00:00 GMT"])
def test_unusable_date_is_ignored(date: str | None):
    clock = ServerClock(ManualClock())
    assert not clock.observe_date(answer_with(date, 1, 2))
    assert not clock.observe_date(answer_with("Tue, 15 Nov 1994 08:12:31 GMT", 2, 1))
    assert clock.samples == 0


def test_impossible_observation_is_refused():
    clock = ServerClock(ManualClock())
    with pytest.raises(ValueError, match="sent_ns <= received_ns"):
        clock.observe(1, sent_ns=2, received_ns=1)
    with pytest.raises(ValueError, match="at least one sample"):
        ServerClock(ManualClock(), samples=0)
