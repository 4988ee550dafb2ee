"""The page of the command: its examples run as they stand, and every option is on it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from nautilus_orderfeeds.cli import cli
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from tests.support.cli_runs import ShortRun, SimProcess, environment, run_short, simulated_bsx

PAGE = (Path(__file__).parents[2] / "docs" / "command.md").read_text()
#: These serve until they are ended.
SERVERS = ("dashboard", "simulate")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line]


class Place:
    """A folder with the journal of the page, and a simulated venue."""

    def __init__(self, folder: Path, run: ShortRun, sim: SimProcess) -> None:
        self.folder = folder
        self.sim = sim
        self.variables = environment(
            {**sim.variables, "ORDER": run.part_filled, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("command")
    run = run_short(folder / "BSX-001.sqlite")
    with simulated_bsx("--no-flow") as sim:
        yield Place(folder, run, sim)


@pytest.mark.parametrize("line", LINES)
def test_example_runs(place: Place, line: str) -> None:
    host = place.sim.http.removeprefix("http://")
    line = line.replace("127.0.0.1:8001", host)
    arguments = {"cwd": place.folder, "env": place.variables, "text": True}
    if line.split()[1] in SERVERS:
        server = subprocess.Popen(["bash", "-c", f"exec {line}"], stdout=subprocess.PIPE, **arguments)  # type: ignore[call-overload]
        try:
            assert "http://127.0.0.1:" in server.stdout.readline()
        finally:
            server.terminate()
            assert server.wait(20) == 0
            server.stdout.close()
        return
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60, check=False, **arguments)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    if ">" in line or "--html" in line:
        target = line.split()[-1]
        assert (place.folder / target).stat().st_size > 500
    else:
        assert done.stdout


def test_python_of_the_page_runs(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nautilus_trader")
    monkeypatch.chdir(place.folder)
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "command.md", "exec"), {})
    with JournalReader(place.folder / "BSX-001.sqlite") as reader:
        completed = reader.lifecycles().completed()
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [o.client_order_id for o in completed]


def test_every_option_is_on_the_page() -> None:
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        section = PAGE.partition(f"<!-- options-{name}:begin -->")[2].partition(f"<!-- options-{name}:end -->")[0]
        for param in command.params:
            if isinstance(param, click.Option):
                assert any(text in section for text in param.opts), f"{name} {param.opts}: python docs/generate.py"


def test_page_names_every_exit_code() -> None:
    from nautilus_orderfeeds.cli import console

    codes = {value for name, value in vars(console).items() if name.startswith("EXIT_") and isinstance(value, int)}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)} == codes
