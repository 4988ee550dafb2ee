"""The guide "Write a sixth venue", followed to the letter: its files, its commands, its output."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/write-a-sixth-venue.md").read_text()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with what the guide tells to write."""
    folder = tmp_path_factory.mktemp("sixth")
    shutil.copytree(ROOT / "nautilus_orderfeeds", folder / "nautilus_orderfeeds")
    shutil.copy(ROOT / "pyproject.toml", folder)
    files = re.findall(r'```python title="([^"]+)"\n(.*?)```', GUIDE, re.DOTALL)
    assert len(files) == 9
    for name, text in files:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        assert not path.exists(), f"{name}: a new venue changes no file that is there"
        path.write_text(text)
    return folder


def run(clone: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_every_block_is_a_file() -> None:
    assert GUIDE.count("```python") == GUIDE.count("```python title=")


def test_the_command_knows_it(clone: Path) -> None:
    shown = run(clone, "-m", "nautilus_orderfeeds.cli", "venues", "tide")
    assert shown.returncode == 0, shown.stderr
    assert "TIDE" in shown.stdout.upper()
    assert "no amend call" in shown.stdout


def test_it_trades_through_a_disconnect(clone: Path) -> None:
    done = run(clone, "try_tide.py")
    assert done.returncode == 0, done.stderr[-3000:]
    (expected,) = re.findall(r"```text\n(.*?)```", GUIDE, re.DOTALL)
    assert expected.strip() in done.stdout.splitlines()  # the framework may log after it


def test_its_code_is_clean(clone: Path) -> None:
    venue = clone / "nautilus_orderfeeds/venues/tide"
    for command in (["check"], ["format", "--check"]):
        checked = run(clone, "-m", "ruff", *command, str(venue))
        assert checked.returncode == 0, checked.stdout
