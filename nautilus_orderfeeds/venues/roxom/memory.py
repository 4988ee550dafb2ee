"""What is remembered of each order, because the wire does not repeat it (protocol, 5.3 and 8).

The venue page's event has eight fields: no side, no type, no price. And several of the documents' contradictions can
only be decided by what was said of the same order before.
"""

import logging
from decimal import Decimal
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide
from nautilus_orderfeeds.venues.roxom.identity import Terms
from nautilus_orderfeeds.venues.roxom.settings import FeesReading
from nautilus_orderfeeds.venues.roxom.words import VENUE

_log = logging.getLogger(__name__)

#: Orders remembered; the oldest are forgotten first.
_MAX_ORDERS: Final = 20_000


class OrderMemory(Struct):
    """What is known of one order.

    Parameters
    ----------
    terms : Terms, optional
        What was asked for, of an own order.
    side : OrderSide, optional
        As told.
    quantity : Decimal, optional
        Its total, base units: it never changes at this venue.
    px : Decimal, optional
        A price it must trade near, BTC per base unit.
    expire_time_ns : int
        UNIX ns, 0 if none.
    timestamp : int
        Highest time told by its events, UNIX ns.
    executed, fees_told, fees : Decimal
        Of the newest event: filled quantity, and its fees as told and in sum.
    per_fill : bool
        Its fees are told fill by fill.
    cancel_asked : bool
        A cancel was asked for, here or elsewhere.
    asked_back : bool
        An event of it that tells too little has been followed up.
    unlisted : bool
        The latest reading showed it `inactive`, and not among the open orders.
    """

    terms: Terms | None = None
    side: OrderSide | None = None
    quantity: Decimal | None = None
    px: Decimal | None = None
    expire_time_ns: int = 0
    timestamp: int = 0
    executed: Decimal = ZERO
    fees_told: Decimal = ZERO
    fees: Decimal = ZERO
    per_fill: bool = False
    cancel_asked: bool = False
    asked_back: bool = False
    unlisted: bool = False

    @property
    def liquidity_side(self) -> LiquiditySide:
        """Which side its fills take, as far as its terms say."""
        return LiquiditySide.NO_LIQUIDITY_SIDE if self.terms is None else self.terms.liquidity_side

    def learn_quantity(self, told: Decimal | None) -> Decimal | None:
        """Take over a told total and return the total: of an own order what was asked for, else the largest told."""
        if self.terms is None and told and (self.quantity is None or told > self.quantity):
            self.quantity = told
        return self.quantity

    def new_time(self, timestamp: int) -> int:
        """Return an event's time if it grows for this order, else 0: it may be the time of creation, repeated."""
        if timestamp <= self.timestamp:
            return 0
        self.timestamp = timestamp
        return timestamp

    def learn_fees(
        self, executed: Decimal, told: Decimal | None, reading: FeesReading, order_id: str
    ) -> Decimal | None:
        """Return the fees over `executed` base units; None if they cannot be told.

        Parameters
        ----------
        executed : Decimal
            Cumulative filled quantity of the event.
        told : Decimal, optional
            Its fees, BTC.
        reading : FeesReading
            What such numbers are taken to mean, until the order itself proves otherwise.
        order_id : str
            For the log.
        """
        if told is None or executed < self.executed:
            return None
        if executed == self.executed:
            return self.fees if executed else None
        if not self.per_fill and reading is FeesReading.CUMULATIVE and told < self.fees_told:
            _log.warning("%s: filledFees of order %s fell: read fill by fill from now on", VENUE, order_id)
            self.per_fill = True
        if self.per_fill or reading is FeesReading.PER_FILL:
            self.fees += told
        else:
            self.fees = told
        self.executed, self.fees_told = executed, told
        return self.fees


class OrderMemories:
    """The account's orders, by the venue's id."""

    def __init__(self) -> None:
        self._orders: dict[str, OrderMemory] = {}
        self._named: dict[str, str] = {}
        self._px: dict[str, Decimal] = {}

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._orders

    def of(self, order_id: str) -> OrderMemory:
        """Return what is remembered of an order; nothing as yet, of one that is new."""
        memory = self._orders.get(order_id)
        if memory is None:
            while len(self._orders) >= _MAX_ORDERS:
                oldest = self._orders.pop(next(iter(self._orders)))
                if oldest.terms is not None:
                    self._named.pop(oldest.terms.key, None)
            memory = self._orders[order_id] = OrderMemory()
        return memory

    def is_own(self, order_id: str) -> bool:
        """Whether the order is known to be one of ours."""
        memory = self._orders.get(order_id)
        return memory is not None and memory.terms is not None

    def id_of(self, terms: Terms) -> str | None:
        """Return the venue's id of an order of ours, if it is known."""
        return self._named.get(terms.key)

    def bind(self, order_id: str, terms: Terms) -> None:
        """Note that an order is ours."""
        memory = self.of(order_id)
        if memory.terms is not None:
            return
        self._named[terms.key] = order_id
        memory.terms, memory.side, memory.quantity = terms, terms.side, terms.quantity
        memory.expire_time_ns = terms.expire_time_ns
        memory.px = terms.price or terms.trigger_price or memory.px
        self.learn_px(terms.symbol, memory.px)

    def learn_px(self, symbol: str, px: Decimal | None) -> None:
        """Note a price of an instrument that is certainly in BTC."""
        if px is not None and px > 0:
            self._px[symbol] = px

    def knows_px(self, symbol: str) -> bool:
        """Whether a price of the instrument is known that is certainly in BTC."""
        return symbol in self._px

    def reference_px(self, order_id: str, symbol: str) -> Decimal | None:
        """Return a price in BTC that one of this order should be near; None if none is known."""
        memory = self._orders.get(order_id)
        return (memory.px if memory is not None else None) or self._px.get(symbol)
