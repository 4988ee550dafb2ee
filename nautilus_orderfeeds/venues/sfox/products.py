"""The listing: pairs, currencies and the account's fee rates (protocol, 4, 7.6 and 12).

The venue publishes no tick, lot or minimum. Fills and books carry up to eight decimals, so that is the precision of
an instrument; how many an order's price may have is a rule of this adapter, set by the quote currency.
"""

import logging
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.decimals import check_sane
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.instruments import InstrumentKind, InstrumentSpec
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.settings import SfoxSettings
from nautilus_orderfeeds.venues.sfox.words import VENUE, RoutingType

_log = logging.getLogger(__name__)

#: Decimals of quantities, fills and books.
PLACES: Final = 8
_STEP: Final = Decimal(1).scaleb(-PLACES)

#: Taken where the venue does not say which of its currencies are fiat.
_FIAT: Final = frozenset({"usd", "eur", "gbp", "cad", "aud", "jpy", "chf", "sgd", "hkd", "brl", "mxn"})

#: Minimum of crypto-quoted pairs in base units, and of USD-quoted ones in USD (protocol, 4).
_MIN_QUANTITY: Final = Decimal("0.001")
_MIN_NOTIONAL: Final = Decimal(5)
_MIN_NOTIONAL_QUOTES: Final = frozenset({"usd"})


def decode_currencies(body: bytes) -> dict[str, bool]:
    """Read ``GET /v1/currency``: currency -> whether it is fiat; raises `FrameError`."""
    rows = wire.decode(wire.CURRENCIES, body, "a list of currencies (protocol 7.6)")
    return {(row.symbol or row.code).lower(): bool(row.is_fiat) for row in rows if row.is_fiat is not None}


def decode_fee_rates(body: bytes) -> wire.FeeRates:
    """Read ``GET /v1/account/fee-rates``; raises `FrameError`, or `ValueError` if a rate is none."""
    rates = wire.decode(wire.FEE_RATES, body, "fee rates (protocol 7.6)")
    check_sane(rates.makerRate, rates.nprRate, rates.nprOffRate)
    return rates


def decode_pairs(
    body: bytes, settings: SfoxSettings, fiat: dict[str, bool], fees: wire.FeeRates
) -> list[InstrumentSpec]:
    """Read ``GET /v1/markets/currency-pairs``.

    Parameters
    ----------
    body : bytes
        The answer.
    settings : SfoxSettings
        Decimals of prices.
    fiat : dict[str, bool]
        Which currencies are fiat; those that are missing are known by name.
    fees : FeeRates
        The account's, None where not known.

    Returns
    -------
    list[InstrumentSpec]
        A pair that cannot be read is logged and left out: it must not keep the others from being traded.

    Raises
    ------
    FrameError
        If it is no listing at all.
    """
    listing = wire.decode(wire.PAIRS, body, "the currency pairs (protocol 7.6)")
    specs = []
    for key, raw in listing.items():
        try:
            specs.append(_spec(key, wire.PAIR.decode(raw), settings, fiat, fees))
        except (*wire.DECODE_ERRORS, ValueError) as exc:
            _log.warning("%s", FrameError(VENUE, bytes(raw), f"a currency pair (protocol 7.6; {exc})"))
    return specs


def _spec(
    key: str, pair: wire.Pair, settings: SfoxSettings, fiat: dict[str, bool], fees: wire.FeeRates
) -> InstrumentSpec:
    symbol = check_id("symbol", pair.symbol or key)
    base, quote = pair.base, pair.quote
    if not base or not quote:  # the shape of 2020; a symbol itself cannot be split safely
        base, _, quote = pair.formatted_symbol.partition("/")
    base, quote = check_id("base", base).lower(), check_id("quote", quote).lower()
    is_fiat = fiat.get(quote, quote in _FIAT)
    price_places = settings.fiat_price_places if is_fiat else settings.crypto_price_places
    taker = fees.nprOffRate if settings.routing_type is RoutingType.SMART else fees.nprRate
    return InstrumentSpec(
        symbol=symbol.upper(),
        raw_symbol=symbol,
        kind=InstrumentKind.CURRENCY_PAIR,
        base=base.upper(),
        quote=quote.upper(),
        settlement=quote.upper(),
        price_increment=Decimal(1).scaleb(-price_places),
        size_increment=_STEP,
        price_precision=PLACES,
        size_precision=PLACES,
        min_quantity=None if is_fiat else _MIN_QUANTITY,
        min_notional=_MIN_NOTIONAL if quote in _MIN_NOTIONAL_QUOTES else None,
        maker_fee=fees.makerRate,
        taker_fee=taker,
        info={"symbol": symbol, "formatted_symbol": pair.formatted_symbol, "base": base, "quote": quote},
    )
