"""`orderfeeds run`: checked files, and where to trade must be said. (Runs: `test_run_modes`, `test_run_live`.)"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nautilus_orderfeeds.cli import cli

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "examples" / "config").iterdir())
BSX = str(ROOT / "examples" / "config" / "bsx_market_maker.toml")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["run", *arguments])


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_samples_are_right(path: Path):
    result = invoke(str(path), "--check", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["ok"]


def test_samples_cover_every_venue_and_strategy():
    told = [json.loads(invoke(str(path), "--check", "--json").stdout) for path in CONFIGS]
    assert {name for found in told for name in found["venues"]} == {"acttrader", "bsx", "outpoll", "roxom", "sfox"}
    classes = {path.rsplit(":")[-1] for found in told for path in found["strategies"]}
    assert classes == {"MarketMaker", "LimitLadder", "OcoBreakout", "TwapIceberg", "Guard", "Monitor"}


def test_problems_are_told_with_file_and_line(tmp_path: Path):
    path = tmp_path / "node.toml"
    path.write_text('[venues.bsx]\nacount = "1"\n')
    result = invoke(str(path), "--check")
    assert result.exit_code == 2
    assert f"{path}:2: unknown key 'acount'" in result.stderr
    assert f"{path}:1: no strategy is named" in result.stderr


def test_where_to_trade_must_be_said():
    result = invoke(BSX)
    assert result.exit_code == 2
    assert "--simulate" in result.stderr


@pytest.mark.parametrize("other", ["--simulate", "--sandbox"])
def test_live_goes_with_no_other(other: str):
    result = invoke(BSX, "--live", other)
    assert result.exit_code == 2
    assert "--live goes with no other" in result.stderr
