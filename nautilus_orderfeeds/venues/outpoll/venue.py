"""One account at Outpoll: orders over REST, streams that only hint, and the reading back that tells what happened."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import NotServed, TransientFeedError
from nautilus_orderfeeds.feed.stream import Stream
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.requests import Accepted, Amend, Denied, NewOrder, OrderRef, Outcome, Refused
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate, Position
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType
from nautilus_orderfeeds.venues.answers import Answer
from nautilus_orderfeeds.venues.base import Prepared, Truth, VenueMessage
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.decoding import is_id
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.opened import opened
from nautilus_orderfeeds.venues.outpoll import entry, wire
from nautilus_orderfeeds.venues.outpoll.account import BalanceReader
from nautilus_orderfeeds.venues.outpoll.api import OutpollApi
from nautilus_orderfeeds.venues.outpoll.capabilities import CAPABILITIES, TPSL_CAPABILITIES
from nautilus_orderfeeds.venues.outpoll.ledger import Ledger
from nautilus_orderfeeds.venues.outpoll.pairs import entry_of, pair_of
from nautilus_orderfeeds.venues.outpoll.products import MAX_PRICE, MIN_PRICE, spec_of
from nautilus_orderfeeds.venues.outpoll.queries import Queries, Reading
from nautilus_orderfeeds.venues.outpoll.readback import inferred_trade_id
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.signing import CLOCKS_SECS, Signer
from nautilus_orderfeeds.venues.outpoll.streams import balance_updates, order_feed, order_updates
from nautilus_orderfeeds.venues.outpoll.tpsl import Listing, TpslReader
from nautilus_orderfeeds.venues.outpoll.words import VENUE

_log = logging.getLogger(__name__)

#: Prices of derived fills keep this many decimals (protocol, 13.5: all of them).
_PRICE_PLACES: Final = 9

#: While they do not agree with the balances yet, positions are read again after this time at the latest.
_POSITIONS_SECS: Final = 1.0


class OutpollVenue:
    """Implements `venues.base.Venue`, `LooksUp` and `KnowsOrders`.

    Parameters
    ----------
    settings : OutpollSettings
        Addresses, credentials, what to assume of what is not documented.
    clock : Clock, optional
        Source of time.
    """

    def __init__(self, settings: OutpollSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or LiveClock()
        self._capabilities = TPSL_CAPABILITIES if settings.tpsl else CAPABILITIES
        self._specs: dict[str, InstrumentSpec] = {}
        self._ledger = Ledger(settings, self._clock, self._specs)
        self._positions_read = False
        self._has_positions = self._has_balances = True
        self._signer: Signer | None = None
        self._api: OutpollApi | None = None
        self._queries: Queries | None = None
        self._balances: BalanceReader | None = None
        self._tpsl: TpslReader | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return self._capabilities

    async def open(self) -> None:
        """Check reachability and credentials, by reading the account.

        Raises
        ------
        FatalFeedError
            If a credential is missing or refused.
        TransientFeedError
            If the venue cannot be reached now.
        """
        self._settings.require_credentials()
        self._signer = Signer(self._settings.api_key, self._settings.api_secret)
        if self._api is None:
            self._api = OutpollApi(self._settings, self._clock, self._signer)
        self._queries = Queries(self._api, self._settings, self._clock)
        self._balances = BalanceReader(self._settings, self._signer, self._clock)
        self._tpsl = TpslReader(self._api, self._settings, self._ledger.wallet)
        try:
            await self._find_services(self._queries, self._balances)
        except BaseException:
            await self.close()
            raise

    async def _find_services(self, queries: Queries, balances: BalanceReader) -> None:
        """Find out which of the services that can be done without are there; the order lists must be."""
        self._has_positions = self._has_balances = True
        try:
            await queries.positions()
        except NotServed as e:
            self._has_positions = False
            _log.warning("%s; positions are those of the fills that are told", e)
            await queries.active()
        try:
            self._ledger.take_balances(await balances.read())
        except NotServed as e:
            self._has_balances = False
            _log.warning(
                "%s; the account has the config's `starting_balances`, and what an order has filled is known only if "
                "the history calls it FILLED, or with `trades_fields`",
                e,
            )

    async def close(self) -> None:
        """Release everything; idempotent."""
        api, self._api = self._api, None
        self._queries = self._balances = self._tpsl = None
        if api is not None:
            await api.close()

    def use_marks(self, load: Callable[[str], int], save: Callable[[str, int], None]) -> None:
        """Do nothing: no number has to rise across restarts."""

    async def instruments(self) -> list[InstrumentSpec]:
        """Return the instruments of open positions: the venue's search is not documented (protocol, 12).

        Raises
        ------
        FeedError
            If the positions could not be read.
        """
        if self._queries is None or not self._has_positions:
            return []
        return [spec_of(position, "") for position in await self._queries.positions()]

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to trade; one without a quote asset gets that of the others (there is one USDC)."""
        quote_ids = {quote for spec in specs if (quote := spec.info.get(entry.QUOTE_ASSET_ID))}
        for spec in specs:
            if not spec.info.get(entry.QUOTE_ASSET_ID) and len(quote_ids) == 1:
                spec.info[entry.QUOTE_ASSET_ID] = next(iter(quote_ids))
            self._specs[spec.symbol] = spec
        self._ledger.wallet.quote_ids.update(map(str, quote_ids))

    def rules(self, spec: InstrumentSpec) -> Rules:
        """Return the reducer's rules: without trades, cumulative numbers are all there is, and settled when told."""
        return Rules(
            inferred_trade_id=inferred_trade_id,
            price_precision=_PRICE_PLACES,
            infer_at_once=self._settings.trades_fields is None,
        )

    def streams(self) -> Sequence[Stream]:
        """Return Order Updates first, then Balance Updates if they are served, and the Order Feed if wanted."""
        signer = opened(self._signer, VENUE)
        made: list[Stream] = [order_updates(self._settings, signer, self._clock)]
        if self._has_balances:
            made.append(balance_updates(self._settings, signer, self._clock))
        if self._settings.order_feed:
            made.append(order_feed(self._settings, signer, self._clock))
        return made

    def attach(self, send: Callable[[bytes | str], Awaitable[None]]) -> None:
        """Do nothing: orders go over REST."""

    def decode(self, raw: bytes) -> list[VenueMessage]:
        """Decode one frame of any private stream; raises `FrameError`."""
        return self._ledger.take_frame(raw)

    # -- reading -----------------------------------------------------------------------------------------------------

    async def resync(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Read orders, balances and positions; raises `FeedError` if any part could not be read."""
        began = self._clock.monotonic()
        reading, listing = await self._read(refs, since_ns, with_balances=True)
        positions = await self._positions() if self._has_positions else None
        truth = self._judge(refs, reading, listing)
        truth.account = self._ledger.account()
        if positions is not None:
            trusted = self._ledger.trusts({position.symbol: position.signed_qty for position in positions}, began)
            truth.positions = positions if trusted else None
        return truth

    async def _positions(self) -> list[Position]:
        """Read the positions; the first time until they agree with the wallet, at most as long as reads may lag.

        The first ones are what the framework's positions are reconciled with: behind a fill of the run before, they
        would take it back.
        """
        settings, queries = self._settings, opened(self._queries, VENUE)
        positions = [p for row in await queries.positions() if (p := _position(row))]
        if self._positions_read:
            return positions
        deadline = self._clock.monotonic() + settings.read_settle_secs
        while not self._ledger.agrees({position.symbol: position.signed_qty for position in positions}):
            if self._clock.monotonic() >= deadline:
                _log.warning(
                    "%s: the positions are not what the balances tell, and stay so: the positions are believed", VENUE
                )
                self._ledger.gave_up_agreeing = True
                break
            await self._clock.sleep(min(settings.read_gap_secs, _POSITIONS_SECS))
            positions = [p for row in await queries.positions() if (p := _position(row))]
        self._positions_read = True
        return positions

    @property
    def arrival_secs(self) -> float:
        """How far the venue's time of an order's creation may be from ours: clocks (protocol, 4.1), and the sending."""
        return CLOCKS_SECS + 2 * self._settings.timeout_secs

    def use_orders(self, is_known: Callable[[str], bool]) -> None:
        """Take a way to ask whether an order is known: then it is none of those in flight."""
        self._ledger.is_known = is_known

    async def look_up(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Read the orders only, and the balances where they have to explain something; raises `FeedError`."""
        return self._judge(refs, *await self._read(refs, since_ns, with_balances=self._ledger.needs_balances()))

    async def _read(
        self, refs: Sequence[OrderRef], since_ns: int, *, with_balances: bool
    ) -> tuple[Reading, Listing | None]:
        queries = opened(self._queries, VENUE)
        self._ledger.remember(refs)
        if with_balances and self._has_balances:
            await self._read_balances()
        reading = await queries.read(since_ns, self._ledger.wanted(refs))
        pairs = self._ledger.pairs.open()
        return reading, await self._tpsl.read(pairs, self._specs) if pairs and self._tpsl is not None else None

    def _judge(self, refs: Sequence[OrderRef], reading: Reading, listing: Listing | None) -> Truth:
        """Say what a reading proves, once it is complete.

        Nothing may be waited for from here on: what is judged is remembered as told. A verdict that got lost with a
        part that could not be read would never be told again.
        """
        truth = self._ledger.judge(refs, reading)
        if listing is not None and self._tpsl is not None:
            found = self._tpsl.judge(listing, reading, self._ledger.others(reading))
            truth.updates += found.updates
            truth.unsure += [ref for ref in refs if ref.client_order_id in found.unsure]
            truth.absent += [ref for ref in refs if ref.client_order_id in found.absent]
        return truth

    async def account(self) -> AccountUpdate | None:
        """Read all balances by a short connection to the balance stream; raises `FeedError`."""
        if not self._has_balances:
            return None
        await self._read_balances()
        return self._ledger.account()

    async def _read_balances(self) -> None:
        self._ledger.take_balances(await opened(self._balances, VENUE).read())

    async def history(self, since_ns: int) -> list[OrderUpdate]:
        """Return nothing: every reading has the history back to the watermark."""
        return []

    async def reference_price(self, symbol: str, side: OrderSide) -> Decimal | None:
        """Return None: market orders carry no price."""
        return None

    # -- orders ------------------------------------------------------------------------------------------------------

    def prepare(self, order: NewOrder) -> Prepared:
        """Check an order and write its request, all but the signature.

        Raises
        ------
        Denied
            With the reason; nothing is sent.
        """
        spec = self._specs.get(order.symbol)
        if spec is None:
            raise Denied(f"{order.symbol} is no loaded instrument of {VENUE}")
        missing = [
            key
            for key in (entry.EVENT_ID, entry.OUTCOME_ID, entry.QUOTE_ASSET_ID)
            if not is_id(str(spec.info.get(key) or ""))
        ]
        if missing:
            raise Denied(f"{order.symbol} has no {', '.join(missing)} in its info, by which {VENUE} knows it")
        if self._api is not None and self._api.blocked:
            raise Denied(f"{VENUE} has blocked the API key: {self._api.blocked}")
        self._check(order, spec)
        if order.contingency_type is ContingencyType.OCO:
            return Prepared(order=order, refs=())
        path, body = entry.body_of(order, spec)
        return Prepared(order=order, refs=(), wire=[path, body.decode()])

    def _check(self, order: NewOrder, spec: InstrumentSpec) -> None:
        self._capabilities.check(order, spec, self._clock.time_ns())
        is_market_buy = order.type is OrderType.MARKET and order.side is OrderSide.BUY
        if is_market_buy and not order.quote_quantity:
            raise Denied(f"a market BUY at {VENUE} says what to spend in USDC: set quote_quantity=True")
        if order.quote_quantity and not is_market_buy:
            raise Denied(f"{VENUE} does not support quote quantity on {order.type.name} {order.side.name}")
        for name, price in (("price", order.price), ("trigger_price", order.trigger_price)):
            if price is not None and not MIN_PRICE <= price <= MAX_PRICE:
                raise Denied(f"{name} {plain(price)} is outside {MIN_PRICE} to {MAX_PRICE}")
        if order.type is OrderType.STOP_MARKET and order.contingency_type is not ContingencyType.OCO:
            raise Denied(f"{VENUE} knows a stop-loss only together with a take-profit, as an OCO pair")

    def check_list(self, orders: Sequence[NewOrder]) -> None:
        """Check an OCO pair as a whole; other lists are independent orders.

        Raises
        ------
        Denied
            With the reason.
        """
        if any(order.contingency_type is not ContingencyType.NO_CONTINGENCY for order in orders):
            pair_of(orders)

    async def submit(self, prepared: Prepared) -> Answer:
        """Send one order, once (``POST /orders/limit`` or ``/orders/market``)."""
        if self._api is None:
            return _NOT_OPEN, []
        path, body = prepared.wire
        intent = self._ledger.sending(prepared.order)
        outcome: Outcome | None = None
        try:
            outcome = await entry.place(self._api, path, body.encode())
        finally:
            self._ledger.sent(intent, outcome)
        return outcome, []

    async def submit_list(self, prepared: Sequence[Prepared]) -> list[Answer]:
        """Send orders one by one; an OCO pair as one take-profit/stop-loss (``POST /orders/tpsl``)."""
        if self._api is not None and any(p.order.contingency_type is ContingencyType.OCO for p in prepared):
            return await self._submit_pair(self._api, prepared)
        return [await self.submit(each) for each in prepared]

    async def _submit_pair(self, api: OutpollApi, prepared: Sequence[Prepared]) -> list[Answer]:
        take_profit, stop_loss = pair_of([each.order for each in prepared])
        body = entry.tpsl_body(take_profit, stop_loss, self._specs[take_profit.symbol])
        pair = self._ledger.pairs.sending(take_profit, stop_loss)
        outcome: Outcome | None = None
        try:
            outcome = await entry.place(api, entry.TPSL, body)
        finally:
            self._ledger.pairs.sent(pair, outcome)
        ids = {leg.client_order_id: order_id for order_id, leg in pair.legs}
        is_named = isinstance(outcome, Accepted) and bool(pair.tpsl_id)
        return [(Accepted(ids[each.order.client_order_id]) if is_named else outcome, []) for each in prepared]

    async def cancel(self, ref: OrderRef) -> Answer:
        """Ask for a cancel (``DELETE /orders/limit/{id}``); whether it happened is read back."""
        if self._api is None or ref.venue_order_id is None:
            return _NOT_OPEN if self._api is None else Refused(
                f"not sent: the id of {ref.client_order_id} is not known"
            ), []
        entry_id = entry_of(ref.venue_order_id)
        self._ledger.cancelling(ref)
        path = entry.LIMIT if entry_id is None else entry.TPSL
        outcome = await entry.cancel(self._api, path, entry_id or ref.venue_order_id)
        self._ledger.cancelled(ref, outcome)
        return outcome, []

    async def cancel_many(self, refs: Sequence[OrderRef]) -> list[Answer]:
        """Ask for several cancels, one by one; outcomes in the order given."""
        return [await self.cancel(ref) for ref in refs]

    async def amend(self, amend: Amend) -> Answer:
        """Refuse: the venue has no such call."""
        return Refused("MODIFY_NOT_SUPPORTED"), []


def _position(row: wire.OpenPosition) -> Position | None:
    """Return a position in shares; raises `TransientFeedError` if it has no size: left out it would pass for flat."""
    if row.tsc is None:
        raise TransientFeedError(f"{VENUE}: the position in {row.ai} has no size (tsc)")
    return Position(symbol=row.ai, signed_qty=row.tsc, avg_px_open=row.sp or None) if row.tsc else None


_NOT_OPEN: Final[Outcome] = Refused(f"not sent: {VENUE} is not open")
