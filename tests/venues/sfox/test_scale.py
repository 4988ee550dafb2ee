"""A thousand end users on one socket, twenty clients, twenty thousand updates: none lost, none misdelivered."""

import asyncio
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.data import DataType

from nautilus_orderfeeds.adapter.custom_data import VenueEvent
from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues.sfox import SfoxLiveExecClientFactory
from tests.support.nodes import node_config, running_node

USERS = 1_000
CLIENTS = 20
UPDATES = 20_000
NAMES = [f"SFOX{n:02d}" for n in range(CLIENTS)]
ORDERS = 3_400


@pytest.mark.node
@pytest.mark.timeout(110)
async def test_nothing_lost_and_nothing_delivered_to_the_wrong_account():
    rng = random.Random(1000)
    options = {"enterprise": True, "users": USERS, "rest_limits": False, "limit_time_scale": 0.01, "settle_secs": 0.01}
    async with simulate("sfox", seed=4, market_flow=False, **options) as sim:
        configs = {
            name: sim.exec_config(
                **{**sim.twin.credentials(n), "settle_secs": 2.0, "audit_interval_secs": 0.0, "limit_time_scale": 0.01}
            )
            for n, name in enumerate(NAMES)
        }
        published: list[VenueEvent] = []
        topic = f"data.{DataType(VenueEvent).topic}"
        async with running_node(
            node_config(configs, inflight_check_interval_ms=0),
            exec_factories=dict.fromkeys(NAMES, SfoxLiveExecClientFactory),
            prepare=lambda node: node.kernel.msgbus.subscribe(topic, published.append),
        ) as run:
            clients = [run.exec_client(name) for name in NAMES]
            await run.until(lambda: all(client.is_connected for client in clients), "twenty clients to connect", 40.0)
            await run.until(lambda: all(client._intake.introducing for client in clients), "the startup reports", 40.0)
            handled: Counter[str] = Counter()
            for name, client in zip(NAMES, clients, strict=True):
                watch(client, name, handled)

            bid, ask = sim.market.best("btcusd")
            for n in range(ORDERS):
                # Half of them of the users with a client.
                user = rng.randrange(CLIENTS) if n % 2 else rng.randrange(CLIENTS, USERS)
                side = rng.choice([Side.BUY, Side.SELL])
                crossing = rng.random() < 0.9
                price = (ask if side is Side.BUY else bid) if crossing else (bid if side is Side.BUY else ask)
                order = sim.place_external("btcusd", side=side, size="0.002", price=price, account=user)
                if not crossing:
                    sim.cancel_external(order)
                if n % 25 == 0:
                    sim.market.set_mid("btcusd", sim.market.products["btcusd"].mid)
                    await asyncio.sleep(0)
            ledger = sim.ledger
            mine = {f"test{n + 1}": client for n, client in enumerate(clients)}
            strangers = [f"test{n + 1}" for n in range(CLIENTS, USERS)]

            def told(user: str) -> dict[str, Decimal]:
                orders = list(mine[user]._tracker)
                return {one.state.venue_order_id: one.state.filled_qty for one in orders if one.state.is_closed}

            def true(user: str) -> dict[str, Decimal]:
                return {order.venue_order_id: order.filled for order in ledger.orders(account=user) if order.filled}

            def ended() -> Counter[str]:
                rows = (row for event in published for row in event.values["updates"])
                return Counter(str(row["id"]) for row in rows if row.get("status") in ("Done", "Canceled"))

            expected = Counter(order.venue_order_id for user in strangers for order in ledger.orders(account=user))
            await run.until(lambda: all(true(user).items() <= told(user).items() for user in mine), "own orders", 60.0)
            await run.until(lambda: len(ended()) >= len(expected), "strangers' orders", 30.0)

            # Nothing lost, nothing doubled: every end and every trade of every user once, and of nobody else.
            assert ended() == expected
            trades = Counter(
                str(row["order_id"]) for event in published for row in event.values["updates"] if "trade_id" in row
            )
            assert trades == Counter(fill.venue_order_id for user in strangers for fill in ledger.fills(account=user))
            assert {event.values["user_id"] for event in published} <= set(strangers)
            assert len({event.client_id for event in published}) == 1, "exactly one of the clients publishes them"
            for user, client in mine.items():
                own = {order.venue_order_id for order in ledger.orders(account=user)}
                assert {one.state.venue_order_id for one in client._tracker} <= own
                assert told(user) | true(user) == told(user)
                counted = sum((one.state.fees for one in client._tracker), Decimal(0))
                assert abs(counted - sum((f.fee for f in ledger.fills(account=user)), Decimal(0))) < Decimal("1E-6")
                assert client.malformed_frames == 0
                assert client._intake.orphaned_fills == 0
            frames = sum(handled.values())
            assert frames >= UPDATES, f"only {frames} updates were told"
            hubs = {client._sessions[0]._hub for client in clients}
            assert len(hubs) == 1
            assert hubs.pop().sessions == CLIENTS
            assert len(sim.server.connections) == 1


def watch(client: Any, name: str, handled: Counter[str]) -> None:
    """Count the frames a client handles."""
    session = client._sessions[0]
    deliver = session._delivery._on_frame

    def counted(raw: bytes) -> None:
        handled[name] += 1
        deliver(raw)

    session._delivery._on_frame = counted
