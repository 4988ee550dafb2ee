"""The comparison itself: it finds an event that is missing, doubled, out of place or has another number in it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from strategies.market_maker import MarketMaker, MarketMakerConfig
from tests.support.backtests import Backtest
from tests.support.parity import by_order, contradictions, fills, mismatches, positions
from tests.support.recorded_market import Played, role_of

BTC = TestInstrumentProvider.btcusdt_perp_binance()


def played() -> Played:
    """A short backtest with two orders and a fill in two parts."""
    strategy = MarketMaker(MarketMakerConfig(instrument_id=BTC.id, order_qty=Decimal("0.01")))
    run = Backtest(BTC, strategy)
    run.quote("50000.0", "50001.0")
    (bid,) = run.open("BID")
    run.trade(bid.price.as_decimal(), "0.004", AggressorSide.SELLER)
    run.quote("49990.0", "49991.0")
    run.stop()
    return Played([(role_of(run.cache, event), event) for event in run.events], run.cache)


def changed(event: OrderFilled, **values: Any) -> OrderFilled:
    return OrderFilled.from_dict({**OrderFilled.to_dict(event), **values})


def first_fill(events: list[Any]) -> int:
    return next(n for n, (_, event) in enumerate(events) if isinstance(event, OrderFilled))


def drop(events: list[Any]) -> None:
    del events[first_fill(events)]


def double(events: list[Any]) -> None:
    events.append(events[first_fill(events)])


def swap(events: list[Any]) -> None:
    at = first_fill(events)
    second = next(n for n in range(at + 1, len(events)) if isinstance(events[n][1], OrderFilled))
    events[at], events[second] = events[second], events[at]


def another_price(events: list[Any]) -> None:
    at = first_fill(events)
    events[at] = (events[at][0], changed(events[at][1], last_px="49999.9"))


def another_quantity(events: list[Any]) -> None:
    at = first_fill(events)
    events[at] = (events[at][0], changed(events[at][1], last_qty="0.005"))


def another_side(events: list[Any]) -> None:
    at = first_fill(events)
    events[at] = (events[at][0], changed(events[at][1], liquidity_side="TAKER"))


def another_role(events: list[Any]) -> None:
    events[:] = [("OFFER" if role == "BID" else role, event) for role, event in events]


def test_a_play_is_like_itself_played_again():
    first, second = played(), played()
    assert len(by_order(first)) >= 3
    assert mismatches(first, second) == []
    assert fills(first) == fills(second)
    assert contradictions(first, second) == []
    assert positions(first) == positions(second)


@pytest.mark.parametrize("spoil", [drop, double, swap, another_price, another_quantity, another_side, another_role])
def test_whatever_differs_is_found(spoil: Callable[[list[Any]], None]):
    good, bad = played(), played()
    spoil(bad.events)
    assert mismatches(bad, good)


def test_a_fill_on_the_wrong_side_is_a_contradiction_and_an_untold_one_is_none():
    good, bad, silent = played(), played(), played()
    another_side(bad.events)
    assert len(contradictions(bad, good)) == 1
    at = first_fill(silent.events)
    silent.events[at] = (silent.events[at][0], changed(silent.events[at][1], liquidity_side="NO_LIQUIDITY_SIDE"))
    assert contradictions(silent, good) == []


def test_numbers_are_compared_whatever_their_precision():
    good, other = played(), played()
    at = first_fill(other.events)
    other.events[at] = (other.events[at][0], changed(other.events[at][1], last_qty="0.00400000"))
    assert mismatches(other, good) == []
