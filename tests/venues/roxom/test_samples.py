"""Every sample means what its page says; what is no wire message is refused."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Book, FundingRate, IndexPrice, MarkPrice, Quote, Trade
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.base import AccountChanged, Gap, VenueData
from nautilus_orderfeeds.venues.roxom import queries, wire
from nautilus_orderfeeds.venues.roxom.account import decode_balances, decode_position
from nautilus_orderfeeds.venues.roxom.codec import inferred_trade_id
from nautilus_orderfeeds.venues.roxom.entry import CreateOrder
from nautilus_orderfeeds.venues.roxom.fills import by_order, placed, read_rows
from nautilus_orderfeeds.venues.roxom.market_codec import MarketDecoder, decode_book
from nautilus_orderfeeds.venues.roxom.products import decode_instruments
from nautilus_orderfeeds.venues.roxom.settings import DepthReading
from nautilus_orderfeeds.venues.roxom.stream import request
from nautilus_orderfeeds.venues.roxom.words import WireChannel
from tests.support.roxom_client import CREATED_NS, EVENT_NS, ORDER_ID, SAMPLES, codec, decoder, sample

FILES = sorted(path for path in SAMPLES.glob("*/*") if path.suffix in (".json", ".txt"))
SERVER = [path for path in FILES if path.name.startswith("ws-server") and path.suffix == ".json"]
SIGNED_NS = 1640995200000000000


def name_of(path: Path) -> str:
    return path.name


def private(name: str) -> list[Any]:
    return decoder().decode(sample(name))


def public(name: str, reading: DepthReading = DepthReading.SIGNED) -> list[Any]:
    return MarketDecoder(reading).decode(sample(name))


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".txt"], ids=name_of)
def test_verbatim_text_that_is_no_json_is_refused(path):
    for decode in (decoder().decode, MarketDecoder(DepthReading.SIGNED).decode):
        with pytest.raises(FrameError, match=r"received .* expected"):
            decode(path.read_bytes())


@pytest.mark.parametrize("path", SERVER, ids=name_of)
def test_each_stream_reads_what_is_for_it_and_refuses_the_rest(path):
    """Account events come to every connection, so the public side leaves them to the other one."""
    verdicts: list[bool | None] = []
    for decode in (decoder().decode, MarketDecoder(DepthReading.SIGNED).decode):
        try:
            verdicts.append(bool(decode(path.read_bytes())))
        except FrameError:
            verdicts.append(None)
    if path.name.endswith("-schema.json"):
        assert verdicts == [None, None]
    elif "error" in path.name:
        assert verdicts == [True, None]
    elif path.name == "ws-server-depth-delta.json":
        assert verdicts == [None, False]  # changes of a book that is not known tell nothing
    elif "snapshot" in path.name:
        assert verdicts == [None, True]
    else:
        assert verdicts == [True, False]


def test_order_of_the_venue_page():
    """Eight fields: no side, so it can only be about an order that is known already."""
    (update,) = [message for message in private("ws-server-order-cancelled.json") if isinstance(message, OrderUpdate)]
    assert (update.venue_order_id, update.symbol, update.status) == (ORDER_ID, "GOLD-BTC", VenueStatus.CANCELED)
    assert (update.side, update.type, update.price, update.fees) == (None, None, None, None)
    assert (str(update.quantity), str(update.filled_qty), update.avg_px) == ("1.00", "0.00", None)
    assert (update.ts_event, update.ts_accepted) == (EVENT_NS, CREATED_NS)


def test_order_of_the_later_text():
    update, changed = private("ws-server-order-partiallyfilled.json")
    assert isinstance(update, OrderUpdate)
    assert isinstance(changed, AccountChanged)
    assert (update.status, update.side, update.type) == (VenueStatus.WORKING, OrderSide.BUY, OrderType.LIMIT)
    assert (str(update.quantity), str(update.filled_qty)) == ("1.00", "0.50")
    assert (str(update.avg_px), str(update.last_px), str(update.price)) == ("50125.50", "50125.50", "50200.00")
    assert (str(update.fees), update.fees_currency) == ("0.00002506", "BTC")
    # Somebody's client order id: we send none unless told to, so it is no key of ours.
    assert (update.refs, update.client_order_id) == ((), None)


def test_the_client_order_id_is_a_key_if_it_is_sent():
    orders = codec(send_client_order_id=True)
    update, _ = decoder(orders).decode(sample("ws-server-order-partiallyfilled.json"))
    assert update.refs == ("cid:my-order-123",)


def test_balance_and_position_events_are_passed_on_and_cause_a_reading():
    balance, changed = private("ws-server-balance-ordersettle.json")
    assert isinstance(balance, VenueData)
    assert (balance.kind, balance.data["amount"], balance.ts_event) == ("BALANCE", "-0.00050000", SIGNED_NS)
    position, again = private("ws-server-position.json")
    assert (position.kind, position.symbol, position.data["size"]) == ("POSITION", "US500-BTC", "0.500")
    assert position.ts_event == SIGNED_NS  # updatedAt is in ns, openDate beside it in ms
    assert isinstance(changed, AccountChanged)
    assert isinstance(again, AccountChanged)


def test_refused_login():
    assert private("ws-server-error-auth-failed.json") == [Gap("Authentication failed (600010)")]


def test_level1_trade_and_ticker():
    (quote,) = public("ws-server-level1-snapshot.json")
    assert isinstance(quote, Quote)
    assert [str(number) for number in (quote.bid, quote.bid_size, quote.ask, quote.ask_size)] == [
        "0.00432450",
        "0.5",
        "0.00432500",
        "0.3",
    ]
    (trade,) = public("ws-server-trade-snapshot.json")
    assert isinstance(trade, Trade)
    assert (str(trade.price), str(trade.size), trade.aggressor_side) == ("0.00432450", "1247.85", OrderSide.BUY)
    assert trade.trade_id == public("ws-server-trade-snapshot.json")[0].trade_id
    mark, index, funding = public("ws-server-ticker-snapshot.json")
    assert (mark, index) == (
        MarkPrice(symbol="US500-BTC", price=Decimal("0.00432475"), ts_event=SIGNED_NS),
        IndexPrice(symbol="US500-BTC", price=Decimal("0.00432450"), ts_event=SIGNED_NS),
    )
    assert isinstance(funding, FundingRate)
    assert (str(funding.rate), funding.interval_mins) == ("0.0001", 480)


@pytest.mark.parametrize(
    ("reading", "changes"),
    [
        (DepthReading.SIGNED, ((("0.00089415", "10.00"),), ())),
        (DepthReading.ABSOLUTE, ((("0.00089415", "10.00"),), ())),
        (DepthReading.LEVEL1, None),
    ],
)
def test_depth_by_its_reading(reading, changes):
    """The sample's negative quantity is of a price the snapshot lacks: nothing is there to be taken away."""
    market = MarketDecoder(reading)
    books = market.decode(sample("ws-server-depth-snapshot.json"))
    deltas = market.decode(sample("ws-server-depth-delta.json"))
    if changes is None:
        assert (books, deltas) == ([], [])
        return
    (book,), (delta,) = books, deltas
    assert isinstance(book, Book)
    assert book.is_snapshot
    assert [str(px) for px, _ in book.bids] == ["0.00089410", "0.00089400"]
    # The topic says whose book it is: the sample's data names another symbol.
    assert (delta.symbol, delta.is_snapshot) == ("GOLD-BTC", False)
    assert tuple((str(px), str(size)) for px, size in delta.bids) == changes[0]
    assert delta.asks == changes[1]


def test_signed_deltas_are_added_and_absolute_ones_replace():
    frame = json.loads(sample("ws-server-depth-delta.json"))
    frame["data"] |= {"bid": [["0.00089410", "-9.25"], ["0.00089400", "-50.00"]], "ask": []}
    sizes = {}
    for reading in (DepthReading.SIGNED, DepthReading.ABSOLUTE):
        market = MarketDecoder(reading)
        market.decode(sample("ws-server-depth-snapshot.json"))
        (delta,) = market.decode(json.dumps(frame).encode())
        sizes[reading] = [str(size.normalize()) for _, size in delta.bids]
    assert sizes == {DepthReading.SIGNED: ["8E+1", "0"], DepthReading.ABSOLUTE: ["0", "0"]}


def test_orders_over_rest_in_both_spellings():
    (one,) = [
        wire.ORDER.decode(row) for row in [wire.ONE_ORDER.decode(sample("rest-response-get-order.json")).data.order]
    ]
    first, second = (
        wire.ORDER.decode(row) for row in wire.MANY_ORDERS.decode(sample("rest-response-get-orders.json")).data.orders
    )
    orders = codec()
    (update,) = orders.order(one, Source.QUERY, [], is_listed_open=True)
    assert (str(update.quantity), str(update.price)) == ("100.00", "0.50000000")  # told in satoshi
    assert update.ts_accepted == 1685432112000 * 1_000_000  # told in ms
    assert (update.status, update.filled_qty) == (VenueStatus.WORKING, None)  # how much was filled is not told
    (update,) = orders.order(first, Source.QUERY, [], is_listed_open=True)
    assert (update.type, update.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)
    assert (str(update.quantity), str(update.price), update.ts_accepted) == ("0.001", "50000", SIGNED_NS)
    (update,) = orders.order(second, Source.HISTORY, [], is_listed_open=False)
    assert (update.status, update.type, update.side) == (VenueStatus.FILLED, OrderType.MARKET, OrderSide.SELL)


def test_transaction_log():
    log = wire.LOG.decode(sample("rest-response-get-transaction-log.json")).data
    (fill,) = read_rows(log.logs)
    assert log.cursor is None
    assert (str(fill.qty), str(fill.px), str(fill.fee), fill.is_taker) == ("100.00", "50000", "250", True)
    assert fill.time_ns == 1642678800000 * 1_000_000
    (told,) = placed(fill.order_id, [fill], codec().memories.of("x").liquidity_side, inferred_trade_id)
    assert told.trade_id == inferred_trade_id(fill.order_id, Decimal(100))
    assert (told.ends_at, told.venue_trade_id) == (Decimal(100), fill.trade_id)
    assert list(by_order([fill, fill]).values()) == [[fill]]


def test_balances_in_both_shapes():
    update = decode_balances(sample("rest-response-get-balance.json"))
    (balance,) = update.balances
    assert (balance.currency, str(balance.total), str(balance.free)) == ("BTC", "0.00150000", "0.00125000")
    rows = [{"asset": "BTC", "assetClass": "x", "available": "0.9", "current": "1.0", "lockedInOrders": "0.1"}]
    body = json.dumps({"data": {"balances": [*rows, rows[0] | {"asset": "usdc"}], "lastUpdated": 123}, "error": True})
    assert [(b.currency, str(b.total)) for b in decode_balances(body.encode()).balances] == [
        ("BTC", "1.0"),
        ("USDC", "1.0"),
    ]


def test_positions_of_the_older_shape_are_not_trusted():
    assert decode_position(sample("rest-response-get-positions-legacy.json"), "OIL-BTC") is None


def test_positions_are_the_net_of_their_rows():
    row = {"side": "long", "size": "0.30", "avgEntry": "4800000", "unit": "sats", "updatedAt": 1752621480060}
    rows = [row, row | {"side": "short", "size": "0.10"}, row | {"size": "9", "closeDate": 1752621480060}]
    position = decode_position(json.dumps({"data": {"positions": rows}}).encode(), "GOLD-BTC")
    assert position is not None
    assert (str(position.signed_qty), position.avg_px_open) == ("0.20", Decimal("0.048"))
    assert position.ts_event == 1752621480060 * 1_000_000


def test_the_illustrative_listing_is_not_believed():
    (gold,) = decode_instruments(sample("rest-response-get-instruments-excerpt.json"))
    assert (gold.symbol, str(gold.price_increment), str(gold.size_increment)) == ("GOLD-BTC", "0.000001", "0.01")
    assert gold.price_precision == 8


def test_rest_book():
    book = decode_book(sample("rest-response-get-orderbook-snapshot.json"), "GOLD-BTC")
    assert book.is_snapshot
    assert (book.bids, book.asks) == (
        ((Decimal("0.030067"), Decimal(1)),),
        ((Decimal("0.030164"), Decimal(1)),),
    )


_READERS: dict[str, Callable[[bytes], Any]] = {
    "rest-response-get-balance-schema.json": decode_balances,
    "rest-response-get-order-schema.json": queries._decode_order,
    "rest-response-get-orders-schema.json": queries._decode_orders,
    "rest-response-get-positions-schema.json": lambda body: decode_position(body, "GOLD-BTC"),
    "rest-response-get-transaction-log-schema.json": queries._decode_log,
}


@pytest.mark.parametrize(
    "name",
    sorted(_READERS),
)
def test_placeholders_are_refused(name):
    with pytest.raises((FrameError, ValueError)):
        _READERS[name](sample(name))


def test_what_we_subscribe_with_is_as_documented():
    documented = json.loads(sample("ws-client-subscribe-private.json"))
    topics = [(WireChannel.ORDERS, ""), (WireChannel.POSITIONS, ""), (WireChannel.BALANCE, "")]
    assert json.loads(request("subscribe", topics)) == documented
    documented = json.loads(sample("ws-client-subscribe-level1.json"))
    topics = [(WireChannel.LEVEL1, "US500-BTC"), (WireChannel.LEVEL1, "GOLD-BTC")]
    assert json.loads(request("subscribe", topics)) == documented


def test_a_new_order_has_the_fields_of_the_documented_one():
    documented = json.loads(sample("rest-request-post-orders-limit.json"))
    ours = CreateOrder(
        symbol="OIL-BTC",
        inst_type="perpetual",
        side="buy",
        order_type="limit",
        qty="100",
        px="50000",
        time_in_force="gtc",
        unit="btc",
    )
    assert json.loads(msgspec.json.encode(ours)) == documented | {"unit": "btc"}
