"""Ways in: configuration, environment, headers, token and first message; no secret is shown."""

import json
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from nautilus_orderfeeds.adapter.config import json_safe
from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues.acttrader import ActTraderDataClientConfig, ActTraderExecClientConfig
from nautilus_orderfeeds.venues.acttrader.door import DOOR
from nautilus_orderfeeds.venues.acttrader.words import Dialect
from tests.support.acttrader_client import trading

D = Decimal
both = pytest.mark.parametrize("dialect", ["draft", "final"])


# -- configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "base_url_ws"),
        ({"base_url_ws": "https://127.0.0.1/"}, "ws://"),
        ({"base_url_ws": "ws://"}, "ws://"),
        ({"base_url_ws": "ws://127.0.0.1/"}, "login"),
        ({"base_url_ws": "ws://127.0.0.1/", "login": "me", "dialect": "final"}, "whole number"),
    ],
)
async def test_what_is_missing_is_named(fields: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch):
    for name in ("BASE_URL_WS", "LOGIN", "AUTH_HEADERS", "AUTH_MESSAGE"):
        monkeypatch.delenv(f"ACTTRADER_{name}", raising=False)
    with pytest.raises(FatalFeedError, match=words):
        await DOOR.make_venue(ActTraderExecClientConfig(**fields)).open()


async def test_everything_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACTTRADER_BASE_URL_WS", "ws://127.0.0.1:1/ws?token=url-secret")
    monkeypatch.setenv("ACTTRADER_LOGIN", "77")
    monkeypatch.setenv("ACTTRADER_AUTH_HEADERS", '{"X-Key":"header-secret"}')
    monkeypatch.setenv("ACTTRADER_AUTH_MESSAGE", "message-secret")
    venue = DOOR.make_venue(ActTraderExecClientConfig(dialect="final"))
    await venue.open()
    (stream,) = venue.streams()
    assert stream.url() == "ws://127.0.0.1:1/ws?token=url-secret"
    assert stream.headers() == {"X-Key": "header-secret"}
    assert venue._settings.wire_login == 77
    assert venue._settings.dialect is Dialect.FINAL
    assert "secret" not in repr(venue._settings)
    assert not stream.recordable(b"message-secret")
    assert stream.recordable(b'{"event":"orders"}')


def test_headers_in_the_environment_must_be_an_object(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACTTRADER_AUTH_HEADERS", "X-Key: header-secret")
    with pytest.raises(FatalFeedError, match="ACTTRADER_AUTH_HEADERS") as failure:
        DOOR.make_venue(ActTraderExecClientConfig())
    assert "secret" not in str(failure.value)


def test_no_config_shows_a_secret():
    config = ActTraderExecClientConfig(
        base_url_ws="wss://me:password-secret@127.0.0.1:1/ws?token=url-secret",
        auth_headers={"X-Key": "header-secret"},
        auth_message="message-secret",
        login=77,
    )
    shown = repr(config) + str(config) + json.dumps(json_safe(config))
    assert "secret" not in shown
    assert "wss://127.0.0.1:1/ws?<hidden>" in shown
    data = ActTraderDataClientConfig(base_url_ws="ws://127.0.0.1:1/charts/ws?token=url-secret")
    assert "secret" not in repr(data) + json.dumps(json_safe(data))


async def test_a_price_stream_needs_its_own_address(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACTTRADER_BASE_URL_WS", "ws://127.0.0.1:1/ws")  # the other service's
    with pytest.raises(FatalFeedError, match="base_url_ws"):
        await DOOR.make_market(ActTraderDataClientConfig()).open()
    await DOOR.make_market(ActTraderDataClientConfig(base_url_ws="ws://127.0.0.1:1/")).open()


# -- on the wire ------------------------------------------------------------------------------------------------------

HEADERS = {"auth_headers": {"X-Key": "header-secret"}}
TOKEN = {"token": "url-secret"}
MESSAGE = {"auth_message": '{"auth":"message-secret"}'}
ALL = HEADERS | TOKEN | MESSAGE


@pytest.mark.node
@pytest.mark.parametrize("answer", ["", '{"event":"auth","payload":"ok"}', "welcome"])
@pytest.mark.parametrize("door", [HEADERS, TOKEN, MESSAGE, ALL], ids=["header", "url", "frame", "all"])
@both
async def test_every_way_in(dialect: str, door: dict[str, Any], answer: str):
    async with trading(dialect, **door, auth_answer=answer) as t:
        order = t.limit(OrderSide.BUY, t.bid - D("0.001"))
        t.submit(order)
        await t.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be accepted")
        assert t.client.malformed_frames == 0
        shown = t.run.log.text() + repr(t.client._config) + repr(t.client._venue._settings)
        assert "secret" not in shown
        # And again after the connection was lost.
        t.sim.disconnect_all()
        t.sim.market.trade("EURUSD", order.price.as_decimal(), D(10000), Side.SELL)
        await t.until(lambda: order.status == OrderStatus.FILLED, "the fill after a reconnect")


@pytest.mark.parametrize("door", [HEADERS, TOKEN, MESSAGE], ids=["header", "url", "frame"])
async def test_shut_doors_say_why_and_show_nothing(door: dict[str, Any], caplog: pytest.LogCaptureFixture):
    async with simulate("acttrader", seed=7, market_flow=False, dialect="final", **door) as sim:
        wrong: dict[str, Any] = {"base_url_ws": sim.base_url_ws + "?token=wrong-secret"}
        if "auth_headers" in door:
            wrong["auth_headers"] = {"X-Key": "wrong-secret"}
        if "auth_message" in door:
            wrong["auth_message"] = "wrong-secret"
        venue = DOOR.make_venue(sim.exec_config(**wrong))
        (stream,) = venue.streams()
        session = FeedSession(stream, venue.decode, lambda: venue.resync([], 0), start_timeout_secs=2.0)
        venue.attach(session.send)
        with pytest.raises((FatalFeedError, TransientFeedError)) as failure:
            await session.start()
        assert "401" in str(failure.value) or "auth_message" in door
        assert "secret" not in str(failure.value) + caplog.text
