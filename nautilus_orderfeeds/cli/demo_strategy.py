"""The strategy of the demonstration: a plain framework strategy that knows nothing of venues or of this package.

It plays a fixed story: enter, rest and modify, be filled in parts, be refused, take at once, sit through an outage,
leave. What it cannot know of a venue it is told by its config, as every strategy would be.
"""

import asyncio
from collections.abc import Callable, Generator
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from enum import Enum
from typing import Any, Final

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.data import DataType
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.events import OrderModifyRejected
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.adapter.custom_data import FeedHealth

_TURN: Final = timedelta(milliseconds=50)
_PATIENCE_SECS: Final = 10.0
#: The outage begins when every venue's strategy is ready for it.
_OUTAGE_PATIENCE_SECS: Final = 40.0
_BREATH_SECS: Final = 0.7


class Scene(Enum):
    """Where the story stands; the value is what the audience reads."""

    STARTING = "waiting for a first price"
    ENTER = "buys at the market"
    MODIFY = "rests a bid and changes it"
    PARTIAL = "is filled in parts"
    POST_ONLY = "is refused a post-only order"
    IOC = "takes at once or not at all"
    OUTAGE = "rests a bid and an offer through an outage"
    LEAVE = "cancels what rests and closes its position"
    DONE = "done"


class DemoStrategyConfig(StrategyConfig, frozen=True):
    """Configuration of `DemoStrategy`.

    Parameters
    ----------
    instrument_id : InstrumentId
        What to trade.
    client_id : ClientId
        Whose feed health to follow.
    passive_ticks : int
        How far from the best price an order rests in peace, ticks.
    reference_price : Decimal
        Where to begin if the venue publishes no quotes, quote per base.
    least_qty : Decimal
        Smallest order that is worth the name, base units, where the instrument does not say.
    quotes, market_orders, ioc, post_only, modify : bool
        What the venue can do.
    """

    instrument_id: InstrumentId
    client_id: ClientId
    passive_ticks: int
    reference_price: Decimal
    least_qty: Decimal = Decimal(0)
    quotes: bool = True
    market_orders: bool = True
    ioc: bool = True
    post_only: bool = True
    modify: bool = True


class Stuck(Exception):
    """Something the story waited for did not come."""


class Wait:
    """What the story waits for; `what` is empty for a mere pause."""

    def __init__(self, what: str, met: Callable[[], Any], secs: float = _PATIENCE_SECS) -> None:
        self.what = what
        self.met = met
        self.secs = secs


Story = Generator[Wait, None, None]


class DemoStrategy(Strategy):
    """Plays the story once.

    Attributes
    ----------
    scene : Scene
        Where it stands.
    problems : list[str]
        What did not come as it should have.
    outage_order : Order, optional
        The bid that rests through the outage.
    """

    def __init__(self, config: DemoStrategyConfig) -> None:
        super().__init__(config)
        self.scene = Scene.STARTING
        self.problems: list[str] = []
        self.outage_order: Order | None = None
        self._instrument: Instrument
        self._loop: asyncio.AbstractEventLoop
        self._story = self._play()
        self._wait: Wait | None = None
        self._deadline_secs = 0.0
        self._down: set[str] = set()
        self._refusals: dict[str, str] = {}

    # -- the framework's callbacks ---------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Subscribe and begin."""
        instrument = self.cache.instrument(self.config.instrument_id)
        if instrument is None:
            self._fail(f"{self.config.instrument_id} is no loaded instrument")
            return
        self._instrument = instrument
        self._loop = asyncio.get_running_loop()
        self.subscribe_data(DataType(FeedHealth), client_id=self.config.client_id)
        if self.config.quotes:
            self.subscribe_quote_ticks(instrument.id)
        # Live timers call from a thread of their own; the story's turns are taken on the loop like every event.
        self.clock.set_timer("story", _TURN, callback=lambda _: self._loop.call_soon_threadsafe(self._turn))

    def on_stop(self) -> None:
        """Leave nothing behind."""
        if "story" in self.clock.timer_names:
            self.clock.cancel_timer("story")
        self.cancel_all_orders(self.config.instrument_id)

    def on_data(self, data: Any) -> None:
        """Follow the health of our own venue's feeds: while one is not live, stand aside."""
        if isinstance(data, FeedHealth) and data.client_id == self.config.client_id.value:
            if data.is_live:
                self._down.discard(data.stream)
            else:
                self._down.add(data.stream)

    def on_order_modify_rejected(self, event: OrderModifyRejected) -> None:
        """Remember why a change was refused."""
        self._refusals[event.client_order_id.value] = event.reason

    # -- taking turns ----------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        if self.scene is Scene.DONE or not self.is_running:
            return
        now = self.clock.timestamp()
        if self._down and self._wait is not None:
            self._deadline_secs = now + self._wait.secs
            return
        try:
            if self._wait is None or self._wait.met():
                self._wait = next(self._story)
            elif now < self._deadline_secs:
                return
            else:
                self._wait = self._story.throw(Stuck(f"waited {self._wait.secs:g} s for {self._wait.what}"))
            self._deadline_secs = now + self._wait.secs
        except StopIteration:
            self.scene = Scene.DONE
        except Exception as e:
            self._fail(f"{type(e).__name__}: {e}")

    def _fail(self, problem: str) -> None:
        self.problems.append(f"{self.scene.value}: {problem}")
        self.scene = Scene.DONE

    # -- the story -------------------------------------------------------------------------------------------------

    def _play(self) -> Story:
        try:
            yield Wait("a price", lambda: self._best() is not None)
            unit = self._unit()
            yield from self._enter(4 * unit)
            yield from self._rest(4 * unit)
            if self.config.post_only:
                yield from self._post_only(unit)
            if self.config.ioc:
                yield from self._ioc(unit)
            yield from self._outage(3 * unit)
        except Stuck as e:
            self.problems.append(f"{self.scene.value}: {e}")
        try:
            yield from self._leave()
        except Stuck as e:
            self.problems.append(f"{self.scene.value}: {e}")

    def _enter(self, qty: Decimal) -> Story:
        self.scene = Scene.ENTER
        yield from self._take(OrderSide.BUY, qty)
        yield self._breath()

    def _rest(self, qty: Decimal) -> Story:
        self.scene = Scene.MODIFY
        order = self._limit(OrderSide.BUY, qty, self._passive(OrderSide.BUY))
        yield Wait("the bid to rest", lambda: order.is_open and not order.is_inflight)
        yield self._breath()
        # From its own price: the market's may have moved by just that much, and then nothing would change. Towards the
        # market: that is the direction every venue with an amend call allows.
        wanted = self._instrument.make_price(order.price.as_decimal() + self._instrument.price_increment.as_decimal())
        self.modify_order(order, price=wanted)
        refused = self._refusals
        yield Wait("the change", lambda: order.price == wanted or order.client_order_id.value in refused)
        if order.client_order_id.value in refused:
            if self.config.modify:
                raise Stuck(f"the change, which was refused: {refused[order.client_order_id.value]}")
            # The venue cannot change an order: cancel it and place another.
            self.cancel_order(order)
            yield Wait("the cancel", lambda: order.is_closed)
            order = self._limit(OrderSide.BUY, qty, wanted)
            yield Wait("the new bid to rest", lambda: order.is_open and not order.is_inflight)
        yield self._breath()
        self.scene = Scene.PARTIAL
        three_quarters = qty * 3 / 4
        yield Wait("partial fills", lambda: order.filled_qty.as_decimal() >= three_quarters)
        yield self._breath()
        if not order.is_closed:
            self.cancel_order(order)
        yield Wait("the cancel of the rest", lambda: order.is_closed)

    def _post_only(self, qty: Decimal) -> Story:
        self.scene = Scene.POST_ONLY
        order = self._limit(OrderSide.BUY, qty, self._aggressive(OrderSide.BUY), post_only=True)
        yield Wait("the refusal of a post-only order that would take", lambda: order.is_closed)
        if order.filled_qty.as_decimal() > 0:
            raise Stuck("the refusal of a post-only order, which was filled")
        yield self._breath()

    def _ioc(self, qty: Decimal) -> Story:
        self.scene = Scene.IOC
        missed = self._limit(OrderSide.BUY, qty, self._passive(OrderSide.BUY), TimeInForce.IOC)
        yield Wait("the end of an IOC order that finds nothing", lambda: missed.is_closed)
        if missed.status == OrderStatus.DENIED:  # known only now: the venue's dialect has no IOC
            yield self._breath()
            return
        taken = self._limit(OrderSide.SELL, qty, self._aggressive(OrderSide.SELL), TimeInForce.IOC)
        yield Wait("the end of an IOC order that takes", lambda: taken.is_closed)
        if missed.filled_qty.as_decimal() > 0 or taken.leaves_qty.as_decimal() > 0:
            raise Stuck("one IOC order to miss and one to fill")
        yield self._breath()

    def _outage(self, qty: Decimal) -> Story:
        bid = self._limit(OrderSide.BUY, qty, self._passive(OrderSide.BUY))
        offer = self._limit(OrderSide.SELL, qty, self._passive(OrderSide.SELL))
        yield Wait("two orders to rest", lambda: bid.is_open and offer.is_open)
        yield self._breath()
        self.outage_order = bid
        self.scene = Scene.OUTAGE
        yield Wait(
            "the fills of the outage",
            lambda: bid.is_closed and offer.filled_qty.as_decimal() > 0,
            _OUTAGE_PATIENCE_SECS,
        )
        yield self._breath()

    def _leave(self) -> Story:
        self.scene = Scene.LEAVE
        instrument_id = self.config.instrument_id
        if any(not order.is_closed for order in self._own()):
            self.cancel_all_orders(instrument_id)
        yield Wait("every order to end", lambda: all(order.is_closed for order in self._own()))
        net = self.portfolio.net_position(instrument_id)
        if net:
            yield from self._take(OrderSide.SELL if net > 0 else OrderSide.BUY, abs(net))
        yield Wait("a flat position", lambda: self.portfolio.is_flat(instrument_id))

    # -- orders ----------------------------------------------------------------------------------------------------

    def _own(self) -> list[Order]:
        orders: list[Order] = self.cache.orders(instrument_id=self.config.instrument_id, strategy_id=self.id)
        return orders

    def _take(self, side: OrderSide, qty: Decimal) -> Story:
        """Trade at once: by a market order, or by a limit order beyond the best price where that does not do."""
        if self.config.market_orders:
            order = self.order_factory.market(self.config.instrument_id, side, self._qty(qty))
            self.submit_order(order)
            yield Wait("a market order to end", lambda: order.is_closed)
            qty -= order.filled_qty.as_decimal()
        if qty:
            force = TimeInForce.IOC if self.config.ioc else TimeInForce.GTC
            limit = self._limit(side, qty, self._aggressive(side), force)
            yield Wait("an aggressive limit order to fill", lambda: limit.is_closed)
            if limit.leaves_qty.as_decimal():
                raise Stuck(f"an aggressive limit order to fill, but it ended {limit.status_string()}")

    def _limit(
        self,
        side: OrderSide,
        qty: Decimal,
        price: Price,
        force: TimeInForce = TimeInForce.GTC,
        *,
        post_only: bool = False,
    ) -> Order:
        order = self.order_factory.limit(
            self.config.instrument_id, side, self._qty(qty), price, time_in_force=force, post_only=post_only
        )
        self.submit_order(order)
        return order

    def _qty(self, value: Decimal) -> Quantity:
        return self._instrument.make_qty(value)

    def _unit(self) -> Decimal:
        """Return a quantity that every order may be a multiple of, base units."""
        instrument = self._instrument
        step: Decimal = instrument.size_increment.as_decimal()
        least = max(step, instrument.min_quantity.as_decimal() if instrument.min_quantity is not None else step)
        least = max(least, self.config.least_qty)
        best = self._best()
        if instrument.min_notional is not None and best is not None:
            # Twice, so that a price moving away does not bring an order below it.
            least = max(least, 2 * instrument.min_notional.as_decimal() / best[0])
        steps: Decimal = (least / step).to_integral_value(ROUND_CEILING)
        return steps * step

    def _best(self) -> tuple[Decimal, Decimal] | None:
        """Return best bid and ask as far as known."""
        if not self.config.quotes:
            return self.config.reference_price, self.config.reference_price
        quote = self.cache.quote_tick(self.config.instrument_id)
        return None if quote is None else (quote.bid_price.as_decimal(), quote.ask_price.as_decimal())

    def _passive(self, side: OrderSide) -> Price:
        """Return a price behind the best one of the own side."""
        return self._away(side, -self.config.passive_ticks)

    def _aggressive(self, side: OrderSide) -> Price:
        """Return a price that crosses the best one of the other side."""
        return self._away(side, self.config.passive_ticks)

    def _away(self, side: OrderSide, ticks: int) -> Price:
        best = self._best()
        if best is None:
            raise Stuck("a price")
        buy = side == OrderSide.BUY
        start = best[1] if buy == (ticks > 0) else best[0]
        tick = self._instrument.price_increment.as_decimal()
        return self._instrument.make_price(start + (ticks if buy else -ticks) * tick)

    def _breath(self) -> Wait:
        """Pause, so that people can follow."""
        until = self.clock.timestamp() + _BREATH_SECS
        return Wait("", lambda: self.clock.timestamp() >= until, 60.0)
