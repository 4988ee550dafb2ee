"""The guard in a backtest."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from strategies.common import ExitType
from strategies.guard import Guard, GuardConfig, Guarded
from strategies.market_maker import MarketMaker, MarketMakerConfig
from tests.support.backtests import Backtest

BTC = TestInstrumentProvider.btcusdt_perp_binance()
D = Decimal


def start(*others: Any, **options: Any) -> tuple[Guard, Backtest]:
    venue = options.pop("venue", {})
    strategy = Guard(GuardConfig(instrument_id=BTC.id, **options))
    return strategy, Backtest(BTC, strategy, *others, **venue)


def ticks(run: Backtest, *bids: str) -> None:
    for bid in bids:
        run.quote(bid, str(D(bid) + 1))


@pytest.mark.parametrize("exit_type", ExitType)
@pytest.mark.parametrize(
    ("open_qty", "bids", "role"),
    [
        # Bought at 50001.0, sold at 50000.0; limits 30 ticks of 0.1 away.
        ("0.01", ("50003.9", "50004.0"), "TAKE-PROFIT"),
        ("0.01", ("49998.1", "49998.0"), "STOP-LOSS"),
        ("-0.01", ("49996.1", "49996.0"), "TAKE-PROFIT"),
        ("-0.01", ("50001.9", "50002.0"), "STOP-LOSS"),
    ],
)
def test_the_position_is_closed_at_its_limit_and_not_before(
    open_qty: str, bids: tuple[str, str], role: str, exit_type: ExitType
):
    guard, run = start(open_qty=D(open_qty), take_profit_ticks=30, stop_loss_ticks=30, exit_type=exit_type)
    ticks(run, "50000.0", bids[0])
    assert guard.net_position() == D(open_qty)
    ticks(run, bids[1])
    assert guard.net_position() == 0
    (order,) = run.orders(role)
    assert order.status == OrderStatus.FILLED
    ticks(run, "50000.0", bids[1])
    assert len(run.orders()) == 2  # done is done
    assert len(guard.closed) == 1


def test_a_trailing_limit_follows_the_best_price():
    guard, run = start(open_qty=D("0.01"), trailing_ticks=20)
    ticks(run, "50000.0", "50005.0", "50010.0", "50008.1")
    assert guard.net_position() == D("0.01")
    ticks(run, "50008.0")
    assert guard.net_position() == 0
    assert len(run.orders("TRAILING-STOP")) == 1


def test_a_closing_order_the_market_ran_away_from_is_sent_again():
    guard, run = start(
        open_qty=D("0.01"),
        stop_loss_ticks=30,
        exit_type=ExitType.LIMIT,
        exit_offset_ticks=0,
        venue={"liquidity_consumption": True},
    )
    ticks(run, "50000.0")
    run.quote("49990.0", "49991.0", size="0.004")
    (first,) = run.orders("STOP-LOSS")
    assert first.filled_qty.as_decimal() == D("0.004")
    ticks(run, "49980.0", "49970.0")
    assert first.status == OrderStatus.CANCELED
    assert guard.net_position() == 0
    assert [order.quantity.as_decimal() for order in run.orders("STOP-LOSS")] == [D("0.01"), D("0.006")]
    assert len(guard.closed) == 1


def test_it_guards_the_positions_of_others_if_told_to():
    maker = MarketMaker(
        MarketMakerConfig(
            instrument_id=BTC.id, order_qty=D("0.01"), allow_short=False, max_position=D("0.01"), order_id_tag="002"
        )
    )
    guard, run = start(maker, guarded=Guarded.NET, stop_loss_ticks=50, order_id_tag="001")
    ticks(run, "50000.0", "49995.0")
    assert maker.net_position() == D("0.01")
    ticks(run, "49980.0")
    # The framework keeps positions by strategy; what counts at the venue is their sum.
    assert maker.net_position() + guard.net_position() == 0
    ticks(run, "49980.1", "49970.0")
    assert len(run.orders("STOP-LOSS")) == 1


def test_it_leaves_the_positions_of_others_alone_otherwise():
    maker = MarketMaker(
        MarketMakerConfig(
            instrument_id=BTC.id, order_qty=D("0.01"), allow_short=False, max_position=D("0.01"), order_id_tag="002"
        )
    )
    guard, run = start(maker, stop_loss_ticks=50, order_id_tag="001")
    ticks(run, "50000.0", "49995.0", "49980.0")
    assert maker.net_position() == D("0.01")
    assert guard.closed == []


def test_without_any_limit_it_says_so():
    guard, run = start(open_qty=D("0.01"))
    ticks(run, "50000.0", "40000.0")
    assert "no limit" in guard.halted
    assert run.orders() == []


def test_stopped_it_leaves_the_position_unless_told_to_close_it():
    for close, left in ((False, D("0.01")), (True, D(0))):
        guard, run = start(open_qty=D("0.01"), stop_loss_ticks=30, close_on_stop=close)
        ticks(run, "50000.0", "50000.1")
        run.stop()
        assert guard.net_position() == left
