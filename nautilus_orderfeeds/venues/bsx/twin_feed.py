"""
The private side of the simulated BSX's stream: which `orders` updates follow from what happened.

Every change of an order becomes an `OrderView`; views are kept in their sequence, so that a stale snapshot
can show the past. Updates go to every connection of the account that is subscribed to `orders` (5.3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.model import ZERO, Batch, Fill, OrderFilled, OrderState, OrderTriggered, SimOrder
from nautilus_orderfeeds.sim.outbox import Outbox
from nautilus_orderfeeds.sim.views import OrderViews
from nautilus_orderfeeds.venues.bsx.twin_options import BsxTwinOptions, TradesShown
from nautilus_orderfeeds.venues.bsx.twin_wire import OrderView, Wire, cancel_reason, status_of

ORDERS = ("orders",)


class OrdersFeed:
    """
    Turns market steps into `orders` updates.

    Parameters
    ----------
    options : BsxTwinOptions
    connections : Callable[[], list[Connection]]
        Everyone connected now.
    initial_margin : Callable[[SimOrder], Decimal]
        What an order binds, USD.

    Attributes
    ----------
    outbox : Outbox[str, dict[str, object]]
        What is sent to each account.
    """

    def __init__(
        self,
        options: BsxTwinOptions,
        wire: Wire,
        connections: Callable[[], list[Connection]],
        initial_margin: Callable[[SimOrder], Decimal],
    ) -> None:
        self._options = options
        self._wire = wire
        self._connections = connections
        self._initial_margin = initial_margin
        self._views: defaultdict[str, OrderViews[OrderView]] = defaultdict(OrderViews)
        self.outbox: Outbox[str, dict[str, object]] = Outbox(self._send)

    # -- views ----------------------------------------------------------------------------------------------

    def view(self, order: SimOrder, trades: tuple[Fill, ...] = ()) -> OrderView:
        """The order as it is now."""
        fees = order.fees
        if self._options.filled_fees_include_sequencer_fee:
            fees += order.extra_fees
        # PENDING and the first OPEN carry the very same time (8), however long processing took.
        fresh = order.state is OrderState.WORKING and not (order.filled or order.cancel_requested_ns or order.triggered)
        return OrderView(
            order=order,
            status=status_of(order),
            filled=order.filled,
            notional=order.notional,
            fees=fees,
            updated_ns=order.created_ns if fresh else order.updated_ns,
            cancel_requested_ns=order.cancel_requested_ns,
            cancel_reason=cancel_reason(order),
            reject_reason=order.end_detail if order.state is OrderState.REJECTED else "",
            cancel_reject_reason=str(order.info.get("cancel_reject_reason", "")),
            initial_margin=self._initial_margin(order),
            trades=trades,
        )

    def shown(self, account: str, lag: int = 0) -> list[OrderView]:
        """Every order of the account, oldest first, as it stood `lag` changes ago."""
        return self._views[account].shown(lag)

    def latest(self, order: SimOrder) -> OrderView:
        """The order as it was last shown; as it is now if it never was."""
        return self._views[order.account].latest(order.venue_order_id) or self.view(order)

    # -- publishing -----------------------------------------------------------------------------------------

    def publish(self, account: str, views: list[OrderView]) -> None:
        """Send one update with these orders; its timestamp is the latest `updated_at` among them (5.3)."""
        for view in views:
            self._views[account].add(view)
        message: dict[str, object] = {
            "channel": "orders",
            "type": "update",
            "data": [self._wire.order(view) for view in views],
            "timestamp": str(max(view.updated_ns for view in views)),
        }
        self.outbox.post(account, message)

    def snapshot(self, views: list[OrderView], now_ns: int) -> dict[str, object]:
        """The snapshot message of open orders, untriggered stops included (5.3)."""
        data = [self._wire.order(view, in_snapshot=True) for view in views if view.status != "DONE"]
        return {"channel": "orders", "type": "snapshot", "data": data, "timestamp": str(now_ns)}

    # -- what a market step means ---------------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market."""
        if self._options.trades_shown is TradesShown.ONE_BY_ONE:
            self._tell_one_by_one(batch)
        else:
            self._tell_together(batch)

    def _tell_together(self, batch: Batch) -> None:
        changed: dict[str, dict[str, SimOrder]] = {}
        trades: dict[str, list[Fill]] = {}
        for event in batch.user_events:
            order = event.order
            changed.setdefault(order.account, {})[order.venue_order_id] = order
            if isinstance(event, OrderTriggered):
                self._tell_triggered(order)
            elif isinstance(event, OrderFilled):
                trades.setdefault(order.venue_order_id, []).append(event.fill)
        for account, orders in changed.items():
            views = [self.view(order, tuple(trades.get(key, ()))) for key, order in orders.items()]
            self.publish(account, views)

    def _tell_one_by_one(self, batch: Batch) -> None:
        untold: dict[str, SimOrder] = {}
        for event in batch.user_events:
            order = event.order
            untold[order.venue_order_id] = order
            if isinstance(event, OrderTriggered):
                self._tell_triggered(order)
            elif isinstance(event, OrderFilled):
                view = self._view_after(order, event.fill)
                self.publish(order.account, [view])
                if view.status == "DONE" or (order.is_open and view.filled == order.filled):
                    del untold[order.venue_order_id]
        for order in untold.values():
            self.publish(order.account, [self.view(order)])

    def _view_after(self, order: SimOrder, fill: Fill) -> OrderView:
        """The order right after one of the fills of a step, whatever the rest of the step brought."""
        view = self.view(order, (fill,))
        if fill.filled_after == order.quantity:
            return view
        fees = fill.fees_after
        if self._options.filled_fees_include_sequencer_fee:
            fees += fill.extra_fees_after
        return replace(
            view,
            status="OPEN",
            filled=fill.filled_after,
            notional=fill.notional_after,
            fees=fees,
            cancel_reason="",
            reject_reason="",
        )

    def _tell_triggered(self, order: SimOrder) -> None:
        view = replace(
            self.view(order),
            status="PENDING",
            filled=ZERO,
            notional=ZERO,
            fees=ZERO,
            cancel_reason="",
            reject_reason="",
        )
        self.publish(order.account, [view])

    def _send(self, account: str, message: dict[str, object]) -> None:
        for connection in self._connections():
            if connection.account == account and ORDERS in connection.subscriptions:
                connection.send_json(message, *_names(message))


def _names(message: dict[str, object]) -> list[str]:
    """What faults know an update by: also its statuses, and whether it tells of a fill."""
    names = ["orders", "orders/update"]
    data = message["data"]
    assert isinstance(data, list)
    for order in data:
        names.append(f"orders/update/{order['status']}")
        if order.get("last_trades"):
            names.append("orders/update/fill")
    return names
