"""Reading orders back over REST (protocol, 7.5 and 11).

Absence from the list of open orders proves nothing: what it lacks is looked up one by one, by either id. An order is
only called absent if the venue has not known it several times, long after it was sent.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import NotServed, TransientFeedError
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.orders.requests import OrderRef
from nautilus_orderfeeds.orders.updates import END_STATUSES, OrderUpdate, Source
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.api import SfoxApi, error_of
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec
from nautilus_orderfeeds.venues.sfox.limits import DONE_ORDERS, OPEN_ORDERS
from nautilus_orderfeeds.venues.sfox.words import VENUE
from nautilus_orderfeeds.venues.times import parse_iso

_log = logging.getLogger(__name__)

_PAGE: Final = 50
_MAX_OPEN_PAGES: Final = 200
_MAX_DONE_PAGES: Final = 20
#: Orders looked up at the same time.
_AT_ONCE: Final = 8
#: Lookups that must have failed before an order can count as absent.
_LOOKUPS: Final = 3
_UNKNOWN_STATUSES: Final = frozenset({400, 404})


class Found(Struct):
    """What became of the orders asked for."""

    updates: list[OrderUpdate]
    absent: list[OrderRef]


class OrderQueries:
    """Reads orders of one account.

    Parameters
    ----------
    api : SfoxApi
        Where from.
    codec : OrderCodec
        Reads them.
    clock : Clock
        Tells how long an order has been missing.
    absent_after_secs : float
        How long an unanswered order must be unknown to count as never received.
    """

    def __init__(self, api: SfoxApi, codec: OrderCodec, clock: Clock, absent_after_secs: float) -> None:
        self._api = api
        self._codec = codec
        self._clock = clock
        self._absent_after_secs = absent_after_secs
        # Client order id -> since when and how often it was not known.
        self._missing: dict[str, tuple[float, int]] = {}
        self._warned = False

    async def open_orders(self) -> list[OrderUpdate]:
        """Read all open orders (``GET /v1/orders``); raises `FeedError`."""
        updates: list[OrderUpdate] = []
        async for orders in self._pages("/v1/orders", OPEN_ORDERS, _MAX_OPEN_PAGES):
            updates += self._updates(orders, Source.QUERY)
        return updates

    async def find(self, refs: Sequence[OrderRef]) -> Found:
        """Look orders up one by one (``GET /v1/orders/:order_id``).

        Raises
        ------
        FeedError
            If anything could not be read.
        """
        found: list[OrderUpdate] = []
        absent: list[OrderRef] = []
        for chunk in itertools.batched(refs, _AT_ONCE):
            for ref, order in zip(chunk, await asyncio.gather(*map(self._look_up, chunk)), strict=True):
                if isinstance(order, NotServed):
                    self._warn_once(order)
                elif order is not None:
                    self._missing.pop(ref.client_order_id, None)
                    found += self._updates([order], Source.QUERY)
                elif self._never_received(ref):
                    absent.append(ref)
        return Found(found, absent)

    async def order(self, order_id: str) -> wire.Order | None:
        """Read one order by the venue's id or by ours; None if the venue knows none.

        Raises
        ------
        NotServed
            If the installation has no such look-up: an answer that is no error of the venue's own says nothing.
        FeedError
            If it could not be read.
        """
        path = f"/v1/orders/{quote(order_id, safe='')}"
        response = await self._api.fetch(path, priority=Priority.NORMAL)
        if response.status in _UNKNOWN_STATUSES and error_of(response) is not None:
            return None
        return self._api.decoded(path, response, lambda body: wire.decode(wire.ORDER, body, "an order (protocol 5)"))

    async def closed_orders(self, since_ns: int) -> list[OrderUpdate]:
        """Read the orders that ended since then, UNIX ns (``GET /v1/orders/done``, newest first); raises `FeedError`.

        Very long lists are cut off, which is logged: orders in the journal are looked up one by one anyway.
        """
        updates: list[OrderUpdate] = []
        async for orders in self._pages("/v1/orders/done", DONE_ORDERS, _MAX_DONE_PAGES):
            dated = [(parse_iso(order.dateupdated or order.date_added), order) for order in orders]
            recent = [order for date, order in dated if date == 0 or date >= since_ns - _NS_PER_SEC]
            updates += [update for update in self._updates(recent, Source.HISTORY) if update.status in END_STATUSES]
            if not recent:
                break
        return updates

    async def _look_up(self, ref: OrderRef) -> wire.Order | NotServed | None:
        # Of an order entered elsewhere both are the same.
        for name in dict.fromkeys((ref.venue_order_id, ref.client_order_id)):
            if name:
                try:
                    order = await self.order(name)
                except NotServed as exc:
                    return exc
                if order is not None and _is(order, ref):
                    return order
        return None

    def _warn_once(self, missed: NotServed) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("%s; what became of orders that are not listed stays unknown", missed)

    async def _pages(self, path: str, route: str, limit: int) -> AsyncIterator[list[wire.Order]]:
        """Yield the rows of a list, without repetitions."""
        seen: set[int] = set()
        before = 0
        for _ in range(limit):
            query = {"limit": str(_PAGE)} | ({"before": str(before)} if before else {})
            page = await self._api.optional(path, _decode_orders, query, route=route, priority=Priority.NORMAL)
            if page is None:
                return
            fresh = [order for order in page if order.id not in seen]
            if fresh:
                yield fresh
            if len(page) < _PAGE or not fresh:
                return
            seen.update(order.id for order in fresh)
            before = min(seen)
        _log.warning("%s: GET %s has more than %d pages; the rest is not read", VENUE, path, limit)

    def _updates(self, orders: Sequence[wire.Order], source: Source) -> list[OrderUpdate]:
        try:
            return [self._codec.update(order, source) for order in orders]
        except ValueError as exc:
            raise TransientFeedError(f"{VENUE}: unreadable order in an answer: {exc}") from None

    def _never_received(self, ref: OrderRef) -> bool:
        """Note that the venue does not know an order; return whether it certainly never will."""
        if ref.venue_order_id is not None:
            return False
        now = self._clock.monotonic()
        since, lookups = self._missing.get(ref.client_order_id, (now, 0))
        self._missing[ref.client_order_id] = (since, lookups + 1)
        return lookups + 1 >= _LOOKUPS and now - since >= self._absent_after_secs


_NS_PER_SEC: Final = 1_000_000_000


def _decode_orders(body: bytes) -> list[wire.Order]:
    return wire.decode(wire.ORDERS, body, "a list of orders (protocol 7.5)") or []


def _is(order: wire.Order, ref: OrderRef) -> bool:
    """Whether an answer is about the order asked for: a client order id might be taken for an order id."""
    if ref.venue_order_id is not None:
        return str(order.id) == ref.venue_order_id
    return (order.client_order_id or order.user_tx_id or "") == ref.client_order_id
