"""ASSUMPTIONS: every shape of the venue that no page of it documents (protocol 12), behind configurable field maps.

Nothing here is known. Each map says under which name of the wire a value of ours stands (a dot goes into an object,
``"order.id"``). Where no map is configured, the shape is not read at all:

- rows of ``GET /api/history/trades`` (`TRADE_FIELDS`): without a map, fills are derived (protocol 13.5, H);
- what active orders have besides the documented fields (`ACTIVE_FIELDS`);
- the list ``GET /orders/tpsl`` and the answer to its POST (`TPSL_FIELDS`), read only with ``tpsl=True``.
"""

from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Any, Final

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.orders.decimals import check_sane
from nautilus_orderfeeds.orders.words import LiquiditySide
from nautilus_orderfeeds.venues.decoding import check_id

#: Our names of a trade's values; the first four are needed.
TRADE_FIELDS: Final = ("trade_id", "order_id", "price", "quantity", "fee", "liquidity", "time_ms")
_TRADE_NEEDS: Final = TRADE_FIELDS[:4]

#: Our names of what an active order may have besides.
ACTIVE_FIELDS: Final = ("asset_id", "filled")

#: Our names of a take-profit/stop-loss, preset as in `TPSL_UPDATE` (protocol 6.1).
TPSL_FIELDS: Final[dict[str, str]] = {
    "tpsl_id": "i",
    "asset_id": "a",
    "quantity": "q",
    "take_profit": "tpp",
    "stop_loss": "slp",
    "status": "s",
}

#: States of a take-profit/stop-loss that are not over. Only ACTIVE is documented.
TPSL_LIVE: Final = frozenset({"ACTIVE"})

_MAKER: Final = frozenset({"MAKER", "M"})
_TAKER: Final = frozenset({"TAKER", "T"})


class Trade(Struct, frozen=True, kw_only=True):
    """One row of the trades: `quantity` in shares, `price` and `fee` in USDC, `time_ns` UNIX ns (0: not said)."""

    trade_id: str
    order_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal | None = None
    liquidity: LiquiditySide = LiquiditySide.NO_LIQUIDITY_SIDE
    time_ns: int = 0


class Tpsl(Struct, frozen=True, kw_only=True):
    """One attached take-profit/stop-loss, as listed."""

    tpsl_id: str
    asset_id: str
    status: str
    quantity: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None


#: Numbers come as decimals, from the wire's text.
ROWS: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
LIST: Final = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)


def check_map(name: str, fields: Mapping[str, str], known: tuple[str, ...], needed: tuple[str, ...] = ()) -> None:
    """Check a configured field map.

    Raises
    ------
    ValueError
        Naming what it has too much or too little.
    """
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise ValueError(f"{name} has {unknown[0]!r}; known are {', '.join(known)}")
    missing = [field for field in needed if not fields.get(field)]
    if missing:
        raise ValueError(f"{name} lacks {missing[0]!r}")


def check_trade_map(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the names that matter of a trades map; names of ours that are not read are left out.

    Raises
    ------
    ValueError
        If one of the four needed is missing.
    """
    used = {ours: theirs for ours, theirs in fields.items() if ours in TRADE_FIELDS and theirs}
    check_map("trades_fields", used, TRADE_FIELDS, _TRADE_NEEDS)
    return used


def read_trade(row: Mapping[str, Any], fields: Mapping[str, str]) -> Trade:
    """Read one trade.

    Raises
    ------
    ValueError
        If a needed value is missing or none.
    """
    quantity, price = _number(row, fields, "quantity"), _number(row, fields, "price")
    if quantity is None or quantity <= 0 or price is None or price < 0:
        raise ValueError(f"trade of {quantity} at {price}: expected a positive quantity and a price")
    time_ms = _number(row, fields, "time_ms")
    liquidity = str(_value(row, fields, "liquidity") or "").upper()
    return Trade(
        trade_id=check_id("trade id", str(_value(row, fields, "trade_id") or "")),
        order_id=check_id("order id of a trade", str(_value(row, fields, "order_id") or "")),
        price=price,
        quantity=quantity,
        fee=_number(row, fields, "fee"),
        liquidity=(
            LiquiditySide.MAKER
            if liquidity in _MAKER
            else LiquiditySide.TAKER
            if liquidity in _TAKER
            else LiquiditySide.NO_LIQUIDITY_SIDE
        ),
        time_ns=0 if time_ms is None else int(time_ms * 1_000_000),
    )


def read_tpsl(row: Mapping[str, Any], fields: Mapping[str, str]) -> Tpsl:
    """Read one element of the list; raises `ValueError` if it has no id or no readable numbers."""
    return Tpsl(
        tpsl_id=check_id("TP/SL id", str(_value(row, fields, "tpsl_id") or "")),
        asset_id=str(_value(row, fields, "asset_id") or ""),
        status=str(_value(row, fields, "status") or "").upper(),
        quantity=_number(row, fields, "quantity"),
        take_profit=_number(row, fields, "take_profit"),
        stop_loss=_number(row, fields, "stop_loss"),
    )


def active_extra(row: Mapping[str, Any], fields: Mapping[str, str]) -> tuple[str | None, Decimal | None]:
    """Return (asset id, filled quantity) of an active order, as far as mapped and there."""
    asset_id = _value(row, fields, "asset_id")
    return (str(asset_id) if asset_id else None), _number(row, fields, "filled")


def _value(row: Mapping[str, Any], fields: Mapping[str, str], name: str) -> Any:
    found: Any = row
    path = fields.get(name)
    if not path:
        return None
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def _number(row: Mapping[str, Any], fields: Mapping[str, str], name: str) -> Decimal | None:
    found = _value(row, fields, name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | str | Decimal):
        raise ValueError(f"{name} {found!r} is no number")  # noqa: TRY004
    try:
        value = Decimal(found)
    except DecimalException:
        raise ValueError(f"{name} {str(found)[:40]!r} is no number") from None
    check_sane(value)
    return value
