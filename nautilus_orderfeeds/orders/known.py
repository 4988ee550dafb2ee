"""What the venue claims of one order, told or not: the half of an `OrderState` that is learnt from its statements."""

from dataclasses import dataclass, field
from decimal import Decimal

from msgspec import Struct

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.updates import Fill, VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide


class End(Struct, frozen=True, gc=False):
    """How the venue says the order ended. `complete`: the cumulative quantity in the end was told as well."""

    status: VenueStatus
    reason: str = ""
    due_post_only: bool = False
    rejects_live: bool = False
    ts_event: int = 0
    complete: bool = True


@dataclass(slots=True)
class Known:
    """What the venue claims (highest knowledge wins). Quantities in base units, notional and fees in quote.

    Parameters
    ----------
    filled_qty : Decimal
        Highest filled quantity, whoever told of it: a trade is as good a witness as the venue's total.
    filled_notional, avg_px, fees : Decimal, optional
        Over exactly `filled_qty`; None if the venue does not say.
    last_px : Decimal, optional
        Price of the latest fill.
    tells_money : bool
        Whether the venue tells a notional or an average at all.
    liquidity_side : LiquiditySide
        Of inferred fills, as far as the venue's messages imply one.
    stated_qty, version, ts_event : Decimal, int, int
        How new the newest statement about the order is, in this order (law 6). A bare trade is not one.
    terms_as_of : Decimal
        Cumulative quantity of the newest statement that named the order's quantity.
    waiting, working : bool
        The venue has been seen to hold the order for its trigger; to work it.
    canceling : bool
        By its newest statement the venue is at cancelling the order.
    undecided : dict[str, Fill]
        Trades that cannot be told yet, by trade id: what they mean depends on the next statement.
    """

    filled_qty: Decimal = ZERO
    filled_notional: Decimal | None = None
    avg_px: Decimal | None = None
    tells_money: bool = False
    last_px: Decimal | None = None
    fees: Decimal | None = None
    fees_currency: str | None = None
    liquidity_side: LiquiditySide = LiquiditySide.NO_LIQUIDITY_SIDE
    end: End | None = None
    waiting: bool = False
    working: bool = False
    canceling: bool = False
    stated_qty: Decimal = ZERO
    terms_as_of: Decimal = ZERO
    version: int = 0
    ts_event: int = 0
    undecided: dict[str, Fill] = field(default_factory=dict)

    @property
    def notional(self) -> Decimal | None:
        """Quote units over exactly `filled_qty`, as told or by the average; None if the venue says neither."""
        if self.filled_notional is not None or self.avg_px is None:
            return self.filled_notional
        return self.avg_px * self.filled_qty

    def witness(self, filled_qty: Decimal) -> None:
        """Raise the filled quantity to what trades have proved."""
        if filled_qty > self.filled_qty:
            self.filled_qty = filled_qty
            self.filled_notional = self.avg_px = self.fees = None
