"""The lives of orders on the message bus: the execution client's side of it, and the strategy's.

The client follows the life of each of its orders (`LifecycleFeed`) and publishes an `OrderLifecycleUpdate` at every
move, if anybody wants them. A strategy or actor collects them with `OrderLifecycles`.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.identifiers import Venue as NtVenue

from nautilus_orderfeeds.adapter import custom_data
from nautilus_orderfeeds.adapter.custom_data import ORDER_LIFECYCLE_UPDATE, OrderLifecycleUpdate
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import OrderRecord
from nautilus_orderfeeds.orders.lifecycle import Move, OrderLifecycle
from nautilus_orderfeeds.orders.lifecycle_tracker import LifecycleTracker
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce

_TOPIC = f"data.{ORDER_LIFECYCLE_UPDATE.topic}"

#: Taken in at once beyond this: a client that is only replayed has no timer.
_MOST_NOTED = 10_000


class OrderLifecycles(LifecycleTracker):
    """All orders of the node and how they fare, for a strategy or an actor: active, completed, by symbol, statistics.

    Parameters
    ----------
    max_completed : int, optional
        How many completed orders are kept, the newest.

    Examples
    --------
    ::

        class Quoter(Strategy):
            def on_start(self):
                self.lifecycles = OrderLifecycles()
                self.lifecycles.on_rejected(lambda life: self.log.warning(f"{life.client_order_id}: {life.reason}"))
                self.lifecycles.attach(self)

            def on_stop(self):
                self.lifecycles.detach()
                self.log.info(f"average execution time {self.lifecycles.statistics().duration.mean_ns} ns")
    """

    def __init__(self, max_completed: int | None = 10_000) -> None:
        super().__init__(max_completed)
        self._msgbus: Any = None

    def attach(self, component: Any) -> None:
        """Follow every order that the clients of this node tell of from now on.

        Parameters
        ----------
        component : Actor, Strategy, or anything that has a `msgbus`
            To be called in its `on_start`: before, it has no message bus.
        """
        self.detach()
        self._msgbus = component.msgbus
        self._msgbus.subscribe(topic=_TOPIC, handler=self.take)

    def detach(self) -> None:
        """Follow no more; idempotent."""
        msgbus, self._msgbus = self._msgbus, None
        if msgbus is not None:
            msgbus.unsubscribe(topic=_TOPIC, handler=self.take)

    def take(self, update: OrderLifecycleUpdate) -> tuple[Move, ...]:
        """Take in one update, e.g. from a catalog; return what moved. A doubled or older one changes nothing."""
        return self.put(update.lifecycle)


class LifecycleFeed:
    """Follows the lives of one execution client's orders and publishes every move.

    Parameters
    ----------
    nt_venue : Venue
        The framework's venue.
    msgbus, clock, log : Any
        The framework's.
    """

    def __init__(self, nt_venue: NtVenue, msgbus: Any, clock: Any, log: Any) -> None:
        self._nt_venue = nt_venue
        self._msgbus = msgbus
        self._clock = clock
        self._log = log
        self._lives: dict[str, OrderLifecycle] = {}
        #: Journaled, and not taken in yet.
        self._noted: deque[tuple[TrackedOrder, Sequence[ev.OrderEvent], int]] = deque()
        self._forgotten: list[str] = []
        #: Whether anybody follows, as far as is known.
        self._followed = False

    def restore(self, records: Iterable[OrderRecord]) -> None:
        """Take up the orders of earlier runs as the journal has them; nothing is published."""
        self._take_noted()  # the journal has these too
        for record in records:
            life = self._lives[record.client_order_id] = OrderLifecycle.of(
                record.terms,
                record.created_ns,
                venue=self._nt_venue.value,
                external=record.external,
                venue_order_id=record.venue_order_id,
            )
            for event, recorded_ns in zip(record.events, record.events_ns, strict=True):
                life.note(event, recorded_ns)

    def note(self, tracked: TrackedOrder, events: Sequence[ev.OrderEvent], now_ns: int) -> None:
        """Take in events of an order as they are journaled; publish what moved.

        While nobody follows, they are only kept until `catch_up`: frames must not wait for what nobody wants to hear.

        Parameters
        ----------
        tracked : TrackedOrder
            The order.
        events : Sequence[OrderEvent]
            Of one cause.
        now_ns : int
            UNIX ns, as in the journal.
        """
        self._noted.append((tracked, events, now_ns))
        if self._followed or len(self._noted) >= _MOST_NOTED:
            self._take_noted()

    def catch_up(self) -> None:
        """Look whether anybody follows (asked by timer and commands, not for every frame); take in what was kept."""
        self._followed = self._msgbus.has_subscribers(_TOPIC)
        self._take_noted()

    def _take_noted(self) -> None:
        while self._noted:
            self._take(*self._noted.popleft())
        for client_order_id in self._forgotten:
            self._lives.pop(client_order_id, None)
        self._forgotten.clear()

    def _take(self, tracked: TrackedOrder, events: Sequence[ev.OrderEvent], now_ns: int) -> None:
        life = self._lives.get(tracked.client_order_id)
        if life is None:
            life = self._lives[tracked.client_order_id] = OrderLifecycle.of(
                tracked.terms,
                tracked.created_ns,
                venue=self._nt_venue.value,
                external=tracked.external,
                venue_order_id=tracked.state.venue_order_id,
            )
        moves: tuple[Move, ...] = ()
        for event in events:
            moves += life.note(event, now_ns)
        if life.venue_order_id is None:  # a command's answer may have named it before any event does
            life.venue_order_id = tracked.state.venue_order_id
        if moves and self._followed:
            self._publish(life, moves)

    def deny(self, order: Any, reason: str, now_ns: int) -> None:
        """Publish the short life of an order that was denied and never came into the journal.

        Parameters
        ----------
        order : Order
            The framework's.
        reason : str
            Why.
        now_ns : int
            UNIX ns.
        """
        self._take_noted()
        if order.client_order_id.value in self._lives:  # its id was used before, which is why it is denied
            return
        life = OrderLifecycle(
            client_order_id=order.client_order_id.value,
            symbol=order.instrument_id.symbol.value,
            side=OrderSide[order.side_string()],
            type=OrderType[order.type_string()],
            time_in_force=TimeInForce[order.tif_string()],
            quantity=order.quantity.as_decimal(),
            price=order.price.as_decimal() if order.has_price else None,
            created_ns=order.ts_init,
            venue=self._nt_venue.value,
            strategy_id=order.strategy_id.value,
        )
        moves = life.note(ev.OrderDenied(reason=reason, ts_event=now_ns), now_ns)
        if moves and self._msgbus.has_subscribers(_TOPIC):
            self._publish(life, moves)

    def forget(self, client_order_id: str) -> None:
        """Drop an order that the client forgets."""
        self._forgotten.append(client_order_id)  # something of it may be noted

    def _publish(self, life: OrderLifecycle, moves: tuple[Move, ...]) -> None:
        instrument_id = InstrumentId(Symbol(life.symbol), self._nt_venue)
        update = custom_data.order_lifecycle_update(life, moves, instrument_id, self._clock.timestamp_ns())
        try:
            self._msgbus.publish(topic=_TOPIC, msg=update)
        except Exception as e:  # a subscriber's, and no reason to lose what the venue says next
            self._log.exception(f"A subscriber of OrderLifecycleUpdate failed on {life.client_order_id!r}", e)
