"""Queries, account state and settings of the simulated BSX, over real sockets (protocol 4.7-4.11)."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from nautilus_orderfeeds.sim import Fault, Side
from tests.support.bsx_raw import bsx

PORTFOLIO = {"account", "summary", "positions", "stats", "maker_fee", "taker_fee"}
SUMMARY = {
    *("collateral_mode", "collateral_margin_balance", "cross_margin_balance", "free_collateral"),
    *("total_account_value", "total_collateral_value", "total_notional", "usdc_balance", "unsettled_usdc"),
    *("realized_pnl", "total_unrealized_pnl", "total_initial_margin", "total_maintenance_margin"),
    *("margin_usage", "margin_health", "account_leverage", "in_liquidation", "token_balances"),
    *("has_pending_withdrawal", "has_pending_swap", "total_isolated_order_reserve"),
}
POSITION = {
    *("product_index", "product_id", "margin_mode", "net_size", "avg_entry_price", "unrealized_pnl"),
    *("mark_price", "index_price", "liquidation_price", "leverage", "margin_balance"),
    *("initial_margin_requirement", "maintenance_margin_requirement", "unsettled_funding", "funding_index"),
    *("quote_balance", "isolated_usdc_balance", "free_isolated_usdc_balance", "in_isolated_liquidation"),
    "stop_position",
}


# -- queries ------------------------------------------------------------------------------------------------


async def test_open_orders_with_and_without_stops() -> None:
    async with bsx() as raw:
        first, second = [await raw.order("BUY", price, "0.1") for price in ("64000", "64001")]
        third = await raw.order("BUY", "3000", "0.1", index=2)
        stop = raw.sim.place_external(
            "BTC-PERP", side=Side.BUY, size="1", price="70000", stop_price="69000", without_position=True
        )
        ids = [order["id"] for order in await raw.get("/orders")]
        assert ids == [first["id"], second["id"], third["id"], stop.venue_order_id]
        assert [o["id"] for o in await raw.get("/orders?product_id=ETH-PERP")] == [third["id"]]
        raw.sim.twin.options.open_orders_include_stops = False
        assert stop.venue_order_id not in [order["id"] for order in await raw.get("/orders")]


async def test_history_filters_sorts_and_pages_back_by_end_time() -> None:
    async with bsx(max_limit=3) as raw:
        orders = [await raw.order("BUY", "64000", "0.1", client_order_id=f"c{n}") for n in range(8)]
        await raw.call("DELETE", f"/order?order_id={orders[5]['id']}")
        seen: list[str] = []
        end = str(2**62)
        for _ in range(10):
            page = await raw.get(f"/order-history?limit=100&end_time={end}")
            seen += [order["id"] for order in page if order["id"] not in seen]
            if len(page) < 3:
                break
            end = str(int(page[-1]["created_at_ts"]) - 1)
        assert seen == [order["id"] for order in reversed(orders)]
        done = await raw.get("/order-history?statuses=DONE")
        assert [order["id"] for order in done] == [orders[5]["id"]]
        query = urlencode([("client_order_ids", "C2"), ("client_order_ids", "c5"), ("sorting", "ASC")])
        assert [o["client_order_id"] for o in await raw.get(f"/order-history?{query}")] == ["c2", "c5"]
        latest = await raw.get("/order-history?sorted_by=UPDATED_AT&sorting=DESC&limit=1")
        assert latest[0]["id"] == orders[5]["id"]
        assert await raw.get("/order-history?product_id=SOL-PERP") == []
        for query in ("limit=x", "product_id=X", "page=1"):
            assert (await raw.call("GET", f"/order-history?{query}"))[0] == 400


async def test_trade_history_pages_newest_first() -> None:
    async with bsx() as raw:
        await raw.order("BUY", "64000", "0.5")
        for _ in range(5):
            raw.sim.market.trade("BTC-PERP", "64000", "0.01")
        await raw.order("BUY", "3100", "0.1", index=2)
        body = await raw.get("/trade-history?product_id=BTC-PERP&limit=2&page=2")
        assert (body["page"], body["total"], body["product_id"]) == (2, 5, "BTC-PERP")
        assert body["wallet_address"] == raw.credentials["wallet_address"]
        fills = raw.sim.ledger.fills(product="BTC-PERP")
        assert [t["id"] for t in body["trades"]] == [f"0x{fills[2].trade_id}", f"0x{fills[1].trade_id}"]
        assert set(body["trades"][0]) == {
            *("id", "price", "size", "time", "liquidity_indicator"),
            *("funding_payment", "trading_fee", "sequencer_fee"),
        }
        assert (await raw.get("/trade-history"))["total"] == 6
        since = fills[3].time_ns
        assert (await raw.get(f"/trade-history?product_id=BTC-PERP&start_time={since}"))["total"] == 2


async def test_the_portfolio_is_the_ledger() -> None:
    async with bsx() as raw:
        await raw.order("BUY", "65000", "0.2")
        await raw.order("BUY", "64000", "0.1")
        await raw.order("SELL", "3000", "1", index=2)
        raw.sim.twin.pay_funding("BTC-PERP", "0.0001")
        raw.sim.market.set_mark("BTC-PERP", "64000")
        body = await raw.get("/portfolio/detail")
        summary, positions = body["summary"], {p["product_id"]: p for p in body["positions"]}
        assert (set(body), set(summary)) == (PORTFOLIO, SUMMARY)
        assert set(positions["BTC-PERP"]) == POSITION
        ledger = raw.sim.ledger
        assert body["account"] == ledger.main_account
        assert Decimal(summary["usdc_balance"]) == ledger.balance("USDC")
        assert ledger.balance("USDC") < 100_000
        long = ledger.position("BTC-PERP")
        assert (positions["BTC-PERP"]["net_size"], positions["ETH-PERP"]["net_size"]) == ("0.2", "-1")
        assert abs(Decimal(positions["BTC-PERP"]["avg_entry_price"]) - long.average_price) < Decimal("1e-15")
        assert Decimal(positions["BTC-PERP"]["unrealized_pnl"]) == long.unrealized(Decimal(64000))
        equity = Decimal(summary["total_account_value"])
        assert equity == Decimal(summary["usdc_balance"]) + Decimal(summary["total_unrealized_pnl"])
        assert Decimal(summary["free_collateral"]) == equity - Decimal(summary["total_initial_margin"])
        eth = raw.sim.market.mark("ETH-PERP")
        assert Decimal(summary["total_initial_margin"]) == (Decimal(12_800) + 6_400 + eth) / 20
        assert body["stats"]["order_stats"] == {
            "total_orders": "3",
            "total_done_orders": "2",
            "total_open_orders": "1",
            "total_pending_orders": "0",
        }


async def test_settings_and_the_faucet() -> None:
    async with bsx() as raw:
        ok = (200, {"success": True})
        assert await raw.call("POST", "/collateral-mode", {"collateral_mode": "MULTI_COLLATERAL"}) == ok
        assert await raw.call("POST", "/margin-mode", {"product_id": "BTC-PERP", "margin_mode": "ISOLATED"}) == ok
        assert await raw.call("POST", "/leverage", {"product_id": "BTC-PERP", "leverage": 10}) == ok
        assert await raw.call("POST", "/isolated-margin", {"product_id": "BTC-PERP", "amount": "10"}) == ok
        assert (await raw.order("BUY", "64000", "0.1"))["initial_margin"] == "640"
        await raw.order("BUY", "65000", "0.1")
        body = await raw.get("/portfolio/detail")
        assert body["summary"]["collateral_mode"] == "MULTI_COLLATERAL"
        [position] = body["positions"]
        assert (position["margin_mode"], position["leverage"]) == ("ISOLATED", "10")
        assert position["isolated_usdc_balance"] == "10"
        for path, wrong in [
            ("/collateral-mode", {"collateral_mode": "ALL"}),
            ("/margin-mode", {"product_id": "X", "margin_mode": "CROSS"}),
            ("/leverage", {"product_id": "BTC-PERP", "leverage": 21}),
            ("/isolated-margin", {"product_id": "BTC-PERP", "amount": "much"}),
        ]:
            assert (await raw.call("POST", path, wrong))[0] == 400
        before = raw.sim.ledger.balance("USDC")
        assert (await raw.call("POST", "/deposit-test-token", {}))[0] == 200
        assert raw.sim.ledger.balance("USDC") == before + 10_000
        assert (await raw.call("POST", "/deposit-test-token", {}))[0] == 429


async def test_funding_history_pages() -> None:
    async with bsx() as raw:
        raw.sim.market.set_funding("BTC-PERP", "0.0001")
        first = await raw.get("/products/BTC-PERP/funding-rate?limit=5&page=1")
        second = await raw.get("/products/BTC-PERP/funding-rate?limit=5&page=2")
        times = [int(item["time"]) for item in first["items"] + second["items"]]
        assert all(a - b == 3_600 * 10**9 for a, b in itertools.pairwise(times))
        assert first["items"][0]["rate"] == "0.0001"
        assert (first["paging"]["per_page"], first["paging"]["total"]) == (5, second["paging"]["total"])
        bounded = await raw.get(f"/products/BTC-PERP/funding-rate?from={times[2]}&to={times[1]}")
        assert [int(item["time"]) for item in bounded["items"]] == times[1:3]
        assert (await raw.call("GET", "/products/X/funding-rate"))[0] == 400


# -- faults -------------------------------------------------------------------------------------------------


async def test_stale_lists_lack_the_latest_changes_and_the_ledger_does_not() -> None:
    async with bsx() as raw:
        first = await raw.order("BUY", "64000", "0.1")
        raw.sim.market.trade("BTC-PERP", "64000", "0.04")
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="GET /orders", lag=1)
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="GET /order-history", lag=2)
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="GET /trade-history")
        assert [order["filled_size"] for order in await raw.get("/orders")] == ["0"]
        assert [order["status"] for order in await raw.get("/order-history")] == ["PENDING"]
        assert (await raw.get("/trade-history"))["total"] == 0
        assert [order["filled_size"] for order in await raw.get("/orders")] == ["0.04"]
        assert raw.sim.ledger.order(first["id"]).filled == Decimal("0.04")


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER_EFFECT, Fault.ERROR_BEFORE_EFFECT])
async def test_an_error_says_nothing_of_the_order(fault: Fault) -> None:
    async with bsx() as raw:
        stream = await raw.stream()
        await stream.orders()
        raw.sim.faults.once(fault, where="POST /orders", status=502)
        status, body = await raw.call("POST", "/orders", raw.body("BUY", "64000", "0.1"))
        assert status == 502
        assert set(body) == {"code", "message", "details"}
        if fault is Fault.ERROR_AFTER_EFFECT:
            assert await stream.statuses(2) == ["PENDING", "OPEN"]
        else:
            assert await stream.nothing()
            assert raw.sim.ledger.orders() == []


async def test_a_rate_limit_has_code_8() -> None:
    async with bsx() as raw:
        raw.sim.faults.once(Fault.RATE_LIMIT, where="POST /orders", retry_after=1)
        assert (await raw.refused("BUY", "64000", "0.1"))[:2] == (429, 8)


async def test_unknown_paths_have_the_venues_error_body() -> None:
    async with bsx() as raw:
        status, body = await raw.call("GET", "/book")
        assert (status, body["code"]) == (404, 5)


async def test_strange_queries_are_refused_and_never_break_the_twin() -> None:
    async with bsx() as raw:
        for path in (
            "/order-history?limit=0",
            "/trade-history?limit=0&page=0",
            "/products/BTC-PERP/funding-rate?limit=0",
        ):
            assert (await raw.call("GET", path))[0] == 200
        operation: Any
        for operation in (
            {"op_type": "CANCEL_ALL", "cancel_all_orders_request": {"product_id": {}}},
            {"op_type": "CANCEL", "cancel_request": {"order_id": []}},
            {"op_type": "CANCEL_BULK", "cancel_orders_request": {"order_ids": [5]}},
            {"op_type": "CREATE", "create_order_request": None},
            {"op_type": []},
            7,
        ):
            status, answer = await raw.call("POST", "/orders/batch", {"data": [operation]})
            assert status == 200
            assert answer["data"][0]["code"] in (3, 5)
