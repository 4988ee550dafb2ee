"""Delays between attempts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.backoff import Backoff
from nautilus_orderfeeds.feed.retry_after import MAX_RETRY_AFTER_SECS, parse_retry_after


@given(
    initial=st.floats(0.001, 10),
    cap_factor=st.floats(1, 1000),
    factor=st.floats(1, 10),
    floor=st.floats(0, 100),
    seed=st.integers(),
    asked=st.lists(st.one_of(st.none(), st.floats(0, 3600)), min_size=1, max_size=40),
)
def test_delays_stay_within_their_window(
    initial: float, cap_factor: float, factor: float, floor: float, seed: int, asked: list[float | None]
):
    cap = initial * cap_factor
    backoff = Backoff(initial_secs=initial, cap_secs=cap, factor=factor, floor_secs=floor, random=random.Random(seed))
    for attempt, retry_after in enumerate(asked):
        window = backoff.window_secs()
        assert window == pytest.approx(min(cap, initial * factor**attempt))
        delay = backoff.next_delay_secs(retry_after)
        lowest = max(floor, retry_after or 0.0)
        assert lowest <= delay <= max(floor, (retry_after or 0.0) + window)
    assert backoff.attempts == len(asked)


@given(seed=st.integers(), live=st.floats(0, 100), reset_after=st.floats(0, 100))
def test_only_a_long_live_period_starts_anew(seed: int, live: float, reset_after: float):
    backoff = Backoff(initial_secs=1, cap_secs=64, reset_after_secs=reset_after, random=random.Random(seed))
    for _ in range(4):
        backoff.next_delay_secs()
    backoff.lived(live)
    assert backoff.window_secs() == (1 if live >= reset_after else 16)


def test_jitter_is_full_and_seeded():
    def draw(seed: int) -> list[float]:
        backoff = Backoff(initial_secs=1, cap_secs=1, random=random.Random(seed))
        return [backoff.next_delay_secs() for _ in range(500)]

    assert draw(1) == draw(1) != draw(2)
    delays = draw(3)
    assert min(delays) < 0.05
    assert max(delays) > 0.95
    assert 0.4 < sum(delays) / len(delays) < 0.6


def test_many_attempts_do_not_overflow():
    backoff = Backoff(initial_secs=0.5, cap_secs=30, factor=10)
    for _ in range(3000):
        assert backoff.next_delay_secs() <= 30


@pytest.mark.parametrize(
    "bad",
    [{"initial_secs": 0}, {"initial_secs": 31}, {"factor": 0.5}, {"floor_secs": -1}, {"reset_after_secs": -1}],
)
def test_numbers_are_checked(bad: dict[str, float]):
    with pytest.raises(ValueError, match="expected 0 < initial_secs"):
        Backoff(**bad)


NOW_NS = 784_887_151 * 1_000_000_000  # Tue, 15 Nov 1994 08:12:31 GMT


@pytest.mark.parametrize(
    ("value", "secs"),
    [
        (None, None),
        ("120", 120.0),
        (" 0.5 ", 0.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("1e9", MAX_RETRY_AFTER_SECS),
        ("inf", MAX_RETRY_AFTER_SECS),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Tue, 15 Nov 1994 08:13:31 GMT", 60.0),
        ("Tue, 15 Nov 1994 08:00:00 GMT", 0.0),
        ("Fri, 15 Nov 2094 08:00:00 GMT", MAX_RETRY_AFTER_SECS),
    ],
)
def test_retry_after(value: str | None, secs: float | None):
    assert parse_retry_after(value, NOW_NS) == secs


@given(st.text())
def test_no_header_breaks_the_parser(text: str):
    secs = parse_retry_after(text, NOW_NS)
    assert secs is None or 0 <= secs <= MAX_RETRY_AFTER_SECS
