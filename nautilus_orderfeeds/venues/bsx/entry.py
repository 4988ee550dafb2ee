"""Order entry over REST (protocol, 4.3 to 4.5): one outcome for every order, never better than the evidence."""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from msgspec import structs

from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.orders.requests import Accepted, OrderRef, Outcome, Refused, Unknown
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source
from nautilus_orderfeeds.venues.answers import Answer, in_batches
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.api import (
    INDEFINITE_CODES,
    BsxApi,
    error_of,
    refused_for_good,
    unknown_unless_unauthenticated,
)
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec
from nautilus_orderfeeds.venues.bsx.identity import nonce_of
from nautilus_orderfeeds.venues.bsx.signing import OrderSigner
from nautilus_orderfeeds.venues.bsx.tolerant import decode_order
from nautilus_orderfeeds.venues.rest_api import Request

_log = logging.getLogger(__name__)

#: The venue's own limits are not known (protocol, 11 row 6).
_BATCH_ITEMS: Final = 10
_CANCEL_ITEMS: Final = 50

#: gRPC "already exists": our nonces are fresh, so the order in the way may be this very one, delivered twice by
#: something in between. To call it rejected could leave a live order behind.
_ALREADY_EXISTS: Final = 6
#: Codes that an item of a batch may carry as a success.
_SUCCESS_CODES: Final = frozenset({None, 0, 200})
#: Without an order in the answer, none of these says what became of it.
_UNTOLD_CODES: Final = INDEFINITE_CODES | _SUCCESS_CODES | {_ALREADY_EXISTS}


class OrderEntry:
    """Creates and cancels orders of one account.

    Parameters
    ----------
    api : BsxApi
        Where to.
    signer : OrderSigner
        Signs every new order.
    codec : OrderCodec
        Reads the orders in answers.
    """

    def __init__(self, api: BsxApi, signer: OrderSigner, codec: OrderCodec) -> None:
        self._api = api
        self._signer = signer
        self._codec = codec

    async def create(self, order: wire.CreateOrder) -> Answer:
        """Send one order (``POST /orders``)."""
        updates: list[OrderUpdate] = []

        def ok(response: Response) -> Outcome:
            try:
                updates.append(self._read_order(response.body, order.nonce))
            except wire.DECODE_ERRORS:
                return self._taken(response, order.nonce)
            return Accepted(updates[0].venue_order_id)

        request = Request("POST", "/orders", body=wire.encode(self._signed(order)))
        outcome = await self._api.command(request, ok=ok, refused=_refused_create)
        return outcome, updates

    async def create_many(self, orders: Sequence[wire.CreateOrder]) -> list[Answer]:
        """Send several orders (``POST /orders/batch``); outcomes in the order given."""
        return await in_batches(orders, _BATCH_ITEMS, self.create, self._create_batch)

    async def cancel(self, ref: OrderRef) -> Answer:
        """Ask for the cancel of one order (``DELETE /order``), by its id or else by its nonce."""
        query = _cancel_query(ref)
        if query is None:
            return _nameless(ref), []

        def ok(response: Response) -> Outcome:
            # A success says that the request was taken, in whatever words: its effect is told elsewhere.
            return Accepted(ref.venue_order_id or _requested(response).venue_order_id or None)

        request = Request("DELETE", "/order", query, priority=Priority.CANCEL)
        return await self._api.command(request, ok=ok), []

    async def cancel_many(self, refs: Sequence[OrderRef]) -> list[Answer]:
        """Ask for the cancel of several orders (``DELETE /orders``) and of no others; outcomes in the order given."""
        return await in_batches(refs, _CANCEL_ITEMS, self.cancel, self._cancel_batch)

    async def _create_batch(self, orders: Sequence[wire.CreateOrder]) -> list[Answer]:
        answers: list[Answer] = []

        def ok(response: Response) -> Outcome:
            items = wire.RAW_BATCH_ANSWER.decode(response.body).data
            if len(items) != len(orders):
                raise ValueError(f"{len(items)} answers to {len(orders)} orders")
            answers.extend(self._read_item(bytes(item), order) for item, order in zip(items, orders, strict=True))
            return Accepted()

        batch = wire.Batch([wire.BatchCreate(self._signed(order)) for order in orders])
        request = Request("POST", "/orders/batch", body=wire.encode(batch))
        outcome = await self._api.command(request, ok=ok, refused=unknown_unless_unauthenticated)
        if isinstance(outcome, Accepted):
            return answers
        return [(outcome, []) for _ in orders]

    async def _cancel_batch(self, refs: Sequence[OrderRef]) -> list[Answer]:
        body = wire.CancelMany(
            order_ids=[ref.venue_order_id for ref in refs if ref.venue_order_id],
            nonces=[nonce for ref in refs if not ref.venue_order_id and (nonce := nonce_of(ref))],
        )
        # A body that names no order might be taken for "all of them".
        if not body.order_ids and not body.nonces:
            return [(_nameless(ref), []) for ref in refs]
        taken_ids: set[str] = set()
        taken_nonces: set[int] = set()

        def ok(response: Response) -> Outcome:
            for requested in wire.CANCEL_MANY_ANSWER.decode(response.body).cancel_requested_orders or ():
                taken_ids.add(requested.venue_order_id)
                taken_nonces.add(requested.nonce)
            return Accepted()

        request = Request("DELETE", "/orders", body=wire.encode(body), priority=Priority.CANCEL)
        outcome = await self._api.command(request, ok=ok, refused=unknown_unless_unauthenticated)

        def outcome_for(ref: OrderRef) -> Outcome:
            nonce = nonce_of(ref)
            if not ref.venue_order_id and nonce is None:
                return _nameless(ref)
            if not isinstance(outcome, Accepted):
                return outcome
            if ref.venue_order_id in taken_ids or (nonce is not None and nonce in taken_nonces):
                return Accepted(ref.venue_order_id)
            return Unknown("the venue did not name this order among those it was asked to cancel")

        return [(outcome_for(ref), []) for ref in refs]

    def _signed(self, order: wire.CreateOrder) -> wire.CreateOrder:
        signature = self._signer.sign(
            size=Decimal(order.size),
            price=Decimal(order.price),
            nonce=int(order.nonce),
            product_index=order.product_index,
            side=order.side,
        )
        return structs.replace(order, signature=signature)

    def _read_order(self, body: bytes, nonce: str) -> OrderUpdate:
        return self._checked(decode_order(body), nonce)

    def _taken(self, response: Response, nonce: str) -> Outcome:
        """Read an answer that names the order and tells nothing else of it."""
        taken = wire.CANCEL_REQUESTED.decode(response.body)
        if error_of(response) is not None or taken.nonce not in (0, int(nonce)):
            raise ValueError("the answer does not tell of the order")
        return Accepted(wire.check_id("order id", taken.venue_order_id))

    def _checked(self, order: wire.Order, nonce: str) -> OrderUpdate:
        if order.nonce not in (0, int(nonce)):
            raise ValueError(f"answer about the order of nonce {order.nonce} to the one of nonce {nonce}")
        return self._codec.update(order, Source.ANSWER)

    def _read_item(self, raw: bytes, order: wire.CreateOrder) -> Answer:
        try:
            item = wire.BATCH_ITEM.decode(raw)
            if item.create_order_response is not None:
                update = self._checked(item.create_order_response, order.nonce)
                return Accepted(update.venue_order_id), [update]
        except (*wire.DECODE_ERRORS, ValueError) as exc:
            _log.warning("unreadable item in the answer to a batch: %s", exc)
            return Unknown(f"unreadable answer: {exc}"), []
        if item.code in _UNTOLD_CODES:
            return Unknown(f"no order in the answer (code {item.code}: {item.message})"), []
        return Refused(item.message or f"refused with code {item.code}"), []


def _refused_create(error: wire.ErrorBody) -> Outcome:
    if error.code == _ALREADY_EXISTS:
        return Unknown(f"the venue says that the order exists: {error.message}")
    return refused_for_good(error)


def _requested(response: Response) -> wire.CancelRequested:
    try:
        return wire.CANCEL_REQUESTED.decode(response.body)
    except wire.DECODE_ERRORS:
        return wire.CancelRequested()


def _cancel_query(ref: OrderRef) -> dict[str, str] | None:
    """Return the one key that names the order; the other must be left out (protocol, 4.4)."""
    if ref.venue_order_id:
        return {"order_id": ref.venue_order_id}
    nonce = nonce_of(ref)
    return None if nonce is None else {"nonce": str(nonce)}


def _nameless(ref: OrderRef) -> Refused:
    return Refused(f"not sent: neither the venue's id nor the nonce of {ref.client_order_id} is known")
