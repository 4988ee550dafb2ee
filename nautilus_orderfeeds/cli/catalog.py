"""`orderfeeds catalog`: recordings become a catalog of the framework."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.table import Table

from nautilus_orderfeeds.cli.console import (
    EXIT_BAD,
    EXIT_CODES,
    EXIT_OK,
    CliError,
    busy,
    err,
    out,
    print_json,
    run_async,
)
from nautilus_orderfeeds.cli.recordings import instruments_of, settings_of, venue_of
from nautilus_orderfeeds.cli.venue_options import extra_fields, instruments_option, load_venue, settings_option
from nautilus_orderfeeds.feed.errors import FeedError

if TYPE_CHECKING:
    from nautilus_orderfeeds.adapter.catalog import CatalogReport


@click.command(epilog=EXIT_CODES)
@click.argument("recordings", nargs=-1, required=True, metavar="FILE...", type=click.Path(dir_okay=False))
@click.option("--output", "-o", required=True, type=click.Path(file_okay=False), help="Folder of the catalog.")
@click.option("--venue", "given", metavar="VENUE", help="Whose recordings they are, if they do not say.")
@instruments_option
@settings_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    recordings: tuple[str, ...],
    output: str,
    given: str | None,
    instruments: str | None,
    extra: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write recordings of one venue into a ParquetDataCatalog: market data, order updates, feed health.

    The same recording may be written again, or after it has grown: only what is new is added. What cannot be read is
    counted and kept in malformed.jsonl. Give each recording by its first file; all its parts are read.
    """
    paths = [Path(recording) for recording in recordings]
    entry = load_venue(venue_of(paths, given), quiet=as_json)
    with busy("loading the framework", quiet=as_json):
        from nautilus_orderfeeds.adapter.catalog import write_catalog
    known = instruments_of(instruments, entry)
    exec_settings, data_settings = settings_of(entry, extra_fields(entry, extra))
    console = err()
    with console.status("reading ...") as status:
        try:
            report = run_async(
                write_catalog(
                    entry,
                    paths,
                    Path(output),
                    instruments=known,
                    exec_settings=exec_settings,
                    data_settings=data_settings,
                    on_progress=lambda counts: status.update(f"{counts.frames:,} frames, {counts.data:,} objects"),
                )
            )
        except (OSError, ValueError, FeedError) as e:
            raise CliError(f"cannot write the catalog: {e}") from None
    if as_json:
        print_json({"venue": entry.name, "catalog": output, **msgspec.to_builtins(report)})
    else:
        _show(report, output)
    raise SystemExit(EXIT_BAD if report.unknown_instruments else EXIT_OK)


def _show(report: "CatalogReport", output: str) -> None:
    console = out()
    table = Table(header_style="bold")
    for name in ("", "found", "written"):
        table.add_column(name, justify="left" if not name else "right")
    for name, count in report.found.items():
        table.add_row(name, f"{count:,}", f"{report.written.get(name, 0):,}")
    console.print(table)
    for name, count in report.left_out.items():
        console.print(f"{count:,} {name} left out: the framework's catalog cannot read them back", style="dim")
    if report.malformed or report.damaged_lines:
        console.print(
            f"{report.malformed} frames and {report.damaged_lines} lines could not be read: kept in malformed.jsonl",
            style="yellow",
        )
    if report.unknown_instruments:
        console.print(
            f"{report.unknown_instruments} statements about orders of unknown instruments: name a file of them "
            "(--instruments) and write the catalog again",
            style="yellow",
        )
    console.print(f"{report.frames:,} frames read; catalog: {output}", markup=False, soft_wrap=True)
