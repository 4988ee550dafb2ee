"""`orderfeeds run` at simulated venues and in the sandbox."""

import json
from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds.orders.journal_reader import JournalReader
from tests.support.cli_runs import run_command

pytestmark = pytest.mark.node

CONFIGS = Path(__file__).parents[2] / "examples" / "config"
QUICK = "\n[settings]\ntimeout_post_stop_secs = 1.0\n"


@pytest.fixture
def bsx(tmp_path: Path) -> Path:
    """The sample of BSX, with a short end."""
    path = tmp_path / "node.toml"
    text = (CONFIGS / "bsx_market_maker.toml").read_text()
    path.write_text(text.replace("\n[settings]\n", QUICK))
    return path


def ran(*arguments: str) -> dict[str, Any]:
    result = run_command("run", *arguments, "--json", secs=100)
    assert result.returncode == 0, result.stdout + result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_run_at_a_simulated_venue(bsx: Path):
    found = ran(str(bsx), "--simulate", "--duration", "2")
    assert found["mode"] == "simulated venue"
    assert found["venues"] == ["bsx"]
    assert sum(found["orders"].values()) >= 2
    assert found["open_orders"] == found["problems"] == []
    assert [(s["strategy_id"], s["state"], s["halted"]) for s in found["strategies"]] == [
        ("MarketMaker-000", "RUNNING", "")
    ]


def test_a_run_in_the_sandbox_on_simulated_prices(bsx: Path):
    found = ran(str(bsx), "--sandbox", "--simulate", "--duration", "2")
    assert found["mode"] == "sandbox on simulated prices"
    assert sum(found["orders"].values()) >= 2
    assert found["problems"] == []


def test_a_strategy_that_halts_is_a_problem(bsx: Path):
    bsx.write_text(bsx.read_text().replace("BTC-PERP.BSX", "NO-PERP.BSX"))
    result = run_command("run", str(bsx), "--simulate", "--duration", "1", secs=100)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "MarketMaker-000 halted: instrument NO-PERP.BSX is not in the cache" in result.stdout


def test_a_simulated_run_keeps_its_journal_apart_from_the_live_one(bsx: Path, tmp_path: Path):
    live, kept = tmp_path / "live.sqlite", tmp_path / "kept"
    bsx.write_text(bsx.read_text().replace('account = "001"', f'account = "001"\njournal = "{live}"'))
    arguments = ("run", str(bsx), "--simulate", "--duration", "1")
    result = run_command(*arguments, secs=100)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"journal {live} is for the venue itself" in result.stderr
    assert "--keep" in result.stderr

    result = run_command(*arguments, "--keep", str(kept), secs=100)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"journal: {kept / 'BSX.sqlite'}" in result.stderr
    assert not live.exists()
    with JournalReader(kept / "BSX.sqlite") as reader:
        assert reader.lifecycles().completed()

    again = run_command(*arguments, "--keep", str(kept))
    assert again.returncode == 2
    assert "has journals of an earlier run" in again.stderr


def test_keep_is_for_simulated_venues(bsx: Path, tmp_path: Path):
    result = run_command("run", str(bsx), "--sandbox", "--simulate", "--keep", str(tmp_path / "kept"))
    assert result.returncode == 2
    assert "--keep goes with --simulate alone" in result.stderr


def test_a_strategy_that_raises_at_its_start_is_named_as_the_cause(bsx: Path, tmp_path: Path):
    (tmp_path / "broken_start.py").write_text(
        "from nautilus_trader.trading.strategy import Strategy, StrategyConfig\n\n\n"
        "class BrokenConfig(StrategyConfig, frozen=True):\n    pass\n\n\n"
        "class Broken(Strategy):\n    def on_start(self):\n        raise KeyError('no such level')\n"
    )
    bsx.write_text('trader_id = "BROKEN-001"\n[venues.bsx]\n[[strategies]]\nstrategy = "broken_start:Broken"\n' + QUICK)
    result = run_command("run", str(bsx), "--simulate", "--duration", "1", secs=100)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "the strategies did not start (KeyError: 'no such level')" in result.stdout
