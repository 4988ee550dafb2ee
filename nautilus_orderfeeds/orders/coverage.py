"""Which stretches of an order's cumulative filled quantity have been told, and which only by inference.

Some venues place their trades on the cumulative quantity ("this update brings it from 3 to 5 by these trades"),
others do not (a separate feed of trades). Where every fill has its place, an inferred fill is known to stand
for exact stretches, and a late trade is matched to them exactly. Where one has none, only amounts can be compared.
"""

from decimal import Decimal

from msgspec import Struct, field

from nautilus_orderfeeds.orders.decimals import ZERO

Stretch = tuple[Decimal, Decimal]


def overlap(stretch: Stretch, others: list[Stretch]) -> Decimal:
    """Return the length that `stretch` shares with `others` (which are disjoint)."""
    low, high = stretch
    total = ZERO
    for a, b in others:
        shared = min(high, b) - max(low, a)
        if shared > 0:
            total += shared
    return total


def subtract(stretches: list[Stretch], taken: Stretch) -> list[Stretch]:
    """Return `stretches` without what lies in `taken`."""
    low, high = taken
    left: list[Stretch] = []
    for a, b in stretches:
        if b <= low or a >= high:
            left.append((a, b))
            continue
        if a < low:
            left.append((a, low))
        if b > high:
            left.append((high, b))
    return left


class Coverage(Struct):
    """Told stretches of cumulative quantity, base units.

    Parameters
    ----------
    prefix : Decimal
        Everything from zero to here is told (the usual case: all of it).
    islands : list of (from, to)
        Told stretches beyond `prefix`, sorted and disjoint.
    placed : bool
        Whether every fill so far had its place; once False, `credit` is all that counts.
    credit : Decimal
        Quantity told by inference that no trade has explained yet.
    inferred : list of (from, to)
        Where that credit lies, while `placed`.
    """

    prefix: Decimal = ZERO
    islands: list[Stretch] = field(default_factory=list)
    placed: bool = True
    credit: Decimal = ZERO
    inferred: list[Stretch] = field(default_factory=list)

    def add(self, qty: Decimal, ends_at: Decimal | None) -> None:
        """Note a fill told by a trade."""
        if ends_at is None:
            self._unplace()
        elif self.placed:
            if self.prefix + qty == ends_at and not self.islands:
                self.prefix = ends_at
            else:
                self._cover((ends_at - qty, ends_at))

    def infer(self, qty: Decimal, gaps: tuple[Stretch, ...]) -> None:
        """Note a fill told by inference, standing for `gaps` (empty: its place is not known)."""
        self.credit += qty
        if not gaps:
            self._unplace()
        elif self.placed:
            for gap in gaps:
                self.inferred.append(gap)
                self._cover(gap)

    def explain(self, qty: Decimal, stretch: Stretch | None) -> None:
        """Note that a real trade explains `qty` of the credit."""
        self.credit = max(self.credit - qty, ZERO)
        if stretch is not None and self.placed:
            self.inferred = subtract(self.inferred, stretch)

    def gaps(self, upto: Decimal, missing: Decimal) -> tuple[Stretch, ...]:
        """Return the untold stretches below `upto`, or () if places do not account for exactly `missing`."""
        if not self.placed:
            return ()
        found: list[Stretch] = []
        low = self.prefix
        for a, b in self.islands:
            if a >= upto:
                break
            if a > low:
                found.append((low, a))
            low = max(low, b)
        if low < upto:
            found.append((low, upto))
        return tuple(found) if sum((b - a for a, b in found), ZERO) == missing else ()

    def _unplace(self) -> None:
        self.placed = False
        self.islands.clear()
        self.inferred.clear()

    def _cover(self, stretch: Stretch) -> None:
        merged: list[Stretch] = []
        low, high = stretch
        for a, b in self.islands:
            if b < low or a > high:
                merged.append((a, b))
            else:
                low, high = min(low, a), max(high, b)
        merged.append((low, high))
        merged.sort()
        while merged and merged[0][0] <= self.prefix:
            self.prefix = max(self.prefix, merged.pop(0)[1])
        self.islands = merged
