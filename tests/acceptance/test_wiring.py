"""From a user's configuration to a running node: by JSON alone; and what a wrong configuration says, and how soon."""

import asyncio
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nautilus_trader.config import InstrumentProviderConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import InstrumentId

from nautilus_orderfeeds.orders.journal import Journal
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.faults import Fault
from tests.support.framework_log import FrameworkLog
from tests.support.nodes import Run, exec_tester, node_config, running_node
from tests.support.profiles import PROFILES, VenueProfile
from tests.support.scene import open_scene

pytestmark = [pytest.mark.node, pytest.mark.parametrize("profile", PROFILES, ids=str)]

N = {"enable_limit_buys": False, "enable_limit_sells": False}
#: How soon a cause must be told.
SOON_SECS = 5.0


# -- by JSON alone ----------------------------------------------------------------------------------------------------


def plain(config: Any) -> dict[str, Any]:
    """The fields of a client config as a user writes them in a JSON file."""
    fields = {name: getattr(config, name) for name in config.__struct_fields__}
    return {
        key: value
        for key, value in msgspec.to_builtins(fields, enc_hook=str).items()
        if key not in ("instrument_provider", "routing", "handle_revised_bars")
    }


async def test_importable_config(profile: VenueProfile):
    """Clients, factories and strategy are all named in JSON; nothing is registered by hand."""
    module = f"nautilus_orderfeeds.venues.{profile.name}"
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        text = json.dumps(
            {
                "trader_id": "TESTER-001",
                "exec_clients": {
                    profile.venue: {
                        "path": f"{module}:{profile.prefix}ExecClientConfig",
                        "config": plain(sim.exec_config(**profile.exec_options)),
                        "factory": {"path": f"{module}:{profile.prefix}LiveExecClientFactory"},
                    }
                },
                "data_clients": {
                    profile.venue: {
                        "path": f"{module}:{profile.prefix}DataClientConfig",
                        "config": plain(sim.data_config(**profile.data_options)),
                        "factory": {"path": f"{module}:{profile.prefix}LiveDataClientFactory"},
                    }
                },
                "strategies": [
                    {
                        "strategy_path": "nautilus_trader.test_kit.strategies.tester_exec:ExecTester",
                        "config_path": "nautilus_trader.test_kit.strategies.tester_exec:ExecTesterConfig",
                        "config": {
                            "instrument_id": profile.instrument,
                            "order_qty": profile.qty,
                            "tob_offset_ticks": profile.tob_offset_ticks,
                            "enable_limit_sells": profile.endow is None,
                            "log_data": False,
                            "subscribe_trades": "trades" in profile.market_data,
                        },
                    }
                ],
                "timeout_post_stop": 0.3,
            }
        )
        node = TradingNode(config=TradingNodeConfig.parse(text), loop=asyncio.get_running_loop())
        node.build()
        run = Run(node)
        task = asyncio.create_task(node.run_async())
        try:
            # The tester acts on the quotes of the data client.
            wanted = 2 if profile.endow is None else 1  # nothing to sell where nobody can sell short
            await run.until(lambda: run.names().count("OrderAccepted") == wanted, f"{wanted} orders accepted", 10.0)
            (strategy,) = node.trader.strategies()
            assert {order.status for order in run.cache.orders()} == {OrderStatus.ACCEPTED}
            strategy.stop()
            await run.until(lambda: not run.cache.orders_open(), "the orders to be canceled", 5.0)
            assert run.log.entries("ERROR") == []
        finally:
            await node.stop_async()
            await asyncio.wait({task}, timeout=10)
        assert sim.ledger.orders(is_open=True) == []


async def test_misspelt_field(profile: VenueProfile):
    config = getattr(profile.door, f"{profile.prefix}ExecClientConfig")
    with pytest.raises(msgspec.ValidationError, match="api_sekret"):
        config.parse(json.dumps({"api_sekret": "x"}))
    with pytest.raises(TypeError, match="api_sekret"):
        config(api_sekret="x")


# -- what is wrong is named, soon, and nothing is traded --------------------------------------------------------------


@asynccontextmanager
async def refused_start(
    profile: VenueProfile, sim: Any, overrides: Mapping[str, Any], *words: str
) -> AsyncIterator[FrameworkLog]:
    """Start a node that must not get to trading: the reason is in the log, soon, and no strategy runs."""
    config = node_config(
        {profile.venue: sim.exec_config(**{**profile.exec_options, **overrides})}, timeout_connection=0.4
    )
    tester = exec_tester(profile.instrument_id, profile.qty)
    requests = len(sim.requests)
    began = time.monotonic()
    async with running_node(
        config,
        exec_factories={profile.venue: profile.exec_factory},
        strategies=(tester,),
        wait_for_strategies=False,
    ) as run:
        await run.until(
            lambda: any(all(word in entry for word in words) for entry in run.log.entries("ERROR")),
            f"an error that says {words}",
            SOON_SECS,
        )
        assert time.monotonic() - began < SOON_SECS
        await asyncio.sleep(0.3)
        assert not tester.is_running
        assert not run.exec_client(profile.venue).is_connected
        assert run.cache.orders() == []
        yield run.log
    assert not tester.is_running
    assert not {(request.method, request.path) for request in sim.requests[requests:]} & profile.order_entry


def without_environment(profile: VenueProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(f"{profile.venue}_"):
            monkeypatch.delenv(name)


async def test_missing_credential(profile: VenueProfile, monkeypatch: pytest.MonkeyPatch):
    """Each credential by its own name and its environment variable; what is there is not shown."""
    without_environment(profile, monkeypatch)
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        for field in profile.secrets:
            variable = f"{profile.venue}_{field.upper()}"
            async with refused_start(profile, sim, {field: None}, field, variable):
                pass


async def test_credential_from_the_environment(profile: VenueProfile, monkeypatch: pytest.MonkeyPatch):
    without_environment(profile, monkeypatch)
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        for field in profile.secrets:
            monkeypatch.setenv(f"{profile.venue}_{field.upper()}", str(sim.credentials()[field]))
        config = dict.fromkeys(profile.secrets)
        async with open_scene(profile, sim=sim, exec_options=config, **N) as scene:
            order = scene.limit()
            scene.submit(order)
            await scene.accepted(order)


async def test_unreachable_host(profile: VenueProfile):
    if not profile.has_rest:
        pytest.skip("the stream is all there is to reach: see test_unreachable_stream")
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        url = sim.base_url_http
        overrides = {"base_url_http": url, "request_timeout_secs": 1.0}
        sim.pause()
        async with refused_start(profile, sim, overrides, "cannot reach", url):
            pass


async def test_unreachable_stream(profile: VenueProfile):
    """REST works, the stream does not: also named, and no order without a private feed."""
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        overrides = {"base_url_ws": "ws://127.0.0.1:1/ws", "start_timeout_secs": 2.0}
        async with refused_start(
            profile, sim, overrides, f"Cannot connect to {profile.venue}", "Connect call failed", "127.0.0.1"
        ):
            pass


async def test_refused_login(profile: VenueProfile):
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        for overrides, words in profile.bad_logins.values():
            async with refused_start(profile, sim, overrides, words) as log:
                for field, value in overrides.items():
                    assert field not in profile.secrets or str(value) not in log.text()


async def test_unknown_instrument(profile: VenueProfile):
    unknown = f"NOSUCH.{profile.venue}"
    provider = InstrumentProviderConfig(load_ids=frozenset({InstrumentId.from_str(unknown)}))
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with refused_start(profile, sim, {"instrument_provider": provider}, unknown):
            pass


@pytest.fixture
def locked_journal(profile: VenueProfile, tmp_path: Path) -> Iterator[str]:
    """A journal that another process has open."""
    path = str(tmp_path / "journal.db")
    script = (
        "import sys; from nautilus_orderfeeds.orders.journal import Journal; "
        "journal = Journal(sys.argv[1], sys.argv[2]); print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, path, profile.account_id.value],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "open"
    yield path
    holder.communicate("")


async def test_journal_locked_by_another_process(profile: VenueProfile, locked_journal: str):
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        overrides = {"journal": locked_journal}
        async with refused_start(profile, sim, overrides, locked_journal, "in use by another process"):
            pass


async def test_journal_corrupt(profile: VenueProfile, tmp_path: Path):
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is no database" * 500)
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with refused_start(profile, sim, {"journal": str(path)}, str(path), "not a readable journal"):
            pass
    assert path.read_bytes() == b"this is no database" * 500  # kept for inspection


async def test_journal_of_another_account(profile: VenueProfile, tmp_path: Path):
    path = str(tmp_path / "journal.db")
    Journal(path, "OTHER-007").close()
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with refused_start(profile, sim, {"journal": path}, path, "OTHER-007"):
            pass


async def test_journal_folder_that_cannot_be(profile: VenueProfile, tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    path = str(blocked / "journal.db")
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with refused_start(profile, sim, {"journal": path}, path):
            pass


# -- secrets ----------------------------------------------------------------------------------------------------------


async def test_no_secret_is_shown(profile: VenueProfile, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Neither in a log line (from DEBUG up), nor in a repr, an error, the journal or a recording."""
    caplog.set_level(logging.DEBUG)
    journal, record = tmp_path / "journal.db", tmp_path / "frames.jsonl"
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        secrets = [str(sim.credentials()[field]) for field in profile.secrets]
        secrets += [secret.removeprefix("0x") for secret in secrets]
        config = sim.exec_config(**profile.exec_options)
        options = {"journal": str(journal), "record": str(record), "request_timeout_secs": 0.5}
        log = FrameworkLog()
        async with open_scene(profile, sim=sim, exec_options=options, with_data=True, **N) as scene:
            scene.expected_errors.append(".")
            kept, lost = scene.limit(), scene.limit(ticks=60)
            scene.submit(kept)
            await scene.accepted(kept)
            for fault in (Fault.LOST_ANSWER, Fault.ERROR_AFTER_EFFECT, Fault.GARBAGE):
                scene.sim.faults.once(fault, where=" ".join(profile.submit))
                lost = scene.limit(ticks=60)
                scene.submit(lost)
                await scene.accepted(lost)
            scene.sim.disconnect_all()
            await scene.until(lambda: not scene.is_live, "the feed to notice")
            await scene.live()
            shown = [repr(scene.client._venue), repr(scene.client._config), str(scene.client._config)]
            shown += [repr(scene.run.node.kernel._config), repr(scene.session), repr(vars(scene.client._venue))]
        for overrides, words in profile.bad_logins.values():
            secrets += [str(value) for key, value in overrides.items() if key in profile.secrets]
            async with refused_start(profile, sim, overrides, words):
                pass
    shown += [repr(config), str(config), f"{config}", str(node_config({profile.venue: config}))]
    shown += [log.text(), caplog.text, journal.read_bytes().decode("latin-1"), record.read_text()]
    assert "ExecClientConfig" in shown[1]
    assert len(shown[-4]) > 10_000
    for secret in secrets:
        for n, text in enumerate(shown):
            assert secret not in text, f"a secret is shown in text {n}: ...{text[: text.index(secret)][-300:]}"
