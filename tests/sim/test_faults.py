"""Faults are reproducible, and go where they are sent."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.sim.faults import Fault, FaultInjector, Injection

opportunities = st.lists(
    st.tuples(
        st.sampled_from((Fault.DROP, Fault.DOUBLE, Fault.RATE_LIMIT)),
        st.sampled_from(("orders", "book", "POST /orders")),
    ),
    max_size=80,
)


def run(seed: int, moments: list[tuple[Fault, str]], *, with_more: bool = False) -> list[Injection]:
    faults = FaultInjector(seed)
    faults.arm(Fault.DROP, probability=0.3, where="orders")
    faults.arm(Fault.DOUBLE, probability=0.5)
    faults.arm(Fault.RATE_LIMIT, probability=0.4, where="POST *")
    if with_more:
        faults.arm(Fault.GARBAGE, probability=0.5)
        faults.arm(Fault.DROP, probability=0.9, where="book")
    for fault, name in moments:
        if with_more:
            faults.strike(Fault.GARBAGE, name)
        faults.strike(fault, name)
    return faults.log


@settings(max_examples=100)
@given(st.integers(0, 2**32), opportunities)
def test_the_same_seed_and_opportunities_give_the_same_faults(seed: int, moments: list[tuple[Fault, str]]) -> None:
    assert run(seed, moments) == run(seed, moments)


@settings(max_examples=50)
@given(st.integers(0, 2**32), opportunities)
def test_one_fault_does_not_change_the_luck_of_another(seed: int, moments: list[tuple[Fault, str]]) -> None:
    def kept(log: list[Injection]) -> list[Injection]:
        others = (Fault.GARBAGE,)
        return [i for i in log if i.fault not in others and (i.fault, i.where) != (Fault.DROP, "book")]

    assert kept(run(seed, moments)) == kept(run(seed, moments, with_more=True))


def test_seeds_differ() -> None:
    moments = [(Fault.DROP, "orders")] * 60
    assert len({tuple(range(len(run(seed, moments)))) for seed in range(20)}) > 1


def test_once_strikes_once_and_only_there() -> None:
    faults = FaultInjector(1)
    faults.once(Fault.RESET, where="orders/update")
    assert faults.strike(Fault.RESET, "orders", "orders/snapshot") is None
    assert faults.strike(Fault.DROP, "orders", "orders/update") is None
    assert faults.strike(Fault.RESET, "orders", "orders/update") is not None
    assert faults.strike(Fault.RESET, "orders", "orders/update") is None
    assert faults.log == [Injection(Fault.RESET, "orders")]


def test_times_probability_and_settings() -> None:
    faults = FaultInjector(2)
    faults.arm(Fault.SLOW_ANSWER, times=2, secs=0.5)
    struck = [faults.strike(Fault.SLOW_ANSWER, "GET /x") for _ in range(3)]
    assert [s is not None for s in struck] == [True, True, False]
    assert struck[0] is not None
    assert struck[0].setting("secs", 9.0) == 0.5
    assert struck[0].setting("other", 9.0) == 9.0
    faults.arm(Fault.DROP, probability=0.0)
    assert all(faults.strike(Fault.DROP, "orders") is None for _ in range(50))


def test_calm_ends_everything_and_tells_listeners() -> None:
    faults = FaultInjector(3)
    told = []
    faults.on_calm(lambda: told.append(True))
    faults.arm(Fault.DROP)
    faults.arm(Fault.CLOCK_SKEW, secs=-40)
    assert faults.skew_ns() == -40_000_000_000
    faults.calm()
    assert told == [True]
    assert faults.skew_ns() == 0
    assert faults.strike(Fault.DROP, "orders") is None


def test_disarm_takes_back_one_arming() -> None:
    faults = FaultInjector(4)
    armed = faults.arm(Fault.DROP)
    faults.disarm(armed)
    faults.disarm(armed)
    assert faults.strike(Fault.DROP, "orders") is None


def test_how_stale_something_is() -> None:
    faults = FaultInjector(1)
    assert faults.lag("GET /orders") == 0
    faults.once(Fault.STALE_SNAPSHOT, where="GET /orders")
    faults.once(Fault.STALE_SNAPSHOT, where="orders/*", lag=3)
    assert [faults.lag("GET /fills"), faults.lag("orders", "orders/snapshot"), faults.lag("GET /orders")] == [0, 3, 1]
    assert faults.lag("GET /orders") == 0
