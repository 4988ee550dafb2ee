"""Whatever comes over the socket: the feed lives, the frame is counted and kept, the log says what came and was due."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.sim import Side
from tests.support.acttrader_client import Trading, trading

D = Decimal
both = pytest.mark.parametrize("dialect", ["draft", "final"])


def execution(voi: str, **changes: Any) -> str:
    """An execution about an order of ours, as the page has it but for `changes`; None leaves a field out."""
    payload = {
        "symbol": "EURUSD",
        "type": "LIMIT",
        "orderId": int(voi),
        "clientOrderId": "O-1",
        "transactTime": 1507725176595,
        "price": 1.1323,
        "origQty": 10000,
        "executedQty": 0,
        "status": "NEW",
        "timeInForce": "GTC",
        "side": "BUY",
    } | changes
    return json.dumps({"event": "execution", "payload": {k: v for k, v in payload.items() if v is not None}})


def raw_number(voi: str, field: str, text: str) -> str:
    """An execution with something that Python's JSON would not write as a number."""
    return execution(voi, **{field: "@"}).replace('"@"', text)


BAD: dict[str, Any] = {
    "malformed JSON": lambda voi: execution(voi)[:-3],
    "empty": lambda voi: "",
    "a comment in it": lambda voi: execution(voi).replace('"price"', '// limit\n"price"'),
    "a trailing comma": lambda voi: '{"event":"ordercancel","requestId":"1",}',
    "doubled brace": lambda voi: "{" + execution(voi) + "}",
    "an array": lambda voi: "[1,2,3]",
    "deep nesting": lambda voi: "[" * 100_000,
    "unknown event": lambda voi: '{"event":"margincall","payload":{"login":1}}',
    "no event": lambda voi: '{"requestId":"1","payload":{}}',
    "event of a wrong type": lambda voi: '{"event":7,"payload":{}}',
    "no payload": lambda voi: '{"event":"execution"}',
    "payload of a wrong type": lambda voi: '{"event":"execution","payload":"nothing"}',
    "unknown status": lambda voi: execution(voi, status="HIBERNATING"),
    "missing status": lambda voi: execution(voi, status=None),
    "missing orderId": lambda voi: execution(voi, orderId=None),
    "orderId of a wrong type": lambda voi: execution(voi, orderId=[1]),
    "wrong type of a quantity": lambda voi: execution(voi, executedQty={"value": 1}),
    "wrong type of fills": lambda voi: execution(voi, fills={"price": 1, "qty": 1}),
    "a fill without a price": lambda voi: execution(voi, executedQty=1, fills=[{"qty": 1}]),
    "text for a number": lambda voi: execution(voi, price="fifty"),
    "negative quantity": lambda voi: execution(voi, executedQty=-1),
    "not a number": lambda voi: raw_number(voi, "price", "NaN"),
    "infinite": lambda voi: raw_number(voi, "price", "Infinity"),
    "infinite as text": lambda voi: execution(voi, price="Infinity"),
    "number beyond sense": lambda voi: raw_number(voi, "executedQty", "1e400"),
    "number below sense": lambda voi: raw_number(voi, "executedQty", "1e-400"),
    "non-ASCII id": lambda voi: execution(voi, orderId="заказ-1"),
    "control characters in the id": lambda voi: execution(voi, orderId="a\x00b"),
    "10 MB": lambda voi: '{"event":"execution","payload":{"orderId":"' + "x" * 10_000_000 + "}",
}


async def resting(t: Trading) -> Any:
    order = t.limit(OrderSide.BUY, t.bid - D("0.001"))
    t.submit(order)
    await t.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be accepted")
    return order


@pytest.mark.node
@both
async def test_feed_lives_and_frames_are_counted_and_kept(dialect: str, tmp_path: Path):
    async with trading(dialect, config={"journal": str(tmp_path / "journal.sqlite")}) as t:
        order = await resting(t)
        sent = []
        for number, (what, make) in enumerate(BAD.items(), start=1):
            sent.append(make(order.venue_order_id.value))
            t.sim.twin.push_text(sent[-1])
            await t.until(lambda n=number: t.client.malformed_frames == n, f"the frame to be counted: {what}")
        journal = t.client._intake.journal
        journal.flush()
        kept = journal._db.execute("SELECT raw, fault FROM frames WHERE fault IS NOT NULL ORDER BY rowid").fetchall()
        assert [row[0] for row in kept] == [text.encode() for text in sent]
        errors = t.run.log.entries("ERROR")
        for what, (_, fault) in zip(BAD, kept, strict=True):
            assert fault.startswith("ACTTRADER: received "), what
            assert "expected" in fault, what
            assert any(fault[:60] in entry for entry in errors), what
        assert t.client._sessions[0].health.connects == 1
        t.sim.market.trade("EURUSD", order.price.as_decimal(), D(10000), Side.SELL)
        await t.until(lambda: order.status == OrderStatus.FILLED, "life to go on")
        assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert t.client.malformed_frames == len(BAD)


@pytest.mark.node
@both
async def test_fills_under_an_unknown_status_are_read_back(dialect: str):
    """What the venue did stays true in words nobody knows: the frame is a fault, and the account is read."""
    async with trading(dialect, all_or_none=False) as t:
        order = await resting(t)
        t.sim.twin.options.execution_copies = 0
        t.sim.market.trade("EURUSD", order.price.as_decimal(), D(4000), Side.SELL)
        t.sim.twin.push_text(execution(order.venue_order_id.value, status="PARTIAL", executedQty=4000))
        await t.until(lambda: order.filled_qty == t.qty(4000), "the fill")
        assert order.status == OrderStatus.PARTIALLY_FILLED
        assert t.client.malformed_frames == 1
        (fill,) = [e for e in t.run.order_events(order.client_order_id) if type(e).__name__ == "OrderFilled"]
        assert not (fill.info or {}).get("inferred")


HARMLESS: dict[str, Any] = {
    "further keys": {"mood": "good", "nested": {"a": [1]}},
    "a time that is none": {"transactTime": "soon"},
    "a time with a fraction": {"transactTime": 1507725176595.5},
    "a client order id that is no id": {"clientOrderId": "Auftrag \u00fc"},
    "unknown words": {"timeInForce": "SOMETIMES", "side": "SIDEWAYS", "type": "ODD"},
    "numbers as text": {"origQty": "10000", "executedQty": "0"},
}


@pytest.mark.node
@both
async def test_what_is_odd_and_harmless_is_read(dialect: str):
    async with trading(dialect) as t:
        order = await resting(t)
        price = order.price.as_decimal()
        for changes in HARMLESS.values():
            t.sim.twin.push_text(execution(order.venue_order_id.value, price=float(price), **changes))
        t.sim.twin.push_text(raw_number(order.venue_order_id.value, "price", "null"))
        t.sim.market.trade("EURUSD", price, D(10000), Side.SELL)
        await t.until(lambda: order.status == OrderStatus.FILLED, "the fill")
        assert t.client.malformed_frames == 0
        assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Filled"]
