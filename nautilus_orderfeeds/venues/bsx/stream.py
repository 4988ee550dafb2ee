"""The private stream: log in, subscribe to `orders` (protocol, 3.3 and 5)."""

import logging
from typing import Final

from websockets.exceptions import ConnectionClosed, InvalidStatus

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, HandshakeTimeout, TransientFeedError
from nautilus_orderfeeds.feed.stream import Frame, Handshake, Stream
from nautilus_orderfeeds.feed.verdict import classify
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.control import control_of
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings
from nautilus_orderfeeds.venues.bsx.signing import websocket_signature
from nautilus_orderfeeds.venues.bsx.words import VENUE, FrameType, WireChannel

PING: Final = b'{"op":"ping"}'

#: The venue asks for a ping this often and closes a connection it has not heard of for ten minutes (protocol, 5.1).
KEEPALIVE_SECS: Final = 15.0

_SUBSCRIBE_ORDERS: Final = b'{"op":"sub","channel":"orders"}'

#: A refused login is not tried again sooner (protocol, 11 row 9).
_LOGIN_RETRY_SECS: Final = 5.0

#: What a refusal speaks of that is about the key; of anything else a key that has been good may recover.
_KEY_WORDS: Final = ("key", "signature", "secret", "expired", "revoked", "unauthenticated", "unauthorized")

#: gRPC numbers of a venue that fails: deadline, exhausted, internal, unavailable (protocol, 4.11).
_FAILING_CODES: Final = frozenset({4, 8, 13, 14, 429})

_CONFIRMS: Final = frozenset({FrameType.SUBSCRIBED, FrameType.SNAPSHOT, FrameType.UPDATE})


#: An installation that leaves a step without an answer is not waited for longer.
_SILENCE_SECS: Final = 4.0

_log = logging.getLogger(__name__)


def verdict_of(exc: Exception, *, worked: bool) -> FatalFeedError | TransientFeedError:
    """Say what a failed connection means.

    The upgrade carries no credentials, so whoever refuses it does not judge them; nor does one that closes a
    connection which logged in before: the next login is told in words what is wrong (protocol, 3.3).

    Parameters
    ----------
    exc : Exception
        What the connection raised.
    worked : bool
        Whether a connection to this address was good before: then the refusal may pass.
    """
    verdict = classify(exc)
    if worked and isinstance(verdict, FatalFeedError) and isinstance(exc, InvalidStatus | ConnectionClosed):
        return TransientFeedError(f"{verdict}; it worked before", retry_after_secs=_LOGIN_RETRY_SECS)
    return verdict


class OrdersStream(Stream):
    """The stream of the account's orders.

    Parameters
    ----------
    settings : BsxSettings
        Address and credentials.
    clock : Clock
        Stamps the login.
    """

    name = f"{VENUE} orders"
    keepalive_secs = KEEPALIVE_SECS

    def __init__(self, settings: BsxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        #: Whether the venue has ever confirmed the subscription.
        self._worked = False

    def url(self) -> str:
        """Return the WebSocket's address."""
        return self._settings.base_url_ws

    async def handshake(self, conn: Handshake) -> None:
        """Log in, then subscribe; an acknowledgement or the snapshot itself confirms it.

        Where a step stays without an answer the next one tells: without a login the subscription is refused, and an
        answer to a ping after the subscription says that it was read and not refused.

        Raises
        ------
        FatalFeedError
            If the credentials or the subscription are refused.
        TransientFeedError
            If the clock is off, or the venue fails.
        """
        await conn.send(self._login())
        try:
            await conn.expect(self._logged_in, _SILENCE_SECS)
        except HandshakeTimeout:
            _log.warning("%s: the login stays without an answer; subscribing all the same", VENUE)
        await conn.send(_SUBSCRIBE_ORDERS)
        try:
            # Kept: the first snapshot is data.
            await conn.expect(self._subscribed, _SILENCE_SECS, keep=True)
        except HandshakeTimeout:
            await conn.send(PING)
            await conn.expect(self._subscribed_or_pong, keep=True)
            _log.warning("%s: the subscription to orders stays without an answer, but is not refused", VENUE)
        self._worked = True

    def probe(self) -> Frame:
        """Return the application's ping."""
        return PING

    def classify(self, exc: Exception) -> FatalFeedError | TransientFeedError:
        """Say what a failure means; see `verdict_of`."""
        return verdict_of(exc, worked=self._worked)

    def recordable(self, frame: bytes) -> bool:
        """Whether the frame is anything but the login."""
        return frame in (PING, _SUBSCRIBE_ORDERS)

    def _login(self) -> bytes:
        key = self._settings.api_key
        timestamp = str(self._clock.time_ns())
        signature = websocket_signature(key, self._settings.api_secret.reveal(), timestamp)
        return wire.encode({"op": "auth", "data": {"key": key, "timestamp": timestamp, "signature": signature}})

    def _logged_in(self, frame: bytes) -> bool:
        control = control_of(frame)
        if control is None:
            return False
        if control.type is FrameType.AUTHENTICATED:
            return True
        # The live venue's errors may lack the channel; before the login there is nothing else to fail.
        if control.type is FrameType.ERROR and control.channel in ("", WireChannel.AUTH.value):
            raise self._refused_login(control)
        return False

    def _refused_login(self, control: wire.Control) -> FatalFeedError | TransientFeedError:
        said = f"{VENUE}: login refused: {control.message[:200]!r} (code {control.code})"
        word = control.message.casefold()
        if "timestamp" in word:
            return TransientFeedError(f"{said}; set this machine's clock", retry_after_secs=_LOGIN_RETRY_SECS)
        is_about_key = any(key in word for key in _KEY_WORDS)
        if control.code >= 500 or control.code in _FAILING_CODES or (self._worked and not is_about_key):
            return TransientFeedError(said, retry_after_secs=_LOGIN_RETRY_SECS)
        return FatalFeedError(f"{said}; check api_key and api_secret")

    def _subscribed(self, frame: bytes) -> bool:
        control = control_of(frame)
        if control is None or control.channel not in ("", WireChannel.ORDERS.value):
            return False
        if control.type is FrameType.ERROR:
            said = f"{VENUE}: subscription to orders refused: {control.message[:200]!r} (code {control.code})"
            if control.code == 400 and not self._worked:
                raise FatalFeedError(f"{said}; is this the right WebSocket address?")
            raise TransientFeedError(said, retry_after_secs=_LOGIN_RETRY_SECS)
        return control.type in _CONFIRMS

    def _subscribed_or_pong(self, frame: bytes) -> bool:
        control = control_of(frame)
        return self._subscribed(frame) or (control is not None and control.type is FrameType.PONG)
