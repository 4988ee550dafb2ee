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
