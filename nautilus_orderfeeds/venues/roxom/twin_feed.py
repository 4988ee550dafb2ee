"""
The account side of the simulated Roxom's stream: which events follow from what happened (protocol 5.3, 5.4, 6).

Every change of an order becomes an `OrderView`. The latest views are what REST shows; a stale reply shows older ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from nautilus_orderfeeds.sim.model import (
    ZERO,
    Batch,
    EndReason,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderEvent,
    OrderFilled,
    OrderTriggered,
    SimOrder,
)
from nautilus_orderfeeds.sim.views import OrderViews
from nautilus_orderfeeds.venues.roxom.twin_books import Books, Row
from nautilus_orderfeeds.venues.roxom.twin_options import FillsShown, RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_outbox import AccountOutbox
from nautilus_orderfeeds.venues.roxom.twin_statements import Statements
from nautilus_orderfeeds.venues.roxom.twin_wire import OrderView, Wire
from nautilus_orderfeeds.venues.roxom.twin_words import INACTIVE, Channel, Status, reason_text, status_now

SETTLED = "ordersettle"
"""`updateType` of a balance event after a fill."""


class AccountFeed:
    """
    Turns market steps into account events.

    Parameters
    ----------
    options : RoxomTwinOptions
    wire : Wire
    statements : Statements
    books : Books
    outbox : AccountOutbox
    """

    def __init__(
        self, options: RoxomTwinOptions, wire: Wire, statements: Statements, books: Books, outbox: AccountOutbox
    ) -> None:
        self._options = options
        self._wire = wire
        self._statements = statements
        self._books = books
        self._outbox = outbox
        self._views: defaultdict[str, OrderViews[OrderView]] = defaultdict(OrderViews)

    # -- views ----------------------------------------------------------------------------------------------

    def shown(self, account: str, lag: int = 0) -> list[OrderView]:
        """Every order of the account, oldest first, as it stood `lag` changes ago."""
        return self._views[account].shown(lag)

    def view(self, order: SimOrder) -> OrderView:
        """The order as it is now; what it has told of fills before is kept."""
        known = self._views[order.account].latest(order.venue_order_id)
        return OrderView(
            order=order,
            status=status_now(order, Status(self._options.partial_cancel.value)),
            filled=order.filled,
            notional=order.notional,
            fees=order.fees,
            last_price=None if known is None else known.last_price,
            last_fee=ZERO if known is None else known.last_fee,
            tells_fill=False,
            reason=reason_text(order),
            updated_ns=order.updated_ns,
            triggered_ns=None if known is None else known.triggered_ns,
        )

    def take_in(self, order: SimOrder) -> None:
        """Know a new order; told if the options say so."""
        view = self.view(order)
        self._keep(view)
        if self._options.pending_update:
            self._tell(view)

    def announce(self, order: SimOrder, *, is_told: bool = True) -> None:
        """Show the order's status of now, and tell of it."""
        view = self.view(order)
        self._keep(view)
        if is_told:
            self._tell(view)

    # -- money and positions --------------------------------------------------------------------------------

    def tell_balance(self, account: str, row: Row, update_type: str) -> None:
        """Tell of a row of the books."""
        if self._options.balance_events:
            self._outbox.tell(account, Channel.BALANCE, self._statements.balance_event(account, row, update_type))

    def tell_position(self, account: str, product: str) -> None:
        """Tell of the position as it is now (or as it was closed)."""
        episode = self._books.position(account, product)
        if episode is not None and self._options.position_events:
            self._outbox.tell(account, Channel.POSITIONS, self._statements.position_event(episode))

    def tell_account(self, account: str) -> None:
        """Send an event of the channel `account`."""
        self._outbox.tell(account, Channel.ACCOUNT, self._statements.account_event(account))

    # -- what a market step means ---------------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market."""
        rows: list[tuple[str, Row]] = []
        views: list[OrderView] = []
        for event in batch.user_events:
            order = event.order
            if isinstance(event, OrderFilled):
                rows.append((order.account, self._books.book_fill(order, event.fill)))
            view = self._view_after(order, event, batch.time_ns)
            if view is not None:
                self._keep(view)
                views.append(view)
        for view in self._chosen(views):
            self._tell(view)
        for account, row in rows:
            self.tell_balance(account, row, SETTLED)
        for account, product in {(account, str(row.symbol)): None for account, row in rows}:
            self.tell_position(account, product)
        if self._options.account_events:
            for account in {account: None for account, _ in rows}:
                self.tell_account(account)

    def _view_after(self, order: SimOrder, event: OrderEvent, time_ns: int) -> OrderView | None:
        """The order right after one event of a step, whatever the rest of the step brought."""
        view = self.view(order)
        match event:
            case OrderAccepted():
                status = Status.SUBMITTED if order.trigger is None else Status.WAITINGTRIGGER
                return self._untouched(view, status, time_ns)
            case OrderTriggered():
                return replace(self._untouched(view, Status.SUBMITTED, time_ns), triggered_ns=time_ns)
            case OrderFilled(_, fill):
                order.info.pop(INACTIVE, None)
                return self._after_fill(view, fill, is_whole=fill.filled_after == order.quantity)
            case OrderEnded():
                # Its last fill has said so already.
                return None if order.end_reason is EndReason.FILLED else replace(view, updated_ns=time_ns)
            case _:
                return None

    def _untouched(self, view: OrderView, status: Status, time_ns: int) -> OrderView:
        return replace(view, status=status, filled=ZERO, notional=ZERO, fees=ZERO, reason=None, updated_ns=time_ns)

    def _after_fill(self, view: OrderView, fill: Fill, *, is_whole: bool) -> OrderView:
        return replace(
            view,
            status=Status.FILLED if is_whole else Status.PARTIALLYFILLED,
            filled=fill.filled_after,
            notional=fill.notional_after,
            fees=fill.fees_after,
            last_price=fill.price,
            last_fee=fill.fee,
            tells_fill=True,
            reason=None,
            updated_ns=fill.time_ns,
        )

    def _chosen(self, views: list[OrderView]) -> Iterable[OrderView]:
        """Those views of a step that are told."""
        last = {view.order.venue_order_id: view for view in views}
        if self._options.fills_shown is FillsShown.MERGED:
            return [self._merged(view, views) for view in last.values()]
        if self._options.submitted_update:
            return views
        return [v for v in views if v.status is not Status.SUBMITTED or last[v.order.venue_order_id] is v]

    def _merged(self, view: OrderView, views: list[OrderView]) -> OrderView:
        """The last view of an order with everything that the step brought it."""
        fees: list[Decimal] = [v.last_fee for v in views if v.order is view.order and v.tells_fill]
        return replace(view, tells_fill=True, last_fee=sum(fees, ZERO)) if fees else view

    # -- inside ---------------------------------------------------------------------------------------------

    def _keep(self, view: OrderView) -> None:
        self._views[view.order.account].add(view)

    def _tell(self, view: OrderView) -> None:
        kinds = [view.status.value, "fill"] if view.tells_fill else [view.status.value]
        self._outbox.tell(view.order.account, Channel.ORDERS, self._wire.order_event(view), *kinds)
