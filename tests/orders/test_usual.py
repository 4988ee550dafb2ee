"""The short way of the two usual statements tells and remembers what the long way does, and is taken."""

import copy
from collections import Counter
from collections.abc import Callable
from decimal import Decimal, localcontext
from random import Random
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders import usual
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.reducer import reduce, reduce_unusual, settle
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.state import evolve
from nautilus_orderfeeds.orders.tracker import OrderTracker
from nautilus_orderfeeds.orders.updates import Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderStatus, TimeInForce
from tests.support.follower import Follower
from tests.support.histories import RULES as RULES_BY_STYLE
from tests.support.histories import Life, Mark, Step, live
from tests.support.hunting import history
from tests.support.one_order import RULES, OneOrder, V, said, trade

SEEDS = st.integers(min_value=0, max_value=2**48)


def follow(follower: Follower, steps: list[Step]) -> Counter[str]:
    """Take the steps; before each, compare what either way would make of it. Returns how often which way was taken."""
    taken: Counter[str] = Counter()
    for step in steps:
        assert not follower.state.is_calm or usual.is_calm(follower.state), "remembered, and not true any more"
        if isinstance(step, OrderUpdate):
            before, long, short = (copy.deepcopy(follower.state) for _ in range(3))
            told = usual.next_usual(short, step)
            if told is None:
                assert short == before
                taken["long"] += 1
            else:
                assert [told] == reduce_unusual(long, step, follower.rules)
                assert repr(short) == repr(long)
                assert not short.is_unsettled
                assert not short.is_calm or usual.is_calm(short)
                taken["calm"] += short.is_calm
                taken[type(told).__name__] += 1
        follower.step(step)
    return taken


def calm(seed: int) -> tuple[Life, list[Step]]:
    """A life at a venue that tells whole orders with each trade, with few faults: mostly usual statements."""
    rng = Random(seed)
    life = live(rng)
    life.quote_quantity = False
    quantity, filled, fees, notional = life.quantity, ZERO, ZERO, ZERO
    ts_event, told = 1_700_000_000_000_000_000, []

    def tell(**fields: Any) -> None:
        statement: dict[str, Any] = {"quantity": quantity, "price": life.price, "filled_qty": filled, "fees": fees}
        statement |= {"ts_event": ts_event, "avg_px": notional / filled if filled else None}
        statement |= {"fees_currency": rng.choice([None, "USDC"]), "liquidity_side": rng.choice(list(LiquiditySide))}
        told.append(OrderUpdate(source=Source.STREAM, venue_order_id="V1", **(statement | fields)))

    tell(status=rng.choice([V.WORKING] * 5 + [V.PENDING, V.WAITING]))
    parts = rng.randint(0, 5)
    for n in range(parts):
        rest = quantity - filled
        qty = rest if n == parts - 1 and rng.random() < 0.7 else (rest / 2).quantize(Decimal("0.01"))
        if not qty:
            break
        px, fee = Decimal(rng.randint(9_000, 11_000)) / 100, Decimal(rng.randint(-90, 90)) / 1000
        filled, fees, notional, ts_event = filled + qty, fees + fee, notional + qty * px, ts_event + rng.randint(0, 1)
        fill = Fill(
            trade_id=f"t{n}",
            last_qty=qty,
            last_px=px,
            commission=fee if rng.random() < 0.95 else None,
            commission_currency=rng.choice([None, "USDC"]),
            liquidity_side=rng.choice(list(LiquiditySide)),
            ts_event=rng.choice([0, ts_event, ts_event + 5]),
            ends_at=filled if rng.random() < 0.95 else None,
        )
        tell(status=V.FILLED if filled == quantity and rng.random() < 0.8 else V.WORKING, fills=(fill,))
    if rng.random() < 0.3:
        tell(status=rng.choice([V.CANCELED, V.EXPIRED, V.FILLED]), reason="user")
    steps: list[Step] = []
    for statement in told:
        steps.append(statement)
        if rng.random() < 0.1:
            steps.append(rng.choice([*Mark, rng.choice(told)]))
    if rng.random() < 0.2 and len(steps) > 1:
        n = rng.randrange(len(steps) - 1)
        steps[n], steps[n + 1] = steps[n + 1], steps[n]
    if rng.random() < 0.2:
        del steps[rng.randrange(len(steps))]
    return life, steps


@given(SEEDS)
@settings(max_examples=1_000, deadline=None)
def test_both_ways_are_the_same_in_a_calm_life(seed: int) -> None:
    life, steps = calm(seed)
    follow(Follower(life, judge=False, truthful=False), steps)


@given(SEEDS)
@settings(max_examples=1_000, deadline=None)
def test_both_ways_are_the_same_in_a_wild_life(seed: int) -> None:
    life, steps = history(seed)
    follow(Follower(life, judge=False), steps)


def test_the_short_way_is_the_usual_one() -> None:
    """In calm lives: otherwise the comparisons compare nothing."""
    taken: Counter[str] = Counter()
    for seed in range(300):
        life, steps = calm(seed)
        taken += follow(Follower(life, judge=False, truthful=False), steps)
    assert taken["OrderAccepted"] > 100
    assert taken["OrderFilled"] > taken["long"] / 2 > 50
    assert taken["calm"] > 50


def accepted(**terms: str) -> OneOrder:
    """The usual order of 10 at 100, live at the venue by a statement of its own terms."""
    order = OneOrder()
    order.state.quantity = Decimal(terms.get("quantity", "10"))
    event = usual.next_usual(order.state, usual_statement(order))
    assert type(event) is ev.OrderAccepted
    return order


def usual_statement(order: OneOrder, status: VenueStatus = V.WORKING, **fields: object) -> OrderUpdate:
    """A statement that repeats the order's terms."""
    state = order.state
    given_fields = {"quantity": state.quantity, "price": state.price, "filled_qty": "0", "ts_event": 5, **fields}
    return said(status, **given_fields)


UNUSUAL = {
    "of another order": {"venue_order_id": "V2"},
    "of a bare trade": {"status": None},
    "of no total": {"filled_qty": None},
    "of another total": {"filled_qty": "5"},
    "of a trade without a place": {"fills": (trade("t", "4"),)},
    "of a trade without a fee": {"fills": (trade("t", "4", ends_at="4", fee=None),)},
    "of a trade elsewhere": {"fills": (trade("t", "4", ends_at="5"),), "filled_qty": "5"},
    "of two trades": {"fills": (trade("t", "3", ends_at="3"), trade("u", "1", ends_at="4"))},
    "of no trade": {"fills": ()},
    "of other terms": {"quantity": "11"},
    "of another price": {"price": "101"},
    "of a trigger": {"trigger_price": "101"},
    "of a version": {"version": 2},
    "of a refused cancel": {"cancel_reject_reason": "too late"},
    "of a cancel": {"status": V.CANCELED},
    "of an end too early": {"status": V.FILLED},
    "of a cancel to come": {"status": V.PENDING_CANCEL},
}


@pytest.mark.parametrize("changed", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_takes_the_long_way(changed: dict[str, object]) -> None:
    order = accepted()
    before = copy.deepcopy(order.state)
    fields = {"status": V.WORKING, "filled_qty": "4", "fills": (trade("t", "4", ends_at="4"),)}
    assert usual.next_usual(copy.deepcopy(before), usual_statement(order, **fields)) is not None  # type: ignore[arg-type]
    assert usual.next_usual(order.state, usual_statement(order, **(fields | changed))) is None  # type: ignore[arg-type]
    assert order.state == before


def calm_order() -> OneOrder:
    """An order that has traded once as usual."""
    order = accepted()
    statement = usual_statement(order, filled_qty="4", fills=(trade("t", "4", ends_at="4"),))
    assert usual.next_usual(order.state, statement) is not None
    assert order.state.is_calm
    return order


def an_orphan(order: OneOrder) -> None:
    orphan = {"trade_id": "o", "venue_order_id": "V1", "last_qty": Decimal(1), "last_px": Decimal(1)}
    evolve(order.state, ev.FillOrphaned(**orphan, commission=ZERO))  # type: ignore[arg-type]


SHAKING: dict[str, Callable[[OneOrder], object]] = {
    "an event": an_orphan,
    "an event of a command": lambda order: evolve(order.state, ev.OrderPendingCancel()),
    "another statement": lambda order: reduce(order.state, usual_statement(order, V.CANCELED), RULES),
    "the same statement again": lambda order: reduce(order.state, usual_statement(order, filled_qty="4"), RULES),
    "an end of the waiting": lambda order: settle(order.state, RULES),
}


@pytest.mark.parametrize("shake", SHAKING.values(), ids=SHAKING)
def test_whether_an_order_is_calm_is_asked_anew_after(shake: Callable[[OneOrder], object]) -> None:
    order = calm_order()
    shake(order)
    assert not order.state.is_calm


def test_its_sums_are_exact_whatever_the_callers_context() -> None:
    first, total = Decimal("1234567890123.123456789012345678"), Decimal("1234567890123.123456789012345679")
    order = accepted(quantity=str(total))
    parts = [
        (V.WORKING, first, trade("t1", str(first), "100.01", ends_at=str(first), fee="0.1")),
        (V.FILLED, total, trade("t2", "1e-18", "100.01", ends_at=str(total), fee="0.1")),
    ]
    with localcontext(prec=3):
        for status, filled, fill in parts:
            statement = usual_statement(order, status, filled_qty=filled, fills=(fill,))
            assert type(usual.next_usual(order.state, statement)) is ev.OrderFilled
    assert order.state.status is OrderStatus.FILLED
    with localcontext(prec=60):
        assert (order.state.filled_qty, order.state.coverage.prefix) == (total, total)
        assert order.state.notional == total * Decimal("100.01")
        assert order.state.fees == Decimal("0.2")


@given(SEEDS)
@settings(max_examples=500, deadline=None)
def test_the_tracker_keeps_the_same_books_either_way(seed: int) -> None:
    """Which orders are open, unsettled, in flight: after every statement."""
    life, steps = (calm if seed % 2 else history)(seed)

    def books(*, short: bool) -> list[object]:
        tracker = OrderTracker()
        terms = NewOrder(
            client_order_id=life.client_order_id,
            symbol="BTCUSD",
            side=life.side,
            type=life.type,
            time_in_force=TimeInForce.GTC,
            quantity=life.quantity,
            price=life.price,
            quote_quantity=life.quote_quantity,
        )
        tracked = tracker.add(terms, RULES_BY_STYLE[life.style], (), 1)
        tracker.command(tracked, ev.OrderSubmitted(ts_event=1))
        kept: list[object] = []
        with mock.patch("nautilus_orderfeeds.orders.tracker.next_usual", usual.next_usual if short else _never):
            for now_ns, step in enumerate(steps, 1):
                if isinstance(step, OrderUpdate):
                    events = tracker.take(tracked, step, now_ns)
                    found = step.venue_order_id and tracker.get(None, step.venue_order_id) is tracked
                    kept.append((events, found, tracker.open_orders() == [tracked], _book(tracked)))
        return kept

    assert books(short=True) == books(short=False)


def _never(*_args: object) -> None:
    return None


def _book(tracked: object) -> dict[str, object]:
    names = ("in_flight", "ts_accepted", "unsettled_since_ns", "is_open", "state")
    return {name: copy.deepcopy(getattr(tracked, name)) for name in names}


def test_a_fill_that_would_close_an_order_being_changed_takes_the_long_way() -> None:
    order = accepted()
    evolve(order.state, ev.OrderPendingUpdate())
    reduce(order.state, usual_statement(order, filled_qty="4", fills=(trade("t", "4", ends_at="4"),)), RULES)
    assert (order.state.status, order.state.amending) == (OrderStatus.PARTIALLY_FILLED, True)
    last = usual_statement(order, V.FILLED, filled_qty="10", fills=(trade("u", "6", ends_at="10"),))
    assert usual.next_usual(copy.deepcopy(order.state), last) is None
    order.state.amending = False
    assert usual.next_usual(order.state, last) is not None


def test_the_tracker_waits_no_more_when_a_usual_fill_explains_all() -> None:
    tracker, order = OrderTracker(), OneOrder()
    state = order.state
    terms = NewOrder(
        client_order_id=state.client_order_id,
        symbol=state.symbol,
        side=state.side,
        type=state.type,
        time_in_force=TimeInForce.GTC,
        quantity=state.quantity,
        price=state.price,
    )
    tracked = tracker.add(terms, RULES, (), 1)
    tracker.command(tracked, ev.OrderSubmitted())
    tracker.take(tracked, usual_statement(order), 2)
    tracker.take(tracked, usual_statement(order, filled_qty="4"), 3)
    assert tracked.unsettled_since_ns == 3
    every = usual_statement(order, V.FILLED, filled_qty="10", fills=(trade("t", "10", ends_at="10"),))
    assert usual.next_usual(copy.deepcopy(tracked.state), every) is not None
    tracker.take(tracked, every, 4)
    assert (tracked.unsettled_since_ns, tracker.open_orders()) == (0, [])


def test_reduce_takes_it() -> None:
    order = accepted()
    statement = usual_statement(order, filled_qty="4", fills=(trade("t", "4", ends_at="4"),))
    with mock.patch("nautilus_orderfeeds.orders.reducer.reduce_unusual", side_effect=AssertionError("the long way")):
        (event,) = reduce(order.state, statement, RULES)
    assert type(event) is ev.OrderFilled
