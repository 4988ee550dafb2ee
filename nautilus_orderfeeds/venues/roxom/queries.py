"""Reading orders and their fills back over REST (protocol, 4.4 to 4.6 and 10, "Reconciliation").

Orders over REST have no average price, so whenever one has filled beyond what the stream told, the transaction log is
read from its creation on. An order that no list has any more is not called absent: how long closed ones are kept is
not known.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import TransientFeedError
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.requests import OrderRef
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source
from nautilus_orderfeeds.venues.base import Told
from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS, decode, is_id
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.api import RoxomApi
from nautilus_orderfeeds.venues.roxom.codec import OrderCodec, created_ns, status_word
from nautilus_orderfeeds.venues.roxom.entry import Creates
from nautilus_orderfeeds.venues.roxom.fills import LogFill, by_order, read_rows
from nautilus_orderfeeds.venues.roxom.identity import Terms, terms_of
from nautilus_orderfeeds.venues.roxom.matching import Window, match
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.units import instant_ns
from nautilus_orderfeeds.venues.roxom.words import FINAL_STATUSES, INST_TYPE, UNIT, VENUE, WireStatus

_log = logging.getLogger(__name__)

_NS_PER_MS: Final = 1_000_000
_NS_PER_SEC: Final = 1_000_000_000

#: The log is read from this long before an order's creation: two clocks tell of them.
_MARGIN_NS: Final = 5 * _NS_PER_SEC

_LOG_PAGE: Final = 1_000
_MAX_PAGES: Final = 1_000


class Found(Struct):
    """What became of the orders asked for, and all open orders; `unsure` are to be read again soon."""

    updates: list[OrderUpdate]
    absent: list[OrderRef]
    unsure: list[OrderRef]


class OrderQueries:
    """Reads orders of one account.

    Parameters
    ----------
    api : RoxomApi
        Where from.
    codec : OrderCodec
        Reads the orders.
    settings : RoxomSettings
        How unanswered creates are looked for.
    clock : Clock
        Tells how old those are.
    creates : Creates
        The creates under way.
    told : Callable[[str], Told or None]
        How far an order has been told (also in an earlier run), by the venue's id; None if it is not known.
    """

    def __init__(
        self,
        api: RoxomApi,
        codec: OrderCodec,
        settings: RoxomSettings,
        clock: Clock,
        creates: Creates,
        told: Callable[[str], Told | None],
    ) -> None:
        self._api = api
        self._codec = codec
        self._settings = settings
        self._clock = clock
        self._creates = creates
        self._told = told
        self._told_of: set[str] = set()
        self._window = Window(settings.clock_tolerance_secs, settings.match_window_secs)

    async def read(self, refs: Sequence[OrderRef]) -> Found:
        """Read all open orders, and of `refs` those that are not among them.

        Raises
        ------
        FeedError
            If anything could not be read.
        """
        named, unnamed = self._by_name(refs)
        listed = await self._list(include_closed=False)
        open_ids = {order.id for order in listed or ()}
        missing = {order_id: ref for order_id, ref in named.items() if order_id not in open_ids}
        found = [order for order in await asyncio.gather(*map(self._one, missing)) if order is not None]
        absent = await self._find_unnamed(unnamed, found)
        is_open: dict[str, bool | None] = {order.id: self._is_open(order, listed is not None) for order in found}
        for order_id in open_ids:
            self._codec.memories.of(order_id).unlisted = False
            is_open[order_id] = True
        unsure = [ref for order_id, ref in missing.items() if order_id in is_open and is_open[order_id] is None]
        return Found(await self._updates([*(listed or ()), *found], is_open, Source.QUERY), absent, unsure)

    async def closed_orders(self, since_ns: int) -> list[OrderUpdate]:
        """Read the orders created since then (UNIX ns) that have ended, and older ones of which that was not told.

        Raises
        ------
        FeedError
            If anything could not be read.
        """
        orders = await self._list(include_closed=True) or []
        open_ids = {order.id for order in orders if status_word(order.status, order.id) not in FINAL_STATUSES}
        ended = []
        for order in orders:
            if order.id in open_ids:
                continue
            told, is_new = self._told(order.id), _created(order) >= since_ns
            filled = order.amount_filled
            is_told = told is not None and told.is_closed and filled is not None and filled <= told.filled_qty
            if not is_told and (is_new or (told is not None and not told.is_closed)):
                ended.append(order)
        return await self._updates(ended, {}, Source.HISTORY)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _is_open(self, order: wire.Order, is_listing: bool) -> bool | None:
        """Say whether an order is open that no list of open orders has (or there is none); None if that is not certain.

        What `inactive` means only such a list says. It may lag behind, and an end cannot be taken back: so an end
        counts if the next reading shows the same.
        """
        memory = self._codec.memories.of(order.id)
        if status_word(order.status, order.id) is not WireStatus.INACTIVE:
            memory.unlisted = False
            return False
        if is_listing and memory.unlisted:
            return False
        memory.unlisted = is_listing
        return None

    def _by_name(self, refs: Sequence[OrderRef]) -> tuple[dict[str, OrderRef], dict[str, OrderRef]]:
        """Return the orders that the venue has named, by its id, and the others, by the key of their terms."""
        memories = self._codec.memories
        named, unnamed = {}, {}
        for ref in refs:
            terms, order_id = terms_of(ref), ref.venue_order_id
            if terms is not None and order_id is not None:
                memories.bind(order_id, terms)
            elif terms is not None:
                # Whoever asks may have done so before the answer came.
                order_id = memories.id_of(terms)
                if order_id is None:
                    unnamed[terms.key] = ref
                    self._creates.recall(terms)
            if order_id is not None:
                named[order_id] = ref
        return named, unnamed

    async def _find_unnamed(self, asked: Mapping[str, OrderRef], found: list[wire.Order]) -> list[OrderRef]:
        """Look for orders whose create was not answered; add them to `found`, return those that count as absent.

        All of them are looked for, also those that nobody asks for now: each may be the one that is found.
        """
        if not asked:
            return []
        memories = self._codec.memories
        begun, underway = self._creates.begun, {terms.key: terms for terms in self._creates.underway}
        orders = await self._list(include_closed=True)
        if orders is None:
            return []
        # Creates that were begun meanwhile may be in the list as well.
        underway |= {terms.key: terms for terms in self._creates.since(begun)}
        unanswered = [
            terms for terms in self._creates.unanswered if terms.key not in underway and memories.id_of(terms) is None
        ]
        matches = match(unanswered, list(underway.values()), orders, self._is_named, self._window)
        for terms, order in matches.found:
            memories.bind(order.id, terms)
            self._creates.settled(terms)
            found.append(order)
        self._tell_doubts(matches.doubtful)
        absent = [terms for terms in matches.unseen if terms.key in asked and self._is_absent(terms)]
        for terms in absent:
            self._creates.settled(terms)
        return [asked[terms.key] for terms in absent]

    def _is_absent(self, terms: Terms) -> bool:
        limit_ns = int(self._settings.absent_after_secs * _NS_PER_SEC)
        return 0 < limit_ns < self._clock.time_ns() - terms.sent_ns

    def _is_named(self, order_id: str) -> bool:
        return self._codec.memories.is_own(order_id) or self._told(order_id) is not None

    def _tell_doubts(self, doubtful: Sequence[tuple[Terms, list[str]]]) -> None:
        for terms, order_ids in doubtful:
            if terms.key not in self._told_of:
                self._told_of.add(terms.key)
                _log.error(
                    "%s: %s, whose create was not answered, may be %s, but each of these may be another's: none is "
                    "taken for it, it stays in flight. Compare the account at the venue",
                    VENUE,
                    terms.client_order_id,
                    " or ".join(order_ids),
                )

    async def _updates(
        self, orders: Sequence[wire.Order], is_open: Mapping[str, bool | None], source: Source
    ) -> list[OrderUpdate]:
        unique = {order.id: order for order in orders}
        fills = await self._fills([order for order in unique.values() if self._needs_log(order)])
        updates: list[OrderUpdate] = []
        for order in unique.values():
            try:
                told = self._codec.order(
                    order, source, fills.get(order.id, []), is_listed_open=is_open.get(order.id, False)
                )
            except ValueError as exc:
                raise TransientFeedError(f"{VENUE}: unreadable order in an answer: {exc}") from None
            memory = self._codec.memories.of(order.id)
            if memory.terms is not None:  # the key binds an order whose create was not answered
                told = [_keyed(update, memory.terms) for update in told]
            updates += told
        return updates

    def _needs_log(self, order: wire.Order) -> bool:
        """Whether the order may have filled beyond what has been told."""
        told = self._told(order.id)
        return order.amount_filled is None or order.amount_filled > (ZERO if told is None else told.filled_qty)

    async def _fills(self, orders: Sequence[wire.Order]) -> dict[str, list[LogFill]]:
        if not orders:
            return {}
        since_ns = max(min(_created(order) for order in orders) - _MARGIN_NS, 0)
        return by_order(await self._log_since(since_ns))

    async def _log_since(self, since_ns: int) -> list[LogFill]:
        """Read the log's fills since then (UNIX ns), all pages; raises `FeedError`."""
        query = {"limit": str(_LOG_PAGE), "unit": UNIT}
        if since_ns:
            query["from"] = str(since_ns // _NS_PER_MS)
        fills: list[LogFill] = []
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            page = await self._api.optional(
                "/accounts/transaction-log", _decode_log, query if cursor is None else {**query, "cursor": cursor}
            )
            if page is None:
                return fills
            fills += page[0]
            if not page[1] or page[1] == cursor:
                return fills
            cursor = page[1]
        raise TransientFeedError(f"{VENUE}: the transaction log has no end after {_MAX_PAGES} pages")

    async def _list(self, *, include_closed: bool) -> list[wire.Order] | None:
        query = {"instType": INST_TYPE, "unit": UNIT}
        if include_closed:
            query["includeClosed"] = "true"
        return await self._api.optional("/orders", _decode_orders, query)

    async def _one(self, order_id: str) -> wire.Order | None:
        if not is_id(order_id):
            return None
        return await self._api.find(f"/orders/{quote(order_id, safe='')}", _decode_order, {"unit": UNIT})


def _keyed(update: OrderUpdate, terms: Terms) -> OrderUpdate:
    return msgspec.structs.replace(update, refs=(*update.refs, terms.key))


def _created(order: wire.Order) -> int:
    return instant_ns(order.created_at) or created_ns(order.id)


def _decode_orders(body: bytes) -> list[wire.Order]:
    rows = decode(VENUE, wire.MANY_ORDERS, body, "a list of orders (protocol 4.5)").data.orders
    try:
        return [wire.ORDER.decode(row) for row in rows]
    except DECODE_ERRORS as exc:
        raise ValueError(f"an order in a list ({exc})") from None


def _decode_order(body: bytes) -> wire.Order:
    row = decode(VENUE, wire.ONE_ORDER, body, "one order (protocol 4.4)").data.order
    return decode(VENUE, wire.ORDER, bytes(row), "an order (protocol 4.4)")


def _decode_log(body: bytes) -> tuple[list[LogFill], str | None]:
    log = decode(VENUE, wire.LOG, body, "the transaction log (protocol 4.6)").data
    return read_rows(log.logs), log.cursor
