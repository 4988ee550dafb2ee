"""From the frames of the public channels to market messages (protocol, 5.2)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, assert_never

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Book, FundingRate, IndexPrice, MarketMessage, MarkPrice, Quote, Trade
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.market_wire import (
    BookFrame,
    FundingFrame,
    Level,
    Levels,
    MarketFrame,
    OracleFrame,
    TickerFrame,
    TradesFrame,
    decode_frames,
)
from nautilus_orderfeeds.venues.bsx.words import VENUE, FrameType, WireChannel
from nautilus_orderfeeds.venues.instruments import InstrumentSpec

#: An older text of the documentation shows milliseconds: what lies before 1973 as ns is no ns.
_LEAST_NS: Final = 10**17

_TRADE_ID_DIGITS: Final = 32
_MAX_TRADE_ID: Final = 36

#: Funding is paid hourly (protocol, 8).
_FUNDING_INTERVAL_MINS: Final = 60

_EXPECTED: Final = "a frame of a public channel (protocol 5.2)"

SortedLevels = tuple[tuple[Decimal, Decimal], ...]


class MarketDecoder:
    """Decodes public frames; remembers what is needed to drop stale ones and to price market orders."""

    def __init__(self) -> None:
        self._gsn: dict[tuple[WireChannel, str], int] = {}
        self._by_asset: dict[str, set[str]] = {}
        self._symbols: set[str] = set()
        self._quotes: dict[str, tuple[Decimal, Decimal]] = {}
        self._bids: dict[str, dict[Decimal, Decimal]] = {}
        self._asks: dict[str, dict[Decimal, Decimal]] = {}
        self._marks: dict[str, Decimal] = {}

    def use_instruments(self, specs: Iterable[InstrumentSpec]) -> None:
        """Learn which symbols belong to an asset: oracle updates name only that."""
        for spec in specs:
            self._symbols.add(spec.symbol)
            self._by_asset.setdefault(spec.base.upper(), set()).add(spec.symbol)

    def forget(self, channel: WireChannel | None = None, symbol: str | None = None) -> None:
        """Forget what was seen of a channel and symbol (None: of all): what comes next starts anew."""
        if channel is None:
            self._gsn.clear()
            for seen in (self._quotes, self._bids, self._asks, self._marks):
                seen.clear()
            return
        if symbol is None:
            return
        self._gsn.pop((channel, symbol), None)
        match channel:
            case WireChannel.TICKER:
                self._quotes.pop(symbol, None)
            case WireChannel.BOOK:
                self._bids.pop(symbol, None)
                self._asks.pop(symbol, None)
            case WireChannel.ORACLE:
                self._marks.pop(symbol, None)
            case _:
                return

    def best(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return (bid, ask) from the ticker, else from the book, else the mark price for both; None if none."""
        quote = self._quotes.get(symbol)
        if quote is not None:
            return quote
        bids, asks = self._bids.get(symbol), self._asks.get(symbol)
        if bids and asks:
            return max(bids), min(asks)
        mark = self._marks.get(symbol)
        return None if mark is None else (mark, mark)

    def decode(self, raw: bytes) -> list[MarketMessage]:
        """Decode one frame.

        Raises
        ------
        FrameError
            If it is malformed, of an unknown channel, or an error of the venue.
        """
        try:
            frames = decode_frames(raw)
        except wire.DECODE_ERRORS as exc:
            control = wire.decode(wire.CONTROL, raw, f"{_EXPECTED} or a control frame (protocol 5.1; {exc})")
            if control.type in (FrameType.SNAPSHOT, FrameType.UPDATE, FrameType.ERROR):
                raise FrameError(VENUE, raw, f"{_EXPECTED} ({exc})") from None
            return []
        return [message for frame in frames for message in self._read(frame, raw)]

    def _read(self, frame: MarketFrame, raw: bytes) -> list[MarketMessage]:
        match frame.type:
            case FrameType.SNAPSHOT | FrameType.UPDATE:
                if frame.data is None:
                    raise FrameError(VENUE, raw, f"{_EXPECTED} with data")
                try:
                    return self._messages(frame)
                except ValueError as exc:
                    raise FrameError(VENUE, raw, f"{_EXPECTED} ({exc})") from None
            case FrameType.ERROR:
                raise FrameError(VENUE, raw, f"{_EXPECTED}, but the venue refused: {frame.message[:200]!r}")
            case _:
                return []

    def _messages(self, frame: MarketFrame) -> list[MarketMessage]:
        product = wire.check_id("product", frame.product).upper()
        match frame:
            case BookFrame():
                return self._book(frame, product)
            case TickerFrame():
                return self._ticker(frame, product)
            case TradesFrame():
                return self._trade(frame, product)
            case OracleFrame():
                return self._oracle(frame, product)
            case FundingFrame():
                assert frame.data is not None
                wire.check_numbers(frame.data.funding_rate)
                return [
                    FundingRate(
                        symbol=product,
                        rate=frame.data.funding_rate,
                        interval_mins=_FUNDING_INTERVAL_MINS,
                        ts_event=frame.timestamp,
                    )
                ]
            case _ as never:
                assert_never(never)

    def _is_stale(self, channel: WireChannel, symbol: str, gsn: int) -> bool:
        """Note a global sequence number. It has holes, so it shows repetitions and reordering, but no gap."""
        if gsn <= 0:
            return False
        key = (channel, symbol)
        if gsn <= self._gsn.get(key, 0):
            return True
        self._gsn[key] = gsn
        return False

    def _book(self, frame: BookFrame, symbol: str) -> list[MarketMessage]:
        data = frame.data
        assert data is not None
        bids, asks = _levels(data.bids), _levels(data.asks)
        if self._is_stale(WireChannel.BOOK, symbol, data.gsn):
            return []
        is_snapshot = frame.type is FrameType.SNAPSHOT
        self._keep(self._bids, symbol, bids, is_snapshot)
        self._keep(self._asks, symbol, asks, is_snapshot)
        return [
            Book(
                symbol=symbol,
                bids=tuple(sorted(bids.items(), reverse=True)),
                asks=tuple(sorted(asks.items())),
                is_snapshot=is_snapshot,
                sequence=data.gsn,
                ts_event=_nanos(data.timestamp) or _nanos(frame.timestamp),
            )
        ]

    def _keep(
        self, side: dict[str, dict[Decimal, Decimal]], symbol: str, levels: dict[Decimal, Decimal], replace: bool
    ) -> None:
        """Keep one side of the book for `best`."""
        if replace:
            side[symbol] = {px: size for px, size in levels.items() if size}
            return
        kept = side.get(symbol)
        if kept is None:
            return  # changes without a snapshot tell nothing of the best price
        for px, size in levels.items():
            if size:
                kept[px] = size
            else:
                kept.pop(px, None)

    def _ticker(self, frame: TickerFrame, symbol: str) -> list[MarketMessage]:
        data = frame.data
        assert data is not None
        bid, ask = data.bid, data.ask
        wire.check_numbers(bid.price, bid.size, ask.price, ask.size)
        if self._is_stale(WireChannel.TICKER, symbol, data.gsn):
            return []
        if _is_empty(bid) or _is_empty(ask):
            self._quotes.pop(symbol, None)
            return []
        self._quotes[symbol] = (bid.price, ask.price)
        return [
            Quote(
                symbol=symbol,
                bid=bid.price,
                ask=ask.price,
                bid_size=bid.size,
                ask_size=ask.size,
                ts_event=_nanos(data.timestamp) or _nanos(frame.timestamp),
            )
        ]

    def _trade(self, frame: TradesFrame, symbol: str) -> list[MarketMessage]:
        data = frame.data
        assert data is not None
        wire.check_numbers(data.price, data.size)
        if data.price <= 0 or data.size <= 0:
            raise ValueError("price and size of a trade must be positive")
        return [
            Trade(
                symbol=symbol,
                price=data.price,
                size=data.size,
                trade_id=public_trade_id(wire.check_id("trade id", data.id)),
                aggressor_side=_aggressor(data.maker_side),
                ts_event=data.time or frame.timestamp,
            )
        ]

    def _oracle(self, frame: OracleFrame, product: str) -> list[MarketMessage]:
        data = frame.data
        assert data is not None
        wire.check_numbers(data.mark_price, data.index_price)
        if data.mark_price <= 0 or data.index_price <= 0:
            raise ValueError("mark and index price must be positive")
        ts_event = data.timestamp or frame.timestamp
        messages: list[MarketMessage] = []
        for symbol in self._symbols_of(frame.type, product, data.asset.upper()):
            self._marks[symbol] = data.mark_price
            messages.append(MarkPrice(symbol=symbol, price=data.mark_price, ts_event=ts_event))
            messages.append(IndexPrice(symbol=symbol, price=data.index_price, ts_event=ts_event))
        return messages

    def _symbols_of(self, type_: FrameType, product: str, asset: str) -> list[str]:
        """Return the symbols an oracle frame is about: the snapshot names the product, updates only the asset."""
        if type_ is FrameType.SNAPSHOT or product in self._symbols:
            if asset:
                self._by_asset.setdefault(asset, set()).add(product)
            return [product]
        symbols = self._by_asset.get(asset or product)
        if not symbols:
            raise ValueError(f"asset {product[:40]!r} belongs to no instrument in use")
        return sorted(symbols)


def public_trade_id(venue_trade_id: str) -> str:
    """Return the first 32 hex digits of a public trade's id, at most 36 characters of one in another form."""
    if venue_trade_id.startswith("0x"):
        return venue_trade_id[2 : 2 + _TRADE_ID_DIGITS] or venue_trade_id
    return venue_trade_id[:_MAX_TRADE_ID]


def _levels(levels: Levels | None) -> dict[Decimal, Decimal]:
    found: dict[Decimal, Decimal] = {}
    for px, size in levels or ():
        wire.check_numbers(px, size)
        if px <= 0 or size < 0:
            raise ValueError(f"level of {size} at {px}: the price must be positive and the size not negative")
        found[px] = size
    return found


def _is_empty(level: Level) -> bool:
    if level.price < 0 or level.size < 0:
        raise ValueError("price and size must not be negative")
    return not level.price or not level.size


def _aggressor(maker_side: str) -> OrderSide | None:
    match maker_side.lower():
        case "buy":
            return OrderSide.SELL
        case "sell":
            return OrderSide.BUY
        case other:
            raise ValueError(f"maker_side {other[:20]!r} is neither buy nor sell")


def _nanos(timestamp: int) -> int:
    return timestamp if timestamp >= _LEAST_NS else 0
