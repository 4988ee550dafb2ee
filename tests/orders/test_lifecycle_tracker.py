"""All orders together: what is told never depends on how the orders were interleaved, doubled or told."""

import copy
import random
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import Journal
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from nautilus_orderfeeds.orders.lifecycle import Ending, Move, OrderLifecycle, Phase
from nautilus_orderfeeds.orders.lifecycle_stats import Dimension, Distribution, Statistics
from nautilus_orderfeeds.orders.lifecycle_tracker import LifecycleTracker
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import OrderType
from tests.support.follower import Follower
from tests.support.hunting import history
from tests.support.lifecycles import blank, fill

D = Decimal
SUBMITTED = ev.OrderSubmitted()
ACCEPTED = ev.OrderAccepted(venue_order_id="V1")
#: seeds of the lives of some orders, and of how they are mixed
MIXES = st.tuples(st.lists(st.integers(0, 2**32), min_size=1, max_size=6), st.integers(0, 2**32))


def lives(seeds: list[int]) -> list[tuple[OrderLifecycle, list[tuple[ev.OrderEvent, int]]]]:
    """Orders at three venues and instruments, and their events with times."""
    found = []
    for n, seed in enumerate(seeds):
        life, steps = history(seed)
        journal = Follower(life, judge=False).follow(steps).journal
        order = blank(
            quantity=life.quantity,
            client_order_id=f"O-{n}",
            venue=("BSX", "SFOX", "ROXOM")[seed % 3],
            symbol=("BTCUSD", "ETHUSD")[seed % 2],
            kind=life.type,
            created_ns=1 + n,
        )
        found.append((order, [(event, 100 + 7 * k + seed % 5) for k, event in enumerate(journal)]))
    return found


def mixed(rng: random.Random, told: list[list[tuple[ev.OrderEvent, int]]]) -> list[tuple[int, ev.OrderEvent, int]]:
    """Interleave, each order's own events in their order."""
    queue = [n for n, events in enumerate(told) for _ in events]
    rng.shuffle(queue)
    places = [iter(events) for events in told]
    return [(n, *next(places[n])) for n in queue]


def fed(seeds: list[int], mix: int) -> tuple[LifecycleTracker, Counter[tuple[str, Move]]]:
    tracker = LifecycleTracker()
    notes: Counter[tuple[str, Move]] = Counter()
    tracker.listen(lambda life, moves: notes.update((life.client_order_id, move) for move in moves))
    found = lives(seeds)
    begun = [tracker.begin(order) for order, _ in found]
    for n, event, at in mixed(random.Random(mix), [events for _, events in found]):
        tracker.feed(begun[n], event, at)
    return tracker, notes


@given(MIXES, st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_interleaving_of_orders_is_irrelevant(mix: tuple[list[int], int], other: int) -> None:
    one, one_notes = fed(*mix)
    two, two_notes = fed(mix[0], other)
    assert {life.client_order_id: life for life in one} == {life.client_order_id: life for life in two}
    assert one.statistics() == two.statistics()
    for dimensions in ((), (Dimension.VENUE,), (Dimension.INSTRUMENT, Dimension.ORDER_TYPE)):
        assert one.statistics_by(*dimensions) == two.statistics_by(*dimensions)
    assert one_notes == two_notes
    assert one.completed() == two.completed()
    assert one.active() == two.active()


@given(MIXES)
@settings(max_examples=100, deadline=None)
def test_doubled_late_and_reordered_states_lead_to_the_same(mix: tuple[list[int], int]) -> None:
    """What the message bus may do to whole states: the newest wins, and each end is told."""
    seeds, shuffle = mix
    expected, _ = fed(seeds, shuffle)
    states = []
    for order, events in lives(seeds):
        for event, at in events:
            order.note(event, at)
            states.append(copy.copy(order))
    rng = random.Random(shuffle)
    states += rng.sample(states, len(states) // 2)
    rng.shuffle(states)
    tracker = LifecycleTracker()
    notes: Counter[tuple[str, Move]] = Counter()
    tracker.listen(lambda life, moves: notes.update((life.client_order_id, move) for move in moves))
    for state in states:
        tracker.put(state)
    assert {life.client_order_id: life for life in tracker} == {life.client_order_id: life for life in expected}
    assert tracker.statistics() == expected.statistics()
    for life in tracker:
        ends = notes[life.client_order_id, Move.COMPLETED] + notes[life.client_order_id, Move.REJECTED]
        undone = notes[life.client_order_id, Move.REOPENED]
        assert ends - undone >= life.is_completed
        assert notes[life.client_order_id, Move.FIRST_FILL] == (life.fills > 0)


@given(MIXES)
@settings(max_examples=100, deadline=None)
def test_counts_are_consistent(mix: tuple[list[int], int]) -> None:
    tracker, _ = fed(*mix)
    total = tracker.statistics()
    assert total.orders == total.pending + total.in_flight + total.active + total.completed == len(tracker)
    assert sum(total.endings.values()) == total.completed == len(tracker.completed()) == total.duration.count
    assert len(tracker.active()) == total.pending + total.in_flight + total.active
    assert len(tracker.in_flight()) == total.in_flight
    assert 0 <= total.fill_ratio <= 1
    for dimension in Dimension:
        groups = tracker.statistics_by(dimension)
        assert list(groups) == sorted(groups)
        assert sum(group.orders for group in groups.values()) == total.orders
        assert sum(group.fills for group in groups.values()) == total.fills
        for ending in Ending:
            assert sum(group.endings[ending] for group in groups.values()) == total.endings[ending]
    for symbol in ("BTCUSD", "ETHUSD"):
        assert {life.client_order_id for life in tracker.by_symbol(symbol)} == {
            life.client_order_id for life in tracker if life.symbol == symbol
        }


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**15)), max_size=200))
def test_percentiles_are_durations_that_occurred(durations: list[int | None]) -> None:
    known = sorted(ns for ns in durations if ns is not None)
    found = Distribution.of(durations)
    assert found.count == len(known)
    if not known:
        assert found == Distribution()
        return
    for value, percent in ((found.p50_ns, 50), (found.p90_ns, 90), (found.p99_ns, 99)):
        assert value in known
        assert 100 * sum(ns <= value for ns in known) >= percent * len(known)
        assert 100 * sum(ns < value for ns in known) < percent * len(known)
    assert found.min_ns <= found.p50_ns <= found.p90_ns <= found.p99_ns <= found.max_ns
    assert found.min_ns <= found.mean_ns <= found.max_ns
    assert all(type(value) is int for value in (found.mean_ns, found.p50_ns))


def test_average_execution_time_is_the_mean_duration() -> None:
    tracker = LifecycleTracker()
    for n, took in enumerate((100, 300)):
        order = tracker.begin(blank(client_order_id=f"O-{n}", created_ns=1_000))
        tracker.feed(order, SUBMITTED, 1_000)
        tracker.feed(order, fill("10", cum="10"), 1_000 + took)
    assert tracker.statistics().duration.mean_ns == 200
    assert tracker.statistics().fill_ratio == 1


def test_notifications_of_rejected_and_completed() -> None:
    tracker = LifecycleTracker()
    rejected: list[str] = []
    completed: list[str] = []
    filled: list[str] = []
    stop = tracker.on_rejected(lambda life: rejected.append(f"{life.client_order_id} {life.reason}"))
    tracker.on_completed(lambda life: completed.append(life.client_order_id))
    tracker.on_filled(lambda life: filled.append(life.client_order_id))
    ends: dict[str, list[ev.OrderEvent]] = {
        "A": [SUBMITTED, ev.OrderRejected(reason="no margin")],
        "B": [ev.OrderDenied(reason="no such type")],
        "C": [SUBMITTED, ACCEPTED, ev.OrderCanceled()],
        "D": [SUBMITTED, fill("10", cum="10")],
        "E": [SUBMITTED, ACCEPTED],
    }
    for name, events in ends.items():
        order = tracker.begin(blank(client_order_id=name))
        for n, event in enumerate(events, start=2):
            tracker.feed(order, event, n)
    assert rejected == ["A no margin", "B no such type"]
    assert completed == ["C", "D"]
    assert filled == ["D"]
    stop()
    stop()
    order = tracker.begin(blank(client_order_id="F"))
    tracker.feed(order, ev.OrderDenied(reason="again"), 9)
    assert len(rejected) == 2


def test_failing_listener_is_logged_and_the_others_are_told(caplog: pytest.LogCaptureFixture) -> None:
    tracker = LifecycleTracker()
    heard: list[Move] = []

    def fails(life: OrderLifecycle, moves: tuple[Move, ...]) -> None:
        raise ValueError("mine")

    tracker.listen(fails)
    tracker.listen(lambda life, moves: heard.extend(moves))
    tracker.feed(tracker.begin(blank()), SUBMITTED, 2)
    assert heard == [Move.SUBMITTED]
    assert "listener of O-1 failed" in caplog.text


def test_completed_are_the_latest_first_and_only_so_many_are_kept() -> None:
    tracker = LifecycleTracker(max_completed=3)
    for n in range(6):
        order = tracker.begin(blank(client_order_id=f"O-{n}"))
        tracker.feed(order, SUBMITTED, 10 + n)
        tracker.feed(order, ev.OrderRejected(reason="no"), 20 + n)
    tracker.feed(tracker.begin(blank(client_order_id="open")), SUBMITTED, 99)
    assert [life.client_order_id for life in tracker.completed()] == ["O-5", "O-4", "O-3"]
    assert [life.client_order_id for life in tracker.completed(1)] == ["O-5"]
    assert [life.client_order_id for life in tracker.active()] == ["open"]
    assert tracker.in_flight()[0].phase is Phase.IN_FLIGHT


def test_orders_of_one_id_at_two_venues_are_two() -> None:
    tracker = LifecycleTracker()
    tracker.begin(blank(client_order_id="O-1", venue="BSX"))
    tracker.begin(blank(client_order_id="O-1", venue="SFOX"))
    assert len(tracker) == 2
    found = tracker.get("O-1", "SFOX")
    assert found is not None
    assert found.venue == "SFOX"
    assert tracker.get("O-1") is not None
    assert tracker.get("O-2") is None
    tracker.forget("O-1", "SFOX")
    assert [life.venue for life in tracker] == ["BSX"]


def test_nothing_has_statistics_too() -> None:
    assert LifecycleTracker().statistics() == Statistics.of([])
    assert list(LifecycleTracker().statistics_by()) == [()]
    assert LifecycleTracker().statistics_by(Dimension.VENUE) == {}


def test_groups_are_named_by_their_values() -> None:
    tracker = LifecycleTracker()
    tracker.begin(blank(client_order_id="A", kind=OrderType.MARKET))
    tracker.begin(blank(client_order_id="B"))
    assert list(tracker.statistics_by(Dimension.VENUE, Dimension.INSTRUMENT, Dimension.ORDER_TYPE)) == [
        ("SFOX", "BTCUSD", "LIMIT"),
        ("SFOX", "BTCUSD", "MARKET"),
    ]


# -- from a journal ----------------------------------------------------------------------------------------------------


@given(MIXES)
@settings(max_examples=40, deadline=None)
def test_journal_gives_what_was_fed(tmp_path_factory: pytest.TempPathFactory, mix: tuple[list[int], int]) -> None:
    path = tmp_path_factory.mktemp("journal") / "BSX-001.sqlite"
    journal = Journal(str(path), "BSX-001")
    found = lives(mix[0])
    expected = LifecycleTracker()
    for order, _ in found:
        order.venue = "BSX"
        order.last_ns = order.created_ns
        expected.begin(order)
        terms = NewOrder(
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            time_in_force=order.time_in_force,
            quantity=order.quantity,
            price=order.price,
        )
        journal.record_intent(terms, (), order.created_ns)
    for n, event, at in mixed(random.Random(mix[1]), [events for _, events in found]):
        expected.feed(found[n][0], event, at)
        journal.append_event(found[n][0].client_order_id, event, at)
    journal.close()
    with JournalReader(path) as reader:
        assert list(reader.lifecycles()) == list(expected)
        assert [order.lifecycle(reader.venue) for order in reader.orders()] == list(expected)
        assert len(reader.lifecycles(1)) == 1
