"""A node that trades at a foreign sFOX."""

from contextlib import asynccontextmanager
from decimal import Decimal

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.venues.sfox import SFOX, SfoxExecClientConfig, SfoxLiveExecClientFactory
from tests.support.nodes import node_config, running_node

BTC = InstrumentId.from_str("BTCUSD.SFOX")


def config(server, **changed):
    fields = {
        "base_url_http": server.base_url_http,
        "base_url_ws": server.base_url_ws,
        "api_key": "key",
        "journal": ":memory:",
        "settle_secs": 0.2,
        "limit_time_scale": 0.02,
    } | changed
    if server.ways.enterprise:
        fields = {"enterprise": True, "user_id": "test3"} | fields
    return SfoxExecClientConfig(**fields)


class Desk:
    """What a test does there, and what it was told."""

    def __init__(self, run, strategy, server):
        self.run, self.strategy, self.server = run, strategy, server
        self.instrument = run.cache.instrument(BTC)

    def limit(self, qty="0.01", px="50000", side=OrderSide.BUY, **terms):
        make = self.instrument
        order = self.strategy.order_factory.limit(
            BTC, side, make.make_qty(Decimal(qty)), make.make_price(Decimal(px)), **terms
        )
        self.strategy.submit_order(order)
        return order

    def market(self, qty, side=OrderSide.BUY, **terms):
        order = self.strategy.order_factory.market(
            BTC, side, self.instrument.make_qty(Decimal(qty)), quote_quantity=side == OrderSide.BUY, **terms
        )
        self.strategy.submit_order(order)
        return order

    def at_venue(self, order):
        return self.server.orders[int(order.venue_order_id.value)]

    async def until(self, order, status, secs=8.0):
        await self.run.until(
            lambda: order.status == status,
            lambda: f"{status.name}, but it is {order.status_string()}; calls {self.server.calls[-8:]}",
            secs,
        )

    def names(self, order):
        return [name.removeprefix("Order") for name in self.run.names(order.client_order_id) if "Pending" not in name]

    def fills(self, order):
        return [e for e in self.run.order_events(order.client_order_id) if isinstance(e, OrderFilled)]

    def check(self, order, *, whole=True):
        """Quantity, money and fees are those of the server's books, however many fills tell them."""
        truth, fills = self.at_venue(order), self.fills(order)
        assert order.filled_qty.as_decimal() == Decimal(truth["filled"])
        notional = sum((f.last_qty.as_decimal() * f.last_px.as_decimal() for f in fills), Decimal(0))
        fees = sum((f.commission.as_decimal() for f in fills), Decimal(0))
        if whole:  # told in this run from its beginning
            assert abs(notional - Decimal(truth["filled_amount"])) < Decimal("1E-6")
            assert abs(fees - Decimal(truth["fees"])) <= Decimal("0.005")
        assert len({f.trade_id for f in fills}) == len(fills)


@asynccontextmanager
async def trading(server, **changed):
    strategy = Strategy()
    nodes = node_config({SFOX: config(server, **changed)}, inflight_check_interval_ms=0)
    async with running_node(nodes, exec_factories={SFOX: SfoxLiveExecClientFactory}, strategies=(strategy,)) as run:
        yield Desk(run, strategy, server)
