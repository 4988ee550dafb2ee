"""What a simulated venue tells beside its answers: nothing is lost, doubled or told in another sequence."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.sim.outbox import Outbox, StreamOrder
from nautilus_orderfeeds.sim.server import Answer

KEYS = ("a", "b", "c")
moves = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.sampled_from(KEYS)),
        st.tuples(st.just("hold"), st.sets(st.sampled_from(KEYS), min_size=1)),
        st.tuples(st.just("release"), st.integers(0, 5)),
    ),
    max_size=40,
)


class Told:
    """An outbox and what it sent, as (key, message)."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.outbox: Outbox[str, int] = Outbox(lambda key, message: self.sent.append((key, message)))


@given(moves)
def test_a_message_goes_when_the_last_hold_of_its_key_ends(plan: list[tuple[str, object]]) -> None:
    told = Told()
    posted: dict[str, list[int]] = {key: [] for key in KEYS}
    holds: list[tuple[set[str], Callable[[], None]]] = []
    for number, (move, what) in enumerate(plan):
        match move, what:
            case "post", str(key):
                posted[key].append(number)
                told.outbox.post(key, number)
            case "hold", set(keys):
                holds.append((keys, told.outbox.hold(*keys)))
            case "release", int(index) if holds:
                _, release = holds.pop(index % len(holds))
                release()
                release()  # once more is no error
        held = set().union(*(keys for keys, _ in holds))
        for key in KEYS:
            sent = [message for to, message in told.sent if to == key]
            assert sent == posted[key][: len(sent)], "in the sequence in which they were posted"
            assert key in held or sent == posted[key], "nothing waits that nobody holds"
    for _, release in holds:
        release()
    assert sorted(told.sent, key=lambda entry: entry[1]) == sorted(
        ((key, message) for key in KEYS for message in posted[key]), key=lambda entry: entry[1]
    )


def test_what_is_held_stays_so() -> None:
    told = Told()
    first, second = told.outbox.hold("a"), told.outbox.hold("a", "b")
    for number, key in enumerate("abc"):
        told.outbox.post(key, number)
    assert told.sent == [("c", 2)]
    first()
    assert told.sent == [("c", 2)]
    second()
    assert told.sent == [("c", 2), ("a", 0), ("b", 1)]


def test_what_is_muted_never_comes() -> None:
    told = Told()
    release = told.outbox.hold("a")
    told.outbox.post("a", 1)
    with told.outbox.muted("a"):
        told.outbox.post("a", 2)
        told.outbox.post("b", 3)
    release()
    told.outbox.post("a", 4)
    assert told.sent == [("b", 3), ("a", 1), ("a", 4)]


@pytest.mark.parametrize(
    ("order", "before", "after"),
    [
        (StreamOrder.BEFORE_ANSWER, [("a", 1)], [("a", 1)]),
        (StreamOrder.AFTER_ANSWER, [], [("a", 1)]),
        (StreamOrder.WITHOUT, [], []),
    ],
)
def test_when_messages_come_seen_from_the_answer(
    order: StreamOrder, before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    told = Told()

    def work() -> Answer:
        told.outbox.post("a", 1)
        return Answer(200, {})

    answer = told.outbox.answered({"a": order}, work)
    assert told.sent == before
    answer.release()
    assert told.sent == after


@pytest.mark.parametrize("order", StreamOrder)
def test_a_call_that_is_refused_holds_nothing_back(order: StreamOrder) -> None:
    told = Told()

    def work() -> Answer:
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        told.outbox.answered({"a": order}, work)
    told.outbox.post("a", 1)
    assert told.sent == [("a", 1)]
