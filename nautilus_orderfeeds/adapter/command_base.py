"""What all commands have in common: the venue, the ones who take what follows, and how an answer is waited for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nautilus_trader.execution.messages import CancelOrder, ModifyOrder

from nautilus_orderfeeds.adapter.contingency import BracketKeeper
from nautilus_orderfeeds.adapter.intake import Intake
from nautilus_orderfeeds.adapter.resolver import Resolver
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.orders.requests import Denied, Unknown
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.venues.answers import Answer
from nautilus_orderfeeds.venues.base import Venue


class CommandBase:
    """Base of the classes that carry out commands.

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
        # The venue's own limit is the tighter one: only below it can be told what was sent from what still waited.
        self._timeout_secs = 2 * request_timeout_secs
        self._log = client._log
        self._sending: dict[str, asyncio.Event] = {}

    def _find(self, command: CancelOrder | ModifyOrder) -> TrackedOrder | None:
        venue_order_id = command.venue_order_id
        return self._intake.tracker.get(
            command.client_order_id.value,
            venue_order_id.value if venue_order_id is not None else None,
        )

    async def _identified(self, orders: Sequence[TrackedOrder]) -> None:
        """Wait for the answers to the submits of `orders`: a cancel must not overtake its order."""
        waiting = [self._sending[o.client_order_id].wait() for o in orders if o.client_order_id in self._sending]
        if waiting:
            await asyncio.wait([asyncio.ensure_future(w) for w in waiting], timeout=self._timeout_secs)

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
