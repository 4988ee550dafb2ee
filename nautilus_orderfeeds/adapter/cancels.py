"""Cancels carried out: of one order, of all of a strategy's, of a batch; sent again where the outcome stayed open."""

from collections.abc import Sequence
from typing import Any, Final

from nautilus_trader.execution.messages import BatchCancelOrders, CancelAllOrders, CancelOrder
from nautilus_trader.model.enums import OrderSide as NtOrderSide
from nautilus_trader.model.enums import OrderStatus as NtOrderStatus

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.adapter.command_base import CommandBase
from nautilus_orderfeeds.adapter.resolver import has_ended
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.reducer import refuse_cancel
from nautilus_orderfeeds.orders.requests import Accepted, OrderRef, Outcome, Refused, Unknown
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.venues.answers import Answer

#: How often a cancel whose outcome stayed open is sent again once the venue shows the order still live (idempotent).
MAX_CANCEL_RESENDS: Final = 3


class Cancels(CommandBase):
    """Cancels orders."""

    def noted_cancel(self, client_order_id: Any) -> None:
        """Fold the pending cancel the framework has put on an order (when the command is given, not when it runs)."""
        tracked = self._intake.tracker.get(client_order_id.value)
        order = self._cache.order(client_order_id)
        if tracked is not None and order is not None and order.status == NtOrderStatus.PENDING_CANCEL:
            self._intake.fold_pending(tracked, ev.OrderPendingCancel(ts_event=self._clock.timestamp_ns()))

    async def cancel(self, command: CancelOrder) -> None:
        """Cancel one order."""
        await self._cancel_all([self._find(command)], [command])

    async def cancel_all(self, command: CancelAllOrders) -> None:
        """Cancel the commanding strategy's open and in-flight orders of one instrument (and side)."""
        symbol = command.instrument_id.symbol.value
        side = None if command.order_side == NtOrderSide.NO_ORDER_SIDE else convert.OUR_SIDE[command.order_side]
        chosen = [
            tracked
            for tracked in self._intake.tracker.open_orders()
            if tracked.terms.symbol == symbol
            and (side is None or tracked.state.side is side)
            and not tracked.state.is_closed
            and self._client.strategy_of(tracked) == command.strategy_id
        ]
        for tracked in chosen:
            self.noted_cancel(self._client.native_id(tracked))
        await self._cancel_all(list(chosen), [None] * len(chosen))

    async def cancel_batch(self, command: BatchCancelOrders) -> None:
        """Cancel the orders of a batch and no others."""
        await self._cancel_all([self._find(cancel) for cancel in command.cancels], list(command.cancels))

    async def _cancel_all(self, orders: list[TrackedOrder | None], commands: list[CancelOrder | None]) -> None:
        live: list[TrackedOrder] = []
        for tracked, command in zip(orders, commands, strict=True):
            if tracked is None:
                if command is not None:
                    self._refuse_unknown(command)
            elif tracked.state.is_closed:
                self._refuse_cancel(tracked, f"order is {tracked.state.status.name} already")
            elif not self._keeper.cancel(tracked):
                live.append(tracked)
        if not live:
            return
        try:
            await self._gate()
        except FeedError as e:
            for tracked in live:  # provably not sent
                self._refuse_cancel(tracked, f"nothing was sent: {e}")
            return
        await self._identified(live)
        await self.send_and_take([tracked for tracked in live if not tracked.state.is_closed])

    async def send_and_take(self, live: Sequence[TrackedOrder]) -> None:
        """Send cancels of orders that the venue may have, and take the outcomes."""
        if not self._venue.capabilities.cancels_by_ref:
            for tracked in live:
                if not tracked.state.is_named:  # sent as soon as the venue names the order
                    self._resolver.watch(tracked, "cancel waits for the venue's id", resend_cancel=MAX_CANCEL_RESENDS)
            live = [tracked for tracked in live if tracked.state.is_named]
        if not live:
            return
        answers = await self._ask_all(self._send_cancels([tracked.ref for tracked in live]), len(live))
        for tracked, (outcome, updates) in zip(live, answers, strict=True):
            await self._canceled(tracked, outcome, updates)

    async def _send_cancels(self, refs: Sequence[OrderRef]) -> list[Answer]:
        if len(refs) == 1:
            return [await self._venue.cancel(refs[0])]
        return await self._venue.cancel_many(refs)

    async def _canceled(self, tracked: TrackedOrder, outcome: Outcome, updates: list[OrderUpdate]) -> None:
        for update in updates:
            self._intake.update(update)
        match outcome:
            case Accepted():
                self._resolver.expect_end(tracked)
            case Refused():
                # "Not found" and "already closed" may mean that it filled: the venue's own state decides.
                read = await self._resolver.ask(tracked) and not self._resolver.is_unsure(tracked)
                if read and not has_ended(tracked):
                    self._refuse_cancel(tracked, outcome.reason)
                elif not has_ended(tracked):
                    self._resolver.watch(tracked, outcome.reason, cancel_refused=outcome.reason)
            case Unknown():
                self._log.warning(f"Outcome of cancelling {tracked.client_order_id!r} is unknown: {outcome.reason}")
                self._resolver.watch(tracked, outcome.reason, resend_cancel=MAX_CANCEL_RESENDS)

    async def resend_cancels(self, orders: Sequence[TrackedOrder]) -> None:
        """Send cancels again whose outcome stayed open (a cancel is idempotent)."""
        live = [tracked for tracked in orders if not has_ended(tracked)]
        if live:
            self._log.warning(f"Sending the cancel of {len(live)} order(s) again")
            await self.send_and_take(live)

    async def cancel_at_venue(self, tracked: TrackedOrder) -> None:
        """Cancel an order that the framework believes to be over: nothing is told of it but what the venue says."""
        answers = await self._ask_all(self._send_cancels([tracked.ref]), 1)
        for update in answers[0][1]:
            self._intake.update(update)

    def _refuse_cancel(self, tracked: TrackedOrder, reason: str) -> None:
        events: list[ev.OrderEvent] = []
        refuse_cancel(tracked.state, events, reason, self._clock.timestamp_ns())
        self._intake.told(tracked, events)
