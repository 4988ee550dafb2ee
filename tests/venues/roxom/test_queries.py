"""A partial truth is none, every page is read, and what was told already is not read again (protocol, 4.4 to 4.6)."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, TransientFeedError
from nautilus_orderfeeds.orders.updates import Source, VenueStatus
from nautilus_orderfeeds.venues.base import Told
from nautilus_orderfeeds.venues.roxom.codec import inferred_trade_id
from nautilus_orderfeeds.venues.roxom.entry import Creates
from nautilus_orderfeeds.venues.roxom.queries import OrderQueries
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from tests.support.raw_http import Fault, answer, raw_server
from tests.support.roxom_client import (
    API_SECRET,
    CREATED_NS,
    ORDER_ID,
    api,
    codec,
    ref,
    rest_json,
    terms,
)

CREATED_MS = CREATED_NS // 10**6
OTHER_ID = "01981061-787d-7fd0-b707-18fa252f0d0c"


class Asked:
    """What was asked and answered; the codec remembers over several questions. `told` is what the tracker knows."""

    def __init__(self, *said, now_ns=CREATED_NS, **settings):
        self.said = [json_answer(each) if isinstance(each, dict) else each for each in said]
        self.clock = ManualClock(now_ns)
        self.settings = RoxomSettings(**settings)
        self.codec = codec(self.clock)
        self.told: dict[str, Told] = {}
        self.asked = []

    async def __call__(self, question):
        async with raw_server(*self.said) as server, api(server.url) as client:
            queries = OrderQueries(client, self.codec, self.settings, self.clock, Creates(), self.told.get)
            try:
                return await question(queries)
            finally:
                parts = [urlsplit(request.target) for request in server.requests]
                self.asked = [(part.path, dict(parse_qsl(part.query))) for part in parts]


def json_answer(content):
    return answer(200, json.dumps({"data": content, "error": False}).encode())


def orders(*rows):
    return {"orders": list(rows)}


def row(number, qty="0.40", px="0.04858200", **changed):
    """A fill in the transaction log."""
    return {
        "txId": f"tx-{number}",
        "time": CREATED_MS + number,
        "transactionType": "orderFill",
        "symbol": "GOLD-BTC",
        "amount": qty,
        "fillPrice": px,
        "fee": "0.00000100",
        "orderId": ORDER_ID,
        "tradeId": f"t-{number}",
        "isTaker": False,
        **changed,
    }


def log(*rows, cursor=None):
    return {"logs": list(rows), "cursor": cursor}


UNIT = {"instType": "perpetual", "unit": "btc"}


async def test_open_orders_that_have_not_filled_need_no_log():
    asked = Asked(orders(rest_json(), rest_json("waitingtrigger", id=OTHER_ID, type="stoplimit", triggerPx="0.05")))
    found = await asked(lambda queries: queries.read([]))
    assert [(update.source, update.status) for update in found.updates] == [
        (Source.QUERY, VenueStatus.WORKING),
        (Source.QUERY, VenueStatus.WAITING),
    ]
    assert found.absent == []
    assert asked.asked == [("/v1/orders", UNIT)]


async def test_the_unit_and_the_kind_are_always_named():
    asked = Asked(orders(rest_json("partiallyfilled", "0.40")), log(row(1)))
    await asked(lambda queries: queries.read([]))
    assert all(query["unit"] == "btc" for _, query in asked.asked)


async def test_a_fill_is_read_from_the_log_from_before_the_orders_creation_on():
    asked = Asked(orders(rest_json("partiallyfilled", "0.40")), log(row(1)))
    (update,) = (await asked(lambda queries: queries.read([]))).updates
    assert (update.filled_qty, update.filled_notional, update.fees) == (
        Decimal("0.40"),
        Decimal("0.0194328"),
        Decimal("0.000001"),
    )
    (fill,) = update.fills
    assert (fill.trade_id, fill.venue_trade_id) == (inferred_trade_id(ORDER_ID, Decimal("0.4")), "t-1")
    path, query = asked.asked[-1]
    assert (path, query["limit"]) == ("/v1/accounts/transaction-log", "1000")
    assert int(query["from"]) == CREATED_MS - 5_000


async def test_every_page_of_the_log_is_read():
    pages = [
        log(row(3, "0.10"), cursor="c1"),
        log(row(1, "0.20"), row(9, orderId=OTHER_ID), cursor="c2"),
        log(row(2, "0.10")),
    ]
    asked = Asked(orders(rest_json("partiallyfilled", "0.40")), *pages)
    (update,) = (await asked(lambda queries: queries.read([]))).updates
    assert [(fill.venue_trade_id, fill.ends_at) for fill in update.fills] == [
        ("t-1", Decimal("0.20")),
        ("t-2", Decimal("0.30")),
        ("t-3", Decimal("0.40")),
    ]
    assert [query.get("cursor") for path, query in asked.asked if path.endswith("log")] == [None, "c1", "c2"]


async def test_a_row_on_two_pages_counts_once():
    asked = Asked(orders(rest_json("partiallyfilled", "0.40")), log(row(1), cursor="c1"), log(row(1)))
    (update,) = (await asked(lambda queries: queries.read([]))).updates
    assert [fill.last_qty for fill in update.fills] == [Decimal("0.40")]


async def test_a_cursor_that_repeats_itself_is_the_end():
    asked = Asked(orders(rest_json("partiallyfilled", "0.40")), log(row(1), cursor="c1"), log(cursor="c1"))
    (update,) = (await asked(lambda queries: queries.read([]))).updates
    assert len(update.fills) == 1
    assert len(asked.asked) == 3


@pytest.mark.parametrize(("told", "is_read"), [("0.40", False), ("0.39", True), ("0.00", True)])
async def test_the_log_is_read_if_more_has_filled_than_was_told(told, is_read):
    asked = Asked(orders(rest_json("partiallyfilled", "0.40")), log(row(1)))
    asked.told[ORDER_ID] = Told(Decimal(told), is_closed=False)
    (update,) = (await asked(lambda queries: queries.read([]))).updates
    assert update.filled_qty == Decimal("0.40")
    assert len(update.fills) == is_read
    assert len(asked.asked) == 1 + is_read


async def test_a_reading_that_was_not_taken_in_is_read_again():
    """Another part of it failed, or nobody could say whose order it is."""
    asked = Asked(orders(rest_json("filled", "0.40", qty="0.40")), log(row(1)))
    for _ in range(2):
        (update,) = (await asked(lambda queries: queries.read([]))).updates
        assert len(update.fills) == 1


async def test_one_that_is_missing_in_the_list_is_asked_for_by_its_id():
    asked = Asked(orders(), {"order": rest_json("cancelled")})
    (update,) = (await asked(lambda queries: queries.read([ref()]))).updates
    assert update.status is VenueStatus.CANCELED
    assert terms().key in update.refs
    assert asked.asked[1] == (f"/v1/orders/{ORDER_ID}", {"unit": "btc"})


async def test_one_that_is_found_nowhere_is_not_called_absent():
    """How long closed orders are kept is not known."""
    not_found = answer(404, b'{"code":"NOT_FOUND","message":"no such order"}')
    found = await Asked(orders(), not_found)(lambda queries: queries.read([ref()]))
    assert (found.updates, found.absent) == ([], [])


async def test_inactive_is_open_as_long_as_it_is_listed_as_such():
    (update,) = (await Asked(orders(rest_json("inactive")))(lambda queries: queries.read([ref()]))).updates
    assert update.status is VenueStatus.WORKING


async def test_inactive_off_the_list_is_an_end_if_the_next_reading_shows_the_same():
    """A list may lag behind, and an end cannot be taken back."""
    asked = Asked(orders(), {"order": rest_json("inactive")})
    first = await asked(lambda queries: queries.read([ref()]))
    assert ([update.status for update in first.updates], first.unsure) == ([None], [ref()])
    second = await asked(lambda queries: queries.read([ref()]))
    assert ([update.status for update in second.updates], second.unsure) == ([VenueStatus.CANCELED], [])


async def test_inactive_that_is_listed_again_was_no_end():
    asked = Asked(orders(), {"order": rest_json("inactive")})
    await asked(lambda queries: queries.read([ref()]))
    unlisted, asked.said = asked.said, [json_answer(orders(rest_json("inactive")))]
    (update,) = (await asked(lambda queries: queries.read([ref()]))).updates
    assert update.status is VenueStatus.WORKING
    asked.said = unlisted
    assert (await asked(lambda queries: queries.read([ref()]))).unsure == [ref()]


async def test_without_a_list_of_open_orders_inactive_is_never_an_end():
    asked = Asked(answer(404), {"order": rest_json("inactive")})
    for _ in range(3):
        (update,) = (await asked(lambda queries: queries.read([ref()]))).updates
        assert update.status is None


@pytest.mark.parametrize(
    ("absent_after", "age_secs", "absent"), [(0.0, 10**6, False), (60.0, 59, False), (60.0, 61, True)]
)
async def test_an_unanswered_create_is_absent_only_by_ones_own_rule(absent_after, age_secs, absent):
    """No rule of the venue makes it certain."""
    now_ns = terms().sent_ns + age_secs * 10**9
    asked = Asked(orders(), now_ns=now_ns, absent_after_secs=absent_after)
    wanted = ref(venue_order_id=None)
    found = await asked(lambda queries: queries.read([wanted]))
    assert found.absent == ([wanted] if absent else [])
    assert asked.asked[-1] == ("/v1/orders", {**UNIT, "includeClosed": "true"})


FAILED = {
    "5xx": answer(503, b"{}"),
    "no data": answer(200, b"{}"),
    "no json": answer(200, b"<html>"),
    "an error with 200": answer(200, b'{"error":{"code":400,"message":"no"}}'),
    "unreadable quantity": json_answer(orders(rest_json(qty="NaN"))),
    "unknown side": json_answer(orders(rest_json(side="up"))),
    "negative": json_answer(orders(rest_json(filled="-1"))),
    "dropped": Fault.CLOSE,
    "cut": Fault.CUT,
}


@pytest.mark.parametrize("said", FAILED.values(), ids=FAILED)
async def test_a_failed_reading_is_no_truth(said):
    for question in (lambda q: q.read([ref()]), lambda q: q.read([ref(venue_order_id=None)])):
        with pytest.raises(FeedError):
            await Asked(said)(question)


async def test_a_failed_page_of_the_log_is_no_truth():
    asked = Asked(orders(rest_json("filled", "1.00")), log(row(1), cursor="c1"), answer(500))
    with pytest.raises(TransientFeedError):
        await asked(lambda queries: queries.read([]))


@pytest.mark.parametrize("broken", [{"amount": None}, {"fillPrice": None}, {"orderId": None}, {"amount": "x"}], ids=str)
async def test_a_fill_that_cannot_be_read_is_no_truth(broken):
    """To leave it out would shift the running sum, and with it the names of all later fills."""
    asked = Asked(orders(rest_json("filled", "1.00")), log(row(1, **broken)))
    with pytest.raises(FeedError):
        await asked(lambda queries: queries.read([]))


async def test_other_rows_of_the_log_are_ignored():
    funding = {"txId": "tx", "transactionType": "fundingFee", "symbol": "GOLD-BTC", "amount": "0.1", "time": CREATED_MS}
    asked = Asked(orders(rest_json("partiallyfilled", "0.40")), log(funding, row(1, transactionType="OrderFill")))
    (update,) = (await asked(lambda queries: queries.read([]))).updates
    assert len(update.fills) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_fatal(status):
    with pytest.raises(FatalFeedError, match="ROXOM_API_KEY") as caught:
        await Asked(answer(status, b"{}"))(lambda queries: queries.read([]))
    assert API_SECRET not in str(caught.value)


async def test_throttled_reads_carry_the_wait():
    with pytest.raises(TransientFeedError) as caught:
        await Asked(answer(429, b"{}", Retry_After="40"))(lambda queries: queries.read([]))
    assert caught.value.retry_after_secs == 40


async def test_the_history_is_what_has_ended_and_is_not_known_to_have():
    told = orders(
        rest_json(), rest_json("cancelled", id=OTHER_ID, createdAt=CREATED_MS), rest_json("filled", "1.00", id="old-1")
    )
    asked = Asked(told, log(row(1, "1.00", orderId="old-1")))
    updates = await asked(lambda queries: queries.closed_orders(CREATED_NS))
    assert [(update.venue_order_id, update.source) for update in updates] == [
        (OTHER_ID, Source.HISTORY),
        ("old-1", Source.HISTORY),
    ]
    assert await asked(lambda queries: queries.closed_orders(CREATED_NS + 10**9)) == []


LATER = CREATED_NS + 10**12


@pytest.mark.parametrize(
    ("told", "since_ns", "count"),
    [
        (None, 0, 1),
        (None, LATER, 0),
        (Told(Decimal(0), is_closed=False), LATER, 1),  # however old it is, its end is due
        (Told(Decimal("0.40"), is_closed=False), LATER, 1),
        (Told(Decimal("0.40"), is_closed=True), 0, 0),
        (Told(Decimal("0.39"), is_closed=True), 0, 1),  # a fill is missing
    ],
)
async def test_the_history_tells_what_was_not_told(told, since_ns, count):
    asked = Asked(orders(rest_json("cancelled", "0.40")), log(row(1)))
    if told is not None:
        asked.told[ORDER_ID] = told
    assert len(await asked(lambda queries: queries.closed_orders(since_ns))) == count
