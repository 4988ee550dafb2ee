"""The ledger adds up, whatever is traded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.sim.ledger import Ledger, LedgerError, Position
from nautilus_orderfeeds.sim.model import Fill, Liquidity, Product, ProductKind, Side, SimOrder

D = Decimal
PERP = Product("X-PERP", "X", "USD", D("1"), D("0.001"), D("0.001"), D("100"))
SPOT = Product("XUSD", "X", "USD", D("1"), D("0.001"), D("0.001"), D("100"), ProductKind.SPOT)


def fill(account: str, side: Side, price: str, size: str, product: str = "X-PERP", fee: str = "0") -> Fill:
    return Fill(
        trade_id=f"{account}-{price}-{size}",
        account=account,
        venue_order_id=f"{account}-1",
        client_order_id="",
        product=product,
        side=side,
        price=D(price),
        size=D(size),
        trading_fee=D(fee),
        extra_fee=D(0),
        liquidity=Liquidity.TAKER,
        time_ns=1,
        filled_after=D(size),
        notional_after=D(price) * D(size),
        fees_after=D(fee),
        extra_fees_after=D(0),
    )


trades = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.decimals("0.01", "100000", places=2),
        st.decimals("0.001", "50", places=3),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(trades)
def test_profit_is_what_flowed_plus_what_is_open(flow: list[tuple[Side, Decimal, Decimal]]) -> None:
    position, other = Position(), Position()
    for side, price, size in flow:
        position.trade(side, price, size)
        other.trade(side.opposite, price, size)
        assert position.net + other.net == 0
        assert position.quote_flow + other.quote_flow == 0
        # At any mark, what both have made together is nothing (to the digits of the division).
        both = position.realized + position.unrealized(price) + other.realized + other.unrealized(price)
        assert abs(both) < D("1e-15")
        if position.net == 0:
            assert position.cost == 0
            assert position.realized == position.quote_flow


def test_average_price_moves_with_opening_only_and_restarts_on_a_flip() -> None:
    position = Position()
    position.trade(Side.BUY, D("100"), D("1"))
    position.trade(Side.BUY, D("200"), D("1"))
    assert position.average_price == 150
    position.trade(Side.SELL, D("170"), D("1"))
    assert (position.average_price, position.realized) == (150, 20)
    position.trade(Side.SELL, D("180"), D("3"))
    assert (position.net, position.average_price, position.realized) == (-2, 180, 50)


def test_balance_counts_profit_fees_rebates_and_funding() -> None:
    ledger = Ledger([PERP])
    ledger.add_account("me")
    ledger.deposit("me", "USD", D(1000))
    ledger.book_fill(fill("me", Side.BUY, "100", "2", fee="0.5"))
    assert ledger.balance("USD") == D("999.5")
    ledger.book_fill(fill("me", Side.SELL, "110", "2", fee="-0.25"))
    ledger.pay_funding("me", "USD", D("-3"))
    assert ledger.balance("USD") == D("1016.75")
    assert ledger.fees("USD") == D("0.25")
    assert ledger.position("X-PERP").net == 0


def test_spot_exchanges_base_for_quote_and_locks_what_orders_hold() -> None:
    ledger = Ledger([SPOT])
    ledger.add_account("me")
    ledger.deposit("me", "USD", D(1000))
    ledger.book_fill(fill("me", Side.BUY, "100", "2", "XUSD", fee="1"))
    assert (ledger.balance("X"), ledger.balance("USD")) == (2, 799)
    ledger.add_order(SimOrder("s", "me", "XUSD", Side.SELL, D("0.5"), D("120")))
    ledger.add_order(SimOrder("b", "me", "XUSD", Side.BUY, D("2"), D("90")))
    assert (ledger.locked("X"), ledger.locked("USD")) == (D("0.5"), 180)


def test_orders_are_found_by_every_name() -> None:
    ledger = Ledger([PERP])
    ledger.add_account("background", is_background=True)
    ledger.add_account("me")
    order = SimOrder("v1", "me", "X-PERP", Side.BUY, D(1), D(100), client_order_id="c1")
    ledger.add_order(order)
    ledger.add_alias(order, "nonce-1")
    assert ledger.main_account == "me"
    assert ledger.order("v1") is ledger.order("c1") is ledger.order("nonce-1") is order
    assert ledger.orders(is_open=True) == [order]
    assert ledger.orders(product="Y-PERP") == []
    with pytest.raises(KeyError, match="no order 'v2'"):
        ledger.order("v2")


def test_check_sees_fills_that_an_order_does_not_know_of() -> None:
    ledger = Ledger([PERP])
    for name in ("me", "you"):
        ledger.add_account(name)
    ledger.add_order(SimOrder("me-1", "me", "X-PERP", Side.BUY, D(2), D(100)))
    ledger.check()
    ledger.book_fill(fill("me", Side.BUY, "100", "1"))
    with pytest.raises(LedgerError, match="do not cancel out"):
        ledger.check()
    ledger.book_fill(fill("you", Side.SELL, "100", "1"))
    with pytest.raises(LedgerError, match="do not sum"):
        ledger.check()
