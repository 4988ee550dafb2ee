"""Reading back what became of pairs of a take-profit and a stop-loss (protocol, 5.5; shapes assumed, `assumed`).

What closes the position is an order of the venue's own making, with another id: it is found in the history by its
terms, and the leg that fired goes on under that id (so that it is known after a restart, too).
"""

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import Struct, field, structs

from nautilus_orderfeeds.feed.errors import TransientFeedError
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.updates import END_STATUSES, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.outpoll import assumed, wire
from nautilus_orderfeeds.venues.outpoll.api import OutpollApi, reader
from nautilus_orderfeeds.venues.outpoll.entry import TPSL
from nautilus_orderfeeds.venues.outpoll.pairs import STOP_LOSS, TAKE_PROFIT, Pair, closes
from nautilus_orderfeeds.venues.outpoll.products import IS_PRIMARY
from nautilus_orderfeeds.venues.outpoll.queries import Reading, time_ns
from nautilus_orderfeeds.venues.outpoll.readback import filled_of, fills_of
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings, Service
from nautilus_orderfeeds.venues.outpoll.wallet import Wallet
from nautilus_orderfeeds.venues.outpoll.words import VENUE

_log = logging.getLogger(__name__)

_list = reader(assumed.LIST, "a list of TP/SL (protocol 5.5)")


class Found(Struct):
    """What a reading has proved of the pairs: statements, and our ids of legs to read again soon, or never received."""

    updates: list[OrderUpdate] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)


class Listing(Struct):
    """Pairs that had not ended when the lists were read, and the entries listed, by their id."""

    pairs: list[Pair]
    entries: dict[str, assumed.Tpsl] = field(default_factory=dict)


class TpslReader:
    """Reads the entries back and judges what became of them.

    Parameters
    ----------
    api : OutpollApi
        Where from.
    settings : OutpollSettings
        Field map and settle times.
    wallet : Wallet
        Balances, of which a closing order explains a change.
    """

    def __init__(self, api: OutpollApi, settings: OutpollSettings, wallet: Wallet) -> None:
        self._api = api
        self._settings = settings
        self._wallet = wallet

    async def read(self, pairs: Iterable[Pair], specs: Mapping[str, InstrumentSpec]) -> Listing:
        """Read the lists that show what is left of pairs; raises `FeedError` if one could not be read.

        Parameters
        ----------
        pairs : Iterable[Pair]
            Those that have not ended.
        specs : Mapping[str, InstrumentSpec]
            By symbol.
        """
        listing = Listing(pairs=list(pairs))
        for symbol in {pair.terms.symbol for pair in listing.pairs}:
            spec = specs.get(symbol)
            if spec is not None:
                listing.entries.update(await self._listed(spec))
        return listing

    def judge(self, listing: Listing, reading: Reading, known: set[str]) -> Found:
        """Say what became of pairs.

        Parameters
        ----------
        listing : Listing
            The pairs, changed in place, and what is listed of them.
        reading : Reading
            In whose history a closing order is looked for.
        known : set[str]
            Orders that are none of these; the closing ones are added.
        """
        found = Found()
        pairs, listed = listing.pairs, listing.entries
        named = {pair.tpsl_id for pair in pairs if pair.tpsl_id}
        for pair in pairs:
            if not pair.tpsl_id:
                self._look_for(pair, pairs, listed, named, reading, found)
            if pair.tpsl_id:
                self._judge(pair, listed.get(pair.tpsl_id), reading, known, found)
        return found

    def _judge(self, pair: Pair, entry: assumed.Tpsl | None, reading: Reading, known: set[str], found: Found) -> None:
        is_live = entry is not None and entry.status in assumed.TPSL_LIVE
        is_calm = self._is_calm(pair, (is_live, None if entry is None else entry.status), reading)
        if is_live:
            pair.live_at = reading.began
            found.updates += [_update(order_id, leg, VenueStatus.WORKING) for order_id, leg in pair.legs]
            return
        closed = self._closed(pair, reading, known, is_calm=is_calm)
        found.updates += closed or (self._gone(pair) if is_calm else [])
        if not pair.ended and not is_calm:
            found.unsure |= _ids(pair)

    def _look_for(
        self,
        pair: Pair,
        pairs: list[Pair],
        listed: Mapping[str, assumed.Tpsl],
        named: set[str],
        reading: Reading,
        found: Found,
    ) -> None:
        """Name a pair whose placing was never answered, if exactly one entry can be it; nothing is sent again."""
        entries = sorted(i for i, entry in listed.items() if i not in named and _is_of(pair, entry))
        is_calm = self._is_calm(pair, tuple(entries), reading)
        rivals = [other for other in pairs if not other.tpsl_id and _key(other) == _key(pair)]
        if is_calm and not pair.under_way and len(entries) == len(rivals) == 1:
            pair.tpsl_id = entries[0]
            pair.calm.stir(reading.began)
            named.add(pair.tpsl_id)
            return
        limit_secs = self._settings.absent_after_secs
        waited_ns = reading.began_ns - pair.placed_ns
        if is_calm and not pair.under_way and not entries and limit_secs is not None and waited_ns > limit_secs * 1e9:
            pair.ended = True
            found.absent |= _ids(pair)
            return
        found.unsure |= _ids(pair)
        if is_calm and entries and not pair.complained:
            pair.complained = True
            _log.error(
                "%s: %d TP/SL in flight with the terms of %s, and %d at the venue (%s): which is which cannot be told, "
                "so they stay in flight; nothing is sent again",
                VENUE,
                len(rivals),
                pair.terms.client_order_id,
                len(entries),
                ", ".join(entries[:5]),
            )

    def _is_calm(self, pair: Pair, seen: object, reading: Reading) -> bool:
        settings = self._settings
        return pair.calm.note(seen, reading.began, settings.read_settle_secs, settings.read_gap_secs)

    async def _listed(self, spec: InstrumentSpec) -> dict[str, assumed.Tpsl]:
        primary = "false" if spec.info.get(IS_PRIMARY) is False else "true"
        rows = await self._api.read(Service.ORDERS, TPSL, _list, {"assetId": spec.raw_symbol, "primary": primary})
        try:
            found = [assumed.read_tpsl(row, self._settings.tpsl_fields) for row in rows]
        except ValueError as exc:
            raise TransientFeedError(f"{VENUE}: TP/SL does not fit tpsl_fields: {exc}") from None
        return {entry.tpsl_id: entry for entry in found}

    def _closed(self, pair: Pair, reading: Reading, known: set[str], *, is_calm: bool) -> list[OrderUpdate]:
        """Tell the leg that fired, if exactly one order can be what it became; it goes on under that order's id."""
        rows = [row for row in reading.history.values() if row.i not in known and closes(pair, row)]
        if len(rows) != 1:
            return []
        row, trades = rows[0], reading.trades.get(rows[0].i, {})
        status = self._settings.statuses.get(row.st.upper())
        filled = self._filled(row, status, trades, is_calm=is_calm)
        if status is None or filled is None:
            return []
        known.add(row.i)
        pair.closing_id, pair.ended = row.i, True
        traded = sum((trade.quantity for trade in trades.values()), ZERO)
        notional = sum((trade.quantity * trade.price for trade in trades.values()), ZERO)
        fired = _fired(pair, notional / traded if traded else row.p)
        if status is not VenueStatus.FILLED and self._settings.trades_fields is None:
            self._wallet.fold(row.a, -filled, None)  # what is FILLED is folded as anybody's order is
        updates = []
        for order_id, leg in pair.legs:
            if order_id.endswith(fired):
                update = _update(order_id, leg, status)
                updates.append(
                    structs.replace(
                        update,
                        venue_order_id=row.i,
                        renamed=True,
                        filled_qty=filled,
                        last_px=row.p,
                        fills=fills_of(row.i, trades),
                        ts_event=time_ns(row),
                    )
                )
                _log.info("%s: %s fired; the venue closed the position by its order %s", VENUE, order_id, row.i)
            else:
                updates.append(_update(order_id, leg, VenueStatus.CANCELED, "the other leg was filled"))
        return updates

    def _filled(
        self,
        row: wire.HistoryOrder,
        status: VenueStatus | None,
        trades: Mapping[str, assumed.Trade],
        *,
        is_calm: bool,
    ) -> Decimal | None:
        """Return how much a closing order sold in the end, None as long as it is not certain."""
        if status not in END_STATUSES:
            return None
        is_filled = status is VenueStatus.FILLED
        told = filled_of(row) if is_filled else row.q
        if self._settings.trades_fields is None:
            return told if is_filled or self._settings.trust_closed_quantity else None
        traded = sum((trade.quantity for trade in trades.values()), ZERO)
        return traded if traded == told or (is_calm and not is_filled) else None

    def _gone(self, pair: Pair) -> list[OrderUpdate]:
        pair.ended = True
        return [_update(order_id, leg, VenueStatus.CANCELED) for order_id, leg in pair.legs]


def _ids(pair: Pair) -> set[str]:
    return {leg.client_order_id for _, leg in pair.legs}


def _key(pair: Pair) -> tuple[object, ...]:
    """Return what pairs that cannot be told apart have in common."""
    take_profit, stop_loss = pair.take_profit, pair.stop_loss
    prices = (
        None if take_profit is None else take_profit.price,
        None if stop_loss is None else stop_loss.trigger_price,
    )
    return (pair.terms.symbol, pair.terms.quantity, *prices)


def _is_of(pair: Pair, entry: assumed.Tpsl) -> bool:
    return _key(pair) == (entry.asset_id, entry.quantity, entry.take_profit, entry.stop_loss)


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
