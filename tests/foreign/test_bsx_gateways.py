"""Our BSX client when something between it and the venue has its day, and when the venue ends what it allowed."""

import asyncio

import pytest
from nautilus_trader.model.enums import OrderStatus

from tests.foreign.bsx_desk import trading
from tests.foreign.bsx_server import OPTIONAL, Ways, foreign_bsx

HTML = "<html><body><h1>{}</h1></body></html>"
GATEWAYS = {
    "401, a page": (401, "text/html", HTML),
    "403, a page": (403, "text/html", HTML),
    "403, its own words": (403, "application/json", '{"message":"Forbidden"}'),
    "404, a page": (404, "text/html", HTML),
    "429, a page, Retry-After": (429, "text/html", HTML, ("Retry-After", "1")),
    "502, a page": (502, "text/html", HTML),
    "503, nothing": (503, "text/plain", "", ("Retry-After", "1")),
    "200, a page": (200, "text/html", HTML),
}


@pytest.mark.parametrize("gateway", GATEWAYS.values(), ids=GATEWAYS)
async def test_a_gateway_in_between_ends_no_feed_and_costs_no_fill(gateway):
    async with foreign_bsx(Ways(books=True)) as server, trading(server) as desk:
        order, other = desk.limit(), desk.limit(px="49000")
        for each in (order, other):
            await desk.until(each, OrderStatus.ACCEPTED)
        await server.fill(desk.at_venue(order), "0.002")
        await desk.until(order, OrderStatus.PARTIALLY_FILLED)
        server.gateway = gateway
        await server.drop_all()
        await desk.run.until(lambda: desk.health.state.value == "CONNECTING", "the connection to be lost")
        await server.fill(desk.at_venue(order), "0.003")
        await server.end(desk.at_venue(other), "user")
        await asyncio.sleep(1.0)
        assert desk.health.state.value != "DOWN"
        server.gateway = None
        await desk.run.until(lambda: desk.health.state.value == "LIVE", "the feed to come back", 20.0)
        await desk.until(other, OrderStatus.CANCELED)
        await server.fill(desk.at_venue(order), "0.005")
        await desk.until(order, OrderStatus.FILLED)
        desk.check(order, other)


@pytest.mark.parametrize("gateway", GATEWAYS.values(), ids=GATEWAYS)
async def test_a_gateway_in_between_rejects_no_order_that_may_live(gateway):
    """The order is there, what comes back is not the venue's: no 4xx page makes it refused."""
    async with foreign_bsx(Ways(goes=False)) as server, trading(server) as desk:
        warm = desk.limit(px="48000")
        await desk.run.until(lambda: server.asked, "the first order")
        await server.open(server.orders[next(iter(server.orders))])
        await desk.until(warm, OrderStatus.ACCEPTED)
        before = len(server.calls)
        server.gateway = gateway
        order = desk.limit()
        await desk.run.until(lambda: ("POST", "/orders") in server.calls[before:], "the order to be sent")
        await asyncio.sleep(0.3)
        own_words = gateway[:1] == (403,) and "Forbidden" in gateway[2]
        assert order.status == (OrderStatus.REJECTED if own_words else OrderStatus.SUBMITTED)
        server.gateway = None
        if own_words:
            return
        ref = desk.client._tracker.get(order.client_order_id.value).refs
        keys = dict(ref_.split(":") for ref_ in ref)
        late = server.new(client_order_id=keys["cid"], nonce=keys["nonce"])
        await server.open(late)
        await desk.until(order, OrderStatus.ACCEPTED, 20.0)
        await server.fill(late, "0.01")
        await desk.until(order, OrderStatus.FILLED)
        desk.check(order)
        assert server.calls.count(("POST", "/orders")) == 2, "it is never sent again"


LOGOUTS = {
    "not authenticated": {"channel": "orders", "type": "error", "message": "not authenticated", "code": 401},
    "without a channel": {"type": "error", "message": "session expired", "code": 401},
    "of the login": {"channel": "auth", "type": "error", "message": "token expired", "code": 401},
    "a word nobody documented": {"channel": "auth", "type": "logged_out"},
    "unsubscribed": {"channel": "orders", "type": "unsubscribed"},
}


@pytest.mark.parametrize("frame", LOGOUTS.values(), ids=LOGOUTS)
async def test_a_logout_in_mid_session_is_no_silence_for_ever(frame):
    async with foreign_bsx() as server, trading(server) as desk:
        order = desk.limit()
        await desk.until(order, OrderStatus.ACCEPTED)
        deaf = list(server.sockets)
        await server.say(frame)
        server.sockets.difference_update(deaf)  # open, but nothing is said there any more
        await server.fill(desk.at_venue(order), "0.004")
        await desk.until(order, OrderStatus.PARTIALLY_FILLED, 12.0)
        await server.fill(desk.at_venue(order), "0.006")
        await desk.until(order, OrderStatus.FILLED)
        desk.check(order)
        assert desk.health.connects == 2


@pytest.mark.parametrize("missing", [set(), OPTIONAL], ids=["all calls", "few calls"])
@pytest.mark.parametrize("streams", [True, False], ids=["told", "not told"])
async def test_an_answer_that_breaks_off_in_the_middle(streams, missing):
    async with foreign_bsx(Ways(streams=streams, missing=missing)) as server, trading(server) as desk:
        server.cuts += ["POST"]
        order = desk.limit()
        await desk.until(order, OrderStatus.ACCEPTED, 12.0)
        assert len(server.asked) == len(server.orders) == 1
        server.cuts += ["GET", "DELETE"]
        if not missing or streams:
            desk.strategy.cancel_order(order)
            await desk.until(order, OrderStatus.CANCELED, 20.0)
        assert server.calls.count(("POST", "/orders")) == 1


PORTFOLIOS = {
    "numbers": {"summary": {"total_account_value": "lots"}},
    "a position": {"summary": {"total_account_value": "1"}, "positions": [{"product_id": "BTC-PERP"}]},
    "nothing of it": {"summary": []},
}


@pytest.mark.parametrize("portfolio", PORTFOLIOS.values(), ids=PORTFOLIOS)
async def test_an_account_that_cannot_be_read_any_more_keeps_no_order_from_being_followed(portfolio):
    async with foreign_bsx(Ways(books=True)) as server, trading(server) as desk:
        order, other = desk.limit(), desk.limit(px="49000")
        for each in (order, other):
            await desk.until(each, OrderStatus.ACCEPTED)
        server.ways.books, server.ways.portfolio = False, portfolio
        await server.drop_all()
        await server.fill(desk.at_venue(order), "0.004")
        await desk.run.until(lambda: desk.health.connects == 2 and desk.health.state.value == "LIVE", "the feed", 12.0)
        desk.strategy.cancel_order(other)
        await desk.until(other, OrderStatus.CANCELED)
        await server.fill(desk.at_venue(order), "0.006")
        await desk.until(order, OrderStatus.FILLED)
        desk.check(order, other)


async def test_a_venue_that_ignores_pings_costs_connections_and_no_fill():
    async with foreign_bsx(Ways(pongs=False)) as server:
        async with trading(server, stale_after_secs=0.3) as desk:
            desk.client._sessions[0]._probe_timeout_secs = 0.3
            order = desk.limit()
            await desk.until(order, OrderStatus.ACCEPTED)
            for _ in range(5):
                await asyncio.sleep(0.9)
                await server.fill(desk.at_venue(order), "0.002")
            await desk.until(order, OrderStatus.FILLED, 12.0)
            desk.check(order)
            assert desk.health.connects > 1
