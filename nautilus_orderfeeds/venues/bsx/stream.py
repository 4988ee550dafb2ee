"""The private stream: log in, subscribe to `orders` (protocol, 3.3 and 5)."""

from typing import Final

import msgspec

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError
from nautilus_orderfeeds.feed.stream import Frame, Handshake, Stream
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings
from nautilus_orderfeeds.venues.bsx.signing import websocket_signature
from nautilus_orderfeeds.venues.bsx.words import VENUE, FrameType, WireChannel

PING: Final = b'{"op":"ping"}'

#: The venue asks for a ping this often and closes a connection it has not heard of for ten minutes (protocol, 5.1).
KEEPALIVE_SECS: Final = 15.0

_SUBSCRIBE_ORDERS: Final = b'{"op":"sub","channel":"orders"}'

#: A refused login is not tried again sooner (protocol, 11 row 9).
_LOGIN_RETRY_SECS: Final = 5.0

_CONFIRMS: Final = frozenset({FrameType.SUBSCRIBED, FrameType.SNAPSHOT, FrameType.UPDATE})


def control_of(frame: bytes) -> wire.Control | None:
    """Return a frame's envelope, or None if it has none."""
    try:
        return wire.CONTROL.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


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

    def url(self) -> str:
        """Return the WebSocket's address."""
        return self._settings.base_url_ws

    async def handshake(self, conn: Handshake) -> None:
        """Log in, then subscribe; an acknowledgement or the snapshot itself confirms it.

        Raises
        ------
        FatalFeedError
            If the credentials or the subscription are refused.
        TransientFeedError
            If the clock is off, or the venue fails.
        """
        await conn.send(self._login())
        await conn.expect(_logged_in)
        await conn.send(_SUBSCRIBE_ORDERS)
        # Kept: the first snapshot is data.
        await conn.expect(_subscribed, keep=True)

    def probe(self) -> Frame:
        """Return the application's ping."""
        return PING

    def recordable(self, frame: bytes) -> bool:
        """Whether the frame is anything but the login."""
        return frame in (PING, _SUBSCRIBE_ORDERS)

    def _login(self) -> bytes:
        key = self._settings.api_key
        timestamp = str(self._clock.time_ns())
        signature = websocket_signature(key, self._settings.api_secret.reveal(), timestamp)
        return wire.encode({"op": "auth", "data": {"key": key, "timestamp": timestamp, "signature": signature}})


def _logged_in(frame: bytes) -> bool:
    control = control_of(frame)
    if control is None:
        return False
    if control.type is FrameType.AUTHENTICATED:
        return True
    # The live venue's errors may lack the channel; before the login there is nothing else to fail.
    if control.type is FrameType.ERROR and control.channel in ("", WireChannel.AUTH.value):
        raise _refused_login(control)
    return False


def _refused_login(control: wire.Control) -> FatalFeedError | TransientFeedError:
    said = f"{VENUE}: login refused: {control.message[:200]!r} (code {control.code})"
    if "timestamp" in control.message.casefold():
        return TransientFeedError(f"{said}; set this machine's clock", retry_after_secs=_LOGIN_RETRY_SECS)
    if control.code >= 500 or control.code == 429:
        return TransientFeedError(said, retry_after_secs=_LOGIN_RETRY_SECS)
    return FatalFeedError(f"{said}; check api_key and api_secret")


def _subscribed(frame: bytes) -> bool:
    control = control_of(frame)
    if control is None or control.channel != WireChannel.ORDERS.value:
        return False
    if control.type is FrameType.ERROR:
        said = f"{VENUE}: subscription to orders refused: {control.message[:200]!r} (code {control.code})"
        if control.code == 400:
            raise FatalFeedError(f"{said}; is this the right WebSocket address?")
        raise TransientFeedError(said, retry_after_secs=_LOGIN_RETRY_SECS)
    return control.type in _CONFIRMS
