"""The notebooks run without a browser, and what is committed can be read without running them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
_MAX_BYTES = 1_500_000


def test_all_five_are_there() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.node
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_headless(path: Path) -> None:
    """By nbmake, in a process and a kernel of their own: a cell that raises fails it."""
    pytest.importorskip("nbmake")
    variables = {name: value for name, value in os.environ.items() if name != "ORDERFEEDS_PICTURES"}
    options = ["--nbmake", "--nbmake-timeout=240", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=variables,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-6000:]


def _cells(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text())["cells"]
    return cells


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_readable_without_running(path: Path) -> None:
    code = [cell for cell in _cells(path) if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code), "not executed: run notebooks/build.py"
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    plots = [output["data"] for output in outputs if "application/vnd.plotly.v1+json" in output.get("data", {})]
    assert plots
    assert all("image/png" in plot for plot in plots), "a plot without a picture: run notebooks/build.py"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_holds_nothing_of_the_machine(path: Path) -> None:
    assert path.stat().st_size < _MAX_BYTES
    for cell in _cells(path):
        text = json.dumps([{k: v for k, v in output.items() if k != "data"} for output in cell.get("outputs", ())])
        for output in cell.get("outputs", ()):
            text += json.dumps({kind: value for kind, value in output.get("data", {}).items() if kind != "image/png"})
        assert not re.search(r"/(?:home|root|tmp|work|Users)/", text)
        assert not re.search(r"127\.0\.0\.1:\d+", text)
