"""One login at ActTrader: order entry, executions and queries, all over one WebSocket, behind `venues.base.Venue`."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.limits import Rate, RateLimiter
from nautilus_orderfeeds.feed.stream import Stream
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.requests import Amend, Denied, NewOrder, OrderRef, Refused
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate, Source
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide
from nautilus_orderfeeds.venues.acttrader import wire
from nautilus_orderfeeds.venues.acttrader.capabilities import capabilities_of
from nautilus_orderfeeds.venues.acttrader.codec import OrderCodec, trade_id
from nautilus_orderfeeds.venues.acttrader.conversation import Conversation
from nautilus_orderfeeds.venues.acttrader.entry import OrderEntry
from nautilus_orderfeeds.venues.acttrader.identity import leg_refs, single_refs
from nautilus_orderfeeds.venues.acttrader.queries import OrderQueries
from nautilus_orderfeeds.venues.acttrader.requests import RequestWriter, check_pair
from nautilus_orderfeeds.venues.acttrader.settings import ActTraderSettings
from nautilus_orderfeeds.venues.acttrader.stream import OrderStream
from nautilus_orderfeeds.venues.acttrader.words import VENUE, Event, status_of
from nautilus_orderfeeds.venues.answers import Answer
from nautilus_orderfeeds.venues.base import Prepared, Readback, Truth, VenueMessage
from nautilus_orderfeeds.venues.capabilities import Capabilities, check_numbers
from nautilus_orderfeeds.venues.decoding import decode, is_id
from nautilus_orderfeeds.venues.instruments import InstrumentSpec, places

_log = logging.getLogger(__name__)

#: Bare words such as `heartbeat`: no message of the protocol, and no fault.
_BARE_WORD: Final = re.compile(rb"\s*(?!(?:null|true|false)\s*$)[A-Za-z][A-Za-z _-]{0,31}\s*")

_NS_PER_SEC: Final = 1_000_000_000


class ActTraderVenue:
    """Implements `venues.base.Venue`.

    Parameters
    ----------
    settings : ActTraderSettings
        Address, dialect, login, limits.
    clock : Clock, optional
        Source of time.
    """

    def __init__(self, settings: ActTraderSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or LiveClock()
        self._capabilities = capabilities_of(settings.dialect, sole_login=settings.sole_login)
        limiter = RateLimiter({"*": Rate(settings.requests_per_sec, 1.0)}, clock=self._clock)
        self._conversation = Conversation(limiter, self._clock, settings.timeout_secs)
        self._codec = OrderCodec(self._clock)
        self._writer = RequestWriter(settings)
        self._entry = OrderEntry(self._conversation, self._codec)
        self._queries = OrderQueries(
            self._conversation, self._codec, settings.dialect, settings.lookback_mins, self._may_be_on_its_way
        )
        self._specs: dict[str, InstrumentSpec] = {}
        # An order of an earlier run may have been sent right before this one began.
        self._born_ns = self._clock.time_ns()
        self._sent_ns: dict[str, int] = {}
        self._timeout_ns = int(settings.timeout_secs * _NS_PER_SEC)
        self._auth_answer_due = False

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do in this dialect."""
        return self._capabilities

    async def open(self) -> None:
        """Check the settings; the address itself is tried by the stream.

        Raises
        ------
        FatalFeedError
            If one is missing or wrong.
        """
        self._settings.check()

    async def close(self) -> None:
        """Tell all who wait that nothing will come; idempotent."""
        self._conversation.ended()

    def use_marks(self, load: Callable[[str], int], save: Callable[[str, int], None]) -> None:
        """Do nothing: the protocol numbers nothing."""

    async def instruments(self) -> list[InstrumentSpec]:
        """Return nothing: the protocol has no listing, they come from the `instruments` file."""
        return []

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to trade."""
        self._specs.update((spec.symbol, spec) for spec in specs)
        self._codec.use_instruments(specs)

    def rules(self, spec: InstrumentSpec) -> Rules:
        """Return the reducer's rules: fills are told, if not by `execution` then by `orderstatus`."""
        precision = spec.price_precision
        return Rules(
            inferred_trade_id=trade_id,
            price_precision=places(spec.price_increment) if precision is None else precision,
            maker_fee=spec.maker_fee,
            taker_fee=spec.taker_fee,
            quote_as_last_resort=True,
        )

    def streams(self) -> Sequence[Stream]:
        """Return the one stream."""
        return [OrderStream(self._settings, self._on_auth, self._on_end)]

    def attach(self, send: Callable[[bytes | str], Awaitable[None]]) -> None:
        """Take the way to send requests."""
        self._conversation.attach(send)

    def decode(self, raw: bytes) -> list[VenueMessage]:
        """Decode one frame: an execution, or an answer, which is handed to who asked.

        Raises
        ------
        FrameError
            If it is malformed or of an unknown event. A bare word (``heartbeat``) is neither.
        """
        if _BARE_WORD.fullmatch(raw):
            return []
        try:
            envelope = decode(VENUE, wire.ENVELOPE, raw, "an object with an event (protocol 3)")
            if envelope.event == Event.EXECUTION.value:
                return self._execution(envelope, raw)
            return self._conversation.answer(envelope, raw)
        except FrameError:
            if not self._auth_answer_due:
                raise
            _log.info("%s: a frame in answer to auth_message", VENUE)
            return []
        finally:
            self._auth_answer_due = False

    def _execution(self, envelope: wire.Envelope, raw: bytes) -> list[VenueMessage]:
        expected = "an execution (protocol 5.7)"
        body = envelope.body
        if body is None:
            raise FrameError(VENUE, raw, f"{expected} with a payload")
        order = decode(VENUE, wire.ORDER, body, expected)
        if status_of(order.status, "") is None:
            # Its quantities are not lost: the account is read after a fault, where an unknown word hides nothing.
            raise FrameError(VENUE, raw, f"{expected} with a documented status (protocol 4)")
        try:
            reading = self._codec.read(order, Source.STREAM)
        except ValueError as exc:
            raise FrameError(VENUE, raw, f"{expected} ({exc})") from None
        messages: list[VenueMessage] = [reading.update]
        if reading.needs_status:
            messages.append(Readback(reading.update.venue_order_id, "an execution does not list its fills"))
        return messages

    def _on_auth(self) -> None:
        self._auth_answer_due = True

    def _on_end(self) -> None:
        self._auth_answer_due = False
        self._conversation.ended()

    async def resync(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Find out what became of `refs`, and with `sole_login` of every other order that is listed.

        Raises
        ------
        FeedError
            If any question was not answered.
        """
        found = await self._queries.find(refs, with_list=True, and_others=self._settings.sole_login)
        return Truth(updates=found.updates, absent=found.absent)

    async def look_up(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Find out what became of `refs`, each by a question of its own; raises `FeedError`."""
        found = await self._queries.find(refs, with_list=False)
        return Truth(updates=found.updates, absent=found.absent)

    async def account(self) -> AccountUpdate | None:
        """Return None: the protocol has no balances."""
        return None

    async def history(self, since_ns: int) -> list[OrderUpdate]:
        """Return nothing: `resync` reads what is listed of ended orders, where they are known to be the login's."""
        return []

    def prepare(self, order: NewOrder) -> Prepared:
        """Check an order, name it, and write its request.

        Raises
        ------
        Denied
            With the reason; nothing is sent.
        """
        spec = self._spec(order.symbol)
        self._capabilities.check(order, spec, self._clock.time_ns())
        if not is_id(order.client_order_id):
            raise Denied(f"client order id {order.client_order_id!r} is not printable ASCII text")
        if order.contingency_type is ContingencyType.OCO:
            self._writer.force(order)
            return Prepared(order=order, refs=leg_refs(order), wire=self._writer.leg(order))
        return Prepared(
            order=order, refs=single_refs(order.client_order_id), wire=self._writer.single(order, spec.raw_symbol)
        )

    def check_list(self, orders: Sequence[NewOrder]) -> None:
        """Check that contingent orders are an OCO pair; raises `Denied` (protocol, 5.3)."""
        if all(order.contingency_type is ContingencyType.NO_CONTINGENCY for order in orders):
            return
        if any(order.contingency_type is not ContingencyType.OCO for order in orders):
            raise Denied(f"{VENUE} knows OCO pairs, and brackets of an entry with children of the other side, alone")
        check_pair(orders)

    async def reference_price(self, symbol: str, side: OrderSide) -> Decimal | None:
        """Return None: market orders need no bound."""
        return None

    async def submit(self, prepared: Prepared) -> Answer:
        """Send one order, once (`newordersingle`)."""
        self._note_sent(prepared)
        return await self._entry.create(prepared)

    async def submit_list(self, prepared: Sequence[Prepared]) -> list[Answer]:
        """Send an OCO pair as one (`neworderoco`), other orders one after the other; outcomes in the order given."""
        orders = [one.order for one in prepared]
        if any(order.contingency_type is ContingencyType.OCO for order in orders):
            for one in prepared:
                self._note_sent(one)
            request = self._writer.pair(orders[0], orders[1], self._spec(orders[0].symbol).raw_symbol)
            return await self._entry.create_pair(prepared, request)
        return list(await asyncio.gather(*(self.submit(one) for one in prepared)))

    async def cancel(self, ref: OrderRef) -> Answer:
        """Ask for a cancel (`ordercancel`)."""
        try:
            request = self._writer.cancel(ref)
        except Denied as denied:
            return Refused(f"not sent: {denied.reason}"), []
        return await self._entry.cancel(ref, request)

    async def cancel_many(self, refs: Sequence[OrderRef]) -> list[Answer]:
        """Ask for several cancels, one after the other; outcomes in the order given."""
        return list(await asyncio.gather(*(self.cancel(ref) for ref in refs)))

    async def amend(self, amend: Amend) -> Answer:
        """Change an order in place (`modifyordersingle`); raises `Denied` for what the venue cannot change."""
        request = self._writer.amend(amend, self._codec.seen(amend.ref.venue_order_id))
        check_numbers(self._spec(amend.ref.symbol), amend.quantity, amend.price, amend.trigger_price)
        return await self._entry.amend(amend, request)

    def _spec(self, symbol: str) -> InstrumentSpec:
        spec = self._specs.get(symbol)
        if spec is None:
            raise Denied(f"{symbol} is no loaded instrument of {VENUE}: add it to the `instruments` file")
        return spec

    def _note_sent(self, prepared: Prepared) -> None:
        now_ns = self._clock.time_ns()
        # What was sent longer ago is on its way no more: it is forgotten.
        while self._sent_ns and now_ns - next(iter(self._sent_ns.values())) > self._timeout_ns:
            del self._sent_ns[next(iter(self._sent_ns))]
        self._sent_ns[prepared.order.client_order_id] = now_ns

    def _may_be_on_its_way(self, client_order_id: str) -> bool:
        sent_ns = self._sent_ns.get(client_order_id, self._born_ns)
        return self._clock.time_ns() - sent_ns <= self._timeout_ns
