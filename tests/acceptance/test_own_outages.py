"""Our own cases X06, X07, X17, X18 and X20: connection, answers or journal fail while something is under way."""

import asyncio
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.events import OrderDenied, OrderRejected

from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.sim.model import OrderState
from tests.support.scene import OPEN, Scene, execution_case

N = {"enable_limit_buys": False, "enable_limit_sells": False}
OUTAGE_SECS = 0.8


async def cut_off(scene: Scene, call: tuple[str, str], fault: Fault, **settings: Any) -> Any:
    """Arm `fault` for the next `call`, and let no frame about orders through from now on."""
    silent = scene.sim.faults.arm(Fault.DROP, where=f"{scene.profile.order_frames}*")
    armed = scene.sim.faults.once(fault, where=" ".join(call), **settings)
    return silent, armed


async def never_taken(scene: Scene, call: tuple[str, str]) -> Any:
    """The same with a fault by which the next `call` has no effect, and no answer says so."""
    fault, settings = scene.profile.without_effect[0]
    return await cut_off(scene, call, fault, **settings)


async def outage(scene: Scene, silent: Any, armed: Any) -> None:
    """Take the venue down once the fault has struck; nothing of what happened before has been told."""
    await scene.until(lambda: armed.struck == 1, "the request to be struck")
    scene.sim.pause()
    scene.sim.faults.disarm(silent)
    await scene.until(lambda: not scene.is_live, "the feed to notice")


# -- X06: disconnect with a submit in flight --------------------------------------------------------------------------


@execution_case("X06", **N)
async def test_x06_afterwards_accepted(scene: Scene):
    silent, armed = await cut_off(scene, scene.profile.submit, Fault.LOST_ANSWER)
    order = scene.limit()
    scene.submit(order)
    await outage(scene, silent, armed)
    yield
    await asyncio.sleep(OUTAGE_SECS)
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted"]
    await scene.sim.resume()
    await scene.accepted(order)
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]


@execution_case("X06", **N)
async def test_x06_afterwards_filled(scene: Scene):
    silent, armed = await cut_off(scene, scene.profile.submit, Fault.LOST_ANSWER)
    order = scene.limit()
    scene.submit(order)
    await outage(scene, silent, armed)
    yield
    (sim_order,) = scene.sim.ledger.orders()
    for _ in range(scene.profile.parts):
        scene.sim.market.trade(
            scene.profile.product,
            sim_order.price,
            Decimal(scene.profile.qty) / scene.profile.parts,
            sim_order.side.opposite,
        )
    assert sim_order.state is OrderState.FILLED
    await asyncio.sleep(OUTAGE_SECS)
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted"]
    await scene.sim.resume()
    await scene.closed(order)
    names = scene.names(order)
    assert names[:3] == ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]
    assert set(names[3:]) == {"OrderFilled"}
    assert order.filled_qty.as_decimal() == sim_order.filled
    # The real trade ids where the venue can be asked for them; where it cannot, one fill that says so itself.
    if scene.profile.asks_for_trades:
        trades = scene.sim.ledger.fills(sim_order)
        assert len(scene.fills(order)) == len(trades)
        assert not any(fill.info.get("inferred") for fill in scene.fills(order))
        if scene.profile.wire_trade_id is not None:
            theirs = {scene.profile.wire_trade_id(trade.trade_id) for trade in trades}
            assert {fill.info["venue_trade_id"] for fill in scene.fills(order)} == theirs
    else:
        assert all(fill.info.get("inferred") for fill in scene.fills(order))
    commissions = [fill.commission for fill in scene.fills(order)]
    paid = sim_order.fees + sim_order.extra_fees
    assert sum(money.as_decimal() for money in commissions) == round(paid, commissions[0].currency.precision)


@execution_case("X06", **N, cancel_orders_on_stop=False, only=lambda profile: not profile.proves_absence)
async def test_x06_afterwards_unknown(scene: Scene):
    """The venue never had it, and by its rules that is not final yet: still in flight, and flagged."""
    silent, armed = await never_taken(scene, scene.profile.submit)
    order = scene.limit()
    scene.submit(order)
    await outage(scene, silent, armed)
    yield
    await asyncio.sleep(OUTAGE_SECS)
    await scene.sim.resume()
    await scene.live()
    queries = (scene.profile.open_orders, scene.profile.one_order)
    asked = scene.sent(*queries)
    await scene.until(lambda: scene.sent(*queries) > asked, "the venue to be asked again")
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted"]
    assert order.status == OrderStatus.SUBMITTED
    assert any("is unknown" in entry for entry in scene.run.log.entries("WARN"))
    scene.unresolved = {order.client_order_id}


@execution_case("X06", **N, only=lambda profile: profile.proves_absence)
async def test_x06_afterwards_proved_absent(scene: Scene):
    """The venue never had it, and says so when it is asked after the outage: rejected then, and not sent again."""
    silent, armed = await never_taken(scene, scene.profile.submit)
    order = scene.limit()
    scene.submit(order)
    await outage(scene, silent, armed)
    yield
    await asyncio.sleep(OUTAGE_SECS)
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted"]
    await scene.sim.resume()
    await scene.closed(order)
    assert order.status == OrderStatus.REJECTED
    assert "never reached the venue" in scene.only(OrderRejected, order).reason
    assert scene.sim.ledger.orders() == []


# -- X07: disconnect with a cancel in flight --------------------------------------------------------------------------


async def check_resync_before_orders(scene: Scene, order: Any) -> None:
    """A new order given during the outage goes out only after the state was read back."""
    later = scene.limit(ticks=90)
    scene.submit(later)
    await asyncio.sleep(OUTAGE_SECS)
    names = scene.names(order)
    assert {"OrderCancelRejected", "OrderModifyRejected"}.isdisjoint(names)
    assert order.is_open
    assert later.status == OrderStatus.INITIALIZED
    before = len(scene.sim.requests)
    await scene.sim.resume()
    await scene.accepted(later)
    calls = [f"{request.method} {request.path}" for request in scene.sim.requests[before:]]
    read, sent = (
        next(n for n, call in enumerate(calls) if fnmatchcase(call, " ".join(wanted)))
        for wanted in (scene.profile.open_orders, scene.profile.submit)
    )
    assert read < sent
    resolved = next(e for e in scene.run.order_events(order.client_order_id) if type(e).__name__ == "OrderCanceled")
    submitted = next(e for e in scene.run.order_events(later.client_order_id) if type(e).__name__ == "OrderSubmitted")
    assert resolved.ts_init <= submitted.ts_init


@execution_case("X07", **N)
async def test_x07_cancel_taken(scene: Scene):
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    silent, armed = await cut_off(scene, scene.profile.cancel, Fault.LOST_ANSWER)
    scene.tester.cancel_order(order)
    await outage(scene, silent, armed)
    yield
    await check_resync_before_orders(scene, order)
    assert order.status == OrderStatus.CANCELED


@execution_case("X07", **N)
async def test_x07_cancel_taken_after_a_fill(scene: Scene):
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    silent, armed = await cut_off(scene, scene.profile.cancel, Fault.LOST_ANSWER)
    scene.fill(order, Decimal(scene.profile.qty) / scene.profile.parts)
    scene.tester.cancel_order(order)
    await outage(scene, silent, armed)
    yield
    assert scene.names(order)[-1] == "OrderAccepted"
    await scene.sim.resume()
    await scene.closed(order)
    assert scene.names(order)[3:] == ["OrderFilled", "OrderCanceled"]
    assert order.filled_qty.as_decimal() == Decimal(scene.profile.qty) / scene.profile.parts


@execution_case("X07", **N)
async def test_x07_cancel_not_taken(scene: Scene):
    """The venue never had the cancel: no rejection either; it is sent again, and the order ends."""
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    silent, armed = await never_taken(scene, scene.profile.cancel)
    scene.tester.cancel_order(order)
    await outage(scene, silent, armed)
    yield
    await asyncio.sleep(OUTAGE_SECS)
    assert scene.names(order)[-1] == "OrderAccepted"
    await scene.sim.resume()
    await scene.closed(order)
    assert order.status == OrderStatus.CANCELED
    assert scene.names(order)[2:] == ["OrderAccepted", "OrderCanceled"]


# -- X17: cancel-all while a submit is in flight ----------------------------------------------------------------------


async def bystander(scene: Scene) -> Any:
    """An order of another strategy, which must stay."""
    (other,) = scene.others
    order = other.order_factory.limit(
        scene.profile.instrument_id,
        scene.limit().side,
        scene.instrument.make_qty(scene.profile.qty),
        scene.px(scene.away(scene.limit().side, 200)),
    )
    other.submit_order(order)
    await scene.accepted(order)
    return order


async def check_cancel_all(scene: Scene, orders: list[Any], stays: Any) -> None:
    await scene.closed(*orders)
    assert all(order.status == OrderStatus.CANCELED for order in orders)
    assert stays.status == OrderStatus.ACCEPTED
    assert scene.sim_order(stays).is_open
    assert len(scene.sim.ledger.orders(is_open=True)) == 1
    for order in orders:
        assert "OrderRejected" not in scene.names(order)
        assert "OrderCancelRejected" not in scene.names(order)


@execution_case("X17", **N, others=1)
async def test_x17_cancel_all_right_after_the_submit(scene: Scene):
    """The order is submitted and not answered: the cancel must not overtake it.

    Given in the very same breath as the submit, the framework's own queues let the cancel-all overtake it before
    either reaches the adapter: only what the adapter has been given can be in flight.
    """
    stays = await bystander(scene)
    resting, in_flight = scene.limit(), scene.limit(ticks=60)
    scene.submit(resting)
    await scene.accepted(resting)
    scene.submit(in_flight)
    while in_flight.status == OrderStatus.INITIALIZED:
        await asyncio.sleep(0)
    assert in_flight.status == OrderStatus.SUBMITTED
    scene.tester.cancel_all_orders(scene.profile.instrument_id)
    yield
    await check_cancel_all(scene, [resting, in_flight], stays)


@execution_case("X17", **N, others=1, sim=lambda profile: profile.stays_pending(0.3))
async def test_x17_cancel_all_while_pending(scene: Scene):
    """The venue has the order and has not accepted it."""
    stays = await bystander(scene)
    order = scene.limit()
    scene.submit(order)
    await scene.until(lambda: scene.sent(scene.profile.submit) == 2, "the submit to be answered")
    scene.tester.cancel_all_orders(scene.profile.instrument_id)
    yield
    await check_cancel_all(scene, [order], stays)


@execution_case("X17", **N, others=1, config={"request_timeout_secs": 1.0})
async def test_x17_cancel_all_with_the_answer_lost(scene: Scene):
    """Nobody has told that the order exists: it is canceled by what was chosen before sending."""
    stays = await bystander(scene)
    silent, armed = await cut_off(scene, scene.profile.submit, Fault.LOST_ANSWER)
    order = scene.limit()
    scene.submit(order)
    await scene.until(lambda: armed.struck == 1, "the submit to be struck")
    scene.tester.cancel_all_orders(scene.profile.instrument_id)
    yield
    await scene.until(lambda: len(scene.sim.ledger.orders(is_open=True)) == 1, "the order to end at the venue")
    scene.sim.faults.disarm(silent)
    await check_cancel_all(scene, [order], stays)


# -- X18: journal failure ---------------------------------------------------------------------------------------------


def recorded(scene: Scene) -> int:
    """How many orders the journal has, as far as it can still be read."""
    return int(scene.client._journal._db.execute("SELECT COUNT(*) FROM orders").fetchone()[0])


async def check_denied(scene: Scene, orders: list[Any], reason: str) -> None:
    await scene.closed(*orders)
    for order in orders:
        assert order.status == OrderStatus.DENIED
        assert scene.names(order) == ["OrderInitialized", "OrderDenied"]
        assert "could not be recorded" in scene.only(OrderDenied, order).reason
        assert reason in scene.only(OrderDenied, order).reason


async def check_what_still_works(scene: Scene, resting: Any) -> None:
    """What is under way is still told, and what reduces risk is still sent."""
    scene.fill(resting, Decimal(scene.profile.qty) / scene.profile.parts)
    await scene.until(lambda: resting.status == OrderStatus.PARTIALLY_FILLED, "the fill of an order sent before")
    scene.tester.cancel_order(resting)
    await scene.closed(resting)
    assert resting.status == OrderStatus.CANCELED
    # The position is closed elsewhere: this client cannot send the closing order any more.
    sim_order = scene.sim_order(resting)
    price = scene.best()[0] - 20 * scene.tick
    scene.sim.place_external(scene.profile.product, side=sim_order.side.opposite, size=sim_order.filled, price=price)
    await scene.until(lambda: scene.sim.ledger.position(scene.profile.product).net == 0, "the position to be closed")


async def one_resting(scene: Scene) -> Any:
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    return order


@execution_case("X18", **N, close_positions_on_stop=False)
async def test_x18_read_only(scene: Scene):
    resting = await one_resting(scene)
    scene.expected_errors.append("journal .* cannot be written .*readonly")
    scene.client._journal._db.execute("PRAGMA query_only = ON")
    orders = [scene.limit(ticks=60), scene.market()]
    scene.submit(*orders)
    scene.tester.submit_order_list(scene.tester.order_factory.create_list([scene.limit(ticks=70 + n) for n in (0, 1)]))
    yield
    await scene.until(lambda: len(scene.orders()) == 5, "all orders to be there")
    await check_denied(scene, scene.orders()[1:], "readonly")
    assert scene.sent(scene.profile.submit, scene.profile.submit_many) == 1
    assert len(scene.sim.ledger.orders()) == recorded(scene) == 1
    assert scene.run.log.entries("ERROR") == [] or "journal" in scene.run.log.entries("ERROR")[0]
    await check_what_still_works(scene, resting)


@execution_case("X18", **N, close_positions_on_stop=False)
async def test_x18_connection_to_the_journal_lost(scene: Scene):
    resting = await one_resting(scene)
    scene.expected_errors += ["journal", "Cannot operate on a closed database"]
    scene.client._journal._db.close()
    orders = [scene.limit(ticks=60), scene.market()]
    scene.submit(*orders)
    yield
    await check_denied(scene, orders, "closed database")
    assert scene.sent(scene.profile.submit) == 1
    await check_what_still_works(scene, resting)


@execution_case("X18", **N)
async def test_x18_disk_full(scene: Scene):
    """Whatever row it is that does not fit: an order that was sent is recorded, all others are denied."""
    resting = await one_resting(scene)
    scene.expected_errors.append("journal .* cannot be written .*full")
    database = scene.client._journal._db
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages + 2}")
    orders: list[Any] = []
    while not orders or orders[-1].status != OrderStatus.DENIED:
        assert len(orders) < 200
        orders.append(scene.limit(ticks=60 + len(orders)))
        scene.submit(orders[-1])
        await scene.until(lambda: orders[-1].status in (*OPEN, OrderStatus.DENIED), "the order to be answered")
    yield
    await check_denied(scene, orders[-1:], "full")
    sent = scene.sim.ledger.orders()
    assert len(sent) == len(orders)  # the first one, and all but the last of these
    assert recorded(scene) == len(sent)
    scene.tester.cancel_order(resting)
    await scene.closed(resting)

    database.execute("PRAGMA max_page_count = 1073741823")
    await scene.until(lambda: scene.client._journal.failure is None, "the journal to be tried again")
    again = scene.limit(ticks=60 + len(orders))
    scene.submit(again)
    await scene.accepted(again)
    await scene.until(lambda: recorded(scene) == len(sent) + 1, "it to be recorded")


# -- X20: the engine's own guess --------------------------------------------------------------------------------------

HASTY = {"inflight_check_interval_ms": 100, "inflight_check_threshold_ms": 200, "inflight_check_retries": 2}


def blind(scene: Scene) -> list[Any]:
    """Let the adapter learn nothing: no frame about orders, and every query fails."""
    fault, queries = scene.profile.blinding
    return [
        scene.sim.faults.arm(Fault.DROP, where=f"{scene.profile.order_frames}*"),
        scene.sim.faults.arm(fault, where=queries),
    ]


def see_again(scene: Scene, faults: list[Any]) -> None:
    for fault in faults:
        scene.sim.faults.disarm(fault)


GUESS = "The engine guessed that"


async def end_after_guess(scene: Scene) -> None:
    """The order stays rejected in the framework, which has no way back; positions and balances are the venue's."""
    scene.refused_by_engine = True
    scene.tester.stop()
    await scene.until(
        lambda: all("order" in row.what for row in scene.differences()), "positions and balances to be the venue's"
    )
    await scene.until(lambda: not scene.cache.positions_open(), "the position to close")
    await scene.end(agree=False)


@execution_case("X20", **N, engine=HASTY)
async def test_x20_guessed_reject_then_filled(scene: Scene):
    """The engine calls an unanswered submit rejected; then it fills: the position is the venue's, told as an error."""
    faults = blind(scene)
    scene.sim.faults.once(Fault.LOST_ANSWER, where=" ".join(scene.profile.submit))
    order = scene.limit()
    scene.submit(order)
    await scene.until(lambda: order.status == OrderStatus.REJECTED, "the engine's guess")
    yield
    scene.expected_errors += [GUESS, "Venue filled .* but"]
    (sim_order,) = scene.sim.ledger.orders()
    see_again(scene, faults)
    scene.sim.market.trade(scene.profile.product, sim_order.price, sim_order.quantity, sim_order.side.opposite)
    net = scene.sim.ledger.position(scene.profile.product).net
    assert net == sim_order.quantity
    await scene.until(
        lambda: sum(p.signed_decimal_qty() for p in scene.cache.positions_open()) == net, "the position to be right"
    )
    assert order.status == OrderStatus.REJECTED
    assert any(GUESS in entry for entry in scene.run.log.entries("ERROR"))
    await end_after_guess(scene)


@execution_case("X20", **N, engine=HASTY)
async def test_x20_guessed_reject_then_alive(scene: Scene):
    """The engine calls an unanswered submit rejected; then the venue shows it live: flagged as an error."""
    faults = blind(scene)
    scene.sim.faults.once(Fault.LOST_ANSWER, where=" ".join(scene.profile.submit))
    order = scene.limit()
    scene.submit(order)
    await scene.until(lambda: order.status == OrderStatus.REJECTED, "the engine's guess")
    yield
    scene.expected_errors.append(GUESS)
    see_again(scene, faults)
    await scene.until(lambda: any(GUESS in entry for entry in scene.run.log.entries("ERROR")), "the error")
    (sim_order,) = scene.sim.ledger.orders()
    flagged = [entry for entry in scene.run.log.entries("ERROR") if GUESS in entry]
    assert order.client_order_id.value in flagged[0]
    # Flagged, and the user can act: it is still known by its venue id, and a cancel from elsewhere is harmless.
    scene.sim.cancel_external(sim_order)
    await asyncio.sleep(0.2)
    assert order.status == OrderStatus.REJECTED
    await end_after_guess(scene)


@execution_case("X20", **N, engine=HASTY, config={"cancel_guessed": True})
async def test_x20_guessed_reject_then_alive_and_canceled(scene: Scene):
    """The same, with `cancel_guessed`: what the engine believes to be over is made so at the venue."""
    faults = blind(scene)
    scene.sim.faults.once(Fault.LOST_ANSWER, where=" ".join(scene.profile.submit))
    order = scene.limit()
    scene.submit(order)
    await scene.until(lambda: order.status == OrderStatus.REJECTED, "the engine's guess")
    yield
    scene.expected_errors.append(GUESS)
    see_again(scene, faults)
    (sim_order,) = scene.sim.ledger.orders()
    await scene.until(lambda: not sim_order.is_open, "the cancel at the venue")
    assert order.status == OrderStatus.REJECTED
    await end_after_guess(scene)


@execution_case("X20", **N, engine=HASTY)
async def test_x20_guessed_cancel_then_filled(scene: Scene):
    """The engine calls an unanswered cancel done; then the order turns out to have filled: every fill is counted."""
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    faults = blind(scene)
    fault, settings = scene.profile.without_effect[0]
    scene.sim.faults.once(fault, where=" ".join(scene.profile.cancel), **settings)
    scene.tester.cancel_order(order)
    await scene.until(lambda: order.status == OrderStatus.CANCELED, "the engine's guess")
    yield
    scene.expected_errors.append(GUESS)
    (sim_order,) = scene.sim.ledger.orders()
    assert sim_order.is_open
    see_again(scene, faults)
    scene.sim.market.trade(scene.profile.product, sim_order.price, sim_order.quantity, sim_order.side.opposite)
    await scene.until(lambda: order.status == OrderStatus.FILLED, "the late fill to be counted")
    assert order.filled_qty.as_decimal() == sim_order.filled
    assert any(GUESS in entry for entry in scene.run.log.entries("ERROR"))


@execution_case("X20", **N, engine=HASTY)
async def test_x20_no_guess_while_the_adapter_knows(scene: Scene):
    """An order that stays in flight at the venue for longer than the engine is patient: the queries answer it."""
    silent = scene.sim.faults.arm(Fault.DROP, where=f"{scene.profile.order_frames}*")
    scene.sim.faults.once(Fault.LOST_ANSWER, where=" ".join(scene.profile.submit))
    order = scene.limit()
    scene.submit(order)
    yield
    await scene.accepted(order)
    await asyncio.sleep(1.0)
    assert order.status in OPEN
    assert scene.names(order) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]
    scene.sim.faults.disarm(silent)
