"""From the frames of the market feeds to market messages (protocol, 8.6 and 12.4)."""

import hashlib
import logging
from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum, unique
from typing import Final, assert_never

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Book, Candle, MarketMessage, Quote, Trade
from nautilus_orderfeeds.orders.decimals import ZERO, check_sane
from nautilus_orderfeeds.venues.base import Gap
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.sfox import market_wire, wire
from nautilus_orderfeeds.venues.sfox.capabilities import DAY
from nautilus_orderfeeds.venues.sfox.frames import error_text, is_error
from nautilus_orderfeeds.venues.sfox.settings import BookKind, CrossedBooks
from nautilus_orderfeeds.venues.sfox.words import VENUE, side_of
from nautilus_orderfeeds.venues.times import parse_iso

_log = logging.getLogger(__name__)

_EXPECTED: Final = "a frame of a market feed (protocol 8.6)"
_NS_PER_MS: Final = 1_000_000
_DAY_NS: Final = 86_400_000_000_000
_MAX_TRADE_ID: Final = 36

SortedLevels = tuple[tuple[Decimal, Decimal], ...]


@unique
class MarketFeedKind(Enum):
    """What a market feed tells; its full name has the pair behind it."""

    BOOK = "orderbook"
    TRADES = "trades.sfox"
    TICKER = "ticker.sfox"


def feed_name(kind: MarketFeedKind, pair: str, book: BookKind) -> str:
    """Return the full name of a feed."""
    return f"{kind.value}.{book.value}.{pair}" if kind is MarketFeedKind.BOOK else f"{kind.value}.{pair}"


class MarketDecoder:
    """Decodes market frames; remembers the best prices, and the day of each ticker.

    Parameters
    ----------
    book : BookKind
        Which book is subscribed.
    crossed_books : CrossedBooks
        What becomes of a crossed one.
    on_error : Callable[[str], object]
        Told of an error of the venue, before it is decoded as a `Gap`.
    """

    def __init__(self, book: BookKind, crossed_books: CrossedBooks, on_error: Callable[[str], object]) -> None:
        self._book = book
        self._crossed_books = crossed_books
        self._on_error = on_error
        self._best: dict[str, Quote] = {}
        self._days: dict[str, Candle] = {}
        self._warned: set[str] = set()
        #: Crossed books that were dropped.
        self.crossed = 0

    def forget(self) -> None:
        """Forget the best prices: a new connection begins."""
        self._best.clear()

    def best(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return the best (bid, ask) of the last book; None if there was none."""
        quote = self._best.get(symbol)
        return None if quote is None else (quote.bid, quote.ask)

    def decode(self, raw: bytes) -> list[MarketMessage | Gap]:
        """Decode one frame.

        Returns
        -------
        list[MarketMessage or Gap]
            A `Gap` for an error of the venue: a subscription may be gone.

        Raises
        ------
        FrameError
            If it is malformed or of an unknown feed.
        """
        head = wire.decode(wire.HEAD, raw, _EXPECTED)
        if head.recipient is None:
            if not is_error(head):
                return []
            said = error_text(head)
            self._on_error(said)
            return [Gap(f"error of the venue: {said}")]
        # The payload's own pair may be another one (protocol, 8.6).
        name, _, pair = head.recipient.rpartition(".")
        payload = wire.payload_of(head, raw)
        try:
            symbol = check_id("pair", pair).upper()
            match name:
                case MarketFeedKind.TRADES.value:
                    return [*_trades(payload, symbol, wire.frame_ns(head))]
                case MarketFeedKind.TICKER.value:
                    return [*self._ticker(payload, symbol, wire.frame_ns(head))]
                case _ if name == f"{MarketFeedKind.BOOK.value}.{self._book.value}":
                    return [*self._levels(payload, symbol, head)]
        except (*wire.DECODE_ERRORS, ValueError) as exc:
            raise FrameError(VENUE, raw, f"{_EXPECTED} ({exc})") from None
        raise FrameError(VENUE, raw, f"{_EXPECTED}, not of {head.recipient[:60]!r}")

    def _levels(self, payload: bytes, symbol: str, head: wire.Head) -> Iterable[MarketMessage]:
        book = book_of(payload, symbol, sequence=head.sequence or 0, ts_event=wire.frame_ns(head))
        if is_crossed(book):
            match self._crossed_books:
                case CrossedBooks.DROP:
                    self._drop(symbol)
                    return
                case CrossedBooks.PASS:
                    pass
                case _ as never:
                    assert_never(never)
        yield book
        if not book.bids or not book.asks:
            self._best.pop(symbol, None)
            return
        (bid, bid_size), (ask, ask_size) = book.bids[0], book.asks[0]
        before = self._best.get(symbol)
        quote = Quote(symbol=symbol, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size, ts_event=book.ts_event)
        self._best[symbol] = quote
        if before is None or (before.bid, before.bid_size, before.ask, before.ask_size) != (
            bid,
            bid_size,
            ask,
            ask_size,
        ):
            yield quote

    def _drop(self, symbol: str) -> None:
        self.crossed += 1
        if symbol not in self._warned:
            self._warned.add(symbol)
            _log.warning(
                "%s: crossed books of %s are dropped; set crossed_books=%r to get them",
                VENUE,
                symbol,
                CrossedBooks.PASS.value,
            )

    def _ticker(self, payload: bytes, symbol: str, ts_event: int) -> Iterable[MarketMessage]:
        """Tell the day so far; and once the day is over, that of the day before for good."""
        told = market_wire.TICKER.decode(payload)
        check_sane(told.open, told.high, told.low, told.last, told.volume)
        close_ns = (ts_event // _DAY_NS + 1) * _DAY_NS
        before = self._days.get(symbol)
        if before is not None and before.ts_event > close_ns:
            return  # late, of a day that is over
        if before is not None and before.ts_event < close_ns:
            yield Candle(
                symbol=symbol,
                period=DAY,
                open=before.open,
                high=before.high,
                low=before.low,
                close=before.close,
                volume=before.volume,
                is_final=True,
                ts_event=before.ts_event,
            )
        day = self._days[symbol] = Candle(
            symbol=symbol,
            period=DAY,
            open=told.open,
            high=told.high,
            low=told.low,
            close=told.last,
            volume=told.volume,
            is_final=False,
            ts_event=close_ns,
        )
        yield day


def book_of(payload: bytes, symbol: str, *, sequence: int = 0, ts_event: int = 0) -> Book:
    """Read a whole book: sorted, and the rows of each price summed.

    Parameters
    ----------
    payload : bytes
        The feed's payload, or the answer to ``GET /v1/markets/orderbook/:pair``.
    symbol : str
        The instrument's.
    sequence : int
        The frame's number.
    ts_event : int
        UNIX ns; 0: the book's own time.

    Raises
    ------
    msgspec.MsgspecError or ValueError
        If it is none.
    """
    told = market_wire.BOOK.decode(payload)
    published_ms = told.lastpublished or told.lastupdated or 0
    return Book(
        symbol=symbol,
        bids=_summed(told.bids, reverse=True),
        asks=_summed(told.asks, reverse=False),
        is_snapshot=True,
        sequence=sequence,
        ts_event=ts_event or published_ms * _NS_PER_MS,
    )


def is_crossed(book: Book) -> bool:
    """Whether the best bid is not below the best ask."""
    return bool(book.bids and book.asks and book.bids[0][0] >= book.asks[0][0])


def public_trade_id(exchange: str, venue_trade_id: str) -> str:
    """Return the id of a public trade: unique with its exchange only, and at most 36 characters."""
    text = f"{exchange}-{venue_trade_id}" if exchange else venue_trade_id
    return text if len(text) <= _MAX_TRADE_ID else hashlib.sha256(text.encode()).hexdigest()[:32]


def _summed(levels: Iterable[market_wire.Level] | None, *, reverse: bool) -> SortedLevels:
    found: dict[Decimal, Decimal] = {}
    for level in levels or ():
        check_sane(level.price, level.size)
        if level.price <= 0 or level.size < 0:
            raise ValueError(
                f"level of {level.size} at {level.price}: the price must be positive, the size not negative"
            )
        if level.size:
            found[level.price] = found.get(level.price, ZERO) + level.size
    return tuple(sorted(found.items(), reverse=reverse))


def _trades(payload: bytes, symbol: str, ts_event: int) -> Iterable[MarketMessage]:
    told = market_wire.TRADE.decode(payload)
    if told.is_decimal is not True:
        return
    check_sane(told.price, told.quantity)
    if told.price <= 0 or told.quantity <= 0:
        raise ValueError(f"trade of {told.quantity} at {told.price}: both must be positive")
    check_id("trade id", told.id)
    if told.exchange:
        check_id("exchange", told.exchange)
    yield Trade(
        symbol=symbol,
        price=told.price,
        size=told.quantity,
        trade_id=public_trade_id(told.exchange, told.id),
        aggressor_side=side_of(told.side),
        ts_event=parse_iso(told.timestamp) or ts_event,
    )
