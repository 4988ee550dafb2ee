"""The simulated venues' matching beside the framework's own: the same book, the same orders, the same fills.

Each round both see the same levels and take the same order against them. What rests of it is canceled before the next
round, so that the levels stay the only thing both know. Sizes are larger than single levels: orders walk the book.
"""

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import MakerTakerFeeModel
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDC
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas
from nautilus_trader.model.enums import (
    AccountType,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    OrderStatus,
    OrderType,
    RecordFlag,
    TimeInForce,
)
from nautilus_trader.model.events import OrderAccepted
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.flow import FlowSettings
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.market import Levels, Market
from nautilus_orderfeeds.sim.model import Fee, Liquidity, OrderKind, OrderState, Product, Side, SimOrder
from nautilus_orderfeeds.sim.model import TimeInForce as SimForce

ROUNDS = 60
TICK, LOT = Decimal("0.5"), Decimal("0.001")
TAKER_RATE = Decimal("0.0005")
PRODUCT = Product("BTC-PERP", "BTC", "USDC", TICK, LOT, LOT, Decimal(60_000))
INSTRUMENT_ID = InstrumentId(Symbol("BTC-PERP"), Venue("SIM"))
SEC = 1_000_000_000

_STATES = {
    OrderState.FILLED: OrderStatus.FILLED,
    OrderState.CANCELED: OrderStatus.CANCELED,
    OrderState.EXPIRED: OrderStatus.CANCELED,
}


@dataclass(frozen=True)
class Taker:
    """An order of one round; `price` None for a market order."""

    side: Side
    size: Decimal
    price: Decimal | None
    force: SimForce


@dataclass(frozen=True)
class Result:
    fills: list[tuple[Decimal, Decimal]]
    state: OrderStatus
    fees: Decimal


def random_taker(rng: random.Random, book: tuple[Levels, Levels]) -> Taker:
    side = rng.choice((Side.BUY, Side.SELL))
    levels = book[1] if side is Side.BUY else book[0]
    force = rng.choice((SimForce.IOC, SimForce.FOK, SimForce.GTC))
    depth = rng.randint(0, len(levels))
    size = LOT * rng.randint(1, 1 + int(sum(size for _, size in levels[: depth + 1]) / LOT))
    if force is not SimForce.GTC and rng.random() < 0.3:
        return Taker(side, size, None, force)
    price = levels[min(depth, len(levels) - 1)][0] + TICK * rng.randint(-3, 3)
    return Taker(side, size, price, force)


def fee(order: SimOrder, price: Decimal, size: Decimal, liquidity: Liquidity) -> Fee:
    return Fee(price * size * TAKER_RATE) if liquidity is Liquidity.TAKER else Fee()


def simulated(seed: int) -> tuple[list[tuple[Levels, Levels]], list[Taker], list[Result]]:
    """Books, orders and what the simulated venue made of them."""
    rng = random.Random(seed)
    ledger = Ledger([PRODUCT])
    settings = FlowSettings(levels=6, level_lots=(20, 900), taker_probability=0.0)
    market = Market([PRODUCT], ledger, SimClock(), fee, seed, settings)
    ledger.add_account("me")
    market.flow.open()
    books, takers, results = [], [], []
    for n in range(ROUNDS):
        market.step()
        books.append(market.book("BTC-PERP"))
        takers.append(taker := random_taker(rng, books[-1]))
        order = SimOrder(
            venue_order_id=str(n),
            account="me",
            product="BTC-PERP",
            side=taker.side,
            quantity=taker.size,
            price=taker.price,
            kind=OrderKind.LIMIT if taker.price is not None else OrderKind.MARKET,
            time_in_force=taker.force,
        )
        market.submit(order)
        market.cancel(order)
        fills = [(fill.price, fill.size) for fill in ledger.fills(order)]
        results.append(Result(fills, _STATES[order.state], order.fees))
    ledger.check()
    return books, takers, results


def deltas(book: tuple[Levels, Levels], instrument: Any, ts: int) -> OrderBookDeltas:
    rows = [OrderBookDelta.clear(INSTRUMENT_ID, 0, ts, ts)]
    for side, levels in ((OrderSide.BUY, book[0]), (OrderSide.SELL, book[1])):
        for price, size in levels:
            level = BookOrder(side, instrument.make_price(price), instrument.make_qty(size), 0)
            rows.append(OrderBookDelta(INSTRUMENT_ID, BookAction.ADD, level, RecordFlag.F_SNAPSHOT, 0, ts, ts))
    last = rows[-1]
    flags = RecordFlag.F_SNAPSHOT | RecordFlag.F_LAST
    rows[-1] = OrderBookDelta(INSTRUMENT_ID, last.action, last.order, flags, 0, ts, ts)
    return OrderBookDeltas(INSTRUMENT_ID, rows)


class Script(Strategy):
    """Sends one order a book, and cancels what is left of the one before."""

    def __init__(self, takers: list[Taker]) -> None:
        super().__init__()
        self.takers = iter(takers)
        self.sent: list[Any] = []

    def on_start(self) -> None:
        self.subscribe_order_book_deltas(INSTRUMENT_ID, BookType.L2_MBP)

    def on_order_book_deltas(self, _: OrderBookDeltas) -> None:
        instrument = self.cache.instrument(INSTRUMENT_ID)
        taker = next(self.takers)
        side, size = OrderSide[taker.side.name], instrument.make_qty(taker.size)
        force = TimeInForce[taker.force.name]
        order = (
            self.order_factory.market(INSTRUMENT_ID, side, size, force)
            if taker.price is None
            else self.order_factory.limit(INSTRUMENT_ID, side, size, instrument.make_price(taker.price), force)
        )
        self.sent.append(order)
        self.submit_order(order)

    def on_order_accepted(self, event: OrderAccepted) -> None:
        self.cancel_order(self.cache.order(event.client_order_id))  # reaches the engine after the order's fills


def backtested(books: list[tuple[Levels, Levels]], takers: list[Taker]) -> list[Result]:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        Venue("SIM"),
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1_000_000_000, USDC)],
        book_type=BookType.L2_MBP,
        fee_model=MakerTakerFeeModel(),
    )
    instrument = CryptoPerpetual(
        instrument_id=INSTRUMENT_ID,
        raw_symbol=INSTRUMENT_ID.symbol,
        base_currency=BTC,
        quote_currency=USDC,
        settlement_currency=USDC,
        is_inverse=False,
        price_precision=1,
        size_precision=3,
        price_increment=Price.from_str(str(TICK)),
        size_increment=Quantity.from_str(str(LOT)),
        maker_fee=Decimal(0),
        taker_fee=TAKER_RATE,
        ts_event=0,
        ts_init=0,
    )
    engine.add_instrument(instrument)
    engine.add_data([deltas(book, instrument, (n + 1) * SEC) for n, book in enumerate(books)])
    script = Script(takers)
    engine.add_strategy(script)
    engine.run()
    results = []
    for order in script.sent:
        fills = [event for event in order.events if type(event).__name__ == "OrderFilled"]
        results.append(
            Result(
                [(fill.last_px.as_decimal(), fill.last_qty.as_decimal()) for fill in fills],
                OrderStatus.CANCELED if order.status == OrderStatus.EXPIRED else order.status,
                sum((fill.commission.as_decimal() for fill in fills), Decimal(0)),
            )
        )
        assert order.order_type == (OrderType.LIMIT if order.has_price else OrderType.MARKET)
    engine.dispose()
    return results


def merged(fills: list[tuple[Decimal, Decimal]]) -> list[tuple[Decimal, Decimal]]:
    """Fills at one price counted as one: the venue tells each order met, the engine each level."""
    levels: dict[Decimal, Decimal] = {}
    for price, size in fills:
        levels[price] = levels.get(price, Decimal(0)) + size
    return list(levels.items())


@pytest.mark.parametrize("seed", range(10))
def test_same_book_same_orders_same_fills(seed: int) -> None:
    books, takers, ours = simulated(seed)
    theirs = backtested(books, takers)

    assert len(ours) == len(theirs) == ROUNDS
    for n, (mine, their) in enumerate(zip(ours, theirs, strict=True)):
        assert merged(mine.fills) == merged(their.fills), (n, takers[n])
        assert mine.state == their.state, (n, takers[n])
        assert abs(mine.fees - their.fees) < Decimal("0.000001") * max(1, len(mine.fills)), (n, takers[n])
    kinds = {(taker.force, taker.price is None, result.state) for taker, result in zip(takers, ours, strict=True)}
    assert len(kinds) >= 6, "the rounds are too much alike to test anything"
