"""For all tests: property tests are reproducible in CI, and random (with their failures kept) elsewhere."""

import os

import pytest
from hypothesis import settings

# A loaded machine makes single examples slow: their time says nothing.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the tests that wait long: neighbours go to the same worker, for which all others would wait in the end."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    every = len(rest) // (len(slow) + 1) + 1
    items.clear()
    for n, item in enumerate(rest):
        if n % every == 0 and slow:
            items.append(slow.pop())
        items.append(item)
    items.extend(slow)
