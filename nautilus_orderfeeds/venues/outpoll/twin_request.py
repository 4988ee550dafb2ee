"""
Reading requests strictly as the pages describe them (protocol 5); everything else is refused with 400.

Numbers stay the decimals that were written: JSON numbers, never text, in short notation (trap 11).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.sim.model import Side
from nautilus_orderfeeds.sim.server import Call
from nautilus_orderfeeds.venues.outpoll.twin_keys import Refused
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, MAX_PRICE, MIN_PRICE, QUOTE_ASSET, TICK, Asset

_MOST_DECIMALS = 6
_LARGEST = Decimal(10) ** 12
_WHOLE = re.compile(r"[0-9]{1,9}")
_IDS = ("e", "o", "ba", "qa", "s")


@dataclass(frozen=True, slots=True)
class LimitRequest:
    """`POST /orders/limit`: price in USDC per share, quantity in shares."""

    asset: Asset
    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class MarketRequest:
    """`POST /orders/market`: a buy has an `amount` in USDC, a sell a `quantity` in shares."""

    asset: Asset
    side: Side
    amount: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TpslRequest:
    """`POST /orders/tpsl`: one or both trigger prices; without `quantity` the whole position."""

    asset: Asset
    take_profit: Decimal | None
    stop_loss: Decimal | None
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class SizeRule:
    """Quantities are multiples of `lot` (shares); others are refused, or silently cut to one if `cuts`."""

    lot: Decimal
    cuts: bool = False


def read_limit(call: Call, rule: SizeRule) -> LimitRequest:
    """A limit order. Raises `Refused`."""
    body = _body(call, (*_IDS, "p", "q"))
    return LimitRequest(_asset(body, needs_quote=True), _side(body), _price(body, "p"), _shares(body, rule))


def read_market(call: Call, rule: SizeRule) -> MarketRequest:
    """A market order. Raises `Refused`."""
    body = _body(call, (*_IDS, "am", "q"))
    asset, side = _asset(body, needs_quote=True), _side(body)
    wanted, other = ("am", "q") if side is Side.BUY else ("q", "am")
    if other in body:
        raise Refused(400, f"{other} is not allowed for a market {side.value}; use {wanted}")
    if side is Side.BUY:
        return MarketRequest(asset, side, amount=_number(body, "am"))
    return MarketRequest(asset, side, quantity=_shares(body, rule))


def read_tpsl(call: Call, rule: SizeRule) -> TpslRequest:
    """A TP/SL. Raises `Refused`."""
    body = _body(call, (*_IDS, "q", "t", "l"))
    if body.get("t") is None and body.get("l") is None:
        raise Refused(400, "at least one of t and l is required")
    if "s" in body and _side(body) is not Side.SELL:
        raise Refused(400, "TP/SL closes a position: s must be SELL")
    return TpslRequest(
        asset=_asset(body, needs_quote="qa" in body),
        take_profit=None if body.get("t") is None else _price(body, "t"),
        stop_loss=None if body.get("l") is None else _price(body, "l"),
        quantity=None if body.get("q") is None else _shares(body, rule),
    )


def read_object(call: Call) -> dict[str, Any]:
    """A body that must be a JSON object, numbers as decimals. Raises `Refused`."""
    if not call.headers.get("Content-Type", "").startswith("application/json"):
        raise Refused(400, "Content-Type must be application/json")
    try:
        body = json.loads(call.body, parse_float=_exact, parse_int=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON, or a number in it is not a short decimal") from None
    if not isinstance(body, dict):
        raise Refused(400, "the body must be a JSON object")
    return body


def only(given: Any, known: tuple[str, ...]) -> None:
    """Refuse what the page does not know. Raises `Refused`."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Refused(400, f"unknown parameter {unknown[0]!r}")


def whole_number(call: Call, name: str, default: int, least: int) -> int:
    """A whole number of the query, at least `least`. Raises `Refused`."""
    text = call.one(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text) or int(text) < least:
        raise Refused(400, f"invalid {name}: {text!r}")
    return int(text)


def _exact(text: str) -> Decimal:
    if "e" in text or "E" in text:
        raise ValueError(f"{text} is not written as a short decimal")
    return Decimal(text)


def _no_number(text: str) -> Decimal:
    raise ValueError(f"{text} is no number")


def _body(call: Call, known: tuple[str, ...]) -> dict[str, Any]:
    body = read_object(call)
    only(body, known)
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, f"{name} must be a text, got {value!r}")
    return value


def _asset(body: dict[str, Any], *, needs_quote: bool) -> Asset:
    event, outcome, asset_id = _text(body, "e"), _text(body, "o"), _text(body, "ba")
    asset = ASSETS.get(asset_id)
    if asset is None or asset.outcome.outcome_id != outcome or asset.outcome.event.event_id != event:
        raise Refused(400, "e, o and ba do not name an asset of an event's outcome")
    if needs_quote and _text(body, "qa") != QUOTE_ASSET:
        raise Refused(400, "unknown qa")
    return asset


def _side(body: dict[str, Any]) -> Side:
    match body.get("s"):
        case "BUY":
            return Side.BUY
        case "SELL":
            return Side.SELL
        case other:
            raise Refused(400, f"s must be BUY or SELL, got {other!r}")


def _number(body: dict[str, Any], name: str) -> Decimal:
    value = body.get(name)
    if not isinstance(value, Decimal):
        raise Refused(400, f"{name} must be a JSON number")
    exponent = value.as_tuple().exponent
    if not 0 < value < _LARGEST or not isinstance(exponent, int) or -exponent > _MOST_DECIMALS:
        raise Refused(400, f"{name} must be positive with at most {_MOST_DECIMALS} decimals, got {value}")
    return value


def _price(body: dict[str, Any], name: str) -> Decimal:
    price = _number(body, name)
    if not MIN_PRICE <= price <= MAX_PRICE or price % TICK:
        raise Refused(400, f"{name} must be {MIN_PRICE} to {MAX_PRICE} in steps of {TICK}, got {price}")
    return price


def _shares(body: dict[str, Any], rule: SizeRule) -> Decimal:
    quantity = _number(body, "q")
    over = quantity % rule.lot
    if over and (not rule.cuts or over == quantity):
        raise Refused(400, f"q must be a multiple of {rule.lot}, got {quantity}")
    return quantity - over
