"""`orderfeeds run` at simulated venues and in the sandbox."""

import json
from pathlib import Path
from typing import Any

import pytest

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
