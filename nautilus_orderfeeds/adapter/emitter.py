"""Tells the framework what happened to an order, by the one way that fits the order.

- An order the framework's cache knows gets *events* (`generate_order_*`), which the framework queues.
- An order it does not know (entered elsewhere) is introduced once by a status report and its fills by fill reports,
  which the framework applies at once; from then on the cache knows it and it gets events too.

The two are never mixed for one order at one time: events are queued, reports are not, so a mixture is reordered and
fills are lost for good (guide, sections 3 and 4).
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from nautilus_trader.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    StrategyId,
    Symbol,
    TradeId,
    VenueOrderId,
)
from nautilus_trader.model.identifiers import Venue as NtVenue
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Money

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.adapter.reports import ReportBuilder
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import EXACT, ZERO
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.words import LiquiditySide

_LIQUIDITY = convert.NT_LIQUIDITY
# Bound once, for the path of every fill.
_FILLED = ev.OrderFilled
_ACCEPTED = ev.OrderAccepted
_money_and_rest = convert.money_and_rest
_NO_LIQUIDITY = convert.NT_LIQUIDITY[LiquiditySide.NO_LIQUIDITY_SIDE]


class Native:
    """The framework's identifiers of one order, made once."""

    __slots__ = (
        "client_order_id",
        "commission_currency",
        "instrument",
        "instrument_id",
        "left_over",
        "order",
        "order_side",
        "order_type",
        "price_places",
        "prices",
        "quantities",
        "quote_currency",
        "size_places",
        "strategy_id",
        "venue_order_id",
        "venue_order_id_text",
    )

    def __init__(self, tracked: TrackedOrder, order: Any, instrument: Instrument) -> None:
        self.client_order_id = ClientOrderId(tracked.client_order_id)
        #: The cache's own object: it shows what the engine has made of the order by now.
        self.order = order
        self.strategy_id: StrategyId = order.strategy_id
        self.instrument = instrument
        self.instrument_id: InstrumentId = instrument.id
        self.order_side = convert.NT_SIDE[tracked.state.side]
        self.order_type = order.order_type
        self.quote_currency = instrument.quote_currency
        self.commission_currency: str = instrument.get_settlement_currency().code
        self.price_places: int = instrument.price_precision
        self.size_places: int = instrument.size_precision
        self.prices = convert.prices_of(self.price_places)
        self.quantities = convert.quantities_of(self.size_places)
        self.venue_order_id_text = ""
        self.venue_order_id: VenueOrderId | None = None
        #: What the rounding of the commissions left over, by currency; None as long as it never left any.
        self.left_over: dict[str, Decimal] | None = None

    def commission(self, fill: ev.OrderFilled) -> Money:
        """Return what to tell as the commission of `fill`, the next of this order.

        The framework's money is rounded (dollars to cents), and fees may be smaller. So each fill carries what the ones
        before left over: their sum is the order's true commission, rounded once.
        """
        code = fill.commission_currency or self.commission_currency
        due = fill.commission
        if self.left_over is not None:
            due = EXACT.add(due, self.left_over.pop(code, ZERO))
        money, rest = _money_and_rest(due, code)
        if rest:
            self.left_over = self.left_over or {}
            self.left_over[code] = rest
        return money

    def venue_id(self, text: str) -> VenueOrderId:
        """Return the framework's id for the venue's, reusing the last one."""
        if text != self.venue_order_id_text or self.venue_order_id is None:
            self.venue_order_id_text = text
            self.venue_order_id = VenueOrderId(text)
        return self.venue_order_id


class Emitter:
    """Emits events through a `LiveExecutionClient`.

    Parameters
    ----------
    client : OrderFeedExecutionClient
        Whose `generate_*` and `_send_*` are used.
    cache : nautilus_trader.cache.Cache
        The framework's cache.
    venue : Venue
        The framework's venue.
    reports : ReportBuilder
        Makes the reports that introduce orders entered elsewhere.
    """

    def __init__(self, client: Any, cache: Any, venue: NtVenue, reports: ReportBuilder) -> None:
        self._client = client
        self._cache = cache
        self._venue = venue
        self._reports = reports
        self._log = client._log
        self._generate_accepted = client.generate_order_accepted
        self._generate_filled = client.generate_order_filled

    def native(self, tracked: TrackedOrder) -> Native | None:
        """Return the framework's identifiers of an order its cache knows, else None."""
        native: Native | None = tracked.native
        if native is None:
            order = self._cache.order(ClientOrderId(tracked.client_order_id))
            if order is None:
                return None
            instrument = self._cache.instrument(order.instrument_id)
            if instrument is None:
                return None
            native = tracked.native = Native(tracked, order, instrument)
        return native

    def emit(self, tracked: TrackedOrder, events: Iterable[ev.OrderEvent]) -> None:
        """Tell `events` (already folded and journaled), in order.

        An order entered elsewhere that the framework does not know is introduced by reports. One whose instrument it
        does not know is logged as an error: the framework would drop it silently.
        """
        native = self.native(tracked)
        if native is None:
            self.introduce(tracked, list(events))
        else:
            self.tell(tracked, native, events)

    def tell(self, tracked: TrackedOrder, native: Native, events: Iterable[ev.OrderEvent]) -> None:
        """Tell `events` of an order that the framework knows as `native`."""
        for event in events:
            if type(event) is _FILLED:
                self.filled(native, event)
            elif type(event) is _ACCEPTED:
                self.accepted(native, event)
            else:
                self._event(tracked, native, event)

    def accepted(self, native: Native, event: ev.OrderAccepted) -> None:
        """Tell an `OrderAccepted`."""
        self._generate_accepted(
            native.strategy_id,
            native.instrument_id,
            native.client_order_id,
            native.venue_id(event.venue_order_id),
            event.ts_event or self._client._clock.timestamp_ns(),
        )

    def _event(self, tracked: TrackedOrder, native: Native, event: ev.OrderEvent) -> None:
        client = self._client
        strategy_id, instrument_id, client_order_id = (
            native.strategy_id,
            native.instrument_id,
            native.client_order_id,
        )
        ts_event = event.ts_event or client._clock.timestamp_ns()
        match event:
            case ev.OrderCanceled():
                voi = self._voi(tracked, native)
                client.generate_order_canceled(strategy_id, instrument_id, client_order_id, voi, ts_event)
            case ev.OrderUpdated():
                self._updated(native, event, ts_event)
            case ev.OrderRejected():
                client.generate_order_rejected(
                    strategy_id, instrument_id, client_order_id, event.reason, ts_event, event.due_post_only
                )
            case ev.OrderExpired():
                voi = self._voi(tracked, native)
                client.generate_order_expired(strategy_id, instrument_id, client_order_id, voi, ts_event)
            case ev.OrderTriggered():
                voi = self._voi(tracked, native)
                client.generate_order_triggered(strategy_id, instrument_id, client_order_id, voi, ts_event)
            case ev.OrderCancelRejected():
                voi = self._voi(tracked, native)
                client.generate_order_cancel_rejected(
                    strategy_id, instrument_id, client_order_id, voi, event.reason, ts_event
                )
            case ev.OrderModifyRejected():
                voi = self._voi(tracked, native)
                client.generate_order_modify_rejected(
                    strategy_id, instrument_id, client_order_id, voi, event.reason, ts_event
                )
            case ev.OrderSubmitted():
                client.generate_order_submitted(strategy_id, instrument_id, client_order_id, ts_event)
            case ev.OrderDenied():
                client.generate_order_denied(strategy_id, instrument_id, client_order_id, event.reason, ts_event)
            case ev.FillOrphaned():
                self._orphaned(tracked, native, event, ts_event)
            case ev.OrderAnomaly():
                self._log.error(event.what)
            case _:  # the framework makes the pending events itself; an absorbed trade was told before
                return

    def _voi(self, tracked: TrackedOrder, native: Native) -> VenueOrderId | None:
        text = tracked.state.venue_order_id
        return None if text is None else native.venue_id(text)

    def _updated(self, native: Native, event: ev.OrderUpdated, ts_event: int) -> None:
        px, trigger = event.price, event.trigger_price
        self._client.generate_order_updated(
            native.strategy_id,
            native.instrument_id,
            native.client_order_id,
            native.venue_id(event.venue_order_id),
            convert.quantity(event.quantity, native.size_places),
            None if px is None else convert.price(px, native.price_places),
            None if trigger is None else convert.price(trigger, native.price_places),
            ts_event,
            # As long as the cache has no id to compare with (its accept is still queued), there is nothing to warn of.
            event.replaced or self._cache.venue_order_id(native.client_order_id) is None,
            False if event.restated else None,
        )

    def filled(self, native: Native, event: ev.OrderFilled) -> None:
        """Tell an `OrderFilled`."""
        info: dict[str, Any] | None = None
        if event.venue_trade_id or event.inferred or event.fee_estimated:
            info = {"venue_trade_id": event.venue_trade_id}
            if event.inferred:
                info["inferred"] = True
            if event.fee_estimated:
                info["fee_estimated"] = True
        text = event.venue_order_id
        self._generate_filled(
            native.strategy_id,
            native.instrument_id,
            native.client_order_id,
            native.venue_order_id if text == native.venue_order_id_text else native.venue_id(text),
            None,
            TradeId(event.trade_id),
            native.order_side,
            native.order_type,
            native.quantities[event.last_qty],
            native.prices[event.last_px],
            native.quote_currency,
            native.commission(event),
            _LIQUIDITY[event.liquidity_side],
            event.ts_event or self._client._clock.timestamp_ns(),
            info,
        )

    def _orphaned(self, tracked: TrackedOrder, native: Native, event: ev.FillOrphaned, ts_event: int) -> None:
        """Alert, and move the position: the framework applies a refused fill to it, which is right here."""
        self._log.error(
            f"Venue filled {event.last_qty} of {tracked.client_order_id!r} at {event.last_px} "
            f"(trade {event.venue_trade_id or event.trade_id}), but {event.reason}: the order cannot take it. "
            "The position is corrected; check the order's history with `orderfeeds timeline`",
        )
        filled = ev.OrderFilled(
            ts_event=ts_event,
            trade_id=event.trade_id,
            venue_order_id=event.venue_order_id,
            last_qty=event.last_qty,
            last_px=event.last_px,
            commission=event.commission,
            commission_currency=event.commission_currency,
            liquidity_side=event.liquidity_side,
            cum_qty=tracked.state.filled_qty,
            venue_trade_id=event.venue_trade_id,
        )
        self.filled(native, filled)

    def introduce(self, tracked: TrackedOrder, events: list[ev.OrderEvent]) -> None:
        """Introduce an order the framework does not know: status report first, then its fills, then its end."""
        instrument = self._cache.instrument(InstrumentId(Symbol(tracked.terms.symbol), self._venue))
        if instrument is None:
            self._log.error(
                f"Venue order {tracked.state.venue_order_id} is of {tracked.terms.symbol}, which is no loaded "
                "instrument: load it (config field `instruments` or the provider's `load_ids`) to see such orders",
            )
            return
        new = [event for event in events if isinstance(event, ev.OrderFilled)]
        self._client._send_order_status_report(self._reports.opening_report(tracked, instrument, new))
        native = self.native(tracked)
        if native is None:  # filter_unclaimed_external_orders: the user does not want to see it
            return
        for event in events:
            match event:
                case ev.OrderFilled():
                    self._client._send_fill_report(self._reports.fill_report(tracked, instrument, event))
                case ev.OrderSubmitted() | ev.OrderAccepted():
                    continue
                case _:
                    self._event(tracked, native, event)
