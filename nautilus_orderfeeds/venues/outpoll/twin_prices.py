"""What one share is worth at the simulated Outpoll now."""

from __future__ import annotations

from decimal import Decimal

from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.venues.outpoll.twin_products import Asset

_STEP = Decimal("0.000001")


def current(market: Market, asset: Asset) -> Decimal:
    """The last price, or before the first trade the market's own idea; USDC per share."""
    last = market.last(asset.asset_id)
    return last if last is not None else market.mark(asset.asset_id).quantize(_STEP)
