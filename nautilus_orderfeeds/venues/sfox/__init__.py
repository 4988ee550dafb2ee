"""sFOX: spot crypto through a prime dealer (orders over REST; two private feeds; enterprise keys for many accounts)."""

from typing import TYPE_CHECKING

from nautilus_orderfeeds.venues.lazy import lazy_door

if TYPE_CHECKING:
    from nautilus_orderfeeds.venues.sfox.door import (
        DOOR,
        SFOX,
        SFOX_CLIENT_ID,
        SFOX_VENUE,
        SfoxDataClientConfig,
        SfoxExecClientConfig,
        SfoxLiveDataClientFactory,
        SfoxLiveExecClientFactory,
    )

__all__ = [
    "DOOR",
    "SFOX",
    "SFOX_CLIENT_ID",
    "SFOX_VENUE",
    "SfoxDataClientConfig",
    "SfoxExecClientConfig",
    "SfoxLiveDataClientFactory",
    "SfoxLiveExecClientFactory",
]

__getattr__, __dir__ = lazy_door(__name__, __all__)
