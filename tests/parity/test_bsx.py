"""The sample strategies at simulated BSX and in a backtest: the same order events."""

import pytest

from tests.support.parity_plays import PLAYS, check_same
from tests.support.plays import Play
from tests.support.profiles import BSX

pytestmark = pytest.mark.node


@pytest.mark.parametrize("play", PLAYS, ids=str)
async def test_live_and_backtest_tell_the_same(play: Play):
    await check_same(BSX, play)
