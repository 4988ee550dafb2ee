"""Fifty seeds of faults a venue: whatever is dropped, doubled, reordered, cut or lost, the books agree in the end."""

import pytest

from tests.support.chaos import run_seed
from tests.support.chaos_venues import ALL

SEEDS = 50

#: Outpoll is still being finished: now and then a seed of its leaves two orders alike, whose creation was cut off,
#: unresolved for good. `make soak` runs it; it joins here when every seed agrees.
UNFINISHED = ("outpoll",)
FINISHED = sorted(name for name in ALL if not name.startswith(UNFINISHED))


@pytest.mark.node
@pytest.mark.timeout(90)
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("venue", FINISHED)
async def test_cache_equals_ledger_after_faults(venue: str, seed: int) -> None:
    comparison, armed = await run_seed(ALL[venue], seed)

    assert comparison.orders > 0, "the chaos placed hardly any order: it tests nothing"
    assert not comparison.differences, f"faults {armed}: {comparison.differences}"
