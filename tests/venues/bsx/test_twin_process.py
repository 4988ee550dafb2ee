"""The simulated BSX as a process of its own, and as what hands out configs."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from types import ModuleType

import aiohttp
import msgspec
import pytest

from nautilus_orderfeeds.sim import simulate


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_it_prints_its_address_and_ends_on_a_signal(ending: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nautilus_orderfeeds.sim", "bsx", "--seed", "7", "--accounts", "2"),
        *("--no-flow", "--option", "optional_fields=false", "--option", "balance=5", "--option", "active_key=neither"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert line["base_url_ws"] == line["base_url_http"].replace("http", "ws") + "/ws"
    assert line["credentials"] == simulate("bsx", seed=7).credentials()
    headers = {"bsx-key": line["credentials"]["api_key"], "bsx-secret": line["credentials"]["api_secret"]}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(f"{line['base_url_http']}/portfolio/detail") as response:
            assert (await response.json())["summary"]["usdc_balance"] == "5"
        async with session.ws_connect(line["base_url_ws"]) as socket:
            assert "connection_id" in await socket.receive_json()
            process.send_signal(ending)
            assert await asyncio.wait_for(process.wait(), 10) == 0
    assert process.stderr is not None
    assert await process.stderr.read() == b""


def test_seeds_make_different_credentials_and_the_same_seed_the_same() -> None:
    assert simulate("bsx", seed=1).credentials() == simulate("bsx", seed=1).credentials()
    assert simulate("bsx", seed=1).credentials() != simulate("bsx", seed=2).credentials()


def test_an_unknown_switch_is_an_error() -> None:
    with pytest.raises(TypeError, match="no_such_switch"):
        simulate("bsx", no_such_switch=True)
    with pytest.raises(ValueError, match="sometimes"):
        simulate("bsx", active_key="sometimes")


def test_an_unknown_venue_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        simulate("nowhere")


class _Exec(msgspec.Struct, kw_only=True):
    base_url_http: str
    base_url_ws: str
    api_key: str
    api_secret: str
    wallet_address: str
    signer_key: str
    journal: str = ""
    settle_secs: float = 1.0


class _Data(msgspec.Struct, kw_only=True):
    base_url_http: str
    base_url_ws: str


async def test_configs_get_urls_and_only_the_fields_they_know(monkeypatch: pytest.MonkeyPatch) -> None:
    door = ModuleType("nautilus_orderfeeds.venues.bsx")
    door.BsxExecClientConfig = _Exec  # type: ignore[attr-defined]
    door.BsxDataClientConfig = _Data  # type: ignore[attr-defined]
    async with simulate("bsx", seed=3, market_flow=False) as sim:
        monkeypatch.setitem(sys.modules, door.__name__, door)
        config = sim.exec_config(settle_secs=5.0)
        assert (config.base_url_http, config.base_url_ws) == (sim.base_url_http, sim.base_url_ws)
        assert config.wallet_address == sim.ledger.main_account
        assert (config.journal, config.settle_secs) == (":memory:", 5.0)
        assert sim.data_config() == _Data(base_url_http=sim.base_url_http, base_url_ws=sim.base_url_ws)


async def test_a_failure_of_the_simulation_itself_is_raised_at_its_end() -> None:
    with pytest.raises(BaseExceptionGroup, match="simulated venue itself failed"):
        async with simulate("bsx", market_flow=False) as sim:
            sim.server.failures.append(ZeroDivisionError("a bug"))
