"""Reading orders and trades back over REST (protocol, 4.7, 4.8 and 11).

Absence from the list of open orders proves nothing: what it lacks is looked for in the history. An order is only
called absent if it is in neither and so old that the venue would refuse it by now.
"""

import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import TransientFeedError
from nautilus_orderfeeds.orders.requests import OrderRef
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.api import BsxApi
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec, own_fill
from nautilus_orderfeeds.venues.bsx.identity import client_order_id_of, nonce_of
from nautilus_orderfeeds.venues.bsx.tolerant import decode_orders
from nautilus_orderfeeds.venues.bsx.words import VENUE, WireStatus

_NS_PER_MIN: Final = 60_000_000_000

#: The venue refuses nonces older than this; the margin covers the difference of the clocks.
_NONCE_LIFE_NS: Final = 10 * _NS_PER_MIN
_CLOCK_MARGIN_NS: Final = 2 * _NS_PER_MIN

#: Largest page that is known to be allowed.
_PAGE: Final = 100
#: How far back the history is searched for one that is not found by its client order id.
_MAX_PAGES: Final = 20
_IDS_PER_QUERY: Final = 20

_log = logging.getLogger(__name__)


class Found(Struct):
    """What became of the orders asked for."""

    updates: list[OrderUpdate]
    absent: list[OrderRef]


class OrderQueries:
    """Reads orders and trades of one account.

    Parameters
    ----------
    api : BsxApi
        Where from.
    codec : OrderCodec
        Reads the orders.
    clock : Clock
        Tells how old a nonce is.
    """

    def __init__(self, api: BsxApi, codec: OrderCodec, clock: Clock) -> None:
        self._api = api
        self._codec = codec
        self._clock = clock
        # Whether trades over REST say which order they belong to; None as long as none was seen.
        self._trades_name_orders: bool | None = None

    async def open_orders(self) -> list[OrderUpdate]:
        """Read all open orders (``GET /orders``); raises `FeedError`."""
        told = await self._api.optional("/orders", decode_orders)
        return [] if told is None else self._updates(told, Source.QUERY)

    async def find(self, refs: Sequence[OrderRef]) -> Found:
        """Look orders up that the list of open orders lacks.

        Must be called after `open_orders`, so that an order which ends in between is in the history by now.

        Raises
        ------
        FeedError
            If anything could not be read.
        """
        found: list[OrderUpdate] = []
        missing = list(refs)
        for chunk in itertools.batched(filter(None, map(client_order_id_of, refs)), _IDS_PER_QUERY):
            query = [("client_order_ids", cid) for cid in chunk]
            told = await self._api.optional("/order-history", decode_orders, [*query, ("limit", str(_PAGE))])
            if told is None:
                return Found(found, [])
            missing = self._take(told, missing, found)
        searched_all = True
        if missing:
            pages = 0
            searched_all = False
            async for orders, is_last in self._history(_search_start(missing)):
                missing = self._take(orders, missing, found)
                pages += 1
                searched_all = is_last
                if not missing or is_last or pages == _MAX_PAGES:
                    break
        absent = [ref for ref in missing if self._never_received(ref)] if searched_all else []
        return Found(found, absent)

    async def closed_orders(self, since_ns: int) -> list[OrderUpdate]:
        """Read the orders created since then (UNIX ns) that have ended (``GET /order-history``); raises `FeedError`."""
        updates: list[OrderUpdate] = []
        async for orders, is_last in self._history(since_ns, statuses=(WireStatus.DONE,)):
            done = [order for order in orders if order.status is WireStatus.DONE]
            updates += self._updates(done, Source.HISTORY)
            if is_last:
                break
        return updates

    async def trades(self, since_ns: int) -> list[OrderUpdate]:
        """Read own trades since then (UNIX ns), as far as they say which order they belong to (protocol, 11 row 8).

        Raises
        ------
        FeedError
            If anything could not be read.
        """
        updates: list[OrderUpdate] = []
        if since_ns <= 0:
            return updates
        for page in itertools.count(1):
            if self._trades_name_orders is False:
                break
            query = {"start_time": str(since_ns), "limit": str(_PAGE), "page": str(page)}
            history = await self._api.optional("/trade-history", _decode_trades, query)
            trades = (history and history.trades) or []
            if trades:
                self._trades_name_orders = all(trade.order_id for trade in trades)
            if self._trades_name_orders:
                updates += map(_trade_update, trades)
            if len(trades) < _PAGE:
                break
        return updates

    async def _history(
        self, since_ns: int, statuses: Sequence[WireStatus] = ()
    ) -> AsyncIterator[tuple[list[wire.Order], bool]]:
        """Yield (orders, whether these are the last), newest first, without repetitions."""
        seen: set[str] = set()
        end_ns = 0
        while True:
            query = [("limit", str(_PAGE)), ("sorted_by", "CREATED_AT"), ("sorting", "DESC")]
            query += [("statuses", status.value) for status in statuses]
            if since_ns > 0:
                query.append(("start_time", str(since_ns)))
            if end_ns:
                query.append(("end_time", str(end_ns)))
            page = await self._api.optional("/order-history", decode_orders, query)
            if page is None:
                return
            fresh = [order for order in page if order.id not in seen]
            is_last = len(page) < _PAGE
            if not is_last:
                if not fresh or page[0].created_at_ts < page[-1].created_at_ts:
                    # What is not in this page stays unknown: none of it is called the last.
                    _log.warning("%s: the order history cannot be paged through; older orders are not seen", VENUE)
                    yield fresh, False
                    return
                # Whether the end is meant inclusively is not known.
                end_ns = min(order.created_at_ts for order in page) + 1
            seen.update(order.id for order in fresh)
            yield fresh, is_last
            if is_last:
                return

    def _take(self, orders: Sequence[wire.Order], missing: list[OrderRef], found: list[OrderUpdate]) -> list[OrderRef]:
        """Move what is in `orders` from `missing` to `found`; return what is still missing."""
        left = []
        for ref in missing:
            order = next((order for order in orders if _is(order, ref)), None)
            if order is None:
                left.append(ref)
            else:
                found += self._updates([order], Source.HISTORY)
        return left

    def _updates(self, orders: Sequence[wire.Order], source: Source) -> list[OrderUpdate]:
        try:
            return [self._codec.update(order, source) for order in orders]
        except ValueError as exc:
            raise TransientFeedError(f"{VENUE}: unreadable order in an answer: {exc}") from None

    def _never_received(self, ref: OrderRef) -> bool:
        if ref.venue_order_id is not None:
            return False
        nonce = nonce_of(ref)
        return nonce is not None and self._clock.time_ns() - nonce > _NONCE_LIFE_NS + _CLOCK_MARGIN_NS


def _is(order: wire.Order, ref: OrderRef) -> bool:
    if ref.venue_order_id is not None:
        return order.id == ref.venue_order_id
    nonce = nonce_of(ref)
    if nonce is not None:
        return order.nonce == nonce
    client_order_id = client_order_id_of(ref)
    return client_order_id is not None and (order.client_order_id or "").lower() == client_order_id


def _search_start(refs: Sequence[OrderRef]) -> int:
    """Return the earliest time at which one of `refs` can have been created; 0 if that cannot be told."""
    nonces = [nonce_of(ref) for ref in refs]
    return min((0 if nonce is None else max(nonce - _NONCE_LIFE_NS, 0) for nonce in nonces), default=0)


def _decode_trades(body: bytes) -> wire.TradeHistory:
    return wire.decode(wire.TRADE_HISTORY, body, "own trades (protocol 4.8)")


def _trade_update(trade: wire.OwnTrade) -> OrderUpdate:
    try:
        order_id = wire.check_id("order id", trade.order_id)
        symbol = wire.check_id("product_id", trade.product_id).upper() if trade.product_id else None
        fill = own_fill(order_id, trade)
    except ValueError as exc:
        raise TransientFeedError(f"{VENUE}: unreadable trade in an answer: {exc}") from None
    return OrderUpdate(
        source=Source.TRADES, venue_order_id=order_id, symbol=symbol, fills=(fill,), ts_event=fill.ts_event
    )
