"""Our Outpoll client at servers of somebody else's making (`outpoll_server`): one whole life at each."""

import asyncio
import json
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from nautilus_trader.model.currencies import USDC
from nautilus_trader.model.enums import AssetClass, OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.instruments import BinaryOption
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.venues.outpoll import OUTPOLL, OutpollExecClientConfig, OutpollLiveExecClientFactory
from tests.foreign import outpoll_server as foreign
from tests.foreign.outpoll_server import BALANCES, KEY, POSITIONS, Ways, foreign_outpoll
from tests.support.nodes import node_config, running_node

YES = InstrumentId.from_str(f"{foreign.SHARES}.OUTPOLL")


@pytest.fixture
def instruments(tmp_path):
    option = BinaryOption(
        instrument_id=YES,
        raw_symbol=Symbol(foreign.SHARES),
        outcome="Yes",
        description="Does it work?",
        asset_class=AssetClass.ALTERNATIVE,
        currency=USDC,
        price_precision=2,
        price_increment=Price.from_str("0.01"),
        size_precision=6,
        size_increment=Quantity.from_str("0.000001"),
        activation_ns=0,
        expiration_ns=0,
        max_quantity=None,
        min_quantity=None,
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
        ts_event=0,
        ts_init=0,
        info={
            "event_id": foreign.EVENT,
            "outcome_id": foreign.OUTCOME,
            "base_asset_id": foreign.SHARES,
            "quote_asset_id": foreign.USDC,
        },
    )
    path = tmp_path / "instruments.json"
    path.write_text(json.dumps([BinaryOption.to_dict(option)]))
    return str(path)


@asynccontextmanager
async def trading(server, instruments, **changed):
    fields = {
        "base_url_http": server.base_url_http,
        "base_url_ws": server.base_url_ws,
        "api_key": KEY,
        "api_secret": server.secret,
        "instruments": instruments,
        "starting_balances": ["1000 USDC"],
        "journal": ":memory:",
        "requests_per_sec": 200,
        "read_settle_secs": 1.0 + server.ways.lag,
        "read_gap_secs": 0.2,
        "accept_secs": 0.5,
    } | changed
    strategy = Strategy()
    config = node_config({OUTPOLL: OutpollExecClientConfig(**fields)}, inflight_check_interval_ms=0)
    factories = {OUTPOLL: OutpollLiveExecClientFactory}
    async with running_node(config, exec_factories=factories, strategies=(strategy,)) as run:
        yield run, strategy


WAYS = {
    "as documented": {},
    "202": {"status": 202},
    "update before the answer": {"update": "before"},
    "update instead of the answer's id": {"update": "instead"},
    "no update of the placing": {"update": "never"},
    "all twice": {"repeats": 2},
    "ids are words": {"ids": "words"},
    "upper case replies": {"loud": True},
    "pings in between": {"pings": True},
    "unknown frames in between": {"noise": True},
    "no page counters": {"counters": False},
    "further fields": {"extra": True},
    "only the fields that are needed": {"bare": True},
    "words in lower case": {"lower": True},
    "204 for a delete": {"deleted": 204},
    "a padded secret": {"padded": True},
    "lists behind": {"lag": 1.0},
    "refused in plain text": {"refusal": (400, "text/plain", "Insufficient balance, sorry")},
    "no positions": {"missing": {POSITIONS}},
    "no positions, 405": {"missing": {POSITIONS}, "missing_status": 405},
    "no balances": {"missing": {BALANCES}},
    "no positions, no balances": {"missing": {POSITIONS, BALANCES}, "missing_status": 501},
}


@pytest.mark.node
@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
async def test_a_life(ways, instruments):
    async with (
        foreign_outpoll(Ways(**ways)) as server,
        trading(server, instruments) as (run, strategy),
    ):
        instrument = run.cache.instrument(YES)

        def send(kind="limit", qty="10", px=None, side=OrderSide.BUY, **terms):
            price = {} if px is None else {"price": instrument.make_price(Decimal(px))}
            order = getattr(strategy.order_factory, kind)(
                YES, side, instrument.make_qty(Decimal(qty)), time_in_force=TimeInForce.GTC, **price, **terms
            )
            strategy.submit_order(order)
            return order

        async def until(order, status, secs=15.0):
            await run.until(
                lambda: order.status == status,
                lambda: f"{status.name}, but it is {order.status_string()}; calls {server.calls[-8:]}",
                secs,
            )

        def names(order):
            return [name.removeprefix("Order") for name in run.names(order.client_order_id) if "Pending" not in name]

        filled, canceled = send(px="0.42"), send(px="0.31", qty="7")
        await until(filled, OrderStatus.ACCEPTED)
        await until(canceled, OrderStatus.ACCEPTED)
        await server.fill(server.orders[filled.venue_order_id.value], 10)
        await until(filled, OrderStatus.FILLED)
        strategy.cancel_order(canceled)
        await until(canceled, OrderStatus.CANCELED)
        bought = send("market", qty="20", quote_quantity=True)
        if BALANCES not in server.ways.missing:  # without trades and balances nobody tells how many shares money bought
            await until(bought, OrderStatus.FILLED)
            assert bought.filled_qty == 40
        sold = send("market", qty="5", side=OrderSide.SELL)
        await until(sold, OrderStatus.FILLED)
        refused = send(qty="5000", px="0.42")
        await until(refused, OrderStatus.REJECTED)

        assert names(filled) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert names(canceled) == ["Initialized", "Submitted", "Accepted", "Canceled"]
        assert names(sold) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert names(refused) == ["Initialized", "Submitted", "Rejected"]
        assert "Insufficient balance" in run.order_events(refused.client_order_id)[-1].reason
        if BALANCES not in server.ways.missing:
            assert names(bought) == ["Initialized", "Submitted", "Accepted", "Updated", "Filled"]
        else:
            await asyncio.sleep(2.5)  # long enough for readings to settle
            assert names(bought) == ["Initialized", "Submitted", "Accepted"], "nothing may be invented"
        assert len([call for call in server.calls if call[0] == "POST"]) == 5


async def test_wrong_secret_is_named(instruments):
    async with foreign_outpoll() as server:
        strategy = Strategy()
        fields = {"base_url_http": server.base_url_http, "base_url_ws": server.base_url_ws, "journal": ":memory:"}
        fields |= {"api_key": KEY, "api_secret": "c29tZSBvdGhlciBzZWNyZXQ", "instruments": instruments}
        config = node_config({OUTPOLL: OutpollExecClientConfig(**fields)}, timeout_connection=0.5)
        async with running_node(
            config,
            exec_factories={OUTPOLL: OutpollLiveExecClientFactory},
            strategies=(strategy,),
            wait_for_strategies=False,
        ) as run:
            await run.until(lambda: any("OUTPOLL_API_SECRET" in e for e in run.log.entries("ERROR")), "an error")
            assert not strategy.is_running
