"""The live examples of ROXOM, at the simulated venue."""

import pytest

from tests.support.example_runs import check_live_examples

pytestmark = [pytest.mark.node, pytest.mark.slow]


async def test_live_examples_run_at_the_simulated_venue():
    await check_live_examples("roxom")
