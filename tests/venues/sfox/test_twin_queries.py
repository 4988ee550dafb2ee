"""What the simulated sFOX answers to queries (protocol 7.5, 7.6)."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import Fault, Side
from nautilus_orderfeeds.venues.sfox.twin_words import (
    BookOrder,
    CursorDirection,
    FilledListed,
    Settlement,
    Spelling,
)
from tests.support.sfox_raw import RawSfox, sfox

LIMITLESS: dict[str, Any] = {"rest_limits": False}


async def _many(raw: RawSfox, count: int) -> list[int]:
    """So many small open orders; their ids, oldest first."""
    return [(await raw.order(quantity="0.001", price="42000"))["id"] for _ in range(count)]


# -- orders -------------------------------------------------------------------------------------------------


async def test_open_orders_come_newest_first_fifty_at_a_time() -> None:
    async with sfox(**LIMITLESS) as raw:
        ids = await _many(raw, 61)
        page = [row["id"] for row in await raw.get("/v1/orders")]
        assert page == ids[:10:-1]
        older = [row["id"] for row in await raw.get(f"/v1/orders?before={page[-1]}")]
        assert older == ids[10::-1]
        assert await raw.get(f"/v1/orders?before={older[-1]}") == []
        newer = [row["id"] for row in await raw.get(f"/v1/orders?after={ids[3]}&limit=5")]
        assert newer == ids[8:3:-1]
        assert len(await raw.get("/v1/orders?limit=500")) == 50
        status, body = await raw.call("GET", f"/v1/orders?before={ids[5]}&after={ids[3]}")
        assert (status, body) == (400, {"error": "before and after are mutually excusive parameters"})
        assert (await raw.call("GET", "/v1/orders?before=x"))[0] == 400


async def test_lists_can_be_filtered() -> None:
    async with sfox(**LIMITLESS, spelling=Spelling.LOWER) as raw:
        buy = await raw.order(algorithm_id=200)
        sell = await raw.order("sell", price="44000", quantity="0.1")
        other = await raw.order(currency_pair="ethusd", price="2000")
        for query, wanted in (
            ("action=buy", [other, buy]),
            ("action=Sell", [sell]),
            ("currency_pair=ethusd", [other]),
            ("algorithm_id=200", [buy]),
            ("status=started", [other, sell, buy]),
            ("status=Started", []),
        ):
            assert [row["id"] for row in await raw.get(f"/v1/orders?{query}")] == [row["id"] for row in wanted]
        assert (await raw.call("GET", "/v1/orders?pair=btcusd"))[0] == 400


async def test_done_orders_are_those_that_ended() -> None:
    async with sfox(**LIMITLESS, cancel_delay_secs=0.0, settlement=Settlement.FILLED_ONLY) as raw:
        canceled = await raw.order(quantity="0.1")
        await raw.cancel(canceled)
        filled = await raw.order(price="44000", quantity="0.1")
        still = await raw.order(quantity="0.1")

        async def listed(path: str) -> list[int]:
            return [row["id"] for row in await raw.get(path)]

        assert await listed("/v1/orders") == [still["id"]]
        assert await listed("/v1/orders/done") == [filled["id"], canceled["id"]]
        raw.twin.options.filled_listed = FilledListed.OPEN
        assert await listed("/v1/orders") == [still["id"], filled["id"]]
        assert await listed("/v1/orders/done") == [canceled["id"]]
        raw.twin.options.filled_listed = FilledListed.NEITHER
        raw.twin.options.done_includes_canceled = False
        assert await listed("/v1/orders") == [still["id"]]
        assert await listed("/v1/orders/done") == []


async def test_an_order_is_found_by_both_ids_and_an_unknown_one_is_not() -> None:
    async with sfox() as raw:
        order = await raw.order(client_order_id="mine")
        assert await raw.get("/v1/orders/mine") == await raw.get(f"/v1/orders/{order['id']}") == order
        assert await raw.call("GET", "/v1/orders/never") == (404, {"error": "order not found"})
        raw.twin.options.unknown_order_status = 400
        assert (await raw.call("GET", "/v1/orders/1"))[0] == 400
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="GET /v1/orders/{order_id}")
        assert (await raw.call("GET", "/v1/orders/mine"))[0] == 400  # not known there yet


async def test_older_shapes_of_orders() -> None:
    async with sfox(date_added=False, orders_2020=True, rest_strings=True) as raw:
        order = await raw.order(quantity="0.10")
        assert "date_added" not in order
        assert (order["quantity"], order["price"], order["filled"]) == ("0.1", "43000", "0")
        (row,) = await raw.get("/v1/orders")
        assert set(row) == {"id", "quantity", "price", "o_action", "pair", "type", "vwap", "filled", "status"}


async def test_tiny_numbers_are_written_as_the_venue_does() -> None:
    async with sfox() as raw:
        raw.twin.account().deposit("eth", "0.00000001")
        async with raw.session.get(raw.sim.base_url_http + "/v1/user/balance", headers=raw.bearer()) as response:
            text = await response.text()
        assert "1E-8" in text
        assert {"currency": "eth", "balance": Decimal("1e-8")}.items() <= (await raw.get("/v1/user/balance"))[2].items()


# -- fills --------------------------------------------------------------------------------------------------


async def _fills(raw: RawSfox, count: int) -> dict[str, Any]:
    order = await raw.order(quantity="1")
    account = raw.twin.account()
    for _ in range(count):
        account.fill(str(order["id"]), "0.01")
    return order


async def test_fills_come_newest_first_with_strings_and_cursors() -> None:
    async with sfox() as raw:
        order = await _fills(raw, 3)
        rows = (await raw.get("/v1/account/trades"))["data"]
        assert set(rows[0]) == {
            *("cursor", "trade_id", "order_id", "date_updated", "action", "currency_pair", "quantity", "amount"),
            *("price", "fees", "net_amount"),
        }
        cursors = [int(base64.b64decode(row["cursor"])) for row in rows]
        assert cursors == sorted(cursors, reverse=True)
        assert len(set(cursors)) == len({row["trade_id"] for row in rows}) == 3
        assert {row["order_id"] for row in rows} == {order["id"]}
        row = rows[0]
        assert (row["quantity"], row["price"], row["amount"]) == ("0.01000000", "43000.00000000", "430.00000000")
        assert (row["fees"], row["net_amount"], row["action"]) == ("0.09030000", "429.90970000", "Buy")


async def test_fills_page_in_either_direction_and_may_overlap() -> None:
    async with sfox() as raw:
        await _fills(raw, 7)
        rows = (await raw.get("/v1/account/trades"))["data"]

        async def page(cursor: str) -> list[dict[str, Any]]:
            return (await raw.get(f"/v1/account/trades?page_size=3&last_seen_id={cursor}"))["data"]

        assert (await raw.get("/v1/account/trades?page_size=3"))["data"] == rows[:3]
        assert await page(rows[2]["cursor"]) == rows[3:6]
        assert await page(rows[5]["cursor"]) == rows[6:]
        assert await page(rows[6]["cursor"]) == []
        raw.twin.options.rest_trades_overlap = 1
        assert await page(rows[2]["cursor"]) == rows[2:5]
        raw.twin.options.rest_trades_overlap = 0
        raw.twin.options.cursor_direction = CursorDirection.NEWER
        assert await page(rows[6]["cursor"]) == rows[3:6]
        assert await page(rows[0]["cursor"]) == []
        assert (await raw.call("GET", "/v1/account/trades?last_seen_id=no"))[0] == 400
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="GET /v1/account/trades", lag=2)
        assert (await raw.get("/v1/account/trades"))["data"] == rows[2:]


# -- account ------------------------------------------------------------------------------------------------


async def test_balances_count_open_orders_and_agree_with_the_ledger() -> None:
    async with sfox() as raw:
        await raw.order("sell", price="44000", quantity="2")
        await raw.order("buy", price="40000", quantity="1")
        raw.sim.market.trade("btcusd", "44000", "0.5", Side.BUY)
        rows = {row["currency"]: row for row in await raw.get("/v1/user/balance")}
        for currency in ("usd", "btc"):
            total, locked = raw.sim.ledger.balance(currency), raw.sim.ledger.locked(currency)
            row = rows[currency]
            assert (row["balance"], row["held"], row["available"]) == (total, locked, total - locked)
            assert row["trading_wallet"] == total
        assert rows["btc"]["held"] == Decimal("1.5")
        raw.twin.options.held_shows_orders = False
        assert (await raw.get("/v1/user/balance"))[1]["held"] == 0
        raw.twin.options.balances_2020 = True
        assert {frozenset(row) for row in await raw.get("/v1/user/balance")} == {
            frozenset(("currency", "balance", "available"))
        }


async def test_open_orders_with_their_fees_never_cost_more_than_there_is() -> None:
    async with sfox(balances={"usd": 1000}) as raw:
        await raw.order(price="50", quantity="19.97", routing_type="Smart")
        assert "funds" in (await raw.refused(price="50", quantity="0.1"))[1]
        order = raw.sim.ledger.orders()[0]
        raw.twin.account().fill(order, price="50")
        assert raw.sim.ledger.balance("usd") >= 0


async def test_fee_rates_and_what_fills_cost() -> None:
    async with sfox() as raw:
        rates = await raw.get("/v1/account/fee-rates")
        assert rates == {
            "volume": Decimal("2302868.809741"),
            "makerRate": Decimal("0.00021"),
            "nprRate": Decimal("0.00035"),
            "nprOffRate": Decimal("0.00105"),
        }
        for routing, rate in (("NetPrice", "nprRate"), ("Smart", "nprOffRate")):
            taker = await raw.order("sell", price="43000", quantity="0.1", routing_type=routing)
            done = await raw.get(f"/v1/orders/{taker['id']}")
            assert abs(done["fees"] - done["filled_amount"] * rates[rate]) <= Decimal("0.000000005")


async def test_transactions_are_the_ledger_of_each_currency() -> None:
    async with sfox(**LIMITLESS) as raw:
        await _fills(raw, 2)
        rows = await raw.get("/v1/account/transactions")
        assert [row["action"] for row in rows] == ["Buy"] * 4 + ["Deposit"] * 2
        latest = {row["currency"]: row["account_balance"] for row in reversed(rows)}
        assert latest == {"usd": raw.sim.ledger.balance("usd"), "btc": raw.sim.ledger.balance("btc")}
        assert sum(row["amount"] for row in rows if row["currency"] == "usd") == latest["usd"]
        assert len(await raw.get("/v1/account/transactions?types=deposit")) == 2
        assert [row["id"] for row in await raw.get("/v1/account/transactions?limit=2&offset=1")] == [5, 4]
        assert [row["id"] for row in await raw.get("/v1/account/transactions?after=4")] == [6, 5]
        assert await raw.get("/v1/account/transactions?to=1000") == []


async def test_post_trade_settlement_is_disabled() -> None:
    async with sfox() as raw:
        for path in ("", "/positions", "/interest", "/interest/history", "/risk-modes"):
            answer = await raw.call("GET", f"/v1/post-trade-settlement{path}")
            assert answer == (403, {"error": "post trade settlement disabled"})


# -- market -------------------------------------------------------------------------------------------------


async def test_pairs_and_currencies() -> None:
    async with sfox() as raw:
        pairs = await raw.get("/v1/markets/currency-pairs")
        assert pairs["ethbtc"] == {"formatted_symbol": "ETH/BTC", "symbol": "ethbtc", "base": "eth", "quote": "btc"}
        assert set(pairs) == {"btcusd", "ethusd", "ethbtc", "usdcusd"}
        currencies = {row["symbol"]: row for row in await raw.get("/v1/currency")}
        assert {pair["base"] for pair in pairs.values()} | {pair["quote"] for pair in pairs.values()} <= set(currencies)
        assert (currencies["usd"]["is_fiat"], currencies["btc"]["is_fiat"], currencies["usd"]["precision"]) == (1, 0, 8)
        raw.twin.options.pairs_2020 = True
        assert set((await raw.get("/v1/markets/currency-pairs"))["btcusd"]) == {"formatted_symbol", "symbol"}


async def test_books_by_rest() -> None:
    async with sfox(book_order=BookOrder.WORST_FIRST, book_details=True) as raw:
        book = await raw.get("/v1/markets/orderbook/btcusd")
        bids, asks = raw.sim.market.book("btcusd")
        assert (book["bids"][-1][0], book["asks"][-1][0]) == (bids[0][0], asks[0][0])
        assert sum(row[1] for row in book["bids"]) == sum(size for _, size in bids)
        assert len({row[0] for row in book["bids"]}) < len(book["bids"])  # one row a venue
        assert set(book) >= {"currency", "timestamps", "market_making", "lastupdated", "lastpublished", "pair"}
        net = await raw.get("/v1/markets/orderbook/btcusd?routing_type=NetPrice")
        assert net["asks"][-1][0] > book["asks"][-1][0]
        assert net["bids"][-1][0] < book["bids"][-1][0]
        assert (await raw.call("GET", "/v1/markets/orderbook/nousd"))[0] == 404


async def test_an_estimate_sweeps_the_book() -> None:
    async with sfox() as raw:
        offer = await raw.get("/v1/offer/buy?pair=btcusd&quantity=5&routing_type=NetPrice")
        assert offer["vwap"] * 5 == pytest.approx(offer["subtotal"], abs=Decimal("1e-6"))
        assert offer["price"] > offer["vwap"] > raw.sim.market.best("btcusd")[1]
        assert offer["total"] == offer["subtotal"] + offer["fees"]
        spend = await raw.get("/v1/offer/buy?pair=btcusd&maxspend=1000")
        assert spend["subtotal"] <= 1000
        assert (await raw.call("GET", "/v1/offer/buy?pair=btcusd"))[0] == 422
        assert (await raw.call("GET", "/v1/offer/sell?pair=btcusd&quantity=100000"))[0] == 422


async def test_candles_hold_what_was_traded() -> None:
    async with sfox() as raw:
        for price in ("43100", "43400", "43050", "43200"):
            raw.sim.market.trade("btcusd", price, "0.5", Side.BUY)
        now = raw.sim.clock.now_ns() // 10**9
        query = f"/candlesticks?pair=btcusd&startTime={now - 3600}&endTime={now + 60}&period=86400"
        candles = await raw.get(query)
        assert sum(candle["volume"] for candle in candles) == Decimal(2)
        assert (candles[0]["open_price"], candles[-1]["close_price"]) == (43_100, 43_200)
        assert max(candle["high_price"] for candle in candles) == 43_400
        assert min(candle["low_price"] for candle in candles) == 43_050
        assert candles[0]["start_time"] % 86_400 == 0
        assert (await raw.call("GET", query.replace("86400", "61")))[0] == 400
        assert (await raw.call("GET", "/candlesticks?pair=btcusd&startTime=0&endTime=9999999&period=60"))[0] == 400
