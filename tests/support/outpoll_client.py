"""An Outpoll client on a real node: a strategy that does what the test says, and the comparison with the ledger."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.data import DataType
from nautilus_trader.model.enums import ContingencyType, OrderSide, TimeInForce, TriggerType
from nautilus_trader.model.identifiers import AccountId, InstrumentId
from nautilus_trader.model.orders import LimitOrder, OrderList, StopMarketOrder
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.adapter.custom_data import ProtectionUpdate
from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.outpoll import OutpollLiveExecClientFactory
from tests.support.nodes import Run, node_config, running_node

ASSET = "3f0c2f52-6d0e-4a43-9c56-0c1f6b0e7a01"
INSTRUMENT = InstrumentId.from_str(f"{ASSET}.OUTPOLL")
ACCOUNT = AccountId("OUTPOLL-001")
#: Under which names the simulated venue writes its trades.
TRADES = {"trade_id": "i", "order_id": "oi", "price": "p", "quantity": "q", "fee": "f", "time_ms": "m"}
#: Settles sooner than the defaults, for read sides that lag by 1 s at most.
FAST = {"requests_per_sec": 500, "read_settle_secs": 1.5, "read_gap_secs": 0.3, "accept_secs": 0.5}


class Trader(Strategy):
    """Does what the test says, and keeps what it hears of protections."""

    def __init__(self, name: str = "TRADER") -> None:
        super().__init__(StrategyConfig(strategy_id=name))
        self.heard: list[ProtectionUpdate] = []

    def on_start(self) -> None:
        self.subscribe_data(DataType(ProtectionUpdate))

    def on_data(self, data: Any) -> None:
        self.heard.append(data)

    def limit(self, side: OrderSide, quantity: int, price: Decimal | str) -> Any:
        instrument = self.cache.instrument(INSTRUMENT)
        order = self.order_factory.limit(
            INSTRUMENT, side, instrument.make_qty(quantity), instrument.make_price(Decimal(price)), TimeInForce.GTC
        )
        self.submit_order(order)
        return order

    def market(self, side: OrderSide, quantity: int) -> Any:
        buys = side == OrderSide.BUY
        size = self.cache.instrument(INSTRUMENT).make_qty(quantity)
        order = self.order_factory.market(INSTRUMENT, side, size, TimeInForce.IOC, quote_quantity=buys)
        self.submit_order(order)
        return order

    def protect(self, quantity: int, take_profit: str, stop_loss: str) -> tuple[Any, Any]:
        """Submit an OCO pair of closing SELLs; return (take-profit, stop-loss)."""
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


@asynccontextmanager
async def node_at(sim: Any, trader: Trader, **config: Any) -> AsyncIterator[Run]:
    """Run a node with `trader` at a simulated venue that is running already."""
    exec_config = sim.exec_config(**({"audit_interval_secs": 0.0, "account_poll_secs": 0.3} | config))
    node = node_config({"OUTPOLL": exec_config}, inflight_check_interval_ms=0)
    factories = {"OUTPOLL": OutpollLiveExecClientFactory}
    async with running_node(node, exec_factories=factories, strategies=(trader,)) as run:
        yield run


@asynccontextmanager
async def trading(sim_options: dict[str, Any], **config: Any) -> AsyncIterator[tuple[Any, Run, Trader]]:
    """Simulate the venue and run a node with a `Trader` at it."""
    trader = Trader()
    async with (
        simulate("outpoll", seed=5, market_flow=False, amount_decimals=8, **sim_options) as sim,
        node_at(sim, trader, **config) as run,
    ):
        yield sim, run, trader


async def books_agree(sim: Any, run: Run, *not_orders: Any, tolerance: str = "0.000001") -> None:
    """Wait until cache and ledger agree; `not_orders` are legs of TP/SL, which the ledger has no orders for."""
    legs = tuple(str(leg.client_order_id) for leg in not_orders)

    def differences() -> list[Any]:
        rows = compare(sim, run.cache, "OUTPOLL", ACCOUNT, price_tolerance=Decimal(tolerance)).differences
        return [row for row in rows if not (legs and row.subject.endswith(legs))]

    await run.until(lambda: not differences(), lambda: f"cache and ledger to agree: {differences()}")
