"""The breakout in a backtest: every way in, every way out, and what goes wrong."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.model.enums import AggressorSide, OrderStatus
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from strategies.oco_breakout import Entry, Exit, OcoBreakout, OcoBreakoutConfig, Phase
from tests.support.backtests import Backtest

BTC = TestInstrumentProvider.btcusdt_perp_binance()
D = Decimal


def start(**options: Any) -> tuple[OcoBreakout, Backtest]:
    """The range of two quotes, 50000.0 to 50001.1, and two ticks of 0.1 beyond it: 49999.8 and 50001.3."""
    terms = {"order_qty": D("0.01"), "range_quotes": 2, "take_profit_ticks": 40, "stop_loss_ticks": 20, **options}
    venue = terms.pop("venue", {})
    strategy = OcoBreakout(OcoBreakoutConfig(instrument_id=BTC.id, **terms))
    run = Backtest(BTC, strategy, **venue)
    run.quote("50000.0", "50001.0")
    run.quote("50000.1", "50001.1")
    return strategy, run


def ticks(run: Backtest, *bids: str) -> None:
    for bid in bids:
        run.quote(bid, str(D(bid) + 1))


def test_the_range_counts_changes_of_price_only():
    strategy = OcoBreakout(OcoBreakoutConfig(instrument_id=BTC.id, order_qty=D("0.01"), range_quotes=3))
    run = Backtest(BTC, strategy)
    ticks(run, "50000.0", "50000.0", "50000.0")
    assert strategy.phase is Phase.RANGE
    ticks(run, "50001.0", "49999.0")
    assert strategy.phase is Phase.ARMED
    assert (strategy.low, strategy.high) == (D("49999.0"), D("50002.0"))
    ticks(run, "50000.0")
    assert run.orders() == []


@pytest.mark.parametrize("entry", [Entry.OCO, Entry.STOPS])
def test_stop_entries_rest_at_both_edges_and_one_fill_cancels_the_other(entry: Entry):
    strategy, run = start(entry=entry)
    triggers = {order.tags[0]: order.trigger_price.as_decimal() for order in run.open()}
    assert triggers == {"ENTRY-BUY": D("50001.3"), "ENTRY-SELL": D("49999.8")}
    ticks(run, "50003.0")
    (buy,), (sell,) = run.orders("ENTRY-BUY"), run.orders("ENTRY-SELL")
    assert (buy.status, sell.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
    assert strategy.net_position() == D("0.01")


@pytest.mark.parametrize("entry", Entry)
@pytest.mark.parametrize("exit_", Exit)
@pytest.mark.parametrize(("up", "wins"), [(True, True), (True, False), (False, True), (False, False)])
def test_every_entry_and_exit_makes_one_round_trip(entry: Entry, exit_: Exit, up: bool, wins: bool):
    strategy, run = start(entry=entry, exit=exit_)
    sign = 1 if up else -1
    ticks(run, str(50000 + sign * 3), str(50000 + sign * 3), str(D("50000.1") + sign * 3))
    assert strategy.phase is Phase.ENTERED
    assert strategy.net_position() == sign * D("0.01")
    leaves = sign if wins else -sign
    ticks(run, *(str(D(50000) + sign * 3 + leaves * D(n)) for n in ("6", "6.1", "6.2", "6.3")))
    assert strategy.phase is Phase.DONE
    assert strategy.net_position() == 0
    assert run.open() == []
    role = "TAKE-PROFIT" if wins else "STOP-LOSS"
    assert sum(fill.last_qty.as_decimal() for fill in run.fills(role)) == D("0.01")


def test_a_part_filled_entry_is_cancelled_and_what_it_got_is_protected():
    strategy, run = start(entry=Entry.LIMIT, exit=Exit.OCO, exit_offset_ticks=0, venue={"liquidity_consumption": True})
    run.quote("50002.0", "50003.0", size="0.004")
    ticks(run, "50003.5", "50003.5", "50003.5")
    (entry,) = run.orders("ENTRY-BUY")
    assert (entry.status, entry.filled_qty.as_decimal()) == (OrderStatus.CANCELED, D("0.004"))
    assert [order.quantity.as_decimal() for order in run.open()] == [D("0.004"), D("0.004")]
    assert strategy.phase is Phase.ENTERED


def test_an_entry_that_missed_the_market_is_taken_back_and_tried_again():
    late = LatencyModel(base_latency_nanos=1_500_000)  # the quotes of this test are a millisecond apart
    strategy, run = start(entry=Entry.LIMIT, exit_offset_ticks=0, venue={"latency_model": late})
    ticks(run, "50002.0", "50010.0", "50010.1", "50010.2", "50010.3", "50010.4")
    (first,) = run.orders("ENTRY-BUY")
    assert (first.status, first.filled_qty.as_decimal()) == (OrderStatus.CANCELED, 0)
    ticks(run, *["50010.5"] * 8)
    assert strategy.net_position() == D("0.01")
    assert len(run.orders("ENTRY-BUY")) == 2


def test_where_the_venue_refuses_the_exits_they_are_watched_here():
    strategy, run = start(entry=Entry.LIMIT, exit=Exit.OCO)
    ticks(run, "50002.0", "50002.1")
    assert strategy.phase is Phase.ENTERED
    for order in run.open("TAKE-PROFIT"):
        strategy.cancel_order(order)  # somebody else does; the venue then cancels the other one, too
    ticks(run, "50002.2", "50002.3", "50002.4", "50008.0", "50008.1")
    assert strategy.phase is Phase.DONE
    assert strategy.net_position() == 0
    assert len(run.fills("TAKE-PROFIT")) == 1


def test_long_only_never_sells_short():
    strategy, run = start(entry=Entry.OCO, allow_short=False)
    assert [order.tags for order in run.open()] == [["ENTRY-BUY"]]
    ticks(run, "49990.0", "49980.0")
    assert strategy.net_position() == 0


def test_several_trades_each_with_a_range_of_its_own():
    strategy, run = start(entry=Entry.LIMIT, max_trades=2)
    ticks(run, "50003.0", "50003.1", "50010.0", "50010.1")
    assert strategy.trades == 1
    assert strategy.phase is Phase.RANGE
    ticks(run, "50010.2", "50010.3", "50015.0", "50015.1", "50025.0", "50025.1")
    assert strategy.trades == 2
    assert strategy.phase is Phase.DONE


def test_stopped_in_a_position_it_leaves():
    strategy, run = start(entry=Entry.STOPS, exit=Exit.OCO)
    ticks(run, "50003.0", "50003.1")
    run.trade("50003.0", "0.001", AggressorSide.BUYER)
    run.stop()
    assert strategy.net_position() == 0
    assert run.open() == []
