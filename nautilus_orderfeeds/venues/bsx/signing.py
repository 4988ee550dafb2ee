"""Signatures: HMAC for the WebSocket (protocol, 3.3) and EIP-712 for orders (protocol, 3.4).

The typed data is hashed here field by field, since nothing of it changes from order to order but four words;
everything else is hashed once.
"""

import hashlib
import hmac
from decimal import Decimal
from typing import Any, Final, assert_never

import msgspec
from coincurve import PrivateKey
from eth_hash.auto import keccak
from msgspec import Struct

from nautilus_orderfeeds.orders.decimals import EXACT
from nautilus_orderfeeds.venues.bsx.words import VENUE, WireSide

_DOMAIN_TYPE: Final = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_ORDER_TYPE: Final = b"Order(address sender,uint128 size,uint128 price,uint64 nonce,uint8 productIndex,uint8 orderSide)"

#: Sizes and prices are signed as integers of 10^-18.
_SCALE_PLACES: Final = 18
_MAX_UINT128: Final = 2**128 - 1
_MAX_UINT64: Final = 2**64 - 1


class Domain(Struct, frozen=True):
    """Signing domain, from ``GET /chain/configs``."""

    name: str
    version: str
    chain_id: int
    verifying_contract: str

    def separator(self) -> bytes:
        """Return the domain separator, 32 bytes."""
        return keccak(
            keccak(_DOMAIN_TYPE)
            + keccak(self.name.encode())
            + keccak(self.version.encode())
            + _word(self.chain_id)
            + _address_word(self.verifying_contract)
        )


#: As published last (protocol, 3.4); used only where the venue does not serve its own.
PUBLISHED_DOMAIN: Final = Domain(
    name="BSX Mainnet",
    version="1",
    chain_id=8453,
    verifying_contract="0x26A54955a5fb9472D3eDFeAc9B8E4c0ab5779eD3",
)


class _ChainConfigs(Struct):
    main: Domain


_new_shape: Final = msgspec.json.Decoder(_ChainConfigs, strict=False)
_old_shape: Final = msgspec.json.Decoder(Domain, strict=False)


def decode_domain(body: bytes) -> Domain:
    """Read the answer to ``GET /chain/configs``: the domain is `.main`; until October 2024 it stood on top.

    Raises
    ------
    ValueError
        If it holds no such domain in either place, or a contract that is no address.
    """
    try:
        domain = _new_shape.decode(body).main
    except (msgspec.MsgspecError, UnicodeDecodeError):
        try:
            domain = _old_shape.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise ValueError(f"{VENUE}: no signing domain in the answer to GET /chain/configs ({exc})") from None
    _address_word(domain.verifying_contract)
    return domain


def scale(value: Decimal) -> int:
    """Return `value` times 10^18, exactly.

    Raises
    ------
    ValueError
        If it is negative, has more than 18 decimal places, or does not fit 128 bits.
    """
    scaled = value.scaleb(_SCALE_PLACES, context=EXACT)
    number = int(scaled)
    if number != scaled or not 0 <= number <= _MAX_UINT128:
        raise ValueError(
            f"{value} cannot be signed: expected at least 0, at most 18 decimal places, below 2^128 / 10^18"
        )
    return number


def checked_address(text: str) -> str:
    """Return `text` in lower case, with prefix.

    Raises
    ------
    ValueError
        If it is no address of 20 bytes in hex.
    """
    return "0x" + _address_word(text)[12:].hex()


def websocket_signature(api_key: str, api_secret: str, timestamp: str) -> str:
    """Return the HMAC that authenticates a WebSocket (protocol, 3.3).

    The key is the secret's own ASCII text, not what it is the hex of.
    """
    return hmac.new(api_secret.encode(), f"{api_key},{timestamp}".encode(), hashlib.sha256).hexdigest()


class OrderSigner:
    """Signs orders of one account.

    Parameters
    ----------
    domain : Domain
        Of the venue.
    sender : str
        Address of the account's wallet (not of the signer).
    signer_key : str
        Private key of the signer, 32 bytes in hex. Never shown.

    Raises
    ------
    ValueError
        If the key or the address is none; the message does not hold the key.
    """

    def __init__(self, domain: Domain, sender: str, signer_key: str) -> None:
        self._key = _private_key(signer_key)
        self._prefix = b"\x19\x01" + domain.separator()
        self._head = keccak(_ORDER_TYPE) + _address_word(sender)
        self.address = _address_of(self._key)
        """Address of the signer, in lower case."""

    def __repr__(self) -> str:
        return f"OrderSigner({self.address})"

    def sign(self, *, size: Decimal, price: Decimal, nonce: int, product_index: int, side: WireSide) -> str:
        """Sign one order.

        Parameters
        ----------
        size, price : Decimal
            As in the request: base units; quote per base, for a market order the worst acceptable.
        nonce, product_index : int
            As in the request.
        side : WireSide
            Buy or sell.

        Returns
        -------
        str
            r, s and v (27 or 28) in hex, with prefix.
        """
        if not 0 <= nonce <= _MAX_UINT64 or not 0 <= product_index <= 255:
            raise ValueError(f"nonce {nonce} or product index {product_index} cannot be signed: out of range")
        struct = self._head + b"".join(
            map(_word, (scale(size), scale(price), nonce, product_index, _side_number(side)))
        )
        signature = self._key.sign_recoverable(keccak(self._prefix + keccak(struct)), hasher=None)
        return "0x" + signature[:64].hex() + ("1c" if signature[64] else "1b")


def _side_number(side: WireSide) -> int:
    match side:
        case WireSide.BUY:
            return 0
        case WireSide.SELL:
            return 1
        case _ as never:
            assert_never(never)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _address_word(text: str) -> bytes:
    raw = _unhex(text)
    if raw is None or len(raw) != 20:
        raise ValueError(f"{text[:50]!r} is no address: expected 0x and 40 hex digits")
    return bytes(12) + raw


def _private_key(text: str) -> PrivateKey:
    raw = _unhex(text.strip())
    try:
        if raw is not None and len(raw) == 32:
            return PrivateKey(raw)
    except ValueError:
        pass  # zero, or not below the curve's order
    raise ValueError("signer_key is no private key: expected 32 bytes in hex")


def _unhex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return None


def _address_of(key: PrivateKey) -> str:
    public: Any = key.public_key.format(compressed=False)
    return "0x" + keccak(public[1:])[-20:].hex()
