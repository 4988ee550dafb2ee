"""The market data channels of the simulated Roxom's stream (protocol 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Levels, Market
from nautilus_orderfeeds.sim.model import ZERO, Batch, LevelChanged, MarkChanged, Side, TradePrinted
from nautilus_orderfeeds.venues.roxom.twin_options import DepthDelta, EmptySide, RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_products import Unit, quantity_text
from nautilus_orderfeeds.venues.roxom.twin_words import MarketChannel, side_word

_price = Unit.BTC.price
_Book = dict[Side, dict[Decimal, Decimal]]


class MarketData:
    """
    Publishes level 1, trades, depth and tickers to whoever subscribed.

    Depth is told as it was published last plus what changed since, so that one who subscribes in between
    adds up the same book as all others, also with deltas that are changes.
    """

    def __init__(
        self,
        clock: SimClock,
        market: Market,
        connections: Callable[[], list[Connection]],
        options: RoxomTwinOptions,
        later: Later,
    ) -> None:
        self._clock = clock
        self._market = market
        self._connections = connections
        self._options = options
        self._later = later
        self._published: dict[str, _Book] = {}
        self._tops: dict[str, object] = {}
        self._tickers: dict[str, object] = {}
        self._dirty: dict[str, None] = {}
        self._is_flush_due = False
        market.listeners.append(self._on_batch)

    def greet(self, connection: Connection, channel: MarketChannel, product: str) -> None:
        """Send one connection what was published last; `trade` begins with the next trade."""
        match channel:
            case MarketChannel.LEVEL1:
                message = self._level1(product)
            case MarketChannel.DEPTH:
                message = self._depth_snapshot(product)
            case MarketChannel.TICKER:
                message = self._ticker(product)
            case MarketChannel.TRADE:
                return
        connection.send_json(message, *_names(message))

    def publish(self, product: str) -> None:
        """Tell everybody what has changed since the last time."""
        self._dirty.pop(product, None)
        bids, asks = self._market.book(product)
        now: _Book = {Side.BUY: dict(bids), Side.SELL: dict(asks)}
        before = self._published.get(product, {Side.BUY: {}, Side.SELL: {}})
        self._published[product] = now
        delta = self._depth_delta(product, before, now)
        if delta is not None:
            self._send(MarketChannel.DEPTH, product, delta)
        top = (bids[:1], asks[:1])
        if self._tops.get(product) != top:
            self._tops[product] = top
            self._send(MarketChannel.LEVEL1, product, self._level1(product))
        ticker = self._ticker(product)
        inner = ticker["data"]
        assert isinstance(inner, dict)
        values = {key: value for key, value in inner.items() if key != "timestamp"}
        if self._tickers.get(product) != values:
            self._tickers[product] = values
            self._send(MarketChannel.TICKER, product, ticker)

    # -- messages -------------------------------------------------------------------------------------------

    def _message(self, channel: MarketChannel, product: str, kind: str, data: dict[str, object]) -> dict[str, object]:
        now_ns = self._clock.now_ns()
        return {
            "topic": f"{channel.value}.{product}",
            "type": kind,
            "createdTime": now_ns,
            "data": {"symbol": product, **data, "timestamp": now_ns},
        }

    def _level1(self, product: str) -> dict[str, object]:
        bids, asks = self._market.book(product)
        return self._message(
            MarketChannel.LEVEL1, product, "snapshot", {"bid": self._top(bids), "ask": self._top(asks)}
        )

    def _top(self, levels: Levels) -> list[str] | None:
        if levels:
            return [_price(levels[0][0]), quantity_text(levels[0][1])]
        match self._options.empty_side:
            case EmptySide.EMPTY_LIST:
                return []
            case EmptySide.NULL:
                return None
            case EmptySide.ZEROS:
                return [_price(ZERO), quantity_text(ZERO)]

    def _depth_snapshot(self, product: str) -> dict[str, object]:
        bids, asks = self._market.book(product)
        return self._message(MarketChannel.DEPTH, product, "snapshot", {"bid": _levels(bids), "ask": _levels(asks)})

    def _depth_delta(self, product: str, before: _Book, now: _Book) -> dict[str, object] | None:
        sides: dict[str, object] = {}
        for name, side in (("bid", Side.BUY), ("ask", Side.SELL)):
            changed = [
                price
                for price in {**before[side], **now[side]}
                if _size(before, side, price) != _size(now, side, price)
            ]
            changed.sort(reverse=side is Side.BUY)
            sides[name] = [[_price(p), quantity_text(self._change(before, now, side, p))] for p in changed]
        if not sides["bid"] and not sides["ask"]:
            return None
        if self._options.wrong_delta_symbol:
            sides["symbol"] = next(symbol for symbol in self._market.products if symbol != product)
        return self._message(MarketChannel.DEPTH, product, "delta", sides)

    def _change(self, before: _Book, now: _Book, side: Side, price: Decimal) -> Decimal:
        size = _size(now, side, price)
        match self._options.depth_delta:
            case DepthDelta.SIGNED:
                return size - _size(before, side, price)
            case DepthDelta.ABSOLUTE:
                return size

    def _ticker(self, product: str) -> dict[str, object]:
        market = self._market
        bids, asks = market.book(product)
        last, mark = market.last(product), market.mark(product)
        interest = self.open_interest(product)
        data: dict[str, object] = {
            "lastPrice": None if last is None else _price(last),
            "indexPrice": _price(market.index_prices.get(product, mark)),
            "markPrice": _price(mark),
            "bestBid": _price(bids[0][0]) if bids else None,
            "bestAsk": _price(asks[0][0]) if asks else None,
            "bestBidQty": quantity_text(bids[0][1]) if bids else None,
            "bestAskQty": quantity_text(asks[0][1]) if asks else None,
            "openInterest": quantity_text(interest),
            "openInterestValue": _price(interest * mark),
            "fundingRate": f"{market.funding_rates[product]:f}",
        }
        message = self._message(MarketChannel.TICKER, product, "snapshot", data)
        inner = message["data"]
        assert isinstance(inner, dict)
        inner["unit"] = Unit.BTC.value
        return message

    def open_interest(self, product: str) -> Decimal:
        """All long positions together, base units."""
        nets = (self._market.ledger.net_size(name, product) for name in self._market.ledger.accounts)
        return sum((net for net in nets if net > 0), ZERO)

    def _trade(self, product: str, taker: Side, prints: list[TradePrinted]) -> dict[str, object]:
        volume = sum((p.size for p in prints), ZERO)
        data: dict[str, object] = {
            "takerSide": side_word(taker),
            "minPx": _price(min(p.price for p in prints)),
            "maxPx": _price(max(p.price for p in prints)),
            "volume": quantity_text(volume),
            "vwap": _price(sum((p.size * p.price for p in prints), ZERO) / volume),
        }
        return self._message(MarketChannel.TRADE, product, "snapshot", data)

    # -- publishing -----------------------------------------------------------------------------------------

    def _on_batch(self, batch: Batch) -> None:
        prints: dict[tuple[str, Side], list[TradePrinted]] = {}
        for event in batch.events:
            match event:
                case TradePrinted():
                    prints.setdefault((event.product, event.maker_side.opposite), []).append(event)
                case LevelChanged(product, _, _, _) | MarkChanged(product, _, _):
                    self._dirty[product] = None
                case _:
                    pass
        for (product, taker), some in prints.items():
            self._send(MarketChannel.TRADE, product, self._trade(product, taker, some))
        # Without listeners nothing is due: whoever comes is brought up to date first.
        if self._dirty and not self._is_flush_due and self._connections():
            self._is_flush_due = True
            self._later.once(self._options.book_interval_secs, self._flush_now)

    def _flush_now(self) -> None:
        self._is_flush_due = False
        for product in list(self._dirty):
            self.publish(product)

    def _send(self, channel: MarketChannel, product: str, message: dict[str, object]) -> None:
        for connection in self._connections():
            if (channel.value, product) in connection.subscriptions:
                connection.send_json(message, *_names(message))


def _names(message: dict[str, object]) -> tuple[str, str, str]:
    """What faults know a message by: `"depth"`, `"depth/delta"`, `"depth/delta/GOLD-BTC"`."""
    channel, _, product = str(message["topic"]).partition(".")
    return channel, f"{channel}/{message['type']}", f"{channel}/{message['type']}/{product}"


def _levels(levels: Levels) -> list[list[str]]:
    return [[_price(price), quantity_text(size)] for price, size in levels]


def _size(book: _Book, side: Side, price: Decimal) -> Decimal:
    return book[side].get(price, ZERO)
