"""The companion price stream: ticks in both shapes, what is not one, and subscriptions kept over connections."""

import asyncio
from typing import Any

import pytest

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Channel, Quote
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.acttrader.market import ActTraderMarketFeed
from nautilus_orderfeeds.venues.acttrader.settings import TickerSettings
from tests.support.acttrader_client import D, spec


def feed(url: str = "ws://127.0.0.1:1/", **fields: Any) -> ActTraderMarketFeed:
    made = ActTraderMarketFeed(TickerSettings(base_url_ws=url, **fields))
    made.use_instruments([spec(), spec("GBPUSD")])
    return made


def test_what_is_no_price_is_no_quote():
    for raw in (b"heartbeat", b'{"event":"order","payload":[{"Action":"I"}]}', b'{"m":"ticker","d":[]}', b"{}"):
        assert feed().decode(raw) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"[]",
        b'{"event":"ticker","payload":[{"m":"EURUSD","bid":0,"ask":1}]}',
        b'{"event":"ticker","payload":[{"m":"EURUSD","bid":"x","ask":1}]}',
        b'{"event":"ticker","payload":[{"bid":1,"ask":1}]}',
        b'{"m":"ticker","d":[{"m":"EURUSD","bid":1e400,"ask":1}]}',
    ],
)
def test_what_cannot_be_read_is_a_fault(raw: bytes):
    with pytest.raises(FrameError):
        feed().decode(raw)


def test_one_bad_tick_hides_no_other():
    raw = b'{"m":"ticker","d":[{"m":"EURUSD","bid":-1,"ask":1},{"m":"GBPUSD","bid":1.1,"ask":1.2}]}'
    assert feed().decode(raw) == [Quote(symbol="GBPUSD", bid=D("1.1"), ask=D("1.2"))]


def test_sizes_are_configured_and_the_best_is_remembered():
    made = feed(quote_size=D(1000))
    raw = b'{"event":"ticker","payload":[{"m":"EURUSD","time":"nonsense","bid":1.10,"ask":1.2}]}'
    assert made.reference_price("EURUSD") is None
    (quote,) = made.decode(raw)
    assert quote == Quote(symbol="EURUSD", bid=D("1.10"), ask=D("1.2"), bid_size=D(1000), ask_size=D(1000))
    assert made.reference_price("EURUSD") == (D("1.10"), D("1.2"))


def test_subscriptions_are_counted_once():
    made = feed()
    assert len(made.subscribe(Channel.QUOTES, "EURUSD")) == 1
    assert made.subscribe(Channel.QUOTES, "EURUSD") == []
    assert made.subscribe(Channel.TRADES, "EURUSD") == []
    assert made.unsubscribe(Channel.TRADES, "EURUSD") == []
    assert made.unsubscribe(Channel.QUOTES, "GBPUSD") == []
    assert len(made.unsubscribe(Channel.QUOTES, "EURUSD")) == 1
    assert made.subscriptions() == []


async def test_there_is_nothing_else():
    made = feed()
    assert await made.book("EURUSD") is None
    assert await made.funding_rates("EURUSD", 0, 0, 0) is None
    assert await made.instruments() == []


@pytest.mark.parametrize("shape", ["order_stream", "charts"])
async def test_quotes_come_and_come_again_after_a_lost_connection(shape: str):
    options = {"tick_shape": shape, "ticker_token": "url-secret", "tick_time_digits": 9, "ticker_heartbeat_secs": 0.05}
    async with simulate("acttrader", seed=7, tick_secs=0.02, **options) as sim:
        made = feed(sim.twin.ticker_url)
        quotes: list[Any] = []
        session = FeedSession(made.stream(), lambda raw: quotes.extend(made.decode(raw)))
        made.subscribe(Channel.QUOTES, "EURUSD")
        await session.start()
        for frame in made.subscribe(Channel.QUOTES, "GBPUSD"):
            await session.send(frame)
        for _ in range(2):
            quotes.clear()
            async with asyncio.timeout(8):
                while {quote.symbol for quote in quotes} != {"EURUSD", "GBPUSD"}:
                    await asyncio.sleep(0.01)
            assert all(quote.bid < quote.ask and quote.ts_event > 0 for quote in quotes)
            sim.disconnect_all()
        await session.stop()
