"""The client in a running node against every way in which the documents let the venue behave."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.identifiers import AccountId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues.roxom import RoxomLiveDataClientFactory, RoxomLiveExecClientFactory
from tests.support.nodes import Run, node_config, running_node

GOLD = "GOLD-BTC"
IID = InstrumentId.from_str(f"{GOLD}.ROXOM")
TICK = Decimal("0.000001")
QTY = Decimal("0.05")

MODES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "venue-page": ({"event_form": "g1", "event_time": "created", "auth": "hmac"}, {}),
    "key-only": ({"auth": "key_only", "event_form": "g1"}, {}),
    "older-prefix": ({"prefixes": ("/api/v1",)}, {"path_prefix": "/api/v1"}),
    "older-rest": ({"rest_form": "g1"}, {}),
    "rest-in-ns": ({"rest_time": "ns"}, {}),
    "satoshi": ({"event_unit": "sats"}, {}),
    "no-acks": ({"ack": "none"}, {}),
    "bare-acks": ({"ack": "bare"}, {}),
    "stream-first": ({"create_stream": "before", "cancel_stream": "before"}, {}),
    "no-stream": ({"create_stream": "without", "cancel_stream": "without"}, {"audit_interval_secs": 0.3}),
    "merged": ({"fills_shown": "merged", "null_before_fill": True, "partial_cancel": "cancelled"}, {}),
    "fees-per-fill": ({"fees_shown": "per_fill"}, {"filled_fees": "per_fill"}),
    "error-true": ({"error_flag": "true"}, {}),
    "client-ids": ({"client_order_id": "accept"}, {"send_client_order_id": True}),
    "no-listing": ({"instrument_rows": "missing"}, {}),
    "illustrative-listing": ({"instrument_rows": "illustrative"}, {}),
    "late-refusals": ({"refusal": "stream", "margin_refusal": "stream"}, {}),
    "always-pendingcancel": ({"pending_cancel": "always", "cancel_delay_secs": 0.1}, {}),
}


async def live(run: Run, strategy: Strategy, sim: Any) -> dict[str, Any]:
    """Submit an order of every kind and end each; return them by name."""
    make, instrument = strategy.order_factory, run.cache.instrument(IID)
    bid, ask = sim.market.best(GOLD)

    def px(value: Decimal) -> Any:
        return instrument.make_price(value)

    qty, buy = instrument.make_qty(QTY), OrderSide.BUY
    soon = strategy.clock.utc_now() + timedelta(seconds=1)
    orders = {
        "market": make.market(IID, buy, qty),
        "ioc": make.limit(IID, buy, qty, px(ask), TimeInForce.IOC),
        "ioc_unfilled": make.limit(IID, buy, qty, px(bid - 5 * TICK), TimeInForce.IOC),
        "resting": make.limit(IID, buy, qty, px(bid - 30 * TICK)),
        "part_filled": make.limit(IID, buy, qty, px(bid - 20 * TICK)),
        "good_till": make.limit(IID, buy, qty, px(bid - 40 * TICK), TimeInForce.GTD, expire_time=soon),
        "post_only": make.limit(IID, buy, qty, px(ask + 10 * TICK), post_only=True),
        "stop": make.stop_market(IID, buy, qty, px(ask + 20 * TICK)),
        "stop_limit": make.stop_limit(IID, buy, qty, px(ask + 90 * TICK), px(ask + 30 * TICK)),
        "too_small": make.limit(IID, buy, instrument.make_qty(Decimal("0.01")), px(TICK * 1000)),
    }
    for order in orders.values():
        strategy.submit_order(order)
    ready = ("resting", "part_filled", "stop", "stop_limit")
    await run.until(lambda: all(orders[name].status == OrderStatus.ACCEPTED for name in ready), "orders to rest")
    sim.market.trade(GOLD, bid - 20 * TICK, Decimal("0.02"))
    await run.until(lambda: orders["part_filled"].filled_qty == Decimal("0.02"), "a partial fill")
    strategy.cancel_order(orders["resting"])
    strategy.cancel_order(orders["part_filled"])
    sim.market.set_mid(GOLD, sim.market.products[GOLD].mid + 60 * TICK)
    await run.until(lambda: all(order.is_closed for order in orders.values()), "all orders to end")
    return orders


@pytest.mark.node
@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode", MODES)
async def test_orders_of_every_kind(mode: str) -> None:
    sim_options, options = MODES[mode]
    async with simulate("roxom", seed=5, market_flow=False, **sim_options) as sim:
        config = sim.exec_config(**({"requests_per_sec": 500, "audit_interval_secs": 1.0} | options))
        strategy = Strategy(StrategyConfig())
        async with running_node(
            node_config({"ROXOM": config}, inflight_check_interval_ms=0),
            exec_factories={"ROXOM": RoxomLiveExecClientFactory},
            strategies=(strategy,),
        ) as run:
            orders = await live(run, strategy, sim)
            ends = {name: order.status.name for name, order in orders.items()}
            assert ends["market"] == ends["ioc"] == ends["stop"] == ends["stop_limit"] == "FILLED", ends
            assert ends["ioc_unfilled"] == ends["resting"] == ends["part_filled"] == "CANCELED", ends
            assert ends["good_till"] == "EXPIRED", ends
            assert ends["post_only"] in ("REJECTED", "CANCELED"), ends
            assert ends["too_small"] == "REJECTED", ends
            for order in orders.values():
                names = run.names(order.client_order_id)
                assert len(names) == len(set(names)), names
            if mode not in ("no-stream", "merged"):  # there the first news of it is that it is filled
                assert "OrderTriggered" in run.names(orders["stop_limit"].client_order_id)
            await agreement(sim, run, fees="event_form" not in sim_options)


async def agreement(sim: Any, run: Run, *, fees: bool) -> None:
    """Framework and ledger agree: to the last place, but that the eight fields of the venue page tell no fees."""

    def differences() -> list[Any]:
        found = compare(sim, run.cache, "ROXOM", AccountId("ROXOM-001"), price_tolerance=Decimal("0.00000001"))
        return [row for row in found.differences if fees or row.aspect != "fees"]

    try:
        await run.until(lambda: not differences(), "framework and venue to agree", 10.0)
    except AssertionError:
        raise AssertionError(f"they differ in {differences()}") from None


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_cancel_all_hits_what_it_was_asked_to_and_nothing_else() -> None:
    """The venue's own call would cancel every order of the account: it is never used."""
    async with simulate("roxom", seed=5, market_flow=False) as sim:
        one, other = Strategy(StrategyConfig(order_id_tag="1")), Strategy(StrategyConfig(order_id_tag="2"))
        async with running_node(
            node_config({"ROXOM": sim.exec_config(requests_per_sec=500)}),
            exec_factories={"ROXOM": RoxomLiveExecClientFactory},
            strategies=(one, other),
        ) as run:
            placed = {}
            for strategy, symbol in ((one, GOLD), (one, "OIL-BTC"), (other, GOLD)):
                iid = InstrumentId.from_str(f"{symbol}.ROXOM")
                instrument = run.cache.instrument(iid)
                bid, _ = sim.market.best(symbol)
                price = instrument.make_price(bid - 20 * TICK)
                order = strategy.order_factory.limit(iid, OrderSide.BUY, instrument.make_qty(QTY), price)
                strategy.submit_order(order)
                placed[strategy, symbol] = order
            bid, _ = sim.market.best(GOLD)
            external = sim.place_external(GOLD, side=Side.BUY, size=QTY, price=bid - 20 * TICK)
            await run.until(lambda: all(order.is_open for order in placed.values()), "orders to rest")
            one.cancel_all_orders(IID)
            await run.until(lambda: placed[one, GOLD].is_closed, "the cancel")
            await asyncio.sleep(0.2)
            assert placed[one, "OIL-BTC"].is_open
            assert placed[other, GOLD].is_open
            assert external.is_open
            assert not [call for call in sim.requests if call.path.endswith("/cancel-all")]


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_market_data_with_a_key_and_a_book_of_one_level() -> None:
    class Watcher(Strategy):
        def on_start(self) -> None:
            self.subscribe_quote_ticks(IID)
            self.subscribe_order_book_deltas(IID)
            self.seen: list[Any] = []

        def on_quote_tick(self, tick: Any) -> None:
            self.seen.append(tick)

        def on_order_book_deltas(self, deltas: Any) -> None:
            self.seen.append(deltas)

    async with simulate("roxom", seed=5, tick_secs=0.05) as sim:
        watcher = Watcher(StrategyConfig())
        async with running_node(
            node_config({}, {"ROXOM": sim.data_config(requests_per_sec=500)}),
            data_factories={"ROXOM": RoxomLiveDataClientFactory},
            strategies=(watcher,),
        ) as run:
            await run.until(
                lambda: {type(item).__name__ for item in watcher.seen} == {"QuoteTick", "OrderBookDeltas"}, "data"
            )
            book = next(item for item in watcher.seen if type(item).__name__ == "OrderBookDeltas")
            assert book.is_snapshot
            assert len(book.deltas) <= 3
