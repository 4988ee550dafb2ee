"""The companion price stream of the simulated ActTrader (protocol 9, B)."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import aiohttp
import pytest

from nautilus_orderfeeds.sim import Fault
from tests.support.acttrader_raw import HEARTBEAT, RawSocket, acttrader

QUIET = {"ticker_heartbeat_secs": 0, "tick_interval_secs": 0.01}


async def test_ticks_of_the_order_stream() -> None:
    async with acttrader("draft", **QUIET) as raw:
        socket = await raw.connect(raw.twin.ticker_url)
        await socket.send_text('{"m":"subscribe","p":["EURUSD","NOTHING","BTCUSD"]}')
        first, second = await socket.receive(), await socket.receive()
        assert set(first) == {"event", "payload"}
        assert [first["payload"][0]["m"], second["payload"][0]["m"]] == ["EURUSD", "BTCUSD"]
        raw.sim.market.set_mid("EURUSD", "1.17")
        tick = (await socket.receive())["payload"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", tick[0].pop("time"))
        assert tick == [{"m": "EURUSD", "bid": Decimal("1.16995"), "ask": Decimal("1.17005")}]


async def test_ticks_of_the_charts_stream_have_the_day() -> None:
    async with acttrader("final", tick_shape="charts", tick_time_digits=9, **QUIET) as raw:
        socket = await raw.connect(raw.twin.ticker_url)
        await socket.send_text('{"m":"subscribe","p":["EURUSD"]}')
        assert set(await socket.receive()) == {"m", "d"}
        for mid in ("1.17", "1.15", "1.16"):
            raw.sim.market.set_mid("EURUSD", mid)
            message = await socket.receive()
        [tick] = message["d"]
        assert message["m"] == "ticker"
        assert re.fullmatch(r".*T\d\d:\d\d:\d\d\.\d{9}Z", tick.pop("time"))
        assert tick == {
            "m": "EURUSD",
            "bid": Decimal("1.15995"),
            "ask": Decimal("1.16005"),
            "day_open": Decimal("1.163"),
            "day_high": Decimal("1.17"),
            "day_low": Decimal("1.15"),
        }


async def test_unsubscribed_unchanged_and_one_sided_prices_are_not_told() -> None:
    async with acttrader("draft", tick_on_subscribe=False, **QUIET) as raw:
        socket = await raw.connect(raw.twin.ticker_url)
        await _subscribed(socket, "EURUSD", "GBPUSD")
        raw.sim.market.set_mid("GBPUSD", "1.4")
        assert (await socket.receive())["payload"][0]["m"] == "GBPUSD"
        await socket.send_text('{"m":"unsubscribe","p":["GBPUSD"]}')
        for odd in (
            "nonsense",
            "[]",
            '{"m":"subscribe"}',
            '{"m":"subscribe","p":"EURUSD"}',
            '{"op":"x","p":[]}',
            HEARTBEAT,
        ):
            await socket.send_text(odd)
        raw.sim.market.flow.pull("EURUSD")
        await _settle(socket)
        raw.sim.market.set_mid("GBPUSD", "1.5")
        raw.sim.market.set_mid("EURUSD", "1.2")
        assert (await socket.receive())["payload"][0]["m"] == "EURUSD"
        with pytest.raises(TimeoutError):
            await socket.text(0.1)


async def _subscribed(socket: RawSocket, *symbols: str) -> None:
    await socket.send_text(json.dumps({"m": "subscribe", "p": symbols}))
    await _settle(socket)


async def _settle(socket: RawSocket) -> None:
    """Wait until everything sent so far was read by the other side."""
    await socket.socket.ping()
    with pytest.raises(TimeoutError):
        await socket.text(0.1)


async def test_heartbeats_come_without_a_subscription() -> None:
    async with acttrader("draft", ticker_heartbeat_secs=0.02) as raw:
        socket = await raw.connect(raw.twin.ticker_url)
        assert [await socket.text() for _ in range(2)] == [HEARTBEAT, HEARTBEAT]
        orders = await raw.connect()
        assert await orders.nothing()


async def test_prices_and_orders_do_not_mix() -> None:
    async with acttrader("final", **QUIET) as raw:
        prices, orders = await raw.connect(raw.twin.ticker_url), await raw.connect()
        await prices.send_text('{"m":"subscribe","p":["EURUSD"]}')
        await prices.receive()
        await orders.place("MARKET", "BUY", 10000)
        assert (await orders.execution())["status"] == "FILLED"
        raw.sim.market.set_mid("EURUSD", "1.2")
        assert (await prices.receive())["event"] == "ticker"
        assert await orders.nothing()


async def test_the_price_stream_has_a_token_of_its_own() -> None:
    async with acttrader("draft", ticker_token="abc", token="xyz", **QUIET) as raw:
        plain = raw.twin.ticker_url.partition("?")[0]
        for url in (plain, plain + "?token=xyz"):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await raw.connect(url)
        fields = raw.twin.data_config_fields()
        assert fields["base_url_ws"] == raw.twin.ticker_url == plain + "?token=abc"
        await raw.connect(fields["base_url_ws"])


async def test_faults_know_a_tick() -> None:
    async with acttrader("draft", **QUIET) as raw:
        socket = await raw.connect(raw.twin.ticker_url)
        raw.sim.faults.once(Fault.DROP, where="ticker/EURUSD")
        await socket.send_text('{"m":"subscribe","p":["EURUSD","GBPUSD"]}')
        assert (await socket.receive())["payload"][0]["m"] == "GBPUSD"
