"""
What binds the two assets of an outcome at the simulated Outpoll: their prices add up to one.

The venue publishes prices for the primary asset only; of the other one they are taken to be 1 - ask and 1 - bid
(protocol 6.4 [I]). So the background quotes both around middles that mirror each other; whichever moves, the other
follows. The two books stay apart: nobody's order is in both.
"""

from __future__ import annotations

from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import Batch, MarkChanged
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, assets_of


class Mirror:
    """
    Keeps the background's quotes of the two assets of an outcome together.

    Parameters
    ----------
    market : Market
    options : OutpollTwinOptions
    """

    def __init__(self, market: Market, options: OutpollTwinOptions) -> None:
        self._market = market
        self._options = options

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market, the last one: it moves the market itself."""
        for event in batch.events:
            if isinstance(event, MarkChanged) and self._options.mirrored:
                self._follow(event.product)

    def _follow(self, product: str) -> None:
        flow = self._market.flow
        mirrored = 1 - flow.mid(product)
        for other in assets_of(ASSETS[product].outcome):
            if other.asset_id != product and flow.mid(other.asset_id) != mirrored:
                flow.set_mid(other.asset_id, mirrored)
