"""`orderfeeds watch`: a live blotter in the terminal, of a venue's private streams or of a node's journal."""

import asyncio
import sys
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nautilus_orderfeeds.cli.completion import complete_venue
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
from nautilus_orderfeeds.cli.timeline_view import STATUS_STYLES
from nautilus_orderfeeds.cli.venue_options import (
    address_options,
    extra_fields,
    instruments_option,
    load_venue,
    make_config,
    settings_option,
)
from nautilus_orderfeeds.cli.watch_journal import JournalSource
from nautilus_orderfeeds.cli.watch_model import (
    Blotter,
    Filter,
    Source,
    as_dict,
    clock_text,
    fill_text,
    px_text,
    status_text,
)
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.words import OrderSide

_SETTLE_SECS: Final = 30.0


@click.command(epilog=EXIT_CODES)
@click.argument("venue", required=False, shell_complete=complete_venue)
@click.option("--journal", type=click.Path(), metavar="FILE", help="Follow a node's journal instead of a venue.")
@click.option("--once", is_flag=True, help="Show the present state and end.")
@click.option("--json", "as_json", is_flag=True, help="The same, as JSON: times in UNIX ns, decimals as text.")
@click.option("--instrument", default="", metavar="TEXT", help="Only instruments with this in their symbol.")
@click.option("--side", type=click.Choice(["buy", "sell"], case_sensitive=False), help="Only this side.")
@click.option("--open", "open_only", is_flag=True, help="Only orders that are not over.")
@address_options
@instruments_option
@settings_option
def command(
    venue: str | None,
    journal: str | None,
    once: bool,
    as_json: bool,
    instrument: str,
    side: str | None,
    open_only: bool,
    environment: str | None,
    base_url_http: str | None,
    base_url_ws: str | None,
    instruments: str | None,
    extra: tuple[str, ...],
) -> None:
    """Watch orders, fills and feeds of a VENUE, live; send nothing.

    Connects to the venue's private streams with the credentials in the environment, beside any node that trades. With
    --journal it follows the journal of a node instead, and needs no credentials. Keys: / instrument, s side, o open
    only, p pause, c clear the filter, q quit.
    """
    if (venue is None) == (journal is None):
        raise CliError("name a VENUE, or the --journal of a node")
    wanted = Filter(instrument, None if side is None else OrderSide[side.upper()], open_only)
    once = once or as_json
    if not once and not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise CliError("the live blotter needs a terminal; elsewhere use --once or --json")
    source: Source
    if journal is not None:
        source = JournalSource(journal)
    else:
        assert venue is not None
        entry = load_venue(venue, quiet=as_json)
        with busy("loading the framework", quiet=as_json):
            from nautilus_orderfeeds.cli.watch_venue import VenueSource
        given = {
            "environment": environment,
            "base_url_http": base_url_http,
            "base_url_ws": base_url_ws,
            "instruments": instruments,
        }
        source = VenueSource(entry, make_config(entry.exec_config, given | extra_fields(entry, extra)))
    raise SystemExit(run_async(_watch(source, wanted, once, as_json)))


async def _watch(source: Source, wanted: Filter, once: bool, as_json: bool) -> int:
    try:
        with busy("connecting", quiet=as_json):
            await source.start()
        if not once:
            from nautilus_orderfeeds.cli.watch_app import show

            await show(source, wanted)
            return EXIT_OK
        with busy("waiting for the snapshot", quiet=as_json):
            complete = await source.settled(_SETTLE_SECS)
        source.poll()
        blotter = source.blotter
        if as_json:
            print_json({"complete": complete, **as_dict(blotter, wanted)})
        else:
            _print(out(), blotter, wanted)
            for note in blotter.notes:
                err().print(note, style="yellow", markup=False, soft_wrap=True)
        return EXIT_OK if complete else EXIT_BAD
    finally:
        await asyncio.shield(source.stop())


def _print(console: Console, blotter: Blotter, wanted: Filter) -> None:
    console.print(f"{blotter.title}  {blotter.account}", style="bold", markup=False)
    for feed in blotter.feeds:
        console.print(f"{feed.name} {feed.state}", markup=False)
    table = Table(header_style="bold", title="orders", title_justify="left")
    for column in ("time", "order", "instrument", "side", "type", "qty", "filled", "price", "avg px", "status"):
        right = column in ("qty", "filled", "price", "avg px")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for life in blotter.orders:
        if wanted.takes(life):
            table.add_row(
                clock_text(life.last_ns),
                life.client_order_id,
                life.symbol,
                life.side.name,
                f"{life.type.name} {life.time_in_force.name}",
                plain(life.quantity),
                fill_text(life),
                px_text(life.price),
                px_text(life.avg_px),
                Text(status_text(life), style=STATUS_STYLES.get(life.status, "")),
            )
    console.print(table)
    fills = [fill for fill in blotter.fills if wanted.takes_fill(fill)]
    last = f", the last {plain(fills[0].last_qty)} @ {plain(fills[0].last_px)}" if fills else ""
    console.print(f"{len(fills)} fills{last}")
