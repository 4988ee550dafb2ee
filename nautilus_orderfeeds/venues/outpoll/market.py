"""Market data of Outpoll: top of book by event, turned into quotes of each asset (protocol, 6.4)."""

import logging
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Book, Channel, FundingRate, MarketMessage, Quote
from nautilus_orderfeeds.feed.stream import Frame, Handshake, Stream
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.outpoll.entry import EVENT_ID, OUTCOME_ID
from nautilus_orderfeeds.venues.outpoll.products import IS_PRIMARY
from nautilus_orderfeeds.venues.outpoll.settings import BOOK_STREAM, OutpollSettings, Service
from nautilus_orderfeeds.venues.outpoll.streams import PONG, envelope_of
from nautilus_orderfeeds.venues.outpoll.words import VENUE

_log = logging.getLogger(__name__)

_CONFIRM_SECS: Final = 10.0
_ONE: Final = Decimal(1)


class OutpollMarketFeed:
    """Implements `venues.base.MarketFeed`: quotes without sizes, and nothing else.

    Parameters
    ----------
    settings : OutpollSettings
        Addresses; credentials are not needed.
    clock : Clock, optional
        Source of time.
    """

    def __init__(self, settings: OutpollSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or LiveClock()
        self._specs: dict[str, InstrumentSpec] = {}
        self._wanted: dict[str, set[str]] = {}
        self._quotes: dict[str, tuple[Decimal | None, Decimal | None]] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return CAPABILITIES

    async def open(self) -> None:
        """Do nothing: the stream itself shows whether the venue is there."""

    async def close(self) -> None:
        """Release everything; idempotent."""

    async def instruments(self) -> list[InstrumentSpec]:
        """Return nothing: the venue's search is not documented (protocol, 12), so a file has to name them."""
        return []

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to serve."""
        self._specs.update((spec.symbol, spec) for spec in specs)

    def stream(self) -> Stream:
        """Return the public stream; its handshake restores every subscription made so far."""
        return _BookStream(self._settings, self._wanted)

    def subscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Note a subscription; the frame is for the whole event, once."""
        event_id = self._event_of(channel, symbol)
        if event_id is None:
            return []
        symbols = self._wanted.setdefault(event_id, set())
        is_new = not symbols
        symbols.add(symbol)
        # The snapshot is asked for each time: one for an asset added later would not come by itself.
        asked = _request("REQUEST_DATA", event_id)
        self._quotes.pop(symbol, None)
        return [_request("SUBSCRIBE", event_id), asked] if is_new else [asked]

    def unsubscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Forget a subscription; the event is left when none of its assets is wanted any more."""
        event_id = self._event_of(channel, symbol)
        symbols = self._wanted.get(event_id or "")
        if event_id is None or symbols is None or symbol not in symbols:
            return []
        symbols.discard(symbol)
        self._quotes.pop(symbol, None)
        if symbols:
            return []
        del self._wanted[event_id]
        return [_request("UNSUBSCRIBE", event_id)]

    def decode(self, raw: bytes) -> list[MarketMessage]:
        """Decode one frame; raises `FrameError`."""
        envelope = wire.decode(wire.ENVELOPE, raw, "a JSON object with t (protocol 6.4)")
        match (envelope.t or "").upper():
            case "PRICES_DATA" | "PRICES_DATA_DELTA":
                rows = wire.decode(wire.PRICES, bytes(envelope.d), "rows of prices (protocol 6.4)")
                return list(self._make(raw, envelope.e, rows))
            case "PING" | "SUBSCRIBED" | "UNSUBSCRIBED" | "SUCCESS":
                return []
            case "ERROR":
                raise FrameError(VENUE, raw, "no error (protocol 6.4)")
            case _:
                raise FrameError(VENUE, raw, "a type of the Order Book stream (protocol 6.4)")

    async def book(self, symbol: str) -> Book | None:
        """Return None: there is no depth (protocol, 6.4)."""
        return None

    async def funding_rates(self, symbol: str, start_ns: int, end_ns: int, limit: int) -> list[FundingRate] | None:
        """Return None: there is no funding."""
        return None

    def reference_price(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return the best (bid, ask) last seen, if both were."""
        bid, ask = self._quotes.get(symbol, (None, None))
        return None if bid is None or ask is None else (bid, ask)

    def _event_of(self, channel: Channel, symbol: str) -> str | None:
        spec = self._specs.get(symbol)
        event_id = spec.info.get(EVENT_ID) if spec is not None and channel is Channel.QUOTES else None
        return str(event_id) if event_id else None

    def _make(self, raw: bytes, event_id: str | None, rows: Iterable[wire.PriceRow]) -> Iterable[MarketMessage]:
        by_outcome = {row.o: row for row in rows}
        for row in by_outcome.values():
            try:
                wire.check_numbers(row.b, row.a)
            except ValueError as exc:
                raise FrameError(VENUE, raw, f"sensible prices ({exc})") from None
        symbols = [s for event, wanted in self._wanted.items() if event_id in (None, event) for s in wanted]
        for symbol in sorted(symbols):
            info = self._specs[symbol].info
            found = by_outcome.get(str(info.get(OUTCOME_ID)))
            if found is None:
                continue
            bid, ask = _sides(found, is_primary=info.get(IS_PRIMARY) is not False)
            if (bid, ask) == self._quotes.get(symbol):
                continue
            self._quotes[symbol] = (bid, ask)
            if bid is not None and ask is not None:  # no quote for an empty side (protocol, 12)
                yield Quote(symbol=symbol, bid=bid, ask=ask)


def _sides(row: wire.PriceRow, *, is_primary: bool) -> tuple[Decimal | None, Decimal | None]:
    """Return (bid, ask) of an asset: prices are of the primary one, the other is what is left of one dollar."""
    bid, ask = (px if px is not None and 0 < px < 1 else None for px in (row.b, row.a))
    if is_primary:
        return bid, ask
    return None if ask is None else _ONE - ask, None if bid is None else _ONE - bid


class _BookStream(Stream):
    name = f"{VENUE} order book"

    def __init__(self, settings: OutpollSettings, wanted: dict[str, set[str]]) -> None:
        self._url = settings.ws(Service.BOOK, BOOK_STREAM)
        self._wanted = wanted
        self._pong_reply = settings.pong_reply

    def url(self) -> str:
        return self._url

    async def handshake(self, conn: Handshake) -> None:
        """Subscribe to each event, one after the other."""
        for event_id in list(self._wanted):
            await conn.send(_request("SUBSCRIBE", event_id))

            def confirms(frame: bytes, event_id: str = event_id) -> bool:
                envelope = envelope_of(frame)
                if envelope is None:
                    return False
                if (envelope.t or "").upper() == "ERROR":
                    _log.error("%s: no prices of event %s: %s", VENUE, event_id, envelope.r or "")
                    return True
                return (envelope.t or "").upper() == "SUBSCRIBED" and envelope.e == event_id

            await conn.expect(confirms, _CONFIRM_SECS)
            # Whether a snapshot follows unasked is not known; asking is documented, its body is inferred.
            await conn.send(_request("REQUEST_DATA", event_id))

    def answer(self, frame: bytes) -> Frame | None:
        """Return PONG for a PING, if that is switched on."""
        return PONG if self._pong_reply and b'"PING"' in frame else None

    def recordable(self, frame: bytes) -> bool:
        return True


def _request(kind: str, event_id: str) -> bytes:
    return wire.encode({"t": kind, "e": event_id})
