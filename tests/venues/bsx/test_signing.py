"""Signatures hold the published vectors, and nothing is signed that is not exact."""

import json
from decimal import Decimal

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.venues.bsx.signing import (
    Domain,
    OrderSigner,
    checked_address,
    decode_domain,
    scale,
    websocket_signature,
)
from nautilus_orderfeeds.venues.bsx.words import WireSide
from tests.support.bsx_client import SAMPLES, SIGNER, SIGNER_KEY, WALLET

VECTORS = json.loads((SAMPLES / "vectors.json").read_text())
EIP712 = VECTORS["eip712"]
DOMAIN = decode_domain(json.dumps({"main": EIP712["domain"]}).encode())
ORDERS = [vector for vector in EIP712["vectors"] if vector["primary_type"] == "Order"]

ORDER_TYPE = {
    "Order": [
        {"name": "sender", "type": "address"},
        {"name": "size", "type": "uint128"},
        {"name": "price", "type": "uint128"},
        {"name": "nonce", "type": "uint64"},
        {"name": "productIndex", "type": "uint8"},
        {"name": "orderSide", "type": "uint8"},
    ]
}


def test_websocket_login():
    vector = VECTORS["ws_auth_hmac"]
    signature = websocket_signature(vector["api_key"], vector["api_secret"], vector["timestamp"])
    assert signature == vector["signature"]
    assert signature != vector["wrong_if_secret_is_hex_decoded"]


def test_domain_separator():
    assert "0x" + DOMAIN.separator().hex() == EIP712["domain_separator"]


@pytest.mark.parametrize("vector", ORDERS, ids=lambda vector: vector["name"])
def test_orders(vector):
    message, inputs = vector["message"], vector["inputs"]
    signer = OrderSigner(DOMAIN, message["sender"], vector["private_key"])
    signature = signer.sign(
        size=Decimal(inputs["size"]),
        price=Decimal(inputs["price"]),
        nonce=int(message["nonce"]),
        product_index=message["productIndex"],
        side=WireSide(inputs["side"]),
    )
    assert signature == vector["signature"]
    assert signer.address == vector["signer_address"].lower()


def test_vectors_cover_both_recovery_bytes():
    assert {vector["v"] for vector in ORDERS} == {27, 28}


@given(
    size=st.decimals(min_value="0.000001", max_value=10**9, places=6),
    price=st.decimals(min_value="0.01", max_value=10**9, places=2),
    nonce=st.integers(min_value=0, max_value=2**64 - 1),
    product_index=st.integers(min_value=1, max_value=255),
    side=st.sampled_from(WireSide),
)
def test_another_implementation_recovers_the_signer(size, price, nonce, product_index, side):
    signer = OrderSigner(DOMAIN, WALLET, SIGNER_KEY)
    signature = signer.sign(size=size, price=price, nonce=nonce, product_index=product_index, side=side)
    data = {
        "name": DOMAIN.name,
        "version": DOMAIN.version,
        "chainId": DOMAIN.chain_id,
        "verifyingContract": DOMAIN.verifying_contract,
    }
    message = {
        "sender": WALLET,
        "size": int(size.scaleb(18)),
        "price": int(price.scaleb(18)),
        "nonce": nonce,
        "productIndex": product_index,
        "orderSide": 0 if side is WireSide.BUY else 1,
    }
    recovered = Account.recover_message(encode_typed_data(data, ORDER_TYPE, message), signature=signature)
    assert recovered.lower() == signer.address == SIGNER


@pytest.mark.parametrize("pair", VECTORS["x18_scaling"]["pairs"], ids=lambda pair: pair["decimal"])
def test_scaling(pair):
    assert scale(Decimal(pair["decimal"])) == int(pair["integer"])


@given(st.integers(min_value=0, max_value=2**128 - 1))
def test_scaling_is_exact(number):
    assert scale(Decimal(plain(Decimal(number).scaleb(-18) if number < 10**28 else Decimal(number // 10**18)))) == (
        number if number < 10**28 else number // 10**18 * 10**18
    )


@pytest.mark.parametrize("value", ["-1", "1e-19", "0.1234567890123456789", "1e30"])
def test_what_cannot_be_signed_exactly_is_refused(value):
    with pytest.raises(ValueError, match="cannot be signed"):
        scale(Decimal(value))


def test_domain_in_both_shapes():
    shape = EIP712["domain"]
    old = json.dumps({**shape, "addresses": {}}).encode()
    new = json.dumps({"main": shape, "degen": {**shape, "name": "BSX Degen"}}).encode()
    number = json.dumps({"main": {**shape, "chain_id": 8453}}).encode()
    assert decode_domain(old) == decode_domain(new) == decode_domain(number) == DOMAIN
    assert Domain("BSX Testnet", "1", 8453, "0x0000000000000000000000000000000000000002") == DOMAIN


@pytest.mark.parametrize("body", [b"{}", b"[]", b"\xff", b'{"main":{"name":"x"}}'])
def test_no_domain(body):
    with pytest.raises(ValueError, match="no signing domain"):
        decode_domain(body)


def test_a_domain_needs_a_contract():
    with pytest.raises(ValueError, match="no address"):
        decode_domain(json.dumps({"main": {**EIP712["domain"], "verifying_contract": "0x12"}}).encode())


@pytest.mark.parametrize("key", ["", "0x12", "secret!" * 9, "0" * 64, "f" * 64])
def test_a_bad_key_is_refused_and_not_shown(key):
    with pytest.raises(ValueError, match="signer_key is no private key") as caught:
        OrderSigner(DOMAIN, WALLET, key)
    assert not key or key not in str(caught.value)


def test_nothing_shows_the_key():
    signer = OrderSigner(DOMAIN, WALLET, SIGNER_KEY)
    assert SIGNER_KEY.removeprefix("0x") not in repr(signer)
    assert SIGNER in repr(signer)


def test_addresses_compare_without_regard_to_case():
    assert checked_address("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF") == SIGNER
