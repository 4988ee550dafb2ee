"""`orderfeeds run --live`: what it checks and asks before anything is sent. The venue is a simulation elsewhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nautilus_orderfeeds.cli import cli
from tests.support.cli_runs import SimProcess, run_command, simulated_bsx

pytestmark = pytest.mark.node

NAMES = ("BSX_API_KEY", "BSX_API_SECRET", "BSX_SIGNER_KEY", "BSX_WALLET_ADDRESS")


@pytest.fixture(scope="module")
def sim() -> Iterator[SimProcess]:
    with simulated_bsx() as running:
        yield running


@pytest.fixture
def config(sim: SimProcess, tmp_path: Path) -> Path:
    """A file that takes the simulation for the live venue."""
    path = tmp_path / "node.toml"
    path.write_text(
        f"""
        [venues.bsx]
        base_url_http = "{sim.http}"
        base_url_ws = "{sim.ws}"
        [venues.bsx.exec]
        account = "042"
        journal = ":memory:"
        [[strategies]]
        strategy = "strategies.market_maker:MarketMaker"
        [strategies.config]
        instrument_id = "BTC-PERP.BSX"
        order_qty = "0.01"
        half_spread_ticks = 20
        [settings]
        timeout_post_stop_secs = 1.0
        """
    )
    return path


def live(config: Path, variables: dict[str, str], typed: str = "") -> Result:
    cleared: dict[str, Any] = dict.fromkeys(NAMES)
    arguments = ["run", str(config), "--live", "--duration", "2", "--json"]
    return CliRunner().invoke(cli, arguments, env={**cleared, **variables}, input=typed)


def test_without_credentials_it_says_so_and_asks_nothing(config: Path):
    result = live(config, {}, "BSX-042\n")
    assert result.exit_code == 2
    assert "BSX_API_KEY" in result.stderr
    assert "Type" not in result.stderr


@pytest.mark.parametrize("typed", ["", "\n", "yes\n", "BSX-001\n", "bsx-042\n"])
def test_it_needs_the_name_of_the_account(sim: SimProcess, config: Path, typed: str):
    result = live(config, sim.variables, typed)
    assert result.exit_code == 2
    assert "REAL MONEY" in result.stderr
    assert "not confirmed: expected 'BSX-042'" in result.stderr
    shown = result.stdout + result.stderr
    assert not [value for name, value in sim.variables.items() if "WALLET" not in name and value in shown]


def test_confirmed_it_trades(sim: SimProcess, config: Path):
    arguments = ["run", str(config), "--live", "--yes-trade-live", "--duration", "2"]
    result = run_command(*arguments, env=sim.variables, secs=100)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "live: connecting to BSX" in result.stdout
    assert "OrderAccepted" in result.stdout
    assert "all is well" in result.stdout


def test_several_venues_in_one_node(tmp_path: Path):
    sample = (Path(__file__).parents[2] / "examples" / "config" / "monitor_two_venues.json").read_text()
    path = tmp_path / "node.json"
    path.write_text(sample.replace('"log_level": "INFO"', '"log_level": "INFO", "timeout_post_stop_secs": 0.5'))
    result = run_command("run", str(path), "--simulate", "--duration", "1", "--json", secs=100)
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(result.stdout)
    assert found["venues"] == ["bsx", "roxom"]
    assert found["problems"] == []
