"""The sample strategies at simulated venues that cannot do what they were told, refuse, or are late.

That they do what they should where all is well is the subject of `tests/parity`, at every venue.
"""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.events import OrderDenied, OrderEvent, OrderRejected

from nautilus_orderfeeds.orders.words import OrderType
from nautilus_orderfeeds.venues.capabilities import Feature
from strategies.common import ExitType, Side
from strategies.guard import Guard, GuardConfig
from strategies.oco_breakout import Entry, Exit, Phase
from strategies.twap_iceberg import Style, TwapIceberg, TwapIcebergConfig
from tests.support.outpoll_profile import OUTPOLL
from tests.support.plays import capabilities, common, has_stops, market_maker, oco_breakout, unit
from tests.support.profiles import BSX, PROFILES, VenueProfile
from tests.support.recorded_market import Move, Stage, live_stage
from tests.support.sfox_profile import SFOX

pytestmark = pytest.mark.node

VENUES = tuple({profile.name: profile for profile in (*PROFILES, OUTPOLL)}.values())
WALK = tuple(Move(n, n + 2) for n in range(-1, 6))


def without(feature: Feature) -> list[VenueProfile]:
    """The venues that lack something."""
    return [profile for profile in VENUES if not capabilities(profile).supports(feature)]


def reasons(stage: Stage) -> set[str]:
    return {event.reason for event in stage.run.order_events() if isinstance(event, OrderDenied | OrderRejected)}


async def check_denied_and_halted(profile: VenueProfile, strategy: Any, words: str) -> None:
    """Every order is denied with the reason, none reaches the venue, and the strategy halts and can be stopped."""
    async with live_stage(profile, strategy) as stage:
        for step in (*WALK, *(Move(n, n + 2) for n in range(6, 12))):
            await stage.play(step)
        orders = stage.run.cache.orders()
        assert orders
        assert {order.status for order in orders} == {OrderStatus.DENIED}
        assert all(words in reason for reason in reasons(stage)), reasons(stage)
        assert stage.sim.ledger.orders() == []
        assert words in strategy.halted
        assert strategy.is_running
        sent = len(orders)
        await stage.play(Move(20, 22))
        assert len(stage.run.cache.orders()) == sent  # halted is halted
        strategy.stop()
        await stage.settled()
        assert not strategy.is_running


@pytest.mark.parametrize("profile", without(Feature.POST_ONLY), ids=str)
async def test_post_only_quotes_where_there_are_none(profile: VenueProfile):
    (maker,) = market_maker(profile, post_only=True)
    await check_denied_and_halted(profile, maker, "post-only")


@pytest.mark.parametrize("profile", without(Feature.DISPLAY_QTY), ids=str)
async def test_native_icebergs_where_there_are_none(profile: VenueProfile):
    config = TwapIcebergConfig(
        **common(profile),
        side=Side.BUY,
        total_qty=6 * unit(profile),
        slices=2,
        style=Style.JOIN,
        offset_ticks=2,
        display_qty=unit(profile),
        native_iceberg=True,
    )
    await check_denied_and_halted(profile, TwapIceberg(config), "display quantity")


@pytest.mark.parametrize("profile", [p for p in VENUES if not has_stops(p)], ids=str)
async def test_stop_entries_where_there_are_none(profile: VenueProfile):
    (breakout,) = oco_breakout(profile, entry=Entry.STOPS)
    await check_denied_and_halted(profile, breakout, "order type")


async def test_market_orders_in_base_units_at_sfox():
    config = GuardConfig(**{**common(SFOX), "exit_type": ExitType.MARKET}, open_qty=3 * unit(SFOX), stop_loss_ticks=4)
    await check_denied_and_halted(SFOX, Guard(config), "quote_quantity")


@pytest.mark.parametrize("profile", without(Feature.OCO), ids=str)
async def test_where_the_venue_has_no_pairs_the_strategy_watches_the_exits_itself(profile: VenueProfile):
    # Not even one refusal is left, and still the position is not left alone.
    (breakout,) = oco_breakout(profile, entry=Entry.LIMIT, exit=Exit.OCO, max_refusals=1)
    async with live_stage(profile, breakout) as stage:
        for step in (Move(-1, 1), Move(0, 2), Move(4, 6), Move(5, 7), Move(4, 6), Move(5, 7)):
            await stage.play(step)
        assert breakout.phase is Phase.ENTERED
        assert breakout.net_position() == 3 * unit(profile)
        assert breakout.halted == ""
        for step in (Move(15, 17), Move(14, 16), Move(13, 15)):
            await stage.play(step)
        assert breakout.phase is Phase.DONE
        assert breakout.net_position() == 0
        breakout.stop()
        await stage.settled()


@pytest.mark.parametrize("profile", [BSX], ids=str)
async def test_rejected_by_the_venue_it_halts(profile: VenueProfile):
    size = Decimal(profile.beyond_margin)
    (maker,) = market_maker(profile, order_qty=size, max_position=size)
    async with live_stage(profile, maker, sim_options=dict(profile.cannot_cover)) as stage:
        for step in WALK:
            await stage.play(step)
        assert {order.status for order in stage.run.cache.orders()} == {OrderStatus.REJECTED}
        assert profile.margin_words in maker.halted
        maker.stop()
        await stage.settled()


async def test_a_fill_that_overtakes_the_cancel_is_counted_once():
    (maker,) = market_maker(BSX)
    async with live_stage(BSX, maker, sim_options=dict(BSX.slow_cancel(0.5))) as stage:
        await stage.play(Move(-1, 1))
        bid, offer = maker.working()
        # The market moves: both are being cancelled when it falls onto the bid.
        stage.post(Move(1, 3))
        await stage.quoted(Move(1, 3))
        await stage.run.until(lambda: bid.is_pending_cancel and offer.is_pending_cancel, "both cancels to be sent")
        stage.post(Move(-9, -7))
        await stage.settled()
        assert bid.status == OrderStatus.FILLED
        assert offer.status == OrderStatus.CANCELED
        assert maker.net_position() == 3 * unit(BSX)
        assert _ends(stage, bid) == 1
        for step in (Move(-8, -6), Move(-9, -7)):
            await stage.play(step)
        assert [order.side for order in maker.working()].count(bid.side) <= 1
        maker.stop()
        await stage.settled()
        assert maker.net_position() == 0


def _ends(stage: Stage, order: Any) -> int:
    """How many events of an order left nothing of it."""
    told: list[OrderEvent] = stage.run.order_events(order.client_order_id)
    return sum(type(event).__name__ in ("OrderFilled", "OrderCanceled", "OrderRejected") for event in told)


async def test_nothing_is_sent_below_what_the_venue_takes():
    (maker,) = market_maker(BSX, order_qty=Decimal("0.0001"))
    async with live_stage(BSX, maker) as stage:
        await stage.play(Move(-1, 1))
        assert "order_qty" in maker.halted
        assert stage.run.cache.orders() == []


def test_the_matrix_is_not_empty():
    assert len(VENUES) == 5
    stops = [p.name for p in VENUES if capabilities(p).order_types[OrderType.STOP_MARKET].supported]
    assert sorted(stops) == ["acttrader", "roxom"]
