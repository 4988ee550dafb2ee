"""Lives of orders in numbers, for tests."""

from collections.abc import Sequence
from decimal import Decimal

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce


def blank(
    *,
    quantity: Decimal = Decimal(10),
    client_order_id: str = "O-1",
    symbol: str = "BTCUSD",
    venue: str = "SFOX",
    kind: OrderType = OrderType.LIMIT,
    created_ns: int = 1,
) -> OrderLifecycle:
    """An order of which nothing has been told."""
    return OrderLifecycle(
        client_order_id=client_order_id,
        symbol=symbol,
        venue=venue,
        side=OrderSide.BUY,
        type=kind,
        time_in_force=TimeInForce.GTC,
        quantity=quantity,
        created_ns=created_ns,
    )


def fill(qty: str, *, cum: str, px: str = "100") -> ev.OrderFilled:
    """A fill."""
    return ev.OrderFilled(
        trade_id=f"T{cum}",
        venue_order_id="V1",
        last_qty=Decimal(qty),
        last_px=Decimal(px),
        commission=Decimal(0),
        cum_qty=Decimal(cum),
    )


def told(events: Sequence[ev.OrderEvent], *, quantity: Decimal = Decimal(10)) -> OrderLifecycle:
    """An order of which `events` were told, one ns apart."""
    order = blank(quantity=quantity)
    for n, event in enumerate(events, start=2):
        order.note(event, n)
    return order
