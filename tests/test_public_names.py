"""The public names users rely on (design, "Public surface"): pinned."""

import importlib

import pytest

from nautilus_orderfeeds.venues import registry


@pytest.mark.parametrize("venue", registry.names())
def test_door_has_the_names_of_the_design(venue: str) -> None:
    door = importlib.import_module(f"nautilus_orderfeeds.venues.{venue}")
    prefix = {"bsx": "Bsx", "acttrader": "ActTrader", "sfox": "Sfox", "roxom": "Roxom", "outpoll": "Outpoll"}[venue]
    upper = venue.upper()
    expected = {
        upper,
        f"{upper}_VENUE",
        f"{upper}_CLIENT_ID",
        f"{prefix}DataClientConfig",
        f"{prefix}ExecClientConfig",
        f"{prefix}LiveDataClientFactory",
        f"{prefix}LiveExecClientFactory",
    }
    assert expected <= set(door.__all__)
    assert getattr(door, upper) == upper
    assert getattr(door, f"{upper}_VENUE").value == upper
    assert getattr(door, f"{upper}_CLIENT_ID").value == upper
    for name in door.__all__:
        assert getattr(door, name) is not None


def test_what_a_strategy_may_use() -> None:
    """Custom data types, and the collector of order lifecycles."""
    adapter = importlib.import_module("nautilus_orderfeeds.adapter")
    assert set(adapter.__all__) >= {
        "OrderFeedDataClient",
        "OrderFeedExecutionClient",
        "FeedHealth",
        "OrderFeedUpdate",
        "OrderLifecycleUpdate",
        "OrderLifecycles",
        "ProtectionUpdate",
        "VenueEvent",
    }
    for name in adapter.__all__:
        assert getattr(adapter, name).__name__ == name
    for method in ("active", "completed", "in_flight", "by_symbol", "statistics", "on_rejected", "on_completed"):
        assert callable(getattr(adapter.OrderLifecycles, method))


def test_lifecycles_without_the_framework() -> None:
    tracker = importlib.import_module("nautilus_orderfeeds.orders.lifecycle_tracker")
    lifecycle = importlib.import_module("nautilus_orderfeeds.orders.lifecycle")
    assert {"Phase", "Ending", "Move", "OrderLifecycle"} <= set(dir(lifecycle))
    assert len(tracker.LifecycleTracker()) == 0
