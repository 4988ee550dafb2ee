"""`orderfeeds simulate`: what it prints can be pasted, and Ctrl-C ends it."""

import json
import os
import signal
import socket
import subprocess
import urllib.request

import pytest
from click.testing import CliRunner

from nautilus_orderfeeds.cli import cli
from tests.support.cli_runs import COMMAND, environment, run_command, simulated_bsx


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_a_signal(number: signal.Signals) -> None:
    with simulated_bsx("--no-flow") as sim:
        with urllib.request.urlopen(f"{sim.http}/products", timeout=10) as answer:
            assert json.load(answer)["products"]
        sim.process.send_signal(number)
        assert sim.process.wait(15) == 0


def test_seed_decides_the_credentials() -> None:
    seen = []
    for seed in ("1", "1", "2"):
        with simulated_bsx("--seed", seed) as sim:
            seen.append(sim.credentials)
    assert seen[0] == seen[1] != seen[2]


def test_what_it_prints_can_be_pasted() -> None:
    process = subprocess.Popen([*COMMAND, "simulate", "bsx"], stdout=subprocess.PIPE, text=True, env=environment())
    try:
        assert process.stdout is not None
        printed = ""
        while "stream connections" not in printed:  # the first status line
            line = process.stdout.readline()
            assert line, f"it ended early: {printed}"
            printed += line
        shell, python = printed.split("# shell\n")[1].split("# Python\n")
        python = python.rsplit("\n\n", 1)[0]

        made: dict[str, object] = {}
        exec(python, made)
        config = made["exec_config"]
        script = shell.replace("orderfeeds ", f"{COMMAND[0]} -m nautilus_orderfeeds.cli ")
        checked = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=environment(), check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert f"export BSX_API_KEY={config.api_key}\n" in shell  # type: ignore[attr-defined]
        assert config.base_url_http in shell  # type: ignore[attr-defined]
        assert type(made["data_config"]).__name__ == "BsxDataClientConfig"
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=15)
    assert process.returncode == 0
    # The check's own calls are in the final count.
    assert "0 REST calls" not in rest.splitlines()[-1]


def test_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = run_command("simulate", "bsx", "--port", str(port))
    assert shown.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: {os.strerror(98)}" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_unknown_venue() -> None:
    shown = CliRunner().invoke(cli, ["simulate", "moon"])
    assert shown.exit_code == 2
    assert "error: no venue 'moon'" in shown.stderr
