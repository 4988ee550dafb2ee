"""A strategy at sFOX that does what a test tells it to, and the question whether its books are the venue's."""

from decimal import Decimal
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import AccountId, ClientId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.adapter.custom_data import VENUE_EVENT, VenueEvent
from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.sim import Simulation
from tests.support.nodes import Run

IID = InstrumentId.from_str("BTCUSD.SFOX")
SCALED = {"limit_time_scale": 0.01}
EXEC = {"settle_secs": 0.3, "audit_interval_secs": 0.0, **SCALED}


class Desk(Strategy):
    """Does what the test tells it to; remembers its bars, books, quotes and what it heard of end users."""

    def __init__(self, number: int = 0, *, listens: bool = False) -> None:
        super().__init__(StrategyConfig(strategy_id="DESK", order_id_tag=f"{number:03d}"))
        self.listens = listens
        self.bars: list[Any] = []
        self.books: list[Any] = []
        self.quotes: list[Any] = []
        self.venue_events: list[VenueEvent] = []

    def on_start(self) -> None:
        if self.listens:
            self.subscribe_data(VENUE_EVENT)

    def on_bar(self, bar: Any) -> None:
        self.bars.append(bar)

    def on_order_book_deltas(self, deltas: Any) -> None:
        self.books.append(deltas)

    def on_quote_tick(self, tick: Any) -> None:
        self.quotes.append(tick)

    def on_data(self, data: Any) -> None:
        self.venue_events.append(data)

    def limit(self, side: OrderSide, qty: str, price: Decimal, client: str | None = None, **terms: Any) -> Any:
        """Submit a limit order; `params` are the command's."""
        params = terms.pop("params", None)
        instrument = self.cache.instrument(IID)
        made = self.order_factory.limit(
            IID, side, instrument.make_qty(Decimal(qty)), instrument.make_price(price), **terms
        )
        self.submit_order(made, client_id=None if client is None else ClientId(client), params=params)
        return made

    def market(self, side: OrderSide, qty: str, **terms: Any) -> Any:
        """Submit a market order; a buy by an amount of quote currency."""
        params = terms.pop("params", None)
        size = self.cache.instrument(IID).make_qty(Decimal(qty))
        made = self.order_factory.market(IID, side, size, quote_quantity=side == OrderSide.BUY, **terms)
        self.submit_order(made, params=params)
        return made


async def agree(sim: Simulation, run: Run) -> None:
    """Wait until cache and ledger are the same: status, quantity, notional, fees, fills, balances of every order."""

    def differences() -> Any:
        return compare(sim, run.cache, "SFOX", AccountId("SFOX-001"), price_tolerance=Decimal("1E-8")).differences

    await run.until(lambda: not differences(), lambda: f"cache and ledger to agree: {differences()}")


def assert_told_as_it_is(sim: Simulation, order: Any) -> None:
    """Quantity, average price and fees of an order are those of the ledger."""
    truth = sim.ledger.order(order.venue_order_id.value)
    fees = sum((fill.fee for fill in sim.ledger.fills(truth)), Decimal(0))
    paid = sum((money.as_decimal() for money in order.commissions()), Decimal(0))
    assert order.filled_qty.as_decimal() == truth.filled
    assert abs(paid - fees) <= Decimal("0.005"), "rounded to the cent once, not with every fill"
    if truth.filled:
        assert abs(Decimal(str(order.avg_px)) - truth.notional / truth.filled) < Decimal("1E-6")
