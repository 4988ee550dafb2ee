"""Our own cases X08, X09, X11, X14 and X15: what a venue does of its own accord, and messages that cannot be right."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from nautilus_trader.config import InstrumentProviderConfig
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.events import OrderUpdated

from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.sim.model import EndReason, OrderState, Side
from tests.support.profiles import VenueProfile
from tests.support.scene import OPEN, Scene, execution_case, open_scene, venue_case

N = {"enable_limit_buys": False, "enable_limit_sells": False}


async def partly_filled(scene: Scene) -> Any:
    order = scene.limit()
    scene.submit(order)
    await scene.accepted(order)
    scene.fill(order, Decimal(scene.profile.qty) / scene.profile.parts)
    await scene.until(lambda: order.status == OrderStatus.PARTIALLY_FILLED, "a partial fill")
    return order


# -- X08: replace of a partly filled order ----------------------------------------------------------------------------


@execution_case("X08", **N)
async def test_x08_replace_partly_filled(scene: Scene):
    order = await partly_filled(scene)
    filled, total = order.filled_qty, scene.instrument.make_qty(2 * Decimal(scene.profile.qty))
    scene.tester.modify_order(order, quantity=total)
    yield
    await scene.until(lambda: "OrderUpdated" in scene.names(order), "OrderUpdated")
    assert scene.only(OrderUpdated, order).quantity == order.quantity == total
    assert order.filled_qty == filled
    assert order.leaves_qty == total - filled
    assert scene.sim_order(order).quantity == total.as_decimal()
    # A fill that races the next replace is counted once.
    scene.tester.modify_order(order, quantity=scene.instrument.make_qty(3 * Decimal(scene.profile.qty)))
    scene.fill(order, filled.as_decimal())
    await scene.until(lambda: scene.names(order).count("OrderUpdated") == 2, "the second OrderUpdated")
    await scene.until(lambda: order.filled_qty.as_decimal() == 2 * filled.as_decimal(), "the racing fill")


# -- X09: unsolicited ends --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partly", [False, True], ids=["unfilled", "partly-filled"])
@pytest.mark.parametrize("reason", [EndReason.USER, EndReason.ADMIN], ids=["elsewhere", "supervision"])
@venue_case("X09")
async def test_x09_unsolicited_cancel(profile: VenueProfile, reason: EndReason, partly: bool):
    # What no frame tells is found by reading the account from time to time.
    config = {} if profile.frames_tell else {"audit_interval_secs": 0.3}
    async with open_scene(profile, exec_options=config, **N) as scene:
        if partly:
            order = await partly_filled(scene)
        else:
            order = scene.limit()
            scene.submit(order)
            await scene.accepted(order)
        if not profile.frames_tell:  # accepted by a hint: it must have been seen too, before it can be seen to be gone
            asked = scene.sent(profile.open_orders)
            await scene.until(lambda: scene.sent(profile.open_orders) > asked + 1, "the order to be read back")
        scene.sim.cancel_external(scene.sim_order(order), reason=reason)
        await scene.closed(order)
        assert order.status == OrderStatus.CANCELED
        assert scene.names(order)[-1] == "OrderCanceled"
        assert "OrderPendingCancel" not in scene.run.names(order.client_order_id)
        assert scene.cache.orders_open() == []
        assert scene.sent(*scene.profile.order_entry) == 1  # the submit, and nothing else


@venue_case("X09")
async def test_x09_unsolicited_expiry(profile: VenueProfile):
    """The venue ends what was good till a date by its own clock."""
    async with open_scene(profile, **N) as scene:
        if "TC-E18" in profile.refused or "TC-E18" in profile.not_applicable:
            return
        expiry = scene.tester.clock.utc_now().floor("s") + pd.Timedelta(minutes=2)
        order = scene.limit(time_in_force=TimeInForce.GTD, expire_time=expiry)
        scene.submit(order)
        await scene.accepted(order)
        scene.sim.clock.advance(121)
        await scene.closed(order)
        assert order.status == OrderStatus.EXPIRED


@venue_case("X09")
async def test_x09_liquidation(profile: VenueProfile):
    """The venue takes the orders and the position away: the orders end canceled, the position is the venue's."""
    async with open_scene(profile, **N) as scene:
        if not hasattr(scene.sim.twin, "liquidate"):
            return
        market, resting = scene.market(), scene.limit()
        scene.submit(market, resting)
        await scene.closed(market)
        await scene.accepted(resting)
        scene.sim.twin.liquidate(profile.product)
        await scene.closed(resting)
        assert resting.status == OrderStatus.CANCELED
        await scene.agree()
        assert scene.sim.ledger.position(profile.product).net == 0


# -- X11: trade bust --------------------------------------------------------------------------------------------------


def bust(scene: Scene, order: Any) -> None:
    """Take the last trade of an order back, for both sides, as if it had never been."""
    ledger = scene.sim.ledger
    sim_order = scene.sim_order(order)
    account = ledger.accounts[sim_order.account]
    fill = ledger.fills(sim_order)[-1]
    account.fills.remove(fill)
    sim_order.filled -= fill.size
    sim_order.notional -= fill.size * fill.price
    sim_order.fees -= fill.trading_fee
    sim_order.extra_fees -= fill.extra_fee
    quote = scene.sim.market.products[fill.product].quote
    account.cash[quote] += fill.fee
    account.fees[quote] -= fill.fee
    other = next(a for a in ledger.accounts.values() if a.is_background and a.positions[fill.product].net)
    account.positions[fill.product].trade(fill.side.opposite, fill.price, fill.size)
    other.positions[fill.product].trade(fill.side, fill.price, fill.size)
    sim_order.updated_ns = scene.sim.clock.now_ns()
    take_back = getattr(scene.sim.twin, "take_back", None)  # of a venue with books of its own beside the ledger
    if take_back is not None:
        take_back(fill)


@venue_case("X11")
async def test_x11_trade_bust(profile: VenueProfile):
    """A trade is taken back: nothing of it is silent, and account and position end up as the venue's.

    The framework's v1 cannot take a fill back, so the order keeps it.
    """
    if not profile.positions_follow_ledger:
        pytest.skip("the simulation keeps positions of its own, and has no way to take a trade back")
    engine = {"position_check_interval_secs": 1.5, "position_check_threshold_ms": 100, "position_check_retries": 1}
    config = {"audit_interval_secs": 0.2, "account_poll_secs": 0.3}
    async with open_scene(
        profile, engine_options=engine, exec_options=config, **N, close_positions_on_stop=False
    ) as scene:
        order = scene.market()
        scene.submit(order)
        await scene.closed(order)
        await scene.agree(balances=False)
        bust(scene, order)
        scene.sim.ledger.check()
        scene.expected_errors.append(f"Venue position in {profile.symbol} is 0, but the framework holds")
        alerts: list[Any] = []
        scene.run.node.kernel.msgbus.subscribe("data.VenueEvent*", alerts.append)
        await scene.until(lambda: scene.run.log.entries("ERROR"), "an error that tells of it")
        (alert,) = alerts
        assert alert.kind == "POSITION_DIFFERS"
        assert alert.values == {
            "symbol": profile.symbol,
            "venue_qty": "0",
            "framework_qty": str(order.filled_qty.as_decimal()),
        }
        net = scene.sim.ledger.position(profile.product).net

        def held() -> Decimal:
            positions = scene.cache.positions_open(instrument_id=profile.instrument_id)
            return sum((p.signed_decimal_qty() for p in positions), Decimal(0))

        await scene.until(lambda: held() == net, "the position to be the venue's")
        await scene.until(
            lambda: not [row for row in scene.differences() if row.what.startswith("balance")],
            "the balance to be the venue's",
        )
        await scene.end(agree=False)  # the order itself cannot be corrected
        assert order.status == OrderStatus.FILLED


@venue_case("X11")
async def test_x11_no_false_alarm(profile: VenueProfile):
    """Positions that change all the time, read back all the time: no difference is reported (`check_log`)."""
    async with open_scene(profile, exec_options={"audit_interval_secs": 0.1}, **N) as scene:
        for n in range(20):
            scene.sim.market.set_mid(profile.product, scene.sim.market.products[profile.product].mid)  # a full book
            # No two are alike: where orders have no id on the wire, such ones are not sent within one second.
            bought = scene.market(qty=str(Decimal(profile.qty) * (1 + n % 10)))
            for order in (bought, *(scene.limit(side, ticks=-(20 + n)) for side in (OrderSide.BUY, OrderSide.SELL))):
                scene.submit(order)
            await asyncio.sleep(0.03)
        await scene.agree(balances=False)
        assert scene.client._intake.fills_told >= 60


# -- X14: unknown instrument ------------------------------------------------------------------------------------------


@venue_case("X14")
async def test_x14_unknown_instrument(profile: VenueProfile):
    """An order of an instrument that is not loaded: told as an error and counted; others are not disturbed."""
    only = InstrumentProviderConfig(load_ids=frozenset({profile.instrument_id}))
    async with open_scene(profile, exec_options={"instrument_provider": only}, **N) as scene:
        scene.expected_errors.append(f"{profile.other_symbol}.*no loaded instrument")
        assert [instrument.id for instrument in scene.cache.instruments()] == [profile.instrument_id]
        product = scene.sim.market.products[profile.other_product]
        bid, _ = scene.sim.market.best(profile.other_product)
        scene.sim.place_external(
            profile.other_product,
            side=Side.BUY,
            size=product.min_size,
            price=max(bid - 50 * product.tick, product.tick),
        )
        await scene.until(lambda: scene.client._intake.unknown_instruments >= 1, "the order to be counted")
        await scene.until(lambda: scene.run.log.entries("ERROR"), "an error")
        assert profile.other_symbol in scene.run.log.entries("ERROR")[0]
        order = scene.limit()
        scene.submit(order)
        await scene.accepted(order)
        assert [o.client_order_id for o in scene.cache.orders()] == [order.client_order_id]
        await scene.end(agree=False)  # the ledger has an order that the framework cannot have
        await scene.closed(order)


# -- X15: malformed ids and frames ------------------------------------------------------------------------------------


@venue_case("X15")
async def test_x15_malformed_ids(profile: VenueProfile):
    """Each is refused with an error and kept in the journal; the process survives, later messages are handled."""
    async with open_scene(profile, **N) as scene:
        scene.expected_errors.append(".")  # each is told in its own words; they are counted below
        order = scene.limit()
        scene.submit(order)
        await scene.accepted(order)
        scene.fill(order, Decimal(profile.qty) / profile.parts)
        await scene.until(lambda: order.status == OrderStatus.PARTIALLY_FILLED, "a partial fill")
        fill = next(raw for raw in reversed(scene.tap.seen) if order.venue_order_id.value.encode() in raw)
        trade_id = scene.fills(order)[0].info["venue_trade_id"]
        before, names = scene.client.malformed_frames, scene.names(order)
        bad_ids = ["", " ", "ordré-1", "注文", "a\tb", "a\x00b", "x" * 5_000, "\ud800"]
        sent = 0
        for good in filter(None, (order.venue_order_id.value, trade_id)):
            if good.encode() not in fill:
                continue  # a hint tells no trade
            for bad in bad_ids:
                written = json.dumps(good).encode()
                if written not in fill:  # a number
                    written = good.encode()
                replaced = fill.replace(written, json.dumps(bad).encode())
                assert replaced != fill
                scene.tap.deliver(replaced)
                raw_text = fill.replace(good.encode(), bad.encode("utf-8", "surrogatepass"))
                scene.tap.deliver(raw_text)
                sent += 2
        scene.tap.deliver(b"", b"\xff\xfe\x00", b"[]", b"null", b'{"channel":', b"1" * 100_000)
        await asyncio.sleep(0.05)
        assert scene.client.malformed_frames > before
        kept = scene.client._journal._db.execute("SELECT COUNT(*) FROM frames WHERE fault IS NOT NULL").fetchone()[0]
        assert kept == scene.client.malformed_frames
        assert len(scene.run.log.entries("ERROR")) >= scene.client.malformed_frames
        assert scene.names(order) == names
        assert len(scene.cache.orders()) == 1
        for known in scene.cache.orders():
            assert known.venue_order_id.value.isascii()
        scene.fill(order, Decimal(profile.qty) - order.filled_qty.as_decimal())
        await scene.closed(order)
        assert order.status == OrderStatus.FILLED
        assert scene.sim_order(order).state is OrderState.FILLED


@venue_case("X15")
async def test_x15_garbage_on_the_wire(profile: VenueProfile):
    """Over the socket, between good frames."""
    async with open_scene(profile, **N) as scene:
        scene.expected_errors.append(".")
        garbage = scene.sim.faults.arm(Fault.GARBAGE, where=f"{profile.order_frames}*")
        orders = [scene.limit(ticks=50 + n) for n in range(3)]
        scene.submit(*orders)
        await scene.accepted(*orders)
        for order in orders:
            scene.tester.cancel_order(order)
        await scene.closed(*orders)
        assert garbage.struck >= 6
        await scene.until(lambda: scene.client.malformed_frames == garbage.struck, "every one to be counted")
        assert all(order.status not in OPEN for order in orders)
