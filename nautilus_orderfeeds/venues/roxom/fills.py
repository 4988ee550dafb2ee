"""Fills of the transaction log, placed on the cumulative quantity of their order (protocol, 4.6 and 10).

The log is the only place with trade ids, fees and the maker/taker flag of each fill. So that a fill told by an order
event is not told again by the log, the log's fills are named as the event's are: by the order's filled quantity after
them, which is the running sum of the amounts since the order's creation.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Raw, Struct, structs

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.updates import Fill
from nautilus_orderfeeds.orders.words import LiquiditySide
from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS, check_id
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.units import from_sats, instant_ns, looks_like_sats
from nautilus_orderfeeds.venues.roxom.words import SETTLEMENT, VENUE

_log = logging.getLogger(__name__)

_ORDER_FILL: Final = "orderfill"


class LogFill(Struct, frozen=True, kw_only=True):
    """One fill as the log tells it.

    Parameters
    ----------
    qty : Decimal
        Base units, positive.
    px : Decimal
        BTC per base unit.
    fee : Decimal, optional
        BTC, positive is a cost; None if the log does not say.
    is_taker : bool, optional
        None if the log does not say.
    time_ns : int
        UNIX ns, 0 if the log does not say.
    """

    order_id: str
    symbol: str
    trade_id: str
    qty: Decimal
    px: Decimal
    fee: Decimal | None = None
    is_taker: bool | None = None
    time_ns: int = 0

    def in_btc(self, reference: Decimal | None) -> "LogFill":
        """Return it with its money in bitcoin, if `reference` (BTC per base unit) shows that it is in satoshi."""
        if not looks_like_sats(self.px, reference):
            return self
        return structs.replace(self, px=from_sats(self.px), fee=None if self.fee is None else from_sats(self.fee))


def read_rows(rows: Iterable[Raw]) -> list[LogFill]:
    """Return the fills among rows of the log; other rows are ignored, as are unknown kinds (protocol, 9).

    Raises
    ------
    ValueError
        If a fill cannot be read: to leave it out would shift the running sum of its order.
    """
    fills = []
    for raw in rows:
        try:
            row = wire.LOG_ROW.decode(raw)
        except DECODE_ERRORS as exc:
            raise ValueError(f"a row of the transaction log ({exc})") from None
        if row.transaction_type.casefold() == _ORDER_FILL:
            fills.append(_fill(row))
        else:
            _log.debug("%s: transaction %s is no fill", VENUE, row.transaction_type[:40])
    return fills


def by_order(fills: Iterable[LogFill]) -> dict[str, list[LogFill]]:
    """Return the fills of each order, oldest first and each once."""
    orders: dict[str, dict[str, LogFill]] = {}
    for fill in fills:
        orders.setdefault(fill.order_id, {})[fill.trade_id] = fill
    return {order_id: sorted(told.values(), key=_age) for order_id, told in orders.items()}


def placed(
    order_id: str, fills: Sequence[LogFill], liquidity: LiquiditySide, trade_id: Callable[[str, Decimal], str]
) -> tuple[Fill, ...]:
    """Return all fills of an order, each where it belongs on the cumulative quantity.

    Parameters
    ----------
    order_id : str
        The venue's id.
    fills : Sequence[LogFill]
        All of them, oldest first.
    liquidity : LiquiditySide
        Where the log does not say.
    trade_id : Callable[[str, Decimal], str]
        Names a fill by the filled quantity after it.
    """
    cum_qty = ZERO
    told = []
    for fill in fills:
        cum_qty += fill.qty
        told.append(
            Fill(
                trade_id=trade_id(order_id, cum_qty),
                last_qty=fill.qty,
                last_px=fill.px,
                commission=fill.fee,
                commission_currency=SETTLEMENT,
                liquidity_side=liquidity if fill.is_taker is None else _LIQUIDITY[fill.is_taker],
                ts_event=fill.time_ns,
                venue_trade_id=fill.trade_id,
                ends_at=cum_qty,
            )
        )
    return tuple(told)


_LIQUIDITY: Final = {True: LiquiditySide.TAKER, False: LiquiditySide.MAKER}


def _age(fill: LogFill) -> tuple[int, str]:
    return fill.time_ns, fill.trade_id


def _fill(row: wire.LogRow) -> LogFill:
    order_id = check_id("orderId of a fill", row.order_id or "")
    trade_id = check_id("tradeId of a fill", row.trade_id or row.tx_id or "")
    px = row.fill_price if row.fill_price is not None else row.price
    wire.check_numbers(row.amount, px, row.fee)
    if row.amount is None or px is None or not row.amount or px <= 0:
        raise ValueError(f"fill {trade_id} of {row.amount} at {px}: amount and price are needed")
    return LogFill(
        order_id=order_id,
        symbol=row.symbol.upper(),
        trade_id=trade_id,
        qty=abs(row.amount),  # whether a sale is told as negative is not documented
        px=px,
        fee=row.fee,
        is_taker=row.is_taker,
        time_ns=instant_ns(row.time) or instant_ns(row.created_at),
    )
