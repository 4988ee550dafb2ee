"""Lives of orders in numbers, for tests."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import Journal
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce

#: What a page must never run.
HOSTILE = '</script><script>document.title="taken"</script><img src=x onerror="document.title=1">{{constructor}}'


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


def hostile_journal(folder: Path) -> Path:
    """A journal whose venue sends markup in every place where it can; the last of its three orders is in flight."""
    path = folder / "SFOX-001.sqlite"
    journal = Journal(str(path), "SFOX-001")
    for n, events in enumerate(
        (
            [ev.OrderSubmitted(), ev.OrderAccepted(venue_order_id="V-0000001"), fill("4", cum="4")],
            [ev.OrderSubmitted(), ev.OrderRejected(reason=HOSTILE)],
            [ev.OrderSubmitted()],
        )
    ):
        terms = NewOrder(
            client_order_id=f"O-{n}{HOSTILE}",
            symbol=f"BTC{HOSTILE}",
            side=OrderSide.BUY,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=Decimal(10),
            strategy_id=HOSTILE,
        )
        journal.record_intent(terms, (), 1_000_000 + n, venue_order_id=f"V-000000{n}")
        journal.append_frame(HOSTILE, f'{{"id":"V-000000{n}","status":"{HOSTILE}"}}'.encode(), 1_500_000 + n)
        for k, event in enumerate(events):
            journal.append_event(terms.client_order_id, event, 2_000_000 + 1_000_000 * k)
    journal.close()
    return path
