"""Reading own fills back over REST (protocol, 7.5): newest first, by cursor, with no filter at all.

In which direction `last_seen_id` leads, the venue's page leaves open. It shows: a page that has the newest fill again
leads to newer ones. Then older ones than the first page can only be reached from a cursor remembered.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.api import SfoxApi
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec
from nautilus_orderfeeds.venues.sfox.words import VENUE
from nautilus_orderfeeds.venues.times import parse_iso

_log = logging.getLogger(__name__)

_PATH: Final = "/v1/account/trades"
_PAGE: Final = 100
_MAX_PAGES: Final = 50
_NS_PER_SEC: Final = 1_000_000_000

Key = tuple[int, int]


class TradeReader:
    """Reads the fills of one account.

    Parameters
    ----------
    api : SfoxApi
        Where from.
    codec : OrderCodec
        Reads them.
    """

    def __init__(self, api: SfoxApi, codec: OrderCodec) -> None:
        self._api = api
        self._codec = codec
        # Cursor of the newest fill of the last reading.
        self._newest: str | None = None
        self._leads_to_newer = False
        self._warned = self._renamed = False

    async def since(self, since_ns: int) -> list[OrderUpdate]:
        """Read the fills since then (UNIX ns), oldest first within each order.

        A reading that cannot go back so far is logged: what is missing is then told by the orders' totals.

        Raises
        ------
        FeedError
            If a page could not be read.
        """
        # Dates have whole seconds.
        since_ns = since_ns // _NS_PER_SEC * _NS_PER_SEC
        newest = await self._page()
        is_whole = True
        rows = {_key(row): row for row in newest}
        page = newest
        pages = 1
        while not self._leads_to_newer and len(page) >= _PAGE and not _reaches(page, since_ns):
            cursor = page[-1].cursor
            if cursor is None or pages >= _MAX_PAGES:
                is_whole = self._cut_off(f"its pages end after {len(rows)}")
                break
            page = await self._page(cursor)
            pages += 1
            fresh = {_key(row): row for row in page if _key(row) not in rows}
            if any(_key(row) == _key(newest[0]) for row in page):
                self._leads_to_newer = True
            elif not fresh:
                break
            rows |= fresh
        if self._leads_to_newer and len(newest) >= _PAGE and not _reaches(newest, since_ns):
            forward, is_whole = await self._forward(rows)
            rows |= forward
        if newest and newest[0].cursor is not None:
            self._newest = newest[0].cursor
        recent = [row for row in rows.values() if _date(row) == 0 or _date(row) >= since_ns]
        return self._codec.fills(self._not_renamed(recent) if is_whole else recent)

    async def _forward(self, known: Mapping[Key, wire.Trade]) -> tuple[dict[Key, wire.Trade], bool]:
        """Read from the newest fill of the last reading up to those known; return also whether they were reached."""
        found: dict[Key, wire.Trade] = {}
        cursor = self._newest
        if cursor is None:
            return found, self._cut_off("older ones cannot be reached without a cursor of an earlier reading")
        for _ in range(_MAX_PAGES):
            page = await self._page(cursor)
            fresh = [row for row in page if _key(row) not in found]
            found |= {_key(row): row for row in fresh}
            if not fresh or any(_key(row) in known for row in page):
                return found, True
            furthest = max(fresh, key=lambda row: (row.date_updated or "", row.trade_id))
            if furthest.cursor is None:
                break
            cursor = furthest.cursor
        return found, self._cut_off(f"the pages after the last reading end after {len(found)}")

    def _not_renamed(self, rows: list[wire.Trade]) -> list[wire.Trade]:
        """Leave out the fills that the feed told of under another id.

        That ids are the same on the feed and over REST is likely, but no page says so (protocol, 11). If they were not,
        every fill would count twice. A fill that REST lists under an unknown id is the feed's if that one is not listed
        and both agree in all else.
        """
        listed = {_key(row) for row in rows}
        unlisted: Counter[tuple[int, Decimal, Decimal, str | None]] = Counter()
        for order_id in {row.order_id for row in rows}:
            for trade in self._codec.told_by_feed(order_id).values():
                if _key(trade) not in listed:
                    unlisted[_likeness(trade)] += 1
        kept = []
        for row in rows:
            is_told = row.trade_id in self._codec.told_by_feed(row.order_id)
            if not is_told and unlisted[_likeness(row)] > 0:
                unlisted[_likeness(row)] -= 1
                if not self._renamed:
                    self._renamed = True
                    _log.error("%s: REST lists fill %s of the feed under another id; counted once", VENUE, _key(row))
            else:
                kept.append(row)
        return kept

    async def _page(self, cursor: str | None = None) -> list[wire.Trade]:
        query = {"page_size": str(_PAGE)}
        if cursor is not None:
            query["last_seen_id"] = cursor
        return await self._api.optional(_PATH, _decode_page, query) or []

    def _cut_off(self, why: str) -> bool:
        """Log, once, that fills are missing; return that the reading is not whole."""
        if not self._warned:
            self._warned = True
            _log.warning("%s: not all fills asked for can be read, %s; orders' totals tell the rest", VENUE, why)
        return False


def _decode_page(body: bytes) -> list[wire.Trade]:
    return wire.decode(wire.TRADE_PAGE, body, "own fills (protocol 7.5)").data or []


def _key(row: wire.Trade) -> Key:
    return (row.order_id, row.trade_id)


def _likeness(row: wire.Trade) -> tuple[int, Decimal, Decimal, str | None]:
    return (row.order_id, row.quantity, row.price, row.date_updated)


def _date(row: wire.Trade) -> int:
    return parse_iso(row.date_updated)


def _reaches(page: list[wire.Trade], since_ns: int) -> bool:
    """Whether a page has fills from before `since_ns`, so that there is nothing to be read beyond it."""
    return any(0 < _date(row) < since_ns for row in page)
