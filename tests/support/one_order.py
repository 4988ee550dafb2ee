"""One order, and short ways to say things about it: for tests of single cases."""

from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.reducer import reduce, settle
from nautilus_orderfeeds.orders.state import OrderState, evolve
from nautilus_orderfeeds.orders.updates import Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType
from tests.support.framework_order import FrameworkOrder

V = VenueStatus


def _name(venue_order_id: str, cumulative: Decimal) -> str:
    return f"{venue_order_id}|cum|{plain(cumulative)}"


RULES = Rules(inferred_trade_id=_name, price_precision=2, taker_fee=Decimal("0.001"), maker_fee=Decimal("-0.0002"))
AT_ONCE = Rules(inferred_trade_id=_name, price_precision=2, taker_fee=Decimal("0.001"), infer_at_once=True)


def said(status: VenueStatus | None = V.WORKING, **fields: Any) -> OrderUpdate:
    """Return a statement about order V1; numbers may be given as text."""
    for name in ("quantity", "price", "trigger_price", "filled_qty", "avg_px", "filled_notional", "last_px", "fees"):
        if isinstance(fields.get(name), str):
            fields[name] = Decimal(fields[name])
    fields.setdefault("source", Source.STREAM)
    fields.setdefault("venue_order_id", "V1")
    return OrderUpdate(status=status, **fields)


def trade(
    trade_id: str, qty: str, px: str = "100", *, ends_at: str | None = None, fee: str | None = "0", ts: int = 0
) -> Fill:
    """Return a trade as the venue tells it."""
    return Fill(
        trade_id=trade_id,
        last_qty=Decimal(qty),
        last_px=Decimal(px),
        commission=None if fee is None else Decimal(fee),
        ends_at=None if ends_at is None else Decimal(ends_at),
        ts_event=ts,
    )


def bare(*fills: Fill, venue_order_id: str | None = "V1", ts: int = 0) -> OrderUpdate:
    """Return trades as a feed of trades tells them."""
    return said(None, source=Source.TRADES, fills=fills, venue_order_id=venue_order_id, ts_event=ts)


class OneOrder:
    """One order of 10 at 100, submitted; every event is also applied to an order of the framework."""

    def __init__(
        self,
        kind: OrderType = OrderType.LIMIT,
        *,
        quantity: str = "10",
        price: str | None = "100",
        quote_quantity: bool = False,
        rules: Rules = RULES,
        submitted: bool = True,
    ) -> None:
        self.rules = rules
        self._new = lambda: OrderState(
            client_order_id="O-1",
            symbol="BTCUSD",
            side=OrderSide.BUY,
            type=kind,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            quote_quantity=quote_quantity,
        )
        self.state = self._new()
        self.native = FrameworkOrder(
            kind, OrderSide.BUY, self.state.quantity, self.state.price, quote_quantity=quote_quantity
        )
        self.journal: list[ev.OrderEvent] = []
        if submitted:
            self.fold(ev.OrderSubmitted(ts_event=1))

    def fold(self, event: ev.OrderEvent) -> None:
        """Fold an event of a command."""
        evolve(self.state, event)
        self.note([event])

    def note(self, events: list[ev.OrderEvent]) -> list[ev.OrderEvent]:
        """Journal events that are folded already and apply them to the framework's order."""
        for event in events:
            self.journal.append(event)
            self.native.apply(event)
        assert self.native.status is self.state.status
        return events

    def hear(self, *updates: OrderUpdate) -> list[str]:
        """Take statements in; return the events in short."""
        return [short(event) for update in updates for event in self.note(reduce(self.state, update, self.rules))]

    def settle(self, ts_event: int = 0) -> list[str]:
        """Stop waiting; return the events in short."""
        return [short(event) for event in self.note(settle(self.state, self.rules, ts_event))]

    def restart(self) -> None:
        """Keep nothing but the journal."""
        self.state = self._new()
        for event in self.journal:
            evolve(self.state, event)

    def events(self, kind: type[ev.OrderEvent]) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.journal if isinstance(event, kind)]

    @property
    def fills(self) -> list[ev.OrderFilled]:
        """Fills told."""
        return self.events(ev.OrderFilled)


def short(event: ev.OrderEvent) -> str:
    """Return an event in a word or two."""
    match event:
        case ev.OrderFilled():
            return f"{'inferred' if event.inferred else 'filled'} {plain(event.last_qty)} @ {plain(event.last_px)}"
        case ev.FillOrphaned():
            return f"orphaned {plain(event.last_qty)} @ {plain(event.last_px)}"
        case ev.FillAbsorbed():
            return f"absorbed {plain(event.qty)}"
        case ev.OrderUpdated():
            return f"updated {plain(event.quantity)} @ {'-' if event.price is None else plain(event.price)}"
        case _:
            return type(event).__name__.removeprefix("Order").lower()
