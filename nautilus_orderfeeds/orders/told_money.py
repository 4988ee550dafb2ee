"""What the fills told of one order cost: sums that are made when somebody asks."""

from decimal import Decimal

from nautilus_orderfeeds.orders.decimals import EXACT, ZERO, exact_sum

#: Sums of events are exact whatever the caller's context.
_fma = EXACT.fma


class ToldMoney:
    """Notional and commission of the fills told. With most fills nobody asks for them: so a fill is only noted.

    Two of them are equal if their sums are.

    Attributes
    ----------
    unsummed : list of (quantity, price, commission)
        Fills told that are in no sum yet; a fill is told by adding it here. Not more than `OrderState.trades` holds.
    """

    __slots__ = ("_fees", "_notional", "unsummed")

    def __init__(self) -> None:
        self._notional = self._fees = ZERO
        self.unsummed: list[tuple[Decimal, Decimal, Decimal]] = []

    @property
    def notional(self) -> Decimal:
        """Quote units."""
        if self.unsummed:
            self._sum()
        return self._notional

    @property
    def fees(self) -> Decimal:
        """Commission, as the fills told it; positive is a cost."""
        if self.unsummed:
            self._sum()
        return self._fees

    def _sum(self) -> None:
        notional, fees = self._notional, self._fees
        for qty, px, commission in self.unsummed:
            notional = _fma(qty, px, notional)
            fees = exact_sum(fees, commission)
        self._notional, self._fees = notional, fees
        self.unsummed.clear()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ToldMoney):
            return NotImplemented
        return (self.notional, self.fees) == (other.notional, other.fees)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"ToldMoney(notional={self.notional!r}, fees={self.fees!r})"
