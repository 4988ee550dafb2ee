"""The `orderfeeds` command.

Each command is one module, imported when it is asked for: the framework takes seconds to load, and `--help` needs none
of it.
"""

import importlib
import logging
import sys
from typing import Any, Final

import click

from nautilus_orderfeeds.cli.console import EXIT_BUG, EXIT_CODES, CliError
from nautilus_orderfeeds.version import __version__

#: Command -> module with a function `command`, and what the overview says of it.
_COMMANDS: Final = {
    "demo": ("nautilus_orderfeeds.cli.demo", "Trade against simulated venues and check every number afterwards."),
    "simulate": ("nautilus_orderfeeds.cli.simulate", "Run a simulated venue until Ctrl-C."),
    "run": ("nautilus_orderfeeds.cli.run", "Run venues and strategies of a configuration file: simulated or live."),
    "check": ("nautilus_orderfeeds.cli.check", "Check credentials, clock, login and feed of a venue; sends no order."),
    "record": ("nautilus_orderfeeds.cli.record", "Record the raw frames of a venue's streams."),
    "replay": ("nautilus_orderfeeds.cli.replay", "Play a recording through the adapter: the events it leads to."),
    "catalog": ("nautilus_orderfeeds.cli.catalog", "Turn recordings into a ParquetDataCatalog for backtests."),
    "watch": ("nautilus_orderfeeds.cli.watch", "Show orders, fills and feeds of a venue or a journal, live."),
    "dashboard": ("nautilus_orderfeeds.cli.dashboard", "Show orders, fills and feeds of journals in a browser, live."),
    "timeline": ("nautilus_orderfeeds.cli.timeline", "Show the orders of a journal, or the life of one."),
    "completion": ("nautilus_orderfeeds.cli.completion", "Print the script that completes this command in a shell."),
    "venues": ("nautilus_orderfeeds.cli.venues", "Show what each venue can do, and how we know."),
}


class _Commands(click.Group):
    """Imports a command's module when it is needed, and shows users no tracebacks."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None if there is none of this name."""
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = importlib.import_module(_COMMANDS[cmd_name][0]).command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a bug of ours becomes one line."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as e:
            if ctx.params.get("debug"):
                raise
            reason = str(e) or "no message"
            message = f"internal error: {type(e).__name__}: {reason} (`orderfeeds --debug ...` shows where)"
            raise _Bug(message) from e


class _Bug(CliError):
    exit_code = EXIT_BUG


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EXIT_CODES
)
@click.option("--debug", is_flag=True, help="Log to stderr, and show a traceback for an internal error.")
@click.version_option(__version__, prog_name="orderfeeds")
def cli(debug: bool) -> None:
    """Private order streams of several venues as NautilusTrader execution and data clients."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character must not end a command.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
    if debug:
        logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
        # Only ours: at this level the HTTP and WebSocket libraries log headers and frames, credentials and all.
        logging.getLogger("nautilus_orderfeeds").setLevel(logging.DEBUG)


def main() -> None:
    """Run the command line."""
    cli(prog_name="orderfeeds")


__all__ = ["cli", "main"]
