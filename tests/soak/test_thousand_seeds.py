"""A thousand seeds of faults a venue, outside CI: `make soak`."""

import pytest

from tests.support.chaos import run_seed
from tests.support.chaos_venues import ALL


@pytest.mark.soak
@pytest.mark.node
@pytest.mark.timeout(90)
@pytest.mark.parametrize("seed", range(1_000, 2_000))
@pytest.mark.parametrize("venue", sorted(ALL))
async def test_cache_equals_ledger_after_faults(venue: str, seed: int) -> None:
    comparison, armed = await run_seed(ALL[venue], seed)

    assert not comparison.differences, f"faults {armed}: {comparison.differences}"
