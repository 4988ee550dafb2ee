"""What all settings have in common: what is missing is named with its variable, and nothing secret is shown."""

from typing import ClassVar

import pytest

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.opened import opened
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.settings import AccountSettings


class TideSettings(AccountSettings, frozen=True, kw_only=True):
    venue: ClassVar[str] = "TIDE"

    base_url_http: str = "http://tide"
    base_url_ws: str = "ws://tide"
    env_prefix: str = "TIDE_SANDBOX_"
    api_key: str = ""
    api_secret: Secret = Secret("")


def test_what_was_given_is_not_asked_for():
    TideSettings(api_key="k", api_secret=Secret("s")).require("api_key", "api_secret")


@pytest.mark.parametrize(
    ("settings", "also", "missing"),
    [
        (
            TideSettings(),
            (),
            "api_key (or TIDE_SANDBOX_API_KEY in the environment), "
            "api_secret (or TIDE_SANDBOX_API_SECRET in the environment)",
        ),
        (TideSettings(api_key="k"), (), "api_secret (or TIDE_SANDBOX_API_SECRET in the environment)"),
        (TideSettings(api_key="k", api_secret=Secret("s")), ("a wallet",), "a wallet"),
    ],
)
def test_what_is_missing_is_named(settings: TideSettings, also: tuple[str, ...], missing: str):
    with pytest.raises(FatalFeedError) as raised:
        settings.require("api_key", "api_secret", also=also)
    assert str(raised.value) == f"TIDE: missing {missing}"


def test_no_credential_is_shown():
    settings = TideSettings(api_key="opensesame", api_secret=Secret("opensesame"))
    assert repr(settings) == str(settings) == "TideSettings(http://tide, ws://tide)"


def test_a_part_is_there_only_while_the_venue_is_open():
    part = object()
    assert opened(part, "TIDE") is part
    with pytest.raises(FatalFeedError, match="TIDE: the venue is not open"):
        opened(None, "TIDE")
