"""Hunts for broken laws in seeded random histories and boils what it finds down to the steps that matter.

python -m tests.support.hunting 1000000 [first seed]
"""

import sys
import time
from itertools import pairwise
from random import Random

from nautilus_orderfeeds.orders.updates import OrderUpdate, Source
from tests.support.follower import BrokenLaw, Follower, check_end, check_nothing_new
from tests.support.histories import Life, Mark, Step, distort, final, live, statements


def history(seed: int) -> tuple[Life, list[Step]]:
    """Return the life and the steps of `seed`."""
    rng = Random(seed)
    life = live(rng)
    return life, distort(rng, life, statements(rng, life))


def broken_law(life: Life, steps: list[Step], seed: int = 0) -> str | None:
    """Take the steps and return what is wrong with the outcome, None if nothing is."""
    follower = Follower(life)
    try:
        follower.follow(steps)
        check_end(follower)
        news = [step for step in steps if isinstance(step, OrderUpdate)]
        Random(seed).shuffle(news)
        check_nothing_new(follower, news)
    except BrokenLaw as e:
        return str(e)
    except Exception as e:  # the reducer itself must never raise
        return f"{type(e).__name__}: {e}"
    return None


def shrink(life: Life, steps: list[Step], seed: int = 0) -> list[Step]:
    """Return the fewest steps found that still break a law and still are a history."""
    shorter = True
    while shorter:
        shorter = False
        for at in range(len(steps)):
            fewer = steps[:at] + steps[at + 1 :]
            if _is_history(life, fewer) and broken_law(life, fewer, seed) is not None:
                steps, shorter = fewer, True
                break
    return steps


def _is_history(life: Life, steps: list[Step]) -> bool:
    """Whether the final statement is delivered and every restart is followed by a resync."""
    resynced = all(
        isinstance(after, OrderUpdate) and after.source in (Source.SNAPSHOT, Source.QUERY)
        for step, after in pairwise([*steps, Mark.SETTLE])
        if step is Mark.RESTART
    )
    return resynced and final(life) in steps


def tell(life: Life, steps: list[Step]) -> str:
    """Describe a life and its steps."""
    lines = [f"{life.style.name} {life.type.name} {life.quantity} @ {life.price} quote={life.quote_quantity}"]
    lines += [f"  truth: {m.status.name} {m.filled} of {m.quantity} ts {m.ts} v {m.version}" for m in life.moments]
    lines += [f"  trade: {t.trade_id} {t.qty} @ {t.px} fee {t.fee} to {t.ends_at} ts {t.ts}" for t in life.trades]
    return "\n".join(lines + [f"  {_step(step)}" for step in steps])


def _step(step: Step) -> str:
    if isinstance(step, Mark):
        return step.name
    words = [step.source.name, "-" if step.status is None else step.status.name]
    for name in ("quantity", "price", "filled_qty", "avg_px", "filled_notional", "last_px", "fees", "version"):
        value = getattr(step, name)
        if value is not None:
            words.append(f"{name}={value}")
    words += [f"[{f.trade_id} {f.last_qty} @ {f.last_px} to {f.ends_at} ts {f.ts_event}]" for f in step.fills]
    return " ".join([*words, f"ts {step.ts_event}", step.cancel_reject_key])


def hunt(first_seed: int, count: int) -> list[str]:
    """Follow `count` histories; return a report of each that breaks a law (the first ten)."""
    reports = []
    for seed in range(first_seed, first_seed + count):
        life, steps = history(seed)
        wrong = broken_law(life, steps, seed)
        if wrong is not None:
            fewest = shrink(life, steps, seed)
            reports.append(f"seed {seed}: {broken_law(life, fewest, seed)}\n{tell(life, fewest)}")
            if len(reports) == 10:
                break
    return reports


if __name__ == "__main__":
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    began = time.process_time()
    found = hunt(start, total)
    print("\n".join(found))
    print(f"{total} histories, {len(found)} broken, {time.process_time() - began:.1f} s of CPU")
    sys.exit(bool(found))
