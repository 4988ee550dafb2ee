"""
Setting, cancelling and firing take-profit and stop-loss at the simulated Outpoll (protocol 5.5, 9).

When a price is reached, the venue sells the shares by a market order that the client never sent and whose id it
has not seen.
"""

from __future__ import annotations

from decimal import Decimal

from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import Batch, MarkChanged, SimOrder, TradePrinted, TriggerSource
from nautilus_orderfeeds.venues.outpoll.twin_assumed import TPSL_CANCELED, TPSL_TRIGGERED
from nautilus_orderfeeds.venues.outpoll.twin_exchange import Exchange
from nautilus_orderfeeds.venues.outpoll.twin_keys import Refused
from nautilus_orderfeeds.venues.outpoll.twin_notices import Notices
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, EventOutcome, assets_of
from nautilus_orderfeeds.venues.outpoll.twin_request import TpslRequest
from nautilus_orderfeeds.venues.outpoll.twin_tpsl import Tpsl, TpslBook
from nautilus_orderfeeds.venues.outpoll.twin_wallet import Wallet


class TpslDesk:
    """
    Everything that happens to TP/SL.

    Parameters
    ----------
    book : TpslBook
    exchange : Exchange
    market : Market
    wallet : Wallet
    notices : Notices
    options : OutpollTwinOptions
    later : Later
    """

    def __init__(
        self,
        book: TpslBook,
        exchange: Exchange,
        market: Market,
        wallet: Wallet,
        notices: Notices,
        options: OutpollTwinOptions,
        later: Later,
    ) -> None:
        self._book = book
        self._exchange = exchange
        self._market = market
        self._wallet = wallet
        self._notices = notices
        self._options = options
        self._later = later

    def create(self, owner: str, request: TpslRequest) -> Tpsl:
        """
        Set a TP/SL; without a quantity on all that is free.

        Raises
        ------
        Refused
            400 for an outcome that is resolved, or more shares than the user has free.
        """
        if self._exchange.is_resolved(request.asset.outcome):
            raise Refused(400, "Market is closed")
        free = self._wallet.free(owner, request.asset.asset_id)
        quantity = free if request.quantity is None else request.quantity
        if quantity <= 0 or quantity > free:
            raise Refused(400, "Insufficient position")
        tpsl = Tpsl(
            tpsl_id=self._exchange.new_id(),
            owner=owner,
            asset=request.asset,
            quantity=quantity,
            take_profit=request.take_profit,
            stop_loss=request.stop_loss,
        )
        self._book.add(tpsl)
        self._wallet.publish(owner)
        self._notices.tpsl(tpsl)
        return tpsl

    def cancel(self, owner: str, tpsl_id: str) -> None:
        """Take an active TP/SL back. Raises `Refused` with 404."""
        tpsl = self._book.find(owner, tpsl_id)
        if tpsl is None or not tpsl.is_active:
            raise Refused(404, "TP/SL not found")
        self._end(tpsl, TPSL_CANCELED)

    def drop(self, outcome: EventOutcome) -> None:
        """End all TP/SL of an outcome that is resolved."""
        for asset in assets_of(outcome):
            for tpsl in self._book.of(asset):
                if tpsl.is_active:
                    self._end(tpsl, TPSL_CANCELED)

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market: does a price trigger something?"""
        by_mark = self._options.tpsl_source is TriggerSource.MARK
        for event in batch.events:
            match event:
                case MarkChanged(product, price, _) if by_mark:
                    self._reached(product, price)
                case TradePrinted(product, _, price) if not by_mark:
                    self._reached(product, price)
                case _:
                    pass

    def fire(self, tpsl: Tpsl) -> SimOrder | None:
        """Sell what a TP/SL covers, as far as it is still there; `None` if it is over or nothing is."""
        if not tpsl.is_active:
            return None
        self._end(tpsl, TPSL_TRIGGERED)
        quantity = min(tpsl.quantity, self._wallet.free(tpsl.owner, tpsl.asset.asset_id))
        if quantity <= 0:
            return None
        order = self._exchange.market_sell(tpsl.owner, tpsl.asset, quantity)
        self._exchange.take_in(order)
        return order

    def _reached(self, product: str, price: Decimal) -> None:
        for tpsl in self._book.of(ASSETS[product]):
            if tpsl.is_active and tpsl.is_reached(price):
                # Never at once: this runs within a step of the market.
                self._fire_soon(tpsl)

    def _fire_soon(self, tpsl: Tpsl) -> None:
        def fire() -> None:
            self.fire(tpsl)

        self._later.once(self._options.tpsl_delay_secs, fire)

    def _end(self, tpsl: Tpsl, status: str) -> None:
        tpsl.status = status
        self._wallet.publish(tpsl.owner)
        self._notices.tpsl(tpsl)
