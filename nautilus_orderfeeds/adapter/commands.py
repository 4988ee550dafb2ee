"""What a strategy asks, carried out: check, journal, tell `submitted`, send once, and take the outcome as evidence.

Rules (design, "Outcomes"): only definite evidence from the venue makes a reject event. Whatever leaves the outcome
open (timeout, cut connection, 5xx) tells nothing; the order is handed to the `Resolver`, which asks the venue.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from nautilus_trader.execution.messages import (
    BatchCancelOrders,
    CancelAllOrders,
    CancelOrder,
    ModifyOrder,
    SubmitOrder,
    SubmitOrderList,
)
from nautilus_trader.model.enums import OrderSide as NtOrderSide
from nautilus_trader.model.enums import OrderStatus as NtOrderStatus

from nautilus_orderfeeds.adapter import convert, quotes
from nautilus_orderfeeds.adapter.contingency import BracketKeeper
from nautilus_orderfeeds.adapter.init_record import encode_init
from nautilus_orderfeeds.adapter.intake import Intake
from nautilus_orderfeeds.adapter.resolver import Resolver, has_ended
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import JournalError
from nautilus_orderfeeds.orders.reducer import refuse_cancel
from nautilus_orderfeeds.orders.requests import (
    Accepted,
    Amend,
    Denied,
    NewOrder,
    OrderRef,
    Outcome,
    Refused,
    Unknown,
)
from nautilus_orderfeeds.orders.state import may_follow
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.orders.words import OrderType
from nautilus_orderfeeds.venues.base import Prepared, Venue
from nautilus_orderfeeds.venues.capabilities import Feature

Answer = tuple[Outcome, list[OrderUpdate]]

#: How often a cancel whose outcome stayed open is sent again once the venue shows the order still live (idempotent).
MAX_CANCEL_RESENDS: Final = 3


class Modification(Struct, frozen=True, kw_only=True):
    """A strategy's change of an order, as decimals; None leaves a term as it is."""

    quantity: Decimal | None
    price: Decimal | None
    trigger_price: Decimal | None


class CommandDesk:
    """Carries out the commands of one account.

    Parameters
    ----------
    venue : Venue
        Where they go.
    intake : Intake
        Where what follows from them goes.
    resolver : Resolver
        Who finds out what became of those that stay open.
    client : OrderFeedExecutionClient
        For denials and logging.
    cache, clock : Any
        The framework's.
    gate : Callable[[], Awaitable[None]]
        Returns when the private subscription is confirmed; raises FeedError if it does not come.
    keeper : BracketKeeper
        Who keeps the children of brackets until they can be sent.
    request_timeout_secs : float
        Limit of one call to the venue.
    """

    def __init__(
        self,
        *,
        venue: Venue,
        intake: Intake,
        resolver: Resolver,
        client: Any,
        cache: Any,
        clock: Any,
        gate: Callable[[], Awaitable[None]],
        keeper: BracketKeeper,
        request_timeout_secs: float,
    ) -> None:
        self._venue = venue
        self._intake = intake
        self._resolver = resolver
        self._client = client
        self._cache = cache
        self._clock = clock
        self._gate = gate
        self._keeper = keeper
        keeper.send, keeper.cancel_at_venue = self._send_recorded, self._send_and_take
        # The venue's own limit is the tighter one: only below it can be told what was sent from what still waited.
        self._timeout_secs = 2 * request_timeout_secs
        self._log = client._log
        self._sending: dict[str, asyncio.Event] = {}

    # -- submit ----------------------------------------------------------------------------------------------------

    async def submit(self, command: SubmitOrder) -> None:
        """Submit one order."""
        await self._submit_all([command.order], command)

    async def submit_list(self, command: SubmitOrderList) -> None:
        """Submit the orders of a list; if one must be denied, all are."""
        await self._submit_all(list(command.order_list.orders), command)

    async def _submit_all(self, orders: list[Any], command: Any) -> None:
        requests: list[NewOrder] = []
        try:
            for order in orders:
                self._check_unused(order)
                requests.append(await self._request(order, command))
            prepared = self._keeper.prepare(requests)
            await self._gate()
        except Denied as e:
            self._deny_all(orders, e.reason)
            return
        except FeedError as e:
            self._deny_all(orders, f"nothing was sent: {e}")
            return
        except Exception as e:  # a bug of ours must not leave an order without an end
            self._deny_all(orders, f"nothing was sent: {type(e).__name__}: {e}")
            raise
        if any(order.is_closed for order in orders):
            # The framework cancels an order by itself that waits here and was not submitted yet.
            self._deny_all([order for order in orders if not order.is_closed], "another order of its list has ended")
            return
        tracked: list[TrackedOrder] = []
        now_ns = self._clock.timestamp_ns()
        try:
            for order, ready in zip(orders, prepared, strict=True):
                self._intake.journal.record_intent(
                    ready.order,
                    ready.refs,
                    now_ns,
                    wire=ready.wire,
                    init=encode_init(order),
                )
        except JournalError as e:
            self._deny_all(orders, f"nothing was sent, because it could not be recorded: {e}")
            return
        except Exception as e:
            self._deny_all(orders, f"nothing was sent, because it could not be recorded: {type(e).__name__}: {e}")
            raise
        for ready in prepared:
            one = self._intake.tracker.add(ready.order, self._client.rules_of(ready.order.symbol), ready.refs, now_ns)
            tracked.append(one)
            self._intake.tell(one, ev.OrderSubmitted(ts_event=self._clock.timestamp_ns()))
        due = self._keeper.hold(tracked)
        await self._send_recorded(due, [ready for one, ready in zip(tracked, prepared, strict=True) if one in due])

    async def _send_recorded(self, tracked: Sequence[TrackedOrder], prepared: Sequence[Prepared]) -> None:
        """Send orders that are recorded, and take the outcomes."""
        for one in tracked:
            self._sending[one.client_order_id] = asyncio.Event()
            one.awaits_answer = True
        try:
            answers = await self._ask_all(self._send(prepared), len(prepared))
            for one, (outcome, updates) in zip(tracked, answers, strict=True):
                self._submitted(one, outcome, updates)
        finally:
            for one in tracked:
                self._sending.pop(one.client_order_id).set()

    def _check_unused(self, order: Any) -> None:
        """Deny a client order id of an earlier order: whose events would be whose?"""
        if self._intake.tracker.get(order.client_order_id.value) is not None:
            raise Denied(
                f"client order id {order.client_order_id.value!r} was used before on this account (in this run or an "
                "earlier one): let the framework make the ids, or make up new ones"
            )

    async def _send(self, prepared: Sequence[Prepared]) -> list[Answer]:
        if len(prepared) == 1:
            return [await self._venue.submit(prepared[0])]
        return await self._venue.submit_list(prepared)

    def _submitted(self, tracked: TrackedOrder, outcome: Outcome, updates: list[OrderUpdate]) -> None:
        tracked.awaits_answer = isinstance(outcome, Refused)
        match outcome:
            case Accepted():
                if outcome.venue_order_id is not None:
                    self._intake.bind(tracked, outcome.venue_order_id)
                if self._venue.capabilities.reads_back:
                    self._resolver.expect_readback(tracked)
            case Refused():
                self._rejected(tracked, outcome)
            case Unknown():
                self._log.warning(f"Outcome of submitting {tracked.client_order_id!r} is unknown: {outcome.reason}")
                self._resolver.watch(tracked, outcome.reason)
                self._intake.release_unbound()
        for update in updates:
            self._intake.update(update)
        if isinstance(outcome, Accepted) and tracked.in_flight:
            self._resolver.expect_sight(tracked)

    def _rejected(self, tracked: TrackedOrder, refused: Refused) -> None:
        if (tracked.state.accepted and tracked.state.is_named) or tracked.state.is_closed:
            # The stream has shown it alive: then the answer is wrong, or about a repetition of the request.
            self._log.error(
                f"Venue refused {tracked.client_order_id!r} ({refused.reason}), but its stream shows it "
                f"{tracked.state.status.name}: the stream is believed, the venue is asked",
            )
            self._resolver.watch(tracked, refused.reason)
            return
        now = self._clock.timestamp_ns()
        rejected = ev.OrderRejected(reason=refused.reason, due_post_only=refused.due_post_only, ts_event=now)
        tracked.in_flight = False
        self._intake.tell(tracked, rejected)
        self._intake.release_unbound()

    async def _request(self, order: Any, command: Any) -> NewOrder:
        best = quotes.best_opposite(self._cache, order.instrument_id, convert.OUR_SIDE[order.side])
        request = convert.new_order(command, order, best)
        if request.type is OrderType.MARKET and request.reference_price is None:
            best = await self._venue.reference_price(request.symbol, request.side)
            if best is not None:
                request = convert.new_order(command, order, best)
        return request

    def _deny_all(self, orders: Sequence[Any], reason: str) -> None:
        for order in orders:
            now_ns = self._clock.timestamp_ns()
            self._client.generate_order_denied(
                order.strategy_id, order.instrument_id, order.client_order_id, reason, now_ns
            )
            self._intake.lifecycles.deny(order, reason, now_ns)

    # -- cancel ----------------------------------------------------------------------------------------------------

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

    def _find(self, command: CancelOrder | ModifyOrder) -> TrackedOrder | None:
        venue_order_id = command.venue_order_id
        return self._intake.tracker.get(
            command.client_order_id.value,
            venue_order_id.value if venue_order_id is not None else None,
        )

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
        await self._send_and_take([tracked for tracked in live if not tracked.state.is_closed])

    async def _send_and_take(self, live: Sequence[TrackedOrder]) -> None:
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

    async def _identified(self, orders: Sequence[TrackedOrder]) -> None:
        """Wait for the answers to the submits of `orders`: a cancel must not overtake its order."""
        waiting = [self._sending[o.client_order_id].wait() for o in orders if o.client_order_id in self._sending]
        if waiting:
            await asyncio.wait([asyncio.ensure_future(w) for w in waiting], timeout=self._timeout_secs)

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
            await self._send_and_take(live)

    async def cancel_at_venue(self, tracked: TrackedOrder) -> None:
        """Cancel an order that the framework believes to be over: nothing is told of it but what the venue says."""
        answers = await self._ask_all(self._send_cancels([tracked.ref]), 1)
        for update in answers[0][1]:
            self._intake.update(update)

    def _refuse_cancel(self, tracked: TrackedOrder, reason: str) -> None:
        events: list[ev.OrderEvent] = []
        refuse_cancel(tracked.state, events, reason, self._clock.timestamp_ns())
        self._intake.told(tracked, events)

    def _refuse_unknown(self, command: CancelOrder | ModifyOrder) -> None:
        reason = f"{self._venue.capabilities.venue} order unknown to this client"
        generate = (
            self._client.generate_order_cancel_rejected
            if isinstance(command, CancelOrder)
            else self._client.generate_order_modify_rejected
        )
        generate(
            command.strategy_id,
            command.instrument_id,
            command.client_order_id,
            command.venue_order_id,
            reason,
            self._clock.timestamp_ns(),
        )

    # -- modify ----------------------------------------------------------------------------------------------------

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

    # -- asking ----------------------------------------------------------------------------------------------------

    @staticmethod
    async def _one(answer: Awaitable[Answer]) -> list[Answer]:
        return [await answer]

    async def _ask_all(self, asking: Awaitable[list[Answer]], count: int) -> list[Answer]:
        """Await answers under a deadline; whatever is no definite answer is `Unknown` for every order."""
        try:
            async with asyncio.timeout(self._timeout_secs):
                return await asking
        except TimeoutError:
            reason = f"no answer within {self._timeout_secs:g} s"
        except Denied:
            raise
        except Exception as e:
            reason = f"{type(e).__name__}: {e}"
            if not isinstance(e, FeedError):
                self._log.exception("Venue call failed", e)
        return [(Unknown(reason), [])] * count
