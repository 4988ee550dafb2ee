"""Writing requests in one dialect (protocol, 5.1 to 5.6 and 11.1), and refusing what the dialect cannot say."""

from collections.abc import Sequence
from decimal import Decimal

from nautilus_orderfeeds.orders.requests import Amend, Denied, NewOrder, OrderRef
from nautilus_orderfeeds.orders.words import ContingencyType, OrderType, TimeInForce
from nautilus_orderfeeds.venues.acttrader import wire
from nautilus_orderfeeds.venues.acttrader.capabilities import AON, NOTE, TIME_IN_FORCE
from nautilus_orderfeeds.venues.acttrader.codec import Seen
from nautilus_orderfeeds.venues.acttrader.identity import leg_text
from nautilus_orderfeeds.venues.acttrader.settings import ActTraderSettings
from nautilus_orderfeeds.venues.acttrader.times import iso_ms
from nautilus_orderfeeds.venues.acttrader.words import (
    PRICED,
    STOPPED,
    VENUE,
    Dialect,
    WireForce,
    WireType,
    wire_side,
    wire_type,
)

_OPT_IN = (
    "which makes it all-or-none: allow that with the config field `aon_for_gtc`, or for this order with params "
    '{"aon": true}'
)


class RequestWriter:
    """Writes the payloads of one login's requests.

    Parameters
    ----------
    settings : ActTraderSettings
        Dialect, login and opt-ins.
    """

    def __init__(self, settings: ActTraderSettings) -> None:
        self._settings = settings
        self._is_draft = settings.dialect is Dialect.DRAFT

    def single(self, order: NewOrder, raw_symbol: str) -> wire.NewSingle:
        """Write a `newordersingle`; raises `Denied`."""
        expires = self._expiry(order)
        return wire.NewSingle(
            symbol=raw_symbol,
            side=wire_side(order.side),
            type=_type(order),
            price=_price(order),
            stop_price=_stop_price(order),
            quantity=wire.number(order.quantity),
            client_order_id=order.client_order_id,
            time_in_force=self.force(order),
            time_in_force_date=expires if self._is_draft else None,
            till_time=None if self._is_draft else expires,
            login=self._settings.wire_login,
            note=self._note(order),
        )

    def pair(self, first: NewOrder, second: NewOrder, raw_symbol: str) -> wire.NewOco:
        """Write a `neworderoco` of two orders that `check_pair` has passed; raises `Denied`."""
        expires = self._expiry(first)
        return wire.NewOco(
            login=self._settings.wire_login,
            life_time=expires if self._is_draft else None,
            till_time=None if self._is_draft else expires,
            symbol=raw_symbol,
            side=wire_side(first.side),
            time_in_force=self.force(first),
            quantity=wire.number(first.quantity),
            orders=[self.leg(first), self.leg(second)],
        )

    def leg(self, order: NewOrder) -> wire.OcoLeg:
        """Write one order of an OCO pair; raises `Denied`."""
        if order.type is OrderType.MARKET:
            raise Denied("a MARKET order makes no sense in an OCO pair")
        return wire.OcoLeg(
            type=_type(order),
            price=_price(order),
            stop_price=_stop_price(order),
            client_order_id=order.client_order_id,
            note=self._note(order),
        )

    def amend(self, amend: Amend, seen: Seen | None) -> wire.Modify:
        """Write a `modifyordersingle`.

        Parameters
        ----------
        amend : Amend
            The change.
        seen : Seen, optional
            What is remembered of the order.

        Raises
        ------
        Denied
            If the venue cannot do it, or what it would do is not known.
        """
        if amend.params:
            raise Denied(f"unknown param {next(iter(amend.params))!r} for a modification at {VENUE} (known: none)")
        type_ = None if seen is None else seen.type
        if type_ is OrderType.MARKET:
            raise Denied(f"{VENUE} cannot modify a MARKET order")
        if amend.price is not None and type_ is not None and type_ not in PRICED:
            raise Denied(f"a {type_.name} order has no price to change")
        if amend.trigger_price is not None and type_ is not None and type_ not in STOPPED:
            raise Denied(f"a {type_.name} order has no trigger price to change")
        if amend.quantity is not None and seen is not None and seen.executed:
            raise Denied(
                f"whether {VENUE} takes the quantity of a modification for the new total or for what is left is not "
                "documented, and the order is partly filled: change its price only, or cancel it"
            )
        if amend.price is None and amend.trigger_price is None and amend.quantity is None:
            raise Denied("the modification changes nothing")
        for name, value in (("price", amend.price), ("trigger_price", amend.trigger_price)):
            if value is not None and value <= 0:
                raise Denied(f"{name} {value} is not positive")
        order_id, client_order_id = self._name(amend.ref)
        return wire.Modify(
            order_id=order_id,
            client_order_id=client_order_id,
            price=None if amend.price is None else wire.number(amend.price),
            stop_price=None if amend.trigger_price is None else wire.number(amend.trigger_price),
            quantity=None if amend.quantity is None else wire.number(amend.quantity),
        )

    def cancel(self, ref: OrderRef) -> wire.Named:
        """Write an `ordercancel`; raises `Denied` if the dialect has no name for the order yet."""
        order_id, client_order_id = self._name(ref)
        return wire.Named(order_id=order_id, client_order_id=client_order_id)

    def force(self, order: NewOrder) -> WireForce:
        """Return the time in force to send; raises `Denied`.

        AON stands in for resting orders where the dialect has no other word, but only if that was asked for.
        """
        asked = order.params.get(AON) is True or order.params.get(TIME_IN_FORCE) == WireForce.AON.value
        may_be = asked or (self._settings.aon_for_gtc and order.params.get(AON) is not False)
        rests = order.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)
        if asked and not rests:
            raise Denied(f"all-or-none excludes {order.time_in_force.name} at {VENUE}")
        if order.contingency_type is ContingencyType.OCO:
            if not rests:
                raise Denied(f"an OCO pair cannot be {order.time_in_force.name} at {VENUE}")
            if not may_be:
                raise Denied(f"{VENUE} documents OCO pairs with time in force AON only, {_OPT_IN}")
            return WireForce.AON
        return self._draft_force(order, asked=asked) if self._is_draft else self._final_force(order, may_be=may_be)

    def _draft_force(self, order: NewOrder, *, asked: bool) -> WireForce:
        match order.time_in_force:
            case TimeInForce.GTD if asked:
                raise Denied("the draft dialect says GTT to let an order expire, which excludes all-or-none")
            case TimeInForce.GTD:
                return WireForce.GTT
            case TimeInForce.GTC if asked:
                return WireForce.AON
            case TimeInForce.GTC if self._settings.draft_gtc:
                return WireForce.GTC
            case _:
                raise Denied(
                    f"the draft dialect has no {order.time_in_force.name} in requests"
                    + (" (config field `draft_gtc`)" if order.time_in_force is TimeInForce.GTC else "")
                )

    def _final_force(self, order: NewOrder, *, may_be: bool) -> WireForce:
        match order.time_in_force:
            case TimeInForce.IOC:
                return WireForce.IOC
            case TimeInForce.FOK:
                return WireForce.FOK
            case TimeInForce.GTC | TimeInForce.GTD if may_be or order.type is OrderType.MARKET:
                return WireForce.AON
            case TimeInForce.GTC | TimeInForce.GTD:
                raise Denied(f"the final dialect lets an order rest only as AON, {_OPT_IN}")
            case _:
                raise Denied(f"{VENUE} does not support time in force {order.time_in_force.name}")

    def _expiry(self, order: NewOrder) -> str | None:
        return iso_ms(order.expire_time_ns) if order.time_in_force is TimeInForce.GTD else None

    def _note(self, order: NewOrder) -> str | None:
        note: str | None = order.params.get(NOTE)
        if note is not None and self._is_draft:
            raise Denied(f"the draft dialect has no param {NOTE!r}")
        return note

    def _name(self, ref: OrderRef) -> tuple[int | str | None, str | None]:
        """Return order id and client order id, one of which names the order."""
        if ref.venue_order_id is not None:
            return wire.wire_id(ref.venue_order_id), None
        if self._is_draft:
            raise Denied(f"the venue's id of {ref.client_order_id} is not known yet, and the draft has no other name")
        return None, ref.client_order_id


def check_pair(orders: Sequence[NewOrder]) -> None:
    """Check that orders linked as OCO can go out as one pair (protocol, 5.3).

    Raises
    ------
    Denied
        Saying what the wire, where most terms are shared by both, cannot express.
    """
    if len(orders) != 2:
        raise Denied(f"an OCO list has exactly two orders at {VENUE}, not {len(orders)}")
    first, second = orders
    if {first.client_order_id} != set(second.linked_order_ids) or {second.client_order_id} != set(
        first.linked_order_ids
    ):
        raise Denied("the two orders of an OCO list must be linked to each other and to no other")
    for name, mine, theirs in (
        ("instrument", first.symbol, second.symbol),
        ("side", first.side.name, second.side.name),
        ("quantity", first.quantity, second.quantity),
        ("time in force", first.time_in_force.name, second.time_in_force.name),
        ("expire_time", first.expire_time_ns, second.expire_time_ns),
    ):
        if mine != theirs:
            raise Denied(f"the two orders of an OCO pair share one {name} at {VENUE}: they have {mine} and {theirs}")
    if leg_text(wire_type(first.type), first.price) == leg_text(wire_type(second.type), second.price):
        raise Denied(
            f"the two orders of an OCO pair must differ in type or price: {VENUE} may show one client order id on "
            "both, and they could not be told apart"
        )


def _type(order: NewOrder) -> WireType:
    type_ = wire_type(order.type)
    if type_ is None:
        raise Denied(f"{VENUE} does not support order type {order.type.name}")
    return type_


def _price(order: NewOrder) -> wire.Number | None:
    """Return the limit price; a price that the type has no use for is left out."""
    return _needed(order, "price", order.price) if order.type in PRICED else None


def _stop_price(order: NewOrder) -> wire.Number | None:
    return _needed(order, "trigger_price", order.trigger_price) if order.type in STOPPED else None


def _needed(order: NewOrder, name: str, value: Decimal | None) -> wire.Number:
    if value is None or value <= 0:
        raise Denied(f"a {order.type.name} order needs a positive {name}")
    return wire.number(value)
