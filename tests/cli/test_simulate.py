"""`orderfeeds simulate`: what it prints can be pasted, and Ctrl-C ends it."""

import errno
import json
import os
import signal
import socket
import subprocess
import urllib.request

from click.testing import CliRunner

from nautilus_orderfeeds.cli import cli
from nautilus_orderfeeds.sim import simulate
from tests.support.cli_runs import COMMAND, environment, simulated_bsx


def test_serves_until_it_is_ended() -> None:
    with simulated_bsx("--no-flow", "--seed", "5") as sim:
        assert sim.credentials == simulate("bsx", seed=5).credentials()
        assert sim.credentials != simulate("bsx", seed=6).credentials()
        with urllib.request.urlopen(f"{sim.http}/products", timeout=10) as answer:
            assert json.load(answer)["products"]
        sim.process.send_signal(signal.SIGTERM)
        assert sim.process.wait(15) == 0


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
        shown = CliRunner().invoke(cli, ["simulate", "bsx", "--port", str(port)])
    assert shown.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}: {os.strerror(errno.EADDRINUSE)}" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_unknown_venue() -> None:
    shown = CliRunner().invoke(cli, ["simulate", "moon"])
    assert shown.exit_code == 2
    assert "error: no venue 'moon'" in shown.stderr
