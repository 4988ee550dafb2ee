"""An instrument as a venue's order entry needs it, free of the framework."""

from decimal import Decimal
from enum import Enum, unique
from typing import Any

from msgspec import Struct


@unique
class InstrumentKind(Enum):
    """Which of the framework's instrument classes it becomes."""

    CRYPTO_PERPETUAL = "CRYPTO_PERPETUAL"
    PERPETUAL_CONTRACT = "PERPETUAL_CONTRACT"
    CURRENCY_PAIR = "CURRENCY_PAIR"
    BINARY_OPTION = "BINARY_OPTION"
    CFD = "CFD"


class InstrumentSpec(Struct, frozen=True, kw_only=True):
    """Definition of one instrument.

    Parameters
    ----------
    symbol : str
        Symbol in the framework: the venue's own in upper case (``BTC-PERP``).
    raw_symbol : str
        As the venue writes it.
    kind : InstrumentKind
        Framework class.
    base, quote, settlement : str
        Currency codes.
    price_increment, size_increment : Decimal
        Tick (quote per base) and lot (base units).
    price_precision, size_precision : int, optional
        Decimal places where they exceed those of the increment.
    min_quantity, max_quantity : Decimal, optional
        Base units.
    min_notional : Decimal, optional
        Quote units.
    min_price, max_price : Decimal, optional
        Quote per base.
    multiplier : Decimal
        Contract multiplier.
    margin_init, margin_maint : Decimal
        Fractions of notional.
    maker_fee, taker_fee : Decimal, optional
        Fractions of notional, negative for a rebate; None if the venue does not publish them.
    info : dict
        The venue's raw definition.
    """

    symbol: str
    raw_symbol: str
    kind: InstrumentKind
    base: str
    quote: str
    settlement: str
    price_increment: Decimal
    size_increment: Decimal
    price_precision: int | None = None
    size_precision: int | None = None
    min_quantity: Decimal | None = None
    max_quantity: Decimal | None = None
    min_notional: Decimal | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    margin_init: Decimal = Decimal(0)
    margin_maint: Decimal = Decimal(0)
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    info: dict[str, Any] = {}


def places(increment: Decimal) -> int:
    """Return the decimal places of `increment` (0 for whole numbers).

    Examples
    --------
    >>> places(Decimal("0.0010")), places(Decimal("10"))
    (3, 0)
    """
    exponent = increment.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
