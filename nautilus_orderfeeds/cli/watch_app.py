"""The live blotter in the terminal: feeds above, orders in the middle, fills below, keys to choose what is seen."""

import time
from typing import ClassVar, Final

import msgspec
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable, Footer, Input, Static

from nautilus_orderfeeds.cli.timeline_view import STATUS_STYLES
from nautilus_orderfeeds.cli.watch_model import Blotter, FeedLine, Filter, Source, clock_text, cut, px_text, status_text
from nautilus_orderfeeds.cli.watch_model import fill_text as filled_text
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.words import OrderSide

_LOOK_SECS: Final = 0.25
_SIDES: Final = {None: OrderSide.BUY, OrderSide.BUY: OrderSide.SELL, OrderSide.SELL: None}
_FEED_STYLES: Final = {
    "LIVE": "green",
    "RESYNCING": "yellow",
    "CONNECTING": "yellow",
    "STALE": "red",
    "DOWN": "red",
    "JOURNAL": "cyan",
}
_ORDER_COLUMNS: Final = ("time", "order", "status", "instrument", "side", "qty", "filled", "price", "avg px", "type")
_FILL_COLUMNS: Final = ("time", "order", "instrument", "side", "qty", "price", "fee", "")


class WatchApp(App[None]):
    """The blotter of a source. It reads only.

    Parameters
    ----------
    source : Source
        Started already; whoever started it stops it.
    wanted : Filter
        What is shown at first.
    """

    TITLE = "orderfeeds watch"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head { height: auto; padding: 0 1; background: $boost; }
    #filter { display: none; height: 3; }
    #filter.asked { display: block; }
    #orders { height: 2fr; border-top: solid $primary; border-title-color: $text; }
    #fills { height: 1fr; border-top: solid $primary; border-title-color: $text; }
    #notes { height: auto; padding: 0 1; color: $warning; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("slash", "ask_instrument", "instrument"),
        ("s", "next_side", "side"),
        ("o", "open_only", "open only"),
        ("p", "pause", "pause"),
        ("c", "clear", "clear filter"),
        ("escape", "close_filter", ""),
        ("q", "quit", "quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]

    def __init__(self, source: Source, wanted: Filter) -> None:
        super().__init__()
        self._source = source
        self.wanted = wanted
        self.paused = False
        self._shown: Blotter = source.blotter

    def compose(self) -> ComposeResult:
        """Return the parts, from top to bottom."""
        yield Static(id="head")
        yield Input(placeholder="part of the instrument's symbol; enter to apply", id="filter")
        with Vertical():
            yield DataTable(id="orders", cursor_type="row", zebra_stripes=True)
            yield DataTable(id="fills", cursor_type="none", zebra_stripes=True)
        yield Static(id="notes")
        yield Footer()

    def on_mount(self) -> None:
        """Draw the picture, and look for news from now on."""
        for name, columns in (("#orders", _ORDER_COLUMNS), ("#fills", _FILL_COLUMNS)):
            table = self.query_one(name, DataTable)
            for column in columns:
                table.add_column(column)
        self.query_one("#orders", DataTable).focus()
        self._draw()
        self.set_interval(_LOOK_SECS, self._look)

    def _look(self) -> None:
        changed = self._source.poll()
        if self.paused:
            return
        if changed:
            self._shown = self._source.blotter
            self._draw()
        else:
            self._draw_head()  # ages go on

    # -- keys ------------------------------------------------------------------------------------------------------

    def action_ask_instrument(self) -> None:
        """Let the user type which instruments are wanted."""
        field = self.query_one("#filter", Input)
        field.value = self.wanted.instrument
        field.add_class("asked")
        field.focus()

    def action_close_filter(self) -> None:
        """Leave the instruments as they were."""
        self.query_one("#filter", Input).remove_class("asked")
        self.query_one("#orders", DataTable).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take over the instruments typed."""
        self._want(instrument=event.value.strip())
        self.action_close_filter()

    def action_next_side(self) -> None:
        """Show both sides, buys, or sells."""
        self._want(side=_SIDES[self.wanted.side])

    def action_open_only(self) -> None:
        """Show only open orders, or all."""
        self._want(open_only=not self.wanted.open_only)

    def action_clear(self) -> None:
        """Show everything."""
        self.wanted = Filter()
        self._draw()

    def action_pause(self) -> None:
        """Hold the picture still, or go on. Nothing is missed meanwhile."""
        self.paused = not self.paused
        if not self.paused:
            self._shown = self._source.blotter
        self._draw()

    def _want(self, **changes: object) -> None:
        self.wanted = msgspec.structs.replace(self.wanted, **changes)
        self._draw()

    # -- drawing ---------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self._draw_head()
        self._draw_orders()
        self._draw_fills()
        notes = self.query_one("#notes", Static)
        notes.update(Text("\n".join(self._shown.notes)))
        notes.display = bool(self._shown.notes)

    def _draw_head(self) -> None:
        shown = self._shown
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(shown.title, style="bold")
        text.append(f"  {shown.account}  {self.wanted.text()}")
        if self.paused:
            text.append("  PAUSED", style="bold reverse")
        # While the picture stands still the feeds go on, and are what one wants to know of.
        for feed in self._source.blotter.feeds:
            text.append("\n")
            text.append_text(_feed_text(feed))
        self.query_one("#head", Static).update(text)

    def _draw_orders(self) -> None:
        table = self.query_one("#orders", DataTable)
        lives = [life for life in self._shown.orders if self.wanted.takes(life)]
        open_orders = sum(not life.is_completed for life in lives)
        table.border_title = f"orders: {len(lives)} shown, {open_orders} open"
        row = table.cursor_row
        table.clear()
        for life in lives:
            table.add_row(
                clock_text(life.last_ns),
                cut(life.client_order_id),
                Text(status_text(life), style=STATUS_STYLES.get(life.status, "")),
                cut(life.symbol),
                _side(life.side),
                _right(plain(life.quantity)),
                _right(filled_text(life)),
                _right(px_text(life.price)),
                _right(px_text(life.avg_px)),
                f"{life.type.name} {life.time_in_force.name}",
                key=f"{life.venue}/{life.client_order_id}",
            )
        table.move_cursor(row=min(row, max(len(lives) - 1, 0)))

    def _draw_fills(self) -> None:
        table = self.query_one("#fills", DataTable)
        fills = [fill for fill in self._shown.fills if self.wanted.takes_fill(fill)]
        table.border_title = f"fills: {len(fills)} shown"
        table.clear()
        for fill in fills:
            notes = [fill.liquidity_side.name.lower()] if fill.liquidity_side.name != "NO_LIQUIDITY_SIDE" else []
            notes += ["from totals"] if fill.inferred else []
            table.add_row(
                clock_text(fill.recorded_ns),
                cut(fill.client_order_id),
                cut(fill.symbol),
                _side(fill.side),
                _right(plain(fill.last_qty)),
                _right(px_text(fill.last_px)),
                _right(f"{plain(fill.commission)} {fill.commission_currency}".strip()),
                ", ".join(notes),
            )


def _feed_text(feed: FeedLine) -> Text:
    style = _FEED_STYLES.get(feed.state, "")
    return Text.assemble(
        ("● ", style), f"{feed.name} ", (feed.state, f"bold {style}"), f"  {feed.text(time.time_ns())}"
    )


def _right(text: str) -> Text:
    return Text(text, justify="right")


def _side(side: OrderSide) -> Text:
    return Text(side.name, style="green" if side is OrderSide.BUY else "red")


async def show(source: Source, wanted: Filter) -> None:
    """Show a source until the user quits."""
    await WatchApp(source, wanted).run_async()
