"""Take-profit and stop-loss of the simulated Outpoll: what is set, and when it is reached (protocol 5.5)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from nautilus_orderfeeds.sim.model import ZERO
from nautilus_orderfeeds.venues.outpoll.twin_products import Asset

ACTIVE = "ACTIVE"
"""The one documented state; the others are in `twin_assumed`."""


@dataclass(slots=True, eq=False)
class Tpsl:
    """A trigger on a position: shares to sell, and the price at or above (take) or at or below (stop) which."""

    tpsl_id: str
    owner: str
    asset: Asset
    quantity: Decimal
    take_profit: Decimal | None
    stop_loss: Decimal | None
    status: str = ACTIVE

    @property
    def is_active(self) -> bool:
        """Whether it still waits."""
        return self.status == ACTIVE

    def is_reached(self, price: Decimal) -> bool:
        """Whether a price triggers it."""
        takes = self.take_profit is not None and price >= self.take_profit
        stops = self.stop_loss is not None and price <= self.stop_loss
        return takes or stops


class TpslBook:
    """Every TP/SL there is or was, oldest first."""

    def __init__(self) -> None:
        self._all: dict[str, Tpsl] = {}

    def add(self, tpsl: Tpsl) -> None:
        """Keep a new one."""
        self._all[tpsl.tpsl_id] = tpsl

    def find(self, owner: str, tpsl_id: str) -> Tpsl | None:
        """A user's own one by its id."""
        found = self._all.get(tpsl_id)
        return found if found is not None and found.owner == owner else None

    def of(self, asset: Asset, owner: str | None = None) -> list[Tpsl]:
        """Those on an asset, optionally of one user only."""
        return [t for t in self._all.values() if t.asset == asset and owner in (None, t.owner)]

    def locked(self, owner: str, asset_id: str) -> Decimal:
        """The shares that active ones of a user cover."""
        return sum(
            (
                tpsl.quantity
                for tpsl in self._all.values()
                if tpsl.is_active and tpsl.owner == owner and tpsl.asset.asset_id == asset_id
            ),
            ZERO,
        )
