"""Public frames and their quirks."""

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Book, Channel, FundingRate, Quote, Trade
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.bsx.market import BsxMarketFeed
from nautilus_orderfeeds.venues.bsx.market_codec import MarketDecoder, public_trade_id
from tests.support.bsx_client import settings, spec

TIME = 1721281176903905000


def frame(channel, data, type="update", product="BTC-PERP", **more):
    return json.dumps({"channel": channel, "product": product, "type": type, "data": data, **more}).encode()


def book(bids=(), asks=(), gsn=1, type="update"):
    data = {"bids": bids, "asks": asks, "timestamp": str(TIME), "gsn": gsn}
    return frame("book", data, type, timestamp=str(TIME))


def ticker(bid=("100", "1"), ask=("101", "2"), gsn=1):
    sides = {name: {"price": px, "size": size} for name, (px, size) in (("bid", bid), ("ask", ask))}
    return frame("ticker", {**sides, "timestamp": TIME, "gsn": gsn})


def oracle(product, asset="BTC", type="update", mark="100.123456789"):
    data = {"asset": asset, "mark_price": mark, "index_price": "99", "timestamp": TIME}
    return frame("oracle", data, type, product)


@pytest.fixture
def decoder():
    made = MarketDecoder()
    made.use_instruments([spec()])
    return made


def test_levels_are_sorted_and_zero_removes(decoder):
    shown = book([["1", "5"], ["3", "1"], ["2", "0"]], [["9", "1"], ["7", "2"]], type="snapshot")
    (told,) = decoder.decode(shown)
    assert told.is_snapshot
    assert [str(px) for px, _ in told.bids] == ["3", "2", "1"]
    assert [str(px) for px, _ in told.asks] == ["7", "9"]
    assert decoder.best("BTC-PERP") == (Decimal(3), Decimal(7))


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 5)), max_size=20))
def test_each_price_comes_once_and_best_first(levels):
    shown = [[str(px), str(size)] for px, size in levels]
    (told,) = MarketDecoder().decode(book(shown, shown))
    assert dict(told.bids) == dict(told.asks) == {Decimal(px): Decimal(size) for px, size in levels}
    assert [px for px, _ in told.bids] == sorted((px for px, _ in told.bids), reverse=True)
    assert [px for px, _ in told.asks] == sorted(px for px, _ in told.asks)


def test_repeated_and_older_sequence_numbers_are_dropped(decoder):
    assert decoder.decode(book(gsn=10, type="snapshot"))
    assert decoder.decode(book([["1", "1"]], gsn=10)) == []
    assert decoder.decode(book([["1", "1"]], gsn=9)) == []
    assert decoder.decode(book([["1", "1"]], gsn=57))  # holes are no gaps
    assert decoder.decode(ticker(gsn=3))  # each channel has its own
    assert decoder.decode(frame("book", {"bids": [], "asks": []}))  # none at all: the old shape


def test_after_a_reconnect_numbers_start_anew(decoder):
    decoder.decode(book(gsn=10, type="snapshot"))
    decoder.forget()
    assert decoder.decode(book(gsn=10, type="snapshot"))


def test_null_levels_are_none(decoder):
    (told,) = decoder.decode(frame("book", {"bids": None, "asks": None, "gsn": 1}, "snapshot"))
    assert (told.bids, told.asks) == ((), ())


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_an_empty_side_gives_no_quote(decoder, side):
    (quote,) = decoder.decode(ticker(gsn=1))
    assert isinstance(quote, Quote)
    assert quote.ts_event == TIME
    assert decoder.best("BTC-PERP") == (Decimal(100), Decimal(101))
    assert decoder.decode(ticker(gsn=2, **{side: ("0", "0")})) == []
    assert decoder.best("BTC-PERP") is None


def test_best_falls_back_from_ticker_to_book_to_mark(decoder):
    assert decoder.best("BTC-PERP") is None
    decoder.decode(oracle("BTC-PERP", type="snapshot"))
    assert decoder.best("BTC-PERP") == (Decimal("100.123456789"),) * 2
    decoder.decode(book([["1", "1"]], [["2", "1"]], type="snapshot"))
    assert decoder.best("BTC-PERP") == (Decimal(1), Decimal(2))
    decoder.decode(book([["1", "0"], ["0.5", "1"]], gsn=2))
    assert decoder.best("BTC-PERP") == (Decimal("0.5"), Decimal(2))
    decoder.decode(ticker())
    assert decoder.best("BTC-PERP") == (Decimal(100), Decimal(101))


@pytest.mark.parametrize(("maker", "aggressor"), [("buy", OrderSide.SELL), ("sell", OrderSide.BUY)])
def test_the_aggressor_is_not_the_maker(decoder, maker, aggressor):
    data = {"price": "1", "size": "2", "maker_side": maker, "id": "0x" + "ab" * 32, "time": str(TIME)}
    (told,) = decoder.decode(frame("trades", data))
    assert (told.aggressor_side, told.trade_id, told.ts_event) == (aggressor, "ab" * 16, TIME)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80))
def test_public_trade_ids_fit(venue_trade_id):
    assert 0 < len(public_trade_id(venue_trade_id)) <= 36


def test_oracle_updates_name_the_asset(decoder):
    mark, index = decoder.decode(oracle("BTC"))
    assert (mark.symbol, mark.price, index.price) == ("BTC-PERP", Decimal("100.123456789"), Decimal(99))
    with pytest.raises(FrameError, match="belongs to no instrument"):
        decoder.decode(oracle("DOGE", asset="DOGE"))


def test_an_asset_is_learnt_from_the_snapshot():
    decoder = MarketDecoder()
    decoder.decode(oracle("KBONK-PERP", asset="BONK", type="snapshot"))
    assert decoder.decode(oracle("BONK", asset="BONK"))[0].symbol == "KBONK-PERP"


MALFORMED = {
    "not json": b"{",
    "unknown channel": frame("candles", {}),
    "unknown type": frame("book", {}, "delta"),
    "orders": frame("orders", []),
    "no data": b'{"channel":"book","product":"BTC-PERP","type":"update"}',
    "no product": b'{"channel":"funding_rate","type":"update","data":{"funding_rate":"0"}}',
    "product is not ascii": frame("funding_rate", {"funding_rate": "0"}, product="é"),
    "level of one": frame("book", {"bids": [["1"]], "asks": []}),
    "level of NaN": book([["1", "NaN"]]),
    "huge level": book([["1e400", "1"]]),
    "price of nothing": book([["0", "1"]]),
    "negative size": book([["1", "-1"]]),
    "negative ticker": ticker(bid=("-1", "1")),
    "ticker of one side": frame("ticker", {"bid": {"price": "1", "size": "1"}}),
    "maker of no side": frame("trades", {"price": "1", "size": "1", "maker_side": "x", "id": "a"}),
    "trade of nothing": frame("trades", {"price": "1", "size": "0", "maker_side": "buy", "id": "a"}),
    "no mark": frame("oracle", {"index_price": "1"}),
    "mark of nothing": oracle("BTC", mark="0"),
    "rate of NaN": frame("funding_rate", {"funding_rate": "NaN"}),
    "an error": b'{"channel":"book","type":"error","message":"given channel/product is unsupported","code":400}',
    "an error of nobody": b'{"type":"error","message":"what?","code":400}',
}


BIDS, GSN = [["55000", "0.5"]], {"gsn": None, "timestamp": None}
LOOSE = {
    "one side of the book": ("book", {"bids": BIDS}, 1),
    "null for no levels": ("book", {"bids": BIDS, "asks": None, **GSN}, 1),
    "numbers": ("book", {"bids": [[55000, 0.5]], "asks": [], "gsn": "5"}, 1),
    "numbers and nulls": ("ticker", {"bid": {"price": 1, "size": 2}, "ask": {"price": "2", "size": 1.5}, **GSN}, 1),
    "an empty side without numbers": ("ticker", {"bid": {}, "ask": {"price": "2", "size": "1"}}, 0),
    "an empty side of empty text": ("ticker", {"bid": {"price": "", "size": ""}, "ask": {"price": "2"}}, 0),
    "several trades": ("trades", [{"price": "1", "size": n, "maker_side": "BUY", "id": n} for n in (1, 2)], 2),
    "no trades": ("trades", [], 0),
    "a rate as a number": ("funding_rate", {"funding_rate": -0.000061}, 1),
}


@pytest.mark.parametrize(("channel", "data", "count"), LOOSE.values(), ids=LOOSE)
@pytest.mark.parametrize("timestamp", ["1719319688307036691", 1719319688307036691, None])
def test_what_is_written_loosely_is_read_exactly(decoder, channel, data, count, timestamp):
    """A change of the book that is dropped leaves a wrong price in it until the next snapshot."""
    frame = {"channel": channel, "product": "BTC-PERP", "type": "update", "data": data, "timestamp": timestamp}
    messages = decoder.decode(json.dumps(frame).encode())
    assert len(messages) == count
    for message in messages:
        if isinstance(message, Book):
            assert message.bids == ((Decimal(55000), Decimal("0.5")),)
        if isinstance(message, FundingRate):
            assert message.rate == Decimal("-0.000061")
        if isinstance(message, Trade):
            assert message.trade_id == str(message.size)


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_malformed_frames_are_named(decoder, raw):
    with pytest.raises(FrameError, match="expected a frame of a public channel"):
        decoder.decode(raw)


@given(st.binary(max_size=100))
def test_no_bytes_break_the_decoder(raw):
    with contextlib.suppress(FrameError):
        MarketDecoder().decode(raw)


def test_mark_and_index_share_one_wire_channel():
    feed = BsxMarketFeed(settings())
    assert len(feed.subscribe(Channel.MARK_PRICES, "BTC-PERP")) == 1
    assert feed.subscribe(Channel.INDEX_PRICES, "BTC-PERP") == []
    assert feed.subscribe(Channel.INDEX_PRICES, "BTC-PERP") == []
    assert feed.unsubscribe(Channel.MARK_PRICES, "BTC-PERP") == []
    assert len(feed.unsubscribe(Channel.INDEX_PRICES, "BTC-PERP")) == 1
    assert feed.unsubscribe(Channel.INDEX_PRICES, "BTC-PERP") == []


@pytest.mark.parametrize("channel", [Channel.BARS, Channel.INSTRUMENT_STATUS])
def test_what_the_venue_has_not_is_not_asked_for(channel):
    assert BsxMarketFeed(settings()).subscribe(channel, "BTC-PERP") == []
    assert not BsxMarketFeed(settings()).capabilities.data[channel].supported


def test_a_new_subscription_takes_a_snapshot_of_a_number_already_seen():
    feed = BsxMarketFeed(settings())
    feed.subscribe(Channel.BOOK, "BTC-PERP")
    snapshot = book(gsn=10, type="snapshot")
    assert feed.decode(snapshot)
    feed.unsubscribe(Channel.BOOK, "BTC-PERP")
    feed.subscribe(Channel.BOOK, "BTC-PERP")
    assert feed.decode(snapshot)
