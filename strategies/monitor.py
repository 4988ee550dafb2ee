"""A read-only monitor: adopts orders that were placed elsewhere, follows every order of the node, and reports them.

It sends nothing, ever. Orders placed elsewhere (a web app, another program) come to it if its configuration claims
them: ``external_order_claims=[InstrumentId.from_str("BTC-PERP.BSX")]``. Orders of the node's other strategies are only
watched.
"""

from collections import Counter
from decimal import Decimal

from msgspec import Struct, field
from nautilus_trader.common.config import NonNegativeInt
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import order_side_to_str
from nautilus_trader.model.events import OrderEvent, OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, StrategyId
from nautilus_trader.trading.strategy import Strategy


class MonitorConfig(StrategyConfig, kw_only=True, frozen=True):
    """Configuration of `Monitor`; what it adopts is the framework's own field `external_order_claims`.

    Parameters
    ----------
    instrument_ids : list[InstrumentId], optional
        Whose orders to follow; None: all.
    watch_others : bool
        Whether to follow the orders of the node's other strategies, and unclaimed external ones, too.
    report_every : int
        Log the summary after so many events; 0: only when stopped.
    """

    instrument_ids: list[InstrumentId] | None = None
    watch_others: bool = True
    report_every: NonNegativeInt = 0


class OrderLife(Struct):
    """What the monitor saw of one order.

    Parameters
    ----------
    client_order_id, strategy_id, instrument_id : str
    is_adopted : bool
        Whether it was placed elsewhere and belongs to the monitor.
    side, order_type, status : str
        The framework's words; status: after the last event.
    quantity, filled_qty : Decimal
        Base units.
    notional : Decimal
        What its fills are worth, quote currency.
    events : list[str]
        Names of its events, oldest first.
    commissions : dict[str, Decimal]
        Currency -> what was paid.
    """

    client_order_id: str
    strategy_id: str
    instrument_id: str
    is_adopted: bool
    side: str = ""
    order_type: str = ""
    status: str = ""
    quantity: Decimal = Decimal(0)
    filled_qty: Decimal = Decimal(0)
    notional: Decimal = Decimal(0)
    events: list[str] = field(default_factory=list)
    commissions: dict[str, Decimal] = field(default_factory=dict)

    @property
    def avg_px(self) -> Decimal | None:
        """Average price of its fills, quote per base; None without any."""
        return self.notional / self.filled_qty if self.filled_qty else None

    def __str__(self) -> str:
        whose = "adopted" if self.is_adopted else self.strategy_id
        at = "" if self.avg_px is None else f" at {self.avg_px:.8f}".rstrip("0").rstrip(".")
        return (
            f"{self.client_order_id} ({whose}): {self.side} {self.quantity:f} {self.instrument_id} {self.order_type} "
            f"{self.status}, filled {self.filled_qty:f}{at}"
        )


class Monitor(Strategy):
    """Follows orders and sends nothing.

    Parameters
    ----------
    config : MonitorConfig

    Attributes
    ----------
    lives : dict[str, OrderLife]
        Client order id -> what was seen of it, oldest first.
    """

    def __init__(self, config: MonitorConfig) -> None:
        super().__init__(config)
        self.lives: dict[str, OrderLife] = {}
        self._seen = 0
        self._is_listening = False

    def on_start(self) -> None:
        """Take in what is there already, and listen."""
        for instrument_id in self._missing():
            self.log.error(
                f"instrument {instrument_id} is not in the cache: its orders cannot be followed; expected one that a "
                f"client of {instrument_id.venue} has loaded"
            )
        for order in self.cache.orders():
            for event in order.events:
                self._take(event)
        if self.config.watch_others:
            self.msgbus.subscribe("events.order.*", self._take_others)
            self._is_listening = True

    def on_order_event(self, event: OrderEvent) -> None:
        """Follow an adopted order."""
        self._take(event)

    def on_stop(self) -> None:
        """Report."""
        self._quiet()
        self._report()

    def on_reset(self) -> None:
        """Forget what was seen."""
        self._quiet()
        self.lives.clear()
        self._seen = 0

    @property
    def adopted(self) -> list[OrderLife]:
        """The orders that were placed elsewhere and belong to the monitor, oldest first."""
        return [life for life in self.lives.values() if life.is_adopted]

    def summary(self) -> dict[str, int]:
        """Return how many orders there are by status."""
        return dict(Counter(life.status for life in self.lives.values()))

    def _quiet(self) -> None:
        if self._is_listening:
            self.msgbus.unsubscribe("events.order.*", self._take_others)
            self._is_listening = False

    def _missing(self) -> list[InstrumentId]:
        wanted = [*(self.config.instrument_ids or []), *(self.config.external_order_claims or [])]
        return [
            instrument_id for instrument_id in dict.fromkeys(wanted) if self.cache.instrument(instrument_id) is None
        ]

    def _take_others(self, event: OrderEvent) -> None:
        if event.strategy_id != self.id:  # the monitor's own come by `on_order_event`
            self._take(event)

    def _take(self, event: OrderEvent) -> None:
        wanted = self.config.instrument_ids
        if wanted is not None and event.instrument_id not in wanted:
            return
        life = self._life(event.client_order_id.value, event.strategy_id, event.instrument_id)
        life.events.append(type(event).__name__)
        order = self.cache.order(event.client_order_id)
        if order is not None:
            life.side, life.order_type = order_side_to_str(order.side), order.type_string()
            life.status = order.status_string()
            life.quantity, life.filled_qty = order.quantity.as_decimal(), order.filled_qty.as_decimal()
        if isinstance(event, OrderFilled):
            life.notional += event.last_qty.as_decimal() * event.last_px.as_decimal()
            code = event.commission.currency.code
            life.commissions[code] = life.commissions.get(code, Decimal(0)) + event.commission.as_decimal()
        self._seen += 1
        self.log.info(str(life))
        if self.config.report_every and self._seen % self.config.report_every == 0:
            self._report()

    def _life(self, client_order_id: str, strategy_id: StrategyId, instrument_id: InstrumentId) -> OrderLife:
        life = self.lives.get(client_order_id)
        if life is None:
            life = self.lives[client_order_id] = OrderLife(
                client_order_id, strategy_id.value, instrument_id.value, strategy_id == self.id
            )
        return life

    def _report(self) -> None:
        totals = ", ".join(f"{count} {status}" for status, count in sorted(self.summary().items())) or "none"
        self.log.info(f"{len(self.lives)} orders followed, {len(self.adopted)} of them adopted: {totals}")
