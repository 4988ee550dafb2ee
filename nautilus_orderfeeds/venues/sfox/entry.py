"""Order entry over REST (protocol, 7.1, 7.3 and 7.4): one outcome for every order, never better than the evidence."""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.orders.decimals import is_multiple, plain
from nautilus_orderfeeds.orders.requests import Accepted, Amend, Denied, OrderRef, Outcome, Refused, Unknown
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.answers import Answer, in_batches
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.rest_api import Request
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.api import SfoxApi, refused_for_good
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec, Terms
from nautilus_orderfeeds.venues.sfox.limits import CREATE
from nautilus_orderfeeds.venues.sfox.queries import OrderQueries
from nautilus_orderfeeds.venues.sfox.words import VENUE, Algorithm

_log = logging.getLogger(__name__)

#: The venue's own limit is not known (protocol, 7.3).
_CANCEL_ITEMS: Final = 50

#: Words by which a refusal may say that the client order id was used before. Ours are new, so the order in the way
#: may be this very one, delivered twice by something in between: to call it rejected could leave a live order behind.
_USED_BEFORE: Final = ("duplicate", "already", "in use", "used", "unique", "exists")


class OrderEntry:
    """Creates, changes and cancels orders of one account.

    Parameters
    ----------
    api : SfoxApi
        Where to.
    codec : OrderCodec
        Reads the orders in answers, and remembers their terms.
    queries : OrderQueries
        Reads an order whose terms are not known.
    """

    def __init__(self, api: SfoxApi, codec: OrderCodec, queries: OrderQueries) -> None:
        self._api = api
        self._codec = codec
        self._queries = queries

    async def create(self, create: wire.Create) -> Answer:
        """Send one order (``POST /v1/orders/:side``)."""
        updates: list[OrderUpdate] = []

        def ok(response: Response) -> Outcome:
            order = wire.ORDER.decode(response.body)
            answered = order.client_order_id or order.user_tx_id
            if answered and answered != create.order.client_order_id:
                raise ValueError(f"answer about the order {answered!r} to {create.order.client_order_id!r}")
            if not answered:
                order.client_order_id = create.order.client_order_id
            update = self._codec.update(order, Source.ANSWER)
            updates.append(update)
            return Accepted(update.venue_order_id)

        request = Request("POST", f"/v1/orders/{create.side}", body=wire.encode(create.order), route=CREATE)
        outcome = await self._api.command(request, ok=ok, refused=_refused_create)
        return outcome, updates

    async def cancel(self, ref: OrderRef) -> Answer:
        """Ask for the cancel of one order (``DELETE /v1/orders/:order_id``)."""
        order_id = ref.venue_order_id
        if order_id is None:
            return _nameless(ref), []

        def ok(response: Response) -> Outcome:
            # The body was empty once (protocol, 7.3).
            answer = wire.CANCEL_ANSWER.decode(response.body) if response.body.strip() else wire.CancelAnswer()
            return _cancel_outcome(answer.status, order_id)

        request = Request("DELETE", f"/v1/orders/{order_id}", priority=Priority.CANCEL)
        return await self._api.command(request, ok=ok), []

    async def cancel_many(self, refs: Sequence[OrderRef]) -> list[Answer]:
        """Ask for the cancel of several orders (``DELETE /v1/orders?ids=``) and no others; outcomes in this order."""
        return await in_batches(refs, _CANCEL_ITEMS, self.cancel, self._cancel_batch)

    async def amend(self, amend: Amend, spec: InstrumentSpec | None) -> Answer:
        """Change a live order in place (``PATCH /v1/orders/:order_id``), in the direction that the venue allows.

        Raises
        ------
        Denied
            If the change is not allowed; nothing is sent.
        """
        order_id = amend.ref.venue_order_id
        if order_id is None:
            return _nameless(amend.ref), []
        terms = self._codec.terms(order_id)
        if terms is None or terms.side is None or terms.quantity is None:
            terms = await self._terms(order_id)
            if terms is None:
                return Refused("not sent: the order's present terms cannot be read from the venue"), []
        body = amended(amend, terms, spec)

        def ok(response: Response) -> Outcome:
            # What the answer says is not published: the change is told by the feed, or read back.
            return Accepted(order_id)

        request = Request("PATCH", f"/v1/orders/{order_id}", body=wire.encode(body))
        return await self._api.command(request, ok=ok), []

    async def _terms(self, order_id: str) -> Terms | None:
        try:
            order = await self._queries.order(order_id)
            if order is not None:
                self._codec.update(order, Source.QUERY)
        except (FeedError, ValueError) as exc:
            _log.warning("%s: terms of order %s cannot be read: %s", VENUE, order_id, exc)
        return self._codec.terms(order_id)

    async def _cancel_batch(self, refs: Sequence[OrderRef]) -> list[Answer]:
        named = [ref.venue_order_id for ref in refs if ref.venue_order_id is not None]
        if not named:
            return [(_nameless(ref), []) for ref in refs]
        taken: dict[str, str] = {}

        def ok(response: Response) -> Outcome:
            for order in wire.CANCEL_MANY_ANSWER.decode(response.body).orders or ():
                taken[str(order.id)] = order.status
            return Accepted()

        request = Request("DELETE", "/v1/orders", f"ids={','.join(named)}", priority=Priority.CANCEL)
        outcome = await self._api.command(request, ok=ok)

        def outcome_for(ref: OrderRef) -> Outcome:
            if ref.venue_order_id is None:
                return _nameless(ref)
            if not isinstance(outcome, Accepted):
                return outcome
            if ref.venue_order_id not in taken:
                return Refused("the venue did not name this order among those it could cancel")
            return _cancel_outcome(taken[ref.venue_order_id], ref.venue_order_id)

        return [(outcome_for(ref), []) for ref in refs]


def amended(amend: Amend, terms: Terms, spec: InstrumentSpec | None) -> wire.AmendOrder:
    """Return the request for a change that the venue allows (protocol, 7.4).

    Parameters
    ----------
    amend : Amend
        What is asked.
    terms : Terms
        The order's present ones.
    spec : InstrumentSpec, optional
        Its instrument, None if it is not loaded.

    Raises
    ------
    Denied
        Saying what the venue does not allow.
    """
    if amend.params:
        raise Denied(f"{VENUE} knows no params of a change (given: {', '.join(sorted(amend.params))})")
    if amend.trigger_price is not None:
        raise Denied(f"{VENUE} orders have no trigger price that could be changed")
    quantity = amend.quantity if amend.quantity != terms.quantity else None
    price = amend.price if amend.price != terms.price else None
    if quantity is None and price is None:
        raise Denied("nothing would change")
    if terms.algorithm_id == Algorithm.MARKET or terms.by_amount:
        raise Denied(f"{VENUE} cannot change a market order")
    if quantity is not None:
        if terms.quantity is None or quantity < terms.quantity:
            change = f"{_text(terms.quantity)} to {plain(quantity)} asked"
            raise Denied(f"{VENUE} can only increase a quantity: {change}")
        if spec is not None and not is_multiple(quantity, spec.size_increment):
            raise Denied(f"quantity {plain(quantity)} is off the lot of {plain(spec.size_increment)}")
    if price is not None:
        _check_price(price, terms, spec)
    return wire.AmendOrder(
        quantity=None if quantity is None else wire.number(quantity),
        price=None if price is None else wire.number(price),
    )


def _check_price(price: Decimal, terms: Terms, spec: InstrumentSpec | None) -> None:
    if price <= 0:
        raise Denied(f"price {plain(price)} is not positive")
    if terms.price is None or terms.side is None:
        raise Denied("the order has no price that could be changed")
    if spec is not None and not is_multiple(price, spec.price_increment):
        raise Denied(f"price {plain(price)} is off the tick of {plain(spec.price_increment)}")
    match terms.side:
        case OrderSide.BUY if price < terms.price:
            raise Denied(f"{VENUE} can only raise the price of a buy: {plain(terms.price)} to {plain(price)} asked")
        case OrderSide.SELL if price > terms.price:
            raise Denied(f"{VENUE} can only lower the price of a sell: {plain(terms.price)} to {plain(price)} asked")
        case _:
            return


def _text(value: Decimal | None) -> str:
    return "an unknown one" if value is None else plain(value)


def _refused_create(error: wire.ErrorBody) -> Outcome:
    text = error.text.casefold()
    if "client" in text and any(word in text for word in _USED_BEFORE):
        return Unknown(f"the venue says that the client order id was used: {error.text}")
    return refused_for_good(error)


def _cancel_outcome(status: str, order_id: str) -> Outcome:
    """Judge what the answer to a cancel says of one order (protocol, 7.3)."""
    word = " ".join(status.casefold().split())
    match word:
        case "" | "canceled" | "cancelled" | "cancel pending":
            return Accepted(order_id)
        case _ if "finished" in word:
            return Refused(status)
        case _:
            return Unknown(f"the venue answered {status[:80]!r} to a cancel")


def _nameless(ref: OrderRef) -> Refused:
    return Refused(f"not sent: the venue's id of {ref.client_order_id} is not known")
