"""The lives of all orders: active and completed, by symbol, with statistics, and notifications of what moves.

The order manager and the lifecycle tracker of Roxom's page, for every venue. Pure: times come in with the events. An
order is followed in one of two ways, which lead to the same:

- `begin` an order and `feed` it event by event (from the journal: `JournalReader.lifecycles`), or
- `put` whole states of an order (from the message bus); one that is not newer than what is known is ignored.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.lifecycle import Ending, Move, OrderLifecycle, Phase
from nautilus_orderfeeds.orders.lifecycle_stats import Dimension, Statistics, grouped

_log = logging.getLogger(__name__)

Listener = Callable[[OrderLifecycle, tuple[Move, ...]], None]
Notified = Callable[[OrderLifecycle], None]


class LifecycleTracker:
    """The lives of all orders of an account or a node.

    Parameters
    ----------
    max_completed : int, optional
        How many completed orders are kept, the newest; None keeps all.

    Examples
    --------
    >>> tracker = LifecycleTracker()
    >>> tracker.statistics().orders
    0
    """

    def __init__(self, max_completed: int | None = None) -> None:
        self._lives: dict[tuple[str, str], OrderLifecycle] = {}
        self._listeners: list[Listener] = []
        self._max_completed = max_completed
        #: Completed orders in the order they ended.
        self._ended: dict[tuple[str, str], None] = {}

    def __len__(self) -> int:
        return len(self._lives)

    def __iter__(self) -> Iterator[OrderLifecycle]:
        return iter(list(self._lives.values()))

    # -- feeding ---------------------------------------------------------------------------------------------------

    def begin(self, lifecycle: OrderLifecycle) -> OrderLifecycle:
        """Take up an order; one that is known already stays as it is and is returned."""
        return self._lives.setdefault((lifecycle.venue, lifecycle.client_order_id), lifecycle)

    def feed(self, lifecycle: OrderLifecycle, event: ev.OrderEvent, recorded_ns: int) -> tuple[Move, ...]:
        """Take in one event of an order that was begun; tell and return what moved.

        Parameters
        ----------
        lifecycle : OrderLifecycle
            As `begin` returned it.
        event : OrderEvent
            What happened.
        recorded_ns : int
            When it was told, UNIX ns of the client's clock.
        """
        moves = lifecycle.note(event, recorded_ns)
        if moves:
            self._moved(lifecycle, moves)
        return moves

    def put(self, lifecycle: OrderLifecycle) -> tuple[Move, ...]:
        """Take in the whole state of an order, if it is newer than what is known; tell and return what moved."""
        key = (lifecycle.venue, lifecycle.client_order_id)
        known = self._lives.get(key)
        if known is not None and known.events >= lifecycle.events:
            return ()
        self._lives[key] = lifecycle
        moves = lifecycle.moves_since(known)
        if moves:
            self._moved(lifecycle, moves)
        return moves

    def forget(self, client_order_id: str, venue: str = "") -> None:
        """Drop an order; one that is not known is no error."""
        self._lives.pop((venue, client_order_id), None)
        self._ended.pop((venue, client_order_id), None)

    # -- asking ----------------------------------------------------------------------------------------------------

    def get(self, client_order_id: str, venue: str | None = None) -> OrderLifecycle | None:
        """Return the order of a client order id (at any venue, if none is named), or None."""
        if venue is not None:
            return self._lives.get((venue, client_order_id))
        return next((life for (_, found), life in self._lives.items() if found == client_order_id), None)

    def active(self) -> list[OrderLifecycle]:
        """Return the orders that are not over, oldest first: those in flight, of unknown outcome, too."""
        return sorted((life for life in self._lives.values() if not life.is_completed), key=_by_creation)

    def in_flight(self) -> list[OrderLifecycle]:
        """Return the orders of which the venue has not said what became of them, oldest first."""
        return [life for life in self.active() if life.phase is Phase.IN_FLIGHT]

    def completed(self, limit: int | None = None) -> list[OrderLifecycle]:
        """Return the orders that are over, refused ones too: the latest to end first, at most `limit`."""
        over = [life for life in self._lives.values() if life.is_completed]
        over.sort(key=lambda life: (life.completed_ns, life.client_order_id), reverse=True)
        return over[:limit]

    def by_symbol(self, symbol: str, venue: str | None = None) -> list[OrderLifecycle]:
        """Return all orders of an instrument (symbol in upper case, without the venue), oldest first."""
        return sorted(
            (life for life in self._lives.values() if life.symbol == symbol and venue in (None, life.venue)),
            key=_by_creation,
        )

    def statistics(self) -> Statistics:
        """Return the statistics over all orders kept."""
        return Statistics.of(self._lives.values())

    def statistics_by(self, *dimensions: Dimension) -> dict[tuple[str, ...], Statistics]:
        """Return the statistics by groups, e.g. ``statistics_by(Dimension.INSTRUMENT, Dimension.ORDER_TYPE)``."""
        return grouped(self._lives.values(), dimensions)

    # -- telling ---------------------------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with every order that moves and its moves; return how to end that.

        An exception it raises is logged and goes no further.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def on_rejected(self, notified: Notified) -> Callable[[], None]:
        """Have `notified` called with every order that is refused by the venue, or denied here; as `listen`."""
        return self.listen(lambda life, moves: notified(life) if Move.REJECTED in moves else None)

    def on_completed(self, notified: Notified) -> Callable[[], None]:
        """Have `notified` called with every order that is over without having been refused; as `listen`."""
        return self.listen(lambda life, moves: notified(life) if Move.COMPLETED in moves else None)

    def on_filled(self, notified: Notified) -> Callable[[], None]:
        """Have `notified` called with every order that is filled completely; as `listen`."""

        def told(life: OrderLifecycle, moves: Sequence[Move]) -> None:
            if Move.COMPLETED in moves and life.ending is Ending.FILLED:
                notified(life)

        return self.listen(told)

    def _moved(self, lifecycle: OrderLifecycle, moves: tuple[Move, ...]) -> None:
        self._count_end(lifecycle)
        for listener in list(self._listeners):
            try:
                listener(lifecycle, moves)
            except Exception:
                _log.exception("listener of %s failed; the others are told", lifecycle.client_order_id)

    def _count_end(self, lifecycle: OrderLifecycle) -> None:
        key = (lifecycle.venue, lifecycle.client_order_id)
        if not lifecycle.is_completed:
            self._ended.pop(key, None)
            return
        self._ended[key] = None
        while self._max_completed is not None and len(self._ended) > self._max_completed:
            oldest = next(iter(self._ended))
            self.forget(oldest[1], oldest[0])


def _by_creation(lifecycle: OrderLifecycle) -> tuple[int, str, str]:
    return lifecycle.created_ns, lifecycle.venue, lifecycle.client_order_id
