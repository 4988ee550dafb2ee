"""The private streams: AUTH first, then listen (protocol, 4.4 and 6.1 to 6.3)."""

from typing import Final

import msgspec

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError, excerpt
from nautilus_orderfeeds.feed.stream import Frame, Handshake, Stream
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.settings import BALANCE_STREAM, ORDER_STREAM, OutpollSettings, Service
from nautilus_orderfeeds.venues.outpoll.signing import Signer
from nautilus_orderfeeds.venues.outpoll.words import VENUE

PONG: Final = b'{"t":"PONG"}'
_AUTH_SECS: Final = 10.0
_RETRY_SECS: Final = 1.0
#: After so many refusals in a row, trying again cannot help (protocol, 12).
_MAX_REFUSALS: Final = 3


def envelope_of(frame: bytes) -> wire.Envelope | None:
    """Return a frame's envelope, or None if it has none."""
    try:
        return wire.ENVELOPE.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class PrivateStream(Stream):
    """One private stream.

    Parameters
    ----------
    name : str
        In logs.
    url, path : str
        Address, and the path that is signed.
    signer : Signer
        Of the API key.
    clock : Clock
        Stamps the AUTH.
    keep_reply : bool
        The success reply is itself data (the balance snapshot).
    pong_reply : bool
        Answer the venue's PING.
    """

    def __init__(
        self, name: str, url: str, path: str, signer: Signer, clock: Clock, *, keep_reply: bool, pong_reply: bool
    ) -> None:
        self.name = name
        self._url = url
        self._path = path
        self._signer = signer
        self._clock = clock
        self._keep_reply = keep_reply
        self._pong_reply = pong_reply
        self._refusals = 0

    def url(self) -> str:
        """Return the address."""
        return self._url

    async def handshake(self, conn: Handshake) -> None:
        """Send AUTH and wait for the success reply.

        Raises
        ------
        FatalFeedError
            If the credentials were refused three times in a row.
        TransientFeedError
            If they were refused, or nothing came.
        """
        timestamp = str(self._clock.time_ns() // 1_000_000_000)
        await conn.send(wire.encode(self._signer.auth_message(timestamp, self._path)))
        await conn.expect(self._authorized, _AUTH_SECS, keep=self._keep_reply)
        self._refusals = 0

    def answer(self, frame: bytes) -> Frame | None:
        """Return PONG for a PING, if that is switched on (protocol, 12: off)."""
        if not self._pong_reply or b'"PING"' not in frame:
            return None
        envelope = envelope_of(frame)
        return PONG if envelope is not None and envelope.t == "PING" else None

    def _authorized(self, frame: bytes) -> bool:
        envelope = envelope_of(frame)
        match (envelope.t or "").casefold() if envelope is not None else "":
            case "success":
                return True
            case "error":
                raise self._refused(frame)
            case _:
                return False

    def _refused(self, frame: bytes) -> FatalFeedError | TransientFeedError:
        self._refusals += 1
        said = f"{VENUE}: AUTH refused on {self.name}: {excerpt(frame, 200)}"
        if self._refusals >= _MAX_REFUSALS:
            return FatalFeedError(
                f"{said}; check api_key and api_secret, whether a newer key replaced this one, and this machine's clock"
            )
        return TransientFeedError(said, retry_after_secs=_RETRY_SECS)


def order_updates(settings: OutpollSettings, signer: Signer, clock: Clock) -> PrivateStream:
    """Return the stream of order and TP/SL hints (protocol, 6.1)."""
    return _make("order updates", settings, Service.ORDERS, ORDER_STREAM, signer, clock)


def order_feed(settings: OutpollSettings, signer: Signer, clock: Clock) -> PrivateStream:
    """Return the Order Feed of the history service (protocol, 6.2): the same path on another host."""
    return _make("order feed", settings, Service.HISTORY, ORDER_STREAM, signer, clock)


def balance_updates(settings: OutpollSettings, signer: Signer, clock: Clock) -> PrivateStream:
    """Return the stream of balances, whose AUTH reply is the snapshot (protocol, 6.3)."""
    return _make("balance updates", settings, Service.WALLET, BALANCE_STREAM, signer, clock, keep_reply=True)


def _make(
    name: str,
    settings: OutpollSettings,
    service: Service,
    path: str,
    signer: Signer,
    clock: Clock,
    *,
    keep_reply: bool = False,
) -> PrivateStream:
    return PrivateStream(
        f"{VENUE} {name}",
        settings.ws(service, path),
        path,
        signer,
        clock,
        keep_reply=keep_reply,
        pong_reply=settings.pong_reply,
    )
