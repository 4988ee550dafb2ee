"""The configuration users are promised (design, "Public surface"), taken literally, for every venue."""

import importlib
import typing

import msgspec
import pytest
from nautilus_trader.common.config import ImportableConfig
from nautilus_trader.config import LiveDataClientConfig, LiveExecClientConfig

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues import registry

PREFIXES = {"bsx": "Bsx", "acttrader": "ActTrader", "sfox": "Sfox", "roxom": "Roxom", "outpoll": "Outpoll"}

COMMON = {
    "environment": "live",
    "base_url_http": "http://127.0.0.1:1",
    "base_url_ws": "ws://127.0.0.1:1/ws",
    "instruments": "instruments.json",
    "stale_after_secs": 15,
}
EXEC = {
    "starting_balances": ["100000 USD", "2 BTC"],
    "journal": ":memory:",
    "settle_secs": 1,
    "account": "007",
}
CREDENTIALS = {
    "outpoll": {"api_key": "k", "api_secret": "s"},
    "bsx": {"api_key": "k", "api_secret": "s", "wallet_address": "0x" + "1" * 40, "signer_key": "0x" + "2" * 64},
    "roxom": {"api_key": "k", "private_key": "pem", "api_secret": "s"},
    "sfox": {"api_key": "k", "enterprise": True, "user_id": "u-1"},
    "acttrader": {
        "dialect": "final",
        "login": "12",
        "auth_headers": {"Authorization": "Bearer hidden"},
        "auth_message": "hello",
    },
}
SECRETS = {"api_secret", "signer_key", "private_key", "auth_headers", "auth_message"}


def door(venue):
    return importlib.import_module(f"nautilus_orderfeeds.venues.{venue}")


def kinds(venue):
    return [
        (getattr(door(venue), f"{PREFIXES[venue]}ExecClientConfig"), COMMON | EXEC | CREDENTIALS[venue]),
        (getattr(door(venue), f"{PREFIXES[venue]}DataClientConfig"), COMMON),
    ]


def test_every_venue_of_the_design_has_its_door():
    assert set(registry.names()) == set(PREFIXES)


@pytest.mark.parametrize("venue", PREFIXES)
@pytest.mark.parametrize("number", [2, 0.5])
def test_every_field_is_there_and_takes_its_type(venue, number):
    for kind, fields in kinds(venue):
        fields = fields | {"stale_after_secs": number}
        if "settle_secs" in fields:
            fields["settle_secs"] = number
        config = kind(**fields)
        for name, value in fields.items():
            assert getattr(config, name) == value
        assert hash(config.id)
        assert issubclass(kind, LiveExecClientConfig | LiveDataClientConfig)


@pytest.mark.parametrize("venue", PREFIXES)
def test_all_is_optional(venue):
    for kind, fields in kinds(venue):
        config = kind()
        assert config.environment == "live"
        for name in fields.keys() & {"base_url_http", "base_url_ws", "instruments", "starting_balances", "journal"}:
            assert getattr(config, name) is None
        for name in CREDENTIALS[venue].keys() & fields.keys() - {"enterprise", "dialect"}:
            assert getattr(config, name) is None
        if "account" in fields:
            assert config.account == "001"


@pytest.mark.parametrize("venue", PREFIXES)
def test_it_may_come_as_json(venue):
    for kind, fields in kinds(venue):
        row = {"path": f"nautilus_orderfeeds.venues.{venue}:{kind.__name__}", "config": fields}
        config = ImportableConfig.parse(msgspec.json.encode(row)).create()
        assert type(config) is kind
        assert config == kind(**fields)
        assert kind.parse(config.json()) == config


@pytest.mark.parametrize("venue", PREFIXES)
def test_no_secret_is_shown(venue):
    for kind, fields in kinds(venue):
        hidden = {name: f"very-{name}-secret" for name in fields.keys() & SECRETS}
        if "auth_headers" in hidden:
            hidden["auth_headers"] = {"Authorization": "very-auth_headers-secret"}
        shown = repr(kind(**(fields | hidden)))
        assert "very-" not in shown


@pytest.mark.parametrize("venue", PREFIXES)
async def test_a_simulation_offers_ready_made_ones(venue):
    async with simulate(venue, market_flow=False) as sim:
        config, data = sim.exec_config(settle_secs=2), sim.data_config(stale_after_secs=3)
        assert type(config) is kinds(venue)[0][0]
        assert type(data) is kinds(venue)[1][0]
        assert (config.settle_secs, data.stale_after_secs) == (2, 3)
        assert config.journal == ":memory:"
        for one in (config, data):
            assert type(one).parse(one.json()) == one


@pytest.mark.parametrize("venue", PREFIXES)
def test_numbers_of_seconds_are_annotated_as_such(venue):
    for kind, _ in kinds(venue):
        hints = typing.get_type_hints(kind)
        for name in hints.keys() & {"settle_secs", "stale_after_secs"}:
            assert hints[name] is float
