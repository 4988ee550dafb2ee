"""Users, API keys and signatures of the simulated Outpoll (protocol 4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import uuid
from dataclasses import dataclass, field

from nautilus_orderfeeds.sim.clock import SimClock

_NS = 1_000_000_000
_SECRET_BYTES = 20
_TIMESTAMP = re.compile(r"[0-9]{1,20}")


class Refused(Exception):
    """The venue says no: HTTP status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def decode_secret(secret: str) -> bytes:
    """
    The bytes of a secret in base64url (or plain base64), padded or not.

    Raises
    ------
    ValueError
        If it is neither.
    """
    text = secret.replace("+", "-").replace("/", "_").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("the secret is not base64url") from None


def signature_of(secret: str, timestamp: str, method: str, path: str, body: bytes = b"") -> str:
    """The one right signature (4.1): `path` without a query, `body` exactly as sent."""
    message = f"{timestamp}{method}{path}".encode(errors="surrogateescape") + body
    digest = hmac.new(decode_secret(secret), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(slots=True)
class ApiKey:
    """One API key; `is_active` ends when another one is created or it is deleted, `is_blocked` is for good (4.5)."""

    key_id: str
    key: str
    secret: str = field(repr=False)
    owner: str
    created_ns: int
    expires_ns: int | None = None
    is_active: bool = True
    is_blocked: bool = False


class Keyring:
    """
    Who may do what.

    Parameters
    ----------
    seed : int
        Makes users, keys and logins.
    clock : SimClock
    is_padded : bool
        Whether secrets carry their padding.
    """

    def __init__(self, seed: int, clock: SimClock, *, is_padded: bool) -> None:
        self.keys: dict[str, ApiKey] = {}
        self._seed = seed
        self._clock = clock
        self._is_padded = is_padded
        self._logins: dict[str, str] = {}
        self._codes: dict[str, str] = {}

    def open_account(self, number: int) -> str:
        """A user id, the same for the same seed, with a first key and a login."""
        owner = str(uuid.UUID(bytes=self._digest(f"user|{number}")[:16], version=4))
        self._logins[f"jwt.{self._digest(f'login|{number}').hex()}"] = owner
        self._codes[owner] = f"{int.from_bytes(self._digest(f'code|{number}')[:4]) % 1_000_000:06d}"
        self.new_key(owner)
        return owner

    def new_key(self, owner: str, expires_ns: int | None = None) -> ApiKey:
        """Create a key; the former one of this user ends with it (4.5)."""
        for other in self.keys.values():
            if other.owner == owner:
                other.is_active = False
        number = len(self.keys)
        secret = base64.urlsafe_b64encode(self._digest(f"secret|{number}")[:_SECRET_BYTES]).decode()
        made = ApiKey(
            key_id=str(uuid.UUID(bytes=self._digest(f"key-id|{number}")[:16], version=4)),
            key=f"op_k_{self._digest(f'key|{number}').hex()[:32]}",
            secret=secret if self._is_padded else secret.rstrip("="),
            owner=owner,
            created_ns=self._clock.now_ns(),
            expires_ns=expires_ns,
        )
        self.keys[made.key] = made
        return made

    def key_of(self, owner: str) -> ApiKey:
        """The latest key of a user."""
        return [key for key in self.keys.values() if key.owner == owner][-1]

    def login(self, owner: str) -> str:
        """The JWT of a user, as `POST /auth/login` would give it."""
        return next(token for token, user in self._logins.items() if user == owner)

    def code(self, owner: str) -> str:
        """The code that `POST /auth/api-key/send-code` mails."""
        return self._codes[owner]

    def owner_of_login(self, token: str) -> str:
        """The user of a JWT. Raises `Refused` with 401."""
        try:
            return self._logins[token]
        except KeyError:
            raise Refused(401, "Unauthorized") from None

    def authenticate(
        self, key: str, signature: str, timestamp: str, method: str, path: str, body: bytes, window_secs: float
    ) -> ApiKey:
        """
        The key of a signed request.

        Raises
        ------
        Refused
            401 for a key that is unknown, replaced, deleted or expired, a timestamp outside the window or a
            wrong signature; 403 for a blocked key that signed rightly.
        """
        found = self.keys.get(key)
        if found is None or not found.is_active or self._has_expired(found):
            raise Refused(401, "Invalid or missing credentials")
        if not _TIMESTAMP.fullmatch(timestamp):
            raise Refused(401, "Invalid or missing credentials")
        if abs(self._clock.now_ns() - int(timestamp) * _NS) > window_secs * _NS:
            raise Refused(401, "Timestamp is outside of the window")
        wanted = signature_of(found.secret, timestamp, method, path, body)
        if not hmac.compare_digest(wanted.encode(), signature.encode(errors="surrogateescape")):
            raise Refused(401, "Invalid or missing credentials")
        if found.is_blocked:
            raise Refused(403, "API key is permanently blocked")
        return found

    def _has_expired(self, key: ApiKey) -> bool:
        return key.expires_ns is not None and key.expires_ns <= self._clock.now_ns()

    def _digest(self, what: str) -> bytes:
        return hashlib.sha256(f"outpoll|{self._seed}|{what}".encode()).digest()
