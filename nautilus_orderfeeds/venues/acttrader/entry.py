"""Order entry (protocol, 5.1, 5.2, 5.3, 5.6): one outcome for every order, never better than the evidence."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.feed.errors import FeedError, NotSent
from nautilus_orderfeeds.orders.decimals import check_sane
from nautilus_orderfeeds.orders.requests import Accepted, Amend, OrderRef, Outcome, Refused, Unknown
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import ContingencyType
from nautilus_orderfeeds.venues.acttrader import wire
from nautilus_orderfeeds.venues.acttrader.codec import OrderCodec
from nautilus_orderfeeds.venues.acttrader.conversation import Conversation, Reader, VenueError
from nautilus_orderfeeds.venues.acttrader.identity import match_legs
from nautilus_orderfeeds.venues.acttrader.words import VENUE, Event, reason_of, status_of, wire_type
from nautilus_orderfeeds.venues.answers import Answer
from nautilus_orderfeeds.venues.base import Prepared, Readback, VenueMessage
from nautilus_orderfeeds.venues.decoding import check_id

_NEW: Final = "NEW"


class OrderEntry:
    """Places, changes and cancels orders of one login.

    Parameters
    ----------
    conversation : Conversation
        Where to.
    codec : OrderCodec
        Stamps what answers say.
    """

    def __init__(self, conversation: Conversation, codec: OrderCodec) -> None:
        self._conversation = conversation
        self._codec = codec

    async def create(self, prepared: Prepared) -> Answer:
        """Send one order (`newordersingle`)."""

        def read(body: bytes | None) -> tuple[Outcome, list[VenueMessage]]:
            return self._acknowledged(wire.ANSWER.decode(body or b""), prepared)

        return await self._command(Event.NEW_ORDER, prepared.wire, read), []

    async def create_pair(self, pair: Sequence[Prepared], request: wire.NewOco) -> list[Answer]:
        """Send an OCO pair (`neworderoco`); outcomes in the order given."""
        legs = [(prepared.order.client_order_id, wire_type(prepared.order.type)) for prepared in pair]
        outcomes: list[Outcome] = []

        def read(body: bytes | None) -> tuple[Outcome, list[VenueMessage]]:
            rows = wire.ANSWERS.decode(body or b"")
            places = match_legs(legs, [(row.client_order_id, row.type) for row in rows])
            if places is None:
                raise ValueError(f"{len(rows)} rows about {len(legs)} orders")
            read_rows = [self._acknowledged(rows[place], leg) for place, leg in zip(places, pair, strict=True)]
            outcomes.extend(outcome for outcome, _ in read_rows)
            return Accepted(), [message for _, messages in read_rows for message in messages]

        outcome = await self._command(Event.NEW_OCO, request, read)
        return [(one, []) for one in outcomes or [outcome] * len(pair)]

    async def cancel(self, ref: OrderRef, request: wire.Named) -> Answer:
        """Ask for a cancel (`ordercancel`). In the final dialect the answer says that it is done."""

        def read(body: bytes | None) -> tuple[Outcome, list[VenueMessage]]:
            return Accepted(ref.venue_order_id), [] if body is None else self._canceled(wire.ANSWER.decode(body), ref)

        outcome = await self._command(Event.CANCEL, request, read, unsent=Unknown)
        return outcome, []

    async def amend(self, amend: Amend, request: wire.Modify) -> Answer:
        """Change an order in place (`modifyordersingle`). In the final dialect the answer echoes the new values."""
        ref = amend.ref

        def read(body: bytes | None) -> tuple[Outcome, list[VenueMessage]]:
            if body is not None:
                return Accepted(ref.venue_order_id), self._changed(wire.ANSWER.decode(body), ref)
            if ref.venue_order_id is not None:
                self._codec.note_change(ref.venue_order_id, amend)
            return Accepted(ref.venue_order_id), [Readback(ref.venue_order_id, "a change was taken")]

        state_asked = [Readback(ref.venue_order_id, "a change was refused")]
        return await self._command(Event.MODIFY, request, read, state_asked), []

    async def _command(
        self,
        event: Event,
        payload: wire.NewSingle | wire.NewOco | wire.Named | wire.Modify,
        read: Reader,
        after_error: Sequence[VenueMessage] = (),
        unsent: type[Refused | Unknown] = Refused,
    ) -> Outcome:
        """Ask, and judge what comes of it.

        What was not sent is refused: nothing happened. Only a cancel counts as open (`unsent`): it may be sent again,
        and whoever asked for it still wants the order to end.
        """
        try:
            outcome: Outcome = await self._conversation.ask(event, payload, read, after_error=list(after_error))
        except VenueError as error:
            return Refused(error.text)
        except NotSent as failure:
            return unsent(f"not sent: {failure}")
        except FeedError as failure:
            return Unknown(str(failure))
        return outcome

    def _acknowledged(self, row: wire.Answer, prepared: Prepared) -> tuple[Outcome, list[VenueMessage]]:
        """Read one acknowledgement: it binds the venue's id before the next frame uses it."""
        reason = row.reason or ""
        if status_of(row.status, reason_of(reason)) is VenueStatus.REJECTED:
            return Refused(reason or f"{VENUE} answered {row.status}"), []
        if row.order_id is None:
            raise ValueError("no orderId")
        order_id = check_id("orderId", str(row.order_id))
        seen = self._codec.remember(order_id)
        seen.type = prepared.order.type
        seen.is_leg = prepared.order.contingency_type is ContingencyType.OCO
        update = OrderUpdate(
            source=Source.ANSWER,
            venue_order_id=order_id,
            refs=prepared.refs,
            client_order_id=prepared.order.client_order_id,
            status=VenueStatus.WORKING,
            version=self._codec.stamp(),
            ts_event=self._codec.now_ns(),
        )
        messages: list[VenueMessage] = [update]
        if row.status.upper() != _NEW:
            messages.append(Readback(order_id, f"acknowledged as {row.status[:40]!r}"))
        return Accepted(order_id), messages

    def _canceled(self, row: wire.Answer, ref: OrderRef) -> list[VenueMessage]:
        order_id = _same_order(row, ref)
        if order_id is None or status_of(row.status, reason_of(row.reason or "")) is not VenueStatus.CANCELED:
            return [] if order_id is None else [Readback(order_id, "a cancel was taken")]
        canceled = OrderUpdate(
            source=Source.ANSWER,
            venue_order_id=order_id,
            refs=ref.refs,
            client_order_id=ref.client_order_id,
            status=VenueStatus.CANCELED,
            reason=row.reason or "",
            version=self._codec.stamp(),
            ts_event=self._codec.now_ns(),
        )
        # The answer does not say how much was filled before.
        return [canceled, Readback(order_id, "what was filled before the cancel")]

    def _changed(self, row: wire.Answer, ref: OrderRef) -> list[VenueMessage]:
        order_id = _same_order(row, ref)
        if order_id is None:
            return []
        return [
            OrderUpdate(
                source=Source.ANSWER,
                venue_order_id=order_id,
                refs=ref.refs,
                client_order_id=ref.client_order_id,
                status=VenueStatus.WORKING,
                quantity=_positive(row.quantity),
                price=_positive(row.price),
                trigger_price=_positive(row.stop_price),
                version=self._codec.stamp(),
                ts_event=self._codec.now_ns(),
            )
        ]


def _same_order(row: wire.Answer, ref: OrderRef) -> str | None:
    """Return the venue's id of the order an answer is about.

    Raises
    ------
    ValueError
        If it names another one than was asked for.
    """
    told = None if row.order_id is None else check_id("orderId", str(row.order_id))
    if told is not None and ref.venue_order_id is not None and told != ref.venue_order_id:
        raise ValueError(f"answer about order {told} to a request about {ref.venue_order_id}")
    return told or ref.venue_order_id


def _positive(value: Decimal | None) -> Decimal | None:
    """Return a price or quantity; zero means that there is none.

    Raises
    ------
    ValueError
        If it is negative or absurd.
    """
    check_sane(value)
    if value is not None and value < 0:
        raise ValueError(f"{value} is negative")
    return value or None
