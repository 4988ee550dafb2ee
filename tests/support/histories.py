"""True lives of orders, what venues of five styles say about them, and what happens to that on the way.

Three steps, all driven by one ``random.Random`` so that a seed tells everything:

- `live` makes a `Life`: what truly happened to one order at a little model venue.
- `statements` makes the updates a venue of a style sends about that life, in their true order.
- `distort` loses, repeats, delays and interleaves them, and puts marks between them (`Mark`): the moment to settle,
  a restart, a request of the strategy. The last whole-order statement is always delivered, as a resync does.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, unique
from random import Random
from typing import NamedTuple

from nautilus_orderfeeds.orders.decimals import ZERO, plain
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.updates import END_STATUSES, Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide, OrderType

_V = VenueStatus


@unique
class Style(Enum):
    """How a venue speaks."""

    BSX = "whole-order updates, the latest trades placed in them"
    SFOX = "cumulative orders feed, separate feed of unplaced trades, Filled then Done"
    ROXOM = "cumulative quantity and a rounded average only"
    ACTTRADER = "cumulative quantity, fills named by the cumulative quantity, no fees"
    OUTPOLL = "sparse read-backs"


@unique
class Mark(Enum):
    """What may happen between two statements."""

    SETTLE = "waited long enough"
    RESTART = "the process died; the journal is folded again"
    PEND_CANCEL = "the strategy asked for a cancel"
    PEND_UPDATE = "the strategy asked for a change"


Step = OrderUpdate | Mark


class Trade(NamedTuple):
    """One true trade; `ends_at` is the cumulative quantity after it, base units."""

    trade_id: str
    qty: Decimal
    px: Decimal
    fee: Decimal
    ts: int
    ends_at: Decimal


class Moment(NamedTuple):
    """What the venue knows after something happened; `trades` is how many trades there were by then."""

    status: VenueStatus
    quantity: Decimal
    price: Decimal | None
    filled: Decimal
    notional: Decimal
    fees: Decimal
    version: int
    ts: int
    trades: int
    cancel_reject_key: str = ""


@dataclass(slots=True)
class Life:
    """What truly happened to one order. `quantity` is the original one (quote units if `quote_quantity`).

    The rest says how the venue speaks of it: `rounded_to` places of the average, with or without fees, times (of
    the order, of its trades) and the unchanged terms.
    """

    style: Style
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    quote_quantity: bool = False
    rejects_live: bool = False
    rounded_to: int = 6
    tells_fees: bool = True
    tells_times: bool = True
    times_trades: bool = True
    tells_terms: bool = True
    side: OrderSide = OrderSide.BUY
    client_order_id: str = "O-1"
    venue_order_id: str = "V1"
    trades: list[Trade] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    @property
    def last(self) -> Moment:
        """The truth in the end."""
        return self.moments[-1]

    @property
    def never_live(self) -> bool:
        """Whether the venue never showed it as working and nothing traded."""
        return self.last.trades == 0 and not any(m.status in (_V.WORKING, _V.WAITING) for m in self.moments)

    @property
    def amends(self) -> int:
        """How often its terms changed."""
        pairs = zip(self.moments, self.moments[1:], strict=False)
        return sum(a.quantity != b.quantity or a.price != b.price for a, b in pairs)

    @property
    def grows(self) -> bool:
        """Whether its quantity was ever raised."""
        return any(b.quantity > a.quantity for a, b in zip(self.moments, self.moments[1:], strict=False))

    @property
    def shrinks(self) -> bool:
        """Whether its quantity was ever lowered."""
        return any(b.quantity < a.quantity for a, b in zip(self.moments, self.moments[1:], strict=False))

    @property
    def fills_after_end(self) -> bool:
        """Whether something traded after the venue had said that the order is over."""
        return any(
            a.status in END_STATUSES and b.trades > a.trades
            for a, b in zip(self.moments, self.moments[1:], strict=False)
        )

    @property
    def fills_after_final_end(self) -> bool:
        """Whether something traded after an end that the framework cannot take back."""
        return any(
            a.status is _V.EXPIRED and b.trades > a.trades for a, b in zip(self.moments, self.moments[1:], strict=False)
        )


def _by_quantity(venue_order_id: str, cumulative: Decimal) -> str:
    return f"{venue_order_id}-{plain(cumulative)}"


def _by_made_up_name(venue_order_id: str, cumulative: Decimal) -> str:
    return f"{venue_order_id}|cum|{plain(cumulative)}"


_FEE = Decimal("0.0005")
RULES = {
    Style.BSX: Rules(inferred_trade_id=_by_made_up_name, price_precision=2, maker_fee=-_FEE, taker_fee=_FEE),
    Style.SFOX: Rules(inferred_trade_id=_by_made_up_name, price_precision=2, taker_fee=_FEE),
    Style.ROXOM: Rules(inferred_trade_id=_by_quantity, price_precision=2, infer_at_once=True, taker_fee=_FEE),
    Style.ACTTRADER: Rules(inferred_trade_id=_by_quantity, price_precision=2),
    Style.OUTPOLL: Rules(inferred_trade_id=_by_made_up_name, price_precision=2),
}
#: Names of real trades are made from the cumulative quantity, as those of inferred fills.
_NAMED_BY_QUANTITY = frozenset({Style.ROXOM, Style.ACTTRADER})
_AMENDS = frozenset({Style.SFOX, Style.ACTTRADER})

_LOT = Decimal("0.25")
_LOTS = [_LOT * n for n in range(200)]
_FEE_RATES = (Decimal("0.0005"), Decimal("-0.0001"), ZERO)
_TS = 1_700_000_000_000_000_000


class _Venue:
    """The little model venue: one order, counted in lots."""

    def __init__(self, rng: Random, life: Life, lots: int) -> None:
        self.rng, self.life = rng, life
        self.lots, self.filled = lots, 0
        self.price = life.price
        self.notional, self.fees = ZERO, ZERO
        self.ts = _TS
        self.versioned = rng.random() < 0.3
        self.rate = rng.choice(_FEE_RATES)
        self.tick = rng.randrange(9_000, 11_000)

    def note(self, status: VenueStatus, cancel_reject_key: str = "") -> None:
        life = self.life
        moment = Moment(
            status,
            life.quantity if life.quote_quantity else _LOTS[self.lots],
            self.price,
            _LOTS[self.filled],
            self.notional,
            self.fees,
            len(life.moments) + 1 if self.versioned else 0,
            self.ts,
            len(life.trades),
            cancel_reject_key,
        )
        life.moments.append(moment)

    def pass_time(self, least: int = 0) -> None:
        self.ts += max(least, self.rng.choice((0, 1, 1_000_000_000)))

    def trade(self, lots: int) -> None:
        """Fill `lots`, in up to three trades."""
        rng, life = self.rng, self.life
        while lots:
            size = rng.randint(1, lots) if rng.random() < 0.5 else lots
            lots -= size
            self.filled += size
            px = Decimal(self.tick + rng.randint(-150, 150)).scaleb(-2)
            qty = _LOTS[size]
            fee = qty * px * self.rate
            self.notional += qty * px
            self.fees += fee
            ends_at = _LOTS[self.filled]
            number = len(life.trades) + 1
            name = _by_quantity(life.venue_order_id, ends_at) if life.style in _NAMED_BY_QUANTITY else f"t{number}"
            life.trades.append(Trade(name, qty, px, fee, self.ts, ends_at))

    def fill_some(self) -> None:
        left = self.lots - self.filled
        if left:
            self.trade(self.rng.randint(1, left))


def live(rng: Random, style: Style | None = None, *, quote: bool | None = None, most_lots: int = 20) -> Life:
    """Make the true life of one order."""
    style = style or rng.choice(_STYLES)
    lots = rng.randint(1, most_lots)
    if quote is None:
        quote = style in (Style.SFOX, Style.OUTPOLL) and rng.random() < 0.15
    kind = OrderType.MARKET if quote else rng.choice((OrderType.LIMIT, OrderType.LIMIT, OrderType.STOP_LIMIT))
    life = Life(
        style=style,
        type=kind,
        quantity=_LOTS[lots] * 100 if quote else _LOTS[lots],
        price=None if quote else Decimal("100.5"),
        quote_quantity=quote,
        rejects_live=style is Style.OUTPOLL and rng.random() < 0.5,
        rounded_to=3 if style is Style.ROXOM else 6,
        tells_fees=style in (Style.BSX, Style.SFOX) or (style is Style.ROXOM and rng.random() < 0.5),
    )
    venue = _Venue(rng, life, lots)
    if rng.random() < 0.5:
        venue.note(_V.PENDING)
        venue.pass_time()
    path = rng.random()
    if path < 0.08:
        venue.note(_V.REJECTED)
    elif path < 0.13:
        venue.note(rng.choice((_V.CANCELED, _V.EXPIRED)))
    elif path < 0.22:
        venue.trade(lots)
        venue.note(_V.FILLED)
    else:
        _work(rng, venue)
    life.tells_times = rng.random() < 0.8 or (life.amends > 0 and not venue.versioned)
    life.times_trades = rng.random() < 0.8
    life.tells_terms = rng.random() < 0.8 or life.amends > 0
    return life


def _work(rng: Random, venue: _Venue) -> None:
    life = venue.life
    if life.type is OrderType.STOP_LIMIT and rng.random() < 0.7:
        venue.note(_V.WAITING)
        venue.pass_time()
    venue.note(_V.WORKING)
    amends = rng.randint(0, 2) if life.style in _AMENDS and not life.quote_quantity else 0
    canceling = False
    for _ in range(rng.randint(0, 4)):
        venue.pass_time()
        if venue.filled == venue.lots:
            break
        what = rng.random()
        if what < 0.6:
            venue.fill_some()
            if venue.filled == venue.lots:
                break
        elif what < 0.75 and amends:
            amends -= 1
            venue.pass_time(least=1)
            if rng.random() < 0.7:
                venue.lots = rng.randint(venue.filled + 1, venue.lots + 10)
            else:
                venue.price = Decimal(rng.randint(9_900, 10_200)).scaleb(-2)
        elif what < 0.85:
            canceling = True
        elif canceling:
            canceling = False
            venue.note(_V.WORKING, f"refused-{len(life.moments)}")
            continue
        venue.note(_V.PENDING_CANCEL if canceling else _V.WORKING)
    _finish(rng, venue)


def _finish(rng: Random, venue: _Venue) -> None:
    venue.pass_time()
    if venue.filled == venue.lots:
        venue.note(_V.FILLED)
        return
    how = rng.random()
    if how < 0.15:
        return  # still open
    if how < 0.35:
        venue.trade(venue.lots - venue.filled)
        venue.note(_V.FILLED)
    elif how < 0.5:
        venue.note(_V.EXPIRED)
        if rng.random() < 0.1:
            venue.pass_time()
            venue.fill_some()
            venue.note(_V.EXPIRED)
    elif how < 0.55 and venue.filled == 0:
        venue.note(_V.REJECTED)
    else:
        venue.note(_V.CANCELED)
        for _ in range(rng.choice((0, 0, 1, 2))):  # fills that raced the cancel
            venue.pass_time()
            venue.fill_some()
            venue.note(_V.FILLED if venue.filled == venue.lots else _V.CANCELED)
            if venue.filled == venue.lots:
                break


# -- what the venue says of it -----------------------------------------------------------------------------------------


def statements(rng: Random, life: Life) -> list[OrderUpdate]:
    """Return what a venue of the life's style says, in true order; the last one is the final whole-order statement."""
    told = _SPEAKERS[life.style](rng, life)
    told.append(final(life))
    return told


def final(life: Life) -> OrderUpdate:
    """Return the whole-order statement that a resync reads in the end: no trades, all cumulative numbers."""
    return whole(life, life.last, source=Source.QUERY)


def whole(
    life: Life,
    moment: Moment,
    *,
    source: Source = Source.STREAM,
    fills: tuple[Fill, ...] = (),
    last_px: Decimal | None = None,
) -> OrderUpdate:
    """Return the whole-order statement about `moment` in the words of the life's style."""
    style = life.style
    filled = moment.filled
    # A market order has no limit price to fall back on: every venue tells something about its price.
    says_avg = style in (Style.BSX, Style.SFOX, Style.ROXOM) or life.quote_quantity
    rounded = round(moment.notional / filled, life.rounded_to) if says_avg and filled else None
    return OrderUpdate(
        source=source,
        venue_order_id=life.venue_order_id,
        status=moment.status,
        quantity=None if life.quote_quantity or not life.tells_terms else moment.quantity,
        price=moment.price if life.tells_terms else None,
        filled_qty=filled,
        avg_px=rounded,
        filled_notional=moment.notional if style is Style.SFOX else None,
        last_px=last_px,
        fees=moment.fees if life.tells_fees else None,
        fills=fills,
        rejects_live=life.rejects_live,
        cancel_reject_reason="too late" if moment.cancel_reject_key else "",
        cancel_reject_key=moment.cancel_reject_key,
        version=moment.version,
        ts_event=moment.ts if life.tells_times else 0,
        reason="user" if moment.status is _V.CANCELED else "",
    )


def fill_of(life: Life, trade: Trade, *, placed: bool, with_fee: bool = True) -> Fill:
    """Return `trade` as a venue tells it."""
    return Fill(
        trade_id=trade.trade_id,
        last_qty=trade.qty,
        last_px=trade.px,
        commission=trade.fee if with_fee else None,
        liquidity_side=LiquiditySide.TAKER,
        ts_event=trade.ts if life.times_trades else 0,
        venue_trade_id=trade.trade_id,
        ends_at=trade.ends_at if placed else None,
    )


def bare(life: Life, trade: Trade, *, placed: bool = False, source: Source = Source.TRADES) -> OrderUpdate:
    """Return `trade` as a feed or listing of trades tells it, without a word about the order."""
    fills = (fill_of(life, trade, placed=placed),)
    return OrderUpdate(source=source, venue_order_id=life.venue_order_id, fills=fills)


def _bsx(rng: Random, life: Life) -> list[OrderUpdate]:
    told: list[OrderUpdate] = []
    before = 0
    for moment in life.moments:
        fills = (
            ()
            if rng.random() < 0.1
            else tuple(fill_of(life, t, placed=True) for t in life.trades[before : moment.trades])
        )
        before = moment.trades
        told.append(whole(life, moment, fills=fills))
        if rng.random() < 0.15:
            told.append(whole(life, moment, source=Source.SNAPSHOT))
    if rng.random() < 0.2:
        told += [bare(life, t, source=Source.HISTORY) for t in life.trades]
    return told


def _sfox(rng: Random, life: Life) -> list[OrderUpdate]:
    told: list[OrderUpdate] = []
    before = 0
    for moment in life.moments:
        trades = [bare(life, t) for t in life.trades[before : moment.trades]]
        before = moment.trades
        order = whole(life, moment)
        told += [*trades, order] if rng.random() < 0.5 else [order, *trades]
        if moment.status is _V.FILLED:
            told.append(order)  # Filled, then Done
    return told


def _roxom(rng: Random, life: Life) -> list[OrderUpdate]:
    told: list[OrderUpdate] = []
    before = 0
    says_last, lists_trades = rng.random() < 0.5, rng.random() < 0.3
    for moment in life.moments:
        trades = life.trades[before : moment.trades]
        before = moment.trades
        told.append(whole(life, moment, last_px=trades[-1].px if trades and says_last else None))
    if lists_trades:
        told += [bare(life, t, placed=True, source=Source.HISTORY) for t in life.trades]
    return told


def _acttrader(rng: Random, life: Life) -> list[OrderUpdate]:
    told: list[OrderUpdate] = []
    before = 0
    lists_fills, lists_all = rng.random() < 0.8, rng.random() < 0.5
    for moment in life.moments:
        trades = life.trades[0 if lists_all else before : moment.trades] if lists_fills else []
        before = moment.trades
        fills = tuple(fill_of(life, t, placed=True, with_fee=False) for t in trades)
        told.append(whole(life, moment, fills=fills))
    return told


def _outpoll(rng: Random, life: Life) -> list[OrderUpdate]:
    told: list[OrderUpdate] = []
    lists_trades = rng.random() < 0.5
    for moment in life.moments:
        if rng.random() < 0.3:
            continue  # nobody looked
        status = moment.status
        if status is not _V.PENDING_CANCEL and moment is not life.last and rng.random() < 0.5:
            told.append(OrderUpdate(source=Source.QUERY, venue_order_id=life.venue_order_id, status=status))
        else:
            told.append(whole(life, moment, source=Source.QUERY))
    if lists_trades:
        told += [bare(life, t) for t in life.trades]
    return told


_SPEAKERS = {
    Style.BSX: _bsx,
    Style.SFOX: _sfox,
    Style.ROXOM: _roxom,
    Style.ACTTRADER: _acttrader,
    Style.OUTPOLL: _outpoll,
}
_STYLES = tuple(Style)


# -- what happens to it on the way -------------------------------------------------------------------------------------


def distort(rng: Random, life: Life, told: list[OrderUpdate], *, marks: bool = True) -> list[Step]:
    """Lose, repeat, delay and interleave the statements; the final one is always among them.

    Requests of the strategy come before the statements they cause; a life with a change begins with one.
    """
    lose = rng.choice((0.0, 0.0, 0.2, 0.6))
    steps: list[Step] = [update for update in told[:-1] if not lose or rng.random() >= lose]
    if steps and rng.random() < 0.5:
        for update in rng.sample(steps, min(len(steps), rng.randint(1, 3))):
            steps.insert(rng.randint(0, len(steps)), update)
    steps.append(told[-1])
    how = rng.random()
    if how < 0.4:
        rng.shuffle(steps)
    elif how < 0.75:
        for _ in range(rng.randint(1, 4)):  # neighbours change places: two channels race
            at = rng.randrange(len(steps))
            other = min(at + rng.randint(1, 3), len(steps) - 1)
            steps[at], steps[other] = steps[other], steps[at]
    if marks:
        if rng.random() < 0.5:
            for _ in range(rng.randint(1, 3)):
                steps.insert(rng.randint(0, len(steps)), rng.choice(_INTERRUPTIONS))
        if rng.random() < 0.2:
            steps.insert(rng.randint(0, len(steps)), Mark.PEND_CANCEL)
        for at in reversed([i for i, step in enumerate(steps) if step is Mark.RESTART]):
            steps.insert(at + 1, _resync(rng, life, steps[:at]))
    if life.amends:
        steps.insert(0, Mark.PEND_UPDATE)
    return steps


_INTERRUPTIONS = (Mark.SETTLE, Mark.SETTLE, Mark.RESTART)


def _resync(rng: Random, life: Life, before: list[Step]) -> OrderUpdate:
    """Return what a resync reads after a restart: the order at some moment not older than anything told before."""
    told = [step for step in before if isinstance(step, OrderUpdate)]
    filled = max((max(u.filled_qty or ZERO, *(f.ends_at or ZERO for f in u.fills), ZERO) for u in told), default=ZERO)
    trades = {fill.trade_id for update in told for fill in update.fills}
    filled = max([filled, *(trade.ends_at for trade in life.trades if trade.trade_id in trades)])
    newest = max((max(u.ts_event, u.version) for u in told), default=0)
    ended = any(update.status in END_STATUSES for update in told)
    fit = [
        moment
        for moment in life.moments
        if moment.filled >= filled
        and max(moment.ts, moment.version) >= newest
        and (not ended or moment.status in END_STATUSES)
    ]
    return whole(life, rng.choice(fit or [life.last]), source=Source.SNAPSHOT)
