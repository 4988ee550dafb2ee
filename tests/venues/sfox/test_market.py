"""Market data: subscriptions within the request limit, books summed and sorted, days of the ticker."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.errors import FatalFeedError, FrameError, TransientFeedError
from nautilus_orderfeeds.feed.market import Book, Candle, Channel, Quote
from nautilus_orderfeeds.venues.base import Gap
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.sfox.market import SfoxMarketFeed
from nautilus_orderfeeds.venues.sfox.market_codec import MarketDecoder, book_of, is_crossed, public_trade_id
from nautilus_orderfeeds.venues.sfox.settings import BookKind, CrossedBooks, Limits
from tests.support.raw_http import answer, raw_server
from tests.support.sfox_client import FRAME_TS, ack, frame, settings, specs

DAY = 86_400 * 10**9


def decoder(book: BookKind = BookKind.NET, crossed: CrossedBooks = CrossedBooks.DROP) -> MarketDecoder:
    return MarketDecoder(book, crossed, lambda said: None)


def book_frame(bids: list[Any], asks: list[Any], **changed: Any) -> bytes:
    return frame("orderbook.net.btcusd", {"bids": bids, "asks": asks, "pair": "btcusdc"}, **changed)


# -- books -------------------------------------------------------------------------------------------------------------


def test_levels_are_summed_by_price_and_sorted_whatever_their_order():
    bids = [[99, 1, "a"], [100, "0.5", "b"], [99, 2, "c"], [100, 0, "d"]]
    book, quote = decoder().decode(book_frame(bids, [[103, 1, "a"], [101, 1e-8, "a"], [102, 1, "b"]], sequence=9))
    assert isinstance(book, Book)
    assert book.symbol == "BTCUSD", "by the recipient, whatever the payload says"
    assert book.bids == ((Decimal(100), Decimal("0.5")), (Decimal(99), Decimal(3)))
    assert book.asks == (
        (Decimal(101), Decimal("0.00000001")),
        (Decimal(102), Decimal(1)),
        (Decimal(103), Decimal(1)),
    )
    assert (book.sequence, book.ts_event) == (9, FRAME_TS)
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask, quote.bid_size) == (100, 101, Decimal("0.5"))


levels = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), max_size=20)


@given(bids=levels, asks=levels)
def test_a_book_keeps_every_unit_and_its_order(bids: list[tuple[int, int]], asks: list[tuple[int, int]]):
    payload = json.dumps({"bids": [[*level, "x"] for level in bids], "asks": [[*level, "x"] for level in asks]})
    book = book_of(payload.encode(), "BTCUSD")
    for told, made, sign in ((bids, book.bids, -1), (asks, book.asks, 1)):
        assert sum(size for _, size in made) == sum(size for _, size in told)
        assert [price for price, _ in made] == sorted({price for price, size in told if size}, key=lambda p: sign * p)
        assert all(size > 0 for _, size in made)
    best_bid = max((p for p, size in bids if size), default=0)
    best_ask = min((p for p, size in asks if size), default=99)
    assert is_crossed(book) is (best_bid >= best_ask)


def test_a_crossed_book_is_dropped_or_passed(caplog: pytest.LogCaptureFixture):
    crossed = book_frame([[101, 1]], [[101, 1]])
    dropping = decoder()
    assert [dropping.decode(crossed) for _ in range(3)] == [[], [], []]
    assert dropping.crossed == 3
    assert len(caplog.records) == 1
    assert dropping.best("BTCUSD") is None
    _, quote = decoder(crossed=CrossedBooks.PASS).decode(crossed)
    assert (quote.bid, quote.ask) == (101, 101)  # type: ignore[union-attr]


def test_a_quote_is_told_when_it_changes():
    made = decoder()
    told = [made.decode(book_frame([[99, size]], [[101, 1]])) for size in (1, 1, 2)]
    assert [len(messages) for messages in told] == [2, 1, 2]
    assert made.best("BTCUSD") == (99, 101)
    assert len(made.decode(book_frame([[99, 2]], []))) == 1
    assert made.best("BTCUSD") is None
    made.decode(book_frame([[99, 2]], [[101, 1]]))
    made.forget()
    assert made.best("BTCUSD") is None


@pytest.mark.parametrize(
    "raw",
    [
        book_frame([["x", 1]], []),
        book_frame([[-1, 1]], []),
        book_frame([[1, -1]], []),
        book_frame([[1]], []),
        frame("orderbook.sfox.btcusd", {"bids": [], "asks": []}),
        frame("trades.sfox.btcusd", {"id": "1", "price": "0", "quantity": "1", "is_decimal": True}),
        frame("trades.sfox.btcusd", {"id": "\u00e9", "price": "1", "quantity": "1", "is_decimal": True}),
        frame("ticker.sfox.btcusd", {"open": 1}),
        frame("candles.sfox.btcusd", {}),
        frame("ticker.sfox.", {"open": 1, "high": 1, "low": 1, "last": 1, "volume": 1}),
        b"[]",
    ],
)
def test_what_is_no_market_data_is_refused(raw: bytes):
    with pytest.raises(FrameError):
        decoder().decode(raw)


def test_trade_ids_are_unique_with_their_exchange_and_fit():
    assert public_trade_id("bitfinex", "1") != public_trade_id("gemini", "1")
    assert public_trade_id("", "77") == "77"
    assert len(public_trade_id("x" * 40, "1")) == 32


# -- the ticker as bars ------------------------------------------------------------------------------------------------


def ticker(last: int, ts: int) -> bytes:
    return frame("ticker.sfox.btcusd", {"open": 10, "high": 20, "low": 5, "last": last, "volume": 1.5}, timestamp=ts)


def test_the_day_so_far_and_the_day_that_is_over():
    made = decoder()
    midnight = FRAME_TS // DAY * DAY
    (first,) = made.decode(ticker(11, midnight + DAY - 5))
    assert (first.is_final, first.ts_event) == (False, midnight + DAY)  # type: ignore[union-attr]
    final, second = made.decode(ticker(12, midnight + DAY + 5))
    assert isinstance(final, Candle)
    assert isinstance(second, Candle)
    assert (final.is_final, final.close, final.ts_event) == (True, 11, midnight + DAY)
    assert (second.is_final, second.close, second.ts_event) == (False, 12, midnight + 2 * DAY)
    assert made.decode(ticker(13, midnight + DAY - 1)) == [], "late, of the day that is over"


# -- subscriptions -----------------------------------------------------------------------------------------------------


def feed(**changed: Any) -> SfoxMarketFeed:
    made = SfoxMarketFeed(settings(**changed))
    made.use_instruments(list(specs().values()))
    return made


def names(frames: list[bytes]) -> list[tuple[str, list[str]]]:
    return [(told["type"], told["feeds"]) for told in map(json.loads, frames)]


def test_quotes_and_books_share_a_feed():
    made = feed()
    assert names(made.subscribe(Channel.QUOTES, "BTCUSD")) == [("subscribe", ["orderbook.net.btcusd"])]
    assert made.subscribe(Channel.BOOK, "BTCUSD") == []
    assert made.unsubscribe(Channel.QUOTES, "BTCUSD") == []
    assert names(made.unsubscribe(Channel.BOOK, "BTCUSD")) == [("unsubscribe", ["orderbook.net.btcusd"])]
    assert made.unsubscribe(Channel.BOOK, "BTCUSD") == []


@pytest.mark.parametrize(
    ("channel", "feeds"),
    [
        (Channel.TRADES, ["trades.sfox.ethbtc"]),
        (Channel.BARS, ["ticker.sfox.ethbtc"]),
        (Channel.BOOK, ["orderbook.sfox.ethbtc"]),
    ],
)
def test_feeds_of_the_channels(channel: Channel, feeds: list[str]):
    assert names(feed(book=BookKind.RAW).subscribe(channel, "ETHBTC")) == [("subscribe", feeds)]


def test_what_the_venue_has_not_is_not_subscribed():
    assert feed().subscribe(Channel.MARK_PRICES, "BTCUSD") == []
    assert feed().unsubscribe(Channel.FUNDING_RATES, "BTCUSD") == []


class Connection:
    """The handshake's side of a connection that confirms everything."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def send(self, told: bytes | str) -> None:
        self.sent.append(json.loads(told))

    async def expect(self, predicate: Any, timeout_secs: float = 10.0, *, keep: bool = False) -> bytes:
        assert predicate(ack(self.sent[-1]["type"]))
        return ack(self.sent[-1]["type"])


async def test_the_handshake_restores_everything_in_one_request():
    made = feed()
    for symbol in ("BTCUSD", "ETHBTC"):
        made.subscribe(Channel.BOOK, symbol)
        made.subscribe(Channel.TRADES, symbol)
    connection = Connection()
    await made.stream().handshake(connection)
    assert [told["type"] for told in connection.sent] == ["authenticate", "subscribe"]
    assert connection.sent[1]["feeds"] == [
        "orderbook.net.btcusd",
        "orderbook.net.ethbtc",
        "trades.sfox.btcusd",
        "trades.sfox.ethbtc",
    ]


async def test_without_a_wish_something_cheap_is_subscribed():
    """A connection without a subscription may be closed by the venue."""
    connection = Connection()
    await feed().stream().handshake(connection)
    assert connection.sent[1]["feeds"] == ["ticker.sfox.btcusd"]


async def test_subscriptions_that_wait_for_the_limit_go_out_together():
    made = feed(limits=Limits(ws_requests_per_min=4, time_scale=0.005))
    stream = made.stream()
    await stream.handshake(Connection())
    wishes = [(channel, symbol) for channel in (Channel.BOOK, Channel.TRADES, Channel.BARS) for symbol in specs()]
    frames = [frame for wish in wishes for frame in made.subscribe(*wish)]
    subscriptions = [frame for frame in frames if json.loads(frame)["type"] == "subscribe"]
    assert len(subscriptions) == 9
    sent = [told for told in await asyncio.gather(*map(stream.outgoing, frames)) if told is not None]
    told = names([bytes(each) for each in sent])  # type: ignore[arg-type]
    assert len(told) < len(frames)
    feeds = [name for kind, group in told for name in group if kind == "subscribe"]
    assert sorted(feeds) == sorted(set(feeds))
    assert len(feeds) == 8, "one ticker was on already"


async def test_an_end_and_a_beginning_are_two_requests_and_a_change_of_mind_is_none():
    made = feed()
    stream = made.stream()
    made.subscribe(Channel.BOOK, "BTCUSD")
    await stream.handshake(Connection())
    frames = [*made.unsubscribe(Channel.BOOK, "BTCUSD"), *made.subscribe(Channel.TRADES, "BTCUSD")]
    sent = names([told for each in frames if (told := await stream.outgoing(each)) is not None])  # type: ignore[misc]
    assert sent == [("subscribe", ["trades.sfox.btcusd"]), ("unsubscribe", ["orderbook.net.btcusd"])]
    frames = [*made.subscribe(Channel.BOOK, "ETHBTC"), *made.unsubscribe(Channel.BOOK, "ETHBTC")]
    assert frames
    assert all([await stream.outgoing(each) is None for each in frames])


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_an_error_of_the_venue_means_that_subscriptions_may_be_gone():
    errors: list[str] = []
    made = MarketDecoder(BookKind.NET, CrossedBooks.DROP, errors.append)
    (told,) = made.decode(ack(type="error", action="subscribe"))
    assert isinstance(told, Gap)
    assert len(errors) == 1
    assert made.decode(ack("subscribe")) == []


async def test_the_book_over_rest():
    body = json.dumps({"bids": [[99, 1, "a"], [99, 1, "b"]], "asks": [[101, 1, "a"]], "lastpublished": 5}).encode()
    async with raw_server(answer(200, body)) as server:
        made = feed(base_url_http=server.url)
        await made.open()
        book = await made.book("BTCUSD")
        await made.close()
    assert book is not None
    assert book.bids == ((Decimal(99), Decimal(2)),)
    assert book.ts_event == 5_000_000
    assert server.requests[0].target == "/v1/markets/orderbook/btcusd?routing_type=NetPrice"


async def test_a_crossed_book_over_rest_is_an_error_where_such_are_dropped():
    body = json.dumps({"bids": [[101, 1, "a"]], "asks": [[101, 1, "a"]]}).encode()
    async with raw_server(answer(200, body)) as server:
        for crossed in CrossedBooks:
            made = feed(base_url_http=server.url, crossed_books=crossed)
            await made.open()
            if crossed is CrossedBooks.DROP:
                with pytest.raises(TransientFeedError, match="crossed"):
                    await made.book("BTCUSD")
            else:
                assert await made.book("BTCUSD") is not None
            await made.close()


async def test_a_key_is_needed():
    with pytest.raises(FatalFeedError, match="SFOX_API_KEY"):
        await SfoxMarketFeed(settings(api_key=Secret(""))).open()
    with pytest.raises(FatalFeedError, match="not open"):
        await feed().instruments()
    assert await feed().funding_rates("BTCUSD", 0, 0, 0) is None
    assert feed().reference_price("BTCUSD") is None


def test_the_stream_is_one():
    made = feed()
    assert made.stream() is made.stream()
    assert made.stream().name == "SFOX market data"
