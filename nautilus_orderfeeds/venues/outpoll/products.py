"""Instruments from open positions: no other message ties event, outcome, asset and names together (protocol, 5.10)."""

from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.venues.instruments import InstrumentKind, InstrumentSpec
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.entry import BASE_ASSET_ID, EVENT_ID, OUTCOME_ID, QUOTE_ASSET_ID
from nautilus_orderfeeds.venues.outpoll.words import QUOTE

IS_PRIMARY: Final = "primary"
_TICK: Final = Decimal("0.01")
_LOT: Final = Decimal("0.000001")
MIN_PRICE: Final = Decimal("0.01")
MAX_PRICE: Final = Decimal("0.99")


def spec_of(position: wire.OpenPosition, quote_asset_id: str) -> InstrumentSpec:
    """Return the instrument of a position (protocol, 13.1).

    Parameters
    ----------
    position : OpenPosition
        As decoded.
    quote_asset_id : str
        Of USDC: no position tells it, so it is taken from the other instruments; empty if nobody knows it.
    """
    return InstrumentSpec(
        symbol=position.ai,
        raw_symbol=position.ai,
        kind=InstrumentKind.BINARY_OPTION,
        base=position.ai,
        quote=QUOTE,
        settlement=QUOTE,
        price_increment=_TICK,
        size_increment=_LOT,
        price_precision=2,
        size_precision=6,
        info={
            EVENT_ID: position.ei,
            OUTCOME_ID: position.eoi,
            BASE_ASSET_ID: position.ai,
            QUOTE_ASSET_ID: quote_asset_id,
            IS_PRIMARY: position.ip,
            "outcome": position.on,
            "description": position.et,
            "token_name": position.tn,
        },
    )
