"""The Python of the README and the docs runs."""

import re
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.live.node import TradingNode

from nautilus_orderfeeds.sim import simulate

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


async def test_quickstart_runs() -> None:
    (code,) = blocks("docs/quickstart.md")
    scope: dict[str, Any] = {}
    exec(compile(code, "quickstart.md", "exec"), scope)
    node, ledger = await scope["main"](secs=4)
    assert node.cache.instruments()
    ledger.check()
