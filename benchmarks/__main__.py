"""`python -m benchmarks`: cost of one frame, beside the in-tree Binance adapter and the framework's bare events.

Rounds of both are interleaved in one process and the best round of each step counts, so that a noisy neighbour hits
both alike. Exit code 1 if `handle_frame` is slower than the Binance adapter on any step.
"""

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import STEPS, Round, best_of, run_round, time_alone

ORDERS = 500
ROUNDS = 40
_ALONE = 300


def table_of(rounds: list[Round]) -> tuple[Table, bool]:
    """Return the table, and whether `handle_frame` is slower than the in-tree adapter on any step."""
    bare, journal = best_of([r.bare for r in rounds]), best_of([r.journal for r in rounds])
    ours, theirs = best_of([r.bsx for r in rounds]), best_of([r.binance for r in rounds])
    table = Table(title="microseconds per frame")
    for heading in (
        "step",
        "bare\nevent",
        "BSX\nhandle_frame",
        "Binance",
        "ratio",
        "journal\ncommit",
        "ratio\nwith commit",
    ):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    for step in STEPS:
        table.add_row(
            step,
            f"{bare[step]:.1f}",
            f"{ours[step]:.1f}",
            f"{theirs[step]:.1f}",
            f"{ours[step] / theirs[step]:.2f}",
            f"{journal[step]:.1f}",
            f"{(ours[step] + journal[step]) / theirs[step]:.2f}",
        )
    return table, any(ours[step] > theirs[step] for step in STEPS)


def main() -> int:
    """Print the table; return the exit code."""
    console = Console()
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            console.print(f"round {number + 1} of {ROUNDS}, {ORDERS} orders, three frames each", style="dim")
            rounds.append(run_round(Path(folder), number, ORDERS))
            told = rounds[-1].told
            assert told["bsx"] == told["binance"], "the two adapters told different stories"
        alone = time_alone(Path(folder), _ALONE)
    table, slower = table_of(rounds)
    console.print(table)
    console.print(
        f"journal commit: events and frames of {ORDERS} frames in one commit at the end of the loop's turn, which the "
        f"Binance adapter has nothing like; where a frame comes alone in its turn, a commit takes {alone:.0f} us",
    )
    account = min(each.account for each in rounds)
    console.print(
        f"account frame: Binance sends one beside every fill, {account:.1f} us in its adapter; BSX sends none, its "
        "balances are read by a request outside of this; in no ratio",
    )
    if slower:
        console.print("slower than the in-tree Binance adapter on at least one step", style="bold red")
    return int(slower)


if __name__ == "__main__":
    sys.exit(main())
