"""Orders whose placing was never answered: found again by their terms, or left open (protocol, 13.3).

There is no client id on the wire. An order is taken for ours only if it is the only one with our terms that was not
there before we sent, if we have only one order in flight with these terms, and if two settled readings agree on it.
Nothing is ever sent again.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.orders.words import OrderSide, OrderType
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.memory import Intent
from nautilus_orderfeeds.venues.outpoll.queries import Reading, time_ns
from nautilus_orderfeeds.venues.outpoll.signing import CLOCKS_NS
from nautilus_orderfeeds.venues.outpoll.words import VENUE

_log = logging.getLogger(__name__)

_CENT: Final = Decimal("0.01")


def candidates(intent: Intent, reading: Reading, named: Collection[str], seen_ns: dict[str, int]) -> list[str]:
    """Return the orders of `reading` that may be the one of `intent`.

    Parameters
    ----------
    intent : Intent
        What was sent.
    reading : Reading
        What the read side says.
    named : Collection[str]
        Orders known to be others.
    seen_ns : dict[str, int]
        When the orders of the reading that first showed an order had been read, UNIX ns.
    """
    found = []
    for order_id in reading.active.keys() | reading.history.keys():
        if order_id in named or seen_ns.get(order_id, intent.sent_ns) < intent.sent_ns:
            continue
        row = reading.history.get(order_id)
        if row is not None:
            created_ns = time_ns(row)
            if created_ns and created_ns < intent.sent_ns - CLOCKS_NS:
                continue
            if _row_fits(intent, row):
                found.append(order_id)
        elif _active_fits(intent, reading, order_id):
            found.append(order_id)
    return sorted(found)


def match(
    intents: Iterable[Intent],
    reading: Reading,
    named: Collection[str],
    seen_ns: dict[str, int],
    settle_secs: float,
    gap_secs: float,
) -> list[tuple[Intent, str]]:
    """Return the intents that can be named now, each with the venue's id.

    Parameters
    ----------
    intents : Iterable[Intent]
        All orders in flight without an id, those whose answer may still come included.
    reading, named, seen_ns
        As of `candidates`.
    settle_secs, gap_secs : float
        As of `memory.Calm.note`.
    """
    groups: dict[tuple[object, ...], list[Intent]] = {}
    for intent in intents:
        groups.setdefault(intent.key, []).append(intent)
    matched: list[tuple[Intent, str]] = []
    for group in groups.values():
        found = candidates(group[0], reading, named, seen_ns)
        for intent in group:
            is_calm = intent.calm.note(tuple(found), reading.began, settle_secs, gap_secs)
            if intent.under_way or not is_calm or not found:
                continue
            if len(group) == 1 and len(found) == 1:
                matched.append((intent, found[0]))
            else:
                _complain(intent, group, found)
    return matched


def may_be_ours(intents: Iterable[Intent], reading: Reading, order_id: str) -> bool:
    """Whether an order that nobody knows may be one in flight: then it is not called an external one."""
    row = reading.history.get(order_id)
    return any(
        _row_fits(intent, row) if row is not None else _active_fits(intent, reading, order_id) for intent in intents
    )


def _complain(intent: Intent, group: Sequence[Intent], found: Sequence[str]) -> None:
    if not intent.complained:
        intent.complained = True
        _log.error(
            "%s: %d order(s) in flight with the terms of %s, and %d at the venue (%s): which is which cannot be told, "
            "so they stay in flight; nothing is sent again",
            VENUE,
            len(group),
            intent.terms.client_order_id,
            len(found),
            ", ".join(found[:5]),
        )


def _row_fits(intent: Intent, row: wire.HistoryOrder) -> bool:
    terms = intent.terms
    if row.a and row.a != terms.symbol:
        return False
    if row.si.upper() != terms.side.name or (row.t is not None and row.t.upper() != terms.type.name):
        return False
    if terms.type is OrderType.LIMIT:
        return row.p == terms.price and row.oq == terms.quantity
    if terms.side is OrderSide.SELL or row.oq == terms.quantity:
        return row.oq == terms.quantity
    # Whether a market BUY is listed in USDC or in shares is not known (protocol, 12).
    return row.oq is not None and row.p is not None and abs(row.oq * row.p - terms.quantity) <= _CENT


def _active_fits(intent: Intent, reading: Reading, order_id: str) -> bool:
    terms, active = intent.terms, reading.active[order_id]
    if terms.type is not OrderType.LIMIT or (active.asset_id is not None and active.asset_id != terms.symbol):
        return False
    row = active.row
    if row.side.upper() != terms.side.name or row.price != terms.price or row.quantity is None:
        return False
    return row.quantity == terms.quantity or (active.may_be_rest and 0 < row.quantity < terms.quantity)
