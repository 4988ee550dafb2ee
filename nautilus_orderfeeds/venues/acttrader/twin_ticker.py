"""The companion price stream of the simulated ActTrader (protocol 9, B): subscriptions, ticks, heartbeats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from aiohttp import web

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.server import WsEndpoint
from nautilus_orderfeeds.venues.acttrader.twin_fields import Refused, decode, format_time
from nautilus_orderfeeds.venues.acttrader.twin_options import ActTraderTwinOptions, TickShape
from nautilus_orderfeeds.venues.acttrader.twin_wire import number
from nautilus_orderfeeds.venues.acttrader.twin_ws import unauthorized


@dataclass(slots=True)
class _Day:
    """The middle price since the simulation began, which is when its day began."""

    open: Decimal
    high: Decimal
    low: Decimal


class Ticker(WsEndpoint):
    """
    The endpoint that tells prices.

    Parameters
    ----------
    market : Market
    clock : SimClock
    connections : Callable[[], list[Connection]]
        Everyone connected now.
    options : ActTraderTwinOptions
    """

    def __init__(
        self,
        market: Market,
        clock: SimClock,
        connections: Callable[[], list[Connection]],
        options: ActTraderTwinOptions,
    ) -> None:
        self._market = market
        self._clock = clock
        self._connections = connections
        self._options = options
        self._last: dict[str, tuple[Decimal, Decimal]] = {}
        self._days: dict[str, _Day] = {}

    async def admit(self, request: web.Request) -> web.StreamResponse | None:
        """Prices need no login, or a token of their own."""
        return unauthorized(request, {}, self._options.ticker_token)

    async def received(self, connection: Connection, message: str | bytes) -> None:
        """Subscribe or unsubscribe; anything else, an echoed heartbeat too, is not answered at all."""
        try:
            body = decode(message)
        except Refused:
            return
        symbols = body.get("p")
        if not isinstance(symbols, list):
            return
        keys = {(symbol,): symbol for symbol in symbols if isinstance(symbol, str) and symbol in self._market.products}
        match body.get("m"):
            case "subscribe":
                connection.subscriptions.update(keys)
                if self._options.tick_on_subscribe:
                    for symbol in keys.values():
                        if (quote := self._quote(symbol)) is not None:
                            self._send(connection, symbol, quote)
            case "unsubscribe":
                connection.subscriptions.difference_update(keys)

    def publish(self) -> None:
        """Send every quote that changed since the last time."""
        for symbol in self._market.products:
            quote = self._quote(symbol)
            if quote is None or quote == self._last.get(symbol):
                continue
            self._last[symbol] = quote
            self._day(symbol, (quote[0] + quote[1]) / 2)
            for connection in self._connections():
                if (symbol,) in connection.subscriptions:
                    self._send(connection, symbol, quote)

    def _quote(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        bid, ask = self._market.best(symbol)
        return None if bid is None or ask is None else (bid, ask)

    def _send(self, connection: Connection, symbol: str, quote: tuple[Decimal, Decimal]) -> None:
        bid, ask = quote
        tick: dict[str, object] = {
            "m": symbol,
            "time": format_time(self._clock.now_ns(), self._options.tick_time_digits),
            "bid": number(bid),
            "ask": number(ask),
        }
        match self._options.tick_shape:
            case TickShape.ORDER_STREAM:
                message: dict[str, object] = {"event": "ticker", "payload": [tick]}
            case TickShape.CHARTS:
                day = self._day(symbol, (bid + ask) / 2)
                tick |= {f"day_{name}": number(getattr(day, name)) for name in ("open", "high", "low")}
                message = {"m": "ticker", "d": [tick]}
        connection.send_json(message, "ticker", f"ticker/{symbol}")

    def _day(self, symbol: str, middle: Decimal) -> _Day:
        day = self._days.setdefault(symbol, _Day(middle, middle, middle))
        day.high, day.low = max(day.high, middle), min(day.low, middle)
        return day
