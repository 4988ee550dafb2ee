"""Money told is summed when somebody asks: exactly, and the same whenever that is."""

import copy
from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.told_money import ToldMoney

NUMBERS = st.decimals(min_value=Decimal("-1e9"), max_value=Decimal("1e9"), places=9)
FILLS = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=8)


@given(FILLS, st.sets(st.integers(min_value=0, max_value=8)))
def test_the_sums_are_the_same_whenever_somebody_asks(fills: list[tuple[Decimal, ...]], asked: set[int]) -> None:
    often, late = ToldMoney(), ToldMoney()
    with localcontext(prec=5):  # the caller's context must not matter
        for n, (qty, px, commission) in enumerate(fills):
            for money in (often, late):
                money.unsummed.append((qty, px, commission))
            if n in asked:
                assert often.notional is often.notional
        assert (often.notional, often.fees) == (late.notional, late.fees)
        assert often == late == copy.deepcopy(late)
        assert repr(often) == repr(late)
    with localcontext(prec=60):
        assert late.notional == sum((qty * px for qty, px, _ in fills), ZERO)
        assert late.fees == sum((commission for _, _, commission in fills), ZERO)


def test_other_money_is_not_the_same() -> None:
    one, other = ToldMoney(), ToldMoney()
    one.unsummed.append((Decimal(1), Decimal(2), Decimal(3)))
    assert one != other
    other.unsummed.append((Decimal(1), Decimal(2), Decimal(4)))
    assert one != other
    assert one != (one.notional, one.fees)
