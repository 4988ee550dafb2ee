"""Our client at a clearing service of somebody else's making: connections lost, restarts, and every odd habit.

One story for every habit: orders are placed and changed, the connection is lost while things happen, the node restarts
while more happens, and in the end everything was told once.
"""

import json
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import ContingencyType, OrderSide, OrderStatus
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, OrderListId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.orders import LimitOrder, OrderList, StopMarketOrder
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.venues.acttrader import (
    ACTTRADER,
    ACTTRADER_VENUE,
    ActTraderExecClientConfig,
    ActTraderLiveExecClientFactory,
)
from tests.foreign.acttrader_clearing import ClearingHouse, Habits, clearing
from tests.support.nodes import node_config, running_node

EURUSD = InstrumentId.from_str("EURUSD.ACTTRADER")
LIFE = ["Initialized", "Submitted", "Accepted"]

HABITS = {
    "as the page has it": {},
    "late acknowledgements": {"ack_secs": 0.3},
    "late acknowledgements and slow queries": {"ack_secs": 0.2, "status_secs": 0.3},
    "any order of keys, further keys": {"shuffles": True, "extra": True},
    "numbers as text": {"text": True},
    "everything twice": {"copies": 2},
    "all fills each time, twice": {"fills": "all", "copies": 2},
    "the last fill only": {"fills": "last"},
    "no fills": {"fills": "none"},
    "one id for a pair": {"same_ids": True, "sibling": ("REJECTED", None)},
    "one id for a pair, late": {"same_ids": True, "ack_secs": 0.3, "sibling": ("REJECTED", "OCO_CONDITION")},
    "no reason for the sibling's end": {"sibling": ("REJECTED", None)},
    "answers tell the time of the order's birth": {"times": "birth", "fills": "none"},
    "a clock that runs backwards": {"times": "backwards"},
    "somebody else's executions": {"foreign": True, "ack_secs": 0.1},
    "cut off at the order": {"cuts": {"newordersingle"}},
    "cut off at the pair": {"cuts": {"neworderoco"}},
    "cut off at the change": {"cuts": {"modifyordersingle"}},
    "cut off at the list": {"cuts": {"orders"}},
    "cut off at a query": {"cuts": {"orderstatus"}, "fills": "none"},
}
CASES = [
    pytest.param(dialect, habits, id=f"{dialect}, {name}")
    for dialect in ("draft", "final")
    for name, habits in HABITS.items()
]


@pytest.fixture
def folder(tmp_path):
    row = CurrencyPair.to_dict(TestInstrumentProvider.default_fx_ccy("EUR/USD", ACTTRADER_VENUE))
    row |= {"id": EURUSD.value, "raw_symbol": "EURUSD", "lot_size": None, "min_quantity": None, "max_quantity": None}
    (tmp_path / "instruments.json").write_text(json.dumps([row]))
    return tmp_path


@asynccontextmanager
async def trading(url, folder, dialect):
    config = ActTraderExecClientConfig(
        base_url_ws=url,
        dialect=dialect,
        login="123456",
        instruments=str(folder / "instruments.json"),
        starting_balances=["100000 USD"],
        journal=str(folder / "journal.sqlite"),
        settle_secs=0.3,
        requests_per_sec=200,
        request_timeout_secs=2,
        aon_for_gtc=True,
    )
    desk = Strategy(StrategyConfig(strategy_id="DESK", order_id_tag="001"))
    node = node_config({ACTTRADER: config}, inflight_check_interval_ms=0)
    factories = {ACTTRADER: ActTraderLiveExecClientFactory}
    async with running_node(node, exec_factories=factories, strategies=(desk,)) as run:
        yield run, desk


def exits(desk, instrument):
    """A take profit and a stop loss, as an OCO pair."""
    ids = [ClientOrderId("P-1"), ClientOrderId("P-2")]
    common = {
        "trader_id": desk.trader_id,
        "strategy_id": desk.id,
        "instrument_id": EURUSD,
        "order_side": OrderSide.SELL,
        "quantity": instrument.make_qty(10000),
        "ts_init": desk.clock.timestamp_ns(),
        "contingency_type": ContingencyType.OCO,
        "order_list_id": OrderListId("PL-1"),
    }
    profit = LimitOrder(
        **common, client_order_id=ids[0], init_id=UUID4(), price=instrument.make_price("1.3"), linked_order_ids=[ids[1]]
    )
    stop = StopMarketOrder(
        **common,
        client_order_id=ids[1],
        init_id=UUID4(),
        trigger_price=instrument.make_price("1.0"),
        trigger_type=1,
        linked_order_ids=[ids[0]],
    )
    return OrderList(OrderListId("PL-1"), [profit, stop])


def names(run, order):
    found = [name.removeprefix("Order") for name in run.names(order.client_order_id)]
    return [name for name in found if not name.startswith("Pending")]


def fills(run, order):
    found = [e for e in run.order_events(order.client_order_id) if isinstance(e, OrderFilled)]
    return [(f.trade_id.value, f.last_qty.as_decimal(), f.last_px.as_decimal()) for f in found]


@pytest.mark.node
@pytest.mark.parametrize(("dialect", "habits"), CASES)
async def test_a_story(dialect, habits, folder):
    house = ClearingHouse(Habits(dialect=dialect, **habits | {"cuts": set(habits.get("cuts", ()))}))
    async with clearing(house) as url:
        async with trading(url, folder, dialect) as (run, desk):
            instrument = run.cache.instrument(EURUSD)
            price, changed = instrument.make_price("1.1"), instrument.make_price("1.105")
            order = desk.order_factory.limit(EURUSD, OrderSide.BUY, instrument.make_qty(10000), price)
            other = desk.order_factory.limit(EURUSD, OrderSide.BUY, instrument.make_qty(5000), price)
            exit_list = exits(desk, instrument)
            profit, stop = exit_list.orders
            desk.submit_order(order)
            desk.submit_order(other)
            desk.submit_order_list(exit_list)
            all_four = (order, other, profit, stop)
            await run.until(
                lambda: all(o.status == OrderStatus.ACCEPTED for o in all_four),
                lambda: f"all to be accepted: {[o.status_string() for o in all_four]}, asked {house.asked}",
            )
            there = [house.of(o.client_order_id.value) for o in all_four]
            assert [str(o["orderId"]) for o in there] == [o.venue_order_id.value for o in all_four]
            desk.modify_order(order, price=changed)
            await run.until(lambda: order.price == changed and order.status == OrderStatus.ACCEPTED, "the change")
            await house.fill(there[0], 4000, 1.105)
            await run.until(lambda: order.filled_qty == instrument.make_qty(4000), "a part")
            # The connection is lost while the rest happens.
            await house.drop_all()
            await house.fill(there[0], 2000, 1.104)
            await house.fill(there[2], 10000, 1.3)
            await run.until(lambda: order.filled_qty == instrument.make_qty(6000), "the part that was missed")
            await run.until(lambda: profit.is_closed and stop.is_closed, "the ends of the pair")
            assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
            assert names(run, profit) == [*LIFE, "Filled"]
            assert names(run, stop) == [*LIFE, "Canceled"]
            assert names(run, order)[:3] == LIFE
            assert names(run, order)[3:].count("Updated") == 1
            voi = order.venue_order_id
            told = fills(run, order)
            assert told == [
                (f"{voi}-4000", Decimal(4000), Decimal("1.105")),
                (f"{voi}-6000", Decimal(2000), Decimal("1.104")),
            ]
        # Nobody runs while more happens.
        await house.fill(there[0], 1000, 1.103)
        await house.end(there[1], "CANCELED", "USER")
        async with trading(url, folder, dialect) as (run, desk):
            order, other, profit, stop = (run.cache.order(o.client_order_id) for o in all_four)
            await run.until(lambda: order.filled_qty == instrument.make_qty(7000), "the fill of the meantime")
            await run.until(lambda: other.status == OrderStatus.CANCELED, "the cancel of the meantime")
            assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
            await house.fill(there[0], 1000, 1.102)
            await run.until(lambda: order.filled_qty == instrument.make_qty(8000), "a fill of the new run")
            desk.cancel_order(order)
            await run.until(lambda: order.status == OrderStatus.CANCELED, "the cancel")
            taker = desk.order_factory.market(EURUSD, OrderSide.BUY, instrument.make_qty(3000))
            desk.submit_order(taker)
            await run.until(lambda: taker.status == OrderStatus.FILLED, "a market order")
            assert sum(f.last_qty.as_decimal() for f in order.events if isinstance(f, OrderFilled)) == 8000
            assert [f.last_px.as_decimal() for f in order.events if isinstance(f, OrderFilled)] == [
                Decimal(px) for px in ("1.105", "1.104", "1.103", "1.102")
            ]
            assert run.cache.positions_open()[0].signed_decimal_qty() == 8000 - 10000 + 3000
        assert house.asked.count("newordersingle") == 3
        assert house.asked.count("neworderoco") == 1
        assert len(house.orders) == 5
