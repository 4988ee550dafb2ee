"""Several logins at one server that tells everybody everything: one execution client each, in one node."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import AccountId, ClientId

from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues.acttrader import ActTraderLiveExecClientFactory
from tests.support.acttrader_client import Desk, Trading, pair
from tests.support.nodes import node_config, running_node

pytestmark = pytest.mark.node
D = Decimal
both = pytest.mark.parametrize("dialect", ["draft", "final"])
scopes = pytest.mark.parametrize("scope", ["everyone", "own_logins"])
NAMES = ("ACTTRADER", "ACTTRADER2")


@dataclass
class Login(Trading):
    """One login's desk."""

    name: str = ""
    number: int = 0

    @property
    def client(self) -> Any:
        return self.run.exec_client(self.name)

    @property
    def account(self) -> str:
        return str(self.sim.twin.credentials(self.number)["login"])

    @property
    def client_id(self) -> ClientId:
        return ClientId(self.name)

    def at_venue(self) -> list[Any]:
        return list(self.sim.ledger.orders(account=self.account))

    def mine(self) -> list[Any]:
        return list(self.run.cache.orders(strategy_id=self.desk.id))


@asynccontextmanager
async def logins(dialect: str, *, exec_options: Any = None, **sim_options: Any) -> AsyncIterator[tuple[Login, Login]]:
    """A node with an execution client for each of two logins."""
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect, accounts=2, **sim_options) as sim:
        configs = {
            name: sim.exec_config(
                login=sim.twin.credentials(number)["login"],
                aon_for_gtc=True,
                requests_per_sec=500,
                settle_secs=0.3,
                audit_interval_secs=0.0,
                **(exec_options or {}),
            )
            for number, name in enumerate(NAMES)
        }
        desks = [Desk(StrategyConfig(strategy_id="DESK", order_id_tag=f"00{n}")) for n in (1, 2)]
        node = node_config(configs, inflight_check_interval_ms=0, log_level="INFO")
        factories = dict.fromkeys(NAMES, ActTraderLiveExecClientFactory)
        async with running_node(node, exec_factories=factories, strategies=tuple(desks)) as run:
            one, other = (
                Login(sim, run, desk, {}, name=name, number=n)
                for n, (name, desk) in enumerate(zip(NAMES, desks, strict=True))
            )
            yield one, other


async def resting(at: Login) -> Any:
    """The first login buys below the market, the other one sells above it."""
    if at.number == 0:
        order = at.limit(OrderSide.BUY, at.bid - D("0.001"))
    else:
        order = at.limit(OrderSide.SELL, at.ask + D("0.001"))
    at.submit(order, client_id=at.client_id)
    await at.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be accepted")
    return order


def trade(at: Login, order: Any, size: int) -> None:
    aggressor = Side.SELL if order.side == OrderSide.BUY else Side.BUY
    at.sim.market.trade("EURUSD", order.price.as_decimal(), D(size), aggressor)


@scopes
@both
async def test_each_client_trades_for_its_login_alone(dialect: str, scope: str):
    async with logins(dialect, push_scope=scope, all_or_none=False) as (one, other):
        orders = [await resting(one), await resting(other)]
        for at, order in zip((one, other), orders, strict=True):
            assert [o.venue_order_id for o in at.at_venue()] == [order.venue_order_id.value]
            assert at.mine() == [order]
            trade(at, order, 4000)
            await at.until(lambda at=at, order=order: order.filled_qty == at.qty(4000), "a part")
        for order in orders:
            assert order.account_id == AccountId(f"{NAMES[orders.index(order)]}-001")
            order_fills = [e for e in one.run.order_events(order.client_order_id) if isinstance(e, OrderFilled)]
            assert [f.last_qty.as_decimal() for f in order_fills] == [4000]
        other.desk.cancel_order(orders[1], client_id=other.client_id)
        await other.until(lambda: orders[1].status == OrderStatus.CANCELED, "the cancel")
        assert orders[0].status == OrderStatus.PARTIALLY_FILLED
        one.desk.modify_order(orders[0], price=one.px(one.bid - D("0.003")), client_id=one.client_id)
        await one.until(lambda: one.names(orders[0])[-1] == "Updated", "the change")
        assert len(one.run.cache.orders()) == 2
        for at in (one, other):
            (position,) = one.run.cache.positions(strategy_id=at.desk.id)
            assert position.quantity == at.qty(4000)
            assert (at.client._intake.foreign_updates > 0) is (scope == "everyone")
            assert at.client.malformed_frames == 0
        assert one.run.log.entries("ERROR") == []


@both
async def test_pairs_of_two_logins_that_show_the_same_terms(dialect: str):
    """Same side, types, prices and quantity at the same moment: each pair stays its login's."""
    async with logins(dialect, new_answer="after") as (one, other):
        pairs = [pair(one, 1), pair(other, 2)]
        for at, orders in zip((one, other), pairs, strict=True):
            at.desk.submit_order_list(orders, client_id=at.client_id)
        legs = [leg for orders in pairs for leg in orders.orders]
        await one.until(lambda: all(leg.status == OrderStatus.ACCEPTED for leg in legs), "all legs to be accepted")
        for at, orders in zip((one, other), pairs, strict=True):
            assert {leg.venue_order_id.value for leg in orders.orders} == {o.venue_order_id for o in at.at_venue()}
        profit, stop = pairs[0].orders
        one.sim.market.trade("EURUSD", profit.price.as_decimal(), D(10000), Side.BUY)
        await one.until(lambda: profit.is_closed and stop.is_closed, "the end of the first login's pair")
        assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        assert [leg.status for leg in pairs[1].orders] == [OrderStatus.ACCEPTED] * 2


@both
async def test_a_lost_connection_of_all_is_made_up_for_by_each(dialect: str):
    async with logins(dialect, all_or_none=False) as (one, other):
        orders = [await resting(one), await resting(other)]
        one.sim.pause()
        for order in orders:
            trade(one, order, 10000)
        await one.sim.resume()
        await one.until(lambda: all(order.status == OrderStatus.FILLED for order in orders), "both fills")
        for order in orders:
            assert one.names(order) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert len(one.run.cache.orders()) == 2
        assert one.run.log.entries("ERROR") == []


@both
async def test_cancel_all_of_one_touches_no_order_of_the_other(dialect: str):
    async with logins(dialect) as (one, other):
        mine, theirs = await resting(one), await resting(other)
        one.desk.cancel_all_orders(mine.instrument_id, client_id=one.client_id)
        await one.until(lambda: mine.status == OrderStatus.CANCELED, "the cancel")
        assert theirs.status == OrderStatus.ACCEPTED
        assert [o.is_open for o in other.at_venue()] == [True]
