"""Market messages as the framework's own data types, with one instrument's precisions."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from nautilus_trader.model.data import (
    Bar,
    BarType,
    BookOrder,
    FundingRateUpdate,
    IndexPriceUpdate,
    MarkPriceUpdate,
    OrderBookDelta,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide, RecordFlag
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Price, Quantity

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.feed.market import (
    Book,
    Candle,
    FundingRate,
    IndexPrice,
    MarketMessage,
    MarkPrice,
    Quote,
    Trade,
)
from nautilus_orderfeeds.orders import words

_SNAPSHOT = int(RecordFlag.F_SNAPSHOT)
_LAST = int(RecordFlag.F_LAST)
_DEPTH = 10
_AGGRESSOR = {
    None: AggressorSide.NO_AGGRESSOR,
    words.OrderSide.BUY: AggressorSide.BUYER,
    words.OrderSide.SELL: AggressorSide.SELLER,
}


class TickMaker:
    """Makes framework data for one instrument."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._id = instrument.id
        self._px_places: int = instrument.price_precision
        self._size_places: int = instrument.size_precision
        #: What is wanted of the book.
        self.deltas_wanted = False
        self.depth_wanted = False
        #: Bar types wanted, by their specification (``"1-DAY-LAST"``).
        self.bars_wanted: dict[str, BarType] = {}
        #: Whether bars are told before they are over.
        self.revised_bars = False
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def want_all(self, bars: Iterable[str]) -> None:
        """Want book deltas, and final bars of these specifications (recordings: depth follows from the deltas)."""
        self.deltas_wanted = True
        self.bars_wanted = {spec: BarType.from_str(f"{self._id}-{spec}-EXTERNAL") for spec in bars}

    def _px(self, value: Decimal) -> Price:
        return convert.price(value, self._px_places)

    def _size(self, value: Decimal | None) -> Quantity:
        if value is None:  # the venue does not say: one lot stands for "some"
            return self._instrument.size_increment
        return convert.quantity(value, self._size_places)

    def make(self, message: MarketMessage, ts_init: int) -> list[Any]:
        """Return the framework data of a message, possibly none.

        Raises
        ------
        ValueError
            If the framework refuses the values.
        """
        ts_event = message.ts_event or ts_init
        match message:
            case Quote():
                # The framework refuses a quote whose two sides differ in precision.
                bid, ask = self._px(message.bid), self._px(message.ask)
                if bid.precision != ask.precision:
                    finer = max(bid.precision, ask.precision)
                    bid, ask = convert.price(message.bid, finer), convert.price(message.ask, finer)
                bid_size, ask_size = self._size(message.bid_size), self._size(message.ask_size)
                if bid_size.precision != ask_size.precision:
                    finer = max(bid_size.precision, ask_size.precision)
                    bid_size, ask_size = (convert.quantity(qty.as_decimal(), finer) for qty in (bid_size, ask_size))
                return [QuoteTick(self._id, bid, ask, bid_size, ask_size, ts_event, ts_init)]
            case Trade():
                aggressor = _AGGRESSOR[message.aggressor_side]
                size = self._size(message.size)
                trade_id = TradeId(message.trade_id)
                return [TradeTick(self._id, self._px(message.price), size, aggressor, trade_id, ts_event, ts_init)]
            case Book():
                return self._book(message, ts_init)
            case MarkPrice():
                return [MarkPriceUpdate(self._id, self._px(message.price), ts_event, ts_init)]
            case IndexPrice():
                return [IndexPriceUpdate(self._id, self._px(message.price), ts_event, ts_init)]
            case FundingRate():
                return [self.funding_rate(message, ts_init)]
            case Candle():
                return self._bar(message, ts_event, ts_init)

    def _bar(self, candle: Candle, ts_event: int, ts_init: int) -> list[Any]:
        bar_type = self.bars_wanted.get(candle.period)
        if bar_type is None or not (candle.is_final or self.revised_bars):
            return []
        volume = self._size(candle.volume)
        prices = (self._px(candle.open), self._px(candle.high), self._px(candle.low), self._px(candle.close))
        return [Bar(bar_type, *prices, volume, ts_event, ts_init, is_revision=not candle.is_final)]

    def _book(self, book: Book, ts_init: int) -> list[Any]:
        made: list[Any] = []
        if self.deltas_wanted and (book.is_snapshot or book.bids or book.asks):
            made.append(self.deltas(book, ts_init))
        if self.depth_wanted:
            self._remember(book)
            depth = self.depth(book, ts_init)
            if depth is not None:
                made.append(depth)
        return made

    def funding_rate(self, message: FundingRate, ts_init: int) -> FundingRateUpdate:
        """Return a funding rate."""
        return FundingRateUpdate(
            instrument_id=self._id,
            rate=message.rate,
            interval=message.interval_mins,
            next_funding_ns=message.next_funding_ns or None,
            ts_event=message.ts_event or ts_init,
            ts_init=ts_init,
        )

    def deltas(self, book: Book, ts_init: int) -> OrderBookDeltas:
        """Return the deltas of a book message; the last one ends the event, a snapshot starts with a CLEAR.

        `OrderBookDelta.clear` sets no flags in 1.231, so the CLEAR is made by hand (guide, section 9).
        """
        ts_event = book.ts_event or ts_init
        levels = [(OrderSide.BUY, px, size) for px, size in book.bids]
        levels += [(OrderSide.SELL, px, size) for px, size in book.asks]
        flags = _SNAPSHOT if book.is_snapshot else 0
        deltas: list[OrderBookDelta] = []
        if book.is_snapshot:
            clear = _SNAPSHOT | (0 if levels else _LAST)
            deltas.append(OrderBookDelta(self._id, BookAction.CLEAR, None, clear, book.sequence, ts_event, ts_init))
        for n, (side, px, size) in enumerate(levels, 1):
            present = BookAction.ADD if book.is_snapshot else BookAction.UPDATE
            action = present if size else BookAction.DELETE
            order = BookOrder(side, self._px(px), self._size(size), 0)
            last = _LAST if n == len(levels) else 0
            deltas.append(OrderBookDelta(self._id, action, order, flags | last, book.sequence, ts_event, ts_init))
        return OrderBookDeltas(self._id, deltas)

    def _remember(self, book: Book) -> None:
        if book.is_snapshot:
            self._bids.clear()
            self._asks.clear()
        for side, levels in ((self._bids, book.bids), (self._asks, book.asks)):
            for px, size in levels:
                if size == 0:
                    side.pop(px, None)
                else:
                    side[px] = size

    def depth(self, book: Book, ts_init: int) -> OrderBookDepth10 | None:
        """Return the best ten levels of either side; None while a side is empty.

        Both sides are padded to equal length with empty levels: unequal ones are refused (guide, section 9).
        """
        bids = sorted(self._bids.items(), reverse=True)[:_DEPTH]
        asks = sorted(self._asks.items())[:_DEPTH]
        if not bids or not asks:
            return None
        n = min(len(bids), len(asks))
        bid_orders = [BookOrder(OrderSide.BUY, self._px(px), self._size(size), 0) for px, size in bids[:n]]
        ask_orders = [BookOrder(OrderSide.SELL, self._px(px), self._size(size), 0) for px, size in asks[:n]]
        return OrderBookDepth10(
            self._id,
            bid_orders,
            ask_orders,
            [1] * n,
            [1] * n,
            _LAST,
            book.sequence,
            book.ts_event or ts_init,
            ts_init,
        )
