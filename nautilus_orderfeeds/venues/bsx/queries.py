"""Reading orders and trades back over REST (protocol, 4.7, 4.8 and 11).

Absence from the list of open orders proves nothing: what it lacks is looked for in the history. An order is only
called absent if it is in neither and so old that the venue would refuse it by now.
"""

import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Final

from msgspec import Raw, Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FrameError
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
        # Whether the latest list of open orders was told and could be read to the last one.
        self._sees_open = True

    async def open_orders(self) -> list[OrderUpdate]:
        """Read all open orders (``GET /orders``); raises `FeedError`."""
        told = await self._api.optional("/orders", decode_orders)
        self._sees_open = told is not None and not told.lost
        if told is None:
            return []
        updates = self._updates(told.orders, Source.QUERY)
        self._sees_open = self._sees_open and len(updates) == len(told)
        return updates

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
        lost = 0
        for chunk in itertools.batched(filter(None, map(client_order_id_of, refs)), _IDS_PER_QUERY):
            query = [("client_order_ids", cid) for cid in chunk]
            told = await self._api.optional("/order-history", decode_orders, [*query, ("limit", str(_PAGE))])
            if told is None:
                return Found(found, [])
            lost += told.lost
            missing = self._take(told.orders, missing, found)
        searched_all = True
        if missing:
            pages = 0
            searched_all = False
            async for orders, is_last in self._history(_search_start(missing)):
                missing = self._take(orders, missing, found)
                pages += 1
                searched_all = is_last
                if not missing or pages == _MAX_PAGES:
                    break
        if not searched_all or lost or not self._sees_open:
            return Found(found, [])  # what could not be read may be any of them
        absent = [ref for ref in missing if self._never_received(ref)]
        return Found(found, absent)

    async def closed_orders(self, since_ns: int) -> list[OrderUpdate]:
        """Read the orders created since then (UNIX ns) that have ended (``GET /order-history``); raises `FeedError`."""
        updates: list[OrderUpdate] = []
        async for orders, _ in self._history(since_ns, statuses=(WireStatus.DONE,)):
            done = [order for order in orders if order.status is WireStatus.DONE]
            updates += self._updates(done, Source.HISTORY)
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
            rows = (history and history.trades) or []
            trades = list(filter(None, map(_read_trade, rows)))
            if trades:
                self._trades_name_orders = all(trade.order_id for trade in trades)
            if self._trades_name_orders:
                updates += filter(None, map(_trade_update, trades))
            if len(rows) < _PAGE:
                break
        return updates

    async def _history(
        self, since_ns: int, statuses: Sequence[WireStatus] = ()
    ) -> AsyncIterator[tuple[list[wire.Order], bool]]:
        """Yield (orders, whether these are the last and whole), newest first, without repetitions."""
        seen: set[str] = set()
        end_ns = 0
        is_whole = True
        while True:
            query = [("limit", str(_PAGE)), ("sorted_by", "CREATED_AT"), ("sorting", "DESC")]
            query += [("statuses", status.value) for status in statuses]
            if since_ns > 0:
                query.append(("start_time", str(since_ns)))
            if end_ns:
                query.append(("end_time", str(end_ns)))
            told = await self._api.optional("/order-history", decode_orders, query)
            if told is None:
                return
            page, is_whole = told.orders, is_whole and not told.lost
            fresh = [order for order in page if order.id not in seen]
            is_last = len(told) < _PAGE
            if not is_last:
                if not fresh or page[0].created_at_ts < page[-1].created_at_ts:
                    # What is not in this page stays unknown: none of it is called the last.
                    _log.warning("%s: the order history cannot be paged through; older orders are not seen", VENUE)
                    yield fresh, False
                    return
                # Whether the end is meant inclusively is not known.
                end_ns = min(order.created_at_ts for order in page) + 1
            seen.update(order.id for order in fresh)
            yield fresh, is_last and is_whole
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
        updates: list[OrderUpdate] = []
        for order in orders:
            try:
                updates.append(self._codec.update(order, source))
            except ValueError as exc:
                _log.error("%s: unreadable order %.60r in an answer, going on without it: %s", VENUE, order.id, exc)
        return updates

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


class _Trades(Struct):
    """Answer to ``GET /trade-history`` with each trade left undecoded: one unreadable must not hide the others."""

    trades: list[Raw] | None = None


_trades: Final = wire.decoder(_Trades)
_trade: Final = wire.decoder(wire.OwnTrade)


def _decode_trades(body: bytes) -> _Trades:
    return wire.decode(_trades, body, "own trades (protocol 4.8)")


def _read_trade(row: Raw) -> wire.OwnTrade | None:
    """Return a trade; None, and an error logged, if it is unreadable: its order's numbers tell of it."""
    try:
        return _trade.decode(bytes(row))
    except wire.DECODE_ERRORS as exc:
        _log.error("%s", FrameError(VENUE, bytes(row), f"an own trade (protocol 7; {exc})"))
        return None


def _trade_update(trade: wire.OwnTrade) -> OrderUpdate | None:
    try:
        order_id = wire.check_id("order id", trade.order_id)
        symbol = wire.check_id("product_id", trade.product_id).upper() if trade.product_id else None
        fill = own_fill(order_id, trade)
    except ValueError as exc:
        _log.error("%s: unreadable trade in an answer, its order's numbers tell of it: %s", VENUE, exc)
        return None
    return OrderUpdate(
        source=Source.TRADES, venue_order_id=order_id, symbol=symbol, fills=(fill,), ts_event=fill.ts_event
    )
