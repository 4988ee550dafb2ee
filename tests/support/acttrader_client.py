"""The ActTrader client without a network, and with a whole node against the simulated venue."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import ContingencyType as NtContingencyType
from nautilus_trader.model.enums import OrderSide as NtSide
from nautilus_trader.model.enums import OrderStatus as NtStatus
from nautilus_trader.model.enums import OrderType as NtType
from nautilus_trader.model.enums import TimeInForce as NtForce
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, InstrumentId, OrderListId
from nautilus_trader.model.orders import LimitOrder, OrderList, StopMarketOrder
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.adapter.contingency import is_held
from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues.acttrader import ActTraderLiveExecClientFactory
from nautilus_orderfeeds.venues.acttrader.settings import ActTraderSettings
from nautilus_orderfeeds.venues.acttrader.venue import ActTraderVenue
from nautilus_orderfeeds.venues.acttrader.words import Dialect
from nautilus_orderfeeds.venues.instruments import InstrumentKind, InstrumentSpec
from tests.support.nodes import Run, node_config, running_node

SAMPLES = Path(__file__).parents[1] / "venues" / "acttrader" / "samples"
IID = InstrumentId.from_str("EURUSD.ACTTRADER")
D = Decimal


def spec(symbol: str = "EURUSD") -> InstrumentSpec:
    return InstrumentSpec(
        symbol=symbol,
        raw_symbol=symbol,
        kind=InstrumentKind.CURRENCY_PAIR,
        base=symbol[:3],
        quote=symbol[3:],
        settlement=symbol[3:],
        price_increment=D("0.0001"),
        size_increment=D(1000),
        maker_fee=D(0),
        taker_fee=D(0),
    )


def settings(dialect: str, **fields: Any) -> ActTraderSettings:
    login = "user-login" if dialect == "draft" else "123456"
    defaults = {"base_url_ws": "ws://127.0.0.1:1/ws", "login": login, "requests_per_sec": 1000, "timeout_secs": 2.0}
    return ActTraderSettings(dialect=Dialect(dialect), **{**defaults, **fields})


def new_order(client_order_id: str = "O-1", **terms: Any) -> NewOrder:
    defaults: dict[str, Any] = {
        "symbol": "EURUSD",
        "side": OrderSide.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": D(10000),
    }
    if terms.get("type", OrderType.LIMIT) in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        defaults["price"] = D("1.2345")
    if terms.get("type") in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT):
        defaults["trigger_price"] = D("1.2345")
    return NewOrder(client_order_id=client_order_id, **{**defaults, **terms})


def exact(raw: bytes | str) -> Any:
    """JSON with exact numbers."""
    return json.loads(raw, parse_float=Decimal)


@dataclass
class Line:
    """A venue object whose socket is this test."""

    venue: ActTraderVenue
    sent: list[Any] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    async def _send(self, frame: bytes | str) -> None:
        text = frame.decode() if isinstance(frame, bytes) else frame
        self.texts.append(text)
        self.sent.append(exact(text))

    def hear(self, message: Any) -> list[Any]:
        """Let the venue say something."""
        return self.venue.decode(message if isinstance(message, bytes) else json.dumps(message).encode())

    async def asked(self, count: int = 1) -> Any:
        """Wait until `count` requests went out; the latest."""
        async with asyncio.timeout(2):
            while len(self.sent) < count:
                await asyncio.sleep(0)
        return self.sent[-1]

    def answer(self, payload: Any = None, *, number: int = -1, event: str | None = None) -> list[Any]:
        """Answer a request in its own event."""
        request = self.sent[number]
        message = {"event": event or request["event"], "requestId": request["requestId"]}
        if payload is not None:
            message["payload"] = payload
        return self.hear(message)

    def refuse(self, text: str, *, number: int = -1) -> list[Any]:
        return self.answer({"error": text}, number=number, event="error")


def line(dialect: str, **fields: Any) -> Line:
    """A venue of this dialect, connected to the test."""
    venue = ActTraderVenue(settings(dialect, **fields))
    venue.use_instruments([spec(), spec("BTCUSDT")])
    made = Line(venue)
    venue.attach(made._send)
    return made


class Desk(Strategy):
    """A strategy that does what the test says."""


@dataclass
class Trading:
    """A node that trades at the simulated venue."""

    sim: Any
    run: Run
    desk: Desk
    exec_options: dict[str, Any]

    @property
    def instrument(self) -> Any:
        return self.run.cache.instrument(IID)

    @property
    def client(self) -> Any:
        return self.run.exec_client("ACTTRADER")

    @property
    def bid(self) -> Decimal:
        found: Decimal = self.sim.market.best("EURUSD")[0]
        return found

    @property
    def ask(self) -> Decimal:
        found: Decimal = self.sim.market.best("EURUSD")[1]
        return found

    def px(self, value: Decimal) -> Any:
        return self.instrument.make_price(value)

    def qty(self, value: int) -> Any:
        return self.instrument.make_qty(value)

    def limit(self, side: NtSide, price: Decimal, quantity: int = 10000, **terms: Any) -> Any:
        return self.desk.order_factory.limit(IID, side, self.qty(quantity), self.px(price), **terms)

    def stop(self, side: NtSide, trigger: Decimal, quantity: int = 10000, **terms: Any) -> Any:
        return self.desk.order_factory.stop_market(IID, side, self.qty(quantity), self.px(trigger), **terms)

    def market(self, side: NtSide, quantity: int = 10000, **terms: Any) -> Any:
        return self.desk.order_factory.market(IID, side, self.qty(quantity), **terms)

    def oco(self, first: Any, second: Any, **options: Any) -> None:
        """Submit two orders, made with `linked`, as a list."""
        self.desk.submit_order_list(self.desk.order_factory.create_list([first, second]), **options)

    def submit(self, *orders: Any, **options: Any) -> None:
        for order in orders:
            self.desk.submit_order(order, **options)

    async def until(self, condition: Any, what: str, secs: float = 8.0) -> None:
        await self.run.until(condition, what, secs)

    def names(self, order: Any) -> list[str]:
        return [name.removeprefix("Order") for name in self.run.names(order.client_order_id) if "Pending" not in name]

    def sent(self, event: str) -> int:
        return sum(request.path == event for request in self.sim.requests)

    def differences(self, *, balances: bool = False) -> list[Any]:
        found = compare(self.sim, self.run.cache, "ACTTRADER", AccountId("ACTTRADER-001"), balances=balances)
        return list(found.differences)

    async def agree(self) -> None:
        await self.until(lambda: not self.differences(), f"both sides to agree: {self.differences()}")


def pair(t: Trading, number: int = 1, *, gtd_ns: int = 0, **second: Any) -> OrderList:
    """A take profit and a stop loss of a long position of 10000, linked as OCO; with `gtd_ns` they expire then."""
    ids = [ClientOrderId(f"O-{number}-{leg}") for leg in ("TP", "SL")]
    list_id = OrderListId(f"OL-{number}")
    common: dict[str, Any] = {
        "trader_id": t.desk.trader_id,
        "strategy_id": t.desk.id,
        "instrument_id": IID,
        "order_side": NtSide.SELL,
        "quantity": t.qty(10000),
        "init_id": UUID4(),
        "ts_init": t.desk.clock.timestamp_ns(),
        "contingency_type": NtContingencyType.OCO,
        "order_list_id": list_id,
    }
    if gtd_ns:
        common |= {"time_in_force": NtForce.GTD, "expire_time_ns": gtd_ns}
    profit = LimitOrder(**common, client_order_id=ids[0], price=t.px(t.ask + D("0.001")), linked_order_ids=[ids[1]])
    terms = {**common, "client_order_id": ids[1], "linked_order_ids": [ids[0]], **second}
    stop = StopMarketOrder(**{**terms, "init_id": UUID4()}, trigger_price=t.px(t.bid - D("0.01")), trigger_type=1)
    return OrderList(list_id, [profit, stop])


async def live_pair(t: Trading, number: int = 1) -> list[Any]:
    orders = pair(t, number)
    t.desk.submit_order_list(orders)
    await t.until(lambda: all(o.status == NtStatus.ACCEPTED for o in orders.orders), "both legs to be accepted")
    return list(orders.orders)


class Bracket:
    """An entry that rests below the market, and its exits."""

    def __init__(self, t: Trading, *, quantity: int = 10000, **terms: Any) -> None:
        options: dict[str, Any] = {
            "entry_order_type": NtType.LIMIT,
            "entry_price": t.px(t.bid - D("0.001")),
            "sl_trigger_price": t.px(t.bid - D("0.01")),
            "tp_price": t.px(t.ask + D("0.001")),
            "tp_post_only": False,
        }
        self.t = t
        self.list = t.desk.order_factory.bracket(IID, NtSide.BUY, t.qty(quantity), **{**options, **terms})
        self.entry, self.stop, self.profit = self.list.orders

    @property
    def children(self) -> list[Any]:
        return [self.stop, self.profit]

    async def submit(self) -> None:
        self.t.desk.submit_order_list(self.list)
        await self.t.until(lambda: all(o.status == NtStatus.ACCEPTED for o in self.list.orders), "all accepted")

    def fill(self, size: int = 10000) -> None:
        self.t.sim.market.trade("EURUSD", self.entry.price.as_decimal(), D(size), Side.SELL)

    def at_venue(self) -> list[Any]:
        """The children as the venue has them."""
        return [self.t.sim.ledger.order(o.venue_order_id.value) for o in self.children]

    async def released(self) -> None:
        await self.t.until(
            lambda: all(not is_held(o.venue_order_id.value) and o.is_open for o in self.children),
            "the children to be at the venue",
        )


@asynccontextmanager
async def node_at(sim: Any, **exec_options: Any) -> AsyncIterator[Trading]:
    """Run a node at a running simulation."""
    options = {"aon_for_gtc": True, "requests_per_sec": 500, "settle_secs": 0.3, "audit_interval_secs": 0.0}
    config = sim.exec_config(**{**options, **exec_options})
    desk = Desk(StrategyConfig(strategy_id="DESK", order_id_tag="001"))
    node = node_config({"ACTTRADER": config}, inflight_check_interval_ms=0, log_level="INFO")
    factories = {"ACTTRADER": ActTraderLiveExecClientFactory}
    async with running_node(node, exec_factories=factories, strategies=(desk,)) as run:
        yield Trading(sim, run, desk, exec_options)


@asynccontextmanager
async def trading(dialect: str, *, config: dict[str, Any] | None = None, **sim_options: Any) -> AsyncIterator[Trading]:
    """A simulated venue whose market stands still, and a node that trades there."""
    async with simulate("acttrader", seed=7, market_flow=False, dialect=dialect, **sim_options) as sim:
        async with node_at(sim, **(config or {})) as found:
            yield found
