"""The Python of the README and the docs runs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.common.config import ImportableConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues import registry
from tests.support.cli_runs import run_command

ROOT = Path(__file__).parents[2]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


async def test_readme_wiring_builds_and_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wiring of the README as it stands; only addresses and credentials come from the test."""
    import asyncio

    import nautilus_orderfeeds.venues.bsx as bsx

    (wiring,) = blocks("README.md")
    assert len(wiring.splitlines()) <= 25
    async with simulate("bsx", seed=5, market_flow=False) as sim:
        exec_class, data_class = bsx.BsxExecClientConfig, bsx.BsxDataClientConfig

        def exec_config() -> Any:
            return exec_class(base_url_http=sim.base_url_http, base_url_ws=sim.base_url_ws, journal=":memory:")

        def data_config() -> Any:
            return data_class(base_url_http=sim.base_url_http, base_url_ws=sim.base_url_ws)

        for name, value in sim.credentials().items():
            monkeypatch.setenv(f"BSX_{name.upper()}", str(value))
        code = wiring.replace("BsxExecClientConfig()", "exec_config()").replace(
            "BsxDataClientConfig()", "data_config()"
        )
        code = code.replace("TradingNode(config=config)", "TradingNode(config=config, loop=loop)")
        scope: dict[str, Any] = {
            "exec_config": exec_config,
            "data_config": data_config,
            "loop": asyncio.get_running_loop(),
        }
        exec(compile(code, "README.md", "exec"), scope)
        node: TradingNode = scope["node"]
        running = asyncio.create_task(node.run_async())
        async with asyncio.timeout(30):
            while not node.kernel.trader.is_running:
                await asyncio.sleep(0.02)
        assert str(node.cache.account_for_venue(bsx.BSX_VENUE).id) == "BSX-001"
        await node.stop_async()
        await asyncio.wait_for(running, 20)


def run_page(page: str) -> dict[str, Any]:
    """Run all Python of a page, one block after the other, as a reader would."""
    scope: dict[str, Any] = {"__name__": "page"}
    for n, block in enumerate(blocks(page)):
        exec(compile(block, f"{page} block {n}", "exec"), scope)
    return scope


async def test_quickstart_runs() -> None:
    node, ledger = await run_page("docs/quickstart.md")["main"](secs=4)
    assert node.cache.instruments()
    ledger.check()


async def test_tutorial_does_what_it_says(tmp_path: Path) -> None:
    journal = tmp_path / "tutorial.sqlite"
    first, second = await run_page("docs/tutorial.md")["main"](journal=str(journal))
    assert (first.status, second.status) == (OrderStatus.CANCELED, OrderStatus.FILLED)

    listed = run_command("timeline", str(journal))
    assert listed.returncode == 0, listed.stderr
    for order in (first, second):
        assert str(order.client_order_id) in listed.stdout
    life = run_command("timeline", str(journal), "--order", str(second.client_order_id))
    assert life.returncode == 0, life.stderr


async def test_recovery_guide_does_what_it_says(tmp_path: Path) -> None:
    before, after = await run_page("docs/guides/recover-after-a-crash.md")["main"](journal=str(tmp_path / "j.sqlite"))
    assert before.status == OrderStatus.ACCEPTED
    assert (after.client_order_id, after.strategy_id) == (before.client_order_id, before.strategy_id)
    assert after.status == OrderStatus.FILLED
    assert len([event for event in after.events if isinstance(event, OrderFilled)]) == 1


def test_wiring_guide_builds() -> None:
    scope = run_page("docs/guides/wire-a-node.md")
    node = scope["config"]
    assert set(node.exec_clients) == {"BSX"}
    assert set(scope["several"].exec_clients) == {"BSX", "ROXOM"}
    made = ImportableConfig(**{k: v for k, v in scope["importable"].items() if k != "factory"})
    assert type(made.create()).__name__ == "BsxExecClientConfig"
    assert issubclass(scope["Careful"], Strategy)


VENUE_PAGES = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs/venues").glob("*.md"))


@pytest.mark.parametrize("page", VENUE_PAGES)
def test_python_of_a_venue_page_runs(page: str) -> None:
    assert page.removeprefix("docs/venues/").removesuffix(".md") in registry.names()
    run_page(page)


RUN_HERE = {
    "README.md",
    "docs/quickstart.md",
    "docs/tutorial.md",
    "docs/guides/recover-after-a-crash.md",
    "docs/guides/wire-a-node.md",
}
#: Pages whose blocks have tests of their own.
RUN_ELSEWHERE = {
    "docs/analysis.md": "tests/analysis/test_measures.py",
    "docs/command.md": "tests/docs/test_command_page.py",
    "docs/guides/write-a-sixth-venue.md": "tests/docs/test_sixth_venue.py",
    "docs/recording.md": "tests/adapter/test_catalog.py",
}


def test_every_page_with_python_is_run() -> None:
    pages = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md") if "```python" in path.read_text()}
    assert (pages | {"README.md"}) - set(VENUE_PAGES) == RUN_HERE | set(RUN_ELSEWHERE)
    for test in RUN_ELSEWHERE.values():
        assert (ROOT / test).exists()


def test_site_builds(tmp_path: Path) -> None:
    """`make docs` without a warning, and no page of the navigation is missing or empty."""
    config = (ROOT / "zensical.toml").read_text()
    for page in re.findall(r'"([\w/-]+\.md)"', config):
        assert (ROOT / "docs" / page).read_text().startswith("# "), page
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "nautilus_orderfeeds", tmp_path / "nautilus_orderfeeds")
    (tmp_path / "zensical.toml").write_text(config)
    zensical = Path(sys.executable).with_name("zensical")
    built = subprocess.run(
        [zensical, "build", "--clean", "--strict"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert "NewOrder" in (tmp_path / "site/reference/orders.html").read_text()


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"
