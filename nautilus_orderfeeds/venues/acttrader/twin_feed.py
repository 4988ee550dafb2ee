"""
What the simulated ActTrader tells unasked: which `execution` messages follow from what happened (5.7, 7).

Every change of an order becomes an `OrderView`; views are kept in their sequence, so that a stale list can
show the past. What options or faults leave out, repeat or cut short is missing on the wire only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from enum import IntEnum

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.model import (
    Batch,
    EndReason,
    Fill,
    OrderAccepted,
    OrderAmended,
    OrderEnded,
    OrderEvent,
    OrderFilled,
    OrderState,
    OrderTriggered,
    SimOrder,
)
from nautilus_orderfeeds.sim.views import OrderViews
from nautilus_orderfeeds.venues.acttrader.twin_options import ActTraderTwinOptions, ExecutionSteps, PushScope
from nautilus_orderfeeds.venues.acttrader.twin_wire import OrderView, Wire

READY = ("ready",)
"""The subscription of a connection that may be told executions."""
SILENT_END = "silent_end"
"""Key of an order's `info`: its end is told by an answer only."""


class Cause(IntEnum):
    """What changed; where several things did, the greatest counts."""

    TRIGGERED = 0
    ACCEPTED = 1
    AMENDED = 2
    ENDED = 3
    FILLED = 4


def login_key(account: str) -> tuple[str, str]:
    """The subscription of a connection that used this login."""
    return ("login", account)


class ExecutionFeed:
    """
    Turns market steps into `execution` messages.

    Parameters
    ----------
    options : ActTraderTwinOptions
    wire : Wire
    connections : Callable[[], list[Connection]]
        Everyone connected now.
    """

    def __init__(self, options: ActTraderTwinOptions, wire: Wire, connections: Callable[[], list[Connection]]) -> None:
        self._options = options
        self._wire = wire
        self._connections = connections
        self._fills: dict[str, list[Fill]] = {}
        self._told: dict[str, int] = {}
        self._views: OrderViews[OrderView] = OrderViews()
        self._gathered: list[OrderView] | None = None

    # -- views ----------------------------------------------------------------------------------------------

    def view(self, order: SimOrder, state: OrderState | None = None) -> OrderView:
        """The order as it is now; with a `state`, as it is in the middle of a step."""
        fills = self._fills.setdefault(order.venue_order_id, [])
        is_over = state is None
        return OrderView(
            order=order,
            state=order.state if state is None else state,
            end_reason=order.end_reason if is_over else EndReason.NONE,
            detail=order.end_detail if is_over else "",
            quantity=order.quantity,
            price=order.price,
            stop_price=order.trigger.price if order.trigger is not None else None,
            till_ns=order.expire_ns or 0,
            client_order_id=order.client_order_id,
            updated_ns=order.updated_ns,
            all_fills=fills,
            count=len(fills),
            told=self._told.get(order.venue_order_id, 0),
        )

    def shown(self, lag: int = 0) -> list[OrderView]:
        """Every order, oldest first, as it stood `lag` changes ago."""
        return self._views.shown(lag)

    def taken_in(self, order: SimOrder) -> None:
        """Know an order that is not in the market yet."""
        self._views.add(self.view(order))

    # -- telling --------------------------------------------------------------------------------------------

    @contextmanager
    def gathered(self) -> Iterator[list[OrderView]]:
        """Collect what there is to tell instead of telling it; whoever collects tells it."""
        before, self._gathered = self._gathered, []
        try:
            yield self._gathered
        finally:
            self._gathered = before

    def tell(self, view: OrderView) -> None:
        """Send the `execution` of a view to everyone it concerns, as often as the options say."""
        message = self._wire.execution(view)
        names = ["execution", f"execution/{self._wire.status(view)}"]
        if view.count > view.told:
            names.append("execution/fill")
        for connection in self._connections():
            if self._concerns(connection, view.order.account):
                for _ in range(self._options.execution_copies):
                    connection.send_json(message, *names)

    def _concerns(self, connection: Connection, account: str) -> bool:
        if READY not in connection.subscriptions:
            return False
        match self._options.push_scope:
            case PushScope.EVERYONE:
                return True
            case PushScope.OWN_LOGINS:
                return login_key(account) in connection.subscriptions

    # -- what a market step means ---------------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market."""
        changed: dict[str, tuple[SimOrder, Cause]] = {}
        for event in batch.user_events:
            order, cause = event.order, _cause(event)
            if isinstance(event, OrderFilled):
                self._fills.setdefault(order.venue_order_id, []).append(event.fill)
            if self._options.execution_steps is ExecutionSteps.EACH:
                self._tell_step(order, cause)
            else:
                before = changed.get(order.venue_order_id, (order, cause))[1]
                changed[order.venue_order_id] = (order, max(cause, before))
        for order, cause in changed.values():
            self._change(self.view(order), cause)

    def _tell_step(self, order: SimOrder, cause: Cause) -> None:
        """One event of a step, whatever the rest of the step brought."""
        match cause:
            case Cause.FILLED:
                is_whole = self._filled(order) == order.quantity
                self._change(self.view(order, OrderState.FILLED if is_whole else OrderState.WORKING), cause)
            case Cause.ENDED:
                if order.state is not OrderState.FILLED:  # its last fill has said so
                    self._change(self.view(order), cause)
            case _:
                self._change(self.view(order, OrderState.WORKING), cause)

    def _filled(self, order: SimOrder) -> Decimal:
        return self._fills[order.venue_order_id][-1].filled_after

    def _change(self, view: OrderView, cause: Cause) -> None:
        self._views.add(view)
        if not self._is_told(view, cause):
            return
        self._told[view.order.venue_order_id] = view.count
        if self._gathered is not None:
            self._gathered.append(view)
        else:
            self.tell(view)

    def _is_told(self, view: OrderView, cause: Cause) -> bool:
        match cause:
            case Cause.TRIGGERED:
                return False  # the wire has no such state (11.2)
            case Cause.ACCEPTED:
                return self._options.new_execution
            case Cause.AMENDED:
                return self._options.modify_execution
            case Cause.ENDED:
                return SILENT_END not in view.order.info
            case Cause.FILLED:
                return True


def _cause(event: OrderEvent) -> Cause:
    match event:
        case OrderAccepted():
            return Cause.ACCEPTED
        case OrderTriggered():
            return Cause.TRIGGERED
        case OrderAmended():
            return Cause.AMENDED
        case OrderFilled():
            return Cause.FILLED
        case OrderEnded():
            return Cause.ENDED
