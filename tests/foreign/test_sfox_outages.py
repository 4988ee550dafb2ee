"""Our sFOX client at servers of somebody else's making (`sfox_server`): changes, ends, outages, restarts, end users."""

import asyncio
from decimal import Decimal

import pandas as pd
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.venues.sfox import SfoxLiveExecClientFactory
from tests.foreign.sfox_desk import Desk, config, trading
from tests.foreign.sfox_server import OPTIONAL, Ways, foreign_sfox
from tests.support.nodes import node_config, running_node

REFUSALS = {
    "error": (422, "application/json", '{"error":"insufficient funds"}'),
    "bad request": (400, "application/json", '{"error":"insufficient funds"}'),
    "as a status": (409, "application/json", '{"status":"insufficient funds"}'),
}
#: An answer that may come from something in between is no evidence.
NO_EVIDENCE = {
    "nothing": (400, "text/plain", ""),
    "a page": (404, "text/html", "<html>not found</html>"),
    "too many": (429, "application/json", '{"error":"too many requests"}'),
    "maintenance": (503, "application/json", '{"error":"maintenance"}'),
}

#: What the pages leave open about how an end and its trades are told.
TOLD = {
    "all": {},
    "end users": {"enterprise": True},
    "an end leaves the feed": {"ends_told": False},
    "few calls": {"missing": OPTIONAL},
    "no trades": {"trades_feed": False, "missing": {"/v1/account/trades"}},
    "few keys": {"sparse": True, "initial": "none", "sequence": "none"},
}
#: And how an order is refused that must be filled at once.
ENDS = TOLD | {"a killed order is cancelled": {"fok": "Canceled"}, "a killed order is rejected": {"fok": "Rejected"}}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_in_other_words(refusal):
    async with foreign_sfox(Ways(refusal=refusal)) as server, trading(server) as desk:
        order = desk.limit(qty="6")
        await desk.until(order, OrderStatus.REJECTED)
        assert "insufficient funds" in desk.run.order_events(order.client_order_id)[-1].reason


@pytest.mark.parametrize("refusal", NO_EVIDENCE.values(), ids=NO_EVIDENCE)
async def test_what_is_no_evidence_rejects_nothing(refusal):
    ways = Ways(refusal=refusal)
    async with foreign_sfox(ways) as server, trading(server) as desk:
        order = desk.limit(qty="6")
        asked = ("GET", f"/v1/orders/{order.client_order_id}")
        await desk.run.until(lambda: server.calls.count(asked) >= 3, "questions about the order")
        assert order.status == OrderStatus.SUBMITTED
        assert len(server.asked) == 1, "it is never sent again"
        # Then it shows that it was taken.
        await server.tell(server.new(quantity="6", client_order_id=order.client_order_id.value))
        await desk.until(order, OrderStatus.ACCEPTED)


async def test_an_answer_lost_on_its_way_costs_no_order_and_makes_no_second():
    async with foreign_sfox(Ways(streams=False)) as server, trading(server) as desk:
        server.lose_answers = 1
        order = desk.limit()
        await desk.until(order, OrderStatus.ACCEPTED)
        assert len(server.orders) == len(server.asked) == 1


@pytest.mark.parametrize("enterprise", [False, True])
async def test_an_order_without_an_answer_is_found_after_a_restart(enterprise, tmp_path):
    journal = str(tmp_path / "journal.db")
    async with foreign_sfox(Ways(streams=False, looks_up=False, enterprise=enterprise)) as server:
        server.lose_answers = 1
        async with trading(server, journal=journal) as desk:
            server.ways.missing = {"/v1/orders", "/v1/orders/done"}  # and nothing tells of it
            order_id = desk.limit().client_order_id
            await desk.run.until(lambda: server.orders, "the order to be taken")
            await asyncio.sleep(0.3)
            assert desk.run.names(order_id)[-1] == "OrderSubmitted"
        (truth,) = server.orders.values()
        await server.fill(truth, "0.004")
        server.ways.streams, server.ways.looks_up, server.ways.missing = True, True, set()
        async with trading(server, journal=journal) as desk:
            order = desk.run.cache.order(order_id)
            await desk.until(order, OrderStatus.PARTIALLY_FILLED)
            await server.fill(truth, "0.006")
            await desk.until(order, OrderStatus.FILLED)
            assert [fill.last_qty.as_decimal() for fill in desk.fills(order)][-1] == Decimal("0.006")
            desk.check(order, whole=False)
            assert len(desk.run.cache.orders()) == len(server.asked) == 1


@pytest.mark.parametrize("streams", [True, False], ids=["by the feed", "read back"])
@pytest.mark.parametrize("amend", ["order", "empty", "status", "feed"])
async def test_a_change_whatever_its_answer(amend, streams):
    ways = Ways(amend=amend, streams=streams)
    async with foreign_sfox(ways) as server, trading(server, audit_interval_secs=0.5) as desk:
        buy, sell = desk.limit(px="49000"), desk.limit(px="51000", side=OrderSide.SELL)
        for order in (buy, sell):
            await desk.until(order, OrderStatus.ACCEPTED)
        make = desk.instrument
        desk.strategy.modify_order(buy, make.make_qty(0.02), make.make_price(49500))
        desk.strategy.modify_order(sell, None, make.make_price(50500))
        await desk.run.until(lambda: "Updated" in desk.names(buy) and "Updated" in desk.names(sell), "both changes")
        assert (buy.quantity, buy.price) == (make.make_qty(0.02), make.make_price(49500))
        assert sell.price == make.make_price(50500)
        before = len(server.calls)
        desk.strategy.modify_order(buy, None, make.make_price(49400))
        desk.strategy.modify_order(sell, make.make_qty(0.005))
        await desk.run.until(
            lambda: "ModifyRejected" in desk.names(buy) and "ModifyRejected" in desk.names(sell), "both refusals"
        )
        assert not any(method == "PATCH" for method, _ in server.calls[before:]), "the wrong direction is not sent"
        await server.fill(desk.at_venue(buy), "0.02")
        await desk.until(buy, OrderStatus.FILLED)
        desk.check(buy)
        assert desk.names(buy)[2:] == ["Accepted", "Updated", "ModifyRejected", "Filled"]


@pytest.mark.parametrize("ways", ENDS.values(), ids=ENDS)
async def test_ends_of_every_kind(ways):
    async with foreign_sfox(Ways(**ways)) as server, trading(server, audit_interval_secs=0.5) as desk:
        soon = pd.Timestamp.now(tz="UTC").ceil("s") + pd.Timedelta(seconds=1)
        gtd = {"time_in_force": TimeInForce.GTD, "expire_time": soon}
        orders = {
            "ioc": desk.limit(px="50001", time_in_force=TimeInForce.IOC),
            "fok": desk.limit(px="50001", time_in_force=TimeInForce.FOK),
            "killed": desk.limit(px="49000", time_in_force=TimeInForce.FOK),
            "lapsed": desk.limit(px="49000", **gtd),
            "bought": desk.market("1000"),
            "sold": desk.market("0.01", OrderSide.SELL, time_in_force=TimeInForce.FOK),
        }
        await desk.until(orders["lapsed"], OrderStatus.ACCEPTED)
        await server.fill(desk.at_venue(orders["lapsed"]), "0.004")
        await desk.run.until(
            lambda: all(order.is_closed for order in orders.values()),
            lambda: f"all to end: { {name: order.status_string() for name, order in orders.items()} }",
            12.0,
        )
        ends = {name: desk.names(order)[-1] for name, order in orders.items()}
        # That a cancel was an expiry is only known from a time: without one it stays a cancel.
        lapsed = "Canceled" if ways.get("sparse") or ways.get("ends_told") is False else "Expired"
        assert ends.pop("lapsed") in (lapsed, "Expired")
        assert ends.pop("killed") in ({"Rejected"} if "fok" not in ways else {"Rejected", "Canceled"})
        assert ends == {"ioc": "Canceled", "fok": "Filled", "bought": "Filled", "sold": "Filled"}
        for name, order in orders.items():
            if name != "killed":
                desk.check(order)
        assert orders["bought"].quantity == orders["bought"].filled_qty
        assert desk.names(orders["bought"]).index("Updated") < desk.names(orders["bought"]).index("Filled")


@pytest.mark.parametrize("amount", ["estimate", "zero", "none"])
@pytest.mark.parametrize("tells_amount", [True, False])
async def test_an_amount_that_is_spent_slowly_and_in_parts(amount, tells_amount):
    ways = Ways(amount=amount, tells_amount=tells_amount, lag_secs=60.0)
    async with foreign_sfox(ways) as server, trading(server) as desk:
        order = desk.market("1000")
        await desk.until(order, OrderStatus.ACCEPTED)
        truth = desk.at_venue(order)
        for qty, px in (("0.005", "49990"), ("0.003", "50010")):
            await server.fill(truth, qty, px)
        await asyncio.sleep(0.4)
        assert desk.fills(order) == [], "of how much, is not known before the end"
        truth["quantity"] = "0.019998"  # what it turned out to be
        await server.fill(truth, "0.011998", "50005")
        await desk.until(order, OrderStatus.FILLED)
        desk.check(order)
        assert desk.names(order)[2:] == ["Accepted", "Updated", "Filled", "Filled", "Filled"]


@pytest.mark.parametrize("spent", ["0.005", None])
@pytest.mark.parametrize("amount", ["estimate", "none"])
async def test_an_amount_that_is_not_spent(amount, spent):
    async with foreign_sfox(Ways(amount=amount, lag_secs=60.0)) as server, trading(server) as desk:
        order = desk.market("1000")
        await desk.until(order, OrderStatus.ACCEPTED)
        if spent is not None:
            await server.fill(desk.at_venue(order), spent, "49990")
        await server.end(desk.at_venue(order))
        await desk.run.until(lambda: order.is_closed, "the end")
        desk.check(order)
        if spent is None:
            assert desk.names(order)[2:] == ["Accepted", "Canceled"]
        else:  # in base units nothing is left of it
            assert desk.names(order)[2:] == ["Accepted", "Updated", "Filled"]
            assert order.quantity == order.filled_qty


@pytest.mark.parametrize("ways", TOLD.values(), ids=TOLD)
async def test_what_happened_while_away(ways):
    async with foreign_sfox(Ways(**ways)) as server, trading(server) as desk:
        partly, ended, canceled, changed = (desk.limit() for _ in range(4))
        for order in (partly, ended, canceled, changed):
            await desk.until(order, OrderStatus.ACCEPTED)
        await server.fill(desk.at_venue(partly), "0.002")
        await desk.until(partly, OrderStatus.PARTIALLY_FILLED)
        server.ways.streams = False
        await server.fill(desk.at_venue(partly), "0.003")
        await server.fill(desk.at_venue(ended), "0.01")
        await server.fill(desk.at_venue(canceled), "0.001")
        await server.end(desk.at_venue(canceled))
        desk.at_venue(changed).update(price="50100", quantity="0.02")
        server.ways.streams = True
        await server.drop_all()
        await desk.until(ended, OrderStatus.FILLED)
        await desk.until(canceled, OrderStatus.CANCELED)
        await desk.run.until(lambda: partly.filled_qty == Decimal("0.005"), "the second part")
        await desk.run.until(lambda: changed.quantity == Decimal("0.02"), "the change made elsewhere")
        await server.fill(desk.at_venue(partly), "0.005")
        await desk.until(partly, OrderStatus.FILLED)
        if "/v1/account/trades" not in server.ways.missing:  # else the second part can only be inferred
            quantities = [fill.last_qty.as_decimal() for fill in desk.fills(partly)]
            assert quantities == [Decimal(q) for q in ("0.002", "0.003", "0.005")]
        assert len(desk.fills(ended)) == 1
        for order in (partly, ended, canceled):
            desk.check(order)


async def test_numbers_that_count_something_else_do_not_keep_the_feed_down():
    """Each frame would be a gap, and each connection would end after a second, for ever."""
    async with foreign_sfox(Ways(sequence="all of the venue's")) as server:
        async with trading(server, sequence_grace_secs=0.2) as desk:
            session = desk.run.exec_client("SFOX")._sessions[0]
            await desk.run.until(lambda: session.health.gaps == 2, "the gaps that are believed")
            await desk.run.until(lambda: session.state.value == "LIVE", "a connection that lasts")
            order = desk.limit()
            await desk.until(order, OrderStatus.ACCEPTED)
            for part in ("0.004", "0.006"):
                await server.fill(desk.at_venue(order), part)
            await desk.until(order, OrderStatus.FILLED)
            desk.check(order)
            await asyncio.sleep(0.5)
            assert (session.health.gaps, session.health.connects) == (2, 3)


async def test_without_any_news_on_the_stream():
    async with foreign_sfox(Ways(streams=False)) as server, trading(server, audit_interval_secs=0.3) as desk:
        order, canceled = desk.limit(), desk.limit(px="49000")
        for each in (order, canceled):
            await desk.until(each, OrderStatus.ACCEPTED)
        desk.strategy.cancel_order(canceled)
        await server.fill(desk.at_venue(order), "0.004")
        await desk.until(order, OrderStatus.PARTIALLY_FILLED)
        await server.fill(desk.at_venue(order), "0.006")
        await desk.until(order, OrderStatus.FILLED)
        await desk.until(canceled, OrderStatus.CANCELED)
        desk.check(order)


@pytest.mark.parametrize("ways", TOLD.values(), ids=TOLD)
async def test_a_restart_tells_no_fill_twice_and_knows_what_was_ordered(ways, tmp_path):
    """Also of orders whose terms the venue does not repeat: an amount to spend, an expiry."""
    journal = str(tmp_path / "journal.db")
    soon = pd.Timestamp.now(tz="UTC").ceil("s") + pd.Timedelta(seconds=4)
    async with foreign_sfox(Ways(lag_secs=60.0, **ways)) as server:
        async with trading(server, journal=journal) as desk:
            order, ended, bought = desk.limit(), desk.limit(), desk.market("1000")
            lapsed = desk.limit(px="49000", time_in_force=TimeInForce.GTD, expire_time=soon)
            for each in (order, ended, bought, lapsed):
                await desk.until(each, OrderStatus.ACCEPTED)
            await server.fill(desk.at_venue(order), "0.004")
            await desk.until(order, OrderStatus.PARTIALLY_FILLED)
            names = [each.client_order_id for each in (order, ended, bought, lapsed)]
            truth = [desk.at_venue(each) for each in (order, ended, bought, lapsed)]
        await server.fill(truth[0], "0.001")
        await server.fill(truth[1], "0.01")
        await server.fill(truth[2], "0.005", "49990")
        async with trading(server, journal=journal, audit_interval_secs=0.5) as desk:
            is_told = ways.get("ends_told", True) and truth[3]["status"] == "Started"
            order, ended, bought, lapsed = (desk.run.cache.order(name) for name in names)
            await desk.run.until(lambda: order.filled_qty == Decimal("0.005"), "what was filled meanwhile")
            await desk.until(ended, OrderStatus.FILLED)
            assert bought.status == OrderStatus.ACCEPTED, "how much it buys is not known before its end"
            await server.fill(truth[0], "0.005")
            await server.fill(truth[2], "0.015", "50010")
            await desk.until(order, OrderStatus.FILLED)
            await desk.until(bought, OrderStatus.FILLED)
            if "/v1/account/trades" not in server.ways.missing:  # else a part of it can only be inferred
                assert len(order.trade_ids) == 3
            assert len(ended.trade_ids) == 1
            paid = sum(money.as_decimal() for money in order.commissions())
            assert abs(paid - Decimal(truth[0]["fees"])) <= Decimal("0.005")
            assert abs(Decimal(str(order.avg_px)) - Decimal(truth[0]["vwap"])) < Decimal("1E-6")
            desk.check(bought)
            await desk.run.until(lambda: lapsed.is_closed, "the expiry")
            assert lapsed.status in (OrderStatus.EXPIRED, OrderStatus.CANCELED)
            if is_told:  # else it depends on what REST repeats of the order
                assert lapsed.status == OrderStatus.EXPIRED
        async with trading(server, journal=journal) as desk:
            restored = [desk.run.cache.order(name) for name in names[:3]]
            assert [each.filled_qty.as_decimal() for each in restored if each] == [
                Decimal(row["filled"]) for each, row in zip(restored, truth, strict=False) if each
            ]
            assert not desk.run.cache.orders_open()


async def test_end_users_of_one_key_with_and_without_a_client():
    users = ("ann", "bob")
    async with foreign_sfox(Ways(enterprise=True)) as server:
        strategy = Strategy()
        configs = {f"SFOX{user.upper()}": config(server, user_id=user) for user in users}
        node = node_config(configs, inflight_check_interval_ms=0)
        factories = dict.fromkeys(configs, SfoxLiveExecClientFactory)
        async with running_node(node, exec_factories=factories, strategies=(strategy,)) as run:
            desk = Desk(run, strategy, server)
            elsewhere = {user: server.new(user=user, client_order_id=f"x-{user}") for user in (*users, "eve")}
            for order in elsewhere.values():
                await server.tell(order)
                await server.fill(order, "0.01")
            clients = {user: run.exec_client(f"SFOX{user.upper()}") for user in users}
            await run.until(lambda: len(run.cache.orders_closed()) == 2, "the orders of those with a client")
            for user, client in clients.items():
                assert [one.state.venue_order_id for one in client._tracker] == [str(elsewhere[user]["id"])]
            assert sum(client.venue_events for client in clients.values()) >= 3, "eve's are published, by one of them"
            assert len(server.sockets) == 1
            # Tokens that are no longer taken are replaced, and the connection that is lost is one for both.
            server.tokens.clear()
            await server.drop_all()
            later = {user: server.new(user=user) for user in users}
            await run.until(
                lambda: (
                    {o.venue_order_id.value for o in run.cache.orders_open()}
                    == {str(order["id"]) for order in later.values()}
                ),
                "what came while away",
            )
            assert len(server.sockets) == 1
            assert desk.run.cache.orders_open_count() == 2
