"""Who gets in at the simulated Outpoll: signatures, keys, logins (protocol 4)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.venues.outpoll.twin_keys import Keyring, Refused, decode_secret, signature_of
from nautilus_orderfeeds.venues.outpoll.twin_products import YES
from tests.support.outpoll_raw import RawOutpoll, outpoll, sign

VECTORS = json.loads((Path(__file__).parent / "samples" / "vectors.json").read_text())
ACTIVE = "/api/history/deals/active-orders"
BODY = VECTORS["vectors"][0]["body"].encode()


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda v: v["name"])
def test_vectors_hold(vector: dict[str, Any]) -> None:
    made = signature_of(
        vector["secret"], vector["timestamp"], vector["method"], vector["path"], vector["body"].encode()
    )
    assert made == vector["signature"]


@pytest.mark.parametrize("case", VECTORS["secret_decoding"], ids=lambda c: c["secret"])
def test_secrets_are_decoded(case: dict[str, str]) -> None:
    assert decode_secret(case["secret"]).hex() == case["bytes_hex"]


def test_a_secret_that_is_no_base64_is_an_error() -> None:
    with pytest.raises(ValueError, match="not base64url"):
        decode_secret("no secret!")


@pytest.mark.parametrize("wrong", VECTORS["wrong_results_for_first_vector"].values(), ids=lambda w: w[:8])
def test_typical_wrong_signatures_are_refused(wrong: str) -> None:
    vector = VECTORS["vectors"][0]
    clock = SimClock(source=lambda: int(vector["timestamp"]) * 10**9)
    keyring = Keyring(7, clock, is_padded=False)
    key = keyring.key_of(keyring.open_account(0))
    key.secret = vector["secret"]
    request = (vector["timestamp"], "POST", vector["path"], BODY, 30.0)
    assert keyring.authenticate(key.key, vector["signature"], *request) is key
    with pytest.raises(Refused) as refused:
        keyring.authenticate(key.key, wrong, *request)
    assert refused.value.status == 401


@pytest.mark.parametrize("padded", [True, False])
async def test_a_signed_call_gets_in_whatever_the_padding(padded: bool) -> None:
    async with outpoll(padded_secret=padded) as raw:
        assert raw.secret.endswith("=") is padded
        assert await raw.get(ACTIVE + "?page=0&size=5") == {"i": []}


@pytest.mark.parametrize(("off_secs", "status"), [(-25, 200), (25, 200), (-40, 401), (40, 401)])
async def test_the_window_is_thirty_seconds(off_secs: int, status: int) -> None:
    async with outpoll() as raw:
        headers = raw.headers("GET", ACTIVE, stamp=str(int(time.time()) + off_secs))
        assert (await raw.call("GET", ACTIVE, headers=headers))[0] == status


async def test_what_is_signed_wrongly_gets_401() -> None:
    async with outpoll() as raw:
        now = str(int(time.time()))
        good = raw.headers("GET", ACTIVE)
        wrong = [
            {},
            {**good, "OUTPOLL-API-KEY": "op_k_other"},
            {**good, "OUTPOLL-API-TIMESTAMP": str(int(now) - 1)},
            {**good, "OUTPOLL-API-TIMESTAMP": "now"},
            {**good, "OUTPOLL-API-SIGNATURE": "ü"},
            {**good, "OUTPOLL-API-SIGNATURE": good["OUTPOLL-API-SIGNATURE"] + "="},
            raw.headers("GET", ACTIVE, stamp=str(int(now) * 1000)),
            raw.headers("get", ACTIVE),
            raw.headers("GET", raw.sim.base_url_http + ACTIVE),
            {name: value for name, value in good.items() if "TIMESTAMP" not in name},
        ]
        for headers in wrong:
            assert (await raw.call("GET", ACTIVE, headers=headers))[0] == 401
        signed_query = raw.headers("GET", ACTIVE + "?page=0")
        assert (await raw.call("GET", ACTIVE + "?page=0", headers=signed_query))[0] == 401


async def test_the_body_is_signed_byte_for_byte() -> None:
    async with outpoll() as raw:
        body = raw.limit_body(YES, "BUY", "0.40", "1")
        spaced = body.replace(":", ": ")
        headers = raw.headers("POST", "/orders/limit", body)
        assert (await raw.call("POST", "/orders/limit", spaced, headers=headers))[0] == 401
        assert (await raw.call("POST", "/orders/limit", spaced))[0] == 200
        assert len(raw.sim.ledger.orders()) == 1


async def test_bearer_and_key_exclude_each_other() -> None:
    async with outpoll() as raw:
        bearer = {"Authorization": f"Bearer {raw.twin.login()}"}
        assert (await raw.call("GET", ACTIVE, headers={**raw.headers("GET", ACTIVE), **bearer}))[0] == 400
        assert (await raw.call("GET", ACTIVE, headers=bearer))[0] == 200
        assert (await raw.call("GET", ACTIVE, headers={"Authorization": "Bearer nobody"}))[0] == 401
        for path in ("/api/deposit/usdc-address", "/api/transactions", "/auth/api-key"):
            assert (await raw.call("GET", path))[0] == 403
            assert (await raw.call("GET", path, headers=bearer))[0] == 200


async def test_keys_end_by_replacing_expiring_and_blocking() -> None:
    async with outpoll() as raw:
        former = raw.key
        raw.use(raw.twin.replace_key())
        assert raw.key != former
        assert await raw.active() == []
        old = {**raw.headers("GET", ACTIVE), "OUTPOLL-API-KEY": former}
        assert (await raw.call("GET", ACTIVE, headers=old))[0] == 401
        raw.twin.block_key()
        assert (await raw.call("GET", ACTIVE))[0] == 403
        raw.use(raw.twin.replace_key())
        raw.twin.expire_key()
        assert (await raw.call("GET", ACTIVE))[0] == 401


async def test_a_key_is_made_with_the_login_and_ends_by_its_time() -> None:
    async with outpoll() as raw:
        bearer = {"Authorization": f"Bearer {raw.twin.login()}", "Content-Type": "application/json"}

        async def auth(method: str, body: Any = None, path: str = "/auth/api-key") -> tuple[int, Any]:
            return await raw.call(method, path, body, headers=bearer)

        assert (await auth("POST", path="/auth/api-key/send-code"))[0] == 200
        assert (await auth("POST", {"code": "wrong"}))[0] == 400
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
        status, made = await auth("POST", {"code": raw.twin.mailed_code(), "expiresAt": stamp})
        assert status == 201
        assert made["expiresAt"] == stamp
        assert (await raw.call("GET", ACTIVE))[0] == 401
        raw.use({"api_key": made["key"], "api_secret": made["secret"]})
        assert await raw.active() == []
        assert (await auth("GET"))[1] == {name: made[name] for name in ("id", "key", "createdAt", "expiresAt")}
        raw.sim.clock.advance(61)
        late = raw.headers("GET", ACTIVE, stamp=str(int(time.time()) + 61))
        assert (await raw.call("GET", ACTIVE, headers=late))[0] == 401
        assert (await auth("DELETE"))[0] == 200
        assert (await auth("GET"))[0] == 404


async def test_replays_are_refused_by_choice() -> None:
    async with outpoll(refuse_replays=True) as raw:
        body = raw.limit_body(YES, "BUY", "0.40", "1")
        headers = raw.headers("POST", "/orders/limit", body)
        answers = [(await raw.call("POST", "/orders/limit", body, headers=headers))[0] for _ in range(2)]
        assert answers == [200, 401]


@pytest.mark.parametrize(("style", "body"), [("json", dict), ("text", str), ("empty", str)])
async def test_error_bodies(style: str, body: type) -> None:
    async with outpoll(error_body=style) as raw:
        for path, wanted in ((ACTIVE, 401), ("/nowhere", 404)):
            status, answer = await raw.call("GET", path, headers={})
            assert status == wanted
            assert isinstance(answer, body)
            assert bool(answer) is (style != "empty")


async def test_accounts_are_apart() -> None:
    async with outpoll(accounts=2) as raw:
        other = RawOutpoll(raw.sim, raw.session, 1)
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        assert await other.active() == []
        assert await other.cancel(order_id) == 404
        assert [row["id"] for row in await raw.active()] == [order_id]


def test_the_tests_sign_by_themselves() -> None:
    vector = VECTORS["vectors"][0]
    assert sign(vector["secret"], vector["message"]) == vector["signature"]
