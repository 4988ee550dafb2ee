"""Every difference of `docs/parity.md` is there: without its rule a play live and in a backtest is not the same."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderFilled

from nautilus_orderfeeds.sim import Side
from strategies.monitor import Monitor, MonitorConfig
from strategies.oco_breakout import Entry
from tests.support.acttrader_profile import ACTTRADER
from tests.support.one_order_strategy import OneShot
from tests.support.outpoll_profile import OUTPOLL
from tests.support.parity import NEVER_COMPARED, Difference, allowed, fills, mismatches
from tests.support.parity_plays import play_twice
from tests.support.plays import GUARD, LIMIT_LADDER, MARKET_MAKER, Play, limit_ladder, market_maker, oco_breakout, unit
from tests.support.profiles import BSX
from tests.support.recorded_market import Hit, Move, Played, live_stage
from tests.support.roxom_profile import ROXOM
from tests.support.sfox_profile import SFOX
from tests.support.venue_profile import VenueProfile

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"
SHOWN: dict[Difference, str] = {}
node = pytest.mark.node


def shows(difference: Difference) -> Callable[[Any], Any]:
    """Mark the test that shows a difference."""

    def register(test: Any) -> Any:
        SHOWN[difference] = test.__name__
        return node(test)

    return register


def statuses(played: Played, role: str) -> list[OrderStatus]:
    """How the orders for this ended."""
    return [order.status for order in played.cache.orders() if role in (order.tags or [])]


def once(act: Callable[[Any, Any], None], *steps: Any) -> Play:
    """A play of one order."""
    return Play("once", lambda profile: (OneShot(profile.instrument_id, act),), steps or (Move(-1, 1), Move(0, 2)))


def test_the_page_has_every_difference_and_each_is_shown():
    page = PAGE.read_text(encoding="utf-8")
    told = re.findall(r"^### (.+)$", page, re.MULTILINE)
    assert told == [difference.value for difference in Difference]
    assert set(SHOWN) == set(Difference)
    named = re.findall(r"`(test_\w+)`", page)
    assert set(SHOWN.values()) <= set(named)


# -- values that cannot be the same ----------------------------------------------------------------------------------


@shows(Difference.IDS_AND_TIMES)
async def test_ids_and_times_are_those_of_whoever_gave_them():
    live, backtest = await play_twice(BSX, GUARD)
    assert mismatches(live, backtest) == []
    assert mismatches(live, backtest, NEVER_COMPARED - {Difference.IDS_AND_TIMES})


@shows(Difference.INTERLEAVING)
async def test_answers_about_different_orders_come_in_another_sequence():
    live, backtest = await play_twice(BSX, MARKET_MAKER)
    assert mismatches(live, backtest) == []
    assert mismatches(live, backtest, NEVER_COMPARED - {Difference.INTERLEAVING})


@shows(Difference.REASONS)
async def test_refusals_have_the_words_of_whoever_refused():
    def post_across(strategy: Any, quote: Any) -> None:
        size = strategy.cache.instrument(quote.instrument_id).make_qty(unit(BSX))
        make = strategy.order_factory.limit
        strategy.submit_order(make(quote.instrument_id, OrderSide.BUY, size, quote.ask_price, post_only=True))

    live, backtest = await play_twice(BSX, once(post_across))
    assert mismatches(live, backtest) == []
    assert [order.status for order in live.cache.orders()] == [OrderStatus.REJECTED]
    assert mismatches(live, backtest, NEVER_COMPARED - {Difference.REASONS})


@shows(Difference.COMMISSIONS)
async def test_commissions_are_the_venues_own():
    live, backtest = await play_twice(BSX, GUARD)
    assert mismatches(live, backtest) == []
    assert mismatches(live, backtest, NEVER_COMPARED - {Difference.COMMISSIONS})


@shows(Difference.LIQUIDITY_SIDES)
@pytest.mark.parametrize("profile", [SFOX, ACTTRADER, ROXOM], ids=str)
async def test_some_venues_do_not_say_who_rested(profile: VenueProfile):
    live, backtest = await play_twice(profile, LIMIT_LADDER)
    assert mismatches(live, backtest, allowed(profile)) == []
    assert mismatches(live, backtest, allowed(profile) - {Difference.LIQUIDITY_SIDES})


# -- what the market of a backtest leaves out ------------------------------------------------------------------------


@shows(Difference.OWN_QUOTES)
async def test_own_orders_are_the_best_price_of_the_venues_quotes():
    # The offer at 4 is between: the venue quotes -1 to 4, and the bid has to move in the backtest only.
    steps = (Move(-1, 1), Move(-1, 5), Move(-2, 6))
    live, backtest = await play_twice(BSX, Play("own quotes", market_maker, steps))
    assert live.foreign_tops
    assert mismatches(live, backtest)


@shows(Difference.GAP_FILLS)
async def test_a_quote_beyond_two_resting_orders_fills_one_of_them_in_a_backtest():
    steps = (Move(-1, 1), Move(0, 2), Move(9, 11))  # offers at 4 and 7
    live, backtest = await play_twice(BSX, Play("gap", limit_ladder, steps))
    assert [role for role, *_ in fills(live) if role.startswith("SELL")] == ["SELL-0", "SELL-1"]
    assert [role for role, *_ in fills(backtest) if role.startswith("SELL")] == ["SELL-0"]


@shows(Difference.TRADE_THROUGH)
async def test_a_trade_beyond_the_price_fills_more_in_a_backtest():
    steps = (Move(-1, 1), Move(0, 2), Hit(-6, 1), Move(-1, 1))  # the bid is at -4
    live, backtest = await play_twice(BSX, Play("through", market_maker, steps))
    ours, theirs = ([Decimal(size) for role, size, _ in fills(played) if role == "BID"] for played in (live, backtest))
    assert ours == [unit(BSX)]
    assert sum(theirs) == 3 * unit(BSX)


@shows(Difference.SPLIT_FILLS)
async def test_a_large_order_walks_the_venues_book():
    def buy(strategy: Any, quote: Any) -> None:
        size = strategy.cache.instrument(quote.instrument_id).make_qty(3 * unit(BSX))
        strategy.submit_order(strategy.order_factory.market(quote.instrument_id, OrderSide.BUY, size))

    live, backtest = await play_twice(BSX, once(buy, Move(-1, 1, thin=True)))
    ours, theirs = (
        [(Decimal(size), Decimal(price)) for _, size, price in fills(played)] for played in (live, backtest)
    )
    assert [size for size, _ in ours] == [size for size, _ in theirs] == [unit(BSX), 2 * unit(BSX)]
    tick = live.instrument.price_increment.as_decimal()
    assert ours[1][1] - ours[0][1] == 3 * tick  # where the next level is
    assert theirs[1][1] - theirs[0][1] == tick  # quotes say nothing of it: a tick is assumed


@shows(Difference.MARKET_ACKS)
async def test_a_backtest_accepts_market_orders_only_if_told_to():
    live, backtest = await play_twice(BSX, GUARD, use_market_order_acks=False)
    assert mismatches(live, backtest)
    assert "OrderAccepted" in [type(event).__name__ for _, event in live.events]
    assert "OrderAccepted" not in [type(event).__name__ for _, event in backtest.events]


# -- what a venue cannot do ------------------------------------------------------------------------------------------


@shows(Difference.DENIALS)
@pytest.mark.parametrize("profile", [BSX, ROXOM, SFOX, ACTTRADER, OUTPOLL], ids=str)
async def test_what_a_venue_cannot_do_is_denied_there_and_done_in_a_backtest(profile: VenueProfile):
    # A buy stop and a sell stop of which one cancels the other: no venue has such a pair.
    def make(profile: VenueProfile) -> tuple[Any, ...]:
        return oco_breakout(profile, entry=Entry.OCO, max_refusals=2, allow_short=True)

    steps = (Move(-1, 1), Move(0, 2), Move(1, 2), Move(4, 6, prints=True), Move(5, 7))
    live, backtest = await play_twice(profile, Play("oco", make, steps))
    assert set(statuses(live, "ENTRY-BUY")) == {OrderStatus.DENIED}
    assert statuses(backtest, "ENTRY-BUY") == [OrderStatus.FILLED]
    (error,) = live.errors
    assert "halted: 2 orders in a row were refused" in error


@shows(Difference.AMENDS)
@pytest.mark.parametrize("profile", [BSX, SFOX], ids=str)
async def test_a_change_that_the_venue_refuses_is_made_in_a_backtest(profile: VenueProfile):
    # BSX changes no order, sFOX none away from the market; the strategy then cancels and sends another.
    live, backtest = await play_twice(profile, Play("amends", amending, (Move(-1, 1), Move(1, 3), Move(0, 4))))
    assert "OrderModifyRejected" in [type(event).__name__ for _, event in live.events]
    assert "OrderModifyRejected" not in [type(event).__name__ for _, event in backtest.events]
    assert "OrderUpdated" in [type(event).__name__ for _, event in backtest.events]


def amending(profile: VenueProfile) -> tuple[Any, ...]:
    """The market maker that changes its orders."""
    return market_maker(profile, amend=True)


@shows(Difference.ALL_OR_NONE)
async def test_an_order_that_takes_all_or_none_is_not_filled_in_parts():
    steps = (Move(-1, 1), Move(0, 2), Hit(-4, 1), Move(-1, 1))
    live, backtest = await play_twice(ACTTRADER, Play("parts", market_maker, steps), sim_options={"all_or_none": True})
    assert [role for role, *_ in fills(live) if role == "BID"] == []
    assert [role for role, *_ in fills(backtest) if role == "BID"] == ["BID"]


# -- what happens only live ------------------------------------------------------------------------------------------


@shows(Difference.EXTERNAL_ORDERS)
async def test_orders_placed_elsewhere_are_adopted_and_reported():
    claims = [BSX.instrument_id]
    monitor = Monitor(MonitorConfig(order_id_tag="009", external_order_claims=claims))
    async with live_stage(BSX, monitor) as stage:
        before = len(stage.sim.requests)
        stage.post(Move(-1, 1))
        stage.sim.place_external(BSX.product, side=Side.BUY, price=stage.price(-9), size=unit(BSX) * 3)
        await stage.run.until(lambda: monitor.adopted, "the order to be adopted")
        await stage.play(Hit(-9, 1))
        (life,) = monitor.adopted
        await stage.run.until(lambda: life.filled_qty == unit(BSX), "its fill to be reported")
        assert (life.side, life.quantity, life.status) == ("BUY", 3 * unit(BSX), "PARTIALLY_FILLED")
        assert life.avg_px == stage.price(-9)
        monitor.stop()
        await stage.settled()
        sent = [call for call in stage.sim.requests[before:] if call.method in ("POST", "DELETE")]
        assert not [call for call in sent if "order" in call.path]
        assert life.status == "PARTIALLY_FILLED"  # read-only: it leaves what it adopted alone


@shows(Difference.OUTAGES)
async def test_while_a_feed_is_not_live_the_maker_stands_aside():
    health = "nautilus_orderfeeds.adapter.custom_data:FeedHealth"
    (maker,) = healthy(BSX, health)
    async with live_stage(BSX, maker) as stage:
        await stage.play(Move(-1, 1))
        assert len(maker.working()) == 2
        stage.sim.disconnect_all(abort=True)
        stage.sim.pause()
        await stage.run.until(lambda: maker.down, "the feed to be told down")
        await stage.sim.resume()
        await stage.run.until(lambda: not maker.down, "the feed to be told live")
        await stage.settled()
        assert maker.working() == []
        assert [fill for fill in stage.run.order_events() if isinstance(fill, OrderFilled)] == []
        await stage.play(Move(0, 2))
        assert len(maker.working()) == 2
        maker.stop()
        await stage.settled()


def healthy(profile: VenueProfile, health_type: str) -> tuple[Any, ...]:
    """The market maker that follows the health of its feeds."""
    return market_maker(profile, health_type=health_type)
