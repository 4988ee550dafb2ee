"""One order's life in numbers: properties of any history of events, and the words of every situation."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.lifecycle import Ending, Move, OrderLifecycle, Phase
from nautilus_orderfeeds.orders.words import CLOSED_STATUSES, OrderSide, OrderStatus, OrderType, TimeInForce
from tests.support.follower import Follower
from tests.support.hunting import history
from tests.support.lifecycles import blank, fill, told

SEEDS = st.integers(min_value=0, max_value=2**48)
D = Decimal


def follow(seed: int) -> tuple[Follower, OrderLifecycle, list[Move]]:
    """Let the reducer make the events of a random life, and note them one second apart."""
    life, steps = history(seed)
    follower = Follower(life, judge=False).follow(steps)
    order = blank(quantity=life.quantity, client_order_id=life.client_order_id)
    moves: list[Move] = []
    for n, event in enumerate(follower.journal, start=2):
        moves += order.note(event, n)
    return follower, order, moves


@given(SEEDS)
@settings(max_examples=300, deadline=None)
def test_agrees_with_the_reducer_on_any_life(seed: int) -> None:
    follower, order, _ = follow(seed)
    state = follower.state
    assert order.refused_events == 0
    assert (order.status, order.quantity, order.filled_qty) == (state.status, state.quantity, state.filled_qty)
    assert (order.notional, order.orphaned_qty, order.leaves_qty) == (
        state.notional,
        state.orphaned_qty,
        state.leaves_qty,
    )
    assert order.venue_order_id == (state.venue_order_id if order.accepted_ns else None)
    assert order.fills == len(follower.fills)
    assert order.inferred_fills == sum(fill.inferred for fill in follower.fills)
    assert order.events == len(follower.journal)


@given(SEEDS)
@settings(max_examples=300, deadline=None)
def test_numbers_of_any_life_are_consistent(seed: int) -> None:
    _, order, _ = follow(seed)
    ratio = Fraction(order.filled_qty) / Fraction(order.quantity)
    assert abs(Fraction(order.fill_percent) - ratio * 100) < Fraction(1, 10**50)
    assert abs(Fraction(order.fill_ratio) - ratio) < Fraction(1, 10**50)
    assert 0 <= order.fill_percent <= 100
    assert (order.phase is Phase.COMPLETED) == (order.ending is not None) == (order.completed_ns > 0)
    assert (order.first_fill_ns > 0) == (order.fills > 0) == (order.filled_qty > 0)
    assert order.is_completed == (order.status in CLOSED_STATUSES)
    for duration_ns in (order.time_to_accept_ns, order.time_to_first_fill_ns, order.duration_ns):
        assert duration_ns is None or (type(duration_ns) is int and duration_ns >= 0)
    if order.first_fill_ns:
        assert order.accepted_ns <= order.first_fill_ns <= order.last_fill_ns <= order.last_ns
    if order.filled_qty:
        assert abs(Fraction(order.avg_px or 0) * Fraction(order.filled_qty) - Fraction(order.notional)) < Fraction(
            1, 10**40
        )


@given(SEEDS)
@settings(max_examples=300, deadline=None)
def test_moves_of_any_life_come_once_and_in_order(seed: int) -> None:
    _, order, moves = follow(seed)
    for once in (Move.SUBMITTED, Move.ACCEPTED, Move.TRIGGERED, Move.FIRST_FILL):
        assert moves.count(once) <= 1
    over = [move for move in moves if move in (Move.COMPLETED, Move.REJECTED, Move.REOPENED)]
    assert all(a is not b for a, b in pairwise(over))
    assert over[:1] != [Move.REOPENED]
    assert (bool(over) and over[-1] is not Move.REOPENED) == order.is_completed
    assert moves.count(Move.FIRST_FILL) == (order.fills > 0)
    assert moves.count(Move.FILL) == max(order.fills - 1, 0)


@given(SEEDS, st.data())
@settings(max_examples=200, deadline=None)
def test_same_moves_by_events_and_by_states(seed: int, data: st.DataObject) -> None:
    """What moved between two states is what the events between them moved, ends that were undone left out."""
    life, steps = history(seed)
    journal = Follower(life, judge=False).follow(steps).journal
    cut = data.draw(st.integers(0, len(journal)))
    order = blank(quantity=life.quantity)
    for n, event in enumerate(journal[:cut], start=2):
        order.note(event, n)
    earlier = told([], quantity=life.quantity)
    for n, event in enumerate(journal[:cut], start=2):
        earlier.note(event, n)
    moves: list[Move] = []
    for n, event in enumerate(journal[cut:], start=cut + 2):
        moves += order.note(event, n)
    since = order.moves_since(earlier)
    assert set(since) <= set(moves)
    firsts = {Move.SUBMITTED, Move.ACCEPTED, Move.TRIGGERED, Move.FIRST_FILL}
    assert [m for m in since if m in firsts] == [m for m in moves if m in firsts]


def _any_event(kind: type[ev.OrderEvent]) -> st.SearchStrategy[ev.OrderEvent]:
    values = {"reason": "because", "venue_order_id": "V1", "trade_id": "T1", "what": "odd"}
    numbers = st.fixed_dictionaries(
        {
            name: st.integers(1, 20).map(str)
            for name in ("quantity", "last_qty", "last_px", "commission", "cum_qty", "qty")
        }
    )
    return numbers.map(lambda found: msgspec.convert({"event": kind.__name__, **values, **found}, kind))


ANY_EVENTS = st.lists(st.one_of([_any_event(kind) for kind in ev.OrderEvent.__subclasses__()]), max_size=15)


@given(ANY_EVENTS)
def test_any_nonsense_of_events_leaves_consistent_numbers(events: list[ev.OrderEvent]) -> None:
    order = blank(quantity=D(10))
    for n, event in enumerate(events, start=2):
        before = order.status
        refused = order.refused_events
        moves = order.note(event, n)
        if order.refused_events > refused:
            assert (order.status, moves) == (before, (Move.CHANGED,))
        assert moves
    assert order.events == len(events)
    assert (order.phase is Phase.COMPLETED) == (order.ending is not None) == (order.completed_ns > 0)
    assert isinstance(order.fill_percent, Decimal)


# -- the words of every situation --------------------------------------------------------------------------------------

SUBMITTED = ev.OrderSubmitted()
ACCEPTED = ev.OrderAccepted(venue_order_id="V1")


@pytest.mark.parametrize(
    ("events", "phase", "ending"),
    [
        ([], Phase.PENDING, None),
        ([ev.OrderDenied(reason="no such type")], Phase.COMPLETED, Ending.DENIED),
        ([SUBMITTED], Phase.IN_FLIGHT, None),
        ([SUBMITTED, ev.OrderPendingCancel()], Phase.IN_FLIGHT, None),
        ([SUBMITTED, ev.OrderRejected(reason="no")], Phase.COMPLETED, Ending.REJECTED),
        ([SUBMITTED, ACCEPTED], Phase.ACTIVE, None),
        ([SUBMITTED, ACCEPTED, ev.OrderPendingUpdate()], Phase.ACTIVE, None),
        ([SUBMITTED, fill("4", cum="4")], Phase.ACTIVE, None),
        ([SUBMITTED, fill("10", cum="10")], Phase.COMPLETED, Ending.FILLED),
        ([SUBMITTED, ACCEPTED, ev.OrderCanceled()], Phase.COMPLETED, Ending.CANCELED),
        ([SUBMITTED, fill("4", cum="4"), ev.OrderCanceled()], Phase.COMPLETED, Ending.PARTIALLY_FILLED_CANCELED),
        ([SUBMITTED, ACCEPTED, ev.OrderExpired()], Phase.COMPLETED, Ending.EXPIRED),
        ([SUBMITTED, ev.OrderCanceled(), fill("4", cum="4")], Phase.ACTIVE, None),
        ([SUBMITTED, ev.OrderAccepted(venue_order_id="H1", held=True)], Phase.ACTIVE, None),
        (
            [SUBMITTED, ev.OrderAccepted(venue_order_id="H1", held=True), ev.OrderReleased()],
            Phase.IN_FLIGHT,
            None,
        ),
    ],
)
def test_phase_and_ending(events: list[ev.OrderEvent], phase: Phase, ending: Ending | None) -> None:
    order = told(events, quantity=D(10))
    assert (order.phase, order.ending) == (phase, ending)


def test_released_order_is_in_flight_until_the_venue_names_it() -> None:
    order = told([SUBMITTED, ev.OrderAccepted(venue_order_id="H1", held=True), ev.OrderReleased()], quantity=D(10))
    order.note(ev.OrderUpdated(venue_order_id="V9", quantity=D(10), replaced=True), 99)
    assert (order.phase, order.venue_order_id) == (Phase.ACTIVE, "V9")


def test_times_are_counted_from_submitting_and_the_duration_from_the_record() -> None:
    order = blank(quantity=D(10), created_ns=100)
    for event, at in ((SUBMITTED, 110), (ACCEPTED, 140), (fill("4", cum="4"), 200), (fill("6", cum="10"), 300)):
        order.note(event, at)
    assert (order.time_to_accept_ns, order.time_to_first_fill_ns, order.duration_ns) == (30, 90, 200)
    assert order.fill_percent == 100
    assert order.last_fill_ns == 300
    assert order.age_ns(10**9) == 200


def test_cancel_latency_is_of_the_cancel_that_ended_it() -> None:
    order = blank(quantity=D(10))
    for event, at in (
        (SUBMITTED, 10),
        (ACCEPTED, 20),
        (ev.OrderPendingCancel(), 30),
        (ev.OrderCancelRejected(reason="too late"), 50),
        (ev.OrderPendingCancel(), 60),
        (ev.OrderCanceled(reason="user"), 75),
    ):
        order.note(event, at)
    assert order.cancel_latency_ns == 15
    assert order.reason == "user"


def test_cancel_asked_before_the_accept_is_still_waited_for() -> None:
    order = blank(quantity=D(10))
    for event, at in ((SUBMITTED, 10), (ev.OrderPendingCancel(), 20), (ACCEPTED, 30), (ev.OrderCanceled(), 45)):
        order.note(event, at)
    assert order.cancel_latency_ns == 25


def test_late_fill_reopens_and_the_second_end_counts() -> None:
    order = blank(quantity=D(10))
    moves = [
        order.note(event, at)
        for event, at in (
            (SUBMITTED, 10),
            (ACCEPTED, 20),
            (ev.OrderCanceled(), 30),
            (fill("4", cum="4"), 40),
            (ev.OrderCanceled(), 50),
        )
    ]
    assert moves[2:] == [(Move.COMPLETED,), (Move.FIRST_FILL, Move.REOPENED), (Move.COMPLETED,)]
    assert (order.duration_ns, order.ending) == (49, Ending.PARTIALLY_FILLED_CANCELED)


def test_market_order_filled_at_once_moves_thrice_in_one_event() -> None:
    order = told([SUBMITTED], quantity=D(10))
    assert order.note(fill("10", cum="10"), 9) == (Move.ACCEPTED, Move.FIRST_FILL, Move.COMPLETED)


def test_order_of_no_quantity_is_not_divided_by() -> None:
    order = OrderLifecycle(
        client_order_id="O",
        symbol="X",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=D(0),
        created_ns=1,
    )
    assert (order.fill_percent, order.fill_ratio, order.avg_px) == (0, 0, None)
    assert order.status is OrderStatus.INITIALIZED
