"""Completion in a shell: the scripts, and what they offer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from nautilus_orderfeeds.cli import _COMMANDS, cli
from nautilus_orderfeeds.venues import registry
from tests.cli.test_watch import written
from tests.support.cli_runs import environment


def offered(args: list[str], incomplete: str) -> dict[str, str | None]:
    found = ShellComplete(cli, {}, "orderfeeds", "_ORDERFEEDS_COMPLETE").get_completions(args, incomplete)
    return {item.value: item.help for item in found}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_of_every_shell(shell: str) -> None:
    shown = CliRunner().invoke(cli, ["completion", shell])
    assert shown.exit_code == 0
    assert f"_ORDERFEEDS_COMPLETE={shell}_complete" in shown.stdout
    told = json.loads(CliRunner().invoke(cli, ["completion", shell, "--json"]).stdout)
    assert told["script"].strip() == shown.stdout.strip()
    assert f"completion {shell}" in told["install"]


def test_shell_that_is_not_known() -> None:
    shown = CliRunner().invoke(cli, ["completion", "tcsh"])
    assert shown.exit_code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in shown.stderr


def test_commands_and_venues_are_offered() -> None:
    assert set(offered([], "")) == set(_COMMANDS)
    assert set(offered([], "ti")) == {"timeline"}
    for command in ("watch", "check", "simulate", "record", "venues"):
        assert set(offered([command], "")) >= set(registry.names())
        assert set(offered([command], "B")) == {"bsx"}
    assert set(offered(["demo", "--venue"], "s")) == {"sfox"}
    assert "--stats" in offered(["timeline", "x"], "--")


def test_orders_of_the_journal_are_offered(tmp_path: Path) -> None:
    journal, path = written(tmp_path)
    assert offered(["timeline", str(path)], "O-") == {
        "O-1": "BUY BTCUSD SUBMITTED",
        "O-0": "BUY BTCUSD PARTIALLY_FILLED",
    }
    journal.close()
    assert offered(["timeline", str(tmp_path / "none")], "") == {}
    (tmp_path / "text").write_text("no journal")
    assert offered(["timeline", str(tmp_path / "text")], "") == {}


def test_bash_completes_without_the_framework() -> None:
    """As the shell does it: the command is run with what was typed in the environment."""
    script = (
        "import sys; from nautilus_orderfeeds.cli import main\n"
        "try:\n    main()\nfinally:\n    print('nautilus_trader' in sys.modules, file=sys.stderr)"
    )
    typed = {"_ORDERFEEDS_COMPLETE": "bash_complete", "COMP_WORDS": "orderfeeds watch b", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**environment(), **typed}, check=False
    )
    assert done.stdout.splitlines() == ["plain,bsx"]
    assert done.stderr.splitlines()[-1] == "False"
