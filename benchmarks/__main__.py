"""`python -m benchmarks`: cost of one frame, beside the in-tree Binance adapter and the framework's bare events.

Rounds of the three are interleaved in one process and the best round of each counts, so that a noisy neighbour hits
all alike. Exit code 1 if `handle_frame` is slower than the Binance adapter on any step.
"""

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import binance, bsx
from benchmarks.framework import Framework

STEPS = ("accept", "partial fill", "fill")
ORDERS = 2_000
ROUNDS = 7


def time_steps(handle: Callable[[bytes], None], lives: list[dict[str, bytes]]) -> dict[str, float]:
    """Return microseconds per frame of each step; every order takes the first step before any takes the second."""
    result: dict[str, float] = {}
    for step in STEPS:
        raws = [life[step] for life in lives]
        gc.collect()
        gc.disable()
        began = time.perf_counter()
        for raw in raws:
            handle(raw)
        result[step] = (time.perf_counter() - began) / len(raws) * 1e6
        gc.enable()
    return result


def time_bare(client: Any, framework: Framework, lives: int) -> dict[str, float]:
    """Return microseconds of making and sending the same framework event with everything prepared."""
    tracked = next(iter(client._tracker))
    native = client._emitter.native(tracked)
    from nautilus_trader.model.enums import LiquiditySide
    from nautilus_trader.model.identifiers import TradeId, VenueOrderId
    from nautilus_trader.model.objects import Money, Price, Quantity

    voi, trade = VenueOrderId("V"), TradeId("T")
    qty, px = Quantity.from_str("0.010"), Price.from_str("55000.0")
    fee = Money.from_str("-0.0275 USDC")
    ids = (native.strategy_id, native.instrument_id, native.client_order_id)

    def accept() -> None:
        client.generate_order_accepted(*ids, voi, 1)

    def fill() -> None:
        side, kind, unit = native.order_side, native.order_type, native.quote_currency
        client.generate_order_filled(
            *ids, voi, None, trade, side, kind, qty, px, unit, fee, LiquiditySide.MAKER, 1, None
        )

    result: dict[str, float] = {}
    for step, call in (("accept", accept), ("partial fill", fill), ("fill", fill)):
        began = time.perf_counter()
        for _ in range(lives):
            call()
        result[step] = (time.perf_counter() - began) / lives * 1e6
    return result


async def one_round(folder: Path, n: int) -> dict[str, dict[str, float]]:
    """Run each contestant once on fresh objects."""
    ours = Framework()
    client, lives = bsx.build(ours, ORDERS, str(folder / f"round{n}.sqlite"))
    mine = time_steps(client.handle_frame, lives)
    assert len(ours.events) == 4 * ORDERS, f"expected submitted, accepted and two fills each, got {len(ours.events)}"
    began = time.perf_counter()
    client._intake.journal.flush()
    journal = (time.perf_counter() - began) / (3 * ORDERS) * 1e6
    bare = time_bare(client, ours, ORDERS)
    theirs_framework = Framework()
    theirs_client, theirs_lives = binance.build(theirs_framework, ORDERS)
    theirs = time_steps(theirs_client._handle_user_ws_message, theirs_lives)
    assert len(theirs_framework.events) == 3 * ORDERS, "the Binance adapter did not emit one event per frame"
    client._intake.journal.close()
    return {"ours": mine, "binance": theirs, "bare": bare, "journal": dict.fromkeys(STEPS, journal)}


def main() -> int:
    """Print the table; return the exit code."""
    console = Console()
    best: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for n in range(ROUNDS):
            console.print(f"round {n + 1} of {ROUNDS}, {ORDERS} orders, three frames each", style="dim")
            for who, steps in asyncio.run(one_round(Path(folder), n)).items():
                known = best.setdefault(who, dict(steps))
                for step, value in steps.items():
                    known[step] = min(known[step], value)
    table = Table("step", "bare event us", "BSX handle_frame us", "Binance us", "ratio to Binance", "journal us")
    slower = False
    for step in STEPS:
        ratio = best["ours"][step] / best["binance"][step]
        slower |= ratio > 1
        table.add_row(
            step,
            f"{best['bare'][step]:.1f}",
            f"{best['ours'][step]:.1f}",
            f"{best['binance'][step]:.1f}",
            f"{ratio:.2f}",
            f"{best['journal'][step]:.1f}",
        )
    console.print(table)
    console.print("journal: the batched commit of event and frame, paid later in the same turn of the loop")
    if slower:
        console.print("slower than the in-tree Binance adapter on at least one step", style="bold red")
    return int(slower)


if __name__ == "__main__":
    sys.exit(main())
