"""An order's life on one time axis: what the venue said (raw frames) against what the framework was told (events)."""

from collections.abc import Sequence
from itertools import pairwise
from math import log10
from typing import Any, Final

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nautilus_orderfeeds.cli.console import secs
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders import limbo
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.journal_reader import JournalFrame, JournalOrder
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle, Phase
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderStatus

#: Letter and colour of an event on the axis.
_MARKS: Final[dict[type[ev.OrderEvent], tuple[str, str]]] = {
    ev.OrderDenied: ("D", "red"),
    ev.OrderSubmitted: ("S", "white"),
    ev.OrderReleased: ("s", "white"),
    ev.OrderAccepted: ("A", "cyan"),
    ev.OrderRejected: ("R", "red"),
    ev.OrderTriggered: ("T", "cyan"),
    ev.OrderPendingUpdate: ("u", "magenta"),
    ev.OrderPendingCancel: ("c", "magenta"),
    ev.OrderUpdated: ("U", "cyan"),
    ev.OrderModifyRejected: ("m", "red"),
    ev.OrderCancelRejected: ("x", "red"),
    ev.OrderCanceled: ("C", "yellow"),
    ev.OrderExpired: ("E", "yellow"),
    ev.OrderFilled: ("F", "green"),
    ev.FillAbsorbed: ("=", "dim"),
    ev.FillOrphaned: ("!", "bold red"),
    ev.OrderAnomaly: ("!", "bold red"),
}
_FRAME_MARK: Final = ("•", "blue")
_FAULT_MARK: Final = ("?", "bold red")
STATUS_STYLES: Final = {
    OrderStatus.SUBMITTED: "magenta",
    OrderStatus.PENDING_UPDATE: "magenta",
    OrderStatus.PENDING_CANCEL: "magenta",
    OrderStatus.FILLED: "green",
    OrderStatus.PARTIALLY_FILLED: "yellow",
    OrderStatus.ACCEPTED: "cyan",
    OrderStatus.REJECTED: "red",
    OrderStatus.DENIED: "red",
}
#: Values under keys like these tell most of what happened, so they are shown first.
_TELLING: Final = (
    "status",
    "state",
    "filled",
    "exec",
    "cum",
    "reason",
    "avg",
    "last",
    "price",
    "px",
    "size",
    "q",
    "side",
)
#: The first so many of them are shown even if they have not changed.
_ALWAYS: Final = 2
_MAX_EXCERPT: Final = 400
_LANE_NAME: Final = 11


class Moment(Struct, frozen=True):
    """One point on the axis: a frame or an event, `offset_ns` after the first."""

    offset_ns: int
    frame: JournalFrame | None
    event: ev.OrderEvent | None


def moments(order: JournalOrder, frames: Sequence[JournalFrame]) -> list[Moment]:
    """Return frames and events by the time they were recorded; a frame before the events it caused."""
    stamped = [(frame.recorded_ns, 0, frame, None) for frame in frames]
    stamped += [(entry.recorded_ns, 1, None, entry.event) for entry in order.events]  # type: ignore[misc]
    stamped.sort(key=lambda item: item[:2])
    begun = stamped[0][0] if stamped else 0
    return [Moment(recorded_ns - begun, frame, event) for recorded_ns, _, frame, event in stamped]


def show(console: Console, order: JournalOrder, frames: Sequence[JournalFrame]) -> None:
    """Draw one order's life."""
    life = moments(order, frames)
    _head(console, order, frames)
    if life:
        console.print(_axis(life, console.width))
        console.print(_table(life, order.ids))
    if not frames:
        console.print(
            "No frame of the venue names this order (older frames are pruned before orders are).", style="dim"
        )


def _head(console: Console, order: JournalOrder, frames: Sequence[JournalFrame]) -> None:
    terms, state = order.terms, order.state
    price = "" if terms.price is None else f" @ {plain(terms.price)}"
    kind = f"{terms.type.name} {terms.time_in_force.name}"
    title = Text.assemble(
        (order.client_order_id, "bold"),
        f"  {terms.side.name} {plain(terms.quantity)} {order.symbol}{price} {kind}  ",
        (status_text(order.lifecycle()), STATUS_STYLES.get(state.status, "")),
    )
    console.print(title, soft_wrap=True)
    origin = "entered elsewhere" if order.external else f"strategy {order.strategy_id}"
    console.print(f"venue order id {order.venue_order_id or 'not known'}, {origin}", style="dim", soft_wrap=True)
    avg_px = "" if state.avg_px is None else f" at {plain(state.avg_px)[:16]} on average"
    console.print(
        f"time to accept {secs(order.time_to_accept_ns)}, time to first fill {secs(order.time_to_first_fill_ns)}, "
        f"fill ratio {float(order.fill_ratio):.0%} ({plain(state.filled_qty)} of {plain(state.quantity)}{avg_px}), "
        f"{len(frames)} frames, {len(order.events)} events",
        soft_wrap=True,
    )
    if order.fault:
        console.print(f"the events do not fold: {order.fault}", style="bold red", soft_wrap=True)


# -- the axis ----------------------------------------------------------------------------------------------------------


def _axis(life: Sequence[Moment], width: int) -> Text:
    """Draw the two lanes and the times beneath.

    From a tenth of a millisecond to hours, everything must be seen, so the distance of two moments is the logarithm of
    the time between them.
    """
    places = _places(life, max(width - _LANE_NAME - 10, 20))
    text = Text(no_wrap=True, overflow="crop")
    for name, is_venue in (("venue", True), ("framework", False)):
        text.append(f"{name:<{_LANE_NAME}}", style="dim")
        lane = {place: _mark(m) for place, m in zip(places, life, strict=True) if (m.frame is not None) is is_venue}
        for place in range(places[-1] + 1):
            mark, style = lane.get(place, ("─", "dim"))
            text.append(mark, style=style)
        text.append("\n")
    scale = " " * _LANE_NAME
    for place, moment in zip(places, life, strict=True):
        label = secs(moment.offset_ns) if moment.offset_ns else "0"
        if len(scale) <= place + _LANE_NAME:
            scale = f"{scale:<{place + _LANE_NAME}}{label} "
    text.append(scale.rstrip(), style="dim")
    return text


def _places(life: Sequence[Moment], room: int) -> list[int]:
    """Return the column of each moment; no two share one."""
    gaps = [log10(1 + max(b.offset_ns - a.offset_ns, 0) / 100_000) for a, b in pairwise(life)]
    free = max(room - len(life), 0)
    total = sum(gaps) or 1.0
    places = [0]
    for gap in gaps:
        places.append(places[-1] + 1 + int(gap / total * free))
    return places


def event_mark(event: ev.OrderEvent) -> tuple[str, str]:
    """Return the letter and the colour of an event."""
    return _MARKS.get(type(event), ("*", "white"))


def status_text(life: OrderLifecycle) -> str:
    """Return an order's status for people; where the outcome of a request is not known, that and what is missing."""
    text = limbo.status_text(life.status, is_named=life.venue_order_id is not None)
    return f"{text} (outcome unknown)" if life.phase is Phase.IN_FLIGHT and text == life.status.name else text


def _mark(moment: Moment) -> tuple[str, str]:
    if moment.event is not None:
        return event_mark(moment.event)
    return _FAULT_MARK if moment.frame is not None and moment.frame.fault else _FRAME_MARK


# -- the table ---------------------------------------------------------------------------------------------------------


def _table(life: Sequence[Moment], ids: Sequence[str]) -> Table:
    table = Table(expand=True, header_style="bold")
    table.add_column("after", justify="right", no_wrap=True)
    table.add_column("the venue said (raw frame)", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("", no_wrap=True)
    table.add_column("the framework was told", ratio=1, no_wrap=True, overflow="ellipsis")
    before: dict[str, str] = {}
    for moment in life:
        mark, style = _mark(moment)
        after = f"{moment.offset_ns / 1e6:,.3f} ms"
        if moment.frame is not None:
            said = f"unreadable: {moment.frame.fault}" if moment.frame.fault else excerpt(moment.frame.raw, ids, before)
            table.add_row(after, Text(said), Text(mark, style=style), "")
        elif moment.event is not None:
            table.add_row(after, "", Text(mark, style=style), Text(describe(moment.event), style=style))
    return table


def describe(event: ev.OrderEvent) -> str:
    """Return one event in a line."""
    name = type(event).__name__.removeprefix("Order")
    match event:
        case ev.OrderFilled():
            notes = ["from totals"] if event.inferred else []
            if event.liquidity_side is not LiquiditySide.NO_LIQUIDITY_SIDE:
                notes.append(event.liquidity_side.name.lower())
            notes.append(f"fee {plain(event.commission)}" + (" estimated" if event.fee_estimated else ""))
            return f"{name} {plain(event.last_qty)} @ {plain(event.last_px)} ({', '.join(notes)})"
        case ev.OrderUpdated():
            price = "" if event.price is None else f" @ {plain(event.price)}"
            return f"{name} to {plain(event.quantity)}{price}"
        case ev.FillOrphaned():
            return f"{name} {plain(event.last_qty)} @ {plain(event.last_px)}: {event.reason}"
        case ev.FillAbsorbed():
            return f"{name} {plain(event.qty)} of trade {event.trade_id}"
        case ev.OrderAnomaly():
            return f"{name}: {event.what}"
        case _:
            reason = getattr(event, "reason", "")
            return f"{name}: {reason}" if reason else name


def facts(raw: bytes, ids: Sequence[str]) -> dict[str, str] | None:
    """Return what a frame says of an order: the values beside its id, the telling ones first; None if it is no JSON.

    A list is told by its length.
    """
    try:
        found = _naming(msgspec.json.decode(raw), frozenset(ids))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if found is None:
        return None
    told = {key: f"[{len(value)}]" if isinstance(value, list) else str(value) for key, value in found.items()}
    kept = [key for key, value in found.items() if not isinstance(value, dict) and told[key] not in (*ids, "", "None")]
    return {key: told[key] for key in sorted(kept, key=_rank)}


def excerpt(raw: bytes, ids: Sequence[str], before: dict[str, str]) -> str:
    """Return a frame in a line: its status, and what is not as in the frame `before`; that becomes this one's facts."""
    now = facts(raw, ids)
    if now is None:
        return raw[:_MAX_EXCERPT].decode("utf-8", "backslashreplace")
    shown = [f"{key}={value}" for key, value in now.items() if before.get(key) != value or _rank(key) < _ALWAYS]
    before.clear()
    before.update(now)
    return " ".join(shown)[:_MAX_EXCERPT]


def _naming(value: Any, ids: frozenset[str]) -> dict[str, Any] | None:
    """Return the innermost object that has one of the ids as a value of its own."""
    if isinstance(value, dict):
        own = any(not isinstance(held, dict | list) and str(held) in ids for held in value.values())
        inner = next((found for held in value.values() if (found := _naming(held, ids)) is not None), None)
        # An order that lists its trades names itself in each of them: the order says more.
        return value if own else inner
    if isinstance(value, list):
        return next((found for held in value if (found := _naming(held, ids)) is not None), None)
    return None


def _rank(key: str) -> int:
    lowered = key.lower()
    exact = next((n for n, word in enumerate(_TELLING) if word == lowered), None)
    inside = next((n for n, word in enumerate(_TELLING) if word in lowered), len(_TELLING))
    return inside + len(_TELLING) if exact is None else exact
