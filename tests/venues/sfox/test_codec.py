"""What an order and a fill tell: subsets, spellings, ends, expiries, amounts, and nothing that is old."""

import logging
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.updates import Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec, Terms, inferred_trade_id, trade_id
from nautilus_orderfeeds.venues.sfox.prepare import terms_of
from nautilus_orderfeeds.venues.times import parse_iso
from tests.support.sfox_client import CLIENT_ORDER_ID, FRAME_TS, market_order, new_order, rest_update, trade, update

SECOND = 1_000_000_000


def test_what_an_order_of_the_feed_tells():
    told = update(filled="0.01", filled_amount="372.2782", vwap="37227.82", fees="0.13029737")
    assert told.source is Source.STREAM
    assert told.venue_order_id == "693291242"
    assert told.refs == (f"cid:{CLIENT_ORDER_ID}",)
    assert told.status is VenueStatus.WORKING
    assert (told.symbol, told.side, told.type) == ("BTCUSD", OrderSide.BUY, OrderType.LIMIT)
    assert (told.quantity, told.price) == (Decimal("0.05"), Decimal("37227.82"))
    assert (told.filled_qty, told.avg_px) == (Decimal("0.01"), Decimal("37227.82"))
    assert told.fees == Decimal("0.13029737")
    assert told.fees_currency is None  # the quote currency
    assert told.ts_event == FRAME_TS
    assert told.ts_accepted == parse_iso("2023-11-14T22:08:53.000Z")


def test_numbers_of_rest_and_text_of_the_feed_mean_the_same():
    by_rest = rest_update(filled=0.01, filled_amount=372.2782, vwap=37227.82, fees=0.13029737)
    by_feed = update(filled="0.01000000", filled_amount="372.2782", vwap="37227.82", fees="0.13029737")
    for name in ("filled_qty", "filled_notional", "avg_px", "fees", "quantity", "price", "status", "side"):
        assert getattr(by_rest, name) == getattr(by_feed, name), name
    assert rest_update(quantity=1e-08).quantity == Decimal("0.00000001")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Started", VenueStatus.WORKING),
        ("STARTED", VenueStatus.WORKING),
        ("Cancel Pending", VenueStatus.PENDING_CANCEL),
        ("Cancel pending", VenueStatus.PENDING_CANCEL),
        ("cancel_pending", VenueStatus.PENDING_CANCEL),
        ("CancelPending", VenueStatus.PENDING_CANCEL),
        ("Canceled", VenueStatus.CANCELED),
        ("cancelled", VenueStatus.CANCELED),
        ("Filled", VenueStatus.FILLED),
        ("Done", VenueStatus.FILLED),
        ("complete", VenueStatus.FILLED),
        ("Rejected", VenueStatus.REJECTED),
        ("expired", VenueStatus.EXPIRED),
    ],
)
def test_statuses_in_all_spellings(text: str, status: VenueStatus):
    assert update(status=text, filled="0.05").status is status


def test_a_status_code_serves_where_the_word_is_missing():
    assert rest_update(status=None, status_code=90).status is VenueStatus.PENDING_CANCEL
    assert rest_update(status=None, status_code=300, filled=0.05).status is VenueStatus.FILLED


def test_an_unknown_status_is_told_once_and_its_fills_are_believed(caplog: pytest.LogCaptureFixture):
    codec = OrderCodec()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            told = update(codec, status="Frozen", filled="0.02")
    assert told.status is None
    assert told.filled_qty == Decimal("0.02")
    assert codec.unknown_statuses == {"Frozen": 3}
    assert len(caplog.records) == 1


def test_filled_below_the_quantity_is_no_end_but_done_is():
    """An older page of the venue called a part-filled order `Filled`."""
    assert update(status="Filled", filled="0.02").status is VenueStatus.WORKING
    assert update(status="Filled", filled="0.02", quantity=None).status is VenueStatus.FILLED
    assert update(status="Done", filled="0.02").status is VenueStatus.FILLED


@pytest.mark.parametrize(
    ("filled", "amount", "average", "told"),
    [
        ("0.04624792", "1999.299894", "43230.05", None),  # 1999.2998939960 in truth
        ("4.624792", "199929.9894", "43230.05", Decimal("199929.9894")),
        ("0.04624792", "1999.31", "43230.05", Decimal("1999.31")),
        ("0.04624792", "1999.299894", "0", Decimal("1999.299894")),
        ("0", "0", "0", None),
    ],
)
def test_the_more_exact_of_amount_and_average_is_told(filled: str, amount: str, average: str, told: Decimal | None):
    assert update(filled=filled, filled_amount=amount, vwap=average).filled_notional == told


def test_a_subset_says_nothing_of_what_it_lacks():
    codec = OrderCodec()
    update(codec, filled="0.02", filled_amount="744.5564", vwap="37227.82", fees="0.2")
    sparse = codec.update(wire.ORDER.decode(b'{"id":693291242,"status":"Started"}'), Source.STREAM, FRAME_TS)
    assert (sparse.filled_qty, sparse.filled_notional, sparse.avg_px, sparse.fees) == (None, None, None, None)
    assert sparse.refs == ()
    # Terms never change but by amending, so what is remembered of them is true.
    assert (sparse.side, sparse.quantity, sparse.price) == (OrderSide.BUY, Decimal("0.05"), Decimal("37227.82"))


def test_zero_means_not_said_where_it_cannot_be_a_value():
    told = rest_update()
    assert (told.avg_px, told.filled_notional) == (None, None)
    assert told.filled_qty == 0
    assert rest_update(price=0, quantity=0).price is None
    assert rest_update(price=0, quantity=0).quantity is None


@pytest.mark.parametrize(("side", "prices", "last"), [("Buy", (10, 12, 11), 12), ("Sell", (12, 10, 11), 10)])
def test_terms_of_an_old_message_do_not_come_back(side: str, prices: tuple[int, ...], last: int):
    for order in permutations(range(3)):
        codec = OrderCodec()
        for n in order:
            told = update(codec, action=side, price=str(prices[n]), quantity=f"0.0{5 + n}")
        assert told.price == last
        assert told.quantity == Decimal("0.07")


def test_an_expiry_is_told_as_a_cancel_and_known_by_its_time():
    expires = "2023-11-14T22:10:00.000Z"
    before, after = parse_iso("2023-11-14T22:09:30.000Z"), parse_iso("2023-11-14T22:10:00.100Z")
    for canceled_ns, status in ((before, VenueStatus.CANCELED), (after, VenueStatus.EXPIRED)):
        codec = OrderCodec()
        rest_update(codec, time_in_force="GTD", expires=expires)
        assert update(codec, frame_ts=canceled_ns, status="Canceled").status is status
    by_rest = {"time_in_force": "GTD", "expires": expires, "status": "Canceled"}
    assert rest_update(dateupdated="2023-11-14T22:10:00.000Z", **by_rest).status is VenueStatus.EXPIRED
    assert rest_update(dateupdated="2023-11-14T22:09:58.000Z", **by_rest).status is VenueStatus.CANCELED
    assert rest_update(status="Canceled", expires=None).status is VenueStatus.CANCELED


def test_the_expiry_of_an_order_of_ours_is_known_before_the_venue_tells_it():
    codec = OrderCodec()
    codec.expect(CLIENT_ORDER_ID, Terms(side=OrderSide.BUY, expire_ns=FRAME_TS - 1))
    assert update(codec, status="Canceled").status is VenueStatus.EXPIRED


@pytest.mark.parametrize(
    "expires", [1700000000000, "1700000000000", "2023-11-14T22:13:20.000Z", "2023-11-14T22:13:20Z"]
)
def test_an_expiry_may_be_milliseconds_or_a_date(expires: object):
    assert rest_update(expires=expires).expire_time_ns == 1_700_000_000 * SECOND


def by_amount(codec: OrderCodec) -> NewOrder:
    """Tell the codec of a market buy about to be sent."""
    order = market_order(client_order_id=CLIENT_ORDER_ID)
    request = wire.CreateOrder(currency_pair="btcusd", algorithm_id=100, client_order_id=CLIENT_ORDER_ID)
    codec.expect(CLIENT_ORDER_ID, terms_of(order, request))
    return order


def test_of_an_order_by_amount_the_quantity_is_no_term():
    codec = OrderCodec()
    by_amount(codec)
    market = {"algorithm_id": 100, "type": "Market", "price": None}
    started = update(codec, quantity="0.0134", **market)
    assert (started.quantity, started.type) == (None, OrderType.MARKET)
    partly = update(codec, quantity="0.0134", filled="0.01", **market)
    assert (partly.quantity, partly.status) == (None, VenueStatus.WORKING)
    filled = update(codec, quantity="0.0134", filled="0.0133", status="Filled", **market)
    assert (filled.quantity, filled.status) == (Decimal("0.0133"), VenueStatus.FILLED)


def test_an_amount_told_is_believed():
    assert rest_update(algorithm_id=304, amount=500, filled=0).quantity is None
    assert rest_update(algorithm_id=100, amount=0, price=0).quantity == Decimal("0.05")
    assert update(algorithm_id=100, action="Buy").quantity is None
    assert update(algorithm_id=100, action="Sell").quantity == Decimal("0.05")
    codec = OrderCodec()
    by_amount(codec)
    assert rest_update(codec, algorithm_id=100, amount=0, price=0).quantity is None


def test_an_amount_beside_the_quantity_of_an_order_of_ours_is_no_term():
    """What it is worth, say: the page has `amount` in every order, and zero in each sample of a limit order."""
    codec = OrderCodec()
    codec.expect(CLIENT_ORDER_ID, Terms(side=OrderSide.BUY, own=True, quantity=Decimal("0.05")))
    told = update(codec, amount="1861.391", filled="0.02")
    assert (told.quantity, told.type) == (Decimal("0.05"), OrderType.LIMIT)
    assert update(codec, amount="1861.391", filled="0.02", status="Filled").status is VenueStatus.WORKING
    assert update(amount="1861.391", filled="0.02").quantity is None, "of somebody else's it may be what it spends"


def test_an_order_of_an_earlier_run_has_the_terms_it_was_ordered_with():
    market, gtd = market_order(client_order_id="O-1"), new_order("O-2", expire_time_ns=FRAME_TS - 1_000_000)
    for ids in ({}, {"O-1": "1", "O-2": "2"}):
        codec = OrderCodec()
        for order in (market, gtd):
            codec.recall(order, ids.get(order.client_order_id))
        few = {"algorithm_id": None, "type": "Market", "action": None, "price": None}
        assert update(codec, id=1, client_order_id="O-1", quantity="0.0134", **few).quantity is None
        assert update(codec, id=2, client_order_id="O-2", status="Canceled").status is VenueStatus.EXPIRED
    # The rows of 2020 have no client order id: then the venue's own names the order.
    codec = OrderCodec()
    codec.recall(gtd, "2")
    assert update(codec, id=2, client_order_id=None, status="Canceled").status is VenueStatus.EXPIRED


def test_what_is_known_of_an_order_is_not_forgotten_for_what_it_was_ordered_with():
    codec = OrderCodec()
    raised = {"price": "40000", "quantity": "0.06"}
    update(codec, **raised)
    for _ in range(2):
        codec.recall(new_order(CLIENT_ORDER_ID, expire_time_ns=FRAME_TS - 1_000_000), "693291242")
    told = update(codec)
    assert (told.price, told.quantity) == (Decimal(40000), Decimal("0.06"))
    assert update(codec, status="Canceled").status is VenueStatus.EXPIRED


def test_the_side_may_have_the_name_and_case_of_other_years():
    assert rest_update(action=None, o_action="Sell").side is OrderSide.SELL
    assert update(action="BUY").side is OrderSide.BUY
    assert update(action="hold").side is None


def test_orders_without_a_client_order_id():
    assert update(client_order_id="").refs == ()
    assert rest_update(client_order_id=None, user_tx_id="O-7").refs == ("cid:O-7",)


@pytest.mark.parametrize(
    "changed",
    [
        {"filled": "-1"},
        {"quantity": "-0.05"},
        {"price": "-1"},
        {"vwap": "1e400"},
        {"fees": "NaN"},
        {"client_order_id": "caf\u00e9"},
        {"pair": "btc\u20ac"},
    ],
)
def test_what_no_venue_means_is_refused(changed: dict[str, str]):
    with pytest.raises(ValueError, match=r"negative|sensible|finite|ASCII"):
        update(**changed)


def test_a_date_of_rest_does_not_make_the_feed_look_old():
    """It has whole seconds; by it, an amendment read back would look older than the feed's word before."""
    assert rest_update().ts_event == 0
    assert rest_update(status="Done", filled=0.05).ts_event == parse_iso("2023-11-14T22:08:53.000Z")


@pytest.mark.parametrize(
    ("word", "force"),
    [
        ("GTC", TimeInForce.GTC),
        ("gtd", TimeInForce.GTD),
        ("IOC", TimeInForce.IOC),
        ("FOK", TimeInForce.FOK),
        ("", None),
    ],
)
def test_times_in_force(word: str, force: TimeInForce | None):
    assert rest_update(time_in_force=word).time_in_force is force


# -- fills -------------------------------------------------------------------------------------------------------------


def fills_of(*rows: dict[str, object]) -> list[wire.Trade]:
    import json

    return [wire.TRADE.decode(json.dumps(row).encode()) for row in rows]


def test_what_a_fill_tells():
    (told,) = OrderCodec().fills(fills_of(trade()))
    (fill,) = told.fills
    assert (told.source, told.venue_order_id, told.symbol, told.side) == (
        Source.TRADES,
        "693291242",
        "BTCUSD",
        OrderSide.BUY,
    )
    assert told.status is None
    assert (fill.trade_id, fill.venue_trade_id) == ("693291242-830151520", "830151520")
    assert (fill.last_qty, fill.last_px, fill.commission) == (
        Decimal("0.01"),
        Decimal("37227.82"),
        Decimal("0.13029737"),
    )
    assert fill.commission_currency is None
    assert fill.ts_event == parse_iso("2024-02-22T19:28:06.000Z")
    assert fill.ends_at is None


def test_fills_are_told_by_order_and_in_the_order_they_happened():
    rows = [
        trade(trade_id=5, date_updated="2024-02-22T19:28:07.000Z"),
        trade(trade_id=9, order_id=2),
        trade(trade_id=4),
        trade(trade_id=3),
    ]
    told = OrderCodec().fills(fills_of(*rows))
    assert [[fill.venue_trade_id for fill in each.fills] for each in told] == [["3", "4", "5"], ["9"]]


@pytest.mark.parametrize(
    "changed", [{"quantity": "0"}, {"price": "-1"}, {"fees": "Infinity"}, {"currency_pair": "\u00e9"}]
)
def test_a_fill_that_is_none_is_refused(changed: dict[str, str]):
    with pytest.raises(ValueError, match=r"positive|finite|ASCII"):
        OrderCodec().fills(fills_of(trade(**changed)))


@given(st.integers(1, 10**18), st.integers(1, 10**18), st.decimals(0, 10**9, places=8))
def test_trade_ids_fit_the_framework_and_are_functions_of_the_venues_data(order_id: int, trade: int, filled: Decimal):
    for made in (trade_id(order_id, trade), inferred_trade_id(str(order_id), filled)):
        assert 0 < len(made) <= 36
        assert made.isascii()
    assert trade_id(order_id, trade) == trade_id(str(order_id), str(trade))
    assert inferred_trade_id(str(order_id), filled) == inferred_trade_id(str(order_id), filled.normalize())
    assert trade_id(order_id, trade) != trade_id(order_id + 1, trade)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nautilus_orderfeeds.venues.sfox.codec._KEPT", 3)
    codec = OrderCodec()
    for n in range(1, 10):
        update(codec, id=n)
        codec.expect(f"O-{n}", Terms())
        codec.note(fills_of(trade(order_id=n)))
    assert [n for n in range(1, 10) if codec.terms(str(n)) is not None] == [7, 8, 9]
    assert [n for n in range(1, 10) if codec.told_by_feed(n)] == [7, 8, 9]
    assert codec.terms("no number") is None


def test_terms_of_a_limit_order_are_known_from_the_request():
    request = wire.CreateOrder(currency_pair="btcusd", algorithm_id=201, client_order_id="O-1")
    terms = terms_of(new_order(), request)
    assert (terms.price, terms.quantity, terms.by_amount, terms.own) == (
        Decimal("37227.82"),
        Decimal("0.05"),
        False,
        True,
    )
