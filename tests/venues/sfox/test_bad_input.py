"""Whatever comes over the socket: the feed lives, the frame is counted and kept, the log says what came and was due.

For an own account and for end users, whose frames nobody else may get either.
"""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.sfox import SfoxLiveExecClientFactory
from tests.support.nodes import node_config, running_node
from tests.support.sfox_client import order as order_row
from tests.support.sfox_client import trade as trade_row
from tests.support.sfox_desk import EXEC, SCALED, Desk, agree

Frame = Callable[..., str]

#: What replaces the payload of an orders frame, or changes its row; the order is a live one of ours.
ROWS: dict[str, dict[str, Any]] = {
    "an id that is text": {"id": "x1"},
    "an id that is not ASCII": {"id": "заказ-1"},
    "a client order id that is not ASCII": {"client_order_id": "ordré-1"},
    "a client order id with a control character": {"client_order_id": "a\x00b"},
    "a pair that is not ASCII": {"pair": "btc₿"},
    "wrong type of a number": {"filled": {"value": 1}},
    "wrong type of text": {"status": 7},
    "text for a number": {"filled": "lots"},
    "a number beyond sense": {"filled": "1e400"},
    "a number below sense": {"fees": "1e-400"},
    "a price beyond sense": {"price": "1e400"},
    "not a number": {"filled": "NaN"},
    "infinite": {"quantity": "Infinity"},
    "negative": {"filled": "-0.01"},
}
TRADES: dict[str, dict[str, Any]] = {
    "a trade of nothing": {"quantity": "0"},
    "a trade at no price": {"price": "-1"},
    "a trade id that is text": {"trade_id": "注文"},
    "a trade beyond sense": {"quantity": "1e400"},
    "a trade's fee that is no number": {"fees": "NaN"},
}
#: Whole texts, the same for both kinds of accounts.
TEXTS: dict[str, str] = {
    "malformed JSON": '{"sequence":9,"recipient":"private.user.open-orders","payload":[',
    "nothing": "",
    "no JSON": "heartbeat",
    "a comment in it": '{"recipient":"private.user.open-orders", // comment\n"payload":[]}',
    "an array": "[1,2,3]",
    "a number": "7",
    "deep nesting": "[" * 100_000,
    "neither data nor control": "{}",
    "an unknown feed": '{"recipient":"private.user.weather","payload":[]}',
    "a feed that was not asked for": '{"recipient":"private.user.post-trade-settlement","payload":{}}',
    "a control character in the feed": '{"recipient":"private.user.open-orders\\u0000","payload":[]}',
    "ten megabytes": '{"recipient":"private.user.open-orders","payload":"' + "x" * 10_000_000 + '"}',
}


def without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


@pytest.mark.node
@pytest.mark.timeout(60)
@pytest.mark.parametrize("enterprise", [False, True], ids=["own", "end user"])
async def test_bad_frames_between_good_ones(enterprise: bool):
    async with simulate("sfox", seed=3, market_flow=False, enterprise=enterprise, **SCALED) as sim:
        desk = Desk()
        config = node_config({"SFOX": sim.exec_config(**EXEC)}, inflight_check_interval_ms=0)
        async with running_node(config, exec_factories={"SFOX": SfoxLiveExecClientFactory}, strategies=(desk,)) as run:
            bid = sim.market.best("btcusd")[0] - Decimal("0.37")
            order = desk.limit(OrderSide.BUY, "0.05", bid - 2)
            await run.until(lambda: order.is_open, "the order to rest")
            client, (connection,) = run.exec_client("SFOX"), sim.server.connections
            order_id = int(order.venue_order_id.value)
            mine = {"id": order_id, "client_order_id": order.client_order_id.value, "status": "Started"}

            def frame(feed: str, payload: Any) -> str:
                user = {"user_id": "test1", "updates": payload}
                name = f"private.enterprise.users.{feed}" if enterprise else f"private.user.{feed}"
                return json.dumps({"recipient": name, "payload": user if enterprise else payload})

            good_order, good_trade = order_row(**mine), trade_row(order_id=order_id)
            bad = dict(TEXTS)
            bad |= {what: frame("open-orders", [good_order | changed]) for what, changed in ROWS.items()}
            bad |= {what: frame("trades", [good_trade | changed]) for what, changed in TRADES.items()}
            bad |= {f"an order without {key}": frame("open-orders", [without(good_order, key)]) for key in ("id",)}
            bad |= {
                f"a trade without {key}": frame("trades", [without(good_trade, key)])
                for key in ("trade_id", "order_id", "quantity", "price")
            }
            bad["a payload that is a number"] = frame("open-orders", 7)
            bad["a row that is a number"] = frame("open-orders", [7])
            for number, (what, text) in enumerate(bad.items(), 1):
                connection.send(text)
                await run.until(lambda n=number: client.malformed_frames >= n, f"{what} to be counted", 10.0)
            assert client.malformed_frames == len(bad)

            journal = client._intake.journal
            journal.flush()
            kept = journal._db.execute("SELECT raw, fault FROM frames WHERE fault IS NOT NULL").fetchall()
            assert [raw.decode() for raw, _ in kept] == list(bad.values())
            for _, fault in kept:
                assert fault.startswith("SFOX: received ")
                assert "expected" in fault
            errors = run.log.entries("ERROR")
            assert sum("SFOX: received " in error and "expected" in error for error in errors) >= len(bad)

            # And the order lives: what is wrong has changed nothing, what is right is taken in.
            assert order.status == OrderStatus.ACCEPTED
            sim.market.trade("btcusd", bid - 2, Decimal("0.02"))
            await run.until(lambda: order.status == OrderStatus.PARTIALLY_FILLED, "a fill")
            sim.market.trade("btcusd", bid - 2, Decimal("0.03"))
            await run.until(lambda: order.is_closed, "the rest")
            await agree(sim, run)
            assert client._sessions[0].health.connects == 1
            assert client._sessions[0].state.value == "LIVE"


@pytest.mark.node
@pytest.mark.parametrize("enterprise", [False, True], ids=["own", "end user"])
async def test_a_status_that_no_page_knows_is_asked_for(enterprise: bool):
    async with simulate("sfox", seed=3, market_flow=False, enterprise=enterprise, **SCALED) as sim:
        desk = Desk()
        config = node_config({"SFOX": sim.exec_config(**EXEC)}, inflight_check_interval_ms=0)
        async with running_node(config, exec_factories={"SFOX": SfoxLiveExecClientFactory}, strategies=(desk,)) as run:
            bid, _ = sim.market.best("btcusd")
            order = desk.limit(OrderSide.BUY, "0.05", bid - 2)
            await run.until(lambda: order.is_open, "the order to rest")
            before = len(sim.requests)
            truth = sim.ledger.order(order.venue_order_id.value)
            sim.twin.show_status(truth, "Hibernating")
            asked = f"/v1/orders/{order.venue_order_id}"
            await run.until(lambda: any(asked in r.path for r in sim.requests[before:]), "the order to be asked for")
            await asyncio.sleep(0.1)
            assert order.status == OrderStatus.ACCEPTED
            assert run.exec_client("SFOX")._venue._codec.unknown_statuses == {"Hibernating": 1}
            desk.cancel_order(order)
            await run.until(lambda: order.is_closed, "the cancel")
            await agree(sim, run)
