"""The REST queries of the simulated Roxom: units, times, spellings, pages (protocol 3, 4.4-4.9)."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import Fault, Side
from tests.support.roxom_raw import GOLD, RawRoxom, roxom

D = Decimal
LIST = "/orders?instType=perpetual"
LOG = "/accounts/transaction-log"
G3_ORDER = {
    *("accountId", "amountFilled", "createdAt", "id", "instType", "px", "qty", "side", "size"),
    *("status", "symbol", "timeInForce", "type", "unit"),
}
G1_ORDER = {
    *("id", "symbol", "instType", "accountId", "timeInForce", "side", "triggerPx", "status"),
    *("clientOrderId", "createdAt", "cancelAt", "isTriggered", "size", "unit"),
}
G1_POSITION = {
    *("positionId", "instrument", "symbol", "isBuy", "entryAmount", "exitAmount", "size", "avgEntry", "avgExit"),
    *("openDate", "closeDate", "unrealizedPnl", "markPrice", "liquidationPrice", "createdAt", "updatedAt"),
}
G3_POSITION = {
    *("accountId", "adlRank", "avgEntry", "createdAt", "entryAmount", "entryFees", "exitAmount", "id"),
    *("initialMargin", "instrumentId", "leverage", "liquidationPrice", "maintenanceMarginRatio", "margin"),
    *("openDate", "side", "size", "status", "unit", "updatedAt"),
}
G2_ROW = {
    *("txId", "time", "transactionType", "symbol", "side", "amount", "totalValue", "fillPrice", "fee", "pnl"),
    *("orderId", "tradeId", "transactionTrigger", "createdAt", "isTaker", "positionBefore", "positionAfter"),
    *("balanceBefore", "balanceAfter", "price", "fundingRate"),
}
TRIGGER = {
    *("baseAmount", "createdAt", "fee", "feeAmount", "id", "instrumentId", "isTaker", "orderId", "quoteAmount"),
    *("side", "tradeId"),
}


async def a_partial_order(raw: RawRoxom, **more: Any) -> str:
    order_id = await raw.order("sell", "1.00", "0.0490", **more)
    raw.sim.market.trade(GOLD, "0.0490", "0.25", Side.BUY)
    return order_id


async def test_the_current_form_of_orders() -> None:
    async with roxom() as raw:
        order_id = await a_partial_order(raw)
        [row] = (await raw.get(LIST))["orders"]
        assert set(row) == G3_ORDER
        assert row == await raw.one(order_id)
        assert (row["qty"], row["size"], row["amountFilled"]) == ("1.00", "0.75", "0.25")
        assert (row["px"], row["type"], row["status"]) == ("0.04900000", "limit", "partiallyfilled")
        assert abs(row["createdAt"] - time.time() * 1000) < 10_000
        default = (await raw.get(f"/orders/{order_id}"))["order"]
        assert (default["px"], default["unit"]) == ("4900000", "sats")  # the single order's default
        market = await raw.one(await raw.order("buy", "0.10"))
        assert (market["px"], market["timeInForce"], market["status"]) == (None, "ioc", "filled")


async def test_the_older_form_spells_the_list_otherwise_and_has_nanoseconds_there() -> None:
    async with roxom(rest_form="g1") as raw:
        order_id = await a_partial_order(raw, clientOrderId="mine-1")
        [row] = (await raw.get(LIST))["orders"]
        one = await raw.one(order_id)
        assert set(row) == G1_ORDER | {"orderType", "quantity", "price"}
        assert set(one) == G1_ORDER | {"type", "qty", "px"}
        assert (row["quantity"], row["size"], row["price"], row["unit"]) == ("1.00", "0.75", "0.04900000", "BTC")
        assert row["createdAt"] // 10**6 == one["createdAt"]
        assert row["clientOrderId"] == "mine-1"


@pytest.mark.parametrize(("rest_time", "digits"), [("ms", 13), ("ns", 19)])
async def test_times_can_be_either_unit_everywhere(rest_time: str, digits: int) -> None:
    async with roxom(rest_time=rest_time) as raw:
        order_id = await a_partial_order(raw)
        assert len(str((await raw.one(order_id))["createdAt"])) == digits
        assert len(str((await raw.get(LOG))["logs"][0]["time"])) == digits
        assert len(str((await raw.get("/accounts/balance"))["lastUpdated"])) == digits


async def test_closed_orders_are_listed_on_request_and_not_for_ever() -> None:
    async with roxom(closed_kept=1) as raw:
        first = await raw.order("buy", "0.10")
        second = await raw.order("buy", "0.20")
        third = await raw.order("buy", "1.00", "0.0480")
        oil = await raw.order("buy", "1.00", "0.0060", symbol="OIL-BTC")
        assert [row["id"] for row in (await raw.get(LIST))["orders"]] == [third, oil]
        rows = (await raw.get(f"{LIST}&includeClosed=true&symbol={GOLD}"))["orders"]
        assert [row["id"] for row in rows] == [second, third]
        assert (await raw.one(first))["status"] == "filled"


async def test_what_is_pending_or_waits_can_be_missing_in_the_list() -> None:
    async with roxom() as raw:
        waiting = await raw.order("sell", "1.00", orderType="stop", triggerPx="0.047")
        raw.twin.options.match_delay_secs = 0.5
        pending = await raw.order("buy", "1.00", "0.0480")
        assert [row["id"] for row in (await raw.get(LIST))["orders"]] == [waiting, pending]
        raw.twin.options.list_hides_pending = True
        assert [row["id"] for row in (await raw.get(LIST))["orders"]] == [waiting]
        raw.twin.options.list_hides_waiting = True
        assert (await raw.get(LIST))["orders"] == []


async def test_a_stale_list_shows_the_past() -> None:
    async with roxom() as raw:
        order_id = await a_partial_order(raw)
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="GET /orders", lag=1)
        [row] = (await raw.get(LIST))["orders"]
        assert (row["status"], row["amountFilled"]) == ("submitted", "0.00")
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="GET /v1/orders", lag=3)
        assert (await raw.get(LIST))["orders"] == []
        assert (await raw.one(order_id))["amountFilled"] == "0.25"


async def test_balances_have_their_own_default_unit_and_two_forms() -> None:
    async with roxom() as raw:
        await raw.order("buy", "1.00", "0.0480")
        [row] = (await raw.get("/accounts/balance?unit=btc"))["balances"]
        assert row == {
            "asset": "BTC",
            "assetClass": "crypto",
            "available": "9.99520000",
            "current": "10.00000000",
            "lockedInOrders": "0.00480000",
        }
        [row] = (await raw.get("/accounts/balance"))["balances"]
        assert (row["current"], row["available"]) == ("1000000000", "999520000")
    async with roxom(rest_form="g1") as raw:
        assert await raw.get("/accounts/balance?unit=BTC") == {
            "available": "10.00000000",
            "balance": "10.00000000",
            "currency": "BTC",
        }


async def test_positions_per_symbol_in_either_form() -> None:
    async with roxom() as raw:
        assert await raw.get(f"/positions?instType=perpetual&symbol={GOLD}") == {"positions": []}
        await raw.order("sell", "0.30", "0.0480")
        ledger = raw.sim.ledger.position(GOLD)
        [row] = (await raw.get(f"/positions?instType=perpetual&symbol={GOLD}&unit=btc"))["positions"]
        assert set(row) == G3_POSITION
        assert (row["side"], row["size"], row["status"]) == ("short", "0.30", "normal")
        assert D(row["avgEntry"]) == ledger.average_price
        assert D(row["liquidationPrice"]) > ledger.average_price
        raw.twin.options.split_positions = True
        rows = (await raw.get(f"/positions?instType=perpetual&symbol={GOLD}"))["positions"]
        assert [row["size"] for row in rows] == ["0.15", "0.15"]
        assert D(rows[0]["avgEntry"]) == ledger.average_price * 10**8
        assert (await raw.call("GET", "/positions?instType=perpetual"))[0] == 400
        await raw.order("buy", "0.30")
        assert await raw.get(f"/positions?instType=perpetual&symbol={GOLD}") == {"positions": []}
        raw.twin.options.closed_positions_shown = True
        [row] = (await raw.get(f"/positions?instType=perpetual&symbol={GOLD}"))["positions"]
        assert (row["size"], row["entryAmount"], row["exitAmount"]) == ("0.00", "0.30", "0.30")
        assert row["closeDate"] >= row["openDate"]
    async with roxom(rest_form="g1") as raw:
        await raw.order("buy", "0.30", "0.0490")
        [row] = await raw.get(f"/positions?instType=perpetual&symbol={GOLD}")
        assert set(row) == G1_POSITION
        assert (row["isBuy"], row["size"]) == (True, 30)


async def test_the_log_has_a_row_for_each_fill_with_the_venues_own_numbers() -> None:
    async with roxom() as raw:
        order_id = await raw.order("buy", "8.00")
        fills = raw.sim.ledger.fills(order_id)
        rows = (await raw.get(f"{LOG}?unit=btc"))["logs"]
        assert [row["transactionType"] for row in rows] == ["orderFill"] * len(fills) + ["deposit"]
        assert set(rows[-1]) == G2_ROW - {
            *("fillPrice", "fundingRate", "isTaker", "orderId", "positionBefore", "positionAfter"),
            *("price", "tradeId", "transactionTrigger"),
        }
        for row, fill in zip(rows, reversed(fills), strict=False):
            assert set(row) == G2_ROW - {"fundingRate"}
            assert (row["orderId"], row["isTaker"], row["side"]) == (order_id, True, "buy")
            assert D(row["amount"]) == fill.size == D(row["positionAfter"]) - D(row["positionBefore"])
            assert D(row["price"]) == D(row["fillPrice"]) == fill.price
            assert D(row["fee"]) == fill.fee
            assert D(row["balanceAfter"]) == D(row["balanceBefore"]) - fill.fee
            trigger = row["transactionTrigger"]["OrderFill"]
            assert set(trigger) == TRIGGER
            assert (trigger["fee"], trigger["feeAmount"]) == ("0.00096", row["fee"])
        assert len({row["tradeId"] for row in rows[:-1]}) == len(fills)
        assert D(rows[0]["balanceAfter"]) == raw.sim.ledger.balance("BTC")


async def test_the_older_log_is_flat_and_in_satoshis_by_default() -> None:
    async with roxom(rest_form="g1", log_newest_first=False) as raw:
        await raw.order("sell", "1.00", "0.0480")
        rows = (await raw.get(LOG))["logs"]
        assert {frozenset(row) for row in rows} == {frozenset(G2_ROW)}
        assert (rows[0]["transactionType"], rows[0]["balanceAfter"]) == ("Deposit", "1000000000")
        fill = raw.sim.ledger.fills()[0]
        assert rows[1]["transactionType"] == "OrderFill"
        assert D(rows[1]["fillPrice"]) == fill.price * 10**8
        assert D(rows[1]["fee"]) == fill.fee * 10**8
        assert rows[1]["transactionTrigger"] is None


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("more_at_the_end", [True, False])
async def test_pages_follow_each_other_while_rows_are_added(newest_first: bool, more_at_the_end: bool) -> None:
    async with roxom(log_newest_first=newest_first, cursor_after_last=more_at_the_end) as raw:
        for _ in range(5):
            raw.twin.deposit("0.1")
        seen: list[str] = []
        path = f"{LOG}?limit=2"
        pages = 0
        while True:
            page = await raw.get(path)
            seen += [row["txId"] for row in page["logs"]]
            pages += 1
            if page["cursor"] is None:
                break
            path = f"{LOG}?limit=2&cursor={page['cursor']}"
            if newest_first:
                raw.twin.deposit("0.1")  # lands before the pages that are still to come
        assert len(seen) == len(set(seen)) == 6
        assert pages == (4 if more_at_the_end else 3)
        assert (await raw.call("GET", f"{LOG}?cursor=nonsense"))[0] == 400
        assert (await raw.call("GET", f"{LOG}?limit=1001"))[0] == 400


async def test_the_log_can_be_cut_by_time() -> None:
    async with roxom() as raw:
        now_ms = time.time_ns() // 10**6
        raw.sim.clock.advance(60)
        raw.twin.deposit("1")
        [row] = (await raw.get(f"{LOG}?from={now_ms + 30_000}&to={now_ms + 90_000}&unit=btc"))["logs"]
        assert row["amount"] == "1.00000000"
        [row] = (await raw.get(f"{LOG}?to={now_ms + 30_000}&unit=btc"))["logs"]
        assert row["amount"] == "10.00000000"


async def test_funding_is_a_row_of_its_own() -> None:
    async with roxom() as raw:
        await raw.order("buy", "1.00", "0.0490")
        raw.twin.pay_funding(GOLD, "0.0001")
        row = (await raw.get(f"{LOG}?unit=btc"))["logs"][0]
        assert (row["transactionType"], row["symbol"], row["fundingRate"]) == ("fundingFee", GOLD, "0.0001")
        assert D(row["balanceAfter"]) == raw.sim.ledger.balance("BTC")
        assert D(row["amount"]) < 0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"reduceOnly": True}, "unknown field 'reduceOnly'"),
        ({"instType": "spot"}, "instType"),
        ({"side": "BUY"}, "side"),
        ({"orderType": "iceberg"}, "orderType"),
        ({"timeInForce": "fok"}, "timeInForce"),
        ({"qty": 1}, "qty must be a decimal string"),
        ({"qty": "1.005"}, "step size"),
        ({"qty": "0"}, "positive"),
        ({"qty": "0.001"}, "step size"),
        ({"px": "0.0480005"}, "tick size"),
        ({"px": None}, "px is required"),
        ({"orderType": "market"}, "px is not allowed"),
        ({"triggerPx": "0.05"}, "triggerPx is not allowed"),
        ({"orderType": "stoplimit"}, "triggerPx is required"),
        ({"timeInForce": "gtd"}, "cancelAt is required"),
        ({"timeInForce": "gtd", "cancelAt": 1_500_000_000_000}, "not in the future"),
        ({"timeInForce": "gtd", "cancelAt": 1_900_000_000}, "milliseconds"),
        ({"cancelAt": 1_900_000_000_000}, "cancelAt is not allowed"),
        ({"unit": "usd"}, "unit"),
        ({"postOnly": "true"}, "postOnly must be a boolean"),
        ({"px": "0.0535"}, "Price outside allowed range"),
        ({"px": "0.0010"}, "Price outside allowed range"),
        ({"qty": "60.00"}, "Order value outside allowed range"),
        ({"symbol": "SILVER-BTC"}, "does not exist"),
    ],
)
async def test_what_the_pages_do_not_describe_is_refused(change: dict[str, Any], text: str) -> None:
    async with roxom() as raw:
        body = {**raw.body("buy", "1.00", "0.0480"), **change}
        status, said = await raw.call("POST", "/orders", body)
        assert status == (404 if "exist" in text else 400)
        assert text in str(said)
        assert raw.sim.ledger.orders() == []


async def test_prices_can_be_sent_in_satoshis_and_client_ids_depend_on_the_option() -> None:
    async with roxom() as raw:
        order_id = await raw.order("buy", "1.00", "4800000", unit="sats", clientOrderId="mine")
        assert raw.sim.ledger.order(order_id).price == D("0.048")
        assert (await raw.one(order_id))["clientOrderId"] == "mine"
        rule = type(raw.twin.options.client_order_id)
        raw.twin.options.client_order_id = rule.IGNORE
        other = await raw.order("buy", "1.00", "0.0480", unit="BTC", clientOrderId="mine")
        assert "clientOrderId" not in await raw.one(other)
        raw.twin.options.client_order_id = rule.REFUSE
        assert (await raw.refused("buy", "1.00", "0.0480", clientOrderId="mine"))[0] == 400
        raw.twin.refuse_next_order("Market is busy")
        assert "Market is busy" in (await raw.refused("buy", "1.00", "0.0480"))[1]
        raw.twin.options.inactive_products = (GOLD,)
        assert "Market not available" in (await raw.refused("buy", "1.00", "0.0480"))[1]


async def test_leverage_caps_and_market_queries() -> None:
    async with roxom() as raw:
        path = f"/accounts/leverage/{GOLD}"
        assert await raw.get(path) == {"leverage": "10.0"}
        answer = await raw.call("POST", path, {"leverage": "5.0"})
        assert answer == (200, {"data": {"success": True, "leverage": 5, "symbol": GOLD}})
        assert await raw.get(path) == {"leverage": "5.0"}
        status, refused = await raw.call("POST", path, {"leverage": "50"})
        assert (status, refused["code"]) == (400, "VALIDATION_ERROR")
        assert (await raw.call("GET", "/accounts/leverage/INVALID"))[1]["code"] == "NOT_FOUND"
        await raw.order("buy", "1.00", "0.0480")
        [row] = (await raw.get("/accounts/balance?unit=btc"))["balances"]
        assert row["lockedInOrders"] == "0.00960000"
        for kind, value in (("leverage", "10.0000"), ("positionValue", "5.0000"), ("orderValue", "2.5000")):
            assert await raw.get(f"/accounts/cap?symbol={GOLD}&capType={kind}") == {"value": value}
        assert (await raw.call("GET", f"/accounts/cap?symbol={GOLD}&capType=luck"))[0] == 400


async def test_the_public_pages_need_no_key() -> None:
    async with roxom() as raw:
        path = f"/v1/orderbook/snapshot?symbol={GOLD}&instType=perpetual"
        status, body = await raw.raw("GET", f"{path}&levels=2", {})
        bids, asks = raw.sim.market.book(GOLD)
        assert status == 200
        for side, levels in (("buys", bids), ("sells", asks)):
            rows = body["data"][side]
            assert [(D(r["price"]), D(r["size"])) for r in rows] == levels[:2]
        raw.twin.options.public_book = False
        assert (await raw.raw("GET", path, {}))[0] == 401
        rows = (await raw.raw("GET", "/v1/market/instruments", {}))[1]["data"]
        assert (rows[0]["symbol"], rows[0]["tickSize"]) == (GOLD, "0.00000100")
        kinds = type(raw.twin.options.instrument_rows)
        raw.twin.options.instrument_rows = kinds.ILLUSTRATIVE
        rows = (await raw.raw("GET", "/v1/market/instruments?tradeable=true", {}))[1]["data"]
        assert [r["tickSize"] for r in rows] == [1, 1, 1]
        raw.twin.options.instrument_rows = kinds.MISSING
        assert (await raw.raw("GET", "/v1/market/instruments", {}))[0] == 404
        await raw.order("buy", "2.00", "0.0490")
        target = f"/v1/market/open-interest?symbol={GOLD}&instType=perpetual"
        assert (await raw.raw("GET", target, {}))[1]["data"]["openInterest"] == 2


async def test_the_flag_of_successes_may_be_absent_or_wrong() -> None:
    async with roxom(error_flag="true") as raw:
        body = raw.body("buy", "1.00", "0.0480")
        status, answer = await raw.call("POST", "/orders", body)
        assert (status, answer["error"]) == (200, True)
        raw.twin.options.error_flag = type(raw.twin.options.error_flag).ABSENT
        assert set((await raw.call("POST", "/orders", body))[1]) == {"data"}
