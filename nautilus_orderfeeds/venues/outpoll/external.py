"""Orders nobody here has placed, as far as the history tells of them (protocol, 13.4)."""

from collections.abc import Mapping

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderType
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.outpoll import assumed, wire
from nautilus_orderfeeds.venues.outpoll.queries import Reading, time_ns
from nautilus_orderfeeds.venues.outpoll.readback import filled_of, fills_of
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.words import side_of


def external_update(
    order_id: str, reading: Reading, settings: OutpollSettings, specs: Mapping[str, InstrumentSpec]
) -> OrderUpdate | None:
    """Return what is known of an order entered elsewhere; None if too little, or nothing that moved anything.

    Rows of the active orders lack the asset: such an order is told of when the history has it, or by a field map.

    Parameters
    ----------
    order_id : str
        The venue's id.
    reading : Reading
        Where it was found.
    settings : OutpollSettings
        Meanings of words, field maps.
    specs : Mapping[str, InstrumentSpec]
        Loaded instruments, by symbol.
    """
    row, active = reading.history.get(order_id), reading.active.get(order_id)
    trades = reading.trades.get(order_id, {})
    if row is not None:
        return _from_row(row, trades, settings, specs, is_active=active is not None)
    if active is None or active.asset_id not in specs:
        return None
    return OrderUpdate(
        source=Source.HISTORY,
        venue_order_id=order_id,
        symbol=active.asset_id,
        side=side_of(active.row.side),
        type=OrderType.LIMIT,
        status=VenueStatus.WORKING,
        quantity=active.row.quantity,
        price=active.row.price,
        fills=fills_of(order_id, trades),
    )


def _from_row(
    row: wire.HistoryOrder,
    trades: Mapping[str, assumed.Trade],
    settings: OutpollSettings,
    specs: Mapping[str, InstrumentSpec],
    *,
    is_active: bool,
) -> OrderUpdate | None:
    status = settings.statuses.get(row.st.upper())
    if status is None and is_active:
        status = VenueStatus.WORKING
    if row.a not in specs or status is None or row.oq is None or row.oq <= 0:
        return None
    is_market = (row.t or "").upper() == OrderType.MARKET.name
    traded = sum((trade.quantity for trade in trades.values()), ZERO)
    filled = None
    if settings.trades_fields is not None:
        if status is VenueStatus.FILLED and (not traded or (not is_market and traded != filled_of(row))):
            return None  # its trades are still to come
        filled = traded
    elif status is VenueStatus.FILLED:
        filled = filled_of(row)
    elif settings.trust_closed_quantity:
        filled = row.q
    quantity = row.oq
    if status is VenueStatus.FILLED and filled:
        quantity = filled  # of a market BUY the original may be money
    return OrderUpdate(
        source=Source.HISTORY,
        venue_order_id=row.i,
        symbol=row.a,
        side=side_of(row.si),
        type=OrderType.MARKET if is_market else OrderType.LIMIT,
        status=status,
        quantity=quantity,
        price=None if is_market else row.p,
        filled_qty=filled,
        last_px=row.p,
        fills=fills_of(row.i, trades),
        ts_event=time_ns(row),
    )
