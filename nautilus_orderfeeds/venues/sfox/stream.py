"""The private stream: log in, subscribe to everything of the account in one request (protocol, 3 and 8).

An enterprise key has one stream for all its end users, which all clients of the process share; each claims the frames
of its own user.
"""

import hashlib
import logging
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, HandshakeTimeout, TransientFeedError
from nautilus_orderfeeds.feed.limits import EVERY_ROUTE
from nautilus_orderfeeds.feed.stream import Handshake, Stream
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.frames import by_user, error_text, is_error
from nautilus_orderfeeds.venues.sfox.limits import ws_limiter
from nautilus_orderfeeds.venues.sfox.settings import EnterpriseFlag, SfoxSettings
from nautilus_orderfeeds.venues.sfox.words import ONBOARDING, VENUE, Feed

_log = logging.getLogger(__name__)

#: Words by which an error about too many requests may be known; its shape is not published (protocol, 11).
_LIMIT_WORDS: Final = ("limit", "too many", "block", "exceed")

#: What a handshake sends: it is counted before the connection is opened (protocol, 9).
_HANDSHAKE_REQUESTS: Final = 2

_ACK_TIMEOUT_SECS: Final = 20.0

#: Connections in a row that must begin with a gap before frames' numbers are not believed any more.
_MISFITS: Final = 3

#: A token in a payload, which may be JSON text itself.
_TOKEN: Final = re.compile(rb'(\\?"user_token\\?"\s*:\s*\\?")[^"\\]*')


class _UserPayload(Struct):
    user_id: str


class _UserFrame(Struct):
    recipient: str
    payload: _UserPayload


class _Acked(Struct):
    feeds: list[str] | None = None


class _Sequenced(Struct):
    sequence: int | None = None


_user_frame = wire.decoder(_UserFrame)
_acked = wire.decoder(_Acked)
_sequenced = wire.decoder(_Sequenced)


class _Numbers:
    """Whether the numbers of frames are what they are taken for: a count of the connection's frames.

    That is inferred from samples. If they count something else, every connection begins with a gap, and none would
    last: then they are not watched any more.
    """

    def __init__(self) -> None:
        self._first: int | None = None
        self._is_judged = False
        self._misfits = 0

    @property
    def are_useless(self) -> bool:
        """Whether several connections in a row have begun with a gap."""
        return self._misfits >= _MISFITS

    def begin(self) -> None:
        """A new connection begins."""
        self._first, self._is_judged = None, False

    def note(self, number: int) -> None:
        """Compare the first two numbers of a connection."""
        if self._is_judged:
            return
        if self._first is None:
            self._first = number
            return
        self._is_judged = True
        self._misfits = self._misfits + 1 if number > self._first + 1 else 0
        if self.are_useless:
            _log.error(
                "%s: %d connections in a row began with a gap in the frames' numbers (now %d after %d): these are not "
                "watched any more; set sequence_grace_secs=None if the venue counts something else",
                VENUE,
                self._misfits,
                number,
                self._first,
            )


class SfoxStream(Stream):
    """What all streams of the venue have in common: login, limits, sequence numbers.

    Parameters
    ----------
    settings : SfoxSettings
        Address, key, limits.
    clock : Clock
        Source of time.
    """

    def __init__(self, settings: SfoxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._was_in = False
        self._numbers = _Numbers()
        self.sequence_grace_secs = settings.sequence_grace_secs or 0.0

    def url(self) -> str:
        """Return the WebSocket's address."""
        return self._settings.base_url_ws

    async def admit(self) -> None:
        """Wait until the limit of this address leaves room for a whole handshake."""
        for _ in range(_HANDSHAKE_REQUESTS):
            await ws_limiter(self._settings, self._clock).acquire(EVERY_ROUTE)

    async def log_in(self, conn: Handshake) -> None:
        """Send the login and wait for its confirmation.

        Raises
        ------
        FatalFeedError
            If the key is refused.
        TransientFeedError
            If it was good before: then the venue has another reason, probably its limits.
        """
        self._numbers.begin()
        await conn.send(self._login())
        await conn.expect(self._logged_in, _ACK_TIMEOUT_SECS)
        self._was_in = True

    async def subscribe(self, conn: Handshake, feeds: Sequence[str]) -> None:
        """Subscribe to `feeds` in one request and wait for the confirmation.

        Raises
        ------
        TransientFeedError
            If the venue refuses.
        """
        await conn.send(subscribe_frame(feeds))
        self._check_feeds(feeds, await conn.expect(self._subscribed, _ACK_TIMEOUT_SECS))

    def sequence(self, frame: bytes) -> int | None:
        """Return the frame's number: it counts every frame of a connection, as far as is known (protocol, 8.1)."""
        if self._settings.sequence_grace_secs is None or self._numbers.are_useless:
            return None
        number = _sequenced.decode(frame).sequence
        if number is not None:
            self._numbers.note(number)
        return None if self._numbers.are_useless else number

    def recordable(self, frame: bytes) -> bool:
        """Whether the frame is anything but the login."""
        return b'"authenticate"' not in frame

    def refused(self, said: str) -> float | None:
        """Take note of an error of the venue; return how long to stay away if it is about its limits, seconds."""
        if not any(word in said.casefold() for word in _LIMIT_WORDS):
            return None
        secs = self._settings.limits.ws_block_secs
        _log.error("%s: the venue seems to have blocked this address, waiting %.0f s: %s", VENUE, secs, said)
        ws_limiter(self._settings, self._clock).pause(EVERY_ROUTE, secs)
        return secs

    def _login(self) -> bytes:
        login: dict[str, Any] = {"type": "authenticate", "apiKey": self._settings.api_key.reveal()}
        if self._settings.enterprise:
            match self._settings.enterprise_flag:
                case EnterpriseFlag.BOOLEAN:
                    login["enterprise"] = True
                case EnterpriseFlag.STRING:
                    login["enterprise"] = "true"
        return wire.encode(login)

    def _logged_in(self, frame: bytes) -> bool:
        head = _control(frame)
        if head is None:
            return False
        if not is_error(head):
            return head.type == "success"
        said = error_text(head)
        error = f"{VENUE}: login refused ({said})"
        block_secs = self.refused(said)
        if block_secs is not None or self._was_in:
            # A key that was good is hardly the reason; to try again at once would prolong a block.
            raise TransientFeedError(error, retry_after_secs=block_secs or self._settings.limits.ws_block_secs)
        raise FatalFeedError(f"{error}; check {self._settings.variable('api_key')}, and whether it is of this kind")

    def _subscribed(self, frame: bytes) -> bool:
        head = _control(frame)
        if head is None:
            return False
        if not is_error(head):
            return head.type == "success"
        said = error_text(head)
        raise TransientFeedError(f"{VENUE}: subscription refused ({said})", retry_after_secs=self.refused(said))

    def _check_feeds(self, feeds: Sequence[str], ack: bytes) -> None:
        head = _control(ack)
        if head is None or not isinstance(head.payload, Raw):
            return
        try:
            acked = _acked.decode(head.payload).feeds
        except wire.DECODE_ERRORS:
            return
        missing = set(feeds) - set(acked) if acked is not None else set()
        if missing:
            _log.error("%s: the venue did not confirm %s; what they tell is read over REST only", VENUE, missing)


class PrivateStream(SfoxStream):
    """The stream of an account's orders, fills and balances; parameters as of `SfoxStream`."""

    def __init__(self, settings: SfoxSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        if settings.enterprise:
            self.name = f"{VENUE} end users"
            self.claims = settings.user_id
            self._feeds = [feed.of_end_users() for feed in Feed] + [ONBOARDING] * settings.onboarding_events
            connection = f"{settings.base_url_ws}|{settings.api_key.reveal()}|{self._feeds}"
            self.shared_as = f"{self.name} {hashlib.sha256(connection.encode()).hexdigest()[:16]}"
        else:
            self.name = f"{VENUE} private feeds"
            self._feeds = [feed.own() for feed in Feed]

    async def handshake(self, conn: Handshake) -> None:
        """Log in, then subscribe to all feeds, or to that of orders alone; raises as `log_in` and `subscribe`."""
        await self.log_in(conn)
        try:
            await self.subscribe(conn, self._feeds)
        except TransientFeedError as exc:
            if isinstance(exc, HandshakeTimeout) or exc.retry_after_secs is not None:
                raise
            _log.warning("%s; going on with the feed of orders alone, the rest is read over REST", exc)
            await self.subscribe(conn, self._feeds[:1])

    def clean(self, frame: bytes) -> bytes:
        """Take out the tokens that come with the onboarding feed."""
        return _TOKEN.sub(rb"\1<hidden>", frame) if b"user_token" in frame else frame

    def routes(self, frame: bytes) -> Sequence[tuple[str | None, bytes]]:
        """Return the end user a frame is about; None for a control frame."""
        try:
            return [(_user_frame.decode(frame).payload.user_id, frame)]
        except wire.DECODE_ERRORS:
            head = wire.HEAD.decode(frame)
        if head.recipient is None:
            return [(None, frame)]
        users = by_user(wire.payload_of(head, frame))
        if len(users) <= 1:  # without rows it is nobody's, but it may be of a feed that is not known
            return [(users[0][0] if users else None, frame)]
        return [(user_id, _frame_of(head, user_id, rows)) for user_id, rows in users]


def subscribe_frame(feeds: Sequence[str], *, on: bool = True) -> bytes:
    """Return the request to begin, or end, the subscription of `feeds`."""
    return wire.encode({"type": "subscribe" if on else "unsubscribe", "feeds": list(feeds)})


def _frame_of(head: wire.Head, user_id: str | None, rows: Sequence[Raw]) -> bytes:
    """Return a frame with one user's rows of a frame about several."""
    body: dict[str, Any] = {"recipient": head.recipient, "timestamp": head.timestamp}
    if head.sequence is not None:
        body["sequence"] = head.sequence
    body["payload"] = {"user_id": user_id, "updates": list(rows)} if user_id is not None else list(rows)
    return wire.encode(body)


def _control(frame: bytes) -> wire.Head | None:
    """Return a control frame's envelope, None for data and for what has none."""
    try:
        head = wire.HEAD.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return head if head.recipient is None else None
