"""Reports from what has been told, never from what has not.

A status report must not run ahead of the fills the framework has been told of, or it invents the difference and the
real fill then counts twice (guide, rule 6). So a report's quantities come from the *told* half of the order's state.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.model.enums import OrderStatus as NtOrderStatus
from nautilus_trader.model.enums import PositionSide
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, TradeId, VenueOrderId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Quantity

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.updates import Position
from nautilus_orderfeeds.orders.words import OrderStatus


class ReportBuilder:
    """Makes the framework's reports for one account."""

    def __init__(self, account_id: AccountId, clock: Any) -> None:
        self._account_id = account_id
        self._clock = clock

    def order_report(self, tracked: TrackedOrder, instrument: Instrument) -> OrderStatusReport | None:
        """Return the order as it has been told; None while there is nothing to say but "still submitted"."""
        state = tracked.state
        if state.venue_order_id is None or state.status in (OrderStatus.INITIALIZED, OrderStatus.DENIED):
            return None
        if state.status is OrderStatus.SUBMITTED:
            return None
        return self._report(tracked, instrument, convert.NT_STATUS[state.status], state.filled_qty, state.avg_px)

    def opening_report(
        self,
        tracked: TrackedOrder,
        instrument: Instrument,
        new_fills: Sequence[ev.OrderFilled],
    ) -> OrderStatusReport:
        """Return the report that introduces an order entered elsewhere, as it was before `new_fills`."""
        state = tracked.state
        filled = state.filled_qty - sum((fill.last_qty for fill in new_fills), ZERO)
        if filled <= 0:
            return self._report(tracked, instrument, NtOrderStatus.ACCEPTED, ZERO, None)
        notional = state.notional - sum((fill.last_qty * fill.last_px for fill in new_fills), ZERO)
        return self._report(tracked, instrument, NtOrderStatus.PARTIALLY_FILLED, filled, notional / filled)

    def _report(
        self,
        tracked: TrackedOrder,
        instrument: Instrument,
        status: NtOrderStatus,
        filled_qty: Decimal,
        avg_px: Decimal | None,
    ) -> OrderStatusReport:
        state, terms = tracked.state, tracked.terms
        now = self._clock.timestamp_ns()

        def px(value: Decimal | None) -> Any:
            return None if value is None else convert.price(value, instrument.price_precision)

        expires = pd.Timestamp(terms.expire_time_ns, unit="ns", tz="UTC") if terms.expire_time_ns else None
        return OrderStatusReport(
            account_id=self._account_id,
            instrument_id=instrument.id,
            venue_order_id=VenueOrderId(state.venue_order_id),
            client_order_id=ClientOrderId(state.client_order_id),
            order_side=convert.NT_SIDE[state.side],
            order_type=convert.NT_TYPE[state.type],
            time_in_force=convert.NT_TIME_IN_FORCE[terms.time_in_force],
            order_status=status,
            quantity=convert.quantity(state.quantity, instrument.size_precision),
            filled_qty=convert.quantity(filled_qty, instrument.size_precision),
            price=px(state.price),
            trigger_price=px(state.trigger_price),
            trigger_type=convert.NT_TRIGGER[terms.trigger_type],
            expire_time=expires,
            avg_px=avg_px,
            post_only=terms.post_only,
            # The flag would be kept only on an order the engine makes of this report, under EXTERNAL or the claimant.
            # The engine drops a reduce-only fill from the position unless that very strategy holds it, but what the
            # venue has filled (a position closed elsewhere, a liquidation) must always count.
            reduce_only=False,
            report_id=UUID4(),
            ts_accepted=tracked.ts_accepted or tracked.created_ns,
            ts_last=state.ts_last or now,
            ts_init=now,
        )

    def fill_report(self, tracked: TrackedOrder, instrument: Instrument, fill: ev.OrderFilled) -> FillReport:
        """Return the report of a fill that has been told."""
        settlement = instrument.get_settlement_currency()
        now = self._clock.timestamp_ns()
        return FillReport(
            account_id=self._account_id,
            instrument_id=instrument.id,
            venue_order_id=VenueOrderId(fill.venue_order_id),
            client_order_id=ClientOrderId(tracked.client_order_id),
            trade_id=TradeId(fill.trade_id),
            order_side=convert.NT_SIDE[tracked.state.side],
            last_qty=convert.quantity(fill.last_qty, instrument.size_precision),
            last_px=convert.price(fill.last_px, instrument.price_precision),
            commission=convert.money(fill.commission, fill.commission_currency or settlement.code),
            liquidity_side=convert.NT_LIQUIDITY[fill.liquidity_side],
            report_id=UUID4(),
            ts_event=fill.ts_event or now,
            ts_init=now,
        )

    def position_report(self, position: Position | None, instrument: Instrument) -> PositionStatusReport:
        """Return the report of a net position; None means flat, and must come from the venue's own evidence."""
        now = self._clock.timestamp_ns()
        signed = Decimal(0) if position is None else position.signed_qty
        if signed > 0:
            side = PositionSide.LONG
        elif signed < 0:
            side = PositionSide.SHORT
        else:
            side = PositionSide.FLAT
        size = abs(signed)
        qty = convert.quantity(size, instrument.size_precision) if size else Quantity.zero(instrument.size_precision)
        return PositionStatusReport(
            account_id=self._account_id,
            instrument_id=instrument.id,
            position_side=side,
            quantity=qty,
            avg_px_open=None if position is None else position.avg_px_open,
            report_id=UUID4(),
            ts_last=(position.ts_event if position is not None else 0) or now,
            ts_init=now,
        )
