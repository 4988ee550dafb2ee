"""An outcome is never better than the evidence, and a command goes out once (protocol, 4.1 to 4.3 and 4.10)."""

import json

import pytest

from nautilus_orderfeeds.feed.clock import LiveClock
from nautilus_orderfeeds.orders.requests import Accepted, Refused, Unknown
from nautilus_orderfeeds.venues.roxom.api import RoxomApi
from nautilus_orderfeeds.venues.roxom.entry import Creates, OrderEntry, create_request
from nautilus_orderfeeds.venues.roxom.memory import OrderMemories
from nautilus_orderfeeds.venues.roxom.products import known_instruments
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.signing import authenticator
from nautilus_orderfeeds.venues.roxom.venue import RoxomVenue
from nautilus_orderfeeds.venues.secrets import Secret
from tests.support.raw_http import Fault, answer, raw_server
from tests.support.roxom_client import API_SECRET, ORDER_ID, api, new_order, ref, sample, terms


def body(**content):
    return json.dumps(content).encode()


def new_entry(client):
    memories, creates = OrderMemories(), Creates()
    return OrderEntry(client, memories, creates), memories, creates


async def create(*answers, **settings):
    async with raw_server(*answers) as server, api(server.url, **settings) as client:
        entry, memories, creates = new_entry(client)
        request = create_request(new_order(), known_instruments()[0], send_client_order_id=False)
        outcome, updates = await entry.create(request, terms())
        assert updates == []  # the answer tells the id and nothing else
        assert not creates
        assert memories.is_own(ORDER_ID) is isinstance(outcome, Accepted)
        return outcome, server.requests


async def cancel(*answers):
    async with raw_server(*answers) as server, api(server.url) as client:
        entry, memories, _ = new_entry(client)
        outcome, updates = await entry.cancel(ref())
        assert updates == []
        assert memories.of(ORDER_ID).cancel_asked
        return outcome, server.requests


CREATED = body(data={"orderId": ORDER_ID}, error=False)


@pytest.mark.parametrize(
    "said", [CREATED, body(data={"orderId": ORDER_ID}, error=True), body(data={"orderId": ORDER_ID})]
)
async def test_a_taken_order(said):
    """``"error": true`` beside data is a placeholder of the documentation."""
    outcome, (request,) = await create(answer(200, said))
    assert outcome == Accepted(ORDER_ID)
    assert (request.method, request.target) == ("POST", "/v1/orders")
    assert json.loads(request.body)["unit"] == "btc"


async def test_the_older_prefix():
    _, (request,) = await create(answer(200, CREATED), path_prefix="/api/v1")
    assert request.target == "/api/v1/orders"


REFUSED = {
    "balance": (answer(400, sample("rest-error-400-insufficient-balance.json")), "Insufficient balance"),
    "price": (answer(400, sample("rest-error-400-price-outside-range.json")), "Price outside allowed range"),
    "market": (answer(400, sample("rest-error-400-market-not-available.json")), "Market not available"),
    "validation": (answer(400, sample("rest-error-validation.json")), "."),
    "not found": (answer(404, sample("rest-error-not-found.json")), "."),
    "unauthorized": (answer(401, sample("rest-error-401-invalid-key.json")), "API key refused: Invalid API key"),
    "expired": (answer(401, sample("rest-error-401-expired-key.json")), "API key refused: API key has expired"),
    "with 200": (answer(200, body(error={"code": 400, "message": "Insufficient balance"})), "Insufficient balance"),
    "a number with 200": (answer(200, body(error=400, message="Insufficient balance")), "Insufficient balance"),
    "a code alone": (answer(422, body(code="VALIDATION_ERROR")), "refused with code VALIDATION_ERROR"),
}


@pytest.mark.parametrize(("said", "reason"), REFUSED.values(), ids=REFUSED)
async def test_a_definite_refusal(said, reason):
    outcome, requests = await create(said)
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith(reason) or reason == "."
    assert outcome.reason
    assert len(requests) == 1


UNKNOWN = {
    "server error": answer(500, body(error={"code": 500, "message": "internal"})),
    "bad gateway": answer(502, b"<html>"),
    "throttled": answer(429, body(error=429, message="slow down")),
    "timeout": answer(408, body(error=408, message="timeout")),
    "blocked by a proxy": answer(403, b"<html>blocked"),
    "error without words": answer(400, b"{}"),
    "error true alone": answer(200, body(error=True)),
    "unreadable": answer(200, b"ok"),
    "no order": answer(200, b"{}"),
    "no id": answer(200, body(data={"orderId": ""})),
    "an id that is no ASCII": answer(200, body(data={"orderId": "é"})),
    "redirect": answer(302, b"{}", Location="/elsewhere"),
    "dropped": Fault.CLOSE,
    "reset": Fault.RESET,
    "cut": Fault.CUT,
}


@pytest.mark.parametrize("said", UNKNOWN.values(), ids=UNKNOWN)
async def test_without_definite_evidence_the_outcome_is_unknown(said):
    outcome, requests = await create(said)
    assert isinstance(outcome, Unknown)
    assert outcome.reason
    assert len(requests) == 1  # never sent twice: there is no idempotency


async def test_a_silent_venue_leaves_the_outcome_unknown():
    outcome, _ = await create(Fault.HANG, timeout_secs=0.2)
    assert isinstance(outcome, Unknown)


async def test_what_never_left_is_refused():
    async with raw_server(b"") as server:
        url = server.url
    async with api(url) as client:
        request = create_request(new_order(), known_instruments()[0], send_client_order_id=False)
        outcome, _ = await new_entry(client)[0].create(request, terms())
    assert isinstance(outcome, Refused)
    assert "not sent" in outcome.reason
    assert API_SECRET not in outcome.reason


async def test_a_cancel_that_was_taken():
    outcome, (request,) = await cancel(answer(200, sample("rest-response-post-order-cancel.json")))
    assert outcome == Accepted(ORDER_ID)
    assert (request.method, request.target, request.body) == ("POST", f"/v1/orders/{ORDER_ID}/cancel", b"")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (answer(200, body(data={"success": False})), Refused),
        (answer(404, body(code="NOT_FOUND", message="Order not found")), Refused),
        (answer(400, body(error={"code": 400, "message": "Order already filled"})), Refused),
        (answer(500, b"{}"), Unknown),
        (answer(429, b"{}"), Unknown),
        (Fault.CLOSE, Unknown),
    ],
    ids=str,
)
async def test_a_cancel_that_was_not(said, kind):
    outcome, requests = await cancel(said)
    assert isinstance(outcome, kind)
    assert len(requests) == 1


async def test_several_cancels_are_one_request_each_and_never_the_call_for_all():
    ids = [f"01981061-787c-7fd0-b707-18fa252f0d0{n}" for n in range(3)]
    async with raw_server(answer(200, body(data={"success": True}))) as server, api(server.url) as client:
        answers = await new_entry(client)[0].cancel_many([ref(venue_order_id=order_id) for order_id in ids])
    assert [outcome for outcome, _ in answers] == [Accepted(order_id) for order_id in ids]
    assert sorted(request.target for request in server.requests) == [f"/v1/orders/{one}/cancel" for one in ids]


async def test_an_order_without_the_venues_id_cannot_be_cancelled():
    async with raw_server(answer(200)) as server, api(server.url) as client:
        outcome, _ = await new_entry(client)[0].cancel(ref(venue_order_id=None))
    assert isinstance(outcome, Refused)
    assert server.requests == []


def test_creates_begun_since_are_named_whatever_came_of_them():
    creates = Creates()
    first, second, third = (terms(client_order_id=f"O-{n}") for n in range(3))
    with creates.of(first):
        begun = creates.begun
        with creates.of(second):
            assert creates.underway == [first, second]
        with creates.of(third):
            pass
    assert not creates
    assert creates.since(begun) == [second, third]
    assert creates.since(creates.begun) == []


def test_orders_of_a_list_are_under_way_until_each_was_answered():
    creates = Creates()
    first, second = (terms(client_order_id=f"O-{n}") for n in range(2))
    with creates.of(first, second):
        with creates.of(first):
            assert creates.underway == [first, second]
        assert creates.underway == [second]
    assert not creates


async def test_of_a_list_nothing_is_sent_that_could_not_be_accounted_for():
    clock = LiveClock()
    async with raw_server(Fault.HANG) as server:
        fields = {"base_url_http": server.url, "api_key": "key", "api_secret": Secret(API_SECRET), "timeout_secs": 0.3}
        venue = RoxomVenue(RoxomSettings(**fields), clock=clock)
        venue.use_instruments(known_instruments())
        venue._api = RoxomApi(venue._settings, clock, authenticator(venue._settings, clock))
        venue._entry = OrderEntry(venue._api, OrderMemories(), venue._creates)
        prepared = [venue.prepare(new_order(client_order_id=f"O-{n}")) for n in range(3)]
        outcomes = [outcome for outcome, _ in await venue.submit_list(prepared)]
        await venue.close()
        assert [type(outcome) for outcome in outcomes] == [Unknown, Refused, Refused]
        assert "not sent" in outcomes[1].reason
        assert len(server.requests) == 1
