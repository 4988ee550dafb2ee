"""Frames of the private stream: malformed ones are named, and hide nothing of the others."""

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.venues.base import AccountChanged, Gap, Readback
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec
from nautilus_orderfeeds.venues.bsx.frames import PrivateDecoder
from tests.support.bsx_client import frame, order, trade


def decode(raw):
    return PrivateDecoder(OrderCodec()).decode(raw)


def without(key):
    shown = order()
    del shown[key]
    return shown


MALFORMED = {
    "not json": b"{",
    "not utf-8": b'{"channel":"orders","type":"update","data":[\xff]}',
    "empty": b"",
    "an array": b"[]",
    "no type": b'{"channel":"orders","data":[]}',
    "unknown type": b'{"channel":"orders","type":"delta","data":[]}',
    "unknown channel": b'{"channel":"positions","type":"update","data":[]}',
    "no channel": b'{"type":"update","data":[]}',
    "no data": b'{"channel":"orders","type":"update"}',
    "data is no array": b'{"channel":"orders","type":"update","data":{}}',
    "an error of nobody": b'{"type":"error","message":"what?","code":400}',
    "no id": frame(without("id")),
    "no product": frame(without("product_id")),
    "no side": frame(without("side")),
    "no status": frame(without("status")),
    "no size": frame(without("size")),
    "unknown status": frame(order(status="EXPIRED")),
    "unknown side": frame(order(side="HOLD")),
    "id is a number": frame(order(id=7)),
    "id is empty": frame(order(id="")),
    "id is not ascii": frame(order(id="ордер")),
    "id does not print": frame(order(id="a\nb")),
    "client id is not ascii": frame(order(client_order_id="é")),
    "product is not ascii": frame(order(product_id="BTC\u2011PERP")),
    "size is text": frame(order(size="much")),
    "size is negative": frame(order(size="-1")),
    "size is NaN": frame(order(size="NaN")),
    "filled is infinite": frame(order(filled_size="Infinity")),
    "filled is negative": frame(order(filled_size="-1")),
    "price is huge": frame(order(price="1e400")),
    "price is a huge number": frame(order()).replace(b'"price": "55000"', b'"price": 1e400'),
    "fees are NaN": frame(order(filled_fees="nan")),
    "nonce is negative": frame(order(nonce="-1")),
    "flag is text": frame(order(post_only="maybe")),
    "trade of nothing": frame(order(last_trades=[trade("0")])),
    "trade for nothing": frame(order(last_trades=[trade("1", price="0")])),
    "trade of NaN": frame(order(last_trades=[trade("NaN")])),
    "trade id is not ascii": frame(order(last_trades=[trade("1", id="é")])),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_malformed_frames_are_named(raw):
    with pytest.raises(FrameError) as caught:
        decode(raw)
    assert "expected a frame of the orders channel" in str(caught.value)
    assert caught.value.venue == "BSX"


MENDED = {
    "time is no time": frame(order(), timestamp="yesterday"),
    "trade without price": frame(order(last_trades=[{"id": "a", "size": "1"}])),
    "trade of null": frame(order(last_trades=[None])),
    "lower case": frame(order(side="buy", status="open", type="limit", time_in_force="gtc")),
    "null": frame(order(nonce=None, updated_at=None, post_only=None, cancel_requested_at="", order_stop_type=None)),
}


@pytest.mark.parametrize("raw", MENDED.values(), ids=MENDED)
def test_what_is_not_needed_hides_no_order(raw):
    (update, *_) = decode(raw)
    assert (update.status, update.quantity) == (VenueStatus.WORKING, Decimal("0.018"))
    assert not update.fills


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(raw):
    with contextlib.suppress(FrameError):
        decode(raw)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(order())), inner),
        max_leaves=10,
    )
)
def test_no_json_breaks_the_decoder(data):
    raw = json.dumps({"channel": "orders", "type": "update", "data": [data]}).encode()
    with pytest.raises(FrameError):
        decode(raw)


def test_one_unreadable_order_does_not_hide_the_others():
    bad = order(status="SOMETHING", id="b83f7c94-8779-4089-b15f-58e3d40cdfed")
    good, asked_for, changed = decode(frame(order(), bad))
    assert isinstance(good, OrderUpdate)
    assert good.status is VenueStatus.WORKING
    assert isinstance(asked_for, Readback)
    assert asked_for.venue_order_id == "b83f7c94-8779-4089-b15f-58e3d40cdfed"
    assert changed == AccountChanged()


def test_an_order_without_a_readable_id_is_asked_for_with_all_others():
    _, asked_for, _ = decode(frame(order(), order(id=None)))
    assert asked_for.venue_order_id is None


def test_several_orders_in_one_update():
    first, second = decode(frame(order(), order(id="other", side="SELL")))
    assert (first.venue_order_id, second.venue_order_id) == ("a01292c9-00f1-4c18-9d47-ec18df88d0ae", "other")


def test_the_account_changes_with_a_trade():
    traded = frame(order(filled_size="0.005", avg_price="1", last_trades=[trade("0.005")]))
    assert decode(traded)[-1] == AccountChanged()
    assert AccountChanged() not in decode(frame(order()))


def test_a_liquidation_is_told_besides():
    update, told = decode(frame(order(is_liquidation=True, side="SELL")))
    assert isinstance(update, OrderUpdate)
    assert (told.kind, told.symbol, told.data["side"]) == ("LIQUIDATION", "BTC-PERP", "SELL")


def test_snapshot_is_told_from_update():
    (update,) = decode(frame(order(), type="snapshot"))
    assert update.source is Source.SNAPSHOT
    assert decode(b'{"channel":"orders","type":"snapshot","data":null}') == []
    assert decode(b'{"channel":"orders","type":"snapshot","data":[]}') == []


@pytest.mark.parametrize("absent", ["last_trades", "client_order_id", "nonce", "updated_at", "stop_price", "stp"])
def test_optional_fields_may_be_missing(absent):
    (update,) = decode(frame(without(absent)))
    assert update.status is VenueStatus.WORKING


def test_null_is_absent():
    (update,) = decode(frame(order(last_trades=None, cancel_reason=None, client_order_id=None, price=None)))
    assert (update.fills, update.client_order_id, update.price) == ((), None, None)


@given(
    price=st.decimals(min_value=0, max_value=10**9, places=6),
    size=st.decimals(min_value="0.001", max_value=10**9, places=6),
    nonce=st.integers(min_value=1, max_value=2**63 - 1),
    as_number=st.booleans(),
)
def test_values_survive_the_wire(price, size, nonce, as_number):
    """Decimals come exactly from the text; integers may be text or numbers."""
    raw = frame(order(price=plain(price), size=plain(size), nonce=nonce if as_number else str(nonce), further=[1, {}]))
    (update,) = decode(raw)
    assert (update.price or Decimal(0), update.quantity) == (price, size)
    assert update.refs == (f"nonce:{nonce}",)


def test_errors_of_our_channels_are_gaps():
    assert decode(b'{"channel":"orders","type":"error","message":"off","code":500}') == [
        Gap("orders channel: off (500)")
    ]
    assert decode(b'{"channel":"auth","type":"error","message":"no","code":400}') == [Gap("authentication: no (400)")]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"error","message":"not authenticated","code":401}',
        b'{"type":"error","message":"session expired","code":400}',
        b'{"type":"error","message":"token","code":"UNAUTHENTICATED"}',
        b'{"channel":"auth","type":"logged_out"}',
        b'{"channel":"auth","type":"error","message":null,"code":null}',
        b'{"channel":"orders","type":"error","message":null,"code":"INTERNAL"}',
        b'{"channel":"orders","type":"unsubscribed"}',
    ],
)
def test_the_end_of_what_the_feed_lives_by_is_a_gap(raw):
    """Whoever goes on listening after it hears nothing for ever."""
    assert [type(message) for message in decode(raw)] == [Gap]


def test_an_error_about_something_else_is_counted_and_no_gap():
    """A venue that does not know a ping must not be reconnected to at every one."""
    with pytest.raises(FrameError, match="not an error"):
        decode(b'{"type":"error","message":"unknown op","code":400}')


@pytest.mark.parametrize("told", ["2024-06-25T12:48:08Z", "1719319688.3", "", None, 1.5, "9" * 25, "-1", True])
def test_a_time_that_is_none_hides_no_order(told):
    times = dict.fromkeys(("created_at_ts", "updated_at", "cancel_requested_at", "expired_at"), told)
    (update, *_) = decode(frame(order(filled_size="0.01", avg_price="55000", **times)))
    assert (update.status, update.filled_qty) == (VenueStatus.WORKING, Decimal("0.01"))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"pong"}',
        b'{"type":"message","connection_id":"8fdad76b"}',
        b'{"channel":"orders","type":"subscribed"}',
        b'{"channel":"auth","type":"authenticated"}',
    ],
)
def test_controls_say_nothing_of_orders(raw):
    assert decode(raw) == []
