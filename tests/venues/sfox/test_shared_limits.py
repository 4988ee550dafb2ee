"""The venue's limits across all clients of a process: it enforces them, and never has to."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import BookType, OrderSide

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.venues.sfox import SfoxLiveDataClientFactory, SfoxLiveExecClientFactory
from tests.support.nodes import Run, node_config, running_node
from tests.support.sfox_desk import IID, Desk

#: A jitter of milliseconds must stay small beside the scaled limits; 40 requests a minute become 40 in 6 s.
SCALE = 0.1
NAMES = ("SFOXA", "SFOXB", "SFOXC")


def live(run: Run) -> bool:
    sessions = [run.exec_client(name)._sessions[0] for name in NAMES] + [run.data_client("SFOX")._session]
    return all(session.state.value == "LIVE" for session in sessions)


@pytest.mark.node
@pytest.mark.timeout(120)
async def test_three_accounts_and_a_data_client_never_meet_a_limit():
    options: dict[str, Any] = {"accounts": 3, "limit_time_scale": SCALE, "balances": {"usd": Decimal(10_000_000)}}
    async with simulate("sfox", seed=3, tick_secs=0.1, **options) as sim:
        shared = {"limit_time_scale": SCALE}
        polling = {"settle_secs": 0.3, "audit_interval_secs": 0.5, "account_poll_secs": 0.3}
        configs = {
            name: sim.exec_config(**sim.twin.credentials(number), **shared, **polling)
            for number, name in enumerate(NAMES)
        }
        desk = Desk()
        async with running_node(
            node_config(configs, {"SFOX": sim.data_config(**shared)}, inflight_check_interval_ms=0),
            exec_factories=dict.fromkeys(NAMES, SfoxLiveExecClientFactory),
            data_factories={"SFOX": SfoxLiveDataClientFactory},
            strategies=(desk,),
        ) as run:
            desk.subscribe_order_book_deltas(IID, BookType.L2_MBP)
            bid, _ = sim.market.best("btcusd")
            orders = [desk.limit(OrderSide.BUY, "0.01", bid - 500 - n, NAMES[n % 3]) for n in range(90)]
            await run.until(lambda: all(order.is_open for order in orders), "ninety orders", 40.0)
            for _ in range(3):
                sim.disconnect_all()
                await run.until(lambda: not live(run), "the cut to be seen")
                await run.until(lambda: live(run), "all to be live again", 40.0)
            for order in orders[::2]:
                desk.cancel_order(order)
            await run.until(lambda: all(order.is_closed for order in orders[::2]), "the cancels", 40.0)
            connects = [run.exec_client(name)._sessions[0].health.connects for name in NAMES]
        statuses = {request.status for request in sim.requests}
        assert statuses <= {200, 201}, f"refused: {statuses}"
        assert connects == [4, 4, 4], "no connection was refused, so none had to be opened twice"


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_what_one_client_meets_all_of_the_address_rest_for():
    """A 429 on a call without a limit of its own is the address's: 60 s of rest (here 0.6 s) for every account."""
    async with simulate("sfox", seed=3, market_flow=False, accounts=2, limit_time_scale=0.01) as sim:
        configs = {
            name: sim.exec_config(
                **sim.twin.credentials(number), limit_time_scale=0.01, settle_secs=0.3, audit_interval_secs=0.0
            )
            for number, name in enumerate(NAMES[:2])
        }
        desk = Desk()
        async with running_node(
            node_config(configs, inflight_check_interval_ms=0),
            exec_factories=dict.fromkeys(configs, SfoxLiveExecClientFactory),
            strategies=(desk,),
        ) as run:
            bid, _ = sim.market.best("btcusd")
            first = desk.limit(OrderSide.BUY, "0.01", bid - 500, "SFOXA")
            await run.until(lambda: first.is_open, "the order")
            sim.faults.arm(Fault.RATE_LIMIT, where="DELETE /v1/orders/{order_id}", times=1)
            desk.cancel_order(first)
            await run.until(lambda: any(request.status == 429 for request in sim.requests), "the refusal")
            loop = asyncio.get_running_loop()
            refused_at = loop.time()
            second = desk.limit(OrderSide.BUY, "0.01", bid - 500, "SFOXB")
            await run.until(lambda: second.is_open, "the other account's order")
            assert loop.time() - refused_at >= 0.5, "it waited too"
            await run.until(lambda: first.is_closed, "the cancel, sent again once the order was seen to be live")
            assert run.names(first.client_order_id)[2:] == ["OrderAccepted", "OrderPendingCancel", "OrderCanceled"]
            assert "OrderRejected" not in run.names(second.client_order_id)
