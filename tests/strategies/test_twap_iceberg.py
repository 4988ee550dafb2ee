"""The executor in a backtest: slices, icebergs, and a report whose numbers are checked by hand."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs
from nautilus_trader.model.enums import AggressorSide, OrderStatus
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from strategies.common import Side
from strategies.twap_iceberg import Style, TwapIceberg, TwapIcebergConfig
from tests.support.backtests import Backtest, total

BTC = TestInstrumentProvider.btcusdt_perp_binance()
D = Decimal


def start(**options: Any) -> tuple[TwapIceberg, Backtest]:
    terms = {"side": Side.BUY, "total_qty": D("0.04"), "slices": 4, **options}
    strategy = TwapIceberg(TwapIcebergConfig(instrument_id=BTC.id, **terms))
    return strategy, Backtest(BTC, strategy)


def ticks(run: Backtest, *bids: str) -> None:
    for bid in bids:
        run.quote(bid, str(D(bid) + 1))


def test_each_slice_takes_its_part():
    strategy, run = start()
    ticks(run, "50000.0", "50001.0", "50002.0")
    assert [fill.last_qty.as_decimal() for fill in run.fills()] == [D("0.01")] * 3
    assert [fill.last_px.as_decimal() for fill in run.fills()] == [D("50001.0"), D("50002.0"), D("50003.0")]
    ticks(run, "50003.0", "50004.0", "50005.0")
    assert strategy.done
    assert total(run.fills()) == D("0.04")


def test_only_changes_of_price_make_time():
    strategy, run = start(slice_quotes=2)
    ticks(run, "50000.0", "50000.0", "50000.0", "50000.1", "50000.1")
    assert total(run.fills()) == D("0.01")
    ticks(run, "50000.2")
    assert total(run.fills()) == D("0.02")
    assert not strategy.done


def test_slices_keep_their_distance_in_time():
    _, run = start(slice_secs=0.0035)  # the quotes of this test are a millisecond apart
    ticks(run, *(f"{50000 + n}.0" for n in range(8)))
    assert total(run.fills()) == D("0.02")


def test_the_report_is_what_a_hand_would_compute():
    strategy, run = start()
    ticks(run, "50000.0", "50001.0", "50002.0", "50003.0", "50004.0")
    report = strategy.report
    assert report.filled_qty == report.total_qty == D("0.04")
    assert report.arrival_mid == D("50000.5")
    assert report.avg_px == D("50002.5")
    assert report.slippage_bps == D("2") / D("50000.5") * 10000
    assert report.shortfall == D("2") * D("0.04")
    assert report.average_mid == D("50002.5")
    assert report.slippage_to_average_bps == 0
    assert (report.orders, report.fills) == (4, 4)
    assert (report.fill_ratio, report.maker_ratio) == (1, 0)
    assert (report.maker_qty, report.taker_qty) == (0, D("0.04"))
    paid = sum((fill.commission.as_decimal() for fill in run.fills()), D(0))
    assert report.commissions == {"USDT": paid}
    assert 0 < report.first_fill_ns < report.last_fill_ns
    assert "100.0%" in str(report)


def test_a_sell_slips_the_other_way():
    strategy, run = start(side=Side.SELL)
    ticks(run, "50000.0", "50001.0", "50002.0", "50003.0", "50004.0")
    assert strategy.report.avg_px == D("50001.5")
    assert strategy.report.slippage_bps == D("-1") / D("50000.5") * 10000


def test_what_a_venue_does_not_say_is_neither_maker_nor_taker():
    strategy, run = start()
    ticks(run, "50000.0")
    report = structs.replace(strategy.report, taker_qty=D(0))
    assert "0.0% as maker, 100.0% untold" in str(report)
    assert "untold" not in str(strategy.report)


def test_a_report_without_fills_has_no_averages():
    strategy, run = start(style=Style.JOIN, offset_ticks=50)
    ticks(run, "50000.0")
    report = strategy.report
    assert (report.filled_qty, report.avg_px, report.slippage_bps, report.shortfall) == (0, None, None, None)
    assert "-" in str(report)


def test_an_iceberg_shows_a_part_and_follows_up():
    strategy, run = start(style=Style.JOIN, slices=1, slice_quotes=100, display_qty=D("0.015"))
    ticks(run, "50000.0")
    for shown in ("0.015", "0.015", "0.01"):
        (child,) = run.open()
        assert child.quantity.as_decimal() == D(shown)
        run.trade(child.price.as_decimal(), shown, AggressorSide.SELLER)
        ticks(run, "50000.0")
    assert strategy.done
    assert strategy.report.maker_ratio == 1
    assert strategy.report.slippage_bps < 0  # type: ignore[operator]


def test_a_native_iceberg_is_one_order():
    _, run = start(style=Style.JOIN, slices=1, display_qty=D("0.01"), native_iceberg=True)
    ticks(run, "50000.0")
    (child,) = run.open()
    assert (child.quantity.as_decimal(), child.display_qty.as_decimal()) == (D("0.04"), D("0.01"))


def test_a_waiting_child_follows_the_market_at_the_next_slice_and_crosses_at_the_end():
    strategy, run = start(style=Style.JOIN, slices=2)
    ticks(run, "50000.0", "50001.0")
    first = run.orders()[0]
    assert first.status == OrderStatus.CANCELED
    ticks(run, "50002.0", "50003.0", "50004.0", "50005.0", "50006.0")
    assert strategy.done
    assert strategy.report.filled_qty == D("0.04")
    assert run.orders()[-1].price.as_decimal() > run.orders()[0].price.as_decimal()


def test_without_crossing_at_the_end_it_goes_on_waiting():
    strategy, run = start(style=Style.JOIN, slices=2, cross_at_end=False)
    ticks(run, *(f"{50000 + n}.0" for n in range(9)))
    assert not strategy.done
    assert run.fills() == []


def test_it_waits_while_the_market_is_too_dear():
    strategy, run = start(max_slippage_bps=D(1))
    ticks(run, "50000.0", "50006.0", "50007.0")
    assert total(run.fills()) == D("0.01")
    ticks(run, "50001.0", "50002.0")
    assert total(run.fills()) >= D("0.03")
    assert not strategy.halted


def test_the_remainder_of_an_uneven_cut_is_filled_too():
    strategy, run = start(total_qty=D("0.01"), slices=3)
    ticks(run, *(f"{50000 + n}.0" for n in range(6)))
    assert strategy.done
    assert total(run.fills()) == D("0.01")


@pytest.mark.parametrize("fully", [True, False])
def test_stopped_before_the_end_it_cancels_and_keeps_what_it_got(fully: bool):
    strategy, run = start(style=Style.JOIN, slices=1, slice_quotes=100)
    ticks(run, "50000.0")
    run.trade("50000.0", "0.04" if fully else "0.01", AggressorSide.SELLER)
    run.stop()
    assert run.open() == []
    assert strategy.net_position() == D("0.04" if fully else "0.01")
    assert strategy.report.fill_ratio == (1 if fully else D("0.25"))
