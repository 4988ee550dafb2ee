"""Reading orders back (protocol, 5.4, 5.5 and 11.5).

`orders` lists conditional orders only, and of everybody; `orderstatus` knows one order by its id, in the final dialect
also by its client order id. So the list is only asked which of our orders are live and untouched; everything else,
and every fill, is told by `orderstatus`.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.feed.errors import NotSent, OutcomeUnknown, TransientFeedError
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.orders.requests import OrderRef
from nautilus_orderfeeds.orders.updates import END_STATUSES, OrderUpdate, Source
from nautilus_orderfeeds.venues.acttrader import wire
from nautilus_orderfeeds.venues.acttrader.codec import OrderCodec, Reading
from nautilus_orderfeeds.venues.acttrader.conversation import Conversation, Reader, VenueError
from nautilus_orderfeeds.venues.acttrader.identity import client_order_ids, is_leg
from nautilus_orderfeeds.venues.acttrader.times import iso_ms
from nautilus_orderfeeds.venues.acttrader.words import ORDER_NOT_EXISTS, VENUE, Dialect, Event, reason_of
from nautilus_orderfeeds.venues.base import VenueMessage

_log = logging.getLogger(__name__)

_NS_PER_MIN: Final = 60_000_000_000

#: A question that an installation has never answered is not asked again for so long after so many tries.
_TRIES: Final = {Event.ORDERS: 1, Event.ORDER_STATUS: 2}
_REST_NS: Final = 60_000_000_000


class Found(Struct):
    """What became of the orders asked for."""

    updates: list[OrderUpdate]
    absent: list[OrderRef]


class _Looked(Struct, frozen=True):
    """The answer to one `orderstatus`: the order, or that there is none, or (neither) a refusal to say."""

    reading: Reading | None = None
    not_exists: bool = False


class OrderQueries:
    """Reads orders of one login.

    Parameters
    ----------
    conversation : Conversation
        Where to ask.
    codec : OrderCodec
        Reads the orders.
    dialect : Dialect
        In which is asked.
    lookback_mins : float
        How far back ended orders are listed.
    may_be_on_its_way : Callable[[str], bool]
        Whether the order of a client order id was sent so lately that the venue may not have it yet.
    """

    def __init__(
        self,
        conversation: Conversation,
        codec: OrderCodec,
        dialect: Dialect,
        lookback_mins: float,
        may_be_on_its_way: Callable[[str], bool],
    ) -> None:
        self._conversation = conversation
        self._codec = codec
        self._by_client_id = dialect is Dialect.FINAL
        self._lookback_ns = int(lookback_mins * _NS_PER_MIN)
        self._may_be_on_its_way = may_be_on_its_way
        self._lost: set[str] = set()
        self._answered: set[Event] = set()
        self._unanswered: dict[Event, int] = {}
        self._asked_last_ns: dict[Event, int] = {}
        self._has_list = True

    async def find(self, refs: Sequence[OrderRef], *, with_list: bool, and_others: bool = False) -> Found:
        """Find out what became of `refs`.

        Parameters
        ----------
        refs : Sequence[OrderRef]
            Orders asked for.
        with_list : bool
            Ask for the list of orders first, which spares a question for each that is live and untouched. Without,
            the list is asked for only if it is the only way to find one of them.
        and_others : bool
            Take listed orders that are none of `refs` for the login's own too.

        Returns
        -------
        Found
            What was found; absent is what the venue says it never received (final dialect, and only of an order that
            was never acknowledged).

        Raises
        ------
        FeedError
            If a question was not answered.
        """
        for ref in refs:
            self._note(ref, ref.venue_order_id)  # of an earlier run too, and before anything more is told of it
        is_hidden = any(ref.venue_order_id is None and not self._by_client_id for ref in refs)
        rows = await self.listed() if with_list or is_hidden else []
        found = Found([], [])
        places = [_row_of(ref, rows) for ref in refs]
        looking = [self._find_one(ref, row, found) for ref, row in zip(refs, places, strict=True)]
        if and_others:
            looking += [self._find_other(row, found) for row in rows if not any(row is place for place in places)]
        failures = [e for e in await asyncio.gather(*looking, return_exceptions=True) if e is not None]
        for failure in failures:
            raise failure
        return found

    async def listed(self) -> list[Reading]:
        """Read the list of conditional orders (`orders`); raises `FeedError`.

        A row that cannot be read is logged and left out: its order is then asked for by its id.
        """
        payload = wire.Since(iso_ms(self._codec.now_ns() - self._lookback_ns)) if self._by_client_id else None

        def read(body: bytes | None) -> tuple[list[Reading], list[VenueMessage]]:
            rows = wire.ROWS.decode(body) if body is not None else []
            return [reading for row in rows if (reading := self._row(bytes(row))) is not None], []

        try:
            rows: list[Reading] = await self._ask(Event.ORDERS, payload, read)
        except VenueError as error:
            # Absence from the list proves nothing, so without it every order is asked for by its id.
            if self._has_list:
                self._has_list = False
                _log.warning("%s: this installation tells no list of orders: %s", VENUE, error)
            return []
        self._has_list = True
        return rows

    def _row(self, raw: bytes) -> Reading | None:
        try:
            return self._codec.read(wire.ORDER.decode(raw), Source.SNAPSHOT)
        except (*wire.DECODE_ERRORS, ValueError) as exc:
            _log.error("%s: unreadable row in a list of orders: %s: %s", VENUE, exc, raw[:200])
            return None

    async def _find_one(self, ref: OrderRef, row: Reading | None, found: Found) -> None:
        venue_order_id = ref.venue_order_id or (None if row is None else row.update.venue_order_id)
        self._note(ref, venue_order_id)
        if row is not None and row.untouched:
            found.updates.append(row.update)
            return
        if venue_order_id is not None:
            looked = await self._status(wire.Named(order_id=wire.wire_id(venue_order_id)))
            if looked.reading is not None:
                found.updates.append(looked.reading.update)
            elif row is not None:
                found.updates.append(row.update)
            else:
                _log.warning("%s: nothing is told of order %s (%s)", VENUE, venue_order_id, ref.client_order_id)
            return
        if self._by_client_id:
            await self._find_by_client_id(ref, found)
        elif ref.client_order_id not in self._lost:
            self._lost.add(ref.client_order_id)
            _log.error(
                "%s: order %r was not acknowledged and is not listed; the draft dialect has no other question, so it "
                "stays in flight until an execution tells of it. It is not sent again",
                VENUE,
                ref.client_order_id,
            )

    def _note(self, ref: OrderRef, venue_order_id: str | None) -> None:
        """Remember an order as one of ours, and whether it is one of a pair."""
        if venue_order_id is not None:
            seen = self._codec.remember(venue_order_id)
            seen.is_leg = seen.is_leg or is_leg(ref)

    async def _find_other(self, row: Reading, found: Found) -> None:
        venue_order_id = row.update.venue_order_id
        assert venue_order_id is not None
        if not row.untouched and (row.update.status not in END_STATUSES or row.needs_status):
            looked = await self._status(wire.Named(order_id=wire.wire_id(venue_order_id)))
            row = looked.reading or row
        found.updates.append(row.update)

    async def _find_by_client_id(self, ref: OrderRef, found: Found) -> None:
        """Look for an order without an id; a sibling in an OCO pair may hide it under its own client order id."""
        may_be_late = self._may_be_on_its_way(ref.client_order_id)
        nothing_there = True
        for client_order_id in client_order_ids(ref):
            looked = await self._status(wire.Named(client_order_id=client_order_id), is_leg=is_leg(ref))
            nothing_there = nothing_there and looked.not_exists
            reading = looked.reading
            if reading is not None and _row_of(ref, [reading]) is not None:
                found.updates.append(reading.update)
                return
        if nothing_there and not may_be_late:
            found.absent.append(ref)

    async def _status(self, named: wire.Named, *, is_leg: bool = False) -> _Looked:
        def read(body: bytes | None) -> tuple[_Looked, list[VenueMessage]]:
            return _Looked(self._codec.read(wire.ORDER.decode(body or b""), Source.QUERY, is_leg=is_leg)), []

        try:
            looked: _Looked = await self._ask(Event.ORDER_STATUS, named, read)
        except VenueError as error:
            return _Looked(not_exists=reason_of(error.text) == ORDER_NOT_EXISTS)
        return looked

    async def _ask(
        self,
        event: Event,
        payload: msgspec.Struct | None,
        read: Reader,
    ) -> Any:
        if self._is_mute(event):
            raise VenueError(f"{event.value} was never answered")
        try:
            result = await self._conversation.ask(event, payload, read, priority=Priority.READ)
        except VenueError:
            self._answered.add(event)
            raise
        except NotSent as exc:
            raise TransientFeedError(str(exc)) from None
        except OutcomeUnknown as exc:
            self._unanswered[event] = self._unanswered.get(event, 0) + 1
            self._asked_last_ns[event] = self._codec.now_ns()
            raise TransientFeedError(str(exc)) from None
        self._answered.add(event)
        return result

    def _is_mute(self, event: Event) -> bool:
        """Return whether the installation does not know this question: nothing is concluded from that."""
        if event in self._answered or self._unanswered.get(event, 0) < _TRIES.get(event, 1):
            return False
        return self._codec.now_ns() - self._asked_last_ns[event] < _REST_NS


def _row_of(ref: OrderRef, rows: Sequence[Reading]) -> Reading | None:
    """Return the row about `ref`: by the venue's id if that is known, else by what comes back of ours.

    The list is everybody's, and another login's order may show the same client order id: then none is taken for ours.
    """
    if ref.venue_order_id is not None:
        return next((row for row in rows if row.update.venue_order_id == ref.venue_order_id), None)
    keys = set(ref.refs)
    found = [row for row in rows if not keys.isdisjoint(row.update.refs) and _fits(ref, row.update)]
    if len(found) > 1:
        _log.error(
            "%s: %d listed orders (%s) may be %r, which was not acknowledged: none is taken for it",
            VENUE,
            len(found),
            ", ".join(row.update.venue_order_id or "" for row in found),
            ref.client_order_id,
        )
        return None
    return found[0] if found else None


def _fits(ref: OrderRef, update: OrderUpdate) -> bool:
    """Whether an order has the terms of `ref` that nothing changes, as far as they are told."""
    type_ = None if ref.terms is None else ref.terms.type
    return (
        update.symbol in (None, ref.symbol)
        and (None in (update.side, ref.side) or update.side is ref.side)
        and (None in (update.type, type_) or update.type is type_)
    )
