"""Which stretches of an order's cumulative filled quantity have been told, and which only by inference.

Some venues place their trades on the cumulative quantity ("this update brings it from 3 to 5 by these trades"),
others do not (a separate feed of trades). Where every fill has its place, an inferred fill is known to stand
for exact stretches, and a late trade is matched to them exactly. Where one has none, only amounts can be compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import ZERO, exact_sum

Stretch = tuple[Decimal, Decimal]


def length(stretches: Iterable[Stretch]) -> Decimal:
    """Return the sum of the lengths of `stretches`."""
    return sum((b - a for a, b in stretches), ZERO)


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


@dataclass(slots=True)
class Coverage:
    """Told stretches of cumulative quantity, base units.

    It changes only by events (`state.evolve`), so a restart restores it.

    Parameters
    ----------
    prefix : Decimal
        Everything from zero to here is told (the usual case: all of it).
    islands : list of (from, to)
        Told stretches beyond `prefix`, sorted and disjoint.
    placed : bool
        Whether every fill so far had its place; once False, `credit` is all that counts.
    credit : Decimal
        Quantity told by inference that no trade has explained yet. Negative only while the inferred fills of an
        order in quote units are held back: the trades that explain them may be journaled before they are.
    credit_notional, credit_fees : Decimal
        Money told for that credit, quote units. What is left of it when the credit is zero was told wrongly.
    inferred : list of (from, to)
        Where that credit lies, while `placed`.
    inferred_ts : int
        UNIX ns of the latest inferred fill, 0 if there is none or its time is not known.
    ever_inferred : bool
        Whether any fill was inferred.
    """

    prefix: Decimal = ZERO
    islands: list[Stretch] = field(default_factory=list)
    placed: bool = True
    credit: Decimal = ZERO
    credit_notional: Decimal = ZERO
    credit_fees: Decimal = ZERO
    inferred: list[Stretch] = field(default_factory=list)
    inferred_ts: int = 0
    ever_inferred: bool = False

    def count(self, fill: ev.OrderFilled | ev.FillOrphaned) -> None:
        """Note a fill."""
        if fill.inferred:
            self._infer(fill.last_qty, fill.gaps)
            self.inferred_ts = max(self.inferred_ts, fill.ts_event)
            self._count_money(fill, 1)
        else:
            ends_at = fill.ends_at
            if ends_at is None or self.islands or not self.placed or exact_sum(self.prefix, fill.last_qty) != ends_at:
                self._add(fill.last_qty, ends_at, fill.gaps)
            else:
                self.prefix = ends_at  # the usual case: what comes next
            if fill.venue_px is not None:
                self._count_money(fill, 1)

    def count_back(self, fill: ev.OrderFilled) -> None:
        """Take back what a fill without a place was counted for, since it is going to be counted again."""
        if fill.inferred:
            self.credit -= fill.last_qty
        if fill.inferred or fill.venue_px is not None:
            self._count_money(fill, -1)

    def _count_money(self, fill: ev.OrderFilled | ev.FillOrphaned, sign: int) -> None:
        px = fill.last_px if fill.venue_px is None else fill.last_px - fill.venue_px
        fees = fill.commission if fill.venue_commission is None else fill.commission - fill.venue_commission
        self.credit_notional += sign * fill.last_qty * px
        self.credit_fees += sign * fees

    def _add(self, qty: Decimal, ends_at: Decimal | None, gaps: tuple[Stretch, ...]) -> None:
        """Note a fill told by a trade that ends at `ends_at`, or that stands for `gaps`; neither: without a place."""
        if not self.placed:
            return
        if ends_at is not None:
            self._cover((ends_at - qty, ends_at))
        elif gaps:
            for gap in gaps:
                self._cover(gap)
        else:
            self.unplace()

    def _infer(self, qty: Decimal, gaps: tuple[Stretch, ...]) -> None:
        """Note a fill told by inference, standing for `gaps` (empty: its place is not known)."""
        self.credit += qty
        self.ever_inferred = True
        if not self.placed:
            return
        if not gaps:
            self.unplace()
        for gap in gaps:
            self.inferred.append(gap)
            self._cover(gap)

    def explain(self, trade: ev.FillAbsorbed) -> None:
        """Note that a real trade tells again what was told, by inference or (misplaced) by another trade."""
        if self.placed and trade.stretch is not None:
            explained = overlap(trade.stretch, self.inferred)
            self.inferred = subtract(self.inferred, trade.stretch)
        else:
            explained = trade.qty
            self.unplace()
        if not explained:
            return
        if trade.commission is not None:
            self.credit_fees -= trade.commission * explained / trade.qty
        elif self.credit > 0:  # what was told for it stands
            self.credit_fees -= self.credit_fees * explained / self.credit
        self.credit_notional -= explained * trade.last_px
        self.credit -= explained

    def untold(self, stretch: Stretch) -> tuple[Stretch, ...]:
        """Return the pieces of `stretch` that are not told (while `placed`)."""
        low, high = stretch
        pieces: list[Stretch] = []
        low = max(low, self.prefix)
        for a, b in self.islands:
            if a >= high:
                break
            if a > low:
                pieces.append((low, a))
            low = max(low, b)
        if low < high:
            pieces.append((low, high))
        return tuple(pieces)

    def gaps(self, upto: Decimal, missing: Decimal) -> tuple[Stretch, ...]:
        """Return the untold stretches below `upto`, or () if places do not account for exactly `missing`."""
        if not self.placed:
            return ()
        found = self.untold((ZERO, upto))
        return found if length(found) == missing else ()

    def unplace(self) -> None:
        """Give up on places: from now on only amounts are compared."""
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
