"""Fills of the transaction log, placed on the cumulative quantity of their order (protocol, 4.6 and 10).

The log is the only place with trade ids, fees and the maker/taker flag of each fill. So that a fill told by an order
event is not told again by the log, the log's fills are named as the event's are: by the order's filled quantity after
them, which is the running sum of the amounts since the order's creation.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import groupby
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
    before, after : tuple
        The account's position and balance before and after it, as far as the log says: fills of one instant follow
        each other by these.
    """

    order_id: str
    symbol: str
    trade_id: str
    qty: Decimal
    px: Decimal
    fee: Decimal | None = None
    is_taker: bool | None = None
    time_ns: int = 0
    before: tuple[Decimal | None, Decimal | None] = (None, None)
    after: tuple[Decimal | None, Decimal | None] = (None, None)

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


def by_order(fills: Sequence[LogFill]) -> dict[str, list[LogFill]]:
    """Return the fills of each order, oldest first and each once.

    Fills of one instant (one order that took several levels) are put in sequence by the account's position and balance
    before and after them; where the log tells neither, they stay as it lists them.
    """
    if len(fills) > 1 and fills[0].time_ns > fills[-1].time_ns:
        fills = fills[::-1]  # the newest come first
    orders: dict[str, dict[str, LogFill]] = {}
    for fill in fills:
        orders.setdefault(fill.order_id, {})[fill.trade_id] = fill
    return {
        order_id: [
            fill
            for _, instant in groupby(sorted(told.values(), key=_time), key=_time)
            for fill in _in_sequence(list(instant))
        ]
        for order_id, told in orders.items()
    }


def _in_sequence(fills: list[LogFill]) -> list[LogFill]:
    """Chain the fills of one instant: each begins with what the one before it left behind."""
    for told in (0, 1):
        if any(fill.before[told] is None or fill.after[told] is None for fill in fills):
            continue
        left = {fill.after[told] for fill in fills}
        follows = {fill.before[told]: fill for fill in fills}
        first = [fill for fill in fills if fill.before[told] not in left]
        if len(first) != 1 or len(follows) != len(fills):
            continue
        chain = [first[0]]
        while (following := follows.get(chain[-1].after[told])) is not None and len(chain) < len(fills):
            chain.append(following)
        if len(chain) == len(fills):
            return chain
    return fills


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


def _time(fill: LogFill) -> int:
    return fill.time_ns


def _fill(row: wire.LogRow) -> LogFill:
    order_id = check_id("orderId of a fill", row.order_id or "")
    trade_id = check_id("tradeId of a fill", row.trade_id or row.tx_id or "")
    px = row.fill_price if row.fill_price is not None else row.price
    wire.check_numbers(row.amount, px, row.fee)
    wire.check_numbers(row.position_before, row.position_after, row.balance_before, row.balance_after)
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
        before=(row.position_before, row.balance_before),
        after=(row.position_after, row.balance_after),
    )
