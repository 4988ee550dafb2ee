"""A missing number is noticed, a late or doubled one is not taken for missing."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.feed.sequence import SequenceGuard
from tests.support.feed_server import EchoStream, FeedServer, Setup, feed_server, greet, hold, until


def guard_of(*numbers: int, grace_secs: float = 1.0) -> tuple[SequenceGuard, ManualClock]:
    clock = ManualClock()
    guard = SequenceGuard(clock, grace_secs)
    for number in numbers:
        guard.note(number)
    return guard, clock


async def gap(guard: SequenceGuard, clock: ManualClock, secs: float = 10.0) -> str | None:
    """What the guard says within that time."""
    watching = asyncio.ensure_future(guard.until_gap())
    await clock.advance(secs)
    if watching.done():
        return watching.result()
    watching.cancel()
    return None


@pytest.mark.parametrize(
    "numbers",
    [(), (1, 2, 3), (7, 8, 9), (1, 3, 2), (1, 4, 3, 2), (2, 1, 3), (1, 2, 2, 2, 3), (1, 3, 2, 3, 2, 4), (5, 1, 2, 6)],
)
async def test_no_number_is_missing(numbers: tuple[int, ...]):
    guard, clock = guard_of(*numbers)
    assert guard.missing == 0
    assert await gap(guard, clock) is None


@pytest.mark.parametrize(("numbers", "lost"), [((1, 3), 2), ((1, 2, 5, 4), 3), ((1, 3, 4, 5, 7, 6), 2)])
async def test_a_number_that_stays_away_is_a_gap_after_the_grace_and_not_before(numbers: tuple[int, ...], lost: int):
    guard, clock = guard_of(*numbers)
    assert guard.missing == 1
    assert await gap(guard, clock, 0.9) is None
    told = await gap(guard, clock, 0.2)
    assert told is not None
    assert f"frame {lost} " in told


async def test_each_missing_number_has_its_own_grace():
    guard, clock = guard_of(1, 3)
    watching = asyncio.ensure_future(guard.until_gap())
    await clock.advance(0.9)
    guard.note(2)
    guard.note(5)
    await clock.advance(0.9)
    assert not watching.done()
    guard.note(4)
    guard.note(7)
    await clock.advance(1.1)
    assert "frame 6 " in watching.result()


async def test_an_absurd_number_is_a_gap_at_once_and_costs_nothing():
    guard, clock = guard_of(1, 10**15)
    assert guard.missing == 0
    told = await gap(guard, clock, 0.0)
    assert told is not None
    assert "expected 2" in told


@given(st.lists(st.integers(1, 30), max_size=60))
def test_missing_is_what_was_skipped_and_not_seen(numbers: list[int]):
    guard = SequenceGuard(ManualClock(), 1.0)
    for number in numbers:
        guard.note(number)
    seen = set(numbers)
    expected = set(range(numbers[0], max(numbers))) - seen if numbers else set()
    assert guard.missing == len(expected)


class NumberedStream(EchoStream):
    """Frames that are numbers are numbered so."""

    sequence_grace_secs = 0.1

    def sequence(self, frame: bytes) -> int | None:
        return int(frame)


async def send_numbers(ws: ServerConnection, *numbers: int) -> None:
    await greet(ws)
    for number in numbers:
        await ws.send(str(number))
    await hold(ws)


async def run(first: tuple[int, ...]) -> Setup:
    """A session whose first connection sends these numbers, and the second a whole series."""

    async def script(ws: ServerConnection, number: int) -> None:
        await send_numbers(ws, *(first if number == 1 else (1, 2, 3)))

    async with feed_server(script) as server:
        setup = setup_of(server)
        await setup.session.start()
        await until(lambda: len(setup.frames) >= len(first) + (3 if server.connections > 1 else 0))
        await asyncio.sleep(0.25)
        await until(lambda: setup.session.state is FeedState.LIVE)
        await until(lambda: len(setup.frames) >= len(first) + (3 if server.connections > 1 else 0))
        await setup.session.stop()
        return setup


def setup_of(server: FeedServer) -> Setup:
    return Setup(server, stream=NumberedStream(server))


async def test_a_session_reconnects_at_a_gap_and_counts_it():
    setup = await run((1, 2, 4))
    assert setup.session.health.gaps == 1
    assert setup.session.health.connects == 2
    assert setup.frames == [b"1", b"2", b"4", b"1", b"2", b"3"]
    assert any("frame 3 " in change.detail for change in setup.changes)


async def test_a_session_does_not_mind_swapped_and_doubled_frames():
    setup = await run((1, 3, 2, 2, 4))
    assert setup.session.health.gaps == 0
    assert setup.session.health.connects == 1


async def test_frames_without_a_number_do_not_disturb():
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        for frame in ("1", "x", "2"):
            await ws.send(frame)
        await hold(ws)

    async with feed_server(script) as server:
        setup = setup_of(server)
        await setup.session.start()
        await until(lambda: len(setup.frames) == 3)
        await asyncio.sleep(0.2)
        assert setup.session.health.gaps == 0
        await setup.session.stop()
