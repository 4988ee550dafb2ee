"""
The history-service of the simulated Outpoll (protocol 5.6-5.8, 5.10): it may be behind the order-service.

The fault STALE_SNAPSHOT makes one answer lack the user's latest `lag` changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import ZERO, OrderKind
from nautilus_orderfeeds.sim.server import Answer, Call
from nautilus_orderfeeds.venues.outpoll.twin_assumed import shaped
from nautilus_orderfeeds.venues.outpoll.twin_gate import Gate
from nautilus_orderfeeds.venues.outpoll.twin_keys import Refused
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_prices import current
from nautilus_orderfeeds.venues.outpoll.twin_records import OrderView, Records
from nautilus_orderfeeds.venues.outpoll.twin_request import only, whole_number
from nautilus_orderfeeds.venues.outpoll.twin_tpsl import TpslBook
from nautilus_orderfeeds.venues.outpoll.twin_wire import Wire
from nautilus_orderfeeds.venues.outpoll.twin_words import Status

_ACTIVE = "/api/history/deals/active-orders"
_POSITIONS = "/api/history/deals/open-positions"
_ORDERS = "/api/history/orders"
_TRADES = "/api/history/trades"
_ACTIVITY = "/api/history/activity"
_STATS = "/api/history/stats/profile/{user_id}"


class HistoryRoutes:
    """Adds `/api/history/*` to a server."""

    def __init__(
        self,
        gate: Gate,
        records: Records,
        book: TpslBook,
        market: Market,
        faults: FaultInjector,
        wire: Wire,
        options: OutpollTwinOptions,
    ) -> None:
        self._records = records
        self._book = book
        self._market = market
        self._faults = faults
        self._wire = wire
        self._options = options
        gate.private("GET", _ACTIVE, self._active_orders)
        gate.private("GET", _ORDERS, self._orders)
        gate.private("GET", _POSITIONS, self._open_positions)
        gate.private("GET", _TRADES, self._trades)
        gate.private("GET", _ACTIVITY, self._activity)
        gate.private("GET", _STATS, self._stats)
        gate.private("GET", f"{_STATS}/positions", self._profile_positions)

    async def _active_orders(self, call: Call, owner: str) -> Answer:
        only(call.query, ("page", "size"))
        views = [
            view
            for view in self._records.orders(owner, self._options.history_delay_secs, self._lag(_ACTIVE))
            if view.status is Status.ACTIVE and view.order.kind is OrderKind.LIMIT
        ]
        if self._options.active_newest_first:
            views.reverse()
        page = self._page(call, views, 100)
        body: dict[str, object] = {"i": [self._wire.active_order(view) for view in page.pop("i")]}
        return Answer(200, {**body, **page} if self._options.active_counters else body)

    async def _orders(self, call: Call, owner: str) -> Answer:
        only(call.query, ("page", "size", "eventOutcomeId", "sort"))
        sort, outcome = call.one("sort") or "desc", call.one("eventOutcomeId")
        if sort not in ("asc", "desc"):
            raise Refused(400, f"invalid sort: {sort!r}")
        behind = self._options.history_delay_secs + self._options.orders_extra_secs
        rows = [
            row
            for view in self._records.orders(owner, behind, self._lag(_ORDERS))
            if self._is_listed(view) and (row := self._wire.history_order(view)) and outcome in (None, "", row["o"])
        ]
        # By time, and for equal times in the sequence in which the orders came.
        rows.sort(key=lambda row: int(str(row["m"])))
        if sort == "desc":
            rows.reverse()
        return Answer(200, self._page(call, rows, 20))

    def _is_listed(self, view: OrderView) -> bool:
        match view.status:
            case Status.ACTIVE:
                return self._options.history_lists_open
            case Status.REJECTED:
                return self._options.history_lists_rejected
            case _:
                return self._options.history_lists_resolved or not view.is_resolved

    async def _open_positions(self, call: Call, owner: str) -> Answer:
        only(call.query, ("page", "size"))
        return Answer(200, self._page(call, self._positions(owner), 100))

    def _positions(self, owner: str) -> list[dict[str, object]]:
        behind = self._options.history_delay_secs + self._options.positions_extra_secs
        return [
            self._wire.position(
                holding,
                current(self._market, holding.asset),
                [self._wire.tpsl(t) for t in self._book.of(holding.asset, owner) if t.is_active],
            )
            for holding in self._records.holdings(owner, behind, self._lag(_POSITIONS))
        ]

    # -- assumed shapes -------------------------------------------------------------------------------------

    async def _trades(self, call: Call, owner: str) -> Answer:
        if not self._options.serves_trades:
            raise Refused(404, "Not found")
        return Answer(200, self._page(call, self._trade_rows(owner, _TRADES), 20))

    async def _activity(self, call: Call, owner: str) -> Answer:
        return Answer(200, self._page(call, self._trade_rows(owner, _ACTIVITY), 20))

    def _trade_rows(self, owner: str, route: str) -> list[dict[str, object]]:
        behind = self._options.history_delay_secs + self._options.trades_extra_secs
        return [self._wire.trade(fill) for fill in reversed(self._records.fills(owner, behind, self._lag(route)))]

    async def _stats(self, call: Call, owner: str) -> Answer:
        user = self._only_own(call, owner)
        fills = self._records.fills(user, self._options.history_delay_secs)
        volume = sum((fill.price * fill.size for fill in fills), ZERO)
        values = {"user_id": user, "trades": len(fills), "volume": self._wire.rest(volume)}
        return Answer(200, shaped(values, self._options.fields.stats))

    async def _profile_positions(self, call: Call, owner: str) -> Answer:
        return Answer(200, self._page(call, self._positions(self._only_own(call, owner)), 100))

    def _only_own(self, call: Call, owner: str) -> str:
        if call.params["user_id"] != owner:
            raise Refused(404, "User not found")
        return owner

    # -- pages ----------------------------------------------------------------------------------------------

    def _page(self, call: Call, rows: Sequence[Any], default_size: int) -> dict[str, Any]:
        """One page in the wrapper of section 2; what moved meanwhile is the option `page_shift`."""
        page = whole_number(call, "page", 0, 0)
        size = min(whole_number(call, "size", default_size, 1), self._options.max_page_size)
        shift = min(self._options.page_shift, size - 1)  # pages must get on
        start, total = page * (size - shift), len(rows) + page * shift
        return {"i": list(rows[start : start + size]), "p": page, "s": size, "tp": max(0, -(-total // size))}

    def _lag(self, route: str) -> int:
        return self._faults.lag(f"GET {route}")
