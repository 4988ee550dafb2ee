"""The command as a whole: overview, exit codes, and how it fails."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from nautilus_orderfeeds.cli import _COMMANDS, cli
from nautilus_orderfeeds.cli.console import EXIT_BUG, EXIT_USAGE, CliError, secs
from nautilus_orderfeeds.venues import registry
from nautilus_orderfeeds.version import __version__

COMMANDS = tuple(_COMMANDS)


def test_overview_names_every_command() -> None:
    shown = CliRunner().invoke(cli, ["--help"])
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name}" in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_documents_its_exit_codes(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0
    assert "Exit codes: 0 all is well" in shown.output
    assert "130 interrupted" in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_speak_json_and_has_help_for_every_option(name: str) -> None:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    assert found.help
    options = [param for param in found.params if isinstance(param, click.Option)]
    assert "--json" in {text for option in options for text in option.opts}
    assert [option.opts for option in options if not option.help] == []


def test_help_does_not_load_the_framework() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from nautilus_orderfeeds.cli import cli; "
        "results = [CliRunner().invoke(cli, a).exit_code for a in (['--help'], ['demo', '--help'], ['check', '-h'])]; "
        "print(results, 'nautilus_trader' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[0, 0, 0] False"


def test_version() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output.strip() == f"orderfeeds, version {__version__}"


def test_unknown_command_is_wrong_usage() -> None:
    shown = CliRunner().invoke(cli, ["dance"])
    assert shown.exit_code == EXIT_USAGE
    assert "No such command 'dance'" in shown.output


def test_bug_is_one_line_and_its_own_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(registry, "load_all", broken)
    shown = CliRunner().invoke(cli, ["venues"])
    assert shown.exit_code == EXIT_BUG
    assert shown.stderr.splitlines()[-1].startswith("error: internal error: ZeroDivisionError: a bug")
    assert "Traceback" not in shown.output

    debugged = CliRunner().invoke(cli, ["--debug", "venues"])
    assert isinstance(debugged.exception, ZeroDivisionError)


def test_debug_logs_nothing_of_libraries_that_would_log_credentials() -> None:
    script = (
        "import logging; from click.testing import CliRunner; from nautilus_orderfeeds.cli import cli; "
        "CliRunner().invoke(cli, ['--debug', 'venues', 'nowhere']); "
        "names = ('websockets.client', 'aiohttp.client', 'asyncio', 'nautilus_orderfeeds.feed.session'); "
        "print([logging.getLogger(n).isEnabledFor(logging.DEBUG) for n in names])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[False, False, False, True]"


def test_error_tells_its_message_on_stderr_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise CliError("the [thing] is missing")

    monkeypatch.setattr(registry, "load_all", missing)
    shown = CliRunner().invoke(cli, ["venues"])
    assert shown.exit_code == EXIT_USAGE
    assert shown.stderr.splitlines()[-1] == "error: the [thing] is missing"
    assert shown.stdout == ""


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "-"),
        (0, "0.00 ms"),
        (1_234_000, "1.23 ms"),
        (12_345_678, "12 ms"),
        (1_500_000_000, "1.50 s"),
        (180_000_000_000, "3.0 min"),
    ],
)
def test_durations_for_people(ns: int | None, text: str) -> None:
    assert secs(ns) == text
