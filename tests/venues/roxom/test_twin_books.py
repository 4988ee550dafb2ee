"""The account books of the simulated Roxom agree with the ledger, whatever is traded (protocol 4.6, 4.8)."""

from __future__ import annotations

import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.sim import Side
from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ids import Uuids
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.model import Fill, Liquidity, SimOrder
from nautilus_orderfeeds.venues.roxom.twin_books import Books, RowKind
from nautilus_orderfeeds.venues.roxom.twin_products import PRODUCTS, SAT, Unit

D = Decimal
GOLD = PRODUCTS[0]
ACCOUNT = "a"
trades = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(40_000, 60_000).map(lambda ticks: ticks * GOLD.tick),
        st.integers(1, 500).map(lambda lots: lots * GOLD.lot),
        st.integers(-50, 500).map(lambda sats: sats * SAT),
    ),
    min_size=1,
    max_size=30,
)


def new_books() -> Books:
    return Books(Uuids(7, SimClock(), "books"))


def fill_of(number: int, side: Side, price: Decimal, size: Decimal, fee: Decimal) -> tuple[SimOrder, Fill]:
    order = SimOrder(f"o-{number}", ACCOUNT, GOLD.symbol, side, size, price)
    fill = Fill(
        trade_id=f"{number:064x}",
        account=ACCOUNT,
        venue_order_id=order.venue_order_id,
        client_order_id="",
        product=GOLD.symbol,
        side=side,
        price=price,
        size=size,
        trading_fee=fee,
        extra_fee=D(0),
        liquidity=Liquidity.TAKER,
        time_ns=number + 1,
        filled_after=size,
        notional_after=size * price,
        fees_after=fee,
        extra_fees_after=D(0),
    )
    return order, fill


@given(trades)
def test_rows_and_positions_agree_with_the_ledger(flow: list[tuple[Side, Decimal, Decimal, Decimal]]) -> None:
    ledger, books = Ledger(PRODUCTS), new_books()
    ledger.add_account(ACCOUNT)
    ledger.deposit(ACCOUNT, "BTC", D(10))
    books.move_money(ACCOUNT, RowKind.DEPOSIT, D(10), 0)
    seen: list[str] = []
    for number, trade in enumerate(flow):
        before = ledger.position(GOLD.symbol).net
        order, fill = fill_of(number, *trade)
        ledger.book_fill(fill)
        row = books.book_fill(order, fill)
        after = ledger.position(GOLD.symbol).net
        assert (row.position_before, row.position_after) == (before, after)
        assert abs(row.balance_after - ledger.balance("BTC")) < SAT / 10**9
        entry_id, exit_id = order.info["position_ids"]  # type: ignore[misc]
        assert (exit_id is not None) == (before * fill.side.sign < 0)
        assert (entry_id is not None) == (after * fill.side.sign > 0)
        episode = books.position(ACCOUNT, GOLD.symbol)
        assert episode is not None
        assert episode.size == abs(after)
        assert (episode.closed_ns is None) == (after != 0)
        if after:
            assert (episode.side is Side.BUY) == (after > 0)
            assert episode.average_entry == ledger.position(GOLD.symbol).average_price
        seen.append(row.tx_id)
    rows = books.rows(ACCOUNT)
    assert [row.number for row in rows] == list(range(len(flow) + 1))
    assert len(set(seen)) == len(flow)
    assert all(a.balance_after == b.balance_before for a, b in itertools.pairwise(rows))
    episodes = list(books.positions(ACCOUNT, GOLD.symbol))
    assert all(episode.closed_ns is not None for episode in episodes[:-1])
    fees = sum((e.entry_fees + e.exit_fees for e in episodes), D(0))
    assert abs(fees - ledger.fees("BTC")) < SAT / 10**9
    realized = sum((e.realized for e in episodes), D(0))
    assert abs(realized - ledger.position(GOLD.symbol).realized) < SAT / 10**9


@given(trades)
def test_a_fill_that_is_taken_back_never_was(flow: list[tuple[Side, Decimal, Decimal, Decimal]]) -> None:
    books = new_books()
    for number, trade in enumerate(flow):
        order, fill = fill_of(number, *trade)
        row = books.book_fill(order, fill)
    taken = books.take_back(fill, len(flow) + 1)
    assert taken.kind is RowKind.CORRECTION
    assert taken.fill is None
    assert (taken.position_before, taken.position_after) == (row.position_after, row.position_before)
    assert taken.balance_before == row.balance_after
    episode = books.position(ACCOUNT, GOLD.symbol)
    assert episode is not None
    assert episode.size == abs(row.position_before or 0)
    # What was realized on the way there stays realized, but at the prices of the same trades: nothing is made up.
    if row.position_before == 0:
        assert abs(taken.balance_after - row.balance_before) < SAT / 10**9


@given(st.integers(-(10**15), 10**15))
def test_both_units_say_the_same(sats: int) -> None:
    value = sats * SAT
    assert D(Unit.BTC.price(value)) == value
    assert Unit.SATS.to_btc(D(Unit.SATS.price(value))) == value
    assert len(Unit.BTC.price(value).partition(".")[2]) == 8
    assert "." not in Unit.SATS.price(value)
