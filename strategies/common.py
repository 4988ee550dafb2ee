"""What the sample strategies share: one instrument, decisions at quotes, a way out, and standing aside.

Every decision is taken when a quote arrives; order events only change what the next decision knows (the one exception
is a cancel that cannot wait). So a strategy does the same in a backtest, where the answer to an order comes at once,
and live, where it takes a while, and it needs no timer.
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum, unique
from typing import Any

from nautilus_trader.common.config import NonNegativeInt, PositiveInt, resolve_path
from nautilus_trader.config import StrategyConfig
from nautilus_trader.core.data import Data
from nautilus_trader.model.data import DataType, QuoteTick
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.events import OrderAccepted, OrderDenied, OrderEvent, OrderFilled, OrderRejected
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.strategy import Strategy


@unique
class Side(Enum):
    """Which way to trade (the framework's own enum cannot be read from a configuration file)."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def order_side(self) -> OrderSide:
        """The framework's word."""
        return OrderSide.BUY if self is Side.BUY else OrderSide.SELL

    @property
    def sign(self) -> int:
        """`1` for a buy, `-1` for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other one."""
        return Side.SELL if self is Side.BUY else Side.BUY


@unique
class ExitType(Enum):
    """By what order a position is closed."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"


@unique
class Force(Enum):
    """How long a closing order may live."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"

    @property
    def time_in_force(self) -> TimeInForce:
        """The framework's word."""
        return TimeInForce[self.value]


class QuotedStrategyConfig(StrategyConfig, kw_only=True, frozen=True):
    """What every sample strategy is told.

    Parameters
    ----------
    instrument_id : InstrumentId
        What to trade.
    client_id : ClientId, optional
        Whose data and execution to use; None: by the instrument's venue.
    order_params : dict[str, Any], optional
        Sent with every order (a venue's own fields).
    exit_type : ExitType
        By what order a position is closed: at the market, or by a limit order `exit_offset_ticks` beyond the best
        opposite price, for venues whose market orders are not in base units.
    exit_offset_ticks : int
        See `exit_type`, ticks.
    exit_time_in_force : Force
        Of closing orders. With GTC a limit order that misses the market rests.
    reduce_only : bool
        Whether closing orders say so (not every venue takes it).
    allow_short : bool
        Whether the position may go below zero. At a spot venue: whether to sell what the account held before.
    cancel_on_stop, close_on_stop : bool
        What to do with open orders and the position when the strategy is stopped. An order sent in the very moment of
        the stop, of which not even the execution engine has heard, cannot be cancelled any more: the framework's own
        `manage_stop=True` waits for such orders, and closes at the market.
    max_refusals : int
        After so many orders denied or rejected in a row the strategy halts: it cancels what it has and sends no more.
    health_type : str, optional
        Path ``"package.module:Class"`` of custom data that tell how a feed is doing, with attributes `is_live`,
        `client_id` and `stream`; None: feeds are taken to be live.
    health_client_id : ClientId, optional
        Whose feeds to follow; None: those of `client_id`, else of the client named after the instrument's venue.
    """

    instrument_id: InstrumentId
    client_id: ClientId | None = None
    order_params: dict[str, Any] | None = None
    exit_type: ExitType = ExitType.MARKET
    exit_offset_ticks: NonNegativeInt = 20
    exit_time_in_force: Force = Force.GTC
    reduce_only: bool = False
    allow_short: bool = True
    cancel_on_stop: bool = True
    close_on_stop: bool = True
    max_refusals: PositiveInt = 3
    health_type: str | None = None
    health_client_id: ClientId | None = None


class QuotedStrategy(Strategy):
    """A strategy on one instrument that decides at quotes.

    A subclass implements `on_market`, and may extend `on_order_event` and `on_reset` (calling the base's).

    Attributes
    ----------
    instrument : Instrument, optional
        Once started.
    quote : QuoteTick, optional
        The last one.
    halted : str
        Why no more orders are sent; empty while all is well.
    refusals : int
        Orders denied or rejected in a row.
    down : frozenset[str]
        Streams of the venue that are not live.
    """

    def __init__(self, config: QuotedStrategyConfig) -> None:
        super().__init__(config)
        self.instrument: Instrument | None = None
        self.quote: QuoteTick | None = None
        self.halted = ""
        self.refusals = 0
        self._down: set[str] = set()
        self._exits: list[Order] = []

    # -- to be implemented -----------------------------------------------------------------------------------------

    def on_market(self, quote: QuoteTick) -> None:
        """Decide; called with every quote while the feeds are live and nothing has halted the strategy."""
        raise NotImplementedError

    # -- the framework's callbacks ---------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Find the instrument and subscribe; without it, say so and stop."""
        instrument_id = self.config.instrument_id
        self.instrument = self.cache.instrument(instrument_id)
        if self.instrument is None:
            self.halt(
                f"instrument {instrument_id} is not in the cache: expected one that a data or execution client of "
                f"{instrument_id.venue} has loaded; check its spelling and the client's `instrument_provider`"
            )
            self.stop()
            return
        if self.config.health_type is not None:
            health = DataType(resolve_path(self.config.health_type))
            self.subscribe_data(health, client_id=self._health_client_id())
        self.subscribe_quote_ticks(instrument_id, client_id=self.config.client_id)

    def on_quote_tick(self, quote: QuoteTick) -> None:
        """Decide, unless something speaks against it."""
        if quote.instrument_id != self.config.instrument_id or quote.ask_price < quote.bid_price:
            return  # a crossed quote is no market
        self.quote = quote
        if self.halted or self._down:
            self.stand_aside()
        elif not self.is_exiting():
            self.on_market(quote)

    def on_data(self, data: Data) -> None:
        """Follow the health of the venue's feeds: while one is not live, stand aside."""
        is_live = getattr(data, "is_live", None)
        if is_live is None or getattr(data, "client_id", None) != self._health_client_id().value:
            return
        stream = str(getattr(data, "stream", ""))
        if is_live:
            self._down.discard(stream)
        elif stream not in self._down:
            self._down.add(stream)
            self.log.warning(f"feed {stream!r} is {getattr(data, 'state', 'not live')}: standing aside")
            if self.is_running:
                self.stand_aside()

    def on_order_event(self, event: OrderEvent) -> None:
        """Count refusals in a row; too many of them halt the strategy."""
        match event:
            case OrderDenied():
                self._refused(event.reason)
            case OrderRejected():
                # A post-only order that would have taken is part of the trade, no fault.
                if not event.due_post_only:
                    self._refused(event.reason)
            case OrderAccepted() | OrderFilled():
                self.refusals = 0

    def on_stop(self) -> None:
        """Cancel and close, as configured."""
        if self.instrument is None:
            return
        if self.config.cancel_on_stop:
            self.cancel_working()
        if self.config.close_on_stop:
            self.close_out()
        # Quotes stay subscribed: the sandbox takes commands in when a price arrives, those just sent, too.

    def on_reset(self) -> None:
        """Forget everything, to be started anew."""
        self.instrument = None
        self.quote = None
        self.halted = ""
        self.refusals = 0
        self._down.clear()
        self._exits.clear()

    # -- what subclasses use ---------------------------------------------------------------------------------------

    @property
    def down(self) -> frozenset[str]:
        """Streams of the venue that are not live."""
        return frozenset(self._down)

    @property
    def tick(self) -> Decimal:
        """The step of prices, quote per base."""
        assert self.instrument is not None
        step: Decimal = self.instrument.price_increment.as_decimal()
        return step

    def halt(self, reason: str) -> None:
        """Send no more orders, and say why."""
        self.halted = reason
        self.log.error(f"halted: {reason}")

    def stand_aside(self) -> None:
        """Take every resting order off the market."""
        self.cancel_working()

    def working(self) -> list[Order]:
        """Return the strategy's orders that are not over, oldest first."""
        orders = self.cache.orders(instrument_id=self.config.instrument_id, strategy_id=self.id)
        return sorted((o for o in orders if not o.is_closed), key=lambda o: (o.ts_init, o.client_order_id.value))

    def cancel_working(self) -> None:
        """Cancel every order that is not over and not being cancelled."""
        for order in self.working():
            self.cancel(order)

    def cancel(self, order: Order) -> None:
        """Cancel an order unless it is over or being cancelled already."""
        if not order.is_closed and not order.is_pending_cancel:
            self.cancel_order(order, client_id=self.config.client_id)

    def net_position(self) -> Decimal:
        """Return the strategy's own position, base units, negative if short."""
        positions = self.cache.positions_open(instrument_id=self.config.instrument_id, strategy_id=self.id)
        return sum((position.signed_decimal_qty() for position in positions), Decimal(0))

    def price(self, value: Decimal, side: Side, *, into: bool = False) -> Price:
        """Return a price on the tick: rounded away from the market, or `into` it.

        Parameters
        ----------
        value : Decimal
            Quote per base.
        side : Side
            Of the order it is for.
        into : bool
            Whether rounding may make the order more aggressive.
        """
        assert self.instrument is not None
        rounding = ROUND_FLOOR if (side is Side.BUY) != into else ROUND_CEILING
        steps = max((value / self.tick).to_integral_value(rounding), Decimal(1))
        return self.instrument.make_price(steps * self.tick)

    def qty(self, value: Decimal) -> Quantity | None:
        """Return a quantity rounded down to the lot (base units), None if that is below the least there can be."""
        assert self.instrument is not None
        step: Decimal = self.instrument.size_increment.as_decimal()
        value = (value / step).to_integral_value(ROUND_FLOOR) * step
        least = self.instrument.min_quantity
        if value <= 0 or (least is not None and value < least.as_decimal()):
            return None
        return self.instrument.make_qty(value)

    def limit(
        self,
        side: Side,
        quantity: Quantity,
        price: Price,
        role: str,
        *,
        post_only: bool = False,
        display_qty: Quantity | None = None,
        reduce_only: bool = False,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> Order:
        """Submit a limit order; `role` is what it is for, kept as its tag."""
        order = self.order_factory.limit(
            self.config.instrument_id,
            side.order_side,
            quantity,
            price,
            time_in_force=time_in_force,
            post_only=post_only,
            reduce_only=reduce_only,
            display_qty=display_qty,
            tags=[role],
        )
        self.send(order)
        return order

    def send(self, order: Order) -> None:
        """Submit an order as configured."""
        self.submit_order(order, client_id=self.config.client_id, params=self.config.order_params)

    def close_out(self) -> None:
        """Close the strategy's own position with one order, unless one is under way."""
        net = self.net_position()
        if net != 0:
            self.exit(net, "EXIT")

    def exit(self, net: Decimal, role: str) -> Order | None:
        """Send an order that brings a position of `net` (base units, negative if short) to zero.

        Returns
        -------
        Order, optional
            None if one is under way, or the position is too small for an order, or no price is known.
        """
        if self.exiting():
            return None
        order = self.take(Side.SELL if net > 0 else Side.BUY, abs(net), role, reduce_only=self.config.reduce_only)
        if order is not None:
            self._exits = [order]
        return order

    def take(self, side: Side, value: Decimal, role: str, *, reduce_only: bool = False) -> Order | None:
        """Send an order that trades at once, of the type that closes positions (`exit_type`).

        Returns
        -------
        Order, optional
            None if `value` (base units) is too small for an order, or no price is known.
        """
        quantity = self.qty(value)
        if quantity is None:
            self.log.warning(f"{value} {self.config.instrument_id} is too small for an order")
            return None
        force = self.config.exit_time_in_force.time_in_force
        match self.config.exit_type:
            case ExitType.MARKET:
                order = self.order_factory.market(
                    self.config.instrument_id,
                    side.order_side,
                    quantity,
                    time_in_force=force,
                    reduce_only=reduce_only,
                    tags=[role],
                )
                self.send(order)
            case ExitType.LIMIT:
                if self.quote is None:
                    self.log.error(f"{value} is not traded: no price is known for a limit order that takes")
                    return None
                price = self.beyond(side, self.config.exit_offset_ticks)
                order = self.limit(side, quantity, price, role, reduce_only=reduce_only, time_in_force=force)
        return order

    def exiting(self) -> list[Order]:
        """Return the closing orders under way."""
        return [order for order in self._exits if not order.is_closed]

    def beyond(self, side: Side, ticks: int) -> Price:
        """Return a price `ticks` beyond the best opposite one, at which an order trades at once."""
        assert self.quote is not None
        best = self.quote.ask_price if side is Side.BUY else self.quote.bid_price
        return self.price(best.as_decimal() + side.sign * ticks * self.tick, side, into=True)

    def mid(self, quote: QuoteTick) -> Decimal:
        """Return the middle of a quote, quote per base."""
        middle: Decimal = (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
        return middle

    # -- inside ----------------------------------------------------------------------------------------------------

    def _health_client_id(self) -> ClientId:
        named = self.config.health_client_id or self.config.client_id
        return named or ClientId(self.config.instrument_id.venue.value)

    def _refused(self, reason: str) -> None:
        self.refusals += 1
        if self.refusals >= self.config.max_refusals and not self.halted:
            self.halt(f"{self.refusals} orders in a row were refused, the last one because: {reason}")


def notional(orders: Iterable[Order]) -> Decimal:
    """Return what the fills of the orders are worth, quote currency: exact, as `Order.avg_px` is not."""
    fills = (event for order in orders for event in order.events if isinstance(event, OrderFilled))
    return sum((fill.last_qty.as_decimal() * fill.last_px.as_decimal() for fill in fills), Decimal(0))


def active(order: Order | None) -> bool:
    """Whether there is an order and it is not over."""
    return order is not None and not order.is_closed


def settled(order: Order) -> bool:
    """Whether an order rests and no request about it is open, so that it may be changed or cancelled."""
    return bool(order.is_open and not order.is_inflight)


def filled(orders: Iterable[Order]) -> Decimal:
    """Return what the orders filled together, base units."""
    return sum((order.filled_qty.as_decimal() for order in orders), Decimal(0))
