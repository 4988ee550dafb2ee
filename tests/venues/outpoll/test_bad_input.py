"""Whatever comes over the sockets or in an answer: the feed lives, it is counted and logged, nothing is concluded."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.venues.outpoll.twin_words import Service
from tests.support.outpoll_client import ASSET, FAST, TRADES, books_agree, trading

UPDATE = {"i": "a1b2c3d4", "u": "user-1", "s": "SUCCESS"}
TPSL = {"i": "t-1", "u": "user-1", "a": ASSET, "q": 100, "tpp": 0.95, "slp": 0.10, "s": "ACTIVE"}
DELTA = '{"u":"user-1","a":"%s","b":%s,"f":%s}'


def update(**changes: Any) -> str:
    return json.dumps({"t": "ORDER_UPDATE", "d": UPDATE | changes}, ensure_ascii=False)


def tpsl(**changes: Any) -> str:
    return json.dumps({"t": "TPSL_UPDATE", "d": TPSL | changes})


def without(frame: str, field: str) -> str:
    whole = json.loads(frame)
    del whole["d"][field]
    return json.dumps(whole)


BAD = {
    "malformed JSON": '{"t":"ORDER_UPDATE","d":{"i":',
    "nothing": "",
    "no JSON": "heartbeat",
    "a comment in it": '{"t":"ORDER_UPDATE", // comment\n"d":{}}',
    "an array": "[1,2,3]",
    "a number": "7",
    "null": "null",
    "deep nesting": "[" * 100_000,
    "a type that is a number": '{"t":7,"d":null}',
    "unknown status": update(s="MAYBE"),
    "status in lower case": update(s="success"),
    "missing id": without(update(), "i"),
    "missing status": without(update(), "s"),
    "an empty id": update(i=""),
    "an id that is a number": update(i=5),
    "an id that is not ASCII": update(i="заказ-1"),
    "an id with a control character": update(i="a\x00b"),
    "data that is text": '{"t":"ORDER_UPDATE","d":"done"}',
    "no data": '{"t":"ORDER_UPDATE"}',
    "TP/SL without an id": without(tpsl(), "i"),
    "TP/SL without an asset": without(tpsl(), "a"),
    "TP/SL with text for a number": tpsl(q="many"),
    "TP/SL beyond sense": tpsl().replace("0.95", "1e400"),
    "TP/SL below sense": tpsl().replace("0.95", "1e-400"),
    "TP/SL that is not a number": tpsl().replace("0.95", "NaN"),
    "TP/SL that is infinite": tpsl().replace("0.95", "Infinity"),
    "a balance without free": '{"u":"user-1","a":"x","b":1}',
    "a balance beyond sense": DELTA % (ASSET, "1e400", "0"),
    "a balance of text": DELTA % (ASSET, '"1"x', "0"),
    "a balance of something not ASCII": DELTA % ("₿", "1", "1"),
    "balances without amounts": '{"t":"success","d":{"l":[{"i":"x"}]}}',
    "an error": '{"t":"error","d":{"error":"Unknown message type"}}',
    "ten megabytes": '{"t":"ORDER_UPDATE","d":"' + "x" * 10_000_000 + '"}',
}


@pytest.mark.node
@pytest.mark.timeout(60)
@pytest.mark.parametrize("service", [Service.ORDERS, Service.BALANCES], ids=["orders", "balances"])
async def test_bad_frames_between_good_ones(service: Service) -> None:
    async with trading({}, trades_fields=TRADES, **FAST) as (sim, run, trader):
        bid, _ = sim.market.best(ASSET)
        order = trader.limit(OrderSide.BUY, 10, bid - Decimal("0.04"))
        await run.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to rest")
        client = run.exec_client("OUTPOLL")
        for number, (what, text) in enumerate(BAD.items(), 1):
            sim.twin.push_text(service, text)
            await run.until(lambda n=number: client.malformed_frames >= n, f"{what} to be counted", 10.0)
        assert client.malformed_frames == len(BAD)

        journal = client._intake.journal
        journal.flush()
        kept = journal._db.execute("SELECT raw, fault FROM frames WHERE fault IS NOT NULL").fetchall()
        assert [raw.decode() for raw, _ in kept] == list(BAD.values())
        assert all(fault.startswith("OUTPOLL: received ") and "expected" in fault for _, fault in kept)
        assert sum("OUTPOLL: received " in error for error in run.log.entries("ERROR")) >= len(BAD)

        # And the order lives: what is wrong has changed nothing, what is right is taken in.
        assert order.status == OrderStatus.ACCEPTED
        sim.market.trade(ASSET, order.price.as_decimal(), Decimal(4))
        await run.until(lambda: order.filled_qty == 4, "a part fill")
        sim.market.trade(ASSET, order.price.as_decimal(), Decimal(6))
        await run.until(lambda: order.is_closed, "the rest")
        await books_agree(sim, run)
        assert all(session.health.connects == 1 for session in client._sessions)


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_frame_of_an_unknown_type_is_no_fault_and_has_the_account_read_back() -> None:
    """Order Feed's payloads are not documented (protocol 6.2): published as they are, and a reason to read."""
    async with trading({}, trades_fields=TRADES, **FAST) as (sim, run, _):
        events: list[Any] = []
        run.node.kernel.msgbus.subscribe("data.VenueEvent*", events.append)
        asked = len(sim.requests)
        sim.twin.push_text(Service.ORDERS, '{"t":"SOMETHING_NEW","d":{"x":1},"r":null}')
        await run.until(lambda: events, "the event")
        await run.until(lambda: len(sim.requests) > asked, "the account to be read")

        assert [event.kind for event in events] == ["SOMETHING_NEW"]
        assert run.exec_client("OUTPOLL").malformed_frames == 0


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_status_that_no_page_knows_ends_nothing() -> None:
    async with trading({"history_lists_open": True}, trades_fields=TRADES, **FAST) as (sim, run, trader):
        bid, _ = sim.market.best(ASSET)
        order = trader.limit(OrderSide.BUY, 10, bid - Decimal("0.04"))
        await run.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to rest")
        sim.twin.show_status(sim.ledger.order(order.venue_order_id.value), "HIBERNATING")
        sim.twin.push_order_update(order.venue_order_id.value, "FAILED")
        await asyncio.sleep(3.0)  # long enough for readings to settle

        assert order.status == OrderStatus.ACCEPTED
        trader.cancel_order(order)
        await run.until(lambda: order.is_closed, "the cancel")
        assert order.status == OrderStatus.CANCELED


@pytest.mark.node
@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.ERROR_BEFORE_EFFECT])
async def test_unreadable_lists_prove_nothing(fault: Fault) -> None:
    """Nothing is gone because a list could not be read; when it can be, everything is told."""
    async with trading({}, trades_fields=TRADES, **FAST) as (sim, run, trader):
        bid, _ = sim.market.best(ASSET)
        order = trader.limit(OrderSide.BUY, 10, bid - Decimal("0.04"))
        await run.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to rest")
        armed = sim.faults.arm(fault, where="GET /api/history/*")
        sim.market.trade(ASSET, order.price.as_decimal(), Decimal(10))
        sim.twin.push_order_update(order.venue_order_id.value, "FAILED")
        await run.until(lambda: armed.struck >= 3, "the lists to fail")
        assert order.status == OrderStatus.ACCEPTED
        sim.faults.disarm(armed)
        await run.until(lambda: order.is_closed, "the fill")
        assert order.status == OrderStatus.FILLED
        await books_agree(sim, run)
