"""Which order a change of shares belongs to, where no trades can be read (protocol, 13.5 H).

The equation of an asset: what its balance has changed by since the last time all was explained is the sum of what its
orders have filled since. An order that the history calls FILLED says so itself. Of the others, one can be solved for;
with several, the hints of the rows count only if they fulfil the equation exactly. Otherwise nothing is invented.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.orders.decimals import ZERO, plain
from nautilus_orderfeeds.orders.updates import END_STATUSES, VenueStatus
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.memory import OrderMemory
from nautilus_orderfeeds.venues.outpoll.queries import Reading
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.wallet import Wallet
from nautilus_orderfeeds.venues.outpoll.words import VENUE

_log = logging.getLogger(__name__)

_FRESH_SECS: Final = 2.0

StatusOf = Callable[[wire.HistoryOrder | None], VenueStatus | None]


class Attribution:
    """Solves the equations of one account.

    Parameters
    ----------
    settings : OutpollSettings
        Settle times, and what rows may be trusted with.
    wallet : Wallet
        The balances.
    """

    def __init__(self, settings: OutpollSettings, wallet: Wallet) -> None:
        self._settings = settings
        self._wallet = wallet
        self._certain: set[str] = set()
        self._orders: Sequence[OrderMemory] = ()
        self._has_unnamed = False

    def is_certain(self, memory: OrderMemory) -> bool:
        """Whether `memory.filled` is all there is, by the latest reading."""
        return memory.venue_order_id in self._certain

    def attribute(
        self,
        orders: Sequence[OrderMemory],
        reading: Reading,
        calm: Mapping[str, bool],
        status_of: StatusOf,
        now: float,
        unnamed_assets: set[str],
    ) -> None:
        """Determine what can be determined of the filled quantities.

        Parameters
        ----------
        orders : Sequence[OrderMemory]
            Named orders; changed in place.
        reading : Reading
            The latest.
        calm : Mapping[str, bool]
            Whether readings about an order have settled.
        status_of : StatusOf
            Meaning of a row.
        now : float
            Seconds of the clock's `monotonic`.
        unnamed_assets : set[str]
            Assets with an own order that the venue has not named: anything may be its fill.
        """
        self._certain.clear()
        self._orders, self._has_unnamed = orders, bool(unnamed_assets)
        for memory in orders:
            row = reading.history.get(memory.venue_order_id)
            if row is not None:
                self._take_row(memory, row, status_of(row), reading.began, is_calm=calm[memory.venue_order_id])
        by_asset: dict[str, list[OrderMemory]] = {}
        for memory in orders:
            if not memory.ended and not self.is_certain(memory):
                by_asset.setdefault(memory.asset, []).append(memory)
        for asset, unknown in by_asset.items():
            if self._wallet.known and asset not in unnamed_assets:
                self._solve(asset, unknown, reading, calm, status_of, now)
        if self._is_fresh(reading) and not unnamed_assets and all(m.ended or calm[m.venue_order_id] for m in orders):
            self._clean_up(orders, now)
        elif self._is_fresh(reading) and not (self._wallet.is_exact or any(m.unpaid_since is not None for m in orders)):
            # All shares are explained, so no money is anybody's any more: from here on prices can be exact again.
            self._calm_down(now, self._settings.read_gap_secs)

    def _take_row(
        self,
        memory: OrderMemory,
        row: wire.HistoryOrder,
        status: VenueStatus | None,
        began: float,
        *,
        is_calm: bool,
    ) -> None:
        """Take the filled quantity a row says by itself."""
        if status is VenueStatus.FILLED and not memory.is_market_buy:
            filled = row.q if row.q else row.oq
        elif status in END_STATUSES and self._settings.trust_closed_quantity and not memory.is_market_buy:
            filled = row.q
        elif status in END_STATUSES and status is not VenueStatus.FILLED and row.q == 0 and not memory.filled:
            # Whatever q is of an order that ended otherwise: the original quantity is not zero, and of one that has
            # nothing left it would be FILLED that is told. The wallet must not say that there was something.
            if self._wallet.known and self._wallet.residual(memory.asset):
                return
            filled = ZERO
        else:
            return
        if filled is None:
            return
        if memory.filled is None:
            self._take_tainted(memory, filled)
            return
        growth = filled - memory.filled
        if growth < 0:
            _log.error(
                "%s: order %s is told filled %s, but %s were seen before",
                VENUE,
                row.i,
                plain(filled),
                plain(memory.filled),
            )
            return
        if growth == 0 or self._price(memory, growth, row.p, began, is_calm=is_calm):
            self._certain.add(memory.venue_order_id)

    def _take_tainted(self, memory: OrderMemory, filled: Decimal) -> None:
        """Take the total of an order of an earlier run: how much of it has changed the balance since is not known."""
        memory.filled = filled
        self._certain.add(memory.venue_order_id)
        others = [o for o in self._orders if o.asset == memory.asset and not o.ended and o is not memory]
        for other in others:
            other.filled = other.notional = None
        if not others and self._wallet.known:
            self._wallet.forgive(memory.asset)
            self._wallet.money_exact = False

    def _price(self, memory: OrderMemory, growth: Decimal, px: Decimal | None, began: float, *, is_calm: bool) -> bool:
        """Take `growth` in, with what was paid for it; False: the wallet has not told yet."""
        wallet, shares = self._wallet, memory.sign * growth
        money = wallet.pay(memory.asset, shares, memory.terms.price, is_alone=self._is_alone(memory))
        if money is None:
            if wallet.known and not is_calm and self._may_tell(memory, growth, began):
                memory.hinted = True  # the balances are to be read before it is judged again
                return False
            wallet.fold(memory.asset, shares, None)
            px = memory.terms.price or px
            money = None if px is None else growth * px
        assert memory.filled is not None
        memory.filled += growth
        memory.notional = None if memory.notional is None or money is None else memory.notional + money
        memory.unpaid_since = None
        return True

    def _is_alone(self, memory: OrderMemory) -> bool:
        """Whether no fills of others can hide in a change that looks like that of `memory` alone.

        Fills of one direction add up to more. So only a purchase and a sale can: of one asset, and both not known yet.
        """
        signs: dict[str, set[int]] = {}
        for other in self._orders:
            if other is not memory and not other.ended and not self.is_certain(other):
                signs.setdefault(other.asset, set()).add(other.sign)
        return not self._has_unnamed and all(len(both) == 1 for both in signs.values())

    def _may_tell(self, memory: OrderMemory, growth: Decimal, began: float) -> bool:
        """Whether the wallet may still tell what was paid: it is behind, or the next balances may show it."""
        if memory.unpaid_since is None:
            memory.unpaid_since = began
        residual = self._wallet.residual(memory.asset) * memory.sign
        if residual < growth:
            return True
        is_soon = began - memory.unpaid_since < 2 * self._settings.read_gap_secs
        return self._wallet.money_exact and (residual == growth or is_soon)

    def _solve(
        self,
        asset: str,
        unknown: list[OrderMemory],
        reading: Reading,
        calm: Mapping[str, bool],
        status_of: StatusOf,
        now: float,
    ) -> None:
        """Solve the equation of one asset for the orders whose rows do not say what they filled."""
        if any(memory.filled is None for memory in unknown):
            return
        settle_secs = self._settings.read_settle_secs
        quiet = now - self._wallet.changed_at(asset) >= settle_secs and all(calm[m.venue_order_id] for m in unknown)
        quiet = quiet and self._is_fresh(reading)
        residual = self._wallet.residual(asset)
        growths = self._growths(residual, unknown, reading, status_of, quiet=quiet)
        if growths is None:
            return
        for memory, growth in zip(unknown, growths, strict=True):
            row = reading.history.get(memory.venue_order_id)
            if growth == 0 or self._price(memory, growth, None if row is None else row.p, reading.began, is_calm=quiet):
                self._certain.add(memory.venue_order_id)

    def _growths(
        self, residual: Decimal, unknown: list[OrderMemory], reading: Reading, status_of: StatusOf, *, quiet: bool
    ) -> list[Decimal] | None:
        hints = [self._hint(memory, reading, status_of) for memory in unknown]
        hinted = [hint for hint in hints if hint is not None]
        if len(hinted) == len(unknown) and _fulfil(residual, unknown, hinted):
            # What `q` of an ended order is, nobody has said: hints that fit as well if it is what is left say nothing.
            rests = [self._rest(memory, hint, reading, status_of) for memory, hint in zip(unknown, hinted, strict=True)]
            if rests == hinted or not _fulfil(residual, unknown, rests):
                return hinted
        if not quiet:
            return None
        if len(unknown) == 1:
            growth = residual * unknown[0].sign
            return [growth] if growth >= 0 and _fits(unknown[0], growth) else None
        if residual == 0 and len({memory.sign for memory in unknown}) == 1:
            return [ZERO] * len(unknown)
        return None

    def _hint(self, memory: OrderMemory, reading: Reading, status_of: StatusOf) -> Decimal | None:
        """Return by how much an order has grown if its rows mean what they seem to."""
        order_id = memory.venue_order_id
        assert memory.filled is not None
        row, active = reading.history.get(order_id), reading.active.get(order_id)
        if row is not None and status_of(row) in END_STATUSES:
            return None if row.q is None else row.q - memory.filled
        if active is None:
            return None
        if active.filled is not None:
            return active.filled - memory.filled
        if self._settings.active_quantity_is_remaining and active.row.quantity is not None:
            return memory.terms.quantity - active.row.quantity - memory.filled
        return None

    def _rest(self, memory: OrderMemory, hint: Decimal, reading: Reading, status_of: StatusOf) -> Decimal:
        """Return by how much an order has grown if `q` of its row is what was left of it."""
        row = reading.history.get(memory.venue_order_id)
        if self._settings.trust_closed_quantity or row is None or row.q is None or status_of(row) not in END_STATUSES:
            return hint
        assert memory.filled is not None
        return memory.terms.quantity - row.q - memory.filled

    def _is_fresh(self, reading: Reading) -> bool:
        """Whether all balances were read for this reading, however long the lists took after them."""
        return self._wallet.known and reading.began - self._wallet.snapshot_at <= _FRESH_SECS

    def _clean_up(self, orders: Sequence[OrderMemory], now: float) -> None:
        """Forgive what cannot be anybody's fill: shares that came or went in an asset without open orders."""
        wallet = self._wallet
        open_assets = {memory.asset for memory in orders if not memory.ended and not self.is_certain(memory)}
        for asset in wallet.assets() - open_assets:
            settled = now - wallet.changed_at(asset) >= self._settings.read_settle_secs
            if settled and wallet.residual(asset):
                _log.info("%s: %s of %s came or went without an own order", VENUE, plain(wallet.forgive(asset)), asset)
        self._calm_down(now, self._settings.read_settle_secs)

    def _calm_down(self, now: float, quiet_secs: float) -> None:
        if self._wallet.is_calm and self._wallet.quiet_secs(now) >= quiet_secs:
            self._wallet.calm_down()


def _fulfil(residual: Decimal, orders: Sequence[OrderMemory], growths: Sequence[Decimal]) -> bool:
    """Whether `growths` of `orders` explain `residual`."""
    total = sum((memory.sign * growth for memory, growth in zip(orders, growths, strict=True)), ZERO)
    return total == residual and all(growth >= 0 for growth in growths)


def _fits(memory: OrderMemory, growth: Decimal) -> bool:
    most = memory.most
    assert memory.filled is not None
    return most is None or memory.filled + growth <= most
