"""The framework side: the only room, beside the venues' doors and the command, that imports nautilus_trader.

What a strategy may use of it is public here; it is imported when it is asked for, because it brings the framework in.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nautilus_orderfeeds.adapter.custom_data import (
        FeedHealth,
        OrderFeedUpdate,
        OrderLifecycleUpdate,
        ProtectionUpdate,
        VenueEvent,
    )
    from nautilus_orderfeeds.adapter.data import OrderFeedDataClient
    from nautilus_orderfeeds.adapter.execution import OrderFeedExecutionClient
    from nautilus_orderfeeds.adapter.lifecycle import OrderLifecycles

__all__ = [
    "FeedHealth",
    "OrderFeedDataClient",
    "OrderFeedExecutionClient",
    "OrderFeedUpdate",
    "OrderLifecycleUpdate",
    "OrderLifecycles",
    "ProtectionUpdate",
    "VenueEvent",
]

_HOMES: Final = {
    "OrderFeedDataClient": "data",
    "OrderFeedExecutionClient": "execution",
    "OrderLifecycles": "lifecycle",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'custom_data')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
