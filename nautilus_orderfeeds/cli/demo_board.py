"""What the audience of the demonstration sees: a live picture on a terminal, progress lines elsewhere.

Fed by the framework's message bus alone: order events and the `FeedHealth` that the clients publish.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from nautilus_trader.model.events import OrderEvent, OrderFilled, OrderInitialized
from nautilus_trader.model.identifiers import ClientOrderId
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nautilus_orderfeeds.adapter.custom_data import FEED_HEALTH, FeedHealth
from nautilus_orderfeeds.orders.decimals import ZERO, plain, quantize
from nautilus_orderfeeds.orders.limbo import limbo_of
from nautilus_orderfeeds.orders.words import OrderStatus

_FRAMES_PER_SEC: Final = 8
_STORY_LINES: Final = 8
#: Lines of the picture that are not rows of orders: titles, borders, story.
_OTHER_LINES: Final = 13

STATUS_STYLES: Final = {
    "FILLED": "green",
    "PARTIALLY_FILLED": "yellow",
    "ACCEPTED": "cyan",
    "CANCELED": "dim",
    "EXPIRED": "dim",
    "REJECTED": "red",
    "DENIED": "red",
    "PENDING_CANCEL": "magenta",
    "PENDING_UPDATE": "magenta",
}
HEALTH_STYLES: Final = {"LIVE": "green", "RESYNCING": "yellow", "CONNECTING": "yellow", "STALE": "red", "DOWN": "red"}


class Board:
    """Shows orders and feeds.

    Parameters
    ----------
    console : Console
        Where.
    cache : Any
        The framework's cache, for what became of each order.
    """

    def __init__(self, console: Console, cache: Any) -> None:
        self._console = console
        self._cache = cache
        self._begun = time.monotonic()
        self._last_events: dict[ClientOrderId, str] = {}
        self._health: dict[tuple[str, str], FeedHealth] = {}
        self._story: deque[Text] = deque(maxlen=_STORY_LINES)
        self._is_live_picture = console.is_terminal

    def attach(self, msgbus: Any) -> None:
        """Listen to a node."""
        msgbus.subscribe("events.order.*", self._on_order_event)
        msgbus.subscribe(f"data.{FEED_HEALTH.topic}", self._on_health)

    def say(self, who: str, what: str, style: str = "") -> None:
        """Tell one line of the story."""
        line = Text(f"{time.monotonic() - self._begun:6.2f} s  {who:<9} {what}", style=style)
        self._story.append(line)
        if not self._is_live_picture:
            self._console.print(line, soft_wrap=True)

    @asynccontextmanager
    async def showing(self) -> AsyncIterator[None]:
        """Keep the picture up to date while the block runs; nothing to do where lines are printed."""
        if not self._is_live_picture:
            yield
            return
        with Live(self._picture(), console=self._console, auto_refresh=False, transient=False) as live:

            async def refresh() -> None:
                while True:
                    await asyncio.sleep(1 / _FRAMES_PER_SEC)
                    live.update(self._picture(), refresh=True)

            task = asyncio.create_task(refresh(), name="demo picture")
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                live.update(self._picture(), refresh=True)

    # -- listening -------------------------------------------------------------------------------------------------

    def _on_order_event(self, event: OrderEvent) -> None:
        name = type(event).__name__
        self._last_events[event.client_order_id] = name
        if self._is_live_picture or isinstance(event, OrderInitialized):
            return
        detail = ""
        if isinstance(event, OrderFilled):
            detail = f" {event.last_qty} @ {event.last_px}, fee {event.commission}"
        elif reason := getattr(event, "reason", ""):
            detail = f" ({reason})"
        self.say(event.instrument_id.venue.value, f"{event.client_order_id} {name.removeprefix('Order')}{detail}")

    def _on_health(self, health: FeedHealth) -> None:
        key = (health.client_id, health.stream)
        known, self._health[key] = self._health.get(key), health
        if known is not None and (known.state, known.detail) == (health.state, health.detail):
            return  # only a counter has changed
        detail = f" ({health.detail})" if health.detail else ""
        self.say(
            health.client_id, f"feed {health.stream!r} {health.state}{detail}", HEALTH_STYLES.get(health.state, "")
        )

    # -- drawing ---------------------------------------------------------------------------------------------------

    def _picture(self) -> Group:
        return Group(self._feeds(), self._orders(), *self._story)

    def _feeds(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for (_, stream), health in list(self._health.items()):
            state = Text(health.state, style=f"bold {HEALTH_STYLES.get(health.state, '')}".strip())
            counts = f"connects {health.connects}, gaps {health.gaps}, malformed {health.malformed_frames}"
            table.add_row(Text("●", style=HEALTH_STYLES.get(health.state, "")), stream, state, counts, health.detail)
        return table

    def _orders(self) -> Table:
        table = Table(expand=True, title=None, header_style="bold")
        for column in ("client order id", "side", "type", "qty", "filled", "avg px", "status", "last event"):
            right = column in ("qty", "filled", "avg px")
            table.add_column(column, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
        room = max(self._console.height - _OTHER_LINES - len(self._health), 5)
        for client_order_id, last in list(self._last_events.items())[-room:]:
            order = self._cache.order(client_order_id)
            if order is not None:
                table.add_row(*order_cells(order), last.removeprefix("Order"))
        return table


def order_cells(order: Any) -> tuple[str | Text, ...]:
    """Return an order's cells: id, side, type, quantity, filled, average price, status."""
    status = order.status_string()
    settled = limbo_of(OrderStatus[status], is_named=order.venue_order_id is not None) is None
    fills = [event for event in order.events if isinstance(event, OrderFilled)]
    notional = sum((fill.last_qty.as_decimal() * fill.last_px.as_decimal() for fill in fills), ZERO)
    filled = order.filled_qty.as_decimal()
    avg_px = plain(quantize(notional / filled, fills[0].last_px.precision + 2)) if fills and filled else ""
    kind = order.type_string() + (f" {order.tif_string()}" if order.tif_string() != "GTC" else "")
    return (
        order.client_order_id.value,
        order.side_string(),
        kind + (" post-only" if order.is_post_only else ""),
        str(order.quantity),
        str(order.filled_qty),
        avg_px,
        Text(status if settled else f"{status} (outcome unknown)", style=STATUS_STYLES.get(status, "")),
    )
