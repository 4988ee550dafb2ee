"""Health is told on every change, and errors say what they must and no more."""

import asyncio
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus, InvalidURI
from websockets.frames import Close
from websockets.http11 import Response

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import (
    EXCERPT_LIMIT,
    FatalFeedError,
    FrameError,
    HandshakeTimeout,
    TransientFeedError,
    excerpt,
)
from nautilus_orderfeeds.feed.health import FeedState, Health, HealthMonitor
from nautilus_orderfeeds.feed.tasks import race
from nautilus_orderfeeds.feed.verdict import classify, describe


async def test_every_change_is_told_once():
    clock = ManualClock(start_ns=100)
    told: list[Health] = []
    monitor = HealthMonitor("BSX orders", clock, told.append)
    assert monitor.health == Health(stream="BSX orders", state=FeedState.DOWN, since_ns=100, detail="not started")
    monitor.enter(FeedState.CONNECTING)
    monitor.enter(FeedState.CONNECTING)
    await clock.advance(1)
    monitor.enter(FeedState.CONNECTING, "refused")
    monitor.connected()
    monitor.enter(FeedState.LIVE)
    monitor.frame_received()
    monitor.gap()
    monitor.malformed()
    live_since = 100 + 1_000_000_000
    assert [(h.state, h.since_ns, h.detail) for h in told[:2]] == [
        (FeedState.CONNECTING, 100, ""),
        (FeedState.CONNECTING, 100, "refused"),
    ]
    assert len(told) == 6
    assert (
        told[-1]
        == monitor.health
        == Health(
            stream="BSX orders",
            state=FeedState.LIVE,
            since_ns=live_since,
            last_frame_ns=live_since,
            connects=1,
            gaps=1,
            malformed_frames=1,
        )
    )


def test_callback_that_fails_stops_nothing():
    def fail(health: Health) -> None:
        raise RuntimeError("no bus")

    monitor = HealthMonitor("x", ManualClock(), fail)
    monitor.enter(FeedState.LIVE)
    assert monitor.state is FeedState.LIVE


@given(st.one_of(st.binary(max_size=2000), st.text(max_size=2000)))
def test_excerpt_is_short_and_printable(received: bytes | str):
    shown = excerpt(received)
    assert len(shown) <= EXCERPT_LIMIT
    assert shown.isprintable()


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=EXCERPT_LIMIT))
def test_short_text_is_shown_whole(text: str):
    assert excerpt(text) == excerpt(text.encode()) == text


def test_excerpt_of_a_huge_frame_says_that_it_goes_on():
    assert excerpt(b"x" * 10_000_000) == "x" * (EXCERPT_LIMIT - 3) + "..."
    assert excerpt("é" * 299) == "é" * 299


def test_frame_error_says_what_came_and_what_should_have():
    error = FrameError("BSX", b'{"a":' + b"1" * 1000, "an order update")
    assert str(error).startswith('BSX: received \'{"a":111')
    assert "expected an order update" in str(error)
    assert len(error.received) == EXCERPT_LIMIT


def refused(status: int, **headers: str) -> InvalidStatus:
    return InvalidStatus(Response(status, "Whatever", Headers(headers), b"the body"))


def closed(code: int | None) -> ConnectionClosedError:
    return ConnectionClosedError(None if code is None else Close(code, "the reason"), None)


@pytest.mark.parametrize("exc", [refused(401), refused(403), closed(1008), InvalidURI("ws://u:pw@h?t=1", "bad")])
def test_fatal(exc: Exception):
    verdict = classify(exc)
    assert isinstance(verdict, FatalFeedError)
    assert "pw" not in str(verdict)


@pytest.mark.parametrize(
    "exc",
    [
        *(refused(status) for status in (400, 404, 408, 429, 500, 502, 503, 504)),
        *(closed(code) for code in (None, 1000, 1001, 1006, 1009, 1011, 1012, 1013, 4000)),
        OSError(111, "Connection refused"),
        TimeoutError(),
        EOFError(),
        ssl.SSLError("handshake"),
        KeyError("secret"),
        FrameError("BSX", b"?", "an ack"),
    ],
)
def test_transient(exc: Exception):
    verdict = classify(exc)
    assert isinstance(verdict, TransientFeedError)
    assert verdict.retry_after_secs is None
    assert "secret" not in str(verdict)
    assert str(verdict)


def test_verdicts_are_kept_and_retry_after_is_read():
    for own in (FatalFeedError("no"), TransientFeedError("later", retry_after_secs=3), HandshakeTimeout("late")):
        assert classify(own) is own
    verdict = classify(refused(503, **{"Retry-After": "17"}))
    assert isinstance(verdict, TransientFeedError)
    assert verdict.retry_after_secs == 17.0
    assert "503" in str(verdict)
    assert "the body" in str(verdict)
    assert "1012" in describe(closed(1012))
    assert "the reason" in describe(closed(1012))


async def test_race_ends_all_and_prefers_fatal():
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waiter")

    async def fail(error: Exception) -> None:
        raise error

    async def succeed() -> None:
        return

    await race(wait(), succeed())
    assert ended == ["waiter"]
    with pytest.raises(FatalFeedError):
        await race(fail(TransientFeedError("t")), wait(), fail(FatalFeedError("f")))
    with pytest.raises(KeyError):
        await race(succeed(), fail(KeyError("k")), wait())
    assert ended == ["waiter"] * 3


async def test_race_that_is_cancelled_is_cancelled_even_if_a_child_fails():
    """`asyncio.TaskGroup` swallows the cancellation here (3.12), so that a stopped session would go on."""

    async def fail_when_cancelled() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise TransientFeedError("while closing") from None

    racing = asyncio.ensure_future(race(fail_when_cancelled(), asyncio.Event().wait()))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
