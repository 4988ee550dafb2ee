"""An outcome is never better than the evidence, and a command goes out once."""

import json

import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.orders.requests import Accepted, Refused, Unknown
from nautilus_orderfeeds.orders.updates import Source, VenueStatus
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec
from nautilus_orderfeeds.venues.bsx.entry import OrderEntry
from nautilus_orderfeeds.venues.bsx.signing import Domain, OrderSigner
from nautilus_orderfeeds.venues.bsx.venue import BsxVenue
from tests.support.bsx_client import (
    API_KEY,
    API_SECRET,
    NONCE,
    SIGNER_KEY,
    WALLET,
    api,
    new_order,
    order,
    ref,
    settings,
    spec,
)
from tests.support.raw_http import Fault, answer, raw_server

DOMAIN = Domain("BSX Testnet", "1", 8453, "0x0000000000000000000000000000000000000002")
SIGNER = OrderSigner(DOMAIN, WALLET, SIGNER_KEY)


def prepared(count=1):
    venue = BsxVenue(settings(), clock=ManualClock(NONCE))
    venue.use_instruments([spec()])
    return [venue.prepare(new_order(f"O-{n}")).wire for n in range(count)]


def body(**content):
    return json.dumps(content).encode()


async def create(*answers, count=1):
    async with raw_server(*answers) as server, api(server.url) as client:
        entry = OrderEntry(client, SIGNER, OrderCodec())
        requests = prepared(count)
        answers = [await entry.create(requests[0])] if count == 1 else await entry.create_many(requests)
        return answers, server.requests


# -- one order -------------------------------------------------------------------------------------------------------


async def test_a_taken_order():
    ((outcome, (update,)),), (request,) = await create(answer(200, body(**order(status="PENDING"))))
    assert outcome == Accepted("a01292c9-00f1-4c18-9d47-ec18df88d0ae")
    assert (update.source, update.status) == (Source.ANSWER, VenueStatus.PENDING)
    sent = json.loads(request.body)
    assert (request.method, request.target) == ("POST", "/orders")
    assert (request.headers["bsx-key"], request.headers["bsx-secret"]) == (API_KEY, API_SECRET)
    assert sent["signature"].startswith("0x")
    assert len(sent["signature"]) == 132


async def test_an_answer_may_tell_the_whole_life():
    told = order(status="DONE", filled_size="0.018", avg_price="55000")
    ((_, (update,)),), _ = await create(answer(200, body(**told)))
    assert update.status is VenueStatus.FILLED


REFUSED = {
    "invalid": answer(400, body(code=3, message="failed to verify order signature", details=[])),
    "no code": answer(400, body(message="failed to verify order signature")),
    "not found": answer(404, body(code=5, message="failed to verify order signature")),
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED)
async def test_a_definite_refusal(said):
    ((outcome, updates),), requests = await create(said)
    assert outcome == Refused("failed to verify order signature")
    assert (updates, len(requests)) == ([], 1)


@pytest.mark.parametrize(
    "said", [answer(401, body(code=16, message="key expired")), answer(400, body(code=16, message="key expired"))]
)
async def test_an_expired_key_is_named(said, caplog):
    ((outcome, _),), _ = await create(said)
    assert outcome == Refused("API key refused: key expired")
    assert "may have expired" in caplog.text
    assert API_SECRET not in caplog.text


UNKNOWN = {
    "server error": answer(500, body(code=13, message="internal")),
    "bad gateway": answer(502, b"<html>"),
    "throttled": answer(429, body(code=8, message="slow down")),
    "throttled by code": answer(400, body(code=8, message="slow down")),
    "unavailable by code": answer(400, body(code=14, message="unavailable")),
    "deadline by code": answer(404, body(code=4, message="deadline exceeded")),
    "timeout": answer(408, body(code=4, message="deadline exceeded")),
    "blocked by a proxy": answer(403, b"<html>blocked"),
    "error without words": answer(400, b"{}"),
    "the order may be ours": answer(409, body(code=6, message="nonce already used")),
    "unreadable": answer(200, b"ok"),
    "no order": answer(200, b"{}"),
    "another order": answer(200, body(**order(nonce="17"))),
    "order of NaN": answer(200, body(**order(size="NaN"))),
    "redirect": answer(302, b"{}", Location="/elsewhere"),
    "dropped": Fault.CLOSE,
    "reset": Fault.RESET,
    "cut": Fault.CUT,
}


@pytest.mark.parametrize("said", UNKNOWN.values(), ids=UNKNOWN)
async def test_without_definite_evidence_the_outcome_is_unknown(said):
    ((outcome, updates),), requests = await create(said)
    assert isinstance(outcome, Unknown)
    assert outcome.reason
    assert (updates, len(requests)) == ([], 1)  # never sent twice


async def test_a_silent_venue_leaves_the_outcome_unknown():
    async with raw_server(Fault.HANG) as server, api(server.url, timeout_secs=0.2) as client:
        outcome, _ = await OrderEntry(client, SIGNER, OrderCodec()).create(prepared()[0])
    assert isinstance(outcome, Unknown)


async def test_what_never_left_is_refused():
    async with raw_server(b"") as server:
        url = server.url
    async with api(url) as client:
        outcome, _ = await OrderEntry(client, SIGNER, OrderCodec()).create(prepared()[0])
    assert isinstance(outcome, Refused)
    assert "not sent" in outcome.reason
    assert API_SECRET not in outcome.reason


# -- several orders --------------------------------------------------------------------------------------------------


def item(n, **more):
    return (
        {"code": 0, "message": "", **more}
        if more
        else {
            "code": 0,
            "message": "",
            "create_order_response": order(id=f"id-{n}", nonce=str(NONCE + n), status="PENDING"),
        }
    )


async def test_a_batch_of_mixed_results():
    items = [
        item(0),
        item(1, code=3, message="no margin"),
        item(2, code=14, message="unavailable"),
        item(3, code=200),
        {"code": 200, "create_order_response": {"id": 1}},
        {"message": "who knows"},
    ]
    answers, (request,) = await create(answer(200, body(data=items)), count=6)
    sent = json.loads(request.body)["data"]
    assert request.target == "/orders/batch"
    assert [each["op_type"] for each in sent] == ["CREATE"] * 6
    assert len({each["create_order_request"]["signature"] for each in sent}) == 6
    outcomes = [outcome for outcome, _ in answers]
    assert outcomes[:2] == [Accepted("id-0"), Refused("no margin")]
    assert [type(outcome) for outcome in outcomes[2:]] == [Unknown] * 4
    assert [len(updates) for _, updates in answers] == [1, 0, 0, 0, 0, 0]


async def test_batches_of_at_most_ten_in_order():
    first = answer(200, body(data=[item(n) for n in range(10)]))
    second = answer(200, body(data=[item(n) for n in range(10, 12)]))
    answers, requests = await create(first, second, count=12)
    assert [len(json.loads(request.body)["data"]) for request in requests] == [10, 2]
    assert [outcome for outcome, _ in answers] == [Accepted(f"id-{n}") for n in range(12)]


@pytest.mark.parametrize(
    "said",
    [
        answer(400, body(code=3, message="bad")),
        answer(500, b"{}"),
        answer(200, b"{}"),
        answer(200, body(data=[item(0)])),
        Fault.CLOSE,
    ],
)
async def test_a_batch_that_fails_as_a_whole_says_nothing_of_its_orders(said):
    answers, requests = await create(said, count=3)
    assert [type(outcome) for outcome, _ in answers] == [Unknown] * 3
    assert len(requests) == 1


async def test_a_batch_refused_for_the_key_took_no_effect():
    answers, _ = await create(answer(401, body(code=16, message="expired")), count=2)
    assert [type(outcome) for outcome, _ in answers] == [Refused] * 2


async def test_swapped_answers_are_not_believed():
    answers, _ = await create(answer(200, body(data=[item(1), item(0)])), count=2)
    assert [type(outcome) for outcome, _ in answers] == [Unknown] * 2


# -- cancels ---------------------------------------------------------------------------------------------------------


async def cancel(*refs, said):
    async with raw_server(*said) as server, api(server.url) as client:
        entry = OrderEntry(client, SIGNER, OrderCodec())
        answers = await entry.cancel_many(refs)
        assert all(updates == [] for _, updates in answers)
        return [outcome for outcome, _ in answers], server.requests


TAKEN = answer(200, body(order_id="id-0", nonce="17", client_order_id=""))


@pytest.mark.parametrize(
    ("named", "query"),
    [(ref(venue_order_id="id-0", nonce=17), "order_id=id-0"), (ref(nonce=17), "nonce=17")],
)
async def test_one_cancel_names_one_key(named, query):
    (outcome,), (request,) = await cancel(named, said=[TAKEN])
    assert outcome == Accepted("id-0")
    assert (request.method, request.target, request.body) == ("DELETE", f"/order?{query}", b"")


async def test_a_cancel_of_the_unnamed_is_not_sent():
    (outcome,), requests = await cancel(ref(cid="ab"), said=[TAKEN])
    assert isinstance(outcome, Refused)
    assert requests == []
    outcomes, requests = await cancel(ref(cid="ab"), ref(), said=[TAKEN])
    assert [type(outcome) for outcome in outcomes] == [Refused, Refused]
    assert requests == []


async def test_a_refused_cancel():
    (outcome,), _ = await cancel(ref(nonce=17), said=[answer(404, body(code=5, message="order not found"))])
    assert outcome == Refused("order not found")


@pytest.mark.parametrize("said", [answer(500, b"{}"), answer(429, b"{}"), Fault.CLOSE, Fault.RESET])
async def test_a_cancel_without_evidence(said):
    (outcome,), requests = await cancel(ref(nonce=17), said=[said])
    assert isinstance(outcome, Unknown)
    assert len(requests) == 1


@pytest.mark.parametrize("said", [b"", b"[]", b"ok", b'{"success":true,"order_id":null}'])
async def test_a_success_is_one_in_whatever_words(said):
    (outcome,), _ = await cancel(ref(nonce=17), said=[answer(200, said)])
    assert isinstance(outcome, Accepted)


@pytest.mark.parametrize("key", ["id", "order_id"])
async def test_many_cancels_go_with_their_ids_only(key):
    taken = [{key: "id-0", "nonce": "17"}, {key: "id-1", "nonce": 18}]
    outcomes, (request,) = await cancel(
        ref(venue_order_id="id-0", nonce=17),
        ref(nonce=18),
        ref(venue_order_id="id-2"),
        ref(cid="unnamed"),
        said=[answer(200, body(cancel_requested_orders=taken))],
    )
    assert (request.method, request.target) == ("DELETE", "/orders")
    assert json.loads(request.body) == {"order_ids": ["id-0", "id-2"], "nonces": [18]}
    assert outcomes[:2] == [Accepted("id-0"), Accepted(None)]
    assert [type(outcome) for outcome in outcomes[2:]] == [Unknown, Refused]


@pytest.mark.parametrize("said", [answer(400, body(code=3, message="bad")), answer(503, b""), Fault.CLOSE])
async def test_many_cancels_that_fail_as_a_whole(said):
    outcomes, requests = await cancel(ref(nonce=17), ref(nonce=18), said=[said])
    assert [type(outcome) for outcome in outcomes] == [Unknown] * 2
    assert len(requests) == 1


async def test_many_cancels_are_sent_in_portions():
    said = [answer(200, body(cancel_requested_orders=[{"id": f"id-{n}"} for n in range(50)])), TAKEN]
    outcomes, requests = await cancel(*(ref(venue_order_id=f"id-{n}") for n in range(51)), said=said)
    assert [request.target for request in requests] == ["/orders", "/order?order_id=id-50"]
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
