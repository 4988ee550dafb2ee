"""ActTrader: FX and CFD broker platforms; orders over their clearing service's WebSocket, in either dialect."""

from typing import TYPE_CHECKING

from nautilus_orderfeeds.venues.lazy import lazy_door

if TYPE_CHECKING:
    from nautilus_orderfeeds.venues.acttrader.door import (
        ACTTRADER,
        ACTTRADER_CLIENT_ID,
        ACTTRADER_VENUE,
        DOOR,
        ActTraderDataClientConfig,
        ActTraderExecClientConfig,
        ActTraderLiveDataClientFactory,
        ActTraderLiveExecClientFactory,
    )

__all__ = [
    "ACTTRADER",
    "ACTTRADER_CLIENT_ID",
    "ACTTRADER_VENUE",
    "DOOR",
    "ActTraderDataClientConfig",
    "ActTraderExecClientConfig",
    "ActTraderLiveDataClientFactory",
    "ActTraderLiveExecClientFactory",
]

__getattr__, __dir__ = lazy_door(__name__, __all__)
