"""Reading order requests strictly as the page describes them (protocol 7.1, 7.4); everything else is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from nautilus_orderfeeds.sim.model import Product, Side, TimeInForce
from nautilus_orderfeeds.sim.server import Call
from nautilus_orderfeeds.venues.sfox.twin_accounts import Refused
from nautilus_orderfeeds.venues.sfox.twin_products import ALGORITHMS, PRODUCTS, Algorithm

_CLIENT_ORDER_ID = re.compile(r"[0-9A-Za-z_-]+")
_FORM = "application/x-www-form-urlencoded"
_ROUTING_TYPES = ("NetPrice", "Smart")
_ROUTING_OPTIONS = ("BestPrice", "Fast", "WeightedExchange")
_MIN_TWAP_SECS = 900
_FIELDS = frozenset(
    (
        *("currency_pair", "algorithm_id", "price", "quantity", "amount", "client_order_id", "time_in_force"),
        *("expires", "max_slippage", "routing_type", "routing_option", "destination", "quote_id"),
        *("total_time", "interval", "continuous", "post_only", "stop_amount", "stop_percent"),
    )
)
_ONLY_FOR = {
    "total_time": Algorithm.TWAP,
    "interval": Algorithm.TWAP,
    "continuous": Algorithm.TWAP,
    "post_only": Algorithm.TWAP,
    "stop_amount": Algorithm.TRAILING_STOP,
    "stop_percent": Algorithm.TRAILING_STOP,
}
_ALGORITHMS_OF = {
    TimeInForce.IOC: (Algorithm.SMART, Algorithm.LIMIT),
    TimeInForce.FOK: (Algorithm.MARKET, Algorithm.LIMIT),
}
_AMENDABLE = frozenset(("quantity", "amount", "price", "stop_amount", "stop_percent"))


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A well-formed create; quantities in base units, `amount` in quote units, `expires_ms` in unix ms."""

    product: Product
    side: Side
    algorithm: Algorithm
    price: Decimal | None
    quantity: Decimal | None
    amount: Decimal | None
    client_order_id: str
    time_in_force: TimeInForce
    expires_ms: int | None
    max_slippage: Decimal | None
    routing_type: str
    routing_option: str
    destination: str
    quote_id: str
    stop_amount: Decimal | None
    stop_percent: Decimal | None


def read_body(call: Call, *, takes_form: bool) -> dict[str, Any]:
    """
    A request's body; JSON numbers become decimals without passing through a float.

    Raises
    ------
    Refused
        406 for a content type that is not JSON, 400 for a body that is none (also for a form where the venue
        takes no form).
    """
    content_type = call.headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
    if content_type == _FORM:
        if not takes_form:
            raise Refused("malformed request body", status=400)
        return dict(parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True))
    if content_type != "application/json":
        raise Refused("content type must be application/json", status=406)
    try:
        body = json.loads(call.body or b"{}", parse_float=Decimal)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refused("malformed request body", status=400)
    return body


def read_product(value: object) -> Product:
    """The pair of this symbol. Raises `Refused` (422) with the documented texts."""
    if value is None:
        raise Refused("invalid currency_pair: undefined")
    if not isinstance(value, str) or value not in PRODUCTS:
        raise Refused(f"invalid currency_pair: {value}")
    return PRODUCTS[value]


def read_side(value: str) -> Side:
    """The side in a path. Raises `Refused` (404)."""
    match value:
        case "buy":
            return Side.BUY
        case "sell":
            return Side.SELL
        case _:
            raise Refused(f"no such side: {value}", status=404)


def read_order(side: Side, body: Mapping[str, Any], max_client_id: int) -> OrderRequest:
    """
    Read the body of a create.

    Raises
    ------
    Refused
        422 for anything that the page does not describe.
    """
    unknown = sorted(set(body) - _FIELDS)
    if unknown:
        raise Refused(f"unknown field: {unknown[0]}")
    product = read_product(body.get("currency_pair"))
    algorithm = _algorithm(body)
    for name, only in _ONLY_FOR.items():
        if body.get(name) is not None and algorithm is not only:
            raise Refused(f"{name} is not allowed with algorithm_id {algorithm.number}")
    quote_id = _text(body, "quote_id")
    if algorithm is Algorithm.INSTANT and not quote_id:
        raise Refused("quote_id is required")
    # A quote's answer says FOK whatever was asked for (7.1), so its request may say it too.
    time_in_force = _time_in_force(body, Algorithm.LIMIT if quote_id else algorithm)
    request = OrderRequest(
        product=product,
        side=side,
        algorithm=algorithm,
        price=read_decimal(body, "price"),
        quantity=read_decimal(body, "quantity"),
        amount=read_decimal(body, "amount"),
        client_order_id=_client_order_id(body, max_client_id),
        time_in_force=time_in_force,
        expires_ms=_expires(body, time_in_force),
        max_slippage=read_decimal(body, "max_slippage", may_be_zero=True),
        routing_type=_choice(body, "routing_type", _ROUTING_TYPES, "NetPrice"),
        routing_option=_choice(body, "routing_option", _ROUTING_OPTIONS, "BestPrice"),
        destination=_text(body, "destination"),
        quote_id=quote_id,
        stop_amount=read_decimal(body, "stop_amount"),
        stop_percent=read_decimal(body, "stop_percent"),
    )
    if not quote_id:
        _check_sizes(request)
        _check_algorithm(request, body)
    return request


def read_amend(body: Mapping[str, Any]) -> dict[str, Decimal]:
    """The changes of an amend by field. Raises `Refused` (422)."""
    unknown = sorted(set(body) - _AMENDABLE)
    if unknown:
        raise Refused(f"{unknown[0]} cannot be amended")
    changes = {name: value for name in sorted(body) if (value := read_decimal(body, name)) is not None}
    if not changes:
        raise Refused("nothing to amend")
    return changes


def read_decimal(fields: Mapping[str, Any], name: str, *, may_be_zero: bool = False) -> Decimal | None:
    """A positive decimal given as number or string; `None` if absent. Raises `Refused` (422)."""
    value = fields.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            raise InvalidOperation
        number = Decimal(value)
        if not number.is_finite() or number < 0 or (number == 0 and not may_be_zero):
            raise InvalidOperation
    except InvalidOperation:
        raise Refused(f"invalid {name}: {value}") from None
    return number


def _check_sizes(request: OrderRequest) -> None:
    """Which of price, quantity and amount an order needs, and which it must not have (7.1)."""
    algorithm = request.algorithm
    by_amount = algorithm.is_by_market and request.side is Side.BUY
    if by_amount and request.amount is None:
        raise Refused("amount is required")
    if not by_amount and request.amount is not None:
        raise Refused("amount is not allowed")
    if not by_amount and request.quantity is None:
        raise Refused("quantity is required")
    takes_price = algorithm is Algorithm.STOP or not algorithm.is_by_market
    if takes_price and request.price is None:
        raise Refused("price is required")
    if not takes_price and request.price is not None:
        raise Refused(f"price is not allowed with algorithm_id {algorithm.number}")


def _check_algorithm(request: OrderRequest, body: Mapping[str, Any]) -> None:
    match request.algorithm:
        case Algorithm.TWAP:
            total, interval = _integer(body, "total_time", None), _integer(body, "interval", _MIN_TWAP_SECS)
            _flag(body, "continuous")
            _flag(body, "post_only")
            if total < _MIN_TWAP_SECS or total < interval:
                raise Refused(f"invalid total_time: {total}")
        case Algorithm.TRAILING_STOP:
            if (request.stop_amount is None) == (request.stop_percent is None):
                raise Refused("one of stop_amount and stop_percent is required")
            if request.stop_percent is not None and request.stop_percent >= 1:
                raise Refused(f"invalid stop_percent: {request.stop_percent}")
        case _:
            pass
    if request.max_slippage is not None and not request.algorithm.is_by_market:
        raise Refused(f"max_slippage is not allowed with algorithm_id {request.algorithm.number}")


def _algorithm(body: Mapping[str, Any]) -> Algorithm:
    number = _integer(body, "algorithm_id", Algorithm.SMART.number)
    if number not in ALGORITHMS:
        raise Refused(f"invalid algorithm_id: {number}")
    return ALGORITHMS[number]


def _time_in_force(body: Mapping[str, Any], algorithm: Algorithm) -> TimeInForce:
    word = _choice(body, "time_in_force", tuple(t.value for t in TimeInForce), "GTC")
    time_in_force = TimeInForce(word)
    allowed = _ALGORITHMS_OF.get(time_in_force, tuple(Algorithm))
    if algorithm not in allowed:
        raise Refused(f"time_in_force {word} is not allowed with algorithm_id {algorithm.number}")
    return time_in_force


def _expires(body: Mapping[str, Any], time_in_force: TimeInForce) -> int | None:
    if time_in_force is TimeInForce.GTD:
        return _integer(body, "expires", None)
    if body.get("expires") is not None:
        raise Refused(f"expires is not allowed with time_in_force {time_in_force.value}")
    return None


def _client_order_id(body: Mapping[str, Any], longest: int) -> str:
    value = _text(body, "client_order_id")
    if value and (len(value) > longest or not _CLIENT_ORDER_ID.fullmatch(value)):
        raise Refused(f"invalid client_order_id: {value}")
    return value


def _choice(body: Mapping[str, Any], name: str, choices: tuple[str, ...], default: str) -> str:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or value not in choices:
        raise Refused(f"invalid {name}: {value}")
    return value


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(f"invalid {name}: {value}")
    return value


def _integer(body: Mapping[str, Any], name: str, default: int | None) -> int:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    raise Refused(f"invalid {name}: {'undefined' if value is None else value}")


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is None or value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise Refused(f"invalid {name}: {value}")
    return value
