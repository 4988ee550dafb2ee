"""Runs the example scripts as a user would, in processes of their own."""

import asyncio
import re
import sys
from pathlib import Path

from tests.support.cli_runs import environment

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
KINDS = ("market_maker", "exec_tester", "data_tester")
SECS = "3"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


async def output(script: Path, *arguments: str, secs: float = 60.0) -> tuple[int | None, str]:
    """Run a script from the project's folder without any credential, and return its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        *arguments,
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), secs)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return process.returncode, _COLOURS.sub("", told.decode())


def check_clean(script: Path, code: int | None, told: str) -> None:
    assert code == 0, f"{script.name} ended with {code}:\n{told[-3000:]}"
    for word in ("Traceback", "[ERROR]", "InvalidStateTrigger"):
        assert word not in told, f"{script.name}: {word}:\n{told[-3000:]}"


async def check_live_examples(venue: str) -> None:
    """The three examples of a venue run at the simulated one; those that trade have sent orders."""
    for kind in KINDS:
        script = EXAMPLES / "live" / venue / f"{venue}_{kind}.py"
        code, told = await output(script, "--simulate", SECS)
        check_clean(script, code, told)
        if kind == "data_tester":
            assert re.search(r"last quote: .+,.+,", told), f"{script.name}: no quote:\n{told[-1000:]}"
        else:
            found = re.search(r"(\d+) orders and \d+ fills at the simulated venue", told)
            assert found, f"{script.name}: no last line:\n{told[-1000:]}"
            assert int(found[1]) > 0, f"{script.name}: no orders:\n{told[-3000:]}"
