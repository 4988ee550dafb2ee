"""Plays each sample strategy at one venue and in a backtest, and demands the same order events."""

from typing import Any

from nautilus_orderfeeds.sim import simulate
from tests.support.parity import allowed, contradictions, fills, mismatches, positions
from tests.support.plays import PLAYS, Play
from tests.support.profiles import VenueProfile
from tests.support.recorded_market import Played, play_backtest, play_live


async def play_twice(
    profile: VenueProfile, play: Play, *, sim_options: dict[str, Any] | None = None, **backtest: Any
) -> tuple[Played, Played]:
    """Return what came of a play live and in a backtest."""
    options = {**profile.sim_options, **(sim_options or {})}
    product = simulate(profile.name, market_flow=False, **options).market.product(profile.product)
    live = await play_live(profile, play.steps, *play.make(profile), sim_options=sim_options)
    return live, play_backtest(profile, live, play.steps, *play.make(profile), product=product, **backtest)


async def check_same(profile: VenueProfile, play: Play) -> None:
    """Nothing differs but what never can be the same, and the play was not empty."""
    live, backtest = await play_twice(profile, play)
    found = mismatches(live, backtest, allowed(profile))
    if fills(live) != fills(backtest):
        found.append(f"sequence of fills: live {fills(live)}, backtest {fills(backtest)}")
    else:
        found += contradictions(live, backtest)
    if positions(live) != positions(backtest):
        found.append(f"positions: live {positions(live)}, backtest {positions(backtest)}")
    found += [f"a quote with the strategy's own price: {told}" for told in live.foreign_tops]
    found += [f"an error in the log: {entry}" for entry in live.errors]
    kinds = {type(event).__name__ for _, event in live.events}
    found += [f"no {kind} in the whole play" for kind in ("OrderAccepted", "OrderFilled") if kind not in kinds]
    assert not found, "\n".join(found)


__all__ = ["PLAYS", "check_same", "play_twice"]
