"""The whole client against the simulated venue, over sockets; the venue's ledger is the truth."""

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.feed.health import FeedState
from nautilus_orderfeeds.feed.hub import open_session
from nautilus_orderfeeds.feed.market import Book, Candle, Channel, Quote, Trade
from nautilus_orderfeeds.orders.requests import Accepted, Denied, Refused, Unknown
from nautilus_orderfeeds.orders.updates import AccountUpdate, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide, OrderStatus
from nautilus_orderfeeds.sim import Fault, Side, simulate
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.sfox.market import SfoxMarketFeed
from nautilus_orderfeeds.venues.sfox.settings import BookKind, CrossedBooks, EnterpriseFlag, Limits
from nautilus_orderfeeds.venues.sfox.venue import SfoxVenue
from tests.support.feed_server import quick_backoff, until
from tests.support.sfox_account import SCALE, SfoxAccount, account, settings_of
from tests.support.virtual_loop import LoopClock, run_virtually

#: Two requests each, where forty a minute are allowed.
RECONNECTS = 25


async def test_trades_are_real_ones_where_they_come_in_time():
    async with account() as client:
        _, ask = client.best()
        await client.send(price=ask)
        await client.until_names("OrderAccepted", "OrderFilled")
        (fill,) = client.fills()
        assert not fill.inferred
        assert fill.trade_id.startswith(f"{client.state().venue_order_id}-")
        assert fill.venue_trade_id.isdecimal()
        assert fill.last_px == ask


async def test_what_was_inferred_is_absorbed_when_the_trade_still_comes():
    async with account(trades_delay_secs=0.5, rest_trades_delay_secs=1.0) as client:
        _, ask = client.best()
        await client.send(price=ask)
        await client.settle()
        assert client.names() == ["OrderAccepted", "OrderFilled"]
        assert client.fills()[0].inferred
        await client.until(lambda: "FillAbsorbed" in client.names())
        assert len(client.fills()) == 1
        client.check()


async def test_cancel_pending_may_fill_and_is_no_end():
    async with account(cancel_delay_secs=0.3) as client:
        bid, _ = client.best()
        await client.send(price=bid - 5)
        (outcome,) = await client.cancel("O-1")
        assert isinstance(outcome, Accepted)
        await client.until(lambda: client.state().known.canceling)
        assert client.names() == ["OrderAccepted"]
        client.hit("0.02")
        await client.until_names("OrderAccepted", "OrderFilled", "OrderCanceled")
        client.check()
        (again,) = await client.cancel("O-1")
        assert isinstance(again, Refused)
        assert "finished" in again.reason


async def test_cancel_of_several_and_of_none():
    async with account() as client:
        bid, _ = client.best()
        for n in range(4):
            await client.send(f"O-{n}", price=bid - 5)
        outcomes = await client.cancel("O-0", "O-1", "O-2")
        assert [type(outcome) for outcome in outcomes] == [Accepted] * 3
        await client.until(lambda: all(client.state(f"O-{n}").is_closed for n in range(3)))
        assert client.state("O-3").status is OrderStatus.ACCEPTED
        mixed = await client.cancel("O-2", "O-3")
        assert [type(outcome) for outcome in mixed] == [Refused, Accepted]
        await client.until(lambda: client.state("O-3").is_closed)
        none = await client.cancel("O-2", "O-3")
        assert [type(outcome) for outcome in none] == [Refused, Refused]


async def test_a_change_in_the_wrong_direction_is_not_sent():
    async with account() as client:
        bid, _ = client.best()
        await client.send(price=bid - 5)
        sent = len(client.sim.requests)
        for changed in ({"price": bid - 6}, {"quantity": Decimal("0.04")}, {}):
            with pytest.raises(Denied):
                await client.amend(**changed)
        assert len(client.sim.requests) == sent
        assert isinstance(await client.amend(price=bid - 4, quantity=Decimal("0.08")), Accepted)
        await client.until_names("OrderAccepted", "OrderUpdated")
        assert (client.state().price, client.state().quantity) == (bid - 4, Decimal("0.08"))


async def test_an_order_whose_answer_was_lost_is_found_by_our_id():
    async with account(create_stream="without", create_trades="without") as client:
        client.sim.faults.arm(Fault.LOST_ANSWER, where="POST *", times=1)
        bid, _ = client.best()
        outcome = await client.send(price=bid - 5)
        assert isinstance(outcome, Unknown)
        client.take(await client.venue.look_up([client.tracked().ref], 0))
        assert client.names() == ["OrderAccepted"]
        posts = [request for request in client.sim.requests if request.method == "POST"]
        assert len(posts) == 1


async def test_a_client_order_id_used_before_is_no_rejection():
    async with account() as client:
        bid, _ = client.best()
        await client.send(price=bid - 5)
        other = SfoxAccount(client.sim)
        await other.venue.open()
        other.venue.use_instruments(await other.venue.instruments())
        outcome = await other.send(price=bid - 5)
        assert isinstance(outcome, (Unknown, Refused))
        assert isinstance(outcome, Unknown), outcome
        await other.venue.close()


async def test_an_unknown_status_is_asked_for():
    async with account() as client:
        bid, _ = client.best()
        await client.send(price=bid - 5)
        await client.until_names("OrderAccepted")
        client.sim.twin.show_status(client.sim.ledger.order(client.state().venue_order_id or ""), "Frozen")
        await client.until(lambda: any(getattr(other, "reason", "") == "status unknown" for other in client.others))
        assert client.names() == ["OrderAccepted"]


async def test_orders_from_elsewhere_are_told_with_all_they_need():
    async with account() as client:
        bid, ask = client.best()
        client.sim.place_external(client.product, side=Side.BUY, size="0.02", price=bid - 7)
        client.sim.place_external(client.product, side=Side.SELL, size="0.01", price=bid)
        await client.until(lambda: len({update.venue_order_id for update in client.foreign}) == 2)
        resting = next(update for update in client.foreign if update.price == bid - 7)
        assert (resting.side, resting.quantity, resting.status) == (OrderSide.BUY, Decimal("0.02"), VenueStatus.WORKING)
        truth = await client.venue.resync([], 0)
        assert resting.venue_order_id in {update.venue_order_id for update in truth.updates}
        assert truth.absent == []
        assert ask > bid


async def test_history_has_what_has_ended():
    async with account() as client:
        bid, ask = client.best()
        await client.send("O-1", price=ask)
        await client.send("O-2", price=bid - 5)
        await client.cancel("O-2")
        await client.send("O-3", price=bid - 5)
        await client.until(lambda: client.state("O-2").is_closed)
        await asyncio.sleep(0.1)
        told = {update.refs[0]: update.status for update in await client.venue.history(0)}
        assert told == {"cid:O-1": VenueStatus.FILLED, "cid:O-2": VenueStatus.CANCELED}
        assert await client.venue.history(time.time_ns() + 10**12) == []


async def test_balances_by_feed_and_rest():
    async with account() as client:
        _, ask = client.best()
        await client.send(price=ask, quantity=Decimal("0.1"))
        await client.until(lambda: any(isinstance(other, AccountUpdate) for other in client.others))
        await asyncio.sleep(0.1)
        told = await client.venue.account()
        by_feed = [other for other in client.others if isinstance(other, AccountUpdate)][-1]
        for update in (told, by_feed):
            totals = {balance.currency: balance.total for balance in update.balances}
            assert totals["BTC"] == client.sim.ledger.balance("btc")
            assert totals["USD"] == client.sim.ledger.balance("usd")


async def test_a_gap_and_a_lost_connection_are_made_good():
    async with account() as client:
        bid, _ = client.best()
        await client.send(price=bid - 5)
        client.sim.twin.skip_sequence(2)
        client.hit("0.01")
        await client.until(lambda: client.session.health.gaps == 1)
        await client.until(lambda: client.session.state is FeedState.LIVE)
        client.sim.twin.swap_sequence()
        client.hit("0.01")
        await client.until_names("OrderAccepted", "OrderFilled", "OrderFilled")
        await asyncio.sleep(0.3)
        assert client.session.health.gaps == 1
        client.sim.disconnect_all()
        client.hit("0.01")
        await client.until_names("OrderAccepted", "OrderFilled", "OrderFilled", "OrderFilled")
        client.check()


def test_the_venue_enforces_its_limits_and_never_has_to():
    """Many reads and reconnects at once: all of them wait here, and the venue refuses none.

    Windows are the documented ones, in the time of a virtual loop: nothing depends on how fast the machine is.
    """

    async def read_and_reconnect() -> None:
        settings = {"limits": Limits(), "timeout_secs": 600.0}  # how long something waits for its turn is no matter
        async with account(limit_time_scale=1.0, time_ns=LoopClock().time_ns, settings=settings) as client:
            reads = [client.venue.account() for _ in range(12)]
            reads += [client.venue.history(0) for _ in range(12)]
            reads += [client.venue.resync([], 0) for _ in range(20)]
            await asyncio.gather(*reads)
            async with asyncio.timeout(600.0):
                for _ in range(RECONNECTS):
                    client.sim.disconnect_all()
                    for is_live in (False, True):
                        while (client.session.state is FeedState.LIVE) is not is_live:
                            await asyncio.sleep(0.1)
            assert {request.status for request in client.sim.requests} == {200}
            assert client.session.health.connects == 1 + RECONNECTS, "none was refused, so none was opened twice"

    run_virtually(read_and_reconnect(), patience_secs=0.0003)


async def test_a_key_that_is_refused():
    async with simulate("sfox", seed=7, market_flow=False) as sim:
        venue = SfoxVenue(settings_of(sim, api_key=Secret("wrong")))
        with pytest.raises(FatalFeedError, match="SFOX_API_KEY"):
            await venue.open()
        sim.twin.revoke_keys()
        venue = SfoxVenue(settings_of(sim))
        with pytest.raises(FatalFeedError):
            await venue.open()


async def test_maintenance_passes():
    async with account() as client:
        client.sim.twin.begin_maintenance()
        await client.until(lambda: client.session.state is not FeedState.LIVE)
        bid, _ = client.best()
        assert isinstance(await client.send(price=bid - 5), Unknown)
        client.sim.twin.end_maintenance()
        await client.until(lambda: client.session.state is FeedState.LIVE)
        assert isinstance(await client.send("O-2", price=bid - 5), Accepted)


# -- market data -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "crossed"),
    [
        ({"book_order": "worst_first", "book_wrong_pair": True, "book_details": True}, CrossedBooks.DROP),
        ({"book_order": "shuffled", "book_crossed": True}, CrossedBooks.PASS),
        ({"book_order": "shuffled", "book_crossed": True}, CrossedBooks.DROP),
    ],
)
async def test_market_data(options: dict[str, Any], crossed: CrossedBooks):
    options |= {"limit_time_scale": SCALE, "ticker_secs": 0.1, "tick_secs": 0.02, "book_interval_secs": 0.02}
    async with simulate("sfox", seed=7, **options) as sim:
        feed = SfoxMarketFeed(settings_of(sim, crossed_books=crossed))
        heard: list[Any] = []
        await feed.open()
        feed.use_instruments(await feed.instruments())
        session = open_session(feed.stream(), lambda raw: heard.extend(feed.decode(raw)), backoff=quick_backoff())
        await session.start()
        for channel in (Channel.QUOTES, Channel.BOOK, Channel.TRADES, Channel.BARS):
            for frame in feed.subscribe(channel, "BTCUSD"):
                await session.send(frame)
        kinds = {Trade, Candle} | (
            set() if options.get("book_crossed") and crossed is CrossedBooks.DROP else {Book, Quote}
        )
        await until(lambda: kinds <= {type(message) for message in heard}, 10.0)
        for message in heard:
            assert message.symbol == "BTCUSD"
            if isinstance(message, Book):
                assert list(message.bids) == sorted(message.bids, reverse=True)
                assert len({price for price, _ in message.asks}) == len(message.asks)
        assert {type(message) for message in heard} == kinds
        connects = session.health.connects
        sim.disconnect_all()
        await until(lambda: session.health.connects > connects and session.state is FeedState.LIVE)
        heard.clear()
        await until(lambda: kinds <= {type(message) for message in heard}, 10.0)
        for channel in (Channel.QUOTES, Channel.BOOK, Channel.TRADES, Channel.BARS):
            for frame in feed.unsubscribe(channel, "BTCUSD"):
                await session.send(frame)
        await asyncio.sleep(0.1)
        heard.clear()
        await asyncio.sleep(0.1)
        assert [message for message in heard if not isinstance(message, Candle)] == []
        if not options.get("book_crossed"):
            raw = SfoxMarketFeed(settings_of(sim, book=BookKind.RAW))
            await raw.open()
            sim.stop_flow()
            book = await raw.book("BTCUSD")
            await raw.close()
            assert book is not None
            assert (book.bids[0][0], book.asks[0][0]) == sim.market.best("btcusd")
        await session.stop()
        await feed.close()


@pytest.mark.parametrize("flag", list(EnterpriseFlag))
async def test_an_end_user_of_an_enterprise_key(flag: EnterpriseFlag):
    async with account(enterprise=True, settings={"enterprise_flag": flag}) as client:
        _, ask = client.best()
        await client.send(price=ask)
        await client.until_names("OrderAccepted", "OrderFilled")
        client.check()
