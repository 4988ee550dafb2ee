"""Reading own fills back over REST (protocol, 7.5): newest first, by cursor, with no filter at all.

In which direction `last_seen_id` leads, the venue's page leaves open. It shows: a page that has the newest fill again
leads to newer ones. Then older ones than the first page can only be reached from a cursor remembered.
"""

import logging
from collections.abc import Mapping
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
        self._warned = False

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
        rows = {_key(row): row for row in newest}
        page = newest
        pages = 1
        while not self._leads_to_newer and len(page) >= _PAGE and not _reaches(page, since_ns):
            cursor = page[-1].cursor
            if cursor is None or pages >= _MAX_PAGES:
                self._warn(f"its pages end after {len(rows)}")
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
            rows |= await self._forward(rows)
        if newest and newest[0].cursor is not None:
            self._newest = newest[0].cursor
        return self._codec.fills(row for row in rows.values() if _date(row) == 0 or _date(row) >= since_ns)

    async def _forward(self, known: Mapping[Key, wire.Trade]) -> dict[Key, wire.Trade]:
        """Read from the newest fill of the last reading up to those known."""
        found: dict[Key, wire.Trade] = {}
        cursor = self._newest
        if cursor is None:
            self._warn("older ones cannot be reached without a cursor of an earlier reading")
            return found
        for _ in range(_MAX_PAGES):
            page = await self._page(cursor)
            fresh = [row for row in page if _key(row) not in found]
            found |= {_key(row): row for row in fresh}
            if not fresh or any(_key(row) in known for row in page):
                return found
            furthest = max(fresh, key=lambda row: (row.date_updated or "", row.trade_id))
            if furthest.cursor is None:
                break
            cursor = furthest.cursor
        self._warn(f"the pages after the last reading end after {len(found)}")
        return found

    async def _page(self, cursor: str | None = None) -> list[wire.Trade]:
        query = {"page_size": str(_PAGE)}
        if cursor is not None:
            query["last_seen_id"] = cursor
        return await self._api.read(_PATH, _decode_page, query)

    def _warn(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("%s: not all fills asked for can be read, %s; orders' totals tell the rest", VENUE, why)


def _decode_page(body: bytes) -> list[wire.Trade]:
    return wire.decode(wire.TRADE_PAGE, body, "own fills (protocol 7.5)").data or []


def _key(row: wire.Trade) -> Key:
    return (row.order_id, row.trade_id)


def _date(row: wire.Trade) -> int:
    return parse_iso(row.date_updated)


def _reaches(page: list[wire.Trade], since_ns: int) -> bool:
    """Whether a page has fills from before `since_ns`, so that there is nothing to be read beyond it."""
    return any(0 < _date(row) < since_ns for row in page)
