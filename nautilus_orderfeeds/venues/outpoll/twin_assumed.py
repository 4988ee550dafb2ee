"""
ASSUMPTIONS: every shape of the simulated Outpoll that no page of the venue documents (protocol 12, 13.7 point 9).

Nothing here is known. Each shape takes its values under names of ours and writes them under the names of a field
map (`AssumedFields`, the option `fields`), so that a real shape can replace it without touching anything else.
In a map a name that is missing or empty leaves its field out, and a dot makes an object in the object
(`"order.id"`).

Assumed are: rows of `/api/history/trades` and `/api/history/activity`, profile stats, outcomes of the event
search, further fields of active orders, the TP/SL list, its POST answer and its later states, events of Order
Feed, Activity Feed and Last Trades, and REST error bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nautilus_orderfeeds.sim.server import Answer
from nautilus_orderfeeds.venues.outpoll.twin_words import ErrorBody

TPSL_CANCELED = "CANCELED"
TPSL_TRIGGERED = "TRIGGERED"
"""States of TP/SL besides ACTIVE."""

FEED_TYPE = "ORDER"
ACTIVITY_TYPE = "TRADE"
LAST_TRADE_TYPE = "LAST_TRADE"
"""The `t` of an event of Order Feed, Activity Feed and Last Trades."""


def _trade() -> dict[str, str]:
    return {
        "trade_id": "i",
        "user_id": "u",
        "order_id": "oi",
        "event_id": "e",
        "outcome_id": "o",
        "asset_id": "a",
        "side": "si",
        "price": "p",
        "quantity": "q",
        "fee": "f",
        "liquidity": "l",
        "time_ms": "m",
    }


def _active() -> dict[str, str]:
    return {
        "event_id": "eventId",
        "outcome_id": "outcomeId",
        "asset_id": "assetId",
        "filled": "filledQuantity",
        "created": "createdAt",
    }


def _outcome() -> dict[str, str]:
    return {
        "outcome_id": "marketId",
        "title": "title",
        "status": "status",
        "chance": "chance",
        "assets": "tokens",
    }


def _asset() -> dict[str, str]:
    return {"asset_id": "id", "name": "outcomeName", "token": "tokenName", "is_primary": "primary"}


def _tpsl() -> dict[str, str]:
    return {
        "tpsl_id": "i",
        "user_id": "u",
        "asset_id": "a",
        "quantity": "q",
        "take_profit": "tpp",
        "stop_loss": "slp",
        "status": "s",
    }


def _public_trade() -> dict[str, str]:
    return {"trade_id": "i", "asset_id": "a", "side": "s", "price": "p", "quantity": "q", "time_ms": "m"}


def _stats() -> dict[str, str]:
    return {"user_id": "u", "trades": "tc", "volume": "vol"}


@dataclass(slots=True)
class AssumedFields:
    """
    Our names, and the wire's for each of them.

    Parameters
    ----------
    trade : dict[str, str]
        `/api/history/trades`, and the same rows in `/api/history/activity`.
    active : dict[str, str]
        What active orders have besides the documented fields, with the option `active_extra_fields`.
    outcome, asset : dict[str, str]
        An outcome of the event search, and one of its assets.
    tpsl : dict[str, str]
        The list of TP/SL, and `tpsl[]` of a position.
    public_trade : dict[str, str]
        `d` of Activity Feed and Last Trades.
    stats : dict[str, str]
        `/api/history/stats/profile/{userId}`.
    """

    trade: dict[str, str] = field(default_factory=_trade)
    active: dict[str, str] = field(default_factory=_active)
    outcome: dict[str, str] = field(default_factory=_outcome)
    asset: dict[str, str] = field(default_factory=_asset)
    tpsl: dict[str, str] = field(default_factory=_tpsl)
    public_trade: dict[str, str] = field(default_factory=_public_trade)
    stats: dict[str, str] = field(default_factory=_stats)


def shaped(values: Mapping[str, object], fields: Mapping[str, str]) -> dict[str, object]:
    """
    Write values under the wire's names.

    Parameters
    ----------
    values : Mapping[str, object]
        By our names.
    fields : Mapping[str, str]
        The wire's name for each of ours; what has none is left out.

    Raises
    ------
    ValueError
        If the map names something that this shape does not have.
    """
    unknown = sorted(set(fields) - set(values))
    if unknown:
        raise ValueError(f"no field {unknown[0]!r} in this shape; there are {sorted(values)}")
    row: dict[str, object] = {}
    for name, key in fields.items():
        if not key:
            continue
        *outer, last = key.split(".")
        place = row
        for part in outer:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ValueError(f"{key!r} makes an object of a field that has a value already")  # noqa: TRY004
            place = inner
        place[last] = values[name]
    return row


def tpsl_answer(tpsl_id: str) -> dict[str, object]:
    """The answer to `POST /orders/tpsl`."""
    return {"i": tpsl_id}


def feed_event(row: dict[str, object]) -> dict[str, object]:
    """An event of Order Feed: the row of the order history (6.2, weakly inferred)."""
    return {"t": FEED_TYPE, "d": row, "r": None}


def error_answer(status: int, text: str, body: ErrorBody) -> Answer:
    """A REST error."""
    match body:
        case ErrorBody.JSON:
            return Answer(status, {"error": text})
        case ErrorBody.TEXT:
            return Answer(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        case ErrorBody.EMPTY:
            return Answer(status)
