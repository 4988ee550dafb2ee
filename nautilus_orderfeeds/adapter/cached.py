"""Orders that the framework's cache remembers from an earlier run (a cache database), against what the journal says.

Normally both say the same. Two differences must not be passed over:

- The cache knows an order that the journal does not (a new machine, a lost file): then the cache's events are what was
  told, and the order is followed under its own id. Taken for one entered elsewhere, it would be counted twice.
- The journal has told more than the cache has kept (the process died in between): then the rest is told again.
"""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, Final

from nautilus_trader.model import events as nt
from nautilus_trader.model.enums import OrderStatus as NtOrderStatus
from nautilus_trader.model.identifiers import AccountId, ClientOrderId
from nautilus_trader.model.identifiers import Venue as NtVenue

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.adapter.emitter import Emitter
from nautilus_orderfeeds.adapter.init_record import decode_order, encode_init
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.journal import Journal, OrderRecord
from nautilus_orderfeeds.orders.tracker import OrderTracker
from nautilus_orderfeeds.orders.words import LiquiditySide

#: Never sent: nothing that a venue could tell of.
_UNSENT: Final = frozenset(
    {NtOrderStatus.INITIALIZED, NtOrderStatus.DENIED, NtOrderStatus.EMULATED, NtOrderStatus.RELEASED}
)
_OUR_LIQUIDITY: Final = {theirs: ours for ours, theirs in convert.NT_LIQUIDITY.items()}


def adopt(
    cache: Any,
    nt_venue: NtVenue,
    account_id: AccountId,
    tracker: OrderTracker,
    rules_by_symbol: dict[str, Rules],
    journal: Journal,
    log: Any,
) -> int:
    """Take up the account's orders in the cache that the journal does not know; return how many."""
    adopted = 0
    for order in cache.orders(venue=nt_venue):
        if order.account_id not in (None, account_id):
            continue  # of another account in this node; one entered elsewhere has none
        client_order_id = order.client_order_id.value
        if order.status in _UNSENT or tracker.get(client_order_id) is not None:
            continue
        rules = rules_by_symbol.get(order.instrument_id.symbol.value)
        if rules is None or order.venue_order_id is None:
            missing = "its instrument is not loaded" if rules is None else "the venue's id of it is not known"
            log.warning(f"Order {client_order_id!r} of an earlier run cannot be followed: {missing}")
            continue
        venue_order_id = order.venue_order_id.value
        terms = convert.new_order(SimpleNamespace(params=None), decode_order(encode_init(order)), None)
        events = told(order)
        external = order.strategy_id.value == "EXTERNAL"
        tracker.restore(terms, rules, (), order.ts_init, events, external=external, venue_order_id=venue_order_id)
        journal.record_intent(
            terms, (), order.ts_init, init=encode_init(order), external=external, venue_order_id=venue_order_id
        )
        for event in events:
            journal.append_event(client_order_id, event, order.ts_last)
        if order.is_closed:
            journal.close_order(client_order_id, order.ts_last)
        adopted += 1
    return adopted


def told(order: Any) -> list[ev.OrderEvent]:
    """Return the events that made a framework order what it is, as ours; requests and their refusals left out."""
    events: list[ev.OrderEvent] = []
    end: ev.OrderEvent | None = None
    cum_qty = ZERO
    accepted = False
    for event in order.events:
        match event:
            case nt.OrderSubmitted():
                events.append(ev.OrderSubmitted(ts_event=event.ts_event))
            case nt.OrderAccepted():
                # Told a second time only to leave a pending state.
                if not accepted and not cum_qty:
                    events.append(ev.OrderAccepted(venue_order_id=event.venue_order_id.value, ts_event=event.ts_event))
                accepted = True
            case nt.OrderTriggered():
                events.append(ev.OrderTriggered(ts_event=event.ts_event))
            case nt.OrderUpdated():
                events.append(_updated(event, order))
            case nt.OrderFilled():
                cum_qty += event.last_qty.as_decimal()
                events.append(_filled(event, cum_qty))
            case nt.OrderCanceled():
                end = ev.OrderCanceled(ts_event=event.ts_event)
            case nt.OrderExpired():
                end = ev.OrderExpired(ts_event=event.ts_event)
            case nt.OrderRejected():
                end = ev.OrderRejected(reason=event.reason, due_post_only=event.due_post_only, ts_event=event.ts_event)
    # A fill after the end reopened the order, unless it was ended again.
    if end is not None and order.is_closed and order.status != NtOrderStatus.FILLED:
        events.append(end)
    return events


def _updated(event: Any, order: Any) -> ev.OrderUpdated:
    return ev.OrderUpdated(
        venue_order_id=(event.venue_order_id or order.venue_order_id).value,
        quantity=event.quantity.as_decimal(),
        price=convert.decimal_of(event.price),
        trigger_price=convert.decimal_of(event.trigger_price),
        ts_event=event.ts_event,
    )


def _filled(event: Any, cum_qty: Any) -> ev.OrderFilled:
    info = event.info or {}
    return ev.OrderFilled(
        trade_id=event.trade_id.value,
        venue_order_id=event.venue_order_id.value,
        last_qty=event.last_qty.as_decimal(),
        last_px=event.last_px.as_decimal(),
        commission=event.commission.as_decimal(),
        commission_currency=event.commission.currency.code,
        liquidity_side=_OUR_LIQUIDITY.get(event.liquidity_side, LiquiditySide.NO_LIQUIDITY_SIDE),
        cum_qty=cum_qty,
        inferred=bool(info.get("inferred", False)),
        fee_estimated=bool(info.get("fee_estimated", False)),
        venue_trade_id=str(info.get("venue_trade_id") or ""),
        ts_event=event.ts_event,
    )


def catch_up(records: Iterable[OrderRecord], tracker: OrderTracker, emitter: Emitter, cache: Any) -> int:
    """Tell again what the cache has not kept; return how many orders that concerned.

    To be called before anything is put into the cache: what is told is applied a little later.
    """
    behind = 0
    for record in records:
        order = cache.order(ClientOrderId(record.client_order_id))
        tracked = tracker.get(record.client_order_id)
        if order is None or tracked is None:
            continue
        missing = not_kept(order, record.events)
        if missing:
            emitter.emit(tracked, missing)
            behind += 1
    return behind


def not_kept(order: Any, events: Iterable[ev.OrderEvent]) -> list[ev.OrderEvent]:
    """Return those of the journal's `events` that the cache's order has not kept, in an order it can take."""
    trade_ids = {trade_id.value for trade_id in order.trade_ids}
    missing: list[ev.OrderEvent] = []
    end: ev.OrderEvent | None = None
    for event in events:
        match event:
            case ev.OrderSubmitted() if order.status == NtOrderStatus.INITIALIZED:
                missing.append(event)
            case ev.OrderAccepted() if order.venue_order_id is None:
                missing.append(event)
            case ev.OrderFilled() if event.trade_id not in trade_ids:
                missing.append(event)
            case ev.OrderUpdated() if event.replaced and _has_another_id(order, event):
                missing.append(event)
            case ev.OrderUpdated() if not order.is_closed and event.quantity > order.quantity.as_decimal():
                missing.append(event)  # room for fills that follow
            case ev.OrderCanceled() | ev.OrderExpired() | ev.OrderRejected():
                end = event
    if end is not None and (missing or not order.is_closed):
        missing.append(end)
    return missing


def _has_another_id(order: Any, event: ev.OrderUpdated) -> bool:
    known = order.venue_order_id
    return known is not None and not order.is_closed and known.value != event.venue_order_id
