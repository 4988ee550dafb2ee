"""Stretches of cumulative quantity: against a model that marks every single lot."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.coverage import Coverage, length, overlap, subtract

D = Decimal
STRETCHES = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda x: (D(x[0]), D(x[0] + x[1])))


def _lots(*stretches: tuple[Decimal, Decimal]) -> set[int]:
    return {lot for a, b in stretches for lot in range(int(a), int(b))}


def _fill(
    stretch: tuple[Decimal, Decimal] | None, *, qty: str = "1", inferred: bool = False, px: str = "100"
) -> ev.OrderFilled:
    last_qty = D(qty) if stretch is None else stretch[1] - stretch[0]
    return ev.OrderFilled(
        trade_id="t",
        venue_order_id="V1",
        last_qty=last_qty,
        last_px=D(px),
        commission=D(1),
        cum_qty=last_qty,
        inferred=inferred,
        ends_at=None if stretch is None or inferred else stretch[1],
        gaps=(stretch,) if inferred and stretch is not None else (),
    )


@given(st.lists(STRETCHES, max_size=8), STRETCHES)
def test_told_and_untold_lots(told: list[tuple[Decimal, Decimal]], asked: tuple[Decimal, Decimal]) -> None:
    coverage = Coverage()
    for stretch in told:
        coverage.count(_fill(stretch))
    lots = _lots(*told)
    covered = _lots((D(0), coverage.prefix), *coverage.islands)
    assert covered == lots
    assert coverage.islands == sorted(coverage.islands)
    assert all(coverage.prefix < a < b for a, b in coverage.islands)
    pieces = coverage.untold(asked)
    assert _lots(*pieces) == _lots(asked) - lots
    assert length(pieces) == len(_lots(asked) - lots)


@given(st.lists(STRETCHES, max_size=8), st.integers(0, 40))
def test_gaps_account_for_exactly_what_is_missing(told: list[tuple[Decimal, Decimal]], upto: int) -> None:
    coverage = Coverage()
    for stretch in told:
        coverage.count(_fill(stretch))
    missing = len(set(range(upto)) - _lots(*told))
    assert _lots(*coverage.gaps(D(upto), D(missing))) == set(range(upto)) - _lots(*told)
    assert coverage.gaps(D(upto), D(missing + 1)) == ()


@given(STRETCHES, STRETCHES, STRETCHES)
def test_overlap_and_subtract(
    a: tuple[Decimal, Decimal], b: tuple[Decimal, Decimal], cut: tuple[Decimal, Decimal]
) -> None:
    disjoint = [a, *subtract([b], a)]
    assert overlap(cut, disjoint) == len(_lots(cut) & (_lots(a) | _lots(b)))
    assert _lots(*subtract(disjoint, cut)) == (_lots(a) | _lots(b)) - _lots(cut)


def test_credit_is_what_no_trade_has_explained() -> None:
    coverage = Coverage()
    coverage.count(_fill((D(0), D(5)), inferred=True, px="101"))
    assert (coverage.credit, coverage.credit_notional, coverage.credit_fees) == (5, 505, 1)
    coverage.explain(ev.FillAbsorbed(trade_id="a", qty=D(2), last_px=D(100), commission=D("0.5"), stretch=(D(0), D(2))))
    assert (coverage.credit, coverage.credit_notional, coverage.credit_fees) == (3, 305, D("0.5"))
    assert coverage.inferred == [(D(2), D(5))]
    assert coverage.placed


def test_a_misplaced_trade_explains_only_what_was_inferred() -> None:
    coverage = Coverage()
    coverage.count(_fill((D(0), D(3))))
    coverage.count(_fill((D(3), D(5)), inferred=True))
    coverage.explain(ev.FillAbsorbed(trade_id="a", qty=D(3), last_px=D(100), stretch=(D(1), D(4))))
    assert coverage.credit == 1
    assert coverage.inferred == [(D(4), D(5))]


def test_a_fill_without_a_place_gives_up_on_places_but_not_on_the_credit() -> None:
    coverage = Coverage()
    coverage.count(_fill((D(0), D(5)), inferred=True))
    coverage.count(_fill(None))
    assert not coverage.placed
    assert coverage.credit == 5
    assert coverage.gaps(D(9), D(3)) == ()


def test_a_trade_without_a_place_that_explains_gives_up_on_places() -> None:
    coverage = Coverage()
    coverage.count(_fill((D(0), D(5)), inferred=True))
    coverage.explain(ev.FillAbsorbed(trade_id="a", qty=D(2), last_px=D(100)))
    assert not coverage.placed
    assert coverage.credit == 3
    assert coverage.credit_fees == D("0.6")  # no word of its fees: what was told for it stands


def test_counting_back_undoes_counting() -> None:
    coverage = Coverage(placed=False)
    held = _fill(None, qty="5", inferred=True)
    coverage.count(held)
    coverage.explain(ev.FillAbsorbed(trade_id="a", qty=D(2), last_px=D(99), commission=D(0)))
    before = (coverage.credit, coverage.credit_notional, coverage.credit_fees)
    coverage.count_back(held)
    coverage.count(held)
    assert (coverage.credit, coverage.credit_notional, coverage.credit_fees) == before == (3, 302, 1)
