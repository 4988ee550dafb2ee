"""The market maker in a backtest."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import AggressorSide, OrderStatus
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from strategies.market_maker import MarketMaker, MarketMakerConfig
from tests.support.backtests import Backtest

BTC = TestInstrumentProvider.btcusdt_perp_binance()
D = Decimal


def start(**options: Any) -> tuple[MarketMaker, Backtest]:
    """Half a spread of 10 ticks of 0.1 around the middle, inventory leaning by 4 ticks a quote."""
    terms = {"order_qty": D("0.01"), "half_spread_ticks": 10, "skew_ticks": 4, "requote_ticks": 3, **options}
    strategy = MarketMaker(MarketMakerConfig(instrument_id=BTC.id, **terms))
    return strategy, Backtest(BTC, strategy)


def prices(run: Backtest) -> dict[str, Decimal]:
    return {order.tags[0]: order.price.as_decimal() for order in run.open()}


def test_it_quotes_both_sides_around_the_middle():
    _, run = start()
    run.quote("50000.0", "50001.0")
    assert prices(run) == {"BID": D("49999.5"), "OFFER": D("50001.5")}


def test_a_small_move_leaves_the_quotes_a_larger_one_replaces_them_one_after_the_other():
    _, run = start()
    run.quote("50000.0", "50001.0")
    run.quote("50000.2", "50001.2")
    assert "OrderPendingCancel" not in run.names()
    run.quote("50000.3", "50001.3")
    assert prices(run) == {}  # cancelled; the next quote of the market brings new ones
    run.quote("50000.3", "50001.3")
    assert prices(run) == {"BID": D("49999.8"), "OFFER": D("50001.8")}
    assert len(run.orders()) == 4


def test_where_orders_can_be_changed_they_are():
    _, run = start(amend=True)
    run.quote("50000.0", "50001.0")
    run.quote("50000.5", "50001.5")
    assert prices(run) == {"BID": D("50000.0"), "OFFER": D("50002.0")}
    assert len(run.orders()) == 2
    assert run.names("BID")[-1] == "OrderUpdated"


def test_after_a_refused_change_the_order_is_cancelled_instead():
    strategy, run = start(amend=True)
    run.quote("50000.0", "50001.0")
    (bid,) = run.open("BID")
    strategy._unamendable.add(bid.client_order_id.value)  # as OrderModifyRejected does
    run.quote("50000.5", "50001.5")
    assert bid.status == OrderStatus.CANCELED
    (offer,) = run.open("OFFER")
    assert offer.price.as_decimal() == D("50002.0")


def test_inventory_moves_both_quotes_against_it():
    strategy, run = start()
    run.quote("50000.0", "50001.0")
    run.trade("49999.5", "0.01", AggressorSide.SELLER)
    assert strategy.net_position() == D("0.01")
    run.quote("50000.0", "50001.0")
    run.quote("50000.0", "50001.0")
    # Long by one quote: 4 ticks lower than around the middle alone.
    assert prices(run) == {"BID": D("49999.1"), "OFFER": D("50001.1")}


def test_a_part_filled_quote_stays_until_it_is_moved_and_the_new_one_has_the_full_size():
    strategy, run = start()
    run.quote("50000.0", "50001.0")
    run.trade("49999.5", "0.004", AggressorSide.SELLER)
    run.quote("50000.0", "50001.0")
    (bid,) = run.open("BID")
    assert (bid.status, bid.leaves_qty.as_decimal()) == (OrderStatus.PARTIALLY_FILLED, D("0.006"))
    run.quote("50001.0", "50002.0")
    run.quote("50001.0", "50002.0")
    (new,) = run.open("BID")
    assert bid.status == OrderStatus.CANCELED
    assert new.quantity.as_decimal() == D("0.01")
    assert strategy.net_position() == D("0.004")


def test_the_position_stays_within_its_bound_and_may_always_shrink():
    strategy, run = start(max_position=D("0.02"), skew_ticks=0)
    for n in range(8):  # a market that falls on and on fills every bid
        run.quote(f"{50000 - 10 * n}.0", f"{50001 - 10 * n}.0")
    assert strategy.net_position() == D("0.02")
    assert set(prices(run)) <= {"OFFER"}
    run.quote("49900.0", "49901.0")
    run.quote("49900.0", "49901.0")
    assert set(prices(run)) == {"OFFER"}


def test_without_short_positions_it_offers_only_what_it_has():
    strategy, run = start(allow_short=False)
    run.quote("50000.0", "50001.0")
    assert set(prices(run)) == {"BID"}
    run.quote("49990.0", "49991.0")
    assert strategy.net_position() == D("0.01")
    run.quote("49990.0", "49991.0")
    assert set(prices(run)) == {"BID", "OFFER"}


def test_a_quote_never_takes_whatever_the_inventory():
    _, run = start(half_spread_ticks=1, skew_ticks=100, max_position=D("0.05"))
    run.quote("50000.0", "50001.0")
    run.quote("49990.0", "49991.0")  # the bid fills: the lean is ten units of price
    run.quote("49990.0", "49991.0")
    assert prices(run)["OFFER"] == D("49990.1")
    assert not run.fills("OFFER")


def test_an_order_size_below_the_least_halts_it():
    strategy, run = start(order_qty=D("0.0001"))
    run.quote("50000.0", "50001.0")
    assert "order_qty 0.0001" in strategy.halted
    assert run.events == []
