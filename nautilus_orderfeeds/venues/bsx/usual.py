"""The short way of the usual frame: an update of one limit order without a stop, one trade at most (protocol, 5.3).

Nearly every frame of the stream is such a one. It is decoded with its numbers left as text: a number that was read
before is not made, and not checked, again. What comes out is exactly what `frames.PrivateDecoder` makes of the frame
the long way (a test compares the two); of everything unusual, and of everything faulty, nothing is said here.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal, cast

from msgspec import Struct, structs

from nautilus_orderfeeds.orders.decimals import ZERO, usual_decimal
from nautilus_orderfeeds.orders.updates import Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide, OrderType
from nautilus_orderfeeds.venues.base import AccountChanged, VenueMessage
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.codec import (
    INDICATED,
    NEVER_RESTS,
    TIMES_IN_FORCE,
    OrderCodec,
    end_of,
    name_of,
    symbol_of,
    trade_id_of,
)
from nautilus_orderfeeds.venues.bsx.words import SETTLEMENT, WireSide, WireStatus, WireStopPrice, WireTimeInForce
from nautilus_orderfeeds.venues.decoding import is_id

#: Numbers kept of each kind; beyond, all are forgotten: a strategy's next prices are near its last ones.
_KEPT: Final = 8_192


class UsualTrade(Struct, kw_only=True, gc=False):
    """`wire.OwnTrade` with its numbers as text."""

    id: str = ""
    price: str
    size: str
    liquidity_indicator: str = ""
    time: wire.Nanos = 0
    trading_fee: str | None = None
    sequencer_fee: str | None = None
    order_id: str = ""
    product_id: str = ""


class UsualOrder(Struct, kw_only=True, gc=False):
    """`wire.Order` with its numbers as text, and narrowed to the usual: the decoder refuses any other."""

    avg_price: str | None = None
    cancel_reason: str | None = None
    cancel_reject_reason: Literal[""] | None = None
    cancel_requested: bool = False
    cancel_requested_at: wire.Nanos = 0
    client_order_id: str | None = None
    created_at_ts: wire.Nanos = 0
    expired_at: wire.Nanos = 0
    filled_fees: str | None = None
    filled_size: str | None = None
    id: str
    is_liquidation: bool = False
    last_trades: list[UsualTrade] | None = None
    nonce: wire.Nanos = 0
    order_stop_type: Literal["STOP_NONE"] = "STOP_NONE"
    post_only: bool = False
    price: str | None = None
    product_id: str
    reduce_only: bool = False
    reject_reason: str | None = None
    side: WireSide
    size: str
    status: WireStatus
    stop_price: Literal["0"] | None = None
    stop_price_option: WireStopPrice = WireStopPrice.NONE
    time_in_force: WireTimeInForce = WireTimeInForce.UNKNOWN
    type: Literal["LIMIT"] = "LIMIT"
    updated_at: wire.Nanos = 0


class UsualFrame(Struct, gc=False):
    """`wire.OrdersFrame` of one order."""

    channel: Literal["orders"]
    type: Literal["update"]
    data: tuple[UsualOrder]
    timestamp: wire.Nanos = 0
    message: str = ""
    code: int = 0


_decode: Final = wire.decoder(UsualFrame).decode


class Numbers(dict[str | None, Decimal | None]):
    """What numbers mean that were read before, by their text; None (not said) means None.

    Parameters
    ----------
    sane : dict[str, Decimal]
        All numbers read, shared by the kinds of them: what is made of a number later is made once for each object.
    accept : Callable[[Decimal], Decimal or None]
        What a number means here; raises ValueError if it can mean nothing.
    """

    def __init__(self, sane: dict[str, Decimal], accept: Callable[[Decimal], Decimal | None]) -> None:
        super().__init__({None: None})
        self._sane = sane
        self._accept = accept

    def __missing__(self, text: str) -> Decimal | None:
        """Read a number for the first time; raises ValueError or ArithmeticError for what is not usual."""
        number = self._sane.get(text)
        if number is None:
            number = _read(text)
            if len(self._sane) >= _KEPT:
                self._sane.clear()
            self._sane[text] = number
        meaning = self._accept(number)
        if len(self) > _KEPT:
            self.clear()
            self[None] = None
        self[text] = meaning
        return meaning


def _read(text: str) -> Decimal:
    """Read a number as it is usually written; raises ValueError or ArithmeticError for any other text."""
    if text == "0":
        return ZERO
    number = usual_decimal(text)
    if not number or not number.is_finite():
        raise ValueError(f"{text[:40]!r} is an unusual way to write a number")
    return number


def _not_negative(number: Decimal) -> Decimal:
    if number.is_signed() and number:
        raise ValueError(f"{number} is negative")
    return number


def _positive(number: Decimal) -> Decimal:
    if number <= 0:
        raise ValueError(f"{number} is not positive")
    return number


def _if_any(number: Decimal) -> Decimal | None:
    return number or None


# Bound once: Python looks an enum's member up anew at every use.
_STREAM: Final = Source.STREAM
_OPEN: Final = WireStatus.OPEN
_DONE: Final = WireStatus.DONE
_STOP_ACCEPTED: Final = WireStatus.STOP_ACCEPTED
_WORKING: Final = VenueStatus.WORKING
_FILLED_UP: Final = VenueStatus.FILLED
_PENDING: Final = VenueStatus.PENDING
_PENDING_CANCEL: Final = VenueStatus.PENDING_CANCEL
_LIMIT: Final = OrderType.LIMIT
_WIRE_BUY: Final = WireSide.BUY
_BUY: Final = OrderSide.BUY
_SELL: Final = OrderSide.SELL
_GTC: Final = WireTimeInForce.GTC
_MAKER: Final = LiquiditySide.MAKER
_TAKER: Final = LiquiditySide.TAKER
_UNKNOWN_SIDE: Final = LiquiditySide.NO_LIQUIDITY_SIDE

_ACCOUNT_CHANGED: Final = AccountChanged()


class UsualReader:
    """Reads the usual frames.

    Parameters
    ----------
    codec : OrderCodec
        Whose memory of the resting orders is shared.
    otherwise : Callable[[bytes], list[VenueMessage]]
        Decodes any frame.
    """

    def __init__(self, codec: OrderCodec, otherwise: Callable[[bytes], list[VenueMessage]]) -> None:
        self._resting = codec.resting
        self._otherwise = otherwise
        sane: dict[str, Decimal] = {}
        self._filled = Numbers(sane, _not_negative)
        #: Zero means "none".
        self._prices = Numbers(sane, _if_any)
        #: These are always said.
        self._sizes = cast(dict[str, Decimal], Numbers(sane, _not_negative))
        self._traded = cast(dict[str, Decimal], Numbers(sane, _positive))

    def decode(self, raw: bytes) -> list[VenueMessage]:
        """Return what `raw` tells; an unusual or faulty frame is left to `otherwise`, and nothing of it remembered."""
        try:
            frame = _decode(raw)
            order = frame.data[0]
            order_id, status, post_only = order.id, order.status, order.post_only
            named = self._resting.get(order_id)
            rested = named is not None
            if named is None or named.client_order_id != order.client_order_id or named.nonce != order.nonce:
                named = name_of(order_id, order.client_order_id, order.nonce)
            size, filled = self._sizes[order.size], self._filled[order.filled_size]
            prices, fees_text = self._prices, order.filled_fees
            price, avg_px = prices[order.price], prices[order.avg_price]
            # Fees are not kept: hardly one is like another.
            fees = None if fees_text is None else usual_decimal(fees_text)
            if fees is not None and (not fees.is_finite() or (not fees and fees.is_signed())):
                raise ValueError("the fees are no number, or an unusual zero")
            symbol = symbol_of(order.product_id)
            ts_event = order.updated_at or frame.timestamp or order.created_at_ts
            if post_only:
                liquidity = _MAKER
            elif order.time_in_force is not _GTC and order.time_in_force in NEVER_RESTS:
                liquidity = _TAKER
            else:
                liquidity = _MAKER if rested else _UNKNOWN_SIDE
            fills: tuple[Fill, ...] = ()
            if order.last_trades:
                (trade,) = order.last_trades
                trade_text = trade.id
                trade_bytes = trade_text.encode()
                # Letters and digits, as bytes, are told quickest; the usual id is nothing else.
                if not trade_bytes.isalnum() and not is_id(trade_text):
                    raise ValueError("the trade has no id, or none that can be shown")
                qty = self._traded[trade.size]
                fee_text, sequencer_text = trade.trading_fee, trade.sequencer_fee
                fee = fees
                if fee_text != fees_text:  # an order's first fee is its total
                    fee = None if fee_text is None else usual_decimal(fee_text)
                    if fee is not None and (not fee.is_finite() or (not fee and fee.is_signed())):
                        raise ValueError("the fee is no number, or an unusual zero")
                if sequencer_text != "0" and sequencer_text is not None:
                    sequencer_fee = _read(sequencer_text)
                    fee = None if fee is None else fee + sequencer_fee
                fill = Fill(
                    trade_id=trade_id_of(named.trade_prefix + trade_bytes),
                    last_qty=qty,
                    last_px=self._traded[trade.price],
                    commission=fee,
                    commission_currency=SETTLEMENT,
                    liquidity_side=INDICATED.get(trade.liquidity_indicator[:1], liquidity),
                    ts_event=trade.time or ts_event,
                    venue_trade_id=trade_text,
                    ends_at=filled if filled is None or filled >= qty else None,
                )
                fills = (fill,)
        except _UNUSUAL:
            return self._otherwise(raw)
        if order.is_liquidation or status is _STOP_ACCEPTED:
            return self._otherwise(raw)
        reason, due_post_only = "", False
        if status is _OPEN:
            our_status = _PENDING_CANCEL if order.cancel_requested else _WORKING
            if not rested:
                self._resting[order_id] = named
        elif status is _DONE:
            if filled and filled == size and not order.reject_reason:
                our_status = _FILLED_UP
            else:
                our_status, reason, due_post_only = end_of(order.reject_reason, order.cancel_reason, size, filled)
            if rested:
                del self._resting[order_id]
        else:
            our_status = _PENDING
        update = OrderUpdate(
            _STREAM,
            named.order_id,
            named.refs,
            our_status,
            named.client_order_id or None,
            symbol,
            _BUY if order.side is _WIRE_BUY else _SELL,
            _LIMIT,
            TIMES_IN_FORCE[order.time_in_force],
            size or None,
            price,
            filled,
            avg_px,
            fees,
            SETTLEMENT,
            liquidity,
            fills,
            ts_event,
            order.created_at_ts,
        )
        if reason or post_only or order.reduce_only or order.expired_at:
            update = structs.replace(
                update,
                reason=reason,
                due_post_only=due_post_only,
                post_only=post_only,
                reduce_only=order.reduce_only,
                expire_time_ns=order.expired_at,
            )
        return [update, _ACCOUNT_CHANGED] if fills else [update]


#: What the decoder raises; a number or an id that is none; more than one trade.
_UNUSUAL: Final = (*wire.DECODE_ERRORS, ValueError, ArithmeticError)
