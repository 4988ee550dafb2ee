"""From an ActTrader order object to an `OrderUpdate` (protocol, 6, 8, 11.2 and 11.4).

What makes the venue hard is here: fills have no id, time or fee, are listed whole or only since the last message, or
not at all; a quantity may be a placeholder of the documentation; and no message has a number that orders it.
"""

import hashlib
import logging
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.orders.decimals import EXACT, ZERO, check_sane, plain
from nautilus_orderfeeds.orders.requests import Amend
from nautilus_orderfeeds.orders.updates import Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderType, TriggerType
from nautilus_orderfeeds.venues.acttrader.identity import told_refs
from nautilus_orderfeeds.venues.acttrader.times import parse_time
from nautilus_orderfeeds.venues.acttrader.wire import OrderObject, WireFill
from nautilus_orderfeeds.venues.acttrader.words import (
    PRICED,
    STOPPED,
    VENUE,
    reason_of,
    side_of,
    status_of,
    time_in_force_of,
    type_of,
)
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.instruments import InstrumentSpec

_log = logging.getLogger(__name__)

#: The framework's limit.
_MAX_TRADE_ID: Final = 36
_TRADE_ID_DIGITS: Final = 32

#: Orders remembered; of an older one a repeated execution only costs a query.
_REMEMBERED: Final = 20_000

#: Types that have no limit price.
_UNPRICED: Final = frozenset({OrderType.MARKET, OrderType.STOP_MARKET})

#: Version of a statement that the venue's own time shows to be old: it never overwrites anything.
_OLD: Final = 1


def trade_id(venue_order_id: str, cum_qty: Decimal) -> str:
    """Return the id of the fill that brings an order to `cum_qty` base units.

    The same for the same fill however it is told: by `execution` or `orderstatus`, in a whole list or part of one.
    """
    text = f"{venue_order_id}-{plain(cum_qty)}"
    if len(text) <= _MAX_TRADE_ID:
        return text
    return hashlib.sha256(text.encode()).hexdigest()[:_TRADE_ID_DIGITS]


class Seen(Struct):
    """What is remembered of an order.

    Parameters
    ----------
    type : OrderType, optional
        Its type.
    executed : Decimal
        Highest filled quantity told, base units, as far as it can be believed.
    explained : Decimal
        Quantity up to which fills were told, base units.
    ts_last : int
        Latest `transactTime`, UNIX ns.
    is_leg : bool
        It is one of an OCO pair.
    trigger_price : Decimal, optional
        The stop price of a change the venue has taken: the draft never shows one.
    price, quantity : Decimal, optional
        Of a change the venue has taken and not shown yet: what shows them cannot be older than it.
    """

    type: OrderType | None = None
    executed: Decimal = ZERO
    explained: Decimal = ZERO
    ts_last: int = 0
    is_leg: bool = False
    trigger_price: Decimal | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None


class Reading(Struct, frozen=True):
    """An order object, read.

    Parameters
    ----------
    update : OrderUpdate
        What it says.
    needs_status : bool
        It tells of fills without telling them, or of a quantity that cannot be believed: `orderstatus` knows.
    untouched : bool
        It says of a live order that nothing of it is filled.
    """

    update: OrderUpdate
    needs_status: bool
    untouched: bool


class OrderCodec:
    """Reads orders.

    Parameters
    ----------
    clock : Clock
        Stamps what arrives: the order of arrival is the only one there is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._version = _OLD
        self._own: dict[str, Seen] = {}
        self._others: dict[str, Seen] = {}
        self._symbols: dict[str, str] = {}
        self._unknown_statuses: set[str] = set()

    def use_instruments(self, specs: Iterable[InstrumentSpec]) -> None:
        """Learn the framework's symbols of the venue's."""
        self._symbols.update((spec.raw_symbol, spec.symbol) for spec in specs)

    def seen(self, venue_order_id: str | None) -> Seen | None:
        """Return what is remembered of an order."""
        if venue_order_id is None:
            return None
        return self._own.get(venue_order_id) or self._others.get(venue_order_id)

    def remember(self, venue_order_id: str) -> Seen:
        """Return what is remembered of an order of ours, from now on if nothing was."""
        seen = self._own.get(venue_order_id)
        if seen is None:
            seen = self._own[venue_order_id] = self._others.pop(venue_order_id, Seen())
            _shed(self._own)
        return seen

    def _seen_of(self, venue_order_id: str) -> Seen:
        """Return what is remembered of any order: however many others are told of, they push out none of ours."""
        seen = self.seen(venue_order_id)
        if seen is None:
            seen = self._others[venue_order_id] = Seen()
            _shed(self._others)
        return seen

    def note_change(self, venue_order_id: str, amend: Amend) -> None:
        """Remember a change that the venue has taken without saying what the order is like now."""
        seen = self.remember(venue_order_id)
        seen.price, seen.quantity = amend.price, amend.quantity
        if amend.trigger_price is not None:
            # No message of the draft shows a stop price: what was asked for and taken is all that is known.
            seen.trigger_price = amend.trigger_price

    def now_ns(self) -> int:
        """Return the time of arrival, UNIX ns, for what has no time of its own."""
        return self._clock.time_ns()

    def stamp(self) -> int:
        """Return the version of what arrives now: it rises for ever, also across restarts."""
        self._version = max(self._version + 1, self._clock.time_ns())
        return self._version

    def read(self, order: OrderObject, source: Source, *, is_leg: bool = False) -> Reading:
        """Say what `order` tells.

        Parameters
        ----------
        order : OrderObject
            As decoded.
        source : Source
            Where it came from: fills are never made from the rows of a list (SNAPSHOT).
        is_leg : bool
            It was asked for as one of an OCO pair.

        Raises
        ------
        ValueError
            If an id or a number is none.
        """
        order_id = check_id("orderId", str(order.order_id))
        type_ = type_of(order.type)
        _check_numbers(order)
        seen = self._seen_of(order_id)
        seen.type = type_ or seen.type
        seen.is_leg = seen.is_leg or is_leg
        reason = reason_of(order.reason or "")
        status = status_of(order.status, reason)
        if status is None and order.status not in self._unknown_statuses:
            self._unknown_statuses.add(order.status)
            told = order.status[:40]
            _log.error("%s: order %s has the unknown status %r; only its quantities are taken", VENUE, order_id, told)
        if status is VenueStatus.REJECTED and seen.is_leg and not reason:
            status = VenueStatus.CANCELED  # the draft has no reasons: the other order of the pair was
        fills = order.fills or []
        listed = sum((fill.qty for fill in fills), ZERO)
        executed = order.executed_qty
        if executed is None and fills:
            executed = listed
        ts_told = parse_time(order.transact_time)
        now_ns = self._clock.time_ns()
        status, filled = _believed(status, order.orig_qty, executed, listed)
        placed: tuple[Fill, ...] = ()
        if source is not Source.SNAPSHOT and filled is not None and listed <= filled:
            placed = _placed(order_id, fills, filled, ts_told or now_ns)
        needs_status = self._note(seen, executed, filled, listed if placed else ZERO)
        told_filled = None if source is Source.SNAPSHOT else filled
        expires_ns = parse_time(order.till_time or order.time_in_force_date or order.life_time)
        price = order.price if type_ in PRICED else None
        update = OrderUpdate(
            source=source,
            venue_order_id=order_id,
            refs=told_refs(order.client_order_id, order.type, price),
            status=status,
            symbol=self._symbol(order.symbol),
            side=side_of(order.side),
            type=type_,
            time_in_force=time_in_force_of(order.time_in_force or "", expires=expires_ns > 0),
            quantity=order.orig_qty or None,
            price=price or None,
            trigger_price=(order.stop_price or seen.trigger_price) if type_ in STOPPED else None,
            trigger_type=TriggerType.DEFAULT if type_ in STOPPED else TriggerType.NO_TRIGGER,
            expire_time_ns=expires_ns,
            filled_qty=told_filled,
            # A list that contradicts the filled quantity still says about what was paid.
            avg_px=_average(fills, listed) if fills and told_filled and not placed else None,
            # Without a limit it can only be what was paid; asked for only where no fill tells that (protocol, 8.5).
            last_px=(order.price or None) if told_filled and not fills and type_ in _UNPRICED else None,
            fills=placed,
            reason=order.reason or "",
            # The venue does reject orders that it had taken (protocol, 11.2).
            rejects_live=True,
            version=self._age(seen, order, ts_told),
            ts_event=ts_told or now_ns,
        )
        untouched = status is VenueStatus.WORKING and executed is not None and not executed
        return Reading(update, needs_status, untouched)

    def _symbol(self, raw: str) -> str | None:
        if not raw:
            return None
        return self._symbols.get(raw) or check_id("symbol", raw).upper()

    def _age(self, seen: Seen, order: OrderObject, ts_told: int) -> int:
        """Return the version of what an order object says: an earlier time than told before makes it old news.

        What shows a change that was taken is none, whatever its time: which moment `transactTime` means is not
        documented, and a clock may be set back.
        """
        version = self.stamp()
        if _shows_change(seen, order):
            seen.price = seen.quantity = None
        elif ts_told < seen.ts_last and ts_told:
            return _OLD
        seen.ts_last = max(seen.ts_last, ts_told)
        return version

    @staticmethod
    def _note(seen: Seen, executed: Decimal | None, filled: Decimal | None, listed: Decimal) -> bool:
        """Remember how much was told; return whether there is more to be asked for."""
        if filled is None:
            return bool(executed) and executed != seen.explained
        seen.executed = max(seen.executed, filled)
        if filled - listed <= seen.explained:
            seen.explained = max(seen.explained, filled if listed else ZERO)
        return filled > seen.explained


def _shed(remembered: dict[str, Seen]) -> None:
    if len(remembered) > _REMEMBERED:
        del remembered[next(iter(remembered))]


def _shows_change(seen: Seen, order: OrderObject) -> bool:
    changes = ((seen.price, order.price), (seen.quantity, order.orig_qty))
    wanted = [(asked, told) for asked, told in changes if asked is not None]
    return bool(wanted) and all(asked == told for asked, told in wanted)


def _check_numbers(order: OrderObject) -> None:
    check_sane(order.price, order.stop_price, order.orig_qty, order.executed_qty)
    for name, value in (("origQty", order.orig_qty), ("executedQty", order.executed_qty)):
        if value is not None and value < 0:
            raise ValueError(f"{name} {value} is negative")
    for fill in order.fills or ():
        check_sane(fill.price, fill.qty)
        if fill.qty <= 0 or fill.price <= 0:
            raise ValueError(f"a fill of {fill.qty} at {fill.price}: both must be positive")


def _believed(
    status: VenueStatus | None, quantity: Decimal | None, executed: Decimal | None, listed: Decimal
) -> tuple[VenueStatus | None, Decimal | None]:
    """Return status and filled quantity, of an order that is said to be full and not filled at once (protocol, 8.3).

    Its fills decide; without them the status is believed and not the quantity, which is a placeholder in every
    published sample.
    """
    if executed is None or not executed or executed != quantity or status is VenueStatus.FILLED or status is None:
        return status, executed
    if listed == executed:
        return VenueStatus.FILLED, executed
    return status, None


def _placed(order_id: str, fills: Iterable[WireFill], filled: Decimal, ts_event: int) -> tuple[Fill, ...]:
    """Place the listed fills on the cumulative quantity: they bring it to where it is now (protocol, 11.4).

    So it does not matter whether the list is whole or begins after the last message.
    """
    listed = list(fills)
    ends_at = filled - sum((fill.qty for fill in listed), ZERO)
    placed = []
    for fill in listed:
        ends_at = EXACT.add(ends_at, fill.qty)
        placed.append(
            Fill(
                trade_id=trade_id(order_id, ends_at),
                last_qty=fill.qty,
                last_px=fill.price,
                ts_event=ts_event,
                ends_at=ends_at,
            )
        )
    return tuple(placed)


def _average(fills: Iterable[WireFill], listed: Decimal) -> Decimal:
    return EXACT.divide(sum((EXACT.multiply(fill.price, fill.qty) for fill in fills), ZERO), listed)
