"""Whatever the switches and however an account trades, the messages of the simulated Roxom add up to its ledger."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import EndReason
from tests.support.roxom_raw import GOLD, RawRoxom, roxom

D = Decimal
FINAL = {"filled", "cancelled", "partiallyfilledcancelled", "rejected"}
NEXT = {
    None: {"pendingsubmit"},
    "pendingsubmit": {"submitted", "waitingtrigger", "cancelled", "rejected", "pendingcancel"},
    "waitingtrigger": {"submitted", "pendingcancel", "cancelled"},
    "submitted": {"partiallyfilled", "filled", "pendingcancel", "cancelled"},
    "partiallyfilled": {"partiallyfilled", "filled", "pendingcancel", "partiallyfilledcancelled"},
    "pendingcancel": {"partiallyfilled", "filled", "cancelled", "partiallyfilledcancelled", "submitted"},
}
QUIRKS: list[dict[str, Any]] = [
    {},
    {"event_form": "g1", "rest_form": "g1", "create_stream": "before"},
    {"cancel_delay_secs": 0.01, "match_delay_secs": 0.005, "fees_shown": "per_fill"},
    {"auth": "key_only", "pending_cancel": "always"},
    {"fills_shown": "merged", "fees_shown": "per_fill", "partial_cancel": "cancelled"},
]


async def trade_at_random(raw: RawRoxom, source: random.Random) -> None:
    """Some orders of all kinds, cancels, and a market that moves."""
    ids: list[str] = []
    for _ in range(40):
        bid, ask = raw.sim.market.best(GOLD)
        assert bid is not None
        assert ask is not None
        near = (bid + ask) / 2 + source.randint(-40, 40) * D("0.000001")
        price = f"{near.quantize(D('0.000001')):f}"
        side, qty = source.choice(("buy", "sell")), f"{source.randint(1, 300) / 100:.2f}"
        match source.randint(0, 5):
            case 0:
                await raw.order(side, qty)
            case 1:
                await raw.order(side, qty, price, timeInForce="ioc")
            case 2:
                ids.append(await raw.order(side, qty, price, postOnly=True))
            case 3:
                trigger = f"{(near + D('0.00004') * (1 if side == 'buy' else -1)).quantize(D('0.000001')):f}"
                ids.append(await raw.order(side, qty, orderType="stop", triggerPx=trigger))
            case _:
                ids.append(await raw.order(side, qty, price))
        if source.random() < 0.4:
            raw.sim.market.step()
        if ids and source.random() < 0.3:
            await raw.cancel(ids.pop(source.randrange(len(ids))))
    await raw.call("POST", "/orders/cancel-all")
    while raw.sim.ledger.orders(is_open=True):
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("quirks", QUIRKS)
async def test_the_stream_tells_the_ledger(quirks: dict[str, Any], seed: int) -> None:
    async with roxom(seed=seed, **quirks) as raw:
        stream = await raw.stream()
        await trade_at_random(raw, random.Random(seed))
        await stream.op("unsubscribe", {"channel": "account"})
        last: dict[str, dict[str, Any]] = {}
        fees: dict[str, Decimal] = {}
        balance = D(10)
        while True:
            message = await stream.receive()
            if "event" in message:
                break
            data = message["data"]
            if message["type"] == "order":
                before = last.get(data["orderId"])
                if quirks.get("fills_shown") != "merged":  # there steps are left out
                    assert data["status"] in NEXT[before["status"] if before else None]
                executed = D(data["executedQty"])
                if before is not None:
                    assert executed >= D(before["executedQty"])
                    assert executed + D(data["remainingQty"]) == D(before["executedQty"]) + D(before["remainingQty"])
                    if quirks.get("fees_shown") == "per_fill" and executed > D(before["executedQty"]):
                        fees[data["orderId"]] = fees.get(data["orderId"], D(0)) + D(data["filledFees"])
                last[data["orderId"]] = data
            elif message["type"] == "balance":
                assert D(data["balanceBefore"]) == balance
                balance = D(data["balanceAfter"])
        assert len(last) == len(raw.sim.ledger.orders()) >= 40
        for order_id, data in last.items():
            order = raw.sim.ledger.order(order_id)
            assert data["status"] in FINAL
            assert D(data["executedQty"]) == order.filled
            assert (data["status"] == "filled") == (order.end_reason is EndReason.FILLED)
            if order.filled:
                assert abs(D(data["avgPx"]) - order.notional / order.filled) <= D("0.000000005")
            if "filledFees" in data:
                assert fees.get(order_id, D(data["filledFees"])) == order.fees
        assert abs(balance - raw.sim.ledger.balance("BTC")) <= D("0.00000001")


async def test_rest_and_log_tell_the_ledger() -> None:
    async with roxom(seed=3) as raw:
        await trade_at_random(raw, random.Random(3))
        rows = (await raw.get("/orders?instType=perpetual&includeClosed=true"))["orders"]
        assert len(rows) == len(raw.sim.ledger.orders())
        for row in rows:
            order = raw.sim.ledger.order(row["id"])
            assert (D(row["amountFilled"]), D(row["qty"])) == (order.filled, order.quantity)
            assert D(row["size"]) == order.quantity - order.filled
        logs = (await raw.get("/accounts/transaction-log?unit=btc&limit=1000"))["logs"]
        fills = [row for row in logs if row["transactionType"] == "orderFill"]
        assert len(fills) == len(raw.sim.ledger.fills())
        assert sum(D(row["fee"]) for row in fills) == raw.sim.ledger.fees("BTC")
        assert D(logs[0]["positionAfter"]) == raw.sim.ledger.position(GOLD).net
        [balance] = (await raw.get("/accounts/balance?unit=btc"))["balances"]
        assert abs(D(balance["current"]) - raw.sim.ledger.balance("BTC")) <= D("0.000000005")
        positions = (await raw.get(f"/positions?instType=perpetual&symbol={GOLD}&unit=btc"))["positions"]
        net = sum((D(p["size"]) * (1 if p["side"] == "long" else -1) for p in positions), D(0))
        assert net == raw.sim.ledger.position(GOLD).net
