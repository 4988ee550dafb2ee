"""The plays of parity: each sample strategy, configured for what a venue can do, and the market it is played to.

Prices are ticks from the start. The markets are written so that the strategy's own orders are never the best price
(they would be in the venue's quotes, but not in those of a backtest), except where a test wants just that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import AccountType

from nautilus_orderfeeds.orders.words import OrderType
from nautilus_orderfeeds.venues.capabilities import Capabilities, Feature
from strategies.common import ExitType, Side
from strategies.guard import Guard, GuardConfig
from strategies.limit_ladder import LimitLadder, LimitLadderConfig
from strategies.market_maker import MarketMaker, MarketMakerConfig
from strategies.monitor import Monitor, MonitorConfig
from strategies.oco_breakout import Entry, Exit, OcoBreakout, OcoBreakoutConfig
from strategies.twap_iceberg import Style, TwapIceberg, TwapIcebergConfig
from tests.support.recorded_market import Hit, Move, Step
from tests.support.venue_profile import VenueProfile

#: Venues that change an order's price in both directions (sFOX: only towards the market, `Difference.AMENDS`).
AMENDS_EITHER_WAY = ("acttrader",)


@dataclass(frozen=True)
class Play:
    """One play.

    Parameters
    ----------
    name : str
    make : Callable[[VenueProfile], tuple[Strategy, ...]]
        Strategies for a venue, new ones each time.
    steps : tuple[Step, ...]
    """

    name: str
    make: Callable[[VenueProfile], tuple[Any, ...]]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return self.name


def capabilities(profile: VenueProfile) -> Capabilities:
    can: Capabilities = profile.door.DOOR.capabilities
    return can


def unit(profile: VenueProfile) -> Decimal:
    """A third of the size of the plays' orders, base units."""
    return Decimal(profile.qty) / profile.parts


def common(profile: VenueProfile) -> dict[str, Any]:
    """What every strategy is told of a venue."""
    can = capabilities(profile)
    return {
        "instrument_id": profile.instrument_id,
        # Where market buys are by amount of quote currency, a limit order across the market closes.
        "exit_type": ExitType.LIMIT if profile.amount else ExitType.MARKET,
        "exit_offset_ticks": 5,
        "reduce_only": can.supports(Feature.REDUCE_ONLY),
        "allow_short": not sells_only_what_it_has(profile),
    }


def sells_only_what_it_has(profile: VenueProfile) -> bool:
    """Whether the account begins without anything to sell, at a venue that lends nothing."""
    return profile.door.DOOR.account_type.name == AccountType.CASH.name and profile.name == "outpoll"


def market_maker(profile: VenueProfile, **options: Any) -> tuple[Any, ...]:
    terms = {
        **common(profile),
        "order_qty": 3 * unit(profile),
        "half_spread_ticks": 4,
        "skew_ticks": 1,
        "requote_ticks": 2,
        "max_position": 6 * unit(profile),
        "post_only": capabilities(profile).supports(Feature.POST_ONLY),
        "amend": profile.name in AMENDS_EITHER_WAY,
        **options,
    }
    return (MarketMaker(MarketMakerConfig(**terms)),)


def limit_ladder(profile: VenueProfile, **options: Any) -> tuple[Any, ...]:
    return (
        LimitLadder(
            LimitLadderConfig(
                **common(profile),
                order_qty=3 * unit(profile),
                levels=2,
                first_offset_ticks=3,
                step_ticks=3,
                take_profit_ticks=4,
                recentre_ticks=8,
                **options,
            )
        ),
    )


def has_stops(profile: VenueProfile) -> bool:
    support = capabilities(profile).order_types.get(OrderType.STOP_MARKET)
    return support is not None and support.supported


def oco_breakout(profile: VenueProfile, **options: Any) -> tuple[Any, ...]:
    terms = {
        "entry": Entry.STOPS if has_stops(profile) else Entry.LIMIT,
        "exit": Exit.OCO if capabilities(profile).supports(Feature.OCO) else Exit.MANAGED,
        **options,
    }
    return (
        OcoBreakout(
            OcoBreakoutConfig(
                order_qty=3 * unit(profile),
                range_quotes=2,
                buffer_ticks=1,
                take_profit_ticks=8,
                stop_loss_ticks=4,
                **{**common(profile), **terms},
            )
        ),
    )


def twap_iceberg(profile: VenueProfile) -> tuple[Any, ...]:
    return (
        TwapIceberg(
            TwapIcebergConfig(
                **common(profile),
                side=Side.BUY,
                total_qty=6 * unit(profile),
                slices=3,
                slice_quotes=2,
                style=Style.JOIN,
                offset_ticks=1,
                display_qty=unit(profile),
            )
        ),
    )


def guard(profile: VenueProfile) -> tuple[Any, ...]:
    return (Guard(GuardConfig(**common(profile), open_qty=3 * unit(profile), stop_loss_ticks=4, take_profit_ticks=8)),)


def monitor(profile: VenueProfile) -> tuple[Any, ...]:
    """The monitor sends nothing: it watches a ladder."""
    (ladder,) = limit_ladder(profile, order_id_tag="001")
    return ladder, Monitor(MonitorConfig(order_id_tag="009"))


MARKET_MAKER = Play(
    "market_maker",
    market_maker,
    (
        Move(-1, 1),  # quotes at -4 and 4
        Move(0, 2),  # not far enough
        Move(1, 3),  # quotes move ...
        Move(0, 4),  # ... to -2 and 6
        Hit(-2, 1),  # a third of the bid
        Move(1, 3),
        Move(-7, -5),  # the rest of the bid
        Move(-8, -4),  # long: the offer comes down to -3
        Move(2, 4),  # and fills
        Move(1, 5),
        Move(-5, -3),  # the bid fills again
        Move(-6, -2),
    ),
)
LIMIT_LADDER = Play(
    "limit_ladder",
    limit_ladder,
    (
        Move(-1, 1),  # rungs at -4, -7, 4, 7
        Move(0, 2),
        Hit(-4, 1),  # a third of the first rung
        Move(-1, 1),
        Move(-6, -4),  # the rest of it; it is to be sold at 0
        Move(1, 3),  # it is
        Move(4, 6),  # the first upper rung, to be bought back at 0
        Move(7, 9),  # the second one, at 3; the ladder is taken down ...
        Move(6, 10),
        Move(7, 9),  # ... and built anew, with bids at 4 and 1
        Move(3, 4),  # the first of these
        Move(1, 3),  # the first to take profit
        Move(0, 1),  # the second bid
        Move(-2, 0),  # the second to take profit; the ladder has to move again
        Move(-3, 1),
        Move(-2, 0),
        Move(-3, -1),
    ),
)
BREAKOUT_WINS = Play(
    "oco_breakout wins",
    oco_breakout,
    (
        Move(-1, 1),
        Move(0, 2),  # the range is -1 to 2: triggers at -2 and 3
        Move(1, 2),
        Move(4, 6, prints=True),
        Move(5, 7),
        Move(4, 6),
        Move(9, 11),
        Move(15, 17, prints=True),  # 14 is the profit
        Move(14, 16),
        Move(13, 15),
    ),
)
BREAKOUT_LOSES = Play(
    "oco_breakout loses",
    oco_breakout,
    (
        Move(-1, 1),
        Move(0, 2),
        Move(1, 2),
        Move(4, 6, prints=True),
        Move(5, 7),
        Move(4, 6),
        Move(0, 2, prints=True),  # 2 is the loss
        Move(-1, 1),
        Move(0, 2),
    ),
)
TWAP_ICEBERG = Play(
    "twap_iceberg",
    twap_iceberg,
    (
        Move(-1, 1),  # a bid at -2
        Hit(-2, 1),
        Move(0, 2),  # the second half of the slice, at -1
        Move(1, 3),  # the second slice is due: it is taken back
        Move(2, 4),  # and follows at 1
        Move(-4, -2),  # it fills
        Move(-3, -1),
        Move(-2, 0),
        *(Move(n, n + 2) for n in range(-1, 14)),  # the end takes
    ),
)
GUARD = Play(
    "guard",
    guard,
    (
        Move(-1, 1),  # bought at 1
        Move(0, 2),
        Move(4, 6),
        Move(-4, -2),  # 5 lower: sold at -4
        Move(-3, -1),
        Move(-2, 0),
    ),
)
MONITOR = Play("monitor", monitor, LIMIT_LADDER.steps)

PLAYS = (MARKET_MAKER, LIMIT_LADDER, BREAKOUT_WINS, BREAKOUT_LOSES, TWAP_ICEBERG, GUARD, MONITOR)
