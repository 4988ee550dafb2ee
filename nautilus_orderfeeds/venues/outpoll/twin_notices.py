"""
Order Updates and Order Feed of the simulated Outpoll: the little that is said of orders (protocol 6.1, 6.2).

An ORDER_UPDATE has an order id and SUCCESS or FAILED. What it tells of is a switch (`UpdateMeaning`):

- (a) the result of a request. SUCCESS: a limit order was taken, a market order traded, a cancel was done.
  FAILED: an order was refused or found nothing to trade with, a cancel was not done.
- (b) an execution. SUCCESS: one for each fill, also of a resting order. FAILED: as in (a), for orders only.
- (c) both.

An order that an event's end takes away is never told of.
"""

from __future__ import annotations

from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.model import (
    Batch,
    EndReason,
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderKind,
    OrderState,
    SimOrder,
)
from nautilus_orderfeeds.sim.outbox import Outbox
from nautilus_orderfeeds.venues.outpoll.twin_assumed import feed_event
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_records import OrderView
from nautilus_orderfeeds.venues.outpoll.twin_sender import Sender
from nautilus_orderfeeds.venues.outpoll.twin_tpsl import Tpsl
from nautilus_orderfeeds.venues.outpoll.twin_wire import Wire
from nautilus_orderfeeds.venues.outpoll.twin_words import Outcome, Service, UpdateMeaning, UpdateTime


class Notices:
    """
    Sends ORDER_UPDATE, TPSL_UPDATE, and the events of Order Feed.

    Parameters
    ----------
    wire : Wire
    sender : Sender
    options : OutpollTwinOptions
    later : Later

    Attributes
    ----------
    outbox : Outbox[str, tuple[dict[str, object], str]]
        What Order Updates says to each user: a frame, and what faults know it by.
    """

    def __init__(self, wire: Wire, sender: Sender, options: OutpollTwinOptions, later: Later) -> None:
        self._wire = wire
        self._sender = sender
        self._options = options
        self._later = later
        self.outbox: Outbox[str, tuple[dict[str, object], str]] = Outbox(self._send)

    # -- what happened --------------------------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market."""
        for event in batch.user_events:
            order = event.order
            match event:
                case OrderAccepted() if order.kind is OrderKind.LIMIT and self._tells_requests:
                    self._placed(order, Outcome.SUCCESS)
                case OrderFilled() if self._tells_executions:
                    self._placed(order, Outcome.SUCCESS)
                case OrderEnded():
                    self._ended(order)
                case _:
                    pass

    def cancel_failed(self, order: SimOrder) -> None:
        """A cancel that was answered by 2xx was not done."""
        if self._tells_requests and self._options.cancel_update is not UpdateTime.NEVER:
            self.order(order.account, order.venue_order_id, Outcome.FAILED)

    def _ended(self, order: SimOrder) -> None:
        if order.state is OrderState.REJECTED:
            self._placed(order, Outcome.FAILED)
        elif order.end_reason is EndReason.USER:
            if self._tells_requests and self._options.cancel_update is not UpdateTime.NEVER:
                self.order(order.account, order.venue_order_id, Outcome.SUCCESS)
        elif order.kind is OrderKind.MARKET:
            if order.filled == 0:
                self._placed(order, Outcome.FAILED)
            elif self._tells_requests:
                self._placed(order, Outcome.SUCCESS)

    def _placed(self, order: SimOrder, outcome: Outcome) -> None:
        if self._options.place_update is not UpdateTime.NEVER:
            self.order(order.account, order.venue_order_id, outcome)

    @property
    def _tells_requests(self) -> bool:
        return self._options.update_meaning is not UpdateMeaning.EXECUTIONS

    @property
    def _tells_executions(self) -> bool:
        return self._options.update_meaning is not UpdateMeaning.REQUESTS

    # -- sending --------------------------------------------------------------------------------------------

    def order(self, owner: str, order_id: str, outcome: Outcome) -> None:
        """Send an ORDER_UPDATE, as often as the options say."""
        frame: dict[str, object] = {"t": "ORDER_UPDATE", "d": {"i": order_id, "u": owner, "s": outcome.value}}
        for _ in range(self._options.update_copies):
            self.outbox.post(owner, (frame, f"orders/update/{outcome.value}"))

    def tpsl(self, tpsl: Tpsl) -> None:
        """Send a TPSL_UPDATE."""
        number = self._wire.stream
        data = {
            "i": tpsl.tpsl_id,
            "u": tpsl.owner,
            "a": tpsl.asset.asset_id,
            "q": number(tpsl.quantity),
            "tpp": None if tpsl.take_profit is None else number(tpsl.take_profit),
            "slp": None if tpsl.stop_loss is None else number(tpsl.stop_loss),
            "s": tpsl.status,
        }
        self.outbox.post(tpsl.owner, ({"t": "TPSL_UPDATE", "d": data}, f"orders/tpsl/{tpsl.status}"))

    def on_view(self, view: OrderView) -> None:
        """Listener of the records: tell it on Order Feed, as late as the history service is."""
        owner = view.order.account
        if self._sender.private(Service.FEED, owner):
            event = feed_event(self._wire.history_order(view, self._wire.stream))
            self._later.once(self._options.history_delay_secs, lambda: self._feed(owner, event))

    def _send(self, owner: str, update: tuple[dict[str, object], str]) -> None:
        frame, name = update
        for connection in self._sender.private(Service.ORDERS, owner):
            connection.send_json(frame, "orders", name.rpartition("/")[0], name)

    def _feed(self, owner: str, event: dict[str, object]) -> None:
        for connection in self._sender.private(Service.FEED, owner):
            connection.send_json(event, "order-feed", "order-feed/update")
