"""What every command shares: where it prints, how it waits in public, and how it fails.

Results go to stdout, progress to stderr, so that `--json` and pipes stay clean. On a terminal a spinner shows what is
being waited for; elsewhere a line is printed once it takes longer than a second.
"""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console

#: What was asked for was done, and all is well.
EXIT_OK: Final = 0
#: It was done, and something is not well: the books disagree, a check failed.
EXIT_BAD: Final = 1
#: It could not be done: wrong usage, or something named in the message is missing.
EXIT_USAGE: Final = 2
#: A bug of this package; `orderfeeds --debug` shows where.
EXIT_BUG: Final = 70
#: Ended by Ctrl-C.
EXIT_INTERRUPTED: Final = 130

EXIT_CODES: Final = (
    f"\b\nExit codes: {EXIT_OK} all is well; {EXIT_BAD} something checked is not well; "
    f"{EXIT_USAGE} wrong usage or\nsomething named is missing; {EXIT_BUG} internal error; "
    f"{EXIT_INTERRUPTED} interrupted."
)

_PATIENCE_SECS: Final = 1.0
_PIPE_WIDTH: Final = 120


class CliError(click.ClickException):
    """The command cannot do what was asked. The message names what is missing and what to do."""

    exit_code = EXIT_USAGE

    def show(self, file: Any = None) -> None:
        """Print the message on stderr."""
        err().print(f"error: {self.message}", style="bold red", markup=False, highlight=False, soft_wrap=True)


def out(*, plain: bool = False) -> Console:
    """Return the console of stdout; `plain` (or a pipe) means no colours and no moving pictures."""
    return _console(sys.stdout, plain)


def err(*, plain: bool = False) -> Console:
    """Return the console of stderr."""
    return _console(sys.stderr, plain)


def _console(file: Any, plain: bool) -> Console:
    if plain or not file.isatty():
        # Rich assumes 80 columns in a pipe and would cut tables short.
        width = int(columns) if (columns := os.environ.get("COLUMNS", "")).isdigit() else _PIPE_WIDTH
        return Console(file=file, width=width, force_terminal=False, color_system=None, highlight=False)
    return Console(file=file, highlight=False)


@contextmanager
def busy(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Show what is being waited for: a spinner on a terminal, else a line if it takes longer than a second."""
    console = err()
    if quiet:
        yield
    elif console.is_terminal:
        with console.status(f"{what} ..."):
            yield
    else:
        timer = threading.Timer(_PATIENCE_SECS, lambda: console.print(f"... {what}", markup=False))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def print_json(value: Any) -> None:
    """Print a value as indented JSON; decimals and the like as text."""
    encoded = msgspec.json.encode(value, enc_hook=str)
    click.echo(msgspec.json.format(encoded, indent=2).decode())


def secs(ns: int | None) -> str:
    """Return a duration in ns for people, e.g. ``12.3 ms``; a dash for None."""
    if ns is None:
        return "-"
    magnitude = abs(ns)
    if magnitude < 10_000_000:
        return f"{ns / 1e6:.2f} ms"
    if magnitude < 1_000_000_000:
        return f"{ns / 1e6:.0f} ms"
    if magnitude < 120_000_000_000:
        return f"{ns / 1e9:.2f} s"
    return f"{ns / 60e9:.1f} min"


def make_journal_folder(folder: Path) -> None:
    """Make a folder for the journals of simulated venues (`--keep`).

    Raises
    ------
    CliError
        If it cannot be made, or has journals already: another simulation does not know the orders in them.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise CliError(f"folder {folder} cannot be made: {e.strerror}") from None
    if any(folder.glob("*.sqlite")):
        raise CliError(f"folder {folder} has journals of an earlier run: name an empty one (--keep)")


def run_async[T](main: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; Ctrl-C ends the process with exit code 130 once everything is closed."""
    try:
        return asyncio.run(main)
    except KeyboardInterrupt:
        raise SystemExit(EXIT_INTERRUPTED) from None


class Notes(logging.Handler):
    """Keeps this package's warnings, which would otherwise be printed into the middle of something."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.taken: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record's message."""
        self.taken.append(record.getMessage())

    def take(self) -> list[str]:
        """Return what was kept since the last time."""
        taken, self.taken = self.taken, []
        return taken


@contextmanager
def logging_to(handler: logging.Handler) -> Iterator[None]:
    """Send this package's log lines to `handler` instead of printing them, and close it afterwards."""
    logger = logging.getLogger("nautilus_orderfeeds")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
        handler.close()
