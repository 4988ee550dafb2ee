"""The examples are complete, safe by default, and run as their first lines say."""

import ast
import re
from pathlib import Path

import pytest

from nautilus_orderfeeds.venues import registry
from tests.support.example_runs import EXAMPLES, KINDS, SECS, check_clean, output


def test_every_venue_has_its_examples():
    for name in registry.names():
        found = {path.stem for path in (EXAMPLES / "live" / name).glob("*.py")}
        assert found == {f"{name}_{kind}" for kind in KINDS}


@pytest.mark.node
async def test_the_sandbox_example_keeps_its_orders_from_the_venue():
    script = EXAMPLES / "sandbox" / "bsx_sandbox.py"
    code, told = await output(script, "--simulate", SECS)
    check_clean(script, code, told)
    found = re.search(r"(\d+) orders in the sandbox, 0 at the venue", told)
    assert found, told[-1000:]
    assert int(found[1]) > 0


async def test_the_backtest_example_reports_a_whole_execution():
    script = EXAMPLES / "backtest" / "twap_backtest.py"
    code, told = await output(script)
    check_clean(script, code, told)
    assert "BUY 0.500 of 0.5 (100.0%)" in told
    assert "slippage" in told


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("live/*/*.py")), ids=lambda path: path.stem)
def test_live_is_the_default_and_takes_no_address_or_secret_from_the_script(script: Path):
    text = script.read_text()
    main = text[text.index('if __name__ == "__main__":') :]
    assert '"--simulate" in sys.argv' in main
    assert not re.search(r"https?://|wss?://|api_key|api_secret|private_key|signer_key", text)
    if "data_tester" not in script.stem:
        assert "real money" in (ast.get_docstring(ast.parse(text)) or "")
