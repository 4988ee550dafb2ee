"""
What the private feeds of the simulated sFOX tell of the market's steps (protocol 6, 8.2-8.5).

The ledger is true from the moment something happens. What is told, in which order and how often, is decided
here by the options; REST shows the same views, so a client that asks sees what the venue would show.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.model import (
    ZERO,
    Batch,
    Fill,
    OrderAmended,
    OrderEnded,
    OrderEvent,
    OrderFilled,
    OrderState,
    SimOrder,
)
from nautilus_orderfeeds.venues.sfox.twin_accounts import Funds
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_outbox import AccountOutbox
from nautilus_orderfeeds.venues.sfox.twin_products import PRODUCTS
from nautilus_orderfeeds.venues.sfox.twin_views import OrderView, Records, TradeView, status_of
from nautilus_orderfeeds.venues.sfox.twin_wire import Wire
from nautilus_orderfeeds.venues.sfox.twin_words import (
    AmountQuantity,
    BalancesShown,
    Channel,
    FillsShown,
    Settlement,
    Status,
    TradesOrder,
)


@dataclass(slots=True)
class _Step:
    """One thing to tell of an order: how it looks now, the fill that made it so, or both."""

    order: SimOrder
    view: OrderView | None = None
    fill: Fill | None = None


class PrivateFeeds:
    """
    Turns steps of the market into messages of the orders, trades and balances feeds.

    Parameters
    ----------
    records : Records
        Keeps what was shown, for REST and for stale messages.
    wire : Wire
    outbox : AccountOutbox
    funds : Funds
    options : SfoxTwinOptions
    later : Later
    """

    def __init__(
        self, records: Records, wire: Wire, outbox: AccountOutbox, funds: Funds, options: SfoxTwinOptions, later: Later
    ) -> None:
        self._records = records
        self._wire = wire
        self._outbox = outbox
        self._funds = funds
        self._options = options
        self._later = later
        self._late: dict[SimOrder, list[Fill]] = {}
        self._trades_to_miss = 0

    def miss_trades(self, count: int) -> None:
        """Let the trades feed never tell of the next `count` fills."""
        self._trades_to_miss += count

    # -- views ----------------------------------------------------------------------------------------------

    def view(self, order: SimOrder, text: str = "") -> OrderView:
        """The order as it is now, without the fills that are kept back."""
        filled, notional, fees = order.filled, order.notional, order.fees
        if (late := self._late.get(order)) is not None:
            first = late[0]
            filled = first.filled_after - first.size
            notional = first.notional_after - first.size * first.price
            fees = first.fees_after - first.trading_fee
        return self._view(order, status_of(order), filled, notional, fees, text)

    def _view_after(self, order: SimOrder, fill: Fill, status: Status) -> OrderView:
        return self._view(order, status, fill.filled_after, fill.notional_after, fill.fees_after)

    def _view(
        self, order: SimOrder, status: Status, filled: Decimal, notional: Decimal, fees: Decimal, text: str = ""
    ) -> OrderView:
        price = order.price if order.price is not None else ZERO
        if order.trigger is not None:
            price = order.trigger.price
        elif "market" in order.info:  # its price is only the worst one that its slippage allows
            price = ZERO
        quantity = order.quantity
        if order.quote_amount is not None:
            match self._options.amount_quantity:
                case AmountQuantity.FILLED:
                    quantity = filled
                case AmountQuantity.ZERO:
                    quantity = ZERO
                case AmountQuantity.ESTIMATE:
                    quantity = Decimal(str(order.info["estimate"]))
        return OrderView(order, status, price, quantity, filled, notional, fees, order.updated_ns, text)

    # -- telling --------------------------------------------------------------------------------------------

    def tell_order(self, view: OrderView) -> None:
        """Show an order: REST from now on, the orders feed as the options say."""
        self._tell_orders([view])

    def tell_balances(self, account: str, currencies: list[str] | None = None) -> None:
        """Show balances, of an own account perhaps only those in `currencies`."""
        everything = self._wire.feed_balances(account, self._funds.currencies())
        rows = everything
        if currencies is not None and self._options.balances_shown is BalancesShown.CHANGED:
            rows = [row for row in everything if row["currency"] in currencies]
        self._outbox.tell(account, Channel.BALANCES, rows, all_rows=everything)

    def resend(self, order: SimOrder) -> None:
        """Show the latest view of an order once more."""
        view = self._records.latest(order.account, order.venue_order_id)
        self._outbox.tell(order.account, Channel.ORDERS, [self._wire.feed_order(view)], view.status.text)

    def retell_trade(self, trade: TradeView) -> None:
        """Tell of a fill (once more) on the trades feed."""
        self._outbox.tell(trade.fill.account, Channel.TRADES, [self._wire.feed_trade(trade)])

    def _tell_orders(self, views: list[OrderView]) -> None:
        before = [self._records.add(view) for view in views]
        account, kinds = views[0].order.account, [view.status.text for view in views]
        rows = [self._wire.feed_order(view) for view in views]
        for _ in range(2 if self._options.duplicate_orders else 1):
            self._outbox.tell(account, Channel.ORDERS, rows, *kinds)
        old = [view for view in before if view is not None]
        if self._options.stale_orders and old:
            self._outbox.tell(account, Channel.ORDERS, [self._wire.feed_order(view) for view in old], kind="stale")

    def _tell_trades(self, fills: list[Fill]) -> None:
        trades = [self._records.number(fill, is_shared=self._options.trade_id_shared) for fill in fills]
        for trade in trades:
            self._later.once(self._options.rest_trades_delay_secs, partial(self._records.add_trade, trade))
        missed = min(self._trades_to_miss, len(trades))
        self._trades_to_miss -= missed
        told = trades[missed:] if self._options.trades_on_feed else []
        if told:
            self._later.once(self._options.trades_delay_secs, lambda: self._post_trades(told))

    def _post_trades(self, trades: list[TradeView]) -> None:
        rows = [self._wire.feed_trade(trade) for trade in trades]
        for _ in range(2 if self._options.duplicate_trades else 1):
            self._outbox.tell(trades[0].fill.account, Channel.TRADES, rows)

    # -- what a market step means ---------------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> None:
        """Tell of everything that a step of the market caused."""
        steps: list[_Step] = []
        for event in batch.user_events:
            self._add_steps(steps, event, event.order)
        match self._options.fills_shown:
            case FillsShown.ONE_BY_ONE:
                for step in steps:
                    self._tell([step.view] if step.view else [], [step.fill] if step.fill else [])
            case FillsShown.TOGETHER:
                self._tell_together(steps)
        touched: dict[str, dict[str, None]] = {}
        for step in steps:
            product = PRODUCTS[step.order.product]
            touched.setdefault(step.order.account, {}).update({product.base: None, product.quote: None})
        for account, currencies in touched.items():
            self.tell_balances(account, list(currencies))
        for order in {step.order: None for step in steps}:
            self._follow_up(order)

    def _add_steps(self, steps: list[_Step], event: OrderEvent, order: SimOrder) -> None:
        match event:
            case OrderFilled(_, fill):
                if self._options.late_fills and order.cancel_requested_ns and order.state is not OrderState.FILLED:
                    self._late.setdefault(order, []).append(fill)
                    return
                steps += self._early(order)
                status = Status.CANCEL_PENDING if order.cancel_requested_ns else Status.STARTED
                completes = order.state is OrderState.FILLED and fill.filled_after == order.filled
                # A completing fill is shown by the view of the end, which follows in the same step.
                steps.append(_Step(order, None if completes else self._view_after(order, fill, status), fill))
            case OrderEnded():
                order.info.setdefault("settled", self._options.settlement is Settlement.DONE_AT_ONCE)
                completing = [step for step in steps if step.order is order and step.view is None]
                if completing:
                    completing[-1].view = self.view(order)
                else:
                    steps.append(_Step(order, self.view(order)))
            case OrderAmended():
                if not order.info.pop("trailing", False):
                    steps.append(_Step(order, self.view(order)))
            case _:
                pass  # an order is told of when it is taken in; a trigger changes no field of it

    def _early(self, order: SimOrder) -> list[_Step]:
        """Fills that were kept back for the time after a cancel that now never comes."""
        fills = self._late.pop(order, [])
        return [_Step(order, self._view_after(order, fill, Status.CANCEL_PENDING), fill) for fill in fills]

    def _tell(self, views: list[OrderView], fills: list[Fill]) -> None:
        if fills and self._options.trades_order is TradesOrder.BEFORE_ORDERS:
            self._tell_trades(fills)
        if views:
            self._tell_orders(views)
        if fills and self._options.trades_order is TradesOrder.AFTER_ORDERS:
            self._tell_trades(fills)

    def _tell_together(self, steps: list[_Step]) -> None:
        views: dict[str, dict[SimOrder, OrderView]] = {}
        fills: dict[str, list[Fill]] = {}
        for step in steps:
            if step.view is not None:
                views.setdefault(step.order.account, {})[step.order] = step.view
            if step.fill is not None:
                fills.setdefault(step.order.account, []).append(step.fill)
        for account in {step.order.account: None for step in steps}:
            self._tell(list(views.get(account, {}).values()), fills.get(account, []))

    def _follow_up(self, order: SimOrder) -> None:
        """What comes later of an order that ended: its settlement, or the fills that were kept back."""
        if order.state is OrderState.FILLED:
            is_due = self._options.settlement is Settlement.FILLED_THEN_DONE and not order.info.get("settled")
            if is_due and not order.info.get("settling"):
                order.info["settling"] = True
                self._later.once(self._options.settle_secs, lambda: self._settle(order))
        elif not order.is_open and order in self._late:
            self._later.once(self._options.late_fill_secs, lambda: self._tell_late(order))

    def _settle(self, order: SimOrder) -> None:
        order.info["settled"] = True
        self.tell_order(self.view(order))

    def _tell_late(self, order: SimOrder) -> None:
        for fill in self._late.pop(order, []):
            self._tell([self._view_after(order, fill, Status.CANCELED)], [fill])
