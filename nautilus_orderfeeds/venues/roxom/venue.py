"""One account at Roxom: order entry, private stream and queries behind `venues.base.Venue`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final

from msgspec import structs

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError
from nautilus_orderfeeds.feed.stream import Stream
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.requests import Amend, Denied, NewOrder, OrderRef, Outcome, Refused
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate, Position
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.answers import Answer
from nautilus_orderfeeds.venues.base import Prepared, Told, Truth, VenueMessage
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.decoding import is_id
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.opened import opened
from nautilus_orderfeeds.venues.roxom.account import decode_balances, decode_position
from nautilus_orderfeeds.venues.roxom.api import RoxomApi
from nautilus_orderfeeds.venues.roxom.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.roxom.codec import OrderCodec, inferred_trade_id
from nautilus_orderfeeds.venues.roxom.entry import Creates, OrderEntry, create_request, price_places_of
from nautilus_orderfeeds.venues.roxom.frames import PrivateDecoder
from nautilus_orderfeeds.venues.roxom.identity import Terms, client_id_key
from nautilus_orderfeeds.venues.roxom.market_codec import decode_book
from nautilus_orderfeeds.venues.roxom.products import decode_instruments, known_instruments
from nautilus_orderfeeds.venues.roxom.queries import OrderQueries
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.signing import authenticator
from nautilus_orderfeeds.venues.roxom.stream import PrivateStream
from nautilus_orderfeeds.venues.roxom.words import INST_TYPE, UNIT, VENUE

_log = logging.getLogger(__name__)

_NS_PER_MS: Final = 1_000_000


class RoxomVenue:
    """Implements `venues.base.Venue`, `venues.base.LooksUp` and `venues.base.KnowsOrders`.

    Parameters
    ----------
    settings : RoxomSettings
        Addresses, credentials, how the documents are read.
    clock : Clock, optional
        Source of time.
    """

    def __init__(self, settings: RoxomSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or LiveClock()
        self._codec = OrderCodec(settings, self._clock)
        self._creates = Creates()
        self._frames = PrivateDecoder(self._codec, lambda: bool(self._creates))
        self._specs: dict[str, InstrumentSpec] = {}
        self._api: RoxomApi | None = None
        self._entry: OrderEntry | None = None
        self._queries: OrderQueries | None = None
        self._told_of_positions = False
        self._orders_told: Callable[[str], Told | None] = lambda order_id: None

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return CAPABILITIES

    async def open(self) -> None:
        """Check reachability and credentials.

        Raises
        ------
        FatalFeedError
            If a credential is missing or refused, named with its environment variable.
        TransientFeedError
            If the venue cannot be reached now.
        """
        self._settings.require_credentials()
        if self._api is None:
            self._api = RoxomApi(self._settings, self._clock, authenticator(self._settings, self._clock))
        try:
            await self._api.probe()
            if await self.account() is None:
                await self._api.find_prefix("/orders", {"instType": INST_TYPE, "unit": UNIT})
        except BaseException:
            await self.close()
            raise
        self._entry = OrderEntry(self._api, self._codec.memories, self._creates)
        self._queries = OrderQueries(self._api, self._codec, self._settings, self._clock, self._creates, self._told)

    async def close(self) -> None:
        """Release everything; idempotent."""
        api, self._api = self._api, None
        self._entry = self._queries = None
        if api is not None:
            await api.close()

    def use_marks(self, load: Callable[[str], int], save: Callable[[str, int], None]) -> None:
        """Do nothing: the venue numbers nothing."""

    @property
    def arrival_secs(self) -> float:
        """How far the creation of an order of ours may be from when it was recorded, also if it waited to be sent."""
        settings = self._settings
        return max(settings.clock_tolerance_secs, settings.match_window_secs) + 2 * settings.timeout_secs

    def use_orders(self, told: Callable[[str], Told | None]) -> None:
        """Take what says how far the account's orders have been told, also those of earlier runs."""
        self._orders_told = told

    async def instruments(self) -> list[InstrumentSpec]:
        """Return the active perpetuals: what is known for certain, and the sane rows of the listing."""
        return await read_instruments(opened(self._api, VENUE))

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to trade."""
        self._specs.update((spec.symbol, spec) for spec in specs)

    def rules(self, spec: InstrumentSpec) -> Rules:
        """Return the reducer's rules: nothing but cumulative numbers is told, so fills are inferred at once."""
        settings = self._settings
        return Rules(
            inferred_trade_id=inferred_trade_id,
            price_precision=price_places_of(spec),
            maker_fee=spec.maker_fee if settings.maker_fee is None else settings.maker_fee,
            taker_fee=spec.taker_fee if settings.taker_fee is None else settings.taker_fee,
            infer_at_once=True,
        )

    def streams(self) -> Sequence[Stream]:
        """Return the account's stream."""
        return [PrivateStream(self._settings, authenticator(self._settings, self._clock))]

    def attach(self, send: Callable[[bytes | str], Awaitable[None]]) -> None:
        """Do nothing: orders go over REST."""

    def decode(self, raw: bytes) -> list[VenueMessage]:
        """Decode one frame of the stream; raises `FrameError`."""
        return self._frames.decode(raw)

    async def resync(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Read open orders, what of `refs` is not among them, their fills, positions and balances.

        Raises
        ------
        FeedError
            If any part could not be read.
        """
        found = await opened(self._queries, VENUE).read(refs)
        positions = await self._positions()
        return Truth(
            updates=found.updates,
            absent=found.absent,
            unsure=found.unsure,
            account=await self.account(),
            positions=positions,
        )

    async def look_up(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Read the open orders and what of `refs` is not among them, with their fills; raises as `resync`."""
        found = await opened(self._queries, VENUE).read(refs)
        return Truth(updates=found.updates, absent=found.absent, unsure=found.unsure)

    async def account(self) -> AccountUpdate | None:
        """Read the balances (``GET /accounts/balance``); None if they are not told here. Raises `FeedError`."""
        return await opened(self._api, VENUE).optional("/accounts/balance", decode_balances, {"unit": UNIT})

    async def history(self, since_ns: int) -> list[OrderUpdate]:
        """Return the orders created since then (UNIX ns) that have ended; raises `FeedError`."""
        return await opened(self._queries, VENUE).closed_orders(since_ns)

    def check_list(self, orders: Sequence[NewOrder]) -> None:
        """Check nothing: contingent orders are denied one by one, and others have nothing to do with each other."""

    async def reference_price(self, symbol: str, side: OrderSide) -> Decimal | None:
        """Return the best opposite price of the book over REST, for the first market order of an instrument.

        The venue bounds market orders itself. But only a price that is known to be in BTC shows whether those of the
        events are (protocol, 5.3), and a market order brings none.
        """
        if self._codec.memories.knows_px(symbol):
            return None
        spec = self._specs.get(symbol)
        if spec is None:
            return None
        query = {"symbol": spec.raw_symbol, "instType": INST_TYPE, "levels": "1", "unit": UNIT}
        try:
            book = await opened(self._api, VENUE).read(
                "/orderbook/snapshot", lambda body: decode_book(body, symbol), query
            )
        except FeedError as exc:
            _log.warning("%s: no price of %s by which the unit of its fills could be told: %s", VENUE, symbol, exc)
            return None
        levels = book.asks if side is OrderSide.BUY else book.bids
        return levels[0][0] if levels else None

    def prepare(self, order: NewOrder) -> Prepared:
        """Check an order, name it, and write its request.

        Raises
        ------
        Denied
            With the reason; nothing is sent.
        """
        spec = self._specs.get(order.symbol)
        if spec is None:
            raise Denied(f"{order.symbol} is no active instrument of {VENUE}, or not loaded")
        now_ns = self._clock.time_ns()
        CAPABILITIES.check(order, spec, now_ns)
        _check_wire_values(order, now_ns)
        if not is_id(order.client_order_id):
            raise Denied(f"client order id {order.client_order_id!r} is not printable ASCII text")
        request = create_request(order, spec, send_client_order_id=self._settings.send_client_order_id)
        self._codec.memories.learn_px(order.symbol, order.price or order.trigger_price or order.reference_price)
        refs: tuple[str, ...] = (Terms.of(order, now_ns).key,)
        if self._settings.send_client_order_id:
            refs = (*refs, client_id_key(order.client_order_id))
        return Prepared(order=order, refs=refs, wire=request)

    async def submit(self, prepared: Prepared) -> Answer:
        """Send one order, once (``POST /orders``)."""
        terms = self._terms(prepared)
        if self._entry is None or terms is None:
            return _NOT_OPEN, []
        return await self._entry.create(prepared.wire, terms)

    async def submit_list(self, prepared: Sequence[Prepared]) -> list[Answer]:
        """Send several orders, one after the other; outcomes in the order given.

        What has not been sent when the limit of one call is over is not sent any more: whoever waits for the outcomes
        waits for twice as long, and could not tell then what was sent.
        """
        loop = asyncio.get_running_loop()
        last_secs = loop.time() + self._settings.timeout_secs
        with self._creates.of(*(terms for one in prepared if (terms := self._terms(one)) is not None)):
            return [await self.submit(one) if loop.time() < last_secs else (_TOO_LATE, []) for one in prepared]

    async def cancel(self, ref: OrderRef) -> Answer:
        """Ask for a cancel (``POST /orders/{id}/cancel``)."""
        return (_NOT_OPEN, []) if self._entry is None else await self._entry.cancel(ref)

    async def cancel_many(self, refs: Sequence[OrderRef]) -> list[Answer]:
        """Ask for several cancels and no others, one request each; outcomes in the order given."""
        if self._entry is None:
            return [(_NOT_OPEN, []) for _ in refs]
        return await self._entry.cancel_many(refs)

    async def amend(self, amend: Amend) -> Answer:
        """Refuse: the venue has no such call."""
        return Refused(f"{VENUE} cannot change orders; nothing was sent"), []

    async def _positions(self) -> list[Position] | None:
        """Read the net positions, symbol by symbol; None if they come in a shape that cannot be trusted."""
        api = opened(self._api, VENUE)

        async def read(spec: InstrumentSpec) -> Position | None:
            query = {"instType": INST_TYPE, "symbol": spec.raw_symbol, "unit": UNIT}
            found = await api.optional("/positions", lambda body: [decode_position(body, spec.symbol)], query)
            return None if found is None else found[0]

        told = await asyncio.gather(*map(read, self._specs.values()))
        if None in told:
            if not self._told_of_positions:
                self._told_of_positions = True
                _log.warning(
                    "%s: positions are not told, or in the older shape, whose scale is not documented: not used", VENUE
                )
            return None
        return [position for position in told if position is not None and position.signed_qty]

    def _terms(self, prepared: Prepared) -> Terms | None:
        terms = next((terms for key in prepared.refs if (terms := Terms.read(key)) is not None), None)
        if terms is None:
            return None
        return structs.replace(terms, strategy_id=prepared.order.strategy_id, recorded_ns=self._clock.time_ns())

    def _told(self, order_id: str) -> Told | None:
        return self._orders_told(order_id)


def _check_wire_values(order: NewOrder, now_ns: int) -> None:
    """Deny what the framework may let through, but the wire's fields cannot say (protocol, 4.1)."""
    needs_price = order.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    if needs_price and (order.price is None or order.price <= 0):
        raise Denied(f"a {order.type.name} order needs a positive price")
    needs_trigger = order.type in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
    if needs_trigger and (order.trigger_price is None or order.trigger_price <= 0):
        raise Denied(f"a {order.type.name} order needs a positive trigger price")
    if order.time_in_force is TimeInForce.GTD and order.expire_time_ns // _NS_PER_MS <= now_ns // _NS_PER_MS:
        raise Denied(f"{VENUE} is told an expire_time in whole milliseconds: this one would be in the past")


async def read_instruments(api: RoxomApi) -> list[InstrumentSpec]:
    """Read the listing; without one, return what is known for certain: its documented path has been found wrong."""
    try:
        return await api.read("/market/instruments", decode_instruments, {"tradeable": "true", "unit": UNIT})
    except FatalFeedError:
        raise
    except FeedError as exc:
        _log.warning("%s: no listing of instruments, only what is known is used: %s", VENUE, exc)
        return known_instruments()


_NOT_OPEN: Final[Outcome] = Refused(f"not sent: {VENUE} is not open")
_TOO_LATE: Final[Outcome] = Refused("not sent: the orders before it in its list took too long")
