"""The command lines of the pages beside that of the command: each runs, in the sequence of its page."""

import re
from pathlib import Path

import pytest

from tests.support.cli_runs import run_command, simulated_bsx

DOCS = Path(__file__).parents[2] / "docs"
STRATEGY = """
from decimal import Decimal
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy


class MyStrategyConfig(StrategyConfig, frozen=True):
    instrument_id: InstrumentId
    quantity: Decimal


class MyStrategy(Strategy):
    def on_start(self):
        self.subscribe_quote_ticks(self.config.instrument_id)

    def on_quote_tick(self, quote):
        if not self.cache.orders(strategy_id=self.id):
            instrument = self.cache.instrument(quote.instrument_id)
            quantity, price = instrument.make_qty(self.config.quantity), instrument.make_price(quote.ask_price)
            self.submit_order(self.order_factory.limit(quote.instrument_id, OrderSide.BUY, quantity, price))
"""


def command_lines(page: str) -> list[str]:
    found = re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    return [line for block in found for line in block.splitlines() if line.startswith("orderfeeds ")]


def run_line(line: str, *more: str, env: dict[str, str] | None = None) -> str:
    done = run_command(*line.split()[1:], *more, env=env)
    assert done.returncode == 0, f"{line}: {done.stdout[-1000:]} {done.stderr[-2000:]}"
    return done.stdout


def test_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record, replay, catalog = command_lines("recording.md")
    with simulated_bsx() as sim:
        run_line(record.replace("3600", "3"), *sim.urls, env=sim.variables)
    assert run_line(replay)
    assert run_line(catalog)
    assert any((tmp_path / "catalog").rglob("*.parquet"))


def test_quickstart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, run, timeline = command_lines("quickstart.md")[-3:]
    (config,) = re.findall(r"```toml\n(.*?)```", (DOCS / "quickstart.md").read_text(), re.DOTALL)
    (tmp_path / "mine.toml").write_text(config)
    (tmp_path / "mine.py").write_text(STRATEGY)
    run_line(run.replace("15", "6"))
    assert "BTCUSD" in run_line(timeline)


def test_no_line_is_left_out() -> None:
    """Run above; in `test_command_page` (the same commands); or in the tests of tutorial and sixth venue."""
    elsewhere = {"command.md", "tutorial.md", "guides/write-a-sixth-venue.md"}
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    with_lines = {page for page in pages if command_lines(page)} - elsewhere
    checks = {"orderfeeds simulate bsx", "orderfeeds check bsx"}  # live names; the simulated ones run in command.md
    left = {page for page in with_lines if not set(command_lines(page)) <= checks}
    assert left == {"recording.md", "quickstart.md"}
