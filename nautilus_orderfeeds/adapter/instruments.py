"""Instruments between a venue's listing, a file of the user's, and the framework."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import InstrumentProviderConfig
from nautilus_trader.model.enums import AssetClass
from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.identifiers import Venue as NtVenue
from nautilus_trader.model.instruments import (
    BinaryOption,
    Cfd,
    CryptoPerpetual,
    CurrencyPair,
    Instrument,
    PerpetualContract,
)
from nautilus_trader.model.objects import Money, Price, Quantity

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError
from nautilus_orderfeeds.venues.base import MarketFeed, Venue
from nautilus_orderfeeds.venues.instruments import InstrumentKind, InstrumentSpec, places

_CLASSES: dict[str, type[Instrument]] = {
    cls.__name__: cls for cls in (BinaryOption, Cfd, CryptoPerpetual, CurrencyPair, PerpetualContract)
}
_KIND_OF: dict[type[Instrument], InstrumentKind] = {
    BinaryOption: InstrumentKind.BINARY_OPTION,
    Cfd: InstrumentKind.CFD,
    CryptoPerpetual: InstrumentKind.CRYPTO_PERPETUAL,
    CurrencyPair: InstrumentKind.CURRENCY_PAIR,
    PerpetualContract: InstrumentKind.PERPETUAL_CONTRACT,
}


def to_framework(spec: InstrumentSpec, venue: NtVenue, now_ns: int) -> Instrument:
    """Return the framework's instrument for a venue's definition."""
    price_precision = spec.price_precision if spec.price_precision is not None else places(spec.price_increment)
    size_precision = spec.size_precision if spec.size_precision is not None else places(spec.size_increment)

    def px(value: Decimal | None) -> Price | None:
        return None if value is None else convert.price(value, price_precision)

    def qty(value: Decimal | None) -> Quantity | None:
        return None if value is None else convert.quantity(value, size_precision)

    common: dict[str, Any] = {
        "instrument_id": InstrumentId(Symbol(spec.symbol), venue),
        "raw_symbol": Symbol(spec.raw_symbol),
        "price_precision": price_precision,
        "size_precision": size_precision,
        "price_increment": px(spec.price_increment),
        "size_increment": qty(spec.size_increment),
        "max_quantity": qty(spec.max_quantity),
        "min_quantity": qty(spec.min_quantity),
        "maker_fee": spec.maker_fee or Decimal(0),
        "taker_fee": spec.taker_fee or Decimal(0),
        "ts_event": now_ns,
        "ts_init": now_ns,
        "info": spec.info,
    }
    if spec.kind is InstrumentKind.BINARY_OPTION:
        return BinaryOption(
            **common,
            asset_class=AssetClass.ALTERNATIVE,
            currency=convert.currency(spec.quote),
            activation_ns=int(spec.info.get("activation_ns", 0)),
            expiration_ns=int(spec.info.get("expiration_ns", 0)),
            outcome=spec.info.get("outcome"),
            description=spec.info.get("description"),
        )
    notional = None if spec.min_notional is None else convert.money(spec.min_notional, spec.quote)
    common |= {
        "quote_currency": convert.currency(spec.quote),
        "base_currency": convert.currency(spec.base),
        "lot_size": qty(spec.size_increment),
        "min_notional": notional,
        "min_price": px(spec.min_price),
        "max_price": px(spec.max_price),
        "margin_init": spec.margin_init,
        "margin_maint": spec.margin_maint,
    }
    multiplier = Quantity.from_str(str(spec.multiplier))
    match spec.kind:
        case InstrumentKind.CURRENCY_PAIR:
            return CurrencyPair(**common, multiplier=multiplier)
        case InstrumentKind.CFD:
            return Cfd(**common, asset_class=AssetClass.FX)
        case InstrumentKind.CRYPTO_PERPETUAL:
            settlement = convert.currency(spec.settlement)
            return CryptoPerpetual(**common, multiplier=multiplier, settlement_currency=settlement, is_inverse=False)
        case InstrumentKind.PERPETUAL_CONTRACT:
            settlement = convert.currency(spec.settlement)
            return PerpetualContract(
                **common,
                multiplier=multiplier,
                settlement_currency=settlement,
                is_inverse=False,
                underlying=spec.base,
                asset_class=AssetClass.COMMODITY,
            )


def to_spec(instrument: Instrument) -> InstrumentSpec:
    """Return our definition of a framework instrument (those of the `instruments` file)."""
    base = instrument.get_base_currency()
    settlement = instrument.get_settlement_currency()

    def dec(value: Price | Quantity | Money | None) -> Decimal | None:
        return convert.decimal_of(value)

    return InstrumentSpec(
        symbol=instrument.id.symbol.value,
        raw_symbol=instrument.raw_symbol.value,
        kind=_KIND_OF[type(instrument)],
        base=base.code if base is not None else instrument.id.symbol.value,
        quote=instrument.quote_currency.code,
        settlement=settlement.code if settlement is not None else instrument.quote_currency.code,
        price_increment=instrument.price_increment.as_decimal(),
        size_increment=instrument.size_increment.as_decimal(),
        price_precision=instrument.price_precision,
        size_precision=instrument.size_precision,
        min_quantity=dec(instrument.min_quantity),
        max_quantity=dec(instrument.max_quantity),
        min_notional=dec(instrument.min_notional),
        min_price=dec(instrument.min_price),
        max_price=dec(instrument.max_price),
        multiplier=instrument.multiplier.as_decimal(),
        margin_init=instrument.margin_init,
        margin_maint=instrument.margin_maint,
        maker_fee=instrument.maker_fee,
        taker_fee=instrument.taker_fee,
        info=dict(instrument.info or {}),
    )


def load_file(path: str) -> list[Instrument]:
    """Read a JSON list of instruments in the framework's own dict form (``type(i).to_dict(i)``).

    Raises
    ------
    FatalFeedError
        Naming the file, the row, and what is wrong with it.
    """
    try:
        rows = msgspec.json.decode(Path(path).expanduser().read_bytes(), type=list[dict[str, Any]])
    except OSError as e:
        raise FatalFeedError(f"instruments file {path} cannot be read: {e.strerror}") from e
    except msgspec.DecodeError as e:
        raise FatalFeedError(f"instruments file {path} is not a JSON list of instrument objects: {e}") from e
    return from_rows(rows, f"instruments file {path}")


def from_rows(rows: Iterable[dict[str, Any]], where: str) -> list[Instrument]:
    """Return instruments given in the framework's own dict form; `where` they stand is for the message.

    Raises
    ------
    FatalFeedError
        Naming the row, and what is wrong with it.
    """
    found: list[Instrument] = []
    for n, row in enumerate(rows):
        cls = _CLASSES.get(str(row.get("type")))
        if cls is None:
            raise FatalFeedError(
                f"{where}, entry {n}: type is {row.get('type')!r}, expected one of {sorted(_CLASSES)}",
            )
        try:
            found.append(cls.from_dict(row))
        except Exception as e:
            raise FatalFeedError(f"{where}, entry {n} is not a valid {cls.__name__}: {e!r}") from e
    return found


class OrderFeedInstrumentProvider(InstrumentProvider):
    """Provides a venue's listing together with the instruments of the user's file.

    Parameters
    ----------
    source : Venue or MarketFeed
        Where the listing comes from.
    venue : nautilus_trader.model.identifiers.Venue
        The framework's venue.
    path : str, optional
        File of instruments; with it a missing or failing listing is a warning, not an error.
    clock : LiveClock
        The framework's clock.
    config : InstrumentProviderConfig
        The framework's loading options.
    """

    def __init__(
        self,
        source: Venue | MarketFeed,
        venue: NtVenue,
        path: str | None,
        clock: Any,
        config: InstrumentProviderConfig,
    ) -> None:
        super().__init__(config=config)
        self._source = source
        self._venue = venue
        self._path = path
        self._clock = clock

    async def load_all_async(self, filters: dict[str, Any] | None = None) -> None:
        """Load the listing and the file; an instrument of the file replaces one of the listing.

        Raises
        ------
        FatalFeedError
            If there is no instrument at all, or the file is wrong.
        FeedError
            If the listing cannot be read and there is no file.
        """
        from_file = load_file(self._path) if self._path else []
        try:
            listed = await self._source.instruments()
        except FeedError as e:
            if not from_file:
                raise
            self._log.warning(f"Instrument listing failed ({e}); going on with {len(from_file)} of {self._path}")
            listed = []
        now_ns = self._clock.timestamp_ns()
        for spec in listed:
            self.add(to_framework(spec, self._venue, now_ns))
        for instrument in from_file:
            if instrument.id.venue != self._venue:
                raise FatalFeedError(f"instruments file {self._path}: {instrument.id} is not of venue {self._venue}")
            self.add(instrument)
        if not self.count:
            raise FatalFeedError(
                f"no instruments for {self._venue}: the venue lists none, so the config field `instruments` "
                "must name a file of them",
            )
        for instrument in self.list_all():
            for code in (instrument.quote_currency, instrument.get_base_currency()):
                if code is not None:
                    self.add_currency(code)
        self._source.use_instruments([to_spec(instrument) for instrument in self.list_all()])

    async def load_ids_async(self, instrument_ids: list[InstrumentId], filters: dict[str, Any] | None = None) -> None:
        """Load all and keep those asked for.

        Raises
        ------
        FatalFeedError
            Naming the first instrument that does not exist.
        """
        await super().load_ids_async(instrument_ids, filters)
        for instrument_id in instrument_ids:
            if self.find(instrument_id) is None:
                raise FatalFeedError(f"unknown instrument {instrument_id}: {self._venue} does not list it")
