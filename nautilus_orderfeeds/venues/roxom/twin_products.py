"""What the simulated Roxom trades (protocol 7), and its numbers as text in either unit (protocol 3)."""

from __future__ import annotations

import uuid
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum, unique

from nautilus_orderfeeds.sim.model import Product

BTC = "BTC"
SAT = Decimal("0.00000001")
"""One satoshi, BTC: the step of all money."""
_SATS_PER_BTC = Decimal(100_000_000)
_CENT = Decimal("0.01")

# Only GOLD's tick and step are known; the others are given the same.
_TICK, _LOT = Decimal("0.00000100"), Decimal("0.01")
PRODUCTS: tuple[Product, ...] = (
    Product("GOLD-BTC", "GOLD", BTC, _TICK, _LOT, _LOT, Decimal("0.04858200")),
    Product("US500-BTC", "US500", BTC, _TICK, _LOT, _LOT, Decimal("0.06210000")),
    Product("OIL-BTC", "OIL", BTC, _TICK, _LOT, _LOT, Decimal("0.00620000")),
)
SYMBOLS = {product.symbol: product for product in PRODUCTS}


@unique
class Unit(Enum):
    """In what money and prices are told (3)."""

    BTC = "btc"
    SATS = "sats"

    def price(self, value: Decimal) -> str:
        """A price or an amount of BTC as text: 8 decimals, or satoshis without trailing zeros."""
        match self:
            case Unit.BTC:
                return f"{value.quantize(SAT, ROUND_HALF_EVEN):f}"
            case Unit.SATS:
                text = f"{(value * _SATS_PER_BTC).quantize(_CENT, ROUND_HALF_EVEN):f}"
                return text.rstrip("0").rstrip(".")

    def to_btc(self, value: Decimal) -> Decimal:
        """A number of this unit in BTC."""
        return value if self is Unit.BTC else value / _SATS_PER_BTC


def quantity_text(quantity: Decimal) -> str:
    """A quantity as text, with the decimals of the step."""
    return f"{quantity.quantize(_LOT):f}"


def instrument_id(symbol: str) -> str:
    """The UUID by which some replies name a product."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"roxom-simulation:{symbol}"))


def trade_uuid(trade_id: str) -> str:
    """The market's trade id (hex digits) as the UUID that the wire has."""
    return str(uuid.UUID(hex=trade_id[:32], version=4))
