"""The background market: seeded, scripted, and always uncrossed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.flow import FlowSettings
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import (
    Batch,
    EndReason,
    Fee,
    FundingChanged,
    LevelChanged,
    MarkChanged,
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderState,
    Product,
    ProductKind,
    Side,
    SimOrder,
    TradePrinted,
)

D = Decimal
PERP = Product("X-PERP", "X", "USD", D("0.5"), D("0.1"), D("0.1"), D("1000"))
BET = Product("YES", "YES", "USDC", D("0.01"), D("1"), D("1"), D("0.5"), ProductKind.SPOT, D("0.99"))


def market(seed: int = 5, product: Product = PERP, flow: FlowSettings | None = None) -> Market:
    ledger = Ledger([product])
    ledger.add_account("me")
    made = Market([product], ledger, SimClock(), lambda *_: Fee(), seed, flow)
    made.flow.open()
    return made


def place(made: Market, side: Side, size: str, price: str) -> SimOrder:
    order = SimOrder(f"{side}{price}", "me", "X-PERP", side, D(size), D(price))
    made.submit(order)
    return order


def test_the_same_seed_walks_the_same_way() -> None:
    one, same, other = market(5), market(5), market(6)
    for made in (one, same, other):
        for _ in range(50):
            made.step()
    assert one.book("X-PERP") == same.book("X-PERP")
    assert one.book("X-PERP") != other.book("X-PERP")


def test_stepping_trades_and_never_crosses() -> None:
    made = market()
    prints: list[TradePrinted] = []
    made.listeners.append(lambda batch: prints.extend(e for e in batch.events if isinstance(e, TradePrinted)))
    for _ in range(200):
        made.step()
        bid, ask = made.best("X-PERP")
        assert bid is not None
        assert ask is not None
        assert bid < ask
    assert len(prints) > 20
    made.ledger.check()


def test_levels_told_are_the_book() -> None:
    made = market()
    mirror = {side: dict(levels) for side, levels in zip(Side, made.book("X-PERP"), strict=True)}

    def follow(batch: Batch) -> None:
        for event in batch.events:
            if isinstance(event, LevelChanged):
                mirror[event.side][event.price] = event.size
                if event.size == 0:
                    del mirror[event.side][event.price]

    made.listeners.append(follow)
    for _ in range(50):
        made.step()
        place(made, Side.BUY, "0.3", "990")
    bids, asks = made.book("X-PERP")
    assert (mirror[Side.BUY], mirror[Side.SELL]) == (dict(bids), dict(asks))


@pytest.mark.parametrize(("side", "aggressor"), [(Side.BUY, Side.SELL), (Side.SELL, Side.BUY)])
def test_a_scripted_trade_meets_the_resting_order(side: Side, aggressor: Side) -> None:
    made = market()
    order = place(made, side, "2", "997.5" if side is Side.BUY else "1002.5")
    assert order.price is not None
    made.trade("X-PERP", order.price, "0.5", aggressor)
    assert (order.filled, order.state) == (D("0.5"), OrderState.WORKING)
    made.trade("X-PERP", order.price, "4", aggressor)
    assert order.state is OrderState.FILLED
    assert made.last("X-PERP") == order.price
    made.ledger.check()


def test_a_moved_middle_takes_what_stands_in_its_way() -> None:
    made = market()
    order = place(made, Side.SELL, "0.2", "1010")
    made.set_mid("X-PERP", "1050.3")
    assert order.state is OrderState.FILLED
    assert made.mark("X-PERP") == 1050
    bid, ask = made.best("X-PERP")
    assert bid is not None
    assert ask is not None
    assert bid < 1050 < ask


def test_bounded_prices_stay_in_their_bounds() -> None:
    made = market(product=BET, flow=FlowSettings(levels=4, half_spread_ticks=1, step_ticks=1, walk_ticks=30))
    for _ in range(200):
        made.step()
        bids, asks = made.book("YES")
        assert all(D("0.01") <= price <= D("0.99") for price, _ in bids + asks)


def test_marks_and_funding_are_told() -> None:
    made = market()
    told: list[object] = []
    made.listeners.append(lambda batch: told.extend(batch.events))
    made.set_mark("X-PERP", D("1001"), D("1002"))
    made.set_funding("X-PERP", D("-0.0001"))
    assert told == [MarkChanged("X-PERP", D(1001), D(1002)), FundingChanged("X-PERP", D("-0.0001"))]


def test_what_happened_to_users_is_told_apart_from_the_background() -> None:
    made = market()
    batches: list[Batch] = []
    made.listeners.append(batches.append)
    order = place(made, Side.BUY, "1", "999.5")
    made.trade("X-PERP", "999.5", "0.4")
    made.cancel(order)
    for _ in range(20):
        made.step()
    told = [event for batch in batches for event in batch.user_events]
    assert [(type(event), event.order) for event in told] == [
        (OrderAccepted, order),
        (OrderFilled, order),
        (OrderEnded, order),
    ]
    assert any(isinstance(event, OrderFilled) and event.order is not order for b in batches for event in b.events)


def test_a_refused_order_never_reaches_the_book() -> None:
    made = market()
    order = SimOrder("r", "me", "X-PERP", Side.BUY, D(1), D(999))
    made.refuse(order, EndReason.REFUSED, "no")
    assert (order.state, order.end_detail) == (OrderState.REJECTED, "no")
    assert order not in made.queue("X-PERP", Side.BUY)
    assert made.ledger.order("r") is order


def test_an_unknown_product_is_named() -> None:
    with pytest.raises(ValueError, match="no product 'Y'; there are"):
        market().set_mid("Y", "1")


@pytest.mark.parametrize("aggressor", list(Side))
@pytest.mark.parametrize("resting", ["0", "1"])
def test_a_scripted_trade_prints_its_aggressor(aggressor: Side, resting: str) -> None:
    made = market()
    if D(resting):
        place(made, aggressor.opposite, resting, "1000")
    prints: list[TradePrinted] = []
    made.listeners.append(lambda batch: prints.extend(e for e in batch.events if isinstance(e, TradePrinted)))
    made.trade("X-PERP", "1000", "3", aggressor)
    assert sum(event.size for event in prints) == D(3)
    assert {(event.maker_side, event.price) for event in prints} == {(aggressor.opposite, D(1000))}
