"""A ladder of limit orders around the market; what fills can be taken off at a profit, rung by rung.

*** A sample with no edge whatsoever: not meant to trade real money. ***
"""

from decimal import Decimal
from typing import NamedTuple

from nautilus_trader.common.config import NonNegativeInt, PositiveInt
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.orders import Order

from strategies.common import QuotedStrategy, QuotedStrategyConfig, Side, active, settled


class LimitLadderConfig(QuotedStrategyConfig, kw_only=True, frozen=True):
    """Configuration of `LimitLadder`.

    Parameters
    ----------
    order_qty : Decimal
        Size of each rung, base units.
    levels : int
        Rungs on each side.
    first_offset_ticks : int
        Distance of the nearest rung from the best price of its own side, ticks.
    step_ticks : int
        Distance between rungs, ticks.
    sides : tuple[Side, ...]
        On which sides there are rungs.
    recentre_ticks : int, optional
        Once the middle has moved so far from where the ladder was built, ticks, it is taken down and built anew;
        None: it stays where it is.
    take_profit_ticks : int, optional
        What a rung filled is sold (bought back) so far from the rung's price, ticks, and then the rung is placed
        again; None: filled rungs stay empty until the ladder is built anew.
    post_only : bool
        Whether rungs are post-only (not every venue takes it).
    """

    order_qty: Decimal
    levels: PositiveInt = 3
    first_offset_ticks: NonNegativeInt = 10
    step_ticks: PositiveInt = 10
    sides: tuple[Side, ...] = (Side.BUY, Side.SELL)
    recentre_ticks: PositiveInt | None = None
    take_profit_ticks: PositiveInt | None = None
    post_only: bool = False


class Rung(NamedTuple):
    """One place in the ladder: its side, and its number counted from the market."""

    side: Side
    level: int


class LimitLadder(QuotedStrategy):
    """Keeps the ladder.

    Parameters
    ----------
    config : LimitLadderConfig

    Attributes
    ----------
    centre : Decimal, optional
        Middle of the market when the ladder was built, quote per base.
    """

    def __init__(self, config: LimitLadderConfig) -> None:
        super().__init__(config)
        self.centre: Decimal | None = None
        self._is_moving = False
        self._prices: dict[Rung, Decimal] = {}
        self._rungs: dict[Rung, Order] = {}
        self._profits: dict[Rung, Order] = {}

    def on_market(self, quote: QuoteTick) -> None:
        """Build the ladder, move it if the market went away, and look after what filled."""
        if self.centre is None:
            self._build(quote)
        elif self._is_moving or self._is_off_centre(quote):
            self._take_down()
        self._look_after_fills()

    def on_reset(self) -> None:
        """Forget the ladder."""
        super().on_reset()
        self.centre = None
        self._is_moving = False
        self._prices.clear()
        self._rungs.clear()
        self._profits.clear()

    def _build(self, quote: QuoteTick) -> None:
        self.centre = self.mid(quote)
        for level in range(self.config.levels):
            away = (self.config.first_offset_ticks + level * self.config.step_ticks) * self.tick
            for side in self.config.sides:
                best = quote.bid_price if side is Side.BUY else quote.ask_price
                rung = Rung(side, level)
                self._prices[rung] = best.as_decimal() - side.sign * away
                if rung not in self._profits:  # its last fill is still to be taken off
                    self._place(rung)

    def _place(self, rung: Rung) -> None:
        if self.halted:
            return  # while the ladder was being built
        quantity = self.qty(self.config.order_qty)
        if quantity is None:
            self.halt(f"order_qty {self.config.order_qty} is below the least quantity of {self.config.instrument_id}")
            return
        if rung.side is Side.SELL and not self.config.allow_short and self._uncovered() < self.config.order_qty:
            return
        price = self.price(self._prices[rung], rung.side)
        role = f"{rung.side.value}-{rung.level}"
        self._rungs[rung] = self.limit(rung.side, quantity, price, role, post_only=self.config.post_only)

    def _uncovered(self) -> Decimal:
        """How much of a long position no resting order sells yet, base units."""
        selling = [order for order in self.working() if order.side == Side.SELL.order_side]
        return self.net_position() - sum((order.leaves_qty.as_decimal() for order in selling), Decimal(0))

    def _is_off_centre(self, quote: QuoteTick) -> bool:
        if self.config.recentre_ticks is None or self.centre is None:
            return False
        return bool(abs(self.mid(quote) - self.centre) >= self.config.recentre_ticks * self.tick)

    def _take_down(self) -> None:
        """Cancel the rungs; once all are over, the next quote builds the ladder anew."""
        self._is_moving = True
        for order in self._rungs.values():
            if settled(order):
                self.cancel(order)
        if not any(active(order) for order in self._rungs.values()):
            self.centre = None
            self._is_moving = False

    def _look_after_fills(self) -> None:
        if self.config.take_profit_ticks is None:
            return
        for rung, order in list(self._rungs.items()):
            if order.is_closed:
                self._look_after(rung, order)

    def _look_after(self, rung: Rung, order: Order) -> None:
        """Take off what a rung filled; once that is done, place the rung again."""
        profit = self._profits.get(rung)
        if profit is None:
            quantity = self.qty(order.filled_qty.as_decimal())  # None: nothing to take off
        elif not profit.is_closed:
            return
        else:
            # Cancelled while standing aside, or refused: what it did not close is still to be closed.
            quantity = self.qty(profit.leaves_qty.as_decimal())
            if quantity is None:
                del self._profits[rung], self._rungs[rung]
                if self.centre is not None and not self._is_moving:
                    self._place(rung)
        if quantity is None:
            return
        exit_side = rung.side.opposite
        away = rung.side.sign * (self.config.take_profit_ticks or 0) * self.tick
        price = self.price(order.price.as_decimal() + away, exit_side)
        self._profits[rung] = self.limit(exit_side, quantity, price, f"PROFIT-{rung.side.value}-{rung.level}")
