"""Reading the account back over REST (protocol, 5.6 to 5.10): one `Reading` is what the read side said at a time."""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Raw, Struct, field

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import TransientFeedError
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.outpoll import assumed, wire
from nautilus_orderfeeds.venues.outpoll.api import OutpollApi, reader
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings, Service
from nautilus_orderfeeds.venues.outpoll.words import VENUE

_log = logging.getLogger(__name__)

_ACTIVE: Final = "/api/history/deals/active-orders"
_ORDERS: Final = "/api/history/orders"
_TRADES: Final = "/api/history/trades"
_POSITIONS: Final = "/api/history/deals/open-positions"

#: Documented default sizes; the largest allowed is not known (protocol, 2).
_LONG_PAGE: Final = 100
_SHORT_PAGE: Final = 20

_MS: Final = 1_000_000

#: By how much the venue's clock and ours may differ: more and no request is accepted (protocol, 4.1), twice over.
_CLOCKS_NS: Final = 60_000_000_000

_active_page = reader(wire.RAW_PAGE, "active orders (protocol 5.6)")
_history_page = reader(wire.HISTORY_PAGE, "the order history (protocol 5.7)")
_trades_page = reader(wire.RAW_PAGE, "trades (assumed, protocol 5.8)")
_positions_page = reader(wire.POSITIONS_PAGE, "open positions (protocol 5.10)")


class Active(Struct, frozen=True, kw_only=True):
    """An active order; `asset_id` and `filled` only where the venue is known to tell them."""

    row: wire.ActiveOrder
    asset_id: str | None = None
    filled: Decimal | None = None
    #: Whether `row.quantity` may be what is left, so that the original one was at least that.
    may_be_rest: bool = False


class Reading(Struct, kw_only=True):
    """What the read side said.

    Parameters
    ----------
    began : float
        When the reading began, seconds of the clock's `monotonic`.
    began_ns : int
        The same as UNIX ns.
    listed_ns : int
        When all orders were read, UNIX ns: one sent after it cannot be among them.
    active, history, trades : dict
        By order id; the history reaches back to what was asked for.
    """

    began: float
    began_ns: int
    listed_ns: int = 0
    active: dict[str, Active] = field(default_factory=dict)
    history: dict[str, wire.HistoryOrder] = field(default_factory=dict)
    trades: dict[str, dict[str, assumed.Trade]] = field(default_factory=dict)

    def __contains__(self, venue_order_id: str) -> bool:
        return venue_order_id in self.active or venue_order_id in self.history

    def order_ids(self) -> set[str]:
        """Return the ids of all orders in it."""
        return self.active.keys() | self.history.keys()


class Queries:
    """Reads orders, trades and positions of one account.

    Parameters
    ----------
    api : OutpollApi
        Where from.
    settings : OutpollSettings
        Field maps.
    clock : Clock
        Stamps the readings.
    """

    def __init__(self, api: OutpollApi, settings: OutpollSettings, clock: Clock) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock

    async def read(self, since_ns: int, wanted: Mapping[str, int]) -> Reading:
        """Read all active orders, then the history, and the trades where they can be read.

        In this order: an order that ends in between is in the history by then.

        Parameters
        ----------
        since_ns : int
            How far back at least, UNIX ns.
        wanted : Mapping[str, int]
            Orders to look for further back if they are not active: order id -> when it was created, UNIX ns.

        Raises
        ------
        FeedError
            If any part could not be read.
        """
        reading = Reading(began=self._clock.monotonic(), began_ns=self._clock.time_ns())
        reading.active = await self.active()
        gone = [created for order_id, created in wanted.items() if order_id not in reading.active]
        since_ns = min([since_ns, *(created - _CLOCKS_NS for created in gone)])
        async for orders in self._api.pages(Service.HISTORY, _ORDERS, _history_page, _SHORT_PAGE, sort="desc"):
            for order in orders:
                _check_order(order)
                reading.history.setdefault(order.i, order)
            if _reaches(orders, since_ns):
                break
        reading.listed_ns = self._clock.time_ns()
        if self._settings.trades_fields is not None:
            await self._read_trades(reading, self._settings.trades_fields, since_ns)
        return reading

    async def active(self) -> dict[str, Active]:
        """Read all active orders, by their id; raises `FeedError`."""
        found: dict[str, Active] = {}
        async for rows in self._api.pages(Service.HISTORY, _ACTIVE, _active_page, _LONG_PAGE):
            for raw in rows:
                active = self._active(raw)
                found[active.row.id] = active
        return found

    async def positions(self) -> list[wire.OpenPosition]:
        """Read all open positions; raises `FeedError`."""
        found: dict[str, wire.OpenPosition] = {}
        async for rows in self._api.pages(Service.HISTORY, _POSITIONS, _positions_page, _LONG_PAGE):
            for row in rows:
                try:
                    check_id("asset id of a position", row.ai)
                    wire.check_numbers(row.tsc, row.asc, row.sp)
                except ValueError as exc:
                    raise TransientFeedError(f"{VENUE}: unreadable position: {exc}") from None
                found[row.ai] = row
        return list(found.values())

    async def _read_trades(self, reading: Reading, fields: Mapping[str, str], since_ns: int) -> None:
        async for rows in self._api.pages(Service.HISTORY, _TRADES, _trades_page, _LONG_PAGE):
            oldest = 0
            for raw in rows:
                trade = _trade(raw, fields)
                reading.trades.setdefault(trade.order_id, {})[trade.trade_id] = trade
                oldest = min(oldest or trade.time_ns, trade.time_ns)
            # Only a list that is sorted newest first may be left early: its last row says whether it is.
            if rows and 0 < oldest < since_ns and _trade(rows[-1], fields).time_ns == oldest:
                break

    def _active(self, raw: Raw) -> Active:
        row = wire.decode(wire.ACTIVE_ORDER, bytes(raw), "an active order (protocol 5.6)")
        asset_id, filled = None, None
        try:
            check_id("order id", row.id)
            wire.check_numbers(row.price, row.quantity)
            if self._settings.active_fields:
                asset_id, filled = assumed.active_extra(_values(raw), self._settings.active_fields)
        except ValueError as exc:
            raise TransientFeedError(f"{VENUE}: unreadable active order: {exc}") from None
        is_rest = self._settings.active_quantity_is_remaining
        return Active(row=row, asset_id=asset_id, filled=filled, may_be_rest=is_rest)


def time_ns(order: wire.HistoryOrder) -> int:
    """Return `m` as UNIX ns (created or changed is not known); 0 if it is not there or no time."""
    if order.m is None or not 0 < order.m < 10**13:
        return 0
    return int(order.m * _MS)


def _reaches(orders: list[wire.HistoryOrder], since_ns: int) -> bool:
    """Whether a page, newest first, ends before `since_ns`."""
    times = [time_ns(order) for order in orders]
    return bool(times) and 0 < times[-1] < since_ns and times[-1] == min(times)


def _check_order(order: wire.HistoryOrder) -> None:
    try:
        check_id("order id", order.i)
        wire.check_numbers(order.oq, order.p, order.q, order.m)
    except ValueError as exc:
        raise TransientFeedError(f"{VENUE}: unreadable order in the history: {exc}") from None


def _values(raw: Raw) -> dict[str, Any]:
    return wire.decode(assumed.ROWS, bytes(raw), "a JSON object")


def _trade(raw: Raw, fields: Mapping[str, str]) -> assumed.Trade:
    try:
        return assumed.read_trade(_values(raw), fields)
    except ValueError as exc:
        raise TransientFeedError(f"{VENUE}: trade does not fit trades_fields: {exc}") from None
