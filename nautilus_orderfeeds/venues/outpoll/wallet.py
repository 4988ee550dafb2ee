"""Balances as the wallet service tells them, and which of their changes are explained by known fills (protocol, 6.3).

The wallet is told at once and in absolute numbers, but not why it changed. `residual` is what no fill that is known
explains yet: of an asset in shares, of the quote asset in USDC. Whoever finds the explanation calls `fold`.

Only what a snapshot told is to be explained. One fill changes two balances, each told in a frame of its own: between
the two, or where one is lost, ten shares may seem to have cost what the first four did. What was told between two
snapshots shows which fills made up the change (`moves`).
"""

from collections.abc import Iterable
from decimal import Decimal
from math import inf

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.moves import Move, Moves, is_plausible


class Wallet:
    """All balances of one account."""

    def __init__(self) -> None:
        self._totals: dict[str, Decimal] = {}
        self._free: dict[str, Decimal] = {}
        #: Totals at the last snapshot: of one moment, as those that single changes tell are not.
        self._whole: dict[str, Decimal] = {}
        self._explained: dict[str, Decimal] = {}
        self._changed: dict[str, float] = {}
        self._moves = Moves()
        #: Ids of the quote asset, as the instruments name it.
        self.quote_ids: set[str] = set()
        #: Whether a snapshot has come: before, nothing can be said.
        self.known = False
        #: When all balances were last read at once, seconds of the clock's `monotonic`.
        self.snapshot_at = 0.0
        #: Whether the unexplained money is free of earlier estimates.
        self.money_exact = True

    def take_snapshot(self, rows: Iterable[wire.BalanceRow], now: float) -> set[str]:
        """Take all balances in; an asset that is not listed is not held. Return the assets that have changed."""
        self.snapshot_at = now
        told = {row.i: (row.b, row.f) for row in rows}
        for asset in self._totals.keys() - told.keys():
            told[asset] = (ZERO, ZERO)
        changes = {asset: self._set(asset, total, free, now) for asset, (total, free) in told.items()}
        self._whole = dict(self._totals)
        if not self.known:
            self.known = True
            self._explained = dict(self._whole)
            self._changed.clear()  # nothing is known to have changed: it is told for the first time
            return set()
        self._moves.note(changes, self.quote_ids)
        self._moves.close({asset: self.residual(asset) for asset in self.assets()}, self._money())
        return {asset for asset, change in changes.items() if change}

    def take_delta(self, delta: wire.BalanceDelta, now: float) -> bool:
        """Take one balance in; return whether its total has changed."""
        change = self._set(delta.a, delta.b, delta.f, now)
        self._moves.note({delta.a: change}, self.quote_ids, now)
        return change != 0

    def _set(self, asset: str, total: Decimal, free: Decimal, now: float) -> Decimal:
        change = total - self._totals.get(asset, ZERO)
        self._totals[asset], self._free[asset] = total, free
        if change:
            self._changed[asset] = now
        return change

    def quote(self) -> tuple[Decimal, Decimal] | None:
        """Return (total, free) USDC; None if it is not told."""
        for asset in self.quote_ids:
            if asset in self._totals:
                return self._totals[asset], self._free[asset]
        return None

    def changed_at(self, asset: str) -> float:
        """When the total of an asset last changed, seconds of the clock's `monotonic`; minus infinity: never."""
        return self._changed.get(asset, -inf)

    def residual(self, asset: str) -> Decimal:
        """Return by how much the total of `asset` in the last snapshot differs from what known fills explain."""
        return self._whole.get(asset, ZERO) - self._explained.get(asset, ZERO)

    def fold(self, asset: str, shares: Decimal, money: Decimal | None) -> None:
        """Take a fill for explained.

        Parameters
        ----------
        asset : str
            Bought or sold.
        shares : Decimal
            Positive if bought.
        money : Decimal, optional
            USDC received (positive) or paid; None: nobody knows it exactly.
        """
        if not self.known:
            return
        self._explained[asset] = self._explained.get(asset, ZERO) + shares
        if money is None:
            self.money_exact = False
            self._moves.spoil()
            return
        for quote in self.quote_ids & self._totals.keys():
            self._explained[quote] = self._explained.get(quote, ZERO) + money

    def forgive(self, asset: str) -> Decimal:
        """Take an unexplained change of `asset` for a deposit, a payout or the like; return it."""
        rest = self.residual(asset)
        self._explained[asset] = self._whole.get(asset, ZERO)
        return rest

    @property
    def is_exact(self) -> bool:
        """Whether it can be told what the next fills are paid with."""
        return self.money_exact and not self._moves.is_broken

    def calm_down(self) -> None:
        """Take the money as it is for explained: all shares are explained, so no fill is missing."""
        for quote in self.quote_ids & self._totals.keys():
            self._explained[quote] = self._whole.get(quote, ZERO)
        self.money_exact = True
        self._moves.settle()

    @property
    def is_calm(self) -> bool:
        """Whether every change of shares is explained, and none was told since the last snapshot."""
        is_whole = all(total == self._whole.get(asset, ZERO) for asset, total in self._totals.items())
        return is_whole and not any(self.residual(asset) for asset in self.assets())

    def pay(self, asset: str, shares: Decimal, limit: Decimal | None, *, is_alone: bool) -> Decimal | None:
        """Take a fill of `shares` (positive if bought) for explained; return its money, in USDC and positive.

        None, and nothing is explained, unless the money can be told: the changes told one by one show what was paid for
        it, or it is the only fill there can be, and the only unexplained change there is.

        Parameters
        ----------
        asset : str
            Bought or sold.
        shares : Decimal
            Positive if bought.
        limit : Decimal, optional
            Worst price the order can have filled at.
        is_alone : bool
            Whether no other fills can hide in the change, as those of a purchase and a sale of the same size would.
        """
        if not (self.known and self.money_exact):
            return None
        chosen = self._moves.find(asset, shares, limit, is_alone=is_alone)
        money = sum((move.money for move in chosen), ZERO)
        if chosen:
            self._moves.take(chosen)
        else:
            money = self._money()
            is_all = self.residual(asset) == shares and not any(map(self.residual, self.assets() - {asset}))
            if not (is_alone and is_all and is_plausible(Move(asset, shares, money), limit)):
                return None
            self._moves.settle()
        self.fold(asset, shares, money)
        return abs(money)

    def _money(self) -> Decimal:
        """Return the unexplained change of USDC."""
        return sum((self.residual(asset) for asset in self.quote_ids & self._totals.keys()), ZERO)

    def assets(self) -> set[str]:
        """Return the assets ever told, without the quote asset."""
        return self._totals.keys() - self.quote_ids

    def shares(self) -> dict[str, Decimal]:
        """Return the shares held of each asset, without those of which none are."""
        return {asset: self._totals[asset] for asset in self.assets() if self._totals[asset]}

    def shares_changed_at(self) -> float:
        """When the total of any asset but the quote last changed, as `changed_at`."""
        return max((at for asset, at in self._changed.items() if asset not in self.quote_ids), default=-inf)

    def quiet_secs(self, now: float) -> float:
        """Return how long no total has changed."""
        return now - max(self._changed.values(), default=-inf)
