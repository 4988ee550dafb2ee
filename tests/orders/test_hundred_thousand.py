"""A hundred thousand random histories: not one broken law.

In ten parts, so that they spread over workers. More of them: ``python -m tests.support.hunting 1000000``.
"""

import pytest

from tests.support.hunting import hunt

_PARTS = 10
_EACH = 10_000


@pytest.mark.parametrize("part", range(_PARTS))
def test_no_history_breaks_a_law(part: int) -> None:
    found = hunt(part * _EACH, _EACH)
    assert not found, "\n\n".join(found)
