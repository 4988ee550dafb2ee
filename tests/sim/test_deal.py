"""Trades between two given orders, past everybody else (`Market.deal`)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import (
    Batch,
    EndReason,
    Fee,
    Liquidity,
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderState,
    Product,
    ProductKind,
    Side,
    SimOrder,
)

BTC = Product(
    "btcusd", "btc", "usd", Decimal("0.01"), Decimal("1e-8"), Decimal("0.001"), Decimal(50_000), ProductKind.SPOT
)


def _market() -> Market:
    ledger = Ledger([BTC])
    market = Market([BTC], ledger, SimClock(), lambda *_: Fee(Decimal("0.5")), seed=1)
    ledger.add_account("me")
    market.flow.open()
    return market


def _order(key: str, price: str, size: str = "1", side: Side = Side.BUY) -> SimOrder:
    return SimOrder(key, "me", "btcusd", side, Decimal(size), Decimal(price))


def test_a_resting_order_is_filled_before_those_that_stand_in_front_of_it() -> None:
    market = _market()
    first, second = _order("1", "49000"), _order("2", "49000")
    market.submit(first)
    market.submit(second)
    batch = market.deal(second, Decimal(49_000), Decimal("0.4"))
    assert (first.filled, second.filled, second.state) == (0, Decimal("0.4"), OrderState.WORKING)
    (fill,) = market.ledger.fills(second)
    assert (fill.liquidity, fill.price, fill.fee) == (Liquidity.MAKER, Decimal(49_000), Decimal("0.5"))
    assert [type(e) for e in batch.events if getattr(e, "order", None) is second] == [OrderFilled]
    market.deal(second, Decimal("48999.99"), Decimal("0.6"))
    assert second.end_reason is EndReason.FILLED
    assert second not in market.queue("btcusd", Side.BUY)
    market.ledger.check()


def test_a_new_order_deals_at_its_price_and_ends_with_it() -> None:
    market = _market()
    told: list[Batch] = []
    market.listeners.append(told.append)
    order = _order("1", "60000", size="2")
    market.deal(order, Decimal("50500.12345678"), Decimal("1.5"))
    mine = [type(e) for e in told[0].events if getattr(e, "order", None) is order]
    assert mine == [OrderAccepted, OrderFilled, OrderEnded]
    assert (order.filled, order.canceled, order.end_reason) == (Decimal("1.5"), Decimal("0.5"), EndReason.IOC)
    assert market.ledger.fills(order)[0].liquidity is Liquidity.TAKER
    assert market.ledger.order("1") is order
    market.ledger.check()


@pytest.mark.parametrize(("price", "size"), [("49000.01", "1"), ("49000", "1.1"), ("49000", "0"), ("49000", "-1")])
def test_what_an_order_does_not_accept_is_no_deal(price: str, size: str) -> None:
    market = _market()
    order = _order("1", "49000")
    market.submit(order)
    with pytest.raises(ValueError, match="cannot trade"):
        market.deal(order, Decimal(price), Decimal(size))
    assert order.filled == 0
    market.cancel(order)
    with pytest.raises(ValueError, match="cannot be dealt with"):
        market.deal(order, Decimal(49_000), Decimal(1))
    market.ledger.check()
