"""The REST side of the simulated BSX, over real sockets (protocol 3, 4)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from eth_account import Account

from nautilus_orderfeeds.sim import Side
from nautilus_orderfeeds.venues.bsx.twin_options import ActiveKey
from tests.support.bsx_raw import RawBsx, bsx, sign

# -- public, keys -------------------------------------------------------------------------------------------


async def test_products_need_no_key_and_have_their_indexes() -> None:
    async with bsx() as raw:
        status, body = await raw.call("GET", "/products", headers={})
        products = {p["product_id"]: p for p in body["products"]}
        assert status == 200
        assert {name: p["index"] for name, p in products.items()} == {"BTC-PERP": 1, "ETH-PERP": 2, "SOL-PERP": 3}
        assert (products["BTC-PERP"]["quote_increment"], products["BTC-PERP"]["base_increment"]) == ("0.1", "0.001")
        assert products["ETH-PERP"]["is_active"] is products["ETH-PERP"]["enabled"] is True


@pytest.mark.parametrize(
    ("active_key", "keys"),
    [
        (ActiveKey.IS_ACTIVE, {"is_active"}),
        (ActiveKey.ENABLED, {"enabled"}),
        (ActiveKey.NEITHER, set()),
    ],
)
async def test_which_key_says_that_a_product_trades(active_key: ActiveKey, keys: set[str]) -> None:
    async with bsx(active_key=active_key, inactive_products=("ETH-PERP",)) as raw:
        products = (await raw.get("/products"))["products"]
        assert {key for key in ("is_active", "enabled") if key in products[0]} == keys
        assert all(products[1][key] is False for key in keys)
        assert "not active" in (await raw.refused("BUY", "3000", "0.1", index=2))[2]


async def test_the_signing_domain_in_both_shapes() -> None:
    async with bsx() as raw:
        configs = await raw.get("/chain/configs")
        assert set(configs) == {"main", "degen", "addresses"}
        assert isinstance(configs["main"]["chain_id"], str)
        raw.sim.twin.options.legacy_chain_configs = True
        assert await raw.get("/chain/configs") == configs["main"]


@pytest.mark.parametrize("wrong", [{}, {"bsx-key": "nobody"}, {"bsx-secret": "x"}, {"bsx-secret": ""}])
async def test_a_wrong_key_is_unauthenticated(wrong: dict[str, str]) -> None:
    async with bsx() as raw:
        headers = {**raw.headers, **wrong} if wrong else {}
        status, body = await raw.call("GET", "/orders", headers=headers)
        assert (status, body["code"]) == (401, 16)
        upper = {name.upper(): value for name, value in raw.headers.items()}
        assert (await raw.call("GET", "/orders", headers=upper))[0] == 200


async def test_expired_keys_and_new_ones() -> None:
    async with bsx() as raw:
        keys = (await raw.get("/users/api-key"))["api_keys"]
        assert [k["api_key"] for k in keys] == [raw.credentials["api_key"]]
        assert keys[0]["sender"] == raw.credentials["wallet_address"]
        assert int(keys[0]["expired_at"]) > time.time_ns()
        _, made = await raw.call("POST", "/users/api-key", {"name": "second"})
        made = made["api_key"]
        assert (made["name"], made["signer"]) == ("second", keys[0]["signer"])
        second = {"bsx-key": made["api_key"], "bsx-secret": made["api_secret"]}
        assert (await raw.call("GET", "/orders", headers=second))[0] == 200
        _, gone = await raw.call("DELETE", f"/users/api-key?api_keys={made['api_key']}")
        assert gone == {"api_keys": [made["api_key"]]}
        assert (await raw.call("GET", "/orders", headers=second))[0] == 401
        raw.sim.twin.expire_keys()
        status, body = await raw.call("GET", "/orders")
        assert (status, body["code"]) == (401, 16)


async def test_a_wallet_registers_a_signer_that_may_then_trade() -> None:
    async with bsx() as raw:
        wallet, signer = Account.create(), Account.create()
        nonce = time.time_ns()
        register = {
            "Register": [
                {"name": "key", "type": "address"},
                {"name": "message", "type": "string"},
                {"name": "nonce", "type": "uint64"},
            ]
        }
        sign_key = {"SignKey": [{"name": "account", "type": "address"}]}
        signed = {"key": signer.address, "message": "", "nonce": nonce}
        body = {
            "user_wallet": wallet.address,
            "signer": signer.address,
            "nonce": nonce,
            "message": "",
            "wallet_signature": sign(raw.domain, register, signed, wallet.key.hex()),
            "signer_signature": sign(raw.domain, sign_key, {"account": wallet.address}, signer.key.hex()),
        }
        wrong = {**body, "message": "other"}
        assert (await raw.call("POST", "/users/register", wrong, headers={}))[0] == 400
        status, made = await raw.call("POST", "/users/register", body, headers={})
        assert status == 200
        assert set(made) == {"api_key", "api_secret", "expired_at", "name"}
        assert (await raw.call("POST", "/users/register", body, headers={}))[0] == 400  # the nonce is used
        raw.headers = {"bsx-key": made["api_key"], "bsx-secret": made["api_secret"]}
        raw.credentials = {"wallet_address": wallet.address, "signer_key": signer.key.hex()}
        await raw.call("POST", "/deposit-test-token", {})
        assert (await raw.order("BUY", "60000", "0.1"))["status"] == "PENDING"


# -- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "signed",
    [
        {"size": 10**17 + 1},
        {"price": 1},
        {"nonce": 5},
        {"productIndex": 2},
        {"orderSide": 1},
        {"sender": "0x0000000000000000000000000000000000000001"},
    ],
)
async def test_a_signature_over_something_else_is_refused(signed: dict[str, Any]) -> None:
    async with bsx() as raw:
        refusal = await raw.refused("BUY", "64000", "0.1", signed=signed)
        assert refusal == (400, 3, "failed to verify order signature")
        assert raw.sim.ledger.orders() == []


async def test_the_wallet_is_not_the_signer() -> None:
    async with bsx() as raw:
        raw.credentials["signer_key"] = raw.sim.twin.accounts[0].wallet_key  # type: ignore[attr-defined]
        assert (await raw.refused("BUY", "64000", "0.1"))[2] == "failed to verify order signature"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"signature": None}, "signature"),
        ({"signature": "0x12"}, "failed to verify order signature"),
        ({"product_index": 9}, "product_index"),
        ({"product_index": "1"}, "product_index"),
        ({"side": "buy"}, "side"),
        ({"side": None}, "side"),
        ({"type": "STOP"}, "stop"),
        ({"type": 2}, "stop"),
        ({"type": "TWAP"}, "type"),
        ({"time_in_force": "GTD"}, "time_in_force"),
        ({"time_in_force": "GTT"}, "expired_at"),
        ({"time_in_force": "GTT", "expired_at": "1700000000000000000"}, "not in the future"),
        ({"expired_at": "9999999999999999999"}, "only allowed with GTT"),
        ({"price": 64000}, "price"),
        ({"price": "6.4e4"}, "price"),
        ({"price": "0"}, "price"),
        ({"size": "-1"}, "size"),
        ({"nonce": "x"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"post_only": "true"}, "post_only"),
        ({"post_only": True, "time_in_force": "IOC"}, "post_only"),
        ({"stp": "CANCEL_BOTH"}, "stp"),
        ({"client_order_id": "O-20240101-1"}, "client_order_id"),
        ({"client_order_id": "a" * 33}, "client_order_id"),
        ({"clientOrderId": "a"}, "unknown field 'clientOrderId'"),
    ],
)
async def test_what_the_page_does_not_describe_is_refused(changed: dict[str, Any], message: str) -> None:
    async with bsx() as raw:
        status, code, text = await raw.refused("BUY", "64000", "0.1", sent=changed)
        assert (status, code) == (400, 3)
        assert message in text
        assert raw.sim.ledger.orders() == []


@pytest.mark.parametrize(
    ("price", "size", "message"),
    [("64000.05", "0.1", "multiple of 0.1"), ("64000", "0.1005", "multiple of 0.001"), ("64000", "0.0001", "size")],
)
async def test_increments_and_minimum(price: str, size: str, message: str) -> None:
    async with bsx() as raw:
        assert message in (await raw.refused("BUY", price, size))[2]


async def test_nonces_are_young_and_used_once() -> None:
    async with bsx() as raw:
        now = time.time_ns()
        assert "too old" in (await raw.refused("BUY", "64000", "0.1", nonce=now - 601 * 10**9))[2]
        await raw.order("BUY", "64000", "0.1", nonce=now)
        assert "already used" in (await raw.refused("BUY", "64000", "0.2", nonce=now))[2]
        await raw.order("BUY", "64000", "0.1", nonce=now - 599 * 10**9)


async def test_client_order_ids_are_unique_among_open_orders_whatever_their_case() -> None:
    async with bsx() as raw:
        first = await raw.order("BUY", "64000", "0.1", client_order_id="abc1")
        assert "client_order_id" in (await raw.refused("BUY", "64000", "0.1", client_order_id="ABC1"))[2]
        await raw.call("DELETE", f"/order?order_id={first['id']}")
        await raw.order("BUY", "64000", "0.1", client_order_id="ABC1")


async def test_a_post_only_product() -> None:
    async with bsx(post_only_products=("BTC-PERP",)) as raw:
        assert (await raw.get("/products"))["products"][0]["post_only"] is True
        assert "post-only" in (await raw.refused("BUY", "64000", "0.1"))[2]
        await raw.order("BUY", "64000", "0.1", post_only=True)


async def test_numbers_for_types_and_nonces_and_the_smallest_body() -> None:
    async with bsx() as raw:
        body = raw.body("BUY", "64000", "0.1")
        del body["type"]
        body["nonce"] = int(body["nonce"])
        assert (await raw.call("POST", "/orders", body))[1]["type"] == "LIMIT"
        taken = await raw.order("BUY", "65000", "0.1", type=1, expired_at=0, client_order_id=None)
        assert (taken["type"], taken["client_order_id"]) == ("MARKET", "")


# -- cancels ------------------------------------------------------------------------------------------------


async def three(raw: RawBsx) -> list[dict[str, Any]]:
    return [
        await raw.order("BUY", "64000", "0.1", client_order_id="one"),
        await raw.order("BUY", "64001", "0.1"),
        await raw.order("BUY", "3000", "0.1", index=2),
    ]


async def test_cancel_one_by_id_or_nonce_and_never_twice() -> None:
    async with bsx() as raw:
        first, second, _ = await three(raw)
        assert (await raw.call("DELETE", f"/order?order_id={first['id']}&nonce=0"))[1] == {
            "order_id": first["id"],
            "nonce": first["nonce"],
            "client_order_id": "one",
        }
        assert (await raw.call("DELETE", f"/order?nonce={second['nonce']}"))[0] == 200
        for query in (f"order_id={first['id']}", "nonce=12", "order_id=unknown"):
            status, body = await raw.call("DELETE", f"/order?{query}")
            assert (status, body["code"]) == (404, 5)
        for query in ("", "client_order_id=one", f"order_id={first['id']}&nonce={first['nonce']}"):
            assert (await raw.call("DELETE", f"/order?{query}"))[0] == 400
        assert len(await raw.get("/orders")) == 1


async def test_cancel_many_by_body() -> None:
    async with bsx(canceled_id_key="id") as raw:
        first, second, third = await three(raw)
        body = {"order_ids": [first["id"], "unknown"], "nonces": [int(second["nonce"])], "product_ids": None}
        status, answer = await raw.call("DELETE", "/orders", body)
        assert status == 200
        assert [order["id"] for order in answer["cancel_requested_orders"]] == [first["id"], second["id"]]
        assert [order["id"] for order in await raw.get("/orders")] == [third["id"]]
        assert (await raw.call("DELETE", "/orders", {}))[0] == 400
        assert (await raw.call("DELETE", "/orders", {"orders": []}))[0] == 400


async def test_cancel_all_of_a_product_or_of_the_account() -> None:
    async with bsx(accounts=2) as raw:
        first, second, third = await three(raw)
        other = raw.sim.place_external("BTC-PERP", side=Side.BUY, size="0.1", price="60000", account=1)
        _, answer = await raw.call("DELETE", "/orders/all?product_id=ETH-PERP")
        assert [order["order_id"] for order in answer["cancel_requested_orders"]] == [third["id"]]
        _, answer = await raw.call("DELETE", "/orders/all")
        assert [o["order_id"] for o in answer["cancel_requested_orders"]] == [first["id"], second["id"]]
        assert (await raw.call("DELETE", "/orders/all?product_id=XRP-PERP"))[0] == 400
        assert other.is_open


@pytest.mark.parametrize("success", [0, 200])
async def test_a_batch_answers_each_item_in_its_place(success: int) -> None:
    async with bsx(batch_success_code=success) as raw:
        first, second, third = await three(raw)
        fourth = await raw.order("BUY", "64002", "0.1", client_order_id="four")
        good, bad = raw.body("BUY", "63000", "0.1"), raw.body("BUY", "63000.01", "0.1")
        items = [
            {"op_type": "CREATE", "create_order_request": good},
            {"op_type": "CREATE", "create_order_request": bad},
            {"op_type": "CANCEL", "cancel_request": {"order_id": first["id"], "nonce": None}},
            {"op_type": "CANCEL", "cancel_request": {"client_order_id": "FOUR"}},
            {"op_type": "CANCEL", "cancel_request": {"client_order_id": "four"}},
            {"op_type": "CANCEL_BULK", "cancel_orders_request": {"nonces": [second["nonce"]], "order_ids": None}},
            {"op_type": "CANCEL_ALL", "cancel_all_orders_request": {"product_id": "ETH-PERP"}},
            {"op_type": "AMEND"},
        ]
        status, answer = await raw.call("POST", "/orders/batch", {"data": items})
        assert status == 200
        created, refused, canceled, by_other_case, by_client, bulk, everything, unknown = answer["data"]
        assert created["code"] == success
        assert created["create_order_response"]["price"] == "63000"
        assert (refused["code"], "create_order_response" in refused) == (3, False)
        assert canceled["cancel_response"]["order_id"] == first["id"]
        assert by_other_case["cancel_response"]["order_id"] == fourth["id"]
        assert by_client["code"] == 5
        assert [o["order_id"] for o in bulk["cancel_orders_response"]["cancel_requested_orders"]] == [second["id"]]
        assert [o["order_id"] for o in everything["cancel_orders_response"]["cancel_requested_orders"]] == [third["id"]]
        assert unknown["code"] == 3
        assert (await raw.call("POST", "/orders/batch", {"data": []}))[0] == 400
