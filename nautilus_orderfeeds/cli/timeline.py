"""`orderfeeds timeline`: the orders of a journal, or the life of one, while a node may be writing it."""

from typing import Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from nautilus_orderfeeds.cli import timeline_view
from nautilus_orderfeeds.cli.console import EXIT_CODES, CliError, busy, out, print_json, secs
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.journal import JournalError
from nautilus_orderfeeds.orders.journal_reader import JournalFrame, JournalOrder, JournalReader


@click.command(epilog=EXIT_CODES)
@click.argument("journal", type=click.Path())
@click.option("--order", "order_id", metavar="ID", help="Client order id (or venue order id) of the order to draw.")
@click.option("--last", type=click.IntRange(min=1), default=100, show_default=True, help="How many orders to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: times in UNIX ns, frames in full.")
def command(journal: str, order_id: str | None, last: int, as_json: bool) -> None:
    """Show the orders in JOURNAL, or draw the life of one of them.

    JOURNAL is the SQLite file that an execution client writes (config field `journal`). It is only read, so a node may
    be running on it.
    """
    try:
        with JournalReader(journal) as reader:
            if order_id is None:
                _list(reader, last, as_json)
            else:
                _draw(reader, order_id, as_json)
    except JournalError as e:
        raise CliError(str(e)) from None


def _list(reader: JournalReader, last: int, as_json: bool) -> None:
    with busy("reading the journal", quiet=as_json):
        count, orders = reader.count(), reader.orders(last)
    if as_json:
        listed = [as_dict(order) for order in orders]
        print_json({"journal": str(reader.path), "account": reader.account, "count": count, "orders": listed})
        return
    console = out()
    title = f"{count} orders of account {reader.account}" + (f", the last {len(orders)}" if count > len(orders) else "")
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in ("client order id", "instrument", "side", "type", "qty", "filled", "status", "to accept", "duration"):
        right = column in ("qty", "filled", "to accept", "duration")
        table.add_column(column, justify="right" if right else "left", no_wrap=True)
    for order in orders:
        state = order.state
        table.add_row(
            order.client_order_id,
            order.symbol,
            state.side.name,
            f"{state.type.name} {order.terms.time_in_force.name}",
            plain(state.quantity),
            f"{plain(state.filled_qty)} ({float(order.fill_ratio):.0%})",
            Text(state.status.name, style=timeline_view.STATUS_STYLES.get(state.status, "")),
            secs(order.time_to_accept_ns),
            "open" if order.closed_ns is None else secs(order.duration_ns),
        )
    console.print(table)


def _draw(reader: JournalReader, order_id: str, as_json: bool) -> None:
    with busy("reading the journal", quiet=as_json):
        order = reader.order(order_id)
        frames = [] if order is None else reader.frames(order)
    if order is None:
        known = ", ".join(found.client_order_id for found in reader.orders(5)) or "none"
        raise CliError(f"no order {order_id!r} in {reader.path}; the last ones are: {known}")
    if as_json:
        print_json({"journal": str(reader.path), "account": reader.account, **life_as_dict(order, frames)})
    else:
        timeline_view.show(out(), order, frames)


def as_dict(order: JournalOrder) -> dict[str, Any]:
    """Return an order with its measures as plain values; times and durations in ns, decimals as text."""
    state, terms = order.state, order.terms
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
        "created_ns": order.created_ns,
        "closed_ns": order.closed_ns,
        "duration_ns": order.duration_ns,
        "time_to_accept_ns": order.time_to_accept_ns,
        "time_to_first_fill_ns": order.time_to_first_fill_ns,
        "fault": order.fault or None,
    }


def life_as_dict(order: JournalOrder, frames: list[JournalFrame]) -> dict[str, Any]:
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
