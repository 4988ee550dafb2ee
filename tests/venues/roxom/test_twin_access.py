"""Who is let in by the simulated Roxom, and how everybody else is refused (protocol 2, 4.10, 5.1)."""

from __future__ import annotations

import hashlib
import json

import aiohttp
import pytest

from nautilus_orderfeeds.sim import Fault
from nautilus_orderfeeds.venues.roxom.twin_keys import rest_payload
from tests.support.roxom_raw import GOLD, RawRoxom, hmac_signature, roxom, rsa_signature

# protocols/roxom/samples/vectors.json: its throw-away key is the one of the simulation.
WS_SIGNATURE = (
    "RJm/3JN1mdy0O0NLttZ9o//svwYmNJnHfjA/wJRBXcQnM19RtttCU/EZqNTSLQ05OxQALELkZtprubiwjKdIIJ4l3GqfFYnuNDMzzzr6b5PJfe/d"
    "mfTsj2jU575eIPgKX4FFq7gqeRrD9ApygP86Tw4qyEn7+I3lhRqT84l198j/1qcmmCoutgJjs2N0hC9sBxvaTiRDJCdEoxAcLSk07d/2EFff9+xi"
    "uGPabTsgrjoDodILIsgFFgj5agJ1UaXVQn5t9lRKyIUqaNYIM2+EIxuyyyNdjREj/kZHdBuAK94VPoXRWY64JwcZIiRqHaVd9VN8ML8Dpq9EQaIe"
    "1CfX/w=="
)
LIMIT_ORDER = {
    "symbol": GOLD,
    "instType": "perpetual",
    "orderType": "limit",
    "side": "buy",
    "qty": "1.00",
    "px": "0.04858200",
    "timeInForce": "gtc",
    "unit": "btc",
}
BALANCE = "/v1/accounts/balance"
UNIT_BALANCE = f"{BALANCE}?unit=btc"


async def status_of_upgrade(raw: RawRoxom, headers: dict[str, str]) -> int:
    """101, or the status of the refusal."""
    try:
        stream = await raw.stream(headers)
    except aiohttp.WSServerHandshakeError as refused:
        return refused.status
    await stream.socket.close()
    return 101


def test_the_payload_of_a_body_is_that_of_the_published_reading() -> None:
    payload = rest_payload("POST", "/v1/orders", json.dumps(LIMIT_ORDER).encode())
    digest = hashlib.sha256(payload.encode()).hexdigest()
    assert digest == "6bc8745b2f3c6754e7962e5e4de3ddafa4edfbea878537b5f8090988d261c194"
    odd = rest_payload("POST", "/x", b'{"b": true, "c": null, "a": 1752621480060, "d": 1.50}')
    assert odd == "POST:/x:a=1752621480060&b=true&d=1.50"
    assert rest_payload("GET", "/v1/orders?b=1&a=2", b"") == "GET:/v1/orders?b=1&a=2"
    assert rest_payload("POST", "/x", b"{}") == "POST:/x"


async def test_rsa_is_checked_under_both_prefixes_and_at_the_upgrade() -> None:
    async with roxom() as raw:
        pem = raw.credentials["private_key"]
        assert "BEGIN PRIVATE KEY" in pem
        assert rsa_signature(pem, "GET:/ws") == WS_SIGNATURE
        for raw.prefix in ("/v1", "/api/v1"):
            assert (await raw.call("GET", "/accounts/balance?unit=btc"))[0] == 200
            await raw.order("buy", "1.00", "0.048", postOnly=True)
        assert await status_of_upgrade(raw, raw.upgrade_headers()) == 101


@pytest.mark.parametrize(
    ("payload", "target"),
    [
        (f"GET:{UNIT_BALANCE}", BALANCE),
        (f"GET:{BALANCE}", UNIT_BALANCE),
        (f"POST:{UNIT_BALANCE}", UNIT_BALANCE),
        (f"GET:/api{UNIT_BALANCE}", UNIT_BALANCE),
        (f"GET:{UNIT_BALANCE}:", UNIT_BALANCE),
    ],
)
async def test_a_signature_of_anything_else_is_401(payload: str, target: str) -> None:
    async with roxom() as raw:
        assert await raw.raw("GET", target, raw.signed(payload)) == (
            401,
            {"error": 401, "message": "Invalid Signature"},
        )


async def test_a_body_must_be_the_signed_one() -> None:
    async with roxom() as raw:
        signed = "&".join(f"{key}={LIMIT_ORDER[key]}" for key in sorted(LIMIT_ORDER))
        headers = {**raw.signed(f"POST:/v1/orders:{signed}"), "Content-Type": "application/json"}
        sent = {**LIMIT_ORDER, "qty": "2.00"}
        assert (await raw.raw("POST", "/v1/orders", headers, json.dumps(sent).encode()))[0] == 401
        assert raw.sim.ledger.orders() == []
        assert (await raw.raw("POST", "/v1/orders", headers, json.dumps(LIMIT_ORDER).encode()))[0] == 200
        assert (await raw.raw("POST", "/v1/orders", headers, b"{not json"))[0] == 400
        del headers["Content-Type"]
        assert (await raw.raw("POST", "/v1/orders", headers, json.dumps(LIMIT_ORDER).encode()))[0] == 400
        assert len(raw.sim.ledger.orders()) == 1


async def test_missing_and_unknown_keys_have_the_documented_texts() -> None:
    async with roxom() as raw:
        good = raw.signed(f"GET:{UNIT_BALANCE}")
        for headers, message in (
            ({}, "Missing API Key"),
            ({"X-API-Key": good["X-API-Key"]}, "Missing Signature"),
            ({**good, "X-API-Key": "rxk_key_0"}, "Invalid API key"),
            ({**good, "X-API-Signature": "&&&"}, "Invalid Signature"),
        ):
            answer = await raw.raw("GET", UNIT_BALANCE, headers)
            assert answer == (401, {"error": 401, "message": message})
            assert await status_of_upgrade(raw, headers) == 401
        raw.twin.expire_keys()
        assert (await raw.raw("GET", UNIT_BALANCE, good))[1]["message"] == "API key has expired"


async def test_a_bad_key_may_get_an_upgrade_and_then_an_error() -> None:
    async with roxom(ws_auth_failure="message") as raw:
        stream = await raw.stream({**raw.upgrade_headers(), "X-API-Signature": "AAAA"})
        error = await stream.receive()
        assert len(error.pop("connId")) == 36
        assert error == {"event": "error", "code": "600010", "msg": "Authentication failed"}
        assert (await stream.socket.receive(timeout=3)).type is aiohttp.WSMsgType.CLOSE
        raw.twin.options.close_after_auth_error = False
        stream = await raw.stream({"X-API-Key": "rxk_key_0"})
        assert (await stream.receive())["code"] == "600010"
        assert (await stream.subscribe("orders"))["code"] == "600010"
        assert (await stream.subscribe("level1", GOLD))["code"] == "0"


async def test_legacy_hmac_is_checked_at_the_upgrade_and_on_rest_where_it_is_sent() -> None:
    async with roxom(auth="hmac") as raw:
        assert set(raw.credentials) == {"api_key", "api_secret"}
        assert hmac_signature("test-secret", "1752621480060") == "lhIliolqahYZD47SFTUkR+1dEK7v35plTBl1daRIsjw="
        good = raw.upgrade_headers()
        assert await status_of_upgrade(raw, good) == 101
        signature = good.pop("X-API-SIGN")
        assert await status_of_upgrade(raw, {**good, "X-API-Signature": signature}) == 101
        assert await status_of_upgrade(raw, {**good, "X-API-SIGN": signature[::-1]}) == 401
        assert await status_of_upgrade(raw, good) == 401
        assert await status_of_upgrade(raw, {**good, "X-API-TIMESTAMP": "1", "X-API-SIGN": signature}) == 401
        assert (await raw.raw("GET", BALANCE, {"X-API-KEY": good["X-API-KEY"]}))[0] == 200
        assert (await raw.raw("GET", BALANCE, {**good, "X-API-SIGN": signature}))[0] == 200
        assert (await raw.raw("GET", BALANCE, {**good, "X-API-SIGN": "AAAA"}))[0] == 401
        assert (await raw.raw("GET", BALANCE, {}))[1]["message"] == "Authorization header is required"


@pytest.mark.parametrize(
    ("field", "value", "code"), [("X-API-TIMESTAMP", "1", "600011"), ("X-API-SIGN", "AA", "600012")]
)
async def test_legacy_errors_have_codes_of_their_own(field: str, value: str, code: str) -> None:
    async with roxom(auth="hmac", ws_auth_failure="message") as raw:
        stream = await raw.stream(raw.upgrade_headers(**{field: value}))
        assert (await stream.receive())["code"] == code


async def test_the_key_alone_is_enough_in_its_mode_and_strangers_may_listen_by_option() -> None:
    async with roxom(auth="key_only") as raw:
        key = {"X-API-KEY": raw.credentials["api_key"]}
        assert (await raw.raw("GET", BALANCE, key))[0] == 200
        assert await status_of_upgrade(raw, key) == 101
        assert await status_of_upgrade(raw, {}) == 401
        raw.twin.options.anonymous_ws = True
        stream = await raw.stream({})
        assert (await stream.subscribe("orders"))["code"] == "600010"
        assert (await stream.subscribe("ticker", GOLD))["code"] == "0"


async def test_a_prefix_can_be_gone() -> None:
    async with roxom(prefixes=("/v1",)) as raw:
        raw.prefix = "/api/v1"
        assert (await raw.call("GET", "/accounts/balance"))[0] == 404
        raw.prefix = "/v1"
        assert (await raw.call("GET", "/accounts/balance"))[0] == 200
        async with raw.session.get(raw.sim.base_url_http + "/ping") as response:
            assert response.status == 200


async def test_every_shape_of_errors() -> None:
    async with roxom() as raw:
        body = raw.body("buy", "1.00", "0.09")
        status, nested = await raw.call("POST", "/orders", body)
        assert (status, nested["error"]["code"]) == (400, 400)
        assert nested["error"]["message"] == "Price outside allowed range"
        assert nested["error"]["details"].startswith("Price must be between 0.0")
        assert nested["requestId"].startswith("req_")
        assert nested["timestamp"].endswith("Z")
        raw.twin.options.error_shape = type(raw.twin.options.error_shape).CODED
        coded = (await raw.call("POST", "/orders", body))[1]
        assert (coded["code"], coded["message"]) == ("VALIDATION_ERROR", "Price outside allowed range")
        raw.twin.options.error_shape = type(raw.twin.options.error_shape).FLAT
        flat = await raw.call("POST", "/orders", body)
        assert flat == (400, {"error": 400, "message": "Price outside allowed range"})
        raw.twin.options.error_shape = type(raw.twin.options.error_shape).EMPTY
        assert await raw.call("POST", "/orders", body) == (400, "")


async def test_limits_and_failures_of_the_server() -> None:
    async with roxom() as raw:
        raw.sim.faults.once(Fault.RATE_LIMIT, where="POST /v1/orders", retry_after=2)
        assert (await raw.call("POST", "/orders", raw.body("buy", "1.00", "0.048")))[0] == 429
        raw.sim.faults.once(Fault.ERROR_BEFORE_EFFECT, where="POST */orders", status=503)
        assert (await raw.call("POST", "/orders", raw.body("buy", "1.00", "0.048")))[0] == 503
        assert raw.sim.ledger.orders() == []
        raw.sim.faults.once(Fault.ERROR_AFTER_EFFECT, where="POST */orders")
        assert (await raw.call("POST", "/orders", raw.body("buy", "1.00", "0.048")))[0] == 500
        assert len(raw.sim.ledger.orders()) == 1


async def test_accounts_see_only_their_own() -> None:
    async with roxom(accounts=2) as raw:
        other = RawRoxom(raw.sim, raw.session, account=1)
        stream = await other.stream()
        order_id = await raw.order("buy", "1.00", "0.048")
        assert await stream.nothing()
        assert (await other.cancel(order_id))[0] == 404
        assert (await other.call("GET", f"/orders/{order_id}"))[0] == 404
        assert (await other.get("/orders?instType=perpetual"))["orders"] == []
