"""Frames in all the shapes they may have: whose they are, what can be saved of them, and what is an error."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.venues.base import AccountChanged, Gap, Readback, VenueData
from nautilus_orderfeeds.venues.sfox.frames import END_USER, NEW_END_USER
from nautilus_orderfeeds.venues.sfox.stream import PrivateStream
from tests.support.sfox_client import (
    FRAME_TS,
    USER,
    ack,
    decoder,
    frame,
    of_user,
    order,
    own,
    settings,
    trade,
)


def decode(raw: bytes, user_id: str | None = None) -> list[Any]:
    return decoder(user_id)[0].decode(raw)


def ids(messages: list[Any]) -> list[str]:
    return [message.venue_order_id for message in messages]


@pytest.mark.parametrize(
    "payload",
    [[order(id=1), order(id=2)], json.dumps([order(id=1), order(id=2)])],
    ids=["list", "JSON text"],
)
def test_payloads_of_an_own_account(payload: Any):
    told = decode(frame("private.user.open-orders", payload))
    assert ids(told) == ["1", "2"]
    assert {message.source for message in told} == {Source.STREAM}
    assert {message.ts_event for message in told} == {FRAME_TS}


def test_a_single_order_and_no_order():
    assert ids(decode(frame("private.user.open-orders", order(id=7)))) == ["7"]
    assert decode(frame("private.user.open-orders", [])) == []
    assert decode(frame("private.user.open-orders", None)) == []


def test_microseconds_are_taken_for_what_they_are():
    (told,) = decode(own("open-orders", order(), timestamp=FRAME_TS // 1000))
    assert told.ts_event == FRAME_TS // 1000 * 1000


def test_the_trades_feed():
    (told, other) = decode(own("trades", trade(trade_id=2), trade(trade_id=1), trade(order_id=5)))
    assert [fill.venue_trade_id for fill in told.fills] == ["1", "2"]
    assert other.venue_order_id == "5"


def test_what_the_feed_told_is_remembered_for_comparison():
    made, _ = decoder()
    made.decode(own("trades", trade(trade_id=2)))
    assert set(made._codec.told_by_feed(trade()["order_id"])) == {2}


@pytest.mark.parametrize("shape", ["wrapped", "text", "rows", "single"])
def test_shapes_of_an_end_users_frame(shape: str):
    row = order()
    match shape:
        case "wrapped":
            raw = of_user(USER, "open-orders", row)
        case "text":
            raw = frame("private.enterprise.users.open-orders", json.dumps({"user_id": USER, "updates": [row]}))
        case "rows":
            raw = frame("private.enterprise.users.open-orders", [{**row, "user_id": USER}])
        case _:
            raw = frame("private.enterprise.users.open-orders", {"user_id": USER, "updates": row})
    (told,) = decode(raw, USER)
    assert isinstance(told, OrderUpdate)
    (foreign,) = decode(raw, "somebody")
    assert isinstance(foreign, VenueData)
    assert foreign.data["user_id"] == USER
    assert [each["id"] for each in foreign.data["updates"]] == [row["id"]]
    assert PrivateStream(settings(enterprise=True, user_id=USER), ManualClock()).routes(raw) == [(USER, raw)]


def test_a_frame_about_several_users_is_taken_apart():
    rows = [{**trade(trade_id=n), "user_id": user} for n, user in enumerate(("ann", "bob", "ann", "eve"), 1)]
    raw = frame("private.enterprise.users.trades", rows)
    stream = PrivateStream(settings(enterprise=True, user_id="ann"), ManualClock())
    parts = dict(stream.routes(raw))
    assert set(parts) == {"ann", "bob", "eve"}
    (ann,) = decode(parts["ann"], "ann")
    assert [fill.venue_trade_id for fill in ann.fills] == ["1", "3"]
    (bob,) = decode(parts["bob"], "bob")
    assert [fill.venue_trade_id for fill in bob.fills] == ["2"]
    (eve,) = decode(parts["eve"], "ann")
    assert eve.kind == END_USER
    assert [each["trade_id"] for each in eve.data["updates"]] == [4]
    # The whole frame, too, is understood by each.
    told = decode(raw, "ann")
    assert [type(message).__name__ for message in told] == ["OrderUpdate", "VenueData", "VenueData"]


def test_a_row_that_cannot_be_read_takes_those_of_others_not_with_it():
    alone = frame("private.enterprise.users.trades", [7])
    rows = [{**trade(trade_id=1), "user_id": "a"}, 7, {**trade(trade_id=2), "user_id": USER}]
    raw = frame("private.enterprise.users.trades", rows)
    routed = dict(PrivateStream(settings(enterprise=True, user_id=USER), ManualClock()).routes(raw))
    assert set(routed) == {"a", None, USER}
    (fills,) = decode(routed[USER], USER)
    assert [fill.venue_trade_id for fill in fills.fills] == ["2"]
    for nobodys in (routed[None], alone):
        with pytest.raises(FrameError, match="a row of an end user"):
            decode(nobodys, USER)


def test_rows_that_name_no_user_are_nobodys_and_kept():
    raw = frame("private.enterprise.users.trades", [trade()])
    (told,) = decode(raw, USER)
    assert (told.kind, told.data["user_id"]) == (END_USER, "")
    assert PrivateStream(settings(enterprise=True, user_id=USER), ManualClock()).routes(raw) == [(None, raw)]


def test_decimals_of_a_foreign_update_are_kept_as_they_are():
    row = {"currency": "btc", "balance": 0.1000000000000000055, "available": "0.10"}
    raw = of_user("eve", "balances", row)
    (told,) = decode(raw, USER)
    assert told.data["updates"] == [{"currency": "btc", "balance": "0.1", "available": "0.10"}]
    exact = raw.replace(b"0.1,", b"0.10000000000000000001,")
    (told,) = decode(exact, USER)
    assert told.data["updates"][0]["balance"] == "0.10000000000000000001"


@pytest.mark.parametrize("as_text", [False, True])
def test_onboarding_is_told_without_the_token(as_text: bool):
    payload: Any = {"user_id": "new1", "status": "approved", "user_token": "s3cr3t-t0ken", "limit": 0.5}
    raw = frame("private.enterprise.users", json.dumps(payload) if as_text else payload)
    stream = PrivateStream(settings(enterprise=True, user_id=USER, onboarding_events=True), ManualClock())
    assert "private.enterprise.users" in stream._feeds
    cleaned = stream.clean(raw)
    assert b"s3cr3t" not in cleaned
    (told,) = decode(cleaned, USER)
    assert told.kind == NEW_END_USER
    assert told.data == {"user_id": "new1", "status": "approved", "user_token": "<hidden>", "limit": "0.5"}
    assert stream.clean(own("open-orders", order())) == own("open-orders", order())


def test_balances():
    row = {"currency": "usd", "balance": "100", "available": "120"}
    (mine,) = decode(own("balances", row))
    assert isinstance(mine, AccountUpdate)
    assert not mine.complete
    assert (mine.balances[0].total, mine.balances[0].free) == (100, 100)
    (of_end_user,) = decode(of_user(USER, "balances", row), USER)
    assert of_end_user.complete
    (in_debt,) = decode(own("balances", {"currency": "usd", "balance": "-5", "available": "0"}))
    assert (in_debt.balances[0].total, in_debt.balances[0].free) == (0, 0)


def test_a_wallets_balance_is_nobodys_business():
    wallet = {"type": "web3", "address": "0xabc", "balance": "1", "network": "ethereum"}
    assert decode(own("balances", wallet)) == []
    assert decode(frame("private.user.balances", wallet)) == []
    (told,) = decode(own("balances", wallet, {"currency": "btc", "balance": "1", "available": "1"}))
    assert [each.currency for each in told.balances] == ["BTC"]


def test_unreadable_balances_are_read_over_rest():
    assert decode(own("balances", {"currency": "btc", "balance": "much", "available": "1"})) == [AccountChanged()]


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "error"},
        {"type": "error", "error": "too many requests"},
        {"type": "success", "error": {"code": 7}},
        {"type": "error", "message": "blocked", "payload": None},
    ],
)
def test_an_error_means_that_the_subscription_may_be_gone(shape: dict[str, Any]):
    made, errors = decoder()
    (told,) = made.decode(ack("subscribe", **shape))
    assert isinstance(told, Gap)
    (said,) = errors
    assert said in told.reason
    assert all(str(value) in said for key, value in shape.items() if key == "message")


@pytest.mark.parametrize("error", [None, False, ""])
def test_an_error_of_nothing_is_none(error: Any):
    made, errors = decoder()
    assert made.decode(ack(error=error)) == []
    assert errors == []


def test_an_order_that_cannot_be_read_does_not_hide_the_others():
    told = decode(own("open-orders", order(id=1), order(id=2, filled="lots"), order(id=3), {"id": "x"}))
    assert ids(told) == ["1", "3", "2", None]
    assert [type(message).__name__ for message in told] == ["OrderUpdate", "OrderUpdate", "Readback", "Readback"]
    with pytest.raises(FrameError, match="unreadable order"):
        decode(own("open-orders", order(id=2, filled="lots")))


def test_a_fill_that_cannot_be_read_is_asked_for():
    told = decode(own("trades", trade(trade_id=1), trade(trade_id=2, order_id=9, quantity="-1")))
    assert [fill.venue_trade_id for fill in told[0].fills] == ["1"]
    assert isinstance(told[1], Readback)
    assert told[1].venue_order_id == "9"


def test_an_unknown_status_is_asked_for():
    told, ask = decode(own("open-orders", order(status="Frozen", filled="0.01")))
    assert told.status is None
    assert ask == Readback("693291242", reason="status unknown")
    known = decode(own("open-orders", order(status="Done", filled="0.05")))
    assert [message.status for message in known] == [VenueStatus.FILLED]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"recipient":"private.user.open-orders"}',
        b'{"recipient":"private.user.open-orders","payload":7}',
        b'{"recipient":"private.user.open-orders","payload":"no json"}',
        b'{"recipient":"private.user.post-trade-settlement","payload":{}}',
        b'{"recipient":"ticker.sfox.btcusd","payload":{}}',
        b'{"recipient":"private.user.trades","payload":[{}]}',
    ],
)
def test_what_is_no_frame_is_refused_with_what_was_expected(raw: bytes):
    with pytest.raises(FrameError, match=r"SFOX: received .* expected"):
        decode(raw)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_but_a_frame_error_comes_of_garbage(raw: bytes):
    for user_id in (None, USER):
        with suppress(FrameError):
            decode(raw, user_id)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**19)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),  # JSON has no other numbers
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    feed=st.sampled_from(["open-orders", "trades", "balances"]),
    key=st.sampled_from(["id", "status", "filled", "trade_id", "quantity", "currency", "balance", "client_order_id"]),
    value=json_values,
    enterprise=st.booleans(),
)
def test_no_single_wrong_value_does_more_harm_than_it_must(feed: str, key: str, value: Any, enterprise: bool):
    base = {"open-orders": order(), "trades": trade()}.get(feed, {"currency": "usd", "balance": "1", "available": "1"})
    row = {**base, key: value}
    raw = of_user(USER, feed, row, base) if enterprise else own(feed, row, base)
    told = decode(raw, USER if enterprise else None)
    assert told, "the good row beside it is told"
