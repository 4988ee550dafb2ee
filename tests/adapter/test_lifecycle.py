"""Lives of orders on the message bus: the same as the journal's, once each, and into a catalog and out again."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.model.data import DataType
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.adapter import OrderLifecycles, OrderLifecycleUpdate
from nautilus_orderfeeds.adapter.custom_data import order_lifecycle_update
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from nautilus_orderfeeds.orders.lifecycle import Ending, Move, OrderLifecycle, Phase
from nautilus_orderfeeds.orders.lifecycle_tracker import LifecycleTracker
from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues.bsx import BSX_CLIENT_ID, BsxLiveDataClientFactory, BsxLiveExecClientFactory
from tests.support.cli_runs import INSTRUMENT_ID, PRODUCT
from tests.support.lifecycles import blank, fill
from tests.support.nodes import node_config, running_node


class Quoter(Strategy):
    """Collects lifecycles by the helper, and as subscribed data."""

    def __init__(self) -> None:
        super().__init__()
        self.lifecycles = OrderLifecycles()
        self.rejected: list[str] = []
        self.completed: list[str] = []
        self.updates: list[OrderLifecycleUpdate] = []

    def on_start(self) -> None:
        self.lifecycles.on_rejected(lambda life: self.rejected.append(life.client_order_id))
        self.lifecycles.on_completed(lambda life: self.completed.append(life.client_order_id))
        self.lifecycles.attach(self)
        self.subscribe_data(DataType(OrderLifecycleUpdate), client_id=BSX_CLIENT_ID)

    def on_stop(self) -> None:
        self.lifecycles.detach()

    def on_data(self, data: Any) -> None:
        if isinstance(data, OrderLifecycleUpdate):
            self.updates.append(data)


def as_told(tracker: LifecycleTracker) -> dict[str, OrderLifecycle]:
    return {life.client_order_id: life for life in tracker}


async def trade(run: Any, sim: Any, strategy: Quoter) -> dict[str, Any]:
    """A bid filled in part and cancelled, one refused by the venue, one denied here, and one that rests."""
    instrument = run.cache.instrument(INSTRUMENT_ID)
    price = sim.market.best(PRODUCT)[0] - 100

    def bid(qty: str, px: Decimal, **terms: Any) -> Any:
        quantity = instrument.make_qty(Decimal(qty))
        return strategy.order_factory.limit(INSTRUMENT_ID, OrderSide.BUY, quantity, instrument.make_price(px), **terms)

    part, resting = bid("0.04", price), bid("0.02", price - 50)
    crossing = bid("0.01", sim.market.best(PRODUCT)[1] + 100, post_only=True)
    denied = bid("0.01", price)
    strategy.submit_order(part)
    await run.until(lambda: part.is_open, "the bid to rest")
    sim.market.trade(PRODUCT, price, "0.01", Side.SELL)
    await run.until(lambda: part.filled_qty > 0, "a fill")
    strategy.submit_order(resting)
    strategy.submit_order(crossing)
    strategy.submit_order(denied, params={"no such key": 1})
    strategy.cancel_order(part)
    await run.until(lambda: part.is_closed and crossing.is_closed and denied.is_closed, "three ends")
    await run.until(lambda: resting.is_open, "the other bid to rest")
    return {"part": part, "crossing": crossing, "denied": denied, "resting": resting}


async def test_lives_on_the_bus_are_those_of_the_journal(tmp_path: Path) -> None:
    journal = tmp_path / "BSX-001.sqlite"
    async with simulate("bsx", seed=3, market_flow=False) as sim:
        strategy = Quoter()
        config = node_config(
            {"BSX": sim.exec_config(journal=str(journal), requests_per_sec=500)}, {"BSX": sim.data_config()}
        )
        async with running_node(
            config,
            exec_factories={"BSX": BsxLiveExecClientFactory},
            data_factories={"BSX": BsxLiveDataClientFactory},
            strategies=(strategy,),
        ) as run:
            orders = await trade(run, sim, strategy)
            ids = {name: order.client_order_id.value for name, order in orders.items()}
            live = as_told(strategy.lifecycles)
            with JournalReader(journal) as reader:
                kept = as_told(reader.lifecycles())
            # One that is denied never comes into the journal.
            published = {i: life for i, life in live.items() if i != ids["denied"]}
            # An order refused at once may be named by the answer after its end was published.
            for known in (published, kept):
                known[ids["crossing"]] = replace(known[ids["crossing"]], venue_order_id=None)
            assert published == kept
            assert {name: live[i].phase for name, i in ids.items()} == {
                "part": Phase.COMPLETED,
                "crossing": Phase.COMPLETED,
                "denied": Phase.COMPLETED,
                "resting": Phase.ACTIVE,
            }
            assert live[ids["part"]].ending is Ending.PARTIALLY_FILLED_CANCELED
            assert live[ids["part"]].fill_percent == 25
            assert (live[ids["part"]].cancel_latency_ns or 0) > 0
            assert live[ids["crossing"]].ending in (Ending.REJECTED, Ending.CANCELED)
            assert live[ids["denied"]].ending is Ending.DENIED
            assert "no such key" in live[ids["denied"]].reason
            over = {ids["part"], ids["crossing"], ids["denied"]}
            assert sorted(strategy.rejected + strategy.completed) == sorted(over)
            assert ids["denied"] in strategy.rejected
            assert [life.client_order_id for life in strategy.lifecycles.active()] == [ids["resting"]]
            assert {u.client_order_id for u in strategy.updates} == set(ids.values())
            told = [u.moves for u in strategy.updates if u.client_order_id == ids["part"]]
            assert ",".join(told).split(",") == ["SUBMITTED", "ACCEPTED", "FIRST_FILL", "CHANGED", "COMPLETED"]

            catalog = ParquetDataCatalog(str(tmp_path / "catalog"))
            catalog.write_data(sorted(strategy.updates, key=lambda update: update.ts_init))
            back = OrderLifecycles()
            for item in catalog.query(OrderLifecycleUpdate):
                back.take(getattr(item, "data", item))
            assert as_told(back) == live
            assert back.statistics() == strategy.lifecycles.statistics()


async def test_life_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Times of the first run are kept: the time to the end counts from the first record."""
    journal = tmp_path / "BSX-001.sqlite"
    async with simulate("bsx", seed=3, market_flow=False) as sim:

        def node(strategy: Quoter) -> Any:
            return running_node(
                node_config({"BSX": sim.exec_config(journal=str(journal), requests_per_sec=500)}),
                exec_factories={"BSX": BsxLiveExecClientFactory},
                strategies=(strategy,),
            )

        first = Quoter()
        async with node(first) as run:
            price = sim.market.best(PRODUCT)[0] - 100  # type: ignore[operator]
            instrument = run.cache.instrument(INSTRUMENT_ID)
            bid = first.order_factory.limit(
                INSTRUMENT_ID, OrderSide.BUY, instrument.make_qty(Decimal("0.02")), instrument.make_price(price)
            )
            first.submit_order(bid)
            await run.until(lambda: bid.is_open, "the bid to rest")
            (begun,) = first.lifecycles
        second = Quoter()
        async with node(second) as run:
            sim.market.trade(PRODUCT, price, "0.02", Side.SELL)
            await run.until(lambda: second.completed, "the fill")
            (ended,) = second.lifecycles
        assert (ended.client_order_id, ended.created_ns, ended.accepted_ns) == (
            begun.client_order_id,
            begun.created_ns,
            begun.accepted_ns,
        )
        assert ended.ending is Ending.FILLED
        assert ended.duration_ns == ended.completed_ns - begun.created_ns
        with JournalReader(journal) as reader:
            (kept,) = reader.lifecycles()
        assert ended == kept


def test_every_field_survives_the_update() -> None:
    life = blank(venue="BSX", symbol="BTC-PERP", quantity=Decimal("10.000000000000000001"))
    events = (
        ev.OrderSubmitted(),
        ev.OrderAccepted(venue_order_id="V1"),
        fill("3.000000000000000001", cum="3.000000000000000001", px="0.000000001"),
        ev.OrderUpdated(venue_order_id="V2", quantity=Decimal(8), price=Decimal("1.5"), replaced=True),
        ev.OrderPendingCancel(),
        ev.OrderCanceled(reason="user"),
        ev.OrderSubmitted(),
        ev.FillOrphaned(
            trade_id="T9", venue_order_id="V2", last_qty=Decimal(1), last_px=Decimal(2), commission=Decimal(0)
        ),
    )
    for n, event in enumerate(events, start=10):
        life.note(event, n)
        update = order_lifecycle_update(life, (Move.ACCEPTED,), INSTRUMENT_ID, n)
        assert update.lifecycle == life
        assert (update.phase, update.ending) == (life.phase.name, "" if life.ending is None else life.ending.name)
    assert life.refused_events == 1


def test_update_taken_twice_is_told_once() -> None:
    life = blank(venue="BSX", symbol="BTC-PERP")
    moves = life.note(ev.OrderDenied(reason="no"), 5)
    update = order_lifecycle_update(life, moves, INSTRUMENT_ID, 6)
    collected = OrderLifecycles()
    heard: list[str] = []
    collected.on_rejected(lambda found: heard.append(found.client_order_id))
    assert collected.take(update) == (Move.REJECTED,)
    assert collected.take(update) == ()
    assert heard == ["O-1"]
