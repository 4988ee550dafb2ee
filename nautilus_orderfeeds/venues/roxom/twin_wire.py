"""What orders of the simulated Roxom look like: the stream's event (protocol 5.3) and the REST order (4.4, 4.5)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from nautilus_orderfeeds.sim.model import SimOrder
from nautilus_orderfeeds.venues.roxom.twin_options import (
    ErrorFlag,
    EventForm,
    EventTime,
    FeesShown,
    RestForm,
    RestTime,
    RoxomTwinOptions,
)
from nautilus_orderfeeds.venues.roxom.twin_products import Unit, quantity_text
from nautilus_orderfeeds.venues.roxom.twin_words import (
    INST_TYPE,
    POSITION_IDS,
    Status,
    order_type,
    side_word,
    time_in_force_word,
)

_NS_PER_MS = 1_000_000
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OrderView:
    """
    An order at one moment.

    `filled` is in base units, `notional`, `fees`, `last_price` and `last_fee` are in BTC; `last_fee` is what the
    fills of the latest event cost that told of any. `tells_fill` says whether this very event does.
    """

    order: SimOrder
    status: Status
    filled: Decimal
    notional: Decimal
    fees: Decimal
    last_price: Decimal | None
    last_fee: Decimal
    tells_fill: bool
    reason: str | None
    updated_ns: int
    triggered_ns: int | None

    @property
    def is_open(self) -> bool:
        """Whether the order was open then."""
        return self.status in _OPEN or (self.status is Status.INACTIVE and self.order.is_open)


_OPEN = frozenset(
    (
        *(Status.PENDINGSUBMIT, Status.WAITINGTRIGGER, Status.SUBMITTED),
        *(Status.PARTIALLYFILLED, Status.PENDINGCANCEL),
    )
)


class Wire:
    """Writes orders, times and envelopes in the shape that the options ask for."""

    def __init__(self, options: RoxomTwinOptions) -> None:
        self._options = options

    # -- stream ---------------------------------------------------------------------------------------------

    def order_event(self, view: OrderView) -> dict[str, object]:
        """An order event with its envelope."""
        order, unit = view.order, Unit(self._options.event_unit)
        average = view.notional / view.filled if view.filled else _ZERO
        by_creation = self._options.event_time is EventTime.CREATED
        data: dict[str, object] = {
            "orderId": order.venue_order_id,
            "accountId": order.account,
            "symbol": order.product,
            "status": view.status.value,
            "remainingQty": quantity_text(order.quantity - view.filled),
            "executedQty": quantity_text(view.filled),
            "avgPx": unit.price(average),
        }
        if self._options.event_form is EventForm.G2:
            data |= self._g2_fields(view, unit)
        data["timestamp"] = order.created_ns if by_creation else view.updated_ns
        return {"type": "order", "data": data}

    def _g2_fields(self, view: OrderView, unit: Unit) -> dict[str, object]:
        order = view.order
        entry_id, exit_id = self._position_ids(order)
        cumulative = self._options.fees_shown is FeesShown.CUMULATIVE
        fees = view.fees if cumulative else view.last_fee
        blank = view.last_price is None and self._options.null_before_fill
        return {
            "fillPx": None if blank else unit.price(view.last_price or _ZERO),
            "filledFees": None if blank else unit.price(fees),
            "side": side_word(order.side),
            "orderType": order_type(order).value,
            "orderSize": quantity_text(order.quantity),
            "limitPrice": unit.price(order.price) if order_type(order).has_price and order.price else None,
            "clientOrderId": order.client_order_id or None,
            "entryPositionId": entry_id,
            "exitPositionId": exit_id,
            "reason": view.reason if self._options.reasons else None,
        }

    def _position_ids(self, order: SimOrder) -> tuple[str | None, str | None]:
        ids = order.info.get(POSITION_IDS)
        return ids if isinstance(ids, tuple) else (None, None)

    # -- REST -----------------------------------------------------------------------------------------------

    def success(self, data: object, *, has_flag: bool = True) -> dict[str, object]:
        """The envelope of a success; some documented samples have no `error` field."""
        match self._options.error_flag:
            case ErrorFlag.TRUE:
                return {"data": data, "error": True}
            case ErrorFlag.FALSE if has_flag:
                return {"data": data, "error": False}
            case _:
                return {"data": data}

    def rest_order(self, view: OrderView, unit: Unit, *, in_list: bool) -> dict[str, object]:
        """An order of a REST reply; the old list spells some fields otherwise than the old single order."""
        order = view.order
        is_old = self._options.rest_form is RestForm.G1
        kind, quantity, price = ("orderType", "quantity", "price") if is_old and in_list else ("type", "qty", "px")
        native = RestTime.NS if is_old and in_list else RestTime.MS
        has_price = order_type(order).has_price and order.price is not None
        row: dict[str, object] = {
            "id": order.venue_order_id,
            "symbol": order.product,
            "instType": INST_TYPE,
            "accountId": order.account,
            kind: order_type(order).value,
            "timeInForce": time_in_force_word(order),
            "side": side_word(order.side),
            quantity: quantity_text(order.quantity),
            price: unit.price(order.price) if has_price and order.price is not None else None,
            "triggerPx": unit.price(order.trigger.price) if order.trigger is not None else None,
            "status": view.status.value,
            "clientOrderId": order.client_order_id or None,
            "createdAt": self.rest_time(order.created_ns, native),
            # Milliseconds as in the request (4.1), whatever the other times are.
            "cancelAt": order.expire_ns // _NS_PER_MS if order.expire_ns is not None else None,
            "size": quantity_text(order.quantity - view.filled),
            "unit": unit.value.upper() if is_old and in_list else unit.value,
        }
        if is_old:
            row["isTriggered"] = None if order.trigger is None else view.triggered_ns is not None
            return row
        row["amountFilled"] = quantity_text(view.filled)
        row["triggeredAt"] = None if view.triggered_ns is None else self.rest_time(view.triggered_ns, native)
        for name in ("cancelAt", "clientOrderId", "triggerPx", "triggeredAt"):
            if row[name] is None:
                del row[name]  # optional in G3
        return row

    def rest_time(self, time_ns: int, native: RestTime = RestTime.MS) -> int:
        """A time of a REST reply, in the unit of the sample (`native`) or of the option."""
        chosen = native if self._options.rest_time is RestTime.DOCUMENTED else self._options.rest_time
        return time_ns if chosen is RestTime.NS else time_ns // _NS_PER_MS
