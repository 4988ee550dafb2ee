"""What a command gives back, and several commands in the batches that a venue takes."""

import itertools
from collections.abc import Awaitable, Callable, Sequence

from nautilus_orderfeeds.orders.requests import Outcome
from nautilus_orderfeeds.orders.updates import OrderUpdate

Answer = tuple[Outcome, list[OrderUpdate]]
"""What became of a command, and what the venue's answer itself tells of the order (may be empty)."""


async def in_batches[T](
    items: Sequence[T],
    size: int,
    one: Callable[[T], Awaitable[Answer]],
    many: Callable[[Sequence[T]], Awaitable[Sequence[Answer]]],
) -> list[Answer]:
    """Send one command for each of `items`, one batch after the other; answers in the order given.

    Parameters
    ----------
    items : Sequence[T]
        What the commands are about.
    size : int
        Commands in one batch, at most.
    one, many : Callable
        Send a single command, and a batch of two or more: what is alone goes out as a command of its own.
    """
    answers: list[Answer] = []
    for batch in itertools.batched(items, size):
        answers += [await one(batch[0])] if len(batch) == 1 else await many(batch)
    return answers
