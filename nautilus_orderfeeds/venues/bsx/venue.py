"""One account at BSX: order entry, private stream and queries behind `venues.base.Venue`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, TransientFeedError
from nautilus_orderfeeds.feed.stream import Stream
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.requests import Amend, Denied, NewOrder, OrderRef, Outcome, Refused
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate, Position
from nautilus_orderfeeds.orders.words import OrderSide, OrderType
from nautilus_orderfeeds.venues.answers import Answer
from nautilus_orderfeeds.venues.base import Prepared, Truth
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.account import account_update, decode_portfolio, positions
from nautilus_orderfeeds.venues.bsx.api import BsxApi
from nautilus_orderfeeds.venues.bsx.capabilities import CAPABILITIES, STP
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec, inferred_trade_id
from nautilus_orderfeeds.venues.bsx.entry import OrderEntry
from nautilus_orderfeeds.venues.bsx.frames import PrivateDecoder
from nautilus_orderfeeds.venues.bsx.identity import NonceSource, refs_of, wire_client_order_id
from nautilus_orderfeeds.venues.bsx.login import log_in, own_key, warn_of_expiry
from nautilus_orderfeeds.venues.bsx.pricing import worst_price
from nautilus_orderfeeds.venues.bsx.products import POST_ONLY, decode_products, mark_price, product_index, with_index
from nautilus_orderfeeds.venues.bsx.queries import OrderQueries
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings
from nautilus_orderfeeds.venues.bsx.signing import scale
from nautilus_orderfeeds.venues.bsx.stream import OrdersStream
from nautilus_orderfeeds.venues.bsx.words import (
    VENUE,
    SelfTradePrevention,
    wire_side,
    wire_time_in_force,
    wire_type,
)
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.instruments import InstrumentSpec, places
from nautilus_orderfeeds.venues.opened import opened

_log = logging.getLogger(__name__)

_KEY_CHECK_SECS: Final = 3600.0


class BsxVenue:
    """Implements `venues.base.Venue`.

    Parameters
    ----------
    settings : BsxSettings
        Addresses, credentials, limits.
    clock : Clock, optional
        Source of time.
    nonce_high_water : int, default 0
        Highest nonce the account ever used (the journal knows), UNIX ns.
    """

    def __init__(self, settings: BsxSettings, *, clock: Clock | None = None, nonce_high_water: int = 0) -> None:
        self._settings = settings
        self._clock = clock or LiveClock()
        self._nonces = NonceSource(self._clock, nonce_high_water)
        self._codec = OrderCodec()
        #: Decode one frame of the stream; raises `FrameError`. Bound and not wrapped: every frame goes through it.
        self.decode: Final = PrivateDecoder(self._codec).decode
        self._specs: dict[str, InstrumentSpec] = {}
        self._listed: dict[str, InstrumentSpec] = {}
        self._tells_positions = False
        #: Whether orders, trades and account have been read once in this run.
        self._has_read_all = False
        self._api: BsxApi | None = None
        self._entry: OrderEntry | None = None
        self._queries: OrderQueries | None = None
        self._key_check: asyncio.Task[None] | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return CAPABILITIES

    @property
    def nonce_high_water(self) -> int:
        """Highest nonce given out, UNIX ns; to be handed to the next run."""
        return self._nonces.high_water

    async def open(self) -> None:
        """Check reachability, clock and credentials (protocol, 3).

        Raises
        ------
        FatalFeedError
            If a credential is missing or refused, named with its environment variable.
        TransientFeedError
            If the venue cannot be reached now.
        """
        self._settings.require_credentials()
        if self._api is None:
            self._api = BsxApi(self._settings, self._clock)
        try:
            await self._api.probe()
            signer = await log_in(self._api, self._settings, self._clock)
        except BaseException:
            await self.close()
            raise
        self._entry = OrderEntry(self._api, signer, self._codec)
        self._queries = OrderQueries(self._api, self._codec, self._clock)
        if self._key_check is None:
            self._key_check = asyncio.create_task(self._check_key_hourly(self._api), name=f"{VENUE} key check")

    async def close(self) -> None:
        """Release everything; idempotent."""
        task, self._key_check = self._key_check, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        api, self._api = self._api, None
        self._entry = self._queries = None
        if api is not None:
            await api.close()

    def use_marks(self, load: Callable[[str], int], save: Callable[[str, int], None]) -> None:
        """Keep the nonces rising across restarts."""
        self._nonces.keep(load, save)

    async def instruments(self) -> list[InstrumentSpec]:
        """Return the active perpetuals (``GET /products``); raises `FeedError`."""
        specs = await opened(self._api, VENUE).read("/products", decode_products)
        self._listed.update((spec.symbol, spec) for spec in specs)
        return specs

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to trade."""
        self._specs.update((spec.symbol, with_index(spec, self._listed.get(spec.symbol))) for spec in specs)

    def rules(self, spec: InstrumentSpec) -> Rules:
        """Return the reducer's rules: trades are told, so an inferred fill waits for them."""
        precision = spec.price_precision
        return Rules(
            inferred_trade_id=inferred_trade_id,
            price_precision=places(spec.price_increment) if precision is None else precision,
            maker_fee=spec.maker_fee,
            taker_fee=spec.taker_fee,
        )

    def streams(self) -> Sequence[Stream]:
        """Return the stream of orders."""
        return [OrdersStream(self._settings, self._clock)]

    def attach(self, send: Callable[[bytes | str], Awaitable[None]]) -> None:
        """Do nothing: orders go over REST."""

    async def resync(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Read open orders, then what of `refs` is not among them, trades, and the account.

        Raises
        ------
        FeedError
            If any part could not be read; once all could, the account may be missing.
        """
        queries = opened(self._queries, VENUE)
        updates = await queries.open_orders()
        open_ids = {update.venue_order_id for update in updates}
        open_keys = {key for update in updates for key in update.refs}
        missing = [ref for ref in refs if ref.venue_order_id not in open_ids and open_keys.isdisjoint(ref.refs)]
        found = await queries.find(missing)
        trades = await queries.trades(since_ns)
        try:
            account, net_positions = await self._portfolio()
        except FatalFeedError:
            raise
        except FeedError as exc:
            if not self._has_read_all:
                raise
            # Balances are read again soon; that they cannot be now must not keep orders from being followed and ended.
            _log.error("%s: balances and positions stay as they were: %s", VENUE, exc)
            account = net_positions = None
        self._has_read_all = True
        return Truth(
            # Orders first: a bare trade has no terms by which an order entered elsewhere could be taken up.
            updates=[*updates, *found.updates, *trades],
            absent=found.absent,
            account=account,
            positions=net_positions,
        )

    async def account(self) -> AccountUpdate | None:
        """Read the balances (``GET /portfolio/detail``); None if this installation does not tell them.

        Raises
        ------
        FeedError
            If they could not be read.
        """
        return (await self._portfolio())[0]

    async def _portfolio(self) -> tuple[AccountUpdate | None, list[Position] | None]:
        portfolio = await opened(self._api, VENUE).optional("/portfolio/detail", decode_portfolio)
        if portfolio is None:
            return None, None
        try:
            return account_update(portfolio, self._settings.balance_source), self._positions(portfolio)
        except ValueError as exc:
            raise TransientFeedError(f"{VENUE}: unreadable portfolio: {exc}") from None

    def _positions(self, portfolio: wire.Portfolio) -> list[Position] | None:
        """Return the positions; None if this installation has never told them readably."""
        symbols = {index: symbol for symbol, spec in self._specs.items() if (index := product_index(spec))}
        try:
            found = positions(portfolio, symbols)
        except ValueError as exc:
            if self._tells_positions:
                raise
            _log.warning("%s: the positions cannot be read and stay unknown: %s", VENUE, exc)
            return None
        self._tells_positions = self._tells_positions or portfolio.positions is not None
        return found if self._tells_positions else None

    async def history(self, since_ns: int) -> list[OrderUpdate]:
        """Return the orders created since then (UNIX ns) that have ended; raises `FeedError`."""
        return await opened(self._queries, VENUE).closed_orders(since_ns)

    def check_list(self, orders: Sequence[NewOrder]) -> None:
        """Check nothing: contingent orders are denied one by one, and others have nothing to do with each other."""

    async def reference_price(self, symbol: str, side: OrderSide) -> Decimal | None:
        """Return the mark price, for a market order where no best price is known; None if it cannot be had.

        Parameters
        ----------
        symbol : str
            Instrument.
        side : OrderSide
            Of the order; the mark price is the same for both.
        """
        try:
            specs = await self.instruments()
        except FeedError as exc:
            _log.warning("%s: no mark price of %s: %s", VENUE, symbol, exc)
            return None
        return next((mark_price(spec) for spec in specs if spec.symbol == symbol), None)

    def prepare(self, order: NewOrder) -> Prepared:
        """Check an order, name it, and write its request, all but the signature.

        Raises
        ------
        Denied
            With the reason; nothing is sent.
        """
        spec = self._specs.get(order.symbol)
        if spec is None:
            raise Denied(f"{order.symbol} is no active product of {VENUE}, or not loaded")
        index = product_index(spec)
        if index is None:
            raise Denied(f"{order.symbol} has no product_index in its info, by which {VENUE} knows it")
        CAPABILITIES.check(order, spec, self._clock.time_ns())
        if not self._settings.signer_key:
            raise Denied(f"no signer_key (or {self._settings.variable('signer_key')}), so the order cannot be signed")
        if spec.info.get(POST_ONLY) is True and not order.post_only:
            raise Denied(f"{order.symbol} accepts post-only orders only at present")
        type_ = wire_type(order.type)
        force = wire_time_in_force(order.type, order.time_in_force)
        if type_ is None or force is None:
            raise Denied(f"{VENUE} does not support {order.type.name} with {order.time_in_force.name}")
        price = self._price(order, spec)
        try:
            scale(price), scale(order.quantity)
        except ValueError as exc:
            raise Denied(str(exc)) from None
        nonce = self._nonces.next()
        client_order_id = wire_client_order_id(order.client_order_id, nonce)
        request = wire.CreateOrder(
            side=wire_side(order.side),
            type=type_,
            time_in_force=force,
            product_index=index,
            price=plain(price),
            size=plain(order.quantity),
            nonce=str(nonce),
            client_order_id=client_order_id,
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            stp=SelfTradePrevention(order.params.get(STP, SelfTradePrevention.CANCEL_TAKER.value)),
            expired_at=str(order.expire_time_ns),
        )
        return Prepared(order=order, refs=refs_of(client_order_id, nonce), wire=request)

    async def submit(self, prepared: Prepared) -> Answer:
        """Send one order, once (``POST /orders``)."""
        if self._entry is None:
            return _NOT_OPEN, []
        return await self._entry.create(prepared.wire)

    async def submit_list(self, prepared: Sequence[Prepared]) -> list[Answer]:
        """Send several orders (``POST /orders/batch``, ten at a time); outcomes in the order given."""
        if self._entry is None:
            return [(_NOT_OPEN, []) for _ in prepared]
        return await self._entry.create_many([each.wire for each in prepared])

    async def cancel(self, ref: OrderRef) -> Answer:
        """Ask for a cancel (``DELETE /order``)."""
        return (_NOT_OPEN, []) if self._entry is None else await self._entry.cancel(ref)

    async def cancel_many(self, refs: Sequence[OrderRef]) -> list[Answer]:
        """Ask for several cancels and no others (``DELETE /orders``); outcomes in the order given."""
        if self._entry is None:
            return [(_NOT_OPEN, []) for _ in refs]
        return await self._entry.cancel_many(refs)

    async def amend(self, amend: Amend) -> Answer:
        """Refuse: the venue has no such call."""
        return Refused(f"{VENUE} cannot change orders; nothing was sent"), []

    def _price(self, order: NewOrder, spec: InstrumentSpec) -> Decimal:
        match order.type:
            case OrderType.MARKET:
                if order.reference_price is None or order.reference_price <= 0:
                    raise Denied(
                        f"{VENUE} wants a worst price with a market order, and no price of {order.symbol} is known: "
                        "subscribe to its quotes"
                    )
                slippage = self._settings.market_slippage
                return worst_price(order.reference_price, order.side, slippage, spec.price_increment)
            case _:
                if order.price is None or order.price <= 0:
                    raise Denied(f"a {order.type.name} order needs a positive price")
                return order.price

    async def _check_key_hourly(self, api: BsxApi) -> None:
        while True:
            await self._clock.sleep(_KEY_CHECK_SECS)
            try:
                key = await own_key(api, self._settings)
            except FeedError as exc:
                _log.error("%s: the API key could not be checked: %s", VENUE, exc)
                continue
            if key is not None:
                warn_of_expiry(key, self._clock)


_NOT_OPEN: Final[Outcome] = Refused(f"not sent: {VENUE} is not open")
