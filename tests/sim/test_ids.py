"""Ids that a simulated venue makes up: the same for the same seed and moment, of their version, and new otherwise."""

import uuid

import pytest

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ids import Uuids

MOMENT_NS = 1_760_000_000_123_456_789


def some(seed: int = 7, moment_ns: int = MOMENT_NS, kind: str = "orders") -> list[str]:
    ids = Uuids(seed, SimClock(lambda: moment_ns), kind)
    return [*(ids.version4() for _ in range(50)), *(ids.version7(moment_ns) for _ in range(50))]


def test_the_same_seed_and_moment_give_the_same_ids() -> None:
    assert some() == some()
    assert len(set(some())) == 100


@pytest.mark.parametrize("other", [{"seed": 8}, {"moment_ns": MOMENT_NS + 1}, {"kind": "quotes"}])
def test_another_seed_moment_or_kind_gives_others(other: dict[str, object]) -> None:
    assert set(some()).isdisjoint(some(**other))  # type: ignore[arg-type]


def test_versions() -> None:
    ids = [uuid.UUID(text) for text in some()]
    assert {(each.version, each.variant) for each in ids[:50]} == {(4, uuid.RFC_4122)}
    assert {(each.version, each.variant) for each in ids[50:]} == {(7, uuid.RFC_4122)}
    assert {each.int >> 80 for each in ids[50:]} == {MOMENT_NS // 1_000_000}
