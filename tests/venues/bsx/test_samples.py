"""Every sample means what its page says; what is no wire message is refused."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Book, Channel, FundingRate, IndexPrice, MarkPrice, Quote, Trade
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce, TriggerType
from nautilus_orderfeeds.venues.base import Gap
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.account import account_update, decode_portfolio, positions
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec
from nautilus_orderfeeds.venues.bsx.frames import PrivateDecoder
from nautilus_orderfeeds.venues.bsx.market import BsxMarketFeed
from nautilus_orderfeeds.venues.bsx.market_codec import MarketDecoder
from nautilus_orderfeeds.venues.bsx.products import decode_products
from nautilus_orderfeeds.venues.bsx.settings import BalanceSource
from nautilus_orderfeeds.venues.bsx.signing import decode_domain
from nautilus_orderfeeds.venues.bsx.stream import OrdersStream
from tests.support.bsx_client import SAMPLES, settings, spec

FILES = sorted(path for path in SAMPLES.glob("*/*") if path.suffix in (".json", ".txt"))
SERVER_JSON = [path for path in FILES if path.name.startswith("ws-server") and path.suffix == ".json"]


def name_of(path: Path) -> str:
    return path.name


def private(name: str) -> list[Any]:
    return PrivateDecoder(OrderCodec()).decode(read(name))


def public(name: str) -> list[Any]:
    decoder = MarketDecoder()
    decoder.use_instruments([spec()])
    return decoder.decode(read(name))


def read(name: str) -> bytes:
    (path,) = (path for path in FILES if path.name == name)
    return path.read_bytes()


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".txt"], ids=name_of)
def test_verbatim_text_that_is_no_json_is_refused(path):
    with pytest.raises(json.JSONDecodeError):
        json.loads(path.read_bytes())
    for decode in (PrivateDecoder(OrderCodec()).decode, MarketDecoder().decode):
        with pytest.raises(FrameError, match=r"received .* expected"):
            decode(path.read_bytes())


@pytest.mark.parametrize("path", SERVER_JSON, ids=name_of)
def test_each_stream_reads_what_is_for_it_and_refuses_the_rest(path):
    """No sample of a server's frame is lost: one of the streams reads it, or its placeholders are refused."""
    verdicts = []
    for decode in (PrivateDecoder(OrderCodec()).decode, public_decoder().decode):
        try:
            verdicts.append(bool(decode(path.read_bytes())))
        except FrameError:
            verdicts.append(None)
    is_orders = "-orders-" in path.name
    is_data = "-snapshot" in path.name or "-update" in path.name
    if path.name.endswith("-schema.json"):
        assert verdicts == [None, None]
    elif is_orders:
        assert verdicts == [True, None]
    elif is_data:
        assert verdicts == [None, True]
    elif "-error-" in path.name:
        assert None in verdicts
    else:
        assert verdicts == [False, False]


def public_decoder() -> MarketDecoder:
    decoder = MarketDecoder()
    decoder.use_instruments([spec()])
    return decoder


def test_snapshot_of_the_venue_page():
    buy, sell, eth, stop = private("ws-server-orders-snapshot.json")
    assert all(isinstance(update, OrderUpdate) and update.source is Source.SNAPSHOT for update in (buy, eth))
    assert (buy.symbol, buy.side, buy.status) == ("BTC-PERP", OrderSide.BUY, VenueStatus.WORKING)
    assert (str(buy.quantity), str(buy.price), str(buy.filled_qty), buy.avg_px) == ("0.018", "55000", "0", None)
    assert buy.refs == ("nonce:1719319405354011720",)
    assert buy.ts_event == buy.ts_accepted == 1719319405611080236
    # Part-filled is OPEN.
    assert (sell.status, str(sell.filled_qty), str(sell.avg_px), str(sell.fees)) == (
        VenueStatus.WORKING,
        "0.011",
        "70000",
        "-0.0385",
    )
    assert sell.ts_event == 1719249149768837378
    # Part-filled, but `updated_at` is "0": the snapshot's own time.
    assert (str(eth.filled_qty), eth.ts_event) == ("0.2", 1719319688307036691)
    assert (stop.status, stop.type, stop.time_in_force) == (
        VenueStatus.WAITING,
        OrderType.STOP_LIMIT,
        TimeInForce.IOC,
    )
    assert (str(stop.trigger_price), str(stop.price), stop.trigger_type) == ("196.91", "197.89", TriggerType.LAST_PRICE)
    assert stop.reduce_only


def test_updates_of_the_venue_page_share_their_time():
    (pending,) = private("ws-server-orders-update-pending.json")
    (working,) = private("ws-server-orders-update-open.json")
    assert (pending.status, working.status) == (VenueStatus.PENDING, VenueStatus.WORKING)
    assert pending.ts_event == working.ts_event == 1719319688307036691
    assert pending.venue_order_id == working.venue_order_id == "a01292c9-00f1-4c18-9d47-ec18df88d0ae"


def test_an_error_of_the_orders_channel_means_that_updates_are_missing():
    assert private("ws-server-orders-error-not-authenticated.json") == [Gap("orders channel: not authenticated (401)")]


def test_live_book():
    (book,) = public("ws-server-book-snapshot.json")
    assert isinstance(book, Book)
    assert (book.is_snapshot, len(book.bids), len(book.asks), book.sequence) == (True, 27, 26, 108639724)
    assert [str(value) for value in (*book.bids[0], *book.asks[0])] == ["64648", "0.772", "64655", "0.792"]
    assert book.ts_event == 1721281176903905000
    (change,) = public("ws-server-book-update.json")
    assert (change.is_snapshot, change.bids, len(change.asks)) == (False, (), 1)


def test_hand_written_book_is_sorted_and_its_milliseconds_are_not_believed():
    (book,) = public("ws-server-book-snapshot-illustrative.json")
    assert [str(px) for px, _ in book.bids] == ["36300", "36200", "36000"]
    assert book.ts_event == 1701798871000000000
    (old,) = public("ws-server-book-snapshot-old.json")
    assert old.ts_event == 0


def test_ticker_trade_oracle_and_funding():
    (quote,) = public("ws-server-ticker-snapshot.json")
    assert isinstance(quote, Quote)
    assert [str(value) for value in (quote.bid, quote.bid_size, quote.ask, quote.ask_size)] == [
        "64858",
        "1.472",
        "64866",
        "1.009",
    ]
    (trade,) = public("ws-server-trades-update.json")
    assert isinstance(trade, Trade)
    assert (trade.aggressor_side, trade.trade_id) == (OrderSide.BUY, "25e866b311cc491c9313b3ba6b3cf8a3")
    assert trade.ts_event == 1703513510240541000
    for name in ("ws-server-oracle-snapshot.json", "ws-server-oracle-update.json", "ws-server-oracle-update-2.json"):
        mark, index = public(name)
        assert isinstance(mark, MarkPrice)
        assert isinstance(index, IndexPrice)
        assert mark.symbol == index.symbol == "BTC-PERP"
    assert str(mark.price) == "64679.746479500002"
    (rate,) = public("ws-server-funding-rate-update.json")
    assert isinstance(rate, FundingRate)
    assert (str(rate.rate), rate.ts_event) == ("-0.000061", 1724912123343324000)


CLIENT_SUBS = {
    "ws-client-sub-book.json": Channel.BOOK,
    "ws-client-sub-ticker.json": Channel.QUOTES,
    "ws-client-sub-trades.json": Channel.TRADES,
    "ws-client-sub-oracle.json": Channel.MARK_PRICES,
    "ws-client-sub-funding-rate.json": Channel.FUNDING_RATES,
}


@pytest.mark.parametrize(("name", "channel"), CLIENT_SUBS.items(), ids=lambda value: str(value))
def test_our_subscriptions_are_the_published_ones(name, channel):
    feed = BsxMarketFeed(settings())
    (sent,) = feed.subscribe(channel, "BTC-PERP")
    assert json.loads(sent) == json.loads(read(name))
    if channel is Channel.BOOK:
        (sent,) = feed.unsubscribe(channel, "BTC-PERP")
        assert json.loads(sent) == json.loads(read("ws-client-unsub-book.json"))


class Script:
    """A handshake's other side: notes what is sent, answers from a list."""

    def __init__(self, *answers: bytes) -> None:
        self.sent: list[Any] = []
        self.answers = list(answers)

    async def send(self, frame: bytes | str) -> None:
        self.sent.append(json.loads(frame))

    async def expect(self, predicate: Any, timeout_secs: float = 10.0, *, keep: bool = False) -> bytes:
        return next(frame for frame in self.answers if predicate(frame))


async def test_our_login_is_the_published_one():
    clock = ManualClock(1701918382000000000)
    script = Script(read("ws-server-auth-authenticated.json"), read("ws-server-orders-snapshot.json"))
    stream = OrdersStream(settings(), clock)
    await stream.handshake(script)
    assert script.sent == [json.loads(read("ws-client-auth.json")), json.loads(read("ws-client-sub-orders.json"))]
    assert json.loads(stream.probe()) == json.loads(read("ws-client-ping.json"))


PLACEHOLDERS = {
    "<uuid>": "a01292c9-00f1-4c18-9d47-ec18df88d0ae",
    "<32 hex>": "1f" * 16,
    "<64 hex>": "1f" * 32,
    "<string>": "text",
    "0x<40 hex>": "0x" + "1f" * 20,
    "<int>": 3,
    "<int string>": "3",
    "<number>": 0.0005,
    "<ns, string>": "1719319405354011720",
    "<ns, number or string>": 1719319405354011720,
    "<decimal string>": "1.5",
    "<signed decimal string>": "-1.5",
    "<string, empty if none>": "",
    "<string, values unknown>": "maker",
    "<int, success value unknown>": 0,
    "<int, not success>": 3,
}


def filled(shape: Any) -> Any:
    """A shape with its placeholders filled in."""
    match shape:
        case dict():
            return {key: filled(value) for key, value in shape.items()}
        case list():
            return [filled(value) for value in shape]
        case str() if "|" in shape:
            return shape.split("|")[0]
        case str():
            return PLACEHOLDERS.get(shape, shape)
        case _:
            return shape


def shape(name: str) -> bytes:
    return json.dumps(filled(json.loads(read(name)))).encode()


def test_published_shapes_of_answers_decode():
    order = wire.ORDER.decode(shape("rest-response-post-orders-schema.json"))
    assert OrderCodec().update(order, Source.ANSWER).status is VenueStatus.PENDING
    assert wire.CANCEL_REQUESTED.decode(shape("rest-response-delete-order-schema.json")).nonce == 1719319405354011720
    many = wire.CANCEL_MANY_ANSWER.decode(shape("rest-response-delete-orders-schema.json"))
    assert many.cancel_requested_orders[0].venue_order_id == PLACEHOLDERS["<uuid>"]
    assert wire.ERROR_BODY.decode(shape("rest-response-error-schema.json")).code == 16
    keys = wire.API_KEYS.decode(shape("rest-response-get-users-api-key-schema.json")).api_keys
    assert keys[0].expired_at == 1719319405354011720
    assert decode_domain(shape("rest-response-get-chain-configs-schema.json")).chain_id == 8453
    (instrument,) = decode_products(shape("rest-response-get-products-schema.json"))
    assert (instrument.symbol, instrument.info["product_index"]) == ("BTC-PERP", 1)
    assert wire.FUNDING_HISTORY.decode(shape("rest-response-get-funding-rate-schema.json")).items[0].time > 0
    trades = wire.TRADE_HISTORY.decode(shape("rest-response-get-trade-history-schema.json")).trades
    assert trades[0].order_id == ""
    portfolio = decode_portfolio(shape("rest-response-get-portfolio-detail-schema.json"))
    assert str(account_update(portfolio, BalanceSource.ACCOUNT_VALUE).balances[0].total) == "1.5"
    assert str(positions(portfolio, {})[0].signed_qty) == "-1.5"
    (fill,) = PrivateDecoder(OrderCodec()).decode(shape("ws-server-orders-update-fill-schema.json"))[0].fills
    assert str(fill.commission) == "3.0"


def test_items_of_the_published_batch_answer_decode():
    items = wire.RAW_BATCH_ANSWER.decode(shape("rest-response-post-orders-batch-schema.json")).data
    decoded = [wire.BATCH_ITEM.decode(item) for item in items[1:]]
    assert [item.create_order_response for item in decoded] == [None, None, None]


def test_our_requests_have_the_published_keys():
    request = wire.CreateOrder(
        side=wire.WireSide.BUY,
        type=wire.WireOrderType.LIMIT,
        time_in_force=wire.WireTimeInForce.GTT,
        product_index=1,
        price="1000",
        size="0.01",
        nonce="1719319405354011720",
        client_order_id="522005f7bfdb48c98b931a40296cdf96",
        post_only=False,
        reduce_only=False,
        stp=wire.SelfTradePrevention.CANCEL_TAKER,
        expired_at="1719319405354011720",
        signature="0x" + "1f" * 65,
    )
    published = json.loads(read("rest-request-post-orders-js-schema.json"))
    assert {**published, **json.loads(wire.encode(request))}.keys() == published.keys()
    batch = json.loads(wire.encode(wire.Batch([wire.BatchCreate(request)])))
    assert batch["data"][0].keys() == {"op_type", "create_order_request"}
    cancel = json.loads(wire.encode(wire.CancelMany(order_ids=["x"], nonces=[1])))
    assert cancel.keys() <= json.loads(read("rest-request-delete-orders-schema.json")).keys()
    assert json.loads(wire.encode(wire.CancelMany(order_ids=["x"]))) == {"order_ids": ["x"]}


def test_no_decoder_reads_the_secret_of_a_key():
    keys = wire.API_KEYS.decode(shape("rest-response-get-users-api-key-schema.json"))
    assert PLACEHOLDERS["<64 hex>"] not in msgspec.json.encode(keys).decode()
