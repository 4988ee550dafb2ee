"""Fifty seeds of faults a venue: whatever is dropped, doubled, reordered, cut or lost, the books agree in the end."""

import pytest

from tests.support.chaos import run_seed
from tests.support.chaos_venues import ALL

SEEDS = 50


@pytest.mark.node
@pytest.mark.timeout(90)
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("venue", sorted(ALL))
async def test_cache_equals_ledger_after_faults(venue: str, seed: int) -> None:
    comparison, armed = await run_seed(ALL[venue], seed)

    assert comparison.orders > 0, "the chaos placed hardly any order: it tests nothing"
    assert not comparison.differences, f"faults {armed}: {comparison.differences}"
