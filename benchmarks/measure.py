"""The measuring: rounds of both adapters in one process, each on fresh objects, and what they told compared."""

import asyncio
import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct
from nautilus_trader.model.enums import LiquiditySide
from nautilus_trader.model.events import OrderAccepted, OrderFilled
from nautilus_trader.model.identifiers import TradeId, VenueOrderId
from nautilus_trader.model.objects import Money, Price, Quantity

from benchmarks import binance, bsx
from benchmarks.framework import Framework

#: What happens to every order, in this order.
STEPS = ("accept", "partial fill", "fill")

Microseconds = dict[str, float]
Outline = list[tuple[str, ...]]


class Round(Struct, kw_only=True):
    """Microseconds per frame of each step, and what was told.

    Parameters
    ----------
    bare : dict[str, float]
        Making and sending the framework's event with everything prepared: what no adapter can be faster than.
    bsx, binance : dict[str, float]
        `handle_frame`, and the in-tree adapter's stream handler.
    journal : dict[str, float]
        Our journal's commit of the events and frames of the step, in one turn of the loop.
    account : float
        The in-tree adapter's handling of the account frame that its venue sends beside every fill. BSX sends none; it
        is in no ratio.
    told : dict[str, Outline]
        What either adapter told, order by order.
    """

    bare: Microseconds
    bsx: Microseconds
    binance: Microseconds
    journal: Microseconds
    account: float
    told: dict[str, Outline]


def run_round(folder: Path, number: int, orders: int) -> Round:
    """Run each contestant once; who goes first changes from round to round, since memory is warmer for the second."""
    return asyncio.run(_round(folder, number, orders))


async def _round(folder: Path, number: int, orders: int) -> Round:
    path = str(folder / f"round{number}.sqlite")
    if number % 2:
        theirs, account, told_by_them = _binance(orders)
        ours, journal, bare, told_by_us = _bsx(path, orders)
    else:
        ours, journal, bare, told_by_us = _bsx(path, orders)
        theirs, account, told_by_them = _binance(orders)
    told = {"bsx": told_by_us, "binance": told_by_them}
    return Round(bare=bare, bsx=ours, binance=theirs, journal=journal, account=account, told=told)


def _bsx(path: str, orders: int) -> tuple[Microseconds, Microseconds, Microseconds, Outline]:
    framework = Framework()
    client, lives = bsx.build(framework, orders, path)
    journal = client._intake.journal
    journal.flush()
    handling, flushing = time_steps(client.handle_frame, lives, journal.flush)
    told = outline(framework.events)
    bare = time_bare(client, orders)
    journal.close()
    return handling, flushing, bare, told


def _binance(orders: int) -> tuple[Microseconds, float, Outline]:
    framework = Framework()
    client, lives = binance.build(framework, orders)
    handling, _ = time_steps(client._handle_user_ws_message, lives)
    raw = binance.account_frame()
    began = time.perf_counter()
    for _ in range(orders):
        client._handle_user_ws_message(raw)
    account = (time.perf_counter() - began) / orders * 1e6
    assert len(framework.accounts) == orders, "account frames were not told"
    return handling, account, outline(framework.events)


def time_steps(
    handle: Callable[[bytes], None], lives: list[dict[str, bytes]], end_turn: Callable[[], None] | None = None
) -> tuple[Microseconds, Microseconds]:
    """Time every frame of a step, then the end of the turn; every order takes the first step before any the second.

    Returns
    -------
    (dict[str, float], dict[str, float])
        Microseconds per frame: of handling it, and of its share in the end of the turn.
    """
    handling: Microseconds = {}
    ending: Microseconds = {}
    for step in STEPS:
        raws = [life[step] for life in lives]
        gc.collect()
        gc.disable()
        began = time.perf_counter()
        for raw in raws:
            handle(raw)
        handled = time.perf_counter()
        if end_turn is not None:
            end_turn()
        ended = time.perf_counter()
        gc.enable()
        handling[step] = (handled - began) / len(raws) * 1e6
        ending[step] = (ended - handled) / len(raws) * 1e6
    return handling, ending


def time_bare(client: Any, times: int) -> Microseconds:
    """Return microseconds of making and sending the same framework event with everything prepared."""
    native = client._emitter.native(next(iter(client._tracker)))
    voi, trade = VenueOrderId("V"), TradeId("T")
    qty, px = Quantity.from_str("0.010"), Price.from_str("55000.0")
    fee = Money.from_str("-0.0275 USDC")
    ids = (native.strategy_id, native.instrument_id, native.client_order_id)
    side, kind, unit = native.order_side, native.order_type, native.quote_currency

    def accept() -> None:
        client.generate_order_accepted(*ids, voi, 1)

    def fill() -> None:
        client.generate_order_filled(
            *ids, voi, None, trade, side, kind, qty, px, unit, fee, LiquiditySide.MAKER, 1, None
        )

    result: Microseconds = {}
    for step, call in zip(STEPS, (accept, fill, fill), strict=True):
        began = time.perf_counter()
        for _ in range(times):
            call()
        result[step] = (time.perf_counter() - began) / times * 1e6
    return result


def time_alone(folder: Path, frames: int) -> float:
    """Return microseconds of our journal's commit where every frame comes alone in its turn of the loop."""

    async def run() -> float:
        client, lives = bsx.build(Framework(), frames, str(folder / "alone.sqlite"))
        journal = client._intake.journal
        journal.flush()
        flushing = 0.0
        for life in lives:
            client.handle_frame(life["accept"])
            began = time.perf_counter()
            journal.flush()
            flushing += time.perf_counter() - began
        journal.close()
        return flushing / frames * 1e6

    return asyncio.run(run())


def outline(events: list[Any]) -> Outline:
    """Return what `events` say of each order, but for what only one venue has (ids, currencies)."""
    told: dict[str, list[str]] = {}
    for event in events:
        words = told.setdefault(event.client_order_id.value, [])
        if isinstance(event, OrderAccepted):
            words.append("accepted")
        elif isinstance(event, OrderFilled):
            words.append(f"{event.order_side.name} {event.last_qty} @ {event.last_px} {event.liquidity_side.name}")
    return [tuple(words) for words in told.values()]


def best_of(rounds: list[Microseconds]) -> Microseconds:
    """Return the least of each step: a noisy neighbour only ever adds."""
    return {step: min(times[step] for times in rounds) for step in STEPS}
