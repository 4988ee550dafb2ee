"""Our Roxom client at servers of somebody else's making (`roxom_server`): one whole life at each."""

from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.venues.roxom import ROXOM, RoxomExecClientConfig, RoxomLiveExecClientFactory
from tests.foreign.roxom_server import OPTIONAL, Ways, foreign_roxom
from tests.support.nodes import node_config, running_node

GOLD = InstrumentId.from_str("GOLD-BTC.ROXOM")


@asynccontextmanager
async def trading(server, **changed):
    fields = {
        "base_url_http": server.base_url_http,
        "base_url_ws": server.base_url_ws,
        "api_key": "key",
        "api_secret": "secret",
        "journal": ":memory:",
        "settle_secs": 0.2,
        "requests_per_sec": 200,
    } | changed
    strategy = Strategy()
    config = node_config({ROXOM: RoxomExecClientConfig(**fields)})
    async with running_node(config, exec_factories={ROXOM: RoxomLiveExecClientFactory}, strategies=(strategy,)) as run:
        yield run, strategy


WAYS = {
    "as documented": {},
    "the older prefix": {"prefix": "/api/v1"},
    "the older prefix, no optional call": {"prefix": "/api/v1", "missing": OPTIONAL},
    "no optional call": {"missing": OPTIONAL},
    "no optional call, 405": {"missing": OPTIONAL, "missing_status": 405},
    "no optional call, 501": {"missing": OPTIONAL, "missing_status": 501},
    "events to every socket": {"subscribers_only": False},
    "long events": {"long_events": True},
    "numbers": {"numbers": True},
    "upper case": {"upper": True},
    "nulls, 201": {"nulls": True, "status": 201},
    "further keys": {"extra": True, "old_names": True},
    "the same time": {"times": "same"},
    "no times": {"times": "none", "missing": OPTIONAL},
    "no event of the acceptance": {"tells_new": False},
    "stream first": {"ws_first": True},
    "stream first, no optional call": {"ws_first": True, "missing": OPTIONAL},
    "all twice": {"repeats": 2},
    "refused in other words": {"refusal": (400, "application/json", '{"error":401,"message":"Insufficient balance"}')},
}


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
async def test_a_life(ways):
    async with foreign_roxom(Ways(**ways)) as server, trading(server) as (run, strategy):
        instrument = run.cache.instrument(GOLD)

        def send(kind="limit", qty="1.00", px=None):
            price = {} if px is None else {"price": instrument.make_price(Decimal(px))}
            order = getattr(strategy.order_factory, kind)(
                GOLD, OrderSide.BUY, instrument.make_qty(Decimal(qty)), **price
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

        filled, canceled = send(px="0.048582"), send(px="0.048")
        await until(filled, OrderStatus.ACCEPTED)
        await until(canceled, OrderStatus.ACCEPTED)
        at_venue = server.orders[filled.venue_order_id.value]
        await server.fill(at_venue, "0.40")
        await until(filled, OrderStatus.PARTIALLY_FILLED)
        await server.fill(at_venue, "0.60", "0.048580")
        await server.fill(server.orders[canceled.venue_order_id.value], "0.25")
        await until(canceled, OrderStatus.PARTIALLY_FILLED)
        strategy.cancel_order(canceled)
        taker = send("market")
        refused = send(qty="200", px="0.048")
        await until(filled, OrderStatus.FILLED)
        await until(canceled, OrderStatus.CANCELED)
        await until(taker, OrderStatus.FILLED)
        await until(refused, OrderStatus.REJECTED)
        assert names(filled) == ["Initialized", "Submitted", "Accepted", "Filled", "Filled"]
        assert names(canceled) == ["Initialized", "Submitted", "Accepted", "Filled", "Canceled"]
        assert names(taker) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert names(refused) == ["Initialized", "Submitted", "Rejected"]
        fills = [e for e in run.order_events(filled.client_order_id) if isinstance(e, OrderFilled)]
        assert [f.last_qty.as_decimal() for f in fills] == [Decimal("0.40"), Decimal("0.60")]
        assert fills[0].last_px.as_decimal() == Decimal("0.048582")
        assert abs(fills[1].last_px.as_decimal() - Decimal("0.048580")) <= Decimal("0.00000002")
