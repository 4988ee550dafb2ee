"""The monitor in a backtest: it sees everything and sends nothing. (Adopting is for live: `test_venues`.)"""

from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from strategies.limit_ladder import LimitLadder, LimitLadderConfig
from strategies.monitor import Monitor, MonitorConfig
from tests.support.backtests import Backtest

BTC = TestInstrumentProvider.btcusdt_perp_binance()
D = Decimal


def start(**options: Any) -> tuple[Monitor, Backtest]:
    monitor = Monitor(MonitorConfig(order_id_tag="009", **options))
    ladder = LimitLadder(LimitLadderConfig(instrument_id=BTC.id, order_qty=D("0.01"), levels=1, order_id_tag="001"))
    return monitor, Backtest(BTC, ladder, monitor)  # stopped last


def test_it_follows_the_orders_of_others_and_sends_nothing():
    monitor, run = start()
    run.quote("50000.0", "50001.0")
    (bid,) = run.open("BUY-0")
    run.trade(bid.price.as_decimal(), "0.004", AggressorSide.SELLER)
    run.strategies[0].stop()
    run.quote("50000.0", "50001.0")
    run.stop()
    assert not run.cache.orders(strategy_id=monitor.id)
    assert len(monitor.lives) == 3  # both rungs and the order that closes the position
    life = monitor.lives[bid.client_order_id.value]
    published = [type(e).__name__ for e in run.events if e.client_order_id == bid.client_order_id]
    assert life.events == published
    assert (life.side, life.status, life.filled_qty) == ("BUY", "CANCELED", D("0.004"))
    assert life.avg_px == bid.price.as_decimal()
    assert list(life.commissions) == ["USDT"]
    assert not life.is_adopted
    assert monitor.adopted == []
    assert monitor.summary() == {"CANCELED": 2, "FILLED": 1}
    assert "0.004" in str(life)


def test_it_can_be_told_not_to_watch_others():
    monitor, run = start(watch_others=False)
    run.quote("50000.0", "50001.0")
    assert monitor.lives == {}
    run.stop()


def test_it_can_be_told_which_instruments():
    other = TestInstrumentProvider.ethusdt_perp_binance()
    monitor, run = start(instrument_ids=[other.id])
    run.quote("50000.0", "50001.0")
    assert monitor.lives == {}
    run.stop()


def test_started_late_it_takes_in_what_is_there():
    monitor, run = start()
    monitor_events = monitor.lives
    run.quote("50000.0", "50001.0")
    monitor.stop()
    seen = {key: list(life.events) for key, life in monitor_events.items()}
    monitor.reset()
    assert monitor.lives == {}
    monitor.start()
    assert {key: life.events for key, life in monitor.lives.items()} == seen
    run.stop()
