"""Accounts, API keys and nonces of the simulated BSX (protocol 3)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from eth_account import Account as EthAccount

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.server import Answer

_NS = 1_000_000_000


class Refused(Exception):
    """The venue says no: HTTP status, gRPC code and text (4.11)."""

    def __init__(self, message: str, *, code: int = 3, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status

    def answer(self) -> Answer:
        """The error body."""
        return error_answer(self.status, self.message, self.code)


_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 409: 6, 429: 8, 500: 13, 503: 14, 504: 4}


def error_answer(status: int, message: str, code: int | None = None) -> Answer:
    """An error body with the gRPC code that goes with the HTTP status."""
    code = _CODES.get(status, 2) if code is None else code
    return Answer(status, {"code": code, "message": message, "details": []})


@dataclass(slots=True)
class ApiKey:
    """One API key; it trades for `owner` with orders signed by `signer` (lower-case addresses)."""

    api_key: str
    api_secret: str = field(repr=False)
    owner: str
    signer: str
    name: str
    created_ns: int
    expired_ns: int

    def served(self) -> dict[str, str]:
        """As `/users/api-key` shows it."""
        return {
            "api_key": self.api_key,
            "api_secret": self.api_secret,
            "name": self.name,
            "sender": self.owner,
            "signer": self.signer,
            "created_at": str(self.created_ns),
            "updated_at": str(self.created_ns),
            "expired_at": str(self.expired_ns),
        }


@dataclass(slots=True)
class BsxAccount:
    """
    One user: wallet, settings, and the nonces it has used.

    `address` is the wallet in lower case, which is also the account's name in the ledger. `signer_key` is
    known for the accounts that the simulation made up itself.
    """

    address: str
    signer_key: str = field(default="", repr=False)
    wallet_key: str = field(default="", repr=False)
    collateral_mode: str = "USDC_COLLATERAL"
    margin_modes: dict[str, str] = field(default_factory=dict)
    leverages: dict[str, int] = field(default_factory=dict)
    isolated: dict[str, Decimal] = field(default_factory=dict)
    nonces: set[int] = field(default_factory=set)
    register_nonces: set[int] = field(default_factory=set)
    faucet_ns: int = 0


class Keyring:
    """
    Who may do what.

    Parameters
    ----------
    seed : int
        Makes the credentials of the simulation's own accounts.
    clock : SimClock
    lifetime_secs : float
        Of new keys.
    """

    def __init__(self, seed: int, clock: SimClock, lifetime_secs: float) -> None:
        self.accounts: dict[str, BsxAccount] = {}
        self.keys: dict[str, ApiKey] = {}
        self._seed = seed
        self._clock = clock
        self._lifetime_ns = round(lifetime_secs * _NS)

    def make_account(self, number: int) -> BsxAccount:
        """A made-up account with a wallet, a signer and an API key, the same for the same seed."""
        wallet_key = self._digest(f"wallet|{number}")
        signer_key = self._digest(f"signer|{number}")
        wallet = str(EthAccount.from_key(wallet_key).address).lower()
        signer = str(EthAccount.from_key(signer_key).address).lower()
        account = self.accounts[wallet] = BsxAccount(wallet, "0x" + signer_key, "0x" + wallet_key)
        self.new_key(wallet, signer, "")
        return account

    def new_key(self, owner: str, signer: str, name: str) -> ApiKey:
        """A fresh API key for an account and its signer."""
        number = len(self.keys)
        now_ns = self._clock.now_ns()
        key = ApiKey(
            api_key=self._digest(f"key|{number}")[:32],
            api_secret=self._digest(f"secret|{number}"),
            owner=owner,
            signer=signer,
            name=name,
            created_ns=now_ns,
            expired_ns=now_ns + self._lifetime_ns,
        )
        self.keys[key.api_key] = key
        return key

    def keys_of(self, address: str) -> list[ApiKey]:
        """All keys of an account, oldest first."""
        return [key for key in self.keys.values() if key.owner == address]

    def expire(self) -> None:
        """Let every key that exists expire now."""
        for key in self.keys.values():
            key.expired_ns = min(key.expired_ns, self._clock.now_ns())

    def authenticate(self, headers: Mapping[str, str]) -> ApiKey:
        """
        The key of a REST call (3.1).

        Raises
        ------
        Refused
            401 with code 16 for a missing, unknown, wrong or expired key.
        """
        key = self.keys.get(headers.get("bsx-key", ""))
        secret = headers.get("bsx-secret", "")
        if key is None or not hmac.compare_digest(key.api_secret.encode(), secret.encode()):
            raise Refused("unauthenticated", code=16, status=401)
        if key.expired_ns <= self._clock.now_ns():
            raise Refused("api key is expired", code=16, status=401)
        return key

    def stream_key(self, api_key: str) -> ApiKey | None:
        """The key named in a WebSocket auth, if it may still be used."""
        key = self.keys.get(api_key)
        return key if key is not None and key.expired_ns > self._clock.now_ns() else None

    def _digest(self, what: str) -> str:
        return hashlib.sha256(f"bsx|{self._seed}|{what}".encode()).hexdigest()


def stream_signature(key: ApiKey, timestamp: str) -> str:
    """The HMAC a WebSocket auth must carry: keyed by the ASCII bytes of the secret (3.3)."""
    return hmac.new(key.api_secret.encode(), f"{key.api_key},{timestamp}".encode(), hashlib.sha256).hexdigest()
