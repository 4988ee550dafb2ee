"""From the frames of the market-data channels to market messages (protocol, 5.5)."""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, assert_never

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Book, FundingRate, IndexPrice, MarketMessage, MarkPrice, Quote, Trade
from nautilus_orderfeeds.venues.decoding import check_id, decode
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.settings import DepthReading
from nautilus_orderfeeds.venues.roxom.units import in_btc
from nautilus_orderfeeds.venues.roxom.words import SIDES, VENUE, WireChannel, WireSide

_EXPECTED: Final = "market data (protocol 5.5)"
_SNAPSHOT: Final = "snapshot"
_DELTA: Final = "delta"
_TRADE_ID_DIGITS: Final = 32

#: Funding is paid three times a day (protocol, 6).
_FUNDING_INTERVAL_MINS: Final = 480

_Levels = dict[Decimal, Decimal]


class _Level1(Struct):
    bid: list[Decimal] | None = None
    ask: list[Decimal] | None = None
    timestamp: wire.Instant = 0


class _Trade(Struct, rename="camel"):
    taker_side: WireSide
    volume: Decimal
    vwap: Decimal
    min_px: Decimal | None = None
    max_px: Decimal | None = None
    timestamp: wire.Instant = 0


class _Depth(Struct):
    bid: list[wire.Level] | None = None
    ask: list[wire.Level] | None = None
    timestamp: wire.Instant = 0


class _Ticker(Struct, rename="camel"):
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    funding_rate: Decimal | None = None
    timestamp: wire.Instant = 0
    unit: str = ""


class _RestLevel(Struct):
    price: Decimal
    size: Decimal


class _RestBook(Struct):
    buys: list[_RestLevel]
    sells: list[_RestLevel]


_level1: Final = msgspec.json.Decoder(_Level1)
_trade: Final = msgspec.json.Decoder(_Trade)
_depth: Final = msgspec.json.Decoder(_Depth)
_ticker: Final = msgspec.json.Decoder(_Ticker)
_rest_book: Final = msgspec.json.Decoder(wire.Reply[_RestBook])


class MarketDecoder:
    """Decodes public frames.

    Parameters
    ----------
    depth_reading : DepthReading
        What the quantities of depth deltas mean.
    """

    def __init__(self, depth_reading: DepthReading) -> None:
        self._depth_reading = depth_reading
        self._quotes: dict[str, tuple[Decimal, Decimal]] = {}
        self._books: dict[str, tuple[_Levels, _Levels]] = {}
        #: Symbols for which the best prices stand in for a book.
        self.books_of_one_level: set[str] = set()

    def forget(self, symbol: str | None = None) -> None:
        """Forget what was seen of a symbol (None: of all): what comes next starts anew."""
        if symbol is None:
            self._quotes.clear()
            self._books.clear()
            return
        self._quotes.pop(symbol, None)
        self._books.pop(symbol, None)

    def best(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return the best (bid, ask) last seen, by level1 or the book; None if none was."""
        quote = self._quotes.get(symbol)
        if quote is not None:
            return quote
        bids, asks = self._books.get(symbol, ({}, {}))
        return (max(bids), min(asks)) if bids and asks else None

    def decode(self, raw: bytes) -> list[MarketMessage]:
        """Decode one frame.

        Raises
        ------
        FrameError
            If it is malformed, of an unknown channel, or an error of the venue.
        """
        envelope = decode(VENUE, wire.ENVELOPE, raw, f"{_EXPECTED} or a control frame")
        if envelope.event is not None:
            if envelope.event == "error":
                raise FrameError(VENUE, raw, f"{_EXPECTED}, but the venue refused")
            return []
        if envelope.topic is None:
            if envelope.type is not None:
                return []  # account events come to every connection of the account
            raise FrameError(VENUE, raw, f"{_EXPECTED} with a topic")
        word, _, symbol = envelope.topic.partition(".")
        try:
            channel = WireChannel(word)
            symbol = check_id("symbol", symbol).upper()
            return self._messages(channel, symbol, envelope, raw)
        except ValueError as exc:
            raise FrameError(VENUE, raw, f"{_EXPECTED} ({exc})") from None

    def _messages(self, channel: WireChannel, symbol: str, envelope: wire.Envelope, raw: bytes) -> list[MarketMessage]:
        data, created = bytes(envelope.data), envelope.created_time
        match channel:
            case WireChannel.LEVEL1:
                return self._level1(symbol, decode(VENUE, _level1, data, f"level1 ({_EXPECTED})"), created)
            case WireChannel.TRADE:
                return [_aggregate(symbol, decode(VENUE, _trade, data, f"trade ({_EXPECTED})"), created)]
            case WireChannel.DEPTH:
                return self._depth(symbol, envelope, raw)
            case WireChannel.TICKER:
                return _prices(symbol, decode(VENUE, _ticker, data, f"ticker ({_EXPECTED})"), created)
            case WireChannel.ORDERS | WireChannel.BALANCE | WireChannel.POSITIONS | WireChannel.ACCOUNT:
                return []
            case _ as never:
                assert_never(never)

    def _level1(self, symbol: str, data: _Level1, created: int) -> list[MarketMessage]:
        bid, ask = _side(data.bid), _side(data.ask)
        ts_event = data.timestamp or created
        messages: list[MarketMessage] = []
        if symbol in self.books_of_one_level:
            messages.append(
                Book(
                    symbol=symbol,
                    bids=() if bid is None else (bid,),
                    asks=() if ask is None else (ask,),
                    is_snapshot=True,
                    ts_event=ts_event,
                )
            )
        if bid is None or ask is None:
            self._quotes.pop(symbol, None)
            return messages
        self._quotes[symbol] = (bid[0], ask[0])
        quote = Quote(symbol=symbol, bid=bid[0], ask=ask[0], bid_size=bid[1], ask_size=ask[1], ts_event=ts_event)
        return [quote, *messages]

    def _depth(self, symbol: str, envelope: wire.Envelope, raw: bytes) -> list[MarketMessage]:
        data = decode(VENUE, _depth, bytes(envelope.data), f"depth ({_EXPECTED})")
        bids, asks = _pairs(data.bid), _pairs(data.ask)
        ts_event = data.timestamp or envelope.created_time
        if self._depth_reading is DepthReading.LEVEL1:
            return []
        if envelope.type == _SNAPSHOT:
            levels = tuple({px: size for px, size in side if size > 0} for side in (bids, asks))
            self._books[symbol] = (levels[0], levels[1])
            return [_book(symbol, levels[0], levels[1], is_snapshot=True, ts_event=ts_event)]
        if envelope.type != _DELTA:
            raise FrameError(VENUE, raw, f"{_EXPECTED} of type snapshot or delta")
        book = self._books.get(symbol)
        if book is None:
            return []  # changes of what is not known tell nothing
        changed = [self._change(kept, side) for kept, side in zip(book, (bids, asks), strict=True)]
        return [_book(symbol, changed[0], changed[1], is_snapshot=False, ts_event=ts_event)]

    def _change(self, kept: _Levels, told: list[tuple[Decimal, Decimal]]) -> _Levels:
        """Apply one side of a delta; return the changed levels with their new sizes, zero for those that are gone."""
        changed: _Levels = {}
        for px, qty in told:
            size = kept.get(px, Decimal(0)) + qty if self._depth_reading is DepthReading.SIGNED else qty
            if size > 0:
                kept[px] = size
            elif kept.pop(px, None) is None:
                continue
            changed[px] = max(size, Decimal(0))
        return changed


def decode_book(body: bytes, symbol: str) -> Book:
    """Read the answer to ``GET /orderbook/snapshot``; raises `FrameError`, or `ValueError` for a number."""
    told = decode(VENUE, _rest_book, body, "a book (protocol 4.9)").data
    sides = []
    for rows in (told.buys, told.sells):
        levels = _pairs([(row.price, row.size) for row in rows])
        sides.append({px: size for px, size in levels if size > 0})
    return _book(symbol, sides[0], sides[1], is_snapshot=True, ts_event=0)


def _book(symbol: str, bids: _Levels, asks: _Levels, *, is_snapshot: bool, ts_event: int) -> Book:
    return Book(
        symbol=symbol,
        bids=tuple(sorted(bids.items(), reverse=True)),
        asks=tuple(sorted(asks.items())),
        is_snapshot=is_snapshot,
        ts_event=ts_event,
    )


def _aggregate(symbol: str, data: _Trade, created: int) -> Trade:
    """Return what one update aggregates as one trade at its average price; it has no id, so its content is one."""
    wire.check_numbers(data.volume, data.vwap, data.min_px, data.max_px)
    if data.volume <= 0 or data.vwap <= 0:
        raise ValueError("volume and vwap of a trade must be positive")
    ts_event = data.timestamp or created
    content = f"{symbol}|{data.taker_side.value}|{data.volume}|{data.vwap}|{data.min_px}|{data.max_px}|{ts_event}"
    return Trade(
        symbol=symbol,
        price=data.vwap,
        size=data.volume,
        trade_id=hashlib.sha256(content.encode()).hexdigest()[:_TRADE_ID_DIGITS],
        aggressor_side=SIDES[data.taker_side],
        ts_event=ts_event,
    )


def _prices(symbol: str, data: _Ticker, created: int) -> list[MarketMessage]:
    """Return what a ticker tells; every value may be null."""
    mark, index = in_btc(data.mark_price, data.unit), in_btc(data.index_price, data.unit)
    wire.check_numbers(mark, index, data.funding_rate)
    ts_event = data.timestamp or created
    messages: list[MarketMessage] = []
    if mark is not None and mark > 0:
        messages.append(MarkPrice(symbol=symbol, price=mark, ts_event=ts_event))
    if index is not None and index > 0:
        messages.append(IndexPrice(symbol=symbol, price=index, ts_event=ts_event))
    if data.funding_rate is not None:
        messages.append(
            FundingRate(symbol=symbol, rate=data.funding_rate, interval_mins=_FUNDING_INTERVAL_MINS, ts_event=ts_event)
        )
    return messages


def _side(told: list[Decimal] | None) -> wire.Level | None:
    """Return best price and size of a side; None if it is empty, however that is written."""
    if not told:
        return None
    wire.check_numbers(*told)
    if len(told) != 2 or told[0] < 0 or told[1] < 0:
        raise ValueError("a side of level1 is a price and a quantity, neither negative")
    return (told[0], told[1]) if told[0] and told[1] else None


def _pairs(levels: Iterable[wire.Level] | None) -> list[wire.Level]:
    found = list(levels or ())
    for px, qty in found:
        wire.check_numbers(px, qty)
        if px <= 0:
            raise ValueError(f"level of {qty} at {px}: the price must be positive")
    return found
