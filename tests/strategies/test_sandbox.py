"""All sample strategies in one node in the framework's sandbox, on the prices of simulated BSX."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.adapters.sandbox.factory import SandboxLiveExecClientFactory

from nautilus_orderfeeds.sim import simulate
from strategies.common import Side
from strategies.guard import Guard, GuardConfig
from strategies.limit_ladder import LimitLadder, LimitLadderConfig
from strategies.market_maker import MarketMaker, MarketMakerConfig
from strategies.monitor import Monitor, MonitorConfig
from strategies.oco_breakout import Entry, Exit, OcoBreakout, OcoBreakoutConfig
from strategies.twap_iceberg import TwapIceberg, TwapIcebergConfig
from tests.support.nodes import node_config, running_node
from tests.support.profiles import BSX


@pytest.mark.node
async def test_all_strategies_in_the_sandbox():
    def terms(number: int, **more: Any) -> dict[str, Any]:
        return {"instrument_id": BSX.instrument_id, "order_id_tag": f"{number:03}", **more}

    size = Decimal("0.01")
    maker = MarketMaker(MarketMakerConfig(**terms(1), order_qty=size, half_spread_ticks=20))
    ladder = LimitLadder(LimitLadderConfig(**terms(2), order_qty=size, levels=2))
    # The sandbox holds pairs of stop orders and OCO exits, which the venue itself does not.
    breakout = OcoBreakout(
        OcoBreakoutConfig(**terms(3), order_qty=size, range_quotes=2, entry=Entry.OCO, exit=Exit.OCO)
    )
    twap = TwapIceberg(TwapIcebergConfig(**terms(4), side=Side.BUY, total_qty=4 * size, slices=2))
    guard = Guard(GuardConfig(**terms(5), open_qty=size, stop_loss_ticks=1000))
    monitor = Monitor(MonitorConfig(order_id_tag="006"))
    trading = (maker, ladder, breakout, twap, guard)
    async with simulate("bsx", seed=7, tick_secs=0.05) as sim:
        config = node_config(
            {"BSX": SandboxExecutionClientConfig(venue="BSX", starting_balances=["1000000 USDC"])},
            {"BSX": sim.data_config(**BSX.data_options)},
            reconciliation=False,
        )
        async with running_node(
            config,
            exec_factories={"BSX": SandboxLiveExecClientFactory},
            data_factories={"BSX": BSX.data_factory},
            strategies=(*trading, monitor),
        ) as run:
            await run.until(lambda: twap.done and guard.net_position() == size, "the executor and the guard to trade")
            for strategy in trading:
                await run.until(
                    lambda strategy=strategy: run.cache.orders(strategy_id=strategy.id), f"orders of {strategy.id}"
                )
            # What was sent in the moment of a stop cannot be cancelled (`cancel_on_stop`).
            await run.until(
                lambda: not any(order.is_active_local or order.is_inflight for order in run.cache.orders()),
                "every order to be answered",
            )
            for strategy in trading:
                assert strategy.halted == ""
                strategy.stop()
            await run.until(
                lambda: not run.cache.orders_open(),
                lambda: f"every order to be over, but there are {run.cache.orders_open()}",
            )
            monitor.stop()
            assert len(monitor.lives) == len(run.cache.orders())
            assert sim.ledger.orders() == []
            # Events wait in the sandbox's queue: two quotes at once may fill an order twice, and the engine refuses the
            # second fill (docs/parity.md).
            assert [entry for entry in run.log.entries("ERROR") if "Order overfill rejected" not in entry] == []
