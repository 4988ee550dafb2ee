"""Market data of Roxom: subscriptions, the public side of the stream, and what REST knows (protocol, 4.9 and 5)."""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, assert_never

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, HandshakeTimeout
from nautilus_orderfeeds.feed.market import Book, Channel, FundingRate, MarketMessage
from nautilus_orderfeeds.feed.stream import Handshake, Stream
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.roxom.api import RoxomApi
from nautilus_orderfeeds.venues.roxom.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.roxom.market_codec import MarketDecoder, decode_book
from nautilus_orderfeeds.venues.roxom.settings import DepthReading, RoxomSettings
from nautilus_orderfeeds.venues.roxom.signing import Authenticator, authenticator
from nautilus_orderfeeds.venues.roxom.stream import RoxomStream, Topic, answers_to, request
from nautilus_orderfeeds.venues.roxom.venue import read_instruments
from nautilus_orderfeeds.venues.roxom.words import INST_TYPE, UNIT, VENUE, WireChannel

_log = logging.getLogger(__name__)

_BOOK_LEVELS: Final = 100
_ACK_SECS: Final = 5.0


class RoxomMarketFeed:
    """Implements `venues.base.MarketFeed`.

    Parameters
    ----------
    settings : RoxomSettings
        Addresses and credentials (whether market data needs any, the documents disagree).
    clock : Clock, optional
        Source of time.
    """

    def __init__(self, settings: RoxomSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or LiveClock()
        self._api: RoxomApi | None = None
        self._decoder = MarketDecoder(settings.depth_reading)
        self._raw_symbols: dict[str, str] = {}
        # What is asked for, by what carries it: several channels share a wire channel.
        self._topics: dict[Topic, set[Channel]] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return CAPABILITIES

    async def open(self) -> None:
        """Check that the venue is there; raises `TransientFeedError` if not, `FatalFeedError` for a wrong key."""
        if self._api is None:
            self._api = RoxomApi(self._settings, self._clock, authenticator(self._settings, self._clock))
        try:
            await self._api.probe()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Release everything; idempotent."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()

    async def instruments(self) -> list[InstrumentSpec]:
        """Return the active perpetuals; raises `FeedError`."""
        return await read_instruments(self._opened())

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to serve."""
        self._raw_symbols.update((spec.symbol, spec.raw_symbol) for spec in specs)

    def stream(self) -> Stream:
        """Return the stream; its handshake restores every subscription made so far."""
        signer = authenticator(self._settings, self._clock)
        return _MarketStream(self._settings, signer, self._topics, self._raw_symbols, self._decoder)

    def subscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Note a subscription.

        Returns
        -------
        list[bytes]
            The frame to send if connected; none if the wire's channel is on already, or the venue has none.
        """
        carrier = self._carrier(channel)
        if carrier is None:
            return []
        if channel is Channel.BOOK and carrier is WireChannel.LEVEL1:
            self._decoder.books_of_one_level.add(symbol)
        channels = self._topics.setdefault((carrier, symbol), set())
        is_new = not channels
        channels.add(channel)
        return [request("subscribe", [(carrier, self._raw_symbols.get(symbol, symbol))])] if is_new else []

    def unsubscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Forget a subscription; return the frame to send if connected and nothing else needs the wire's channel."""
        carrier = self._carrier(channel)
        channels = self._topics.get((carrier, symbol)) if carrier is not None else None
        if carrier is None or channels is None or channel not in channels:
            return []
        channels.discard(channel)
        if channel is Channel.BOOK:
            self._decoder.books_of_one_level.discard(symbol)
        if channels:
            return []
        del self._topics[carrier, symbol]
        if carrier in (WireChannel.DEPTH, WireChannel.LEVEL1):
            self._decoder.forget(symbol)
        return [request("unsubscribe", [(carrier, self._raw_symbols.get(symbol, symbol))])]

    def decode(self, raw: bytes) -> list[MarketMessage]:
        """Decode one frame; raises `FrameError`."""
        return self._decoder.decode(raw)

    async def book(self, symbol: str) -> Book | None:
        """Read the book (``GET /orderbook/snapshot``); raises `FeedError`."""
        query = {
            "symbol": self._raw_symbols.get(symbol, symbol),
            "instType": INST_TYPE,
            "levels": str(_BOOK_LEVELS),
            "unit": UNIT,
        }
        return await self._opened().read("/orderbook/snapshot", lambda body: decode_book(body, symbol), query)

    async def funding_rates(self, symbol: str, start_ns: int, end_ns: int, limit: int) -> list[FundingRate] | None:
        """Return None: no past funding rates are documented."""
        return None

    def reference_price(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return the best (bid, ask) last seen on the stream."""
        return self._decoder.best(symbol)

    def _carrier(self, channel: Channel) -> WireChannel | None:
        match channel:
            case Channel.QUOTES:
                return WireChannel.LEVEL1
            case Channel.TRADES:
                return WireChannel.TRADE
            case Channel.BOOK:
                reads_depth = self._settings.depth_reading is not DepthReading.LEVEL1
                return WireChannel.DEPTH if reads_depth else WireChannel.LEVEL1
            case Channel.MARK_PRICES | Channel.INDEX_PRICES | Channel.FUNDING_RATES:
                return WireChannel.TICKER
            case Channel.BARS | Channel.INSTRUMENT_STATUS:
                return None
            case _ as never:
                assert_never(never)

    def _opened(self) -> RoxomApi:
        if self._api is None:
            raise FatalFeedError(f"{VENUE}: the market feed is not open; call open() first")
        return self._api


class _MarketStream(RoxomStream):
    name = f"{VENUE} market data"

    def __init__(
        self,
        settings: RoxomSettings,
        signer: Authenticator,
        topics: dict[Topic, set[Channel]],
        raw_symbols: dict[str, str],
        decoder: MarketDecoder,
    ) -> None:
        super().__init__(settings, signer)
        self._topics = topics
        self._raw_symbols = raw_symbols
        self._decoder = decoder

    async def handshake(self, conn: Handshake) -> None:
        """Subscribe to everything at once; what is not acknowledged in time is only warned of."""
        self._decoder.forget()
        topics = [(channel, self._raw_symbols.get(symbol, symbol)) for channel, symbol in self._topics]
        if not topics:
            return
        await conn.send(request("subscribe", topics))
        try:
            await conn.expect(answers_to(topics), _ACK_SECS)
        except HandshakeTimeout:
            _log.warning("%s: not all of %d subscriptions were acknowledged", VENUE, len(topics))
