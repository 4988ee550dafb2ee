"""What Outpoll's read side says, put together by hand; times are seconds of one clock that begins at 100."""

from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.entry import BASE_ASSET_ID, EVENT_ID, OUTCOME_ID, QUOTE_ASSET_ID
from nautilus_orderfeeds.venues.outpoll.memory import Calm, OrderMemory
from nautilus_orderfeeds.venues.outpoll.products import spec_of
from nautilus_orderfeeds.venues.outpoll.queries import Active, Reading

ASSET, OTHER, USDC = "asset-1", "asset-2", "usdc-1"
NOW = 100.0
NOW_NS = 1_700_000_000_000_000_000


def spec(symbol: str = ASSET, **info: Any) -> Any:
    """An instrument as loaded from a file."""
    made = spec_of(wire.OpenPosition(ai=symbol, ip=True), "")
    made.info.update({EVENT_ID: "event-1", OUTCOME_ID: "outcome-1", BASE_ASSET_ID: symbol, QUOTE_ASSET_ID: USDC} | info)
    return made


def new_order(client_order_id: str = "O-1", **terms: Any) -> NewOrder:
    """A limit order to buy 10 at 0.40."""
    fields: dict[str, Any] = {
        "client_order_id": client_order_id,
        "symbol": ASSET,
        "side": OrderSide.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": Decimal(10),
        "price": Decimal("0.40"),
    }
    return NewOrder(**(fields | terms))


def market(client_order_id: str = "O-1", side: OrderSide = OrderSide.BUY, quantity: str = "10") -> NewOrder:
    """A market order: a BUY by its amount."""
    return new_order(
        client_order_id,
        side=side,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        quantity=Decimal(quantity),
        price=None,
        quote_quantity=side is OrderSide.BUY,
    )


def memory(order_id: str = "v-1", terms: NewOrder | None = None, **known: Any) -> OrderMemory:
    """An order that the venue has named, long ago."""
    terms = terms or new_order()
    fields = {"venue_order_id": order_id, "client_order_id": terms.client_order_id, "terms": terms, "taken": 0.0}
    return OrderMemory(**(fields | {"calm": Calm(0.0)} | known))


def row(order_id: str = "v-1", **changes: Any) -> wire.HistoryOrder:
    """A row of the history, FILLED unless said otherwise."""
    fields: dict[str, Any] = {
        "i": order_id,
        "a": ASSET,
        "si": "BUY",
        "t": "LIMIT",
        "oq": Decimal(10),
        "q": Decimal(10),
        "p": Decimal("0.40"),
        "m": Decimal(NOW_NS // 10**6),
        "st": "FILLED",
    }
    return wire.HistoryOrder(**(fields | changes))


def active(order_id: str = "v-1", *, asset_id: str | None = None, filled: str | None = None, **changes: Any) -> Active:
    """An active order."""
    fields = {"id": order_id, "status": "ACTIVE", "side": "BUY", "price": Decimal("0.40"), "quantity": Decimal(10)}
    told = None if filled is None else Decimal(filled)
    return Active(row=wire.ActiveOrder(**(fields | changes)), asset_id=asset_id, filled=told)


def reading(*orders: Any, at: float = NOW) -> Reading:
    """A reading that began at `at` seconds."""
    made = Reading(began=at, began_ns=NOW_NS + int((at - NOW) * 1e9))
    for order in orders:
        if isinstance(order, Active):
            made.active[order.row.id] = order
        else:
            made.history[order.i] = order
    return made


def balance(asset: str, total: str) -> wire.BalanceRow:
    """All of it free."""
    return wire.BalanceRow(i=asset, b=Decimal(total), f=Decimal(total))


def delta(asset: str, total: str) -> wire.BalanceDelta:
    """A change to `total`, all of it free."""
    return wire.BalanceDelta(a=asset, b=Decimal(total), f=Decimal(total))
