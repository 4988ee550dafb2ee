"""Our ActTrader client at servers of somebody else's making (`acttrader_server`): one whole life at each."""

import json
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.venues.acttrader import (
    ACTTRADER,
    ACTTRADER_VENUE,
    ActTraderExecClientConfig,
    ActTraderLiveExecClientFactory,
)
from tests.foreign.acttrader_server import Ways, foreign_acttrader
from tests.support.nodes import node_config, running_node

EURUSD = InstrumentId.from_str("EURUSD.ACTTRADER")


@pytest.fixture(scope="module")
def instruments(tmp_path_factory):
    row = CurrencyPair.to_dict(TestInstrumentProvider.default_fx_ccy("EUR/USD", ACTTRADER_VENUE))
    row |= {"id": EURUSD.value, "raw_symbol": "EURUSD", "lot_size": None, "min_quantity": None, "max_quantity": None}
    path = tmp_path_factory.mktemp("instruments") / "instruments.json"
    path.write_text(json.dumps([row]))
    return str(path)


@asynccontextmanager
async def trading(server, instruments, **changed):
    fields = {
        "base_url_ws": server.base_url_ws,
        "login": "user-login",
        "instruments": instruments,
        "starting_balances": ["100000 USD"],
        "journal": ":memory:",
        "settle_secs": 0.2,
        "requests_per_sec": 200,
    } | changed
    strategy = Strategy()
    config = node_config({ACTTRADER: ActTraderExecClientConfig(**fields)})
    async with running_node(
        config, exec_factories={ACTTRADER: ActTraderLiveExecClientFactory}, strategies=(strategy,)
    ) as run:
        yield run, strategy


WAYS = {
    "as documented": {},
    "the list names its request": {"list_names_request": True},
    "no list": {"unknown": {"orders"}},
    "no queries": {"unknown": {"orders", "orderstatus"}},
    "queries are not answered": {"silent": {"orders", "orderstatus"}},
    "ids are not echoed": {"echoes": False},
    "executions first": {"answer_first": False},
    "executions first, ids are not echoed": {"answer_first": False, "echoes": False},
    "no execution of the acceptance": {"tells_new": False},
    "no fills in the status": {"fills": False},
    "text": {"text_ids": True, "text_numbers": True, "times": "iso", "error_code": "E1"},
    "lower case": {"lower": True},
    "nulls": {"nulls": True},
    "further keys, no times": {"extra": True, "times": "none"},
    "all twice, times 0": {"repeats": 2, "times": "zero", "beats": True},
}


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
async def test_a_life(ways, instruments):
    async with (
        foreign_acttrader(Ways(**ways)) as server,
        trading(server, instruments, request_timeout_secs=1) as (run, strategy),
    ):
        instrument = run.cache.instrument(EURUSD)

        def send(kind="limit", qty="10000", **terms):
            order = getattr(strategy.order_factory, kind)(
                EURUSD, OrderSide.BUY, instrument.make_qty(Decimal(qty)), **terms
            )
            strategy.submit_order(order)
            return order

        async def until(order, status, secs=8.0):
            await run.until(
                lambda: order.status == status,
                lambda: f"{status.name}, but it is {order.status_string()}; asked {server.asked[-8:]}",
                secs,
            )

        def names(order):
            return [name.removeprefix("Order") for name in run.names(order.client_order_id) if "Pending" not in name]

        filled = send(price=instrument.make_price("1.1"))
        canceled = send(price=instrument.make_price("1.05"))
        await until(filled, OrderStatus.ACCEPTED)
        await until(canceled, OrderStatus.ACCEPTED)
        at_venue = server.orders[int(filled.venue_order_id.value)]
        await server.fill(at_venue, 4000, 1.1)
        await until(filled, OrderStatus.PARTIALLY_FILLED)
        await server.fill(at_venue, 6000, 1.1)
        strategy.cancel_order(canceled)
        taker = send("market")
        refused = send(qty="2000000", price=instrument.make_price("1.05"))
        await until(filled, OrderStatus.FILLED)
        await until(canceled, OrderStatus.CANCELED)
        await until(taker, OrderStatus.FILLED)
        await until(refused, OrderStatus.REJECTED)
        assert names(filled) == ["Initialized", "Submitted", "Accepted", "Filled", "Filled"]
        assert names(canceled) == ["Initialized", "Submitted", "Accepted", "Canceled"]
        assert names(taker) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert names(refused) == ["Initialized", "Submitted", "Rejected"]
        fills = [e for e in run.order_events(filled.client_order_id) if isinstance(e, OrderFilled)]
        assert [f.last_qty.as_decimal() for f in fills] == [4000, 6000]
        assert {f.last_px.as_decimal() for f in fills} == {Decimal("1.1")}


async def test_without_starting_balances(instruments):
    async with (
        foreign_acttrader() as server,
        trading(server, instruments, starting_balances=None) as (run, strategy),
    ):
        instrument = run.cache.instrument(EURUSD)
        order = strategy.order_factory.market(EURUSD, OrderSide.BUY, instrument.make_qty(10000))
        strategy.submit_order(order)
        await run.until(lambda: order.is_closed, "the order to be filled")
        assert order.status == OrderStatus.FILLED
        assert run.cache.account_for_venue(ACTTRADER_VENUE) is not None
