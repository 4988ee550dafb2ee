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

from collections.abc import Callable
from dataclasses import dataclass, field

from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.ledger import Ledger
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
from nautilus_orderfeeds.venues.outpoll.twin_assumed import feed_event
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_records import OrderView, order_of
from nautilus_orderfeeds.venues.outpoll.twin_sender import Sender
from nautilus_orderfeeds.venues.outpoll.twin_tpsl import Tpsl
from nautilus_orderfeeds.venues.outpoll.twin_wire import Wire
from nautilus_orderfeeds.venues.outpoll.twin_words import Outcome, Service, UpdateMeaning, UpdateTime


@dataclass(slots=True)
class _Held:
    holders: int = 0
    frames: list[tuple[dict[str, object], str]] = field(default_factory=list)


class Notices:
    """
    Sends ORDER_UPDATE, TPSL_UPDATE, and the events of Order Feed.

    Parameters
    ----------
    ledger : Ledger
    wire : Wire
    sender : Sender
    options : OutpollTwinOptions
    later : Later
    """

    def __init__(self, ledger: Ledger, wire: Wire, sender: Sender, options: OutpollTwinOptions, later: Later) -> None:
        self._ledger = ledger
        self._wire = wire
        self._sender = sender
        self._options = options
        self._later = later
        self._held: dict[str, _Held] = {}

    # -- what happened --------------------------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market."""
        for event in batch.events:
            order = order_of(event)
            if order is None or self._ledger.accounts[order.account].is_background:
                continue
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
            self._push(owner, frame, f"orders/update/{outcome.value}")

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
        self._push(tpsl.owner, {"t": "TPSL_UPDATE", "d": data}, f"orders/tpsl/{tpsl.status}")

    def on_view(self, view: OrderView) -> None:
        """Listener of the records: tell it on Order Feed, as late as the history service is."""
        owner = view.order.account
        if self._sender.private(Service.FEED, owner):
            event = feed_event(self._wire.history_order(view, self._wire.stream))
            self._later.once(self._options.history_delay_secs, lambda: self._feed(owner, event))

    def hold(self, owner: str) -> Callable[[], None]:
        """
        Keep back what Order Updates would say until the returned function is called (once more is no error).

        Several holds may overlap; the frames go when the last one ends.
        """
        held = self._held.setdefault(owner, _Held())
        held.holders += 1
        is_over = False

        def release() -> None:
            nonlocal is_over
            if is_over:
                return
            is_over = True
            held.holders -= 1
            if held.holders == 0:
                del self._held[owner]
                for frame, name in held.frames:
                    self._send(owner, frame, name)

        return release

    def _push(self, owner: str, frame: dict[str, object], name: str) -> None:
        if owner in self._held:
            self._held[owner].frames.append((frame, name))
        else:
            self._send(owner, frame, name)

    def _send(self, owner: str, frame: dict[str, object], name: str) -> None:
        for connection in self._sender.private(Service.ORDERS, owner):
            connection.send_json(frame, "orders", name.rpartition("/")[0], name)

    def _feed(self, owner: str, event: dict[str, object]) -> None:
        for connection in self._sender.private(Service.FEED, owner):
            connection.send_json(event, "order-feed", "order-feed/update")
