"""What orders, balances and positions of the simulated Outpoll look like on the wire (protocol 5, 6, 7)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from itertools import count

import msgspec

from nautilus_orderfeeds.sim.model import ZERO, Fill, OrderKind
from nautilus_orderfeeds.venues.outpoll.twin_assumed import shaped
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS
from nautilus_orderfeeds.venues.outpoll.twin_records import Holding, OrderView
from nautilus_orderfeeds.venues.outpoll.twin_tpsl import Tpsl
from nautilus_orderfeeds.venues.outpoll.twin_words import (
    ActiveQuantity,
    AmountUnit,
    HistoryPrice,
    HistoryQuantity,
    HistoryTime,
    NumberStyle,
    Status,
)

_MS = 1_000_000
_CENT = Decimal("0.01")
_AVERAGE = Decimal("0.000001")
_TURNS = (NumberStyle.PLAIN, NumberStyle.PADDED, NumberStyle.EXPONENT)


class Numbers:
    """
    Writes JSON numbers in one of the ways in which the venue does.

    Parameters
    ----------
    style : Callable[[], NumberStyle]
        Asked for each number.
    """

    def __init__(self, style: Callable[[], NumberStyle]) -> None:
        self._style = style
        self._turn = count()

    def __call__(self, value: Decimal) -> msgspec.Raw:
        """The number as it will stand in the document."""
        style = self._style()
        if style is NumberStyle.MIXED:
            style = _TURNS[next(self._turn) % len(_TURNS)]
        return msgspec.Raw(_written(value, style).encode())


def _written(value: Decimal, style: NumberStyle) -> str:
    plain = f"{value:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    plain = "0" if plain in ("-0", "") else plain
    match style:
        case NumberStyle.PADDED:
            whole, _, decimals = plain.partition(".")
            return f"{whole}.{decimals:0<2}"
        case NumberStyle.EXPONENT:
            sign, digits, exponent = Decimal(plain).normalize().as_tuple()
            return f"{'-' if sign else ''}{''.join(map(str, digits))}E{exponent}"
        case _:
            return plain


def cut_off(value: Decimal, decimals: int) -> Decimal:
    """A number without the decimals that the venue does not keep."""
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN)


def milliseconds(time_ns: int) -> int:
    """Unix milliseconds."""
    return time_ns // _MS


def iso(time_ns: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def average(total: Decimal, size: Decimal) -> Decimal:
    """A price per share, to six decimals; zero without shares."""
    return (total / size).quantize(_AVERAGE) if size else ZERO


def trade_id(fill: Fill) -> str:
    """A match as a UUID; both sides of it share one."""
    return str(uuid.UUID(fill.trade_id[:32]))


class Wire:
    """
    Rows of the documented lists, and of the trades.

    Parameters
    ----------
    options : OutpollTwinOptions
    """

    def __init__(self, options: OutpollTwinOptions) -> None:
        self._options = options
        self.rest = Numbers(lambda: options.rest_numbers)
        self.stream = Numbers(lambda: options.stream_numbers)

    # -- orders ---------------------------------------------------------------------------------------------

    def active_order(self, view: OrderView) -> dict[str, object]:
        """A row of 5.6."""
        order, options = view.order, self._options
        is_original = options.active_quantity is ActiveQuantity.ORIGINAL
        row: dict[str, object] = {
            "id": order.venue_order_id,
            "status": view.text or options.active_word,
            "side": order.side.value,
            "price": self.rest(order.price or ZERO),
            "quantity": self.rest(view.quantity if is_original else view.quantity - view.filled),
        }
        if options.active_extra_fields:
            outcome = ASSETS[order.product].outcome
            values = {
                "event_id": outcome.event.event_id,
                "outcome_id": outcome.outcome_id,
                "asset_id": order.product,
                "filled": self.rest(view.filled),
                "created": iso(order.created_ns),
            }
            row |= shaped(values, options.fields.active)
        return row

    def history_order(self, view: OrderView, numbers: Numbers | None = None) -> dict[str, object]:
        """A row of 5.7."""
        order, options = view.order, self._options
        number = numbers or self.rest
        outcome = ASSETS[order.product].outcome
        original, filled = view.quantity, view.filled
        if order.quote_amount is not None and options.history_amount_unit is AmountUnit.QUOTE:
            original, filled = order.quote_amount, view.notional
        match options.history_quantity:
            case HistoryQuantity.FILLED:
                quantity = filled
            case HistoryQuantity.REMAINING:
                quantity = original - filled
            case HistoryQuantity.ORIGINAL:
                quantity = original
        by_limit = options.history_price is HistoryPrice.LIMIT and order.kind is OrderKind.LIMIT
        price = order.price if by_limit and order.price is not None else average(view.notional, view.filled)
        by_creation = options.history_time is HistoryTime.CREATED
        return {
            "i": order.venue_order_id,
            "u": order.account,
            "e": outcome.event.event_id,
            "o": outcome.outcome_id,
            "a": order.product,
            "oq": number(original),
            "si": order.side.value,
            "t": order.kind.value,
            "p": number(price),
            "m": milliseconds(order.created_ns if by_creation else view.changed_ns),
            "ex": None,
            "st": view.text or self.status_word(view),
            "q": number(quantity),
        }

    def status_word(self, view: OrderView) -> str:
        """What the order history calls the state of an order (7; all but FILLED are guesses)."""
        options = self._options
        match view.status:
            case Status.ACTIVE:
                return options.active_word
            case Status.FILLED:
                return Status.FILLED.value
            case Status.CANCELED:
                return options.resolved_word if view.is_resolved else options.canceled_word
            case Status.REJECTED:
                return options.rejected_word
            case Status.EXPIRED:
                return options.expired_word

    def trade(self, fill: Fill) -> dict[str, object]:
        """A row of the trades: assumed (5.8)."""
        outcome = ASSETS[fill.product].outcome
        values = {
            "trade_id": trade_id(fill),
            "user_id": fill.account,
            "order_id": fill.venue_order_id,
            "event_id": outcome.event.event_id,
            "outcome_id": outcome.outcome_id,
            "asset_id": fill.product,
            "side": fill.side.value,
            "price": self.rest(fill.price),
            "quantity": self.rest(fill.size),
            "fee": self.rest(fill.fee),
            "liquidity": fill.liquidity.value,
            "time_ms": milliseconds(fill.time_ns),
        }
        return shaped(values, self._options.fields.trade)

    def tpsl(self, tpsl: Tpsl) -> dict[str, object]:
        """An element of the TP/SL list: assumed (5.5)."""
        values = {
            "tpsl_id": tpsl.tpsl_id,
            "user_id": tpsl.owner,
            "asset_id": tpsl.asset.asset_id,
            "quantity": self.rest(tpsl.quantity),
            "take_profit": None if tpsl.take_profit is None else self.rest(tpsl.take_profit),
            "stop_loss": None if tpsl.stop_loss is None else self.rest(tpsl.stop_loss),
            "status": tpsl.status,
        }
        return shaped(values, self._options.fields.tpsl)

    # -- holdings -------------------------------------------------------------------------------------------

    def position(self, holding: Holding, price: Decimal, tpsl: list[dict[str, object]]) -> dict[str, object]:
        """A row of 5.10; `price` is the current one."""
        asset, number = holding.asset, self.rest
        event = asset.outcome.event
        cost, value = cut_off(holding.cost, self._options.amount_decimals), (holding.total * price).quantize(_AVERAGE)
        profit = value - cost
        return {
            "oi": holding.order_id,
            "ei": event.event_id,
            "eoi": asset.outcome.outcome_id,
            "ai": asset.asset_id,
            "et": event.title,
            "eic": "https://example.com/icon.png",
            "es": event.slug,
            "eim": "https://example.com/image.png",
            "on": asset.name,
            "tn": asset.token,
            "ip": asset.is_primary,
            "tsc": number(holding.total),
            "asc": number(holding.free),
            "sp": number(average(cost, holding.total)),
            "c": number(cost),
            "cp": number(price),
            "v": number(value),
            "tpsl": tpsl,
            "pv": number(profit),
            "pp": number((profit / cost * 100).quantize(_CENT) if cost else ZERO),
            "od": iso(holding.opened_ns),
        }

    def user_balance(self, holding: Holding, owner: str, price: Decimal, *, is_full: bool) -> dict[str, object]:
        """A row of 5.9: no quantity in it, and none for USDC."""
        asset, number = holding.asset, self.rest
        value = (holding.total * price).quantize(_AVERAGE)
        row: dict[str, object] = {
            "i": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{owner}|{asset.asset_id}")),
            "u": owner,
            "et": asset.asset_id,
            "aop": number(average(holding.cost, holding.total)),
            "c": number(cut_off(holding.cost, self._options.amount_decimals)),
            "v": number(value),
            "tv": number(value),
        }
        if is_full:
            event = asset.outcome.event
            row |= {
                "eq": event.title,
                "ei": "https://example.com/icon.png",
                "es": event.slug,
                "on": asset.name,
                "tn": asset.token,
                "ip": asset.is_primary,
            }
        return row
