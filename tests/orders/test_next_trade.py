"""The short way of a trade that simply comes next tells what the long way tells, and is taken where it should be."""

import dataclasses
from decimal import Decimal, localcontext
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders import fills, reducer
from nautilus_orderfeeds.orders.reducer import reduce
from tests.support.follower import Follower
from tests.support.histories import Style
from tests.support.hunting import history
from tests.support.one_order import RULES, OneOrder, V, said, trade

SEEDS = st.integers(min_value=0, max_value=2**48)


def _never(*_args: object) -> bool:
    return False


def _nothing(*_args: object) -> None:
    return None


@given(SEEDS)
@settings(max_examples=1_000, deadline=None)
def test_both_ways_tell_the_same(seed: int) -> None:
    life, steps = history(seed)
    with mock.patch.object(reducer, "next_usual", _nothing):  # `test_usual.py` compares that one
        short = Follower(life, judge=False).follow(steps)
        with mock.patch.object(reducer, "tell_next", _never):
            long = Follower(life, judge=False).follow(steps)
    assert short.journal == long.journal
    assert short.state == long.state


def test_the_short_way_is_the_usual_one() -> None:
    """At a venue that places its trades, told in order: otherwise the comparison above compares nothing."""
    taken = 0

    def count(*args: object) -> bool:
        nonlocal taken
        told = fills.tell_next(*args)  # type: ignore[arg-type]
        taken += told
        return told

    told = 0
    with mock.patch.object(reducer, "tell_next", count), mock.patch.object(reducer, "next_usual", _nothing):
        for seed in range(300):
            life, steps = history(seed)
            if life.style is Style.BSX:
                follower = Follower(life, judge=False).follow(steps)
                told += sum(isinstance(event, ev.OrderFilled) for event in follower.journal)
    assert taken > told / 4 > 10


def test_its_sums_are_exact_whatever_the_callers_context() -> None:
    first, total = Decimal("1234567890123.123456789012345678"), Decimal("1234567890123.123456789012345679")
    last = Decimal("1e-18")
    order = OneOrder()
    state = dataclasses.replace(order.state, quantity=total)
    parts = [
        said(filled_qty=str(first), fills=(trade("t1", str(first), "100.01", ends_at=str(first), fee="0.1"),)),
        said(V.FILLED, filled_qty=str(total), fills=(trade("t2", str(last), "100.01", ends_at=str(total), fee="0.1"),)),
    ]
    with localcontext(prec=3), mock.patch.object(reducer, "tell_trades", side_effect=AssertionError("the long way")):
        told = [event for part in parts for event in reduce(state, part, RULES)]
    assert [type(event) for event in told] == [ev.OrderAccepted, ev.OrderFilled, ev.OrderFilled]
    assert state.is_closed
    with localcontext(prec=60):
        assert (state.filled_qty, state.coverage.prefix) == (total, total)
        assert state.notional == total * Decimal("100.01")
        assert state.fees == Decimal("0.2")
