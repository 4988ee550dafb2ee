"""A strategy that sends what a test gives it at the first quote, and does nothing else."""

from collections.abc import Callable
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy


class OneShot(Strategy):
    """Calls `act` once, with itself and the first quote."""

    def __init__(self, instrument_id: InstrumentId, act: Callable[[Any, QuoteTick], None]) -> None:
        super().__init__(StrategyConfig(order_id_tag="001"))
        self._instrument_id = instrument_id
        self._act: Callable[[Any, QuoteTick], None] | None = act

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self._instrument_id)

    def on_quote_tick(self, quote: QuoteTick) -> None:
        act, self._act = self._act, None
        if act is not None:
            act(self, quote)
