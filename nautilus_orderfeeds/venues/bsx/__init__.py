"""BSX: perpetual futures, quoted and settled in USDC (order entry over REST, one private stream of orders)."""

from typing import TYPE_CHECKING

from nautilus_orderfeeds.venues.lazy import lazy_door

if TYPE_CHECKING:
    from nautilus_orderfeeds.venues.bsx.door import (
        BSX,
        BSX_CLIENT_ID,
        BSX_VENUE,
        DOOR,
        BsxDataClientConfig,
        BsxExecClientConfig,
        BsxLiveDataClientFactory,
        BsxLiveExecClientFactory,
    )

__all__ = [
    "BSX",
    "BSX_CLIENT_ID",
    "BSX_VENUE",
    "DOOR",
    "BsxDataClientConfig",
    "BsxExecClientConfig",
    "BsxLiveDataClientFactory",
    "BsxLiveExecClientFactory",
]

__getattr__, __dir__ = lazy_door(__name__, __all__)
