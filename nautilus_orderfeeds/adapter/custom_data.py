"""Custom data for strategies and catalogs: what the feed knows beyond order events, and how it is doing.

All are registered for Arrow, so they go into and come out of a `ParquetDataCatalog`. Numbers are decimal text,
because Arrow's floats would not be exact. Subscribe in a strategy with
``subscribe_data(DataType(FeedHealth), client_id=ClientId("BSX"))``, where BSX has a data client. Without `client_id`
the data come too, but the framework logs an error; in a node with execution clients only, that is the way.
"""

from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.core.data import Data
from nautilus_trader.model.custom import customdataclass
from nautilus_trader.model.data import DataType
from nautilus_trader.model.identifiers import InstrumentId

from nautilus_orderfeeds.feed.health import FeedState, Health
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.venues.base import Protection, VenueData


@customdataclass
class OrderFeedUpdate(Data):
    """One statement of a venue about one order, as decoded, before it became events.

    Parameters
    ----------
    instrument_id : InstrumentId
        Instrument of the order.
    client_order_id, venue_order_id : str
        Ids; empty if not known.
    source : str
        Channel (``STREAM``, ``SNAPSHOT``, ``ANSWER``, ``QUERY``, ``HISTORY``, ``TRADES``).
    venue_status : str
        What the venue said, in venue-neutral words; empty for a bare trade.
    order_status : str
        The framework's status after it.
    quantity, filled_qty, leaves_qty, avg_px : str
        Decimal text: base units, base units, base units, quote per base; empty if not known.
    unexplained_qty : str
        Filled at the venue but not yet explained by trades, base units.
    events : str
        Names of the events it caused, comma separated.
    reason : str
        As the venue put it.
    """

    instrument_id: InstrumentId
    client_order_id: str
    venue_order_id: str
    source: str
    venue_status: str
    order_status: str
    quantity: str
    filled_qty: str
    leaves_qty: str
    avg_px: str
    unexplained_qty: str
    events: str
    reason: str


@customdataclass
class FeedHealth(Data):
    """How one private stream is doing, published at every change.

    Parameters
    ----------
    client_id : str
        The client whose feed it is.
    stream : str
        The stream's name.
    state : str
        ``CONNECTING``, ``RESYNCING``, ``LIVE``, ``STALE`` or ``DOWN``.
    last_frame_ns : int
        When the last frame arrived, UNIX ns; 0 if none did.
    connects, gaps, malformed_frames : int
        Counters since the start.
    detail : str
        Why, in words.
    """

    client_id: str
    stream: str
    state: str
    last_frame_ns: int
    connects: int
    gaps: int
    malformed_frames: int
    detail: str

    @property
    def is_live(self) -> bool:
        """Whether what the venue says arrives at once and nothing is missing."""
        return self.state == FeedState.LIVE.value


@customdataclass
class VenueEvent(Data):
    """Something a venue told that is no order event, such as a take-profit/stop-loss update.

    Parameters
    ----------
    client_id : str
        The client that received it.
    kind : str
        The venue's own name of it.
    body : str
        JSON of the venue's values.
    """

    client_id: str
    kind: str
    body: str

    @property
    def values(self) -> dict[str, Any]:
        """The venue's values, decoded."""
        return dict(msgspec.json.decode(self.body))


@customdataclass
class ProtectionUpdate(Data):
    """A take-profit and/or stop-loss attached to a position, as the venue's stream told it.

    Parameters
    ----------
    instrument_id : InstrumentId
        Of the position.
    venue_order_id : str
        The venue's id of it.
    quantity, take_profit, stop_loss : str
        Decimal text: base units, quote per base, quote per base; empty if not told (a leg it has not).
    status : str
        As the venue puts it (``"ACTIVE"``).
    """

    instrument_id: InstrumentId
    venue_order_id: str
    quantity: str
    take_profit: str
    stop_loss: str
    status: str


ORDER_FEED_UPDATE = DataType(OrderFeedUpdate)
PROTECTION_UPDATE = DataType(ProtectionUpdate)
FEED_HEALTH = DataType(FeedHealth)
VENUE_EVENT = DataType(VenueEvent)

#: Published by the clients on the message bus, whoever has subscribed.
PUBLISHED = frozenset({OrderFeedUpdate, FeedHealth, VenueEvent, ProtectionUpdate})


def order_feed_update(
    tracked: TrackedOrder,
    update: OrderUpdate,
    events: list[str],
    instrument_id: InstrumentId,
    ts_init: int,
) -> OrderFeedUpdate:
    """Return the custom data for an update that was taken in."""
    state = tracked.state
    avg_px = state.avg_px
    return OrderFeedUpdate(
        ts_event=update.ts_event,
        ts_init=ts_init,
        instrument_id=instrument_id,
        client_order_id=state.client_order_id,
        venue_order_id=state.venue_order_id or "",
        source=update.source.name,
        venue_status=update.status.name if update.status is not None else "",
        order_status=state.status.name,
        quantity=plain(state.quantity),
        filled_qty=plain(state.filled_qty),
        leaves_qty=plain(state.leaves_qty),
        avg_px="" if avg_px is None else plain(avg_px),
        unexplained_qty=plain(state.unexplained_qty),
        events=",".join(events),
        reason=update.reason,
    )


def feed_health(client_id: str, health: Health, ts_init: int) -> FeedHealth:
    """Return the custom data for a change of health."""
    return FeedHealth(
        ts_event=health.since_ns,
        ts_init=ts_init,
        client_id=client_id,
        stream=health.stream,
        state=health.state.value,
        last_frame_ns=health.last_frame_ns,
        connects=health.connects,
        gaps=health.gaps,
        malformed_frames=health.malformed_frames,
        detail=health.detail,
    )


def protection_update(message: Protection, instrument_id: InstrumentId, ts_init: int) -> ProtectionUpdate:
    """Return the custom data for a take-profit/stop-loss update."""

    def text(value: Decimal | None) -> str:
        return "" if value is None else plain(value)

    return ProtectionUpdate(
        ts_event=message.ts_event or ts_init,
        ts_init=ts_init,
        instrument_id=instrument_id,
        venue_order_id=message.venue_order_id,
        quantity=text(message.quantity),
        take_profit=text(message.take_profit),
        stop_loss=text(message.stop_loss),
        status=message.status,
    )


def venue_event(client_id: str, message: VenueData, ts_init: int) -> VenueEvent:
    """Return the custom data for a venue's own message."""
    return VenueEvent(
        ts_event=message.ts_event or ts_init,
        ts_init=ts_init,
        client_id=client_id,
        kind=message.kind,
        body=msgspec.json.encode(message.data).decode(),
    )
