"""Changes of orders carried out, where the venue has them; refused otherwise, with the reason."""

from decimal import Decimal
from typing import Any

from msgspec import Struct
from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.model.enums import OrderStatus as NtOrderStatus

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.adapter.command_base import CommandBase
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.requests import Accepted, Amend, Denied, Refused, Unknown
from nautilus_orderfeeds.orders.state import may_follow
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.venues.capabilities import Feature


class Modification(Struct, frozen=True, kw_only=True):
    """A strategy's change of an order, as decimals; None leaves a term as it is."""

    quantity: Decimal | None
    price: Decimal | None
    trigger_price: Decimal | None


class Modifies(CommandBase):
    """Changes orders in place."""

    def noted_modify(self, client_order_id: Any) -> None:
        """Fold the pending update the framework has put on an order."""
        tracked = self._intake.tracker.get(client_order_id.value)
        order = self._cache.order(client_order_id)
        if tracked is not None and order is not None and order.status == NtOrderStatus.PENDING_UPDATE:
            self._intake.fold_pending(tracked, ev.OrderPendingUpdate(ts_event=self._clock.timestamp_ns()))

    async def modify(self, command: ModifyOrder) -> None:
        """Change one order in place, or refuse."""
        tracked = self._find(command)
        if tracked is None:
            self._refuse_unknown(command)
            return
        if tracked.state.is_closed:
            self.refuse_modify(tracked, f"order is {tracked.state.status.name} already")
            return
        if not self._venue.capabilities.supports(Feature.MODIFY):
            support = self._venue.capabilities.features.get(Feature.MODIFY)
            note = f" ({support.note})" if support is not None and support.note else ""
            self.refuse_modify(tracked, f"{self._venue.capabilities.venue} cannot modify an order{note}")
            return
        change = Modification(
            quantity=convert.decimal_of(command.quantity),
            price=convert.decimal_of(command.price),
            trigger_price=convert.decimal_of(command.trigger_price),
        )
        try:
            await self._gate()
        except FeedError as e:
            self.refuse_modify(tracked, f"nothing was sent: {e}")
            return
        await self._identified([tracked])
        await self._amend(tracked, change, dict(command.params or {}))

    async def _amend(self, tracked: TrackedOrder, change: Modification, params: dict[str, Any]) -> None:
        amend = Amend(
            ref=tracked.ref,
            quantity=change.quantity,
            price=change.price,
            trigger_price=change.trigger_price,
            params=params,
        )
        try:
            if self._keeper.modify(tracked, amend):
                return
            answers = await self._ask_all(self._one(self._venue.amend(amend)), 1)
        except Denied as e:
            self.refuse_modify(tracked, e.reason)
            return
        outcome, updates = answers[0]
        for update in updates:
            self._intake.update(update)
        match outcome:
            case Accepted():
                self._resolver.expect_change(tracked)
            case Refused():
                self.refuse_modify(tracked, outcome.reason)
            case Unknown():
                self._log.warning(f"Outcome of modifying {tracked.client_order_id!r} is unknown: {outcome.reason}")
                self._resolver.watch(tracked, outcome.reason)

    def refuse_modify(self, tracked: TrackedOrder, reason: str) -> None:
        """Tell a refused change."""
        event = ev.OrderModifyRejected(reason=reason, ts_event=self._clock.timestamp_ns())
        if may_follow(tracked.state, event):
            self._intake.tell(tracked, event)
