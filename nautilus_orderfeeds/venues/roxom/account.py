"""Balances and positions over REST (protocol, 4.7 and 4.8)."""

from decimal import Decimal
from typing import Final

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.updates import AccountUpdate, Balance, Position
from nautilus_orderfeeds.venues.decoding import check_id, decode
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.units import in_btc, instant_ns
from nautilus_orderfeeds.venues.roxom.words import SETTLEMENT, VENUE

_LONG: Final = "long"
_SHORT: Final = "short"


class _Asset(Struct, kw_only=True, rename="camel"):
    asset: str
    available: Decimal
    current: Decimal


class _Balances(Struct, kw_only=True, rename="camel"):
    """Both shapes: one row for each asset, or the whole of it in the older one."""

    balances: list[_Asset] | None = None
    last_updated: wire.Instant | None = None
    available: Decimal | None = None
    balance: Decimal | None = None
    currency: str = SETTLEMENT


class _Row(Struct, kw_only=True, rename="camel"):
    side: str
    size: Decimal
    avg_entry: Decimal | None = None
    close_date: wire.Instant | None = None
    updated_at: wire.Instant | None = None
    unit: str = ""


class _Positions(Struct):
    positions: list[_Row]


_balances: Final = msgspec.json.Decoder(wire.Reply[_Balances])
_positions: Final = msgspec.json.Decoder(wire.Reply[_Positions])
_legacy: Final = msgspec.json.Decoder(wire.Reply[list[msgspec.Raw]])


def decode_balances(body: bytes) -> AccountUpdate:
    """Read the answer to ``GET /accounts/balance?unit=btc``, in either shape.

    Raises
    ------
    FrameError
        If it is neither.
    ValueError
        If a number is none.
    """
    told = decode(VENUE, _balances, body, "the account's balances (protocol 4.7)").data
    if told.balances is not None:
        balances = [_balance(row.asset, row.current, row.available) for row in told.balances]
    elif told.balance is not None and told.available is not None:
        balances = [_balance(told.currency, told.balance, told.available)]
    else:
        raise ValueError("balances with neither rows nor a balance")
    if not any(balance.currency == SETTLEMENT for balance in balances):
        balances.append(Balance(currency=SETTLEMENT, total=ZERO, free=ZERO))
    return AccountUpdate(balances=tuple(balances), ts_event=instant_ns(told.last_updated))


def decode_position(body: bytes, symbol: str) -> Position | None:
    """Read the answer to ``GET /positions?symbol=...``: the net of its rows.

    Returns
    -------
    Position or None
        Flat is a position of zero. None for the older shape, whose integers have no documented scale.

    Raises
    ------
    FrameError
        If it is neither shape.
    ValueError
        If a row cannot be read: to leave it out would call it flat.
    """
    try:
        _legacy.decode(body)
    except msgspec.MsgspecError:
        pass
    else:
        return None
    signed, cost, told_ns = ZERO, ZERO, 0
    priced = True
    for row in decode(VENUE, _positions, body, "positions (protocol 4.8)").data.positions:
        wire.check_numbers(row.size, row.avg_entry)
        told_ns = max(told_ns, instant_ns(row.updated_at))
        if not row.size or row.close_date:
            continue
        if row.size < 0 or row.side.lower() not in (_LONG, _SHORT):
            raise ValueError(f"position of {row.size} on side {row.side[:20]!r}")
        qty = row.size if row.side.lower() == _LONG else -row.size
        px = in_btc(row.avg_entry, row.unit)
        priced = priced and px is not None
        signed += qty
        cost += qty * (px or ZERO)
    avg_px = cost / signed if signed and priced and cost / signed > 0 else None
    return Position(symbol=symbol, signed_qty=signed, avg_px_open=avg_px, ts_event=told_ns)


def _balance(asset: str, total: Decimal, free: Decimal) -> Balance:
    wire.check_numbers(total, free)
    return Balance(currency=check_id("asset", asset).upper(), total=total, free=max(min(free, total), ZERO))
