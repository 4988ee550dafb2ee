"""What happened to an order: each event once, in an order the framework's state machine accepts.

Events are facts. They are written to the journal and folded back into an `OrderState` by `evolve`
(`state.py`), which is also how a restart knows what was already told. Names are the framework's.
"""

from decimal import Decimal

from msgspec import Struct

from nautilus_orderfeeds.orders.words import LiquiditySide


class OrderEvent(Struct, frozen=True, kw_only=True, tag_field="event", tag=True, gc=False):
    """Base of all events. `ts_event` is UNIX ns of the venue (or ours, for commands); 0 if unknown."""

    ts_event: int = 0


class OrderDenied(OrderEvent, frozen=True, kw_only=True):
    """Not sent: the venue cannot do it. `reason` says what."""

    reason: str


class OrderSubmitted(OrderEvent, frozen=True, kw_only=True):
    """About to be written to the venue."""


class OrderAccepted(OrderEvent, frozen=True, kw_only=True):
    """Live at the venue under `venue_order_id`; `waiting`: for its trigger.

    Told once, and once more where that is the only way out of PENDING_CANCEL that the framework knows (a refused
    cancel of a triggered order). `held`: not at the venue yet but here, under an id of ours, until `OrderReleased`.
    """

    venue_order_id: str
    waiting: bool = False
    held: bool = False


class OrderReleased(OrderEvent, frozen=True, kw_only=True):
    """An order held here is about to be written to the venue. Never shown to a strategy.

    Its venue order id is told by an `OrderUpdated` (`replaced`) as soon as the venue has named it. `refs` are the keys
    the venue will echo.
    """

    refs: tuple[str, ...] = ()


class OrderRejected(OrderEvent, frozen=True, kw_only=True):
    """Refused by the venue, never to fill."""

    reason: str
    due_post_only: bool = False


class OrderTriggered(OrderEvent, frozen=True, kw_only=True):
    """The trigger price of a triggered limit type was reached."""


class OrderPendingUpdate(OrderEvent, frozen=True, kw_only=True):
    """The strategy asked for a change (the framework itself makes this event; we only fold it)."""


class OrderPendingCancel(OrderEvent, frozen=True, kw_only=True):
    """The strategy asked for a cancel (the framework itself makes this event; we only fold it)."""


class OrderUpdated(OrderEvent, frozen=True, kw_only=True):
    """Terms changed. `quantity` is the order total in base units.

    `venue_order_id` differs from the known one only for venues that change an order by cancel and create, and when an
    order that was held here gets its id from the venue (then `replaced` is true); `restated` turns an order in quote
    units into one in base units. `as_of` is how new the venue's statement was (cumulative quantity, version, UNIX ns):
    after a restart no older one may undo it.
    """

    venue_order_id: str
    quantity: Decimal
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    replaced: bool = False
    restated: bool = False
    as_of: tuple[Decimal, int, int] | None = None


class OrderModifyRejected(OrderEvent, frozen=True, kw_only=True):
    """A change was refused; the order is as before."""

    reason: str


class OrderCancelRejected(OrderEvent, frozen=True, kw_only=True):
    """A cancel was refused; the order is as before. `key` names the refusal where the stream tells of it."""

    reason: str
    key: str = ""


class OrderCanceled(OrderEvent, frozen=True, kw_only=True):
    """Ended without (further) fills."""

    reason: str = ""


class OrderExpired(OrderEvent, frozen=True, kw_only=True):
    """Ended by its own expiry."""

    reason: str = ""


class OrderFilled(OrderEvent, frozen=True, kw_only=True):
    """One fill.

    Parameters
    ----------
    trade_id : str
        See `updates.Fill.trade_id`. The quantity may be less than the venue's trade where a part of that trade
        had been inferred before.
    last_qty, last_px : Decimal
        Base units; quote per base unit.
    commission : Decimal
        In `commission_currency`; positive is a cost.
    commission_currency : str, optional
        None: the instrument's quote (settlement) currency.
    liquidity_side : LiquiditySide
        As told, or NO_LIQUIDITY_SIDE.
    cum_qty : Decimal
        The order's filled quantity including this fill.
    inferred : bool
        Made from the growth of the venue's cumulative quantity; no trade told of it.
    fee_estimated : bool
        The venue did not say the commission; it is the instrument's rate (or zero if that is unknown).
    venue_trade_id : str
        The venue's own text, for people.
    ends_at : Decimal, optional
        See `updates.Fill.ends_at`.
    gaps : tuple
        For a fill that fills gaps (an inferred one, or the untold part of a trade): the (from, to) stretches of
        cumulative quantity it stands for, if they are known.
    venue_px, venue_commission : Decimal, optional
        What the trade itself says, where `last_px` and `commission` differ from it because they make up for an
        inferred fill that was told with other money than the trades it stood for.
    """

    trade_id: str
    venue_order_id: str
    last_qty: Decimal
    last_px: Decimal
    commission: Decimal
    commission_currency: str | None = None
    liquidity_side: LiquiditySide = LiquiditySide.NO_LIQUIDITY_SIDE
    cum_qty: Decimal
    inferred: bool = False
    fee_estimated: bool = False
    venue_trade_id: str = ""
    ends_at: Decimal | None = None
    gaps: tuple[tuple[Decimal, Decimal], ...] = ()
    venue_px: Decimal | None = None
    venue_commission: Decimal | None = None


class FillAbsorbed(OrderEvent, frozen=True, kw_only=True):
    """A real trade turned up that had already been counted, by an inferred fill. Never shown to a strategy.

    `qty` of it (base units) was counted; `commission` is the trade's for that much, None if it tells none; `stretch`
    is the trade's place on the cumulative quantity, if known. If `qty` is not the whole trade, an `OrderFilled` of the
    same trade id tells the rest.
    """

    trade_id: str
    qty: Decimal
    last_px: Decimal
    commission: Decimal | None = None
    stretch: tuple[Decimal, Decimal] | None = None


class FillOrphaned(OrderEvent, frozen=True, kw_only=True):
    """The venue told of a trade on an order that the framework considers ended for good, or beyond its quantity.

    The framework's order cannot take it. The position is real: the adapter raises an alert and corrects it.
    Fields as of `OrderFilled`. If only a part is beyond the quantity, an `OrderFilled` of the same trade id tells
    the part that is not.
    """

    trade_id: str
    venue_order_id: str
    last_qty: Decimal
    last_px: Decimal
    commission: Decimal
    commission_currency: str | None = None
    liquidity_side: LiquiditySide = LiquiditySide.NO_LIQUIDITY_SIDE
    venue_trade_id: str = ""
    reason: str = ""
    inferred: bool = False
    ends_at: Decimal | None = None
    gaps: tuple[tuple[Decimal, Decimal], ...] = ()
    venue_px: Decimal | None = None
    venue_commission: Decimal | None = None


class OrderAnomaly(OrderEvent, frozen=True, kw_only=True):
    """The venue contradicts itself or us. Logged as an error, once, and never shown as an order event."""

    what: str


AnyOrderEvent = (
    OrderDenied
    | OrderSubmitted
    | OrderAccepted
    | OrderReleased
    | OrderRejected
    | OrderTriggered
    | OrderPendingUpdate
    | OrderPendingCancel
    | OrderUpdated
    | OrderModifyRejected
    | OrderCancelRejected
    | OrderCanceled
    | OrderExpired
    | OrderFilled
    | FillAbsorbed
    | FillOrphaned
    | OrderAnomaly
)
