"""The framework's own `Order` object, fed with our events: the judge of law 5."""

from decimal import Decimal
from typing import Any

from nautilus_trader.common.component import TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model import events as fw
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import LiquiditySide as FrameworkLiquiditySide
from nautilus_trader.model.enums import OrderSide as FrameworkOrderSide
from nautilus_trader.model.enums import order_status_to_str
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    StrategyId,
    TradeId,
    TraderId,
    VenueOrderId,
)
from nautilus_trader.model.objects import Money, Price, Quantity

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.words import OrderSide, OrderStatus, OrderType

_TRADER, _STRATEGY, _ACCOUNT = TraderId("T-1"), StrategyId("S-1"), AccountId("SIM-1")
_INSTRUMENT = InstrumentId.from_str("BTCUSD.SIM")
_FACTORY = OrderFactory(trader_id=_TRADER, strategy_id=_STRATEGY, clock=TestClock())
_EVENT_ID = UUID4()
_SIDES = {OrderSide.BUY: FrameworkOrderSide.BUY, OrderSide.SELL: FrameworkOrderSide.SELL}


def quantity(value: Decimal) -> Quantity:
    """Return `value` as the framework's quantity (8 decimals)."""
    return Quantity(value, 8)


def price(value: Decimal | None) -> Price | None:
    """Return `value` as the framework's price (8 decimals), None as None."""
    return None if value is None else Price(value, 8)


class FrameworkOrder:
    """One order of the framework."""

    def __init__(
        self,
        kind: OrderType,
        side: OrderSide,
        total: Decimal,
        px: Decimal | None,
        *,
        quote_quantity: bool = False,
    ) -> None:
        self.side, qty = _SIDES[side], quantity(total)
        limit = price(px if px is not None else Decimal(100))
        match kind:
            case OrderType.MARKET:
                self.order = _FACTORY.market(_INSTRUMENT, self.side, qty, quote_quantity=quote_quantity)
            case OrderType.STOP_LIMIT:
                self.order = _FACTORY.stop_limit(_INSTRUMENT, self.side, qty, limit, limit)
            case _:
                self.order = _FACTORY.limit(_INSTRUMENT, self.side, qty, limit)

    @property
    def status(self) -> OrderStatus:
        """The framework's word for it, in our enum."""
        return OrderStatus[order_status_to_str(self.order.status)]

    @property
    def filled_qty(self) -> Decimal:
        """Base units."""
        return Decimal(str(self.order.filled_qty))

    @property
    def leaves_qty(self) -> Decimal:
        """Base units."""
        return Decimal(str(self.order.leaves_qty))

    @property
    def quantity(self) -> Decimal:
        """Order total."""
        return Decimal(str(self.order.quantity))

    @property
    def commission(self) -> Decimal:
        """Sum of the commissions, USD."""
        return sum((Decimal(str(money.as_decimal())) for money in self.order.commissions()), Decimal(0))

    def apply(self, event: ev.OrderEvent) -> None:
        """Apply one of our events; bookkeeping that no strategy sees is none of its business.

        Raises
        ------
        Exception
            Whatever the framework raises on an event that it refuses.
        """
        framework_event = self._translate(event)
        if framework_event is not None:
            self.order.apply(framework_event)

    def _translate(self, event: ev.OrderEvent) -> Any:
        order = self.order
        who = (_TRADER, _STRATEGY, _INSTRUMENT, ClientOrderId(order.client_order_id.value))
        when = (_EVENT_ID, event.ts_event, event.ts_event)
        venue_id = order.venue_order_id
        match event:
            case ev.OrderSubmitted():
                return fw.OrderSubmitted(*who, _ACCOUNT, *when)
            case ev.OrderDenied():
                return fw.OrderDenied(*who, event.reason, _EVENT_ID, event.ts_event)
            case ev.OrderAccepted():
                return fw.OrderAccepted(*who, VenueOrderId(event.venue_order_id), _ACCOUNT, *when)
            case ev.OrderRejected():
                return fw.OrderRejected(*who, _ACCOUNT, event.reason or "-", *when)
            case ev.OrderTriggered():
                return fw.OrderTriggered(*who, venue_id, _ACCOUNT, *when)
            case ev.OrderPendingUpdate():
                return fw.OrderPendingUpdate(*who, venue_id, _ACCOUNT, *when)
            case ev.OrderPendingCancel():
                return fw.OrderPendingCancel(*who, venue_id, _ACCOUNT, *when)
            case ev.OrderModifyRejected():
                return fw.OrderModifyRejected(*who, venue_id, _ACCOUNT, event.reason, *when)
            case ev.OrderCancelRejected():
                return fw.OrderCancelRejected(*who, venue_id, _ACCOUNT, event.reason, *when)
            case ev.OrderCanceled():
                return fw.OrderCanceled(*who, venue_id, _ACCOUNT, *when)
            case ev.OrderExpired():
                return fw.OrderExpired(*who, venue_id, _ACCOUNT, *when)
            case ev.OrderUpdated():
                return fw.OrderUpdated(
                    *who,
                    VenueOrderId(event.venue_order_id),
                    _ACCOUNT,
                    quantity(event.quantity),
                    price(event.price),
                    price(event.trigger_price),
                    *when,
                    is_quote_quantity=order.is_quote_quantity and not event.restated,
                )
            case ev.OrderFilled():
                return fw.OrderFilled(
                    *who,
                    VenueOrderId(event.venue_order_id),
                    _ACCOUNT,
                    TradeId(event.trade_id),
                    None,
                    self.side,
                    order.order_type,
                    quantity(event.last_qty),
                    price(event.last_px),
                    USD,
                    Money(event.commission, USD),
                    FrameworkLiquiditySide[event.liquidity_side.name],
                    *when,
                )
            case _:
                return None
