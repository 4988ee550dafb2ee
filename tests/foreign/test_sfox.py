"""Our sFOX client at servers of somebody else's making (`sfox_server`): one whole life at each."""

from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.venues.sfox import SFOX, SfoxExecClientConfig, SfoxLiveExecClientFactory
from tests.foreign.sfox_server import OPTIONAL, Ways, foreign_sfox
from tests.support.nodes import node_config, running_node

BTC = InstrumentId.from_str("BTCUSD.SFOX")


@asynccontextmanager
async def trading(server, **changed):
    fields = {
        "base_url_http": server.base_url_http,
        "base_url_ws": server.base_url_ws,
        "api_key": "key",
        "journal": ":memory:",
        "settle_secs": 0.2,
    } | changed
    if server.ways.enterprise:
        fields |= {"enterprise": True, "user_id": "test3"}
    strategy = Strategy()
    config = node_config({SFOX: SfoxExecClientConfig(**fields)})
    async with running_node(config, exec_factories={SFOX: SfoxLiveExecClientFactory}, strategies=(strategy,)) as run:
        yield run, strategy


WAYS = {
    "as documented": {},
    "end users": {"enterprise": True},
    "end users, only the orders feed": {"enterprise": True, "only_orders_feed": True, "missing": OPTIONAL},
    "end users, no tokens": {"enterprise": True, "tokens": False},
    "no optional call": {"missing": OPTIONAL},
    "no optional call, 405, no look-up": {"missing": OPTIONAL, "missing_status": 405, "looks_up": False},
    "no optional call, 501 and html": {"missing": OPTIONAL, "missing_status": 501, "missing_body": "<html>"},
    "only the orders feed": {"only_orders_feed": True},
    "no trades at all": {"trades_feed": False, "missing": {"/v1/account/trades"}},
    "no numbers on frames": {"sequence": "none", "ack_payload": False, "initial": "empty"},
    "numbers on data": {"sequence": "data", "initial": "none"},
    "the same number": {"sequence": "same"},
    "numbers": {"text": False, "payload_text": True},
    "few keys, lower case": {"sparse": True, "lower": True},
    "nulls, 200": {"nulls": True, "status": 200},
    "answer with an id only": {"create": "id", "closes": True},
    "stream first, all twice": {"ws_first": True, "repeats": 2, "done_at_once": True},
    "cancel answers nothing": {"cancel": ""},
}


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
async def test_a_life(ways):
    async with foreign_sfox(Ways(**ways)) as server, trading(server) as (run, strategy):
        instrument = run.cache.instrument(BTC)

        def limit(qty="0.01", px="50000"):
            order = strategy.order_factory.limit(
                BTC, OrderSide.BUY, instrument.make_qty(Decimal(qty)), instrument.make_price(Decimal(px))
            )
            strategy.submit_order(order)
            return order

        async def until(order, status, secs=8.0):
            await run.until(
                lambda: order.status == status,
                lambda: f"{status.name}, but it is {order.status_string()}; calls {server.calls[-8:]}",
                secs,
            )

        def names(order):
            return [name.removeprefix("Order") for name in run.names(order.client_order_id) if "Pending" not in name]

        filled, canceled = limit(), limit(px="49000")
        await until(filled, OrderStatus.ACCEPTED)
        await until(canceled, OrderStatus.ACCEPTED)
        at_venue = server.orders[int(filled.venue_order_id.value)]
        await server.fill(at_venue, "0.004")
        await until(filled, OrderStatus.PARTIALLY_FILLED)
        await server.fill(at_venue, "0.006", "49990")
        strategy.cancel_order(canceled)
        refused = limit(qty="6")
        taker = strategy.order_factory.market(BTC, OrderSide.SELL, instrument.make_qty(Decimal("0.01")))
        strategy.submit_order(taker)
        await until(filled, OrderStatus.FILLED)
        await until(canceled, OrderStatus.CANCELED)
        await until(taker, OrderStatus.FILLED)
        await until(refused, OrderStatus.REJECTED)
        assert names(filled) == ["Initialized", "Submitted", "Accepted", "Filled", "Filled"]
        assert names(canceled) == ["Initialized", "Submitted", "Accepted", "Canceled"]
        assert names(taker) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert names(refused) == ["Initialized", "Submitted", "Rejected"]
        fills = [e for e in run.order_events(filled.client_order_id) if isinstance(e, OrderFilled)]
        assert [f.last_px.as_decimal() for f in fills] == [50000, 49990]
        assert [f.last_qty.as_decimal() for f in fills] == [Decimal("0.004"), Decimal("0.006")]
