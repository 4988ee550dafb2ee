"""However the venue tells it: quantity, notional and fees of every order equal its ledger, once and for all.

Trades before the HTTP answer, after Done, never; subsets, repetitions, old news; every shape that the pages leave open.
"""

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.requests import Accepted
from nautilus_orderfeeds.orders.words import OrderSide, OrderStatus, OrderType, TimeInForce
from tests.support.sfox_account import SfoxAccount, account

MARKET = {"type": OrderType.MARKET, "price": None}
BY_AMOUNT = {**MARKET, "quote_quantity": True, "quantity": Decimal("2000")}

#: Everything that the pages leave open about order, shape and completeness of what is told (protocol, 5, 6, 8, 11).
VARIANTS: dict[str, dict[str, Any]] = {
    "as documented": {},
    "trades before the answer": {"create_stream": "before", "create_trades": "before", "cancel_stream": "before"},
    "trades before the orders feed": {"trades_order": "before_orders"},
    "trades and orders together": {"fills_shown": "together"},
    "trades after Done": {"trades_delay_secs": 0.15, "settle_secs": 0.02},
    "trades after Done, done at once": {"trades_delay_secs": 0.15, "settlement": "done_at_once"},
    "never trades": {"trades_on_feed": False},
    "never trades, and late over REST": {"trades_on_feed": False, "rest_trades_delay_secs": 5.0},
    "never Done": {"settlement": "filled_only"},
    "the answer tells all": {"create_answer": "current", "create_stream": "without", "create_trades": "without"},
    "the feed is silent": {"create_stream": "without", "create_trades": "without", "cancel_stream": "without"},
    "everything twice and stale": {"duplicate_orders": True, "duplicate_trades": True, "stale_orders": True},
    "whole orders": {"feed_shape": "rest", "feed_numbers": True, "rest_strings": True},
    "fields of the table": {"feed_shape": "table", "padded_decimals": True},
    "few fields": {"feed_without": ("price", "quantity", "pair", "vwap", "action", "client_order_id", "date_added")},
    "no money on the feed": {"feed_without": ("filled_amount", "vwap", "fees")},
    "text as payload": {"payload_shape": "text", "spelling": "lower", "action_case": "upper"},
    "single objects": {"payload_shape": "object", "spelling": "sentence", "ack_shape": "bare"},
    "old lists": {"orders_2020": True, "pairs_2020": True, "balances_2020": True, "date_added": False},
    "filled ones in no list": {"filled_listed": "neither", "done_includes_canceled": False},
    "filled ones in the open list": {"filled_listed": "open"},
    "cursor to newer": {"cursor_direction": "newer", "trades_on_feed": False},
    "overlapping pages": {"rest_trades_overlap": 5, "trades_on_feed": False},
    "an amount's quantity is zero": {"amount_quantity": "zero"},
    "an amount's quantity is an estimate": {"amount_quantity": "estimate"},
    "fills while canceling": {"fill_while_canceling": Decimal("0.5"), "cancel_delay_secs": 0.1},
    "fills shown after Canceled": {"fill_while_canceling": Decimal("0.5"), "late_fills": True},
    "cancel at once": {"cancel_delay_secs": 0.0, "cancel_answer": "empty"},
    "no Cancel Pending": {"cancel_pending_update": False, "cancel_answer": "with_id"},
    "slow matching": {"match_delay_secs": 0.1},
    "trade ids of one side": {"trade_id_shared": False},
    "partial is Filled": {"partial_is_filled": True},
    "an end user": {"enterprise": True},
    "an end user's trades name him in each row": {
        "enterprise": True,
        "enterprise_trades": "flat",
        "trades_order": "before_orders",
        "payload_shape": "text",
    },
    "refusals as errors": {"finished_cancel_status": 400, "unknown_order_status": 400, "fok_failure": "canceled"},
}


async def whole_life(client: SfoxAccount) -> None:
    """Orders that end in every way, with fills before, between and after."""
    bid, _ = client.best()
    top = client.sim.market.book(client.product)[1]
    sweep = {"quantity": top[0][1] + top[1][1] + Decimal("0.001"), "price": top[2][0]}
    await client.send("swept", **sweep)
    for name in ("grown", "cut", "left", "lapsed"):
        forces: dict[str, Any] = {}
        if name == "lapsed":
            expiry = time.time_ns() + 450_000_000
            forces = {"time_in_force": TimeInForce.GTD, "expire_time_ns": expiry // 10**6 * 10**6}
        outcome = await client.send(name, price=bid - 10, **forces)
        assert isinstance(outcome, Accepted), (name, outcome)
    too_much = sum((size for _, size in top[:5]), Decimal(1))
    await client.send("ioc", price=top[4][0], quantity=too_much, time_in_force=TimeInForce.IOC)
    await client.send("fok", price=bid - 3, time_in_force=TimeInForce.FOK)
    await client.send("bought", **BY_AMOUNT)
    await client.send("sold", side=OrderSide.SELL, quantity=Decimal("0.03"), **MARKET)
    await asyncio.sleep(1.5 * client.sim.twin.options.match_delay_secs)
    for name in ("grown", "cut", "lapsed"):
        client.hit("0.011", name)
    await asyncio.sleep(0.05)
    assert isinstance(await client.amend("grown", price=bid - 9, quantity=Decimal("0.06")), Accepted)
    await asyncio.sleep(0.05)
    await client.look_up_open()
    client.hit("0.04", "grown")
    await client.cancel("cut")
    client.hit("0.009", "grown")
    await asyncio.sleep(0.1)


ENDS = {
    "swept": {OrderStatus.FILLED},
    "grown": {OrderStatus.FILLED},
    "cut": {OrderStatus.CANCELED},
    "left": {OrderStatus.ACCEPTED},
    "lapsed": {OrderStatus.EXPIRED},
    "ioc": {OrderStatus.CANCELED},
    "fok": {OrderStatus.REJECTED, OrderStatus.CANCELED},
    "bought": {OrderStatus.FILLED},
    "sold": {OrderStatus.FILLED},
}


@pytest.mark.parametrize("variant", VARIANTS)
async def test_quantity_notional_and_fees_equal_the_ledger_however_it_is_told(variant: str):
    async with account(balances={"usd": Decimal(10_000_000), "btc": Decimal(10)}, **VARIANTS[variant]) as client:
        await whole_life(client)
        await client.until(
            lambda: not client.sim.ledger.order(client.state("lapsed").venue_order_id or "").state.is_open
        )
        await asyncio.sleep(0.05)
        await client.session.resync_now("what was not told")
        await client.settle()
        client.check()
        for name, ends in ENDS.items():
            assert client.state(name).status in ends, (name, client.names(name))
            names = client.names(name)
            assert names.count("OrderAccepted") <= 1, (name, names)
            assert names.count("FillOrphaned") == 0, (name, names)
        assert client.state("bought").quote_quantity is False
        assert client.state("bought").quantity == client.state("bought").filled_qty
        restated = client.names("bought")
        assert restated.index("OrderUpdated") < restated.index("OrderFilled")
        assert client.state("grown").quantity == Decimal("0.06")
        assert client.session.state is FeedState.LIVE
        # And whatever still comes later changes nothing.
        before = {name: list(events) for name, events in client.events.items()}
        await asyncio.sleep(0.2)
        await client.session.resync_now("once more")
        assert {
            name: [event for event in events if not isinstance(event, ev.FillAbsorbed)]
            for name, events in client.events.items()
        } == {
            name: [event for event in events if not isinstance(event, ev.FillAbsorbed)]
            for name, events in before.items()
        }
        client.check()
