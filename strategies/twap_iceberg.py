"""An executor: works one large order in slices over time (TWAP), shows only a part of each (iceberg), and reports how
well it did.

*** A sample: try it in a simulation before it works an order that matters. ***
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum, unique
from typing import Final

from msgspec import Struct
from nautilus_trader.common.config import NonNegativeFloat, NonNegativeInt, PositiveInt
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import LiquiditySide
from nautilus_trader.model.events import OrderEvent, OrderFilled
from nautilus_trader.model.objects import Price
from nautilus_trader.model.orders import Order

from strategies.common import QuotedStrategy, QuotedStrategyConfig, Side, active, filled, settled

_BPS: Final = Decimal(10_000)
_NS_PER_SEC: Final = 1_000_000_000


@unique
class Style(Enum):
    """Where a slice is placed."""

    JOIN = "JOIN"
    """At the best price of its own side, or `offset_ticks` behind it: it waits to be filled."""

    CROSS = "CROSS"
    """`offset_ticks` beyond the best opposite price: it takes at once."""


class TwapIcebergConfig(QuotedStrategyConfig, kw_only=True, frozen=True):
    """Configuration of `TwapIceberg`.

    Parameters
    ----------
    side : Side
    total_qty : Decimal
        What to buy or sell altogether, base units.
    slices : int
        Into how many equal parts it is cut.
    slice_quotes : int
        A slice begins after so many changes of the best prices, and
    slice_secs : float
        not before so long after the one before it, secs of the quotes' own time.
    style : Style
    offset_ticks : int
        See `style`, ticks.
    display_qty : Decimal, optional
        At most so much is in the market at once, base units: what is left of a slice follows when this is filled.
        None: the whole slice.
    native_iceberg : bool
        Leave the hiding to the venue: the whole slice as one order that shows `display_qty` (few venues can).
    max_slippage_bps : Decimal, optional
        No slice while the middle of the market is worse than at the arrival by more than this, basis points.
    cross_at_end : bool
        What is left after the last slice takes, whatever the style.
    """

    side: Side
    total_qty: Decimal
    slices: PositiveInt = 10
    slice_quotes: PositiveInt = 1
    slice_secs: NonNegativeFloat = 0.0
    style: Style = Style.CROSS
    offset_ticks: NonNegativeInt = 0
    display_qty: Decimal | None = None
    native_iceberg: bool = False
    max_slippage_bps: Decimal | None = None
    cross_at_end: bool = True
    close_on_stop: bool = False


class ExecutionReport(Struct, frozen=True):
    """How well the order was executed.

    Parameters
    ----------
    side : Side
    total_qty, filled_qty : Decimal
        Wanted and got, base units.
    orders, fills : int
        How many orders were sent, and how many fills they had.
    arrival_mid : Decimal, optional
        Middle of the market when the work began, quote per base.
    average_mid : Decimal, optional
        Mean of the middles seen while it was worked: what a perfect TWAP would have paid, quote per base.
    avg_px : Decimal, optional
        Average price of the fills, quote per base.
    maker_qty, taker_qty : Decimal
        How much of it rested before it filled, and how much took, base units. Not every venue says which of the two a
        fill was: what it does not say is in neither.
    commissions : dict[str, Decimal]
        Currency -> what was paid, negative for a rebate.
    first_fill_ns, last_fill_ns : int
        When, UNIX ns; 0 without a fill.
    """

    side: Side
    total_qty: Decimal
    filled_qty: Decimal
    orders: int
    fills: int
    arrival_mid: Decimal | None
    average_mid: Decimal | None
    avg_px: Decimal | None
    maker_qty: Decimal
    taker_qty: Decimal
    commissions: dict[str, Decimal]
    first_fill_ns: int
    last_fill_ns: int

    @property
    def fill_ratio(self) -> Decimal:
        """How much of what was wanted was got, 0 to 1."""
        return self.filled_qty / self.total_qty

    @property
    def maker_ratio(self) -> Decimal:
        """How much of what was got had rested before, 0 to 1."""
        return self.maker_qty / self.filled_qty if self.filled_qty else Decimal(0)

    @property
    def slippage_bps(self) -> Decimal | None:
        """What was paid more (got less) than the middle at the arrival, basis points; without commissions."""
        return self._worse_than(self.arrival_mid)

    @property
    def slippage_to_average_bps(self) -> Decimal | None:
        """The same against the mean of the middles."""
        return self._worse_than(self.average_mid)

    @property
    def shortfall(self) -> Decimal | None:
        """What the slippage since the arrival cost, quote currency; without commissions."""
        if self.avg_px is None or self.arrival_mid is None:
            return None
        return self.side.sign * (self.avg_px - self.arrival_mid) * self.filled_qty

    def _worse_than(self, benchmark: Decimal | None) -> Decimal | None:
        if self.avg_px is None or benchmark is None:
            return None
        return self.side.sign * (self.avg_px - benchmark) / benchmark * _BPS

    def __str__(self) -> str:
        def bps(value: Decimal | None) -> str:
            return "-" if value is None else f"{value:.2f} bps"

        unsaid = self.filled_qty - self.maker_qty - self.taker_qty
        untold = f", {unsaid / self.filled_qty:.1%} untold" if unsaid else ""
        paid = ", ".join(f"{amount:f} {code}" for code, amount in self.commissions.items()) or "none"
        avg_px = "-" if self.avg_px is None else f"{self.avg_px:.8f}".rstrip("0").rstrip(".")
        return (
            f"{self.side.value} {self.filled_qty:f} of {self.total_qty:f} ({self.fill_ratio:.1%}) at {avg_px} in "
            f"{self.orders} orders and {self.fills} fills; slippage {bps(self.slippage_bps)} to the arrival, "
            f"{bps(self.slippage_to_average_bps)} to the average; {self.maker_ratio:.1%} as maker{untold}; "
            f"commissions {paid}"
        )


class TwapIceberg(QuotedStrategy):
    """Works the order once.

    Parameters
    ----------
    config : TwapIcebergConfig

    Attributes
    ----------
    done : bool
        Whether everything is filled.
    """

    def __init__(self, config: TwapIcebergConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        self.done = False
        self._arrival: Decimal | None = None
        self._mids = Decimal(0)
        self._quotes = 0
        self._changes = 0
        self._seen: tuple[Price, Price] | None = None
        self._slice = 0
        self._slice_ns = 0
        self._children: list[Order] = []
        self._fills: list[OrderFilled] = []

    @property
    def report(self) -> ExecutionReport:
        """How it went so far."""
        fills = self._fills
        quantity = _total(fills)
        notional = sum((fill.last_qty.as_decimal() * fill.last_px.as_decimal() for fill in fills), Decimal(0))
        commissions: dict[str, Decimal] = {}
        for fill in fills:
            code = fill.commission.currency.code
            commissions[code] = commissions.get(code, Decimal(0)) + fill.commission.as_decimal()
        times = [fill.ts_event for fill in fills]
        return ExecutionReport(
            side=self.config.side,
            total_qty=self.config.total_qty,
            filled_qty=quantity,
            orders=len(self._children),
            fills=len(fills),
            arrival_mid=self._arrival,
            average_mid=self._mids / self._quotes if self._quotes else None,
            avg_px=notional / quantity if quantity else None,
            maker_qty=_total(fill for fill in fills if fill.liquidity_side == LiquiditySide.MAKER),
            taker_qty=_total(fill for fill in fills if fill.liquidity_side == LiquiditySide.TAKER),
            commissions=commissions,
            first_fill_ns=min(times, default=0),
            last_fill_ns=max(times, default=0),
        )

    def on_market(self, quote: QuoteTick) -> None:
        """Begin a slice when it is due, and keep a part of what is due in the market."""
        if self.done:
            return
        middle = self.mid(quote)
        if self._arrival is None:
            self._arrival = middle
            self._slice_ns = quote.ts_event
            self._slice = 1
        self._mids += middle
        self._quotes += 1
        due = self._next_slice(quote)
        got = filled(self._children)
        if self.qty(self.config.total_qty - got) is None:
            self._finish()
            return
        child = self._children[-1] if self._children else None
        if active(child):
            if due and child is not None and settled(child):
                self.cancel(child)  # where it waits is no longer where the market is
            return
        if self._is_too_dear(middle):
            return
        self._place(got)

    def on_order_event(self, event: OrderEvent) -> None:
        """Keep the fills, for the report."""
        super().on_order_event(event)
        if isinstance(event, OrderFilled) and any(o.client_order_id == event.client_order_id for o in self._children):
            self._fills.append(event)

    def on_stop(self) -> None:
        """Cancel what rests, and report."""
        super().on_stop()
        if not self.done and self.instrument is not None:
            self.log.warning(f"stopped before the end: {self.report}")

    def on_reset(self) -> None:
        """Forget the order."""
        super().on_reset()
        self._forget()

    def _next_slice(self, quote: QuoteTick) -> bool:
        """Whether a slice begins with this quote. After the last one, its remainder is renewed at the same pace."""
        prices = (quote.bid_price, quote.ask_price)
        if prices == self._seen:
            return False  # only a size has changed
        first, self._seen = self._seen is None, prices
        if first:
            return True
        self._changes += 1
        waited = (quote.ts_event - self._slice_ns) / _NS_PER_SEC
        if self._changes < self.config.slice_quotes or waited < self.config.slice_secs:
            return False
        self._changes = 0
        self._slice_ns = quote.ts_event
        self._slice += 1
        return True

    def _is_too_dear(self, middle: Decimal) -> bool:
        limit = self.config.max_slippage_bps
        if limit is None or self._arrival is None:
            return False
        worse: Decimal = self.config.side.sign * (middle - self._arrival) / self._arrival * _BPS
        return bool(worse > limit)

    def _place(self, got: Decimal) -> None:
        """Send what is due by now and not filled, or the part of it that may be shown."""
        config = self.config
        released = config.total_qty * min(self._slice, config.slices) / config.slices
        due = self.qty(released - got)
        if due is None and self._slice >= config.slices:
            due = self.qty(config.total_qty - got)
        if due is None:
            return
        display_qty = None if config.display_qty is None else self.qty(config.display_qty)
        if display_qty is not None and not config.native_iceberg:
            due = min(due, display_qty)
        is_last = self._slice > config.slices
        crosses = config.style is Style.CROSS or (config.cross_at_end and is_last)
        order = self.limit(
            config.side,
            due,
            self.beyond(config.side, config.offset_ticks) if crosses else self._behind(),
            f"SLICE-{min(self._slice, config.slices)}",
            display_qty=display_qty if config.native_iceberg else None,
        )
        self._children.append(order)

    def _behind(self) -> Price:
        assert self.quote is not None
        side = self.config.side
        best = self.quote.bid_price if side is Side.BUY else self.quote.ask_price
        return self.price(best.as_decimal() - side.sign * self.config.offset_ticks * self.tick, side)

    def _finish(self) -> None:
        self.done = True
        self.log.info(f"done: {self.report}")


def _total(fills: Iterable[OrderFilled]) -> Decimal:
    return sum((fill.last_qty.as_decimal() for fill in fills), Decimal(0))
