"""Quotes from the companion price stream (protocol, 9).

It is another service than the one that takes orders, with an address of its own, and nothing says that both show one
price. It is optional: without it the framework has no quotes of the venue.
"""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Book, Channel, FundingRate, MarketMessage, Quote
from nautilus_orderfeeds.feed.stream import Frame, Handshake, Stream
from nautilus_orderfeeds.orders.decimals import check_sane
from nautilus_orderfeeds.venues.acttrader import wire
from nautilus_orderfeeds.venues.acttrader.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.acttrader.settings import TickerSettings, check_url
from nautilus_orderfeeds.venues.acttrader.times import parse_time
from nautilus_orderfeeds.venues.acttrader.words import VENUE
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.decoding import decode
from nautilus_orderfeeds.venues.instruments import InstrumentSpec

_log = logging.getLogger(__name__)

_HEARTBEAT: Final = b"heartbeat"
_TICKER: Final = "ticker"
_EXPECTED: Final = "a price tick (protocol 9)"


class ActTraderMarketFeed:
    """Implements `venues.base.MarketFeed`.

    Parameters
    ----------
    settings : TickerSettings
        Address of the stream.
    """

    def __init__(self, settings: TickerSettings) -> None:
        self._settings = settings
        self._symbols: dict[str, str] = {}
        self._raw_symbols: dict[str, str] = {}
        self._subscribed: dict[str, None] = {}
        self._best: dict[str, tuple[Decimal, Decimal]] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return CAPABILITIES

    async def open(self) -> None:
        """Check the address; raises `FatalFeedError`."""
        check_url(self._settings.base_url_ws)

    async def close(self) -> None:
        """Do nothing: there is no connection but the stream's."""

    async def instruments(self) -> list[InstrumentSpec]:
        """Return nothing: they come from the `instruments` file."""
        return []

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to serve."""
        for spec in specs:
            self._symbols[spec.raw_symbol] = spec.symbol
            self._raw_symbols[spec.symbol] = spec.raw_symbol

    def stream(self) -> Stream:
        """Return the price stream; its handshake restores every subscription made so far."""
        return _TickerStream(self._settings.base_url_ws, self)

    def subscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Note a subscription; return the frame to send if connected."""
        if channel is not Channel.QUOTES or symbol in self._subscribed:
            return []
        self._subscribed[symbol] = None
        return [self._request("subscribe", [symbol])]

    def unsubscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Forget a subscription; return the frame to send if connected."""
        if channel is not Channel.QUOTES or symbol not in self._subscribed:
            return []
        del self._subscribed[symbol]
        self._best.pop(symbol, None)
        return [self._request("unsubscribe", [symbol])]

    def subscriptions(self) -> list[bytes]:
        """Return the frames that restore what is subscribed."""
        return [self._request("subscribe", list(self._subscribed))] if self._subscribed else []

    def decode(self, raw: bytes) -> list[MarketMessage]:
        """Decode one frame: ticks in either shape, a heartbeat, or an event of another kind, which is no quote.

        Raises
        ------
        FrameError
            If it is malformed. Of a frame with some unreadable ticks the others are returned.
        """
        if raw.strip() == _HEARTBEAT:
            return []
        frame = decode(VENUE, wire.TICK_FRAME, raw, _EXPECTED)
        if _TICKER not in (frame.event, frame.m):
            return []
        quotes: list[MarketMessage] = []
        ticks = frame.payload or frame.d
        for tick in ticks:
            try:
                quotes.append(self._quote(wire.TICK.decode(tick)))
            except (*wire.DECODE_ERRORS, ValueError) as exc:
                if len(ticks) == 1:
                    raise FrameError(VENUE, raw, f"{_EXPECTED} ({exc})") from None
                _log.error("%s: unreadable tick: %s", VENUE, exc)
        return quotes

    def _quote(self, tick: wire.Tick) -> Quote:
        check_sane(tick.bid, tick.ask)
        if tick.bid <= 0 or tick.ask <= 0:
            raise ValueError(f"bid {tick.bid} and ask {tick.ask} must be positive")
        symbol = self._symbols.get(tick.m, tick.m.upper())
        self._best[symbol] = (tick.bid, tick.ask)
        size = self._settings.quote_size
        return Quote(
            symbol=symbol, bid=tick.bid, ask=tick.ask, bid_size=size, ask_size=size, ts_event=parse_time(tick.time)
        )

    async def book(self, symbol: str) -> Book | None:
        """Return None: there is none."""
        return None

    async def funding_rates(self, symbol: str, start_ns: int, end_ns: int, limit: int) -> list[FundingRate] | None:
        """Return None: there are none."""
        return None

    def reference_price(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return the best (bid, ask) last seen on the stream."""
        return self._best.get(symbol)

    def _request(self, verb: str, symbols: Sequence[str]) -> bytes:
        return msgspec.json.encode({"m": verb, "p": [self._raw_symbols.get(symbol, symbol) for symbol in symbols]})


class _TickerStream(Stream):
    name = f"{VENUE} prices"

    def __init__(self, url: str, feed: ActTraderMarketFeed) -> None:
        self._url = url
        self._feed = feed

    def url(self) -> str:
        return self._url

    async def handshake(self, conn: Handshake) -> None:
        """Subscribe to everything; no confirmation is documented, so none is waited for."""
        for frame in self._feed.subscriptions():
            await conn.send(frame)

    def answer(self, frame: bytes) -> Frame | None:
        """Echo a heartbeat, as the one published client that shows what it does with them (protocol, 9)."""
        return _HEARTBEAT if frame.strip() == _HEARTBEAT else None

    def recordable(self, frame: bytes) -> bool:
        return True
