"""
What the simulated ActTrader trades, and the instruments file for its clients.

The protocol has no instruments (protocol 1, 11.5): a broker tells its customers otherwise. Here they are
products on margin: a trade settles nothing, it moves a net position whose profit is in the quote currency.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from nautilus_orderfeeds.sim.model import Product

CURRENCY = "USD"
"""In which accounts are kept: the quote currency of every product."""

_VENUE = "ACTTRADER"

PRODUCTS: tuple[Product, ...] = (
    Product("EURUSD", "EUR", "USD", Decimal("0.00001"), Decimal(1), Decimal(1000), Decimal("1.16300")),
    Product("GBPUSD", "GBP", "USD", Decimal("0.00001"), Decimal(1), Decimal(1000), Decimal("1.33500")),
    Product("BTCUSD", "BTC", "USD", Decimal("0.01"), Decimal("0.0001"), Decimal("0.001"), Decimal("65000.00")),
)


def instrument_dict(product: Product, commission_rate: Decimal) -> dict[str, object]:
    """The product as the framework writes a `CurrencyPair` (`CurrencyPair.to_dict`), numbers as text."""
    return {
        "type": "CurrencyPair",
        "id": f"{product.symbol}.{_VENUE}",
        "raw_symbol": product.symbol,
        "base_currency": product.base,
        "quote_currency": product.quote,
        "price_precision": _places(product.tick),
        "price_increment": str(product.tick),
        "size_precision": _places(product.lot),
        "size_increment": str(product.lot),
        "multiplier": "1",
        "lot_size": str(product.lot),
        "max_quantity": None,
        "min_quantity": str(product.min_size.quantize(product.lot)),
        "max_notional": None,
        "min_notional": None,
        "max_price": None,
        "min_price": None,
        "margin_init": "0.02",
        "margin_maint": "0.01",
        "maker_fee": f"{commission_rate:f}",
        "taker_fee": f"{commission_rate:f}",
        "ts_event": 0,
        "ts_init": 0,
        "tick_scheme_name": None,
        "info": None,
    }


def write_instruments(path: Path, products: Iterable[Product], commission_rate: Decimal) -> None:
    """Write the file that the client's config field `instruments` names."""
    rows = [instrument_dict(product, commission_rate) for product in products]
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _places(step: Decimal) -> int:
    exponent = step.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)
