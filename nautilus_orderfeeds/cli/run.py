"""`orderfeeds run`: a node from a configuration file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nautilus_orderfeeds.cli.console import (
    EXIT_BAD,
    EXIT_CODES,
    EXIT_INTERRUPTED,
    EXIT_OK,
    CliError,
    busy,
    err,
    make_journal_folder,
    out,
    print_json,
    run_async,
)

if TYPE_CHECKING:  # both bring the framework in, which takes seconds
    from nautilus_orderfeeds.cli.run_config import RunConfig
    from nautilus_orderfeeds.cli.run_node import Mode, RunResult

_CHOOSE: Final = "choose where to trade: --simulate, --sandbox, --sandbox --simulate, or --live (real money)"


@click.command(epilog=EXIT_CODES)
@click.argument("config", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--simulate", is_flag=True, help="At simulated venues of this process; needs no account.")
@click.option("--sandbox", is_flag=True, help="Orders stay in the framework's sandbox; prices are the venues' own.")
@click.option("--live", is_flag=True, help="At the venues, with real money; asks for the name of each account.")
@click.option("--yes-trade-live", is_flag=True, help="With --live: do not ask.")
@click.option("--check", is_flag=True, help="Check the file and end.")
@click.option(
    "--duration", type=click.FloatRange(min=0, min_open=True), metavar="SECS", help="How long; default: until Ctrl-C."
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIRECTORY",
    help="With --simulate: folder in which to keep the journals, for `orderfeeds timeline`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and no log.")
def command(
    config: Path,
    simulate: bool,
    sandbox: bool,
    live: bool,
    yes_trade_live: bool,
    check: bool,
    duration: float | None,
    keep: Path | None,
    as_json: bool,
) -> None:
    """Run the venues and strategies of a CONFIG file (.toml or .json) in a trading node.

    Every key of the file is checked first, and what is wrong is told by its line. At the end the strategies are
    stopped, which cancels and closes as they are configured, and what is left is told. Without --duration, Ctrl-C is
    the way to end it and no interruption. Samples: examples/config.
    """
    with busy("loading the framework", quiet=as_json):
        from nautilus_orderfeeds.cli import run_node
    found = _load(config)
    if check:
        _say_checked(config, found, as_json)
        raise SystemExit(EXIT_OK)
    mode = _mode(simulate=simulate, sandbox=sandbox, live=live)
    if mode is run_node.Mode.LIVE:
        _preflight(found, as_json)
        if not yes_trade_live:
            _confirm(found)
    if keep is not None:
        if mode is not run_node.Mode.SIMULATE:
            raise CliError("--keep goes with --simulate alone: live journals are where the file says (field `journal`)")
        make_journal_folder(keep)
    console = err(plain=True) if as_json else out()

    def tell(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    result = run_async(run_node.run(found, mode, duration, quiet=as_json, tell=tell, keep=keep))
    if as_json:
        print_json(result)
    else:
        _report(result)
    if mode is run_node.Mode.SIMULATE:
        _say_journals(found, keep)
    if result.interrupted and duration is not None:
        raise SystemExit(EXIT_INTERRUPTED)
    raise SystemExit(EXIT_BAD if result.problems else EXIT_OK)


def _load(path: Path) -> "RunConfig":
    from nautilus_orderfeeds.cli.run_config import ConfigProblems, load

    # As `python -m` does: strategies are the user's, beside the file or where the command is given.
    for folder in (str(path.resolve().parent), str(Path.cwd())):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        return load(path)
    except ConfigProblems as e:
        count = len(e.problems)
        raise CliError(f"{count} problem{'s' if count > 1 else ''} in {path}:\n{e}") from None


def _say_checked(path: Path, found: "RunConfig", as_json: bool) -> None:
    venues = [venue.entry.name for venue in found.venues]
    strategies = [section.path for section in found.strategies]
    if as_json:
        print_json({"ok": True, "file": str(path), "venues": venues, "strategies": strategies})
    else:
        click.echo(f"{path}: ok; venues {', '.join(venues)}; strategies {', '.join(strategies)}")


def _mode(*, simulate: bool, sandbox: bool, live: bool) -> "Mode":
    from nautilus_orderfeeds.cli.run_node import Mode

    match (simulate, sandbox, live):
        case (True, False, False):
            return Mode.SIMULATE
        case (False, True, False):
            return Mode.SANDBOX
        case (True, True, False):
            return Mode.SANDBOX_SIMULATED
        case (False, False, True):
            return Mode.LIVE
        case (False, False, False):
            raise CliError(_CHOOSE)
        case _:
            raise CliError(f"--live goes with no other: {_CHOOSE}")


def _preflight(found: "RunConfig", quiet: bool) -> None:
    """Check every venue as `orderfeeds check` does: fail now, not after a minute of connecting.

    Raises
    ------
    CliError
        With everything that must be mended first.
    """
    from nautilus_orderfeeds.cli.preflight import Preflight, Verdict

    told: list[str] = []
    for venue in found.venues:
        checks = Preflight(
            venue.entry,
            venue.entry.exec_config(**venue.exec_fields),
            venue.entry.data_config(**venue.data_fields),
            lambda finding: None,
            lambda what: busy(what, quiet=quiet),
        )
        failed = [finding for finding in run_async(checks.run()) if finding.verdict is Verdict.FAILED]
        told += [f"{venue.entry.name}, {f.name}: {f.detail}; {f.advice}".rstrip("; ") for f in failed]
    if told:
        raise CliError("not ready to trade live; nothing was sent:\n" + "\n".join(told))


def _confirm(found: "RunConfig") -> None:
    """Let somebody type the name of each account that will trade.

    Raises
    ------
    CliError
        If a name is wrong, or nobody is there to type it.
    """
    for venue in found.venues:
        account = f"{venue.entry.client_name}-{venue.exec_fields.get('account', '001')}"
        strategies = ", ".join(section.strategy.__name__ for section in found.strategies)
        click.echo(f"{strategies} will trade at {venue.entry.client_name} with REAL MONEY.", err=True)
        try:
            typed = click.prompt(
                f"Type the account's name ({account}) to go on", err=True, default="", show_default=False
            )
        except click.Abort:
            typed = ""
        if typed.strip() != account:
            raise CliError(f"not confirmed: expected {account!r}; nothing was sent (--yes-trade-live does not ask)")


def _say_journals(found: "RunConfig", keep: Path | None) -> None:
    """Say where the journals are, or that one that the file names was left alone."""
    from nautilus_orderfeeds.cli.run_node import journal_path

    for venue in found.venues:
        named = venue.exec_fields.get("journal")
        if keep is not None:
            text = f"journal: {journal_path(keep, venue)} (see it with `orderfeeds timeline`)"
        elif named:
            text = (
                f"journal {named} is for the venue itself and was not touched; --keep DIRECTORY keeps a simulated one"
            )
        else:
            continue
        err().print(text, style="dim", markup=False, highlight=False, soft_wrap=True)


def _report(result: "RunResult") -> None:
    console = out()
    orders = ", ".join(f"{count} {status}" for status, count in result.orders.items()) or "none"
    console.print(f"{result.mode}, {result.secs:.0f} s; orders: {orders}; fills: {result.fills}", markup=False)
    for strategy in result.strategies:
        console.print(
            f"  {strategy.strategy_id}: {strategy.halted or f'{strategy.state} at the end'}",
            markup=False,
            soft_wrap=True,
        )
    for position in result.positions:
        console.print(f"  position left open: {position}", style="yellow", markup=False, soft_wrap=True)
    for order in result.open_orders:
        console.print(f"  order left open: {order}", style="yellow", markup=False, soft_wrap=True)
    for problem in result.problems:
        console.print(f"✗ {problem}", style="bold red", markup=False, soft_wrap=True)
    if not result.problems:
        console.print("✓ all is well", style="bold green", markup=False)
