"""Settling a spot product: its base is exchanged for a price, and the books still add up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ledger import Ledger, LedgerError
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import Fee, Product, ProductKind, Side, SimOrder

SPOT = Product("S", "BASE", "USD", Decimal("0.01"), Decimal(1), Decimal(1), Decimal("0.5"), ProductKind.SPOT)
FUTURE = Product("F", "X", "USD", Decimal("0.01"), Decimal(1), Decimal(1), Decimal("0.5"))


def order(key: str, account: str, side: Side) -> SimOrder:
    return SimOrder(key, account, "S", side, Decimal(10), Decimal("0.4"))


@pytest.mark.parametrize(("price", "worth"), [(0, 0), (1, 13)])
def test_holders_are_paid(price: int, worth: int) -> None:
    ledger = Ledger([SPOT, FUTURE])
    market = Market([SPOT, FUTURE], ledger, SimClock(), lambda *_: Fee(), 1)
    for account in ("long", "short"):
        ledger.add_account(account)
    ledger.deposit("long", "BASE", Decimal(3))
    market.submit(order("1", "long", Side.BUY))
    market.submit(order("2", "short", Side.SELL))
    ledger.settle("S", Decimal(price))
    assert ledger.balance("USD", "long") == worth - 4
    assert ledger.balance("USD", "short") == 4 - 10 * price
    for account in ("long", "short"):
        assert ledger.balance("BASE", account) == ledger.position("S", account).net == 0
    ledger.check()


def test_a_perpetual_holds_nothing_to_settle() -> None:
    with pytest.raises(LedgerError, match="no spot product"):
        Ledger([FUTURE]).settle("F", Decimal(1))
