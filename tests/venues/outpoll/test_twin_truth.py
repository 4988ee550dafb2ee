"""Whatever the switches of the simulated Outpoll say, nothing of it reaches the ledger, and in the end all agrees."""

from __future__ import annotations

import asyncio
import contextlib
import random
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.sim import Fault, OrderState, Side
from nautilus_orderfeeds.venues.outpoll.twin_keys import Refused
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, NO, QUOTE, QUOTE_ASSET, YES, wire_asset
from nautilus_orderfeeds.venues.outpoll.twin_words import (
    ActiveQuantity,
    BalanceOrder,
    NumberStyle,
    Refusal,
    UpdateMeaning,
    UpdateTime,
)
from tests.support.outpoll_raw import RawOutpoll, loads, outpoll

_SECS = st.sampled_from([0.0, 0.01])

_OPTIONS = st.fixed_dictionaries(
    {
        "active_quantity": st.sampled_from(ActiveQuantity),
        "balance_order": st.sampled_from(BalanceOrder),
        "cancel_update": st.sampled_from(UpdateTime),
        "place_update": st.sampled_from(UpdateTime),
        "refusal": st.sampled_from(Refusal),
        "rest_numbers": st.sampled_from(NumberStyle),
        "stream_numbers": st.sampled_from(NumberStyle),
        "update_meaning": st.sampled_from(UpdateMeaning),
        "balance_delay_secs": _SECS,
        "cancel_delay_secs": _SECS,
        "process_delay_secs": _SECS,
        "history_delay_secs": _SECS,
        "closed_cancel_status": st.sampled_from([200, 204, 404]),
        "place_status": st.sampled_from([200, 202]),
        "fee_rate": st.sampled_from(["0", "0.001"]),
        "active_extra_fields": st.booleans(),
        "tpsl_locks_shares": st.booleans(),
        "update_copies": st.sampled_from([0, 1, 2]),
    }
)


async def act(raw: RawOutpoll, chance: random.Random) -> None:
    """Do one thing, over REST or behind its back."""
    asset, side = chance.choice((YES, NO)), chance.choice(("BUY", "SELL"))
    price = f"0.{chance.randint(40, 60)}"
    size = str(Decimal(chance.randint(1, 20_000_000)).scaleb(-6))
    match chance.randrange(8):
        case 0 | 1 | 2:
            await raw.call("POST", "/orders/limit", raw.limit_body(asset, side, price, size))
        case 3:
            body = raw.market_body(asset, side, "am" if side == "BUY" else "q", size)
            await raw.call("POST", "/orders/market", body)
        case 4:
            orders = raw.sim.ledger.orders()
            if orders:
                await raw.cancel(chance.choice(orders).venue_order_id)
        case 5:
            raw.sim.market.trade(asset.asset_id, price, size, chance.choice(list(Side)))
        case 6:
            raw.sim.market.step()
        case 7:
            with contextlib.suppress(Refused):  # nothing to protect
                raw.twin.set_tpsl(asset.asset_id, stop_loss=price)


@given(options=_OPTIONS, seed=st.integers(0, 2**16))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_channel_agrees_with_the_ledger(options: dict[str, Any], seed: int) -> None:
    asyncio.run(_agrees(options, seed))


async def _agrees(options: dict[str, Any], seed: int) -> None:
    chance = random.Random(seed)
    async with outpoll(seed=seed, balance=50, shares=20, **options) as raw:
        stream, told = await raw.balances()
        for _ in range(25):
            await act(raw, chance)
        await asyncio.sleep(0.04)  # every delay is shorter
        while not await _drain(stream, told):
            pass
        ledger, twin = raw.sim.ledger, raw.twin
        open_ids = {order.venue_order_id for order in ledger.orders(is_open=True)}
        rows = {row["id"]: row for row in await raw.active()}
        assert set(rows) == open_ids
        for order_id, row in rows.items():
            order = ledger.order(order_id)
            is_original = twin.options.active_quantity is ActiveQuantity.ORIGINAL
            assert Decimal(row["quantity"]) == (order.quantity if is_original else order.leaves)
        history = await raw.history()
        for order in ledger.orders(is_open=False):
            assert Decimal(history[order.venue_order_id]["q"]) == order.filled
            is_filled = order.state is OrderState.FILLED
            assert (history[order.venue_order_id]["st"] == "FILLED") is is_filled
        trades = (await raw.get("/api/history/trades?size=100"))["i"]
        sizes = [fill.size for fill in reversed(ledger.fills())]
        assert [Decimal(row["q"]) for row in trades] == sizes[:100]
        for currency in (QUOTE, *ASSETS):
            total, _ = told.get(wire_asset(currency), (Decimal(0), Decimal(0)))
            assert total == _shown(ledger.balance(currency))
        rows_held = (await raw.get("/api/history/deals/open-positions"))["i"]
        positions = {row["ai"]: Decimal(row["tsc"]) for row in rows_held}
        assert positions == {asset: held for asset in ASSETS if (held := ledger.balance(asset))}
        for asset in ASSETS:
            assert ledger.balance(asset) >= 0  # nobody is short


def _shown(amount: Decimal) -> Decimal:
    """Balances have six decimals on the wire."""
    return amount.quantize(Decimal("0.000001"), "ROUND_DOWN")


async def _drain(stream: Any, told: dict[str, tuple[Decimal, Decimal]]) -> bool:
    """Take in what is there; `True` once nothing is."""
    try:
        message = await stream.socket.receive(timeout=0.02)
    except TimeoutError:
        return True
    row = loads(message.data)
    told[row["a"]] = (Decimal(row["b"]), Decimal(row["f"]))
    assert 0 <= row["f"] <= row["b"]
    return False


async def test_faults_never_reach_the_ledger() -> None:
    async with outpoll(seed=11, balance=500, shares=50, update_meaning="c") as raw:
        streams = (await raw.orders(), (await raw.balances())[0])
        for fault in (Fault.DROP, Fault.DOUBLE, Fault.REORDER, Fault.GARBAGE):
            raw.sim.faults.arm(fault, probability=0.3, where="orders")
            raw.sim.faults.arm(fault, probability=0.3, where="balances")
        raw.sim.faults.arm(Fault.ERROR_AFTER_EFFECT, probability=0.3, where="POST *")
        chance = random.Random(11)
        for _ in range(100):
            await act(raw, chance)
        assert len({(struck.fault, struck.where) for struck in raw.sim.faults.log}) > 6
        assert not any(stream.socket.closed for stream in streams)
        raw.sim.ledger.check()
        raw.sim.faults.calm()
        _, told = await raw.balances()
        assert told[QUOTE_ASSET][0] == _shown(raw.sim.ledger.balance(QUOTE))
        assert {row["id"] for row in await raw.active()} == {
            order.venue_order_id for order in raw.sim.ledger.orders(is_open=True)
        }
