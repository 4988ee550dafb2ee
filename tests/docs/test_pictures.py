"""The pictures of the README: made from runs, and fetching nothing."""

import importlib.util
import io
import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

from rich.console import Console
from textual.app import App, ComposeResult
from textual.widgets import Static

from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.cli.demo_run import DemoResult
from nautilus_orderfeeds.cli.svg import picture, without_web_fonts
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from tests.support.cli_runs import ACCOUNT_ID, run_short

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"


def pictures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_pictures", ROOT / "docs" / "pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outside(svg: str) -> list[str]:
    return [url for url in re.findall(r"https?://[^\s\"')]+", svg) if url != "http://www.w3.org/2000/svg"]


def test_end_of_a_run_is_drawn(tmp_path: Path) -> None:
    run = run_short(tmp_path / "BSX-001.sqlite")
    with JournalReader(tmp_path / "BSX-001.sqlite") as reader:
        order = reader.order(run.part_filled)
        assert order is not None
        lives = [(order, reader.frames(order))]
    result = DemoResult([compare(run.sim, run.cache, "BSX", ACCOUNT_ID)], [], lives)
    console = Console(record=True, width=126, file=io.StringIO(), force_terminal=True, highlight=False)
    pictures()._print_end(console, result)
    svg = picture(console, "make demo")
    shown = "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")
    for text in (run.part_filled, run.at_market, "framework against the venue's ledger", "all agree", "make demo"):
        assert text in shown
    assert outside(svg) == []


async def test_screens_of_textual_fetch_nothing_either() -> None:
    class Small(App[None]):
        def compose(self) -> ComposeResult:
            yield Static("hello")

    app = Small()
    async with app.run_test():
        drawn = app.export_screenshot()
    assert outside(drawn)  # as Textual makes it
    svg = without_web_fonts(drawn)
    assert outside(svg) == []
    assert "hello" in "".join(ElementTree.fromstring(svg).itertext())


def test_pictures_of_the_readme() -> None:
    svg = (PICTURES / "demo.svg").read_text()
    assert outside(svg) == []
    assert "all agree" in "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")
    png = (PICTURES / "dashboard.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) < 300_000
