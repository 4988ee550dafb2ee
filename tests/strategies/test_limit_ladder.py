"""The ladder in a backtest."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from strategies.common import Side
from strategies.limit_ladder import LimitLadder, LimitLadderConfig
from tests.support.backtests import Backtest, total

BTC = TestInstrumentProvider.btcusdt_perp_binance()
D = Decimal


def start(**options: Any) -> tuple[LimitLadder, Backtest]:
    """Two rungs a side, 10 and 20 ticks of 0.1 behind the best price."""
    terms = {"order_qty": D("0.01"), "levels": 2, "first_offset_ticks": 10, "step_ticks": 10, **options}
    strategy = LimitLadder(LimitLadderConfig(instrument_id=BTC.id, **terms))
    return strategy, Backtest(BTC, strategy)


def prices(run: Backtest) -> dict[str, Decimal]:
    return {order.tags[0]: order.price.as_decimal() for order in run.open()}


LADDER = {"BUY-0": D("49999.0"), "BUY-1": D("49998.0"), "SELL-0": D("50002.0"), "SELL-1": D("50003.0")}


def test_it_is_built_once_around_the_first_quote():
    _, run = start()
    run.quote("50000.0", "50001.0")
    assert prices(run) == LADDER
    run.quote("50000.9", "50001.9")
    assert prices(run) == LADDER
    assert len(run.orders()) == 4


def test_one_side_only():
    _, run = start(sides=(Side.BUY,))
    run.quote("50000.0", "50001.0")
    assert set(prices(run)) == {"BUY-0", "BUY-1"}


def test_it_moves_when_the_market_has_gone_too_far():
    strategy, run = start(recentre_ticks=5)
    run.quote("50000.0", "50001.0")
    run.quote("50000.4", "50001.4")
    assert prices(run) == LADDER
    run.quote("50000.5", "50001.5")
    run.quote("50000.5", "50001.5")  # all are over: the next quote builds anew
    run.quote("50000.5", "50001.5")
    assert prices(run) == {role: price + D("0.5") for role, price in LADDER.items()}
    assert strategy.centre == D("50001.0")


def test_what_a_rung_filled_is_taken_off_and_the_rung_placed_again():
    strategy, run = start(take_profit_ticks=15)
    run.quote("50000.0", "50001.0")
    run.trade("49999.0", "0.01", AggressorSide.SELLER)
    run.quote("50000.0", "50001.0")
    assert prices(run)["PROFIT-BUY-0"] == D("50000.5")
    assert "BUY-0" not in prices(run)
    run.quote("50000.6", "50001.6")
    run.quote("50000.6", "50001.6")
    assert strategy.net_position() == 0
    assert prices(run) == LADDER
    assert total(run.fills("PROFIT-BUY-0")) == D("0.01")


def test_a_part_filled_rung_that_was_moved_is_still_taken_off():
    strategy, run = start(take_profit_ticks=15, recentre_ticks=3)
    run.quote("50000.0", "50001.0")
    run.trade("49999.0", "0.004", AggressorSide.SELLER)
    run.quote("50000.3", "50001.3")
    run.quote("50000.3", "50001.3")
    run.quote("50000.3", "50001.3")
    (profit,) = run.open("PROFIT-BUY-0")
    assert (profit.quantity.as_decimal(), profit.price.as_decimal()) == (D("0.004"), D("50000.5"))
    assert strategy.net_position() == D("0.004")


def test_a_cancelled_profit_order_is_sent_again():
    strategy, run = start(take_profit_ticks=15)
    run.quote("50000.0", "50001.0")
    run.trade("49999.0", "0.01", AggressorSide.SELLER)
    run.quote("50000.0", "50001.0")
    strategy.cancel_order(run.open("PROFIT-BUY-0")[0])
    run.quote("50000.0", "50001.0")
    run.quote("50000.0", "50001.0")
    assert len(run.orders("PROFIT-BUY-0")) == 2
    assert len(run.open("PROFIT-BUY-0")) == 1


def test_without_short_positions_no_rung_sells():
    _, run = start(allow_short=False)
    run.quote("50000.0", "50001.0")
    assert set(prices(run)) == {"BUY-0", "BUY-1"}
