"""User tokens: made at the start, renewed before they end and when they are refused, never shown."""

import asyncio
import json
import logging
from typing import Any

import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError
from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.orders.requests import Accepted, Refused
from nautilus_orderfeeds.venues.rest_api import Request
from nautilus_orderfeeds.venues.sfox.api import SfoxApi
from nautilus_orderfeeds.venues.times import iso_ms
from tests.support.raw_http import Fault, RawServer, answer, raw_server
from tests.support.sfox_client import settings

NOW = 1_700_000_000_000_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"  # the same
HOUR = 3600
USER = "client/1"


def token(name: str, life_secs: float = 24 * HOUR, **changed: Any) -> bytes:
    data = {"token": name, "partner_user_id": USER, "expires": iso_ms(NOW + int(life_secs * 10**9)), **changed}
    return answer(201, json.dumps({"data": data}).encode(), Date=DATE)


def said(status: int, **body: Any) -> bytes:
    return answer(status, json.dumps(body).encode())


async def opened(server: RawServer, clock: ManualClock) -> SfoxApi:
    client = SfoxApi(settings(server.url, enterprise=True, user_id=USER), clock)
    await client.credentials.open()
    return client


def bearer(server: RawServer, number: int) -> str:
    return server.requests[number].headers["Authorization"]


async def test_the_enterprise_key_makes_the_token_and_the_token_does_the_rest():
    async with raw_server(token("t-1"), said(200)) as server:
        client = await opened(server, ManualClock(NOW))
        await client.read("/v1/orders", bytes)
        await client.close()
    assert server.requests[0].method == "POST"
    assert server.requests[0].target == "/v1/enterprise/user-tokens/client%2F1"
    assert bearer(server, 0) == "Bearer test-key"
    assert bearer(server, 1) == "Bearer t-1"


async def test_an_own_key_needs_no_token():
    async with raw_server(said(200)) as server:
        client = SfoxApi(settings(server.url), ManualClock(NOW))
        await client.credentials.open()
        await client.read("/v1/orders", bytes)
        await client.close()
    assert [bearer(server, n) for n in range(len(server.requests))] == ["Bearer test-key"]


@pytest.mark.parametrize(("life_secs", "renewed_after"), [(24 * HOUR, 12 * HOUR), (2 * HOUR, HOUR)])
async def test_a_token_is_renewed_when_half_of_its_life_is_over(life_secs: float, renewed_after: float):
    clock = ManualClock(NOW)
    async with raw_server(token("t-1", life_secs), token("t-2", life_secs)) as server:
        client = await opened(server, clock)
        await clock.advance(renewed_after - 60)
        assert client.credentials.minted == 1
        await clock.advance(61)
        await minted(client, 2)
        assert client.credentials.current.reveal() == "t-2"
        await client.close()


async def minted(client: SfoxApi, count: int) -> None:
    async with asyncio.timeout(5):
        while client.credentials.minted < count:
            await asyncio.sleep(0.005)


async def test_the_life_of_a_token_is_measured_by_the_venues_clock():
    clock = ManualClock(NOW + 30 * HOUR * 10**9)  # ours is ahead: by it the token would have ended
    async with raw_server(token("t-1"), token("t-2")) as server:
        client = await opened(server, clock)
        await clock.advance(11 * HOUR)
        assert client.credentials.minted == 1
        await client.close()


@pytest.mark.parametrize("expires", [None, "soon", "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
async def test_an_expiry_that_makes_no_sense_counts_for_a_day(expires: str | None):
    clock = ManualClock(NOW)
    async with raw_server(token("t-1", expires=expires), token("t-2")) as server:
        client = await opened(server, clock)
        await clock.advance(11 * HOUR)
        assert client.credentials.minted == 1
        await clock.advance(HOUR + 1)
        await minted(client, 2)
        await client.close()


async def test_renewing_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture):
    clock = ManualClock(NOW)
    answers = [token("t-1"), said(503, error="maintenance"), said(503, error="maintenance"), token("t-2")]
    async with raw_server(*answers) as server:
        client = await opened(server, clock)
        await clock.advance(12 * HOUR + 1)
        async with asyncio.timeout(5):
            while client.credentials.minted < 2:
                await clock.advance(10)
                await asyncio.sleep(0.005)
        assert "could not be renewed" in caplog.text
        assert client.credentials.current.reveal() == "t-2"
        await client.close()


async def test_a_refused_token_is_replaced_and_the_request_repeated():
    answers = [token("t-1"), said(401, error="invalid token"), token("t-2"), said(200)]
    async with raw_server(*answers) as server:
        client = await opened(server, ManualClock(NOW))
        await client.read("/v1/orders", bytes)
        await client.close()
    assert [bearer(server, n) for n in range(4)] == ["Bearer test-key", "Bearer t-1", "Bearer test-key", "Bearer t-2"]


async def test_a_token_that_ended_while_no_new_one_could_be_had_is_no_bad_key():
    """Otherwise a maintenance longer than what is left of a token would end the feed for good."""
    maintenance = said(503, error="maintenance")
    answers = [token("t-1"), said(401, error="invalid token"), maintenance, said(401, error="invalid token")]
    async with raw_server(*answers, maintenance, said(401, error="invalid token"), token("t-2"), said(200)) as server:
        client = await opened(server, ManualClock(NOW))
        for _ in range(2):
            with pytest.raises(TransientFeedError, match="invalid token"):
                await client.read("/v1/orders", bytes)
        await client.read("/v1/orders", bytes)
        await client.close()


async def test_a_new_token_that_is_refused_too_is_a_bad_key():
    invalid = said(401, error="invalid token")
    async with raw_server(token("t-1"), invalid, token("t-2"), invalid) as server:
        client = await opened(server, ManualClock(NOW))
        with pytest.raises(FatalFeedError, match="SFOX_API_KEY"):
            await client.read("/v1/orders", bytes)
        await client.close()


async def test_a_new_order_whose_token_was_refused_goes_out_once_more_and_no_oftener():
    def ok(response: Response) -> Accepted:
        return Accepted("1")

    order = Request("POST", "/v1/orders/buy", body=b"{}")
    answers = [token("t-1"), said(401, error="invalid token"), token("t-2"), said(201)]
    async with raw_server(*answers) as server:
        client = await opened(server, ManualClock(NOW))
        assert await client.command(order, ok=ok) == Accepted("1")
        await client.close()
    assert [request.target for request in server.requests].count("/v1/orders/buy") == 2
    answers = [token("t-1"), said(401, error="invalid token"), token("t-2"), said(401, error="still invalid")]
    async with raw_server(*answers) as server:
        client = await opened(server, ManualClock(NOW))
        outcome = await client.command(order, ok=ok)
        assert isinstance(outcome, Refused)
        assert "still invalid" in outcome.reason
        await client.close()
    assert [request.target for request in server.requests].count("/v1/orders/buy") == 2


async def test_many_requests_refused_at_once_make_one_new_token():
    clock = ManualClock(NOW)
    async with raw_server(token("t-1"), token("t-2")) as server:
        client = await opened(server, clock)
        refused = client.credentials.current
        assert all(await asyncio.gather(*(client.credentials.replace(refused) for _ in range(5))))
        assert client.credentials.minted == 2
        await client.close()


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (said(401, error="invalid token"), FatalFeedError, "enterprise key"),
        (said(403, error="not allowed"), FatalFeedError, "knows that user"),
        (said(404, error="no such user"), FatalFeedError, "'client/1'"),
        (said(500, error="internal error"), TransientFeedError, "500"),
        (answer(201, b"<html>secret-token"), TransientFeedError, "unreadable"),
        (token("t-9", partner_user_id="somebody"), FatalFeedError, "'somebody'"),
        (token(""), TransientFeedError, "empty"),
        (Fault.CLOSE, TransientFeedError, "no user token"),
    ],
)
async def test_why_there_is_no_token(told: Any, kind: type[Exception], words: str):
    async with raw_server(told) as server:
        client = SfoxApi(settings(server.url, enterprise=True, user_id=USER), ManualClock(NOW))
        with pytest.raises(kind, match=words) as refused:
            await client.credentials.open()
        await client.close()
    for secret in ("test-key", "secret-token", "t-9"):
        assert secret not in str(refused.value)


async def test_no_log_line_shows_a_token(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    answers = [token("t0k3n-1"), said(401, error="invalid token"), said(500, error="oops"), said(500, error="oops")]
    async with raw_server(*answers) as server:
        client = await opened(server, ManualClock(NOW))
        with pytest.raises(TransientFeedError):
            await client.read("/v1/orders", bytes)
        assert "t0k3n" not in caplog.text + repr(client.credentials.current) + repr(vars(client.credentials))
        assert "test-key" not in caplog.text
        await client.close()
        await client.close()
