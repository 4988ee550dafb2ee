"""What a venue says it now knows about an order: cumulative, and possibly late, doubled, reordered or lost.

Every venue codec produces these and nothing else for orders. `decide` in `reducer.py` turns them into events.
"""

from decimal import Decimal
from enum import unique

from msgspec import Struct

from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide, OrderType, TimeInForce, TriggerType, Word


@unique
class Source(Word):
    """Which channel told of it."""

    STREAM = "STREAM"
    SNAPSHOT = "SNAPSHOT"
    ANSWER = "ANSWER"
    QUERY = "QUERY"
    HISTORY = "HISTORY"
    TRADES = "TRADES"


@unique
class VenueStatus(Word):
    """What the venue says of the order's state, in venue-neutral words.

    REJECTED means refused *unless it was live before*: the reducer makes it a cancel if the order had been
    accepted or filled (see `OrderUpdate.rejects_live` for the venues that do reject live orders).
    """

    PENDING = "PENDING"  # received, not yet working: no event
    WAITING = "WAITING"  # accepted, waits for its trigger
    WORKING = "WORKING"  # live; part-filled or not is told by filled_qty
    PENDING_CANCEL = "PENDING_CANCEL"  # live, a cancel was asked for; may still fill
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


END_STATUSES = frozenset(
    {VenueStatus.FILLED, VenueStatus.CANCELED, VenueStatus.EXPIRED, VenueStatus.REJECTED},
)
LIVE_STATUSES = frozenset({VenueStatus.WAITING, VenueStatus.WORKING, VenueStatus.PENDING_CANCEL})


class Fill(Struct, frozen=True, kw_only=True, gc=False):
    """One trade of one order, as the venue tells it.

    Parameters
    ----------
    trade_id : str
        Pure function of venue data, at most 36 ASCII characters, unique per account and instrument (law 7).
    last_qty : Decimal
        Base units, positive.
    last_px : Decimal
        Quote per base unit.
    commission : Decimal, optional
        In `commission_currency`; positive is a cost, negative a rebate; None if the venue does not say.
    commission_currency : str, optional
        None: the instrument's quote (settlement) currency.
    liquidity_side : LiquiditySide
        NO_LIQUIDITY_SIDE if the venue does not say.
    ts_event : int
        UNIX ns; 0 if the venue does not say.
    venue_trade_id : str
        The id as the venue wrote it.
    ends_at : Decimal, optional
        The order's cumulative filled quantity right after this fill, where the venue's message places it.
    """

    trade_id: str
    last_qty: Decimal
    last_px: Decimal
    commission: Decimal | None = None
    commission_currency: str | None = None
    liquidity_side: LiquiditySide = LiquiditySide.NO_LIQUIDITY_SIDE
    ts_event: int = 0
    venue_trade_id: str = ""
    ends_at: Decimal | None = None


class _Head(Struct, frozen=True, gc=False):
    """What an `OrderUpdate` may be given by place: most say all of it, and a keyword costs the search for its field."""

    source: Source
    venue_order_id: str | None = None
    refs: tuple[str, ...] = ()
    status: VenueStatus | None = None
    client_order_id: str | None = None
    symbol: str | None = None
    side: OrderSide | None = None
    type: OrderType | None = None
    time_in_force: TimeInForce | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    filled_qty: Decimal | None = None
    avg_px: Decimal | None = None
    fees: Decimal | None = None
    fees_currency: str | None = None
    liquidity_side: LiquiditySide = LiquiditySide.NO_LIQUIDITY_SIDE
    fills: tuple[Fill, ...] = ()
    ts_event: int = 0
    ts_accepted: int = 0


class OrderUpdate(_Head, frozen=True, kw_only=True):
    """One statement of the venue about one order. None always means "not said", never zero.

    Parameters
    ----------
    source : Source
        Channel it came by.
    venue_order_id : str, optional
        The venue's id.
    refs : tuple[str, ...]
        Echoed keys that we chose before sending (see `OrderRef.refs`).
    status : VenueStatus, optional
        None for a bare trade.
    symbol, side, type, time_in_force, quantity, price, trigger_price, trigger_type, expire_time_ns,
    post_only, reduce_only, client_order_id
        Terms of the order where the message has them; needed for orders entered elsewhere.
    filled_qty : Decimal, optional
        Cumulative, base units.
    avg_px : Decimal, optional
        Average price over `filled_qty`.
    filled_notional : Decimal, optional
        Cumulative quote amount, where the venue gives it (more exact than `avg_px`).
    last_px : Decimal, optional
        Price of the latest fill, where the venue gives it without a trade.
    fees : Decimal, optional
        Cumulative commission over `filled_qty`.
    fees_currency : str, optional
        None: the instrument's quote (settlement) currency.
    liquidity_side : LiquiditySide
        Of inferred fills, where the venue's message implies one.
    fills : tuple[Fill, ...]
        Trades told in this message.
    reason : str
        Why it ended.
    due_post_only : bool
        The end is a post-only refusal.
    rejects_live : bool
        REJECTED of an accepted, unfilled order is a rejection at this venue and not a cancel.
    cancel_reject_reason, cancel_reject_key : str
        A refused cancel told by the stream; the key makes it once only.
    version : int
        Venue's own version of the order, 0 if it has none.
    renamed : bool
        The order, found by `client_order_id`, goes on under `venue_order_id`: the venue has replaced it by another one.
    ts_event, ts_accepted : int
        UNIX ns, 0 if not said.
    """

    trigger_price: Decimal | None = None
    trigger_type: TriggerType = TriggerType.NO_TRIGGER
    expire_time_ns: int = 0
    post_only: bool = False
    reduce_only: bool = False
    filled_notional: Decimal | None = None
    last_px: Decimal | None = None
    reason: str = ""
    due_post_only: bool = False
    rejects_live: bool = False
    cancel_reject_reason: str = ""
    cancel_reject_key: str = ""
    version: int = 0
    renamed: bool = False


class Balance(Struct, frozen=True, kw_only=True):
    """Balance of one currency: `total` = `free` + locked, all in that currency."""

    currency: str
    total: Decimal
    free: Decimal


class Margin(Struct, frozen=True, kw_only=True):
    """Margin in use, in `currency`; `symbol` None for the whole account."""

    currency: str
    initial: Decimal
    maintenance: Decimal
    symbol: str | None = None


class AccountUpdate(Struct, frozen=True, kw_only=True):
    """Balances as the venue reports them; `complete` False: only the currencies named have changed."""

    balances: tuple[Balance, ...]
    margins: tuple[Margin, ...] = ()
    complete: bool = True
    ts_event: int = 0


class Position(Struct, frozen=True, kw_only=True):
    """Net position at the venue: `signed_qty` in base units, long positive."""

    symbol: str
    signed_qty: Decimal
    avg_px_open: Decimal | None = None
    ts_event: int = 0
