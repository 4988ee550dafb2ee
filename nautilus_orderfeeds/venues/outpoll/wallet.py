"""Balances as the wallet service tells them, and which of their changes are explained by known fills (protocol, 6.3).

The wallet is told at once and in absolute numbers, but not why it changed. `residual` is what no fill that is known
explains yet: of an asset in shares, of the quote asset in USDC. Whoever finds the explanation calls `fold`.

Only what a snapshot told is to be explained. One fill changes two balances, each told in a frame of its own: between
the two, or where one is lost, ten shares may seem to have cost what the first four did.
"""

from collections.abc import Iterable
from decimal import Decimal
from math import inf

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.venues.outpoll import wire


class Wallet:
    """All balances of one account."""

    def __init__(self) -> None:
        self._totals: dict[str, Decimal] = {}
        self._free: dict[str, Decimal] = {}
        #: Totals at the last snapshot: of one moment, as those that single changes tell are not.
        self._whole: dict[str, Decimal] = {}
        self._explained: dict[str, Decimal] = {}
        self._changed: dict[str, float] = {}
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
        changed = {asset for asset, (total, free) in told.items() if self._set(asset, total, free, now)}
        self._whole = dict(self._totals)
        if not self.known:
            self.known = True
            self._explained = dict(self._whole)
            self._changed.clear()  # nothing is known to have changed: it is told for the first time
            return set()
        return changed

    def take_delta(self, delta: wire.BalanceDelta, now: float) -> bool:
        """Take one balance in; return whether its total has changed."""
        return self._set(delta.a, delta.b, delta.f, now)

    def _set(self, asset: str, total: Decimal, free: Decimal, now: float) -> bool:
        changed = self._totals.get(asset, ZERO) != total
        self._totals[asset], self._free[asset] = total, free
        if changed:
            self._changed[asset] = now
        return changed

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
            return
        for quote in self.quote_ids & self._totals.keys():
            self._explained[quote] = self._explained.get(quote, ZERO) + money

    def forgive(self, asset: str) -> Decimal:
        """Take an unexplained change of `asset` for a deposit, a payout or the like; return it."""
        rest = self.residual(asset)
        self._explained[asset] = self._whole.get(asset, ZERO)
        return rest

    def calm_down(self) -> None:
        """Take the money as it is for explained: all shares are explained, so no fill is missing."""
        for quote in self.quote_ids & self._totals.keys():
            self._explained[quote] = self._whole.get(quote, ZERO)
        self.money_exact = True

    @property
    def is_calm(self) -> bool:
        """Whether every change of shares is explained, those told since the last snapshot included."""
        return all(
            self.residual(asset) == 0 and total == self._whole.get(asset, ZERO)
            for asset, total in self._totals.items()
            if asset not in self.quote_ids
        )

    def money_of(self, asset: str, shares: Decimal) -> Decimal | None:
        """Return what a fill of `shares` (positive if bought) was paid with, in USDC and positive.

        None unless it is the only unexplained change there is, and the money has changed by what shares can cost.
        """
        if not (self.known and self.money_exact) or self.residual(asset) != shares:
            return None
        others = (other for other in self._totals if other != asset and other not in self.quote_ids)
        if any(self.residual(other) for other in others):
            return None
        quote = self.quote()
        if quote is None:
            return None
        change = sum((self.residual(asset) for asset in self.quote_ids & self._totals.keys()), ZERO)
        paid = -change if shares > 0 else change
        return paid if ZERO < paid <= abs(shares) else None

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
