"""Silence: probed, and found out if nobody is there any more."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.health import FeedState
from tests.support.feed_server import (
    EchoStream,
    Setup,
    feed_server,
    go_silent,
    greet,
    greet_and_hold,
    hold,
    leaked_tasks,
    until,
)


@pytest.mark.parametrize("ping", [None, b'{"op":"ping"}'])
async def test_quiet_stream_that_answers_probes_stays_live(ping: bytes | None):
    probes: list[object] = []

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        async for frame in ws:
            probes.append(frame)
            await ws.send("pong")

    async with feed_server(script) as server:
        stream = EchoStream(server, ping=ping)
        setup = Setup(server, stream=stream, stale_after_secs=0.03, probe_timeout_secs=0.1)
        await setup.session.start()
        await asyncio.sleep(0.4)
        assert setup.session.state is FeedState.LIVE
        assert server.connections == 1
        if ping is not None:
            await until(lambda: len(probes) >= 3)
            assert set(probes) == {ping.decode()}
        await setup.session.stop()
        assert FeedState.STALE not in setup.states


@pytest.mark.parametrize("ping", [None, "ping"])
async def test_half_open_connection_is_found_and_replaced(ping: str | None):
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        if number == 1:
            go_silent(ws)
            await asyncio.sleep(5)
        await hold(ws)

    async with feed_server(script) as server:
        stream = EchoStream(server, ping=ping)
        setup = Setup(server, stream=stream, stale_after_secs=0.05, probe_timeout_secs=0.1, close_timeout_secs=0.1)
        await setup.session.start()
        await until(lambda: server.connections == 2 and setup.session.state is FeedState.LIVE)
        live, stale = setup.states.index(FeedState.LIVE), setup.states.index(FeedState.STALE)
        assert setup.states[live : stale + 3] == [
            FeedState.LIVE,
            FeedState.STALE,
            FeedState.CONNECTING,
            FeedState.LIVE,
        ]
        await setup.session.stop()
    assert not [task for task in leaked_tasks() if task.get_name().startswith("feed ")]


async def test_silence_is_measured_by_the_injected_clock():
    clock = ManualClock()
    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, clock=clock, stale_after_secs=3600, stream=EchoStream(server, ping="ping"))
        await setup.session.start()
        await until(lambda: bool(setup.frames) and clock.timers >= 1)
        await clock.advance(3599)
        assert setup.session.state is FeedState.LIVE
        await clock.advance(1)
        await clock.advance(9.9)
        assert setup.session.state is FeedState.LIVE
        await clock.advance(0.2)
        await until(lambda: FeedState.STALE in setup.states)
        await setup.session.stop()
    assert not leaked_tasks()


async def test_keepalive_goes_out_although_frames_keep_arriving():
    """A venue that wants to hear from us now and then does, however busy its stream is."""
    heard: list[object] = []

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        chatter = asyncio.create_task(_chatter(ws))
        async for frame in ws:
            heard.append(frame)  # noqa: PERF401  (seen while the connection lives)
        chatter.cancel()

    async with feed_server(script) as server:
        stream = EchoStream(server, ping=b'{"op":"ping"}')
        stream.keepalive_secs = 0.03
        setup = Setup(server, stream=stream, stale_after_secs=30.0)
        await setup.session.start()
        await until(lambda: len(heard) >= 3)
        await setup.session.stop()
        assert set(heard) == {'{"op":"ping"}'}
        assert server.connections == 1


async def _chatter(ws: ServerConnection) -> None:
    while True:
        await ws.send("busy")
        await asyncio.sleep(0.005)
