"""Absence is concluded only from the venue's own rules, and a partial truth is none."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, TransientFeedError
from nautilus_orderfeeds.orders.updates import Source, VenueStatus
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec, trade_id
from nautilus_orderfeeds.venues.bsx.queries import OrderQueries
from tests.support.bsx_client import API_SECRET, NONCE, api, order, ref, trade
from tests.support.raw_http import Fault, answer, raw_server

MINUTE = 60 * 10**9


class Asked:
    """What one test asked and was told."""

    def __init__(self, *said, now=NONCE):
        self.said = [json_answer(each) if isinstance(each, list | dict) else each for each in said]
        self.now = now
        self.queries = []

    async def __call__(self, question):
        clock = ManualClock(self.now, autojump_secs=0.02)  # reads are repeated after a while
        async with raw_server(*self.said) as server, api(server.url, clock) as client:
            try:
                return await question(OrderQueries(client, OrderCodec(), clock))
            finally:
                parts = [urlsplit(request.target) for request in server.requests]
                self.queries = [(part.path, parse_qsl(part.query)) for part in parts]


def json_answer(content):
    return answer(200, json.dumps(content).encode())


def page(count, newest, **changed):
    return [
        order(id=f"{newest}-{n}", created_at_ts=str(newest - n), nonce=str(newest - n), **changed) for n in range(count)
    ]


async def test_open_orders():
    asked = Asked([order(), order(id="b", status="STOP_ACCEPTED")])
    updates = await asked(lambda queries: queries.open_orders())
    assert [(update.source, update.status) for update in updates] == [
        (Source.QUERY, VenueStatus.WORKING),
        (Source.QUERY, VenueStatus.WAITING),
    ]
    assert asked.queries == [("/orders", [])]


async def test_no_open_orders():
    assert await Asked(answer(200, b"null"))(lambda queries: queries.open_orders()) == []


FAILED = {
    "5xx": answer(503, b"{}"),
    "no list": answer(200, b"{}"),
    "no json": answer(200, b"<html>"),
    "no orders": json_answer([{"rows": 1}, None, "x"]),
    "dropped": Fault.CLOSE,
}


@pytest.mark.parametrize("said", FAILED.values(), ids=FAILED)
async def test_a_failed_reading_is_no_truth(said):
    for question in (lambda q: q.open_orders(), lambda q: q.find([ref(cid="ab")]), lambda q: q.closed_orders(1)):
        with pytest.raises(FeedError):
            await Asked(said)(question)


UNREADABLE = {
    "size is none": order(id="odd", size="NaN", status="DONE", nonce="17"),
    "unknown status": order(id="odd", status="HELD", nonce="17"),
    "no order": None,
}


@pytest.mark.parametrize("odd", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_order_hides_no_other_and_may_be_the_one_asked_for(odd, caplog):
    """Whatever is not found beside it is not called absent, however old it is."""
    rows = [odd, order(id="good", status="DONE", nonce="18", cancel_reason="user")]
    wanted = [ref(nonce=19, cid="cd"), ref(nonce=18)]

    async def both(queries):
        return await queries.open_orders(), await queries.find(wanted)

    for said in ((rows, [], []), ([], rows, []), ([], [], rows)):
        updates, found = await Asked(*said, now=NONCE + 60 * MINUTE)(both)
        assert [update.venue_order_id for update in [*updates, *found.updates]].count("good") >= 1
        assert found.absent == []
    assert "odd" in caplog.text or odd is None
    _, found = await Asked([], [], [], now=NONCE + 60 * MINUTE)(both)
    assert found.absent == wanted
    ended = await Asked(rows)(lambda queries: queries.closed_orders(1))
    assert [update.venue_order_id for update in ended] == ["good"]


async def test_an_open_list_that_is_not_served_leaves_every_end_open():
    gone = answer(404, b"{}")

    async def both(queries):
        return await queries.open_orders(), await queries.find([ref(nonce=17)])

    _, found = await Asked(gone, [], now=NONCE + 60 * MINUTE)(both)
    assert found.absent == []


async def test_an_unreadable_trade_hides_no_other(caplog):
    good = trade("1", id="t1", order_id="id-0")
    rows = [trade("x", order_id="id-0"), trade("0", order_id="id-0"), good, None]
    (update,) = await Asked({"trades": rows})(lambda queries: queries.trades(5))
    assert update.fills[0].trade_id == trade_id("id-0", "t1")
    assert "an own trade" in caplog.text


@pytest.mark.parametrize(
    "said", [answer(401, b"{}"), answer(400, b'{"code":16,"message":"expired"}'), answer(403, b"")]
)
async def test_refused_credentials_are_fatal(said):
    with pytest.raises(FatalFeedError, match="BSX_API_KEY") as caught:
        await Asked(said)(lambda queries: queries.open_orders())
    assert API_SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "fatal"),
    [
        (answer(401, b"<html>"), False),
        (answer(403, b""), False),
        (answer(403, b'{"message":"Forbidden"}'), False),
        (answer(401, b'{"code":14,"message":"auth backend is down"}'), False),
        (answer(401, b'{"code":16,"message":"expired"}'), True),
        (answer(401, b'{"message":"key revoked"}'), True),
        (answer(403, b'{"code":7,"message":"denied"}'), True),
        (answer(400, b'{"code":16,"message":"expired"}'), True),
    ],
)
async def test_a_key_that_was_good_is_given_up_only_at_the_venue_s_own_word(said, fatal):
    async def twice(queries):
        await queries.open_orders()
        await queries.open_orders()

    with pytest.raises(FatalFeedError if fatal else TransientFeedError):
        await Asked([], said)(twice)


async def test_throttled_reads_carry_the_wait():
    with pytest.raises(TransientFeedError) as caught:
        await Asked(answer(429, b"{}", Retry_After="40"))(lambda queries: queries.open_orders())
    assert caught.value.retry_after_secs == 40


async def test_orders_are_found_by_client_order_id():
    done = order(status="DONE", cancel_reason="user", client_order_id="AB", nonce="17")
    asked = Asked([done])
    found = await asked(lambda queries: queries.find([ref(nonce=17, cid="ab")]))
    assert [(update.source, update.status) for update in found.updates] == [(Source.HISTORY, VenueStatus.CANCELED)]
    assert found.absent == []
    assert asked.queries == [("/order-history", [("client_order_ids", "ab"), ("limit", "100")])]


async def test_a_key_that_the_venue_ignores_finds_nothing_wrong():
    """An answer with other orders in it is not taken for the one asked for."""
    other = order(status="DONE", cancel_reason="user", client_order_id="cd", nonce="18")
    found = await Asked([other], now=17 + MINUTE)(lambda queries: queries.find([ref(nonce=17, cid="ab")]))
    assert (found.updates, found.absent) == ([], [])


async def test_orders_are_found_by_id_or_nonce_in_the_history():
    asked = Asked(page(100, NONCE), [order(id="wanted", nonce="17")])
    wanted = [ref(venue_order_id="wanted"), ref(nonce=NONCE)]
    found = await asked(lambda queries: queries.find(wanted))
    assert [update.venue_order_id for update in found.updates] == [f"{NONCE}-0", "wanted"]
    first, second = (dict(query) for _, query in asked.queries)
    assert (first["sorting"], first["sorted_by"], first["limit"]) == ("DESC", "CREATED_AT", "100")
    assert "end_time" not in first
    assert second["end_time"] == str(NONCE - 99 + 1)


async def test_the_search_begins_where_the_order_may_have_been_created():
    asked = Asked([])
    await asked(lambda queries: queries.find([ref(nonce=NONCE)]))
    assert dict(asked.queries[0][1])["start_time"] == str(NONCE - 10 * MINUTE)


@pytest.mark.parametrize(
    ("named", "age", "absent"),
    [
        (ref(nonce=NONCE), 13 * MINUTE, True),
        (ref(nonce=NONCE, cid="ab"), 13 * MINUTE, True),
        (ref(nonce=NONCE), 11 * MINUTE, False),  # the clocks may differ
        (ref(nonce=NONCE), 0, False),
        (ref(nonce=NONCE), -MINUTE, False),
        (ref(nonce=NONCE, venue_order_id="known"), 10**6 * MINUTE, False),  # it was received
        (ref(cid="ab"), 10**6 * MINUTE, False),
    ],
)
async def test_absent_is_what_the_venue_would_refuse_by_now(named, age, absent):
    found = await Asked([], now=NONCE + age)(lambda queries: queries.find([named]))
    assert found.absent == ([named] if absent else [])
    assert found.updates == []


async def test_an_unfinished_search_calls_nothing_absent():
    """The history is longer than what is searched."""
    pages = [page(100, NONCE + 10**6 - n * 100) for n in range(25)]
    found = await Asked(*pages, now=NONCE + 60 * MINUTE)(lambda queries: queries.find([ref(nonce=7)]))
    assert (found.updates, found.absent) == ([], [])


@pytest.mark.parametrize(
    "pages",
    [
        [page(100, NONCE), page(100, NONCE)],
        [list(reversed(page(100, NONCE)))],
    ],
    ids=["the same page for ever", "oldest first"],
)
async def test_a_history_that_cannot_be_paged_proves_nothing(pages, caplog):
    """What could be read is taken; what was not seen stays unknown."""
    done = [[each | {"status": "DONE"} for each in rows] for rows in pages]
    updates = await Asked(*done)(lambda queries: queries.closed_orders(1))
    assert len(updates) == 100
    assert "cannot be paged" in caplog.text
    found = await Asked(*pages, now=NONCE + 60 * MINUTE)(lambda queries: queries.find([ref(nonce=7)]))
    assert (found.updates, found.absent) == ([], [])


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_what_is_not_served_proves_nothing(status):
    gone = answer(status, b"nothing here")
    questions = [lambda q: q.open_orders(), lambda q: q.closed_orders(1), lambda q: q.trades(1)]
    for question in questions:
        assert await Asked(*[gone] * 3)(question) == []
    for named in (ref(nonce=7), ref(nonce=7, cid="ab")):
        found = await Asked(*[gone] * 6, now=NONCE + 60 * MINUTE)(lambda q, named=named: q.find([named]))
        assert (found.updates, found.absent) == ([], [])


async def test_closed_orders_are_paged_without_repetition():
    first = page(100, NONCE, status="DONE", cancel_reason="user")
    second = [first[-1], order(id="last", status="DONE", cancel_reason="user"), order(id="open")]
    asked = Asked(first, second)
    updates = await asked(lambda queries: queries.closed_orders(5))
    assert len({update.venue_order_id for update in updates}) == len(updates) == 101
    assert all(update.status is VenueStatus.CANCELED for update in updates)
    assert [("start_time", "5") in query and ("statuses", "DONE") in query for _, query in asked.queries] == [
        True,
        True,
    ]


async def test_trades_that_name_no_order_are_not_attributed():
    asked = Asked({"trades": [trade("1")], "page": 1, "total": 1})

    async def twice(queries):
        return await queries.trades(5), await queries.trades(5)

    assert await asked(twice) == ([], [])
    assert len(asked.queries) == 1  # and not asked for again


async def test_trades_that_name_their_order_are_told_once_under_the_stream_s_id():
    named = [trade("1", id=f"t{n}", order_id="id-0", product_id="BTC-PERP") for n in range(100)]
    asked = Asked({"trades": named}, {"trades": named[:1]})
    updates = await asked(lambda queries: queries.trades(5))
    assert len(updates) == 101
    assert updates[0].fills[0].trade_id == trade_id("id-0", "t0")
    assert (updates[0].source, updates[0].venue_order_id, updates[0].symbol) == (Source.TRADES, "id-0", "BTC-PERP")
    assert [dict(query)["page"] for _, query in asked.queries] == ["1", "2"]


async def test_without_a_watermark_no_trades_are_asked_for():
    asked = Asked([])
    assert await asked(lambda queries: queries.trades(0)) == []
    assert asked.queries == []
