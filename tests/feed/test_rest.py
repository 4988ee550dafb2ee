"""The REST client over real sockets: exact bytes, and endings that an order can be judged by."""

import asyncio
import logging
import random
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FeedError, NotSent, OutcomeUnknown
from nautilus_orderfeeds.feed.limits import Priority, Rate, RateLimiter
from nautilus_orderfeeds.feed.rest import RestClient
from tests.support.feed_server import leaked_tasks, until
from tests.support.raw_http import Fault, answer, raw_server


class Recording:
    """A signer that remembers what it was asked to sign."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, bytes]] = []

    def __call__(self, method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
        self.asked.append((method, path, query, body))
        return {"X-Secret": f"opensesame {len(self.asked)}"}


@asynccontextmanager
async def client_of(url: str, **options):
    options.setdefault("trust_env", False)
    client = RestClient(url, random=random.Random(1), **options)
    try:
        yield client
    finally:
        await client.close()


@settings(max_examples=40, deadline=None)
@given(
    body=st.binary(max_size=200),
    segment=st.sampled_from(["a b", "é", "%2F", "a%20b", "a+b", "a:b@c", "~x", "a;b", "(x)", "a%7Eb", "%3a"]),
    query=st.sampled_from(["", "a=1&b=2", "b=2&a=1", "x=%2F", "x=%2f", "x=a+b", "x=a:b,c", "q", "x=%41", "x=;"]),
    method=st.sampled_from(["GET", "POST", "DELETE", "PATCH", "PUT"]),
)
def test_bytes_go_out_as_given_and_as_signed(body: bytes, segment: str, query: str, method: str):
    path = "/v1/" + "".join(c if c.isascii() and c != " " else "%20" for c in segment)

    async def run() -> None:
        signer = Recording()
        async with raw_server(answer(200)) as server, client_of(server.url + "/prefix") as client:
            await client.request(method, path, params=query, body=body, auth=signer)
            request = server.requests[0]
        assert signer.asked == [(method, "/prefix" + path, query, body)]
        assert request.method == method
        assert request.target == "/prefix" + path + (f"?{query}" if query else "")
        assert request.body == body
        assert request.headers["X-Secret"] == "opensesame 1"

    asyncio.run(run())


async def test_pairs_are_percent_encoded_and_signed_as_sent():
    signer = Recording()
    async with raw_server(answer(200)) as server, client_of(server.url) as client:
        await client.request("GET", "/o", params={"ids": "a,b", "name": "x y&z"}, auth=signer)
        await client.request("GET", "/o", params=[("k", "1"), ("k", "2")], auth=signer)
        targets = [request.target for request in server.requests]
    assert targets == ["/o?ids=a%2Cb&name=x%20y%26z", "/o?k=1&k=2"]
    assert [asked[2] for asked in signer.asked] == ["ids=a%2Cb&name=x%20y%26z", "k=1&k=2"]


async def test_answer_is_returned_whatever_its_status():
    async with raw_server(answer(422, b'{"error":"no"}', X_Thing="1")) as server, client_of(server.url) as client:
        response = await client.request("POST", "/orders", body=b"{}")
        assert (response.status, response.body, response.ok) == (422, b'{"error":"no"}', False)
        assert response.headers["x-thing"] == "1"
        assert server.requests[0].headers["Content-Type"] == "application/json"
        assert 0 < response.sent_ns <= response.received_ns
        assert response.elapsed_secs >= 0
        assert "Content-Type" not in (await _headers_of_plain_get(client, server))


async def _headers_of_plain_get(client, server) -> dict[str, str]:
    await client.request("GET", "/x")
    return server.requests[-1].headers


async def test_redirects_are_not_followed():
    async with raw_server(answer(307, b"", Location="http://127.0.0.1:9/")) as server, client_of(server.url) as c:
        assert (await c.request("POST", "/orders", body=b"{}", headers={"X": "1"})).status == 307
        assert len(server.requests) == 1


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_command_that_may_have_left_has_an_unknown_outcome_and_is_sent_once(method: str, fault: Fault):
    async with raw_server(fault) as server, client_of(server.url, timeout_secs=0.2) as client:
        with pytest.raises(OutcomeUnknown, match="/orders"):
            await client.request(method, "/orders", body=b"{}")
        assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
async def test_command_on_a_connection_that_died_is_not_sent_again(method: str):
    """aiohttp by itself sends PUT and DELETE a second time here."""
    async with raw_server(answer(200), Fault.CLOSE, answer(200)) as server, client_of(server.url) as client:
        await client.request("GET", "/warm-up")
        with pytest.raises(OutcomeUnknown):
            await client.request(method, "/orders")
        assert server.connections == 1
        assert len(server.requests) == 2


async def test_refused_connection_was_not_sent():
    async with raw_server(answer(200)) as server:
        url = server.url
    async with client_of(url) as client:
        with pytest.raises(NotSent, match="cannot connect"):
            await client.request("POST", "/orders", body=b"{}")


async def test_unknown_host_was_not_sent():
    async with client_of("http://no-such-host.invalid") as client:
        with pytest.raises(NotSent):
            await client.request("POST", "/orders", body=b"{}")


async def test_tls_that_fails_was_not_sent():
    async with raw_server(answer(200)) as server, client_of(server.url.replace("http", "https")) as client:
        server.answers = [Fault.CLOSE]
        with pytest.raises(NotSent):
            await client.request("POST", "/orders", body=b"{}", timeout_secs=1)


async def test_time_that_runs_out_in_the_limiter_was_not_sent():
    limiter = RateLimiter({"create": Rate(1, 60)})
    async with raw_server(answer(200)) as server, client_of(server.url, limiter=limiter) as client:
        await client.request("POST", "/orders", body=b"1", route="create")
        with pytest.raises(NotSent, match="still waiting to be sent"):
            await client.request("POST", "/orders", body=b"2", route="create", timeout_secs=0.05)
        assert [request.body for request in server.requests] == [b"1"]


async def test_time_that_runs_out_waiting_for_a_pooled_connection_was_not_sent():
    async with raw_server(Fault.HANG) as server, client_of(server.url, max_connections=1) as client:
        first = asyncio.ensure_future(client.request("POST", "/orders", body=b"1", timeout_secs=0.4))
        await until(lambda: len(server.requests) == 1)
        with pytest.raises(NotSent):
            await client.request("POST", "/orders", body=b"2", timeout_secs=0.05)
        with pytest.raises(OutcomeUnknown):
            await first
        assert len(server.requests) == 1


async def test_answer_that_is_too_long_is_unknown():
    async with raw_server(answer(200, b"x" * 2000)) as server, client_of(server.url, max_body_bytes=1000) as client:
        with pytest.raises(OutcomeUnknown, match="longer than 1000 bytes"):
            await client.request("POST", "/orders", body=b"{}")


@pytest.mark.parametrize("bad", [answer(429), answer(500), answer(503), Fault.CLOSE, Fault.CUT, Fault.RESET])
async def test_read_is_repeated(bad: bytes | Fault):
    async with raw_server(bad, bad, answer(200, b"good")) as server, client_of(server.url) as client:
        assert (await client.request("GET", "/orders")).body == b"good"
        assert len(server.requests) == 3


async def test_read_is_repeated_a_bounded_number_of_times_and_freshly_signed():
    signer = Recording()
    async with raw_server(answer(500, b"broken")) as server, client_of(server.url, read_attempts=3) as client:
        response = await client.request("GET", "/orders", auth=signer)
        assert (response.status, response.body) == (500, b"broken")
        assert [r.headers["X-Secret"] for r in server.requests] == [f"opensesame {n}" for n in (1, 2, 3)]
    async with raw_server(Fault.CLOSE) as server, client_of(server.url, read_attempts=2) as client:
        with pytest.raises(OutcomeUnknown):
            await client.request("GET", "/orders")
        assert len(server.requests) == 2


@pytest.mark.parametrize(("method", "repeat"), [("POST", True), ("DELETE", True), ("GET", False)])
async def test_what_is_no_repeatable_read_goes_out_once(method: str, repeat: bool):
    async with raw_server(answer(503)) as server, client_of(server.url) as client:
        assert (await client.request(method, "/orders", repeat=repeat)).status == 503
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [404, 400, 401])
async def test_definite_answer_is_not_repeated(status: int):
    async with raw_server(answer(status)) as server, client_of(server.url) as client:
        assert (await client.request("GET", "/orders")).status == status
        assert len(server.requests) == 1


async def test_retry_after_is_honoured_between_reads():
    clock = ManualClock()
    answers = [answer(429, Retry_After="7"), answer(200)]
    async with raw_server(*answers) as server, client_of(server.url, clock=clock) as client:
        read = asyncio.ensure_future(client.request("GET", "/orders"))
        await until(lambda: len(server.requests) == 1 and clock.timers == 1)
        await asyncio.sleep(0.05)
        await clock.advance(6.9)
        await asyncio.sleep(0.05)
        assert len(server.requests) == 1
        await clock.advance(1.0)
        assert (await read).status == 200


async def test_retry_after_beyond_reason_is_handed_to_the_caller():
    async with raw_server(answer(503, Retry_After="600"), answer(200)) as server, client_of(server.url) as client:
        response = await client.request("GET", "/orders")
        assert (response.status, response.retry_after_secs) == (503, 600.0)


async def test_429_pauses_its_route():
    limiter = RateLimiter({"orders": Rate(100, 1, pause_secs=0.0)})
    answers = [answer(429, Retry_After="60"), answer(200)]
    async with raw_server(*answers) as server, client_of(server.url, limiter=limiter) as client:
        assert (await client.request("POST", "/orders", route="orders")).status == 429
        with pytest.raises(NotSent):
            await client.request("DELETE", "/orders", route="orders", timeout_secs=0.05)
        other = await client.request("DELETE", "/x", route="other", priority=Priority.CANCEL)
        assert other.status == 200


async def test_no_secret_in_errors_logs_or_repr(caplog: pytest.LogCaptureFixture):
    faults: list[bytes | Fault] = [Fault.CLOSE, Fault.RESET, Fault.HANG, Fault.CUT, b"garbage\r\n\r\n"]
    caplog.set_level(logging.DEBUG)
    secrets: dict[str, Any] = {"params": "token=opensesame", "body": b"opensesame", "auth": Recording()}
    async with (
        raw_server(*faults, answer(200, Set_Cookie="opensesame")) as server,
        client_of(server.url, timeout_secs=0.2) as client,
    ):
        for _ in faults:
            with pytest.raises(FeedError) as caught:
                await client.request("POST", "/orders", **secrets)
            assert "sesame" not in f"{caught.value} {caught.value!r}"
        response = await client.request("POST", "/orders", **secrets)
        assert "sesame" not in repr(response) + repr(client)
    assert "sesame" not in caplog.text


@pytest.mark.parametrize(
    "url", ["ftp://host", "host/path", "https://", "https://user:word@host", "https://host/p?token=1"]
)
def test_base_url_is_checked_and_never_shown(url: str):
    with pytest.raises(ValueError, match="expected a base URL") as caught:
        RestClient(url)
    assert "word" not in str(caught.value)
    assert "token" not in str(caught.value)


async def test_close_leaves_nothing_and_client_is_usable_again():
    async with raw_server(answer(200)) as server:
        client = RestClient(server.url, trust_env=False)
        await client.close()
        await client.request("GET", "/")
        await client.close()
        await client.request("GET", "/")
        await client.close()
        assert len(server.requests) == 2
    await asyncio.sleep(0.01)
    assert not leaked_tasks()


async def test_a_read_that_was_to_be_repeated_ends_with_the_client():
    """It would open connections that nobody closes any more."""
    async with raw_server(answer(503), answer(200)) as server:
        client = RestClient(server.url, trust_env=False, read_attempts=2)
        task = asyncio.ensure_future(client.request("GET", "/"))
        await until(lambda: len(server.requests) == 1)
        await asyncio.sleep(0.02)
        await client.close()
        with pytest.raises((NotSent, OutcomeUnknown)):
            await task
        assert client._session is None
        assert len(server.requests) == 1


async def test_cancelled_request_is_cancelled():
    async with raw_server(Fault.HANG) as server, client_of(server.url) as client:
        task = asyncio.ensure_future(client.request("POST", "/orders", body=b"{}"))
        await until(lambda: len(server.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
