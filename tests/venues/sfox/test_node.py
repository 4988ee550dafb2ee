"""Through the framework: what its cache believes equals the venue's ledger, by own key and by enterprise key."""

import asyncio
import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.identifiers import AccountId

from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues.sfox import SfoxLiveDataClientFactory, SfoxLiveExecClientFactory
from tests.support.nodes import Run, node_config, running_node
from tests.support.sfox_desk import EXEC, SCALED, Desk, agree, assert_told_as_it_is


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.parametrize(
    "told",
    [
        {"create_stream": "before", "create_trades": "before", "answer_lag_secs": 0.1},
        {"trades_delay_secs": 0.15, "settle_secs": 0.02},
        {"trades_delay_secs": 0.8, "rest_trades_delay_secs": 1.2},
        {"trades_on_feed": False},
        {"trades_on_feed": False, "rest_trades_delay_secs": 60.0},
    ],
    ids=["before the answer", "after Done", "long after they were inferred", "over REST only", "never"],
)
async def test_trades_whenever_they_come(told: dict[str, Any]):
    async with simulate("sfox", seed=3, market_flow=False, **SCALED, **told) as sim:
        desk = Desk()
        config = node_config({"SFOX": sim.exec_config(**EXEC)})
        async with running_node(config, exec_factories={"SFOX": SfoxLiveExecClientFactory}, strategies=(desk,)) as run:
            bid, ask = sim.market.best("btcusd")
            levels = sim.market.book("btcusd")[1]
            size = levels[0][1] + Decimal("0.2")
            orders = [
                desk.limit(OrderSide.BUY, str(size), levels[1][0]),
                desk.limit(OrderSide.BUY, "0.03", bid - 2),
                desk.limit(OrderSide.SELL, "0.01", bid, time_in_force=TimeInForce.IOC),
            ]
            orders.append(desk.market(OrderSide.BUY, "777"))
            await run.until(lambda: orders[1].is_open, "the order to rest")
            for _ in range(3):
                sim.market.trade("btcusd", bid - 2, Decimal("0.007"))
            desk.cancel_order(orders[1])
            await run.until(lambda: all(order.is_closed for order in orders), "all to end")
            await agree(sim, run)
            await asyncio.sleep(1.5 if told.get("trades_delay_secs", 0) > 0.5 else 0.3)
            await agree(sim, run)
            assert [order.status for order in orders] == [
                OrderStatus.FILLED,
                OrderStatus.CANCELED,
                OrderStatus.FILLED,
                OrderStatus.FILLED,
            ]
            for order in orders:
                assert_told_as_it_is(sim, order)
            names = run.names(orders[3].client_order_id)
            assert names.index("OrderUpdated") < names.index("OrderFilled")
            assert ask > bid


@pytest.mark.node
@pytest.mark.slow
async def test_a_slow_cancel_is_no_refused_one():
    async with simulate("sfox", seed=3, market_flow=False, cancel_delay_secs=4.0, **SCALED) as sim:
        desk = Desk()
        async with running_node(
            node_config({"SFOX": sim.exec_config(**EXEC)}, inflight_check_interval_ms=0),
            exec_factories={"SFOX": SfoxLiveExecClientFactory},
            strategies=(desk,),
        ) as run:
            bid, _ = sim.market.best("btcusd")
            order = desk.limit(OrderSide.BUY, "0.03", bid - 2)
            await run.until(lambda: order.is_open, "the order to rest")
            desk.cancel_order(order)
            await run.until(lambda: order.is_closed, "the cancel", 20.0)
            assert run.names(order.client_order_id)[2:] == ["OrderAccepted", "OrderPendingCancel", "OrderCanceled"]
            assert sum(request.method == "DELETE" for request in sim.requests) == 1


@pytest.mark.node
@pytest.mark.slow
async def test_bars_of_the_day_from_the_ticker():
    async with simulate("sfox", seed=3, ticker_secs=0.1, **SCALED) as sim:
        desk = Desk()
        data = sim.data_config(handle_revised_bars=True, **SCALED)
        async with running_node(
            node_config({}, {"SFOX": data}),
            data_factories={"SFOX": SfoxLiveDataClientFactory},
            strategies=(desk,),
        ) as run:
            bar_type = BarType.from_str("BTCUSD.SFOX-1-DAY-LAST-EXTERNAL")
            desk.subscribe_bars(bar_type)
            await run.until(lambda: len(desk.bars) >= 2, "bars")
            bar = desk.bars[-1]
            assert (bar.bar_type, bar.is_revision) == (bar_type, True)
            assert bar.low <= bar.open <= bar.high
            assert bar.ts_event % (86_400 * 10**9) == 0
            desk.unsubscribe_bars(bar_type)
            desk.subscribe_bars(BarType.from_str("BTCUSD.SFOX-1-MINUTE-LAST-EXTERNAL"))
            await run.until(lambda: any("no bars but 1-DAY-LAST" in e for e in run.log.entries("ERROR")), "a refusal")


# -- enterprise --------------------------------------------------------------------------------------------------------

NAMES = ("SFOXA", "SFOXB", "SFOXC")


class House:
    """Three accounts of end users in one node, on one enterprise key."""

    def __init__(self, sim: Any, run: Run, desk: Desk) -> None:
        self.sim = sim
        self.run = run
        self.desk = desk

    @property
    def strangers(self) -> list[dict[str, Any]]:
        """What the strategy heard of end users without a client."""
        return [event.values for event in self.desk.venue_events if event.kind == "END_USER_UPDATE"]

    def sockets(self) -> int:
        return sum(account.connects for account in self.health().values())

    def health(self) -> dict[str, Any]:
        return {name: self.run.exec_client(name)._sessions[0].health for name in NAMES}


async def house(drive: Any, *, listens: bool = False, client: dict[str, Any] | None = None, **options: Any) -> None:
    options = {"users": 5, "enterprise": True, "market_flow": False, **SCALED, **options}
    async with simulate("sfox", seed=3, **options) as sim:
        configs = {
            name: sim.exec_config(**{**sim.twin.credentials(number), **EXEC, **(client or {})})
            for number, name in enumerate(NAMES)
        }
        desk = Desk(listens=listens)
        async with running_node(
            node_config(configs, inflight_check_interval_ms=0),
            exec_factories=dict.fromkeys(NAMES, SfoxLiveExecClientFactory),
            strategies=(desk,),
        ) as run:
            await drive(House(sim, run, desk))


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.parametrize("trades", ["wrapped", "flat"])
async def test_several_accounts_on_one_socket(trades: str):
    async def drive(house: House) -> None:
        bid, ask = house.sim.market.best("btcusd")
        orders = {name: house.desk.limit(OrderSide.BUY, "0.01", ask, name) for name in NAMES}
        resting = {name: house.desk.limit(OrderSide.BUY, "0.02", bid - 3, name) for name in NAMES}
        await house.run.until(
            lambda: all(o.is_closed for o in orders.values()) and all(o.is_open for o in resting.values()), "the orders"
        )
        for number, name in enumerate(NAMES):
            assert orders[name].account_id == AccountId(f"{name}-001")
            truth = house.sim.ledger.order(orders[name].venue_order_id.value, account=f"test{number + 1}")
            assert orders[name].filled_qty.as_decimal() == truth.filled
        house.desk.cancel_order(resting["SFOXB"])
        await house.run.until(lambda: resting["SFOXB"].is_closed, "the cancel")
        assert resting["SFOXA"].is_open
        assert {account.id.value for account in house.run.cache.accounts()} == {f"{name}-001" for name in NAMES}
        assert house.run.log.entries("ERROR") == []

    await house(drive, enterprise_trades=trades)


@pytest.mark.node
@pytest.mark.slow
async def test_users_without_a_client_are_published_and_nobody_gets_what_is_not_his():
    async def drive(house: House) -> None:
        _, ask = house.sim.market.best("btcusd")
        for number in (3, 4):  # test4 and test5 have no client here
            house.sim.place_external("btcusd", side=Side.BUY, size="0.01", price=ask, account=number)
        mine = house.sim.place_external("btcusd", side=Side.BUY, size="0.01", price=ask, account=1)
        await house.run.until(lambda: house.run.cache.orders(), "the order from elsewhere")
        (order,) = house.run.cache.orders()
        assert order.venue_order_id.value == mine.venue_order_id
        trackers = {name: len(house.run.exec_client(name)._tracker) for name in NAMES}
        assert trackers == {"SFOXA": 0, "SFOXB": 1, "SFOXC": 0}
        ended = "the strangers' orders to be told to their end"
        await house.run.until(
            lambda: sum(row.get("status") == "Done" for event in house.strangers for row in event["updates"]) == 2,
            ended,
        )
        told = Counter((event["user_id"], event["feed"].rpartition(".")[2]) for event in house.strangers)
        assert {user for user, _ in told} == {"test4", "test5"}
        for user in ("test4", "test5"):
            assert told[user, "trades"] == 1
            assert told[user, "open-orders"] == 3, "Started, Filled, Done"
            assert told[user, "balances"] >= 1

    await house(drive, listens=True)


@pytest.mark.node
@pytest.mark.slow
async def test_a_client_that_leaves_hands_its_users_updates_on_and_a_gap_is_made_good_for_all():
    async def drive(house: House) -> None:
        bid, _ = house.sim.market.best("btcusd")
        resting = {name: house.desk.limit(OrderSide.BUY, "0.02", bid - 3, name) for name in NAMES}
        await house.run.until(lambda: all(order.is_open for order in resting.values()), "the orders")
        house.sim.twin.skip_sequence(1)
        house.sim.market.trade("btcusd", bid - 3, Decimal("0.06"))
        await house.run.until(lambda: all(order.is_closed for order in resting.values()), "the fills")
        await house.run.until(
            lambda: all(health.gaps == 1 for health in house.health().values()), "the gap to be counted"
        )
        await house.run.until(
            lambda: all(health.state.value == "LIVE" for health in house.health().values()), "all to be live again"
        )
        await house.run.exec_client("SFOXA")._disconnect()
        house.sim.place_external("btcusd", side=Side.BUY, size="0.01", price=bid - 9, account=0)
        await house.run.until(lambda: any(event["user_id"] == "test1" for event in house.strangers), "its updates")
        order = house.desk.limit(OrderSide.BUY, "0.01", bid - 4, "SFOXC")
        await house.run.until(lambda: order.is_open, "the others to go on")

    await house(drive, listens=True)


@pytest.mark.node
@pytest.mark.slow
async def test_tokens_are_renewed_and_replaced_while_trading_goes_on():
    async def drive(house: House) -> None:
        bid, _ = house.sim.market.best("btcusd")
        clients = [house.run.exec_client(name)._venue._api.credentials for name in NAMES]
        await house.run.until(lambda: all(client.minted >= 3 for client in clients), "renewals")
        assert 401 not in {request.status for request in house.sim.requests}, "renewed before they end"
        house.sim.twin.expire_tokens()
        orders = [house.desk.limit(OrderSide.BUY, "0.02", bid - 3, name) for name in NAMES]
        await house.run.until(lambda: all(order.is_open for order in orders), "the orders")
        assert house.run.log.entries("ERROR") == []

    await house(drive, token_lifetime_secs=2.0)


@pytest.mark.node
@pytest.mark.slow
async def test_end_users_who_come_to_be_are_published_without_their_tokens():
    token = "s3cr3t-t0k3n"

    async def drive(house: House) -> None:
        (connection,) = house.sim.server.connections
        assert ("private.enterprise.users",) in connection.subscriptions
        told = {"user_id": "test9", "status": "approved", "user_token": token}
        for payload in (told, json.dumps(told)):  # the venue's page calls a payload JSON text
            connection.send(json.dumps({"recipient": "private.enterprise.users", "payload": payload}))
        heard = house.desk.venue_events
        await house.run.until(lambda: sum(e.kind == "END_USER_ONBOARDING" for e in heard) == 2, "both to be heard")
        for event in heard:
            assert (event.values["user_id"], event.values["status"]) == ("test9", "approved")
            assert event.values["user_token"] == "<hidden>"
        for name in NAMES:
            journal = house.run.exec_client(name)._intake.journal
            journal.flush()
            assert not any(token.encode() in raw for (raw,) in journal._db.execute("SELECT raw FROM frames"))
        assert token not in house.run.log.text()

    await house(drive, listens=True, client={"onboarding_events": True})
