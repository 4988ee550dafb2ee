"""A quoting market maker that leans against its inventory and stands aside while a feed is not live.

*** A sample with no edge whatsoever: not meant to trade real money. ***
"""

from decimal import Decimal
from typing import Final

from nautilus_trader.common.config import NonNegativeInt, PositiveInt
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.events import OrderCancelRejected, OrderEvent, OrderModifyRejected
from nautilus_trader.model.objects import Price
from nautilus_trader.model.orders import Order

from strategies.common import QuotedStrategy, QuotedStrategyConfig, Side, active, settled

_ROLES: Final = {Side.BUY: "BID", Side.SELL: "OFFER"}


class MarketMakerConfig(QuotedStrategyConfig, kw_only=True, frozen=True):
    """Configuration of `MarketMaker`.

    Parameters
    ----------
    order_qty : Decimal
        Size of each quote, base units.
    half_spread_ticks : int
        How far each quote stays from the middle of the market, ticks.
    skew_ticks : int
        By how much both quotes move against each `order_qty` of inventory, ticks.
    max_position : Decimal
        How far the position may go to either side, base units.
    requote_ticks : int
        A quote is moved once it is so far from where it should be, ticks.
    post_only : bool
        Whether quotes are post-only (not every venue takes it).
    amend : bool
        Whether quotes are moved by changing the order; otherwise it is cancelled, and the next quote of the market
        brings a new one.
    """

    order_qty: Decimal
    half_spread_ticks: PositiveInt = 10
    skew_ticks: NonNegativeInt = 2
    max_position: Decimal = Decimal(10)
    requote_ticks: PositiveInt = 2
    post_only: bool = False
    amend: bool = False


class MarketMaker(QuotedStrategy):
    """Keeps one bid and one offer around the market.

    There is never more than one order a side: a new one is sent only when the old one is known to be over, so a lost
    answer cannot double the exposure.

    Parameters
    ----------
    config : MarketMakerConfig
    """

    def __init__(self, config: MarketMakerConfig) -> None:
        super().__init__(config)
        self._quotes: dict[Side, Order | None] = dict.fromkeys(Side)
        self._unamendable: set[str] = set()

    def on_market(self, quote: QuoteTick) -> None:
        """Bring both quotes where they should be."""
        net = self.net_position()
        lean = -net / self.config.order_qty * self.config.skew_ticks * self.tick
        for side in Side:
            wanted = self._wanted(side, quote, lean)
            if self._has_room(side, net):
                self._keep(side, wanted)
            elif (order := self._quotes[side]) is not None:
                self.cancel(order)

    def on_order_event(self, event: OrderEvent) -> None:
        """Remember which orders cannot be changed: those are cancelled instead."""
        super().on_order_event(event)
        match event:
            case OrderModifyRejected():
                self._unamendable.add(event.client_order_id.value)
            case OrderCancelRejected():
                # It may have filled meanwhile, which its own event will tell; if it still rests, the next quote asks
                # again.
                self.log.warning(f"cancel of {event.client_order_id} was refused: {event.reason}")

    def on_reset(self) -> None:
        """Forget the quotes."""
        super().on_reset()
        self._quotes = dict.fromkeys(Side)
        self._unamendable.clear()

    def _wanted(self, side: Side, quote: QuoteTick, lean: Decimal) -> Price:
        away = self.config.half_spread_ticks * self.tick
        value = self.mid(quote) + lean - side.sign * away
        # A quote that would take is none: it stays a tick short of the other side.
        if side is Side.BUY:
            value = min(value, quote.ask_price.as_decimal() - self.tick)
        else:
            value = max(value, quote.bid_price.as_decimal() + self.tick)
        return self.price(value, side)

    def _has_room(self, side: Side, net: Decimal) -> bool:
        after = net + side.sign * self.config.order_qty
        if side is Side.SELL and not self.config.allow_short and after < 0:
            return False
        # What brings the position towards zero is always allowed.
        return bool(abs(after) <= self.config.max_position or abs(after) < abs(net))

    def _keep(self, side: Side, wanted: Price) -> None:
        order = self._quotes[side]
        if not active(order):
            quantity = self.qty(self.config.order_qty)
            if quantity is None:
                self.halt(f"order_qty {self.config.order_qty} is below the least quantity of {self.instrument!r}")
                return
            self._quotes[side] = self.limit(side, quantity, wanted, _ROLES[side], post_only=self.config.post_only)
            return
        assert order is not None
        off = abs(order.price.as_decimal() - wanted.as_decimal())
        if not settled(order) or off < self.config.requote_ticks * self.tick:
            return
        if self.config.amend and order.client_order_id.value not in self._unamendable:
            self.modify_order(order, price=wanted, client_id=self.config.client_id, params=self.config.order_params)
        else:
            self.cancel(order)
