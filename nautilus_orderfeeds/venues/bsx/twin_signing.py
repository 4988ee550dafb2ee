"""
EIP-712 as the simulated BSX checks it (protocol 3.2, 3.4): who signed this?

Written with `eth_account`, so that a client's own signing is checked by another implementation.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data

_X18 = Decimal(10) ** 18

_TYPES: dict[str, list[dict[str, str]]] = {
    "Order": [
        {"name": "sender", "type": "address"},
        {"name": "size", "type": "uint128"},
        {"name": "price", "type": "uint128"},
        {"name": "nonce", "type": "uint64"},
        {"name": "productIndex", "type": "uint8"},
        {"name": "orderSide", "type": "uint8"},
    ],
    "Register": [
        {"name": "key", "type": "address"},
        {"name": "message", "type": "string"},
        {"name": "nonce", "type": "uint64"},
    ],
    "SignKey": [{"name": "account", "type": "address"}],
}


@dataclass(frozen=True, slots=True)
class SigningDomain:
    """The domain of `GET /chain/configs`."""

    name: str = "BSX Testnet"
    version: str = "1"
    chain_id: int = 84532
    verifying_contract: str = "0x0000000000000000000000000000000000000b5c"

    def served(self) -> dict[str, str]:
        """As it stands on the wire: the chain id is an integer string."""
        return {
            "name": self.name,
            "version": self.version,
            "chain_id": str(self.chain_id),
            "verifying_contract": self.verifying_contract,
        }


def x18(value: Decimal) -> int:
    """A decimal times 10^18 as an integer. Raises `ValueError` if it has more than 18 decimals."""
    scaled = value * _X18
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than 18 decimals")
    return int(scaled)


def recover(domain: SigningDomain, primary_type: str, message: dict[str, Any], signature: str) -> str:
    """
    The lower-case address whose key made `signature` over the typed `message`.

    Raises
    ------
    ValueError
        If the signature or a field of the message cannot be what it should be.
    """
    if not signature.startswith("0x") or len(signature) != 132:
        raise ValueError("a signature is 0x and 130 hex digits")
    domain_data = {
        "name": domain.name,
        "version": domain.version,
        "chainId": domain.chain_id,
        "verifyingContract": domain.verifying_contract,
    }
    try:
        signable = encode_typed_data(domain_data, {primary_type: _TYPES[primary_type]}, message)
        recovered: str = EthAccount.recover_message(signable, signature=signature)
    except Exception as exc:  # the library raises its own errors for each way of being wrong
        raise ValueError(f"signature cannot be recovered: {type(exc).__name__}") from None
    return recovered.lower()


def order_message(
    *, sender: str, size: Decimal, price: Decimal, nonce: int, product_index: int, is_sell: bool
) -> dict[str, Any]:
    """The typed `Order` message of an order."""
    return {
        "sender": sender,
        "size": x18(size),
        "price": x18(price),
        "nonce": nonce,
        "productIndex": product_index,
        "orderSide": 1 if is_sell else 0,
    }
