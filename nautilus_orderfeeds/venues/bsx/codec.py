"""From a BSX order to an `OrderUpdate` (protocol, 12.3 and 12.4).

What makes BSX hard is here: DONE means filled, cancelled, expired or rejected; a part-filled order is OPEN;
PENDING and OPEN of one order carry the same timestamp, so none may be dropped for being no newer; `updated_at`
may be unset on an order that has changed.
"""

import hashlib
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct, structs

from nautilus_orderfeeds.orders.decimals import ZERO, plain
from nautilus_orderfeeds.orders.updates import Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide
from nautilus_orderfeeds.venues.bsx.identity import refs_of
from nautilus_orderfeeds.venues.bsx.wire import Order, OwnTrade, check_id, check_numbers
from nautilus_orderfeeds.venues.bsx.words import (
    SETTLEMENT,
    WireOrderType,
    WireSide,
    WireStatus,
    WireStopType,
    WireTimeInForce,
    side_of,
    time_in_force_of,
    trigger_of,
    type_of,
)

#: Reasons of a cancel that mean "refused" if the order was never live (protocol, 12.3). Matched by prefix.
_REFUSALS: Final = ("insufficient margin", "insufficient funds", "reduce only", "tpsl order")

#: Begins like a refusal, but ends an order that was live.
_TPSL_ENDED: Final = "tpsl order canceled"

_POST_ONLY: Final = "post only"
_EXPIRED: Final = "time in force gtt"

#: Orders that never rest: what fills them takes.
NEVER_RESTS: Final = frozenset({WireTimeInForce.IOC, WireTimeInForce.FOK})

#: 36 characters are allowed; 32 hex digits cannot collide in practice.
_TRADE_ID_DIGITS: Final = 32

# Bound once, for the path of every fill.
_sha256: Final = hashlib.sha256


def trade_id(venue_order_id: str, venue_trade_id: str) -> str:
    """Return the id of an own trade: the venue's may be too long, and two own orders may share one.

    Parameters
    ----------
    venue_order_id, venue_trade_id : str
        As on the wire.

    Returns
    -------
    str
        32 hex digits, a pure function of the two.
    """
    return trade_id_of(f"{venue_order_id}|{venue_trade_id}".encode())


def trade_id_of(identity: bytes) -> str:
    """Return the `trade_id` of an order's id and a trade's, joined by ``|``."""
    return _sha256(identity).hexdigest()[:_TRADE_ID_DIGITS]


def inferred_trade_id(venue_order_id: str, cum_qty: Decimal) -> str:
    """Return the id of a fill made up for the order's filled quantity (base units) of `cum_qty`."""
    return trade_id(venue_order_id, f"cum|{plain(cum_qty)}")


class Named(Struct, frozen=True, gc=False):
    """How an order is named, checked once: the venue repeats it in every update.

    `order_id` is handed on in place of its repetitions: a text is found by itself sooner than by its equal. What the
    identities of its trades begin with is `trade_prefix` (see `trade_id_of`).
    """

    order_id: str
    client_order_id: str | None
    nonce: int
    refs: tuple[str, ...]
    trade_prefix: bytes


def name_of(order_id: str, client_order_id: str | None, nonce: int) -> Named:
    """Check how an order is named on the wire.

    Raises
    ------
    ValueError
        If an id is none.
    """
    ids = order_id + (client_order_id or "")
    if not ids.isascii() or not ids.isprintable() or " " in ids or not order_id:  # one look at both, usually enough
        check_id("order id", order_id)
        if client_order_id:
            check_id("client_order_id", client_order_id)
    return Named(order_id, client_order_id, nonce, refs_of(client_order_id, nonce), f"{order_id}|".encode())


class OrderCodec:
    """Reads orders.

    The one thing it remembers is which orders were seen resting, and how they are named: where the venue does not say
    whether a fill made or took liquidity, a fill of such an order made it (protocol, 11 row 4).
    """

    def __init__(self) -> None:
        self.resting: dict[str, Named] = {}

    def update(self, order: Order, source: Source, frame_ts: int = 0) -> OrderUpdate:
        """Say what `order` tells.

        Parameters
        ----------
        order : Order
            As decoded.
        source : Source
            Where it came from.
        frame_ts : int
            UNIX ns of the frame around it, 0 if it has none; used where the order has no `updated_at`.

        Raises
        ------
        ValueError
            If a number or an id is none.
        """
        order_id = order.id
        symbol = symbol_of(order.product_id)
        named = self.resting.get(order_id)
        rested = named is not None
        if named is None or named.client_order_id != order.client_order_id or named.nonce != order.nonce:
            named = name_of(order_id, order.client_order_id, order.nonce)
        size, filled, trades = order.size, order.filled_size, order.last_trades
        check_numbers(size, filled, order.price, order.avg_price, order.stop_price, order.filled_fees)
        if (size.is_signed() and size) or (filled is not None and filled.is_signed() and filled):
            raise ValueError(f"size {size} or filled_size {filled} is negative")
        ts_event = order.updated_at or frame_ts or order.created_at_ts
        seldom = _seldom_told(order)
        is_market = order.type is _MARKET
        match order.status:
            case WireStatus.OPEN:
                asked = order.cancel_requested and not order.cancel_reject_reason
                status = VenueStatus.PENDING_CANCEL if asked else VenueStatus.WORKING
                if not rested:
                    self.resting[order_id] = named
            case WireStatus.DONE:
                status, reason, due_post_only = end_of(order.reject_reason, order.cancel_reason, size, filled)
                if reason:
                    seldom["reason"], seldom["due_post_only"] = reason, due_post_only
                self.resting.pop(order_id, None)
            case WireStatus.PENDING:
                status = VenueStatus.PENDING
            case WireStatus.STOP_ACCEPTED:
                status = VenueStatus.WAITING
        if order.post_only:
            liquidity = LiquiditySide.MAKER
        elif is_market or order.time_in_force in NEVER_RESTS:
            liquidity = LiquiditySide.TAKER
        else:
            liquidity = LiquiditySide.MAKER if rested else LiquiditySide.NO_LIQUIDITY_SIDE
        update = OrderUpdate(
            source,
            order_id,
            named.refs,
            status,
            named.client_order_id or None,
            symbol,
            SIDES[order.side],
            _TYPES[order.order_stop_type][order.type],
            TIMES_IN_FORCE[order.time_in_force],
            size or None,
            # The price of a market order is its worst acceptable one, no term of the order.
            None if is_market else order.price or None,
            filled,
            order.avg_price or None,
            order.filled_fees,
            SETTLEMENT,
            liquidity,
            _fills(order_id, trades, filled, liquidity, ts_event) if trades else (),
            ts_event,
            order.created_at_ts,
        )
        return structs.replace(update, **seldom) if seldom else update


_STOPS: Final = frozenset({WireStopType.STOP_LOSS, WireStopType.TAKE_PROFIT})

# Bound once: Python looks an enum's member up anew at every use.
_MARKET: Final = WireOrderType.MARKET
_STOP: Final = WireOrderType.STOP
_FILLED: Final = VenueStatus.FILLED
_REJECTED: Final = VenueStatus.REJECTED

#: Our words for the wire's, asked once for each.
SIDES: Final = {word: side_of(word) for word in WireSide}
_TYPES: Final = {stop: {word: type_of(word, stop) for word in WireOrderType} for stop in WireStopType}
TIMES_IN_FORCE: Final = {word: time_in_force_of(word) for word in WireTimeInForce}


@lru_cache(maxsize=1_000)
def symbol_of(product_id: str) -> str:
    """Return the instrument's symbol.

    Raises
    ------
    ValueError
        If it is no id.
    """
    return check_id("product_id", product_id).upper()


def _seldom_told(order: Order) -> dict[str, Any]:
    """Return the fields of an `OrderUpdate` that only few orders have something to say about."""
    told: dict[str, Any] = {}
    if order.post_only or order.reduce_only:
        told["post_only"], told["reduce_only"] = order.post_only, order.reduce_only
    if order.type is _STOP or order.order_stop_type in _STOPS:
        told["trigger_price"] = order.stop_price or None
        told["trigger_type"] = trigger_of(order.stop_price_option)
    if order.expired_at:
        told["expire_time_ns"] = order.expired_at
    # A refused cancel of an order that has ended anyway is no news.
    if order.cancel_reject_reason and order.status is not WireStatus.DONE:
        told["cancel_reject_reason"] = order.cancel_reject_reason
        # The key makes it once for each request. Without the request's time only the request that waits for an
        # answer can tell whether this is a new refusal.
        told["cancel_reject_key"] = str(order.cancel_requested_at or "")
    return told


def own_fill(
    order_id: str,
    trade: OwnTrade,
    liquidity: LiquiditySide = LiquiditySide.NO_LIQUIDITY_SIDE,
    ends_at: Decimal | None = None,
    ts_event: int = 0,
) -> Fill:
    """Read one own trade (protocol, 7).

    Parameters
    ----------
    order_id : str
        The venue's id of its order.
    trade : OwnTrade
        As decoded, with an id.
    liquidity : LiquiditySide
        Taken where the trade itself does not say.
    ends_at : Decimal, optional
        The order's filled quantity after it, base units.
    ts_event : int
        UNIX ns, taken where the trade has no time.

    Raises
    ------
    ValueError
        If a number or the id is none.
    """
    venue_trade_id = check_id("trade id", trade.id)
    size, price, fee, sequencer_fee = trade.size, trade.price, trade.trading_fee, trade.sequencer_fee
    check_numbers(price, size, fee, sequencer_fee)
    if size <= ZERO or price <= ZERO:
        raise ValueError(f"trade {venue_trade_id} of {size} at {price}: both must be positive")
    # Positive is a cost and negative a rebate, as in the framework. Without the trading fee nothing is known.
    return Fill(
        trade_id=trade_id(order_id, venue_trade_id),
        last_qty=size,
        last_px=price,
        commission=fee + sequencer_fee if fee is not None and sequencer_fee else fee,
        commission_currency=SETTLEMENT,
        liquidity_side=INDICATED.get(trade.liquidity_indicator[:1], liquidity),
        ts_event=trade.time or ts_event,
        venue_trade_id=venue_trade_id,
        ends_at=ends_at,
    )


def _fills(
    order_id: str, trades: list[OwnTrade], filled: Decimal | None, liquidity: LiquiditySide, ts_event: int
) -> tuple[Fill, ...]:
    """Read the trades of the latest event: they bring the filled quantity to where it is now."""
    if len(trades) == 1 and trades[0].id:  # the usual case
        fill = own_fill(order_id, trades[0], liquidity, filled, ts_event)
        if filled is not None and filled < fill.last_qty:  # as below
            fill = structs.replace(fill, ends_at=None)
        return (fill,)
    fills: tuple[Fill, ...] = ()
    ends_at = filled
    for trade in trades[::-1]:
        # One without an id cannot be told from its repetition: the growth of `filled_size` tells of it.
        if trade.id:
            fills = (own_fill(order_id, trade, liquidity, ends_at, ts_event), *fills)
        else:
            check_numbers(trade.size)
        if ends_at is not None:
            ends_at -= trade.size
    if ends_at is not None and ends_at < ZERO:  # more traded than filled: their place is not known
        fills = tuple(structs.replace(fill, ends_at=None) for fill in fills)
    return fills


#: The indicator's words are not published: its first letter tells.
INDICATED: Final = {
    "M": LiquiditySide.MAKER,
    "m": LiquiditySide.MAKER,
    "T": LiquiditySide.TAKER,
    "t": LiquiditySide.TAKER,
}


def end_of(
    reject_reason: str | None, cancel_reason: str | None, size: Decimal, filled: Decimal | None
) -> tuple[VenueStatus, str, bool]:
    """Tell the meanings of DONE apart: the first match counts (protocol, 12.3).

    The refusals hold only if the order was never live; that the reducer knows, and makes them cancels if it was.

    Returns
    -------
    (VenueStatus, str, bool)
        The status, the venue's reason, and whether that is a post-only refusal.
    """
    if reject_reason:
        return _REJECTED, reject_reason, False
    filled = filled or ZERO
    if ZERO < size <= filled:
        return _FILLED, "", False
    reason = cancel_reason or ""
    word = reason.casefold()
    if word.startswith(_EXPIRED):
        return VenueStatus.EXPIRED, reason, False
    if not filled:
        if word.startswith(_POST_ONLY):
            return _REJECTED, reason, True
        if word.startswith(_REFUSALS) and not word.startswith(_TPSL_ENDED):
            return _REJECTED, reason, False
    return VenueStatus.CANCELED, reason, False
