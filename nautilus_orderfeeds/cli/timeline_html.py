"""The timeline as one standalone HTML page: nothing is fetched, so it can be mailed, kept and opened offline."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

import msgspec

from nautilus_orderfeeds.cli import stats, timeline_view
from nautilus_orderfeeds.cli.console import secs
from nautilus_orderfeeds.cli.timeline_states import state_diagram
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.journal_reader import JournalFrame, JournalOrder
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle
from nautilus_orderfeeds.orders.lifecycle_stats import Statistics

_ASSETS: Final = files("nautilus_orderfeeds.cli")
#: A frame longer than this is cut in the page; the journal has it in full.
_MAX_FRAME: Final = 20_000
#: Colour of an event, by what it means.
_STYLES: Final[dict[type[ev.OrderEvent], str]] = {
    ev.OrderFilled: "good",
    ev.OrderRejected: "bad",
    ev.OrderDenied: "bad",
    ev.OrderCancelRejected: "bad",
    ev.OrderModifyRejected: "bad",
    ev.FillOrphaned: "bad",
    ev.OrderAnomaly: "bad",
    ev.OrderCanceled: "warn",
    ev.OrderExpired: "warn",
    ev.OrderPendingCancel: "ask",
    ev.OrderPendingUpdate: "ask",
    ev.FillAbsorbed: "dim",
}
#: Events of our own doing: no frame caused them.
_OURS: Final = (ev.OrderSubmitted, ev.OrderDenied, ev.OrderReleased, ev.OrderPendingCancel, ev.OrderPendingUpdate)
_ORDER_COLUMNS: Final = (
    ("client order id", ""),
    ("status", ""),
    ("instrument", "long"),
    ("side", ""),
    ("type", ""),
    ("quantity", "num"),
    ("filled", "num"),
    ("to accept", "num"),
    ("to first fill", "num"),
    ("duration", "num"),
)

Life = tuple[JournalOrder, Sequence[JournalFrame], OrderLifecycle]


def page(title: str, subtitle: str, lives: Sequence[Life], by: Sequence[str]) -> str:
    """Return the page.

    Parameters
    ----------
    title, subtitle : str
        Heading, and the line beneath.
    lives : Sequence[tuple[JournalOrder, Sequence[JournalFrame], OrderLifecycle]]
        The orders, their frames, and their numbers.
    by : Sequence[str]
        What the statistics are grouped by, as in `stats.DIMENSIONS`.
    """
    numbers = [life for _, _, life in lives]
    total = Statistics.of(numbers)
    lines = stats.lines(stats.groups(numbers, by), total)
    # "<" cannot stand in a script element: a frame might hold its end tag.
    data = msgspec.json.encode([life_as_dict(*life) for life in lives]).decode().replace("<", "\\u003c")
    return Template(_asset("timeline.html")).substitute(
        kind="one" if len(lives) == 1 else "all",
        title=escape(title),
        subtitle=escape(subtitle),
        css=_asset("timeline.css"),
        js=_asset("timeline.js"),
        lives=data,
        cards=_cards(total),
        states=state_diagram(),
        order_head=_row("th", _ORDER_COLUMNS),
        order_rows="\n".join(_order_row(order, life) for order, _, life in reversed(lives)),
        counts=_table(stats.COUNT_COLUMNS, [(name, cells) for name, cells, _ in lines]),
        times=_table(stats.TIME_COLUMNS, [(name, cells) for name, _, cells in lines]),
    )


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _row(tag: str, cells: Iterable[tuple[str, str]]) -> str:
    inner = "".join(f'<{tag} class="{kind}">{escape(text)}</{tag}>' for text, kind in cells)
    return f"<tr>{inner}</tr>"


def _table(columns: Sequence[str], lines: Sequence[tuple[str, Sequence[str]]]) -> str:
    head = _row("th", [("", ""), *((column, "num") for column in columns)])
    body = "".join(_row("td", [(name, ""), *((cell, "num") for cell in cells)]) for name, cells in lines)
    return f"<thead>{head}</thead><tbody>{body}</tbody>"


def _cards(total: Statistics) -> str:
    shown = (
        (str(total.orders), "orders"),
        (str(total.active + total.pending), "open"),
        (str(total.in_flight), "in flight: outcome unknown"),
        (str(total.completed), "completed"),
        (f"{total.fill_ratio:.0%}", "mean fill ratio"),
        (secs(total.time_to_accept.p50_ns if total.time_to_accept.count else None), "median time to accept"),
        (secs(total.duration.mean_ns if total.duration.count else None), "average execution time"),
    )
    return "".join(
        f'<div class="card"><b>{escape(value)}</b><span>{escape(name)}</span></div>' for value, name in shown
    )


def _order_row(order: JournalOrder, life: OrderLifecycle) -> str:
    cells = (
        (timeline_view.status_text(life), life.status.name),
        (order.symbol, "long"),
        (life.side.name, ""),
        (f"{life.type.name} {life.time_in_force.name}", ""),
        (plain(life.quantity), "num"),
        (f"{plain(life.filled_qty)} ({life.fill_ratio:.0%})", "num"),
        (secs(life.time_to_accept_ns), "num"),
        (secs(life.time_to_first_fill_ns), "num"),
        (secs(life.duration_ns) if life.is_completed else "-", "num"),
    )
    inner = "".join(f'<td class="{kind}">{escape(text)}</td>' for text, kind in cells)
    name = escape(order.client_order_id, quote=True)
    return f'<tr data-id="{name}"><td><button>{name}</button></td>{inner}</tr>'


def life_as_dict(order: JournalOrder, frames: Sequence[JournalFrame], life: OrderLifecycle) -> dict[str, Any]:
    """Return an order as the page's script wants it: only text and ns."""
    terms = order.terms
    price = "" if terms.price is None else f" @ {plain(terms.price)}"
    origin = "entered elsewhere" if order.external else f"strategy {order.strategy_id}"
    avg_px = "" if life.avg_px is None else f" at {plain(life.avg_px)[:16]} on average"
    before: dict[str, str] = {}
    moments = [_moment(moment, order, before) for moment in timeline_view.moments(order, frames)]
    return {
        "id": order.client_order_id,
        "title": f"{terms.side.name} {plain(terms.quantity)} {order.symbol}{price}",
        "about": f"{order.client_order_id}, {terms.type.name} {terms.time_in_force.name}, {origin}, "
        f"venue order id {order.venue_order_id or 'not known'}" + (f"; {order.fault}" if order.fault else ""),
        "status": life.status.name,
        "facts": [
            ["state", timeline_view.status_text(life)],
            ["filled", f"{plain(life.filled_qty)} of {plain(life.quantity)} ({life.fill_ratio:.1%}){avg_px}"],
            ["to accept", secs(life.time_to_accept_ns)],
            ["to first fill", secs(life.time_to_first_fill_ns)],
            ["cancel", secs(life.cancel_latency_ns)],
            ["duration", secs(life.duration_ns)],
            *([["reason", life.reason]] if life.reason else []),
        ],
        "path": _path(order, frames),
        "moments": moments,
    }


def _moment(moment: timeline_view.Moment, order: JournalOrder, before: dict[str, str]) -> dict[str, Any]:
    if moment.frame is not None:
        raw = moment.frame.raw[:_MAX_FRAME].decode("utf-8", "backslashreplace")
        fault = moment.frame.fault or ""
        text = f"unreadable: {fault}" if fault else timeline_view.excerpt(moment.frame.raw, order.ids, before)
        return {
            "at": moment.offset_ns,
            "kind": "frame",
            "style": "fault" if fault else "",
            "text": text,
            "detail": raw,
            "stream": moment.frame.stream,
            "fault": fault,
        }
    event = moment.event
    assert event is not None
    return {
        "at": moment.offset_ns,
        "kind": "event",
        "ours": isinstance(event, _OURS),
        "style": _STYLES.get(type(event), ""),
        "mark": timeline_view.event_mark(event)[0],
        "text": timeline_view.describe(event),
        "detail": msgspec.json.encode(event).decode(),
    }


def _path(order: JournalOrder, frames: Sequence[JournalFrame]) -> list[dict[str, Any]]:
    """Return the statuses in the order they were reached, each with the time since the first moment, ns."""
    # On the axis of the moments, which begins with the first of them.
    begun = min([f.recorded_ns for f in frames] + [e.recorded_ns for e in order.events], default=order.created_ns)
    life = OrderLifecycle.of(order.terms, order.created_ns)
    path = [{"status": life.status.name, "at": 0}]
    for entry in order.events:
        life.note(entry.event, entry.recorded_ns)
        if life.status.name != path[-1]["status"]:
            path.append({"status": life.status.name, "at": entry.recorded_ns - begun})
    return path
