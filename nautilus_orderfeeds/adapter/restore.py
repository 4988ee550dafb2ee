"""Orders of an earlier run, given back to the strategies that placed them.

Without a cache database the framework forgets everything at exit, and a strategy's own resting orders come back as
EXTERNAL. The journal knows better: the orders are put back into the cache as they were initialized, and the events
told then are told again to the engine, before any strategy runs (strategies that do not run are not called). The
startup reports then find the cache as it was and confirm it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from nautilus_trader.model.identifiers import ClientOrderId

from nautilus_orderfeeds.adapter.emitter import Emitter
from nautilus_orderfeeds.adapter.init_record import decode_order
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.journal import OrderRecord
from nautilus_orderfeeds.orders.tracker import OrderTracker
from nautilus_orderfeeds.orders.words import OrderSide

#: The framework makes these itself; a request pending at exit is settled by what the venue says now.
_NOT_RETOLD = (ev.OrderPendingCancel, ev.OrderPendingUpdate)


def into_tracker(
    records: Iterable[OrderRecord],
    tracker: OrderTracker,
    rules_by_symbol: dict[str, Rules],
    log: Any,
) -> None:
    """Fold every order of the journal into the tracker, so that nothing is ever told twice."""
    for record in records:
        rules = rules_by_symbol.get(record.terms.symbol)
        if rules is None:
            log.error(
                f"Journal order {record.client_order_id!r} is of {record.terms.symbol}, which is no loaded instrument: "
                "its further fate cannot be followed",
            )
            continue
        tracker.restore(
            record.terms,
            rules,
            record.refs,
            record.created_ns,
            [event for event in record.events if not isinstance(event, _NOT_RETOLD)],
            external=record.external,
            venue_order_id=record.venue_order_id,
        )


def into_cache(
    records: Sequence[OrderRecord],
    tracker: OrderTracker,
    emitter: Emitter,
    cache: Any,
    client_id: Any,
    log: Any,
    since_ns: int,
) -> int:
    """Put the orders that still matter (`relevant`) back into the framework's cache; return how many.

    An order that the cache has already (it came from a cache database) is left alone.
    """
    restored = 0
    for record in relevant(records, since_ns):
        if record.init is None or cache.order(ClientOrderId(record.client_order_id)) is not None:
            continue
        tracked = tracker.get(record.client_order_id)
        if tracked is None:
            continue
        try:
            order = decode_order(record.init)
        except Exception as e:
            log.warning(f"Journal order {record.client_order_id!r} cannot be restored ({e!r}): it comes back external")
            continue
        cache.add_order(order, None, client_id)
        emitter.emit(tracked, [event for event in record.events if not isinstance(event, _NOT_RETOLD)])
        restored += 1
    return restored


def relevant(records: Sequence[OrderRecord], since_ns: int) -> list[OrderRecord]:
    """Return own orders that are open, ended since `since_ns` (UNIX ns), or share a position with such a one.

    A position is only right if all of its fills are restored. So the life of each strategy's position in an instrument
    is cut where it was flat, and such a stretch is restored whole or not at all.
    """
    groups: dict[tuple[str, str], list[OrderRecord]] = {}
    for record in records:
        if not record.external:
            groups.setdefault((record.strategy_id, record.terms.symbol), []).append(record)
    chosen: set[str] = set()
    for group in groups.values():
        recent = {r.client_order_id for r in group if r.closed_ns is None or r.closed_ns >= since_ns}
        chosen |= recent
        stretches = _stretches(group)
        for n, stretch in enumerate(stretches):
            still_open = n == len(stretches) - 1
            if still_open or not recent.isdisjoint(stretch):
                chosen |= stretch
    return [record for record in records if record.client_order_id in chosen]


def _stretches(group: Sequence[OrderRecord]) -> list[set[str]]:
    """Return the client order ids between one flat moment and the next; the last stretch may be empty (flat now)."""
    fills = [(fill, record) for record in group for fill in record.events if isinstance(fill, ev.OrderFilled)]
    fills.sort(key=lambda item: item[0].ts_event)
    left = {record.client_order_id: 0 for record in group}
    for _, record in fills:
        left[record.client_order_id] += 1
    stretches: list[set[str]] = [set()]
    net = Decimal(0)
    for fill, record in fills:
        net += fill.last_qty if record.terms.side is OrderSide.BUY else -fill.last_qty
        left[record.client_order_id] -= 1
        stretches[-1].add(record.client_order_id)
        if net == 0 and not any(left[client_order_id] for client_order_id in stretches[-1]):
            stretches.append(set())
    return stretches
