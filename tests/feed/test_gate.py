"""Every frame goes somewhere exactly once, and delivered ones keep their order."""

from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, TransientFeedError
from nautilus_orderfeeds.feed.gate import Expectation, FrameGate

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.integers(0, 4)),
        st.tuples(st.just("expect"), st.integers(0, 4)),
        st.tuples(st.just("expect and keep"), st.integers(0, 4)),
        st.tuples(st.just("expect, refuse"), st.integers(0, 4)),
        st.tuples(st.just("withdraw"), st.integers(0, 4)),
        st.tuples(st.sampled_from(["open", "close", "fail"]), st.just(0)),
    ),
    max_size=60,
)


@given(steps=STEPS)
def test_no_frame_is_lost_doubled_or_reordered(steps: list[tuple[str, int]]):
    delivered: list[bytes] = []
    gate = FrameGate(delivered.append)
    sent: list[bytes] = []
    taken: list[bytes] = []
    shown: list[bytes] = []
    waiting: list[Expectation] = []
    failed = False

    def expect(kind: int, *, keep: bool = False, refuse: bool = False) -> None:
        def predicate(frame: bytes) -> bool:
            if not frame.startswith(b"%d:" % kind):
                return False
            if refuse:
                taken.append(frame)
                raise FatalFeedError("no")
            return True

        def settle(what: bytes | FeedError) -> None:
            assert expectation in waiting
            waiting.remove(expectation)
            if isinstance(what, bytes):
                assert what.startswith(b"%d:" % kind)
                (shown if keep else taken).append(what)
            else:
                assert refuse or failed

        expectation = Expectation(predicate, settle, keep)
        waiting.append(expectation)
        gate.expect(expectation)

    for number, (step, kind) in enumerate(steps):
        match step:
            case "receive":
                sent.append(b"%d:%d" % (kind, number))
                gate.receive(sent[-1])
            case "expect":
                expect(kind)
            case "expect and keep":
                expect(kind, keep=True)
            case "expect, refuse":
                expect(kind, refuse=True)
            case "withdraw" if kind < len(waiting):
                gate.withdraw(waiting.pop(kind))
            case "open":
                gate.open()
            case "close":
                gate.close()
            case "fail":
                failed = True
                gate.fail(TransientFeedError("closed"))
                assert not waiting
    gate.open()
    assert delivered == [frame for frame in sent if frame not in taken]
    assert len(taken) == len(set(taken))
    assert set(shown) <= set(delivered)
    assert len(shown) == len(set(shown))


def test_frames_wait_while_closed_and_pass_while_open():
    delivered: list[bytes] = []
    gate = FrameGate(delivered.append)
    gate.receive(b"1")
    assert (delivered, gate.kept, gate.is_open) == ([], 1, False)
    gate.open()
    gate.receive(b"2")
    assert (delivered, gate.is_open) == ([b"1", b"2"], True)
    gate.close()
    gate.receive(b"3")
    assert (delivered, gate.kept) == ([b"1", b"2"], 1)


def test_predicate_that_breaks_is_no_match():
    delivered: list[bytes] = []
    settled: list[object] = []
    gate = FrameGate(delivered.append)
    gate.expect(Expectation(lambda frame: bool(int(frame)), settled.append, keep=False))
    gate.receive(b"not a number")
    gate.receive(b"1")
    gate.open()
    assert (settled, delivered) == ([b"1"], [b"not a number"])


def test_kept_frame_satisfies_a_later_expectation_even_after_the_connection_failed():
    settled: list[object] = []
    gate = FrameGate(lambda frame: None)
    gate.receive(b"ack")
    failure = TransientFeedError("closed")
    gate.fail(failure)
    gate.expect(Expectation(lambda frame: frame == b"ack", settled.append, keep=False))
    gate.expect(Expectation(lambda frame: frame == b"ack", settled.append, keep=False))
    assert settled == [b"ack", failure]
