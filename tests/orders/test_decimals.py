"""Decimals as they stand on the wire."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.decimals import is_multiple, plain, quantize, sane

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
