"""Which answers are evidence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from nautilus_orderfeeds.feed.errors import NotSent, OutcomeUnknown, SendError
from nautilus_orderfeeds.feed.outcomes import outcome_of, outcome_of_failure
from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.orders.requests import Accepted, Outcome, Refused, Unknown


def judge(status: int, body: bytes) -> Outcome:
    return outcome_of(
        Response(status, CIMultiDictProxy(CIMultiDict()), body),
        ok=lambda response: Accepted(json.loads(response.body)["id"]),
        refused=lambda response: Refused(json.loads(response.body)["error"]),
    )


def test_readable_2xx_is_accepted():
    assert judge(201, b'{"id":"7"}') == Accepted("7")


@given(status=st.integers(200, 299), body=st.binary(max_size=20))
def test_unreadable_2xx_is_unknown(status: int, body: bytes):
    assert isinstance(judge(status, body), Unknown)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 409, 422])
def test_definite_4xx_with_the_venues_error_is_refused(status: int):
    assert judge(status, b'{"error":"Insufficient balance"}') == Refused("Insufficient balance")
    assert isinstance(judge(status, b"<html>proxy</html>"), Unknown)
    assert isinstance(judge(status, b""), Unknown)


@given(status=st.one_of(st.sampled_from([408, 425, 429, 499]), st.integers(500, 599), st.integers(300, 399)))
def test_no_evidence_is_unknown_even_with_an_error_text(status: int):
    outcome = judge(status, b'{"error":"Insufficient balance"}')
    assert isinstance(outcome, Unknown)
    assert str(status) in outcome.reason


def test_reader_may_decline():
    response = Response(404, CIMultiDictProxy(CIMultiDict()), b'{"x":1}')
    outcome = outcome_of(response, ok=lambda _: Accepted(), refused=lambda _: None)
    assert isinstance(outcome, Unknown)


def test_failures():
    assert isinstance(outcome_of_failure(NotSent("no network")), Refused)
    assert isinstance(outcome_of_failure(SendError("not connected")), Refused)
    assert isinstance(outcome_of_failure(OutcomeUnknown("cut")), Unknown)
