"""Our own cases X12, X16 and X19: what a node must know of earlier runs, and of orders entered elsewhere."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.config import CacheConfig, DatabaseConfig
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import ClientOrderId, VenueOrderId

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.model import Side
from tests.support.profiles import VenueProfile
from tests.support.scene import Scene, open_scene, venue_case

N = {"enable_limit_buys": False, "enable_limit_sells": False}
LEAVE = {"cancel_orders_on_stop": False, "close_positions_on_stop": False}


def part(profile: VenueProfile) -> Decimal:
    return Decimal(profile.qty) / profile.parts


# -- X12: restart with open orders ------------------------------------------------------------------------------------


class Left:
    """What the first run leaves, by the fate that each order then has at the venue while nobody listens."""

    def __init__(self, scene: Scene) -> None:
        # Enough for what is to be sold, where nobody can sell short.
        self.position = scene.market(qty=str(3 * Decimal(scene.profile.qty)))
        self.resting = scene.limit(ticks=80)
        self.partly = scene.limit(ticks=50)
        self.to_be_filled = scene.limit(OrderSide.SELL, ticks=50)
        self.to_be_canceled = scene.limit(OrderSide.SELL, ticks=90)
        self.over = scene.limit(ticks=70)

    @property
    def all(self) -> list[Any]:
        return list(vars(self).values())

    def ids(self) -> dict[str, str]:
        return {name: order.client_order_id.value for name, order in vars(self).items()}


async def first_run(scene: Scene) -> Left:
    left = Left(scene)
    scene.submit(*left.all)
    await scene.accepted(left.resting, left.partly, left.to_be_filled, left.to_be_canceled, left.over)
    await scene.closed(left.position)
    scene.fill(left.partly, part(scene.profile))
    scene.tester.cancel_order(left.over)
    await scene.closed(left.over)
    await scene.until(lambda: left.partly.status == OrderStatus.PARTIALLY_FILLED, "a partial fill")
    await scene.end()
    return left


async def while_away(sim: Any, profile: VenueProfile, left: Left) -> None:
    ledger = sim.ledger
    filled = ledger.order(left.to_be_filled.venue_order_id.value)
    sim.market.trade(profile.product, filled.price, filled.quantity, Side.BUY)
    partly = ledger.order(left.partly.venue_order_id.value)
    sim.market.trade(profile.product, partly.price, part(profile), Side.SELL)
    sim.cancel_external(ledger.order(left.to_be_canceled.venue_order_id.value))
    await asyncio.sleep(0.01)


def check_second_run(scene: Scene, left: Left, owner: str) -> None:
    """Same ids, the owner's, the venue's state of now, and every fill once."""
    wanted = {
        "resting": OrderStatus.ACCEPTED,
        "partly": OrderStatus.PARTIALLY_FILLED,
        "to_be_filled": OrderStatus.FILLED,
        "to_be_canceled": OrderStatus.CANCELED,
    }
    for name, status in wanted.items():
        old = getattr(left, name)
        order = scene.cache.order(old.client_order_id)
        assert order is not None, f"{name} is not known by its client order id any more"
        assert order.status == status, name
        assert order.strategy_id.value == owner, name
        assert order.venue_order_id == old.venue_order_id
        assert (order.side, order.price, order.quantity) == (old.side, old.price, old.quantity)
        assert order.filled_qty.as_decimal() == scene.sim_order(order).filled
    assert scene.cache.order(left.partly.client_order_id).filled_qty.as_decimal() == 2 * part(scene.profile)
    known = [order.venue_order_id for order in scene.cache.orders() if order.venue_order_id is not None]
    assert len(known) == len(set(known))
    scene.check_quantities()
    net = sum((p.signed_decimal_qty() for p in scene.cache.positions_open()), Decimal(0))
    assert net == scene.sim.ledger.position(scene.profile.product).net


@venue_case("X12")
async def test_x12_restart_with_the_journal(profile: VenueProfile, tmp_path: Path):
    """No cache database: the journal gives the strategy its orders back, and its position."""
    journal = {"journal": str(tmp_path / "journal.db")}
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with open_scene(profile, sim=sim, exec_options=journal, **N, **LEAVE) as first:
            left = await first_run(first)
        await while_away(sim, profile, left)
        async with open_scene(profile, sim=sim, exec_options=journal, **N) as second:
            check_second_run(second, left, second.tester.id.value)
            position = second.position()
            assert position.strategy_id == second.tester.id
            assert position.signed_decimal_qty() == sim.ledger.position(profile.product).net
            # It is the strategy's own again: it can act on it, and its stop cancels and closes.
            resting = second.cache.order(left.resting.client_order_id)
            second.tester.cancel_order(resting)
            await second.closed(resting)
            new = second.limit(ticks=60)
            second.submit(new)
            await second.accepted(new)
            assert new.client_order_id.value not in left.ids().values()
        assert sim.ledger.orders(is_open=True) == []
        assert sim.ledger.position(profile.product).net == 0


@venue_case("X12")
async def test_x12_second_restart(profile: VenueProfile, tmp_path: Path):
    """Once more, with nothing done in between: still the same, and nothing told again."""
    journal = {"journal": str(tmp_path / "journal.db")}
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with open_scene(profile, sim=sim, exec_options=journal, **N, **LEAVE) as first:
            left = await first_run(first)
        await while_away(sim, profile, left)
        counts = []
        for _ in range(2):
            async with open_scene(profile, sim=sim, exec_options=journal, **N, **LEAVE) as scene:
                check_second_run(scene, left, scene.tester.id.value)
                counts.append(scene.client._journal._db.execute("SELECT COUNT(*) FROM events").fetchone()[0])
        assert counts[0] == counts[1]


@pytest.mark.parametrize("claims", [True, False], ids=["claimed", "external"])
@venue_case("X12")
async def test_x12_restart_without_restoring(profile: VenueProfile, tmp_path: Path, claims: bool):
    """`restore_orders=False`: the claimant's, or EXTERNAL; the client order ids are kept in both."""
    journal = {"journal": str(tmp_path / "journal.db")}
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with open_scene(profile, sim=sim, exec_options=journal, **N, **LEAVE) as first:
            left = await first_run(first)
        await while_away(sim, profile, left)
        options = {"external_order_claims": [profile.instrument_id]} if claims else {}
        config = {**journal, "restore_orders": False}
        async with open_scene(profile, sim=sim, exec_options=config, **N, **LEAVE, **options) as second:
            check_second_run(second, left, second.tester.id.value if claims else "EXTERNAL")


@pytest.fixture
def redis_port() -> Iterator[int]:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not on this machine (PATH): the cache database cannot be tried")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=0.1).close()
                break
            except OSError:
                assert server.poll() is None, "redis-server ended"
        yield port
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.parametrize("with_journal", [True, False], ids=["with-journal", "without-journal"])
@venue_case("X12")
async def test_x12_restart_with_a_cache_database(
    profile: VenueProfile, tmp_path: Path, redis_port: int, with_journal: bool
):
    """The framework's own memory: same strategy, same ids, no duplicates, whether or not we remember too."""
    journal = {"journal": str(tmp_path / "journal.db")} if with_journal else {}
    cache = CacheConfig(database=DatabaseConfig(type="redis", host="127.0.0.1", port=redis_port))
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with open_scene(profile, sim=sim, exec_options=journal, cache=cache, **N, **LEAVE) as first:
            left = await first_run(first)
            await asyncio.sleep(0.3)  # the framework writes in the background
        await while_away(sim, profile, left)
        async with open_scene(profile, sim=sim, exec_options=journal, cache=cache, **N) as second:
            check_second_run(second, left, second.tester.id.value)
        assert sim.ledger.position(profile.product).net == 0


@venue_case("X12")
async def test_x12_cache_database_behind_the_journal(profile: VenueProfile, tmp_path: Path, redis_port: int):
    """The process died after something was told and before the framework had kept it: told again, once."""
    journal = {"journal": str(tmp_path / "journal.db")}
    cache = CacheConfig(database=DatabaseConfig(type="redis", host="127.0.0.1", port=redis_port))
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        async with open_scene(profile, sim=sim, exec_options=journal, cache=cache, **N, **LEAVE) as first:
            left = await first_run(first)
            await asyncio.sleep(0.3)
        await while_away(sim, profile, left)
        # This run tells all of it, and the database hears nothing.
        async with open_scene(profile, sim=sim, exec_options=journal, **N, **LEAVE) as second:
            check_second_run(second, left, second.tester.id.value)
        async with open_scene(profile, sim=sim, exec_options=journal, cache=cache, **N) as third:
            await third.agree(balances=False)
            check_second_run(third, left, third.tester.id.value)


# -- X16: client order ids --------------------------------------------------------------------------------------------


@venue_case("X16")
async def test_x16_ids_across_restarts(profile: VenueProfile, tmp_path: Path):
    """What the venue is told is never told twice, and leads back to the framework's id after a restart."""
    journal = {"journal": str(tmp_path / "journal.db")}
    names: dict[str, str] = {}
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        for _ in range(3):
            async with open_scene(profile, sim=sim, exec_options=journal, **N, **LEAVE) as scene:
                for venue_order_id, client_order_id in names.items():
                    found = scene.cache.client_order_id(VenueOrderId(venue_order_id))
                    assert found.value == client_order_id
                orders = [scene.limit(ticks=50 + n + len(names)) for n in range(5)]
                scene.submit(*orders)
                await scene.accepted(*orders)
                names |= {order.venue_order_id.value: order.client_order_id.value for order in orders}
        wire_ids = [order.client_order_id for order in sim.ledger.orders()]
        assert len(wire_ids) == len(names) == len(set(names.values())) == 15
        if profile.sends_client_order_ids:
            assert len(set(wire_ids)) == 15


@venue_case("X16")
async def test_x16_a_framework_id_used_again(profile: VenueProfile, tmp_path: Path):
    """A strategy that makes up an id of an earlier run gets a clear denial, and can go on with other ids."""
    journal = {"journal": str(tmp_path / "journal.db"), "restore_orders": False}
    same = ClientOrderId("MINE-1")
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        for run in range(2):
            # Without startup reports the framework does not know the id any more, and lets it pass.
            engine = {"reconciliation": run == 0}
            async with open_scene(profile, sim=sim, exec_options=journal, engine_options=engine, **N) as scene:
                order = scene.limit(client_order_id=same)
                scene.submit(order)
                await scene.until(lambda order=order: order.status != OrderStatus.INITIALIZED, "an answer")
                if run == 0:
                    await scene.accepted(order)
                else:
                    await scene.closed(order)
                    assert order.status == OrderStatus.DENIED
                    reason = scene.run.order_events(same)[-1].reason
                    assert "MINE-1" in reason
                    assert "disk" not in reason
                other = scene.limit(ticks=60, client_order_id=ClientOrderId(f"MINE-NEW-{run}"))
                scene.submit(other)
                await scene.accepted(other)
        assert len(sim.ledger.orders()) == 3


# -- X19: orders entered elsewhere ------------------------------------------------------------------------------------


@pytest.mark.parametrize("claims", [False, True], ids=["external", "claimed"])
@venue_case("X19")
async def test_x19_orders_entered_elsewhere(profile: VenueProfile, claims: bool):
    """Before the start, during the run, and while disconnected; own orders are not touched by any of it."""
    options = {"external_order_claims": [profile.instrument_id]} if claims else {}
    async with simulate(profile.name, seed=7, market_flow=False, **profile.sim_options) as sim:
        product = sim.market.products[profile.product]
        bid, ask = sim.market.best(profile.product)

        def place(ticks: int, side: Side = Side.BUY) -> Any:
            price = bid - ticks * product.tick if side is Side.BUY else ask + ticks * product.tick
            return sim.place_external(profile.product, side=side, size=profile.qty, price=price)

        def trade(order: Any, qty: Decimal) -> None:
            sim.market.trade(profile.product, order.price, qty, order.side.opposite)

        before = place(30)
        trade(before, part(profile))
        async with open_scene(profile, sim=sim, **N, **LEAVE, **options) as scene:
            owner = scene.tester.id.value if claims else "EXTERNAL"

            def known(order: Any) -> Any:
                client_order_id = scene.cache.client_order_id(VenueOrderId(order.venue_order_id))
                return None if client_order_id is None else scene.cache.order(client_order_id)

            async def shown(order: Any, status: OrderStatus) -> Any:
                await scene.until(
                    lambda: known(order) is not None and known(order).status == status,
                    lambda: f"{order} as {status}; it is {known(order)}",
                )
                found = known(order)
                assert found.strategy_id.value == owner
                assert found.filled_qty.as_decimal() == order.filled
                assert found.price.as_decimal() == order.price
                return found

            await shown(before, OrderStatus.PARTIALLY_FILLED)
            own = scene.limit(ticks=80)
            scene.submit(own)
            await scene.accepted(own)
            # During the run: seen when it is entered, filled step by step, and canceled elsewhere.
            during, at_once, ended = place(20), place(-20), place(25)
            external = await shown(during, OrderStatus.ACCEPTED)
            await shown(ended, OrderStatus.ACCEPTED)
            await shown(at_once, OrderStatus.FILLED)
            trade(during, part(profile))
            await shown(during, OrderStatus.PARTIALLY_FILLED)
            names = scene.run.names(external.client_order_id)
            assert names.index("OrderAccepted") < names.index("OrderFilled")
            sim.cancel_external(ended)
            await shown(ended, OrderStatus.CANCELED)
            # While disconnected: entered, filled, and both.
            sim.pause()
            await scene.until(lambda: not scene.is_live, "the feed to notice")
            trade(during, Decimal(profile.qty) - part(profile))
            away, away_filled = place(40), place(10)
            trade(away_filled, Decimal(profile.qty))
            await sim.resume()
            await shown(during, OrderStatus.FILLED)
            await shown(away, OrderStatus.ACCEPTED)
            await shown(before, OrderStatus.PARTIALLY_FILLED)
            await scene.until(
                lambda: not [row for row in scene.differences(balances=False) if "position" in row.what],
                "the position to be the venue's",
            )
            assert scene.names(own) == ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]
            assert own.status == OrderStatus.ACCEPTED
            await scene.agree(balances=False)
