"""Finding an order whose create was not answered among the account's orders (protocol, 8 trap 8).

There is no idempotency and no echoed key, so only its terms and the time can tell. An order is taken for ours if it is
the only one that fits, and fits no other order of ours that the venue has not named yet.
"""

import logging
from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.codec import created_ns
from nautilus_orderfeeds.venues.roxom.identity import Terms
from nautilus_orderfeeds.venues.roxom.units import in_btc, instant_ns
from nautilus_orderfeeds.venues.roxom.words import SIDES, TIMES_IN_FORCE, TYPES, VENUE

_log = logging.getLogger(__name__)

_NS_PER_SEC: Final = 1_000_000_000


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
        Those that no order fits: not received, or not yet.
    """

    found: list[tuple[Terms, wire.Order]]
    unseen: list[Terms]


def match(
    wanted: Sequence[Terms],
    others: Sequence[Terms],
    orders: Sequence[wire.Order],
    named: Collection[str],
    window: Window,
) -> Matches:
    """Find the orders of `wanted`.

    Parameters
    ----------
    wanted : Sequence[Terms]
        Orders of which the create's outcome is not known.
    others : Sequence[Terms]
        Further orders the venue has not named yet (their creates are under way): one that fits them is in doubt.
    orders : Sequence[Order]
        The account's orders, also the closed ones.
    named : Collection[str]
        Ids of those that are known to be somebody's.
    window : Window
        Of their creation.
    """
    free = [order for order in orders if order.id not in named]
    matches = Matches([], [])
    for terms in wanted:
        fitting = [order for order in free if _fits(order, terms, window)]
        if not fitting:
            matches.unseen.append(terms)
            continue
        rivals = [rival for rival in (*wanted, *others) if rival.key != terms.key]
        if len(fitting) > 1 or any(_fits(fitting[0], rival, window) for rival in rivals):
            _log.error(
                "%s: %d order(s) fit %s, whose create was not answered, and it may be another's: none is taken for it. "
                "Compare the account at the venue (%s)",
                VENUE,
                len(fitting),
                terms.client_order_id,
                ", ".join(order.id for order in fitting),
            )
            continue
        matches.found.append((terms, fitting[0]))
    return matches


def _fits(order: wire.Order, terms: Terms, window: Window) -> bool:
    told_type, force = order.told_type, order.time_in_force
    if order.symbol.upper() != terms.symbol or SIDES[order.side] is not terms.side:
        return False
    if told_type is not None and TYPES[told_type] is not terms.type:
        return False
    if force is not None and terms.price is not None and TIMES_IN_FORCE[force] is not terms.time_in_force:
        return False
    told_qty = order.told_qty
    if told_qty is None or terms.quantity not in (told_qty, told_qty + (order.amount_filled or 0)):
        return False
    if terms.price is not None and in_btc(order.told_px, order.unit) != terms.price:
        return False
    if terms.trigger_price is not None and in_btc(order.trigger_px, order.unit) != terms.trigger_price:
        return False
    return window.holds(terms, instant_ns(order.created_at) or created_ns(order.id))
