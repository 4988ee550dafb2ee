"""Logging in and subscribing: every shape of the venue's answers, and its limits respected."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from nautilus_orderfeeds.feed.clock import LiveClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError
from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.feed.hub import HubSession, open_session
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.venues.sfox.settings import EnterpriseFlag, Limits
from nautilus_orderfeeds.venues.sfox.stream import PrivateStream
from tests.support.feed_server import FeedServer, feed_server, hold, quick_backoff, until
from tests.support.sfox_client import NO_LIMITS, USER, ack, frame, of_user, order, own, settings

OWN_FEEDS = ["private.user.open-orders", "private.user.trades", "private.user.balances"]
USER_FEEDS = [feed.replace("user.", "enterprise.users.") for feed in OWN_FEEDS]


class Venue:
    """The server's side: answers login and subscription as told, then tells `after`."""

    def __init__(self, login: bytes | None = None, subscribed: bytes | None = None, *after: bytes) -> None:
        self.login = ack() if login is None else login
        self.subscribed = ack("subscribe", sequence=2) if subscribed is None else subscribed
        self.after = after
        self.heard: list[dict[str, Any]] = []

    async def __call__(self, ws: ServerConnection, number: int) -> None:
        self.heard.append(json.loads(await ws.recv()))
        await ws.send(self.login.decode())
        self.heard.append(json.loads(await ws.recv()))
        await ws.send(self.subscribed.decode())
        for told in self.after:
            await ws.send(told.decode())
        await hold(ws)


class Client:
    """A session of the private stream, with its frames."""

    def __init__(self, server: FeedServer, **changed: Any) -> None:
        self.frames: list[bytes] = []
        self.stream = PrivateStream(settings(base_url_ws=server.url, **changed), LiveClock())
        self.session = open_session(
            self.stream, self.frames.append, backoff=quick_backoff(), proxy=None, close_timeout_secs=0.2
        )


async def started(venue: Venue, **changed: Any) -> Client:
    async with feed_server(venue) as server:
        client = Client(server, **changed)
        try:
            await client.session.start()
            await until(lambda: len(client.frames) >= len(venue.after))
        finally:
            await client.session.stop()
        return client


async def test_login_then_all_feeds_in_one_request():
    venue = Venue(None, None, own("open-orders", order()))
    client = await started(venue)
    assert isinstance(client.session, FeedSession)
    assert venue.heard == [
        {"type": "authenticate", "apiKey": "test-key"},
        {"type": "subscribe", "feeds": OWN_FEEDS},
    ]
    assert client.frames == [own("open-orders", order())], "acknowledgements are no frames of the feed"


@pytest.mark.parametrize(("flag", "sent"), [(EnterpriseFlag.BOOLEAN, True), (EnterpriseFlag.STRING, "true")])
async def test_an_enterprise_key(flag: EnterpriseFlag, sent: Any):
    venue = Venue()
    client = await started(venue, enterprise=True, user_id=USER, enterprise_flag=flag)
    assert isinstance(client.session, HubSession)
    assert venue.heard[0]["enterprise"] == sent
    assert venue.heard[1]["feeds"] == USER_FEEDS


async def test_data_before_the_acknowledgement_is_kept():
    class Early(Venue):
        async def __call__(self, ws: ServerConnection, number: int) -> None:
            await ws.recv()
            await ws.send(own("open-orders", order(id=1)).decode())
            await ws.send(self.login.decode())
            await ws.recv()
            await ws.send(own("trades").decode())
            await ws.send(self.subscribed.decode())
            await hold(ws)

    client = await started(Early(None, None, b"", b""))
    assert client.frames == [own("open-orders", order(id=1)), own("trades")]


@pytest.mark.parametrize("login", [b'{"type":"success","sequence":1}', ack("authenticate", payload=None)])
async def test_older_acknowledgements(login: bytes):
    await started(Venue(login, b'{"type":"success","sequence":2,"timestamp":1534443719605160397}'))


async def test_a_refused_key_is_fatal_and_names_its_variable():
    with pytest.raises(FatalFeedError, match="SFOX_API_KEY") as refused:
        await started(Venue(ack(type="error")))
    assert "test-key" not in str(refused.value)


async def test_a_refused_login_of_a_key_that_was_good_is_tried_again_after_the_block():
    logins = [ack(), ack(type="error"), ack()]

    class Moody(Venue):
        async def __call__(self, ws: ServerConnection, number: int) -> None:
            self.login = logins[number - 1]
            if number == 1:
                await ws.recv()
                await ws.send(self.login.decode())
                await ws.recv()
                await ws.send(self.subscribed.decode())
                await asyncio.sleep(0.05)
            else:
                await super().__call__(ws, number)

    async with feed_server(Moody()) as server:
        client = Client(server, limits=Limits(ws_requests_per_min=100_000, time_scale=0.002))
        began = asyncio.get_running_loop().time()
        await client.session.start()
        await until(lambda: server.connections == 3 and client.session.state is FeedState.LIVE)
        assert asyncio.get_running_loop().time() - began >= 0.24, "two minutes, scaled"
        await client.session.stop()


async def test_a_login_refused_for_the_limit_is_not_the_keys_fault():
    venue = Venue(ack(type="error", error="rate limit exceeded"))

    async with feed_server(venue) as server:
        client = Client(server, limits=Limits(ws_requests_per_min=100_000, time_scale=0.002))
        starting = asyncio.ensure_future(client.session.start())
        await until(lambda: server.connections == 1 and len(venue.heard) == 1)
        venue.login = ack()
        await starting
        assert server.connections == 2
        await client.session.stop()


@pytest.mark.parametrize("refusal", [ack("subscribe", type="error"), b'{"error":"unknown feed"}'])
async def test_a_refused_subscription_is_tried_again(refusal: bytes):
    venue = Venue(None, refusal)

    async def script(ws: ServerConnection, number: int) -> None:
        await ws.recv()
        await ws.send(ack().decode())
        async for asked in ws:
            venue.heard.append(json.loads(asked))
            await ws.send(venue.subscribed.decode())

    async with feed_server(script) as server:
        client = Client(server)
        starting = asyncio.ensure_future(client.session.start())
        await until(lambda: len(venue.heard) >= 4)
        venue.subscribed = ack("subscribe")
        await starting
        await client.session.stop()
    # Each connection asks for all feeds, then at least for that of the orders.
    assert [each["feeds"] for each in venue.heard[:4]] == [OWN_FEEDS, OWN_FEEDS[:1]] * 2


async def test_a_feed_that_was_not_confirmed_is_logged(caplog: pytest.LogCaptureFixture):
    acked = ack("subscribe", payload={"action": "subscribe", "feeds": OWN_FEEDS[:2]})
    await started(Venue(None, acked))
    assert "did not confirm {'private.user.balances'}" in caplog.text
    caplog.clear()
    await started(Venue(None, ack("subscribe", payload={"action": "subscribe", "feeds": OWN_FEEDS})))
    assert "did not confirm" not in caplog.text


async def test_a_missing_number_opens_the_stream_anew():
    venue = Venue(None, None, own("trades", sequence=3), own("trades", sequence=5))
    async with feed_server(venue) as server:
        client = Client(server, sequence_grace_secs=0.05)
        await client.session.start()
        await until(lambda: client.session.health.gaps == 1)
        venue.after = (own("trades", sequence=4), own("trades", sequence=3))
        await until(lambda: server.connections >= 2 and client.session.state is FeedState.LIVE)
        before = client.session.health.connects
        await asyncio.sleep(0.15)
        assert client.session.health.connects == before, "swapped numbers are none missing"
        await client.session.stop()


async def test_numbers_need_not_be_watched():
    venue = Venue(None, None, own("trades", sequence=3), own("trades", sequence=50))
    async with feed_server(venue) as server:
        client = Client(server, sequence_grace_secs=None)
        await client.session.start()
        await asyncio.sleep(0.1)
        assert (client.session.health.gaps, server.connections) == (0, 1)
        await client.session.stop()


@pytest.mark.parametrize(
    ("connections", "watched"),
    [
        ([(1, 2), (1, 2), (1, 2)], True),
        ([(1, 9), (10, 19), (1, 2), (20, 29), (30, 39)], True),
        ([(1, 9), (10, 19), (20, 29)], False),
        ([(3, 3), (3, 3), (3, 3)], True),
        ([(9, 1), (9, 1), (9, 1)], True),
    ],
)
async def test_numbers_are_watched_until_three_connections_in_a_row_begin_with_a_gap(
    connections: list[tuple[int, int]], watched: bool, caplog: pytest.LogCaptureFixture
):
    stream = PrivateStream(settings(), LiveClock())

    class Conn:
        async def send(self, frame: bytes) -> None:
            """Nobody listens."""

        async def expect(self, predicate: Any, timeout_secs: float = 0.0, *, keep: bool = False) -> bytes:
            return b""

    for first, second in connections:
        await stream.log_in(Conn())  # type: ignore[arg-type]
        for number in (first, second):
            stream.sequence(ack(sequence=number))
    assert (stream.sequence(ack(sequence=77)) == 77) is watched
    assert ("not watched any more" in caplog.text) is not watched


async def test_connecting_again_and_again_stays_within_the_venues_limit():
    """A venue that drops every connection: 2 requests each, 36 a window of 0.6 s here."""
    times: list[float] = []

    async def script(ws: ServerConnection, number: int) -> None:
        await ws.recv()
        times.append(asyncio.get_running_loop().time())
        await ws.send(ack().decode())
        await ws.recv()
        times.append(asyncio.get_running_loop().time())
        await ws.send(ack("subscribe").decode())

    async with feed_server(script) as server:
        client = Client(server, limits=Limits(ws_requests_per_min=36, time_scale=0.01))
        client.session.begin()
        await until(lambda: len(times) >= 100, 20.0)
        await client.session.stop()
    for n, began in enumerate(times):
        assert sum(began <= at < began + 0.6 for at in times[n:]) <= 40
    assert times[-1] - times[0] > 1.0


async def test_the_limit_is_shared_by_all_streams_of_the_process():
    async with feed_server(Venue()) as server:
        limits = Limits(ws_requests_per_min=4, time_scale=0.01)
        clients = [Client(server, limits=limits) for _ in range(3)]
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(client.session.start() for client in clients))
        assert asyncio.get_running_loop().time() - began > 0.6, "6 requests, 4 a window of 0.6 s"
        for client in clients:
            await client.session.stop()


async def test_an_error_after_the_subscription_keeps_us_away_for_the_block():
    stream = PrivateStream(settings(limits=Limits(time_scale=0.002)), LiveClock())
    assert stream.refused("unknown feed") is None
    assert stream.refused("40 requests per minute exceeded: blocked") == pytest.approx(0.24)
    began = asyncio.get_running_loop().time()
    await stream.admit()
    assert asyncio.get_running_loop().time() - began >= 0.23


def test_names_show_no_key():
    enterprise = PrivateStream(settings(enterprise=True, user_id=USER, limits=NO_LIMITS), LiveClock())
    other = PrivateStream(settings(enterprise=True, user_id="other", limits=NO_LIMITS), LiveClock())
    assert enterprise.shared_as == other.shared_as
    assert enterprise.shared_as is not None
    assert "test-key" not in enterprise.shared_as + enterprise.name
    assert PrivateStream(settings(), LiveClock()).shared_as is None
    elsewhere = PrivateStream(settings(enterprise=True, user_id=USER, base_url_ws="ws://127.0.0.1:2/ws"), LiveClock())
    assert elsewhere.shared_as != enterprise.shared_as


def test_frames_that_are_none_have_no_route_and_no_number():
    stream = PrivateStream(settings(enterprise=True, user_id=USER), LiveClock())
    assert stream.routes(ack()) == [(None, ack())]
    assert stream.routes(of_user("eve", "trades")) == [("eve", of_user("eve", "trades"))]
    for nobodys in (frame("private.user.weather", []), frame("private.enterprise.users.trades", [])):
        assert stream.routes(nobodys) == [(None, nobodys)], "it must be counted, or at least kept, by somebody"
    for raw in (b"", b"[1]", b"\xff"):
        with pytest.raises(Exception, match=r".*"):
            stream.routes(raw)
        with pytest.raises(Exception, match=r".*"):
            stream.sequence(raw)


async def test_without_an_answer_the_login_is_given_up():
    async def silent(ws: ServerConnection, number: int) -> None:
        await hold(ws)

    async with feed_server(silent) as server:
        client = Client(server)
        client.session._handshake_timeout_secs = 0.1  # type: ignore[attr-defined]
        client.session._start_timeout_secs = 0.3
        with pytest.raises(TransientFeedError, match="handshake"):
            await client.session.start()
