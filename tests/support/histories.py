"""What venues of five styles say about true order lives, and what happens to that on the way.

Three steps, all driven by one ``random.Random`` so that a seed tells everything:

- `lives.live` makes a `Life`: what truly happened to one order at a little model venue.
- `statements` makes the updates a venue of a style sends about that life, in their true order.
- `distort` loses, repeats, delays and interleaves them, and puts marks between them (`Mark`): the moment to settle,
  a restart, a request of the strategy. The last whole-order statement is always delivered, as a resync does.
"""

from decimal import Decimal
from enum import Enum, unique
from random import Random

from nautilus_orderfeeds.orders.decimals import ZERO, plain
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.updates import END_STATUSES, Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide
from tests.support.lives import Life, Moment, Style, Trade, live, named_by_quantity

__all__ = ["RULES", "Life", "Mark", "Step", "Style", "Trade", "bare", "distort", "final", "live", "statements", "whole"]

_V = VenueStatus


@unique
class Mark(Enum):
    """What may happen between two statements."""

    SETTLE = "waited long enough"
    RESTART = "the process died; the journal is folded again"
    PEND_CANCEL = "the strategy asked for a cancel"
    PEND_UPDATE = "the strategy asked for a change"


Step = OrderUpdate | Mark


def _by_made_up_name(venue_order_id: str, cumulative: Decimal) -> str:
    return f"{venue_order_id}|cum|{plain(cumulative)}"


_FEE = Decimal("0.0005")
RULES = {
    Style.BSX: Rules(inferred_trade_id=_by_made_up_name, price_precision=2, maker_fee=-_FEE, taker_fee=_FEE),
    Style.SFOX: Rules(inferred_trade_id=_by_made_up_name, price_precision=2, taker_fee=_FEE),
    Style.ROXOM: Rules(inferred_trade_id=named_by_quantity, price_precision=2, infer_at_once=True, taker_fee=_FEE),
    Style.ACTTRADER: Rules(inferred_trade_id=named_by_quantity, price_precision=2),
    Style.OUTPOLL: Rules(inferred_trade_id=_by_made_up_name, price_precision=2),
}
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
