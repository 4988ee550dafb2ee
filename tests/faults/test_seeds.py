"""Fifty seeds of faults a venue: whatever is dropped, doubled, reordered, cut or lost, the books agree in the end.

A venue's other forms (dialects, kinds of account) have fewer here, and as many as all others in `make soak`.
"""

import pytest

from nautilus_orderfeeds.venues import registry
from tests.support.chaos import run_seed
from tests.support.chaos_venues import ALL

SEEDS = 50
SEEDS_OF_A_VARIANT = 12

RUNS = [
    (name, seed)
    for name in sorted(ALL)
    for seed in range(SEEDS if name in {"bsx", "acttrader", "sfox", "roxom", "outpoll"} else SEEDS_OF_A_VARIANT)
]


@pytest.mark.node
@pytest.mark.timeout(90)
@pytest.mark.parametrize(("venue", "seed"), RUNS)
async def test_cache_equals_ledger_after_faults(venue: str, seed: int) -> None:
    comparison, armed = await run_seed(ALL[venue], seed)

    assert comparison.orders > 0, "the chaos placed hardly any order: it tests nothing"
    assert not comparison.differences, f"faults {armed}: {comparison.differences}"


def test_every_venue_has_its_fifty() -> None:
    fifty = {ALL[name].venue for name in ALL if sum(run[0] == name for run in RUNS) == SEEDS}
    assert fifty == set(registry.names())
