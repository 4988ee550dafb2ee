"""What the simulated Outpoll answers when asked: lists, pages, delays (protocol 5.6-5.10, 13.7 points 4 and 9)."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds.sim import Fault, Side
from nautilus_orderfeeds.venues.outpoll.twin_assumed import AssumedFields, shaped
from nautilus_orderfeeds.venues.outpoll.twin_products import NO, YES, YES_HIGHER
from tests.support.outpoll_raw import OUTCOME, RawOutpoll, eventually, outpoll

SAMPLES = Path(__file__).parent / "samples" / "docs"
ACTIVE = "/api/history/deals/active-orders"
POSITIONS = "/api/history/deals/open-positions"
TRADES = "/api/history/trades"


def keys_of(name: str) -> set[str]:
    return set(json.loads((SAMPLES / f"rest-response-get-{name}.json").read_text())["i"][0])


async def test_rows_have_the_keys_of_the_samples() -> None:
    async with outpoll() as raw:
        await raw.limit(YES, "BUY", "0.40", "5")
        await raw.buy(YES, "5")
        assert set((await raw.active())[0]) == keys_of("active-orders")
        for name, path in (
            ("history-orders", "/api/history/orders"),
            ("open-positions", POSITIONS),
            ("user-balances", "/api/user-balances"),
        ):
            page = await raw.get(path)
            assert set(page) == {"i", "p", "s", "tp"}
            assert set(page["i"][0]) == keys_of(name)
            assert (page["p"], page["tp"]) == (0, 1)


# -- history-service is behind ------------------------------------------------------------------------------


async def test_history_service_is_behind_by_a_delay() -> None:
    async with outpoll(history_delay_secs=60) as raw:
        resting = await raw.limit(YES, "BUY", "0.40", "5")
        filled = await raw.buy(YES, "5")
        assert await raw.active() == []
        assert await raw.history() == {}
        assert (await raw.get(POSITIONS))["i"] == (await raw.get(TRADES))["i"] == []
        assert (await raw.get("/api/user-balances"))["i"][0]["et"] == YES.asset_id  # another service
        raw.twin.options.history_delay_secs = 0.0
        assert [row["id"] for row in await raw.active()] == [resting]
        assert set(await raw.history()) == {filled}
        raw.twin.options.orders_extra_secs = raw.twin.options.positions_extra_secs = 60.0
        raw.twin.options.trades_extra_secs = 60.0
        assert [row["id"] for row in await raw.active()] == [resting]
        assert await raw.history() == {}
        assert (await raw.get(POSITIONS))["i"] == (await raw.get(TRADES))["i"] == []


async def test_what_is_behind_catches_up() -> None:
    async with outpoll(history_delay_secs=0.15) as raw:
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        assert await raw.active() == []

        async def is_listed() -> bool:
            return [row["id"] for row in await raw.active()] == [order_id]

        await eventually(is_listed)
        assert await raw.cancel(order_id) == 200
        assert len(await raw.active()) == 1

        async def is_gone() -> bool:
            return await raw.active() == [] and (await raw.history())[order_id]["st"] == "CANCELED"

        await eventually(is_gone)


async def test_a_stale_list() -> None:
    async with outpoll() as raw:
        first, _ = [await raw.limit(YES, "BUY", "0.40", "5") for _ in range(2)]
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where=f"GET {ACTIVE}")
        assert [row["id"] for row in await raw.active()] == [first]
        assert len(await raw.active()) == 2


# -- active orders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("meaning", "quantity"), [("original", 5), ("remaining", 3)])
async def test_quantity_of_active_orders(meaning: str, quantity: int) -> None:
    async with outpoll(active_quantity=meaning) as raw:
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        raw.twin.fill(raw.sim.ledger.order(order_id), "2")
        assert (await raw.active())[0]["quantity"] == quantity


async def test_more_fields_and_unknown_statuses() -> None:
    async with outpoll(active_extra_fields=True, active_counters=True, active_word="OPEN") as raw:
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        order = raw.sim.ledger.order(order_id)
        raw.twin.fill(order, "2")
        page = await raw.get(ACTIVE)
        assert (page["p"], page["s"], page["tp"]) == (0, 100, 1)
        row = page["i"][0]
        assert (row["status"], row["assetId"], row["outcomeId"]) == ("OPEN", YES.asset_id, OUTCOME)
        assert row["filledQuantity"] == 2
        raw.twin.show_status(order, "PAUSED")
        assert (await raw.active())[0]["status"] == "PAUSED"
        await raw.cancel(order_id)
        raw.twin.show_status(order, "LOST")
        assert (await raw.history())[order_id]["st"] == "LOST"


async def pages(raw: RawOutpoll, size: int, between: Any = None) -> list[list[str]]:
    """Pages until one is short, as a client would read them."""
    found: list[list[str]] = []
    while not found or len(found[-1]) == size:
        rows = (await raw.get(f"{ACTIVE}?page={len(found)}&size={size}"))["i"]
        found.append([row["id"] for row in rows])
        if between is not None:
            await between()
    return found


async def test_pages() -> None:
    async with outpoll() as raw:
        ids = [await raw.limit(YES, "BUY", "0.40", "5") for _ in range(5)]
        newest = ids[::-1]
        assert await pages(raw, 2) == [newest[:2], newest[2:4], newest[4:]]
        raw.twin.options.active_newest_first = False
        assert await pages(raw, 3) == [ids[:3], ids[3:]]
        raw.twin.options.max_page_size = 2
        assert len((await raw.get(f"{ACTIVE}?size=100"))["i"]) == 2
        for bad in ("page=-1", "page=x", "size=0", "other=1", "page=" + "9" * 40):
            assert (await raw.call("GET", f"{ACTIVE}?{bad}"))[0] == 400


async def test_rows_shift_between_pages() -> None:
    async with outpoll() as raw:
        ids = [await raw.limit(YES, "BUY", "0.40", "5") for _ in range(5)][::-1]
        raw.twin.options.page_shift = 1
        assert await pages(raw, 3) == [ids[:3], ids[2:5], ids[4:]]
        raw.twin.options.page_shift = -1
        assert await pages(raw, 2) == [ids[:2], ids[3:5], []]
        raw.twin.options.page_shift = 0

        async def place() -> None:
            raw.twin.place_external(YES.asset_id, side=Side.BUY, size=1, price="0.40")
            raw.twin.options.max_page_size = 100

        async with outpoll() as other:
            moved = [await other.limit(YES, "BUY", "0.40", "5") for _ in range(3)][::-1]

            async def push() -> None:
                if len(other.sim.ledger.orders()) == 3:
                    other.twin.place_external(YES.asset_id, side=Side.BUY, size=1, price="0.40")

            assert await pages(other, 2, push) == [moved[:2], moved[1:3], []]


# -- order history ------------------------------------------------------------------------------------------


async def test_order_history_words() -> None:
    async with outpoll() as raw:
        canceled = await raw.limit(YES, "BUY", "0.40", "5")
        raw.twin.fill(raw.sim.ledger.order(canceled), "2")
        await raw.cancel(canceled)
        bought = raw.sim.ledger.order(await raw.buy(YES, "5"))
        row = (await raw.history())[canceled]
        assert (row["u"], row["e"], row["o"], row["a"]) == (raw.user, *_ids())
        assert (row["si"], row["t"], row["p"], row["ex"]) == ("BUY", "LIMIT", Decimal("0.4"), None)
        assert (row["oq"], row["q"], row["st"]) == (5, 2, "CANCELED")
        assert abs(row["m"] - time.time() * 1000) < 60_000
        options = raw.twin.options
        for value, wanted in (("REMAINING", 3), ("ORIGINAL", 5)):
            options.history_quantity = type(options.history_quantity)[value]
            assert (await raw.history())[canceled]["q"] == wanted
        options.history_quantity = type(options.history_quantity).FILLED
        options.history_amount_unit = type(options.history_amount_unit).QUOTE
        row = (await raw.history())[bought.venue_order_id]
        assert (row["oq"], row["q"]) == (5, bought.notional)
        options.canceled_word = "CANCELLED"
        assert (await raw.history())[canceled]["st"] == "CANCELLED"


def _ids() -> tuple[str, str, str]:
    return YES.outcome.event.event_id, YES.outcome.outcome_id, YES.asset_id


async def test_price_and_time_of_the_history() -> None:
    async with outpoll(history_price="average", history_time="changed") as raw:
        order_id = await raw.limit(YES, "BUY", "0.90", "5")
        order = raw.sim.ledger.order(order_id)
        row = (await raw.history())[order_id]
        assert row["p"] == order.notional / 5 < Decimal("0.9")
        assert row["m"] == order.updated_ns // 1_000_000
        raw.twin.options.history_price = type(raw.twin.options.history_price).LIMIT
        assert (await raw.history())[order_id]["p"] == Decimal("0.9")


async def test_filters_of_the_history() -> None:
    async with outpoll(history_lists_open=True) as raw:
        first = await raw.limit(YES, "BUY", "0.40", "5")
        second = await raw.limit(YES_HIGHER, "BUY", "0.10", "5")

        async def ids(query: str) -> list[str]:
            return [row["i"] for row in (await raw.get(f"/api/history/orders?{query}"))["i"]]

        assert await ids("sort=asc") == [first, second]
        assert await ids("sort=desc") == await ids("page=0") == [second, first]
        assert await ids(f"eventOutcomeId={OUTCOME}") == [first]
        assert await ids("page=1&size=1") == [first]
        assert (await raw.call("GET", "/api/history/orders?sort=up"))[0] == 400
        raw.twin.options.history_lists_open = False
        assert await ids("page=0") == []


# -- positions and balances ---------------------------------------------------------------------------------


async def test_open_positions() -> None:
    async with outpoll(book=False) as raw:
        bid = await raw.limit(YES, "BUY", "0.50", "100")
        raw.twin.fill(raw.sim.ledger.order(bid), "100")
        await raw.limit(YES, "SELL", "0.60", "30")
        tpsl = raw.twin.set_tpsl(YES.asset_id, take_profit="0.9", size="20")
        raw.sim.market.trade(YES.asset_id, "0.55", "1", Side.SELL)
        (row,) = (await raw.get(POSITIONS))["i"]
        assert (row["oi"], row["ei"], row["eoi"], row["ai"]) == (bid, *_ids())
        assert (row["on"], row["tn"], row["ip"]) == ("Yes", "YES-BTC-100K", True)
        assert (row["tsc"], row["asc"], row["sp"], row["c"]) == (100, 50, Decimal("0.5"), 50)
        assert (row["cp"], row["v"], row["pv"], row["pp"]) == (Decimal("0.55"), 55, 5, 10)
        assert [entry["i"] for entry in row["tpsl"]] == [tpsl.tpsl_id]
        (balance,) = (await raw.get("/api/user-balances"))["i"]
        assert (balance["et"], balance["aop"], balance["c"], balance["v"]) == (YES.asset_id, Decimal("0.5"), 50, 55)


async def test_balances_by_token_and_in_full() -> None:
    async with outpoll() as raw:
        await raw.buy(YES, "5")
        await raw.buy(NO, "5")
        one = await raw.get(f"/api/user-balances/full?eventTokenIds={NO.asset_id},other")
        (row,) = one["i"]
        assert (row["on"], row["ip"], row["es"]) == ("No", False, "btc-100k-2026")
        assert len((await raw.get("/api/user-balances?size=1&page=1"))["i"]) == 1


# -- assumed shapes -----------------------------------------------------------------------------------------


async def test_trades_by_the_field_map() -> None:
    async with outpoll(fee_rate="0.001") as raw:
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        order = raw.sim.ledger.order(order_id)
        raw.twin.fill(order, "2")
        raw.twin.fill(order, "3")
        rows = (await raw.get(TRADES))["i"]
        assert [(row["oi"], row["q"], row["l"]) for row in rows] == [(order_id, 3, "MAKER"), (order_id, 2, "MAKER")]
        assert rows[0]["f"] == Decimal("0.0012")
        assert len({row["i"] for row in rows}) == 2
        raw.twin.options.fields.trade = {"trade_id": "tradeId", "order_id": "order.id", "quantity": ""}
        rows = (await raw.get(TRADES))["i"]
        assert rows[0]["order"] == {"id": order_id}
        assert set(rows[0]) == {"tradeId", "order"}
        raw.twin.options.serves_trades = False
        assert (await raw.call("GET", TRADES))[0] == 404


async def test_one_match_of_two_own_orders_has_one_trade_id() -> None:
    async with outpoll(book=False, shares=10) as raw:
        await raw.limit(YES, "BUY", "0.40", "5")
        await raw.limit(YES, "SELL", "0.40", "5")
        rows = (await raw.get(TRADES))["i"]
        assert len(rows) == 2
        assert rows[0]["i"] == rows[1]["i"]
        assert rows[0]["oi"] != rows[1]["oi"]


async def test_activity_and_profile() -> None:
    async with outpoll() as raw:
        await raw.buy(YES, "5")
        assert (await raw.get("/api/history/activity"))["i"] == (await raw.get(TRADES))["i"]
        assert (await raw.get(f"/api/history/stats/profile/{raw.user}"))["u"] == raw.user
        assert len((await raw.get(f"/api/history/stats/profile/{raw.user}/positions"))["i"]) == 1
        assert (await raw.call("GET", "/api/history/stats/profile/other"))[0] == 404


def test_a_map_may_not_name_what_there_is_not() -> None:
    with pytest.raises(ValueError, match="no field 'size'"):
        shaped({"price": 1}, {"size": "q"})
    with pytest.raises(ValueError, match="has a value already"):
        shaped({"a": 1, "b": 2}, {"a": "x", "b": "x.y"})
    assert AssumedFields() == AssumedFields()


async def test_event_search() -> None:
    async with outpoll() as raw:

        async def search(body: Any, query: str = "") -> tuple[int, Any]:
            headers = {"Content-Type": "application/json"}
            return await raw.call("POST", f"/api/events/search{query}", body, headers=headers)

        request = json.loads((SAMPLES / "rest-request-post-events-search.json").read_text())
        status, found = await search({**request, "ss": "btc"}, "?page=0&size=20")
        assert status == 200
        (event,) = found["content"]
        assert (event["id"], event["title"]) == (YES.outcome.event.event_id, "Will BTC reach $100k by end of 2026?")
        assert next(iter(event["outcomes"][0])).startswith("mar")
        assert [token["id"] for token in event["outcomes"][0]["tokens"]] == [YES.asset_id, NO.asset_id]
        assert (await search({"ss": "weather"}))[1] == {"content": []}
        assert (await search({"c": ["sport"]}))[1] == {"content": []}
        assert (await search({}, "?page=1"))[1] == {"content": []}
        for bad in ({"sb": "PRICE"}, {"x": 1}):
            assert (await search(bad))[0] == 400
