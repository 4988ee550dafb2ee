"""Roxom: perpetual contracts priced, margined and settled in bitcoin (order entry over REST, one account stream)."""

from typing import TYPE_CHECKING

from nautilus_orderfeeds.venues.lazy import lazy_door

if TYPE_CHECKING:
    from nautilus_orderfeeds.venues.roxom.door import (
        DOOR,
        ROXOM,
        ROXOM_CLIENT_ID,
        ROXOM_VENUE,
        RoxomDataClientConfig,
        RoxomExecClientConfig,
        RoxomLiveDataClientFactory,
        RoxomLiveExecClientFactory,
    )

__all__ = [
    "DOOR",
    "ROXOM",
    "ROXOM_CLIENT_ID",
    "ROXOM_VENUE",
    "RoxomDataClientConfig",
    "RoxomExecClientConfig",
    "RoxomLiveDataClientFactory",
    "RoxomLiveExecClientFactory",
]

__getattr__, __dir__ = lazy_door(__name__, __all__)
