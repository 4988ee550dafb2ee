"""Factories: a venue's door makes two classes of them, with nothing but its `Door` inside."""

import asyncio
from typing import Any, ClassVar

from nautilus_trader.live.factories import LiveDataClientFactory, LiveExecClientFactory

from nautilus_orderfeeds.adapter.data import OrderFeedDataClient
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.execution import OrderFeedExecutionClient


class OrderFeedLiveDataClientFactory(LiveDataClientFactory):
    """Makes the data client of the venue behind `door`."""

    door: ClassVar[Door]

    @classmethod
    def create(
        cls,
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: Any,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> OrderFeedDataClient:
        """Return a new data client."""
        return OrderFeedDataClient(
            loop=loop, name=name, config=config, door=cls.door, msgbus=msgbus, cache=cache, clock=clock
        )


class OrderFeedLiveExecClientFactory(LiveExecClientFactory):
    """Makes the execution client of the venue behind `door`.

    A subclass must carry its own name in `__name__`: the framework's node builder reads ``factory.__name__`` also of
    an instance, which has none otherwise (guide, section 11).
    """

    door: ClassVar[Door]

    @classmethod
    def create(
        cls,
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: Any,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> OrderFeedExecutionClient:
        """Return a new execution client."""
        return OrderFeedExecutionClient(
            loop=loop, name=name, config=config, door=cls.door, msgbus=msgbus, cache=cache, clock=clock
        )
