"""From sFOX's orders and fills to updates (protocol, 5, 6 and 12.2).

What makes sFOX hard is here: messages are subsets, dates have one second's resolution and so order nothing, `Filled`
and `Done` are two ends of one event, an expiry is told as a cancel, and of an order by amount the quantity is none.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from msgspec import Struct, structs

from nautilus_orderfeeds.orders.decimals import check_sane, plain
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.updates import END_STATUSES, Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.sfox.wire import Order, Trade
from nautilus_orderfeeds.venues.sfox.words import (
    STATUS_CODES,
    VENUE,
    Algorithm,
    WireStatus,
    side_of,
    time_in_force_of,
    type_of,
    venue_status,
)
from nautilus_orderfeeds.venues.times import parse_iso

_log = logging.getLogger(__name__)

_NS_PER_SEC: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000

#: Last place of the venue's amounts and averages.
_STEP: Final = Decimal(1).scaleb(-8)

#: What the framework allows for a trade id.
_TRADE_ID_CHARS: Final = 36

#: Orders of which terms are remembered; beyond this the oldest are forgotten (and read anew where needed).
_KEPT: Final = 20_000


def order_ref(client_order_id: str) -> str:
    """Return the key under which an order is known that was sent with `client_order_id`."""
    return f"cid:{client_order_id}"


def trade_id(order_id: int | str, venue_trade_id: int | str) -> str:
    """Return the id of a fill: the venue's may be shared by both orders of a match (protocol, 12.3)."""
    return _fitting(f"{order_id}-{venue_trade_id}")


def inferred_trade_id(venue_order_id: str, cum_qty: Decimal) -> str:
    """Return the id of a fill made up for the order's filled quantity (base units) of `cum_qty`."""
    return _fitting(f"{venue_order_id}-agg-{plain(cum_qty)}")


def _fitting(text: str) -> str:
    return text if len(text) <= _TRADE_ID_CHARS else hashlib.sha256(text.encode()).hexdigest()[:32]


class Terms(Struct):
    """What is remembered of an order, because not every message repeats it.

    Parameters
    ----------
    side : OrderSide, optional
        Side.
    price, quantity : Decimal, optional
        The furthest seen: an order can only be amended to more, a buy only up and a sell only down, so anything else
        is old (protocol, 7.4).
    expire_ns : int
        UNIX ns of a GTD order, 0 if none.
    by_amount : bool
        It spends an amount of quote currency: its quantity is no term.
    own : bool
        Sent by us, so `by_amount` is certain.
    algorithm_id : int, optional
        How it is worked.
    """

    side: OrderSide | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    expire_ns: int = 0
    by_amount: bool = False
    own: bool = False
    algorithm_id: int | None = None


class OrderCodec:
    """Reads orders and fills of one account."""

    def __init__(self) -> None:
        self._terms: dict[int, Terms] = {}
        self._expected: dict[str, Terms] = {}
        self._by_feed: dict[int, dict[int, Trade]] = {}
        #: Statuses that no page knows, and how often each was told; logged once each.
        self.unknown_statuses: Counter[str] = Counter()

    def expect(self, client_order_id: str, terms: Terms) -> None:
        """Note the terms of an order about to be sent: its first message may lack them."""
        _keep(self._expected, client_order_id, terms)

    def recall(self, order: NewOrder, venue_order_id: str | None) -> None:
        """Note the terms of an order of ours, unless they are known: it may be one of an earlier run."""
        order_id = int(venue_order_id) if venue_order_id is not None and venue_order_id.isdecimal() else None
        known = self._terms.get(order_id) if order_id is not None else self._expected.get(order.client_order_id)
        if known is None:
            known = Terms(
                price=order.price,
                quantity=None if order.quote_quantity else order.quantity,
                algorithm_id=Algorithm.MARKET if order.type is OrderType.MARKET else None,
            )
            if order_id is None:
                self.expect(order.client_order_id, known)
            else:
                _keep(self._terms, order_id, known)
        if not known.own:
            known.own, known.side, known.by_amount = True, order.side, order.quote_quantity
            known.expire_ns = known.expire_ns or order.expire_time_ns // _NS_PER_MS * _NS_PER_MS

    def terms(self, venue_order_id: str) -> Terms | None:
        """Return what is remembered of an order."""
        return self._terms.get(int(venue_order_id)) if venue_order_id.isdecimal() else None

    def update(self, order: Order, source: Source, frame_ts: int = 0) -> OrderUpdate:
        """Say what `order` tells.

        Parameters
        ----------
        order : Order
            As decoded.
        source : Source
            Where it came from.
        frame_ts : int
            UNIX ns of the frame around it, 0 for REST.

        Returns
        -------
        OrderUpdate
            Without a status if the venue's is not known; what it says of fills is true all the same.

        Raises
        ------
        ValueError
            If a number or an id is none.
        """
        check_sane(order.price, order.quantity, order.filled, order.filled_amount, order.vwap, order.fees, order.amount)
        for name, number in (("filled", order.filled), ("quantity", order.quantity), ("price", order.price)):
            if number is not None and number < 0:
                raise ValueError(f"{name} {number} of order {order.id} is negative")
        client_order_id = order.client_order_id or order.user_tx_id or None
        if client_order_id is not None:
            check_id("client_order_id", client_order_id)
        terms = self._remember(order, client_order_id)
        told_ns = parse_iso(order.dateupdated)
        status = self._status(order, terms, told_ns + _NS_PER_SEC if told_ns else frame_ts)
        has_ended = status in END_STATUSES
        quantity = terms.quantity
        if terms.by_amount:
            # Only in the end is it known how much the amount has bought.
            quantity = (order.filled or None) if has_ended else None
        return OrderUpdate(
            source=source,
            venue_order_id=str(order.id),
            refs=(order_ref(client_order_id),) if client_order_id is not None else (),
            status=status,
            symbol=check_id("pair", order.pair).upper() if order.pair else None,
            side=terms.side,
            type=type_of(terms.algorithm_id, has_price=terms.price is not None),
            time_in_force=time_in_force_of(order.time_in_force),
            quantity=quantity,
            price=terms.price,
            expire_time_ns=terms.expire_ns,
            filled_qty=order.filled,
            avg_px=order.vwap or None,
            filled_notional=_notional(order),
            fees=order.fees,
            # A date of REST would make all that the feed told in the same second look newer; an end is final anyway.
            ts_event=frame_ts or (told_ns if has_ended else 0),
            ts_accepted=parse_iso(order.date_added),
        )

    def note(self, trades: Iterable[Trade]) -> None:
        """Remember fills that the feed told of (see `told_by_feed`)."""
        for trade in trades:
            if trade.order_id not in self._by_feed:
                _keep(self._by_feed, trade.order_id, {})
            self._by_feed[trade.order_id][trade.trade_id] = trade

    def told_by_feed(self, order_id: int) -> Mapping[int, Trade]:
        """Return the fills of an order that the feed told of in this run, by the venue's trade id."""
        return self._by_feed.get(order_id, {})

    def fills(self, trades: Iterable[Trade]) -> list[OrderUpdate]:
        """Return one update for each order that `trades` are of, with its fills in the order they happened.

        Raises
        ------
        ValueError
            If a number or an id is none.
        """
        by_order: dict[int, list[Trade]] = {}
        for trade in trades:
            by_order.setdefault(trade.order_id, []).append(trade)
        updates = []
        for order_id, rows in by_order.items():
            rows.sort(key=lambda row: (row.date_updated or "", row.trade_id))
            fills = tuple(map(_fill, rows))
            pair = rows[0].currency_pair
            updates.append(
                OrderUpdate(
                    source=Source.TRADES,
                    venue_order_id=str(order_id),
                    symbol=pair.upper() if pair else None,
                    side=side_of(rows[0].action or ""),
                    fills=fills,
                    ts_event=fills[-1].ts_event,
                )
            )
        return updates

    def _remember(self, order: Order, client_order_id: str | None) -> Terms:
        terms = self._terms.get(order.id)
        if terms is None:
            expected = self._expected.pop(client_order_id, None) if client_order_id is not None else None
            terms = structs.replace(expected) if expected is not None else Terms()
            _keep(self._terms, order.id, terms)
        action = order.action or order.o_action
        if terms.side is None and action:
            terms.side = side_of(action)
        if order.algorithm_id is not None:
            terms.algorithm_id = order.algorithm_id
        terms.expire_ns = _expiry(order.expires) or terms.expire_ns
        if not terms.own:
            terms.by_amount = _is_by_amount(order, terms)
        if order.quantity:
            terms.quantity = max(order.quantity, terms.quantity or order.quantity)
        if order.price:
            further = min if terms.side is OrderSide.SELL else max
            terms.price = further(order.price, terms.price or order.price)
        return terms

    def _status(self, order: Order, terms: Terms, at_most_ns: int) -> VenueStatus | None:
        """Return what the order's status means; `at_most_ns` is the latest it can have come to it, 0 if not known."""
        word = WireStatus.of(order.status or "") or STATUS_CODES.get(order.status_code or 0)
        if word is None:
            if order.status:
                self.unknown_statuses[order.status] += 1
                if self.unknown_statuses[order.status] == 1:
                    _log.warning(
                        "%s: received order %d with status %.40r, expected one of protocol 6; asking for the order",
                        VENUE,
                        order.id,
                        order.status,
                    )
            return None
        status = venue_status(word)
        if status is VenueStatus.CANCELED and 0 < terms.expire_ns <= at_most_ns:
            return VenueStatus.EXPIRED
        if word is WireStatus.FILLED and not terms.by_amount and order.filled is not None:
            # An older page of the venue called a part-filled order so (protocol, 6).
            total = order.quantity or terms.quantity
            if total is not None and order.filled < total:
                return VenueStatus.WORKING
        return status


def _is_by_amount(order: Order, terms: Terms) -> bool:
    """Judge whether an order entered elsewhere spends an amount; messages are subsets, so what was known stands."""
    if order.amount is not None:
        return order.amount > 0
    # A subset that does not name the amount: market buys are by amount.
    return terms.by_amount or (terms.algorithm_id == Algorithm.MARKET and terms.side is OrderSide.BUY)


def _notional(order: Order) -> Decimal | None:
    """Return the quote amount filled, None where the average price tells it more exactly.

    Both have eight decimals, so the average over less than one unit is the more exact one, if the two agree.
    """
    amount, filled, average = order.filled_amount or None, order.filled, order.vwap
    if amount is not None and average and filled and filled < 1 and abs(average * filled - amount) <= _STEP:
        return None
    return amount


def _keep[K, V](kept: dict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > _KEPT:
        del kept[next(iter(kept))]


def _expiry(expires: str | int | None) -> int:
    """Return UNIX ns: requests have milliseconds, answers dates (protocol, 4)."""
    if isinstance(expires, int):
        return expires * _NS_PER_MS
    if expires and expires.isdecimal():
        return int(expires) * _NS_PER_MS
    return parse_iso(expires)


def check_trade(trade: Trade) -> None:
    """Check the numbers and names of a fill.

    Raises
    ------
    ValueError
        If one is none.
    """
    check_sane(trade.quantity, trade.price, trade.fees)
    if trade.quantity <= 0 or trade.price <= 0:
        raise ValueError(f"trade {trade.trade_id} of {trade.quantity} at {trade.price}: both must be positive")
    if trade.currency_pair:
        check_id("currency_pair", trade.currency_pair)


def _fill(trade: Trade) -> Fill:
    check_trade(trade)
    return Fill(
        trade_id=trade_id(trade.order_id, trade.trade_id),
        last_qty=trade.quantity,
        last_px=trade.price,
        commission=trade.fees,
        ts_event=parse_iso(trade.date_updated),
        venue_trade_id=str(trade.trade_id),
    )
