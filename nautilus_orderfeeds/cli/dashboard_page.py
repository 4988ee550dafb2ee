"""The dashboard's one page: feeds, orders, fills, and the timeline of the order that was chosen. It shows, no more."""

import time
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

import msgspec
from nicegui import ui

from nautilus_orderfeeds.cli.console import secs
from nautilus_orderfeeds.cli.watch_model import (
    Blotter,
    Filter,
    Source,
    clock_text,
    cut,
    fill_text,
    px_text,
    status_text,
)
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle
from nautilus_orderfeeds.orders.lifecycle_stats import Statistics
from nautilus_orderfeeds.orders.words import OrderSide

_REFRESH_SECS: Final = 0.5
_SIDES: Final = {"": "both sides", "BUY": "buys", "SELL": "sells"}
_ORDER_COLUMNS: Final = (
    ("time", "time", "left"),
    ("id", "order", "left"),
    ("status", "status", "left"),
    ("instrument", "instrument", "left"),
    ("side", "side", "left"),
    ("qty", "quantity", "right"),
    ("filled", "filled", "right"),
    ("price", "price", "right"),
    ("avg_px", "avg px", "right"),
    ("accept", "to accept", "right"),
    ("duration", "duration", "right"),
    ("type", "type", "left"),
)
_FILL_COLUMNS: Final = (
    ("time", "time", "left"),
    ("id", "order", "left"),
    ("instrument", "instrument", "left"),
    ("side", "side", "left"),
    ("qty", "quantity", "right"),
    ("price", "price", "right"),
    ("fee", "fee", "right"),
    ("note", "", "left"),
)
#: Vue templates of cells: the words colour themselves by their class.
_WORD_CELL: Final = """
<q-td :props="props"><span :class="'w-' + props.value.replace('?', '')">{{ props.value }}</span></q-td>
"""


class DashboardPage:
    """What all open pages share: the sources, and how often they have changed.

    Parameters
    ----------
    sources : Sequence[Source]
        Where the blotters come from.
    has_timelines : bool
        Whether there are journals to draw an order's life from.
    """

    def __init__(self, sources: Sequence[Source], has_timelines: bool) -> None:
        self._sources = sources
        self.has_timelines = has_timelines
        self.version = 0

    def look(self) -> None:
        """Look for news."""
        # Each must be asked: `any` would stop at the first that has some.
        self.version += sum(source.poll() for source in self._sources)

    @property
    def blotters(self) -> list[Blotter]:
        """The present pictures."""
        return [source.blotter for source in self._sources]

    def build(self) -> None:
        """Build the page for one browser."""
        ui.add_css(files("nautilus_orderfeeds.cli").joinpath("dashboard.css").read_text(encoding="utf-8"))
        _View(self)


class _View:
    """One browser's page and what it has chosen."""

    def __init__(self, page: DashboardPage) -> None:
        self._page = page
        self._wanted = Filter()
        self._drawn = -1
        self._feed_states: list[tuple[str, str]] = []
        self._feed_texts: list[ui.label] = []
        with ui.element("header").classes("top"):
            ui.label("orderfeeds").classes("name")
            self._accounts = ui.label().classes("quiet")
            ui.element("span").classes("space")
            ui.label("read-only").classes("badge")
        with ui.element("main").classes("page"):
            self._cards = ui.element("section").classes("cards")
            self._feeds = ui.element("section").classes("feeds").mark("feeds")
            self._notes = ui.label().classes("notes")
            with ui.element("section").classes("choose"):
                ui.input("instrument", on_change=lambda e: self._want(instrument=e.value or "")).props(
                    "dense clearable outlined"
                ).classes("f-instrument")
                ui.select(
                    _SIDES,
                    value="",
                    on_change=lambda e: self._want(side=OrderSide[e.value] if e.value else None),
                ).props("dense outlined").classes("f-side")
                ui.switch("open only", on_change=lambda e: self._want(open_only=bool(e.value))).classes("f-open")
            self._orders = _table("orders", _ORDER_COLUMNS, 15).classes("orders")
            self._orders.on("rowClick", lambda event: self._show_life(event.args[1]["order"]))
            self._life = ui.element("section").classes("life")
            self._fills = _table("fills", _FILL_COLUMNS, 10).classes("fills")
        self._refresh()
        ui.timer(_REFRESH_SECS, self._refresh)

    def _want(self, **changes: Any) -> None:
        self._wanted = msgspec.structs.replace(self._wanted, **changes)
        self._drawn = -1
        self._refresh()

    def _refresh(self) -> None:
        blotters = self._page.blotters
        self._draw_feeds(blotters)
        if self._drawn == self._page.version:
            return
        self._drawn = self._page.version
        lives = [life for blotter in blotters for life in blotter.orders]
        self._accounts.set_text(", ".join(blotter.account for blotter in blotters if blotter.account))
        self._notes.set_text("\n".join(note for blotter in blotters for note in blotter.notes))
        self._draw_cards(lives)
        wanted = [life for life in lives if self._wanted.takes(life)]
        wanted.sort(key=lambda life: life.last_ns, reverse=True)
        wanted.sort(key=lambda life: life.is_completed)
        self._orders.rows = [_order_row(life) for life in wanted]
        self._orders.update()
        fills = [fill for blotter in blotters for fill in blotter.fills if self._wanted.takes_fill(fill)]
        fills.sort(key=lambda fill: fill.recorded_ns, reverse=True)
        self._fills.rows = [
            {
                "key": n,
                "time": clock_text(fill.recorded_ns),
                "id": cut(fill.client_order_id),
                "instrument": cut(fill.symbol),
                "side": fill.side.name,
                "qty": plain(fill.last_qty),
                "price": px_text(fill.last_px),
                "fee": f"{plain(fill.commission)} {fill.commission_currency}".strip(),
                "note": "from totals" if fill.inferred else fill.liquidity_side.name.lower().replace("_", " "),
            }
            for n, fill in enumerate(fills)
        ]
        self._fills.update()

    def _draw_cards(self, lives: Sequence[OrderLifecycle]) -> None:
        total = Statistics.of(lives)
        shown = (
            (str(total.active + total.pending), "open"),
            (str(total.in_flight), "in flight: outcome unknown"),
            (str(total.completed), "completed lately"),
            (f"{total.fill_ratio:.0%}", "mean fill ratio"),
            (secs(total.time_to_accept.p50_ns if total.time_to_accept.count else None), "median time to accept"),
            (secs(total.duration.mean_ns if total.duration.count else None), "average execution time"),
        )
        self._cards.clear()
        with self._cards:
            for value, name in shown:
                with ui.element("div").classes("card"):
                    ui.label(value).classes("value")
                    ui.label(name).classes("quiet")

    def _draw_feeds(self, blotters: Sequence[Blotter]) -> None:
        now_ns = time.time_ns()
        feeds = [feed for blotter in blotters for feed in blotter.feeds]
        states = [(feed.name, feed.state) for feed in feeds]
        if states != self._feed_states:
            self._feed_states, self._feed_texts = states, []
            self._feeds.clear()
            with self._feeds:
                for feed in feeds:
                    with ui.element("div").classes("feed"):
                        ui.element("i").classes(f"lamp l-{feed.state}")
                        ui.label(feed.name).classes("strong")
                        ui.label(feed.state).classes(f"l-{feed.state}")
                        self._feed_texts.append(ui.label().classes("quiet"))
        for label, feed in zip(self._feed_texts, feeds, strict=True):  # ages go on
            label.set_text(feed.text(now_ns))

    def _show_life(self, order_id: str) -> None:
        self._life.clear()
        with self._life:
            if not self._page.has_timelines:
                ui.label("Timelines are drawn from journals: none was named.").classes("quiet")
                return
            with ui.element("div").classes("life-head"):
                ui.label(f"timeline of {order_id}").classes("strong")
                ui.button("close", on_click=self._life.clear).props("flat dense no-caps")
            frame = ui.element("iframe").classes("timeline")
            frame.props["src"] = f"/timeline?order={quote(order_id, safe='')}"
            frame.props["title"] = "order timeline"


def _table(title: str, columns: Sequence[tuple[str, str, str]], rows: int) -> ui.table:
    found = ui.table(
        title=title,
        columns=[
            {"name": name, "label": label, "field": name, "align": align, "classes": f"c-{name}"}
            for name, label, align in columns
        ],
        rows=[],
        row_key="key",
        pagination={"rowsPerPage": rows},
    ).props("dense flat bordered :grid=Quasar.Screen.lt.sm")
    for word in ("status", "side"):
        found.add_slot(f"body-cell-{word}", _WORD_CELL)
    return found


def _order_row(life: OrderLifecycle) -> dict[str, Any]:
    return {
        "key": f"{life.venue}/{life.client_order_id}",
        "time": clock_text(life.last_ns),
        "id": cut(life.client_order_id),
        "order": life.client_order_id,
        "status": status_text(life),
        "instrument": cut(life.symbol),
        "side": life.side.name,
        "type": f"{life.type.name} {life.time_in_force.name}",
        "qty": plain(life.quantity),
        "filled": fill_text(life),
        "price": px_text(life.price),
        "avg_px": px_text(life.avg_px),
        "accept": secs(life.time_to_accept_ns),
        "duration": secs(life.duration_ns) if life.is_completed else "-",
    }
