"""Reading an order request strictly as the page describes it (protocol 4.3); everything else is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.sim.model import OrderKind, Product, SelfTrade, Side, TimeInForce
from nautilus_orderfeeds.venues.bsx.twin_accounts import Refused
from nautilus_orderfeeds.venues.bsx.twin_wire import PRODUCT_INDEXES

_DECIMAL = re.compile(r"\d{1,30}(\.\d{1,18})?")
_CLIENT_ORDER_ID = re.compile(r"[0-9A-Za-z]{1,32}")
_TYPES: dict[object, OrderKind | None] = {
    "LIMIT": OrderKind.LIMIT,
    "MARKET": OrderKind.MARKET,
    0: OrderKind.LIMIT,
    1: OrderKind.MARKET,
    "STOP": None,
    2: None,
}
_TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTT": TimeInForce.GTD,
}
_FIELDS = frozenset(
    (
        *("side", "type", "time_in_force", "product_index", "price", "size", "nonce", "post_only"),
        *("reduce_only", "stp", "expired_at", "client_order_id", "signature"),
    )
)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A well-formed `POST /orders` body; sizes in base units, prices in USD, times in ns."""

    product: Product
    product_index: int
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    price: Decimal
    size: Decimal
    nonce: int
    post_only: bool
    reduce_only: bool
    self_trade: SelfTrade
    expired_ns: int
    client_order_id: str
    signature: str


def read_order(body: object) -> OrderRequest:
    """
    Read a `POST /orders` body.

    Raises
    ------
    Refused
        400 with code 3 for anything that the page does not describe.
    """
    if not isinstance(body, dict):
        raise Refused("an order must be a JSON object")
    unknown = sorted(set(body) - _FIELDS)
    if unknown:
        raise Refused(f"unknown field {unknown[0]!r}")
    index = body.get("product_index")
    if not isinstance(index, int) or isinstance(index, bool) or index not in PRODUCT_INDEXES:
        raise Refused(f"invalid product_index: {index!r}")
    kind = _choice(body, "type", _TYPES, OrderKind.LIMIT)
    if kind is None:
        raise Refused("stop orders need stop fields")
    time_in_force: TimeInForce = _choice(body, "time_in_force", _TIMES_IN_FORCE, TimeInForce.GTC)
    expired_ns = _integer(body, "expired_at", 0)
    if expired_ns and time_in_force is not TimeInForce.GTD:
        raise Refused("expired_at is only allowed with GTT")
    if not expired_ns and time_in_force is TimeInForce.GTD:
        raise Refused("expired_at is required with GTT")
    signature = body.get("signature")
    if not isinstance(signature, str):
        raise Refused("signature is required")
    return OrderRequest(
        product=PRODUCT_INDEXES[index],
        product_index=index,
        side=_choice(body, "side", {"BUY": Side.BUY, "SELL": Side.SELL}, None),
        kind=kind,
        time_in_force=time_in_force,
        price=_decimal(body, "price"),
        size=_decimal(body, "size"),
        nonce=_integer(body, "nonce", None),
        post_only=_flag(body, "post_only"),
        reduce_only=_flag(body, "reduce_only"),
        self_trade=_choice(
            body,
            "stp",
            {"CANCEL_TAKER": SelfTrade.CANCEL_TAKER, "CANCEL_MAKER": SelfTrade.CANCEL_MAKER},
            SelfTrade.CANCEL_TAKER,
        ),
        expired_ns=expired_ns,
        client_order_id=_client_order_id(body),
        signature=signature,
    )


def read_integers(values: object, name: str) -> list[int]:
    """A list of integers given as numbers or digits; a missing or null list is empty."""
    if values is None:
        return []
    if not isinstance(values, list):
        raise Refused(f"{name} must be a list")
    return [_integer({name: value}, name, None) for value in values]


def read_texts(values: object, name: str) -> list[str]:
    """A list of strings; a missing or null list is empty."""
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused(f"{name} must be a list of strings")
    return values


def _choice(body: dict[str, Any], name: str, choices: dict[Any, Any], default: Any) -> Any:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, (str, int)) and not isinstance(value, bool) and value in choices:
        return choices[value]
    raise Refused(f"invalid {name}: {value!r}")


def _decimal(body: dict[str, Any], name: str) -> Decimal:
    value = body.get(name)
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise Refused(f"{name} must be a decimal string, got {value!r}")
    number = Decimal(value)
    if number <= 0:
        raise Refused(f"{name} must be positive, got {value!r}")
    return number


def _integer(body: dict[str, Any], name: str, default: int | None) -> int:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and int(value) < 2**64:
        return int(value)
    raise Refused(f"invalid {name}: {value!r}")


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Refused(f"{name} must be a boolean, got {value!r}")
    return value


def _client_order_id(body: dict[str, Any]) -> str:
    value = body.get("client_order_id")
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _CLIENT_ORDER_ID.fullmatch(value):
        raise Refused("client_order_id must have at most 32 letters and digits")
    return value
