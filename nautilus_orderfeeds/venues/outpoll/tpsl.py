"""Take-profit and stop-loss of a position as one OCO pair of closing SELLs (protocol, 5.5; shapes assumed, `assumed`).

The venue knows one entry with two prices. Here it is two orders with the ids ``<id>:TP`` and ``<id>:SL``. What closes
the position is an order of the venue's own making, with another id: it is found in the history by its terms.
"""

import logging
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import inf
from typing import Final

from msgspec import Struct, structs

from nautilus_orderfeeds.feed.errors import TransientFeedError
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.requests import Denied, NewOrder
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.outpoll import assumed, wire
from nautilus_orderfeeds.venues.outpoll.api import OutpollApi, reader
from nautilus_orderfeeds.venues.outpoll.entry import TPSL
from nautilus_orderfeeds.venues.outpoll.memory import Calm
from nautilus_orderfeeds.venues.outpoll.products import IS_PRIMARY
from nautilus_orderfeeds.venues.outpoll.queries import Reading, time_ns
from nautilus_orderfeeds.venues.outpoll.readback import fills_of
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings, Service
from nautilus_orderfeeds.venues.outpoll.words import VENUE

_log = logging.getLogger(__name__)

TAKE_PROFIT: Final = ":TP"
STOP_LOSS: Final = ":SL"
_SUFFIXES: Final = (TAKE_PROFIT, STOP_LOSS)
_list = reader(assumed.LIST, "a list of TP/SL (protocol 5.5)")


class Pair(Struct, kw_only=True, eq=False):
    """One entry at the venue and the two orders it stands for; a restored one may lack a leg.

    Parameters
    ----------
    tpsl_id : str
        The venue's id.
    calm : Calm
        Of the readings about it.
    placed_ns : int
        When it was placed, UNIX ns.
    take_profit, stop_loss : NewOrder, optional
        Terms of the legs.
    live_at : float
        When the latest reading began that listed it as live, seconds of the clock's `monotonic`.
    ended : bool
        Its end was told.
    """

    tpsl_id: str
    calm: Calm
    placed_ns: int
    take_profit: NewOrder | None = None
    stop_loss: NewOrder | None = None
    live_at: float = -inf
    ended: bool = False

    @property
    def terms(self) -> NewOrder:
        """Of either leg."""
        terms = self.take_profit or self.stop_loss
        assert terms is not None
        return terms

    @property
    def legs(self) -> list[tuple[str, NewOrder]]:
        """Venue id and terms of each leg."""
        both = ((TAKE_PROFIT, self.take_profit), (STOP_LOSS, self.stop_loss))
        return [(self.tpsl_id + suffix, leg) for suffix, leg in both if leg is not None]


def entry_of(venue_order_id: str) -> str | None:
    """Return the venue's own id of a leg's; None if it is no leg's."""
    return venue_order_id[:-3] if venue_order_id.endswith(_SUFFIXES) else None


def pair_of(orders: Sequence[NewOrder]) -> tuple[NewOrder, NewOrder]:
    """Return (take-profit, stop-loss) of a list.

    Raises
    ------
    Denied
        If the list is no such pair.
    """
    expected = "expected an OCO pair of one LIMIT SELL (take-profit) and one STOP_MARKET SELL (stop-loss)"
    if len(orders) != 2 or any(o.contingency_type is not ContingencyType.OCO for o in orders):
        raise Denied(f"{VENUE} cannot do this list: {expected}")
    by_type = {order.type: order for order in orders}
    take_profit, stop_loss = by_type.get(OrderType.LIMIT), by_type.get(OrderType.STOP_MARKET)
    if take_profit is None or stop_loss is None or any(o.side is not OrderSide.SELL for o in orders):
        raise Denied(f"{VENUE} cannot do this list: {expected}")
    if take_profit.symbol != stop_loss.symbol or take_profit.quantity != stop_loss.quantity:
        raise Denied(f"{VENUE} cannot do this list: both orders must close the same quantity of one instrument")
    assert take_profit.price is not None
    assert stop_loss.trigger_price is not None
    if take_profit.price <= stop_loss.trigger_price:
        raise Denied("the take-profit price must be above the stop-loss price")
    return take_profit, stop_loss


class TpslReader:
    """Reads the entries back and judges what became of them.

    Parameters
    ----------
    api : OutpollApi
        Where from.
    settings : OutpollSettings
        Field map and settle times.
    """

    def __init__(self, api: OutpollApi, settings: OutpollSettings) -> None:
        self._api = api
        self._settings = settings

    async def judge(
        self, pairs: Iterable[Pair], specs: dict[str, InstrumentSpec], reading: Reading, known: set[str]
    ) -> tuple[list[OrderUpdate], set[str]]:
        """Return statements about the legs, and the ids of those to be read again soon.

        Parameters
        ----------
        pairs : Iterable[Pair]
            Entries that have not ended.
        specs : dict[str, InstrumentSpec]
            By symbol.
        reading : Reading
            In whose history a closing order is looked for.
        known : set[str]
            Orders that are none of these.

        Raises
        ------
        FeedError
            If a list could not be read.
        """
        open_pairs = [pair for pair in pairs if not pair.ended]
        listed: dict[str, assumed.Tpsl] = {}
        for symbol in {pair.terms.symbol for pair in open_pairs}:
            spec = specs.get(symbol)
            if spec is not None:
                listed.update(await self._listed(spec))
        updates: list[OrderUpdate] = []
        unsure: set[str] = set()
        for pair in open_pairs:
            entry = listed.get(pair.tpsl_id)
            is_live = entry is not None and entry.status in assumed.TPSL_LIVE
            seen = (is_live, None if entry is None else entry.status)
            settings = self._settings
            is_calm = pair.calm.note(seen, reading.began, settings.read_settle_secs, settings.read_gap_secs)
            if is_live:
                pair.live_at = reading.began
                updates += [_update(order_id, leg, VenueStatus.WORKING) for order_id, leg in pair.legs]
            else:
                updates += self._closed(pair, reading, known) or (self._gone(pair) if is_calm else [])
                if not pair.ended and not is_calm:
                    unsure |= {order_id for order_id, _ in pair.legs}
        return updates, unsure

    async def _listed(self, spec: InstrumentSpec) -> dict[str, assumed.Tpsl]:
        primary = "false" if spec.info.get(IS_PRIMARY) is False else "true"
        rows = await self._api.read(Service.ORDERS, TPSL, _list, {"assetId": spec.raw_symbol, "primary": primary})
        try:
            found = [assumed.read_tpsl(row, self._settings.tpsl_fields) for row in rows]
        except ValueError as exc:
            raise TransientFeedError(f"{VENUE}: TP/SL does not fit tpsl_fields: {exc}") from None
        return {entry.tpsl_id: entry for entry in found}

    def _closed(self, pair: Pair, reading: Reading, known: set[str]) -> list[OrderUpdate]:
        """Tell the leg that fired, if exactly one order can be what it became."""
        rows = [row for row in reading.history.values() if row.i not in known and _closes(pair, row)]
        if len(rows) != 1 or self._settings.statuses.get(rows[0].st.upper()) is not VenueStatus.FILLED:
            return []
        row = rows[0]
        trades = reading.trades.get(row.i, {})
        traded = sum((trade.quantity for trade in trades.values()), ZERO)
        filled = row.q if row.q else row.oq
        if self._settings.trades_fields is not None and traded != filled:
            return []
        known.add(row.i)
        pair.ended = True
        px = row.p
        if trades and traded:
            px = sum((trade.quantity * trade.price for trade in trades.values()), ZERO) / traded
        fired = _fired(pair, px)
        updates = []
        for order_id, leg in pair.legs:
            if order_id.endswith(fired):
                update = _update(order_id, leg, VenueStatus.FILLED)
                fills = fills_of(row.i, trades)
                updates.append(
                    structs.replace(update, filled_qty=filled, last_px=row.p, fills=fills, ts_event=time_ns(row))
                )
            else:
                updates.append(_update(order_id, leg, VenueStatus.CANCELED, "the other leg was filled"))
        return updates

    def _gone(self, pair: Pair) -> list[OrderUpdate]:
        pair.ended = True
        return [_update(order_id, leg, VenueStatus.CANCELED) for order_id, leg in pair.legs]


def _closes(pair: Pair, row: wire.HistoryOrder) -> bool:
    terms = pair.terms
    is_newer = time_ns(row) == 0 or time_ns(row) >= pair.placed_ns - 30_000_000_000
    return row.a == terms.symbol and row.si.upper() == "SELL" and row.oq == terms.quantity and is_newer


def _fired(pair: Pair, px: Decimal | None) -> str:
    """Return which leg an execution at `px` was: the nearer one."""
    take = None if pair.take_profit is None else pair.take_profit.price
    stop = None if pair.stop_loss is None else pair.stop_loss.trigger_price
    if px is None or stop is None:
        return TAKE_PROFIT
    if take is None:
        return STOP_LOSS
    return TAKE_PROFIT if abs(take - px) <= abs(px - stop) else STOP_LOSS


def _update(order_id: str, leg: NewOrder, status: VenueStatus, reason: str = "") -> OrderUpdate:
    return OrderUpdate(
        source=Source.QUERY,
        venue_order_id=order_id,
        client_order_id=leg.client_order_id,
        symbol=leg.symbol,
        side=leg.side,
        type=leg.type,
        status=status,
        filled_qty=ZERO if status is VenueStatus.CANCELED else None,
        reason=reason,
    )
