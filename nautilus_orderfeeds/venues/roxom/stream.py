"""The private stream: authenticated by the upgrade request, then subscribed (protocol, 5.1 and 5.2)."""

import logging
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from nautilus_orderfeeds.feed.errors import FatalFeedError, HandshakeTimeout, TransientFeedError
from nautilus_orderfeeds.feed.stream import Frame, Handshake, Stream
from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.frames import AUTHENTICATION_ERRORS
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.signing import Authenticator
from nautilus_orderfeeds.venues.roxom.words import VENUE, WireChannel

_log = logging.getLogger(__name__)

#: The bytes of an acknowledgement are not documented: none within this time is a warning, no failure (protocol, 9).
_ACK_SECS: Final = 5.0
_INVALID_TIMESTAMP: Final = "600011"
_INVALID_CHANNEL: Final = "60014"

_BESIDES: Final = (WireChannel.BALANCE, WireChannel.POSITIONS, WireChannel.ACCOUNT)

Topic = tuple[WireChannel, str]


def request(op: str, topics: Iterable[Topic]) -> bytes:
    """Return a frame that subscribes or unsubscribes; a channel of the account has no symbol."""
    args = [{"channel": channel.value, **({"symbol": symbol} if symbol else {})} for channel, symbol in topics]
    return msgspec.json.encode({"op": op, "args": args})


def control_of(frame: bytes) -> wire.Control | None:
    """Return a control frame, or None if it is none."""
    try:
        return wire.CONTROL.decode(frame)
    except DECODE_ERRORS:
        return None


class RoxomStream(Stream):
    """A connection to the venue's one address.

    Parameters
    ----------
    settings : RoxomSettings
        Address.
    authenticator : Authenticator
        Signs the upgrade.
    """

    def __init__(self, settings: RoxomSettings, authenticator: Authenticator) -> None:
        self._settings = settings
        self._authenticator = authenticator

    def url(self) -> str:
        """Return the WebSocket's address."""
        return self._settings.base_url_ws

    def headers(self) -> dict[str, str]:
        """Return the headers of the upgrade."""
        return self._authenticator.upgrade()

    def recordable(self, frame: bytes) -> bool:
        """Whether an outgoing frame is free of secrets: all are, since none authenticates."""
        return True

    def probe(self) -> Frame | None:
        """Return None: WebSocket pings are all there is."""
        return None


class PrivateStream(RoxomStream):
    """The stream of the account: orders, balance, positions, account."""

    name = f"{VENUE} account"

    async def handshake(self, conn: Handshake) -> None:
        """Subscribe to the orders, then to the rest.

        Account events come to every connection, subscribed or not, but only a subscription tells that they do.

        Raises
        ------
        FatalFeedError
            If the credentials or the subscription to orders are refused.
        TransientFeedError
            If the venue fails.
        """
        await conn.send(request("subscribe", [(WireChannel.ORDERS, "")]))
        try:
            await conn.expect(_acknowledges_orders, _ACK_SECS)
        except HandshakeTimeout:
            _log.warning("%s: the subscription to orders was not acknowledged; going on without", VENUE)
        await conn.send(request("subscribe", [(channel, "") for channel in _BESIDES]))


def answers_to(topics: Iterable[Topic]) -> Callable[[bytes], bool]:
    """Return a predicate that is true once each topic was acknowledged, or an error came for each."""
    waiting = {(channel.value, symbol) for channel, symbol in topics}

    def predicate(frame: bytes) -> bool:
        control = control_of(frame)
        if control is None:
            return False
        if control.event == "error":
            raise_if_unauthorized(control)
            _log.error("%s: a subscription was refused: %s (%s)", VENUE, (control.msg or "")[:200], control.code)
            if waiting:
                waiting.pop()  # which one it is about is not said
        else:
            waiting.discard((control.channel, control.symbol))
        return not waiting

    return predicate


def raise_if_unauthorized(control: wire.Control) -> None:
    """Raise if an error says that the credentials are refused.

    Raises
    ------
    FatalFeedError
        If so.
    TransientFeedError
        If it is our clock that is refused.
    """
    code, said = str(control.code), (control.msg or "")[:200]
    if code == _INVALID_TIMESTAMP:
        raise TransientFeedError(f"{VENUE}: login refused: {said!r} ({code}); set this machine's clock")
    if code in AUTHENTICATION_ERRORS:
        raise FatalFeedError(f"{VENUE}: login refused: {said!r} ({code}); check the credentials (ROXOM_API_KEY ...)")


def _acknowledges_orders(frame: bytes) -> bool:
    control = control_of(frame)
    if control is None:
        return False
    if control.event != "error":
        return control.channel in ("", WireChannel.ORDERS.value)
    raise_if_unauthorized(control)
    said = f"{VENUE}: subscription to orders refused: {(control.msg or '')[:200]!r} ({control.code})"
    if str(control.code) == _INVALID_CHANNEL:
        raise FatalFeedError(f"{said}; is this the right WebSocket address?")
    raise TransientFeedError(said)
