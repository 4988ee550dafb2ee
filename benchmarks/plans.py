"""What is ordered and filled, the same at both venues: a few sizes at many prices, as a strategy quotes."""

from decimal import Decimal

from msgspec import Struct

_TICK = Decimal("0.1")
_PRICES = 40
#: Order quantity and the quantity of its first fill; the second fill is the rest.
_SIZES = (
    (Decimal("0.018"), Decimal("0.010")),
    (Decimal("0.025"), Decimal("0.004")),
    (Decimal("1.5"), Decimal("0.75")),
)
_FEE = Decimal("0.00005")


class Part(Struct, frozen=True, kw_only=True):
    """One fill: `qty` in base units, `fee` in quote units, `cum_qty` and `cum_fee` with all before."""

    qty: Decimal
    fee: Decimal
    cum_qty: Decimal
    cum_fee: Decimal


class Plan(Struct, frozen=True, kw_only=True):
    """One limit order, filled in two parts at its own price."""

    quantity: Decimal
    price: Decimal
    parts: tuple[Part, Part]


def plan(n: int) -> Plan:
    """Return the plan of the `n`-th order."""
    price = Decimal("55000.0") + _TICK * (n % _PRICES)
    total, first = _SIZES[n % len(_SIZES)]
    one, all_of_it = _fee(first, price), _fee(first, price) + _fee(total - first, price)
    return Plan(
        quantity=total,
        price=price,
        parts=(
            Part(qty=first, fee=one, cum_qty=first, cum_fee=one),
            Part(qty=total - first, fee=all_of_it - one, cum_qty=total, cum_fee=all_of_it),
        ),
    )


def _fee(qty: Decimal, price: Decimal) -> Decimal:
    return qty * price * _FEE
