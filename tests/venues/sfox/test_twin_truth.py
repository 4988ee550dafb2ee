"""Whatever the switches of the simulated sFOX say, nothing of it reaches the ledger, and in the end all agrees."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.sim import OrderState, Side
from nautilus_orderfeeds.sim.outbox import StreamOrder
from nautilus_orderfeeds.venues.sfox.twin_accounts import Refused
from nautilus_orderfeeds.venues.sfox.twin_words import (
    AckShape,
    ActionCase,
    AmountQuantity,
    CreateAnswer,
    FillsShown,
    FokFailure,
    Settlement,
    Spelling,
    TradesOrder,
)
from tests.support.sfox_raw import BALANCES, OPEN_ORDERS, TRADES, RawSfox, RawStream, sfox

_ROUNDING = Decimal("0.000000005")  # the wire has eight decimals

# Short enough that everything is said soon after a script's end.
_SECS = st.sampled_from([0.0, 0.01])

_OPTIONS = st.fixed_dictionaries(
    {
        "ack_shape": st.sampled_from(AckShape),
        "action_case": st.sampled_from(ActionCase),
        "amount_quantity": st.sampled_from(AmountQuantity),
        "create_answer": st.sampled_from(CreateAnswer),
        "create_stream": st.sampled_from([StreamOrder.BEFORE_ANSWER, StreamOrder.AFTER_ANSWER]),
        "create_trades": st.sampled_from([StreamOrder.BEFORE_ANSWER, StreamOrder.AFTER_ANSWER]),
        "cancel_stream": st.sampled_from([StreamOrder.BEFORE_ANSWER, StreamOrder.AFTER_ANSWER]),
        "fills_shown": st.sampled_from(FillsShown),
        "fok_failure": st.sampled_from(FokFailure),
        "settlement": st.sampled_from(Settlement),
        "spelling": st.sampled_from(Spelling),
        "trades_order": st.sampled_from(TradesOrder),
        "answer_lag_secs": _SECS,
        "cancel_delay_secs": _SECS,
        "late_fill_secs": _SECS,
        "match_delay_secs": _SECS,
        "rest_trades_delay_secs": _SECS,
        "settle_secs": _SECS,
        "trades_delay_secs": _SECS,
        "cancel_pending_update": st.booleans(),
        "duplicate_orders": st.booleans(),
        "duplicate_trades": st.booleans(),
        "feed_numbers": st.booleans(),
        "late_fills": st.booleans(),
        "padded_decimals": st.booleans(),
        "trade_id_shared": st.booleans(),
        "fill_while_canceling": st.sampled_from(["0", "0.3", "1"]),
    }
)


async def _act(raw: RawSfox, chance: random.Random) -> None:
    """One thing that a client, the web app or the market does."""
    account = raw.twin.account()
    resting = [order for order in account.orders(is_open=True) if order.state is OrderState.WORKING]
    side = chance.choice(["buy", "sell"])
    price = str(43_230 + chance.randint(-60, 60))
    size = str(Decimal(chance.randint(1, 900)) / 1000)
    match chance.randint(0, 7):
        case 0 | 1:
            await raw.call("POST", f"/v1/orders/{side}", raw.body(price=price, quantity=size))
        case 2:
            tif = chance.choice(["IOC", "FOK"])
            await raw.call("POST", f"/v1/orders/{side}", raw.body(price=price, quantity=size, time_in_force=tif))
        case 3:
            amount = {"amount": "700.5", "quantity": None} if side == "buy" else {"quantity": size}
            body = raw.body(algorithm_id=100, **{"price": None, **amount})
            await raw.call("POST", f"/v1/orders/{side}", body)
        case 4 if resting:
            order = chance.choice(resting)
            share = order.leaves if chance.random() < 0.3 else (order.leaves / 3).quantize(Decimal("0.00000001"))
            if share > 0:
                account.fill(order, share)
        case 5 if resting:
            await raw.cancel({"id": chance.choice(resting).venue_order_id})
        case 6 if resting:
            order = chance.choice(resting)
            await raw.call("PATCH", f"/v1/orders/{order.venue_order_id}", {"quantity": str(order.quantity + 1)})
        case 7:
            try:
                account.place("btcusd", Side.BUY, size, str(43_230 + chance.randint(-60, 60)))
            except Refused:
                return


async def _all(stream: RawStream) -> list[dict[str, Any]]:
    """Every message until nothing comes any more."""
    messages = []
    quiet = 0
    while quiet < 4:  # each turn lets the venue go on, however slow the machine is
        if await _more(stream):
            messages.append(stream.log[-1])
            quiet = 0
        else:
            quiet += 1
    return messages


async def _more(stream: RawStream) -> bool:
    try:
        message = await stream.socket.receive_json(timeout=0.05)
    except TimeoutError:
        return False
    stream.log.append(message)
    return True


async def _run(options: dict[str, Any], seed: int) -> None:
    chance = random.Random(seed)
    async with sfox(**options, rest_limits=False, balances={"usd": 60_000, "btc": 1}) as raw:
        stream = await raw.connect()
        await stream.auth(raw.key)
        await stream.subscribe(OPEN_ORDERS, TRADES, BALANCES)
        for _ in range(25):
            await _act(raw, chance)
        messages = await _all(stream)
        numbers = [message["sequence"] for message in stream.log]
        assert numbers == list(range(1, len(numbers) + 1))
        await _agree(raw, messages)


async def _agree(raw: RawSfox, messages: list[dict[str, Any]]) -> None:
    ledger = raw.sim.ledger
    last: dict[int, dict[str, Any]] = {}
    told: dict[tuple[int, int], dict[str, Any]] = {}
    balances: dict[str, Decimal] = {}
    for message in messages:
        for row in message["payload"]:
            match message["recipient"]:
                case "private.user.open-orders":
                    before = last.get(row["id"])
                    assert before is None or Decimal(str(before["filled"])) <= Decimal(str(row["filled"]))
                    last[row["id"]] = row
                case "private.user.trades":
                    told[(row["order_id"], row["trade_id"])] = row
                case "private.user.balances":
                    balances[row["currency"]] = Decimal(str(row["balance"]))
    listed: dict[tuple[int, int], dict[str, Any]] = {}
    cursor = ""
    while page := (await raw.get(f"/v1/account/trades?page_size=20{cursor}"))["data"]:
        listed |= {(row["order_id"], row["trade_id"]): row for row in page}
        cursor = f"&last_seen_id={page[-1]['cursor']}"
    assert set(listed) == set(told)
    assert len(listed) == len(ledger.fills())
    for order in ledger.orders():
        number = int(order.venue_order_id)
        shown = await raw.get(f"/v1/orders/{number}")
        assert (shown["filled"], shown["fees"]) == (order.filled, order.fees)
        assert abs(shown["filled_amount"] - order.notional) <= _ROUNDING
        assert last[number]["status"] == shown["status"]
        assert Decimal(str(last[number]["filled"])) == order.filled
        fills = [row for (order_id, _), row in listed.items() if order_id == number]
        assert sum((Decimal(row["quantity"]) for row in fills), Decimal(0)) == order.filled
        assert sum((Decimal(row["fees"]) for row in fills), Decimal(0)) == order.fees
        is_open = shown["status"].lower() in ("started", "cancel pending")
        assert is_open == order.is_open
    for currency in ("usd", "btc"):
        assert ledger.balance(currency) >= 0
        if currency in balances:
            assert abs(balances[currency] - ledger.balance(currency)) <= _ROUNDING


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(options=_OPTIONS, seed=st.integers(0, 2**32))
def test_feed_rest_and_ledger_agree_in_the_end(options: dict[str, Any], seed: int) -> None:
    asyncio.run(_run(options, seed))
