"""Public REST of the simulated Roxom: liveness, order book, instruments, open interest, fund (protocol 1, 4.9)."""

from __future__ import annotations

from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.market import Levels, Market
from nautilus_orderfeeds.sim.model import Product
from nautilus_orderfeeds.sim.server import Answer, Call, SimServer
from nautilus_orderfeeds.venues.roxom.twin_errors import Refused
from nautilus_orderfeeds.venues.roxom.twin_gate import Gate
from nautilus_orderfeeds.venues.roxom.twin_market_data import MarketData
from nautilus_orderfeeds.venues.roxom.twin_options import InstrumentRows, RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_products import BTC, Unit, instrument_id, quantity_text
from nautilus_orderfeeds.venues.roxom.twin_request import (
    check_inst_type,
    check_query,
    query_flag,
    query_integer,
    read_symbol,
    read_unit,
)
from nautilus_orderfeeds.venues.roxom.twin_wire import Wire

_DESCRIPTIONS = {"GOLD-BTC": "Gold ETF", "US500-BTC": "S&P 500 Index", "OIL-BTC": "Crude oil"}
_FUND = Decimal("0.5")


class MarketRoutes:
    """Adds the public endpoints to a server."""

    def __init__(
        self,
        server: SimServer,
        gate: Gate,
        market: Market,
        data: MarketData,
        clock: SimClock,
        wire: Wire,
        options: RoxomTwinOptions,
    ) -> None:
        self._market = market
        self._data = data
        self._clock = clock
        self._wire = wire
        self._options = options
        server.route("GET", "/ping", self._ping)
        gate.book("/orderbook/snapshot", self._book)
        gate.public("GET", "/market/instruments", self._instruments)
        gate.public("GET", "/market/open-interest", self._open_interest)
        gate.public("GET", "/market/insurance-fund", self._fund)

    async def _ping(self, call: Call) -> Answer:
        """Liveness, without a prefix (1)."""
        return Answer(200, {"message": "pong"})

    def _book(self, call: Call) -> Answer:
        check_query(call, ("symbol", "instType", "levels", "unit"))
        check_inst_type(call.one("instType"))
        product = read_symbol(call.one("symbol")).symbol
        unit = read_unit(call.one("unit"), Unit.BTC, self._options)
        count = query_integer(call, "levels", 20, low=1, high=100)
        bids, asks = (levels[:count] for levels in self._market.book(product))
        data = {
            "instrumentId": instrument_id(product),
            "buys": _rows(bids, unit),
            "sells": _rows(asks, unit),
            "buySellVersus": {"buy": unit.price(_total(bids)), "sell": unit.price(_total(asks))},
        }
        return Answer(200, self._wire.success(data))

    def _instruments(self, call: Call) -> Answer:
        check_query(call, ("tradeable", "unit"))
        query_flag(call, "tradeable")
        unit = read_unit(call.one("unit"), Unit.BTC, self._options)
        match self._options.instrument_rows:
            case InstrumentRows.MISSING:
                raise Refused("Not Found", status=404)
            case InstrumentRows.ILLUSTRATIVE:
                rows = [self._illustrative(product) for product in self._market.products.values()]
            case InstrumentRows.TRUE:
                rows = [self._true(product, unit) for product in self._market.products.values()]
        return Answer(200, self._wire.success(rows, has_flag=False))

    def _true(self, product: Product, unit: Unit) -> dict[str, object]:
        """The documented row with this venue's real numbers, as text."""
        return {
            **self._common(product),
            "min_order_size": quantity_text(product.min_size),
            "max_order_size": quantity_text(self._options.max_quantity),
            "tickSize": unit.price(product.tick),
            "contractSize": "1",
            "makerFee": f"{self._options.maker_fee_rate:f}",
            "takerFee": f"{self._options.taker_fee_rate:f}",
            "maxLeverage": f"{self._options.leverage:f}",
        }

    def _illustrative(self, product: Product) -> dict[str, object]:
        """The numbers of the published sample, which fit no product."""
        return {
            **self._common(product),
            "min_order_size": 50_000,
            "max_order_size": 50_000_000_000,
            "tickSize": 1,
            "contractSize": 1,
            "marginRequirement": Decimal("0.08"),
            "makerFee": Decimal("0.0002"),
            "takerFee": Decimal("0.0005"),
            "maxLeverage": 12,
        }

    def _common(self, product: Product) -> dict[str, object]:
        is_inactive = product.symbol in self._options.inactive_products
        return {
            "symbol": product.symbol,
            "baseAsset": product.base,
            "quoteAsset": product.quote,
            "description": f"{_DESCRIPTIONS[product.symbol]} futures settled in Bitcoin",
            "status": "inactive" if is_inactive else "active",
            "settlementCurrency": BTC,
            "fundingInterval": "8h",
            "tradingHours": {"start": "00:00:00", "end": "23:59:59", "timezone": "UTC"},
            "launchDate": "2024-01-01T00:00:00Z",
            "expiryDate": None,
        }

    def _open_interest(self, call: Call) -> Answer:
        check_query(call, ("symbol", "instType"))
        check_inst_type(call.one("instType"))
        interest = self._data.open_interest(read_symbol(call.one("symbol")).symbol)
        data = {"openInterest": int(interest), "timestamp": self._wire.rest_time(self._clock.now_ns())}
        return Answer(200, self._wire.success(data))

    def _fund(self, call: Call) -> Answer:
        check_query(call, ("unit",))
        unit = read_unit(call.one("unit"), Unit.BTC, self._options)
        now = self._wire.rest_time(self._clock.now_ns())
        return Answer(200, self._wire.success({"balance": unit.price(_FUND), "updatedAt": now, "unit": unit.value}))


def _rows(levels: Levels, unit: Unit) -> list[dict[str, str]]:
    return [
        {"price": unit.price(price), "size": quantity_text(size), "total": unit.price(price * size)}
        for price, size in levels
    ]


def _total(levels: Levels) -> Decimal:
    return sum((price * size for price, size in levels), Decimal(0))
