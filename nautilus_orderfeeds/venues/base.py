"""The protocol every venue implements: the whole of what the generic clients know of a venue.

If a generic client needs to ask which venue it talks to, this protocol is wrong: mend it here.
Everything is in terms of `orders`; nothing of a venue's wire leaves its folder.
"""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from nautilus_orderfeeds.feed.health import Health
from nautilus_orderfeeds.feed.market import Book, Channel, FundingRate, MarketMessage
from nautilus_orderfeeds.feed.stream import Stream
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.requests import Amend, NewOrder, OrderRef, Outcome
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate, Position
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.capabilities import Capabilities
from nautilus_orderfeeds.venues.instruments import InstrumentSpec


class Prepared(Struct, frozen=True, kw_only=True):
    """An order checked, named and ready to send; written to the journal before it is sent.

    Parameters
    ----------
    order : NewOrder
        What was asked.
    refs : tuple[str, ...]
        Keys the venue will echo, each unique per account for all time (``"cid:5220..."``, ``"nonce:1719..."``).
        `OrderUpdate.refs` uses the same text.
    wire : Any
        What `submit` needs to send it (msgspec-encodable, free of secrets; signing happens in `submit`).
    """

    order: NewOrder
    refs: tuple[str, ...]
    wire: Any = None


class Readback(Struct, frozen=True):
    """The stream says that something happened to an order, not what: query it. None: query all open orders.

    `is_malformed`: because a part of the frame could not be read, so the frame counts as malformed.
    """

    venue_order_id: str | None = None
    reason: str = ""
    is_malformed: bool = False


class AccountChanged(Struct, frozen=True):
    """Balances have changed, the stream does not say how: read the account again (coalesced by the client)."""


class Gap(Struct, frozen=True):
    """Frames were missed for certain (sequence numbers): reconnect and resynchronise."""

    reason: str


class VenueData(Struct, frozen=True, kw_only=True):
    """Something a venue tells that is no order event: published as custom data, never dropped.

    `kind` names it (``"TPSL_UPDATE"``), `data` holds plain msgspec-encodable values.
    """

    kind: str
    data: dict[str, Any]
    symbol: str | None = None
    ts_event: int = 0


class Protection(Struct, frozen=True, kw_only=True):
    """A take-profit and/or stop-loss of a position, as the venue's stream tells it: custom data for strategies.

    Parameters
    ----------
    venue_order_id : str
        The venue's id of it.
    symbol : str
        Instrument of the position.
    status : str
        As the venue puts it (``"ACTIVE"``).
    quantity : Decimal, optional
        Base units.
    take_profit, stop_loss : Decimal, optional
        Quote per base; None for a leg it has not.
    ts_event : int
        UNIX ns; 0 if not said.
    """

    venue_order_id: str
    symbol: str
    status: str
    quantity: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    ts_event: int = 0


VenueMessage = OrderUpdate | AccountUpdate | Position | Readback | AccountChanged | Gap | VenueData | Protection


class Truth(Struct, kw_only=True):
    """What a resynchronisation found out.

    Parameters
    ----------
    updates : list[OrderUpdate]
        Every open order of the account, every order asked for that was found, and every trade since the watermark
        that is not inside one of them. Complete for this scope, or `resync` raises.
    absent : list[OrderRef]
        Orders asked for that the venue *by its own rules* certainly never received (nor ever will).
    unsure : list[OrderRef]
        Orders asked for of which something was heard that this reading, which may lag, need not show yet: they are to
        be read again soon, and nothing is to be concluded from what is missing of them.
    account : AccountUpdate, optional
        Balances; None if the venue has none to tell.
    positions : list[Position], optional
        All non-flat positions; None if the venue has none to tell.
    """

    updates: list[OrderUpdate]
    absent: list[OrderRef] = []
    unsure: list[OrderRef] = []
    account: AccountUpdate | None = None
    positions: list[Position] | None = None


class Venue(Protocol):
    """Order entry and private stream of one account at one venue."""

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        ...

    async def open(self) -> None:
        """Prepare the connections and check reachability, clock and credentials, each failure named.

        Raises
        ------
        FatalFeedError
            If it makes no sense to go on (credentials refused, setting missing).
        TransientFeedError
            If the venue cannot be reached now.
        """
        ...

    async def close(self) -> None:
        """Release everything; idempotent."""
        ...

    def use_marks(self, load: Callable[[str], int], save: Callable[[str, int], None]) -> None:
        """Take durable high-water marks, called before `open` (a nonce that must rise across restarts)."""
        ...

    async def instruments(self) -> list[InstrumentSpec]:
        """Return the venue's listing (active instruments only); empty where the venue has none."""
        ...

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to trade: the listing and those of the `instruments` file."""
        ...

    def rules(self, spec: InstrumentSpec) -> Rules:
        """Return the reducer's rules for orders of `spec`."""
        ...

    def streams(self) -> Sequence[Stream]:
        """Return the private streams to keep alive (one for most venues)."""
        ...

    def attach(self, send: Callable[[bytes | str], Awaitable[None]]) -> None:
        """Take the way to send frames on the first stream (for venues with order entry on it)."""
        ...

    def decode(self, raw: bytes) -> list[VenueMessage]:
        """Decode one frame of a private stream.

        Raises
        ------
        FrameError
            If it is malformed or contradicts the protocol: the caller counts, keeps and logs it.
        """
        ...

    async def resync(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Read the account's truth: after each (re)connect, and on suspicion.

        Parameters
        ----------
        refs : Sequence[OrderRef]
            Orders believed open or in flight; each is looked up if the list of open orders lacks it.
        since_ns : int
            Watermark for trades, UNIX ns.

        Raises
        ------
        FeedError
            If any part of it could not be read: a partial truth is none.
        """
        ...

    async def account(self) -> AccountUpdate | None:
        """Read the balances; None if the venue has none to tell. Raises `FeedError` if it failed."""
        ...

    async def history(self, since_ns: int) -> list[OrderUpdate]:
        """Return closed orders of the account changed since then (for startup reports); may be empty."""
        ...

    def prepare(self, order: NewOrder) -> Prepared:
        """Check an order against everything known before sending, and name it.

        Raises
        ------
        Denied
            With the reason; nothing is sent.
        """
        ...

    def check_list(self, orders: Sequence[NewOrder]) -> None:
        """Check what concerns a list as a whole (contingencies, equal terms); each order has been prepared.

        Raises
        ------
        Denied
            With the reason; then every order of the list is denied.
        """
        ...

    async def reference_price(self, symbol: str, side: OrderSide) -> Decimal | None:
        """Return a recent price to bound a market order of `side` by, read from the venue; None if not needed or known.

        Asked only if the cache has no quote of the instrument.
        """
        ...

    async def submit(self, prepared: Prepared) -> tuple[Outcome, list[OrderUpdate]]:
        """Send one order, once. The updates are what the answer itself tells of it (may be empty)."""
        ...

    async def submit_list(self, prepared: Sequence[Prepared]) -> list[tuple[Outcome, list[OrderUpdate]]]:
        """Send several orders, natively where the venue can; outcomes in the order given."""
        ...

    async def cancel(self, ref: OrderRef) -> tuple[Outcome, list[OrderUpdate]]:
        """Ask for a cancel. `Accepted` means only that it was taken; the end is told by updates."""
        ...

    async def cancel_many(self, refs: Sequence[OrderRef]) -> list[tuple[Outcome, list[OrderUpdate]]]:
        """Ask for several cancels and for no others; outcomes in the order given."""
        ...

    async def amend(self, amend: Amend) -> tuple[Outcome, list[OrderUpdate]]:
        """Change a live order in place, where the venue can."""
        ...


@runtime_checkable
class LooksUp(Protocol):
    """A `Venue` that can read single orders at less cost than the whole account (rate limits of its lists)."""

    async def look_up(self, refs: Sequence[OrderRef], since_ns: int) -> Truth:
        """Read the truth about `refs` only, and every trade since the watermark.

        Parameters
        ----------
        refs : Sequence[OrderRef]
            Orders asked for.
        since_ns : int
            Watermark for trades, UNIX ns.

        Raises
        ------
        FeedError
            If any part of it could not be read.
        """
        ...


class Told(Struct, frozen=True):
    """How far an order of the account has been told, also in an earlier run.

    Parameters
    ----------
    filled_qty : Decimal
        Filled quantity of which the fills have been told, base units.
    is_closed : bool
        Its end has been told.
    """

    filled_qty: Decimal
    is_closed: bool


@runtime_checkable
class KnowsOrders(Protocol):
    """A `Venue` that must know what is known of the account's orders.

    It echoes no key of ours, so that an order that is known is none that was not answered; and it reads only what has
    not been told.
    """

    @property
    def arrival_secs(self) -> float:
        """How far the venue's time of an order's creation may be from ours of its recording, at most.

        A request waits for a rate limit up to twice the limit of one call before it leaves or is given up.
        """
        ...

    def use_orders(self, told: Callable[[str], Told | None]) -> None:
        """Take what says how far an order has been told, by the venue's id; None if it is not known."""
        ...


class MarketFeed(Protocol):
    """Market data of one venue."""

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        ...

    async def open(self) -> None:
        """Prepare the connections; raises as `Venue.open`."""
        ...

    async def close(self) -> None:
        """Release everything; idempotent."""
        ...

    async def instruments(self) -> list[InstrumentSpec]:
        """Return the venue's listing."""
        ...

    def use_instruments(self, specs: Sequence[InstrumentSpec]) -> None:
        """Take the instruments to serve."""
        ...

    def stream(self) -> Stream:
        """Return the public stream; its handshake restores every subscription made so far."""
        ...

    def subscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Note a subscription; return the frames to send if connected (none if the wire channel is on already)."""
        ...

    def unsubscribe(self, channel: Channel, symbol: str) -> list[bytes]:
        """Forget a subscription; return the frames to send if connected."""
        ...

    def decode(self, raw: bytes) -> Sequence[MarketMessage | Gap]:
        """Decode one frame; raises `FrameError` as `Venue.decode`."""
        ...

    async def book(self, symbol: str) -> Book | None:
        """Request a snapshot of the book; None if the venue cannot."""
        ...

    async def funding_rates(self, symbol: str, start_ns: int, end_ns: int, limit: int) -> list[FundingRate] | None:
        """Request historical funding rates, oldest first; None if the venue cannot."""
        ...

    def reference_price(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return the best (bid, ask) last seen on the stream, if any."""
        ...


HealthListener = Callable[[Health], None]
