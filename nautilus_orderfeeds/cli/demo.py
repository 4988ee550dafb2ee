"""`orderfeeds demo`: what `make demo` runs."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from nautilus_orderfeeds.cli.completion import complete_venue
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
from nautilus_orderfeeds.venues import registry

if TYPE_CHECKING:  # both bring the framework in, which takes seconds
    from nautilus_orderfeeds.cli.compare import Comparison, Row
    from nautilus_orderfeeds.cli.demo_run import DemoResult

_ASPECTS: Final = ("status", "filled", "notional", "fees", "fills")
_MAX_CELL: Final = 34


@click.command(epilog=EXIT_CODES)
@click.option(
    "--venue",
    "names",
    multiple=True,
    metavar="VENUE",
    shell_complete=complete_venue,
    help="Venue to trade at; repeatable. Default: all.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the simulated markets.")
@click.option("--plain", is_flag=True, help="Print progress lines instead of a live picture (as in a pipe).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON; progress lines go to stderr.")
@click.option("--keep", type=click.Path(file_okay=False), help="Folder in which to keep the journals and the log.")
def command(names: tuple[str, ...], seed: int, plain: bool, as_json: bool, keep: str | None) -> None:
    """Trade against simulated venues and check every number afterwards.

    Starts the simulated venues and one trading node with clients of each. A strategy at each venue enters, rests,
    modifies, cancels and is filled; half way every connection is cut while orders rest and are filled. At the end
    every order, fill, fee, balance and position of the framework is compared with the venue's own ledger. Takes about
    half a minute; needs no account and no network.
    """
    console = err(plain=True) if as_json else out(plain=plain)
    with busy("loading the framework", quiet=as_json):
        entries = _entries(names, console)
        from nautilus_orderfeeds.cli import demo_run
    folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="orderfeeds-demo-"))
    make_journal_folder(folder)
    try:
        result = run_async(demo_run.run(entries, seed, console, folder))
    except asyncio.CancelledError:
        _tidy(folder, keep is not None)
        raise SystemExit(EXIT_INTERRUPTED) from None
    code = demo_run.exit_code(result.comparisons, result.problems)
    if as_json:
        print_json(_as_dict(result, code))
    else:
        _report(console, result, code)
    kept = keep is not None or code != EXIT_OK
    if kept:
        err().print(f"journals and logs are in {folder}", style="dim", soft_wrap=True)
    _tidy(folder, kept)
    raise SystemExit(code)


def _tidy(folder: Path, kept: bool) -> None:
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)


def _entries(names: tuple[str, ...], console: Console) -> list[registry.VenueEntry]:
    """Open the doors asked for, or all that open."""
    if names:
        try:
            return [registry.load(name) for name in dict.fromkeys(name.lower() for name in names)]
        except registry.VenueUnavailable as e:
            raise CliError(str(e)) from None
    entries: list[registry.VenueEntry] = []
    for found in registry.load_all():
        if isinstance(found, registry.VenueEntry):
            entries.append(found)
        else:
            console.print(f"left out: {found}", style="yellow", markup=False)
    if not entries:
        raise CliError("no venue of this installation can be loaded; is the package complete?")
    return entries


# -- the report --------------------------------------------------------------------------------------------------------


def _report(console: Console, result: "DemoResult", code: int) -> None:
    from nautilus_orderfeeds.cli import timeline_view

    for order, frames in result.lives:
        console.print(Rule("Filled while nobody could be told: " + order.client_order_id, style="dim"))
        timeline_view.show(console, order, frames)
    for comparison in result.comparisons:
        console.print(Rule(f"{comparison.name}: framework against the venue's ledger", style="dim"))
        console.print(comparison_table(comparison))
    for problem in result.problems:
        console.print(f"✗ {problem}", style="bold red", markup=False, soft_wrap=True)
    console.print(summary(result, code))


def summary(result: "DemoResult", code: int) -> Text:
    """Return the last line: how much was compared, and whether it agrees."""
    orders = sum(found.orders for found in result.comparisons)
    fills = sum(found.fills for found in result.comparisons)
    rows = sum(len(found.rows) for found in result.comparisons)
    differences = sum(len(found.differences) for found in result.comparisons)
    compared = f"{rows} values of {orders} orders and {fills} fills at {len(result.comparisons)} venue(s) compared"
    if code == EXIT_BAD:
        return Text(f"✗ {compared}: {differences} differ", style="bold red")
    return Text(f"✓ {compared}: all agree", style="bold green")


def comparison_table(comparison: "Comparison") -> Table:
    """Return one venue's comparison: a line for each order, position and balance; what differs stands out."""
    table = Table(header_style="bold", expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("what", no_wrap=True, overflow="ellipsis")
    for aspect in _ASPECTS:
        table.add_column(aspect, overflow="fold")
    for subject, rows in comparison.by_subject().items():
        agrees = all(row.agrees for row in rows)
        mark = Text("✓", style="green") if agrees else Text("✗", style="bold red")
        name = comparison.client_order_ids.get(subject, subject)
        by_aspect = {row.aspect: row for row in rows}
        if by_aspect.keys() <= set(_ASPECTS):
            cells = [_cell(by_aspect.get(aspect)) for aspect in _ASPECTS]
            if subject in comparison.inferred:
                cells[-1] = Text("one sum, from the venue's totals", style="dim")
            table.add_row(mark, name, *cells)
        else:
            table.add_row(mark, name, *(_cell(row) for row in rows))
    return table


def _cell(row: "Row | None") -> Text:
    if row is None:
        return Text("")
    if not row.agrees:
        return Text(f"venue {row.venue}, framework {row.framework}", style="bold red")
    shown = row.venue if len(row.venue) <= _MAX_CELL else f"{row.venue.count(',') + 1} equal"
    return Text(shown)


def _as_dict(result: "DemoResult", code: int) -> dict[str, object]:
    from nautilus_orderfeeds.cli.timeline import life_as_dict

    venues = [
        {
            "venue": found.name,
            "orders": found.orders,
            "fills": found.fills,
            "rows": [{"what": r.what, "venue": r.venue, "framework": r.framework} for r in found.rows],
            "differences": [row.what for row in found.differences],
        }
        for found in result.comparisons
    ]
    lives = [life_as_dict(order, frames) for order, frames in result.lives]
    return {"agree": code == EXIT_OK, "problems": result.problems, "venues": venues, "outage_orders": lives}
