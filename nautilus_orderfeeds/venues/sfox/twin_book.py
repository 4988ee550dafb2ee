"""
What the simulated sFOX shows of its market: books, market trades, tickers and candles (protocol 7.6, 8.6).

The shared market has one book a pair; here its liquidity is spread over made-up foreign venues, as the
dealer's consolidated books show it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from zlib import crc32

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.market import Levels, Market
from nautilus_orderfeeds.sim.model import ZERO, TradePrinted
from nautilus_orderfeeds.venues.sfox.twin_accounts import Refused
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_products import PRODUCTS
from nautilus_orderfeeds.venues.sfox.twin_wire import iso, plain
from nautilus_orderfeeds.venues.sfox.twin_words import BookOrder

_VENUES = ("market2", "bitstamp", "coinbase", "gemini", "ox", "otc17", "b2c2")
_EXCHANGES = ("bitstamp", "bitfinex", "coinbase", "gemini")
_PLACES = Decimal("0.00000001")
_MAKING = 4
_PERIODS = (60, 300, 900, 3600, 21600, 86400)
_MAX_CANDLES = 500
_NS = 1_000_000_000
_DAY_NS = 86_400 * _NS

Row = dict[str, object]


def _number(number: Decimal) -> Decimal:
    return Decimal(plain(number))


class MarketViews:
    """
    Books, trades, tickers and candles of the shared market.

    Parameters
    ----------
    seed : int
        Spreads the liquidity over venues and shuffles.
    clock : SimClock
    market : Market
    options : SfoxTwinOptions
    """

    def __init__(self, seed: int, clock: SimClock, market: Market, options: SfoxTwinOptions) -> None:
        self._clock = clock
        self._market = market
        self._options = options
        self._random = random.Random(f"{seed}|books")
        self._prints: dict[str, list[TradePrinted]] = defaultdict(list)
        self._counts: dict[str, int] = defaultdict(int)

    # -- books ----------------------------------------------------------------------------------------------

    def book(self, product: str, *, is_net: bool) -> Row:
        """The whole book, raw or with the fees of a taker in its prices."""
        bids, asks = self._market.book(product)
        if is_net:
            bids = [(_net(price, -self._options.net_price_rate), size) for price, size in bids]
            asks = [(_net(price, self._options.net_price_rate), size) for price, size in asks]
        if self._options.book_crossed and bids and asks:
            bids = [(asks[0][0] + PRODUCTS[product].tick, PRODUCTS[product].min_size), *bids]
        now_ms = self._clock.now_ns() // 1_000_000
        wire: Row = {
            "bids": self._rows(bids),
            "asks": self._rows(asks),
            "market_making": {"bids": self._making(bids), "asks": self._making(asks)},
            "pair": product if not self._options.book_wrong_pair else f"{product}c",
            "lastupdated": now_ms - 5,
            "lastpublished": now_ms,
        }
        if self._options.book_details:
            wire["currency"] = PRODUCTS[product].quote
            wire["timestamps"] = {venue: [now_ms - 7, now_ms - 6] for venue in _VENUES}
        return wire

    def _rows(self, levels: Levels) -> list[list[object]]:
        """One row a price and venue; best first unless the options say otherwise."""
        rows = [row for price, size in levels for row in self._spread(price, size)]
        rows = rows[: self._options.book_levels]
        match self._options.book_order:
            case BookOrder.BEST_FIRST:
                pass
            case BookOrder.WORST_FIRST:
                rows.reverse()
            case BookOrder.SHUFFLED:
                self._random.shuffle(rows)
        return rows

    def _spread(self, price: Decimal, size: Decimal) -> list[list[object]]:
        """A level as the rows of two venues (of one, if the options want no price twice)."""
        first = crc32(str(price).encode()) % len(_VENUES)
        part = (size / 3).quantize(_PLACES)
        if not self._options.book_duplicates or part == 0:
            return [[_number(price), _number(size), _VENUES[first]]]
        second = (first + 1) % len(_VENUES)
        return [
            [_number(price), _number(part), _VENUES[first]],
            [_number(price), _number(size - part), _VENUES[second]],
        ]

    def _making(self, levels: Levels) -> list[list[object]]:
        """Indicative rows, worst first."""
        return [row for price, size in reversed(levels[:_MAKING]) for row in self._spread(price, size)[:1]]

    # -- trades ---------------------------------------------------------------------------------------------

    def keep(self, trade: TradePrinted) -> None:
        """Count a match into tickers and candles."""
        self._prints[trade.product].append(trade)

    def trade(self, trade: TradePrinted) -> Row:
        """A match as the trade of one of the integrated venues, with that venue's own id."""
        number = crc32(trade.trade_id.encode()) % len(_EXCHANGES)
        self._counts[_EXCHANGES[number]] += 1
        row: Row = {
            "id": str(1_062_696_823 + self._counts[_EXCHANGES[number]]),
            "quantity": plain(trade.size),
            "price": plain(trade.price),
            "exchange": _EXCHANGES[number],
            "exchange_id": number + 1,
            "side": trade.maker_side.opposite.value.lower(),
            "pair": trade.product,
            "pair_id": list(PRODUCTS).index(trade.product) + 1,
            # Nine decimals and a Z; the shorter field beside it has neither.
            "timestamp": f"{iso(trade.time_ns, 'seconds')[:-1]}.{trade.time_ns % _NS:09d}Z",
            "timeStamp": iso(trade.time_ns)[:-1],
            "buyOrderId": "",
            "sellOrderId": "",
            "is_decimal": True,
        }
        if self._options.trades_2019:
            del row["is_decimal"], row["timeStamp"], row["pair_id"]
            row["quantity"] = str(int(trade.size / _PLACES))
            row["timestamp"] = iso(trade.time_ns)[:-1]
        return row

    def ticker(self, product: str) -> Row:
        """The day so far, from 00:00 UTC: no bid, no ask."""
        now_ns = self._clock.now_ns()
        start = now_ns - now_ns % _DAY_NS
        prints = [trade for trade in self._prints[product] if trade.time_ns >= start]
        last = prints[-1] if prints else None
        price = last.price if last is not None else self._market.mark(product)
        return {
            "amount": _number(last.size) if last is not None else 0,
            "exchange": "coinbase",
            "high": _number(max((t.price for t in prints), default=price)),
            "last": _number(price),
            "low": _number(min((t.price for t in prints), default=price)),
            "open": _number(prints[0].price if prints else price),
            "pair": product,
            "route": "Smart",
            "source": "ticker-info",
            "timestamp": iso(now_ns),
            "volume": _number(sum((t.size for t in prints), ZERO)),
            "vwap": _number(_average(prints)),
        }

    def candles(self, product: str, start: int, end: int, period: int) -> list[Row]:
        """Candles of `period` secs that begin between two unix seconds; none where nothing traded."""
        if period not in _PERIODS:
            raise Refused(f"invalid period: {period}", status=400)
        if end < start or (end - start) // period > _MAX_CANDLES:
            raise Refused("too many candles requested", status=400)
        grouped: dict[int, list[TradePrinted]] = defaultdict(list)
        for trade in self._prints[product]:
            begin = trade.time_ns // _NS // period * period
            if start - period < begin <= end:  # the first may begin before `startTime` (7.6)
                grouped[begin].append(trade)
        return [
            {
                "open_price": _number(trades[0].price),
                "high_price": _number(max(t.price for t in trades)),
                "low_price": _number(min(t.price for t in trades)),
                "close_price": _number(trades[-1].price),
                "volume": _number(sum((t.size for t in trades), ZERO)),
                "start_time": begin,
                "pair": product,
                "candle_period": period,
                "vwap": _number(_average(trades)),
                "trades": len(trades),
            }
            for begin, trades in sorted(grouped.items())
        ]


def _net(price: Decimal, rate: Decimal) -> Decimal:
    return (price * (1 + rate)).quantize(_PLACES)


def _average(trades: list[TradePrinted]) -> Decimal:
    size = sum((t.size for t in trades), ZERO)
    return sum((t.price * t.size for t in trades), ZERO) / size if size else ZERO
