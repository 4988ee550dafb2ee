"""Order entry over REST (protocol, 4.1 to 4.3): one outcome for every order, never better than the evidence."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.orders.requests import Accepted, NewOrder, OrderRef, Outcome, Refused, Unknown
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce
from nautilus_orderfeeds.venues.answers import Answer
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.instruments import InstrumentSpec, places
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.api import RoxomApi
from nautilus_orderfeeds.venues.roxom.identity import Terms
from nautilus_orderfeeds.venues.roxom.memory import OrderMemories
from nautilus_orderfeeds.venues.roxom.words import (
    INST_TYPE,
    UNIT,
    WIRE_SIDES,
    WIRE_TIMES_IN_FORCE,
    WIRE_TYPES,
)

_NS_PER_MS: Final = 1_000_000

#: Creates remembered: more cannot begin while one reading is under way.
_LATEST: Final = 10_000


class CreateOrder(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A new order on the wire: optional fields only where they say something (protocol, 2.1)."""

    symbol: str
    inst_type: str
    side: str
    order_type: str
    qty: str
    unit: str
    px: str | None = None
    trigger_px: str | None = None
    time_in_force: str | None = None
    cancel_at: int | None = None
    post_only: bool = False
    client_order_id: str | None = None


def create_request(order: NewOrder, spec: InstrumentSpec, *, send_client_order_id: bool) -> CreateOrder:
    """Write the request for `order`, which has been checked.

    Parameters
    ----------
    order : NewOrder
        What was asked.
    spec : InstrumentSpec
        Its instrument: numbers are written with its decimal places, as in the documents.
    send_client_order_id : bool
        Whether to send the framework's id along.
    """
    force: str | None = WIRE_TIMES_IN_FORCE[order.time_in_force].value
    if order.type is OrderType.MARKET:
        force = None  # as in the documents; it never rests
    is_good_till_date = order.time_in_force is TimeInForce.GTD
    price_places = price_places_of(spec)
    size_places = places(spec.size_increment) if spec.size_precision is None else spec.size_precision
    return CreateOrder(
        symbol=spec.raw_symbol,
        inst_type=INST_TYPE,
        side=WIRE_SIDES[order.side].value,
        order_type=WIRE_TYPES[order.type].value,
        qty=f"{order.quantity:.{size_places}f}",
        unit=UNIT,
        px=None if order.price is None else f"{order.price:.{price_places}f}",
        trigger_px=None if order.trigger_price is None else f"{order.trigger_price:.{price_places}f}",
        time_in_force=force,
        cancel_at=order.expire_time_ns // _NS_PER_MS if is_good_till_date else None,
        post_only=order.post_only,
        client_order_id=order.client_order_id if send_client_order_id else None,
    )


def price_places_of(spec: InstrumentSpec) -> int:
    """Return the decimal places of a price of `spec`."""
    return places(spec.price_increment) if spec.price_precision is None else spec.price_precision


class Creates:
    """Orders of ours that the venue has not named yet: those under way, and those that were not answered."""

    def __init__(self) -> None:
        self._underway: dict[str, Terms] = {}
        self._unanswered: dict[str, Terms] = {}
        # By key, in the order they were begun.
        self._latest: dict[str, Terms] = {}
        self._begun = 0

    def __bool__(self) -> bool:
        return bool(self._underway)

    @property
    def underway(self) -> list[Terms]:
        """Orders whose create is under way."""
        return list(self._underway.values())

    @property
    def unanswered(self) -> list[Terms]:
        """Orders whose create was sent, and whose outcome is not known (also while it is under way)."""
        return list(self._unanswered.values())

    @property
    def begun(self) -> int:
        """How many creates were begun so far."""
        return self._begun

    def since(self, begun: int) -> list[Terms]:
        """Return the orders whose create was begun since so many had been, whatever came of it."""
        later = self._begun - begun
        return list(self._latest.values())[-later:] if later > 0 else []

    @contextmanager
    def of(self, *terms: Terms) -> Iterator[None]:
        """Count some while they are under way, or wait for their turn in a list."""
        for one in terms:
            self._begin(one)
        try:
            yield
        finally:
            for one in terms:
                self._underway.pop(one.key, None)  # one of a list may have been answered before

    def sent(self, terms: Terms) -> None:
        """Note that a create may reach the venue."""
        _keep(self._unanswered, terms)

    def recall(self, terms: Terms) -> None:
        """Note that a create of an earlier run was not answered; what became of one of this run is known here."""
        if terms.key not in self._latest:
            _keep(self._unanswered, terms)

    def settled(self, terms: Terms) -> None:
        """Note that it is known what became of a create."""
        self._unanswered.pop(terms.key, None)

    def _begin(self, terms: Terms) -> None:
        if terms.key not in self._latest:  # else its turn in a list has come
            self._begun += 1
            _keep(self._latest, terms)
        self._underway[terms.key] = terms


def _keep(some: dict[str, Terms], terms: Terms) -> None:
    """Add one to the latest; the oldest are forgotten first."""
    while len(some) >= _LATEST:
        del some[next(iter(some))]
    some.setdefault(terms.key, terms)


class OrderEntry:
    """Creates and cancels orders of one account.

    Parameters
    ----------
    api : RoxomApi
        Where to.
    memories : OrderMemories
        Told which orders are ours.
    creates : Creates
        Told which creates are under way.
    """

    def __init__(self, api: RoxomApi, memories: OrderMemories, creates: Creates) -> None:
        self._api = api
        self._memories = memories
        self._creates = creates

    async def create(self, request: CreateOrder, terms: Terms) -> Answer:
        """Send one order, once (``POST /orders``). The answer tells the venue's id and nothing else."""

        def ok(response: Response) -> Outcome:
            order_id = check_id("orderId", wire.CREATED.decode(response.body).data.order_id)
            self._memories.bind(order_id, terms)
            return Accepted(order_id)

        with self._creates.of(terms):
            self._creates.sent(terms)
            outcome = await self._api.command("/orders", body=msgspec.json.encode(request), ok=ok)
        if not isinstance(outcome, Unknown):
            self._creates.settled(terms)
        return outcome, []

    async def cancel(self, ref: OrderRef) -> Answer:
        """Ask for a cancel (``POST /orders/{id}/cancel``); success means that it was taken, not that it is done."""
        order_id = ref.venue_order_id
        if not order_id:
            return Refused(f"not sent: the venue's id of {ref.client_order_id} is not known"), []
        self._memories.of(order_id).cancel_asked = True

        def ok(response: Response) -> Outcome:
            if wire.CANCELED.decode(response.body).data.success:
                return Accepted(order_id)
            return Refused("the venue did not take the cancel")

        path = f"/orders/{quote(order_id, safe='')}/cancel"
        return await self._api.command(path, ok=ok, priority=Priority.CANCEL), []

    async def cancel_many(self, refs: Sequence[OrderRef]) -> list[Answer]:
        """Ask for several cancels, one by one: the venue's call for many would cancel every order of the account."""
        return list(await asyncio.gather(*(self.cancel(ref) for ref in refs)))
