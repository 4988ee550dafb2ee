"""The simulated Outpoll as what hands out configs and instruments, and as a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import aiohttp
import msgspec
import pytest
from nautilus_trader.model.instruments import BinaryOption

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, QUOTE_ASSET
from nautilus_orderfeeds.venues.outpoll.twin_words import UpdateMeaning


async def test_the_instruments_file_is_the_frameworks_own() -> None:
    async with simulate("outpoll", fee_rate="0.001") as sim:
        path = Path(str(sim.twin.config_fields()["instruments"]))
        rows = json.loads(path.read_text())
        assert len(rows) == len(ASSETS) >= 2
        for row in rows:
            instrument = BinaryOption.from_dict(row)
            assert BinaryOption.to_dict(instrument) == row
            asset = ASSETS[instrument.raw_symbol.value]
            assert instrument.id.value == f"{asset.asset_id}.OUTPOLL"
            assert (instrument.price_precision, instrument.size_precision) == (2, 6)
            assert instrument.price_increment.as_decimal() == Decimal("0.01")
            assert instrument.quote_currency.code == "USDC"
            assert instrument.expiration_ns > sim.clock.now_ns()
            assert instrument.info == {
                "event_id": asset.outcome.event.event_id,
                "outcome_id": asset.outcome.outcome_id,
                "base_asset_id": asset.asset_id,
                "quote_asset_id": QUOTE_ASSET,
                "primary": asset.is_primary,
                "name": asset.name,
                "token": asset.token,
            }
    assert not path.exists()


class _Exec(msgspec.Struct, kw_only=True):
    base_url_http: str
    base_url_ws: str
    api_key: str
    api_secret: str
    instruments: str
    journal: str = ""


class _Data(msgspec.Struct, kw_only=True):
    base_url_http: str
    base_url_ws: str
    instruments: str


async def test_configs_get_urls_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    door = ModuleType("nautilus_orderfeeds.venues.outpoll")
    door.OutpollExecClientConfig = _Exec  # type: ignore[attr-defined]
    door.OutpollDataClientConfig = _Data  # type: ignore[attr-defined]
    async with simulate("outpoll", seed=3, market_flow=False) as sim:
        monkeypatch.setitem(sys.modules, door.__name__, door)
        config = sim.exec_config()
        assert config.base_url_ws == f"ws://127.0.0.1:{sim.server.port}"
        assert config.base_url_http == f"http://127.0.0.1:{sim.server.port}"
        assert {"api_key": config.api_key, "api_secret": config.api_secret} == sim.credentials()
        assert Path(sim.data_config().instruments).exists()


async def test_it_runs_as_a_process() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nautilus_orderfeeds.sim", "outpoll", "--seed", "7", "--accounts", "2"),
        *("--option", "balance=5.5", "--option", "update_meaning=b", "--option", 'fields={"trade":{"price":"x"}}'),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert line["credentials"] == simulate("outpoll", seed=7).credentials()
    assert Path(line["config_fields"]["instruments"]).exists()
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{line['base_url_http']}/api/history/orders") as response:
            assert response.status == 401
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert process.stderr is not None
    assert await process.stderr.read() == b""
    assert not Path(line["config_fields"]["instruments"]).exists()


def test_seeds_make_different_credentials_and_the_same_seed_the_same() -> None:
    assert simulate("outpoll", seed=1).credentials() == simulate("outpoll", seed=1).credentials()
    assert simulate("outpoll", seed=1).credentials() != simulate("outpoll", seed=2).credentials()


def test_options_take_plain_values_and_refuse_unknown_ones() -> None:
    options = OutpollTwinOptions(balance=7, update_meaning="c")  # type: ignore[arg-type]
    assert (options.balance, options.update_meaning) == (Decimal(7), UpdateMeaning.BOTH)
    with pytest.raises(ValueError, match="sometimes"):
        OutpollTwinOptions(pong_mode="sometimes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tpsl_delay_secs"):
        OutpollTwinOptions(tpsl_delay_secs=0)
    with pytest.raises(TypeError, match="no_such_switch"):
        simulate("outpoll", no_such_switch=True)


def test_no_secret_is_shown() -> None:
    sim = simulate("outpoll", seed=1)
    secret = str(sim.credentials()["api_secret"])
    keyring = sim.twin._keyring  # type: ignore[attr-defined]
    assert secret not in repr(list(keyring.keys.values()))
