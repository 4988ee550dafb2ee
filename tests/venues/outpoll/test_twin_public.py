"""The public streams of the simulated Outpoll (protocol 6.4-6.6)."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds.sim import Side
from nautilus_orderfeeds.venues.outpoll.twin_products import NO, YES, YES_HIGHER
from tests.support.outpoll_raw import EVENT, OUTCOME, RawStream, outpoll

SAMPLES = Path(__file__).parent / "samples" / "docs"
OTHER = YES_HIGHER.outcome.outcome_id


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"ws-{name}.json").read_text())


async def of_kind(stream: RawStream, kind: str) -> dict[str, Any]:
    return await stream.until(lambda message: message["t"] == kind)


# -- Order Book ---------------------------------------------------------------------------------------------


async def test_prices_come_after_subscribing() -> None:
    async with outpoll() as raw:
        stream = await raw.stream("/event/ws")
        await stream.send(sample("client-order-book-subscribe"))
        assert await stream.receive() == sample("server-order-book-subscribed")
        snapshot = await stream.receive()
        assert (snapshot["t"], snapshot["e"]) == ("PRICES_DATA", EVENT)
        assert set(snapshot["d"][0]) == set(sample("server-order-book-prices-data")["d"][0])
        first = {row["o"]: row for row in snapshot["d"]}[OUTCOME]
        assert (first["b"], first["a"]) == raw.sim.market.best(YES.asset_id)


async def test_only_changed_outcomes_are_told() -> None:
    async with outpoll(book_interval_secs=0.01, book_snapshot_unasked=False, mirrored=False) as raw:
        stream = await raw.stream("/event/ws")
        await stream.send({"t": "SUBSCRIBE", "e": EVENT})
        assert (await stream.receive())["t"] == "SUBSCRIBED"
        assert await stream.is_silent()
        raw.sim.market.set_mid(YES.asset_id, "0.60")
        delta = await stream.receive()
        assert (delta["t"], [row["o"] for row in delta["d"]]) == ("PRICES_DATA_DELTA", [OUTCOME])
        assert (delta["d"][0]["b"], delta["d"][0]["a"]) == raw.sim.market.best(YES.asset_id)
        raw.sim.market.set_mid(NO.asset_id, "0.30")
        assert await stream.is_silent()  # prices are those of the primary asset
        await stream.send({"t": "REQUEST_DATA", "e": EVENT})
        assert len((await of_kind(stream, "PRICES_DATA"))["d"]) == 2
        await stream.send({"t": "UNSUBSCRIBE", "e": EVENT})
        assert (await stream.receive())["t"] == "UNSUBSCRIBED"
        raw.sim.market.set_mid(YES.asset_id, "0.50")
        assert await stream.is_silent()


@pytest.mark.parametrize(("empty", "wanted"), [("null", [None]), ("zero", [0]), ("absent", [])])
async def test_an_empty_side(empty: str, wanted: list[Any]) -> None:
    async with outpoll(book=False, empty_side=empty) as raw:
        raw.twin.place_external(YES.asset_id, side=Side.BUY, size=1, price="0.40")
        stream = await raw.stream("/event/ws")
        await stream.send({"t": "REQUEST_DATA", "e": EVENT})
        row = {row["o"]: row for row in (await stream.receive())["d"]}[OUTCOME]
        assert row["b"] == Decimal("0.40")
        assert [row["a"]] == wanted if wanted else "a" not in row


async def test_errors_of_the_order_book() -> None:
    async with outpoll() as raw:
        stream = await raw.stream("/event/ws")
        for message in ({"t": "SUBSCRIBE"}, {"t": "SUBSCRIBE", "e": "other"}, {"t": "X", "e": EVENT}, "oops"):
            await stream.send(message)
            answer = await stream.receive()
            assert answer["t"] == "ERROR"
            assert answer["r"]


# -- Chance History -----------------------------------------------------------------------------------------


async def test_chances() -> None:
    async with outpoll(book_interval_secs=0.01) as raw:
        stream = await raw.stream("/ws")
        await stream.send(sample("client-chance-history-subscribe"))
        first, second = await stream.receive(), await stream.receive()
        assert set(first) == set(sample("server-chance-history-probability"))
        assert {first["o"][0], second["o"][0]} == {OUTCOME, OTHER}
        assert abs(first["d"]["t"] - time.time()) < 60
        assert (await stream.receive())["t"] == "success"
        raw.sim.market.trade(YES.asset_id, "0.61", "1", Side.BUY)
        for kind in ("probability", "UPDATE_HISTORY"):
            live = await stream.receive()
            assert (live["t"], live["o"], live["d"]["p"]) == (kind, [OUTCOME], Decimal("0.61"))
        await stream.send(sample("client-chance-history-unsubscribe"))
        assert await stream.receive() == sample("server-chance-history-unsubscribe-success")
        raw.sim.market.trade(YES.asset_id, "0.62", "1", Side.BUY)
        assert await stream.is_silent()


async def test_errors_of_chances() -> None:
    async with outpoll() as raw:
        stream = await raw.stream("/ws")
        for message, text in (
            ({"t": "SUBSCRIBE", "e": EVENT}, "No outcome IDs provided"),
            ({"t": "SUBSCRIBE", "e": EVENT, "o": []}, "No outcome IDs provided"),
            ({"t": "HISTORY", "o": [OUTCOME]}, "Unknown message type"),
        ):
            await stream.send(message)
            assert await stream.receive() == {"t": "error", "d": {"error": text}}


# -- Activity Feed, Last Trades -----------------------------------------------------------------------------


async def test_trades_are_told() -> None:
    async with outpoll() as raw:
        activity, trades = await raw.stream("/history/ws"), await raw.stream("/last-trades/ws")
        await activity.send(sample("client-activity-subscribe"))
        await activity.send({"t": "X"})
        assert (await activity.receive())["t"] == "error"
        raw.sim.market.trade(YES_HIGHER.asset_id, "0.21", "2", Side.BUY)
        raw.sim.market.trade(NO.asset_id, "0.44", "3", Side.SELL)
        told = await activity.receive()
        assert set(told) == set(sample("envelope-activity-schema"))
        assert (told["o"], told["d"]["a"], told["d"]["q"]) == (OUTCOME, NO.asset_id, 3)
        assert [(await trades.receive())["d"]["p"] for _ in range(2)] == [Decimal("0.21"), Decimal("0.44")]
        await activity.send(sample("client-activity-unsubscribe"))
        await activity.send({"t": "X", "e": EVENT, "o": OUTCOME})
        error = await activity.receive()
        assert set(error) == set(sample("server-activity-error"))
        assert error["o"] == [OUTCOME]
        raw.sim.market.trade(NO.asset_id, "0.44", "3", Side.SELL)
        assert await activity.is_silent()


async def test_errors_of_activity() -> None:
    async with outpoll() as raw:
        for path in ("/history/ws", "/last-trades/ws"):
            stream = await raw.stream(path)
            for message in ({"t": "SUBSCRIBE", "e": "other", "o": OUTCOME}, {"t": "SUBSCRIBE", "o": [OUTCOME]}, "x"):
                await stream.send(message)
                assert (await stream.receive())["t"] == "error"


async def test_the_other_asset_mirrors_the_primary_one() -> None:
    async with outpoll() as raw:
        market = raw.sim.market
        for move in (
            lambda: market.set_mid(YES.asset_id, "0.70"),
            lambda: market.set_mid(NO.asset_id, "0.60"),
            lambda: market.flow.set_mid(YES.asset_id, Decimal("0.99")),
        ):
            move()
            (bid, ask), (no_bid, no_ask) = market.best(YES.asset_id), market.best(NO.asset_id)
            assert bid is not None
            assert ask is not None
            assert (no_bid, no_ask) == (1 - ask, 1 - bid)
        for _ in range(20):
            market.step()
            assert market.flow.mid(YES.asset_id) + market.flow.mid(NO.asset_id) == 1


async def test_the_background_keeps_to_the_price_range() -> None:
    async with outpoll(seed=3) as raw:
        for price in ("0.98", "0.02"):
            raw.sim.market.set_mid(YES.asset_id, price)
            for _ in range(50):
                raw.sim.market.step()
            bids, asks = raw.sim.market.book(YES.asset_id)
            assert all(Decimal("0.01") <= level <= Decimal("0.99") for level, _ in (*bids, *asks))
