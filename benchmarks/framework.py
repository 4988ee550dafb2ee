"""A bare framework around an execution client: message bus, cache, clock; events end in a counter."""

import asyncio
from decimal import Decimal
from typing import Any

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientId, StrategyId, TraderId
from nautilus_trader.model.objects import Price, Quantity


class Framework:
    """Everything an execution client is built on, without engine: what it emits is counted and dropped."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.trader_id = TraderId("BENCH-001")
        self.strategy_id = StrategyId("BENCH-001")
        self.clock = LiveClock()
        self.msgbus = MessageBus(self.trader_id, self.clock)
        self.cache = Cache(database=None)
        self.events: list[Any] = []
        self.msgbus.register(endpoint="ExecEngine.process", handler=self.events.append)
        self.accounts: list[Any] = []
        self.msgbus.register(endpoint="Portfolio.update_account", handler=self.accounts.append)
        self.msgbus.register(endpoint="ExecEngine.reconcile_execution_report", handler=self.events.append)
        self._factory = OrderFactory(self.trader_id, self.strategy_id, self.clock)

    def limit_order(self, instrument: Any, quantity: Decimal, price: Decimal, client_id: str) -> Any:
        """Return a limit order the cache knows."""
        order = self._factory.limit(
            instrument.id, OrderSide.BUY, Quantity.from_str(f"{quantity:.3f}"), Price.from_str(f"{price:.1f}")
        )
        self.cache.add_order(order, None, ClientId(client_id))
        return order
