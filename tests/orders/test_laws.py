"""The eight laws of the reducer, each a property of random lives told in random ways.

Every event is also applied to a real order of the framework (`Follower.judge`): what it refuses breaks law 5, and
its filled quantity, status and average must agree with ours in the end (`check_end`).
"""

from decimal import Decimal
from itertools import permutations
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.updates import OrderUpdate, VenueStatus
from nautilus_orderfeeds.orders.words import OrderStatus
from tests.support.follower import Follower, check_end, check_nothing_new
from tests.support.histories import Life, Mark, Step, Style, distort, live, statements
from tests.support.hunting import history
from tests.support.nonsense import nonsense

SEEDS = st.integers(min_value=0, max_value=2**48)
LAW = settings(max_examples=1_000, deadline=None)


def _witnessed(steps: list[Step]) -> Decimal:
    """Return the highest filled quantity that anything in `steps` proves."""
    updates = [step for step in steps if isinstance(step, OrderUpdate)]
    said = max((update.filled_qty or ZERO for update in updates), default=ZERO)
    trades = {fill.trade_id: fill for update in updates for fill in update.fills}
    placed = max((fill.ends_at or ZERO for fill in trades.values()), default=ZERO)
    return max(said, placed, sum((fill.last_qty for fill in trades.values()), ZERO))


def _told(follower: Follower) -> Decimal:
    return sum((x.last_qty for x in (*follower.fills, *follower.orphaned, *follower.state.held)), ZERO)


@given(SEEDS)
@LAW
def test_law_1_quantity_is_conserved_and_never_falls(seed: int) -> None:
    """Cumulative filled quantity never falls. Quantity is conserved: filled + leaves + canceled = original."""
    life, steps = history(seed)
    follower = Follower(life)
    order = follower.judge
    assert order is not None
    before = ZERO
    for step in steps:
        follower.step(step)
        assert before <= order.filled_qty <= (order.quantity if not life.quote_quantity else _witnessed(steps))
        assert order.filled_qty == follower.state.filled_qty
        before = order.filled_qty
    follower.finish()
    assert order.filled_qty + order.leaves_qty == order.quantity
    canceled = order.leaves_qty if follower.state.is_closed else ZERO
    leaves = ZERO if follower.state.is_closed else order.leaves_qty
    assert follower.state.leaves_qty == leaves or life.quote_quantity
    assert order.filled_qty + leaves + canceled == order.quantity


@given(SEEDS)
@LAW
def test_law_2_fills_sum_to_the_highest_quantity_seen_and_agree_with_the_average(seed: int) -> None:
    """The sum of emitted fills equals the highest filled quantity seen.

    Their notional agrees with the venue's average price to the rounding that the price precision forces, and the
    error never accumulates.
    """
    life, steps = history(seed)
    follower = Follower(life)
    for step in steps:
        follower.step(step)
        if step is Mark.SETTLE and follower.state.venue_order_id is not None:
            assert follower.state.unexplained_qty == 0
    follower.finish()
    assert _told(follower) == _witnessed(steps) == life.last.filled
    check_end(follower)  # the money, and the framework's average


@given(SEEDS)
@LAW
def test_law_3_a_trade_yields_one_fill(seed: int) -> None:
    """A venue trade yields one fill, whichever of stream, snapshot, trade feed and REST told of it, in any order.

    Also across a restart. An inferred fill that the real trade later explains is not counted twice.
    """
    life, steps = history(seed)
    follower = Follower(life)
    for at, step in enumerate(steps):
        follower.step(step)
        assert _told(follower) <= _witnessed(steps[: at + 1])  # never too much, not even for a while
    follower.finish()
    for fills in (follower.fills, follower.orphaned):
        names = [fill.trade_id for fill in fills]
        assert len(names) == len(set(names))
    real = {trade.trade_id: trade.qty for trade in life.trades}
    for fill in follower.fills:
        if not fill.inferred:
            assert fill.last_qty <= real[fill.trade_id]
    news = [step for step in steps if isinstance(step, OrderUpdate)]
    Random(seed).shuffle(news)
    check_nothing_new(follower, news)


def _outcome(follower: Follower) -> tuple[object, ...]:
    state, life = follower.state, follower.life
    status: object = state.status
    if life.last.status is VenueStatus.REJECTED and state.filled_qty == 0 and state.is_closed:
        status = "over"  # a rejection is told as a cancel once the order was seen live
    elif life.shrinks and state.is_closed:
        status = "over"  # fills that reach the lowered quantity before the change is known cannot fill the order
    terms = None if state.is_closed else (state.quantity, state.price)
    return status, state.filled_qty, state.orphaned_qty, terms


def _order_matters(life: Life) -> bool:
    """Whether even perfect knowledge comes too late in some orders: then only the sum is the same."""
    return (
        life.fills_after_final_end
        or (life.quote_quantity and life.fills_after_end)
        or (life.grows and life.amends > 1)  # the second change is not told from the first
    )


def _follow(life: Life, steps: list[Step], *, judge: bool = True) -> Follower:
    first: list[Step] = [Mark.PEND_UPDATE] if life.amends else []  # asked for before it can be heard of
    return Follower(life, judge=judge).follow([*first, *steps])


@given(SEEDS, st.data())
@LAW
def test_law_4_order_and_repetition_do_not_matter(seed: int, data: st.DataObject) -> None:
    """Any order and any repetition of the same updates leads to the same final order."""
    rng = Random(seed)
    life = live(rng)
    told = statements(rng, life)
    repeated = told + data.draw(st.lists(st.sampled_from(told), max_size=4))
    one, other = _follow(life, list(told)), _follow(life, data.draw(st.permutations(repeated)))
    check_end(other)
    if _order_matters(life):
        assert _told(one) == _told(other)
    else:
        assert _outcome(one) == _outcome(other)


@pytest.mark.parametrize("style", list(Style), ids=lambda style: style.name)
def test_law_4_exhaustively_for_short_histories(style: Style) -> None:
    """Every permutation of up to six statements, repeated as it stands and settled in between."""
    done = 0
    for seed in range(10_000):
        rng = Random(seed)
        life = live(rng, style, most_lots=6)
        told = statements(rng, life)
        if not 4 <= len(told) <= 6 or not life.trades or (len(told) == 6 and done % 2):
            continue
        outcomes = set()
        for order in permutations(told):
            follower = _follow(life, list(order), judge=False)
            check_end(follower)
            outcomes.add(_told(follower) if _order_matters(life) else _outcome(follower))
            settled: list[Step] = [step for update in order for step in (update, Mark.SETTLE)]
            check_end(_follow(life, settled, judge=False))
        assert len(outcomes) == 1, f"seed {seed}: {outcomes}"
        done += 1
        if done == 40:
            return
    pytest.fail("too few short histories")


@given(SEEDS)
@LAW
def test_law_5_the_framework_takes_every_event_and_late_fills_count(seed: int) -> None:
    """No event that the framework's order state machine would refuse. Fills after a cancel are still counted."""
    rng = Random(seed)
    life = live(rng)
    follower = Follower(life).follow(distort(rng, life, statements(rng, life)))  # raises what the framework refuses
    assert follower.judge is not None
    assert follower.judge.status is follower.state.status
    canceled = any(m.status is VenueStatus.CANCELED for m in life.moments)
    if canceled and not life.quote_quantity and not life.grows:
        assert follower.judge.filled_qty == life.last.filled
        if life.last.status is VenueStatus.CANCELED:
            assert follower.state.status is OrderStatus.CANCELED


@given(SEEDS)
@LAW
def test_law_6_older_knowledge_never_overwrites_newer(seed: int) -> None:
    """Equal timestamps are not duplicates; older knowledge never overwrites newer.

    By quantity, then version, then time.
    """
    rng = Random(seed)
    life = live(rng)
    steps = distort(rng, life, statements(rng, life), marks=False)
    follower = Follower(life)
    newest = (ZERO, 0, 0)
    for step in steps:
        if isinstance(step, Mark):
            follower.step(step)
            continue
        events = follower.step(step)
        if step.status is None or step.filled_qty is None:
            assert not any(isinstance(event, ev.OrderUpdated) for event in events) or life.quote_quantity
            continue
        age = (step.filled_qty, step.version, step.ts_event)
        if age < newest:
            told = [event for event in events if isinstance(event, ev.OrderUpdated) and not event.restated]
            assert not told, f"{age} is older than {newest}"
        elif age == newest and step.filled_qty > 0:
            assert follower.state.known.filled_qty >= step.filled_qty
        newest = max(newest, age)
    follower.finish()
    if follower.state.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED) and not life.quote_quantity:
        assert (follower.state.quantity, follower.state.price) == (life.last.quantity, life.last.price)


@given(SEEDS)
@LAW
def test_law_7_trade_ids_are_pure_functions_of_venue_data(seed: int) -> None:
    """Trade ids are pure functions of venue data (at most 36 ASCII characters, unique per account and instrument)."""
    life, steps = history(seed)
    one, other = Follower(life).follow(steps), Follower(life, judge=False).follow(steps)
    names = [fill.trade_id for fill in one.fills]
    assert names == [fill.trade_id for fill in other.fills]
    assert len(names) == len(set(names))
    assert all(name.isascii() and 0 < len(name) <= 36 for name in names)


@given(SEEDS)
@LAW
def test_law_8_commission_is_the_venues_where_it_gives_one(seed: int) -> None:
    """Commission is the venue's where it gives one (fees are cumulative on several venues: emit the difference).

    Unknown is not zero: use the instrument's fee and mark the fill as estimated.
    """
    life, steps = history(seed)
    follower = Follower(life).follow(steps)
    rate = follower.rules.taker_fee
    for fill in (*follower.fills, *follower.state.held):
        if life.tells_fees and not fill.inferred:
            assert not fill.fee_estimated
        if fill.fee_estimated:
            assert fill.commission == (ZERO if rate is None else round(fill.last_qty * fill.last_px * rate, 8))
        elif fill.inferred:
            assert life.tells_fees
    check_end(follower)  # the sum of the commissions


@given(SEEDS)
@example(seed=66_451_662_322)  # FILLED without a number, while more than its quantity is proved
@settings(LAW, max_examples=2_000)
def test_contradictions_are_no_crash(seed: int) -> None:
    """Whatever a venue says, however it contradicts itself: no exception, no illegal event, no money told twice."""
    rng = Random(seed)
    follower = Follower(live(rng), truthful=False)
    before = ZERO
    for _ in range(rng.randint(1, 10)):
        follower.step(nonsense(rng))
        state = follower.state
        assert before <= state.filled_qty
        assert state.quote_quantity or state.filled_qty <= state.quantity
        assert state.unexplained_qty >= 0
        assert _told(follower) == state.counted_qty + state.orphaned_qty
        before = state.filled_qty
    follower.finish()
    if follower.state.venue_order_id is not None and not follower.anomalies:
        assert follower.state.unexplained_qty == 0
    assert follower.judge is not None
    assert follower.judge.status is follower.state.status
