"""A take-profit and stop-loss guard: watches positions, whoever opened them, and closes them at their limits.

*** A sample: a guard that watches quotes is only as good as the feed it watches. ***
"""

from decimal import Decimal
from enum import Enum, unique
from typing import Final

from nautilus_trader.common.config import PositiveInt
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import PositionId
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from strategies.common import QuotedStrategy, QuotedStrategyConfig, Side, active

_REFUSED: Final = (OrderStatus.DENIED, OrderStatus.REJECTED)


@unique
class Guarded(Enum):
    """Which positions of the instrument are guarded."""

    OWN = "OWN"
    """Those of this strategy: what it opened itself, and external ones it claims (`external_order_claims`)."""

    ALL = "ALL"
    """Those of every strategy of the node, and external ones."""


class GuardConfig(QuotedStrategyConfig, kw_only=True, frozen=True):
    """Configuration of `Guard`.

    Parameters
    ----------
    take_profit_ticks, stop_loss_ticks : int, optional
        How far the best price at which the position could be closed may be from its average opening price before it
        is closed, ticks; None: no such limit.
    trailing_ticks : int, optional
        The same distance from the best price seen since the position was first watched; None: no such limit.
    guarded : Guarded
    open_qty : Decimal, optional
        Open a position of this size first (base units, negative for a short one), to guard it: for trying it out.
    close_on_stop : bool
        Whether the strategy's own position is closed when the guard is stopped; default: positions stay.
    """

    take_profit_ticks: PositiveInt | None = None
    stop_loss_ticks: PositiveInt | None = None
    trailing_ticks: PositiveInt | None = None
    guarded: Guarded = Guarded.OWN
    open_qty: Decimal | None = None
    close_on_stop: bool = False


class Guard(QuotedStrategy):
    """Guards positions.

    A closing order that did not fill (a limit order the market ran away from) is cancelled at the next quote and sent
    again at the new price; the guard never has two for one position.

    Parameters
    ----------
    config : GuardConfig

    Attributes
    ----------
    closed : list[str]
        What it did, in words, oldest first.
    """

    def __init__(self, config: GuardConfig) -> None:
        super().__init__(config)
        self.closed: list[str] = []
        self._opening: Order | None = None
        self._best: dict[PositionId, Decimal] = {}
        self._triggered: dict[PositionId, str] = {}

    def on_start(self) -> None:
        """Say it if there is nothing to guard by."""
        super().on_start()
        limits = (self.config.take_profit_ticks, self.config.stop_loss_ticks, self.config.trailing_ticks)
        if self.instrument is not None and all(limit is None for limit in limits):
            self.halt("no limit is configured: expected take_profit_ticks, stop_loss_ticks or trailing_ticks")

    def on_market(self, quote: QuoteTick) -> None:
        """Look at every guarded position."""
        if self.config.open_qty and (self._opening is None or self._opening.status in _REFUSED):
            # An opening order has the form of a closing one of the other sign.
            self._opening = self.exit(-self.config.open_qty, "OPEN")
            return
        if active(self._opening):
            return
        for position in self._positions():
            self._look_at(position, quote)

    def stand_aside(self) -> None:
        """Do nothing: a closing order under way is wanted all the more when the feed is bad."""

    def on_reset(self) -> None:
        """Forget what was seen."""
        super().on_reset()
        self.closed.clear()
        self._opening = None
        self._best.clear()
        self._triggered.clear()

    def _positions(self) -> list[Position]:
        owner = self.id if self.config.guarded is Guarded.OWN else None
        found = self.cache.positions_open(instrument_id=self.config.instrument_id, strategy_id=owner)
        return sorted(found, key=lambda position: position.id.value)

    def _look_at(self, position: Position, quote: QuoteTick) -> None:
        under_way = self.exiting(position.id)
        if position.id not in self._triggered:
            reason = self._reason(position, quote)
            if not reason:
                return
            self._triggered[position.id] = reason
            net = position.signed_decimal_qty()
            what = f"{reason}: closing {net} of {position.id} opened at {position.avg_px_open}"
            self.closed.append(what)
            self.log.warning(what)
        elif under_way:
            for order in under_way:
                self.cancel(order)
            return
        if not under_way:
            self.exit(position.signed_decimal_qty(), self._triggered[position.id], position.id)

    def _reason(self, position: Position, quote: QuoteTick) -> str:
        """Why the position is to be closed; empty if it is not."""
        side = Side.BUY if position.is_long else Side.SELL
        best = (quote.bid_price if side is Side.BUY else quote.ask_price).as_decimal()
        # The framework keeps this as a float: digits beyond a thousandth of a tick are its noise.
        entry = Decimal(str(position.avg_px_open)).quantize(self.tick / 1000)
        highest = self._best.get(position.id, best)
        highest = self._best[position.id] = max(best, highest) if side is Side.BUY else min(best, highest)
        gain, fallback = side.sign * (best - entry), side.sign * (highest - best)
        config = self.config
        if config.stop_loss_ticks is not None and gain <= -config.stop_loss_ticks * self.tick:
            return "STOP-LOSS"
        if config.take_profit_ticks is not None and gain >= config.take_profit_ticks * self.tick:
            return "TAKE-PROFIT"
        if config.trailing_ticks is not None and fallback >= config.trailing_ticks * self.tick:
            return "TRAILING-STOP"
        return ""
