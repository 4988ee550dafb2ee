"""The public channels of the simulated BSX's stream (protocol 5.2)."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Levels, Market
from nautilus_orderfeeds.sim.model import Batch, LevelChanged, MarkChanged, Side, TradePrinted
from nautilus_orderfeeds.venues.bsx.twin_options import BsxTwinOptions
from nautilus_orderfeeds.venues.bsx.twin_wire import plain

CHANNELS = ("book", "ticker", "trades", "oracle", "funding_rate")
_FIRST_GSN = 108_639_724
_GSN_HOLE = 60


class PublicFeed:
    """
    Publishes books, tickers, trades, oracle prices and funding rates to whoever subscribed.

    Parameters
    ----------
    seed : int
        Makes the holes of the global sequence number.
    """

    def __init__(
        self,
        seed: int,
        clock: SimClock,
        market: Market,
        connections: Callable[[], list[Connection]],
        options: BsxTwinOptions,
        later: Later,
    ) -> None:
        self._clock = clock
        self._market = market
        self._connections = connections
        self._options = options
        self._later = later
        self._random = random.Random(f"{seed}|gsn")
        self._gsn = _FIRST_GSN
        self._dirty: dict[str, dict[tuple[Side, Decimal], Decimal]] = {}
        self._tops: dict[str, object] = {}
        self._is_flush_due = False
        market.listeners.append(self._on_batch)

    def start(self) -> None:
        """Begin the minute snapshots and the funding rates."""
        self._later.every(lambda: self._options.book_snapshot_secs, self._send_books)
        self._later.every(lambda: self._options.funding_interval_secs, self._send_funding)

    def snapshot(self, channel: str, product: str) -> dict[str, object] | None:
        """The first data message of a channel; `trades` has none."""
        now_ns = self._clock.now_ns()
        match channel:
            case "book":
                return self._book(product, now_ns)
            case "ticker":
                return self._ticker(product, "snapshot", now_ns)
            case "oracle":
                return self._oracle(product, product, "snapshot", now_ns)
            case "funding_rate":
                return self._funding(product, "snapshot", now_ns)
            case _:
                return None

    # -- messages -------------------------------------------------------------------------------------------

    def _book(self, product: str, now_ns: int) -> dict[str, object]:
        bids, asks = self._market.book(product)
        return self._book_message(product, "snapshot", bids, asks, now_ns)

    def _book_message(self, product: str, kind: str, bids: Levels, asks: Levels, now_ns: int) -> dict[str, object]:
        data = {
            "bids": [[plain(price), plain(size)] for price, size in bids],
            "asks": [[plain(price), plain(size)] for price, size in asks],
            "timestamp": str(now_ns),
            "gsn": self._gsn,
        }
        return {
            "channel": "book",
            "product": product,
            "type": kind,
            "data": data,
            "timestamp": str(now_ns),
        }

    def _ticker(self, product: str, kind: str, now_ns: int) -> dict[str, object]:
        bids, asks = self._market.book(product)
        data = {
            "bid": _top(bids),
            "ask": _top(asks),
            "timestamp": now_ns,
            "gsn": self._gsn,
        }
        return {
            "channel": "ticker",
            "product": product,
            "type": kind,
            "data": data,
            "timestamp": str(now_ns),
        }

    def _oracle(self, product: str, named: str, kind: str, now_ns: int) -> dict[str, object]:
        """Updates are named by the asset, the snapshot by the product: a quirk of the venue."""
        mark = self._market.mark(product)
        data = {
            "asset": self._market.products[product].base,
            "mark_price": plain(mark),
            "index_price": plain(self._market.index_prices.get(product, mark)),
            "timestamp": now_ns,
        }
        return {
            "channel": "oracle",
            "product": named,
            "type": kind,
            "data": data,
            "timestamp": str(now_ns),
        }

    def _funding(self, product: str, kind: str, now_ns: int) -> dict[str, object]:
        return {
            "channel": "funding_rate",
            "product": product,
            "type": kind,
            "data": {"funding_rate": plain(self._market.funding_rates[product])},
            "timestamp": str(now_ns),
        }

    def _trade(self, trade: TradePrinted) -> dict[str, object]:
        """As seen live: without an outer timestamp."""
        data = {
            "price": plain(trade.price),
            "size": plain(trade.size),
            "maker_side": trade.maker_side.value.lower(),
            "id": f"0x{trade.trade_id}",
            "liquidation": trade.is_liquidation,
            "time": str(trade.time_ns),
        }
        return {"channel": "trades", "product": trade.product, "type": "update", "data": data}

    # -- publishing -----------------------------------------------------------------------------------------

    def _on_batch(self, batch: Batch) -> None:
        changed: set[str] = set()
        for event in batch.events:
            match event:
                case TradePrinted():
                    self._send("trades", event.product, self._trade(event))
                case MarkChanged(product, _, _):
                    asset = self._market.products[product].base
                    self._send("oracle", product, self._oracle(product, asset, "update", batch.time_ns))
                case LevelChanged(product, side, price, size):
                    self._dirty.setdefault(product, {})[(side, price)] = size
                    changed.add(product)
                case _:
                    pass
        if changed:
            self._gsn += self._random.randint(1, _GSN_HOLE)
            self._flush_soon()

    def _flush_soon(self) -> None:
        if self._is_flush_due:
            return
        if not self._connections():
            self._dirty.clear()  # nobody listens: whoever comes gets a snapshot
            return
        self._is_flush_due = True
        self._later.once(self._options.book_interval_secs, self._flush_now)

    def _flush_now(self) -> None:
        self._is_flush_due = False
        now_ns = self._clock.now_ns()
        dirty, self._dirty = self._dirty, {}
        for product, levels in dirty.items():
            bids = sorted(((p, s) for (side, p), s in levels.items() if side is Side.BUY), reverse=True)
            asks = sorted((p, s) for (side, p), s in levels.items() if side is Side.SELL)
            self._send("book", product, self._book_message(product, "update", bids, asks, now_ns))
            ticker = self._ticker(product, "update", now_ns)
            data = ticker["data"]
            assert isinstance(data, dict)
            top = (data["bid"], data["ask"])
            if self._tops.get(product) != top:
                self._tops[product] = top
                self._send("ticker", product, ticker)

    def _send_books(self) -> None:
        for product in self._market.products:
            self._send("book", product, self._book(product, self._clock.now_ns()))

    def _send_funding(self) -> None:
        for product in self._market.products:
            self._send("funding_rate", product, self._funding(product, "update", self._clock.now_ns()))

    def _send(self, channel: str, product: str, message: dict[str, object]) -> None:
        for connection in self._connections():
            if (channel, product) in connection.subscriptions:
                kind = str(message["type"])
                connection.send_json(message, channel, f"{channel}/{kind}", f"{channel}/{kind}/{product}")


def _top(levels: Levels) -> dict[str, str]:
    """The best level; an empty side has price and size zero."""
    price, size = levels[0] if levels else (Decimal(0), Decimal(0))
    return {"price": plain(price), "size": plain(size)}
