"""The whole client against the simulated venue, over sockets; the venue's ledger is the truth."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.feed.market import Book, Channel, FundingRate, IndexPrice, MarkPrice, Quote, Trade
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.requests import Accepted, Refused, Unknown
from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide, OrderStatus, OrderType, TimeInForce
from nautilus_orderfeeds.sim import Fault, Side, simulate
from nautilus_orderfeeds.venues.base import AccountChanged
from nautilus_orderfeeds.venues.bsx.market import BsxMarketFeed
from nautilus_orderfeeds.venues.bsx.twin_options import AnswerState, LiquidityWords, StreamOrder, TradesShown
from nautilus_orderfeeds.venues.bsx.venue import BsxVenue
from tests.support.bsx_account import ShiftedClock, account, settings_of
from tests.support.feed_server import until

BTC = "BTC-PERP"
MINUTE_NS = 60 * 10**9


def bid_ask(client):
    bid, ask = client.sim.market.best(BTC)
    return bid, ask


def inside(client):
    """A price between bid and ask, where nobody else stands."""
    bid, ask = bid_ask(client)
    return bid + (ask - bid) // 2


async def resting(client, name="O-1", qty="0.018", **changed):
    """An order that rests ahead of everybody."""
    changed.setdefault("price", inside(client))
    outcome = await client.send(name, quantity=Decimal(qty), **changed)
    assert isinstance(outcome, Accepted), outcome
    await client.until(lambda: client.names(name) == ["OrderAccepted"])


def hit(client, qty, name="O-1"):
    """Let the market sell to the order that rests."""
    client.sim.market.trade(BTC, client.orders[name].price, qty, Side.SELL)


async def test_the_life_of_an_order():
    async with account() as client:
        await resting(client)
        hit(client, "0.005")
        hit(client, "0.003")
        await client.until_names("OrderAccepted", "OrderFilled", "OrderFilled")
        outcome, _ = await client.venue.cancel(client.ref())
        assert isinstance(outcome, Accepted)
        await client.until_names("OrderAccepted", "OrderFilled", "OrderFilled", "OrderCanceled")
        fills = [event for event in client.events["O-1"] if isinstance(event, ev.OrderFilled)]
        assert [str(fill.last_qty) for fill in fills] == ["0.005", "0.003"]
        assert all(fill.liquidity_side is LiquiditySide.MAKER and fill.commission < 0 for fill in fills)
        assert AccountChanged() in client.others
        assert client.events["O-1"][-1].reason == "user"
        client.check()
        again, _ = await client.venue.cancel(client.ref())
        assert isinstance(again, Refused)


async def test_a_market_order_fills_at_the_best_price_within_its_worst():
    async with account() as client:
        _, ask = bid_ask(client)
        changed = {"type": OrderType.MARKET, "price": None, "reference_price": ask}
        await client.send(**changed)
        await client.until(lambda: "OrderFilled" in client.names())
        (fill,) = [event for event in client.events["O-1"] if isinstance(event, ev.OrderFilled)]
        assert fill.last_px == ask
        assert fill.liquidity_side is LiquiditySide.TAKER
        await client.send("O-2", **{**changed, "reference_price": ask / 2})
        await client.until(lambda: "OrderCanceled" in client.names("O-2"))
        await client.quiesce()
        client.check()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"time_in_force": TimeInForce.IOC}, OrderStatus.CANCELED),
        ({"time_in_force": TimeInForce.FOK}, OrderStatus.CANCELED),
        ({"reduce_only": True}, OrderStatus.REJECTED),
        ({"quantity": Decimal(900)}, OrderStatus.REJECTED),
    ],
    ids=["ioc", "fok", "reduce-only", "margin"],
)
async def test_orders_that_end_at_once(changed, expected):
    async with account() as client:
        await client.send(**{"price": inside(client), **changed})
        await client.until(lambda: client.orders["O-1"].status is expected)
        client.check()


async def test_post_only_that_would_take():
    async with account() as client:
        await client.send(post_only=True, price=bid_ask(client)[1])
        await client.until_names("OrderRejected")
        assert client.events["O-1"][0].due_post_only


async def test_good_till_date():
    async with account() as client:
        expiry = client.clock.time_ns() + 300_000_000
        await client.send(price=inside(client), time_in_force=TimeInForce.GTD, expire_time_ns=expiry)
        await client.until_names("OrderAccepted", "OrderExpired")


async def test_lists_and_many_cancels():
    async with account() as client:
        names = [f"O-{n}" for n in range(12)]
        prepared = [client.prepare(name, price=Decimal(10000 + n)) for n, name in enumerate(names)]
        answers = await client.venue.submit_list(prepared)
        assert all(isinstance(outcome, Accepted) and len(updates) == 1 for outcome, updates in answers)
        for _, updates in answers:
            client.apply(updates[0])
        await client.until(lambda: all(client.names(name) == ["OrderAccepted"] for name in names))
        cancels = await client.venue.cancel_many([client.ref(name) for name in names[:11]])
        assert all(isinstance(outcome, Accepted) for outcome, _ in cancels)
        await client.until(lambda: all(client.orders[name].is_closed for name in names[:11]))
        assert not client.orders["O-11"].is_closed
        client.check()


async def test_cancel_by_nonce_before_the_id_is_known():
    async with account() as client:
        await resting(client)
        outcome, _ = await client.venue.cancel(client.refs["O-1"])
        assert outcome == Accepted(client.orders["O-1"].venue_order_id)
        await client.until_names("OrderAccepted", "OrderCanceled")


async def test_a_reading_of_the_account():
    async with account() as client:
        await client.send(price=bid_ask(client)[1])
        await client.until(lambda: "OrderFilled" in client.names())
        truth = await client.venue.resync([], 1)
        (position,) = truth.positions
        assert (position.symbol, position.signed_qty) == (BTC, client.sim.ledger.position(BTC).net)
        (balance,) = truth.account.balances
        assert 0 < balance.free < balance.total < 100_000
        assert await client.venue.account() == truth.account
        assert await client.venue.reference_price(BTC, OrderSide.BUY) == client.sim.market.mark(BTC)
        (closed,) = await client.venue.history(1)
        assert closed.venue_order_id == client.orders["O-1"].venue_order_id


# -- outcomes that are not known -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [Fault.LOST_ANSWER, Fault.RESET, Fault.ERROR_AFTER_EFFECT, Fault.GARBAGE], ids=lambda fault: fault.name
)
async def test_a_lost_answer_is_resolved_by_the_stream(fault):
    async with account() as client:
        client.sim.faults.once(fault, where="POST /orders")
        outcome = await client.send(price=Decimal(10000))
        assert isinstance(outcome, Unknown)
        await client.until_names("OrderAccepted")


async def test_an_order_that_never_arrived_is_absent_only_when_its_nonce_has_lapsed():
    clock = ShiftedClock()
    async with account(clock) as client:
        client.sim.faults.once(Fault.ERROR_BEFORE_EFFECT, where="POST /orders")
        assert isinstance(await client.send(price=Decimal(10000)), Unknown)
        truth = await client.venue.resync([client.ref()], 0)
        assert (truth.updates, truth.absent) == ([], [])
        clock.ahead_ns = 13 * MINUTE_NS
        truth = await client.venue.resync([client.ref()], 0)
        assert (truth.updates, truth.absent) == ([], [client.ref()])
        assert client.names() == []


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.ERROR_AFTER_EFFECT, Fault.RATE_LIMIT])
async def test_a_cancel_without_an_answer_is_unknown(fault):
    async with account() as client:
        await resting(client)
        client.sim.faults.once(fault, where="DELETE /order", retry_after=0.01)
        outcome, _ = await client.venue.cancel(client.ref())
        assert isinstance(outcome, Unknown)
        await client.quiesce()
        client.check()


async def test_the_venue_refuses_a_signature_of_another_domain():
    async with account() as client:
        prepared = client.prepare(price=Decimal(10000))
        client.venue._entry._signer._prefix = b"\x19\x01" + bytes(32)
        outcome, updates = await client.venue.submit(prepared)
        assert isinstance(outcome, Refused)
        assert "signature" in outcome.reason
        assert updates == []


# -- while away ------------------------------------------------------------------------------------------------------


async def test_what_happened_while_away_is_told_once():
    async with account() as client:
        await resting(client, "O-1")
        await resting(client, "O-2", price=Decimal(10000))
        await resting(client, "O-3", price=Decimal(10001))
        client.sim.disconnect_all()
        hit(client, "0.005")
        client.sim.cancel_external(client.orders["O-2"].venue_order_id)
        client.sim.place_external(BTC, side=Side.BUY, size="0.1", price="9000")
        await client.until(lambda: client.session.health.connects == 2)
        await client.session.wait_live(5.0)
        await client.quiesce()
        assert client.names("O-1") == ["OrderAccepted", "OrderFilled"]
        assert client.names("O-2") == ["OrderAccepted", "OrderCanceled"]
        assert client.names("O-3") == ["OrderAccepted"]
        assert len(client.foreign) == 1
        client.check()


async def test_a_stop_order_entered_elsewhere():
    async with account() as client:
        bid, _ = bid_ask(client)
        stop = client.sim.place_external(
            BTC, side=Side.SELL, size="0.01", price=bid / 2, stop_price=bid - 100, without_position=True
        )
        await client.until(lambda: stop.venue_order_id in client.foreign)
        told = client.foreign[stop.venue_order_id]
        assert (told.status, told.type) == (VenueStatus.WAITING, OrderType.STOP_LIMIT)
        assert (told.trigger_price, told.price, told.quantity) == (bid - 100, bid / 2, Decimal("0.01"))
        truth = await client.venue.resync([], 0)
        assert [update.status for update in truth.updates] == [VenueStatus.WAITING]
        client.sim.cancel_external(stop)
        await client.until(lambda: client.foreign[stop.venue_order_id].status is VenueStatus.CANCELED)


@pytest.mark.parametrize("fault", [Fault.DOUBLE, Fault.REORDER, Fault.DELAY, Fault.GARBAGE, Fault.DROP])
async def test_a_bad_stream_costs_no_fill(fault):
    async with account() as client:
        await resting(client)
        client.sim.faults.arm(fault, where="orders/update", probability=0.5, secs=0.02, depth=2)
        for _ in range(10):
            hit(client, "0.001")
            await asyncio.sleep(0.01)
        await client.venue.cancel(client.ref())
        await asyncio.sleep(0.1)
        client.sim.faults.calm()
        await client.quiesce()
        assert client.orders["O-1"].filled_qty == Decimal("0.010")
        client.check()


async def test_a_half_open_stream_is_noticed():
    async with simulate("bsx", seed=7, market_flow=False) as sim:
        venue = BsxVenue(settings_of(sim))
        session = FeedSession(venue.streams()[0], lambda raw: None, stale_after_secs=0.1, probe_timeout_secs=0.1)
        await session.start()
        await asyncio.sleep(0.4)
        assert session.health.connects == 1  # answered pings keep a quiet stream alive
        sim.freeze_all()
        await until(lambda: session.health.connects == 2, 5.0)
        await session.stop()


# -- every reading of what the pages leave open ----------------------------------------------------------------------

READINGS = {
    "no subscribed ack": {"orders_ack": False},
    "old chain configs": {"legacy_chain_configs": True},
    "no pending update": {"pending_update": False},
    "answer shows the final state": {"create_answer": AnswerState.FINAL},
    "stream before the answer": {
        "create_stream": StreamOrder.BEFORE_ANSWER,
        "cancel_stream": StreamOrder.BEFORE_ANSWER,
    },
    "no trades shown": {"trades_shown": TradesShown.NEVER},
    "one update a trade": {"trades_shown": TradesShown.ONE_BY_ONE},
    "no empty last_trades": {"empty_last_trades": False},
    "letters": {"liquidity_words": LiquidityWords.LETTERS},
    "lower case": {"liquidity_words": LiquidityWords.LOWER_CASE},
    "no liquidity": {"liquidity_words": LiquidityWords.ABSENT},
    "sequencer fee": {"sequencer_fee": Decimal(1)},
    "few fields": {"optional_fields": False},
    "numbers": {"numeric_times": True},
    "no times": {"zero_updated_at": True},
    "pending not among the open": {"open_orders_include_pending": False},
    "cancels under id": {"canceled_id_key": "id"},
    "no word of a requested cancel": {"cancel_requested_update": False},
    "batch success is 200": {"batch_success_code": 200},
    "matching takes a while": {"match_delay_secs": 0.02},
    "cancelling takes a while": {"cancel_delay_secs": 0.02},
}


@pytest.mark.parametrize("options", READINGS.values(), ids=READINGS)
async def test_every_reading_of_the_protocol(options):
    async with account(**options) as client:
        await resting(client, "O-1")
        hit(client, "0.005")
        _, ask = bid_ask(client)
        await client.send("O-2", type=OrderType.MARKET, price=None, reference_price=ask)
        prepared = [client.prepare(name, price=Decimal(10000)) for name in ("O-3", "O-4")]
        for outcome, updates in await client.venue.submit_list(prepared):
            assert isinstance(outcome, Accepted), outcome
            for update in updates:
                client.apply(update)
        await client.until(lambda: all(client.orders[name].accepted for name in ("O-3", "O-4")))
        for outcome, _ in await client.venue.cancel_many([client.ref(name) for name in ("O-1", "O-3", "O-4")]):
            assert isinstance(outcome, Accepted), outcome
        await asyncio.sleep(0.1)
        await client.quiesce()
        assert client.names("O-1") == ["OrderAccepted", "OrderFilled", "OrderCanceled"]
        assert client.names("O-2") == ["OrderAccepted", "OrderFilled"]
        assert client.names("O-3") == client.names("O-4") == ["OrderAccepted", "OrderCanceled"]
        client.check()
        fees = {name: state.fees for name, state in client.orders.items()}
        truth = {name: client.sim.ledger.order(state.venue_order_id) for name, state in client.orders.items()}
        assert fees == {name: order.fees + order.extra_fees for name, order in truth.items()}


async def test_an_expired_key_is_refused_for_good():
    async with simulate("bsx", seed=7, market_flow=False) as sim:
        venue = BsxVenue(msgspec.structs.replace(settings_of(sim), api_key="f" * 32))
        with pytest.raises(FatalFeedError, match="login refused"):
            await venue.open()
        await venue.close()
        session = FeedSession(venue.streams()[0], lambda raw: None)
        with pytest.raises(FatalFeedError, match="api key"):
            await session.start()
        assert session.state is FeedState.DOWN


# -- market data -----------------------------------------------------------------------------------------------------


async def test_market_data():
    async with simulate("bsx", seed=7, tick_secs=0.02) as sim:
        feed = BsxMarketFeed(settings_of(sim))
        await feed.open()
        specs = await feed.instruments()
        feed.use_instruments(specs)
        heard = []
        session = FeedSession(feed.stream(), lambda raw: heard.extend(feed.decode(raw)))
        feed.subscribe(Channel.QUOTES, BTC)
        await session.start()
        for channel in (Channel.TRADES, Channel.BOOK, Channel.MARK_PRICES, Channel.FUNDING_RATES):
            for frame in feed.subscribe(channel, BTC):
                await session.send(frame)
        kinds = {Quote, Trade, Book, MarkPrice, IndexPrice, FundingRate}
        await until(lambda: {type(message) for message in heard} == kinds, 5.0)
        assert {message.symbol for message in heard} == {BTC}
        first_book = next(message for message in heard if isinstance(message, Book))
        assert first_book.is_snapshot
        assert feed.reference_price(BTC) is not None
        count = len(heard)
        sim.disconnect_all()
        await until(lambda: session.health.connects == 2, 5.0)
        await session.wait_live(5.0)
        await until(lambda: {type(message) for message in heard[count:]} >= {Quote, Book, MarkPrice}, 5.0)
        assert any(isinstance(message, Book) and message.is_snapshot for message in heard[count:])
        rates = await feed.funding_rates(BTC, 0, 0, 3)
        assert [rate.ts_event for rate in rates] == sorted(rate.ts_event for rate in rates)
        assert len(rates) <= 3
        assert await feed.book(BTC) is None
        assert session.malformed == []
        await session.stop()
        await feed.close()
