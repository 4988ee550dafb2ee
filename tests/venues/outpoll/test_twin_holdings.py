"""Balances and TP/SL of the simulated Outpoll (protocol 5.5, 6.1, 6.3, 13.7 points 5 and 7)."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from nautilus_orderfeeds.sim import Fault, OrderState, Side
from nautilus_orderfeeds.venues.outpoll.twin_products import NO, QUOTE_ASSET, YES
from tests.support.outpoll_raw import eventually, outpoll, sample, shape

BALANCES = "/balance/ws"

# -- balances -----------------------------------------------------------------------------------------------


async def test_deltas_are_bare_and_absolute() -> None:
    async with outpoll(book=False, balance=100) as raw:
        stream, snapshot = await raw.balances()
        assert snapshot == {QUOTE_ASSET: (100, 100)}
        order_id = await raw.limit(YES, "BUY", "0.40", "50")
        lock = await stream.receive()
        assert shape(lock) == shape(sample("docs/ws-server-balance-delta.json"))
        assert (lock["u"], lock["a"], lock["b"], lock["f"]) == (raw.user, QUOTE_ASSET, 100, 80)
        raw.twin.fill(raw.sim.ledger.order(order_id), "20")
        shares, cash = await stream.receive(), await stream.receive()
        assert (shares["a"], shares["b"], shares["f"], shares["aop"], shares["c"]) == (
            YES.asset_id,
            20,
            20,
            Decimal("0.4"),
            8,
        )
        assert (cash["a"], cash["b"], cash["f"]) == (QUOTE_ASSET, 92, 80)
        await raw.cancel(order_id)
        assert (await stream.receive())["f"] == 92
        _, snapshot = await raw.balances()
        assert snapshot == {QUOTE_ASSET: (92, 92), YES.asset_id: (20, 20)}


async def test_balances_have_six_decimals_and_an_empty_account_has_usdc() -> None:
    async with outpoll(balance=0) as raw:
        assert (await raw.balances())[1] == {QUOTE_ASSET: (0, 0)}
    async with outpoll(balance=100) as raw:
        order = raw.sim.ledger.order(await raw.buy(YES, "5"))
        _, snapshot = await raw.balances()
        assert snapshot[QUOTE_ASSET][0] == (100 - order.notional).quantize(Decimal("0.000001"), "ROUND_DOWN")
        assert snapshot[YES.asset_id][0] == order.filled


async def test_quote_first_and_late() -> None:
    async with outpoll(balance_order="quote", balance_delay_secs=0.1) as raw:
        stream, _ = await raw.balances()
        await raw.buy(YES, "5")
        assert await stream.is_silent(0.05)
    async with outpoll(balance_order="quote", balance_delay_secs=0.02) as raw:
        stream, _ = await raw.balances()
        await raw.buy(YES, "5")
        assert [(await stream.receive())["a"] for _ in range(2)] == [QUOTE_ASSET, YES.asset_id]


async def test_snapshots_may_be_stale_and_deltas_missing() -> None:
    async with outpoll(balance_deltas=False, lists_empty_balances=True) as raw:
        stream, snapshot = await raw.balances()
        assert len(snapshot) == 5
        await raw.limit(YES, "BUY", "0.40", "50")
        assert await stream.is_silent()
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="balances/snapshot")
        assert (await raw.balances())[1] == snapshot
        assert (await raw.balances())[1][QUOTE_ASSET] == (10_000, 9_980)


@pytest.mark.parametrize(
    ("style", "pattern"),
    [
        ("plain", r"\d+(\.\d*[1-9])?"),
        ("padded", r"\d+\.\d{2,}"),
        ("exponent", r"\d+E-?\d+"),
        ("mixed", r"\d+(\.\d+)?(E-?\d+)?"),
    ],
)
async def test_number_styles(style: str, pattern: str) -> None:
    async with outpoll(stream_numbers=style, balance="1200.1") as raw:
        stream = await raw.stream(BALANCES)
        await stream.send(stream.auth(BALANCES))
        text = await stream.text()
        await raw.limit(YES, "BUY", "0.40", "50")
        text += await stream.text()
        numbers = re.findall(r'"(?:b|f|aop|c)":([^,}]+)', text)
        assert len(numbers) == 6
        assert all(re.fullmatch(pattern, number) for number in numbers), numbers
        assert Decimal(numbers[0]) == Decimal("1200.1")
        assert Decimal(numbers[-1]) == Decimal("1180.1")
        assert style != "mixed" or len({("E" in n, "." in n) for n in numbers}) > 1


# -- TP/SL --------------------------------------------------------------------------------------------------


async def test_tpsl_is_set_listed_and_canceled() -> None:
    async with outpoll(shares=100) as raw:
        stream = await raw.orders()
        balances, _ = await raw.balances()
        body = raw.market_body(YES, "SELL", "t", "0.95").replace("}", ',"l":0.10}')
        status, answer = await raw.call("POST", "/orders/tpsl", body)
        assert status == 200
        update = await stream.receive()
        assert shape(update) == shape(sample("seed/ws-server-tpsl-update.json"))
        assert update["d"] == {
            "i": answer["i"],
            "u": raw.user,
            "a": YES.asset_id,
            "q": 100,
            "tpp": Decimal("0.95"),
            "slp": Decimal("0.10"),
            "s": "ACTIVE",
        }
        assert (await balances.receive())["f"] == 0
        listed = f"/orders/tpsl?assetId={YES.asset_id}&primary=true"
        assert [row["i"] for row in await raw.get(listed + "&status=ACTIVE")] == [answer["i"]]
        assert await raw.get(listed.replace("true", "false")) == []
        for path in ("/orders/tpsl", f"/orders/tpsl?assetId={YES.asset_id}", "/orders/tpsl?primary=true"):
            assert (await raw.call("GET", path))[0] == 400
        assert (await raw.call("DELETE", f"/orders/tpsl/{answer['i']}"))[0] == 200
        assert (await stream.receive())["d"]["s"] == "CANCELED"
        assert (await raw.call("DELETE", f"/orders/tpsl/{answer['i']}"))[0] == 404
        assert await raw.get(listed + "&status=ACTIVE") == []


@pytest.mark.parametrize("source", ["LAST", "MARK"])
async def test_tpsl_fires_an_order_nobody_sent(source: str) -> None:
    async with outpoll(shares=100, tpsl_source=source) as raw:
        tpsl = raw.twin.set_tpsl(YES.asset_id, stop_loss="0.30", size="40")
        stream = await raw.orders()
        if source == "LAST":
            raw.sim.market.trade(YES.asset_id, "0.30", "1")
        else:
            raw.sim.market.set_mark(YES.asset_id, "0.30")
        assert (await stream.receive())["d"]["s"] == "TRIGGERED"
        order = raw.sim.ledger.order((await stream.update())[0])
        assert (order.side, order.filled, order.state) == (Side.SELL, 40, OrderState.FILLED)
        assert not tpsl.is_active
        assert (await raw.history())[order.venue_order_id]["si"] == "SELL"


async def test_tpsl_with_one_leg_and_what_it_may_not_be() -> None:
    async with outpoll(shares=10) as raw:
        stream = await raw.orders()
        tpsl = raw.twin.set_tpsl(NO.asset_id, take_profit="0.9")
        assert (await stream.receive())["d"]["slp"] is None
        order = raw.twin.fire_tpsl(tpsl)
        assert order is not None
        assert order.filled == 10
        assert raw.twin.fire_tpsl(tpsl) is None
        for body in (
            raw.market_body(YES, "SELL", "q", "5"),
            raw.market_body(YES, "BUY", "t", "0.9"),
            raw.market_body(YES, "SELL", "t", "1.9"),
            raw.market_body(YES, "SELL", "t", "0.9").replace("}", ',"q":11}'),
        ):
            assert (await raw.call("POST", "/orders/tpsl", body))[0] == 400, body


async def test_resolution_ends_tpsl() -> None:
    async with outpoll(shares=10) as raw:
        tpsl = raw.twin.set_tpsl(YES.asset_id, take_profit="0.9")
        raw.twin.resolve(YES.outcome.outcome_id, yes_wins=False)
        assert not tpsl.is_active
        raw.sim.market.set_mark(YES.asset_id, "0.95")

        async def is_flat() -> bool:
            return raw.sim.ledger.balance(YES.asset_id) == 0

        await eventually(is_flat)
        assert raw.sim.ledger.orders() == []
