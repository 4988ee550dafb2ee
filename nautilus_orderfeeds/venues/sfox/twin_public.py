"""The market data of the simulated sFOX: its feeds and its REST routes (protocol 7.6, 8.6)."""

from __future__ import annotations

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import Batch, LevelChanged, TradePrinted
from nautilus_orderfeeds.sim.server import Answer, Call
from nautilus_orderfeeds.venues.sfox.twin_accounts import Refused
from nautilus_orderfeeds.venues.sfox.twin_book import MarketViews, Row
from nautilus_orderfeeds.venues.sfox.twin_gate import Gate
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_products import CURRENCY_NAMES, FIAT, PRODUCTS
from nautilus_orderfeeds.venues.sfox.twin_sender import Sender

_KINDS = ("orderbook.net", "orderbook.sfox", "ticker.sfox", "trades.sfox")


def is_market_feed(feed: str) -> bool:
    """Whether there is such a feed."""
    kind, _, product = feed.rpartition(".")
    return kind in _KINDS and product in PRODUCTS


class MarketFeeds:
    """
    Publishes books, tickers and trades to whoever subscribed.

    Parameters
    ----------
    views : MarketViews
    market : Market
    sender : Sender
    options : SfoxTwinOptions
    later : Later
    """

    def __init__(
        self, views: MarketViews, market: Market, sender: Sender, options: SfoxTwinOptions, later: Later
    ) -> None:
        self._views = views
        self._sender = sender
        self._options = options
        self._later = later
        self._dirty: set[str] = set()
        self._is_flush_due = False
        market.listeners.append(self._on_batch)

    def start(self) -> None:
        """Begin the tickers."""
        self._later.every(lambda: self._options.ticker_secs, self._send_tickers)

    def greet(self, connection: Connection, feed: str) -> None:
        """Follow a subscription to a book with the book."""
        kind, _, product = feed.rpartition(".")
        if self._options.book_on_subscribe and kind.startswith("orderbook"):
            book = self._views.book(product, is_net=kind == "orderbook.net")
            self._sender.data(connection, feed, book, "book", "book/initial")

    def _on_batch(self, batch: Batch) -> None:
        for event in batch.events:
            match event:
                case TradePrinted():
                    self._views.keep(event)
                    if self._sender.connections():
                        self._send(f"trades.sfox.{event.product}", self._views.trade(event), "market-trades")
                case LevelChanged():
                    self._dirty.add(event.product)
                case _:
                    pass
        if self._dirty and not self._is_flush_due and self._sender.connections():
            self._is_flush_due = True
            self._later.once(self._options.book_interval_secs, self._flush_now)

    def _flush_now(self) -> None:
        self._is_flush_due = False
        dirty, self._dirty = self._dirty, set()
        for product in sorted(dirty):
            for kind in ("orderbook.net", "orderbook.sfox"):
                feed = f"{kind}.{product}"
                if self._is_wanted(feed):
                    self._send(feed, self._views.book(product, is_net=kind == "orderbook.net"), "book")

    def _send_tickers(self) -> None:
        for product in PRODUCTS:
            if self._is_wanted(f"ticker.sfox.{product}"):
                self._send(f"ticker.sfox.{product}", self._views.ticker(product), "ticker")

    def _is_wanted(self, feed: str) -> bool:
        return any((feed,) in connection.subscriptions for connection in self._sender.connections())

    def _send(self, feed: str, payload: Row, name: str) -> None:
        for connection in self._sender.connections():
            if (feed,) in connection.subscriptions:
                self._sender.data(connection, feed, payload, name, f"{name}/update")


class MarketRoutes:
    """Adds pairs, currencies, books and candles to a server."""

    def __init__(self, gate: Gate, views: MarketViews, options: SfoxTwinOptions) -> None:
        self._views = views
        self._options = options
        gate.public("GET", "/v1/markets/currency-pairs", self._pairs)
        gate.public("GET", "/v1/currency", self._currencies)
        gate.public("GET", "/v1/markets/orderbook/{pair}", self._book)
        gate.public("GET", "/candlesticks", self._candles)

    def _pairs(self, call: Call) -> Answer:
        pairs: dict[str, dict[str, str]] = {}
        for product in PRODUCTS.values():
            row = {"formatted_symbol": f"{product.base}/{product.quote}".upper(), "symbol": product.symbol}
            if not self._options.pairs_2020:
                row |= {"base": product.base, "quote": product.quote}
            pairs[product.symbol] = row
        return Answer(200, pairs)

    def _currencies(self, call: Call) -> Answer:
        rows = [
            {
                "id": number,
                "symbol": symbol,
                "name": name,
                "is_fiat": int(symbol in FIAT),
                "is_lending_enabled": 0,
                "can_deposit": 1,
                "can_withdraw": 1,
                "min_withdrawal": 10 if symbol in FIAT else 0.001,
                "confirmations_needed": None if symbol in FIAT else 3,
                "precision": 8,
                "ascii_sign": "$" if symbol in FIAT else symbol[0].upper(),
                "contract_address": None,
                "custody_enabled": 1,
                "trading_enabled": 1,
                "primary_network": None if symbol in FIAT else name,
                "code": symbol,
                "currency": symbol,
            }
            for number, (symbol, name) in enumerate(CURRENCY_NAMES.items(), start=1)
        ]
        return Answer(200, rows)

    def _book(self, call: Call) -> Answer:
        product = call.params["pair"]
        routing_type = call.one("routing_type") or "Smart"
        if product not in PRODUCTS:
            raise Refused(f"invalid currency_pair: {product}", status=404)
        if routing_type not in ("NetPrice", "Smart"):
            raise Refused(f"invalid routing_type: {routing_type}", status=400)
        return Answer(200, self._views.book(product, is_net=routing_type == "NetPrice"))

    def _candles(self, call: Call) -> Answer:
        product = call.one("pair")
        if product not in PRODUCTS:
            raise Refused(f"invalid pair: {product}", status=400)
        texts = [call.one(name) or "" for name in ("startTime", "endTime", "period")]
        if not all(text.isascii() and text.isdigit() for text in texts):
            raise Refused("startTime, endTime and period must be numbers", status=400)
        start, end, period = (int(text) for text in texts)
        return Answer(200, self._views.candles(product, start, end, period))
