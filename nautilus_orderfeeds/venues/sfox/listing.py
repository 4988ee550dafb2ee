"""Reading the listing: the pairs, and what makes them instruments."""

import logging
from functools import partial

from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.api import SfoxApi
from nautilus_orderfeeds.venues.sfox.products import decode_currencies, decode_fee_rates, decode_pairs
from nautilus_orderfeeds.venues.sfox.settings import SfoxSettings
from nautilus_orderfeeds.venues.sfox.words import VENUE

_log = logging.getLogger(__name__)


async def read_listing(api: SfoxApi, settings: SfoxSettings) -> list[InstrumentSpec]:
    """Read the tradable pairs; currencies and fee rates that cannot be read are logged and done without.

    Raises
    ------
    FeedError
        If the pairs cannot be read.
    """
    fiat: dict[str, bool] = {}
    fees = wire.FeeRates()
    try:
        fiat = await api.read("/v1/currency", decode_currencies)
    except FeedError as exc:
        _log.warning("%s: which currencies are fiat is guessed by their names: %s", VENUE, exc)
    try:
        fees = await api.read("/v1/account/fee-rates", decode_fee_rates)
    except FeedError as exc:
        _log.warning("%s: the account's fee rates are not known: %s", VENUE, exc)
    decode = partial(decode_pairs, settings=settings, fiat=fiat, fees=fees)
    return await api.read("/v1/markets/currency-pairs", decode)
