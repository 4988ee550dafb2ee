"""What the simulated ActTrader writes: order objects, answers and errors of both dialects (protocol 5, 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

import msgspec

from nautilus_orderfeeds.sim.connection import encode_json
from nautilus_orderfeeds.sim.model import ZERO, EndReason, Fill, OrderState, SimOrder
from nautilus_orderfeeds.venues.acttrader.twin_fields import ErrorName, Refused, format_time
from nautilus_orderfeeds.venues.acttrader.twin_options import (
    ActTraderTwinOptions,
    FillsShown,
    NoLimitPrice,
    OcoIds,
    TimeForm,
)
from nautilus_orderfeeds.venues.acttrader.twin_request import Lifetime, OrderType

Pairs = list[tuple[str, object]]


class Shape(Enum):
    """Where an order object stands: in a row of `orders`, in an `orderstatus` answer, or in an `execution`."""

    ROW = "orders"
    STATUS = "orderstatus"
    EXECUTION = "execution"


@dataclass(frozen=True, slots=True)
class OrderView:
    """
    An order at one moment.

    `fills` are all fills up to then (of a list that only grows, `count` of it), `told` of them were told by
    executions before.
    """

    order: SimOrder
    state: OrderState
    end_reason: EndReason
    detail: str
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    till_ns: int
    client_order_id: str
    updated_ns: int
    all_fills: Sequence[Fill]
    count: int
    told: int

    @property
    def fills(self) -> Sequence[Fill]:
        """Every fill so far."""
        return self.all_fills[: self.count]

    @property
    def filled(self) -> Decimal:
        """What is filled so far, base units."""
        return self.all_fills[self.count - 1].filled_after if self.count else ZERO


def type_of(order: SimOrder) -> OrderType:
    """The wire's `type` of an order."""
    kind = order.info["type"]
    assert isinstance(kind, OrderType)
    return kind


def lifetime_of(order: SimOrder) -> Lifetime:
    """The wire's `timeInForce` of an order."""
    lifetime = order.info["lifetime"]
    assert isinstance(lifetime, Lifetime)
    return lifetime


def number(value: Decimal) -> msgspec.Raw:
    """A JSON number in plain form, every digit of it but zeros at the end of a fraction."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return msgspec.Raw(text.encode())


def json_object(pairs: Pairs) -> msgspec.Raw:
    """A JSON object with its keys in this sequence; a key may stand there twice, as in the draft's samples."""
    return msgspec.Raw(b"{" + b",".join(encode_json(key) + b":" + encode_json(value) for key, value in pairs) + b"}")


class Wire:
    """Writes what the options ask for."""

    def __init__(self, options: ActTraderTwinOptions) -> None:
        self._options = options

    # -- order objects --------------------------------------------------------------------------------------

    def status(self, view: OrderView) -> str:
        """The wire's `status` (4)."""
        options = self._options
        match view.state:
            case OrderState.PENDING | OrderState.WAITING | OrderState.WORKING:
                return options.partial_status.value if view.filled else "NEW"
            case OrderState.FILLED:
                return "FILLED"
            case OrderState.EXPIRED:
                return options.expiry_status.value
            case OrderState.REJECTED:
                return "REJECTED"
            case OrderState.CANCELED:
                if view.end_reason is EndReason.LINKED_ORDER:
                    return options.oco_status.value
                unfilled = view.end_reason in (EndReason.IOC, EndReason.FOK, EndReason.NO_LIQUIDITY)
                return options.unfilled_status.value if unfilled and not view.filled else "CANCELED"

    def order(self, view: OrderView, shape: Shape) -> msgspec.Raw:
        """An order object (6)."""
        options, order = self._options, view.order
        kind = type_of(order)
        pairs: Pairs = [
            ("symbol", order.product),
            ("type", kind.value),
            ("side", order.side.value),
            ("orderId", int(order.venue_order_id)),
            ("clientOrderId", self._client_order_id(view)),
        ]
        if options.is_draft or shape is not Shape.ROW:
            pairs.append(("transactTime", self._transact_time(view.updated_ns)))
        pairs += self._prices(view, kind, shape)
        pairs.append(("origQty", number(view.quantity)))
        pairs.append(("executedQty", number(self._executed(view, shape))))
        if options.is_draft and shape is Shape.ROW and options.cummulative_quote_qty and view.filled:
            pairs.append(("cummulativeQuoteQty", number(view.fills[-1].notional_after)))
        pairs.append(("status", self.status(view)))
        pairs.append(("timeInForce", lifetime_of(order).value))
        if options.double_type:
            pairs.append(("type", kind.value))
        if not options.is_draft and view.till_ns:
            pairs.append(("tillTime", format_time(view.till_ns)))
        if shape is Shape.EXECUTION and options.reasons and (reason := self._reason(view)):
            pairs.append(("reason", reason))
        fills = self._fills(view, shape)
        if fills is not None:
            pairs.append(("fills", [{"price": number(f.price), "qty": number(f.size)} for f in fills]))
        return json_object(pairs)

    def execution(self, view: OrderView) -> dict[str, object]:
        """The whole message (5.7)."""
        return {"event": "execution", "payload": self.order(view, Shape.EXECUTION)}

    def _client_order_id(self, view: OrderView) -> str:
        if self._options.oco_ids is OcoIds.SAME_EVERYWHERE and view.order.linked is not None:
            return view.order.linked.orders[0].client_order_id
        return view.client_order_id

    def _transact_time(self, time_ns: int) -> object:
        match self._options.transact_time:
            case TimeForm.INT_MS:
                return time_ns // 1_000_000
            case _:
                return format_time(time_ns)

    def _prices(self, view: OrderView, kind: OrderType, shape: Shape) -> Pairs:
        pairs: Pairs = []
        if kind.has_price:
            assert view.price is not None
            pairs.append(("price", number(view.price)))
        elif self._options.is_draft:
            match self._options.no_limit_price:
                case NoLimitPrice.ZERO:
                    pairs.append(("price", number(ZERO)))
                case NoLimitPrice.LAST_FILL:
                    pairs.append(("price", number(view.fills[-1].price if view.count else ZERO)))
                case NoLimitPrice.ABSENT:
                    pass
        if not self._options.is_draft and shape is Shape.ROW and view.stop_price is not None:
            pairs.append(("stopPrice", number(view.stop_price)))
        return pairs

    def _executed(self, view: OrderView, shape: Shape) -> Decimal:
        if shape is Shape.ROW:
            status = self.status(view)
            looks_filled = (status == "NEW" and self._options.orders_new_look_filled) or (
                status == "CANCELED" and self._options.orders_canceled_look_filled
            )
            if looks_filled:
                return view.quantity
        return view.filled

    def _fills(self, view: OrderView, shape: Shape) -> Sequence[Fill] | None:
        match shape:
            case Shape.ROW:
                return None
            case Shape.STATUS:
                return view.fills if self._options.status_fills else None
            case Shape.EXECUTION:
                match self._options.execution_fills:
                    case FillsShown.CUMULATIVE:
                        return view.fills or None
                    case FillsShown.INCREMENTAL:
                        return view.fills[view.told :] or None
                    case _:
                        return None

    def _reason(self, view: OrderView) -> str:
        match view.end_reason:
            case EndReason.USER:
                return "USER"
            case EndReason.LINKED_ORDER:
                return "OCO_CONDITION"
            case EndReason.EXPIRED:
                return self._options.expiry_reason
            case EndReason.REFUSED:
                return view.detail
            case _:
                return ""

    # -- answers --------------------------------------------------------------------------------------------

    def accepted(self, order: SimOrder, status: str) -> dict[str, object]:
        """The answer to `newordersingle` (5.1)."""
        answer: dict[str, object] = {"orderId": int(order.venue_order_id), "status": status}
        if self._options.answer_details:
            answer["clientOrderId"] = order.client_order_id
            answer["type"] = type_of(order).value
            answer["login"] = self.login(order.account)
        return answer

    def oco_accepted(self, legs: Sequence[SimOrder], status: str) -> list[dict[str, object]]:
        """The answer to `neworderoco` (5.3): always with clientOrderId and type."""
        rows: list[dict[str, object]] = []
        for leg in legs:
            named = leg if self._options.oco_ids is OcoIds.OWN else legs[0]
            row: dict[str, object] = {
                "orderId": int(leg.venue_order_id),
                "clientOrderId": named.client_order_id,
                "status": status,
                "type": type_of(leg).value,
            }
            if self._options.answer_details:
                row["login"] = self.login(leg.account)
            rows.append(row)
        return rows

    def modified(self, order: SimOrder, asked: frozenset[str]) -> dict[str, object]:
        """The payload of the answer to `modifyordersingle` (5.2)."""
        values: dict[str, object] = {
            "price": number(order.price) if order.price is not None else None,
            "stopPrice": number(order.trigger.price) if order.trigger is not None else None,
            "quantity": number(order.quantity),
            "tillTime": format_time(order.expire_ns) if order.expire_ns is not None else None,
        }
        shown = {
            name: value
            for name, value in values.items()
            if value is not None and (self._options.modify_echo_all or name in asked)
        }
        return {"orderId": int(order.venue_order_id), "clientOrderId": order.client_order_id, **shown}

    def canceled(self, order: SimOrder) -> dict[str, object]:
        """The payload of the answer to `ordercancel` (5.6)."""
        return {
            "orderId": int(order.venue_order_id),
            "clientOrderId": order.client_order_id,
            "status": "CANCELED",
            "reason": "USER",
        }

    def login(self, account: str) -> str | int:
        """A login in the dialect's own type."""
        return account if self._options.is_draft else int(account)

    # -- errors ---------------------------------------------------------------------------------------------

    def error(self, event: str, request_id: str | None, refused: Refused) -> dict[str, object]:
        """The `error` message (5.8)."""
        options = self._options
        payload: dict[str, object] = {}
        if options.error_event:
            payload["event"] = "" if options.error_event_empty else event
        is_named = refused.name in (ErrorName.ORDER_NOT_EXISTS, ErrorName.ORDER_ALREADY_CLOSED)
        if not is_named or options.named_error_codes:
            payload["code"] = refused.name.value
        # The draft's page has no names: its texts are free.
        payload["error"] = refused.name.name if is_named and not options.is_draft else refused.text
        message: dict[str, object] = {"event": "error", "payload": payload}
        if request_id is not None:
            message["requestId"] = request_id
        return message
