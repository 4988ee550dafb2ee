"""`orderfeeds run` ended by Ctrl-C: strategies are stopped in order, and the exit code says what it was."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.cli_runs import COMMAND, environment

BSX = str(Path(__file__).parents[2] / "examples" / "config" / "bsx_market_maker.toml")


@pytest.mark.node
@pytest.mark.parametrize(("duration", "code"), [((), 0), (("--duration", "600"), 130)])
def test_an_interrupt_ends_it_in_order(duration: tuple[str, ...], code: int):
    process = subprocess.Popen(
        [*COMMAND, "run", BSX, "--simulate", "--json", *duration],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    while "strategies run" not in (line := process.stderr.readline()):
        assert line, "it ended before its strategies ran"
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == code, told
    found = json.loads(told)
    assert found["interrupted"]
    assert found["open_orders"] == []
