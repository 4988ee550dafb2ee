"""The framework's data cases (TC-D01 to TC-D72) with its own DataTester, one node and one simulated market a case."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from nautilus_trader.config import InstrumentProviderConfig
from nautilus_trader.model.data import (
    Bar,
    BarType,
    FundingRateUpdate,
    IndexPriceUpdate,
    MarkPriceUpdate,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import AggressorSide, BookAction, RecordFlag
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.test_kit.strategies.tester_data import DataTester, DataTesterConfig

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.model import Side, TimeInForce
from tests.support.cases import register
from tests.support.nodes import Run, node_config, running_node
from tests.support.profiles import PROFILES, How, VenueProfile

_HANDLERS = (
    "on_instrument",
    "on_order_book_deltas",
    "on_order_book_depth",
    "on_order_book",
    "on_quote_tick",
    "on_trade_tick",
    "on_mark_price",
    "on_index_price",
    "on_funding_rate",
    "on_instrument_status",
    "on_instrument_close",
    "on_option_greeks",
    "on_bar",
    "on_historical_data",
)


class RecordingDataTester(DataTester):
    """The framework's own DataTester; it also keeps what it was given, by kind."""

    def __init__(self, config: DataTesterConfig) -> None:
        super().__init__(config)
        self.received: dict[str, list[Any]] = {name: [] for name in _HANDLERS}


def _recording(name: str) -> Callable[[Any, Any], None]:
    def handler(self: RecordingDataTester, data: Any) -> None:
        self.received[name].append(data)
        original = getattr(super(RecordingDataTester, self), name, None)
        if original is not None:
            original(data)

    handler.__name__ = name
    return handler


for _name in _HANDLERS:
    setattr(RecordingDataTester, _name, _recording(_name))


class DataScene:
    """A running data case."""

    def __init__(self, profile: VenueProfile, sim: Any, run: Run, tester: RecordingDataTester) -> None:
        self.profile = profile
        self.sim = sim
        self.run = run
        self.tester = tester

    @property
    def product(self) -> Any:
        return self.sim.market.products[self.profile.product]

    async def received(self, handler: str, count: int = 1) -> list[Any]:
        """Wait for data of one kind; every item is of the instrument asked for."""
        got = self.tester.received[handler]
        await self.run.until(lambda: len(got) >= count, f"{count} calls of {handler}", 8.0)
        for item in got:
            if hasattr(item, "instrument_id"):
                assert item.instrument_id == self.profile.instrument_id
        return list(got)

    async def instruments(self, count: int) -> list[Instrument]:
        got = self.tester.received["on_instrument"]
        await self.run.until(lambda: len(got) >= count, f"{count} instruments", 8.0)
        return list(got)

    def on_tick(self, *prices: Any) -> None:
        for price in prices:
            assert price.as_decimal() > 0
            assert price.as_decimal() % self.product.tick == 0

    def on_lot(self, *sizes: Any) -> None:
        for size in sizes:
            assert size.as_decimal() > 0
            assert size.as_decimal() % self.product.lot == 0


@asynccontextmanager
async def data_scene(
    profile: VenueProfile, *, config: Mapping[str, Any] | None = None, load_only: bool = False, **options: Any
):
    async with simulate(
        profile.name, seed=7, tick_secs=0.03, **{**profile.sim_options, **profile.data_sim_options}
    ) as sim:
        fields = {**profile.data_options, **(config or {})}
        if load_only:
            fields["instrument_provider"] = InstrumentProviderConfig(load_ids=frozenset({profile.instrument_id}))
        tester = RecordingDataTester(
            DataTesterConfig(instrument_ids=[profile.instrument_id], log_data=False, **options)
        )
        async with running_node(
            node_config({}, {profile.venue: sim.data_config(**fields)}),
            data_factories={profile.venue: profile.data_factory},
            actors=(tester,),
        ) as run:
            yield DataScene(profile, sim, run, tester)


def data_case(case_id: str, *, config: Mapping[str, Any] | None = None, load_only: bool = False, **options: Any) -> Any:
    """Make a test of a data case; for a venue that lacks the data, the test is that the user is told so."""

    def decorate(check: Any) -> Any:
        register(case_id, check.__name__)
        profiles = [profile for profile in PROFILES if case_id not in profile.not_applicable]

        async def test(profile: VenueProfile) -> None:
            given = {key: value(profile) if callable(value) else value for key, value in options.items()}
            async with data_scene(profile, config=config, load_only=load_only, **given) as scene:
                refusal = profile.refused.get(case_id)
                errors: Callable[[], list[str]] = lambda: scene.run.log.entries("ERROR")  # noqa: E731
                if refusal is None:
                    await check(scene)
                    assert errors() == []
                    return
                assert refusal.how is How.LOGGED
                await scene.run.until(errors, f"an error that says {refusal.reason!r}", 5.0)
                await asyncio.sleep(0.1)
                assert all(refusal.reason in error for error in errors()), errors()
                assert not any(scene.tester.received.values())

        test.__name__ = test.__qualname__ = check.__name__
        test.__doc__ = check.__doc__
        test.__module__ = check.__module__
        return pytest.mark.node(pytest.mark.parametrize("profile", profiles, ids=str)(test)) if profiles else None

    return decorate


# -- group 1: instruments ---------------------------------------------------------------------------------------------


def check_instrument(scene: DataScene, instrument: Instrument) -> None:
    product = scene.sim.market.products[instrument.raw_symbol.value]
    assert instrument.id.venue.value == scene.profile.venue
    assert instrument.id.symbol.value == scene.profile.symbol_of(product.symbol)
    if scene.profile.lists_steps:
        assert instrument.price_increment.as_decimal() == product.tick
        assert instrument.size_increment.as_decimal() == product.lot
        assert instrument.min_quantity.as_decimal() == product.min_size
    # Some venues give finer prices than orders may have, for instance with their fees in them.
    assert instrument.price_precision >= -product.tick.as_tuple().exponent
    assert instrument.size_precision >= -product.lot.as_tuple().exponent


@data_case("TC-D01", request_instruments=True)
async def test_d01_request_instruments(scene: DataScene):
    """In 1.231 the answer arrives as one `on_instrument` per instrument."""
    wanted = len(scene.sim.market.products)
    instruments = await scene.instruments(wanted)
    assert {instrument.raw_symbol.value for instrument in instruments} == set(scene.sim.market.products)
    for instrument in instruments:
        check_instrument(scene, instrument)


@data_case("TC-D02", subscribe_instrument=True)
async def test_d02_subscribe_instrument(scene: DataScene):
    for instrument in await scene.instruments(1):
        assert instrument.id == scene.profile.instrument_id
        check_instrument(scene, instrument)


@data_case("TC-D03", load_only=True)
async def test_d03_load_specific_instrument(scene: DataScene):
    (instrument,) = scene.run.cache.instruments()
    assert instrument.id == scene.profile.instrument_id
    check_instrument(scene, instrument)


# -- group 2: order book ----------------------------------------------------------------------------------------------

L = RecordFlag.F_LAST
S = RecordFlag.F_SNAPSHOT


@data_case("TC-D10", subscribe_book_deltas=True)
async def test_d10_book_deltas(scene: DataScene):
    batches: list[OrderBookDeltas] = await scene.received("on_order_book_deltas", 4)
    for batch in batches:
        *inner, last = batch.deltas
        assert last.flags & L  # else users who buffer deltas get nothing
        assert not any(delta.flags & L for delta in inner)
        for delta in batch.deltas:
            if delta.action not in (BookAction.CLEAR, BookAction.DELETE):
                scene.on_tick(delta.order.price)
                scene.on_lot(delta.order.size)
    first, *later = batches
    assert first.deltas[0].action == BookAction.CLEAR
    assert all(delta.flags & S for delta in first.deltas)
    assert {delta.order.side.name for delta in first.deltas[1:]} == {"BUY", "SELL"}
    assert any(delta.action != BookAction.CLEAR for batch in later for delta in batch.deltas)


def check_book(bids: list[Any], asks: list[Any]) -> None:
    """Bids descend, asks ascend, neither is empty, and they do not cross."""
    assert bids
    assert asks
    assert all(a > b for a, b in pairwise(bids))
    assert all(a < b for a, b in pairwise(asks))
    assert bids[0] < asks[0]


@data_case("TC-D11", subscribe_book_at_interval=True, book_interval_ms=60)
async def test_d11_book_at_interval(scene: DataScene):
    seen: list[tuple[list[Any], list[Any]]] = []
    original = scene.tester.received["on_order_book"]
    await scene.run.until(lambda: len(original) >= 3, "three books", 8.0)
    book = original[-1]
    assert book.instrument_id == scene.profile.instrument_id
    seen.append(([level.price for level in book.bids()], [level.price for level in book.asks()]))
    check_book(*seen[0])
    before = len(original)
    await asyncio.sleep(0.3)
    assert 1 <= len(original) - before <= 7  # by the interval, not by every change


@data_case("TC-D12", subscribe_book_depth=True, book_depth=10)
async def test_d12_book_depth(scene: DataScene):
    depths: list[OrderBookDepth10] = await scene.received("on_order_book_depth", 3)
    for depth in depths:
        bids = [order.price for order in depth.bids if order.size.as_decimal()]
        asks = [order.price for order in depth.asks if order.size.as_decimal()]
        assert len(bids) <= 10
        assert len(asks) <= 10
        check_book(bids, asks)
        scene.on_tick(*bids, *asks)


@data_case("TC-D13", request_book_snapshot=True)
async def test_d13_request_book_snapshot(scene: DataScene):
    (answer, *_) = await scene.received("on_historical_data")
    deltas = answer if isinstance(answer, OrderBookDeltas) else answer[0]
    assert deltas.instrument_id == scene.profile.instrument_id
    orders = [delta.order for delta in deltas.deltas if delta.action == BookAction.ADD]
    scene.on_tick(*(order.price for order in orders))
    scene.on_lot(*(order.size for order in orders))
    bids = sorted((order.price for order in orders if order.side.name == "BUY"), reverse=True)
    asks = sorted(order.price for order in orders if order.side.name == "SELL")
    check_book(bids, asks)


@data_case("TC-D14", subscribe_book_deltas=True, manage_book=True)
async def test_d14_managed_book(scene: DataScene):
    """The book built from deltas is in order all the time, and in the end the venue's own."""
    await scene.received("on_order_book_deltas", 6)
    book = scene.tester._books[scene.profile.instrument_id]
    check_book([level.price for level in book.bids()], [level.price for level in book.asks()])
    scene.sim.stop_flow()

    def levels(side: Any) -> list[tuple[Decimal, Decimal]]:
        return [(level.price.as_decimal(), sum(order.size.as_decimal() for order in level.orders())) for level in side]

    await scene.run.until(
        lambda: (levels(book.bids()), levels(book.asks())) == scene.sim.market.book(scene.profile.product),
        "the local book to equal the venue's",
        8.0,
    )


@data_case("TC-D15", request_book_deltas=True)
async def test_d15_historical_book_deltas(scene: DataScene):
    for deltas in await scene.received("on_historical_data"):
        assert deltas.ts_event > 0
        assert all(delta.action in (BookAction.ADD, BookAction.UPDATE, BookAction.DELETE) for delta in deltas.deltas)


# -- groups 3 and 4: quotes and trades --------------------------------------------------------------------------------


def check_quote(scene: DataScene, quote: QuoteTick) -> None:
    scene.on_tick(quote.bid_price, quote.ask_price)
    scene.on_lot(quote.bid_size, quote.ask_size)
    assert quote.bid_price < quote.ask_price
    assert quote.ts_event > 0


@data_case("TC-D20", subscribe_quotes=True)
async def test_d20_quotes(scene: DataScene):
    for quote in await scene.received("on_quote_tick", 3):
        check_quote(scene, quote)


@data_case("TC-D21", request_quotes=True)
async def test_d21_historical_quotes(scene: DataScene):
    for quote in await scene.received("on_historical_data"):
        check_quote(scene, quote)


@data_case("TC-D30", subscribe_trades=True)
async def test_d30_trades(scene: DataScene):
    trades: list[TradeTick] = await scene.received("on_trade_tick", 3)
    for trade in trades:
        scene.on_tick(trade.price)
        scene.on_lot(trade.size)
        assert trade.aggressor_side in (AggressorSide.BUYER, AggressorSide.SELLER)
    assert len({trade.trade_id for trade in trades}) == len(trades)


@data_case("TC-D30", subscribe_trades=True)
async def test_d30_aggressor_side(scene: DataScene):
    """The side is that of whoever took: a trade at the bid is a sell."""
    scene.sim.stop_flow()
    await asyncio.sleep(0.1)
    scene.tester.received["on_trade_tick"].clear()
    bid, ask = scene.sim.market.best(scene.profile.product)
    for side, price in ((Side.SELL, bid), (Side.BUY, ask)):
        scene.sim.place_external(
            scene.profile.product, side=side, size=scene.profile.qty, price=price, time_in_force=TimeInForce.IOC
        )
    trades = await scene.received("on_trade_tick", 2)
    assert [(t.price.as_decimal(), t.aggressor_side) for t in trades] == [
        (bid, AggressorSide.SELLER),
        (ask, AggressorSide.BUYER),
    ]


@data_case("TC-D31", request_trades=True)
async def test_d31_historical_trades(scene: DataScene):
    for trade in await scene.received("on_historical_data"):
        scene.on_tick(trade.price)
        scene.on_lot(trade.size)
        assert trade.trade_id.value


# -- group 5: bars ----------------------------------------------------------------------------------------------------


def bar_types(profile: VenueProfile) -> list[BarType]:
    return [BarType.from_str(f"{profile.instrument}-{profile.bars}-EXTERNAL")]


def check_bar(bar: Bar) -> None:
    assert bar.high >= max(bar.low, bar.open, bar.close)
    assert bar.low <= min(bar.open, bar.close)
    assert bar.volume.as_decimal() >= 0


@data_case("TC-D40", bar_types=bar_types, subscribe_bars=True)
async def test_d40_bars(scene: DataScene):
    for bar in await scene.received("on_bar"):
        check_bar(bar)


@data_case("TC-D41", bar_types=bar_types, request_bars=True)
async def test_d41_historical_bars(scene: DataScene):
    bars = await scene.received("on_historical_data", 2)
    for bar in bars:
        check_bar(bar)
    assert all(a.ts_event < b.ts_event for a, b in pairwise(bars))


# -- group 6: derivatives ---------------------------------------------------------------------------------------------


@data_case("TC-D50", subscribe_mark_prices=True)
async def test_d50_mark_prices(scene: DataScene):
    updates: list[MarkPriceUpdate] = await scene.received("on_mark_price", 3)
    assert all(isinstance(update, MarkPriceUpdate) and update.value.as_decimal() > 0 for update in updates)
    scene.sim.stop_flow()
    await asyncio.sleep(0.1)
    wanted = scene.product.mid + 7 * scene.product.tick
    scene.sim.market.set_mark(scene.profile.product, wanted)
    got = scene.tester.received["on_mark_price"]
    await scene.run.until(lambda: got[-1].value.as_decimal() == wanted, "the venue's mark price", 5.0)


@data_case("TC-D51", subscribe_index_prices=True)
async def test_d51_index_prices(scene: DataScene):
    updates: list[IndexPriceUpdate] = await scene.received("on_index_price", 3)
    assert all(isinstance(update, IndexPriceUpdate) and update.value.as_decimal() > 0 for update in updates)


@data_case("TC-D52", subscribe_funding_rates=True)
async def test_d52_funding_rates(scene: DataScene):
    (first, *_) = await scene.received("on_funding_rate")
    assert isinstance(first, FundingRateUpdate)
    scene.sim.market.set_funding(scene.profile.product, "-0.000061")
    got = scene.tester.received["on_funding_rate"]
    await scene.run.until(lambda: Decimal(str(got[-1].rate)) == Decimal("-0.000061"), "the new rate", 5.0)


@data_case("TC-D53", request_funding_rates=True)
async def test_d53_historical_funding_rates(scene: DataScene):
    got = await scene.received("on_historical_data")
    rates = got[0] if isinstance(got[0], list) else got
    assert all(isinstance(rate, FundingRateUpdate) and rate.ts_event > 0 for rate in rates)
    assert all(a.ts_event < b.ts_event for a, b in pairwise(rates))


# -- groups 7 to 9: status, greeks, lifecycle -------------------------------------------------------------------------


@data_case("TC-D60", subscribe_instrument_status=True)
async def test_d60_instrument_status(scene: DataScene):
    for status in await scene.received("on_instrument_status"):
        assert status.action is not None


@data_case("TC-D61", subscribe_instrument_close=True)
async def test_d61_instrument_close(scene: DataScene):
    for close in await scene.received("on_instrument_close"):
        scene.on_tick(close.close_price)


KINDS = {"quotes": "on_quote_tick", "trades": "on_trade_tick", "book": "on_order_book_deltas"}


@data_case(
    "TC-D70",
    subscribe_quotes=True,
    subscribe_trades=lambda profile: "trades" in profile.market_data,
    subscribe_book_deltas=lambda profile: "book" in profile.market_data,
)
async def test_d70_unsubscribe_on_stop(scene: DataScene):
    kinds = [handler for kind, handler in KINDS.items() if kind in scene.profile.market_data]
    for kind in kinds:
        await scene.received(kind, 2)
    (connection,) = scene.sim.server.connections
    assert connection.subscriptions
    scene.tester.stop()
    await scene.run.until(lambda: not connection.subscriptions, "all to be unsubscribed", 5.0)
    await asyncio.sleep(0.05)
    before = [len(scene.tester.received[kind]) for kind in kinds]
    await asyncio.sleep(0.2)
    assert [len(scene.tester.received[kind]) for kind in kinds] == before
    await scene.run.node.stop_async()
    assert not scene.run.data_client(scene.profile.venue).is_connected
