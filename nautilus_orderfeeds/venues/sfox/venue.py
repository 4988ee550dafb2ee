"""One account at sFOX: order entry, private feeds and queries behind `venues.base.Venue`."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.stream import Stream
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.requests import Amend, Denied, NewOrder, OrderRef, Outcome, Refused
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.answers import Answer
from nautilus_orderfeeds.venues.base import Prepared, Truth, VenueMessage
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.instruments import InstrumentSpec, places
from nautilus_orderfeeds.venues.opened import opened
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.account import account_update, decode_balances, owed
from nautilus_orderfeeds.venues.sfox.api import SfoxApi
from nautilus_orderfeeds.venues.sfox.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec, inferred_trade_id, order_ref
from nautilus_orderfeeds.venues.sfox.entry import OrderEntry
from nautilus_orderfeeds.venues.sfox.frames import PrivateDecoder
from nautilus_orderfeeds.venues.sfox.limits import BALANCES
from nautilus_orderfeeds.venues.sfox.listing import read_listing
from nautilus_orderfeeds.venues.sfox.prepare import create_request, terms_of
from nautilus_orderfeeds.venues.sfox.queries import OrderQueries
from nautilus_orderfeeds.venues.sfox.settings import SfoxSettings
from nautilus_orderfeeds.venues.sfox.stream import PrivateStream
from nautilus_orderfeeds.venues.sfox.trades import TradeReader
from nautilus_orderfeeds.venues.sfox.words import VENUE

_log = logging.getLogger(__name__)

#: Balances read so recently are not read again with the orders: the venue allows it 5 times in 10 s, and they are
#: told by a feed and asked for after fills anyway.
_BALANCE_AGE_SECS: Final = 1.0


class SfoxVenue:
    """Implements `venues.base.Venue` and `venues.base.LooksUp`.

    Parameters
    ----------
    settings : SfoxSettings
        Addresses, credentials, limits.
    clock : Clock, optional
        Source of time.
    """

    def __init__(self, settings: SfoxSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or LiveClock()
        self._stream = PrivateStream(settings, self._clock)
        self._codec = OrderCodec()
        user_id = settings.user_id if settings.enterprise else None
        self._frames = PrivateDecoder(self._codec, user_id, self._stream.refused)
        self._specs: dict[str, InstrumentSpec] = {}
        self._api: SfoxApi | None = None
        self._entry: OrderEntry | None = None
        self._queries: OrderQueries | None = None
        self._trades: TradeReader | None = None
        self._balances_read = float("-inf")
        self._debts: Set[str] = frozenset()
        # Watermark of the latest whole reading, UNIX ns: older fills have all been taken in.
        self._watermark_ns = 0

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return CAPABILITIES

    async def open(self) -> None:
        """Make the user token if one is needed, and check the credentials (protocol, 3).

        Raises
        ------
        FatalFeedError
            If a credential is missing or refused, or the account owes something and that is not allowed.
        TransientFeedError
            If the venue cannot be reached now.
        """
        self._settings.require_account()
        if self._api is None:
            self._api = SfoxApi(self._settings, self._clock)
        try:
            await self._api.credentials.open()
            self._check_debts(await self._read_balances(self._api, Priority.NORMAL) or ())
        except BaseException:
            await self.close()
            raise
        self._queries = OrderQueries(self._api, self._codec, self._clock, self._settings.absent_after_secs)
        self._entry = OrderEntry(self._api, self._codec, self._queries)
        self._trades = TradeReader(self._api, self._codec)

    async def close(self) -> None:
        """Release everything; idempotent."""
        api, self._api = self._api, None
        self._entry = self._queries = self._trades = None
        if api is not None:
            await api.close()

    def use_marks(self, load: Callable[[str], int], save: Callable[[str, int], None]) -> None:
        """Do nothing: no number of ours must rise across restarts."""

    async def instruments(self) -> list[InstrumentSpec]:
        """Return the tradable pairs (``GET /v1/markets/currency-pairs``); raises `FeedError`."""
        return await read_listing(opened(self._api, VENUE), self._settings)

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to trade."""
        self._specs.update((spec.symbol, spec) for spec in specs)

    def rules(self, spec: InstrumentSpec) -> Rules:
        """Return the reducer's rules: trades are told by a feed of their own, so an inferred fill waits for them."""
        precision = spec.price_precision
        return Rules(
            inferred_trade_id=inferred_trade_id,
            price_precision=places(spec.price_increment) if precision is None else precision,
            maker_fee=spec.maker_fee,
            taker_fee=spec.taker_fee,
        )

    def streams(self) -> Sequence[Stream]:
        """Return the stream of orders, fills and balances."""
        return [self._stream]

    def attach(self, send: Callable[[bytes | str], Awaitable[None]]) -> None:
        """Do nothing: orders go over REST."""

    def decode(self, raw: bytes) -> list[VenueMessage]:
        """Decode one frame of the stream; raises `FrameError`."""
        return self._frames.decode(raw)

    async def resync(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Read open orders, then what of `refs` is not among them, fills, and the account.

        Raises
        ------
        FeedError
            If any part could not be read.
        """
        self._watermark_ns = since_ns
        self._recall(refs)
        updates = await opened(self._queries, VENUE).open_orders()
        open_ids = {update.venue_order_id for update in updates}
        open_keys = {key for update in updates for key in update.refs}
        missing = [ref for ref in refs if ref.venue_order_id not in open_ids and open_keys.isdisjoint(ref.refs)]
        truth = await self.look_up(missing, since_ns)
        # Orders first: fills have no terms by which an order entered elsewhere could be taken up.
        truth.updates = [*updates, *truth.updates]
        if self._clock.monotonic() - self._balances_read > _BALANCE_AGE_SECS:
            truth.account = await self._account(Priority.NORMAL)
        return truth

    async def look_up(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Read the orders of `refs`, one by one, and all fills since then (UNIX ns) that are not known.

        Raises
        ------
        FeedError
            If any part could not be read.
        """
        self._recall(refs)
        found = await opened(self._queries, VENUE).find(refs)
        assert self._trades is not None
        # An order may be old, and fills can only be read from the newest backwards.
        trades = await self._trades.since(max(since_ns, self._watermark_ns))
        return Truth(updates=[*found.updates, *trades], absent=found.absent)

    async def account(self) -> AccountUpdate | None:
        """Read the balances (``GET /v1/user/balance``); None if they are not told here. Raises `FeedError`."""
        return await self._account(Priority.READ)

    async def history(self, since_ns: int) -> list[OrderUpdate]:
        """Return the orders that ended since then (UNIX ns); raises `FeedError`."""
        return await opened(self._queries, VENUE).closed_orders(since_ns)

    def check_list(self, orders: Sequence[NewOrder]) -> None:
        """Check nothing: contingent orders are denied one by one, and others have nothing to do with each other."""

    async def reference_price(self, symbol: str, side: OrderSide) -> Decimal | None:
        """Return None: no order needs one."""
        return None

    def prepare(self, order: NewOrder) -> Prepared:
        """Check an order and write its request.

        Raises
        ------
        Denied
            With the reason; nothing is sent.
        """
        spec = self._specs.get(order.symbol)
        if spec is None:
            raise Denied(f"{order.symbol} is no pair of {VENUE}, or not loaded")
        request = create_request(order, spec, self._settings, self._clock.time_ns())
        self._codec.expect(order.client_order_id, terms_of(order, request.order))
        return Prepared(order=order, refs=(order_ref(order.client_order_id),), wire=request)

    async def submit(self, prepared: Prepared) -> Answer:
        """Send one order, once (``POST /v1/orders/:side``)."""
        return (_NOT_OPEN, []) if self._entry is None else await self._entry.create(prepared.wire)

    async def submit_list(self, prepared: Sequence[Prepared]) -> list[Answer]:
        """Send several orders, one after the other; outcomes in the order given."""
        return [await self.submit(each) for each in prepared]

    async def cancel(self, ref: OrderRef) -> Answer:
        """Ask for a cancel (``DELETE /v1/orders/:order_id``)."""
        return (_NOT_OPEN, []) if self._entry is None else await self._entry.cancel(ref)

    async def cancel_many(self, refs: Sequence[OrderRef]) -> list[Answer]:
        """Ask for several cancels and no others (``DELETE /v1/orders?ids=``); outcomes in the order given."""
        if self._entry is None:
            return [(_NOT_OPEN, []) for _ in refs]
        return await self._entry.cancel_many(refs)

    async def amend(self, amend: Amend) -> Answer:
        """Change a live order in place (``PATCH /v1/orders/:order_id``); raises `Denied` for what is not allowed."""
        if self._entry is None:
            return _NOT_OPEN, []
        return await self._entry.amend(amend, self._specs.get(amend.ref.symbol))

    def _recall(self, refs: Sequence[OrderRef]) -> None:
        """Remember what was ordered in an earlier run: what the venue tells of an order is mostly a subset."""
        for ref in refs:
            if ref.terms is not None and order_ref(ref.client_order_id) in ref.refs:
                self._codec.recall(ref.terms, ref.venue_order_id)

    async def _account(self, priority: Priority) -> AccountUpdate | None:
        balances = await self._read_balances(opened(self._api, VENUE), priority)
        if balances is None:
            return None
        self._note_debts(balances)
        try:
            return account_update(balances, complete=True)
        except ValueError as exc:
            raise TransientFeedError(f"{VENUE}: unreadable balances: {exc}") from None

    async def _read_balances(self, api: SfoxApi, priority: Priority) -> list[wire.Balance] | None:
        began = self._clock.monotonic()
        balances = await api.optional("/v1/user/balance", decode_balances, route=BALANCES, priority=priority)
        self._balances_read = began
        return balances

    def _check_debts(self, balances: Sequence[wire.Balance]) -> None:
        if not self._settings.allow_negative_balances and (told := _told(owed(balances))):
            raise FatalFeedError(
                f"{VENUE}: the account owes something ({told}), which a cash account cannot show: settle it, or set "
                "allow_negative_balances=True to have such currencies shown as zero"
            )
        self._note_debts(balances)

    def _note_debts(self, balances: Sequence[wire.Balance]) -> None:
        """Say it once that a currency is owed: it is shown as zero."""
        debts = owed(balances)
        if debts.keys() - self._debts:
            _log.warning("%s: the account owes something (%s); such currencies are shown as zero", VENUE, _told(debts))
        self._debts = debts.keys()


def _told(debts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{plain(balance)} {currency}" for currency, balance in debts.items())


_NOT_OPEN: Final[Outcome] = Refused(f"not sent: {VENUE} is not open")
