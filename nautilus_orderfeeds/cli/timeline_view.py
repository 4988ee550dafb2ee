"""An order's life on one time axis: what the venue said (raw frames) against what the framework was told (events)."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nautilus_orderfeeds.cli.console import secs
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.journal_reader import JournalFrame, JournalOrder
from nautilus_orderfeeds.orders.words import OrderStatus

#: Letter and colour of an event on the axis.
_MARKS: Final[dict[type[ev.OrderEvent], tuple[str, str]]] = {
    ev.OrderDenied: ("D", "red"),
    ev.OrderSubmitted: ("S", "white"),
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
    "event",
    "type",
    "reason",
    "fill",
    "exec",
    "cum",
    "qty",
    "quantity",
    "size",
    "price",
)
_MAX_EXCERPT: Final = 400


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
    title = Text.assemble(
        (order.client_order_id, "bold"),
        f"  {terms.side.name} {plain(terms.quantity)} {order.symbol}{price} {terms.type.name} {terms.time_in_force.name}  ",
        (state.status.name, STATUS_STYLES.get(state.status, "")),
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
    """Draw the two lanes, linear in time; marks that fall on one place stand side by side."""
    room = max(width - 14, 20)
    total = life[-1].offset_ns or 1
    lanes: tuple[dict[int, tuple[str, str]], dict[int, tuple[str, str]]] = ({}, {})
    for moment in life:
        lane = lanes[0] if moment.event is None else lanes[1]
        place = moment.offset_ns * (room - 1) // total
        while place in lane and place < room + len(life):
            place += 1
        lane[place] = _mark(moment)
    length = max([room - 1, *lanes[0], *lanes[1]]) + 1
    text = Text(no_wrap=True, overflow="crop")
    for name, lane in zip(("venue", "framework"), lanes, strict=True):
        text.append(f"{name:<11} ", style="dim")
        for place in range(length):
            mark, style = lane.get(place, ("─", "dim"))
            text.append(mark, style=style)
        text.append("\n")
    end = secs(life[-1].offset_ns)
    text.append(f"{'':<11} 0{end:>{room - 1}}", style="dim")
    return text


def _mark(moment: Moment) -> tuple[str, str]:
    if moment.event is not None:
        return _MARKS.get(type(moment.event), ("*", "white"))
    return _FAULT_MARK if moment.frame is not None and moment.frame.fault else _FRAME_MARK


# -- the table ---------------------------------------------------------------------------------------------------------


def _table(life: Sequence[Moment], ids: Sequence[str]) -> Table:
    table = Table(expand=True, header_style="bold")
    table.add_column("after", justify="right", no_wrap=True)
    table.add_column("the venue said (raw frame)", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("", no_wrap=True)
    table.add_column("the framework was told", ratio=1, no_wrap=True, overflow="ellipsis")
    for moment in life:
        mark, style = _mark(moment)
        after = f"{moment.offset_ns / 1e6:,.3f} ms"
        if moment.frame is not None:
            said = f"unreadable: {moment.frame.fault}" if moment.frame.fault else excerpt(moment.frame.raw, ids)
            table.add_row(after, Text(said), Text(mark, style=style), "")
        elif moment.event is not None:
            table.add_row(after, "", Text(mark, style=style), Text(describe(moment.event), style=style))
    return table


def describe(event: ev.OrderEvent) -> str:
    """Return one event in a line."""
    name = type(event).__name__.removeprefix("Order")
    match event:
        case ev.OrderFilled():
            notes = [event.liquidity_side.name.replace("NO_LIQUIDITY_SIDE", "side unknown")]
            notes.append(f"fee {plain(event.commission)}" + (" estimated" if event.fee_estimated else ""))
            if event.inferred:
                notes.append("inferred")
            fill = f"{plain(event.last_qty)} @ {plain(event.last_px)}"
            return f"{name} {fill}, {plain(event.cum_qty)} in all ({', '.join(notes)})"
        case ev.OrderAccepted():
            return f"{name} as {event.venue_order_id}"
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


def excerpt(raw: bytes, ids: Sequence[str]) -> str:
    """Return what a frame says of an order: the values beside its id, the telling ones first; else its beginning."""
    try:
        found = _naming(msgspec.json.decode(raw), frozenset(ids))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None:
        return raw[:_MAX_EXCERPT].decode("utf-8", "backslashreplace")
    scalars = {key: value for key, value in found.items() if not isinstance(value, dict | list)}
    words = [(key, str(value)) for key, value in scalars.items() if str(value) not in ids and value not in (None, "")]
    words.sort(key=lambda item: _rank(item[0]))
    lists = [f"{key}[{len(value)}]" for key, value in found.items() if isinstance(value, list) and value]
    return " ".join([f"{key}={text}" for key, text in words] + lists)[:_MAX_EXCERPT]


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
    return next((n for n, word in enumerate(_TELLING) if word in lowered), len(_TELLING))
