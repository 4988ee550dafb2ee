"""Market data through a data client: whole books, prices that repeat, books that cross, quotes of the best levels."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.enums import BookAction, BookType, RecordFlag
from nautilus_trader.model.enums import OrderSide as Side

from nautilus_orderfeeds.sim import Simulation, simulate
from nautilus_orderfeeds.venues.sfox import SfoxLiveDataClientFactory
from tests.support.nodes import Run, node_config, running_node
from tests.support.sfox_desk import IID, SCALED, Desk

FLOW = {"tick_secs": 0.02, "book_interval_secs": 0.02}


async def watch(drive: Any, client: dict[str, Any] | None = None, **options: Any) -> None:
    async with simulate("sfox", seed=7, **SCALED, **FLOW, **options) as sim:
        desk = Desk()
        data = sim.data_config(**{"book": "sfox", **SCALED, **(client or {})})
        async with running_node(
            node_config({}, {"SFOX": data}), data_factories={"SFOX": SfoxLiveDataClientFactory}, strategies=(desk,)
        ) as run:
            desk.subscribe_order_book_deltas(IID, BookType.L2_MBP)
            desk.subscribe_quote_ticks(IID)
            await drive(sim, run, desk)


def sides(deltas: Any) -> dict[Side, list[tuple[Decimal, Decimal]]]:
    """The levels that a snapshot adds."""
    added = [delta.order for delta in deltas.deltas if delta.action == BookAction.ADD]
    return {
        side: [(order.price.as_decimal(), order.size.as_decimal()) for order in added if order.side == side]
        for side in (Side.BUY, Side.SELL)
    }


@pytest.mark.node
@pytest.mark.parametrize("order", ["best_first", "worst_first", "shuffled"])
async def test_a_whole_book_each_time_with_every_price_once(order: str):
    async def drive(sim: Simulation, run: Run, desk: Desk) -> None:
        await run.until(lambda: len(desk.books) >= 5 and desk.quotes, "books and quotes")
        sim.stop_flow()
        for deltas in desk.books:
            assert deltas.deltas[0].action == BookAction.CLEAR
            assert all(delta.flags & RecordFlag.F_SNAPSHOT for delta in deltas.deltas)
            assert [bool(delta.flags & RecordFlag.F_LAST) for delta in deltas.deltas[:-1]] == [False] * (
                len(deltas.deltas) - 1
            )
            assert deltas.deltas[-1].flags & RecordFlag.F_LAST
            for levels in sides(deltas).values():
                assert max(Counter(price for price, _ in levels).values()) == 1
        bids, asks = (dict(levels) for levels in sim.market.book("btcusd"))

        def is_the_markets() -> bool:
            told = sides(desk.books[-1])
            return dict(told[Side.BUY]) == bids and dict(told[Side.SELL]) == asks

        await run.until(is_the_markets, "the book that stands still: the rows of all venues summed by price")
        book = OrderBook(IID, BookType.L2_MBP)
        for deltas in desk.books:
            book.apply_deltas(deltas)
        assert (book.best_bid_price().as_decimal(), book.best_ask_price().as_decimal()) == sim.market.best("btcusd")
        last = desk.quotes[-1]
        assert (last.bid_price.as_decimal(), last.ask_price.as_decimal()) == sim.market.best("btcusd")
        assert (last.bid_size.as_decimal(), last.ask_size.as_decimal()) == (
            bids[last.bid_price.as_decimal()],
            asks[last.ask_price.as_decimal()],
        )

    await watch(drive, book_order=order, book_duplicates=True)


@pytest.mark.node
async def test_crossed_books_are_dropped_and_it_is_said_once():
    async def drive(sim: Simulation, run: Run, desk: Desk) -> None:
        feed = run.data_client("SFOX")._market
        await run.until(lambda: feed._decoder.crossed >= 3, "crossed books to be counted")
        assert desk.books == []
        assert desk.quotes == []
        sim.twin.options.book_crossed = False
        await run.until(lambda: desk.books and desk.quotes, "books that do not cross")
        quote = desk.quotes[0]
        assert quote.bid_price < quote.ask_price

    await watch(drive, book_crossed=True)


@pytest.mark.node
async def test_crossed_books_are_passed_where_they_are_asked_for():
    async def drive(sim: Simulation, run: Run, desk: Desk) -> None:
        await run.until(lambda: desk.books and desk.quotes, "crossed books")
        told = sides(desk.books[-1])
        assert max(price for price, _ in told[Side.BUY]) >= min(price for price, _ in told[Side.SELL])

    await watch(drive, {"crossed_books": "pass"}, book_crossed=True)
