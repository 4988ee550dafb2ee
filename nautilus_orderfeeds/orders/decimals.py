"""Decimals as they stand on the wire: exact, plain, never through a float."""

from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, localcontext

ZERO = Decimal(0)

#: Wide enough that sums of 18-digit venue numbers over any realistic order are exact.
EXACT = Context(prec=60)

#: No price, size or balance has more digits than this; longer text is a fault or an attack (1e400).
_MAX_DIGITS = 40


def plain(value: Decimal) -> str:
    """Return `value` without exponent, sign of zero or trailing zeros: equal numbers give equal text.

    Examples
    --------
    >>> plain(Decimal("1.500")), plain(Decimal("1E+4")), plain(Decimal("0.00"))
    ('1.5', '10000', '0')
    """
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def sane(value: Decimal) -> Decimal:
    """Return `value`, refusing what no venue means.

    Raises
    ------
    ValueError
        If it is not finite or has more than 40 digits before or after the point (``1e400``).
    """
    if value.is_finite() and -12 <= value.adjusted() <= 27 and len(str(value)) <= 28:
        return value  # every usual number, at a fifth of the cost of the exact question below
    if not value.is_finite():
        raise ValueError(f"number {str(value)[:40]!r} is not finite")
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_MAX_DIGITS or value.adjusted() >= _MAX_DIGITS:
        raise ValueError(f"number {str(value)[:40]!r} is out of any sensible range")
    return value


def quantize(value: Decimal, places: int) -> Decimal:
    """Round half-even to `places` decimal places."""
    return value.quantize(Decimal(1).scaleb(-places), context=EXACT)


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Return whether `value` lies on the grid of `step`."""
    with localcontext(EXACT) as ctx:
        ctx.traps[Inexact] = False
        try:
            return value % step == 0
        except (InvalidOperation, Overflow):
            return False
