"""A reading that was under way while an order was sent may show that order: it was not there before."""

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.orders.requests import Accepted, OrderRef, Unknown
from nautilus_orderfeeds.venues.outpoll.ledger import Ledger
from nautilus_orderfeeds.venues.outpoll.queries import Reading
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from tests.support.outpoll_rows import NOW_NS, active, new_order, reading, row

SETTLE_SECS = 3.0


async def bound_by(sent_at: float, read_from: float, read_to: float) -> set[str | None]:
    """Send an order, show it FILLED in a reading and ever after, and return the ids it is told by."""
    clock = ManualClock(NOW_NS)
    ledger = Ledger(OutpollSettings(read_settle_secs=SETTLE_SECS, read_gap_secs=1.0), clock, {})
    ref = OrderRef(client_order_id="O-1", symbol=new_order().symbol, terms=new_order())
    intent = None
    for at in (read_from, read_to, read_to + SETTLE_SECS + 1, read_to + SETTLE_SECS + 3, read_to + SETTLE_SECS + 5):
        if intent is None and sent_at <= at:
            await clock.advance(sent_at - clock.monotonic())
            intent = ledger.sending(new_order())
            ledger.sent(intent, Unknown("no order id in the answer"))
        await clock.advance(at - clock.monotonic())
        if at == read_from:
            reading = Reading(began=at, began_ns=clock.time_ns(), history={"v-1": row()})
            continue
        if at != read_to:
            reading = Reading(began=at, began_ns=clock.time_ns(), history={"v-1": row()})
        reading.listed_ns = clock.time_ns()
        truth = ledger.judge([ref], reading)
    return {update.venue_order_id for update in truth.updates} | set(ledger._memories)


async def test_sent_while_a_reading_was_under_way() -> None:
    assert await bound_by(sent_at=1.0, read_from=0.9, read_to=1.1) == {"v-1"}


async def test_sent_after_it_was_shown() -> None:
    """It was there before: it is somebody else's."""
    assert "v-1" not in await bound_by(sent_at=1.2, read_from=0.9, read_to=1.1)


async def test_asked_for_before_it_was_named() -> None:
    """Whoever waits for a reading asks by what was known before: the order named meanwhile is no second one."""
    clock = ManualClock(NOW_NS)
    ledger = Ledger(OutpollSettings(read_settle_secs=0.5, read_gap_secs=0.0), clock, {})
    stale = OrderRef(client_order_id="O-1", symbol=new_order().symbol, terms=new_order(), created_ns=clock.time_ns())
    ledger.sent(ledger.sending(new_order()), Accepted("v-1"))
    ledger.remember([stale])
    assert ledger.wanted([stale]) == {"v-1": stale.created_ns}
    truth = ledger.judge([stale], reading(at=clock.monotonic()))
    assert [ref.client_order_id for ref in truth.unsure] == ["O-1"], "taken, and not seen yet"

    # Another with the same terms has no answer: it is the only one in flight, and the only new one at the venue.
    ledger.sent(ledger.sending(new_order("O-2")), Unknown("cut off"))
    await clock.advance(1.0)
    shown = reading(active("v-1"), active("v-2"), at=clock.monotonic())
    shown.began_ns = shown.listed_ns = clock.time_ns()
    told = {update.client_order_id: update.venue_order_id for update in ledger.judge([stale], shown).updates}
    assert told == {"O-1": "v-1", "O-2": "v-2"}
