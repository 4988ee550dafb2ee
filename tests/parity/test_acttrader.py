"""The sample strategies at simulated ACTTRADER and in a backtest: the same order events."""

import pytest

from tests.support.acttrader_profile import ACTTRADER
from tests.support.parity_plays import PLAYS, check_same
from tests.support.plays import Play

pytestmark = pytest.mark.node


@pytest.mark.parametrize("play", PLAYS, ids=str)
async def test_live_and_backtest_tell_the_same(play: Play):
    await check_same(ACTTRADER, play)
