"""What a strategy asks of a venue, and how asking ends.

A command ends in exactly one of three ways (design, "Outcomes"): the venue `Accepted` it, the venue `Refused`
it with a reason, or the outcome is `Unknown`. Only definite evidence from the venue makes a `Refused`.
"""

from decimal import Decimal
from typing import Any

from msgspec import Struct

from nautilus_orderfeeds.orders.words import (
    ContingencyType,
    OrderSide,
    OrderType,
    TimeInForce,
    TriggerType,
)


class NewOrder(Struct, frozen=True, kw_only=True):
    """One order as the strategy wants it.

    Parameters
    ----------
    client_order_id : str
        The framework's client order id.
    symbol : str
        The instrument's symbol in the framework (venue symbol in upper case).
    side, type, time_in_force : OrderSide, OrderType, TimeInForce
        What to do.
    quantity : Decimal
        Base units, or quote units if `quote_quantity`.
    price, trigger_price : Decimal, optional
        Quote per base.
    trigger_type : TriggerType
        Price that triggers a conditional order.
    expire_time_ns : int
        UNIX ns; 0 if none.
    post_only, reduce_only, quote_quantity : bool
        Execution instructions.
    display_qty : Decimal, optional
        Visible part of an iceberg, base units.
    contingency_type : ContingencyType
        Dependence on `linked_order_ids`.
    order_list_id, parent_order_id : str, optional
        The list the order belongs to, and the order whose fill activates it.
    linked_order_ids : tuple[str, ...]
        Client order ids of the contingent orders.
    strategy_id : str
        Whose order it is.
    params : dict[str, Any]
        Venue extras of the command. An unknown key is denied, never ignored.
    reference_price : Decimal, optional
        Best opposite price the data side knows (venues that price market orders need one).
    """

    client_order_id: str
    symbol: str
    side: OrderSide
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_type: TriggerType = TriggerType.NO_TRIGGER
    expire_time_ns: int = 0
    post_only: bool = False
    reduce_only: bool = False
    quote_quantity: bool = False
    display_qty: Decimal | None = None
    contingency_type: ContingencyType = ContingencyType.NO_CONTINGENCY
    order_list_id: str | None = None
    parent_order_id: str | None = None
    linked_order_ids: tuple[str, ...] = ()
    strategy_id: str = ""
    params: dict[str, Any] = {}
    reference_price: Decimal | None = None


class OrderRef(Struct, frozen=True, kw_only=True):
    """Everything that may name one order at the venue.

    Parameters
    ----------
    client_order_id : str
        The framework's id.
    symbol : str
        The instrument's symbol.
    venue_order_id : str, optional
        The venue's id, None as long as it is not known.
    refs : tuple[str, ...]
        Keys chosen by us before sending which the venue echoes (client id on the wire, nonce ...).
    side : OrderSide, optional
        Side of the order.
    terms : NewOrder, optional
        As submitted, for venues where an order is found by nothing else.
    created_ns : int
        Before it was sent, UNIX ns; 0 if not known.
    """

    client_order_id: str
    symbol: str
    venue_order_id: str | None = None
    refs: tuple[str, ...] = ()
    side: OrderSide | None = None
    terms: NewOrder | None = None
    created_ns: int = 0


class Amend(Struct, frozen=True, kw_only=True):
    """Change of a live order: `None` leaves a field as it is, `quantity` is the new order total (base units)."""

    ref: OrderRef
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    params: dict[str, Any] = {}


class Accepted(Struct, frozen=True):
    """The venue took the command. What became of the order is told by updates, not by this."""

    venue_order_id: str | None = None
    detail: Any = None


class Refused(Struct, frozen=True):
    """The venue definitely refused the command: nothing took effect."""

    reason: str
    due_post_only: bool = False


class Unknown(Struct, frozen=True):
    """No definite evidence either way; the order stays in flight until the stream or a query tells."""

    reason: str


Outcome = Accepted | Refused | Unknown


class Denied(Exception):
    """The order cannot be sent to this venue; nothing was sent.

    Parameters
    ----------
    reason : str
        What the venue does not support or accept, in words a strategy's author understands.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
