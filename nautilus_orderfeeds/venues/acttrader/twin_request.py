"""Reading the client's requests strictly in one dialect (protocol 5.1 to 5.6); anything else is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from nautilus_orderfeeds.sim.model import Side
from nautilus_orderfeeds.venues.acttrader.twin_fields import ErrorName, Fields, Refused
from nautilus_orderfeeds.venues.acttrader.twin_options import ActTraderTwinOptions


class OrderType(Enum):
    """The wire's `type`."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"

    @property
    def has_price(self) -> bool:
        """Whether it has a limit price."""
        return self in (OrderType.LIMIT, OrderType.STOP_LIMIT)

    @property
    def has_stop(self) -> bool:
        """Whether it waits for a stop price."""
        return self in (OrderType.STOP, OrderType.STOP_LIMIT)


class Lifetime(Enum):
    """The wire's `timeInForce`, both dialects."""

    GTC = "GTC"
    GTT = "GTT"
    AON = "AON"
    FOK = "FOK"
    IOC = "IOC"
    TPI = "TPI"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """One order; `till_ns` 0 without an end, `quantity` in base units."""

    login: str
    symbol: str
    side: Side
    type: OrderType
    lifetime: Lifetime
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    till_ns: int
    client_order_id: str


@dataclass(frozen=True, slots=True)
class NewOco:
    """Two orders that share everything but type, prices and clientOrderId."""

    legs: tuple[NewOrder, NewOrder]


@dataclass(frozen=True, slots=True)
class OrderKey:
    """How an order is named: by orderId (0 for none), or by clientOrderId."""

    order_id: int
    client_order_id: str


@dataclass(frozen=True, slots=True)
class Modify:
    """New values, `None` for those that stay; `till_ns` 0 takes the end away. `asked` are the wire's names."""

    key: OrderKey
    asked: frozenset[str]
    price: Decimal | None
    stop_price: Decimal | None
    quantity: Decimal | None
    till_ns: int | None
    new_client_order_id: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """The end of one order."""

    key: OrderKey


@dataclass(frozen=True, slots=True)
class Status:
    """A question for one order."""

    key: OrderKey


@dataclass(frozen=True, slots=True)
class ListOrders:
    """A question for pending orders, and with `from_ns` for those that ended since."""

    from_ns: int | None


Request = NewOrder | NewOco | Modify | Cancel | Status | ListOrders


def read_request(body: dict[str, Any], options: ActTraderTwinOptions) -> Request:
    """
    Read a client message.

    Raises
    ------
    Refused
        For anything that the dialect does not describe.
    """
    envelope = Fields(body, "the message", ("event", "requestId", "payload"))
    envelope.text("requestId")
    event = envelope.text("event")
    if event == "orders":
        return _list(envelope, options)
    try:
        read = _READERS[event]
    except KeyError:
        raise Refused(f"unknown event {event}") from None
    return read(envelope.raw("payload"), options)


# -- new orders ------------------------------------------------------------------------------------------------


def _new(payload: object, options: ActTraderTwinOptions) -> NewOrder:
    common = ("symbol", "side", "type", "price", "stopPrice", "quantity", "clientOrderId", "timeInForce", "login")
    till_key = "timeInForceDate" if options.is_draft else "tillTime"
    own = (till_key,) if options.is_draft else (till_key, "note")
    fields = Fields(payload, "payload", (*common, *own))
    kind = fields.choice("type", OrderType)
    lifetime = _lifetime(fields, kind, options)
    till_ns = fields.time_ns(till_key)
    if options.is_draft and lifetime is Lifetime.GTT and till_ns is None:
        raise Refused("timeInForceDate is mandatory for GTT")
    if options.is_draft and lifetime is not Lifetime.GTT and till_key in fields:
        raise Refused(f"timeInForceDate is not supported for {lifetime.value}")
    return _leg(fields, fields, kind, lifetime, till_ns, options)


def _oco(payload: object, options: ActTraderTwinOptions) -> NewOco:
    till_key = "lifeTime" if options.is_draft else "tillTime"
    shared = Fields(payload, "payload", ("login", till_key, "symbol", "side", "timeInForce", "quantity", "orders"))
    lifetime = shared.choice("timeInForce", (Lifetime.AON,))
    till_ns = shared.time_ns(till_key)
    rows = shared.raw("orders")
    if not isinstance(rows, list) or len(rows) != 2:
        raise Refused("orders must be a list of two orders")
    own = () if options.is_draft else ("note",)
    legs = []
    for row in rows:
        fields = Fields(row, "orders", ("type", "price", "stopPrice", "clientOrderId", *own))
        kind = fields.choice("type", (OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT))
        legs.append(_leg(shared, fields, kind, lifetime, till_ns, options))
    return NewOco((legs[0], legs[1]))


def _leg(
    shared: Fields,
    own: Fields,
    kind: OrderType,
    lifetime: Lifetime,
    till_ns: int | None,
    options: ActTraderTwinOptions,
) -> NewOrder:
    own.text("note", "")
    return NewOrder(
        login=shared.text("login") if options.is_draft else str(shared.long("login")),
        symbol=shared.text("symbol"),
        side=shared.choice("side", Side),
        type=kind,
        lifetime=lifetime,
        quantity=shared.decimal("quantity"),
        price=_price(own, "price", kind, kind.has_price, options),
        stop_price=_price(own, "stopPrice", kind, kind.has_stop, options),
        till_ns=till_ns or 0,
        client_order_id=own.text("clientOrderId", ""),
    )


def _price(fields: Fields, name: str, kind: OrderType, wanted: bool, options: ActTraderTwinOptions) -> Decimal | None:
    if wanted:
        if name not in fields:
            raise Refused(f"{name} is mandatory for {kind.value}")
        return fields.decimal(name)
    if fields.optional_decimal(name) is not None and options.strict_prices:
        raise Refused(f"{name} is not supported for {kind.value}")
    return None


def _lifetime(fields: Fields, kind: OrderType, options: ActTraderTwinOptions) -> Lifetime:
    if options.is_draft:
        draft = (Lifetime.GTT, Lifetime.AON, Lifetime.GTC) if options.draft_gtc else (Lifetime.GTT, Lifetime.AON)
        return fields.choice("timeInForce", draft)
    lifetime = fields.choice("timeInForce", (Lifetime.AON, Lifetime.FOK, Lifetime.IOC, Lifetime.TPI))
    if lifetime is Lifetime.TPI and not (options.accept_tpi and kind is OrderType.LIMIT):
        raise Refused(f"timeInForce TPI is not supported for {kind.value}", ErrorName.NOT_ALLOWED)
    return lifetime


# -- what names an order ---------------------------------------------------------------------------------------

_KEY_FIELDS = ("orderId", "clientOrderId")


def _key(fields: Fields, options: ActTraderTwinOptions) -> OrderKey:
    if options.is_draft:
        return OrderKey(fields.long("orderId"), "")
    client_order_id = fields.text("clientOrderId", "")
    if "orderId" not in fields and client_order_id:
        return OrderKey(0, client_order_id)
    return OrderKey(fields.long("orderId"), client_order_id)


def _modify(payload: object, options: ActTraderTwinOptions) -> Modify:
    changes: tuple[str, ...] = ("price", "stopPrice", "quantity")
    if options.is_draft:
        fields = Fields(payload, "payload", ("orderId", *changes))
    else:
        changes = (*changes, "tillTime", "clientOrderIdValue", "note")
        fields = Fields(payload, "payload", (*_KEY_FIELDS, *changes))
    fields.text("note", "")
    asked = frozenset(fields.names().intersection(changes))
    if not asked:
        raise Refused("nothing to modify")
    return Modify(
        key=_key(fields, options),
        asked=asked,
        price=fields.optional_decimal("price"),
        stop_price=fields.optional_decimal("stopPrice"),
        quantity=fields.optional_decimal("quantity"),
        till_ns=fields.time_ns("tillTime", may_be_empty=True),
        new_client_order_id=fields.text("clientOrderIdValue", ""),
    )


def _cancel(payload: object, options: ActTraderTwinOptions) -> Cancel:
    fields = Fields(payload, "payload", ("orderId",) if options.is_draft else (*_KEY_FIELDS, "note"))
    fields.text("note", "")
    return Cancel(_key(fields, options))


def _status(payload: object, options: ActTraderTwinOptions) -> Status:
    return Status(_key(Fields(payload, "payload", ("orderId",) if options.is_draft else _KEY_FIELDS), options))


def _list(envelope: Fields, options: ActTraderTwinOptions) -> ListOrders:
    if options.is_draft:
        if "payload" in envelope:
            raise Refused("orders has no payload")
        return ListOrders(None)
    if "payload" not in envelope and not options.from_time_mandatory:
        return ListOrders(None)
    fields = Fields(envelope.raw("payload"), "payload", ("fromTime",))
    if options.from_time_mandatory:
        fields.text("fromTime")
    return ListOrders(fields.time_ns("fromTime"))


_READERS: dict[str, Callable[[object, ActTraderTwinOptions], Request]] = {
    "newordersingle": _new,
    "neworderoco": _oco,
    "modifyordersingle": _modify,
    "ordercancel": _cancel,
    "orderstatus": _status,
}
