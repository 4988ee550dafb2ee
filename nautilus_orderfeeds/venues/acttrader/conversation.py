"""Requests and their answers on one WebSocket (protocol, 3).

A request is known by its `requestId`, with the documented exceptions: the draft's answer to `orders` has none, and an
`error` may have none but name the request's event. What an answer says is read the moment it arrives, before the frame
after it, because nothing else says which is newer; the caller gets its result when it runs again.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FeedError, FrameError, NotSent, OutcomeUnknown, excerpt
from nautilus_orderfeeds.feed.limits import Priority, RateLimiter
from nautilus_orderfeeds.venues.acttrader import wire
from nautilus_orderfeeds.venues.acttrader.words import VENUE, Event
from nautilus_orderfeeds.venues.base import VenueMessage

_log = logging.getLogger(__name__)

Reader = Callable[[bytes | None], tuple[Any, list[VenueMessage]]]
"""Reads the payload of an answer: the caller's result, and what the answer says for everybody.

Raises `ValueError` or one of `wire.DECODE_ERRORS` if it is no such payload.
"""

#: Requests whose answer is overdue are kept this many: a late answer still tells the id of an order.
_REMEMBERED: Final = 10_000


class VenueError(FeedError):
    """The venue answered with an `error`.

    Parameters
    ----------
    text : str
        The venue's text.
    """

    def __init__(self, text: str) -> None:
        super().__init__(f"{VENUE}: {excerpt(text)}")
        self.text = text


class _Waiting(Struct, eq=False):
    event: Event
    read: Reader
    future: "asyncio.Future[Any]"
    after_error: list[VenueMessage]


class Conversation:
    """Sends requests and hands out their answers.

    Parameters
    ----------
    limiter : RateLimiter
        Paces the requests; those of equal priority go out in the order of asking.
    clock : Clock
        For the deadlines.
    timeout_secs : float
        How long an answer is waited for.
    """

    def __init__(self, limiter: RateLimiter, clock: Clock, timeout_secs: float) -> None:
        self._limiter = limiter
        self._clock = clock
        self._timeout_secs = timeout_secs
        self._send: Callable[[bytes | str], Awaitable[None]] | None = None
        self._prefix = uuid.uuid4().hex[:12]
        self._asked = 0
        self._waiting: dict[str, _Waiting] = {}
        #: Answers that belong to no request, and errors that name none.
        self.unmatched = 0

    def attach(self, send: Callable[[bytes | str], Awaitable[None]]) -> None:
        """Take the way to send frames."""
        self._send = send

    async def ask(
        self,
        event: Event,
        payload: msgspec.Struct | None,
        read: Reader,
        *,
        priority: Priority = Priority.NORMAL,
        after_error: list[VenueMessage] | None = None,
    ) -> Any:
        """Send one request, once, and return its result.

        Parameters
        ----------
        event : Event
            What is asked.
        payload : msgspec.Struct, optional
            The question.
        read : Reader
            Reads the answer; called when it arrives, also if nobody waits for it any more.
        priority : Priority
            READ gives way to commands.
        after_error : list[VenueMessage], optional
            What an `error` says for everybody.

        Raises
        ------
        VenueError
            If the venue refused.
        NotSent
            If nothing was sent.
        OutcomeUnknown
            If no readable answer came.
        """
        await self._turn(priority)
        send = self._send
        if send is None:
            raise NotSent(f"{VENUE}: not connected")
        self._asked += 1
        request_id = f"{self._prefix}-{self._asked}"
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = _Waiting(event, read, future, after_error or [])
        if len(self._waiting) > _REMEMBERED:
            del self._waiting[next(iter(self._waiting))]
        is_query = priority is Priority.READ
        try:
            await send(wire.encode(event, request_id, payload))
            async with self._clock.timeout(self._timeout_secs):
                return await future
        except NotSent:
            self._waiting.pop(request_id, None)
            raise
        except TimeoutError:
            raise OutcomeUnknown(f"{VENUE}: no answer to {event.value} within {self._timeout_secs:g} s") from None
        finally:
            if is_query:  # a late one would be old news
                self._waiting.pop(request_id, None)
            future.cancel()

    async def _turn(self, priority: Priority) -> None:
        """Wait for the rate limit, but not for so long that no time is left for the answer."""
        try:
            async with self._clock.timeout(self._timeout_secs / 2):
                await self._limiter.acquire(priority=priority)
        except TimeoutError:
            raise NotSent(f"{VENUE}: too many requests are waiting (config field `requests_per_sec`)") from None

    def answer(self, envelope: wire.Envelope, raw: bytes) -> list[VenueMessage]:
        """Take in an answer.

        Parameters
        ----------
        envelope : wire.Envelope
            Of any event but `execution`.
        raw : bytes
            The whole frame, for messages.

        Returns
        -------
        list[VenueMessage]
            What it says for everybody.

        Raises
        ------
        FrameError
            If it cannot be read, or its event is not known.
        """
        try:
            event = Event(envelope.event)
        except ValueError:
            raise FrameError(VENUE, raw, "an event of the order protocol (protocol 5)") from None
        if event is Event.ERROR:
            return self._error(envelope, raw)
        key = self._key(envelope, event)
        waiting = None if key is None else self._waiting.get(key)
        if key is None or waiting is None:
            self.unmatched += 1
            _log.info("%s: an answer to %s that nobody waits for", VENUE, event.value)
            return []
        if waiting.event is not event:
            raise FrameError(VENUE, raw, f"an answer to {waiting.event.value}, which has this requestId")
        del self._waiting[key]
        try:
            result, messages = waiting.read(envelope.body)
        except (*wire.DECODE_ERRORS, ValueError) as exc:
            _fail(waiting, OutcomeUnknown(f"{VENUE}: unreadable answer to {event.value}: {exc}"))
            raise FrameError(VENUE, raw, f"the answer to {event.value} (protocol 5; {exc})") from None
        if not waiting.future.done():
            waiting.future.set_result(result)
        return messages

    def ended(self) -> None:
        """Tell all who wait that the connection has ended: no answer will come on the next one."""
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            _fail(one, OutcomeUnknown(f"{VENUE}: the connection ended before {one.event.value} was answered"))

    def _key(self, envelope: wire.Envelope, event: Event) -> str | None:
        if envelope.request_id is not None:
            return str(envelope.request_id)
        if event is not Event.ORDERS:
            return None
        # The draft's answer has no requestId; the latest question is the one that is still waited for.
        return next((key for key in reversed(self._waiting) if self._waiting[key].event is event), None)

    def _error(self, envelope: wire.Envelope, raw: bytes) -> list[VenueMessage]:
        body = envelope.body
        try:
            error = wire.ErrorPayload() if body is None else wire.ERROR.decode(body)
        except wire.DECODE_ERRORS as exc:
            # A refusal all the same: only its words cannot be read.
            _log.warning("%s: unreadable error: %s", VENUE, exc)
            error = wire.ErrorPayload(error=excerpt(body or b""))
        text = error.error or "refused without a reason"
        key = None if envelope.request_id is None else str(envelope.request_id)
        if key is None and error.event:
            named = [key for key, waiting in self._waiting.items() if waiting.event.value == error.event]
            key = named[0] if len(named) == 1 else None
        waiting = None if key is None else self._waiting.pop(key, None)
        if waiting is None:
            self.unmatched += 1
            _log.error("%s: an error that belongs to no request: %s", VENUE, excerpt(raw))
            return []
        _fail(waiting, VenueError(text))
        return waiting.after_error


def _fail(waiting: _Waiting, error: FeedError) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(error)
        # Seen: whoever gave up waiting must not cause a complaint about it.
        waiting.future.exception()
