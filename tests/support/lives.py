"""True lives of orders: what really happened to one order at a little model venue, seeded."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, unique
from itertools import pairwise
from random import Random
from typing import NamedTuple

from nautilus_orderfeeds.orders.decimals import ZERO, plain
from nautilus_orderfeeds.orders.updates import END_STATUSES, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderType

_V = VenueStatus


@unique
class Style(Enum):
    """How a venue speaks."""

    BSX = "whole-order updates, the latest trades placed in them"
    SFOX = "cumulative orders feed, separate feed of unplaced trades, Filled then Done"
    ROXOM = "cumulative quantity and a rounded average only"
    ACTTRADER = "cumulative quantity, fills named by the cumulative quantity, no fees"
    OUTPOLL = "sparse read-backs"


STYLES = tuple(Style)


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
        return sum(a.quantity != b.quantity or a.price != b.price for a, b in pairwise(self.moments))

    @property
    def grows(self) -> bool:
        """Whether its quantity was ever raised."""
        return any(b.quantity > a.quantity for a, b in pairwise(self.moments))

    @property
    def shrinks(self) -> bool:
        """Whether its quantity was ever lowered."""
        return any(b.quantity < a.quantity for a, b in pairwise(self.moments))

    @property
    def fills_after_end(self) -> bool:
        """Whether something traded after the venue had said that the order is over."""
        return any(a.status in END_STATUSES and b.trades > a.trades for a, b in pairwise(self.moments))

    @property
    def fills_after_final_end(self) -> bool:
        """Whether something traded after an end that the framework cannot take back."""
        return any(a.status is _V.EXPIRED and b.trades > a.trades for a, b in pairwise(self.moments))


def named_by_quantity(venue_order_id: str, cumulative: Decimal) -> str:
    """Return the trade id that two of the venues make from the cumulative quantity."""
    return f"{venue_order_id}-{plain(cumulative)}"


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
            name = named_by_quantity(life.venue_order_id, ends_at) if life.style in _NAMED_BY_QUANTITY else f"t{number}"
            life.trades.append(Trade(name, qty, px, fee, self.ts, ends_at))

    def fill_some(self) -> None:
        left = self.lots - self.filled
        if left:
            self.trade(self.rng.randint(1, left))


def live(rng: Random, style: Style | None = None, *, quote: bool | None = None, most_lots: int = 20) -> Life:
    """Make the true life of one order."""
    style = style or rng.choice(STYLES)
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
