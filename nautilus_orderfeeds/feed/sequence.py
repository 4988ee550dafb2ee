"""Noticing that a numbered frame is missing.

Some venues number the frames of a connection but do not promise their order, so a number that is skipped is no gap
yet: the frame may be the next but one. Only one that stays away for a grace period is lost.
"""

import asyncio
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock

#: With so many missing there is nothing to wait for; it also bounds what one absurd number can cost.
_TOO_MANY: Final = 1_000


class SequenceGuard:
    """Watches the numbers of one connection.

    The first number seen is taken as it is; a number seen before (a frame sent twice) means nothing.

    Parameters
    ----------
    clock : Clock
        Source of time.
    grace_secs : float
        How long a skipped number may come later than its successors.
    """

    def __init__(self, clock: Clock, grace_secs: float) -> None:
        self._clock = clock
        self._grace_secs = grace_secs
        self._next: int | None = None
        # Number -> when it was found missing; the oldest first.
        self._missing: dict[int, float] = {}
        self._lost = ""
        self._wake = asyncio.Event()

    @property
    def missing(self) -> int:
        """Numbers skipped so far and not yet seen."""
        return len(self._missing)

    def note(self, number: int) -> None:
        """Take in the number of the frame that just arrived."""
        due = self._next
        if due is None or number == due:
            self._next = number + 1
        elif number < due:
            self._missing.pop(number, None)
        elif number - due + len(self._missing) > _TOO_MANY:
            self._lost = f"number {number} arrived, expected {due}"
            self._wake.set()
        else:
            now = self._clock.monotonic()
            self._missing.update((skipped, now) for skipped in range(due, number))
            self._next = number + 1
            self._wake.set()

    async def until_gap(self) -> str:
        """Return, once a frame is lost for certain, which one."""
        while not self._lost:
            if not self._missing:
                self._wake.clear()
                await self._wake.wait()
                continue
            number, since = next(iter(self._missing.items()))
            left_secs = since + self._grace_secs - self._clock.monotonic()
            if left_secs > 0:
                await self._clock.sleep(left_secs)
            else:
                self._lost = f"frame {number} did not come within {self._grace_secs:g} s of its successors"
        return self._lost
