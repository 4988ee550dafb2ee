"""Numbers on their way to the framework: exact, never through a float, the same as by the framework's own long way."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nautilus_trader.model.objects import FIXED_PRECISION, Money, Price, Quantity

from nautilus_orderfeeds.adapter import convert

#: From far below to far above what the framework can hold, with more decimals than it has.
ANY = st.one_of(
    st.decimals(min_value=Decimal("-1e13"), max_value=Decimal("1e13"), places=FIXED_PRECISION + 4),
    st.decimals(min_value=Decimal("-1000"), max_value=Decimal("1000"), places=4),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e40"), max_value=Decimal("1e40")),
    st.builds(Decimal, st.sampled_from(["0", "-0", "0.00", "1E+4", "0.10000", "-1E-20", "5E-17", "999999999999.9"])),
)
PLACES = st.integers(min_value=0, max_value=FIXED_PRECISION)


def long_way(kind: type[Price] | type[Quantity], value: Decimal, places: int) -> Any:
    """Make the number as the framework does: at least `places` decimals, finer digits kept as far as it has them."""
    with localcontext(prec=100):
        short = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
        if short != value:
            exponent = value.as_tuple().exponent
            assert isinstance(exponent, int)
            finest = Decimal(1).scaleb(-FIXED_PRECISION)
            short = value if -exponent <= FIXED_PRECISION else value.quantize(finest, rounding=ROUND_HALF_EVEN)
        return kind.from_decimal(short)


def outcome(make: Any, *args: Any) -> Any:
    """Return what was made, down to its integer and its precision, or that it was refused."""
    try:
        made = make(*args)
    except (ValueError, ArithmeticError):
        return "refused"
    return made.raw, made.precision


@given(ANY, PLACES)
@example(Decimal("0.018"), 3)
@example(Decimal("17014118346045.9"), 1)
@example(Decimal("17014118346047"), 0)
@example(Decimal("999999999999.99999999999999995000"), 0)
@example(Decimal("1290418855736.524514792403433745"), 0)
def test_price_is_that_of_the_long_way(value: Decimal, places: int) -> None:
    assert outcome(convert.price, value, places) == outcome(long_way, Price, value, places)


@given(ANY, PLACES)
@example(Decimal("-0.001"), 3)
@example(Decimal("34028236692093.5"), 1)
@example(Decimal("34028236692094"), 0)
@example(Decimal("999999999999.99999999999999995000"), 0)
@example(Decimal("1290418855736.524514792403433745"), 0)
def test_quantity_is_that_of_the_long_way(value: Decimal, places: int) -> None:
    assert outcome(convert.quantity, value, places) == outcome(long_way, Quantity, value, places)


@given(ANY, st.sampled_from(["USD", "USDC", "BTC", "JPY"]))
@example(Decimal("0.005"), "USD")
@example(Decimal("0.015"), "USD")
@example(Decimal("-0.0275"), "USDC")
def test_money_is_rounded_half_to_even_and_the_rest_is_told(value: Decimal, code: str) -> None:
    unit = convert.currency(code)
    with localcontext(prec=100):
        rounded = value.quantize(Decimal(1).scaleb(-unit.precision), rounding=ROUND_HALF_EVEN)
    try:
        expected = Money.from_decimal(rounded, unit)
    except (ValueError, ArithmeticError):
        with pytest.raises((ValueError, ArithmeticError)):
            convert.money(value, code)
        return
    made, rest = convert.money_and_rest(value, code)
    assert (made.raw, made.currency) == (expected.raw, unit)
    assert convert.money(value, code) == made
    with localcontext(prec=100):
        assert rounded + rest == value


@pytest.mark.parametrize("prec", [3, 28, 60])
def test_the_callers_context_does_not_matter(prec: int) -> None:
    with localcontext(prec=prec):
        made = [
            convert.price(Decimal("55000.25"), 2),
            convert.quantity(Decimal("0.12345678"), 8),
            convert.money(Decimal("12345.67"), "USD"),
        ]
    assert [str(number) for number in made] == ["55000.25", "0.12345678", "12345.67 USD"]


def test_finer_digits_are_kept_and_trailing_zeros_are_not() -> None:
    assert str(convert.quantity(Decimal("0.12345"), 3)) == "0.12345"
    assert str(convert.quantity(Decimal("0.12300"), 3)) == "0.123"
    assert str(convert.price(Decimal("1E+4"), 1)) == "10000.0"


@given(ANY, PLACES)
@example(Decimal("-0"), 3)
@example(Decimal("0.12345"), 3)
def test_what_is_kept_for_the_next_time_is_what_would_be_made_anew(value: Decimal, places: int) -> None:
    for kept, make in (
        (convert.prices_of(places), convert.price),
        (convert.quantities_of(places), convert.quantity),
    ):
        for _ in range(2):
            assert outcome(kept.__getitem__, value) == outcome(make, value, places)


def test_a_number_is_kept_but_not_how_fine_it_was_written() -> None:
    prices = convert.prices_of(2)
    assert prices[Decimal("55000.25")] is prices[Decimal("55000.250")]
    assert [str(prices[Decimal(text)]) for text in ("1.123", "1.1230", "1.123")] == ["1.123", "1.1230", "1.123"]


def test_not_more_numbers_are_kept_than_are_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "_KEPT", 3)
    made: convert.Made[Price] = convert.Made(convert.price, 1)
    for n in range(20):
        assert made[Decimal(n)] == convert.price(Decimal(n), 1)
        assert len(made) <= 3
