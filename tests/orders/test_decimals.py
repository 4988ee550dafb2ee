"""Decimals as they stand on the wire."""

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.decimals import check_sane, is_multiple, plain, quantize, sane

NUMBERS = st.decimals(min_value=Decimal("-1e20"), max_value=Decimal("1e20"), places=18)


@given(NUMBERS)
def test_plain_text_means_the_same_number(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert not text.endswith(".")


@given(NUMBERS, st.integers(min_value=0, max_value=6))
def test_equal_numbers_have_equal_text(value: Decimal, zeros: int) -> None:
    longer = Decimal(f"{value:f}" + ("" if "." in f"{value:f}" else ".") + "0" * zeros)
    assert plain(longer) == plain(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1E+4", "10000"), ("-0.00", "0"), ("0E-30", "0"), ("1.500", "1.5"), ("100", "100"), ("1E-8", "0.00000001")],
)
def test_plain(text: str, expected: str) -> None:
    assert plain(Decimal(text)) == expected


@pytest.mark.parametrize("text", ["0", "0.00", "-12.5", "1e-18", "123456789012345678901234567890.123456789", "1E+39"])
def test_sane_numbers_pass(text: str) -> None:
    assert sane(Decimal(text)) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    ["NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1E+40", "1e-400", "0e-400", "0E+400", "0." + "1" * 41],
)
def test_insane_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        sane(Decimal(text))


@given(
    st.integers(min_value=-(10**45), max_value=10**45),
    st.integers(min_value=-60, max_value=60),
    st.sampled_from([None, Decimal(1), Decimal("NaN"), Decimal("-Infinity")]),
)
def test_just_the_insane_numbers_are_refused(digits: int, exponent: int, other: Decimal | None) -> None:
    """Whichever way the answer is found: by the short question for usual numbers, or by the exact one."""
    value = Decimal(digits).scaleb(exponent, context=Context(prec=60))
    is_sane = value.adjusted() < 40 and exponent >= -40 and (other is None or other.is_finite())
    try:
        check_sane(Decimal("0.1"), value, other)
    except ValueError:
        assert not is_sane
    else:
        assert is_sane


def test_quantize_rounds_half_to_even() -> None:
    assert [quantize(Decimal(x), 1) for x in ("0.25", "0.35", "-0.25")] == [Decimal(x) for x in ("0.2", "0.4", "-0.2")]


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [
        ("1.05", "0.05", True),
        ("1.04", "0.05", False),
        ("0", "0.1", True),
        ("1", "0", False),
        ("0", "0", False),
        ("123456789012345678901234567890", "1e-18", True),
    ],
)
def test_is_multiple(value: str, step: str, expected: bool) -> None:
    assert is_multiple(Decimal(value), Decimal(step)) is expected
