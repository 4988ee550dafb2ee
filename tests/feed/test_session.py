"""The life of a session over real sockets."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from nautilus_orderfeeds.feed.errors import SendError, TransientFeedError
from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.feed.session import FeedSession
from tests.support.feed_server import (
    EchoStream,
    Setup,
    feed_server,
    greet,
    greet_and_hold,
    hold,
    leaked_tasks,
    until,
)


async def test_goes_live_and_delivers():
    async with feed_server(greet_and_hold) as server:
        setup = Setup(server)
        await setup.session.start()
        assert setup.session.state is FeedState.LIVE
        await until(lambda: setup.frames == [b"hello 1"])
        assert setup.session.health.last_frame_ns > 0
        await setup.session.stop()
        assert setup.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.DOWN]
    assert not leaked_tasks()


async def test_url_and_headers_are_asked_anew_for_each_connection():
    async def drop(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        if number > 2:
            await hold(ws)

    async with feed_server(drop) as server:
        setup = Setup(server)
        await setup.session.start()
        await until(lambda: server.connections == 3)
        await setup.session.stop()
    assert [request.path for request in server.requests] == [f"/feed?token=sesame{n}" for n in (1, 2, 3)]
    assert [request.headers["X-Api-Key"] for request in server.requests] == [f"opensesame{n}" for n in (1, 2, 3)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.integers(0, 4),
    after=st.integers(0, 4),
    resyncing=st.integers(0, 30),
    live=st.integers(0, 4),
    drop_in_resync=st.booleans(),
    buffer=st.booleans(),
)
def test_every_frame_once_in_order_on_any_interleaving(before, after, resyncing, live, drop_in_resync, buffer):
    """Frames before, in and after handshake and snapshot, also when the connection ends amid the snapshot."""

    async def run() -> None:
        sent: list[bytes] = []
        resync_runs = 0
        in_resync = asyncio.Event()
        marks: list[int] = []

        def batch(count: int) -> list[str]:
            names = [f"frame {len(sent) + n}" for n in range(count)]
            sent.extend(name.encode() for name in names)
            return names

        async def script(ws: ServerConnection, number: int) -> None:
            await greet(ws, before=batch(before), after=batch(after))
            if not (drop_in_resync and number > 1):
                await in_resync.wait()
            for frame in batch(resyncing):
                await ws.send(frame)
            if drop_in_resync and number == 1:
                return
            marks.append(len(sent))
            resync_done.set()
            for frame in batch(live):
                await ws.send(frame)
            await hold(ws)

        resync_done = asyncio.Event()

        async def resync() -> None:
            nonlocal resync_runs
            resync_runs += 1
            in_resync.set()
            await resync_done.wait()

        async with feed_server(script) as server:
            setup = Setup(server, resync, buffer_during_resync=buffer)
            await setup.session.start()
            await until(lambda: len(setup.frames) >= len(sent) and bool(marks))
            assert resync_runs == 1 + drop_in_resync
            await setup.session.stop()
        assert setup.frames == sent
        assert not leaked_tasks()

    asyncio.run(run())


async def test_frames_are_kept_until_the_snapshot_is_applied():
    order: list[str] = []
    arrived = asyncio.Event()

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        await ws.send("during")
        await asyncio.sleep(0.05)
        arrived.set()
        await hold(ws)

    async def resync() -> None:
        await arrived.wait()
        order.append("snapshot")

    async with feed_server(script) as server:
        session = FeedSession(EchoStream(server), lambda f: order.append(f.decode()), resync, proxy=None)
        await session.start()
        assert order == ["snapshot", "during"]
        await session.stop()


async def test_takes_the_whole_path_again_after_every_loss():
    runs = 0

    async def resync() -> None:
        nonlocal runs
        runs += 1

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        if number < 4:
            await ws.close(1012)
        await hold(ws)

    async with feed_server(script) as server:
        setup = Setup(server, resync)
        await setup.session.start()
        await until(lambda: server.connections == 4 and setup.session.state is FeedState.LIVE)
        assert runs == 4
        assert setup.session.health.connects == 4
        assert "1012" in " ".join(change.detail for change in setup.changes)
        await setup.session.stop()
    assert not leaked_tasks()


async def test_reconnect_counts_a_gap():
    async with feed_server(greet_and_hold) as server:
        setup = Setup(server)
        await setup.session.start()
        setup.session.reconnect("sequence 5 after 3")
        with pytest.raises(SendError):
            await setup.session.send("order")
        await until(lambda: server.connections == 2 and setup.session.state is FeedState.LIVE)
        assert setup.session.health.gaps == 1
        await setup.session.stop()


async def test_failed_snapshot_means_reconnect():
    runs = 0

    async def resync() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise ValueError("half a page of JSON")

    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, resync)
        await setup.session.start()
        assert (runs, server.connections) == (3, 3)
        await setup.session.stop()


async def test_snapshot_that_hangs_means_reconnect():
    runs = 0

    async def resync() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            await asyncio.Event().wait()

    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, resync, resync_timeout_secs=0.05)
        await setup.session.start()
        assert (runs, server.connections) == (2, 2)
        await setup.session.stop()


async def test_resync_now_is_never_two_at_once_and_merges_callers():
    running = 0
    runs = 0

    async def resync() -> None:
        nonlocal running, runs
        running += 1
        runs += 1
        assert running == 1
        await asyncio.sleep(0.02)
        running -= 1

    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, resync)
        await setup.session.start()
        await asyncio.gather(*(setup.session.resync_now("audit") for _ in range(5)))
        assert runs == 2
        first = asyncio.ensure_future(setup.session.resync_now("audit"))
        await until(lambda: running == 1)
        await setup.session.resync_now("what began before this call does not count")
        assert first.done()
        assert runs == 4
        assert setup.session.state is FeedState.LIVE
        assert server.connections == 1
        await setup.session.stop()
        with pytest.raises(TransientFeedError):
            await setup.session.resync_now("not running")


async def test_resync_now_survives_a_lost_connection():
    runs = 0

    async def resync() -> None:
        nonlocal runs
        runs += 1
        if runs == 2:
            raise ValueError("the second one fails")

    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, resync)
        await setup.session.start()
        await asyncio.wait_for(setup.session.resync_now("audit"), 5)
        assert (runs, server.connections) == (3, 2)
        await setup.session.stop()


async def test_consumer_that_raises_stops_nothing():
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        for frame in ("good", "bad", "good"):
            await ws.send(frame)
        await ws.send(b"\xff\xfe", text=True)
        await ws.send("last")
        await hold(ws)

    async with feed_server(script) as server:
        seen: list[bytes] = []

        def on_frame(frame: bytes) -> None:
            if frame == b"bad":
                raise KeyError("what")
            seen.append(frame)

        session = FeedSession(EchoStream(server), on_frame, proxy=None)
        await session.start()
        await until(lambda: b"last" in seen)
        assert seen == [b"good", b"good", b"\xff\xfe", b"last"]
        assert session.health.malformed_frames == 1
        assert session.malformed == ["bad"]
        assert server.connections == 1
        await session.stop()


async def test_frame_of_ten_megabytes_arrives():
    huge = "x" * 10_000_000

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        await ws.send(huge)
        await ws.send("after")
        await hold(ws)

    async with feed_server(script) as server:
        setup = Setup(server)
        await setup.session.start()
        await until(lambda: len(setup.frames) == 2)
        assert [len(frame) for frame in setup.frames] == [10_000_000, 5]
        assert server.connections == 1
        await setup.session.stop()


async def test_frame_above_the_limit_costs_one_connection():
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        await ws.send("x" * 2_000 if number == 1 else "short")
        await hold(ws)

    async with feed_server(script) as server:
        setup = Setup(server, max_frame_bytes=1_000)
        await setup.session.start()
        await until(lambda: setup.frames == [b"short"])
        assert server.connections == 2
        await setup.session.stop()


async def test_what_the_server_sent_before_it_closed_is_delivered():
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        if number == 1:
            for n in range(200):
                await ws.send(str(n))
            return
        await hold(ws)

    async with feed_server(script) as server:
        setup = Setup(server)
        await setup.session.start()
        await until(lambda: server.connections == 2)
        assert setup.frames == [str(n).encode() for n in range(200)]
        await setup.session.stop()


async def test_commands_need_the_subscription_but_not_the_snapshot():
    heard: list[str | bytes] = []
    snapshot = asyncio.Event()

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        heard.append(await ws.recv())
        heard.append(await ws.recv())
        await hold(ws)

    async with feed_server(script) as server:
        setup = Setup(server, snapshot.wait)
        with pytest.raises(SendError, match="not connected"):
            await setup.session.send("too early")
        starting = asyncio.ensure_future(setup.session.start())
        await until(lambda: setup.session.state is FeedState.RESYNCING)
        await setup.session.send(b"order as bytes")
        setup.session.send_soon("pong")
        await until(lambda: heard == ["order as bytes", "pong"])
        snapshot.set()
        await starting
        await setup.session.stop()
        with pytest.raises(SendError, match="not connected"):
            await setup.session.send("too late")
        with pytest.raises(SendError):
            setup.session.send_soon("too late")


async def test_start_twice_is_refused_and_a_stopped_session_starts_again():
    async with feed_server(greet_and_hold) as server:
        setup = Setup(server)
        await setup.session.start()
        with pytest.raises(RuntimeError, match="already running"):
            await setup.session.start()
        await setup.session.stop()
        await setup.session.stop()
        await setup.session.start()
        await until(lambda: setup.frames == [b"hello 1", b"hello 2"])
        await setup.session.stop()
    assert not leaked_tasks()
