"""What a blotter shows, wherever it comes from: orders, fills, feeds; and which of them are wanted."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.cli.console import secs
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import plain, quantize
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle, Phase
from nautilus_orderfeeds.orders.limbo import limbo_of
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide

#: Orders and fills shown; older ones are in the journal.
SHOWN: Final = 200
_DIGITS: Final = 10
_LONGEST: Final = 22


class FillLine(Struct, frozen=True, kw_only=True):
    """One fill. `recorded_ns` is UNIX ns of this machine; base units, quote per base, commission in its currency."""

    recorded_ns: int
    client_order_id: str
    symbol: str
    side: OrderSide
    last_qty: Decimal
    last_px: Decimal
    commission: Decimal
    commission_currency: str
    liquidity_side: LiquiditySide
    inferred: bool

    @classmethod
    def of(cls, life: OrderLifecycle, fill: ev.OrderFilled, recorded_ns: int) -> "FillLine":
        """Return the line of a fill of an order."""
        return cls(
            recorded_ns=recorded_ns,
            client_order_id=life.client_order_id,
            symbol=life.symbol,
            side=life.side,
            last_qty=fill.last_qty,
            last_px=fill.last_px,
            commission=fill.commission,
            commission_currency=fill.commission_currency or "",
            liquidity_side=fill.liquidity_side,
            inferred=fill.inferred,
        )


class FeedLine(Struct, frozen=True, kw_only=True):
    """How one stream does. `state` is a `FeedState`'s name, or JOURNAL where only a journal tells of it."""

    name: str
    state: str
    last_frame_ns: int = 0
    connects: int = 0
    gaps: int = 0
    malformed_frames: int = 0
    detail: str = ""

    def text(self, now_ns: int) -> str:
        """Return the line for people."""
        age = f"last frame {secs(max(now_ns - self.last_frame_ns, 0))} ago" if self.last_frame_ns else "no frame yet"
        counters = {"connects": self.connects, "gaps": self.gaps, "unreadable": self.malformed_frames}
        told = [age, *(f"{name} {count}" for name, count in counters.items() if count)]
        return ", ".join([*told, *([self.detail] if self.detail else [])])


class Blotter(Struct, frozen=True, kw_only=True):
    """Everything shown at one moment; orders and fills newest first.

    Parameters
    ----------
    title : str
        Where it comes from.
    account : str
        Account id.
    orders : list[OrderLifecycle]
        Open ones first.
    fills : list[FillLine]
        The last ones.
    feeds : list[FeedLine]
        Streams.
    notes : list[str]
        What went wrong lately.
    """

    title: str
    account: str = ""
    orders: list[OrderLifecycle] = []
    fills: list[FillLine] = []
    feeds: list[FeedLine] = []
    notes: list[str] = []


class Filter(Struct, frozen=True):
    """Which orders and fills are wanted: part of the instrument's symbol, a side, only what is open."""

    instrument: str = ""
    side: OrderSide | None = None
    open_only: bool = False

    def takes(self, life: OrderLifecycle) -> bool:
        """Whether an order is wanted."""
        return self._is_of(life.symbol, life.side) and not (self.open_only and life.is_completed)

    def takes_fill(self, fill: FillLine) -> bool:
        """Whether a fill is wanted."""
        return self._is_of(fill.symbol, fill.side)

    def _is_of(self, symbol: str, side: OrderSide) -> bool:
        return self.instrument.upper() in symbol.upper() and self.side in (None, side)

    def text(self) -> str:
        """Return it for people."""
        side = "both sides" if self.side is None else self.side.name
        return f"{self.instrument or 'all instruments'}, {side}, {'open only' if self.open_only else 'all orders'}"


class Source(Protocol):
    """Where a blotter comes from."""

    async def start(self) -> None:
        """Begin to follow; raises `CliError` if that cannot be done."""
        ...

    async def stop(self) -> None:
        """Release everything; idempotent."""
        ...

    async def settled(self, timeout_secs: float) -> bool:
        """Wait until the picture is complete for the first time; return whether it is."""
        ...

    def poll(self) -> bool:
        """Look for news; return whether the blotter has changed since the last look."""
        ...

    @property
    def blotter(self) -> Blotter:
        """The present picture."""
        ...


def ordered(lives: Sequence[OrderLifecycle]) -> list[OrderLifecycle]:
    """Return orders as a blotter shows them: those that are not over first, each part newest first."""
    newest = sorted(lives, key=lambda life: (life.last_ns, life.client_order_id), reverse=True)
    return sorted(newest, key=lambda life: life.is_completed)[:SHOWN]


def clock_text(ns: int) -> str:
    """Return the local time of day of UNIX ns."""
    return datetime.fromtimestamp(ns / 1e9).astimezone().strftime("%H:%M:%S") if ns else ""


def cut(text: str) -> str:
    """Return an id for people: of a long one its beginning and its end, where ids differ."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[: half - 1]}…{text[-half:]}"


def px_text(px: Decimal | None) -> str:
    """Return a price for people, to ten significant digits (an average may have sixty)."""
    if px is None:
        return ""
    return plain(quantize(px, max(_DIGITS - 1 - px.adjusted(), 0)))


def fill_text(life: OrderLifecycle) -> str:
    """Return filled quantity and percent."""
    return f"{plain(life.filled_qty)} ({life.fill_ratio:.0%})"


def status_text(life: OrderLifecycle) -> str:
    """Return the status in the framework's words, with a question mark if what became of a request is not known."""
    limbo = limbo_of(life.status, is_named=life.venue_order_id is not None)
    unknown = limbo is not None or life.phase is Phase.IN_FLIGHT
    return f"{life.status.name}?" if unknown else life.status.name


def order_as_dict(life: OrderLifecycle) -> dict[str, Any]:
    """Return an order as plain values: times in UNIX ns, 0 for what has not happened; decimals as text."""
    return {
        "client_order_id": life.client_order_id,
        "venue_order_id": life.venue_order_id,
        "instrument": life.symbol,
        "side": life.side.name,
        "type": life.type.name,
        "time_in_force": life.time_in_force.name,
        "price": None if life.price is None else plain(life.price),
        "quantity": plain(life.quantity),
        "filled_qty": plain(life.filled_qty),
        "leaves_qty": plain(life.leaves_qty),
        "fill_percent": str(life.fill_percent),
        "avg_px": None if life.avg_px is None else str(life.avg_px),
        "status": life.status.name,
        "phase": life.phase.name,
        "ending": None if life.ending is None else life.ending.name,
        "created_ns": life.created_ns,
        "first_fill_ns": life.first_fill_ns,
        "completed_ns": life.completed_ns,
        "last_ns": life.last_ns,
        "reason": life.reason,
    }


def as_dict(blotter: Blotter, wanted: Filter) -> dict[str, Any]:
    """Return what is wanted of a blotter as plain values."""
    return {
        "source": blotter.title,
        "account": blotter.account,
        "orders": [order_as_dict(life) for life in blotter.orders if wanted.takes(life)],
        "fills": [msgspec.to_builtins(fill) for fill in blotter.fills if wanted.takes_fill(fill)],
        "feeds": [msgspec.to_builtins(feed) for feed in blotter.feeds],
        "notes": blotter.notes,
    }
