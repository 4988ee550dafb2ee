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
from nautilus_orderfeeds.orders.lifecycle import Move, OrderLifecycle
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.orders.words import OrderSide, OrderStatus, OrderType, TimeInForce
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


@customdataclass
class OrderLifecycleUpdate(Data):
    """Where one order's life stands, published with every event that is told of it (`moves` says what changed).

    Fields as of `orders.lifecycle.OrderLifecycle`, which `lifecycle` rebuilds; `ts_event` is when it moved. Times are
    UNIX ns of this machine's clock, 0 for what has not happened. `OrderLifecycles` (`adapter/lifecycle.py`) collects
    these. It may arrive right before the order event of the same cause, which the framework queues.

    Parameters
    ----------
    instrument_id : InstrumentId
        Instrument of the order.
    client_order_id, venue_order_id, strategy_id : str
        Ids; empty if not known.
    order_side, order_type, time_in_force : str
        Terms, in the framework's words.
    phase : str
        ``PENDING``, ``IN_FLIGHT`` (outcome unknown), ``ACTIVE`` or ``COMPLETED``.
    ending : str
        ``FILLED``, ``CANCELED``, ``PARTIALLY_FILLED_CANCELED``, ``EXPIRED``, ``REJECTED``, ``DENIED``; empty while it
        is not over.
    moves : str
        What changed, comma separated: ``SUBMITTED``, ``ACCEPTED``, ``TRIGGERED``, ``FIRST_FILL``, ``FILL`` (a further
        one), ``COMPLETED``, ``REJECTED``, ``REOPENED``; ``CHANGED`` for anything else.
    order_status, before_request : str
        The framework's status, and the last one that was not pending.
    quantity, price, filled_qty, notional, orphaned_qty : str
        Decimal text: base units, quote per base, base units, quote units, base units; `price` empty if it has none.
    fills, inferred_fills, events, refused_events : int
        Counters. Of two updates of one order, the one with more `events` is the newer.
    created_ns, submitted_ns, accepted_ns, triggered_ns, first_fill_ns, last_fill_ns, completed_ns : int
        When it happened.
    cancel_requested_ns : int
        When the cancel was asked for that is not answered yet.
    cancel_latency_ns : int
        From asking to the cancel that ended it; -1 if it did not end so.
    external, released : bool
        Not entered through this client; held here and now being sent.
    reason : str
        Of the last refusal or end, as the venue put it.
    """

    instrument_id: InstrumentId
    client_order_id: str
    venue_order_id: str
    strategy_id: str
    order_side: str
    order_type: str
    time_in_force: str
    phase: str
    ending: str
    moves: str
    order_status: str
    before_request: str
    quantity: str
    price: str
    filled_qty: str
    notional: str
    orphaned_qty: str
    fills: int
    inferred_fills: int
    events: int
    refused_events: int
    created_ns: int
    submitted_ns: int
    accepted_ns: int
    triggered_ns: int
    first_fill_ns: int
    last_fill_ns: int
    completed_ns: int
    cancel_requested_ns: int
    cancel_latency_ns: int
    external: bool
    released: bool
    reason: str

    @property
    def lifecycle(self) -> OrderLifecycle:
        """The order's life in numbers, with durations, fill percent and average price."""
        return OrderLifecycle(
            client_order_id=self.client_order_id,
            symbol=self.instrument_id.symbol.value,
            venue=self.instrument_id.venue.value,
            strategy_id=self.strategy_id,
            external=self.external,
            venue_order_id=self.venue_order_id or None,
            side=OrderSide[self.order_side],
            type=OrderType[self.order_type],
            time_in_force=TimeInForce[self.time_in_force],
            quantity=Decimal(self.quantity),
            price=Decimal(self.price) if self.price else None,
            status=OrderStatus[self.order_status],
            before_request=OrderStatus[self.before_request],
            filled_qty=Decimal(self.filled_qty),
            notional=Decimal(self.notional),
            orphaned_qty=Decimal(self.orphaned_qty),
            fills=self.fills,
            inferred_fills=self.inferred_fills,
            events=self.events,
            refused_events=self.refused_events,
            created_ns=self.created_ns,
            submitted_ns=self.submitted_ns,
            accepted_ns=self.accepted_ns,
            triggered_ns=self.triggered_ns,
            first_fill_ns=self.first_fill_ns,
            last_fill_ns=self.last_fill_ns,
            completed_ns=self.completed_ns,
            last_ns=self.ts_event,
            cancel_requested_ns=self.cancel_requested_ns,
            cancel_latency_ns=None if self.cancel_latency_ns < 0 else self.cancel_latency_ns,
            released=self.released,
            reason=self.reason,
        )


ORDER_FEED_UPDATE = DataType(OrderFeedUpdate)
ORDER_LIFECYCLE_UPDATE = DataType(OrderLifecycleUpdate)
PROTECTION_UPDATE = DataType(ProtectionUpdate)
FEED_HEALTH = DataType(FeedHealth)
VENUE_EVENT = DataType(VenueEvent)

#: Published by the clients on the message bus, whoever has subscribed.
PUBLISHED = frozenset({OrderFeedUpdate, OrderLifecycleUpdate, FeedHealth, VenueEvent, ProtectionUpdate})


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


def order_lifecycle_update(
    life: OrderLifecycle, moves: tuple[Move, ...], instrument_id: InstrumentId, ts_init: int
) -> OrderLifecycleUpdate:
    """Return the custom data for an order whose life has moved."""
    ending = life.ending
    return OrderLifecycleUpdate(
        ts_event=life.last_ns,
        ts_init=ts_init,
        instrument_id=instrument_id,
        client_order_id=life.client_order_id,
        venue_order_id=life.venue_order_id or "",
        strategy_id=life.strategy_id,
        order_side=life.side.name,
        order_type=life.type.name,
        time_in_force=life.time_in_force.name,
        phase=life.phase.name,
        ending="" if ending is None else ending.name,
        moves=",".join(move.name for move in moves),
        order_status=life.status.name,
        before_request=life.before_request.name,
        quantity=plain(life.quantity),
        price="" if life.price is None else plain(life.price),
        filled_qty=plain(life.filled_qty),
        notional=plain(life.notional),
        orphaned_qty=plain(life.orphaned_qty),
        fills=life.fills,
        inferred_fills=life.inferred_fills,
        events=life.events,
        refused_events=life.refused_events,
        created_ns=life.created_ns,
        submitted_ns=life.submitted_ns,
        accepted_ns=life.accepted_ns,
        triggered_ns=life.triggered_ns,
        first_fill_ns=life.first_fill_ns,
        last_fill_ns=life.last_fill_ns,
        completed_ns=life.completed_ns,
        cancel_requested_ns=life.cancel_requested_ns,
        cancel_latency_ns=-1 if life.cancel_latency_ns is None else life.cancel_latency_ns,
        external=life.external,
        released=life.released,
        reason=life.reason,
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
