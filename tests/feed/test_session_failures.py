"""What ends a connection or a session: refusals, silence, and being stopped at any moment."""

import asyncio
import logging
import os
import random
from contextlib import suppress

import pytest
from websockets.asyncio.server import ServerConnection

from nautilus_orderfeeds.feed.backoff import Backoff
from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import (
    FatalFeedError,
    FeedError,
    HandshakeTimeout,
    OutcomeUnknown,
    SendError,
    TransientFeedError,
)
from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.feed.stream import Handshake
from tests.support.feed_server import (
    EchoStream,
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


class RefusingStream(EchoStream):
    """Reads the venue's refusal in its handshake."""

    async def handshake(self, conn: Handshake) -> None:
        def welcome(frame: bytes) -> bool:
            if frame == b"bad key":
                raise FatalFeedError("the venue says: bad key; check the credentials")
            return frame == b"welcome"

        await conn.send("login")
        await conn.expect(welcome, 5.0)


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_upgrade_is_fatal_at_start(status: int):
    async with feed_server(greet_and_hold) as server:
        server.refusals = [(status, {}, b"no such key")]
        setup = Setup(server)
        with pytest.raises(FatalFeedError, match=f"{status}.*no such key.*credentials"):
            await setup.session.start()
        assert len(server.requests) == 1
        assert setup.session.state is FeedState.DOWN
        assert setup.fatal == []
        with pytest.raises(FatalFeedError):
            await setup.session.wait_live(1)
    assert not leaked_tasks()


async def test_refusal_wins_over_the_close_that_follows_it_at_once():
    async def script(ws: ServerConnection, number: int) -> None:
        assert await ws.recv() == "login"
        await ws.send("bad key")

    async with feed_server(script) as server:
        setup = Setup(server)
        setup.session = FeedSession(RefusingStream(server), setup.on_frame, backoff=quick_backoff(), proxy=None)
        with pytest.raises(FatalFeedError, match="bad key"):
            await setup.session.start()
        assert server.connections == 1
        assert setup.frames == []
    assert not leaked_tasks()


async def test_refusal_wins_also_if_it_is_read_after_the_close():
    """The connection's end must not cut off a handshake that has not looked at all its frames yet."""

    class Slow(RefusingStream):
        async def handshake(self, conn: Handshake) -> None:
            await conn.send("login")
            await conn.expect(lambda frame: frame == b"hello", 5.0)
            await asyncio.sleep(0.05)
            await super().handshake(Deaf(conn))

    class Deaf:
        """A connection into which nothing can be sent any more, and need not."""

        def __init__(self, conn: Handshake) -> None:
            self.expect = conn.expect

        async def send(self, frame: bytes | str) -> None:
            return

    async def script(ws: ServerConnection, number: int) -> None:
        assert await ws.recv() == "login"
        await ws.send("hello")
        await ws.send("bad key")

    async with feed_server(script) as server:
        setup = Setup(server, stream=Slow(server))
        with pytest.raises(FatalFeedError, match="bad key"):
            await setup.session.start()
        assert server.connections == 1


async def test_only_a_long_live_period_resets_the_backoff():
    clock = ManualClock()
    backoff = quick_backoff(reset_after_secs=30)
    async with feed_server(greet_and_hold) as server:
        server.refusals = [(502, {}, b"")] * 3
        setup = Setup(server, clock=clock, backoff=backoff, start_timeout_secs=1e6)
        starting = asyncio.ensure_future(setup.session.start())

        async def live_after(connections: int) -> None:
            async with asyncio.timeout(10):
                while server.connections < connections or setup.session.state is not FeedState.LIVE:
                    await clock.advance(0.02)
                    await asyncio.sleep(0.002)

        await live_after(1)
        await starting
        assert backoff.attempts == 3
        setup.session.reconnect("at once")
        await live_after(2)
        assert backoff.attempts == 4
        await clock.advance(25)
        await clock.advance(6)
        setup.session.reconnect("after a while")
        await live_after(3)
        assert backoff.attempts == 1
        await setup.session.stop()


async def test_fatal_close_in_mid_life_tells_and_stays_down():
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        await ws.recv()
        await ws.close(1008, "key revoked")

    async with feed_server(script) as server:
        setup = Setup(server)
        await setup.session.start()
        await setup.session.send("go")
        await until(lambda: bool(setup.fatal))
        assert "key revoked" in str(setup.fatal[0])
        assert setup.session.state is FeedState.DOWN
        assert "key revoked" in setup.session.health.detail
        await asyncio.sleep(0.1)
        assert server.connections == 1
        assert not [task for task in leaked_tasks() if task.get_name().startswith("feed ")]
        await setup.session.stop()


async def test_venue_can_say_fatal_from_a_live_frame():
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        await ws.recv()
        await ws.send("code 600010")
        await hold(ws)

    async with feed_server(script) as server:
        setup = Setup(server)
        session = FeedSession(
            setup.stream,
            lambda frame: session.fail(FatalFeedError(frame.decode())),
            on_fatal=setup.fatal.append,
            proxy=None,
        )
        await session.start()
        await session.send("go")
        await until(lambda: bool(setup.fatal))
        with pytest.raises(FatalFeedError, match="600010"):
            await session.wait_live(1)
    assert not leaked_tasks()


async def test_key_that_rest_reports_as_blocked_ends_the_session_between_attempts():
    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, backoff=quick_backoff(initial_secs=0.2, cap_secs=0.2, floor_secs=0.1))
        await setup.session.start()
        setup.session.reconnect("gap")
        await until(lambda: setup.session.state is FeedState.CONNECTING)
        setup.session.fail(TransientFeedError("means nothing now"))
        setup.session.fail(FatalFeedError("key blocked"))
        await until(lambda: bool(setup.fatal))
        assert "key blocked" in str(setup.fatal[0])
        assert server.connections == 1
        await setup.session.start()
        assert server.connections == 2
        await setup.session.stop()
    assert not leaked_tasks()


async def test_text_that_cannot_be_encoded_costs_nothing():
    async with feed_server(greet_and_hold) as server:
        setup = Setup(server)
        await setup.session.start()
        with pytest.raises(UnicodeEncodeError):
            await setup.session.send("\ud800")
        await setup.session.send("fine")
        assert setup.session.state is FeedState.LIVE
        await setup.session.stop()


async def test_classify_of_the_stream_decides():
    class Lenient(EchoStream):
        def classify(self, exc: Exception) -> FatalFeedError | TransientFeedError:
            verdict = super().classify(exc)
            return TransientFeedError(str(verdict)) if isinstance(verdict, FatalFeedError) else verdict

    async with feed_server(greet_and_hold) as server:
        server.refusals = [(403, {}, b""), (401, {}, b"")]
        setup = Setup(server, stream=Lenient(server))
        await setup.session.start()
        assert len(server.requests) == 3
        await setup.session.stop()


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_of_a_refused_upgrade_is_honoured(status: int):
    clock = ManualClock()
    async with feed_server(greet_and_hold) as server:
        server.refusals = [(status, {"Retry-After": "120"}, b"")]
        setup = Setup(server, clock=clock, start_timeout_secs=1e6)
        starting = asyncio.ensure_future(setup.session.start())
        await until(lambda: str(status) in setup.session.health.detail)
        await clock.advance(119.9)
        await asyncio.sleep(0.05)
        assert len(server.requests) == 1
        await clock.advance(0.2)
        await starting
        assert len(server.requests) == 2
        await setup.session.stop()
    assert not leaked_tasks()


async def test_attempts_are_spaced_also_when_the_venue_accepts_and_drops():
    """websockets alone would reconnect without any delay here."""
    clock = ManualClock()

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)

    async with feed_server(script) as server:
        backoff = Backoff(initial_secs=10, cap_secs=1000, floor_secs=5, random=random.Random(3))
        setup = Setup(server, clock=clock, backoff=backoff, start_timeout_secs=1e6)
        starting = asyncio.ensure_future(setup.session.start())
        for n in range(1, 5):
            await until(lambda n=n: server.connections == n and setup.session.state is FeedState.CONNECTING)
            await until(lambda: clock.timers >= 1)
            await asyncio.sleep(0.03)
            await clock.advance(4.9)
            await asyncio.sleep(0.03)
            assert server.connections == n
            await clock.jump()
        await setup.session.stop()
        with suppress(FeedError):
            await starting
    assert not leaked_tasks()


async def test_start_gives_up_naming_the_last_cause():
    async with feed_server(greet_and_hold) as server:
        server.refusals = [(502, {}, b"bad gateway")] * 10_000
        setup = Setup(server, start_timeout_secs=0.2)
        with pytest.raises(TransientFeedError, match=r"not live within 0.2 s.*502.*bad gateway"):
            await setup.session.start()
        asked = len(server.requests)
        assert asked > 1
        await asyncio.sleep(0.1)
        assert len(server.requests) == asked
    assert not leaked_tasks()


async def test_nobody_listens():
    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, start_timeout_secs=0.2)
    with pytest.raises(TransientFeedError, match="last cause"):
        await setup.session.start()
    assert not leaked_tasks()


async def test_invalid_url_is_fatal_and_not_shown():
    async with feed_server(greet_and_hold) as server:
        server.url = "https://example.invalid"
        setup = Setup(server)
        with pytest.raises(FatalFeedError, match="base_url_ws") as caught:
            await setup.session.start()
        assert "sesame" not in str(caught.value)


async def test_redirect_is_not_followed():
    """Headers that are signed for one host are not shown to another."""
    async with feed_server(greet_and_hold) as other, feed_server(greet_and_hold) as server:
        server.refusals = [(307, {"Location": other.url}, b"")]
        setup = Setup(server)
        await setup.session.start()
        assert (other.connections, server.connections) == (0, 1)
        await setup.session.stop()


async def test_missing_answer_in_the_handshake():
    async def script(ws: ServerConnection, number: int) -> None:
        await hold(ws)

    class Impatient(EchoStream):
        async def handshake(self, conn: Handshake) -> None:
            await conn.expect(lambda frame: True, 0.05)

    async with feed_server(script) as server:
        setup = Setup(server, stream=Impatient(server), start_timeout_secs=0.3)
        with pytest.raises(TransientFeedError, match=r"no answer to the handshake within 0.05 s"):
            await setup.session.start()
        assert server.connections > 1


async def test_handshake_that_never_ends():
    class Stuck(EchoStream):
        async def handshake(self, conn: Handshake) -> None:
            await asyncio.Event().wait()

    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, stream=Stuck(server), start_timeout_secs=0.3, handshake_timeout_secs=0.05)
        with pytest.raises(TransientFeedError, match=r"handshake not done within 0.05 s"):
            await setup.session.start()
    assert not leaked_tasks()


async def test_bug_in_the_venues_code_means_another_attempt(caplog: pytest.LogCaptureFixture):
    class Buggy(EchoStream):
        def headers(self) -> dict[str, str]:
            if self.urls_asked == 1:
                raise ValueError("cannot sign with sesame")
            return super().headers()

        async def handshake(self, conn: Handshake) -> None:
            if self.urls_asked < 4:
                raise KeyError("token=sesame")
            await super().handshake(conn)

    async with feed_server(greet_and_hold) as server:
        setup = Setup(server, stream=Buggy(server))
        await setup.session.start()
        assert server.connections == 3
        details = " ".join(change.detail for change in setup.changes)
        assert "unexpected KeyError" in details
        assert "unexpected ValueError" in details
        assert "sesame" not in details
        assert "test_session_failures.py" in caplog.text
        assert "sesame" not in caplog.text
        await setup.session.stop()


async def test_frame_that_breaks_off_while_sending_has_an_unknown_outcome():
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        go_silent(ws)
        await asyncio.sleep(0.1)
        ws.transport.abort()

    async with feed_server(script) as server:
        setup = Setup(server)
        await setup.session.start()
        with pytest.raises(OutcomeUnknown):
            # More than the socket's buffers take, so that it is under way when the connection breaks.
            await setup.session.send(os.urandom(10_000_000).hex())
        with pytest.raises((SendError, OutcomeUnknown)):
            await setup.session.send("next")
        await setup.session.stop()


async def test_no_secret_is_logged_whatever_the_log_level(caplog: pytest.LogCaptureFixture):
    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        if number > 2:
            await hold(ws)

    with caplog.at_level(logging.DEBUG):
        async with feed_server(script) as server:
            server.refusals = [(502, {}, b"")]
            setup = Setup(server)
            await setup.session.start()
            await until(lambda: server.connections == 3 and setup.session.state is FeedState.LIVE)
            await setup.session.stop()
    client_lines = [line for line in caplog.records if not line.name.startswith("websockets.server")]
    assert client_lines
    for line in client_lines:
        assert "sesame" not in line.getMessage()
        assert "login" not in line.getMessage()


async def test_a_timed_out_expect_can_be_survived():
    seen: list[object] = []

    class Optional(EchoStream):
        async def handshake(self, conn: Handshake) -> None:
            with suppress(HandshakeTimeout):
                await conn.expect(lambda frame: frame == b"never", 0.02)
            seen.append(await conn.expect(lambda frame: frame == b"greeting", 5, keep=True))
            await super().handshake(conn)

    async def script(ws: ServerConnection, number: int) -> None:
        await ws.send("greeting")
        await greet_and_hold(ws, number)

    async with feed_server(script) as server:
        setup = Setup(server, stream=Optional(server))
        await setup.session.start()
        await until(lambda: len(setup.frames) == 2)
        assert seen == [b"greeting"]
        assert setup.frames == [b"greeting", b"hello 1"]
        await setup.session.stop()
