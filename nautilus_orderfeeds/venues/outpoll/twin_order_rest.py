"""The order-service of the simulated Outpoll: placing, cancelling, TP/SL (protocol 5.2-5.5)."""

from __future__ import annotations

from collections.abc import Callable

from nautilus_orderfeeds.sim.outbox import StreamOrder
from nautilus_orderfeeds.sim.server import Answer, Call
from nautilus_orderfeeds.venues.outpoll.twin_assumed import tpsl_answer
from nautilus_orderfeeds.venues.outpoll.twin_exchange import Exchange
from nautilus_orderfeeds.venues.outpoll.twin_gate import Gate
from nautilus_orderfeeds.venues.outpoll.twin_keys import Refused
from nautilus_orderfeeds.venues.outpoll.twin_notices import Notices
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS
from nautilus_orderfeeds.venues.outpoll.twin_request import (
    LimitRequest,
    MarketRequest,
    SizeRule,
    only,
    read_limit,
    read_market,
    read_tpsl,
)
from nautilus_orderfeeds.venues.outpoll.twin_tpsl import TpslBook
from nautilus_orderfeeds.venues.outpoll.twin_tpsl_desk import TpslDesk
from nautilus_orderfeeds.venues.outpoll.twin_wire import Wire
from nautilus_orderfeeds.venues.outpoll.twin_words import UpdateTime


class OrderRoutes:
    """Adds `/orders/*` to a server."""

    def __init__(
        self,
        gate: Gate,
        exchange: Exchange,
        desk: TpslDesk,
        book: TpslBook,
        notices: Notices,
        wire: Wire,
        options: OutpollTwinOptions,
    ) -> None:
        self._exchange = exchange
        self._desk = desk
        self._book = book
        self._notices = notices
        self._wire = wire
        self._options = options
        gate.private("POST", "/orders/limit", self._limit)
        gate.private("POST", "/orders/market", self._market)
        gate.private("DELETE", "/orders/limit/{order_id}", self._cancel)
        gate.private("POST", "/orders/tpsl", self._set_tpsl)
        gate.private("GET", "/orders/tpsl", self._list_tpsl)
        gate.private("DELETE", "/orders/tpsl/{tpsl_id}", self._cancel_tpsl)

    @property
    def _size_rule(self) -> SizeRule:
        return SizeRule(self._options.lot, self._options.cuts_to_lot)

    async def _limit(self, call: Call, owner: str) -> Answer:
        return await self._place(owner, read_limit(call, self._size_rule))

    async def _market(self, call: Call, owner: str) -> Answer:
        return await self._place(owner, read_market(call, self._size_rule))

    async def _place(self, owner: str, request: LimitRequest | MarketRequest) -> Answer:
        when = self._options.place_update

        def work() -> Answer:
            order = self._exchange.place(owner, request)
            body = {} if when is UpdateTime.INSTEAD_OF_ANSWER else {"i": order.venue_order_id}
            return Answer(self._options.place_status, body)

        return await self._effect(owner, when, work)

    async def _cancel(self, call: Call, owner: str) -> Answer:
        order_id = call.params["order_id"]

        def work() -> Answer:
            return _canceled(self._exchange.cancel(owner, order_id))

        return await self._effect(owner, self._options.cancel_update, work)

    async def _effect(self, owner: str, when: UpdateTime, work: Callable[[], Answer]) -> Answer:
        """Do something that Order Updates tells of, before or after the answer, which may be late."""
        order = StreamOrder.AFTER_ANSWER if when is UpdateTime.AFTER_ANSWER else StreamOrder.BEFORE_ANSWER
        answer = self._notices.outbox.answered({owner: order}, work)
        return await answer.late(self._options.answer_delay_secs)

    # -- TP/SL ----------------------------------------------------------------------------------------------

    async def _set_tpsl(self, call: Call, owner: str) -> Answer:
        request = read_tpsl(call, self._size_rule)

        def work() -> Answer:
            tpsl = self._desk.create(owner, request)
            return Answer(self._options.place_status, tpsl_answer(tpsl.tpsl_id))

        return self._notices.outbox.answered({owner: StreamOrder.AFTER_ANSWER}, work)

    async def _list_tpsl(self, call: Call, owner: str) -> Answer:
        only(call.query, ("assetId", "primary", "status"))
        asset = ASSETS.get(call.one("assetId") or "")
        if asset is None:
            raise Refused(400, "assetId is required")
        primary, status = call.one("primary"), call.one("status")
        if primary not in ("true", "false"):
            raise Refused(400, "primary is required: true or false")
        rows = [
            self._wire.tpsl(tpsl)
            for tpsl in self._book.of(asset, owner)
            if status in (None, tpsl.status) and asset.is_primary is (primary == "true")
        ]
        return Answer(200, rows)

    async def _cancel_tpsl(self, call: Call, owner: str) -> Answer:
        def work() -> Answer:
            self._desk.cancel(owner, call.params["tpsl_id"])
            return _canceled(self._options.cancel_status)

        return self._notices.outbox.answered({owner: StreamOrder.AFTER_ANSWER}, work)


def _canceled(status: int) -> Answer:
    return Answer(status, None if status == 204 else {})
