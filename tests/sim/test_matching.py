"""Laws of the matching engine, tried on random flows and on the cases that matter by hand."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.sim.book import accepts
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.matching import Matcher
from nautilus_orderfeeds.sim.model import (
    EndReason,
    Fee,
    Liquidity,
    MarketEvent,
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderKind,
    OrderState,
    OrderTriggered,
    Product,
    SelfTrade,
    Side,
    SimOrder,
    TimeInForce,
    TradePrinted,
    Trigger,
    TriggerSource,
)

D = Decimal
PRODUCT = Product("X-PERP", "X", "USD", D("1"), D("0.1"), D("0.1"), D("100"))
ACCOUNTS = ("a", "b", "c")


class Bench:
    """A matcher with a ledger and short ways to place orders."""

    def __init__(self) -> None:
        self.ledger = Ledger([PRODUCT])
        for name in ACCOUNTS:
            self.ledger.add_account(name)
        self._ids = itertools.count(1)
        self._trades = itertools.count(1)
        self.now = 1_000
        self.events: list[MarketEvent] = []
        self.matcher = Matcher(PRODUCT, self.ledger, self.fee, lambda: f"t{next(self._trades)}")

    @staticmethod
    def fee(order: SimOrder, price: Decimal, size: Decimal, liquidity: Liquidity) -> Fee:
        return Fee(price * size * (D("-0.0001") if liquidity is Liquidity.MAKER else D("0.0003")))

    def order(self, account: str, side: Side, size: str, price: str | None, **more: object) -> SimOrder:
        return SimOrder(
            venue_order_id=f"o{next(self._ids)}",
            account=account,
            product="X-PERP",
            side=side,
            quantity=D(size),
            price=None if price is None else D(price),
            kind=OrderKind.MARKET if price is None else OrderKind.LIMIT,
            **more,  # type: ignore[arg-type]
        )

    def submit(self, order: SimOrder) -> SimOrder:
        self.now += 1
        self.ledger.add_order(order)
        self.events = self.matcher.submit(order, self.now)
        self.check()
        return order

    def buy(self, account: str, size: str, price: str | None, **more: object) -> SimOrder:
        return self.submit(self.order(account, Side.BUY, size, price, **more))

    def sell(self, account: str, size: str, price: str | None, **more: object) -> SimOrder:
        return self.submit(self.order(account, Side.SELL, size, price, **more))

    def check(self) -> None:
        self.ledger.check()
        bid, ask = self.matcher.book.bids.best_price(), self.matcher.book.asks.best_price()
        assert bid is None or ask is None or bid < ask, "crossed book"

    def fills(self, order: SimOrder) -> list[tuple[Decimal, Decimal]]:
        return [(fill.price, fill.size) for fill in self.ledger.fills(order, account=order.account)]


sizes = st.integers(1, 60).map(lambda n: D(n) / 10)
prices = st.integers(90, 110).map(D)
orders = st.tuples(
    st.sampled_from(ACCOUNTS),
    st.sampled_from(Side),
    sizes,
    prices,
    st.sampled_from((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)),
    st.sampled_from(("plain", "plain", "plain", "post_only", "reduce_only", "market", "all_or_none")),
    st.sampled_from(SelfTrade),
)
cancels = st.integers(0, 30)
commands = st.lists(st.one_of(orders, orders, orders, cancels), max_size=60)


def make(bench: Bench, spec: tuple) -> SimOrder:  # type: ignore[type-arg]
    account, side, size, price, tif, flavour, self_trade = spec
    order = bench.order(account, side, str(size), str(price), time_in_force=tif, self_trade=self_trade)
    match flavour:
        case "post_only":
            order.post_only = True
        case "reduce_only":
            order.reduce_only = True
        case "all_or_none":
            order.all_or_none = True
        case "market":
            order.kind = OrderKind.MARKET
    return order


@settings(max_examples=150, deadline=None)
@given(commands)
def test_any_flow_keeps_the_laws(flow: list) -> None:  # type: ignore[type-arg]
    bench = Bench()
    placed: list[SimOrder] = []
    for command in flow:
        if isinstance(command, int):
            if command < len(placed):
                bench.now += 1
                bench.matcher.cancel(placed[command], EndReason.USER, bench.now)
                bench.check()
                assert not placed[command].is_open
            continue
        order = make(bench, command)
        makers_before = [
            (maker, maker.leaves)
            for maker in bench.matcher.book.side(order.side.opposite)
            if accepts(order.side, order.price, maker.price)
        ]
        bench.submit(order)
        placed.append(order)
        taken = [e.fill for e in bench.events if isinstance(e, OrderFilled) and e.order is order]

        # Never worse than the limit, always at the maker's price, each maker in turn used up before the next.
        usable = [
            (maker, leaves)
            for maker, leaves in makers_before
            if order.self_trade is SelfTrade.ALLOW or maker.account != order.account
        ]
        for position, fill in enumerate(taken):
            if fill.liquidity is Liquidity.TAKER and not order.all_or_none:
                maker, leaves = usable[position]
                assert fill.price == maker.price
                assert fill.size == leaves or position == len(taken) - 1
        if order.time_in_force is TimeInForce.FOK:
            assert order.filled in (0, order.quantity)
            assert not order.is_open
        if order.all_or_none:
            assert order.filled in (0, order.quantity)
        if order.post_only:
            assert all(fill.liquidity is Liquidity.MAKER for fill in taken)
        if order.time_in_force is TimeInForce.IOC or order.kind is OrderKind.MARKET:
            assert not order.is_open
        if order.reduce_only and order.filled:
            assert order.end_reason is not EndReason.REDUCE_ONLY
    for account in ACCOUNTS:  # whatever reduce-only order rests could still reduce by its whole size
        net = bench.ledger.net_size(account, "X-PERP")
        for side in Side:
            for resting in bench.matcher.book.side(side):
                if resting.reduce_only and resting.account == account:
                    assert (net > 0) == (side is Side.SELL)
                    assert resting.leaves <= abs(net)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(sizes, prices), min_size=1, max_size=12), sizes, prices)
def test_a_taker_gets_what_brute_force_says(asks: list[tuple[Decimal, Decimal]], size: Decimal, limit: Decimal) -> None:
    bench = Bench()
    for ask_size, price in asks:
        bench.sell("a", str(ask_size), str(price))
    taker = bench.buy("b", str(size), str(limit), time_in_force=TimeInForce.IOC)

    left, expected = size, []
    for price, _, ask_size in sorted((price, n, s) for n, (s, price) in enumerate(asks)):
        if price <= limit and left > 0:
            expected.append((price, min(left, ask_size)))
            left -= min(left, ask_size)
    assert bench.fills(taker) == expected
    assert taker.filled == size - left
    assert taker.end_reason is (EndReason.FILLED if left == 0 else EndReason.IOC)


def test_older_orders_of_a_level_come_first_and_a_cut_size_keeps_its_place() -> None:
    bench = Bench()
    first, second = bench.buy("a", "2", "100"), bench.buy("b", "2", "100")
    bench.matcher.amend(first, 5, quantity=D("1"))
    bench.sell("c", "1.5", "100")
    assert (first.filled, second.filled) == (1, D("0.5"))


def test_a_changed_price_or_a_larger_size_goes_to_the_back() -> None:
    bench = Bench()
    first, second = bench.buy("a", "1", "100"), bench.buy("b", "1", "100")
    bench.matcher.amend(first, 5, quantity=D("3"))
    bench.sell("c", "1", "100")
    assert (first.filled, second.filled) == (0, 1)
    bench.sell("c", "1", "102")
    bench.matcher.amend(first, 6, price=D("102"))
    bench.check()
    assert first.filled == 1
    assert first.leaves == 2


def test_amending_what_has_ended_or_below_the_filled_is_an_error() -> None:
    bench = Bench()
    order = bench.buy("a", "2", "100")
    bench.sell("b", "1", "100")
    with pytest.raises(ValueError, match="not above the filled"):
        bench.matcher.amend(order, 5, quantity=D("1"))
    bench.matcher.cancel(order, EndReason.USER, 6)
    with pytest.raises(ValueError, match="has ended"):
        bench.matcher.amend(order, 7, price=D("99"))


@pytest.mark.parametrize("reason", [EndReason.USER, EndReason.ADMIN])
def test_a_canceled_order_says_what_is_lost(reason: EndReason) -> None:
    bench = Bench()
    order = bench.buy("a", "2", "100")
    bench.sell("b", "0.5", "100")
    bench.matcher.cancel(order, reason, 9)
    assert (order.state, order.filled, order.canceled, order.leaves) == (OrderState.CANCELED, D("0.5"), D("1.5"), 0)
    assert order.end_reason is reason
    assert bench.matcher.cancel(order, reason, 10) == []


def test_post_only_ends_when_it_would_take() -> None:
    bench = Bench()
    bench.sell("a", "1", "100")
    order = bench.buy("b", "1", "100", post_only=True)
    assert (order.state, order.end_reason) == (OrderState.CANCELED, EndReason.POST_ONLY)
    assert bench.buy("b", "1", "99", post_only=True).state is OrderState.WORKING


def test_fill_or_kill_sees_through_levels_but_not_through_own_orders() -> None:
    bench = Bench()
    bench.sell("a", "1", "100")
    bench.sell("b", "1", "101")
    bench.sell("a", "1", "102")
    fok = {"time_in_force": TimeInForce.FOK}
    assert bench.buy("b", "2", "102", self_trade=SelfTrade.CANCEL_TAKER, **fok).end_reason is EndReason.FOK
    assert bench.buy("c", "3.1", "102", **fok).end_reason is EndReason.FOK
    assert bench.buy("b", "2", "102", self_trade=SelfTrade.CANCEL_MAKER, **fok).state is OrderState.FILLED


def test_self_trade_prevention_ends_the_one_it_names() -> None:
    bench = Bench()
    resting = bench.sell("a", "1", "100")
    taker = bench.buy("a", "2", "100", self_trade=SelfTrade.CANCEL_TAKER)
    assert (taker.end_reason, resting.is_open) == (EndReason.SELF_TRADE, True)
    taker = bench.buy("a", "2", "100", self_trade=SelfTrade.CANCEL_MAKER)
    assert (taker.is_open, resting.end_reason) == (True, EndReason.SELF_TRADE)


def test_market_orders_stop_at_their_worst_price() -> None:
    bench = Bench()
    bench.sell("a", "1", "100")
    bench.sell("a", "1", "105")
    order = bench.order("b", Side.BUY, "3", "101")
    order.kind = OrderKind.MARKET
    bench.submit(order)
    assert (order.filled, order.end_reason) == (1, EndReason.NO_LIQUIDITY)


def test_a_slippage_cap_counts_from_the_best_price_when_the_order_becomes_active() -> None:
    bench = Bench()
    bench.buy("a", "1", "100")
    trigger = Trigger(D("95"), rises=False, source=TriggerSource.MARK)
    order = bench.order("b", Side.SELL, "3", None, trigger=trigger, max_slippage=D("0.02"))
    order.kind = OrderKind.MARKET
    bench.submit(order)
    bench.buy("c", "1", "102")
    bench.buy("c", "1", "99.96")
    bench.buy("c", "1", "99.95")
    bench.matcher.set_mark(D("95"), 50)
    assert order.price == D("99.96")
    assert (order.filled, order.end_reason) == (3, EndReason.FILLED)
    again = bench.order("b", Side.SELL, "3", None, max_slippage=D("0"))
    again.kind = OrderKind.MARKET
    bench.submit(again)
    assert (again.filled, again.end_reason) == (1, EndReason.NO_LIQUIDITY)
    empty = bench.order("b", Side.SELL, "3", None, max_slippage=D("0"))
    empty.kind = OrderKind.MARKET
    bench.submit(empty)
    assert (empty.filled, empty.end_reason) == (0, EndReason.NO_LIQUIDITY)


def test_an_order_by_amount_spends_whole_lots_only() -> None:
    bench = Bench()
    bench.sell("a", "1", "100")
    bench.sell("a", "9", "103")
    order = bench.order("b", Side.BUY, "0", None, quote_amount=D("250"))
    bench.submit(order)
    assert order.filled == order.quantity == D("2.4")  # 1 at 100, then 150 buy 1.4 at 103
    assert order.state is OrderState.FILLED
    exact = bench.order("b", Side.BUY, "0", None, quote_amount=D("103"))
    bench.submit(exact)
    assert (exact.filled, exact.state) == (1, OrderState.FILLED)


def test_stops_wait_and_fire_by_last_or_mark() -> None:
    bench = Bench()
    bench.buy("a", "5", "95")
    by_last = bench.sell("b", "1", "90", trigger=Trigger(D("96"), rises=False))
    by_mark = bench.sell("b", "1", "90", trigger=Trigger(D("96"), rises=False, source=TriggerSource.MARK))
    assert [by_last.state, by_mark.state] == [OrderState.WAITING] * 2
    bench.sell("c", "1", "95")
    assert [type(e) for e in bench.events if not isinstance(e, TradePrinted)][:1] == [OrderAccepted]
    assert any(isinstance(e, OrderTriggered) and e.order is by_last for e in bench.events)
    assert [by_last.state, by_mark.state] == [OrderState.FILLED, OrderState.WAITING]
    events = bench.matcher.set_mark(D("96"), 50)
    assert any(isinstance(e, OrderTriggered) and e.order is by_mark for e in events)
    assert by_mark.state is OrderState.FILLED


def test_reduce_only_needs_a_position_and_goes_with_it() -> None:
    bench = Bench()
    assert bench.sell("a", "1", "110", reduce_only=True).end_detail == "pos size 0, order side SELL"
    bench.sell("b", "3", "100")
    bench.buy("a", "3", "100")
    too_much = bench.sell("a", "3.1", "110", reduce_only=True)
    assert too_much.end_detail == "pos size 3, order size 3.1, order side SELL"
    near, far = (bench.sell("a", "1", price, reduce_only=True) for price in ("110", "111"))
    assert bench.sell("a", "1.1", "112", reduce_only=True).end_reason is EndReason.REDUCE_ONLY
    bench.buy("b", "2", "105")
    bench.sell("a", "2", "105")  # the position shrinks to 1: only the nearer order stays
    assert (near.is_open, far.end_reason) == (True, EndReason.REDUCE_ONLY)
    bench.buy("c", "1", "110")
    assert near.state is OrderState.FILLED


def test_orders_expire_in_their_time_and_not_before() -> None:
    bench = Bench()
    order = bench.buy("a", "1", "100", time_in_force=TimeInForce.GTD, expire_ns=5_000)
    assert bench.matcher.expire(4_999) == []
    events = bench.matcher.expire(5_000)
    assert [e.order for e in events if isinstance(e, OrderEnded)] == [order]
    assert order.state is OrderState.EXPIRED
    assert bench.matcher.book.bids.best_price() is None


def test_all_or_none_rests_unseen_until_it_can_be_filled_whole() -> None:
    bench = Bench()
    order = bench.buy("a", "2", "100", all_or_none=True)
    assert bench.matcher.book.bids.best_price() is None
    bench.sell("b", "1.5", "99")
    assert (order.filled, order.is_open) == (0, True)
    bench.sell("c", "0.5", "100")
    assert order.state is OrderState.FILLED
    assert bench.fills(order) == [(D("99"), D("1.5")), (D("100"), D("0.5"))]


@pytest.mark.parametrize(
    "wrong",
    [
        {"product": "Y-PERP"},
        {"quantity": D(0)},
        {"price": None},
        {"price": D("-1")},
    ],
)
def test_nonsense_is_an_error_of_the_caller(wrong: dict[str, object]) -> None:
    bench = Bench()
    order = bench.order("a", Side.BUY, "1", "100")
    for name, value in wrong.items():
        setattr(order, name, value)
    with pytest.raises(ValueError, match="order"):
        bench.matcher.submit(order, 1)
