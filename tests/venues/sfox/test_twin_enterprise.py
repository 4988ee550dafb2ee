"""Many end users on one socket of the simulated sFOX (protocol 3, 8.3-8.5)."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import Side
from nautilus_orderfeeds.venues.sfox.twin_words import EnterpriseTrades, InitialList, PayloadShape
from tests.support.sfox_raw import BALANCES, OPEN_ORDERS, TRADES, USERS, RawSfox, RawStream, sfox

ORDERS = f"{USERS}.open-orders"
FILLS = f"{USERS}.trades"
FUNDS = f"{USERS}.balances"


async def _enterprise(raw: RawSfox, *feeds: str, flag: Any = True) -> RawStream:
    stream = await raw.connect()
    assert (await stream.auth(raw.twin.enterprise_key, enterprise=flag))["type"] == "success"
    assert (await stream.subscribe(*(feeds or (ORDERS, FILLS))))["type"] == "success"
    return stream


@pytest.mark.parametrize("flag", [True, "true"])
async def test_an_order_of_an_end_user_looks_like_the_pages_sample(flag: object) -> None:
    async with sfox() as raw:
        stream = await _enterprise(raw, flag=flag)
        user = raw.twin.user("test3")
        order = user.place("btcusd", Side.SELL, "0.05", "44000", client_order_id="577ab261")
        payload = await stream.data(ORDERS)
        assert set(payload) == {"user_id", "updates"}
        (row,) = payload["updates"]
        assert (payload["user_id"], row["id"], row["client_order_id"], row["status"], row["action"]) == (
            *("test3", int(order.venue_order_id)),
            *("577ab261", "Started", "Sell"),
        )
        assert set(row) == {
            *("id", "client_order_id", "date_added", "status", "filled", "filled_amount", "vwap", "price"),
            *("quantity", "pair", "action", "type", "algorithm_id", "fees"),
        }
        user.fill(order, "0.02", "44100")
        assert (await stream.data(ORDERS))["updates"][0]["vwap"] == "44100"
        fills = await stream.data(FILLS)
        assert (fills["user_id"], fills["updates"][0]["order_id"]) == ("test3", int(order.venue_order_id))


async def test_the_flag_decides_what_the_enterprise_key_may_hear() -> None:
    async with sfox() as raw:
        plain = await raw.connect()
        await plain.auth(raw.twin.enterprise_key)
        assert (await plain.subscribe(ORDERS))["type"] == "error"
        assert (await plain.subscribe(OPEN_ORDERS))["type"] == "success"
        refused = await raw.connect()
        assert (await refused.auth(raw.twin.enterprise_key, enterprise="yes"))["type"] == "error"
        own = await raw.connect()
        await own.auth(raw.key)
        assert (await own.subscribe(ORDERS))["type"] == "error"
        assert (await (await _enterprise(raw)).subscribe(USERS))["type"] == "success"


async def test_own_accounts_and_end_users_do_not_hear_of_each_other() -> None:
    async with sfox() as raw:
        own, enterprise = await raw.stream(OPEN_ORDERS, TRADES, BALANCES), await _enterprise(raw, ORDERS, FILLS, FUNDS)
        raw.twin.user("test1").place("btcusd", Side.BUY, "0.1", "43000")
        await enterprise.data(ORDERS)
        await enterprise.data(FUNDS)
        raw.twin.account().place("btcusd", Side.BUY, "0.2", "43000")
        assert (await own.data(OPEN_ORDERS))[0]["quantity"] == "0.2"
        assert await enterprise.quiet()


@pytest.mark.parametrize("shape", EnterpriseTrades)
async def test_fills_are_wrapped_or_name_their_user_themselves(shape: EnterpriseTrades) -> None:
    async with sfox(enterprise_trades=shape) as raw:
        stream = await _enterprise(raw, FILLS)
        user = raw.twin.user("client_7")
        user.fill(user.place("btcusd", Side.BUY, "0.1", "43000"))
        payload = await stream.data(FILLS)
        if shape is EnterpriseTrades.WRAPPED:
            assert payload["user_id"] == "client_7"
            assert "user_id" not in payload["updates"][0]
        else:
            assert [row["user_id"] for row in payload] == ["client_7"]


async def test_enterprise_balances_are_always_of_all_currencies() -> None:
    async with sfox(balances_shown="changed", payload_shape=PayloadShape.TEXT) as raw:
        stream = await _enterprise(raw, FUNDS)
        raw.twin.user("test1").place("btcusd", Side.BUY, "0.1", "43000")
        payload = json.loads(await stream.data(FUNDS))
        assert payload["user_id"] == "test1"
        assert [row["currency"] for row in payload["updates"]] == ["usd", "btc", "eth", "usdc"]


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        (InitialList.ALWAYS, [("test1", 0), ("test2", 2), ("test3", 0)]),
        (InitialList.IF_ANY, [("test2", 2)]),
        (InitialList.NEVER, []),
    ],
)
async def test_initial_lists_come_one_message_a_user(wanted: InitialList, heard: list[tuple[str, int]]) -> None:
    async with sfox(initial_user_orders=wanted) as raw:
        for price in ("43000", "43001"):
            raw.twin.user("test2").place("btcusd", Side.BUY, "0.1", price)
        stream = await _enterprise(raw, ORDERS)
        payloads = [await stream.data(ORDERS) for _ in heard]
        assert [(payload["user_id"], len(payload["updates"])) for payload in payloads] == heard
        assert await stream.quiet()


async def test_rest_in_the_users_name_is_heard_on_the_enterprise_feed() -> None:
    async with sfox(enterprise=True) as raw:
        stream = await _enterprise(raw)
        order = await raw.order(key=raw.twin.user("test1").token(), client_order_id="x")
        assert (await stream.data(ORDERS))["updates"][0]["id"] == order["id"]
        assert raw.sim.ledger.order("x").account == raw.sim.ledger.main_account == "test1"


async def test_a_thousand_users_on_one_socket() -> None:
    async with sfox() as raw:
        stream = await _enterprise(raw)
        users = [raw.twin.user(f"client_{number}") for number in range(1000)]
        began = time.monotonic()
        orders = {user.account: user.place("btcusd", Side.BUY, "0.01", "43000") for user in users}
        for user in reversed(users):
            user.fill(orders[user.account], "0.004")
        seen: dict[str, Decimal] = {}
        fills: dict[str, int] = {}
        while len(fills) < len(users):
            message = await stream.receive()
            payload = message["payload"]
            (row,) = payload["updates"]
            if message["recipient"] == ORDERS:
                seen[payload["user_id"]] = Decimal(row["filled"])
            else:
                fills[payload["user_id"]] = row["order_id"]
        assert set(seen.values()) == {Decimal("0.004")}
        assert fills == {name: int(order.venue_order_id) for name, order in orders.items()}
        numbers = [message["sequence"] for message in stream.log]
        assert numbers == list(range(1, len(numbers) + 1))
        assert time.monotonic() - began < 15
