"""What the simulated sFOX trades: spot pairs (protocol 4, 7.6) and its order algorithms (7.2)."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from nautilus_orderfeeds.sim.model import Product, ProductKind

_LOT = Decimal("0.00000001")


def _pair(base: str, quote: str, tick: str, min_size: str, mid: str) -> Product:
    # `min_size` only scales the background's sizes; the venue's own minimums are in the options.
    return Product(
        base + quote, base, quote, Decimal(tick), _LOT, Decimal(min_size), Decimal(mid), kind=ProductKind.SPOT
    )


PRODUCTS = {
    product.symbol: product
    for product in (
        _pair("btc", "usd", "0.01", "0.001", "43230"),
        _pair("eth", "usd", "0.01", "0.01", "2310"),
        _pair("eth", "btc", "0.00001", "0.01", "0.05342"),
        _pair("usdc", "usd", "0.0001", "1", "0.9998"),
    )
}

FIAT = frozenset(("usd",))

CURRENCY_NAMES = {"usd": "US Dollar", "btc": "Bitcoin", "eth": "Ether", "usdc": "USD Coin"}


class Algorithm(Enum):
    """The documented algorithms (7.2); the value is `algorithm_id`, the word is `type`."""

    MARKET = (100, "Market")
    INSTANT = (150, "Instant")
    SIMPLE = (160, "Simple")
    SMART = (200, "Smart")
    LIMIT = (201, "Limit")
    GORILLA = (301, "Gorilla")
    TORTOISE = (302, "Tortoise")
    HARE = (303, "Hare")
    STOP = (304, "Stop")
    POLAR_BEAR = (305, "Polar Bear")
    SNIPER = (306, "Sniper")
    TWAP = (307, "TWAP")
    TRAILING_STOP = (308, "Trailing Stop")
    IOC = (309, "IOC")

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.text = text

    @property
    def is_by_market(self) -> bool:
        """Whether it takes any price once it is active; buys are then by quote amount (7.1)."""
        return self in (Algorithm.MARKET, Algorithm.STOP, Algorithm.TRAILING_STOP)

    @property
    def is_stop(self) -> bool:
        """Whether it waits for a trigger."""
        return self in (Algorithm.STOP, Algorithm.TRAILING_STOP)

    @property
    def is_maker(self) -> bool:
        """Whether it never takes from the book."""
        return self in (Algorithm.GORILLA, Algorithm.TORTOISE, Algorithm.HARE)


ALGORITHMS = {algorithm.number: algorithm for algorithm in Algorithm}


def price_decimals(product: Product, fiat: int, crypto: int) -> int:
    """How many decimals an order's price may have (4, statement a)."""
    return fiat if product.quote in FIAT else crypto
