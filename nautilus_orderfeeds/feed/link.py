"""One connection of a session: its frames in and out, and whether it is still alive."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import (
    FatalFeedError,
    FeedError,
    HandshakeTimeout,
    OutcomeUnknown,
    SendError,
    TransientFeedError,
)
from nautilus_orderfeeds.feed.gate import Expectation, FrameGate
from nautilus_orderfeeds.feed.stream import Direction, Frame, FrameSink

_log = logging.getLogger(__name__)

Verdict = FatalFeedError | TransientFeedError


class Link:
    """One connection, from the upgrade to its end; the `Handshake` a venue sees.

    Parameters
    ----------
    name : str
        The stream's name.
    ws : ClientConnection
        The open connection.
    gate : FrameGate
        Where frames go.
    clock : Clock
        Source of time.
    classify : Callable[[Exception], FatalFeedError or TransientFeedError]
        What a failure means.
    on_heard : Callable[[], None]
        Called for every frame before it is handled.
    inspect : Callable[[bytes], bytes], optional
        Shown every frame first; returns what of it is to be handled. Must not raise.
    sink : FrameSink, optional
        Shown every incoming frame and the `recordable` outgoing ones.
    recordable : Callable[[bytes], bool]
        Whether an outgoing frame is free of secrets.
    """

    def __init__(
        self,
        *,
        name: str,
        ws: ClientConnection,
        gate: FrameGate,
        clock: Clock,
        classify: Callable[[Exception], Verdict],
        on_heard: Callable[[], None],
        sink: FrameSink | None,
        recordable: Callable[[bytes], bool],
        inspect: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.name = name
        self.gate = gate
        self.error: Verdict | None = None
        """Why the connection ended; None while it is up."""
        self.subscribed = False
        """Whether the handshake is done, so that commands may be sent."""
        self.last_heard = clock.monotonic()
        """When a frame or pong last arrived, seconds of the clock's `monotonic`."""
        self._ws = ws
        self._clock = clock
        self._classify = classify
        self._on_heard = on_heard
        self._inspect = inspect
        self._sink = sink
        self._recordable = recordable
        self._ended = asyncio.Event()
        self._heard = asyncio.Event()
        self._outbox: deque[Frame] = deque()
        self._outbox_filled = asyncio.Event()

    async def pump(self) -> None:
        """Read frames until the connection ends; never raises but on cancellation."""
        try:
            while True:
                # Undecoded: text that is no UTF-8 must reach the venue's decoder, not close the connection.
                frame = await self._ws.recv(decode=False)
                self._note_heard()
                self._on_heard()
                if self._inspect is not None:
                    frame = self._inspect(frame)
                self._record(Direction.IN, frame)
                self.gate.receive(frame)
        except Exception as exc:
            if not isinstance(exc, ConnectionClosed):
                _log.exception("%s: reading frames failed; reconnecting", self.name)
            self.end(self._classify(exc))

    def end(self, error: Verdict) -> None:
        """End the connection because of `error`; only the first call counts."""
        if self.error is None:
            self.error = error
            self.gate.fail(error)
            self._ended.set()

    async def until_ended(self) -> None:
        """Raise what ended the connection."""
        await self._ended.wait()
        assert self.error is not None
        raise self.error

    async def send(self, frame: Frame) -> None:
        """Send one text frame of the handshake."""
        try:
            await self.transmit(frame)
        except (SendError, OutcomeUnknown) as exc:
            if self.error is None and isinstance(exc.__cause__, ConnectionClosed):
                raise self._classify(exc.__cause__) from exc
            raise self.error or TransientFeedError(str(exc)) from exc

    async def expect(
        self, predicate: Callable[[bytes], bool], timeout_secs: float = 10.0, *, keep: bool = False
    ) -> bytes:
        """Wait for the first frame for which `predicate` is true; see `Handshake.expect`."""
        answer: asyncio.Future[bytes | FeedError] = asyncio.get_running_loop().create_future()
        expectation = Expectation(predicate, lambda it: None if answer.done() else answer.set_result(it), keep)
        self.gate.expect(expectation)
        try:
            async with self._clock.timeout(timeout_secs):
                await asyncio.wait({answer})
        except TimeoutError:
            # The frame may have come in the very turn of the loop in which the time ran out.
            if not answer.done():
                raise HandshakeTimeout(
                    f"no answer to the handshake within {timeout_secs:g} s; "
                    "check that the URL speaks this venue's protocol"
                ) from None
        finally:
            self.gate.withdraw(expectation)
        settled = answer.result()
        if isinstance(settled, FeedError):
            raise settled
        return settled

    async def transmit(self, frame: Frame) -> None:
        """Send one text frame.

        Raises
        ------
        SendError
            If the connection was already gone: nothing was sent.
        OutcomeUnknown
            If it broke while sending: the frame may or may not have left.
        """
        if self.error is not None or self._ws.state is not State.OPEN:
            raise SendError(f"{self.name}: not connected ({self.error or 'closing'}); nothing was sent")
        # Encoded here: text that cannot be would otherwise be met inside websockets, which closes for it.
        raw = frame.encode() if isinstance(frame, str) else frame
        self._record(Direction.OUT, raw)
        try:
            await self._ws.send(raw, text=True)
        except ConnectionClosed as exc:
            raise OutcomeUnknown(f"{self.name}: the connection broke while a frame was sent") from exc

    def post(self, frame: Frame) -> None:
        """Send a frame soon, without waiting."""
        self._outbox.append(frame)
        self._outbox_filled.set()

    async def empty_outbox(self) -> None:
        """Send what is posted, for ever."""
        while True:
            await self._outbox_filled.wait()
            self._outbox_filled.clear()
            while self._outbox:
                await self.send(self._outbox.popleft())

    async def answers(self, probe: Frame | None, timeout_secs: float) -> bool:
        """Probe the connection and say whether anything was heard within `timeout_secs`.

        Parameters
        ----------
        probe : bytes or str, optional
            Application ping; None sends a WebSocket ping.
        timeout_secs : float
            How long to listen; sending is part of it, because a dead peer lets the send buffer fill up.
        """
        self._heard.clear()
        try:
            async with self._clock.timeout(timeout_secs):
                if probe is None:
                    pong = asyncio.ensure_future(await self._ws.ping())
                    pong.add_done_callback(self._note_pong)
                else:
                    await self.send(probe)
                await self._heard.wait()
        except TimeoutError:
            return self._heard.is_set()
        except ConnectionClosed as exc:
            raise self._classify(exc) from exc
        return True

    def _note_heard(self) -> None:
        self.last_heard = self._clock.monotonic()
        self._heard.set()

    def _note_pong(self, pong: "asyncio.Future[float]") -> None:
        # Asking for the exception marks it as seen; the pump tells of the lost connection.
        if not pong.cancelled() and pong.exception() is None:
            self._note_heard()

    def _record(self, direction: Direction, frame: bytes) -> None:
        if self._sink is None:
            return
        try:
            if direction is Direction.OUT and not self._recordable(frame):
                return
            self._sink.record(direction, self.name, frame)
        except Exception:
            _log.exception("%s: recording failed; the feed goes on without it", self.name)
            self._sink = None
