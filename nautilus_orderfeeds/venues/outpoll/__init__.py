"""Outpoll: outcome shares of a prediction market, traded against USDC (orders over REST, streams that only hint)."""

from typing import TYPE_CHECKING

from nautilus_orderfeeds.venues.lazy import lazy_door

if TYPE_CHECKING:
    from nautilus_orderfeeds.venues.outpoll.door import (
        DOOR,
        OUTPOLL,
        OUTPOLL_CLIENT_ID,
        OUTPOLL_VENUE,
        OutpollDataClientConfig,
        OutpollExecClientConfig,
        OutpollLiveDataClientFactory,
        OutpollLiveExecClientFactory,
    )

__all__ = [
    "DOOR",
    "OUTPOLL",
    "OUTPOLL_CLIENT_ID",
    "OUTPOLL_VENUE",
    "OutpollDataClientConfig",
    "OutpollExecClientConfig",
    "OutpollLiveDataClientFactory",
    "OutpollLiveExecClientFactory",
]

__getattr__, __dir__ = lazy_door(__name__, __all__)
