"""`orderfeeds timeline`: the orders of a journal, or the life of one, while a node may be writing it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.table import Table
from rich.text import Text

from nautilus_orderfeeds.cli import stats, timeline_html, timeline_view
from nautilus_orderfeeds.cli.completion import complete_order
from nautilus_orderfeeds.cli.console import EXIT_CODES, CliError, busy, err, out, print_json, secs
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.journal import JournalError
from nautilus_orderfeeds.orders.journal_reader import JournalFrame, JournalOrder, JournalReader
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle
from nautilus_orderfeeds.orders.lifecycle_tracker import LifecycleTracker
from nautilus_orderfeeds.orders.limbo import limbo_of

_LISTED: Final = 100


@click.command(epilog=EXIT_CODES)
@click.argument("journal", type=click.Path())
@click.argument("order", required=False, shell_complete=complete_order)
@click.option("--order", "order_option", metavar="ID", help="The same as ORDER.")
@click.option("--also", multiple=True, type=click.Path(), help="Further journal, for lists and --stats; repeatable.")
@click.option("--last", type=click.IntRange(min=1), help="How many orders, the newest. [default: 100; --stats: all]")
@click.option("--stats", "with_stats", is_flag=True, help="Show statistics of the orders instead of a list.")
@click.option(
    "--by",
    default=",".join(stats.BY_DEFAULT),
    show_default=True,
    callback=lambda _, __, value: _dimensions(value),
    help=f"Groups of the statistics: some of {', '.join(stats.DIMENSIONS)}, comma separated; empty: one group.",
)
@click.option("--html", type=click.Path(dir_okay=False), metavar="FILE", help="Write one standalone page instead.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: times in UNIX ns, frames in full.")
def command(
    journal: str,
    order: str | None,
    order_option: str | None,
    also: tuple[str, ...],
    last: int | None,
    with_stats: bool,
    by: Sequence[str],
    html: str | None,
    as_json: bool,
) -> None:
    """Show the orders in JOURNAL, or draw the life of one ORDER of them.

    JOURNAL is the SQLite file that an execution client writes (config field `journal`). It is only read, so a node may
    be running on it. ORDER is a client order id, or else a venue order id.
    """
    order_id = order or order_option
    if order_id is not None and (with_stats or also):
        raise CliError("--stats and --also are about many orders: leave ORDER out")
    if with_stats and html:
        raise CliError("--html has the statistics in it: leave --stats out")
    try:
        if html is not None:
            _write_page(journal, also, order_id, last or _LISTED, by, html, as_json)
        elif with_stats:
            _show_stats((journal, *also), last, by, as_json)
        elif order_id is not None:
            with JournalReader(journal) as reader:
                _draw(reader, order_id, as_json)
        else:
            _list((journal, *also), last or _LISTED, as_json)
    except JournalError as e:
        raise CliError(str(e)) from None


def _dimensions(text: str) -> tuple[str, ...]:
    names = tuple(name for name in (part.strip() for part in text.split(",")) if name)
    for name in names:
        if name not in stats.DIMENSIONS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(stats.DIMENSIONS)}", param_hint="--by")
    return names


# -- the list ----------------------------------------------------------------------------------------------------------


def _list(journals: Sequence[str], last: int, as_json: bool) -> None:
    listed: list[tuple[JournalReader, int, list[JournalOrder]]] = []
    with busy("reading the journal", quiet=as_json):
        for path in journals:
            with JournalReader(path) as reader:
                listed.append((reader, reader.count(), reader.orders(last)))
    if as_json:
        told = [
            {
                "journal": str(reader.path),
                "account": reader.account,
                "count": count,
                "orders": [as_dict(order) for order in orders],
            }
            for reader, count, orders in listed
        ]
        print_json(told[0] if len(told) == 1 else {"journals": told})
        return
    console = out()
    for reader, count, orders in listed:
        title = f"{count} orders of account {reader.account}"
        title += f", the last {len(orders)}" if count > len(orders) else ""
        console.print(_order_table(title, orders, console.width))


#: Shown from this width on, characters: an id or a status that is cut off would be of no use.
_COLUMNS = {
    "client order id": 0,
    "instrument": 0,
    "side": 0,
    "type": 110,
    "qty": 95,
    "filled": 0,
    "status": 0,
    "to accept": 140,
    "duration": 125,
}


def _order_table(title: str, orders: Sequence[JournalOrder], width: int) -> Table:
    rows = [_cells(order) for order in orders]
    shown = [column for column, from_width in _COLUMNS.items() if width >= from_width]
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in shown:
        right = column in ("qty", "filled", "to accept", "duration")
        kept = column in ("client order id", "status")
        least = max((len(str(row[column])) for row in rows), default=0) if kept else None
        table.add_column(column, justify="right" if right else "left", no_wrap=True, min_width=least)
    for row in rows:
        table.add_row(*(row[column] for column in shown))
    return table


def _cells(order: JournalOrder) -> dict[str, str | Text]:
    state, life = order.state, order.lifecycle()
    return {
        "client order id": order.client_order_id,
        "instrument": order.symbol,
        "side": state.side.name,
        "type": f"{state.type.name} {order.terms.time_in_force.name}",
        "qty": plain(state.quantity),
        "filled": f"{plain(state.filled_qty)} ({float(order.fill_ratio):.0%})",
        "status": Text(timeline_view.status_text(life), style=timeline_view.STATUS_STYLES.get(state.status, "")),
        "to accept": secs(life.time_to_accept_ns),
        "duration": "open" if order.closed_ns is None else secs(order.duration_ns),
    }


# -- one order ---------------------------------------------------------------------------------------------------------


def _draw(reader: JournalReader, order_id: str, as_json: bool) -> None:
    with busy("reading the journal", quiet=as_json):
        order = _found(reader, order_id)
        frames = reader.frames(order)
    if as_json:
        print_json({"journal": str(reader.path), "account": reader.account, **life_as_dict(order, frames)})
    else:
        timeline_view.show(out(), order, frames)


def _found(reader: JournalReader, order_id: str) -> JournalOrder:
    order = reader.order(order_id)
    if order is None:
        known = ", ".join(found.client_order_id for found in reader.orders(5)) or "none"
        raise CliError(f"no order {order_id!r} in {reader.path}; the last ones are: {known}")
    return order


# -- statistics --------------------------------------------------------------------------------------------------------


def _show_stats(journals: Sequence[str], last: int | None, by: Sequence[str], as_json: bool) -> None:
    tracker = LifecycleTracker()
    with busy("reading the journal", quiet=as_json):
        for path in journals:
            with JournalReader(path) as reader:
                for life in reader.lifecycles(last):
                    tracker.put(life)
    found, total = stats.groups(tracker, by), tracker.statistics()
    if as_json:
        print_json({"journals": list(journals), **stats.report_as_dict(found, total, by)})
        return
    console = out()
    for table in stats.tables(found, total):
        console.print(table)


# -- the page ----------------------------------------------------------------------------------------------------------


def _write_page(
    journal: str, also: Sequence[str], order_id: str | None, last: int, by: Sequence[str], html: str, as_json: bool
) -> None:
    lives: list[timeline_html.Life] = []
    accounts: list[str] = []
    count = 0
    for path in (journal, *also):
        with JournalReader(path) as reader, busy(f"reading {path}", quiet=as_json):
            accounts.append(reader.account)
            orders = reader.orders(last) if order_id is None else [_found(reader, order_id)]
            count += reader.count()
            lives += [(order, reader.frames(order), order.lifecycle(reader.venue)) for order in orders]
    lives.sort(key=lambda life: life[0].created_ns)
    title = f"Orders of account {', '.join(accounts)}"
    shown = f"{len(lives)} of {count} orders" if count > len(lives) else f"{count} orders"
    target = Path(html)
    try:
        target.write_text(timeline_html.page(title, f"{shown}, from {journal}", lives, by), encoding="utf-8")
    except OSError as e:
        raise CliError(f"{html} cannot be written: {e.strerror}") from None
    if as_json:
        print_json({"html": str(target), "orders": len(lives), "bytes": target.stat().st_size})
    else:
        err().print(f"{target}: {len(lives)} orders", style="dim", markup=False, soft_wrap=True)


# -- plain values ------------------------------------------------------------------------------------------------------


def as_dict(order: JournalOrder) -> dict[str, Any]:
    """Return an order with its measures as plain values; times and durations in ns, decimals as text."""
    state, terms = order.state, order.terms
    life: OrderLifecycle = order.lifecycle()
    limbo = limbo_of(state.status, is_named=order.venue_order_id is not None)
    return {
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "instrument": order.symbol,
        "strategy_id": order.strategy_id,
        "external": order.external,
        "side": state.side.name,
        "type": state.type.name,
        "time_in_force": terms.time_in_force.name,
        "price": None if state.price is None else plain(state.price),
        "quantity": plain(state.quantity),
        "filled_qty": plain(state.filled_qty),
        "avg_px": None if state.avg_px is None else str(state.avg_px),
        "fill_ratio": str(order.fill_ratio),
        "status": state.status.name,
        "limbo": None if limbo is None else limbo.name,
        "phase": life.phase.name,
        "ending": None if life.ending is None else life.ending.name,
        "created_ns": order.created_ns,
        "closed_ns": order.closed_ns,
        "duration_ns": order.duration_ns,
        "time_to_accept_ns": life.time_to_accept_ns,
        "time_to_first_fill_ns": life.time_to_first_fill_ns,
        "cancel_latency_ns": life.cancel_latency_ns,
        "fault": order.fault or None,
    }


def life_as_dict(order: JournalOrder, frames: Sequence[JournalFrame]) -> dict[str, Any]:
    """Return an order, its frames and its events as plain values on one axis."""
    timeline: list[dict[str, Any]] = []
    for moment in timeline_view.moments(order, frames):
        entry: dict[str, Any] = {"offset_ns": moment.offset_ns}
        if moment.frame is not None:
            raw = moment.frame.raw.decode("utf-8", "backslashreplace")
            entry |= {"kind": "frame", "stream": moment.frame.stream, "fault": moment.frame.fault, "raw": raw}
        else:
            entry |= {"kind": "event", **msgspec.to_builtins(moment.event)}
        timeline.append(entry)
    return {"order": as_dict(order), "timeline": timeline}
