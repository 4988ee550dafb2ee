"""Makes the pictures of the README from real runs.

``python docs/pictures.py demo`` runs the demonstration and draws its end-state: ``docs/pictures/demo.svg``.
``python docs/pictures.py dashboard`` runs it again and photographs the dashboard that follows its journals:
``docs/pictures/dashboard.png`` (needs Chromium and its driver, and the dependency group `browser`).

Both take ``--venue NAME`` (repeatable; default: all). A demonstration whose numbers differ is not drawn.
"""

import argparse
import asyncio
import base64
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
COMMAND = (sys.executable, "-m", "nautilus_orderfeeds.cli")
_WIDTH = 126
#: How long a demonstration may take until the orders are there that the picture wants.
_PATIENCE_SECS = 60.0
_MAX_BYTES = 300_000

sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from nautilus_orderfeeds.cli.demo_run import DemoResult


def draw_demo(names: Sequence[str]) -> str:
    """Run the demonstration and return its end-state as SVG: one order's life, the books of its venue, the result."""
    from rich.console import Console

    from nautilus_orderfeeds.cli import demo_run
    from nautilus_orderfeeds.cli.console import EXIT_OK
    from nautilus_orderfeeds.cli.svg import picture
    from nautilus_orderfeeds.venues import registry

    entries = [registry.load(name) for name in names or registry.names()]
    progress = Console(file=sys.stderr, force_terminal=False, width=_WIDTH)
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(demo_run.run(entries, 7, progress, Path(folder)))
    if demo_run.exit_code(result.comparisons, result.problems) != EXIT_OK:
        raise SystemExit("the demonstration's numbers differ: no picture is made of that")
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    _print_end(console, result)
    return picture(console, "make demo")


def _print_end(console: Any, result: "DemoResult") -> None:
    from rich.rule import Rule

    from nautilus_orderfeeds.cli import timeline_view
    from nautilus_orderfeeds.cli.console import EXIT_OK
    from nautilus_orderfeeds.cli.demo import comparison_table, summary

    comparison = next((found for found in result.comparisons if found.name == "BSX"), result.comparisons[0])
    ids = set(comparison.client_order_ids.values())
    for order, frames in result.lives:
        if order.client_order_id in ids:
            console.print(Rule("Filled while the connection was down: " + order.client_order_id, style="dim"))
            timeline_view.show(console, order, frames)
    console.print(Rule(f"{comparison.name}: framework against the venue's ledger", style="dim"))
    console.print(comparison_table(comparison))
    console.print(summary(result, EXIT_OK))


def photograph_dashboard(names: Sequence[str]) -> bytes:
    """Run the demonstration, and return a PNG of the dashboard while orders of it rest."""
    from nautilus_orderfeeds.venues import registry
    from tests.support.browser import browser, screen

    with tempfile.TemporaryDirectory() as folder:
        options = [option for name in names for option in ("--venue", name)]
        demo = subprocess.Popen(
            [*COMMAND, "demo", "--keep", folder, "--json", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            journals = _journals(Path(folder), len(names or registry.names()))
            served = subprocess.Popen(
                [*COMMAND, "dashboard", *journals, "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
            )
            try:
                assert served.stdout is not None
                url = json.loads(served.stdout.readline())["url"]
                with browser(Path(folder) / "profile") as driver:
                    screen(driver, 1280, 1240)
                    driver.get(url)
                    _choose_part_filled(driver)
                    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
                    return base64.b64decode(shot["data"])
            finally:
                served.terminate()
                served.wait(20)
        finally:
            demo.terminate()
            demo.wait(30)


def _journals(folder: Path, count: int) -> list[str]:
    """Return the demonstration's journals as soon as all of them are there."""
    from nautilus_orderfeeds.orders.journal import JournalError
    from nautilus_orderfeeds.orders.journal_reader import JournalReader

    deadline = time.monotonic() + _PATIENCE_SECS
    while time.monotonic() < deadline:
        found = sorted(str(path) for path in folder.glob("*.sqlite"))
        try:
            for path in found:
                JournalReader(path).close()
        except JournalError:  # it is just being made
            found = []
        if len(found) == count:
            return found
        time.sleep(0.1)
    raise SystemExit(f"the demonstration did not start within {_PATIENCE_SECS:g} s")


def _choose_part_filled(driver: Any) -> None:
    """Click on the first open order that is filled in part, and wait until its timeline is drawn."""
    click = "document.querySelector('.orders tbody .w-PARTIALLY_FILLED')?.closest('tr').click()"
    frame = "document.querySelector('iframe.timeline')"
    deadline = time.monotonic() + _PATIENCE_SECS
    while time.monotonic() < deadline:
        if driver.execute_script(f"return !!{frame}?.contentDocument?.querySelector('#axis .moment')"):
            time.sleep(0.5)  # the last of the page's own motion
            return
        if not driver.execute_script(f"return !!{frame}"):
            driver.execute_script(click)
        time.sleep(0.1)
    raise SystemExit("no order was filled in part while the dashboard was looking")


def main() -> None:
    """Make the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("picture", choices=["demo", "dashboard"])
    parser.add_argument("--venue", action="append", default=[], help="repeatable; default: all")
    asked = parser.parse_args()
    PICTURES.mkdir(exist_ok=True)
    if asked.picture == "demo":
        (PICTURES / "demo.svg").write_text(draw_demo(asked.venue), encoding="utf-8")
        return
    png = photograph_dashboard(asked.venue)
    if len(png) > _MAX_BYTES:
        raise SystemExit(f"the picture has {len(png)} bytes, more than {_MAX_BYTES}")
    (PICTURES / "dashboard.png").write_bytes(png)


if __name__ == "__main__":
    main()
