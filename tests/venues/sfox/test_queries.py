"""Reading back: pages, single orders by either id, fills in both directions of the cursor, and what is absent."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, FrameError, TransientFeedError
from nautilus_orderfeeds.orders.updates import Source, VenueStatus
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec
from nautilus_orderfeeds.venues.sfox.queries import OrderQueries
from nautilus_orderfeeds.venues.sfox.trades import TradeReader
from nautilus_orderfeeds.venues.times import iso_ms, parse_iso
from tests.support.raw_http import answer, raw_server
from tests.support.sfox_client import CLIENT_ORDER_ID, ORDER_ID, api, decoder, own, ref, rest_order, trade

SECOND = 10**9
START = parse_iso("2024-02-22T00:00:00Z")


class Book:
    """Orders and fills served as the venue pages them."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.done: list[dict[str, Any]] = []
        self.fills: list[dict[str, Any]] = []
        self.newer = False
        self.overlap = 0
        self.requests: list[str] = []

    def page_of_orders(self, request: web.Request) -> web.Response:
        self.requests.append(request.path_qs)
        rows = self.done if request.path.endswith("done") else self.orders
        before = int(request.query.get("before", 0))
        rows = sorted((row for row in rows if not before or row["id"] < before), key=lambda row: -row["id"])
        return web.json_response(rows[: int(request.query["limit"])])

    def page_of_fills(self, request: web.Request) -> web.Response:
        self.requests.append(request.path_qs)
        rows = sorted(self.fills, key=lambda row: -row["trade_id"])
        for row in rows:
            row["cursor"] = base64.b64encode(str(row["trade_id"]).encode()).decode()
        size = int(request.query["page_size"])
        seen = request.query.get("last_seen_id")
        if seen is not None:
            last = int(base64.b64decode(seen))
            if self.newer:
                rows = [row for row in rows if row["trade_id"] > last][-size:]
            else:
                at = next((n for n, row in enumerate(rows) if row["trade_id"] < last), len(rows))
                rows = rows[max(at - self.overlap, 0) :]
        return web.json_response({"data": rows[:size]})


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Book, OrderQueries, TradeReader]]:
    book, codec = Book(), OrderCodec()
    app = web.Application()
    app.router.add_get("/v1/orders", handler(book.page_of_orders))
    app.router.add_get("/v1/orders/done", handler(book.page_of_orders))
    app.router.add_get("/v1/account/trades", handler(book.page_of_fills))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    try:
        async with api(f"http://127.0.0.1:{port}") as client:
            yield book, OrderQueries(client, codec, ManualClock(), 60.0), TradeReader(client, codec)
    finally:
        await runner.cleanup()


def handler(page: Any) -> Any:
    async def serve(request: web.Request) -> web.Response:
        return page(request)  # type: ignore[no-any-return]

    return serve


def fill(number: int, **changed: Any) -> dict[str, Any]:
    """Fill `number`, one a second."""
    return trade(trade_id=number, order_id=1 + number % 3, date_updated=iso_ms(START + number * SECOND), **changed)


def numbers(updates: list[Any]) -> list[int]:
    return sorted(int(fill.venue_trade_id) for update in updates for fill in update.fills)


# -- orders ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 137])
async def test_open_orders_are_read_to_the_end(count: int):
    async with served() as (book, queries, _):
        book.orders = [rest_order(id=n, client_order_id=f"O-{n}") for n in range(1, count + 1)]
        told = await queries.open_orders()
        assert sorted(int(update.venue_order_id or 0) for update in told) == list(range(1, count + 1))
        assert {update.source for update in told} <= {Source.QUERY}
        assert len(book.requests) == count // 50 + 1


async def test_done_orders_are_read_as_far_back_as_is_asked():
    async with served() as (book, queries, _):
        book.done = [
            rest_order(id=n, status="Done", filled=0.05, dateupdated=iso_ms(START + n * SECOND)) for n in range(1, 201)
        ]
        told = await queries.closed_orders(START + 120 * SECOND)
        assert min(int(update.venue_order_id or 0) for update in told) <= 120
        assert max(int(update.venue_order_id or 0) for update in told) == 200
        assert {update.source for update in told} == {Source.HISTORY}
        assert len(book.requests) == 3, "the page that has nothing recent is the last"


async def test_orders_in_the_list_of_done_ones_that_have_not_ended_are_left_out():
    async with served() as (book, queries, _):
        book.done = [rest_order(id=1, status="Started"), rest_order(id=2, status="Canceled")]
        assert [update.venue_order_id for update in await queries.closed_orders(0)] == ["2"]


def said(status: int, content: Any) -> bytes:
    return answer(status, json.dumps(content).encode())


async def find(*answers: Any, clock: ManualClock | None = None, refs: Any = None) -> tuple[Any, list[str]]:
    async with raw_server(*answers) as server, api(server.url) as client:
        queries = OrderQueries(client, OrderCodec(), clock or ManualClock(), 60.0)
        found = await queries.find(refs or [ref(CLIENT_ORDER_ID)])
        return found, [urlsplit(request.target).path for request in server.requests]


async def test_an_order_is_found_by_the_venues_id():
    found, paths = await find(said(200, rest_order(status="Canceled")))
    assert [update.status for update in found.updates] == [VenueStatus.CANCELED]
    assert paths == [f"/v1/orders/{ORDER_ID}"]


async def test_an_order_without_one_is_found_by_our_id():
    found, paths = await find(said(200, rest_order()), refs=[ref(CLIENT_ORDER_ID, None)])
    assert [update.venue_order_id for update in found.updates] == [str(ORDER_ID)]
    assert paths == [f"/v1/orders/{CLIENT_ORDER_ID}"]


async def test_an_answer_about_another_order_is_no_answer():
    found, paths = await find(said(200, rest_order(id=5, client_order_id="O-5", user_tx_id="O-5")))
    assert (found.updates, found.absent) == ([], [])
    assert len(paths) == 2, "both names are tried"


@pytest.mark.parametrize("status", [400, 404])
async def test_an_order_is_absent_only_after_several_lookups_long_after(status: int):
    clock = ManualClock()
    nameless = ref(CLIENT_ORDER_ID, None)
    async with raw_server(said(status, {"error": "not found"})) as server, api(server.url) as client:
        queries = OrderQueries(client, OrderCodec(), clock, 60.0)
        for _ in range(5):
            assert (await queries.find([nameless])).absent == []
        await clock.advance(59.0)
        assert (await queries.find([nameless])).absent == []
        await clock.advance(2.0)
        assert (await queries.find([nameless])).absent == [nameless]
        # One the venue has named was there: it is never absent.
        assert (await queries.find([ref(CLIENT_ORDER_ID)])).absent == []


async def test_an_order_that_turned_up_begins_its_absence_anew():
    clock = ManualClock()
    nameless = ref(CLIENT_ORDER_ID, None)
    answers = [said(404, {}), said(200, rest_order()), *[said(404, {})] * 4]
    async with raw_server(*answers) as server, api(server.url) as client:
        queries = OrderQueries(client, OrderCodec(), clock, 60.0)
        await queries.find([nameless])
        await clock.advance(100.0)
        assert len((await queries.find([nameless])).updates) == 1
        for _ in range(4):
            assert (await queries.find([nameless])).absent == []


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (said(500, {"error": "internal error"}), TransientFeedError),
        (said(503, {}), TransientFeedError),
        (said(401, {"error": "invalid token"}), FatalFeedError),
        (answer(200, b"<html>"), FrameError),
        (said(200, rest_order(filled="lots")), FeedError),
        (said(200, rest_order(price=-1)), TransientFeedError),
    ],
)
async def test_what_cannot_be_read_is_an_error_and_no_absence(told: bytes, kind: type[FeedError]):
    with pytest.raises(kind):
        await find(told)


# -- fills -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overlap", [0, 1, 7])
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 350])
async def test_fills_are_read_to_the_end_where_the_cursor_leads_to_older_ones(count: int, overlap: int):
    async with served() as (book, _, reader):
        book.overlap = overlap
        book.fills = [fill(n) for n in range(1, count + 1)]
        assert numbers(await reader.since(START)) == list(range(1, count + 1))


async def test_fills_are_read_no_further_back_than_asked():
    async with served() as (book, _, reader):
        book.fills = [fill(n) for n in range(1, 351)]
        assert numbers(await reader.since(START + 300 * SECOND + 5)) == list(range(300, 351))
        assert len(book.requests) == 1


async def test_fills_of_one_reading_are_told_once_and_in_order():
    async with served() as (book, _, reader):
        book.fills = [fill(n) for n in range(1, 251)]
        book.overlap = 5
        for update in await reader.since(START):
            told = [int(each.venue_trade_id) for each in update.fills]
            assert told == sorted(set(told))


async def test_where_the_cursor_leads_to_newer_ones_reading_goes_on_from_the_last():
    async with served() as (book, _, reader):
        book.newer = True
        book.fills = [fill(n) for n in range(1, 101)]
        assert numbers(await reader.since(START)) == list(range(1, 101))
        book.fills += [fill(n) for n in range(101, 400)]
        assert numbers(await reader.since(START + 50 * SECOND)) == list(range(101, 400)), "all since the last reading"


async def test_what_cannot_be_reached_is_logged_and_the_rest_told(caplog: pytest.LogCaptureFixture):
    async with served() as (book, _, reader):
        book.newer = True
        book.fills = [fill(n) for n in range(1, 400)]
        assert numbers(await reader.since(START)) == list(range(300, 400))
        assert "not all fills asked for can be read" in caplog.text


async def test_fills_of_the_feed_that_rest_lists_under_other_ids_count_once(caplog: pytest.LogCaptureFixture):
    async with served() as (book, _, reader):
        frames, _ = decoder(codec=reader._codec)
        frames.decode(own("trades", *[fill(n) for n in range(1, 6)]))
        book.fills = [{**fill(n), "trade_id": 1000 + n} for n in range(1, 7)]
        assert numbers(await reader.since(START)) == [1006]
        assert "under another id" in caplog.text


async def test_fills_that_are_alike_but_listed_both_are_both_told():
    async with served() as (book, _, reader):
        twins = [{**fill(9), "trade_id": n} for n in (41, 42, 43)]
        frames, _ = decoder(codec=reader._codec)
        frames.decode(own("trades", twins[0]))
        book.fills = twins
        assert numbers(await reader.since(START)) == [41, 42, 43]


async def test_a_page_that_cannot_be_read_is_an_error():
    for told in (said(500, {}), answer(200, b"[]"), said(200, {"data": [{"trade_id": 1}]})):
        async with raw_server(told) as server, api(server.url) as client:
            with pytest.raises(FeedError):
                await TradeReader(client, OrderCodec()).since(0)


async def test_the_query_is_that_of_the_page():
    async with raw_server(said(200, {"data": []})) as server, api(server.url) as client:
        await TradeReader(client, OrderCodec()).since(0)
        assert parse_qs(urlsplit(server.requests[0].target).query) == {"page_size": ["100"]}
