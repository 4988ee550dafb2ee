"""One order's life as data: wire frames against framework events, and its path through the state machine."""

from pathlib import Path
from typing import Final, NamedTuple

from nautilus_orderfeeds.orders.events import OrderFilled
from nautilus_orderfeeds.orders.journal_reader import JournalOrder, JournalReader
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle
from nautilus_orderfeeds.orders.words import OrderStatus

WIRE: Final = "wire"
FRAMEWORK: Final = "framework"


class Moment(NamedTuple):
    """One point of an order's life.

    Parameters
    ----------
    offset_ns : int
        After the first moment.
    lane : str
        `WIRE` (a frame of the venue) or `FRAMEWORK` (an event told).
    label : str
        Name of the event without ``Order``, or of the stream.
    detail : str
        Quantity, price and fee of a fill; a reason; the frame's text.
    """

    offset_ns: int
    lane: str
    label: str
    detail: str


class Step(NamedTuple):
    """One change of an order's status."""

    offset_ns: int
    before: OrderStatus
    event: str
    after: OrderStatus


def lifecycle_timeline(journal: str | Path, order_id: str) -> list[Moment]:
    """Return the frames that name an order and the events it led to, by the time they were recorded.

    Parameters
    ----------
    journal : str or Path
        The SQLite file.
    order_id : str
        Client order id, or else venue order id.

    Raises
    ------
    JournalError
        If the journal cannot be read.
    LookupError
        If it has no such order.
    """
    with JournalReader(journal) as reader:
        order = _order(reader, order_id)
        frames = reader.frames(order)
    stamped = [(f.recorded_ns, 0, WIRE, f.stream, f.fault or f.raw.decode("utf-8", "backslashreplace")) for f in frames]
    for entry in order.events:
        event = entry.event
        detail = getattr(event, "reason", "")
        if isinstance(event, OrderFilled):
            detail = f"{event.last_qty:f} @ {event.last_px:f}, fee {event.commission:f}"
        label = type(event).__name__.removeprefix("Order")
        stamped.append((entry.recorded_ns, 1, FRAMEWORK, label, detail))
    # A frame stands before the events it caused, although the two may have the same time.
    stamped.sort(key=lambda moment: moment[:2])
    begun_ns = stamped[0][0] if stamped else 0
    return [Moment(at_ns - begun_ns, lane, label, detail) for at_ns, _, lane, label, detail in stamped]


def lifecycle_path(journal: str | Path, order_id: str) -> list[Step]:
    """Return an order's way through the state machine; parameters and errors as of `lifecycle_timeline`."""
    with JournalReader(journal) as reader:
        order = _order(reader, order_id)
    life = OrderLifecycle.of(order.terms, order.created_ns, external=order.external)
    steps: list[Step] = []
    for entry in order.events:
        before = life.status
        life.note(entry.event, entry.recorded_ns)
        if life.status is not before or isinstance(entry.event, OrderFilled):
            name = type(entry.event).__name__.removeprefix("Order")
            steps.append(Step(entry.recorded_ns - order.created_ns, before, name, life.status))
    return steps


def _order(reader: JournalReader, order_id: str) -> JournalOrder:
    order = reader.order(order_id)
    if order is None:
        raise LookupError(f"no order {order_id!r} in {reader.path}")
    return order
