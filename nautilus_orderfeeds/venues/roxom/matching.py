"""Finding orders whose create was not answered among the account's orders (protocol, 8 trap 8).

There is no idempotency and no echoed key, so only the terms and the time can tell. What settles it:

- An order that fits one of ours and nothing else, which no other order fits: it is that one.
- Orders of ours that are alike in everything the venue is told (`Terms.is_like`) and at least as many as the orders
  found: all of those are ours. Which of them is which only the time can tell. They were sent one after the other, so
  they are taken in that order, each near the time it was sent. Were two of them exchanged, no word of the venue would
  differ: quantities, fills and money of the account are the same.

Everything else stays in doubt: more orders found than were sent means that some are somebody else's.
"""

import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.codec import created_ns
from nautilus_orderfeeds.venues.roxom.identity import Terms
from nautilus_orderfeeds.venues.roxom.units import in_btc, instant_ns
from nautilus_orderfeeds.venues.roxom.words import SIDES, TIMES_IN_FORCE, TYPES, VENUE, WireStatus

_log = logging.getLogger(__name__)

_NS_PER_SEC: Final = 1_000_000_000

Pair = tuple[Terms, wire.Order]


class Window(Struct, frozen=True):
    """How far the venue's time of an order's creation may be from ours of its sending, seconds."""

    before_secs: float
    after_secs: float

    def holds(self, terms: Terms, created: int) -> bool:
        """Whether an order created at `created` (UNIX ns) may be the one of `terms`."""
        earliest = terms.sent_ns - int(self.before_secs * _NS_PER_SEC)
        return earliest <= created <= terms.sent_ns + int(self.after_secs * _NS_PER_SEC)


class Matches(Struct):
    """What was found.

    Parameters
    ----------
    found : list of (Terms, Order)
        Which order is whose.
    unseen : list[Terms]
        Those that no order is left for: not received, or not yet.
    doubtful : list of (Terms, list[str])
        Those that may be one of the orders named, but each of these may be another's.
    """

    found: list[Pair]
    unseen: list[Terms]
    doubtful: list[tuple[Terms, list[str]]]


class _Group(Struct):
    """Orders of ours and orders found that fit each other, and none of any other group."""

    terms: list[Terms]
    orders: list[wire.Order]


def match(
    wanted: Sequence[Terms],
    underway: Sequence[Terms],
    orders: Sequence[wire.Order],
    is_named: Callable[[str], bool],
    window: Window,
) -> Matches:
    """Find the orders of `wanted`.

    Parameters
    ----------
    wanted : Sequence[Terms]
        Orders of which the create's outcome is not known.
    underway : Sequence[Terms]
        Further orders the venue has not named yet: their answers may still come, so what fits one of them waits.
    orders : Sequence[Order]
        The account's orders, also the closed ones.
    is_named : Callable[[str], bool]
        Whether the order of an id is known to be somebody's.
    window : Window
        Of their creation.
    """
    free = {order.id: order for order in orders if not is_named(order.id)}
    fitting = {
        terms.key: {order_id for order_id, order in free.items() if _fits(order, terms, window)}
        for terms in (*wanted, *underway)
    }
    matches = Matches([], [terms for terms in wanted if not fitting[terms.key]], [])
    waiting = {terms.key for terms in underway}
    for group in _groups([*wanted, *underway], free, fitting):
        if any(terms.key in waiting for terms in group.terms):
            continue
        if _is_exchangeable(group):
            found = _by_time(group, fitting)
            if len(found) < len(group.terms):
                _warn_of_choice(group, found)
        else:
            found = _forced(group, fitting)
        matches.found += found
        taken = {terms.key for terms, _ in found}
        left = {order.id for order in group.orders} - {order.id for _, order in found}
        for terms in group.terms:
            if terms.key in taken:
                continue
            if may_be := sorted(fitting[terms.key] & left):
                matches.doubtful.append((terms, may_be))
            else:
                matches.unseen.append(terms)
    return matches


def _groups(all_terms: Sequence[Terms], free: dict[str, wire.Order], fitting: dict[str, set[str]]) -> list[_Group]:
    """Put together what fits, directly or over others."""
    groups: list[tuple[list[Terms], set[str]]] = []
    for terms in all_terms:
        members, ids = [terms], set(fitting[terms.key])
        if not ids:
            continue
        apart = []
        for other in groups:
            if other[1] & ids:
                members, ids = [*other[0], *members], ids | other[1]
            else:
                apart.append(other)
        groups = [*apart, (members, ids)]
    return [_Group(members, [free[order_id] for order_id in sorted(ids)]) for members, ids in groups]


def _is_exchangeable(group: _Group) -> bool:
    """Whether all orders found are ours, and none of ours differs from another in anything the venue is told.

    Where some were not received, they must also be of one strategy: another's fills are not to be told to it.
    """
    first, missing = group.terms[0], len(group.terms) - len(group.orders)
    if missing < 0 or not all(terms.is_like(first) for terms in group.terms):
        return False
    return not missing or len({terms.strategy_id for terms in group.terms}) == 1


def _by_time(group: _Group, fitting: dict[str, set[str]]) -> list[Pair]:
    """Pair as many as possible in the order of time, as near to the times of sending as possible."""
    terms = sorted(group.terms, key=lambda one: one.sent_ns)
    orders = sorted(group.orders, key=_created)
    # best[i][j]: (pairs, minus their distance in time), and the pairs, of the first i orders and the first j terms.
    best: list[list[tuple[tuple[int, int], tuple[Pair, ...]]]] = [[((0, 0), ())] * (len(terms) + 1)]
    for order in orders:
        row: list[tuple[tuple[int, int], tuple[Pair, ...]]] = [((0, 0), ())]
        for j, one in enumerate(terms, 1):
            choices = [row[j - 1], best[-1][j]]
            if order.id in fitting[one.key]:
                (count, nearness), pairs = best[-1][j - 1]
                distance = abs(_created(order) - one.sent_ns)
                choices.append(((count + 1, nearness - distance), (*pairs, (one, order))))
            row.append(max(choices, key=lambda choice: choice[0]))
        best.append(row)
    return list(best[-1][-1][1])


def _forced(group: _Group, fitting: dict[str, set[str]]) -> list[Pair]:
    """Pair those that have nobody else, again and again until nothing is left that could be told apart."""
    open_terms = {terms.key: terms for terms in group.terms}
    open_orders = {order.id: order for order in group.orders}
    found: list[Pair] = []
    while True:
        for key in open_terms:
            mine = fitting[key] & open_orders.keys()
            rivals = {other for other in open_terms if other != key and fitting[other] & mine}
            if len(mine) == 1 and not rivals:
                break
        else:
            return found
        found.append((open_terms.pop(key), open_orders.pop(mine.pop())))


def _warn_of_choice(group: _Group, found: Sequence[Pair]) -> None:
    _log.warning(
        "%s: %d orders alike were not answered (%s), and the account has %d of them: taken by the time they were sent "
        "(%s)",
        VENUE,
        len(group.terms),
        ", ".join(terms.client_order_id for terms in group.terms),
        len(group.orders),
        ", ".join(f"{terms.client_order_id} is {order.id}" for terms, order in found),
    )


def _created(order: wire.Order) -> int:
    return instant_ns(order.created_at) or created_ns(order.id)


def _fits(order: wire.Order, terms: Terms, window: Window) -> bool:
    told_type, force = order.told_type, order.time_in_force
    if order.symbol.upper() != terms.symbol or SIDES[order.side] is not terms.side:
        return False
    if told_type is not None and TYPES[told_type] is not terms.type:
        return False
    if force is not None and terms.price is not None and TIMES_IN_FORCE[force] is not terms.time_in_force:
        return False
    if terms.quantity not in _totals(order):
        return False
    if terms.price is not None and in_btc(order.told_px, order.unit) != terms.price:
        return False
    if terms.trigger_price is not None and in_btc(order.trigger_px, order.unit) != terms.trigger_price:
        return False
    if order.cancel_at and instant_ns(order.cancel_at) != terms.expire_time_ns:
        return False
    return window.holds(terms, _created(order))


def _totals(order: wire.Order) -> tuple[Decimal, ...]:
    """Return what may be the total of an order, base units: a client has seen the rest told as the quantity."""
    told, filled = order.told_qty, order.amount_filled
    if told is None:
        return ()
    if not filled:
        return (told,)
    is_filled = order.status.lower() == WireStatus.FILLED.value
    if (is_filled and told == filled) or (order.size is not None and order.size + filled == told):
        return (told,)  # no rest: it would be zero, or `size` is it
    return (told, told + filled)
