"""What every venue's REST interface has in common, over real sockets: errors of reads, outcomes of commands."""

import logging
from collections.abc import Mapping
from contextlib import asynccontextmanager

import pytest

from nautilus_orderfeeds.feed.clock import LiveClock, ManualClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FrameError, NotServed, TransientFeedError
from nautilus_orderfeeds.feed.rest import Response, RestClient
from nautilus_orderfeeds.orders.requests import Accepted, Outcome, Refused, Unknown
from nautilus_orderfeeds.venues.rest_api import Request, RestApi, Unreachable, paced
from tests.support.raw_http import Fault, answer, raw_server

SECRET = "opensesame"
CREATE = Request("POST", "/orders", body=b"{}")


def sign(method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
    return {"Tide-Key": SECRET}


@asynccontextmanager
async def api_of(url: str, kind: type[RestApi] = RestApi, prefix: str = ""):
    # One attempt: how reads are repeated is a matter of the client.
    rest = RestClient(url, timeout_secs=5.0, read_attempts=1, trust_env=False)
    api = kind("TIDE", url, rest, sign, prefix)
    try:
        yield api
    finally:
        await api.close()


def accepted(response: Response) -> Outcome:
    return Accepted(response.body.decode())


def refused(response: Response) -> Outcome | None:
    return Refused(response.body.decode()) if response.body else None


async def test_a_read_is_signed_goes_out_with_the_prefix_and_comes_back_decoded():
    async with raw_server(answer(200, b"41")) as server, api_of(server.url, prefix="/v1") as api:
        assert await api.read("/count", int, {"of": "orders"}) == 41
        (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/v1/count?of=orders")
    assert request.headers["Tide-Key"] == SECRET


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_what_an_installation_lacks_is_not_served(status: int):
    async with raw_server(answer(status, b"what?")) as server, api_of(server.url, prefix="/v1") as api:
        with pytest.raises(NotServed) as raised:
            await api.read("/count", int)
    assert str(raised.value) == f"TIDE: GET /count is not served here (HTTP {status}: what?)"


@pytest.mark.parametrize("status", [302, 400, 401, 403, 409, 429, 500, 503])
async def test_another_failure_is_for_now_and_keeps_what_the_venue_asks_for(status: int):
    async with raw_server(answer(status, b"", Retry_After="7")) as server, api_of(server.url) as api:
        with pytest.raises(TransientFeedError) as raised:
            await api.read("/count", int)
    assert not isinstance(raised.value, NotServed | Unreachable)
    assert str(raised.value) == f"TIDE: GET /count failed with HTTP {status} without a body"
    assert raised.value.retry_after_secs == 7.0


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.RESET, Fault.CUT])
async def test_a_host_that_gives_no_answer_is_named(fault: Fault):
    async with raw_server(fault) as server, api_of(server.url) as api:
        with pytest.raises(Unreachable, match=f"^TIDE: cannot reach {server.url}: "):
            await api.read("/count", int)
        with pytest.raises(Unreachable):
            await api.optional("/count", int)


async def test_an_unreadable_answer_is_for_now_and_a_malformed_one_keeps_its_words():
    def malformed(body: bytes) -> int:
        raise FrameError("TIDE", body, "a count")

    async with raw_server(answer(200, b"many")) as server, api_of(server.url) as api:
        with pytest.raises(TransientFeedError, match="TIDE: unreadable answer to GET /count: invalid literal"):
            await api.read("/count", int)
        with pytest.raises(FrameError, match="expected a count"):
            await api.read("/count", malformed)


async def test_what_may_be_lacking_is_none_and_warned_of_once(caplog: pytest.LogCaptureFixture):
    async with raw_server(answer(404), answer(404), answer(404), answer(500)) as server, api_of(server.url) as api:
        with caplog.at_level(logging.WARNING):
            assert await api.optional("/count", int) is None
            assert await api.optional("/count", int) is None
            assert await api.optional("/other", int) is None
        assert api.missed == {"/count", "/other"}
        with pytest.raises(TransientFeedError):
            await api.optional("/count", int)
    assert [record.message.partition(" (")[0] for record in caplog.records] == [
        "TIDE: GET /count is not served here",
        "TIDE: GET /other is not served here",
    ]
    assert all(record.message.endswith("; going on without what it would tell") for record in caplog.records)


async def test_what_is_not_found_is_none_and_all_else_raises_as_a_read():
    answers = (answer(200, b"5"), answer(404), answer(405), answer(500))
    async with raw_server(*answers) as server, api_of(server.url, prefix="/v1") as api:
        assert await api.find("/count", int, {"of": "orders"}) == 5
        assert await api.find("/count", int) is None
        with pytest.raises(NotServed):
            await api.find("/count", int)
        with pytest.raises(TransientFeedError, match="failed with HTTP 500"):
            await api.find("/count", int)
        assert server.requests[0].target == "/v1/count?of=orders"


class KeyedApi(RestApi):
    """A venue that says how it refuses a key, and shows answers in words of its own."""

    def check(self, path: str, response: Response) -> None:
        if response.status == 404:
            raise FatalFeedError("TIDE: bad key")
        super().check(path, response)

    def said(self, response: Response) -> str:
        return f"status {response.status}"


async def test_a_venues_own_check_comes_first():
    async with raw_server(answer(404), answer(405), answer(400)) as server, api_of(server.url, KeyedApi) as api:
        with pytest.raises(FatalFeedError, match="bad key"):
            await api.optional("/count", int)
        with pytest.raises(NotServed, match=r"here \(status 405\)"):
            await api.read("/count", int)
        with pytest.raises(TransientFeedError, match="failed with status 400"):
            await api.read("/count", int)


class TwiceApi(RestApi):
    """A venue that wants everything twice."""

    async def exchange(self, request: Request) -> Response:
        await super().exchange(request)
        return await super().exchange(request)


async def test_reads_and_commands_go_out_by_one_way():
    async with raw_server(answer(200, b"5")) as server, api_of(server.url, TwiceApi) as api:
        await api.read("/count", int)
        await api.outcome(CREATE, ok=accepted, refused=refused)
        assert [request.method for request in server.requests] == ["GET", "GET", "POST", "POST"]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"T1", Accepted),
        (201, b"T1", Accepted),
        (400, b"too small", Refused),
        (401, b"who are you", Refused),
        (404, b"no such order", Refused),
        (400, b"", Unknown),  # not the venue's own word
        (302, b"elsewhere", Unknown),
        (408, b"too slow", Unknown),
        (429, b"too often", Unknown),
        (500, b"too small", Unknown),
        (501, b"no such call", Unknown),
        (503, b"too busy", Unknown),
    ],
)
async def test_only_the_venues_own_word_refuses_a_command(status: int, body: bytes, outcome: type):
    async with raw_server(answer(status, body)) as server, api_of(server.url) as api:
        found = await api.outcome(CREATE, ok=accepted, refused=refused)
        assert type(found) is outcome
        assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.RESET, Fault.CUT])
async def test_a_command_without_an_answer_is_unknown_and_sent_once(fault: Fault):
    async with raw_server(fault, answer(200)) as server, api_of(server.url) as api:
        assert isinstance(await api.outcome(CREATE, ok=accepted, refused=refused), Unknown)
        assert len(server.requests) == 1


async def test_a_command_that_never_left_is_refused():
    async with raw_server(answer(200)) as server:
        url = server.url
    async with api_of(url) as api:
        found = await api.outcome(CREATE, ok=accepted, refused=refused)
    assert isinstance(found, Refused)
    assert found.reason.startswith("not sent: ")


async def test_no_message_shows_a_header_or_a_query():
    told: list[str] = []
    for what in (answer(404), answer(500), Fault.CLOSE):
        async with raw_server(what) as server, api_of(server.url) as api:
            with pytest.raises(TransientFeedError) as raised:
                await api.read("/count", int, {"token": SECRET})
            told.append(str(raised.value))
            told.append(str(await api.outcome(Request("POST", "/x", {"token": SECRET}), ok=accepted, refused=refused)))
    assert SECRET not in " ".join(told)


async def test_clients_of_one_key_at_one_host_share_a_limit():
    clock = ManualClock(0)
    limiter = paced("http://a", "key", 2, clock)
    assert paced("http://a", "key", 2, LiveClock()) is limiter
    assert paced("http://a", "other", 2, clock) is not limiter
    assert paced("http://b", "key", 2, clock) is not limiter
