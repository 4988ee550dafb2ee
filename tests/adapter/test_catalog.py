"""A recording becomes a catalog that holds what the live clients delivered, and a backtest runs on it."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from nautilus_trader.backtest.config import BacktestDataConfig, BacktestRunConfig, BacktestVenueConfig
from nautilus_trader.backtest.node import BacktestNode
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, StrategyConfig
from nautilus_trader.model.data import (
    MarkPriceUpdate,
    OrderBookDelta,
    OrderBookDeltas,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.adapter.catalog import CatalogWriter, write_catalog
from nautilus_orderfeeds.adapter.custom_data import ORDER_FEED_UPDATE, FeedHealth, OrderFeedUpdate
from nautilus_orderfeeds.adapter.record import VenueRecorder
from nautilus_orderfeeds.adapter.replay import Replay, Told
from nautilus_orderfeeds.feed.recorder import FrameRecorder
from nautilus_orderfeeds.feed.replayer import FrameReplayer
from nautilus_orderfeeds.feed.stream import Direction
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.updates import Source
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.model import OrderState
from nautilus_orderfeeds.venues import registry
from tests.support.profiles import BSX, PROFILES, VenueProfile
from tests.support.scene import Scene, open_scene

PAGE = Path(__file__).parents[2] / "docs/recording.md"

_MARKET = {"quotes": QuoteTick, "trades": TradeTick, "book": OrderBookDeltas}


class Recorded:
    """A recorded session: its files, and what the live clients published meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.private = folder / "private.jsonl.gz"
        self.public = folder / "public.jsonl.zst"
        self.live: list[Any] = []
        self.filled: dict[str, Decimal] = {}

    def of(self, kind: type[Any]) -> list[Any]:
        return [data for data in self.live if type(data) is kind]


async def record(profile: VenueProfile, folder: Path) -> Recorded:
    """Trade a little while the market moves, with both clients recording."""
    recorded = Recorded(folder)
    recording = replace(profile, data_options={**profile.data_options, "record": str(recorded.public)})
    async with open_scene(
        recording,
        with_data=True,
        exec_options={"record": str(recorded.private)},
        sells=True,
        enable_limit_buys=False,
        enable_limit_sells=False,
    ) as scene:
        await _follow(scene, recorded)
        await _trade(scene)
        for word in profile.market_data:
            await scene.until(lambda kind=_MARKET[word]: recorded.of(kind), f"{word} of the market")
        ledger = scene.sim.ledger
    orders = [order for order in ledger.orders() if order.state is not OrderState.PENDING]
    recorded.filled = {order.venue_order_id: order.filled for order in orders}
    return recorded


async def _follow(scene: Scene, recorded: Recorded) -> None:
    iid = scene.profile.instrument_id
    bus = scene.run.node.kernel.msgbus
    bus.subscribe("data.*", lambda data: None if isinstance(data, OrderFeedUpdate) else recorded.live.append(data))
    bus.subscribe(f"data.{ORDER_FEED_UPDATE.topic}", recorded.live.append)
    if "quotes" in scene.profile.market_data:
        scene.tester.subscribe_quote_ticks(iid)
    if "trades" in scene.profile.market_data:
        scene.tester.subscribe_trade_ticks(iid)
    if "book" in scene.profile.market_data:
        scene.tester.subscribe_order_book_deltas(iid)
    # Order updates are published once somebody wants them, which is asked a few times a second.
    await scene.until(lambda: scene.client._intake._publishing, "the updates to be published")


async def _trade(scene: Scene) -> None:
    """Rest a bid that is filled in part and cancelled, and sell at the market; the market moves all the while."""
    bid = scene.limit(ticks=scene.profile.tob_offset_ticks)
    scene.submit(bid)
    await scene.accepted(bid)
    for _ in range(20):
        scene.sim.market.step()
        await asyncio.sleep(0.02)
    scene.fill(bid, Decimal(scene.profile.qty) / scene.profile.parts)
    await scene.until(lambda: bid.filled_qty > 0, "a fill")
    scene.tester.cancel_order(bid)
    await scene.closed(bid)


@pytest.fixture(params=PROFILES, ids=str, scope="module")
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[VenueProfile, Recorded]:
    profile: VenueProfile = request.param
    return profile, asyncio.run(record(profile, tmp_path_factory.mktemp(profile.name)))


def plain(data: Any) -> dict[str, Any]:
    """An object in dict form without the moment at which this client got it, which differs between connections."""
    told = type(data).to_dict(data)
    rows = told.get("deltas", [told])
    for row in rows:
        if row["ts_event"] == row["ts_init"]:  # the venue did not say when
            del row["ts_event"]
        del row["ts_init"]
        if row.get("action") == "CLEAR":
            del row["order"]
    return told


def read(catalog: ParquetDataCatalog, kind: type[Any], instrument_id: str | None = None) -> list[Any]:
    found = catalog.query(kind, identifiers=None if instrument_id is None else [instrument_id])
    return [getattr(row, "data", row) for row in found]


@pytest.mark.node
async def test_catalog_holds_what_the_data_client_delivered(
    session: tuple[VenueProfile, Recorded], tmp_path: Path
) -> None:
    profile, recorded = session
    report = await write_catalog(registry.load(profile.name), [recorded.public], tmp_path)
    assert (report.malformed, report.damaged_lines, report.unknown_instruments) == (0, 0, 0)
    catalog = ParquetDataCatalog(str(tmp_path))
    for word in profile.market_data:
        kind = _MARKET[word]
        delivered = [plain(data) for data in recorded.of(kind)]
        assert delivered, f"the live client delivered no {word}"
        assert [plain(data) for data in read(catalog, kind, profile.instrument)] == delivered
    instrument = catalog.instruments(instrument_ids=[profile.instrument])
    assert [str(each.id) for each in instrument] == [profile.instrument]


@pytest.mark.node
async def test_catalog_holds_the_order_updates_and_health(
    session: tuple[VenueProfile, Recorded], tmp_path: Path
) -> None:
    profile, recorded = session
    report = await write_catalog(registry.load(profile.name), [recorded.private], tmp_path)
    assert (report.malformed, report.unknown_instruments) == (0, 0)
    catalog = ParquetDataCatalog(str(tmp_path))
    health = read(catalog, FeedHealth)
    assert {each.client_id for each in health} == {profile.venue}
    for stream in {each.stream for each in health}:
        states = [each.state for each in health if each.stream == stream]
        assert "LIVE" in states
        assert states[-1] == "DOWN"
    updates = read(catalog, OrderFeedUpdate)
    live = [each for each in recorded.of(OrderFeedUpdate) if each.source == Source.STREAM.value]
    said = lambda each: (each.venue_order_id, each.venue_status, each.source)  # noqa: E731
    if profile.frames_tell:
        assert updates
        assert Counter(map(said, live)) <= Counter(map(said, updates))
    for venue_order_id in {each.venue_order_id for each in updates}:
        last = [each for each in updates if each.venue_order_id == venue_order_id][-1]
        assert Decimal(last.filled_qty) == recorded.filled[venue_order_id]


@pytest.mark.node
async def test_written_again_changes_nothing(session: tuple[VenueProfile, Recorded], tmp_path: Path) -> None:
    profile, recorded = session
    entry = registry.load(profile.name)
    files = [recorded.private, recorded.public]
    first = await write_catalog(entry, files, tmp_path)
    assert first.written == first.found
    before = _contents(tmp_path)
    for chunk in (1_000_000, 7):
        again = await write_catalog(entry, files, tmp_path, chunk=chunk)
        assert again.found == first.found
        assert again.written == {}
        assert _contents(tmp_path) == before


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.node
async def test_recordings_of_one_time_are_interleaved(session: tuple[VenueProfile, Recorded], tmp_path: Path) -> None:
    """Two clients record at the same time: together their files give what each gives alone, at the same times."""
    profile, recorded = session
    entry = registry.load(profile.name)
    await write_catalog(entry, [recorded.private, recorded.public], tmp_path / "both")
    both = ParquetDataCatalog(str(tmp_path / "both"))
    for path, kinds in ((recorded.private, [OrderFeedUpdate]), (recorded.public, _MARKET.values())):
        folder = tmp_path / path.stem
        await write_catalog(entry, [path], folder)
        alone = ParquetDataCatalog(str(folder))
        for kind in kinds:
            instrument_id = profile.instrument
            if alone.get_intervals(kind, instrument_id):
                assert _dicts(read(both, kind, instrument_id)) == _dicts(read(alone, kind, instrument_id))


@pytest.mark.node
async def test_a_recording_that_grows_is_added_to(session: tuple[VenueProfile, Recorded], tmp_path: Path) -> None:
    profile, recorded = session
    entry = registry.load(profile.name)
    rows = [msgspec.json.encode(row.to_row()) for row in FrameReplayer(recorded.public)]
    growing = tmp_path / "growing.jsonl"
    folder = tmp_path / "catalog"
    for share in (3, 2, 1):
        growing.write_bytes(b"\n".join(rows[: len(rows) // share]) + b"\n")
        await write_catalog(entry, [growing], folder)
    await write_catalog(entry, [recorded.public], tmp_path / "at once")
    in_steps, at_once = ParquetDataCatalog(str(folder)), ParquetDataCatalog(str(tmp_path / "at once"))
    assert in_steps.list_data_types() == at_once.list_data_types()
    for word in profile.market_data:
        kind, instrument_id = _MARKET[word], profile.instrument
        assert _dicts(read(in_steps, kind, instrument_id)) == _dicts(read(at_once, kind, instrument_id))


def _dicts(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [type(row).to_dict(row) for row in rows]


@pytest.mark.node
async def test_replay_leads_to_the_same_events_every_time(session: tuple[VenueProfile, Recorded]) -> None:
    profile, recorded = session
    runs: list[bytes] = []
    for _ in range(2):
        told: list[Told] = []
        replay = Replay(registry.load(profile.name), on_event=told.append)
        for row in FrameReplayer(recorded.private):
            replay.take(row)
        replay.finish()
        runs.append(msgspec.json.encode(told))
        by_order: dict[str, Decimal] = {}
        for each in told:
            if isinstance(each.event, ev.OrderFilled):
                so_far = by_order.get(each.event.venue_order_id, Decimal(0))
                by_order[each.event.venue_order_id] = so_far + each.event.last_qty
        if profile.frames_tell:
            assert by_order
        assert by_order == {order: recorded.filled[order] for order in by_order}
    assert runs[0] == runs[1]


# -- what cannot be read -----------------------------------------------------------------------------------------------


async def test_unreadable_frames_are_counted_and_kept(tmp_path: Path) -> None:
    async with simulate("bsx", seed=3, tick_secs=0.02) as sim:
        path = tmp_path / "feed.jsonl"
        entry = registry.load("bsx")
        async with VenueRecorder(entry.door, path, data_config=sim.data_config()) as recorder:
            async with asyncio.timeout(10):
                while sum(recorder.frames.values()) < 60:
                    await asyncio.sleep(0.01)
    lines = path.read_bytes().splitlines()
    bad = [
        json.dumps({"ts_ns": json.loads(lines[-1])["ts_ns"], "dir": "in", "stream": "BSX market data", "text": text})
        for text in ('{"channel":"book"', "[]")
    ]
    bad.append("no row at all")
    middle = len(lines) // 2
    lines[middle:middle] = [row.encode() for row in bad]
    path.write_bytes(b"\n".join(lines) + b"\n")
    folder = tmp_path / "catalog"
    for _ in range(2):
        report = await write_catalog(entry, [path], folder)
        assert (report.malformed, report.damaged_lines) == (2, 1)
        assert report.found["QuoteTick"] > 10
        kept = (folder / "malformed.jsonl").read_text().splitlines()
        assert [json.loads(row)["text"] for row in kept if row.startswith("{")] == ['{"channel":"book"', "[]"]
        assert [row for row in kept if not row.startswith("{")] == ["no row at all"]


async def test_a_recording_of_another_venue_is_refused(tmp_path: Path) -> None:
    recorder = FrameRecorder(tmp_path / "a.jsonl")
    recorder.record(Direction.NOTE, "BSX", b'{"note":"recording","venue":"bsx"}')
    recorder.close()
    with pytest.raises(ValueError, match="expected a recording of roxom, received one of bsx"):
        await write_catalog(registry.load("roxom"), [tmp_path / "a.jsonl"], tmp_path / "catalog")


# -- precision ---------------------------------------------------------------------------------------------------------


def _quote(n: int, bid: str) -> QuoteTick:
    iid, size = InstrumentId.from_str("A.B"), Quantity.from_str("1.5")
    return QuoteTick(iid, Price.from_str(bid), Price.from_str(bid), size, size, n, n)


def test_finer_prices_lose_no_digit(tmp_path: Path) -> None:
    """The framework's files have one precision: finer values that come later must not be cut, nor make others so."""
    bids = ["1.5", "1.25", "1", "1.0000000001", "1.5"]
    for run in (bids[:1], bids[:3], bids):
        writer = CatalogWriter(tmp_path)
        for n, bid in enumerate(run, 1):
            writer.add(_quote(n, bid))
        writer.flush()
    back = read(ParquetDataCatalog(str(tmp_path)), QuoteTick)
    assert [quote.bid_price.as_decimal() for quote in back] == [Decimal(bid) for bid in bids]


def test_clear_alone_in_a_file_does_not_spoil_the_others(tmp_path: Path) -> None:
    deltas = [
        OrderBookDelta.from_dict(
            {
                "type": "OrderBookDelta",
                "instrument_id": "A.B",
                "action": action,
                "order": {"side": side, "price": price, "size": "1.5", "order_id": 0},
                "flags": 128,
                "sequence": n,
                "ts_event": n,
                "ts_init": n,
            }
        )
        for n, (action, side, price) in enumerate(
            (("ADD", "BUY", "1.25"), ("CLEAR", "NO_ORDER_SIDE", "0"), ("ADD", "SELL", "1.50")), 1
        )
    ]
    writer = CatalogWriter(tmp_path, chunk=1)
    for delta in deltas:
        writer.add(delta)
    writer.flush()
    assert len(list(tmp_path.rglob("*.parquet"))) == 3
    back = read(ParquetDataCatalog(str(tmp_path)), OrderBookDelta)
    assert [OrderBookDelta.to_dict(delta)["action"] for delta in back] == ["ADD", "CLEAR", "ADD"]


def test_mark_prices_come_back(tmp_path: Path) -> None:
    iid = InstrumentId.from_str("A.B")
    marks = [
        MarkPriceUpdate(iid, Price.from_str(text), n, n) for n, text in enumerate(("1.5", "64650.059497056052"), 1)
    ]
    for _ in range(2):
        writer = CatalogWriter(tmp_path)
        for mark in marks:
            writer.add(mark)
        writer.flush()
    back = read(ParquetDataCatalog(str(tmp_path)), MarkPriceUpdate)
    assert [f"{mark.value.as_decimal():.15g}" for mark in back] == ["1.5", "64650.0594970561"]


# -- a backtest on it --------------------------------------------------------------------------------------------------


class BuyOnceConfig(StrategyConfig, frozen=True):
    instrument_id: InstrumentId
    qty: str


class BuyOnce(Strategy):
    """Buys at the market at the first quote."""

    seen: ClassVar[Counter[str]] = Counter()

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.config.instrument_id)
        self.subscribe_trade_ticks(self.config.instrument_id)

    def on_quote_tick(self, quote: QuoteTick) -> None:
        BuyOnce.seen["quotes"] += 1
        if not self.cache.orders(strategy_id=self.id):
            instrument = self.cache.instrument(self.config.instrument_id)
            qty = instrument.make_qty(Decimal(self.config.qty))
            self.submit_order(self.order_factory.market(instrument.id, OrderSide.BUY, qty))

    def on_trade_tick(self, trade: TradeTick) -> None:
        BuyOnce.seen["trades"] += 1


@pytest.mark.node
async def test_backtest_runs_on_the_catalog(session: tuple[VenueProfile, Recorded], tmp_path: Path) -> None:
    profile, recorded = session
    await write_catalog(registry.load(profile.name), [recorded.public], tmp_path)
    kinds = [QuoteTick, *([TradeTick] if "trades" in profile.market_data else [])]
    catalog = ParquetDataCatalog(str(tmp_path))
    instrument = catalog.instruments(instrument_ids=[profile.instrument])[0]
    money = instrument.quote_currency.code
    BuyOnce.seen.clear()
    run = BacktestRunConfig(
        engine=BacktestEngineConfig(
            logging=LoggingConfig(log_level="ERROR", bypass_logging=True),
        ),
        venues=[
            BacktestVenueConfig(
                name=profile.venue,
                oms_type="NETTING",
                account_type="MARGIN",
                base_currency=None,
                starting_balances=[f"1000000 {money}"],
            )
        ],
        data=[
            BacktestDataConfig(
                catalog_path=str(tmp_path),
                data_cls=f"{kind.__module__}:{kind.__name__}",
                instrument_id=InstrumentId.from_str(profile.instrument),
            )
            for kind in kinds
        ],
        dispose_on_completion=False,
    )
    node = BacktestNode(configs=[run])
    node.build()
    engine = node.get_engine(run.id)
    assert engine is not None
    engine.add_strategy(BuyOnce(BuyOnceConfig(instrument_id=instrument.id, qty=profile.qty)))
    node.run()
    (order,) = engine.cache.orders()
    assert order.is_closed
    assert order.filled_qty.as_decimal() == Decimal(profile.qty)
    assert BuyOnce.seen["quotes"] == len(read(catalog, QuoteTick, profile.instrument))
    assert BuyOnce.seen["trades"] == len(read(catalog, TradeTick, profile.instrument))
    node.dispose()


@pytest.mark.node
@pytest.mark.parametrize("session", [BSX], indirect=True, ids=str)
async def test_python_of_the_page_runs(session: tuple[VenueProfile, Recorded], tmp_path: Path) -> None:
    profile, recorded = session
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    scope: dict[str, Any] = {"__name__": "page"}
    exec(compile(block, str(PAGE), "exec"), scope)
    await write_catalog(registry.load(profile.name), [recorded.public], tmp_path)
    (result,) = BacktestNode(configs=[scope["backtest_config"](str(tmp_path))]).run()
    assert result.iterations == len(read(ParquetDataCatalog(str(tmp_path)), QuoteTick, profile.instrument))
