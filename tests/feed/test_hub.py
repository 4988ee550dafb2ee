"""One connection for several clients: each gets its own frames, all of them, and nobody else's."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from nautilus_orderfeeds.feed.clock import LiveClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, SendError, TransientFeedError
from nautilus_orderfeeds.feed.health import FeedState, Health, HealthMonitor
from nautilus_orderfeeds.feed.hub import HubSession, open_session
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.feed.stream import Direction, Handshake
from tests.support.feed_server import (
    EchoStream,
    FeedServer,
    feed_server,
    greet,
    hold,
    leaked_tasks,
    quick_backoff,
    until,
)


class SharedStream(EchoStream):
    """Frames like `ann:3`, whose part before the colon says whose they are; `ann+bob:3` is for both."""

    shared_as = "TEST shared"

    def __init__(self, server: FeedServer, user: str | None) -> None:
        super().__init__(server)
        self.claims = user

    def routes(self, frame: bytes) -> Sequence[tuple[str | None, bytes]]:
        names, colon, rest = frame.decode().partition(":")
        if not colon:
            return [(None, frame)]
        return [(name, f"{name}:{rest}".encode()) for name in names.split("+")]


class Member:
    """One client's session, with everything it told."""

    def __init__(
        self,
        server: FeedServer,
        user: str | None,
        resync: Callable[[], Awaitable[None]] | None = None,
        **options: Any,
    ) -> None:
        self.user = user
        self.frames: list[str] = []
        self.changes: list[Health] = []
        self.fatal: list[FatalFeedError] = []
        monitor = HealthMonitor("TEST", LiveClock(), self.changes.append)
        defaults: dict[str, Any] = {"proxy": None, "backoff": quick_backoff(), "close_timeout_secs": 0.3}
        self.session = open_session(
            SharedStream(server, user),
            lambda frame: self.frames.append(frame.decode()),
            resync,
            monitor=monitor,
            on_fatal=self.fatal.append,
            **(defaults | options),
        )

    @property
    def states(self) -> list[FeedState]:
        states: list[FeedState] = []
        for change in self.changes:
            if not states or states[-1] is not change.state:
                states.append(change.state)
        return states


class Script:
    """A server that greets, tells `greeting`, and then sends what it is told to."""

    def __init__(self, *greeting: str) -> None:
        self.greeting = greeting
        self.socket: ServerConnection | None = None

    async def __call__(self, ws: ServerConnection, number: int) -> None:
        await greet(ws, after=self.greeting)
        self.socket = ws
        await hold(ws)

    async def send(self, *frames: str) -> None:
        assert self.socket is not None
        for frame in frames:
            await self.socket.send(frame)


async def stop(*members: Member) -> None:
    for member in members:
        await member.session.stop()
    assert not leaked_tasks() - server_tasks()


def server_tasks() -> set[Any]:
    """Tasks of the test's own server."""
    return {task for task in asyncio.all_tasks() if "websockets" in repr(task.get_coro()) or "handler" in repr(task)}


async def test_a_stream_of_its_own_needs_no_hub():
    async with feed_server(Script()) as server:
        session = open_session(EchoStream(server), lambda frame: None, proxy=None)
        assert isinstance(session, FeedSession)


async def test_each_session_gets_its_own_frames_and_no_others():
    script = Script()
    async with feed_server(script) as server:
        ann, bob = Member(server, "ann"), Member(server, "bob")
        assert isinstance(ann.session, HubSession)
        await asyncio.gather(ann.session.start(), bob.session.start())
        await script.send("ann:1", "bob:1", "ann:2", "bob:2")
        await until(lambda: len(ann.frames) + len(bob.frames) == 4)
        assert ann.frames == ["ann:1", "ann:2"]
        assert bob.frames == ["bob:1", "bob:2"]
        assert server.connections == 1
        await stop(ann, bob)


async def test_what_nobody_claims_goes_to_exactly_one():
    script = Script()
    async with feed_server(script) as server:
        ann, bob = Member(server, "ann"), Member(server, "bob")
        await ann.session.start()
        await bob.session.start()
        await script.send("eve:1", "note", "bob:1")
        await until(lambda: len(ann.frames) + len(bob.frames) == 3)
        assert ann.frames == ["eve:1", "note"]
        assert bob.frames == ["bob:1"]
        await ann.session.stop()
        await script.send("eve:2", "ann:1")
        await until(lambda: len(bob.frames) == 3)
        assert bob.frames == ["bob:1", "eve:2", "ann:1"]
        await stop(bob)


async def test_a_frame_about_several_is_taken_apart():
    script = Script()
    async with feed_server(script) as server:
        ann, bob = Member(server, "ann"), Member(server, "bob")
        await ann.session.start()
        await bob.session.start()
        await script.send("bob+ann+eve:7")
        await until(lambda: len(ann.frames) + len(bob.frames) == 3)
        assert ann.frames == ["ann:7", "eve:7"]
        assert bob.frames == ["bob:7"]
        await stop(ann, bob)


async def test_the_last_to_leave_closes_the_connection_and_the_next_opens_a_new_one():
    script = Script()
    async with feed_server(script) as server:
        ann, bob = Member(server, "ann"), Member(server, "bob")
        await ann.session.start()
        await bob.session.start()
        await ann.session.stop()
        assert len(server.handlers) == 1
        await script.send("bob:1")
        await until(lambda: bob.frames == ["bob:1"])
        await bob.session.stop()
        await until(lambda: not server.handlers)
        assert ann.session.state is FeedState.DOWN
        await ann.session.start()
        assert server.connections == 2
        await script.send("ann:1")
        await until(lambda: ann.frames == ["ann:1"])
        await stop(ann)


async def test_a_latecomer_takes_its_snapshot_while_the_others_are_live():
    script = Script()
    release = asyncio.Event()
    async with feed_server(script) as server:
        ann, bob = Member(server, "ann"), Member(server, "bob", release.wait)
        await ann.session.start()
        starting = asyncio.ensure_future(bob.session.start())
        await until(lambda: bob.session.state is FeedState.RESYNCING)
        await script.send("bob:1", "ann:1")
        await until(lambda: ann.frames == ["ann:1"])
        assert bob.frames == []
        assert ann.session.state is FeedState.LIVE
        release.set()
        await starting
        assert bob.frames == ["bob:1"]
        assert bob.states == [FeedState.CONNECTING, FeedState.RESYNCING, FeedState.LIVE]
        await stop(ann, bob)


async def test_frames_of_the_handshake_wait_for_the_snapshot():
    order: list[str] = []

    async def snapshot() -> None:
        await asyncio.sleep(0.05)
        order.append("snapshot")

    async with feed_server(Script("ann:1")) as server:
        ann = Member(server, "ann", snapshot)
        await ann.session.start()
        order += ann.frames
        assert order == ["snapshot", "ann:1"]
        await stop(ann)


async def test_a_snapshot_that_fails_is_tried_again_and_hurts_nobody_else():
    script = Script()
    attempts = 0

    async def snapshot() -> None:
        nonlocal attempts
        attempts += 1
        await script.send(f"bob:{attempts}")
        await asyncio.sleep(0.05)
        if attempts < 3:
            raise TransientFeedError("venue busy")

    async with feed_server(script) as server:
        ann, bob = Member(server, "ann"), Member(server, "bob", snapshot, random=random.Random(1))
        await ann.session.start()
        await bob.session.start()
        assert attempts == 3
        assert bob.frames == ["bob:1", "bob:2", "bob:3"]
        assert server.connections == 1
        assert ann.states == [FeedState.CONNECTING, FeedState.LIVE]
        await stop(ann, bob)


async def test_a_snapshot_refused_for_good_ends_only_that_session():
    script = Script()

    async def snapshot() -> None:
        raise FatalFeedError("token refused")

    async with feed_server(script) as server:
        ann, bob = Member(server, "ann"), Member(server, "bob", snapshot)
        await ann.session.start()
        with pytest.raises(FatalFeedError, match="token refused"):
            await bob.session.start()
        assert bob.session.state is FeedState.DOWN
        await script.send("bob:1", "ann:1")
        await until(lambda: len(ann.frames) == 2)
        assert ann.session.state is FeedState.LIVE
        await stop(ann, bob)


async def test_after_a_lost_connection_each_takes_its_own_snapshot_again():
    script = Script()
    taken: list[str] = []

    def snapshot_of(user: str) -> Callable[[], Awaitable[None]]:
        async def snapshot() -> None:
            taken.append(user)
            await asyncio.sleep(0.01)

        return snapshot

    async with feed_server(script) as server:
        members = [Member(server, user, snapshot_of(user)) for user in ("ann", "bob", "cat")]
        for member in members:
            await member.session.start()
        assert script.socket is not None
        script.socket.transport.abort()
        await until(lambda: server.connections == 2)
        await until(lambda: all(member.session.state is FeedState.LIVE for member in members) and len(taken) == 6)
        await script.send("cat:1", "ann:1")
        await until(lambda: members[2].frames == ["cat:1"])
        live = [FeedState.CONNECTING, FeedState.RESYNCING, FeedState.LIVE]
        assert sorted(taken) == ["ann", "ann", "bob", "bob", "cat", "cat"]
        for member in members:
            assert member.states == live + live
            assert member.session.health.connects == (2 if member is members[0] else 1)
        await stop(*members)


async def test_a_connection_lost_during_a_snapshot_cancels_it_and_keeps_what_came():
    script = Script()
    calls = 0

    async def snapshot() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await script.send("ann:1")
            await asyncio.sleep(0.05)
            assert script.socket is not None
            script.socket.transport.abort()
            await asyncio.sleep(60)

    async with feed_server(script) as server:
        ann = Member(server, "ann", snapshot)
        await ann.session.start()
        assert calls == 2
        assert ann.frames == ["ann:1"]
        await stop(ann)


async def test_reconnecting_for_one_is_reconnecting_for_all_and_counted_by_all():
    async with feed_server(Script()) as server:
        ann, bob = Member(server, "ann"), Member(server, "bob")
        await ann.session.start()
        await bob.session.start()
        bob.session.reconnect("gap")
        await until(lambda: server.connections == 2)
        await until(lambda: ann.session.state is FeedState.LIVE and bob.session.state is FeedState.LIVE)
        assert ann.session.health.gaps == bob.session.health.gaps == 1
        bob.session.fail(TransientFeedError("the venue said so"))
        await until(lambda: server.connections == 3)
        await until(lambda: ann.session.state is FeedState.LIVE)
        bob.session.fail(FatalFeedError("only bob"))
        await until(lambda: bob.session.state is FeedState.DOWN)
        assert [str(error) for error in bob.fatal] == ["only bob"]
        assert ann.session.state is FeedState.LIVE
        assert server.connections == 3
        await stop(ann, bob)


class RefusingStream(SharedStream):
    async def handshake(self, conn: Handshake) -> None:
        raise FatalFeedError("key refused")


async def test_a_refused_key_is_told_to_all():
    async with feed_server(Script()) as server:
        members = [Member(server, user) for user in ("ann", "bob")]
        for member in members:
            member.session._stream = RefusingStream(server, member.user)  # type: ignore[attr-defined]
        results = await asyncio.gather(*(member.session.start() for member in members), return_exceptions=True)
        assert [type(result) for result in results] == [FatalFeedError, FatalFeedError]
        assert all("key refused" in str(result) for result in results)
        await stop(*members)


async def test_a_route_can_be_claimed_once():
    async with feed_server(Script()) as server:
        ann, again = Member(server, "ann"), Member(server, "ann")
        await ann.session.start()
        with pytest.raises(FatalFeedError, match="'ann' already"):
            await again.session.start()
        assert ann.session.state is FeedState.LIVE
        await ann.session.stop()
        await again.session.start()
        await stop(again)


async def test_not_live_in_time_names_the_cause():
    async with feed_server(Script()) as server:
        server.refusals += [(503, {}, b"maintenance")] * 1000
        ann = Member(server, "ann", start_timeout_secs=0.2)
        with pytest.raises(TransientFeedError, match=r"not live within 0.2 s; last cause: .*503"):
            await ann.session.start()
        assert ann.session.state is FeedState.DOWN
        await stop(ann)


async def test_sending_and_asking_for_snapshots():
    script = Script()
    taken = 0

    async def snapshot() -> None:
        nonlocal taken
        taken += 1

    async with feed_server(script) as server:
        ann = Member(server, "ann", snapshot)
        with pytest.raises(SendError):
            await ann.session.send("too early")
        with pytest.raises(SendError):
            ann.session.send_soon("too early")
        with pytest.raises(TransientFeedError, match="start it first"):
            await ann.session.resync_now("test")
        await ann.session.start()
        await ann.session.resync_now("test")
        assert taken == 2
        ann.session.request_resync("again")
        await until(lambda: taken == 3)
        await ann.session.send("hello")
        ann.session.send_soon("world")
        await until(lambda: script.socket is not None and ann.session.state is FeedState.LIVE)
        with pytest.raises(RuntimeError, match="already running"):
            await ann.session.start()
        await stop(ann)


async def test_a_recorder_sees_its_own_frames_only_and_its_failure_does_not_matter():
    class Sink:
        def __init__(self) -> None:
            self.frames: list[bytes] = []

        def record(self, direction: Direction, stream: str, frame: bytes) -> None:
            self.frames.append(frame)
            if frame == b"ann:2":
                raise OSError("disk full")

    script = Script()
    sink = Sink()
    async with feed_server(script) as server:
        ann, bob = Member(server, "ann", sink=sink), Member(server, "bob")
        await ann.session.start()
        await bob.session.start()
        await script.send("bob:1", "ann:1", "ann:2", "ann:3")
        await until(lambda: len(ann.frames) == 3)
        assert sink.frames == [b"ann:1", b"ann:2"]
        await stop(ann, bob)


async def test_coming_and_going_loses_nothing():
    """Members join, leave and lose their connection at random; what is sent while they are there reaches them, once."""
    script = Script()
    rng = random.Random(5)
    async with feed_server(script) as server:
        anchor = Member(server, None)
        await anchor.session.start()
        members = {user: Member(server, user) for user in "abcdefgh"}
        there: set[str] = set()
        sent: dict[str, list[str]] = {user: [] for user in members}
        strays: list[str] = []
        for n in range(300):
            user = rng.choice(sorted(members))
            match rng.random():
                case chance if chance < 0.1 and user not in there:
                    await members[user].session.start()
                    there.add(user)
                case chance if chance < 0.2 and user in there:
                    await until(lambda user=user: members[user].frames == sent[user])
                    await members[user].session.stop()
                    there.discard(user)
                case _:
                    frame = f"{user}:{n}"
                    await script.send(frame)
                    (sent[user] if user in there else strays).append(frame)
                    if user not in there:
                        await until(lambda: anchor.frames == strays)
        await until(lambda: all(members[user].frames == sent[user] for user in members))
        assert anchor.frames == strays
        assert server.connections == 1
        await stop(anchor, *members.values())
