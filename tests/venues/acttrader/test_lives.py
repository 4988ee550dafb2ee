"""Every order type with every time in force of either dialect, in a node over real sockets: filled, changed, ended."""

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType, TimeInForce
from nautilus_trader.model.events import OrderDenied, OrderFilled, OrderUpdated

from nautilus_orderfeeds.sim import Side
from tests.support.acttrader_client import IID, Trading, trading

pytestmark = pytest.mark.node
D = Decimal
BUY = OrderSide.BUY
M, L, S, SL = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_MARKET, OrderType.STOP_LIMIT
GTC, GTD, IOC, FOK = TimeInForce.GTC, TimeInForce.GTD, TimeInForce.IOC, TimeInForce.FOK

#: (type, time in force) -> what the wire says, by dialect.
LIVES = {
    "draft": {(M, GTC): "GTC", **{(t, f): w for t in (L, S, SL) for f, w in ((GTC, "GTC"), (GTD, "GTT"))}},
    "final": {
        **{(M, f): w for f, w in ((GTC, "AON"), (IOC, "IOC"), (FOK, "FOK"))},
        **{(t, f): w for t in (L, S, SL) for f, w in ((GTC, "AON"), (GTD, "AON"), (IOC, "IOC"), (FOK, "FOK"))},
    },
}
CASES = [
    pytest.param(dialect, type_, force, word, id=f"{dialect}-{type_.name}-{force.name}")
    for dialect, lives in LIVES.items()
    for (type_, force), word in lives.items()
]


def make(t: Trading, type_: OrderType, force: TimeInForce, *, crossing: bool = False) -> Any:
    """An order to buy 10000; a limit that crosses or rests, a stop above the market."""
    common: dict[str, Any] = {"time_in_force": force}
    if force is GTD:
        common["expire_time"] = t.desk.clock.utc_now() + pd.Timedelta(minutes=5)
    trigger = t.px(t.ask + D("0.002"))
    factory, qty = t.desk.order_factory, t.qty(10000)
    match type_:
        case OrderType.MARKET:
            return factory.market(IID, BUY, qty, **common)
        case OrderType.LIMIT:
            return factory.limit(IID, BUY, qty, t.px(t.ask if crossing else t.bid - D("0.001")), **common)
        case OrderType.STOP_MARKET:
            return factory.stop_market(IID, BUY, qty, trigger, **common)
        case _:
            return factory.stop_limit(IID, BUY, qty, t.px(t.ask + D("0.004")), trigger, **common)


def make_it_fill(t: Trading, order: Any) -> None:
    if order.order_type == L:
        t.sim.market.trade("EURUSD", order.price.as_decimal(), D(10000), Side.SELL)
    else:
        t.sim.market.set_mid("EURUSD", order.trigger_price.as_decimal() + D("0.0002"))


@pytest.mark.parametrize(("dialect", "type_", "force", "word"), CASES)
async def test_filled(dialect: str, type_: OrderType, force: TimeInForce, word: str):
    async with trading(dialect, all_or_none=False) as t:
        order = make(t, type_, force, crossing=force in (IOC, FOK))
        t.submit(order)
        rests = type_ in (S, SL) or (type_ is L and force in (GTC, GTD))
        if rests:
            await t.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be accepted")
            there = t.sim.ledger.order(order.venue_order_id.value)
            assert there.info["lifetime"].value == word
            assert there.quantity == 10000
            assert there.price == (order.price.as_decimal() if type_ in (L, SL) else None)
            assert (there.expire_ns or 0) // 1_000_000 == order.expire_time_ns // 1_000_000
            make_it_fill(t, order)
        await t.until(lambda: order.is_closed, "the end")
        assert order.status == OrderStatus.FILLED
        there = t.sim.ledger.order(order.venue_order_id.value)
        assert there.info["lifetime"].value == word
        fills = [e for e in t.run.order_events(order.client_order_id) if isinstance(e, OrderFilled)]
        assert sum(f.last_qty.as_decimal() for f in fills) == 10000
        assert sum(f.last_qty.as_decimal() * f.last_px.as_decimal() for f in fills) == there.notional
        assert fills[-1].trade_id.value == f"{order.venue_order_id}-10000"
        assert t.names(order)[:3] == ["Initialized", "Submitted", "Accepted"]
        assert set(t.names(order)[3:]) == {"Filled"}
        assert t.differences() == []
        assert t.run.log.entries("ERROR") == []


@pytest.mark.parametrize(("dialect", "type_", "force", "word"), [case for case in CASES if case.values[1] is not M])
async def test_changed_and_canceled(dialect: str, type_: OrderType, force: TimeInForce, word: str):
    async with trading(dialect) as t:
        order = make(t, type_, force)
        t.submit(order)
        if type_ is L and force in (IOC, FOK):  # nothing to take: the venue ends it
            await t.until(lambda: order.is_closed, "the end")
            assert (order.status, order.filled_qty) == (OrderStatus.CANCELED, t.qty(0))
            return
        await t.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be accepted")
        changes: dict[str, Any] = {"quantity": t.qty(20000)}
        if type_ in (L, SL):
            changes["price"] = t.px(order.price.as_decimal() - D("0.0005"))
        if type_ in (S, SL):
            changes["trigger_price"] = t.px(order.trigger_price.as_decimal() - D("0.0005"))
        t.desk.modify_order(order, **changes)
        await t.until(lambda: order.quantity == t.qty(20000) and order.status == OrderStatus.ACCEPTED, "the change")
        for name, value in changes.items():
            assert getattr(order, name) == value
        there = t.sim.ledger.order(order.venue_order_id.value)
        assert there.quantity == 20000
        (updated,) = [e for e in t.run.order_events(order.client_order_id) if isinstance(e, OrderUpdated)]
        assert updated.quantity == t.qty(20000)
        t.desk.cancel_order(order)
        await t.until(lambda: order.status == OrderStatus.CANCELED, "the cancel")
        assert t.names(order) == ["Initialized", "Submitted", "Accepted", "Updated", "Canceled"]
        assert t.differences() == []


def orders_denied(t: Trading, dialect: str) -> list[tuple[Any, str]]:
    """What this dialect cannot say, and a part of the reason; all-or-none is not allowed."""
    factory, qty = t.desk.order_factory, t.qty(10000)
    price, away = t.px(t.bid - D("0.001")), t.px(t.ask + D("0.002"))
    denied = [
        (factory.limit(IID, BUY, qty, price, time_in_force=TimeInForce.DAY), "time in force DAY"),
        (factory.limit(IID, BUY, qty, price, time_in_force=TimeInForce.AT_THE_OPEN), "AT_THE_OPEN"),
        (factory.limit(IID, BUY, qty, price, time_in_force=TimeInForce.AT_THE_CLOSE), "AT_THE_CLOSE"),
        (factory.limit(IID, BUY, qty, price, post_only=True), "post-only"),
        (factory.limit(IID, BUY, qty, price, reduce_only=True), "reduce-only"),
        (factory.limit(IID, BUY, qty, price, display_qty=t.qty(1000)), "display quantity"),
        (factory.market(IID, BUY, qty, quote_quantity=True), "quote quantity"),
        (factory.market_if_touched(IID, BUY, qty, price), "order type MARKET_IF_TOUCHED"),
        (factory.limit_if_touched(IID, BUY, qty, price, price), "order type LIMIT_IF_TOUCHED"),
        (factory.trailing_stop_market(IID, BUY, qty, trailing_offset=D("0.001"), trigger_price=away), "TRAILING"),
        (factory.market_to_limit(IID, BUY, qty), "order type MARKET_TO_LIMIT"),
    ]
    expiring = {"time_in_force": GTD, "expire_time": t.desk.clock.utc_now() + pd.Timedelta(minutes=5)}
    if dialect == "draft":
        denied += [(make(t, type_, force), force.name) for type_ in (L, S, SL) for force in (IOC, FOK)]
        denied += [(factory.market(IID, BUY, qty, time_in_force=force), force.name) for force in (IOC, FOK)]
    else:
        denied += [(make(t, type_, GTC), "aon_for_gtc") for type_ in (L, S, SL)]
        denied += [(factory.limit(IID, BUY, qty, price, **expiring), "aon_for_gtc")]
    return denied


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_everything_else_is_denied_with_the_reason_and_nothing_is_sent(dialect: str):
    async with trading(dialect, config={"aon_for_gtc": False}) as t:
        denied = orders_denied(t, dialect)
        t.submit(*(order for order, _ in denied))
        tpi = t.limit(BUY, t.bid)
        t.submit(tpi, params={"time_in_force": "TPI"})
        await t.until(lambda: all(order.is_closed for order, _ in [*denied, (tpi, "")]), "the denials")
        for order, words in [*denied, (tpi, "TPI")]:
            (event,) = [e for e in t.run.order_events(order.client_order_id) if isinstance(e, OrderDenied)]
            assert words in event.reason
            assert t.names(order) == ["Initialized", "Denied"]
        assert t.sent("newordersingle") == 0
