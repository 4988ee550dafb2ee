"""The market feeds of the simulated sFOX (protocol 8.6)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from nautilus_orderfeeds.sim import Side
from nautilus_orderfeeds.venues.sfox.twin_words import BookOrder
from tests.support.sfox_raw import RawSfox, RawStream, sfox

NET, RAW = "orderbook.net.btcusd", "orderbook.sfox.btcusd"


async def _listen(raw: RawSfox, *feeds: str) -> RawStream:
    stream = await raw.connect()
    await stream.auth(raw.key)
    await stream.subscribe(*feeds)
    return stream


async def test_a_subscription_to_a_book_brings_all_of_it_at_once() -> None:
    async with sfox() as raw:
        stream = await _listen(raw, NET)
        book = await stream.data(NET)
        assert stream.log[-1]["sequence"] == 3
        assert set(book) == {"bids", "asks", "market_making", "pair", "lastupdated", "lastpublished"}
        best_bid, best_ask = raw.sim.market.best("btcusd")
        assert book["bids"][0][0] == round(best_bid * (1 - Decimal("0.00035")), 8)
        assert book["asks"][0][0] == round(best_ask * (1 + Decimal("0.00035")), 8)
        assert all(isinstance(row[2], str) for row in book["bids"] + book["asks"])
        making = [row[0] for row in book["market_making"]["bids"]]
        assert making == sorted(making)  # worst first
        raw.twin.options.book_on_subscribe = False
        assert await (await _listen(raw, RAW)).quiet()


async def test_every_change_brings_the_whole_book_again_but_not_too_often() -> None:
    async with sfox(book_interval_secs=0.05) as raw:
        stream = await _listen(raw, RAW, NET)
        for _ in range(2):
            await stream.receive()
        for price in ("43000", "43500", "43210.5"):
            raw.sim.market.set_mid("btcusd", price)
        messages = [await stream.receive() for _ in range(2)]
        assert {message["recipient"] for message in messages} == {RAW, NET}
        book = next(message["payload"] for message in messages if message["recipient"] == RAW)
        bids, asks = raw.sim.market.book("btcusd")
        assert (book["bids"][0][0], book["asks"][0][0]) == (bids[0][0], asks[0][0])
        assert sum(row[1] for row in book["asks"]) == sum(size for _, size in asks)
        assert await stream.quiet()


@pytest.mark.parametrize("order", BookOrder)
async def test_books_may_be_sorted_in_any_way(order: BookOrder) -> None:
    async with sfox(book_order=order) as raw:
        book = await (await _listen(raw, RAW)).data(RAW)
        asks = [row[0] for row in book["asks"]]
        assert (asks == sorted(asks)) is (order is BookOrder.BEST_FIRST)
        assert (asks == sorted(asks, reverse=True)) is (order is BookOrder.WORST_FIRST)
        assert len(set(asks)) < len(asks)


async def test_books_may_be_crossed_short_and_name_another_pair() -> None:
    async with sfox(book_crossed=True, book_levels=5, book_duplicates=False, book_wrong_pair=True) as raw:
        book = await (await _listen(raw, RAW)).data(RAW)
        assert book["bids"][0][0] > book["asks"][0][0]
        assert len(book["bids"]) == len(book["asks"]) == len({row[0] for row in book["asks"]}) == 5
        assert book["pair"] != "btcusd"
        bid, ask = raw.sim.market.best("btcusd")
        assert bid < ask  # only the message is crossed


async def test_a_ticker_comes_again_and_again_without_bid_and_ask() -> None:
    async with sfox(ticker_secs=0.03) as raw:
        raw.sim.market.trade("btcusd", "43100", "0.5", Side.BUY)
        raw.sim.market.trade("btcusd", "43300", "0.25", Side.BUY)
        stream = await _listen(raw, "ticker.sfox.btcusd")
        for _ in range(2):
            ticker = await stream.data("ticker.sfox.btcusd")
        assert set(ticker) == {
            *("amount", "exchange", "high", "last", "low", "open", "pair", "route", "source", "timestamp"),
            *("volume", "vwap"),
        }
        assert (ticker["last"], ticker["high"], ticker["low"], ticker["amount"]) == (
            43_300,
            43_300,
            43_100,
            Decimal("0.25"),
        )
        assert (ticker["volume"], ticker["pair"]) == (Decimal("0.75"), "btcusd")


async def test_market_trades_are_those_of_other_venues() -> None:
    async with sfox() as raw:
        feed = "trades.sfox.btcusd"
        stream = await _listen(raw, feed)
        for price in ("43100", "43101", "43102", "43103", "43104", "43105"):
            raw.sim.market.trade("btcusd", price, "0.5", Side.BUY)
        trades = [await stream.data(feed) for _ in range(6)]
        assert set(trades[0]) == {
            *("id", "quantity", "price", "exchange", "exchange_id", "side", "pair", "pair_id", "timestamp"),
            *("timeStamp", "buyOrderId", "sellOrderId", "is_decimal"),
        }
        assert (trades[0]["price"], trades[0]["quantity"], trades[0]["pair"]) == ("43100", "0.5", "btcusd")
        assert trades[0]["is_decimal"] is True
        assert len({(trade["exchange"], trade["id"]) for trade in trades}) == 6
        assert len(trades[0]["timestamp"]) == len("2022-04-14T01:57:21.521999872Z")
        raw.twin.options.trades_2019 = True
        raw.twin.account().place("btcusd", Side.SELL, "0.00390419", "43000")
        old = await stream.data(feed)
        assert (old["quantity"], old["side"]) == ("390419", "sell")
        assert "is_decimal" not in old


async def test_an_unsubscribed_feed_is_quiet() -> None:
    async with sfox() as raw:
        stream = await _listen(raw, "trades.sfox.btcusd", "trades.sfox.ethusd")
        await stream.send({"type": "unsubscribe", "feeds": ["trades.sfox.btcusd"]})
        assert (await stream.receive())["payload"]["feeds"] == ["trades.sfox.ethusd"]
        raw.sim.market.trade("btcusd", "43100", "0.5")
        raw.sim.market.trade("ethusd", "2300", "0.5")
        assert (await stream.receive())["recipient"] == "trades.sfox.ethusd"
