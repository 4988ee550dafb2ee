"""Our BSX client at servers that tell trades, ends and lists in other ways: checked against their own books."""

import asyncio
from decimal import Decimal

import pandas as pd
import pytest
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderStatus, TimeInForce

from tests.foreign.bsx_desk import BTC, trading
from tests.foreign.bsx_server import OPTIONAL, Ways, foreign_bsx

TRADES = {
    "as documented": {},
    "all so far": {"trades": "all so far"},
    "all so far, twice": {"trades": "all so far", "repeats": 2},
    "only the first of an event": {"trades": "the first"},
    "with the next event": {"trades": "late"},
    "with the next event, twice": {"trades": "late", "repeats": 2},
    "absent": {"trades": "absent"},
    "of another shape": {"trades": "odd"},
    "without fees": {"fees_told": "order"},
    "shuffled, further keys, numbers": {"shuffled": True, "extra": True, "numbers": True},
    "fees of the trades only": {"fees_told": "trade"},
    "times 0, twice": {"zero_times": True, "repeats": 2},
}


@pytest.mark.parametrize("ways", TRADES.values(), ids=TRADES)
@pytest.mark.parametrize("outage", [False, True], ids=["steady", "outage"])
async def test_trades_in_other_ways(ways, outage):
    async with foreign_bsx(Ways(books=True, **ways)) as server, trading(server, audit_interval_secs=0.7) as desk:
        bought, sold, ended = desk.limit("0.02"), desk.limit("0.015", side=OrderSide.SELL), desk.limit()
        for order in (bought, sold, ended):
            await desk.until(order, OrderStatus.ACCEPTED)
        b, s, e = map(desk.at_venue, (bought, sold, ended))
        await server.fill_many(b, ("0.002", "50000"), ("0.003", "49990"))
        await server.fill(s, "0.005", "50010")
        if outage:
            await server.drop_all()
            server.ways.streams = False
        await server.fill_many(b, ("0.001", "49980"), ("0.004", "49970"), ("0.001", "49960"))
        await server.fill(e, "0.004")
        await server.end(e, "user")
        if outage:
            await asyncio.sleep(0.2)
            server.ways.streams = True
            await desk.run.until(lambda: desk.health.state.value == "LIVE", "the feed to come back", 10.0)
        await server.fill_many(s, ("0.004", "50020"), ("0.006", "50030"))
        await server.fill(b, "0.009", "49950")
        await desk.until(bought, OrderStatus.FILLED, 12.0)
        await desk.until(sold, OrderStatus.FILLED, 12.0)
        await desk.until(ended, OrderStatus.CANCELED, 12.0)
        await asyncio.sleep(0.5)  # whatever comes late must be swallowed
        if ways.get("fees_told") == "trade":  # what was inferred has no fee but the instrument's
            for order in (bought, sold, ended):
                desk.at_venue(order)["filled_fees"] = str(sum(f.commission.as_decimal() for f in desk.fills(order)))
        desk.check(bought, sold, ended)


async def test_a_frame_of_many_orders_with_one_that_nobody_can_read():
    """The others are told, the frame is counted, and the feed lives; in lists and snapshots alike."""
    odd = {"id": "a01292c9-00f1-4c18-9d47-999999999999", "product_id": "BTC-PERP", "side": "SIDEWAYS", "size": "1"}
    async with foreign_bsx(Ways(books=True)) as server:
        server.odd = [odd, {"rows": "of something else"}, None]
        async with trading(server) as desk:
            order, other = desk.limit(), desk.limit(px="49000")
            await desk.until(order, OrderStatus.ACCEPTED)
            await desk.until(other, OrderStatus.ACCEPTED)
            await server.fill(desk.at_venue(order), "0.004")
            await desk.until(order, OrderStatus.PARTIALLY_FILLED)
            counted = desk.client.malformed_frames
            assert counted > 0
            server.ways.streams = False
            await server.drop_all()
            await server.fill(desk.at_venue(order), "0.006")
            await server.end(desk.at_venue(other), "user")
            await desk.until(order, OrderStatus.FILLED, 12.0)
            await desk.until(other, OrderStatus.CANCELED)
            desk.check(order, other)
            assert desk.health.malformed_frames == desk.client.malformed_frames


async def test_snapshots_that_come_again_or_are_empty_end_no_order():
    async with foreign_bsx(Ways(books=True)) as server, trading(server) as desk:
        order, other = desk.limit(), desk.limit(px="49000")
        for each in (order, other):
            await desk.until(each, OrderStatus.ACCEPTED)
        await server.tell_snapshot("NOTHING")
        await server.fill(desk.at_venue(order), "0.004", silent=True)
        await server.tell_snapshot()
        await desk.until(order, OrderStatus.PARTIALLY_FILLED)
        await server.fill(desk.at_venue(order), "0.001")
        await server.tell_snapshot()
        await server.tell_snapshot("OPEN", "DONE")
        assert other.status == OrderStatus.ACCEPTED
        await server.fill(desk.at_venue(order), "0.005")
        await server.tell_snapshot("OPEN", "DONE")
        await desk.until(order, OrderStatus.FILLED)
        await server.end(desk.at_venue(other), "admin")
        await desk.until(other, OrderStatus.CANCELED)
        desk.check(order, other)


REASONS = {
    "user": ("Accepted", "Canceled"),
    "stp": ("Accepted", "Canceled"),
    "admin": ("Accepted", "Canceled"),
    "": ("Accepted", "Canceled"),
    "time in force IOC": ("Accepted", "Canceled"),
    "time in force FOK": ("Accepted", "Canceled"),
    "time in force GTT": ("Accepted", "Expired"),
    "insufficient liquidity": ("Accepted", "Canceled"),
    "insufficient margin": ("Rejected",),
    "insufficient funds": ("Rejected",),
    "post only": ("Rejected",),
    "reduce only: pos size 0, order side BUY": ("Rejected",),
    "tpsl order cannot be larger than position: pos size 0, order size 1": ("Rejected",),
    "TPSL order canceled due to position closed": ("Accepted", "Canceled"),
}


@pytest.mark.parametrize("ways", [{}, {"create": "id"}, {"shuffled": True, "repeats": 2}], ids=["", "id", "twice"])
async def test_every_reason_of_done(ways):
    """Told of an order that was never live, and of one that was and is part-filled."""
    async with foreign_bsx(Ways(goes=False, **ways)) as server, trading(server) as desk:
        fresh, lived = {}, {}
        for reason in REASONS:
            fresh[reason], lived[reason] = desk.limit(), desk.limit()
        await desk.run.until(lambda: len(server.orders) == 2 * len(REASONS), "all orders", 20.0)
        truth = list(server.orders.values())
        for n, reason in enumerate(REASONS):
            await server.end(truth[2 * n], reason)
            await server.open(truth[2 * n + 1])
            await server.fill(truth[2 * n + 1], "0.004")
            await server.end(truth[2 * n + 1], reason)
        await desk.run.until(lambda: not desk.run.cache.orders_open() and not desk.run.cache.orders_inflight(), "ends")
        for reason, ends in REASONS.items():
            told = desk.names(fresh[reason])[2:]
            assert told == list(ends) or told == [end for end in ends if end != "Accepted"], (reason, told)
            last = "Expired" if ends[-1] == "Expired" else "Canceled"
            assert desk.names(lived[reason])[2:] == ["Accepted", "Filled", last], reason
        (post_only,) = [e for e in desk.run.order_events(fresh["post only"].client_order_id) if "Rejected" in repr(e)]
        assert post_only.due_post_only
        desk.check(*lived.values())


async def test_ends_that_only_rest_tells_and_who_made_liquidity():
    """Over a reconnect: a rejection, an expiry, a fill; and the maker is known where the venue does not say."""
    async with foreign_bsx(Ways(goes=False)) as server, trading(server) as desk:
        soon = pd.Timestamp.now(tz="UTC").ceil("s") + pd.Timedelta(hours=1)
        orders = [desk.limit() for _ in range(3)]
        orders.append(desk.limit(time_in_force=TimeInForce.GTD, expire_time=soon))
        await desk.run.until(lambda: len(server.orders) == 4, "all orders", 12.0)
        rejected, canceled, filled, expired = server.orders.values()
        await server.open(filled)
        await desk.until(orders[2], OrderStatus.ACCEPTED)
        server.ways.streams = False
        rejected.update(status="DONE", reject_reason="risk says no")
        canceled.update(status="DONE", cancel_reason="user")
        expired.update(status="DONE", cancel_reason="time in force GTT")
        server.ways.streams = True
        await server.drop_all()
        await desk.until(orders[0], OrderStatus.REJECTED, 12.0)
        assert "risk says no" in desk.run.order_events(orders[0].client_order_id)[-1].reason
        await desk.until(orders[1], OrderStatus.CANCELED)
        await desk.until(orders[3], OrderStatus.EXPIRED)
        trade = server._trade(filled, "0.01")
        del trade["liquidity_indicator"]
        await server.tell(filled, [trade])
        await desk.until(orders[2], OrderStatus.FILLED)
        assert desk.fills(orders[2])[0].liquidity_side == LiquiditySide.MAKER


#: Without the history, only a snapshot that shows ends too can tell them.
NO_HISTORY = {"missing": OPTIONAL, "snapshot_of": ("OPEN", "DONE")}


@pytest.mark.parametrize("ways", [{}, NO_HISTORY, {"trades": "late"}, {"trades": "the first"}])
async def test_a_restart_in_the_middle_of_everything(ways, tmp_path):
    """Open, part-filled, being canceled, unanswered: the same journal, and the books agree."""
    journal = str(tmp_path / "journal.db")
    async with foreign_bsx(Ways(books=True, **ways)) as server:
        async with trading(server, journal=journal) as desk:
            orders = [desk.limit(px=px) for px in ("50000", "49999", "49998")]
            for order in orders:
                await desk.until(order, OrderStatus.ACCEPTED)
            await server.fill_many(desk.at_venue(orders[0]), ("0.002", "50000"), ("0.001", "49990"))
            await desk.until(orders[0], OrderStatus.PARTIALLY_FILLED)
            server.cuts += ["POST"]
            server.ways.streams = False
            unanswered = desk.limit(px="49997")
            await desk.run.until(lambda: len(server.orders) == 4, "the order to be taken")
            names = [order.client_order_id for order in (*orders, unanswered)]
            truth = list(server.orders.values())
        await server.fill(truth[0], "0.003")
        await server.fill(truth[1], "0.01")
        await server.end(truth[2], "user")
        truth[3]["status"] = "OPEN"
        await server.fill(truth[3], "0.001")
        server.ways.streams = True
        async with trading(server, journal=journal) as desk:
            again = [desk.run.cache.order(name) for name in names]
            await desk.until(again[1], OrderStatus.FILLED, 12.0)
            await desk.until(again[2], OrderStatus.CANCELED, 12.0)
            await desk.run.until(lambda: again[0].filled_qty == Decimal("0.006"), "what was filled meanwhile")
            await desk.run.until(lambda: again[3].filled_qty == Decimal("0.001"), "the unanswered one")
            await server.fill(truth[0], "0.004")
            await server.fill(truth[3], "0.009")
            await desk.until(again[0], OrderStatus.FILLED)
            await desk.until(again[3], OrderStatus.FILLED)
            await asyncio.sleep(0.4)
            for order, row in zip(again, truth, strict=True):
                assert order.filled_qty.as_decimal() == Decimal(row["filled_size"])
                paid = sum((money.as_decimal() for money in order.commissions()), Decimal(0))
                assert abs(paid - Decimal(row["filled_fees"])) < Decimal("0.0001")
            assert len(desk.run.cache.orders(venue=BTC.venue)) == len(server.asked) == 4
            assert sum(p.signed_decimal_qty() for p in desk.run.cache.positions_open()) == server.net()
