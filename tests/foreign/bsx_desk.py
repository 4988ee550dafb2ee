"""A node that trades at a foreign BSX."""

from contextlib import asynccontextmanager
from decimal import Decimal

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.venues.bsx import BSX, BsxExecClientConfig, BsxLiveExecClientFactory
from tests.foreign.bsx_server import API_KEY, SIGNER_KEY, WALLET
from tests.support.nodes import node_config, running_node

BTC = InstrumentId.from_str("BTC-PERP.BSX")


def config(server, **changed):
    fields = {
        "base_url_http": server.base_url_http,
        "base_url_ws": server.base_url_ws,
        "api_key": API_KEY,
        "api_secret": API_KEY * 2,
        "wallet_address": WALLET,
        "signer_key": SIGNER_KEY,
        "journal": ":memory:",
        "account": "007",
        "settle_secs": 0.2,
        "requests_per_sec": 200,
    } | changed
    return BsxExecClientConfig(**fields)


#: Money is rounded to the currency's precision, fill by fill.
CENT = Decimal("0.0001")


def tick_of(instrument):
    return instrument.price_increment.as_decimal()


class Desk:
    """A node that trades at a foreign server."""

    def __init__(self, run, strategy, server):
        self.run, self.strategy, self.server = run, strategy, server
        self.instrument = run.cache.instrument(BTC)

    def check(self, *orders):
        """Quantities, money, fees and the position are those of the server's books, however many fills tell them."""
        for order in orders:
            truth, fills = self.at_venue(order), self.fills(order)
            filled, avg_px = Decimal(truth["filled_size"]), Decimal(truth["avg_price"])
            assert order.filled_qty.as_decimal() == sum((f.last_qty.as_decimal() for f in fills), Decimal(0)) == filled
            notional = sum((f.last_qty.as_decimal() * f.last_px.as_decimal() for f in fills), Decimal(0))
            # Where a fill had to be inferred, its price has the instrument's precision.
            assert abs(notional - filled * avg_px) <= filled * tick_of(self.instrument) / 2
            assert (
                abs(sum((f.commission.as_decimal() for f in fills), Decimal(0)) - Decimal(truth["filled_fees"])) < CENT
            )
            assert len({f.trade_id for f in fills}) == len(fills)
        net = sum((p.signed_decimal_qty() for p in self.run.cache.positions_open()), Decimal(0))
        assert net == self.server.net()

    def limit(self, qty="0.01", px="50000", side=OrderSide.BUY, **terms):
        make = self.instrument
        order = self.strategy.order_factory.limit(
            BTC, side, make.make_qty(Decimal(qty)), make.make_price(Decimal(px)), **terms
        )
        self.strategy.submit_order(order)
        return order

    def market(self, qty="0.01"):
        order = self.strategy.order_factory.market(BTC, OrderSide.BUY, self.instrument.make_qty(Decimal(qty)))
        self.strategy.submit_order(order)
        return order

    def at_venue(self, order):
        return self.server.orders[order.venue_order_id.value]

    async def until(self, order, status, secs=6.0):
        await self.run.until(
            lambda: order.status == status,
            lambda: f"{status.name}, but it is {order.status_string()}; calls {self.server.calls[-8:]}",
            secs,
        )

    def names(self, order):
        return [name.removeprefix("Order") for name in self.run.names(order.client_order_id) if "Pending" not in name]

    def fills(self, order):
        return [e for e in self.run.order_events(order.client_order_id) if isinstance(e, OrderFilled)]

    @property
    def client(self):
        return self.run.exec_client(BSX)

    @property
    def health(self):
        return self.client._sessions[0].health


@asynccontextmanager
async def trading(server, **changed):
    strategy = Strategy()
    nodes = node_config({BSX: config(server, **changed)})
    async with running_node(nodes, exec_factories={BSX: BsxLiveExecClientFactory}, strategies=(strategy,)) as run:
        yield Desk(run, strategy, server)
