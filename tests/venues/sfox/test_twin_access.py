"""Keys, tokens, limits and maintenance of the simulated sFOX (protocol 3, 9)."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from nautilus_orderfeeds.sim import Fault, Side, simulate
from nautilus_orderfeeds.venues.sfox.twin_accounts import Key
from tests.support.sfox_raw import OPEN_ORDERS, USERS, RawSfox, decode, sfox

INVALID = {"error": "invalid token. check authorization header."}


def _basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


# -- keys ---------------------------------------------------------------------------------------------------


async def test_a_key_works_as_bearer_and_as_basic_user_name() -> None:
    async with sfox() as raw:
        for headers in (raw.bearer(), _basic(f"{raw.key}:"), {"authorization": f"bearer {raw.key}"}):
            assert (await raw.call("GET", "/v1/user/balance", headers=headers))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic !"}, {"Authorization": "x"}, _basic("nobody:")],
)
async def test_anything_else_is_401_on_every_endpoint(headers: dict[str, str]) -> None:
    async with sfox() as raw:
        for path in ("/v1/user/balance", "/v1/markets/currency-pairs", "/v1/orders/1"):
            assert await raw.call("GET", path, headers=headers) == (401, INVALID)
        assert await raw.call("POST", "/v1/orders/buy", raw.body(), headers=headers) == (401, INVALID)
        assert raw.sim.ledger.orders() == []
        assert (await raw.call("GET", "/v1/user/balance", headers=_basic(f"{raw.key}:password")))[0] == 401


async def test_market_data_may_be_public_but_a_bad_key_never_works() -> None:
    async with sfox(public_rest_needs_auth=False) as raw:
        assert (await raw.call("GET", "/v1/markets/currency-pairs", headers={}))[0] == 200
        bad = {"Authorization": "Bearer nobody"}
        assert (await raw.call("GET", "/v1/markets/currency-pairs", headers=bad))[0] == 401


async def test_unknown_paths_and_methods_have_error_bodies() -> None:
    async with sfox() as raw:
        for method, path, status in (("GET", "/v1/nothing", 404), ("PUT", "/v1/orders", 405)):
            answered, body = await raw.call(method, path)
            assert (answered, set(body)) == (status, {"error"})
        assert (await raw.call("POST", "/v1/orders/short", raw.body()))[0] == 404


async def test_a_read_only_key_may_look_but_not_trade() -> None:
    async with sfox() as raw:
        order = await raw.order()
        headers = raw.bearer(raw.twin.read_only_key())
        assert (await raw.call("GET", f"/v1/orders/{order['id']}", headers=headers))[0] == 200
        assert (await raw.call("POST", "/v1/orders/buy", raw.body(), headers=headers))[0] == 403
        assert (await raw.call("DELETE", f"/v1/orders/{order['id']}", headers=headers))[0] == 403


async def test_revoked_keys_do_not_log_in_any_more() -> None:
    async with sfox() as raw:
        stream = await raw.stream()
        raw.twin.revoke_keys()
        assert (await raw.call("GET", "/v1/orders"))[0] == 401
        assert (await (await raw.connect()).auth(raw.key))["type"] == "error"
        raw.twin.account().place("btcusd", Side.BUY, "0.1", "43000")
        assert (await stream.data(OPEN_ORDERS))[0]["status"] == "Started"  # what is connected stays
        raw.twin.revoke_keys(close=True)
        assert (await stream.socket.receive(timeout=3)).type is aiohttp.WSMsgType.CLOSE


# -- user tokens --------------------------------------------------------------------------------------------


async def _token(raw: RawSfox, user_id: str) -> dict[str, Any]:
    headers = raw.bearer(raw.twin.enterprise_key)
    status, body = await raw.call("POST", f"/v1/enterprise/user-tokens/{user_id}", headers=headers)
    assert status == 201
    return body["data"]


async def test_a_user_token_acts_in_its_users_account_until_it_expires() -> None:
    async with sfox() as raw:
        token = await _token(raw, "test2")
        assert token["partner_user_id"] == "test2"
        expires = datetime.fromisoformat(token["expires"]).timestamp()
        assert 86_000 < expires - raw.sim.clock.now_ns() / 1e9 <= 86_400
        order = await raw.order(key=token["token"], client_order_id="theirs")
        assert raw.twin.user("test2").order("theirs").venue_order_id == str(order["id"])
        assert raw.sim.ledger.orders() == []
        raw.sim.clock.advance(86_400)
        assert await raw.call("GET", "/v1/orders", headers=raw.bearer(token["token"])) == (401, INVALID)
        again = await _token(raw, "test2")
        assert again["token"] != token["token"]
        assert len((await raw.call("GET", "/v1/orders", headers=raw.bearer(again["token"])))[1]) == 1
        raw.twin.expire_tokens()
        assert (await raw.call("GET", "/v1/orders", headers=raw.bearer(again["token"])))[0] == 401
        assert (await raw.call("GET", "/v1/orders"))[0] == 200


async def test_tokens_for_several_users_at_once() -> None:
    async with sfox() as raw:
        headers = raw.bearer(raw.twin.enterprise_key)
        ids = {"data": ["test1", "test3"]}
        status, body = await raw.call("POST", "/v1/enterprise/user-tokens", ids, headers=headers)
        assert status == 201
        assert [row["partner_user_id"] for row in body["data"]] == ["test1", "test3"]
        assert all("." not in row["expires"] and row["expires"].endswith("Z") for row in body["data"])
        assert len({row["token"] for row in body["data"]}) == 2
        missing = {"data": ["test1", "nobody"]}
        assert (await raw.call("POST", "/v1/enterprise/user-tokens", missing, headers=headers))[0] == 404
        assert (await raw.call("POST", "/v1/enterprise/user-tokens/account-1", headers=headers))[0] == 404
        assert (await raw.call("POST", "/v1/enterprise/user-tokens", {}, headers=headers))[0] == 422


async def test_only_the_enterprise_key_opens_the_enterprise_endpoints() -> None:
    async with sfox() as raw:
        assert (await raw.call("POST", "/v1/enterprise/user-tokens/test1"))[0] == 403
        token = await _token(raw, "test1")
        headers = raw.bearer(token["token"])
        assert (await raw.call("POST", "/v1/enterprise/user-tokens/test1", headers=headers))[0] == 403


async def test_a_user_token_on_the_websocket_is_a_switch() -> None:
    async with sfox() as raw:
        token = (await _token(raw, "test1"))["token"]
        assert (await (await raw.connect()).auth(token))["type"] == "error"
        raw.twin.options.user_token_on_ws = True
        stream = await raw.stream(key=token)
        raw.twin.user("test1").place("btcusd", Side.BUY, "0.1", "43000")
        assert (await stream.data(OPEN_ORDERS))[0]["status"] == "Started"
        assert (await stream.auth(token, enterprise=True))["type"] == "error"


async def test_the_ready_made_credentials_in_both_modes() -> None:
    async with sfox(accounts=2) as raw:
        assert raw.sim.credentials() == {"api_key": raw.key}
        assert raw.twin.credentials(1) == {"api_key": raw.twin.own_keys[1]}
        assert raw.sim.ledger.main_account == "account-1"
        assert raw.sim.ledger.balance("usd") > 0
        assert raw.sim.ledger.balance("btc") > 0
    async with sfox(enterprise=True) as raw:
        credentials = {"api_key": raw.twin.enterprise_key, "enterprise": True, "user_id": "test1"}
        assert raw.sim.credentials() == credentials
        assert raw.sim.ledger.main_account == "test1"
        json.dumps(credentials)


def test_the_same_seed_gives_the_same_keys_and_another_one_others() -> None:
    keys = [simulate("sfox", seed=seed).twin.own_keys for seed in (3, 3, 4)]  # type: ignore[attr-defined]
    assert keys[0] == keys[1] != keys[2]
    assert "secret" not in repr(Key("secret", "account-1"))


# -- limits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/v1/orders", 10),
        ("/v1/orders/done", 5),
        ("/v1/user/balance", 5),
        ("/v1/account/transactions", 1),
        ("/v1/post-trade-settlement/positions", 10),
    ],
)
async def test_a_route_is_limited_and_waits_ten_seconds(path: str, count: int) -> None:
    async with sfox(accounts=2, retry_after=True) as raw:
        assert {(await raw.call("GET", path))[0] for _ in range(count)} <= {200, 403}
        async with raw.session.get(raw.sim.base_url_http + path, headers=raw.bearer()) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "10")
        assert (await raw.call("GET", "/v1/account/trades"))[0] == 200  # another route
        assert (await raw.call("GET", path, headers=raw.bearer(raw.twin.own_keys[1])))[0] != 429  # another account
        raw.sim.clock.advance(9)
        assert (await raw.call("GET", path))[0] == 429
        raw.sim.clock.advance(1)
        assert (await raw.call("GET", path))[0] != 429


async def test_creates_are_limited_per_second() -> None:
    async with sfox() as raw:
        statuses = [(await raw.call("POST", "/v1/orders/buy", raw.body(quantity="0.001")))[0] for _ in range(62)]
        assert statuses[:60] == [201] * 60
        assert 429 in statuses[60:]
        assert len(raw.sim.ledger.orders()) == statuses.count(201)


async def test_the_limit_of_an_ip_waits_a_minute_and_time_is_scaled() -> None:
    async with sfox(limit_time_scale=0.5) as raw:
        assert {(await raw.call("GET", "/v1/orders/1"))[0] for _ in range(250)} == {404}
        assert (await raw.call("GET", "/v1/orders/1"))[0] == 429
        assert (await raw.call("GET", "/v1/markets/currency-pairs"))[0] == 429
        raw.sim.clock.advance(29)
        assert (await raw.call("GET", "/v1/orders/1"))[0] == 429
        raw.sim.clock.advance(1)
        assert (await raw.call("GET", "/v1/orders/1"))[0] == 404


async def test_limits_may_be_off() -> None:
    async with sfox(rest_limits=False) as raw:
        assert {(await raw.call("GET", "/v1/user/balance"))[0] for _ in range(20)} == {200}


async def test_ten_connections_and_forty_requests_a_minute() -> None:
    async with sfox() as raw:
        streams = [await raw.connect() for _ in range(10)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await raw.connect()
        assert refused.value.status == 429
        for number in range(40):
            assert (await streams[number % 2].auth(raw.key))["type"] == "success"
        assert (await streams[0].auth(raw.key))["type"] == "error"
        assert (await streams[0].socket.receive(timeout=3)).type is aiohttp.WSMsgType.CLOSE
        await streams[0].socket.close()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await raw.connect()
        raw.sim.clock.advance(119)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await raw.connect()
        raw.sim.clock.advance(1)
        assert (await (await raw.connect()).auth(raw.key))["type"] == "success"


# -- being away ---------------------------------------------------------------------------------------------


async def test_maintenance_closes_connections_and_answers_503() -> None:
    async with sfox() as raw:
        stream = await raw.stream()
        raw.twin.begin_maintenance()
        assert (await stream.socket.receive(timeout=3)).type is aiohttp.WSMsgType.CLOSE
        assert (await raw.call("GET", "/v1/orders"))[0] == 503
        assert (await raw.call("POST", "/v1/orders/buy", raw.body()))[0] == 503
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await raw.connect()
        assert refused.value.status == 503
        assert raw.sim.ledger.orders() == []
        raw.twin.end_maintenance()
        await raw.order()
        await raw.connect()


async def test_pings_are_answered_unless_told_otherwise() -> None:
    async with sfox() as raw:
        good = await raw.connect(autoping=False)
        raw.twin.options.answer_pings = False
        mute = await raw.connect(autoping=False)
        for stream in (good, mute):
            await stream.socket.ping(b"x")
            await stream.send({"type": "authenticate", "apiKey": raw.key})
        assert (await good.socket.receive(timeout=3)).type is aiohttp.WSMsgType.PONG
        first = await mute.socket.receive(timeout=3)
        assert decode(first.data)["type"] == "success"  # nothing came for the ping


async def test_a_stalled_connection_says_nothing_and_answers_no_ping() -> None:
    async with sfox() as raw:
        stream = await raw.stream()
        raw.sim.faults.once(Fault.HALF_OPEN, where="orders/update")
        await raw.order()
        assert await stream.quiet()
        fresh = await raw.connect()
        await fresh.auth(raw.key)
        await fresh.subscribe(OPEN_ORDERS)
        assert len(await fresh.data(OPEN_ORDERS)) == 1


async def test_a_connection_without_a_subscription_is_closed() -> None:
    async with sfox(subscribe_timeout_secs=0.1) as raw:
        idle, busy = await raw.connect(), await raw.stream(f"{USERS}.open-orders", key=raw.twin.enterprise_key, **_FLAG)
        assert (await idle.socket.receive(timeout=3)).type is aiohttp.WSMsgType.CLOSE
        assert await busy.quiet(0.2)


_FLAG: dict[str, Any] = {"enterprise": True}
