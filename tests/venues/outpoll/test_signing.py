"""Signatures against the vectors of the protocol (4.3)."""

import json
from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.outpoll.signing import Signer, decode_secret
from nautilus_orderfeeds.venues.secrets import Secret

VECTORS = json.loads((Path(__file__).parent / "samples" / "vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda v: v["name"])
def test_vector(vector: dict[str, Any]) -> None:
    signer = Signer(vector["api_key"], Secret(vector["secret"]))

    made = signer.signature(vector["timestamp"], vector["method"], vector["path"], vector["body"].encode())

    assert made == vector["signature"]
    if "auth_message" in vector:
        assert signer.auth_message(vector["timestamp"], vector["path"]) == vector["auth_message"]
    else:
        headers = signer.headers(vector["timestamp"], vector["method"], vector["path"], vector["body"].encode())
        assert headers.items() <= vector["headers"].items()


@pytest.mark.parametrize("text", ["", "#no base64#", "AAAAA"])
def test_a_secret_that_is_none_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(FatalFeedError) as caught:
        decode_secret(Secret(text))

    assert not text or text not in str(caught.value)


def test_nothing_shows_the_secret() -> None:
    assert "dGVzdF9zZWNyZXRfMTIzNDU2Nzg" not in repr(Signer("key", Secret("dGVzdF9zZWNyZXRfMTIzNDU2Nzg")))


@pytest.mark.parametrize("case", VECTORS["secret_decoding"], ids=lambda c: c["secret"])
def test_both_alphabets_padded_or_not(case: dict[str, str]) -> None:
    assert decode_secret(Secret(case["secret"])).hex() == case["bytes_hex"]
