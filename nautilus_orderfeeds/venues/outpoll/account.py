"""All balances at once: the AUTH reply of a short connection to the balance stream (protocol, 4.4 and 6.3).

No REST answer has cash or free amounts, and a change that was lost is never told again; so the snapshot is asked for
anew wherever balances have to be certain.
"""

import asyncio

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FrameError, NotServed, TransientFeedError, excerpt
from nautilus_orderfeeds.feed.verdict import classify, describe
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.frames import Snapshot, decode_frame
from nautilus_orderfeeds.venues.outpoll.settings import BALANCE_STREAM, OutpollSettings, Service
from nautilus_orderfeeds.venues.outpoll.signing import Signer
from nautilus_orderfeeds.venues.outpoll.streams import envelope_of
from nautilus_orderfeeds.venues.outpoll.words import VENUE
from nautilus_orderfeeds.venues.rest_api import NOT_SERVED_STATUSES


class BalanceReader:
    """Reads the balance snapshot.

    Parameters
    ----------
    settings : OutpollSettings
        Address and limits.
    signer : Signer
        Of the API key.
    clock : Clock
        Stamps the AUTH.
    """

    def __init__(self, settings: OutpollSettings, signer: Signer, clock: Clock) -> None:
        self._settings = settings
        self._signer = signer
        self._clock = clock
        self._lock = asyncio.Lock()

    async def read(self) -> list[wire.BalanceRow]:
        """Connect, authenticate, take the reply, and leave.

        Raises
        ------
        FatalFeedError
            If the credentials are refused.
        NotServed
            If this installation of the venue has no such stream.
        TransientFeedError
            If it could not be read now.
        """
        async with self._lock:
            try:
                async with asyncio.timeout(self._settings.timeout_secs):
                    return await self._read()
            except TimeoutError:
                raise TransientFeedError(
                    f"{VENUE}: no balance snapshot within {self._settings.timeout_secs:g} s"
                ) from None
            except (OSError, WebSocketException) as exc:
                if isinstance(exc, InvalidStatus) and exc.response.status_code in NOT_SERVED_STATUSES:
                    raise NotServed(f"{VENUE}: no balance stream: {describe(exc)}") from None
                verdict = classify(exc)
                raise type(verdict)(f"{VENUE}: balance snapshot: {describe(exc)}") from None

    async def _read(self) -> list[wire.BalanceRow]:
        url = self._settings.ws(Service.WALLET, BALANCE_STREAM)
        async with connect(url, close_timeout=1.0, max_size=16 * 2**20) as conn:
            timestamp = str(self._clock.time_ns() // 1_000_000_000)
            await conn.send(wire.encode(self._signer.auth_message(timestamp, BALANCE_STREAM)), text=True)
            while True:
                frame = await conn.recv(decode=False)
                envelope = envelope_of(frame)
                if envelope is not None and (envelope.t or "").casefold() == "error":
                    raise self._refused(frame)
                try:
                    found = decode_frame(frame)
                except FrameError:
                    continue  # not the snapshot; the stream's own connection counts such frames
                if isinstance(found, Snapshot):
                    return found.balances

    def _refused(self, frame: bytes) -> FatalFeedError:
        """Make the error of a refused key: REST was not refused before, so it was replaced, or the clock is off."""
        names = " and ".join(self._settings.variable(name) for name in ("api_key", "api_secret"))
        return FatalFeedError(
            f"{VENUE}: AUTH refused for the balances: {excerpt(frame, 200)}; check that {names} belong together, that "
            "no newer key replaced this one, and this machine's clock"
        )
