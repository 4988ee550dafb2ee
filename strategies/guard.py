"""A take-profit and stop-loss guard: watches a position, whoever opened it, and closes it at its limits.

*** A sample: a guard that watches quotes is only as good as the feed it watches. ***
"""

from decimal import Decimal
from enum import Enum, unique
from typing import Final

from nautilus_trader.common.config import PositiveInt
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.orders import Order

from strategies.common import QuotedStrategy, QuotedStrategyConfig, Side, active

_REFUSED: Final = (OrderStatus.DENIED, OrderStatus.REJECTED)


@unique
class Guarded(Enum):
    """Which position is guarded."""

    OWN = "OWN"
    """This strategy's: what it opened itself, and external orders it claims (`external_order_claims`)."""

    NET = "NET"
    """The sum of every strategy's of the node, and of external ones.

    The framework keeps netting positions by strategy and lets none close another's, so closing the sum leaves two
    positions of opposite sign in its cache; the venue knows only the sum.
    """


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
    """Guards a position.

    A closing order that did not fill (a limit order the market ran away from) is cancelled at the next quote and sent
    again at the new price; the guard never has two.

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
        self._forget()

    def _forget(self) -> None:
        self._side: Side | None = None
        self._best: Decimal | None = None
        self._triggered = ""

    def on_start(self) -> None:
        """Say it if there is nothing to guard by."""
        super().on_start()
        limits = (self.config.take_profit_ticks, self.config.stop_loss_ticks, self.config.trailing_ticks)
        if self.instrument is not None and all(limit is None for limit in limits):
            self.halt("no limit is configured: expected take_profit_ticks, stop_loss_ticks or trailing_ticks")

    def on_market(self, quote: QuoteTick) -> None:
        """Look at the position, and close it if it has reached a limit."""
        if self.config.open_qty and (self._opening is None or self._opening.status in _REFUSED):
            side = Side.BUY if self.config.open_qty > 0 else Side.SELL
            self._opening = self.take(side, abs(self.config.open_qty), "OPEN")
            return
        if active(self._opening):
            return
        net, entry = self._exposure()
        held = Side.BUY if net > 0 else Side.SELL if net < 0 else None
        if held is not self._side:
            self._forget()
            self._side = held
        if held is None:
            return
        if under_way := self.exiting():
            for order in under_way:
                self.cancel(order)
            return
        if not self._triggered:
            self._triggered = self._reason(held, entry, quote)
            if not self._triggered:
                return
            what = f"{self._triggered}: closing {net} {self.config.instrument_id} opened at {entry}"
            self.closed.append(what)
            self.log.warning(what)
        self.exit(net, self._triggered)

    def stand_aside(self) -> None:
        """Do nothing: a closing order under way is wanted all the more when the feed is bad."""

    def on_reset(self) -> None:
        """Forget what was seen."""
        super().on_reset()
        self.closed.clear()
        self._opening = None
        self._forget()

    def _exposure(self) -> tuple[Decimal, Decimal]:
        """Return the guarded position (base units, negative if short) and the price at which it breaks even."""
        owner = self.id if self.config.guarded is Guarded.OWN else None
        positions = self.cache.positions_open(instrument_id=self.config.instrument_id, strategy_id=owner)
        net = sum((position.signed_decimal_qty() for position in positions), Decimal(0))
        # The framework keeps average prices as floats: digits beyond a thousandth of a tick are their noise.
        noise = self.tick / 1000
        paid = sum(
            (p.signed_decimal_qty() * Decimal(str(p.avg_px_open)).quantize(noise) for p in positions), Decimal(0)
        )
        return net, (paid / net).quantize(noise) if net else Decimal(0)

    def _reason(self, side: Side, entry: Decimal, quote: QuoteTick) -> str:
        """Why the position is to be closed; empty if it is not."""
        best = (quote.bid_price if side is Side.BUY else quote.ask_price).as_decimal()
        if self._best is None or side.sign * (best - self._best) > 0:
            self._best = best
        gain, fallback = side.sign * (best - entry), side.sign * (self._best - best)
        config = self.config
        if config.stop_loss_ticks is not None and gain <= -config.stop_loss_ticks * self.tick:
            return "STOP-LOSS"
        if config.take_profit_ticks is not None and gain >= config.take_profit_ticks * self.tick:
            return "TAKE-PROFIT"
        if config.trailing_ticks is not None and fallback >= config.trailing_ticks * self.tick:
            return "TRAILING-STOP"
        return ""
