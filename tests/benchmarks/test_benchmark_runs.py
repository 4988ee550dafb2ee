"""The benchmark measures both adapters doing the same; how fast they are is not tested."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import table_of
from benchmarks.measure import STEPS, Round, best_of, run_round, time_alone
from benchmarks.plans import plan

ORDERS = 3


def life(n: int) -> tuple[str, ...]:
    """What either adapter must tell of the `n`-th order."""
    ordered = plan(n)
    fills = (f"BUY {part.qty:.3f} @ {ordered.price} MAKER" for part in ordered.parts)
    return ("accepted", *fills)


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> list[Round]:
    """Two rounds: one with each contestant first."""
    return [run_round(tmp_path_factory.mktemp("benchmark"), number, ORDERS) for number in range(2)]


def test_both_are_timed_on_every_step(rounds: list[Round]) -> None:
    for part in rounds:
        for times in (part.bare, part.bsx, part.binance, part.journal):
            assert tuple(times) == STEPS
            assert all(microseconds > 0 for microseconds in times.values())
        assert part.account > 0


def test_both_tell_the_same_of_every_order(rounds: list[Round]) -> None:
    for part in rounds:
        assert part.told["bsx"] == part.told["binance"] == [life(n) for n in range(1, ORDERS + 1)]


def test_the_best_round_counts_and_the_verdict_is_that_of_the_numbers(rounds: list[Round]) -> None:
    best = best_of([part.bsx for part in rounds])
    assert best == {step: min(rounds[0].bsx[step], rounds[1].bsx[step]) for step in STEPS}
    for factor, expected in ((0.5, True), (2.0, False)):
        theirs = {step: best[step] * factor for step in STEPS}
        table, slower = table_of(
            [
                Round(bare=part.bare, bsx=part.bsx, binance=theirs, journal=part.journal, account=1.0, told={})
                for part in rounds
            ]
        )
        assert slower is expected
        assert table.row_count == len(STEPS)
    console = Console(file=StringIO(), width=120)
    console.print(table)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(step in printed for step in STEPS)


def test_a_lone_frame_is_committed_alone(tmp_path: Path) -> None:
    assert time_alone(tmp_path, 2) > 0
    assert (tmp_path / "alone.sqlite").stat().st_size > 0
