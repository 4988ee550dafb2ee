"""The twin's signature check agrees with the published vectors (protocol 3.3, 3.4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from nautilus_orderfeeds.venues.bsx.twin_accounts import ApiKey, stream_signature
from nautilus_orderfeeds.venues.bsx.twin_signing import SigningDomain, order_message, recover, x18

DOMAIN = SigningDomain("BSX Testnet", "1", 8453, "0x0000000000000000000000000000000000000002")

# The first vector is published (public Go example), the others were computed from the published types.
BUY = (
    "0x8cc51c73e31b54427e638fdc195601b1244e4db6be3d0af9661c058f697709ec"
    "5652fdb52ba7c8d7f808e05f7c509b3db7c7acb075164f993b1fb60da85596571c"
)
SELL = (
    "0xc3b1c2bc794934e0bcf81df0272094f3b41e6c57c2d08b31927fdba5cbf35ab2"
    "050c462805676ac983352832a424589562c49438e9fbf4102f40fd9932eef5951c"
)
SIGN_KEY = (
    "0xb728be026fe76795eafed7173540fd573ca1a8a103e9589dcca560c68f4a98a4"
    "4de5820424891604611ae674b8671da1519e3b83d0a62fd6622372c6dff3bcf21c"
)
KEY_1 = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
KEY_2 = "0x2b5ad5c4795c026514f8317c7a215e218dccd6cf"


def buy(**changed: object) -> dict[str, object]:
    return {
        **order_message(
            sender="0x0000000000000000000000000000000000000001",
            size=Decimal("1.23"),
            price=Decimal("123.4"),
            nonce=1632816000000000000,
            product_index=1,
            is_sell=False,
        ),
        **changed,
    }


def test_the_published_order_verifies() -> None:
    assert recover(DOMAIN, "Order", buy(), BUY) == KEY_1


def test_a_sell_of_a_lower_case_sender_verifies() -> None:
    message = order_message(
        sender="0xa01f2319baf9e8a344486ebafa96fb3c9f5bda05",
        size=Decimal("0.014"),
        price=Decimal("70000"),
        nonce=1718911292249923774,
        product_index=1,
        is_sell=True,
    )
    assert recover(DOMAIN, "Order", message, SELL) == KEY_2


def test_a_signer_signs_for_its_account() -> None:
    assert recover(DOMAIN, "SignKey", {"account": "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"}, SIGN_KEY) == KEY_2


@pytest.mark.parametrize(
    "changed",
    [{"size": 1}, {"price": 1}, {"nonce": 1}, {"productIndex": 2}, {"orderSide": 1}, {"sender": KEY_1}],
)
def test_anything_else_signed_is_someone_else(changed: dict[str, object]) -> None:
    assert recover(DOMAIN, "Order", buy(**changed), BUY) != KEY_1


def test_another_domain_is_someone_else() -> None:
    assert recover(SigningDomain("BSX Testnet", "1", 1, DOMAIN.verifying_contract), "Order", buy(), BUY) != KEY_1


@pytest.mark.parametrize("signature", ["", BUY[2:], BUY[:-2], BUY + "00", "0x" + "zz" * 65, BUY[:-2] + "05"])
def test_what_is_no_signature_is_refused(signature: str) -> None:
    with pytest.raises(ValueError, match="signature"):
        recover(DOMAIN, "Order", buy(), signature)


@pytest.mark.parametrize(
    ("decimal", "integer"),
    [
        ("0.018", 18000000000000000),
        ("55000", 55000000000000000000000),
        ("64648.1", 64648100000000000000000),
        ("0.000000000000000001", 1),
    ],
)
def test_scaling_is_exact(decimal: str, integer: int) -> None:
    assert x18(Decimal(decimal)) == integer


def test_more_than_18_decimals_cannot_be_scaled() -> None:
    with pytest.raises(ValueError, match="18 decimals"):
        x18(Decimal("0.0000000000000000001"))


def test_the_published_stream_signature() -> None:
    name = "1fda404d8f84ce7de5611a7f0d310325"
    key = ApiKey(name, name + name, "0x", "0x", "", 0, 0)
    assert stream_signature(key, "1701918382000000000") == (
        "38dbb4921a2b7ac974aa24d3a832f722a03c1b94126972fff538f39beb73caac"
    )
    assert name not in repr(key).replace(f"api_key='{name}'", "")
