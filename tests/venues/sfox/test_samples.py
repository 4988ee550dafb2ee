"""Every sample means what its page says; what is no wire message is refused."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FrameError
from nautilus_orderfeeds.feed.market import Book, Candle, Quote, Trade
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.base import Gap, VenueData
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.account import account_update, decode_balances
from nautilus_orderfeeds.venues.sfox.api import error_of
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec
from nautilus_orderfeeds.venues.sfox.entry import _cancel_outcome
from nautilus_orderfeeds.venues.sfox.frames import END_USER
from nautilus_orderfeeds.venues.sfox.market_codec import MarketDecoder, book_of, is_crossed
from nautilus_orderfeeds.venues.sfox.products import decode_currencies, decode_fee_rates, decode_pairs
from nautilus_orderfeeds.venues.sfox.settings import BookKind, CrossedBooks, EnterpriseFlag
from nautilus_orderfeeds.venues.sfox.stream import PrivateStream, SfoxStream, subscribe_frame
from nautilus_orderfeeds.venues.times import parse_iso
from tests.support.sfox_client import SAMPLES, USER, decoder, settings

FILES = sorted(path for path in SAMPLES.glob("*/*") if path.suffix in (".json", ".txt"))
BY_NAME = {path.name: path for path in FILES}


def read(name: str) -> bytes:
    return BY_NAME[name].read_bytes()


def private(name: str, user_id: str | None = None) -> list[Any]:
    return decoder(user_id)[0].decode(read(name))


def market(name: str, book: BookKind = BookKind.NET, crossed: CrossedBooks = CrossedBooks.PASS) -> list[Any]:
    return [*MarketDecoder(book, crossed, lambda said: None).decode(read(name))]


def orders(name: str) -> list[OrderUpdate]:
    rows = read(name)
    decoded = wire.ORDERS.decode(rows) if rows.lstrip()[:1] == b"[" else [wire.ORDER.decode(rows)]
    codec = OrderCodec()
    return [codec.update(order, Source.QUERY) for order in decoded or ()]


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".txt"], ids=lambda path: path.name)
def test_verbatim_text_that_is_no_json_is_refused(path: Path):
    with pytest.raises(json.JSONDecodeError):
        json.loads(path.read_bytes())
    for decode in (decoder(USER)[0].decode, MarketDecoder(BookKind.NET, CrossedBooks.PASS, lambda said: None).decode):
        with pytest.raises(FrameError, match=r"received .* expected"):
            decode(path.read_bytes())


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.name.startswith("ws-server") and path.suffix == ".json"],
    ids=lambda p: p.name,
)
def test_every_sample_of_the_server_has_the_envelope(path: Path):
    head = wire.HEAD.decode(path.read_bytes())
    assert (head.recipient is None) is (head.type is not None)
    assert head.sequence is not None
    assert head.timestamp > 10**18
    stream = SfoxStream(settings(), ManualClock())
    assert stream.sequence(path.read_bytes()) == head.sequence


# -- what we send ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key", "changed"),
    [
        ("ws-client-authenticate.json", "<REPLACE WITH YOUR API KEY>", {}),
        ("ws-client-authenticate-enterprise-boolean.json", "<API KEY>", {"enterprise": True}),
        (
            "ws-client-authenticate-enterprise-string.json",
            "<ENTERPRISE_API_KEY>",
            {"enterprise": True, "enterprise_flag": EnterpriseFlag.STRING},
        ),
    ],
)
def test_the_login_is_that_of_the_pages(name: str, key: str, changed: dict[str, Any]):
    stream = PrivateStream(settings(api_key=Secret(key), user_id=USER, **changed), ManualClock())
    assert json.loads(stream._login()) == json.loads(read(name))
    assert not stream.recordable(stream._login())


@pytest.mark.parametrize(
    "path", [p for p in FILES if "subscribe" in p.name and "client" in p.name], ids=lambda p: p.name
)
def test_subscriptions_are_those_of_the_pages(path: Path):
    if path.suffix == ".txt":
        return  # the page's program; what it makes is in the .json beside it
    sample = json.loads(path.read_bytes())
    on = sample["type"] == "subscribe"
    made = subscribe_frame(sample["feeds"], on=on)
    assert json.loads(made) == sample
    assert SfoxStream(settings(), ManualClock()).recordable(made)


def test_request_bodies_are_those_of_the_pages():
    amend = json.loads(read("rest-request-patch-order.json"))
    assert json.loads(wire.encode(wire.AmendOrder(quantity=wire.number(Decimal(2))))) == amend
    sample = json.loads(read("rest-request-post-orders-buy.json"))
    made = wire.CreateOrder(
        currency_pair="btcusd", algorithm_id=200, client_order_id="O-1", price="20000", quantity="1"
    )
    body = json.loads(wire.encode(made))
    assert body.pop("client_order_id") == "O-1"
    # The current page has numbers as text.
    assert {key: str(value) for key, value in body.items()} == {key: str(value) for key, value in sample.items()}


# -- private feeds -----------------------------------------------------------------------------------------------------


def test_the_venue_pages_own_sample():
    (told,) = private("ws-server-enterprise-open-orders.json", USER)
    assert told == OrderUpdate(
        Source.STREAM,
        "693291242",
        ("cid:577ab261-9dfc-415a-ba61-a54a18c1942c",),
        VenueStatus.WORKING,
        symbol="BTCUSD",
        side=OrderSide.SELL,
        type=told.type,
        quantity=Decimal("0.05"),
        price=Decimal("37227.82"),
        filled_qty=Decimal("0.00035333"),
        avg_px=Decimal("41367.24246455"),
        fees=Decimal("0.02850176"),
        ts_event=1710367225302228171,
        ts_accepted=parse_iso("2023-11-14T22:08:53.000Z"),
    )
    (foreign,) = private("ws-server-enterprise-open-orders.json", "somebody else")
    assert foreign == VenueData(
        kind=END_USER,
        data={
            "user_id": USER,
            "feed": "private.enterprise.users.open-orders",
            "updates": json.loads(read("ws-server-enterprise-open-orders.json"))["payload"]["updates"],
        },
        ts_event=1710367225302228171,
    )


def test_own_orders():
    (told,) = private("ws-server-open-orders.json")
    assert (told.venue_order_id, told.filled_qty) == ("693291242", Decimal("0.00035333"))


def test_own_fills():
    (told,) = private("ws-server-user-trades.json")
    (fill,) = told.fills
    assert (told.symbol, told.venue_order_id) == ("COMPUSD", "759514460")
    assert (fill.trade_id, fill.last_qty, fill.last_px, fill.commission) == (
        "759514460-830151520",
        Decimal("1.65911629"),
        Decimal("59.954004"),
        Decimal("0.04973533"),
    )


def test_own_balances():
    (told,) = private("ws-server-balances.json")
    assert isinstance(told, AccountUpdate)
    assert not told.complete
    assert [(each.currency, each.total, each.free) for each in told.balances] == [
        ("BTC", Decimal("0.17572419"), Decimal("0.17572419")),
        ("USD", Decimal(100), Decimal(100)),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "ws-server-authenticate-success.json",
        "ws-server-authenticate-success-connect.json",
        "ws-server-subscribe-success.json",
        "ws-server-subscribe-success-2018.json",
        "ws-server-unsubscribe-success-2018.json",
    ],
)
def test_acknowledgements_say_nothing_of_orders_and_end_a_step_of_the_handshake(name: str):
    assert private(name) == []
    stream = SfoxStream(settings(), ManualClock())
    assert stream._logged_in(read(name))
    assert stream._subscribed(read(name))


def test_a_refused_login():
    name = "ws-server-authenticate-error.json"
    with pytest.raises(FatalFeedError, match="SFOX_API_KEY"):
        SfoxStream(settings(), ManualClock())._logged_in(read(name))
    (gap,) = private(name)
    assert isinstance(gap, Gap)


@pytest.mark.parametrize("name", [n for n in BY_NAME if n.startswith("ws-server-post-trade-settlement")])
def test_feeds_that_were_not_asked_for_are_refused(name: str):
    with pytest.raises(FrameError, match="post-trade-settlement"):
        private(name)


# -- market feeds ------------------------------------------------------------------------------------------------------


def test_the_net_book():
    book, quote = market("ws-server-orderbook-net.json")
    sample = json.loads(read("ws-server-orderbook-net.json"), parse_float=Decimal)["payload"]
    assert isinstance(book, Book)
    assert isinstance(quote, Quote)
    assert book.symbol == "BTCUSD"
    assert book.is_snapshot
    assert book.sequence == 3
    rows = len(sample["bids"]) + len(sample["asks"])
    assert len(book.bids) + len(book.asks) < rows, "the sample has rows of the same price"
    for side, sign in (("bids", -1), ("asks", 1)):
        levels = getattr(book, side)
        sums: dict[Decimal, Decimal] = {}
        for price, size, _ in sample[side]:
            sums[Decimal(price)] = sums.get(Decimal(price), Decimal(0)) + Decimal(size)
        assert dict(levels) == sums
        assert list(levels) == sorted(levels, key=lambda level: sign * level[0])
    assert (quote.bid, quote.bid_size) == (Decimal("43222.05828009"), Decimal("0.0675"))
    assert not is_crossed(book)


def test_the_raw_book_of_2018_lists_its_asks_worst_first():
    book, quote = market("ws-server-orderbook-sfox-2018.json", BookKind.RAW)
    assert [price for price, _ in book.asks] == [Decimal("0.04556277"), Decimal("0.04559969"), Decimal("0.04564")]
    assert (quote.bid, quote.ask) == (Decimal("0.0454916"), Decimal("0.04556277"))


def test_the_crossed_book():
    name = "ws-server-orderbook-sfox-crossed-2019.json"
    book, quote = market(name, BookKind.RAW)
    assert is_crossed(book)
    assert (quote.bid, quote.ask) == (Decimal("9421.25"), Decimal("9415.25"))
    assert market(name, BookKind.RAW, CrossedBooks.DROP) == []


def test_market_trades():
    (told,) = market("ws-server-market-trade.json")
    assert told == Trade(
        symbol="BTCUSD",
        price=Decimal(41492),
        size=Decimal("0.005"),
        trade_id="bitfinex-1062696823",
        aggressor_side=OrderSide.BUY,
        ts_event=1649901441521999872,
    )
    assert market("ws-server-market-trade-2019.json") == [], "its quantity is in an unknown unit"


def test_tickers():
    (told,) = market("ws-server-ticker.json")
    assert told == Candle(
        symbol="BTCUSD",
        period="1-DAY-LAST",
        open=Decimal("41141.31"),
        high=Decimal("41512.43"),
        low=Decimal("41058.82"),
        close=Decimal("41420.58"),
        volume=Decimal("1387.77211046"),
        is_final=False,
        ts_event=parse_iso("2022-04-15T00:00:00Z"),
    )
    (old,) = market("ws-server-ticker-2018.json")
    assert old.close == Decimal("6399.99")


def test_the_book_over_rest():
    book = book_of(read("rest-response-get-orderbook-2019.json"), "BTCUSD")
    assert book.bids[0] == (Decimal("9458.12"), Decimal("0.00000001"))
    assert book.asks[0] == (Decimal("9455.55"), Decimal("2.03782954"))
    assert book.ts_event == 1572903458798 * 10**6
    assert is_crossed(book)


# -- REST --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ids", "status"),
    [
        ("rest-response-post-orders-201.json", ["2010135"], VenueStatus.WORKING),
        ("rest-response-get-order.json", ["2010135"], VenueStatus.WORKING),
        ("rest-response-get-order-2021.json", ["573600369"], VenueStatus.WORKING),
        ("rest-response-get-orders.json", ["2008562"], VenueStatus.WORKING),
        ("rest-response-get-orders-2020.json", ["666", "667"], VenueStatus.WORKING),
        ("rest-response-get-orders-done-two-rows.json", ["701968334", "701945645"], VenueStatus.FILLED),
        ("rest-response-post-orders-rfq-201.json", ["1754344"], VenueStatus.FILLED),
    ],
)
def test_orders_over_rest(name: str, ids: list[str], status: VenueStatus):
    told = orders(name)
    assert [each.venue_order_id for each in told] == ids
    assert {each.status for each in told} == {status}
    assert told[0].side is OrderSide.BUY


def test_done_orders():
    (told,) = orders("rest-response-get-orders-done.json")
    assert told.status is VenueStatus.FILLED
    filled, by_amount = orders("rest-response-get-orders-done-two-rows.json")
    assert (filled.avg_px, filled.fees) == (Decimal("16900.6"), Decimal("0.0338012"))
    assert by_amount.refs == ()
    assert by_amount.ts_event == parse_iso("2022-11-17T19:39:18Z")


def test_own_fills_over_rest():
    page = wire.TRADE_PAGE.decode(read("rest-response-get-account-trades.json")).data or []
    told = OrderCodec().fills(page)
    assert [(each.venue_order_id, len(each.fills)) for each in told] == [("758399024", 2), ("758319036", 1)]
    assert [fill.venue_trade_id for fill in told[0].fills] == ["829106817", "829106821"]
    assert page[0].cursor == "NjM1MzUwNzY="


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("rest-response-delete-order-canceled.json", "Accepted"),
        ("rest-response-delete-order-cancel-pending.json", "Accepted"),
        ("rest-response-delete-order-with-id.json", "Accepted"),
        ("rest-response-delete-order-already-finished.json", "Refused"),
    ],
)
def test_cancels(name: str, outcome: str):
    assert type(_cancel_outcome(wire.CANCEL_ANSWER.decode(read(name)).status, "3")).__name__ == outcome


@pytest.mark.parametrize(
    ("name", "ids"),
    [("rest-response-delete-orders-ids.json", [2, 3]), ("rest-response-delete-orders-open.json", [2, 3, 4])],
)
def test_cancels_of_several(name: str, ids: list[int]):
    told = wire.CANCEL_MANY_ANSWER.decode(read(name)).orders or []
    assert [each.id for each in told] == ids
    assert {type(_cancel_outcome(each.status, "1")).__name__ for each in told} == {"Accepted"}


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if any(code in path.name for code in ("-400", "-401", "-403", "-422"))],
    ids=lambda p: p.name,
)
def test_refusals_carry_the_venues_own_text(path: Path):
    error = error_of(Answer(path.read_bytes()))  # type: ignore[arg-type]
    assert error is not None
    assert error.text == json.loads(path.read_bytes())["error"]


class Answer:
    """The part of a response that is asked for."""

    def __init__(self, body: bytes) -> None:
        self.body = body


@pytest.mark.parametrize("name", ["rest-response-get-user-balance.json", "rest-response-get-user-balance-2020.json"])
def test_balances_over_rest(name: str):
    told = account_update(decode_balances(read(name)), complete=True)
    sample = {row["currency"].upper(): row for row in json.loads(read(name), parse_float=Decimal)}
    assert {each.currency: (each.total, each.free) for each in told.balances} == {
        currency: (Decimal(row["balance"]), Decimal(row["available"])) for currency, row in sample.items()
    }


def test_the_listing_with_and_without_base_and_quote():
    fiat = decode_currencies(read("rest-response-get-currency.json"))
    assert fiat == {"usd": True, "btc": False}
    fees = decode_fee_rates(read("rest-response-get-fee-rates.json"))
    specs = {s.symbol: s for s in decode_pairs(read("rest-response-get-currency-pairs.json"), settings(), fiat, fees)}
    assert set(specs) == {"BTCUSD", "ETHBTC", "LTCBTC"}
    btcusd, ethbtc = specs["BTCUSD"], specs["ETHBTC"]
    assert (btcusd.raw_symbol, btcusd.base, btcusd.quote) == ("btcusd", "BTC", "USD")
    assert (btcusd.price_increment, btcusd.min_quantity, btcusd.min_notional) == (Decimal("0.01"), None, Decimal(5))
    assert (ethbtc.price_increment, ethbtc.min_quantity, ethbtc.min_notional) == (
        Decimal("0.00000001"),
        Decimal("0.001"),
        None,
    )
    assert (btcusd.maker_fee, btcusd.taker_fee) == (Decimal("0.00021"), Decimal("0.00035"))
    old = decode_pairs(read("rest-response-get-currency-pairs-2020.json"), settings(), {}, fees)
    assert [(s.symbol, s.base, s.quote) for s in old] == [
        ("BCHBTC", "BCH", "BTC"),
        ("BCHUSD", "BCH", "USD"),
        ("BTCUSD", "BTC", "USD"),
    ]


def test_user_tokens():
    one = wire.USER_TOKEN_ANSWER.decode(read("rest-response-post-enterprise-user-token-201.json")).data
    assert one.partner_user_id == "client_db29326e-5df6-4d8b-aaaa-b75dc194a0a2"
    assert parse_iso(one.expires) == parse_iso("2024-05-14T19:22:09.901Z")
    assert one.token not in repr(one)
    many = msgspec.json.decode(read("rest-response-post-enterprise-user-tokens-201.json"))["data"]
    assert parse_iso(many[0]["expires"]) == 1644290936 * 10**9


#: Samples of calls that the adapter does not make: there is nothing here that could read them.
OF_NO_CALL = {
    "rest-request-post-enterprise-user-tokens.json": '/v1/enterprise/user-tokens"',  # of several users at once
    "rest-request-post-quote.json": "/v1/quote",
    "rest-response-post-quote.json": "/v1/quote",
    "rest-response-get-account-transactions.json": "/v1/account/transactions",
    "rest-response-get-candlesticks.json": "candlesticks",
    "rest-response-get-margin-account.json": "/v1/margin",
    "rest-response-get-margin-loans.json": "/v1/margin",
    "rest-response-get-offer-buy.json": "/v1/offer",
    "rest-response-get-post-trade-settlement-interest-history.json": "/v1/post-trade-settlement",
    "rest-response-get-post-trade-settlement-interest.json": "/v1/post-trade-settlement",
    "rest-response-get-post-trade-settlement-position-row.json": "/v1/post-trade-settlement",
    "rest-response-get-post-trade-settlement.json": "/v1/post-trade-settlement",
}
#: Chosen above by what their names have in common.
BY_KIND = ("-400", "-401", "-403", "-422", "ws-client-subscribe", "ws-client-unsubscribe", "ws-server-post-trade")


def test_no_sample_is_left_out():
    here = Path(__file__).read_text()
    for path in FILES:
        if path.suffix == ".txt" or any(kind in path.name for kind in BY_KIND):
            continue
        assert here.count(path.stem) >= 1, path.name
    room = Path(wire.__file__).parent
    code = "".join(path.read_text() for path in room.glob("*.py") if not path.name.startswith("twin"))
    for name, call in OF_NO_CALL.items():
        assert name in BY_NAME
        assert call not in code, f"{name}: the call is made now, so its sample must be read"
