"""Reading requests strictly as the pages describe them (protocol 3, 4.1); everything else is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.sim.model import Product, Side, TimeInForce
from nautilus_orderfeeds.sim.server import Call
from nautilus_orderfeeds.venues.roxom.twin_errors import Refused
from nautilus_orderfeeds.venues.roxom.twin_options import RoxomTwinOptions, UnknownClientId
from nautilus_orderfeeds.venues.roxom.twin_products import SYMBOLS, Unit
from nautilus_orderfeeds.venues.roxom.twin_words import INST_TYPE, SIDES, TIMES_IN_FORCE, OrderType

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,18})?")
_INST_TYPES = (INST_TYPE, "btc")
_FIELDS = frozenset(
    (
        *("symbol", "instType", "side", "orderType", "qty", "px", "triggerPx", "timeInForce", "unit"),
        *("cancelAt", "postOnly", "clientOrderId"),
    )
)
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A well-formed create request: quantity in base units, prices in BTC, `cancel_at_ns` in ns."""

    product: Product
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    cancel_at_ns: int | None = None
    post_only: bool = False
    client_order_id: str = ""


def invalid(details: str) -> Refused:
    """400 for a request that is not as described."""
    return Refused("Invalid request parameters", details)


def read_order(body: dict[str, Any], options: RoxomTwinOptions) -> OrderRequest:
    """
    Read the body of `POST /orders`.

    Raises
    ------
    Refused
        400 for anything that the pages do not describe; 404 for an unknown symbol.
    """
    unknown = sorted(set(body) - _FIELDS)
    if unknown:
        raise invalid(f"unknown field {unknown[0]!r}")
    check_inst_type(body.get("instType"))
    kind = OrderType(_choice(body, "orderType", {word.value: word.value for word in OrderType}))
    time_in_force: TimeInForce = _choice(body, "timeInForce", TIMES_IN_FORCE, "gtc")
    unit = read_unit(body.get("unit"), Unit.BTC, options)
    _check_present(body, "px", is_wanted=kind.has_price, owner=f"orderType {kind.value}")
    _check_present(body, "triggerPx", is_wanted=kind.has_trigger, owner=f"orderType {kind.value}")
    is_gtd = time_in_force is TimeInForce.GTD
    _check_present(body, "cancelAt", is_wanted=is_gtd, owner=f"timeInForce {time_in_force.value.lower()}")
    return OrderRequest(
        product=read_symbol(body.get("symbol")),
        side=_choice(body, "side", SIDES),
        type=kind,
        quantity=_decimal(body, "qty"),
        price=unit.to_btc(_decimal(body, "px")) if kind.has_price else None,
        trigger_price=unit.to_btc(_decimal(body, "triggerPx")) if kind.has_trigger else None,
        time_in_force=time_in_force,
        cancel_at_ns=_milliseconds(body, "cancelAt") * _NS_PER_MS if is_gtd else None,
        post_only=_flag(body, "postOnly"),
        client_order_id=_client_order_id(body, options.client_order_id),
    )


def read_symbol(value: object) -> Product:
    """The product of this name. Raises `Refused` (400 without one, 404 for an unknown one)."""
    if not isinstance(value, str) or not value:
        raise invalid(f"symbol is required, got {value!r}")
    product = SYMBOLS.get(value)
    if product is None:
        raise Refused("Symbol not found", f"Trading symbol '{value}' does not exist", status=404)
    return product


def read_unit(value: object, default: Unit, options: RoxomTwinOptions) -> Unit:
    """The unit asked for, or the endpoint's own. Raises `Refused`."""
    if value is None:
        return default
    text = value.lower() if options.accept_upper_unit and isinstance(value, str) else value
    if text not in ("btc", "sats"):
        raise invalid(f"unit must be 'btc' or 'sats', got {value!r}")
    return Unit(text)


def check_inst_type(value: object) -> None:
    """Only perpetuals are simulated; G1 calls them `btc` too. Raises `Refused`."""
    if value not in _INST_TYPES:
        raise invalid(f"instType must be {INST_TYPE!r}, got {value!r}")


def check_query(call: Call, known: Iterable[str]) -> None:
    """Refuse parameters that the page does not list, and repeated ones."""
    unknown = sorted(set(call.query) - set(known))
    if unknown:
        raise invalid(f"unknown parameter {unknown[0]!r}")
    repeated = sorted(name for name, values in call.query.items() if len(values) > 1)
    if repeated:
        raise invalid(f"parameter {repeated[0]!r} is given twice")


def query_integer(call: Call, name: str, default: int, *, low: int = 0, high: int = 2**63) -> int:
    """An integer parameter within bounds. Raises `Refused`."""
    text = call.one(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise invalid(f"{name} must be an integer from {low} to {high}, got {text!r}")
    return int(text)


def query_flag(call: Call, name: str) -> bool:
    """A parameter that is `true` or `false` (the default). Raises `Refused`."""
    text = call.one(name)
    if text not in (None, "true", "false"):
        raise invalid(f"{name} must be true or false, got {text!r}")
    return text == "true"


def _check_present(body: Mapping[str, Any], name: str, *, is_wanted: bool, owner: str) -> None:
    is_given = body.get(name) is not None
    if is_wanted and not is_given:
        raise invalid(f"{name} is required for {owner}")
    if is_given and not is_wanted:
        raise invalid(f"{name} is not allowed with {owner}")


def _choice(body: Mapping[str, Any], name: str, choices: Mapping[str, Any], default: str | None = None) -> Any:
    value = body.get(name)
    value = default if value is None else value
    if not isinstance(value, str) or value not in choices:
        raise invalid(f"{name} must be one of {sorted(choices)}, got {value!r}")
    return choices[value]


def _decimal(body: Mapping[str, Any], name: str) -> Decimal:
    value = body.get(name)
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise invalid(f"{name} must be a decimal string, got {value!r}")
    number = Decimal(value)
    if number <= 0:
        raise invalid(f"{name} must be positive, got {value!r}")
    return number


def _milliseconds(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 10**11 <= value < 10**14:
        raise invalid(f"{name} must be milliseconds since the epoch, got {value!r}")
    return value


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise invalid(f"{name} must be a boolean, got {value!r}")
    return value


def _client_order_id(body: Mapping[str, Any], rule: UnknownClientId) -> str:
    value = body.get("clientOrderId")
    if value is None:
        return ""
    match rule:
        case UnknownClientId.REFUSE:
            raise invalid("unknown field 'clientOrderId'")
        case UnknownClientId.IGNORE:
            return ""
        case UnknownClientId.ACCEPT:
            if not isinstance(value, str):
                raise invalid(f"clientOrderId must be a string, got {value!r}")
            return value
