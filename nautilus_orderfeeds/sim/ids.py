"""The ids that a simulated venue makes up."""

from __future__ import annotations

import random
import uuid

from nautilus_orderfeeds.sim.clock import SimClock

_NS_PER_MS = 1_000_000


class Uuids:
    """
    UUIDs of one kind, e.g. of orders.

    They come from the seed and the time: ids of an earlier run may still stand in a client's journal.

    Parameters
    ----------
    seed : int
    clock : SimClock
    kind : str
        Keeps the ids of different things apart.
    """

    def __init__(self, seed: int, clock: SimClock, kind: str) -> None:
        self._random = random.Random(f"{seed}|{clock.now_ns()}|{kind}")

    def version4(self) -> str:
        """A UUID of nothing but chance."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def version7(self, now_ns: int) -> str:
        """A UUID with milliseconds in front and chance behind."""
        bits = (now_ns // _NS_PER_MS) << 80 | self._random.getrandbits(80)
        bits = bits & ~(0xF << 76) | 7 << 76
        return str(uuid.UUID(int=bits & ~(0x3 << 62) | 0x2 << 62))
