"""
What goes wrong at a simulated venue, on purpose and reproducibly.

A fault is armed with a place (`where`), a probability and a number of times. Whoever could suffer it (the
server, a connection, a twin) asks `strike` at each opportunity. Every armed fault draws from a random source
of its own, seeded by the injector's seed and the number of the arming, so the same sequence of opportunities
gives the same injections whatever other faults are armed. Nothing here ever touches the ledger.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase


class Fault(Enum):
    """
    What can go wrong.

    Of a WebSocket frame: `DROP` (lost), `DOUBLE` (sent twice), `REORDER` (sent after the following `depth`
    frames), `DELAY` (it and all after it come `secs` later), `GARBAGE` (followed by a frame that is no
    document), `RESET` (the connection is reset before it, or after the first `at` bytes of it), `HALF_OPEN`
    (the socket stays open, nothing more is sent, read or ponged).

    Of a REST call: `RATE_LIMIT` (429, with `Retry-After` if `retry_after` is given), `ERROR_BEFORE_EFFECT`
    and `ERROR_AFTER_EFFECT` (`status`, by default 500, without or with the call's effect), `LOST_ANSWER`
    (effect, then the connection is cut), `SLOW_ANSWER` (effect, then the answer `secs` later), `RESET`
    (effect, then cut in the middle of the answer, or after `at` bytes of its body), `GARBAGE` (effect, then
    a body that is no document).

    Of what is shown: `STALE_SNAPSHOT` (a list or snapshot lacks the account's latest `lag` changes).
    Of the whole venue, for as long as armed: `CLOCK_SKEW` (its clock is `secs` ahead, negative: behind).
    """

    DROP = "DROP"
    DOUBLE = "DOUBLE"
    REORDER = "REORDER"
    DELAY = "DELAY"
    HALF_OPEN = "HALF_OPEN"
    RESET = "RESET"
    STALE_SNAPSHOT = "STALE_SNAPSHOT"
    CLOCK_SKEW = "CLOCK_SKEW"
    RATE_LIMIT = "RATE_LIMIT"
    ERROR_AFTER_EFFECT = "ERROR_AFTER_EFFECT"
    ERROR_BEFORE_EFFECT = "ERROR_BEFORE_EFFECT"
    LOST_ANSWER = "LOST_ANSWER"
    SLOW_ANSWER = "SLOW_ANSWER"
    GARBAGE = "GARBAGE"


@dataclass(slots=True)
class ArmedFault:
    """One arming of a fault; `settings` are the parameters named in `Fault`."""

    fault: Fault
    where: str
    probability: float
    times: int | None
    settings: dict[str, float]
    random: random.Random = field(repr=False)
    struck: int = 0

    def setting(self, name: str, default: float) -> float:
        """A parameter of the fault, e.g. `secs`."""
        return self.settings.get(name, default)

    def matches(self, names: tuple[str, ...]) -> bool:
        """Whether one of the names of an opportunity is meant."""
        return any(fnmatchcase(name, self.where) for name in names)


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault that did happen, and where."""

    fault: Fault
    where: str


class FaultInjector:
    """
    Decides at every opportunity whether something goes wrong.

    An opportunity has one or more names, the plainest first: a REST call is `"POST /orders"` (its path
    without a query, placeholders kept), a frame is its channel (`"orders"`), channel and kind
    (`"orders/update"`), or `"control/<kind>"` for what belongs to no channel.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.log: list[Injection] = []
        self._seed = seed
        self._armings = 0
        self._armed: list[ArmedFault] = []
        self._on_calm: list[Callable[[], None]] = []

    def arm(
        self,
        fault: Fault,
        *,
        probability: float = 1.0,
        where: str = "*",
        times: int | None = None,
        **settings: float,
    ) -> ArmedFault:
        """
        Let `fault` happen from now on.

        Parameters
        ----------
        fault : Fault
        probability : float
            Chance at each opportunity, 0 to 1.
        where : str
            Glob over the names of opportunities, e.g. `"POST /orders"`, `"orders"`, `"orders/update"`.
        times : int, optional
            Disarm after so many injections; by default never.
        **settings : float
            Parameters of the fault (`Fault`).
        """
        source = random.Random(f"{self._seed}|fault|{self._armings}")
        self._armings += 1
        armed = ArmedFault(fault, where, probability, times, settings, source)
        self._armed.append(armed)
        if fault is Fault.CLOCK_SKEW:
            self.log.append(Injection(fault, "clock"))
        return armed

    def once(self, fault: Fault, *, where: str = "*", **settings: float) -> ArmedFault:
        """Let `fault` happen at the next opportunity, and not again."""
        return self.arm(fault, where=where, times=1, **settings)

    def disarm(self, armed: ArmedFault) -> None:
        """Take back one arming; a second time is no error."""
        if armed in self._armed:
            self._armed.remove(armed)

    def calm(self) -> None:
        """End every fault, let go of what was held back, and wake half-open connections by ending them."""
        self._armed.clear()
        for listener in list(self._on_calm):
            listener()

    def on_calm(self, listener: Callable[[], None]) -> None:
        """Have `listener` called whenever everything is calmed."""
        self._on_calm.append(listener)

    def strike(self, fault: Fault, *names: str) -> ArmedFault | None:
        """
        Ask whether `fault` happens at this opportunity; if so it is logged and counted.

        Every matching arming draws exactly once, also when an earlier one has struck already, so one
        arming never changes the luck of another.
        """
        struck: ArmedFault | None = None
        for armed in list(self._armed):
            if armed.fault is not fault or not armed.matches(names):
                continue
            hit = armed.random.random() < armed.probability
            if hit and struck is None:
                struck = armed
        if struck is None:
            return None
        struck.struck += 1
        if struck.times is not None and struck.struck >= struck.times:
            self._armed.remove(struck)
        self.log.append(Injection(fault, names[0]))
        return struck

    def lag(self, *names: str) -> int:
        """Ask at this opportunity by how many changes what is shown is stale (`STALE_SNAPSHOT`); 0 if it is not."""
        stale = self.strike(Fault.STALE_SNAPSHOT, *names)
        return int(stale.setting("lag", 1)) if stale is not None else 0

    def skew_ns(self) -> int:
        """How far the venue's clock is ahead now, ns."""
        secs = sum(a.setting("secs", 100.0) for a in self._armed if a.fault is Fault.CLOCK_SKEW)
        return round(secs * 1_000_000_000)
