"""Being stopped at any moment of life, and leaving nothing behind."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from nautilus_orderfeeds.feed.errors import FeedError, TransientFeedError
from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.feed.session import FeedSession
from tests.support.feed_server import (
    Setup,
    feed_server,
    go_silent,
    greet,
    greet_and_hold,
    hold,
    leaked_tasks,
    quick_backoff,
    until,
)


async def test_session_stopped_within_its_own_snapshot():
    async with feed_server(greet_and_hold) as server:
        setup = Setup(server)

        async def resync() -> None:
            await setup.session.stop()

        setup.session = FeedSession(setup.stream, setup.on_frame, resync, backoff=quick_backoff(), proxy=None)
        with pytest.raises(TransientFeedError):
            await setup.session.start()
        assert setup.session.state is FeedState.DOWN
    assert not leaked_tasks()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(delay_ms=0.0, cancel_start=False, kind="quiet")
@given(delay_ms=st.floats(0, 25), cancel_start=st.booleans(), kind=st.sampled_from(["quiet", "flapping", "deaf"]))
def test_stop_at_any_point_of_life_leaves_nothing_running(delay_ms: float, cancel_start: bool, kind: str):
    async def script(ws: ServerConnection, number: int) -> None:
        if kind == "deaf":
            await hold(ws)
        await greet(ws, before=["1"], after=["2"])
        await ws.send("3")
        if kind == "quiet":
            await hold(ws)

    async def resync() -> None:
        await asyncio.sleep(0.005)

    async def run() -> None:
        async with feed_server(script) as server:
            setup = Setup(server, resync, stale_after_secs=0.004, probe_timeout_secs=0.5)
            starting = asyncio.ensure_future(setup.session.start())
            await asyncio.sleep(delay_ms / 1000)
            if cancel_start:
                starting.cancel()
            else:
                await setup.session.stop()
            with suppress(FeedError, asyncio.CancelledError):
                await starting
            await setup.session.stop()
            assert setup.session.state is FeedState.DOWN
            told = len(setup.frames)
            assert not [task for task in leaked_tasks() if task.get_name().startswith("feed ")]
            await asyncio.sleep(0.01)
            assert len(setup.frames) == told
        assert not leaked_tasks()

    asyncio.run(run())


async def test_cancelled_stop_still_stops():
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        go_silent(ws)
        await asyncio.sleep(3)

    async with feed_server(script) as server:
        setup = Setup(server, close_timeout_secs=0.2)
        await setup.session.start()
        stopping = asyncio.ensure_future(setup.session.stop())
        await asyncio.sleep(0.02)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        assert setup.session.state is FeedState.DOWN
        await until(lambda: not [t for t in leaked_tasks() if t.get_name().startswith("feed ")])
