"""Submits carried out: check, journal, tell `submitted`, send once, and take the outcome as evidence."""

import asyncio
from collections.abc import Sequence
from typing import Any

from nautilus_trader.execution.messages import SubmitOrder, SubmitOrderList

from nautilus_orderfeeds.adapter import convert, quotes
from nautilus_orderfeeds.adapter.command_base import CommandBase
from nautilus_orderfeeds.adapter.init_record import encode_init
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import JournalError
from nautilus_orderfeeds.orders.requests import Accepted, Denied, NewOrder, Outcome, Refused, Unknown
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.orders.words import OrderType
from nautilus_orderfeeds.venues.answers import Answer
from nautilus_orderfeeds.venues.base import Prepared


class Submits(CommandBase):
    """Submits single orders and lists."""

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
        await self.send_recorded(due, [ready for one, ready in zip(tracked, prepared, strict=True) if one in due])

    async def send_recorded(self, tracked: Sequence[TrackedOrder], prepared: Sequence[Prepared]) -> None:
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
