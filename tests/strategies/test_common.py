"""What every sample strategy does: no orders without an instrument, after refusals, or on a feed that is not live."""

import ast
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nautilus_trader.model.data import DataType
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from nautilus_orderfeeds.adapter.custom_data import FeedHealth
from strategies.common import ExitType, Side
from strategies.guard import Guard, GuardConfig
from strategies.limit_ladder import LimitLadder, LimitLadderConfig
from strategies.market_maker import MarketMaker, MarketMakerConfig
from strategies.monitor import Monitor, MonitorConfig
from strategies.oco_breakout import Entry, OcoBreakout, OcoBreakoutConfig
from strategies.twap_iceberg import TwapIceberg, TwapIcebergConfig
from tests.support.backtests import Backtest

BTC = TestInstrumentProvider.btcusdt_perp_binance()
D = Decimal
SOURCES = sorted(Path(__file__).parents[2].joinpath("strategies").glob("*.py"))
HEALTH = "nautilus_orderfeeds.adapter.custom_data:FeedHealth"


def maker(**options: Any) -> MarketMaker:
    return MarketMaker(MarketMakerConfig(instrument_id=BTC.id, order_qty=D("0.01"), **options))


ALL = {
    "market_maker": lambda **o: maker(**o),
    "limit_ladder": lambda **o: LimitLadder(LimitLadderConfig(instrument_id=BTC.id, order_qty=D("0.01"), **o)),
    "oco_breakout": lambda **o: OcoBreakout(
        OcoBreakoutConfig(instrument_id=BTC.id, order_qty=D("0.01"), range_quotes=1, entry=Entry.STOPS, **o)
    ),
    "twap_iceberg": lambda **o: TwapIceberg(
        TwapIcebergConfig(instrument_id=BTC.id, side=Side.BUY, total_qty=D("0.04"), slices=2, **o)
    ),
    "guard": lambda **o: Guard(GuardConfig(instrument_id=BTC.id, stop_loss_ticks=10, open_qty=D("0.01"), **o)),
}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_strategies_import_only_the_framework(source: Path):
    allowed = {"nautilus_trader", "strategies", "msgspec", "decimal", "enum", "typing", "collections"}
    for node in ast.walk(ast.parse(source.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert {name.split(".")[0] for name in names} <= allowed


@pytest.mark.parametrize("name", ALL)
def test_without_its_instrument_a_strategy_says_so_and_sends_nothing(name: str):
    strategy = ALL[name]()
    other = TestInstrumentProvider.ethusdt_perp_binance()
    run = Backtest(other, strategy)
    run.quote("2000.00", "2001.00")
    assert BTC.id.value in strategy.halted
    assert "not in the cache" in strategy.halted
    assert not strategy.is_running
    assert run.events == []
    run.stop()


@pytest.mark.parametrize("name", ALL)
def test_a_strategy_that_is_reset_does_the_same_again(name: str):
    def play(run: Backtest) -> list[str]:
        run.events.clear()
        for bid in ("50000.0", "50000.5", "50004.0", "50003.0", "50003.5"):
            run.quote(bid, str(D(bid) + 1))
        run.stop()
        return run.names()

    strategy = ALL[name]()
    first = Backtest(BTC, strategy)
    told = play(first)
    assert "OrderAccepted" in told
    first.engine.reset()
    assert strategy.halted == ""
    assert strategy.quote is None
    assert play(first) == told


@pytest.mark.parametrize("name", ALL)
def test_refusals_in_a_row_halt_a_strategy(name: str):
    # Above the most that the venue takes: every order is denied by the framework's own check.
    strategy = ALL[name](max_refusals=2)
    run = Backtest(BTC, strategy, refuses="0.001")
    for n in range(12):
        run.quote(f"{50000 + n}.0", f"{50001 + n}.0")
    refused = run.orders(condition=lambda order: order.status == OrderStatus.DENIED)
    assert len(refused) == len(run.orders()) == 2
    assert "refused" in strategy.halted
    run.stop()


def test_an_answer_in_between_makes_refusals_count_anew():
    strategy = maker(max_refusals=2, post_only=True)
    run = Backtest(BTC, strategy)
    run.quote("50000.0", "50001.0")
    strategy.refusals = 1
    run.quote("50010.0", "50011.0")
    run.quote("50010.1", "50011.1")
    assert strategy.refusals == 0
    assert strategy.halted == ""
    run.stop()


def health(state: str, client_id: str = "BINANCE", stream: str = "orders") -> FeedHealth:
    return FeedHealth(
        ts_event=0,
        ts_init=0,
        client_id=client_id,
        stream=stream,
        state=state,
        last_frame_ns=0,
        connects=1,
        gaps=0,
        malformed_frames=0,
        detail="",
    )


def tell(run: Backtest, state: str, **of: str) -> None:
    """Publish health as the client of a venue does."""
    run.engine.kernel.msgbus.publish("data.FeedHealth", health(state, **of))
    # What the strategy sent upon it is processed with the next data.


def test_a_maker_stands_aside_while_a_feed_is_not_live():
    strategy = maker(health_type=HEALTH)
    run = Backtest(BTC, strategy)
    run.quote("50000.0", "50001.0")
    assert len(run.open()) == 2
    tell(run, "STALE")
    assert strategy.down == {"orders"}
    run.quote("50000.0", "50001.0")
    run.quote("50000.1", "50001.1")
    assert run.open() == []
    tell(run, "DOWN", stream="prices")
    tell(run, "LIVE")
    run.quote("50000.0", "50001.0")
    assert run.open() == []  # the other stream is still down
    tell(run, "LIVE", stream="prices")
    run.quote("50000.0", "50001.0")
    assert len(run.open()) == 2
    run.stop()


def test_health_of_another_client_does_not_matter():
    strategy = maker(health_type=HEALTH)
    run = Backtest(BTC, strategy)
    tell(run, "DOWN", client_id="OTHER")
    run.quote("50000.0", "50001.0")
    assert len(run.open()) == 2
    run.stop()


def test_health_may_come_from_any_client_that_is_named():
    strategy = maker(health_type=HEALTH, health_client_id=ClientId("OTHER"))
    strategy.on_data(health("DOWN", client_id="OTHER"))
    assert strategy.down == {"orders"}
    strategy.on_data(SimpleNamespace(nothing="of the kind"))
    assert strategy.down == {"orders"}
    assert DataType(FeedHealth).type is FeedHealth


def test_a_crossed_quote_and_another_instrument_are_no_market():
    strategy = maker()
    run = Backtest(BTC, strategy)
    run.quote("50001.0", "50000.0")
    assert strategy.quote is None
    assert run.events == []
    run.stop()


@pytest.mark.parametrize("exit_type", ExitType)
def test_stop_cancels_and_closes(exit_type: ExitType):
    strategy = maker(exit_type=exit_type)
    run = Backtest(BTC, strategy)
    run.quote("50000.0", "50001.0")
    run.quote("50010.0", "50011.0")  # the offer fills
    assert strategy.net_position() == D("-0.01")
    run.stop()
    assert strategy.net_position() == 0
    assert run.open() == []
    (exit_order,) = run.orders("EXIT")
    assert exit_order.filled_qty == exit_order.quantity


def test_stop_leaves_orders_and_position_if_told_so():
    strategy = maker(cancel_on_stop=False, close_on_stop=False)
    run = Backtest(BTC, strategy)
    run.quote("50000.0", "50001.0")
    run.quote("50010.0", "50011.0")
    run.stop()
    assert strategy.net_position() == D("-0.01")
    assert [order.tags for order in run.open()] == [["BID"], ["OFFER"]] or len(run.open()) >= 1


def test_prices_are_on_the_tick_and_quantities_on_the_lot():
    strategy = maker()
    run = Backtest(BTC, strategy)
    run.quote("50000.0", "50001.0")
    assert strategy.price(D("50000.17"), Side.BUY).as_decimal() == D("50000.1")
    assert strategy.price(D("50000.17"), Side.SELL).as_decimal() == D("50000.2")
    assert strategy.price(D("50000.17"), Side.BUY, into=True).as_decimal() == D("50000.2")
    assert strategy.price(D("-5"), Side.BUY).as_decimal() == D("0.1")
    assert strategy.qty(D("0.0129")).as_decimal() == D("0.012")  # type: ignore[union-attr]
    assert strategy.qty(D("0.0009")) is None
    run.stop()


def test_a_monitor_needs_no_instrument_but_names_those_it_misses():
    missing = InstrumentId.from_str("NONE.BINANCE")
    monitor = Monitor(MonitorConfig(instrument_ids=[missing]))
    run = Backtest(BTC, monitor)
    run.quote("50000.0", "50001.0")
    assert monitor.is_running
    assert monitor._missing() == [missing]
    run.stop()
