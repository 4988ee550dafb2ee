"""From an order at Roxom to `OrderUpdate`s (protocol, 5.3 and 10).

What makes Roxom hard is here: no trades are told, only how much was filled and at what average; a plain `cancelled`
may carry fills; `inactive` may be an end or none; an event's time may be that of the order's creation; and prices
may be in satoshi.
"""

import logging
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.orders.decimals import ZERO, plain
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderType
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.fills import LogFill, placed
from nautilus_orderfeeds.venues.roxom.identity import client_id_key
from nautilus_orderfeeds.venues.roxom.memory import OrderMemories, OrderMemory
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.units import from_sats, in_btc, instant_ns, looks_like_sats
from nautilus_orderfeeds.venues.roxom.words import (
    SETTLEMENT,
    SIDES,
    TIMES_IN_FORCE,
    TYPES,
    VENUE,
    WireStatus,
)

_log = logging.getLogger(__name__)

#: For ids that are no UUIDs, which the documents do not foresee.
_NAMESPACE: Final = UUID("6f1c1f0e-8f0b-5d4c-9b7e-2d1f6a3c5b90")

_STOPS: Final = frozenset({OrderType.STOP_MARKET, OrderType.STOP_LIMIT})
_NO_LETTER: Final = re.compile("[^a-z]")
_MS_BITS: Final = 80
_MAX_ORDER_ID: Final = 64

#: The venue's clock may be ahead of ours by this much when it lets an order expire.
_EXPIRY_TOLERANCE_NS: Final = 1_000_000_000


def inferred_trade_id(venue_order_id: str, cum_qty: Decimal) -> str:
    """Return the id of the fill that brings an order's filled quantity to `cum_qty` base units (protocol, 10).

    UUIDv5 with the order id as namespace: the same whether the order event or the transaction log tells of the fill.
    """
    return str(uuid5(_namespace(venue_order_id), plain(cum_qty)))


@lru_cache(maxsize=1_000)
def _namespace(venue_order_id: str) -> UUID:
    try:
        return UUID(venue_order_id)
    except ValueError:
        return uuid5(_NAMESPACE, venue_order_id)


def created_ns(order_id: str) -> int:
    """Return when an order was created, UNIX ns to the millisecond, by its id (UUIDv7); 0 if the id is none.

    Examples
    --------
    >>> created_ns("01981061-787c-7fd0-b707-18fa252f0d0b")
    1752621480060000000
    """
    try:
        told = UUID(order_id)
    except ValueError:
        return 0
    return (told.int >> _MS_BITS) * 1_000_000 if told.version == 7 else 0


class OrderCodec:
    """Reads orders.

    Parameters
    ----------
    settings : RoxomSettings
        How the documents' contradictions are read.
    clock : Clock
        Tells whether a good-till-date has passed.
    """

    def __init__(self, settings: RoxomSettings, clock: Clock) -> None:
        self._fees_reading = settings.fees_reading
        self._takes_client_ids = settings.send_client_order_id
        self._clock = clock
        self._warned_of_sats = False
        self.memories = OrderMemories()

    # -- the stream ------------------------------------------------------------------------------------------------

    def event(self, event: wire.OrderEvent) -> OrderUpdate:
        """Say what an order event tells.

        Raises
        ------
        ValueError
            If a number or an id is none.
        """
        order_id = check_order_id(event.order_id)
        symbol = symbol_of(event.symbol)
        _check_event(event)
        memory = self.memories.of(order_id)
        executed = event.executed_qty
        total = event.order_size
        if total is None and event.remaining_qty is not None:
            total = event.remaining_qty + executed
        if event.side is not None:
            memory.side = SIDES[event.side]
        avg_px, fill_px, limit_px, fees = event.avg_px, event.fill_px, event.limit_price, event.filled_fees
        reference = self.memories.reference_px(order_id, symbol)
        if any(looks_like_sats(px, reference) for px in (avg_px, fill_px, limit_px)):
            self._warn_of_sats(order_id)
            avg_px, fill_px, limit_px, fees = (
                None if told is None else from_sats(told) for told in (avg_px, fill_px, limit_px, fees)
            )
        status, due_post_only = self._status(event.status, memory, executed, event.reason, event.timestamp)
        type_ = TYPES[event.order_type] if event.order_type is not None else None
        if type_ is None and memory.terms is not None:
            type_ = memory.terms.type
        return OrderUpdate(
            Source.STREAM,
            order_id,
            self._refs(event.client_order_id),
            status,
            None,
            symbol,
            memory.side,
            type_,
            quantity=memory.learn_quantity(total),
            price=None if type_ in (OrderType.MARKET, OrderType.STOP_MARKET) else limit_px or None,
            filled_qty=executed,
            avg_px=avg_px or None,
            last_px=fill_px or None,
            fees=memory.learn_fees(executed, fees, self._fees_reading, order_id),
            fees_currency=SETTLEMENT,
            liquidity_side=memory.liquidity_side,
            ts_event=memory.new_time(event.timestamp),
            ts_accepted=created_ns(order_id),
            reason=event.reason or "",
            due_post_only=due_post_only,
        )

    # -- REST ------------------------------------------------------------------------------------------------------

    def order(
        self, order: wire.Order, source: Source, fills: Sequence[LogFill], *, is_listed_open: bool | None
    ) -> list[OrderUpdate]:
        """Say what an order over REST tells, with the fills the transaction log has of it.

        Parameters
        ----------
        order : Order
            As decoded.
        source : Source
            Where it came from.
        fills : Sequence[LogFill]
            All of its fills from its creation on, oldest first; empty if they were not read.
        is_listed_open : bool, optional
            Whether it is in the list of open orders: that alone says what `inactive` means. None: not certain.

        Raises
        ------
        ValueError
            If a number or an id is none.
        """
        order_id = check_order_id(order.id)
        symbol = symbol_of(order.symbol)
        _check_order(order)
        memory = self.memories.of(order_id)
        memory.side = SIDES[order.side]
        told_qty, amount = order.told_qty, order.amount_filled
        if told_qty is not None and amount is not None and amount > told_qty:
            told_qty += amount  # a client has seen the rest told as the quantity
        px, trigger_px = in_btc(order.told_px, order.unit), in_btc(order.trigger_px, order.unit)
        memory.px = memory.px or px or trigger_px
        self.memories.learn_px(symbol, px or trigger_px)
        memory.expire_time_ns = memory.expire_time_ns or instant_ns(order.cancel_at)
        fills = [fill.in_btc(memory.px or self.memories.reference_px(order_id, symbol)) for fill in fills]
        logged = sum((fill.qty for fill in fills), ZERO)
        filled = max(amount, logged) if amount is not None else (logged or None)
        is_whole = bool(fills) and filled == logged
        told_type = order.told_type
        type_ = TYPES[told_type] if told_type is not None else (memory.terms.type if memory.terms else None)
        word = status_word(order.status, order_id)
        status, due_post_only = self._rest_status(word, memory, filled or ZERO, type_, is_listed_open=is_listed_open)
        liquidity = memory.liquidity_side
        update = OrderUpdate(
            source,
            order_id,
            self._refs(order.client_order_id),
            status,
            None,
            symbol,
            memory.side,
            type_,
            time_in_force=TIMES_IN_FORCE[order.time_in_force] if order.time_in_force is not None else None,
            quantity=memory.learn_quantity(told_qty),
            price=None if type_ in (OrderType.MARKET, OrderType.STOP_MARKET) else px or None,
            trigger_price=trigger_px or None,
            expire_time_ns=memory.expire_time_ns,
            filled_qty=filled,
            filled_notional=sum((fill.qty * fill.px for fill in fills), ZERO) if is_whole else None,
            fees=_sum_of_fees(fills) if is_whole else None,
            fees_currency=SETTLEMENT,
            liquidity_side=liquidity,
            fills=placed(order_id, fills, liquidity, inferred_trade_id),
            ts_accepted=instant_ns(order.created_at) or created_ns(order_id),
            due_post_only=due_post_only,
        )
        if type_ in _STOPS and status is VenueStatus.WORKING and (order.triggered_at or order.is_triggered):
            # What was told of it while it waited may have been missed.
            waited = OrderUpdate(source, order_id, update.refs, VenueStatus.WAITING, ts_accepted=update.ts_accepted)
            return [waited, update]
        return [update]

    # -- inside ----------------------------------------------------------------------------------------------------

    def _refs(self, client_order_id: str | None) -> tuple[str, ...]:
        """Return the key an echoed client order id is; without our sending them it is somebody else's."""
        if not client_order_id or not self._takes_client_ids:
            return ()
        return (client_id_key(check_id("clientOrderId", client_order_id)),)

    def _rest_status(
        self,
        word: WireStatus | None,
        memory: OrderMemory,
        filled: Decimal,
        type_: OrderType | None,
        *,
        is_listed_open: bool | None,
    ) -> tuple[VenueStatus | None, bool]:
        if word is None:
            return None, False
        if word is not WireStatus.INACTIVE:
            return self._status(word, memory, filled, None)
        if is_listed_open is None:
            return None, False
        if not is_listed_open:
            return VenueStatus.CANCELED, False
        return (VenueStatus.WAITING if type_ in _STOPS else VenueStatus.WORKING), False

    def _status(
        self, status: WireStatus, memory: OrderMemory, executed: Decimal, reason: str | None, timestamp: int = 0
    ) -> tuple[VenueStatus | None, bool]:
        """Return (status, due to post-only)."""
        due_post_only = not executed and "postonly" in _NO_LETTER.sub("", (reason or "").casefold())
        match status:
            case WireStatus.PENDING_SUBMIT:
                return VenueStatus.PENDING, False
            case WireStatus.WAITING_TRIGGER:
                return VenueStatus.WAITING, False
            case WireStatus.SUBMITTED | WireStatus.PARTIALLY_FILLED:
                return VenueStatus.WORKING, False
            case WireStatus.PENDING_CANCEL:
                memory.cancel_asked = True
                return VenueStatus.PENDING_CANCEL, False
            case WireStatus.FILLED:
                return VenueStatus.FILLED, False
            case WireStatus.REJECTED:
                return VenueStatus.REJECTED, due_post_only
            case WireStatus.CANCELLED | WireStatus.PARTIALLY_FILLED_CANCELLED:
                if due_post_only:  # the reducer makes it a cancel if the order was live
                    return VenueStatus.REJECTED, True
                # An event's time may be that of the order's creation, but never lies in the future.
                now_ns = max(self._clock.time_ns(), timestamp)
                is_due = 0 < memory.expire_time_ns <= now_ns + _EXPIRY_TOLERANCE_NS
                return (VenueStatus.EXPIRED if is_due and not memory.cancel_asked else VenueStatus.CANCELED), False
            case WireStatus.INACTIVE:
                return None, False

    def _warn_of_sats(self, order_id: str) -> None:
        if not self._warned_of_sats:
            self._warned_of_sats = True
            _log.warning("%s: prices of order events come in satoshi (first seen of order %s)", VENUE, order_id)


def check_order_id(order_id: str) -> str:
    """Return `order_id` if it can be one: documented are UUIDs, so something much longer is a fault.

    Raises
    ------
    ValueError
        If it is no id.
    """
    if len(order_id) > _MAX_ORDER_ID:
        raise ValueError(f"order id {order_id[:40]!r}... of {len(order_id)} characters; expected a UUID")
    return check_id("order id", order_id)


@lru_cache(maxsize=1_000)
def symbol_of(symbol: str) -> str:
    """Return the instrument's symbol.

    Raises
    ------
    ValueError
        If it is no id.
    """
    return check_id("symbol", symbol).upper()


def status_word(told: str, order_id: str) -> WireStatus | None:
    """Return the status of an order over REST; None for one that is not documented, which is logged.

    One unknown word must not keep a whole reading of the account from being taken in.
    """
    try:
        return WireStatus(told.lower())
    except ValueError:
        _log.error("%s: order %s has the unknown status %r; only its fills are counted", VENUE, order_id, told[:40])
        return None


def _sum_of_fees(fills: Sequence[LogFill]) -> Decimal | None:
    fees = [fill.fee for fill in fills]
    return None if None in fees else sum((fee for fee in fees if fee is not None), ZERO)


def _check_event(event: wire.OrderEvent) -> None:
    remaining, executed = event.remaining_qty, event.executed_qty
    wire.check_numbers(
        remaining, executed, event.avg_px, event.fill_px, event.filled_fees, event.order_size, event.limit_price
    )
    for name, told in (("executedQty", executed), ("remainingQty", remaining), ("orderSize", event.order_size)):
        if told is not None and told < ZERO:
            raise ValueError(f"{name} {told} is negative")
    for name, told in (("avgPx", event.avg_px), ("fillPx", event.fill_px)):
        if told is not None and told < ZERO:
            raise ValueError(f"{name} {told} is negative")


def _check_order(order: wire.Order) -> None:
    told_qty, amount = order.told_qty, order.amount_filled
    wire.check_numbers(told_qty, amount, order.told_px, order.trigger_px, order.size)
    for name, told in (("quantity", told_qty), ("amountFilled", amount)):
        if told is not None and told < ZERO:
            raise ValueError(f"{name} {told} is negative")
