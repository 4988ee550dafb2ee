"""Many orders alike, many creates cut off or lost: the books agree, though the venue never names an order of ours."""

import random
from dataclasses import replace
from typing import Any

import pytest

from nautilus_orderfeeds.sim.faults import Fault
from tests.support import chaos
from tests.support.chaos_venues import ROXOM, ROXOM_PAGE

SEEDS = 4
CREATES = {
    Fault.LOST_ANSWER: 0.3,
    Fault.ERROR_BEFORE_EFFECT: 0.2,
    Fault.ERROR_AFTER_EFFECT: 0.1,
    Fault.SLOW_ANSWER: 0.1,
}


def arm(sim: Any, what: chaos.Chaos, rng: random.Random) -> list[str]:
    """Two creates in three go wrong, and a third of the events is lost."""
    for fault, probability in CREATES.items():
        sim.faults.arm(fault, where=what.creates, probability=probability)
    sim.faults.arm(Fault.DROP, where=what.frames, probability=0.3)
    return [fault.name for fault in CREATES]


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(90)
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("what", [ROXOM, ROXOM_PAGE], ids=["later", "page"])
async def test_the_books_agree(what: chaos.Chaos, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos, "arm", arm)
    # Without prices of their own, there are only twelve different orders.
    comparison, _ = await chaos.run_seed(replace(what, kinds=("market",)), seed, acts=50)
    assert comparison.orders > 10, "the chaos placed hardly any order: it tests nothing"
    assert not comparison.differences, comparison.differences
