"""Market data of BSX: subscriptions, the public stream, and what REST knows (protocol, 4.2, 4.10 and 5)."""

import itertools
import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, HandshakeTimeout, TransientFeedError
from nautilus_orderfeeds.feed.market import Book, Channel, FundingRate, MarketMessage
from nautilus_orderfeeds.feed.stream import Frame, Handshake, Stream
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.api import BsxApi
from nautilus_orderfeeds.venues.bsx.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.bsx.control import control_of
from nautilus_orderfeeds.venues.bsx.market_codec import MarketDecoder
from nautilus_orderfeeds.venues.bsx.products import decode_products
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings
from nautilus_orderfeeds.venues.bsx.stream import KEEPALIVE_SECS, PING, verdict_of
from nautilus_orderfeeds.venues.bsx.words import VENUE, FrameType, WireChannel, wire_channel
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.instruments import InstrumentSpec

_log = logging.getLogger(__name__)

#: An installation that leaves a subscription without an answer is not waited for longer.
_SILENCE_SECS: Final = 4.0

_FUNDING_PAGE: Final = 20
_FUNDING_MAX_PAGES: Final = 500

Topic = tuple[WireChannel, str]


class BsxMarketFeed:
    """Implements `venues.base.MarketFeed`.

    Parameters
    ----------
    settings : BsxSettings
        Addresses; credentials are not needed.
    clock : Clock, optional
        Source of time.
    """

    def __init__(self, settings: BsxSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or LiveClock()
        self._api: BsxApi | None = None
        self._decoder = MarketDecoder()
        self._raw_symbols: dict[str, str] = {}
        # What is asked for, by what carries it: mark and index prices share a wire channel.
        self._topics: dict[Topic, set[Channel]] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return CAPABILITIES

    async def open(self) -> None:
        """Check that the venue is there; raises `TransientFeedError` if not, `FatalFeedError` if it refuses us."""
        if self._api is None:
            self._api = BsxApi(self._settings, self._clock)
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
        """Return the venue's listing (``GET /products``); raises `FeedError`."""
        return await self._opened().read("/products", decode_products)

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to serve."""
        self._raw_symbols.update((spec.symbol, spec.raw_symbol) for spec in specs)
        self._decoder.use_instruments(specs)

    def stream(self) -> Stream:
        """Return the public stream; its handshake restores every subscription made so far."""
        return _MarketStream(self._settings.base_url_ws, self._topics, self._raw_symbols, self._decoder)

    def subscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Note a subscription.

        Returns
        -------
        list[bytes]
            The frame to send if connected; none if the wire's channel is on already, or the venue has none.
        """
        carrier = wire_channel(channel)
        if carrier is None:
            return []
        channels = self._topics.setdefault((carrier, symbol), set())
        is_new = not channels
        channels.add(channel)
        return [_request("sub", carrier, self._raw_symbols.get(symbol, symbol))] if is_new else []

    def unsubscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Forget a subscription; return the frame to send if connected and nothing else needs the wire's channel."""
        carrier = wire_channel(channel)
        channels = self._topics.get((carrier, symbol)) if carrier is not None else None
        if carrier is None or channels is None or channel not in channels:
            return []
        channels.discard(channel)
        if channels:
            return []
        del self._topics[carrier, symbol]
        # A later subscription begins with a snapshot that may carry a sequence number already seen.
        self._decoder.forget(carrier, symbol)
        return [_request("unsub", carrier, self._raw_symbols.get(symbol, symbol))]

    def decode(self, raw: bytes) -> list[MarketMessage]:
        """Decode one frame; raises `FrameError`."""
        return self._decoder.decode(raw)

    async def book(self, symbol: str) -> Book | None:
        """Return None: no book over REST is documented."""
        return None

    async def funding_rates(self, symbol: str, start_ns: int, end_ns: int, limit: int) -> list[FundingRate] | None:
        """Read past funding rates (protocol, 4.10).

        Parameters
        ----------
        symbol : str
            Instrument.
        start_ns, end_ns : int
            UNIX ns; 0 for open.
        limit : int
            Return at most so many, the latest; 0 for all.

        Returns
        -------
        list[FundingRate]
            Oldest first.

        Raises
        ------
        FeedError
            If they could not be read.
        """
        path = f"/products/{quote(self._raw_symbols.get(symbol, symbol), safe='')}/funding-rate"
        rates: dict[int, Decimal] = {}
        for page in itertools.count(1):
            query = {"limit": str(_FUNDING_PAGE), "page": str(page)}
            if start_ns > 0:
                query["from"] = str(start_ns)
            if end_ns > 0:
                query["to"] = str(end_ns)
            items = await self._opened().read(path, _decode_funding, query)
            before = len(rates)
            rates.update((item.time, item.rate) for item in items)
            # A page that brings nothing new: the venue does not page.
            if len(items) < _FUNDING_PAGE or len(rates) == before or page == _FUNDING_MAX_PAGES:
                break
        wanted = [
            FundingRate(symbol=symbol, rate=rate, interval_mins=60, ts_event=time)
            for time, rate in sorted(rates.items())
            if time >= start_ns and (end_ns <= 0 or time <= end_ns)
        ]
        return wanted[-limit:] if limit > 0 else wanted

    def reference_price(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return the best (bid, ask) last seen on the stream: by ticker, else book, else the mark price for both."""
        return self._decoder.best(symbol)

    def _opened(self) -> BsxApi:
        if self._api is None:
            raise FatalFeedError(f"{VENUE}: the market feed is not open; call open() first")
        return self._api


class _Unsupported(TransientFeedError):
    """The venue has no such channel or product."""


class _MarketStream(Stream):
    name = f"{VENUE} market data"
    keepalive_secs = KEEPALIVE_SECS

    def __init__(
        self, url: str, topics: dict[Topic, set[Channel]], raw_symbols: dict[str, str], decoder: MarketDecoder
    ) -> None:
        self._url = url
        self._topics = topics
        self._raw_symbols = raw_symbols
        self._decoder = decoder
        self._worked = False

    def url(self) -> str:
        return self._url

    async def handshake(self, conn: Handshake) -> None:
        """Subscribe to everything, one after the other: an error does not say which product it is about."""
        self._decoder.forget()
        for channel, symbol in list(self._topics):
            product = self._raw_symbols.get(symbol, symbol)
            await conn.send(_request("sub", channel, product))
            try:
                # Kept: the answer may be the first data.
                await conn.expect(_answers(channel, product), _SILENCE_SECS, keep=True)
            except HandshakeTimeout:
                _log.warning("%s: the subscription to %s of %s stays without an answer", VENUE, channel.value, symbol)
            except _Unsupported as refusal:
                _log.error("%s: no %s of %s: %s", VENUE, channel.value, symbol, refusal)
        self._worked = True

    def probe(self) -> Frame:
        return PING

    def classify(self, exc: Exception) -> FatalFeedError | TransientFeedError:
        return verdict_of(exc, worked=self._worked)

    def recordable(self, frame: bytes) -> bool:
        return True


def _answers(channel: WireChannel, product: str) -> Callable[[bytes], bool]:
    def predicate(frame: bytes) -> bool:
        control = control_of(frame)
        if control is None or control.channel != channel.value:
            return False
        if control.type in (FrameType.SNAPSHOT, FrameType.UPDATE):
            return control.product.upper() == product.upper()
        if control.type is FrameType.ERROR:  # it names no product
            raise _Unsupported(control.message[:200])
        # What an acknowledgement names is not always what was asked for (protocol, 5.1).
        return control.type is FrameType.SUBSCRIBED

    return predicate


def _request(op: str, channel: WireChannel, product: str) -> bytes:
    return wire.encode({"op": op, "channel": channel.value, "product": product})


def _decode_funding(body: bytes) -> list[wire.FundingItem]:
    items = wire.decode(wire.FUNDING_HISTORY, body, "past funding rates (protocol 4.10)").items or []
    for item in items:
        wire.check_numbers(item.rate)
    return items
