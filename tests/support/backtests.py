"""A strategy in the framework's `BacktestEngine`: the market is given as quotes and trades, the answers are checked."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, BookType, OmsType
from nautilus_trader.model.events import OrderEvent, OrderFilled
from nautilus_trader.model.identifiers import TradeId, TraderId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Money

_STEP_NS = 1_000_000
_START_NS = 1_700_000_000_000_000_000


class Backtest:
    """A backtest that is fed step by step.

    Parameters
    ----------
    instrument : Instrument
        Or None: the engine knows none.
    strategies
        Framework strategies.
    balances : sequence of str
        Money of the account.
    account_type : AccountType
    refuses : str, optional
        Orders of more than this are denied, base units.
    """

    def __init__(
        self,
        instrument: Instrument,
        *strategies: Any,
        balances: Sequence[str] = ("10000000 USDT",),
        account_type: AccountType = AccountType.MARGIN,
        refuses: str | None = None,
        **venue: Any,
    ) -> None:
        if refuses is not None:
            values = instrument.to_dict(instrument)
            instrument = type(instrument).from_dict({**values, "max_quantity": refuses, "min_quantity": refuses})
        self.instrument = instrument
        self.strategies = strategies
        self.events: list[OrderEvent] = []
        self.engine = BacktestEngine(
            BacktestEngineConfig(
                trader_id=TraderId("TESTER-001"),
                logging=LoggingConfig(bypass_logging=True),
                risk_engine=RiskEngineConfig(bypass=refuses is None),
                run_analysis=False,
            )
        )
        self.engine.add_venue(
            venue=instrument.id.venue,
            oms_type=OmsType.NETTING,
            account_type=account_type,
            starting_balances=[Money.from_str(text) for text in balances],
            default_leverage=Decimal(10) if account_type == AccountType.MARGIN else None,
            **{"book_type": BookType.L1_MBP, "use_market_order_acks": True, **venue},
        )
        self.engine.add_instrument(instrument)
        for strategy in strategies:
            self.engine.add_strategy(strategy)
        self.engine.kernel.msgbus.subscribe("events.order.*", self.events.append)
        self._now_ns = _START_NS
        self._trades = 0

    @property
    def cache(self) -> Any:
        return self.engine.cache

    def quote(self, bid: Decimal | str, ask: Decimal | str, size: Decimal | str = "1000000") -> None:
        """Let the market quote, and the strategies answer."""
        self._now_ns += _STEP_NS
        instrument = self.instrument
        self.feed(
            QuoteTick(
                instrument.id,
                instrument.make_price(Decimal(bid)),
                instrument.make_price(Decimal(ask)),
                instrument.make_qty(Decimal(size)),
                instrument.make_qty(Decimal(size)),
                self._now_ns,
                self._now_ns,
            )
        )

    def trade(self, price: Decimal | str, size: Decimal | str, aggressor: AggressorSide) -> None:
        """Let somebody trade: resting orders at this price or better are filled by at most `size`."""
        self._now_ns += _STEP_NS
        self._trades += 1
        instrument = self.instrument
        self.feed(
            TradeTick(
                instrument.id,
                instrument.make_price(Decimal(price)),
                instrument.make_qty(Decimal(size)),
                aggressor,
                TradeId(f"T-{self._trades}"),
                self._now_ns,
                self._now_ns,
            )
        )

    def feed(self, *data: Any) -> None:
        """Give the engine more of the market."""
        self.engine.add_data(list(data))
        self.engine.run(streaming=True)
        self.engine.clear_data()

    def stop(self) -> None:
        """Stop the strategies and let what they send run its course."""
        for strategy in self.strategies:
            if strategy.is_running:
                strategy.stop()
        # Only data moves the venue: the last quote again.
        self.engine.end()

    def names(self, role: str | None = None) -> list[str]:
        """Names of the order events, of the orders with this tag if given."""
        return [type(e).__name__ for e in self.events if role is None or role in self.tags(e)]

    def tags(self, event: OrderEvent) -> list[str]:
        order = self.cache.order(event.client_order_id)
        return [] if order is None else list(order.tags or [])

    def orders(self, role: str | None = None, condition: Callable[[Any], bool] = lambda _: True) -> list[Any]:
        """Every order with this tag, oldest first."""
        found = sorted(self.cache.orders(), key=lambda o: (o.ts_init, int(o.client_order_id.value.rsplit("-", 1)[1])))
        return [o for o in found if (role is None or role in (o.tags or [])) and condition(o)]

    def open(self, role: str | None = None) -> list[Any]:
        return self.orders(role, lambda order: not order.is_closed)

    def fills(self, role: str | None = None) -> list[OrderFilled]:
        return [e for e in self.events if isinstance(e, OrderFilled) and (role is None or role in self.tags(e))]

    def dispose(self) -> None:
        self.engine.dispose()


def total(fills: Iterable[OrderFilled]) -> Decimal:
    """What the fills sum to, base units."""
    return sum((fill.last_qty.as_decimal() for fill in fills), Decimal(0))
