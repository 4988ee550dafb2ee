"""Take-profit and stop-loss: custom data from the stream, and an OCO pair as one entry at the venue."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.data import DataType
from nautilus_trader.model.enums import ContingencyType, OrderSide, OrderStatus, TimeInForce, TriggerType
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import LimitOrder, OrderList, StopMarketOrder
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.adapter.custom_data import ProtectionUpdate
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.outpoll import OutpollLiveExecClientFactory
from tests.support.nodes import node_config, running_node

ASSET = "3f0c2f52-6d0e-4a43-9c56-0c1f6b0e7a01"
INSTRUMENT = InstrumentId.from_str(f"{ASSET}.OUTPOLL")
SEED = Path(__file__).parent / "samples" / "seed"
FAST = {"requests_per_sec": 500, "read_settle_secs": 1.0, "read_gap_secs": 0.3, "accept_secs": 0.5}


class Protector(Strategy):
    """Keeps what it hears of protections, and places pairs."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="PROTECTOR"))
        self.heard: list[ProtectionUpdate] = []

    def on_start(self) -> None:
        self.subscribe_data(DataType(ProtectionUpdate))

    def on_data(self, data: Any) -> None:
        self.heard.append(data)

    def protect(self, quantity: int, take_profit: str, stop_loss: str) -> tuple[Any, Any]:
        instrument = self.cache.instrument(INSTRUMENT)
        ids = [self.order_factory.generate_client_order_id() for _ in range(2)]
        list_id = self.order_factory.generate_order_list_id()
        common: dict[str, Any] = {
            "trader_id": self.trader_id,
            "strategy_id": self.id,
            "instrument_id": INSTRUMENT,
            "order_side": OrderSide.SELL,
            "quantity": instrument.make_qty(quantity),
            "time_in_force": TimeInForce.GTC,
            "ts_init": self.clock.timestamp_ns(),
            "contingency_type": ContingencyType.OCO,
            "order_list_id": list_id,
        }
        limit = LimitOrder(
            **common,
            client_order_id=ids[0],
            price=instrument.make_price(Decimal(take_profit)),
            init_id=UUID4(),
            linked_order_ids=[ids[1]],
        )
        stop = StopMarketOrder(
            **common,
            client_order_id=ids[1],
            trigger_price=instrument.make_price(Decimal(stop_loss)),
            trigger_type=TriggerType.DEFAULT,
            init_id=UUID4(),
            linked_order_ids=[ids[0]],
        )
        self.submit_order_list(OrderList(order_list_id=list_id, orders=[limit, stop]))
        return limit, stop


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_the_pages_tpsl_update_reaches_a_strategy() -> None:
    strategy = Protector()
    async with simulate("outpoll", seed=2, market_flow=False) as sim:
        config = node_config({"OUTPOLL": sim.exec_config(**FAST)}, inflight_check_interval_ms=0)
        factories = {"OUTPOLL": OutpollLiveExecClientFactory}
        async with running_node(config, exec_factories=factories, strategies=(strategy,)) as run:
            run.exec_client("OUTPOLL").handle_frame((SEED / "ws-server-tpsl-update.json").read_bytes())
            await run.until(lambda: strategy.heard, "the update")

            (update,) = strategy.heard
            assert update.instrument_id == InstrumentId.from_str("asset-id.OUTPOLL")
            assert (update.venue_order_id, update.status) == ("order-id", "ACTIVE")
            assert (update.quantity, update.take_profit, update.stop_loss) == ("100", "0.95", "0.1")


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_pairs_are_denied_by_default() -> None:
    strategy = Protector()
    async with simulate("outpoll", seed=2, market_flow=False) as sim:
        config = node_config({"OUTPOLL": sim.exec_config(**FAST)}, inflight_check_interval_ms=0)
        factories = {"OUTPOLL": OutpollLiveExecClientFactory}
        async with running_node(config, exec_factories=factories, strategies=(strategy,)) as run:
            legs = strategy.protect(10, "0.80", "0.20")
            await run.until(lambda: all(leg.is_closed for leg in legs), "the denials")

            assert [leg.status for leg in legs] == [OrderStatus.DENIED] * 2
            assert all("tpsl=True" in str(leg.last_event.reason) for leg in legs)
            assert not [request for request in sim.requests if request.method == "POST"]


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_pair_is_one_entry_listed_and_deleted() -> None:
    strategy = Protector()
    async with simulate("outpoll", seed=2, market_flow=False) as sim:
        config = node_config({"OUTPOLL": sim.exec_config(tpsl=True, **FAST)}, inflight_check_interval_ms=0)
        factories = {"OUTPOLL": OutpollLiveExecClientFactory}
        async with running_node(config, exec_factories=factories, strategies=(strategy,)) as run:
            _, ask = sim.market.best(ASSET)
            instrument = run.cache.instrument(INSTRUMENT)
            buy = strategy.order_factory.limit(
                INSTRUMENT, OrderSide.BUY, instrument.make_qty(10), instrument.make_price(ask)
            )
            strategy.submit_order(buy)
            await run.until(lambda: buy.is_closed, "shares to protect")

            legs = strategy.protect(10, "0.80", "0.20")
            await run.until(lambda: all(leg.status == OrderStatus.ACCEPTED for leg in legs), "the pair to be live")
            posts = [request.path for request in sim.requests if request.method == "POST"]
            assert posts.count("/orders/tpsl") == 1
            assert len({leg.venue_order_id.value[:-3] for leg in legs}) == 1

            strategy.cancel_order(legs[0])
            await run.until(lambda: all(leg.is_closed for leg in legs), "both to be cancelled")
            assert [leg.status for leg in legs] == [OrderStatus.CANCELED] * 2
