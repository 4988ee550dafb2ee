"""Signatures against the vectors, and how keys are given."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
    rsa_recover_private_exponent,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.signing import (
    LegacyAuthenticator,
    RsaAuthenticator,
    authenticator,
    load_key,
    payload,
    sign,
    timestamp_signature,
)
from nautilus_orderfeeds.venues.secrets import Secret
from tests.support.roxom_client import SAMPLES

VECTORS = json.loads((SAMPLES / "vectors.json").read_bytes())
RSA = VECTORS["rsa"]["vectors"]
HMAC = VECTORS["hmac_legacy"]


def vector_key() -> RSAPrivateKey:
    numbers = VECTORS["rsa"]["test_key"]
    p, q, e = int(numbers["p"]), int(numbers["q"]), int(numbers["e"])
    d = rsa_recover_private_exponent(e, p, q)
    public = RSAPublicNumbers(e, p * q)
    return RSAPrivateNumbers(p, q, d, rsa_crt_dmp1(d, p), rsa_crt_dmq1(d, q), rsa_crt_iqmp(p, q), public).private_key()


def pem() -> str:
    return vector_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("vector", RSA, ids=lambda vector: vector["name"])
def test_rsa_vectors(vector):
    path, _, query = vector["path"].partition("?")
    body = json.dumps(vector["body"]).encode() if "body" in vector else b""
    text = payload(vector["method"], path, query, body)
    assert text == vector["payload"]
    assert sign(vector_key(), text) == vector["signature_base64"]


@pytest.mark.parametrize("vector", HMAC, ids=lambda vector: vector["name"])
def test_hmac_vectors(vector):
    assert timestamp_signature(vector["secret"], vector["timestamp"]) == vector["signature_base64"]


def test_body_values_are_written_as_in_json_and_nulls_left_out():
    body = b'{"cancelAt":1752621480060,"px":null,"postOnly":true,"symbol":"GOLD-BTC"}'
    assert payload("post", "/v1/orders", "", body) == (
        "POST:/v1/orders:cancelAt=1752621480060&postOnly=true&symbol=GOLD-BTC"
    )


def test_headers_of_the_present_scheme():
    signer = authenticator(RoxomSettings(api_key="rxk", private_key=Secret(pem())), ManualClock())
    assert isinstance(signer, RsaAuthenticator)
    handshake = next(vector for vector in RSA if vector["name"] == "ws-handshake")
    assert signer.upgrade() == {"X-API-Key": "rxk", "X-API-Signature": handshake["signature_base64"]}
    headers = signer.request("GET", "/v1/orders", "instType=perpetual&includeClosed=true&unit=btc", b"")
    query = next(vector for vector in RSA if vector["name"] == "get-orders-with-query")
    assert headers["X-API-Signature"] == query["signature_base64"]
    assert headers["Content-Type"] == "application/json"


def test_headers_of_the_venue_page():
    clock = ManualClock(1752621480060 * 1_000_000)
    signer = authenticator(RoxomSettings(api_key="rxk", api_secret=Secret("test-secret")), clock)
    assert isinstance(signer, LegacyAuthenticator)
    assert signer.upgrade() == {
        "X-API-KEY": "rxk",
        "X-API-TIMESTAMP": "1752621480060",
        "X-API-SIGN": HMAC[0]["signature_base64"],
    }


def test_the_private_key_goes_before_the_secret():
    settings = RoxomSettings(api_key="rxk", private_key=Secret(pem()), api_secret=Secret("old"))
    assert isinstance(authenticator(settings, ManualClock()), RsaAuthenticator)


def test_a_key_as_text_as_one_line_and_as_a_file(tmp_path: Path):
    text = pem()
    (tmp_path / "key.pem").write_text(text)
    for given in (text, text.replace("\n", "\\n"), str(tmp_path / "key.pem")):
        assert load_key(Secret(given), "ROXOM_PRIVATE_KEY").private_numbers() == vector_key().private_numbers()


def test_bad_keys_are_named_and_not_shown(tmp_path: Path):
    curve = ec.generate_private_key(ec.SECP256R1())
    other = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    mangled = pem().replace("-----BEGIN", "BEGIN")
    for given in (mangled, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", other, str(tmp_path)):
        with pytest.raises(FatalFeedError, match="ROXOM_PRIVATE_KEY") as caught:
            load_key(Secret(given), "ROXOM_PRIVATE_KEY")
        assert given not in str(caught.value)


def test_nothing_secret_is_shown():
    settings = RoxomSettings(api_key="rxk_key_1", private_key=Secret("PEM"), api_secret=Secret("hush"))
    for shown in (repr(settings), str(settings)):
        assert not any(word in shown for word in ("rxk_key_1", "PEM", "hush"))
