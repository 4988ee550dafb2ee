"""Decimals as they stand on the wire: exact, plain, never through a float."""

from decimal import (
    Clamped,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Subnormal,
    localcontext,
)

ZERO = Decimal(0)

#: Wide enough that sums of 18-digit venue numbers over any realistic order are exact.
EXACT = Context(prec=60)
exact_sum = EXACT.add

#: No price, size or balance has more digits than this; longer text is a fault or an attack (1e400).
_MAX_DIGITS = 40

#: Every usual number passes through this context unchanged; any other makes it signal. That is one call in C, where
#: the exact question is many.
_usual_context = Context(prec=28, Emin=-12, Emax=27, traps=[Rounded, Subnormal, Clamped, Overflow, InvalidOperation])
_usual = _usual_context.plus

#: Reads a number that is certainly sane; raises ArithmeticError for any other text, though it may be sane all the same.
#: One call in C does both. Words are told apart by the caller (`is_finite`).
usual_decimal = _usual_context.create_decimal


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
    check_sane(value)
    return value


def check_sane(*values: Decimal | None) -> None:
    """Refuse what no venue means; None is not said, and passes.

    Raises
    ------
    ValueError
        As `sane`.
    """
    try:
        for value in values:
            if value is not None and not _usual(value).is_finite():
                break
        else:
            return
    except DecimalException:
        pass  # one is not usual: it may be sane all the same
    for value in values:
        if value is not None:
            _check_exactly(value)


def _check_exactly(value: Decimal) -> None:
    if not value.is_finite():
        raise ValueError(f"number {str(value)[:40]!r} is not finite")
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_MAX_DIGITS or value.adjusted() >= _MAX_DIGITS:
        raise ValueError(f"number {str(value)[:40]!r} is out of any sensible range")


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
