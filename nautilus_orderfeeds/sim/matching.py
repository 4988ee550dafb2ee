"""
Price-time matching of one product.

A `Matcher` takes one command at a time and returns what it caused, in order. It keeps no clock: the time of
a command is given with it. Fills are booked into the accounts the moment they happen, because reduce-only
rules depend on positions within the same step.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from nautilus_orderfeeds.sim.book import OrderBook, accepts
from nautilus_orderfeeds.sim.model import (
    ZERO,
    EndReason,
    Fee,
    Fill,
    LevelChanged,
    Linked,
    Liquidity,
    MarketEvent,
    OrderAccepted,
    OrderAmended,
    OrderEnded,
    OrderFilled,
    OrderKind,
    OrderState,
    OrderTriggered,
    Product,
    SelfTrade,
    Side,
    SimOrder,
    TimeInForce,
    TradePrinted,
    TriggerSource,
)

FeeRule = Callable[[SimOrder, Decimal, Decimal, Liquidity], Fee]
"""(order before the fill, price, size, liquidity) -> the fee of that fill, in quote currency."""


class Accounts(Protocol):
    """What matching needs from the ledger."""

    def book_fill(self, fill: Fill) -> None:
        """Count a fill into its account."""

    def net_size(self, account: str, product: str) -> Decimal:
        """The signed position, base units."""


class Matcher:
    """
    The matching engine of one product.

    Parameters
    ----------
    product : Product
    accounts : Accounts
        Where fills are booked and positions are read.
    fees : FeeRule
    next_trade_id : Callable[[], str]
        Gives each match its id; both sides of a match share it.
    """

    def __init__(self, product: Product, accounts: Accounts, fees: FeeRule, next_trade_id: Callable[[], str]) -> None:
        self.product = product
        self.book = OrderBook()
        self.last_price: Decimal | None = None
        self.mark_price: Decimal | None = None
        self._accounts = accounts
        self._fees = fees
        self._next_trade_id = next_trade_id
        self._expiring: dict[str, SimOrder] = {}
        self._waiting: dict[str, SimOrder] = {}  # untriggered orders
        self._parked: dict[str, SimOrder] = {}  # all-or-none orders that could not be filled whole yet
        self._touched: dict[tuple[Side, Decimal], None] = {}
        self._moved_accounts: dict[str, None] = {}
        self._events: list[MarketEvent] = []
        self._now_ns = 0

    # -- commands: each returns what it caused ---------------------------------------------------------------

    def submit(self, order: SimOrder, now_ns: int) -> list[MarketEvent]:
        """
        Bring a new order in.

        Raises
        ------
        ValueError
            For an order that no venue could mean: another product, no size, a limit order without a price.
        """
        self._check_sane(order)
        self._begin(now_ns)
        if order.linked is not None and order.linked.is_decided():
            self._end(order, EndReason.LINKED_ORDER)
            return self._finish()
        if order.expire_ns is not None:
            self._expiring[order.venue_order_id] = order
        if order.trigger is None:
            self._enter(order)
        else:
            order.state = OrderState.WAITING
            self._waiting[order.venue_order_id] = order
            self._changed(order)
            self._events.append(OrderAccepted(order))
        return self._finish()

    def cancel(self, order: SimOrder, reason: EndReason, now_ns: int, detail: str = "") -> list[MarketEvent]:
        """End a live order for `reason`; an order that has already ended is left as it is."""
        self._begin(now_ns)
        if order.is_open:
            self._end(order, reason, detail)
        return self._finish()

    def amend(
        self,
        order: SimOrder,
        now_ns: int,
        *,
        price: Decimal | None = None,
        quantity: Decimal | None = None,
        trigger: Decimal | None = None,
        expire_ns: int | None = None,
    ) -> list[MarketEvent]:
        """
        Change a live order in place; only a smaller size keeps its place in the queue.

        An `expire_ns` of 0 takes the end of its life away.

        Raises
        ------
        ValueError
            If the order has ended or the new size is not above what is filled.
        """
        if not order.is_open:
            raise ValueError(f"order {order.venue_order_id} has ended ({order.state.value}): nothing to amend")
        if quantity is not None and quantity <= order.filled:
            raise ValueError(f"new quantity {quantity} is not above the filled {order.filled}")
        self._begin(now_ns)
        resting = order in self.book.side(order.side)
        parked = self._parked.pop(order.venue_order_id, None) is not None
        stays = (price is None or price == order.price) and (quantity is None or quantity <= order.quantity)
        if resting:
            self._touch(order)
            if not stays:
                self.book.side(order.side).remove(order)
        if price is not None:
            order.price = price
        if quantity is not None:
            order.quantity = quantity
        if trigger is not None and order.trigger is not None:
            order.trigger = type(order.trigger)(trigger, order.trigger.rises, order.trigger.source)
        if expire_ns is not None:
            order.expire_ns = expire_ns or None
            self._expiring[order.venue_order_id] = order
        self._changed(order)
        self._events.append(OrderAmended(order))
        if parked or (resting and not stays):
            self._enter(order, announce=False)
        return self._finish()

    def deal(self, maker: SimOrder, taker: SimOrder, price: Decimal, size: Decimal, now_ns: int) -> list[MarketEvent]:
        """Trade between two orders whatever else rests; one that is new enters for this trade only."""
        self._begin(now_ns)
        new = [order for order in (maker, taker) if order.state is OrderState.PENDING]
        for order in new:
            order.state = OrderState.WORKING
            self._changed(order)
            self._events.append(OrderAccepted(order))
        self._trade(maker, taker, price, size)
        for order in new:
            if order.is_open:
                self._end(order, EndReason.IOC)
        return self._finish()

    def expire(self, now_ns: int) -> list[MarketEvent]:
        """End every order whose time is over."""
        self._begin(now_ns)
        for order in list(self._expiring.values()):
            if order.is_open and order.expire_ns is not None and order.expire_ns <= now_ns:
                self._end(order, EndReason.EXPIRED)
        return self._finish()

    def set_mark(self, price: Decimal, now_ns: int) -> list[MarketEvent]:
        """Move the mark price; orders that watch it may fire."""
        self._begin(now_ns)
        self.mark_price = price
        return self._finish()

    def open_orders(self) -> list[SimOrder]:
        """Every live order: resting bids, asks, all-or-none orders and untriggered ones."""
        return [*self.book.bids, *self.book.asks, *self._parked.values(), *self._waiting.values()]

    def fillable(self, order: SimOrder) -> Decimal:
        """How much of `order` the book would fill now, base units (quote units for an order by amount)."""
        total = ZERO
        wanted = order.quote_amount if order.quote_amount is not None else order.quantity - order.filled
        links: set[Linked] = set()
        for maker in self.book.side(order.side.opposite):
            assert maker.price is not None
            if total >= wanted or not accepts(order.side, order.price, maker.price):
                break
            if maker.account == order.account:
                if order.self_trade is SelfTrade.CANCEL_TAKER:
                    break
                if order.self_trade is SelfTrade.CANCEL_MAKER:
                    continue
            if maker.linked is not None:
                if maker.linked in links:
                    continue  # gone by the time the taker gets there
                links.add(maker.linked)
            total += maker.leaves * maker.price if order.quote_amount is not None else maker.leaves
        return min(total, wanted)

    # -- one step ------------------------------------------------------------------------------------------

    def _check_sane(self, order: SimOrder) -> None:
        if order.product != self.product.symbol:
            raise ValueError(f"order for {order.product} sent to the matcher of {self.product.symbol}")
        if order.quote_amount is None and order.quantity <= 0:
            raise ValueError(f"order size {order.quantity} is not positive")
        if order.kind is OrderKind.LIMIT and (order.price is None or order.price <= 0):
            raise ValueError(f"limit order with price {order.price}")

    def _begin(self, now_ns: int) -> None:
        self._events = []
        self._now_ns = now_ns
        self._touched.clear()

    def _finish(self) -> list[MarketEvent]:
        """Follow up until nothing moves any more, then report the levels that changed."""
        while self._enforce_reduce_only() or self._fire_triggers() or self._fill_parked():
            pass
        for side, price in self._touched:
            size = self.book.side(side).size_at(price)
            self._events.append(LevelChanged(self.product.symbol, side, price, size))
        return self._events

    def _enter(self, order: SimOrder, *, announce: bool = True) -> None:
        """Check an active order and match it; what is left rests or ends."""
        problem = self._reduce_only_problem(order) if order.reduce_only else None
        if problem is not None:
            self._end(order, EndReason.REDUCE_ONLY, problem)
            return
        if order.max_slippage is not None:
            order.price = self._worst_price(order, order.max_slippage)
        if order.post_only and self.book.crosses(order.side, order.price):
            self._end(order, EndReason.POST_ONLY)
            return
        whole = order.quote_amount if order.quote_amount is not None else order.quantity - order.filled
        fills_whole = self.fillable(order) >= whole
        if order.time_in_force is TimeInForce.FOK and not fills_whole:
            self._end(order, EndReason.FOK)
            return
        order.state = OrderState.WORKING
        self._changed(order)
        if announce:
            self._events.append(OrderAccepted(order))
        if order.all_or_none and not fills_whole:
            if order.time_in_force is TimeInForce.IOC or order.kind is OrderKind.MARKET:
                self._end(order, EndReason.IOC)
            else:
                self._parked[order.venue_order_id] = order
            return
        self._match(order)
        if order.is_open:
            self._rest_or_end(order)

    def _worst_price(self, order: SimOrder, max_slippage: Decimal) -> Decimal | None:
        best = self.book.side(order.side.opposite).best_price()
        return None if best is None else best * (1 + order.side.sign * max_slippage)

    def _rest_or_end(self, order: SimOrder) -> None:
        if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            self._end(order, EndReason.IOC if order.time_in_force is TimeInForce.IOC else EndReason.FOK)
        elif order.kind is OrderKind.MARKET:
            self._end(order, EndReason.NO_LIQUIDITY)
        else:
            self.book.side(order.side).add(order)
            self._touch(order)

    def _match(self, taker: SimOrder) -> None:
        makers = self.book.side(taker.side.opposite)
        while taker.is_open:
            if taker.quote_amount is not None and taker.notional >= taker.quote_amount:
                self._end(taker, EndReason.FILLED)
                return
            maker = makers.best()
            if maker is None or maker.price is None or not accepts(taker.side, taker.price, maker.price):
                return
            if maker.account == taker.account and taker.self_trade is not SelfTrade.ALLOW:
                if taker.self_trade is SelfTrade.CANCEL_TAKER:
                    self._end(taker, EndReason.SELF_TRADE)
                else:
                    self._end(maker, EndReason.SELF_TRADE)
                continue
            size = min(maker.leaves, self._affordable(taker, maker.price))
            if size <= 0:  # an order by amount whose rest buys less than one lot
                self._end(taker, EndReason.FILLED if taker.filled else EndReason.NO_LIQUIDITY)
                return
            self._trade(maker, taker, maker.price, size)

    def _affordable(self, order: SimOrder, price: Decimal) -> Decimal:
        if order.quote_amount is None:
            return order.leaves
        lots = (order.quote_amount - order.notional) / price // self.product.lot
        return lots * self.product.lot

    def _trade(self, maker: SimOrder, taker: SimOrder, price: Decimal, size: Decimal) -> None:
        trade_id = self._next_trade_id()
        self.last_price = price
        self._touch(maker)
        if taker.quote_amount is not None:
            taker.quantity += size
        for order, liquidity in ((maker, Liquidity.MAKER), (taker, Liquidity.TAKER)):
            fee = self._fees(order, price, size, liquidity)
            order.filled += size
            order.notional += price * size
            order.fees += fee.trading
            order.extra_fees += fee.extra
            fill = Fill(
                trade_id=trade_id,
                account=order.account,
                venue_order_id=order.venue_order_id,
                client_order_id=order.client_order_id,
                product=order.product,
                side=order.side,
                price=price,
                size=size,
                trading_fee=fee.trading,
                extra_fee=fee.extra,
                liquidity=liquidity,
                time_ns=self._now_ns,
                filled_after=order.filled,
                notional_after=order.notional,
                fees_after=order.fees,
                extra_fees_after=order.extra_fees,
            )
            self._changed(order)
            self._accounts.book_fill(fill)
            self._moved_accounts[order.account] = None
            self._events.append(OrderFilled(order, fill))
        is_liquidation = maker.is_liquidation or taker.is_liquidation
        self._events.append(
            TradePrinted(self.product.symbol, trade_id, price, size, maker.side, is_liquidation, self._now_ns)
        )
        for order in (maker, taker):
            if order.filled == order.quantity and order.quote_amount is None:
                self._end(order, EndReason.FILLED)
            self._end_linked(order)

    def _end(self, order: SimOrder, reason: EndReason, detail: str = "") -> None:
        if order.price is not None and self.book.side(order.side).remove(order):
            self._touch(order)
        self._waiting.pop(order.venue_order_id, None)
        self._parked.pop(order.venue_order_id, None)
        self._expiring.pop(order.venue_order_id, None)
        order.state = reason.state
        order.end_reason = reason
        order.end_detail = detail
        self._changed(order)
        self._events.append(OrderEnded(order))

    def _end_linked(self, order: SimOrder) -> None:
        """End the others of a group once `order` has decided it; one not submitted yet ends when it is."""
        if order.linked is None or not order.linked.decides(order):
            return
        for other in order.linked.orders:
            if other is not order and other.state in (OrderState.WAITING, OrderState.WORKING):
                self._end(other, EndReason.LINKED_ORDER)

    def _changed(self, order: SimOrder) -> None:
        order.updated_ns = self._now_ns

    def _touch(self, order: SimOrder) -> None:
        if order.price is not None:
            self._touched[(order.side, order.price)] = None

    # -- what follows from a step ---------------------------------------------------------------------------

    def _reduce_only_problem(self, order: SimOrder) -> str | None:
        """Why a reduce-only order may not enter; its size counts together with those nearer the market."""
        net = self._accounts.net_size(order.account, order.product)
        size = order.quantity - order.filled
        if net == 0 or (net > 0) == (order.side is Side.BUY):
            return f"pos size {_plain(net)}, order side {order.side.value}"
        nearer = ZERO
        for other in self._reduce_only_orders(order.account, order.side):
            assert other.price is not None
            if order.price is None or not accepts(order.side.opposite, order.price, other.price):
                break  # those further from the market than this order do not count
            nearer += other.leaves
        if nearer + size > abs(net):
            return f"pos size {_plain(net)}, order size {_plain(size)}, order side {order.side.value}"
        return None

    def _reduce_only_orders(self, account: str, side: Side) -> list[SimOrder]:
        """Resting reduce-only orders of one account, nearest to the market first."""
        return [order for order in self.book.side(side) if order.reduce_only and order.account == account]

    def _enforce_reduce_only(self) -> bool:
        """After a position moved, end the reduce-only orders it no longer covers, furthest first."""
        accounts, self._moved_accounts = self._moved_accounts, {}
        ended = False
        for account in accounts:
            net = self._accounts.net_size(account, self.product.symbol)
            for side in Side:
                room = ZERO if net == 0 or (net > 0) == (side is Side.BUY) else abs(net)
                for order in self._reduce_only_orders(account, side):
                    room -= order.leaves
                    if room < 0:
                        detail = f"pos size {_plain(net)}, order size {_plain(order.leaves)}, order side {side.value}"
                        self._end(order, EndReason.REDUCE_ONLY, detail)
                        ended = True
        return ended

    def _fire_triggers(self) -> bool:
        for order in list(self._waiting.values()):
            assert order.trigger is not None
            by_mark = order.trigger.source is TriggerSource.MARK
            if order.trigger.fires(self.mark_price if by_mark else self.last_price):
                del self._waiting[order.venue_order_id]
                order.triggered = True
                self._changed(order)
                self._events.append(OrderTriggered(order))
                self._end_linked(order)
                self._enter(order, announce=False)
                return True
        return False

    def _fill_parked(self) -> bool:
        for order in list(self._parked.values()):
            if self.fillable(order) >= order.leaves:
                del self._parked[order.venue_order_id]
                self._match(order)
                return True
        return False


def _plain(number: Decimal) -> str:
    """A decimal in plain notation without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
