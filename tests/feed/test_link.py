"""Corners of one connection that sockets cannot be made to hit."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.protocol import State

from nautilus_orderfeeds.feed.clock import LiveClock
from nautilus_orderfeeds.feed.errors import HandshakeTimeout, SendError, TransientFeedError
from nautilus_orderfeeds.feed.gate import FrameGate
from nautilus_orderfeeds.feed.link import Link
from nautilus_orderfeeds.feed.verdict import classify


class ScopeClock(LiveClock):
    """Lets a test say when a time limit strikes."""

    def timeout(self, secs: float | None) -> asyncio.Timeout:
        self.scope = asyncio.timeout(None)
        return self.scope


def link_of(clock: LiveClock, gate: FrameGate, state: State = State.OPEN) -> Link:
    ws: Any = SimpleNamespace(state=state)
    return Link(
        name="TEST",
        ws=ws,
        gate=gate,
        clock=clock,
        classify=classify,
        on_heard=lambda: None,
        sink=None,
        recordable=lambda frame: False,
    )


async def test_answer_that_comes_with_the_end_of_its_time_is_not_lost():
    clock = ScopeClock()
    gate = FrameGate(lambda frame: None)
    expecting = asyncio.ensure_future(link_of(clock, gate).expect(lambda frame: True))
    await asyncio.sleep(0)
    gate.receive(b"ack")
    clock.scope.reschedule(asyncio.get_running_loop().time())
    assert await expecting == b"ack"


async def test_expectation_whose_time_is_over_takes_no_frame():
    clock = ScopeClock()
    delivered: list[bytes] = []
    gate = FrameGate(delivered.append)
    expecting = asyncio.ensure_future(link_of(clock, gate).expect(lambda frame: True))
    await asyncio.sleep(0)
    clock.scope.reschedule(asyncio.get_running_loop().time())
    with pytest.raises(HandshakeTimeout):
        await expecting
    gate.receive(b"late")
    gate.open()
    assert delivered == [b"late"]


async def test_only_the_first_reason_counts_and_nothing_is_sent_after_it():
    link = link_of(LiveClock(), FrameGate(lambda frame: None))
    link.end(TransientFeedError("first"))
    link.end(TransientFeedError("second"))
    with pytest.raises(TransientFeedError, match="first"):
        await link.until_ended()
    with pytest.raises(SendError, match="first"):
        await link.transmit("x")
    with pytest.raises(TransientFeedError, match="first"):
        await link.send("x")
    with pytest.raises(TransientFeedError, match="first"):
        await link.expect(lambda frame: True)


@pytest.mark.parametrize("state", [State.CONNECTING, State.CLOSING, State.CLOSED])
async def test_nothing_is_sent_into_a_connection_that_is_not_open(state: State):
    link = link_of(LiveClock(), FrameGate(lambda frame: None), state)
    with pytest.raises(SendError, match="nothing was sent"):
        await link.transmit("order")
    with pytest.raises(TransientFeedError):
        await link.send("login")
