"""The one way in for what a venue says, and the one way out for what is told: update, reduce, journal, emit.

Everything that happens to an order of this account passes through an `Intake`: stream frames, snapshots, command
answers, queries, timers. It writes each event to the journal before the framework hears of it.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.identifiers import Venue as NtVenue

from nautilus_orderfeeds.adapter import convert, custom_data
from nautilus_orderfeeds.adapter.emitter import Emitter, Native
from nautilus_orderfeeds.adapter.lifecycle import LifecycleFeed
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules, inferred_px
from nautilus_orderfeeds.orders.journal import Journal, JournalError
from nautilus_orderfeeds.orders.state import may_follow
from nautilus_orderfeeds.orders.tracker import OrderTracker, TrackedOrder
from nautilus_orderfeeds.orders.updates import END_STATUSES, OrderUpdate, Source
from nautilus_orderfeeds.orders.words import CLOSED_STATUSES, OrderStatus

#: Closed orders kept in memory for late trades; older ones are found in the journal only.
_CLOSED_KEPT = 20_000

# Bound once, for the path of every frame.
_ACCEPTED = ev.OrderAccepted
_FILLED = ev.OrderFilled
_ORPHANED = ev.FillOrphaned


class Intake:
    """Takes in updates and tells events.

    Parameters
    ----------
    tracker : OrderTracker
        The account's orders.
    journal : Journal
        Its durable record.
    emitter : Emitter
        The way to the framework.
    rules_of : Callable[[str], Rules or None]
        Rules of a symbol; None for one that is no loaded instrument.
    nt_venue : Venue
        The framework's venue.
    msgbus, clock, log : Any
        The framework's.
    """

    def __init__(
        self,
        *,
        tracker: OrderTracker,
        journal: Journal,
        emitter: Emitter,
        rules_of: Callable[[str], Rules | None],
        nt_venue: NtVenue,
        msgbus: Any,
        clock: Any,
        log: Any,
    ) -> None:
        self.tracker = tracker
        self.journal = journal
        self._emitter = emitter
        self._rules_of = rules_of
        self._nt_venue = nt_venue
        self._msgbus = msgbus
        self._clock = clock
        self._log = log
        self._closed: dict[str, TrackedOrder] = {}
        self._update_topic = f"data.{custom_data.ORDER_FEED_UPDATE.topic}"
        self._publishing = False
        #: The orders' lives in numbers, published as they move.
        self.lifecycles = LifecycleFeed(nt_venue, msgbus, clock, log)
        #: Orders the framework does not know are told to it only after the startup reports have had their turn.
        self.introducing = False
        #: Called after events of an order were told.
        self.on_told: Callable[[TrackedOrder, list[ev.OrderEvent]], None] | None = None
        #: Called when an order of which the engine guessed the end turns out to be alive.
        self.on_revenant: Callable[[TrackedOrder], None] | None = None
        #: Orders entered elsewhere are taken up. Not where other accounts' orders are told of too.
        self.adopting = True
        #: The last known quote an order would fill at (quote per base), for `Rules.quote_as_last_resort`.
        self.last_quote: Callable[[TrackedOrder], Decimal | None] | None = None
        #: Updates about orders that are none of this account's, as far as can be known.
        self.foreign_updates = 0
        self.unknown_instruments = 0
        #: Fills told since the start, and fills told that the framework's order cannot take. Each changes the balances:
        #: who keeps those looks at the numbers from time to time.
        self.fills_told = 0
        self.orphaned_fills = 0

    # -- from the venue --------------------------------------------------------------------------------------------

    def update(self, update: OrderUpdate, now_ns: int = 0) -> TrackedOrder | None:
        """Take in one update; return its order, or None if it is kept for later or concerns nobody.

        Parameters
        ----------
        update : OrderUpdate
            What the venue says.
        now_ns : int
            UNIX ns, where the caller has just asked the clock.
        """
        tracker = self.tracker
        now_ns = now_ns or self._clock.timestamp_ns()
        # Most news is of an order by its venue order id: then the look is had here, since a call costs more than it.
        tracked = tracker.by_venue_id.get(update.venue_order_id) or tracker.find(update)
        if tracked is None:
            tracked = self._unknown(update, now_ns)
            if tracked is None:
                return None
        state = tracked.state
        native = tracked.native or self._emitter.native(tracked)
        if native is not None and native.order.is_closed and state.status not in CLOSED_STATUSES:
            self._align(tracked, update, native)
        if native is not None:
            usual = tracker.take_usual(tracked, update)
            if usual is not None:
                self._tell_usual(tracked, usual, now_ns, native)
                if self._publishing:
                    self._publish(tracked, update, (usual,))
                return tracked
        known_id = state.venue_order_id
        events = tracker.take_unusual(tracked, update, now_ns)
        if events:
            self._tell(tracked, events, now_ns, native)
        venue_order_id = state.venue_order_id
        if venue_order_id is not known_id and venue_order_id != known_id and venue_order_id is not None:
            self.journal.bind(tracked.client_order_id, venue_order_id)
            self.release_unbound()
        if self._publishing:
            self._publish(tracked, update, events)
        return tracked

    def refresh_subscribers(self) -> None:
        """Look whether anybody wants to hear of updates and lifecycles (asked by the timer, not for every frame)."""
        self._publishing = bool(self._msgbus.has_subscribers(self._update_topic))
        self.lifecycles.catch_up()

    def settle(self, tracked: TrackedOrder) -> None:
        """Stop waiting for the trades of one order."""
        now_ns = self._clock.timestamp_ns()
        if tracked.rules.quote_as_last_resort:
            self._price_by_quote(tracked)
        events = self.tracker.settle(tracked, now_ns)
        if events:
            self._tell(tracked, events, now_ns, self._emitter.native(tracked))

    def _price_by_quote(self, tracked: TrackedOrder) -> None:
        state = tracked.state
        gap = state.unexplained_qty
        if gap <= 0 or self.last_quote is None or inferred_px(state, tracked.rules, gap) is not None:
            return
        px = self.last_quote(tracked)
        if px is not None:
            self._log.warning(
                f"The venue tells no price of {gap} filled of {tracked.client_order_id!r}: estimated by the last quote"
            )
            state.known.last_px = px

    def release_unbound(self) -> None:
        """Replay the kept updates that can be attributed now."""
        for update in self.tracker.release_unbound():
            self.update(update)

    # -- from commands ---------------------------------------------------------------------------------------------

    def tell(self, tracked: TrackedOrder, *events: ev.OrderEvent) -> None:
        """Fold, journal and emit events that a command caused."""
        self.lifecycles.catch_up()  # whoever commands may follow since just now, and waits for the venue anyway
        for event in events:
            self.tracker.command(tracked, event)
        self._tell(tracked, list(events), self._clock.timestamp_ns(), self._emitter.native(tracked))

    def told(self, tracked: TrackedOrder, events: list[ev.OrderEvent]) -> None:
        """Journal and emit events that are folded already."""
        if events:
            self._tell(tracked, events, self._clock.timestamp_ns(), self._emitter.native(tracked))

    def fold_pending(self, tracked: TrackedOrder, event: ev.OrderPendingCancel | ev.OrderPendingUpdate) -> None:
        """Fold a request the framework has put on the order itself."""
        if may_follow(tracked.state, event):
            self.tracker.command(tracked, event)
            now_ns = self._clock.timestamp_ns()
            self.journal.append_event(tracked.client_order_id, event, now_ns)
            self.lifecycles.note(tracked, (event,), now_ns)

    def bind(self, tracked: TrackedOrder, venue_order_id: str) -> None:
        """Note the venue's id from a command's answer."""
        if tracked.state.venue_order_id is None:
            self.tracker.bind(tracked, venue_order_id)
            self.journal.bind(tracked.client_order_id, venue_order_id)
        elif not tracked.state.is_named:  # it was held here: the framework is told that its id changes
            named = OrderUpdate(
                source=Source.ANSWER, venue_order_id=venue_order_id, client_order_id=tracked.client_order_id
            )
            self.update(named)
        self.release_unbound()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _tell_usual(
        self, tracked: TrackedOrder, event: ev.OrderAccepted | ev.OrderFilled, now_ns: int, native: Native
    ) -> None:
        """Do what `update` and `_tell` do, of a usual statement: most of what they ask is known.

        Such an event is never inferred, and leaves nothing unsettled: the order is over if it is not open any more.
        """
        client_order_id = tracked.state.client_order_id
        self.journal.append_event(client_order_id, event, now_ns)
        is_over = not tracked.is_open
        if type(event) is _FILLED:
            self.fills_told += 1
            self._emitter.filled(native, event)
        elif type(event) is _ACCEPTED:
            self._emitter.accepted(native, event)
        if is_over is not (client_order_id in self._closed):
            self._note_end(tracked, is_over, now_ns)
        self.lifecycles.note(tracked, (event,), now_ns)
        if self.on_told is not None:
            self.on_told(tracked, [event])
        if type(event) is _ACCEPTED:
            self.journal.bind(client_order_id, event.venue_order_id)
            self.release_unbound()

    def _tell(self, tracked: TrackedOrder, events: list[ev.OrderEvent], now_ns: int, native: Native | None) -> None:
        journal, state = self.journal, tracked.state
        client_order_id = state.client_order_id
        for event in events:
            journal.append_event(client_order_id, event, now_ns)
            if type(event) is _FILLED:
                self.fills_told += 1
                if event.inferred:
                    # What only we know must be on disk before anybody acts on it.
                    journal.flush()
            elif type(event) is _ORPHANED:
                self.orphaned_fills += 1
        if native is not None:
            self._emitter.tell(tracked, native, events)
        elif self.introducing:
            self._emitter.introduce(tracked, events)
        is_over = state.status in CLOSED_STATUSES and not state.is_unsettled
        if is_over is not (client_order_id in self._closed):
            self._note_end(tracked, is_over, now_ns)
        self.lifecycles.note(tracked, events, now_ns)
        if self.on_told is not None:
            self.on_told(tracked, events)

    def _note_end(self, tracked: TrackedOrder, is_over: bool, now_ns: int) -> None:
        """Note that an order is over now, or is not any more."""
        client_order_id = tracked.state.client_order_id
        if is_over:
            self.journal.close_order(client_order_id, now_ns)
            self._closed[client_order_id] = tracked
            if len(self._closed) > _CLOSED_KEPT:
                self._shed()
        else:
            self.journal.close_order(client_order_id, None)
            del self._closed[client_order_id]

    def _shed(self) -> None:
        while len(self._closed) > _CLOSED_KEPT:
            oldest = next(iter(self._closed))
            self.lifecycles.forget(oldest)
            self.tracker.forget(self._closed.pop(oldest))

    def _unknown(self, update: OrderUpdate, now_ns: int) -> TrackedOrder | None:
        """Keep an update that may be about an order in flight; adopt one of an order entered elsewhere."""
        if self.tracker.any_unidentified and self.tracker.compare_clocks(update, now_ns):
            self._log.warning(
                f"The news of venue order {update.venue_order_id} has a time far from this machine's clock: as long as "
                "an order of ours is unanswered, an unknown one is taken for it or waits"
            )
        if update.source is not Source.HISTORY and self.tracker.may_be_unidentified(update):
            pushed = self.tracker.keep_unbound(update)
            return None if pushed is None else self._adopt(pushed, now_ns)
        return self._adopt(update, now_ns)

    def _adopt(self, update: OrderUpdate, now_ns: int) -> TrackedOrder | None:
        if not self.adopting:
            self.foreign_updates += 1
            self._log.debug(f"Venue order {update.venue_order_id} is not known to be of this account: ignored")
            return None
        if update.venue_order_id is None or update.symbol is None:
            return None
        if self.introducing and update.status in END_STATUSES and not update.fills and not update.filled_qty:
            return None  # it came and went without us, and moved nothing
        rules = self._rules_of(update.symbol)
        if rules is None:
            self.unknown_instruments += 1
            self._log.error(
                f"Venue order {update.venue_order_id} is of {update.symbol}, which is no loaded instrument: load it to "
                "see such orders (config field `instruments`, or the provider's `load_ids`)",
            )
            return None
        # The venue's id is as good a client order id as any, and the same after a restart.
        tracked = self.tracker.adopt(update, rules, update.venue_order_id, now_ns)
        if tracked is None:
            return None
        try:
            self.journal.record_intent(
                tracked.terms, tracked.refs, now_ns, external=True, venue_order_id=update.venue_order_id
            )
        except JournalError as e:
            self._log.error(str(e))
        submitted = ev.OrderSubmitted(ts_event=update.ts_accepted)
        self.journal.append_event(tracked.client_order_id, submitted, now_ns)
        self.lifecycles.note(tracked, (submitted,), now_ns)
        return tracked

    def _align(self, tracked: TrackedOrder, update: OrderUpdate, native: Native) -> None:
        """Take over an end the engine guessed (in-flight timeout) before the venue's late truth is applied to it."""
        guessed = convert.OUR_STATUS[native.order.status]
        self._log.error(
            f"The engine guessed that {tracked.client_order_id!r} was {guessed.name}, but the venue says "
            f"{update.status.name if update.status else 'it traded'}: fills are counted; raise "
            "`inflight_check_retries`, or set `inflight_check_interval_ms=0`, to let the adapter resolve such orders",
        )
        state = tracked.state
        state.status = guessed
        tracked.in_flight = False
        if guessed is not OrderStatus.FILLED and update.status not in END_STATUSES and self.on_revenant is not None:
            self.on_revenant(tracked)

    def _publish(self, tracked: TrackedOrder, update: OrderUpdate, events: Iterable[ev.OrderEvent]) -> None:
        instrument_id = InstrumentId(Symbol(tracked.terms.symbol), self._nt_venue)
        names = [type(event).__name__ for event in events]
        data = custom_data.order_feed_update(tracked, update, names, instrument_id, self._clock.timestamp_ns())
        self._msgbus.publish(topic=self._update_topic, msg=data)
