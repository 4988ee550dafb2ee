"""The short way of the usual frame says what the long way says, remembers the same, and is taken where it should be."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.venues.base import Readback
from nautilus_orderfeeds.venues.bsx import usual, wire
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec
from nautilus_orderfeeds.venues.bsx.frames import PrivateDecoder
from nautilus_orderfeeds.venues.bsx.usual import UsualReader
from tests.support.bsx_client import frame, order, trade
from tests.venues.bsx.test_frames import MALFORMED, MENDED

NUMBERS = st.sampled_from(
    ["0", "0.0", "-0", "0.018", "0.01", "0.0180", "1", "-1", "55000", "1E+2", " 1", "1_0", "NaN", "sNaN", "-inf", "x"]
)
NUMBERS |= st.sampled_from(["1e400", "1" * 29, "0." + "0" * 12 + "1", "1e-40", "", None, 1, 0.5, "٣"])
USUAL_NUMBERS = st.sampled_from(["0", "0.008", "0.01", "0.018", "55000.5", "-0.0385"])
IDS = st.sampled_from(["a01292c9", "b", "", " ", "a b", "é", "a\nb", None, 7, "x" * 80])
TRADES = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["0xab", "0xcd", "", " ", "é"]),
            "price": USUAL_NUMBERS | NUMBERS,
            "size": USUAL_NUMBERS | NUMBERS,
        },
        optional={
            "trading_fee": USUAL_NUMBERS | NUMBERS,
            "sequencer_fee": USUAL_NUMBERS | NUMBERS,
            "liquidity_indicator": st.sampled_from(["MAKER", "taker", "", "?", None]),
            "time": st.sampled_from(["0", "5", 5, "-1", "x", None]),
            "order_id": st.sampled_from(["a", 7]),
        },
    ),
    max_size=2,
)
FLAGS = st.sampled_from([True, False, "true", None])
TIMES = st.sampled_from(["0", "1719319688307036691", 7, "-1", "x", "9" * 20, None])
TEXTS = st.sampled_from(["", "Post only", "time in force GTT", "insufficient margin", "tpsl order canceled", None, 7])
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a", "b"]) | IDS,
        "client_order_id": IDS,
        "nonce": TIMES,
        "product_id": st.sampled_from(["BTC-PERP", "eth-perp", "", "é", None]),
        "status": st.sampled_from(["OPEN", "DONE", "PENDING", "STOP_ACCEPTED", "EXPIRED", "open", None]),
        "side": st.sampled_from(["BUY", "SELL", "HOLD", "buy"]),
        "type": st.sampled_from(["LIMIT", "MARKET", "STOP", "ICEBERG", "limit", None]),
        "time_in_force": st.sampled_from(["GTC", "IOC", "FOK", "GTT", "DAY", "", None]),
        "order_stop_type": st.sampled_from(["STOP_NONE", "STOP_LOSS", "TAKE_PROFIT", "?", None]),
        "stop_price": NUMBERS,
        "stop_price_option": st.sampled_from(["NONE", "MARK_PRICE", "?", None]),
        "size": USUAL_NUMBERS | NUMBERS,
        "filled_size": USUAL_NUMBERS | NUMBERS,
        "price": USUAL_NUMBERS | NUMBERS,
        "avg_price": USUAL_NUMBERS | NUMBERS,
        "filled_fees": USUAL_NUMBERS | NUMBERS,
        "last_trades": TRADES | st.none(),
        "post_only": FLAGS,
        "reduce_only": FLAGS,
        "cancel_requested": FLAGS,
        "is_liquidation": FLAGS,
        "cancel_requested_at": TIMES,
        "created_at_ts": TIMES,
        "updated_at": TIMES,
        "expired_at": TIMES,
        "cancel_reason": TEXTS,
        "reject_reason": TEXTS,
        "cancel_reject_reason": TEXTS,
    },
)
ABSENT = st.sets(st.sampled_from(sorted(order())), max_size=1)


def shown(changes: dict[str, Any], absent: set[str]) -> dict[str, Any]:
    """One order of the venue's page, changed, and without some keys."""
    return {key: value for key, value in order(**changes).items() if key not in absent}


#: Most have one order with one or two odd fields, some have none or two orders or are no update.
FRAMES = st.builds(
    frame,
    st.builds(shown, CHANGES, ABSENT | st.just(set())),
    type=st.sampled_from(["update"] * 6 + ["snapshot", "delta"]),
    timestamp=st.sampled_from(["1719319688307036700"] * 6 + ["0", "x"]),
) | st.builds(frame, st.builds(shown, CHANGES, ABSENT), st.builds(shown, CHANGES, ABSENT))


def outcome(decode: Any, raw: bytes) -> Any:
    """What is said, to the last digit; or that the frame is refused."""
    try:
        return repr(decode(raw))
    except FrameError as e:
        return str(e)


def compare(raws: list[bytes]) -> int:
    """Decode all either way, in order; return how many went the short way."""
    short, long = OrderCodec(), OrderCodec()
    unusual: list[bytes] = []
    any_frame = PrivateDecoder(short).decode_any

    def otherwise(raw: bytes) -> Any:
        unusual.append(raw)
        return any_frame(raw)

    reader, decoder = UsualReader(short, otherwise), PrivateDecoder(long)
    for raw in raws:
        assert outcome(reader.decode, raw) == outcome(decoder.decode_any, raw)
        assert short.resting == long.resting
    return len(raws) - len(unusual)


@given(st.lists(FRAMES, min_size=1, max_size=6))
@settings(max_examples=1_500, deadline=None)
def test_both_ways_say_the_same(raws: list[bytes]) -> None:
    compare(raws)


@pytest.mark.parametrize("raw", [*MALFORMED.values(), *MENDED.values()], ids=[*MALFORMED, *MENDED])
def test_both_ways_refuse_and_mend_the_same(raw: bytes) -> None:
    compare([raw, raw])


@pytest.mark.parametrize("zero", ["0", "0.0", "-0", "-0.00"])
def test_both_ways_say_the_same_of_no_fees(zero: str) -> None:
    traded = order(
        filled_size="0.01", avg_price="55000", filled_fees=zero, last_trades=[trade("0.01", trading_fee=zero)]
    )
    compare([frame(order(filled_fees=zero)), frame(traded)])


def test_the_usual_life_goes_the_short_way() -> None:
    first = trade("0.01", id="0x1", trading_fee="-0.02")
    second = trade("0.008", id="0x2", trading_fee="-0.01")
    life = [
        order(status="PENDING"),
        order(),
        order(filled_size="0.01", avg_price="55000", filled_fees="-0.02", last_trades=[first]),
        order(filled_size="0.018", avg_price="55000", filled_fees="-0.03", last_trades=[second], status="DONE"),
        order(post_only=True, time_in_force="GTT", expired_at="1719319688307036699"),
        order(cancel_requested=True),
        order(status="DONE", cancel_reason="User canceled"),
        order(status="DONE", cancel_reason="Post only", post_only=True),
    ]
    assert compare([frame(each) for each in life]) == len(life)


def test_a_trade_larger_than_the_total_has_no_place() -> None:
    raw = frame(order(filled_size="0.01", last_trades=[trade("0.018")]))
    assert compare([raw]) == 1
    update, _ = PrivateDecoder(OrderCodec()).decode(raw)
    assert update.fills[0].ends_at is None  # type: ignore[union-attr]


def test_an_unreadable_fee_beside_a_trade_is_no_zero() -> None:
    assert compare([frame(order(filled_fees=None, filled_size="0.01", last_trades=[trade("0.01")]))]) == 1
    bad = frame(order(filled_fees="NaN", filled_size="0.01", last_trades=[trade("0.01")]))
    assert compare([bad]) == 0
    with pytest.raises(FrameError):
        PrivateDecoder(OrderCodec()).decode(bad)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [(usual.UsualTrade, wire.OwnTrade), (usual.UsualOrder, wire.Order), (usual.UsualFrame, wire.OrdersFrame)],
)
def test_it_reads_every_field_that_the_long_way_reads(narrow: Any, wide: Any) -> None:
    """What is left out here would be faulty there only."""
    assert [(f.name, f.encode_name) for f in fields(narrow)] == [(f.name, f.encode_name) for f in fields(wide)]


def test_what_is_remembered_of_numbers_stays_small() -> None:
    sane: dict[str, Decimal] = {}
    numbers = usual.Numbers(sane, lambda number: number)
    for n in range(3 * usual._KEPT):
        assert numbers[str(n)] == n
        assert numbers[str(n)] is sane[str(n)]
    assert len(numbers) <= usual._KEPT + 1
    assert numbers[None] is None
    assert len(sane) <= usual._KEPT


def test_lost_orders_are_asked_for_as_before() -> None:
    raw = frame(order(), order(size="much"))
    messages = PrivateDecoder(OrderCodec()).decode(raw)
    assert any(isinstance(message, Readback) for message in messages)
