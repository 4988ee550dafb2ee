"""Instruments (protocol, 4.9 and 7): a table of what is known for certain, and the listing as far as it is sane.

The published sample of the listing is plainly illustrative (a tick of 1 BTC, a minimum of 50,000 ounces), so a row is
taken only if its numbers can be true. The listing names no lot: two decimals are what every source shows.
"""

import logging
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS, check_id, decode
from nautilus_orderfeeds.venues.instruments import InstrumentKind, InstrumentSpec
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.words import SETTLEMENT, VENUE

_log = logging.getLogger(__name__)

_PRICE_PLACES: Final = 8
_LOT: Final = Decimal("0.01")
_STANDARD_TAKER_FEE: Final = Decimal("0.00096")
_ACTIVE: Final = frozenset({"active", "trading", "open"})

_LARGEST_TICK: Final = Decimal("0.001")
_LARGEST_MINIMUM: Final = Decimal(1_000)
_LARGEST_FEE: Final = Decimal("0.01")


class _Row(Struct, kw_only=True):
    """A row of the listing; its keys are written in two styles."""

    symbol: str
    status: str = ""
    base_asset: str = msgspec.field(default="", name="baseAsset")
    quote_asset: str = msgspec.field(default="", name="quoteAsset")
    tick: Decimal | None = msgspec.field(default=None, name="tickSize")
    contract_size: Decimal | None = msgspec.field(default=None, name="contractSize")
    least: Decimal | None = msgspec.field(default=None, name="min_order_size")
    most: Decimal | None = msgspec.field(default=None, name="max_order_size")
    maker_fee: Decimal | None = msgspec.field(default=None, name="makerFee")
    taker_fee: Decimal | None = msgspec.field(default=None, name="takerFee")


_rows: Final = msgspec.json.Decoder(wire.Reply[list[Raw]])
_row: Final = msgspec.json.Decoder(_Row)
_info: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any], float_hook=str)


def known_instruments() -> list[InstrumentSpec]:
    """Return what is known without asking: GOLD-BTC, of which two independent clients agree (protocol, 7)."""
    return [_spec("GOLD-BTC", "GOLD", Decimal("0.000001"), _LOT, None, None, None, _STANDARD_TAKER_FEE, {})]


def decode_instruments(body: bytes) -> list[InstrumentSpec]:
    """Read the answer to ``GET /market/instruments``, together with what is known.

    Returns
    -------
    list[InstrumentSpec]
        Active perpetuals. A row that cannot be true is logged and left out, or replaced by what is known of it.

    Raises
    ------
    FrameError
        If it is no listing at all.
    """
    known = {spec.symbol: spec for spec in known_instruments()}
    specs: dict[str, InstrumentSpec] = {}
    inactive: set[str] = set()
    for raw in decode(VENUE, _rows, body, "a list of instruments (protocol 4.9)").data:
        try:
            row = _row.decode(raw)
            symbol = check_id("symbol", row.symbol).upper()
            if row.status and row.status.lower() not in _ACTIVE:
                inactive.add(symbol)
                continue
            spec = _listed(row, symbol, _info.decode(raw))
        except (*DECODE_ERRORS, ValueError) as exc:
            _log.warning("%s: a row of the listing is left out: %s", VENUE, exc)
            continue
        if spec is not None:
            specs[symbol] = spec
    return list(({symbol: spec for symbol, spec in known.items() if symbol not in inactive} | specs).values())


def _listed(row: _Row, symbol: str, info: dict[str, Any]) -> InstrumentSpec | None:
    tick, least = row.tick, row.least
    wire.check_numbers(tick, least, row.most, row.maker_fee, row.taker_fee, row.contract_size)
    if row.quote_asset and row.quote_asset.upper() != SETTLEMENT:
        return None
    if tick is None or not 0 < tick <= _LARGEST_TICK or least is None or not 0 < least <= _LARGEST_MINIMUM:
        raise ValueError(
            f"{symbol} has a tick of {tick} BTC and a minimum of {least}, which cannot be; define it in the file of "
            "the config field `instruments`"
        )
    if row.contract_size is not None and row.contract_size != 1:
        raise ValueError(f"{symbol} has contracts of {row.contract_size}: define it in the `instruments` file")
    most = row.most if row.most is not None and row.most >= least else None
    base = row.base_asset or symbol.split("-", 1)[0]
    maker, taker = (
        fee if fee is not None and abs(fee) <= _LARGEST_FEE else None for fee in (row.maker_fee, row.taker_fee)
    )
    return _spec(symbol, base, tick, _LOT, least, most, maker, taker, info, raw_symbol=row.symbol)


def _spec(
    symbol: str,
    base: str,
    tick: Decimal,
    lot: Decimal,
    least: Decimal | None,
    most: Decimal | None,
    maker_fee: Decimal | None,
    taker_fee: Decimal | None,
    info: dict[str, Any],
    *,
    raw_symbol: str = "",
) -> InstrumentSpec:
    return InstrumentSpec(
        symbol=symbol,
        raw_symbol=raw_symbol or symbol,
        kind=InstrumentKind.CRYPTO_PERPETUAL,
        base=base.upper(),
        quote=SETTLEMENT,
        settlement=SETTLEMENT,
        price_increment=tick,
        size_increment=lot,
        price_precision=_PRICE_PLACES,  # averages have all of them
        min_quantity=least,
        max_quantity=most,
        maker_fee=maker_fee,
        taker_fee=taker_fee,
        info=info,
    )
