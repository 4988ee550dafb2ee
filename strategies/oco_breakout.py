"""A breakout of the range of the first quotes, with a take-profit and a stop-loss.

Four ways to enter, from the one that leaves most to the venue to the one that every venue can do; and two ways out.

*** A sample with no edge whatsoever: not meant to trade real money. ***
"""

from decimal import Decimal
from enum import Enum, unique
from typing import Final, NamedTuple

from nautilus_trader.common.config import NonNegativeInt, PositiveInt
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import ContingencyType, OrderStatus, OrderType, TriggerType
from nautilus_trader.model.events import OrderDenied, OrderEvent, OrderFilled, OrderRejected
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import LimitOrder, Order, OrderList, StopMarketOrder

from strategies.common import QuotedStrategy, QuotedStrategyConfig, Side, active, filled, notional, settled

_REFUSED: Final = (OrderStatus.DENIED, OrderStatus.REJECTED)


@unique
class Entry(Enum):
    """How the position is opened."""

    OCO = "OCO"
    """A buy stop above and a sell stop below the range as one list: the venue cancels the other one."""

    STOPS = "STOPS"
    """The same two stop orders, not linked: the strategy cancels the other one."""

    BRACKET = "BRACKET"
    """Once the market has left the range, a limit order that takes, with both exits attached to it."""

    LIMIT = "LIMIT"
    """Once the market has left the range, a limit order that takes. Every venue can do this."""


@unique
class Exit(Enum):
    """How the position is closed."""

    OCO = "OCO"
    """A take-profit limit order and a stop-loss stop order as one list at the venue."""

    MANAGED = "MANAGED"
    """The strategy watches the quotes and sends a closing order. Every venue can do this."""


@unique
class Phase(Enum):
    """Where the strategy stands."""

    RANGE = "watching the range"
    ARMED = "waiting for a breakout"
    ENTERED = "in a position"
    LEAVING = "closing it"
    DONE = "done"


class Leg(NamedTuple):
    """One order of a linked pair."""

    order_type: OrderType
    side: Side
    quantity: Quantity
    price: Price
    role: str


class OcoBreakoutConfig(QuotedStrategyConfig, kw_only=True, frozen=True):
    """Configuration of `OcoBreakout`.

    Parameters
    ----------
    order_qty : Decimal
        Size of the position, base units.
    entry : Entry
        How to open it; choose what the venue can do.
    exit : Exit
        How to close it (a BRACKET brings its own exits).
    range_quotes : int
        How many changes of the best prices make the range.
    buffer_ticks : int
        How far beyond the range a breakout begins, ticks.
    take_profit_ticks, stop_loss_ticks : int
        Distance of the exits from the average entry price, ticks.
    max_trades : int
        After so many positions the strategy is done.
    """

    order_qty: Decimal
    entry: Entry = Entry.LIMIT
    exit: Exit = Exit.MANAGED
    range_quotes: PositiveInt = 20
    buffer_ticks: NonNegativeInt = 2
    take_profit_ticks: PositiveInt = 40
    stop_loss_ticks: PositiveInt = 20
    max_trades: PositiveInt = 1


class OcoBreakout(QuotedStrategy):
    """Trades the breakout, `max_trades` times.

    Parameters
    ----------
    config : OcoBreakoutConfig

    Attributes
    ----------
    phase : Phase
    trades : int
        Positions closed so far.
    high, low : Decimal, optional
        The range, quote per base.
    """

    def __init__(self, config: OcoBreakoutConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        self.trades = 0
        self._begin()

    def _begin(self) -> None:
        self.phase = Phase.RANGE
        self.high: Decimal | None = None
        self.low: Decimal | None = None
        self._changes = 0
        self._seen: tuple[Price, Price] | None = None
        self._entries: list[Order] = []
        self._protection: list[Order] = []
        self._managed = self.config.exit is Exit.MANAGED

    def on_market(self, quote: QuoteTick) -> None:
        """Take the next step of the trade."""
        match self.phase:
            case Phase.RANGE:
                self._widen(quote)
            case Phase.ARMED:
                self._watch_entries(quote)
            case Phase.ENTERED:
                self._watch_position(quote)
            case Phase.LEAVING:
                self._leave()
            case Phase.DONE:
                pass

    def on_order_event(self, event: OrderEvent) -> None:
        """Cancel the other entry at the first fill of one: waiting for a quote could let both fill."""
        is_exit = any(order.client_order_id == event.client_order_id for order in self._protection)
        if is_exit and isinstance(event, OrderDenied | OrderRejected):
            return  # no reason to halt, which would leave the position alone: the strategy watches the exits itself
        super().on_order_event(event)
        if not isinstance(event, OrderFilled) or self.config.entry is not Entry.STOPS:
            return
        if any(order.client_order_id == event.client_order_id for order in self._entries):
            for order in self._entries:
                if order.client_order_id != event.client_order_id:
                    self.cancel(order)

    def on_reset(self) -> None:
        """Forget the trade."""
        super().on_reset()
        self._forget()

    def stand_aside(self) -> None:
        """Take entries off the market; the protection of an open position stays."""
        for order in self._entries:
            self.cancel(order)

    # -- the range -------------------------------------------------------------------------------------------------

    def _widen(self, quote: QuoteTick) -> None:
        prices = (quote.bid_price, quote.ask_price)
        if prices == self._seen:
            return  # only a size has changed
        self._seen = prices
        low, high = (price.as_decimal() for price in prices)
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        self._changes += 1
        if self._changes < self.config.range_quotes:
            return
        self.phase = Phase.ARMED
        if self.config.entry in (Entry.OCO, Entry.STOPS):
            self._place_stops()

    def _trigger(self, side: Side) -> Decimal:
        """The price beyond which a breakout begins, quote per base."""
        assert self.high is not None
        assert self.low is not None
        edge = self.high if side is Side.BUY else self.low
        trigger: Decimal = edge + side.sign * self.config.buffer_ticks * self.tick
        return trigger

    def _trigger_price(self, side: Side) -> Price:
        return self.price(self._trigger(side), side, into=True)

    @property
    def _sides(self) -> list[Side]:
        return list(Side) if self.config.allow_short else [Side.BUY]

    # -- entering --------------------------------------------------------------------------------------------------

    def _place_stops(self) -> None:
        quantity = self._quantity()
        if quantity is None:
            return
        sides = self._sides
        if self.config.entry is Entry.OCO and len(sides) > 1:
            pair = self._pair(
                [
                    Leg(OrderType.STOP_MARKET, side, quantity, self._trigger_price(side), f"ENTRY-{side.value}")
                    for side in sides
                ]
            )
            self._entries = pair.orders
            self._send_list(pair)
            return
        for side in sides:
            order = self.order_factory.stop_market(
                self.config.instrument_id,
                side.order_side,
                quantity,
                self._trigger_price(side),
                tags=[f"ENTRY-{side.value}"],
            )
            self._entries.append(order)
            self.send(order)

    def _watch_entries(self, quote: QuoteTick) -> None:
        if not self._entries:
            self._enter_if_broken_out(quote)
            return
        waits = [order for order in self._entries if active(order)]
        if waits:
            rests = self.config.entry in (Entry.OCO, Entry.STOPS) and filled(self._entries) == 0
            if not rests:
                # A rest that missed the market is not worth waiting for: the position needs its exits first.
                for order in waits:
                    if settled(order):
                        self.cancel(order)
            return
        if filled(self._entries) > 0:
            self._entered(quote)
        else:
            self._entries.clear()
            # Cancelled while standing aside: try again. A refusal is counted by the base and halts in the end.
            if self.config.entry in (Entry.OCO, Entry.STOPS):
                self._place_stops()

    def _enter_if_broken_out(self, quote: QuoteTick) -> None:
        for side in self._sides:
            best = (quote.bid_price if side is Side.BUY else quote.ask_price).as_decimal()
            if side.sign * (best - self._trigger(side)) < 0:
                continue
            quantity = self._quantity()
            if quantity is None:
                return
            price = self.beyond(side, self.config.exit_offset_ticks)
            role = f"ENTRY-{side.value}"
            if self.config.entry is Entry.BRACKET:
                self._entries = [self._send_bracket(side, quantity, price, role)]
            else:
                self._entries = [self.limit(side, quantity, price, role)]
            return

    def _send_bracket(self, side: Side, quantity: Quantity, price: Price, role: str) -> Order:
        assert self.quote is not None
        entry = (self.quote.ask_price if side is Side.BUY else self.quote.bid_price).as_decimal()
        bracket = self.order_factory.bracket(
            self.config.instrument_id,
            side.order_side,
            quantity,
            entry_order_type=OrderType.LIMIT,
            entry_price=price,
            tp_price=self._take_profit(side, entry),
            sl_trigger_price=self._stop_loss(side, entry),
            tp_post_only=False,
            entry_tags=[role],
            tp_tags=["TAKE-PROFIT"],
            sl_tags=["STOP-LOSS"],
        )
        first, *self._protection = bracket.orders
        self._send_list(bracket)
        return first

    # -- in a position ---------------------------------------------------------------------------------------------

    def _entered(self, quote: QuoteTick) -> None:
        self.phase = Phase.ENTERED
        if self.config.entry is Entry.BRACKET:
            self._managed = False
        elif not self._managed:
            self._protect()
        if self._managed:
            self._watch_position(quote)

    def _protect(self) -> None:
        net = self.net_position()
        quantity = self.qty(abs(net))
        if quantity is None:
            return
        side = Side.BUY if net > 0 else Side.SELL
        entry = self._average()
        pair = self._pair(
            [
                Leg(OrderType.LIMIT, side.opposite, quantity, self._take_profit(side, entry), "TAKE-PROFIT"),
                Leg(OrderType.STOP_MARKET, side.opposite, quantity, self._stop_loss(side, entry), "STOP-LOSS"),
            ]
        )
        # Known before it is sent: a refusal may come at once.
        self._protection = pair.orders
        self._send_list(pair)

    def _watch_position(self, quote: QuoteTick) -> None:
        net = self.net_position()
        if net == 0:
            self._finished()
            return
        if not self._managed:
            if any(order.status in _REFUSED for order in self._protection) or not any(map(active, self._protection)):
                self.log.warning("the venue does not hold the exits of the position: watching them here instead")
                self._managed = True
                self._cancel_protection()
            return
        if any(active(order) for order in self._protection):
            self._cancel_protection()
            return
        side = Side.BUY if net > 0 else Side.SELL
        best = (quote.bid_price if side is Side.BUY else quote.ask_price).as_decimal()
        gain = side.sign * (best - self._average())
        if gain >= self.config.take_profit_ticks * self.tick:
            self._leave("TAKE-PROFIT")
        elif gain <= -self.config.stop_loss_ticks * self.tick:
            self._leave("STOP-LOSS")

    def _leave(self, role: str = "EXIT") -> None:
        """Close the position; what an earlier attempt left is tried again at the market's new price."""
        self.phase = Phase.LEAVING
        net = self.net_position()
        if net == 0:
            self._finished()
            return
        under_way = self.exiting()
        for order in under_way:
            self.cancel(order)
        if not under_way:
            self.exit(net, role)

    def _finished(self) -> None:
        if any(active(order) for order in self._protection):
            self._cancel_protection()
            return
        self.trades += 1
        if self.trades < self.config.max_trades:
            self._begin()
        else:
            self.phase = Phase.DONE

    def _cancel_protection(self) -> None:
        for order in self._protection:
            self.cancel(order)

    # -- orders ----------------------------------------------------------------------------------------------------

    def _quantity(self) -> Quantity | None:
        quantity = self.qty(self.config.order_qty)
        if quantity is None:
            self.halt(f"order_qty {self.config.order_qty} is below the least quantity of {self.config.instrument_id}")
        return quantity

    def _average(self) -> Decimal:
        """Return the average price at which the position was opened, quote per base."""
        return notional(self._entries) / filled(self._entries)

    def _take_profit(self, side: Side, entry: Decimal) -> Price:
        return self.price(entry + side.sign * self.config.take_profit_ticks * self.tick, side.opposite)

    def _stop_loss(self, side: Side, entry: Decimal) -> Price:
        return self.price(entry - side.sign * self.config.stop_loss_ticks * self.tick, side.opposite, into=True)

    def _pair(self, legs: list[Leg]) -> OrderList:
        """Make orders of which one cancels the other (the order factory makes no such pairs)."""
        factory = self.order_factory
        list_id = factory.generate_order_list_id()
        ids = [factory.generate_client_order_id() for _ in legs]
        orders: list[Order] = []
        for client_order_id, leg in zip(ids, legs, strict=True):
            common = {
                "trader_id": self.trader_id,
                "strategy_id": self.id,
                "instrument_id": self.config.instrument_id,
                "client_order_id": client_order_id,
                "order_side": leg.side.order_side,
                "quantity": leg.quantity,
                "init_id": UUID4(),
                "ts_init": self.clock.timestamp_ns(),
                "contingency_type": ContingencyType.OCO,
                "order_list_id": list_id,
                "linked_order_ids": [other for other in ids if other != client_order_id],
                "tags": [leg.role],
            }
            if leg.order_type == OrderType.LIMIT:
                orders.append(LimitOrder(price=leg.price, **common))
            else:
                orders.append(StopMarketOrder(trigger_price=leg.price, trigger_type=TriggerType.DEFAULT, **common))
        return OrderList(list_id, orders)

    def _send_list(self, orders: OrderList) -> None:
        self.submit_order_list(orders, client_id=self.config.client_id, params=self.config.order_params)
