"""Nonces rise strictly, over clock corrections and restarts; client order ids fit the wire."""

import itertools
import string

from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.venues.bsx.identity import (
    NonceSource,
    client_order_id_of,
    nonce_of,
    refs_of,
    wire_client_order_id,
)
from tests.support.bsx_client import ref

NOW = 1_700_000_000_000_000_000


class SetBack(ManualClock):
    """A clock that may be set."""

    now = NOW

    def time_ns(self) -> int:
        return self.now


@given(st.lists(st.integers(min_value=-(10**12), max_value=10**12), max_size=50))
def test_nonces_rise_whatever_the_clock_does(steps):
    clock = SetBack()
    source = NonceSource(clock)
    given_out = []
    for step in steps:
        clock.now += step
        given_out.append(source.next())
    assert all(a < b for a, b in itertools.pairwise(given_out))
    assert not given_out or source.high_water == given_out[-1]


def test_a_nonce_is_the_time_in_ns():
    assert NonceSource(ManualClock(NOW)).next() == NOW


def test_a_high_water_mark_is_never_met_again():
    assert NonceSource(ManualClock(NOW), NOW + 5).next() == NOW + 6


@given(st.integers(min_value=1, max_value=40), st.integers(min_value=-(10**15), max_value=10**15))
def test_a_restart_never_repeats_a_nonce(count, jump):
    """Whatever was given out before a crash lies below what the next run gives out."""
    marks: dict[str, int] = {}
    clock = SetBack()
    first = NonceSource(clock)
    first.keep(lambda name: marks.get(name, 0), marks.__setitem__)
    before = [first.next() for _ in range(count)]
    clock.now += jump
    second = NonceSource(clock)
    second.keep(lambda name: marks.get(name, 0), marks.__setitem__)
    assert second.next() > max(before)


def test_not_every_nonce_costs_a_write():
    writes: list[int] = []
    source = NonceSource(ManualClock(NOW))
    source.keep(lambda name: 0, lambda name, mark: writes.append(mark))
    for _ in range(1000):
        source.next()
    assert len(writes) == 1


@given(st.text(max_size=60), st.integers(min_value=1, max_value=2**63))
def test_client_order_ids_fit_the_wire(client_order_id, nonce):
    cid = wire_client_order_id(client_order_id, nonce)
    assert len(cid) == 32
    assert set(cid) <= set(string.digits + "abcdef")
    assert cid != wire_client_order_id(client_order_id, nonce + 1)
    assert cid == wire_client_order_id(client_order_id, nonce)


def test_keys():
    assert refs_of("AB", 7) == ("cid:ab", "nonce:7")
    assert refs_of(None, 7) == ("nonce:7",)
    assert refs_of("AB", 0) == ("cid:ab",)
    assert refs_of("", 0) == ()
    assert (nonce_of(ref(nonce=7)), client_order_id_of(ref(cid="ab"))) == (7, "ab")
    assert (nonce_of(ref()), client_order_id_of(ref())) == (None, None)
