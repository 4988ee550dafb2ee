"""Accounts and API keys of the simulated Roxom, and what its requests must carry (protocol 2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.venues.roxom.twin_errors import Refused
from nautilus_orderfeeds.venues.roxom.twin_options import AuthMode, RoxomTwinOptions

WS_PAYLOAD = "GET:/ws"
"""What a WebSocket handshake signs, always (2.1)."""

_NS = 1_000_000_000
_SIGNATURE_HEADERS = ("X-API-SIGN", "X-API-Signature")
# A throw-away key of the simulation, registered nowhere: making one anew costs seconds, these numbers nothing.
_SIMULATED_P = 174278023167864390903679748272789147318561030088140849768674644880905513098359803836468295712871479070620156789143960749517721102461542350454491950977061638653672800774008979997474485947443966991985628584464705191582979589085105111396102776880289576609151071377010398776037902242945146358886868102902765091451  # noqa: E501 - a number has no line break
_SIMULATED_Q = 142507079938694520725237826699351405217181445030484484226781401173144325895458137430788818155315038317708978864406827638130051910759924924041830596155319732329275944929325185138969906800642079445984166139484576381498865072098712507103461064361231323689962792105388358002301071589738287900887351457558897800993  # noqa: E501 - a number has no line break
_SIMULATED_E = 65_537


@cache
def simulated_private_key() -> rsa.RSAPrivateKey:
    """The RSA-2048 key of all simulated accounts: for the simulation only, everybody can read it here."""
    p, q, e = _SIMULATED_P, _SIMULATED_Q, _SIMULATED_E
    d = rsa.rsa_recover_private_exponent(e, p, q)
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(e, p * q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


@cache
def simulated_pem() -> str:
    """The same key as Roxom issues keys: PKCS#8 in PEM."""
    return (
        simulated_private_key()
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


@dataclass(slots=True)
class RoxomAccount:
    """One user: its `account_id` is also its name in the ledger."""

    account_id: str
    api_key: str
    api_secret: str = field(repr=False)
    is_expired: bool = False


class AuthRefused(Refused):
    """401; `ws_code` and `ws_message` are the same refusal on the WebSocket (5.1)."""

    def __init__(self, message: str, ws_code: str = "600010", ws_message: str = "Authentication failed") -> None:
        super().__init__(message, status=401)
        self.ws_code = ws_code
        self.ws_message = ws_message


class Keyring:
    """
    Who may do what.

    Parameters
    ----------
    seed : int
        Makes accounts and keys.
    clock : SimClock
    options : RoxomTwinOptions
    """

    def __init__(self, seed: int, clock: SimClock, options: RoxomTwinOptions) -> None:
        self.accounts: list[RoxomAccount] = []
        self._seed = seed
        self._clock = clock
        self._options = options
        self._public_key = simulated_private_key().public_key()

    def make_account(self) -> RoxomAccount:
        """A further account, the same for the same seed and number."""
        number = len(self.accounts)
        account = RoxomAccount(
            account_id=str(uuid.UUID(hex=self._digest(f"account|{number}")[:32], version=4)),
            api_key=f"rxk_key_{self._digest(f'key|{number}')[:32]}",
            api_secret=self._digest(f"secret|{number}"),
        )
        self.accounts.append(account)
        return account

    def credentials(self, number: int) -> dict[str, object]:
        """The credential fields of a client's config that fit the mode."""
        account = self.accounts[number]
        match self._options.auth:
            case AuthMode.RSA:
                return {"api_key": account.api_key, "private_key": simulated_pem()}
            case AuthMode.HMAC | AuthMode.KEY_ONLY:
                return {"api_key": account.api_key, "api_secret": account.api_secret}

    def check_call(self, headers: Mapping[str, str], method: str, target: str, body: bytes) -> RoxomAccount:
        """
        Find out who makes a REST call; `target` is path and query exactly as sent.

        Raises
        ------
        AuthRefused
            401 for a missing, unknown or expired key, a missing or wrong signature.
        Refused
            400 for a body that cannot be signed because it is no JSON object.
        """
        account = self._account(headers)
        match self._options.auth:
            case AuthMode.RSA:
                self._check_rsa(headers, rest_payload(method, target, body))
            case AuthMode.HMAC:
                if _signature(headers) is not None:  # G1 accepts REST calls with the key alone
                    self._check_hmac(account, headers)
            case AuthMode.KEY_ONLY:
                pass
        return account

    def check_upgrade(self, headers: Mapping[str, str]) -> RoxomAccount | None:
        """Find out who asks for the WebSocket; `None` for an allowed stranger. Raises `AuthRefused`."""
        if self._options.anonymous_ws and "X-API-Key" not in headers:
            return None
        account = self._account(headers)
        match self._options.auth:
            case AuthMode.RSA:
                self._check_rsa(headers, WS_PAYLOAD)
            case AuthMode.HMAC:
                self._check_hmac(account, headers)
            case AuthMode.KEY_ONLY:
                pass
        return account

    def _account(self, headers: Mapping[str, str]) -> RoxomAccount:
        api_key = headers.get("X-API-Key")
        if not api_key:
            is_current = self._options.auth is AuthMode.RSA
            raise AuthRefused("Missing API Key" if is_current else "Authorization header is required")
        for account in self.accounts:
            if account.api_key == api_key:
                if account.is_expired:
                    raise AuthRefused("API key has expired")
                return account
        raise AuthRefused("Invalid API key")

    def _check_rsa(self, headers: Mapping[str, str], payload: str) -> None:
        text = headers.get("X-API-Signature")
        if not text:
            raise AuthRefused("Missing Signature")
        try:
            signature = base64.b64decode(text, validate=True)
            self._public_key.verify(signature, payload.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (binascii.Error, ValueError, InvalidSignature):
            raise AuthRefused("Invalid Signature") from None

    def _check_hmac(self, account: RoxomAccount, headers: Mapping[str, str]) -> None:
        timestamp = headers.get("X-API-TIMESTAMP", "")
        if not (timestamp.isascii() and timestamp.isdigit()):
            raise AuthRefused("Invalid timestamp", "600011", "Invalid timestamp")
        off_secs = abs(self._clock.now_ns() / _NS - int(timestamp) / 1000)
        if off_secs > self._options.clock_tolerance_secs:
            raise AuthRefused("Invalid timestamp", "600011", "Invalid timestamp")
        digest = hmac.new(account.api_secret.encode(), timestamp.encode(), hashlib.sha256).digest()
        expected = base64.b64encode(digest).decode()
        if not hmac.compare_digest(expected.encode(), (_signature(headers) or "").encode()):
            raise AuthRefused("Invalid signature", "600012", "Invalid signature")

    def _digest(self, what: str) -> str:
        return hashlib.sha256(f"roxom|{self._seed}|{what}".encode()).hexdigest()


def rest_payload(method: str, target: str, body: bytes) -> str:
    """What a REST call signs: method, path with query, and the sorted body parameters if there are any (2.1)."""
    pairs = sorted((key, value) for key, value in read_object(body).items() if value is not None)
    parameters = "&".join(f"{key}={_lexical(value)}" for key, value in pairs)
    return f"{method}:{target}:{parameters}" if parameters else f"{method}:{target}"


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object, numbers with a point as text; no body is an empty object. Raises `Refused`."""
    if not body:
        return {}
    try:
        value = json.loads(body, parse_float=str)
    except ValueError:
        raise Refused("Invalid request body", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise Refused("Invalid request body", "the body is not an object")
    return value


def _lexical(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _signature(headers: Mapping[str, str]) -> str | None:
    return next((headers[name] for name in _SIGNATURE_HEADERS if name in headers), None)
