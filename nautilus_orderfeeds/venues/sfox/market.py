"""Market data of sFOX: subscriptions, the market stream, and what REST knows (protocol, 7.6 and 8.6)."""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FrameError, TransientFeedError
from nautilus_orderfeeds.feed.limits import EVERY_ROUTE
from nautilus_orderfeeds.feed.market import Book, Channel, FundingRate, MarketMessage
from nautilus_orderfeeds.feed.stream import Frame, Handshake, Stream
from nautilus_orderfeeds.venues.base import Gap
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.api import SfoxApi
from nautilus_orderfeeds.venues.sfox.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.sfox.limits import ws_limiter
from nautilus_orderfeeds.venues.sfox.listing import read_listing
from nautilus_orderfeeds.venues.sfox.market_codec import MarketDecoder, MarketFeedKind, book_of, feed_name, is_crossed
from nautilus_orderfeeds.venues.sfox.settings import BookKind, CrossedBooks, SfoxSettings
from nautilus_orderfeeds.venues.sfox.stream import SfoxStream, subscribe_frame
from nautilus_orderfeeds.venues.sfox.words import VENUE, RoutingType

_log = logging.getLogger(__name__)

_ROUTING_OF_BOOK: Final = {BookKind.NET: RoutingType.NET_PRICE, BookKind.RAW: RoutingType.SMART}


class SfoxMarketFeed:
    """Implements `venues.base.MarketFeed`.

    Parameters
    ----------
    settings : SfoxSettings
        Addresses, and the key: market feeds want a login too.
    clock : Clock, optional
        Source of time.
    """

    def __init__(self, settings: SfoxSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or LiveClock()
        self._api: SfoxApi | None = None
        self._raw_symbols: dict[str, str] = {}
        # Feed -> what is asked for that it carries: quotes come from the book.
        self._wanted: dict[str, set[Channel]] = {}
        self._stream = MarketStream(settings, self._clock, self._wanted)
        self._decoder = MarketDecoder(settings.book, settings.crossed_books, self._stream.refused)
        self._stream.decoder = self._decoder

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return CAPABILITIES

    async def open(self) -> None:
        """Check that there is a key; the listing shows whether the venue is there. Raises `FatalFeedError`."""
        self._settings.require_key()
        if self._api is None:
            self._api = SfoxApi(self._settings, self._clock)

    async def close(self) -> None:
        """Release everything; idempotent."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()

    async def instruments(self) -> list[InstrumentSpec]:
        """Return the venue's listing (``GET /v1/markets/currency-pairs``); raises `FeedError`."""
        return await read_listing(self._opened(), self._settings)

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to serve."""
        self._raw_symbols.update((spec.symbol, spec.raw_symbol) for spec in specs)
        if self._raw_symbols:
            # A connection without a subscription may be closed (protocol, 8.1): this one costs next to nothing.
            first = next(iter(self._raw_symbols.values()))
            self._stream.fallback = feed_name(MarketFeedKind.TICKER, first, self._settings.book)

    def stream(self) -> Stream:
        """Return the market stream; its handshake restores every subscription made so far."""
        return self._stream

    def subscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Note a subscription.

        Returns
        -------
        list[bytes]
            Frames to send if connected: the stream makes of those that wait one request (see `MarketStream`). None if
            the feed is on already, or the venue has none.
        """
        feed = self._feed(channel, symbol)
        if feed is None:
            return []
        channels = self._wanted.setdefault(feed, set())
        is_new = not channels
        channels.add(channel)
        if not is_new:
            return []
        needless = self._stream.needless()
        return [subscribe_frame([feed])] + ([subscribe_frame(needless, on=False)] if needless else [])

    def unsubscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Forget a subscription; return the frame to send if connected and nothing else needs the feed."""
        feed = self._feed(channel, symbol)
        channels = self._wanted.get(feed) if feed is not None else None
        if feed is None or channels is None or channel not in channels:
            return []
        channels.discard(channel)
        if channels:
            return []
        del self._wanted[feed]
        return [subscribe_frame([feed], on=False)]

    def decode(self, raw: bytes) -> list[MarketMessage | Gap]:
        """Decode one frame; raises `FrameError`."""
        return self._decoder.decode(raw)

    async def book(self, symbol: str) -> Book | None:
        """Read the book (``GET /v1/markets/orderbook/:pair``); None if it is crossed and such are dropped.

        Raises
        ------
        FeedError
            If it could not be read.
        """
        pair = self._raw_symbols.get(symbol, symbol.lower())
        query = {"routing_type": _ROUTING_OF_BOOK[self._settings.book].value}

        def decode(body: bytes) -> Book:
            try:
                return book_of(body, symbol)
            except (*wire.DECODE_ERRORS, ValueError) as exc:
                raise FrameError(VENUE, body, f"a book (protocol 7.6; {exc})") from None

        book = await self._opened().read(f"/v1/markets/orderbook/{quote(pair, safe='')}", decode, query)
        if is_crossed(book) and self._settings.crossed_books is CrossedBooks.DROP:
            raise TransientFeedError(f"{VENUE}: the book of {symbol} is crossed, and crossed_books says to drop such")
        return book

    async def funding_rates(self, symbol: str, start_ns: int, end_ns: int, limit: int) -> list[FundingRate] | None:
        """Return None: spot has no funding."""
        return None

    def reference_price(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return the best (bid, ask) of the last book."""
        return self._decoder.best(symbol)

    def _feed(self, channel: Channel, symbol: str) -> str | None:
        match channel:
            case Channel.QUOTES | Channel.BOOK:
                kind = MarketFeedKind.BOOK
            case Channel.TRADES:
                kind = MarketFeedKind.TRADES
            case Channel.BARS:
                kind = MarketFeedKind.TICKER
            case _:
                return None
        return feed_name(kind, self._raw_symbols.get(symbol, symbol.lower()), self._settings.book)

    def _opened(self) -> SfoxApi:
        if self._api is None:
            raise FatalFeedError(f"{VENUE}: the market feed is not open; call open() first")
        return self._api


class MarketStream(SfoxStream):
    """The market stream.

    The venue counts requests (40 a minute for all connections), so what is asked for while another request has to wait
    goes out together: each request says all that differs from what the connection has.

    Parameters
    ----------
    settings : SfoxSettings
        Address, key, limits.
    clock : Clock
        Source of time.
    wanted : dict[str, set[Channel]]
        The feeds asked for; owned by the `SfoxMarketFeed`.
    """

    name = f"{VENUE} market data"

    def __init__(self, settings: SfoxSettings, clock: Clock, wanted: dict[str, set[Channel]]) -> None:
        super().__init__(settings, clock)
        self._wanted = wanted
        self._on: set[str] = set()
        #: Subscribed by a handshake while nothing else is.
        self.fallback: str | None = None
        self.decoder: MarketDecoder | None = None

    async def handshake(self, conn: Handshake) -> None:
        """Log in and restore every subscription; raises as `log_in` and `subscribe`."""
        self._on.clear()
        if self.decoder is not None:
            self.decoder.forget()
        await self.log_in(conn)
        feeds = sorted(self._wanted) or ([self.fallback] if self.fallback is not None else [])
        if feeds:
            await self.subscribe(conn, feeds)
        self._on.update(feeds)

    def needless(self) -> list[str]:
        """Return what the connection is subscribed to and nobody wants (any more)."""
        return sorted(self._on - self._wanted.keys())

    async def outgoing(self, frame: Frame) -> Frame | None:
        """Return the request that makes up for all that has changed; None if it was sent with another one."""
        await ws_limiter(self._settings, self._clock).acquire(EVERY_ROUTE)
        new = sorted(self._wanted.keys() - self._on)
        if new:
            self._on.update(new)
            return subscribe_frame(new)
        needless = self.needless()
        if needless:
            self._on.difference_update(needless)
            return subscribe_frame(needless, on=False)
        return None
